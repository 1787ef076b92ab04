
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_value.c - values: constructors, and lists and maps read alike in their
 * three representations.  Comparing is cel_equal.c, map look-up by any key
 * and its index cel_map.c.
 */


#include "cel_runtime.h"


cel_value_t
cel_null(void)
{
    return cel_make(CEL_NULL);
}


cel_value_t
cel_bool(bool b)
{
    cel_value_t  v;

    v = cel_make(CEL_BOOL);
    v.b = b;

    return v;
}


cel_value_t
cel_int(int64_t i)
{
    cel_value_t  v;

    v = cel_make(CEL_INT);
    v.i = i;

    return v;
}


cel_value_t
cel_uint(uint64_t u)
{
    cel_value_t  v;

    v = cel_make(CEL_UINT);
    v.u = u;

    return v;
}


cel_value_t
cel_double(double d)
{
    cel_value_t  v;

    v = cel_make(CEL_DOUBLE);
    v.d = d;

    return v;
}


/* An empty string has an address too, so that nobody passes on a NULL. */

static cel_value_t
cel_make_bytes(cel_kind_t kind, const char *s, size_t len)
{
    cel_value_t  v;

    v = cel_make(kind);
    v.len = len > UINT32_MAX ? UINT32_MAX : (uint32_t) len;
    v.s = s != NULL ? s : "";

    return v;
}


cel_value_t
cel_string(const char *s, size_t len)
{
    return cel_make_bytes(CEL_STRING, s, len);
}


cel_value_t
cel_bytes(const char *s, size_t len)
{
    return cel_make_bytes(CEL_BYTES, s, len);
}


cel_value_t
cel_timestamp(int64_t seconds, uint32_t nanoseconds)
{
    cel_value_t  v;

    v = cel_make(CEL_TIMESTAMP);
    v.i = seconds;
    v.len = nanoseconds;

    return v;
}


cel_value_t
cel_duration(int64_t seconds, int32_t nanoseconds)
{
    cel_value_t  v;

    v = cel_make(CEL_DURATION);
    v.i = seconds;
    v.len = (uint32_t) nanoseconds;

    return v;
}


cel_value_t
cel_object(const cel_object_t *o)
{
    cel_value_t  v;

    v = cel_make(o->ops->kind);
    v.repr = CEL_REPR_OBJECT;
    v.o = o;

    return v;
}


cel_value_t
cel_type_value(const cel_type_t *type)
{
    cel_value_t  v;

    v = cel_make(CEL_TYPE);
    v.t = type;

    return v;
}


const cel_type_t *
cel_value_type(const cel_value_t *v)
{
    switch (v->kind) {

    case CEL_NULL:       return &cel_t_null;
    case CEL_BOOL:       return &cel_t_bool;
    case CEL_INT:        return &cel_t_int;
    case CEL_UINT:       return &cel_t_uint;
    case CEL_DOUBLE:     return &cel_t_double;
    case CEL_STRING:     return &cel_t_string;
    case CEL_BYTES:      return &cel_t_bytes;
    case CEL_TIMESTAMP:  return &cel_t_timestamp;
    case CEL_DURATION:   return &cel_t_duration;
    case CEL_LIST:       return &cel_t_list_dyn;
    case CEL_MAP:        return &cel_t_map_dyn;
    case CEL_TYPE:       return &cel_t_type;
    case CEL_OPTIONAL:   return &cel_t_optional_dyn;
    case CEL_OPAQUE:     return ((const cel_opaque_t *) v->o)->type;
    default:             return &cel_t_dyn;
    }
}


static cel_status_t
cel_make_list(cel_arena_t *arena, const cel_value_t *values, uint32_t count,
    cel_value_t *out)
{
    cel_sequence_t  *l;

    l = cel_arena_alloc(arena, sizeof(cel_sequence_t));
    if (l == NULL) {
        return CEL_ERROR;
    }

    l->count = count;
    l->values = values;
    l->index = NULL;

    *out = cel_make(CEL_LIST);
    out->l = l;

    return CEL_OK;
}


cel_status_t
cel_list(cel_arena_t *arena, const cel_value_t *values, uint32_t count,
    cel_value_t *out)
{
    return cel_make_list(arena, values, count, out);
}


cel_status_t
cel_map(cel_arena_t *arena, const cel_value_t *pairs, uint32_t count,
    cel_value_t *out)
{
    return cel_map_build(arena, pairs, count, out, NULL);
}


cel_status_t
cel_wrap_list(cel_eval_t *eval, const cel_value_t *values, uint32_t count,
    cel_value_t *out)
{
    if (cel_eval_entries(eval, count) != CEL_OK) {
        return CEL_ERROR;
    }

    if (cel_make_list(eval->arena, values, count, out) != CEL_OK) {
        return cel_fail_memory(eval);
    }

    return CEL_OK;
}


