/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_adaptive.h - a limit of time that follows what evaluations
 * take of late: factor x p99 of their latency, inside its bounds.  All is
 * kept in shared memory, for all workers, and the limit is told from the p99
 * by the configuration of the moment, so that it is never outside of that.
 *
 * The p99 is of two windows: the one that is counted into and the one before.
 * A window ends, and the older one is forgotten, when it has 1000 samples, or
 * 100 and is a minute old.  So what evaluations took before a change is gone
 * from the p99 after two windows, and once a window has ended there are never
 * fewer than 100 samples.
 *
 *   cell: [ window 1: 32 bits | window 0: 32 bits ]
 *
 * The cells are those of a histogram (see there: a p99 is off by at most 1.57
 * %) of 256 ns to 274 s; what is outside counts as the nearest.  They lie in
 * pieces of 64 that their owner takes when a value first falls into them.  A
 * sample that there is no memory for makes its window incomplete, which ends
 * after a minute: nothing is learnt of it, what was known goes on.
 *
 * The p99 is looked up at most once a second, by one of the workers, and it
 * is that one which ends windows; with fewer than 100 samples there is none:
 * the limit is then max_exec_ms, or max_ms where there is none, inside the
 * bounds as well.
 *
 * Time is ngx_current_msec, of the machine's monotonic clock and so the same in
 * all processes but for how late a worker looks at it; one that steps backwards
 * costs a look, or a window's age.  Any thread; no lock.
 */


#ifndef _NGX_CONSTRAINT_ADAPTIVE_H_INCLUDED_
#define _NGX_CONSTRAINT_ADAPTIVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_constraint_execution.h"
#include "ngx_constraint_histogram.h"


#define NGX_CONSTRAINT_ADAPTIVE_SAMPLES    100
#define NGX_CONSTRAINT_ADAPTIVE_WINDOW     1000
#define NGX_CONSTRAINT_ADAPTIVE_WINDOW_MS  60000

#define NGX_CONSTRAINT_ADAPTIVE_FIRST      2      /* piece of a histogram */
#define NGX_CONSTRAINT_ADAPTIVE_PIECES     15


/* In shared memory; zeroed = nothing known. */

typedef struct {
    ngx_atomic_t       p99_ns;       /* 0: fewer samples than it takes */
    ngx_atomic_t       due_ms;       /* when to look it up again */
    ngx_atomic_t       window;       /* bit 0: which is counted into, the
                                      * others: since when, ms, 0 = not yet */
    ngx_atomic_t       incomplete;   /* bits by window */
} ngx_constraint_adaptive_t;


/* The limit that holds now, us; max_exec_us: the fixed one, 0 = none. */
uint32_t ngx_constraint_adaptive_limit(
    const ngx_constraint_adaptive_t *adaptive,
    const ngx_constraint_adaptive_conf_t *conf, uint32_t max_exec_us);

/* Which of the pieces a latency is counted in: 0 .. PIECES - 1. */
ngx_uint_t ngx_constraint_adaptive_piece(uint64_t latency_ns);

/* 1: nothing was missed yet of the window that is counted into. */
ngx_uint_t ngx_constraint_adaptive_complete(
    const ngx_constraint_adaptive_t *adaptive);

/* One evaluation; cells: that piece in shared memory, NULL: no memory. */
void ngx_constraint_adaptive_count(ngx_constraint_adaptive_t *adaptive,
    ngx_atomic_t *cells, uint64_t latency_ns);

/* 1: it is time to look it up, and the caller is the one to do so. */
ngx_uint_t ngx_constraint_adaptive_due(ngx_constraint_adaptive_t *adaptive,
    uint64_t now_ms);

/*
 * Looks it up in pieces, PIECES of them, NULL where there is none.  latency
 * is the caller's own, overwritten by both windows.  Returns how many samples
 * they have.
 */
uint64_t ngx_constraint_adaptive_learn(ngx_constraint_adaptive_t *adaptive,
    ngx_atomic_t *const *pieces, ngx_constraint_histogram_t *latency);

/* Ends the window if that is due: for who was told that it is its turn. */
void ngx_constraint_adaptive_turn(ngx_constraint_adaptive_t *adaptive,
    ngx_atomic_t *const *pieces, uint64_t now_ms);


#endif /* _NGX_CONSTRAINT_ADAPTIVE_H_INCLUDED_ */
