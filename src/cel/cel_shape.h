
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


#include "cel_poly.h"


typedef struct {
    cel_poly_t   len;         /* bytes of a string, elements of a list or map */
    cel_poly_t   inner;       /* the same of anything inside, at any depth */
    cel_poly_t   items;       /* elements at any depth (an entry is two), and
                               * strings */
    cel_poly_t   bytes;       /* of all strings */
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

/* a list or map gets count more of such items */
void cel_shape_append(cel_shape_t *shape, const cel_shape_t *item,
    const cel_poly_t *count);

/* forgets what a value of the type cannot have */
void cel_shape_restrict(cel_shape_t *shape, const cel_type_t *type);

/* the units that a charge by the size of the value comes to */
void cel_shape_charge(const cel_shape_t *shape, const cel_charge_t *charge,
    cel_poly_t *units);


#endif /* CEL_SHAPE_H_INCLUDED */
