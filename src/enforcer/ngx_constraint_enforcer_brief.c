
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The short way to an allow.  Decides nothing else: whatever is out of the
 * ordinary, be it an error, a deny or a wait, is left to the enforcement that
 * is made then and starts over.
 */


#include "ngx_constraint_evaluation.h"


/*
 * A rule that mostly says something else is asked here now and then only, as
 * what was evaluated for nothing is evaluated again.
 */

#define NGX_CONSTRAINT_BRIEF_HOPE   8
#define NGX_CONSTRAINT_BRIEF_EVERY  64


static ngx_int_t ngx_constraint_brief_evaluate(
    const ngx_constraint_asked_t *asked, ngx_constraint_brief_t *brief,
    ngx_constraint_rule_t *rule);
static ngx_uint_t ngx_constraint_brief_hopeless(ngx_constraint_rule_t *rule);
static void ngx_constraint_brief_know(ngx_constraint_rule_t *rule);
static ngx_uint_t ngx_constraint_brief_allows(
    const ngx_constraint_asked_t *asked, ngx_constraint_brief_t *brief,
    ngx_constraint_evaluation_t *ev, const workflow_t *workflow);
static ngx_int_t ngx_constraint_brief_keep(ngx_constraint_brief_t *brief,
    ngx_pool_t *pool, const char *path, size_t len);
static cel_value_t *ngx_constraint_brief_slots(
    ngx_constraint_evaluation_t *ev, ngx_constraint_facts_t *facts,
    const workflow_t *workflow);
static cel_status_t ngx_constraint_brief_fetch(void *ctx, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value) __attribute__((hot));


ngx_uint_t
ngx_constraint_may_be_brief(const ngx_constraint_settings_t *settings)
{
    return settings->limits == NULL && settings->inline_cost != 0
           && settings->offload != NGX_CONSTRAINT_OFFLOAD_ALWAYS;
}


ngx_int_t
ngx_constraint_allow_briefly(const ngx_constraint_asked_t *asked,
    ngx_constraint_brief_t *brief)
{
    uint64_t                 started, ended;
    ngx_int_t                rc;
    ngx_constraint_rule_t   *rule;
    ngx_constraint_facts_t  *facts;

    started = ngx_constraint_now_ns();

    brief->generation = ngx_constraint_catalogue_sync(asked->catalogue);

    if (brief->generation == 0) {
        return NGX_DECLINED;
    }

    rule = ngx_constraint_catalogue_peek(asked->catalogue,
                                         asked->message_type, asked->hash);

    if (rule == NULL) {
        return NGX_DECLINED;
    }

    if (!rule->brief.known) {
        ngx_constraint_brief_know(rule);
    }

    if (!rule->brief.possible || ngx_constraint_brief_hopeless(rule)) {
        return NGX_DECLINED;
    }

    facts = asked->facts;

    /* asked for before it is known to be needed: it costs no wait, or it is
     * the first thing that is */

    if (facts->input_lost
        || (!facts->input_ready
            && (rule->brief.first
                || (rule->brief.input && facts->input_near))))
    {
        return NGX_AGAIN;
    }

    rc = ngx_constraint_brief_evaluate(asked, brief, rule);

    if (rc != NGX_OK) {
        rule->brief.hope -= rc == NGX_DECLINED && rule->brief.hope > 0;
        return rc;
    }

    rule->brief.hope += rule->brief.hope < NGX_CONSTRAINT_BRIEF_HOPE;

    brief->message_type = asked->message_type;
    brief->revision = rule->record.revision;
    brief->workflow_revision = rule->workflow_revision;

    ended = ngx_constraint_now_ns() - started;
    brief->time_us = ended / 1000;

    ngx_constraint_catalogue_count_allow(asked->catalogue, rule, brief->cost,
                                         ended, brief->memory);

    return NGX_OK;
}


/* A rule is immutable: it is found out once. */

