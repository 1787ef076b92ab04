
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Variables of a document: compiled where they stand, visible from there to
 * the end of their rule, hiding those of the same name outside.
 */


#include <string.h>
#include "workflow_compile.h"


static void compile_declare(workflow_compile_t *c, const workflow_node_t *node,
    workflow_variable_t *variable, uint32_t i);
static uint32_t compile_chain(workflow_compile_t *c,
    const cel_program_t *program);


void
workflow_compile_variable(workflow_compile_t *c, const workflow_node_t *node)
{
    uint32_t              i;
    workflow_variable_t  *variable;

    i = c->variables++;
    variable = &c->workflow->variables[i];

    c->usage[i].node = node;
    c->usage[i].used = false;

    variable->line = node->line;
    variable->path = workflow_compile_path(c);
    variable->program = workflow_compile_expression(c,
                                     workflow_node_get(node, "expression"),
                                     "expression");

    if (variable->program != NULL) {
        variable->chain = compile_chain(c, variable->program) + 1;

        if (variable->chain == WORKFLOW_MAX_CHAIN + 1) {
            workflow_issue(c->doc, WORKFLOW_I_LIMIT, node->offset,
                           c->path.text, "a variable that needs a variable "
                           "that needs ..., more than %d in a row",
                           WORKFLOW_MAX_CHAIN);
        }
    }

    compile_declare(c, node, variable, i);
}


/* visible from here to the end of its rule; dyn when it did not compile */

static void
compile_declare(workflow_compile_t *c, const workflow_node_t *node,
    workflow_variable_t *variable, uint32_t i)
{
    char                   *name;
    cel_slot_t              slot;
    cel_status_t            rc;
    workflow_scope_t       *scope;
    const workflow_node_t  *text;

    text = workflow_node_get(node, "name");
    scope = cel_arena_alloc(&c->doc->arena, sizeof(workflow_scope_t));
    name = cel_arena_alloc(&c->doc->arena, text->len + sizeof("variables."));

    if (scope == NULL || name == NULL) {
        workflow_compile_memory(c);
        return;
    }

    memcpy(name, "variables.", sizeof("variables.") - 1);
    memcpy(name + sizeof("variables.") - 1, text->text, text->len + 1);

    scope->name = name;
    scope->hidden = cel_env_hide(c->env, name);
    scope->next = c->scope;
    c->scope = scope;

    slot = c->workflow->first_slot + i;

    if (variable->program != NULL) {
        rc = cel_env_declare_result(c->env, name, variable->program, slot);

    } else {
        rc = cel_env_declare_type(c->env, name, cel_type_dyn(), slot,
                                  CEL_SIZE_BODY, 0);
    }

    if (rc != CEL_OK) {
        workflow_compile_memory(c);
    }
}


/* how many variables deep the ones are that a program reads */

static uint32_t
compile_chain(workflow_compile_t *c, const cel_program_t *program)
{
    uint32_t           i, n, chain;
    workflow_t        *workflow;
    const cel_slot_t  *slots;

    workflow = c->workflow;
    slots = cel_program_facts(program, &n);
    chain = 0;

    for (i = 0; i < n; i++) {
        if (slots[i] >= workflow->first_slot
            && workflow->variables[slots[i] - workflow->first_slot].chain
               > chain)
        {
            chain = workflow->variables[slots[i] - workflow->first_slot].chain;
        }
    }

    return chain;
}


void
workflow_compile_leave(workflow_compile_t *c, workflow_scope_t *outer)
{
    workflow_scope_t  *scope;

    for (scope = c->scope; scope != outer; scope = scope->next) {

        (void) cel_env_undeclare(c->env, scope->name);

        if (scope->hidden != NULL) {
            cel_env_show(c->env, scope->hidden);
        }
    }

    c->scope = outer;
}
