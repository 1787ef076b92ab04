
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Numbers by chance, the same in each run of a test (xorshift64), and what a
 * quantile of them is exactly.
 */


#ifndef UNIT_RANDOM_H
#define UNIT_RANDOM_H


#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>


static uint64_t  random_state = 88172645463325252u;


static inline uint64_t
next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;

    return random_state;
}


static inline int
random_compare(const void *x, const void *y)
{
    uint64_t  p = *(const uint64_t *) x, q = *(const uint64_t *) y;

    return p < q ? -1 : p > q;
}


/* The value of rank ceil(q * n) of n values, which are sorted by this. */

static inline uint64_t
exact_quantile(uint64_t *values, size_t n, double q)
{
    qsort(values, n, sizeof(uint64_t), random_compare);

    return values[(size_t) ceil(q * (double) n) - 1];
}


/* How far off a number is, by which part of what it should be. */

static inline double
relative_error(uint64_t told, uint64_t exact)
{
    return fabs((double) told - (double) exact) / (double) exact;
}


#endif /* UNIT_RANDOM_H */
