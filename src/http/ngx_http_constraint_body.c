/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Reading a request body into one piece of memory, bounded while it comes,
 * and giving it back to nginx for whoever handles the request.  Parses
 * nothing.
 *
 * nginx's unbuffered reading is used because it hands every error to us: a
 * body that is too large or broken gets our answer and no error_page.
 */


#include "ngx_http_constraint_request.h"


typedef struct {
    ngx_http_constraint_body_pt    done;
    void                          *data;
    size_t                         max;
    u_char                        *start;
    size_t                         len;
    size_t                         size;        /* allocated */
    ngx_str_t                      more;        /* the second piece */
    unsigned                       apart:1;     /* it may be in two */
    unsigned                       whole:1;     /* left where it is */
    unsigned                       finished:1;
} ngx_http_constraint_body_t;


static ngx_int_t ngx_http_constraint_body_refuse(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body, ngx_int_t status);
static void ngx_http_constraint_body_init(ngx_http_request_t *r)
    __attribute__((hot));
static void ngx_http_constraint_body_read(ngx_http_request_t *r)
    __attribute__((hot));
static ngx_uint_t ngx_http_constraint_body_whole(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body);
static ngx_int_t ngx_http_constraint_body_collect(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body);
static ngx_int_t ngx_http_constraint_body_grow(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body, size_t need);
static void ngx_http_constraint_body_finish(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body, ngx_int_t rc) __attribute__((hot));
static ngx_int_t ngx_http_constraint_body_return(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body);
static ngx_int_t ngx_http_constraint_body_copy(ngx_http_request_t *r,
    ngx_chain_t *in, size_t max, ngx_str_t *text);
static ngx_int_t ngx_http_constraint_body_append(ngx_http_request_t *r,
    ngx_buf_t *b, u_char *p, size_t size);
static ngx_http_constraint_body_t *ngx_http_constraint_body_get(
    ngx_http_request_t *r);
static void ngx_http_constraint_body_forget(void *data) __attribute__((hot));


ngx_int_t
ngx_http_constraint_read_body(ngx_http_request_t *r, size_t max,
    ngx_uint_t apart, ngx_http_constraint_body_pt done, void *data)
{
    ngx_int_t                    rc;
    ngx_str_t                    text[2];
    ngx_pool_cleanup_t          *cln;
    ngx_http_constraint_body_t  *body;

    /* found again by its handler, as nginx's callback takes no data */

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_constraint_body_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body = cln->data;
    ngx_memzero(body, sizeof(ngx_http_constraint_body_t));

    body->done = done;
    body->data = data;
    body->max = max;
    body->apart = apart;

    cln->handler = ngx_http_constraint_body_forget;

    rc = ngx_http_constraint_present_body(r, max, text);

    if (rc == NGX_OK) {
        ngx_str_null(&text[1]);

        r->main->count++;
        body->finished = 1;
        done(r, data, NGX_OK, text);
        return NGX_DONE;
    }

    if (rc != NGX_DECLINED) {
        return ngx_http_constraint_body_refuse(r, body, rc);
    }

    if (r->headers_in.content_length_n > (off_t) max) {

        /* before 100-continue, and the body is not waited for */

        r->expect_tested = 1;
        return ngx_http_constraint_body_refuse(r, body,
                                          NGX_HTTP_REQUEST_ENTITY_TOO_LARGE);
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_constraint_body_init);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {

        /* the count was given back, the rest of the body is not wanted */

        r->keepalive = 0;
        r->lingering_close = 1;

        return ngx_http_constraint_body_refuse(r, body, rc);
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_constraint_body_refuse(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body, ngx_int_t status)
{
    r->main->count++;

    body->finished = 1;
    body->done(r, body->data, status, NULL);

    return NGX_DONE;
}


/* In nginx's hands already, or none at all. */

ngx_int_t
ngx_http_constraint_present_body(ngx_http_request_t *r, size_t max,
    ngx_str_t *text)
{
    ngx_uint_t  expected;

    ngx_str_null(text);

    expected = r->headers_in.content_length_n > 0 || r->headers_in.chunked;

    if (r->request_body) {

        if (r->reading_body || r->request_body_no_buffering) {
            return NGX_HTTP_BAD_REQUEST;
        }

        return ngx_http_constraint_body_copy(r, r->request_body->bufs, max,
                                             text);
    }

    if (r != r->main) {

        /* a subrequest without one of its own sends none */

        return NGX_OK;
    }

    if (!expected) {
        return NGX_OK;
    }

    if (r->discard_body) {
        return NGX_HTTP_BAD_REQUEST;
    }

#if (NGX_HTTP_V2)

    if (r->stream && r->stream->skip_data) {
        return NGX_HTTP_BAD_REQUEST;
    }

#endif

    return NGX_DECLINED;
}


ngx_uint_t
ngx_http_constraint_body_near(ngx_http_request_t *r, size_t max)
{
    off_t  len;

    len = r->headers_in.content_length_n;

    if (len <= 0 || len > (off_t) max || r->headers_in.chunked) {
        return 0;
    }

    return r == r->main && r->request_body == NULL && !r->discard_body
           && r->http_version <= NGX_HTTP_VERSION_11
           && r->header_in->last - r->header_in->pos >= len;
}


static ngx_http_constraint_body_t *
ngx_http_constraint_body_get(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_constraint_body_t  *body;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_constraint_body_forget) {
            body = cln->data;

            if (!body->finished) {
                return body;
            }
        }
    }

    return NULL;
}


