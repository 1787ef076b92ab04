/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Paths that the service behind may read as another one than nginx does:
 * proxy_pass without a URI forwards the path as it was received.
 */


#include "ngx_http_constraint_request.h"


static const char *ngx_http_constraint_path_search(const ngx_str_t *raw);
static const char *ngx_http_constraint_path_encoded(const u_char *p,
    const u_char *last);
static const char *ngx_http_constraint_path_segment(const u_char *p,
    const u_char *last, ngx_uint_t *empty);
static ngx_uint_t ngx_http_constraint_path_dots(const u_char *p,
    const u_char *last, const u_char **end, ngx_uint_t *encoded);


/* nginx takes the path to end here and forwards the rest */

static const char  ngx_http_constraint_path_fragment[] = "a fragment";


/* As received, without the query; empty when it is not known. */

ngx_str_t
ngx_http_constraint_raw_path(ngx_http_request_t *r)
{
    u_char     *p;
    ngx_str_t   path;

    path = r->unparsed_uri;

    p = ngx_strlchr(path.data, path.data + path.len, '?');

    if (p) {
        path.len = p - path.data;
    }

    return path;
}


/*
 * What nginx's parser has not found to be complex or quoted holds no dot
 * segment, no fragment and nothing encoded: a look for backslashes is left.
 */

const char *
ngx_http_constraint_path_ambiguous(ngx_http_request_t *r)
{
    if (!r->complex_uri && !r->quoted_uri
        && memchr(r->unparsed_uri.data, '\\', r->unparsed_uri.len) == NULL)
    {
        return NULL;
    }

    return ngx_http_constraint_path_search(&r->unparsed_uri);
}


/* raw is the URI as it was received, its query included */

static const char *
ngx_http_constraint_path_search(const ngx_str_t *raw)
{
    u_char        c;
    ngx_uint_t    empty;
    const char   *what;
    const u_char *p, *last;

    last = raw->data + raw->len;
    empty = 0;

    for (p = raw->data; p < last; p++) {
        c = *p;

        switch (c) {

        case '\\':
            return "a backslash";

        case '#':
            return ngx_http_constraint_path_fragment;

        case '?':

            /* nginx takes the arguments, too, to end at a fragment */

            return ngx_strlchr((u_char *) p, (u_char *) last, '#')
                   ? ngx_http_constraint_path_fragment : NULL;

        case '%':
            what = ngx_http_constraint_path_encoded(p, last);
            break;

        case '/':
            what = ngx_http_constraint_path_segment(p + 1, last, &empty);
            break;

        default:
            continue;
        }

        if (what) {
            return what;
        }
    }

    return NULL;
}


static const char *
ngx_http_constraint_path_encoded(const u_char *p, const u_char *last)
{
    if (last - p < 3) {
        return NULL;
    }

    switch (ngx_hextoi((u_char *) p + 1, 2)) {

    case '/':
        return "an encoded slash";

    case '\\':
        return "an encoded backslash";

    case '\0':
        return "an encoded NUL";

    default:
        return NULL;
    }
}


/*
 * What begins here, a segment of dots?  A segment that is empty, or nothing
 * but a parameter, is one for some and none for others: so it is not known
 * what ".." after it takes away.
 */

static const char *
ngx_http_constraint_path_segment(const u_char *p, const u_char *last,
    ngx_uint_t *empty)
{
    ngx_uint_t     dots, encoded, parameter;
    const u_char  *end;

    dots = ngx_http_constraint_path_dots(p, last, &end, &encoded);

    parameter = (end < last && *end == ';')
                || (last - end > 2 && end[0] == '%' && end[1] == '3'
                    && (end[2] | 0x20) == 'b');

    if (dots == 0) {

        if (parameter || (end < last && *end == '/')) {
            *empty = 1;
        }

        return NULL;
    }

    if (dots > 2) {
        return NULL;
    }

    if (parameter) {
        return "a dot segment with a parameter";
    }

    if (end < last && *end != '/' && *end != '?') {
        return NULL;
    }

    if (encoded) {
        return "an encoded dot segment";
    }

    return (dots == 2 && *empty) ? "a dot segment after an empty one" : NULL;
}


static ngx_uint_t
ngx_http_constraint_path_dots(const u_char *p, const u_char *last,
    const u_char **end, ngx_uint_t *encoded)
{
    ngx_uint_t  dots;

    dots = 0;
    *encoded = 0;

    while (p < last) {

        if (*p == '.') {
            p++;

        } else if (last - p > 2 && p[0] == '%' && p[1] == '2'
                   && (p[2] | 0x20) == 'e')
        {
            *encoded = 1;
            p += 3;

        } else {
            break;
        }

        dots++;
    }

    *end = p;

    return dots;
}
