
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_quick.c - finds out whether a program is one comparison of a fact with
 * a constant.  Its code stays as it is, for the cases that are not quick.
 */


#include "cel_quick.h"


static bool cel_quick_fused(const cel_instr_t *code, cel_quick_t *quick);
static bool cel_quick_pair(const cel_instr_t *code, cel_quick_t *quick);


void
cel_quick_find(cel_program_t *program)
{
    cel_quick_t         quick;
    const cel_instr_t  *code;

    code = program->code;
    memset(&quick, 0, sizeof(quick));

    if (code[0].op == CEL_OP_FACT || code[0].op == CEL_OP_SHARED) {
        quick.slot = code[0].b;

        if (code[1].op == CEL_OP_RETURN) {
            quick.form = CEL_QUICK_VALUE;
            quick.units = 1;
            program->quick = quick;
            return;
        }
    }

    if (program->ncode != 3 || code[2].op != CEL_OP_RETURN) {
        return;
    }

    if (!cel_quick_fused(code, &quick) && !cel_quick_pair(code, &quick)) {
        return;
    }

    quick.constant = program->constants[code[1].b];

    if (quick.form == CEL_QUICK_IN && quick.constant.l->index != NULL) {
        return;                          /* a hash table is the VM's */
    }

    program->quick = quick;
}


/* A fact and a constant in one instruction of two words. */

static bool
cel_quick_fused(const cel_instr_t *code, cel_quick_t *quick)
{
    switch (code[0].op) {

    case CEL_OP_FACT_EQ_CONST:
        quick->form = CEL_QUICK_EQ;
        break;

    case CEL_OP_FACT_IN_CONST:
        quick->form = CEL_QUICK_IN;
        break;

    default:
        return false;
    }

    quick->slot = code[0].b;
    quick->units = 3;

    return true;
}


/* A fact, which costs one unit, and what is done with it. */

static bool
cel_quick_pair(const cel_instr_t *code, cel_quick_t *quick)
{
    if (code[0].op != CEL_OP_FACT && code[0].op != CEL_OP_SHARED) {
        return false;
    }

    quick->units = 3;

    switch (code[1].op) {

    case CEL_OP_EQ_CONST:
        quick->form = CEL_QUICK_EQ;
        return true;

    case CEL_OP_NE_CONST:
        quick->form = CEL_QUICK_NE;
        return true;

    case CEL_OP_ORDER_CONST:
        quick->form = CEL_QUICK_ORDER;
        quick->order = (uint8_t) code[1].a;
        return true;

    case CEL_OP_IN_CONST:
        quick->form = CEL_QUICK_IN;
        return true;

    case CEL_OP_STARTS_CONST:
        quick->form = CEL_QUICK_STARTS;
        quick->units = (uint16_t) (1 + code[1].a);
        return quick->units != 0;

    default:
        return false;
    }
}
