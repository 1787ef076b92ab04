
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The body of an execution: validated whole, then cut at its top level.  The
 * input stays text: who evaluates reads it without converting it.
 */


#include "ngx_http_constraint_api.h"


static void ngx_http_constraint_api_input_malformed(
    ngx_http_constraint_api_input_t *input, const cel_error_t *error);
static void ngx_http_constraint_api_input_refuse(
    ngx_http_constraint_api_input_t *input, const char *path, size_t len,
    const char *message);
static void ngx_http_constraint_api_input_members(
    ngx_http_constraint_api_input_t *input, const ngx_str_t *text);
static void ngx_http_constraint_api_input_member(
    ngx_http_constraint_api_input_t *input, json_t *key,
    const ngx_str_t *value);
static json_t *ngx_http_constraint_api_input_id(
    ngx_http_constraint_api_input_t *input, const char *path,
    const ngx_str_t *value);
static json_t *ngx_http_constraint_api_input_decode(u_char *p, u_char *end);
static u_char *ngx_http_constraint_api_input_space(u_char *p);
static u_char *ngx_http_constraint_api_input_string(u_char *p);
static u_char *ngx_http_constraint_api_input_value(u_char *p);


void
ngx_http_constraint_api_input_parse(ngx_http_constraint_api_input_t *input,
    cel_json_parser_t *parser, const ngx_str_t *text)
{
    cel_json_t          *json;
    cel_error_t          error;
    cel_json_options_t   options;

    ngx_memzero(&error, sizeof(cel_error_t));
    ngx_memzero(&options, sizeof(cel_json_options_t));

    error.kind = CEL_E_MEMORY;
    options.max_depth = NGX_HTTP_CONSTRAINT_API_DEPTH;

    json = parser ? cel_json_parse(parser, (char *) text->data, text->len,
                                   &options, &error)
                  : NULL;

    if (json == NULL) {
        ngx_http_constraint_api_input_malformed(input, &error);
        return;
    }

    if (cel_json_root(json).kind == CEL_MAP) {
        ngx_http_constraint_api_input_members(input, text);

    } else {
        ngx_http_constraint_api_input_refuse(input, "$", 1,
                                             "must be an object");
    }

    cel_json_destroy(json);
}


void
ngx_http_constraint_api_input_free(ngx_http_constraint_api_input_t *input)
{
    json_decref(input->subject);
    json_decref(input->workflow);
    json_decref(input->failure);
}


static void
ngx_http_constraint_api_input_malformed(
    ngx_http_constraint_api_input_t *input, const cel_error_t *error)
{
    json_t      *details;
    const char  *message;

    if (error->kind == CEL_E_MEMORY) {
        input->error = NGX_HTTP_CONSTRAINT_API_E_INTERNAL;
        input->failure = ngx_http_constraint_api_envelope(input->error, NULL,
                                       "no memory to read the body");
        return;
    }

    /* that it is not valid is said by the sentence around it */

    message = error->message;

    if (ngx_strncmp(message, "invalid JSON: ", 14) == 0) {
        message += 14;
    }

    input->error = (error->kind == CEL_E_DUPLICATE_KEY)
                   ? NGX_HTTP_CONSTRAINT_API_E_DUPLICATE_KEY
                   : NGX_HTTP_CONSTRAINT_API_E_MALFORMED_JSON;

    details = json_pack("[{s:I,s:I,s:o}]",
                        "line", (json_int_t) error->line,
                        "column", (json_int_t) error->column,
                        "message",
                        ngx_http_constraint_api_string(message,
                                                       ngx_strlen(message)));

    input->failure = ngx_http_constraint_api_envelope(input->error, details,
                                       "the body is not valid JSON at line "
                                       "%u, column %u: %s", error->line,
                                       error->column, message);
}


static void
ngx_http_constraint_api_input_refuse(ngx_http_constraint_api_input_t *input,
    const char *path, size_t len, const char *message)
{
    json_t  *details;

    if (input->failure) {
        return;
    }

    details = ngx_http_constraint_api_detail(path, len, message);

    input->error = NGX_HTTP_CONSTRAINT_API_E_INVALID_FIELD;
    input->failure = ngx_http_constraint_api_envelope(input->error, details,
                                                      "%.*s %s", (int) len,
                                                      path, message);
}


/* object = "{" [ string ":" value { "," string ":" value } ] "}" */

