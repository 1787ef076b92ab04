
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_suite.h - the inputs of test suites as facts; private to
 * src/workflow.
 */


#ifndef WORKFLOW_SUITE_H_INCLUDED
#define WORKFLOW_SUITE_H_INCLUDED


#include "workflow_policy.h"
#include "workflow_facts.h"


/*
 * A name the suite gives that is no fact: the first part of a dotted name, or
 * the x of nginx.var('x').
 */
typedef struct suite_name_s  suite_name_t;

struct suite_name_s {
    const char            *text;
    uint32_t               len;
    cel_slot_t             slot;
    suite_name_t          *next;
};


/* What the values of one test borrow from: either of the two. */

typedef struct suite_owned_s  suite_owned_t;

struct suite_owned_s {
    cel_json_t            *json;
    cel_program_t         *program;
    suite_owned_t         *next;
};


typedef struct {
    workflow_document_t   *doc;
    suite_name_t          *roots;       /* dyn */
    suite_name_t          *variables;   /* of nginx */
    cel_slot_t             absent;      /* nginx.var('x') that nobody gives */
    cel_slot_t             first_slot;
    cel_json_parser_t     *parser;
    suite_owned_t         *owned;       /* by the present test */
    const char            *where;       /* path of the present test */
} suite_t;


/* workflow_suite_shape.c: is it a suite?  CEL_ERROR with issues. */
cel_status_t suite_shape(suite_t *suite);

/* The list of a suite's sections. */
const workflow_node_t *suite_sections(const workflow_document_t *doc);


/* of nginx.var('x') in the names of inputs */
#define SUITE_VARIABLE  "nginx.var."


/* workflow_suite_names.c: finds the names of all inputs of all tests. */
cel_status_t suite_names(suite_t *suite);

/* One of suite->roots or suite->variables, or NULL. */
suite_name_t *suite_find(suite_name_t *list, const char *text, size_t len);

/* workflow_options_t.declare */
cel_status_t suite_declare(void *ctx, cel_env_t *env);

/*
 * Sets the facts of one test.  CEL_ERROR with an issue when an input has the
 * wrong type or does not evaluate.
 */
cel_status_t suite_bind(suite_t *suite, const workflow_node_t *input,
    cel_eval_t *eval);

/* {value: ...} or {expr: ...} as a value; CEL_ERROR with an issue. */
cel_status_t suite_value(suite_t *suite, const workflow_node_t *node,
    cel_eval_t *eval, cel_value_t *value);

/* An expression over the facts of the test. */
cel_status_t suite_expression(suite_t *suite, const workflow_node_t *node,
    const char *text, size_t len, cel_eval_t *eval, cel_value_t *value);

/* The slot's name for messages. */
const char *suite_slot_name(const suite_t *suite, cel_slot_t slot,
    char *buf, size_t size);

void suite_release(suite_t *suite);


#endif /* WORKFLOW_SUITE_H_INCLUDED */
