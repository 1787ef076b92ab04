/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Evaluation: where it runs, and one run of a workflow with the rendering
 * of what it said.  Decides no effect.
 */


#include "ngx_constraint_evaluation.h"


static ngx_uint_t ngx_constraint_is_heavy(ngx_constraint_enforcement_t *e,
    ngx_constraint_rule_t *rule);
static ngx_uint_t ngx_constraint_is_light(const ngx_constraint_rule_t *rule,
    const cel_sizes_t *sizes, uint64_t limit);
static void ngx_constraint_note_light(ngx_constraint_rule_t *rule,
    const cel_sizes_t *sizes, uint64_t limit);
static ngx_uint_t ngx_constraint_reads_input(
    ngx_constraint_enforcer_state_t *state);
static ngx_uint_t ngx_constraint_has_input(const cel_slot_t *slots,
    uint32_t n);
static ngx_int_t ngx_constraint_evaluate_inline(
    ngx_constraint_enforcement_t *e);
static cel_status_t ngx_constraint_fetch(void *ctx, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value);
static void ngx_constraint_run_workflow(ngx_constraint_evaluation_t *ev);
static cel_status_t ngx_constraint_render(ngx_constraint_evaluation_t *ev,
    const cel_value_t *value, ngx_str_t *text);
static void ngx_constraint_trace(void *ctx, const char *path, uint32_t line,
    const cel_value_t *value, uint64_t cost, const cel_eval_t *eval);
static ngx_int_t ngx_constraint_trace_room(ngx_constraint_evaluation_t *ev,
    size_t need);
static void ngx_constraint_trace_add(ngx_constraint_evaluation_t *ev,
    const ngx_str_t *text, ngx_uint_t escape);


ngx_int_t
ngx_constraint_evaluate(ngx_constraint_enforcement_t *e)
{
    ngx_int_t                         rc;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    /* the rule may be another one than that which asked */

    if (e->facts->input_lost && !e->shadow) {
        return NGX_DECLINED;
    }

    if (state->rule->workflow == NULL) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_WORKFLOW, "%.*s",
                            (int) state->rule->error.len,
                            (char *) state->rule->error.data);
        return NGX_OK;
    }

    if (state->input_needed) {
        state->input_needed = 0;
        return NGX_DECLINED;
    }

    if (state->limits && state->limits->execution.sampling_rate < 1
        && ngx_constraint_sample_out(e) == NGX_OK)
    {
        return NGX_OK;
    }

    /* asked for before it is known to be needed: it costs no wait */

    if (e->facts->input_near && !e->facts->input_ready && !e->shadow
        && ngx_constraint_reads_input(state))
    {
        return NGX_DECLINED;
    }

    ngx_constraint_start_clock(e);

    state->capped = 0;

    if (!state->heavy && ngx_constraint_is_heavy(e, state->rule)) {

        /*
         * It may stop at once for an input that is still to be read, or the
         * index may skip most of it, and it need not go to a thread to find
         * that out.
         */

        state->capped = e->settings->offload == NGX_CONSTRAINT_OFFLOAD_AUTO
                        && ((!e->facts->input_ready
                             && ngx_constraint_reads_input(state))
                            || workflow_indexed(state->rule->workflow) != 0);

        state->heavy = !state->capped;
    }

    if (!state->heavy) {
        rc = ngx_constraint_evaluate_inline(e);

        if (rc != NGX_BUSY) {
            return rc;
        }

        /* met something that belongs in a thread */
    }

    /* a shadow cannot come back from its thread to ask for the input */

    if (e->shadow && !e->facts->input_ready
        && ngx_constraint_reads_input(state))
    {
        return NGX_DECLINED;
    }

    return ngx_constraint_evaluation_job(e);
}


static ngx_uint_t
ngx_constraint_reads_input(ngx_constraint_enforcer_state_t *state)
{
    uint32_t           n;
    const cel_slot_t  *slots;

    slots = workflow_facts(state->rule->workflow, &n);

    if (ngx_constraint_has_input(slots, n)) {
        return 1;
    }

    if (state->sampling == NULL) {
        return 0;
    }

    slots = cel_program_facts(state->sampling, &n);

    return ngx_constraint_has_input(slots, n);
}


