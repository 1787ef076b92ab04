/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_yaml.c - fuzzes workflow documents written in YAML.
 */


#include "fuzz_workflow.h"


static uint64_t
workflow_run(const char *text, size_t len)
{
    return fuzz_workflow(text, len, WORKFLOW_YAML);
}


const fuzz_target_t  fuzz_target = {
    .run = workflow_run,
    FUZZ_WORKFLOW_LIMITS
};
