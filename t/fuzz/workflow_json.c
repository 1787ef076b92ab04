/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_json.c - fuzzes workflow documents written in JSON.
 */


#include "fuzz_workflow.h"


static uint64_t
workflow_run(const char *text, size_t len)
{
    return fuzz_workflow(text, len, WORKFLOW_JSON);
}


const fuzz_target_t  fuzz_target = {
    .run = workflow_run,
    FUZZ_WORKFLOW_LIMITS
};
