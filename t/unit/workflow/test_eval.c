
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Evaluation: which match decides, variables, facts that are not there yet,
 * errors, cost, trace.  What outputs mean is in test_output.c.
 */


#include "bench.h"


/* first match, nested rules */

#define NESTED                                                                \
    "name: x\n"                                                               \
    "rule:\n"                                                                 \
    "  match:\n"                                                              \
    "    - condition: input.a == 1\n"                                         \
    "      rule:\n"                                                           \
    "        match:\n"                                                        \
    "          - {condition: input.b == 1, output: \"'A1'\"}\n"               \
    "          - {condition: input.b == 2, output: \"'A2'\"}\n"               \
    "    - rule:\n"                                                           \
    "        match:\n"                                                        \
    "          - condition: input.a == 2\n"                                   \
    "            rule:\n"                                                     \
    "              match: [{condition: input.b == 1, output: \"'B1'\"}]\n"    \
    "          - {condition: input.b == 3, output: \"'B3'\"}\n"               \
    "    - {condition: input.a == 3, output: \"'C'\"}\n"

typedef struct {
    const char  *input;
    const char  *outcome;
    const char  *rule;
} nested_t;

static const nested_t  nested[] = {
    { "{\"a\": 1, \"b\": 1}", "A1", "rule.match[0].rule.match[0]" },
    { "{\"a\": 1, \"b\": 2}", "A2", "rule.match[0].rule.match[1]" },
    { "{\"a\": 1, \"b\": 3}", NULL, NULL },     /* conditional: no result */
    { "{\"a\": 2, \"b\": 1}", "B1",
      "rule.match[1].rule.match[0].rule.match[0]" },
    { "{\"a\": 2, \"b\": 3}", NULL, NULL },
    { "{\"a\": 4, \"b\": 3}", "B3", "rule.match[1].rule.match[1]" },
    { "{\"a\": 3, \"b\": 0}", "C", "rule.match[2]" },   /* falls through */
    { "{\"a\": 5, \"b\": 0}", NULL, NULL },
};


/* a rule that ends in an output, and still may have no result */

#define ESCAPE                                                                \
    "name: x\n"                                                               \
    "rule:\n"                                                                 \
    "  match:\n"                                                              \
    "    - rule:\n"                                                           \
    "        match:\n"                                                        \
    "          - condition: input.a == 1\n"                                   \
    "            rule:\n"                                                     \
    "              match: [{condition: input.b == 1, output: \"'A'\"}]\n"     \
    "          - output: \"'B'\"\n"                                           \
    "    - output: \"'C'\"\n"

static const nested_t  escape[] = {
    { "{\"a\": 1, \"b\": 1}", "A",
      "rule.match[0].rule.match[0].rule.match[0]" },
    { "{\"a\": 1, \"b\": 2}", "C", "rule.match[1]" },
    { "{\"a\": 2, \"b\": 1}", "B", "rule.match[0].rule.match[1]" },
};


static void
check_nested(const char *text, const nested_t *n)
{
    bench_t  b;

    begin(&b, text, n->input);
    evaluate(&b);

    ok(b.rc == CEL_OK
       && (n->rule == NULL
           ? b.verdict.rule == NULL && b.verdict.effect == WORKFLOW_NO_RESULT
           : strcmp(b.verdict.rule, n->rule) == 0
             && memcmp(b.verdict.outcome, n->outcome, strlen(n->outcome))
                == 0),
       "%s gives %s", n->input, n->outcome ? n->outcome : "no result");

    end(&b);
}


/* variables */

typedef struct {
    char      text[1024];
    uint32_t  count;
} traced_t;


static void
trace(void *ctx, const char *path, uint32_t line, const cel_value_t *value,
    uint64_t cost, const cel_eval_t *eval)
{
    traced_t  *traced;

    traced = ctx;
    traced->count++;

    sprintf(traced->text + strlen(traced->text), "%s:%u:%s ", path, line,
            value == NULL ? "error" : value->kind != CEL_BOOL ? "value"
            : value->b ? "true" : "false");
}


#define VARIABLES                                                             \
    "name: x\n"                                                               \
    "rule:\n"                                                                 \
    "  variables:\n"                                                          \
    "    - {name: a, expression: input.n.size() > 2}\n"                       \
    "    - {name: b, expression: variables.a && request.method == 'GET'}\n"   \
    "    - {name: unused, expression: request.path}\n"                        \
    "    - {name: bad, expression: input.missing == 1}\n"                     \
    "  match:\n"                                                              \
    "    - {condition: variables.bad && false, output: 'false'}\n"            \
    "    - {condition: false && variables.bad, output: 'false'}\n"            \
    "    - {condition: variables.bad && !variables.b, output: 'false'}\n"     \
    "    - {condition: variables.b && variables.a, output: variables.b}\n"


