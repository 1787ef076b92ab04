
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cli.h - what the commands of constraintctl share: exit codes, reading
 * files, printing issues.
 */


#ifndef CLI_H_INCLUDED
#define CLI_H_INCLUDED


#include <stdio.h>
#include "workflow.h"
#include "workflow_facts.h"


#define CLI_OK      0
#define CLI_FAILED  1                   /* the document, expression or test */
#define CLI_USAGE   2
#define CLI_IO      3                   /* a file, standard output, memory */


/* A command gets what follows its name. */

int cli_check(int argc, char *const *argv);
int cli_eval(int argc, char *const *argv);
int cli_jsonl(void);
int cli_test(int argc, char *const *argv);
int cli_disasm(int argc, char *const *argv);


typedef struct {
    const char           *name;         /* as given, "-" is standard input */
    char                 *text;         /* NUL-terminated */
    size_t                len;
    workflow_format_t     format;
} cli_file_t;

/*
 * Steps over the "--" before names of files; without one a name beginning
 * with "--" is an option, which there are none of: false after a message.
 */
bool cli_files(int *argc, char *const **argv);

/* false after a message on standard error */
bool cli_file_read(cli_file_t *file, const char *name);
void cli_file_free(cli_file_t *file);


/* "ERROR: NAME:LINE:COLUMN: MESSAGE (PATH)" and the excerpt */
void cli_print_issues(FILE *out, const char *name,
    const workflow_issues_t *issues);

/* "WARNING: ...", as above. */
void cli_print_warnings(FILE *out, const char *name,
    const workflow_issues_t *issues);

/* The same for an expression. */
void cli_print_error(FILE *out, const char *name, const char *source,
    size_t len, const cel_error_t *error);

/* Prints "constraintctl: ..." on standard error, returns code. */
int cli_fail(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


/* Variables given on the command line, --var name=JSON, all of them dyn. */

typedef struct {
    char                 *name;
    cel_value_t           value;
    cel_json_t           *json;
} cli_var_t;

/* cli_limits.c: the limits by name, 0 = the default of each */

enum {
    CLI_LIMIT_SOURCE = 0,
    CLI_LIMIT_DEPTH,
    CLI_LIMIT_NODES,
    CLI_LIMIT_LOOPS,
    CLI_LIMIT_REGEX,
    CLI_LIMIT_COMPILE,
    CLI_LIMIT_COST,
    CLI_LIMIT_MEMORY,
    CLI_LIMIT_STRING,
    CLI_LIMIT_ENTRIES,
    CLI_LIMITS
};

/* CLI_OK, or another code after a message. */
int cli_limits_read(uint64_t limits[CLI_LIMITS], const char *text);
void cli_limits_env(const uint64_t limits[CLI_LIMITS], cel_limits_t *to);
void cli_limits_eval(const uint64_t limits[CLI_LIMITS], cel_eval_t *eval);


typedef struct {
    cli_var_t            *vars;
    uint32_t              count;
    cel_json_parser_t    *parser;
    const char           *expression;
    bool                  type;         /* --type */
    bool                  cost;         /* --cost */
    bool                  jsonl;        /* --jsonl */
    bool                  facts;        /* the module's are known, too */
    uint64_t              limits[CLI_LIMITS];    /* --limit NAME=N */
} cli_options_t;

/* CLI_OK, or another code after a message. */
int cli_options_read(cli_options_t *options, int argc, char *const *argv);
void cli_options_free(cli_options_t *options);

/* Compiles the expression; NULL after a message. */
cel_program_t *cli_compile(const cli_options_t *options);


#endif /* CLI_H_INCLUDED */
