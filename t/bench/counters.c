/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The statistics counted by several processes into one constraint, by the
 * code of the module itself: each into a bank of its own, as workers do, and
 * all into one bank, as if there were no banks.  Prints nanoseconds of CPU a
 * decision.  It makes the table itself and measures nothing but counting.
 * Built and run by t/bench/budget.
 */


#include "ngx_constraint_stats_room.h"

#include <sys/mman.h>
#include <sys/wait.h>


#define WORKERS  4
#define ROUNDS   5
#define TIMES    2000000


typedef struct {
    ngx_constraint_stats_t        stats;
    ngx_constraint_stats_slot_t   slot __attribute__((aligned(64)));
    ngx_constraint_piece_t        pieces[WORKERS * 3]
                                        __attribute__((aligned(64)));
    uint64_t                      took[WORKERS];
} bench_t;


volatile ngx_msec_t  ngx_current_msec = 1;


void
ngx_constraint_stats_lock(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool)
{
}


void
ngx_constraint_stats_unlock(ngx_constraint_stats_t *stats,
    ngx_slab_pool_t *shpool)
{
}


/* all pieces are there from the beginning */

ngx_atomic_t *
ngx_constraint_stats_cells_locked(ngx_constraint_stats_t *stats,
    uint16_t *index, ngx_constraint_stats_slot_t *keep)
{
    return NULL;
}


ngx_uint_t
ngx_constraint_stats_crowded(ngx_constraint_stats_t *stats)
{
    return 0;
}


static uint64_t
now(clockid_t clock)
{
    struct timespec  ts;

    (void) clock_gettime(clock, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static void
count(bench_t *b, ngx_uint_t worker, ngx_uint_t shared, uint64_t n)
{
    uint64_t                     i, start;
    ngx_constraint_stats_ref_t   ref;

    ref.slot = &b->slot.tag;
    ref.tag = b->slot.tag;
    ref.bank = ngx_constraint_stats_bank(&b->stats,
                                         (shared ? 0 : worker) * 3 + 1);

    start = now(CLOCK_PROCESS_CPUTIME_ID);

    for (i = 0; i < n; i++) {
        (void) ngx_constraint_stats_count_allow(&b->stats, &ref, 67,
                                                1024 + (i & 255), 152);
    }

    b->took[worker] = now(CLOCK_PROCESS_CPUTIME_ID) - start;
}


static void
prepare(bench_t *b)
{
    ngx_uint_t              i, n;
    ngx_constraint_bank_t  *bank;

    ngx_memzero(b, sizeof(bench_t));

    b->stats.pieces = b->pieces;
    b->stats.npieces = WORKERS * 3;
    b->slot.tag = 1;

    for (i = 0; i < WORKERS; i++) {
        bank = ngx_constraint_stats_bank(&b->stats, i * 3 + 1);

        for (n = 0; n < NGX_CONSTRAINT_HISTOGRAM_PIECES; n++) {
            bank->pieces[NGX_CONSTRAINT_HISTOGRAM_INLINE][n] = i * 3 + 2;
            bank->pieces[NGX_CONSTRAINT_HISTOGRAM_MEMORY][n] = i * 3 + 3;
        }
    }
}


/* Nanoseconds a decision: the mean of the processes; all must be counted. */

static double
measure(bench_t *b, ngx_uint_t workers, ngx_uint_t shared)
{
    uint64_t     sum, counted;
    ngx_uint_t   i;

    prepare(b);

    for (i = 0; i < workers; i++) {
        if (fork() == 0) {
            count(b, i, shared, TIMES);
            _exit(0);
        }
    }

    while (wait(NULL) > 0) { /* void */ }

    for (i = 0, sum = 0, counted = 0; i < WORKERS; i++) {
        sum += b->took[i];
        counted += ngx_constraint_stats_bank(&b->stats, i * 3 + 1)
                       ->cells[ngx_constraint_cell(
                                 NGX_CONSTRAINT_CELL_ALLOWS, 1)];
    }

    if (counted != workers * TIMES) {
        printf("counters: %lu counted\n", (unsigned long) counted);
        exit(1);
    }

    return (double) sum / counted;
}


int
main(int argc, char **argv)
{
    double       took, best[3];
    bench_t     *b;
    ngx_uint_t   i, k;

    b = mmap(NULL, sizeof(bench_t), PROT_READ|PROT_WRITE,
             MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (b == MAP_FAILED) {
        return 1;
    }

    if (argc == 2) {
        prepare(b);
        count(b, 0, 0, strtoull(argv[1], NULL, 10));
        return 0;
    }

    for (i = 0; i < 3; i++) {
        for (k = 0; k < ROUNDS; k++) {
            took = measure(b, i ? WORKERS : 1, i == 2);
            best[i] = k == 0 || took < best[i] ? took : best[i];
        }
    }

    printf("one %.1f\nbanks %.1f\nshared %.1f\n", best[0], best[1], best[2]);

    return 0;
}
