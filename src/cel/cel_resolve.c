
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_resolve.c - what a name stands for: a macro's variable, a declared
 * fact, a type, a function.  A name x in container a.b is tried as a.b.x, a.x
 * and x; a chain of selects as the longest name that is declared.
 */


#include "cel_check.h"

#include <string.h>


static bool cel_resolve_local(cel_checker_t *checker, cel_node_t *node);
static bool cel_resolve_alias(cel_checker_t *checker, const char *name,
    size_t *len);
static bool cel_resolve_declared(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len);
static bool cel_resolve_enum(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len);
static bool cel_resolve_exists(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len);
static bool cel_resolve_is_function(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len);
static const char *cel_resolve_chain(cel_checker_t *checker,
    const cel_node_t *node, size_t *len);
static bool cel_resolve_is_plain(const char *name);


bool
cel_resolve_ident(cel_checker_t *checker, cel_node_t *node)
{
    return cel_resolve_local(checker, node)
           || cel_resolve_with(checker, node, node->name, node->name_len,
                               cel_resolve_declared);
}


static bool
cel_resolve_local(cel_checker_t *checker, cel_node_t *node)
{
    const cel_local_t  *local;

    for (local = checker->locals; local != NULL; local = local->next) {
        if (strcmp(local->name, node->name) == 0) {
            node->ref = CEL_R_LOCAL;
            node->local = local->number;
            cel_check_set_type(checker, node, local->type);
            return true;
        }
    }

    return false;
}


/* what langdef.md says of containers; a leading dot means the root's name */

bool
cel_resolve_with(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len, cel_resolve_try_pt attempt)
{
    uint32_t     prefix;
    const char  *container;

    container = checker->env->limits.container;
    prefix = checker->env->container_len;

    if (len > 0 && *name == '.') {
        name++;
        len--;
        prefix = 0;

    } else if (cel_resolve_alias(checker, name, &len)) {
        return attempt(checker, node, checker->candidate, len);
    }

    for ( /* void */ ; prefix > 0; prefix--) {

        if (container[prefix] != '.' && container[prefix] != '\0') {
            continue;
        }

        memcpy(checker->candidate, container, prefix);
        checker->candidate[prefix] = '.';
        memcpy(checker->candidate + prefix + 1, name, len);

        if (attempt(checker, node, checker->candidate, prefix + 1 + len)) {
            return true;
        }
    }

    return attempt(checker, node, name, len);
}


/* an import stands for nothing but what it names */

static bool
cel_resolve_alias(cel_checker_t *checker, const char *name, size_t *len)
{
    size_t              first;
    const cel_alias_t  *alias;

    for (first = 0; first < *len && name[first] != '.'; first++) {
        /* void */
    }

    for (alias = checker->env->aliases; alias != NULL; alias = alias->next) {

        if (alias->len - alias->start == first
            && memcmp(alias->name + alias->start, name, first) == 0)
        {
            memcpy(checker->candidate, alias->name, alias->len);
            memcpy(checker->candidate + alias->len, name + first,
                   *len - first);

            *len += alias->len - first;

            return true;
        }
    }

    return false;
}


static bool
cel_resolve_declared(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len)
{
    const cel_fact_t  *fact;
    const cel_type_t  *type, *named;

    fact = cel_env_fact(checker->env, name, len);

    if (fact != NULL) {
        node->ref = CEL_R_FACT;
        node->fact = fact;
        node->slot = fact->slot;
        cel_check_set_type(checker, node,
                           checker->lenient ? &cel_t_dyn : fact->type);
        return true;
    }

    named = cel_type_lookup(name, len);

    if (named == NULL) {
        return cel_resolve_enum(checker, node, name, len);
    }

    type = cel_type_make(checker->ast->arena, CEL_T_TYPE, NULL, named, NULL);

    node->ref = CEL_R_TYPE;
    memset(&node->value, 0, sizeof(cel_value_t));
    node->value.kind = CEL_TYPE;
    node->value.t = named;
    cel_check_set_type(checker, node, type);

    return true;
}


/* the one value of the one enum that is known: an int */

