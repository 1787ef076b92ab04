
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * constraintctl disasm: the program that an expression on the module's facts
 * compiles to.
 */


#include <stdlib.h>
#include "cli.h"


#define DISASM_SIZE  (4 * 1024 * 1024)


static int disasm_print(const cli_options_t *options,
    const cel_program_t *program);


int
cli_disasm(int argc, char *const *argv)
{
    int             code;
    cel_program_t  *program;
    cli_options_t   options;

    code = cli_options_read(&options, argc, argv);

    if (code == CLI_OK && options.jsonl) {
        code = cli_fail(CLI_USAGE, "disasm has no --jsonl");
    }

    if (code == CLI_OK) {
        options.facts = true;
        program = cli_compile(&options);
        code = CLI_FAILED;

        if (program != NULL) {
            code = disasm_print(&options, program);
            cel_program_destroy(program);
        }
    }

    cli_options_free(&options);

    return code;
}


static int
disasm_print(const cli_options_t *options, const cel_program_t *program)
{
    char              *text;
    uint32_t           i, n;
    const char        *name;
    const cel_slot_t  *slots;

    text = malloc(DISASM_SIZE);

    if (text == NULL) {
        return cli_fail(CLI_IO, "out of memory");
    }

    cel_disassemble(program, text, DISASM_SIZE);
    fputs(text, stdout);
    free(text);

    slots = cel_program_facts(program, &n);

    for (i = 0; i < n; i++) {
        name = workflow_fact_name(slots[i]);

        if (slots[i] >= WORKFLOW_FACT_COUNT) {
            name = slots[i] - WORKFLOW_FACT_COUNT < options->count
                   ? options->vars[slots[i] - WORKFLOW_FACT_COUNT].name
                   : "nginx.var()";
        }

        printf("; fact %u is %s\n", slots[i], name);
    }

    return CLI_OK;
}
