
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Evaluation: which match decides, what outputs mean, variables, facts that
 * are not there yet, cost, trace.
 */


#include <stdlib.h>
#include "tap.h"
#include "workflow.h"
#include "workflow_facts.h"


/* What is read of the request: a method, and an input that may come late. */

typedef struct {
    cel_value_t           input;
    bool                  late;         /* the first fetch gives NEED */
    uint32_t              fetched[WORKFLOW_FACT_COUNT];
} host_t;


typedef struct {
    workflow_t           *workflow;
    host_t                host;
    cel_arena_t           arena;
    cel_value_t           facts[WORKFLOW_FACT_COUNT + 64];
    cel_eval_t            eval;
    workflow_run_t        run;
    workflow_verdict_t    verdict;
    cel_json_parser_t    *parser;
    cel_json_t           *json;
    size_t                size;         /* of the input's text */
    cel_status_t          rc;
} bench_t;


static int  bounds_broken;


static cel_status_t
declare(void *ctx, cel_env_t *env)
{
    return workflow_facts_declare(env);
}


static cel_status_t
fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    host_t  *host;

    host = ctx;
    host->fetched[slot]++;

    switch (slot) {

    case WORKFLOW_FACT_REQUEST_METHOD:
        *value = cel_string("GET", 3);
        break;

    case WORKFLOW_FACT_INPUT:
        if (host->late) {
            host->late = false;
            eval->need = slot;
            return CEL_NEED;
        }

        *value = host->input;
        break;

    default:
        return cel_eval_fail(eval, CEL_E_FACT, "%s is not there",
                             workflow_fact_name(slot));
    }

    eval->facts[slot] = *value;

    return CEL_OK;
}


static void
begin(bench_t *b, const char *text, const char *input)
{
    cel_error_t          error;
    workflow_issues_t    issues;
    workflow_options_t   options;

    memset(b, 0, sizeof(bench_t));
    memset(&options, 0, sizeof(workflow_options_t));

    options.declare = declare;
    options.first_slot = WORKFLOW_FACT_COUNT;

    b->workflow = workflow_compile(text, strlen(text), WORKFLOW_YAML,
                                   &options, &issues);

    if (b->workflow == NULL) {
        printf("Bail out! %u:%u %s\n", issues.items[0].line,
               issues.items[0].column, issues.items[0].message);
        exit(1);
    }

    b->parser = cel_json_parser_create();
    b->json = cel_json_parse(b->parser, input, strlen(input), NULL, &error);
    b->host.input = cel_json_root(b->json);
    b->size = strlen(input);

    cel_arena_init(&b->arena, &cel_allocator_libc, NULL, 0, 1024 * 1024);

    b->eval.arena = &b->arena;
    b->eval.facts = b->facts;
    b->eval.nfacts = workflow_slots(b->workflow);
    b->eval.fetch = fetch;
    b->eval.fetch_ctx = &b->host;

    cel_eval_init(&b->eval);
}


static void
evaluate(bench_t *b)
{
    b->rc = workflow_eval(b->workflow, &b->eval, &b->run, &b->verdict);
}


/* every evaluation of this file costs at most what was promised */

static void
end(bench_t *b)
{
    cel_sizes_t  sizes;

    memset(&sizes, 0, sizeof(cel_sizes_t));
    sizes.bytes[CEL_SIZE_HEADERS] = 3;
    sizes.bytes[CEL_SIZE_BODY] = b->size;

    if (b->eval.cost > workflow_cost_max(b->workflow, &sizes)
        || (b->rc == CEL_OK
            && b->eval.cost < workflow_cost_min(b->workflow)))
    {
        printf("# cost %lu, bounds %lu and %lu\n",
               (unsigned long) b->eval.cost,
               (unsigned long) workflow_cost_min(b->workflow),
               (unsigned long) workflow_cost_max(b->workflow, &sizes));
        bounds_broken++;
    }

    cel_arena_reset(&b->arena);
    cel_json_destroy(b->json);
    cel_json_parser_destroy(b->parser);
    workflow_destroy(b->workflow);
}


/* outputs: what `input` is, given out as it is */

#define GIVE  "name: x\nrule: {match: [{output: input}]}\n"

/* with a letter of two bytes it is cut before that */
#define LONG63  "sixty-three-bytes-of-a-name-that-is-shown-up-to-64-bytes-of-it-"

typedef struct {
    const char           *input;
    workflow_effect_t     effect;       /* NO_RESULT: a bad output */
    const char           *outcome;      /* or a part of the error */
    uint32_t              status;
    const char           *message;
} output_t;

