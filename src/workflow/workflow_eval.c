
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


#define EVAL_AHEAD  4


typedef struct {
    const workflow_t      *workflow;
    workflow_run_t        *run;
    cel_fetch_pt           fetch;       /* the host's */
    void                  *fetch_ctx;
    workflow_failed_t     *failed;
    workflow_cursor_t      cursor;
    uint64_t               cost;        /* when the step's turn came */
    cel_slot_t             need;        /* the host's, not the variable's
                                         * that reads it */
    cel_value_t           *outputs;     /* of an aggregate, so far */
    uint32_t               noutputs;
    uint32_t               room;
} walk_t;


static cel_status_t eval_steps(walk_t *walk, cel_eval_t *eval,
    workflow_verdict_t *verdict);
static inline void eval_expect(const workflow_t *workflow, uint32_t i);
static cel_status_t eval_skip(walk_t *walk, cel_eval_t *eval, uint32_t *i);
static void eval_trace_skipped(walk_t *walk, cel_eval_t *eval, uint32_t from,
    uint32_t to);
static cel_status_t eval_condition(walk_t *walk, cel_eval_t *eval,
    const workflow_step_t *step, bool *matched);
static cel_status_t eval_output(walk_t *walk, cel_eval_t *eval,
    const workflow_step_t *step, workflow_verdict_t *verdict);
static cel_status_t eval_collect(walk_t *walk, cel_eval_t *eval, uint32_t *i,
    workflow_verdict_t *verdict);
static cel_status_t eval_collected(walk_t *walk, cel_eval_t *eval,
    const workflow_step_t *step, workflow_verdict_t *verdict);
static cel_status_t eval_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value);
static const workflow_failed_t *eval_failed(const walk_t *walk,
    cel_slot_t slot);
static cel_status_t eval_variable(walk_t *walk, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value);
static cel_status_t eval_atom(walk_t *walk, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value);
static void eval_keep_error(walk_t *walk, cel_eval_t *eval, cel_slot_t slot);
static void eval_trace(walk_t *walk, cel_eval_t *eval,
    const workflow_step_t *step, const cel_value_t *value);


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
    walk.cursor.block = NULL;
    walk.cursor.stepwise = run->trace != NULL;
    walk.need = CEL_NO_SLOT;
    walk.outputs = NULL;
    walk.noutputs = 0;
    walk.room = 0;

    memset(verdict, 0, sizeof(workflow_verdict_t));
    verdict->raw = cel_null();
    verdict->headers = cel_null();
    verdict->output = cel_null();

    run->bad_output = false;
    run->skipped = false;
    cost = eval->cost;

    if (workflow->nvariables + workflow->natoms != 0) {
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
        walk->cost = eval->cost;

        eval_expect(workflow, i);

        if (step->block != NULL) {
            rc = eval_skip(walk, eval, &i);

            if (rc == CEL_OK && workflow_index_over(step->block, i)) {
                continue;
            }

            step = &workflow->steps[i];

            if (rc != CEL_OK) {
                verdict->rule = step->path;
                verdict->line = step->condition_line;
                return rc;
            }
        }

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

        if (workflow->then != NULL && workflow->then[i] != 0) {

            if (workflow->then[i] == WORKFLOW_COLLECTED) {
                return eval_collected(walk, eval, step, verdict);
            }

            rc = eval_collect(walk, eval, &i, verdict);

            if (rc != CEL_OK) {
                return rc;
            }

            continue;
        }

        if (step->output != NULL) {
            return eval_output(walk, eval, step, verdict);
        }

        i++;
    }

    return CEL_OK;
}


/*
 * The programs of thousands of matches are not in the processor's caches:
 * what comes after the next few is asked for while these run.
 */

static inline void
eval_expect(const workflow_t *workflow, uint32_t i)
{
    const workflow_step_t  *step;

    if (i + 2 * EVAL_AHEAD >= workflow->nsteps) {
        return;
    }

    step = &workflow->steps[i + EVAL_AHEAD];

    if (step->condition != NULL) {
        cel_program_expect_code(step->condition);
    }

    step += EVAL_AHEAD;

    if (step->condition != NULL) {
        cel_program_expect(step->condition);
    }
}


/* From the step that the plain order has next to the next one that counts. */

static cel_status_t
eval_skip(walk_t *walk, cel_eval_t *eval, uint32_t *i)
{
    uint32_t                 from;
    cel_status_t             rc;
    const workflow_block_t  *block;

    block = walk->workflow->steps[*i].block;

    do {
        from = *i;

        rc = workflow_index_next(&walk->cursor, eval, block, walk->failed, i);

        if (walk->run->trace != NULL && rc == CEL_OK) {
            eval_trace_skipped(walk, eval, from, *i);
        }

    } while (rc == CEL_OK && walk->cursor.stepwise && *i != from
             && !workflow_index_over(block, *i));

    return rc;
}


/* from a step on, before another one */