static void
ngx_constraint_brief_know(ngx_constraint_rule_t *rule)
{
    uint32_t           i, n;
    const ngx_str_t   *subject;
    const cel_slot_t  *slots;

    subject = &rule->record.subject_id;

    rule->brief.known = 1;
    rule->brief.hope = NGX_CONSTRAINT_BRIEF_HOPE;

    if (!rule->record.enabled || rule->limits || rule->workflow == NULL
        || subject->len != 1 || subject->data[0] != '*')
    {
        return;
    }

    slots = workflow_facts(rule->workflow, &n);

    for (i = 0; i < n; i++) {

        switch (slots[i]) {

        case WORKFLOW_FACT_INPUT:
            rule->brief.input = 1;
            break;

        /* these are an enforcement's */

        case WORKFLOW_FACT_SUBJECT_ID:
        case WORKFLOW_FACT_SUBJECT_ROLES:
        case WORKFLOW_FACT_SUBJECT_GROUPS:
        case WORKFLOW_FACT_SUBJECT_ATTRIBUTES:
        case WORKFLOW_FACT_CONSTRAINT_MESSAGE_TYPE:
        case WORKFLOW_FACT_CONSTRAINT_SUBJECT_ID:
        case WORKFLOW_FACT_CONSTRAINT_METADATA:
        case WORKFLOW_FACT_CONSTRAINT_REVISION:
        case WORKFLOW_FACT_NOW:
            return;

        default:
            break;
        }
    }

    rule->brief.first = workflow_first_fact(rule->workflow)
                        == WORKFLOW_FACT_INPUT;
    rule->brief.possible = 1;
}


static ngx_uint_t
ngx_constraint_brief_hopeless(ngx_constraint_rule_t *rule)
{
    if (rule->brief.hope) {
        return 0;
    }

    rule->brief.skipped++;

    return rule->brief.skipped % NGX_CONSTRAINT_BRIEF_EVERY != 0;
}


/*
 * Below the first look there is neither a clock nor a thread to ask, and no
 * deadline is that near.
 */

static ngx_int_t
ngx_constraint_brief_evaluate(const ngx_constraint_asked_t *asked,
    ngx_constraint_brief_t *brief, ngx_constraint_rule_t *rule)
{
    uint64_t                          limit;
    ngx_uint_t                        allowed;
    ngx_constraint_evaluation_t      *ev;
    ngx_constraint_failure_t         *failure;
    ngx_constraint_document_t        *document;
    const ngx_constraint_settings_t  *settings;

    settings = asked->settings;
    failure = asked->facts->failure;
    document = asked->facts->document;
    ev = &ngx_constraint_worker.evaluation;

    limit = ngx_min(settings->inline_cost, CEL_LOOK_EVERY - 1);

    if (settings->cost_limit) {
        limit = ngx_min(limit, settings->cost_limit);
    }

    cel_arena_init(&ev->arena, &ngx_constraint_allocator,
                   ngx_constraint_worker.scratch, NGX_CONSTRAINT_SCRATCH,
                   settings->memory_limit);

    ev->eval.arena = &ev->arena;
    ev->eval.max_regex = 0;
    ev->eval.fetch = ngx_constraint_brief_fetch;
    ev->eval.fetch_ctx = asked->facts;
    ev->eval.cost_limit = limit;
    ev->eval.deadline_ns = 0;
    ev->eval.cancel = NULL;
    ev->eval.look = NULL;
    ev->eval.nfacts = workflow_slots(rule->workflow);
    ev->eval.facts = ngx_constraint_brief_slots(ev, asked->facts,
                                                rule->workflow);

    ev->eval.need = CEL_NO_SLOT;

    failure->error = NGX_CONSTRAINT_E_NONE;

    allowed = ev->eval.facts != NULL
              && ngx_constraint_brief_allows(asked, brief, ev, rule->workflow)
              && failure->error == NGX_CONSTRAINT_E_NONE;

    brief->cost = ev->eval.cost;
    brief->memory = ev->arena.peak;

    cel_arena_reset(&ev->arena);

    if (allowed) {
        return NGX_OK;
    }

    /* an enforcement starts over, and is charged for what it parses */

    if (document == NULL) {
        ngx_constraint_facts_detach(asked->facts);
    }

    return ev->eval.need == WORKFLOW_FACT_INPUT && !asked->facts->input_ready
           ? NGX_AGAIN : NGX_DECLINED;
}


/* An allow, and nothing besides. */

