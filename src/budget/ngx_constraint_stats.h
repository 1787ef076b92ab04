
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_stats.h - what happened, counted in shared memory: per
 * constraint and, by what its decisions ran under, per profile.  Judges
 * nothing.
 *
 * A table of generation-tagged slots, apart from the cached records, so that
 * evicting a record never frees what a worker counts into.  A slot belongs to
 * a constraint under one profile until it is dropped or recycled (the least
 * recently used of a sample); then its tag changes, and a worker whose tag is
 * old asks again.  What it had counted stays in the totals of its profile and
 * of the zone, so those never go backwards.  Profiles have at most a quarter
 * of the slots: the one that was idle for longest, a minute at least, leaves
 * its total to that of all others, and where none is idle a new one is counted
 * there from the start.
 *
 * Each worker has a bank of counters of its own in a slot while there is
 * memory for it, and shares one otherwise; reading adds them up.  Counting is
 * relaxed atomic adds, no lock: what a worker counted before it was killed is
 * there.  Finding a slot, or memory for another piece of a histogram, takes
 * the slab mutex; a worker that dies inside costs no more than the slot it
 * was writing: the index and the free lists are made anew from the slots.
 *
 *   slot (constraint, profile) --> bank of worker 0 --> pieces of histograms
 *                              --> bank of worker 1 --> pieces
 *
 * Pieces (512 bytes) are taken when a value first falls into them.  When
 * there is none left, all pieces of the least recently used slot of a sample
 * go, which is counted; its counters stay.  That is done a hundred times a
 * second at most: where more constraints are busy than there is memory for,
 * decisions are counted without falling into a histogram, and each time and
 * size that falls into none is counted.
 *
 * Event loop, unless said otherwise.
 */


#ifndef _NGX_CONSTRAINT_STATS_H_INCLUDED_
#define _NGX_CONSTRAINT_STATS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_constraint_histogram.h"


#define NGX_CONSTRAINT_STATS_NAME_MAX    255
#define NGX_CONSTRAINT_STATS_PROFILES    4     /* a rule meets at a time */
#define NGX_CONSTRAINT_STATS_ERRORS      48    /* kinds, 0 = none */
#define NGX_CONSTRAINT_STATS_VIOLATIONS  8     /* types */
#define NGX_CONSTRAINT_STATS_LABELS      100   /* constraints with a label of
                                                * their own in metrics, and
                                                * profiles */
#define NGX_CONSTRAINT_STATS_OTHER       "(other)"  /* no profile's name */


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
    NGX_CONSTRAINT_STAT_RETRIES,
    NGX_CONSTRAINT_STAT_SAMPLED_OUT,
    NGX_CONSTRAINT_STAT_BREAKER,          /* decided by an open breaker */
    NGX_CONSTRAINT_STAT_COST,             /* sum of units */
    NGX_CONSTRAINT_STAT_TIME_NS,          /* sum */
    NGX_CONSTRAINT_STAT_TIME_MAX_NS,      /* maximum */
    NGX_CONSTRAINT_STAT_CPU_NS,           /* sum */
    NGX_CONSTRAINT_STAT_MEMORY,           /* sum of bytes */
    NGX_CONSTRAINT_STAT_MEMORY_MAX,       /* maximum */
    NGX_CONSTRAINT_STAT_COUNT
} ngx_constraint_stat_e;


/* Where an evaluation ran, as ngx_constraint_where_e has it. */

#define NGX_CONSTRAINT_STATS_NOWHERE  0
#define NGX_CONSTRAINT_STATS_INLINE   1
#define NGX_CONSTRAINT_STATS_THREAD   2


/* One decision. */

typedef struct {
    uint64_t          cost;               /* units */
    uint64_t          time_ns;
    uint64_t          cpu_ns;             /* of a thread, 0: not known;
                                           * inline it is the time */
    uint64_t          memory;             /* bytes */
    uint32_t          retries;
    uint8_t           where;
    uint8_t           error;              /* its kind, 0 = none */
    uint8_t           violations;         /* bits by type */
    unsigned          denied:1;
    unsigned          ours:1;             /* the error's class */
    unsigned          failed_open:1;
    unsigned          sampled_out:1;
    unsigned          breaker:1;
} ngx_constraint_stats_sample_t;


