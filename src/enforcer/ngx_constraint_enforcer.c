/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The enforcer's state machine: lookup, association, evaluation, and what
 * may come between them: a wait with its deadline.
 */


#include "ngx_constraint_evaluation.h"

#include <sys/random.h>


static ngx_int_t ngx_constraint_enforcement_start(
    ngx_constraint_enforcement_t *e);
static void ngx_constraint_pause(ngx_constraint_enforcement_t *e);
static void ngx_constraint_resume(ngx_constraint_enforcement_t *e);
static void ngx_constraint_timeout(ngx_event_t *ev);


ngx_constraint_worker_t  ngx_constraint_worker;


ngx_int_t
ngx_constraint_enforce(ngx_constraint_enforcement_t *e)
{
    ngx_int_t                         rc;
    ngx_constraint_enforcer_state_t  *state;

    /* also when the host has refused it already */

    if (e->decision.effect != NGX_CONSTRAINT_EFFECT_UNSET) {
        return NGX_OK;
    }

    if (e->state == NULL && ngx_constraint_enforcement_start(e) != NGX_OK) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_RESOURCE,
                            "no memory for an enforcement");
        return NGX_OK;
    }

    state = e->state;

    if (state->waiting) {
        return NGX_AGAIN;
    }

    if (state->paused_ns) {
        ngx_constraint_resume(e);
    }

    for ( ;; ) {

        switch (state->stage) {

        case NGX_CONSTRAINT_STAGE_LOOKUP:
            rc = ngx_constraint_lookup(e);
            break;

        case NGX_CONSTRAINT_STAGE_ASSOCIATE:
            ngx_constraint_associate(e);

            if (state->limits
                && (state->limits->execution.set & NGX_CONSTRAINT_SET_BREAKER)
                && state->stage == NGX_CONSTRAINT_STAGE_EVALUATE)
            {
                ngx_constraint_feedback_enter(e);
            }

            rc = NGX_OK;
            break;

        case NGX_CONSTRAINT_STAGE_EVALUATE:
            rc = ngx_constraint_evaluate(e);
            break;

        default: /* NGX_CONSTRAINT_STAGE_DONE */
            return NGX_OK;
        }

        if (rc == NGX_AGAIN) {
            state->waiting = 1;
        }

        if (rc == NGX_DECLINED && !e->facts->input_near) {
            ngx_constraint_pause(e);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static ngx_int_t
ngx_constraint_enforcement_start(ngx_constraint_enforcement_t *e)
{
    ngx_time_t                       *tp;
    ngx_constraint_enforcer_state_t  *state;

    state = e->room;

    if (state == NULL) {
        state = ngx_palloc(e->pool, sizeof(ngx_constraint_enforcer_state_t));
        if (state == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memzero(state, sizeof(ngx_constraint_enforcer_state_t));

    tp = ngx_timeofday();

    state->enforcement = e;
    state->started_ns = ngx_constraint_now_ns();
    state->now = cel_timestamp(tp->sec, tp->msec * 1000000);

    e->state = state;

    return NGX_OK;
}


/* Reading a body is the client's time: it counts for nothing of ours. */

static void
ngx_constraint_pause(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    ngx_constraint_disarm(e);

    state->paused_ns = ngx_constraint_now_ns();
    state->worked_ns += state->paused_ns - ngx_min(state->started_ns,
                                                  state->paused_ns);
    state->deadline_ns = 0;
    state->clocked = 0;
}


static void
ngx_constraint_resume(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    state->started_ns = ngx_constraint_now_ns();
    state->paused_ns = 0;
}


/*
 * The timer is what answers the caller in time, and what keeps a quitting
 * worker from ending under a suspended request.
 */

void
ngx_constraint_arm(ngx_constraint_enforcement_t *e)
{
    uint64_t                          now;
    ngx_msec_t                        left;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    now = ngx_constraint_now_ns();
    left = now < state->deadline_ns
           ? (ngx_msec_t) ((state->deadline_ns - now + 999999) / 1000000) : 0;

    state->timer.handler = ngx_constraint_timeout;
    state->timer.data = &ngx_constraint_worker.dummy;
    state->timer.log = ngx_cycle->log;

    ngx_add_timer(&state->timer, left);
}


void
ngx_constraint_disarm(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (state && state->timer.timer_set) {
        ngx_del_timer(&state->timer);
    }
}


static void
ngx_constraint_timeout(ngx_event_t *ev)
{
    ngx_constraint_enforcement_t     *e;
    ngx_constraint_enforcer_state_t  *state;

    state = (ngx_constraint_enforcer_state_t *)
            ((u_char *) ev - offsetof(ngx_constraint_enforcer_state_t,
                                      timer));
    e = state->enforcement;

    /* nginx's timers go by a clock that may be some ms behind */

    if (ngx_constraint_now_ns() < state->deadline_ns) {
        ngx_constraint_arm(e);
        return;
    }

    ngx_constraint_waiter_cancel(&state->waiter);
    ngx_constraint_evaluation_job_detach(e);

    /* a rule that is lent to a detached job lives until its completion */

    ngx_constraint_fail_deadline(e, "the deadline has passed");

    ngx_constraint_wake(e);
}


void
ngx_constraint_wake(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    state->waiting = 0;

    e->ready(e);
}


void
ngx_constraint_enforcement_detach(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (state == NULL) {
        return;
    }

    ngx_constraint_disarm(e);
    ngx_constraint_waiter_cancel(&state->waiter);
    ngx_constraint_evaluation_job_detach(e);
    ngx_constraint_feedback_abandon(e);
    ngx_constraint_release_rule(e);

    state->waiting = 0;
    state->stage = NGX_CONSTRAINT_STAGE_DONE;
}


ngx_constraint_failure_t *
ngx_constraint_worker_failure(void)
{
    return &ngx_constraint_worker.failure;
}


ngx_int_t
ngx_constraint_enforcer_init_process(ngx_cycle_t *cycle)
{
    ngx_constraint_worker_t  *worker;

    worker = &ngx_constraint_worker;

    ngx_memzero(worker, sizeof(ngx_constraint_worker_t));

    worker->dummy.fd = (ngx_socket_t) -1;

    worker->scratch = ngx_memalign(64, NGX_CONSTRAINT_SCRATCH, cycle->log);
    worker->parser = cel_json_parser_create();
    worker->latency = ngx_calloc(sizeof(ngx_constraint_histogram_t),
                                 cycle->log);

    if (worker->scratch == NULL || worker->parser == NULL
        || worker->latency == NULL)
    {
        return NGX_ERROR;
    }

    if (getrandom(worker->seed, sizeof(worker->seed), GRND_NONBLOCK)
        != sizeof(worker->seed))
    {
        worker->seed[0] = ngx_constraint_now_ns();
        worker->seed[1] = ((uint64_t) ngx_pid << 32) ^ ngx_time();
    }

    worker->sampler.state = worker->seed[0] ^ (worker->seed[1] << 1);

    return NGX_OK;
}


/* the pool threads have ended; completions do not come any more */

void
ngx_constraint_enforcer_exit_process(ngx_cycle_t *cycle)
{
    ngx_constraint_worker_t  *worker;

    worker = &ngx_constraint_worker;

    ngx_constraint_jobs_exit();

    cel_json_parser_destroy(worker->parser);

    ngx_free(worker->scratch);
    ngx_free(worker->latency);
    ngx_memzero(worker, sizeof(ngx_constraint_worker_t));
}
