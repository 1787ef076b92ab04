
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * POST /constraint/execute/{message_type}: one decision, asked for by REST.
 * A deny is an answer; only what kept the constraint from being judged at all
 * is an error of the call.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    ngx_str_t                          subject;
    ngx_str_t                          workflow;    /* data NULL: any */
    ngx_str_t                          input;
    ngx_uint_t                         explain;
    ngx_constraint_enforcement_t      *enforcement;
} ngx_http_constraint_api_execution_t;


/* a large body's parsing */

typedef struct {
    ngx_http_constraint_api_job_t      job;         /* first */
    ngx_str_t                          text;
    ngx_http_constraint_api_input_t    input;
} ngx_http_constraint_api_parsing_t;


static void ngx_http_constraint_api_execute_parse(
    ngx_http_constraint_api_t *api);
static void ngx_http_constraint_api_execute_thread(
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_execute_parsed(
    ngx_http_constraint_api_t *api, ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_execute_free(
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_execute_start(
    ngx_http_constraint_api_t *api, ngx_http_constraint_api_input_t *input);
static ngx_int_t ngx_http_constraint_api_execute_text(ngx_pool_t *pool,
    ngx_str_t *text, json_t *string);
static void ngx_http_constraint_api_execute_run(
    ngx_http_constraint_api_t *api);
static void ngx_http_constraint_api_execute_detach(
    ngx_http_constraint_api_t *api);
static void ngx_http_constraint_api_execute_ready(
    ngx_constraint_enforcement_t *e);
static void ngx_http_constraint_api_execute_answer(
    ngx_http_constraint_api_t *api);
static ngx_int_t ngx_http_constraint_api_execute_refused(
    ngx_http_constraint_api_t *api, const ngx_constraint_decision_t *d);
static void ngx_http_constraint_api_execute_decision(
    ngx_http_constraint_api_t *api, ngx_constraint_decision_t *d);


void
ngx_http_constraint_api_execute(ngx_http_constraint_api_t *api)
{
    ngx_str_t                            *explain;
    cel_json_parser_t                    *parser;
    ngx_http_constraint_api_input_t       input;
    ngx_http_constraint_api_execution_t  *execution;

    execution = ngx_pcalloc(api->request->pool,
                            sizeof(ngx_http_constraint_api_execution_t));

    if (execution == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    api->data = execution;
    explain = &api->args.explain;

    if (explain->len == 1 && explain->data[0] == '1') {
        execution->explain = 1;

    } else if (explain->data
               && !(explain->len == 1 && explain->data[0] == '0'))
    {
        ngx_http_constraint_api_bad_argument(api, "explain",
                                             "must be 0 or 1");
        return;
    }

    if (api->body.len > NGX_HTTP_CONSTRAINT_API_SMALL) {
        ngx_http_constraint_api_execute_parse(api);
        return;
    }

    parser = cel_json_parser_create();

    ngx_memzero(&input, sizeof(ngx_http_constraint_api_input_t));
    ngx_http_constraint_api_input_parse(&input, parser, &api->body);

    if (parser) {
        cel_json_parser_destroy(parser);
    }

    ngx_http_constraint_api_execute_start(api, &input);
}


static void
ngx_http_constraint_api_execute_parse(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_parsing_t  *parsing;

    parsing = ngx_http_constraint_api_job_create(api,
                                   sizeof(ngx_http_constraint_api_parsing_t));
    if (parsing == NULL) {
        return;
    }

    parsing->job.run_thread = ngx_http_constraint_api_execute_thread;
    parsing->job.done = ngx_http_constraint_api_execute_parsed;
    parsing->job.destroy = ngx_http_constraint_api_execute_free;

    if (ngx_http_constraint_api_copy(&parsing->text, &api->body,
                                     ngx_cycle->log)
        != NGX_OK)
    {
        ngx_constraint_job_destroy(&parsing->job.job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    ngx_http_constraint_api_job_post(api, &parsing->job);
}


static void
ngx_http_constraint_api_execute_thread(ngx_http_constraint_api_job_t *job)
{
    cel_json_parser_t                  *parser;
    ngx_http_constraint_api_parsing_t  *parsing;

    parsing = (ngx_http_constraint_api_parsing_t *) job;
    parser = cel_json_parser_create();

    ngx_http_constraint_api_input_parse(&parsing->input, parser,
                                        &parsing->text);

    if (parser) {
        cel_json_parser_destroy(parser);
    }
}


static void
ngx_http_constraint_api_execute_parsed(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_input_t     input;
    ngx_http_constraint_api_parsing_t  *parsing;

    parsing = (ngx_http_constraint_api_parsing_t *) job;

    input = parsing->input;
    ngx_memzero(&parsing->input, sizeof(ngx_http_constraint_api_input_t));

    ngx_http_constraint_api_execute_start(api, &input);
}


static void
ngx_http_constraint_api_execute_free(ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_parsing_t  *parsing;

    parsing = (ngx_http_constraint_api_parsing_t *) job;

    ngx_http_constraint_api_input_free(&parsing->input);
    ngx_free(parsing->text.data);
}


/* What input holds is freed here. */

static void
ngx_http_constraint_api_execute_start(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_input_t *input)
{
    json_t                               *failure;
    ngx_int_t                             rc;
    ngx_pool_t                           *pool;
    ngx_constraint_enforcement_t         *e;
    ngx_http_constraint_api_execution_t  *execution;

    if (input->failure) {
        failure = input->failure;
        input->failure = NULL;

        ngx_http_constraint_api_input_free(input);
        ngx_http_constraint_api_fail_with(api, input->error, failure);
        return;
    }

    execution = api->data;
    pool = api->request->pool;

    rc = ngx_http_constraint_api_execute_text(pool, &execution->subject,
                                              input->subject);

    if (rc == NGX_OK) {
        rc = ngx_http_constraint_api_execute_text(pool, &execution->workflow,
                                                  input->workflow);
    }

    ngx_str_set(&execution->input, "null");

    if (input->len) {
        execution->input.data = api->body.data + input->offset;
        execution->input.len = input->len;
    }

    ngx_http_constraint_api_input_free(input);

    e = (rc == NGX_OK)
        ? ngx_http_constraint_enforcement_create(api->request,
                                                 &execution->input)
        : NULL;

    if (e == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    e->catalogue = api->catalogue;
    e->message_type = api->name;
    e->subject = execution->subject;
    e->expected = execution->workflow;
    e->ready = ngx_http_constraint_api_execute_ready;
    e->data = api;
    e->explain = execution->explain;
    e->execute = 1;

    execution->enforcement = e;

    ngx_http_constraint_api_execute_run(api);
}


static ngx_int_t
ngx_http_constraint_api_execute_text(ngx_pool_t *pool, ngx_str_t *text,
    json_t *string)
{
    if (string == NULL) {
        ngx_str_null(text);
        return NGX_OK;
    }

    text->len = json_string_length(string);
    text->data = ngx_pnalloc(pool, text->len);

    if (text->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(text->data, json_string_value(string), text->len);

    return NGX_OK;
}


static void
ngx_http_constraint_api_execute_run(ngx_http_constraint_api_t *api)
{
    ngx_int_t                             rc;
    ngx_str_t                             message;
    ngx_constraint_enforcement_t         *e;
    ngx_http_constraint_api_execution_t  *execution;

    execution = api->data;
    e = execution->enforcement;

    rc = ngx_constraint_enforce(e);

    if (rc == NGX_AGAIN) {
        ngx_http_constraint_api_suspend(api,
                                       ngx_http_constraint_api_execute_detach,
                                        e);
        return;
    }

    if (rc == NGX_DECLINED) {

        /* the input was given with the enforcement */

        ngx_str_set(&message, "the input was asked for twice");
        ngx_constraint_refuse(e, NGX_CONSTRAINT_E_INTERNAL, &message);
    }

    ngx_http_constraint_api_execute_answer(api);
}


static void
ngx_http_constraint_api_execute_detach(ngx_http_constraint_api_t *api)
{
    ngx_constraint_enforcement_detach(api->waiting);
}


static void
ngx_http_constraint_api_execute_ready(ngx_constraint_enforcement_t *e)
{
    ngx_connection_t           *c;
    ngx_http_constraint_api_t  *api;

    api = e->data;
    c = ngx_http_constraint_api_wake(api);

    ngx_http_constraint_api_execute_run(api);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_constraint_api_execute_answer(ngx_http_constraint_api_t *api)
{
    ngx_constraint_decision_t            *d;
    ngx_http_constraint_api_execution_t  *execution;

    execution = api->data;
    d = &execution->enforcement->decision;

    if (execution->enforcement->decided && !d->other_workflow) {
        execution->enforcement->decided(execution->enforcement);
    }

    if (ngx_http_constraint_api_execute_refused(api, d) != NGX_OK) {
        return;
    }

    if (d->other_workflow) {
        ngx_http_constraint_api_fail(api,
                                    NGX_HTTP_CONSTRAINT_API_E_OTHER_WORKFLOW,
                                    ngx_http_constraint_api_detail(
                                             "$.dsl_workflow_id",
                                             sizeof("$.dsl_workflow_id") - 1,
                                             "is not the constraint's"),
                                    "the constraint's workflow is \"%.*s\"",
                                    (int) d->workflow_id.len,
                                    (char *) d->workflow_id.data);
        return;
    }

    ngx_http_constraint_api_execute_decision(api, d);
}


/* NGX_DONE: there is no decision to tell of, and the call is answered. */

static ngx_int_t
ngx_http_constraint_api_execute_refused(ngx_http_constraint_api_t *api,
    const ngx_constraint_decision_t *d)
{
    json_t                           *details;
    const char                       *message;
    ngx_http_constraint_api_error_e   error;

    details = NULL;

    if (d->not_associated) {
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_NOT_ASSOCIATED,
                                     NULL, "the subject is not associated "
                                     "with the constraint");
        return NGX_DONE;
    }

    switch (d->error) {

    case NGX_CONSTRAINT_E_UNREGISTERED:
    case NGX_CONSTRAINT_E_MESSAGE_TYPE_UNKNOWN:
    case NGX_CONSTRAINT_E_MESSAGE_TYPE_EMPTY:
        ngx_http_constraint_api_not_found(api,
                                          NGX_CONSTRAINT_KIND_CONSTRAINT);
        return NGX_DONE;

    case NGX_CONSTRAINT_E_SUBJECT_MISSING:
        message = "is needed: the constraint is for one subject, or its "
                  "workflow reads subject.id";
        details = ngx_http_constraint_api_detail("$.subject_id",
                                                 sizeof("$.subject_id") - 1,
                                                 message);
        ngx_http_constraint_api_fail(api,
                                    NGX_HTTP_CONSTRAINT_API_E_SUBJECT_MISSING,
                                     details, "$.subject_id %s", message);
        return NGX_DONE;

    case NGX_CONSTRAINT_E_DISABLED:
        ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_DISABLED,
                                     NULL, "the constraint is disabled; PUT "
                                     "{\"enabled\": true} enables it");
        return NGX_DONE;

    case NGX_CONSTRAINT_E_STORE:
        error = NGX_HTTP_CONSTRAINT_API_E_STORE;
        break;

    case NGX_CONSTRAINT_E_WORKFLOW:
        error = NGX_HTTP_CONSTRAINT_API_E_WORKFLOW;
        break;

    case NGX_CONSTRAINT_E_QUEUE_FULL:
        error = NGX_HTTP_CONSTRAINT_API_E_BUSY;
        break;

    case NGX_CONSTRAINT_E_BODY_INVALID:
        error = NGX_HTTP_CONSTRAINT_API_E_MALFORMED_JSON;
        break;

    case NGX_CONSTRAINT_E_BODY_DUPLICATE_KEY:
        error = NGX_HTTP_CONSTRAINT_API_E_DUPLICATE_KEY;
        break;

    case NGX_CONSTRAINT_E_BODY_TOO_LARGE:
        error = NGX_HTTP_CONSTRAINT_API_E_BODY_TOO_LARGE;
        break;

    default:
        return NGX_OK;
    }

    ngx_http_constraint_api_fail(api, error, NULL, "%.*s",
                                 (int) d->error_message.len,
                                 (char *) d->error_message.data);
    return NGX_DONE;
}


/* Output and decision are JSON text already, so they are put together. */

static void
ngx_http_constraint_api_execute_decision(ngx_http_constraint_api_t *api,
    ngx_constraint_decision_t *d)
{
    u_char            *p;
    ngx_str_t          text, decision;
    ngx_pool_t        *pool;
    const ngx_str_t   *output;
    static ngx_str_t   none = ngx_string("null");

    pool = api->request->pool;

    output = d->output.data ? &d->output : &d->raw;

    if (output->data == NULL) {
        output = &none;
    }

    if (ngx_constraint_decision_json(d, pool, &decision) != NGX_OK) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    text.len = sizeof("{\"success\":true,\"output\":,\"decision\":}") - 1
               + output->len + decision.len;
    text.data = ngx_pnalloc(pool, text.len);

    if (text.data == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    p = ngx_sprintf(text.data, "{\"success\":true,\"output\":%V,"
                    "\"decision\":%V}", output, &decision);
    text.len = p - text.data;

    ngx_http_constraint_api_answer_text(api, NGX_HTTP_OK, &text);
}
