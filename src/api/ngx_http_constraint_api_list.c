
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * POST /constraints and /workflows, GET /profiles: a filter, an order, a page.
 * Everything that takes time, the filter's parsing too, happens in a pool
 * thread.
 */


#include "ngx_http_constraint_api.h"


#define NGX_HTTP_CONSTRAINT_API_CURSOR_MAX  4096


typedef struct {
    ngx_http_constraint_api_job_t    job;       /* first */
    ngx_constraint_kind_e            kind;
    ngx_str_t                        filter;
    ngx_str_t                        sort;
    ngx_str_t                        fields;
    ngx_str_t                        cursor;

    query_t                         *query;
    const char                      *name;      /* the only one that can */
    size_t                           name_len;
    ngx_http_constraint_api_page_t   page;
} ngx_http_constraint_api_list_t;


static ngx_int_t ngx_http_constraint_api_list_copy(
    ngx_http_constraint_api_t *api, ngx_http_constraint_api_list_t *list);
static void ngx_http_constraint_api_list_thread(
    ngx_http_constraint_api_job_t *job);
static ngx_int_t ngx_http_constraint_api_list_order(
    ngx_http_constraint_api_list_t *list);
static ngx_int_t ngx_http_constraint_api_list_compile(
    ngx_http_constraint_api_list_t *list);
static ngx_int_t ngx_http_constraint_api_list_walk(
    ngx_http_constraint_api_list_t *list);
static ngx_int_t ngx_http_constraint_api_list_fixed(
    ngx_http_constraint_api_list_t *list);
static void ngx_http_constraint_api_list_before(
    ngx_http_constraint_api_list_t *list, u_char *buf, ngx_str_t *after);
static ngx_int_t ngx_http_constraint_api_list_visit(void *ctx,
    const ngx_str_t *key, json_t *document);
static void ngx_http_constraint_api_list_answer(
    ngx_http_constraint_api_list_t *list);
static void ngx_http_constraint_api_list_refuse(
    ngx_http_constraint_api_list_t *list,
    ngx_http_constraint_api_error_e error, const query_error_t *e);
static void ngx_http_constraint_api_list_destroy(
    ngx_http_constraint_api_job_t *job);


