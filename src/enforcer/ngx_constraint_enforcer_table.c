/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A sorted table of names and texts as a CEL map, whole and self-contained.
 * Reads no request.
 */


#include "ngx_constraint_enforcer.h"


static uint32_t ngx_constraint_table_size(const cel_object_t *o);
static cel_status_t ngx_constraint_table_get(const cel_object_t *o,
    cel_eval_t *eval, const cel_value_t *key, cel_value_t *value);
static cel_status_t ngx_constraint_table_entry(const cel_object_t *o,
    cel_eval_t *eval, uint32_t i, cel_value_t *key, cel_value_t *value);
static cel_status_t ngx_constraint_table_value(
    const ngx_constraint_table_t *table, cel_eval_t *eval, uint32_t i,
    cel_value_t *value);
static ngx_int_t ngx_constraint_table_compare(const ngx_str_t *a,
    const u_char *data, size_t len);
static void ngx_constraint_table_merge(ngx_constraint_table_entry_t *from,
    ngx_constraint_table_entry_t *to, uint32_t count, uint32_t width);
static ngx_int_t ngx_constraint_table_copy_text(cel_arena_t *arena,
    ngx_str_t *text);


static const cel_object_ops_t  ngx_constraint_table_ops = {
    CEL_MAP,
    ngx_constraint_table_size,
    ngx_constraint_table_get,
    ngx_constraint_table_entry
};


/*
 * A merge sort, bottom up: names come from a client, so the worst case has
 * to be as good as any other.
 */

void
ngx_constraint_table_init(ngx_constraint_table_t *table,
    ngx_constraint_table_entry_t *scratch)
{
    uint32_t                       width;
    ngx_constraint_table_entry_t  *from, *to, *swap;

    table->object.ops = &ngx_constraint_table_ops;

    from = table->entries;
    to = scratch;

    for (width = 1; width < table->count; width *= 2) {
        ngx_constraint_table_merge(from, to, table->count, width);
        swap = from;
        from = to;
        to = swap;
    }

    if (from != table->entries) {
        ngx_memcpy(table->entries, from,
                   table->count * sizeof(ngx_constraint_table_entry_t));
    }
}


static void
ngx_constraint_table_merge(ngx_constraint_table_entry_t *from,
    ngx_constraint_table_entry_t *to, uint32_t count, uint32_t width)
{
    uint32_t  start, left, right, middle, end, n;

    n = 0;

    for (start = 0; start < count; start += 2 * width) {
        middle = ngx_min(start + width, count);
        end = ngx_min(start + 2 * width, count);

        left = start;
        right = middle;

        while (left < middle || right < end) {

            if (right == end
                || (left < middle
                    && ngx_constraint_table_compare(&from[left].name,
                                                    from[right].name.data,
                                                    from[right].name.len)
                       <= 0))
            {
                to[n++] = from[left++];

            } else {
                to[n++] = from[right++];
            }
        }
    }
}


static ngx_int_t
ngx_constraint_table_compare(const ngx_str_t *a, const u_char *data,
    size_t len)
{
    int  rc;

    rc = ngx_memcmp(a->data, data, ngx_min(a->len, len));

    if (rc != 0) {
        return rc;
    }

    return (a->len > len) - (a->len < len);
}


static uint32_t
ngx_constraint_table_size(const cel_object_t *o)
{
    return ((const ngx_constraint_table_t *) o)->count;
}


static cel_status_t
ngx_constraint_table_get(const cel_object_t *o, cel_eval_t *eval,
    const cel_value_t *key, cel_value_t *value)
{
    uint32_t                       low, high, middle;
    ngx_int_t                      rc;
    const ngx_constraint_table_t  *table;

    table = (const ngx_constraint_table_t *) o;

    if (key->kind != CEL_STRING) {
        return CEL_NOT_FOUND;
    }

    low = 0;
    high = table->count;

    while (low < high) {
        middle = low + (high - low) / 2;
        rc = ngx_constraint_table_compare(&table->entries[middle].name,
                                          (u_char *) key->s, key->len);

        if (rc == 0) {
            return ngx_constraint_table_value(table, eval, middle, value);
        }

        if (rc < 0) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return CEL_NOT_FOUND;
}


static cel_status_t
ngx_constraint_table_entry(const cel_object_t *o, cel_eval_t *eval,
    uint32_t i, cel_value_t *key, cel_value_t *value)
{
    const ngx_constraint_table_t  *table;

    table = (const ngx_constraint_table_t *) o;

    if (key) {
        *key = ngx_constraint_cel_string(&table->entries[i].name);
    }

    if (value == NULL) {
        return CEL_OK;
    }

    return ngx_constraint_table_value(table, eval, i, value);
}


static cel_status_t
ngx_constraint_table_value(const ngx_constraint_table_t *table,
    cel_eval_t *eval, uint32_t i, cel_value_t *value)
{
    ngx_constraint_table_entry_t  *entry;

    entry = &table->entries[i];

    if (entry->error != NGX_CONSTRAINT_E_NONE) {
        return ngx_constraint_fact_fail(table->failure, eval, entry->error,
                                        "%.*s", (int) entry->value.len,
                                        (char *) entry->value.data);
    }

    *value = ngx_constraint_cel_string(&entry->value);

    return CEL_OK;
}


ngx_constraint_table_t *
ngx_constraint_table_copy(const ngx_constraint_table_t *table,
    cel_arena_t *arena)
{
    size_t                   size;
    uint32_t                 i;
    ngx_constraint_table_t  *copy;

    size = table->count * sizeof(ngx_constraint_table_entry_t);

    copy = cel_arena_alloc(arena, sizeof(ngx_constraint_table_t) + size);
    if (copy == NULL) {
        return NULL;
    }

    *copy = *table;
    copy->entries = (ngx_constraint_table_entry_t *) (copy + 1);

    ngx_memcpy(copy->entries, table->entries, size);

    for (i = 0; i < copy->count; i++) {
        if (ngx_constraint_table_copy_text(arena, &copy->entries[i].name)
            != NGX_OK
            || ngx_constraint_table_copy_text(arena, &copy->entries[i].value)
               != NGX_OK)
        {
            return NULL;
        }
    }

    return copy;
}


static ngx_int_t
ngx_constraint_table_copy_text(cel_arena_t *arena, ngx_str_t *text)
{
    u_char  *p;

    if (text->len == 0) {
        return NGX_OK;
    }

    p = cel_arena_alloc(arena, text->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, text->data, text->len);
    text->data = p;

    return NGX_OK;
}
