
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Budgets: cost, memory, cancel, deadline; what they stop, how soon, that
 * nothing absorbs them, and that the estimate holds.
 */


#include <time.h>
#include "back.h"


static cel_flag_t  cancel;
static uint32_t    cancel_after;
static uint64_t    cost_at_cancel;


/* An endless list that sets the cancel flag while it is walked. */

static uint32_t
endless_size(const cel_object_t *o)
{
    return UINT32_MAX;
}


static cel_status_t
endless_entry(const cel_object_t *o, cel_eval_t *eval, uint32_t i,
    cel_value_t *key, cel_value_t *value)
{
    *value = cel_int(i);

    if (cancel_after != 0 && i == cancel_after) {
        cancel = true;
        cost_at_cancel = eval->cost;
    }

    return CEL_OK;
}


static const cel_object_ops_t  endless = {
    CEL_LIST, endless_size, NULL, endless_entry
};

static const cel_object_t  endless_list = { &endless };


static const char *const  loops[] = {
    "l.all(e, e >= 0)",
    "l.exists(e, e < 0)",
    "l.exists_one(e, e == 0)",
    "l.map(e, e)",
    "l.filter(e, e < 0)",
    "-1 in l",
    "l == l",
    "size(l + l) == 0",
    "l.all(e, l.exists(f, f == -1))",
    "l.exists(e, 1 / (e - e) == 1) || true",
    "l.all(e, e / 0 == 1) && false",
    "l.exists(e, e < 0) ? true : true"
};


static void
test_cost(back_t *b)
{
    size_t    i;
    uint64_t  cost;

    for (i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        back_compile(b, loops[i]);
        b->eval.cost_limit = 100000;

        ok(back_run(b) == CEL_ERROR && b->eval.error.kind == CEL_E_COST,
           "the cost limit stops %s", loops[i]);

        cel_arena_reset(&b->arena);
    }

    b->eval.cost_limit = 0;
    back_eval(b, "[1, 2, 3].map(e, e * 2).size() == 3 || l[0] == 1");
    cost = b->eval.cost;

    b->eval.cost_limit = cost;
    ok(back_run(b) == CEL_OK, "exactly the cost is enough");
    is_int(b->eval.cost, cost, "which is the same each time");

    b->eval.cost_limit = cost - 1;
    ok(back_run(b) == CEL_ERROR && b->eval.error.kind == CEL_E_COST,
       "one unit less is not");
    ok(b->eval.cost <= cost + 8, "and little more is spent than allowed");

    b->eval.cost_limit = 0;
}


static void
test_cancel(back_t *b)
{
    size_t  i;

    b->eval.cancel = &cancel;

    for (i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {

        if (i == 7) {
            continue;                    /* refused by memory before */
        }

        back_compile(b, loops[i]);
        cancel = false;
        cancel_after = 5000;
        cost_at_cancel = 0;

        ok(back_run(b) == CEL_ERROR
           && b->eval.error.kind == CEL_E_CANCELLED,
           "cancel stops %s", loops[i]);
        ok(b->eval.cost - cost_at_cancel <= 2 * CEL_LOOK_EVERY,
           "within %d units: %d", CEL_LOOK_EVERY,
           (int) (b->eval.cost - cost_at_cancel));

        cel_arena_reset(&b->arena);
    }

    cancel_after = 0;
    b->eval.cancel = NULL;
}


static uint64_t
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}


static void
test_deadline(back_t *b)
{
    uint64_t  start;

    back_compile(b, "l.all(e, l.exists(f, f == -1))");

    start = now();
    b->eval.deadline_ns = start + 5000000;

    ok(back_run(b) == CEL_ERROR && b->eval.error.kind == CEL_E_DEADLINE,
       "the deadline stops an endless loop");
    ok(now() - start < 500000000, "soon");

    b->eval.deadline_ns = 0;
    cel_arena_reset(&b->arena);
}


