/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The input: text to a parsed document, shared by the evaluations of one
 * request.  Reads no body.
 */


#include "ngx_constraint_evaluation.h"


ngx_constraint_document_t *
ngx_constraint_document_parse(cel_json_parser_t *parser,
    const ngx_str_t *text, ngx_uint_t allow_duplicates,
    ngx_constraint_failure_t *failure)
{
    cel_error_t                 error;
    cel_json_options_t          options;
    ngx_constraint_document_t  *document;

    document = malloc(sizeof(ngx_constraint_document_t));

    if (document == NULL || parser == NULL) {
        free(document);
        failure->error = NGX_CONSTRAINT_E_MEMORY;
        (void) snprintf(failure->message, CEL_MESSAGE_MAX,
                        "no memory to parse the input");
        return NULL;
    }

    error.kind = CEL_E_NONE;
    error.line = 0;
    error.message[0] = '\0';

    options.max_depth = 0;
    options.allow_duplicates = allow_duplicates;

    document->refs = 1;
    document->json = cel_json_parse(parser, (char *) text->data, text->len,
                                    &options, &error);

    if (document->json) {
        return document;
    }

    free(document);

    switch (error.kind) {

    case CEL_E_MEMORY:
        failure->error = NGX_CONSTRAINT_E_MEMORY;
        break;

    case CEL_E_DUPLICATE_KEY:
        failure->error = NGX_CONSTRAINT_E_BODY_DUPLICATE_KEY;
        break;

    default:
        failure->error = NGX_CONSTRAINT_E_BODY_INVALID;
        break;
    }

    if (error.line) {
        (void) snprintf(failure->message, CEL_MESSAGE_MAX,
                        "input: %.180s in line %u, column %u", error.message,
                        error.line, error.column);

    } else {
        (void) snprintf(failure->message, CEL_MESSAGE_MAX, "input: %.220s",
                        error.message);
    }

    return NULL;
}


u_char *
ngx_constraint_input_room(size_t len)
{
    if (len > NGX_CONSTRAINT_PARSE_INLINE
        || ngx_constraint_worker.parser == NULL)
    {
        return NULL;
    }

    return (u_char *) cel_json_parser_room(ngx_constraint_worker.parser, len);
}


void
ngx_constraint_document_release(ngx_constraint_document_t *document)
{
    if (document == NULL || --document->refs) {
        return;
    }

    if (ngx_constraint_worker.parser) {
        cel_json_recycle(ngx_constraint_worker.parser, document->json);

    } else {
        cel_json_destroy(document->json);
    }

    free(document);
}


void
ngx_constraint_facts_detach(ngx_constraint_facts_t *facts)
{
    ngx_constraint_document_release(facts->document);
    facts->document = NULL;
}
