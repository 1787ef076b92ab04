
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile.c - the way of an expression: parse, check, cost, build.
 */


#include "cel_ast.h"

#include <string.h>


cel_program_t *
cel_compile(cel_env_t *env, const char *source, size_t len,
    cel_issues_t *issues)
{
    cel_ast_t       ast;
    cel_cost_t      cost;
    cel_arena_t     arena;
    cel_program_t  *program;

    memset(issues, 0, sizeof(cel_issues_t));

    program = NULL;

    cel_arena_init(&arena, env->allocator, NULL, 0, 0);

    if (cel_parse(env, source, len, &arena, &ast, issues) == CEL_OK
        && cel_check(env, &ast, issues) == CEL_OK)
    {
        cel_cost_estimate(env, &ast, &cost);

        program = cel_program_build(env, &ast, &cost, issues);

        if (program == NULL && issues->count == 0) {
            cel_issue(issues, CEL_E_MEMORY, &ast, 0, "out of memory");
        }
    }

    cel_arena_reset(&arena);

    return program;
}
