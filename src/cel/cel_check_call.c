
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_check_call.c - calls and operators: which function, which overloads,
 * what comes out.
 */


#include "cel_check.h"

#include <stdio.h>
#include <string.h>


static bool cel_check_resolver(cel_checker_t *checker, cel_node_t *node);
static void cel_check_arguments(cel_checker_t *checker, cel_node_t *node);
static bool cel_check_has_error(const cel_node_t *node);
static void cel_check_overloads(cel_checker_t *checker, cel_node_t *node);
static const cel_type_t *cel_check_overload(cel_checker_t *checker,
    const cel_node_t *node, const cel_overload_t *overload);
static const cel_node_t *cel_check_argument(const cel_node_t *node,
    uint32_t i);
static void cel_check_declared(cel_checker_t *checker, cel_node_t *node);
static void cel_check_mismatch(cel_checker_t *checker,
    const cel_node_t *node);
static void cel_check_hint(const cel_node_t *node, char *hint, size_t size);
static void cel_check_hint_text(const cel_node_t *node, char *hint,
    size_t size);
static void cel_check_takes(const cel_node_t *node, char *hint, size_t size);
static void cel_check_constant_key(cel_checker_t *checker,
    const cel_node_t *node);


void
cel_check_call(cel_checker_t *checker, cel_node_t *node)
{
    const cel_function_t  *function;

    if (cel_check_resolver(checker, node)) {
        return;
    }

    function = NULL;

    if (node->target != NULL) {
        function = cel_resolve_method(checker, node);

        if (function != NULL) {
            node->target = NULL;
            node->name = function->name;
            node->name_len = strlen(function->name);

        } else if (!checker->lenient
                   && cel_resolve_select(checker, node->target)
                      == CEL_RESOLVE_UNKNOWN)
        {
            cel_suggest_method(checker, node);
            return;
        }
    }

    if (function == NULL) {
        function = cel_resolve_function(checker, node->name, node->name_len);
    }

    node->function = function;

    if (function == NULL && checker->lenient) {
        cel_check_unresolved(checker, node);
        return;
    }

    if (function == NULL) {

        /* the arguments of a macro are no expressions of their own */

        if (cel_suggest_function(checker, node) == CEL_OK) {
            cel_check_arguments(checker, node);
        }

        return;
    }

    cel_check_arguments(checker, node);
    cel_check_constant_key(checker, node);

    if (!cel_check_has_error(node)) {
        cel_check_overloads(checker, node);

        if (cel_function_is_declared(function, node->overload)) {
            cel_check_declared(checker, node);
            return;
        }
    }

    /* the kinds of a[?b] are looked at when it runs, as those of a[b] */

    if (strcmp(node->name, "_[?_]") == 0) {
        node->function = cel_env_function(checker->env, "_?._", 4);

        if (node->function == NULL) {
            checker->memory = true;
            return;
        }

        node->overload = &node->function->overloads[0];
    }
}


/* one error is enough: nothing is said of what follows from it */

static bool
cel_check_has_error(const cel_node_t *node)
{
    uint32_t  i;

    if (node->target != NULL && node->target->type->kind == CEL_T_ERROR) {
        return true;
    }

    for (i = 0; i < node->nitems; i++) {
        if (node->items[i]->type->kind == CEL_T_ERROR) {
            return true;
        }
    }

    return false;
}


/* nginx.var('x'): becomes a name with a slot */

static bool
cel_check_resolver(cel_checker_t *checker, cel_node_t *node)
{
    char                   message[CEL_MESSAGE_MAX];
    const cel_value_t     *literal;
    const cel_resolver_t  *resolver;

    resolver = cel_resolve_resolver(checker, node);
    if (resolver == NULL) {
        return false;
    }

    if (node->nitems != 1 || node->items[0]->kind != CEL_N_CONST
        || node->items[0]->value.kind != CEL_STRING)
    {
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, node->offset,
                  "%s() takes one string literal", resolver->function);
        return true;
    }

    literal = &node->items[0]->value;
    message[0] = '\0';

    if (resolver->resolve(resolver->ctx, literal->s, literal->len, &node->slot,
                          message) != CEL_OK)
    {
        message[CEL_MESSAGE_MAX - 1] = '\0';
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast,
                  node->items[0]->offset, "%s('%.*s'): %s",
                  resolver->function,
                  (int) (literal->len < 80 ? literal->len : 80), literal->s,
                  message[0] != '\0' ? message : "is refused");
        return true;
    }

    node->kind = CEL_N_IDENT;
    node->ref = CEL_R_FACT;
    node->target = NULL;
    node->nitems = 0;
    node->type = checker->lenient ? &cel_t_dyn : &cel_t_string;

    return true;
}


