/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Jobs: one run in a pool thread, and its life around it.  Decides nothing
 * about what runs.
 */


#include "ngx_constraint_base.h"


static void ngx_constraint_job_run_thread(void *data, ngx_log_t *log);
static void ngx_constraint_job_done(ngx_event_t *ev);
static void ngx_constraint_job_free(ngx_constraint_job_t *job);


/* the live posted jobs of this process */

static ngx_queue_t  ngx_constraint_jobs;


ngx_constraint_job_t *
ngx_constraint_job_create(size_t size, ngx_log_t *log)
{
    ngx_constraint_job_t  *job;

    job = ngx_calloc(size, log);
    if (job == NULL) {
        return NULL;
    }

    job->task.ctx = job;
    job->task.handler = ngx_constraint_job_run_thread;
    job->task.event.data = job;
    job->task.event.handler = ngx_constraint_job_done;
    job->task.event.log = log;

    return job;
}


ngx_int_t
ngx_constraint_job_post(ngx_constraint_job_t *job, ngx_thread_pool_t *pool,
    ngx_uint_t *pending, ngx_uint_t max)
{
    if (pool == NULL) {
        return NGX_ERROR;
    }

    if (pending && (*pending >= max
                    || ngx_constraint_fault("task.queue_full")))
    {
        return NGX_BUSY;
    }

    /* an inactive task is refused for a full queue only */

    if (ngx_constraint_fault("task.post_fails")
        || ngx_thread_task_post(pool, &job->task) != NGX_OK)
    {
        return NGX_BUSY;
    }

    if (ngx_constraint_jobs.next == NULL) {
        ngx_queue_init(&ngx_constraint_jobs);
    }

    ngx_queue_insert_tail(&ngx_constraint_jobs, &job->queue);

    job->posted = 1;
    job->pending = pending;

    if (pending) {
        (*pending)++;
    }

    return NGX_OK;
}


static void
ngx_constraint_job_run_thread(void *data, ngx_log_t *log)
{
    ngx_constraint_job_t  *job = data;

    if (ngx_constraint_fault("task.delay_ms")) {
        ngx_msleep(ngx_constraint_fault("task.delay_ms"));
    }

    if (!job->always && atomic_load(&job->cancel)) {
        return;
    }

    if (job->deadline_ns && ngx_constraint_now_ns() >= job->deadline_ns) {
        job->expired = 1;
        return;
    }

    job->run_thread(job);
}


static void
ngx_constraint_job_done(ngx_event_t *ev)
{
    ngx_constraint_job_t  *job = ev->data;

    ngx_queue_remove(&job->queue);

    if (job->pending) {
        (*job->pending)--;
    }

    if (!job->detached) {
        job->done(job);
    }

    ngx_constraint_job_free(job);
}


void
ngx_constraint_job_detach(ngx_constraint_job_t *job)
{
    job->owner = NULL;
    job->detached = 1;

    atomic_store(&job->cancel, 1);
}


void
ngx_constraint_job_destroy(ngx_constraint_job_t *job)
{
    ngx_constraint_job_free(job);
}


static void
ngx_constraint_job_free(ngx_constraint_job_t *job)
{
    if (job->destroy) {
        job->destroy(job);
    }

    ngx_free(job);
}


void
ngx_constraint_jobs_exit(void)
{
    ngx_queue_t           *q;
    ngx_constraint_job_t  *job;

    if (ngx_constraint_jobs.next == NULL) {
        return;
    }

    while (!ngx_queue_empty(&ngx_constraint_jobs)) {
        q = ngx_queue_head(&ngx_constraint_jobs);
        ngx_queue_remove(q);

        job = ngx_queue_data(q, ngx_constraint_job_t, queue);
        ngx_constraint_job_free(job);
    }
}
