
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_map.c - maps by key: the hash index of maps in the arena and look-up
 * in any representation.
 */


#include "cel_runtime.h"


#define CEL_MAP_LINEAR  8      /* up to so many entries are searched */


/* Open addressing; 0 = empty, else the pair's number + 1. */

typedef struct {
    uint32_t             mask;
    uint32_t             slots[];
} cel_map_index_t;


static uint32_t cel_hash_key(const cel_value_t *key);
static bool cel_whole_number(const cel_value_t *v, cel_value_t *whole);
static bool cel_same_key(const cel_value_t *a, const cel_value_t *b);
static const cel_value_t *cel_map_find(const cel_sequence_t *l,
    const cel_value_t *key);


cel_status_t
cel_map_build(cel_arena_t *arena, const cel_value_t *pairs, uint32_t count,
    cel_value_t *out, const cel_value_t **duplicate)
{
    uint32_t            i, h, size;
    cel_sequence_t     *l;
    cel_map_index_t    *index;
    const cel_value_t  *twice, *key;

    l = cel_arena_alloc(arena, sizeof(cel_sequence_t));
    if (l == NULL) {
        return CEL_ERROR;
    }

    l->count = 0;
    l->values = pairs;
    l->index = NULL;

    index = NULL;
    twice = NULL;

    if (count > CEL_MAP_LINEAR) {

        if (count > UINT32_MAX / 8) {
            return CEL_ERROR;
        }

        for (size = 16; size < 2 * count; size *= 2) { /* void */ }

        index = cel_arena_alloc(arena, sizeof(cel_map_index_t)
                                       + size * sizeof(uint32_t));
        if (index == NULL) {
            return CEL_ERROR;
        }

        index->mask = size - 1;
        memset(index->slots, 0, size * sizeof(uint32_t));
        l->index = index;
    }

    /* count grows along, so that look-up sees the pairs before this one */

    for (i = 0; i < count; i++) {
        key = &pairs[2 * (size_t) i];

        if (index == NULL) {
            if (twice == NULL && cel_map_find(l, key) != NULL) {
                twice = key;
            }

            l->count++;
            continue;
        }

        h = cel_hash_key(key) & index->mask;

        while (index->slots[h] != 0) {
            if (twice == NULL
                && cel_same_key(&pairs[2 * (size_t) (index->slots[h] - 1)],
                                key))
            {
                twice = key;
            }

            h = (h + 1) & index->mask;
        }

        index->slots[h] = i + 1;
        l->count++;
    }

    *out = cel_make(CEL_MAP);
    out->l = l;

    if (duplicate != NULL) {
        *duplicate = twice;
    }

    return CEL_OK;
}


/* The pair of a key, or NULL. */

static const cel_value_t *
cel_map_find(const cel_sequence_t *l, const cel_value_t *key)
{
    uint32_t                i, h;
    const cel_value_t      *pair;
    const cel_map_index_t  *index;

    index = l->index;

    if (index == NULL) {
        for (i = 0; i < l->count; i++) {
            pair = &l->values[2 * (size_t) i];

            if (cel_same_key(pair, key)) {
                return pair;
            }
        }

        return NULL;
    }

    for (h = cel_hash_key(key) & index->mask;
         index->slots[h] != 0;
         h = (h + 1) & index->mask)
    {
        pair = &l->values[2 * (size_t) (index->slots[h] - 1)];

        if (cel_same_key(pair, key)) {
            return pair;
        }
    }

    return NULL;
}


cel_status_t
cel_map_get(cel_eval_t *eval, const cel_value_t *map, const cel_value_t *key,
    cel_value_t *value)
{
    const cel_value_t  *pair;

    switch (map->repr) {

    case CEL_REPR_JSON:
        if (key->kind != CEL_STRING) {
            return CEL_NOT_FOUND;
        }

        return cel_json_get(map, key->s, key->len, value);

    case CEL_REPR_OBJECT:
        return map->o->ops->get(map->o, eval, key, value);

    default:
        pair = cel_map_find(map->l, key);
        if (pair == NULL) {
            return CEL_NOT_FOUND;
        }

        *value = pair[1];

        return CEL_OK;
    }
}


bool
cel_is_key(const cel_value_t *key)
{
    return key->kind == CEL_STRING || key->kind == CEL_INT
           || key->kind == CEL_UINT || key->kind == CEL_BOOL;
}


/* As a key a double is the whole number that it is exactly, or none. */

static bool
cel_whole_number(const cel_value_t *v, cel_value_t *whole)
{
    *whole = *v;

    if (v->kind != CEL_DOUBLE) {
        return true;
    }

    if (v->d >= -9223372036854775808.0 && v->d < 9223372036854775808.0) {
        *whole = cel_int((int64_t) v->d);
        return (double) whole->i == v->d;
    }

    if (v->d >= 0 && v->d < 18446744073709551616.0) {
        *whole = cel_uint((uint64_t) v->d);
        return true;
    }

    return false;
}


static bool
cel_same_key(const cel_value_t *a, const cel_value_t *b)
{
    cel_value_t  x, y;

    if (a->kind == CEL_STRING) {
        return b->kind == CEL_STRING && cel_same_bytes(a, b);
    }

    if (cel_is_number(a)) {
        return cel_is_number(b) && cel_whole_number(a, &x)
               && cel_whole_number(b, &y) && cel_compare_numbers(&x, &y) == 0;
    }

    return a->kind == CEL_BOOL && b->kind == CEL_BOOL && a->b == b->b;
}


/* Equal numbers of different types have one hash. */

static uint32_t
cel_hash_key(const cel_value_t *key)
{
    cel_value_t  whole;

    if (key->kind == CEL_STRING) {
        return cel_hash_bytes(key->s, key->len);
    }

    if (key->kind == CEL_BOOL) {
        return key->b ? 0x9e3779b9u : 0x7f4a7c15u;
    }

    if (!cel_is_number(key) || !cel_whole_number(key, &whole)) {
        return 0;
    }

    return cel_hash_bytes((const char *) &whole.u, sizeof(whole.u));
}


/*
 * Multiply and fold, eight bytes at a time.  Where the library was loaded
 * seeds it: a request cannot be made to measure for collisions.
 */

static inline uint64_t
cel_fold64(uint64_t a, uint64_t b)
{
    unsigned __int128  m;

    m = (unsigned __int128) a * b;

    return (uint64_t) m ^ (uint64_t) (m >> 64);
}


uint32_t
cel_hash_bytes(const char *s, size_t len)
{
    uint64_t  h, w, seed;

    seed = (uint64_t) (uintptr_t) &cel_hash_bytes * 0x9e3779b97f4a7c15ull;
    h = seed ^ (len * 0xa0761d6478bd642full);

    while (len >= 8) {
        memcpy(&w, s, 8);
        h = cel_fold64(h ^ w, 0xe7037ed1a0b428dbull ^ seed);
        s += 8;
        len -= 8;
    }

    if (len != 0) {
        w = 0;
        memcpy(&w, s, len);
        h = cel_fold64(h ^ w, 0x8ebc6af09c88c6e3ull ^ seed);
    }

    h ^= h >> 32;

    return (uint32_t) h;
}
