
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Request bodies: media type, syntax, shape.  What the fields mean is the
 * resources' and the catalogue's business.
 */


#include "ngx_http_constraint_api.h"


static ngx_table_elt_t *ngx_http_constraint_api_content_encoding(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_constraint_api_type_json(const ngx_str_t *type);
static ngx_uint_t ngx_http_constraint_api_type_yaml(const ngx_str_t *type);
static ngx_uint_t ngx_http_constraint_api_type_is(const ngx_str_t *type,
    const char *name);
static ngx_uint_t ngx_http_constraint_api_type_ends(const ngx_str_t *type,
    const char *suffix);
static const char *ngx_http_constraint_api_syntax(json_error_t *e);
static json_t *ngx_http_constraint_api_too_deep(const ngx_str_t *text);
static json_t *ngx_http_constraint_api_position(const char *message,
    ngx_uint_t line, ngx_uint_t column);


ngx_int_t
ngx_http_constraint_api_media_type(ngx_http_constraint_api_t *api)
{
    u_char              *p;
    ngx_str_t            type;
    ngx_uint_t           yaml;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    r = api->request;
    yaml = (api->route->body == NGX_HTTP_CONSTRAINT_API_DOCUMENT);

    h = ngx_http_constraint_api_content_encoding(r);

    if (h) {
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_MEDIA_TYPE,
                                     NULL, "an encoded body is not taken; "
                                     "send it without Content-Encoding");
        return NGX_DONE;
    }

    api->format = WORKFLOW_JSON;

    h = r->headers_in.content_type;

    if (h == NULL) {
        return NGX_OK;
    }

    type = h->value;
    p = ngx_strlchr(type.data, type.data + type.len, ';');

    if (p) {
        type.len = p - type.data;
    }

    while (type.len && type.data[type.len - 1] == ' ') {
        type.len--;
    }

    if (type.len == 0 || ngx_http_constraint_api_type_json(&type)) {
        return NGX_OK;
    }

    if (yaml && ngx_http_constraint_api_type_yaml(&type)) {
        api->format = WORKFLOW_YAML;
        return NGX_OK;
    }

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_MEDIA_TYPE,
                                 NULL, "this Content-Type is not taken; send "
                                 "application/json%s",
                                 yaml ? " or application/yaml" : "");
    return NGX_DONE;
}


/* NULL: there is none, or it is "identity" */

static ngx_table_elt_t *
ngx_http_constraint_api_content_encoding(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == sizeof("content-encoding") - 1
                && ngx_strncasecmp(h[i].key.data,
                                   (u_char *) "content-encoding",
                                   sizeof("content-encoding") - 1) == 0
                && !ngx_http_constraint_api_type_is(&h[i].value, "identity"))
            {
                return &h[i];
            }
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_http_constraint_api_type_json(const ngx_str_t *type)
{
    return ngx_http_constraint_api_type_is(type, "application/json")
           || ngx_http_constraint_api_type_ends(type, "+json");
}


static ngx_uint_t
ngx_http_constraint_api_type_yaml(const ngx_str_t *type)
{
    return ngx_http_constraint_api_type_is(type, "application/yaml")
           || ngx_http_constraint_api_type_is(type, "application/x-yaml")
           || ngx_http_constraint_api_type_is(type, "text/yaml")
           || ngx_http_constraint_api_type_is(type, "text/x-yaml")
           || ngx_http_constraint_api_type_ends(type, "+yaml");
}


static ngx_uint_t
ngx_http_constraint_api_type_is(const ngx_str_t *type, const char *name)
{
    return type->len == ngx_strlen(name)
           && ngx_strncasecmp(type->data, (u_char *) name, type->len) == 0;
}


static ngx_uint_t
ngx_http_constraint_api_type_ends(const ngx_str_t *type, const char *suffix)
{
    size_t  len;

    len = ngx_strlen(suffix);

    return type->len > len
           && ngx_strncasecmp(type->data, (u_char *) "application/",
                              sizeof("application/") - 1) == 0
           && ngx_strncasecmp(type->data + type->len - len,
                              (u_char *) suffix, len) == 0;
}


json_t *
ngx_http_constraint_api_object(ngx_http_constraint_api_t *api)
{
    json_t                           *object, *failure;
    ngx_http_constraint_api_error_e   error;

    object = ngx_http_constraint_api_parse(&api->body, &error, &failure);

    if (object == NULL) {
        ngx_http_constraint_api_fail_with(api, error, failure);
    }

    return object;
}


