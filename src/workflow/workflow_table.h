
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_table.h - the index's hash tables from constants to steps; private
 * to workflow_index*.c.  Equality is that of the language for the constants
 * that tests have (cel_test_t): whole numbers are equal across their types.
 */


#ifndef WORKFLOW_TABLE_H_INCLUDED
#define WORKFLOW_TABLE_H_INCLUDED


#include "cel.h"


typedef struct {
    cel_value_t           value;
    uint32_t              first;        /* of its steps */
    uint32_t              count;
} workflow_entry_t;


typedef struct {
    uint32_t              mask;
    uint32_t              nentries;
    uint32_t              longest;      /* bytes of a string */
    const uint32_t       *buckets;      /* entry + 1, 0 = free */
    const workflow_entry_t *entries;
    const uint32_t       *steps;
} workflow_table_t;


/* What one step allows. */

typedef struct {
    uint32_t              step;
    uint32_t              nvalues;
    const cel_value_t    *values;
} workflow_allowed_t;


/*
 * steps ascending.  Everything is copied to arena; scratch is for temporary
 * memory.  CEL_OK, or CEL_ERROR when memory is out.
 */
cel_status_t workflow_table_build(workflow_table_t *table,
    const workflow_allowed_t *allowed, uint32_t count, cel_arena_t *arena,
    cel_arena_t *scratch);

/* The entry of a value of any kind, or NULL. */
const workflow_entry_t *workflow_table_find(const workflow_table_t *table,
    const cel_value_t *value);


#endif /* WORKFLOW_TABLE_H_INCLUDED */
