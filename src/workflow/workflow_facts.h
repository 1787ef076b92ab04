
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_facts.h - the facts an expression may read, the one list shared
 * by whoever compiles workflows and whoever gives the values: names, CEL
 * types, size classes and slots.  Knows no nginx and gives no value itself.
 *
 * Slots are process-wide constants: facts[WORKFLOW_FACT_NOW] is `now` in
 * every program compiled after workflow_facts_declare().  The host's own
 * facts (nginx.var('x')) take the slots from WORKFLOW_FACT_COUNT on, below
 * workflow_options_t.first_slot.
 */


#ifndef WORKFLOW_FACTS_H_INCLUDED
#define WORKFLOW_FACTS_H_INCLUDED


#include "cel.h"


typedef enum {
    WORKFLOW_FACT_REQUEST_METHOD = 0,
    WORKFLOW_FACT_REQUEST_PATH,
    WORKFLOW_FACT_REQUEST_RAW_PATH,
    WORKFLOW_FACT_REQUEST_QUERY,
    WORKFLOW_FACT_REQUEST_ARGS,
    WORKFLOW_FACT_REQUEST_HEADERS,
    WORKFLOW_FACT_REQUEST_HOST,
    WORKFLOW_FACT_REQUEST_SCHEME,
    WORKFLOW_FACT_REQUEST_PROTOCOL,
    WORKFLOW_FACT_REQUEST_ID,
    WORKFLOW_FACT_REQUEST_TIME,
    WORKFLOW_FACT_REQUEST_SIZE,

    WORKFLOW_FACT_SOURCE_ADDRESS,
    WORKFLOW_FACT_SOURCE_PORT,
    WORKFLOW_FACT_DESTINATION_ADDRESS,
    WORKFLOW_FACT_DESTINATION_PORT,

    WORKFLOW_FACT_CONNECTION_TLS_VERSION,
    WORKFLOW_FACT_CONNECTION_SNI,
    WORKFLOW_FACT_CONNECTION_SUBJECT_PEER_CERTIFICATE,
    WORKFLOW_FACT_CONNECTION_MTLS,

    WORKFLOW_FACT_INPUT,

    WORKFLOW_FACT_SUBJECT_ID,
    WORKFLOW_FACT_SUBJECT_ROLES,
    WORKFLOW_FACT_SUBJECT_GROUPS,
    WORKFLOW_FACT_SUBJECT_ATTRIBUTES,

    WORKFLOW_FACT_CONSTRAINT_MESSAGE_TYPE,
    WORKFLOW_FACT_CONSTRAINT_SUBJECT_ID,
    WORKFLOW_FACT_CONSTRAINT_METADATA,
    WORKFLOW_FACT_CONSTRAINT_REVISION,

    WORKFLOW_FACT_NOW,

    WORKFLOW_FACT_COUNT
} workflow_fact_slot_t;


/*
 * size tells what bounds the value's bytes, nested ones included:
 *   CEL_SIZE_SMALL    256 bytes; the host gives no larger value
 *   CEL_SIZE_HEADERS  bytes[CEL_SIZE_HEADERS]: the request line, the header
 *                     and, of what a program reads, the certificate's
 *                     subject, the subject's record and the metadata
 *   CEL_SIZE_BODY     bytes[CEL_SIZE_BODY]
 */
typedef struct {
    const char        *name;            /* "request.headers" */
    const char        *type;            /* "map(string, string)" */
    cel_size_class_t   size;
    unsigned           flags;           /* CEL_FACT_LOWER_KEYS */
} workflow_fact_t;


/* Declares all of them: CEL_OK, or CEL_ERROR when memory is out. */
cel_status_t workflow_facts_declare(cel_env_t *env);

/* NULL when slot is none of the above */
const workflow_fact_t *workflow_fact(cel_slot_t slot);
const char *workflow_fact_name(cel_slot_t slot);

/* The slot of a fact of that name, or CEL_NO_SLOT. */
cel_slot_t workflow_fact_slot(const char *name, size_t len);


#endif /* WORKFLOW_FACTS_H_INCLUDED */
