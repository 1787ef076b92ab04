/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The clocks that budgets go by.  Apart from the budget, whose arithmetic
 * knows no nginx.
 */


#include "ngx_constraint_base.h"
#include "ngx_constraint_budget.h"


uint64_t
ngx_constraint_clock_ns(void)
{
#if (NGX_CONSTRAINT_FAULTS)

    return ngx_constraint_now_ns();

#else

    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;

#endif
}


uint64_t
ngx_constraint_clock_thread_ns(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}
