/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Memory of the statistics: pieces of 512 bytes, whose histograms are evicted
 * for others, and what is made anew after a death inside the mutex.
 */


#include "ngx_constraint_stats_room.h"


#define NGX_CONSTRAINT_STATS_EVICT  32       /* slots looked at */

/*
 * An eviction each 10 ms, and 64 at once after a time without: where more
 * constraints are busy than there is memory for, each decision would take the
 * histogram that the next one needs.
 */

#define NGX_CONSTRAINT_STATS_EVICT_MS     10
#define NGX_CONSTRAINT_STATS_EVICT_BURST  64


static ngx_uint_t ngx_constraint_stats_evict_locked(
    ngx_constraint_stats_t *stats, ngx_constraint_stats_slot_t *keep);
static ngx_uint_t ngx_constraint_stats_histograms_locked(
    ngx_constraint_stats_t *stats, ngx_constraint_stats_slot_t *slot,
    ngx_uint_t release);
static void ngx_constraint_stats_push_locked(ngx_constraint_stats_t *stats,
    uint16_t index);
static void ngx_constraint_stats_mark_locked(ngx_constraint_stats_t *stats,
    uint16_t *index);
static void ngx_constraint_stats_mark_slot_locked(
    ngx_constraint_stats_t *stats, ngx_constraint_stats_slot_t *slot);


uint16_t
ngx_constraint_stats_alloc_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *keep)
{
    ngx_uint_t  index;

    if (stats->free_count == 0
        && !ngx_constraint_stats_evict_locked(stats, keep))
    {
        return 0;
    }

    index = stats->free_first;

    stats->free_first = stats->nexts[index];
    stats->free_count--;

    if (stats->free_count == 0) {
        stats->free_last = 0;
    }

    ngx_memzero((void *) ngx_constraint_stats_piece(stats, index),
                sizeof(ngx_constraint_piece_t));

    return index;
}


ngx_uint_t
ngx_constraint_stats_crowded(ngx_constraint_stats_t *stats)
{
    ngx_msec_int_t  ahead;

    if (stats->free_count) {
        return 0;
    }

    ahead = (ngx_msec_int_t) (stats->evict_at - ngx_current_msec);

    return ahead >= NGX_CONSTRAINT_STATS_EVICT_MS
                    * NGX_CONSTRAINT_STATS_EVICT_BURST;
}


ngx_atomic_t *
ngx_constraint_stats_cells_locked(ngx_constraint_stats_t *stats,
    uint16_t *index, ngx_constraint_stats_slot_t *keep)
{
    uint16_t  piece;

    if (*index == 0) {
        piece = ngx_constraint_stats_alloc_locked(stats, keep);

        if (piece == 0) {
            return NULL;
        }

        ngx_memory_barrier();
        *index = piece;
    }

    return ngx_constraint_stats_piece(stats, *index)->cells;
}


/* To the end of the list: who still counts into it hits nobody for a while. */

void
ngx_constraint_stats_free_locked(ngx_constraint_stats_t *stats,
    uint16_t *index)
{
    uint16_t  old;

    old = *index;

    if (old == 0) {
        return;
    }

    *index = 0;
    ngx_memory_barrier();

    ngx_constraint_stats_push_locked(stats, old);
}


static void
ngx_constraint_stats_push_locked(ngx_constraint_stats_t *stats,
    uint16_t index)
{
    stats->nexts[index] = 0;

    if (stats->free_last) {
        stats->nexts[stats->free_last] = index;

    } else {
        stats->free_first = index;
    }

    stats->free_last = index;
    stats->free_count++;
}


void
ngx_constraint_stats_free_slot_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot)
{
    ngx_uint_t  i;

    if (slot->kind != NGX_CONSTRAINT_SLOT_STATE) {
        (void) ngx_constraint_stats_histograms_locked(stats, slot, 1);

        for (i = 0; i < NGX_CONSTRAINT_STATS_BANKS; i++) {
            if (slot->banks[i]) {
                ngx_constraint_stats_free_locked(stats,
                           &ngx_constraint_stats_bank(stats,
                                                     slot->banks[i])->errors);
            }
        }
    }

    for (i = 0; i < NGX_CONSTRAINT_STATS_BANKS; i++) {
        ngx_constraint_stats_free_locked(stats, &slot->banks[i]);
    }

    ngx_constraint_stats_free_locked(stats, &slot->name);
}


/* How many pieces the histograms of a slot have, or had. */

