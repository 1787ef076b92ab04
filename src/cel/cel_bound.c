
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_bound.c - arithmetic of bounds, see cel_bound.h.
 */


#include "cel_bound.h"


static const cel_sizes_t  cel_bound_common = {
    { [CEL_SIZE_HEADERS] = 4096, [CEL_SIZE_BODY] = 65536 }
};


void
cel_bound_set(cel_bound_t *b, uint64_t constant)
{
    cel_poly_set(&b->fixed, constant);
    cel_poly_set(&b->each, 0);
    b->linear = false;
}


void
cel_bound_set_element(cel_bound_t *b)
{
    cel_poly_set(&b->fixed, 0);
    cel_poly_set(&b->each, 1u << CEL_COST_FRACTION);
    b->linear = true;
}


void
cel_bound_add(cel_bound_t *b, const cel_bound_t *other)
{
    cel_poly_add(&b->fixed, &other->fixed);

    if (other->linear) {
        cel_poly_add(&b->each, &other->each);
        b->linear = true;
    }
}


void
cel_bound_add_constant(cel_bound_t *b, uint64_t constant)
{
    cel_poly_add_constant(&b->fixed, constant);
}


void
cel_bound_scale(cel_bound_t *b, uint64_t per, uint32_t shift)
{
    cel_poly_scale(&b->fixed, per, shift);

    if (b->linear) {
        cel_poly_scale(&b->each, per, shift);
    }
}


void
cel_bound_max(cel_bound_t *b, const cel_bound_t *other)
{
    cel_poly_max(&b->fixed, &other->fixed);

    if (other->linear) {
        cel_poly_max(&b->each, &other->each);
        b->linear = true;
    }
}


void
cel_bound_multiply(cel_bound_t *b, const cel_bound_t *other,
    const cel_poly_t *most)
{
    cel_poly_t  each, term;

    cel_poly_set(&each, 0);

    if (other->linear) {
        each = b->fixed;
        cel_poly_multiply(&each, &other->each);
    }

    if (b->linear) {
        term = b->each;
        cel_poly_multiply(&term, &other->fixed);
        cel_poly_add(&each, &term);
    }

    if (b->linear && other->linear) {
        term = b->each;
        cel_poly_multiply(&term, &other->each);
        cel_poly_multiply(&term, most);
        cel_poly_scale(&term, 1, CEL_COST_FRACTION);
        cel_poly_add(&each, &term);
    }

    cel_poly_multiply(&b->fixed, &other->fixed);

    b->each = each;
    b->linear = b->linear || other->linear;
}


/* fixed for each of count rounds, and each times all the weight there is */

void
cel_bound_sum(cel_bound_t *b, const cel_bound_t *count,
    const cel_bound_t *weight)
{
    cel_poly_t   term;
    cel_bound_t  sum;

    cel_bound_set(&sum, 0);

    sum.fixed = b->fixed;
    cel_poly_multiply(&sum.fixed, &count->fixed);

    if (count->linear) {
        sum.each = b->fixed;
        cel_poly_multiply(&sum.each, &count->each);
        sum.linear = true;
    }

    if (b->linear) {
        term = b->each;
        cel_poly_multiply(&term, &weight->fixed);
        cel_poly_scale(&term, 1, CEL_COST_FRACTION);
        cel_poly_add(&sum.fixed, &term);
    }

    if (b->linear && weight->linear) {
        term = b->each;
        cel_poly_multiply(&term, &weight->each);
        cel_poly_scale(&term, 1, CEL_COST_FRACTION);
        cel_poly_add(&sum.each, &term);
        sum.linear = true;
    }

    *b = sum;
}


void
cel_bound_largest(cel_bound_t *b, const cel_bound_t *weight)
{
    cel_bound_t  one;

    cel_bound_set(&one, 1);
    cel_bound_sum(b, &one, weight);
}


void
cel_bound_min(cel_bound_t *b, const cel_bound_t *other)
{
    cel_poly_t  polys[2];

    polys[0] = b->fixed;
    cel_poly_add(&polys[0], &b->each);

    polys[1] = other->fixed;
    cel_poly_add(&polys[1], &other->each);

    if (cel_poly_at(&polys[1], &cel_bound_common)
        < cel_poly_at(&polys[0], &cel_bound_common))
    {
        *b = *other;
    }
}


void
cel_bound_close(cel_bound_t *b, const cel_poly_t *most)
{
    if (b->linear) {
        cel_poly_multiply(&b->each, most);
        cel_poly_scale(&b->each, 1, CEL_COST_FRACTION);
        cel_poly_add(&b->fixed, &b->each);
        cel_poly_set(&b->each, 0);
        b->linear = false;
    }
}


bool
cel_bound_is_constant(const cel_bound_t *b)
{
    uint32_t  i;

    if (b->linear || b->fixed.unbounded) {
        return false;
    }

    for (i = 1; i < CEL_COST_DEGREE * CEL_COST_DEGREE; i++) {
        if (b->fixed.c[i / CEL_COST_DEGREE][i % CEL_COST_DEGREE] != 0) {
            return false;
        }
    }

    return true;
}
