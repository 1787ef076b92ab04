/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Single expressions over the facts of a message, as the key that sampling
 * goes by.  Compiles them; evaluates none.
 */


#include "ngx_constraint_catalogue_room.h"


/* Smaller than a workflow's: it is compiled in the event loop. */

#define NGX_CONSTRAINT_EXPRESSION_NODES  500
#define NGX_CONSTRAINT_EXPRESSION_DEPTH  32


static ngx_uint_t ngx_constraint_expression_string(
    const cel_program_t *program);


cel_program_t *
ngx_constraint_expression_compile(const ngx_constraint_host_t *host,
    const ngx_str_t *source, u_char *error)
{
    cel_env_t      *env;
    cel_issues_t   *issues;
    cel_limits_t    limits;
    cel_program_t  *program;

    ngx_memzero(&limits, sizeof(cel_limits_t));
    limits.max_nodes = NGX_CONSTRAINT_EXPRESSION_NODES;
    limits.max_depth = NGX_CONSTRAINT_EXPRESSION_DEPTH;

    program = NULL;
    issues = calloc(1, sizeof(cel_issues_t));
    env = cel_env_create(&ngx_constraint_allocator, &limits);

    ngx_constraint_error_set(error, "out of memory");

    if (issues == NULL || env == NULL
        || host->declare(host->ctx, env) != CEL_OK)
    {
        goto done;
    }

    program = cel_compile(env, (char *) source->data, source->len, issues);

    if (program == NULL) {
        if (issues->count) {
            ngx_constraint_error_set(error, "does not compile: %s, column %uD",
                                     issues->items[0].message,
                                     issues->items[0].column);
        }

        goto done;
    }

    if (!ngx_constraint_expression_string(program)) {
        ngx_constraint_error_set(error, "must be a CEL expression that gives "
                                 "a string");
        cel_program_destroy(program);
        program = NULL;
    }

done:

    if (env) {
        cel_env_destroy(env);
    }

    free(issues);

    return program;
}


/* In the object at path, "$" or "$.execution": NGX_OK, or refused. */

ngx_int_t
ngx_constraint_write_sampling_key(ngx_constraint_write_t *write,
    json_t *limits, const char *path)
{
    u_char          error[NGX_CONSTRAINT_ERROR_MAX];
    json_t         *value;
    ngx_str_t       source;
    cel_program_t  *program;

    value = json_object_get(limits, "sampling_key");

    if (value == NULL) {
        return NGX_OK;
    }

    source.data = (u_char *) json_string_value(value);
    source.len = json_string_length(value);

    program = ngx_constraint_expression_compile(&write->catalogue->host,
                                                &source, error);
    if (program) {
        cel_program_destroy(program);
        return NGX_OK;
    }

    return ngx_constraint_write_refuse(write, NGX_CONSTRAINT_WRITE_INVALID,
                                       path, (char *) error);
}


/* what is dyn is judged when it is evaluated */

static ngx_uint_t
ngx_constraint_expression_string(const cel_program_t *program)
{
    const cel_type_t  *type;

    type = cel_program_type(program);

    return cel_type_is_dyn(type) || cel_type_kind(type) == CEL_STRING;
}
