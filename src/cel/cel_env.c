
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_env.c - environments: limits, facts, resolver functions.  The function
 * table is in cel_signature.c, name resolution in cel_resolve.c.
 */


#include "cel_env.h"

#include <string.h>


static void cel_env_set_limits(cel_env_t *env, const cel_limits_t *limits);
static char *cel_env_copy(cel_env_t *env, const char *text, size_t len);


cel_env_t *
cel_env_create(const cel_allocator_t *allocator, const cel_limits_t *limits)
{
    cel_env_t  *env;

    env = allocator->alloc(allocator->ctx, sizeof(cel_env_t));
    if (env == NULL) {
        return NULL;
    }

    memset(env, 0, sizeof(cel_env_t));

    env->allocator = allocator;
    cel_arena_init(&env->arena, allocator, NULL, 0, 0);
    cel_env_set_limits(env, limits);

    env->functions = cel_functions_create(&env->arena);

    if (env->functions == NULL
        || (limits != NULL && limits->container != NULL
            && env->limits.container == NULL))
    {
        cel_env_destroy(env);
        return NULL;
    }

    return env;
}


void
cel_env_destroy(cel_env_t *env)
{
    const cel_allocator_t  *allocator;

    if (env == NULL) {
        return;
    }

    allocator = env->allocator;

    cel_arena_reset(&env->arena);
    allocator->free(allocator->ctx, env, sizeof(cel_env_t));
}


static void
cel_env_set_limits(cel_env_t *env, const cel_limits_t *limits)
{
    cel_limits_t  *own;

    own = &env->limits;

    if (limits != NULL) {
        *own = *limits;
    }

    if (own->max_source == 0) {
        own->max_source = CEL_DEFAULT_SOURCE;
    }

    if (own->max_depth == 0) {
        own->max_depth = CEL_DEFAULT_DEPTH;
    }

    if (own->max_nodes == 0) {
        own->max_nodes = CEL_DEFAULT_NODES;
    }

    if (own->max_regex == 0) {
        own->max_regex = CEL_DEFAULT_REGEX;
    }

    if (own->max_loops == 0) {
        own->max_loops = CEL_DEFAULT_LOOPS;
    }

    if (own->max_memory == 0) {
        own->max_memory = CEL_DEFAULT_MEMORY;
    }

    if (own->container != NULL) {
        env->container_len = strlen(own->container);
        own->container = cel_env_copy(env, own->container,
                                      env->container_len);
    }
}


static char *
cel_env_copy(cel_env_t *env, const char *text, size_t len)
{
    char  *copy;

    copy = cel_arena_alloc(&env->arena, len + 1);
    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, text, len);
    copy[len] = '\0';

    return copy;
}


void
cel_env_collect_warnings(cel_env_t *env, cel_issues_t *warnings)
{
    env->warnings = warnings;
}


const cel_limits_t *
cel_env_limits(const cel_env_t *env)
{
    return &env->limits;
}


const cel_allocator_t *
cel_env_allocator(const cel_env_t *env)
{
    return env->allocator;
}


cel_status_t
cel_env_declare(cel_env_t *env, const char *name, const char *type,
    cel_slot_t slot, cel_size_class_t size, unsigned flags)
{
    const cel_type_t  *parsed;

    parsed = cel_type_parse(&env->arena, type, strlen(type));

    if (parsed == NULL || parsed->open != 0) {
        return CEL_ERROR;
    }

    return cel_env_declare_type(env, name, parsed, slot, size, flags);
}


cel_status_t
cel_env_declare_type(cel_env_t *env, const char *name, const cel_type_t *type,
    cel_slot_t slot, cel_size_class_t size, unsigned flags)
{
    size_t       len;
    cel_fact_t  *fact, **bucket;

    len = strlen(name);

    if (!cel_env_name_valid(name) || slot == CEL_NO_SLOT
        || (unsigned) size >= CEL_SIZE_CLASSES
        || cel_env_fact(env, name, len) != NULL)
    {
        return CEL_ERROR;
    }

    fact = cel_arena_alloc(&env->arena, sizeof(cel_fact_t));
    if (fact == NULL) {
        return CEL_ERROR;
    }

    fact->name = cel_env_copy(env, name, len);
    fact->type = cel_type_copy(&env->arena, type);

    if (fact->name == NULL || fact->type == NULL) {
        return CEL_ERROR;
    }

    fact->len = len;
    fact->hash = cel_name_hash(name, len);
    fact->slot = slot;
    fact->size = size;
    fact->shape = NULL;
    fact->flags = flags;

    if (len > env->longest) {
        env->longest = len;
    }

    bucket = &env->facts[fact->hash % CEL_ENV_BUCKETS];
    fact->next = *bucket;
    *bucket = fact;

    return CEL_OK;
}


