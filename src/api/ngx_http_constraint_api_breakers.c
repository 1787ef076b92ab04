/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * GET /breakers and POST /breakers/{message_type}/reset; and what metadata
 * and statistics tell of breakers and adaptive limits.
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
static ngx_int_t ngx_http_constraint_api_breaker_of(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name,
    json_t *document, ngx_constraint_feedback_t **feedback,
    ngx_constraint_limits_t *limits);
static json_t *ngx_http_constraint_api_breaker_json(
    ngx_constraint_feedback_t *feedback,
    const ngx_constraint_breaker_conf_t *conf);
static ngx_constraint_feedback_t *ngx_http_constraint_api_feedback(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name,
    json_t *document, ngx_atomic_t **pieces);
static uint32_t ngx_http_constraint_api_max_exec(
    ngx_constraint_catalogue_t *catalogue, json_t *document,
    const ngx_constraint_execution_t *own,
    const ngx_constraint_feedback_t *feedback);


static ngx_constraint_feedback_t  ngx_http_constraint_api_untouched;


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

    if (ngx_http_constraint_api_breaker_of(list->job.catalogue, key, document,
                                           &feedback, &limits)
        != NGX_OK)
    {
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

    rc = ngx_http_constraint_api_breaker_of(api->catalogue, &api->name,
                                            document, &feedback, &limits);
    json_decref(document);

    if (rc != NGX_OK) {
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


/* NGX_OK, also for one that was never met: then it is closed. */

static ngx_int_t
ngx_http_constraint_api_breaker_of(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *name, json_t *document,
    ngx_constraint_feedback_t **feedback, ngx_constraint_limits_t *limits)
{
    json_t                         *execution;
    ngx_constraint_limits_error_t   error;

    *feedback = ngx_http_constraint_api_feedback(catalogue, name, document,
                                                 NULL);

    ngx_constraint_limits_init(limits);

    execution = json_object_get(document, "execution");

    if (execution
        && ngx_constraint_limits_parse(execution, limits, &error) != NGX_OK)
    {
        ngx_constraint_limits_init(limits);
    }

    if (limits->execution.set & NGX_CONSTRAINT_SET_BREAKER) {
        return NGX_OK;
    }

    if ((*feedback)->breaker.configured) {
        limits->breaker = (*feedback)->breaker_conf;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_constraint_feedback_t *
ngx_http_constraint_api_feedback(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *name, json_t *document, ngx_atomic_t **pieces)
{
    void                    *state;
    ngx_slab_pool_t         *shpool;
    ngx_constraint_stats_t  *stats;

    stats = ngx_constraint_catalogue_stats(catalogue, &shpool);

    state = ngx_constraint_stats_state_lookup(stats, shpool, name,
                                       ngx_http_constraint_api_born(document),
                                       pieces);

    return state ? state : &ngx_http_constraint_api_untouched;
}


static json_t *
ngx_http_constraint_api_breaker_json(ngx_constraint_feedback_t *feedback,
    const ngx_constraint_breaker_conf_t *conf)
{
    json_t                           *configuration;
    ngx_constraint_breaker_status_t   status;

    ngx_constraint_breaker_status(&feedback->breaker,
                                  ngx_constraint_now_ns() / 1000000, &status);

    configuration = json_pack("{s:I,s:I,s:I,s:s,s:I}",
                        "violations", (json_int_t) conf->violations,
                        "window_ms", (json_int_t) conf->window_ms,
                        "open_ms", (json_int_t) conf->open_ms,
                        "effect",
                        conf->effect == NGX_CONSTRAINT_BOUND_ALLOW ? "allow"
                        : conf->effect == NGX_CONSTRAINT_BOUND_SHADOW
                          ? "shadow" : "deny",
                        "half_open_probes",
                        (json_int_t) conf->half_open_probes);

    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I},s:o}",
                     "state", ngx_constraint_breaker_name(status.state),
                     "since_ms", (json_int_t) status.since_ms,
                     "violations", (json_int_t) status.violations,
                     "probes", (json_int_t) status.probes,
                     "passed", (json_int_t) status.passed,
                     "transitions",
                     "open", (json_int_t)
                     status.transitions[NGX_CONSTRAINT_BREAKER_OPEN],
                     "half_open", (json_int_t)
                     status.transitions[NGX_CONSTRAINT_BREAKER_HALF_OPEN],
                     "closed", (json_int_t)
                     status.transitions[NGX_CONSTRAINT_BREAKER_CLOSED],
                     "configuration", configuration);
}


void
ngx_http_constraint_api_feedback_set(json_t *object,
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name,
    json_t *document, ngx_constraint_histogram_t *scratch)
{
    json_t                     *p99;
    uint32_t                    max_exec_us, limit;
    uint64_t                    samples;
    ngx_atomic_t               *pieces[NGX_CONSTRAINT_STATS_MORE];
    ngx_constraint_limits_t     limits;
    ngx_constraint_feedback_t  *feedback;

    if (ngx_http_constraint_api_breaker_of(catalogue, name, document,
                                           &feedback, &limits)
        == NGX_OK)
    {
        (void) json_object_set_new(object, "breaker",
                      ngx_http_constraint_api_breaker_json(feedback,
                                                           &limits.breaker));
    }

    max_exec_us = ngx_http_constraint_api_max_exec(catalogue, document,
                                                   &limits.execution,
                                                   feedback);

    feedback = ngx_http_constraint_api_feedback(catalogue, name, document,
                                                pieces);
    samples = 0;

    if (feedback->adapts) {
        samples = ngx_constraint_adaptive_learn(&feedback->adaptive, pieces,
                                                scratch);
    }

    if (!(limits.execution.set & NGX_CONSTRAINT_SET_ADAPTIVE)) {

        if (!feedback->adapts) {
            return;
        }

        limits.adaptive = feedback->adaptive_conf;
        max_exec_us = feedback->max_exec_us;
    }

    limit = ngx_constraint_adaptive_limit(&feedback->adaptive,
                                          &limits.adaptive, max_exec_us);
    p99 = feedback->adaptive.p99_ns
          ? json_real((double) feedback->adaptive.p99_ns / 1000000)
          : json_null();

    (void) json_object_set_new(object, "adaptive",
               json_pack("{s:f,s:o,s:I,s:f,s:f,s:f}",
                         "max_exec_ms", (double) limit / 1000,
                         "p99_ms", p99,
                         "samples", (json_int_t) samples,
                         "factor", limits.adaptive.factor,
                         "min_ms", (double) limits.adaptive.min_us / 1000,
                         "max_ms", (double) limits.adaptive.max_us / 1000));
}


/*
 * The fixed limit beneath an adaptive one of the record: its own, else its
 * profile's, else what the last decision was held to.  In any thread.
 */

static uint32_t
ngx_http_constraint_api_max_exec(ngx_constraint_catalogue_t *catalogue,
    json_t *document, const ngx_constraint_execution_t *own,
    const ngx_constraint_feedback_t *feedback)
{
    json_t                          *value, *stored;
    uint64_t                         revision;
    ngx_str_t                        name;
    ngx_constraint_limits_t          limits;
    const ngx_constraint_profile_t  *fixed;

    value = json_object_get(document, "profile");

    if ((own->set & NGX_CONSTRAINT_SET_MAX_EXEC)
        || !(own->set & NGX_CONSTRAINT_SET_ADAPTIVE))
    {
        return own->max_exec_us;
    }

    ngx_constraint_limits_init(&limits);

    name.data = (u_char *) json_string_value(value);
    name.len = json_string_length(value);

    fixed = NULL;
    stored = NULL;
    revision = 0;

    if (name.len) {
        fixed = ngx_constraint_catalogue_profile_find(catalogue, &name);
    }

    if (fixed) {
        limits = fixed->limits;

    } else if (name.len
               && ngx_constraint_catalogue_get_thread(catalogue,
                                                  NGX_CONSTRAINT_KIND_PROFILE,
                                                  &name, &revision, &stored,
                                                  NULL)
                  == NGX_OK)
    {
        (void) ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_PROFILE,
                                              stored, &limits);
    }

    json_decref(stored);

    if (limits.execution.set & NGX_CONSTRAINT_SET_MAX_EXEC) {
        return limits.execution.max_exec_us;
    }

    return feedback->adapts ? feedback->max_exec_us : 0;
}
