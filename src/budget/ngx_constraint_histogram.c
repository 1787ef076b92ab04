/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Log-linear histograms: reading and merging.  Counts nothing by itself.
 */


#include "ngx_constraint_histogram.h"

#include <string.h>


static void ngx_constraint_histogram_touch(
    ngx_constraint_histogram_t *histogram, uint32_t piece);


uint64_t
ngx_constraint_histogram_lower(uint32_t cell)
{
    uint32_t  octave;

    if (cell < 64) {
        return cell;
    }

    octave = (cell - 64) / 32 + 6;

    return (uint64_t) (32 + cell % 32) << (octave - 5);
}


uint64_t
ngx_constraint_histogram_middle(uint32_t cell)
{
    uint32_t  octave;

    if (cell < 64) {
        return cell;
    }

    octave = (cell - 64) / 32 + 6;

    return ngx_constraint_histogram_lower(cell)
           + ((uint64_t) 1 << (octave - 6));
}


void
ngx_constraint_histogram_clear(ngx_constraint_histogram_t *histogram)
{
    if (histogram->last > histogram->first) {
        memset(&histogram->cells[histogram->first
                                 * NGX_CONSTRAINT_HISTOGRAM_PIECE],
               0,
               (histogram->last - histogram->first)
               * NGX_CONSTRAINT_HISTOGRAM_PIECE * sizeof(uint64_t));
    }

    histogram->count = 0;
    histogram->first = 0;
    histogram->last = 0;
}


void
ngx_constraint_histogram_add(ngx_constraint_histogram_t *histogram,
    uint64_t value, uint64_t times)
{
    uint32_t  cell;

    cell = ngx_constraint_histogram_cell(value);

    histogram->cells[cell] += times;
    histogram->count += times;

    ngx_constraint_histogram_touch(histogram,
                                   cell / NGX_CONSTRAINT_HISTOGRAM_PIECE);
}


static void
ngx_constraint_histogram_touch(ngx_constraint_histogram_t *histogram,
    uint32_t piece)
{
    if (histogram->last == histogram->first) {
        histogram->first = piece;
        histogram->last = piece + 1;
        return;
    }

    if (piece < histogram->first) {
        histogram->first = piece;
    }

    if (piece >= histogram->last) {
        histogram->last = piece + 1;
    }
}


void
ngx_constraint_histogram_add_piece(ngx_constraint_histogram_t *histogram,
    uint32_t piece, const volatile uint64_t *cells)
{
    uint32_t   i;
    uint64_t   n, count;
    uint64_t  *to;

    to = &histogram->cells[piece * NGX_CONSTRAINT_HISTOGRAM_PIECE];
    count = 0;

    for (i = 0; i < NGX_CONSTRAINT_HISTOGRAM_PIECE; i++) {
        n = cells[i];
        to[i] += n;
        count += n;
    }

    if (count) {
        histogram->count += count;
        ngx_constraint_histogram_touch(histogram, piece);
    }
}


void
ngx_constraint_histogram_merge(ngx_constraint_histogram_t *histogram,
    const ngx_constraint_histogram_t *from)
{
    uint32_t  piece;

    for (piece = from->first; piece < from->last; piece++) {
        ngx_constraint_histogram_add_piece(histogram, piece,
                   &from->cells[piece * NGX_CONSTRAINT_HISTOGRAM_PIECE]);
    }
}


uint64_t
ngx_constraint_histogram_quantile(const ngx_constraint_histogram_t *histogram,
    double quantile)
{
    double    exact;
    uint32_t  cell, last;
    uint64_t  rank, seen;

    if (histogram->count == 0) {
        return 0;
    }

    /* not a number is as good as 0; ceil() of what is just above one */

    exact = quantile > 0 ? quantile * (double) histogram->count : 0;
    rank = exact < (double) histogram->count ? (uint64_t) exact
                                             : histogram->count;

    if (rank < histogram->count
        && (double) rank + 1e-9 * (double) histogram->count < exact)
    {
        rank++;
    }

    if (rank == 0) {
        rank = 1;
    }

    seen = 0;
    cell = histogram->first * NGX_CONSTRAINT_HISTOGRAM_PIECE;
    last = histogram->last * NGX_CONSTRAINT_HISTOGRAM_PIECE - 1;

    while (cell < last) {
        seen += histogram->cells[cell];

        if (seen >= rank) {
            break;
        }

        cell++;
    }

    return ngx_constraint_histogram_middle(cell);
}


uint64_t
ngx_constraint_histogram_at_most(const ngx_constraint_histogram_t *histogram,
    uint64_t bound)
{
    uint32_t  cell, last;
    uint64_t  count;

    count = 0;
    cell = histogram->first * NGX_CONSTRAINT_HISTOGRAM_PIECE;
    last = histogram->last * NGX_CONSTRAINT_HISTOGRAM_PIECE;

    while (cell < last && ngx_constraint_histogram_middle(cell) <= bound) {
        count += histogram->cells[cell++];
    }

    return count;
}
