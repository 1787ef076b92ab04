
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_json_parse.c - the life of a JSON document: a text is parsed by
 * simdjson and checked, the memory is used for the next one or freed.
 */


#include "cel_json.h"

#include <stdlib.h>


#define CEL_JSON_DEPTH        64
#define CEL_JSON_KEEP         262144   /* a parser's memory for the next text */

#define CEL_JSON_SPARE        4        /* documents kept for the next texts */
#define CEL_JSON_SPARE_TEXT   16384    /* each with room for so many bytes */
#define CEL_JSON_SPARE_INDEX  16384    /* and so many words of index */


struct cel_json_parser_s {
    cel_simdjson_parser_t  *simdjson;
    cel_json_t             *spare;
    uint32_t                spares;
};


static cel_json_t *cel_json_create(cel_json_parser_t *parser);
static cel_status_t cel_json_fill(cel_json_parser_t *parser, cel_json_t *json,
    cel_json_text_t *text);


cel_json_parser_t *
cel_json_parser_create(void)
{
    cel_json_parser_t  *parser;

    parser = malloc(sizeof(cel_json_parser_t));
    if (parser == NULL) {
        return NULL;
    }

    parser->spare = NULL;
    parser->spares = 0;
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
    cel_json_t  *json;

    if (parser == NULL) {
        return;
    }

    while (parser->spare != NULL) {
        json = parser->spare;
        parser->spare = json->next;
        cel_json_destroy(json);
    }

    cel_simdjson_parser_destroy(parser->simdjson);
    free(parser);
}


char *
cel_json_parser_room(cel_json_parser_t *parser, size_t len)
{
    if (len > CEL_JSON_KEEP) {
        return NULL;               /* it may go before an error is looked for */
    }

    return cel_simdjson_room(parser->simdjson, len);
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

    json = cel_json_create(parser);

    if (json == NULL) {
        cel_json_no_memory(&text);
        return NULL;
    }

    if (cel_json_fill(parser, json, &text) != CEL_OK) {
        cel_json_recycle(parser, json);
        json = NULL;
    }

    return json;
}


static cel_json_t *
cel_json_create(cel_json_parser_t *parser)
{
    cel_json_t  *json;

    json = parser->spare;

    if (json != NULL) {
        parser->spare = json->next;
        parser->spares--;

        json->index_len = 0;
        json->duplicates = false;

        return json;
    }

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


void
cel_json_recycle(cel_json_parser_t *parser, cel_json_t *json)
{
    if (json == NULL) {
        return;
    }

    if (parser->spares == CEL_JSON_SPARE
        || json->index_room > CEL_JSON_SPARE_INDEX
        || cel_simdjson_document_capacity(json->document)
           > CEL_JSON_SPARE_TEXT)
    {
        cel_json_destroy(json);
        return;
    }

    json->next = parser->spare;
    parser->spare = json;
    parser->spares++;
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
