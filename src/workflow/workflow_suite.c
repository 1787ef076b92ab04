
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Runs a suite of tests against a policy.  The policy is compiled once, with
 * outputs of any shape, as the suites of cel-go have them.
 */


#include <stdio.h>
#include <stdarg.h>
#include <string.h>
#include "workflow_suite.h"


#define SUITE_COST    100000000
#define SUITE_MEMORY  (64 * 1024 * 1024)
#define SUITE_DETAIL  1024


typedef struct {
    const workflow_report_t  *report;
    workflow_t               *workflow;
    suite_t                   suite;
    cel_arena_t               arena;
    cel_value_t              *facts;
    const char               *section;
    const char               *test;
    int                       failures;
} runner_t;


static int runner_run(runner_t *runner);
static cel_status_t runner_case(runner_t *runner, cel_eval_t *eval,
    const workflow_node_t *test);
static int runner_refused(runner_t *runner, workflow_issues_t *issues);
static void runner_names(runner_t *runner, const workflow_node_t *section,
    const workflow_node_t *test);
static const workflow_node_t *runner_errors(const workflow_node_t *output);
static bool runner_is_error(const workflow_node_t *output,
    const char *message);
static void runner_expect_error(runner_t *runner, cel_eval_t *eval,
    const workflow_node_t *output, cel_status_t rc);
static cel_status_t runner_compare(runner_t *runner, cel_eval_t *eval,
    const workflow_node_t *output, const workflow_verdict_t *verdict);
static cel_status_t runner_wanted(runner_t *runner, cel_eval_t *eval,
    const workflow_node_t *output, cel_value_t *value);
