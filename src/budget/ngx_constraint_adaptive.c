/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Adaptive limits: from samples to a p99, from a p99 to a limit.  Takes no
 * memory by itself.
 */


#include "ngx_constraint_adaptive.h"


#define NGX_CONSTRAINT_ADAPTIVE_EVERY  1000
#define NGX_CONSTRAINT_ADAPTIVE_SOON   100     /* while nothing is known */

#define ngx_constraint_adaptive_of(cell, window)                              \
    ((uint64_t) (cell) >> ((window) * 32) & 0xffffffff)


static uint32_t ngx_constraint_adaptive_cell(uint64_t latency_ns);
static uint64_t ngx_constraint_adaptive_samples(ngx_atomic_t *const *pieces,
    ngx_uint_t window);
static void ngx_constraint_adaptive_forget(ngx_atomic_t *const *pieces,
    ngx_uint_t window);


uint32_t
ngx_constraint_adaptive_limit(const ngx_constraint_adaptive_t *adaptive,
    const ngx_constraint_adaptive_conf_t *conf, uint32_t max_exec_us)
{
    double    limit;
    uint64_t  p99_ns;

    p99_ns = adaptive ? adaptive->p99_ns : 0;

    limit = p99_ns ? conf->factor * (double) p99_ns / 1000
                   : max_exec_us ? max_exec_us : conf->max_us;

    /* also what is not a number is inside the bounds */

    if (!(limit < conf->max_us)) {
        return conf->max_us;
    }

    return limit < conf->min_us ? conf->min_us : (uint32_t) limit;
}


/* Of a whole histogram, as far as there are pieces for it. */

static uint32_t
ngx_constraint_adaptive_cell(uint64_t latency_ns)
{
    uint32_t  cell, first, last;

    first = NGX_CONSTRAINT_ADAPTIVE_FIRST * NGX_CONSTRAINT_HISTOGRAM_PIECE;
    last = first - 1 + NGX_CONSTRAINT_ADAPTIVE_PIECES
                       * NGX_CONSTRAINT_HISTOGRAM_PIECE;

    cell = ngx_constraint_histogram_cell(latency_ns);
    cell = ngx_max(cell, first);

    return ngx_min(cell, last);
}


ngx_uint_t
ngx_constraint_adaptive_piece(uint64_t latency_ns)
{
    return ngx_constraint_adaptive_cell(latency_ns)
           / NGX_CONSTRAINT_HISTOGRAM_PIECE - NGX_CONSTRAINT_ADAPTIVE_FIRST;
}


ngx_uint_t
ngx_constraint_adaptive_complete(const ngx_constraint_adaptive_t *adaptive)
{
    return !(adaptive->incomplete >> (adaptive->window & 1) & 1);
}


void
ngx_constraint_adaptive_count(ngx_constraint_adaptive_t *adaptive,
    ngx_atomic_t *cells, uint64_t latency_ns)
{
    uint32_t    cell;
    ngx_uint_t  window;

    window = adaptive->window & 1;

    if (cells == NULL) {
        (void) __atomic_fetch_or(&adaptive->incomplete,
                                 (ngx_atomic_uint_t) 1 << window,
                                 __ATOMIC_RELAXED);
        return;
    }

    cell = ngx_constraint_adaptive_cell(latency_ns)
           % NGX_CONSTRAINT_HISTOGRAM_PIECE;

    (void) __atomic_fetch_add(&cells[cell],
                              (ngx_atomic_uint_t) 1 << (window * 32),
                              __ATOMIC_RELAXED);
}


ngx_uint_t
ngx_constraint_adaptive_due(ngx_constraint_adaptive_t *adaptive,
    uint64_t now_ms)
{
    uint64_t  due;

    due = adaptive->due_ms;

    if (now_ms < due && due - now_ms <= NGX_CONSTRAINT_ADAPTIVE_EVERY) {
        return 0;
    }

    return ngx_atomic_cmp_set(&adaptive->due_ms, due,
                              now_ms + (adaptive->p99_ns
                                        ? NGX_CONSTRAINT_ADAPTIVE_EVERY
                                        : NGX_CONSTRAINT_ADAPTIVE_SOON));
}


