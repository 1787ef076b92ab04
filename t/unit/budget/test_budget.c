
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The budget against evaluations that run away, by clocks of our own: what
 * is found, in which order, and that nothing runs on after it was found.
 */

#include <stdlib.h>

#include "tap.h"
#include "ngx_constraint_budget.h"


#define MS     1000000ull
#define FACTS  4

/* A regular expression or a format is charged before it runs, in one piece. */
#define PIECE  600000


typedef struct {
    cel_arena_t               arena;
    cel_eval_t                eval;
    cel_value_t               facts[FACTS];
    cel_value_t               value;
    cel_env_t                *env;
    ngx_constraint_budget_t   budget;
    uint64_t                  cost_before;   /* at the last good look */
    uint64_t                  cost_found;    /* at the look that stopped it */
    uint64_t                  spans;         /* widest between two looks */
} bench_t;


static uint64_t  wall;              /* the clocks, and what a read adds */
static uint64_t  wall_step;
static uint64_t  cpu;
static uint64_t  cpu_step;
static uint64_t  cpu_reads;


uint64_t
ngx_constraint_clock_ns(void)
{
    return wall += wall_step;
}


uint64_t
ngx_constraint_clock_thread_ns(void)
{
    cpu_reads++;

    return cpu += cpu_step;
}


static cel_status_t
watch(void *ctx, cel_eval_t *eval)
{
    bench_t       *b = ctx;
    cel_status_t   rc;

    if (eval->cost - b->cost_before > b->spans) {
        b->spans = eval->cost - b->cost_before;
    }

    rc = ngx_constraint_budget_look(&b->budget, eval);

    if (rc == CEL_OK) {
        b->cost_before = eval->cost;

    } else {
        b->cost_found = eval->cost;
    }

    return rc;
}


static void
reset(bench_t *b)
{
    wall = 1000 * MS;
    wall_step = 0;
    cpu = 1;
    cpu_step = 0;
    cpu_reads = 0;

    cel_arena_reset(&b->arena);
    b->arena.limit = 64 << 20;
    b->arena.peak = 0;
    b->arena.refused = 0;

    b->eval.cost = 0;
    b->eval.next_look = 0;
    b->eval.cost_limit = 1000000000;
    b->eval.error.kind = CEL_E_NONE;
    b->eval.look = watch;
    b->eval.look_ctx = b;

    b->cost_before = 0;
    b->cost_found = 0;
    b->spans = 0;

    memset(&b->budget, 0, sizeof(b->budget));
    b->budget.from_ns = wall;
    b->budget.allowed_ns = NGX_CONSTRAINT_BUDGET_NONE;
    b->budget.share_ns = NGX_CONSTRAINT_BUDGET_NONE;
    b->budget.memory_limit = NGX_CONSTRAINT_BUDGET_NONE;
    b->budget.cpu_shares = 100;
}


static cel_status_t
run(bench_t *b, const char *source)
{
    cel_status_t    rc;
    cel_issues_t    issues;
    cel_program_t  *program;

    memset(&issues, 0, sizeof(issues));

    program = cel_compile(b->env, source, strlen(source), &issues);
    if (program == NULL) {
        ok(0, "%s: %s", source, issues.items[0].message);
        return CEL_ERROR;
    }

    ngx_constraint_budget_start(&b->budget, wall);

    rc = cel_eval(program, &b->eval, &b->value);
    rc = ngx_constraint_budget_finish(&b->budget, &b->eval, rc);

    cel_program_destroy(program);

    return rc;
}


static const char *
told(bench_t *b)
{
    char                         *end;
    static char                   buf[NGX_CONSTRAINT_VIOLATIONS_JSON + 1];
    ngx_constraint_violations_t   violations;

    violations.count = 0;
    ngx_constraint_budget_violations(&b->budget, &violations);
    end = ngx_constraint_violations_json(buf, &violations);
    *end = '\0';

    return buf;
}


/* 100 us pass from look to look: the 51st is over 5 ms */