json_t *
ngx_http_constraint_api_parse(const ngx_str_t *text,
    ngx_http_constraint_api_error_e *error, json_t **failure)
{
    json_t        *json, *details;
    const char    *message;
    json_error_t   e;

    details = ngx_http_constraint_api_too_deep(text);

    if (details) {
        *error = NGX_HTTP_CONSTRAINT_API_E_MALFORMED_JSON;
        *failure = ngx_http_constraint_api_envelope(*error, details,
                                       "the body is nested deeper than %d",
                                       NGX_HTTP_CONSTRAINT_API_DEPTH);
        return NULL;
    }

    json = json_loadb((char *) text->data, text->len,
                      JSON_REJECT_DUPLICATES|JSON_DECODE_ANY, &e);

    if (json == NULL) {
        *error = (json_error_code(&e) == json_error_duplicate_key)
                 ? NGX_HTTP_CONSTRAINT_API_E_DUPLICATE_KEY
                 : NGX_HTTP_CONSTRAINT_API_E_MALFORMED_JSON;

        message = ngx_http_constraint_api_syntax(&e);
        details = ngx_http_constraint_api_position(message,
                                                   ngx_max(e.line, 1),
                                                   ngx_max(e.column, 1));
        *failure = ngx_http_constraint_api_envelope(*error, details,
                                       "the body is not valid JSON at line "
                                       "%d, column %d: %s", ngx_max(e.line, 1),
                                       ngx_max(e.column, 1), message);
        return NULL;
    }

    if (!json_is_object(json)) {
        json_decref(json);

        *error = NGX_HTTP_CONSTRAINT_API_E_INVALID_FIELD;
        details = ngx_http_constraint_api_detail("$", 1,
                                                 "must be an object");
        *failure = ngx_http_constraint_api_envelope(*error, details,
                                       "the body is JSON, but no object");
        return NULL;
    }

    return json;
}


/* the parser's words, but for those that are about the parser */

static const char *
ngx_http_constraint_api_syntax(json_error_t *e)
{
    switch (json_error_code(e)) {

    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a string must not hold \\u0000";

    case json_error_end_of_input_expected:
        return "something follows the value";

    case json_error_numeric_overflow:
        return "a number is beyond 64 bits signed or the range of a double";

    default:
        return e->text;
    }
}


/*
 * Brackets outside strings, before a parser recurses into them.  Details of
 * the first one that is too much, or NULL.
 */

static json_t *
ngx_http_constraint_api_too_deep(const ngx_str_t *text)
{
    u_char      *p, *last, *start;
    ngx_uint_t   depth, line, string;

    line = 1;
    depth = 0;
    string = 0;
    start = text->data;
    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        switch (*p) {

        case '"':
            string = !string;
            break;

        case '\\':
            p += string;
            break;

        case '\n':
            line++;
            start = p + 1;
            break;

        case '[':
        case '{':
            if (!string && ++depth > NGX_HTTP_CONSTRAINT_API_DEPTH) {
                return ngx_http_constraint_api_position("nested too deep",
                                                        line, p - start + 1);
            }

            break;

        case ']':
        case '}':
            depth -= (!string && depth);
            break;
        }
    }

    return NULL;
}


static json_t *
ngx_http_constraint_api_position(const char *message, ngx_uint_t line,
    ngx_uint_t column)
{
    json_t  *text;

    text = ngx_http_constraint_api_string(message, ngx_strlen(message));

    return json_pack("[{s:I,s:I,s:o}]", "line", (json_int_t) line,
                     "column", (json_int_t) column, "message", text);
}


json_t *
ngx_http_constraint_api_string(const char *text, size_t len)
{
    char    *copy;
    size_t   i;
    json_t  *json;

    json = json_stringn(text, len);

    if (json) {
        return json;
    }

    copy = malloc(len + 1);
    if (copy == NULL) {
        return NULL;
    }

    for (i = 0; i < len; i++) {
        copy[i] = ((u_char) text[i] < 0x20 || (u_char) text[i] > 0x7e)
                  ? '?' : text[i];
    }

    json = json_stringn(copy, len);
    free(copy);

    return json;
}
