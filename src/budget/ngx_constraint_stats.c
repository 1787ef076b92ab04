/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The table of counters: slots by name, who gets one, and when it is given to
 * another.  Counts and reads nothing.
 */


#include "ngx_constraint_stats_room.h"


#define NGX_CONSTRAINT_STATS_SAMPLE    16
#define NGX_CONSTRAINT_STATS_SLOT_PER  1000      /* bytes for each slot */
#define NGX_CONSTRAINT_STATS_MAX       65535     /* pieces have short names */


static uint16_t ngx_constraint_stats_bank_locked(
    ngx_constraint_stats_t *stats, ngx_constraint_stats_slot_t *slot);
static void ngx_constraint_stats_name_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot, const ngx_str_t *name);
static void ngx_constraint_stats_unlink_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot);
static ngx_constraint_stats_slot_t *ngx_constraint_stats_recycle_locked(
    ngx_constraint_stats_t *stats, ngx_constraint_slot_e kind,
    ngx_constraint_stats_slot_t *keep);


static const ngx_str_t  ngx_constraint_stats_nobody = ngx_null_string;


ngx_constraint_stats_t *
ngx_constraint_stats_create_locked(ngx_slab_pool_t *shpool, size_t size)
{
    size_t                   left;
    u_char                  *p;
    ngx_uint_t               i, nslots, nbuckets;
    ngx_constraint_stats_t  *stats;

    nslots = ngx_min(size / NGX_CONSTRAINT_STATS_SLOT_PER,
                     NGX_CONSTRAINT_STATS_MAX);
    nslots = ngx_max(nslots, 4);

    for (nbuckets = 1; nbuckets < nslots; nbuckets <<= 1) { /* void */ }

    left = sizeof(ngx_constraint_stats_t) + ngx_cacheline_size
           + nslots * sizeof(ngx_constraint_stats_slot_t)
           + nbuckets * sizeof(uint32_t) + sizeof(uint16_t);

    if (size < left + nslots * (sizeof(ngx_constraint_piece_t) + 2)) {
        return NULL;
    }

    p = ngx_slab_calloc_locked(shpool, size);
    if (p == NULL) {
        return NULL;
    }

    stats = (ngx_constraint_stats_t *) p;

    stats->nslots = nslots;
    stats->nbuckets = nbuckets;
    stats->npieces = ngx_min((size - left)
                             / (sizeof(ngx_constraint_piece_t)
                                + sizeof(uint16_t)),
                             NGX_CONSTRAINT_STATS_MAX);

    p = ngx_align_ptr(p + sizeof(ngx_constraint_stats_t), ngx_cacheline_size);

    stats->slots = (ngx_constraint_stats_slot_t *) p;
    stats->pieces = (ngx_constraint_piece_t *) (stats->slots + nslots);
    stats->buckets = (uint32_t *) (stats->pieces + stats->npieces);
    stats->nexts = (uint16_t *) (stats->buckets + nbuckets);

    for (i = 1; i <= stats->npieces; i++) {
        stats->nexts[i] = i < stats->npieces ? i + 1 : 0;
    }

    stats->free_first = 1;
    stats->free_last = stats->npieces;
    stats->free_count = stats->npieces;

    (void) ngx_constraint_stats_take_locked(stats,
                                            NGX_CONSTRAINT_SLOT_UNLABELLED,
                                            &ngx_constraint_stats_nobody,
                                            NULL);
    ngx_constraint_stats_profile_init_locked(stats);

    return stats;
}


/* Who finds the flag set makes the index anew: its owner died inside. */

void
ngx_constraint_stats_lock(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool)
{
    ngx_shmtx_lock(&shpool->mutex);

    if (stats->mutating) {
        ngx_constraint_stats_repair_locked(stats);
        ngx_constraint_stats_state_repair_locked(stats);
    }

    stats->mutating = 1;
    ngx_memory_barrier();

    if (ngx_constraint_fault("stats.kill_locked")) {
        (void) raise(SIGKILL);
    }
}


