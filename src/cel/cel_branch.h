
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_branch.h - programs whose result is a bool that comparisons of facts
 * decide one after the other, joined by &&, ||, ! and ?:, as most conditions
 * are: evaluated from a table of these comparisons, each of which tells where
 * to go on when it is true and when it is false.  Private to the VM.
 *
 * As a quick program it takes the usual course alone: what is read is there
 * and of the kind that is compared, texts are short, no look is due.  Whatever
 * else may be, nothing is said, and the VM runs the program's instructions.
 */


#ifndef CEL_BRANCH_H_INCLUDED
#define CEL_BRANCH_H_INCLUDED


#include "cel_program.h"


#define CEL_BRANCH_MAX    32       /* comparisons of a program */
#define CEL_BRANCH_PARTS  8        /* of a text that is put together */

/* next: the result instead of a comparison */
#define CEL_BRANCH_FALSE  0xfffe
#define CEL_BRANCH_TRUE   0xffff


/* A fact, or what a constant key selects of it, or a constant. */

typedef struct {
    cel_slot_t            slot;          /* CEL_NO_SLOT: the constant */
    const cel_value_t    *value;         /* key or constant; NULL: the fact */
} cel_branch_part_t;


typedef struct {
    uint8_t               form;          /* cel_quick_form_t */
    uint8_t               order;         /* as of ORDER_CONST */
    uint16_t              next[2];       /* when false, when true */
    uint16_t              units[2];      /* until there, from its own first
                                          * instruction on */
    cel_branch_part_t     left;
    const cel_value_t    *right;         /* constant, or NULL */
    cel_branch_part_t    *parts;         /* STARTS: of the start */
    uint32_t              nparts;
} cel_branch_test_t;


struct cel_branch_s {
    uint32_t              min_facts;
    uint32_t              ntests;
    cel_branch_test_t     tests[];
};


/* Fills program->branch from its code: NULL when it is not of that kind, or
 * when memory is out. */
void cel_branch_find(cel_program_t *program);

/*
 *   CEL_OK         *value is the result, and the units are charged
 *   CEL_NEED       as cel_eval() says it
 *   CEL_ERROR      the same; fatal
 *   CEL_NOT_FOUND  nothing is said; charged is what facts cost that were
 *                  fetched, which the VM will find there, and the one that
 *                  failed: eval->failed and eval->error are that one's
 */
cel_status_t cel_branch_run(const cel_branch_t *branch, cel_eval_t *eval,
    cel_value_t *value);


#endif /* CEL_BRANCH_H_INCLUDED */
