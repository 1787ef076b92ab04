
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_strings_ext.c - the `strings` extension: parts of texts and where
 * they are.  Positions count code points.  split, join and replace are
 * cel_strings_parts.c, format() is cel_format.c.
 */


#include "cel_strings.h"


#define CEL_SCAN      2, 1, 3, 1, CEL_CHARGE_SUM, CEL_RESULT_ELEMENT
#define CEL_FIND      2, 1, 0, 3, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_FIND_LAST                                                         \
    2, 1, 4, 3, CEL_CHARGE_PRODUCT, CEL_RESULT_SMALL
#define CEL_COPY      2, 1, 2, 1, CEL_CHARGE_SUM, CEL_RESULT_ARGS
#define CEL_QUOTE     2, 1, 1, 1, CEL_CHARGE_SUM, CEL_RESULT_ARGS_4
#define CEL_SPLIT     2, 2, 0, 3, CEL_CHARGE_SUM, CEL_RESULT_ARGS
#define CEL_JOIN      2, 4, 0, 1, CEL_CHARGE_DEEP, CEL_RESULT_ARGS
#define CEL_JOIN_BY   2, 4, 0, 3, CEL_CHARGE_DEEP, CEL_RESULT_PRODUCT
#define CEL_REPLACE   2, 1, 0, 7, CEL_CHARGE_PRODUCT, CEL_RESULT_PRODUCT
#define CEL_FORMAT    4, 16, 0, 3, CEL_CHARGE_DEEP, CEL_RESULT_PRODUCT


static CEL_STRINGS(cel_char_at);
static CEL_STRINGS(cel_index_of);
static CEL_STRINGS(cel_last_index_of);
static CEL_STRINGS(cel_substring);
static CEL_STRINGS(cel_trim);
static CEL_STRINGS(cel_reverse);
static CEL_STRINGS(cel_lower_ascii);
static CEL_STRINGS(cel_upper_ascii);
static CEL_STRINGS(cel_quote);


const cel_overload_spec_t  cel_lib_strings_ext[] = {

    CEL_OVERLOAD("charAt", "string_char_at_int", "string.(int): string",
                 cel_char_at, CEL_SCAN),
    CEL_OVERLOAD("indexOf", "string_index_of_string", "string.(string): int",
                 cel_index_of, CEL_FIND),
    CEL_OVERLOAD("indexOf", "string_index_of_string_int",
                 "string.(string, int): int", cel_index_of, CEL_FIND),
    CEL_OVERLOAD("lastIndexOf", "string_last_index_of_string",
                 "string.(string): int", cel_last_index_of,
                 CEL_FIND_LAST),
    CEL_OVERLOAD("lastIndexOf", "string_last_index_of_string_int",
                 "string.(string, int): int", cel_last_index_of,
                 CEL_FIND_LAST),
    CEL_OVERLOAD("substring", "string_substring_int", "string.(int): string",
                 cel_substring, CEL_SCAN),
    CEL_OVERLOAD("substring", "string_substring_int_int",
                 "string.(int, int): string", cel_substring, CEL_SCAN),
    CEL_OVERLOAD("trim", "string_trim", "string.(): string", cel_trim,
                 CEL_SCAN),
    CEL_OVERLOAD("reverse", "string_reverse", "string.(): string",
                 cel_reverse, CEL_COPY),
    CEL_OVERLOAD("lowerAscii", "string_lower_ascii", "string.(): string",
                 cel_lower_ascii, CEL_COPY),
    CEL_OVERLOAD("upperAscii", "string_upper_ascii", "string.(): string",
                 cel_upper_ascii, CEL_COPY),
    CEL_OVERLOAD("strings.quote", "strings_quote", "(string): string",
                 cel_quote, CEL_QUOTE),

    CEL_OVERLOAD("split", "string_split_string",
                 "string.(string): list(string)", cel_split, CEL_SPLIT),
    CEL_OVERLOAD("split", "string_split_string_int",
                 "string.(string, int): list(string)", cel_split, CEL_SPLIT),
    CEL_OVERLOAD("join", "list_join", "list(string).(): string", cel_join,
                 CEL_JOIN),
    CEL_OVERLOAD("join", "list_join_string", "list(string).(string): string",
                 cel_join, CEL_JOIN_BY),
    CEL_OVERLOAD("replace", "string_replace_string_string",
                 "string.(string, string): string", cel_replace,
                 CEL_REPLACE),
    CEL_OVERLOAD("replace", "string_replace_string_string_int",
                 "string.(string, string, int): string", cel_replace,
                 CEL_REPLACE),

    CEL_OVERLOAD("format", "string_format", "string.(list(dyn)): string",
                 cel_format, CEL_FORMAT),

    CEL_OVERLOADS_END
};


