
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_evaluation.h - private to src/enforcer: one evaluation, the
 * state of one enforcement, and what the files of the room give each other.
 */


#ifndef _NGX_CONSTRAINT_EVALUATION_H_INCLUDED_
#define _NGX_CONSTRAINT_EVALUATION_H_INCLUDED_


/* nginx's settings of libc come before any header of libc */

#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_constraint_budget.h"
#include "ngx_constraint_enforcer.h"
#include "ngx_constraint_retry.h"
#include "ngx_constraint_sampling.h"


/* a document longer than this is parsed in a thread */
#define NGX_CONSTRAINT_PARSE_INLINE  65536

/* the first block of an inline evaluation, one per worker */
#define NGX_CONSTRAINT_SCRATCH       65536

/* text of explain: at first, and at most */
#define NGX_CONSTRAINT_TRACE_MIN     4096
#define NGX_CONSTRAINT_TRACE_MAX     65536
#define NGX_CONSTRAINT_TRACE_PATH    640       /* 32 nested rules fit */


/*
 * One run of a workflow: everything it reads and writes, so that it can run
 * in the event loop or in a thread.  Results are in the arena.
 */
typedef struct {
    const workflow_t           *workflow;
    cel_arena_t                 arena;
    cel_eval_t                  eval;
    ngx_constraint_failure_t   *failure;
    ngx_constraint_budget_t    *budget;         /* NULL: none */
    const cel_program_t        *sampling;       /* key of it, NULL: none */
    double                      sampling_rate;
    uint64_t                    began_ns;       /* 0: when it begins */
    unsigned                    explain:1;
    unsigned                    execute:1;      /* wants the raw result */

    /* results */
    uint64_t                    cpu_ns;         /* in a thread */
    unsigned                    sampled_out:1;
    cel_status_t                status;
    ngx_uint_t                  bad_output;
    workflow_verdict_t          verdict;
    ngx_str_t                   output;
    ngx_str_t                   raw;
    ngx_str_t                   trace;
    size_t                      trace_size;
    uint32_t                    trace_omitted; /* entries without room */
    const workflow_run_t       *run;            /* while it is traced */
} ngx_constraint_evaluation_t;


typedef struct ngx_constraint_evaluation_job_s
    ngx_constraint_evaluation_job_t;


typedef enum {
    NGX_CONSTRAINT_STAGE_LOOKUP = 0,
    NGX_CONSTRAINT_STAGE_ASSOCIATE,
    NGX_CONSTRAINT_STAGE_EVALUATE,
    NGX_CONSTRAINT_STAGE_DONE
} ngx_constraint_stage_e;


/* In the enforcement's pool. */

typedef struct {
    ngx_constraint_enforcement_t     *enforcement;
    ngx_constraint_stage_e            stage;
    unsigned                          heavy:1;     /* go to a thread */
    unsigned                          capped:1;    /* inline, up to
                                                    * inline_cost */
    unsigned                          waiting:1;   /* NGX_AGAIN was said */
    unsigned                          lent:1;      /* the rule, to the job,
                                                    * which gives it back or
                                                    * releases it */
    unsigned                          input_needed:1; /* a job stopped */
    unsigned                          loaded:1;    /* it was waited for */
    unsigned                          clocked:1;   /* the deadline stands */
    unsigned                          sampled:1;   /* drawn */
    unsigned                          entered:1;   /* the breaker let it by */
    unsigned                          stateless:1; /* it has none, counted */
    unsigned                          alone:1;     /* shadow: in a pool of
                                                    * its own */
    ngx_constraint_rule_t            *rule;
    ngx_constraint_evaluation_job_t  *job;
    uint64_t                          started_ns;
    uint64_t                          paused_ns;   /* the input is read */
    uint64_t                          worked_ns;   /* before that */
    uint64_t                          ended_ns;    /* 0: it is now */
    uint64_t                          loading_ns;  /* of that, at first */
    uint64_t                          from_ns;     /* of the deadline */
    uint64_t                          deadline_ns; /* 0 = not running yet */
    const ngx_constraint_limits_t    *limits;      /* effective, or NULL */
    const cel_program_t              *sampling;    /* key, to be evaluated */
    ngx_constraint_probe_t            probe;       /* of a breaker */
    cel_value_t                       now;
    ngx_constraint_waiter_t           waiter;
    ngx_event_t                       timer;
} ngx_constraint_enforcer_state_t;

_Static_assert(sizeof(ngx_constraint_enforcer_state_t)
               <= NGX_CONSTRAINT_STATE_SIZE, "the room for a state");


/* lookup.c: NGX_OK, NGX_AGAIN */
ngx_int_t ngx_constraint_lookup(ngx_constraint_enforcement_t *e);
void ngx_constraint_associate(ngx_constraint_enforcement_t *e);

