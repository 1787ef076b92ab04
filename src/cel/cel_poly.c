
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_poly.c - saturating arithmetic of polynomials, see cel_poly.h.
 */


#include "cel_poly.h"

#include <string.h>


static uint64_t
cel_poly_plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}


/* a * b >> shift, rounded up */

static uint64_t
cel_poly_times(uint64_t a, uint64_t b, uint32_t shift)
{
    unsigned __int128  n;

    if (a == 0 || b == 0) {
        return 0;
    }

    if (a == UINT64_MAX || b == UINT64_MAX) {
        return UINT64_MAX;
    }

    n = (unsigned __int128) a * b;
    n = (n + (((unsigned __int128) 1 << shift) - 1)) >> shift;

    return n > UINT64_MAX ? UINT64_MAX : (uint64_t) n;
}


void
cel_poly_set(cel_poly_t *p, uint64_t constant)
{
    memset(p, 0, sizeof(cel_poly_t));
    p->c[0][0] = constant;
}


void
cel_poly_set_class(cel_poly_t *p, cel_size_class_t size, uint64_t constant,
    uint64_t scale)
{
    cel_poly_set(p, constant);

    switch (size) {

    case CEL_SIZE_HEADERS:
        p->c[1][0] = scale << CEL_COST_FRACTION;
        return;

    case CEL_SIZE_BODY:
        p->c[0][1] = scale << CEL_COST_FRACTION;
        return;

    default:
        p->c[0][0] += scale * CEL_SMALL_BYTES;
    }
}


void
cel_poly_add(cel_poly_t *p, const cel_poly_t *q)
{
    uint32_t  i, j;

    for (i = 0; i < CEL_COST_DEGREE; i++) {
        for (j = 0; j < CEL_COST_DEGREE; j++) {
            p->c[i][j] = cel_poly_plus(p->c[i][j], q->c[i][j]);
        }
    }

    p->unbounded |= q->unbounded;
}


void
cel_poly_add_constant(cel_poly_t *p, uint64_t constant)
{
    p->c[0][0] = cel_poly_plus(p->c[0][0], constant);
}


void
cel_poly_scale(cel_poly_t *p, uint64_t per, uint32_t shift)
{
    uint32_t  i, j;

    if (per == 1 && shift == 0) {
        return;
    }

    for (i = 0; i < CEL_COST_DEGREE; i++) {
        for (j = 0; j < CEL_COST_DEGREE; j++) {
            p->c[i][j] = cel_poly_times(p->c[i][j], per, shift);
        }
    }
}


void
cel_poly_multiply(cel_poly_t *p, const cel_poly_t *q)
{
    uint32_t    i, j, k, l, shift;
    uint64_t    term;
    cel_poly_t  result;

    cel_poly_set(&result, 0);
    result.unbounded = p->unbounded || q->unbounded;

    for (i = 0; i < CEL_COST_DEGREE * CEL_COST_DEGREE; i++) {

        if (p->c[i / CEL_COST_DEGREE][i % CEL_COST_DEGREE] == 0) {
            continue;
        }

        for (j = 0; j < CEL_COST_DEGREE * CEL_COST_DEGREE; j++) {

            /* two fractions make one too many */

            shift = i > 0 && j > 0 ? CEL_COST_FRACTION : 0;
            term = cel_poly_times(p->c[i / CEL_COST_DEGREE]
                                      [i % CEL_COST_DEGREE],
                                  q->c[j / CEL_COST_DEGREE]
                                      [j % CEL_COST_DEGREE], shift);
            if (term == 0) {
                continue;
            }

            k = i / CEL_COST_DEGREE + j / CEL_COST_DEGREE;
            l = i % CEL_COST_DEGREE + j % CEL_COST_DEGREE;

            if (k >= CEL_COST_DEGREE || l >= CEL_COST_DEGREE) {
                result.unbounded = true;
                continue;
            }

            result.c[k][l] = cel_poly_plus(result.c[k][l], term);
        }
    }

    *p = result;
}


void
cel_poly_max(cel_poly_t *p, const cel_poly_t *q)
{
    uint32_t  i, j;

    for (i = 0; i < CEL_COST_DEGREE; i++) {
        for (j = 0; j < CEL_COST_DEGREE; j++) {
            if (q->c[i][j] > p->c[i][j]) {
                p->c[i][j] = q->c[i][j];
            }
        }
    }

    p->unbounded |= q->unbounded;
}


uint64_t
cel_poly_at(const cel_poly_t *p, const cel_sizes_t *sizes)
{
    uint32_t  i, j, k;
    uint64_t  sum, term;

    if (p->unbounded) {
        return CEL_COST_MAX;
    }

    sum = 0;

    for (i = 0; i < CEL_COST_DEGREE; i++) {
        for (j = 0; j < CEL_COST_DEGREE; j++) {

            if (i + j == 0) {
                continue;
            }

            term = p->c[i][j];

            for (k = 0; k < i; k++) {
                term = cel_poly_times(term, sizes->bytes[CEL_SIZE_HEADERS], 0);
            }

            for (k = 0; k < j; k++) {
                term = cel_poly_times(term, sizes->bytes[CEL_SIZE_BODY], 0);
            }

            sum = cel_poly_plus(sum, term);
        }
    }

    if (sum == UINT64_MAX) {
        return CEL_COST_MAX;
    }

    /* rounded up */

    sum = (sum >> CEL_COST_FRACTION)
          + ((sum & ((1u << CEL_COST_FRACTION) - 1)) != 0 ? 1 : 0);

    return cel_poly_plus(p->c[0][0], sum);
}
