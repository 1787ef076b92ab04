
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_json_check.c - once over the tape of a document that simdjson has
 * parsed: what it does not look at (depth as asked for, duplicate keys), and
 * the indices of large containers.
 */


#include "cel_json.h"

#include <stdlib.h>


static cel_status_t cel_json_check_small(cel_json_t *json, uint32_t *start,
    cel_json_text_t *text);
static cel_status_t cel_json_check_large(cel_json_t *json, uint32_t start,
    cel_json_text_t *text);
static cel_status_t cel_json_duplicate(cel_json_t *json, uint32_t key,
    cel_json_text_t *text);
static cel_status_t cel_json_index_list(cel_json_t *json, uint32_t start,
    cel_json_text_t *text);
static uint32_t *cel_json_index_room(cel_json_t *json, size_t n);


/*
 * What a word of the tape is to a walk: how many words it takes, and whether
 * it opens or closes something.
 */

#define CEL_WALK_STEP  3
#define CEL_WALK_STOP  4

static const uint8_t  cel_json_walk[256] = {
    ['"'] = 1, ['t'] = 1, ['f'] = 1, ['n'] = 1,
    ['l'] = 2, ['u'] = 2, ['d'] = 2,
    ['{'] = CEL_WALK_STOP, ['['] = CEL_WALK_STOP, ['}'] = CEL_WALK_STOP,
    [']'] = CEL_WALK_STOP, ['r'] = CEL_WALK_STOP
};


cel_status_t
cel_json_check(cel_json_t *json, cel_json_text_t *text)
{
    uint8_t       walk;
    uint32_t      i, n, depth;
    uint64_t      w;
    cel_status_t  rc;

    depth = 0;
    i = 1;

    for ( ;; ) {

        do {
            w = json->tape[i];
            walk = cel_json_walk[w >> 56];
            i += walk;
        } while (walk <= CEL_WALK_STEP);

        i -= CEL_WALK_STOP;

        n = CEL_TAPE_COUNT(w);
        rc = CEL_OK;

        switch (CEL_TAPE_TYPE(w)) {

        case '{':
            depth++;

            if (n > CEL_JSON_SMALL) {
                rc = cel_json_check_large(json, i, text);

            } else if (n > 1) {
                rc = cel_json_check_small(json, &i, text);
            }

            break;

        case '[':
            depth++;

            if (n > CEL_JSON_SMALL) {
                rc = cel_json_index_list(json, i, text);
            }

            break;

        case 'r':
            return CEL_OK;

        default: /* '}' ']' */
            depth--;
            break;
        }

        if (rc != CEL_OK) {
            return rc;
        }

        if (depth > text->max_depth) {
            cel_json_diagnose(text);
            return CEL_ERROR;
        }

        i++;
    }
}


/*
 * Length, first and last four bytes of a key, mixed: equal keys have equal
 * ones.  The buffer goes on behind every string, so that the loads are within
 * it; a key shorter than what was loaded is cut out.
 */

static inline uint64_t
cel_json_signature(const uint8_t *s, uint32_t *len)
{
    uint32_t  n, tail;
    uint64_t  head;

    memcpy(&head, s, sizeof(uint64_t));
    memcpy(&n, s, sizeof(uint32_t));
    memcpy(&tail, s + n, sizeof(uint32_t));

    if (n < sizeof(uint32_t)) {
        head &= ((uint64_t) 1 << (32 + 8 * n)) - 1;
    }

    *len = n;

    return head + tail * 0x9e3779b97f4a7c15ull;
}


/* Goes to its last word at once where there is nothing below to look at. */

static cel_status_t
cel_json_check_small(cel_json_t *json, uint32_t *start, cel_json_text_t *text)
{
    bool            leaf;
    uint8_t         walk;
    uint32_t        i, j, n, len, other, pos, keys[CEL_JSON_SMALL];
    uint64_t        w, signature, signatures[CEL_JSON_SMALL];
    const uint8_t  *s, *t;

    n = CEL_TAPE_COUNT(json->tape[*start]);
    pos = *start + 1;
    leaf = true;

    for (i = 0; i < n; i++) {
        s = json->strings + CEL_TAPE_PAYLOAD(json->tape[pos]);
        signature = cel_json_signature(s, &len);

        for (j = 0; j < i; j++) {
            if (cel_likely(signatures[j] != signature)) {
                continue;
            }

            t = cel_json_key(json, keys[j], &other);

            if (len == other && memcmp(s + sizeof(uint32_t), t, len) == 0
                && cel_json_duplicate(json, pos, text) != CEL_OK)
            {
                return CEL_ERROR;
            }
        }

        signatures[i] = signature;
        keys[i] = pos;

        w = json->tape[++pos];
        walk = cel_json_walk[w >> 56];
        pos += walk;

        if (walk == CEL_WALK_STOP) {
            pos = CEL_TAPE_NEXT(w);
            leaf = false;
        }
    }

    if (leaf) {
        *start = pos - 1;
    }

    return CEL_OK;
}


