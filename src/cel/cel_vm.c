
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_vm.c - runs programs.
 *
 * A frame holds the stack of values, the locals, iterators, builders and the
 * errors kept for later; its size is known, so nothing is allocated but for
 * results.  Every instruction is charged before it runs.
 *
 * An error raised in an operand of && or ||, or in a predicate, goes to its
 * handler: the error is copied to the frame, the operand's value becomes an
 * error value that points there, and the instruction that takes the operand
 * decides.  Any other error ends the evaluation, as fatal ones always do.
 */


#include "cel_program.h"
#include "cel_vm.h"


#define CEL_FRAME_SMALL  1024      /* bytes of a frame on the C stack */


typedef struct {
    cel_value_t     *stack;
    cel_value_t     *locals;
    cel_iter_t      *iters;
    cel_builder_t   *builders;
    cel_error_t    **errors;
} cel_frame_t;


static size_t cel_frame_size(const cel_program_t *program);
static void cel_frame_init(const cel_program_t *program, void *memory,
    cel_frame_t *frame);
static void cel_vm_locate(const cel_program_t *program, cel_eval_t *eval);
static cel_status_t cel_vm_loop(const cel_program_t *program,
    cel_eval_t *eval, cel_frame_t *frame, cel_value_t *value);
static cel_error_t *cel_vm_keep(cel_eval_t *eval, cel_error_t **slot);


cel_status_t
cel_eval(const cel_program_t *program, cel_eval_t *eval, cel_value_t *value)
{
    cel_status_t  rc;

    if (eval->depth >= CEL_EVAL_DEPTH) {
        return cel_eval_fail(eval, CEL_E_DEPTH,
                             "evaluations nest more than %d deep",
                             CEL_EVAL_DEPTH);
    }

    if (program->min_facts > eval->nfacts) {
        return cel_eval_fail(eval, CEL_E_FACT,
                             "the program wants %u facts, there are %u",
                             program->min_facts, eval->nfacts);
    }

    eval->depth++;
    rc = cel_vm_run(program, eval, value);
    eval->depth--;

    return rc;
}


cel_status_t
cel_vm_run(const cel_program_t *program, cel_eval_t *eval, cel_value_t *value)
{
    size_t        size;
    void         *memory;
    uint64_t      small[CEL_FRAME_SMALL / sizeof(uint64_t)];
    cel_frame_t   frame;
    cel_status_t  rc;

    memory = small;
    size = cel_frame_size(program);

    if (size > sizeof(small)) {
        memory = cel_eval_alloc(eval, size);
        if (memory == NULL) {
            return CEL_ERROR;
        }
    }

    cel_frame_init(program, memory, &frame);

    rc = cel_vm_loop(program, eval, &frame, value);

    if (rc == CEL_ERROR && eval->error.line == 0) {
        cel_vm_locate(program, eval);
    }

    return rc;
}


static size_t
cel_frame_size(const cel_program_t *program)
{
    return ((size_t) program->nstack + program->nlocals)
           * sizeof(cel_value_t)
           + program->niters * sizeof(cel_iter_t)
           + program->nbuilders * sizeof(cel_builder_t)
           + program->nerrors * sizeof(cel_error_t *);
}


static void
cel_frame_init(const cel_program_t *program, void *memory, cel_frame_t *frame)
{
    uint32_t  i;

    frame->stack = memory;
    frame->locals = frame->stack + program->nstack;
    frame->iters = (cel_iter_t *) (frame->locals + program->nlocals);
    frame->builders = (cel_builder_t *) (frame->iters + program->niters);
    frame->errors = (cel_error_t **) (frame->builders + program->nbuilders);

    for (i = 0; i < program->nerrors; i++) {
        frame->errors[i] = NULL;
    }
}


static void
cel_vm_locate(const cel_program_t *program, cel_eval_t *eval)
{
    cel_position(program->source, program->source_len, eval->error.offset,
                 &eval->error.line, &eval->error.column);
}


/*
 * Within the loop eval->cost and eval->next_look are in locals.  SPEND
 * charges; CHECK makes a call, which may charge as well, and turns its
 * failure into an error; a handler of an instruction ends in NEXT.
 */

#define CEL_SPEND(units)                                                      \
    cost += (units);                                                          \
    if (cel_unlikely(cost >= look)) {                                         \
        eval->cost = cost - (units);                                          \
        if (cel_eval_charge(eval, (units)) != CEL_OK) {                       \
            goto failed;                                                      \
        }                                                                     \
        cost = eval->cost;                                                    \
        look = eval->next_look;                                               \
    }

