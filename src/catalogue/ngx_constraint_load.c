/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * How a rule comes into a worker: the values that were found are parsed
 * and compiled here at once, or in a thread when that is estimated to take
 * over a millisecond.  One load of a constraint or a workflow runs at a time;
 * who asks meanwhile waits for it.
 */


#include "ngx_constraint_catalogue_room.h"


/* measured with small and large documents, on the high side */

#define NGX_CONSTRAINT_LOAD_PARSE_NS    40        /* a byte of JSON */
#define NGX_CONSTRAINT_LOAD_COMPILE_NS  400       /* a byte of a document */
#define NGX_CONSTRAINT_LOAD_INLINE_NS   1000000


typedef struct {
    ngx_constraint_job_t        job;          /* first */
    ngx_constraint_catalogue_t *catalogue;
    ngx_queue_t                 queue;        /* in worker->loads */
    ngx_queue_t                 waiters;
    ngx_str_t                   message_type;
    ngx_str_t                   workflow_id;
    uint64_t                    revision;
    ngx_constraint_program_t   *program;      /* a reference, or to compile */
    ngx_str_t                   record;
    ngx_str_t                   document;
    ngx_constraint_found_profile_t  profile;
    ngx_uint_t                  stale;

    /* out */
    json_t                     *json;
    workflow_t                 *workflow;
    u_char                      error[NGX_CONSTRAINT_ERROR_MAX];
} ngx_constraint_load_t;


static ngx_int_t ngx_constraint_load_wait(ngx_constraint_load_t *load,
    ngx_constraint_waiter_t *waiter);
static ngx_constraint_load_t *ngx_constraint_load_of_rule(
    ngx_constraint_worker_t *worker, const ngx_str_t *message_type);
static ngx_constraint_load_t *ngx_constraint_load_of_program(
    ngx_constraint_worker_t *worker, const ngx_constraint_found_t *found);

static ngx_int_t ngx_constraint_load_inline(
    ngx_constraint_catalogue_t *catalogue, ngx_constraint_found_t *found,
    ngx_constraint_loaded_t **loaded, ngx_str_t *error);
static ngx_int_t ngx_constraint_load_post(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *message_type,
    ngx_constraint_found_t *found, ngx_constraint_waiter_t *waiter);
static void ngx_constraint_load_run_thread(ngx_constraint_job_t *job);
static void ngx_constraint_load_done(ngx_constraint_job_t *job);
static void ngx_constraint_load_finish(ngx_constraint_load_t *load);
static void ngx_constraint_load_destroy(ngx_constraint_job_t *job);
static workflow_t *ngx_constraint_load_compile(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *document,
    const ngx_str_t *id, uint64_t revision, u_char *error);
static ngx_constraint_loaded_t *ngx_constraint_load_insert(
    ngx_constraint_worker_t *worker, json_t *json,
    ngx_constraint_program_t *program,
    const ngx_constraint_found_profile_t *profile);
static u_char *ngx_constraint_load_copy(u_char *p, ngx_str_t *dst,
    const ngx_str_t *src);


ngx_int_t
ngx_constraint_load(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_constraint_waiter_t *waiter,
    ngx_constraint_loaded_t **loaded, ngx_str_t *error)
{
    uint64_t                  cost;
    ngx_int_t                 rc;
    ngx_constraint_load_t    *load;
    ngx_constraint_found_t    found;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;

    load = ngx_constraint_load_of_rule(worker, message_type);
    if (load) {
        return ngx_constraint_load_wait(load, waiter);
    }

    rc = ngx_constraint_find(catalogue, message_type, &found, error);

    if (rc != NGX_OK) {
        return rc;
    }

    load = ngx_constraint_load_of_program(worker, &found);
    if (load) {
        return ngx_constraint_load_wait(load, waiter);
    }

    cost = found.record.json.len * NGX_CONSTRAINT_LOAD_PARSE_NS
           + found.document.len * NGX_CONSTRAINT_LOAD_COMPILE_NS;

    if (cost > NGX_CONSTRAINT_LOAD_INLINE_NS) {
        return ngx_constraint_load_post(catalogue, message_type, &found,
                                        waiter);
    }

    return ngx_constraint_load_inline(catalogue, &found, loaded, error);
}


