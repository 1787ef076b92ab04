
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
    cel_branch_t    *tests;
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
    cel_branch_t *test);
static bool branch_compared(branch_find_t *find, branch_at_t *at,
    cel_branch_t *test);
static bool branch_no_table(const cel_branch_t *test);
static bool branch_read_part(branch_find_t *find, branch_at_t *at,
    cel_branch_part_t *part);
static bool branch_read_keys(branch_find_t *find, branch_at_t *at,
    cel_branch_part_t *part, uint32_t local, bool select);
static bool branch_add_key(branch_find_t *find, const cel_value_t **keys,
    cel_branch_part_t *part, uint32_t constant);
static bool branch_read_more(branch_find_t *find, branch_at_t *at,
    cel_branch_t *test);
static bool branch_read_pair(branch_find_t *find, branch_at_t *at,
    cel_branch_t *test);
static bool branch_begins_part(const cel_instr_t *ip);
static bool branch_is_starts(const cel_call_t *call);
static bool branch_is_text_test(const cel_call_t *call,
    const cel_branch_part_t *right);


void
cel_branch_find(cel_program_t *program)
{
    branch_find_t  find;
    cel_branch_t   tests[CEL_BRANCH_MAX];

    memset(&find, 0, sizeof(find));
    memset(tests, 0, sizeof(tests));

    find.program = program;
    find.tests = tests;

    if (program->quick.form == CEL_QUICK_NONE
        && program->min_facts <= UINT16_MAX && branch_all(&find))
    {
        tests[0].facts = (uint16_t) program->min_facts;
        program->branch = cel_branch_pack(&program->arena, tests,
                                          find.ntests);
    }
}


cel_slot_t
cel_branch_first_fact(const cel_branch_t *branch)
{
    return branch->left.slot == CEL_NO_SLOT ? branch->parts[0].slot
                                            : branch->left.slot;
}


/* From the first comparison on, each that is met is looked at in turn. */

static bool
branch_all(branch_find_t *find)
{
    bool                b;
    uint16_t            first;
    uint32_t            i;
    branch_at_t         at;
    cel_branch_t       *test;

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
branch_read(branch_find_t *find, branch_at_t *at, cel_branch_t *test)
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

    return branch_read_part(find, at, &test->left)
           && branch_compared(find, at, test);
}


static bool
branch_compared(branch_find_t *find, branch_at_t *at, cel_branch_t *test)
{
    uint32_t            units;
    const cel_instr_t  *ip;

    ip = &find->program->code[at->pc];
    units = 2;

    if (branch_begins_part(ip)) {
        return branch_read_more(find, at, test);
    }

    if (test->left.slot == CEL_NO_SLOT) {
        return false;
    }

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
branch_no_table(const cel_branch_t *test)
{
    return test->form != CEL_QUICK_IN || test->right->l->index == NULL;
}


/*
 * KEPT and KEEP around a part or its beginning: of several the outer one
 * counts, as what is kept costs what it costs to read.
 */

static bool
branch_read_part(branch_find_t *find, branch_at_t *at,
    cel_branch_part_t *part)
{
    uint32_t              local, first;
    const cel_instr_t    *ip;
    const cel_program_t  *program;

    program = find->program;
    ip = &program->code[at->pc];

    memset(part, 0, sizeof(cel_branch_part_t));
    local = 0;

    while (ip->op == CEL_OP_KEPT) {

        first = program->nlocals - program->nkept;

        if (part->kept == 0 && ip->a - first < CEL_BRANCH_KEPT) {
            part->kept = (uint8_t) (ip->a - first + 1);
            local = ip->a;
        }

        at->pc += 2;
        ip += 2;
    }

    switch (ip->op) {

    case CEL_OP_CONST:
        at->pc++;
        at->units++;
        part->slot = CEL_NO_SLOT;
        part->value = &program->constants[ip->b];
        return true;

    case CEL_OP_FACT:
        at->pc++;
        at->units++;
        part->slot = ip->b;
        return branch_read_keys(find, at, part, local, false);

    case CEL_OP_FACT_SELECT:
        part->slot = ip->b;
        return branch_read_keys(find, at, part, local, true);

    default:
        return false;
    }
}


/* select: at is at the instruction that reads the fact and selects of it */

static bool
branch_read_keys(branch_find_t *find, branch_at_t *at,
    cel_branch_part_t *part, uint32_t local, bool select)
{
    size_t               size;
    const cel_instr_t   *ip;
    const cel_value_t   *keys[CEL_BRANCH_KEYS];

    if (select) {
        ip = &find->program->code[at->pc];

        if (!branch_add_key(find, keys, part, ip[1].b)) {
            return false;
        }

        at->pc += 2;
        at->units += 2u + ip->a;
    }

    for ( ;; ) {
        ip = &find->program->code[at->pc];

        if (ip->op == CEL_OP_SELECT) {

            if (!branch_add_key(find, keys, part, ip->b)) {
                return false;
            }

            at->units += 1u + ip->a;

        } else if (ip->op != CEL_OP_KEEP) {
            break;

        } else if (part->kept != 0 && ip->a == local) {
            part->nkept = part->nkeys;
        }

        at->pc++;
    }

    if (part->nkept == 0) {
        part->kept = 0;
    }

    if (part->nkeys != 0) {
        part->value = keys[0];
    }

    if (part->nkeys <= 1) {
        return true;
    }

    size = part->nkeys * sizeof(cel_value_t *);
    part->keys = cel_arena_alloc(&find->program->arena, size);

    if (part->keys == NULL) {
        return false;
    }

    memcpy(part->keys, keys, size);

    return true;
}


static bool
branch_add_key(branch_find_t *find, const cel_value_t **keys,
    cel_branch_part_t *part, uint32_t constant)
{
    const cel_value_t  *key;

    key = &find->program->constants[constant];

    if (part->nkeys == CEL_BRANCH_KEYS || key->kind != CEL_STRING) {
        return false;
    }

    keys[part->nkeys++] = key;

    return true;
}


/*
 * More than one part: text.startsWith(part + part + ...), each + a unit as
 * long as it is short, or a comparison of two.
 */

static bool
branch_read_more(branch_find_t *find, branch_at_t *at,
    cel_branch_t *test)
{
    size_t              size;
    const cel_instr_t  *ip;
    cel_branch_part_t  *copy, parts[CEL_BRANCH_PARTS];

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

    } while (branch_begins_part(ip));

    size = test->nparts * sizeof(cel_branch_part_t);
    copy = cel_arena_alloc(&find->program->arena, size);

    if (copy == NULL) {
        return false;
    }

    memcpy(copy, parts, size);
    test->parts = copy;

    if (ip->op != CEL_OP_CALL
        || !branch_is_starts(&find->program->calls[ip->b]))
    {
        return test->nparts == 1 && branch_read_pair(find, at, test);
    }

    at->pc++;
    at->units++;

    test->form = CEL_QUICK_STARTS;

    return ip->a == 2;
}


