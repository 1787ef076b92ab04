
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_formats.c - what is wrong in a text of a named format: the names of
 * Kubernetes, and URIs, UUIDs, base64, dates.
 */


#include "cel_formats.h"
#include "cel_url.h"


#define CEL_FORMATS_LABEL      "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define CEL_FORMATS_NAME                                                      \
    "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

#define CEL_FORMATS_LABEL_ERROR                                               \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric "     \
    "characters or '-', and must start and end with an alphanumeric "         \
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is " \
    "'" CEL_FORMATS_LABEL "')"

#define CEL_FORMATS_SUBDOMAIN_ERROR                                           \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric " \
    "characters, '-' or '.', and must start and end with an alphanumeric "    \
    "character (e.g. 'example.com', regex used for validation is "            \
    "'" CEL_FORMATS_LABEL "(\\." CEL_FORMATS_LABEL ")*')"

#define CEL_FORMATS_LABEL_1035_ERROR                                          \
    "a DNS-1035 label must consist of lower case alphanumeric characters or " \
    "'-', start with an alphabetic character, and end with an alphanumeric "  \
    "character (e.g. 'my-name',  or 'abc-123', regex used for validation is " \
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"

#define CEL_FORMATS_NAME_ERROR                                                \
    "must consist of alphanumeric characters, '-', '_' or '.', and must "     \
    "start and end with an alphanumeric character (e.g. 'MyName',  or "       \
    "'my.name',  or '123-abc', regex used for validation is "                 \
    "'" CEL_FORMATS_NAME "')"

#define CEL_FORMATS_VALUE_ERROR                                               \
    "a valid label must be an empty string or consist of alphanumeric "       \
    "characters, '-', '_' or '.', and must start and end with an "            \
    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "   \
    "regex used for validation is '(" CEL_FORMATS_NAME ")?')"


static cel_status_t
cel_formats_add(cel_eval_t *eval, cel_builder_t *messages, const char *text)
{
    cel_value_t  v;

    v = cel_string(text, strlen(text));

    return cel_builder_add(messages, eval, &v);
}


static bool
cel_formats_is_digit(char c)
{
    return c >= '0' && c <= '9';
}


static bool
cel_formats_is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || cel_formats_is_digit(c);
}


static bool
cel_formats_is_letter(char c)
{
    return cel_formats_is_lower(c) || (c >= 'A' && c <= 'Z');
}


static bool
cel_formats_is_label(const char *s, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (!cel_formats_is_lower(s[i]) && s[i] != '-') {
            return false;
        }
    }

    return len > 0 && s[0] != '-' && s[len - 1] != '-';
}


static bool
cel_formats_is_subdomain(const char *s, size_t len)
{
    const char  *dot;

    while (len > 0 && (dot = memchr(s, '.', len)) != NULL) {

        if (!cel_formats_is_label(s, (size_t) (dot - s))) {
            return false;
        }

        len -= (size_t) (dot + 1 - s);
        s = dot + 1;
    }

    return cel_formats_is_label(s, len);
}


static bool
cel_formats_is_name(const char *s, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (!cel_formats_is_letter(s[i]) && s[i] != '-' && s[i] != '_'
            && s[i] != '.')
        {
            return false;
        }
    }

    return len > 0 && cel_formats_is_letter(s[0])
           && cel_formats_is_letter(s[len - 1]);
}


static cel_status_t
cel_formats_limit(cel_eval_t *eval, size_t len, size_t max,
    cel_builder_t *messages)
{
    if (len <= max) {
        return CEL_OK;
    }

    return cel_formats_add(eval, messages, max == 63
                           ? "must be no more than 63 bytes"
                           : "must be no more than 253 bytes");
}


