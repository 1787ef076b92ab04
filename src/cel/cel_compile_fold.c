
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile_fold.c - code for comprehensions.  Those of the known macros
 * get loops of their own; any other runs as langdef.md writes it: init, and
 * for each element while cond: accu = step; result.
 */


#include "cel_code.h"
#include "cel_env.h"

#include <stdio.h>


static void cel_fold_bind(cel_code_t *c, const cel_fold_t *fold);
static void cel_fold_macro(cel_code_t *c, const cel_fold_t *fold);
static void cel_fold_quantifier(cel_code_t *c, const cel_fold_t *fold);
static void cel_fold_one(cel_code_t *c, const cel_fold_t *fold);
static void cel_fold_collect(cel_code_t *c, const cel_fold_t *fold);
static void cel_fold_any(cel_code_t *c, const cel_fold_t *fold);
static uint32_t cel_fold_begin(cel_code_t *c, const cel_fold_t *fold);
static uint32_t cel_fold_next(cel_code_t *c, const cel_fold_t *fold,
    uint32_t iter);
static bool cel_fold_builds(const cel_fold_t *fold);


bool
cel_compile_fold(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    char  message[CEL_MESSAGE_MAX];

    if (node->fold->macro == CEL_M_BIND) {
        cel_fold_bind(c, node->fold);
        return false;
    }

    if (c->loops == c->env->limits.max_loops) {
        snprintf(message, sizeof(message), "comprehensions are nested too "
                 "deeply, at most %u are allowed", c->loops);
        cel_code_fail(c, CEL_E_TOO_LARGE, message);
        return false;
    }

    c->loops++;
    cel_fold_macro(c, node->fold);
    c->loops--;

    return false;
}


/* A variable that is set once. */

static void
cel_fold_bind(cel_code_t *c, const cel_fold_t *fold)
{
    cel_value_t  v;

    cel_compile_node(c, fold->init, &v);
    cel_emit(c, CEL_OP_STORE, 0, fold->accu_local, -1);
    cel_compile_node(c, fold->result, &v);
}


static void
cel_fold_macro(cel_code_t *c, const cel_fold_t *fold)
{
    switch (fold->macro) {

    case CEL_M_ALL:
    case CEL_M_EXISTS:
        if (fold->predicate != NULL) {
            cel_fold_quantifier(c, fold);
            return;
        }

        break;

    case CEL_M_EXISTS_ONE:
        if (fold->predicate != NULL) {
            cel_fold_one(c, fold);
            return;
        }

        break;

    default:
        if (cel_fold_builds(fold)) {
            cel_fold_collect(c, fold);
            return;
        }
    }

    cel_fold_any(c, fold);
}


static bool
cel_fold_builds(const cel_fold_t *fold)
{
    switch (fold->macro) {

    case CEL_M_FILTER:
        return fold->predicate != NULL;

    case CEL_M_MAP:
    case CEL_M_MAP_FILTER:
    case CEL_M_TRANSFORM_LIST:
    case CEL_M_TRANSFORM_MAP:
    case CEL_M_TRANSFORM_MAP_ENTRY:
        return fold->transform != NULL;

    default:
        return false;
    }
}


/* The range to an iterator, which stays in use until iters goes back. */

static uint32_t
cel_fold_begin(cel_code_t *c, const cel_fold_t *fold)
{
    uint32_t     iter;
    cel_value_t  v;

    cel_compile_node(c, fold->range, &v);

    iter = c->iters++;

    if (c->iters > c->program->niters) {
        c->program->niters = c->iters;
    }

    cel_emit(c, CEL_OP_ITER, iter, 0, -1);

    return iter;
}


static uint32_t
cel_fold_next(cel_code_t *c, const cel_fold_t *fold, uint32_t iter)
{
    uint32_t  pc;

    pc = cel_emit(c, CEL_OP_NEXT, iter, 0, 0);
    cel_emit_arg(c, fold->var2 != NULL ? fold->var2_local + 1 : 0,
                 fold->var_local);

    return pc;
}


/*
 * all(), exists(): the answer so far stays on the stack below the predicate;
 * an error is kept until an element decides.
 */