cel_status_t
cel_strings_range(cel_eval_t *eval, int64_t i)
{
    return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                         "index out of range: %lld", (long long) i);
}


static CEL_STRINGS(cel_char_at)
{
    size_t              from, to;
    int64_t             i;
    const cel_value_t  *s;

    s = &args[0];
    i = args[1].i;

    if (i < 0 || i > cel_utf8_count(s->s, s->len)) {
        return cel_strings_range(eval, i);
    }

    from = cel_utf8_offset(s->s, s->len, (uint32_t) i);
    to = from + cel_utf8_offset(s->s + from, s->len - from, 1);

    *out = cel_string(s->s + from, to - from);

    return CEL_OK;
}


static CEL_STRINGS(cel_index_of)
{
    size_t              from;
    int64_t             i;
    const char         *found;
    const cel_value_t  *s, *part;

    s = &args[0];
    part = &args[1];
    i = n == 3 ? args[2].i : 0;

    if (i < 0 || i > cel_utf8_count(s->s, s->len)) {
        return cel_strings_range(eval, i);
    }

    if (part->len == 0) {
        *out = cel_int(i);
        return CEL_OK;
    }

    *out = cel_int(-1);
    from = cel_utf8_offset(s->s, s->len, (uint32_t) i);
    found = cel_strings_find(s->s + from, s->len - from, part);

    if (found != NULL) {
        *out = cel_int(cel_utf8_count(s->s, (size_t) (found - s->s)));
    }

    return CEL_OK;
}


/*
 * The last start not after the offset; candidates are tried from there.
 * Nothing starts at the end of the text, which is what cel-go answers.
 */

static CEL_STRINGS(cel_last_index_of)
{
    size_t              at;
    int64_t             i, size;
    const cel_value_t  *s, *part;

    s = &args[0];
    part = &args[1];
    size = cel_utf8_count(s->s, s->len);
    i = n == 3 ? args[2].i : size;

    if (i < 0 || i > size) {
        return cel_strings_range(eval, i);
    }

    if (part->len == 0) {
        *out = cel_int(i);
        return CEL_OK;
    }

    *out = cel_int(-1);
    at = cel_utf8_offset(s->s, s->len, (uint32_t) i);

    if (part->len > s->len || (n == 3 && i == size)) {
        return CEL_OK;
    }

    if (at > s->len - part->len) {
        at = s->len - part->len;
    }

    for ( ;; ) {
        if (memcmp(s->s + at, part->s, part->len) == 0) {
            *out = cel_int(cel_utf8_count(s->s, at));
            return CEL_OK;
        }

        if (at-- == 0) {
            return CEL_OK;
        }
    }
}


static CEL_STRINGS(cel_substring)
{
    size_t              from, to;
    int64_t             start, end, size;
    const cel_value_t  *s;

    s = &args[0];
    size = cel_utf8_count(s->s, s->len);
    start = args[1].i;
    end = n == 3 ? args[2].i : size;

    if (start < 0 || start > size) {
        return cel_strings_range(eval, start);
    }

    if (end < 0 || end > size) {
        return cel_strings_range(eval, end);
    }

    if (start > end) {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                             "invalid substring range. start: %lld, end: "
                             "%lld", (long long) start, (long long) end);
    }

    from = cel_utf8_offset(s->s, s->len, (uint32_t) start);
    to = from + cel_utf8_offset(s->s + from, s->len - from,
                                (uint32_t) (end - start));

    *out = cel_string(s->s + from, to - from);

    return CEL_OK;
}