static void
ngx_http_constraint_body_forget(void *data)
{
    ngx_http_constraint_body_t  *body = data;

    body->finished = 1;
}


static void
ngx_http_constraint_body_init(ngx_http_request_t *r)
{
    r->read_event_handler = ngx_http_constraint_body_read;

    ngx_http_constraint_body_read(r);
}


static void
ngx_http_constraint_body_read(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_constraint_body_t  *body;

    body = ngx_http_constraint_body_get(r);

    if (body == NULL) {
        return;
    }

    if (body->start == NULL && ngx_http_constraint_body_whole(r, body)) {
        ngx_http_constraint_body_finish(r, body, NGX_OK);
        return;
    }

    for ( ;; ) {
        rc = ngx_http_constraint_body_collect(r, body);

        if (rc != NGX_OK) {
            break;
        }

        if (!r->reading_body) {
            break;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            break;
        }

        if (rc == NGX_ERROR) {
            rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
            break;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return;
        }
    }

    ngx_http_constraint_body_finish(r, body, rc);
}


/*
 * All of it is here, what came together with the headers and perhaps a second
 * piece that nginx has read into a buffer made for it.  That is memory which
 * is nobody else's until the request ends: nothing is copied.
 */

static ngx_uint_t
ngx_http_constraint_body_whole(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body)
{
    off_t         size;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = r->request_body->bufs;

    if (cl == NULL || r->reading_body || r->headers_in.chunked
        || r->http_version > NGX_HTTP_VERSION_11)
    {
        return 0;
    }

    b = cl->buf;

    if (b->start < r->header_in->start || b->last > r->header_in->end) {
        return 0;
    }

    size = b->last - b->pos;
    cl = cl->next;

    if (cl) {

        if (!body->apart || cl->next || !ngx_buf_in_memory(cl->buf)) {
            return 0;
        }

        body->more.data = cl->buf->pos;
        body->more.len = cl->buf->last - cl->buf->pos;

        size += body->more.len;
    }

    if (size != r->headers_in.content_length_n || size > (off_t) body->max) {
        ngx_str_null(&body->more);
        return 0;
    }

    body->start = b->pos;
    body->len = b->last - b->pos;
    body->whole = 1;

    return 1;
}


/* Moves what has come to our memory, so that nginx's buffer is free again. */

