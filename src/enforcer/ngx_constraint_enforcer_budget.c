/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What bounds an enforcement: its limits, its deadline, the budget of its
 * evaluation, who is left out, and when a transient failure is tried again.
 * What follows from a violation is the verdict's.
 */


#include "ngx_constraint_evaluation.h"


static __attribute__((noinline)) void ngx_constraint_limits_bind_rare(
    ngx_constraint_enforcement_t *e);
static void ngx_constraint_retry_timer(ngx_event_t *ev);


/*
 * The record's and the location's limits, once the rule is known.  Without
 * any this is two comparisons; with one of them, and nothing that is rare,
 * two more.
 */

void
ngx_constraint_limits_bind(ngx_constraint_enforcement_t *e)
{
    const ngx_constraint_limits_t    *rule, *location, *limits;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    rule = state->rule->limits;
    location = e->settings->limits;

    if (rule == NULL && location == NULL) {
        return;
    }

    limits = rule ? rule : location;
    state->limits = limits;

    if ((rule && location) || limits->execution.observational
        || (limits->execution.set & NGX_CONSTRAINT_SET_ADAPTIVE))
    {
        ngx_constraint_limits_bind_rare(e);
    }
}


/* Both have some, or what they say changes more than the evaluation. */

static void
ngx_constraint_limits_bind_rare(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_limits_t          *buffer;
    const ngx_constraint_limits_t    *rule, *location;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    rule = state->rule->limits;
    location = e->settings->limits;

    if (rule && location) {
        buffer = ngx_palloc(e->pool, sizeof(ngx_constraint_limits_t));

        if (buffer == NULL) {
            state->limits = NULL;
            ngx_constraint_fail(e, NGX_CONSTRAINT_E_RESOURCE,
                                "no memory for the limits");
            return;
        }

        state->limits = ngx_constraint_limits_effective(rule, location,
                                                        buffer);
    }

    if (state->limits->execution.set & NGX_CONSTRAINT_SET_ADAPTIVE) {
        ngx_constraint_feedback_bind(e);
    }

    /* what is disabled says nothing for a name out of the request */

    if (state->limits->execution.observational
        && (state->rule->record.enabled || !e->from_request))
    {
        ngx_constraint_observe(e);
    }
}


/* From here on it decides nothing; over REST it is waited for all the same. */

void
ngx_constraint_observe(ngx_constraint_enforcement_t *e)
{
    e->decision.observational = 1;

    if (!e->execute) {
        e->shadow = 1;
    }
}


/* For a state in a pool of its own; the rule and the location stay. */

ngx_int_t
ngx_constraint_limits_move(ngx_constraint_enforcement_t *e,
    ngx_constraint_enforcer_state_t *state, ngx_pool_t *pool)
{
    ngx_constraint_limits_t  *limits;

    if (state->limits == NULL || state->limits == e->settings->limits
        || state->limits == state->rule->limits)
    {
        return NGX_OK;
    }

    limits = ngx_palloc(pool, sizeof(ngx_constraint_limits_t));
    if (limits == NULL) {
        return NGX_ERROR;
    }

    *limits = *state->limits;
    state->limits = limits;

    return NGX_OK;
}


/*
 * The deadline counts from the first work, not from before a body is read;
 * max_exec_ms from when the evaluation begins: waiting in the queue and for
 * retries is in it, the loading of the constraint is not.
 */

void
ngx_constraint_start_clock(ngx_constraint_enforcement_t *e)
{
    uint64_t                          now, from, max, limit;
    ngx_msec_t                        timeout;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (state->clocked) {
        return;
    }

    timeout = e->settings->timeout;

    if (state->rule && state->rule->record.timeout) {
        timeout = state->rule->record.timeout;
    }

    from = state->started_ns - ngx_min(state->worked_ns, state->started_ns);

    state->from_ns = from;
    state->deadline_ns = from + (uint64_t) timeout * 1000000;

    if (state->rule == NULL) {
        return;
    }

    state->clocked = 1;

    max = state->limits ? state->limits->execution.max_exec_us : 0;

    if (max == 0) {
        return;
    }

    if (state->loaded && state->loading_ns == 0) {
        now = ngx_constraint_now_ns();
        state->loading_ns = now - ngx_min(now, from);
    }

    from += state->loading_ns;
    limit = from + max * 1000;

    if (limit < state->deadline_ns) {
        state->from_ns = from;
        state->deadline_ns = limit;
    }
}


