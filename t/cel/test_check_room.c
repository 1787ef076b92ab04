
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What checking takes: neither time without end nor memory that is not there.
 */


#include "front.h"

#include <time.h>


/* what is slow to check is a way to stop whoever checks it */

static void
test_time(void)
{
    char         name[16], source[64], *text, *p;
    bool         good;
    clock_t      start;
    front_t      front;
    uint32_t     i;
    cel_env_t   *env;

    env = front_env(NULL);

    text = malloc(65536);
    p = stpcpy(text, "input");

    for (i = 0; i < 490; i++) {
        *p++ = '.';
        memset(p, 'a', 130);
        p += 130;
    }

    start = clock();
    front_begin(&front, env, text, p - text);
    front_check(&front);
    ok(front.status == CEL_OK, "490 selects of long names are checked");
    ok(clock() - start < CLOCKS_PER_SEC, "within a second");
    front_end(&front);
    free(text);

    start = clock();
    good = cel_env_declare(env, "v0", "int", 100, CEL_SIZE_SMALL, 0) == CEL_OK;

    for (i = 0; good && i < 3000; i++) {
        snprintf(source, sizeof(source), "{'a': [v%u]}", (unsigned) i);
        snprintf(name, sizeof(name), "v%u", (unsigned) i + 1);

        front_begin(&front, env, source, strlen(source));
        front_check(&front);
        good = front.status == CEL_OK
               && cel_env_declare_type(env, name, front.ast.root->type,
                                       101 + i, CEL_SIZE_SMALL, 0) == CEL_OK;
        front_end(&front);
    }

    ok(good, "3,000 facts, each wrapping the one before, are declared");
    ok(clock() - start < 2 * CLOCKS_PER_SEC, "within two seconds");
    ok(env->arena.used < 10 << 20, "in %zu bytes", env->arena.used);

    cel_env_destroy(env);
}


static size_t  room;


static void *
limited_alloc(void *ctx, size_t size)
{
    (void) ctx;

    if (room == 0) {
        return NULL;
    }

    room--;

    return malloc(size);
}


static void
limited_free(void *ctx, void *p, size_t size)
{
    (void) ctx;
    (void) size;

    free(p);
}


/* an allocation that fails, each in turn, is an error and nothing worse */

static void
test_memory(cel_env_t *env)
{
    bool         done;
    size_t       n, failed, wrong;
    cel_ast_t    ast;
    cel_arena_t  arena;

    static cel_issues_t           issues;
    static const cel_allocator_t  limited = {
        limited_alloc, limited_free, NULL
    };
    static const char             source[] =
        "l.map(i, [i, i].filter(j, j > x)).exists(k, k == [1, 2 + x]) && "
        "request.headers['a'] + 'b' in ['c', 'd\\n'] ? {'a': [1.5]} : {}";

    done = false;
    failed = 0;
    wrong = 0;

    /* a limit of 0 is none */

    for (n = 1; !done && n < 4000; n++) {
        memset(&issues, 0, sizeof(issues));
        room = SIZE_MAX;
        cel_arena_init(&arena, &limited, NULL, 0, n * 64);

        done = cel_parse(env, source, sizeof(source) - 1, &arena, &ast,
                         &issues) == CEL_OK
               && cel_check(env, &ast, &issues) == CEL_OK;

        if (!done) {
            failed++;
            wrong += issues.count == 0
                     || issues.items[0].kind != CEL_E_MEMORY;
        }

        cel_arena_reset(&arena);
    }

    ok(done, "with enough memory it is compiled");
    ok(failed > 10, "with less it is not (%zu limits tried)", failed);
    is_int(wrong, 0, "and says that memory was out, each time");

    for (n = 0; n < 100; n++) {
        cel_env_t  *small;

        room = n;
        small = cel_env_create(&limited, NULL);

        if (small != NULL) {
            cel_env_destroy(small);
            break;
        }
    }

    ok(n > 0 && n < 100, "an env is made with %zu allocations or not at all",
       n);
}



int
main(void)
{
    cel_env_t  *env;

    env = front_env(NULL);

    test_time();
    test_memory(env);

    cel_env_destroy(env);

    return done_testing();
}
