
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_branch_find.c - finds out whether a program is a table of comparisons,
 * by going through its instructions with what they would find on the stack:
 * the bools that && and || keep there are known wherever one gets.  The code
 * stays as it is, for the cases that are not usual.
 */


#include "cel_branch.h"


/* What is known at an instruction: bit i of bools is that of stack[i]. */

typedef struct {
    uint32_t              pc;
    uint32_t              depth;
    uint32_t              bools;
    uint32_t              units;         /* on the way */
} branch_at_t;

typedef struct {
    cel_program_t        *program;
    cel_branch_test_t    *tests;
    branch_at_t           at[CEL_BRANCH_MAX];     /* where each begins */
    branch_at_t           after[CEL_BRANCH_MAX];
    uint32_t              ntests;
} branch_find_t;


static bool branch_all(branch_find_t *find);
static bool branch_next(branch_find_t *find, const branch_at_t *after,
    bool value, uint16_t *next, uint16_t *units);
static bool branch_step(branch_find_t *find, branch_at_t *at, bool *end);
static bool branch_pop(branch_at_t *at, bool *value);
static bool branch_push(branch_at_t *at, bool value);
static bool branch_meet(branch_find_t *find, const branch_at_t *at,
    uint16_t *next);
static bool branch_read(branch_find_t *find, branch_at_t *at,
    cel_branch_test_t *test);
static bool branch_compared(branch_find_t *find, branch_at_t *at,
    cel_branch_test_t *test);
static bool branch_no_table(const cel_branch_test_t *test);
static bool branch_read_part(branch_find_t *find, branch_at_t *at,
    cel_branch_part_t *part);
static bool branch_read_start(branch_find_t *find, branch_at_t *at,
    cel_branch_test_t *test);
static bool branch_is_starts(const cel_call_t *call);


void
cel_branch_find(cel_program_t *program)
{
    size_t             size;
    branch_find_t      find;
    cel_branch_t      *branch;
    cel_branch_test_t  tests[CEL_BRANCH_MAX];

    memset(&find, 0, sizeof(find));
    memset(tests, 0, sizeof(tests));

    find.program = program;
    find.tests = tests;

    if (program->quick.form != CEL_QUICK_NONE || !branch_all(&find)) {
        return;
    }

    size = find.ntests * sizeof(cel_branch_test_t);

    branch = cel_arena_alloc(&program->arena, sizeof(cel_branch_t) + size);

    if (branch != NULL) {
        branch->min_facts = program->min_facts;
        branch->ntests = find.ntests;
        memcpy(branch->tests, tests, size);
        program->branch = branch;
    }
}


/* From the first comparison on, each that is met is looked at in turn. */

static bool
branch_all(branch_find_t *find)
{
    bool                b;
    uint16_t            first;
    uint32_t            i;
    branch_at_t         at;
    cel_branch_test_t  *test;

    memset(&at, 0, sizeof(at));

    if (!branch_meet(find, &at, &first)) {
        return false;
    }

    for (i = 0; i < find->ntests; i++) {

        test = &find->tests[i];

        find->after[i] = find->at[i];
        find->after[i].units = 0;

        if (!branch_read(find, &find->after[i], test)) {
            return false;
        }

        b = false;

        do {
            if (!branch_next(find, &find->after[i], b, &test->next[b],
                             &test->units[b]))
            {
                return false;
            }

            b = !b;
        } while (b);
    }

    return true;
}


/* From a comparison with that value to the next one or to the result. */

static bool
branch_next(branch_find_t *find, const branch_at_t *after, bool value,
    uint16_t *next, uint16_t *units)
{
    bool         end;
    branch_at_t  at;

    at = *after;
    end = false;

    if (!branch_push(&at, value)) {
        return false;
    }

    while (!end) {

        if (branch_step(find, &at, &end)) {
            continue;
        }

        if (!branch_meet(find, &at, next) || at.units > UINT16_MAX) {
            return false;
        }

        *units = (uint16_t) at.units;

        return true;
    }

    *next = at.bools & 1 ? CEL_BRANCH_TRUE : CEL_BRANCH_FALSE;
    *units = (uint16_t) at.units;

    return at.depth == 1 && at.units <= UINT16_MAX;
}


