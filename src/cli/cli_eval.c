
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * constraintctl eval: one expression from the command line.
 */


#include <stdlib.h>
#include <string.h>
#include "cli.h"


#define EVAL_COST    1000000000
#define EVAL_MEMORY  (512 * 1024 * 1024)


static int eval_run(const cli_options_t *options,
    const cel_program_t *program);


int
cli_eval(int argc, char *const *argv)
{
    int             code;
    cel_program_t  *program;
    cli_options_t   options;

    code = cli_options_read(&options, argc, argv);

    if (code == CLI_OK && options.jsonl) {
        code = cli_jsonl();

    } else if (code == CLI_OK) {
        program = cli_compile(&options);
        code = CLI_FAILED;

        if (program != NULL) {
            code = eval_run(&options, program);
            cel_program_destroy(program);
        }
    }

    cli_options_free(&options);

    return code;
}


static int
eval_run(const cli_options_t *options, const cel_program_t *program)
{
    char          type[256];
    int           code;
    size_t        len;
    uint32_t      i;
    cel_eval_t    eval;
    cel_value_t  *facts, value;
    cel_arena_t   arena;
    const char   *text;

    memset(&eval, 0, sizeof(cel_eval_t));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, EVAL_MEMORY);

    facts = calloc(options->count + 1, sizeof(cel_value_t));

    if (facts == NULL) {
        return cli_fail(CLI_IO, "out of memory");
    }

    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = options->count;
    eval.cost_limit = EVAL_COST;

    cel_eval_init(&eval);
    cli_limits_eval(options->limits, &eval);

    for (i = 0; i < options->count; i++) {
        facts[i] = options->vars[i].value;
    }

    if (cel_eval(program, &eval, &value) != CEL_OK
        || cel_to_json(&eval, &value, &text, &len) != CEL_OK)
    {
        cli_print_error(stderr, "<expression>", options->expression,
                        strlen(options->expression), &eval.error);
        code = CLI_FAILED;

    } else {
        printf("%.*s\n", (int) len, text);

        if (options->type) {
            cel_type_format(cel_program_type(program), type, sizeof(type));
            printf("type: %s\n", type);
        }

        if (options->cost) {
            printf("cost: %llu\n", (unsigned long long) eval.cost);
        }

        code = CLI_OK;
    }

    cel_arena_reset(&arena);
    free(facts);

    return code;
}
