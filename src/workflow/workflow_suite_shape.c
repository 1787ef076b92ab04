
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The shape of a suite: everything is looked at first, so that no test runs
 * of a broken one.
 */


#include <stdio.h>
#include <string.h>
#include "workflow_suite.h"


typedef struct {
    workflow_document_t   *doc;
    workflow_path_t        path;
} suite_shape_t;


static cel_status_t shape_sections(suite_shape_t *shape,
    const workflow_node_t *sections);
static cel_status_t shape_tests(suite_shape_t *shape,
    const workflow_node_t *tests);
static cel_status_t shape_test(suite_shape_t *shape,
    const workflow_node_t *test);
static cel_status_t shape_input(suite_shape_t *shape,
    const workflow_node_t *input);
static cel_status_t shape_output(suite_shape_t *shape,
    const workflow_node_t *output);
static cel_status_t shape_keys(suite_shape_t *shape,
    const workflow_node_t *node, const char *what, const char *const *keys);
static cel_status_t shape_fail(suite_shape_t *shape,
    const workflow_node_t *node, const char *message);


cel_status_t
suite_shape(suite_t *suite)
{
    suite_shape_t  shape;

    static const char *const  keys[] = {
        "name", "description", "section", "sections", NULL
    };

    shape.doc = suite->doc;
    shape.path.len = 0;
    shape.path.text[0] = '\0';

    if (shape_keys(&shape, shape.doc->root, "a suite", keys) != CEL_OK) {
        return CEL_ERROR;
    }

    return shape_sections(&shape, suite_sections(shape.doc));
}


const workflow_node_t *
suite_sections(const workflow_document_t *doc)
{
    const workflow_node_t  *sections;

    sections = workflow_node_get(doc->root, "section");

    return sections != NULL ? sections
                            : workflow_node_get(doc->root, "sections");
}


static cel_status_t
shape_sections(suite_shape_t *shape, const workflow_node_t *sections)
{
    uint32_t                i, len;
    const workflow_node_t  *section;

    static const char *const  keys[] = {
        "name", "description", "tests", NULL
    };

    if (sections == NULL || sections->kind != WORKFLOW_NODE_LIST) {
        return shape_fail(shape, shape->doc->root,
                          "a suite needs \"section\", a list");
    }

    i = 0;

    for (section = sections->first; section != NULL; section = section->next) {

        len = workflow_path_add(&shape->path, "section[%u]", i++);

        if (shape_keys(shape, section, "a section", keys) != CEL_OK
            || shape_tests(shape, workflow_node_get(section, "tests"))
               != CEL_OK)
        {
            return CEL_ERROR;
        }

        workflow_path_cut(&shape->path, len);
    }

    return CEL_OK;
}


static cel_status_t
shape_tests(suite_shape_t *shape, const workflow_node_t *tests)
{
    uint32_t                i, len;
    const workflow_node_t  *test;

    if (tests == NULL || tests->kind != WORKFLOW_NODE_LIST) {
        return shape_fail(shape, tests != NULL ? tests : shape->doc->root,
                          "a section needs \"tests\", a list");
    }

    i = 0;

    for (test = tests->first; test != NULL; test = test->next) {

        len = workflow_path_add(&shape->path, ".tests[%u]", i++);

        if (shape_test(shape, test) != CEL_OK) {
            return CEL_ERROR;
        }

        workflow_path_cut(&shape->path, len);
    }

    return CEL_OK;
}


static cel_status_t
shape_test(suite_shape_t *shape, const workflow_node_t *test)
{
    const workflow_node_t  *node;

    static const char *const  keys[] = {
        "name", "description", "input", "output", NULL
    };

    if (shape_keys(shape, test, "a test", keys) != CEL_OK) {
        return CEL_ERROR;
    }

    node = workflow_node_get(test, "input");

    if (node != NULL && shape_input(shape, node) != CEL_OK) {
        return CEL_ERROR;
    }

    node = workflow_node_get(test, "output");

    if (node == NULL) {
        return shape_fail(shape, test, "a test needs \"output\"");
    }

    return shape_output(shape, node);
}


/* names, each {value: ...} or {expr: ...} */

static cel_status_t
shape_input(suite_shape_t *shape, const workflow_node_t *input)
{
    const workflow_node_t  *name;

    static const char *const  keys[] = { "value", "expr", NULL };

    if (input->kind != WORKFLOW_NODE_MAP) {
        return shape_fail(shape, input, "\"input\" is a map of names");
    }

    for (name = input->first; name != NULL; name = name->next) {

        if (name->len > 200) {
            return shape_fail(shape, name, "the name is too long");
        }

        if (shape_keys(shape, name->value, "an input", keys) != CEL_OK) {
            return CEL_ERROR;
        }

        if (name->value->count != 1) {
            return shape_fail(shape, name->value,
                              "an input has \"value\" or \"expr\"");
        }
    }

    return CEL_OK;
}


/* an expression, or a map that says what it is */

static cel_status_t
shape_output(suite_shape_t *shape, const workflow_node_t *output)
{
    const workflow_node_t  *error;

    static const char *const  keys[] = {
        "value", "expr", "error", "error_set", NULL
    };

    if (output->kind == WORKFLOW_NODE_STRING) {
        return CEL_OK;
    }

    if (shape_keys(shape, output, "an output", keys) != CEL_OK) {
        return CEL_ERROR;
    }

    if (output->count != 1) {
        return shape_fail(shape, output, "an output has \"value\", \"expr\", "
                          "\"error\" or \"error_set\"");
    }

    error = workflow_node_get(output, "error");

    if (error != NULL && error->kind != WORKFLOW_NODE_STRING) {
        return shape_fail(shape, error, "\"error\" is a string");
    }

    error = workflow_node_get(output, "error_set");

    if (error == NULL) {
        return CEL_OK;
    }

    if (error->kind != WORKFLOW_NODE_LIST) {
        return shape_fail(shape, error, "\"error_set\" is a list");
    }

    for (error = error->first; error != NULL; error = error->next) {
        if (error->kind != WORKFLOW_NODE_STRING) {
            return shape_fail(shape, error, "an error is a string");
        }
    }

    return CEL_OK;
}


static cel_status_t
shape_keys(suite_shape_t *shape, const workflow_node_t *node,
    const char *what, const char *const *keys)
{
    char                    message[160];
    const char *const      *known;
    const workflow_node_t  *key;

    if (node->kind != WORKFLOW_NODE_MAP) {
        snprintf(message, sizeof(message), "%s is a map, this is %s", what,
                 workflow_node_kind_name(node));
        return shape_fail(shape, node, message);
    }

    for (key = node->first; key != NULL; key = key->next) {

        for (known = keys; *known != NULL; known++) {
            if (strcmp(*known, key->text) == 0) {
                break;
            }
        }

        if (*known == NULL) {
            snprintf(message, sizeof(message), "%s has no key \"%.64s\"",
                     what, key->text);
            return shape_fail(shape, key, message);
        }
    }

    return CEL_OK;
}


static cel_status_t
shape_fail(suite_shape_t *shape, const workflow_node_t *node,
    const char *message)
{
    return workflow_issue(shape->doc, WORKFLOW_I_DOCUMENT, node->offset,
                          shape->path.text, "%s", message);
}
