/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * fuzz_workflow.c - one workflow document, from text to verdict.  Facts are a
 * few fixed ones.
 */


#include "fuzz_workflow.h"
#include "workflow_facts.h"


/* nginx.var('x') */

#define WORKFLOW_SLOT_VAR    WORKFLOW_FACT_COUNT
#define WORKFLOW_FIRST_SLOT  (WORKFLOW_FACT_COUNT + 1)


static const char  workflow_body[] =
    "{\"policy\":{\"type\":\"ACCESS\",\"value\":7,\"list\":[1,2,3]},"
    "\"name\":\"a\",\"id\":1.5,\"none\":null}";


static cel_status_t
workflow_resolve(void *ctx, const char *literal, size_t len, cel_slot_t *slot,
    char message[CEL_MESSAGE_MAX])
{
    if (len == 1 && *literal == 'x') {
        *slot = WORKFLOW_SLOT_VAR;
        return CEL_OK;
    }

    snprintf(message, CEL_MESSAGE_MAX, "not listed");

    return CEL_ERROR;
}


static cel_status_t
workflow_declare(void *ctx, cel_env_t *env)
{
    if (workflow_facts_declare(env) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_env_declare_resolver(env, "nginx.var", workflow_resolve, NULL);
}


static const workflow_options_t  workflow_options = {
    .allocator = &cel_allocator_libc,
    .declare = workflow_declare,
    .first_slot = WORKFLOW_FIRST_SLOT
};


static cel_status_t
workflow_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    const char             *type;
    const cel_json_t       *json = ctx;
    const workflow_fact_t  *fact;

    static const cel_value_t  names[] = {
        { .kind = CEL_STRING, .len = 5, .s = "x-org" },
        { .kind = CEL_STRING, .len = 4, .s = "acme" }
    };

    fact = workflow_fact(slot);
    type = fact != NULL ? fact->type : "string";

    if (strcmp(type, "string") == 0) {
        *value = cel_string("/api/a", 6);

    } else if (strcmp(type, "int") == 0) {
        *value = cel_int(8080);

    } else if (strcmp(type, "bool") == 0) {
        *value = cel_bool(true);

    } else if (strncmp(type, "map", 3) == 0) {
        return cel_map(eval->arena, names, 1, value);

    } else if (strncmp(type, "list", 4) == 0) {
        return cel_list(eval->arena, names, 2, value);

    } else if (strcmp(type, "dyn") == 0) {
        *value = cel_json_root(json);

    } else {
        *value = cel_timestamp(1700000000, 0);
    }

    return CEL_OK;
}


static void
workflow_told(const workflow_issues_t *issues)
{
    uint32_t                 i;
    const workflow_issue_t  *issue;

    if (issues->count == 0 || issues->count > WORKFLOW_ISSUES_MAX
        || issues->total < issues->count)
    {
        fuzz_fail("refused with %u issues of %u", issues->count,
                  issues->total);
    }

    for (i = 0; i < issues->count; i++) {
        issue = &issues->items[i];

        if (issue->message[0] == '\0'
            || memchr(issue->message, '\0', CEL_MESSAGE_MAX) == NULL
            || memchr(issue->path, '\0', WORKFLOW_PATH_MAX) == NULL
            || memchr(issue->excerpt, '\0', WORKFLOW_EXCERPT_MAX) == NULL)
        {
            fuzz_fail("issue %u says \"%.100s\"", i, issue->message);
        }
    }
}


static void
workflow_verdict(const workflow_t *workflow, cel_status_t rc,
    const workflow_run_t *run, const workflow_verdict_t *verdict)
{
    if (rc != CEL_OK && verdict->effect != WORKFLOW_NO_RESULT) {
        fuzz_fail("an error with effect %d", verdict->effect);
    }

    if (rc == CEL_OK && verdict->effect == WORKFLOW_NO_RESULT
        && verdict->rule != NULL)
    {
        fuzz_fail("%s gives no effect", verdict->rule);
    }

    if (rc == CEL_OK && verdict->effect != WORKFLOW_NO_RESULT
        && (verdict->rule == NULL || verdict->outcome == NULL))
    {
        fuzz_fail("an effect of no rule or no outcome");
    }

    if (verdict->status != 0
        && (verdict->status < 400 || verdict->status > 599))
    {
        fuzz_fail("status %u", verdict->status);
    }

    if (run->bad_output && rc == CEL_OK) {
        fuzz_fail("a bad output is no error");
    }
}


