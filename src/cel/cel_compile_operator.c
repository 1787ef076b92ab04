
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile_operator.c - code for operators: instructions of their own, fused
 * with a fact, a local or a constant where that pays.
 */


#include "cel_code.h"
#include "cel_env.h"


static bool cel_operator_fuse(cel_code_t *c, const cel_mark_t *mark,
    cel_opcode_t op);
static void cel_operator_order(cel_code_t *c, const cel_mark_t *mark,
    uint32_t order, uint32_t constant);
static void cel_operator_key(cel_code_t *c, const cel_mark_t *mark, uint32_t
    key);
static bool cel_compile_equal_const(cel_code_t *c, const cel_node_t *node,
    const cel_node_t *constant, bool equal, cel_value_t *v);
static bool cel_compile_in_set(cel_code_t *c, const cel_mark_t *mark,
    const cel_value_t *list);
static void cel_in_fact(cel_code_t *c, uint32_t set);


/* Operands, then the operator; true when folded. */

bool
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

    if (op >= CEL_OP_LT && op <= CEL_OP_GE) {
        cel_operator_order(c, mark, op - CEL_OP_LT, constant);
        return true;
    }

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

    default:
        return false;
    }

    c->ncode--;
    c->depth--;
    cel_emit(c, op, 0, constant, 0);

    return true;
}


/* The constant was the last instruction, a local may be the one before. */

static void
cel_operator_order(cel_code_t *c, const cel_mark_t *mark, uint32_t order,
    uint32_t constant)
{
    uint32_t  local;

    c->ncode--;
    c->depth--;

    if (c->ncode == mark->ncode + 1
        && c->code[mark->ncode].op == CEL_OP_LOCAL)
    {
        local = c->code[mark->ncode].b;
        c->ncode--;
        c->depth--;

        cel_emit(c, CEL_OP_LOCAL_ORDER_CONST, order, local, 1);
        cel_emit_arg(c, 0, constant);
        return;
    }

    cel_emit(c, CEL_OP_ORDER_CONST, order, constant, 0);
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


/* == and != , most often with a constant on one side */

bool
cel_compile_equal(cel_code_t *c, const cel_node_t *node, bool equal,
    cel_value_t *v)
{
    cel_operator_t     operator;
    const cel_node_t  *left, *right;

    left = node->items[0];
    right = node->items[1];

    if (right->kind == CEL_N_CONST && left->kind != CEL_N_CONST) {
        return cel_compile_equal_const(c, left, right, equal, v);
    }

    if (left->kind == CEL_N_CONST && right->kind != CEL_N_CONST) {
        return cel_compile_equal_const(c, right, left, equal, v);
    }

    operator.name = node->name;
    operator.nargs = 2;
    operator.op = equal ? CEL_OP_EQ : CEL_OP_NE;

    return cel_compile_operator(c, node, &operator, v);
}


static bool
cel_compile_equal_const(cel_code_t *c, const cel_node_t *node,
    const cel_node_t *constant, bool equal, cel_value_t *v)
{
    bool         folded;
    uint32_t     k;
    cel_mark_t   mark;
    cel_value_t  kept;

    if (!cel_code_keep(c, &constant->value, &kept)) {
        return false;
    }

    k = cel_code_constant(c, &kept);
    cel_code_mark(c, &mark);

    if (equal && node->ref == CEL_R_FACT) {
        cel_code_slot(c, node->slot);
        cel_emit(c, CEL_OP_FACT_EQ_CONST, 0, node->slot, 1);
        cel_emit_arg(c, 0, k);
        return false;
    }

    folded = cel_compile_node(c, node, v);
    cel_emit(c, equal ? CEL_OP_EQ_CONST : CEL_OP_NE_CONST, 0, k, 0);

    return folded && cel_call_fold(c, &mark, v);
}


/* x in [constants] asks a set, anything else walks the list */

bool
cel_compile_in(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    bool         left, right;
    cel_mark_t   mark;
    cel_value_t  list;

    cel_code_mark(c, &mark);

    left = cel_compile_node(c, node->items[0], v);
    right = cel_compile_node(c, node->items[1], &list);

    if (right && !left && cel_compile_in_set(c, &mark, &list)) {
        return false;
    }

    cel_emit(c, CEL_OP_IN, 0, 0, -1);

    return left && right && cel_call_fold(c, &mark, v);
}


/* The list becomes a map of its elements, for the index that a map has. */

static bool
cel_compile_in_set(cel_code_t *c, const cel_mark_t *mark,
    const cel_value_t *list)
{
    uint32_t            i, k, n;
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
    k = cel_code_constant(c, &set);

    if (!c->failed && c->ncode == mark->ncode + 1
        && c->code[mark->ncode].op == CEL_OP_FACT)
    {
        cel_in_fact(c, k);
        return true;
    }

    cel_emit(c, CEL_OP_IN_CONST, 0, k, 0);

    return true;
}


/* The fact was the last instruction; its failure stays at its place. */

static void
cel_in_fact(cel_code_t *c, uint32_t set)
{
    uint32_t  slot, offset;

    offset = c->offset;

    c->ncode--;
    c->depth--;
    slot = c->code[c->ncode].b;
    c->offset = c->offsets[c->ncode];

    cel_emit(c, CEL_OP_FACT_IN_CONST, 0, slot, 1);
    cel_emit_arg(c, 0, set);

    c->offset = offset;
}
