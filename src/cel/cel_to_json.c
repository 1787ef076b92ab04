
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_to_json.c - values as JSON text, by protobuf's mapping.
 */


#include "cel_text.h"


static cel_status_t cel_json_put(cel_text_t *text, const cel_value_t *v,
    uint32_t depth);
static void cel_json_put_opaque(cel_text_t *text,
    const cel_opaque_t *opaque);
static cel_status_t cel_json_put_double(cel_text_t *text, double d);
static void cel_json_put_string(cel_text_t *text, const char *s, size_t len);
static void cel_json_put_escape(cel_text_t *text, unsigned char c);
static void cel_json_put_base64(cel_text_t *text, const char *s, size_t len);
static void cel_json_put_time(cel_text_t *text, const cel_value_t *v);
static cel_status_t cel_json_put_list(cel_text_t *text, const cel_value_t *v,
    uint32_t depth);
static cel_status_t cel_json_put_map(cel_text_t *text, const cel_value_t *v,
    uint32_t depth);
static cel_status_t cel_json_put_key(cel_text_t *text,
    const cel_value_t *map, const cel_value_t *key);
static cel_status_t cel_json_key_once(cel_text_t *text,
    const cel_value_t *map, const char *key, size_t len);


cel_status_t
cel_to_json(cel_eval_t *eval, const cel_value_t *v, const char **s,
    size_t *len)
{
    cel_text_t    text;
    cel_status_t  rc;

    cel_text_init(&text, eval);

    rc = cel_json_put(&text, v, 0);

    if (rc == CEL_OK) {
        cel_text_char(&text, '\0');
        rc = text.status;
    }

    if (rc == CEL_OK) {
        *s = text.s;
        *len = text.len - 1;
    }

    return rc;
}


static cel_status_t
cel_json_put(cel_text_t *text, const cel_value_t *v, uint32_t depth)
{
    char    number[CEL_NUMBER_TEXT];
    size_t  len;

    if (depth > CEL_VALUE_DEPTH) {
        return cel_eval_fail(text->eval, CEL_E_DEPTH,
                             "values nest too deep for JSON");
    }

    switch (v->kind) {

    case CEL_NULL:
        cel_text_add_z(text, "null");
        break;

    case CEL_BOOL:
        cel_text_add_z(text, v->b ? "true" : "false");
        break;

    case CEL_INT:
        len = cel_int_format(v->i, number);
        cel_text_add(text, number, len);
        break;

    case CEL_UINT:
        len = cel_uint_format(v->u, number);
        cel_text_add(text, number, len);
        break;

    case CEL_DOUBLE:
        return cel_json_put_double(text, v->d);

    case CEL_STRING:
        cel_json_put_string(text, v->s, v->len);
        break;

    case CEL_BYTES:
        cel_json_put_base64(text, v->s, v->len);
        break;

    case CEL_TIMESTAMP:
    case CEL_DURATION:
        cel_json_put_time(text, v);
        break;

    case CEL_LIST:
        return cel_json_put_list(text, v, depth);

    case CEL_MAP:
        return cel_json_put_map(text, v, depth);

    case CEL_TYPE:
        cel_json_put_string(text, v->t->name, strlen(v->t->name));
        break;

    case CEL_OPAQUE:
        cel_json_put_opaque(text, (const cel_opaque_t *) v->o);
        break;

    case CEL_OPTIONAL:
        if (v->v == NULL) {
            cel_text_add_z(text, "null");
            break;
        }

        return cel_json_put(text, v->v, depth + 1);

    default:
        return cel_eval_fail(text->eval, CEL_E_INVALID_ARGUMENT,
                             "a value of this type has no JSON form");
    }

    return text->status;
}


static void
cel_json_put_opaque(cel_text_t *text, const cel_opaque_t *opaque)
{
    char         buf[CEL_OPAQUE_TEXT];
    size_t       len;
    const char  *s;

    s = cel_opaque_text(opaque, buf, &len);
    cel_json_put_string(text, s, len);
}


/* A whole number keeps a fraction, so that it reads back as a double. */

static cel_status_t
cel_json_put_double(cel_text_t *text, double d)
{
    char    number[CEL_NUMBER_TEXT];
    size_t  len;

    if (d != d || d - d != 0) {
        return cel_eval_fail(text->eval, CEL_E_INVALID_ARGUMENT,
                             "NaN and infinity have no JSON form");
    }

    len = cel_double_format(d, 21, number);

    if (memchr(number, '.', len) == NULL && memchr(number, 'e', len) == NULL)
    {
        memcpy(number + len, ".0", 2);
        len += 2;
    }

    cel_text_add(text, number, len);

    return text->status;
}


/* Runs of bytes that need no escape are copied at once. */

