
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_branch.h - programs whose result is a bool that comparisons of facts
 * and of parts of them decide one after the other, joined by &&, ||, ! and ?:,
 * as most conditions are: evaluated from a table of these comparisons, each of
 * which tells where to go on when it is true and when it is false.  Private to
 * the VM.
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
#define CEL_BRANCH_KEYS   8        /* of a part */
#define CEL_BRANCH_KEPT   4        /* values that are kept */

/* next: the result instead of a comparison */
#define CEL_BRANCH_FALSE  0xfffe
#define CEL_BRANCH_TRUE   0xffff


/*
 * A fact, or what constant keys select of it, or a constant.  What is read
 * more than once is kept, see cel_compile_path.c.
 */

typedef struct {
    cel_slot_t            slot;          /* CEL_NO_SLOT: the constant */
    uint8_t               nkeys;
    uint8_t               nkept;         /* so many keys select what is kept */
    uint8_t               kept;          /* there; + 1, 0: nothing is */
    const cel_value_t    *value;         /* the constant, or the first key */
    const cel_value_t   **keys;          /* all, when there are several */
} cel_branch_part_t;


/*
 * Of two parts, left and parts[0], or else; what a comparison with a constant
 * is, is in cel_quick_form_t.
 */

typedef enum {
    CEL_BRANCH_EQ = CEL_QUICK_STARTS + 1,
    CEL_BRANCH_NE,
    CEL_BRANCH_ORDER,
    CEL_BRANCH_IN,                       /* a list or a map */
    CEL_BRANCH_CALL,
    CEL_BRANCH_SET                       /* left alone, of short texts */
} cel_branch_form_t;


/*
 * One comparison: a cache line.  The table lies together with all that it
 * refers to, as an evaluation that is far from the last one pays for each line
 * that it reads.
 */

struct cel_branch_s {
    uint8_t               form;          /* of the one or the other */
    uint8_t               order;         /* as of ORDER_CONST */
    uint8_t               nparts;
    uint16_t              next[2];       /* when false, when true */
    uint16_t              units[2];      /* until there, from its own first
                                          * instruction on */
    uint16_t              before;        /* IN, CALL: until it runs */
    uint16_t              facts;         /* of the program: so many at least */
    uint32_t              offset;        /* IN, CALL: of an error */
    cel_branch_part_t     left;
    const cel_branch_part_t  *parts;     /* STARTS: of the start */

    union {
        const cel_value_t    *right;     /* constant, or NULL */
        const uint8_t        *set;       /* SET: how many, and each text
                                          * behind its length */
        const cel_call_t     *call;      /* CALL */
    };
};


/* Fills program->branch from its code: NULL when it is not of that kind, or
 * when memory is out. */
void cel_branch_find(cel_program_t *program);

/*
 * cel_branch_pack.c: the table as it is kept, aligned, with copies of what the
 * n comparisons refer to behind it, or NULL.
 */
const cel_branch_t *cel_branch_pack(cel_arena_t *arena,
    const cel_branch_t *tests, uint32_t n);

/* What the first comparison reads first; CEL_NO_SLOT: nothing. */
cel_slot_t cel_branch_first_fact(const cel_branch_t *branch);

/*
 *   CEL_OK         *value is the result, and the units are charged
 *   CEL_NEED       as cel_eval() says it
 *   CEL_ERROR      the same; fatal, its line 0 when it is to be found from
 *                  the offset
 *   CEL_NOT_FOUND  nothing is said; charged is what facts cost that were
 *                  fetched, which the VM will find there, and the one that
 *                  failed: eval->failed and eval->error are that one's
 */
cel_status_t cel_branch_run(const cel_branch_t *branch, cel_eval_t *eval,
    cel_value_t *value);


#endif /* CEL_BRANCH_H_INCLUDED */
