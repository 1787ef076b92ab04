
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_declare.c - functions that a host declares by their signatures alone,
 * so that expressions can be checked where the functions are not.  They stand
 * beside the overloads of the library; what calls them fails when it is run.
 */


#include "cel_env.h"

#include <string.h>


struct cel_declared_s {
    cel_declared_t        *next;
    uint32_t               len;
    cel_function_t         function;
};


static cel_declared_t *cel_declare_name(cel_env_t *env, const char *name);


/* the entry of every declared overload */

static const cel_overload_spec_t  cel_declared_spec =
    CEL_OVERLOAD("@declared", "declared", "(): dyn", NULL,
                 1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL);


cel_status_t
cel_env_declare_function(cel_env_t *env, const char *name,
    const char *signature)
{
    cel_overload_t  *overloads, *last;
    cel_declared_t  *declared;
    cel_function_t  *function;

    if (!cel_env_name_valid(name)) {
        return CEL_ERROR;
    }

    declared = cel_declare_name(env, name);
    if (declared == NULL) {
        return CEL_ERROR;
    }

    function = &declared->function;

    overloads = cel_arena_alloc(&env->arena, (function->count + 1)
                                             * sizeof(cel_overload_t));
    if (overloads == NULL) {
        return CEL_ERROR;
    }

    if (function->count > 0) {
        memcpy(overloads, function->overloads,
               function->count * sizeof(cel_overload_t));
    }

    last = &overloads[function->count];

    memset(last, 0, sizeof(cel_overload_t));
    last->spec = &cel_declared_spec;

    if (cel_signature_parse(&env->arena, signature, last) != CEL_OK) {
        return CEL_ERROR;
    }

    function->overloads = overloads;
    function->count++;

    return CEL_OK;
}


/* the declared function of the name, made with the library's overloads */

static cel_declared_t *
cel_declare_name(cel_env_t *env, const char *name)
{
    char                  *copy;
    size_t                 len;
    cel_declared_t        *declared;
    const cel_function_t  *library;

    len = strlen(name);

    for (declared = env->declared; declared != NULL;
         declared = declared->next)
    {
        if (strcmp(declared->function.name, name) == 0) {
            return declared;
        }
    }

    declared = cel_arena_alloc(&env->arena, sizeof(cel_declared_t) + len + 1);
    if (declared == NULL) {
        return NULL;
    }

    memset(declared, 0, sizeof(cel_declared_t));

    library = cel_functions_lookup(env->functions, name, len);

    if (library != NULL) {
        declared->function = *library;

    } else {
        copy = (char *) (declared + 1);
        memcpy(copy, name, len + 1);

        declared->function.name = copy;
        declared->function.hash = cel_name_hash(name, len);
    }

    declared->len = len;
    declared->next = env->declared;
    env->declared = declared;

    return declared;
}


const cel_function_t *
cel_env_function(const cel_env_t *env, const char *name, size_t len)
{
    const cel_declared_t  *declared;

    for (declared = env->declared; declared != NULL;
         declared = declared->next)
    {
        if (declared->len == len
            && memcmp(declared->function.name, name, len) == 0
            && declared->function.count > 0)
        {
            return &declared->function;
        }
    }

    return cel_functions_lookup(env->functions, name, len);
}


const char *
cel_env_function_name(const cel_env_t *env, uint32_t i)
{
    const cel_declared_t  *declared;

    for (declared = env->declared; declared != NULL;
         declared = declared->next)
    {
        if (i-- == 0) {
            return declared->function.name;
        }
    }

    return cel_functions_name(env->functions, i);
}


bool
cel_function_is_declared(const cel_function_t *function,
    const cel_overload_t *overload)
{
    uint32_t  i;

    if (overload != NULL) {
        return overload->spec == &cel_declared_spec;
    }

    for (i = 0; i < function->count; i++) {
        if (function->overloads[i].spec != &cel_declared_spec) {
            return false;
        }
    }

    return true;
}
