/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Counting one decision: the hot path of the statistics.  Relaxed atomic
 * adds, most of them to one cache line of the worker's own bank; the rest of
 * what a decision may have is told by rare cells, behind one test.
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


/*
 * A recycling between the look at the tag and the adds puts one decision's
 * numbers to another key: counters are for people, no lock is worth it.
 */

ngx_int_t
ngx_constraint_stats_add(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    const ngx_constraint_stats_sample_t *sample)
{
    uint32_t                      now;
    ngx_constraint_bank_t        *bank;
    ngx_constraint_stats_slot_t  *slot;

    if (ref->index == 0) {
        return NGX_DECLINED;
    }

    slot = &stats->slots[ref->index - 1];

    if ((uint32_t) slot->tag != ref->tag) {
        return NGX_DECLINED;
    }

    bank = ref->bank;

    ngx_constraint_stats_plus(&bank->cells[(sample->denied
                                            ? NGX_CONSTRAINT_CELL_DENIES
                                            : NGX_CONSTRAINT_CELL_ALLOWS)
                                           + sample->where], 1);

    if (sample->where) {
        ngx_constraint_stats_add_run(stats, shpool, ref, sample);
    }

    if (sample->error || sample->violations || sample->retries
        || sample->failed_open || sample->sampled_out || sample->breaker)
    {
        ngx_constraint_stats_add_rare(stats, shpool, ref, sample);
    }

    now = ngx_constraint_stats_now();

    if (slot->used != now) {
        slot->used = now;
    }

    return NGX_OK;
}


/* What only an evaluation has. */

static void
ngx_constraint_stats_add_run(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    const ngx_constraint_stats_sample_t *sample)
{
    ngx_uint_t              latency;
    ngx_constraint_bank_t  *bank;

    bank = ref->bank;

    ngx_constraint_stats_plus(&bank->cells[NGX_CONSTRAINT_CELL_COST],
                              sample->cost);
    ngx_constraint_stats_plus(&bank->cells[NGX_CONSTRAINT_CELL_MEMORY],
                              sample->memory);
    ngx_constraint_stats_plus(&bank->cells[NGX_CONSTRAINT_CELL_TIME
                                           + sample->where],
                              sample->time_ns);

    ngx_constraint_stats_raise(&bank->cells[NGX_CONSTRAINT_CELL_TIME_MAX],
                               sample->time_ns);
    ngx_constraint_stats_raise(&bank->cells[NGX_CONSTRAINT_CELL_MEMORY_MAX],
                               sample->memory);

    latency = NGX_CONSTRAINT_HISTOGRAM_INLINE;

    if (sample->where == NGX_CONSTRAINT_STATS_THREAD) {
        latency = NGX_CONSTRAINT_HISTOGRAM_THREAD;

        /* not known of one whose caller had its answer before it ended */

        if (sample->cpu_ns) {
            ngx_constraint_stats_plus(&bank->cells[NGX_CONSTRAINT_CELL_CPU],
                                      sample->cpu_ns);
            ngx_constraint_stats_observe(stats, shpool, ref,
                        bank->pieces[NGX_CONSTRAINT_HISTOGRAM_CPU],
                        ngx_constraint_histogram_cell(sample->cpu_ns));
        }
    }

    ngx_constraint_stats_observe(stats, shpool, ref, bank->pieces[latency],
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
    ngx_constraint_stats_slot_t  *slot;

    ngx_constraint_stats_lock(stats, shpool);

    slot = &stats->slots[ref->index - 1];

    if ((uint32_t) slot->tag == ref->tag) {
        cells = ngx_constraint_stats_cells_locked(stats, piece, slot);

        if (cells) {
            ngx_constraint_stats_plus(&cells[cell], 1);
        }
    }

    ngx_constraint_stats_unlock(stats, shpool);
}