static void
cel_check_arguments(cel_checker_t *checker, cel_node_t *node)
{
    uint32_t  i;

    if (node->target != NULL) {
        cel_check_node(checker, node->target);
    }

    for (i = 0; i < node->nitems; i++) {
        cel_check_node(checker, node->items[i]);
    }
}


/*
 * An overload that fits alone tells about the type variables of the
 * arguments; of several that fit none may.
 */

static void
cel_check_overloads(cel_checker_t *checker, cel_node_t *node)
{
    uint32_t               i, mark, found;
    const cel_type_t      *type, *result;
    const cel_overload_t  *overload;

    result = NULL;
    overload = NULL;
    found = 0;
    mark = checker->ntrail;

    for (i = 0; i < node->function->count; i++) {
        type = cel_check_overload(checker, node,
                                  &node->function->overloads[i]);
        cel_unify_rollback(checker, mark);

        if (type == NULL) {
            continue;
        }

        overload = &node->function->overloads[i];
        result = found++ == 0 || cel_type_same(result, type) ? type
                                                             : &cel_t_dyn;
    }

    if (found == 1) {
        node->overload = overload;

        if (result->open != 0 || checker->nbound > 0) {
            result = cel_check_overload(checker, node, overload);
        }

        cel_check_set_type(checker, node, result);
        return;
    }

    if (found > 1) {
        node->type = checker->lenient ? &cel_t_dyn : result;
        return;
    }

    if (checker->lenient) {
        node->type = &cel_t_dyn;
        return;
    }

    cel_check_mismatch(checker, node);
}


/* the result's type, or NULL when the arguments do not fit */

static const cel_type_t *
cel_check_overload(cel_checker_t *checker, const cel_node_t *node,
    const cel_overload_t *overload)
{
    uint32_t           i, n, base;
    const cel_type_t  *type;

    n = node->nitems + (node->target != NULL ? 1 : 0);

    if (overload->member != (node->target != NULL) || overload->nargs != n) {
        return NULL;
    }

    n = overload->result->open;

    for (i = 0; i < overload->nargs; i++) {
        if (overload->args[i]->open > n) {
            n = overload->args[i]->open;
        }
    }

    base = n > 0 ? cel_unify_variables(checker, n) : 0;

    if (checker->memory) {
        return NULL;
    }

    for (i = 0; i < overload->nargs; i++) {
        type = cel_unify_instantiate(checker, overload->args[i], base);

        if (type == NULL
            || !cel_unify_assignable(checker,
                                     cel_check_argument(node, i)->type, type))
        {
            return NULL;
        }
    }

    type = cel_unify_instantiate(checker, overload->result, base);

    return type != NULL ? cel_unify_substitute(checker, type, false) : NULL;
}


/* the receiver is the first */

static const cel_node_t *
cel_check_argument(const cel_node_t *node, uint32_t i)
{
    if (node->target != NULL) {
        return i == 0 ? node->target : node->items[i - 1];
    }

    return node->items[i];
}


/* checked, and an error when it is run */

static void
cel_check_declared(cel_checker_t *checker, cel_node_t *node)
{
    const cel_type_t  *type;

    type = node->type;

    cel_check_unresolved(checker, node);

    node->type = type;
}


static void
cel_check_mismatch(cel_checker_t *checker, const cel_node_t *node)
{
    char               text[160], hint[160];
    size_t             used;
    uint32_t           i, n;
    const cel_type_t  *type;

    used = 0;
    n = node->nitems + (node->target != NULL ? 1 : 0);

    if (node->target == NULL) {
        text[used++] = '(';
    }

    for (i = 0; i < n && used < sizeof(text) - 24; i++) {
        type = cel_unify_substitute(checker, cel_check_argument(node, i)->type,
                                    true);
        if (type == NULL) {
            return;
        }

        used += cel_type_format(type, text + used, sizeof(text) - used - 20);

        if (i == 0 && node->target != NULL) {
            memcpy(text + used, ".(", 2);
            used += 2;

        } else if (i + 1 < n) {
            memcpy(text + used, ", ", 2);
            used += 2;
        }
    }

    memcpy(text + used, i < n ? "...)" : ")", i < n ? 5 : 2);

    cel_check_hint(node, hint, sizeof(hint));

    cel_issue(checker->issues, CEL_E_CHECK, checker->ast, node->offset,
              "found no matching overload for '%s' applied to '%s'%s",
              node->name, text, hint);
}