static void
eval_trace_skipped(walk_t *walk, cel_eval_t *eval, uint32_t from,
    uint32_t to)
{
    cel_value_t             value;
    const workflow_step_t  *step;

    value = cel_bool(false);
    walk->run->skipped = true;

    while (from != to) {
        step = &walk->workflow->steps[from];
        eval_trace(walk, eval, step, &value);

        walk->cost = eval->cost;
        from = step->otherwise;
    }

    walk->run->skipped = false;
}


static cel_status_t
eval_condition(walk_t *walk, cel_eval_t *eval, const workflow_step_t *step,
    bool *matched)
{
    cel_value_t   value;
    cel_status_t  rc;

    rc = cel_eval(step->condition, eval, &value);

    if (rc == CEL_OK && value.kind != CEL_BOOL) {
        rc = cel_eval_fail(eval, CEL_E_NO_SUCH_OVERLOAD,
                           "the condition is not bool");
    }

    if (walk->run->trace != NULL && rc != CEL_NEED) {
        eval_trace(walk, eval, step, rc == CEL_OK ? &value : NULL);
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


/* The output of step *i joins those of its aggregate; *i: what is next. */

static cel_status_t
eval_collect(walk_t *walk, cel_eval_t *eval, uint32_t *i,
    workflow_verdict_t *verdict)
{
    uint32_t                room;
    cel_value_t            *outputs;
    cel_status_t            rc;
    const workflow_step_t  *step;

    step = &walk->workflow->steps[*i];

    verdict->rule = step->path;
    verdict->line = step->line;

    rc = cel_eval_charge(eval, 1);

    if (rc == CEL_OK && walk->noutputs == walk->room) {
        room = walk->room != 0 ? 2 * walk->room : 8;
        outputs = cel_arena_alloc(eval->arena, room * sizeof(cel_value_t));

        if (outputs == NULL) {
            return cel_fail_memory(eval);
        }

        if (walk->noutputs != 0) {
            memcpy(outputs, walk->outputs,
                   walk->noutputs * sizeof(cel_value_t));
        }

        walk->outputs = outputs;
        walk->room = room;
    }

    if (rc == CEL_OK) {
        rc = cel_eval(step->output, eval, &walk->outputs[walk->noutputs]);
    }

    if (rc == CEL_OK) {
        walk->noutputs++;
        *i = walk->workflow->then[*i];
    }

    return rc;
}


/* Only suites have lists as outputs: nothing here decides. */

static cel_status_t
eval_collected(walk_t *walk, cel_eval_t *eval, const workflow_step_t *step,
    workflow_verdict_t *verdict)
{
    if (verdict->rule == NULL) {
        verdict->rule = step->path;
        verdict->line = step->line;
    }

    if (cel_list(eval->arena, walk->outputs, walk->noutputs, &verdict->raw)
        != CEL_OK)
    {
        return cel_fail_memory(eval);
    }

    return CEL_OK;
}


static cel_status_t
eval_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    void                     *own;
    walk_t                   *walk;
    cel_status_t              rc;
    const workflow_failed_t  *failed;

    walk = ctx;

    if (slot >= walk->workflow->first_slot) {
        failed = eval_failed(walk, slot);

        if (failed != NULL) {
            eval->error = failed->error;
            return CEL_ERROR;
        }

        return slot - walk->workflow->first_slot < walk->workflow->nvariables
               ? eval_variable(walk, eval, slot, value)
               : eval_atom(walk, eval, slot, value);
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


static const workflow_failed_t *
eval_failed(const walk_t *walk, cel_slot_t slot)
{
    const workflow_failed_t  *failed;

    for (failed = walk->failed; failed != NULL; failed = failed->next) {
        if (failed->slot == slot) {
            return failed;
        }
    }

    return NULL;
}


static cel_status_t
eval_variable(walk_t *walk, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    uint64_t                    cost;
    cel_status_t                rc;
    const workflow_variable_t  *variable;

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


/* An error of its own has no line: what reads it makes its position. */

static cel_status_t
eval_atom(walk_t *walk, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    cel_status_t            rc;
    const workflow_t       *workflow;
    const workflow_atom_t  *atom;

    workflow = walk->workflow;
    atom = &workflow->atoms[slot - workflow->first_slot
                            - workflow->nvariables];

    rc = cel_eval(atom->program, eval, value);

    if (rc == CEL_OK) {
        eval->facts[slot] = *value;
        return CEL_OK;
    }

    if (rc == CEL_ERROR) {

        if (eval->error.line == 0) {
            eval->error.offset -= atom->offset;
        }

        if (!cel_error_is_fatal(eval->error.kind)) {
            eval_keep_error(walk, eval, slot);
        }
    }

    return rc;
}


static void
eval_keep_error(walk_t *walk, cel_eval_t *eval, cel_slot_t slot)
{
    workflow_failed_t  *failed;

    failed = cel_arena_alloc(eval->arena, sizeof(workflow_failed_t));

    if (failed == NULL) {
        (void) cel_fail_memory(eval);
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
    const cel_value_t *value)
{
    char  path[WORKFLOW_DEEP_PATH + sizeof(".condition")];

    snprintf(path, sizeof(path), "%s.condition", step->path);

    walk->run->trace(walk->run->trace_ctx, path, step->condition_line, value,
                     eval->cost - walk->cost, eval);
}
