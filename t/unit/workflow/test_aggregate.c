
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Aggregates: what one costs beside what was promised, a fact that comes
 * late, memory that runs out, and that none decides a request.
 */


#include <stdlib.h>
#include "tap.h"
#include "workflow.h"


static bool  late;


static cel_status_t
declare(void *ctx, cel_env_t *env)
{
    return cel_env_declare(env, "n", "int", 0, CEL_SIZE_SMALL, 0);
}


static cel_status_t
fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    if (late) {
        late = false;
        eval->need = slot;
        return CEL_NEED;
    }

    *value = cel_int(*(int64_t *) ctx);

    return CEL_OK;
}


static workflow_t *
compile(const char *text, bool any_output, workflow_issues_t *issues)
{
    workflow_options_t  options;

    memset(&options, 0, sizeof(workflow_options_t));

    options.declare = declare;
    options.first_slot = 1;
    options.any_output = any_output;

    return workflow_compile(text, strlen(text), WORKFLOW_YAML, &options,
                            issues);
}


/* how long the list is, or what else came */

static cel_error_t  error;              /* of the evaluation before */


static int
evaluate(const workflow_t *workflow, int64_t n, size_t memory,
    workflow_verdict_t *verdict, bool *within)
{
    int             count;
    cel_eval_t      eval;
    cel_value_t     facts[8];
    cel_arena_t     arena;
    cel_sizes_t     sizes;
    cel_status_t    rc;
    workflow_run_t  run;

    memset(&eval, 0, sizeof(cel_eval_t));
    memset(&run, 0, sizeof(workflow_run_t));
    memset(&sizes, 0, sizeof(cel_sizes_t));
    memset(facts, 0, sizeof(facts));

    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, memory);

    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = workflow_slots(workflow);
    eval.fetch = fetch;
    eval.fetch_ctx = &n;

    cel_eval_init(&eval);

    rc = workflow_eval(workflow, &eval, &run, verdict);

    error = eval.error;
    count = rc == CEL_OK ? (int) cel_size(&verdict->raw) : -(int) rc - 100;
    *within = eval.cost <= workflow_cost_max(workflow, &sizes)
              && (rc != CEL_OK || eval.cost >= workflow_cost_min(workflow));

    cel_arena_reset(&arena);

    return count;
}


/* whatever finds no room says which limit there is */

static void
check_memory(const workflow_t *workflow)
{
    int                 wrong, failed;
    bool                within;
    char                expected[64];
    size_t              memory;
    workflow_verdict_t  verdict;

    wrong = 0;
    failed = 0;

    for (memory = 16; memory < 65536; memory += 16) {
        if (evaluate(workflow, 9, memory, &verdict, &within) >= 0) {
            break;
        }

        snprintf(expected, sizeof(expected),
                 "memory limit of %zu bytes exceeded, ", memory);

        failed++;
        wrong += error.kind != CEL_E_MEMORY
                 || strncmp(error.message, expected, strlen(expected)) != 0;
    }

    ok(memory < 65536 && failed > 3, "%d limits are too small", failed);
    is_int(wrong, 0, "each is named");
}


static void
check_outputs(void)
{
    int                  i;
    bool                 within;
    workflow_t          *workflow;
    workflow_issues_t    issues;
    workflow_verdict_t   verdict;

    workflow = compile("name: x\nrule:\n  aggregate:\n"
                       "    - condition: n > 1\n      output: '[n, n * 2]'\n"
                       "    - condition: n > 2\n      output: '[n, n * 3]'\n"
                       "    - condition: n > 3\n      output: '[n, n * 4]'\n",
                       true, &issues);

    ok(workflow != NULL, "lists as outputs");

    if (workflow == NULL) {
        return;
    }

    for (i = 0; i < 4; i++) {
        is_int(evaluate(workflow, i + 1, 65536, &verdict, &within), i,
               "%d outputs", i);
        ok(within, "as dear as promised at most");
    }

    is_str(verdict.rule, "rule.aggregate[2]", "the last one that matched");
    is_int(verdict.line, 9, "and its line");

    (void) evaluate(workflow, 1, 65536, &verdict, &within);
    is_str(verdict.rule, "rule", "nothing matched: the rule");

    late = true;
    is_int(evaluate(workflow, 9, 65536, &verdict, &within),
           -(int) CEL_NEED - 100, "a fact that is late");
    is_int(evaluate(workflow, 9, 65536, &verdict, &within), 3,
           "and is there then");

    is_int(evaluate(workflow, 9, 16, &verdict, &within),
           -(int) CEL_ERROR - 100, "no memory");

    check_memory(workflow);
    workflow_destroy(workflow);
}


/* A list is no decision: such a workflow is not stored. */

static void
check_decision(void)
{
    workflow_t         *workflow;
    workflow_issues_t   issues;

    workflow = compile("name: x\nrule:\n  aggregate:\n"
                       "    - condition: n > 1\n      output: 'true'\n",
                       false, &issues);

    ok(workflow == NULL && issues.total == 1, "an aggregate is no decision");
    ok(strstr(issues.items[0].message, "is no decision: \"match\"") != NULL,
       "what to do: %s", issues.items[0].message);
    is_int(issues.items[0].line, 4, "where");

    workflow_destroy(workflow);
}


int
main(void)
{
    check_outputs();
    check_decision();

    return done_testing();
}
