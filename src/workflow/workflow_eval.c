
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Evaluates a workflow: walks the steps, gives variables when a program asks
 * for them, and turns the output into a verdict.  Allocates from the arena
 * only, and only when a variable failed.
 */


#include <stdio.h>
#include <string.h>
#include "workflow_policy.h"


/* A variable that failed is not evaluated again: its cost counts once. */

typedef struct failed_s  failed_t;

struct failed_s {
    failed_t              *next;
    cel_slot_t             slot;
    cel_error_t            error;
};


typedef struct {
    const workflow_t      *workflow;
    workflow_run_t        *run;
    cel_fetch_pt           fetch;       /* the host's */
    void                  *fetch_ctx;
    failed_t              *failed;
    cel_slot_t             need;        /* the host's, not the variable's
                                         * that reads it */
} walk_t;


static cel_status_t eval_steps(walk_t *walk, cel_eval_t *eval,
    workflow_verdict_t *verdict);
static cel_status_t eval_condition(walk_t *walk, cel_eval_t *eval,
    const workflow_step_t *step, bool *matched);
static cel_status_t eval_output(walk_t *walk, cel_eval_t *eval,
    const workflow_step_t *step, workflow_verdict_t *verdict);
static cel_status_t eval_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value);
static cel_status_t eval_variable(walk_t *walk, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value);
static void eval_keep_error(walk_t *walk, cel_eval_t *eval, cel_slot_t slot);
static void eval_trace(walk_t *walk, cel_eval_t *eval,
    const workflow_step_t *step, uint64_t cost, const cel_value_t *value);


cel_status_t
workflow_eval(const workflow_t *workflow, cel_eval_t *eval,
    workflow_run_t *run, workflow_verdict_t *verdict)
{
    walk_t        walk;
    uint64_t      cost;
    cel_status_t  rc;

    walk.workflow = workflow;
    walk.run = run;
    walk.fetch = eval->fetch;
    walk.fetch_ctx = eval->fetch_ctx;
    walk.failed = NULL;
    walk.need = CEL_NO_SLOT;

    memset(verdict, 0, sizeof(workflow_verdict_t));
    verdict->raw = cel_null();
    verdict->headers = cel_null();
    verdict->output = cel_null();

    run->bad_output = false;
    cost = eval->cost;

    if (workflow->nvariables != 0) {
        eval->fetch = eval_fetch;
        eval->fetch_ctx = &walk;
    }

    rc = eval_steps(&walk, eval, verdict);

    eval->fetch = walk.fetch;
    eval->fetch_ctx = walk.fetch_ctx;

    if (rc == CEL_NEED) {
        eval->cost = cost;              /* what is done again counts once */

        if (walk.need != CEL_NO_SLOT) {
            eval->need = walk.need;
        }
    }

    return rc;
}


static cel_status_t
eval_steps(walk_t *walk, cel_eval_t *eval, workflow_verdict_t *verdict)
{
    bool                    matched;
    uint32_t                i;
    cel_status_t            rc;
    const workflow_t       *workflow;
    const workflow_step_t  *step;

    workflow = walk->workflow;
    i = 0;

    while (i < workflow->nsteps) {

        step = &workflow->steps[i];
        matched = true;

        if (step->condition != NULL) {
            rc = eval_condition(walk, eval, step, &matched);

            if (rc != CEL_OK) {
                verdict->rule = step->path;
                verdict->line = step->condition_line;
                return rc;
            }
        }

        if (!matched) {
            i = step->otherwise;
            continue;
        }

        if (step->output != NULL) {
            return eval_output(walk, eval, step, verdict);
        }

        i++;
    }

    return CEL_OK;
}


