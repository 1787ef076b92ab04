/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * An evaluation in a pool thread: its facts are fetched and copied before
 * it is posted, and what it said is copied out when it is done.  The thread
 * sees the job and nothing else.
 */


#include "ngx_constraint_evaluation.h"


#define NGX_CONSTRAINT_JOB_BLOCK  8192


/*
 * In its own memory.  While it lives it holds the rule, so that a program
 * is not freed under the thread that runs it.
 */

struct ngx_constraint_evaluation_job_s {
    ngx_constraint_job_t           job;          /* first; owner: the
                                                  * enforcement */
    ngx_constraint_evaluation_t    evaluation;
    ngx_constraint_failure_t       failure;
    ngx_constraint_budget_t        budget;
    ngx_constraint_catalogue_t    *catalogue;
    ngx_constraint_rule_t         *rule;
    ngx_constraint_document_t     *document;
    ngx_str_t                      input;        /* still to be parsed */
    cel_error_t                  **errors;       /* of facts, by slot */
    ngx_uint_t                     nerrors;
    unsigned                       input_ready:1;
    unsigned                       allow_duplicates:1;
    ngx_pool_t                    *pool;         /* shadow: the
                                                  * enforcement's own */
    u_char                         block[NGX_CONSTRAINT_JOB_BLOCK];
};


static ngx_int_t ngx_constraint_job_prepare(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job);
static ngx_int_t ngx_constraint_job_facts(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job);
static ngx_int_t ngx_constraint_job_slots(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job, const cel_slot_t *slots,
    uint32_t n);
static ngx_int_t ngx_constraint_job_fact(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job, cel_slot_t slot);
static ngx_int_t ngx_constraint_job_input(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job);
static ngx_int_t ngx_constraint_job_error(
    ngx_constraint_evaluation_job_t *job, cel_slot_t slot);
static void ngx_constraint_job_thread(ngx_constraint_job_t *base);
static cel_status_t ngx_constraint_job_fetch(void *ctx, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value);
static void ngx_constraint_job_done(ngx_constraint_job_t *base);
static void ngx_constraint_job_return(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job);
static void ngx_constraint_job_destroyed(ngx_constraint_job_t *base);
static ngx_int_t ngx_constraint_shadow_move(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job);
static void ngx_constraint_shadow_ready(ngx_constraint_enforcement_t *e);


