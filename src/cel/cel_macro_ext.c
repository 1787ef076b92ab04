
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_macro_ext.c - the macros of the extensions: cel.block, optional values,
 * sortBy, math.greatest and math.least of many.
 */


#include "cel_macro.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


#define CEL_MACRO_TARGET  "@target"
#define CEL_MACRO_NAME    32


static cel_node_t *cel_macro_method(cel_macro_t *macro, const char *name);
static char *cel_macro_name_of(cel_macro_t *macro, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


/*
 * cel.block([a, b, ...], result): cel.index(0) is a, also in b; the form in
 * which optimisers write what is used more than once
 */

cel_node_t *
cel_macro_block(cel_macro_t *macro)
{
    char              *name;
    uint32_t           i;
    cel_node_t        *result;
    const cel_node_t  *list;

    list = macro->call->items[0];
    result = macro->call->items[1];

    if (list->kind != CEL_N_LIST || list->item_flags != NULL) {
        cel_issue(macro->parser->issues, CEL_E_PARSE, macro->parser->ast,
                  list->offset, "cel.block() takes a list literal and an "
                  "expression");
        return NULL;
    }

    for (i = list->nitems; i-- > 0; ) {

        name = cel_macro_name_of(macro, "@index%u", i);
        if (name == NULL) {
            return NULL;
        }

        result = cel_macro_let(macro, name, list->items[i], result);
        if (result == NULL) {
            return NULL;
        }
    }

    return result;
}


/* cel.index(i), cel.iterVar(depth, i), cel.accuVar(depth, i): names */

cel_node_t *
cel_macro_numbered(cel_macro_t *macro)
{
    char               *name;
    uint32_t            i, numbers[2];
    const cel_value_t  *value;

    for (i = 0; i < macro->call->nitems; i++) {
        value = &macro->call->items[i]->value;

        if (macro->call->items[i]->kind != CEL_N_CONST
            || value->kind != CEL_INT || value->i < 0
            || value->i > UINT16_MAX)
        {
            cel_issue(macro->parser->issues, CEL_E_PARSE, macro->parser->ast,
                      macro->call->items[i]->offset, "cel.%s() takes small "
                      "numbers, as literals", macro->call->name);
            return NULL;
        }

        numbers[i] = (uint32_t) value->i;
    }

    name = macro->call->nitems == 1
           ? cel_macro_name_of(macro, "@index%u", numbers[0])
           : cel_macro_name_of(macro, "@%s:%u:%u", macro->call->name,
                               numbers[0], numbers[1]);

    return name != NULL
           ? cel_node_ident(macro->parser, macro->call->offset, name) : NULL;
}


/* math.greatest(a, b, c, ...) is math.greatest([a, b, c, ...]) */

cel_node_t *
cel_macro_extreme(cel_macro_t *macro)
{
    uint32_t      i;
    cel_node_t   *list, *node;
    cel_nodes_t   items, args;

    memset(&items, 0, sizeof(cel_nodes_t));
    memset(&args, 0, sizeof(cel_nodes_t));

    for (i = 0; i < macro->call->nitems; i++) {
        if (cel_nodes_push(macro->parser, &items, macro->call->items[i], 0)
            != CEL_OK)
        {
            return NULL;
        }
    }

    list = cel_node_make(macro->parser, CEL_N_LIST, macro->call->offset);

    if (list == NULL
        || cel_node_adopt_items(macro->parser, list, &items) != CEL_OK
        || cel_nodes_push(macro->parser, &args, list, 0) != CEL_OK)
    {
        return NULL;
    }

    node = cel_node_call(macro->parser, macro->call->offset,
                         macro->call->name, &args);
    if (node == NULL) {
        return NULL;
    }

    node->target = macro->call->target;

    return cel_node_adopt(macro->parser, node, node->target) == CEL_OK
           ? node : NULL;
}


/* a.sortBy(v, e): cel.bind(@target, a, @target.@sortBy(@target.map(v, e))) */

cel_node_t *
cel_macro_sort_by(cel_macro_t *macro)
{
    cel_node_t   *keys, *node;
    cel_node_t    call;
    cel_nodes_t   args;
    cel_macro_t   map;

    call = *macro->call;
    call.target = cel_node_ident(macro->parser, call.offset,
                                 CEL_MACRO_TARGET);
    if (call.target == NULL) {
        return NULL;
    }

    map = *macro;
    map.call = &call;
    keys = cel_macro_list(&map);

    memset(&args, 0, sizeof(cel_nodes_t));

    if (keys == NULL
        || cel_nodes_push(macro->parser, &args, keys, 0) != CEL_OK)
    {
        return NULL;
    }

    node = cel_node_call(macro->parser, call.offset, "@sortBy", &args);
    if (node == NULL) {
        return NULL;
    }

    node->target = cel_node_ident(macro->parser, call.offset,
                                  CEL_MACRO_TARGET);

    if (cel_node_adopt(macro->parser, node, node->target) != CEL_OK) {
        return NULL;
    }

    return cel_macro_let(macro, CEL_MACRO_TARGET, macro->call->target, node);
}


/*
 * a.optMap(v, e), with the receiver evaluated once:
 * cel.bind(@target, a, @target.hasValue()
 *          ? optional.of(cel.bind(v, @target.value(), e)) : optional.none())
 */

cel_node_t *
cel_macro_optional(cel_macro_t *macro)
{
    uint32_t       offset;
    const char    *name;
    cel_node_t    *has, *value, *none;
    cel_parser_t  *parser;

    parser = macro->parser;
    offset = macro->call->offset;

    name = cel_macro_var(macro, 0);
    if (name == NULL) {
        return NULL;
    }

    has = cel_macro_method(macro, "hasValue");
    value = cel_macro_method(macro, "value");
    none = cel_node_call(parser, offset, "optional.none", NULL);

    if (has == NULL || value == NULL || none == NULL) {
        return NULL;
    }

    value = cel_macro_let(macro, name, value, macro->call->items[1]);

    if (strcmp(macro->call->name, "optMap") == 0) {
        value = cel_node_unary(parser, offset, "optional.of", value);
    }

    return cel_macro_let(macro, CEL_MACRO_TARGET, macro->call->target,
                         cel_node_ternary(parser, offset, has, value, none));
}


/* @target.name() */

static cel_node_t *
cel_macro_method(cel_macro_t *macro, const char *name)
{
    cel_node_t  *node;

    node = cel_node_call(macro->parser, macro->call->offset, name, NULL);
    if (node == NULL) {
        return NULL;
    }

    node->target = cel_node_ident(macro->parser, macro->call->offset,
                                  CEL_MACRO_TARGET);

    return cel_node_adopt(macro->parser, node, node->target) == CEL_OK
           ? node : NULL;
}


/* a name that no source can hold */

static char *
cel_macro_name_of(cel_macro_t *macro, const char *fmt, ...)
{
    char     *name;
    va_list   args;

    name = cel_parse_alloc(macro->parser, CEL_MACRO_NAME);
    if (name == NULL) {
        return NULL;
    }

    va_start(args, fmt);
    vsnprintf(name, CEL_MACRO_NAME, fmt, args);
    va_end(args);

    return name;
}
