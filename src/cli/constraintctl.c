
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * constraintctl - workflows and expressions on the command line, offline.
 * Finds the command; each has a file of its own.
 */


#include <string.h>
#include "cli.h"


typedef struct {
    const char    *name;
    int          (*run)(int argc, char *const *argv);
    const char    *synopsis;
    const char    *help;
} cli_command_t;


static int cli_run(const cli_command_t *command, int argc,
    char *const *argv);
static int cli_help(int argc, char *const *argv);
static void cli_usage(FILE *out);


static const cli_command_t  cli_commands[] = {

    { "check", cli_check, "check FILE...",
      "Checks workflows as the module does when they are stored: syntax,\n"
      "shape, types, outputs, reachability.  A file ending in .json is JSON,\n"
      "in .yaml or .yml YAML, any other by its first character; - is\n"
      "standard input.  Prints what is wrong, with the line and a caret, or\n"
      "the name, the facts read and the cost of each.\n" },

    { "eval", cli_eval, "eval [--type] [--cost] [--var NAME=JSON]... "
      "[--limit NAME=N]... EXPR",
      "Evaluates a CEL expression and prints its value as JSON.\n"
      "  --var NAME=JSON  declares NAME (a.b is fine) with that value\n"
      "  --type           prints its type, too\n"
      "  --cost           prints what it cost, too\n"
      "  --limit NAME=N   source, depth, nodes, loops, regex, compile, cost,\n"
      "                   memory, string, entries\n"
      "\n"
      "       constraintctl eval --jsonl\n"
      "\n"
      "Reads lines from standard input, each a cel.expr.conformance.test.\n"
      "SimpleTest in protobuf's JSON mapping (name, expr, container,\n"
      "typeEnv, bindings, disableCheck, disableMacros, checkOnly), and\n"
      "prints for each a line {\"value\": ..., \"type\": \"...\",\n"
      "\"cost\": N} or {\"error\": {\"kind\": \"parse|check|eval\",\n"
      "\"message\": \"...\", \"line\": L, \"column\": C}}; with checkOnly\n"
      "there is a type alone.  An optional value is {\"optionalValue\":\n"
      "{\"value\": ...}}, with {} when it has none.\n" },

    { "test", cli_test, "test POLICY TESTS",
      "Runs the test suite of a policy, in the format of cel-go's policy\n"
      "package, and prints TAP.\n" },

    { "disasm", cli_disasm, "disasm [--var NAME=JSON]... [--limit NAME=N]... "
      "EXPR",
      "Prints the program that an expression compiles to, and the facts it\n"
      "reads. The module's facts are known, a variable hides the one of its\n"
      "name.\n" },

    { "help", cli_help, "help [COMMAND]",
      "Prints this, or what a command does.\n" },

    { NULL, NULL, NULL, NULL }
};


int
main(int argc, char *const *argv)
{
    int                   code;
    const cli_command_t  *command;

    if (argc < 2) {
        cli_usage(stderr);
        return CLI_USAGE;
    }

    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        cli_usage(stdout);
        return CLI_OK;
    }

    for (command = cli_commands; command->name != NULL; command++) {
        if (strcmp(command->name, argv[1]) == 0) {
            break;
        }
    }

    if (command->name == NULL) {
        return cli_fail(CLI_USAGE, "no command \"%s\"; constraintctl --help "
                        "lists them", argv[1]);
    }

    code = cli_run(command, argc - 2, argv + 2);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        return cli_fail(CLI_IO, "standard output could not be written");
    }

    return code;
}


static int
cli_run(const cli_command_t *command, int argc, char *const *argv)
{
    int  i;

    for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            printf("usage: constraintctl %s\n\n%s", command->synopsis,
                   command->help);
            return CLI_OK;
        }
    }

    return command->run(argc, argv);
}


static int
cli_help(int argc, char *const *argv)
{
    const cli_command_t  *command;

    if (argc == 0) {
        cli_usage(stdout);
        return CLI_OK;
    }

    for (command = cli_commands; command->name != NULL; command++) {
        if (strcmp(command->name, argv[0]) == 0) {
            printf("usage: constraintctl %s\n\n%s", command->synopsis,
                   command->help);
            return CLI_OK;
        }
    }

    return cli_fail(CLI_USAGE, "no command \"%s\"", argv[0]);
}


static void
cli_usage(FILE *out)
{
    const cli_command_t  *command;

    fprintf(out, "usage: constraintctl COMMAND ...\n\n");

    for (command = cli_commands; command->name != NULL; command++) {
        fprintf(out, "    constraintctl %s\n", command->synopsis);
    }

    fprintf(out, "\n"
            "constraintctl COMMAND --help tells more.\n"
            "\n"
            "Exit status: 0 all is well; 1 a document, an expression or a\n"
            "test failed; 2 wrong usage; 3 a file cannot be read, or the\n"
            "output not written.\n");
}
