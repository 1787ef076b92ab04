/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * GET /breakers and POST /breakers/{message_type}/reset.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    ngx_http_constraint_api_job_t    job;       /* first */
    ngx_str_t                        cursor;
    ngx_http_constraint_api_page_t   page;
} ngx_http_constraint_api_breakers_t;


static void ngx_http_constraint_api_breakers_thread(
    ngx_http_constraint_api_job_t *job);
static ngx_int_t ngx_http_constraint_api_breakers_visit(void *ctx,
    const ngx_str_t *key, json_t *document);
static void ngx_http_constraint_api_breakers_destroy(
    ngx_http_constraint_api_job_t *job);


void
ngx_http_constraint_api_breakers(ngx_http_constraint_api_t *api)
{
    uint64_t                             limit;
    ngx_http_constraint_api_breakers_t  *list;

    if (ngx_http_constraint_api_limit(api, &limit) != NGX_OK) {
        return;
    }

    list = ngx_http_constraint_api_job_create(api,
                                 sizeof(ngx_http_constraint_api_breakers_t));
    if (list == NULL) {
        return;
    }

    list->page.limit = limit;
    list->job.run_thread = ngx_http_constraint_api_breakers_thread;
    list->job.destroy = ngx_http_constraint_api_breakers_destroy;

    if (ngx_http_constraint_api_copy(&list->cursor, &api->args.cursor,
                                     ngx_cycle->log)
        != NGX_OK)
    {
        ngx_constraint_job_destroy(&list->job.job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    ngx_http_constraint_api_job_post(api, &list->job);
}


static void
ngx_http_constraint_api_breakers_thread(ngx_http_constraint_api_job_t *job)
{
    ngx_str_t                            none;
    ngx_http_constraint_api_breakers_t  *list;

    list = (ngx_http_constraint_api_breakers_t *) job;
    ngx_str_null(&none);

    if (ngx_http_constraint_api_page_open(job, &list->page, &list->cursor,
                                        &none,
                                        NGX_HTTP_CONSTRAINT_API_LIST_BREAKERS)
        != NGX_OK
        || ngx_http_constraint_api_page_walk(job, &list->page,
                                       ngx_http_constraint_api_breakers_visit)
           != NGX_OK)
    {
        return;
    }

    ngx_http_constraint_api_job_answer_thread(job, NGX_HTTP_OK,
                 ngx_http_constraint_api_page_answer(&list->page, &none,
                                     NGX_HTTP_CONSTRAINT_API_LIST_BREAKERS));
}


static ngx_int_t
ngx_http_constraint_api_breakers_visit(void *ctx, const ngx_str_t *key,
    json_t *document)
{
    ngx_http_constraint_api_breakers_t *list = ctx;

    json_t                     *entry;
    ngx_int_t                   rc;
    ngx_constraint_limits_t     limits;
    ngx_constraint_feedback_t  *feedback;

    if (atomic_load(&list->job.job.cancel)) {
        return NGX_ABORT;
    }

    if (document == NULL) {
        return ngx_http_constraint_api_walk_damaged(&list->job,
                                         NGX_CONSTRAINT_KIND_CONSTRAINT, key);
    }

    feedback = ngx_http_constraint_api_feedback(list->job.catalogue, key,
                                                document, NULL, &limits);

    if (!(limits.execution.set & NGX_CONSTRAINT_SET_BREAKER)) {
        return NGX_OK;
    }

    entry = ngx_http_constraint_api_breaker_json(feedback, &limits.breaker);
    (void) json_object_set(entry, "message_type",
                           json_object_get(document, "message_type"));

    if (entry == NULL) {
        return NGX_ABORT;
    }

    rc = ngx_http_constraint_api_page_add(&list->page, key, entry);
    json_decref(entry);

    return rc == NGX_ERROR ? NGX_ABORT : rc;
}


static void
ngx_http_constraint_api_breakers_destroy(ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_breakers_t  *list;

    list = (ngx_http_constraint_api_breakers_t *) job;

    ngx_http_constraint_api_page_destroy(&list->page);
    ngx_free(list->cursor.data);
}


void
ngx_http_constraint_api_breaker_reset(ngx_http_constraint_api_t *api)
{
    json_t                     *document;
    uint64_t                    revision;
    ngx_int_t                   rc;
    ngx_str_t                   error;
    ngx_uint_t                  changed;
    ngx_constraint_limits_t     limits;
    ngx_constraint_feedback_t  *feedback;

    document = NULL;
    revision = 0;
    rc = NGX_DECLINED;
    ngx_str_null(&error);

    if (ngx_constraint_name_valid(api->name.data, api->name.len)) {
        rc = ngx_constraint_catalogue_get(api->catalogue,
                                          NGX_CONSTRAINT_KIND_CONSTRAINT,
                                          &api->name, &revision, &document,
                                          &error);
    }

    if (rc == NGX_ERROR) {
        ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_STORE,
                                     NULL, "the store is not available: %.*s",
                                     (int) error.len,
                                     error.len ? (char *) error.data : "");
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_constraint_api_not_found(api,
                                          NGX_CONSTRAINT_KIND_CONSTRAINT);
        return;
    }

    feedback = ngx_http_constraint_api_feedback(api->catalogue, &api->name,
                                                document, NULL, &limits);
    json_decref(document);

    if (!(limits.execution.set & NGX_CONSTRAINT_SET_BREAKER)) {
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_NOT_FOUND,
                                     NULL, "the constraint has no breaker");
        return;
    }

    changed = ngx_constraint_breaker_reset(&feedback->breaker,
                                         ngx_constraint_now_ns() / 1000000);

    if (changed) {
        ngx_log_error(NGX_LOG_NOTICE, api->request->connection->log, 0,
                      "constraint: the breaker of \"%V\" is reset",
                      &api->name);
    }

    ngx_http_constraint_api_success(api, NGX_HTTP_OK, "message",
                                    json_string("Breaker reset"));
}