/* Bytes of the white space of Unicode that s starts with, or 0. */

static size_t
cel_space(const char *s, size_t len)
{
    unsigned char  a, b, c;

    a = len > 0 ? (unsigned char) s[0] : 0;
    b = len > 1 ? (unsigned char) s[1] : 0;
    c = len > 2 ? (unsigned char) s[2] : 0;

    if (a == ' ' || (a >= '\t' && a <= '\r')) {
        return 1;
    }

    /* U+0085, U+00A0 */

    if (a == 0xc2 && (b == 0x85 || b == 0xa0)) {
        return 2;
    }

    /* U+1680, U+2000..200A, U+2028, U+2029, U+202F, U+205F, U+3000 */

    if ((a == 0xe1 && b == 0x9a && c == 0x80)
        || (a == 0xe2 && b == 0x80
            && ((c >= 0x80 && c <= 0x8a) || c == 0xa8 || c == 0xa9
                || c == 0xaf))
        || (a == 0xe2 && b == 0x81 && c == 0x9f)
        || (a == 0xe3 && b == 0x80 && c == 0x80))
    {
        return 3;
    }

    return 0;
}


static CEL_STRINGS(cel_trim)
{
    size_t       len, k;
    const char  *s;

    s = args[0].s;
    len = args[0].len;

    while ((k = cel_space(s, len)) != 0) {
        s += k;
        len -= k;
    }

    while (len != 0) {

        for (k = 1; k < 3 && k < len && (s[len - k] & 0xc0) == 0x80; k++) {
            /* void */
        }

        if (cel_space(s + len - k, k) != k) {
            break;
        }

        len -= k;
    }

    *out = cel_string(s, len);

    return CEL_OK;
}


static CEL_STRINGS(cel_reverse)
{
    char        *p;
    size_t       i, k, len;
    const char  *s;

    s = args[0].s;
    len = args[0].len;

    p = cel_new_string(eval, len, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < len; i += k) {
        k = cel_utf8_offset(s + i, len - i, 1);
        memcpy(p + len - i - k, s + i, k);
    }

    return CEL_OK;
}


static CEL_STRINGS(cel_lower_ascii)
{
    char      c, *p;
    uint32_t  i;

    p = cel_new_string(eval, args[0].len, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < args[0].len; i++) {
        c = args[0].s[i];
        p[i] = c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c;
    }

    return CEL_OK;
}


static CEL_STRINGS(cel_upper_ascii)
{
    char      c, *p;
    uint32_t  i;

    p = cel_new_string(eval, args[0].len, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < args[0].len; i++) {
        c = args[0].s[i];
        p[i] = c >= 'a' && c <= 'z' ? (char) (c & ~0x20) : c;
    }

    return CEL_OK;
}


/* In double quotes, so that it is a literal of the language. */

static CEL_STRINGS(cel_quote)
{
    char         c, *p;
    size_t       k;
    uint32_t     i;
    const char  *found;

    static const char  plain[] = "\a\b\f\n\r\t\v\\\"";
    static const char  letter[] = "abfnrtv\\\"";

    p = cel_new_string(eval, 2 * (size_t) args[0].len + 2, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    k = 0;
    p[k++] = '"';

    for (i = 0; i < args[0].len; i++) {
        c = args[0].s[i];
        found = c != '\0' ? strchr(plain, c) : NULL;

        if (found != NULL) {
            p[k++] = '\\';
            c = letter[found - plain];
        }

        p[k++] = c;
    }

    p[k++] = '"';
    out->len = (uint32_t) k;

    return CEL_OK;
}
