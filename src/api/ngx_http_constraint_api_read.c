
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A call's read of one document.  A record is small and read at once; a
 * workflow may be large, so a pool thread reads it and writes the answer.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    ngx_http_constraint_api_job_t          job;       /* first */
    ngx_str_t                              key;
    uint64_t                               revision;
    ngx_int_t                              rc;
    ngx_str_t                              error;
} ngx_http_constraint_api_reading_t;


static void ngx_http_constraint_api_read_thread(
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_read_done(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_read_destroy(
    ngx_http_constraint_api_job_t *job);
static ngx_int_t ngx_http_constraint_api_read_failed(
    ngx_http_constraint_api_t *api, ngx_constraint_kind_e kind, ngx_int_t rc,
    const ngx_str_t *error);
static ngx_int_t ngx_http_constraint_api_read_status(
    ngx_http_constraint_api_t *api, uint64_t revision, ngx_uint_t *status);


void
ngx_http_constraint_api_get_record(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind)
{
    json_t      *document;
    uint64_t     revision;
    ngx_uint_t   status;

    document = ngx_http_constraint_api_record_get(api, kind, &revision);
    if (document == NULL) {
        return;
    }

    if (ngx_http_constraint_api_read_status(api, revision, &status)
        != NGX_OK)
    {
        json_decref(document);
        return;
    }

    ngx_http_constraint_api_success(api, status, "data", document);
}


json_t *
ngx_http_constraint_api_record_get(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind, uint64_t *revision)
{
    json_t     *document;
    ngx_int_t   rc;
    ngx_str_t   error;

    *revision = 0;
    document = NULL;
    rc = NGX_DECLINED;
    ngx_str_null(&error);

    if (ngx_constraint_name_valid(api->name.data, api->name.len)) {
        rc = ngx_constraint_catalogue_get(api->catalogue, kind, &api->name,
                                          revision, &document, &error);
    }

    if (ngx_http_constraint_api_read_failed(api, kind, rc, &error) != NGX_OK)
    {
        return NULL;
    }

    return document;
}


void
ngx_http_constraint_api_get_workflow(ngx_http_constraint_api_t *api)
{
    uint64_t                            revision;
    ngx_http_constraint_api_reading_t  *reading;

    revision = 0;

    if (ngx_http_constraint_api_number(api, "revision", &api->args.revision,
                                       INT64_MAX, &revision)
        != NGX_OK)
    {
        return;
    }

    if (!ngx_constraint_name_valid(api->name.data, api->name.len)) {
        ngx_http_constraint_api_not_found(api, NGX_CONSTRAINT_KIND_WORKFLOW);
        return;
    }

    reading = ngx_http_constraint_api_job_create(api,
                                   sizeof(ngx_http_constraint_api_reading_t));
    if (reading == NULL) {
        return;
    }

    reading->revision = revision;
    reading->job.run_thread = ngx_http_constraint_api_read_thread;
    reading->job.done = ngx_http_constraint_api_read_done;
    reading->job.destroy = ngx_http_constraint_api_read_destroy;

    if (ngx_http_constraint_api_copy(&reading->key, &api->name,
                                     ngx_cycle->log)
        != NGX_OK)
    {
        ngx_constraint_job_destroy(&reading->job.job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    ngx_http_constraint_api_job_post(api, &reading->job);
}


static void
ngx_http_constraint_api_read_thread(ngx_http_constraint_api_job_t *job)
{
    json_t                             *document;
    ngx_http_constraint_api_reading_t  *reading;

    reading = (ngx_http_constraint_api_reading_t *) job;
    document = NULL;

    reading->rc = ngx_constraint_catalogue_get_thread(job->catalogue,
                                              NGX_CONSTRAINT_KIND_WORKFLOW,
                                              &reading->key,
                                              &reading->revision, &document,
                                              &reading->error);

    if (reading->rc == NGX_OK) {
        ngx_http_constraint_api_job_answer_thread(job, NGX_HTTP_OK,
                                                  json_pack("{s:b,s:o}",
                                                            "success", 1,
                                                            "data",
                                                            document));
    }
}


static void
ngx_http_constraint_api_read_done(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_job_t *job)
{
    char                               *text;
    ngx_uint_t                          status;
    ngx_http_constraint_api_reading_t  *reading;

    reading = (ngx_http_constraint_api_reading_t *) job;

    if (ngx_http_constraint_api_read_failed(api, NGX_CONSTRAINT_KIND_WORKFLOW,
                                            reading->rc, &reading->error)
        != NGX_OK
        || ngx_http_constraint_api_read_status(api, reading->revision,
                                               &status)
           != NGX_OK)
    {
        return;
    }

    text = job->text;
    job->text = NULL;

    ngx_http_constraint_api_answer_malloced(api, status, text, job->len);
}


static void
ngx_http_constraint_api_read_destroy(ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_reading_t  *reading;

    reading = (ngx_http_constraint_api_reading_t *) job;

    ngx_free(reading->key.data);
}


static ngx_int_t
ngx_http_constraint_api_read_failed(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind, ngx_int_t rc, const ngx_str_t *error)
{
    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_constraint_api_not_found(api, kind);
        return NGX_DONE;
    }

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_STORE, NULL,
                                 "the store is not available: %.*s",
                                 (int) error->len, (char *) error->data);
    return NGX_DONE;
}


/* Preconditions and ETag: NGX_OK with 200 or 304, or NGX_DONE: answered. */

static ngx_int_t
ngx_http_constraint_api_read_status(ngx_http_constraint_api_t *api,
    uint64_t revision, ngx_uint_t *status)
{
    ngx_http_constraint_api_conditions_t  conditions;

    if (ngx_http_constraint_api_conditions(api, &conditions) != NGX_OK) {
        return NGX_DONE;
    }

    *status = NGX_HTTP_OK;

    if (!ngx_http_constraint_api_conditions_met(&conditions, revision)) {

        if (conditions.match) {
            ngx_http_constraint_api_precondition(api, revision);
            return NGX_DONE;
        }

        /* nginx sends no body with it */

        *status = NGX_HTTP_NOT_MODIFIED;
    }

    ngx_http_constraint_api_etag(api, revision);

    return NGX_OK;
}
