
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_cost_call.c - the costs of calls and operators, and the sizes of what
 * they give, from the tables of the libraries.
 */


#include "cel_cost.h"

#include <string.h>


/* what a charge counts, over the arguments */

typedef struct {
    cel_poly_t           units;          /* of CEL_CHARGE_SUM and _DEEP */
    cel_poly_t           product;        /* of the sizes, 0 taken as 1 */
    cel_poly_t           weight;         /* product of all that is in them */
    cel_shape_t          sum;            /* of the sized arguments */
    cel_shape_t          first;
    uint32_t             counted;
} cel_cost_args_t;


/* where two bounds hold, the one that is lower for such sizes is taken */

static const cel_sizes_t  cel_cost_typical = {
    { [CEL_SIZE_HEADERS] = 4096, [CEL_SIZE_BODY] = 65536 }
};


static void cel_cost_logic(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static void cel_cost_ternary(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static void cel_cost_equal(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static const cel_node_t *cel_cost_argument(const cel_node_t *node,
    uint32_t i);
static bool cel_cost_applies(const cel_node_t *node,
    const cel_overload_t *overload);
static void cel_cost_overload(const cel_overload_t *overload,
    const cel_charge_t *charge, const cel_shape_t *shapes,
    cel_poly_t *units, cel_shape_t *result);
static void cel_cost_count(const cel_charge_t *charge,
    const cel_shape_t *shape, cel_cost_args_t *args);
static void cel_cost_result(const cel_overload_t *overload,
    const cel_charge_t *charge, const cel_cost_args_t *args,
    cel_shape_t *result);
static const cel_charge_t *cel_cost_charge(const cel_node_t *node,
    const cel_overload_t *overload);


void
cel_cost_call(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    uint32_t               i, n, count;
    cel_poly_t             units, most;
    cel_shape_t           *shapes, one;
    const cel_overload_t  *overloads;

    if (node->target == NULL) {

        if (strcmp(node->name, "_&&_") == 0 || strcmp(node->name, "_||_") == 0)
        {
            cel_cost_logic(coster, node, spent, shape);
            return;
        }

        if (strcmp(node->name, "_?_:_") == 0) {
            cel_cost_ternary(coster, node, spent, shape);
            return;
        }

        if (strcmp(node->name, "_==_") == 0 || strcmp(node->name, "_!=_") == 0)
        {
            cel_cost_equal(coster, node, spent, shape);
            return;
        }
    }

    n = node->nitems + (node->target != NULL ? 1 : 0);
    cel_shape_scalar(shape);

    shapes = cel_arena_alloc(coster->arena, (n + 1) * sizeof(cel_shape_t));
    if (shapes == NULL) {
        spent->max.unbounded = true;
        return;
    }

    for (i = 0; i < n; i++) {
        cel_cost_node(coster, cel_cost_argument(node, i), spent, &shapes[i]);
    }

    overloads = node->overload;
    count = overloads != NULL ? 1 : 0;

    if (overloads == NULL && node->function != NULL) {
        overloads = node->function->overloads;
        count = node->function->count;
    }

    cel_poly_set(&most, 1);

    for (i = 0; i < count; i++) {
        if (!cel_cost_applies(node, &overloads[i])) {
            continue;
        }

        cel_cost_overload(&overloads[i], cel_cost_charge(node, &overloads[i]),
                          shapes, &units, &one);
        cel_poly_max(&most, &units);
        cel_shape_max(shape, &one);
    }

    cel_poly_add(&spent->max, &most);
}


/* the left one may fail at its first step and be absorbed by the right one */

static void
cel_cost_logic(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    uint64_t     left;
    cel_spent_t  right;

    left = spent->min;
    cel_cost_node(coster, node->items[0], spent, shape);
    left = spent->min - left;

    cel_poly_set(&right.max, CEL_COST_LOGIC);
    right.min = 1;
    cel_cost_node(coster, node->items[1], &right, shape);

    cel_poly_add(&spent->max, &right.max);

    if (right.min < left) {
        spent->min -= left - right.min;
    }

    cel_shape_scalar(shape);
}


static void
cel_cost_ternary(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    cel_shape_t  other;
    cel_spent_t  yes, no;

    cel_cost_node(coster, node->items[0], spent, shape);

    cel_poly_set(&yes.max, CEL_COST_TERNARY);
    cel_poly_set(&no.max, CEL_COST_TERNARY);
    yes.min = 1;
    no.min = 1;

    cel_cost_node(coster, node->items[1], &yes, shape);
    cel_cost_node(coster, node->items[2], &no, &other);

    cel_poly_max(&yes.max, &no.max);
    cel_poly_add(&spent->max, &yes.max);
    spent->min += yes.min < no.min ? yes.min : no.min;

    cel_shape_max(shape, &other);
}


/*
 * Two values are compared as far as they are alike, so either one's size is a
 * bound: comparing a body with 'x' is cheap.
 */

static void
cel_cost_equal(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    cel_poly_t           units[2];
    const cel_charge_t  *charge;

    charge = &node->function->overloads[0].spec->charge;

    cel_cost_node(coster, node->items[0], spent, shape);
    cel_shape_charge(shape, charge, &units[0]);

    cel_cost_node(coster, node->items[1], spent, shape);
    cel_shape_charge(shape, charge, &units[1]);

    if (cel_poly_at(&units[0], &cel_cost_typical)
        > cel_poly_at(&units[1], &cel_cost_typical))
    {
        units[0] = units[1];
    }

    cel_poly_add(&spent->max, &units[0]);
    cel_poly_add_constant(&spent->max, charge->base);

    cel_shape_scalar(shape);
}


/* the receiver is the first */

static const cel_node_t *
cel_cost_argument(const cel_node_t *node, uint32_t i)
{
    if (node->target != NULL) {
        return i == 0 ? node->target : node->items[i - 1];
    }

    return node->items[i];
}


/* whether the overload may be the one that runs: types that are known hold */

static bool
cel_cost_applies(const cel_node_t *node, const cel_overload_t *overload)
{
    uint32_t           i;
    const cel_type_t  *type, *param;

    if (overload->member != (node->target != NULL)
        || overload->nargs != node->nitems + (node->target != NULL ? 1 : 0))
    {
        return false;
    }

    for (i = 0; i < overload->nargs; i++) {
        type = cel_cost_argument(node, i)->type;
        param = overload->args[i];

        if (type->kind != param->kind && !cel_type_is_dyn(type)
            && !cel_type_is_dyn(param) && type->kind != CEL_T_NULL)
        {
            return false;
        }
    }

    return true;
}


/* shapes: one for each argument */

static void
cel_cost_overload(const cel_overload_t *overload, const cel_charge_t *charge,
    const cel_shape_t *shapes, cel_poly_t *units, cel_shape_t *result)
{
    uint32_t         i;
    cel_shape_t      shape;
    cel_cost_args_t  args;

    memset(&args, 0, sizeof(cel_cost_args_t));

    cel_poly_set(&args.product, 1);
    cel_poly_set(&args.weight, 1);

    for (i = 0; i < overload->nargs; i++) {
        shape = shapes[i];
        cel_shape_restrict(&shape, overload->args[i]);

        if (i == 0) {
            args.first = shape;
        }

        if (charge->sized & (1u << i)) {
            cel_cost_count(charge, &shape, &args);
        }
    }

    *units = args.units;

    if (charge->mode == CEL_CHARGE_PRODUCT) {
        *units = args.product;
        cel_poly_scale(units, charge->per, charge->shift);
    }

    cel_poly_add_constant(units, charge->base);

    cel_cost_result(overload, charge, &args, result);
}


static void
cel_cost_count(const cel_charge_t *charge, const cel_shape_t *shape,
    cel_cost_args_t *args)
{
    cel_poly_t  one;

    cel_shape_charge(shape, charge, &one);
    cel_poly_add(&args->units, &one);

    one = shape->len;
    cel_poly_add_constant(&one, 1);
    cel_poly_multiply(&args->product, &one);

    cel_poly_add(&one, &shape->items);
    cel_poly_add(&one, &shape->bytes);
    cel_poly_multiply(&args->weight, &one);

    cel_poly_add(&args->sum.len, &shape->len);
    cel_poly_max(&args->sum.inner, &shape->inner);
    cel_poly_add(&args->sum.items, &shape->items);
    cel_poly_add(&args->sum.bytes, &shape->bytes);
}


static void
cel_cost_result(const cel_overload_t *overload, const cel_charge_t *charge,
    const cel_cost_args_t *args, cel_shape_t *result)
{
    switch (charge->result) {

    case CEL_RESULT_ELEMENT:
        *result = args->first;
        cel_poly_max(&result->inner, &result->len);
        cel_shape_part(result);
        break;

    case CEL_RESULT_ARGS:
    case CEL_RESULT_ARGS_4:
        *result = args->sum;

        /* text may become a list of texts, a list may become a text */

        cel_poly_add(&result->len, &args->sum.bytes);
        cel_poly_max(&result->inner, &result->len);
        cel_poly_add(&result->items, &result->len);
        cel_poly_add(&result->items, &result->len);
        cel_poly_add_constant(&result->len, 1);
        cel_poly_add_constant(&result->items, 3);

        if (charge->result == CEL_RESULT_ARGS_4) {
            cel_poly_scale(&result->len, 4, 0);
            cel_poly_scale(&result->inner, 4, 0);
            cel_poly_scale(&result->items, 4, 0);
            cel_poly_scale(&result->bytes, 4, 0);
        }

        break;

    case CEL_RESULT_PRODUCT:
        result->len = args->weight;
        result->inner = args->weight;
        result->items = args->weight;
        result->bytes = args->weight;
        break;

    default:
        cel_shape_text(result, 64);
        cel_poly_set(&result->inner, 64);
        cel_poly_set(&result->items, 64);
    }

    cel_shape_restrict(result, overload->result);
}


/* a constant last argument is prepared where that is possible */

static const cel_charge_t *
cel_cost_charge(const cel_node_t *node, const cel_overload_t *overload)
{
    const cel_node_t  *last;

    if (overload->spec->prepare == NULL || node->nitems == 0) {
        return &overload->spec->charge;
    }

    last = node->items[node->nitems - 1];

    return last->kind == CEL_N_CONST ? &overload->spec->prepared
                                     : &overload->spec->charge;
}
