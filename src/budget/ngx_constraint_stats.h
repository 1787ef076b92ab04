
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_stats.h - what happened, counted in shared memory; the
 * public header of src/budget so far.
 *
 * A table of generation-tagged slots, apart from the cached records, so that
 * evicting a record never frees what a worker counts into.  A slot belongs to
 * a key until it is recycled (the least recently used of a sample); recycling
 * changes its tag, and a worker whose tag is old asks again.  Counting is
 * relaxed atomic adds, no lock; finding a slot takes the slab mutex, once per
 * worker and key.  A worker that dies inside the mutex costs no more than
 * the slot it was writing: the index is made anew from the slots.
 */


#ifndef _NGX_CONSTRAINT_STATS_H_INCLUDED_
#define _NGX_CONSTRAINT_STATS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_constraint_stats_s  ngx_constraint_stats_t;


typedef enum {
    NGX_CONSTRAINT_STAT_EXECUTIONS = 0,
    NGX_CONSTRAINT_STAT_ALLOWS,
    NGX_CONSTRAINT_STAT_DENIES,
    NGX_CONSTRAINT_STAT_FAILED_OPEN,
    NGX_CONSTRAINT_STAT_ERRORS_REQUEST,
    NGX_CONSTRAINT_STAT_ERRORS_OURS,
    NGX_CONSTRAINT_STAT_INLINE,
    NGX_CONSTRAINT_STAT_THREAD,
    NGX_CONSTRAINT_STAT_COST,             /* sum of units */
    NGX_CONSTRAINT_STAT_TIME_US,          /* sum */
    NGX_CONSTRAINT_STAT_TIME_MAX_US,      /* maximum */
    NGX_CONSTRAINT_STAT_COUNT
} ngx_constraint_stat_e;


/* A worker's handle of one key's slot; zeroed = not asked for yet. */

typedef struct {
    uint32_t          index;              /* + 1 */
    uint32_t          tag;
} ngx_constraint_stats_ref_t;


/* What a table of so many slots takes. */
size_t ngx_constraint_stats_size(ngx_uint_t slots);

/* In the zone, mutex held; NULL when it does not fit. */
ngx_constraint_stats_t *ngx_constraint_stats_create_locked(
    ngx_slab_pool_t *shpool, ngx_uint_t slots);

/* Fills ref; mutex is taken.  NGX_OK always (recycles); key is cut at 255. */
ngx_int_t ngx_constraint_stats_attach(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *key,
    ngx_constraint_stats_ref_t *ref);

/*
 * Adds values[0 .. COUNT-1] (TIME_MAX is a maximum).  NGX_OK, or NGX_DECLINED
 * when the slot has been recycled: attach again.
 */
ngx_int_t ngx_constraint_stats_add(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_ref_t *ref, const uint64_t *values);

/* Reads the counters of key, all 0 when it has none; mutex is taken. */
void ngx_constraint_stats_read(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *key, uint64_t *values);

/*
 * Copies every counter of an older table into a new one that nobody counts
 * into yet; the mutex of the older one is taken.  Both are mapped here.
 */
void ngx_constraint_stats_copy(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_t *from, ngx_slab_pool_t *from_shpool);

/* Forgets key (after a delete). */
void ngx_constraint_stats_drop(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *key);


#endif /* _NGX_CONSTRAINT_STATS_H_INCLUDED_ */
