
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_vm_flow_ops.h - a part of the VM's loop: jumps and logic, calls, and what
 * makes lists and maps.  Included by cel_vm.c within the loop, whose
 * variables and macros it uses; nowhere else.
 */


op_JUMP:

    CEL_SPEND(1);
    CEL_JUMP_TO(ip->b);

op_UNLESS:

    CEL_SPEND(1);
    sp--;

    if (cel_unlikely(sp->kind != CEL_BOOL)) {
        CEL_FAIL(cel_fail_overload(eval));
    }

    if (!sp->b) {
        CEL_JUMP_TO(ip->b);
    }

    CEL_NEXT;

op_PRESENT:

    CEL_SPEND(1);
    sp--;

    if (cel_unlikely(sp->kind != CEL_OPTIONAL)) {
        CEL_FAIL(cel_fail_overload(eval));
    }

    if (sp->v != NULL) {
        if (ip->a == 0) {
            *sp = *sp->v;
        }

        sp++;
        CEL_JUMP_TO(ip->b);
    }

    CEL_NEXT;

op_AND:

    CEL_SPEND(1);

    if (sp[-1].kind == CEL_BOOL && !sp[-1].b) {
        CEL_JUMP_TO(ip->b);
    }

    CEL_NEXT;

op_OR:

    CEL_SPEND(1);

    if (sp[-1].kind == CEL_BOOL && sp[-1].b) {
        CEL_JUMP_TO(ip->b);
    }

    CEL_NEXT;

op_AND_END:
op_OR_END:

    CEL_SPEND(1);
    b = ip->op == CEL_OP_AND_END;

    if (cel_likely(sp[-1].kind == CEL_BOOL
                   && (sp[-1].b != b || sp[-2].kind == CEL_BOOL)))
    {
        /* either it decides, or the left one was neutral */
        sp--;
        cel_put_bool(&sp[-1], sp[0].b);
        CEL_NEXT;
    }

    eval->cost = cost;
    rc = CEL_ERROR;

    if (cel_vm_logic(eval, &sp[-2], &sp[-1])) {
        goto kept;
    }

    goto stopped;

op_LIST:

    CEL_SPEND(1);
    CEL_CHECK(cel_vm_list(eval, sp - ip->b, ip->b, NULL, &result));
    sp -= ip->b;
    cel_move(sp++, &result);
    CEL_NEXT;

op_MAP:

    CEL_SPEND(1);
    CEL_CHECK(cel_vm_map(eval, sp - 2 * ip->b, ip->b, NULL, &result));
    sp -= 2 * ip->b;
    cel_move(sp++, &result);
    CEL_NEXT;

op_LIST_OPT:

    CEL_SPEND(1);
    k = &constants[ip[1].b];
    CEL_CHECK(cel_vm_list(eval, sp - ip->b, ip->b, k->s, &result));
    sp -= ip->b;
    cel_move(sp++, &result);
    CEL_NEXT_2;

op_MAP_OPT:

    CEL_SPEND(1);
    k = &constants[ip[1].b];
    CEL_CHECK(cel_vm_map(eval, sp - 2 * ip->b, ip->b, k->s, &result));
    sp -= 2 * ip->b;
    cel_move(sp++, &result);
    CEL_NEXT_2;

op_CALL:

    CEL_CHECK(cel_vm_call(eval, &program->calls[ip->b], sp - ip->a, ip->a,
                          &result));
    sp -= ip->a;
    cel_move(sp++, &result);
    CEL_NEXT;

op_RAISE:

    CEL_SPEND(1);
    k = &constants[ip->b];
    CEL_FAIL(cel_eval_fail(eval, ip->a ? CEL_E_NO_SUCH_OVERLOAD
                                       : CEL_E_NO_SUCH_FIELD,
                           "undeclared %s '%.*s'",
                           ip->a ? "function" : "reference to",
                           (int) (k->len < 128 ? k->len : 128), k->s));