CEL_FORMATS_CHECK(cel_formats_label)
{
    if (cel_formats_limit(eval, len, 63, messages) != CEL_OK) {
        return CEL_ERROR;
    }

    if (cel_formats_is_label(s, len)) {
        return CEL_OK;
    }

    return cel_formats_add(eval, messages, cel_formats_is_subdomain(s, len)
                           ? "must not contain dots"
                           : CEL_FORMATS_LABEL_ERROR);
}


CEL_FORMATS_CHECK(cel_formats_label_1035)
{
    if (cel_formats_limit(eval, len, 63, messages) != CEL_OK) {
        return CEL_ERROR;
    }

    if (cel_formats_is_label(s, len) && !cel_formats_is_digit(s[0])) {
        return CEL_OK;
    }

    return cel_formats_add(eval, messages, CEL_FORMATS_LABEL_1035_ERROR);
}


CEL_FORMATS_CHECK(cel_formats_subdomain)
{
    if (cel_formats_limit(eval, len, 253, messages) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_formats_is_subdomain(s, len) ? CEL_OK
           : cel_formats_add(eval, messages, CEL_FORMATS_SUBDOMAIN_ERROR);
}


/* a name, behind a subdomain and a slash if it likes */

static cel_status_t
cel_formats_prefix(cel_eval_t *eval, const char *s, size_t len,
    cel_builder_t *messages)
{
    if (len == 0) {
        return cel_formats_add(eval, messages,
                               "prefix part must be non-empty");
    }

    if (len > 253
        && cel_formats_add(eval, messages,
                           "prefix part must be no more than 253 bytes")
           != CEL_OK)
    {
        return CEL_ERROR;
    }

    return cel_formats_is_subdomain(s, len) ? CEL_OK
           : cel_formats_add(eval, messages,
                             "prefix part " CEL_FORMATS_SUBDOMAIN_ERROR);
}


CEL_FORMATS_CHECK(cel_formats_qualified)
{
    const char  *slash;

    slash = len > 0 ? memchr(s, '/', len) : NULL;

    if (slash != NULL) {

        if (memchr(slash + 1, '/', len - (size_t) (slash + 1 - s)) != NULL) {
            return cel_formats_add(eval, messages, "a valid label key "
                                   CEL_FORMATS_NAME_ERROR " with an optional "
                                   "DNS subdomain prefix and '/' (e.g. "
                                   "'example.com/MyName')");
        }

        if (cel_formats_prefix(eval, s, (size_t) (slash - s), messages)
            != CEL_OK)
        {
            return CEL_ERROR;
        }

        len -= (size_t) (slash + 1 - s);
        s = slash + 1;
    }

    if ((len == 0 || len > 63)
        && cel_formats_add(eval, messages, len == 0
                           ? "name part must be non-empty"
                           : "name part must be no more than 63 bytes")
           != CEL_OK)
    {
        return CEL_ERROR;
    }

    return cel_formats_is_name(s, len) ? CEL_OK
           : cel_formats_add(eval, messages,
                             "name part " CEL_FORMATS_NAME_ERROR);
}


CEL_FORMATS_CHECK(cel_formats_value)
{
    if (cel_formats_limit(eval, len, 63, messages) != CEL_OK) {
        return CEL_ERROR;
    }

    return len == 0 || cel_formats_is_name(s, len) ? CEL_OK
           : cel_formats_add(eval, messages, CEL_FORMATS_VALUE_ERROR);
}


CEL_FORMATS_CHECK(cel_formats_uri)
{
    cel_url_t    url;
    cel_text_t   text;
    const char  *why;
    cel_value_t  v;

    why = cel_url_parse(s, len, &url);

    if (why == NULL) {
        return CEL_OK;
    }

    cel_text_init(&text, eval);
    text.paid = true;

    cel_text_add_z(&text, "parse \"");
    cel_text_add(&text, s, len);
    cel_text_add_z(&text, "\": ");
    cel_text_add_z(&text, why);

    return cel_text_done(&text, &v) == CEL_OK
           ? cel_builder_add(messages, eval, &v) : CEL_ERROR;
}


static bool
cel_formats_is_hex(char c)
{
    return cel_formats_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}


/* 8-4-4-4-12 digits, each hyphen may be missing */

CEL_FORMATS_CHECK(cel_formats_uuid)
{
    size_t    i;
    unsigned  digits;

    digits = 0;

    for (i = 0; i < len; i++) {

        if (cel_formats_is_hex(s[i])) {
            digits++;
            continue;
        }

        if (s[i] != '-' || digits < 8 || digits > 20 || digits % 4 != 0
            || s[i - 1] == '-')
        {
            break;
        }
    }

    return len > 0 && i == len && digits == 32 ? CEL_OK
           : cel_formats_add(eval, messages,
                             "does not match the UUID format");
}


/* base64 of the standard's alphabet, padded, not empty */

CEL_FORMATS_CHECK(cel_formats_byte)
{
    size_t  i, n;

    n = len;

    if (n > 0 && s[n - 1] == '=') {
        n--;
        n -= n > 0 && s[n - 1] == '=';
    }

    for (i = 0; i < n; i++) {
        if (!cel_formats_is_letter(s[i]) && s[i] != '+' && s[i] != '/') {
            break;
        }
    }

    return len > 0 && len % 4 == 0 && i == n ? CEL_OK
           : cel_formats_add(eval, messages, "invalid base64");
}


/* of a pattern, in which 0 is any digit */

static bool
cel_formats_is_like(const char *s, const char *pattern)
{
    for ( /* void */ ; *pattern != '\0'; s++, pattern++) {
        if (*pattern == '0' ? !cel_formats_is_digit(*s) : *s != *pattern) {
            return false;
        }
    }

    return true;
}


static unsigned
cel_formats_number(const char *s, unsigned digits)
{
    unsigned  value;

    for (value = 0; digits > 0; digits--) {
        value = value * 10 + (unsigned) (*s++ - '0');
    }

    return value;
}


/* YYYY-MM-DD, which is the calendar's */

static bool
cel_formats_is_date(const char *s)
{
    unsigned  year, month, day, days;

    if (!cel_formats_is_like(s, "0000-00-00")) {
        return false;
    }

    year = cel_formats_number(s, 4);
    month = cel_formats_number(s + 5, 2);
    day = cel_formats_number(s + 8, 2);

    if (month < 1 || month > 12) {
        return false;
    }

    days = 30 + ((month + (month > 7)) & 1);

    if (month == 2) {
        days = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29
                                                                     : 28;
    }

    return day >= 1 && day <= days;
}


CEL_FORMATS_CHECK(cel_formats_date)
{
    return len == 10 && cel_formats_is_date(s) ? CEL_OK
           : cel_formats_add(eval, messages, "invalid date");
}


/* hh:mm:ss, a fraction, Z or an offset */

static bool
cel_formats_is_time(const char *s, size_t len)
{
    size_t  i;

    if (len < 9 || !cel_formats_is_like(s, "00:00:00")
        || cel_formats_number(s, 2) > 23 || cel_formats_number(s + 3, 2) > 59
        || cel_formats_number(s + 6, 2) > 59)
    {
        return false;
    }

    i = 8;

    if (s[i] == '.') {
        do {
            i++;
        } while (i < len && cel_formats_is_digit(s[i]));

        if (i == 9) {
            return false;
        }
    }

    if (i + 1 == len) {
        return s[i] == 'Z' || s[i] == 'z';
    }

    return i + 6 == len && (s[i] == '+' || s[i] == '-')
           && cel_formats_is_like(s + i + 1, "00:00");
}


CEL_FORMATS_CHECK(cel_formats_datetime)
{
    return len > 11 && (s[10] == 'T' || s[10] == 't')
           && cel_formats_is_date(s)
           && cel_formats_is_time(s + 11, len - 11)
           ? CEL_OK : cel_formats_add(eval, messages, "invalid datetime");
}
