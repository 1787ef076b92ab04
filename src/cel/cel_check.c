
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_check.c - the type checker: resolves every name, types every node,
 * picks overloads.  Follows the rules of cel-go's checker.  Calls are in
 * cel_check_call.c, lists and maps in cel_check_aggregate.c, comprehensions in
 * cel_check_fold.c.
 */


#include "cel_check.h"
#include "cel_warn.h"

#include <string.h>


static cel_status_t cel_check_start(cel_checker_t *checker);
static void cel_check_const(cel_checker_t *checker, cel_node_t *node);
static void cel_check_ident(cel_checker_t *checker, cel_node_t *node);
static void cel_check_select(cel_checker_t *checker, cel_node_t *node);
static const cel_type_t *cel_check_field(cel_checker_t *checker,
    cel_node_t *node, const cel_type_t *type);
static void cel_check_optional(cel_checker_t *checker, cel_node_t *node);
static void cel_check_unknown(cel_node_t *node);
static void cel_check_close(cel_checker_t *checker, cel_node_t *node);
static void cel_check_close_fold(cel_checker_t *checker, cel_fold_t *fold);


cel_status_t
cel_check(cel_env_t *env, cel_ast_t *ast, cel_issues_t *issues)
{
    uint32_t       total;
    cel_checker_t  checker;

    memset(&checker, 0, sizeof(cel_checker_t));

    checker.env = env;
    checker.ast = ast;
    checker.issues = issues;
    checker.lenient = env->limits.disable_check;

    total = issues->total;

    if (cel_check_start(&checker) == CEL_OK) {
        cel_check_node(&checker, ast->root);

        if (!checker.memory && issues->total == total) {
            cel_check_close(&checker, ast->root);
        }
    }

    if (!checker.memory && issues->total == total && env->warnings != NULL) {
        cel_warn(env, ast);
    }

    if (checker.memory) {
        cel_issue(issues, CEL_E_MEMORY, ast, 0, "out of memory");
    }

    return issues->total == total ? CEL_OK : CEL_ERROR;
}


static cel_status_t
cel_check_start(cel_checker_t *checker)
{
    size_t  len;

    len = (size_t) checker->ast->len + CEL_CHECK_NAME_SPARE;

    checker->ast->nlocals = 0;
    checker->chain = cel_arena_alloc(checker->ast->arena, len);
    checker->candidate = cel_arena_alloc(checker->ast->arena,
                                         len + checker->env->container_len
                                         + checker->env->alias_len);

    if (checker->chain == NULL || checker->candidate == NULL) {
        checker->memory = true;
        return CEL_ERROR;
    }

    return CEL_OK;
}


void
cel_check_node(cel_checker_t *checker, cel_node_t *node)
{
    node->type = &cel_t_error;

    if (checker->memory) {
        return;
    }

    switch (node->kind) {

    case CEL_N_CONST:
        cel_check_const(checker, node);
        return;

    case CEL_N_IDENT:
        cel_check_ident(checker, node);
        return;

    case CEL_N_SELECT:
        cel_check_select(checker, node);
        return;

    case CEL_N_CALL:
        cel_check_call(checker, node);
        return;

    case CEL_N_LIST:
        cel_check_list(checker, node);
        return;

    case CEL_N_MAP:
        cel_check_map(checker, node);
        return;

    case CEL_N_STRUCT:
        cel_check_message(checker, node);
        return;

    case CEL_N_COMPREHENSION:
        cel_check_fold(checker, node);
        return;
    }
}


/* type: NULL when memory ran out while it was made */

void
cel_check_set_type(cel_checker_t *checker, cel_node_t *node,
    const cel_type_t *type)
{
    if (type == NULL) {
        checker->memory = true;
        type = &cel_t_error;
    }

    node->type = type;
}


static void
cel_check_const(cel_checker_t *checker, cel_node_t *node)
{
    node->type = checker->lenient
                 ? &cel_t_dyn
                 : cel_type_of_kind((cel_kind_t) node->value.kind);
}


static void
cel_check_ident(cel_checker_t *checker, cel_node_t *node)
{
    if (cel_resolve_ident(checker, node)) {
        return;
    }

    node->ref = CEL_R_NONE;

    if (checker->lenient) {
        cel_check_unresolved(checker, node);
        return;
    }

    cel_suggest_name(checker, node);
}


/* a name or a call of an unchecked expression becomes an error when it runs */

void
cel_check_unresolved(cel_checker_t *checker, cel_node_t *node)
{
    cel_node_t  *name, **items;

    name = cel_arena_alloc(checker->ast->arena, sizeof(cel_node_t));
    items = cel_arena_alloc(checker->ast->arena, sizeof(cel_node_t *));
    node->function = cel_env_function(checker->env, "@unresolved", 11);

    if (name == NULL || items == NULL || node->function == NULL) {
        checker->memory = true;
        return;
    }

    memset(name, 0, sizeof(cel_node_t));

    name->kind = CEL_N_CONST;
    name->offset = node->offset;
    name->height = 1;
    name->value = cel_string(node->name, node->name_len);
    name->type = &cel_t_string;
    items[0] = name;

    node->kind = CEL_N_CALL;
    node->name = node->function->name;
    node->name_len = strlen(node->name);
    node->overload = &node->function->overloads[0];
    node->target = NULL;
    node->items = items;
    node->nitems = 1;
    node->type = &cel_t_dyn;
}


