
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_scalar.h - what a YAML scalar means; private to src/workflow.
 */


#ifndef WORKFLOW_SCALAR_H_INCLUDED
#define WORKFLOW_SCALAR_H_INCLUDED


#include "workflow_document.h"


/*
 * Types a plain scalar by the core schema of YAML 1.2 (so `yes` and `on` are
 * strings) and gives numbers JSON's spelling.  A folded block that is the
 * value of a key that holds an expression keeps its line breaks: a comment
 * in it ends where its line ends.  CEL_ERROR with an issue.
 */
cel_status_t workflow_scalar_resolve(workflow_document_t *doc,
    workflow_node_t *node, const char *key);


#endif /* WORKFLOW_SCALAR_H_INCLUDED */
