
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The imports of a document: qualified names of types whose last part is
 * enough in its expressions.  As in cel-go a type that is not known here is
 * an error where it is used, not where it is imported.
 */


#include <string.h>
#include "workflow_policy.h"


static cel_status_t import_one(workflow_document_t *doc, cel_env_t *env,
    const workflow_node_t *import, const char *path);


cel_status_t
workflow_imports(workflow_document_t *doc, cel_env_t *env)
{
    uint32_t                i;
    cel_status_t            rc;
    workflow_path_t         path;
    const workflow_node_t  *node;

    node = workflow_node_get(doc->root, "imports");
    rc = CEL_OK;
    i = 0;

    for (node = node ? node->first : NULL; node != NULL; node = node->next) {

        path.len = 0;
        workflow_path_add(&path, "imports[%u]", i++);

        if (import_one(doc, env, node, path.text) != CEL_OK) {
            rc = CEL_ERROR;
        }
    }

    return rc;
}


/* {name: a.b.C}, spaces around it left out */

static cel_status_t
import_one(workflow_document_t *doc, cel_env_t *env,
    const workflow_node_t *import, const char *path)
{
    size_t                  len;
    const char             *text;
    const workflow_node_t  *name;

    name = import->kind == WORKFLOW_NODE_MAP && import->count == 1
           ? workflow_node_get(import, "name") : NULL;

    if (name == NULL || name->kind != WORKFLOW_NODE_STRING) {
        return workflow_issue(doc, WORKFLOW_I_DOCUMENT, import->offset, path,
                              "an import is a map with \"name\", a string");
    }

    text = name->text + strspn(name->text, " \t\r\n");
    len = strlen(text);

    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        len--;
    }

    switch (cel_env_import(env, text, len)) {

    case CEL_OK:
        return CEL_OK;

    case CEL_NOT_FOUND:
        return workflow_issue(doc, WORKFLOW_I_DOCUMENT, name->offset, path,
                              "invalid qualified name: %.*s, wanted name of "
                              "the form 'qualified.name'",
                              (int) (len < 100 ? len : 100), text);

    default:
        return workflow_issue(doc, WORKFLOW_I_DOCUMENT, name->offset, path,
                              "the import \"%.*s\" cannot be told from "
                              "another, whose last part is the same",
                              (int) (len < 100 ? len : 100), text);
    }
}
