/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The verdict: what an evaluation or a failure means, copied into the
 * decision; and its end.  There is one place where a failure becomes an
 * effect, and it is here.
 */


#include "ngx_constraint_evaluation.h"


static void ngx_constraint_verdict_error(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev);
static ngx_constraint_error_e ngx_constraint_verdict_violations(
    ngx_constraint_enforcement_t *e, ngx_constraint_evaluation_t *ev);
static void ngx_constraint_verdict_result(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev);
static void ngx_constraint_verdict_effect(ngx_constraint_enforcement_t *e,
    const workflow_verdict_t *verdict);
static void ngx_constraint_failure_effect(ngx_constraint_enforcement_t *e);
static ngx_int_t ngx_constraint_verdict_texts(
    ngx_constraint_enforcement_t *e, ngx_constraint_evaluation_t *ev);
static ngx_int_t ngx_constraint_verdict_headers(
    ngx_constraint_enforcement_t *e, ngx_constraint_evaluation_t *ev);
static ngx_int_t ngx_constraint_verdict_copy(ngx_pool_t *pool,
    ngx_str_t *to, const void *data, size_t len);
static void ngx_constraint_count(ngx_constraint_enforcement_t *e,
    uint64_t time_ns);


void
ngx_constraint_verdict(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev)
{
    ngx_constraint_decision_t  *d;

    d = &e->decision;

    d->cost = ev->eval.cost;
    d->memory = ev->arena.peak;
    d->cpu_ns = ev->cpu_ns;

    if (ev->sampled_out && ev->status == CEL_OK) {
        ngx_constraint_sampled_out(e);
        return;
    }

    if (ev->explain && ev->trace.data) {

        if (ev->trace_omitted) {
            ev->trace.len = ngx_sprintf(ev->trace.data + ev->trace.len,
                                        ",{\"omitted\":%uD}",
                                        ev->trace_omitted)
                            - ev->trace.data;
        }

        ev->trace.data[ev->trace.len++] = ']';

        if (ngx_constraint_verdict_copy(e->pool, &d->trace, ev->trace.data,
                                        ev->trace.len)
            != NGX_OK)
        {
            ngx_str_null(&d->trace);
        }

    } else if (ev->explain) {
        ngx_str_set(&d->trace, "[]");
    }

    if (ev->failure->error != NGX_CONSTRAINT_E_NONE) {
        ngx_constraint_fail(e, ev->failure->error, "%s",
                            ev->failure->message);
        return;
    }

    if (ev->status != CEL_OK) {
        ngx_constraint_verdict_error(e, ev);
        return;
    }

    ngx_constraint_verdict_result(e, ev);
}


static void
ngx_constraint_verdict_error(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev)
{
    cel_error_t             *error;
    ngx_constraint_error_e   code;

    error = &ev->eval.error;

    if (ev->status != CEL_ERROR) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_INTERNAL,
                            "the evaluation stopped for a fact it was given");
        return;
    }

    if (ev->bad_output && !cel_error_is_fatal(error->kind)) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_ENFORCEMENT, "%s",
                            error->message);
        return;
    }

    code = cel_error_is_fatal(error->kind)
           ? ngx_constraint_verdict_violations(e, ev)
           : NGX_CONSTRAINT_E_EVALUATION;

    /* line and column are the expression's: the rule tells which one */

    if (ev->verdict.rule == NULL
        || ngx_constraint_verdict_copy(e->pool, &e->decision.rule,
                                       ev->verdict.rule,
                                       ngx_strlen(ev->verdict.rule))
           != NGX_OK)
    {
        ngx_str_null(&e->decision.rule);
    }

    if (error->line) {
        ngx_constraint_fail(e, code, "%s, in %s, line %u, column %u",
                            error->message,
                            e->decision.rule.len ? ev->verdict.rule
                                                 : "an expression",
                            error->line, error->column);
        return;
    }

    ngx_constraint_fail(e, code, "%s", error->message);
}


/* What stopped it, and what else was found then: the error is the first. */

