
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


ngx_int_t
ngx_http_constraint_briefly(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_entry_t *entry)
{
    ngx_int_t                        rc;
    ngx_constraint_brief_t          *brief;
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    if (entry->variable || entry->shadow || entry->catalogue == NULL
        || plcf->audit
        || ngx_http_constraint_check_path(r)
        || ngx_http_constraint_check_headers(r, ctx))
    {
        return NGX_DECLINED;
    }

    if (ctx->body_read && ctx->body_status == 0
        && ctx->body.len <= plcf->body_max
        && !ctx->source.facts.input_ready)
    {
        ngx_http_constraint_source_input(&ctx->source, &ctx->body);
    }

    brief = &ctx->brief;

    brief->catalogue = entry->catalogue;
    brief->settings = &plcf->settings;
    brief->facts = &ctx->source.facts;
    brief->pool = r->pool;
    brief->message_type = &entry->name;

    /* until it is made there is none to tell of, for what it reads, too */

    ctx->briefly = 0;
    ctx->shown = NULL;

    rc = ngx_constraint_allow_briefly(brief);

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

    ngx_constraint_brief_decision(&ctx->brief, &e->decision);

    ctx->shown = e;
    ctx->briefly = 0;

    return e;
}
