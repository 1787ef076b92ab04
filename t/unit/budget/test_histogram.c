/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Histograms: the bound of the error over the whole range, quantiles against
 * a sorted array, merging, and the edges.
 */


#include "tap.h"
#include "random.h"
#include "../../../src/budget/ngx_constraint_histogram.c"


#define SAMPLES  20000


static uint64_t  values[SAMPLES];

static ngx_constraint_histogram_t  a, b, both;


static double
off(uint64_t value)
{
    uint64_t  told;

    told = ngx_constraint_histogram_middle(
                                   ngx_constraint_histogram_cell(value));

    return value ? relative_error(told, value) : (double) told;
}


static void
test_error(void)
{
    int       i, order;
    double    worst;
    uint32_t  cell;
    uint64_t  value;

    worst = 0;

    for (value = 0; value < 100000; value++) {
        worst = fmax(worst, off(value));
    }

    ok(worst <= 0.02, "small values are told within 2 %%");

    worst = 0;

    for (i = 0; i < 200000; i++) {
        value = next() >> (20 + next() % 44);
        worst = fmax(worst, off(value));
    }

    ok(worst <= 0.02, "values up to 2^44 are told within 2 %%");
    ok(worst > 0.01, "the bound is not met by chance");

    for (value = 0; value < 64; value++) {
        if (off(value) != 0) {
            break;
        }
    }

    is_int(value, 64, "values below 64 are exact");

    order = 1;

    for (cell = 1; cell < NGX_CONSTRAINT_HISTOGRAM_CELLS; cell++) {
        value = ngx_constraint_histogram_lower(cell);

        if (ngx_constraint_histogram_cell(value) != cell
            || ngx_constraint_histogram_cell(value - 1) != cell - 1
            || ngx_constraint_histogram_cell(
                         ngx_constraint_histogram_middle(cell)) != cell)
        {
            order = 0;
        }
    }

    ok(order, "cells follow each other without gaps");
    is_int(ngx_constraint_histogram_cell(UINT64_MAX),
           NGX_CONSTRAINT_HISTOGRAM_CELLS - 1, "the largest value has a cell");
}


static void
test_quantiles(void)
{
    int       i, n;
    double    worst;
    uint64_t  told;

    static const double  quantiles[] = { 0.001, 0.5, 0.9, 0.99, 0.999, 1 };

    for (i = 0; i < SAMPLES; i++) {
        values[i] = 500 + (next() % 1000) * (next() % 5000);
        ngx_constraint_histogram_add(i % 2 ? &a : &b, values[i], 1);
    }

    ngx_constraint_histogram_merge(&both, &a);
    ngx_constraint_histogram_merge(&both, &b);

    is_int(both.count, SAMPLES, "merging keeps all values");

    worst = 0;

    for (n = 0; n < 6; n++) {
        told = ngx_constraint_histogram_quantile(&both, quantiles[n]);
        worst = fmax(worst, relative_error(told,
                                           exact_quantile(values, SAMPLES,
                                                          quantiles[n])));
    }

    ok(worst <= 0.02, "quantiles of the merged ones are within 2 %%");

    is_int(ngx_constraint_histogram_at_most(&both, UINT64_MAX), SAMPLES,
           "all are at most the largest bound");
    is_int(ngx_constraint_histogram_at_most(&both, 400), 0,
           "none is below the least");
    ok(ngx_constraint_histogram_at_most(&both, 1000000)
       >= ngx_constraint_histogram_at_most(&both, 999999),
       "a larger bound holds no fewer");
}


static void
test_edges(void)
{
    static ngx_constraint_histogram_t  h, empty;

    is_int(ngx_constraint_histogram_quantile(&h, 0.99), 0,
           "an empty one has no quantile");
    is_int(ngx_constraint_histogram_at_most(&h, 10), 0, "and no values");

    ngx_constraint_histogram_add(&h, 7, 1);
    is_int(ngx_constraint_histogram_quantile(&h, 0), 7, "the least of one");
    is_int(ngx_constraint_histogram_quantile(&h, 1), 7, "the most of one");
    is_int(ngx_constraint_histogram_quantile(&h, NAN), 7, "not a number");
    is_int(ngx_constraint_histogram_quantile(&h, INFINITY), 7, "infinity");
    is_int(ngx_constraint_histogram_quantile(&h, -1), 7, "below 0");

    ngx_constraint_histogram_add(&h, 40, 98);
    ngx_constraint_histogram_add(&h, UINT64_MAX, 1);
    is_int(ngx_constraint_histogram_quantile(&h, 0.99), 40,
           "rank 99 of 100 is not the outlier");
    ok(ngx_constraint_histogram_quantile(&h, 0.991) > 1000000,
       "the next one is");

    ngx_constraint_histogram_clear(&h);
    ok(memcmp(&h, &empty, sizeof(h)) == 0, "nothing is left of a cleared one");
}


int
main(void)
{
    test_error();
    test_quantiles();
    test_edges();

    return done_testing();
}
