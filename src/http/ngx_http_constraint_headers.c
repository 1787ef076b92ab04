/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * request.headers: the client's header lines as a lazy CEL map with
 * lower-case keys.  Changes no header.
 */


#include "ngx_http_constraint_request.h"


/* lines beyond this cost extra to search */
#define NGX_HTTP_CONSTRAINT_HEADERS_FREE  32


static uint32_t ngx_http_constraint_headers_count(const cel_object_t *o);
static cel_status_t ngx_http_constraint_headers_get(const cel_object_t *o,
    cel_eval_t *eval, const cel_value_t *key, cel_value_t *value)
    __attribute__((hot));
static cel_status_t ngx_http_constraint_headers_entry(const cel_object_t *o,
    cel_eval_t *eval, uint32_t i, cel_value_t *key, cel_value_t *value);
static cel_status_t ngx_http_constraint_headers_join(
    const ngx_http_constraint_headers_t *headers, cel_eval_t *eval,
    const cel_value_t *key, cel_value_t *value);
static ngx_int_t ngx_http_constraint_headers_fold(
    ngx_http_constraint_headers_t *headers, ngx_constraint_table_t *table,
    ngx_constraint_table_entry_t *entries, ngx_uint_t n);
static void ngx_http_constraint_headers_check(
    ngx_constraint_table_entry_t *entry);


static const cel_object_ops_t  ngx_http_constraint_headers_ops = {
    CEL_MAP,
    ngx_http_constraint_headers_count,
    ngx_http_constraint_headers_get,
    ngx_http_constraint_headers_entry
};


void
ngx_http_constraint_headers_init(ngx_http_constraint_headers_t *headers,
    ngx_http_request_t *r, ngx_list_t *list,
    ngx_constraint_failure_t *failure)
{
    headers->object.ops = &ngx_http_constraint_headers_ops;
    headers->request = r;
    headers->list = list;
    headers->failure = failure;
    headers->table = NULL;
}


/* no memory for the table: as if there were none, entry() says it */

static uint32_t
ngx_http_constraint_headers_count(const cel_object_t *o)
{
    ngx_constraint_table_t  *table;

    table = ngx_http_constraint_headers_table(
                                        (ngx_http_constraint_headers_t *) o);

    return table ? table->count : 1;
}


static cel_status_t
ngx_http_constraint_headers_entry(const cel_object_t *o, cel_eval_t *eval,
    uint32_t i, cel_value_t *key, cel_value_t *value)
{
    ngx_constraint_table_t  *table;

    table = ngx_http_constraint_headers_table(
                                        (ngx_http_constraint_headers_t *) o);
    if (table == NULL) {
        return cel_eval_fail(eval, CEL_E_MEMORY, "no memory for the headers");
    }

    return table->object.ops->entry(&table->object, eval, i, key, value);
}


static cel_status_t
ngx_http_constraint_headers_get(const cel_object_t *o, cel_eval_t *eval,
    const cel_value_t *key, cel_value_t *value)
{
    size_t                                len;
    ngx_uint_t                            seen, repeated;
    ngx_table_elt_t                      *h, *last, *found;
    ngx_list_part_t                      *part;
    const ngx_http_constraint_headers_t  *headers;

    headers = (const ngx_http_constraint_headers_t *) o;

    if (key->kind != CEL_STRING || key->len == 0) {
        return CEL_NOT_FOUND;
    }

    found = NULL;
    repeated = 0;
    seen = 0;
    len = key->len;

    for (part = &headers->list->part; part; part = part->next) {
        h = part->elts;
        last = h + part->nelts;
        seen += part->nelts;

        for ( /* void */ ; h < last; h++) {

            if (h->key.len != len
                || h->lowcase_key[0] != (u_char) key->s[0]
                || ngx_memcmp(h->lowcase_key, key->s, len) != 0)
            {
                continue;
            }

            repeated = found != NULL;
            found = found ? found : h;
        }
    }

    if (seen > NGX_HTTP_CONSTRAINT_HEADERS_FREE
        && cel_eval_charge(eval, seen / 8) != CEL_OK)
    {
        return CEL_ERROR;
    }

    if (found == NULL) {
        return CEL_NOT_FOUND;
    }

    if (repeated) {
        return ngx_http_constraint_headers_join(headers, eval, key, value);
    }

    if (!ngx_constraint_utf8_valid(found->value.data, found->value.len)) {
        return ngx_constraint_fact_fail(headers->failure, eval,
                                        NGX_CONSTRAINT_E_EVALUATION,
                                        "header \"%.*s\" is not valid UTF-8",
                                        (int) ngx_min(key->len, 64), key->s);
    }

    *value = ngx_constraint_cel_string(&found->value);

    return CEL_OK;
}


/* Repeated headers, in order, with ", " between them. */

static cel_status_t
ngx_http_constraint_headers_join(const ngx_http_constraint_headers_t *headers,
    cel_eval_t *eval, const cel_value_t *key, cel_value_t *value)
{
    size_t            len;
    u_char           *p, *start;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;
    ngx_list_part_t  *part;

    len = 0;

    for (part = &headers->list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == key->len
                && ngx_memcmp(h[i].lowcase_key, key->s, key->len) == 0)
            {
                len += h[i].value.len + 2;
            }
        }
    }

    start = cel_arena_alloc(eval->arena, len);
    if (start == NULL) {
        return cel_eval_fail(eval, CEL_E_MEMORY, "the joined headers are "
                             "over the memory limit");
    }

    p = start;

    for (part = &headers->list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != key->len
                || ngx_memcmp(h[i].lowcase_key, key->s, key->len) != 0)
            {
                continue;
            }

            if (p != start) {
                *p++ = ',';
                *p++ = ' ';
            }

            p = ngx_cpymem(p, h[i].value.data, h[i].value.len);
        }
    }

    if (!ngx_constraint_utf8_valid(start, p - start)) {
        return ngx_constraint_fact_fail(headers->failure, eval,
                                        NGX_CONSTRAINT_E_EVALUATION,
                                        "header \"%.*s\" is not valid UTF-8",
                                        (int) ngx_min(key->len, 64), key->s);
    }

    *value = cel_string((char *) start, p - start);

    return CEL_OK;
}


