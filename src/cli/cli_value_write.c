
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Values as cel.expr.Value in protobuf's JSON mapping.
 */


#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cli_jsonl.h"


#define WRITE_DEPTH  200


static json_t *write_value(cli_line_t *line, const cel_value_t *value,
    uint32_t depth);
static json_t *write_double(double d);
static json_t *write_bytes(cli_line_t *line, const cel_value_t *value);
static json_t *write_time(cli_line_t *line, const cel_value_t *value,
    const char *type);
static json_t *write_opaque(cli_line_t *line, const cel_value_t *value);
static json_t *write_optional(cli_line_t *line, const cel_value_t *value,
    uint32_t depth);
static json_t *write_list(cli_line_t *line, const cel_value_t *value,
    uint32_t depth);
static json_t *write_map(cli_line_t *line, const cel_value_t *value,
    uint32_t depth);
static json_t *write_type(const cel_type_t *type);
static json_t *write_text(const char *key, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


json_t *
cli_value_write(cli_line_t *line, const cel_value_t *value)
{
    json_t  *json;

    cli_line_fail(line, "not enough memory for the value");
    json = write_value(line, value, 0);

    return json;
}


static json_t *
write_value(cli_line_t *line, const cel_value_t *value, uint32_t depth)
{
    if (depth > WRITE_DEPTH) {
        cli_line_fail(line, "a value with more than %d levels", WRITE_DEPTH);
        return NULL;
    }

    switch (value->kind) {

    case CEL_NULL:
        return json_pack("{s:n}", "nullValue");

    case CEL_BOOL:
        return json_pack("{s:b}", "boolValue", (int) value->b);

    case CEL_INT:
        return write_text("int64Value", "%" PRId64, value->i);

    case CEL_UINT:
        return write_text("uint64Value", "%" PRIu64, value->u);

    case CEL_DOUBLE:
        return json_pack("{s:o}", "doubleValue", write_double(value->d));

    case CEL_STRING:
        return json_pack("{s:s%}", "stringValue", value->len ? value->s : "",
                         (size_t) value->len);

    case CEL_BYTES:
        return write_bytes(line, value);

    case CEL_TIMESTAMP:
        return write_time(line, value, "Timestamp");

    case CEL_DURATION:
        return write_time(line, value, "Duration");

    case CEL_LIST:
        return write_list(line, value, depth);

    case CEL_MAP:
        return write_map(line, value, depth);

    case CEL_TYPE:
        return write_type(value->t);

    case CEL_OPTIONAL:
        return write_optional(line, value, depth);

    case CEL_OPAQUE:
        return write_opaque(line, value);

    default:
        cli_line_fail(line, "the value has no cel.expr.Value");
        return NULL;
    }
}


static json_t *
write_double(double d)
{
    if (isnan(d)) {
        return json_string("NaN");
    }

    if (isinf(d)) {
        return json_string(d > 0 ? "Infinity" : "-Infinity");
    }

    return json_real(d);
}


static json_t *
write_bytes(cli_line_t *line, const cel_value_t *value)
{
    char                 *out, *p;
    uint32_t              i, acc, left;
    const unsigned char  *s;

    static const char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    p = out = cel_arena_alloc(&line->arena, (size_t) value->len / 3 * 4 + 8);

    if (out == NULL) {
        return NULL;
    }

    s = (const unsigned char *) value->s;

    for (i = 0; i < value->len; i += 3) {
        left = value->len - i;

        acc = (uint32_t) s[i] << 16
              | (left > 1 ? (uint32_t) s[i + 1] << 8 : 0)
              | (left > 2 ? (uint32_t) s[i + 2] : 0);

        *p++ = alphabet[acc >> 18];
        *p++ = alphabet[acc >> 12 & 0x3f];
        *p++ = left > 1 ? alphabet[acc >> 6 & 0x3f] : '=';
        *p++ = left > 2 ? alphabet[acc & 0x3f] : '=';
    }

    *p = '\0';

    return json_pack("{s:s}", "bytesValue", out);
}


static json_t *
write_time(cli_line_t *line, const cel_value_t *value, const char *type)
{
    size_t       len;
    const char  *text;

    /* JSON text, in quotes */

    if (cel_to_json(&line->eval, value, &text, &len) != CEL_OK || len < 2) {
        cli_line_fail(line, "%s", line->eval.error.message);
        return NULL;
    }

    return json_pack("{s:{s:s+, s:s%}}", "objectValue", "@type",
                     "type.googleapis.com/google.protobuf.", type,
                     "value", text + 1, len - 2);
}


/* no cel.expr.Value: {} for optional.none() */

static json_t *
write_optional(cli_line_t *line, const cel_value_t *value, uint32_t depth)
{
    json_t  *inner;

    if (value->v == NULL) {
        return json_pack("{s:{}}", "optionalValue");
    }

    inner = write_value(line, value->v, depth + 1);

    return inner != NULL
           ? json_pack("{s:{s:o}}", "optionalValue", "value", inner) : NULL;
}


/* an address, a quantity: no protobuf type is like it, so its text */

static json_t *
write_opaque(cli_line_t *line, const cel_value_t *value)
{
    size_t       len;
    json_t      *text;
    const char  *p;

    if (cel_to_json(&line->eval, value, &p, &len) != CEL_OK) {
        cli_line_fail(line, "%s", line->eval.error.message);
        return NULL;
    }

    text = json_loadb(p, len, JSON_DECODE_ANY, NULL);

    return text != NULL ? json_pack("{s:o}", "stringValue", text) : NULL;
}


static json_t *
write_list(cli_line_t *line, const cel_value_t *value, uint32_t depth)
{
    json_t       *list, *item;
    uint32_t      i;
    cel_value_t   v;

    list = json_array();

    for (i = 0; i < cel_size(value); i++) {

        item = cel_entry(&line->eval, value, i, NULL, &v) == CEL_OK
               ? write_value(line, &v, depth + 1) : NULL;

        if (json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }

    if (json_array_size(list) == 0) {
        json_decref(list);
        return json_pack("{s:{}}", "listValue");
    }

    return json_pack("{s:{s:o}}", "listValue", "values", list);
}


static json_t *
write_map(cli_line_t *line, const cel_value_t *value, uint32_t depth)
{
    json_t       *entries, *k, *v;
    uint32_t      i;
    cel_value_t   key, item;

    entries = json_array();

    for (i = 0; i < cel_size(value); i++) {

        if (cel_entry(&line->eval, value, i, &key, &item) != CEL_OK) {
            json_decref(entries);
            return NULL;
        }

        k = write_value(line, &key, depth + 1);
        v = k != NULL ? write_value(line, &item, depth + 1) : NULL;

        if (v == NULL) {
            json_decref(k);
            json_decref(entries);
            return NULL;
        }

        if (json_array_append_new(entries, json_pack("{s:o, s:o}", "key", k,
                                                     "value", v))
            != 0)
        {
            json_decref(entries);
            return NULL;
        }
    }

    if (json_array_size(entries) == 0) {
        json_decref(entries);
        return json_pack("{s:{}}", "mapValue");
    }

    return json_pack("{s:{s:o}}", "mapValue", "entries", entries);
}


/* the type's name, without parameters, as protobuf knows it */

static json_t *
write_type(const cel_type_t *type)
{
    char  text[256];

    cel_type_format(type, text, sizeof(text));
    text[strcspn(text, "(")] = '\0';

    if (strcmp(text, "timestamp") == 0) {
        return write_text("typeValue", "google.protobuf.Timestamp");
    }

    if (strcmp(text, "duration") == 0) {
        return write_text("typeValue", "google.protobuf.Duration");
    }

    if (strcmp(text, "null") == 0) {
        return write_text("typeValue", "null_type");
    }

    return write_text("typeValue", "%s", text);
}


static json_t *
write_text(const char *key, const char *fmt, ...)
{
    char     text[256];
    va_list  ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    return json_pack("{s:s}", key, text);
}
