
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_check.c - the type checker: resolves every name, types every node,
 * picks overloads.  Follows the rules of cel-go's checker; lists and maps of
 * several types are of dyn.  Calls are in cel_check_call.c.
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
static void cel_check_list(cel_checker_t *checker, cel_node_t *node);
static void cel_check_map(cel_checker_t *checker, cel_node_t *node);
static const cel_type_t *cel_check_item(cel_checker_t *checker,
    cel_node_t *node, uint32_t i);
static void cel_check_map_key(cel_checker_t *checker, const cel_node_t *key);
static void cel_check_fold(cel_checker_t *checker, cel_node_t *node);
static void cel_check_range(cel_checker_t *checker, const cel_fold_t *fold,
    cel_local_t *var, cel_local_t *var2);
static void cel_check_loop(cel_checker_t *checker, cel_fold_t *fold,
    const cel_type_t *accu);
static uint32_t cel_check_push(cel_checker_t *checker, cel_local_t *local,
    const char *name, const cel_type_t *type);
static void cel_check_expect(cel_checker_t *checker, const cel_node_t *node,
    const cel_type_t *type);
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


static void
cel_check_list(cel_checker_t *checker, cel_node_t *node)
{
    uint32_t           i;
    const cel_type_t  *type, *item;

    type = NULL;

    for (i = 0; i < node->nitems; i++) {
        item = cel_check_item(checker, node, i);
        if (item == NULL) {
            return;
        }

        type = cel_unify_join(checker, type, item);
    }

    if (type == NULL) {
        type = checker->lenient ? &cel_t_dyn : cel_unify_fresh(checker);
        if (type == NULL) {
            return;
        }
    }

    cel_check_set_type(checker, node,
                       cel_type_make(checker->ast->arena, CEL_T_LIST, NULL,
                                     type, NULL));
}


static void
cel_check_map(cel_checker_t *checker, cel_node_t *node)
{
    uint32_t           i, n;
    const cel_type_t  *types[2], *item;

    types[0] = NULL;
    types[1] = NULL;

    for (i = 0; i < node->nitems; i++) {
        item = cel_check_item(checker, node, i);
        if (item == NULL) {
            return;
        }

        if (i % 2 == 0) {
            cel_check_map_key(checker, node->items[i]);
        }

        types[i % 2] = cel_unify_join(checker, types[i % 2], item);
    }

    for (n = 0; n < 2; n++) {
        if (types[n] == NULL) {
            types[n] = checker->lenient ? &cel_t_dyn
                                        : cel_unify_fresh(checker);
            if (types[n] == NULL) {
                return;
            }
        }
    }

    cel_check_set_type(checker, node,
                       cel_type_make(checker->ast->arena, CEL_T_MAP, NULL,
                                     types[0], types[1]));
}


/* the type an item adds, what is inside for an optional one; NULL: memory */

static const cel_type_t *
cel_check_item(cel_checker_t *checker, cel_node_t *node, uint32_t i)
{
    char               text[80];
    cel_node_t        *item;
    const cel_type_t  *type;

    item = node->items[i];

    cel_check_node(checker, item);

    type = cel_unify_substitute(checker, item->type, false);

    if (type == NULL || node->item_flags == NULL || node->item_flags[i] == 0
        || (node->kind == CEL_N_MAP && i % 2 == 0))
    {
        return type;
    }

    if (type->kind == CEL_T_OPTIONAL) {
        return type->params[0];
    }

    if (!cel_type_is_dyn(type)) {
        cel_type_format(type, text, sizeof(text));
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, item->offset,
                  "expected type 'optional_type(%s)' but found '%s'", text,
                  text);
    }

    return &cel_t_dyn;
}


static void
cel_check_map_key(cel_checker_t *checker, const cel_node_t *key)
{
    char  text[80];

    switch (key->type->kind) {

    case CEL_T_ERROR:
    case CEL_T_DYN:
    case CEL_T_PARAM:
    case CEL_T_BOOL:
    case CEL_T_INT:
    case CEL_T_UINT:
    case CEL_T_STRING:
    case CEL_T_WRAPPER:
        return;

    default:
        cel_type_format(key->type, text, sizeof(text));
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, key->offset,
                  "unsupported key type '%s' (must be string, int, uint or "
                  "bool)", text);
    }
}


