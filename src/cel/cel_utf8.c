
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_utf8.c - UTF-8: is it, how many code points, where is the n-th.
 */


#include "cel_runtime.h"


#define CEL_HIGH_BITS  0x8080808080808080ull


/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */

bool
cel_utf8_valid(const char *s, size_t len)
{
    uint64_t              w;
    unsigned char         c, low, high;
    const unsigned char  *p, *end;

    if (len == 0) {
        return true;
    }

    p = (const unsigned char *) s;
    end = p + len;

    while (p < end) {

        if (end - p >= 8) {
            memcpy(&w, p, 8);

            if (!(w & CEL_HIGH_BITS)) {
                p += 8;
                continue;
            }
        }

        c = *p++;

        if (c < 0x80) {
            continue;
        }

        low = 0x80;
        high = 0xbf;

        if (c >= 0xc2 && c <= 0xdf) {
            len = 1;

        } else if (c >= 0xe0 && c <= 0xef) {
            len = 2;
            low = c == 0xe0 ? 0xa0 : 0x80;
            high = c == 0xed ? 0x9f : 0xbf;

        } else if (c >= 0xf0 && c <= 0xf4) {
            len = 3;
            low = c == 0xf0 ? 0x90 : 0x80;
            high = c == 0xf4 ? 0x8f : 0xbf;

        } else {
            return false;
        }

        if ((size_t) (end - p) < len) {
            return false;
        }

        if (*p < low || *p > high) {
            return false;
        }

        for (p++, len--; len != 0; p++, len--) {
            if ((*p & 0xc0) != 0x80) {
                return false;
            }
        }
    }

    return true;
}


/* All bytes but the continuations 10xxxxxx. */

uint32_t
cel_utf8_count(const char *s, size_t len)
{
    uint32_t  n;
    uint64_t  w;

    n = 0;

    while (len >= 8) {
        memcpy(&w, s, 8);
        w = w & CEL_HIGH_BITS & ~(w << 1);
        n += 8 - (uint32_t) __builtin_popcountll(w);
        s += 8;
        len -= 8;
    }

    while (len != 0) {
        n += (*s++ & 0xc0) != 0x80;
        len--;
    }

    return n;
}


size_t
cel_utf8_offset(const char *s, size_t len, uint32_t n)
{
    size_t  i;

    i = 0;

    while (n != 0 && i < len) {
        i++;

        while (i < len && (s[i] & 0xc0) == 0x80) {
            i++;
        }

        n--;
    }

    return i;
}