static ngx_uint_t
ngx_constraint_brief_allows(const ngx_constraint_asked_t *asked,
    ngx_constraint_brief_t *brief, ngx_constraint_evaluation_t *ev,
    const workflow_t *workflow)
{
    size_t               len;
    const char          *path;
    workflow_run_t       run;
    workflow_verdict_t  *verdict;

    if (workflow_is_brief(workflow)) {
        ev->eval.cost = 0;
        ev->eval.next_look = 0;
        ev->eval.depth = 0;

        return workflow_allows(workflow, &ev->eval, &path, &len)
               && ngx_constraint_brief_keep(brief, asked->pool, path, len)
                  == NGX_OK;
    }

    cel_eval_init(&ev->eval);

    run.trace = NULL;
    run.trace_ctx = NULL;

    verdict = &ev->verdict;

    if (workflow_eval(workflow, &ev->eval, &run, verdict) != CEL_OK
        || verdict->effect != WORKFLOW_ALLOW
        || verdict->outcome_len != 5
        || ngx_memcmp(verdict->outcome, "ALLOW", 5) != 0
        || verdict->message || verdict->status
        || verdict->headers.kind != CEL_NULL
        || verdict->output.kind != CEL_NULL)
    {
        return 0;
    }

    return ngx_constraint_brief_keep(brief, asked->pool, verdict->rule,
                                     ngx_strlen(verdict->rule))
           == NGX_OK;
}


/* The workflow may be gone when somebody wants to know its rule. */

static ngx_int_t
ngx_constraint_brief_keep(ngx_constraint_brief_t *brief, ngx_pool_t *pool,
    const char *path, size_t len)
{
    brief->rule = brief->text;
    brief->rule_len = len;

    if (len > sizeof(brief->text)) {
        brief->rule = ngx_pnalloc(pool, len);
        if (brief->rule == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(brief->rule, path, len);

    return NGX_OK;
}


/*
 * NULL: nothing can be said.  Of a brief workflow those alone that it reads
 * are looked at.
 */

static cel_value_t *
ngx_constraint_brief_slots(ngx_constraint_evaluation_t *ev,
    ngx_constraint_facts_t *facts, const workflow_t *workflow)
{
    uint32_t           n;
    cel_value_t       *values;
    const cel_slot_t  *slots;

    values = cel_arena_alloc(&ev->arena, workflow_slots(workflow)
                                         * sizeof(cel_value_t) + 1);

    if (values == NULL || !workflow_is_brief(workflow)) {
        return values;
    }

    slots = workflow_facts(workflow, &n);

    return facts->give(facts, slots, n, values) == NGX_OK ? values : NULL;
}


/* What is no work of the event loop's is needed, and not given here. */

static cel_status_t
ngx_constraint_brief_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    ngx_constraint_facts_t  *facts = ctx;

    if (slot != WORKFLOW_FACT_INPUT) {
        return facts->fetch(facts, eval, slot, value);
    }

    if (!facts->input_ready) {
        return CEL_NEED;
    }

    if (facts->input.data == NULL) {
        *value = cel_null();
        return CEL_OK;
    }

    if (facts->document == NULL
        && facts->input.len > NGX_CONSTRAINT_PARSE_INLINE)
    {
        return CEL_NEED;
    }

    return ngx_constraint_fact_document(facts, eval, value);
}


ngx_uint_t
ngx_constraint_is_brief(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type)
{
    ngx_constraint_rule_t  *rule;

    if (ngx_constraint_catalogue_sync(catalogue) == 0) {
        return 0;
    }

    rule = ngx_constraint_catalogue_peek(catalogue, message_type,
                               ngx_constraint_catalogue_hash(message_type));

    return rule != NULL && rule->brief.known && rule->brief.possible;
}


ngx_int_t
ngx_constraint_brief_decision(const ngx_constraint_brief_t *brief,
    ngx_constraint_decision_t *d, ngx_pool_t *pool)
{
    d->rule.data = ngx_pnalloc(pool, brief->rule_len);
    if (d->rule.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(d->rule.data, brief->rule, brief->rule_len);
    d->rule.len = brief->rule_len;

    d->message_type = *brief->message_type;
    d->effect = NGX_CONSTRAINT_ALLOW;
    d->revision = brief->revision;
    d->workflow_revision = brief->workflow_revision;
    d->generation = brief->generation;
    d->cost = brief->cost;
    d->time_us = brief->time_us;
    d->memory = brief->memory;
    d->where = NGX_CONSTRAINT_WHERE_INLINE;

    ngx_str_set(&d->outcome, "ALLOW");

    return NGX_OK;
}
