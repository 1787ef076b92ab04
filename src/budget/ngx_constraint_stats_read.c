/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Reading the statistics: banks added up to views, walks over all slots,
 * labels for metrics, and what a table leaves to another.
 */


#include "ngx_constraint_stats_room.h"


typedef struct {
    uint32_t    slot;
    uint64_t    executions;
} ngx_constraint_stats_rank_t;


static void ngx_constraint_stats_view_locked(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_slot_t *slot,
    ngx_constraint_stats_view_t *view);
static void ngx_constraint_stats_view_cells(const ngx_constraint_bank_t *bank,
    ngx_constraint_stats_view_t *view);
static ngx_int_t ngx_constraint_stats_visit_slot(
    ngx_constraint_stats_t *stats, ngx_slab_pool_t *shpool,
    ngx_constraint_stats_slot_t *slot, ngx_constraint_stats_visit_t *visit);
static uint64_t ngx_constraint_stats_executions(
    ngx_constraint_stats_t *stats, const ngx_constraint_stats_slot_t *slot);
static int ngx_libc_cdecl ngx_constraint_stats_busier(const void *one,
    const void *two);
static void ngx_constraint_stats_copy_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_t *from, ngx_constraint_stats_slot_t *old);


void
ngx_constraint_stats_clear(ngx_constraint_stats_view_t *view)
{
    ngx_memzero(view->values, sizeof(view->values));
    ngx_memzero(view->errors, sizeof(view->errors));
    ngx_memzero(view->violations, sizeof(view->violations));

    ngx_constraint_histogram_clear(&view->latency);
    ngx_constraint_histogram_clear(&view->cpu);
    ngx_constraint_histogram_clear(&view->memory);
}


void
ngx_constraint_stats_merge(ngx_constraint_stats_view_t *view,
    const ngx_constraint_stats_view_t *from)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CONSTRAINT_STAT_COUNT; i++) {

        if (i == NGX_CONSTRAINT_STAT_TIME_MAX_NS
            || i == NGX_CONSTRAINT_STAT_MEMORY_MAX)
        {
            view->values[i] = ngx_max(view->values[i], from->values[i]);

        } else {
            view->values[i] += from->values[i];
        }
    }

    for (i = 0; i < NGX_CONSTRAINT_STATS_ERRORS; i++) {
        view->errors[i] += from->errors[i];
    }

    for (i = 0; i < NGX_CONSTRAINT_STATS_VIOLATIONS; i++) {
        view->violations[i] += from->violations[i];
    }

    ngx_constraint_histogram_merge(&view->latency, &from->latency);
    ngx_constraint_histogram_merge(&view->cpu, &from->cpu);
    ngx_constraint_histogram_merge(&view->memory, &from->memory);
}


void
ngx_constraint_stats_read(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *name, int64_t born_ms,
    ngx_constraint_stats_view_t *view)
{
    ngx_constraint_stats_slot_t  *slot;

    ngx_constraint_stats_lock(stats, shpool);

    slot = NULL;

    for ( ;; ) {
        slot = ngx_constraint_stats_lookup_locked(stats,
                                              NGX_CONSTRAINT_SLOT_CONSTRAINT,
                                              name, slot);
        if (slot == NULL) {
            break;
        }

        if (slot->born_ms >= born_ms) {
            ngx_constraint_stats_view_locked(stats, slot, view);
        }
    }

    ngx_constraint_stats_unlock(stats, shpool);
}