static bool
cel_resolve_enum(cel_checker_t *checker, cel_node_t *node, const char *name,
    size_t len)
{
    static const char  null_value[] = "google.protobuf.NullValue.NULL_VALUE";

    if (len != sizeof(null_value) - 1 || memcmp(name, null_value, len) != 0) {
        return false;
    }

    node->kind = CEL_N_CONST;
    node->target = NULL;
    node->value = cel_int(0);
    node->type = checker->lenient ? &cel_t_dyn : &cel_t_int;

    return true;
}


static bool
cel_resolve_exists(cel_checker_t *checker, cel_node_t *node, const char *name,
    size_t len)
{
    return cel_env_fact(checker->env, name, len) != NULL
           || cel_type_lookup(name, len) != NULL;
}


cel_resolved_t
cel_resolve_select(cel_checker_t *checker, cel_node_t *node)
{
    size_t             len;
    const char        *name;
    const cel_node_t  *part;

    name = cel_resolve_chain(checker, node, &len);

    if (name == NULL) {
        return CEL_RESOLVE_PARTLY;
    }

    if (cel_resolve_with(checker, node, name, len, cel_resolve_declared)) {
        return CEL_RESOLVED;
    }

    for (part = node; part->kind == CEL_N_SELECT; part = part->target) {
        len -= part->name_len + 1;

        if (cel_resolve_with(checker, node, name, len, cel_resolve_exists)) {
            return CEL_RESOLVE_PARTLY;
        }
    }

    return CEL_RESOLVE_UNKNOWN;
}


/*
 * The selects of a name as a.b.c in checker->chain, or NULL when it is not
 * just that, or the root is a macro's variable.
 */

static const char *
cel_resolve_chain(cel_checker_t *checker, const cel_node_t *node, size_t *len)
{
    char               *p;
    const cel_node_t   *part;
    const cel_local_t  *local;

    *len = 0;

    for (part = node; part->kind == CEL_N_SELECT; part = part->target) {

        if ((part->test_only && part != node) || part->optional
            || !cel_resolve_is_plain(part->name))
        {
            return NULL;
        }

        *len += part->name_len + 1;
    }

    if (part->kind != CEL_N_IDENT) {
        return NULL;
    }

    for (local = checker->locals; local != NULL; local = local->next) {
        if (strcmp(local->name, part->name) == 0) {
            return NULL;
        }
    }

    *len += part->name_len;
    p = checker->chain + *len;

    for (part = node; part->kind == CEL_N_SELECT; part = part->target) {
        p -= part->name_len;
        memcpy(p, part->name, part->name_len);
        *--p = '.';
    }

    memcpy(checker->chain, part->name, part->name_len);

    return checker->chain;
}


/* a quoted field may hold what no name can */

static bool
cel_resolve_is_plain(const char *name)
{
    return strpbrk(name, ".-/ ") == NULL;
}


static bool
cel_resolve_is_function(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len)
{
    node->function = cel_env_function(checker->env, name, len);

    return node->function != NULL;
}


const cel_function_t *
cel_resolve_function(cel_checker_t *checker, const char *name, size_t len)
{
    cel_node_t  found;

    found.function = NULL;

    cel_resolve_with(checker, &found, name, len, cel_resolve_is_function);

    return found.function;
}


const cel_function_t *
cel_resolve_method(cel_checker_t *checker, const cel_node_t *node)
{
    size_t       len;
    const char  *name;

    name = cel_resolve_chain(checker, node->target, &len);

    if (name == NULL) {
        return NULL;
    }

    checker->chain[len] = '.';
    memcpy(checker->chain + len + 1, node->name, node->name_len);

    return cel_resolve_function(checker, name, len + 1 + node->name_len);
}


const cel_resolver_t *
cel_resolve_resolver(cel_checker_t *checker, const cel_node_t *node)
{
    size_t       len;
    const char  *name;

    if (checker->env->resolvers == NULL) {
        return NULL;
    }

    if (node->target == NULL) {
        name = node->name;
        len = node->name_len;

    } else {
        name = cel_resolve_chain(checker, node->target, &len);

        if (name == NULL) {
            return NULL;
        }

        checker->chain[len] = '.';
        memcpy(checker->chain + len + 1, node->name, node->name_len);
        len += 1 + node->name_len;
    }

    if (*name == '.') {
        name++;
        len--;
    }

    return cel_env_resolver(checker->env, name, len);
}