/* What was known is from no fewer samples: it stays until there are more. */

uint64_t
ngx_constraint_adaptive_learn(ngx_constraint_adaptive_t *adaptive,
    ngx_atomic_t *const *pieces, ngx_constraint_histogram_t *latency)
{
    uint64_t    p99_ns, cells[NGX_CONSTRAINT_HISTOGRAM_PIECE];
    ngx_uint_t  i, n;

    ngx_constraint_histogram_clear(latency);

    for (i = 0; i < NGX_CONSTRAINT_ADAPTIVE_PIECES; i++) {

        if (pieces[i] == NULL) {
            continue;
        }

        for (n = 0; n < NGX_CONSTRAINT_HISTOGRAM_PIECE; n++) {
            cells[n] = pieces[i][n];
            cells[n] = ngx_constraint_adaptive_of(cells[n], 0)
                       + ngx_constraint_adaptive_of(cells[n], 1);
        }

        ngx_constraint_histogram_add_piece(latency,
                                           i + NGX_CONSTRAINT_ADAPTIVE_FIRST,
                                           cells);
    }

    if (latency->count >= NGX_CONSTRAINT_ADAPTIVE_SAMPLES
        && adaptive->incomplete == 0)
    {
        p99_ns = ngx_constraint_histogram_quantile(latency, 0.99);
        adaptive->p99_ns = ngx_max(p99_ns, 1);
    }

    return latency->count;
}


/*
 * The older window is emptied before it is counted into.  Were two at this at
 * once, for one was held up for a second, a window would lose some samples.
 */

void
ngx_constraint_adaptive_turn(ngx_constraint_adaptive_t *adaptive,
    ngx_atomic_t *const *pieces, uint64_t now_ms)
{
    uint64_t    since, samples;
    ngx_uint_t  window, word, next, old;

    word = adaptive->window;
    window = word & 1;
    since = word >> 1;

    next = window;

    if (since && since <= now_ms) {
        old = now_ms - since >= NGX_CONSTRAINT_ADAPTIVE_WINDOW_MS;
        samples = ngx_constraint_adaptive_samples(pieces, window);

        if (samples < (old ? NGX_CONSTRAINT_ADAPTIVE_SAMPLES
                           : NGX_CONSTRAINT_ADAPTIVE_WINDOW)
            && (!old || ngx_constraint_adaptive_complete(adaptive)))
        {
            return;
        }

        next = !window;

        ngx_constraint_adaptive_forget(pieces, next);

        (void) __atomic_fetch_and(&adaptive->incomplete,
                                  ~((ngx_atomic_uint_t) 1 << next),
                                  __ATOMIC_RELAXED);
    }

    (void) ngx_atomic_cmp_set(&adaptive->window, word, now_ms << 1 | next);
}


static uint64_t
ngx_constraint_adaptive_samples(ngx_atomic_t *const *pieces,
    ngx_uint_t window)
{
    uint64_t    samples;
    ngx_uint_t  i, n;

    samples = 0;

    for (i = 0; i < NGX_CONSTRAINT_ADAPTIVE_PIECES; i++) {

        for (n = 0; pieces[i] && n < NGX_CONSTRAINT_HISTOGRAM_PIECE; n++) {
            samples += ngx_constraint_adaptive_of(pieces[i][n], window);
        }
    }

    return samples;
}


static void
ngx_constraint_adaptive_forget(ngx_atomic_t *const *pieces,
    ngx_uint_t window)
{
    ngx_uint_t         i, n;
    ngx_atomic_uint_t  kept;

    kept = (ngx_atomic_uint_t) 0xffffffff << (!window * 32);

    for (i = 0; i < NGX_CONSTRAINT_ADAPTIVE_PIECES; i++) {

        for (n = 0; pieces[i] && n < NGX_CONSTRAINT_HISTOGRAM_PIECE; n++) {
            if (ngx_constraint_adaptive_of(pieces[i][n], window)) {
                (void) __atomic_fetch_and(&pieces[i][n], kept,
                                          __ATOMIC_RELAXED);
            }
        }
    }
}
