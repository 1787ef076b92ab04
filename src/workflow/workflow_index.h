
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_index.h - which matches of a rule need not be evaluated; private
 * to src/workflow.
 *
 * The meaning of a workflow is its plain order: the first match whose
 * condition is true, or the first error, decides.  The index only skips
 * matches whose condition is false for certain, where finding that out in
 * plain order would have changed nothing that can be seen.  So result, the
 * match that decides, an error's kind, text and position, the facts asked for
 * and their order, and what CEL_NEED stops at, are those of the plain order.
 * What differs is the cost, and with it the point at which a cost limit, the
 * deadline or the memory limit ends an evaluation.
 *
 * A condition is false when an operand of its && is, whatever the others are
 * or fail with.  Its leading operands that compare one slot with constants
 * are its tests (cel_atom.h); the slot is that of a fact, a variable or an
 * atom: a part that several conditions have in common, computed once.
 *
 * The matches of one rule that have tests of the same slots in the same order
 * are a class.  Each slot is a key of the class: a hash table from constants
 * to those members whose test allows that value, in order.  A key decides,
 * once it does, for all members from there on.  It may only when
 *   - its slot has a value.  The first test's slot is fetched when the first
 *     member is what the plain order evaluates next, as that would fetch it
 *     now; a later test's slot is used when somebody else has fetched it;
 *   - the slots of the tests before it have a value or have failed.
 * Until then members are evaluated one after the other.  When several keys
 * may decide, that with the most constants does.  A key whose slot failed
 * decides nothing: its members are false or fail, and which, their other
 * operands tell.
 *
 * Matches that are in no class are evaluated in their place between those
 * that the keys give.  A rule is indexed when a class has at least
 * WORKFLOW_INDEX_LEAST members; the largest WORKFLOW_INDEX_CLASSES classes
 * are kept, so that each step compares a few numbers.
 *
 * Charged: what it costs to fetch a slot, by its program; opening a rule, one
 * unit and one for each class; a key that decides, two and the bytes of a
 * string, unless it is longer than any constant.  workflow_t.index_cost
 * bounds the sum; an evaluation costs at most that and the plain order's
 * estimate.
 */


#ifndef WORKFLOW_INDEX_H_INCLUDED
#define WORKFLOW_INDEX_H_INCLUDED


#include "workflow.h"
#include "cel_atom.h"


#define WORKFLOW_INDEX_LEAST    8
#define WORKFLOW_INDEX_CLASSES  8


typedef struct workflow_block_s  workflow_block_t;
typedef struct workflow_class_s  workflow_class_t;
typedef struct workflow_failed_s workflow_failed_t;


/* A slot that failed; it is not evaluated again, so its cost counts once. */

struct workflow_failed_s {
    workflow_failed_t    *next;
    cel_slot_t            slot;
    cel_error_t           error;
};


/* Steps that are still to come, ascending. */

typedef struct {
    const uint32_t       *steps;
    uint32_t              pos;
    uint32_t              count;
    uint32_t              key;          /* that decides; keys of the class:
                                         * none does */
    bool                  failed;       /* the first test's slot */
} workflow_list_t;


/*
 * Where an evaluation is in one rule.  Entering another one, a nested one,
 * too, begins anew.
 */
typedef struct {
    const workflow_block_t  *block;     /* NULL at first */
    bool                     stepwise;  /* give what may come next, too */
    workflow_list_t          lists[WORKFLOW_INDEX_CLASSES + 1];
} workflow_cursor_t;


/*
 * tests[i] are those of step i, borrowed; scratch is for temporary memory.
 * Sets the steps' blocks, index_cost, indexed.  CEL_OK, or CEL_ERROR when
 * memory is out.
 */
cel_status_t workflow_index_build(workflow_t *workflow,
    const cel_tests_t *tests, cel_arena_t *scratch);

/*
 * *step is of an indexed rule and what comes next in plain order; becomes the
 * first one from there on that has to be evaluated, or that which follows
 * when no match of the rule does.  Stepwise it becomes the first one that may
 * have to be, which another call tells: one that leaves *step as it is.  So
 * no slot is fetched for a step but *step.  failed: the slots known to.
 * CEL_OK; or CEL_NEED or CEL_ERROR (fatal), with *step the match it would have
 * been in.
 */
cel_status_t workflow_index_next(workflow_cursor_t *cursor, cel_eval_t *eval,
    const workflow_block_t *block, const workflow_failed_t *failed,
    uint32_t *step);

/* Past the last of the rule's matches? */
bool workflow_index_over(const workflow_block_t *block, uint32_t step);


#endif /* WORKFLOW_INDEX_H_INCLUDED */
