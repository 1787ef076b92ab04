
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_breaker.h - a circuit breaker: too many violations within a
 * window open it, after a while a few probes are let by, and they close it or
 * open it again.  Tells what holds; what a decision is then is not its own.
 *
 *            violations within window_ms >= violations
 *   CLOSED ----------------------------------------------> OPEN
 *      ^                                                  |    ^
 *      | half_open_probes probes             open_ms have |    | a probe
 *      | without a violation                 passed       v    | violates
 *      +---------------------------------------------- HALF OPEN
 *
 * The state is one word that all workers change by compare and swap, so that
 * each transition is made by one of them, and a half-open period lets by
 * exactly half_open_probes probes.  A probe that never tells (its worker was
 * killed) is made up for: after another open_ms the period begins anew.
 *
 * The window slides in 32 steps: a violation counts for at least window_ms
 * less a 32nd, and at most for window_ms.  One that is counted by another
 * window_ms than the last begins the window anew.
 *
 * Time is ngx_constraint_now_ns() / 1000000: monotonic, one for all
 * processes of the machine.  Where it steps backwards all the same, a breaker
 * is open for no longer than twice open_ms, and violations that are of a time
 * to come count as long as they are nearer than the window is wide.  Any
 * thread; no lock.
 */


#ifndef _NGX_CONSTRAINT_BREAKER_H_INCLUDED_
#define _NGX_CONSTRAINT_BREAKER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_constraint_execution.h"


#define NGX_CONSTRAINT_BREAKER_STEPS  32


typedef enum {
    NGX_CONSTRAINT_BREAKER_CLOSED = 0,
    NGX_CONSTRAINT_BREAKER_OPEN,
    NGX_CONSTRAINT_BREAKER_HALF_OPEN,
    NGX_CONSTRAINT_BREAKER_STATES
} ngx_constraint_breaker_e;


/* In shared memory; zeroed = closed. */

typedef struct {
    ngx_atomic_t       word;         /* state, probes, since */
    ngx_atomic_t       steps[NGX_CONSTRAINT_BREAKER_STEPS];
    ngx_atomic_t       step_ms;      /* of the window they are of */
    ngx_atomic_t       transitions[NGX_CONSTRAINT_BREAKER_STATES]; /* to */
} ngx_constraint_breaker_t;


/* A probe that was let by; 0 = none */

typedef uint64_t  ngx_constraint_probe_t;


/*
 * May an evaluation run:
 *   NGX_OK        it may; *probe is to be told about when it has run
 *   NGX_DECLINED  the breaker is open
 * *to is the state it has just been brought to by this call (log it), or
 * NGX_CONSTRAINT_BREAKER_STATES.
 */
ngx_int_t ngx_constraint_breaker_enter(ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t now_ms,
    ngx_constraint_probe_t *probe, ngx_constraint_breaker_e *to);

/*
 * An evaluation that was let by has ended.  Returns the state this brought
 * the breaker to (log it), or NGX_CONSTRAINT_BREAKER_STATES.
 */
ngx_constraint_breaker_e ngx_constraint_breaker_leave(
    ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t now_ms,
    ngx_constraint_probe_t probe, ngx_uint_t violated);

/* It was not run after all, or nobody waits for it any more: another probe
 * may be let by in its place. */
void ngx_constraint_breaker_abandon(ngx_constraint_breaker_t *breaker,
    ngx_constraint_probe_t probe);

/* Closes it and forgets its window: 1 if it was not closed. */
ngx_uint_t ngx_constraint_breaker_reset(ngx_constraint_breaker_t *breaker,
    uint64_t now_ms);


typedef struct {
    ngx_constraint_breaker_e  state;
    uint64_t                  since_ms;   /* how long it has been in it, or
                                           * in this half-open period */
    uint64_t                  violations; /* in the window */
    ngx_uint_t                probes;     /* let by */
    ngx_uint_t                passed;     /* of those */
    uint64_t                  transitions[NGX_CONSTRAINT_BREAKER_STATES];
} ngx_constraint_breaker_status_t;

void ngx_constraint_breaker_status(ngx_constraint_breaker_t *breaker,
    uint64_t now_ms, ngx_constraint_breaker_status_t *status);

/* "closed", "open", "half_open" */
const char *ngx_constraint_breaker_name(ngx_constraint_breaker_e state);


#endif /* _NGX_CONSTRAINT_BREAKER_H_INCLUDED_ */
