
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_json.c - JSON documents: parsed by simdjson, checked further here, read
 * from its tape (described in cel_simdjson.h) without conversion.
 *
 * Containers of many entries get an index, so that an entry is found at once:
 * the payload of their end on the tape, not needed otherwise, is its offset
 * in json->index.  There is the true number of entries, then
 *   list: the tape index of each element;
 *   map:  a mask and a hash table of the tape indices of the keys, 0 = empty.
 */


#include "cel_json.h"

#include <stdlib.h>


#define CEL_JSON_DEPTH    64
#define CEL_JSON_SMALL    16          /* entries up to which there is none */
#define CEL_JSON_KEEP     262144      /* a parser's memory for the next text */

#define CEL_TAPE_TYPE(w)     ((char) ((w) >> 56))
#define CEL_TAPE_PAYLOAD(w)  ((w) & 0xffffffffffffffull)
#define CEL_TAPE_NEXT(w)     ((uint32_t) (w))
#define CEL_TAPE_COUNT(w)    ((uint32_t) ((w) >> 32) & CEL_SIMDJSON_COUNT_MAX)


struct cel_json_parser_s {
    cel_simdjson_parser_t  *simdjson;
};


static cel_json_t *cel_json_create(void);
static cel_status_t cel_json_fill(cel_json_parser_t *parser, cel_json_t *json,
    cel_json_text_t *text);
static cel_status_t cel_json_check(cel_json_t *json, cel_json_text_t *text);
static cel_status_t cel_json_check_small(cel_json_t *json, uint32_t start,
    cel_json_text_t *text);
static cel_status_t cel_json_check_large(cel_json_t *json, uint32_t start,
    cel_json_text_t *text);
static cel_status_t cel_json_duplicate(cel_json_t *json, uint32_t key,
    cel_json_text_t *text);
static cel_status_t cel_json_index_list(cel_json_t *json, uint32_t start,
    cel_json_text_t *text);
static uint32_t *cel_json_index_room(cel_json_t *json, size_t n);


cel_json_parser_t *
cel_json_parser_create(void)
{
    cel_json_parser_t  *parser;

    parser = malloc(sizeof(cel_json_parser_t));
    if (parser == NULL) {
        return NULL;
    }

    parser->simdjson = cel_simdjson_parser_create();

    if (parser->simdjson == NULL) {
        free(parser);
        return NULL;
    }

    return parser;
}


void
cel_json_parser_destroy(cel_json_parser_t *parser)
{
    if (parser != NULL) {
        cel_simdjson_parser_destroy(parser->simdjson);
        free(parser);
    }
}


/*
 * Tape 8, strings 5/3, structure 4, copy of the text 1 and index up to 3
 * times the text.
 */

size_t
cel_json_memory(size_t len)
{
    if (len > (SIZE_MAX - 8192) / 18) {
        return SIZE_MAX;
    }

    return 18 * len + 8192;
}


cel_json_t *
cel_json_parse(cel_json_parser_t *parser, const char *s, size_t len,
    const cel_json_options_t *options, cel_error_t *error)
{
    cel_json_t       *json;
    cel_json_text_t   text;

    text.s = s;
    text.len = len;
    text.max_depth = CEL_JSON_DEPTH;
    text.allow_duplicates = false;
    text.error = error;

    if (options != NULL) {
        text.allow_duplicates = options->allow_duplicates;

        if (options->max_depth != 0) {
            text.max_depth = options->max_depth;
        }
    }

    if (text.max_depth > CEL_SIMDJSON_DEPTH_MAX) {
        text.max_depth = CEL_SIMDJSON_DEPTH_MAX;
    }

    json = cel_json_create();

    if (json == NULL) {
        cel_json_no_memory(&text);
        return NULL;
    }

    if (cel_json_fill(parser, json, &text) != CEL_OK) {
        cel_json_destroy(json);
        json = NULL;
    }

    return json;
}


static cel_json_t *
cel_json_create(void)
{
    cel_json_t  *json;

    json = malloc(sizeof(cel_json_t));
    if (json == NULL) {
        return NULL;
    }

    json->index = NULL;
    json->index_len = 0;
    json->index_room = 0;
    json->duplicates = false;

    json->document = cel_simdjson_document_create();

    if (json->document == NULL) {
        free(json);
        return NULL;
    }

    return json;
}


void
cel_json_destroy(cel_json_t *json)
{
    if (json != NULL) {
        cel_simdjson_document_destroy(json->document);
        free(json->index);
        free(json);
    }
}


