
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_branch.c - runs tables of comparisons.  Evaluates nothing that could
 * fail: what could is the VM's.
 */


#include "cel_branch.h"
#include "cel_vm.h"


typedef struct {
    cel_eval_t     *eval;
    uint64_t        fetched;             /* what facts cost */
    cel_status_t    rc;                  /* when nothing is said */
    uint32_t        kept_set;            /* a bit for each */
    cel_value_t     member;
    cel_value_t     kept[CEL_BRANCH_KEPT];
} branch_run_t;


static int branch_test(branch_run_t *run, const cel_branch_t *test);
static int branch_starts(branch_run_t *run, const cel_branch_t *test,
    const cel_value_t *text);
static int branch_in_set(const uint8_t *set, const cel_value_t *text);
static int branch_pair(branch_run_t *run, const cel_branch_t *test,
    const cel_value_t *left) __attribute__((hot));
static inline const cel_value_t *branch_part(branch_run_t *run,
    const cel_branch_part_t *part);
static bool branch_fetch(branch_run_t *run, cel_slot_t slot)
    __attribute__((hot));
static const cel_value_t *branch_member(branch_run_t *run,
    const cel_branch_part_t *part, const cel_value_t *fact)
    __attribute__((hot));
static inline cel_status_t branch_select(branch_run_t *run,
    const cel_value_t *map, const cel_value_t *key, cel_value_t *value);


cel_status_t
cel_branch_run(const cel_branch_t *branch, cel_eval_t *eval,
    cel_value_t *value)
{
    int                  said;
    uint32_t             i;
    uint64_t             cost;
    branch_run_t         run;
    const cel_branch_t  *test;

    if (cel_unlikely(branch->facts > eval->nfacts
                     || eval->depth >= CEL_EVAL_DEPTH))
    {
        return CEL_NOT_FOUND;
    }

    run.eval = eval;
    run.fetched = 0;
    run.rc = CEL_NOT_FOUND;
    run.kept_set = 0;

    cost = eval->cost;
    i = 0;

    eval->depth++;

    do {
        test = &branch[i];

        said = branch_test(&run, test);

        if (cel_unlikely(said < 0)) {
            goto unsaid;
        }

        i = test->next[said];
        eval->cost += test->units[said];

        if (cel_unlikely(eval->cost >= eval->next_look)) {
            goto unsaid;
        }

    } while (i < CEL_BRANCH_FALSE);

    eval->depth--;

    cel_put_bool(value, i == CEL_BRANCH_TRUE);

    return CEL_OK;

unsaid:

    eval->depth--;

    if (run.rc == CEL_NOT_FOUND) {
        eval->cost = cost + run.fetched;
    }

    return run.rc;
}


/* 0, 1, or CEL_UNSAID with run->rc */

static int
branch_test(branch_run_t *run, const cel_branch_t *test)
{
    int                 said;
    const cel_value_t  *left;

    left = branch_part(run, &test->left);

    if (cel_unlikely(left == NULL)) {
        return CEL_UNSAID;
    }

    /* no switch: its table would be a cache line more, or two */

    if (test->form == CEL_BRANCH_SET) {
        return branch_in_set(test->set, left);
    }

    if (test->form == CEL_QUICK_EQ) {
        return cel_says_equal(left, test->right);
    }

    if (test->form == CEL_QUICK_STARTS) {
        return test->right != NULL ? cel_says_starts(left, test->right)
                                   : branch_starts(run, test, left);
    }

    if (test->form == CEL_QUICK_ORDER) {
        said = cel_says_order(left, test->right, test->order);
        return said < 0 ? cel_says_order_text(left, test->right, test->order)
                        : said;
    }

    if (test->form == CEL_QUICK_NE) {
        said = cel_says_equal(left, test->right);
        return said < 0 ? said : !said;
    }

    if (test->form == CEL_QUICK_VALUE) {
        return left->kind == CEL_BOOL ? left->b : CEL_UNSAID;
    }

    if (test->form == CEL_QUICK_IN) {
        return cel_says_in_set(left, test->right);
    }

    return branch_pair(run, test, left);
}


static int
branch_in_set(const uint8_t *set, const cel_value_t *text)
{
    uint32_t  n, len;

    if (text->kind != CEL_STRING || text->len >= 1u << CEL_BYTES_SHIFT) {
        return CEL_UNSAID;
    }

    for (n = *set++; n != 0; n--) {
        len = *set++;

        if (len == text->len && cel_same_text((const char *) set, text->s, len))
        {
            return 1;
        }

        set += len;
    }

    return 0;
}