static const output_t  outputs[] = {

    { "true", WORKFLOW_ALLOW, "ALLOW", 0, NULL },
    { "false", WORKFLOW_DENY, "DENY", 0, NULL },
    { "\"ALLOW\"", WORKFLOW_ALLOW, "ALLOW", 0, NULL },
    { "\"allow\"", WORKFLOW_DENY, "allow", 0, NULL },
    { "\"HOLD\"", WORKFLOW_DENY, "HOLD", 0, NULL },
    { "{\"effect\": \"allow\"}", WORKFLOW_ALLOW, "ALLOW", 0, NULL },
    { "{\"effect\": \"deny\"}", WORKFLOW_DENY, "DENY", 0, NULL },
    { "{\"outcome\": \"ALLOW\"}", WORKFLOW_ALLOW, "ALLOW", 0, NULL },
    { "{\"outcome\": \"HOLD\", \"message\": \"m\", \"status\": 451}",
      WORKFLOW_DENY, "HOLD", 451, "m" },
    { "{\"outcome\": \"HOLD\", \"effect\": \"allow\", \"status\": 451}",
      WORKFLOW_ALLOW, "HOLD", 0, NULL },
    { "{\"effect\": \"deny\", \"outcome\": \"ALLOW\"}", WORKFLOW_DENY,
      "ALLOW", 0, NULL },
    { "{\"effect\": \"deny\", \"headers\": {\"x-a\": \"1\", \"x-b\": \"\"}}",
      WORKFLOW_DENY, "DENY", 0, NULL },

    { "null", WORKFLOW_NO_RESULT, "a bool, a string or a map", 0, NULL },
    { "1", WORKFLOW_NO_RESULT, "a bool, a string or a map", 0, NULL },
    { "[true]", WORKFLOW_NO_RESULT, "a bool, a string or a map", 0, NULL },
    { "\"\"", WORKFLOW_NO_RESULT, "1 to 128 bytes", 0, NULL },
    { "\"A\\n\"", WORKFLOW_NO_RESULT, "control", 0, NULL },
    { "{}", WORKFLOW_NO_RESULT, "\"effect\" or \"outcome\"", 0, NULL },
    { "{\"message\": \"m\"}", WORKFLOW_NO_RESULT, "needs", 0, NULL },
    { "{\"effect\": \"Allow\"}", WORKFLOW_NO_RESULT, "'allow' or 'deny'", 0,
      NULL },
    { "{\"effect\": true}", WORKFLOW_NO_RESULT, "'allow' or 'deny'", 0,
      NULL },
    { "{\"effect\": \"allow\", \"outcome\": 1}", WORKFLOW_NO_RESULT,
      "an outcome is", 0, NULL },
    { "{\"effect\": \"allow\", \"message\": null}", WORKFLOW_NO_RESULT,
      "\"message\" is a string", 0, NULL },
    { "{\"effect\": \"allow\", \"x\": 1}", WORKFLOW_NO_RESULT, "unknown key",
      0, NULL },
    { "{\"effect\": \"deny\", \"status\": 200}", WORKFLOW_NO_RESULT,
      "400 to 599", 0, NULL },
    { "{\"effect\": \"deny\", \"status\": 403.0}", WORKFLOW_NO_RESULT,
      "400 to 599", 0, NULL },
    { "{\"effect\": \"deny\", \"status\": \"403\"}", WORKFLOW_NO_RESULT,
      "400 to 599", 0, NULL },
    { "{\"effect\": \"deny\", \"status\": 18446744073709551615}",
      WORKFLOW_NO_RESULT, "400 to 599", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": []}", WORKFLOW_NO_RESULT,
      "map of strings", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x\": 1}}", WORKFLOW_NO_RESULT,
      "map of strings", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"\": \"a\"}}",
      WORKFLOW_NO_RESULT, "no token", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x y\": \"a\"}}",
      WORKFLOW_NO_RESULT, "no token", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x:\": \"a\"}}",
      WORKFLOW_NO_RESULT, "no token", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"a\\u0000\\n\\u007f"
      "\xc3\xa9\": \"a\"}}", WORKFLOW_NO_RESULT,
      "\"a???\xc3\xa9\" in \"headers\" is no token", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"" LONG63 "\xc3\xa9\": \"a\"}}",
      WORKFLOW_NO_RESULT, "\"" LONG63 "\" in \"headers\" is no token", 0,
      NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x\": \"a\\r\\nb: c\"}}",
      WORKFLOW_NO_RESULT, "\"x\" in \"headers\" has a control byte", 0,
      NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x\": \"\\u007f\"}}",
      WORKFLOW_NO_RESULT, "control byte", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"Host\": \"a\"}}",
      WORKFLOW_NO_RESULT, "\"Host\" in \"headers\"", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"content_LENGTH\": \"1\"}}",
      WORKFLOW_NO_RESULT, "governs", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"Transfer-Encoding\": \"a\"}}",
      WORKFLOW_NO_RESULT, "governs", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"te\": \"a\"}}",
      WORKFLOW_NO_RESULT, "governs", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"UPGRADE\": \"a\"}}",
      WORKFLOW_NO_RESULT, "governs", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x-a\": \"1\", \"X_A\":"
      " \"2\"}}", WORKFLOW_NO_RESULT,
      "\"X_A\" in \"headers\" is there twice", 0,
      NULL },
};