static void
ngx_constraint_stats_view_locked(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_slot_t *slot,
    ngx_constraint_stats_view_t *view)
{
    ngx_uint_t                    b, i, piece;
    uint16_t                      index;
    const ngx_atomic_t           *cells;
    ngx_constraint_bank_t        *bank;
    ngx_constraint_histogram_t   *histogram;

    for (b = 0; b < NGX_CONSTRAINT_STATS_BANKS; b++) {

        if (slot->banks[b] == 0) {
            continue;
        }

        bank = ngx_constraint_stats_bank(stats, slot->banks[b]);

        ngx_constraint_stats_view_cells(bank, view);

        if (bank->errors) {
            cells = ngx_constraint_stats_piece(stats, bank->errors)->cells;

            for (i = 0; i < NGX_CONSTRAINT_STATS_ERRORS; i++) {
                view->errors[i] += cells[i];
            }
        }

        for (i = 0; i < NGX_CONSTRAINT_HISTOGRAMS; i++) {
            histogram = i == NGX_CONSTRAINT_HISTOGRAM_MEMORY ? &view->memory
                        : i == NGX_CONSTRAINT_HISTOGRAM_CPU ? &view->cpu
                        : &view->latency;

            for (piece = 0; piece < NGX_CONSTRAINT_HISTOGRAM_PIECES; piece++)
            {
                index = bank->pieces[i][piece];

                if (index == 0) {
                    continue;
                }

                cells = ngx_constraint_stats_piece(stats, index)->cells;

                ngx_constraint_histogram_add_piece(histogram, piece, cells);

                if (i == NGX_CONSTRAINT_HISTOGRAM_INLINE) {
                    ngx_constraint_histogram_add_piece(&view->cpu, piece,
                                                       cells);
                }
            }
        }
    }
}


static void
ngx_constraint_stats_view_cells(const ngx_constraint_bank_t *bank,
    ngx_constraint_stats_view_t *view)
{
    uint64_t             *values, ran[3];
    ngx_uint_t            i, allows, denies;
    const ngx_atomic_t   *cells;

    cells = bank->cells;
    values = view->values;

    for (i = 0; i < 3; i++) {
        allows = cells[ngx_constraint_cell(NGX_CONSTRAINT_CELL_ALLOWS, i)];
        denies = cells[ngx_constraint_cell(NGX_CONSTRAINT_CELL_DENIES, i)];

        ran[i] = allows + denies;

        values[NGX_CONSTRAINT_STAT_ALLOWS] += allows;
        values[NGX_CONSTRAINT_STAT_DENIES] += denies;
        values[NGX_CONSTRAINT_STAT_EXECUTIONS] += allows + denies;
        values[NGX_CONSTRAINT_STAT_TIME_NS] +=
                   cells[ngx_constraint_cell(NGX_CONSTRAINT_CELL_TIME, i)];
    }

    values[NGX_CONSTRAINT_STAT_INLINE] += ran[NGX_CONSTRAINT_STATS_INLINE];
    values[NGX_CONSTRAINT_STAT_THREAD] += ran[NGX_CONSTRAINT_STATS_THREAD];
    values[NGX_CONSTRAINT_STAT_COST] += cells[NGX_CONSTRAINT_CELL_COST];
    values[NGX_CONSTRAINT_STAT_MEMORY] += cells[NGX_CONSTRAINT_CELL_MEMORY];
    values[NGX_CONSTRAINT_STAT_CPU_NS] +=
                     cells[NGX_CONSTRAINT_CELL_CPU]
                     + cells[ngx_constraint_cell(NGX_CONSTRAINT_CELL_TIME,
                                                 NGX_CONSTRAINT_STATS_INLINE)];
    values[NGX_CONSTRAINT_STAT_FAILED_OPEN] +=
                                     cells[NGX_CONSTRAINT_CELL_FAILED_OPEN];
    values[NGX_CONSTRAINT_STAT_ERRORS_REQUEST] +=
                                     cells[NGX_CONSTRAINT_CELL_ERRORS_REQUEST];
    values[NGX_CONSTRAINT_STAT_ERRORS_OURS] +=
                                     cells[NGX_CONSTRAINT_CELL_ERRORS_OURS];
    values[NGX_CONSTRAINT_STAT_RETRIES] += cells[NGX_CONSTRAINT_CELL_RETRIES];
    values[NGX_CONSTRAINT_STAT_SAMPLED_OUT] +=
                                     cells[NGX_CONSTRAINT_CELL_SAMPLED_OUT];
    values[NGX_CONSTRAINT_STAT_BREAKER] += cells[NGX_CONSTRAINT_CELL_BREAKER];

    values[NGX_CONSTRAINT_STAT_TIME_MAX_NS] =
                          ngx_max(values[NGX_CONSTRAINT_STAT_TIME_MAX_NS],
                                  cells[NGX_CONSTRAINT_CELL_TIME_MAX]);
    values[NGX_CONSTRAINT_STAT_MEMORY_MAX] =
                          ngx_max(values[NGX_CONSTRAINT_STAT_MEMORY_MAX],
                                  cells[NGX_CONSTRAINT_CELL_MEMORY_MAX]);

    for (i = 0; i < NGX_CONSTRAINT_STATS_VIOLATIONS; i++) {
        view->violations[i] += cells[NGX_CONSTRAINT_CELL_VIOLATIONS + i];
    }
}