static cel_status_t
eval_condition(walk_t *walk, cel_eval_t *eval, const workflow_step_t *step,
    bool *matched)
{
    uint64_t      cost;
    cel_value_t   value;
    cel_status_t  rc;

    cost = eval->cost;
    rc = cel_eval(step->condition, eval, &value);

    if (rc == CEL_OK && value.kind != CEL_BOOL) {
        rc = cel_eval_fail(eval, CEL_E_NO_SUCH_OVERLOAD,
                           "the condition is not bool");
    }

    if (walk->run->trace != NULL && rc != CEL_NEED) {
        eval_trace(walk, eval, step, cost, rc == CEL_OK ? &value : NULL);
    }

    if (rc == CEL_OK) {
        *matched = value.b;
    }

    return rc;
}


static cel_status_t
eval_output(walk_t *walk, cel_eval_t *eval, const workflow_step_t *step,
    workflow_verdict_t *verdict)
{
    cel_status_t  rc;

    verdict->rule = step->path;
    verdict->line = step->line;

    rc = cel_eval(step->output, eval, &verdict->raw);

    if (rc != CEL_OK || walk->workflow->any_output) {
        return rc;
    }

    rc = workflow_output_verdict(eval, &verdict->raw, walk->run, verdict);

    if (rc != CEL_OK) {
        verdict->effect = WORKFLOW_NO_RESULT;
    }

    return rc;
}


static cel_status_t
eval_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    void          *own;
    walk_t        *walk;
    cel_status_t   rc;

    walk = ctx;

    if (slot >= walk->workflow->first_slot) {
        return eval_variable(walk, eval, slot, value);
    }

    if (walk->fetch == NULL) {
        return cel_eval_fail(eval, CEL_E_FACT, "the fact is not set");
    }

    /* the host finds its own pair, in case it evaluates */

    own = eval->fetch_ctx;
    eval->fetch = walk->fetch;
    eval->fetch_ctx = walk->fetch_ctx;

    rc = walk->fetch(walk->fetch_ctx, eval, slot, value);

    if (rc == CEL_NEED) {
        walk->need = slot;
    }

    eval->fetch = eval_fetch;
    eval->fetch_ctx = own;

    return rc;
}


static cel_status_t
eval_variable(walk_t *walk, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    uint64_t                    cost;
    failed_t                   *failed;
    cel_status_t                rc;
    const workflow_variable_t  *variable;

    for (failed = walk->failed; failed != NULL; failed = failed->next) {
        if (failed->slot == slot) {
            eval->error = failed->error;
            return CEL_ERROR;
        }
    }

    variable = &walk->workflow->variables[slot - walk->workflow->first_slot];

    cost = eval->cost;
    rc = cel_eval(variable->program, eval, value);

    if (rc == CEL_NEED) {
        return rc;
    }

    if (walk->run->trace != NULL) {
        walk->run->trace(walk->run->trace_ctx, variable->path, variable->line,
                         rc == CEL_OK ? value : NULL, eval->cost - cost,
                         eval);
    }

    if (rc == CEL_OK) {
        eval->facts[slot] = *value;

    } else if (!cel_error_is_fatal(eval->error.kind)) {
        eval_keep_error(walk, eval, slot);
    }

    return rc;
}


static void
eval_keep_error(walk_t *walk, cel_eval_t *eval, cel_slot_t slot)
{
    failed_t  *failed;

    failed = cel_arena_alloc(eval->arena, sizeof(failed_t));

    if (failed == NULL) {
        (void) cel_eval_fail(eval, CEL_E_MEMORY, "out of memory");
        return;
    }

    failed->slot = slot;
    failed->error = eval->error;
    failed->next = walk->failed;
    walk->failed = failed;
}


/* a function of its own: its buffer is not on the stack of programs */

static void
eval_trace(walk_t *walk, cel_eval_t *eval, const workflow_step_t *step,
    uint64_t cost, const cel_value_t *value)
{
    char  path[WORKFLOW_DEEP_PATH + sizeof(".condition")];

    snprintf(path, sizeof(path), "%s.condition", step->path);

    walk->run->trace(walk->run->trace_ctx, path, step->condition_line, value,
                     eval->cost - cost, eval);
}