static void
check_variables(void)
{
    bench_t             b;
    uint32_t            n;
    traced_t            traced;
    cel_sizes_t         sizes;
    const cel_slot_t   *facts;

    memset(&traced, 0, sizeof(traced_t));
    memset(&sizes, 0, sizeof(cel_sizes_t));
    sizes.bytes[CEL_SIZE_BODY] = 15;
    sizes.bytes[CEL_SIZE_HEADERS] = 3;

    begin(&b, VARIABLES, "{\"n\": \"abcd\"}");
    b.run.trace = trace;
    b.run.trace_ctx = &traced;
    evaluate(&b);

    ok(b.rc == CEL_OK && b.verdict.effect == WORKFLOW_ALLOW,
       "variables of variables, errors absorbed");
    is_str(traced.text,
           "rule.variables[3]:7:error "
           "rule.match[0].condition:9:false "
           "rule.match[1].condition:10:false "
           "rule.variables[0]:4:true "
           "rule.variables[1]:5:true "
           "rule.match[2].condition:11:false "
           "rule.match[3].condition:12:true ",
           "each once, in the order they were needed");
    is_int(b.host.fetched[WORKFLOW_FACT_INPUT], 1, "the input is read once");
    is_int(b.host.fetched[WORKFLOW_FACT_REQUEST_PATH], 0,
           "what only an unused variable reads is not read");
    is_int(b.verdict.line, 12, "the line of the output");
    ok(b.eval.cost > 0
       && b.eval.cost <= workflow_cost_max(b.workflow, &sizes)
       && b.eval.cost >= workflow_cost_min(b.workflow),
       "cost %d is within %d and %d", (int) b.eval.cost,
       (int) workflow_cost_min(b.workflow),
       (int) workflow_cost_max(b.workflow, &sizes));
    ok(b.eval.fetch == fetch && b.eval.fetch_ctx == &b.host,
       "the host finds its fetch as it left it");

    facts = workflow_facts(b.workflow, &n);
    ok(n == 2 && facts[0] == WORKFLOW_FACT_REQUEST_METHOD
       && facts[1] == WORKFLOW_FACT_INPUT, "the facts that may be read");
    is_int(workflow_slots(b.workflow), WORKFLOW_FACT_COUNT + 4, "slots");
    is_int(workflow_rules(b.workflow), 4, "matches");

    end(&b);
}


static void
check_need(void)
{
    bench_t   b;
    uint64_t  cost;

    begin(&b, VARIABLES, "{\"n\": \"abcd\"}");
    evaluate(&b);
    cost = b.eval.cost;
    end(&b);

    begin(&b, VARIABLES, "{\"n\": \"abcd\"}");
    b.host.late = true;
    evaluate(&b);

    ok(b.rc == CEL_NEED && b.eval.need == WORKFLOW_FACT_INPUT,
       "a fact inside a variable that is not there yet");
    ok(b.verdict.effect == WORKFLOW_NO_RESULT, "nothing is decided by that");

    b.facts[WORKFLOW_FACT_INPUT] = b.host.input;
    evaluate(&b);

    ok(b.rc == CEL_OK && b.verdict.effect == WORKFLOW_ALLOW,
       "and then it is there");
    is_int(b.eval.cost, cost, "what was done twice is counted once");

    end(&b);
}


static void
check_errors(void)
{
    bench_t  b;

    begin(&b, "name: x\nrule:\n  match:\n"
          "    - condition: input.a == 1\n      output: 'true'\n"
          "    - output: 'true'\n", "{}");
    evaluate(&b);
    ok(b.rc == CEL_ERROR && b.eval.error.kind == CEL_E_NO_SUCH_KEY
       && !b.run.bad_output && b.verdict.effect == WORKFLOW_NO_RESULT,
       "a condition that fails fails the workflow");
    ok(strcmp(b.verdict.rule, "rule.match[0]") == 0 && b.verdict.line == 4,
       "and it is said which");
    end(&b);

    begin(&b, "name: x\nrule:\n  match:\n"
          "    - condition: input\n      output: 'true'\n", "1");
    evaluate(&b);
    ok(b.rc == CEL_ERROR && b.eval.error.kind == CEL_E_NO_SUCH_OVERLOAD,
       "a condition that is no bool after all");
    end(&b);

    begin(&b, "name: x\nrule:\n  match:\n"
          "    - condition: request.path == '/'\n      output: 'true'\n", "1");
    evaluate(&b);
    ok(b.rc == CEL_ERROR && b.eval.error.kind == CEL_E_FACT,
       "a fact the host cannot give");
    end(&b);

    begin(&b, VARIABLES, "{\"n\": \"abcd\"}");
    b.eval.cost_limit = 5;
    evaluate(&b);
    ok(b.rc == CEL_ERROR && b.eval.error.kind == CEL_E_COST
       && b.verdict.effect == WORKFLOW_NO_RESULT, "the cost limit");
    end(&b);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(nested) / sizeof(nested[0]); i++) {
        check_nested(NESTED, &nested[i]);
    }

    for (i = 0; i < sizeof(escape) / sizeof(escape[0]); i++) {
        check_nested(ESCAPE, &escape[i]);
    }

    check_variables();
    check_need();
    check_errors();

    is_int(bounds_broken, 0, "no evaluation cost more than its bound");

    return done_testing();
}
