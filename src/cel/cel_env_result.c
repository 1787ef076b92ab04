
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_env_result.c - results of programs as facts of others: lazy variables.
 * How large a result may get is a polynomial, too, so that a variable that
 * doubles its input counts twice.
 */


#include <string.h>
#include "cel_cost_sum.h"
#include "cel_shape.h"


cel_status_t
cel_env_keep_result(cel_env_t *env)
{
    if (env->result == NULL) {
        env->result = cel_arena_alloc(&env->arena, sizeof(cel_shape_t));
    }

    return env->result != NULL ? CEL_OK : CEL_ERROR;
}


cel_status_t
cel_env_declare_result(cel_env_t *env, const char *name,
    const cel_program_t *program, cel_slot_t slot)
{
    cel_fact_t   *fact;
    cel_shape_t  *shape;

    shape = cel_arena_alloc(&env->arena, sizeof(cel_shape_t));

    if (shape == NULL || env->result == NULL
        || cel_env_declare_type(env, name, cel_program_type(program), slot,
                                CEL_SIZE_BODY, 0)
           != CEL_OK)
    {
        return CEL_ERROR;
    }

    memcpy(shape, env->result, sizeof(cel_shape_t));

    fact = (cel_fact_t *) cel_env_fact(env, name, strlen(name));
    fact->shape = shape;

    return CEL_OK;
}


cel_hidden_t *
cel_env_hide(cel_env_t *env, const char *name)
{
    cel_fact_t  *fact;

    fact = (cel_fact_t *) cel_env_fact(env, name, strlen(name));

    if (fact != NULL) {
        (void) cel_env_undeclare(env, name);
    }

    return fact;
}


void
cel_env_show(cel_env_t *env, cel_hidden_t *hidden)
{
    cel_fact_t  **bucket;

    bucket = &env->facts[hidden->hash % CEL_ENV_BUCKETS];
    hidden->next = *bucket;
    *bucket = hidden;
}
