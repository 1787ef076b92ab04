
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Tables from constants to steps: open addressing, at most half full, seeded
 * by where the program was loaded.
 */


#include <string.h>
#include "cel_atom.h"
#include "workflow_table.h"


/* The steps of an entry while the table is built, last one first. */

typedef struct {
    uint32_t              step;
    uint32_t              before;       /* + 1 */
} table_link_t;


typedef struct {
    workflow_table_t     *table;
    uint32_t             *buckets;
    workflow_entry_t     *entries;      /* first: link + 1 */
    table_link_t         *links;
    uint32_t              nlinks;
    cel_arena_t          *arena;
} table_build_t;


static cel_status_t table_room(table_build_t *build, uint32_t values,
    cel_arena_t *scratch);
static cel_status_t table_add(table_build_t *build, uint32_t step,
    const cel_value_t *value);
static cel_status_t table_flatten(table_build_t *build);
static uint32_t table_bucket(const workflow_table_t *table,
    const uint32_t *buckets, const cel_value_t *value);
static bool table_plain(const cel_value_t *value, cel_value_t *plain);
static bool table_same(const cel_value_t *a, const cel_value_t *b);
static uint64_t table_hash(const cel_value_t *value);


cel_status_t
workflow_table_build(workflow_table_t *table,
    const workflow_allowed_t *allowed, uint32_t count, cel_arena_t *arena,
    cel_arena_t *scratch)
{
    uint32_t       i, j, values;
    table_build_t  build;

    memset(table, 0, sizeof(workflow_table_t));
    values = 0;

    for (i = 0; i < count; i++) {
        values += allowed[i].nvalues;
    }

    build.table = table;
    build.arena = arena;
    build.nlinks = 0;

    if (table_room(&build, values, scratch) != CEL_OK) {
        return CEL_ERROR;
    }

    for (i = 0; i < count; i++) {
        for (j = 0; j < allowed[i].nvalues; j++) {
            if (table_add(&build, allowed[i].step, &allowed[i].values[j])
                != CEL_OK)
            {
                return CEL_ERROR;
            }
        }
    }

    return table_flatten(&build);
}


static cel_status_t
table_room(table_build_t *build, uint32_t values, cel_arena_t *scratch)
{
    uint32_t  size;

    for (size = 4; size < 2 * values; size *= 2) { /* void */ }

    build->table->mask = size - 1;
    build->buckets = cel_arena_alloc(build->arena, size * sizeof(uint32_t));
    build->entries = cel_arena_alloc(scratch,
                                (values + 1) * sizeof(workflow_entry_t));
    build->links = cel_arena_alloc(scratch,
                                   (values + 1) * sizeof(table_link_t));

    if (build->buckets == NULL || build->entries == NULL
        || build->links == NULL)
    {
        return CEL_ERROR;
    }

    memset(build->buckets, 0, size * sizeof(uint32_t));
    build->table->entries = build->entries;

    return CEL_OK;
}


static cel_status_t
table_add(table_build_t *build, uint32_t step, const cel_value_t *value)
{
    char              *s;
    uint32_t           bucket;
    cel_value_t        plain;
    workflow_entry_t  *entry;
    workflow_table_t  *table;

    table = build->table;

    (void) table_plain(value, &plain);

    bucket = table_bucket(table, build->buckets, &plain);

    if (build->buckets[bucket] == 0) {

        if (plain.kind == CEL_STRING) {
            s = cel_arena_alloc(build->arena, plain.len);
            if (s == NULL) {
                return CEL_ERROR;
            }

            memcpy(s, plain.s, plain.len);
            plain.s = s;

            if (plain.len > table->longest) {
                table->longest = plain.len;
            }
        }

        entry = &build->entries[table->nentries++];
        entry->value = plain;
        entry->first = 0;
        entry->count = 0;

        build->buckets[bucket] = table->nentries;
    }

    entry = &build->entries[build->buckets[bucket] - 1];

    if (entry->first != 0 && build->links[entry->first - 1].step == step) {
        return CEL_OK;                  /* the constant is there twice */
    }

    build->links[build->nlinks].step = step;
    build->links[build->nlinks].before = entry->first;

    entry->first = ++build->nlinks;
    entry->count++;

    return CEL_OK;
}


/* Each entry's steps one after the other, and all of it in the arena. */