static __attribute__((noinline)) int
branch_pair(branch_run_t *run, const cel_branch_t *test,
    const cel_value_t *left)
{
    int                 said;
    cel_eval_t         *eval;
    cel_value_t         args[2], value;
    cel_status_t        rc;
    const cel_value_t  *right;

    eval = run->eval;
    args[0] = *left;             /* it may be the member before the next */

    right = branch_part(run, &test->parts[0]);

    if (cel_unlikely(right == NULL)) {
        return CEL_UNSAID;
    }

    args[1] = *right;

    switch (test->form) {

    case CEL_BRANCH_EQ:
        return cel_says_equal(&args[0], &args[1]);

    case CEL_BRANCH_NE:
        said = cel_says_equal(&args[0], &args[1]);
        return said < 0 ? said : !said;

    case CEL_BRANCH_ORDER:
        said = cel_says_order(&args[0], &args[1], test->order);
        return said < 0 ? cel_says_order_text(&args[0], &args[1], test->order)
                        : said;

    default:
        break;
    }

    /* these charge, each what it takes, as if all before them was charged */

    eval->cost += test->before;

    if (cel_unlikely(eval->cost >= eval->next_look)) {
        return CEL_UNSAID;
    }

    rc = test->form == CEL_BRANCH_IN
         ? cel_op_in(eval, args, 2, &value)
         : cel_vm_call(eval, test->call, args, 2, &value);

    if (cel_likely(rc == CEL_OK)) {
        eval->cost -= test->before;
        return value.kind == CEL_BOOL ? value.b : CEL_UNSAID;
    }

    if (rc == CEL_ERROR && cel_error_is_fatal(eval->error.kind)) {

        if (eval->error.line == 0) {
            eval->error.offset = test->offset;
        }

        run->rc = CEL_ERROR;
    }

    return CEL_UNSAID;
}


/*
 * The parts are compared where they stand in the text.  All of them are read,
 * as if they were put together; a start that would be charged for its length
 * is none of the usual ones.
 */

static int
branch_starts(branch_run_t *run, const cel_branch_t *test,
    const cel_value_t *text)
{
    bool                starts;
    uint32_t            i, len;
    cel_value_t         whole;
    const cel_value_t  *part;

    if (cel_unlikely(text->kind != CEL_STRING)) {
        return CEL_UNSAID;
    }

    whole = *text;               /* it may be the member before the next */
    starts = true;
    len = 0;

    for (i = 0; i < test->nparts; i++) {

        part = branch_part(run, &test->parts[i]);

        if (cel_unlikely(part == NULL)) {
            return CEL_UNSAID;
        }

        if (part->kind != CEL_STRING
            || part->len >= (1u << CEL_BYTES_SHIFT) - len)
        {
            return CEL_UNSAID;
        }

        starts = starts && whole.len >= len + part->len
                 && cel_same_text(whole.s + len, part->s, part->len);

        len += part->len;
    }

    if (test->nparts > 1 && run->eval->max_string != 0
        && len > run->eval->max_string)
    {
        return CEL_UNSAID;
    }

    return starts;
}


/* NULL: run->rc says why */

static inline const cel_value_t *
branch_part(branch_run_t *run, const cel_branch_part_t *part)
{
    const cel_value_t  *fact;

    if (part->slot == CEL_NO_SLOT) {
        return part->value;
    }

    fact = &run->eval->facts[part->slot];

    if (cel_unlikely(fact->kind == CEL_UNFETCHED)
        && !branch_fetch(run, part->slot))
    {
        return NULL;
    }

    return part->nkeys == 0 ? fact : branch_member(run, part, fact);
}


/* CEL_NEED ends it, as the fact would not be asked for twice. */

static __attribute__((noinline)) bool
branch_fetch(branch_run_t *run, cel_slot_t slot)
{
    uint64_t      cost;
    cel_eval_t   *eval;
    cel_status_t  rc;

    eval = run->eval;
    cost = eval->cost;

    rc = cel_vm_fetch(eval, slot);

    run->fetched += eval->cost - cost;

    if (rc == CEL_OK) {
        return true;
    }

    /* no && or || takes it, and it has its position: the end */

    if (rc == CEL_ERROR
        && !(cel_error_is_fatal(eval->error.kind) && eval->error.line != 0))
    {
        eval->failed = slot + 1;
        rc = CEL_NOT_FOUND;
    }

    run->rc = rc;

    return false;
}


static __attribute__((noinline)) const cel_value_t *
branch_member(branch_run_t *run, const cel_branch_part_t *part,
    const cel_value_t *fact)
{
    uint32_t            i, bit;
    cel_value_t        *out;
    const cel_value_t  *v;

    if (part->nkeys == 1 && part->kept == 0) {
        return branch_select(run, fact, part->value, &run->member) == CEL_OK
               ? &run->member : NULL;
    }

    v = fact;
    i = 0;
    bit = 0;

    if (part->kept != 0) {
        bit = 1u << (part->kept - 1);

        if (run->kept_set & bit) {
            v = &run->kept[part->kept - 1];
            i = part->nkept;
        }
    }

    while (i < part->nkeys) {

        out = &run->member;

        if (++i == part->nkept && bit != 0) {
            out = &run->kept[part->kept - 1];
        }

        if (branch_select(run, v, part->nkeys == 1 ? part->value
                                                   : part->keys[i - 1], out)
            != CEL_OK)
        {
            return NULL;
        }

        if (out != &run->member) {
            run->kept_set |= bit;
        }

        v = out;
    }

    return v;
}


/* map may be where value is */

static inline cel_status_t
branch_select(branch_run_t *run, const cel_value_t *map,
    const cel_value_t *key, cel_value_t *value)
{
    cel_value_t   found;
    cel_status_t  rc;

    if (map->kind != CEL_MAP) {
        return CEL_NOT_FOUND;
    }

    rc = map->repr == CEL_REPR_JSON
         ? cel_json_get(map, key->s, key->len, &found)
         : cel_map_get(run->eval, map, key, &found);

    if (rc == CEL_OK) {
        *value = found;
    }

    return rc;
}