void
ngx_constraint_stats_unlock(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool)
{
    ngx_memory_barrier();
    stats->mutating = 0;

    ngx_shmtx_unlock(&shpool->mutex);
}


ngx_int_t
ngx_constraint_stats_attach(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_constraint_stats_key_t *key,
    ngx_constraint_stats_ref_t *ref)
{
    ngx_int_t                     rc;
    ngx_uint_t                    bank;
    ngx_constraint_stats_slot_t  *slot;

    ngx_constraint_stats_lock(stats, shpool);

    rc = ngx_constraint_stats_find_locked(stats,
                                          NGX_CONSTRAINT_SLOT_CONSTRAINT, key,
                                          &slot);

    if (rc == NGX_OK) {
        bank = ngx_constraint_stats_bank_locked(stats, slot);

        ref->slot = &slot->tag;
        ref->tag = slot->tag;
        ref->profile = key->profile->data;
        ref->bank = ngx_constraint_stats_bank(stats, bank);

    } else {
        ref->slot = NULL;
    }

    if (rc == NGX_ERROR) {
        (void) ngx_atomic_fetch_add(&stats->lost, 1);
    }

    ngx_constraint_stats_unlock(stats, shpool);

    return rc;
}


/* One that was registered earlier gives way to a later one, never back. */

ngx_int_t
ngx_constraint_stats_find_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_slot_e kind, const ngx_constraint_stats_key_t *key,
    ngx_constraint_stats_slot_t **found)
{
    uint32_t                      owner;
    ngx_constraint_stats_slot_t  *slot, *profile, *next;

    profile = ngx_constraint_stats_profile_locked(stats,
                                        kind == NGX_CONSTRAINT_SLOT_STATE
                                        ? &ngx_constraint_stats_nobody
                                        : key->profile);
    owner = profile - stats->slots + 1;
    *found = NULL;

    slot = ngx_constraint_stats_lookup_locked(stats, kind, key->name, NULL);

    while (slot) {
        next = ngx_constraint_stats_lookup_locked(stats, kind, key->name,
                                                  slot);

        if (slot->born_ms > key->born_ms) {
            return NGX_DECLINED;
        }

        if (slot->born_ms < key->born_ms) {
            ngx_constraint_stats_drop_locked(stats, slot);

        } else if (slot->profile == owner) {
            *found = slot;
        }

        slot = next;
    }

    if (*found == NULL) {
        slot = ngx_constraint_stats_take_locked(stats, kind, key->name,
                                                profile);
        if (slot == NULL) {
            return NGX_ERROR;
        }

        slot->born_ms = key->born_ms;
        slot->profile = owner;

        *found = slot;
    }

    (*found)->used = ngx_constraint_stats_now();

    return NGX_OK;
}


/*
 * A bank of this worker's own, as long as every slot that is still to be
 * given can have one and a quarter is left for histograms; else the first.
 */

static uint16_t
ngx_constraint_stats_bank_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot)
{
    ngx_uint_t   i;
    uint16_t    *bank;

    bank = &slot->banks[ngx_worker % NGX_CONSTRAINT_STATS_BANKS];

    if (*bank == 0
        && stats->free_count > stats->nslots - stats->filled
                               + stats->npieces / 4)
    {
        *bank = ngx_constraint_stats_alloc_locked(stats, slot);
    }

    if (*bank) {
        return *bank;
    }

    for (i = 0; slot->banks[i] == 0; i++) { /* void */ }

    return slot->banks[i];
}


void
ngx_constraint_stats_link_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot)
{
    uint32_t  *bucket;

    bucket = &stats->buckets[slot->hash & (stats->nbuckets - 1)];

    slot->next = *bucket;
    *bucket = slot - stats->slots + 1;
}


