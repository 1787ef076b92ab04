/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * request.args: the query as a map of decoded names and values.  A name that
 * comes twice is an error for whoever reads it: the service might take the
 * other one.
 */


#include "ngx_http_constraint_request.h"


static ngx_uint_t ngx_http_constraint_args_split(ngx_pool_t *pool,
    const ngx_str_t *args, ngx_constraint_table_entry_t *entries);
static ngx_int_t ngx_http_constraint_args_decode(ngx_pool_t *pool,
    ngx_str_t *text);
static void ngx_http_constraint_args_entry(ngx_pool_t *pool,
    ngx_constraint_table_entry_t *entry);
static ngx_uint_t ngx_http_constraint_args_fold(ngx_pool_t *pool,
    ngx_constraint_table_entry_t *entries, ngx_uint_t n);


ngx_constraint_table_t *
ngx_http_constraint_args(ngx_http_request_t *r,
    ngx_constraint_failure_t *failure)
{
    size_t                         i;
    ngx_uint_t                     n;
    ngx_constraint_table_t        *table;
    ngx_constraint_table_entry_t  *entries;

    n = 1;

    for (i = 0; i < r->args.len; i++) {
        if (r->args.data[i] == '&') {
            n++;
        }
    }

    table = ngx_pcalloc(r->pool, sizeof(ngx_constraint_table_t));
    entries = ngx_palloc(r->pool,
                         2 * n * sizeof(ngx_constraint_table_entry_t));

    if (table == NULL || entries == NULL) {
        return NULL;
    }

    n = ngx_http_constraint_args_split(r->pool, &r->args, entries);

    table->failure = failure;
    table->entries = entries;
    table->count = n;

    ngx_constraint_table_init(table, entries + n);

    table->count = ngx_http_constraint_args_fold(r->pool, entries, n);

    return table;
}


static ngx_uint_t
ngx_http_constraint_args_split(ngx_pool_t *pool, const ngx_str_t *args,
    ngx_constraint_table_entry_t *entries)
{
    u_char      *p, *end, *last, *equal;
    ngx_uint_t   n;

    n = 0;
    last = args->data + args->len;

    for (p = args->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;
        }

        if (end == p) {
            continue;
        }

        equal = ngx_strlchr(p, end, '=');

        if (equal == NULL) {
            equal = end;
        }

        entries[n].name.data = p;
        entries[n].name.len = equal - p;
        entries[n].value.data = ngx_min(equal + 1, end);
        entries[n].value.len = end - entries[n].value.data;

        ngx_http_constraint_args_entry(pool, &entries[n]);
        n++;
    }

    return n;
}


static void
ngx_http_constraint_args_entry(ngx_pool_t *pool,
    ngx_constraint_table_entry_t *entry)
{
    entry->error = NGX_CONSTRAINT_E_NONE;

    if (ngx_http_constraint_args_decode(pool, &entry->name) != NGX_OK
        || ngx_http_constraint_args_decode(pool, &entry->value) != NGX_OK)
    {
        entry->error = NGX_CONSTRAINT_E_MEMORY;
        ngx_str_set(&entry->value, "no memory for an argument");
        return;
    }

    if (!ngx_constraint_utf8_valid(entry->value.data, entry->value.len)) {
        entry->error = NGX_CONSTRAINT_E_EVALUATION;
        ngx_str_set(&entry->value, "an argument is not valid UTF-8");
    }

    if (!ngx_constraint_utf8_valid(entry->name.data, entry->name.len)) {
        entry->error = NGX_CONSTRAINT_E_EVALUATION;
        ngx_str_set(&entry->value, "an argument's name is not valid UTF-8");
        ngx_str_set(&entry->name, "?");
    }
}


/* "+" is a space and %XX a byte; anything else, a lone % too, is itself */

static ngx_int_t
ngx_http_constraint_args_decode(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char     *d, *s, *start, *last;
    ngx_int_t   n;

    last = text->data + text->len;

    for (s = text->data; s < last; s++) {
        if (*s == '%' || *s == '+') {
            break;
        }
    }

    if (s == last) {
        return NGX_OK;
    }

    start = ngx_pnalloc(pool, text->len);
    if (start == NULL) {
        return NGX_ERROR;
    }

    d = ngx_cpymem(start, text->data, s - text->data);

    for ( /* void */ ; s < last; s++) {

        if (*s == '%' && last - s > 2) {
            n = ngx_hextoi(s + 1, 2);

            if (n != NGX_ERROR) {
                *d++ = (u_char) n;
                s += 2;
                continue;
            }
        }

        *d++ = *s == '+' ? ' ' : *s;
    }

    text->data = start;
    text->len = d - start;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_constraint_args_fold(ngx_pool_t *pool,
    ngx_constraint_table_entry_t *entries, ngx_uint_t n)
{
    u_char      *p;
    ngx_str_t    name;
    ngx_uint_t   i, j, count;

    count = 0;

    for (i = 0; i < n; i = j) {

        for (j = i + 1; j < n; j++) {

            if (entries[j].name.len != entries[i].name.len
                || ngx_memcmp(entries[j].name.data, entries[i].name.data,
                              entries[i].name.len) != 0)
            {
                break;
            }
        }

        if (j > i + 1 && !ngx_constraint_fault("gate.off_repeated")) {
            entries[i].error = NGX_CONSTRAINT_E_ARGUMENT_REPEATED;
            ngx_str_set(&entries[i].value, "an argument is repeated");

            name = entries[i].name;
            name.len = ngx_min(name.len, 64);

            p = ngx_pnalloc(pool, name.len + sizeof("argument \"\" is "
                                                    "repeated"));
            if (p) {
                entries[i].value.data = p;
                entries[i].value.len = ngx_sprintf(p, "argument \"%V\" is "
                                                   "repeated", &name) - p;
            }
        }

        entries[count++] = entries[i];
    }

    return count;
}
