
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_macro.c - the macros: calls that stand for a comprehension, a presence
 * test or a binding.  The arguments become part of the tree that replaces
 * the call; nothing is evaluated or checked here.  Those of the extensions are
 * cel_macro_ext.c.
 */


#include "cel_macro.h"

#include <string.h>


#define CEL_MACRO_ACCU    "@result"


typedef cel_node_t *(*cel_macro_pt)(cel_macro_t *macro);


static cel_node_t *cel_macro_has(cel_macro_t *macro);
static cel_node_t *cel_macro_bind(cel_macro_t *macro);
static cel_node_t *cel_macro_quantifier(cel_macro_t *macro);
static cel_node_t *cel_macro_exists_one(cel_macro_t *macro);
static cel_node_t *cel_macro_filter(cel_macro_t *macro);
static cel_node_t *cel_macro_map(cel_macro_t *macro);
static cel_node_t *cel_macro_fold(cel_macro_t *macro);
static cel_node_t *cel_macro_finish(cel_macro_t *macro, cel_node_t *node);
static cel_node_t *cel_macro_collect(cel_macro_t *macro, cel_node_t *node);
static cel_node_t *cel_macro_filtered(cel_macro_t *macro, cel_node_t *node);
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

cel_node_t *
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


cel_node_t *
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


/* the i-th argument, which must be the name of a new variable */

const char *
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

    /* the accumulator's name in other implementations */

    if (strcmp(node->name, "__result__") == 0) {
        cel_issue(macro->parser->issues, CEL_E_PARSE, macro->parser->ast,
                  node->offset, "iteration variable overwrites accumulator "
                  "variable: __result__ is reserved");
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
