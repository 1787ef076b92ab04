
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Makes the index: finds the matches of each rule, puts those with the same
 * tests into classes, and keeps the large ones.
 */


#include <stdlib.h>
#include <string.h>
#include "workflow_block.h"


#define INDEX_NO_CLASS     UINT32_MAX
#define INDEX_BYTES_SHIFT  5            /* bytes of a string in one unit */


/* A match of the rule at hand, sorted by the slots of its tests. */

typedef struct {
    uint32_t              step;
    uint32_t              class;
    const cel_tests_t    *tests;
} index_member_t;


/* Members with the same slots, or the same first slot. */

typedef struct {
    uint32_t              first;
    uint32_t              count;
    uint32_t              depth;        /* tests they agree in */
    bool                  whole;        /* in all they have */
} index_group_t;


typedef struct {
    workflow_t           *workflow;
    const cel_tests_t    *tests;
    cel_arena_t          *arena;
    cel_arena_t          *scratch;

    index_member_t       *members;      /* of the rule at hand */
    uint32_t              nmembers;
    uint32_t              nested;
    uint32_t              last;
    index_group_t         groups[WORKFLOW_INDEX_CLASSES];
    uint32_t              ngroups;
} index_build_t;


static cel_status_t index_rule(index_build_t *b, uint32_t step);
static void index_members(index_build_t *b, uint32_t step);
static int index_compare(const void *a, const void *b);
static uint32_t index_agree(const cel_tests_t *a, const cel_tests_t *b);
static void index_group(index_build_t *b, bool whole);
static void index_keep(index_build_t *b, const index_group_t *group);
static void index_assign(index_build_t *b);
static cel_status_t index_block(index_build_t *b);
static cel_status_t index_others(index_build_t *b, workflow_block_t *block);
static cel_status_t index_class(index_build_t *b, workflow_class_t *class,
    uint32_t number);
static cel_status_t index_key(index_build_t *b, workflow_class_t *class,
    const index_member_t **members, uint32_t order);
static void index_rank(workflow_class_t *class);
static int index_by_step(const void *a, const void *b);
static uint64_t index_cost(const workflow_block_t *block);


cel_status_t
workflow_index_build(workflow_t *workflow, const cel_tests_t *tests,
    cel_arena_t *scratch)
{
    uint32_t       i;
    index_build_t  b;

    memset(&b, 0, sizeof(index_build_t));

    b.workflow = workflow;
    b.tests = tests;
    b.arena = &workflow->arena;
    b.scratch = scratch;

    b.members = cel_arena_alloc(scratch,
                              workflow->nsteps * sizeof(index_member_t) + 1);
    if (b.members == NULL) {
        return CEL_ERROR;
    }

    /* a rule begins with the first step, and behind what has no output */

    for (i = 0; i < workflow->nsteps; i++) {
        if ((i == 0 || workflow->steps[i - 1].output == NULL)
            && index_rule(&b, i) != CEL_OK)
        {
            return CEL_ERROR;
        }
    }

    workflow->index_cost += workflow->natoms;

    return CEL_OK;
}


static cel_status_t
index_rule(index_build_t *b, uint32_t step)
{
    index_members(b, step);

    if (b->nmembers < WORKFLOW_INDEX_LEAST) {
        return CEL_OK;
    }

    qsort(b->members, b->nmembers, sizeof(index_member_t), index_compare);

    b->ngroups = 0;

    index_group(b, true);
    index_assign(b);
    index_group(b, false);
    index_assign(b);

    return b->ngroups != 0 ? index_block(b) : CEL_OK;
}


static void
index_members(index_build_t *b, uint32_t step)
{
    index_member_t         *member;
    const workflow_step_t  *s;

    b->nmembers = 0;
    b->nested = 0;

    for ( ;; ) {
        s = &b->workflow->steps[step];

        member = &b->members[b->nmembers++];
        member->step = step;
        member->class = INDEX_NO_CLASS;
        member->tests = &b->tests[step];

        b->nested += s->output == NULL;
        b->last = step;

        if (s->last) {
            return;
        }

        step = s->otherwise;
    }
}


