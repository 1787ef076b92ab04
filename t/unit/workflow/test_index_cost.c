
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What the index saves, in cost units: thousands of rules cost what a few do,
 * parts in common are computed once; and what it must not do to save them.
 */


#include <stdarg.h>
#include <stdlib.h>
#include "compile.h"


typedef struct {
    cel_object_t          object;
    const char           *key;          /* of x-k, NULL: not there */
} headers_t;


typedef struct {
    headers_t             headers;
    uint32_t              asked[WORKFLOW_FACT_COUNT];
    cel_status_t          rc;
    uint64_t              cost;
    uint32_t              skipped;
    uint32_t              listed;
    char                  rule[64];
    char                  outcome[64];
    char                  error[256];
} seen_t;


static uint32_t
headers_size(const cel_object_t *o)
{
    return ((const headers_t *) o)->key != NULL;
}


static cel_status_t
headers_get(const cel_object_t *o, cel_eval_t *eval, const cel_value_t *key,
    cel_value_t *value)
{
    const headers_t  *h;

    h = (const headers_t *) o;

    if (h->key == NULL || key->len != 3 || memcmp(key->s, "x-k", 3) != 0) {
        return CEL_NOT_FOUND;
    }

    *value = cel_string(h->key, strlen(h->key));

    return CEL_OK;
}


static cel_status_t
headers_entry(const cel_object_t *o, cel_eval_t *eval, uint32_t i,
    cel_value_t *key, cel_value_t *value)
{
    *key = cel_string("x-k", 3);

    return headers_get(o, eval, key, value);
}


static const cel_object_ops_t  headers_ops = {
    CEL_MAP, headers_size, headers_get, headers_entry
};


static cel_status_t
fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    seen_t  *seen;

    seen = ctx;
    seen->asked[slot]++;

    switch (slot) {

    case WORKFLOW_FACT_REQUEST_METHOD:
        *value = cel_string("GET", 3);
        return CEL_OK;

    case WORKFLOW_FACT_REQUEST_PATH:
        *value = cel_string("/abc", 4);
        return CEL_OK;

    case WORKFLOW_FACT_REQUEST_HEADERS:
        *value = cel_object(&seen->headers.object);
        return CEL_OK;

    case WORKFLOW_FACT_SOURCE_PORT:
        *value = cel_int(7);
        return CEL_OK;

    default:
        return cel_eval_fail(eval, CEL_E_FACT, "%s is not there",
                             workflow_fact_name(slot));
    }
}


static void
trace(void *ctx, const char *path, uint32_t line, const cel_value_t *value,
    uint64_t cost, const cel_eval_t *eval)
{
    ((seen_t *) ctx)->listed++;
}


static void
trace_skipped(void *ctx, const char *path, uint32_t line,
    const cel_value_t *value, uint64_t cost, const cel_eval_t *eval)
{
    workflow_run_t  *run;
    seen_t          *seen;

    seen = ctx;
    trace(ctx, path, line, value, cost, eval);

    run = *(workflow_run_t **) (seen + 1);
    seen->skipped += run->skipped && value->kind == CEL_BOOL && !value->b;
}


static void
evaluate(const workflow_t *workflow, const char *key, bool traced,
    seen_t *seen)
{
    cel_eval_t          eval;
    cel_arena_t         arena;
    workflow_run_t      run;
    workflow_verdict_t  verdict;

    struct {
        seen_t           seen;
        workflow_run_t  *run;
    } both;

    memset(&both, 0, sizeof(both));
    memset(&eval, 0, sizeof(cel_eval_t));
    memset(&run, 0, sizeof(workflow_run_t));

    both.run = &run;
    both.seen.headers.object.ops = &headers_ops;
    both.seen.headers.key = key;

    run.trace = traced ? trace_skipped : NULL;
    run.trace_ctx = &both;

    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 1 << 22);

    eval.arena = &arena;
    eval.nfacts = workflow_slots(workflow);
    eval.facts = cel_arena_alloc(&arena, eval.nfacts * sizeof(cel_value_t));
    eval.fetch = fetch;
    eval.fetch_ctx = &both.seen;

    cel_eval_init(&eval);

    both.seen.rc = workflow_eval(workflow, &eval, &run, &verdict);
    both.seen.cost = eval.cost;

    snprintf(both.seen.rule, sizeof(both.seen.rule), "%s",
             verdict.rule != NULL ? verdict.rule : "-");
    snprintf(both.seen.outcome, sizeof(both.seen.outcome), "%.*s",
             (int) verdict.outcome_len,
             verdict.outcome != NULL ? verdict.outcome : "");

    if (both.seen.rc == CEL_ERROR) {
        snprintf(both.seen.error, sizeof(both.seen.error), "%u:%u %s",
                 eval.error.line, eval.error.column, eval.error.message);
    }

    *seen = both.seen;

    cel_arena_reset(&arena);
}


