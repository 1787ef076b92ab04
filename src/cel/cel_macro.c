
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_macro.c - the macros: calls that stand for a comprehension, a presence
 * test or a binding.  The arguments become part of the tree that replaces
 * the call; nothing is evaluated or checked here.
 */


#include "cel_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


#define CEL_MACRO_ACCU    "@result"
#define CEL_MACRO_TARGET  "@target"
#define CEL_MACRO_NAME    32


typedef struct {
    cel_parser_t         *parser;
    const cel_node_t     *call;
    cel_macro_kind_t      kind;
    uint32_t              nvars;
} cel_macro_t;


typedef cel_node_t *(*cel_macro_pt)(cel_macro_t *macro);


static cel_node_t *cel_macro_has(cel_macro_t *macro);
static cel_node_t *cel_macro_bind(cel_macro_t *macro);
static cel_node_t *cel_macro_block(cel_macro_t *macro);
static cel_node_t *cel_macro_numbered(cel_macro_t *macro);
static cel_node_t *cel_macro_extreme(cel_macro_t *macro);
static cel_node_t *cel_macro_quantifier(cel_macro_t *macro);
static cel_node_t *cel_macro_exists_one(cel_macro_t *macro);
static cel_node_t *cel_macro_filter(cel_macro_t *macro);
static cel_node_t *cel_macro_list(cel_macro_t *macro);
static cel_node_t *cel_macro_sort_by(cel_macro_t *macro);
static cel_node_t *cel_macro_map(cel_macro_t *macro);
static cel_node_t *cel_macro_optional(cel_macro_t *macro);
static cel_node_t *cel_macro_method(cel_macro_t *macro, const char *name);
static cel_node_t *cel_macro_fold(cel_macro_t *macro);
static cel_node_t *cel_macro_finish(cel_macro_t *macro, cel_node_t *node);
static cel_node_t *cel_macro_collect(cel_macro_t *macro, cel_node_t *node);
static cel_node_t *cel_macro_filtered(cel_macro_t *macro, cel_node_t *node);
static cel_node_t *cel_macro_let(cel_macro_t *macro, const char *name,
    cel_node_t *value, cel_node_t *result);