static int
index_compare(const void *a, const void *b)
{
    uint32_t               i;
    const index_member_t  *ma, *mb;

    ma = a;
    mb = b;

    for (i = 0; i < ma->tests->count && i < mb->tests->count; i++) {
        if (ma->tests->items[i].slot != mb->tests->items[i].slot) {
            return ma->tests->items[i].slot < mb->tests->items[i].slot
                   ? -1 : 1;
        }
    }

    if (ma->tests->count != mb->tests->count) {
        return ma->tests->count < mb->tests->count ? -1 : 1;
    }

    return ma->step < mb->step ? -1 : 1;
}


/* in how many tests, from the first on */

static uint32_t
index_agree(const cel_tests_t *a, const cel_tests_t *b)
{
    uint32_t  n;

    n = 0;

    while (n < a->count && n < b->count
           && a->items[n].slot == b->items[n].slot)
    {
        n++;
    }

    return n;
}


/*
 * Members that are in no class yet, in the order of their slots: whole, those
 * that agree in all tests, if they are many; else in the first one.
 */

static void
index_group(index_build_t *b, bool whole)
{
    uint32_t               i, agree, least;
    index_group_t          group;
    const index_member_t  *member, *before;

    least = whole ? b->nmembers / WORKFLOW_INDEX_CLASSES : 0;

    if (least < WORKFLOW_INDEX_LEAST) {
        least = WORKFLOW_INDEX_LEAST;
    }

    group.count = 0;
    group.whole = whole;
    before = NULL;

    for (i = 0; i < b->nmembers; i++) {
        member = &b->members[i];

        if (member->class != INDEX_NO_CLASS || member->tests->count == 0) {
            continue;
        }

        agree = before != NULL ? index_agree(member->tests, before->tests)
                               : 0;

        if (group.count != 0
            && (whole ? agree < member->tests->count
                        || agree < before->tests->count
                      : agree == 0))
        {
            if (group.count >= least) {
                index_keep(b, &group);
            }

            group.count = 0;
        }

        if (group.count == 0) {
            group.first = i;
            group.depth = whole ? member->tests->count : 1;
        }

        group.count++;
        before = member;
    }

    if (group.count >= least) {
        index_keep(b, &group);
    }
}


/* the largest ones; a smaller one makes room */

static void
index_keep(index_build_t *b, const index_group_t *group)
{
    uint32_t  i, smallest;

    if (b->ngroups < WORKFLOW_INDEX_CLASSES) {
        b->groups[b->ngroups++] = *group;
        return;
    }

    smallest = 0;

    for (i = 1; i < b->ngroups; i++) {
        if (b->groups[i].count < b->groups[smallest].count) {
            smallest = i;
        }
    }

    if (b->groups[smallest].count < group->count) {
        b->groups[smallest] = *group;
    }
}


/* The whole groups lie in one piece; the others are what lies between. */

static void
index_assign(index_build_t *b)
{
    uint32_t         i, k, n;
    index_group_t   *group;
    index_member_t  *first;

    for (i = 0; i < b->nmembers; i++) {
        b->members[i].class = INDEX_NO_CLASS;
    }

    for (k = 0; k < b->ngroups; k++) {
        group = &b->groups[k];

        for (i = 0; group->whole && i < group->count; i++) {
            b->members[group->first + i].class = k;
        }
    }

    for (k = 0; k < b->ngroups; k++) {
        group = &b->groups[k];
        first = &b->members[group->first];
        n = group->whole ? group->count : 0;

        for (i = group->first; n < group->count && i < b->nmembers; i++) {

            if (b->members[i].class == INDEX_NO_CLASS
                && index_agree(b->members[i].tests, first->tests) != 0)
            {
                b->members[i].class = k;
                n++;
            }
        }
    }
}


static cel_status_t
index_block(index_build_t *b)
{
    uint32_t           i;
    workflow_step_t   *steps;
    workflow_block_t  *block;

    steps = b->workflow->steps;

    block = cel_arena_alloc(b->arena, sizeof(workflow_block_t));
    if (block == NULL) {
        return CEL_ERROR;
    }

    block->last = b->last;
    block->none = steps[b->last].otherwise;
    block->nclasses = b->ngroups;
    block->classes = cel_arena_alloc(b->arena,
                                     b->ngroups * sizeof(workflow_class_t));

    if (block->classes == NULL) {
        return CEL_ERROR;
    }

    qsort(b->members, b->nmembers, sizeof(index_member_t), index_by_step);

    for (i = 0; i < b->ngroups; i++) {
        if (index_class(b, &block->classes[i], i) != CEL_OK) {
            return CEL_ERROR;
        }

        b->workflow->indexed += block->classes[i].nmembers;
    }

    if (index_others(b, block) != CEL_OK) {
        return CEL_ERROR;
    }

    for (i = 0; i < b->nmembers; i++) {
        steps[b->members[i].step].block = block;
    }

    b->workflow->index_cost += (1 + b->nested) * index_cost(block);

    return CEL_OK;
}


