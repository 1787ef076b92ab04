/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The hot cache of a zone: copies of stored values in shared memory, found by
 * the store's own keys.  Never the truth: whatever is doubtful is dropped and
 * comes back from the store.
 *
 *   zone's slab:  | zone | counters | cache | region ................... |
 *   region:       a slab pool of its own: buckets, entries
 *
 * synced is the generation that all entries read before it are valid for.
 * An entry read later waits until synced has passed it: then the change log
 * has been applied to it too.  So what get returns is one snapshot.
 *
 * A revision's document is found by way of the workflow's head alone: a head
 * that is dropped or replaced by another revision's takes its document along.
 *
 * mutating is set under the mutex while anything is being changed.  Who finds
 * it set took the mutex after a process had died inside: the region is made
 * anew, empty.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_CACHE_UNLOADS  64
#define NGX_CONSTRAINT_CACHE_SAMPLE   8
#define NGX_CONSTRAINT_CACHE_EVICT    32
#define NGX_CONSTRAINT_CACHE_VALUE    262144  /* copied under the mutex */


typedef struct ngx_constraint_entry_s  ngx_constraint_entry_t;

struct ngx_constraint_entry_s {
    ngx_constraint_entry_t   *next;           /* in the bucket */
    uint64_t                  read_at;        /* generation */
    time_t                    used;           /* relaxed */
    uint32_t                  hash;
    uint32_t                  key_len;
    uint32_t                  value_len;
    u_char                    data[1];        /* key, value */
};


struct ngx_constraint_cache_s {
    ngx_atomic_t              mutating;
    uint64_t                  synced;
    ngx_constraint_file_id_t  id;             /* of the data file */
    ngx_uint_t                count;
    ngx_uint_t                hand;
    uint64_t                  evictions;
    uint64_t                  discards;

    ngx_atomic_t              unloads;
    uint32_t                  unloaded[NGX_CONSTRAINT_CACHE_UNLOADS];

    size_t                    size;           /* of the region */
    ngx_slab_pool_t          *region;
    ngx_uint_t                nbuckets;       /* a power of two */
    ngx_constraint_entry_t  **buckets;
};


static void ngx_constraint_cache_reset_locked(ngx_constraint_cache_t *cache);
static ngx_constraint_cache_t *ngx_constraint_cache_lock(
    ngx_constraint_catalogue_t *catalogue);
static void ngx_constraint_cache_unlock(
    ngx_constraint_catalogue_t *catalogue);
static void ngx_constraint_cache_mutate_locked(ngx_constraint_cache_t *cache);
static ngx_uint_t ngx_constraint_cache_ours_locked(
    ngx_constraint_catalogue_t *catalogue);
static ngx_constraint_entry_t **ngx_constraint_cache_lookup_locked(
    ngx_constraint_cache_t *cache, const u_char *key, size_t len);
static void ngx_constraint_cache_drop_locked(ngx_constraint_cache_t *cache,
    const u_char *key, size_t len, const MDB_val *value);
static ngx_int_t ngx_constraint_cache_document(
    const ngx_constraint_entry_t *entry, ngx_constraint_key_t *document);
static void ngx_constraint_cache_remove_locked(ngx_constraint_cache_t *cache,
    ngx_constraint_entry_t **place);
static ngx_constraint_entry_t *ngx_constraint_cache_alloc_locked(
    ngx_constraint_cache_t *cache, size_t size);
static ngx_uint_t ngx_constraint_cache_evict_locked(
    ngx_constraint_cache_t *cache);


ngx_constraint_cache_t *
ngx_constraint_cache_create_locked(ngx_slab_pool_t *shpool, size_t size)
{
    u_char                  *p;
    ngx_constraint_cache_t  *cache;

    p = ngx_slab_calloc_locked(shpool, size);
    if (p == NULL) {
        return NULL;
    }

    cache = (ngx_constraint_cache_t *) p;
    cache->region = (ngx_slab_pool_t *)
                     ngx_align_ptr(p + sizeof(ngx_constraint_cache_t), 64);
    cache->size = p + size - (u_char *) cache->region;

    for (cache->nbuckets = 16;
         cache->nbuckets < cache->size / 512;
         cache->nbuckets <<= 1)
    {
        /* void */
    }

    ngx_constraint_cache_reset_locked(cache);

    return cache->buckets ? cache : NULL;
}


/* Only the memory inside the region is believed to be damaged. */

