
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Which headers an output may set: names are tokens (RFC 9110, 5.6.2) and
 * none that governs the connection or the framing of a message, values hold
 * no control bytes.
 */


#include <string.h>
#include "workflow_policy.h"


static bool header_is_token(unsigned char c);
static bool header_same(const char *name, size_t len, const char *forbidden);


bool
workflow_header_name_valid(const char *name, size_t len)
{
    size_t              i;
    const char *const  *word;

    static const char *const  forbidden[] = {
        "connection", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "http2-settings", "expect", "host",
        "content-length", NULL
    };

    if (len == 0 || len > 255) {
        return false;
    }

    for (i = 0; i < len; i++) {
        if (!header_is_token(name[i])) {
            return false;
        }
    }

    for (word = forbidden; *word != NULL; word++) {
        if (header_same(name, len, *word)) {
            return false;
        }
    }

    return true;
}


bool
workflow_header_value_valid(const char *value, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if ((unsigned char) value[i] < 0x20 || value[i] == 0x7f) {
            return false;
        }
    }

    return true;
}


void
workflow_header_show(const char *name, size_t len,
    char shown[WORKFLOW_HEADER_SHOWN])
{
    size_t  i;

    if (len >= WORKFLOW_HEADER_SHOWN) {
        len = WORKFLOW_HEADER_SHOWN - 1;

        /* before the first byte of a character */

        while (len > 0 && (name[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    for (i = 0; i < len; i++) {
        shown[i] = (unsigned char) name[i] < 0x20 || name[i] == 0x7f
                   ? '?' : name[i];
    }

    shown[len] = '\0';
}


static bool
header_is_token(unsigned char c)
{
    if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) {
        return true;
    }

    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}


/* whatever the case, and "_" as "-", as some servers read it */

static bool
header_same(const char *name, size_t len, const char *forbidden)
{
    size_t  i;
    char    c;

    if (strlen(forbidden) != len) {
        return false;
    }

    for (i = 0; i < len; i++) {
        c = name[i];
        c = (c >= 'A' && c <= 'Z') ? c | 0x20 : c;
        c = (c == '_') ? '-' : c;

        if (c != forbidden[i]) {
            return false;
        }
    }

    return true;
}


bool
workflow_header_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    char    buf[256];
    size_t  i;

    if (a_len != b_len || b_len >= sizeof(buf)) {
        return false;
    }

    for (i = 0; i < b_len; i++) {
        buf[i] = (b[i] >= 'A' && b[i] <= 'Z') ? b[i] | 0x20 : b[i];
        buf[i] = (buf[i] == '_') ? '-' : buf[i];
    }

    buf[b_len] = '\0';

    return header_same(a, a_len, buf);
}
