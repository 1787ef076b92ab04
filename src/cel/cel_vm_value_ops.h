
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_vm_value_ops.h - a part of the VM's loop: instructions on values, which
 * push, select, compare and compute.  Included by cel_vm.c within the loop,
 * whose variables and macros it uses; nowhere else.
 */


op_RETURN:

    eval->cost = cost;
    cel_move(value, &sp[-1]);
    return CEL_OK;

op_ARG:

    CEL_NEXT;

op_CONST:

    CEL_SPEND(1);
    *sp++ = constants[ip->b];
    CEL_NEXT;

op_FACT:

    CEL_SPEND(1);
    v = &eval->facts[ip->b];

    if (cel_unlikely(v->kind == CEL_UNFETCHED)) {
        CEL_CHECK(cel_vm_fetch(eval, ip->b));
    }

    *sp++ = *v;
    CEL_NEXT;

op_SHARED:

    CEL_SPEND(1);
    v = &eval->facts[ip->b];

    if (cel_unlikely(v->kind == CEL_UNFETCHED)) {
        eval->cost = cost;
        rc = cel_vm_fetch(eval, ip->b);
        cost = eval->cost;
        look = eval->next_look;

        if (rc != CEL_OK) {

            /* without a line its offset is from here, see cel_atom.h */

            if (eval->error.line == 0) {
                eval->error.offset += program->offsets[ip - code];
            }

            goto kept;
        }
    }

    *sp++ = *v;
    CEL_NEXT;

op_LOCAL:

    CEL_SPEND(1);
    *sp++ = frame->locals[ip->b];
    CEL_NEXT;

op_STORE:

    CEL_SPEND(1);
    frame->locals[ip->b] = *--sp;
    CEL_NEXT;

op_SELECT:

    CEL_SPEND(1u + ip->a);

    if (!cel_vm_select_short(&sp[-1], &constants[ip->b], &result)) {
        CEL_CHECK(cel_vm_select(eval, &sp[-1], &constants[ip->b], &result));
    }

    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_HAS:

    CEL_SPEND(1);
    CEL_CHECK(cel_vm_has(eval, &sp[-1], &constants[ip->b], &result));
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_FACT_SELECT:

    CEL_SPEND(2u + ip->a);
    v = &eval->facts[ip->b];

    if (cel_unlikely(v->kind == CEL_UNFETCHED)) {
        CEL_CHECK(cel_vm_fetch(eval, ip->b));
    }

    if (!cel_vm_select_short(v, &constants[ip[1].b], sp)) {
        CEL_CHECK(cel_vm_select(eval, v, &constants[ip[1].b], sp));
    }

    sp++;
    CEL_NEXT_2;

op_LOCAL_SELECT:

    CEL_SPEND(2);
    v = &frame->locals[ip->a];

    if (!cel_vm_select_short(v, &constants[ip->b], sp)) {
        CEL_CHECK(cel_vm_select(eval, v, &constants[ip->b], sp));
    }

    sp++;
    CEL_NEXT;

op_KEPT:

    v = &frame->locals[ip->a];

    if (v->kind == CEL_UNFETCHED) {
        CEL_NEXT_2;
    }

    CEL_SPEND(ip[1].b);
    *sp++ = *v;
    CEL_JUMP_TO(ip->b);

op_KEEP:

    cel_move(&frame->locals[ip->a], &sp[-1]);
    CEL_NEXT;

op_EQ:

    CEL_SPEND(1);

    if (!cel_vm_equal_short(&sp[-2], &sp[-1], true, &sp[-2])) {
        CEL_CHECK(cel_vm_equal(eval, &sp[-2], &sp[-1], true, &sp[-2]));
    }

    sp--;
    CEL_NEXT;

op_NE:

    CEL_SPEND(1);

    if (!cel_vm_equal_short(&sp[-2], &sp[-1], false, &sp[-2])) {
        CEL_CHECK(cel_vm_equal(eval, &sp[-2], &sp[-1], false, &sp[-2]));
    }

    sp--;
    CEL_NEXT;

op_LT:
op_LE:
op_GT:
op_GE:

    CEL_SPEND(1);
    n = ip->op - CEL_OP_LT;

    if (!cel_vm_order_short(&sp[-2], &sp[-1], n, &sp[-2])) {
        CEL_CHECK(cel_vm_order(eval, &sp[-2], &sp[-1], n, &sp[-2]));
    }

    sp--;
    CEL_NEXT;