static void
test_time(bench_t *b)
{
    reset(b);
    b->budget.allowed_ns = 5 * MS;
    wall_step = MS / 10;

    ok(run(b, "l.all(a, l.all(b, a != b || true))") == CEL_ERROR,
       "the time stops a loop");
    is_int(b->eval.error.kind, CEL_E_BUDGET, "for the budget");
    is_int(b->budget.looks, 51, "at the first look after it");
    is_int(b->eval.cost, b->cost_found, "no step is made after it");
    ok(b->spans <= 2 * CEL_LOOK_EVERY, "looks are %d units apart at most",
       (int) b->spans);
    is_str(told(b), "{\"TimeoutExceeded\":{\"allowed_ms\":5,"
           "\"actual_ms\":5.1}}", "and it is told");

    /* no look in between, but ended too late */

    reset(b);
    b->budget.allowed_ns = 5 * MS;
    wall_step = 6 * MS;

    ok(run(b, "true") == CEL_ERROR, "what ends too late is stopped, too");
    is_str(told(b), "{\"TimeoutExceeded\":{\"allowed_ms\":5,"
           "\"actual_ms\":6}}", "and told");

    reset(b);
    b->budget.allowed_ns = 5 * MS;
    wall_step = 5 * MS;
    ok(run(b, "true") == CEL_OK, "the very end of the time is within");

    /* the queue counts */

    reset(b);
    b->budget.allowed_ns = 5 * MS;
    b->budget.from_ns = wall - 6 * MS;
    ok(run(b, "true") == CEL_ERROR, "time before the run counts");
    is_str(told(b), "{\"TimeoutExceeded\":{\"allowed_ms\":5,"
           "\"actual_ms\":6}}", "and is told");
}


/* An error that && or || would absorb must not hide a stop. */

static void
test_absorbed(bench_t *b)
{
    reset(b);
    b->budget.allowed_ns = 1 * MS;
    wall_step = MS / 10;

    ok(run(b, "l.all(a, l.all(b, a != b || true)) || true") == CEL_ERROR
       && b->eval.error.kind == CEL_E_BUDGET, "|| does not absorb it");

    reset(b);
    b->budget.allowed_ns = 1 * MS;
    wall_step = 2 * MS;

    ok(run(b, "1 / 0 == 1") == CEL_ERROR
       && b->eval.error.kind == CEL_E_BUDGET,
       "an error that comes too late is a violation");
}


static void
test_memory(bench_t *b)
{
    size_t       i;
    const char  *prefix;

    static const char *const  hungry[] = {
        "l.map(e, [e, e, e]).size() < 0",
        ("l.map(e, string(e) + '0123456789012345678901234567890123456789')"
         ".size() < 0"),
        "size(s + s) < 0 || size(s + s) < 0",
        "'%s%s%s'.format([s, s, s]) == ''",
        "l.all(e, 'x'.replace('x', s) != '')"
    };

    prefix = "{\"MemoryExceeded\":{\"limit_bytes\":100000,"
             "\"actual_bytes\":";

    for (i = 0; i < sizeof(hungry) / sizeof(hungry[0]); i++) {
        reset(b);
        b->arena.limit = 100000;
        b->budget.memory_limit = 100000;

        ok(run(b, hungry[i]) == CEL_ERROR, "the memory stops %s", hungry[i]);
        ok(b->arena.peak <= 100000, "within the limit");
        ok(strncmp(told(b), prefix, strlen(prefix)) == 0
           && strtoull(told(b) + strlen(prefix), NULL, 10) > 100000,
           "%s", told(b));
    }

    /* found at a look: the arena has no limit of its own here */

    reset(b);
    b->budget.memory_limit = 20000;
    ok(run(b, "l.map(e, [e, e, e]).size() < 0") == CEL_ERROR,
       "a look finds it as well");
    is_int(b->eval.cost, b->cost_found, "no step is made after it");
    ok(b->arena.peak < 20000 + 2 * CEL_LOOK_EVERY * 64,
       "soon: %d bytes", (int) b->arena.peak);
}


