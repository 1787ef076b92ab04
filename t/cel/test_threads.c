
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * One program, many threads: each with its own evaluation, arena and
 * document, all with the same facts of the host.  What matters shows under
 * ThreadSanitizer, see threads.t; with the argument "race" the threads share
 * an evaluation, which they must not.
 */


#include <pthread.h>
#include "back.h"


#define THREADS  8
#define ROUNDS   500


static cel_program_t  *program;
static cel_flag_t      stop;

/* of the host: read by all */
static cel_value_t     headers;
static cel_eval_t      shared;


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
    cel_value_t   facts[3], value;

    len = (uint32_t) sprintf(text, "{\"n\":%u,\"l\":[1,2,3],\"s\":\"ab%u\"}",
                             worker->n, worker->n);
    json = cel_json_parse(parser, text, len, NULL, &error);

    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 1 << 20);
    memset(&eval, 0, sizeof(eval));
    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = 3;
    eval.cancel = &stop;
    cel_eval_init(&eval);
    facts[0] = cel_json_root(json);
    facts[1] = headers;
    facts[2] = cel_timestamp(1700000000, 0);

    if (cel_eval(program, &eval, &value) == CEL_OK
        && value.kind == CEL_INT && value.i == worker->n + 12)
    {
        worker->right++;
    }

    cel_arena_reset(&arena);
    cel_json_destroy(json);
}


static void *
race(void *ctx)
{
    uint32_t  i;

    for (i = 0; i < ROUNDS; i++) {
        (void) cel_eval_charge(&shared, 1);
    }

    return NULL;
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


static cel_program_t *
compile(cel_issues_t *issues)
{
    cel_env_t  *env;

    static const char  source[] =
        "x.s.matches('^ab[0-9]+$') && x.s.matches(headers['pattern'])"
        " && headers.org in ['acme', 'a', 'b', 'c', 'd', 'e', 'f', 'g']"
        " && {'acme': 1, 'b': 2}[headers.org] == 1"
        " && t.getHours('Europe/Berlin') == 23"
        " && t.getDayOfYear() == x.s.size() - size(x.s) + 317"
        " && 'n is %d'.format([x.n]).startsWith('n is ')"
        " && cidr('10.0.0.0/8').containsIP('10.1.2.3')"
        " && x.l.exists(e, e / 0 == 1 || e == 2)"
        " ? x.l.map(e, e * 2)[2] + size(x.l) * 2 + x.n : 0";

    memset(issues, 0, sizeof(cel_issues_t));
    env = cel_env_create(&cel_allocator_libc, NULL);
    cel_env_declare(env, "x", "dyn", 0, CEL_SIZE_BODY, 0);
    cel_env_declare(env, "headers", "map(string, string)", 1,
                    CEL_SIZE_HEADERS, 0);
    cel_env_declare(env, "t", "timestamp", 2, CEL_SIZE_SMALL, 0);
    program = cel_compile(env, source, sizeof(source) - 1, issues);
    cel_env_destroy(env);

    return program;
}


int
main(int argc, char **argv)
{
    uint32_t      i;
    cel_arena_t   arena;
    worker_t      workers[THREADS];
    cel_issues_t  issues;

    static const cel_value_t  pairs[] = {
        { .kind = CEL_STRING, .len = 3, .s = "org" },
        { .kind = CEL_STRING, .len = 4, .s = "acme" },
        { .kind = CEL_STRING, .len = 7, .s = "pattern" },
        { .kind = CEL_STRING, .len = 6, .s = "[0-7]$" }
    };

    ok(compile(&issues) != NULL, "the program outlives its env: %s",
       issues.items[0].message);

    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 0);
    ok(cel_map(&arena, pairs, 2, &headers) == CEL_OK, "there are facts");

    for (i = 0; i < THREADS; i++) {
        workers[i].n = i;
        workers[i].right = 0;
        pthread_create(&workers[i].thread, NULL, argc > 1 ? race : work,
                       &workers[i]);
    }

    for (i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        is_int(workers[i].right, argc > 1 ? 0 : ROUNDS,
               "thread %u: all its own", i);
    }

    cel_arena_reset(&arena);
    cel_program_destroy(program);

    return done_testing();
}