/* evaluate.c: NGX_OK, NGX_AGAIN, NGX_DECLINED */
ngx_int_t ngx_constraint_evaluate(ngx_constraint_enforcement_t *e);
void ngx_constraint_run(ngx_constraint_evaluation_t *ev);
void ngx_constraint_release_rule(ngx_constraint_enforcement_t *e);

/* job.c: NGX_OK (a failure, complete), NGX_AGAIN */
ngx_int_t ngx_constraint_evaluation_job(ngx_constraint_enforcement_t *e);
void ngx_constraint_evaluation_job_detach(ngx_constraint_enforcement_t *e);

/* facts.c */
cel_status_t ngx_constraint_fact(ngx_constraint_enforcement_t *e,
    cel_eval_t *eval, cel_slot_t slot, cel_value_t *value);

/* the input, which is there and is no null; parsed on the event loop */
cel_status_t ngx_constraint_fact_document(ngx_constraint_facts_t *facts,
    cel_eval_t *eval, cel_value_t *value) __attribute__((hot));

/* input.c: parses; NULL with *failure.  Any thread, its own parser. */
ngx_constraint_document_t *ngx_constraint_document_parse(
    cel_json_parser_t *parser, const ngx_str_t *text,
    ngx_uint_t allow_duplicates, ngx_constraint_failure_t *failure)
    __attribute__((hot));
void ngx_constraint_document_release(ngx_constraint_document_t *document);

/* verdict.c: from a finished evaluation to the decision, complete */
void ngx_constraint_verdict(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev);
void ngx_constraint_fail(ngx_constraint_enforcement_t *e,
    ngx_constraint_error_e error, const char *fmt, ...) __attribute__((cold));
void ngx_constraint_complete(ngx_constraint_enforcement_t *e);

void ngx_constraint_sampled_out(ngx_constraint_enforcement_t *e);

/* enforce.c: the timer of a suspended enforcement */
void ngx_constraint_arm(ngx_constraint_enforcement_t *e);
void ngx_constraint_disarm(ngx_constraint_enforcement_t *e);
void ngx_constraint_wake(ngx_constraint_enforcement_t *e);

/* budget.c */
void ngx_constraint_limits_bind(ngx_constraint_enforcement_t *e);
void ngx_constraint_observe(ngx_constraint_enforcement_t *e);
ngx_int_t ngx_constraint_limits_move(ngx_constraint_enforcement_t *e,
    ngx_constraint_enforcer_state_t *state, ngx_pool_t *pool);
void ngx_constraint_start_clock(ngx_constraint_enforcement_t *e);
size_t ngx_constraint_memory_limit(ngx_constraint_enforcement_t *e);
void ngx_constraint_budget_prepare(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_t *ev, ngx_constraint_budget_t *budget);
ngx_int_t ngx_constraint_sample_out(ngx_constraint_enforcement_t *e);
ngx_uint_t ngx_constraint_sample_key(ngx_constraint_evaluation_t *ev);
ngx_constraint_violations_t *ngx_constraint_decision_violations(
    ngx_constraint_enforcement_t *e);
void ngx_constraint_violate(ngx_constraint_enforcement_t *e,
    ngx_constraint_violation_e type, uint64_t allowed, uint64_t actual)
    __attribute__((cold));
void ngx_constraint_fail_deadline(ngx_constraint_enforcement_t *e,
    const char *message) __attribute__((cold));
void ngx_constraint_fail_memory(ngx_constraint_enforcement_t *e,
    const cel_arena_t *arena, const char *message) __attribute__((cold));
ngx_int_t ngx_constraint_retry(ngx_constraint_enforcement_t *e);

/* feedback.c: breakers and adaptive limits; state->limits is set and has
 * one of them */
void ngx_constraint_feedback_bind(ngx_constraint_enforcement_t *e);
void ngx_constraint_feedback_enter(ngx_constraint_enforcement_t *e);
void ngx_constraint_feedback_ended(ngx_constraint_enforcement_t *e,
    uint64_t time_ns);
void ngx_constraint_feedback_abandon(ngx_constraint_enforcement_t *e);


/* Of the worker: made in init_process. */

typedef struct {
    ngx_constraint_failure_t     failure;      /* of the evaluation */
    cel_json_parser_t           *parser;
    void                        *scratch;
    ngx_constraint_evaluation_t  evaluation;   /* the inline one */
    ngx_constraint_budget_t      budget;       /* of it */
    ngx_constraint_sampler_t     sampler;
    ngx_constraint_histogram_t  *latency;      /* scratch */
    ngx_uint_t                   pending;      /* jobs */
    uint64_t                     seed[2];      /* of decision ids */
    ngx_connection_t             dummy;        /* of timers, fd -1 */
} ngx_constraint_worker_t;

extern ngx_constraint_worker_t  ngx_constraint_worker;


#endif /* _NGX_CONSTRAINT_EVALUATION_H_INCLUDED_ */
