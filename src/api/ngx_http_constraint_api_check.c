
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * POST /workflow/check: a document is compiled in a pool thread and described;
 * nothing is stored.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    ngx_http_constraint_api_job_t    job;       /* first */
    ngx_str_t                        text;
    workflow_format_t                format;
    cel_sizes_t                      sizes;
    workflow_issues_t                issues;
} ngx_http_constraint_api_checking_t;


static void ngx_http_constraint_api_check_thread(
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_api_check_syntax(
    ngx_http_constraint_api_checking_t *check);
static json_t *ngx_http_constraint_api_check_data(
    ngx_http_constraint_api_checking_t *check, const workflow_t *workflow);
static void ngx_http_constraint_api_check_destroy(
    ngx_http_constraint_api_job_t *job);


void
ngx_http_constraint_api_check(ngx_http_constraint_api_t *api)
{
    cel_sizes_t                          sizes;
    ngx_http_constraint_api_checking_t  *check;

    if (ngx_http_constraint_api_sizes(api, &sizes) != NGX_OK) {
        return;
    }

    check = ngx_http_constraint_api_job_create(api,
                                  sizeof(ngx_http_constraint_api_checking_t));
    if (check == NULL) {
        return;
    }

    check->sizes = sizes;
    check->format = api->format;
    check->job.run_thread = ngx_http_constraint_api_check_thread;
    check->job.destroy = ngx_http_constraint_api_check_destroy;

    if (ngx_http_constraint_api_copy(&check->text, &api->body, ngx_cycle->log)
        != NGX_OK)
    {
        ngx_constraint_job_destroy(&check->job.job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    ngx_http_constraint_api_job_post(api, &check->job);
}


static void
ngx_http_constraint_api_check_thread(ngx_http_constraint_api_job_t *job)
{
    json_t                              *data;
    workflow_t                          *workflow;
    ngx_http_constraint_api_checking_t  *check;

    check = (ngx_http_constraint_api_checking_t *) job;

    workflow = ngx_constraint_catalogue_compile_thread(job->catalogue,
                                                       &check->text,
                                                       check->format,
                                                       &check->issues);

    if (workflow == NULL
        && ngx_http_constraint_api_issues_syntax(&check->issues))
    {
        ngx_http_constraint_api_check_syntax(check);
        return;
    }

    data = ngx_http_constraint_api_check_data(check, workflow);

    workflow_destroy(workflow);

    ngx_http_constraint_api_job_answer_thread(job, NGX_HTTP_OK,
                                              json_pack("{s:b,s:o}",
                                                        "success", 1,
                                                        "data", data));
}


static void
ngx_http_constraint_api_check_syntax(
    ngx_http_constraint_api_checking_t *check)
{
    json_t  *details;

    check->job.error = check->format == WORKFLOW_YAML
                       ? NGX_HTTP_CONSTRAINT_API_E_MALFORMED_YAML
                       : NGX_HTTP_CONSTRAINT_API_E_MALFORMED_JSON;

    details = ngx_http_constraint_api_issues(&check->issues);

    check->job.failure = ngx_http_constraint_api_envelope(check->job.error,
                                       details, "the document cannot be "
                                       "read: %s",
                                       check->issues.items[0].message);
}


static json_t *
ngx_http_constraint_api_check_data(ngx_http_constraint_api_checking_t *check,
    const workflow_t *workflow)
{
    size_t       len;
    json_t      *data;
    const char  *name;

    data = json_pack("{s:b}", "valid", workflow != NULL);

    if (workflow) {
        name = workflow_name(workflow, &len);

        (void) json_object_set_new(data, "name", json_stringn(name, len));
        ngx_http_constraint_api_describe(data, workflow, &check->sizes);
    }

    (void) json_object_set_new(data, "diagnostics",
                               ngx_http_constraint_api_issues(
                                                             &check->issues));
    (void) json_object_set_new(data, "warnings",
                               ngx_http_constraint_api_warnings(
                                                             &check->issues));

    return data;
}


static void
ngx_http_constraint_api_check_destroy(ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_checking_t  *check;

    check = (ngx_http_constraint_api_checking_t *) job;

    ngx_free(check->text.data);
}