/* rules from a format with one %u, the rule's number, twice at most */

static char *
rules(uint32_t n, const char *condition)
{
    FILE      *f;
    char      *text;
    size_t     len;
    uint32_t   i;

    f = open_memstream(&text, &len);

    fprintf(f, "name: x\nrule:\n  match:\n");

    for (i = 0; i < n; i++) {
        fprintf(f, "    - condition: \"");
        fprintf(f, condition, i, i);
        fprintf(f, "\"\n      output: \"'R%u'\"\n", i);
    }

    fclose(f);

    return text;
}


static workflow_t *
compile_rules(uint32_t n, const char *condition)
{
    char        *text;
    workflow_t  *workflow;

    text = rules(n, condition);
    workflow = compile_text(text, false);
    free(text);

    return workflow;
}


static void
test_size(const char *condition, const char *key, const char *outcome)
{
    char         expected[64];
    seen_t       few, many;
    workflow_t  *workflow;

    workflow = compile_rules(10, condition);
    evaluate(workflow, key, false, &few);
    workflow_destroy(workflow);

    workflow = compile_rules(10000, condition);
    evaluate(workflow, key, false, &many);

    is_int(workflow_indexed(workflow), 10000, "indexed: %s", condition);
    is_int(many.cost, few.cost, "10,000 rules cost the units of 10");

    snprintf(expected, sizeof(expected), "%s", outcome);
    is_str(many.outcome, expected, "and decide as they do");
    is_str(few.outcome, expected, "as 10 do");

    ok(workflow_memory(workflow) < 30 * 1000 * 1000,
       "in less than 3 KB a rule");

    workflow_destroy(workflow);
}


static void
test_sizes(void)
{
    test_size("request.headers['x-k'] == 'v%u'", "v7", "R7");
    test_size("'v%u' == request.headers['x-k'] && source.port == 7", "v9",
              "R9");
    test_size("request.headers['x-k'] in ['a%u', 'b%u']", "b3", "R3");
    test_size("source.port == %u", NULL, "R7");
    test_size("request.method == 'GET' && source.port == %u", NULL, "R7");
    test_size("source.port == -%u || source.port == %u", NULL, "R7");
    test_size("request.path.endsWith('c') && source.port == %u", NULL, "R7");
    test_size("request.headers['x-k'] == 'v%u'", "nobody", "");
}


/* What fails, fails where it does without an index. */

static void
test_missing(void)
{
    char        *text;
    seen_t       a, b;
    workflow_t  *plain, *indexed;

    text = rules(100, "request.headers['x-k']   == 'v%u' && "
                      "source.port == -%u - 1");
    plain = compile_text(text, true);
    indexed = compile_text(text, false);

    evaluate(plain, NULL, false, &a);
    evaluate(indexed, NULL, false, &b);

    is_int(workflow_indexed(plain), 0, "a plain workflow has no index");
    is_int(workflow_indexed(indexed), 100, "the other one has");
    is_int(b.rc, CEL_OK, "an absent header is absorbed by what is false");
    is_int(a.rc, CEL_OK, "as in plain order");

    workflow_destroy(plain);
    workflow_destroy(indexed);
    free(text);

    text = rules(100, "request.headers['x-k'] == 'v%u'");
    plain = compile_text(text, true);
    indexed = compile_text(text, false);

    evaluate(plain, NULL, false, &a);
    evaluate(indexed, NULL, false, &b);

    is_int(b.rc, CEL_ERROR, "an absent header is an error");
    is_str(b.error, a.error, "the same one at the same place");
    is_str(b.rule, "rule.match[0]", "of the first match that reads it");

    workflow_destroy(plain);
    workflow_destroy(indexed);
    free(text);
}