static uint64_t
workflow_evaluate(const workflow_t *workflow, cel_json_t *json)
{
    cel_eval_t           eval;
    cel_sizes_t          sizes;
    cel_arena_t          arena;
    cel_status_t         rc;
    workflow_run_t       run;
    workflow_verdict_t   verdict;

    memset(&eval, 0, sizeof(eval));
    memset(&run, 0, sizeof(run));
    memset(&verdict, 0, sizeof(verdict));
    memset(&sizes, 0, sizeof(sizes));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0,
                   FUZZ_WORKFLOW_MEMORY);

    eval.arena = &arena;
    eval.nfacts = workflow_slots(workflow);
    eval.facts = malloc((eval.nfacts + 1) * sizeof(cel_value_t));
    eval.cost_limit = FUZZ_WORKFLOW_COST;
    eval.fetch = workflow_fetch;
    eval.fetch_ctx = json;
    cel_eval_init(&eval);

    rc = workflow_eval(workflow, &eval, &run, &verdict);

    if (rc != CEL_OK && rc != CEL_ERROR) {
        fuzz_fail("evaluation gives %d, slot %u", rc, eval.need);
    }

    workflow_verdict(workflow, rc, &run, &verdict);

    sizes.bytes[CEL_SIZE_HEADERS] = 100;
    sizes.bytes[CEL_SIZE_BODY] = sizeof(workflow_body);

    if (eval.cost > workflow_cost_max(workflow, &sizes)
        && !(rc == CEL_ERROR && eval.error.kind == CEL_E_COST))
    {
        fuzz_fail("%llu units, at most %llu were said",
                  (unsigned long long) eval.cost, (unsigned long long)
                  workflow_cost_max(workflow, &sizes));
    }

    if (rc == CEL_OK && eval.cost < workflow_cost_min(workflow)) {
        fuzz_fail("%llu units, at least %llu were said",
                  (unsigned long long) eval.cost,
                  (unsigned long long) workflow_cost_min(workflow));
    }

    if (arena.peak > FUZZ_WORKFLOW_MEMORY) {
        fuzz_fail("%zu bytes of arena", arena.peak);
    }

    free(eval.facts);
    cel_arena_reset(&arena);

    return rc == CEL_ERROR && cel_error_is_fatal(eval.error.kind)
           ? FUZZ_WORKFLOW_COST : eval.cost;
}


/* Documents are stored as JSON, and compiled from that. */

static void
workflow_stored(const char *text, size_t len, workflow_format_t format,
    const workflow_t *workflow)
{
    char               *stored;
    size_t              n;
    workflow_t         *again;
    workflow_issues_t   issues;

    memset(&issues, 0, sizeof(issues));

    stored = workflow_to_json(text, len, format, &n, &issues);

    if (stored == NULL) {
        if (workflow != NULL) {
            fuzz_fail("compiles and cannot be stored: %s",
                      issues.items[0].message);
        }

        workflow_told(&issues);
        return;
    }

    memset(&issues, 0, sizeof(issues));

    again = workflow_compile(stored, n, WORKFLOW_JSON, &workflow_options,
                             &issues);

    if ((again == NULL) != (workflow == NULL)) {
        fuzz_fail("as it is stored it %s: %s",
                  again == NULL ? "does not compile" : "compiles",
                  issues.items[0].message);
    }

    if (again != NULL
        && (strcmp(workflow_name(again, &n), workflow_name(workflow, &n)) != 0
            || workflow_rules(again) != workflow_rules(workflow)
            || workflow_slots(again) != workflow_slots(workflow)))
    {
        fuzz_fail("as it is stored it is another");
    }

    workflow_destroy(again);
    free(stored);
}


uint64_t
fuzz_workflow(const char *text, size_t len, workflow_format_t format)
{
    uint64_t            work;
    cel_json_t         *json;
    workflow_t         *workflow;
    cel_error_t         error;
    workflow_issues_t   issues;
    cel_json_parser_t  *parser;

    memset(&issues, 0, sizeof(issues));
    work = 0;

    workflow = workflow_compile(text, len, format, &workflow_options,
                                &issues);

    workflow_stored(text, len, format, workflow);

    if (workflow == NULL) {
        workflow_told(&issues);
        return 0;
    }

    parser = cel_json_parser_create();
    json = cel_json_parse(parser, workflow_body, sizeof(workflow_body) - 1,
                          NULL, &error);

    work = workflow_evaluate(workflow, json);

    if (workflow_evaluate(workflow, json) != work) {
        fuzz_fail("another cost the second time");
    }

    cel_json_destroy(json);
    cel_json_parser_destroy(parser);
    workflow_destroy(workflow);

    return work;
}
