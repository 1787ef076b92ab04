
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * One program, many threads: each with its own evaluation, arena and
 * document.  What matters shows under ThreadSanitizer.
 */


#include <pthread.h>
#include "back.h"


#define THREADS  4
#define ROUNDS   500


static cel_program_t  *program;
static cel_flag_t      stop;


typedef struct {
    pthread_t   thread;
    uint32_t    n;
    uint32_t    right;
} worker_t;


static void
round_of(worker_t *worker, cel_json_parser_t *parser)
{
    char          text[128];
    uint32_t      len;
    cel_json_t   *json;
    cel_eval_t    eval;
    cel_error_t   error;
    cel_arena_t   arena;
    cel_value_t   facts[1], value;

    len = (uint32_t) sprintf(text, "{\"n\":%u,\"l\":[1,2,3],\"s\":\"ab%u\"}",
                             worker->n, worker->n);
    json = cel_json_parse(parser, text, len, NULL, &error);

    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 1 << 20);
    memset(&eval, 0, sizeof(eval));
    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = 1;
    eval.cancel = &stop;
    cel_eval_init(&eval);
    facts[0] = cel_json_root(json);

    if (cel_eval(program, &eval, &value) == CEL_OK
        && value.kind == CEL_INT && value.i == worker->n + 12)
    {
        worker->right++;
    }

    cel_arena_reset(&arena);
    cel_json_destroy(json);
}


static void *
work(void *ctx)
{
    uint32_t            i;
    worker_t           *worker = ctx;
    cel_json_parser_t  *parser;

    parser = cel_json_parser_create();

    for (i = 0; i < ROUNDS; i++) {
        round_of(worker, parser);
    }

    cel_json_parser_destroy(parser);

    return NULL;
}


int
main(void)
{
    uint32_t      i;
    cel_env_t    *env;
    worker_t      workers[THREADS];
    cel_issues_t  issues;

    static const char  source[] =
        "x.s.matches('^ab[0-9]+$') && x.l.exists(e, e / 0 == 1 || e == 2)"
        " ? x.l.map(e, e * 2)[2] + size(x.l) * 2 + x.n : 0";

    memset(&issues, 0, sizeof(issues));
    env = cel_env_create(&cel_allocator_libc, NULL);
    cel_env_declare(env, "x", "dyn", 0, CEL_SIZE_BODY, 0);
    program = cel_compile(env, source, sizeof(source) - 1, &issues);
    cel_env_destroy(env);

    ok(program != NULL, "the program outlives its env: %s",
       issues.items[0].message);

    for (i = 0; i < THREADS; i++) {
        workers[i].n = i;
        workers[i].right = 0;
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }

    for (i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        is_int(workers[i].right, ROUNDS, "thread %u: all its own", i);
    }

    cel_program_destroy(program);

    return done_testing();
}
