
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The query string: each argument known to the route, once, decoded.  An
 * unknown one is refused: a slip of the pen must not change what is done.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    const char  *name;
    ngx_uint_t   mask;
    size_t       offset;
} ngx_http_constraint_api_arg_t;


static ngx_int_t ngx_http_constraint_api_argument(
    ngx_http_constraint_api_t *api, const ngx_str_t *name,
    const ngx_str_t *value);
static ngx_int_t ngx_http_constraint_api_decode(
    ngx_http_constraint_api_t *api, const char *name,
    const ngx_str_t *value, ngx_str_t *decoded);
static ngx_int_t ngx_http_constraint_api_unknown(
    ngx_http_constraint_api_t *api, const ngx_str_t *name);


static const ngx_http_constraint_api_arg_t
    ngx_http_constraint_api_args[] =
{
    { "limit", NGX_HTTP_CONSTRAINT_API_ARG_LIMIT,
      offsetof(ngx_http_constraint_api_args_t, limit) },

    { "cursor", NGX_HTTP_CONSTRAINT_API_ARG_CURSOR,
      offsetof(ngx_http_constraint_api_args_t, cursor) },

    { "sort", NGX_HTTP_CONSTRAINT_API_ARG_SORT,
      offsetof(ngx_http_constraint_api_args_t, sort) },

    { "fields", NGX_HTTP_CONSTRAINT_API_ARG_FIELDS,
      offsetof(ngx_http_constraint_api_args_t, fields) },

    { "explain", NGX_HTTP_CONSTRAINT_API_ARG_EXPLAIN,
      offsetof(ngx_http_constraint_api_args_t, explain) },

    { "revision", NGX_HTTP_CONSTRAINT_API_ARG_REVISION,
      offsetof(ngx_http_constraint_api_args_t, revision) },

    { "header_bytes", NGX_HTTP_CONSTRAINT_API_ARG_SIZES,
      offsetof(ngx_http_constraint_api_args_t, header_bytes) },

    { "body_bytes", NGX_HTTP_CONSTRAINT_API_ARG_SIZES,
      offsetof(ngx_http_constraint_api_args_t, body_bytes) },

    { "by", NGX_HTTP_CONSTRAINT_API_ARG_BY,
      offsetof(ngx_http_constraint_api_args_t, by) },

    { NULL, 0, 0 }
};


/* args = [ name "=" value ] { "&" [ name "=" value ] } */

