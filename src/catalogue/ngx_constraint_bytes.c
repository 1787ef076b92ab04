/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Bytes that are used again and again, and the making of error texts.
 */


#include "ngx_constraint_catalogue_room.h"


/* a single large value does not stay for the life of the worker */

#define NGX_CONSTRAINT_BYTES_KEEP  65536


static ngx_int_t ngx_constraint_bytes_reserve(ngx_constraint_bytes_t *bytes,
    size_t size);


ngx_int_t
ngx_constraint_bytes_set(ngx_constraint_bytes_t *bytes, const void *data,
    size_t len)
{
    if (bytes->size > NGX_CONSTRAINT_BYTES_KEEP && len < bytes->size / 2) {
        ngx_constraint_bytes_free(bytes);
    }

    bytes->len = 0;

    return ngx_constraint_bytes_append(bytes, data, len);
}


ngx_int_t
ngx_constraint_bytes_append(ngx_constraint_bytes_t *bytes, const void *data,
    size_t len)
{
    if (ngx_constraint_bytes_reserve(bytes, bytes->len + len) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_bytes_reserve(ngx_constraint_bytes_t *bytes, size_t size)
{
    void  *p;

    if (size <= bytes->size) {
        return NGX_OK;
    }

    size = ngx_max(size, 2 * bytes->size);
    size = ngx_max(size, 1024);

    p = realloc(bytes->data, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    bytes->data = p;
    bytes->size = size;

    return NGX_OK;
}


void
ngx_constraint_bytes_free(ngx_constraint_bytes_t *bytes)
{
    free(bytes->data);
    ngx_memzero(bytes, sizeof(ngx_constraint_bytes_t));
}


void
ngx_constraint_error_set(u_char *error, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(error, error + NGX_CONSTRAINT_ERROR_MAX - 1, fmt, args);
    va_end(args);

    *p = '\0';
}
