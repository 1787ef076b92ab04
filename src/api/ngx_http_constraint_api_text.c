
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * JSON values as text.  jansson's own writer gives 0.1 back as
 * 0.10000000000000001; this one writes the shortest number that reads as the
 * same.  Any thread.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    char        *data;
    size_t       len;
    size_t       size;
} ngx_http_constraint_api_text_t;


static ngx_int_t ngx_http_constraint_api_text_value(
    ngx_http_constraint_api_text_t *text, json_t *value);
static ngx_int_t ngx_http_constraint_api_text_object(
    ngx_http_constraint_api_text_t *text, json_t *object);
static ngx_int_t ngx_http_constraint_api_text_array(
    ngx_http_constraint_api_text_t *text, json_t *array);
static ngx_int_t ngx_http_constraint_api_text_string(
    ngx_http_constraint_api_text_t *text, const char *s, size_t len);
static ngx_int_t ngx_http_constraint_api_text_real(
    ngx_http_constraint_api_text_t *text, double real);
static ngx_int_t ngx_http_constraint_api_text_append(
    ngx_http_constraint_api_text_t *text, const char *s, size_t len);


char *
ngx_http_constraint_api_text(json_t *value, size_t *len)
{
    ngx_http_constraint_api_text_t  text;

    ngx_memzero(&text, sizeof(ngx_http_constraint_api_text_t));

    if (value == NULL
        || ngx_http_constraint_api_text_value(&text, value) != NGX_OK)
    {
        free(text.data);
        *len = 0;
        return NULL;
    }

    *len = text.len;

    return text.data;
}


static ngx_int_t
ngx_http_constraint_api_text_value(ngx_http_constraint_api_text_t *text,
    json_t *value)
{
    int   n;
    char  number[32];

    switch (json_typeof(value)) {

    case JSON_OBJECT:
        return ngx_http_constraint_api_text_object(text, value);

    case JSON_ARRAY:
        return ngx_http_constraint_api_text_array(text, value);

    case JSON_STRING:
        return ngx_http_constraint_api_text_string(text,
                                                   json_string_value(value),
                                                   json_string_length(value));

    case JSON_INTEGER:
        n = snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
                     json_integer_value(value));
        return ngx_http_constraint_api_text_append(text, number, n);

    case JSON_REAL:
        return ngx_http_constraint_api_text_real(text,
                                                 json_real_value(value));

    case JSON_TRUE:
        return ngx_http_constraint_api_text_append(text, "true", 4);

    case JSON_FALSE:
        return ngx_http_constraint_api_text_append(text, "false", 5);

    default: /* JSON_NULL */
        return ngx_http_constraint_api_text_append(text, "null", 4);
    }
}


static ngx_int_t
ngx_http_constraint_api_text_object(ngx_http_constraint_api_text_t *text,
    json_t *object)
{
    json_t      *value;
    const char  *key, *before;

    before = "{";

    json_object_foreach(object, key, value) {

        if (ngx_http_constraint_api_text_append(text, before, 1) != NGX_OK
            || ngx_http_constraint_api_text_string(text, key,
                                                   ngx_strlen(key))
               != NGX_OK
            || ngx_http_constraint_api_text_append(text, ":", 1) != NGX_OK
            || ngx_http_constraint_api_text_value(text, value) != NGX_OK)
        {
            return NGX_ERROR;
        }

        before = ",";
    }

    return *before == '{' ? ngx_http_constraint_api_text_append(text, "{}", 2)
                          : ngx_http_constraint_api_text_append(text, "}", 1);
}


static ngx_int_t
ngx_http_constraint_api_text_array(ngx_http_constraint_api_text_t *text,
    json_t *array)
{
    size_t   i;
    json_t  *value;

    if (ngx_http_constraint_api_text_append(text, "[", 1) != NGX_OK) {
        return NGX_ERROR;
    }

    json_array_foreach(array, i, value) {

        if (i && ngx_http_constraint_api_text_append(text, ",", 1) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_constraint_api_text_value(text, value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_constraint_api_text_append(text, "]", 1);
}


static ngx_int_t
ngx_http_constraint_api_text_string(ngx_http_constraint_api_text_t *text,
    const char *s, size_t len)
{
    int          n;
    char         escape[8];
    const char  *start, *end;

    end = s + len;

    if (ngx_http_constraint_api_text_append(text, "\"", 1) != NGX_OK) {
        return NGX_ERROR;
    }

    for (start = s; s < end; s++) {

        if ((u_char) *s >= 0x20 && *s != '"' && *s != '\\') {
            continue;
        }

        n = (u_char) *s >= 0x20
            ? snprintf(escape, sizeof(escape), "\\%c", *s)
            : *s == '\n' ? snprintf(escape, sizeof(escape), "\\n")
            : snprintf(escape, sizeof(escape), "\\u%04x", (u_char) *s);

        if (ngx_http_constraint_api_text_append(text, start, s - start)
            != NGX_OK
            || ngx_http_constraint_api_text_append(text, escape, n) != NGX_OK)
        {
            return NGX_ERROR;
        }

        start = s + 1;
    }

    if (ngx_http_constraint_api_text_append(text, start, end - start)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_constraint_api_text_append(text, "\"", 1);
}


static ngx_int_t
ngx_http_constraint_api_text_real(ngx_http_constraint_api_text_t *text,
    double real)
{
    int   n, digits;
    char  number[40];

    n = 0;

    /* 17 digits always do */

    for (digits = 15; digits <= 17; digits++) {
        n = snprintf(number, sizeof(number) - 2, "%.*g", digits, real);

        if (strtod(number, NULL) == real) {
            break;
        }
    }

    /* a real stays one when it is read again */

    if (strpbrk(number, ".e") == NULL) {
        number[n++] = '.';
        number[n++] = '0';
    }

    return ngx_http_constraint_api_text_append(text, number, n);
}


static ngx_int_t
ngx_http_constraint_api_text_append(ngx_http_constraint_api_text_t *text,
    const char *s, size_t len)
{
    char    *data;
    size_t   size;

    if (len > text->size - text->len) {
        size = ngx_max(text->size * 2, text->len + len + 1024);

        data = realloc(text->data, size);
        if (data == NULL) {
            return NGX_ERROR;
        }

        text->data = data;
        text->size = size;
    }

    ngx_memcpy(text->data + text->len, s, len);
    text->len += len;

    return NGX_OK;
}