static void
ngx_constraint_cache_reset_locked(ngx_constraint_cache_t *cache)
{
    ngx_slab_pool_t  *region;

    region = cache->region;

    ngx_memzero(region, sizeof(ngx_slab_pool_t));

    region->end = (u_char *) region + cache->size;
    region->min_shift = 3;
    region->addr = region;

    ngx_slab_init(region);

    region->log_nomem = 0;

    cache->synced = 0;
    cache->count = 0;
    cache->hand = 0;
    cache->buckets = ngx_slab_calloc_locked(region, cache->nbuckets
                                            * sizeof(ngx_constraint_entry_t *));

    ngx_memory_barrier();
    cache->mutating = 0;
}


static ngx_constraint_cache_t *
ngx_constraint_cache_lock(ngx_constraint_catalogue_t *catalogue)
{
    ngx_constraint_cache_t  *cache;

    cache = catalogue->cache;

    ngx_shmtx_lock(&catalogue->shpool->mutex);

    if (cache->mutating) {
        cache->discards++;
        ngx_constraint_cache_reset_locked(cache);
    }

    return cache;
}


static void
ngx_constraint_cache_unlock(ngx_constraint_catalogue_t *catalogue)
{
    ngx_memory_barrier();
    catalogue->cache->mutating = 0;

    ngx_shmtx_unlock(&catalogue->shpool->mutex);
}


static void
ngx_constraint_cache_mutate_locked(ngx_constraint_cache_t *cache)
{
    cache->mutating = 1;
    ngx_memory_barrier();
}


/* not after the data file was replaced under running workers */

static ngx_uint_t
ngx_constraint_cache_ours_locked(ngx_constraint_catalogue_t *catalogue)
{
    ngx_constraint_file_id_t  *id, *ours;

    id = &catalogue->cache->id;
    ours = &catalogue->worker->store.id;

    return id->ino == ours->ino && id->dev == ours->dev;
}


void
ngx_constraint_cache_open(ngx_constraint_catalogue_t *catalogue)
{
    ngx_constraint_cache_t  *cache;

    cache = ngx_constraint_cache_lock(catalogue);

    if (!ngx_constraint_cache_ours_locked(catalogue)
        || cache->synced
           > ngx_constraint_store_generation(&catalogue->worker->store))
    {
        ngx_constraint_cache_mutate_locked(cache);
        ngx_constraint_cache_reset_locked(cache);
        cache->id = catalogue->worker->store.id;
    }

    /* what was unloaded before is not here yet */

    catalogue->worker->unloads = cache->unloads;

    ngx_constraint_cache_unlock(catalogue);
}


ngx_int_t
ngx_constraint_cache_get(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_key_t *key, ngx_constraint_bytes_t *bytes,
    uint64_t *at)
{
    size_t                    room;
    ngx_int_t                 rc;
    ngx_constraint_entry_t   *entry, **place;
    ngx_constraint_cache_t   *cache;

    room = 0;

    do {
        /* memory is found outside the mutex; the entry may grow meanwhile */

        if (room > bytes->size) {
            ngx_constraint_bytes_free(bytes);

            bytes->data = ngx_alloc(room, ngx_cycle->log);
            if (bytes->data == NULL) {
                return NGX_DECLINED;
            }

            bytes->size = room;
        }

        rc = NGX_DECLINED;
        room = 0;

        cache = ngx_constraint_cache_lock(catalogue);
        place = ngx_constraint_cache_lookup_locked(cache, key->data,
                                                   key->len);
        entry = *place;

        if (entry && entry->read_at <= cache->synced
            && ngx_constraint_cache_ours_locked(catalogue))
        {
            if (entry->value_len > bytes->size) {
                room = entry->value_len;

            } else {
                ngx_memcpy(bytes->data, entry->data + entry->key_len,
                           entry->value_len);
                bytes->len = entry->value_len;
                *at = cache->synced;
                entry->used = ngx_time();
                rc = NGX_OK;
            }
        }

        ngx_constraint_cache_unlock(catalogue);

    } while (room);

    return rc;
}


