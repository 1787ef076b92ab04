
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Retries: waiting times and where they end.
 */

#include "tap.h"
#include "ngx_constraint_retry.h"


#define MS  1000000ull


static void
test_plan(uint32_t max, uint32_t exponential, const uint64_t *want_ms,
    uint64_t left_ns, const char *text)
{
    uint32_t                     i;
    uint64_t                     delay;
    ngx_constraint_retry_plan_t  plan;

    plan.max = max;
    plan.backoff_us = 10000;
    plan.exponential = exponential;

    for (i = 0; want_ms[i]; i++) {
        delay = 0;
        is_int(ngx_constraint_retry_next(&plan, i, left_ns, &delay), 1,
               "%s: retry %u", text, i);
        is_int(delay, want_ms[i] * MS, "%s: its delay", text);
    }

    is_int(ngx_constraint_retry_next(&plan, i, left_ns, &delay), 0,
           "%s: none after %u", text, i);
}


int
main(void)
{
    uint64_t                     delay;
    ngx_constraint_retry_plan_t  plan;

    static const uint64_t  none[] = { 0 };
    static const uint64_t  fixed[] = { 10, 10, 10, 0 };
    static const uint64_t  exponential[] = { 10, 20, 40, 80, 0 };

    test_plan(0, 0, none, 1000 * MS, "no retries");
    test_plan(3, 0, fixed, 1000 * MS, "fixed");
    test_plan(4, 1, exponential, 1000 * MS, "exponential");
    test_plan(10, 1, exponential, 81 * MS, "exponential, the deadline");
    test_plan(10, 0, none, 10 * MS, "not at the deadline");

    plan.max = 1000;
    plan.backoff_us = UINT32_MAX;
    plan.exponential = 1;

    ok(ngx_constraint_retry_next(&plan, 999, UINT64_MAX, &delay)
       && delay == ((uint64_t) UINT32_MAX * 1000) << 20,
       "the largest delay does not wrap");

    plan.backoff_us = 0;
    ok(ngx_constraint_retry_next(&plan, 0, 1, &delay) && delay == 0,
       "without a backoff it is at once");
    is_int(ngx_constraint_retry_next(&plan, 0, 0, &delay), 0,
           "but not when the time is over");

    return done_testing();
}