static cel_status_t
cel_json_fill(cel_json_parser_t *parser, cel_json_t *json,
    cel_json_text_t *text)
{
    cel_simdjson_status_t   rc;
    cel_simdjson_parser_t  *fresh;

    rc = cel_simdjson_parse(parser->simdjson, json->document, text->s,
                            text->len, &json->tape, &json->strings);

    /* one large text does not make a parser large for ever */

    if (text->len > CEL_JSON_KEEP) {
        fresh = cel_simdjson_parser_create();

        if (fresh != NULL) {
            cel_simdjson_parser_destroy(parser->simdjson);
            parser->simdjson = fresh;
        }
    }

    switch (rc) {

    case CEL_SIMDJSON_OK:
        return cel_json_check(json, text);

    case CEL_SIMDJSON_MEMORY:
        cel_json_no_memory(text);
        return CEL_ERROR;

    case CEL_SIMDJSON_CAPACITY:
        cel_json_fail(text, 0, "the document is larger than 4 GiB");
        return CEL_ERROR;

    default:
        cel_json_diagnose(text);
        return CEL_ERROR;
    }
}


cel_value_t
cel_json_root(const cel_json_t *json)
{
    uint32_t     pos;
    cel_value_t  v;

    pos = 1;
    cel_json_read(json, &pos, &v);

    return v;
}


static inline const uint8_t *
cel_json_key(const cel_json_t *json, uint32_t pos, uint32_t *len)
{
    const uint8_t  *s;

    s = json->strings + CEL_TAPE_PAYLOAD(json->tape[pos]);
    memcpy(len, s, sizeof(uint32_t));

    return s + sizeof(uint32_t);
}


static inline uint32_t
cel_json_skip(const cel_json_t *json, uint32_t pos)
{
    uint64_t  w;

    w = json->tape[pos];

    switch (CEL_TAPE_TYPE(w)) {

    case '{':
    case '[':
        return CEL_TAPE_NEXT(w);

    case 'l':
    case 'u':
    case 'd':
        return pos + 2;

    default:
        return pos + 1;
    }
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


/* Once over the tape: depth, duplicate keys, indices. */

static cel_status_t
cel_json_check(cel_json_t *json, cel_json_text_t *text)
{
    uint32_t      i, n, depth;
    uint64_t      w;
    cel_status_t  rc;

    depth = 0;
    i = 1;

    for ( ;; ) {
        w = json->tape[i];

        switch (CEL_TAPE_TYPE(w)) {

        case '{':
            n = CEL_TAPE_COUNT(w);
            rc = CEL_OK;

            if (n > CEL_JSON_SMALL) {
                rc = cel_json_check_large(json, i, text);

            } else if (n > 1) {
                rc = cel_json_check_small(json, i, text);
            }

            if (rc != CEL_OK) {
                return rc;
            }

            depth++;
            break;

        case '[':
            if (CEL_TAPE_COUNT(w) > CEL_JSON_SMALL
                && cel_json_index_list(json, i, text) != CEL_OK)
            {
                return CEL_ERROR;
            }

            depth++;
            break;

        case '}':
        case ']':
            depth--;
            break;

        case 'l':
        case 'u':
        case 'd':
            i++;
            break;

        case 'r':
            return CEL_OK;

        default:
            break;
        }

        if (depth > text->max_depth) {
            cel_json_diagnose(text);
            return CEL_ERROR;
        }

        i++;
    }
}


/* Length, first and last bytes of a key: equal keys have equal ones. */

static inline uint64_t
cel_json_signature(const uint8_t *s, uint32_t len)
{
    uint32_t  first, last;

    if (len >= 4) {
        memcpy(&first, s, 4);
        memcpy(&last, s + len - 4, 4);

    } else {
        first = len > 0 ? s[0] : 0;
        last = len > 1 ? (uint32_t) s[1] << 8 | s[len - 1] : 0;
    }

    return ((uint64_t) last << 32 | first) ^ (uint64_t) len << 56;
}


static cel_status_t
cel_json_check_small(cel_json_t *json, uint32_t start, cel_json_text_t *text)
{
    uint32_t        i, j, n, len, other, pos, keys[CEL_JSON_SMALL];
    uint64_t        signature, signatures[CEL_JSON_SMALL];
    const uint8_t  *s, *t;

    n = CEL_TAPE_COUNT(json->tape[start]);
    pos = start + 1;

    for (i = 0; i < n; i++) {
        s = cel_json_key(json, pos, &len);
        signature = cel_json_signature(s, len);

        for (j = 0; j < i; j++) {
            if (cel_likely(signatures[j] != signature)) {
                continue;
            }

            t = cel_json_key(json, keys[j], &other);

            if (len == other && memcmp(s, t, len) == 0
                && cel_json_duplicate(json, pos, text) != CEL_OK)
            {
                return CEL_ERROR;
            }
        }

        signatures[i] = signature;
        keys[i] = pos;
        pos = cel_json_skip(json, pos + 1);
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
