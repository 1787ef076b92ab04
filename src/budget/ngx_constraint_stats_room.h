
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_stats_room.h - private to the statistics: the table in
 * shared memory, and what its files give each other.
 *
 *   stats        the table: slots by name, attach, drop, recycle
 *   stats_state  what others keep by a constraint's name
 *   stats_profile  slots of profiles
 *   stats_piece  memory of 512 bytes: free list, eviction, repair
 *   stats_count  one decision; the hot path
 *   stats_read   views, walks, labels, copies
 */


#ifndef _NGX_CONSTRAINT_STATS_ROOM_H_INCLUDED_
#define _NGX_CONSTRAINT_STATS_ROOM_H_INCLUDED_


#include "ngx_constraint_base.h"
#include "ngx_constraint_stats.h"


#define NGX_CONSTRAINT_STATS_BANKS   16      /* workers with one of their own */
#define NGX_CONSTRAINT_STATS_INNAME  60      /* longer names take a piece */

/* the clock of recency: seconds and a bit, of the monotonic clock */
#define ngx_constraint_stats_now()   ((uint32_t) (ngx_current_msec >> 10))


typedef enum {
    NGX_CONSTRAINT_SLOT_CONSTRAINT = 0,
    NGX_CONSTRAINT_SLOT_PROFILE,          /* what dropped ones left */
    NGX_CONSTRAINT_SLOT_UNLABELLED,       /* the same; the first slot */
    NGX_CONSTRAINT_SLOT_STATE             /* its bank is somebody's state */
} ngx_constraint_slot_e;


/* Histograms of a bank: inline a thread's clock is not read. */

typedef enum {
    NGX_CONSTRAINT_HISTOGRAM_INLINE = 0,  /* time, which is CPU, too */
    NGX_CONSTRAINT_HISTOGRAM_MEMORY,
    NGX_CONSTRAINT_HISTOGRAM_THREAD,      /* time */
    NGX_CONSTRAINT_HISTOGRAM_CPU,         /* of threads */
    NGX_CONSTRAINT_HISTOGRAMS
} ngx_constraint_histogram_e;


/*
 * Counters as they are kept, three cache lines and the violations: what an
 * evaluation inline touches is the first one, of a thread the second, too.
 */

typedef enum {
    /* in each of the lines, see ngx_constraint_cell() */
    NGX_CONSTRAINT_CELL_ALLOWS = 0,
    NGX_CONSTRAINT_CELL_DENIES,
    NGX_CONSTRAINT_CELL_TIME,             /* ns */

    NGX_CONSTRAINT_CELL_COST,
    NGX_CONSTRAINT_CELL_MEMORY,
    NGX_CONSTRAINT_CELL_TIME_MAX,
    NGX_CONSTRAINT_CELL_MEMORY_MAX,
    NGX_CONSTRAINT_CELL_ERRORS_REQUEST,

    NGX_CONSTRAINT_CELL_CPU = 11,         /* of threads, ns */
    NGX_CONSTRAINT_CELL_ERRORS_OURS,
    NGX_CONSTRAINT_CELL_RETRIES,

    NGX_CONSTRAINT_CELL_FAILED_OPEN = 19,
    NGX_CONSTRAINT_CELL_SAMPLED_OUT,
    NGX_CONSTRAINT_CELL_BREAKER,

    NGX_CONSTRAINT_CELL_VIOLATIONS = 24,  /* + type */
    NGX_CONSTRAINT_CELLS = NGX_CONSTRAINT_CELL_VIOLATIONS
                           + NGX_CONSTRAINT_STATS_VIOLATIONS
} ngx_constraint_cell_e;

/* Allows, denies or time of where: inline, of a thread, of nothing run. */
#define ngx_constraint_cell(cell, where)  ((cell) + ((where) + 2) % 3 * 8)

#define ngx_constraint_cell_is_max(cell)                                      \
    ((cell) == NGX_CONSTRAINT_CELL_TIME_MAX                                   \
     || (cell) == NGX_CONSTRAINT_CELL_MEMORY_MAX)


/* A piece: cells of a histogram, kinds of errors, a bank, a long name, or a
 * state.  Pieces are named by their number + 1, 0 = none. */

typedef struct {
    ngx_atomic_t        cells[NGX_CONSTRAINT_HISTOGRAM_PIECE];
} ngx_constraint_piece_t;

/* inline time and the usual sizes of memory are in one cache line */

typedef struct {
    ngx_atomic_t        cells[NGX_CONSTRAINT_CELLS];
    uint16_t            pieces[NGX_CONSTRAINT_HISTOGRAMS]
                              [NGX_CONSTRAINT_HISTOGRAM_PIECES];
    uint16_t            errors;
} ngx_constraint_bank_t;

_Static_assert(sizeof(ngx_constraint_piece_t) == NGX_CONSTRAINT_STATS_STATE,
               "a state is a piece");
_Static_assert(NGX_CONSTRAINT_STATS_MORE == NGX_CONSTRAINT_STATS_BANKS - 1,
               "more of a state is where banks are");
_Static_assert(offsetof(ngx_constraint_bank_t, pieces) % 64 == 0,
               "pieces begin a cache line");
_Static_assert(sizeof(ngx_constraint_bank_t)
               <= sizeof(ngx_constraint_piece_t), "a bank is a piece");


typedef struct {
    ngx_atomic_t        tag;              /* odd: belongs to name */
    int64_t             born_ms;
    uint32_t            hash;             /* of the name */
    uint32_t            next;             /* in the bucket, or free; + 1 */
    uint32_t            used;             /* relaxed */
    uint32_t            profile;          /* its slot; + 1 */
    uint16_t            banks[NGX_CONSTRAINT_STATS_BANKS];
    uint16_t            name;             /* a piece, if it is long */
    u_char              len;
    u_char              kind;
    u_char              labelled;
    u_char              text[NGX_CONSTRAINT_STATS_INNAME - 5];
} ngx_constraint_stats_slot_t;