static ngx_constraint_error_e
ngx_constraint_verdict_violations(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev)
{
    uint64_t                          now;
    ngx_constraint_violations_t       none, *violations;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    violations = ngx_constraint_decision_violations(e);

    if (violations == NULL) {
        none.count = 0;
        violations = &none;
    }

    if (ev->budget) {
        ngx_constraint_budget_violations(ev->budget, violations);
    }

    switch (ev->eval.error.kind) {

    case CEL_E_BUDGET:
        break;

    case CEL_E_COST:
        ngx_constraint_violation_add(violations,
                                     NGX_CONSTRAINT_VIOLATION_COST,
                                     ev->eval.cost_limit, ev->eval.cost);
        break;

    case CEL_E_MEMORY:

        if (ev->arena.refused <= ev->arena.limit) {
            return NGX_CONSTRAINT_E_RESOURCE;
        }

        if (ev->budget == NULL) {
            ngx_constraint_violation_add(violations,
                                         NGX_CONSTRAINT_VIOLATION_MEMORY,
                                         ev->arena.limit, ev->arena.refused);
        }

        break;

    case CEL_E_DEADLINE:
    case CEL_E_CANCELLED:
        now = ngx_max(ngx_constraint_now_ns(), state->deadline_ns + 1);

        ngx_constraint_violation_add(violations,
                                     NGX_CONSTRAINT_VIOLATION_TIMEOUT,
                                     (state->deadline_ns - state->from_ns)
                                     / 1000,
                                     (now - state->from_ns + 999) / 1000);
        break;

    default: /* CEL_E_DEPTH */
        return NGX_CONSTRAINT_E_EVALUATION;
    }

    switch (violations->items[0].type) {

    case NGX_CONSTRAINT_VIOLATION_TIMEOUT:
        return NGX_CONSTRAINT_E_DEADLINE;

    case NGX_CONSTRAINT_VIOLATION_MEMORY:
        return NGX_CONSTRAINT_E_MEMORY;

    case NGX_CONSTRAINT_VIOLATION_CPU:
        return NGX_CONSTRAINT_E_CPU;

    default: /* NGX_CONSTRAINT_VIOLATION_COST */
        return NGX_CONSTRAINT_E_COST;
    }
}


static void
ngx_constraint_verdict_result(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev)
{
    if (ngx_constraint_verdict_texts(e, ev) != NGX_OK
        || ngx_constraint_verdict_headers(e, ev) != NGX_OK)
    {
        e->decision.headers = NULL;
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_RESOURCE,
                            "no memory for the decision");
        return;
    }

    ngx_constraint_verdict_effect(e, &ev->verdict);
    ngx_constraint_complete(e);
}


static void
ngx_constraint_verdict_effect(ngx_constraint_enforcement_t *e,
    const workflow_verdict_t *verdict)
{
    ngx_constraint_decision_t        *d;
    ngx_constraint_enforcer_state_t  *state;

    d = &e->decision;
    state = e->state;

    switch (verdict->effect) {

    case WORKFLOW_ALLOW:
        d->effect = NGX_CONSTRAINT_ALLOW;
        return;

    case WORKFLOW_DENY:
        d->effect = NGX_CONSTRAINT_DENY;
        d->status = verdict->status;
        return;

    default: /* WORKFLOW_NO_RESULT */
        d->no_result = 1;
        break;
    }

    if (state->rule->record.default_effect == NGX_CONSTRAINT_ALLOW) {
        d->effect = NGX_CONSTRAINT_ALLOW;
        ngx_str_set(&d->outcome, "ALLOW");
        return;
    }

    d->effect = NGX_CONSTRAINT_DENY;
    ngx_str_set(&d->outcome, "DENY");
    ngx_str_set(&d->message, "no rule of the workflow matches");
}