/* An instruction on known bools; false: it is none, and nothing is done. */

static bool
branch_step(branch_find_t *find, branch_at_t *at, bool *end)
{
    bool                left, top;
    branch_at_t         to;
    const cel_value_t  *k;
    const cel_instr_t  *ip;

    ip = &find->program->code[at->pc];

    to = *at;
    to.pc++;
    to.units++;

    if (ip->op == CEL_OP_RETURN) {
        *end = true;
        return true;
    }

    if (ip->op == CEL_OP_JUMP) {
        at->pc = ip->b;
        at->units++;
        return true;
    }

    if (ip->op == CEL_OP_CONST) {
        k = &find->program->constants[ip->b];

        if (k->kind != CEL_BOOL || !branch_push(&to, k->b)) {
            return false;
        }

        *at = to;
        return true;
    }

    if (!branch_pop(&to, &top)) {
        return false;
    }

    switch (ip->op) {

    case CEL_OP_UNLESS:
        to.pc = top ? to.pc : ip->b;
        break;

    case CEL_OP_NOT:
        (void) branch_push(&to, !top);
        break;

    case CEL_OP_AND:
    case CEL_OP_OR:
        to.pc = top == (ip->op == CEL_OP_OR) ? ip->b : to.pc;
        (void) branch_push(&to, top);
        break;

    case CEL_OP_AND_END:
    case CEL_OP_OR_END:

        /* the left one was neutral */

        if (!branch_pop(&to, &left)) {
            return false;
        }

        (void) branch_push(&to, top);
        break;

    default:
        return false;
    }

    *at = to;

    return true;
}


static bool
branch_pop(branch_at_t *at, bool *value)
{
    if (at->depth == 0) {
        return false;
    }

    at->depth--;
    *value = (at->bools >> at->depth) & 1;
    at->bools &= ~(1u << at->depth);

    return true;
}


static bool
branch_push(branch_at_t *at, bool value)
{
    if (at->depth == 32) {
        return false;
    }

    at->bools |= (uint32_t) value << at->depth;
    at->depth++;

    return true;
}


/* The comparison that begins there, perhaps a new one. */

static bool
branch_meet(branch_find_t *find, const branch_at_t *at, uint16_t *next)
{
    uint32_t  i;

    for (i = 0; i < find->ntests; i++) {
        if (find->at[i].pc == at->pc) {
            break;
        }
    }

    if (i == find->ntests) {

        if (i == CEL_BRANCH_MAX) {
            return false;
        }

        find->at[i] = *at;
        find->ntests++;
    }

    *next = (uint16_t) i;

    return find->at[i].depth == at->depth && find->at[i].bools == at->bools;
}


/* Its instructions; at is behind them then, its result not yet pushed. */

static bool
branch_read(branch_find_t *find, branch_at_t *at, cel_branch_test_t *test)
{
    const cel_instr_t  *ip;

    ip = &find->program->code[at->pc];

    if (ip->op == CEL_OP_FACT_EQ_CONST || ip->op == CEL_OP_FACT_IN_CONST) {
        test->form = ip->op == CEL_OP_FACT_EQ_CONST ? CEL_QUICK_EQ
                                                    : CEL_QUICK_IN;
        test->left.slot = ip->b;
        test->right = &find->program->constants[ip[1].b];

        at->pc += 2;
        at->units += 3;

        return branch_no_table(test);
    }

    if (ip->op == CEL_OP_CONST || !branch_read_part(find, at, &test->left)) {
        return false;
    }

    return branch_compared(find, at, test);
}