#define CEL_GO      goto *labels[ip->op]
#define CEL_NEXT    ip++; CEL_GO
#define CEL_NEXT_2  ip += 2; CEL_GO
#define CEL_JUMP_TO(pc)  ip = code + (pc); CEL_GO

#define CEL_CHECK(call)                                                       \
    eval->cost = cost;                                                        \
    rc = (call);                                                              \
    cost = eval->cost;                                                        \
    look = eval->next_look;                                                   \
    if (cel_unlikely(rc != CEL_OK)) {                                         \
        goto stopped;                                                         \
    }

#define CEL_FAIL(call)                                                        \
    (void) (call);                                                            \
    eval->cost = cost;                                                        \
    goto failed


static cel_status_t
cel_vm_loop(const cel_program_t *program, cel_eval_t *eval,
    cel_frame_t *frame, cel_value_t *value)
{
    bool                  b;
    uint32_t              pc, n;
    uint64_t              cost, look;
    cel_value_t          *sp, *v, result;
    cel_error_t          *error;
    cel_iter_t           *iter;
    cel_status_t          rc;
    cel_builder_t        *builder;
    const cel_instr_t    *ip, *code;
    const cel_value_t    *k, *constants;
    const cel_handler_t  *handler;

    static const void *const  labels[] = {
#define CEL_OPCODE(name, pops, pushes, units, text)  &&op_##name,
        CEL_OPCODES(CEL_OPCODE)
#undef CEL_OPCODE
    };

    code = program->code;
    constants = program->constants;
    sp = frame->stack;
    ip = code;

    if (eval->next_look == 0) {
        eval->next_look = CEL_LOOK_EVERY;

        if (eval->cost_limit != 0 && eval->cost_limit < CEL_LOOK_EVERY) {
            eval->next_look = eval->cost_limit + 1;
        }
    }

    cost = eval->cost;
    look = eval->next_look;

    CEL_GO;

op_RETURN:

    eval->cost = cost;
    *value = sp[-1];
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

    sp[-1] = result;
    CEL_NEXT;

op_HAS:

    CEL_SPEND(1);
    CEL_CHECK(cel_vm_has(eval, &sp[-1], &constants[ip->b], &result));
    sp[-1] = result;
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

op_EQ:

    CEL_SPEND(1);

    if (!cel_vm_equal_short(&sp[-2], &sp[-1], true, &result)) {
        CEL_CHECK(cel_vm_equal(eval, &sp[-2], &sp[-1], true, &result));
    }

    sp--;
    sp[-1] = result;
    CEL_NEXT;

op_NE:

    CEL_SPEND(1);

    if (!cel_vm_equal_short(&sp[-2], &sp[-1], false, &result)) {
        CEL_CHECK(cel_vm_equal(eval, &sp[-2], &sp[-1], false, &result));
    }

    sp--;
    sp[-1] = result;
    CEL_NEXT;

op_LT:
op_LE:
op_GT:
op_GE:

    CEL_SPEND(1);
    n = ip->op - CEL_OP_LT;

    if (!cel_vm_order_short(&sp[-2], &sp[-1], n, &result)) {
        CEL_CHECK(cel_vm_order(eval, &sp[-2], &sp[-1], n, &result));
    }

    sp--;
    sp[-1] = result;
    CEL_NEXT;

op_EQ_CONST:

    CEL_SPEND(2);
    k = &constants[ip->b];

    if (!cel_vm_equal_short(&sp[-1], k, true, &result)) {
        CEL_CHECK(cel_vm_equal(eval, &sp[-1], k, true, &result));
    }

    sp[-1] = result;
    CEL_NEXT;

op_NE_CONST:

    CEL_SPEND(2);
    k = &constants[ip->b];

    if (!cel_vm_equal_short(&sp[-1], k, false, &result)) {
        CEL_CHECK(cel_vm_equal(eval, &sp[-1], k, false, &result));
    }

    sp[-1] = result;
    CEL_NEXT;

op_ORDER_CONST:

    CEL_SPEND(2);
    k = &constants[ip->b];

    if (!cel_vm_order_short(&sp[-1], k, ip->a, &result)) {
        CEL_CHECK(cel_vm_order(eval, &sp[-1], k, ip->a, &result));
    }

    sp[-1] = result;
    CEL_NEXT;

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
    sp[-1] = result;
    CEL_NEXT;

op_SUB:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_sub(eval, &sp[-2], 2, &result));
    sp--;
    sp[-1] = result;
    CEL_NEXT;