static cel_status_t
cel_json_check_large(cel_json_t *json, uint32_t start, cel_json_text_t *text)
{
    uint32_t        h, n, len, other, pos, end, size, *index, *slot;
    const uint8_t  *s, *t;

    end = CEL_TAPE_NEXT(json->tape[start]) - 1;
    n = CEL_TAPE_COUNT(json->tape[start]);

    if (n == CEL_SIMDJSON_COUNT_MAX) {
        for (n = 0, pos = start + 1; pos != end; n++) {
            pos = cel_json_skip(json, pos + 1);
        }
    }

    for (size = 64; size < 2 * (size_t) n; size *= 2) { /* void */ }

    index = cel_json_index_room(json, 2 + (size_t) size);
    if (index == NULL) {
        cel_json_no_memory(text);
        return CEL_ERROR;
    }

    index[0] = n;
    index[1] = size - 1;
    memset(&index[2], 0, size * sizeof(uint32_t));

    for (pos = start + 1; pos != end; pos = cel_json_skip(json, pos + 1)) {
        s = cel_json_key(json, pos, &len);
        h = cel_hash_bytes((const char *) s, len) & index[1];

        for ( ;; ) {
            slot = &index[2 + h];

            if (*slot == 0) {
                break;
            }

            t = cel_json_key(json, *slot, &other);

            if (len == other && memcmp(s, t, len) == 0) {
                if (cel_json_duplicate(json, pos, text) != CEL_OK) {
                    return CEL_ERROR;
                }

                break;
            }

            h = (h + 1) & index[1];
        }

        *slot = pos;
    }

    json->tape[end] = (uint64_t) '}' << 56
                      | (uint64_t) (index - json->index);

    return CEL_OK;
}


/* Refused, or noted so that the last one is read. */

static cel_status_t
cel_json_duplicate(cel_json_t *json, uint32_t key, cel_json_text_t *text)
{
    uint32_t     i, n;
    cel_value_t  v;

    if (text->allow_duplicates) {
        json->duplicates = true;
        return CEL_OK;
    }

    /* which string of the text is it? */

    n = 0;

    for (i = 1; i < key; i++) {
        switch (CEL_TAPE_TYPE(json->tape[i])) {

        case '"':
            n++;
            break;

        case 'l':
        case 'u':
        case 'd':
            i++;
            break;

        default:
            break;
        }
    }

    i = key;
    cel_json_read(json, &i, &v);
    cel_json_fail_duplicate(text, n, &v);

    return CEL_ERROR;
}


static cel_status_t
cel_json_index_list(cel_json_t *json, uint32_t start, cel_json_text_t *text)
{
    uint32_t  i, n, pos, end, *index;

    end = CEL_TAPE_NEXT(json->tape[start]) - 1;
    n = CEL_TAPE_COUNT(json->tape[start]);

    if (n == CEL_SIMDJSON_COUNT_MAX) {
        for (n = 0, pos = start + 1; pos != end; n++) {
            pos = cel_json_skip(json, pos);
        }
    }

    index = cel_json_index_room(json, 1 + (size_t) n);
    if (index == NULL) {
        cel_json_no_memory(text);
        return CEL_ERROR;
    }

    index[0] = n;
    pos = start + 1;

    for (i = 1; i <= n; i++) {
        index[i] = pos;
        pos = cel_json_skip(json, pos);
    }

    json->tape[end] = (uint64_t) ']' << 56
                      | (uint64_t) (index - json->index);

    return CEL_OK;
}


static uint32_t *
cel_json_index_room(cel_json_t *json, size_t n)
{
    size_t     room;
    uint32_t  *index;

    if (json->index_room - json->index_len < n) {
        room = json->index_room * 2;

        if (room < json->index_len + n) {
            room = json->index_len + n;
        }

        index = realloc(json->index, room * sizeof(uint32_t));
        if (index == NULL) {
            return NULL;
        }

        json->index = index;
        json->index_room = room;
    }

    index = json->index + json->index_len;
    json->index_len += n;

    return index;
}
