/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What earlier evaluations mean for this one: a breaker that is open, a
 * limit that follows the p99; and what this one's end means for later ones.
 */


#include "ngx_constraint_evaluation.h"


static void ngx_constraint_feedback_none(ngx_constraint_enforcement_t *e);
static ngx_uint_t ngx_constraint_feedback_located(
    ngx_constraint_enforcement_t *e, uint32_t bit);
static void ngx_constraint_breaker_decide(ngx_constraint_enforcement_t *e);
static void ngx_constraint_breaker_log(ngx_constraint_enforcement_t *e,
    ngx_constraint_breaker_e state);
static void ngx_constraint_breaker_ended(ngx_constraint_enforcement_t *e,
    ngx_constraint_feedback_t *feedback);
static ngx_uint_t ngx_constraint_violated(
    const ngx_constraint_decision_t *d);
static void ngx_constraint_adaptive_ended(ngx_constraint_enforcement_t *e,
    ngx_constraint_feedback_t *feedback, uint64_t time_ns);


/* limits->execution.max_exec_us is the adaptive one from here on. */

void
ngx_constraint_feedback_bind(ngx_constraint_enforcement_t *e)
{
    uint32_t                          max_exec_us;
    ngx_uint_t                        number;
    ngx_constraint_limits_t          *limits;
    ngx_constraint_feedback_t        *feedback;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    limits = ngx_palloc(e->pool, sizeof(ngx_constraint_limits_t));

    if (limits == NULL) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_RESOURCE,
                            "no memory for the limits");
        return;
    }

    feedback = ngx_constraint_catalogue_state(e->catalogue, state->rule);

    *limits = *state->limits;

    if (feedback) {
        number = ngx_constraint_feedback_located(e,
                                                NGX_CONSTRAINT_SET_ADAPTIVE);
        max_exec_us = ngx_constraint_feedback_located(e,
                                                NGX_CONSTRAINT_SET_MAX_EXEC)
                      ? limits->execution.max_exec_us : 0;

        if (feedback->adapts != number
            || feedback->max_exec_us != max_exec_us
            || (number && ngx_memcmp(&feedback->adaptive_conf,
                                     &limits->adaptive,
                                     sizeof(ngx_constraint_adaptive_conf_t))
                          != 0))
        {
            feedback->adaptive_conf = limits->adaptive;
            feedback->max_exec_us = max_exec_us;
            feedback->adapts = number;
        }

    } else {
        ngx_constraint_feedback_none(e);
    }

    limits->execution.max_exec_us =
                ngx_constraint_adaptive_limit(feedback ? &feedback->adaptive
                                                       : NULL,
                                              &limits->adaptive,
                                              limits->execution.max_exec_us);
    state->limits = limits;
}


/* Evaluated without, as if it were closed and knew nothing. */

static void
ngx_constraint_feedback_none(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (!state->stateless) {
        state->stateless = 1;
        ngx_constraint_catalogue_stateless(e->catalogue, state->rule);
    }
}


/* The configuration's number if only the location says it, 0: the rule. */

static ngx_uint_t
ngx_constraint_feedback_located(ngx_constraint_enforcement_t *e, uint32_t bit)
{
    const ngx_constraint_limits_t    *rule;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    rule = state->rule->limits;

    return (rule && (rule->execution.set & bit))
           ? 0 : ngx_constraint_catalogue_number(e->catalogue);
}


/* It has a breaker.  Before it is evaluated, once: that may decide it. */

void
ngx_constraint_feedback_enter(ngx_constraint_enforcement_t *e)
{
    ngx_int_t                         rc;
    ngx_uint_t                        number;
    ngx_constraint_breaker_e          to;
    ngx_constraint_feedback_t        *feedback;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    feedback = ngx_constraint_catalogue_state(e->catalogue, state->rule);

    if (feedback == NULL) {
        ngx_constraint_feedback_none(e);
        return;
    }

    number = ngx_constraint_feedback_located(e, NGX_CONSTRAINT_SET_BREAKER);

    if (feedback->breaks != number
        || (number && ngx_memcmp(&feedback->breaker_conf,
                                 &state->limits->breaker,
                                 sizeof(ngx_constraint_breaker_conf_t))
                      != 0))
    {
        feedback->breaker_conf = state->limits->breaker;
        feedback->breaks = number;
    }

    rc = ngx_constraint_breaker_enter(&feedback->breaker,
                                      &state->limits->breaker,
                                      ngx_constraint_now_ns() / 1000000,
                                      &state->probe, &to);

    ngx_constraint_breaker_log(e, to);

    if (rc == NGX_OK) {
        state->entered = 1;

        if (state->probe) {
            e->decision.breaker = NGX_CONSTRAINT_BREAKER_HALF_OPEN;
        }

        return;
    }

    e->decision.breaker = NGX_CONSTRAINT_BREAKER_OPEN;

    if (state->limits->breaker.effect == NGX_CONSTRAINT_BOUND_SHADOW) {
        ngx_constraint_observe(e);
        return;
    }

    ngx_constraint_breaker_decide(e);
}


/* Not evaluated: an allow is none of the workflow's, and says so. */

static void
ngx_constraint_breaker_decide(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_decision_t        *d;
    ngx_constraint_enforcer_state_t  *state;

    d = &e->decision;
    state = e->state;

    d->error = NGX_CONSTRAINT_E_BREAKER;
    ngx_str_set(&d->error_message,
                "the circuit breaker of the constraint is open");
    d->message = d->error_message;

    if (state->limits->breaker.effect == NGX_CONSTRAINT_BOUND_ALLOW) {
        d->effect = NGX_CONSTRAINT_ALLOW;
        d->failed_open = 1;
        ngx_str_set(&d->outcome, "ALLOW");

    } else {
        d->effect = NGX_CONSTRAINT_DENY;
        ngx_str_set(&d->outcome, "DENY");
    }

    ngx_constraint_complete(e);
}


