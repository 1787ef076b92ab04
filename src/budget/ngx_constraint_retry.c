/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Retries: how long to wait for the next one, and whether there is one.
 */


#include "ngx_constraint_retry.h"


int
ngx_constraint_retry_next(const ngx_constraint_retry_plan_t *plan,
    uint32_t done, uint64_t left_ns, uint64_t *delay_ns)
{
    uint32_t  shift;
    uint64_t  delay;

    if (done >= plan->max) {
        return 0;
    }

    delay = (uint64_t) plan->backoff_us * 1000;

    /* 32 bits of microseconds take no more than 42 bits of nanoseconds */

    if (plan->exponential) {
        shift = done < 20 ? done : 20;
        delay <<= shift;
    }

    if (delay >= left_ns) {
        return 0;
    }

    *delay_ns = delay;

    return 1;
}