static cel_status_t runner_fetch(void *ctx, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value);
static void runner_report(runner_t *runner, bool passed, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
static const char *runner_text(cel_eval_t *eval, const cel_value_t *value);
static workflow_format_t runner_format(const char *text, size_t len);


int
workflow_suite(const char *policy, size_t policy_len, const char *text,
    size_t len, const workflow_report_t *report, workflow_issues_t *issues)
{
    int                   rc;
    runner_t              runner;
    workflow_options_t    options;
    workflow_document_t   doc;

    memset(&runner, 0, sizeof(runner_t));
    memset(&options, 0, sizeof(workflow_options_t));

    runner.report = report;
    runner.suite.doc = &doc;
    rc = -2;

    if (workflow_document_open(&doc, text, len, runner_format(text, len),
                               NULL, issues)
        != CEL_OK
        || suite_shape(&runner.suite) != CEL_OK
        || suite_names(&runner.suite) != CEL_OK)
    {
        goto done;
    }

    options.declare = suite_declare;
    options.ctx = &runner.suite;
    options.first_slot = runner.suite.first_slot;
    options.any_output = true;

    runner.workflow = workflow_compile(policy, policy_len,
                                       runner_format(policy, policy_len),
                                       &options, issues);
    if (runner.workflow == NULL) {
        rc = runner_refused(&runner, issues);
        goto done;
    }

    runner.suite.parser = cel_json_parser_create();
    runner.facts = cel_arena_alloc(&doc.arena,
                                   workflow_slots(runner.workflow)
                                   * sizeof(cel_value_t));

    if (runner.suite.parser == NULL || runner.facts == NULL) {
        workflow_issue(&doc, WORKFLOW_I_LIMIT, 0, NULL,
                       "not enough memory for the suite");
        goto done;
    }

    rc = runner_run(&runner);

done:

    if (runner.suite.parser != NULL) {
        cel_json_parser_destroy(runner.suite.parser);
    }

    workflow_destroy(runner.workflow);
    workflow_document_close(&doc);

    return rc;
}


static int
runner_run(runner_t *runner)
{
    cel_eval_t              eval;
    cel_status_t            rc;
    const workflow_node_t  *section, *test;

    rc = CEL_OK;
    section = suite_sections(runner->suite.doc);

    for (section = section->first; section != NULL; section = section->next) {

        test = workflow_node_get(section, "tests");

        for (test = test->first; test != NULL; test = test->next) {

            runner_names(runner, section, test);

            memset(&eval, 0, sizeof(cel_eval_t));
            cel_arena_init(&runner->arena, &cel_allocator_libc, NULL, 0,
                           SUITE_MEMORY);

            eval.arena = &runner->arena;
            eval.facts = runner->facts;
            eval.nfacts = workflow_slots(runner->workflow);
            eval.fetch = runner_fetch;
            eval.fetch_ctx = runner;
            eval.cost_limit = SUITE_COST;

            cel_eval_init(&eval);

            rc = runner_case(runner, &eval, test);

            suite_release(&runner->suite);
            cel_arena_reset(&runner->arena);

            if (rc != CEL_OK) {
                return -2;
            }
        }
    }

    return runner->failures;
}


static cel_status_t
runner_case(runner_t *runner, cel_eval_t *eval, const workflow_node_t *test)
{
    cel_status_t            rc;
    workflow_run_t          run;
    workflow_verdict_t      verdict;
    const workflow_node_t  *output;

    if (suite_bind(&runner->suite, workflow_node_get(test, "input"), eval)
        != CEL_OK)
    {
        return CEL_ERROR;
    }

    memset(&run, 0, sizeof(workflow_run_t));

    rc = workflow_eval(runner->workflow, eval, &run, &verdict);

    output = workflow_node_get(test, "output");

    if (runner_errors(output) != NULL) {
        runner_expect_error(runner, eval, output, rc);
        return CEL_OK;
    }

    if (rc != CEL_OK) {
        runner_report(runner, false, "%s: %s",
                      verdict.rule != NULL ? verdict.rule : "rule",
                      eval->error.message);
        return CEL_OK;
    }

    return runner_compare(runner, eval, output, &verdict);
}


/*
 * A policy that does not compile: -1, unless every test expects errors, and
 * each of them one that there is.
 */

static int
runner_refused(runner_t *runner, workflow_issues_t *issues)
{
    uint32_t                i, round;
    const workflow_node_t  *section, *test, *output;

    for (round = 0; round < 2; round++) {

        section = suite_sections(runner->suite.doc)->first;

        for ( /* void */ ; section != NULL; section = section->next) {

            test = workflow_node_get(section, "tests")->first;

            for ( /* void */ ; test != NULL; test = test->next) {

                output = workflow_node_get(test, "output");

                for (i = 0; i < issues->count; i++) {
                    if (runner_is_error(output, issues->items[i].message)) {
                        break;
                    }
                }

                if (i == issues->count) {
                    return -1;
                }

                if (round == 1) {
                    runner_names(runner, section, test);
                    runner_report(runner, true, NULL);
                }
            }
        }
    }

    return 0;
}


static void
runner_names(runner_t *runner, const workflow_node_t *section,
    const workflow_node_t *test)
{
    const workflow_node_t  *name;

    name = workflow_node_get(section, "name");
    runner->section = name != NULL ? name->text : "";

    name = workflow_node_get(test, "name");
    runner->test = name != NULL ? name->text : "";
    runner->suite.where = runner->test;
}


/* the first error that would do, NULL: none is expected */

static const workflow_node_t *
runner_errors(const workflow_node_t *output)
{
    const workflow_node_t  *error;

    if (output->kind != WORKFLOW_NODE_MAP) {
        return NULL;
    }

    error = workflow_node_get(output, "error_set");

    return error != NULL ? error->first : workflow_node_get(output, "error");
}


static bool
runner_is_error(const workflow_node_t *output, const char *message)
{
    const workflow_node_t  *error;

    for (error = runner_errors(output); error != NULL; error = error->next) {
        if (strstr(message, error->text) != NULL) {
            return true;
        }
    }

    return false;
}


static void
runner_expect_error(runner_t *runner, cel_eval_t *eval,
    const workflow_node_t *output, cel_status_t rc)
{
    const workflow_node_t  *wanted;

    wanted = runner_errors(output);

    if (rc == CEL_OK) {
        runner_report(runner, false, "an error was expected: %.200s",
                      wanted->text);

    } else if (!runner_is_error(output, eval->error.message)) {
        runner_report(runner, false, "expected the error: %.200s, got: %s",
                      wanted->text, eval->error.message);

    } else {
        runner_report(runner, true, NULL);
    }
}


/* CEL_ERROR when the expectation itself is wrong */

static cel_status_t
runner_compare(runner_t *runner, cel_eval_t *eval,
    const workflow_node_t *output, const workflow_verdict_t *verdict)
{
    bool          equal;
    cel_value_t   wanted;
    cel_status_t  rc;

    rc = runner_wanted(runner, eval, output, &wanted);

    if (rc == CEL_ERROR) {
        return rc;
    }

    if (rc == CEL_NOT_FOUND) {

        if (verdict->rule == NULL) {
            runner_report(runner, true, NULL);

        } else {
            runner_report(runner, false, "expected no result, got %.400s of "
                          "%s", runner_text(eval, &verdict->raw),
                          verdict->rule);
        }

        return CEL_OK;
    }

    if (verdict->rule == NULL) {
        runner_report(runner, false, "expected %.400s, got no result",
                      runner_text(eval, &wanted));
        return CEL_OK;
    }

    if (cel_equal(eval, &wanted, &verdict->raw, &equal) != CEL_OK) {
        runner_report(runner, false, "the output cannot be compared: %s",
                      eval->error.message);

    } else if (!equal) {
        runner_report(runner, false, "expected %.400s, got %.400s of %s",
                      runner_text(eval, &wanted),
                      runner_text(eval, &verdict->raw), verdict->rule);

    } else {
        runner_report(runner, true, NULL);
    }

    return CEL_OK;
}


/*
 * What a test expects; CEL_NOT_FOUND when it is no result: optional.none().
 * optional.of(x) is x, an optional result is unwrapped.
 */

static cel_status_t
runner_wanted(runner_t *runner, cel_eval_t *eval,
    const workflow_node_t *output, cel_value_t *value)
{
    size_t                  len;
    cel_status_t            rc;
    const char             *text;
    const workflow_node_t  *node;

    static const char  none[] = "optional.none()", of[] = "optional.of(";

    node = output->kind == WORKFLOW_NODE_STRING
           ? output : workflow_node_get(output, "expr");

    if (node == NULL) {
        return suite_value(&runner->suite, output, eval, value);
    }

    text = node->text + strspn(node->text, " \t\r\n");
    len = strlen(text);

    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        len--;
    }

    if (len == sizeof(none) - 1 && memcmp(text, none, len) == 0) {
        return CEL_NOT_FOUND;
    }

    if (len > sizeof(of) - 1 && memcmp(text, of, sizeof(of) - 1) == 0
        && text[len - 1] == ')')
    {
        text += sizeof(of) - 1;
        len -= sizeof(of);
    }

    rc = suite_expression(&runner->suite, node, text, len, eval, value);

    if (rc == CEL_OK && value->kind == CEL_OPTIONAL) {

        if (value->v == NULL) {
            return CEL_NOT_FOUND;
        }

        *value = *value->v;
    }

    return rc;
}


