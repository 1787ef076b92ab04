
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Cursors: where a page ended, as text that only this file understands.
 * Nothing is kept on the server, so a cursor does not expire.
 */


#include "ngx_http_constraint_api.h"


static json_t *ngx_http_constraint_api_cursor_decode(
    const ngx_str_t *cursor);


/* base64url of [kind, sort, name, sort key or null] */

json_t *
ngx_http_constraint_api_cursor_create(
    const ngx_http_constraint_api_item_t *item, const ngx_str_t *sort,
    ngx_constraint_kind_e kind)
{
    char       *text;
    json_t     *json, *cursor;
    ngx_str_t   src, dst;

    json = json_pack("[i,s#,O,O*]", (int) kind,
                     sort->data ? (char *) sort->data : "", (int) sort->len,
                     item->name, item->key);

    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);

    if (text == NULL) {
        return NULL;
    }

    src.data = (u_char *) text;
    src.len = ngx_strlen(text);

    dst.data = malloc(ngx_base64_encoded_length(src.len));

    if (dst.data == NULL) {
        free(text);
        return NULL;
    }

    ngx_encode_base64url(&dst, &src);
    cursor = json_stringn((char *) dst.data, dst.len);

    free(dst.data);
    free(text);

    return cursor;
}


ngx_int_t
ngx_http_constraint_api_cursor_read(ngx_http_constraint_api_page_t *page,
    const ngx_str_t *cursor, const ngx_str_t *sort,
    ngx_constraint_kind_e kind)
{
    json_t  *json, *by, *name, *key;

    json = ngx_http_constraint_api_cursor_decode(cursor);

    by = json_array_get(json, 1);
    name = json_array_get(json, 2);
    key = json_array_get(json, 3);

    if (!json_is_integer(json_array_get(json, 0))
        || json_integer_value(json_array_get(json, 0)) != (json_int_t) kind
        || !json_is_string(by)
        || json_string_length(by) != sort->len
        || (sort->len
            && ngx_memcmp(json_string_value(by), sort->data, sort->len) != 0)
        || !json_is_string(name)
        || (page->sort && !query_sort_key_valid(page->sort, key)))
    {
        json_decref(json);
        return NGX_DECLINED;
    }

    page->after.name = json_incref(name);
    page->after.key = page->sort ? json_incref(key) : NULL;

    json_decref(json);

    return NGX_OK;
}


static json_t *
ngx_http_constraint_api_cursor_decode(const ngx_str_t *cursor)
{
    json_t     *json;
    ngx_str_t   src, dst;

    json = NULL;
    src = *cursor;

    dst.data = malloc(ngx_base64_decoded_length(src.len) + 1);
    if (dst.data == NULL) {
        return NULL;
    }

    if (ngx_decode_base64url(&dst, &src) == NGX_OK) {
        json = json_loadb((char *) dst.data, dst.len, 0, NULL);
    }

    free(dst.data);

    return json;
}