static void
ngx_http_constraint_api_input_members(ngx_http_constraint_api_input_t *input,
    const ngx_str_t *text)
{
    u_char     *p, *end;
    json_t     *key;
    ngx_str_t   value;

    /* an object it is, and the first brace opens it */

    p = ngx_strlchr(text->data, text->data + text->len, '{');
    p = ngx_http_constraint_api_input_space(p + 1);

    while (*p == '"' && input->failure == NULL) {
        end = ngx_http_constraint_api_input_string(p);
        key = ngx_http_constraint_api_input_decode(p, end);

        p = ngx_http_constraint_api_input_space(end);
        p = ngx_http_constraint_api_input_space(p + 1);

        value.data = p;
        p = ngx_http_constraint_api_input_value(p);
        value.len = p - value.data;

        ngx_http_constraint_api_input_member(input, key, &value);

        if (key && ngx_strcmp(json_string_value(key), "input_data") == 0) {
            input->offset = value.data - text->data;
            input->len = value.len;
        }

        json_decref(key);

        p = ngx_http_constraint_api_input_space(p);

        if (*p == ',') {
            p = ngx_http_constraint_api_input_space(p + 1);
        }
    }
}


static void
ngx_http_constraint_api_input_member(ngx_http_constraint_api_input_t *input,
    json_t *key, const ngx_str_t *value)
{
    int    n;
    char   path[128];
    char  *name;

    name = (char *) json_string_value(key);

    if (name == NULL) {
        ngx_http_constraint_api_input_refuse(input, "$", 1,
                                             "has a key that is no text");

    } else if (ngx_strcmp(name, "subject_id") == 0) {
        input->subject = ngx_http_constraint_api_input_id(input,
                                                       "$.subject_id", value);

    } else if (ngx_strcmp(name, "dsl_workflow_id") == 0) {
        input->workflow = ngx_http_constraint_api_input_id(input,
                                                  "$.dsl_workflow_id", value);

    } else if (ngx_strcmp(name, "input_data") != 0) {
        n = snprintf(path, sizeof(path), "$.%s", name);
        n = ngx_min(n, (int) sizeof(path) - 1);

        ngx_http_constraint_api_input_refuse(input, path, n,
                                             "is unknown; known are "
                                             "subject_id, dsl_workflow_id "
                                             "and input_data");
    }
}


static json_t *
ngx_http_constraint_api_input_id(ngx_http_constraint_api_input_t *input,
    const char *path, const ngx_str_t *value)
{
    size_t       i, len;
    json_t      *id;
    const char  *text;

    id = ngx_http_constraint_api_input_decode(value->data,
                                              value->data + value->len);

    text = json_string_value(id);
    len = json_string_length(id);

    if (len == 0 || len > NGX_CONSTRAINT_NAME_MAX) {
        goto invalid;
    }

    for (i = 0; i < len; i++) {
        if ((u_char) text[i] < 0x20 || text[i] == 0x7f) {
            goto invalid;
        }
    }

    return id;

invalid:

    json_decref(id);

    ngx_http_constraint_api_input_refuse(input, path, ngx_strlen(path),
                                         "must be a string of 1 to 255 bytes "
                                         "without control characters");
    return NULL;
}


/* A string's value; NULL for what is no string. */

static json_t *
ngx_http_constraint_api_input_decode(u_char *p, u_char *end)
{
    if (*p != '"') {
        return NULL;
    }

    return json_loadb((char *) p, end - p, JSON_DECODE_ANY|JSON_ALLOW_NUL,
                      NULL);
}


/* The following know that the text is valid JSON, so they end. */

static u_char *
ngx_http_constraint_api_input_space(u_char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') {
        p++;
    }

    return p;
}


static u_char *
ngx_http_constraint_api_input_string(u_char *p)
{
    for (p++; *p != '"'; p++) {
        if (*p == '\\') {
            p++;
        }
    }

    return p + 1;
}


static u_char *
ngx_http_constraint_api_input_value(u_char *p)
{
    ngx_uint_t  depth;

    depth = 0;

    for ( ;; ) {

        switch (*p) {

        case '"':
            p = ngx_http_constraint_api_input_string(p);

            if (depth == 0) {
                return p;
            }

            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':

            /* at depth 0 it closes the object that a number ends */

            if (depth == 0) {
                return p;
            }

            if (--depth == 0) {
                return p + 1;
            }

            break;

        case ',':
        case ' ':
        case '\t':
        case '\n':
        case '\r':

            if (depth == 0) {
                return p;
            }

            break;
        }

        p++;
    }
}