cel_status_t
cel_wrap_map(cel_eval_t *eval, const cel_value_t *pairs, uint32_t count,
    cel_value_t *out)
{
    char                text[CEL_MESSAGE_MAX - 32];
    const cel_value_t  *duplicate;

    if (cel_eval_entries(eval, count) != CEL_OK) {
        return CEL_ERROR;
    }

    if (cel_map_build(eval->arena, pairs, count, out, &duplicate) != CEL_OK) {
        return cel_fail_memory(eval);
    }

    if (duplicate != NULL) {
        cel_value_text(duplicate, text, sizeof(text));
        return cel_eval_fail(eval, CEL_E_DUPLICATE_KEY,
                             "duplicate key in map: %s", text);
    }

    return CEL_OK;
}


uint32_t
cel_size(const cel_value_t *v)
{
    if (v->kind != CEL_LIST && v->kind != CEL_MAP) {
        return 0;
    }

    switch (v->repr) {

    case CEL_REPR_ARENA:
        return v->l->count;

    case CEL_REPR_JSON:
        return cel_json_size(v);

    default:
        return v->o->ops->size(v->o);
    }
}


cel_status_t
cel_entry(cel_eval_t *eval, const cel_value_t *v, uint32_t i,
    cel_value_t *key, cel_value_t *value)
{
    cel_value_t  ignored;

    if ((v->kind != CEL_LIST && v->kind != CEL_MAP) || i >= cel_size(v)) {
        return CEL_NOT_FOUND;
    }

    if (v->repr == CEL_REPR_JSON) {
        return cel_json_entry(v, i, key, value);
    }

    if (v->repr == CEL_REPR_OBJECT) {
        return v->o->ops->entry(v->o, eval, i, key != NULL ? key : &ignored,
                                value);
    }

    if (v->kind == CEL_LIST) {
        *value = v->l->values[i];
        return CEL_OK;
    }

    if (key != NULL) {
        *key = v->l->values[2 * (size_t) i];
    }

    *value = v->l->values[2 * (size_t) i + 1];

    return CEL_OK;
}


cel_status_t
cel_get(cel_eval_t *eval, const cel_value_t *map, const char *key, size_t len,
    cel_value_t *value)
{
    cel_value_t  k;

    if (map->kind != CEL_MAP) {
        return CEL_NOT_FOUND;
    }

    k = cel_string(key, len);

    return cel_map_get(eval, map, &k, value);
}


void
cel_iter_init(cel_iter_t *iter, const cel_value_t *range)
{
    iter->range = *range;
    iter->i = 0;
    iter->n = cel_size(range);
    iter->pos = range->len + 1;
}


cel_status_t
cel_iter_next(cel_iter_t *iter, cel_eval_t *eval, cel_value_t *key,
    cel_value_t *value)
{
    uint32_t            i;
    cel_value_t         ignored;
    const cel_value_t  *range;

    range = &iter->range;
    i = iter->i++;

    if (value == NULL) {
        value = &ignored;
    }

    if (range->repr != CEL_REPR_JSON) {
        return cel_entry(eval, range, i, key, value);
    }

    if (range->kind == CEL_MAP) {
        cel_json_read(range->j, &iter->pos, key != NULL ? key : &ignored);
    }

    cel_json_read(range->j, &iter->pos, value);

    return CEL_OK;
}


cel_status_t
cel_builder_grow(cel_builder_t *b, cel_eval_t *eval)
{
    size_t        size, more;
    cel_value_t  *values;

    if (b->room > UINT32_MAX / 4) {
        return cel_fail_memory(eval);
    }

    /* a map's entry is two values */

    if (cel_eval_entries(eval, b->count / 2) != CEL_OK) {
        return CEL_ERROR;
    }

    size = b->room * sizeof(cel_value_t);
    more = b->room != 0 ? size : 8 * sizeof(cel_value_t);

    if (b->room != 0 && cel_arena_extend(eval->arena, b->values, size, more))
    {
        b->room *= 2;
        return CEL_OK;
    }

    values = cel_eval_alloc(eval, size + more);
    if (values == NULL) {
        return CEL_ERROR;
    }

    if (b->count != 0) {
        memcpy(values, b->values, size);
    }

    b->values = values;
    b->room = (uint32_t) ((size + more) / sizeof(cel_value_t));

    return CEL_OK;
}


char *
cel_new_string(cel_eval_t *eval, size_t len, cel_value_t *out)
{
    char  *p;

    if (cel_eval_string(eval, len) != CEL_OK) {
        return NULL;
    }

    p = cel_eval_alloc(eval, len);
    if (p == NULL) {
        return NULL;
    }

    *out = cel_string(p, len);

    return p;
}
