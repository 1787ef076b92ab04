/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The stopwatch against the clock: what it says lies between what the clock
 * says inside and around it, however long the machine lets us wait; and that
 * it goes by the clock where the counter is not to be believed.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "../../../src/budget/ngx_constraint_stopwatch.c"


#define MS  1000000


static char  source[] = "/tmp/test_stopwatch.XXXXXX";


static void
name_source(const char *text)
{
    FILE  *file;

    file = fopen(source, "w");
    fprintf(file, "%s\n", text);
    fclose(file);
}


static void
wait_ns(uint64_t ns)
{
    uint64_t  start;

    start = ngx_constraint_stopwatch_clock();

    while (ngx_constraint_stopwatch_clock() - start < ns) {
        /* void */
    }
}


/* Half a thousandth, and what a reading takes. */

static void
test_between(ngx_constraint_stopwatch_t *watch, uint64_t ns, const char *what)
{
    int       low, high;
    uint64_t  outer, inner, started, took, i;

    low = 0;
    high = 0;

    for (i = 0; i < 20; i++) {
        outer = ngx_constraint_stopwatch_clock();
        started = ngx_constraint_stopwatch_start(watch, 1);
        inner = ngx_constraint_stopwatch_clock();

        wait_ns(ns);

        inner = ngx_constraint_stopwatch_clock() - inner;
        took = ngx_constraint_stopwatch_elapsed(watch, started);
        outer = ngx_constraint_stopwatch_clock() - outer;

        low += took + took / 2000 + 200 < inner;
        high += took > outer + outer / 2000 + 200;
    }

    is_int(low, 0, "%s: no less than inside", what);
    is_int(high, 0, "%s: no more than around", what);
}


/* Once more, after 120 ms at least. */

static void
measure(ngx_constraint_stopwatch_t *watch, uint64_t now_ms)
{
    usleep(120000);
    watch->due_ms = 0;
    (void) ngx_constraint_stopwatch_start(watch, now_ms);
}


/* As nginx uses it: the time of the loop, from second to second. */

static void
learn(ngx_constraint_stopwatch_t *watch)
{
    uint64_t  since;

    (void) ngx_constraint_stopwatch_start(watch, 5000);
    is_int(watch->tick, 0, "the first second is by the clock");
    is_int(watch->due_ms, 6000, "a tick is measured after it");

    since = watch->clock_ns;

    (void) ngx_constraint_stopwatch_start(watch, 5999);
    ok(watch->clock_ns == since, "not before");

    (void) ngx_constraint_stopwatch_start(watch, 6000);
    ok(watch->clock_ns == since
       ? watch->due_ms == 6001
       : watch->clock_ns - since >= NGX_CONSTRAINT_STOPWATCH_LEAST,
       "not when too little time has passed, but soon");

    watch->measured = 0;

    measure(watch, 7000);
    is_int(watch->tick, 0, "one measurement is not believed");
    ok(watch->measured, "but kept");

    measure(watch, 8000);
}


static void
test_counter(void)
{
    uint64_t                    tick, started, took;
    ngx_constraint_stopwatch_t  watch;

    name_source("tsc");
    ngx_constraint_stopwatch_init(&watch, source);

    if (!watch.counts) {
        tap_skip(1, "the processor's counter may not be read here");
        return;
    }

    learn(&watch);

    tick = watch.tick;

    ok(tick >= ((uint64_t) 1 << 32) / 20 && tick <= ((uint64_t) 20 << 32),
       "a tick is %.4f ns", (double) tick / ((uint64_t) 1 << 32));
    is_int(watch.due_ms, 9000, "and is measured again after a second");

    watch.due_ms = UINT64_MAX;

    test_between(&watch, 1000, "a microsecond by the counter");
    test_between(&watch, 20 * MS, "20 ms by the counter");

    started = ngx_constraint_stopwatch_start(&watch, 1);
    is_int(ngx_constraint_stopwatch_elapsed(&watch, started + 100000000000), 0,
           "a counter that steps back: no time has passed");

    took = ngx_constraint_stopwatch_elapsed(&watch,
                                            started - 10000000000000);
    ok(took <= ngx_constraint_stopwatch_clock() - watch.clock_ns,
       "an hour forward: no more than since the last measurement");

    /* the machine was moved: another frequency, then another counter */

    watch.counter -= ngx_constraint_stopwatch_counter() - watch.counter
                     + 1000000;
    measure(&watch, 9000);
    is_int(watch.tick, 0, "a faster counter: by the clock");
    ok(watch.measured && watch.measured < tick, "its ticks are shorter");
    test_between(&watch, 1000, "a microsecond by the clock then");

    measure(&watch, 10000);
    is_int(watch.tick, 0, "another frequency again");
    measure(&watch, 11000);
    ok(watch.tick >= tick - tick / 1000 && watch.tick <= tick + tick / 1000,
       "by the counter when it has kept its frequency");

    watch.counter = UINT64_MAX;
    measure(&watch, 12000);
    is_int(watch.tick, 0, "a counter that began anew: by the clock");

    watch.counter = ngx_constraint_stopwatch_counter() - 10;
    watch.clock_ns -= (uint64_t) 200000 * MS;
    watch.due_ms = 0;
    (void) ngx_constraint_stopwatch_start(&watch, 13000);
    is_int(watch.measured, 0, "one that hardly counts is no measurement");

    measure(&watch, 14000);
    measure(&watch, 15000);
    ok(watch.tick, "by the counter once more");
}


static void
test_tick(void)
{
    uint64_t  tick, day;

    tick = (uint64_t) 1 << 31;
    day = (uint64_t) 86400 * 1000 * MS;

    is_int(ngx_constraint_stopwatch_tick(1000, 2000), tick, "half a ns");
    is_int(ngx_constraint_stopwatch_tick(day * 1000, day * 2000), tick,
           "after a thousand days, too");
    is_int(ngx_constraint_stopwatch_tick(1000, 0), 0, "no tick at all");
    is_int(ngx_constraint_stopwatch_tick(1000, 21000), 0, "too short");
    is_int(ngx_constraint_stopwatch_tick(21000, 1000), 0, "too long");
}


static void
test_clock(const char *text)
{
    ngx_constraint_stopwatch_t  watch;

    if (text) {
        name_source(text);
        ngx_constraint_stopwatch_init(&watch, source);

    } else {
        ngx_constraint_stopwatch_init(&watch, "/nonexistent/source");
        text = "no source";
    }

    (void) ngx_constraint_stopwatch_start(&watch, 1000);
    is_int(watch.tick, 0, "%s: by the clock", text);
    ok(watch.due_ms == UINT64_MAX, "%s: for good", text);
    test_between(&watch, 1000, text);
}


int
main(void)
{
    int  fd;

    fd = mkstemp(source);
    ok(fd != -1, "a file");
    close(fd);

    test_tick();
    test_counter();
    test_clock("kvm-clock");
    test_clock("tsc-early");
    test_clock("tscx");
    test_clock(NULL);

    unlink(source);

    return done_testing();
}