ngx_int_t
ngx_constraint_stats_walk(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_visit_pt visit, void *ctx)
{
    u_char                        text[2][NGX_CONSTRAINT_STATS_NAME_MAX];
    ngx_int_t                     rc;
    ngx_str_t                     name, profile;
    ngx_uint_t                    i;
    ngx_constraint_stats_view_t  *view;
    ngx_constraint_stats_visit_t  v;

    view = calloc(1, sizeof(ngx_constraint_stats_view_t));
    if (view == NULL) {
        return NGX_ERROR;
    }

    name.data = text[0];
    profile.data = text[1];

    rc = NGX_OK;

    for (i = 0; i < stats->filled; i++) {
        v.name = &name;
        v.profile = &profile;
        v.view = view;

        if (ngx_constraint_stats_visit_slot(stats, shpool, &stats->slots[i],
                                            &v)
            != NGX_OK)
        {
            continue;
        }

        rc = visit(ctx, &v);

        if (rc != NGX_OK) {
            break;
        }
    }

    free(view);

    return rc;
}


/* Copies what is there of a slot: NGX_DECLINED, nothing to visit. */

static ngx_int_t
ngx_constraint_stats_visit_slot(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_slot_t *slot,
    ngx_constraint_stats_visit_t *visit)
{
    ngx_int_t                     rc;
    ngx_str_t                     text, *name, *profile;
    ngx_constraint_stats_slot_t  *owner;

    rc = NGX_DECLINED;
    name = (ngx_str_t *) visit->name;
    profile = (ngx_str_t *) visit->profile;

    ngx_constraint_stats_lock(stats, shpool);

    if (!(slot->tag & 1)
        || (slot->kind != NGX_CONSTRAINT_SLOT_CONSTRAINT
            && slot->kind != NGX_CONSTRAINT_SLOT_PROFILE)
        || (slot->kind == NGX_CONSTRAINT_SLOT_CONSTRAINT
            && slot->profile == 0))
    {
        goto done;
    }

    owner = slot;

    if (slot->kind == NGX_CONSTRAINT_SLOT_CONSTRAINT) {
        owner = &stats->slots[slot->profile - 1];

        text = ngx_constraint_stats_name(stats, slot);
        name->len = text.len;
        ngx_memcpy(name->data, text.data, text.len);

    } else {
        visit->name = NULL;
    }

    text = ngx_constraint_stats_name(stats, owner);
    profile->len = text.len;
    ngx_memcpy(profile->data, text.data, text.len);

    visit->born_ms = slot->born_ms;
    visit->labelled = slot->labelled;
    visit->profile_labelled = owner->labelled;

    ngx_constraint_stats_clear((ngx_constraint_stats_view_t *) visit->view);
    ngx_constraint_stats_view_locked(stats, slot,
                               (ngx_constraint_stats_view_t *) visit->view);

    if (slot != ngx_constraint_stats_profile_other(stats)
        || visit->view->values[NGX_CONSTRAINT_STAT_EXECUTIONS])
    {
        rc = NGX_OK;
    }

done:

    ngx_constraint_stats_unlock(stats, shpool);

    return rc;
}