static bool
branch_read_pair(branch_find_t *find, branch_at_t *at,
    cel_branch_t *test)
{
    const cel_call_t   *call;
    const cel_instr_t  *ip;

    ip = &find->program->code[at->pc];
    test->offset = find->program->offsets[at->pc];

    at->pc++;
    at->units++;

    switch (ip->op) {

    case CEL_OP_EQ:
        test->form = CEL_BRANCH_EQ;
        return true;

    case CEL_OP_NE:
        test->form = CEL_BRANCH_NE;
        return true;

    case CEL_OP_LT:
        test->form = CEL_BRANCH_ORDER;
        test->order = 0;
        return true;

    case CEL_OP_LE:
        test->form = CEL_BRANCH_ORDER;
        test->order = 1;
        return true;

    case CEL_OP_GT:
        test->form = CEL_BRANCH_ORDER;
        test->order = 2;
        return true;

    case CEL_OP_GE:
        test->form = CEL_BRANCH_ORDER;
        test->order = 3;
        return true;

    case CEL_OP_IN:
        test->form = CEL_BRANCH_IN;
        break;

    case CEL_OP_CALL:

        /* which charges all that it costs itself */

        at->units--;

        call = &find->program->calls[ip->b];

        test->form = CEL_BRANCH_CALL;
        test->call = call;

        if (ip->a != 2 || !branch_is_text_test(call, &test->parts[0])) {
            return false;
        }

        break;

    default:
        return false;
    }

    test->before = (uint16_t) at->units;

    return at->units <= UINT16_MAX;
}


static bool
branch_begins_part(const cel_instr_t *ip)
{
    return ip->op == CEL_OP_CONST || ip->op == CEL_OP_FACT
           || ip->op == CEL_OP_FACT_SELECT || ip->op == CEL_OP_KEPT;
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


/*
 * Functions of two texts that give a bool and use no memory: an evaluation
 * that says nothing in the end has not used any.  A pattern is a constant.
 */

static bool
branch_is_text_test(const cel_call_t *call, const cel_branch_part_t *right)
{
    if (strcmp(call->name, "matches") == 0) {
        return right->slot == CEL_NO_SLOT
               && (right->value->flags & CEL_F_PREPARED) != 0;
    }

    return call->count == 1
           && (strcmp(call->name, "contains") == 0
               || strcmp(call->name, "endsWith") == 0);
}