static cel_status_t
runner_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    char       name[160];
    runner_t  *runner;

    runner = ctx;

    return cel_eval_fail(eval, CEL_E_FACT, "%s is not given by the test",
                         suite_slot_name(&runner->suite, slot, name,
                                         sizeof(name)));
}


static void
runner_report(runner_t *runner, bool passed, const char *fmt, ...)
{
    char     detail[SUITE_DETAIL];
    va_list  ap;

    if (!passed) {
        runner->failures++;

        va_start(ap, fmt);
        vsnprintf(detail, sizeof(detail), fmt, ap);
        va_end(ap);
    }

    runner->report->report(runner->report->ctx, runner->section,
                           runner->test, passed, passed ? NULL : detail);
}


static const char *
runner_text(cel_eval_t *eval, const cel_value_t *value)
{
    char        *copy;
    size_t       len;
    const char  *text;

    if (cel_to_json(eval, value, &text, &len) != CEL_OK) {
        return "a value without JSON form";
    }

    copy = cel_arena_alloc(eval->arena, len + 1);

    if (copy == NULL) {
        return "a large value";
    }

    memcpy(copy, text, len);
    copy[len] = '\0';

    return copy;
}


/* what begins with a brace is JSON */

static workflow_format_t
runner_format(const char *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len && strchr(" \t\r\n", text[i]) != NULL; i++) {
        /* void */
    }

    return i < len && text[i] == '{' ? WORKFLOW_JSON : WORKFLOW_YAML;
}