cel_status_t
cel_env_import(cel_env_t *env, const char *name, size_t len)
{
    char               *copy, *last;
    cel_alias_t        *alias;
    const cel_alias_t  *other;

    copy = cel_env_copy(env, name, len);
    alias = cel_arena_alloc(&env->arena, sizeof(cel_alias_t));

    if (copy == NULL || alias == NULL) {
        return CEL_ERROR;
    }

    last = strrchr(copy, '.');

    if (last == NULL || strlen(copy) != len || !cel_env_name_valid(copy)) {
        return CEL_NOT_FOUND;
    }

    last++;

    for (other = env->aliases; other != NULL; other = other->next) {
        if (strcmp(other->name + other->start, last) == 0) {
            return strcmp(other->name, copy) == 0 ? CEL_OK : CEL_ERROR;
        }
    }

    alias->name = copy;
    alias->len = len;
    alias->start = last - copy;
    alias->next = env->aliases;
    env->aliases = alias;

    if (len > env->alias_len) {
        env->alias_len = len;
    }

    return CEL_OK;
}


bool
cel_env_name_valid(const char *name)
{
    bool  start;

    for (start = true; *name != '\0'; name++) {

        if (*name == '_' || ((*name | 0x20) >= 'a' && (*name | 0x20) <= 'z')
            || (!start && *name >= '0' && *name <= '9'))
        {
            start = false;

        } else if (!start && *name == '.') {
            start = true;

        } else {
            return false;
        }
    }

    return !start;
}


cel_status_t
cel_env_undeclare(cel_env_t *env, const char *name)
{
    uint32_t     hash;
    cel_fact_t  **fact;

    hash = cel_name_hash(name, strlen(name));

    for (fact = &env->facts[hash % CEL_ENV_BUCKETS]; *fact != NULL;
         fact = &(*fact)->next)
    {
        if (strcmp((*fact)->name, name) == 0) {
            *fact = (*fact)->next;
            return CEL_OK;
        }
    }

    return CEL_NOT_FOUND;
}


const cel_fact_t *
cel_env_fact(const cel_env_t *env, const char *name, size_t len)
{
    uint32_t           hash;
    const cel_fact_t  *fact;

    /* a chain of hundreds of selects is tried part by part */

    if (len > env->longest) {
        return NULL;
    }

    hash = cel_name_hash(name, len);

    for (fact = env->facts[hash % CEL_ENV_BUCKETS]; fact != NULL;
         fact = fact->next)
    {
        if (fact->hash == hash && fact->len == len
            && memcmp(fact->name, name, len) == 0)
        {
            return fact;
        }
    }

    return NULL;
}


cel_status_t
cel_env_declare_resolver(cel_env_t *env, const char *function,
    cel_resolve_pt resolve, void *ctx)
{
    cel_resolver_t  *resolver;

    if (!cel_env_name_valid(function)
        || cel_env_resolver(env, function, strlen(function)) != NULL)
    {
        return CEL_ERROR;
    }

    resolver = cel_arena_alloc(&env->arena, sizeof(cel_resolver_t));
    if (resolver == NULL) {
        return CEL_ERROR;
    }

    resolver->len = strlen(function);
    resolver->function = cel_env_copy(env, function, resolver->len);

    if (resolver->function == NULL) {
        return CEL_ERROR;
    }

    resolver->resolve = resolve;
    resolver->ctx = ctx;
    resolver->next = env->resolvers;
    env->resolvers = resolver;

    return CEL_OK;
}


const cel_resolver_t *
cel_env_resolver(const cel_env_t *env, const char *name, size_t len)
{
    const cel_resolver_t  *resolver;

    for (resolver = env->resolvers; resolver != NULL;
         resolver = resolver->next)
    {
        if (resolver->len == len
            && memcmp(resolver->function, name, len) == 0)
        {
            return resolver;
        }
    }

    return NULL;
}
