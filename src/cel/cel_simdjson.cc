
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_simdjson.cc - the only file that knows simdjson.
 */


#include "cel_simdjson.h"

#include <cstring>
#include <new>

#include <simdjson.h>


struct cel_simdjson_parser_s {
    simdjson::dom::parser  parser;
    char                  *text;        /* and padding */
    size_t                 room;        /* without it */
};


struct cel_simdjson_document_s {
    simdjson::dom::document  document;
};


cel_simdjson_parser_t *
cel_simdjson_parser_create(void)
{
    return new (std::nothrow) cel_simdjson_parser_s();
}


void
cel_simdjson_parser_destroy(cel_simdjson_parser_t *parser)
{
    if (parser != NULL) {
        delete[] parser->text;
        delete parser;
    }
}


cel_simdjson_document_t *
cel_simdjson_document_create(void)
{
    return new (std::nothrow) cel_simdjson_document_s;
}


void
cel_simdjson_document_destroy(cel_simdjson_document_t *document)
{
    delete document;
}


size_t
cel_simdjson_document_capacity(const cel_simdjson_document_t *document)
{
    return document->document.capacity();
}


char *
cel_simdjson_room(cel_simdjson_parser_t *parser, size_t len)
{
    char    *text;
    size_t   room;

    if (len <= parser->room && parser->text != NULL) {
        return parser->text;
    }

    room = len > 2048 ? len : 2048;

    if (room > SIZE_MAX - simdjson::SIMDJSON_PADDING) {
        return NULL;
    }

    text = new (std::nothrow) char[room + simdjson::SIMDJSON_PADDING];
    if (text == NULL) {
        return NULL;
    }

    delete[] parser->text;

    parser->text = text;
    parser->room = room;

    return text;
}


cel_simdjson_status_t
cel_simdjson_parse(cel_simdjson_parser_t *parser,
    cel_simdjson_document_t *document, const char *text, size_t len,
    uint64_t **tape, const uint8_t **strings)
{
    simdjson::error_code  error;

    if (cel_simdjson_room(parser, len) == NULL) {
        return CEL_SIMDJSON_MEMORY;
    }

    if (text != parser->text) {
        memcpy(parser->text, text, len);
    }

    memset(parser->text + len, 0, simdjson::SIMDJSON_PADDING);

    /* parse_into_document: the parser's own document is never used */

    error = parser->parser.parse_into_document(document->document,
                                               parser->text, len, false)
            .error();

    *tape = document->document.tape.get();
    *strings = document->document.string_buf.get();

    switch (error) {

    case simdjson::SUCCESS:
        return CEL_SIMDJSON_OK;

    case simdjson::MEMALLOC:
        return CEL_SIMDJSON_MEMORY;

    case simdjson::CAPACITY:
        return CEL_SIMDJSON_CAPACITY;

    case simdjson::UTF8_ERROR:
        return CEL_SIMDJSON_UTF8;

    case simdjson::DEPTH_ERROR:
        return CEL_SIMDJSON_DEPTH;

    case simdjson::NUMBER_ERROR:
        return CEL_SIMDJSON_NUMBER;

    case simdjson::EMPTY:
        return CEL_SIMDJSON_EMPTY;

    default:
        return CEL_SIMDJSON_SYNTAX;
    }
}
