
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_retry.h - when a transient failure is tried again.  Knows no
 * nginx, waits for nothing itself.
 */


#ifndef _NGX_CONSTRAINT_RETRY_H_INCLUDED_
#define _NGX_CONSTRAINT_RETRY_H_INCLUDED_


#include <stdint.h>


typedef struct {
    uint32_t    max;             /* retries after the first try */
    uint32_t    backoff_us;
    uint32_t    exponential;     /* backoff x 2^attempt, attempt from 0 */
} ngx_constraint_retry_plan_t;


/*
 * After `done` retries, with so much time left: 1 with *delay_ns to wait
 * before the next one, or 0 when there is none: all are used up, or it would
 * begin when the time is over.
 */
int ngx_constraint_retry_next(const ngx_constraint_retry_plan_t *plan,
    uint32_t done, uint64_t left_ns, uint64_t *delay_ns);


#endif /* _NGX_CONSTRAINT_RETRY_H_INCLUDED_ */
