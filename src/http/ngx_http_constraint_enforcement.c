/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * An enforcement made from a request.  Decides nothing and waits for
 * nothing.
 */


#include "ngx_http_constraint_request.h"


typedef struct {
    ngx_constraint_enforcement_t    enforcement;   /* first */
    ngx_http_constraint_source_t    source;
} ngx_http_constraint_execution_t;


static void ngx_http_constraint_execution_cleanup(void *data);


/* e is zeroed */

void
ngx_http_constraint_enforcement_init(ngx_http_request_t *r,
    ngx_constraint_enforcement_t *e, ngx_http_constraint_source_t *source)
{
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    e->settings = &plcf->settings;
    e->facts = &source->facts;
    e->pool = r->pool;
    e->log = r->connection->log;

    if (plcf->audit) {
        ngx_http_constraint_audit_init(r, e, plcf->audit);
    }

    source->facts.allow_duplicates = plcf->allow_duplicates;
    source->input_max = plcf->body_max;
}


ngx_constraint_enforcement_t *
ngx_http_constraint_enforcement_create(ngx_http_request_t *r,
    const ngx_str_t *input)
{
    ngx_http_cleanup_t               *cln;
    ngx_http_constraint_execution_t  *execution;

    execution = ngx_pcalloc(r->pool, sizeof(ngx_http_constraint_execution_t));
    if (execution == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_constraint_execution_cleanup;
    cln->data = execution;

    ngx_http_constraint_source_init(&execution->source, r,
                                    &r->headers_in.headers);
    ngx_http_constraint_enforcement_init(r, &execution->enforcement,
                                         &execution->source);

    if (input) {
        ngx_http_constraint_source_input(&execution->source, input);
    }

    return &execution->enforcement;
}


static void
ngx_http_constraint_execution_cleanup(void *data)
{
    ngx_http_constraint_execution_t  *execution = data;

    ngx_constraint_enforcement_detach(&execution->enforcement);
    ngx_constraint_facts_detach(&execution->source.facts);
}