static ngx_uint_t
ngx_constraint_has_input(const cel_slot_t *slots, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        if (slots[i] == WORKFLOW_FACT_INPUT) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_constraint_is_heavy(ngx_constraint_enforcement_t *e,
    ngx_constraint_rule_t *rule)
{
    uint64_t                          cost, limit;
    cel_sizes_t                       sizes;
    ngx_constraint_enforcer_state_t  *state;

    switch (e->settings->offload) {

    case NGX_CONSTRAINT_OFFLOAD_OFF:
        return 0;

    case NGX_CONSTRAINT_OFFLOAD_ALWAYS:
        return 1;

    default: /* NGX_CONSTRAINT_OFFLOAD_AUTO */
        break;
    }

    ngx_memzero(&sizes, sizeof(cel_sizes_t));
    e->facts->sizes(e->facts, &sizes);

    sizes.bytes[CEL_SIZE_HEADERS] += rule->record.metadata.len;

    state = e->state;
    limit = e->settings->inline_cost;

    if (state->sampling) {
        cost = cel_program_cost_max(state->sampling, &sizes);

        if (cost > limit) {
            return 1;
        }

        limit -= cost;
    }

    if (ngx_constraint_is_light(rule, &sizes, limit)) {
        return 0;
    }

    if (workflow_cost_max(rule->workflow, &sizes) > limit) {
        return 1;
    }

    ngx_constraint_note_light(rule, &sizes, limit);

    return 0;
}


/* The cost grows with every size: what is smaller than light is light. */

static ngx_uint_t
ngx_constraint_is_light(const ngx_constraint_rule_t *rule,
    const cel_sizes_t *sizes, uint64_t limit)
{
    ngx_uint_t  i;

    if (rule->light_cost == 0 || rule->light_cost > limit) {
        return 0;
    }

    for (i = 0; i < CEL_SIZE_CLASSES; i++) {
        if (sizes->bytes[i] > rule->light.bytes[i]) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_constraint_note_light(ngx_constraint_rule_t *rule,
    const cel_sizes_t *sizes, uint64_t limit)
{
    uint64_t     cost;
    ngx_uint_t   i;
    cel_sizes_t  largest;

    largest = *sizes;

    for (i = 0; i < CEL_SIZE_CLASSES; i++) {
        largest.bytes[i] = ngx_max(largest.bytes[i], rule->light.bytes[i]);
    }

    cost = workflow_cost_max(rule->workflow, &largest);

    if (cost <= limit) {
        rule->light = largest;
        rule->light_cost = ngx_max(cost, 1);
    }
}


/*
 * NGX_OK: complete; NGX_DECLINED: the input is needed; NGX_BUSY: this is for
 * a thread.  Nothing nests: no request is looked at while an evaluation runs,
 * so the worker's one arena and its one evaluation are free here.
 */

static ngx_int_t
ngx_constraint_evaluate_inline(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_evaluation_t      *ev;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    ev = &ngx_constraint_worker.evaluation;

    cel_arena_init(&ev->arena, &ngx_constraint_allocator,
                   ngx_constraint_worker.scratch, NGX_CONSTRAINT_SCRATCH,
                   ngx_constraint_memory_limit(e));

    ev->workflow = state->rule->workflow;
    ev->failure = e->facts->failure;
    ev->failure->error = NGX_CONSTRAINT_E_NONE;
    ev->explain = e->explain;
    ev->execute = e->execute;
    ev->budget = NULL;
    ev->sampling = state->sampling;

    ev->eval.arena = &ev->arena;
    ev->eval.max_regex = 0;
    ev->eval.fetch = ngx_constraint_fetch;
    ev->eval.fetch_ctx = e;
    ev->eval.cost_limit = e->settings->cost_limit;
    ev->eval.deadline_ns = state->deadline_ns;
    ev->eval.cancel = NULL;
    ev->eval.look = NULL;
    ev->eval.nfacts = workflow_slots(ev->workflow);
    ev->eval.facts = cel_arena_alloc(&ev->arena,
                                  ev->eval.nfacts * sizeof(cel_value_t) + 1);

    if (ev->eval.facts == NULL) {
        ngx_constraint_fail_memory(e, &ev->arena,
                                   "the facts are over the memory limit");
        cel_arena_reset(&ev->arena);
        return NGX_OK;
    }

    if (state->capped && (ev->eval.cost_limit == 0
                          || ev->eval.cost_limit > e->settings->inline_cost))
    {
        ev->eval.cost_limit = ngx_max(e->settings->inline_cost, 1);

    } else {
        state->capped = 0;
    }

    if (state->limits) {
        ev->sampling_rate = state->limits->execution.sampling_rate;
        ev->began_ns = state->loaded || e->decision.retries
                       ? 0 : state->started_ns;

        ngx_constraint_worker.budget.thread = 0;
        ngx_constraint_budget_prepare(e, ev, &ngx_constraint_worker.budget);
    }

    cel_eval_init(&ev->eval);
    ngx_constraint_run(ev);

    if (ev->status == CEL_ERROR && state->capped
        && ev->eval.error.kind == CEL_E_COST)
    {
        cel_arena_reset(&ev->arena);
        return NGX_BUSY;
    }

    if (ev->status == CEL_NEED
        && (state->heavy || !e->facts->input_ready))
    {
        cel_arena_reset(&ev->arena);
        return state->heavy ? NGX_BUSY : NGX_DECLINED;
    }

    e->decision.where = NGX_CONSTRAINT_WHERE_INLINE;

    if (ev->budget) {
        state->ended_ns = ev->budget->last_ns;
    }

    ngx_constraint_verdict(e, ev);
    cel_arena_reset(&ev->arena);

    return NGX_OK;
}


static cel_status_t
ngx_constraint_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    return ngx_constraint_fact(ctx, eval, slot, value);
}


/* In the event loop or in a thread: knows nothing but ev. */

void
ngx_constraint_run(ngx_constraint_evaluation_t *ev)
{
    ev->sampled_out = 0;
    ev->bad_output = 0;
    ev->verdict.rule = NULL;

    if (ev->budget == NULL) {
        ngx_constraint_run_workflow(ev);
        return;
    }

    ngx_constraint_budget_start(ev->budget,
                                ev->began_ns ? ev->began_ns
                                             : ngx_constraint_clock_ns());

    ngx_constraint_run_workflow(ev);

    ev->status = ngx_constraint_budget_finish(ev->budget, &ev->eval,
                                              ev->status);
}


static void
ngx_constraint_run_workflow(ngx_constraint_evaluation_t *ev)
{
    workflow_run_t  run;

    ngx_str_null(&ev->output);
    ngx_str_null(&ev->raw);
    ngx_str_null(&ev->trace);
    ev->trace_size = 0;
    ev->trace_omitted = 0;

    if (ev->sampling && !ngx_constraint_sample_key(ev)) {
        return;
    }

    run.trace = ev->explain ? ngx_constraint_trace : NULL;
    run.trace_ctx = ev;
    run.bad_output = false;
    ev->run = &run;

    ev->status = workflow_eval(ev->workflow, &ev->eval, &run, &ev->verdict);
    ev->bad_output = run.bad_output;

    if (ev->status != CEL_OK) {
        return;
    }

    if (ev->verdict.effect == WORKFLOW_NO_RESULT) {
        return;
    }

    if (ev->verdict.output.kind != CEL_NULL) {
        ev->status = ngx_constraint_render(ev, &ev->verdict.output,
                                           &ev->output);
        if (ev->status != CEL_OK) {
            return;
        }
    }

    if (ev->execute) {
        ev->status = ngx_constraint_render(ev, &ev->verdict.raw, &ev->raw);
    }
}


static cel_status_t
ngx_constraint_render(ngx_constraint_evaluation_t *ev,
    const cel_value_t *value, ngx_str_t *text)
{
    size_t         len;
    const char    *json;
    cel_status_t   rc;

    rc = cel_to_json(&ev->eval, value, &json, &len);

    if (rc == CEL_OK) {
        text->data = (u_char *) json;
        text->len = len;
    }

    return rc;
}


/* [{"path":..,"line":..,"cost":..,"value":..|"error":..},...] */

static void
ngx_constraint_trace(void *ctx, const char *path, uint32_t line,
    const cel_value_t *value, uint64_t cost, const cel_eval_t *eval)
{
    u_char                       *p, buf[128];
    ngx_str_t                     text;
    ngx_constraint_evaluation_t  *ev = ctx;

    /* room for one entry without its value, or the list ends here */

    if (ngx_constraint_trace_room(ev, 2048) != NGX_OK) {
        ev->trace_omitted++;
        return;
    }

    p = ngx_sprintf(buf, "%s{\"line\":%uD,\"cost\":%uL,\"path\":\"",
                    ev->trace.len > 1 ? "," : "", line, cost);
    text.data = buf;
    text.len = p - buf;
    ngx_constraint_trace_add(ev, &text, 0);

    text.data = (u_char *) path;
    text.len = ngx_min(ngx_strlen(path), NGX_CONSTRAINT_TRACE_PATH);
    ngx_constraint_trace_add(ev, &text, 1);

    if (value == NULL) {
        ngx_str_set(&text, "\",\"error\":\"");
        ngx_constraint_trace_add(ev, &text, 0);

        text.data = (u_char *) eval->error.message;
        text.len = ngx_min(ngx_strlen(eval->error.message), 160);
        ngx_constraint_trace_add(ev, &text, 1);

        ngx_str_set(&text, "\"}");
        ngx_constraint_trace_add(ev, &text, 0);
        return;
    }

    if (ev->run->skipped) {
        ngx_str_set(&text, "\",\"skipped\":true,\"value\":");

    } else {
        ngx_str_set(&text, "\",\"value\":");
    }

    ngx_constraint_trace_add(ev, &text, 0);

    if (ngx_constraint_render(ev, value, &text) != CEL_OK
        || ngx_constraint_trace_room(ev, text.len + 32) != NGX_OK)
    {
        ngx_str_set(&text, "null,\"omitted\":true");
    }

    ngx_constraint_trace_add(ev, &text, 0);

    ngx_str_set(&text, "}");
    ngx_constraint_trace_add(ev, &text, 0);
}


static ngx_int_t
ngx_constraint_trace_room(ngx_constraint_evaluation_t *ev, size_t need)
{
    size_t   size;
    u_char  *p;

    need += ev->trace.len + 32;

    if (need <= ev->trace_size) {
        return NGX_OK;
    }

    if (need > NGX_CONSTRAINT_TRACE_MAX) {
        return NGX_DECLINED;
    }

    size = ngx_max(ev->trace_size, NGX_CONSTRAINT_TRACE_MIN);

    while (size < need) {
        size *= 2;
    }

    p = cel_arena_alloc(&ev->arena, size);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    if (ev->trace.data) {
        ngx_memcpy(p, ev->trace.data, ev->trace.len);

    } else {
        p[0] = '[';
        ev->trace.len = 1;
    }

    ev->trace.data = p;
    ev->trace_size = size;

    return NGX_OK;
}


static void
ngx_constraint_trace_add(ngx_constraint_evaluation_t *ev,
    const ngx_str_t *text, ngx_uint_t escape)
{
    u_char  *p;

    p = ev->trace.data + ev->trace.len;

    if (escape) {
        p = ngx_constraint_json_escape(p, text);

    } else {
        p = ngx_cpymem(p, text->data, text->len);
    }

    ev->trace.len = p - ev->trace.data;
}


void
ngx_constraint_release_rule(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (state->rule && !state->lent) {
        ngx_constraint_catalogue_release(e->catalogue, state->rule);
    }

    state->rule = NULL;
    state->lent = 0;
}