static void
ngx_constraint_stats_unlink_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot)
{
    uint32_t  *p, index;

    index = slot - stats->slots + 1;
    p = &stats->buckets[slot->hash & (stats->nbuckets - 1)];

    while (*p && *p != index) {
        p = &stats->slots[*p - 1].next;
    }

    if (*p) {
        *p = slot->next;
    }
}


ngx_str_t
ngx_constraint_stats_name(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot)
{
    ngx_str_t  name;

    name.len = slot->len;
    name.data = slot->name
                ? (u_char *) ngx_constraint_stats_piece(stats, slot->name)
                : slot->text;

    return name;
}


ngx_constraint_stats_slot_t *
ngx_constraint_stats_lookup_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_slot_e kind, const ngx_str_t *name,
    ngx_constraint_stats_slot_t *slot)
{
    size_t     len;
    uint32_t   hash, index;
    ngx_str_t  text;

    len = ngx_min(name->len, NGX_CONSTRAINT_STATS_NAME_MAX);

    if (slot) {
        hash = slot->hash;
        index = slot->next;

    } else {
        hash = ngx_murmur_hash2(name->data, len);
        index = stats->buckets[hash & (stats->nbuckets - 1)];
    }

    while (index) {
        slot = &stats->slots[index - 1];

        if (slot->hash == hash && slot->len == len && slot->kind == kind) {
            text = ngx_constraint_stats_name(stats, slot);

            if (len == 0 || ngx_memcmp(text.data, name->data, len) == 0) {
                return slot;
            }
        }

        index = slot->next;
    }

    return NULL;
}


/* An even tag belongs to nobody: a death in here loses this slot alone. */

ngx_constraint_stats_slot_t *
ngx_constraint_stats_take_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_slot_e kind, const ngx_str_t *name,
    ngx_constraint_stats_slot_t *keep)
{
    ngx_constraint_stats_slot_t  *slot;

    if (stats->free_slot == 0 && stats->filled == stats->nslots) {
        slot = ngx_constraint_stats_recycle_locked(stats, kind, keep);

        if (slot == NULL) {
            return NULL;
        }

        ngx_constraint_stats_drop_locked(stats, slot);
        stats->recycled++;
    }

    if (stats->free_slot) {
        slot = &stats->slots[stats->free_slot - 1];
        stats->free_slot = slot->next;

    } else {
        slot = &stats->slots[stats->filled++];
    }

    /* but for its tag: who was here before is not to find its own again */

    ngx_memzero((u_char *) slot + sizeof(slot->tag),
                sizeof(ngx_constraint_stats_slot_t) - sizeof(slot->tag));

    slot->kind = kind;
    slot->banks[0] = ngx_constraint_stats_alloc_locked(stats, slot);
    ngx_constraint_stats_name_locked(stats, slot, name);
    slot->used = ngx_constraint_stats_now();

    if (slot->banks[0] == 0
        || (name->len >= sizeof(slot->text) && slot->name == 0))
    {
        ngx_constraint_stats_free_slot_locked(stats, slot);
        slot->next = stats->free_slot;
        stats->free_slot = slot - stats->slots + 1;
        return NULL;
    }

    ngx_constraint_stats_link_locked(stats, slot);

    ngx_memory_barrier();
    slot->tag++;

    return slot;
}


static void
ngx_constraint_stats_name_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot, const ngx_str_t *name)
{
    u_char  *p;

    slot->len = ngx_min(name->len, NGX_CONSTRAINT_STATS_NAME_MAX);
    slot->hash = ngx_murmur_hash2(name->data, slot->len);

    if (slot->len == 0) {
        return;                    /* the one of all that have no label */
    }

    p = slot->text;

    if (slot->len >= sizeof(slot->text)) {
        slot->name = ngx_constraint_stats_alloc_locked(stats, slot);

        if (slot->name == 0) {
            return;
        }

        p = (u_char *) ngx_constraint_stats_piece(stats, slot->name);
    }

    ngx_memcpy(p, name->data, slot->len);
}


