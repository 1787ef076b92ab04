
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
    cel_poly_set(&shape->len, 0);
    cel_poly_set(&shape->inner, 0);
    cel_poly_set(&shape->items, 1);
    cel_poly_set(&shape->bytes, 0);
}


void
cel_shape_text(cel_shape_t *shape, uint64_t n)
{
    cel_poly_set(&shape->len, n);
    cel_poly_set(&shape->inner, 0);
    cel_poly_set(&shape->items, 1);
    cel_poly_set(&shape->bytes, n);
}


/*
 * n bytes of JSON hold no more than n elements and strings together.  Of the
 * others, "a&b&c" is a map of four in five bytes, with as many strings.
 */

void
cel_shape_fact(cel_shape_t *shape, const cel_type_t *type,
    cel_size_class_t size)
{
    cel_poly_set_class(&shape->len, size, 0, 1);
    cel_poly_set_class(&shape->inner, size, 0, 1);
    cel_poly_set_class(&shape->items, size, 4, size == CEL_SIZE_BODY ? 1 : 2);
    cel_poly_set_class(&shape->bytes, size, 0, 1);

    cel_shape_restrict(shape, type);
}


void
cel_shape_max(cel_shape_t *shape, const cel_shape_t *other)
{
    cel_poly_max(&shape->len, &other->len);
    cel_poly_max(&shape->inner, &other->inner);
    cel_poly_max(&shape->items, &other->items);
    cel_poly_max(&shape->bytes, &other->bytes);
}


void
cel_shape_part(cel_shape_t *shape)
{
    shape->len = shape->inner;
}


void
cel_shape_append(cel_shape_t *shape, const cel_shape_t *item,
    const cel_poly_t *count)
{
    cel_poly_t  many;

    cel_poly_add(&shape->len, count);
    cel_poly_max(&shape->inner, &item->len);
    cel_poly_max(&shape->inner, &item->inner);

    /* the item itself, and what is in it */

    many = item->items;
    cel_poly_add_constant(&many, 1);
    cel_poly_multiply(&many, count);
    cel_poly_add(&shape->items, &many);

    many = item->bytes;
    cel_poly_multiply(&many, count);
    cel_poly_add(&shape->bytes, &many);
}


void
cel_shape_restrict(cel_shape_t *shape, const cel_type_t *type)
{
    if (cel_shape_is_scalar(type)) {
        cel_shape_scalar(shape);
        return;
    }

    if (type->kind == CEL_T_STRING || type->kind == CEL_T_BYTES) {
        shape->bytes = shape->len;
        cel_poly_set(&shape->inner, 0);
        cel_poly_set(&shape->items, 1);
        return;
    }

    if ((type->kind == CEL_T_LIST && cel_shape_is_scalar(type->params[0]))
        || (type->kind == CEL_T_MAP && cel_shape_is_scalar(type->params[0])
            && cel_shape_is_scalar(type->params[1])))
    {
        cel_poly_set(&shape->inner, 0);
        cel_poly_set(&shape->bytes, 0);
    }
}


void
cel_shape_charge(const cel_shape_t *shape, const cel_charge_t *charge,
    cel_poly_t *units)
{
    cel_poly_t  bytes;

    if (charge->mode != CEL_CHARGE_DEEP) {
        *units = shape->len;
        cel_poly_scale(units, charge->per, charge->shift);
        return;
    }

    *units = shape->items;
    cel_poly_scale(units, charge->per, 0);

    bytes = shape->bytes;
    cel_poly_scale(&bytes, charge->per, charge->shift);
    cel_poly_add(units, &bytes);
}
