/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Between jansson, nginx and CEL: strings, JSON documents as lazy CEL
 * objects, deep copies.  Converts no document and evaluates nothing.
 */


#include "ngx_constraint_base.h"


#define NGX_CONSTRAINT_COPY_DEPTH  64


/* In an arena; json is borrowed.  The cursor makes a walk linear. */

typedef struct {
    cel_object_t       object;          /* first */
    json_t            *json;
    void              *iter;
    uint32_t           next;            /* the entry iter stands at */
} ngx_constraint_cel_json_t;


static void *ngx_constraint_allocator_alloc(void *ctx, size_t size);
static void ngx_constraint_allocator_free(void *ctx, void *p, size_t size);

static uint32_t ngx_constraint_cel_json_size(const cel_object_t *o);
static cel_status_t ngx_constraint_cel_json_get(const cel_object_t *o,
    cel_eval_t *eval, const cel_value_t *key, cel_value_t *value);
static cel_status_t ngx_constraint_cel_json_list_get(const cel_object_t *o,
    cel_eval_t *eval, const cel_value_t *key, cel_value_t *value);
static cel_status_t ngx_constraint_cel_json_entry(const cel_object_t *o,
    cel_eval_t *eval, uint32_t i, cel_value_t *key, cel_value_t *value);
static cel_status_t ngx_constraint_cel_json_list_entry(const cel_object_t *o,
    cel_eval_t *eval, uint32_t i, cel_value_t *key, cel_value_t *value);
static cel_status_t ngx_constraint_cel_json_nested(cel_eval_t *eval,
    json_t *json, cel_value_t *value);

static cel_status_t ngx_constraint_cel_copy_depth(cel_eval_t *eval,
    cel_arena_t *arena, const cel_value_t *v, cel_value_t *copy,
    ngx_uint_t depth);
static cel_status_t ngx_constraint_cel_copy_entries(cel_eval_t *eval,
    cel_arena_t *arena, const cel_value_t *v, cel_value_t *copy,
    ngx_uint_t depth);
static cel_status_t ngx_constraint_cel_copy_bytes(cel_eval_t *eval,
    cel_arena_t *arena, cel_value_t *copy);
static cel_status_t ngx_constraint_cel_copy_optional(cel_eval_t *eval,
    cel_arena_t *arena, cel_value_t *copy, ngx_uint_t depth);


const cel_allocator_t  ngx_constraint_allocator = {
    ngx_constraint_allocator_alloc,
    ngx_constraint_allocator_free,
    NULL
};


static const cel_object_ops_t  ngx_constraint_cel_json_map = {
    CEL_MAP,
    ngx_constraint_cel_json_size,
    ngx_constraint_cel_json_get,
    ngx_constraint_cel_json_entry
};

static const cel_object_ops_t  ngx_constraint_cel_json_list = {
    CEL_LIST,
    ngx_constraint_cel_json_size,
    ngx_constraint_cel_json_list_get,
    ngx_constraint_cel_json_list_entry
};


/* called in threads too, so nothing is logged here */

static void *
ngx_constraint_allocator_alloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
ngx_constraint_allocator_free(void *ctx, void *p, size_t size)
{
    free(p);
}


cel_value_t
ngx_constraint_cel_string(const ngx_str_t *s)
{
    return cel_string((char *) s->data, s->len);
}


ngx_str_t
ngx_constraint_ngx_string(const cel_value_t *v)
{
    ngx_str_t  s;

    s.len = v->len;
    s.data = (u_char *) v->s;

    return s;
}