/* All of them by name, made once; in the request's pool. */

ngx_constraint_table_t *
ngx_http_constraint_headers_table(ngx_http_constraint_headers_t *headers)
{
    ngx_uint_t                     i, n;
    ngx_pool_t                    *pool;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h;
    ngx_constraint_table_t        *table;
    ngx_constraint_table_entry_t  *entries;

    if (headers->table) {
        return headers->table;
    }

    pool = headers->request->pool;
    n = 0;

    for (part = &headers->list->part; part; part = part->next) {
        n += part->nelts;
    }

    table = ngx_pcalloc(pool, sizeof(ngx_constraint_table_t));
    entries = ngx_palloc(pool,
                         2 * (n + 1) * sizeof(ngx_constraint_table_entry_t));

    if (table == NULL || entries == NULL) {
        return NULL;
    }

    n = 0;

    for (part = &headers->list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            entries[n].name.data = h[i].lowcase_key;
            entries[n].name.len = h[i].key.len;
            entries[n].value = h[i].value;
            entries[n].error = NGX_CONSTRAINT_E_NONE;
            n++;
        }
    }

    table->failure = headers->failure;
    table->entries = entries;
    table->count = n;

    ngx_constraint_table_init(table, entries + n);

    if (ngx_http_constraint_headers_fold(headers, table, entries, n)
        != NGX_OK)
    {
        return NULL;
    }

    headers->table = table;

    return table;
}


/* Neighbours of one name become one entry. */

static ngx_int_t
ngx_http_constraint_headers_fold(ngx_http_constraint_headers_t *headers,
    ngx_constraint_table_t *table, ngx_constraint_table_entry_t *entries,
    ngx_uint_t n)
{
    size_t       len;
    u_char      *p;
    ngx_str_t    value;
    ngx_uint_t   i, j, k, count;

    count = 0;

    for (i = 0; i < n; i = j) {
        len = entries[i].value.len;

        for (j = i + 1; j < n; j++) {

            if (entries[j].name.len != entries[i].name.len
                || ngx_memcmp(entries[j].name.data, entries[i].name.data,
                              entries[i].name.len) != 0)
            {
                break;
            }

            len += 2 + entries[j].value.len;
        }

        if (j > i + 1) {
            p = ngx_pnalloc(headers->request->pool, len);
            if (p == NULL) {
                return NGX_ERROR;
            }

            value.data = p;
            value.len = len;

            for (k = i; k < j; k++) {
                if (k > i) {
                    *p++ = ',';
                    *p++ = ' ';
                }

                p = ngx_cpymem(p, entries[k].value.data,
                               entries[k].value.len);
            }

            entries[i].value = value;
        }

        ngx_http_constraint_headers_check(&entries[i]);

        entries[count++] = entries[i];
    }

    table->count = count;

    return NGX_OK;
}


static void
ngx_http_constraint_headers_check(ngx_constraint_table_entry_t *entry)
{
    if (!ngx_constraint_utf8_valid(entry->value.data, entry->value.len)) {
        entry->error = NGX_CONSTRAINT_E_EVALUATION;
        ngx_str_set(&entry->value, "a header is not valid UTF-8");
    }

    if (!ngx_constraint_utf8_valid(entry->name.data, entry->name.len)) {
        entry->error = NGX_CONSTRAINT_E_EVALUATION;
        ngx_str_set(&entry->value, "a header name is not valid UTF-8");
        ngx_str_set(&entry->name, "?");
    }
}


/* Names a service may take for the same: any case, "_" as "-". */

ngx_uint_t
ngx_http_constraint_header_same(const ngx_str_t *a, const ngx_str_t *b)
{
    size_t  i;
    u_char  x, y;

    if (a->len != b->len) {
        return 0;
    }

    for (i = 0; i < a->len; i++) {
        x = a->data[i] == '_' ? '-' : ngx_tolower(a->data[i]);
        y = b->data[i] == '_' ? '-' : ngx_tolower(b->data[i]);

        if (x != y) {
            return 0;
        }
    }

    return 1;
}


/* The first of names that comes more than once, or NULL. */

const ngx_str_t *
ngx_http_constraint_header_repeated(ngx_list_t *list, ngx_array_t *names)
{
    ngx_str_t        *name;
    ngx_uint_t        i, j, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    name = names->elts;

    for (i = 0; i < names->nelts; i++) {
        n = 0;

        for (part = &list->part; part; part = part->next) {
            h = part->elts;

            for (j = 0; j < part->nelts; j++) {
                if (ngx_http_constraint_header_same(&h[j].key, &name[i])) {
                    n++;
                }
            }
        }

        if (n > 1) {
            return &name[i];
        }
    }

    return NULL;
}


/* Bytes of all lines, as far as an expression can see them. */

size_t
ngx_http_constraint_headers_size(ngx_list_t *list)
{
    size_t            size;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    size = 0;

    for (part = &list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            size += h[i].key.len + h[i].value.len + 2;
        }
    }

    return size;
}
