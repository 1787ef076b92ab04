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
static ngx_uint_t ngx_http_constraint_path_dots(const u_char *p,
    const u_char *last, const u_char **end, ngx_uint_t *encoded);


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
    ngx_str_t  raw;

    if (!r->complex_uri && !r->quoted_uri
        && memchr(r->unparsed_uri.data, '\\', r->unparsed_uri.len) == NULL)
    {
        return NULL;
    }

    raw = ngx_http_constraint_raw_path(r);

    return ngx_http_constraint_path_search(&raw);
}


static const char *
ngx_http_constraint_path_search(const ngx_str_t *raw)
{
    u_char        c;
    ngx_int_t     n;
    ngx_uint_t    dots, encoded;
    const u_char *p, *end, *last;

    last = raw->data + raw->len;

    for (p = raw->data; p < last; p++) {
        c = *p;

        if (c == '%' && last - p > 2) {
            n = ngx_hextoi((u_char *) p + 1, 2);

            switch (n) {
            case '/':
                return "an encoded slash";
            case '\\':
                return "an encoded backslash";
            case '\0':
                return "an encoded NUL";
            default:
                break;
            }
        }

        if (c == '\\') {
            return "a backslash";
        }

        /* nginx takes the path to end here and forwards the rest */

        if (c == '#') {
            return "a fragment";
        }

        if (c != '/') {
            continue;
        }

        /* what begins here, a segment of dots? */

        dots = ngx_http_constraint_path_dots(p + 1, last, &end, &encoded);

        if (dots == 0 || dots > 2) {
            continue;
        }

        if (end < last && *end == ';') {
            return "a dot segment with a parameter";
        }

        if (end + 2 < last && end[0] == '%' && end[1] == '3'
            && (end[2] | 0x20) == 'b')
        {
            return "a dot segment with a parameter";
        }

        if (encoded && (end == last || *end == '/')) {
            return "an encoded dot segment";
        }
    }

    return NULL;
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