void
ngx_constraint_cache_put(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_key_t *key, const MDB_val *value,
    uint64_t generation)
{
    size_t                    size;
    ngx_constraint_entry_t   *entry, **place;
    ngx_constraint_cache_t   *cache;

    size = offsetof(ngx_constraint_entry_t, data) + key->len
           + value->mv_size;

    if (size > catalogue->cache->size / 8
        || size > NGX_CONSTRAINT_CACHE_VALUE)
    {
        return;
    }

    cache = ngx_constraint_cache_lock(catalogue);

    if (cache->count == 0 && cache->synced < generation
        && cache->buckets != NULL)
    {
        /* an empty cache is valid for any generation */
        cache->synced = generation;
    }

    if (generation < cache->synced
        || !ngx_constraint_cache_ours_locked(catalogue))
    {
        goto done;
    }

    ngx_constraint_cache_mutate_locked(cache);

    ngx_constraint_cache_drop_locked(cache, key->data, key->len, value);

    entry = ngx_constraint_cache_alloc_locked(cache, size);
    if (entry == NULL) {
        goto done;
    }

#if (NGX_CONSTRAINT_FAULTS)
    if (ngx_constraint_fault("zone.kill_locked")) {
        (void) raise(SIGKILL);
    }
#endif

    entry->read_at = generation;
    entry->used = ngx_time();
    entry->hash = ngx_murmur_hash2((u_char *) key->data, key->len);
    entry->key_len = key->len;
    entry->value_len = value->mv_size;

    ngx_memcpy(entry->data, key->data, key->len);
    ngx_memcpy(entry->data + key->len, value->mv_data, value->mv_size);

    /* evictions may have freed what the place was in */

    place = &cache->buckets[entry->hash & (cache->nbuckets - 1)];
    entry->next = *place;
    *place = entry;
    cache->count++;

done:

    ngx_constraint_cache_unlock(catalogue);
}


void
ngx_constraint_cache_advance(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_bytes_t *keys, uint64_t from, uint64_t generation)
{
    size_t                   len;
    u_char                  *p, *end;
    ngx_constraint_cache_t  *cache;

    cache = ngx_constraint_cache_lock(catalogue);

    if (cache->synced >= generation
        || !ngx_constraint_cache_ours_locked(catalogue))
    {
        goto done;
    }

    ngx_constraint_cache_mutate_locked(cache);

    if (keys == NULL || cache->synced < from) {

        if (cache->count) {
            ngx_constraint_cache_reset_locked(cache);
        }

        cache->synced = generation;
        goto done;
    }

    end = keys->data + keys->len;

    for (p = keys->data; p < end; p += len) {
        len = p[0] << 8 | p[1];
        p += 2;

        ngx_constraint_cache_drop_locked(cache, p, len, NULL);
    }

    cache->synced = generation;

done:

    ngx_constraint_cache_unlock(catalogue);
}


uint64_t
ngx_constraint_cache_synced(ngx_constraint_catalogue_t *catalogue)
{
    uint64_t                 synced;
    ngx_constraint_cache_t  *cache;

    cache = ngx_constraint_cache_lock(catalogue);
    synced = cache->synced;
    ngx_constraint_cache_unlock(catalogue);

    return synced;
}


void
ngx_constraint_cache_unload(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_key_t *key, const ngx_str_t *message_type)
{
    ngx_uint_t               n;
    ngx_constraint_cache_t  *cache;

    cache = ngx_constraint_cache_lock(catalogue);

    ngx_constraint_cache_mutate_locked(cache);

    ngx_constraint_cache_drop_locked(cache, key->data, key->len, NULL);

    n = cache->unloads % NGX_CONSTRAINT_CACHE_UNLOADS;
    cache->unloaded[n] = ngx_murmur_hash2(message_type->data,
                                          message_type->len);
    cache->unloads++;

    ngx_constraint_cache_unlock(catalogue);
}


void
ngx_constraint_cache_unloaded(ngx_constraint_catalogue_t *catalogue)
{
    uint32_t                  hashes[NGX_CONSTRAINT_CACHE_UNLOADS];
    ngx_uint_t                i, n, first;
    ngx_constraint_cache_t   *cache;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;
    cache = catalogue->cache;

    if (cache->unloads == worker->unloads) {
        return;
    }

    cache = ngx_constraint_cache_lock(catalogue);

    first = worker->unloads;
    n = cache->unloads - first;
    worker->unloads = cache->unloads;

    ngx_memcpy(hashes, cache->unloaded, sizeof(hashes));

    ngx_constraint_cache_unlock(catalogue);

    if (n > NGX_CONSTRAINT_CACHE_UNLOADS) {
        ngx_constraint_rules_drop_all(worker);
        return;
    }

    for (i = 0; i < n; i++) {
        ngx_constraint_rule_drop_hash(worker,
                       hashes[(first + i) % NGX_CONSTRAINT_CACHE_UNLOADS]);
    }
}


ngx_uint_t
ngx_constraint_cache_has(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_key_t *key)
{
    ngx_uint_t               has;
    ngx_constraint_cache_t  *cache;

    cache = ngx_constraint_cache_lock(catalogue);
    has = *ngx_constraint_cache_lookup_locked(cache, key->data, key->len)
          != NULL;
    ngx_constraint_cache_unlock(catalogue);

    return has;
}


