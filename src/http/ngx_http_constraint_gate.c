/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The gate: nginx's PRECONTENT handler.  Asks the constraints of a location
 * in their order, waits for what they wait for, and lets the request on or
 * has it refused.  How a constraint is decided is the enforcer's.
 *
 *   not asked     r->ctx is made, its cleanup attached; most requests are
 *                 allowed briefly then, and never have work
 *   reading       NGX_DONE until the body is there, or why it is not
 *   pending       NGX_AGAIN until the enforcer says ready
 *   judged        NGX_DECLINED as long as location, method, URI and
 *                 arguments are those that were judged
 */


#include "ngx_http_constraint_request.h"


static __attribute__((noinline, hot)) ngx_int_t ngx_http_constraint_judge(
    ngx_http_request_t *r, ngx_http_constraint_loc_conf_t *plcf);
static ngx_uint_t ngx_http_constraint_unchanged(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx);
static ngx_uint_t ngx_http_constraint_same(const ngx_str_t *a,
    const ngx_str_t *b);
static void ngx_http_constraint_remember(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx);
static void ngx_http_constraint_begin(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx);
static ngx_int_t ngx_http_constraint_pass(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_int_t briefly);
static ngx_int_t ngx_http_constraint_give_headers(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx);
static ngx_int_t ngx_http_constraint_read(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_uint_t apart);
static void ngx_http_constraint_join_body(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx);
static ngx_int_t ngx_http_constraint_ask(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_entry_t *entry);
static ngx_constraint_enforcement_t *ngx_http_constraint_prepare(
    ngx_http_request_t *r, ngx_http_constraint_ctx_t *ctx,
    ngx_http_constraint_entry_t *entry);
static ngx_int_t ngx_http_constraint_decided(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_constraint_enforcement_t *e);
static ngx_int_t ngx_http_constraint_keep_headers(
    ngx_http_constraint_ctx_t *ctx, ngx_array_t *headers);
static ngx_int_t ngx_http_constraint_append_headers(ngx_array_t *to,
    const ngx_array_t *from);
static ngx_int_t ngx_http_constraint_input(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_constraint_enforcement_t *e);
static void ngx_http_constraint_input_refuse(ngx_constraint_enforcement_t *e,
    ngx_int_t status, size_t max);
static void ngx_http_constraint_body_done(ngx_http_request_t *r, void *data,
    ngx_int_t rc, const ngx_str_t *body) __attribute__((hot));
static void ngx_http_constraint_body_lost(ngx_http_constraint_ctx_t *ctx);
static ngx_int_t ngx_http_constraint_suspend(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx);
static void ngx_http_constraint_ready(ngx_constraint_enforcement_t *e);


/* nginx asks before and after each other handler of the phase. */

ngx_int_t
ngx_http_constraint_gate(ngx_http_request_t *r)
{
    ngx_http_constraint_ctx_t       *ctx;
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    if (plcf->entries == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_constraint_module);

    if (ctx && ctx->judged && ctx->loc_conf == r->loc_conf
        && ctx->method == r->method
        && ctx->uri.data == r->uri.data && ctx->uri.len == r->uri.len
        && ctx->args.data == r->args.data && ctx->args.len == r->args.len)
    {
        return NGX_DECLINED;
    }

    return ngx_http_constraint_judge(r, plcf);
}