ngx_int_t
ngx_constraint_evaluation_job(ngx_constraint_enforcement_t *e)
{
    ngx_int_t                         rc;
    ngx_constraint_enforcer_state_t  *state;
    ngx_constraint_evaluation_job_t  *job;

    state = e->state;

    job = (ngx_constraint_evaluation_job_t *)
          ngx_constraint_job_create(sizeof(ngx_constraint_evaluation_job_t),
                                    ngx_cycle->log);
    if (job == NULL) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_RESOURCE,
                            "no memory for a job");
        return NGX_OK;
    }

    e->decision.where = NGX_CONSTRAINT_WHERE_THREAD;

    if (ngx_constraint_job_prepare(e, job) != NGX_OK) {
        ngx_constraint_fail_memory(e, &job->evaluation.arena,
                                   "the facts are over the memory limit");
        ngx_constraint_job_destroy(&job->job);
        return NGX_OK;
    }

    if (e->shadow && !state->alone
        && ngx_constraint_shadow_move(e, job) != NGX_OK)
    {
        ngx_constraint_job_destroy(&job->job);
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_RESOURCE,
                            "no memory for a job");
        return NGX_OK;
    }

    rc = ngx_constraint_job_post(&job->job, e->settings->thread_pool,
                                 &ngx_constraint_worker.pending,
                                 e->settings->max_pending);

    if (rc != NGX_OK) {
        ngx_constraint_job_destroy(&job->job);

        if (rc == NGX_BUSY) {
            if (ngx_constraint_retry(e) == NGX_AGAIN) {
                return NGX_AGAIN;
            }

            ngx_constraint_fail(e, NGX_CONSTRAINT_E_QUEUE_FULL,
                                "the queue of evaluations is full");

        } else {
            ngx_constraint_fail(e, NGX_CONSTRAINT_E_INTERNAL,
                                "there is no thread pool");
        }

        return NGX_OK;
    }

    /* the rule is the job's from here on */

    job->rule = state->rule;
    job->catalogue = e->catalogue;

    if (job->pool) {
        state->rule = NULL;
        e->decision.pending = 1;
        e->decision.shadow = 1;
        e->decision.effect = NGX_CONSTRAINT_ALLOW;
        state->stage = NGX_CONSTRAINT_STAGE_DONE;
        return NGX_OK;
    }

    state->job = job;
    state->lent = 1;

    ngx_constraint_arm(e);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_constraint_job_prepare(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job)
{
    ngx_constraint_evaluation_t      *ev;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    ev = &job->evaluation;

    job->job.run_thread = ngx_constraint_job_thread;
    job->job.done = ngx_constraint_job_done;
    job->job.destroy = ngx_constraint_job_destroyed;
    job->job.owner = e;
    job->job.deadline_ns = state->deadline_ns;

    cel_arena_init(&ev->arena, &ngx_constraint_allocator, job->block,
                   NGX_CONSTRAINT_JOB_BLOCK, ngx_constraint_memory_limit(e));

    ev->workflow = state->rule->workflow;
    ev->failure = &job->failure;
    ev->explain = e->explain;
    ev->execute = e->execute;
    ev->sampling = state->sampling;

    ev->eval.arena = &ev->arena;
    ev->eval.fetch = ngx_constraint_job_fetch;
    ev->eval.fetch_ctx = job;
    ev->eval.cost_limit = e->settings->cost_limit;
    ev->eval.deadline_ns = state->deadline_ns;
    ev->eval.cancel = &job->job.cancel;
    ev->eval.nfacts = workflow_slots(ev->workflow);
    ev->eval.facts = cel_arena_alloc(&ev->arena,
                                  ev->eval.nfacts * sizeof(cel_value_t) + 1);

    if (ev->eval.facts == NULL) {
        return NGX_ERROR;
    }

    cel_eval_init(&ev->eval);

    if (ngx_constraint_job_facts(e, job) != NGX_OK) {
        return NGX_ERROR;
    }

    if (state->limits) {
        ev->sampling_rate = state->limits->execution.sampling_rate;

        job->budget.thread = 1;
        ngx_constraint_budget_prepare(e, ev, &job->budget);
    }

    /* what fetching cost is not the workflow's */

    ev->eval.cost = 0;
    ev->eval.next_look = 0;
    ngx_memzero(&ev->eval.error, sizeof(cel_error_t));

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_job_facts(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job)
{
    uint32_t           n, nkey;
    const cel_slot_t  *slots, *key;

    key = NULL;
    nkey = 0;

    slots = workflow_facts(job->evaluation.workflow, &n);

    if (job->evaluation.sampling) {
        key = cel_program_facts(job->evaluation.sampling, &nkey);
    }

    job->nerrors = n ? slots[n - 1] + 1 : 0;

    if (nkey && key[nkey - 1] >= job->nerrors) {
        job->nerrors = key[nkey - 1] + 1;
    }

    job->errors = cel_arena_alloc(&job->evaluation.arena,
                                  (job->nerrors + 1) * sizeof(cel_error_t *));
    if (job->errors == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(job->errors, job->nerrors * sizeof(cel_error_t *));

    if (ngx_constraint_job_slots(e, job, slots, n) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_constraint_job_slots(e, job, key, nkey);
}


static ngx_int_t
ngx_constraint_job_slots(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job, const cel_slot_t *slots, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {

        if (job->evaluation.eval.facts[slots[i]].kind != CEL_UNFETCHED
            || job->errors[slots[i]])
        {
            continue;
        }

        if (slots[i] == WORKFLOW_FACT_INPUT) {
            if (ngx_constraint_job_input(e, job) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (ngx_constraint_job_fact(e, job, slots[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A fact that cannot be given is an error only for who reads it. */

static ngx_int_t
ngx_constraint_job_fact(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job, cel_slot_t slot)
{
    cel_eval_t                    *eval;
    cel_value_t                    value;
    cel_status_t                   rc;
    ngx_constraint_table_t        *copy;
    const ngx_constraint_table_t  *table;

    eval = &job->evaluation.eval;

    rc = e->facts->table(e->facts, eval, slot, &table);

    if (rc == CEL_OK) {
        copy = ngx_constraint_table_copy(table, eval->arena);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        copy->failure = &job->failure;
        eval->facts[slot] = cel_object(&copy->object);

        return NGX_OK;
    }

    if (rc == CEL_NOT_FOUND) {
        e->facts->failure->error = NGX_CONSTRAINT_E_NONE;

        rc = ngx_constraint_fact(e, eval, slot, &value);

        if (rc == CEL_OK) {
            rc = ngx_constraint_cel_copy(eval, eval->arena, &value,
                                         &eval->facts[slot]);
        }
    }

    if (rc == CEL_OK) {
        return NGX_OK;
    }

    eval->facts[slot].kind = CEL_UNFETCHED;

    return ngx_constraint_job_error(job, slot);
}


static ngx_int_t
ngx_constraint_job_error(ngx_constraint_evaluation_job_t *job,
    cel_slot_t slot)
{
    cel_eval_t  *eval;

    eval = &job->evaluation.eval;

    if (cel_error_is_fatal(eval->error.kind)) {
        return NGX_ERROR;
    }

    job->errors[slot] = cel_arena_alloc(eval->arena, sizeof(cel_error_t));
    if (job->errors[slot] == NULL) {
        return NGX_ERROR;
    }

    *job->errors[slot] = eval->error;

    return NGX_OK;
}


/* a parsed document is shared, text is copied and parsed in the thread */

static ngx_int_t
ngx_constraint_job_input(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job)
{
    u_char                  *p;
    ngx_constraint_facts_t  *facts;

    facts = e->facts;

    job->input_ready = facts->input_ready;
    job->allow_duplicates = facts->allow_duplicates;

    if (!facts->input_ready || facts->input.data == NULL
        || job->document || job->input.data)
    {
        return NGX_OK;
    }

    if (facts->document) {
        job->document = facts->document;
        job->document->refs++;
        return NGX_OK;
    }

    p = cel_arena_alloc(&job->evaluation.arena, facts->input.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, facts->input.data, facts->input.len);

    job->input.data = p;
    job->input.len = facts->input.len;

    return NGX_OK;
}


static void
ngx_constraint_job_thread(ngx_constraint_job_t *base)
{
    uint64_t                      began;
    ngx_constraint_evaluation_t  *ev;

    ev = &((ngx_constraint_evaluation_job_t *) base)->evaluation;
    began = ngx_constraint_clock_thread_ns();

    ngx_constraint_run(ev);

    ev->cpu_ns = ngx_constraint_clock_thread_ns() - began;
}


static cel_status_t
ngx_constraint_job_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    cel_error_t                      *error;
    cel_json_parser_t                *parser;
    ngx_constraint_evaluation_job_t  *job = ctx;

    if (slot != WORKFLOW_FACT_INPUT) {
        error = slot < job->nerrors ? job->errors[slot] : NULL;

        if (error == NULL) {
            return cel_eval_fail(eval, CEL_E_FACT, "a fact is not given");
        }

        return ngx_constraint_fact_fail(&job->failure, eval,
                                        error->host_code
                                        ? error->host_code
                                        : NGX_CONSTRAINT_E_EVALUATION,
                                        "%s", error->message);
    }

    if (!job->input_ready) {
        return CEL_NEED;
    }

    if (job->document == NULL && job->input.data == NULL) {
        *value = cel_null();
        return CEL_OK;
    }

    if (job->document == NULL) {

        if (cel_arena_charge(eval->arena, cel_json_memory(job->input.len))
            != CEL_OK)
        {
            return cel_eval_fail(eval, CEL_E_MEMORY,
                                 "an input of %zu bytes is over the memory "
                                 "limit", job->input.len);
        }

        parser = cel_json_parser_create();

        job->document = ngx_constraint_document_parse(parser, &job->input,
                                                      job->allow_duplicates,
                                                      &job->failure);
        if (parser) {
            cel_json_parser_destroy(parser);
        }

        if (job->document == NULL) {
            return ngx_constraint_fact_fail(&job->failure, eval,
                                            job->failure.error, "%s",
                                            job->failure.message);
        }
    }

    *value = cel_json_root(job->document->json);

    return CEL_OK;
}


static void
ngx_constraint_job_done(ngx_constraint_job_t *base)
{
    ngx_constraint_enforcement_t     *e;
    ngx_constraint_evaluation_t      *ev;
    ngx_constraint_evaluation_job_t  *job;

    job = (ngx_constraint_evaluation_job_t *) base;
    e = base->owner;
    ev = &job->evaluation;

    ngx_constraint_disarm(e);
    ngx_constraint_job_return(e, job);

    if (base->expired) {
        ngx_constraint_fail_deadline(e, "the deadline has passed in the "
                                        "queue");

    } else if (ev->status != CEL_NEED || job->input_ready) {
        ngx_constraint_verdict(e, ev);
    }

    /* otherwise the input is needed: the owner asks again */

    ngx_constraint_wake(e);
}


/* What the job had of the enforcement goes back, parsed input included. */

static void
ngx_constraint_job_return(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    state->job = NULL;
    state->rule = job->rule;
    state->lent = 0;
    job->rule = NULL;

    if (e->facts && e->facts->document == NULL && job->document) {
        e->facts->document = job->document;
        job->document = NULL;
    }

    if (job->evaluation.status == CEL_NEED && !job->input_ready) {
        state->input_needed = 1;
    }
}


static void
ngx_constraint_job_destroyed(ngx_constraint_job_t *base)
{
    ngx_constraint_evaluation_job_t  *job;

    job = (ngx_constraint_evaluation_job_t *) base;

    cel_arena_reset(&job->evaluation.arena);
    ngx_constraint_document_release(job->document);

    if (job->rule) {
        ngx_constraint_catalogue_release(job->catalogue, job->rule);
    }

    if (job->pool) {
        ngx_destroy_pool(job->pool);
    }
}


void
ngx_constraint_evaluation_job_detach(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (state->job == NULL) {
        return;
    }

    /* the thread may still read the document, nobody else may then */

    if (e->facts && e->facts->document) {
        ngx_constraint_facts_detach(e->facts);
    }

    ngx_constraint_job_detach(&state->job->job);

    state->job = NULL;
}


/*
 * A shadow evaluation goes on when its request has ended: the enforcement
 * moves to a pool of its own, which the job destroys.
 */

static ngx_int_t
ngx_constraint_shadow_move(ngx_constraint_enforcement_t *e,
    ngx_constraint_evaluation_job_t *job)
{
    ngx_pool_t                       *pool;
    ngx_constraint_enforcement_t     *own;
    ngx_constraint_enforcer_state_t  *state;

    pool = ngx_create_pool(2048, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    job->pool = pool;

    own = ngx_pcalloc(pool, sizeof(ngx_constraint_enforcement_t));
    state = ngx_pcalloc(pool, sizeof(ngx_constraint_enforcer_state_t));

    if (own == NULL || state == NULL) {
        return NGX_ERROR;
    }

    /* one id for whoever is told of it */

    (void) ngx_constraint_decision_id(&e->decision);

    *own = *e;
    *state = *(ngx_constraint_enforcer_state_t *) e->state;

    own->facts = NULL;
    own->pool = pool;
    own->log = ngx_cycle->log;
    own->ready = ngx_constraint_shadow_ready;
    own->state = state;
    own->room = NULL;
    own->message_type.data = ngx_pstrdup(pool, &e->message_type);
    own->subject.data = ngx_pstrdup(pool, &e->subject);

    if (own->message_type.data == NULL || own->subject.data == NULL
        || (e->traceparent.len
            && (own->traceparent.data = ngx_pstrdup(pool, &e->traceparent))
               == NULL))
    {
        return NGX_ERROR;
    }

    if (ngx_constraint_limits_move(e, state, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    state->enforcement = own;
    state->rule = NULL;
    state->alone = 1;

    ngx_memzero(&state->timer, sizeof(ngx_event_t));
    ngx_memzero(&state->waiter, sizeof(ngx_constraint_waiter_t));

    job->job.owner = own;

    return NGX_OK;
}


static void
ngx_constraint_shadow_ready(ngx_constraint_enforcement_t *e)
{
    if (e->decision.effect == NGX_CONSTRAINT_EFFECT_UNSET) {

        /* the input is needed, and there is no request to read it from */

        ngx_constraint_release_rule(e);
        return;
    }

    ngx_constraint_decision_log(&e->decision, e->pool, e->log,
                                e->settings->log_level);

    if (e->decided) {
        e->decided(e);
    }
}