static ngx_int_t
ngx_constraint_load_wait(ngx_constraint_load_t *load,
    ngx_constraint_waiter_t *waiter)
{
    if (waiter && !waiter->waiting) {
        ngx_queue_insert_tail(&load->waiters, &waiter->queue);
        waiter->waiting = 1;
    }

    return NGX_AGAIN;
}


static ngx_constraint_load_t *
ngx_constraint_load_of_rule(ngx_constraint_worker_t *worker,
    const ngx_str_t *message_type)
{
    ngx_queue_t            *q;
    ngx_constraint_load_t  *load;

    for (q = ngx_queue_head(&worker->loads);
         q != ngx_queue_sentinel(&worker->loads);
         q = ngx_queue_next(q))
    {
        load = ngx_queue_data(q, ngx_constraint_load_t, queue);

        if (!load->stale && load->message_type.len == message_type->len
            && ngx_memcmp(load->message_type.data, message_type->data,
                          message_type->len)
               == 0)
        {
            return load;
        }
    }

    return NULL;
}


static ngx_constraint_load_t *
ngx_constraint_load_of_program(ngx_constraint_worker_t *worker,
    const ngx_constraint_found_t *found)
{
    ngx_queue_t            *q;
    const ngx_str_t        *id;
    ngx_constraint_load_t  *load;

    if (found->document.len == 0) {
        return NULL;
    }

    id = &found->record.workflow_id;

    for (q = ngx_queue_head(&worker->loads);
         q != ngx_queue_sentinel(&worker->loads);
         q = ngx_queue_next(q))
    {
        load = ngx_queue_data(q, ngx_constraint_load_t, queue);

        if (!load->stale && load->document.len
            && load->revision == found->head.revision
            && load->workflow_id.len == id->len
            && ngx_memcmp(load->workflow_id.data, id->data, id->len) == 0)
        {
            return load;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_constraint_load_inline(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_found_t *found, ngx_constraint_loaded_t **loaded,
    ngx_str_t *error)
{
    json_t                    *json;
    u_char                     text[NGX_CONSTRAINT_ERROR_MAX];
    ngx_str_t                 *id;
    workflow_t                *workflow;
    ngx_constraint_program_t  *program;

    json = json_loadb((char *) found->record.json.data,
                      found->record.json.len, 0, NULL);
    if (json == NULL) {
        goto failed;
    }

    program = found->program;

    if (program) {
        program->refs++;

    } else {
        id = &found->record.workflow_id;
        workflow = NULL;

        if (found->document.len) {
            workflow = ngx_constraint_load_compile(catalogue,
                                                   &found->document, id,
                                                   found->head.revision,
                                                   text);
        } else {
            ngx_constraint_error_set(text, "workflow \"%V\" %s", id,
                                     found->reason);
        }

        program = ngx_constraint_program_create(id, found->document.len
                                                ? found->head.revision : 0,
                                                workflow, text);
        if (program == NULL) {
            json_decref(json);
            goto failed;
        }

        ngx_constraint_program_insert(catalogue->worker, program);
    }

    *loaded = ngx_constraint_load_insert(catalogue->worker, json, program,
                                         &found->profile);

    if (*loaded) {
        return NGX_OK;
    }

failed:

    if (error) {
        ngx_str_set(error, "the stored constraint cannot be loaded");
    }

    ngx_log_error(NGX_LOG_ALERT, catalogue->worker->log, 0,
                  "constraint: a stored constraint of \"%V\" cannot be loaded",
                  &catalogue->conf.path);

    return NGX_ERROR;
}


/* Takes json and the reference of program; gives a reference. */

static ngx_constraint_loaded_t *
ngx_constraint_load_insert(ngx_constraint_worker_t *worker, json_t *json,
    ngx_constraint_program_t *program,
    const ngx_constraint_found_profile_t *profile)
{
    ngx_constraint_loaded_t  *loaded;

    loaded = ngx_constraint_rule_create(json, program, profile,
                                        &worker->catalogue->host);

    if (loaded) {
        ngx_constraint_rule_insert(worker, loaded);
        ngx_constraint_rules_shrink(worker, loaded);
    }

    return loaded;
}


static workflow_t *
ngx_constraint_load_compile(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *document, const ngx_str_t *id, uint64_t revision,
    u_char *error)
{
    workflow_t         *workflow;
    workflow_issues_t  *issues;

    issues = calloc(1, sizeof(workflow_issues_t));
    if (issues == NULL) {
        ngx_constraint_error_set(error, "out of memory");
        return NULL;
    }

    workflow = ngx_constraint_compile_thread(catalogue, document,
                                             WORKFLOW_JSON, issues);

    if (workflow == NULL) {
        ngx_constraint_error_set(error, "workflow \"%V\" of revision %uL does "
                                 "not compile: %s", id, revision,
                                 issues->count ? issues->items[0].message
                                               : "out of memory");
    }

    free(issues);

    return workflow;
}


workflow_t *
ngx_constraint_compile_thread(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *text, workflow_format_t format,
    workflow_issues_t *issues)
{
    workflow_options_t  options;

    ngx_memzero(&options, sizeof(workflow_options_t));

    options.allocator = &ngx_constraint_allocator;
    options.declare = catalogue->host.declare;
    options.ctx = catalogue->host.ctx;
    options.first_slot = catalogue->host.nslots;

    return workflow_compile((char *) text->data, text->len, format, &options,
                            issues);
}


workflow_t *
ngx_constraint_catalogue_compile_thread(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *text, workflow_format_t format,
    workflow_issues_t *issues)
{
    return ngx_constraint_compile_thread(catalogue, text, format, issues);
}


static ngx_int_t
ngx_constraint_load_post(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_constraint_found_t *found,
    ngx_constraint_waiter_t *waiter)
{
    u_char                   *p;
    size_t                    size;
    ngx_constraint_load_t    *load;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;

    size = sizeof(ngx_constraint_load_t) + message_type->len
           + found->record.workflow_id.len + found->record.json.len
           + found->document.len + found->profile.text.len;

    load = (ngx_constraint_load_t *)
               ngx_constraint_job_create(size, worker->log);
    if (load == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) (load + 1);
    p = ngx_constraint_load_copy(p, &load->message_type, message_type);
    p = ngx_constraint_load_copy(p, &load->workflow_id,
                                 &found->record.workflow_id);
    p = ngx_constraint_load_copy(p, &load->record, &found->record.json);
    p = ngx_constraint_load_copy(p, &load->document, &found->document);

    load->profile = found->profile;
    (void) ngx_constraint_load_copy(p, &load->profile.text,
                                    &found->profile.text);

    if (found->program == NULL && found->document.len == 0) {
        ngx_constraint_error_set(load->error, "workflow \"%V\" %s",
                                 &load->workflow_id, found->reason);

    } else {
        load->revision = found->head.revision;
    }

    ngx_queue_init(&load->waiters);
    ngx_queue_init(&load->queue);

    load->catalogue = catalogue;
    load->program = found->program;

    if (load->program) {
        load->program->refs++;
    }

    load->job.owner = worker;
    load->job.run_thread = ngx_constraint_load_run_thread;
    load->job.done = ngx_constraint_load_done;
    load->job.destroy = ngx_constraint_load_destroy;

    if (ngx_constraint_job_post(&load->job, catalogue->evaluate_pool,
                                &worker->nloads, NGX_CONSTRAINT_LOADS_MAX)
        != NGX_OK)
    {
        ngx_constraint_job_destroy(&load->job);
        return NGX_BUSY;
    }

    ngx_queue_insert_tail(&worker->loads, &load->queue);

    return ngx_constraint_load_wait(load, waiter);
}


static u_char *
ngx_constraint_load_copy(u_char *p, ngx_str_t *dst, const ngx_str_t *src)
{
    dst->data = p;
    dst->len = src->len;

    return src->len ? ngx_cpymem(p, src->data, src->len) : p;
}


static void
ngx_constraint_load_run_thread(ngx_constraint_job_t *job)
{
    ngx_constraint_load_t  *load = (ngx_constraint_load_t *) job;

    load->json = json_loadb((char *) load->record.data, load->record.len, 0,
                            NULL);

    if (load->json && load->document.len) {
        load->workflow = ngx_constraint_load_compile(load->catalogue,
                                                     &load->document,
                                                     &load->workflow_id,
                                                     load->revision,
                                                     load->error);
    }
}


static void
ngx_constraint_load_done(ngx_constraint_job_t *job)
{
    ngx_queue_t               *q, waiters;
    ngx_constraint_load_t     *load = (ngx_constraint_load_t *) job;
    ngx_constraint_waiter_t   *waiter;

    ngx_queue_remove(&load->queue);
    ngx_queue_init(&load->queue);

    if (!load->stale) {
        ngx_constraint_load_finish(load);
    }

    /* a waiter may cancel others, or ask for something new */

    ngx_queue_init(&waiters);
    ngx_queue_add(&waiters, &load->waiters);
    ngx_queue_init(&load->waiters);

    while (!ngx_queue_empty(&waiters)) {
        q = ngx_queue_head(&waiters);
        waiter = ngx_queue_data(q, ngx_constraint_waiter_t, queue);

        ngx_constraint_waiter_cancel(waiter);
        waiter->ready(waiter);
    }
}


static void
ngx_constraint_load_finish(ngx_constraint_load_t *load)
{
    ngx_constraint_loaded_t   *loaded;
    ngx_constraint_worker_t   *worker;
    ngx_constraint_program_t  *program;

    worker = load->catalogue->worker;

    if (worker == NULL || load->json == NULL) {
        return;
    }

    program = load->program;
    load->program = NULL;

    if (program == NULL) {
        program = ngx_constraint_program_create(&load->workflow_id,
                                                load->revision,
                                                load->workflow, load->error);
        load->workflow = NULL;

        if (program == NULL) {
            return;
        }

        ngx_constraint_program_insert(worker, program);
    }

    loaded = ngx_constraint_load_insert(worker, load->json, program,
                                        &load->profile);
    load->json = NULL;

    if (loaded) {
        ngx_constraint_rule_release(loaded);
    }
}


static void
ngx_constraint_load_destroy(ngx_constraint_job_t *job)
{
    ngx_constraint_load_t  *load = (ngx_constraint_load_t *) job;

    /* in a queue of its own when it is not among the worker's loads */

    ngx_queue_remove(&load->queue);

    if (load->json) {
        json_decref(load->json);
    }

    if (load->workflow) {
        workflow_destroy(load->workflow);
    }

    if (load->program) {
        ngx_constraint_program_release(load->program);
    }
}


void
ngx_constraint_loads_stale(ngx_constraint_worker_t *worker, u_char kind,
    const ngx_str_t *name)
{
    ngx_str_t              *id;
    ngx_queue_t            *q;
    ngx_constraint_load_t  *load;

    for (q = ngx_queue_head(&worker->loads);
         q != ngx_queue_sentinel(&worker->loads);
         q = ngx_queue_next(q))
    {
        load = ngx_queue_data(q, ngx_constraint_load_t, queue);

        id = (kind == NGX_CONSTRAINT_KEY_WORKFLOW) ? &load->workflow_id
                                                   : &load->message_type;

        if (name == NULL
            || (id->len == name->len
                && ngx_memcmp(id->data, name->data, id->len) == 0))
        {
            load->stale = 1;
        }
    }
}
