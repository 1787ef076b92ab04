/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Answers of ours: whole JSON texts, sent directly, and the refusal of a
 * decision.  Decides nothing.
 */


#include "ngx_http_constraint_request.h"


static void ngx_http_constraint_set_status(ngx_http_request_t *r,
    ngx_uint_t status);
static void ngx_http_constraint_discard(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_constraint_add_headers(ngx_http_request_t *r,
    const ngx_array_t *headers);
static ngx_int_t ngx_http_constraint_add_header(ngx_http_request_t *r,
    const ngx_table_elt_t *header);
static ngx_int_t ngx_http_constraint_send_text(ngx_http_request_t *r,
    const ngx_str_t *body);
static ngx_int_t ngx_http_constraint_deny_subrequest(ngx_http_request_t *r,
    ngx_uint_t status);
static ngx_int_t ngx_http_constraint_deny_text(ngx_http_request_t *r,
    ngx_constraint_decision_t *d, ngx_str_t *text);
static ngx_str_t ngx_http_constraint_deny_message(
    const ngx_constraint_decision_t *d, ngx_uint_t full);


/* What the phase handler returns: the request is answered, or is to be. */

ngx_int_t
ngx_http_constraint_deny(ngx_http_request_t *r,
    ngx_constraint_enforcement_t *e)
{
    ngx_int_t                        rc;
    ngx_str_t                        text;
    ngx_uint_t                       status;
    ngx_constraint_decision_t       *d;
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    d = &e->decision;
    status = d->status;

    if (status == 0) {
        status = ngx_constraint_error_status(d->error);
    }

    if (status == 0) {
        status = plcf->deny_status;
    }

    if (r != r->main) {
        return ngx_http_constraint_deny_subrequest(r, status);
    }

    if (plcf->deny_body == NGX_HTTP_CONSTRAINT_BODY_NGINX
        || ngx_constraint_fault("gate.off_direct"))
    {
        return status;
    }

    if (ngx_http_constraint_deny_text(r, d, &text) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_constraint_send_json(r, status, &text, d->headers);

    if (ngx_constraint_fault("gate.off_finalize")) {
        return rc;
    }

    /* the handler's own NGX_OK would let the request on to its content */

    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}


/*
 * A subrequest's status is what its creator looks at; it has no text, which
 * would appear inside of the main answer.
 */

static ngx_int_t
ngx_http_constraint_deny_subrequest(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_int_t  rc;

    ngx_http_constraint_set_status(r, status);

    r->headers_out.content_length_n = 0;
    r->header_only = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_OK);

    return NGX_DONE;
}


/* {"success":false,"error":..,"code":..,"id":..,"outcome":..,
 *  ["decision":{..}]} */

static ngx_int_t
ngx_http_constraint_deny_text(ngx_http_request_t *r,
    ngx_constraint_decision_t *d, ngx_str_t *text)
{
    u_char                          *p;
    ngx_str_t                        id, code, message, decision;
    ngx_uint_t                       full;
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    full = plcf->deny_detail == NGX_HTTP_CONSTRAINT_DETAIL_FULL;

    id = ngx_constraint_decision_id(d);
    message = ngx_http_constraint_deny_message(d, full);
    code = d->error ? *ngx_constraint_error_name(d->error) : d->outcome;

    if (d->not_associated) {
        ngx_str_set(&code, "NotAssociated");
    }

    ngx_str_null(&decision);

    if (full
        && ngx_constraint_decision_json(d, r->pool, &decision) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, 256 + decision.len
                    + 6 * (message.len + code.len + d->outcome.len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    p = ngx_cpymem(p, "{\"success\":false,\"error\":\"", 26);
    p = ngx_constraint_json_escape(p, &message);
    p = ngx_cpymem(p, "\",\"code\":\"", 10);
    p = ngx_constraint_json_escape(p, &code);
    p = ngx_sprintf(p, "\",\"id\":\"%V\",\"outcome\":\"", &id);
    p = ngx_constraint_json_escape(p, &d->outcome);
    *p++ = '"';

    if (decision.len) {
        p = ngx_sprintf(p, ",\"decision\":%V", &decision);
    }

    *p++ = '}';
    *p++ = LF;

    text->len = p - text->data;

    return NGX_OK;
}


/* Inner reasons are for those who asked for detail; the log has them. */

static ngx_str_t
ngx_http_constraint_deny_message(const ngx_constraint_decision_t *d,
    ngx_uint_t full)
{
    ngx_str_t  message;

    message = d->message;

    if (!full
        && (ngx_constraint_error_is_ours(d->error)
            || d->error == NGX_CONSTRAINT_E_EVALUATION
            || d->error == NGX_CONSTRAINT_E_ENFORCEMENT))
    {
        ngx_str_set(&message, "the request could not be judged");
    }

    if (message.len == 0) {
        ngx_str_set(&message, "the request is denied");
    }

    return message;
}


ngx_int_t
ngx_http_constraint_send_json(ngx_http_request_t *r, ngx_uint_t status,
    const ngx_str_t *body, ngx_array_t *headers)
{
    static ngx_str_t  type = ngx_string("application/json");

    return ngx_http_constraint_send(r, status, &type, body, headers);
}


ngx_int_t
ngx_http_constraint_send(ngx_http_request_t *r, ngx_uint_t status,
    const ngx_str_t *type, const ngx_str_t *body, ngx_array_t *headers)
{
    ngx_http_constraint_discard(r, status);

    ngx_http_constraint_set_status(r, status);
    r->headers_out.content_length_n = body->len;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);

    /* ours are whole answers: no 304, 412 or 206 is made of them */

    r->disable_not_modified = 1;
    r->allow_ranges = 0;

#if (NGX_CONSTRAINT_FAULTS)
    ngx_http_constraint_mark_worker(r);
#endif

    if (headers && ngx_http_constraint_add_headers(r, headers) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_constraint_send_text(r, body);
}


/* Also where an error_page has led to, whose own status would come first. */

static void
ngx_http_constraint_set_status(ngx_http_request_t *r, ngx_uint_t status)
{
    r->err_status = 0;

    r->headers_out.status = status;
    r->headers_out.status_line.len = 0;
}


/* An unread body would be taken for the next request. */

static void
ngx_http_constraint_discard(ngx_http_request_t *r, ngx_uint_t status)
{
    if (r != r->main || ngx_constraint_fault("gate.off_discard")) {
        return;
    }

    /* who waits for 100-continue may or may not send the body now */

    if (r->headers_in.expect && !r->expect_tested) {
        r->expect_tested = 1;
        r->keepalive = 0;
    }

    if (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE || r->reading_body) {
        r->keepalive = 0;
    }

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }
}


static ngx_int_t
ngx_http_constraint_add_headers(ngx_http_request_t *r,
    const ngx_array_t *headers)
{
    ngx_uint_t              i;
    const ngx_table_elt_t  *h;

    h = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        if (ngx_http_constraint_add_header(r, &h[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Headers that nginx's own filter writes are given to it, not written twice. */

static ngx_int_t
ngx_http_constraint_add_header(ngx_http_request_t *r,
    const ngx_table_elt_t *header)
{
    ngx_table_elt_t  *h;

    if (header->key.len == 12
        && ngx_strncasecmp(header->key.data, (u_char *) "Content-Type", 12)
           == 0)
    {
        r->headers_out.content_type = header->value;
        r->headers_out.content_type_len = header->value.len;
        r->headers_out.content_type_lowcase = NULL;
        return NGX_OK;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = *header;
    h->hash = 1;

    switch (h->key.len) {

    case 4:
        if (ngx_strncasecmp(h->key.data, (u_char *) "Date", 4) == 0) {
            r->headers_out.date = h;
        }

        break;

    case 6:
        if (ngx_strncasecmp(h->key.data, (u_char *) "Server", 6) == 0) {
            r->headers_out.server = h;
        }

        break;

    case 8:
        if (ngx_strncasecmp(h->key.data, (u_char *) "Location", 8) == 0) {
            r->headers_out.location = h;
        }

        break;

    default:
        break;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_send_text(ngx_http_request_t *r, const ngx_str_t *body)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    if (body->len == 0) {
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* Test builds tell which worker has answered. */

void
ngx_http_constraint_mark_worker(ngx_http_request_t *r)
{
#if (NGX_CONSTRAINT_FAULTS)

    u_char                 *p;
    ngx_uint_t              i;
    ngx_list_part_t        *part;
    ngx_table_elt_t        *h;
    static const ngx_str_t  name = ngx_string("X-Constraint-Worker");

    if (r != r->main) {
        return;
    }

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.data == name.data) {
                return;
            }
        }
    }

    h = ngx_list_push(&r->headers_out.headers);
    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);

    if (h == NULL || p == NULL) {
        return;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key = name;
    h->value.data = p;
    h->value.len = ngx_sprintf(p, "%P", ngx_pid) - p;

#endif
}