static void
cel_check_select(cel_checker_t *checker, cel_node_t *node)
{
    const cel_type_t  *type;

    switch (cel_resolve_select(checker, node)) {

    case CEL_RESOLVED:
        if (node->test_only) {
            cel_issue(checker->issues, CEL_E_CHECK, checker->ast,
                      node->offset, "invalid argument to has() macro: '%s' "
                      "is a declared name, which is always there, not a "
                      "field", node->fact != NULL ? node->fact->name
                                                  : node->name);
        }

        return;

    case CEL_RESOLVE_UNKNOWN:
        if (!checker->lenient) {
            cel_suggest_name(checker, node);
            cel_check_unknown(node);
            return;
        }

        break;

    case CEL_RESOLVE_PARTLY:
        break;
    }

    cel_check_node(checker, node->target);
    cel_check_key_case(checker, node->target, node->name, node->name_len,
                       node->offset);

    type = cel_unify_substitute(checker, node->target->type, false);
    if (type == NULL) {
        return;
    }

    type = cel_check_field(checker, node, type);

    cel_check_set_type(checker, node, node->test_only ? &cel_t_bool : type);

    if (node->optional) {
        cel_check_optional(checker, node);
    }
}


/* a.?b becomes a call, of a type that its signature cannot tell */

static void
cel_check_optional(cel_checker_t *checker, cel_node_t *node)
{
    cel_node_t  *name, **items;

    name = cel_arena_alloc(checker->ast->arena, sizeof(cel_node_t));
    items = cel_arena_alloc(checker->ast->arena, 2 * sizeof(cel_node_t *));
    node->function = cel_env_function(checker->env, "_?._", 4);

    if (name == NULL || items == NULL || node->function == NULL) {
        checker->memory = true;
        return;
    }

    memset(name, 0, sizeof(cel_node_t));

    name->kind = CEL_N_CONST;
    name->offset = node->offset;
    name->height = 1;
    name->value = cel_string(node->name, node->name_len);
    name->type = &cel_t_string;
    items[0] = node->target;
    items[1] = name;

    node->kind = CEL_N_CALL;
    node->name = node->function->name;
    node->name_len = strlen(node->name);
    node->overload = &node->function->overloads[0];
    node->target = NULL;
    node->items = items;
    node->nitems = 2;
}


static const cel_type_t *
cel_check_field(cel_checker_t *checker, cel_node_t *node,
    const cel_type_t *type)
{
    bool               optional;
    char               text[80];
    const cel_type_t  *field;

    optional = node->optional;

    if (type->kind == CEL_T_OPTIONAL) {
        optional = true;
        type = type->params[0];
    }

    switch (type->kind) {

    case CEL_T_MAP:
        field = type->params[1];
        break;

    case CEL_T_PARAM:
        cel_unify_assignable(checker, &cel_t_dyn, type);
        field = &cel_t_dyn;
        break;

    case CEL_T_DYN:
    case CEL_T_ERROR:
        field = type;
        break;

    default:
        cel_type_format(type, text, sizeof(text));
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, node->offset,
                  "type '%s' does not support field selection", text);
        return &cel_t_error;
    }

    if (!optional) {
        return field;
    }

    return cel_type_make(checker->ast->arena, CEL_T_OPTIONAL, NULL, field,
                         NULL);
}


/* after the one error about the whole name */

static void
cel_check_unknown(cel_node_t *node)
{
    for ( /* void */ ; node != NULL; node = node->target) {
        node->type = &cel_t_error;
    }
}


/* keys of facts that are lower-case are never written otherwise */

void
cel_check_key_case(cel_checker_t *checker, const cel_node_t *map,
    const char *key, size_t len, uint32_t offset)
{
    char    lower[80];
    bool    upper;
    size_t  i;

    if (map->ref != CEL_R_FACT || map->fact == NULL
        || (map->fact->flags & CEL_FACT_LOWER_KEYS) == 0)
    {
        return;
    }

    upper = false;

    for (i = 0; i < len; i++) {
        upper |= key[i] >= 'A' && key[i] <= 'Z';
    }

    if (!upper) {
        return;
    }

    if (len > sizeof(lower) - 1) {
        len = sizeof(lower) - 1;
    }

    for (i = 0; i < len; i++) {
        lower[i] = key[i] >= 'A' && key[i] <= 'Z' ? key[i] | 0x20 : key[i];
    }

    cel_issue(checker->issues, CEL_E_CHECK, checker->ast, offset,
              "the keys of '%s' are lower-case: '%.*s' is never there, write "
              "'%.*s'", map->fact->name, (int) len, key, (int) len, lower);
}


/* every type gets its final form: what is still free is dyn */

static void
cel_check_close(cel_checker_t *checker, cel_node_t *node)
{
    uint32_t  i;

    cel_check_set_type(checker, node,
                       cel_unify_substitute(checker, node->type, true));

    if (node->target != NULL && node->ref == CEL_R_NONE) {
        cel_check_close(checker, node->target);
    }

    if (node->kind == CEL_N_IDENT) {
        return;
    }

    for (i = 0; i < node->nitems; i++) {
        cel_check_close(checker, node->items[i]);
    }

    if (node->kind == CEL_N_COMPREHENSION) {
        cel_check_close_fold(checker, node->fold);
    }
}


/* predicate and transform are inside step */

static void
cel_check_close_fold(cel_checker_t *checker, cel_fold_t *fold)
{
    cel_check_close(checker, fold->range);
    cel_check_close(checker, fold->init);
    cel_check_close(checker, fold->cond);
    cel_check_close(checker, fold->step);
    cel_check_close(checker, fold->result);
}
