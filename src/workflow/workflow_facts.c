
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The table of facts.  The order is that of the slots.
 */


#include <string.h>
#include "workflow_facts.h"


#define SMALL    CEL_SIZE_SMALL
#define HEADERS  CEL_SIZE_HEADERS
#define BODY     CEL_SIZE_BODY


static const workflow_fact_t  workflow_fact_table[WORKFLOW_FACT_COUNT] = {

    [WORKFLOW_FACT_REQUEST_METHOD] =
        { "request.method", "string", HEADERS, 0 },

    [WORKFLOW_FACT_REQUEST_PATH] =
        { "request.path", "string", HEADERS, 0 },

    [WORKFLOW_FACT_REQUEST_RAW_PATH] =
        { "request.raw_path", "string", HEADERS, 0 },

    [WORKFLOW_FACT_REQUEST_QUERY] =
        { "request.query", "string", HEADERS, 0 },

    [WORKFLOW_FACT_REQUEST_ARGS] =
        { "request.args", "map(string, string)", HEADERS, 0 },

    [WORKFLOW_FACT_REQUEST_HEADERS] =
        { "request.headers", "map(string, string)", HEADERS,
          CEL_FACT_LOWER_KEYS },

    [WORKFLOW_FACT_REQUEST_HOST] =
        { "request.host", "string", HEADERS, 0 },

    [WORKFLOW_FACT_REQUEST_SCHEME] =
        { "request.scheme", "string", SMALL, 0 },

    [WORKFLOW_FACT_REQUEST_PROTOCOL] =
        { "request.protocol", "string", SMALL, 0 },

    [WORKFLOW_FACT_REQUEST_ID] =
        { "request.id", "string", SMALL, 0 },

    [WORKFLOW_FACT_REQUEST_TIME] =
        { "request.time", "google.protobuf.Timestamp", SMALL, 0 },

    [WORKFLOW_FACT_REQUEST_SIZE] =
        { "request.size", "int", SMALL, 0 },

    [WORKFLOW_FACT_SOURCE_ADDRESS] =
        { "source.address", "string", SMALL, 0 },

    [WORKFLOW_FACT_SOURCE_PORT] =
        { "source.port", "int", SMALL, 0 },

    [WORKFLOW_FACT_DESTINATION_ADDRESS] =
        { "destination.address", "string", SMALL, 0 },

    [WORKFLOW_FACT_DESTINATION_PORT] =
        { "destination.port", "int", SMALL, 0 },

    [WORKFLOW_FACT_CONNECTION_TLS_VERSION] =
        { "connection.tls_version", "string", SMALL, 0 },

    [WORKFLOW_FACT_CONNECTION_SNI] =
        { "connection.sni", "string", SMALL, 0 },

    [WORKFLOW_FACT_CONNECTION_SUBJECT_PEER_CERTIFICATE] =
        { "connection.subject_peer_certificate", "string", HEADERS, 0 },

    [WORKFLOW_FACT_CONNECTION_MTLS] =
        { "connection.mtls", "bool", SMALL, 0 },

    [WORKFLOW_FACT_INPUT] =
        { "input", "dyn", BODY, 0 },

    [WORKFLOW_FACT_SUBJECT_ID] =
        { "subject.id", "string", SMALL, 0 },

    [WORKFLOW_FACT_SUBJECT_ROLES] =
        { "subject.roles", "list(string)", HEADERS, 0 },

    [WORKFLOW_FACT_SUBJECT_GROUPS] =
        { "subject.groups", "list(string)", HEADERS, 0 },

    [WORKFLOW_FACT_SUBJECT_ATTRIBUTES] =
        { "subject.attributes", "map(string, dyn)", HEADERS, 0 },

    [WORKFLOW_FACT_CONSTRAINT_MESSAGE_TYPE] =
        { "constraint.message_type", "string", SMALL, 0 },

    [WORKFLOW_FACT_CONSTRAINT_SUBJECT_ID] =
        { "constraint.subject_id", "string", SMALL, 0 },

    [WORKFLOW_FACT_CONSTRAINT_METADATA] =
        { "constraint.metadata", "dyn", HEADERS, 0 },

    [WORKFLOW_FACT_CONSTRAINT_REVISION] =
        { "constraint.revision", "int", SMALL, 0 },

    [WORKFLOW_FACT_NOW] =
        { "now", "google.protobuf.Timestamp", SMALL, 0 },
};


cel_status_t
workflow_facts_declare(cel_env_t *env)
{
    cel_slot_t              slot;
    cel_status_t            rc;
    const workflow_fact_t  *fact;

    for (slot = 0; slot < WORKFLOW_FACT_COUNT; slot++) {
        fact = &workflow_fact_table[slot];

        rc = cel_env_declare(env, fact->name, fact->type, slot, fact->size,
                             fact->flags);
        if (rc != CEL_OK) {
            return rc;
        }
    }

    return CEL_OK;
}


const workflow_fact_t *
workflow_fact(cel_slot_t slot)
{
    if (slot >= WORKFLOW_FACT_COUNT) {
        return NULL;
    }

    return &workflow_fact_table[slot];
}


const char *
workflow_fact_name(cel_slot_t slot)
{
    if (slot >= WORKFLOW_FACT_COUNT) {
        return NULL;
    }

    return workflow_fact_table[slot].name;
}


cel_slot_t
workflow_fact_slot(const char *name, size_t len)
{
    const char  *fact;
    cel_slot_t   slot;

    for (slot = 0; slot < WORKFLOW_FACT_COUNT; slot++) {
        fact = workflow_fact_table[slot].name;

        if (strlen(fact) == len && memcmp(fact, name, len) == 0) {
            return slot;
        }
    }

    return CEL_NO_SLOT;
}