/* "TimeoutExceeded", ..., NULL for a number that no type has.  Any thread. */
const char *ngx_constraint_stats_violation_name(ngx_uint_t type);


/* Whose slot it is.  Strings are borrowed, names are cut at 255 bytes. */

typedef struct {
    const ngx_str_t  *name;               /* the message type */
    int64_t           born_ms;            /* when it was registered */
    const ngx_str_t  *profile;            /* empty: none */
} ngx_constraint_stats_key_t;


/* A worker's handle of one slot; zeroed = not asked for yet. */

typedef struct {
    ngx_atomic_t       *slot;             /* in shared memory, its tag */
    ngx_atomic_uint_t   tag;              /* as it was */
    const u_char       *profile;          /* the data it was asked with */
    void               *bank;             /* in shared memory */
} ngx_constraint_stats_ref_t;


/* Is ref still what it was; no lock. */

static ngx_inline ngx_uint_t
ngx_constraint_stats_valid(const ngx_constraint_stats_ref_t *ref)
{
    return ref->slot && *ref->slot == ref->tag;
}


/*
 * In the zone, mutex held, in so many bytes; NULL when it does not fit.
 * About 1 KB for each constraint is enough for counters and a histogram of
 * the busy ones.
 */
ngx_constraint_stats_t *ngx_constraint_stats_create_locked(
    ngx_slab_pool_t *shpool, size_t size);

/*
 * Fills ref; mutex is taken.  NGX_OK; NGX_DECLINED when a later constraint of
 * the same name has the slot (the sample is of a deleted one: not counted);
 * NGX_ERROR when there is no memory at all, which is counted as lost.
 */
ngx_int_t ngx_constraint_stats_attach(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_key_t *key,
    ngx_constraint_stats_ref_t *ref);

/*
 * Before a decision that may be an allow: what counting it will read and
 * write is fetched meanwhile.  Of many rules that are asked in turn it is in
 * no cache, and locked adds wait for the memory one after the other.  ref may
 * be a zeroed or an old one.
 */
void ngx_constraint_stats_prefetch(const ngx_constraint_stats_ref_t *ref);

/* Counts one decision; ref is valid, otherwise it is to be attached again. */
void ngx_constraint_stats_count(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    const ngx_constraint_stats_sample_t *sample);

/*
 * The same of an allow that was evaluated inline and met nothing.  NGX_OK, or
 * NGX_DECLINED, with nothing counted: memory is to be taken for it.
 */
ngx_int_t ngx_constraint_stats_count_allow(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_ref_t *ref, uint64_t cost, uint64_t time_ns,
    uint64_t memory);


/* What was counted: 30 KB, so in a heap or a pool; zeroed = nothing. */

typedef struct {
    uint64_t                     values[NGX_CONSTRAINT_STAT_COUNT];
    uint64_t                     errors[NGX_CONSTRAINT_STATS_ERRORS];
    uint64_t                     violations[NGX_CONSTRAINT_STATS_VIOLATIONS];
    ngx_constraint_histogram_t   latency;  /* ns */
    ngx_constraint_histogram_t   cpu;      /* ns */
    ngx_constraint_histogram_t   memory;   /* bytes */
} ngx_constraint_stats_view_t;

void ngx_constraint_stats_clear(ngx_constraint_stats_view_t *view);
void ngx_constraint_stats_merge(ngx_constraint_stats_view_t *view,
    const ngx_constraint_stats_view_t *from);

/*
 * Adds to view what was counted of a constraint under all its profiles; one
 * that was registered before born_ms is not it.  Takes the mutex; any thread.
 */
void ngx_constraint_stats_read(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *name, int64_t born_ms,
    ngx_constraint_stats_view_t *view);

/*
 * Walks the slots: visit is called with each constraint's name, profile and
 * view, and with name NULL for what is left of dropped ones of a profile,
 * OTHER being the profile of those that there is no slot for any more;
 * view is the walk's own and is the visitor's to read until it returns.  Ends
 * when visit returns other than NGX_OK, and returns that.  NGX_ERROR: no
 * memory.  Takes the mutex for one slot at a time; any thread.
 */
