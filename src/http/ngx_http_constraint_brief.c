
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The short way at the gate: what is allowed without an enforcement being
 * made, and the decision that it was for whoever wants to see it.  Refuses
 * nothing.
 */


#include "ngx_http_constraint_request.h"


static ngx_int_t ngx_http_constraint_put_together(
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_source_t *source,
    size_t max);


/*
 * The location's only constraint: all that the decision needs is on the
 * stack, where few cache lines are written that are not written anyway.
 */

ngx_int_t
ngx_http_constraint_at_once(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_loc_conf_t *plcf)
{
    ngx_int_t                     rc;
    ngx_http_constraint_source_t  source;

    ngx_http_constraint_source_init(&source, r,
                                    ctx->client_headers
                                    ? ctx->client_headers
                                    : &r->headers_in.headers);

    source.facts.allow_duplicates = plcf->allow_duplicates;

    if (!ctx->body_read) {
        source.facts.input_near = ngx_http_constraint_body_near(r,
                                                             plcf->body_max);

    } else if (ctx->body_more.len
               && ngx_http_constraint_put_together(ctx, &source,
                                                   plcf->body_max)
                  != NGX_OK)
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_constraint_briefly(r, ctx, plcf->only, &source);

    ngx_constraint_facts_detach(&source.facts);

    return rc;
}


/* Where it is parsed, for this decision alone. */

static ngx_int_t
ngx_http_constraint_put_together(ngx_http_constraint_ctx_t *ctx,
    ngx_http_constraint_source_t *source, size_t max)
{
    u_char     *p;
    ngx_str_t   input;

    input.len = ctx->body.len + ctx->body_more.len;

    if (input.len > max) {
        return NGX_DECLINED;
    }

    input.data = ngx_constraint_input_room(input.len);

    if (input.data == NULL) {
        return NGX_DECLINED;
    }

    p = ngx_cpymem(input.data, ctx->body.data, ctx->body.len);
    ngx_memcpy(p, ctx->body_more.data, ctx->body_more.len);

    ngx_http_constraint_source_input(source, &input);

    return NGX_OK;
}


ngx_int_t
ngx_http_constraint_briefly(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_entry_t *entry,
    ngx_http_constraint_source_t *source)
{
    ngx_int_t                        rc;
    ngx_constraint_asked_t           asked;
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    if (!plcf->brief || !entry->brief
        || ngx_http_constraint_check_path(r)
        || ngx_http_constraint_check_headers(r, source->headers.list)
        || ngx_constraint_fault("gate.off_brief"))
    {
        return NGX_DECLINED;
    }

    if (ctx->body_read && ctx->body_status == 0
        && ctx->body.len <= plcf->body_max
        && !source->facts.input_ready)
    {
        ngx_http_constraint_source_input(source, &ctx->body);
    }

    asked.catalogue = entry->catalogue;
    asked.settings = &plcf->settings;
    asked.facts = &source->facts;
    asked.pool = r->pool;
    asked.message_type = &entry->name;
    asked.hash = entry->hash;

    /* until it is made there is none to tell of, for what it reads, too */

    ctx->briefly = 0;
    ctx->shown = NULL;

    rc = ngx_constraint_allow_briefly(&asked, &ctx->brief);

    ctx->briefly = rc == NGX_OK;

    return rc == NGX_AGAIN && ctx->body_read ? NGX_DECLINED : rc;
}


/* NULL: there is none to tell of.  Allocated when it was made briefly. */

ngx_constraint_enforcement_t *
ngx_http_constraint_shown(ngx_http_request_t *r)
{
    ngx_http_constraint_ctx_t     *ctx;
    ngx_constraint_enforcement_t  *e;

    ctx = ngx_http_constraint_ctx(r);

    if (ctx == NULL || !ctx->briefly) {
        return ctx ? ctx->shown : NULL;
    }

    e = ngx_pcalloc(r->pool, sizeof(ngx_constraint_enforcement_t));
    if (e == NULL) {
        return NULL;
    }

    if (ngx_constraint_brief_decision(&ctx->brief, &e->decision, r->pool)
        != NGX_OK)
    {
        return NULL;
    }

    ctx->shown = e;
    ctx->briefly = 0;

    return e;
}
