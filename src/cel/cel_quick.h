
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_quick.h - programs of one comparison of a fact with a constant, which
 * most rules are: evaluated without a frame and without the VM's loop.
 * Private to the VM.
 *
 * A quick run takes the usual course alone: the fact is there, the kinds
 * agree, no look is due.  Whatever else may be, it does nothing and says so,
 * and the VM runs the program's instructions, with their charges and errors.
 */


#ifndef CEL_QUICK_H_INCLUDED
#define CEL_QUICK_H_INCLUDED


#include "cel_vm.h"


/* Fills program->quick from its code. */
void cel_quick_find(cel_program_t *program);


static inline bool
cel_quick_compare(const cel_quick_t *quick, const cel_value_t *fact,
    cel_value_t *value)
{
    const cel_value_t  *k;

    k = &quick->constant;

    switch (quick->form) {

    case CEL_QUICK_EQ:
        return cel_vm_equal_short(fact, k, true, value);

    case CEL_QUICK_NE:
        return cel_vm_equal_short(fact, k, false, value);

    case CEL_QUICK_ORDER:
        return cel_vm_order_short(fact, k, quick->order, value)
               || cel_vm_order_text(fact, k, quick->order, value);

    case CEL_QUICK_IN:
        return cel_vm_in_set_short(fact, k, value);

    case CEL_QUICK_STARTS:
        return cel_vm_starts_short(fact, k, value);

    default:
        *value = *fact;
        return true;
    }
}


/* True: *value is the result and the units are charged. */

static inline bool
cel_quick_run(const cel_quick_t *quick, cel_eval_t *eval, cel_value_t *value)
{
    uint64_t            cost;
    const cel_value_t  *fact;

    cost = eval->cost + quick->units;

    if (cel_unlikely(quick->slot >= eval->nfacts
                     || eval->depth >= CEL_EVAL_DEPTH
                     || cost >= eval->next_look))
    {
        return false;
    }

    fact = &eval->facts[quick->slot];

    if (cel_unlikely(fact->kind == CEL_UNFETCHED
                     || !cel_quick_compare(quick, fact, value)))
    {
        return false;
    }

    eval->cost = cost;

    return true;
}


#endif /* CEL_QUICK_H_INCLUDED */