_Static_assert(sizeof(ngx_constraint_stats_slot_t) == 128,
               "a slot is two cache lines");


struct ngx_constraint_stats_s {
    ngx_constraint_piece_t        *pieces;
    ngx_uint_t                     npieces;
    ngx_uint_t                     nslots;
    ngx_uint_t                     nbuckets; /* a power of two */
    ngx_uint_t                     filled;   /* slots ever given */
    uint32_t                       free_slot;
    ngx_uint_t                     hand;     /* where a sample begins */
    ngx_uint_t                     free_first, free_last, free_count;
    ngx_atomic_t                   mutating; /* something is being changed */
    ngx_atomic_t                   recycled;
    ngx_atomic_t                   evicted;
    ngx_atomic_t                   unobserved;
    ngx_atomic_t                   lost;
    ngx_atomic_t                   stateless;
    ngx_uint_t                     more;     /* pieces that states have */
    ngx_atomic_t                   evict_at; /* ms: when the next is due */
    ngx_constraint_stats_slot_t   *slots;
    uint32_t                      *buckets;
    uint16_t                      *nexts;    /* of free pieces */
};


/* Who is to give way of those it is told of: not used for longer than age. */

static ngx_inline void
ngx_constraint_stats_older(ngx_constraint_stats_slot_t *slot,
    ngx_constraint_stats_slot_t **oldest, int32_t *age)
{
    int32_t  idle;

    /* a worker's clock may be a bit ahead of ours */

    idle = (int32_t) (ngx_constraint_stats_now() - slot->used);
    idle = ngx_max(idle, 0);

    if (idle > *age) {
        *oldest = slot;
        *age = idle;
    }
}


/* stats.c; lock and unlock frame every change */
void ngx_constraint_stats_lock(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool);
void ngx_constraint_stats_unlock(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool);
void ngx_constraint_stats_link_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot);
ngx_str_t ngx_constraint_stats_name(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot);

/* The next slot of that name and kind after slot, NULL: the first one. */
ngx_constraint_stats_slot_t *ngx_constraint_stats_lookup_locked(
    ngx_constraint_stats_t *stats, ngx_constraint_slot_e kind,
    const ngx_str_t *name, ngx_constraint_stats_slot_t *slot);

/* The slot of key, made if need be; NGX_OK, NGX_DECLINED, NGX_ERROR. */
ngx_int_t ngx_constraint_stats_find_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_slot_e kind, const ngx_constraint_stats_key_t *key,
    ngx_constraint_stats_slot_t **found);

/* A slot with a bank, NULL: no memory; keep is not recycled for it. */
ngx_constraint_stats_slot_t *ngx_constraint_stats_take_locked(
    ngx_constraint_stats_t *stats, ngx_constraint_slot_e kind,
    const ngx_str_t *name, ngx_constraint_stats_slot_t *keep);

/* Takes the slot from its owner; what it counted is left to others. */
void ngx_constraint_stats_drop_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot);

/* stats_profile.c: the first slots of a new table; and the slot of a profile,
 * made if need be: that of all others where there is no room. */
#define NGX_CONSTRAINT_STATS_SLOT_OTHER  2

#define ngx_constraint_stats_profile_other(stats)                             \
    (&(stats)->slots[NGX_CONSTRAINT_STATS_SLOT_OTHER])

void ngx_constraint_stats_profile_init_locked(ngx_constraint_stats_t *stats);
ngx_constraint_stats_slot_t *ngx_constraint_stats_profile_locked(
    ngx_constraint_stats_t *stats, const ngx_str_t *profile);

/* stats_state.c: a copy, the end of a slot, and after a death */
void ngx_constraint_stats_state_copy_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot, ngx_constraint_stats_t *from,
    const ngx_constraint_stats_slot_t *old);
void ngx_constraint_stats_state_forget_locked(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_slot_t *slot);
void ngx_constraint_stats_state_repair_locked(ngx_constraint_stats_t *stats);

/* stats_piece.c: 0 = none */
#define ngx_constraint_stats_piece(stats, index)                              \
    (&(stats)->pieces[(index) - 1])
#define ngx_constraint_stats_bank(stats, index)                               \
    ((ngx_constraint_bank_t *) ngx_constraint_stats_piece(stats, index))

/* Zeroed; histograms of other slots than keep are evicted for it. */
uint16_t ngx_constraint_stats_alloc_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *keep);
void ngx_constraint_stats_free_locked(ngx_constraint_stats_t *stats,
    uint16_t *index);
void ngx_constraint_stats_free_slot_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot);
void ngx_constraint_stats_repair_locked(ngx_constraint_stats_t *stats);

/* No piece is free, and none may be taken from another now.  No lock. */
ngx_uint_t ngx_constraint_stats_crowded(ngx_constraint_stats_t *stats);

/* The piece that *index names, taken if there is none: NULL, no memory. */
ngx_atomic_t *ngx_constraint_stats_cells_locked(
    ngx_constraint_stats_t *stats, uint16_t *index,
    ngx_constraint_stats_slot_t *keep);

/* stats_read.c: adds all of a slot to the bank of another */
void ngx_constraint_stats_fold_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot, ngx_constraint_stats_t *from,
    const ngx_constraint_stats_slot_t *old);

/* What a constraint that goes leaves: to its profile, and to the one of all
 * that have no label. */
void ngx_constraint_stats_leave_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *profile, ngx_constraint_stats_t *from,
    const ngx_constraint_stats_slot_t *old);


#endif /* _NGX_CONSTRAINT_STATS_ROOM_H_INCLUDED_ */
