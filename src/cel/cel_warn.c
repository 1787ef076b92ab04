
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_warn.c - what is right and hardly meant: variables of macros that are
 * not used, values of types that are never equal, and the walk over the tree
 * for them.  What is always true or always false is found in
 * cel_warn_logic.c.  Looks at a checked tree, changes nothing of it.
 */


#include <string.h>
#include "cel_warn.h"


/* compared with each other in one compilation */
#define CEL_WARN_NODES  100000


static void cel_warn_node(cel_warn_t *warn, const cel_node_t *node);
static void cel_warn_items(cel_warn_t *warn, const cel_node_t *node);
static void cel_warn_call(cel_warn_t *warn, const cel_node_t *node);
static void cel_warn_fold(cel_warn_t *warn, const cel_node_t *node);
static void cel_warn_unused(cel_warn_t *warn, const cel_node_t *node);
static void cel_warn_mark(cel_warn_t *warn, const cel_node_t *node);
static void cel_warn_equal(cel_warn_t *warn, const cel_node_t *node);
static void cel_warn_in(cel_warn_t *warn, const cel_node_t *node);
static const cel_type_t *cel_warn_type(const cel_node_t *node);
static bool cel_warn_never(const cel_type_t *a, const cel_type_t *b);


void
cel_warn(const cel_env_t *env, const cel_ast_t *ast)
{
    cel_warn_t  warn;

    warn.ast = ast;
    warn.issues = env->warnings;
    warn.left = CEL_WARN_NODES;
    warn.used = cel_arena_alloc(ast->arena, ast->nlocals + 1);

    /* without memory for warnings there are none */

    if (warn.used == NULL) {
        return;
    }

    memset(warn.used, 0, ast->nlocals + 1);

    cel_warn_mark(&warn, ast->root);
    cel_warn_node(&warn, ast->root);
}


static void
cel_warn_node(cel_warn_t *warn, const cel_node_t *node)
{
    switch (node->kind) {

    case CEL_N_CALL:
        cel_warn_call(warn, node);
        return;

    case CEL_N_COMPREHENSION:
        cel_warn_fold(warn, node);
        return;

    case CEL_N_SELECT:
        if (node->ref == CEL_R_NONE) {
            cel_warn_node(warn, node->target);
        }

        return;

    case CEL_N_LIST:
    case CEL_N_MAP:
    case CEL_N_STRUCT:
        cel_warn_items(warn, node);
        return;

    case CEL_N_CONST:
    case CEL_N_IDENT:
        return;
    }
}


static void
cel_warn_items(cel_warn_t *warn, const cel_node_t *node)
{
    uint32_t  i;

    if (node->target != NULL) {
        cel_warn_node(warn, node->target);
    }

    for (i = 0; i < node->nitems; i++) {
        cel_warn_node(warn, node->items[i]);
    }
}


static void
cel_warn_call(cel_warn_t *warn, const cel_node_t *node)
{
    if (strcmp(node->name, "_&&_") == 0 || strcmp(node->name, "_||_") == 0) {
        cel_warn_chain(warn, node, cel_warn_node);
        return;
    }

    if (strcmp(node->name, "_?_:_") == 0) {
        cel_warn_choice(warn, node);

    } else if (strcmp(node->name, "_==_") == 0
               || strcmp(node->name, "_!=_") == 0)
    {
        cel_warn_equal(warn, node);

    } else if (strcmp(node->name, "@in") == 0) {
        cel_warn_in(warn, node);
    }

    cel_warn_relation(warn, node);
    cel_warn_items(warn, node);
}


/* the parts that were written; what the macro adds is nobody's mistake */

static void
cel_warn_fold(cel_warn_t *warn, const cel_node_t *node)
{
    const cel_fold_t  *fold;

    fold = node->fold;

    cel_warn_unused(warn, node);

    if (fold->macro == CEL_M_BIND) {
        cel_warn_node(warn, fold->init);
        cel_warn_node(warn, fold->result);
        return;
    }

    cel_warn_node(warn, fold->range);

    if (fold->predicate != NULL) {
        cel_warn_node(warn, fold->predicate);
    }

    if (fold->transform != NULL) {
        cel_warn_node(warn, fold->transform);
    }
}


/*
 * "_" and names that begin so are not used on purpose, and of two variables
 * one often is not.
 */

