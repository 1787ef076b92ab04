
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_json.c - JSON documents read from simdjson's tape (described in
 * cel_simdjson.h) without conversion.  Makes none.
 */


#include "cel_json.h"


cel_value_t
cel_json_root(const cel_json_t *json)
{
    uint32_t     pos;
    cel_value_t  v;

    pos = 1;
    cel_json_read(json, &pos, &v);

    return v;
}


void
cel_json_read(const cel_json_t *json, uint32_t *pos, cel_value_t *value)
{
    uint32_t  at;
    uint64_t  w;

    at = *pos;
    w = json->tape[at];
    *value = cel_make(CEL_NULL);

    switch (CEL_TAPE_TYPE(w)) {

    case '"':
        value->kind = CEL_STRING;
        value->s = (const char *) cel_json_key(json, at, &value->len);
        *pos = at + 1;
        return;

    case '{':
    case '[':
        value->kind = CEL_TAPE_TYPE(w) == '{' ? CEL_MAP : CEL_LIST;
        value->repr = CEL_REPR_JSON;
        value->len = at;
        value->j = json;
        *pos = CEL_TAPE_NEXT(w);
        return;

    case 'l':
        value->kind = CEL_INT;
        break;

    case 'u':
        value->kind = CEL_UINT;
        break;

    case 'd':
        value->kind = CEL_DOUBLE;
        break;

    case 't':
    case 'f':
        value->kind = CEL_BOOL;
        value->b = CEL_TAPE_TYPE(w) == 't';
        *pos = at + 1;
        return;

    default:
        *pos = at + 1;
        return;
    }

    memcpy(&value->u, &json->tape[at + 1], sizeof(uint64_t));
    *pos = at + 2;
}


/* The index of a container whose count says that there is one. */

static inline const uint32_t *
cel_json_index(const cel_json_t *json, uint64_t w)
{
    return json->index + CEL_TAPE_PAYLOAD(json->tape[CEL_TAPE_NEXT(w) - 1]);
}


uint32_t
cel_json_size(const cel_value_t *v)
{
    uint32_t  n;
    uint64_t  w;

    w = v->j->tape[v->len];
    n = CEL_TAPE_COUNT(w);

    return n == CEL_SIMDJSON_COUNT_MAX ? cel_json_index(v->j, w)[0] : n;
}


cel_status_t
cel_json_get(const cel_value_t *map, const char *key, size_t len,
    cel_value_t *value)
{
    uint32_t           n, h, pos, size, found;
    uint64_t           w;
    const uint8_t     *s;
    const uint32_t    *index;
    const cel_json_t  *json;

    json = map->j;
    w = json->tape[map->len];
    n = CEL_TAPE_COUNT(w);
    found = 0;

    if (n <= CEL_JSON_SMALL) {

        for (pos = map->len + 1; n != 0; n--) {
            s = cel_json_key(json, pos, &size);

            if (size == len && memcmp(s, key, len) == 0) {
                found = pos;

                if (!json->duplicates) {
                    break;
                }
            }

            pos = cel_json_skip(json, pos + 1);
        }

    } else {
        index = cel_json_index(json, w);

        for (h = cel_hash_bytes(key, len) & index[1];
             index[2 + h] != 0;
             h = (h + 1) & index[1])
        {
            s = cel_json_key(json, index[2 + h], &size);

            if (size == len && memcmp(s, key, len) == 0) {
                found = index[2 + h];
                break;
            }
        }
    }

    if (found == 0) {
        return CEL_NOT_FOUND;
    }

    pos = found + 1;
    cel_json_read(json, &pos, value);

    return CEL_OK;
}


cel_status_t
cel_json_entry(const cel_value_t *v, uint32_t i, cel_value_t *key,
    cel_value_t *value)
{
    uint32_t           pos;
    uint64_t           w;
    cel_value_t        ignored;
    const cel_json_t  *json;

    json = v->j;
    w = json->tape[v->len];
    pos = v->len + 1;

    if (v->kind == CEL_LIST) {

        if (CEL_TAPE_COUNT(w) > CEL_JSON_SMALL) {
            pos = cel_json_index(json, w)[1 + i];

        } else {
            while (i-- != 0) {
                pos = cel_json_skip(json, pos);
            }
        }

        cel_json_read(json, &pos, value);

        return CEL_OK;
    }

    while (i-- != 0) {
        pos = cel_json_skip(json, pos + 1);
    }

    cel_json_read(json, &pos, key != NULL ? key : &ignored);
    cel_json_read(json, &pos, value);

    return CEL_OK;
}
