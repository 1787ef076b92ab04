
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_compile.h - what the parts of the compilation of a document share;
 * private to workflow_compile*.c.
 */


#ifndef WORKFLOW_COMPILE_H_INCLUDED
#define WORKFLOW_COMPILE_H_INCLUDED


#include "workflow_policy.h"


/* A variable that expressions can see now, innermost first. */

typedef struct workflow_scope_s  workflow_scope_t;

struct workflow_scope_s {
    const char            *name;        /* "variables.x" */
    cel_hidden_t          *hidden;      /* the one of an outer rule, or NULL */
    workflow_scope_t      *next;
};


/* What is asked of a variable at the end: does anything read it? */

typedef struct {
    const workflow_node_t *node;
    bool                   used;
} workflow_usage_t;


typedef struct {
    workflow_document_t   *doc;
    workflow_t            *workflow;
    cel_env_t             *env;
    cel_atoms_t           *atoms;       /* NULL: none, plain order */
    cel_tests_t           *tests;       /* of each step */
    workflow_scope_t      *scope;
    uint32_t               steps;       /* laid out so far */
    uint32_t               variables;
    uint32_t               then;        /* after outputs, in an aggregate */
    bool                   aggregate;   /* within one */
    bool                   headers;     /* an output may have some */
    workflow_path_t        path;
    char                   type[WORKFLOW_TYPE_MAX];     /* all agree with */
    char                   shown[WORKFLOW_TYPE_MAX];
    cel_issues_t           issues;
    cel_issues_t           warnings;    /* of one expression */
    workflow_usage_t      *usage;       /* of each variable */
} workflow_compile_t;


/*
 * workflow_compile_rule.c: lays out a rule.  none: the step to go on with
 * when nothing in it matched.  Gives whether that can be, as far as literals
 * tell.
 */
bool workflow_compile_rule(workflow_compile_t *c, const workflow_node_t *rule,
    uint32_t none);


/* workflow_compile_variable.c: one of the rule at hand, visible from now on */
void workflow_compile_variable(workflow_compile_t *c,
    const workflow_node_t *node);

/* Takes the variables back that came after outer, as a rule ends. */
void workflow_compile_leave(workflow_compile_t *c, workflow_scope_t *outer);


/* workflow_compile_expression.c: what fails becomes an issue, and is NULL */
void workflow_compile_condition(workflow_compile_t *c,
    const workflow_node_t *match, workflow_step_t *step);
void workflow_compile_output(workflow_compile_t *c,
    const workflow_node_t *match, workflow_step_t *step);
void workflow_compile_agree(workflow_compile_t *c, uint32_t offset,
    const char *type);
cel_program_t *workflow_compile_expression(workflow_compile_t *c,
    const workflow_node_t *node, const char *key);

/* Notes the variables that a program reads. */
void workflow_compile_used(workflow_compile_t *c,
    const cel_program_t *program);


/*
 * workflow_compile.c: a copy of the path at hand that lives as long as the
 * workflow, or NULL with an issue; the issue that memory is out, CEL_ERROR
 */
const char *workflow_compile_path(workflow_compile_t *c);
cel_status_t workflow_compile_memory(workflow_compile_t *c);


#endif /* WORKFLOW_COMPILE_H_INCLUDED */