static cel_status_t
index_others(index_build_t *b, workflow_block_t *block)
{
    uint32_t  i, *others;

    others = cel_arena_alloc(b->arena, b->nmembers * sizeof(uint32_t));
    if (others == NULL) {
        return CEL_ERROR;
    }

    block->nothers = 0;
    block->others = others;

    for (i = 0; i < b->nmembers; i++) {
        if (b->members[i].class == INDEX_NO_CLASS) {
            others[block->nothers++] = b->members[i].step;
        }
    }

    return CEL_OK;
}


static cel_status_t
index_class(index_build_t *b, workflow_class_t *class, uint32_t number)
{
    uint32_t                i, n, depth, *steps;
    const index_member_t  **members;

    n = b->groups[number].count;
    depth = b->groups[number].depth;

    steps = cel_arena_alloc(b->arena, n * sizeof(uint32_t));
    members = cel_arena_alloc(b->scratch, n * sizeof(index_member_t *));

    if (steps == NULL || members == NULL) {
        return CEL_ERROR;
    }

    class->members = steps;
    class->nmembers = 0;
    class->nkeys = 0;

    for (i = 0; i < b->nmembers; i++) {
        if (b->members[i].class == number) {
            steps[class->nmembers] = b->members[i].step;
            members[class->nmembers++] = &b->members[i];
        }
    }

    for (i = 0; i < depth; i++) {
        class->slots[i] = members[0]->tests->items[i].slot;

        if (index_key(b, class, members, i) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    index_rank(class);

    return CEL_OK;
}


/* Where one member has a truth, a value that is no bool decides nothing. */

static cel_status_t
index_key(index_build_t *b, workflow_class_t *class,
    const index_member_t **members, uint32_t order)
{
    uint32_t             i;
    workflow_key_t      *key;
    const cel_test_t    *test;
    workflow_allowed_t  *allowed;

    key = &class->keys[class->nkeys];

    key->slot = class->slots[order];
    key->order = order;
    key->truth = members[0]->tests->items[order].truth;

    allowed = cel_arena_alloc(b->scratch,
                              class->nmembers * sizeof(workflow_allowed_t));
    if (allowed == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < class->nmembers; i++) {
        test = &members[i]->tests->items[order];

        key->truth |= test->truth;

        allowed[i].step = members[i]->step;
        allowed[i].nvalues = test->nvalues;
        allowed[i].values = test->values;
    }

    class->nkeys++;

    return workflow_table_build(&key->table, allowed, class->nmembers,
                                b->arena, b->scratch);
}


static void
index_rank(workflow_class_t *class)
{
    uint32_t        i, j;
    workflow_key_t  key;

    for (i = 1; i < class->nkeys; i++) {
        key = class->keys[i];

        for (j = i;
             j > 0 && class->keys[j - 1].table.nentries < key.table.nentries;
             j--)
        {
            class->keys[j] = class->keys[j - 1];
        }

        class->keys[j] = key;
    }
}


static int
index_by_step(const void *a, const void *b)
{
    const index_member_t  *ma, *mb;

    ma = a;
    mb = b;

    return ma->step < mb->step ? -1 : ma->step > mb->step;
}


/* What opening the rule once may cost. */

static uint64_t
index_cost(const workflow_block_t *block)
{
    uint32_t  i, j;
    uint64_t  units;

    units = 1 + block->nclasses;

    for (i = 0; i < block->nclasses; i++) {
        for (j = 0; j < block->classes[i].nkeys; j++) {
            units += 2 + (block->classes[i].keys[j].table.longest
                          >> INDEX_BYTES_SHIFT);
        }
    }

    return units;
}