static void
cel_json_put_string(cel_text_t *text, const char *s, size_t len)
{
    size_t         i, start;
    unsigned char  c;

    cel_text_char(text, '"');
    start = 0;

    for (i = 0; i < len; i++) {
        c = (unsigned char) s[i];

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            continue;
        }

        if (i != start) {
            cel_text_add(text, s + start, i - start);
        }

        cel_json_put_escape(text, c);
        start = i + 1;

        if (text->status != CEL_OK) {
            return;
        }
    }

    cel_text_add(text, s + start, len - start);
    cel_text_char(text, '"');
}


static void
cel_json_put_escape(cel_text_t *text, unsigned char c)
{
    char         escape[6] = "\\u00";
    const char  *p;

    static const char  plain[] = "\"\\\b\f\n\r\t";
    static const char  letter[] = "\"\\bfnrt";
    static const char  hex[] = "0123456789abcdef";

    p = c != 0 ? strchr(plain, c) : NULL;

    if (p != NULL) {
        escape[1] = letter[p - plain];
        cel_text_add(text, escape, 2);
        return;
    }

    escape[4] = hex[c >> 4];
    escape[5] = hex[c & 15];
    cel_text_add(text, escape, 6);
}


static void
cel_json_put_base64(cel_text_t *text, const char *s, size_t len)
{
    char      group[4];
    size_t    i, n, k;
    uint32_t  bits;

    static const char  digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    cel_text_char(text, '"');

    for (i = 0; i < len; i += 3) {
        n = len - i < 3 ? len - i : 3;
        bits = 0;

        for (k = 0; k < 3; k++) {
            bits = bits << 8 | (k < n ? (unsigned char) s[i + k] : 0);
        }

        for (k = 0; k < 4; k++) {
            group[k] = k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=';
        }

        cel_text_add(text, group, 4);

        if (text->status != CEL_OK) {
            return;
        }
    }

    cel_text_char(text, '"');
}


static void
cel_json_put_time(cel_text_t *text, const cel_value_t *v)
{
    char    buf[CEL_TIME_TEXT];
    size_t  len;

    len = cel_time_format(v, buf);

    cel_text_char(text, '"');
    cel_text_add(text, buf, len);
    cel_text_char(text, '"');
}


static cel_status_t
cel_json_put_list(cel_text_t *text, const cel_value_t *v, uint32_t depth)
{
    cel_iter_t    iter;
    cel_value_t   item;
    cel_status_t  rc;

    cel_iter_init(&iter, v);
    cel_text_add(text, "[", 1);

    while (iter.i < iter.n) {

        if (iter.i != 0) {
            cel_text_char(text, ',');
        }

        rc = cel_iter_next(&iter, text->eval, NULL, &item);

        if (rc == CEL_OK) {
            rc = cel_json_put(text, &item, depth + 1);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    cel_text_char(text, ']');

    return text->status;
}


static cel_status_t
cel_json_put_map(cel_text_t *text, const cel_value_t *v, uint32_t depth)
{
    cel_iter_t    iter;
    cel_value_t   key, value;
    cel_status_t  rc;

    cel_iter_init(&iter, v);
    cel_text_add(text, "{", 1);

    while (iter.i < iter.n) {

        if (iter.i != 0) {
            cel_text_char(text, ',');
        }

        rc = cel_iter_next(&iter, text->eval, &key, &value);

        if (rc == CEL_OK) {
            rc = cel_json_put_key(text, v, &key);
        }

        if (rc == CEL_OK) {
            rc = cel_json_put(text, &value, depth + 1);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    cel_text_char(text, '}');

    return text->status;
}


static cel_status_t
cel_json_put_key(cel_text_t *text, const cel_value_t *map,
    const cel_value_t *key)
{
    char          buf[CEL_NUMBER_TEXT];
    size_t        len;
    cel_status_t  rc;

    switch (key->kind) {

    case CEL_STRING:
        cel_json_put_string(text, key->s, key->len);
        break;

    case CEL_INT:
    case CEL_UINT:
    case CEL_BOOL:
        len = cel_value_text(key, buf, sizeof(buf));
        rc = cel_json_key_once(text, map, buf, len);

        if (rc != CEL_OK) {
            return rc;
        }

        cel_json_put_string(text, buf, len);
        break;

    default:
        return cel_eval_fail(text->eval, CEL_E_INVALID_ARGUMENT,
                             "a map key of type %s has no JSON form",
                             cel_value_type(key)->name);
    }

    cel_text_char(text, ':');

    return text->status;
}


/* Only a string can have the text of a key that is none: 1 and '1'. */

static cel_status_t
cel_json_key_once(cel_text_t *text, const cel_value_t *map, const char *key,
    size_t len)
{
    cel_value_t   ignored;
    cel_status_t  rc;

    rc = cel_get(text->eval, map, key, len, &ignored);

    if (rc == CEL_NOT_FOUND) {
        return CEL_OK;
    }

    if (rc != CEL_OK) {
        return rc;
    }

    return cel_eval_fail(text->eval, CEL_E_INVALID_ARGUMENT,
                         "the keys %.*s and '%.*s' of a map are the same in "
                         "JSON", (int) len, key, (int) len, key);
}
