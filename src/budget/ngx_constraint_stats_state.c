/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * States: memory that the statistics keep by the name of a constraint for
 * others.  What is in it is not known here.
 */


#include "ngx_constraint_stats_room.h"


static ngx_uint_t ngx_constraint_stats_state_pieces(
    const ngx_constraint_stats_slot_t *slot);


ngx_int_t
ngx_constraint_stats_state(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_key_t *key,
    ngx_constraint_stats_ref_t *ref, void **state)
{
    ngx_int_t                     rc;
    ngx_constraint_stats_slot_t  *slot;

    ngx_constraint_stats_lock(stats, shpool);

    rc = ngx_constraint_stats_find_locked(stats, NGX_CONSTRAINT_SLOT_STATE,
                                          key, &slot);

    if (rc == NGX_OK) {
        ref->slot = &slot->tag;
        ref->tag = slot->tag;
        ref->bank = ngx_constraint_stats_piece(stats, slot->banks[0]);
        *state = ref->bank;

    } else {
        ref->slot = NULL;
        *state = NULL;
    }

    ngx_constraint_stats_unlock(stats, shpool);

    return rc;
}


void *
ngx_constraint_stats_state_lookup(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *name, int64_t born_ms,
    ngx_atomic_t **more)
{
    void                         *state;
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot;

    state = NULL;

    ngx_constraint_stats_lock(stats, shpool);

    slot = ngx_constraint_stats_lookup_locked(stats,
                                              NGX_CONSTRAINT_SLOT_STATE, name,
                                              NULL);

    if (slot && slot->born_ms >= born_ms) {
        state = ngx_constraint_stats_piece(stats, slot->banks[0]);

        for (i = 0; more && i < NGX_CONSTRAINT_STATS_MORE; i++) {
            more[i] = slot->banks[i + 1]
                      ? ngx_constraint_stats_piece(stats,
                                                   slot->banks[i + 1])->cells
                      : NULL;
        }
    }

    ngx_constraint_stats_unlock(stats, shpool);

    return state;
}


void
ngx_constraint_stats_stateless(ngx_constraint_stats_t *stats)
{
    (void) ngx_atomic_fetch_add(&stats->stateless, 1);
}


/* A number once seen is not 0 again, unless the slot goes. */

ngx_atomic_t *
ngx_constraint_stats_state_more(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_ref_t *ref, ngx_uint_t n)
{
    uint16_t                      piece;
    ngx_constraint_stats_slot_t  *slot;

    slot = (ngx_constraint_stats_slot_t *) ref->slot;
    piece = __atomic_load_n(&slot->banks[n + 1], __ATOMIC_RELAXED);

    return piece ? ngx_constraint_stats_piece(stats, piece)->cells : NULL;
}


ngx_atomic_t *
ngx_constraint_stats_state_take(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_ref_t *ref,
    ngx_uint_t n)
{
    ngx_uint_t                    none;
    ngx_atomic_t                 *cells;
    ngx_constraint_stats_slot_t  *slot;

    cells = NULL;
    slot = (ngx_constraint_stats_slot_t *) ref->slot;

    ngx_constraint_stats_lock(stats, shpool);

    none = slot->banks[n + 1] == 0;

    if (slot->tag == ref->tag
        && (!none || stats->more < stats->npieces / 4))
    {
        cells = ngx_constraint_stats_cells_locked(stats, &slot->banks[n + 1],
                                                  slot);
        if (cells && none) {
            stats->more++;
        }
    }

    ngx_constraint_stats_unlock(stats, shpool);

    return cells;
}


/* What there is more of it goes with it whole, or not: it means nothing by
 * half. */

void
ngx_constraint_stats_state_copy_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot, ngx_constraint_stats_t *from,
    const ngx_constraint_stats_slot_t *old)
{
    ngx_uint_t  i, more;

    more = ngx_constraint_stats_state_pieces(old);

    if (stats->more + more > stats->npieces / 4) {
        more = 0;
    }

    for (i = 0; i < NGX_CONSTRAINT_STATS_BANKS; i++) {

        if (old->banks[i] == 0 || (i && more == 0)) {
            continue;
        }

        if (i) {
            slot->banks[i] = ngx_constraint_stats_alloc_locked(stats, slot);

            if (slot->banks[i] == 0) {
                goto failed;
            }
        }

        ngx_memcpy((void *) ngx_constraint_stats_piece(stats, slot->banks[i]),
                   (void *) ngx_constraint_stats_piece(from, old->banks[i]),
                   sizeof(ngx_constraint_piece_t));
    }

    stats->more += more;

    return;

failed:

    while (--i > 0) {
        ngx_constraint_stats_free_locked(stats, &slot->banks[i]);
    }
}


void
ngx_constraint_stats_state_forget_locked(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_slot_t *slot)
{
    stats->more -= ngx_min(stats->more,
                           ngx_constraint_stats_state_pieces(slot));
}


void
ngx_constraint_stats_state_repair_locked(ngx_constraint_stats_t *stats)
{
    ngx_uint_t  i;

    stats->more = 0;

    for (i = 0; i < stats->filled; i++) {
        if (stats->slots[i].tag & 1) {
            stats->more += ngx_constraint_stats_state_pieces(
                                                          &stats->slots[i]);
        }
    }
}


/* Besides the state itself. */

static ngx_uint_t
ngx_constraint_stats_state_pieces(const ngx_constraint_stats_slot_t *slot)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 1; i < NGX_CONSTRAINT_STATS_BANKS; i++) {
        n += slot->kind == NGX_CONSTRAINT_SLOT_STATE && slot->banks[i];
    }

    return n;
}
