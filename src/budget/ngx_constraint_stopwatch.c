
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The stopwatch, but for its use: whether the counter is to be believed, and
 * what a tick of it is.
 */


#include <string.h>
#include <fcntl.h>
#include <time.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "ngx_constraint_stopwatch.h"


#define NGX_CONSTRAINT_STOPWATCH_EVERY  1000          /* ms */
#define NGX_CONSTRAINT_STOPWATCH_LEAST  100000000     /* ns measured */
#define NGX_CONSTRAINT_STOPWATCH_TRIES  5
#define NGX_CONSTRAINT_STOPWATCH_AGREE  64            /* to one in so many */

/* ticks of 20 GHz and of 50 MHz: no counter is beyond */
#define NGX_CONSTRAINT_STOPWATCH_SHORT  (((uint64_t) 1 << 32) / 20)
#define NGX_CONSTRAINT_STOPWATCH_LONG   (((uint64_t) 1 << 32) * 20)


static uint64_t ngx_constraint_stopwatch_tick(uint64_t ns, uint64_t ticks);
static void ngx_constraint_stopwatch_both(uint64_t *counter,
    uint64_t *clock_ns);


void
ngx_constraint_stopwatch_init(ngx_constraint_stopwatch_t *watch,
    const char *source)
{
#if defined(__x86_64__)

    int      fd, mode;
    char     name[4];
    ssize_t  n;

    memset(watch, 0, sizeof(ngx_constraint_stopwatch_t));

    /* a sandbox may have forbidden it: then reading it is a SIGSEGV */

    mode = 0;

    if (prctl(PR_GET_TSC, &mode) == -1 || mode != PR_TSC_ENABLE) {
        return;
    }

    fd = open(source, O_RDONLY|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    n = read(fd, name, sizeof(name));

    (void) close(fd);

    watch->counts = n == sizeof(name) && memcmp(name, "tsc\n", n) == 0;

#else

    (void) source;

    memset(watch, 0, sizeof(ngx_constraint_stopwatch_t));

#endif
}


void
ngx_constraint_stopwatch_measure(ngx_constraint_stopwatch_t *watch,
    uint64_t now_ms)
{
    uint64_t  counter, clock_ns, passed, tick, off;

    if (!watch->counts) {
        watch->due_ms = UINT64_MAX;
        return;
    }

    ngx_constraint_stopwatch_both(&counter, &clock_ns);

    passed = clock_ns - watch->clock_ns;

    if (watch->clock_ns && passed < NGX_CONSTRAINT_STOPWATCH_LEAST) {

        /* the caller's clock had stood still for long */

        watch->due_ms = now_ms + 1;
        return;
    }

    /* the first time; or the counter was set anew, by what moved us, say */

    tick = watch->clock_ns && counter > watch->counter
           ? ngx_constraint_stopwatch_tick(passed, counter - watch->counter)
           : 0;

    /* a step of the counter spoils one measurement */

    off = tick > watch->measured ? tick - watch->measured
                                 : watch->measured - tick;

    watch->tick = off <= tick / NGX_CONSTRAINT_STOPWATCH_AGREE ? tick : 0;
    watch->measured = tick;
    watch->counter = counter;
    watch->clock_ns = clock_ns;
    watch->due_ms = now_ms + NGX_CONSTRAINT_STOPWATCH_EVERY;
}


/* 0: it cannot be. */

static uint64_t
ngx_constraint_stopwatch_tick(uint64_t ns, uint64_t ticks)
{
    uint64_t  tick;

    /* of hours a part will do, and fits */

    while (ns >> 32) {
        ns >>= 1;
        ticks >>= 1;
    }

    tick = ticks ? (ns << 32) / ticks : 0;

    return tick < NGX_CONSTRAINT_STOPWATCH_SHORT
           || tick > NGX_CONSTRAINT_STOPWATCH_LONG ? 0 : tick;
}


/* At once: of some tries the one that was interrupted least. */

static void
ngx_constraint_stopwatch_both(uint64_t *counter, uint64_t *clock_ns)
{
    int       i;
    uint64_t  before, ns, took, least;

    least = UINT64_MAX;
    *counter = 0;
    *clock_ns = 0;

    for (i = 0; i < NGX_CONSTRAINT_STOPWATCH_TRIES; i++) {
        before = ngx_constraint_stopwatch_counter();
        ns = ngx_constraint_stopwatch_clock();
        took = ngx_constraint_stopwatch_counter() - before;

        if (took < least) {
            least = took;
            *counter = before + took / 2;
            *clock_ns = ns;
        }
    }
}


/* Whatever the counter did, it began after the last measurement. */

uint64_t
ngx_constraint_stopwatch_at_most(const ngx_constraint_stopwatch_t *watch,
    uint64_t ns)
{
    uint64_t  passed;

    passed = ngx_constraint_stopwatch_clock() - watch->clock_ns;

    return ns < passed ? ns : passed;
}


uint64_t
ngx_constraint_stopwatch_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}
