/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Adaptive limits: inside their bounds whatever they are told, the p99 of two
 * windows against a model that keeps all samples, what has no memory, and a
 * clock that steps backwards.
 */


#include "tap.h"
#include "random.h"
#include "../../../src/budget/ngx_constraint_adaptive.c"
#include "../../../src/budget/ngx_constraint_histogram.c"


#define MODEL  8000


static ngx_atomic_t  memory[NGX_CONSTRAINT_ADAPTIVE_PIECES]
                           [NGX_CONSTRAINT_HISTOGRAM_PIECE];
static ngx_atomic_t  *pieces[NGX_CONSTRAINT_ADAPTIVE_PIECES];

static ngx_constraint_adaptive_t   adaptive;
static ngx_constraint_histogram_t  latency;

static uint64_t  samples[2][MODEL];
static size_t    counts[2];
static int       window;


static void
start(void)
{
    memset(&adaptive, 0, sizeof(adaptive));
    memset((void *) memory, 0, sizeof(memory));
    memset(pieces, 0, sizeof(pieces));
    memset(counts, 0, sizeof(counts));
    window = 0;
}


static void
count(uint64_t ns)
{
    ngx_uint_t  n;

    n = ngx_constraint_adaptive_piece(ns);
    pieces[n] = memory[n];

    ngx_constraint_adaptive_count(&adaptive, pieces[n], ns);

    if (counts[window] < MODEL) {
        samples[window][counts[window]++] = ns;
    }
}


/* The model's window ends when the other's does. */

static void
turn(uint64_t now_ms)
{
    ngx_uint_t  before;

    before = adaptive.window & 1;

    ngx_constraint_adaptive_turn(&adaptive, pieces, now_ms);

    if ((adaptive.window & 1) != before) {
        window = !window;
        counts[window] = 0;
    }
}


/* How far off the p99 is of that of all samples in both windows. */

static double
off(void)
{
    static uint64_t  all[2 * MODEL];

    memcpy(all, samples[0], counts[0] * sizeof(uint64_t));
    memcpy(all + counts[0], samples[1], counts[1] * sizeof(uint64_t));

    return relative_error(adaptive.p99_ns,
                          exact_quantile(all, counts[0] + counts[1], 0.99));
}


static void
test_bounds(void)
{
    int       i, inside;
    double    odd;
    uint32_t  limit;

    ngx_constraint_adaptive_conf_t  conf;

    inside = 1;

    for (i = 0; i < 200000; i++) {
        conf.min_us = 1 + next() % 1000000;
        conf.max_us = conf.min_us + next() % 1000000;
        odd = i % 4 == 0 ? INFINITY : i % 4 == 1 ? NAN : i % 4 == 2 ? 1e308
              : (double) (next() % 100000) / 100;
        conf.factor = odd;
        adaptive.p99_ns = next() >> next() % 64;

        limit = ngx_constraint_adaptive_limit(i % 7 ? &adaptive : NULL, &conf,
                                              (uint32_t) next());

        if (limit < conf.min_us || limit > conf.max_us) {
            inside = 0;
        }
    }

    ok(inside, "never outside of the bounds");

    conf.factor = 3;
    conf.min_us = 1000;
    conf.max_us = 50000;
    adaptive.p99_ns = 2000000;

    is_int(ngx_constraint_adaptive_limit(&adaptive, &conf, 7), 6000,
           "factor times the p99");

    adaptive.p99_ns = 0;
    is_int(ngx_constraint_adaptive_limit(&adaptive, &conf, 7000), 7000,
           "the fixed one, as nothing is known");
    is_int(ngx_constraint_adaptive_limit(NULL, &conf, 0), 50000,
           "the upper bound where there is none");
}


static void
test_samples(void)
{
    int  i;

    start();

    for (i = 0; i < 99; i++) {
        count(5000);
    }

    is_int(ngx_constraint_adaptive_learn(&adaptive, pieces, &latency), 99,
           "99 samples");
    is_int(adaptive.p99_ns, 0, "are not enough");

    count(5000);
    is_int(ngx_constraint_adaptive_learn(&adaptive, pieces, &latency), 100,
           "100 samples");
    ok(off() <= 0.016, "are");

    start();
    count(0);
    count(255);
    count(UINT64_MAX);
    is_int(ngx_constraint_adaptive_learn(&adaptive, pieces, &latency), 3,
           "what is out of the range is counted as well");
    is_int(ngx_constraint_adaptive_piece(0), 0, "in the first piece");
    is_int(ngx_constraint_adaptive_piece(UINT64_MAX),
           NGX_CONSTRAINT_ADAPTIVE_PIECES - 1, "or in the last");
}


