
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_json.h - the state of the reader of JSON, which its parts share;
 * private to workflow_json*.c.
 */


#ifndef WORKFLOW_JSON_H_INCLUDED
#define WORKFLOW_JSON_H_INCLUDED


#include "workflow_document.h"


typedef struct {
    workflow_document_t  *doc;
    const char           *pos;
    const char           *end;
    uint32_t              line;
    uint32_t              depth;
} workflow_json_t;


/* At an opening quote; past the closing one, or NULL with an issue. */
workflow_node_t *workflow_json_string(workflow_json_t *json);

/* An issue at the position at hand; always NULL. */
void *workflow_json_fail(workflow_json_t *json, const char *message);
void *workflow_json_memory(workflow_json_t *json);


#endif /* WORKFLOW_JSON_H_INCLUDED */
