
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_histogram.h - a log-linear histogram: how values map to
 * cells, and what is read out of them.  It keeps nothing in shared memory and
 * knows nothing of nginx.
 *
 *   values below 64         a cell each, exact
 *   [2^o, 2^(o+1)), o >= 6  32 cells of 2^(o-5) values each
 *
 * A value is told by the middle of its cell, which is off by at most half a
 * cell: 2^(o-6) of at least 2^o, 1/64 = 1.57 %.  Values of 2^44 and more go
 * to the last cell.  Cells lie in pieces of 64, so that who counts takes the
 * memory of the pieces that are used; a piece is two octaves.  Histograms of
 * the same kind are merged by adding cells: nothing is lost by it.
 */


#ifndef _NGX_CONSTRAINT_HISTOGRAM_H_INCLUDED_
#define _NGX_CONSTRAINT_HISTOGRAM_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define NGX_CONSTRAINT_HISTOGRAM_PIECE   64
#define NGX_CONSTRAINT_HISTOGRAM_PIECES  20
#define NGX_CONSTRAINT_HISTOGRAM_CELLS                                        \
    (NGX_CONSTRAINT_HISTOGRAM_PIECE * NGX_CONSTRAINT_HISTOGRAM_PIECES)


/* A whole one, to merge into and to read; zeroed = empty. */

typedef struct {
    uint64_t    count;
    uint32_t    first;                     /* pieces that are not all 0: */
    uint32_t    last;                      /* [first, last) */
    uint64_t    cells[NGX_CONSTRAINT_HISTOGRAM_CELLS];
} ngx_constraint_histogram_t;


/*
 * The cell of a value: its leading six bits, below the number of bits that
 * follow them; without a branch for values below 64, which none follow.
 */

static inline uint32_t
ngx_constraint_histogram_cell(uint64_t value)
{
    uint64_t  cell;
    uint32_t  shift;

    shift = 58 - (uint32_t) __builtin_clzll(value | 32);
    cell = ((uint64_t) shift << 5) + (value >> shift);

    return cell < NGX_CONSTRAINT_HISTOGRAM_CELLS
           ? (uint32_t) cell : NGX_CONSTRAINT_HISTOGRAM_CELLS - 1;
}


/* The least value of a cell, and the one that stands for all of it. */
uint64_t ngx_constraint_histogram_lower(uint32_t cell);
uint64_t ngx_constraint_histogram_middle(uint32_t cell);

/* Empties it; costs what was in it. */
void ngx_constraint_histogram_clear(ngx_constraint_histogram_t *histogram);

void ngx_constraint_histogram_add(ngx_constraint_histogram_t *histogram,
    uint64_t value, uint64_t times);

/* Adds the cells of one piece, which others may be counting into. */
void ngx_constraint_histogram_add_piece(ngx_constraint_histogram_t *histogram,
    uint32_t piece, const volatile uint64_t *cells);
void ngx_constraint_histogram_merge(ngx_constraint_histogram_t *histogram,
    const ngx_constraint_histogram_t *from);

/*
 * The value that quantile (0 .. 1) of all values do not exceed: the one of
 * rank ceil(quantile * count), at least the first.  0 when it is empty.
 */
uint64_t ngx_constraint_histogram_quantile(
    const ngx_constraint_histogram_t *histogram, double quantile);

/* How many values are told as at most bound; never less for a larger one. */
uint64_t ngx_constraint_histogram_at_most(
    const ngx_constraint_histogram_t *histogram, uint64_t bound);


#endif /* _NGX_CONSTRAINT_HISTOGRAM_H_INCLUDED_ */
