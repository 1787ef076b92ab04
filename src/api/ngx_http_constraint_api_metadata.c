
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * GET /constraint/metadata/{message_type}: what the server knows about a
 * constraint besides its record.  Looking does not load it into memory: a
 * workflow that this worker does not hold is compiled aside, in a thread.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    ngx_http_constraint_api_job_t    job;       /* first */
    ngx_str_t                        workflow_id;
    cel_sizes_t                      sizes;
    workflow_issues_t                issues;
    json_t                          *description;
} ngx_http_constraint_api_describing_t;


static json_t *ngx_http_constraint_api_metadata_facts(
    ngx_http_constraint_api_t *api, json_t *record, uint64_t revision);
static json_t *ngx_http_constraint_api_metadata_loaded(
    ngx_http_constraint_api_t *api, ngx_uint_t *in_worker);
static ngx_int_t ngx_http_constraint_api_metadata_held(
    ngx_http_constraint_api_t *api, json_t *metadata,
    const cel_sizes_t *sizes);
static void ngx_http_constraint_api_metadata_nobody(
    ngx_constraint_waiter_t *waiter);
static void ngx_http_constraint_api_metadata_compile(
    ngx_http_constraint_api_t *api, json_t *metadata,
    const cel_sizes_t *sizes);
static void ngx_http_constraint_api_metadata_thread(
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_metadata_describe(
    ngx_http_constraint_api_describing_t *describing, char *text);
static void ngx_http_constraint_api_metadata_done(
    ngx_http_constraint_api_t *api, ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_metadata_destroy(
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_metadata_answer(
    ngx_http_constraint_api_t *api, json_t *metadata);
static void ngx_http_constraint_api_json_release(void *data);


void
ngx_http_constraint_api_metadata(ngx_http_constraint_api_t *api)
{
    json_t       *metadata, *record;
    uint64_t      revision;
    ngx_uint_t    in_worker;
    cel_sizes_t   sizes;

    if (ngx_http_constraint_api_sizes(api, &sizes) != NGX_OK) {
        return;
    }

    record = ngx_http_constraint_api_record_get(api,
                                              NGX_CONSTRAINT_KIND_CONSTRAINT,
                                                &revision);
    if (record == NULL) {
        return;
    }

    ngx_http_constraint_api_etag(api, revision);

    metadata = ngx_http_constraint_api_metadata_facts(api, record, revision);
    if (metadata == NULL) {
        return;
    }

    (void) json_object_set_new(metadata, "loaded",
                               ngx_http_constraint_api_metadata_loaded(api,
                                                               &in_worker));

    if (in_worker
        && ngx_http_constraint_api_metadata_held(api, metadata, &sizes)
           == NGX_OK)
    {
        ngx_http_constraint_api_metadata_answer(api, metadata);
        return;
    }

    ngx_http_constraint_api_metadata_compile(api, metadata, &sizes);
}


/* record is stolen; NULL when answered */

static json_t *
ngx_http_constraint_api_metadata_facts(ngx_http_constraint_api_t *api,
    json_t *record, uint64_t revision)
{
    json_t                       *metadata;
    ngx_constraint_stats_view_t  *view;

    view = ngx_pcalloc(api->request->pool,
                       sizeof(ngx_constraint_stats_view_t));

    metadata = json_pack("{s:O,s:O,s:O,s:I}",
                         "message_type",
                         json_object_get(record, "message_type"),
                         "dsl_workflow_id",
                         json_object_get(record, "dsl_workflow_id"),
                         "enabled", json_object_get(record, "enabled"),
                         "revision", (json_int_t) revision);

    if (view && metadata) {
        ngx_http_constraint_api_stats_read(api->catalogue, &api->name,
                                           record, view);
        ngx_http_constraint_api_stats_set(metadata, view);
        ngx_http_constraint_api_feedback_set(metadata, api->catalogue,
                                             &api->name, record,
                                             &view->latency);
    }

    if (metadata) {
        ngx_http_constraint_api_execution(api, metadata, record);
    }

    json_decref(record);

    if (metadata == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
    }

    return metadata;
}


static json_t *
ngx_http_constraint_api_metadata_loaded(ngx_http_constraint_api_t *api,
    ngx_uint_t *in_worker)
{
    ngx_uint_t  in_zone;

    in_zone = 0;
    *in_worker = 0;

    ngx_constraint_catalogue_loaded(api->catalogue, &api->name, in_worker,
                                    &in_zone);

    return json_pack("{s:b,s:b}", "worker", (int) *in_worker, "zone",
                     (int) in_zone);
}


/* From this worker's memory: NGX_OK, NGX_DECLINED: it is not there. */

static ngx_int_t
ngx_http_constraint_api_metadata_held(ngx_http_constraint_api_t *api,
    json_t *metadata, const cel_sizes_t *sizes)
{
    ngx_int_t                 rc;
    ngx_str_t                 error;
    ngx_constraint_rule_t    *rule;
    ngx_constraint_waiter_t   waiter;

    ngx_memzero(&waiter, sizeof(ngx_constraint_waiter_t));
    waiter.ready = ngx_http_constraint_api_metadata_nobody;

    ngx_str_null(&error);
    (void) ngx_constraint_catalogue_sync(api->catalogue);

    rc = ngx_constraint_catalogue_acquire(api->catalogue, &api->name, &waiter,
                                          &rule, &error);

    if (rc != NGX_OK) {
        ngx_constraint_waiter_cancel(&waiter);
        return NGX_DECLINED;
    }

    if (rule->workflow) {
        (void) json_object_set_new(metadata, "workflow_revision",
                                   json_integer(rule->workflow_revision));
        ngx_http_constraint_api_describe(metadata, rule->workflow, sizes);

    } else {
        (void) json_object_set_new(metadata, "error",
                   ngx_http_constraint_api_string((char *) rule->error.data,
                                                  rule->error.len));
    }

    ngx_constraint_catalogue_release(api->catalogue, rule);

    return NGX_OK;
}


static void
ngx_http_constraint_api_metadata_nobody(ngx_constraint_waiter_t *waiter)
{
    /* void: the waiter is taken back at once */
}


/* metadata is stolen, as api->data while the thread works */

static void
ngx_http_constraint_api_metadata_compile(ngx_http_constraint_api_t *api,
    json_t *metadata, const cel_sizes_t *sizes)
{
    json_t                                *id;
    ngx_str_t                              key;
    ngx_pool_cleanup_t                    *cln;
    ngx_http_constraint_api_describing_t  *describing;

    cln = ngx_pool_cleanup_add(api->request->pool, 0);

    if (cln == NULL) {
        json_decref(metadata);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    cln->handler = ngx_http_constraint_api_json_release;
    cln->data = metadata;
    api->data = metadata;

    describing = ngx_http_constraint_api_job_create(api,
                                sizeof(ngx_http_constraint_api_describing_t));
    if (describing == NULL) {
        return;
    }

    describing->sizes = *sizes;
    describing->job.run_thread = ngx_http_constraint_api_metadata_thread;
    describing->job.done = ngx_http_constraint_api_metadata_done;
    describing->job.destroy = ngx_http_constraint_api_metadata_destroy;

    id = json_object_get(metadata, "dsl_workflow_id");

    key.data = (u_char *) json_string_value(id);
    key.len = json_string_length(id);

    if (ngx_http_constraint_api_copy(&describing->workflow_id, &key,
                                     ngx_cycle->log)
        != NGX_OK)
    {
        ngx_constraint_job_destroy(&describing->job.job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    ngx_http_constraint_api_job_post(api, &describing->job);
}


static void
ngx_http_constraint_api_metadata_thread(ngx_http_constraint_api_job_t *job)
{
    char                                  *text;
    json_t                                *document, *description;
    uint64_t                               revision;
    ngx_int_t                              rc;
    ngx_str_t                              error;
    ngx_http_constraint_api_describing_t  *describing;

    describing = (ngx_http_constraint_api_describing_t *) job;

    description = json_object();
    describing->description = description;

    revision = 0;
    document = NULL;
    ngx_str_null(&error);

    rc = ngx_constraint_catalogue_get_thread(job->catalogue,
                                             NGX_CONSTRAINT_KIND_WORKFLOW,
                                             &describing->workflow_id,
                                             &revision, &document, &error);

    if (rc != NGX_OK) {
        (void) json_object_set_new(description, "error",
                                   json_string("the workflow cannot be "
                                               "read"));
        return;
    }

    (void) json_object_set_new(description, "workflow_revision",
                               json_integer((json_int_t) revision));

    text = json_dumps(json_object_get(document, "document"), JSON_COMPACT);
    json_decref(document);

    if (text) {
        ngx_http_constraint_api_metadata_describe(describing, text);
    }

    free(text);
}


static void
ngx_http_constraint_api_metadata_describe(
    ngx_http_constraint_api_describing_t *describing, char *text)
{
    ngx_str_t    s;
    workflow_t  *workflow;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    workflow = ngx_constraint_catalogue_compile_thread(
                                       describing->job.catalogue, &s,
                                       WORKFLOW_JSON, &describing->issues);

    if (workflow) {
        ngx_http_constraint_api_describe(describing->description, workflow,
                                         &describing->sizes);
        workflow_destroy(workflow);
        return;
    }

    (void) json_object_set_new(describing->description, "error",
                               json_string("the workflow does not compile "
                                           "any more"));
    (void) json_object_set_new(describing->description, "diagnostics",
                               ngx_http_constraint_api_issues(
                                                       &describing->issues));
}


static void
ngx_http_constraint_api_metadata_done(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_job_t *job)
{
    json_t                                *metadata;
    ngx_http_constraint_api_describing_t  *describing;

    metadata = api->data;
    describing = (ngx_http_constraint_api_describing_t *) job;

    (void) json_object_update(metadata, describing->description);

    ngx_http_constraint_api_metadata_answer(api, json_incref(metadata));
}


static void
ngx_http_constraint_api_metadata_destroy(ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_describing_t  *describing;

    describing = (ngx_http_constraint_api_describing_t *) job;

    json_decref(describing->description);
    ngx_free(describing->workflow_id.data);
}


static void
ngx_http_constraint_api_metadata_answer(ngx_http_constraint_api_t *api,
    json_t *metadata)
{
    ngx_http_constraint_api_success(api, NGX_HTTP_OK, "metadata", metadata);
}


static void
ngx_http_constraint_api_json_release(void *data)
{
    json_decref(data);
}