static void
test_memory(back_t *b)
{
    size_t  i;

    static const char *const  hungry[] = {
        "l.map(e, e)",
        "l.map(e, [e, e, e])",
        "l.map(e, string(e))",
        "l.map(e, {'a': e})",
        "l.exists(e, size(s + s) < 0)",
        "size(l + l) > 0",
        "l.all(e, 'x'.replace('x', s) != '')",
        "l.map(e, e).exists(e, true) || true"
    };

    b->facts[1] = cel_string("0123456789012345678901234567890123456789", 40);

    for (i = 0; i < sizeof(hungry) / sizeof(hungry[0]); i++) {
        b->arena.limit = 1 << 20;
        b->arena.peak = 0;
        b->eval.cost_limit = 10000000000;

        back_compile(b, hungry[i]);

        ok(back_run(b) == CEL_ERROR && b->eval.error.kind == CEL_E_MEMORY,
           "the memory limit stops %s", hungry[i]);
        ok(b->arena.peak <= 1 << 20, "the peak is within the limit");

        cel_arena_reset(&b->arena);
    }

    /* the file of a zone is larger */

    b->arena.limit = 300;
    b->facts[1] = cel_string("Europe/Berlin", 13);
    back_compile(b, "timestamp('2026-07-01T00:00:00Z').getHours(s) > 0");

    ok(back_run(b) == CEL_ERROR && b->eval.error.kind == CEL_E_MEMORY
       && strstr(b->eval.error.message, "memory limit of 300 bytes exceeded"),
       "a time zone that does not fit: %s", b->eval.error.message);

    cel_arena_reset(&b->arena);

    b->arena.limit = 64 << 20;
    b->eval.cost_limit = 0;
}


/* Estimate >= actual >= least, over documents of several sizes. */

static void
test_estimate(back_t *b)
{
    char               *text;
    size_t              i, k, len;
    cel_json_t         *json;
    cel_error_t         error;
    cel_sizes_t         sizes;
    cel_json_parser_t  *parser;

    static const char *const  sources[] = {
        "x.l.all(e, e.id >= 0)",
        "x.l.exists(e, e.name == 'nobody')",
        "x.l.map(e, e.id).filter(i, i > 3).exists_one(i, i == 4)",
        "x.l.exists(e, x.l.exists(f, f.id == -1 || e.id == -1))",
        "'none' in x.l || 3 in x.l.map(e, e.id)",
        "x == x && x.l != [] && x.s == x.s",
        "x.s.contains('q') || x.s.matches('^q+$') || x.s.startsWith('q')",
        "x.s.split('a').join('-').replace('a', 'bb') == ''",
        "x.l.map(e, e.name + '!').join(',').upperAscii().size() > 3",
        "'%s and %d'.format([x.s, x.l[0].id]) != ''",
        "(x.l + x.l).size() > 0 && x.l[0].name < x.s",
        "has(x.nope) || x.l.all(e, has(e.id)) || x.nope == 1",
        "x.l[0].id in [1, 2, 3] ? {'a': x.s, 'b': [1, x.l]} == {} : false",
        "x.l.all(e, 1 / e.id > 0 || e.id < 0 || !(e.id != 0))",
        "x.s.lastIndexOf('a') + x.s.indexOf('zz') > 0",
        "x.s.reverse().trim().substring(1).charAt(2) == 'a'"
    };

    parser = cel_json_parser_create();
    text = malloc(1 << 20);

    for (k = 1; k <= 100; k *= 10) {
        len = (size_t) sprintf(text, "{\"s\":\"%0*d\",\"l\":[",
                               (int) k * 10, 7);

        for (i = 0; i < k; i++) {
            len += (size_t) sprintf(text + len, "%s{\"id\":%zu,\"name\":\"n\"}",
                                    i ? "," : "", i);
        }

        len += (size_t) sprintf(text + len, "]}");

        json = cel_json_parse(parser, text, len, NULL, &error);
        b->facts[2] = cel_json_root(json);

        memset(&sizes, 0, sizeof(sizes));
        sizes.bytes[CEL_SIZE_HEADERS] = 0;
        sizes.bytes[CEL_SIZE_BODY] = len;

        for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
            back_eval(b, sources[i]);

            ok(cel_program_cost_max(b->program, &sizes) >= b->eval.cost,
               "%s: estimate %llu >= cost %llu", sources[i],
               (unsigned long long) cel_program_cost_max(b->program, &sizes),
               (unsigned long long) b->eval.cost);
            ok(cel_program_cost_min(b->program) <= b->eval.cost
               || b->rc != CEL_OK, "least %llu <= cost",
               (unsigned long long) cel_program_cost_min(b->program));

            cel_arena_reset(&b->arena);
        }

        cel_json_destroy(json);
    }

    free(text);
    cel_json_parser_destroy(parser);
}


int
main(void)
{
    back_t  b;

    back_open(&b);
    back_declare(&b, "l", 0, cel_object(&endless_list));
    back_declare(&b, "s", 1, cel_string("s", 1));
    back_declare(&b, "x", 2, cel_null());

    test_cost(&b);
    test_cancel(&b);
    test_deadline(&b);
    test_memory(&b);
    test_estimate(&b);

    back_close(&b);

    return done_testing();
}
