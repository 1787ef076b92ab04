/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Constraints in shadow mode that are not decided at once: they go on beside
 * the request and are logged when they are.  Delays and changes nothing.
 */


#include "ngx_http_constraint_request.h"


static void ngx_http_constraint_shadow_ready(ngx_constraint_enforcement_t *e);
static void ngx_http_constraint_shadow_enforce(ngx_http_request_t *r,
    ngx_http_constraint_shadow_t *shadow);
static void ngx_http_constraint_shadow_swap(ngx_http_request_t *r,
    ngx_http_constraint_shadow_t *shadow);


/* Without memory it is not judged: it decides nothing anyway. */

void
ngx_http_constraint_shadow_keep(ngx_http_constraint_ctx_t *ctx,
    ngx_constraint_enforcement_t *e, ngx_uint_t needs_input)
{
    ngx_http_request_t              *r;
    ngx_http_constraint_shadow_t    *shadow;
    ngx_http_constraint_loc_conf_t  *plcf;

    r = ctx->request;
    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    e->decision.message_type = e->message_type;
    e->decision.subject = e->subject;
    e->decision.shadow = 1;
    e->decision.pending = 1;

    if (ctx->shadows == NULL) {
        ctx->shadows = ngx_array_create(r->pool, 2,
                                        sizeof(ngx_http_constraint_shadow_t));
    }

    shadow = ctx->shadows ? ngx_array_push(ctx->shadows) : NULL;

    if (shadow == NULL) {
        ngx_constraint_enforcement_detach(e);
        return;
    }

    shadow->enforcement = e;
    shadow->level = plcf->log_level;
    shadow->method = r->method;
    shadow->method_name = r->method_name;
    shadow->uri = r->uri;
    shadow->args = r->args;
    shadow->table = ctx->work->source.args;
    shadow->needs_input = needs_input;
    shadow->done = 0;

    e->ready = ngx_http_constraint_shadow_ready;
    e->data = ctx;

    /* a body that goes to a file is still there in the log phase */

    if (needs_input) {
        r->preserve_body = 1;
    }
}


/* What it waited for has come, the request is still there. */

static void
ngx_http_constraint_shadow_ready(ngx_constraint_enforcement_t *e)
{
    ngx_uint_t                     i;
    ngx_http_constraint_ctx_t     *ctx;
    ngx_http_constraint_shadow_t  *shadow;

    ctx = e->data;
    shadow = ctx->shadows->elts;

    for (i = 0; i < ctx->shadows->nelts; i++) {
        if (shadow[i].enforcement == e && !shadow[i].done) {
            ngx_http_constraint_shadow_enforce(ctx->request, &shadow[i]);
            return;
        }
    }
}


static void
ngx_http_constraint_shadow_enforce(ngx_http_request_t *r,
    ngx_http_constraint_shadow_t *shadow)
{
    ngx_int_t                      rc;
    ngx_constraint_enforcement_t  *e;

    e = shadow->enforcement;

    ngx_http_constraint_shadow_swap(r, shadow);

    rc = ngx_constraint_enforce(e);

    ngx_http_constraint_shadow_swap(r, shadow);

    if (rc == NGX_DECLINED) {
        shadow->needs_input = 1;
    }

    if (rc != NGX_OK) {
        return;
    }

    shadow->done = 1;

    if (!e->decision.pending) {
        ngx_constraint_decision_log(&e->decision, r->pool, ngx_cycle->log,
                                    shadow->level);

        if (e->decided) {
            e->decided(e);
        }
    }
}


/* It is judged of the request that it was asked about, not of a redirect's. */

static void
ngx_http_constraint_shadow_swap(ngx_http_request_t *r,
    ngx_http_constraint_shadow_t *shadow)
{
    ngx_http_constraint_ctx_t     *ctx;
    ngx_http_constraint_shadow_t   was;

    ctx = shadow->enforcement->data;
    was = *shadow;

    shadow->method = r->method;
    shadow->method_name = r->method_name;
    shadow->uri = r->uri;
    shadow->args = r->args;
    shadow->table = ctx->work->source.args;

    r->method = was.method;
    r->method_name = was.method_name;
    r->uri = was.uri;
    r->args = was.args;
    ctx->work->source.args = was.table;
}


/*
 * The log phase: by now the body has been read for the service, if it was
 * read at all, and shadow mode may look at it.
 */

ngx_int_t
ngx_http_constraint_log_handler(ngx_http_request_t *r)
{
    ngx_str_t                        body;
    ngx_uint_t                       i;
    ngx_http_constraint_ctx_t       *ctx;
    ngx_http_constraint_shadow_t    *shadow;
    ngx_http_constraint_loc_conf_t  *plcf;

    ctx = ngx_http_constraint_ctx(r);

    if (ctx == NULL || ctx->shadows == NULL) {
        return NGX_OK;
    }

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    if (ngx_http_constraint_present_body(r, plcf->body_max, &body)
        != NGX_OK)
    {
        return NGX_OK;
    }

    ngx_http_constraint_source_input(&ctx->work->source, &body);

    shadow = ctx->shadows->elts;

    for (i = 0; i < ctx->shadows->nelts; i++) {
        if (!shadow[i].done && shadow[i].needs_input) {
            ngx_http_constraint_shadow_enforce(r, &shadow[i]);
        }
    }

    return NGX_OK;
}


void
ngx_http_constraint_shadow_detach(ngx_http_constraint_ctx_t *ctx)
{
    ngx_uint_t                     i;
    ngx_http_constraint_shadow_t  *shadow;

    if (ctx->shadows == NULL) {
        return;
    }

    shadow = ctx->shadows->elts;

    for (i = 0; i < ctx->shadows->nelts; i++) {
        ngx_constraint_enforcement_detach(shadow[i].enforcement);
    }
}
