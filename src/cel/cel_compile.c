
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile.c - the way of an expression: parse, check, cost, build.
 */


#include "cel_share.h"

#include <stdio.h>
#include <string.h>


static cel_program_t *cel_compile_shared(cel_env_t *env, cel_ast_t *ast,
    cel_atoms_t *atoms, cel_issues_t *issues, cel_tests_t *tests);
static void cel_compile_refused(const cel_arena_t *arena,
    cel_issues_t *issues);


cel_program_t *
cel_compile(cel_env_t *env, const char *source, size_t len,
    cel_issues_t *issues)
{
    return cel_compile_tests(env, source, len, NULL, issues, NULL);
}


cel_program_t *
cel_compile_tests(cel_env_t *env, const char *source, size_t len,
    cel_atoms_t *atoms, cel_issues_t *issues, cel_tests_t *tests)
{
    cel_ast_t       ast;
    cel_arena_t     arena;
    cel_program_t  *program;

    memset(issues, 0, sizeof(cel_issues_t));

    if (env->warnings != NULL) {
        env->warnings->count = 0;
        env->warnings->total = 0;
    }

    program = NULL;

    cel_arena_init(&arena, env->allocator, NULL, 0, env->limits.max_memory);

    if (cel_parse(env, source, len, &arena, &ast, issues) == CEL_OK) {

        if (atoms != NULL) {
            cel_share_mark(atoms, &ast);
        }

        if (cel_check(env, &ast, issues) == CEL_OK) {
            program = cel_compile_shared(env, &ast, atoms, issues, tests);
        }
    }

    if (program == NULL) {
        cel_compile_refused(&arena, issues);
    }

    cel_arena_reset(&arena);

    return program;
}


/* The estimate is that of the tree as it was written. */

static cel_program_t *
cel_compile_shared(cel_env_t *env, cel_ast_t *ast, cel_atoms_t *atoms,
    cel_issues_t *issues, cel_tests_t *tests)
{
    cel_cost_t      cost;
    cel_program_t  *program;

    cel_cost_estimate(env, ast, &cost);

    if (atoms != NULL
        && (cel_share(atoms, env, ast, issues) != CEL_OK
            || cel_tests_find(atoms, ast->root, tests) != CEL_OK))
    {
        program = NULL;

    } else {
        program = cel_program_build(env, ast, &cost, issues);
    }

    if (program == NULL && issues->count == 0) {
        cel_issue(issues, CEL_E_MEMORY, ast, 0, "out of memory");
    }

    return program;
}


/* What is out of memory because of the limit is told as that. */

static void
cel_compile_refused(const cel_arena_t *arena, cel_issues_t *issues)
{
    uint32_t      i;
    cel_error_t  *error;

    if (arena->refused == 0) {
        return;
    }

    for (i = 0; i < issues->count; i++) {
        error = &issues->items[i];

        if (error->kind == CEL_E_MEMORY) {
            error->kind = CEL_E_TOO_LARGE;
            snprintf(error->message, sizeof(error->message), "compiling "
                     "takes %zu bytes, at most %zu are allowed",
                     arena->refused, arena->limit);
        }
    }
}
