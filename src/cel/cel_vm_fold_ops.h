
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_vm_fold_ops.h - a part of the VM's loop: comprehensions.  Included by
 * cel_vm.c within the loop, whose variables and macros it uses; nowhere else.
 */


op_ITER:

    CEL_SPEND(2);
    sp--;

    if (cel_unlikely(sp->kind != CEL_LIST && sp->kind != CEL_MAP)) {
        CEL_FAIL(cel_fail_overload(eval));
    }

    cel_iter_init(&frame->iters[ip->a], sp);
    CEL_NEXT;

op_NEXT:

    CEL_SPEND(1);
    iter = &frame->iters[ip->a];

    if (iter->i == iter->n) {
        CEL_JUMP_TO(ip->b);
    }

    if (iter->range.repr == CEL_REPR_ARENA && iter->range.kind == CEL_LIST
        && ip[1].a == 0)
    {
        frame->locals[ip[1].b] = iter->range.l->values[iter->i++];
        CEL_NEXT_2;
    }

    CEL_CHECK(cel_vm_next(eval, iter, frame->locals, &ip[1]));
    CEL_NEXT_2;

op_ALL_STEP:
op_EXISTS_STEP:

    CEL_SPEND(1);
    sp--;

    if (cel_likely(sp->kind == CEL_BOOL)) {

        if (sp->b != (ip->op == CEL_OP_ALL_STEP)) {
            cel_put_bool(&sp[-1], sp[0].b);
            CEL_NEXT;
        }

        ip = code + ip->b;
        goto op_NEXT;
    }

    if (sp->kind != CEL_ERROR_VALUE) {
        cel_fail_overload(eval);
        eval->error.offset = program->offsets[ip - code];
    }

    if (sp[-1].kind == CEL_BOOL) {
        if (sp->kind == CEL_ERROR_VALUE) {
            cel_error_copy(&eval->error, sp->e);
        }

        error = cel_vm_keep(eval, &frame->errors[ip->a]);
        if (error == NULL) {
            eval->cost = cost;
            goto failed;
        }

        sp[-1] = cel_make(CEL_ERROR_VALUE);
        sp[-1].e = error;
    }

    CEL_JUMP_TO(ip->b);

op_FOLD_END:

    CEL_SPEND(1);

    if (cel_unlikely(sp[-1].kind == CEL_ERROR_VALUE)) {
        cel_error_copy(&eval->error, sp[-1].e);
        eval->cost = cost;
        rc = CEL_ERROR;
        goto kept;
    }

    CEL_NEXT;

op_ONE_STEP:

    CEL_SPEND(1);
    sp--;

    if (cel_unlikely(sp->kind != CEL_BOOL)) {
        CEL_FAIL(cel_fail_overload(eval));
    }

    sp[-1].i += sp->b;
    CEL_JUMP_TO(ip->b);

op_ONE_END:

    CEL_SPEND(1);
    sp[-1] = cel_bool(sp[-1].i == 1);
    CEL_NEXT;

op_BUILD:

    CEL_SPEND(1);
    builder = &frame->builders[ip->a];
    builder->values = NULL;
    builder->count = 0;
    builder->room = 0;
    CEL_NEXT;

op_APPEND:

    CEL_SPEND(1);
    sp--;
    builder = &frame->builders[ip->a];

    if (cel_likely(builder->count < builder->room)) {
        builder->values[builder->count++] = *sp;

    } else {
        CEL_CHECK(cel_builder_add(builder, eval, sp));
    }

    CEL_JUMP_TO(ip->b);

op_APPEND_PAIR:

    CEL_SPEND(1);
    sp -= 2;
    builder = &frame->builders[ip->a];
    CEL_CHECK(cel_builder_add(builder, eval, &sp[0]));
    CEL_CHECK(cel_builder_add(builder, eval, &sp[1]));
    CEL_JUMP_TO(ip->b);

op_APPEND_MAP:

    CEL_SPEND(1);
    sp--;
    CEL_CHECK(cel_vm_append_map(eval, &frame->builders[ip->a], sp));
    CEL_JUMP_TO(ip->b);

op_FILTER:

    CEL_SPEND(1);
    sp--;

    if (cel_unlikely(sp->kind != CEL_BOOL)) {
        CEL_FAIL(cel_fail_overload(eval));
    }

    if (sp->b) {
        CEL_CHECK(cel_builder_add(&frame->builders[ip->a], eval,
                                  &frame->locals[ip[1].b]));
    }

    CEL_JUMP_TO(ip->b);

op_BUILT:

    CEL_SPEND(1);
    builder = &frame->builders[ip->a];
    CEL_CHECK(cel_wrap_list(eval, builder->values, builder->count, sp));
    sp++;
    CEL_NEXT;

op_BUILT_MAP:

    CEL_SPEND(1);
    builder = &frame->builders[ip->a];
    CEL_CHECK(cel_wrap_map(eval, builder->values, builder->count / 2, sp));
    sp++;
    CEL_NEXT;