static ngx_uint_t
ngx_constraint_stats_histograms_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot, ngx_uint_t release)
{
    ngx_uint_t              i, n, count;
    uint16_t               *pieces;
    ngx_constraint_bank_t  *bank;

    count = 0;

    for (i = 0; i < NGX_CONSTRAINT_STATS_BANKS; i++) {

        if (slot->banks[i] == 0) {
            continue;
        }

        bank = ngx_constraint_stats_bank(stats, slot->banks[i]);
        pieces = &bank->pieces[0][0];

        for (n = 0;
             n < NGX_CONSTRAINT_HISTOGRAMS * NGX_CONSTRAINT_HISTOGRAM_PIECES;
             n++)
        {
            if (pieces[n] == 0) {
                continue;
            }

            count++;

            if (release) {
                ngx_constraint_stats_free_locked(stats, &pieces[n]);
            }
        }
    }

    return count;
}


/* 1: there is a free piece */

static ngx_uint_t
ngx_constraint_stats_evict_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *keep)
{
    int32_t                       age;
    ngx_uint_t                    i, seen;
    ngx_constraint_stats_slot_t  *slot, *oldest;

    oldest = NULL;
    age = -1;
    seen = 0;

    for (i = 0; i < stats->nslots && seen < NGX_CONSTRAINT_STATS_EVICT; i++) {
        slot = &stats->slots[stats->hand++ % stats->nslots];

        if (!(slot->tag & 1) || slot == keep
            || slot->kind == NGX_CONSTRAINT_SLOT_STATE
            || ngx_constraint_stats_histograms_locked(stats, slot, 0) == 0)
        {
            continue;
        }

        seen++;
        ngx_constraint_stats_older(slot, &oldest, &age);
    }

    if (oldest == NULL) {
        return 0;
    }

    (void) ngx_constraint_stats_histograms_locked(stats, oldest, 1);
    stats->evicted++;

    if ((ngx_msec_int_t) (stats->evict_at - ngx_current_msec) < 0) {
        stats->evict_at = ngx_current_msec;
    }

    stats->evict_at += NGX_CONSTRAINT_STATS_EVICT_MS;

    return 1;
}


/*
 * A process died while it held the mutex.  Slots with an odd tag are whole;
 * the index, the free slots and the free pieces follow from them.
 */

void
ngx_constraint_stats_repair_locked(ngx_constraint_stats_t *stats)
{
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot;

    ngx_memzero(stats->buckets, stats->nbuckets * sizeof(uint32_t));
    ngx_memzero(stats->nexts, (stats->npieces + 1) * sizeof(uint16_t));

    stats->free_slot = 0;
    stats->free_first = 0;
    stats->free_last = 0;
    stats->free_count = 0;

    for (i = stats->filled; i > 0; i--) {
        slot = &stats->slots[i - 1];

        if (slot->tag & 1) {
            ngx_constraint_stats_link_locked(stats, slot);
            ngx_constraint_stats_mark_slot_locked(stats, slot);
            continue;
        }

        slot->next = stats->free_slot;
        stats->free_slot = i;
    }

    for (i = 1; i <= stats->npieces; i++) {
        if (stats->nexts[i] == 0) {
            ngx_constraint_stats_push_locked(stats, i);
        }
    }
}


/* nexts is not 0 for what is taken; who comes second has nothing */

static void
ngx_constraint_stats_mark_locked(ngx_constraint_stats_t *stats,
    uint16_t *index)
{
    if (*index == 0) {
        return;
    }

    if (*index > stats->npieces || stats->nexts[*index]) {
        *index = 0;
        return;
    }

    stats->nexts[*index] = NGX_CONSTRAINT_STATS_NAME_MAX;
}


static void
ngx_constraint_stats_mark_slot_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot)
{
    ngx_uint_t              i, n;
    uint16_t               *pieces;
    ngx_constraint_bank_t  *bank;

    ngx_constraint_stats_mark_locked(stats, &slot->name);

    for (i = 0; i < NGX_CONSTRAINT_STATS_BANKS; i++) {
        ngx_constraint_stats_mark_locked(stats, &slot->banks[i]);

        if (slot->banks[i] == 0 || slot->kind == NGX_CONSTRAINT_SLOT_STATE) {
            continue;
        }

        bank = ngx_constraint_stats_bank(stats, slot->banks[i]);
        pieces = &bank->pieces[0][0];

        ngx_constraint_stats_mark_locked(stats, &bank->errors);

        for (n = 0;
             n < NGX_CONSTRAINT_HISTOGRAMS * NGX_CONSTRAINT_HISTOGRAM_PIECES;
             n++)
        {
            ngx_constraint_stats_mark_locked(stats, &pieces[n]);
        }
    }
}
