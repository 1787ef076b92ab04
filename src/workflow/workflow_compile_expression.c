
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * One expression of a document and what its place demands: a condition is
 * bool, an output what the constraint takes and of the type of the others, an
 * explanation a string.  What CEL says of one becomes an issue with its
 * position in the document.
 */


#include <string.h>
#include "workflow_compile.h"


static void compile_explanation(workflow_compile_t *c,
    const workflow_node_t *match);
static cel_program_t *compile_result(workflow_compile_t *c,
    const workflow_node_t *node, const char *key, cel_program_t *program);
static void compile_issue(workflow_compile_t *c, const workflow_node_t *node,
    const cel_error_t *error);


void
workflow_compile_condition(workflow_compile_t *c, const workflow_node_t *match,
    workflow_step_t *step)
{
    char                    text[WORKFLOW_TYPE_MAX];
    uint32_t                len;
    const cel_type_t       *type;
    const workflow_node_t  *node;

    node = workflow_node_get(match, "condition");

    step->condition_line = node->line;
    step->condition = cel_compile_tests(c->env, node->text, node->len,
                                        c->atoms, &c->issues,
                                        &c->tests[step - c->workflow->steps]);
    step->condition = compile_result(c, node, "condition", step->condition);

    if (step->condition == NULL) {
        return;
    }

    type = cel_program_type(step->condition);
    cel_type_format(type, text, sizeof(text));

    len = workflow_path_add(&c->path, ".condition");

    if (!workflow_type_agree(text, "bool")) {
        workflow_issue(c->doc, WORKFLOW_I_EXPRESSION,
                       workflow_node_position(c->doc, node, 0), c->path.text,
                       "a condition must be bool, this is %s", text);

    } else if (c->warnings.count == 0) {
        workflow_warn_condition(c->doc, node, c->path.text, step->condition);
    }

    workflow_path_cut(&c->path, len);
}


void
workflow_compile_output(workflow_compile_t *c, const workflow_node_t *match,
    workflow_step_t *step)
{
    char                    text[WORKFLOW_TYPE_MAX];
    uint32_t                len;
    workflow_output_t       output;
    const workflow_node_t  *node;

    node = workflow_node_get(match, "output");

    step->line = node->line;
    step->output = workflow_compile_expression(c, node, "output");

    compile_explanation(c, match);

    if (step->output == NULL) {
        return;
    }

    len = workflow_path_add(&c->path, ".output");

    if (!c->workflow->any_output) {
        output.doc = c->doc;
        output.path = c->path.text;
        output.node = node;
        output.program = step->output;
        output.headers = false;

        (void) workflow_output_check(&output);

        c->headers |= output.headers;
    }

    cel_type_format(cel_program_type(step->output), text, sizeof(text));
    workflow_compile_agree(c, workflow_node_position(c->doc, node, 0), text);

    workflow_path_cut(&c->path, len);
}


/* An aggregate has many outputs: each is compared with the one before. */

void
workflow_compile_agree(workflow_compile_t *c, uint32_t offset,
    const char *text)
{
    if (c->type[0] == '\0') {
        strcpy(c->type, text);
        strcpy(c->shown, text);
        return;
    }

    if (!workflow_type_agree(text, c->type)) {
        workflow_issue(c->doc, WORKFLOW_I_OUTPUT, offset, c->path.text,
                       "incompatible output types: block has output type "
                       "%.80s, but previous outputs have type %.80s", text,
                       c->type);

        if (c->aggregate) {
            strcpy(c->type, text);
        }

        return;
    }

    if (strcmp(c->type, "dyn") == 0) {
        strcpy(c->type, text);

    } else if (strcmp(text, "dyn") == 0 || strstr(text, "dyn") != NULL) {
        strcpy(c->shown, text);
    }
}


/* checked, so that it is right, and not evaluated */

static void
compile_explanation(workflow_compile_t *c, const workflow_node_t *match)
{
    char                    text[WORKFLOW_TYPE_MAX];
    uint32_t                len;
    cel_program_t          *program;
    const workflow_node_t  *node;

    node = workflow_node_get(match, "explanation");

    if (node == NULL) {
        return;
    }

    program = workflow_compile_expression(c, node, "explanation");

    if (program == NULL) {
        return;
    }

    cel_type_format(cel_program_type(program), text, sizeof(text));
    cel_program_destroy(program);

    if (!workflow_type_agree(text, "string")) {
        len = workflow_path_add(&c->path, ".explanation");
        workflow_issue(c->doc, WORKFLOW_I_EXPRESSION,
                       workflow_node_position(c->doc, node, 0), c->path.text,
                       "an explanation must be string, this is %s", text);
        workflow_path_cut(&c->path, len);
    }
}


cel_program_t *
workflow_compile_expression(workflow_compile_t *c, const workflow_node_t *node,
    const char *key)
{
    cel_program_t  *program;

    program = cel_compile(c->env, node->text, node->len, &c->issues);

    return compile_result(c, node, key, program);
}


/* NULL: what the compilation said becomes issues of the document */

static cel_program_t *
compile_result(workflow_compile_t *c, const workflow_node_t *node,
    const char *key, cel_program_t *program)
{
    uint32_t  i, len;

    len = workflow_path_add(&c->path, ".%s", key);

    if (program != NULL) {
        workflow_warn_expression(c->doc, node, c->path.text, &c->warnings);
        workflow_path_cut(&c->path, len);
        workflow_compile_used(c, program);
        c->workflow->memory += cel_program_memory(program);
        return program;
    }

    for (i = 0; i < c->issues.count; i++) {
        compile_issue(c, node, &c->issues.items[i]);
    }

    if (c->issues.count == 0) {
        workflow_compile_memory(c);

    } else {
        c->doc->issues->total += c->issues.total - c->issues.count;
    }

    workflow_path_cut(&c->path, len);

    return NULL;
}


void
workflow_compile_used(workflow_compile_t *c, const cel_program_t *program)
{
    uint32_t           i, n, variable;
    const cel_slot_t  *slots;

    slots = cel_program_facts(program, &n);

    for (i = 0; i < n; i++) {

        /* behind the variables there are the tests that matches share */

        variable = slots[i] - c->workflow->first_slot;

        if (slots[i] >= c->workflow->first_slot
            && variable < c->workflow->nvariables)
        {
            c->usage[variable].used = true;
        }
    }
}


static void
compile_issue(workflow_compile_t *c, const workflow_node_t *node,
    const cel_error_t *error)
{
    workflow_issue_kind_t  kind;

    kind = error->kind == CEL_E_TOO_LARGE || cel_error_is_fatal(error->kind)
           ? WORKFLOW_I_LIMIT : WORKFLOW_I_EXPRESSION;

    workflow_issue(c->doc, kind,
                   workflow_node_position(c->doc, node, error->offset),
                   c->path.text, "%s", error->message);
}