static void
test_cpu_inline(bench_t *b)
{
    reset(b);
    b->budget.allowed_ns = 10 * MS;
    b->budget.share_ns = 10 * MS;
    b->budget.cpu_shares = 20;
    wall_step = MS / 10;

    ok(run(b, "l.all(a, l.all(b, a != b || true))") == CEL_ERROR,
       "CPU stops a loop of the event loop");
    is_int(b->budget.looks, 21, "after a fifth of the time");
    is_int(b->eval.cost, b->cost_found, "no step is made after it");
    is_int(cpu_reads, 0, "and the CPU clock is not read there");
    is_str(told(b), "{\"CpuExceeded\":{\"shares\":20,"
           "\"actual_usage_percent\":21.001}}", "and it is told");

    /* time before the run is no CPU time */

    reset(b);
    b->budget.from_ns = wall - 5 * MS;
    b->budget.allowed_ns = 10 * MS;
    b->budget.share_ns = 10 * MS;
    b->budget.cpu_shares = 20;
    wall_step = 1 * MS;
    ok(run(b, "true") == CEL_OK, "waiting takes no CPU");

    reset(b);
    b->budget.share_ns = 10 * MS;
    b->budget.cpu_shares = 0;
    ok(run(b, "true") == CEL_ERROR, "no shares are no CPU");
    is_str(told(b), "{\"CpuExceeded\":{\"shares\":0,"
           "\"actual_usage_percent\":0.001}}", "and it is told");
}


static void
test_cpu_thread(bench_t *b)
{
    reset(b);
    b->budget.thread = 1;
    b->budget.allowed_ns = 100 * MS;
    b->budget.share_ns = 100 * MS;
    b->budget.cpu_shares = 10;
    wall_step = MS / 10;

    /* the thread has half of a processor */

    cpu_step = 5 * MS;

    ok(run(b, "l.all(a, l.all(b, a != b || true))") == CEL_ERROR,
       "CPU stops a loop of a thread");
    is_int(b->eval.cost, b->cost_found, "no step is made after it");
    ok(cpu_reads <= 4, "the clock of the CPU is read %d times in %d looks",
       (int) cpu_reads, (int) b->budget.looks);
    is_str(told(b), "{\"CpuExceeded\":{\"shares\":10,"
           "\"actual_usage_percent\":15.001}}", "and it is told");

    /* a thread that waits for a processor uses none */

    reset(b);
    b->budget.thread = 1;
    b->budget.allowed_ns = 1000 * MS;
    b->budget.share_ns = 100 * MS;
    b->budget.cpu_shares = 10;
    wall_step = 200 * MS;
    cpu_step = 1 * MS;

    ok(run(b, "true") == CEL_OK, "time without CPU is no CPU time");

    reset(b);
    b->budget.thread = 1;
    ok(run(b, "l.all(a, a >= 0)") == CEL_OK && cpu_reads == 0,
       "without shares the clock of the CPU is never read");
}


static void
test_several(bench_t *b)
{
    char  want[NGX_CONSTRAINT_VIOLATIONS_JSON];

    reset(b);
    b->arena.limit = 64;
    b->budget.memory_limit = 64;
    b->budget.allowed_ns = 5 * MS;
    b->budget.share_ns = 5 * MS;
    b->budget.cpu_shares = 50;
    wall_step = 6 * MS;

    ok(run(b, "[l[0], l[1], l[2], l[3], l[4]].size() < 0") == CEL_ERROR,
       "all at one look");
    snprintf(want, sizeof(want), "{\"MultipleViolations\":["
             "{\"TimeoutExceeded\":{\"allowed_ms\":5,\"actual_ms\":6}},"
             "{\"MemoryExceeded\":{\"limit_bytes\":64,"
             "\"actual_bytes\":%d}},"
             "{\"CpuExceeded\":{\"shares\":50,"
             "\"actual_usage_percent\":120.001}}]}",
             (int) b->arena.refused);
    is_str(told(b), want, "time, memory, CPU");

    reset(b);
    b->budget.allowed_ns = 5 * MS;
    b->budget.share_ns = 5 * MS;
    b->budget.cpu_shares = 50;
    wall_step = 6 * MS;

    ok(run(b, "true") == CEL_ERROR, "two of them");
    is_str(told(b), "{\"MultipleViolations\":["
           "{\"TimeoutExceeded\":{\"allowed_ms\":5,\"actual_ms\":6}},"
           "{\"CpuExceeded\":{\"shares\":50,"
           "\"actual_usage_percent\":120.001}}]}", "time and CPU");
    ok(strstr(b->eval.error.message, "time of 5000 us") != NULL,
       "time is the one in words: %s", b->eval.error.message);
}


