
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_bound.h - upper bounds within a loop; private to the cost estimate.
 *
 * A bound is fixed + each * e / 2^CEL_COST_FRACTION, where e is the weight of
 * the element that the innermost loop is at: all elements and all bytes inside
 * of it.  Nobody knows e, but over all rounds it adds up to the weight of the
 * range.  So a loop that matches a pattern against each of many strings is
 * bounded by the bytes of all of them, not by the number of strings times the
 * longest.
 */


#ifndef CEL_BOUND_H_INCLUDED
#define CEL_BOUND_H_INCLUDED


#include "cel_poly.h"


typedef struct {
    cel_poly_t   fixed;
    cel_poly_t   each;
    bool         linear;      /* each is not zero */
} cel_bound_t;


void cel_bound_set(cel_bound_t *b, uint64_t constant);

/* just e */
void cel_bound_set_element(cel_bound_t *b);

void cel_bound_add(cel_bound_t *b, const cel_bound_t *other);
void cel_bound_add_constant(cel_bound_t *b, uint64_t constant);
void cel_bound_scale(cel_bound_t *b, uint64_t per, uint32_t shift);
void cel_bound_max(cel_bound_t *b, const cel_bound_t *other);

/* most: the largest that e can be, for e * e */
void cel_bound_multiply(cel_bound_t *b, const cel_bound_t *other,
    const cel_poly_t *most);

/* b of one round becomes that of all, in terms of the loop around */
void cel_bound_sum(cel_bound_t *b, const cel_bound_t *count,
    const cel_bound_t *weight);

/* the largest b of any round, in terms of the loop around */
void cel_bound_largest(cel_bound_t *b, const cel_bound_t *weight);

/* where both hold: the one that is lower for sizes as they are common */
void cel_bound_min(cel_bound_t *b, const cel_bound_t *other);

/* e is taken as the largest that it can be */
void cel_bound_close(cel_bound_t *b, const cel_poly_t *most);

bool cel_bound_is_constant(const cel_bound_t *b);


#endif /* CEL_BOUND_H_INCLUDED */