static ngx_int_t
ngx_http_constraint_body_collect(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body)
{
    size_t        n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *next;

    for (cl = r->request_body->bufs; cl; cl = next) {
        next = cl->next;
        b = cl->buf;
        n = b->last - b->pos;

        if (n == 0) {
            r->request_body->bufs = next;
            continue;
        }

        if (n > body->max - body->len) {
            return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }

        if (ngx_http_constraint_body_grow(r, body, n) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(body->start + body->len, b->pos, n);
        body->len += n;
        b->pos = b->last;

        /* the link is anybody's now, whatever becomes of the others */

        r->request_body->bufs = next;
        ngx_free_chain(r->pool, cl);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_body_grow(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body, size_t need)
{
    size_t   size;
    u_char  *p;

    need += body->len;

    if (need <= body->size && body->start) {
        return NGX_OK;
    }

    if (r->headers_in.content_length_n > 0 && !r->headers_in.chunked) {
        size = r->headers_in.content_length_n;

    } else {
        size = ngx_min(ngx_max(body->size * 2, 4096), body->max);
    }

    size = ngx_max(size, need);

    p = ngx_pnalloc(r->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (body->len) {
        ngx_memcpy(p, body->start, body->len);
    }

    if (body->start) {
        (void) ngx_pfree(r->pool, body->start);
    }

    body->start = p;
    body->size = size;

    return NGX_OK;
}


static void
ngx_http_constraint_body_finish(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body, ngx_int_t rc)
{
    ngx_str_t  text[2];

    body->finished = 1;

    r->read_event_handler = ngx_http_block_reading;

    if (r->connection->error) {

        /* the client has gone */

        ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
        return;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_constraint_body_return(r, body);
    }

    if (rc != NGX_OK) {

        /* what is left on the connection is not a request */

        r->keepalive = 0;

        if (!r->reading_body) {
            r->lingering_close = 1;
        }

        if (r->connection->read->timer_set) {
            ngx_del_timer(r->connection->read);
        }

#if (NGX_HTTP_V2)

        if (r->stream) {
            r->stream->skip_data = 1;
        }

#endif

        body->done(r, body->data, rc, NULL);
        return;
    }

    text[0].data = body->len ? body->start : NULL;
    text[0].len = body->len;
    text[1] = body->more;

    body->done(r, body->data, NGX_OK, text);
}


/* As if nginx had buffered it itself. */

static ngx_int_t
ngx_http_constraint_body_return(ngx_http_request_t *r,
    ngx_http_constraint_body_t *body)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = r->request_body;

    r->request_body_no_buffering = 0;

    if (r->headers_in.chunked) {
        r->headers_in.content_length_n = body->len;
    }

    if (body->whole) {
        return NGX_OK;
    }

    if (body->len == 0) {
        rb->bufs = NULL;
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->start = body->start;
    b->pos = body->start;
    b->last = body->start + body->len;
    b->end = b->last;
    b->temporary = 1;

    cl->buf = b;
    cl->next = NULL;

    rb->bufs = cl;

    return NGX_OK;
}


/* A body that someone has read before us, perhaps into a file. */

static ngx_int_t
ngx_http_constraint_body_copy(ngx_http_request_t *r, ngx_chain_t *in,
    size_t max, ngx_str_t *text)
{
    off_t         size;
    u_char       *p;
    ngx_chain_t  *cl;

    size = 0;

    for (cl = in; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > (off_t) max) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    if (size == 0) {
        return NGX_OK;
    }

    if (in->next == NULL && ngx_buf_in_memory(in->buf)) {
        text->data = in->buf->pos;
        text->len = size;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text->data = p;
    text->len = size;

    for (cl = in; cl; cl = cl->next) {

        /* the last one of a body in chunks, in neither memory nor file */

        if (ngx_buf_size(cl->buf) == 0) {
            continue;
        }

        if (ngx_http_constraint_body_append(r, cl->buf, p,
                                            ngx_buf_size(cl->buf))
            != NGX_OK)
        {
            ngx_str_null(text);
            return NGX_HTTP_BAD_REQUEST;
        }

        p += ngx_buf_size(cl->buf);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_body_append(ngx_http_request_t *r, ngx_buf_t *b,
    u_char *p, size_t size)
{
    ssize_t  n;

    if (ngx_buf_in_memory(b)) {
        ngx_memcpy(p, b->pos, size);
        return NGX_OK;
    }

    n = ngx_read_file(b->file, p, size, b->file_pos);

    if (n != (ssize_t) size) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "constraint: the request body's file gave %z of %uz "
                      "bytes", n, size);
        return NGX_ERROR;
    }

    return NGX_OK;
}
