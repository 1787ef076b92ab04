
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile_call.c - code for calls: which kind one is, the logical operators
 * as jumps.  Calls of constants are made here and now.
 */


#include "cel_code.h"
#include "cel_env.h"


/* What a call may cost at most to be made while compiling. */
#define CEL_FOLD_COST    4096
#define CEL_FOLD_MEMORY  65536

/* The same of all calls of one expression; the others are for run time. */
#define CEL_FOLD_COST_ALL    (1u << 18)
#define CEL_FOLD_MEMORY_ALL  (1u << 20)


static void cel_call_warn(cel_code_t *c, const cel_error_t *error);
static bool cel_compile_logic(cel_code_t *c, const cel_node_t *node, bool all,
    cel_value_t *v);
static bool cel_logic_decided(cel_code_t *c, const cel_mark_t *mark,
    bool value, cel_value_t *v);
static bool cel_compile_ternary(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
static bool cel_compile_present(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);


static const cel_operator_t  cel_operators[] = {
    { "_+_", 2, CEL_OP_ADD },
    { "_-_", 2, CEL_OP_SUB },
    { "_*_", 2, CEL_OP_MUL },
    { "_/_", 2, CEL_OP_DIV },
    { "_%_", 2, CEL_OP_MOD },
    { "_<_", 2, CEL_OP_LT },
    { "_<=_", 2, CEL_OP_LE },
    { "_>_", 2, CEL_OP_GT },
    { "_>=_", 2, CEL_OP_GE },
    { "_[_]", 2, CEL_OP_INDEX },
    { "-_", 1, CEL_OP_NEG },
    { "!_", 1, CEL_OP_NOT },
    { NULL, 0, CEL_OP_RETURN }
};


bool
cel_compile_call(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    const char            *name;
    const cel_operator_t  *operator;

    name = node->name;

    if (node->target != NULL && node->nitems == 1
        && (strcmp(name, "or") == 0 || strcmp(name, "orValue") == 0))
    {
        return cel_compile_present(c, node, v);
    }

    if (node->target != NULL) {
        return cel_compile_function(c, node, v);
    }

    if (node->nitems == 2) {

        if (strcmp(name, "_&&_") == 0) {
            return cel_compile_logic(c, node, true, v);
        }

        if (strcmp(name, "_||_") == 0) {
            return cel_compile_logic(c, node, false, v);
        }

        if (strcmp(name, "_==_") == 0) {
            return cel_compile_equal(c, node, true, v);
        }

        if (strcmp(name, "_!=_") == 0) {
            return cel_compile_equal(c, node, false, v);
        }

        if (strcmp(name, "@in") == 0) {
            return cel_compile_in(c, node, v);
        }
    }

    if (node->nitems == 3 && strcmp(name, "_?_:_") == 0) {
        return cel_compile_ternary(c, node, v);
    }

    for (operator = cel_operators; operator->name != NULL; operator++) {
        if (operator->nargs == node->nitems
            && strcmp(operator->name, name) == 0)
        {
            return cel_compile_operator(c, node, operator, v);
        }
    }

    return cel_compile_function(c, node, v);
}


/*
 * Runs what was emitted since the mark, a call of constants, if that is
 * cheap, and puts the value in its place.  An error is left for run time.
 */

bool
cel_call_fold(cel_code_t *c, const cel_mark_t *mark, cel_value_t *v)
{
    size_t         limit, used;
    cel_eval_t     eval;
    cel_arena_t   *arena;
    cel_status_t   rc;
    cel_program_t  one;

    cel_emit(c, CEL_OP_RETURN, 0, 0, 0);

    if (c->failed) {
        return false;
    }

    if (c->folded >= CEL_FOLD_COST_ALL) {
        c->ncode--;
        return false;
    }

    memset(&eval, 0, sizeof(eval));
    memset(&one, 0, sizeof(one));

    arena = &c->program->arena;
    limit = arena->limit;

    if (limit - arena->used > CEL_FOLD_MEMORY) {
        arena->limit = arena->used + CEL_FOLD_MEMORY;
    }

    eval.arena = arena;
    eval.cost_limit = CEL_FOLD_COST;
    eval.max_regex = c->env->limits.max_regex;
    cel_eval_init(&eval);

    one.code = c->code + mark->ncode;
    one.handler_of = c->handler_of + mark->ncode;
    one.offsets = c->offsets + mark->ncode;
    one.constants = c->constants;
    one.calls = c->calls;
    one.nstack = CEL_MAX_ARGS;
    one.source = "";
    cel_vm_layout(&one);

    used = arena->used;
    rc = cel_vm_run(&one, &eval, v);
    used = arena->used - used;

    arena->limit = limit;
    arena->refused = 0;
    c->folded += eval.cost + used / (CEL_FOLD_MEMORY_ALL / CEL_FOLD_COST_ALL);
    c->ncode--;

    if (rc != CEL_OK) {
        cel_call_warn(c, &eval.error);
        return false;
    }

    cel_code_rewind(c, mark);
    cel_emit_const(c, v);

    return !c->failed;
}


/* What fails with constants fails whenever it is evaluated. */

static void
cel_call_warn(cel_code_t *c, const cel_error_t *error)
{
    if (c->env->warnings != NULL && !cel_error_is_fatal(error->kind)) {
        cel_issue(c->env->warnings, CEL_E_WARNING, c->ast, error->offset,
                  "this always fails: %s", error->message);
    }
}


/*
 * && and || : see cel_vm.c for the absorption of errors.  A left operand that
 * is constant decides, or leaves the right one as the answer; so may a right
 * one that would not change the left.  What is left stays in its order, and
 * both are compiled, for what is wrong in them.
 */

static bool
cel_compile_logic(cel_code_t *c, const cel_node_t *node, bool all,
    cel_value_t *v)
{
    bool         left, right;
    uint32_t     pc, outer;
    cel_mark_t   mark, middle;
    cel_value_t  a, b;

    cel_code_mark(c, &mark);

    outer = cel_handler_open(c, 0);
    left = cel_compile_node(c, node->items[0], &a);
    cel_handler_close(c, outer);

    left = left && a.kind == CEL_BOOL;
    cel_code_mark(c, &middle);

    if (left && a.b == all && node->items[1]->type->kind == CEL_T_BOOL) {
        cel_code_rewind(c, &mark);
        return cel_compile_node(c, node->items[1], v);
    }

    pc = cel_emit(c, all ? CEL_OP_AND : CEL_OP_OR, 0, 0, 0);

    c->level++;
    outer = cel_handler_open(c, 0);
    right = cel_compile_node(c, node->items[1], &b);
    cel_handler_close(c, outer);
    c->level--;

    right = right && b.kind == CEL_BOOL;

    cel_emit(c, all ? CEL_OP_AND_END : CEL_OP_OR_END, 0, 0, -1);
    cel_code_land(c, pc);

    if (c->failed) {
        return false;
    }

    if (left && (a.b != all || right)) {
        return cel_logic_decided(c, &mark, a.b != all ? a.b : b.b, v);
    }

    if (right && b.b == all && node->items[0]->type->kind == CEL_T_BOOL) {
        cel_code_rewind(c, &middle);
        cel_handler_undo(c, &mark, outer);
    }

    return false;
}


static bool
cel_logic_decided(cel_code_t *c, const cel_mark_t *mark, bool value,
    cel_value_t *v)
{
    *v = cel_bool(value);

    cel_code_rewind(c, mark);
    cel_emit_const(c, v);

    return !c->failed;
}


/* Of a constant condition one branch is left; both are compiled, though. */

static bool
cel_compile_ternary(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    bool         constant;
    uint32_t     unless, jump;
    cel_mark_t   mark;
    cel_value_t  other;

    cel_code_mark(c, &mark);

    if (cel_compile_node(c, node->items[0], v) && v->kind == CEL_BOOL) {
        cel_code_rewind(c, &mark);
        constant = v->b;

        cel_compile_node(c, node->items[constant ? 2 : 1], &other);
        cel_code_rewind(c, &mark);

        return cel_compile_node(c, node->items[constant ? 1 : 2], v);
    }

    unless = cel_emit(c, CEL_OP_UNLESS, 0, 0, -1);

    cel_compile_node(c, node->items[1], v);
    jump = cel_emit(c, CEL_OP_JUMP, 0, 0, -1);
    cel_code_land(c, unless);

    cel_compile_node(c, node->items[2], v);
    cel_code_land(c, jump);

    return false;
}


/* a.or(b), a.orValue(b): b is evaluated when a has no value */

static bool
cel_compile_present(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    uint32_t  pc;

    cel_compile_node(c, node->target, v);
    pc = cel_emit(c, CEL_OP_PRESENT, strcmp(node->name, "or") == 0, 0, -1);

    cel_compile_node(c, node->items[0], v);
    cel_code_land(c, pc);

    return false;
}
