
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile_function.c - code for functions, by their overloads; constant
 * arguments are prepared here and now.
 */


#include "cel_code.h"
#include "cel_env.h"


static bool cel_function_fuse(cel_code_t *c, const cel_node_t *node,
    const cel_call_t *call, const cel_value_t *arg);
static bool cel_call_resolve(cel_code_t *c, const cel_node_t *node, uint32_t n,
    cel_call_t *call);
static void cel_call_callee(const cel_overload_t *overload,
    cel_callee_t *callee);
static uint32_t cel_call_kinds(const cel_type_t *type);
static uint32_t cel_call_constant(const cel_node_t *node);
static void cel_call_prepare(cel_code_t *c, const cel_node_t *node,
    cel_callee_t *callee, cel_value_t *arg, uint32_t at);


/* Receiver and arguments, then the call of what may apply. */

bool
cel_compile_function(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    bool         constant, last;
    uint32_t     i, n, at, ready;
    cel_call_t   call;
    cel_mark_t   mark;
    cel_value_t  arg;

    n = node->nitems + (node->target != NULL);
    constant = true;
    last = false;
    at = cel_call_constant(node);
    arg = cel_null();
    ready = 0;

    cel_code_mark(c, &mark);

    for (i = 0; i < n; i++) {
        last = cel_compile_node(c, cel_node_argument(node, i), v);

        if (!last) {
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

    if (last && cel_function_fuse(c, node, &call, v)) {
        return constant && cel_call_fold(c, &mark, v);
    }

    cel_emit(c, CEL_OP_CALL, n, cel_code_call(c, &call), 1 - (int) n);

    return constant && cel_call_fold(c, &mark, v);
}


/*
 * startsWith() of a constant, for a unit more: that of the constant's node.
 * What it is charged by the table is known here.
 */

static bool
cel_function_fuse(cel_code_t *c, const cel_node_t *node,
    const cel_call_t *call, const cel_value_t *arg)
{
    uint64_t             units;
    const cel_charge_t  *charge;

    if (call->count != 1 || arg->kind != CEL_STRING || node->target == NULL
        || node->nitems != 1 || node->overload == NULL
        || strcmp(node->overload->spec->id, "starts_with_string") != 0
        || c->failed || c->code[c->ncode - 1].op != CEL_OP_CONST)
    {
        return false;
    }

    charge = &call->callees[0].charge;
    units = 1 + charge->base
            + ((uint64_t) arg->len * charge->per >> charge->shift);

    if (units > UINT16_MAX) {
        return false;
    }

    c->ncode--;
    c->depth--;
    cel_emit(c, CEL_OP_STARTS_CONST, (uint32_t) units, c->code[c->ncode].b,
             0);

    return true;
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