/* The cost of a piece is charged at once, before it runs: it never starts. */

static void
test_pieces(bench_t *b)
{
    size_t  i;

    static const char *const  large[] = {
        "s.matches('(a|b|ab)*c') || s.matches('(a|b|ab)*d')"
        " || s.matches('(a|b|ab)*e')",
        "'%s'.format([s]) == '' || '%s'.format([s]) == ''"
        " || '%s'.format([s]) == ''",
        "(s + s).replace('a', 'bb') == '' || s.replace('a', 'b') == ''",
        "s.split('').size() < 0 || s.split('').size() < 0"
    };

    for (i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
        reset(b);
        b->budget.allowed_ns = 1 * MS;
        wall_step = 2 * MS;

        ok(run(b, large[i]) == CEL_ERROR
           && b->eval.error.kind == CEL_E_BUDGET, "stops %.20s...", large[i]);
        is_int(b->budget.looks, 1, "at the first look");
        is_int(b->eval.cost, b->cost_found, "no step is made after it");
        ok(b->spans < PIECE, "which is %d units away", (int) b->spans);
    }
}


static void
test_back(bench_t *b)
{
    /* a clock that steps backwards: neither wraps nor stops anything */

    reset(b);
    b->budget.allowed_ns = 5 * MS;
    b->budget.share_ns = 5 * MS;
    b->budget.cpu_shares = 50;
    b->eval.cost_limit = 100000;
    wall_step = -MS;

    ok(run(b, "l.all(a, l.all(b, a != b || true))") == CEL_ERROR
       && b->eval.error.kind == CEL_E_COST,
       "a clock that goes back leaves the cost");
    is_int(b->budget.found, 0, "and is no violation");

    reset(b);
    b->budget.from_ns = wall + 100 * MS;
    b->budget.allowed_ns = 5 * MS;
    ok(run(b, "true") == CEL_OK, "nor is a start in the future");
}


static void
test_none(bench_t *b)
{
    reset(b);
    wall_step = 1000000 * MS;

    ok(run(b, "l.all(a, a >= 0)") == CEL_OK, "what is not limited is not");
    is_str(told(b), "", "and nothing is told");
    ok(sizeof(ngx_constraint_budget_t) <= 128, "the size is %d bytes",
       (int) sizeof(ngx_constraint_budget_t));
    ok(ngx_constraint_budget_ns(0) == NGX_CONSTRAINT_BUDGET_NONE
       && ngx_constraint_budget_ns(3) == 3000, "0 is unlimited");
}


int
main(void)
{
    char          *text;
    bench_t        b;
    uint32_t       i;
    cel_value_t   *list;

    memset(&b, 0, sizeof(b));

    text = malloc(65536);
    list = malloc(2000 * sizeof(cel_value_t));

    memset(text, 'a', 65536);

    for (i = 0; i < 2000; i++) {
        list[i] = cel_int(i);
    }

    b.env = cel_env_create(&cel_allocator_libc, NULL);
    cel_env_declare(b.env, "l", "list(int)", 0, CEL_SIZE_BODY, 0);
    cel_env_declare(b.env, "s", "string", 1, CEL_SIZE_BODY, 0);

    cel_arena_init(&b.arena, &cel_allocator_libc, NULL, 0, 0);
    b.eval.arena = &b.arena;
    b.eval.facts = b.facts;
    b.eval.nfacts = FACTS;
    cel_eval_init(&b.eval);

    {
        cel_arena_t  own;

        cel_arena_init(&own, &cel_allocator_libc, NULL, 0, 0);
        cel_list(&own, list, 2000, &b.facts[0]);
        b.facts[1] = cel_string(text, 65536);

        test_time(&b);
        test_absorbed(&b);
        test_memory(&b);
        test_cpu_inline(&b);
        test_cpu_thread(&b);
        test_several(&b);
        test_pieces(&b);
        test_back(&b);
        test_none(&b);

        cel_arena_reset(&own);
    }

    cel_arena_reset(&b.arena);
    cel_env_destroy(b.env);
    free(list);
    free(text);

    return done_testing();
}
