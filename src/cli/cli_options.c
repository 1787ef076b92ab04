
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The arguments of eval and disasm, and the env they make.
 */


#include <stdlib.h>
#include <string.h>
#include "cli.h"


static int cli_options_var(cli_options_t *options, const char *text);
static cel_status_t cli_options_facts(cel_env_t *env, cel_slot_t *next);
static cel_status_t cli_options_resolve(void *ctx, const char *literal,
    size_t len, cel_slot_t *slot, char message[CEL_MESSAGE_MAX]);
static void cli_options_hint(const cli_options_t *options,
    const cel_issues_t *issues);
static cel_status_t cli_options_declare(const cli_options_t *options,
    cel_env_t *env, uint32_t i);


int
cli_options_read(cli_options_t *options, int argc, char *const *argv)
{
    int   i, code;
    bool  flags;

    memset(options, 0, sizeof(cli_options_t));

    options->parser = cel_json_parser_create();
    options->vars = calloc(argc + 1, sizeof(cli_var_t));

    if (options->parser == NULL || options->vars == NULL) {
        return cli_fail(CLI_IO, "out of memory");
    }

    flags = true;

    for (i = 0; i < argc; i++) {

        if (flags && strcmp(argv[i], "--") == 0) {
            flags = false;

        } else if (flags && strcmp(argv[i], "--type") == 0) {
            options->type = true;

        } else if (flags && strcmp(argv[i], "--cost") == 0) {
            options->cost = true;

        } else if (flags && strcmp(argv[i], "--jsonl") == 0) {
            options->jsonl = true;

        } else if (flags && strcmp(argv[i], "--var") == 0) {

            if (++i == argc) {
                return cli_fail(CLI_USAGE, "--var needs NAME=JSON");
            }

            code = cli_options_var(options, argv[i]);

            if (code != CLI_OK) {
                return code;
            }

        } else if (flags && strcmp(argv[i], "--limit") == 0) {

            if (++i == argc) {
                return cli_fail(CLI_USAGE, "--limit needs NAME=N");
            }

            code = cli_limits_read(options->limits, argv[i]);

            if (code != CLI_OK) {
                return code;
            }

        } else if (flags && strncmp(argv[i], "--", 2) == 0) {
            return cli_fail(CLI_USAGE, "no option \"%s\"; an expression that "
                            "begins with -- goes behind --", argv[i]);

        } else if (options->expression != NULL) {
            return cli_fail(CLI_USAGE, "one expression only, \"%.60s\" is "
                            "another: put it in quotes", argv[i]);

        } else {
            options->expression = argv[i];
        }
    }

    if (options->jsonl) {

        if (options->expression != NULL || options->count != 0) {
            return cli_fail(CLI_USAGE, "--jsonl reads expressions and "
                            "variables from standard input");
        }

        return CLI_OK;
    }

    if (options->expression == NULL) {
        return cli_fail(CLI_USAGE, "an EXPR is needed");
    }

    return CLI_OK;
}


static int
cli_options_var(cli_options_t *options, const char *text)
{
    uint32_t      i;
    cli_var_t    *var;
    cel_error_t   error;
    const char   *equals;

    equals = strchr(text, '=');

    if (equals == NULL || equals == text) {
        return cli_fail(CLI_USAGE, "--var needs NAME=JSON, not \"%s\"", text);
    }

    var = &options->vars[options->count];
    var->name = strndup(text, equals - text);
    var->json = cel_json_parse(options->parser, equals + 1,
                               strlen(equals + 1), NULL, &error);
    options->count++;

    if (var->name == NULL) {
        return cli_fail(CLI_IO, "out of memory");
    }

    for (i = 0; i < options->count - 1; i++) {
        if (strcmp(options->vars[i].name, var->name) == 0) {
            return cli_fail(CLI_USAGE, "--var %s is given twice", var->name);
        }
    }

    if (var->json == NULL) {
        return cli_fail(CLI_USAGE, "--var %s: the value is not JSON: %s; text "
                        "is in quotes: --var '%s=\"text\"'", var->name,
                        error.message, var->name);
    }

    var->value = cel_json_root(var->json);

    return CLI_OK;
}


void
cli_options_free(cli_options_t *options)
{
    uint32_t  i;

    for (i = 0; i < options->count; i++) {

        free(options->vars[i].name);

        if (options->vars[i].json != NULL) {
            cel_json_destroy(options->vars[i].json);
        }
    }

    free(options->vars);

    if (options->parser != NULL) {
        cel_json_parser_destroy(options->parser);
    }
}


/* Those of the module, nginx.var() of any name. */

static cel_status_t
cli_options_facts(cel_env_t *env, cel_slot_t *next)
{
    if (workflow_facts_declare(env) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_env_declare_resolver(env, "nginx.var", cli_options_resolve,
                                    next);
}


static cel_status_t
cli_options_resolve(void *ctx, const char *literal, size_t len,
    cel_slot_t *slot, char message[CEL_MESSAGE_MAX])
{
    cel_slot_t  *next;

    next = ctx;
    *slot = (*next)++;

    return CEL_OK;
}


/* A variable hides a fact of its name. */

static cel_status_t
cli_options_declare(const cli_options_t *options, cel_env_t *env, uint32_t i)
{
    uint32_t     base;
    const char  *name;

    base = 0;
    name = options->vars[i].name;

    if (options->facts) {
        base = WORKFLOW_FACT_COUNT;

        if (workflow_fact_slot(name, strlen(name)) != CEL_NO_SLOT) {
            cel_env_undeclare(env, name);
        }
    }

    return cel_env_declare(env, name, "dyn", base + i, CEL_SIZE_BODY, 0);
}


cel_program_t *
cli_compile(const cli_options_t *options)
{
    size_t          len;
    uint32_t        i;
    cel_env_t      *env;
    cel_slot_t      next;
    cel_limits_t    limits;
    cel_issues_t    issues;
    cel_program_t  *program;

    program = NULL;
    next = WORKFLOW_FACT_COUNT + options->count;
    cli_limits_env(options->limits, &limits);
    env = cel_env_create(&cel_allocator_libc, &limits);

    if (env == NULL
        || (options->facts && cli_options_facts(env, &next) != CEL_OK))
    {
        cli_fail(CLI_IO, "out of memory");
        goto done;
    }

    for (i = 0; i < options->count; i++) {
        if (cli_options_declare(options, env, i) != CEL_OK) {
            cli_fail(CLI_USAGE, "--var %s: the name cannot be declared",
                     options->vars[i].name);
            goto done;
        }
    }

    memset(&issues, 0, sizeof(cel_issues_t));

    len = strlen(options->expression);
    program = cel_compile(env, options->expression, len, &issues);

    if (program == NULL) {
        for (i = 0; i < issues.count; i++) {
            cli_print_error(stderr, "<expression>", options->expression, len,
                            &issues.items[i]);
        }

        if (issues.total > issues.count) {
            fprintf(stderr, "... and %u more\n",
                    issues.total - issues.count);
        }

        cli_options_hint(options, &issues);
    }

done:

    if (env != NULL) {
        cel_env_destroy(env);
    }

    return program;
}


/* what is a fact to a workflow is but a name here */

static void
cli_options_hint(const cli_options_t *options, const cel_issues_t *issues)
{
    uint32_t  i;

    for (i = 0; i < issues->count && !options->facts; i++) {

        if (strncmp(issues->items[i].message, "undeclared reference to ", 24)
            == 0)
        {
            fprintf(stderr, "a name has the value that --var NAME=JSON gives "
                    "it\n");
            return;
        }
    }
}
