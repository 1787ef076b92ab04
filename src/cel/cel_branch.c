
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


static cel_status_t branch_test(const cel_branch_test_t *test, cel_eval_t *eval,
    uint64_t *fetched, cel_value_t *value);
static cel_status_t branch_starts(const cel_branch_test_t *test,
    cel_eval_t *eval, uint64_t *fetched, const cel_value_t *text,
    cel_value_t *value);
static cel_status_t branch_part(const cel_branch_part_t *part,
    cel_eval_t *eval, uint64_t *fetched, cel_value_t *buffer,
    const cel_value_t **value);
static inline cel_status_t branch_said(bool said);


cel_status_t
cel_branch_run(const cel_branch_t *branch, cel_eval_t *eval,
    cel_value_t *value)
{
    uint32_t                  i;
    uint64_t                  cost, fetched;
    cel_status_t              rc;
    const cel_branch_test_t  *test;

    if (cel_unlikely(branch->min_facts > eval->nfacts
                     || eval->depth >= CEL_EVAL_DEPTH))
    {
        return CEL_NOT_FOUND;
    }

    cost = eval->cost;
    fetched = 0;
    i = 0;

    eval->depth++;

    do {
        test = &branch->tests[i];

        rc = branch_test(test, eval, &fetched, value);

        if (cel_unlikely(rc != CEL_OK)) {
            goto done;
        }

        i = test->next[value->b];
        eval->cost += test->units[value->b];

        if (cel_unlikely(eval->cost >= eval->next_look)) {
            rc = CEL_NOT_FOUND;
            goto done;
        }

    } while (i < CEL_BRANCH_FALSE);

    cel_put_bool(value, i == CEL_BRANCH_TRUE);

done:

    eval->depth--;

    if (cel_unlikely(rc == CEL_NOT_FOUND)) {
        eval->cost = cost + fetched;
    }

    return rc;
}


/* CEL_OK: *value is a bool */

static cel_status_t
branch_test(const cel_branch_test_t *test, cel_eval_t *eval,
    uint64_t *fetched, cel_value_t *value)
{
    cel_value_t         buffer;
    cel_status_t        rc;
    const cel_value_t  *left;

    rc = branch_part(&test->left, eval, fetched, &buffer, &left);

    if (cel_unlikely(rc != CEL_OK)) {
        return rc;
    }

    switch (test->form) {

    case CEL_QUICK_EQ:
        return branch_said(cel_vm_equal_short(left, test->right, true,
                                              value));

    case CEL_QUICK_NE:
        return branch_said(cel_vm_equal_short(left, test->right, false,
                                              value));

    case CEL_QUICK_ORDER:
        return branch_said(cel_vm_order_short(left, test->right, test->order,
                                              value)
                           || cel_vm_order_text(left, test->right,
                                                test->order, value));

    case CEL_QUICK_IN:
        return branch_said(cel_vm_in_set_short(left, test->right, value));

    case CEL_QUICK_STARTS:

        if (test->right != NULL) {
            return branch_said(cel_vm_starts_short(left, test->right,
                                                   value));
        }

        return branch_starts(test, eval, fetched, left, value);

    default: /* CEL_QUICK_VALUE */
        *value = *left;
        return branch_said(left->kind == CEL_BOOL);
    }
}


static inline cel_status_t
branch_said(bool said)
{
    return said ? CEL_OK : CEL_NOT_FOUND;
}


/*
 * The parts are compared where they stand in the text.  All of them are read,
 * as if they were put together; a start that would be charged for its length
 * is none of the usual ones.
 */

static cel_status_t
branch_starts(const cel_branch_test_t *test, cel_eval_t *eval,
    uint64_t *fetched, const cel_value_t *text, cel_value_t *value)
{
    bool                starts;
    uint32_t            i, len;
    cel_value_t         buffer;
    cel_status_t        rc;
    const cel_value_t  *part;

    if (cel_unlikely(text->kind != CEL_STRING)) {
        return CEL_NOT_FOUND;
    }

    starts = true;
    len = 0;

    for (i = 0; i < test->nparts; i++) {

        rc = branch_part(&test->parts[i], eval, fetched, &buffer, &part);

        if (rc != CEL_OK) {
            return rc;
        }

        if (part->kind != CEL_STRING
            || part->len >= (1u << CEL_BYTES_SHIFT) - len)
        {
            return CEL_NOT_FOUND;
        }

        starts = starts && text->len >= len + part->len
                 && cel_same_text(text->s + len, part->s, part->len);

        len += part->len;
    }

    if (test->nparts > 1 && eval->max_string != 0 && len > eval->max_string) {
        return CEL_NOT_FOUND;
    }

    cel_put_bool(value, starts);

    return CEL_OK;
}


/* CEL_NEED ends it, as the fact would not be asked for twice. */

static cel_status_t
branch_part(const cel_branch_part_t *part, cel_eval_t *eval,
    uint64_t *fetched, cel_value_t *buffer, const cel_value_t **value)
{
    uint64_t      cost;
    cel_value_t  *fact;
    cel_status_t  rc;

    if (part->slot == CEL_NO_SLOT) {
        *value = part->value;
        return CEL_OK;
    }

    fact = &eval->facts[part->slot];

    if (fact->kind == CEL_UNFETCHED) {

        cost = eval->cost;
        rc = cel_vm_fetch(eval, part->slot);

        *fetched += eval->cost - cost;

        if (cel_unlikely(rc == CEL_ERROR)) {

            /* no && or || takes it, and it has its position: the end */

            if (cel_error_is_fatal(eval->error.kind)
                && eval->error.line != 0)
            {
                return CEL_ERROR;
            }

            eval->failed = part->slot + 1;
            return CEL_NOT_FOUND;
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    if (part->value == NULL) {
        *value = fact;
        return CEL_OK;
    }

    if (fact->kind == CEL_MAP
        && cel_map_get(eval, fact, part->value, buffer) == CEL_OK)
    {
        *value = buffer;
        return CEL_OK;
    }

    return CEL_NOT_FOUND;
}
