
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * constraintctl check: compiles workflows against the facts that the module
 * declares.  Which variables nginx.var() may read is the server's
 * configuration; here every name is taken that could be listed there.
 */


#include <stdlib.h>
#include <string.h>
#include "cli.h"


#define CHECK_VARIABLES  256


/* names met in nginx.var('...'); their slots follow the facts */

typedef struct {
    char             *names[CHECK_VARIABLES];
    uint32_t          count;
} check_names_t;


static int check_file(const char *name);
static void check_print(const cli_file_t *file, const workflow_t *workflow,
    const check_names_t *names);
static cel_status_t check_declare(void *ctx, cel_env_t *env);
static cel_status_t check_resolve(void *ctx, const char *literal, size_t len,
    cel_slot_t *slot, char message[CEL_MESSAGE_MAX]);


int
cli_check(int argc, char *const *argv)
{
    int  i, code, worst;

    if (!cli_files(&argc, &argv)) {
        return CLI_USAGE;
    }

    if (argc == 0) {
        return cli_fail(CLI_USAGE, "check needs a FILE");
    }

    worst = CLI_OK;

    for (i = 0; i < argc; i++) {
        code = check_file(argv[i]);
        worst = code > worst ? code : worst;
    }

    return worst;
}


static int
check_file(const char *name)
{
    int                   code;
    uint32_t              i;
    cli_file_t            file;
    workflow_t           *workflow;
    check_names_t         names;
    workflow_issues_t     issues;
    workflow_options_t    options;

    if (!cli_file_read(&file, name)) {
        cli_file_free(&file);
        return CLI_IO;
    }

    memset(&names, 0, sizeof(check_names_t));
    memset(&options, 0, sizeof(workflow_options_t));

    options.declare = check_declare;
    options.ctx = &names;
    options.first_slot = WORKFLOW_FACT_COUNT + CHECK_VARIABLES;

    workflow = workflow_compile(file.text, file.len, file.format, &options,
                                &issues);
    if (workflow == NULL) {
        cli_print_issues(stdout, name, &issues);
        code = CLI_FAILED;

    } else {
        cli_print_warnings(stdout, name, &issues);
        check_print(&file, workflow, &names);
        workflow_destroy(workflow);
        code = CLI_OK;
    }

    for (i = 0; i < names.count; i++) {
        free(names.names[i]);
    }

    cli_file_free(&file);

    return code;
}


static void
check_print(const cli_file_t *file, const workflow_t *workflow,
    const check_names_t *names)
{
    char                type[256];
    uint32_t            i, n;
    cel_sizes_t         sizes;
    const cel_slot_t   *facts;

    workflow_output_type(workflow, type, sizeof(type));

    printf("%s: OK\n  name: %s\n  matches: %u", file->name,
           workflow_name(workflow, NULL), workflow_rules(workflow));

    if (workflow_indexed(workflow) != 0) {
        printf(", %u of them indexed", workflow_indexed(workflow));
    }

    if (workflow_shared(workflow) != 0) {
        printf(", %u parts in common", workflow_shared(workflow));
    }

    printf("\n  output: %s\n  facts:", type);

    facts = workflow_facts(workflow, &n);

    for (i = 0; i < n; i++) {

        if (facts[i] < WORKFLOW_FACT_COUNT) {
            printf(" %s", workflow_fact_name(facts[i]));

        } else {
            printf(" nginx.var('%s')",
                   names->names[facts[i] - WORKFLOW_FACT_COUNT]);
        }
    }

    memset(&sizes, 0, sizeof(cel_sizes_t));
    sizes.bytes[CEL_SIZE_HEADERS] = 1024;
    sizes.bytes[CEL_SIZE_BODY] = 1024;

    printf("\n  cost: %llu at least, ",
           (unsigned long long) workflow_cost_min(workflow));

    if (workflow_cost_max(workflow, &sizes) == CEL_COST_MAX) {
        printf("no bound");

    } else {
        printf("%llu at most with 1 KiB of headers and of body",
               (unsigned long long) workflow_cost_max(workflow, &sizes));
    }

    printf("\n  memory: %zu bytes\n", workflow_memory(workflow));
}


static cel_status_t
check_declare(void *ctx, cel_env_t *env)
{
    if (workflow_facts_declare(env) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_env_declare_resolver(env, "nginx.var", check_resolve, ctx);
}


static cel_status_t
check_resolve(void *ctx, const char *literal, size_t len, cel_slot_t *slot,
    char message[CEL_MESSAGE_MAX])
{
    uint32_t        i;
    check_names_t  *names;

    names = ctx;

    if (len == 0 || (len >= 11 && strncmp(literal, "constraint_", 11) == 0)) {
        snprintf(message, CEL_MESSAGE_MAX, "nginx.var() cannot read the "
                 "module's own variables");
        return CEL_ERROR;
    }

    for (i = 0; i < names->count; i++) {
        if (strlen(names->names[i]) == len
            && memcmp(names->names[i], literal, len) == 0)
        {
            *slot = WORKFLOW_FACT_COUNT + i;
            return CEL_OK;
        }
    }

    if (names->count == CHECK_VARIABLES) {
        snprintf(message, CEL_MESSAGE_MAX, "more than %d names of nginx.var()",
                 CHECK_VARIABLES);
        return CEL_ERROR;
    }

    names->names[names->count] = strndup(literal, len);

    if (names->names[names->count] == NULL) {
        snprintf(message, CEL_MESSAGE_MAX, "out of memory");
        return CEL_ERROR;
    }

    *slot = WORKFLOW_FACT_COUNT + names->count++;

    return CEL_OK;
}
