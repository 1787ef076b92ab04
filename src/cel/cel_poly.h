
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_poly.h - polynomials in header bytes and body bytes with coefficients
 * that are never negative, for upper bounds; private to the cost estimate.
 *
 * c[0][0] is whole, the others are in parts of 2^CEL_COST_FRACTION, so that
 * "a unit for 16 bytes" needs no rounding up to a unit for each.
 */


#ifndef CEL_POLY_H_INCLUDED
#define CEL_POLY_H_INCLUDED


#include "cel_ast.h"


typedef struct {
    uint64_t   c[CEL_COST_DEGREE][CEL_COST_DEGREE];
    bool       unbounded;
} cel_poly_t;


/* the size class that is no unknown */
#define CEL_SMALL_BYTES  256


void cel_poly_set(cel_poly_t *p, uint64_t constant);

/* constant + scale times the bytes of the class */
void cel_poly_set_class(cel_poly_t *p, cel_size_class_t size,
    uint64_t constant, uint64_t scale);

void cel_poly_add(cel_poly_t *p, const cel_poly_t *q);
void cel_poly_add_constant(cel_poly_t *p, uint64_t constant);

/* p = p * per >> shift, rounded up */
void cel_poly_scale(cel_poly_t *p, uint64_t per, uint32_t shift);

void cel_poly_multiply(cel_poly_t *p, const cel_poly_t *q);

/* the larger of both, coefficient by coefficient */
void cel_poly_max(cel_poly_t *p, const cel_poly_t *q);

uint64_t cel_poly_at(const cel_poly_t *p, const cel_sizes_t *sizes);


#endif /* CEL_POLY_H_INCLUDED */