static void
check_output(const output_t *o)
{
    bench_t  b;

    begin(&b, GIVE, o->input);
    evaluate(&b);

    if (o->effect == WORKFLOW_NO_RESULT) {
        ok(b.rc == CEL_ERROR && b.run.bad_output
           && b.eval.error.kind == CEL_E_INVALID_ARGUMENT
           && b.verdict.effect == WORKFLOW_NO_RESULT
           && strstr(b.eval.error.message, o->outcome) != NULL,
           "%s is refused: %s", o->input, b.eval.error.message);

    } else {
        ok(b.rc == CEL_OK && !b.run.bad_output
           && b.verdict.effect == o->effect
           && b.verdict.outcome_len == strlen(o->outcome)
           && memcmp(b.verdict.outcome, o->outcome, b.verdict.outcome_len)
              == 0
           && b.verdict.status == o->status
           && (o->message == NULL) == (b.verdict.message == NULL),
           "%s is %s", o->input, o->outcome);
    }

    end(&b);
}


static void
check_many_headers(int count, int size, bool accepted)
{
    int       i;
    char     *input, *p;
    bench_t   b;

    input = malloc(200 + count * (size + 20));
    p = input + sprintf(input, "{\"effect\": \"allow\", \"headers\": {");

    for (i = 0; i < count; i++) {
        p += sprintf(p, "%s\"x%d\": \"%0*d\"", i ? ", " : "", i, size, 0);
    }

    strcpy(p, "}}");

    begin(&b, GIVE, input);
    evaluate(&b);

    ok((b.rc == CEL_OK) == accepted && b.run.bad_output == !accepted,
       "%d headers of %d bytes are %s", count, size,
       accepted ? "accepted" : "refused");

    end(&b);
    free(input);
}


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


/* variables that grow: the bound has to grow along */

static void
check_growth(void)
{
    int          i;
    bench_t      b;
    cel_sizes_t  small, large;

    static const char *const  grow[] = {
        "input + input", "input.map(x, [x, x])",
        "{'a': input, 'b': [input, input]}", "[input] + [input]"
    };

    static const char *const  use[] = {
        "variables.c.matches('a*b')", "variables.c.all(x, x != [])",
        "variables.c == variables.b", "variables.c.exists(x, x == input)"
    };

    static const char *const  inputs[] = {
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9]",
        "{\"a\":[1,2,3,4,5,6,7,8],\"b\":{\"c\":[1,2,3,4]}}",
        "[[1,2,3],[4,5,6],[\"a\",\"b\",\"c\",\"d\"],{},[],[[[[1]]]]]"
    };

    for (i = 0; i < 4; i++) {
        char  text[600];

        snprintf(text, sizeof(text), "name: x\nrule:\n  variables:\n"
                 "    - {name: a, expression: \"%s\"}\n"
                 "    - {name: b, expression: \"[variables.a] +"
                 " [variables.a]\"}\n"
                 "    - {name: c, expression: \"%s\"}\n"
                 "  match:\n    - {condition: \"%s\", output: 'true'}\n",
                 grow[i], i == 0 ? "variables.a + variables.a"
                                 : "variables.b + variables.b", use[i]);

        begin(&b, text, inputs[i]);
        evaluate(&b);
        ok(b.rc == CEL_OK, "%s: %s", grow[i],
           b.rc == CEL_OK ? "evaluated" : b.eval.error.message);
        end(&b);
    }

    begin(&b, "name: x\nrule:\n  variables:\n"
          "    - {name: a, expression: \"input + input\"}\n  match:\n"
          "    - {condition: variables.a == 'x', output: 'true'}\n", "\"\"");

    memset(&small, 0, sizeof(cel_sizes_t));
    memset(&large, 0, sizeof(cel_sizes_t));
    large.bytes[CEL_SIZE_BODY] = 1024 * 1024;

    ok(workflow_cost_max(b.workflow, &large)
       > workflow_cost_max(b.workflow, &small) + 32 * 1024,
       "a bound for a large body is a large one");

    evaluate(&b);
    end(&b);
}