static ngx_int_t
ngx_constraint_verdict_texts(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev)
{
    const workflow_verdict_t         *verdict;
    ngx_constraint_decision_t        *d;
    ngx_constraint_enforcer_state_t  *state;

    d = &e->decision;
    state = e->state;
    verdict = &ev->verdict;

    if (!e->execute && verdict->effect != WORKFLOW_ALLOW) {
        if (ngx_constraint_verdict_copy(e->pool, &d->workflow_id,
                                  state->rule->record.workflow_id.data,
                                  state->rule->record.workflow_id.len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (verdict->effect == WORKFLOW_NO_RESULT) {
        return NGX_OK;
    }

    if (verdict->outcome_len == 5
        && ngx_memcmp(verdict->outcome, "ALLOW", 5) == 0)
    {
        ngx_str_set(&d->outcome, "ALLOW");

    } else if (ngx_constraint_verdict_copy(e->pool, &d->outcome,
                                           verdict->outcome,
                                           verdict->outcome_len)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict->message
        && ngx_constraint_verdict_copy(e->pool, &d->message,
                                       verdict->message,
                                       verdict->message_len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (verdict->rule
        && ngx_constraint_verdict_copy(e->pool, &d->rule, verdict->rule,
                                       ngx_strlen(verdict->rule))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ev->output.data
        && ngx_constraint_verdict_copy(e->pool, &d->output, ev->output.data,
                                       ev->output.len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ev->raw.data == NULL) {
        return NGX_OK;
    }

    return ngx_constraint_verdict_copy(e->pool, &d->raw, ev->raw.data,
                                       ev->raw.len);
}


/* names and values were checked by the workflow */

static ngx_int_t
ngx_constraint_verdict_headers(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev)
{
    uint32_t          i, n;
    cel_value_t       key, value;
    cel_value_t      *headers;
    ngx_table_elt_t  *h;

    headers = &ev->verdict.headers;

    if (ev->verdict.effect == WORKFLOW_NO_RESULT
        || headers->kind != CEL_MAP)
    {
        return NGX_OK;
    }

    n = cel_size(headers);

    if (n == 0) {
        return NGX_OK;
    }

    e->decision.headers = ngx_array_create(e->pool, n,
                                           sizeof(ngx_table_elt_t));
    if (e->decision.headers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (cel_entry(&ev->eval, headers, i, &key, &value) != CEL_OK
            || key.kind != CEL_STRING || value.kind != CEL_STRING)
        {
            return NGX_ERROR;
        }

        h = ngx_array_push(e->decision.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));
        h->hash = 1;

        if (ngx_constraint_verdict_copy(e->pool, &h->key, key.s, key.len)
            != NGX_OK
            || ngx_constraint_verdict_copy(e->pool, &h->value, value.s,
                                           value.len)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* NUL-terminated for whoever prints it, as nginx has its header values */

static ngx_int_t
ngx_constraint_verdict_copy(ngx_pool_t *pool, ngx_str_t *to,
    const void *data, size_t len)
{
    to->data = ngx_pnalloc(pool, len + 1);
    if (to->data == NULL) {
        to->len = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(to->data, data, len);
    to->data[len] = '\0';
    to->len = len;

    return NGX_OK;
}


void
ngx_constraint_fail(ngx_constraint_enforcement_t *e,
    ngx_constraint_error_e error, const char *fmt, ...)
{
    int        n;
    u_char     text[CEL_MESSAGE_MAX + 80];
    va_list    args;

    va_start(args, fmt);
    n = vsnprintf((char *) text, sizeof(text), fmt, args);
    va_end(args);

    n = ngx_max(n, 0);
    n = ngx_min(n, (int) sizeof(text) - 1);

    e->decision.error = error;

    (void) ngx_constraint_verdict_copy(e->pool, &e->decision.error_message,
                                       text, n);

    ngx_constraint_failure_effect(e);
    ngx_constraint_complete(e);
}


void
ngx_constraint_refuse(ngx_constraint_enforcement_t *e,
    ngx_constraint_error_e error, const ngx_str_t *message)
{
    if (e->decision.effect != NGX_CONSTRAINT_EFFECT_UNSET) {
        return;
    }

    ngx_constraint_fail(e, error, "%.*s", (int) message->len,
                        (char *) message->data);
}


static void
ngx_constraint_failure_effect(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_effect_e           effect;
    ngx_constraint_decision_t        *d;
    ngx_constraint_enforcer_state_t  *state;

    d = &e->decision;
    state = e->state;

    /*
     * What the record says is not known: the location blocks nothing, except
     * a name that whoever sends the request has chosen.
     */

    if (state && state->rule == NULL && e->settings->limits
        && e->settings->limits->execution.observational
        && d->error != NGX_CONSTRAINT_E_MESSAGE_TYPE_EMPTY
        && d->error != NGX_CONSTRAINT_E_MESSAGE_TYPE_UNKNOWN)
    {
        ngx_constraint_observe(e);
    }

    d->effect = NGX_CONSTRAINT_DENY;
    d->failed_open = 0;

    ngx_str_set(&d->outcome, "DENY");
    d->message = d->error_message;

    if (!ngx_constraint_error_is_ours(d->error)) {
        return;
    }

    effect = e->settings->on_error;

    if (state && state->rule
        && state->rule->record.on_error != NGX_CONSTRAINT_EFFECT_UNSET
        && d->error != NGX_CONSTRAINT_E_DISABLED)
    {
        effect = state->rule->record.on_error;
    }

    /* whoever declares what a violation means is not overruled */

    if (state && state->limits
        && (state->limits->execution.set & NGX_CONSTRAINT_SET_FAIL_CLOSED)
        && ngx_constraint_error_kind(d->error)
           == NGX_CONSTRAINT_ERROR_VIOLATION)
    {
        effect = state->limits->execution.fail_closed_on_timeout
                 ? NGX_CONSTRAINT_DENY : NGX_CONSTRAINT_ALLOW;
    }

    if (effect == NGX_CONSTRAINT_ALLOW) {
        d->effect = NGX_CONSTRAINT_ALLOW;
        d->failed_open = 1;
        ngx_str_set(&d->outcome, "ALLOW");
    }
}


/* Not evaluated: neither a failure nor what the workflow says. */

void
ngx_constraint_sampled_out(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_decision_t         *d;
    ngx_constraint_violations_t       *violations;
    ngx_constraint_enforcer_state_t   *state;
    const ngx_constraint_execution_t  *execution;

    d = &e->decision;
    state = e->state;
    execution = &state->limits->execution;

    violations = ngx_constraint_decision_violations(e);

    if (violations) {
        ngx_constraint_violation_sampled(violations,
                                         execution->sampling_rate);
    }

    d->sampled_out = 1;
    d->where = NGX_CONSTRAINT_WHERE_NONE;

    /* who says nothing blocks, unless nothing of it blocks */

    if (execution->sampled_out_effect == NGX_CONSTRAINT_BOUND_ALLOW
        || (execution->sampled_out_effect == NGX_CONSTRAINT_BOUND_UNSET
            && d->observational))
    {
        d->effect = NGX_CONSTRAINT_ALLOW;
        ngx_str_set(&d->outcome, "ALLOW");

    } else {
        d->effect = NGX_CONSTRAINT_DENY;
        ngx_str_set(&d->outcome, "DENY");
        ngx_str_set(&d->message, "the message was not sampled");
    }

    ngx_constraint_complete(e);
}


void
ngx_constraint_complete(ngx_constraint_enforcement_t *e)
{
    uint64_t                          now, time_ns;
    ngx_constraint_decision_t        *d;
    ngx_constraint_enforcer_state_t  *state;

    d = &e->decision;
    state = e->state;

    d->message_type = e->message_type;
    d->subject = e->subject;
    d->shadow = e->shadow;
    d->pending = 0;

    if (state == NULL) {
        return;
    }

    time_ns = state->worked_ns;

    if (state->paused_ns == 0) {
        now = state->ended_ns ? state->ended_ns : ngx_constraint_now_ns();
        time_ns += now - ngx_min(state->started_ns, now);
    }

    d->time_us = time_ns / 1000;

    ngx_constraint_disarm(e);

    if (state->rule) {
        ngx_constraint_count(e, time_ns);

        if (state->limits
            && (state->limits->execution.set
                & (NGX_CONSTRAINT_SET_BREAKER | NGX_CONSTRAINT_SET_ADAPTIVE)))
        {
            ngx_constraint_feedback_ended(e, time_ns);
        }

        ngx_constraint_release_rule(e);
    }

    state->stage = NGX_CONSTRAINT_STAGE_DONE;
}


static void
ngx_constraint_count(ngx_constraint_enforcement_t *e, uint64_t time_ns)
{
    uint32_t                          i;
    ngx_constraint_decision_t        *d;
    ngx_constraint_enforcer_state_t  *state;
    ngx_constraint_stats_sample_t     sample;

    static const ngx_str_t  none = ngx_null_string;

    d = &e->decision;
    state = e->state;

    ngx_memzero(&sample, sizeof(ngx_constraint_stats_sample_t));

    sample.cost = d->cost;
    sample.time_ns = time_ns;
    sample.cpu_ns = d->cpu_ns;
    sample.memory = d->memory;
    sample.where = d->where;
    sample.denied = d->effect == NGX_CONSTRAINT_DENY;
    sample.retries = d->retries;
    sample.sampled_out = d->sampled_out;
    sample.breaker = d->breaker == NGX_CONSTRAINT_BREAKER_OPEN;

    if (d->error != NGX_CONSTRAINT_E_NONE) {
        sample.error = d->error;
        sample.ours = ngx_constraint_error_is_ours(d->error);
        sample.failed_open = d->failed_open;
    }

    for (i = 0; d->violations && i < d->violations->count; i++) {
        sample.violations |= 1 << d->violations->items[i].type;
    }

    if (i > 1) {
        sample.violations |= 1 << NGX_CONSTRAINT_VIOLATION_TYPES;
    }

    ngx_constraint_catalogue_count(e->catalogue, state->rule,
                                   state->limits ? &state->limits->profile
                                                 : &none,
                                   &sample);
}
