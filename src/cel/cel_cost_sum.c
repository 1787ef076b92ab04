
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_cost_sum.c - sums and maxima of cost polynomials, coefficient by
 * coefficient; saturating.
 */


#include <string.h>
#include "cel_cost_sum.h"
#include "cel_program.h"


_Static_assert(CEL_COST_SUM_DEGREE == CEL_COST_DEGREE,
               "a sum has the degree of a program's formula");


static bool cel_cost_raise(uint64_t *term, uint64_t bytes, uint32_t times);


static uint64_t
cel_cost_plus(uint64_t a, uint64_t b)
{
    return a > CEL_COST_MAX - b ? CEL_COST_MAX : a + b;
}


void
cel_cost_sum_init(cel_cost_sum_t *sum)
{
    memset(sum, 0, sizeof(cel_cost_sum_t));
}


void
cel_cost_sum_add(cel_cost_sum_t *sum, const cel_program_t *program,
    bool always)
{
    uint32_t           i, j;
    const cel_cost_t  *cost;

    cost = &program->cost;

    for (i = 0; i < CEL_COST_DEGREE; i++) {
        for (j = 0; j < CEL_COST_DEGREE; j++) {
            sum->c[i][j] = cel_cost_plus(sum->c[i][j], cost->c[i][j]);
        }
    }

    sum->unbounded |= cost->unbounded;

    if (always) {
        sum->min = cel_cost_plus(sum->min, cost->min);
    }
}


void
cel_cost_sum_units(cel_cost_sum_t *sum, uint64_t units, uint64_t least)
{
    sum->c[0][0] = cel_cost_plus(sum->c[0][0], units);
    sum->min = cel_cost_plus(sum->min, least);
}


void
cel_cost_sum_either(cel_cost_sum_t *sum, const cel_program_t *program)
{
    uint32_t           i, j;
    const cel_cost_t  *cost;

    cost = &program->cost;

    for (i = 0; i < CEL_COST_DEGREE; i++) {
        for (j = 0; j < CEL_COST_DEGREE; j++) {
            if (cost->c[i][j] > sum->c[i][j]) {
                sum->c[i][j] = cost->c[i][j];
            }
        }
    }

    sum->unbounded |= cost->unbounded;
}


void
cel_cost_sum_join(cel_cost_sum_t *sum, const cel_cost_sum_t *other)
{
    uint32_t  i, j;

    for (i = 0; i < CEL_COST_DEGREE; i++) {
        for (j = 0; j < CEL_COST_DEGREE; j++) {
            sum->c[i][j] = cel_cost_plus(sum->c[i][j], other->c[i][j]);
        }
    }

    sum->unbounded |= other->unbounded;
    sum->min = cel_cost_plus(sum->min, other->min);
}


/*
 * As cel_cost_at(), but most coefficients are zero, and this one runs for
 * every request.
 */

uint64_t
cel_cost_sum_max(const cel_cost_sum_t *sum, const cel_sizes_t *sizes)
{
    bool      over;
    uint32_t  i, j;
    uint64_t  parts, term;

    over = sum->unbounded;
    parts = 0;

    for (i = 0; i < CEL_COST_DEGREE; i++) {
        for (j = (i == 0); j < CEL_COST_DEGREE; j++) {

            term = sum->c[i][j];

            if (term != 0) {
                over |= cel_cost_raise(&term, sizes->bytes[CEL_SIZE_HEADERS],
                                       i);
                over |= cel_cost_raise(&term, sizes->bytes[CEL_SIZE_BODY], j);
                over |= __builtin_add_overflow(parts, term, &parts);
            }
        }
    }

    if (over) {
        return CEL_COST_MAX;
    }

    /* rounded up */

    term = parts >> CEL_COST_FRACTION;
    term += (parts & ((1u << CEL_COST_FRACTION) - 1)) != 0;

    return cel_cost_plus(sum->c[0][0], term);
}


/* *term times bytes, so often; true when that does not fit */

static bool
cel_cost_raise(uint64_t *term, uint64_t bytes, uint32_t times)
{
    bool  over;

    over = false;

    while (times-- > 0) {
        over |= __builtin_mul_overflow(*term, bytes, term);
    }

    return over;
}


uint64_t
cel_cost_sum_min(const cel_cost_sum_t *sum)
{
    return sum->min;
}
