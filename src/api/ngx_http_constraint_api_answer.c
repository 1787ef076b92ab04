
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Answers: the envelope, codes and their statuses, the header, sending.
 * Decides nothing.
 */


#include "ngx_http_constraint_api.h"


#define NGX_HTTP_CONSTRAINT_API_MESSAGE_MAX  512


typedef struct {
    const char  *name;
    ngx_uint_t   status;
} ngx_http_constraint_api_code_t;


static json_t *ngx_http_constraint_api_failure(
    ngx_http_constraint_api_error_e error, json_t *details, const char *fmt,
    va_list args) __attribute__((format(printf, 3, 0)));
static void ngx_http_constraint_api_free(void *data);


/* in the order of ngx_http_constraint_api_error_e */

static const ngx_http_constraint_api_code_t
    ngx_http_constraint_api_codes[] =
{
    { "MalformedJson", NGX_HTTP_BAD_REQUEST },
    { "MalformedYaml", NGX_HTTP_BAD_REQUEST },
    { "DuplicateKey", NGX_HTTP_BAD_REQUEST },
    { "EmptyBody", NGX_HTTP_BAD_REQUEST },
    { "BodyUnreadable", NGX_HTTP_BAD_REQUEST },
    { "InvalidField", NGX_HTTP_BAD_REQUEST },
    { "InvalidFilter", NGX_HTTP_BAD_REQUEST },
    { "InvalidArgument", NGX_HTTP_BAD_REQUEST },
    { "InvalidHeader", NGX_HTTP_BAD_REQUEST },
    { "SubjectMissing", NGX_HTTP_BAD_REQUEST },
    { "RightMissing", NGX_HTTP_FORBIDDEN },
    { "NotAssociated", NGX_HTTP_FORBIDDEN },
    { "NoSuchRoute", NGX_HTTP_NOT_FOUND },
    { "NotFound", NGX_HTTP_NOT_FOUND },
    { "MethodNotAllowed", NGX_HTTP_NOT_ALLOWED },
    { "BodyTimeout", NGX_HTTP_REQUEST_TIME_OUT },
    { "AlreadyExists", NGX_HTTP_CONFLICT },
    { "WorkflowInUse", NGX_HTTP_CONFLICT },
    { "ProfileInUse", NGX_HTTP_CONFLICT },
    { "ProfileReadOnly", NGX_HTTP_CONFLICT },
    { "OtherWorkflow", NGX_HTTP_CONFLICT },
    { "ConstraintDisabled", NGX_HTTP_CONFLICT },
    { "PreconditionFailed", NGX_HTTP_PRECONDITION_FAILED },
    { "BodyTooLarge", NGX_HTTP_REQUEST_ENTITY_TOO_LARGE },
    { "UnsupportedMediaType", NGX_HTTP_UNSUPPORTED_MEDIA_TYPE },
    { "UnknownWorkflow", 422 },
    { "UnknownProfile", 422 },
    { "InvalidWorkflow", 422 },
    { "Internal", NGX_HTTP_INTERNAL_SERVER_ERROR },
    { "StoreUnavailable", NGX_HTTP_SERVICE_UNAVAILABLE },
    { "WorkflowUnavailable", NGX_HTTP_SERVICE_UNAVAILABLE },
    { "Busy", NGX_HTTP_SERVICE_UNAVAILABLE },
    { "TimedOut", NGX_HTTP_SERVICE_UNAVAILABLE },
    { "StoreFull", NGX_HTTP_INSUFFICIENT_STORAGE }
};


static ngx_str_t  ngx_http_constraint_api_no_store = ngx_string("no-store");
static ngx_str_t  ngx_http_constraint_api_one = ngx_string("1");

static ngx_str_t  ngx_http_constraint_api_no_memory =
    ngx_string("{\"success\":false,\"error\":\"the server is out of memory\","
               "\"code\":\"Internal\"}");


void
ngx_http_constraint_api_answer(ngx_http_constraint_api_t *api,
    ngx_uint_t status, json_t *body)
{
    char    *text;
    size_t   len;

    text = ngx_http_constraint_api_text(body, &len);

    json_decref(body);

    ngx_http_constraint_api_answer_malloced(api, status, text, len);
}


