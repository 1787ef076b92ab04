
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_program.h - a compiled program as the VM runs it; private to the back
 * end.  Immutable once built, so threads share it freely.
 */


#ifndef CEL_PROGRAM_H_INCLUDED
#define CEL_PROGRAM_H_INCLUDED


#include "cel_ast.h"
#include "cel_opcode.h"
#include "cel_runtime.h"


typedef struct {
    uint16_t              op;
    uint16_t              a;
    uint32_t              b;
} cel_instr_t;


/* One overload that a call may turn out to be. */

typedef struct {
    cel_function_pt       call;
    cel_charge_t          charge;
    cel_prepare_pt        prepare;
    cel_charge_t          prepared;
    uint32_t              nargs;
    uint32_t              kinds[CEL_MAX_ARGS];   /* bit: kind is taken */
} cel_callee_t;

typedef struct {
    const char           *name;
    uint32_t              count;
    cel_callee_t         *callees;
} cel_call_t;


/*
 * Where an error of an instruction goes: the stack is cut to depth, the error
 * is kept in the frame's slot and pushed, the VM goes on at target.
 */

typedef struct {
    uint32_t              target;
    uint32_t              depth;
    uint32_t              slot;
} cel_handler_t;

#define CEL_NO_HANDLER  UINT32_MAX


/* A compiled pattern, destroyed with the program. */

typedef struct cel_owned_s  cel_owned_t;

struct cel_owned_s {
    cel_owned_t          *next;
    void                 *regex;
};


/* What a program of one comparison does, see cel_quick.h. */

typedef enum {
    CEL_QUICK_NONE = 0,
    CEL_QUICK_VALUE,                     /* the fact itself */
    CEL_QUICK_EQ,
    CEL_QUICK_NE,
    CEL_QUICK_ORDER,
    CEL_QUICK_IN,
    CEL_QUICK_STARTS
} cel_quick_form_t;

typedef struct {
    uint8_t               form;
    uint8_t               order;         /* as of ORDER_CONST */
    uint16_t              units;
    cel_slot_t            slot;
    cel_value_t           constant;
} cel_quick_t;


/* Comparisons that decide one after the other, see cel_branch.h. */
typedef struct cel_branch_s  cel_branch_t;


struct cel_program_s {
    cel_quick_t           quick;         /* first: all that is read then */
    const cel_branch_t   *branch;        /* or NULL */
    const cel_instr_t    *code;
    const cel_value_t    *constants;
    const cel_call_t     *calls;
    const cel_handler_t  *handlers;
    const uint32_t       *handler_of;    /* per instruction */
    const uint32_t       *offsets;       /* per instruction, into source */

    uint32_t              ncode;
    uint32_t              nconstants;
    uint32_t              ncalls;
    uint32_t              nhandlers;

    /* the frame */
    uint32_t              nstack;
    uint32_t              nlocals;
    uint32_t              nkept;         /* of these, the last ones */
    uint32_t              niters;
    uint32_t              nbuilders;
    uint32_t              nerrors;
    uint32_t              min_facts;     /* the highest slot + 1 */

    /* where in a frame's bytes, the stack comes first */
    uint32_t              locals_at;
    uint32_t              iters_at;
    uint32_t              builders_at;
    uint32_t              errors_at;
    uint32_t              frame_size;

    const cel_type_t     *type;
    const cel_slot_t     *facts;
    uint32_t              nfacts;
    uint32_t              nentries;
    cel_literal_entry_t  *entries;
    const cel_value_t    *constant;      /* or NULL */
    cel_cost_t            cost;

    const char           *source;        /* positions of errors */
    uint32_t              source_len;

    cel_owned_t          *owned;
    cel_arena_t           arena;         /* holds this, too */
};


/* Has the program destroy the pattern; owned is in the program's arena. */
void cel_program_own_regex(cel_program_t *program, cel_owned_t *owned,
    void *regex);


/* cel_vm.c: places the frame's parts, once their numbers are known */
void cel_vm_layout(cel_program_t *program);

cel_status_t cel_vm_run(const cel_program_t *program, cel_eval_t *eval,
    cel_value_t *value);


#endif /* CEL_PROGRAM_H_INCLUDED */