static ngx_int_t
ngx_http_constraint_judge(ngx_http_request_t *r,
    ngx_http_constraint_loc_conf_t *plcf)
{
    ngx_int_t                   rc;
    ngx_http_constraint_ctx_t  *ctx;

    if (r != r->main
        && (!plcf->subrequests
            || ngx_constraint_fault("gate.off_subrequests")))
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_constraint_ctx(r);

    if (ctx == NULL) {
        ctx = ngx_http_constraint_ctx_create(r);

        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ctx->pending) {
        return NGX_AGAIN;
    }

    if (ctx->reading) {
        return NGX_DONE;
    }

    if (ngx_http_constraint_unchanged(r, ctx)) {

        if (ctx->judged) {
            return NGX_DECLINED;
        }

        return ngx_http_constraint_pass(r, ctx, NGX_OK);
    }

    ctx->judged = 0;
    ctx->loc_conf = NULL;

    rc = NGX_OK;

    if (plcf->only && ctx->work == NULL && !ctx->body_lost) {
        rc = ngx_http_constraint_at_once(r, ctx, plcf);

        if (rc == NGX_OK) {
            ngx_http_constraint_remember(r, ctx);
            ctx->judged = 1;

            return NGX_DECLINED;
        }
    }

    if (rc == NGX_AGAIN) {
        return ngx_http_constraint_read(r, ctx, 1);
    }

    if (ngx_http_constraint_work_get(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_constraint_begin(r, ctx);

    return ngx_http_constraint_pass(r, ctx, rc);
}


static ngx_uint_t
ngx_http_constraint_unchanged(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx)
{
    if (ctx->loc_conf && ngx_constraint_fault("gate.off_rejudge")) {
        return 1;
    }

    return ctx->loc_conf == r->loc_conf
           && ctx->method == r->method
           && ngx_http_constraint_same(&ctx->uri, &r->uri)
           && ngx_http_constraint_same(&ctx->args, &r->args);
}


static ngx_uint_t
ngx_http_constraint_same(const ngx_str_t *a, const ngx_str_t *b)
{
    if (a->len != b->len) {
        return 0;
    }

    return a->data == b->data || ngx_memcmp(a->data, b->data, a->len) == 0;
}


/* As what the request is judged now. */

static void
ngx_http_constraint_remember(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx)
{
    ctx->loc_conf = r->loc_conf;
    ctx->method = r->method;
    ctx->uri = r->uri;
    ctx->args = r->args;
}


/* The request is judged from the first constraint on. */

static void
ngx_http_constraint_begin(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx)
{
    ngx_constraint_document_t       *document;
    ngx_http_constraint_source_t    *source;
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    ngx_http_constraint_join_body(r, ctx);

    source = &ctx->work->source;

    /* the body is what it was; all else is read again */

    if (source->facts.allow_duplicates != plcf->allow_duplicates) {
        ngx_constraint_facts_detach(&source->facts);
    }

    document = source->facts.document;

    ngx_http_constraint_remember(r, ctx);

    ctx->judged = 0;
    ctx->index = 0;
    ctx->asked = 0;
    ctx->current = NULL;
    ctx->replace = NULL;

    ngx_http_constraint_source_init(source, r,
                                    ctx->client_headers
                                    ? ctx->client_headers
                                    : &r->headers_in.headers);

    source->facts.document = document;
    source->facts.allow_duplicates = plcf->allow_duplicates;

    if (!ctx->body_read) {
        source->facts.input_near = ngx_http_constraint_body_near(r,
                                                             plcf->body_max);

    } else if (ctx->body_status == 0 && ctx->body.len <= plcf->body_max) {

        /* one too large for this location is refused when it is asked for */

        ngx_http_constraint_source_input(source, &ctx->body);

    } else if (ctx->body_lost) {
        ngx_http_constraint_body_lost(ctx);
    }
}


/* Whoever takes longer wants it in one piece. */

static void
ngx_http_constraint_join_body(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx)
{
    u_char  *p;
    size_t   len;

    if (ctx->body_more.len == 0) {
        return;
    }

    len = ctx->body.len + ctx->body_more.len;

    p = ngx_pnalloc(r->pool, len);

    if (p == NULL) {
        ctx->body_status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        ctx->body_lost = 1;

    } else {
        ngx_memcpy(ngx_cpymem(p, ctx->body.data, ctx->body.len),
                   ctx->body_more.data, ctx->body_more.len);

        ctx->body.data = p;
        ctx->body.len = len;
    }

    ngx_str_null(&ctx->body_more);
}


/* briefly: what that said of the first one, NGX_OK: it was not asked */

static ngx_int_t
ngx_http_constraint_pass(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_int_t briefly)
{
    ngx_int_t                         rc;
    ngx_http_constraint_entry_t     **entries;
    ngx_http_constraint_loc_conf_t   *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    entries = plcf->entries->elts;

    for ( /* void */ ; ctx->index < plcf->entries->nelts; ctx->index++) {

        if (ctx->current == NULL) {
            rc = briefly;
            briefly = NGX_OK;

            if (rc == NGX_OK) {
                rc = ngx_http_constraint_briefly(r, ctx, entries[ctx->index],
                                                 &ctx->work->source);
            }

            if (rc == NGX_OK) {
                continue;
            }

            if (rc == NGX_AGAIN) {
                return ngx_http_constraint_read(r, ctx, 0);
            }

            if (ngx_constraint_fault("gate.only_brief")) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }
        }

        rc = ngx_http_constraint_ask(r, ctx, entries[ctx->index]);

        if (rc != NGX_OK) {
            return rc;
        }

        ctx->current = NULL;
    }

    ctx->judged = 1;

    /* whoever wants it again parses it again: hardly anyone does */

    if (ctx->shadows == NULL) {
        ngx_constraint_facts_detach(&ctx->work->source.facts);
    }

    if (ctx->replace && !ngx_constraint_fault("gate.off_replace")) {

        if (ngx_http_constraint_give_headers(r, ctx) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return NGX_DECLINED;
}


/*
 * Also those that were given before an internal redirect: the client's own
 * of these names do not come back.
 */

static ngx_int_t
ngx_http_constraint_give_headers(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx)
{
    if (ctx->client_headers == NULL) {
        ctx->client_headers = ngx_palloc(r->pool, sizeof(ngx_list_t));
        if (ctx->client_headers == NULL) {
            return NGX_ERROR;
        }

        *ctx->client_headers = r->headers_in.headers;

        /* a shadow may read them later */

        ctx->work->source.headers.list = ctx->client_headers;
    }

    if (ctx->given == NULL) {
        ctx->given = ctx->replace;

    } else if (ngx_http_constraint_append_headers(ctx->given, ctx->replace)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_constraint_replace_headers(r, ctx->client_headers,
                                               ctx->given);
}


static ngx_int_t
ngx_http_constraint_read(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_uint_t apart)
{
    ngx_int_t                        rc;
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    ctx->reading = 1;

    rc = ngx_http_constraint_read_body(r, plcf->body_max, apart,
                                       ngx_http_constraint_body_done, ctx);

    if (rc == NGX_DONE) {
        ngx_http_finalize_request(r, NGX_DONE);

    } else {
        ctx->reading = 0;
    }

    return rc;
}


/* NGX_OK: the next one; otherwise what the phase handler returns. */

static ngx_int_t
ngx_http_constraint_ask(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_entry_t *entry)
{
    ngx_int_t                      rc;
    ngx_constraint_enforcement_t  *e;

    e = ctx->current;

    if (e == NULL) {
        e = ngx_http_constraint_prepare(r, ctx, entry);

        if (e == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        /*
         * A rule that is as it was asks for the body and refuses, which is
         * counted with it.  Another one, or none, might let on what is left.
         */

        if (ctx->work->source.facts.input_lost && !e->shadow
            && !ngx_constraint_is_brief(e->catalogue, &e->message_type))
        {
            rc = ngx_http_constraint_input(r, ctx, e);

            if (rc != NGX_OK) {
                return rc;
            }
        }

    } else if (ctx->asked) {

        /* for the input, which is here or is not to be had */

        ctx->asked = 0;

        rc = ngx_http_constraint_input(r, ctx, e);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    for ( ;; ) {
        rc = ngx_constraint_enforce(e);

        if (rc == NGX_OK) {
            return ngx_http_constraint_decided(r, ctx, e);
        }

        if (e->shadow) {
            ngx_http_constraint_shadow_keep(ctx, e, rc == NGX_DECLINED);
            return NGX_OK;
        }

        if (rc == NGX_AGAIN) {
            return ngx_http_constraint_suspend(r, ctx);
        }

        /* rc == NGX_DECLINED */

        rc = ngx_http_constraint_input(r, ctx, e);

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static ngx_constraint_enforcement_t *
ngx_http_constraint_prepare(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_entry_t *entry)
{
    ngx_constraint_enforcement_t  *e;

    if (!ctx->own_used) {
        e = &ctx->work->enforcement;
        ngx_memzero(e, sizeof(ngx_constraint_enforcement_t));
        e->room = ctx->work->room;
        ctx->own_used = 1;

    } else {
        e = ngx_pcalloc(r->pool, sizeof(ngx_constraint_enforcement_t));
        if (e == NULL) {
            return NULL;
        }
    }

    ngx_http_constraint_enforcement_init(r, e, &ctx->work->source);

    e->catalogue = entry->catalogue;
    e->ready = ngx_http_constraint_ready;
    e->data = ctx;
    e->shadow = entry->shadow;

    if (entry->variable) {
        e->from_request = 1;

        if (ngx_http_complex_value(r, entry->variable, &e->message_type)
            != NGX_OK)
        {
            return NULL;
        }

    } else {
        e->message_type = entry->name;
    }

    if (entry->subject
        && ngx_http_complex_value(r, entry->subject, &e->subject) != NGX_OK)
    {
        return NULL;
    }

    ctx->current = e;
    ctx->shown = e;
    ctx->briefly = 0;

    ngx_http_constraint_check(r, ctx, e);

    return e;
}


static ngx_int_t
ngx_http_constraint_decided(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_constraint_enforcement_t *e)
{
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    if (e->decision.effect != NGX_CONSTRAINT_ALLOW || e->decision.error) {
        ngx_constraint_decision_log(&e->decision, r->pool,
                                    r->connection->log, plcf->log_level);
    }

    if (e->decided && !e->decision.pending) {
        e->decided(e);
    }

    if (e->shadow) {
        return NGX_OK;
    }

    if (e->decision.effect != NGX_CONSTRAINT_ALLOW) {
        return ngx_http_constraint_deny(r, e);
    }

    if (e->decision.headers) {
        return ngx_http_constraint_keep_headers(ctx, e->decision.headers);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_keep_headers(ngx_http_constraint_ctx_t *ctx,
    ngx_array_t *headers)
{
    if (ctx->replace == NULL) {
        ctx->replace = headers;
        return NGX_OK;
    }

    return ngx_http_constraint_append_headers(ctx->replace, headers) == NGX_OK
           ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_constraint_append_headers(ngx_array_t *to, const ngx_array_t *from)
{
    ngx_table_elt_t  *h;

    h = ngx_array_push_n(to, from->nelts);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(h, from->elts, from->nelts * sizeof(ngx_table_elt_t));

    return NGX_OK;
}


/* NGX_OK: ask again; NGX_DONE: the body is being read. */

static ngx_int_t
ngx_http_constraint_input(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_constraint_enforcement_t *e)
{
    ngx_int_t                        rc;
    ngx_str_t                        body;
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    if (!ctx->body_read) {
        rc = ngx_http_constraint_present_body(r, plcf->body_max, &body);

        if (rc == NGX_DECLINED) {
            ctx->asked = 1;
            return ngx_http_constraint_read(r, ctx, 0);
        }

        ctx->body_read = 1;
        ctx->body_status = rc == NGX_OK ? 0 : rc;
        ctx->body = body;
    }

    if (ctx->body_status == 0 && ctx->body.len > plcf->body_max) {
        ngx_http_constraint_input_refuse(e, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                         plcf->body_max);
        return NGX_OK;
    }

    if (ctx->body_status) {
        ctx->work->source.facts.input_lost = 0;
        ngx_http_constraint_input_refuse(e, ctx->body_status, plcf->body_max);
        return NGX_OK;
    }

    ngx_http_constraint_source_input(&ctx->work->source, &ctx->body);

    return NGX_OK;
}


static void
ngx_http_constraint_input_refuse(ngx_constraint_enforcement_t *e,
    ngx_int_t status, size_t max)
{
    u_char     text[128];
    ngx_str_t  message;

    message.data = text;

    switch (status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        message.len = ngx_sprintf(text, "the body is larger than %uz bytes",
                                  max) - text;
        ngx_constraint_refuse(e, NGX_CONSTRAINT_E_BODY_TOO_LARGE, &message);
        return;

    case NGX_HTTP_INTERNAL_SERVER_ERROR:

        /* half of it may be gone: this is no request to let on */

        ngx_str_set(&message, "the body cannot be kept");
        break;

    case NGX_HTTP_REQUEST_TIME_OUT:
        ngx_str_set(&message, "the body did not come in time");
        break;

    default:
        ngx_str_set(&message, "the body cannot be read");
        break;
    }

    ngx_constraint_refuse(e, NGX_CONSTRAINT_E_BODY_UNREADABLE, &message);
}


static void
ngx_http_constraint_body_done(ngx_http_request_t *r, void *data,
    ngx_int_t rc, const ngx_str_t *body)
{
    ngx_http_constraint_ctx_t  *ctx = data;

    ctx->reading = 0;
    ctx->body_read = 1;

    if (rc == NGX_OK) {
        ctx->body = body[0];
        ctx->body_more = body[1];

        if (ctx->work) {
            ngx_http_constraint_join_body(r, ctx);

            if (ctx->body_lost) {
                ngx_http_constraint_body_lost(ctx);
            }
        }

    } else {
        ctx->body_status = rc;
        ngx_http_constraint_body_lost(ctx);
    }

    r->preserve_body = 1;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


/*
 * It was needed: that is not asked again, of a rule that has changed as little
 * as of what it reads, for half of it may be gone.
 */

static void
ngx_http_constraint_body_lost(ngx_http_constraint_ctx_t *ctx)
{
    if (ctx->work == NULL) {
        ctx->body_lost = 1;
        return;
    }

    ctx->body_lost = 0;
    ctx->work->source.facts.input_near = 1;
    ctx->work->source.facts.input_lost = 1;
}


static ngx_int_t
ngx_http_constraint_suspend(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx)
{
    ngx_event_t         *rev;
    ngx_http_cleanup_t  *cln;

    /* runs when the request is terminated, which may be before its end */

    if (!ctx->detachable) {
        cln = ngx_http_cleanup_add(r, 0);
        if (cln == NULL) {
            ngx_constraint_enforcement_detach(ctx->current);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        cln->handler = ngx_http_constraint_detach;
        cln->data = ctx;

        ctx->detachable = 1;
    }

    ctx->pending = 1;

    /* a post_action is done whether the client is there or not */

    if (r == r->main && !r->post_action) {
        rev = r->connection->read;

        r->read_event_handler = ngx_http_test_reading;

        if (rev->ready) {
            ngx_post_event(rev, &ngx_posted_events);

        } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            ctx->pending = 0;
            ngx_constraint_enforcement_detach(ctx->current);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return NGX_AGAIN;
}


/* From a timer, a job's completion or a waiter: r may be gone afterwards. */

static void
ngx_http_constraint_ready(ngx_constraint_enforcement_t *e)
{
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_constraint_ctx_t  *ctx;

    ctx = e->data;
    r = ctx->request;
    c = r->connection;

    if (ngx_http_get_module_ctx(r, ngx_http_constraint_module) != ctx) {

        /* its post_action is running, where nobody asks a constraint */

        ngx_http_constraint_broke_off(ctx);
        return;
    }

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "constraint: ready, effect %ui", e->decision.effect);

    ctx->pending = 0;

    if (r == r->main) {
        r->read_event_handler = ngx_http_block_reading;
    }

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}
