/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The table of counters: an array of slots and a hash index over it.  It
 * counts what it is told and judges nothing.
 */


#include "ngx_constraint_stats.h"


#define NGX_CONSTRAINT_STATS_KEY_MAX  255
#define NGX_CONSTRAINT_STATS_SAMPLE   16


/* index values are a slot's number + 1, 0 = none */

typedef struct {
    ngx_atomic_t                   tag;      /* odd: belongs to key */
    uint32_t                       hash;
    uint32_t                       next;     /* in the bucket */
    time_t                         used;     /* relaxed */
    ngx_atomic_t                   values[NGX_CONSTRAINT_STAT_COUNT];
    u_char                         len;
    u_char                         key[NGX_CONSTRAINT_STATS_KEY_MAX];
} ngx_constraint_stats_slot_t;


struct ngx_constraint_stats_s {
    ngx_uint_t                     nslots;
    ngx_uint_t                     nbuckets; /* a power of two */
    ngx_uint_t                     filled;   /* slots ever given */
    ngx_uint_t                     hand;     /* where the next sample begins */
    ngx_atomic_t                   mutating; /* the index is being changed */
    ngx_constraint_stats_slot_t   *slots;
    uint32_t                      *buckets;
};


static ngx_uint_t ngx_constraint_stats_buckets(ngx_uint_t slots);
static void ngx_constraint_stats_begin_locked(ngx_constraint_stats_t *stats);
static void ngx_constraint_stats_end_locked(ngx_constraint_stats_t *stats);
static void ngx_constraint_stats_link_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot);
static void ngx_constraint_stats_unlink_locked(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_slot_t *slot);
static ngx_constraint_stats_slot_t *ngx_constraint_stats_lookup_locked(
    ngx_constraint_stats_t *stats, const ngx_str_t *key);
static ngx_constraint_stats_slot_t *ngx_constraint_stats_take_locked(
    ngx_constraint_stats_t *stats, const ngx_str_t *key);
static ngx_constraint_stats_slot_t *ngx_constraint_stats_sample_locked(
    ngx_constraint_stats_t *stats);


size_t
ngx_constraint_stats_size(ngx_uint_t slots)
{
    return sizeof(ngx_constraint_stats_t)
           + slots * sizeof(ngx_constraint_stats_slot_t)
           + ngx_constraint_stats_buckets(slots) * sizeof(uint32_t);
}


static ngx_uint_t
ngx_constraint_stats_buckets(ngx_uint_t slots)
{
    ngx_uint_t  n;

    for (n = 1; n < slots; n <<= 1) { /* void */ }

    return n;
}


ngx_constraint_stats_t *
ngx_constraint_stats_create_locked(ngx_slab_pool_t *shpool, ngx_uint_t slots)
{
    ngx_constraint_stats_t  *stats;

    stats = ngx_slab_calloc_locked(shpool, ngx_constraint_stats_size(slots));
    if (stats == NULL) {
        return NULL;
    }

    stats->nslots = slots;
    stats->nbuckets = ngx_constraint_stats_buckets(slots);
    stats->slots = (ngx_constraint_stats_slot_t *) (stats + 1);
    stats->buckets = (uint32_t *) (stats->slots + slots);

    return stats;
}


ngx_int_t
ngx_constraint_stats_attach(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *key,
    ngx_constraint_stats_ref_t *ref)
{
    ngx_constraint_stats_slot_t  *slot;

    ngx_shmtx_lock(&shpool->mutex);

    ngx_constraint_stats_begin_locked(stats);

    slot = ngx_constraint_stats_lookup_locked(stats, key);

    if (slot == NULL) {
        slot = ngx_constraint_stats_take_locked(stats, key);
    }

    slot->used = ngx_time();

    ref->index = slot - stats->slots + 1;
    ref->tag = (uint32_t) slot->tag;

    ngx_constraint_stats_end_locked(stats);

    ngx_shmtx_unlock(&shpool->mutex);

    return NGX_OK;
}


/*
 * A recycling between the look at the tag and the adds puts one request's
 * numbers to another key: counters are for people, no lock is worth it.
 */

ngx_int_t
ngx_constraint_stats_add(ngx_constraint_stats_t *stats,
    const ngx_constraint_stats_ref_t *ref, const uint64_t *values)
{
    ngx_uint_t                    i;
    ngx_atomic_uint_t             max;
    ngx_constraint_stats_slot_t  *slot;

    if (ref->index == 0 || ref->index > stats->nslots) {
        return NGX_DECLINED;
    }

    slot = &stats->slots[ref->index - 1];

    if ((uint32_t) slot->tag != ref->tag) {
        return NGX_DECLINED;
    }

    for (i = 0; i < NGX_CONSTRAINT_STAT_COUNT; i++) {

        if (i == NGX_CONSTRAINT_STAT_TIME_MAX_US) {

            do {
                max = slot->values[i];

            } while (max < values[i]
                     && !ngx_atomic_cmp_set(&slot->values[i], max,
                                            values[i]));

        } else if (values[i]) {
            (void) ngx_atomic_fetch_add(&slot->values[i], values[i]);
        }
    }

    if (slot->used != ngx_time()) {
        slot->used = ngx_time();
    }

    return NGX_OK;
}