static void
ngx_constraint_breaker_log(ngx_constraint_enforcement_t *e,
    ngx_constraint_breaker_e state)
{
    ngx_constraint_enforcer_state_t  *s;

    s = e->state;

    switch (state) {

    case NGX_CONSTRAINT_BREAKER_OPEN:
        ngx_log_error(NGX_LOG_WARN, e->log, 0,
                      "constraint: the breaker of \"%V\" opens for %uDms",
                      &s->rule->record.message_type,
                      s->limits->breaker.open_ms);
        break;

    case NGX_CONSTRAINT_BREAKER_HALF_OPEN:
        ngx_log_error(NGX_LOG_NOTICE, e->log, 0,
                      "constraint: the breaker of \"%V\" is half open, %ud "
                      "probes are let by", &s->rule->record.message_type,
                      (unsigned) s->limits->breaker.half_open_probes);
        break;

    case NGX_CONSTRAINT_BREAKER_CLOSED:
        ngx_log_error(NGX_LOG_NOTICE, e->log, 0,
                      "constraint: the breaker of \"%V\" closes",
                      &s->rule->record.message_type);
        break;

    default: /* NGX_CONSTRAINT_BREAKER_STATES */
        break;
    }
}


/* The decision is complete and counted, the rule still held. */

void
ngx_constraint_feedback_ended(ngx_constraint_enforcement_t *e,
    uint64_t time_ns)
{
    ngx_uint_t                        adaptive;
    ngx_constraint_feedback_t        *feedback;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    adaptive = (state->limits->execution.set & NGX_CONSTRAINT_SET_ADAPTIVE)
               && e->decision.where != NGX_CONSTRAINT_WHERE_NONE;

    if (!state->entered && !adaptive) {
        return;
    }

    feedback = ngx_constraint_catalogue_state_lookup(state->rule);

    if (feedback == NULL) {
        return;
    }

    if (state->entered) {
        ngx_constraint_breaker_ended(e, feedback);
    }

    if (adaptive) {
        ngx_constraint_adaptive_ended(e, feedback, time_ns);
    }
}


/*
 * What was never run, and what ended in an error that is no violation, proves
 * nothing of the bounds: neither a violation nor a pass.  An error that the
 * request has caused is none of a constraint that works.
 */

static void
ngx_constraint_breaker_ended(ngx_constraint_enforcement_t *e,
    ngx_constraint_feedback_t *feedback)
{
    ngx_uint_t                        violated;
    ngx_constraint_decision_t        *d;
    ngx_constraint_breaker_e          to;
    ngx_constraint_enforcer_state_t  *state;

    d = &e->decision;
    state = e->state;

    state->entered = 0;

    violated = ngx_constraint_violated(d);

    if (!violated
        && (d->where == NGX_CONSTRAINT_WHERE_NONE
            || d->error != NGX_CONSTRAINT_E_NONE))
    {
        ngx_constraint_breaker_abandon(&feedback->breaker, state->probe);
        return;
    }

    to = ngx_constraint_breaker_leave(&feedback->breaker,
                                      &state->limits->breaker,
                                      ngx_constraint_now_ns() / 1000000,
                                      state->probe, violated);

    ngx_constraint_breaker_log(e, to);
}


/* Of a bound: who is not sampled has met none. */

static ngx_uint_t
ngx_constraint_violated(const ngx_constraint_decision_t *d)
{
    return d->error != NGX_CONSTRAINT_E_NONE
           && ngx_constraint_error_kind(d->error)
              == NGX_CONSTRAINT_ERROR_VIOLATION;
}


static void
ngx_constraint_adaptive_ended(ngx_constraint_enforcement_t *e,
    ngx_constraint_feedback_t *feedback, uint64_t time_ns)
{
    ngx_uint_t                        n;
    ngx_atomic_t                     *pieces[NGX_CONSTRAINT_ADAPTIVE_PIECES];
    ngx_constraint_rule_t            *rule;
    ngx_constraint_adaptive_t        *adaptive;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    rule = state->rule;
    adaptive = &feedback->adaptive;

    /* memory that was refused is asked for in the next window again */

    pieces[0] = ngx_constraint_catalogue_state_more(e->catalogue, rule,
                               ngx_constraint_adaptive_piece(time_ns),
                               ngx_constraint_adaptive_complete(adaptive));

    ngx_constraint_adaptive_count(adaptive, pieces[0], time_ns);

    if (!ngx_constraint_adaptive_due(adaptive, ngx_current_msec)) {
        return;
    }

    for (n = 0; n < NGX_CONSTRAINT_ADAPTIVE_PIECES; n++) {
        pieces[n] = ngx_constraint_catalogue_state_more(e->catalogue, rule,
                                                        n, 0);
    }

    (void) ngx_constraint_adaptive_learn(adaptive, pieces,
                                         ngx_constraint_worker.latency);
    ngx_constraint_adaptive_turn(adaptive, pieces, ngx_current_msec);
}


/* Nobody waits for it any more. */

void
ngx_constraint_feedback_abandon(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_feedback_t        *feedback;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (!state->entered || state->rule == NULL) {
        return;
    }

    state->entered = 0;

    feedback = ngx_constraint_catalogue_state_lookup(state->rule);

    if (feedback) {
        ngx_constraint_breaker_abandon(&feedback->breaker, state->probe);
    }
}