/* Random behaviour, changing at random, against the model. */

static void
test_model(void)
{
    int       i, exact, few;
    double    worst;
    uint64_t  scale, now_ms, total, before;

    start();

    exact = 1;
    few = 0;
    worst = 0;
    scale = 1000;
    now_ms = 1000;

    for (i = 0; i < 60000; i++) {

        if (next() % 3000 == 0) {
            scale = 300 << next() % 20;
        }

        count(scale + next() % scale + (next() % 50 ? 0 : scale * 9));
        now_ms += next() % 40;

        if (next() % 500) {
            continue;
        }

        before = adaptive.p99_ns;
        total = ngx_constraint_adaptive_learn(&adaptive, pieces, &latency);

        if (total != counts[0] + counts[1]) {
            exact = 0;
        }

        if (total < NGX_CONSTRAINT_ADAPTIVE_SAMPLES) {
            few += adaptive.p99_ns != before;

        } else {
            worst = fmax(worst, off());
        }

        turn(now_ms);
    }

    ok(exact, "each sample of the two windows is counted once");
    is_int(few, 0, "nothing is learnt from fewer than 100");
    ok(worst <= 0.02, "the p99 is within 2 %% of that of all samples");
    ok(counts[0] + counts[1] < 5000, "what is old is forgotten");
}


static void
test_follows(void)
{
    int  i;

    start();
    turn(1000);

    for (i = 0; i < 900000; i++) {
        count(2000000);
    }

    turn(2000);
    is_int(window, 1, "a window has ended");

    for (i = 0; i < 999; i++) {
        count(1000);
    }

    turn(3000);
    is_int(window, 1, "one of 999 has not");

    count(1000);
    turn(4000);
    is_int(window, 0, "one of 1000 has");

    (void) ngx_constraint_adaptive_learn(&adaptive, pieces, &latency);
    ok(adaptive.p99_ns < 1100, "a million slow ones are forgotten");

    for (i = 0; i < 100; i++) {
        count(64000000);
    }

    (void) ngx_constraint_adaptive_learn(&adaptive, pieces, &latency);
    ok(adaptive.p99_ns > 63000000, "a tenth of slow ones is seen at once");
}


static void
test_clock(void)
{
    int  i;

    start();
    turn(1000000);

    for (i = 0; i < 100; i++) {
        count(1000);
    }

    turn(1059999);
    is_int(window, 0, "100 samples are no window before a minute");
    turn(1060000);
    is_int(window, 1, "after it they are");

    for (i = 0; i < 99; i++) {
        count(1000);
    }

    turn(9000000);
    is_int(window, 1, "99 are not, at any age");

    count(1000);
    turn(500);
    is_int(window, 1, "a clock that has stepped back ends none");
    turn(60500);
    is_int(window, 0, "it goes on from there");

    ok(ngx_constraint_adaptive_due(&adaptive, 70000), "the first look is due");
    ok(!ngx_constraint_adaptive_due(&adaptive, 70001), "not another one");
    ok(ngx_constraint_adaptive_due(&adaptive, 60), "nor is it put off by a "
       "clock that steps back");
    ok(!ngx_constraint_adaptive_due(&adaptive, 61), "which is one look");
}


static void
test_memory(void)
{
    int       i;
    uint64_t  p99_ns;

    start();
    turn(1000);

    for (i = 0; i < 1000; i++) {
        count(1000);
    }

    (void) ngx_constraint_adaptive_learn(&adaptive, pieces, &latency);
    p99_ns = adaptive.p99_ns;

    ok(ngx_constraint_adaptive_complete(&adaptive), "all had memory");

    for (i = 0; i < 5000; i++) {
        ngx_constraint_adaptive_count(&adaptive, NULL, 900000);
        count(500000);
    }

    ok(!ngx_constraint_adaptive_complete(&adaptive), "some had none");
    (void) ngx_constraint_adaptive_learn(&adaptive, pieces, &latency);
    is_int(adaptive.p99_ns, p99_ns, "nothing is learnt of that");

    turn(2000);
    ok(ngx_constraint_adaptive_complete(&adaptive), "the next window is new");

    ngx_constraint_adaptive_count(&adaptive, NULL, 900000);
    turn(3000);
    ok(!ngx_constraint_adaptive_complete(&adaptive), "one that counts nothing");
    turn(62000);
    ok(ngx_constraint_adaptive_complete(&adaptive), "ends after a minute");
}


int
main(void)
{
    test_bounds();
    test_samples();
    test_model();
    test_follows();
    test_clock();
    test_memory();

    return done_testing();
}