op_EQ_CONST:

    CEL_SPEND(2);
    k = &constants[ip->b];

    if (!cel_vm_equal_short(&sp[-1], k, true, &sp[-1])) {
        CEL_CHECK(cel_vm_equal(eval, &sp[-1], k, true, &sp[-1]));
    }

    CEL_NEXT;

op_NE_CONST:

    CEL_SPEND(2);
    k = &constants[ip->b];

    if (!cel_vm_equal_short(&sp[-1], k, false, &sp[-1])) {
        CEL_CHECK(cel_vm_equal(eval, &sp[-1], k, false, &sp[-1]));
    }

    CEL_NEXT;

op_ORDER_CONST:

    CEL_SPEND(2);
    k = &constants[ip->b];

    if (!cel_vm_order_short(&sp[-1], k, ip->a, &sp[-1])) {
        CEL_CHECK(cel_vm_order(eval, &sp[-1], k, ip->a, &sp[-1]));
    }

    CEL_NEXT;

op_LOCAL_ORDER_CONST:

    CEL_SPEND(3);
    v = &frame->locals[ip->b];
    k = &constants[ip[1].b];

    if (!cel_vm_order_short(v, k, ip->a, sp)) {
        CEL_CHECK(cel_vm_order(eval, v, k, ip->a, sp));
    }

    sp++;
    CEL_NEXT_2;

op_FACT_EQ_CONST:

    CEL_SPEND(3);
    v = &eval->facts[ip->b];

    if (cel_unlikely(v->kind == CEL_UNFETCHED)) {
        CEL_CHECK(cel_vm_fetch(eval, ip->b));
    }

    k = &constants[ip[1].b];

    if (!cel_vm_equal_short(v, k, true, sp)) {
        CEL_CHECK(cel_vm_equal(eval, v, k, true, sp));
    }

    sp++;
    CEL_NEXT_2;

op_ADD:

    CEL_SPEND(1);
    v = &sp[-2];

    if (cel_likely(v[0].kind == CEL_INT && v[1].kind == CEL_INT)) {
        if (cel_unlikely(__builtin_add_overflow(v[0].i, v[1].i, &v[0].i))) {
            CEL_FAIL(cel_fail_overflow(eval));
        }

        sp--;
        CEL_NEXT;
    }

    CEL_CHECK(cel_op_add(eval, v, 2, &result));
    sp--;
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_SUB:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_sub(eval, &sp[-2], 2, &result));
    sp--;
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_MUL:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_mul(eval, &sp[-2], 2, &result));
    sp--;
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_DIV:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_div(eval, &sp[-2], 2, &result));
    sp--;
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_MOD:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_mod(eval, &sp[-2], 2, &result));
    sp--;
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_NEG:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_neg(eval, &sp[-1], 1, &result));
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_NOT:

    CEL_SPEND(1);

    if (cel_unlikely(sp[-1].kind != CEL_BOOL)) {
        CEL_FAIL(cel_fail_overload(eval));
    }

    sp[-1].b = !sp[-1].b;
    CEL_NEXT;

op_INDEX:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_index(eval, &sp[-2], 2, &result));
    sp--;
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_INDEX_CONST:

    CEL_SPEND(2);
    sp[0] = constants[ip->b];
    CEL_CHECK(cel_op_index(eval, &sp[-1], 2, &result));
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_IN:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_in(eval, &sp[-2], 2, &result));
    sp--;
    cel_move(&sp[-1], &result);
    CEL_NEXT;

op_IN_CONST:

    CEL_SPEND(2);
    k = &constants[ip->b];

    if (!cel_vm_in_set_short(&sp[-1], k, &sp[-1])) {
        CEL_CHECK(cel_vm_in_set(eval, &sp[-1], k, &sp[-1]));
    }

    CEL_NEXT;

op_FACT_IN_CONST:

    CEL_SPEND(3);
    v = &eval->facts[ip->b];

    if (cel_unlikely(v->kind == CEL_UNFETCHED)) {
        CEL_CHECK(cel_vm_fetch(eval, ip->b));
    }

    k = &constants[ip[1].b];

    if (!cel_vm_in_set_short(v, k, sp)) {
        CEL_CHECK(cel_vm_in_set(eval, v, k, sp));
    }

    sp++;
    CEL_NEXT_2;

op_STARTS_CONST:

    CEL_SPEND(ip->a);
    k = &constants[ip->b];

    if (cel_unlikely(!cel_vm_starts_short(&sp[-1], k, &sp[-1]))) {
        CEL_FAIL(cel_fail_overload(eval));
    }

    CEL_NEXT;
