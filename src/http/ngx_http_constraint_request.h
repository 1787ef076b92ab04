
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_http_constraint_request.h - private to src/http: what is known of one
 * request, and what the files of the room give each other.
 */


#ifndef _NGX_HTTP_CONSTRAINT_REQUEST_H_INCLUDED_
#define _NGX_HTTP_CONSTRAINT_REQUEST_H_INCLUDED_


#include "ngx_http_constraint_conf.h"


/* request.headers as a lazy map: nothing is copied for a single header */

typedef struct {
    cel_object_t               object;         /* first */
    ngx_http_request_t        *request;
    ngx_list_t                *list;           /* the client's own */
    ngx_constraint_failure_t  *failure;
    ngx_constraint_table_t    *table;          /* made when it is walked */
} ngx_http_constraint_headers_t;


/* The facts of one request. */

typedef struct {
    ngx_constraint_facts_t           facts;    /* first */
    ngx_http_request_t              *request;
    ngx_http_constraint_headers_t    headers;
    ngx_constraint_table_t          *args;
    size_t                           input_max;  /* the most it may become */
} ngx_http_constraint_source_t;


/*
 * An enforcement in shadow mode that is not decided yet, and the request as
 * it was: a redirect changes it before the rest is known.
 */

typedef struct {
    ngx_constraint_enforcement_t    *enforcement;
    ngx_uint_t                       level;        /* of the log */
    ngx_uint_t                       method;
    ngx_str_t                        method_name;
    ngx_str_t                        uri;
    ngx_str_t                        args;
    ngx_constraint_table_t          *table;        /* of args */
    unsigned                         needs_input:1;
    unsigned                         done:1;
} ngx_http_constraint_shadow_t;


/* What an enforcement needs; few requests have one. */

typedef struct {
    ngx_http_constraint_source_t     source;

    /* so that one request with one constraint allocates once; not zeroed */
    ngx_constraint_enforcement_t     enforcement;
    uint64_t                         room[NGX_CONSTRAINT_STATE_SIZE / 8];
} ngx_http_constraint_work_t;


/*
 * Lives as long as the request's pool; outlives internal redirects, which
 * zero r->ctx: it is found again through the pool's cleanup list.
 */

typedef struct {
    ngx_http_request_t              *request;

    /* what was judged last */
    void                           **loc_conf;
    ngx_uint_t                       method;
    ngx_str_t                        uri;
    ngx_str_t                        args;

    unsigned                         judged:1;     /* allowed as it is */
    unsigned                         pending:1;
    unsigned                         reading:1;
    unsigned                         asked:1;      /* for the input */
    unsigned                         body_read:1;
    unsigned                         body_lost:1;  /* and it is not told yet */
    unsigned                         own_used:1;
    unsigned                         detachable:1; /* http cleanup is set */
    unsigned                         briefly:1;    /* the last decision was
                                                    * made so, see brief */
    uint32_t                         index;    /* the entry being decided */

    ngx_http_constraint_work_t      *work;     /* NULL: all was allowed
                                                * briefly so far */
    ngx_constraint_enforcement_t    *current;
    ngx_array_t                     *replace;  /* headers, of all that
                                                * allowed */
    ngx_array_t                     *given;    /* of every location so far */
    ngx_array_t                     *shadows;  /* undecided ones */
    ngx_constraint_enforcement_t    *shown;    /* see _shown() */
    ngx_list_t                      *client_headers; /* before replacing */

    /* the body */
    ngx_int_t                        body_status;  /* 0, or why there is
                                                    * none */
    ngx_str_t                        body;
    ngx_str_t                        body_more;    /* a second piece of it:
                                                    * there is no work yet */

    ngx_constraint_brief_t           brief;    /* when briefly is set */
} ngx_http_constraint_ctx_t;


/* gate.c */
ngx_int_t ngx_http_constraint_gate(ngx_http_request_t *r) __attribute__((hot));

/*
 * ctx.c: NULL when the request has met no constraint yet; one is made, NULL:
 * no memory; its work, too, if it has none: NGX_OK or NGX_ERROR.
 */
ngx_http_constraint_ctx_t *ngx_http_constraint_ctx(ngx_http_request_t *r)
    __attribute__((hot));
ngx_http_constraint_ctx_t *ngx_http_constraint_ctx_create(
    ngx_http_request_t *r);
ngx_int_t ngx_http_constraint_work_get(ngx_http_constraint_ctx_t *ctx);

/* It waits for nothing any more: an ngx_http_cleanup_pt, too.  Idempotent. */
void ngx_http_constraint_detach(void *data);
void ngx_http_constraint_broke_off(ngx_http_constraint_ctx_t *ctx);

