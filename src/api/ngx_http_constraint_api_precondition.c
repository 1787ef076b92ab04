
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * If-Match and If-None-Match (RFC 9110, 13.1): lists, "*", W/ of our own
 * tags.  Reads and judges; who writes makes sure that nothing comes between.
 */


#include "ngx_http_constraint_api.h"


static ngx_int_t ngx_http_constraint_api_condition(
    ngx_http_constraint_api_t *api, const ngx_table_elt_t *h,
    ngx_array_t *tags, ngx_uint_t *any);
static ngx_int_t ngx_http_constraint_api_tags(const ngx_str_t *value,
    ngx_array_t *tags, ngx_uint_t *any);
static u_char *ngx_http_constraint_api_tag(u_char *p, u_char *last,
    uint64_t *revision);
static u_char *ngx_http_constraint_api_blank(u_char *p, u_char *last);
static ngx_uint_t ngx_http_constraint_api_listed(const ngx_array_t *tags,
    uint64_t revision);


ngx_int_t
ngx_http_constraint_api_conditions(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_conditions_t *conditions)
{
    ngx_uint_t        match_any, none_match_any;
    ngx_table_elt_t  *match, *none_match;

    ngx_memzero(conditions, sizeof(ngx_http_constraint_api_conditions_t));

    /* nginx refuses a second field of either name */

    match = api->request->headers_in.if_match;
    none_match = api->request->headers_in.if_none_match;

    if (ngx_http_constraint_api_condition(api, match,
                                          &conditions->match_tags,
                                          &match_any)
        != NGX_OK
        || ngx_http_constraint_api_condition(api, none_match,
                                             &conditions->none_match_tags,
                                             &none_match_any)
           != NGX_OK)
    {
        return NGX_DONE;
    }

    conditions->match = (match != NULL);
    conditions->match_any = match_any;
    conditions->none_match = (none_match != NULL);
    conditions->none_match_any = none_match_any;

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_api_condition(ngx_http_constraint_api_t *api,
    const ngx_table_elt_t *h, ngx_array_t *tags, ngx_uint_t *any)
{
    *any = 0;

    if (h == NULL) {
        return NGX_OK;
    }

    if (ngx_array_init(tags, api->request->pool, 2, sizeof(uint64_t))
        != NGX_OK)
    {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return NGX_DONE;
    }

    if (ngx_http_constraint_api_tags(&h->value, tags, any) == NGX_OK) {
        return NGX_OK;
    }

    ngx_http_constraint_api_fail(api,
                                 NGX_HTTP_CONSTRAINT_API_E_INVALID_HEADER,
                                 NULL, "%.*s is \"*\" or a list of entity "
                                 "tags in double quotes", (int) h->key.len,
                                 (char *) h->key.data);
    return NGX_DONE;
}


/* "*" | tag { "," tag }, empty elements allowed as in every HTTP list */

static ngx_int_t
ngx_http_constraint_api_tags(const ngx_str_t *value, ngx_array_t *tags,
    ngx_uint_t *any)
{
    u_char      *p, *last;
    uint64_t    *tag, revision;
    ngx_uint_t   found;

    found = 0;
    last = value->data + value->len;
    p = ngx_http_constraint_api_blank(value->data, last);

    if (p < last && *p == '*') {
        *any = 1;
        return ngx_http_constraint_api_blank(p + 1, last) == last
               ? NGX_OK : NGX_DECLINED;
    }

    while (p < last) {

        if (*p == ',') {
            p = ngx_http_constraint_api_blank(p + 1, last);
            continue;
        }

        p = ngx_http_constraint_api_tag(p, last, &revision);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        tag = ngx_array_push(tags);
        if (tag == NULL) {
            return NGX_DECLINED;
        }

        *tag = revision;
        found = 1;
        p = ngx_http_constraint_api_blank(p, last);

        if (p < last && *p != ',') {
            return NGX_DECLINED;
        }
    }

    return found ? NGX_OK : NGX_DECLINED;
}


/*
 * [ "W/" ] DQUOTE chars DQUOTE; a filter may have weakened a tag of ours.
 * The revision of one that is not ours is 0, which no record has.
 */

static u_char *
ngx_http_constraint_api_tag(u_char *p, u_char *last, uint64_t *revision)
{
    uint64_t  n;

    if (last - p > 2 && p[0] == 'W' && p[1] == '/') {
        p += 2;
    }

    if (p == last || *p++ != '"') {
        return NULL;
    }

    n = 0;

    if (p < last && *p == '0') {
        n = UINT64_MAX;
    }

    for ( /* void */ ; p < last && *p != '"'; p++) {

        if (*p < '0' || *p > '9' || n > (UINT64_MAX - 9) / 10) {
            n = UINT64_MAX;
            continue;
        }

        n = n * 10 + (*p - '0');
    }

    *revision = (n == UINT64_MAX) ? 0 : n;

    return p < last ? p + 1 : NULL;
}


static u_char *
ngx_http_constraint_api_blank(u_char *p, u_char *last)
{
    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p;
}


ngx_uint_t
ngx_http_constraint_api_conditions_met(
    const ngx_http_constraint_api_conditions_t *conditions, uint64_t revision)
{
    if (conditions->match
        && !conditions->match_any
        && !ngx_http_constraint_api_listed(&conditions->match_tags, revision))
    {
        return 0;
    }

    return !conditions->none_match
           || (!conditions->none_match_any
               && !ngx_http_constraint_api_listed(
                                       &conditions->none_match_tags,
                                       revision));
}


static ngx_uint_t
ngx_http_constraint_api_listed(const ngx_array_t *tags, uint64_t revision)
{
    uint64_t    *tag;
    ngx_uint_t   i;

    tag = tags->elts;

    for (i = 0; i < tags->nelts; i++) {
        if (tag[i] == revision) {
            return 1;
        }
    }

    return 0;
}
