
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_number.c - numbers as text, the way string() writes them.  No locale.
 */


#include "cel_charconv.h"
#include "cel_runtime.h"

#include <math.h>


static size_t cel_text(char *buf, const char *text);


size_t
cel_uint_format(uint64_t u, char *buf)
{
    char    *p, digits[24];
    size_t   len;

    p = digits + sizeof(digits);

    do {
        *--p = (char) ('0' + u % 10);
        u /= 10;
    } while (u != 0);

    len = (size_t) (digits + sizeof(digits) - p);
    memcpy(buf, p, len);

    return len;
}


size_t
cel_int_format(int64_t i, char *buf)
{
    if (i >= 0) {
        return cel_uint_format((uint64_t) i, buf);
    }

    buf[0] = '-';

    return 1 + cel_uint_format(-(uint64_t) i, buf + 1);
}


static size_t
cel_text(char *buf, const char *text)
{
    size_t  len;

    len = strlen(text);
    memcpy(buf, text, len);

    return len;
}


/*
 * The shortest digits that read back the same; with an exponent when that is
 * below -4 or at least from.
 */

size_t
cel_double_format(double d, int from, char *buf)
{
    int      exponent, i, digits;
    char     text[CEL_NUMBER_TEXT], *p, *out;
    size_t   len;

    if (d != d) {
        return cel_text(buf, "NaN");
    }

    if (isinf(d)) {
        return cel_text(buf, d < 0 ? "-Inf" : "+Inf");
    }

    len = cel_double_to_scientific(d, text, sizeof(text) - 1);
    text[len] = '\0';

    /* [-]d[.ddd]e[+-]xx */

    p = strchr(text, 'e');
    exponent = 0;

    for (out = p + 2; *out != '\0'; out++) {
        exponent = exponent * 10 + (*out - '0');
    }

    if (p[1] == '-') {
        exponent = -exponent;
    }

    if (exponent < -4 || exponent >= from) {
        memcpy(buf, text, len);
        return len;
    }

    out = buf;

    if (text[0] == '-') {
        *out++ = '-';
        memmove(text, text + 1, (size_t) (p - text));
        p--;
    }

    /* the digits alone */

    digits = 1;

    for (i = 2; text + i < p; i++) {
        text[digits++] = text[i];
    }

    if (exponent < 0) {
        *out++ = '0';
        *out++ = '.';

        for (i = -1; i > exponent; i--) {
            *out++ = '0';
        }
    }

    for (i = 0; i < digits || i <= exponent; i++) {
        *out++ = i < digits ? text[i] : '0';

        if (i == exponent && i + 1 < digits) {
            *out++ = '.';
        }
    }

    return (size_t) (out - buf);
}


static bool
cel_is_word(const char *s, size_t len, const char *word)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (word[i] == '\0' || (s[i] | 0x20) != word[i]) {
            return false;
        }
    }

    return word[len] == '\0';
}


/* A sign, then decimal digits with fraction and exponent, inf or nan. */

bool
cel_double_parse(const char *s, size_t len, double *d)
{
    bool  minus;

    minus = false;

    if (len != 0 && (*s == '+' || *s == '-')) {
        minus = *s == '-';
        s++;
        len--;
    }

    if (len == 0 || *s == '-' || *s == '+') {
        return false;
    }

    if (cel_is_word(s, len, "inf") || cel_is_word(s, len, "infinity")) {
        *d = minus ? -INFINITY : INFINITY;
        return true;
    }

    if (cel_is_word(s, len, "nan")) {
        *d = NAN;
        return true;
    }

    if ((*s < '0' || *s > '9') && *s != '.') {
        return false;
    }

    if (!cel_double_from_chars(s, len, d)) {
        return false;
    }

    if (minus) {
        *d = -*d;
    }

    return true;
}