op_MUL:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_mul(eval, &sp[-2], 2, &result));
    sp--;
    sp[-1] = result;
    CEL_NEXT;

op_DIV:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_div(eval, &sp[-2], 2, &result));
    sp--;
    sp[-1] = result;
    CEL_NEXT;

op_MOD:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_mod(eval, &sp[-2], 2, &result));
    sp--;
    sp[-1] = result;
    CEL_NEXT;

op_NEG:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_neg(eval, &sp[-1], 1, &result));
    sp[-1] = result;
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
    sp[-1] = result;
    CEL_NEXT;

op_INDEX_CONST:

    CEL_SPEND(2);
    sp[0] = constants[ip->b];
    CEL_CHECK(cel_op_index(eval, &sp[-1], 2, &result));
    sp[-1] = result;
    CEL_NEXT;

op_IN:

    CEL_SPEND(1);
    CEL_CHECK(cel_op_in(eval, &sp[-2], 2, &result));
    sp--;
    sp[-1] = result;
    CEL_NEXT;

op_IN_CONST:

    CEL_SPEND(2);
    CEL_CHECK(cel_vm_in_set(eval, &sp[-1], &constants[ip->b], &result));
    sp[-1] = result;
    CEL_NEXT;

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
        sp[-1] = sp[0];
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
    *sp++ = result;
    CEL_NEXT;

op_MAP:

    CEL_SPEND(1);
    CEL_CHECK(cel_vm_map(eval, sp - 2 * ip->b, ip->b, NULL, &result));
    sp -= 2 * ip->b;
    *sp++ = result;
    CEL_NEXT;

op_LIST_OPT:

    CEL_SPEND(1);
    k = &constants[ip[1].b];
    CEL_CHECK(cel_vm_list(eval, sp - ip->b, ip->b, k->s, &result));
    sp -= ip->b;
    *sp++ = result;
    CEL_NEXT_2;

op_MAP_OPT:

    CEL_SPEND(1);
    k = &constants[ip[1].b];
    CEL_CHECK(cel_vm_map(eval, sp - 2 * ip->b, ip->b, k->s, &result));
    sp -= 2 * ip->b;
    *sp++ = result;
    CEL_NEXT_2;

op_CALL:

    CEL_CHECK(cel_vm_call(eval, &program->calls[ip->b], sp - ip->a, ip->a,
                          &result));
    sp -= ip->a;
    *sp++ = result;
    CEL_NEXT;

op_RAISE:

    CEL_SPEND(1);
    k = &constants[ip->b];
    CEL_FAIL(cel_eval_fail(eval, ip->a ? CEL_E_NO_SUCH_OVERLOAD
                                       : CEL_E_NO_SUCH_FIELD,
                           "undeclared %s '%.*s'",
                           ip->a ? "function" : "reference to",
                           (int) (k->len < 128 ? k->len : 128), k->s));

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
            sp[-1] = sp[0];
            CEL_NEXT;
        }

        CEL_JUMP_TO(ip->b);
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

failed:

    rc = CEL_ERROR;

stopped:

    if (rc == CEL_ERROR && eval->error.line == 0) {
        eval->error.offset = program->offsets[ip - code];
    }

kept:

    /* eval->error has its position already; where does it go? */

    pc = program->handler_of[ip - code];

    if (rc != CEL_ERROR || pc >= program->nhandlers
        || cel_error_is_fatal(eval->error.kind))
    {
        return rc;
    }

    handler = &program->handlers[pc];

    error = cel_vm_keep(eval, &frame->errors[handler->slot]);
    if (error == NULL) {
        return CEL_ERROR;
    }

    sp = frame->stack + handler->depth;
    *sp = cel_make(CEL_ERROR_VALUE);
    sp->e = error;
    sp++;

    CEL_JUMP_TO(handler->target);
}


/* Copies eval->error to the slot, which gets its memory when first used. */

static cel_error_t *
cel_vm_keep(cel_eval_t *eval, cel_error_t **slot)
{
    if (*slot == NULL) {
        *slot = cel_arena_alloc(eval->arena, sizeof(cel_error_t));

        if (*slot == NULL) {
            cel_fail_memory(eval);
            return NULL;
        }
    }

    cel_error_copy(*slot, &eval->error);

    return *slot;
}
