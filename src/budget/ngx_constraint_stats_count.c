/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Counting one decision: the hot path of the statistics.  Relaxed atomic
 * adds, most of them to one cache line of the worker's own bank.  What nearly
 * all decisions are, an allow inline that met nothing, is one function that
 * calls none.
 */


#include "ngx_constraint_stats_room.h"


#define ngx_constraint_stats_plus(cell, n)                                    \
    (void) __atomic_fetch_add(cell, n, __ATOMIC_RELAXED)


static void ngx_constraint_stats_add_run(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    const ngx_constraint_stats_sample_t *sample);
static void ngx_constraint_stats_add_rare(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    const ngx_constraint_stats_sample_t *sample);
static void ngx_constraint_stats_first(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    uint16_t *piece, ngx_uint_t cell);


/* Adds to a cell of a piece, which is there but for the first time. */

static ngx_inline void
ngx_constraint_stats_observe(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    uint16_t *pieces, ngx_uint_t cell)
{
    uint16_t  piece;

    pieces += cell / NGX_CONSTRAINT_HISTOGRAM_PIECE;
    cell %= NGX_CONSTRAINT_HISTOGRAM_PIECE;

    piece = __atomic_load_n(pieces, __ATOMIC_RELAXED);

    if (piece == 0) {
        ngx_constraint_stats_first(stats, shpool, ref, pieces, cell);
        return;
    }

    /* the bank was given to another meanwhile, and is no bank any more */

    if (piece > stats->npieces) {
        return;
    }

    ngx_constraint_stats_plus(
                  &ngx_constraint_stats_piece(stats, piece)->cells[cell], 1);
}


static ngx_inline void
ngx_constraint_stats_raise(ngx_atomic_t *cell, uint64_t value)
{
    ngx_atomic_uint_t  max;

    do {
        max = *cell;

        if (max >= value) {
            return;
        }

    } while (!ngx_atomic_cmp_set(cell, max, value));
}


/* One decision, and what an evaluation used. */

static ngx_inline void
ngx_constraint_stats_add_effect(ngx_atomic_t *cells, ngx_uint_t where,
    ngx_uint_t denied)
{
    ngx_constraint_stats_plus(
                     &cells[ngx_constraint_cell(denied
                                                ? NGX_CONSTRAINT_CELL_DENIES
                                                : NGX_CONSTRAINT_CELL_ALLOWS,
                                                where)], 1);
}


static ngx_inline void
ngx_constraint_stats_add_totals(ngx_atomic_t *cells, ngx_uint_t where,
    uint64_t cost, uint64_t time_ns, uint64_t memory)
{
    ngx_constraint_stats_plus(&cells[NGX_CONSTRAINT_CELL_COST], cost);
    ngx_constraint_stats_plus(&cells[NGX_CONSTRAINT_CELL_MEMORY], memory);
    ngx_constraint_stats_plus(&cells[ngx_constraint_cell(
                                        NGX_CONSTRAINT_CELL_TIME, where)],
                              time_ns);

    ngx_constraint_stats_raise(&cells[NGX_CONSTRAINT_CELL_TIME_MAX], time_ns);
    ngx_constraint_stats_raise(&cells[NGX_CONSTRAINT_CELL_MEMORY_MAX],
                               memory);
}


static ngx_inline void
ngx_constraint_stats_touch(const ngx_constraint_stats_ref_t *ref)
{
    uint32_t                      now;
    ngx_constraint_stats_slot_t  *slot;

    slot = (ngx_constraint_stats_slot_t *) ref->slot;
    now = ngx_constraint_stats_now();

    if (slot->used != now) {
        slot->used = now;
    }
}


/*
 * A recycling between the look at the tag and the adds puts one decision's
 * numbers to another key: counters are for people, no lock is worth it.
 */

void
ngx_constraint_stats_count(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    const ngx_constraint_stats_sample_t *sample)
{
    ngx_constraint_bank_t  *bank;

    bank = ref->bank;

    ngx_constraint_stats_touch(ref);
    ngx_constraint_stats_add_effect(bank->cells, sample->where,
                                    sample->denied);

    if (sample->where) {
        ngx_constraint_stats_add_run(stats, shpool, ref, sample);
    }

    ngx_constraint_stats_add_rare(stats, shpool, ref, sample);
}


void
ngx_constraint_stats_prefetch(const ngx_constraint_stats_ref_t *ref)
{
    const ngx_constraint_bank_t  *bank;

    bank = ref->bank;

    if (bank) {
        __builtin_prefetch((void *) ref->slot);
        __builtin_prefetch((void *) bank->cells, 1);
        __builtin_prefetch(bank->pieces);
    }
}


