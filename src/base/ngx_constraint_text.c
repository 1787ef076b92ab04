/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Text for log lines and JSON, and what valid UTF-8 is.
 */


#include "ngx_constraint_base.h"


#define NGX_CONSTRAINT_LOG_TEXT_MAX  256


static ngx_uint_t ngx_constraint_ascii(const u_char *p, size_t len);
static size_t ngx_constraint_utf8_length(const u_char *p, const u_char *end);
static ngx_uint_t ngx_constraint_log_plain(u_char c);
static ngx_uint_t ngx_constraint_plain_word(uint64_t word);


ngx_str_t
ngx_constraint_log_text(ngx_pool_t *pool, const ngx_str_t *src)
{
    u_char      *p;
    size_t       i, len;
    ngx_str_t    text;
    ngx_uint_t   escape;

    static u_char  hex[] = "0123456789ABCDEF";

    len = ngx_min(src->len, NGX_CONSTRAINT_LOG_TEXT_MAX);
    escape = (len < src->len);

    for (i = 0; i < len; i++) {
        escape |= !ngx_constraint_log_plain(src->data[i]);
    }

    if (!escape) {
        return *src;
    }

    p = ngx_pnalloc(pool, 4 * len + sizeof("...") - 1);
    if (p == NULL) {
        ngx_str_set(&text, "...");
        return text;
    }

    text.data = p;

    for (i = 0; i < len; i++) {
        if (ngx_constraint_log_plain(src->data[i])) {
            *p++ = src->data[i];
            continue;
        }

        *p++ = '\\';
        *p++ = 'x';
        *p++ = hex[src->data[i] >> 4];
        *p++ = hex[src->data[i] & 0xf];
    }

    if (len < src->len) {
        p = ngx_cpymem(p, "...", sizeof("...") - 1);
    }

    text.len = p - text.data;

    return text;
}


static ngx_uint_t
ngx_constraint_log_plain(u_char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}


/*
 * ngx_constraint_log_plain() of eight bytes: below 0x80 no addition carries
 * into the next byte, and the highest bit tells of each what it was for
 */

static ngx_uint_t
ngx_constraint_plain_word(uint64_t word)
{
    uint64_t  printable, del, quote, backslash;

    printable = word + 0x6060606060606060;
    del = word + 0x0101010101010101;
    quote = (word ^ 0x2222222222222222) + 0x7f7f7f7f7f7f7f7f;
    backslash = (word ^ 0x5c5c5c5c5c5c5c5c) + 0x7f7f7f7f7f7f7f7f;

    return (word & 0x8080808080808080) == 0
           && (printable & ~del & quote & backslash & 0x8080808080808080)
              == 0x8080808080808080;
}


u_char *
ngx_constraint_json_escape(u_char *p, const ngx_str_t *src)
{
    u_char    *s, *end;
    size_t     n;
    uint64_t   word;

    s = src->data;
    end = s + src->len;

    while (s < end) {
        if (end - s >= 8) {
            ngx_memcpy(&word, s, 8);

            if (ngx_constraint_plain_word(word)) {
                p = ngx_cpymem(p, &word, 8);
                s += 8;
                continue;
            }
        }

        if (ngx_constraint_log_plain(*s)) {
            *p++ = *s++;
            continue;
        }

        if (*s == '"' || *s == '\\') {
            *p++ = '\\';
            *p++ = *s++;
            continue;
        }

        if (*s < 0x20 || *s == 0x7f) {
            p = ngx_sprintf(p, "\\u%04uxi", (ngx_uint_t) *s++);
            continue;
        }

        n = ngx_constraint_utf8_length(s, end);

        if (n == 0) {
            p = ngx_cpymem(p, "\xEF\xBF\xBD", 3);
            s++;
            continue;
        }

        p = ngx_cpymem(p, s, n);
        s += n;
    }

    return p;
}


ngx_uint_t
ngx_constraint_utf8_valid(const u_char *p, size_t len)
{
    size_t         n;
    uint64_t       word;
    const u_char  *end;

    if (ngx_constraint_ascii(p, len)) {
        return 1;
    }

    for (end = p + len; p < end; p += n) {

        /* eight bytes at a time where they are ASCII */

        if (end - p >= 8) {
            ngx_memcpy(&word, p, 8);

            if ((word & 0x8080808080808080) == 0) {
                n = 8;
                continue;
            }
        }

        n = ngx_constraint_utf8_length(p, end);

        if (n == 0) {
            return 0;
        }
    }

    return 1;
}


/* Words that overlap take the place of a byte at a time. */

static ngx_uint_t
ngx_constraint_ascii(const u_char *p, size_t len)
{
    uint32_t       a, b;
    uint64_t       word, all;
    const u_char  *last;

    all = 0;

    if (len >= 8) {
        last = p + len - 8;

        for ( /* void */ ; p < last; p += 8) {
            ngx_memcpy(&word, p, 8);
            all |= word;
        }

        ngx_memcpy(&word, last, 8);

        return ((all | word) & 0x8080808080808080) == 0;
    }

    if (len >= 4) {
        ngx_memcpy(&a, p, 4);
        ngx_memcpy(&b, p + len - 4, 4);

        return ((a | b) & 0x80808080) == 0;
    }

    while (len != 0) {
        all |= p[--len];
    }

    return all < 0x80;
}


/* bytes of the code point at p, 0 when it is none; RFC 3629, section 4 */

static size_t
ngx_constraint_utf8_length(const u_char *p, const u_char *end)
{
    u_char  low, high;
    size_t  n, i;

    if (*p < 0x80) {
        return 1;
    }

    if (*p < 0xc2 || *p > 0xf4) {
        return 0;
    }

    n = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if ((size_t) (end - p) < n) {
        return 0;
    }

    low = (*p == 0xe0) ? 0xa0 : (*p == 0xf0) ? 0x90 : 0x80;
    high = (*p == 0xed) ? 0x9f : (*p == 0xf4) ? 0x8f : 0xbf;

    if (p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}
