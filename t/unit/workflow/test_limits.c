
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * How large a document and its parts may be, and that the bound of its cost
 * grows with what its variables make of the input.
 */


#include "bench.h"


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

    compile_options(&options);

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

    compile_options(&options);

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


static void
count_first(void *ctx, const char *path, uint32_t line,
    const cel_value_t *value, uint64_t cost, const cel_eval_t *eval)
{
    *(int *) ctx += strcmp(path, "rule.variables[0]") == 0;
}


/* One that fails is evaluated once for whoever reads it, at any depth. */

static void
check_failing_chain(const char *first, uint64_t limit)
{
    int      i, n, times;
    char     text[4096];
    bench_t  b;

    n = snprintf(text, sizeof(text), "name: x\nrule:\n  variables:\n"
                 "    - {name: v0, expression: \"%s\"}\n", first);

    for (i = 1; i < 40; i++) {
        n += snprintf(text + n, sizeof(text) - n,
                      "    - {name: v%d, expression: \"variables.v%d ||"
                      " request.method == 'POST'\"}\n", i, i - 1);
    }

    snprintf(text + n, sizeof(text) - n, "  match:\n    - {condition:"
             " \"variables.v39 && request.method == 'GET'\","
             " output: 'true'}\n");

    begin(&b, text, "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]");

    times = 0;
    b.run.trace = count_first;
    b.run.trace_ctx = &times;
    b.eval.cost_limit = limit;

    evaluate(&b);

    is_int(b.rc, CEL_ERROR, "%s below 39 others fails", first);
    is_int(b.eval.error.kind == CEL_E_COST, limit != 0, "of that kind");
    is_int(times, 1, "it is evaluated once");
    ok(b.eval.cost > 16, "and counted, in all %d units", (int) b.eval.cost);

    end(&b);
}


int
main(void)
{
    check_chain();
    check_failing_chain("input.all(x, input.all(y, x == y))", 300);
    check_failing_chain("input.map(x, x + 1).size() == 16 && 1 / (input[0] - 1)"
                        " == 1", 0);
    check_large();
    check_growth();

    is_int(bounds_broken, 0, "no evaluation cost more than its bound");

    return done_testing();
}
