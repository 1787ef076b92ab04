
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_shape.h - how large the value of a node may get: what charges and
 * iteration counts depend on; private to the cost estimate.
 */


#ifndef CEL_SHAPE_H_INCLUDED
#define CEL_SHAPE_H_INCLUDED


#include "cel_bound.h"


typedef struct {
    cel_bound_t  len;         /* bytes of a string, elements of a list or map */
    cel_bound_t  inner;       /* the same of anything inside, at any depth */
    cel_bound_t  items;       /* the value itself, and two for each element
                               * at any depth, four for an entry: more than
                               * elements and strings are together */
    cel_bound_t  bytes;       /* of all strings */
} cel_shape_t;


/* of a number and the like */
void cel_shape_scalar(cel_shape_t *shape);

/* of a string of n bytes */
void cel_shape_text(cel_shape_t *shape, uint64_t n);

/* of a fact */
void cel_shape_fact(cel_shape_t *shape, const cel_type_t *type,
    cel_size_class_t size);

void cel_shape_max(cel_shape_t *shape, const cel_shape_t *other);

/* the shape becomes that of any part of it */
void cel_shape_part(cel_shape_t *shape);

/* a list or map gets one more item */
void cel_shape_append(cel_shape_t *shape, const cel_shape_t *item);

/* the same of every round of a loop, in terms of the loop around */
void cel_shape_collect(cel_shape_t *shape, const cel_shape_t *item,
    const cel_bound_t *count, const cel_bound_t *weight);

/* the shape of the element that a loop over range is at */
void cel_shape_element(cel_shape_t *shape, const cel_shape_t *range);

/* all that is in a value: what the elements of a range share */
void cel_shape_weight(const cel_shape_t *shape, cel_bound_t *weight);

/* see cel_bound_close() */
void cel_shape_close(cel_shape_t *shape, const cel_poly_t *most);

/* forgets what a value of the type cannot have */
void cel_shape_restrict(cel_shape_t *shape, const cel_type_t *type);

/* the units that a charge by the size of the value comes to */
void cel_shape_charge(const cel_shape_t *shape, const cel_charge_t *charge,
    cel_bound_t *units);


#endif /* CEL_SHAPE_H_INCLUDED */
