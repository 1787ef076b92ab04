/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Adaptive limits: from a p99 to a limit.
 */


#include "ngx_constraint_adaptive.h"


#define NGX_CONSTRAINT_ADAPTIVE_EVERY  1000
#define NGX_CONSTRAINT_ADAPTIVE_SOON   100     /* while nothing is known */


uint32_t
ngx_constraint_adaptive_limit(const ngx_constraint_adaptive_t *adaptive,
    const ngx_constraint_adaptive_conf_t *conf, uint32_t max_exec_us)
{
    double    limit;
    uint64_t  p99_ns;

    p99_ns = adaptive ? adaptive->p99_ns : 0;

    limit = p99_ns ? conf->factor * (double) p99_ns / 1000
                   : max_exec_us ? max_exec_us : conf->max_us;

    /* also what is not a number is inside the bounds */

    if (!(limit < conf->max_us)) {
        return conf->max_us;
    }

    return limit < conf->min_us ? conf->min_us : (uint32_t) limit;
}


ngx_uint_t
ngx_constraint_adaptive_due(ngx_constraint_adaptive_t *adaptive,
    uint64_t now_ms)
{
    uint64_t  due;

    due = adaptive->due_ms;

    if (now_ms < due) {
        return 0;
    }

    return ngx_atomic_cmp_set(&adaptive->due_ms, due,
                              now_ms + (adaptive->p99_ns
                                        ? NGX_CONSTRAINT_ADAPTIVE_EVERY
                                        : NGX_CONSTRAINT_ADAPTIVE_SOON));
}


void
ngx_constraint_adaptive_learn(ngx_constraint_adaptive_t *adaptive,
    const ngx_constraint_histogram_t *latency)
{
    uint64_t  p99_ns;

    p99_ns = 0;

    if (latency->count >= NGX_CONSTRAINT_ADAPTIVE_SAMPLES) {
        p99_ns = ngx_constraint_histogram_quantile(latency, 0.99);
        p99_ns = ngx_max(p99_ns, 1);
    }

    adaptive->p99_ns = p99_ns;
}