void
ngx_constraint_stats_read(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *key, uint64_t *values)
{
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot;

    ngx_memzero(values, NGX_CONSTRAINT_STAT_COUNT * sizeof(uint64_t));

    ngx_shmtx_lock(&shpool->mutex);

    ngx_constraint_stats_begin_locked(stats);

    slot = ngx_constraint_stats_lookup_locked(stats, key);

    for (i = 0; slot && i < NGX_CONSTRAINT_STAT_COUNT; i++) {
        values[i] = slot->values[i];
    }

    ngx_constraint_stats_end_locked(stats);

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_constraint_stats_drop(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool, const ngx_str_t *key)
{
    ngx_constraint_stats_slot_t  *slot;

    ngx_shmtx_lock(&shpool->mutex);

    ngx_constraint_stats_begin_locked(stats);

    slot = ngx_constraint_stats_lookup_locked(stats, key);

    if (slot) {
        ngx_constraint_stats_unlink_locked(stats, slot);
        slot->tag++;
        slot->used = 0;
    }

    ngx_constraint_stats_end_locked(stats);

    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_constraint_stats_copy(ngx_constraint_stats_t *stats,
    ngx_constraint_stats_t *from, ngx_slab_pool_t *from_shpool)
{
    ngx_str_t                     key;
    ngx_uint_t                    i, n;
    ngx_constraint_stats_slot_t  *slot, *old;

    ngx_shmtx_lock(&from_shpool->mutex);

    for (n = 0; n < from->nslots; n++) {
        old = &from->slots[n];

        if (!(old->tag & 1)) {
            continue;
        }

        key.data = old->key;
        key.len = old->len;

        slot = ngx_constraint_stats_take_locked(stats, &key);
        slot->used = old->used;

        for (i = 0; i < NGX_CONSTRAINT_STAT_COUNT; i++) {
            slot->values[i] = old->values[i];
        }
    }

    ngx_shmtx_unlock(&from_shpool->mutex);
}


/* Who finds the flag set makes the index anew: its owner died inside. */

static void
ngx_constraint_stats_begin_locked(ngx_constraint_stats_t *stats)
{
    ngx_uint_t  i;

    if (stats->mutating) {
        ngx_memzero(stats->buckets, stats->nbuckets * sizeof(uint32_t));

        for (i = 0; i < stats->nslots; i++) {
            if (stats->slots[i].tag & 1) {
                ngx_constraint_stats_link_locked(stats, &stats->slots[i]);
            }
        }
    }

    stats->mutating = 1;
    ngx_memory_barrier();
}


static void
ngx_constraint_stats_end_locked(ngx_constraint_stats_t *stats)
{
    ngx_memory_barrier();
    stats->mutating = 0;
}


static void
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


static ngx_constraint_stats_slot_t *
ngx_constraint_stats_lookup_locked(ngx_constraint_stats_t *stats,
    const ngx_str_t *key)
{
    size_t                        len;
    uint32_t                      hash, index;
    ngx_constraint_stats_slot_t  *slot;

    len = ngx_min(key->len, NGX_CONSTRAINT_STATS_KEY_MAX);
    hash = ngx_murmur_hash2(key->data, len);
    index = stats->buckets[hash & (stats->nbuckets - 1)];

    while (index) {
        slot = &stats->slots[index - 1];

        if (slot->hash == hash && slot->len == len
            && ngx_memcmp(slot->key, key->data, len) == 0)
        {
            return slot;
        }

        index = slot->next;
    }

    return NULL;
}


/* an even tag belongs to nobody: a death in here loses this slot alone */

static ngx_constraint_stats_slot_t *
ngx_constraint_stats_take_locked(ngx_constraint_stats_t *stats,
    const ngx_str_t *key)
{
    ngx_constraint_stats_slot_t  *slot;

    if (stats->filled < stats->nslots) {
        slot = &stats->slots[stats->filled++];

    } else {
        slot = ngx_constraint_stats_sample_locked(stats);
    }

    if (slot->tag & 1) {
        ngx_constraint_stats_unlink_locked(stats, slot);
        slot->tag++;
    }

    ngx_memory_barrier();

    ngx_memzero((void *) slot->values, sizeof(slot->values));

    slot->len = ngx_min(key->len, NGX_CONSTRAINT_STATS_KEY_MAX);
    ngx_memcpy(slot->key, key->data, slot->len);
    slot->hash = ngx_murmur_hash2(slot->key, slot->len);
    slot->used = ngx_time();

    ngx_constraint_stats_link_locked(stats, slot);

    ngx_memory_barrier();
    slot->tag++;

    return slot;
}


static ngx_constraint_stats_slot_t *
ngx_constraint_stats_sample_locked(ngx_constraint_stats_t *stats)
{
    ngx_uint_t                    i;
    ngx_constraint_stats_slot_t  *slot, *oldest;

    oldest = NULL;

    for (i = 0; i < NGX_CONSTRAINT_STATS_SAMPLE; i++) {
        slot = &stats->slots[stats->hand % stats->nslots];
        stats->hand++;

        if (oldest == NULL || slot->used < oldest->used) {
            oldest = slot;
        }
    }

    return oldest;
}