void
ngx_constraint_stats_label(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool)
{
    ngx_uint_t                    i, n, labels;
    ngx_constraint_stats_slot_t  *slot;
    ngx_constraint_stats_rank_t  *ranks;

    ranks = malloc(stats->nslots * sizeof(ngx_constraint_stats_rank_t));
    if (ranks == NULL) {
        return;
    }

    ngx_constraint_stats_lock(stats, shpool);

    labels = 0;
    n = 0;

    for (i = 0; i < stats->filled; i++) {
        slot = &stats->slots[i];

        if (!(slot->tag & 1) || slot->kind != NGX_CONSTRAINT_SLOT_CONSTRAINT)
        {
            continue;
        }

        if (slot->labelled) {
            labels++;
            continue;
        }

        ranks[n].slot = i;
        ranks[n++].executions = ngx_constraint_stats_executions(stats, slot);
    }

    if (labels < NGX_CONSTRAINT_STATS_LABELS) {
        ngx_qsort(ranks, n, sizeof(ngx_constraint_stats_rank_t),
                  ngx_constraint_stats_busier);
    }

    for (i = 0; i < n && labels < NGX_CONSTRAINT_STATS_LABELS; i++, labels++)
    {
        slot = &stats->slots[ranks[i].slot];

        ngx_constraint_stats_fold_locked(stats, &stats->slots[0], stats,
                                         slot);
        slot->labelled = 1;
    }

    ngx_constraint_stats_unlock(stats, shpool);

    free(ranks);
}


static uint64_t
ngx_constraint_stats_executions(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_slot_t *slot)
{
    uint64_t                n;
    ngx_uint_t              b, i;
    ngx_constraint_bank_t  *bank;

    n = 0;

    for (b = 0; b < NGX_CONSTRAINT_STATS_BANKS; b++) {

        if (slot->banks[b] == 0) {
            continue;
        }

        bank = ngx_constraint_stats_bank(stats, slot->banks[b]);

        for (i = 0; i < 3; i++) {
            n += bank->cells[ngx_constraint_cell(NGX_CONSTRAINT_CELL_ALLOWS,
                                                 i)]
                 + bank->cells[ngx_constraint_cell(NGX_CONSTRAINT_CELL_DENIES,
                                                   i)];
        }
    }

    return n;
}


static int ngx_libc_cdecl
ngx_constraint_stats_busier(const void *one, const void *two)
{
    const ngx_constraint_stats_rank_t *a = one;
    const ngx_constraint_stats_rank_t *b = two;

    if (a->executions != b->executions) {
        return a->executions > b->executions ? -1 : 1;
    }

    return a->slot < b->slot ? -1 : 1;
}


void
ngx_constraint_stats_unlabelled(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_view_t *view)
{
    ngx_constraint_stats_lock(stats, shpool);

    ngx_constraint_stats_view_locked(stats, &stats->slots[0], view);

    ngx_constraint_stats_unlock(stats, shpool);
}


