
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_cost_fold.c - the costs of comprehensions: the elements of the range
 * times what each may cost.
 */


#include "cel_cost.h"


static void cel_cost_bind(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static void cel_cost_body(cel_coster_t *coster, const cel_fold_t *fold,
    cel_poly_t *each, cel_shape_t *value);
static void cel_cost_value(const cel_fold_t *fold, const cel_poly_t *count,
    const cel_shape_t *range, const cel_shape_t *value, cel_shape_t *shape);
static void cel_cost_push(cel_coster_t *coster, cel_cost_local_t *local,
    uint32_t number, const cel_shape_t *shape);


void
cel_cost_fold(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    cel_poly_t         each, count;
    cel_shape_t        range, element, value;
    const cel_fold_t  *fold;
    cel_cost_local_t   var, var2;

    fold = node->fold;

    if (fold->macro == CEL_M_BIND) {
        cel_cost_bind(coster, node, spent, shape);
        return;
    }

    cel_cost_node(coster, fold->range, spent, &range);
    cel_poly_add_constant(&spent->max, CEL_COST_FOLD);
    spent->min += 2;

    count = range.len;
    element = range;
    cel_shape_part(&element);

    /* an index or a key is no larger than an element may be */

    cel_cost_push(coster, &var, fold->var_local, &element);

    if (fold->var2 != NULL) {
        cel_cost_push(coster, &var2, fold->var2_local, &element);
    }

    cel_cost_body(coster, fold, &each, &value);

    coster->locals = var.next;

    cel_poly_multiply(&each, &count);
    cel_poly_add(&spent->max, &each);

    cel_cost_value(fold, &count, &range, &value, shape);
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

    cel_poly_add_constant(&spent->max, CEL_COST_FOLD + 1);

    cel_cost_push(coster, &local, fold->accu_local, &init);
    cel_cost_node(coster, fold->result, spent, shape);
    coster->locals = local.next;
}


/* what one element costs at most, and the size of what is made of it */

static void
cel_cost_body(cel_coster_t *coster, const cel_fold_t *fold, cel_poly_t *each,
    cel_shape_t *value)
{
    cel_spent_t  spent;

    cel_poly_set(&spent.max, CEL_COST_STEP);
    spent.min = 0;

    cel_shape_scalar(value);

    if (fold->predicate != NULL) {
        cel_cost_node(coster, fold->predicate, &spent, value);
    }

    if (fold->transform != NULL) {
        cel_cost_node(coster, fold->transform, &spent, value);
    }

    if (fold->macro == CEL_M_TRANSFORM_MAP_ENTRY) {
        cel_poly_add(&spent.max, &value->len);
    }

    *each = spent.max;
}


static void
cel_cost_value(const cel_fold_t *fold, const cel_poly_t *count,
    const cel_shape_t *range, const cel_shape_t *value, cel_shape_t *shape)
{
    cel_shape_t  key;

    cel_shape_scalar(shape);

    switch (fold->macro) {

    case CEL_M_FILTER:
        *shape = *range;
        break;

    case CEL_M_MAP:
    case CEL_M_MAP_FILTER:
    case CEL_M_TRANSFORM_LIST:
        cel_shape_append(shape, value, count);
        break;

    case CEL_M_TRANSFORM_MAP:
        key = *range;
        cel_shape_part(&key);
        cel_shape_append(shape, &key, count);
        cel_shape_append(shape, value, count);
        shape->len = *count;
        break;

    case CEL_M_TRANSFORM_MAP_ENTRY:
        cel_shape_append(shape, value, count);
        shape->len = value->len;
        cel_poly_multiply(&shape->len, count);
        cel_poly_max(&shape->inner, &value->inner);
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
    local->shape = shape;

    coster->locals = local;
}
