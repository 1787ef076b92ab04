/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The facts that are the enforcer's own: input, subject, constraint, now.
 * All others come from the source.
 */


#include "ngx_constraint_evaluation.h"


static cel_status_t ngx_constraint_fact_input(
    ngx_constraint_enforcement_t *e, cel_eval_t *eval, cel_value_t *value);
static cel_status_t ngx_constraint_fact_subject(
    ngx_constraint_enforcement_t *e, cel_eval_t *eval, cel_value_t *value);
static cel_status_t ngx_constraint_fact_record(
    ngx_constraint_enforcement_t *e, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value);


cel_status_t
ngx_constraint_fact(ngx_constraint_enforcement_t *e, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (ngx_constraint_fault("fact.delay_ms")) {
        ngx_msleep(ngx_constraint_fault("fact.delay_ms"));
    }

    switch (slot) {

    case WORKFLOW_FACT_INPUT:
        return ngx_constraint_fact_input(e, eval, value);

    case WORKFLOW_FACT_SUBJECT_ID:
        return ngx_constraint_fact_subject(e, eval, value);

    /* nobody has roles, groups or attributes before there are subjects */

    case WORKFLOW_FACT_SUBJECT_ROLES:
    case WORKFLOW_FACT_SUBJECT_GROUPS:
        return cel_list(eval->arena, NULL, 0, value);

    case WORKFLOW_FACT_SUBJECT_ATTRIBUTES:
        return cel_map(eval->arena, NULL, 0, value);

    case WORKFLOW_FACT_CONSTRAINT_MESSAGE_TYPE:
    case WORKFLOW_FACT_CONSTRAINT_SUBJECT_ID:
    case WORKFLOW_FACT_CONSTRAINT_METADATA:
    case WORKFLOW_FACT_CONSTRAINT_REVISION:
        return ngx_constraint_fact_record(e, eval, slot, value);

    case WORKFLOW_FACT_NOW:
        *value = state->now;
        return CEL_OK;

    default:
        return e->facts->fetch(e->facts, eval, slot, value);
    }
}


static cel_status_t
ngx_constraint_fact_input(ngx_constraint_enforcement_t *e, cel_eval_t *eval,
    cel_value_t *value)
{
    ngx_constraint_facts_t           *facts;
    ngx_constraint_enforcer_state_t  *state;

    facts = e->facts;
    state = e->state;

    if (!facts->input_ready) {
        return CEL_NEED;
    }

    if (facts->input.data == NULL) {
        *value = cel_null();
        return CEL_OK;
    }

    if (facts->document == NULL
        && facts->input.len > NGX_CONSTRAINT_PARSE_INLINE
        && e->settings->offload != NGX_CONSTRAINT_OFFLOAD_OFF)
    {
        state->heavy = 1;
        return CEL_NEED;
    }

    return ngx_constraint_fact_document(facts, eval, value);
}


cel_status_t
ngx_constraint_fact_document(ngx_constraint_facts_t *facts, cel_eval_t *eval,
    cel_value_t *value)
{
    if (facts->document == NULL) {

        if (cel_arena_charge(eval->arena, cel_json_memory(facts->input.len))
            != CEL_OK)
        {
            return cel_eval_fail(eval, CEL_E_MEMORY,
                                 "an input of %zu bytes is over the memory "
                                 "limit", facts->input.len);
        }

        facts->document = ngx_constraint_document_parse(
                                      ngx_constraint_worker.parser,
                                      &facts->input, facts->allow_duplicates,
                                      facts->failure);

        if (facts->document == NULL) {
            return ngx_constraint_fact_fail(facts->failure, eval,
                                            facts->failure->error, "%s",
                                            facts->failure->message);
        }
    }

    *value = cel_json_root(facts->document->json);

    return CEL_OK;
}


static cel_status_t
ngx_constraint_fact_subject(ngx_constraint_enforcement_t *e, cel_eval_t *eval,
    cel_value_t *value)
{
    if (e->subject.len == 0) {
        return ngx_constraint_fact_fail(e->facts->failure, eval,
                                        NGX_CONSTRAINT_E_SUBJECT_MISSING,
                                        "subject.id is read, but there is "
                                        "no subject");
    }

    if (e->subject.len > NGX_CONSTRAINT_NAME_MAX
        || !ngx_constraint_utf8_valid(e->subject.data, e->subject.len))
    {
        return ngx_constraint_fact_fail(e->facts->failure, eval,
                                        NGX_CONSTRAINT_E_EVALUATION,
                                        "subject.id is longer than 255 bytes "
                                        "or not valid UTF-8");
    }

    *value = ngx_constraint_cel_string(&e->subject);

    return CEL_OK;
}


static cel_status_t
ngx_constraint_fact_record(ngx_constraint_enforcement_t *e, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value)
{
    ngx_constraint_rule_t            *rule;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    rule = state->rule;

    switch (slot) {

    case WORKFLOW_FACT_CONSTRAINT_MESSAGE_TYPE:
        *value = ngx_constraint_cel_string(&rule->record.message_type);
        return CEL_OK;

    case WORKFLOW_FACT_CONSTRAINT_SUBJECT_ID:
        *value = ngx_constraint_cel_string(&rule->record.subject_id);
        return CEL_OK;

    case WORKFLOW_FACT_CONSTRAINT_REVISION:
        *value = cel_int(rule->record.revision);
        return CEL_OK;

    default: /* WORKFLOW_FACT_CONSTRAINT_METADATA */

        if (rule->metadata == NULL) {
            return cel_map(eval->arena, NULL, 0, value);
        }

        return ngx_constraint_cel_json(eval->arena, rule->metadata, value);
    }
}
