
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Warnings about a workflow that compiled: what is said of its expressions,
 * conditions that are constant, outcomes that nearly allow, variables that
 * nothing reads.
 */


#include <string.h>
#include "workflow_policy.h"


void
workflow_warn_expression(workflow_document_t *doc,
    const workflow_node_t *node, const char *path,
    const cel_issues_t *warnings)
{
    uint32_t            i;
    const cel_error_t  *warning;

    for (i = 0; i < warnings->count; i++) {
        warning = &warnings->items[i];

        workflow_warning(doc, workflow_node_position(doc, node,
                                                     warning->offset),
                         path, "%s", warning->message);
    }

    doc->issues->total_warnings += warnings->total - warnings->count;
}


/* "true" alone is no mistake, and has no program */

void
workflow_warn_condition(workflow_document_t *doc, const workflow_node_t *node,
    const char *path, const cel_program_t *program)
{
    cel_value_t  value;

    if (cel_program_constant(program, &value) != CEL_OK
        || value.kind != CEL_BOOL)
    {
        return;
    }

    workflow_warning(doc, workflow_node_position(doc, node, 0), path,
                     value.b ? "the condition is always true"
                             : "the condition is always false: this match is "
                               "never taken");
}


void
workflow_warn_outcome(workflow_document_t *doc, const workflow_node_t *node,
    const char *path, uint32_t offset)
{
    workflow_warning(doc, workflow_node_position(doc, node, offset), path,
                     "this outcome denies: only 'ALLOW', in capitals, "
                     "allows");
}


/* node: the variable's map; names that begin with "_" are left alone */

void
workflow_warn_unused(workflow_document_t *doc, const workflow_node_t *node,
    const char *path)
{
    const workflow_node_t  *name;

    name = workflow_node_get(node, "name");

    if (name->text[0] == '_') {
        return;
    }

    workflow_warning(doc, name->offset, path,
                     "the variable \"%.64s\" is never used", name->text);
}