cel_status_t
ngx_constraint_cel_json(cel_arena_t *arena, json_t *json, cel_value_t *value)
{
    ngx_constraint_cel_json_t  *j;

    switch (json_typeof(json)) {

    case JSON_STRING:
        *value = cel_string(json_string_value(json), json_string_length(json));
        return CEL_OK;

    case JSON_INTEGER:
        *value = cel_int(json_integer_value(json));
        return CEL_OK;

    case JSON_REAL:
        *value = cel_double(json_real_value(json));
        return CEL_OK;

    case JSON_TRUE:
    case JSON_FALSE:
        *value = cel_bool(json_is_true(json));
        return CEL_OK;

    case JSON_NULL:
        *value = cel_null();
        return CEL_OK;

    default:
        break;
    }

    j = cel_arena_alloc(arena, sizeof(ngx_constraint_cel_json_t));
    if (j == NULL) {
        return CEL_ERROR;
    }

    j->object.ops = json_is_object(json) ? &ngx_constraint_cel_json_map
                                         : &ngx_constraint_cel_json_list;
    j->json = json;
    j->iter = NULL;
    j->next = 0;

    *value = cel_object(&j->object);

    return CEL_OK;
}


static uint32_t
ngx_constraint_cel_json_size(const cel_object_t *o)
{
    const ngx_constraint_cel_json_t  *j;

    j = (const ngx_constraint_cel_json_t *) o;

    return json_is_object(j->json) ? json_object_size(j->json)
                                   : json_array_size(j->json);
}


static cel_status_t
ngx_constraint_cel_json_get(const cel_object_t *o, cel_eval_t *eval,
    const cel_value_t *key, cel_value_t *value)
{
    json_t                           *json;
    const ngx_constraint_cel_json_t  *j;

    j = (const ngx_constraint_cel_json_t *) o;

    if (key->kind != CEL_STRING) {
        return CEL_NOT_FOUND;
    }

    json = json_object_getn(j->json, key->s, key->len);
    if (json == NULL) {
        return CEL_NOT_FOUND;
    }

    return ngx_constraint_cel_json_nested(eval, json, value);
}


static cel_status_t
ngx_constraint_cel_json_list_get(const cel_object_t *o, cel_eval_t *eval,
    const cel_value_t *key, cel_value_t *value)
{
    uint64_t  i;

    if (key->kind == CEL_INT || key->kind == CEL_UINT) {
        i = key->u;

    } else if (key->kind == CEL_DOUBLE && key->d >= 0 && key->d < UINT32_MAX
               && (double) (uint32_t) key->d == key->d)
    {
        i = (uint64_t) key->d;

    } else {
        return CEL_NOT_FOUND;
    }

    if (i >= ngx_constraint_cel_json_size(o)) {
        return CEL_NOT_FOUND;
    }

    return ngx_constraint_cel_json_list_entry(o, eval, i, NULL, value);
}


static cel_status_t
ngx_constraint_cel_json_entry(const cel_object_t *o, cel_eval_t *eval,
    uint32_t i, cel_value_t *key, cel_value_t *value)
{
    ngx_constraint_cel_json_t  *j;

    /* made here as writable memory; one evaluation's alone */

    j = (ngx_constraint_cel_json_t *) o;

    if (j->iter == NULL || i < j->next) {
        j->iter = json_object_iter(j->json);
        j->next = 0;
    }

    for ( /* void */ ; j->next < i; j->next++) {
        j->iter = json_object_iter_next(j->json, j->iter);
    }

    if (key) {
        *key = cel_string(json_object_iter_key(j->iter),
                          json_object_iter_key_len(j->iter));
    }

    if (value == NULL) {
        return CEL_OK;
    }

    return ngx_constraint_cel_json_nested(eval,
                                          json_object_iter_value(j->iter),
                                          value);
}


static cel_status_t
ngx_constraint_cel_json_list_entry(const cel_object_t *o, cel_eval_t *eval,
    uint32_t i, cel_value_t *key, cel_value_t *value)
{
    const ngx_constraint_cel_json_t  *j;

    j = (const ngx_constraint_cel_json_t *) o;

    if (value == NULL) {
        return CEL_OK;
    }

    return ngx_constraint_cel_json_nested(eval, json_array_get(j->json, i),
                                          value);
}


static cel_status_t
ngx_constraint_cel_json_nested(cel_eval_t *eval, json_t *json,
    cel_value_t *value)
{
    if (ngx_constraint_cel_json(eval->arena, json, value) == CEL_OK) {
        return CEL_OK;
    }

    return cel_eval_fail(eval, CEL_E_MEMORY, "out of evaluation memory");
}


