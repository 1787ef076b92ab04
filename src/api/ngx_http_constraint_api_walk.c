/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A page filled from all constraints: what GET /stats and GET /breakers have
 * in common.  In a pool thread.
 */


#include "ngx_http_constraint_api.h"


ngx_int_t
ngx_http_constraint_api_page_open(ngx_http_constraint_api_job_t *job,
    ngx_http_constraint_api_page_t *page, const ngx_str_t *cursor,
    const ngx_str_t *sort, ngx_uint_t kind)
{
    if (cursor->data
        && ngx_http_constraint_api_cursor_read(page, cursor, sort, kind)
           != NGX_OK)
    {
        job->error = NGX_HTTP_CONSTRAINT_API_E_INVALID_ARGUMENT;
        job->failure = ngx_http_constraint_api_envelope(job->error,
                       ngx_http_constraint_api_detail("cursor",
                                                      sizeof("cursor") - 1,
                                                      "is not of this list"),
                       "cursor: is not one that this list gave for the same "
                       "sort");
        return NGX_ERROR;
    }

    return ngx_http_constraint_api_page_init(page);
}


ngx_int_t
ngx_http_constraint_api_page_walk(ngx_http_constraint_api_job_t *job,
    ngx_http_constraint_api_page_t *page, ngx_constraint_visit_pt visit)
{
    ngx_int_t   rc;
    ngx_str_t   after, *from;

    from = NULL;

    if (page->after.name && page->sort == NULL) {
        after.data = (u_char *) json_string_value(page->after.name);
        after.len = json_string_length(page->after.name);

        if (after.len > NGX_CONSTRAINT_NAME_MAX) {
            return NGX_OK;
        }

        from = &after;
    }

    rc = ngx_constraint_catalogue_walk_thread(job->catalogue,
                                              NGX_CONSTRAINT_KIND_CONSTRAINT,
                                              from, visit, job);

    if (rc == NGX_OK || rc == NGX_DONE) {
        return NGX_OK;
    }

    if (rc != NGX_ABORT) {
        job->error = NGX_HTTP_CONSTRAINT_API_E_STORE;
        job->failure = ngx_http_constraint_api_envelope(job->error, NULL,
                                       "the list could not be read, see "
                                       "/status and the error log");
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_http_constraint_api_walk_damaged(ngx_http_constraint_api_job_t *job,
    ngx_constraint_kind_e kind, const ngx_str_t *key)
{
    job->error = NGX_HTTP_CONSTRAINT_API_E_STORE;
    job->failure = ngx_http_constraint_api_envelope(job->error, NULL,
                                       "the list could not be read: the %s "
                                       "\"%.*s\" is damaged in the store; %s",
                                       ngx_http_constraint_api_noun(kind),
                                       (int) key->len, (char *) key->data,
                                       kind == NGX_CONSTRAINT_KIND_CONSTRAINT
                                       ? "DELETE it and register it again"
                                       : "PUT it again");
    return NGX_ABORT;
}
