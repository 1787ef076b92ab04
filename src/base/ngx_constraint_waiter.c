/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Waiters, and the clock that deadlines are told by.
 */


#include "ngx_constraint_base.h"


#if (NGX_CONSTRAINT_FAULTS)
static void ngx_constraint_clock_fault(struct timespec *ts);
#endif


void
ngx_constraint_waiter_cancel(ngx_constraint_waiter_t *waiter)
{
    if (waiter->waiting) {
        ngx_queue_remove(&waiter->queue);
        waiter->waiting = 0;
    }
}


uint64_t
ngx_constraint_now_ns(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

#if (NGX_CONSTRAINT_FAULTS)
    ngx_constraint_clock_fault(&ts);
#endif

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


#if (NGX_CONSTRAINT_FAULTS)

/* every other reading is of some time ago */

static void
ngx_constraint_clock_fault(struct timespec *ts)
{
    ngx_int_t                 back;
    static ngx_atomic_uint_t  readings;

    back = ngx_constraint_fault("clock.back_ms");

    if (back && (ngx_atomic_fetch_add(&readings, 1) & 1)) {
        ts->tv_sec -= back / 1000 + 1;
        ts->tv_nsec += 1000000000 - back % 1000 * 1000000;
    }
}

#endif
