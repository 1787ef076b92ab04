
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_stopwatch.h - how long something took that is hardly longer
 * than two readings of a clock.  Judges nothing: deadlines and budgets go by
 * the clock.  Knows no nginx, takes no memory.
 *
 * On x86-64, where the kernel itself tells the time by the processor's
 * counter when the worker starts, that is read directly: the kernel takes it
 * for its clock source "tsc" only if it never stops, has one frequency and is
 * the same on all processors (Intel SDM vol. 3B, "Invariant TSC";
 * /sys/devices/system/clocksource).  How long a tick is, is measured against
 * CLOCK_MONOTONIC every second, and believed when two measurements in a row
 * agree: a virtual machine may move.  Until then, without that source and
 * elsewhere, CLOCK_MONOTONIC is read.
 *
 * One thread's, which is the event loop.
 */


#ifndef _NGX_CONSTRAINT_STOPWATCH_H_INCLUDED_
#define _NGX_CONSTRAINT_STOPWATCH_H_INCLUDED_


#include <stdint.h>


/* Where the kernel names its clock source. */
#define NGX_CONSTRAINT_STOPWATCH_SOURCE                                       \
    "/sys/devices/system/clocksource/clocksource0/current_clocksource"


typedef struct {
    /* what every use reads is together */
    uint64_t    due_ms;                 /* when a tick is measured again */
    uint64_t    tick;                   /* in ns / 2^32; 0: by the clock */

    uint64_t    measured;               /* the last time */
    uint64_t    counter;                /* then */
    uint64_t    clock_ns;
    unsigned    counts:1;               /* the kernel goes by the counter */
} ngx_constraint_stopwatch_t;


/* source: a file as above; one that cannot be read names none. */
void ngx_constraint_stopwatch_init(ngx_constraint_stopwatch_t *watch,
    const char *source);

/* Private: measures a tick; the less of ns and of what can have passed;
 * CLOCK_MONOTONIC in nanoseconds. */
void ngx_constraint_stopwatch_measure(ngx_constraint_stopwatch_t *watch,
    uint64_t now_ms) __attribute__((cold));
uint64_t ngx_constraint_stopwatch_at_most(
    const ngx_constraint_stopwatch_t *watch, uint64_t ns)
    __attribute__((cold));
uint64_t ngx_constraint_stopwatch_clock(void);

#define NGX_CONSTRAINT_STOPWATCH_LONG_NS  10000000


#if defined(__x86_64__)

#define ngx_constraint_stopwatch_counter()  __builtin_ia32_rdtsc()

static inline uint64_t
ngx_constraint_stopwatch_ns(uint64_t ticks, uint64_t tick)
{
    return (unsigned __int128) ticks * tick >> 32;
}

#else

#define ngx_constraint_stopwatch_counter()  ((uint64_t) 0)
#define ngx_constraint_stopwatch_ns(ticks, tick)  (ticks)

#endif


/*
 * What elapsed() goes by; now_ms is any monotonic clock's, a cached one will
 * do.
 */
static inline uint64_t
ngx_constraint_stopwatch_start(ngx_constraint_stopwatch_t *watch,
    uint64_t now_ms)
{
    if (now_ms >= watch->due_ms) {
        ngx_constraint_stopwatch_measure(watch, now_ms);
    }

    return watch->tick ? ngx_constraint_stopwatch_counter()
                       : ngx_constraint_stopwatch_clock();
}


/* Nanoseconds since that start, the last one; 0 if time went backwards. */

static inline uint64_t
ngx_constraint_stopwatch_elapsed(const ngx_constraint_stopwatch_t *watch,
    uint64_t started)
{
    uint64_t  now, ns;

    if (watch->tick == 0) {
        now = ngx_constraint_stopwatch_clock();
        return now > started ? now - started : 0;
    }

    now = ngx_constraint_stopwatch_counter();

    if (now <= started) {
        return 0;
    }

    ns = ngx_constraint_stopwatch_ns(now - started, watch->tick);

    return ns < NGX_CONSTRAINT_STOPWATCH_LONG_NS
           ? ns : ngx_constraint_stopwatch_at_most(watch, ns);
}


#endif /* _NGX_CONSTRAINT_STOPWATCH_H_INCLUDED_ */
