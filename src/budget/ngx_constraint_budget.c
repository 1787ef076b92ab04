/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The budget of one evaluation: looks at time, memory and CPU, in that
 * order.  Reads clocks, takes no memory and no lock.
 */


#include "ngx_constraint_budget.h"


#define ngx_constraint_budget_bit(type)  (1u << (type))


static inline void ngx_constraint_budget_measure(
    ngx_constraint_budget_t *budget, const cel_arena_t *arena);
static __attribute__((noinline, cold)) cel_status_t
    ngx_constraint_budget_failed(ngx_constraint_budget_t *budget,
    cel_eval_t *eval, cel_status_t rc);
static __attribute__((noinline, cold)) void ngx_constraint_budget_cpu(
    ngx_constraint_budget_t *budget);
static cel_status_t ngx_constraint_budget_stop(
    ngx_constraint_budget_t *budget, cel_eval_t *eval);


void
ngx_constraint_budget_start(ngx_constraint_budget_t *budget, uint64_t now_ns)
{
    if (now_ns < budget->from_ns) {
        now_ns = budget->from_ns;
    }

    budget->last_ns = now_ns;
    budget->run_ns = now_ns;
    budget->cpu_run_ns = 0;
    budget->cpu_ns = 0;
    budget->memory = 0;
    budget->found = 0;
    budget->looks = 0;

    if (budget->cpu_shares >= 100
        || budget->share_ns == NGX_CONSTRAINT_BUDGET_NONE)
    {
        budget->cpu_allowed_ns = NGX_CONSTRAINT_BUDGET_NONE;
        budget->cpu_due_ns = NGX_CONSTRAINT_BUDGET_NONE;
        return;
    }

    budget->cpu_allowed_ns = budget->share_ns * budget->cpu_shares / 100;
    budget->cpu_due_ns = now_ns + budget->cpu_allowed_ns;

    if (budget->thread) {
        budget->cpu_run_ns = ngx_constraint_clock_thread_ns();
    }
}


cel_status_t
ngx_constraint_budget_look(void *ctx, cel_eval_t *eval)
{
    ngx_constraint_budget_t  *budget = ctx;

    ngx_constraint_budget_measure(budget, eval->arena);

    return budget->found ? ngx_constraint_budget_stop(budget, eval) : CEL_OK;
}


cel_status_t
ngx_constraint_budget_finish(ngx_constraint_budget_t *budget,
    cel_eval_t *eval, cel_status_t rc)
{
    if (rc == CEL_NEED || budget->found) {
        return rc;
    }

    ngx_constraint_budget_measure(budget, eval->arena);

    if (rc == CEL_OK && budget->found == 0) {
        return CEL_OK;
    }

    return ngx_constraint_budget_failed(budget, eval, rc);
}


/* It has failed, or was over a bound at its end. */

static cel_status_t
ngx_constraint_budget_failed(ngx_constraint_budget_t *budget,
    cel_eval_t *eval, cel_status_t rc)
{
    /* the bound that the arena holds is told by what it had to refuse */

    if (rc == CEL_ERROR && eval->error.kind == CEL_E_MEMORY
        && eval->arena->refused > budget->memory_limit)
    {
        budget->memory = eval->arena->refused;
        budget->found |=
                ngx_constraint_budget_bit(NGX_CONSTRAINT_VIOLATION_MEMORY);
    }

    if (budget->found == 0
        || (rc == CEL_ERROR && cel_error_is_fatal(eval->error.kind)))
    {
        return rc;
    }

    return ngx_constraint_budget_stop(budget, eval);
}


static inline void
ngx_constraint_budget_measure(ngx_constraint_budget_t *budget,
    const cel_arena_t *arena)
{
    uint64_t  now;

    budget->looks++;

    now = ngx_constraint_clock_ns();

    if (now > budget->last_ns) {
        budget->last_ns = now;
    }

    if (budget->last_ns - budget->from_ns > budget->allowed_ns) {
        budget->found |=
                ngx_constraint_budget_bit(NGX_CONSTRAINT_VIOLATION_TIMEOUT);
    }

    budget->memory = arena->peak;

    if (budget->memory > budget->memory_limit) {
        budget->found |=
                ngx_constraint_budget_bit(NGX_CONSTRAINT_VIOLATION_MEMORY);
    }

    if (budget->last_ns >= budget->cpu_due_ns) {
        ngx_constraint_budget_cpu(budget);
    }
}


/* So much time has passed that the allowance may be used up. */

static void
ngx_constraint_budget_cpu(ngx_constraint_budget_t *budget)
{
    budget->cpu_ns = budget->thread
                     ? ngx_constraint_clock_thread_ns() - budget->cpu_run_ns
                     : budget->last_ns - budget->run_ns;

    if (budget->cpu_ns > budget->cpu_allowed_ns
        || budget->cpu_allowed_ns == 0)
    {
        budget->found |=
                    ngx_constraint_budget_bit(NGX_CONSTRAINT_VIOLATION_CPU);
        return;
    }

    budget->cpu_due_ns = budget->last_ns
                         + (budget->cpu_allowed_ns - budget->cpu_ns) + 1;
}


static cel_status_t
ngx_constraint_budget_stop(ngx_constraint_budget_t *budget, cel_eval_t *eval)
{
    ngx_constraint_violations_t  violations;

    violations.count = 0;
    ngx_constraint_budget_violations(budget, &violations);

    switch (violations.items[0].type) {

    case NGX_CONSTRAINT_VIOLATION_TIMEOUT:
        return cel_eval_fail(eval, CEL_E_BUDGET, "the time of %llu us is "
                             "used up",
                             (unsigned long long) violations.items[0].allowed);

    case NGX_CONSTRAINT_VIOLATION_MEMORY:
        return cel_eval_fail(eval, CEL_E_BUDGET, "the memory of %llu bytes "
                             "is used up",
                             (unsigned long long) violations.items[0].allowed);

    default: /* NGX_CONSTRAINT_VIOLATION_CPU */
        return cel_eval_fail(eval, CEL_E_BUDGET, "the CPU time of %llu us is "
                             "used up",
                             (unsigned long long)
                             (budget->cpu_allowed_ns / 1000));
    }
}


/* What was used is rounded up: it never looks like what was allowed. */

void
ngx_constraint_budget_violations(const ngx_constraint_budget_t *budget,
    ngx_constraint_violations_t *violations)
{
    uint64_t  used;

    if (budget->found
        & ngx_constraint_budget_bit(NGX_CONSTRAINT_VIOLATION_TIMEOUT))
    {
        used = budget->last_ns - budget->from_ns;

        ngx_constraint_violation_add(violations,
                                     NGX_CONSTRAINT_VIOLATION_TIMEOUT,
                                     budget->allowed_ns / 1000,
                                     used / 1000 + (used % 1000 != 0));
    }

    if (budget->found
        & ngx_constraint_budget_bit(NGX_CONSTRAINT_VIOLATION_MEMORY))
    {
        ngx_constraint_violation_add(violations,
                                     NGX_CONSTRAINT_VIOLATION_MEMORY,
                                     budget->memory_limit, budget->memory);
    }

    if (budget->found
        & ngx_constraint_budget_bit(NGX_CONSTRAINT_VIOLATION_CPU))
    {
        used = (uint64_t) ((double) budget->cpu_ns * 100000
                           / (double) (budget->share_ns
                                       ? budget->share_ns : 1));

        ngx_constraint_violation_add(violations,
                                     NGX_CONSTRAINT_VIOLATION_CPU,
                                     budget->cpu_shares, used + 1);
    }
}