/* What it counted stays: in its profile's slot, and in the one of all that
 * have no label; a profile's in that of all others. */

void
ngx_constraint_stats_drop_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot)
{
    ngx_constraint_stats_unlink_locked(stats, slot);
    slot->tag++;

    ngx_memory_barrier();

    if (slot->kind == NGX_CONSTRAINT_SLOT_CONSTRAINT) {

        /* without a profile: its maker died before it counted anything */

        if (slot->profile) {
            ngx_constraint_stats_leave_locked(stats,
                                         &stats->slots[slot->profile - 1],
                                         stats, slot);
        }

    } else if (slot->kind == NGX_CONSTRAINT_SLOT_PROFILE) {
        ngx_constraint_stats_fold_locked(stats,
                                     ngx_constraint_stats_profile_other(stats),
                                     stats, slot);
    }

    ngx_constraint_stats_state_forget_locked(stats, slot);
    ngx_constraint_stats_free_slot_locked(stats, slot);

    slot->next = stats->free_slot;
    stats->free_slot = slot - stats->slots + 1;
}


/*
 * The oldest of a sample of counters.  States stay for as long as their
 * constraints do, so where they are half of what is there no other gets one:
 * they would leave nothing to be counted in.
 */

static ngx_constraint_stats_slot_t *
ngx_constraint_stats_recycle_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_slot_e kind, ngx_constraint_stats_slot_t *keep)
{
    int32_t                       age;
    ngx_uint_t                    i, seen, states;
    ngx_constraint_stats_slot_t  *slot, *oldest;

    oldest = NULL;
    age = -1;
    seen = 0;
    states = 0;

    for (i = 0; i < stats->nslots && seen < NGX_CONSTRAINT_STATS_SAMPLE; i++) {
        slot = &stats->slots[stats->hand++ % stats->nslots];

        if (slot->kind == NGX_CONSTRAINT_SLOT_STATE) {
            states++;
            continue;
        }

        if (slot->kind != NGX_CONSTRAINT_SLOT_CONSTRAINT || slot == keep) {
            continue;
        }

        seen++;
        ngx_constraint_stats_older(slot, &oldest, &age);
    }

    return (kind == NGX_CONSTRAINT_SLOT_STATE && states >= seen)
           ? NULL : oldest;
}


void
ngx_constraint_stats_drop(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *name, int64_t born_ms)
{
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot, *next;

    static const ngx_constraint_slot_e  kinds[] = {
        NGX_CONSTRAINT_SLOT_CONSTRAINT, NGX_CONSTRAINT_SLOT_STATE
    };

    ngx_constraint_stats_lock(stats, shpool);

    for (i = 0; i < 2; i++) {
        slot = ngx_constraint_stats_lookup_locked(stats, kinds[i], name, NULL);

        for ( /* void */ ; slot; slot = next) {
            next = ngx_constraint_stats_lookup_locked(stats, kinds[i], name,
                                                      slot);

            if (slot->born_ms <= born_ms) {
                ngx_constraint_stats_drop_locked(stats, slot);
            }
        }
    }

    ngx_constraint_stats_unlock(stats, shpool);
}


void
ngx_constraint_stats_status(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, ngx_constraint_stats_status_t *status)
{
    ngx_uint_t  i;

    ngx_constraint_stats_lock(stats, shpool);

    status->slots = stats->nslots;
    status->slots_used = 0;

    for (i = 0; i < stats->filled; i++) {
        status->slots_used += stats->slots[i].tag & 1;
    }

    status->pieces = stats->npieces;
    status->pieces_free = stats->free_count;
    status->recycled = stats->recycled;
    status->evicted = stats->evicted;
    status->unobserved = stats->unobserved;
    status->lost = stats->lost;
    status->stateless = stats->stateless;

    ngx_constraint_stats_unlock(stats, shpool);
}
