
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * --limit NAME=N of eval and disasm: every limit of the library by its name.
 */


#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"


static const char *const  cli_limit_names[CLI_LIMITS] = {
    "source", "depth", "nodes", "loops", "regex", "compile", "cost", "memory",
    "string", "entries"
};


int
cli_limits_read(uint64_t limits[CLI_LIMITS], const char *text)
{
    char                *end;
    size_t               len;
    uint32_t             i;
    const char          *equals;
    unsigned long long   n;

    equals = strchr(text, '=');
    len = equals != NULL ? (size_t) (equals - text) : strlen(text);

    for (i = 0; i < CLI_LIMITS; i++) {
        if (strlen(cli_limit_names[i]) == len
            && memcmp(cli_limit_names[i], text, len) == 0)
        {
            break;
        }
    }

    if (i == CLI_LIMITS) {
        return cli_fail(CLI_USAGE, "no limit \"%.*s\", there are source, "
                        "depth, nodes, loops, regex, compile, cost, memory, "
                        "string and entries", (int) len, text);
    }

    errno = 0;
    n = equals != NULL ? strtoull(equals + 1, &end, 10) : 0;

    if (equals == NULL || equals[1] < '0' || equals[1] > '9' || *end != '\0'
        || errno != 0 || n == 0
        || (i != CLI_LIMIT_COST && i != CLI_LIMIT_MEMORY
            && i != CLI_LIMIT_COMPILE && n > UINT32_MAX))
    {
        return cli_fail(CLI_USAGE, "--limit %.*s needs a number from 1, as "
                        "in --limit %s=1000", (int) len, text,
                        cli_limit_names[i]);
    }

    limits[i] = n;

    return CLI_OK;
}


void
cli_limits_env(const uint64_t limits[CLI_LIMITS], cel_limits_t *to)
{
    memset(to, 0, sizeof(cel_limits_t));

    to->max_source = (uint32_t) limits[CLI_LIMIT_SOURCE];
    to->max_depth = (uint32_t) limits[CLI_LIMIT_DEPTH];
    to->max_nodes = (uint32_t) limits[CLI_LIMIT_NODES];
    to->max_loops = (uint32_t) limits[CLI_LIMIT_LOOPS];
    to->max_regex = (uint32_t) limits[CLI_LIMIT_REGEX];
    to->max_memory = limits[CLI_LIMIT_COMPILE];
}


void
cli_limits_eval(const uint64_t limits[CLI_LIMITS], cel_eval_t *eval)
{
    eval->max_regex = (uint32_t) limits[CLI_LIMIT_REGEX];
    eval->max_string = (uint32_t) limits[CLI_LIMIT_STRING];
    eval->max_entries = (uint32_t) limits[CLI_LIMIT_ENTRIES];

    if (limits[CLI_LIMIT_COST] != 0) {
        eval->cost_limit = limits[CLI_LIMIT_COST];
    }

    if (limits[CLI_LIMIT_MEMORY] != 0) {
        eval->arena->limit = limits[CLI_LIMIT_MEMORY];
    }
}