size_t
ngx_constraint_memory_limit(ngx_constraint_enforcement_t *e)
{
    size_t                            limit;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    limit = e->settings->memory_limit;

    if (state->limits && state->limits->execution.memory_limit_bytes
        && (limit == 0
            || state->limits->execution.memory_limit_bytes < limit))
    {
        limit = state->limits->execution.memory_limit_bytes;
    }

    return limit;
}


/* budget lives as long as the evaluation; its thread is set */

void
ngx_constraint_budget_prepare(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev, ngx_constraint_budget_t *budget)
{
    const ngx_constraint_execution_t  *execution;
    ngx_constraint_enforcer_state_t   *state;

    state = e->state;
    execution = &state->limits->execution;

    if (execution->max_exec_us == 0 && execution->memory_limit_bytes == 0
        && execution->cpu_shares >= 100)
    {
        return;
    }

    budget->from_ns = state->from_ns;
    budget->allowed_ns = state->deadline_ns - state->from_ns;
    budget->share_ns = execution->max_exec_us
                       ? (uint64_t) execution->max_exec_us * 1000
                       : budget->allowed_ns;
    budget->memory_limit = ev->arena.limit;
    budget->cpu_shares = execution->cpu_shares;

    ev->budget = budget;
    ev->eval.look = ngx_constraint_budget_look;
    ev->eval.look_ctx = budget;

    /* one reading of the clock is enough */

    ev->eval.deadline_ns = 0;
}


/*
 * The rate is below 1.  NGX_OK: left out, complete; NGX_DECLINED: to be
 * evaluated, by a key of its sampling perhaps.  Drawn once for each
 * enforcement.
 */

ngx_int_t
ngx_constraint_sample_out(ngx_constraint_enforcement_t *e)
{
    double                            rate;
    const ngx_constraint_limits_t    *location;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    rate = state->limits->execution.sampling_rate;

    if (state->sampled) {
        return NGX_DECLINED;
    }

    state->sampled = 1;

    /* whose key it is tells where it was compiled */

    if (rate > 0 && state->limits->sampling_key.len) {
        location = e->settings->limits;

        state->sampling = location && location->sampling_key.data
                                      == state->limits->sampling_key.data
                          ? e->settings->sampling : state->rule->sampling;

        return NGX_DECLINED;
    }

    if (ngx_constraint_sample(&ngx_constraint_worker.sampler, rate)) {
        return NGX_DECLINED;
    }

    ngx_constraint_sampled_out(e);

    return NGX_OK;
}


/* In the event loop or in a thread: 1 to go on. */

ngx_uint_t
ngx_constraint_sample_key(ngx_constraint_evaluation_t *ev)
{
    uint64_t      hash;
    cel_value_t   key;

    ev->status = cel_eval(ev->sampling, &ev->eval, &key);

    if (ev->status == CEL_NEED) {
        return 0;
    }

    if (ev->status == CEL_ERROR && cel_error_is_fatal(ev->eval.error.kind)) {
        return 0;
    }

    /*
     * Whoever makes the key fail does not leave the constraint that way; and
     * what the key could not read may be of no matter to the constraint.
     */

    if (ev->status != CEL_OK || key.kind != CEL_STRING
        || ev->failure->error != NGX_CONSTRAINT_E_NONE)
    {
        ev->failure->error = NGX_CONSTRAINT_E_NONE;
        return 1;
    }

    if (cel_eval_charge(&ev->eval, key.len / 8 + 1) != CEL_OK) {
        ev->status = CEL_ERROR;
        return 0;
    }

    hash = ngx_constraint_sampling_hash(key.s, key.len);

    if (ngx_constraint_sampling_in(hash, ev->sampling_rate)) {
        return 1;
    }

    ev->sampled_out = 1;

    return 0;
}


