
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile_call.c - code for calls: the logical operators as jumps, the
 * others as instructions of their own, fused where that pays, functions by
 * their overloads.  Calls of constants are made here and now.
 */


#include "cel_code.h"
#include "cel_env.h"


/* What a call may cost at most to be made while compiling. */
#define CEL_FOLD_COST    4096
#define CEL_FOLD_MEMORY  65536


typedef struct {
    const char           *name;
    uint32_t              nargs;
    cel_opcode_t          op;
} cel_operator_t;


static bool cel_call_fold(cel_code_t *c, const cel_mark_t *mark,
    cel_value_t *v);
static bool cel_compile_operator(cel_code_t *c, const cel_node_t *node,
    const cel_operator_t *operator, cel_value_t *v);
static bool cel_operator_fuse(cel_code_t *c, const cel_mark_t *mark,
    cel_opcode_t op);
static void cel_operator_key(cel_code_t *c, const cel_mark_t *mark,
    uint32_t key);
static bool cel_compile_logic(cel_code_t *c, const cel_node_t *node,
    bool all, cel_value_t *v);
static bool cel_compile_ternary(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
static bool cel_compile_equal(cel_code_t *c, const cel_node_t *node,
    bool equal, cel_value_t *v);
static bool cel_compile_equal_const(cel_code_t *c, const cel_node_t *node,
    const cel_node_t *constant, bool equal);
static bool cel_compile_in(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
static bool cel_compile_in_set(cel_code_t *c, const cel_value_t *list);
static bool cel_compile_present(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
static bool cel_compile_function(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
static bool cel_call_resolve(cel_code_t *c, const cel_node_t *node,
    uint32_t n, cel_call_t *call);
static void cel_call_callee(const cel_overload_t *overload,
    cel_callee_t *callee);
static uint32_t cel_call_kinds(const cel_type_t *type);
static void cel_call_prepare(cel_code_t *c, const cel_node_t *node,
    cel_callee_t *callee, cel_value_t *arg, uint32_t at);
static uint32_t cel_call_constant(const cel_node_t *node);


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

static bool
cel_call_fold(cel_code_t *c, const cel_mark_t *mark, cel_value_t *v)
{
    size_t         limit;
    cel_eval_t     eval;
    cel_arena_t   *arena;
    cel_status_t   rc;
    cel_program_t  one;

    cel_emit(c, CEL_OP_RETURN, 0, 0, 0);

    if (c->failed) {
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

    rc = cel_vm_run(&one, &eval, v);

    arena->limit = limit;
    c->ncode--;

    if (rc != CEL_OK) {
        return false;
    }

    cel_code_rewind(c, mark);
    cel_emit_const(c, v);

    return !c->failed;
}


/* Operands, then the operator; true when folded. */

static bool
cel_compile_operator(cel_code_t *c, const cel_node_t *node,
    const cel_operator_t *operator, cel_value_t *v)
{
    bool         left, right;
    cel_mark_t   mark;

    cel_code_mark(c, &mark);

    left = cel_compile_node(c, node->items[0], v);

    if (operator->nargs == 1) {
        cel_emit(c, operator->op, 0, 0, 0);
        return left && cel_call_fold(c, &mark, v);
    }

    right = cel_compile_node(c, node->items[1], v);

    if (right && !left && cel_operator_fuse(c, &mark, operator->op)) {
        return false;
    }

    cel_emit(c, operator->op, 0, 0, -1);

    return left && right && cel_call_fold(c, &mark, v);
}


/* The last instruction pushes a constant: takes that into the operator. */

static bool
cel_operator_fuse(cel_code_t *c, const cel_mark_t *mark, cel_opcode_t op)
{
    uint32_t  constant;

    if (c->failed || c->code[c->ncode - 1].op != CEL_OP_CONST) {
        return false;
    }

    constant = c->code[c->ncode - 1].b;

    switch (op) {

    case CEL_OP_INDEX:
        if (c->constants[constant].kind == CEL_STRING) {
            cel_operator_key(c, mark, constant);
            return true;
        }

        op = CEL_OP_INDEX_CONST;
        break;

    case CEL_OP_EQ:
        op = CEL_OP_EQ_CONST;
        break;

    case CEL_OP_NE:
        op = CEL_OP_NE_CONST;
        break;

    case CEL_OP_LT:
    case CEL_OP_LE:
    case CEL_OP_GT:
    case CEL_OP_GE:
        c->ncode--;
        c->depth--;
        cel_emit(c, CEL_OP_ORDER_CONST, op - CEL_OP_LT, constant, 0);
        return true;

    default:
        return false;
    }

    c->ncode--;
    c->depth--;
    cel_emit(c, op, 0, constant, 0);

    return true;
}


/* a['key'] is a.key, for a unit more: that of the constant's node */

static void
cel_operator_key(cel_code_t *c, const cel_mark_t *mark, uint32_t key)
{
    uint32_t  slot;

    c->ncode--;
    c->depth--;

    if (c->ncode == mark->ncode + 1
        && c->code[mark->ncode].op == CEL_OP_FACT)
    {
        slot = c->code[mark->ncode].b;
        c->ncode--;
        c->depth--;

        cel_emit(c, CEL_OP_FACT_SELECT, 1, slot, 1);
        cel_emit_arg(c, 0, key);
        return;
    }

    cel_emit(c, CEL_OP_SELECT, 1, key, 0);
}


/* && and || : see cel_vm.c for the absorption of errors */

static bool
cel_compile_logic(cel_code_t *c, const cel_node_t *node, bool all,
    cel_value_t *v)
{
    bool         left, right;
    uint32_t     pc, outer;
    cel_mark_t   mark;
    cel_value_t  a, b;

    cel_code_mark(c, &mark);

    outer = cel_handler_open(c, 0);
    left = cel_compile_node(c, node->items[0], &a);
    cel_handler_close(c, outer);

    pc = cel_emit(c, all ? CEL_OP_AND : CEL_OP_OR, 0, 0, 0);

    c->level++;
    outer = cel_handler_open(c, 0);
    right = cel_compile_node(c, node->items[1], &b);
    cel_handler_close(c, outer);
    c->level--;

    cel_emit(c, all ? CEL_OP_AND_END : CEL_OP_OR_END, 0, 0, -1);
    cel_code_land(c, pc);

    if (c->failed || !left || !right || a.kind != CEL_BOOL
        || b.kind != CEL_BOOL)
    {
        return false;
    }

    *v = cel_bool(all ? a.b && b.b : a.b || b.b);

    cel_code_rewind(c, &mark);
    cel_emit_const(c, v);

    return !c->failed;
}


static bool
cel_compile_ternary(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    uint32_t  unless, jump;

    cel_compile_node(c, node->items[0], v);
    unless = cel_emit(c, CEL_OP_UNLESS, 0, 0, -1);

    cel_compile_node(c, node->items[1], v);
    jump = cel_emit(c, CEL_OP_JUMP, 0, 0, -1);
    cel_code_land(c, unless);

    cel_compile_node(c, node->items[2], v);
    cel_code_land(c, jump);

    return false;
}


/* == and != , most often with a constant on one side */

static bool
cel_compile_equal(cel_code_t *c, const cel_node_t *node, bool equal,
    cel_value_t *v)
{
    cel_operator_t     operator;
    const cel_node_t  *left, *right;

    left = node->items[0];
    right = node->items[1];

    if (right->kind == CEL_N_CONST && left->kind != CEL_N_CONST) {
        return cel_compile_equal_const(c, left, right, equal);
    }

    if (left->kind == CEL_N_CONST && right->kind != CEL_N_CONST) {
        return cel_compile_equal_const(c, right, left, equal);
    }

    operator.name = node->name;
    operator.nargs = 2;
    operator.op = equal ? CEL_OP_EQ : CEL_OP_NE;

    return cel_compile_operator(c, node, &operator, v);
}


static bool
cel_compile_equal_const(cel_code_t *c, const cel_node_t *node,
    const cel_node_t *constant, bool equal)
{
    uint32_t     k;
    cel_value_t  v;

    if (!cel_code_keep(c, &constant->value, &v)) {
        return false;
    }

    k = cel_code_constant(c, &v);

    if (equal && node->ref == CEL_R_FACT) {
        cel_code_slot(c, node->slot);
        cel_emit(c, CEL_OP_FACT_EQ_CONST, 0, node->slot, 1);
        cel_emit_arg(c, 0, k);
        return false;
    }

    cel_compile_node(c, node, &v);
    cel_emit(c, equal ? CEL_OP_EQ_CONST : CEL_OP_NE_CONST, 0, k, 0);

    return false;
}


/* x in [constants] asks a set, anything else walks the list */

static bool
cel_compile_in(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    bool         left, right;
    cel_mark_t   mark;
    cel_value_t  list;

    cel_code_mark(c, &mark);

    left = cel_compile_node(c, node->items[0], v);
    right = cel_compile_node(c, node->items[1], &list);

    if (right && !left && cel_compile_in_set(c, &list)) {
        return false;
    }

    cel_emit(c, CEL_OP_IN, 0, 0, -1);

    return left && right && cel_call_fold(c, &mark, v);
}


/* The list becomes a map of its elements, for the index that a map has. */

static bool
cel_compile_in_set(cel_code_t *c, const cel_value_t *list)
{
    uint32_t            i, n;
    cel_value_t         set, *pairs;
    const cel_value_t  *values;

    if (c->failed || c->code[c->ncode - 1].op != CEL_OP_CONST
        || (list->kind != CEL_LIST && list->kind != CEL_MAP))
    {
        return false;
    }

    set = *list;

    if (list->kind == CEL_LIST) {
        n = list->l->count;
        values = list->l->values;

        for (i = 0; i < n; i++) {
            if (!cel_is_key(&values[i])) {
                return false;
            }
        }

        pairs = cel_program_alloc(c, 2 * n * sizeof(cel_value_t));
        if (pairs == NULL) {
            return false;
        }

        for (i = 0; i < n; i++) {
            pairs[2 * i] = values[i];
            pairs[2 * i + 1] = cel_bool(true);
        }

        if (cel_map(&c->program->arena, pairs, n, &set) != CEL_OK) {
            cel_code_no_memory(c);
            return false;
        }
    }

    c->ncode--;
    c->depth--;
    cel_emit(c, CEL_OP_IN_CONST, 0, cel_code_constant(c, &set), 0);

    return true;
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


/* Receiver and arguments, then the call of what may apply. */

static bool
cel_compile_function(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    bool         constant;
    uint32_t     i, n, at, ready;
    cel_call_t   call;
    cel_mark_t   mark;
    cel_value_t  arg;

    n = node->nitems + (node->target != NULL);
    constant = true;
    at = cel_call_constant(node);
    ready = 0;

    cel_code_mark(c, &mark);

    for (i = 0; i < n; i++) {

        if (!cel_compile_node(c, cel_node_argument(node, i), v)) {
            constant = false;

        } else if (i != 0 && i == at && !c->failed) {
            ready = c->ncode - 1;
            arg = *v;
        }
    }

    if (c->failed) {
        return false;
    }

    if (node->overload == NULL && node->function == NULL) {
        cel_emit_unknown(c, node, n);
        return false;
    }

    if (!cel_call_resolve(c, node, n, &call)) {
        return false;
    }

    if (ready != 0) {
        for (i = 0; i < call.count; i++) {
            cel_call_prepare(c, node, &call.callees[i], &arg, at);
        }

        if (!c->failed) {
            c->constants[c->code[ready].b] = arg;
        }
    }

    cel_emit(c, CEL_OP_CALL, n, cel_code_call(c, &call), 1 - (int) n);

    return constant && cel_call_fold(c, &mark, v);
}


static bool
cel_call_resolve(cel_code_t *c, const cel_node_t *node, uint32_t n,
    cel_call_t *call)
{
    bool                   member;
    uint32_t               i, count;
    cel_callee_t          *callees;
    const cel_overload_t  *overloads;

    if (node->overload != NULL) {
        overloads = node->overload;
        count = 1;

    } else {
        overloads = node->function->overloads;
        count = node->function->count;
    }

    callees = cel_program_alloc(c, count * sizeof(cel_callee_t));
    if (callees == NULL) {
        return false;
    }

    member = node->target != NULL;

    call->name = overloads->spec->name;
    call->callees = callees;
    call->count = 0;

    for (i = 0; i < count; i++) {
        if (overloads[i].nargs == n && overloads[i].member == member
            && overloads[i].spec->call != NULL)
        {
            cel_call_callee(&overloads[i], &callees[call->count++]);
        }
    }

    if (call->count == 0) {
        cel_code_fail(c, CEL_E_CHECK,
                      "no overload takes this number of arguments");
        return false;
    }

    return true;
}


static void
cel_call_callee(const cel_overload_t *overload, cel_callee_t *callee)
{
    uint32_t  i;

    callee->call = overload->spec->call;
    callee->charge = overload->spec->charge;
    callee->prepare = overload->spec->prepare;
    callee->prepared = overload->spec->prepared;
    callee->nargs = overload->nargs;

    for (i = 0; i < overload->nargs; i++) {
        callee->kinds[i] = cel_call_kinds(overload->args[i]);
    }
}


/* The kinds of values that a parameter of this type takes. */

static uint32_t
cel_call_kinds(const cel_type_t *type)
{
    switch (type->kind) {

    case CEL_T_NULL:       return 1u << CEL_NULL;
    case CEL_T_BOOL:       return 1u << CEL_BOOL;
    case CEL_T_INT:        return 1u << CEL_INT;
    case CEL_T_UINT:       return 1u << CEL_UINT;
    case CEL_T_DOUBLE:     return 1u << CEL_DOUBLE;
    case CEL_T_STRING:     return 1u << CEL_STRING;
    case CEL_T_BYTES:      return 1u << CEL_BYTES;
    case CEL_T_TIMESTAMP:  return 1u << CEL_TIMESTAMP;
    case CEL_T_DURATION:   return 1u << CEL_DURATION;
    case CEL_T_LIST:       return 1u << CEL_LIST;
    case CEL_T_MAP:        return 1u << CEL_MAP;
    case CEL_T_TYPE:       return 1u << CEL_TYPE;
    case CEL_T_OPTIONAL:   return 1u << CEL_OPTIONAL;
    case CEL_T_OPAQUE:     return 1u << CEL_OPAQUE;

    case CEL_T_WRAPPER:
        return (1u << CEL_NULL) | cel_call_kinds(type->params[0]);

    default:
        return (1u << CEL_ERROR_VALUE) - 1;
    }
}


/* The argument that is prepared where it is a constant; 0: none is. */

static uint32_t
cel_call_constant(const cel_node_t *node)
{
    uint32_t               i, count;
    const cel_overload_t  *overloads;

    overloads = node->overload;
    count = overloads != NULL ? 1 : 0;

    if (overloads == NULL && node->function != NULL) {
        overloads = node->function->overloads;
        count = node->function->count;
    }

    for (i = 0; i < count; i++) {
        if (overloads[i].spec->constant != 0) {
            return overloads[i].spec->constant;
        }
    }

    return 0;
}


/* The argument at is the constant *arg. */

static void
cel_call_prepare(cel_code_t *c, const cel_node_t *node, cel_callee_t *callee,
    cel_value_t *arg, uint32_t at)
{
    char           message[CEL_MESSAGE_MAX];
    uint32_t       offset;
    cel_prepare_t  prepare;

    if (callee->prepare == NULL || c->failed
        || !(callee->kinds[at] & (1u << arg->kind)))
    {
        return;
    }

    callee->charge = callee->prepared;

    if (arg->flags & CEL_F_PREPARED) {
        return;
    }

    prepare.program = c->program;
    prepare.arena = &c->program->arena;
    prepare.max_regex = c->env->limits.max_regex;

    if (callee->prepare(&prepare, arg, message) != CEL_OK) {
        offset = c->offset;
        c->offset = cel_node_argument(node, at)->offset;
        cel_code_fail(c, CEL_E_CHECK, message);
        c->offset = offset;
    }
}