void
ngx_constraint_cache_status(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_catalogue_status_t *status)
{
    ngx_constraint_cache_t  *cache;

    cache = ngx_constraint_cache_lock(catalogue);

    status->zone_free = cache->region->pfree * ngx_pagesize;
    status->zone_records = cache->count;
    status->zone_evictions = cache->evictions;
    status->zone_discards = cache->discards;

    ngx_constraint_cache_unlock(catalogue);
}


/* The link that points to the entry, or to NULL at the bucket's end. */

static ngx_constraint_entry_t **
ngx_constraint_cache_lookup_locked(ngx_constraint_cache_t *cache,
    const u_char *key, size_t len)
{
    uint32_t                  hash;
    ngx_constraint_entry_t  **place;

    hash = ngx_murmur_hash2((u_char *) key, len);
    place = &cache->buckets[hash & (cache->nbuckets - 1)];

    while (*place) {
        if ((*place)->hash == hash && (*place)->key_len == len
            && ngx_memcmp((*place)->data, key, len) == 0)
        {
            break;
        }

        place = &(*place)->next;
    }

    return place;
}


/*
 * Drops the entry of key, if there is one; value is what comes in its place
 * or NULL.  A head's document goes with it unless the head stays the same.
 */

static void
ngx_constraint_cache_drop_locked(ngx_constraint_cache_t *cache,
    const u_char *key, size_t len, const MDB_val *value)
{
    ngx_int_t                rc;
    ngx_constraint_key_t     document;
    ngx_constraint_entry_t  *entry, **place;

    place = ngx_constraint_cache_lookup_locked(cache, key, len);
    entry = *place;

    if (entry == NULL) {
        return;
    }

    if (value && value->mv_size == entry->value_len
        && ngx_memcmp(value->mv_data, entry->data + entry->key_len,
                      entry->value_len)
           == 0)
    {
        rc = NGX_DECLINED;

    } else {
        rc = ngx_constraint_cache_document(entry, &document);
    }

    ngx_constraint_cache_remove_locked(cache, place);

    if (rc != NGX_OK) {
        return;
    }

    place = ngx_constraint_cache_lookup_locked(cache, document.data,
                                               document.len);
    if (*place) {
        ngx_constraint_cache_remove_locked(cache, place);
    }
}


/* NGX_OK with the key of the document that a head names; NGX_DECLINED. */

static ngx_int_t
ngx_constraint_cache_document(const ngx_constraint_entry_t *entry,
    ngx_constraint_key_t *document)
{
    MDB_val                key;
    ngx_str_t              id, payload;
    ngx_constraint_head_t  head;

    key.mv_data = (void *) entry->data;
    key.mv_size = entry->key_len;

    if (ngx_constraint_key_name(&key, NGX_CONSTRAINT_KEY_WORKFLOW, &id)
        != NGX_OK
        || ngx_constraint_value_open(entry->data, entry->key_len,
                                     entry->data + entry->key_len,
                                     entry->value_len, &payload)
           != NGX_OK
        || ngx_constraint_head_open(&payload, &head) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_constraint_key_revision(document, &id, head.revision);

    return NGX_OK;
}


static void
ngx_constraint_cache_remove_locked(ngx_constraint_cache_t *cache,
    ngx_constraint_entry_t **place)
{
    ngx_constraint_entry_t  *entry;

    entry = *place;
    *place = entry->next;
    cache->count--;

    ngx_slab_free_locked(cache->region, entry);
}


static ngx_constraint_entry_t *
ngx_constraint_cache_alloc_locked(ngx_constraint_cache_t *cache, size_t size)
{
    ngx_uint_t               n;
    ngx_constraint_entry_t  *entry;

    for (n = 0; n < NGX_CONSTRAINT_CACHE_EVICT; n++) {

        entry = ngx_slab_alloc_locked(cache->region, size);

        if (entry || !ngx_constraint_cache_evict_locked(cache)) {
            return entry;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_constraint_cache_evict_locked(ngx_constraint_cache_t *cache)
{
    ngx_uint_t                i, n;
    ngx_constraint_entry_t  **place, **oldest;

    oldest = NULL;
    n = 0;

    for (i = 0; i < cache->nbuckets && n < NGX_CONSTRAINT_CACHE_SAMPLE; i++) {
        place = &cache->buckets[cache->hand++ & (cache->nbuckets - 1)];

        for ( /* void */ ; *place; place = &(*place)->next) {
            n++;

            if (oldest == NULL || (*place)->used < (*oldest)->used) {
                oldest = place;
            }
        }
    }

    if (oldest == NULL) {
        return 0;
    }

    ngx_constraint_cache_remove_locked(cache, oldest);
    cache->evictions++;

    return 1;
}