typedef struct {
    const ngx_str_t                    *name;
    const ngx_str_t                    *profile;
    int64_t                             born_ms;
    const ngx_constraint_stats_view_t  *view;
    ngx_uint_t                          labelled;
    ngx_uint_t                          profile_labelled;
} ngx_constraint_stats_visit_t;

typedef ngx_int_t (*ngx_constraint_stats_visit_pt)(void *ctx,
    const ngx_constraint_stats_visit_t *visit);
ngx_int_t ngx_constraint_stats_walk(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_visit_pt visit, void *ctx);

/*
 * Gives labels to the busiest constraints that have none, as long as there
 * are fewer than STATS_LABELS; one that has it keeps it until it is dropped,
 * so that its series in metrics goes on.  Takes the mutex; any thread.
 */
void ngx_constraint_stats_label(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool);

/*
 * Adds to view what is left of constraints without a label: of those that are
 * gone, and of those that have one by now as of that moment.  With that of
 * the live ones without a label it is a sum that never goes backwards.
 */
void ngx_constraint_stats_unlabelled(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_view_t *view);

/*
 * Copies everything of an older table into a new one that nobody counts into
 * yet; the mutex of the older one is taken.  Both are mapped here.
 */
void ngx_constraint_stats_copy(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_t *from,
    ngx_slab_pool_t *from_shpool);

/*
 * Forgets a constraint (after a delete) that was registered at born_ms or
 * before: the next of that name starts at 0, or has done so by now.
 */
void ngx_constraint_stats_drop(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *name, int64_t born_ms);


/*
 * 512 bytes of shared memory by the name of a constraint, zeroed when it is
 * made, for who keeps state of it: it lives as long as the slots do, and is
 * never recycled.  ref is as above, *state what it points to.  NGX_OK,
 * NGX_DECLINED, NGX_ERROR as attach, the last also when half of the slots are
 * states.  Takes the mutex.
 */
#define NGX_CONSTRAINT_STATS_STATE  512

ngx_int_t ngx_constraint_stats_state(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_key_t *key,
    ngx_constraint_stats_ref_t *ref, void **state);

/*
 * The same without making one: NULL, when there is none; more, if not NULL,
 * gets the MORE pieces.  Any thread; the memory may be given to another
 * constraint after a delete.
 */
void *ngx_constraint_stats_state_lookup(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *name, int64_t born_ms,
    ngx_atomic_t **more);

/*
 * Up to MORE pieces more of a state, of 64 cells each, zeroed when they are
 * made; ref is valid.  The first looks: NULL, there is none; no lock.  The
 * second makes piece n if there is none, for which histograms are evicted:
 * NULL, all states have a quarter of the memory already.  Takes the mutex.
 */
#define NGX_CONSTRAINT_STATS_MORE  15

ngx_atomic_t *ngx_constraint_stats_state_more(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_ref_t *ref, ngx_uint_t n);
ngx_atomic_t *ngx_constraint_stats_state_take(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    ngx_uint_t n);


/* Counts a decision that was to have a state, and had none.  No lock. */
void ngx_constraint_stats_stateless(ngx_constraint_stats_t *stats);


typedef struct {
    ngx_uint_t        slots;              /* there are */
    ngx_uint_t        slots_used;
    ngx_uint_t        pieces;             /* of 512 bytes, banks included */
    ngx_uint_t        pieces_free;
    uint64_t          recycled;           /* slots, for want of slots */
    uint64_t          evicted;            /* histograms, for want of pieces */
    uint64_t          unobserved;         /* times and sizes that fell in no
                                           * histogram, kinds of errors */
    uint64_t          lost;               /* decisions not counted */
    uint64_t          stateless;          /* decisions */
} ngx_constraint_stats_status_t;

void ngx_constraint_stats_status(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_status_t *status);


#endif /* _NGX_CONSTRAINT_STATS_H_INCLUDED_ */