void
ngx_http_constraint_api_answer_malloced(ngx_http_constraint_api_t *api,
    ngx_uint_t status, char *text, size_t len)
{
    ngx_str_t            s;
    ngx_pool_cleanup_t  *cln;

    cln = text ? ngx_pool_cleanup_add(api->request->pool, 0) : NULL;

    if (cln == NULL) {
        free(text);

        ngx_http_constraint_api_answer_text(api,
                                            NGX_HTTP_INTERNAL_SERVER_ERROR,
                                         &ngx_http_constraint_api_no_memory);
        return;
    }

    cln->handler = ngx_http_constraint_api_free;
    cln->data = text;

    s.data = (u_char *) text;
    s.len = len;

    ngx_http_constraint_api_answer_text(api, status, &s);
}


static void
ngx_http_constraint_api_free(void *data)
{
    free(data);
}


void
ngx_http_constraint_api_answer_text(ngx_http_constraint_api_t *api,
    ngx_uint_t status, ngx_str_t *text)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = api->request;

    api->answered = 1;

    ngx_http_constraint_api_header(api, "Cache-Control",
                                   &ngx_http_constraint_api_no_store);

    rc = ngx_http_constraint_send_json(r, status, text, NULL);

    ngx_http_finalize_request(r, rc);
}


void
ngx_http_constraint_api_success(ngx_http_constraint_api_t *api,
    ngx_uint_t status, const char *name, json_t *value)
{
    ngx_http_constraint_api_answer(api, status,
                                   json_pack("{s:b,s:o}", "success", 1, name,
                                             value));
}


void
ngx_http_constraint_api_fail(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_error_e error, json_t *details, const char *fmt,
    ...)
{
    json_t   *envelope;
    va_list   args;

    va_start(args, fmt);
    envelope = ngx_http_constraint_api_failure(error, details, fmt, args);
    va_end(args);

    ngx_http_constraint_api_fail_with(api, error, envelope);
}


void
ngx_http_constraint_api_fail_with(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_error_e error, json_t *envelope)
{
    if (error == NGX_HTTP_CONSTRAINT_API_E_BUSY) {
        ngx_http_constraint_api_header(api, "Retry-After",
                                       &ngx_http_constraint_api_one);
    }

    ngx_http_constraint_api_answer(api,
                                   ngx_http_constraint_api_status(error),
                                   envelope);
}


json_t *
ngx_http_constraint_api_envelope(ngx_http_constraint_api_error_e error,
    json_t *details, const char *fmt, ...)
{
    json_t   *envelope;
    va_list   args;

    va_start(args, fmt);
    envelope = ngx_http_constraint_api_failure(error, details, fmt, args);
    va_end(args);

    return envelope;
}


static json_t *
ngx_http_constraint_api_failure(ngx_http_constraint_api_error_e error,
    json_t *details, const char *fmt, va_list args)
{
    int      n;
    char     message[NGX_HTTP_CONSTRAINT_API_MESSAGE_MAX];
    json_t  *envelope;

    n = vsnprintf(message, sizeof(message), fmt, args);
    n = ngx_min(n, (int) sizeof(message) - 1);

    envelope = json_pack("{s:b,s:o,s:s}", "success", 0,
                         "error",
                         ngx_http_constraint_api_string(message, n),
                         "code", ngx_http_constraint_api_codes[error].name);

    if (details == NULL) {
        return envelope;
    }

    if (json_object_set_new(envelope, "details", details) != 0) {
        json_decref(envelope);
        return NULL;
    }

    return envelope;
}


ngx_uint_t
ngx_http_constraint_api_status(ngx_http_constraint_api_error_e error)
{
    return ngx_http_constraint_api_codes[error].status;
}


json_t *
ngx_http_constraint_api_detail(const char *path, size_t path_len,
    const char *message)
{
    return json_pack("[{s:o,s:o}]", "path",
                     ngx_http_constraint_api_string(path, path_len),
                     "message",
                     ngx_http_constraint_api_string(message,
                                                    ngx_strlen(message)));
}


ngx_table_elt_t *
ngx_http_constraint_api_header(ngx_http_constraint_api_t *api,
    const char *name, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&api->request->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return h;
}


void
ngx_http_constraint_api_etag(ngx_http_constraint_api_t *api,
    uint64_t revision)
{
    ngx_str_t  tag;

    tag.data = ngx_pnalloc(api->request->pool, NGX_INT64_LEN + 2);
    if (tag.data == NULL) {
        return;
    }

    tag.len = ngx_sprintf(tag.data, "\"%uL\"", revision) - tag.data;

    /* where filters that change the body find and weaken it */

    api->request->headers_out.etag = ngx_http_constraint_api_header(api,
                                                                "ETag", &tag);
}
