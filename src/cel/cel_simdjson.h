
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_simdjson.h - simdjson behind a C face: parse a text to a document of
 * its own, hand out the tape.  Nothing throws; cel_json.c knows the rest.
 *
 * The tape, simdjson 3.0, doc/tape.md: 64-bit words, the type's character in
 * the upper 8 bits, a payload in the lower 56.
 *
 *   'r'           root: the first word and the last
 *   '{' '['       payload: in bits 0..31 the index after the matching end, in
 *                 32..55 the number of entries or elements, saturated
 *   '}' ']'       payload: the index of the start
 *   '"'           payload: offset in the string buffer, where there are 4
 *                 bytes of length, the bytes and a NUL; keys are the same
 *   'l' 'u' 'd'   the next word is an int64_t, uint64_t or double
 *   't' 'f' 'n'   true, false, null
 */


#ifndef CEL_SIMDJSON_H_INCLUDED
#define CEL_SIMDJSON_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#ifdef __cplusplus
extern "C" {
#endif


#define CEL_SIMDJSON_COUNT_MAX  0xffffffu
#define CEL_SIMDJSON_DEPTH_MAX  1024


typedef struct cel_simdjson_parser_s    cel_simdjson_parser_t;
typedef struct cel_simdjson_document_s  cel_simdjson_document_t;


typedef enum {
    CEL_SIMDJSON_OK = 0,
    CEL_SIMDJSON_SYNTAX,
    CEL_SIMDJSON_UTF8,
    CEL_SIMDJSON_DEPTH,
    CEL_SIMDJSON_NUMBER,
    CEL_SIMDJSON_EMPTY,
    CEL_SIMDJSON_CAPACITY,
    CEL_SIMDJSON_MEMORY
} cel_simdjson_status_t;


cel_simdjson_parser_t *cel_simdjson_parser_create(void);
void cel_simdjson_parser_destroy(cel_simdjson_parser_t *parser);

cel_simdjson_document_t *cel_simdjson_document_create(void);
void cel_simdjson_document_destroy(cel_simdjson_document_t *document);

/* The parser's own memory for a text, NULL: memory is out. */
char *cel_simdjson_room(cel_simdjson_parser_t *parser, size_t len)
    __attribute__((hot));

/*
 * The text is copied to the parser's own memory, which simdjson needs to be
 * longer than it, unless it is there; the tape and the strings belong to the
 * document, which is used again if it has room.
 */
cel_simdjson_status_t cel_simdjson_parse(cel_simdjson_parser_t *parser,
    cel_simdjson_document_t *document, const char *text, size_t len,
    uint64_t **tape, const uint8_t **strings) __attribute__((hot));

/* Bytes of text that the document has room for. */
size_t cel_simdjson_document_capacity(
    const cel_simdjson_document_t *document) __attribute__((hot));


#ifdef __cplusplus
}
#endif


#endif /* CEL_SIMDJSON_H_INCLUDED */
