
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_adaptive.h - a limit of time that follows what evaluations
 * have taken: factor x p99 of their latency, inside its bounds.  The p99 is
 * kept in shared memory, for all workers, and the limit is told from it by
 * the configuration of the moment, so that it is never outside of that.
 *
 * The p99 is looked up at most once a second, by one of the workers; with
 * fewer than 100 samples it is not used: the limit is then max_exec_ms, or
 * max_ms where there is none, inside the bounds as well.
 *
 * Time is ngx_constraint_now_ns() / 1000000.  Any thread; no lock.
 */


#ifndef _NGX_CONSTRAINT_ADAPTIVE_H_INCLUDED_
#define _NGX_CONSTRAINT_ADAPTIVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_constraint_execution.h"
#include "ngx_constraint_histogram.h"


#define NGX_CONSTRAINT_ADAPTIVE_SAMPLES  100


/* In shared memory; zeroed = nothing known. */

typedef struct {
    ngx_atomic_t       p99_ns;       /* 0: fewer samples than it takes */
    ngx_atomic_t       due_ms;       /* when to look it up again */
} ngx_constraint_adaptive_t;


/* The limit that holds now, us; max_exec_us: the fixed one, 0 = none. */
uint32_t ngx_constraint_adaptive_limit(
    const ngx_constraint_adaptive_t *adaptive,
    const ngx_constraint_adaptive_conf_t *conf, uint32_t max_exec_us);

/* 1: it is time to look it up, and the caller is the one to do so. */
ngx_uint_t ngx_constraint_adaptive_due(ngx_constraint_adaptive_t *adaptive,
    uint64_t now_ms);

/* latency: of all evaluations, ns */
void ngx_constraint_adaptive_learn(ngx_constraint_adaptive_t *adaptive,
    const ngx_constraint_histogram_t *latency);


#endif /* _NGX_CONSTRAINT_ADAPTIVE_H_INCLUDED_ */