static char *cel_macro_name_of(cel_macro_t *macro, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static const char *cel_macro_var(cel_macro_t *macro, uint32_t i);
static cel_node_t *cel_macro_accu(cel_macro_t *macro);
static cel_node_t *cel_macro_constant(cel_macro_t *macro, cel_value_t value);


/* nargs of a call that may have more than two */
#define CEL_MACRO_MANY    UINT32_MAX


/* nargs without the receiver; namespace: the receiver must be this name */

static const struct {
    const char           *name;
    const char           *namespace;
    bool                  member;
    bool                  optionals;     /* only where these are known */
    uint32_t              nargs;
    uint32_t              nvars;
    cel_macro_kind_t      kind;
    cel_macro_pt          expand;
} cel_macros[] = {
    { "has", NULL, false, false, 1, 0, CEL_M_NONE, cel_macro_has },
    { "bind", "cel", true, false, 3, 1, CEL_M_BIND, cel_macro_bind },

    { "block", "cel", true, false, 2, 0, CEL_M_BIND, cel_macro_block },
    { "index", "cel", true, false, 1, 0, CEL_M_NONE, cel_macro_numbered },
    { "iterVar", "cel", true, false, 2, 0, CEL_M_NONE, cel_macro_numbered },
    { "accuVar", "cel", true, false, 2, 0, CEL_M_NONE, cel_macro_numbered },

    { "greatest", "math", true, false, CEL_MACRO_MANY, 0, CEL_M_NONE,
      cel_macro_extreme },
    { "least", "math", true, false, CEL_MACRO_MANY, 0, CEL_M_NONE,
      cel_macro_extreme },

    { "all", NULL, true, false, 2, 1, CEL_M_ALL, cel_macro_quantifier },
    { "all", NULL, true, false, 3, 2, CEL_M_ALL, cel_macro_quantifier },
    { "exists", NULL, true, false, 2, 1, CEL_M_EXISTS, cel_macro_quantifier },
    { "exists", NULL, true, false, 3, 2, CEL_M_EXISTS, cel_macro_quantifier },
    { "exists_one", NULL, true, false, 2, 1, CEL_M_EXISTS_ONE,
      cel_macro_exists_one },
    { "exists_one", NULL, true, false, 3, 2, CEL_M_EXISTS_ONE,
      cel_macro_exists_one },
    { "existsOne", NULL, true, false, 2, 1, CEL_M_EXISTS_ONE,
      cel_macro_exists_one },
    { "existsOne", NULL, true, false, 3, 2, CEL_M_EXISTS_ONE,
      cel_macro_exists_one },

    { "map", NULL, true, false, 2, 1, CEL_M_MAP, cel_macro_list },
    { "map", NULL, true, false, 3, 1, CEL_M_MAP_FILTER, cel_macro_list },
    { "filter", NULL, true, false, 2, 1, CEL_M_FILTER, cel_macro_filter },

    { "sortBy", NULL, true, false, 2, 1, CEL_M_MAP, cel_macro_sort_by },

    { "transformList", NULL, true, false, 3, 2, CEL_M_TRANSFORM_LIST,
      cel_macro_list },
    { "transformList", NULL, true, false, 4, 2, CEL_M_TRANSFORM_LIST,
      cel_macro_list },
    { "transformMap", NULL, true, false, 3, 2, CEL_M_TRANSFORM_MAP,
      cel_macro_map },
    { "transformMap", NULL, true, false, 4, 2, CEL_M_TRANSFORM_MAP,
      cel_macro_map },
    { "transformMapEntry", NULL, true, false, 3, 2, CEL_M_TRANSFORM_MAP_ENTRY,
      cel_macro_map },
    { "transformMapEntry", NULL, true, false, 4, 2, CEL_M_TRANSFORM_MAP_ENTRY,
      cel_macro_map },

    { "optMap", NULL, true, true, 2, 1, CEL_M_NONE, cel_macro_optional },
    { "optFlatMap", NULL, true, true, 2, 1, CEL_M_NONE, cel_macro_optional },

    { NULL, NULL, false, false, 0, 0, CEL_M_NONE, NULL }
};


const char *
cel_macro_name(uint32_t i)
{
    return i < sizeof(cel_macros) / sizeof(cel_macros[0]) ? cel_macros[i].name
                                                          : NULL;
}


cel_node_t *
cel_macro_expand(cel_parser_t *parser, const cel_node_t *call, bool *expanded)
{
    uint32_t           i;
    cel_macro_t        macro;
    const cel_node_t  *target;

    target = call->target;
    *expanded = false;

    for (i = 0; cel_macros[i].name != NULL; i++) {

        if (cel_macros[i].member != (target != NULL)
            || (cel_macros[i].nargs == CEL_MACRO_MANY
                ? call->nitems < 3 : cel_macros[i].nargs != call->nitems)
            || strcmp(cel_macros[i].name, call->name) != 0
            || (cel_macros[i].optionals && !parser->optionals))
        {
            continue;
        }

        if (cel_macros[i].namespace != NULL
            && (target->kind != CEL_N_IDENT
                || strcmp(cel_macros[i].namespace, target->name) != 0))
        {
            continue;
        }

        macro.parser = parser;
        macro.call = call;
        macro.kind = cel_macros[i].kind;
        macro.nvars = cel_macros[i].nvars;

        *expanded = true;

        return cel_macros[i].expand(&macro);
    }

    return NULL;
}


/* has(a.b): the select, asking for presence only */

static cel_node_t *
cel_macro_has(cel_macro_t *macro)
{
    cel_node_t  *node;

    node = macro->call->items[0];

    if (node->kind != CEL_N_SELECT || node->test_only || node->optional) {
        cel_issue(macro->parser->issues, CEL_E_PARSE, macro->parser->ast,
                  node->offset, "invalid argument to has() macro: it takes "
                  "a field selection, has(a.b)");
        return NULL;
    }

    node->test_only = true;

    return node;
}


/* cel.bind(name, value, result) */

static cel_node_t *
cel_macro_bind(cel_macro_t *macro)
{
    const char  *name;

    name = cel_macro_var(macro, 0);
    if (name == NULL) {
        return NULL;
    }

    return cel_macro_let(macro, name, macro->call->items[1],
                         macro->call->items[2]);
}


/*
 * cel.block([a, b, ...], result): cel.index(0) is a, also in b; the form in
 * which optimisers write what is used more than once
 */

static cel_node_t *
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

static cel_node_t *
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

static cel_node_t *
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


/* all: step = accu && p;  exists: step = accu || p */

static cel_node_t *
cel_macro_quantifier(cel_macro_t *macro)
{
    bool         all;
    uint32_t     offset;
    cel_fold_t  *fold;
    cel_node_t  *node, *accu;

    node = cel_macro_fold(macro);
    if (node == NULL) {
        return NULL;
    }

    all = macro->kind == CEL_M_ALL;
    offset = macro->call->offset;

    fold = node->fold;
    fold->predicate = macro->call->items[macro->nvars];
    fold->init = cel_macro_constant(macro, cel_bool(all));

    accu = cel_macro_accu(macro);

    if (!all) {
        accu = cel_node_unary(macro->parser, offset, "!_", accu);
    }

    fold->cond = cel_node_unary(macro->parser, offset, "@not_strictly_false",
                                accu);
    fold->step = cel_node_binary(macro->parser, offset,
                                 all ? "_&&_" : "_||_",
                                 cel_macro_accu(macro), fold->predicate);
    fold->result = cel_macro_accu(macro);

    return cel_macro_finish(macro, node);
}


/* step = p ? accu + 1 : accu, result = accu == 1 */

static cel_node_t *
cel_macro_exists_one(cel_macro_t *macro)
{
    uint32_t     offset;
    cel_fold_t  *fold;
    cel_node_t  *node;

    node = cel_macro_fold(macro);
    if (node == NULL) {
        return NULL;
    }

    offset = macro->call->offset;

    fold = node->fold;
    fold->predicate = macro->call->items[macro->nvars];
    fold->init = cel_macro_constant(macro, cel_int(0));
    fold->cond = cel_macro_constant(macro, cel_bool(true));
    fold->step = cel_node_binary(macro->parser, offset, "_+_",
                                 cel_macro_accu(macro),
                                 cel_macro_constant(macro, cel_int(1)));
    fold->step = cel_node_ternary(macro->parser, offset, fold->predicate,
                                  fold->step, cel_macro_accu(macro));
    fold->result = cel_node_binary(macro->parser, offset, "_==_",
                                   cel_macro_accu(macro),
                                   cel_macro_constant(macro, cel_int(1)));

    return cel_macro_finish(macro, node);
}


/* step = p ? accu + [var] : accu */

static cel_node_t *
cel_macro_filter(cel_macro_t *macro)
{
    cel_fold_t  *fold;
    cel_node_t  *node;

    node = cel_macro_fold(macro);
    if (node == NULL) {
        return NULL;
    }

    fold = node->fold;
    fold->predicate = macro->call->items[1];
    fold->transform = cel_node_ident(macro->parser, macro->call->offset,
                                     fold->var);

    return cel_macro_collect(macro, node);
}


/* map and transformList: step = accu + [t], with p? around */

static cel_node_t *
cel_macro_list(cel_macro_t *macro)
{
    cel_node_t  *node;

    node = cel_macro_fold(macro);
    if (node == NULL) {
        return NULL;
    }

    if (macro->call->nitems > macro->nvars + 1) {
        node->fold->predicate = macro->call->items[macro->nvars];
    }

    node->fold->transform = macro->call->items[macro->call->nitems - 1];

    return cel_macro_collect(macro, node);
}


/* a.sortBy(v, e): cel.bind(@target, a, @target.@sortBy(@target.map(v, e))) */

static cel_node_t *
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


/* transformMap: step = cel.@mapInsert(accu, key, t), or (accu, t) of entries */

static cel_node_t *
cel_macro_map(cel_macro_t *macro)
{
    uint32_t      offset;
    cel_fold_t   *fold;
    cel_node_t   *node;
    cel_nodes_t   args;

    node = cel_macro_fold(macro);
    if (node == NULL) {
        return NULL;
    }

    offset = macro->call->offset;
    fold = node->fold;

    if (macro->call->nitems > macro->nvars + 1) {
        fold->predicate = macro->call->items[macro->nvars];
    }

    fold->transform = macro->call->items[macro->call->nitems - 1];
    fold->init = cel_node_make(macro->parser, CEL_N_MAP, offset);
    fold->cond = cel_macro_constant(macro, cel_bool(true));

    memset(&args, 0, sizeof(cel_nodes_t));

    if (cel_nodes_push(macro->parser, &args, cel_macro_accu(macro), 0)
        != CEL_OK)
    {
        return NULL;
    }

    if (macro->kind == CEL_M_TRANSFORM_MAP
        && cel_nodes_push(macro->parser, &args,
                          cel_node_ident(macro->parser, offset, fold->var), 0)
           != CEL_OK)
    {
        return NULL;
    }

    if (cel_nodes_push(macro->parser, &args, fold->transform, 0) != CEL_OK) {
        return NULL;
    }

    fold->step = cel_node_call(macro->parser, offset, "cel.@mapInsert", &args);

    return cel_macro_filtered(macro, node);
}


/*
 * a.optMap(v, e), with the receiver evaluated once:
 * cel.bind(@target, a, @target.hasValue()
 *          ? optional.of(cel.bind(v, @target.value(), e)) : optional.none())
 */

static cel_node_t *
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


/* a comprehension over the receiver, with its variables, nothing else yet */

static cel_node_t *
cel_macro_fold(cel_macro_t *macro)
{
    cel_fold_t  *fold;
    cel_node_t  *node;

    node = cel_node_make(macro->parser, CEL_N_COMPREHENSION,
                         macro->call->offset);
    if (node == NULL) {
        return NULL;
    }

    fold = cel_parse_alloc(macro->parser, sizeof(cel_fold_t));
    if (fold == NULL) {
        return NULL;
    }

    memset(fold, 0, sizeof(cel_fold_t));

    node->fold = fold;
    fold->macro = macro->kind;
    fold->range = macro->call->target;
    fold->accu = CEL_MACRO_ACCU;

    fold->var = cel_macro_var(macro, 0);
    if (fold->var == NULL) {
        return NULL;
    }

    if (macro->nvars == 2) {
        fold->var2 = cel_macro_var(macro, 1);
        if (fold->var2 == NULL) {
            return NULL;
        }

        if (strcmp(fold->var, fold->var2) == 0) {
            cel_issue(macro->parser->issues, CEL_E_PARSE, macro->parser->ast,
                      macro->call->items[1]->offset,
                      "duplicate variable name: %s", fold->var);
            return NULL;
        }
    }

    return node;
}


static cel_node_t *
cel_macro_finish(cel_macro_t *macro, cel_node_t *node)
{
    cel_fold_t  *fold;

    fold = node->fold;

    if (cel_node_adopt(macro->parser, node, fold->range) != CEL_OK
        || cel_node_adopt(macro->parser, node, fold->init) != CEL_OK
        || cel_node_adopt(macro->parser, node, fold->cond) != CEL_OK
        || cel_node_adopt(macro->parser, node, fold->step) != CEL_OK
        || cel_node_adopt(macro->parser, node, fold->result) != CEL_OK)
    {
        return NULL;
    }

    return node;
}


/* init = [], step = accu + [transform] */

static cel_node_t *
cel_macro_collect(cel_macro_t *macro, cel_node_t *node)
{
    uint32_t     offset;
    cel_fold_t  *fold;

    offset = macro->call->offset;
    fold = node->fold;

    if (fold->transform == NULL) {
        return NULL;
    }

    fold->init = cel_node_list(macro->parser, offset, NULL);
    fold->cond = cel_macro_constant(macro, cel_bool(true));
    fold->step = cel_node_binary(macro->parser, offset, "_+_",
                                 cel_macro_accu(macro),
                                 cel_node_list(macro->parser, offset,
                                               fold->transform));

    return cel_macro_filtered(macro, node);
}


/* step becomes predicate ? step : accu where there is one; result = accu */

static cel_node_t *
cel_macro_filtered(cel_macro_t *macro, cel_node_t *node)
{
    cel_fold_t  *fold;

    fold = node->fold;

    if (fold->predicate != NULL) {
        fold->step = cel_node_ternary(macro->parser, macro->call->offset,
                                      fold->predicate, fold->step,
                                      cel_macro_accu(macro));
    }

    fold->result = cel_macro_accu(macro);

    return cel_macro_finish(macro, node);
}


static cel_node_t *
cel_macro_let(cel_macro_t *macro, const char *name, cel_node_t *value,
    cel_node_t *result)
{
    cel_fold_t  *fold;
    cel_node_t  *node;

    node = cel_node_make(macro->parser, CEL_N_COMPREHENSION,
                         macro->call->offset);
    if (node == NULL) {
        return NULL;
    }

    fold = cel_parse_alloc(macro->parser, sizeof(cel_fold_t));
    if (fold == NULL) {
        return NULL;
    }

    memset(fold, 0, sizeof(cel_fold_t));

    node->fold = fold;
    fold->macro = CEL_M_BIND;
    fold->var = "@unused";
    fold->accu = name;
    fold->range = cel_node_list(macro->parser, macro->call->offset, NULL);
    fold->init = value;
    fold->cond = cel_macro_constant(macro, cel_bool(false));
    fold->step = cel_node_ident(macro->parser, macro->call->offset, name);
    fold->result = result;

    return cel_macro_finish(macro, node);
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


/* the i-th argument, which must be the name of a new variable */

static const char *
cel_macro_var(cel_macro_t *macro, uint32_t i)
{
    const cel_node_t  *node;

    node = macro->call->items[i];

    if (node->kind != CEL_N_IDENT || node->name[0] == '.') {
        cel_issue(macro->parser->issues, CEL_E_PARSE, macro->parser->ast,
                  node->offset, "argument must be a simple name: a variable "
                  "of %s()", macro->call->name);
        return NULL;
    }

    return node->name;
}


static cel_node_t *
cel_macro_accu(cel_macro_t *macro)
{
    return cel_node_ident(macro->parser, macro->call->offset, CEL_MACRO_ACCU);
}


static cel_node_t *
cel_macro_constant(cel_macro_t *macro, cel_value_t value)
{
    return cel_node_const(macro->parser, macro->call->offset, value);
}
