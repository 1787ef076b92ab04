
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_json_error.c - where and why a JSON text is wrong.  simdjson says that
 * it is, not where; this reads the text once more, at its leisure, and only
 * for the message.
 */


#include "cel_ast.h"
#include "cel_charconv.h"
#include "cel_json.h"

#include <stdio.h>


#define CEL_JSON_STACK  (CEL_SIMDJSON_DEPTH_MAX + 1)


/* A reader at s[i]; fault stays NULL while all is well. */

typedef struct {
    const char               *s;
    size_t                    len;
    size_t                    i;
    const char               *fault;
    uint32_t                  depth;
    uint32_t                  max_depth;
    char                      open[CEL_JSON_STACK];
} cel_json_reader_t;


static void cel_json_read_value(cel_json_reader_t *r);
static bool cel_json_after_value(cel_json_reader_t *r);
static bool cel_json_read_key(cel_json_reader_t *r);
static void cel_json_read_string(cel_json_reader_t *r);
static void cel_json_read_escape(cel_json_reader_t *r);
static void cel_json_read_number(cel_json_reader_t *r);
static bool cel_json_number_fits(const char *s, size_t len, bool whole);
static void cel_json_read_word(cel_json_reader_t *r, const char *word);


void
cel_json_no_memory(cel_json_text_t *text)
{
    memset(text->error, 0, offsetof(cel_error_t, message));
    text->error->kind = CEL_E_MEMORY;
    snprintf(text->error->message, CEL_MESSAGE_MAX,
             "out of memory for a JSON document of %zu bytes", text->len);
}


void
cel_json_fail(cel_json_text_t *text, size_t offset, const char *message)
{
    cel_error_t  *error;

    error = text->error;

    error->kind = CEL_E_PARSE;
    error->host_code = 0;
    error->offset = offset > UINT32_MAX ? UINT32_MAX : (uint32_t) offset;
    cel_position(text->s, text->len, error->offset, &error->line,
                 &error->column);

    snprintf(error->message, CEL_MESSAGE_MAX, "invalid JSON: %s", message);
}


/* The n-th string of the text, from 0. */

void
cel_json_fail_duplicate(cel_json_text_t *text, uint32_t n,
    const cel_value_t *key)
{
    char    name[64], message[128];
    size_t  i, start;

    start = 0;

    for (i = 0; i < text->len; i++) {

        if (text->s[i] != '"') {
            continue;
        }

        start = i;

        for (i++; i < text->len && text->s[i] != '"'; i++) {
            if (text->s[i] == '\\') {
                i++;
            }
        }

        if (n-- == 0) {
            break;
        }
    }

    cel_value_text(key, name, sizeof(name));
    snprintf(message, sizeof(message), "duplicate key \"%s\"", name);

    cel_json_fail(text, start, message);
    text->error->kind = CEL_E_DUPLICATE_KEY;
}


static void
cel_json_space(cel_json_reader_t *r)
{
    while (r->i < r->len
           && (r->s[r->i] == ' ' || r->s[r->i] == '\n' || r->s[r->i] == '\t'
               || r->s[r->i] == '\r'))
    {
        r->i++;
    }
}


void
cel_json_diagnose(cel_json_text_t *text)
{
    cel_json_reader_t  r;

    r.s = text->s;
    r.len = text->len;
    r.i = 0;
    r.fault = NULL;
    r.depth = 0;
    r.max_depth = text->max_depth;

    cel_json_space(&r);

    if (r.i == r.len) {
        cel_json_fail(text, 0, "the document is empty");
        return;
    }

    if (r.len >= 3 && memcmp(r.s, "\xef\xbb\xbf", 3) == 0) {
        cel_json_fail(text, 0, "a byte order mark is not allowed");
        return;
    }

    do {
        cel_json_space(&r);
        cel_json_read_value(&r);
    } while (r.fault == NULL && cel_json_after_value(&r));

    if (r.fault == NULL && r.i < r.len) {
        r.fault = "something follows the value";
    }

    if (r.fault == NULL) {
        r.fault = "malformed document";
        r.i = 0;
    }

    cel_json_fail(text, r.i, r.fault);
}


/* A value, or the start of a container up to its first value. */

static void
cel_json_read_value(cel_json_reader_t *r)
{
    char  c;

    if (r->i == r->len) {
        r->fault = "unexpected end, a value is missing";
        return;
    }

    c = r->s[r->i];

    switch (c) {

    case '"':
        cel_json_read_string(r);
        return;

    case 't':
        cel_json_read_word(r, "true");
        return;

    case 'f':
        cel_json_read_word(r, "false");
        return;

    case 'n':
        cel_json_read_word(r, "null");
        return;

    case '{':
    case '[':
        if (r->depth == r->max_depth) {
            r->fault = "the document nests too deep";
            return;
        }

        r->open[r->depth++] = c;
        r->i++;
        cel_json_space(r);

        if (r->i < r->len && r->s[r->i] == (c == '{' ? '}' : ']')) {
            r->i++;
            r->depth--;
            return;
        }

        if (c == '[' || cel_json_read_key(r)) {
            cel_json_space(r);
            cel_json_read_value(r);
        }

        return;

    default:
        if (c == '-' || (c >= '0' && c <= '9')) {
            cel_json_read_number(r);
            return;
        }

        r->fault = "unexpected character, a value is missing";
    }
}


/* What closes or goes on; true when another value is to come. */

