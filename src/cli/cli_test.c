
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * constraintctl test: a suite of tests as TAP.
 */


#include <string.h>
#include "cli.h"


typedef struct {
    uint32_t              count;
} test_tap_t;


static int test_run(const cli_file_t *policy, const cli_file_t *suite);
static void test_report(void *ctx, const char *section, const char *test,
    bool passed, const char *detail);
static void test_name(const char *name);


int
cli_test(int argc, char *const *argv)
{
    int         code;
    cli_file_t  policy, suite;

    if (!cli_files(&argc, &argv)) {
        return CLI_USAGE;
    }

    if (argc != 2) {
        return cli_fail(CLI_USAGE, "test needs POLICY and TESTS");
    }

    memset(&suite, 0, sizeof(cli_file_t));
    code = CLI_IO;

    if (cli_file_read(&policy, argv[0]) && cli_file_read(&suite, argv[1])) {
        code = test_run(&policy, &suite);
    }

    cli_file_free(&policy);
    cli_file_free(&suite);

    return code;
}


static int
test_run(const cli_file_t *policy, const cli_file_t *suite)
{
    int                  failures;
    test_tap_t           tap;
    workflow_issues_t    issues;
    workflow_report_t    report;

    memset(&issues, 0, sizeof(workflow_issues_t));

    tap.count = 0;
    report.report = test_report;
    report.ctx = &tap;

    failures = workflow_suite(policy->text, policy->len, suite->text,
                              suite->len, &report, &issues);

    if (failures < 0) {
        cli_print_issues(stderr, failures == -1 ? policy->name : suite->name,
                         &issues);
        printf("Bail out! %s is broken\n",
               failures == -1 ? policy->name : suite->name);
        return CLI_FAILED;
    }

    printf("1..%u\n", tap.count);

    if (tap.count == 0) {
        return cli_fail(CLI_FAILED, "%s has no tests", suite->name);
    }

    return failures == 0 ? CLI_OK : CLI_FAILED;
}


static void
test_report(void *ctx, const char *section, const char *test, bool passed,
    const char *detail)
{
    const char  *p;
    test_tap_t  *tap;

    tap = ctx;

    printf("%s %u - ", passed ? "ok" : "not ok", ++tap->count);
    test_name(section);
    printf(" / ");
    test_name(test);
    printf("\n");

    if (detail == NULL) {
        return;
    }

    printf("#   ");

    for (p = detail; *p != '\0'; p++) {
        putchar(*p);

        if (*p == '\n') {
            printf("#   ");
        }
    }

    printf("\n");
}


/* "#" would begin a TAP directive */

static void
test_name(const char *name)
{
    for ( ; *name != '\0'; name++) {
        if (*name == '#' || *name == '\\') {
            putchar('\\');
        }

        putchar(*name == '\n' ? ' ' : *name);
    }
}