/* The set of the decision, made when it is first asked for; NULL: no memory. */

ngx_constraint_violations_t *
ngx_constraint_decision_violations(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_decision_t  *d;

    d = &e->decision;

    if (d->violations == NULL) {
        d->violations = ngx_palloc(e->pool,
                                   sizeof(ngx_constraint_violations_t));
        if (d->violations) {
            d->violations->count = 0;
        }
    }

    return d->violations;
}


void
ngx_constraint_violate(ngx_constraint_enforcement_t *e,
    ngx_constraint_violation_e type, uint64_t allowed, uint64_t actual)
{
    ngx_constraint_violations_t  *violations;

    violations = ngx_constraint_decision_violations(e);

    if (violations) {
        ngx_constraint_violation_add(violations, type, allowed, actual);
    }
}


/* The time is over, and no evaluation is there to say so. */

void
ngx_constraint_fail_deadline(ngx_constraint_enforcement_t *e,
    const char *message)
{
    uint64_t                          now;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    now = ngx_max(ngx_constraint_now_ns(), state->deadline_ns + 1);

    ngx_constraint_violate(e, NGX_CONSTRAINT_VIOLATION_TIMEOUT,
                           (state->deadline_ns - state->from_ns) / 1000,
                           (now - state->from_ns + 999) / 1000);

    ngx_constraint_fail(e, NGX_CONSTRAINT_E_DEADLINE, "%s", message);
}


/* What it was to be given did not fit: its limit, or the machine's. */

void
ngx_constraint_fail_memory(ngx_constraint_enforcement_t *e,
    const cel_arena_t *arena, const char *message)
{
    if (arena->refused <= arena->limit) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_RESOURCE, "out of memory");
        return;
    }

    ngx_constraint_violate(e, NGX_CONSTRAINT_VIOLATION_MEMORY, arena->limit,
                           arena->refused);

    ngx_constraint_fail(e, NGX_CONSTRAINT_E_MEMORY, "%s", message);
}


/*
 * A transient failure: NGX_AGAIN when it is tried again, from the stage that
 * failed; NGX_DECLINED when it is final.  Shadow mode waits for nothing.
 */

ngx_int_t
ngx_constraint_retry(ngx_constraint_enforcement_t *e)
{
    uint64_t                          now, left, delay;
    ngx_constraint_retry_plan_t       plan;
    const ngx_constraint_limits_t    *limits;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    limits = state->limits ? state->limits : e->settings->limits;

    if (limits == NULL || limits->execution.max_retries == 0 || e->shadow) {
        return NGX_DECLINED;
    }

    ngx_constraint_start_clock(e);

    plan.max = limits->execution.max_retries;
    plan.backoff_us = limits->execution.retry_backoff_us;
    plan.exponential = limits->execution.retry_strategy
                       == NGX_CONSTRAINT_RETRY_EXPONENTIAL;

    now = ngx_constraint_now_ns();
    left = now < state->deadline_ns ? state->deadline_ns - now : 0;

    if (!ngx_constraint_retry_next(&plan, e->decision.retries, left, &delay)) {
        return NGX_DECLINED;
    }

    e->decision.retries++;

    delay = (delay + 999999) / 1000000
            + ngx_constraint_fault("retry.late_ms");

    state->timer.handler = ngx_constraint_retry_timer;
    state->timer.data = &ngx_constraint_worker.dummy;
    state->timer.log = ngx_cycle->log;

    ngx_add_timer(&state->timer, (ngx_msec_t) delay);

    return NGX_AGAIN;
}


static void
ngx_constraint_retry_timer(ngx_event_t *ev)
{
    ngx_constraint_enforcement_t     *e;
    ngx_constraint_enforcer_state_t  *state;

    state = (ngx_constraint_enforcer_state_t *)
            ((u_char *) ev - offsetof(ngx_constraint_enforcer_state_t,
                                      timer));
    e = state->enforcement;

    if (ngx_constraint_now_ns() >= state->deadline_ns) {
        ngx_constraint_fail_deadline(e, "the deadline has passed before a "
                                        "retry");
    }

    ngx_constraint_wake(e);
}
