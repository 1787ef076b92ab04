/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Headers that an allowing decision gives to the service: each replaces
 * every header of that name, so that the client's own does not reach it.
 */


#include "ngx_http_constraint_request.h"


static ngx_uint_t ngx_http_constraint_replaced(const ngx_str_t *name,
    const ngx_array_t *headers, ngx_uint_t from);
static ngx_int_t ngx_http_constraint_push_header(ngx_http_request_t *r,
    ngx_list_t *list, const ngx_table_elt_t *header);
static void ngx_http_constraint_forget_header(ngx_http_request_t *r,
    const ngx_table_elt_t *header);
static void ngx_http_constraint_forget_variable(ngx_http_request_t *r,
    const ngx_str_t *header);
static ngx_uint_t ngx_http_constraint_made_of(const ngx_str_t *variable,
    const ngx_str_t *header);


/*
 * The list is made anew: nginx's pointers into the old one stay valid, those
 * of replaced headers are cleared, and set again by nginx's own handlers.
 */

ngx_int_t
ngx_http_constraint_replace_headers(ngx_http_request_t *r,
    ngx_list_t *client, const ngx_array_t *headers)
{
    ngx_uint_t        i;
    ngx_list_t        list;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h, *n;

    if (ngx_list_init(&list, r->pool, 20, sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (part = &client->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_constraint_replaced(&h[i].key, headers, 0)) {
                ngx_http_constraint_forget_header(r, &h[i]);
                continue;
            }

            n = ngx_list_push(&list);
            if (n == NULL) {
                return NGX_ERROR;
            }

            *n = h[i];
        }
    }

    h = headers->elts;

    for (i = 0; i < headers->nelts; i++) {

        /* of several decisions the last one's holds */

        if (ngx_http_constraint_replaced(&h[i].key, headers, i + 1)) {
            continue;
        }

        if (ngx_http_constraint_push_header(r, &list, &h[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_constraint_forget_variable(r, &h[i].key);
    }

    r->headers_in.headers = list;

    if (list.last == &list.part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_constraint_replaced(const ngx_str_t *name,
    const ngx_array_t *headers, ngx_uint_t from)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    h = headers->elts;

    for (i = from; i < headers->nelts; i++) {
        if (ngx_http_constraint_header_same(name, &h[i].key)) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_constraint_push_header(ngx_http_request_t *r, ngx_list_t *list,
    const ngx_table_elt_t *header)
{
    ngx_table_elt_t            *h;
    ngx_http_header_t          *hh;
    ngx_http_core_main_conf_t  *cmcf;

    h = ngx_list_push(list);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key = header->key;
    h->value = header->value;

    h->lowcase_key = ngx_pnalloc(r->pool, h->key.len);
    if (h->lowcase_key == NULL) {
        return NGX_ERROR;
    }

    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);

    ngx_http_constraint_forget_header(r, h);

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    hh = ngx_hash_find(&cmcf->headers_in_hash, h->hash, h->lowcase_key,
                       h->key.len);

    if (hh && hh->handler && hh->handler(r, h, hh->offset) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* nginx remembers some headers by pointers, and in 1.22 two by arrays */

static void
ngx_http_constraint_forget_header(ngx_http_request_t *r,
    const ngx_table_elt_t *header)
{
    ngx_http_header_t          *hh;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    hh = ngx_hash_find(&cmcf->headers_in_hash, header->hash,
                       header->lowcase_key, header->key.len);

    if (hh == NULL || hh->handler == NULL) {
        return;
    }

#if (nginx_version < 1023000)

    if (hh->offset == offsetof(ngx_http_headers_in_t, cookies)) {
        ngx_memzero(&r->headers_in.cookies, sizeof(ngx_array_t));
        return;
    }

#if (NGX_HTTP_X_FORWARDED_FOR)

    if (hh->offset == offsetof(ngx_http_headers_in_t, x_forwarded_for)) {
        ngx_memzero(&r->headers_in.x_forwarded_for, sizeof(ngx_array_t));
        return;
    }

#endif

#endif

    *(ngx_table_elt_t **) ((u_char *) &r->headers_in + hh->offset) = NULL;
}


/* A value made of the header that somebody has asked for before is the old. */

static void
ngx_http_constraint_forget_variable(ngx_http_request_t *r,
    const ngx_str_t *header)
{
    ngx_uint_t                  n;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    v = cmcf->variables.elts;

    for (n = 0; n < cmcf->variables.nelts; n++) {

        if (ngx_http_constraint_made_of(&v[n].name, header)) {
            r->variables[n].valid = 0;
            r->variables[n].not_found = 0;
        }
    }
}


/* $http_NAME, and nginx's other variables that tell of a header */

static ngx_uint_t
ngx_http_constraint_made_of(const ngx_str_t *variable,
    const ngx_str_t *header)
{
    size_t      n;
    ngx_str_t   name;
    ngx_uint_t  i;

    static const struct {
        ngx_str_t  header;
        ngx_str_t  variable;
        size_t     prefix;        /* 0: all of it */
    } others[] = {
        { ngx_string("cookie"), ngx_string("cookie_"), 7 },
        { ngx_string("content-type"), ngx_string("content_type"), 0 },
        { ngx_string("x-forwarded-for"),
          ngx_string("proxy_add_x_forwarded_for"), 0 }
    };

    if (variable->len > 5 && ngx_strncmp(variable->data, "http_", 5) == 0) {
        name.data = variable->data + 5;
        name.len = variable->len - 5;

        return ngx_http_constraint_header_same(&name, header);
    }

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        n = others[i].prefix ? others[i].prefix : variable->len;

        if (ngx_http_constraint_header_same(&others[i].header, header)
            && n == others[i].variable.len && n <= variable->len
            && ngx_strncmp(variable->data, others[i].variable.data, n) == 0)
        {
            return 1;
        }
    }

    return 0;
}
