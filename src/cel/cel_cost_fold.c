
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_cost_fold.c - the costs of comprehensions: the elements of the range
 * times what each may cost.
 */


#include "cel_cost.h"


/* a loop: what is known of its range, in terms of the loop around */

typedef struct {
    const cel_fold_t    *fold;
    cel_shape_t          range;
    cel_bound_t          count;          /* of its elements */
    cel_bound_t          weight;         /* that they share */
    cel_shape_t          element;
    cel_poly_t           most;           /* that one element can have */
} cel_cost_loop_t;


static void cel_cost_bind(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static void cel_cost_loop(cel_coster_t *coster, cel_cost_loop_t *loop,
    cel_bound_t *all, cel_shape_t *value);
static void cel_cost_value(const cel_cost_loop_t *loop,
    const cel_shape_t *value, cel_shape_t *shape);
static void cel_cost_push(cel_coster_t *coster, cel_cost_local_t *local,
    uint32_t number, const cel_shape_t *shape);


void
cel_cost_fold(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    cel_bound_t       all, weight;
    cel_shape_t       value;
    cel_cost_loop_t   loop;

    if (node->fold->macro == CEL_M_BIND) {
        cel_cost_bind(coster, node, spent, shape);
        return;
    }

    loop.fold = node->fold;

    cel_cost_node(coster, loop.fold->range, spent, &loop.range);
    cel_bound_add_constant(&spent->max, CEL_COST_FOLD);
    spent->min += 2;

    /* each element is two items at least: its place, and itself */

    loop.count = loop.range.items;
    cel_bound_scale(&loop.count, 1, 1);
    cel_bound_min(&loop.count, &loop.range.len);

    cel_shape_weight(&loop.range, &loop.weight);
    cel_shape_element(&loop.element, &loop.range);

    weight = loop.weight;
    cel_bound_close(&weight, coster->most);
    loop.most = weight.fixed;

    cel_cost_loop(coster, &loop, &all, &value);
    cel_bound_add(&spent->max, &all);

    cel_cost_value(&loop, &value, shape);
}


static void
cel_cost_bind(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    cel_shape_t        init;
    const cel_fold_t  *fold;
    cel_cost_local_t   local;

    fold = node->fold;

    cel_cost_node(coster, fold->init, spent, &init);

    /* the empty range, and the condition that is never reached */

    cel_bound_add_constant(&spent->max, CEL_COST_FOLD + 1);

    cel_cost_push(coster, &local, fold->accu_local, &init);
    cel_cost_node(coster, fold->result, spent, shape);
    coster->locals = local.next;
}


/* *all: what all rounds cost; *value: what is made of an element */

static void
cel_cost_loop(cel_coster_t *coster, cel_cost_loop_t *loop, cel_bound_t *all,
    cel_shape_t *value)
{
    cel_spent_t         spent;
    const cel_fold_t   *fold;
    const cel_poly_t   *most;
    cel_cost_local_t    var, var2;

    fold = loop->fold;
    most = coster->most;

    coster->most = &loop->most;
    coster->level++;

    cel_cost_push(coster, &var, fold->var_local, &loop->element);

    if (fold->var2 != NULL) {
        cel_cost_push(coster, &var2, fold->var2_local, &loop->element);
    }

    cel_bound_set(&spent.max, CEL_COST_STEP);
    spent.min = 0;

    cel_shape_scalar(value);

    if (fold->predicate != NULL) {
        cel_cost_node(coster, fold->predicate, &spent, value);
    }

    if (fold->transform != NULL) {
        cel_cost_node(coster, fold->transform, &spent, value);
    }

    if (fold->macro == CEL_M_TRANSFORM_MAP_ENTRY) {
        cel_bound_add(&spent.max, &value->len);
    }

    coster->locals = var.next;
    coster->most = most;
    coster->level--;

    *all = spent.max;
    cel_bound_sum(all, &loop->count, &loop->weight);
}


static void
cel_cost_value(const cel_cost_loop_t *loop, const cel_shape_t *value,
    cel_shape_t *shape)
{
    cel_bound_t  len;

    cel_shape_scalar(shape);

    switch (loop->fold->macro) {

    case CEL_M_FILTER:
        *shape = loop->range;
        break;

    case CEL_M_MAP:
    case CEL_M_MAP_FILTER:
    case CEL_M_TRANSFORM_LIST:
        cel_shape_collect(shape, value, &loop->count, &loop->weight);
        break;

    case CEL_M_TRANSFORM_MAP:
        cel_shape_collect(shape, &loop->element, &loop->count, &loop->weight);
        cel_shape_collect(shape, value, &loop->count, &loop->weight);
        shape->len = loop->count;
        break;

    case CEL_M_TRANSFORM_MAP_ENTRY:
        len = value->len;
        cel_bound_sum(&len, &loop->count, &loop->weight);
        cel_shape_collect(shape, value, &loop->count, &loop->weight);
        shape->len = len;
        break;

    default:
        break;
    }
}


static void
cel_cost_push(cel_coster_t *coster, cel_cost_local_t *local, uint32_t number,
    const cel_shape_t *shape)
{
    local->next = coster->locals;
    local->number = number;
    local->level = coster->level;
    local->most = coster->most;
    local->shape = shape;

    coster->locals = local;
}