static cel_status_t
table_flatten(table_build_t *build)
{
    uint32_t           i, n, at, link, *steps;
    workflow_entry_t  *entries, *entry;
    workflow_table_t  *table;

    table = build->table;
    n = table->nentries;

    steps = cel_arena_alloc(build->arena,
                            (build->nlinks + 1) * sizeof(uint32_t));
    entries = cel_arena_alloc(build->arena,
                              (n + 1) * sizeof(workflow_entry_t));

    if (steps == NULL || entries == NULL) {
        return CEL_ERROR;
    }

    if (n != 0) {
        memcpy(entries, build->entries, n * sizeof(workflow_entry_t));
    }

    at = 0;

    for (i = 0; i < n; i++) {
        entry = &entries[i];
        link = entry->first;
        entry->first = at;
        at += entry->count;

        for (n = at; link != 0; link = build->links[link - 1].before) {
            steps[--n] = build->links[link - 1].step;
        }

        n = table->nentries;
    }

    table->buckets = build->buckets;
    table->entries = entries;
    table->steps = steps;

    return CEL_OK;
}


const workflow_entry_t *
workflow_table_find(const workflow_table_t *table, const cel_value_t *value)
{
    uint32_t     bucket;
    cel_value_t  plain;

    if (!table_plain(value, &plain)
        || (plain.kind == CEL_STRING && plain.len > table->longest))
    {
        return NULL;
    }

    bucket = table_bucket(table, table->buckets, &plain);

    return table->buckets[bucket] != 0
           ? &table->entries[table->buckets[bucket] - 1] : NULL;
}


/* Where it is, or would be. */

static uint32_t
table_bucket(const workflow_table_t *table, const uint32_t *buckets,
    const cel_value_t *value)
{
    uint32_t  i;

    for (i = (uint32_t) table_hash(value) & table->mask;
         buckets[i] != 0
         && !table_same(&table->entries[buckets[i] - 1].value, value);
         i = (i + 1) & table->mask)
    {
        /* void */
    }

    return i;
}


/*
 * Numbers become int; one that is not whole, or so large that a double is
 * rounded, equals no constant, as do values of other kinds.
 */

static bool
table_plain(const cel_value_t *value, cel_value_t *plain)
{
    *plain = *value;

    switch (value->kind) {

    case CEL_STRING:
    case CEL_BOOL:
        return true;

    case CEL_INT:
        return value->i >= -CEL_TEST_WHOLE && value->i <= CEL_TEST_WHOLE;

    case CEL_UINT:
        if (value->u > CEL_TEST_WHOLE) {
            return false;
        }

        *plain = cel_int((int64_t) value->u);
        return true;

    case CEL_DOUBLE:
        if (!(value->d >= -CEL_TEST_WHOLE && value->d <= CEL_TEST_WHOLE)
            || value->d != (double) (int64_t) value->d)
        {
            return false;
        }

        *plain = cel_int((int64_t) value->d);
        return true;

    default:
        return false;
    }
}


static bool
table_same(const cel_value_t *a, const cel_value_t *b)
{
    if (a->kind != b->kind) {
        return false;
    }

    switch (a->kind) {

    case CEL_STRING:
        return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;

    case CEL_BOOL:
        return a->b == b->b;

    default:
        return a->i == b->i;
    }
}


static inline uint64_t
table_fold(uint64_t a, uint64_t b)
{
    unsigned __int128  m;

    m = (unsigned __int128) a * b;

    return (uint64_t) m ^ (uint64_t) (m >> 64);
}


static uint64_t
table_hash(const cel_value_t *value)
{
    size_t       len;
    uint64_t     h, w, seed;
    const char  *s;

    seed = (uint64_t) (uintptr_t) &table_hash * 0x9e3779b97f4a7c15ull;
    h = seed ^ value->kind;

    switch (value->kind) {

    case CEL_STRING:
        break;

    case CEL_BOOL:
        return h + value->b;

    default:
        return table_fold(h ^ value->u, 0xe7037ed1a0b428dbull);
    }

    s = value->s;
    len = value->len;
    h ^= len << 8;

    while (len >= sizeof(w)) {
        memcpy(&w, s, sizeof(w));
        h = table_fold(h ^ w, 0xe7037ed1a0b428dbull);
        s += sizeof(w);
        len -= sizeof(w);
    }

    w = 0;
    memcpy(&w, s, len);

    return table_fold(h ^ w, 0x8ebc6af09c88c6e3ull);
}
