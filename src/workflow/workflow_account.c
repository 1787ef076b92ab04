
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What an evaluation may read and cost: every condition, every variable that
 * can be reached once, and the dearest output; of an aggregate all outputs.
 */


#include <string.h>
#include "workflow_policy.h"


static bool *account_reached(workflow_t *workflow, uint32_t slots);
static void account_reads(bool *reached, const cel_program_t *program);
static cel_status_t account_facts(workflow_t *workflow, const bool *reached);
static void account_cost(workflow_t *workflow, const bool *reached,
    bool headers);
static const cel_program_t *account_first(const workflow_t *workflow);


cel_status_t
workflow_account(workflow_t *workflow, bool headers)
{
    bool  *reached;

    reached = account_reached(workflow, workflow_slots(workflow));

    if (reached == NULL || account_facts(workflow, reached) != CEL_OK) {
        return CEL_ERROR;
    }

    account_cost(workflow, reached, headers);

    return CEL_OK;
}


/* by slot; a variable reads only variables before it */

static bool *
account_reached(workflow_t *workflow, uint32_t slots)
{
    bool             *reached;
    uint32_t          i;
    workflow_step_t  *step;

    reached = cel_arena_alloc(&workflow->arena, slots + 1);

    if (reached == NULL) {
        return NULL;
    }

    memset(reached, 0, slots + 1);

    for (i = 0; i < workflow->nsteps; i++) {
        step = &workflow->steps[i];

        account_reads(reached, step->condition);
        account_reads(reached, step->output);
    }

    for (i = 0; i < workflow->natoms; i++) {
        account_reads(reached, workflow->atoms[i].program);
    }

    for (i = workflow->nvariables; i-- > 0; /* void */ ) {
        if (reached[workflow->first_slot + i]) {
            account_reads(reached, workflow->variables[i].program);
        }
    }

    return reached;
}


static void
account_reads(bool *reached, const cel_program_t *program)
{
    uint32_t           i, n;
    const cel_slot_t  *slots;

    if (program == NULL) {
        return;
    }

    slots = cel_program_facts(program, &n);

    for (i = 0; i < n; i++) {
        reached[slots[i]] = true;
    }
}


static cel_status_t
account_facts(workflow_t *workflow, const bool *reached)
{
    cel_slot_t  slot;

    for (slot = 0; slot < workflow->first_slot; slot++) {
        workflow->nfacts += reached[slot];
    }

    workflow->facts = cel_arena_alloc(&workflow->arena,
                               (workflow->nfacts + 1) * sizeof(cel_slot_t));

    if (workflow->facts == NULL) {
        return CEL_ERROR;
    }

    workflow->nfacts = 0;

    for (slot = 0; slot < workflow->first_slot; slot++) {
        if (reached[slot]) {
            workflow->facts[workflow->nfacts++] = slot;
        }
    }

    return CEL_OK;
}


static void
account_cost(workflow_t *workflow, const bool *reached, bool headers)
{
    uint32_t               i;
    cel_cost_sum_t         outputs;
    const cel_program_t   *first;
    const workflow_step_t *step;

    first = account_first(workflow);

    cel_cost_sum_init(&workflow->cost);
    cel_cost_sum_init(&outputs);

    for (i = 0; i < workflow->nsteps; i++) {
        step = &workflow->steps[i];

        if (step->condition != NULL) {
            cel_cost_sum_add(&workflow->cost, step->condition,
                             step->condition == first);
        }

        if (step->output == NULL) {
            continue;
        }

        if (workflow->then != NULL && workflow->then[i] != 0) {
            cel_cost_sum_add(&workflow->cost, step->output, false);
            cel_cost_sum_units(&workflow->cost, 1, 0);

        } else {
            cel_cost_sum_either(&outputs, step->output);
        }
    }

    for (i = 0; i < workflow->nvariables; i++) {
        if (reached[workflow->first_slot + i]) {
            cel_cost_sum_add(&workflow->cost, workflow->variables[i].program,
                             false);
        }
    }

    cel_cost_sum_join(&workflow->cost, &outputs);
    cel_cost_sum_units(&workflow->cost, WORKFLOW_VERDICT_COST, 0);
    cel_cost_sum_units(&workflow->cost, workflow->index_cost, 0);

    if (headers) {
        cel_cost_sum_units(&workflow->cost,
                           WORKFLOW_MAX_HEADERS
                           + (WORKFLOW_HEADER_BYTES >> 4), 0);
    }
}


/*
 * The condition that every evaluation begins with, or NULL: with an index and
 * parts that conditions share the first one may cost next to nothing.
 */

static const cel_program_t *
account_first(const workflow_t *workflow)
{
    uint32_t  i;

    if (workflow->index_cost != 0) {
        return NULL;
    }

    for (i = 0; i < workflow->nsteps; i++) {

        if (workflow->steps[i].condition != NULL) {
            return workflow->steps[i].condition;
        }

        if (workflow->steps[i].output != NULL) {
            return NULL;
        }
    }

    return NULL;
}


const char *
workflow_name(const workflow_t *workflow, size_t *len)
{
    if (len != NULL) {
        *len = workflow->name_len;
    }

    return workflow->name;
}


uint32_t
workflow_slots(const workflow_t *workflow)
{
    return workflow->first_slot + workflow->nvariables + workflow->natoms;
}


const cel_slot_t *
workflow_facts(const workflow_t *workflow, uint32_t *count)
{
    *count = workflow->nfacts;

    return workflow->facts;
}


uint64_t
workflow_cost_max(const workflow_t *workflow, const cel_sizes_t *sizes)
{
    return cel_cost_sum_max(&workflow->cost, sizes);
}


uint64_t
workflow_cost_min(const workflow_t *workflow)
{
    return cel_cost_sum_min(&workflow->cost);
}


size_t
workflow_memory(const workflow_t *workflow)
{
    return workflow->memory + workflow->arena.used;
}


uint32_t
workflow_rules(const workflow_t *workflow)
{
    return workflow->nsteps;
}


uint32_t
workflow_indexed(const workflow_t *workflow)
{
    return workflow->indexed;
}


uint32_t
workflow_shared(const workflow_t *workflow)
{
    return workflow->natoms;
}


size_t
workflow_output_type(const workflow_t *workflow, char *buf, size_t size)
{
    size_t  len;

    if (size == 0) {
        return 0;
    }

    len = strlen(workflow->output_type);
    len = len < size ? len : size - 1;

    memcpy(buf, workflow->output_type, len);
    buf[len] = '\0';

    return len;
}
