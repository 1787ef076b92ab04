
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The short way to a plain "allow": what most requests get from most
 * workflows, without a verdict being made.  Says nothing else: whatever is
 * not that plain is evaluated by workflow_eval().
 */


#include <string.h>
#include "workflow_policy.h"


static void brief_step(workflow_t *workflow, workflow_step_t *step);
static bool brief_allows(const cel_value_t *value);


void
workflow_brief_find(workflow_t *workflow)
{
    bool       allows;
    uint32_t   i;

    if (workflow->any_output || workflow->then != NULL
        || workflow->nvariables != 0 || workflow->natoms != 0)
    {
        return;
    }

    allows = false;

    for (i = 0; i < workflow->nsteps; i++) {

        if (workflow->steps[i].block != NULL) {
            return;
        }

        brief_step(workflow, &workflow->steps[i]);
        allows |= workflow->steps[i].allows;
    }

    workflow->brief = allows;
}


/* What it costs is what it costs now: it reads nothing. */

static void
brief_step(workflow_t *workflow, workflow_step_t *step)
{
    cel_eval_t   eval;
    cel_value_t  value;

    step->allows = false;

    if (step->output == NULL
        || cel_program_constant(step->output, &value) != CEL_OK
        || !brief_allows(&value))
    {
        return;
    }

    memset(&eval, 0, sizeof(cel_eval_t));
    eval.arena = &workflow->arena;

    if (cel_eval(step->output, &eval, &value) == CEL_OK
        && eval.cost <= UINT16_MAX)
    {
        step->allows = true;
        step->units = (uint16_t) eval.cost;
        step->path_len = (uint16_t) strlen(step->path);
    }
}


static bool
brief_allows(const cel_value_t *value)
{
    if (value->kind == CEL_BOOL) {
        return value->b;
    }

    return value->kind == CEL_STRING && value->len == 5
           && memcmp(value->s, "ALLOW", 5) == 0;
}


bool
workflow_is_brief(const workflow_t *workflow)
{
    return workflow->brief;
}


cel_slot_t
workflow_first_fact(const workflow_t *workflow)
{
    const cel_program_t  *condition;

    condition = workflow->brief ? workflow->steps[0].condition : NULL;

    return condition != NULL ? cel_program_first_fact(condition)
                             : CEL_NO_SLOT;
}


bool
workflow_allows(const workflow_t *workflow, cel_eval_t *eval,
    const char **rule, size_t *rule_len)
{
    uint32_t                i;
    cel_value_t             value;
    const workflow_step_t  *step;

    i = 0;

    while (i < workflow->nsteps) {

        step = &workflow->steps[i];

        if (step->condition != NULL) {

            if (cel_eval(step->condition, eval, &value) != CEL_OK
                || value.kind != CEL_BOOL)
            {
                return false;
            }

            if (!value.b) {
                i = step->otherwise;
                continue;
            }
        }

        if (step->output == NULL) {
            i++;
            continue;
        }

        *rule = step->path;
        *rule_len = step->path_len;

        return step->allows && cel_eval_charge(eval, step->units) == CEL_OK;
    }

    return false;
}