cel_status_t
ngx_constraint_cel_copy(cel_eval_t *eval, cel_arena_t *arena,
    const cel_value_t *v, cel_value_t *copy)
{
    return ngx_constraint_cel_copy_depth(eval, arena, v, copy, 0);
}


static cel_status_t
ngx_constraint_cel_copy_depth(cel_eval_t *eval, cel_arena_t *arena,
    const cel_value_t *v, cel_value_t *copy, ngx_uint_t depth)
{
    if (depth > NGX_CONSTRAINT_COPY_DEPTH) {
        return cel_eval_fail(eval, CEL_E_DEPTH,
                             "a value is nested over %d deep",
                             NGX_CONSTRAINT_COPY_DEPTH);
    }

    *copy = *v;

    switch (v->kind) {

    case CEL_STRING:
    case CEL_BYTES:
        return ngx_constraint_cel_copy_bytes(eval, arena, copy);

    case CEL_LIST:
    case CEL_MAP:
        return ngx_constraint_cel_copy_entries(eval, arena, v, copy, depth);

    case CEL_OPTIONAL:
        return ngx_constraint_cel_copy_optional(eval, arena, copy, depth);

    case CEL_TYPE:
        copy->t = cel_type_of_kind(cel_type_kind(v->t));
        return CEL_OK;

    case CEL_OPAQUE:
    case CEL_ERROR_VALUE:
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "an opaque value cannot leave its evaluation");

    default:
        return CEL_OK;
    }
}


static cel_status_t
ngx_constraint_cel_copy_bytes(cel_eval_t *eval, cel_arena_t *arena,
    cel_value_t *copy)
{
    char  *p;

    p = cel_arena_alloc(arena, copy->len + 1);
    if (p == NULL) {
        return cel_eval_fail(eval, CEL_E_MEMORY, "out of evaluation memory");
    }

    if (copy->len) {
        ngx_memcpy(p, copy->s, copy->len);
    }

    p[copy->len] = '\0';
    copy->s = p;

    return CEL_OK;
}


static cel_status_t
ngx_constraint_cel_copy_entries(cel_eval_t *eval, cel_arena_t *arena,
    const cel_value_t *v, cel_value_t *copy, ngx_uint_t depth)
{
    uint32_t       i, j, size, width;
    cel_value_t   *values, entry[2];
    cel_status_t   rc;

    size = cel_size(v);
    width = (v->kind == CEL_MAP) ? 2 : 1;

    values = cel_arena_alloc(arena,
                             (size_t) size * width * sizeof(cel_value_t) + 1);
    if (values == NULL) {
        return cel_eval_fail(eval, CEL_E_MEMORY, "out of evaluation memory");
    }

    for (i = 0; i < size; i++) {
        rc = cel_entry(eval, v, i, width == 2 ? &entry[0] : NULL,
                       &entry[width - 1]);
        if (rc != CEL_OK) {
            return rc;
        }

        for (j = 0; j < width; j++) {
            rc = ngx_constraint_cel_copy_depth(eval, arena, &entry[j],
                                               &values[i * width + j],
                                               depth + 1);
            if (rc != CEL_OK) {
                return rc;
            }
        }
    }

    rc = (width == 2) ? cel_map(arena, values, size, copy)
                      : cel_list(arena, values, size, copy);
    if (rc != CEL_OK) {
        return cel_eval_fail(eval, CEL_E_MEMORY, "out of evaluation memory");
    }

    return CEL_OK;
}


static cel_status_t
ngx_constraint_cel_copy_optional(cel_eval_t *eval, cel_arena_t *arena,
    cel_value_t *copy, ngx_uint_t depth)
{
    cel_value_t  *v;

    if (copy->v == NULL) {
        return CEL_OK;
    }

    v = cel_arena_alloc(arena, sizeof(cel_value_t));
    if (v == NULL) {
        return cel_eval_fail(eval, CEL_E_MEMORY, "out of evaluation memory");
    }

    *v = *copy->v;
    copy->v = v;

    return ngx_constraint_cel_copy_depth(eval, arena, v, v, depth + 1);
}