ngx_int_t
ngx_http_constraint_api_arguments(ngx_http_constraint_api_t *api)
{
    u_char     *p, *last, *end, *equals;
    ngx_str_t   name, value;

    p = api->request->args.data;
    last = p + api->request->args.len;

    while (p < last) {
        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;
        }

        if (end > p) {
            equals = ngx_strlchr(p, end, '=');

            name.data = p;
            name.len = (equals ? equals : end) - p;
            value.data = equals ? equals + 1 : end;
            value.len = end - value.data;

            if (ngx_http_constraint_api_argument(api, &name, &value)
                != NGX_OK)
            {
                return NGX_DONE;
            }
        }

        p = end + 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_api_argument(ngx_http_constraint_api_t *api,
    const ngx_str_t *name, const ngx_str_t *value)
{
    ngx_str_t                            *slot;
    const ngx_http_constraint_api_arg_t  *arg;

    for (arg = ngx_http_constraint_api_args; arg->name; arg++) {

        if (!(api->route->args & arg->mask)
            || ngx_strlen(arg->name) != name->len
            || ngx_memcmp(arg->name, name->data, name->len) != 0)
        {
            continue;
        }

        slot = (ngx_str_t *) ((u_char *) &api->args + arg->offset);

        if (slot->data) {
            ngx_http_constraint_api_bad_argument(api, arg->name,
                                                 "is given twice");
            return NGX_DONE;
        }

        return ngx_http_constraint_api_decode(api, arg->name, value, slot);
    }

    return ngx_http_constraint_api_unknown(api, name);
}


static ngx_int_t
ngx_http_constraint_api_decode(ngx_http_constraint_api_t *api,
    const char *name, const ngx_str_t *value, ngx_str_t *decoded)
{
    u_char  *src, *dst;

    dst = ngx_pnalloc(api->request->pool, value->len + 1);

    if (dst == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return NGX_DONE;
    }

    decoded->data = dst;
    src = value->data;

    ngx_unescape_uri(&dst, &src, value->len, 0);

    decoded->len = dst - decoded->data;

    if (ngx_strlchr(decoded->data, dst, '\0') != NULL
        || !ngx_constraint_utf8_valid(decoded->data, decoded->len))
    {
        ngx_http_constraint_api_bad_argument(api, name, "is not UTF-8 text "
                                             "without NUL");
        return NGX_DONE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_api_unknown(ngx_http_constraint_api_t *api,
    const ngx_str_t *name)
{
    u_char                                known[128], *p;
    json_t                               *details;
    const ngx_http_constraint_api_arg_t  *arg;

    p = known;

    for (arg = ngx_http_constraint_api_args; arg->name; arg++) {
        if (api->route->args & arg->mask) {
            p = ngx_sprintf(p, "%s%s", p == known ? "" : ", ", arg->name);
        }
    }

    *p = '\0';

    details = ngx_http_constraint_api_detail((char *) name->data, name->len,
                                             "unknown argument");

    ngx_http_constraint_api_fail(api,
                                 NGX_HTTP_CONSTRAINT_API_E_INVALID_ARGUMENT,
                                 details, "unknown argument in the query "
                                 "string; %s%s",
                                 p == known ? "this call takes none"
                                            : "known are ", known);
    return NGX_DONE;
}


void
ngx_http_constraint_api_bad_argument(ngx_http_constraint_api_t *api,
    const char *name, const char *fmt, ...)
{
    char      message[512];
    json_t   *details;
    va_list   args;

    va_start(args, fmt);
    (void) vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);

    details = ngx_http_constraint_api_detail(name, ngx_strlen(name), message);

    ngx_http_constraint_api_fail(api,
                                 NGX_HTTP_CONSTRAINT_API_E_INVALID_ARGUMENT,
                                 details, "the argument \"%s\" %s", name,
                                 message);
}


ngx_int_t
ngx_http_constraint_api_number(ngx_http_constraint_api_t *api,
    const char *name, const ngx_str_t *value, uint64_t max, uint64_t *number)
{
    size_t    i;
    uint64_t  n;

    if (value->data == NULL) {
        return NGX_OK;
    }

    n = 0;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9'
            || n > (max - (value->data[i] - '0')) / 10)
        {
            break;
        }

        n = n * 10 + (value->data[i] - '0');
    }

    if (n == 0 || i < value->len) {
        ngx_http_constraint_api_bad_argument(api, name, "is not a number "
                                             "from 1 to %llu",
                                             (unsigned long long) max);
        return NGX_DONE;
    }

    *number = n;

    return NGX_OK;
}


ngx_int_t
ngx_http_constraint_api_limit(ngx_http_constraint_api_t *api,
    uint64_t *limit)
{
    *limit = NGX_HTTP_CONSTRAINT_API_LIMIT;

    return ngx_http_constraint_api_number(api, "limit", &api->args.limit,
                                          NGX_HTTP_CONSTRAINT_API_LIMIT_MAX,
                                          limit);
}


ngx_int_t
ngx_http_constraint_api_sizes(ngx_http_constraint_api_t *api,
    cel_sizes_t *sizes)
{
    ngx_memzero(sizes, sizeof(cel_sizes_t));

    sizes->bytes[CEL_SIZE_SMALL] = 256;
    sizes->bytes[CEL_SIZE_HEADERS] = 1024;
    sizes->bytes[CEL_SIZE_BODY] = 1024;

    if (ngx_http_constraint_api_number(api, "header_bytes",
                                       &api->args.header_bytes, 1 << 30,
                                       &sizes->bytes[CEL_SIZE_HEADERS])
        != NGX_OK)
    {
        return NGX_DONE;
    }

    return ngx_http_constraint_api_number(api, "body_bytes",
                                          &api->args.body_bytes, 1 << 30,
                                          &sizes->bytes[CEL_SIZE_BODY]);
}