static void
cel_check_fold(cel_checker_t *checker, cel_node_t *node)
{
    cel_fold_t        *fold;
    cel_local_t        accu, var, var2;
    const cel_type_t  *type;

    fold = node->fold;

    cel_check_node(checker, fold->range);
    cel_check_node(checker, fold->init);
    cel_check_range(checker, fold, &var, &var2);

    if (checker->memory) {
        return;
    }

    type = checker->lenient ? &cel_t_dyn : fold->init->type;

    /* the fields of var and var2 that are set so far are their types */

    fold->accu_local = cel_check_push(checker, &accu, fold->accu, type);
    fold->var_local = cel_check_push(checker, &var, fold->var, var.type);

    if (fold->var2 != NULL) {
        fold->var2_local = cel_check_push(checker, &var2, fold->var2,
                                          var2.type);
    }

    cel_check_loop(checker, fold, type);

    checker->locals = &accu;
    cel_check_node(checker, fold->result);
    checker->locals = accu.next;

    cel_check_set_type(checker, node,
                       cel_unify_substitute(checker, fold->result->type,
                                            false));
}


/* the types of the variables of a loop over the range */

static void
cel_check_range(cel_checker_t *checker, const cel_fold_t *fold,
    cel_local_t *var, cel_local_t *var2)
{
    char               text[80];
    const cel_type_t  *type;

    var->type = &cel_t_dyn;
    var2->type = &cel_t_dyn;

    type = cel_unify_substitute(checker, fold->range->type, false);
    if (type == NULL) {
        return;
    }

    switch (type->kind) {

    case CEL_T_LIST:
        var->type = fold->var2 != NULL ? &cel_t_int : type->params[0];
        var2->type = type->params[0];
        break;

    case CEL_T_MAP:
        var->type = type->params[0];
        var2->type = type->params[1];
        break;

    case CEL_T_PARAM:
        cel_unify_assignable(checker, &cel_t_dyn, type);
        break;

    case CEL_T_DYN:
        break;

    case CEL_T_ERROR:
        var->type = &cel_t_error;
        var2->type = &cel_t_error;
        break;

    default:
        cel_type_format(type, text, sizeof(text));
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast,
                  fold->range->offset, "expression of type '%s' cannot be "
                  "range of a comprehension (must be list, map, or dynamic)",
                  text);
        var->type = &cel_t_error;
        var2->type = &cel_t_error;
    }
}


static void
cel_check_loop(cel_checker_t *checker, cel_fold_t *fold,
    const cel_type_t *accu)
{
    cel_check_node(checker, fold->cond);
    cel_check_expect(checker, fold->cond, &cel_t_bool);

    cel_check_node(checker, fold->step);
    cel_check_expect(checker, fold->step, accu);
}


/* gives the variable's number, see CEL_R_LOCAL */

static uint32_t
cel_check_push(cel_checker_t *checker, cel_local_t *local, const char *name,
    const cel_type_t *type)
{
    local->next = checker->locals;
    local->name = name;
    local->number = checker->ast->nlocals++;
    local->type = type;

    checker->locals = local;

    return local->number;
}


static void
cel_check_expect(cel_checker_t *checker, const cel_node_t *node,
    const cel_type_t *type)
{
    char               found[80], expected[80];
    const cel_type_t  *known;

    if (checker->memory || cel_unify_assignable(checker, node->type, type)) {
        return;
    }

    known = cel_unify_substitute(checker, node->type, true);
    cel_type_format(known != NULL ? known : &cel_t_dyn, found, sizeof(found));

    known = cel_unify_substitute(checker, type, true);
    cel_type_format(known != NULL ? known : &cel_t_dyn, expected,
                    sizeof(expected));

    cel_issue(checker->issues, CEL_E_CHECK, checker->ast, node->offset,
              "expected type '%s' but found '%s'", expected, found);
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
