
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_block.h - an indexed rule as workflow_index_build.c makes it and
 * workflow_index.c uses it; private to the two.
 */


#ifndef WORKFLOW_BLOCK_H_INCLUDED
#define WORKFLOW_BLOCK_H_INCLUDED


#include "workflow_policy.h"
#include "workflow_table.h"


typedef struct {
    cel_slot_t             slot;
    uint32_t               order;       /* among the members' tests */
    bool                   truth;
    workflow_table_t       table;
} workflow_key_t;


struct workflow_class_s {
    uint32_t               nmembers;
    const uint32_t        *members;     /* steps, ascending */
    uint32_t               nkeys;
    workflow_key_t         keys[CEL_TESTS_MAX];   /* the best one first */
    cel_slot_t             slots[CEL_TESTS_MAX];  /* of the tests, in order */
};


struct workflow_block_s {
    uint32_t               last;        /* step */
    uint32_t               none;        /* the step after it */
    uint32_t               nothers;     /* in no class */
    const uint32_t        *others;
    uint32_t               nclasses;
    workflow_class_t      *classes;
};


#endif /* WORKFLOW_BLOCK_H_INCLUDED */
