/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Paths that the service behind may read as another one than nginx does:
 * proxy_pass without a URI forwards the path as it was received.
 */


#include "ngx_http_constraint_request.h"


/* eight times the same byte */
#define ngx_http_constraint_path_each(c)                                      \
    ((uint64_t) (c) * 0x0101010101010101)


static ngx_uint_t ngx_http_constraint_path_unusual(const ngx_str_t *raw);
static const char *ngx_http_constraint_path_search(const ngx_str_t *raw);
static const char *ngx_http_constraint_path_encoded(const u_char *p,
    const u_char *last);
static const char *ngx_http_constraint_path_overlong(const u_char *p,
    const u_char *last);
static const u_char *ngx_http_constraint_path_byte(const u_char *p,
    const u_char *last, ngx_uint_t *byte);
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
 * segment, no fragment and nothing encoded: a look for backslashes and for
 * bytes beyond ASCII is left.
 */

const char *
ngx_http_constraint_path_ambiguous(ngx_http_request_t *r)
{
    if (!r->complex_uri && !r->quoted_uri
        && !ngx_http_constraint_path_unusual(&r->unparsed_uri))
    {
        return NULL;
    }

    return ngx_http_constraint_path_search(&r->unparsed_uri);
}


static ngx_uint_t
ngx_http_constraint_path_unusual(const ngx_str_t *raw)
{
    size_t    i;
    uint64_t  part, slash, unusual;

    /* none is known: the request line was broken, and has an error page */

    if (raw->len == 0) {
        return 0;
    }

    unusual = 0;

    for (i = 0; i + sizeof(part) <= raw->len; i += sizeof(part)) {
        ngx_memcpy(&part, raw->data + i, sizeof(part));

        /* a byte that is 0 here has its highest bit set by the subtraction,
         * and of ASCII no other has unless a lower one is 0 */

        slash = part ^ ngx_http_constraint_path_each('\\');
        unusual |= part | (slash - ngx_http_constraint_path_each(1));
    }

    unusual &= ngx_http_constraint_path_each(0x80);

    for ( /* void */ ; i < raw->len; i++) {
        unusual |= raw->data[i] & 0x80;
        unusual |= raw->data[i] == '\\';
    }

    return unusual != 0;
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

            if (c < 0x80) {
                continue;
            }

            what = ngx_http_constraint_path_overlong(p, last);
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
        return ngx_http_constraint_path_overlong(p, last);
    }
}


/*
 * A character in more bytes of UTF-8 than it needs, encoded or not: some take
 * "%c0%af" for a slash.
 */

static const char *
ngx_http_constraint_path_overlong(const u_char *p, const u_char *last)
{
    ngx_uint_t  first, next, beyond;

    p = ngx_http_constraint_path_byte(p, last, &first);

    switch (first) {

    case 0xc0:
    case 0xc1:
        beyond = 0xc0;
        break;

    case 0xe0:
        beyond = 0xa0;
        break;

    case 0xf0:
        beyond = 0x90;
        break;

    case 0xf8:
        beyond = 0x88;
        break;

    case 0xfc:
        beyond = 0x84;
        break;

    default:
        return NULL;
    }

    (void) ngx_http_constraint_path_byte(p, last, &next);

    return (next >= 0x80 && next < beyond) ? "an overlong character" : NULL;
}


/* 0 is given for the end; what follows the byte is returned */

static const u_char *
ngx_http_constraint_path_byte(const u_char *p, const u_char *last,
    ngx_uint_t *byte)
{
    ngx_int_t  value;

    *byte = 0;

    if (p == last) {
        return p;
    }

    if (*p != '%') {
        *byte = *p;
        return p + 1;
    }

    if (last - p < 3) {
        return last;
    }

    value = ngx_hextoi((u_char *) p + 1, 2);

    if (value != NGX_ERROR) {
        *byte = value;
    }

    return p + 3;
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
