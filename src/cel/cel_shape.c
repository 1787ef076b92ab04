
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_shape.c - upper bounds of the sizes of values, see cel_shape.h.
 */


#include "cel_shape.h"


static bool
cel_shape_is_scalar(const cel_type_t *type)
{
    switch (type->kind) {

    case CEL_T_NULL:
    case CEL_T_BOOL:
    case CEL_T_INT:
    case CEL_T_UINT:
    case CEL_T_DOUBLE:
    case CEL_T_TIMESTAMP:
    case CEL_T_DURATION:
    case CEL_T_TYPE:
        return true;

    default:
        return false;
    }
}


void
cel_shape_scalar(cel_shape_t *shape)
{
    cel_bound_set(&shape->len, 0);
    cel_bound_set(&shape->inner, 0);
    cel_bound_set(&shape->items, 1);
    cel_bound_set(&shape->bytes, 0);
}


void
cel_shape_text(cel_shape_t *shape, uint64_t n)
{
    cel_bound_set(&shape->len, n);
    cel_bound_set(&shape->inner, 0);
    cel_bound_set(&shape->items, 1);
    cel_bound_set(&shape->bytes, n);
}


/*
 * n bytes of JSON hold no more than n elements and strings together.  Of the
 * others, "a&b&c" is a map of four in five bytes, with as many strings.
 */

void
cel_shape_fact(cel_shape_t *shape, const cel_type_t *type,
    cel_size_class_t size)
{
    cel_shape_scalar(shape);

    cel_poly_set_class(&shape->len.fixed, size, 0, 1);
    cel_poly_set_class(&shape->inner.fixed, size, 0, 1);
    cel_poly_set_class(&shape->items.fixed, size, 4,
                       size == CEL_SIZE_BODY ? 1 : 2);
    cel_poly_set_class(&shape->bytes.fixed, size, 0, 1);

    cel_shape_restrict(shape, type);
}


void
cel_shape_max(cel_shape_t *shape, const cel_shape_t *other)
{
    cel_bound_max(&shape->len, &other->len);
    cel_bound_max(&shape->inner, &other->inner);
    cel_bound_max(&shape->items, &other->items);
    cel_bound_max(&shape->bytes, &other->bytes);
}


void
cel_shape_part(cel_shape_t *shape)
{
    shape->len = shape->inner;
}


void
cel_shape_append(cel_shape_t *shape, const cel_shape_t *item)
{
    cel_bound_add_constant(&shape->len, 1);
    cel_bound_max(&shape->inner, &item->len);
    cel_bound_max(&shape->inner, &item->inner);

    /* the item itself, and what is in it */

    cel_bound_add_constant(&shape->items, 1);
    cel_bound_add(&shape->items, &item->items);
    cel_bound_add(&shape->bytes, &item->bytes);
}


void
cel_shape_collect(cel_shape_t *shape, const cel_shape_t *item,
    const cel_bound_t *count, const cel_bound_t *weight)
{
    cel_bound_t  bound;

    cel_bound_add(&shape->len, count);

    bound = item->len;
    cel_bound_max(&bound, &item->inner);
    cel_bound_largest(&bound, weight);
    cel_bound_max(&shape->inner, &bound);

    bound = item->items;
    cel_bound_add_constant(&bound, 1);
    cel_bound_sum(&bound, count, weight);
    cel_bound_add(&shape->items, &bound);

    bound = item->bytes;
    cel_bound_sum(&bound, count, weight);
    cel_bound_add(&shape->bytes, &bound);
}


/* what is in small constants is known better than by its share of all */

void
cel_shape_element(cel_shape_t *shape, const cel_shape_t *range)
{
    if (cel_bound_is_constant(&range->items)
        && cel_bound_is_constant(&range->bytes)
        && cel_bound_is_constant(&range->inner))
    {
        *shape = *range;
        cel_shape_part(shape);
        return;
    }

    cel_bound_set_element(&shape->len);
    cel_bound_set_element(&shape->inner);
    cel_bound_set_element(&shape->items);
    cel_bound_set_element(&shape->bytes);

    /* that of a map may be a key or a value, each counts for itself */

    cel_bound_add_constant(&shape->items, 1);
}


void
cel_shape_weight(const cel_shape_t *shape, cel_bound_t *weight)
{
    *weight = shape->items;
    cel_bound_add(weight, &shape->bytes);
}


void
cel_shape_close(cel_shape_t *shape, const cel_poly_t *most)
{
    cel_bound_close(&shape->len, most);
    cel_bound_close(&shape->inner, most);
    cel_bound_close(&shape->items, most);
    cel_bound_close(&shape->bytes, most);
}


void
cel_shape_restrict(cel_shape_t *shape, const cel_type_t *type)
{
    if (cel_shape_is_scalar(type)) {
        cel_shape_scalar(shape);
        return;
    }

    if (type->kind == CEL_T_STRING || type->kind == CEL_T_BYTES
        || type->kind == CEL_T_OPAQUE)
    {
        shape->bytes = shape->len;
        cel_bound_set(&shape->inner, 0);
        cel_bound_set(&shape->items, 1);
        return;
    }

    if ((type->kind == CEL_T_LIST && cel_shape_is_scalar(type->params[0]))
        || (type->kind == CEL_T_MAP && cel_shape_is_scalar(type->params[0])
            && cel_shape_is_scalar(type->params[1])))
    {
        cel_bound_set(&shape->inner, 0);
        cel_bound_set(&shape->bytes, 0);
    }
}


void
cel_shape_charge(const cel_shape_t *shape, const cel_charge_t *charge,
    cel_bound_t *units)
{
    cel_bound_t  bytes;

    if (charge->mode < CEL_CHARGE_DEEP || charge->mode >= CEL_CHARGE_AT_MOST)
    {
        *units = shape->len;
        cel_bound_scale(units, charge->per,
                        charge->mode == CEL_CHARGE_MATCHES ? 0
                                                           : charge->shift);
        return;
    }

    *units = shape->items;
    cel_bound_scale(units, charge->per, 0);

    bytes = shape->bytes;
    cel_bound_scale(&bytes, charge->per, charge->shift);
    cel_bound_add(units, &bytes);
}