ngx_int_t
ngx_constraint_stats_count_allow(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_ref_t *ref, uint64_t cost, uint64_t time_ns,
    uint64_t memory)
{
    uint32_t                time_cell, memory_cell;
    ngx_uint_t              time_piece, memory_piece;
    ngx_atomic_t           *time_at, *memory_at;
    ngx_constraint_bank_t  *bank;

    bank = ref->bank;

    time_cell = ngx_constraint_histogram_cell(time_ns);
    memory_cell = ngx_constraint_histogram_cell(memory);

    time_piece = __atomic_load_n(
                    &bank->pieces[NGX_CONSTRAINT_HISTOGRAM_INLINE]
                                 [time_cell / NGX_CONSTRAINT_HISTOGRAM_PIECE],
                    __ATOMIC_RELAXED);
    memory_piece = __atomic_load_n(
                  &bank->pieces[NGX_CONSTRAINT_HISTOGRAM_MEMORY]
                               [memory_cell / NGX_CONSTRAINT_HISTOGRAM_PIECE],
                  __ATOMIC_RELAXED);

    /* one is to be taken, which 0 - 1 tells, too, or see observe() */

    if (time_piece - 1 >= stats->npieces
        || memory_piece - 1 >= stats->npieces)
    {
        return NGX_DECLINED;
    }

    time_at = &ngx_constraint_stats_piece(stats, time_piece)
                   ->cells[time_cell % NGX_CONSTRAINT_HISTOGRAM_PIECE];
    memory_at = &ngx_constraint_stats_piece(stats, memory_piece)
                   ->cells[memory_cell % NGX_CONSTRAINT_HISTOGRAM_PIECE];

    __builtin_prefetch((void *) time_at, 1);
    __builtin_prefetch((void *) memory_at, 1);

    ngx_constraint_stats_touch(ref);
    ngx_constraint_stats_add_effect(bank->cells, NGX_CONSTRAINT_STATS_INLINE,
                                    0);
    ngx_constraint_stats_add_totals(bank->cells, NGX_CONSTRAINT_STATS_INLINE,
                                    cost, time_ns, memory);

    ngx_constraint_stats_plus(time_at, 1);
    ngx_constraint_stats_plus(memory_at, 1);

    return NGX_OK;
}


/* What only an evaluation has. */

static void
ngx_constraint_stats_add_run(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    const ngx_constraint_stats_sample_t *sample)
{
    ngx_constraint_bank_t  *bank;

    bank = ref->bank;

    ngx_constraint_stats_add_totals(bank->cells, sample->where, sample->cost,
                                    sample->time_ns, sample->memory);

    /* not known of one whose caller had its answer before it ended */

    if (sample->where == NGX_CONSTRAINT_STATS_THREAD && sample->cpu_ns) {
        ngx_constraint_stats_plus(&bank->cells[NGX_CONSTRAINT_CELL_CPU],
                                  sample->cpu_ns);
        ngx_constraint_stats_observe(stats, shpool, ref,
                        bank->pieces[NGX_CONSTRAINT_HISTOGRAM_CPU],
                        ngx_constraint_histogram_cell(sample->cpu_ns));
    }

    ngx_constraint_stats_observe(stats, shpool, ref,
                        bank->pieces[sample->where
                                     == NGX_CONSTRAINT_STATS_THREAD
                                     ? NGX_CONSTRAINT_HISTOGRAM_THREAD
                                     : NGX_CONSTRAINT_HISTOGRAM_INLINE],
                        ngx_constraint_histogram_cell(sample->time_ns));
    ngx_constraint_stats_observe(stats, shpool, ref,
                        bank->pieces[NGX_CONSTRAINT_HISTOGRAM_MEMORY],
                        ngx_constraint_histogram_cell(sample->memory));
}


static void
ngx_constraint_stats_add_rare(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    const ngx_constraint_stats_sample_t *sample)
{
    ngx_uint_t     i;
    ngx_atomic_t  *cells;

    cells = ((ngx_constraint_bank_t *) ref->bank)->cells;

    if (sample->failed_open) {
        ngx_constraint_stats_plus(&cells[NGX_CONSTRAINT_CELL_FAILED_OPEN], 1);
    }

    if (sample->sampled_out) {
        ngx_constraint_stats_plus(&cells[NGX_CONSTRAINT_CELL_SAMPLED_OUT], 1);
    }

    if (sample->breaker) {
        ngx_constraint_stats_plus(&cells[NGX_CONSTRAINT_CELL_BREAKER], 1);
    }

    if (sample->retries) {
        ngx_constraint_stats_plus(&cells[NGX_CONSTRAINT_CELL_RETRIES],
                                  sample->retries);
    }

    for (i = 0; sample->violations >> i; i++) {
        if (sample->violations >> i & 1) {
            ngx_constraint_stats_plus(
                               &cells[NGX_CONSTRAINT_CELL_VIOLATIONS + i], 1);
        }
    }

    if (sample->error) {
        ngx_constraint_stats_plus(&cells[sample->ours
                                         ? NGX_CONSTRAINT_CELL_ERRORS_OURS
                                         : NGX_CONSTRAINT_CELL_ERRORS_REQUEST],
                                  1);

        ngx_constraint_stats_observe(stats, shpool, ref,
                            &((ngx_constraint_bank_t *) ref->bank)->errors,
                            ngx_min(sample->error,
                                    NGX_CONSTRAINT_STATS_ERRORS - 1));
    }
}


/* The first time something falls into a piece: memory for it is taken. */

static void
ngx_constraint_stats_first(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    uint16_t *piece, ngx_uint_t cell)
{
    ngx_atomic_t                 *cells;
    ngx_constraint_bank_t        *bank;
    ngx_constraint_stats_slot_t  *slot;

    bank = ref->bank;

    /* kinds of errors are counters, which none may be left out of */

    if (piece != &bank->errors && ngx_constraint_stats_crowded(stats)) {
        ngx_constraint_stats_plus(&stats->unobserved, 1);
        return;
    }

    ngx_constraint_stats_lock(stats, shpool);

    slot = (ngx_constraint_stats_slot_t *) ref->slot;

    if (slot->tag == ref->tag) {
        cells = ngx_constraint_stats_cells_locked(stats, piece, slot);

        ngx_constraint_stats_plus(cells ? &cells[cell] : &stats->unobserved,
                                  1);
    }

    ngx_constraint_stats_unlock(stats, shpool);
}
