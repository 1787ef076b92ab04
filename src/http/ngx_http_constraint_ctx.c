/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What is known of one request, its memory: made, found again, given back.
 * Decides nothing.
 */


#include "ngx_http_constraint_request.h"


/* Memory of the worker that is used again: a request's pool would need a
 * block more. */

#define NGX_HTTP_CONSTRAINT_SPARE_KEEP  256

typedef struct ngx_http_constraint_spare_s  ngx_http_constraint_spare_t;

struct ngx_http_constraint_spare_s {
    ngx_http_constraint_spare_t  *next;
};

typedef struct {
    ngx_http_constraint_spare_t  *first;
    ngx_uint_t                    count;
} ngx_http_constraint_spares_t;

static ngx_http_constraint_spares_t  ngx_http_constraint_ctx_spares;
static ngx_http_constraint_spares_t  ngx_http_constraint_work_spares;


static ngx_http_constraint_ctx_t *ngx_http_constraint_ctx_find(
    ngx_http_request_t *r);
static void *ngx_http_constraint_spare_get(
    ngx_http_constraint_spares_t *spares, size_t size, ngx_log_t *log);
static void ngx_http_constraint_spare_put(
    ngx_http_constraint_spares_t *spares, void *data);
static void ngx_http_constraint_spares_free(
    ngx_http_constraint_spares_t *spares);
static void ngx_http_constraint_cleanup(void *data) __attribute__((hot));


/* NULL when the request has met no constraint yet. */

ngx_http_constraint_ctx_t *
ngx_http_constraint_ctx(ngx_http_request_t *r)
{
    ngx_http_constraint_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_constraint_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {
        ctx = ngx_http_constraint_ctx_find(r);

        if (ctx) {
            ngx_http_set_ctx(r, ctx, ngx_http_constraint_module);

            if (ctx->reading || ctx->pending) {
                ngx_http_constraint_broke_off(ctx);
            }
        }
    }

    return ctx;
}


/*
 * While the body was read or a decision was waited for the request went
 * elsewhere: nginx's HTTP/2 answers itself when a body that has ended is
 * shorter than announced, and a post_action follows when the client has gone.
 * All is judged anew, without a body that was not read.
 */

void
ngx_http_constraint_broke_off(ngx_http_constraint_ctx_t *ctx)
{
    if (ctx->reading) {
        ctx->reading = 0;
        ctx->body_read = 1;
        ctx->body_status = NGX_HTTP_BAD_REQUEST;
    }

    ctx->pending = 0;
    ctx->method = 0;

    if (ctx->current) {
        ngx_constraint_enforcement_detach(ctx->current);
        ctx->current = NULL;
    }
}


/* Internal redirects zero r->ctx; a subrequest has its main one's pool. */

static ngx_http_constraint_ctx_t *
ngx_http_constraint_ctx_find(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_constraint_ctx_t  *ctx;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_constraint_cleanup) {
            continue;
        }

        ctx = cln->data;

        if (ctx->request == r) {
            return ctx;
        }
    }

    return NULL;
}


ngx_http_constraint_ctx_t *
ngx_http_constraint_ctx_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_constraint_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    ctx = ngx_http_constraint_spare_get(&ngx_http_constraint_ctx_spares,
                                        sizeof(ngx_http_constraint_ctx_t),
                                        r->connection->log);
    if (ctx == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_constraint_cleanup;
    cln->data = ctx;

    /* one by one: the compiler would take a string instruction, which is
     * slow to start, to zero so little */

    ctx->request = r;
    ctx->loc_conf = NULL;
    ctx->method = 0;
    ngx_str_null(&ctx->uri);
    ngx_str_null(&ctx->args);
    ctx->judged = 0;
    ctx->pending = 0;
    ctx->reading = 0;
    ctx->asked = 0;
    ctx->body_read = 0;
    ctx->body_lost = 0;
    ctx->own_used = 0;
    ctx->detachable = 0;
    ctx->briefly = 0;
    ctx->work = NULL;
    ctx->index = 0;
    ctx->current = NULL;
    ctx->replace = NULL;
    ctx->given = NULL;
    ctx->shadows = NULL;
    ctx->shown = NULL;
    ctx->client_headers = NULL;
    ctx->body_status = 0;
    ngx_str_null(&ctx->body);
    ngx_str_null(&ctx->body_more);

    ngx_http_set_ctx(r, ctx, ngx_http_constraint_module);

#if (NGX_CONSTRAINT_FAULTS)
    ngx_http_constraint_mark_worker(r);
#endif

    return ctx;
}


/* Zeroed but for what is not. */

ngx_int_t
ngx_http_constraint_work_get(ngx_http_constraint_ctx_t *ctx)
{
    if (ctx->work) {
        return NGX_OK;
    }

    ctx->work = ngx_http_constraint_spare_get(
                                         &ngx_http_constraint_work_spares,
                                         sizeof(ngx_http_constraint_work_t),
                                         ctx->request->connection->log);
    if (ctx->work == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(ctx->work, offsetof(ngx_http_constraint_work_t, enforcement));

    return NGX_OK;
}


static void *
ngx_http_constraint_spare_get(ngx_http_constraint_spares_t *spares,
    size_t size, ngx_log_t *log)
{
    ngx_http_constraint_spare_t  *spare;

    spare = spares->first;

    if (spare == NULL) {
        return ngx_memalign(ngx_cacheline_size, size, log);
    }

    spares->first = spare->next;
    spares->count--;

    return spare;
}


/* A sanitizer is to see the end of each: none is used again there. */

static void
ngx_http_constraint_spare_put(ngx_http_constraint_spares_t *spares,
    void *data)
{
#if !(NGX_DEBUG_PALLOC)

    ngx_http_constraint_spare_t  *spare = data;

    if (spares->count < NGX_HTTP_CONSTRAINT_SPARE_KEEP) {
        spare->next = spares->first;
        spares->first = spare;
        spares->count++;
        return;
    }

#endif

    ngx_free(data);
}


static void
ngx_http_constraint_spares_free(ngx_http_constraint_spares_t *spares)
{
    ngx_http_constraint_spare_t  *spare;

    while (spares->first) {
        spare = spares->first;
        spares->first = spare->next;
        ngx_free(spare);
    }

    spares->count = 0;
}


/* The worker ends. */

void
ngx_http_constraint_ctx_exit(void)
{
    ngx_http_constraint_spares_free(&ngx_http_constraint_ctx_spares);
    ngx_http_constraint_spares_free(&ngx_http_constraint_work_spares);
}


/* The request ends: the log phase, where shadows are judged, is to come. */

void
ngx_http_constraint_detach(void *data)
{
    ngx_http_constraint_ctx_t  *ctx = data;

    if (ctx->current) {
        ngx_constraint_enforcement_detach(ctx->current);
    }

    ctx->pending = 0;
}


static void
ngx_http_constraint_cleanup(void *data)
{
    ngx_http_constraint_ctx_t  *ctx = data;

    ngx_http_constraint_detach(ctx);
    ngx_http_constraint_shadow_detach(ctx);

    if (ctx->work) {
        ngx_constraint_facts_detach(&ctx->work->source.facts);
        ngx_http_constraint_spare_put(&ngx_http_constraint_work_spares,
                                      ctx->work);
    }

    ngx_http_constraint_spare_put(&ngx_http_constraint_ctx_spares, ctx);
}
