
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_http_constraint.h - the public header of src/http: the directives'
 * settings, an enforcement made from a request, and answers.  The gate, the
 * facts of a request, body reading and variables are private to the room.
 */


#ifndef _NGX_HTTP_CONSTRAINT_H_INCLUDED_
#define _NGX_HTTP_CONSTRAINT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_constraint_enforcer.h"


#define NGX_CONSTRAINT_VERSION  "0.1.0"


extern ngx_module_t  ngx_http_constraint_module;


/* The catalogue of a zone declared by constraint_zone, NULL when none. */
ngx_constraint_catalogue_t *ngx_http_constraint_catalogue(ngx_cycle_t *cycle,
    const ngx_str_t *zone);

/* All of them, of the running configuration; how many there are. */
ngx_uint_t ngx_http_constraint_catalogues(
    ngx_constraint_catalogue_t ***catalogues);

/*
 * For a directive that makes its location an API: constraints inherited from
 * http or server level do not apply to it.  Called from its set handler.
 */
void ngx_http_constraint_exempt(ngx_conf_t *cf);

/* The evaluation settings of the request's location. */
const ngx_constraint_settings_t *ngx_http_constraint_settings(
    ngx_http_request_t *r);

/*
 * An enforcement whose request.*, source.*, destination.*, connection.* and
 * nginx.var() facts are r's, in r->pool, detached by r's cleanup.  input:
 * JSON text that is `input`, NULL = the request's own body, to be read when
 * it is needed.  NULL when out of memory.  The caller sets catalogue, message
 * type, subject, ready and data.
 */
ngx_constraint_enforcement_t *ngx_http_constraint_enforcement_create(
    ngx_http_request_t *r, const ngx_str_t *input);

/*
 * Reads the request body, at most max bytes (413 judged from Content-Length
 * before 100-continue), into one piece of memory, from a file if need be.
 * done is called once, perhaps synchronously, with NGX_OK and *body, or an
 * HTTP status (400, 413, 408, 500); not at all when the client has gone.
 * apart: what came in two pieces may stay so, body[0] and body[1]; body[1] is
 * empty otherwise.  Both live as long as the request.
 * Returns what the calling handler must return to nginx (NGX_DONE or a
 * status).  From a content handler; done finalizes the request.
 */
typedef void (*ngx_http_constraint_body_pt)(ngx_http_request_t *r, void *data,
    ngx_int_t rc, const ngx_str_t *body);
ngx_int_t ngx_http_constraint_read_body(ngx_http_request_t *r, size_t max,
    ngx_uint_t apart, ngx_http_constraint_body_pt done, void *data)
    __attribute__((hot));

/*
 * Sends a whole JSON answer: discards what is left of the body first (and
 * closes the connection when that fails), Content-Length, HEAD, no
 * not_modified filter, no error_page.  headers: ngx_table_elt_t added, or
 * NULL.  Returns a code for ngx_http_finalize_request(); never a status that
 * nginx would replace by a page of its own.
 */
ngx_int_t ngx_http_constraint_send_json(ngx_http_request_t *r,
    ngx_uint_t status, const ngx_str_t *body, ngx_array_t *headers);

/* The same of another type, static text. */
ngx_int_t ngx_http_constraint_send(ngx_http_request_t *r, ngx_uint_t status,
    const ngx_str_t *type, const ngx_str_t *body, ngx_array_t *headers);


#endif /* _NGX_HTTP_CONSTRAINT_H_INCLUDED_ */
