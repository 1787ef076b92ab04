/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * fuzz_workflow.h - what is asked of every workflow document, be it YAML or
 * JSON: issues with places, the stored form compiles as the text did,
 * evaluation within its estimate and its limits.
 */


#ifndef FUZZ_WORKFLOW_H_INCLUDED
#define FUZZ_WORKFLOW_H_INCLUDED


#include "fuzz.h"
#include "workflow.h"


#define FUZZ_WORKFLOW_COST    100000
#define FUZZ_WORKFLOW_MEMORY  (2 << 20)

/* what a document of len bytes may take, compiled and evaluated */

#define FUZZ_WORKFLOW_LIMITS                                                  \
    .work_unit = "units",                                                     \
    .work = FUZZ_WORKFLOW_COST,                                               \
    .work_per_byte = 0,                                                       \
    .memory = 2 * FUZZ_WORKFLOW_MEMORY,                                       \
    .memory_per_byte = 20000


uint64_t fuzz_workflow(const char *text, size_t len,
    workflow_format_t format);


#endif /* FUZZ_WORKFLOW_H_INCLUDED */