/* The worker ends. */
void ngx_http_constraint_ctx_exit(void);

/*
 * brief.c: without an enforcement; the location's only constraint without
 * work either.
 *   NGX_OK        allowed
 *   NGX_AGAIN     the body is needed for that
 *   NGX_DECLINED  nothing is said
 */
ngx_int_t ngx_http_constraint_briefly(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_entry_t *entry,
    ngx_http_constraint_source_t *source) __attribute__((hot));
ngx_int_t ngx_http_constraint_at_once(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_http_constraint_loc_conf_t *plcf);

/*
 * What the variables tell of: the one that decided, else the last one; NULL:
 * there is none.  Allocated when it was made briefly.
 */
ngx_constraint_enforcement_t *ngx_http_constraint_shown(
    ngx_http_request_t *r);

/* check.c: refuses e, when there is reason to */
void ngx_http_constraint_check(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_constraint_enforcement_t *e);

/* NULL, or what is ambiguous in it; NULL, or the one that is to be single and
 * is not */
const char *ngx_http_constraint_check_path(ngx_http_request_t *r);
const ngx_str_t *ngx_http_constraint_check_headers(ngx_http_request_t *r,
    ngx_list_t *list);

/* enforcement.c */
void ngx_http_constraint_enforcement_init(ngx_http_request_t *r,
    ngx_constraint_enforcement_t *e, ngx_http_constraint_source_t *source);

/* audit.c: the audit log is to be told of the decision */
void ngx_http_constraint_audit_init(ngx_http_request_t *r,
    ngx_constraint_enforcement_t *e, const ngx_constraint_audit_t *audit);

/* shadow.c */
void ngx_http_constraint_shadow_keep(ngx_http_constraint_ctx_t *ctx,
    ngx_constraint_enforcement_t *e, ngx_uint_t needs_input);
void ngx_http_constraint_shadow_detach(ngx_http_constraint_ctx_t *ctx);
ngx_int_t ngx_http_constraint_log_handler(ngx_http_request_t *r)
    __attribute__((hot));

/* facts.c */
void ngx_http_constraint_source_init(ngx_http_constraint_source_t *source,
    ngx_http_request_t *r, ngx_list_t *headers);
void ngx_http_constraint_source_input(ngx_http_constraint_source_t *source,
    const ngx_str_t *input);

/* path.c: NULL, or what is ambiguous in the path as it was received */
const char *ngx_http_constraint_path_ambiguous(ngx_http_request_t *r)
    __attribute__((hot));
ngx_str_t ngx_http_constraint_raw_path(ngx_http_request_t *r);

/* args.c */
ngx_constraint_table_t *ngx_http_constraint_args(ngx_http_request_t *r,
    ngx_constraint_failure_t *failure);

/* headers.c */
void ngx_http_constraint_headers_init(ngx_http_constraint_headers_t *headers,
    ngx_http_request_t *r, ngx_list_t *list,
    ngx_constraint_failure_t *failure);
ngx_constraint_table_t *ngx_http_constraint_headers_table(
    ngx_http_constraint_headers_t *headers);
ngx_uint_t ngx_http_constraint_header_same(const ngx_str_t *a,
    const ngx_str_t *b);
const ngx_str_t *ngx_http_constraint_header_repeated(ngx_list_t *list,
    ngx_array_t *names);
size_t ngx_http_constraint_headers_size(ngx_list_t *list);

/* upstream_headers.c */
ngx_int_t ngx_http_constraint_replace_headers(ngx_http_request_t *r,
    ngx_list_t *client, const ngx_array_t *headers);

/* body.c: what is there already: NGX_OK, NGX_DECLINED (not read yet) or a
 * status */
ngx_int_t ngx_http_constraint_present_body(ngx_http_request_t *r, size_t max,
    ngx_str_t *body) __attribute__((hot));

/* it came with the headers, is whole and not too large: reading waits for
 * nothing */
ngx_uint_t ngx_http_constraint_body_near(ngx_http_request_t *r, size_t max)
    __attribute__((hot));

/* respond.c */
ngx_int_t ngx_http_constraint_deny(ngx_http_request_t *r,
    ngx_constraint_enforcement_t *e);
void ngx_http_constraint_mark_worker(ngx_http_request_t *r);

/* vars.c */
ngx_int_t ngx_http_constraint_add_variables(ngx_conf_t *cf);


#endif /* _NGX_HTTP_CONSTRAINT_REQUEST_H_INCLUDED_ */
