
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_cost.c - the worst case of an expression as a polynomial in the sizes
 * of the inputs.  What is charged for what is said in cel_function.h; here is
 * everything but calls and comprehensions.
 */


#include "cel_cost.h"

#include <string.h>


_Static_assert(sizeof(((cel_poly_t *) 0)->c) == sizeof(((cel_cost_t *) 0)->c),
               "both have the same terms");


static void cel_cost_leaf(const cel_node_t *node, cel_shape_t *shape);
static void cel_cost_local(cel_coster_t *coster, const cel_node_t *node,
    cel_shape_t *shape);
static void cel_cost_select(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static void cel_cost_items(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static bool cel_cost_is_constant(const cel_node_t *node);


void
cel_cost_estimate(const cel_env_t *env, const cel_ast_t *ast,
    cel_cost_t *cost)
{
    cel_poly_t    none;
    cel_shape_t   shape;
    cel_spent_t   spent;
    cel_coster_t  coster;

    cel_poly_set(&none, 0);

    coster.locals = NULL;
    coster.arena = ast->arena;
    coster.level = 0;
    coster.most = &none;
    coster.args = NULL;
    memset(coster.free, 0, sizeof(coster.free));

    cel_bound_set(&spent.max, 0);
    spent.min = 0;

    cel_cost_node(&coster, ast->root, &spent, &shape);

    if (env->result != NULL) {
        memcpy(env->result, &shape, sizeof(cel_shape_t));
    }

    memcpy(cost->c, spent.max.fixed.c, sizeof(cost->c));
    cost->unbounded = spent.max.fixed.unbounded;
    cost->min = spent.min;
}


uint64_t
cel_cost_at(const cel_cost_t *cost, const cel_sizes_t *sizes)
{
    cel_poly_t  poly;

    memcpy(poly.c, cost->c, sizeof(cost->c));
    poly.unbounded = cost->unbounded;

    return cel_poly_at(&poly, sizes);
}


void
cel_cost_node(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    switch (node->kind) {

    case CEL_N_CONST:
        cel_bound_add_constant(&spent->max, 1);
        cel_cost_leaf(node, shape);
        break;

    case CEL_N_IDENT:
        cel_bound_add_constant(&spent->max, 1);
        spent->min += node->ref == CEL_R_TYPE ? 0 : 1;

        if (node->ref == CEL_R_LOCAL) {
            cel_cost_local(coster, node, shape);

        } else {
            cel_cost_leaf(node, shape);
        }

        break;

    case CEL_N_SELECT:
        cel_cost_select(coster, node, spent, shape);
        break;

    case CEL_N_CALL:
        cel_cost_call(coster, node, spent, shape);
        break;

    case CEL_N_COMPREHENSION:
        cel_cost_fold(coster, node, spent, shape);
        break;

    default:
        cel_cost_items(coster, node, spent, shape);
    }

    cel_shape_restrict(shape, node->type);
}


/* constants, types, facts; a fact of a resolver comes from the request */

static void
cel_cost_leaf(const cel_node_t *node, cel_shape_t *shape)
{
    if (node->ref == CEL_R_FACT && node->fact != NULL
        && node->fact->shape != NULL)
    {
        *shape = *(const cel_shape_t *) node->fact->shape;
        cel_shape_restrict(shape, node->type);
        return;
    }

    if (node->ref == CEL_R_FACT) {
        cel_shape_fact(shape, node->type,
                       node->fact != NULL ? node->fact->size
                                          : CEL_SIZE_HEADERS);
        return;
    }

    if (node->kind == CEL_N_CONST && (node->value.kind == CEL_STRING
                                      || node->value.kind == CEL_BYTES))
    {
        cel_shape_text(shape, node->value.len);
        return;
    }

    cel_shape_scalar(shape);
}


static void
cel_cost_local(cel_coster_t *coster, const cel_node_t *node,
    cel_shape_t *shape)
{
    const cel_cost_local_t  *local;

    for (local = coster->locals; local != NULL; local = local->next) {
        if (local->number == node->local) {
            *shape = *local->shape;

            if (local->level != coster->level) {
                cel_shape_close(shape, local->most);
            }

            return;
        }
    }

    /* not known: what follows has no bound */

    cel_shape_scalar(shape);
    shape->len.fixed.unbounded = true;
    shape->inner.fixed.unbounded = true;
    shape->items.fixed.unbounded = true;
    shape->bytes.fixed.unbounded = true;
}


static void
cel_cost_select(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    cel_bound_add_constant(&spent->max, 1);
    spent->min += node->ref == CEL_R_TYPE ? 0 : 1;

    if (node->ref != CEL_R_NONE) {
        cel_cost_leaf(node, shape);
        return;
    }

    cel_cost_node(coster, node->target, spent, shape);
    cel_shape_part(shape);

    if (node->test_only) {
        cel_shape_scalar(shape);
    }
}


/* list and map literals, by the largest of the items */

static void
cel_cost_items(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    bool          constant;
    uint32_t      i;
    cel_shape_t   item;
    cel_spent_t   inside;

    cel_shape_scalar(shape);

    constant = cel_cost_is_constant(node);
    inside = *spent;

    for (i = 0; i < node->nitems; i++) {
        cel_cost_node(coster, node->items[i], &inside, &item);
        cel_shape_append(shape, &item);
    }

    if (node->kind == CEL_N_MAP) {
        cel_bound_set(&shape->len, node->nitems / 2);
    }

    if (constant) {
        cel_bound_add_constant(&spent->max, 1);
        return;
    }

    /* with items that may all be folded it may be folded, too */

    if (inside.min > spent->min) {
        inside.min++;
    }

    cel_bound_add_constant(&inside.max, 1 + (uint64_t) CEL_COST_ITEM
                                           * node->nitems);
    *spent = inside;
}


/* Lists of constants are always folded; a map may turn out to be an error. */

static bool
cel_cost_is_constant(const cel_node_t *node)
{
    uint32_t  i;

    if (node->kind == CEL_N_CONST) {
        return true;
    }

    if (node->kind != CEL_N_LIST || node->item_flags != NULL) {
        return false;
    }

    for (i = 0; i < node->nitems; i++) {
        if (!cel_cost_is_constant(node->items[i])) {
            return false;
        }
    }

    return true;
}