static void
cel_fold_quantifier(cel_code_t *c, const cel_fold_t *fold)
{
    bool         all;
    uint32_t     iter, loop, outer;
    cel_value_t  v;

    all = fold->macro == CEL_M_ALL;
    iter = cel_fold_begin(c, fold);

    v = cel_bool(all);
    cel_emit_const(c, &v);

    /* one error slot is the answer's, the next the predicate's */

    c->level++;

    if (c->level > c->program->nerrors) {
        c->program->nerrors = c->level;
    }

    loop = cel_fold_next(c, fold, iter);

    outer = cel_handler_open(c, 0);
    cel_compile_node(c, fold->predicate, &v);
    cel_handler_close(c, outer);

    cel_emit(c, all ? CEL_OP_ALL_STEP : CEL_OP_EXISTS_STEP, c->level - 1,
             loop, -1);

    cel_code_land(c, loop);
    cel_emit(c, CEL_OP_FOLD_END, 0, 0, 0);

    c->level--;
    c->iters--;
}


static void
cel_fold_one(cel_code_t *c, const cel_fold_t *fold)
{
    uint32_t     iter, loop;
    cel_value_t  v;

    iter = cel_fold_begin(c, fold);

    v = cel_int(0);
    cel_emit_const(c, &v);

    loop = cel_fold_next(c, fold, iter);

    cel_compile_node(c, fold->predicate, &v);
    cel_emit(c, CEL_OP_ONE_STEP, 0, loop, -1);

    cel_code_land(c, loop);
    cel_emit(c, CEL_OP_ONE_END, 0, 0, 0);

    c->iters--;
}


/* map(), filter(), transformList(), transformMap(), transformMapEntry() */

static void
cel_fold_collect(cel_code_t *c, const cel_fold_t *fold)
{
    uint32_t      iter, loop, builder;
    cel_value_t   v;
    cel_opcode_t  end;

    iter = cel_fold_begin(c, fold);
    builder = c->builders++;
    end = CEL_OP_BUILT;

    if (c->builders > c->program->nbuilders) {
        c->program->nbuilders = c->builders;
    }

    cel_emit(c, CEL_OP_BUILD, builder, 0, 0);
    loop = cel_fold_next(c, fold, iter);

    if (fold->predicate != NULL) {
        cel_compile_node(c, fold->predicate, &v);

        if (fold->macro != CEL_M_FILTER) {
            cel_emit(c, CEL_OP_UNLESS, 0, loop, -1);
        }
    }

    switch (fold->macro) {

    case CEL_M_FILTER:
        cel_emit(c, CEL_OP_FILTER, builder, loop, -1);
        cel_emit_arg(c, 0, fold->var_local);
        break;

    case CEL_M_TRANSFORM_MAP:
        cel_emit(c, CEL_OP_LOCAL, 0, fold->var_local, 1);
        cel_compile_node(c, fold->transform, &v);
        cel_emit(c, CEL_OP_APPEND_PAIR, builder, loop, -2);
        end = CEL_OP_BUILT_MAP;
        break;

    case CEL_M_TRANSFORM_MAP_ENTRY:
        cel_compile_node(c, fold->transform, &v);
        cel_emit(c, CEL_OP_APPEND_MAP, builder, loop, -1);
        end = CEL_OP_BUILT_MAP;
        break;

    default:
        cel_compile_node(c, fold->transform, &v);
        cel_emit(c, CEL_OP_APPEND, builder, loop, -1);
    }

    cel_code_land(c, loop);
    cel_emit(c, end, builder, 0, 1);

    c->builders--;
    c->iters--;
}


static void
cel_fold_any(cel_code_t *c, const cel_fold_t *fold)
{
    uint32_t     iter, loop, stop;
    cel_value_t  v;

    iter = cel_fold_begin(c, fold);

    cel_compile_node(c, fold->init, &v);
    cel_emit(c, CEL_OP_STORE, 0, fold->accu_local, -1);

    loop = cel_fold_next(c, fold, iter);

    cel_compile_node(c, fold->cond, &v);
    stop = cel_emit(c, CEL_OP_UNLESS, 0, 0, -1);

    cel_compile_node(c, fold->step, &v);
    cel_emit(c, CEL_OP_STORE, 0, fold->accu_local, -1);
    cel_emit(c, CEL_OP_JUMP, 0, loop, 0);

    cel_code_land(c, loop);
    cel_code_land(c, stop);

    c->iters--;

    cel_compile_node(c, fold->result, &v);
}
