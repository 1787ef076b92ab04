
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A page of a list: the first documents after a position, in an order.  The
 * smallest ones seen are kept in a heap with the last on top.  Once one had
 * to go, nothing behind it comes in any more: a page has no holes.
 */


#include "ngx_http_constraint_api.h"


static int ngx_http_constraint_api_item_compare(
    const ngx_http_constraint_api_page_t *page,
    const ngx_http_constraint_api_item_t *a,
    const ngx_http_constraint_api_item_t *b);
static ngx_int_t ngx_http_constraint_api_page_keep(
    ngx_http_constraint_api_page_t *page,
    ngx_http_constraint_api_item_t *item, json_t *document);
static void ngx_http_constraint_api_page_up(
    ngx_http_constraint_api_page_t *page, size_t i);
static void ngx_http_constraint_api_page_down(
    ngx_http_constraint_api_page_t *page);
static ngx_http_constraint_api_item_t ngx_http_constraint_api_page_pop(
    ngx_http_constraint_api_page_t *page);
static void ngx_http_constraint_api_page_swap(
    ngx_http_constraint_api_page_t *page, size_t i, size_t j);
static void ngx_http_constraint_api_item_free(
    ngx_http_constraint_api_item_t *item);


ngx_int_t
ngx_http_constraint_api_page_init(ngx_http_constraint_api_page_t *page)
{
    page->items = malloc((page->limit + 1)
                         * sizeof(ngx_http_constraint_api_item_t));

    return page->items ? NGX_OK : NGX_ERROR;
}


void
ngx_http_constraint_api_page_destroy(ngx_http_constraint_api_page_t *page)
{
    size_t  i;

    for (i = 0; i < page->count; i++) {
        ngx_http_constraint_api_item_free(&page->items[i]);
    }

    free(page->items);

    ngx_http_constraint_api_item_free(&page->after);
    ngx_http_constraint_api_item_free(&page->barrier);

    query_sort_destroy(page->sort);
    query_fields_destroy(page->fields);
}


ngx_int_t
ngx_http_constraint_api_page_add(ngx_http_constraint_api_page_t *page,
    const ngx_str_t *name, json_t *document)
{
    ngx_http_constraint_api_item_t  item;

    ngx_memzero(&item, sizeof(ngx_http_constraint_api_item_t));

    item.name = json_stringn((char *) name->data, name->len);
    item.key = page->sort ? query_sort_key(page->sort, document) : NULL;

    if (item.name == NULL || (page->sort && item.key == NULL)) {
        ngx_http_constraint_api_item_free(&item);
        return NGX_ERROR;
    }

    if (page->barrier.name
        && ngx_http_constraint_api_item_compare(page, &item, &page->barrier)
           > 0)
    {
        ngx_http_constraint_api_item_free(&item);
        return page->sort ? NGX_OK : NGX_DONE;
    }

    if (page->after.name
        && ngx_http_constraint_api_item_compare(page, &item, &page->after)
           <= 0)
    {
        ngx_http_constraint_api_item_free(&item);
        return NGX_OK;
    }

    return ngx_http_constraint_api_page_keep(page, &item, document);
}


static ngx_int_t
ngx_http_constraint_api_page_keep(ngx_http_constraint_api_page_t *page,
    ngx_http_constraint_api_item_t *item, json_t *document)
{
    item->document = page->fields ? query_project(page->fields, document)
                                  : json_incref(document);

    if (item->document == NULL) {
        ngx_http_constraint_api_item_free(item);
        return NGX_ERROR;
    }

    item->bytes = json_dumpb(item->document, NULL, 0, JSON_COMPACT);

    page->items[page->count] = *item;
    page->bytes += item->bytes;

    ngx_http_constraint_api_page_up(page, page->count++);

    while (page->count > page->limit
           || (page->bytes > NGX_HTTP_CONSTRAINT_API_PAGE_BYTES
               && page->count > 1))
    {
        ngx_http_constraint_api_item_free(&page->barrier);
        page->barrier = ngx_http_constraint_api_page_pop(page);
        page->bytes -= page->barrier.bytes;
    }

    return NGX_OK;
}


json_t *
ngx_http_constraint_api_page_answer(ngx_http_constraint_api_page_t *page,
    const ngx_str_t *sort, ngx_constraint_kind_e kind)
{
    size_t                           i, count;
    json_t                          *data, *next;
    ngx_http_constraint_api_item_t  *items, item;

    items = page->items;
    count = page->count;

    /* the last to the end, and so on: the rest is in order */

    while (page->count) {
        item = ngx_http_constraint_api_page_pop(page);
        items[page->count] = item;
    }

    page->count = count;

    data = json_array();

    for (i = 0; i < count; i++) {
        (void) json_array_append(data, items[i].document);
    }

    next = json_null();

    if (page->barrier.name && count) {
        next = ngx_http_constraint_api_cursor_create(&items[count - 1], sort,
                                                     kind);
    }

    return json_pack("{s:b,s:o,s:o}", "success", 1, "data", data, "next",
                     next);
}


static int
ngx_http_constraint_api_item_compare(
    const ngx_http_constraint_api_page_t *page,
    const ngx_http_constraint_api_item_t *a,
    const ngx_http_constraint_api_item_t *b)
{
    int  rc;

    if (page->sort) {
        rc = query_compare_keys(page->sort, a->key, b->key);

        if (rc != 0) {
            return rc;
        }
    }

    return ngx_strcmp(json_string_value(a->name),
                      json_string_value(b->name));
}


static void
ngx_http_constraint_api_page_up(ngx_http_constraint_api_page_t *page,
    size_t i)
{
    size_t  parent;

    while (i) {
        parent = (i - 1) / 2;

        if (ngx_http_constraint_api_item_compare(page, &page->items[i],
                                                 &page->items[parent])
            <= 0)
        {
            return;
        }

        ngx_http_constraint_api_page_swap(page, i, parent);
        i = parent;
    }
}


static void
ngx_http_constraint_api_page_down(ngx_http_constraint_api_page_t *page)
{
    size_t  i, child;

    i = 0;

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= page->count) {
            return;
        }

        if (child + 1 < page->count
            && ngx_http_constraint_api_item_compare(page,
                                                    &page->items[child + 1],
                                                    &page->items[child])
               > 0)
        {
            child++;
        }

        if (ngx_http_constraint_api_item_compare(page, &page->items[i],
                                                 &page->items[child])
            >= 0)
        {
            return;
        }

        ngx_http_constraint_api_page_swap(page, i, child);
        i = child;
    }
}


static ngx_http_constraint_api_item_t
ngx_http_constraint_api_page_pop(ngx_http_constraint_api_page_t *page)
{
    ngx_http_constraint_api_item_t  item;

    item = page->items[0];

    page->count--;
    page->items[0] = page->items[page->count];

    ngx_http_constraint_api_page_down(page);

    return item;
}


static void
ngx_http_constraint_api_page_swap(ngx_http_constraint_api_page_t *page,
    size_t i, size_t j)
{
    ngx_http_constraint_api_item_t  item;

    item = page->items[i];
    page->items[i] = page->items[j];
    page->items[j] = item;
}


static void
ngx_http_constraint_api_item_free(ngx_http_constraint_api_item_t *item)
{
    json_decref(item->key);
    json_decref(item->name);
    json_decref(item->document);
}