static bool
cel_json_after_value(cel_json_reader_t *r)
{
    char  c, open;

    for ( ;; ) {
        cel_json_space(r);

        if (r->depth == 0) {
            return false;
        }

        open = r->open[r->depth - 1];

        if (r->i == r->len) {
            r->fault = open == '{' ? "unexpected end, '}' is missing"
                                   : "unexpected end, ']' is missing";
            return false;
        }

        c = r->s[r->i];

        if (c == ',') {
            r->i++;
            return open == '[' || cel_json_read_key(r);
        }

        if (c != (open == '{' ? '}' : ']')) {
            r->fault = open == '{' ? "',' or '}' is missing"
                                   : "',' or ']' is missing";
            return false;
        }

        r->i++;
        r->depth--;
    }
}


static bool
cel_json_read_key(cel_json_reader_t *r)
{
    cel_json_space(r);

    if (r->i == r->len || r->s[r->i] != '"') {
        r->fault = "a key in double quotes is missing";
        return false;
    }

    cel_json_read_string(r);
    cel_json_space(r);

    if (r->fault == NULL && (r->i == r->len || r->s[r->i] != ':')) {
        r->fault = "':' is missing after the key";
    }

    if (r->fault != NULL) {
        return false;
    }

    r->i++;

    return true;
}


static void
cel_json_read_string(cel_json_reader_t *r)
{
    size_t  start;

    start = r->i++;

    while (r->i < r->len && r->s[r->i] != '"') {

        if ((unsigned char) r->s[r->i] < 0x20) {
            r->fault = "control character in a string";
            return;
        }

        if (r->s[r->i] == '\\') {
            cel_json_read_escape(r);

            if (r->fault != NULL) {
                return;
            }

        } else {
            r->i++;
        }
    }

    if (r->i == r->len) {
        r->i = start;
        r->fault = "the string does not end";
        return;
    }

    if (!cel_utf8_valid(r->s + start, r->i - start)) {
        r->i = start;
        r->fault = "the string is not valid UTF-8";
        return;
    }

    r->i++;
}


static int
cel_json_hex4(const cel_json_reader_t *r, size_t i)
{
    int     value;
    char    c;
    size_t  end;

    if (r->len - i < 4) {
        return -1;
    }

    value = 0;

    for (end = i + 4; i < end; i++) {
        c = r->s[i];
        value <<= 4;

        if (c >= '0' && c <= '9') {
            value |= c - '0';

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            value |= (c | 0x20) - 'a' + 10;

        } else {
            return -1;
        }
    }

    return value;
}


static void
cel_json_read_escape(cel_json_reader_t *r)
{
    int   unit, low;
    char  c;

    c = r->i + 1 < r->len ? r->s[r->i + 1] : '\0';

    if (c != '\0' && strchr("\"\\/bfnrt", c) != NULL) {
        r->i += 2;
        return;
    }

    unit = c == 'u' ? cel_json_hex4(r, r->i + 2) : -1;

    if (unit < 0) {
        r->fault = "invalid escape in a string";
        return;
    }

    if ((unit & 0xf800) != 0xd800) {
        r->i += 6;
        return;
    }

    /* a pair of surrogates, high then low */

    low = -1;

    if ((unit & 0xfc00) == 0xd800 && r->len - r->i >= 12
        && r->s[r->i + 6] == '\\' && r->s[r->i + 7] == 'u')
    {
        low = cel_json_hex4(r, r->i + 8);
    }

    if (low < 0 || (low & 0xfc00) != 0xdc00) {
        r->fault = "lone surrogate in a string";
        return;
    }

    r->i += 12;
}


static size_t
cel_json_digits(const cel_json_reader_t *r, size_t i)
{
    while (i < r->len && r->s[i] >= '0' && r->s[i] <= '9') {
        i++;
    }

    return i;
}


/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */

static void
cel_json_read_number(cel_json_reader_t *r)
{
    bool    whole;
    size_t  i, next;

    whole = true;
    i = r->i + (r->s[r->i] == '-');
    next = cel_json_digits(r, i);

    r->fault = "invalid number";

    if (next == i || (r->s[i] == '0' && next != i + 1)) {
        return;
    }

    i = next;

    if (i < r->len && r->s[i] == '.') {
        whole = false;
        next = cel_json_digits(r, ++i);

        if (next == i) {
            return;
        }

        i = next;
    }

    if (i < r->len && (r->s[i] | 0x20) == 'e') {
        whole = false;
        i++;

        if (i < r->len && (r->s[i] == '+' || r->s[i] == '-')) {
            i++;
        }

        next = cel_json_digits(r, i);

        if (next == i) {
            return;
        }

        i = next;
    }

    if (!cel_json_number_fits(r->s + r->i, i - r->i, whole)) {
        r->fault = "number beyond 64 bits or the range of a double";
        return;
    }

    r->fault = NULL;
    r->i = i;
}


static bool
cel_json_number_fits(const char *s, size_t len, bool whole)
{
    bool      minus;
    double    d;
    size_t    i;
    uint64_t  u;

    if (!whole) {
        /* too small a number reads as 0 and is accepted */
        return cel_double_from_chars(s, len, &d)
               || memchr(s + 1, '-', len - 1) != NULL;
    }

    minus = *s == '-';
    u = 0;

    for (i = minus; i < len; i++) {
        if (__builtin_mul_overflow(u, 10, &u)
            || __builtin_add_overflow(u, (uint64_t) (s[i] - '0'), &u))
        {
            return false;
        }
    }

    return !minus || u <= (uint64_t) INT64_MAX + 1;
}


static void
cel_json_read_word(cel_json_reader_t *r, const char *word)
{
    size_t  len;

    len = strlen(word);

    if (r->len - r->i < len || memcmp(r->s + r->i, word, len) != 0) {
        r->fault = "unexpected character, a value is missing";
        return;
    }

    r->i += len;
}
