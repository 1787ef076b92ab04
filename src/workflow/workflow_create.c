
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The life of a workflow: made with room for all its matches and variables,
 * destroyed with the programs that were compiled into it.
 */


#include <string.h>
#include "workflow_policy.h"


workflow_t *
workflow_create(const workflow_options_t *options,
    const workflow_shape_t *shape)
{
    size_t        steps, variables;
    uint32_t      nsteps;
    workflow_t   *workflow;
    cel_arena_t   arena;

    cel_arena_init(&arena, options->allocator != NULL ? options->allocator
                                                      : &cel_allocator_libc,
                   NULL, 0, WORKFLOW_MAX_MEMORY);

    nsteps = shape->matches + shape->aggregates;
    steps = nsteps * sizeof(workflow_step_t);
    variables = shape->variables * sizeof(workflow_variable_t);

    workflow = cel_arena_alloc(&arena, sizeof(workflow_t));

    if (workflow == NULL) {
        goto failed;
    }

    memset(workflow, 0, sizeof(workflow_t));

    workflow->steps = cel_arena_alloc(&arena, steps + 1);
    workflow->variables = cel_arena_alloc(&arena, variables + 1);

    if (workflow->steps == NULL || workflow->variables == NULL) {
        goto failed;
    }

    if (shape->aggregates != 0) {
        workflow->then = cel_arena_alloc(&arena, nsteps * sizeof(uint32_t));

        if (workflow->then == NULL) {
            goto failed;
        }

        memset(workflow->then, 0, nsteps * sizeof(uint32_t));
    }

    memset(workflow->steps, 0, steps);
    memset(workflow->variables, 0, variables);

    workflow->nsteps = nsteps;
    workflow->nvariables = shape->variables;
    workflow->first_slot = options->first_slot;
    workflow->any_output = options->any_output;
    workflow->arena = arena;

    return workflow;

failed:

    cel_arena_reset(&arena);

    return NULL;
}


void
workflow_destroy(workflow_t *workflow)
{
    uint32_t     i;
    cel_arena_t  arena;

    if (workflow == NULL) {
        return;
    }

    for (i = 0; i < workflow->nsteps; i++) {
        if (workflow->steps[i].condition != NULL) {
            cel_program_destroy(workflow->steps[i].condition);
        }

        if (workflow->steps[i].output != NULL) {
            cel_program_destroy(workflow->steps[i].output);
        }
    }

    for (i = 0; i < workflow->nvariables; i++) {
        if (workflow->variables[i].program != NULL) {
            cel_program_destroy(workflow->variables[i].program);
        }
    }

    for (i = 0; i < workflow->natoms; i++) {
        cel_program_destroy(workflow->atoms[i].program);
    }

    arena = workflow->arena;            /* it holds the workflow itself */
    cel_arena_reset(&arena);
}
