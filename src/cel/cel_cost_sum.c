
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


uint64_t
cel_cost_sum_max(const cel_cost_sum_t *sum, const cel_sizes_t *sizes)
{
    cel_cost_t  cost;

    memset(&cost, 0, sizeof(cel_cost_t));
    memcpy(cost.c, sum->c, sizeof(cost.c));
    cost.unbounded = sum->unbounded;

    return cel_cost_at(&cost, sizes);
}


uint64_t
cel_cost_sum_min(const cel_cost_sum_t *sum)
{
    return sum->min;
}
