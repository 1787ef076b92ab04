
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What a budget adds to an evaluation, and what a draw of sampling takes:
 * nanoseconds of CPU, the best of some rounds.  With a name and a number it
 * only does that, so often: instructions are counted by callgrind from
 * outside.  Built and run by t/bench/budget.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ngx_constraint_budget.h"
#include "ngx_constraint_sampling.h"


#define ROUNDS  9
#define TIMES   300000
#define FACTS   4


typedef struct {
    cel_env_t                *env;
    cel_program_t            *program;
    cel_arena_t               arena;
    cel_eval_t                eval;
    cel_value_t               facts[FACTS];
    ngx_constraint_budget_t   budget;
    ngx_constraint_sampler_t  sampler;
    uint64_t                  sum;         /* so that nothing is left out */
    char                      first[16384];
} bench_t;

typedef struct {
    const char               *name;
    void                    (*run)(bench_t *b, uint64_t n);
} bench_case_t;


static uint64_t
now(clockid_t clock)
{
    struct timespec  ts;

    (void) clock_gettime(clock, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}


uint64_t
ngx_constraint_clock_ns(void)
{
    return now(CLOCK_MONOTONIC);
}


uint64_t
ngx_constraint_clock_thread_ns(void)
{
    return now(CLOCK_THREAD_CPUTIME_ID);
}


static void
evaluate(bench_t *b, cel_status_t (*finish)(bench_t *b, cel_status_t rc))
{
    cel_value_t   value;
    cel_status_t  rc;

    b->eval.cost = 0;
    b->eval.next_look = 0;

    rc = cel_eval(b->program, &b->eval, &value);

    if (finish) {
        rc = finish(b, rc);
    }

    if (rc != CEL_OK) {
        printf("budget: %s\n", b->eval.error.message);
        exit(1);
    }

    if (b->arena.used) {
        cel_arena_reset(&b->arena);
    }
}


static void
run_plain(bench_t *b, uint64_t n)
{
    b->eval.look = NULL;
    b->eval.deadline_ns = now(CLOCK_MONOTONIC) + 1000000000000;

    while (n--) {
        evaluate(b, NULL);
    }
}


static cel_status_t
finish(bench_t *b, cel_status_t rc)
{
    return ngx_constraint_budget_finish(&b->budget, &b->eval, rc);
}


/* the beginning was read by whoever began the decision */

static void
run_budget(bench_t *b, uint64_t n)
{
    uint64_t  start;

    start = now(CLOCK_MONOTONIC);

    while (n--) {
        b->budget.from_ns = start;
        b->budget.allowed_ns = 100000000000;
        b->budget.share_ns = 100000000000;
        b->budget.memory_limit = 1 << 20;
        b->budget.cpu_shares = 90;
        b->budget.thread = 0;

        b->eval.look = ngx_constraint_budget_look;
        b->eval.look_ctx = &b->budget;
        b->eval.deadline_ns = 0;

        ngx_constraint_budget_start(&b->budget, start);
        evaluate(b, finish);
    }
}


static void
run_clock(bench_t *b, uint64_t n)
{
    while (n--) {
        b->sum += now(CLOCK_MONOTONIC);
    }
}


static void
run_sample(bench_t *b, uint64_t n)
{
    while (n--) {
        b->sum += ngx_constraint_sample(&b->sampler, 0.1);
    }
}


static void
run_key(bench_t *b, uint64_t n)
{
    while (n--) {
        b->sum += ngx_constraint_sampling_in(
                      ngx_constraint_sampling_hash("alice@example.com", 17),
                      0.1);
    }
}


static const bench_case_t  cases[] = {
    { "plain", run_plain },
    { "budget", run_budget },
    { "clock", run_clock },
    { "sample", run_sample },
    { "key", run_key }
};


static void
bench_open(bench_t *b)
{
    cel_issues_t  issues;

    static const char  source[] =
        "method in ['GET', 'HEAD'] && path.startsWith('/api/')"
        " && role in ['viewer', 'editor', 'admin']"
        " && path.startsWith('/api/' + org + '/')";

    memset(&issues, 0, sizeof(issues));

    b->env = cel_env_create(&cel_allocator_libc, NULL);

    cel_env_declare(b->env, "method", "string", 0, CEL_SIZE_SMALL, 0);
    cel_env_declare(b->env, "path", "string", 1, CEL_SIZE_HEADERS, 0);
    cel_env_declare(b->env, "role", "string", 2, CEL_SIZE_HEADERS, 0);
    cel_env_declare(b->env, "org", "string", 3, CEL_SIZE_HEADERS, 0);

    b->program = cel_compile(b->env, source, sizeof(source) - 1, &issues);

    if (b->program == NULL) {
        printf("budget: %s\n", issues.items[0].message);
        exit(1);
    }

    cel_arena_init(&b->arena, &cel_allocator_libc, b->first,
                   sizeof(b->first), 1 << 20);
    b->eval.arena = &b->arena;
    b->eval.facts = b->facts;
    b->eval.nfacts = FACTS;
    b->eval.cost_limit = 10000000;
    cel_eval_init(&b->eval);

    b->facts[0] = cel_string("GET", 3);
    b->facts[1] = cel_string("/api/acme/orders/17", 19);
    b->facts[2] = cel_string("editor", 6);
    b->facts[3] = cel_string("acme", 4);

    b->sampler.state = 1;
}


int
main(int argc, char **argv)
{
    size_t           i;
    uint32_t         k;
    uint64_t         start, took, best;
    static bench_t   b;

    bench_open(&b);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        if (argc == 3) {
            if (strcmp(argv[1], cases[i].name) == 0) {
                cases[i].run(&b, strtoull(argv[2], NULL, 10));
            }

            continue;
        }

        best = UINT64_MAX;

        for (k = 0; k < ROUNDS; k++) {
            start = now(CLOCK_PROCESS_CPUTIME_ID);
            cases[i].run(&b, TIMES);
            took = now(CLOCK_PROCESS_CPUTIME_ID) - start;
            best = took < best ? took : best;
        }

        printf("%s %.1f\n", cases[i].name, (double) best / TIMES);
    }

    cel_program_destroy(b.program);
    cel_env_destroy(b.env);

    return b.sum == 1;
}