static bool
branch_compared(branch_find_t *find, branch_at_t *at, cel_branch_test_t *test)
{
    uint32_t            units;
    const cel_instr_t  *ip;

    ip = &find->program->code[at->pc];
    units = 2;

    switch (ip->op) {

    case CEL_OP_EQ_CONST:
        test->form = CEL_QUICK_EQ;
        break;

    case CEL_OP_NE_CONST:
        test->form = CEL_QUICK_NE;
        break;

    case CEL_OP_ORDER_CONST:
        test->form = CEL_QUICK_ORDER;
        test->order = (uint8_t) ip->a;
        break;

    case CEL_OP_IN_CONST:
        test->form = CEL_QUICK_IN;
        break;

    case CEL_OP_STARTS_CONST:
        test->form = CEL_QUICK_STARTS;
        units = ip->a;
        break;

    case CEL_OP_CONST:
    case CEL_OP_FACT:
    case CEL_OP_FACT_SELECT:
        return branch_read_start(find, at, test);

    default: /* the fact itself, if what follows takes it as a bool */
        test->form = CEL_QUICK_VALUE;
        return true;
    }

    test->right = &find->program->constants[ip->b];

    at->pc++;
    at->units += units;

    return branch_no_table(test);
}


/* a hash table is the VM's */

static bool
branch_no_table(const cel_branch_test_t *test)
{
    return test->form != CEL_QUICK_IN || test->right->l->index == NULL;
}


static bool
branch_read_part(branch_find_t *find, branch_at_t *at,
    cel_branch_part_t *part)
{
    const cel_instr_t  *ip;

    ip = &find->program->code[at->pc];

    switch (ip->op) {

    case CEL_OP_CONST:
        part->slot = CEL_NO_SLOT;
        part->value = &find->program->constants[ip->b];
        break;

    case CEL_OP_FACT:
        part->slot = ip->b;
        part->value = NULL;
        break;

    case CEL_OP_FACT_SELECT:
        part->slot = ip->b;
        part->value = &find->program->constants[ip[1].b];
        at->pc++;
        at->units += 1u + ip->a;
        break;

    default:
        return false;
    }

    at->pc++;
    at->units++;

    return true;
}


/* text.startsWith(part + part + ...), each + a unit as long as it is short */

static bool
branch_read_start(branch_find_t *find, branch_at_t *at,
    cel_branch_test_t *test)
{
    const cel_instr_t  *ip;
    cel_branch_part_t   parts[CEL_BRANCH_PARTS];

    do {
        if (test->nparts == CEL_BRANCH_PARTS
            || !branch_read_part(find, at, &parts[test->nparts]))
        {
            return false;
        }

        ip = &find->program->code[at->pc];

        if (test->nparts++ != 0) {

            if (ip->op != CEL_OP_ADD) {
                return false;
            }

            at->pc++;
            at->units++;
            ip++;
        }

    } while (ip->op != CEL_OP_CALL);

    if (ip->a != 2 || !branch_is_starts(&find->program->calls[ip->b])) {
        return false;
    }

    at->pc++;
    at->units++;

    test->form = CEL_QUICK_STARTS;
    test->parts = cel_arena_alloc(&find->program->arena,
                                  test->nparts * sizeof(cel_branch_part_t));

    if (test->parts == NULL) {
        return false;
    }

    memcpy(test->parts, parts, test->nparts * sizeof(cel_branch_part_t));

    return true;
}


/* the function that compares beginnings, a unit and what is short for none */

static bool
branch_is_starts(const cel_call_t *call)
{
    const cel_charge_t  *charge;

    charge = &call->callees[0].charge;

    return call->count == 1 && strcmp(call->name, "startsWith") == 0
           && call->callees[0].kinds[0] == 1u << CEL_STRING
           && call->callees[0].kinds[1] == 1u << CEL_STRING
           && charge->base == 1 && charge->per == 1
           && charge->shift == CEL_BYTES_SHIFT;
}
