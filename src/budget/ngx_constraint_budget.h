
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_budget.h - what one evaluation may use, and the looks at
 * what it has used: wall time, memory, CPU.  Stops the evaluation through
 * its eval; what a stop means for the request is not told here.
 *
 *   fill the upper part -> start -> eval->look = ngx_constraint_budget_look
 *       -> evaluate -> finish -> violations
 *
 * A budget belongs to one evaluation and is used by the thread that runs it;
 * no lock, no memory of its own.  A look is one reading of the clock; the CPU
 * clock of a thread, which costs a system call, is read only when so much
 * time has passed since it was read last that the allowance may be used up,
 * since no thread uses more CPU than time.
 */


#ifndef _NGX_CONSTRAINT_BUDGET_H_INCLUDED_
#define _NGX_CONSTRAINT_BUDGET_H_INCLUDED_


#include "cel.h"
#include "ngx_constraint_violation.h"


#define NGX_CONSTRAINT_BUDGET_NONE  UINT64_MAX


typedef struct {
    /* in: nanoseconds of ngx_constraint_clock_ns() */
    uint64_t    from_ns;            /* wall time counts from here */
    uint64_t    allowed_ns;         /* of wall time, or NONE */
    uint64_t    share_ns;           /* what cpu_shares are of, less than
                                     * 2^57, or NONE */
    uint64_t    memory_limit;       /* bytes, or NONE */
    uint32_t    cpu_shares;         /* percent, 100 and more: no limit */
    uint32_t    thread;             /* has a CPU clock; in the event loop
                                     * the time since start is the CPU time */

    /* private */
    uint64_t    last_ns;            /* the clock never goes back here */
    uint64_t    run_ns;             /* started */
    uint64_t    cpu_run_ns;         /* CPU clock then */
    uint64_t    cpu_due_ns;         /* earliest end of the allowance */
    uint64_t    cpu_allowed_ns;

    /* out: as measured by the last look */
    uint64_t    cpu_ns;
    uint64_t    memory;
    uint32_t    found;              /* bits of ngx_constraint_violation_e */
    uint32_t    looks;
} ngx_constraint_budget_t;

_Static_assert(sizeof(ngx_constraint_budget_t) <= 128,
               "a budget fits two cache lines");


/* Microseconds of the configuration to nanoseconds; 0 = unlimited = NONE. */

static inline uint64_t
ngx_constraint_budget_ns(uint64_t us)
{
    return us ? us * 1000 : NGX_CONSTRAINT_BUDGET_NONE;
}


/*
 * The run begins, at now_ns; reads the thread's CPU clock if it will be
 * needed.  In the thread that runs.
 */
void ngx_constraint_budget_start(ngx_constraint_budget_t *budget,
    uint64_t now_ns);

/*
 * For cel_eval_t.look, ctx is the budget: CEL_OK, or CEL_ERROR of the kind
 * CEL_E_BUDGET.  All bounds are looked at, so that several may be found.
 */
cel_status_t ngx_constraint_budget_look(void *ctx, cel_eval_t *eval);

/*
 * The evaluation has ended, as rc says.  What ended too late, without a look
 * in between, is a violation as well; an evaluation that was stopped for its
 * memory or its cost is looked at once more.  Returns rc, or CEL_ERROR of
 * the kind CEL_E_BUDGET.
 */
cel_status_t ngx_constraint_budget_finish(ngx_constraint_budget_t *budget,
    cel_eval_t *eval, cel_status_t rc);

/* What was found by the last look: adds to violations. */
void ngx_constraint_budget_violations(const ngx_constraint_budget_t *budget,
    ngx_constraint_violations_t *violations);


/* The clocks: monotonic, and CPU of the calling thread; in a file apart. */
uint64_t ngx_constraint_clock_ns(void);
uint64_t ngx_constraint_clock_thread_ns(void);


#endif /* _NGX_CONSTRAINT_BUDGET_H_INCLUDED_ */
