
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_code.h - a program while it is being built: what cel_program.c, the
 * cel_compile_*.c and cel_code.c share; private to them.
 */


#ifndef CEL_CODE_H_INCLUDED
#define CEL_CODE_H_INCLUDED


#include "cel_program.h"


typedef struct {
    const cel_env_t      *env;
    const cel_ast_t      *ast;
    cel_issues_t         *issues;
    cel_program_t        *program;
    cel_arena_t          *arena;         /* temporary, of the compilation */

    cel_instr_t          *code;
    uint32_t             *offsets;
    uint32_t             *handler_of;
    uint32_t              ncode;
    uint32_t              code_room;

    cel_value_t          *constants;
    uint32_t              nconstants;
    uint32_t              constants_room;

    cel_call_t           *calls;
    uint32_t              ncalls;
    uint32_t              calls_room;

    cel_handler_t        *handlers;
    uint32_t              nhandlers;
    uint32_t              handlers_room;

    cel_slot_t           *slots;
    uint32_t              nslots;
    uint32_t              slots_room;

    uint32_t              handler;       /* of what is emitted now */
    uint32_t              offset;        /* the same */
    uint32_t              depth;         /* of the stack */
    uint32_t              level;         /* first free error slot */
    uint32_t              loops;         /* nested */
    uint64_t              folded;        /* units spent on calls made here */
    uint32_t              iters;         /* in use */
    uint32_t              builders;
    uint32_t              nesting;       /* of nodes */

    bool                  failed;        /* issues say why */
} cel_code_t;


/* Where a subtree's code begins, so that it can be replaced by a constant. */

typedef struct {
    uint32_t              ncode;
    uint32_t              nconstants;
    uint32_t              nhandlers;
    uint32_t              nslots;
    uint32_t              depth;
} cel_mark_t;


/* An operator that is an instruction. */

typedef struct {
    const char           *name;
    uint32_t              nargs;
    cel_opcode_t          op;
} cel_operator_t;


/* cel_code.c: emission.  After a failure these do nothing. */

void cel_code_fail(cel_code_t *c, cel_error_kind_t kind, const char *message);
void cel_code_no_memory(cel_code_t *c);

/* effect: what it does to the depth of the stack */
uint32_t cel_emit(cel_code_t *c, cel_opcode_t op, uint32_t a, uint32_t b,
    int effect);
void cel_emit_arg(cel_code_t *c, uint32_t a, uint32_t b);
void cel_emit_const(cel_code_t *c, const cel_value_t *v);

/*
 * A name that nobody declared: an error at run time when nothing is checked,
 * n values are on the stack for it; else refused.
 */
void cel_emit_unknown(cel_code_t *c, const cel_node_t *node, uint32_t n);

/* b of that instruction becomes the place of the next one */
void cel_code_land(cel_code_t *c, uint32_t pc);

uint32_t cel_code_constant(cel_code_t *c, const cel_value_t *v);
uint32_t cel_code_call(cel_code_t *c, const cel_call_t *call);
void cel_code_slot(cel_code_t *c, cel_slot_t slot);

/* Copies what a value of the tree borrows into the program. */
bool cel_code_keep(cel_code_t *c, const cel_value_t *v, cel_value_t *out);

/*
 * What is emitted until cel_handler_close() has its errors go to where that
 * is called, kept in error slot c->level + up.  Returns the outer handler.
 */
uint32_t cel_handler_open(cel_code_t *c, uint32_t up);
void cel_handler_close(cel_code_t *c, uint32_t outer);

/*
 * What was emitted since the mark within the handler that was opened there
 * has its errors go to the outer one after all.
 */
void cel_handler_undo(cel_code_t *c, const cel_mark_t *mark, uint32_t outer);

void cel_code_mark(const cel_code_t *c, cel_mark_t *mark);
void cel_code_rewind(cel_code_t *c, const cel_mark_t *mark);


/*
 * cel_compile_node.c: code that pushes the value of a node.  True when it is
 * a constant: then that code is one CONST, and *v has the value.
 */
bool cel_compile_node(cel_code_t *c, const cel_node_t *node, cel_value_t *v);

/*
 * cel_compile_call.c, cel_compile_operator.c, cel_compile_function.c,
 * cel_compile_fold.c: the same for these nodes
 */
bool cel_compile_call(cel_code_t *c, const cel_node_t *node, cel_value_t *v);
bool cel_compile_operator(cel_code_t *c, const cel_node_t *node,
    const cel_operator_t *operator, cel_value_t *v);
bool cel_compile_equal(cel_code_t *c, const cel_node_t *node, bool equal,
    cel_value_t *v);
bool cel_compile_in(cel_code_t *c, const cel_node_t *node, cel_value_t *v);
bool cel_compile_function(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
bool cel_compile_fold(cel_code_t *c, const cel_node_t *node, cel_value_t *v);

/*
 * Runs what was emitted since the mark, a call of constants, if that is
 * cheap, and puts the value in its place: true, and *v has it.  An error is
 * left for run time.
 */
bool cel_call_fold(cel_code_t *c, const cel_mark_t *mark, cel_value_t *v);


/*
 * cel_compile_path.c: finds what is read more than once.  Around the code of
 * a node that is one of these: kept is true where that begins, keep ends it.
 */
void cel_compile_paths(cel_code_t *c, cel_node_t *root);
bool cel_compile_kept(cel_code_t *c, const cel_node_t *node, uint32_t *pc);
void cel_compile_keep(cel_code_t *c, const cel_node_t *node, uint32_t pc);


/* cel_program.c */

void *cel_program_alloc(cel_code_t *c, size_t size);
const cel_type_t *cel_program_keep_type(cel_code_t *c,
    const cel_type_t *type);


#endif /* CEL_CODE_H_INCLUDED */
