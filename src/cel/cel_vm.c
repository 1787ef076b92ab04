
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
#include "cel_branch.h"
#include "cel_quick.h"


#define CEL_FRAME_SMALL  1024      /* bytes of a frame on the C stack */


typedef struct {
    cel_value_t     *stack;
    cel_value_t     *locals;
    cel_iter_t      *iters;
    cel_builder_t   *builders;
    cel_error_t    **errors;
} cel_frame_t;


static inline void cel_vm_first_look(cel_eval_t *eval);
static cel_status_t cel_vm_eval(const cel_program_t *program,
    cel_eval_t *eval, cel_value_t *value);
static void cel_vm_locate(const cel_program_t *program, cel_eval_t *eval);
static cel_status_t cel_vm_loop(const cel_program_t *program,
    cel_eval_t *eval, cel_frame_t *frame, cel_value_t *value);
static cel_error_t *cel_vm_keep(cel_eval_t *eval, cel_error_t **slot);


static inline __attribute__((always_inline)) cel_status_t
cel_vm_enter(const cel_program_t *program, cel_eval_t *eval,
    cel_value_t *value)
{
    char         *memory;
    uint32_t      i;
    uint64_t      small[CEL_FRAME_SMALL / sizeof(uint64_t)];
    cel_frame_t   frame;
    cel_status_t  rc;

    memory = (char *) small;

    if (cel_unlikely(program->frame_size > sizeof(small))) {
        memory = cel_eval_alloc(eval, program->frame_size);
        if (memory == NULL) {
            return CEL_ERROR;
        }
    }

    frame.stack = (cel_value_t *) (void *) memory;
    frame.locals = (cel_value_t *) (void *) (memory + program->locals_at);
    frame.iters = (cel_iter_t *) (void *) (memory + program->iters_at);
    frame.builders = (cel_builder_t *) (void *)
                     (memory + program->builders_at);
    frame.errors = (cel_error_t **) (void *) (memory + program->errors_at);

    for (i = program->nlocals - program->nkept; i < program->nlocals; i++) {
        frame.locals[i].kind = CEL_UNFETCHED;
    }

    for (i = 0; i < program->nerrors; i++) {
        frame.errors[i] = NULL;
    }

    rc = cel_vm_loop(program, eval, &frame, value);

    if (cel_unlikely(rc == CEL_ERROR && eval->error.line == 0)) {
        cel_vm_locate(program, eval);
    }

    return rc;
}


cel_status_t
cel_eval(const cel_program_t *program, cel_eval_t *eval, cel_value_t *value)
{
    cel_status_t  rc;

    if (cel_unlikely(eval->next_look == 0)) {
        cel_vm_first_look(eval);
    }

    if (program->quick.form != CEL_QUICK_NONE
        && cel_likely(cel_quick_run(&program->quick, eval, value)))
    {
        return CEL_OK;
    }

    if (program->branch != NULL) {
        rc = cel_branch_run(program->branch, eval, value);

        if (cel_likely(rc != CEL_NOT_FOUND)) {

            if (cel_unlikely(rc == CEL_ERROR && eval->error.line == 0)) {
                cel_vm_locate(program, eval);
            }

            return rc;
        }

        rc = cel_vm_eval(program, eval, value);
        eval->failed = 0;

        return rc;
    }

    return cel_vm_eval(program, eval, value);
}


static __attribute__((noinline)) cel_status_t
cel_vm_eval(const cel_program_t *program, cel_eval_t *eval,
    cel_value_t *value)
{
    uint32_t      depth;
    cel_status_t  rc;

    depth = eval->depth;

    if (cel_unlikely(depth >= CEL_EVAL_DEPTH)) {
        return cel_eval_fail(eval, CEL_E_DEPTH,
                             "evaluations nest more than %d deep",
                             CEL_EVAL_DEPTH);
    }

    if (cel_unlikely(program->min_facts > eval->nfacts)) {
        return cel_eval_fail(eval, CEL_E_FACT,
                             "the program wants %u facts, there are %u",
                             program->min_facts, eval->nfacts);
    }

    eval->depth = depth + 1;
    rc = cel_vm_enter(program, eval, value);
    eval->depth = depth;

    return rc;
}


cel_status_t
cel_vm_run(const cel_program_t *program, cel_eval_t *eval, cel_value_t *value)
{
    cel_vm_first_look(eval);

    return cel_vm_enter(program, eval, value);
}


/* The first look, for an evaluation that has none: at the clock or limit. */

static inline void
cel_vm_first_look(cel_eval_t *eval)
{
    eval->next_look = CEL_LOOK_EVERY;

    if (eval->cost_limit != 0 && eval->cost_limit < CEL_LOOK_EVERY) {
        eval->next_look = eval->cost_limit + 1;
    }
}


/* Numbers are bounded by that of instructions, so sizes fit. */

void
cel_vm_layout(cel_program_t *program)
{
    uint32_t  at;

    at = program->nstack * (uint32_t) sizeof(cel_value_t);
    program->locals_at = at;

    at += program->nlocals * (uint32_t) sizeof(cel_value_t);
    program->iters_at = at;

    at += program->niters * (uint32_t) sizeof(cel_iter_t);
    program->builders_at = at;

    at += program->nbuilders * (uint32_t) sizeof(cel_builder_t);
    program->errors_at = at;

    at += program->nerrors * (uint32_t) sizeof(cel_error_t *);
    program->frame_size = at;
}


/* An atom has no source: what reads its value knows where it is. */

static void
cel_vm_locate(const cel_program_t *program, cel_eval_t *eval)
{
    if (program->source_len == 0) {
        return;
    }

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

    cost = eval->cost;
    look = eval->next_look;

    CEL_GO;

#include "cel_vm_value_ops.h"
#include "cel_vm_flow_ops.h"
#include "cel_vm_fold_ops.h"

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