/* A comparison that is not reached asks for nothing. */

static void
test_unasked(void)
{
    seen_t       seen;
    workflow_t  *workflow;

    workflow = compile_rules(100, "request.method == 'POST' && "
                                  "input.type == 't%u'");
    evaluate(workflow, NULL, false, &seen);

    is_int(workflow_indexed(workflow), 100, "a body is compared by 100");
    is_int(seen.rc, CEL_OK, "no POST");
    is_int(seen.asked[WORKFLOW_FACT_REQUEST_METHOD], 1,
           "the method is asked for once");
    is_int(seen.asked[WORKFLOW_FACT_INPUT], 0, "the body is not");

    workflow_destroy(workflow);
}


/* What explain lists. */

static void
test_explain(void)
{
    seen_t       seen;
    workflow_t  *workflow;

    workflow = compile_rules(100, "request.headers['x-k'] == 'v%u'");
    evaluate(workflow, "v40", true, &seen);

    is_int(seen.listed, 41, "all conditions up to the one that decides");
    is_int(seen.skipped, 40, "those before it as skipped and false");

    workflow_destroy(workflow);
}


/* A part that conditions have in common is computed once. */

static void
test_shared(void)
{
    seen_t       seen;
    uint64_t     two, many;
    workflow_t  *workflow;

    workflow = compile_rules(2, "request.path.matches('^/[a-c]+$') && "
                                "request.path > '/x%u'");
    evaluate(workflow, NULL, false, &seen);
    two = seen.cost;

    is_int(workflow_shared(workflow), 1, "one part of two conditions");
    workflow_destroy(workflow);

    workflow = compile_rules(202, "request.path.matches('^/[a-c]+$') && "
                                  "request.path > '/x%u'");
    evaluate(workflow, NULL, false, &seen);
    many = seen.cost;
    workflow_destroy(workflow);

    ok(many - two <= 200 * 8, "200 more conditions cost 8 units each at "
       "most, the pattern is not matched again: %lu, %lu",
       (unsigned long) two, (unsigned long) many);
}


/* Many things that are compared, and nothing that is. */

static void
test_hostile(void)
{
    seen_t       seen;
    workflow_t  *workflow;
    cel_sizes_t  sizes;

    memset(&sizes, 0, sizeof(cel_sizes_t));
    sizes.bytes[CEL_SIZE_HEADERS] = 1024;

    workflow = compile_rules(10000, "has(request.headers.x%u) && "
                                    "request.headers['x%u'] == 'v'");
    evaluate(workflow, "v", false, &seen);

    is_int(workflow_indexed(workflow), 0, "10,000 things compared once each");
    is_int(seen.rc, CEL_OK, "are evaluated");
    ok(workflow_slots(workflow) <= WORKFLOW_FACT_COUNT + 64,
       "with few slots");
    ok(seen.cost <= workflow_cost_max(workflow, &sizes),
       "within the estimate");
    workflow_destroy(workflow);

    workflow = compile_rules(5000, "request.path.contains('%u') && "
                                   "request.path.contains('%u')");
    evaluate(workflow, NULL, false, &seen);

    ok(workflow_shared(workflow) >= 8 && workflow_shared(workflow) <= 64,
       "5,000 pairs: slots for a few of them");
    is_int(seen.rc, CEL_OK, "all are evaluated");
    workflow_destroy(workflow);
}


int
main(int argc, char **argv)
{
    test_sizes();
    test_missing();
    test_unasked();
    test_explain();
    test_shared();
    test_hostile();

    return done_testing();
}
