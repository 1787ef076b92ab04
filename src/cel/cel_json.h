
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_json.h - a JSON document as it is held, private to the files that make
 * one: cel_json_parse.c (its memory), cel_json_check.c (once over the tape),
 * cel_json.c (reading it), cel_json_error.c (what is wrong with a text).
 *
 * Containers of many entries get an index, so that an entry is found at once:
 * the payload of their end on the tape, not needed otherwise, is its offset
 * in json->index.  There is the true number of entries, then
 *   list: the tape index of each element;
 *   map:  a mask and a hash table of the tape indices of the keys, 0 = empty.
 */


#ifndef CEL_JSON_H_INCLUDED
#define CEL_JSON_H_INCLUDED


#include "cel_runtime.h"
#include "cel_simdjson.h"


#define CEL_JSON_SMALL       16       /* entries up to which there is none */

#define CEL_TAPE_TYPE(w)     ((char) ((w) >> 56))
#define CEL_TAPE_PAYLOAD(w)  ((w) & 0xffffffffffffffull)
#define CEL_TAPE_NEXT(w)     ((uint32_t) (w))
#define CEL_TAPE_COUNT(w)    ((uint32_t) ((w) >> 32) & CEL_SIMDJSON_COUNT_MAX)


struct cel_json_s {
    uint64_t                 *tape;         /* the document's */
    const uint8_t            *strings;      /* the document's */
    uint32_t                 *index;        /* own heap, or NULL */
    size_t                    index_len;
    size_t                    index_room;
    bool                      duplicates;   /* there are, and are allowed */
    cel_simdjson_document_t  *document;
    cel_json_t               *next;         /* of a parser's spare ones */
};


/* What is being parsed, and where its error goes. */

typedef struct {
    const char               *s;
    size_t                    len;
    uint32_t                  max_depth;
    bool                      allow_duplicates;
    cel_error_t              *error;
} cel_json_text_t;


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


/*
 * Once over a fresh tape: depth, duplicate keys, indices.  CEL_OK, or
 * CEL_ERROR with the text's error filled.
 */
cel_status_t cel_json_check(cel_json_t *json, cel_json_text_t *text);

/*
 * Finds what is wrong with a text that was refused: the first fault, with its
 * place.
 */
void cel_json_diagnose(cel_json_text_t *text);

void cel_json_fail(cel_json_text_t *text, size_t offset, const char *message);
void cel_json_fail_duplicate(cel_json_text_t *text, uint32_t string,
    const cel_value_t *key);
void cel_json_no_memory(cel_json_text_t *text);


#endif /* CEL_JSON_H_INCLUDED */