/* a chain of variables, each of the one before */

static char *
chain(int count)
{
    int    i;
    char  *text, *p;

    text = malloc(200 + count * 80);
    p = text + sprintf(text, "name: x\nrule:\n  variables:\n"
                       "    - {name: v0, expression: 'input'}\n");

    for (i = 1; i < count; i++) {
        p += sprintf(p, "    - {name: v%d, expression: variables.v%d}\n", i,
                     i - 1);
    }

    sprintf(p, "  match: [{output: variables.v%d}]\n", count - 1);

    return text;
}


static void
check_chain(void)
{
    char                *text;
    bench_t              b;
    workflow_t          *workflow;
    workflow_issues_t    issues;
    workflow_options_t   options;

    text = chain(48);
    begin(&b, text, "true");
    evaluate(&b);
    ok(b.rc == CEL_OK && b.verdict.effect == WORKFLOW_ALLOW,
       "48 variables in a row");
    end(&b);
    free(text);

    memset(&options, 0, sizeof(workflow_options_t));
    options.declare = declare;
    options.first_slot = WORKFLOW_FACT_COUNT;

    text = chain(49);
    workflow = workflow_compile(text, strlen(text), WORKFLOW_YAML, &options,
                                &issues);
    ok(workflow == NULL && issues.items[0].kind == WORKFLOW_I_LIMIT,
       "one more is refused: %s", issues.items[0].message);
    workflow_destroy(workflow);
    free(text);
}


static void
check_large(void)
{
    int                  i;
    char                *text, *p;
    workflow_t          *workflow;
    workflow_issues_t    issues;
    workflow_options_t   options;

    memset(&options, 0, sizeof(workflow_options_t));
    options.declare = declare;
    options.first_slot = WORKFLOW_FACT_COUNT;

    text = malloc(4 * 1024 * 1024);

    p = text + sprintf(text, "{\"name\":\"x\",\"rule\":{\"match\":[");

    for (i = 0; i < 10000; i++) {
        p += sprintf(p, "%s{\"condition\":\"source.port == %d\",\"output\":"
                     "\"'R%d'\"}", i ? "," : "", i, i);
    }

    strcpy(p, "]}}");
    workflow = workflow_compile(text, strlen(text), WORKFLOW_JSON, &options,
                                &issues);
    ok(workflow != NULL && workflow_rules(workflow) == 10000,
       "10,000 matches");
    workflow_destroy(workflow);

    strcpy(p, ",{\"output\":\"'X'\"}]}}");
    workflow = workflow_compile(text, strlen(text), WORKFLOW_JSON, &options,
                                &issues);
    ok(workflow == NULL && issues.items[0].kind == WORKFLOW_I_LIMIT,
       "one more is refused");
    workflow_destroy(workflow);

    p = text + sprintf(text, "{\"name\":\"x\",\"rule\":{\"match\":[{"
                       "\"output\":\"");
    memset(p, ' ', 1024 * 1024);
    strcpy(p + 1024 * 1024, "true\"}]}}");
    workflow = workflow_compile(text, strlen(text), WORKFLOW_JSON, &options,
                                &issues);
    ok(workflow == NULL && issues.items[0].kind == WORKFLOW_I_LIMIT,
       "an expression of 1 MiB is refused");
    workflow_destroy(workflow);

    memset(p, '(', 1000);
    memcpy(p + 1000, "true", 4);
    memset(p + 1004, ')', 1000);
    strcpy(p + 2004, "\"}]}}");
    workflow = workflow_compile(text, strlen(text), WORKFLOW_JSON, &options,
                                &issues);
    ok(workflow == NULL && issues.total == 1
       && issues.items[0].kind == WORKFLOW_I_LIMIT,
       "1,000 parentheses are refused");
    workflow_destroy(workflow);

    free(text);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        check_output(&outputs[i]);
    }

    check_many_headers(64, 100, true);
    check_many_headers(65, 1, false);
    check_many_headers(2, 4200, false);

    for (i = 0; i < sizeof(nested) / sizeof(nested[0]); i++) {
        check_nested(NESTED, &nested[i]);
    }

    for (i = 0; i < sizeof(escape) / sizeof(escape[0]); i++) {
        check_nested(ESCAPE, &escape[i]);
    }

    check_variables();
    check_need();
    check_errors();
    check_chain();
    check_large();
    check_growth();

    is_int(bounds_broken, 0, "no evaluation cost more than its bound");

    return done_testing();
}