void
ngx_constraint_stats_fold_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot, ngx_constraint_stats_t *from,
    const ngx_constraint_stats_slot_t *old)
{
    ngx_uint_t              b, i, n;
    uint16_t               *pieces, *index;
    ngx_atomic_t           *to, *cells;
    ngx_constraint_bank_t  *bank, *other;

    bank = ngx_constraint_stats_bank(stats, slot->banks[0]);
    pieces = &bank->pieces[0][0];

    for (b = 0; b < NGX_CONSTRAINT_STATS_BANKS; b++) {

        if (old->banks[b] == 0) {
            continue;
        }

        other = ngx_constraint_stats_bank(from, old->banks[b]);

        for (i = 0; i < NGX_CONSTRAINT_CELLS; i++) {

            if (!ngx_constraint_cell_is_max(i)) {
                (void) ngx_atomic_fetch_add(&bank->cells[i], other->cells[i]);

            } else if (bank->cells[i] < other->cells[i]) {
                bank->cells[i] = other->cells[i];
            }
        }

        /* errors are one more piece */

        for (i = 0;
             i <= NGX_CONSTRAINT_HISTOGRAMS * NGX_CONSTRAINT_HISTOGRAM_PIECES;
             i++)
        {
            index = i ? &(&other->pieces[0][0])[i - 1] : &other->errors;

            if (*index == 0) {
                continue;
            }

            to = ngx_constraint_stats_cells_locked(stats,
                                       i ? &pieces[i - 1] : &bank->errors,
                                       slot);
            if (to == NULL) {
                continue;
            }

            /* taking memory may have evicted what was to be read */

            if (*index == 0) {
                continue;
            }

            cells = ngx_constraint_stats_piece(from, *index)->cells;

            for (n = 0; n < NGX_CONSTRAINT_HISTOGRAM_PIECE; n++) {
                if (cells[n]) {
                    (void) ngx_atomic_fetch_add(&to[n], cells[n]);
                }
            }
        }
    }
}


void
ngx_constraint_stats_leave_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *profile, ngx_constraint_stats_t *from,
    const ngx_constraint_stats_slot_t *old)
{
    ngx_constraint_stats_fold_locked(stats, profile, from, old);

    if (!old->labelled) {
        ngx_constraint_stats_fold_locked(stats, &stats->slots[0], from, old);
    }
}


void
ngx_constraint_stats_copy(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_t *from,
    ngx_slab_pool_t *from_shpool)
{
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot;

    ngx_constraint_stats_lock(from, from_shpool);

    ngx_constraint_stats_fold_locked(stats, &stats->slots[0], from,
                                     &from->slots[0]);

    for (i = 1; i < from->filled; i++) {
        slot = &from->slots[i];

        if (slot->tag & 1) {
            ngx_constraint_stats_copy_locked(stats, from, slot);
        }
    }

    stats->recycled += from->recycled;
    stats->evicted += from->evicted;
    stats->unobserved += from->unobserved;
    stats->lost += from->lost;
    stats->stateless += from->stateless;

    ngx_constraint_stats_unlock(from, from_shpool);
}


static void
ngx_constraint_stats_copy_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_t *from, ngx_constraint_stats_slot_t *old)
{
    ngx_str_t                     name;
    ngx_constraint_stats_slot_t  *slot, *profile;

    name = ngx_constraint_stats_name(from, old);

    if (old->kind == NGX_CONSTRAINT_SLOT_PROFILE) {
        slot = ngx_constraint_stats_profile_locked(stats, &name);

        slot->used = old->used;
        ngx_constraint_stats_fold_locked(stats, slot, from, old);

        return;
    }

    if (old->profile == 0) {
        return;
    }

    name = ngx_constraint_stats_name(from, &from->slots[old->profile - 1]);
    profile = ngx_constraint_stats_profile_locked(stats, &name);

    name = ngx_constraint_stats_name(from, old);
    slot = ngx_constraint_stats_take_locked(stats, old->kind, &name, profile);

    if (slot == NULL && old->kind == NGX_CONSTRAINT_SLOT_CONSTRAINT) {
        ngx_constraint_stats_leave_locked(stats, profile, from, old);
    }

    if (slot == NULL) {
        return;
    }

    slot->born_ms = old->born_ms;
    slot->labelled = old->labelled;
    slot->used = old->used;
    slot->profile = profile - stats->slots + 1;

    if (old->kind == NGX_CONSTRAINT_SLOT_STATE) {
        ngx_constraint_stats_state_copy_locked(stats, slot, from, old);
        return;
    }

    ngx_constraint_stats_fold_locked(stats, slot, from, old);
}


const char *
ngx_constraint_stats_violation_name(ngx_uint_t type)
{
    static const char  *names[] = {
        "TimeoutExceeded", "MemoryExceeded", "CpuExceeded", "CostExceeded",
        "SampledOut", "MultipleViolations"
    };

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}
