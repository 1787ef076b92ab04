
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Workflows that are refused: what for, where in the document, at which path.
 */


#include <stdlib.h>
#include "compile.h"


typedef struct {
    const char             *name;
    const char             *text;
    workflow_issue_kind_t   kind;
    uint32_t                line;
    uint32_t                column;
    const char             *path;
    const char             *message;    /* a part of it */
} refusal_t;


#define M  "name: x\nrule:\n  match:\n"

/* what "headers" of an output may not be: that is an entry of the literal */

#define HEADERS(name, map, message)                                           \
    { name,                                                                   \
      M "    - output: \"{'effect': 'allow', 'headers': " map "}\"\n",        \
      WORKFLOW_I_OUTPUT, 4, 36, "rule.match[0].output", message }


static const refusal_t  refusals[] = {

    /* shape */

    { "a list", "[]", WORKFLOW_I_DOCUMENT, 1, 1, "",
      "a workflow is a map, this is a list" },
    { "no name", "rule:\n  match:\n    - output: 'true'\n",
      WORKFLOW_I_DOCUMENT, 1, 1, "", "needs \"name\"" },
    { "no rule", "name: x\n", WORKFLOW_I_DOCUMENT, 1, 1, "",
      "needs \"rule\"" },
    { "name with a space", "name: a b\nrule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 1, 7, "name", "1 to 255 characters" },
    { "empty name", "name: ''\nrule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 1, 7, "name", "1 to 255 characters" },
    { "reserved name", "name: check\nrule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 1, 7, "name", "reserved" },
    { "name that is a number", "name: 1\nrule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 1, 7, "name", "is a string, this is a number" },
    { "unknown key", "name: x\nrules: 1\nrule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 2, 1, "rules", "did you mean \"rule\"?" },
    { "far-off key", "name: x\nkind: y\nrule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 2, 1, "kind", "only name, description" },
    { "unknown key of a match",
      M "    - conditon: 'true'\n      output: 'true'\n",
      WORKFLOW_I_DOCUMENT, 4, 7, "rule.match[0].conditon",
      "did you mean \"condition\"?" },
    { "imports without a dot", "name: x\nimports:\n  - name: aB\n"
      "rule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 3, 11, "imports[0]",
      "invalid qualified name: aB, wanted name of the form 'qualified" },
    { "imports with the same end",
      "name: x\nimports: [{name: a.B}, {name: ' c.B '}]\n"
      "rule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 2, 31, "imports[1]", "\"c.B\" cannot be told" },
    { "an import that is no map", "name: x\nimports: [a.B]\n"
      "rule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 2, 11, "imports[0]", "a map with \"name\"" },
    { "an import that nobody knows, used",
      "name: x\nimports: [{name: a.B}]\n"
      "rule: {match: [{output: 'B{} == 1'}]}\n",
      WORKFLOW_I_EXPRESSION, 3, 26, "rule.match[0].output",
      "undeclared reference to 'B'" },
    { "no match", "name: x\nrule:\n  id: a\n", WORKFLOW_I_DOCUMENT, 3, 3,
      "rule", "needs \"match\"" },
    { "match and aggregate", "name: x\nrule:\n  match: [{output: 'true'}]\n"
      "  aggregate: [{output: 'true'}]\n", WORKFLOW_I_DOCUMENT, 3, 3, "rule",
      "Only one of 'match' or 'aggregate' may be set" },
    { "an aggregate in an aggregate",
      "name: x\nrule:\n  aggregate:\n    - rule:\n        match:\n"
      "          - rule:\n              aggregate: [{output: 'true'}]\n",
      WORKFLOW_I_DOCUMENT, 7, 26, "rule.aggregate[0].rule.match[0].rule",
      "nested aggregate rules are not allowed: this is inside the one on "
      "line 4" },
    { "an aggregate decides nothing",
      "name: x\nrule:\n  aggregate: [{output: 'true'}]\n",
      WORKFLOW_I_OUTPUT, 3, 14, "rule", "\"match\" gives the first one" },
    { "empty match", "name: x\nrule:\n  match: []\n", WORKFLOW_I_DOCUMENT, 3,
      10, "rule", "at least one match" },
    { "match that is a map", "name: x\nrule:\n  match: {output: 'true'}\n",
      WORKFLOW_I_DOCUMENT, 3, 10, "rule.match", "is a list, this is a map" },
    { "neither output nor rule", M "    - condition: 'true'\n",
      WORKFLOW_I_DOCUMENT, 4, 7, "rule.match[0]", "an output or a rule" },
    { "output and rule",
      M "    - output: 'true'\n      rule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 4, 7, "rule.match[0]", "not both" },
    { "explanation of a rule",
      M "    - explanation: \"'x'\"\n"
      "      rule: {match: [{output: 'true'}]}\n",
      WORKFLOW_I_DOCUMENT, 4, 7, "rule.match[0]", "belongs to an output" },
    { "output that is no string", M "    - output: true\n",
      WORKFLOW_I_DOCUMENT, 4, 15, "rule.match[0].output",
      "this is a boolean: put it in quotes" },
    { "output that is a map", M "    - output: {outcome: DENY}\n",
      WORKFLOW_I_DOCUMENT, 4, 15, "rule.match[0].output",
      "\"{'outcome': 'DENY'}\"" },
    { "variable without expression",
      "name: x\nrule:\n  variables:\n    - name: a\n"
      "  match: [{output: 'true'}]\n",
      WORKFLOW_I_DOCUMENT, 4, 7, "rule.variables[0]",
      "needs \"expression\"" },
    { "variable name", "name: x\nrule:\n  variables:\n"
      "    - {name: a-b, expression: '1'}\n  match: [{output: 'true'}]\n",
      WORKFLOW_I_DOCUMENT, 4, 14, "rule.variables[0]", "no variable name" },
    { "reserved word", "name: x\nrule:\n  variables:\n"
      "    - {name: in, expression: '1'}\n  match: [{output: 'true'}]\n",
      WORKFLOW_I_DOCUMENT, 4, 14, "rule.variables[0]", "reserved word" },
    { "variable twice", "name: x\nrule:\n  variables:\n"
      "    - {name: a, expression: '1'}\n    - {name: a, expression: '2'}\n"
      "  match: [{output: 'true'}]\n",
      WORKFLOW_I_DOCUMENT, 5, 14, "rule.variables[1]", "on line 4" },

    /* expressions, and where they stand in the text */

    { "plain", M "    - output: true && nope\n", WORKFLOW_I_EXPRESSION, 4, 23,
      "rule.match[0].output", "undeclared reference to 'nope'" },
    { "plain over lines", M "    - output: true &&\n        nope\n",
      WORKFLOW_I_EXPRESSION, 5, 9, "rule.match[0].output", "nope" },
    { "single quotes", M "    - output: '''a'' == nope'\n",
      WORKFLOW_I_EXPRESSION, 4, 25, "rule.match[0].output", "nope" },
    { "double quotes", M "    - output: \"\\\"\\u00e9\\\" == nope\"\n",
      WORKFLOW_I_EXPRESSION, 4, 30, "rule.match[0].output", "nope" },
    { "double quotes over lines",
      M "    - output: \"true && \\\n        nope\"\n",
      WORKFLOW_I_EXPRESSION, 5, 9, "rule.match[0].output", "nope" },
    { "a word over lines that end by CRLF",
      M "    - output: \"tr\\\r\n        ue && nope\"\n",
      WORKFLOW_I_EXPRESSION, 5, 15, "rule.match[0].output", "nope" },
    { "literal block", M "    - output: |\n        true &&\n"
      "           nope\n",
      WORKFLOW_I_EXPRESSION, 6, 12, "rule.match[0].output", "nope" },
    { "folded block", M "    - output: >-\n\n        true &&\n"
      "           nope\n",
      WORKFLOW_I_EXPRESSION, 7, 12, "rule.match[0].output", "nope" },
    { "JSON", "{\"name\": \"x\", \"rule\": {\"match\": [\n"
      "  {\"output\": \"\\\"\\u00e9\\ud83d\\ude00\\\" ==\\n nope\"}]}}",
      WORKFLOW_I_EXPRESSION, 2, 43, "rule.match[0].output", "nope" },
    { "syntax", M "    - output: (true\n", WORKFLOW_I_EXPRESSION, 4, 20,
      "rule.match[0].output", NULL },
    { "condition of another type",
      M "    - condition: size('a')\n      output: 'true'\n",
      WORKFLOW_I_EXPRESSION, 4, 18, "rule.match[0].condition",
      "must be bool, this is int" },
    { "explanation of another type",
      M "    - output: 'true'\n      explanation: '1'\n",
      WORKFLOW_I_EXPRESSION, 5, 21, "rule.match[0].explanation",
      "must be string, this is int" },
    { "variable before its declaration", "name: x\nrule:\n  variables:\n"
      "    - {name: a, expression: variables.b}\n"
      "    - {name: b, expression: '1'}\n  match: [{output: 'true'}]\n",
      WORKFLOW_I_EXPRESSION, 4, 29, "rule.variables[0].expression",
      "reference to 'variables" },
    { "variable out of its rule", "name: x\nrule:\n  match:\n"
      "    - condition: request.method == 'GET'\n      rule:\n"
      "        variables: [{name: a, expression: 'true'}]\n"
      "        match: [{output: variables.a}]\n"
      "    - output: variables.a\n",
      WORKFLOW_I_EXPRESSION, 8, 15, "rule.match[1].output",
      "reference to 'variables" },
    { "variable of a neighbour that shadowed", "name: x\nrule:\n"
      "  variables: [{name: a, expression: 'true'}]\n  match:\n"
      "    - condition: request.method == 'GET'\n      rule:\n"
      "        variables: [{name: a, expression: '1'}]\n"
      "        match: [{output: variables.a == 1}]\n"
      "    - output: variables.a == 1\n",
      WORKFLOW_I_EXPRESSION, 9, 27, "rule.match[1].output", "'_==_'" },
    { "upper-case header", M "    - output: \"'X-Org' in request.headers\"\n",
      WORKFLOW_I_EXPRESSION, 4, 16, "rule.match[0].output", "lower" },

    /* outputs */

    { "output int", M "    - output: '1'\n", WORKFLOW_I_OUTPUT, 4, 16,
      "rule.match[0].output", "this is int" },
    { "output list", M "    - output: '[true]'\n", WORKFLOW_I_OUTPUT, 4, 16,
      "rule.match[0].output", "this is list(bool)" },
    { "empty outcome", M "    - output: \"''\"\n", WORKFLOW_I_OUTPUT, 4, 16,
      "rule.match[0].output", "1 to 128 bytes" },
    { "map of ints", M "    - output: '{1: 2}'\n", WORKFLOW_I_OUTPUT, 4, 17,
      "rule.match[0].output", "strings as keys" },
    { "empty map", M "    - output: '{}'\n", WORKFLOW_I_OUTPUT, 4, 16,
      "rule.match[0].output", "needs 'effect' or 'outcome'" },
    { "map that decides nothing", M "    - output: \"{'message': 'x'}\"\n",
      WORKFLOW_I_OUTPUT, 4, 16, "rule.match[0].output",
      "needs 'effect' or 'outcome'" },
    { "unknown key of a map",
      M "    - output: \"{'outcome': 'X', 'mesage': 'x'}\"\n",
      WORKFLOW_I_OUTPUT, 4, 33, "rule.match[0].output", "'mesage'" },
    { "effect", M "    - output: \"{'effect': 'ALLOW'}\"\n",
      WORKFLOW_I_OUTPUT, 4, 17, "rule.match[0].output",
      "'allow' or 'deny'" },
    { "effect of another type",
      M "    - output: \"{'effect': request.size}\"\n",
      WORKFLOW_I_OUTPUT, 4, 17, "rule.match[0].output", "a string" },
    { "outcome of another type", M "    - output: \"{'outcome': 1}\"\n",
      WORKFLOW_I_OUTPUT, 4, 17, "rule.match[0].output", "outcome" },
    { "message of another type",
      M "    - output: \"{'effect': 'deny', 'message': 1}\"\n",
      WORKFLOW_I_OUTPUT, 4, 35, "rule.match[0].output",
      "'message' is a string" },
    { "status 200", M "    - output: \"{'effect': 'deny', 'status': 200}\"\n",
      WORKFLOW_I_OUTPUT, 4, 35, "rule.match[0].output", "400 to 599" },
    { "status 600", M "    - output: \"{'effect': 'deny', 'status': 600}\"\n",
      WORKFLOW_I_OUTPUT, 4, 35, "rule.match[0].output", "400 to 599" },
    { "status -403",
      M "    - output: \"{'effect': 'deny', 'status': -403}\"\n",
      WORKFLOW_I_OUTPUT, 4, 35, "rule.match[0].output", "400 to 599" },
    { "status of another type",
      M "    - output: \"{'effect': 'deny', 'status': request.path}\"\n",
      WORKFLOW_I_OUTPUT, 4, 35, "rule.match[0].output", "an integer" },
    HEADERS("headers of another type",
            "{'a': 1}",
            "to strings"),
    HEADERS("the header Host",
            "{'Host': 'x'}",
            "'Host' in 'headers' is no token, or one that governs"),
    HEADERS("the header Host with a value of the request",
            "{'x-a': request.path, 'Host': request.path}",
            "'Host' in 'headers' is no token, or one that governs"),
    HEADERS("a header of the hop",
            "{'x-a': '1', 'Transfer_Encoding': 'x'}",
            "'Transfer_Encoding' in 'headers' is no token"),
    HEADERS("a header that is no token",
            "{'x a': '1'}",
            "'x a' in 'headers' is no token"),
    HEADERS("a header without a name",
            "{'': '1'}",
            "'' in 'headers' is no token"),
    HEADERS("a header over two lines",
            "{'x-a': 'b\\\\r\\\\nc: d'}",
            "'x-a' in 'headers' has a control byte"),
    HEADERS("a header twice",
            "{'x-a': '1', 'X_A': '2'}",
            "'X_A' in 'headers' is there twice"),
    HEADERS("a header twice, with values of the request",
            "{'x-a': request.path, 'X_A': request.path}",
            "'X_A' in 'headers' is there twice"),
    { "outputs that do not agree",
      M "    - condition: request.method == 'GET'\n      output: 'true'\n"
      "    - output: \"'DENY'\"\n", WORKFLOW_I_OUTPUT, 6, 16,
      "rule.match[1].output", "incompatible output types: block has output "
      "type string, but previous outputs have type bool" },

    /* reachability */

    { "match after an unconditional one",
      M "    - output: 'true'\n    - output: 'false'\n",
      WORKFLOW_I_DOCUMENT, 5, 7, "rule.match[1]", "never reached" },
    { "match after the literal true",
      M "    - {condition: ' true ', output: 'true'}\n"
      "    - output: 'false'\n",
      WORKFLOW_I_DOCUMENT, 5, 7, "rule.match[1]", "never reached" },
    { "match after a rule that always decides",
      M "    - rule: {match: [{output: 'true'}]}\n    - output: 'false'\n",
      WORKFLOW_I_DOCUMENT, 5, 7, "rule.match[1]",
      "rule creates unreachable outputs" },
};


static void
check(const refusal_t *r)
{
    workflow_t          *workflow;
    workflow_issues_t    issues;
    workflow_options_t   options;

    compile_options(&options);

    workflow = workflow_compile(r->text, strlen(r->text),
                                r->text[0] == '{' ? WORKFLOW_JSON
                                                  : WORKFLOW_YAML,
                                &options, &issues);

    if (!ok(workflow == NULL && issues.total > 0, "%s: refused", r->name)) {
        workflow_destroy(workflow);
        return;
    }

    if (!ok(issues.items[0].kind == r->kind
            && issues.items[0].line == r->line
            && issues.items[0].column == r->column
            && strcmp(issues.items[0].path, r->path) == 0
            && (r->message == NULL
                || strstr(issues.items[0].message, r->message) != NULL),
            "%s: where and why", r->name))
    {
        printf("#   kind %d, %u:%u: %s (%s)\n", issues.items[0].kind,
               issues.items[0].line, issues.items[0].column,
               issues.items[0].message, issues.items[0].path);
    }
}


/* as many names as there may be, of values that are not known, and one more */

static void
check_many_headers(void)
{
    char                 text[65 * 20 + 200], *p;
    uint32_t             i, n;
    workflow_t          *workflow;
    workflow_issues_t    issues;
    workflow_options_t   options;

    compile_options(&options);

    for (n = 64; n <= 65; n++) {
        p = text + sprintf(text, M "    - output: \"{'effect': 'deny', "
                           "'headers': {");

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%s'x%u': request.path", i ? ", " : "", i);
        }

        strcpy(p, "}}\"\n");

        workflow = workflow_compile(text, strlen(text), WORKFLOW_YAML,
                                    &options, &issues);

        ok(n == 64 ? workflow != NULL
           : workflow == NULL && issues.items[0].kind == WORKFLOW_I_OUTPUT
             && strstr(issues.items[0].message, "more than 64 entries"),
           "%u headers with values of the request are %s", n,
           n == 64 ? "accepted" : "refused");

        workflow_destroy(workflow);
    }
}


/* an allocator whose n-th call fails */

typedef struct {
    long  left;
    long  held;
} failing_t;


static void *
failing_alloc(void *ctx, size_t size)
{
    failing_t  *failing;

    failing = ctx;

    if (failing->left-- == 0) {
        return NULL;
    }

    failing->held++;

    return malloc(size);
}


static void
failing_free(void *ctx, void *p, size_t size)
{
    failing_t  *failing;

    failing = ctx;
    failing->held -= p != NULL;

    free(p);
}


static void
check_memory(void)
{
    long                 n, silent, held;
    failing_t            failing;
    workflow_t          *workflow;
    cel_allocator_t      allocator;
    workflow_issues_t    issues;
    workflow_options_t   options;

    static const char  text[] =
        "{\"name\": \"x\", \"rule\": {\"variables\": [{\"name\": \"a\","
        "\"expression\": \"request.headers['x'] + 'y'\"}], \"match\": ["
        "{\"condition\": \"variables.a.matches('a+b')\", \"rule\": {"
        "\"variables\": [{\"name\": \"a\", \"expression\": \"1\"}],"
        "\"match\": [{\"output\": \"{'effect': 'deny'}\"}]}},"
        "{\"output\": \"{'outcome': variables.a}\"}]}}";

    allocator.alloc = failing_alloc;
    allocator.free = failing_free;
    allocator.ctx = &failing;

    compile_options(&options);
    options.allocator = &allocator;

    silent = 0;
    held = 0;

    for (n = 0; n < 10000; n++) {
        failing.left = n;
        failing.held = 0;

        workflow = workflow_compile(text, strlen(text), WORKFLOW_JSON,
                                    &options, &issues);

        if (workflow != NULL && failing.left >= 0) {
            workflow_destroy(workflow);
            held += failing.held;
            break;
        }

        silent += (workflow == NULL && issues.count == 0);
        workflow_destroy(workflow);
        held += failing.held;
    }

    ok(n > 5 && n < 10000, "the n-th allocation fails, for n from 0 to %ld",
       n);
    is_int(silent, 0, "each time with an issue");
    is_int(held, 0, "nothing is left behind");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        check(&refusals[i]);
    }

    check_many_headers();
    check_memory();

    return done_testing();
}
