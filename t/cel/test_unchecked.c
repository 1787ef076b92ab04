
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Expressions that are compiled without a check: what is not known is an error
 * when it is run, and only where it is needed.
 */


#include "front.h"


static void
test_lenient(void)
{
    size_t         i;
    front_t        front;
    cel_env_t     *env;
    cel_limits_t   limits;

    static const char *const  taken[] = {
        "1 + 'a'", "'a' && true", "nosuch || true", "nosuch(1) || true",
        "x.y.z", "nosuch.a", "a.b.c()", "[1].all(i, i)", "1 == 'a'",
        "request.path + 1", "nginx.var('uri1') < 5",
    };

    memset(&limits, 0, sizeof(limits));
    limits.disable_check = true;

    env = front_env(&limits);

    for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        front_begin(&front, env, taken[i], strlen(taken[i]));
        front_check(&front);

        ok(front.status == CEL_OK, "unchecked: %s", taken[i]);
        ok(front.status == CEL_OK && front.ast.root->type != NULL,
           "has a type");

        front_end(&front);
    }

    cel_env_destroy(env);
}


/* what is not known is an error only when it is needed */

static void
test_unresolved(void)
{
    size_t           i;
    cel_env_t       *env;
    cel_eval_t       eval;
    cel_value_t      value;
    cel_arena_t      arena;
    cel_limits_t     limits;
    cel_status_t     rc;
    cel_issues_t     issues;
    cel_program_t   *program;

    static const struct {
        const char  *source;
        const char  *error;
    } names[] = {
        { "nosuch || true", NULL },
        { "nosuch(1, nosuch) || true", NULL },
        { "false && a.b.c()", NULL },
        { "true ? 1 : nosuch", NULL },
        { "nosuch", "undeclared reference to 'nosuch'" },
        { "nosuch.a.b", "undeclared reference to 'nosuch'" },
        { "nosuch(1)", "undeclared reference to 'nosuch'" },
    };

    memset(&limits, 0, sizeof(limits));
    limits.disable_check = true;

    env = front_env(&limits);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        program = cel_compile(env, names[i].source, strlen(names[i].source),
                              &issues);
        ok(program != NULL, "unchecked %s is compiled", names[i].source);

        if (program == NULL) {
            continue;
        }

        memset(&eval, 0, sizeof(eval));
        cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 0);
        eval.arena = &arena;
        cel_eval_init(&eval);

        rc = cel_eval(program, &eval, &value);

        ok(rc == (names[i].error != NULL ? CEL_ERROR : CEL_OK),
           "and %s", names[i].error != NULL ? "fails when run"
                                            : "gives a value");

        if (names[i].error != NULL) {
            is_str(eval.error.message, names[i].error, "by its name");
        }

        cel_program_destroy(program);
        cel_arena_reset(&arena);
    }

    cel_env_destroy(env);
}



int
main(void)
{
    test_lenient();
    test_unresolved();

    return done_testing();
}