/* what would have been right, when it is easy to tell */

static void
cel_check_hint(const cel_node_t *node, char *hint, size_t size)
{
    bool         member, numbers;
    uint32_t     i;
    cel_kind_t   kind;

    hint[0] = '\0';
    member = node->target != NULL;

    if (strcmp(node->name, "!_") == 0 || strcmp(node->name, "_&&_") == 0
        || strcmp(node->name, "_||_") == 0)
    {
        snprintf(hint, size, ", it takes bool");
        return;
    }

    if (node->name[0] == '_' && node->nitems == 2) {
        numbers = true;

        for (i = 0; i < 2; i++) {
            kind = cel_type_kind(node->items[i]->type);
            numbers &= kind == CEL_INT || kind == CEL_UINT
                       || kind == CEL_DOUBLE;
        }

        if (numbers) {
            snprintf(hint, size, ", convert one side, as in double(x)");

        } else if (strchr(node->name, '[') == NULL) {
            cel_check_hint_text(node, hint, size);
        }

        return;
    }

    for (i = 0; i < node->function->count; i++) {
        if (node->function->overloads[i].member == member) {
            cel_check_takes(node, hint, size);
            return;
        }
    }

    snprintf(hint, size, "%s", member
             ? ", it has no receiver: call it as f(x)"
             : ", it has a receiver: call it as x.f()");
}


/* text beside something else: what makes that of text */

static void
cel_check_hint_text(const cel_node_t *node, char *hint, size_t size)
{
    const char        *convert;
    const cel_node_t  *other;

    if (cel_type_kind(node->items[0]->type) == CEL_STRING) {
        other = node->items[1];

    } else if (cel_type_kind(node->items[1]->type) == CEL_STRING) {
        other = node->items[0];

    } else {
        return;
    }

    switch (cel_type_kind(other->type)) {

    case CEL_INT:
        convert = "int";
        break;

    case CEL_UINT:
        convert = "uint";
        break;

    case CEL_DOUBLE:
        convert = "double";
        break;

    case CEL_BOOL:
        convert = "bool";
        break;

    case CEL_TIMESTAMP:
        convert = "timestamp";
        break;

    case CEL_DURATION:
        convert = "duration";
        break;

    default:
        return;
    }

    snprintf(hint, size, ", convert one side, as in %s('...')%s", convert,
             strcmp(node->name, "_+_") == 0 ? " or string(x)" : "");
}


/* the arguments of the first few overloads: all, or "..." behind them */

static void
cel_check_takes(const cel_node_t *node, char *hint, size_t size)
{
    size_t                 len, used;
    uint32_t               i, n;
    const char            *signature;
    const cel_overload_t  *overload;

    /* of operators and messages the name tells */

    if (strpbrk(node->name, "_@{") != NULL) {
        return;
    }

    used = 0;
    n = 0;

    for (i = 0; i < node->function->count; i++) {

        overload = &node->function->overloads[i];

        if (overload->member != (node->target != NULL)) {
            continue;
        }

        /* those of a host share an entry, which has no arguments */

        if (cel_function_is_declared(node->function, overload)) {
            hint[0] = '\0';
            return;
        }

        signature = overload->spec->signature;
        len = strcspn(signature, ":");

        if (n == 3 || used + len + sizeof(", it takes '' or ...") >= size) {
            snprintf(hint + used, size - used, "%s", n != 0 ? " or ..." : "");
            return;
        }

        used += snprintf(hint + used, size - used, "%s'%.*s'",
                         n++ == 0 ? ", it takes " : " or ", (int) len,
                         signature);
    }
}


static void
cel_check_constant_key(cel_checker_t *checker, const cel_node_t *node)
{
    const cel_node_t  *map, *key;

    if (node->nitems != 2) {
        return;
    }

    if (strcmp(node->name, "_[_]") == 0 || strcmp(node->name, "_[?_]") == 0) {
        map = node->items[0];
        key = node->items[1];

    } else if (strcmp(node->name, "@in") == 0) {
        map = node->items[1];
        key = node->items[0];

    } else {
        return;
    }

    if (key->kind == CEL_N_CONST && key->value.kind == CEL_STRING) {
        cel_check_key_case(checker, map, key->value.s, key->value.len,
                           key->offset);
    }
}
