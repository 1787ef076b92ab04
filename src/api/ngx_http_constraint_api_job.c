
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A call's work in a thread of the evaluation pool: what is copied in, what
 * comes back, who is told.
 */


#include "ngx_http_constraint_api.h"


static void ngx_http_constraint_api_job_run_thread(ngx_constraint_job_t *job);
static void ngx_http_constraint_api_job_done(ngx_constraint_job_t *job);
static void ngx_http_constraint_api_job_destroy(ngx_constraint_job_t *job);
static void ngx_http_constraint_api_job_detach(
    ngx_http_constraint_api_t *api);


/* jobs of this worker's calls that have not ended */

static ngx_uint_t  ngx_http_constraint_api_pending;


void *
ngx_http_constraint_api_job_create(ngx_http_constraint_api_t *api,
    size_t size)
{
    ngx_constraint_job_t           *base;
    ngx_http_constraint_api_job_t  *job;

    base = ngx_constraint_job_create(size, ngx_cycle->log);

    if (base == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return NULL;
    }

    base->run_thread = ngx_http_constraint_api_job_run_thread;
    base->done = ngx_http_constraint_api_job_done;
    base->destroy = ngx_http_constraint_api_job_destroy;
    base->owner = api;

    job = (ngx_http_constraint_api_job_t *) base;
    job->catalogue = api->catalogue;

    return job;
}


void
ngx_http_constraint_api_job_post(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_job_t *job)
{
    ngx_int_t           rc;
    ngx_thread_pool_t  *pool;

    pool = ngx_http_constraint_settings(api->request)->thread_pool;

    rc = ngx_constraint_job_post(&job->job, pool,
                                 &ngx_http_constraint_api_pending,
                                 NGX_HTTP_CONSTRAINT_API_JOBS);

    if (rc == NGX_OK) {
        ngx_http_constraint_api_suspend(api,
                                        ngx_http_constraint_api_job_detach,
                                        job);
        return;
    }

    ngx_constraint_job_destroy(&job->job);

    if (pool == NULL) {
        ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_INTERNAL,
                                     NULL, "there is no thread pool for this; "
                                     "declare \"thread_pool constraint "
                                     "threads=4;\"");
        return;
    }

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_BUSY, NULL,
                                 "too many calls are waiting for a thread, "
                                 "try again");
}


static void
ngx_http_constraint_api_job_run_thread(ngx_constraint_job_t *base)
{
    ngx_http_constraint_api_job_t  *job;

    job = (ngx_http_constraint_api_job_t *) base;
    job->run_thread(job);
}


static void
ngx_http_constraint_api_job_done(ngx_constraint_job_t *base)
{
    char                           *text;
    json_t                         *failure;
    ngx_connection_t               *c;
    ngx_http_constraint_api_t      *api;
    ngx_http_constraint_api_job_t  *job;

    api = base->owner;
    job = (ngx_http_constraint_api_job_t *) base;

    c = ngx_http_constraint_api_wake(api);

    if (job->failure) {
        failure = job->failure;
        job->failure = NULL;
        ngx_http_constraint_api_fail_with(api, job->error, failure);

    } else if (job->done) {
        job->done(api, job);

    } else {
        text = job->text;
        job->text = NULL;
        ngx_http_constraint_api_answer_malloced(api, job->status, text,
                                                job->len);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_constraint_api_job_destroy(ngx_constraint_job_t *base)
{
    ngx_http_constraint_api_job_t  *job;

    job = (ngx_http_constraint_api_job_t *) base;

    if (job->destroy) {
        job->destroy(job);
    }

    json_decref(job->failure);
    free(job->text);
}


static void
ngx_http_constraint_api_job_detach(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_job_t *job = api->waiting;

    ngx_constraint_job_detach(&job->job);
}


void
ngx_http_constraint_api_job_answer_thread(ngx_http_constraint_api_job_t *job,
    ngx_uint_t status, json_t *answer)
{
    job->status = status;
    job->text = ngx_http_constraint_api_text(answer, &job->len);

    json_decref(answer);
}


ngx_int_t
ngx_http_constraint_api_copy(ngx_str_t *copy, const ngx_str_t *text,
    ngx_log_t *log)
{
    ngx_str_null(copy);

    if (text->data == NULL) {
        return NGX_OK;
    }

    copy->data = ngx_alloc(text->len + 1, log);
    if (copy->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy->data, text->data, text->len);
    copy->data[text->len] = '\0';
    copy->len = text->len;

    return NGX_OK;
}