void
ngx_http_constraint_api_list(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind)
{
    uint64_t                         limit;
    ngx_http_constraint_api_list_t  *list;

    if (ngx_http_constraint_api_limit(api, &limit) != NGX_OK) {
        return;
    }

    list = ngx_http_constraint_api_job_create(api,
                                     sizeof(ngx_http_constraint_api_list_t));
    if (list == NULL) {
        return;
    }

    list->kind = kind;
    list->page.limit = limit;
    list->job.run_thread = ngx_http_constraint_api_list_thread;
    list->job.destroy = ngx_http_constraint_api_list_destroy;

    if (ngx_http_constraint_api_list_copy(api, list) != NGX_OK) {
        ngx_constraint_job_destroy(&list->job.job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    ngx_http_constraint_api_job_post(api, &list->job);
}


static ngx_int_t
ngx_http_constraint_api_list_copy(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_list_t *list)
{
    ngx_log_t  *log;

    log = ngx_cycle->log;

    if (ngx_http_constraint_api_copy(&list->filter, &api->body, log) != NGX_OK
        || ngx_http_constraint_api_copy(&list->sort, &api->args.sort, log)
           != NGX_OK
        || ngx_http_constraint_api_copy(&list->fields, &api->args.fields, log)
           != NGX_OK
        || ngx_http_constraint_api_copy(&list->cursor, &api->args.cursor, log)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_constraint_api_list_thread(ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_list_t  *list;

    list = (ngx_http_constraint_api_list_t *) job;

    if (ngx_http_constraint_api_list_order(list) != NGX_OK
        || ngx_http_constraint_api_list_compile(list) != NGX_OK
        || ngx_http_constraint_api_list_walk(list) != NGX_OK)
    {
        return;
    }

    ngx_http_constraint_api_list_answer(list);
}


/* The arguments sort, fields and cursor. */

static ngx_int_t
ngx_http_constraint_api_list_order(ngx_http_constraint_api_list_t *list)
{
    query_error_t                    error;
    ngx_http_constraint_api_page_t  *page;

    page = &list->page;

    if (list->sort.data) {
        page->sort = query_sort_compile((char *) list->sort.data,
                                        list->sort.len, &error);
        if (page->sort == NULL) {
            goto refused;
        }
    }

    if (list->fields.data) {
        page->fields = query_fields_compile((char *) list->fields.data,
                                            list->fields.len, &error);
        if (page->fields == NULL) {
            goto refused;
        }
    }

    if (list->cursor.data
        && ngx_http_constraint_api_cursor_read(page, &list->cursor,
                                               &list->sort, list->kind)
           != NGX_OK)
    {
        ngx_memcpy(error.path, "cursor", sizeof("cursor"));
        snprintf(error.message, sizeof(error.message), "is not one that this "
                 "list gave for the same sort");
        goto refused;
    }

    /* no memory leaves neither text nor failure: 500 */

    return ngx_http_constraint_api_page_init(page);

refused:

    ngx_http_constraint_api_list_refuse(list,
                                   NGX_HTTP_CONSTRAINT_API_E_INVALID_ARGUMENT,
                                   &error);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_constraint_api_list_compile(ngx_http_constraint_api_list_t *list)
{
    json_t         *filter;
    query_error_t   error;

    filter = ngx_http_constraint_api_parse(&list->filter, &list->job.error,
                                           &list->job.failure);
    if (filter == NULL) {
        return NGX_ERROR;
    }

    list->query = query_compile(filter, NULL, &error);
    json_decref(filter);

    if (list->query == NULL) {
        ngx_http_constraint_api_list_refuse(list,
                                     NGX_HTTP_CONSTRAINT_API_E_INVALID_FILTER,
                                     &error);
        return NGX_ERROR;
    }

    list->name = query_equals(list->query,
                              list->kind == NGX_CONSTRAINT_KIND_CONSTRAINT
                              ? "message_type" : "name", &list->name_len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_api_list_walk(ngx_http_constraint_api_list_t *list)
{
    u_char      buf[NGX_CONSTRAINT_NAME_MAX + 1];
    ngx_int_t   rc;
    ngx_str_t   after;
    ngx_str_t  *from;

    from = NULL;

    if (list->name) {

        if (!ngx_constraint_name_valid((u_char *) list->name, list->name_len))
        {
            return NGX_OK;
        }

        ngx_http_constraint_api_list_before(list, buf, &after);
        from = &after;

    } else if (list->page.after.name && list->page.sort == NULL) {
        after.data = (u_char *) json_string_value(list->page.after.name);
        after.len = json_string_length(list->page.after.name);

        if (after.len > NGX_CONSTRAINT_NAME_MAX) {
            return NGX_OK;
        }

        from = &after;
    }

    if (list->kind == NGX_CONSTRAINT_KIND_PROFILE
        && ngx_http_constraint_api_list_fixed(list) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_constraint_catalogue_walk_thread(list->job.catalogue, list->kind,
                                         from,
                                         ngx_http_constraint_api_list_visit,
                                         list);

    if (rc == NGX_OK || rc == NGX_DONE) {
        return NGX_OK;
    }

    if (rc == NGX_ABORT) {
        return NGX_ERROR;
    }

    list->job.error = NGX_HTTP_CONSTRAINT_API_E_STORE;
    list->job.failure = ngx_http_constraint_api_envelope(list->job.error,
                                       NULL, "the list could not be read, "
                                       "see /status and the error log");
    return NGX_ERROR;
}


/* The profiles that are not stored: they come first, in any order. */

static ngx_int_t
ngx_http_constraint_api_list_fixed(ngx_http_constraint_api_list_t *list)
{
    json_t                          *document;
    ngx_int_t                        rc;
    ngx_uint_t                       n;
    const ngx_constraint_profile_t  *profile;

    for (n = 0; /* void */ ; n++) {
        profile = ngx_constraint_catalogue_profile(list->job.catalogue, n);

        if (profile == NULL) {
            return NGX_OK;
        }

        document = ngx_constraint_profile_document(profile);
        if (document == NULL) {
            return NGX_ERROR;
        }

        rc = ngx_http_constraint_api_page_add(&list->page, &profile->name,
                                              document);
        json_decref(document);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }
}


/*
 * What sorts right before a name: its last byte less one, and 0xff.  Nothing
 * is longer than the longest name, so that one needs no 0xff.
 */

static void
ngx_http_constraint_api_list_before(ngx_http_constraint_api_list_t *list,
    u_char *buf, ngx_str_t *after)
{
    ngx_memcpy(buf, list->name, list->name_len);

    buf[list->name_len - 1]--;
    buf[list->name_len] = 0xff;

    after->data = buf;
    after->len = ngx_min(list->name_len + 1, NGX_CONSTRAINT_NAME_MAX);
}


static ngx_int_t
ngx_http_constraint_api_list_visit(void *ctx, const ngx_str_t *key,
    json_t *document)
{
    ngx_http_constraint_api_list_t *list = ctx;

    ngx_int_t  rc;

    if (atomic_load(&list->job.job.cancel)) {
        return NGX_ABORT;
    }

    if (document == NULL) {
        return ngx_http_constraint_api_walk_damaged(&list->job, list->kind,
                                                    key);
    }

    rc = NGX_OK;

    if (list->kind == NGX_CONSTRAINT_KIND_PROFILE
        && ngx_constraint_catalogue_profile_find(list->job.catalogue, key))
    {
        /* another one has its name */
        return NGX_OK;
    }

    if (query_match(list->query, document)) {
        rc = ngx_http_constraint_api_page_add(&list->page, key, document);
    }

    if (rc == NGX_ERROR) {
        return NGX_ABORT;
    }

    return list->name ? NGX_DONE : rc;
}


static void
ngx_http_constraint_api_list_answer(ngx_http_constraint_api_list_t *list)
{
    json_t         *answer, *next;
    query_error_t   error;

    answer = ngx_http_constraint_api_page_answer(&list->page, &list->sort,
                                                 list->kind);
    next = json_object_get(answer, "next");

    if (json_string_length(next) > NGX_HTTP_CONSTRAINT_API_CURSOR_MAX) {
        json_decref(answer);

        ngx_memcpy(error.path, "sort", sizeof("sort"));
        snprintf(error.message, sizeof(error.message), "is by values that "
                 "are too long for a cursor; sort by shorter ones");
        ngx_http_constraint_api_list_refuse(list,
                                   NGX_HTTP_CONSTRAINT_API_E_INVALID_ARGUMENT,
                                   &error);
        return;
    }

    ngx_http_constraint_api_job_answer_thread(&list->job, NGX_HTTP_OK,
                                              answer);
}


static void
ngx_http_constraint_api_list_refuse(ngx_http_constraint_api_list_t *list,
    ngx_http_constraint_api_error_e error, const query_error_t *e)
{
    json_t  *details;

    details = ngx_http_constraint_api_detail(e->path, ngx_strlen(e->path),
                                             e->message);

    list->job.error = error;
    list->job.failure = ngx_http_constraint_api_envelope(error, details,
                                                         "%s: %s", e->path,
                                                         e->message);
}


static void
ngx_http_constraint_api_list_destroy(ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_list_t  *list;

    list = (ngx_http_constraint_api_list_t *) job;

    query_destroy(list->query);
    ngx_http_constraint_api_page_destroy(&list->page);

    ngx_free(list->filter.data);
    ngx_free(list->sort.data);
    ngx_free(list->fields.data);
    ngx_free(list->cursor.data);
}
