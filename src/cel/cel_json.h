
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_json.h - a JSON document as cel_json.c holds it, and the way its errors
 * are told by cel_json_error.c; private to the two.
 */


#ifndef CEL_JSON_H_INCLUDED
#define CEL_JSON_H_INCLUDED


#include "cel_runtime.h"
#include "cel_simdjson.h"


struct cel_json_s {
    uint64_t                 *tape;         /* the document's */
    const uint8_t            *strings;      /* the document's */
    uint32_t                 *index;        /* own heap, or NULL */
    size_t                    index_len;
    size_t                    index_room;
    bool                      duplicates;   /* there are, and are allowed */
    cel_simdjson_document_t  *document;
};


/* What is being parsed, and where its error goes. */

typedef struct {
    const char               *s;
    size_t                    len;
    uint32_t                  max_depth;
    bool                      allow_duplicates;
    cel_error_t              *error;
} cel_json_text_t;


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