static void
cel_warn_unused(cel_warn_t *warn, const cel_node_t *node)
{
    uint32_t           local;
    const char        *name;
    const cel_fold_t  *fold;

    fold = node->fold;

    name = fold->macro == CEL_M_BIND ? fold->accu : fold->var;
    local = fold->macro == CEL_M_BIND ? fold->accu_local : fold->var_local;

    if (fold->macro == CEL_M_NONE || fold->var2 != NULL || warn->used[local]
        || name[0] == '_' || name[0] == '@' || name[0] == '#')
    {
        return;
    }

    cel_issue(warn->issues, CEL_E_WARNING, warn->ast, node->offset,
              "the variable '%s' is never used", name);
}


/* which variables are read at all */

static void
cel_warn_mark(cel_warn_t *warn, const cel_node_t *node)
{
    uint32_t           i;
    const cel_fold_t  *fold;

    if (node->kind == CEL_N_IDENT) {
        if (node->ref == CEL_R_LOCAL) {
            warn->used[node->local] = 1;
        }

        return;
    }

    if (node->target != NULL && node->ref == CEL_R_NONE) {
        cel_warn_mark(warn, node->target);
    }

    for (i = 0; i < node->nitems; i++) {
        cel_warn_mark(warn, node->items[i]);
    }

    if (node->kind != CEL_N_COMPREHENSION) {
        return;
    }

    fold = node->fold;

    cel_warn_mark(warn, fold->range);
    cel_warn_mark(warn, fold->init);
    cel_warn_mark(warn, fold->result);

    /* of a binding the step is the variable itself */

    if (fold->macro != CEL_M_BIND) {
        cel_warn_mark(warn, fold->cond);
        cel_warn_mark(warn, fold->step);
    }
}


static void
cel_warn_equal(cel_warn_t *warn, const cel_node_t *node)
{
    char               a[80], b[80];
    const cel_type_t  *left, *right;

    left = cel_warn_type(node->items[0]);
    right = cel_warn_type(node->items[1]);

    if (!cel_warn_never(left, right)) {
        return;
    }

    cel_type_format(left, a, sizeof(a));
    cel_type_format(right, b, sizeof(b));

    cel_issue(warn->issues, CEL_E_WARNING, warn->ast, node->offset,
              "%s and %s are never equal: this is always %s", a, b,
              node->name[1] == '=' ? "false" : "true");
}


static void
cel_warn_in(cel_warn_t *warn, const cel_node_t *node)
{
    char               a[80], b[80];
    const cel_type_t  *item, *whole;

    item = cel_warn_type(node->items[0]);
    whole = cel_warn_type(node->items[1]);

    if ((whole->kind != CEL_T_LIST && whole->kind != CEL_T_MAP)
        || !cel_warn_never(item, whole->params[0]))
    {
        return;
    }

    cel_type_format(item, a, sizeof(a));
    cel_type_format(whole, b, sizeof(b));

    cel_issue(warn->issues, CEL_E_WARNING, warn->ast, node->offset,
              "%s is never in %s: this is always false", a, b);
}


/* of what is in dyn(), too */

static const cel_type_t *
cel_warn_type(const cel_node_t *node)
{
    while (node->kind == CEL_N_CALL && node->target == NULL
           && node->nitems == 1 && strcmp(node->name, "dyn") == 0)
    {
        node = node->items[0];
    }

    return node->type;
}


/* numbers of all types are compared; of what may be anything nothing is said */

static bool
cel_warn_never(const cel_type_t *a, const cel_type_t *b)
{
    bool  numbers;

    if (cel_type_is_dyn(a) || cel_type_is_dyn(b)
        || a->kind == CEL_T_STRUCT || b->kind == CEL_T_STRUCT)
    {
        return false;
    }

    numbers = (a->kind == CEL_T_INT || a->kind == CEL_T_UINT
               || a->kind == CEL_T_DOUBLE)
              && (b->kind == CEL_T_INT || b->kind == CEL_T_UINT
                  || b->kind == CEL_T_DOUBLE);

    if (numbers) {
        return false;
    }

    if (a->kind == CEL_T_OPAQUE && b->kind == CEL_T_OPAQUE) {
        return strcmp(a->name, b->name) != 0;
    }

    return a->kind != b->kind;
}
