
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_cost_call.c - the costs of calls and operators, and the sizes of what
 * they give, from the tables of the libraries.
 */


#include "cel_cost.h"
#include "cel_runtime.h"


/*
 * The arguments of a call, while those that follow are looked at.  Too large
 * for the stack of a recursion, so they are kept for the next call.
 */

struct cel_cost_sizes_s {
    cel_cost_sizes_t    *next;
    cel_shape_t          shapes[];
};


/* What a charge counts of them: nothing is called meanwhile, one is enough. */

struct cel_cost_args_s {
    const cel_shape_t   *shapes;
    cel_shape_t          result;

    cel_bound_t          units;          /* of CEL_CHARGE_SUM and _DEEP */
    cel_bound_t          product;        /* of the sizes, 0 taken as 1 */
    cel_bound_t          pairs;          /* of CEL_CHARGE_PAIRS */
    cel_bound_t          weight;         /* product of all that is in them */
    cel_shape_t          sum;            /* of the sized arguments */
    cel_shape_t          largest;        /* of them */
    const cel_poly_t    *most;
};


static void cel_cost_logic(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static void cel_cost_ternary(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static void cel_cost_equal(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);
static bool cel_cost_is_lazy(const cel_node_t *node);
static bool cel_cost_applies(const cel_node_t *node,
    const cel_overload_t *overload);
static cel_cost_sizes_t *cel_cost_take(cel_coster_t *coster, uint32_t n);
static void cel_cost_overloads(const cel_node_t *node, cel_cost_args_t *args,
    cel_spent_t *spent, cel_shape_t *shape);
static void cel_cost_overload(const cel_overload_t *overload,
    const cel_charge_t *charge, cel_cost_args_t *args);
static void cel_cost_matches(const cel_charge_t *charge,
    cel_cost_args_t *args);
static void cel_cost_count(const cel_charge_t *charge,
    const cel_shape_t *shape, cel_cost_args_t *args);
static void cel_cost_result(const cel_overload_t *overload,
    const cel_charge_t *charge, cel_cost_args_t *args);
static void cel_cost_json(cel_shape_t *result, const cel_shape_t *from);
static cel_charge_t cel_cost_charge(const cel_node_t *node,
    const cel_overload_t *overload);


void
cel_cost_call(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    uint64_t           min;
    uint32_t           i, n, kept;
    cel_cost_args_t   *args;
    cel_cost_sizes_t  *sizes;

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
    kept = n < CEL_MAX_ARGS ? n : CEL_MAX_ARGS;

    sizes = cel_cost_take(coster, kept);

    if (sizes == NULL) {
        cel_shape_scalar(shape);
        spent->max.fixed.unbounded = true;
        return;
    }

    for (i = 0; i < n; i++) {
        min = spent->min;
        cel_cost_node(coster, cel_node_argument(node, i), spent,
                      i < CEL_MAX_ARGS ? &sizes->shapes[i] : shape);

        if (i == 1 && cel_cost_is_lazy(node)) {
            spent->min = min;
        }
    }

    args = coster->args;
    args->shapes = sizes->shapes;
    args->most = coster->most;

    cel_cost_overloads(node, args, spent, shape);

    /* a list or map of constants is asked by the key's hash */

    if (node->target == NULL && strcmp(node->name, "@in") == 0) {
        args->units = args->shapes[0].len;
        cel_bound_scale(&args->units, 1, CEL_BYTES_SHIFT);
        cel_bound_add(&spent->max, &args->units);
    }

    sizes->next = coster->free[kept];
    coster->free[kept] = sizes;
}


/* whether its argument may not be evaluated */

static bool
cel_cost_is_lazy(const cel_node_t *node)
{
    return node->target != NULL && node->nitems == 1
           && (strcmp(node->name, "or") == 0
               || strcmp(node->name, "orValue") == 0);
}


/* NULL: no memory */

static cel_cost_sizes_t *
cel_cost_take(cel_coster_t *coster, uint32_t n)
{
    cel_cost_sizes_t  *sizes;

    if (coster->args == NULL) {
        coster->args = cel_arena_alloc(coster->arena, sizeof(cel_cost_args_t));

        if (coster->args == NULL) {
            return NULL;
        }
    }

    sizes = coster->free[n];

    if (sizes == NULL) {
        return cel_arena_alloc(coster->arena, sizeof(cel_cost_sizes_t)
                                              + n * sizeof(cel_shape_t));
    }

    coster->free[n] = sizes->next;

    return sizes;
}


/* the most of all overloads that may be the one that runs */

static void
cel_cost_overloads(const cel_node_t *node, cel_cost_args_t *args,
    cel_spent_t *spent, cel_shape_t *shape)
{
    uint32_t               i, count;
    cel_bound_t            units;
    cel_charge_t           charge;
    const cel_overload_t  *overloads;

    overloads = node->overload;
    count = overloads != NULL ? 1 : 0;

    if (overloads == NULL && node->function != NULL) {
        overloads = node->function->overloads;
        count = node->function->count;
    }

    cel_shape_scalar(shape);
    cel_bound_set(&units, 1);

    for (i = 0; i < count; i++) {
        if (!cel_cost_applies(node, &overloads[i])) {
            continue;
        }

        charge = cel_cost_charge(node, &overloads[i]);
        cel_cost_overload(&overloads[i], &charge, args);
        cel_bound_max(&units, &args->units);
        cel_shape_max(shape, &args->result);
    }

    cel_bound_add(&spent->max, &units);
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

    cel_bound_set(&right.max, CEL_COST_LOGIC);
    right.min = 1;
    cel_cost_node(coster, node->items[1], &right, shape);

    cel_bound_add(&spent->max, &right.max);

    if (right.min < left) {
        spent->min -= left - right.min;
    }

    cel_shape_scalar(shape);
}


static void
cel_cost_ternary(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape)
{
    uint64_t     min;
    cel_shape_t  other;
    cel_spent_t  yes, no;

    min = spent->min;
    cel_cost_node(coster, node->items[0], spent, shape);

    cel_bound_set(&yes.max, CEL_COST_TERNARY);
    cel_bound_set(&no.max, CEL_COST_TERNARY);

    /* a condition that may be constant leaves one branch alone */

    yes.min = spent->min > min;
    no.min = yes.min;

    cel_cost_node(coster, node->items[1], &yes, shape);
    cel_cost_node(coster, node->items[2], &no, &other);

    cel_bound_max(&yes.max, &no.max);
    cel_bound_add(&spent->max, &yes.max);
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
    cel_bound_t          units[2];
    const cel_charge_t  *charge;

    charge = &node->function->overloads[0].spec->charge;

    cel_cost_node(coster, node->items[0], spent, shape);
    cel_shape_charge(shape, charge, &units[0]);

    cel_cost_node(coster, node->items[1], spent, shape);
    cel_shape_charge(shape, charge, &units[1]);

    cel_bound_min(&units[0], &units[1]);
    cel_bound_add(&spent->max, &units[0]);
    cel_bound_add_constant(&spent->max, charge->base);

    cel_shape_scalar(shape);
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
        type = cel_node_argument(node, i)->type;
        param = overload->args[i];

        if (type->kind != param->kind && !cel_type_is_dyn(type)
            && !cel_type_is_dyn(param) && type->kind != CEL_T_NULL)
        {
            return false;
        }
    }

    return true;
}


/* gives args->units and args->result */

static void
cel_cost_overload(const cel_overload_t *overload, const cel_charge_t *charge,
    cel_cost_args_t *args)
{
    uint32_t     i;
    cel_shape_t  shape;

    /* most operators: nothing depends on sizes */

    if (charge->sized == 0 && charge->result == CEL_RESULT_SMALL) {
        cel_bound_set(&args->units, charge->base);
        cel_cost_result(overload, charge, args);
        return;
    }

    cel_bound_set(&args->units, 0);
    cel_bound_set(&args->product, 1);
    cel_bound_set(&args->pairs, 1);
    cel_bound_set(&args->weight, 1);

    cel_shape_scalar(&args->largest);
    cel_shape_scalar(&args->sum);
    cel_bound_set(&args->sum.items, 0);

    for (i = 0; i < overload->nargs; i++) {
        if (charge->sized & (1u << i)) {
            shape = args->shapes[i];
            cel_shape_restrict(&shape, overload->args[i]);
            cel_cost_count(charge, &shape, args);
        }
    }

    if (charge->mode == CEL_CHARGE_PRODUCT) {
        args->units = args->product;
        cel_bound_scale(&args->units, charge->per, charge->shift);

    } else if (charge->mode == CEL_CHARGE_PAIRS) {
        args->units = args->pairs;

    } else if (charge->mode == CEL_CHARGE_MATCHES) {
        cel_cost_matches(charge, args);
    }

    cel_bound_add_constant(&args->units, charge->base);

    cel_cost_result(overload, charge, args);
}


/* units is what each search takes at most */

static void
cel_cost_matches(const cel_charge_t *charge, cel_cost_args_t *args)
{
    cel_bound_t  bound;

    bound = args->sum.len;
    cel_bound_add_constant(&bound, 1);
    cel_bound_add_constant(&args->units, 2);
    cel_bound_multiply(&args->units, &bound, args->most);

    bound = args->sum.len;
    cel_bound_scale(&bound, 1u << charge->shift, 0);
    cel_bound_add(&args->units, &bound);
}


static void
cel_cost_count(const cel_charge_t *charge, const cel_shape_t *shape,
    cel_cost_args_t *args)
{
    cel_bound_t  one;

    cel_shape_charge(shape, charge, &one);
    cel_bound_add(&args->units, &one);

    if (charge->mode == CEL_CHARGE_PAIRS) {
        cel_bound_add_constant(&one, 1);
        cel_bound_multiply(&args->pairs, &one, args->most);

        if ((charge->sized & (charge->sized - 1)) == 0) {
            cel_bound_multiply(&args->pairs, &one, args->most);
        }
    }

    one = shape->len;
    cel_bound_add_constant(&one, 1);
    cel_bound_multiply(&args->product, &one, args->most);

    cel_bound_add(&one, &shape->items);
    cel_bound_add(&one, &shape->bytes);
    cel_bound_multiply(&args->weight, &one, args->most);

    cel_shape_max(&args->largest, shape);

    cel_bound_add(&args->sum.len, &shape->len);
    cel_bound_max(&args->sum.inner, &shape->inner);
    cel_bound_add(&args->sum.items, &shape->items);
    cel_bound_add(&args->sum.bytes, &shape->bytes);
}


static void
cel_cost_result(const cel_overload_t *overload, const cel_charge_t *charge,
    cel_cost_args_t *args)
{
    cel_shape_t  *result;

    result = &args->result;

    switch (charge->result) {

    case CEL_RESULT_ELEMENT:
        *result = args->shapes[0];
        cel_bound_max(&result->inner, &result->len);
        cel_shape_part(result);
        break;

    case CEL_RESULT_ARGS:
    case CEL_RESULT_ARGS_4:
        *result = args->sum;

        /* text may become a list of texts, a list may become a text */

        cel_bound_add(&result->len, &args->sum.bytes);
        cel_bound_max(&result->inner, &result->len);
        cel_bound_add(&result->items, &result->len);
        cel_bound_add(&result->items, &result->len);
        cel_bound_add_constant(&result->len, 1);
        cel_bound_add_constant(&result->items, 3);

        if (charge->result == CEL_RESULT_ARGS_4) {
            cel_bound_scale(&result->len, 4, 0);
            cel_bound_scale(&result->inner, 4, 0);
            cel_bound_scale(&result->items, 4, 0);
            cel_bound_scale(&result->bytes, 4, 0);
        }

        break;

    case CEL_RESULT_BASE:
        cel_shape_scalar(result);
        cel_bound_set(&result->len, charge->base);
        cel_bound_set(&result->items, 1 + 2 * (uint64_t) charge->base);
        break;

    case CEL_RESULT_TEXTS:
        *result = args->sum;
        cel_bound_add(&result->len, &args->sum.bytes);
        cel_bound_add_constant(&result->len, CEL_TEXTS_MAX);
        cel_bound_add_constant(&result->bytes, CEL_TEXTS_MAX);
        cel_bound_add_constant(&result->items, CEL_TEXTS_MAX);
        result->inner = result->len;
        break;

    case CEL_RESULT_JSON:
        cel_cost_json(result, &args->largest);
        break;

    case CEL_RESULT_SAME:
        *result = args->largest;
        cel_bound_add_constant(&result->items, 1);
        break;

    case CEL_RESULT_PRODUCT:
        result->len = args->weight;
        result->inner = args->weight;
        result->items = args->weight;
        result->bytes = args->weight;
        break;

    default:
        cel_shape_text(result, 64);
        cel_bound_set(&result->inner, 64);
        cel_bound_set(&result->items, 64);
    }

    cel_shape_restrict(result, overload->result);
}


/* twice the bytes are more than base64 makes of them and its padding are */

static void
cel_cost_json(cel_shape_t *result, const cel_shape_t *from)
{
    cel_bound_t  texts;

    *result = *from;

    cel_bound_scale(&result->inner, 2, 0);
    cel_bound_add_constant(&result->inner, CEL_JSON_TEXT_MAX);

    texts = from->items;
    cel_bound_scale(&texts, CEL_JSON_TEXT_MAX, 0);
    cel_bound_scale(&result->bytes, 2, 0);
    cel_bound_add(&result->bytes, &texts);

    cel_bound_add_constant(&result->items, 1);
}


/* a constant argument is prepared where that is possible */

static cel_charge_t
cel_cost_charge(const cel_node_t *node, const cel_overload_t *overload)
{
    uint32_t                    at, per;
    cel_charge_t                charge;
    const cel_node_t           *arg;
    const cel_overload_spec_t  *spec;

    spec = overload->spec;
    at = spec->constant;
    arg = at != 0 ? cel_node_argument(node, at) : NULL;

    if (arg == NULL || arg->kind != CEL_N_CONST) {
        return spec->charge;
    }

    charge = spec->prepared;

    if (spec->weigh != NULL) {
        per = charge.per * spec->weigh(&arg->value);
        charge.per = (uint16_t) (per < UINT16_MAX ? per : UINT16_MAX);
    }

    return charge;
}
