/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The table of statistics: slots attached, recycled and dropped, histograms
 * evicted, profiles and states bounded, copied to a table of another size, and
 * what is left after a death at any step inside the mutex.  Whatever happens,
 * no decision leaves the sum.
 */


#include "tap.h"
#include "random.h"
#include "../../../src/budget/ngx_constraint_histogram.c"
#include "../../../src/budget/ngx_constraint_stats.c"
#include "../../../src/budget/ngx_constraint_stats_count.c"
#include "../../../src/budget/ngx_constraint_stats_piece.c"
#include "../../../src/budget/ngx_constraint_stats_profile.c"
#include "../../../src/budget/ngx_constraint_stats_read.c"
#include "../../../src/budget/ngx_constraint_stats_state.c"

#include <sys/mman.h>
#include <sys/wait.h>


#define SIZE  (64 * 1024)


typedef struct {
    uint64_t    constraints;
    uint64_t    all;
    uint64_t    other;
    ngx_uint_t  profiles;
} sums_t;


static ngx_slab_pool_t          pool;
static ngx_constraint_stats_t  *stats;
static u_char                  *memory;


/* Shared with children, as that of workers is. */

static void
start(size_t size)
{
    if (memory == NULL) {
        memory = mmap(NULL, SIZE, PROT_READ|PROT_WRITE,
                      MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    }

    memset(memory, 0, SIZE);

    pool.memory = memory;
    pool.left = SIZE;
    ngx_current_msec = 1000000;

    stats = ngx_constraint_stats_create_locked(&pool, size);
}


static ngx_str_t
text(char *buffer, const char *name, unsigned long n)
{
    ngx_str_t  str;

    str.len = (size_t) sprintf(buffer, name, n);
    str.data = (u_char *) buffer;

    return str;
}


/* attach(NAME, NUMBER, BORN, PROFILE) */

static ngx_int_t
attach(const char *name, unsigned long n, int64_t born, const char *of,
    ngx_constraint_stats_ref_t *ref)
{
    char                        buffers[2][300];
    ngx_str_t                   str, profile;
    ngx_constraint_stats_key_t  key;

    str = text(buffers[0], name, n);
    profile = text(buffers[1], of, n);

    key.name = &str;
    key.born_ms = born;
    key.profile = &profile;

    return ngx_constraint_stats_attach(stats, &pool, &key, ref);
}


/* The way of every allow and that of most in turn: they count the same. */

static void
count(const ngx_constraint_stats_ref_t *ref, uint64_t time_ns)
{
    ngx_constraint_stats_sample_t  sample;

    static unsigned  turn;

    if (turn++ % 2
        && ngx_constraint_stats_count_allow(stats, ref, 0, time_ns, 100)
           == NGX_OK)
    {
        return;
    }

    memset(&sample, 0, sizeof(sample));

    sample.where = NGX_CONSTRAINT_STATS_INLINE;
    sample.time_ns = time_ns;
    sample.memory = 100;

    ngx_constraint_stats_count(stats, &pool, ref, &sample);
}


static ngx_int_t
visit(void *ctx, const ngx_constraint_stats_visit_t *v)
{
    sums_t *sums = ctx;

    uint64_t  n;

    n = v->view->values[NGX_CONSTRAINT_STAT_EXECUTIONS];

    sums->all += n;

    if (v->name) {
        sums->constraints += n;

    } else {
        sums->profiles++;
    }

    if (v->profile->len == sizeof(NGX_CONSTRAINT_STATS_OTHER) - 1
        && memcmp(v->profile->data, NGX_CONSTRAINT_STATS_OTHER,
                  v->profile->len) == 0)
    {
        sums->other += n;
    }

    return NGX_OK;
}


static sums_t
sum(void)
{
    sums_t  sums;

    memset(&sums, 0, sizeof(sums));
    (void) ngx_constraint_stats_walk(stats, &pool, visit, &sums);

    return sums;
}


static uint64_t
executions(const char *name, unsigned long n)
{
    char       buffer[300];
    ngx_str_t  str;

    static ngx_constraint_stats_view_t  view;

    str = text(buffer, name, n);

    ngx_constraint_stats_clear(&view);
    ngx_constraint_stats_read(stats, &pool, &str, 0, &view);

    return view.values[NGX_CONSTRAINT_STAT_EXECUTIONS];
}


/* Each piece is free or has one owner, each slot is found by its name. */

static int  owned[NGX_CONSTRAINT_STATS_MAX + 1];


static int
own(uint16_t piece)
{
    if (piece == 0) {
        return 1;
    }

    return piece <= stats->npieces && owned[piece]++ == 0;
}


static int
whole_slot(ngx_constraint_stats_slot_t *slot)
{
    int                           i, n, whole;
    ngx_str_t                     name;
    ngx_constraint_bank_t        *bank;
    ngx_constraint_stats_slot_t  *found;

    whole = own(slot->name);

    for (i = 0; i < NGX_CONSTRAINT_STATS_BANKS; i++) {
        whole &= own(slot->banks[i]);

        if (slot->banks[i] == 0 || slot->kind == NGX_CONSTRAINT_SLOT_STATE) {
            continue;
        }

        bank = ngx_constraint_stats_bank(stats, slot->banks[i]);
        whole &= own(bank->errors);

        for (n = 0;
             n < NGX_CONSTRAINT_HISTOGRAMS * NGX_CONSTRAINT_HISTOGRAM_PIECES;
             n++)
        {
            whole &= own((&bank->pieces[0][0])[n]);
        }
    }

    name = ngx_constraint_stats_name(stats, slot);
    found = NULL;

    do {
        found = ngx_constraint_stats_lookup_locked(stats, slot->kind, &name,
                                                   found);
    } while (found && found != slot);

    return whole && found;
}


static int
whole(void)
{
    int         good;
    uint32_t    free_slot;
    ngx_uint_t  i, n, used, unused;

    memset(owned, 0, sizeof(owned));
    good = !stats->mutating;
    used = 0;

    for (i = 0; i < stats->filled; i++) {
        if (stats->slots[i].tag & 1) {
            used++;
            good &= whole_slot(&stats->slots[i]);
        }
    }

    unused = 0;

    for (free_slot = stats->free_slot; free_slot && unused <= stats->nslots;
         free_slot = stats->slots[free_slot - 1].next)
    {
        unused++;
    }

    for (n = 0, i = stats->free_first; i && n <= stats->npieces;
         i = stats->nexts[i])
    {
        good &= own((uint16_t) i);
        n++;
    }

    good &= used + unused == stats->filled && n == stats->free_count;

    for (i = 1; i <= stats->npieces; i++) {
        good &= owned[i] == 1;
    }

    return good;
}


static void
test_attach(void)
{
    char                        buffer[32];
    ngx_str_t                   name;
    ngx_constraint_stats_ref_t  ref, other, later;

    memset(&ref, 0, sizeof(ref));
    start(SIZE);

    ok(whole(), "a new table is whole");
    ok(!ngx_constraint_stats_valid(&ref), "nothing is attached yet");
    is_int(attach("a", 0, 5, "", &ref), NGX_OK, "a constraint");
    ok(ngx_constraint_stats_valid(&ref), "is attached");
    count(&ref, 1000);
    count(&ref, 2000);
    is_int(executions("a", 0), 2, "and counted");

    is_int(attach("a", 0, 5, "p", &other), NGX_OK, "under a profile");
    ok(other.slot != ref.slot, "it has another slot");
    count(&other, 1000);
    is_int(executions("a", 0), 3, "all of them are its own");

    is_int(attach("a", 0, 9, "", &later), NGX_OK, "a later one of that name");
    ok(!ngx_constraint_stats_valid(&ref) && !ngx_constraint_stats_valid(&other),
       "takes the place of the former");
    is_int(executions("a", 0), 0, "and begins anew");
    is_int(attach("a", 0, 5, "", &ref), NGX_DECLINED, "never back");
    name = text(buffer, "a", 0);
    ngx_constraint_stats_drop(stats, &pool, &name, 5);
    ok(ngx_constraint_stats_valid(&later), "a late end of the former is not");
    ngx_constraint_stats_drop(stats, &pool, &name, 9);
    ok(!ngx_constraint_stats_valid(&later), "its own end");
    is_int(sum().all, 3, "what was counted stays in the sum");
    is_int(attach("%0200lu", 7, 1, "", &ref), NGX_OK, "a long name");
    count(&ref, 1);
    is_int(executions("%0200lu", 7), 1, "is a name");
    ok(whole(), "the table is whole");
}


static void
test_recycle(void)
{
    uint64_t                       all;
    unsigned long                  n;
    ngx_constraint_stats_ref_t     ref, first;
    ngx_constraint_stats_status_t  status;

    start(SIZE);
    all = 0;

    is_int(attach("n%lu", 0, 1, "", &first), NGX_OK, "the first");

    for (n = 1; n < 3000; n++) {
        ngx_current_msec += 100;

        if (attach("n%lu", n, 1, n % 3 ? "" : "mine", &ref) != NGX_OK) {
            break;
        }

        count(&ref, next() % 100000000);
        all++;
    }

    ngx_constraint_stats_status(stats, &pool, &status);

    is_int(n, 3000, "there is room for any number");
    ok(!ngx_constraint_stats_valid(&first), "the oldest has given way");
    ok(status.recycled > 2900, "as nearly all have");
    is_int(status.lost, 0, "nothing is lost");
    is_int(sum().all, all, "all decisions are in the sum");
    is_int(executions("n%lu", 2999), 1, "the latest is there by name");
    ok(whole(), "the table is whole");
}


static void
test_evict(void)
{
    int                            i;
    uint64_t                       all;
    ngx_constraint_stats_ref_t     refs[20];
    ngx_constraint_stats_status_t  status;

    start(SIZE);
    all = 0;

    for (i = 0; i < 20; i++) {
        (void) attach("n%lu", (unsigned long) i, 1, "", &refs[i]);
    }

    for (i = 0; i < 20000; i++) {
        ngx_current_msec += 10;
        count(&refs[next() % 20], 1 + (next() >> (20 + next() % 40)));
        all++;
    }

    ngx_constraint_stats_status(stats, &pool, &status);

    ok(status.evicted > 0, "histograms were evicted");
    is_int(sum().all, all, "counters were not");
    ok(whole(), "the table is whole");
}


static void
test_profiles(void)
{
    int                            room;
    sums_t                         sums;
    uint64_t                       all, last;
    unsigned long                  n;
    ngx_constraint_stats_ref_t     ref, steady;

    start(SIZE);
    all = 0;
    last = 0;
    room = 1;

    (void) attach("steady", 0, 1, "preset", &steady);

    for (n = 0; n < 2000; n++) {
        ngx_current_msec += 10000;

        if (attach("one", n, 1, "p%lu", &ref) != NGX_OK) {
            break;
        }

        count(&ref, 1000);
        count(&steady, 1000);
        all += 2;

        if (n % 100 == 0) {
            sums = sum();
            room &= sums.profiles <= stats->nslots / 4 && sums.all == all
                    && sums.other >= last;
            last = sums.other;
        }
    }

    is_int(n, 2000, "profiles come and go");
    ok(room, "at most a quarter are profiles, and no sum goes backwards");
    ok(ngx_constraint_stats_valid(&steady), "what is in use stays");
    is_int(executions("steady", 0), 2000, "with all that it has counted");
    is_int(sum().all, all, "all decisions are in the sum");

    /* all at once: none is idle */

    start(SIZE);

    for (n = 0; n < 200; n++) {
        (void) attach("one", n, 1, "p%lu", &ref);
        count(&ref, 1000);
    }

    sums = sum();
    is_int(sums.all, 200, "all are counted");
    ok(sums.other >= 150, "those there is no room for with the others");
    ok(whole(), "the table is whole");
}


static void
test_states(void)
{
    int                          i;
    char                         buffer[32];
    void                        *kept;
    u_char                       content[NGX_CONSTRAINT_STATS_STATE];
    ngx_str_t                    name, none;
    ngx_atomic_t                *more;
    unsigned long                n, states;
    ngx_constraint_stats_ref_t   ref, counter, first;
    ngx_constraint_stats_key_t   key;

    start(SIZE);
    memset(&none, 0, sizeof(none));
    memset(&first, 0, sizeof(first));
    states = 0;

    key.name = &name;
    key.profile = &none;
    key.born_ms = 1;

    for (n = 0; n < 200; n++) {
        name = text(buffer, "s%lu", n);
        (void) attach("s%lu", n, 1, "", &counter);

        if (ngx_constraint_stats_state(stats, &pool, &key, &ref, &kept)
            == NGX_OK)
        {
            states++;
            *(uint64_t *) kept = n;
            first = n ? first : ref;
        }
    }

    ok(states >= stats->nslots / 4 && states <= stats->nslots * 3 / 4,
       "about half of the slots are states");
    ok(ngx_constraint_stats_valid(&first), "none is recycled");
    is_int(*(uint64_t *) first.bank, 0, "what is in them stays");

    more = NULL;

    for (i = 0; i < NGX_CONSTRAINT_STATS_MORE; i++) {
        more = ngx_constraint_stats_state_take(stats, &pool, &first,
                                               (ngx_uint_t) i);
    }

    ok(more && more == ngx_constraint_stats_state_more(stats, &first,
                                            NGX_CONSTRAINT_STATS_MORE - 1),
       "there is more for who asks");
    is_int(stats->more, NGX_CONSTRAINT_STATS_MORE, "it is counted");
    ok(whole(), "the table is whole");

    memset(first.bank, 1, NGX_CONSTRAINT_STATS_STATE);
    memset(content, 1, sizeof(content));

    ngx_constraint_stats_lock(stats, &pool);
    ngx_constraint_stats_repair_locked(stats);
    stats->more = 99;
    ngx_constraint_stats_state_repair_locked(stats);
    ngx_constraint_stats_unlock(stats, &pool);

    is_int(stats->more, NGX_CONSTRAINT_STATS_MORE, "a repair counts it anew");
    ok(whole(), "and keeps it");
    ok(memcmp(first.bank, content, sizeof(content)) == 0,
       "what is in a state is nobody's business");

    name = text(buffer, "s%lu", 0);
    ngx_constraint_stats_drop(stats, &pool, &name, 1);

    ok(!ngx_constraint_stats_valid(&first), "it is dropped");
    is_int(stats->more, 0, "with all it had");
    ok(ngx_constraint_stats_state_take(stats, &pool, &first, 0) == NULL,
       "then there is no more");
    is_int(executions("s%lu", 0), 0, "nor its counters");
    ok(whole(), "the table is whole");
}


/* A state by name, with n pieces more of it, each of which says whose it is. */

static ngx_int_t
keep(unsigned long number, int n)
{
    int                          i;
    char                         buffer[32];
    void                        *kept;
    ngx_str_t                    name, none;
    ngx_atomic_t                *more;
    ngx_constraint_stats_ref_t   ref;
    ngx_constraint_stats_key_t   key;

    memset(&none, 0, sizeof(none));
    name = text(buffer, "n%lu", number);

    key.name = &name;
    key.profile = &none;
    key.born_ms = 1;

    if (ngx_constraint_stats_state(stats, &pool, &key, &ref, &kept) != NGX_OK)
    {
        return NGX_ERROR;
    }

    *(uint64_t *) kept = number;

    for (i = 0; i < n; i++) {
        more = ngx_constraint_stats_state_take(stats, &pool, &ref,
                                               (ngx_uint_t) i);
        if (more) {
            *more = number * 100 + (uint64_t) i;
        }
    }

    return NGX_OK;
}


/* A worker is held up between its look at the tag and its adds. */

static void
test_stale(void)
{
    char                         buffer[32];
    ngx_str_t                    name;
    unsigned long                n;
    ngx_constraint_bank_t       *bank;
    ngx_constraint_stats_ref_t   ref, other;

    start(SIZE);

    (void) attach("a", 0, 1, "", &ref);
    count(&ref, 1000);

    name = text(buffer, "a", 0);
    ngx_constraint_stats_drop(stats, &pool, &name, 1);

    /* what it has counted is gone when its memory has a new owner */

    bank = ref.bank;

    for (n = 0; bank->cells[NGX_CONSTRAINT_CELL_MEMORY] && n < 200; n++) {
        (void) attach("n%lu", n, 1, "", &other);
        count(&other, 1000);
    }

    ok(n > 0 && n < 200, "a bank has become something else");

    memset(ref.bank, 0x7f, NGX_CONSTRAINT_STATS_STATE);
    count(&ref, 1000);
    ok(whole(), "no number in it is taken for that of a piece");
}


/* No piece is free, and there is no histogram to be evicted. */

static void
test_unobserved(void)
{
    unsigned long                  n;
    ngx_constraint_stats_ref_t     ref;
    ngx_constraint_stats_status_t  status;

    start(SIZE);

    (void) attach("a", 0, 1, "", &ref);

    for (n = 0; n < 200; n++) {
        (void) keep(n, 15);
    }

    while (stats->free_count) {
        (void) ngx_constraint_stats_alloc_locked(stats, NULL);
    }

    count(&ref, 1000);
    ngx_constraint_stats_status(stats, &pool, &status);

    is_int(status.unobserved, 2, "a time and a size in no histogram");
    is_int(executions("a", 0), 1, "of a decision that is counted");
}


/* A table's constraints, in one of another size. */

static void
copied(size_t size)
{
    int                      good;
    sums_t                   before, after;
    uint64_t                *kept;
    ngx_str_t                name;
    ngx_uint_t               i, m, more, states;
    ngx_slab_pool_t          old_pool;
    ngx_constraint_stats_t  *old;

    static u_char  *room;

    if (room == NULL) {
        room = malloc(SIZE);
    }

    before = sum();

    old = stats;
    old_pool = pool;

    memset(room, 0, SIZE);
    pool.memory = room;
    pool.left = SIZE;

    stats = ngx_constraint_stats_create_locked(&pool, size);
    ngx_constraint_stats_copy(stats, &pool, old, &old_pool);

    after = sum();
    is_int(after.all, before.all, "all is counted in %lu bytes",
           (unsigned long) size);
    ok(stats->recycled >= old->recycled && stats->evicted >= old->evicted
       && stats->unobserved >= old->unobserved && stats->lost == old->lost
       && stats->stateless == old->stateless, "what was not, too");
    ok(whole(), "they are whole");

    good = 1;
    states = 0;

    for (i = 0; i < stats->filled; i++) {

        if (!(stats->slots[i].tag & 1)
            || stats->slots[i].kind != NGX_CONSTRAINT_SLOT_STATE)
        {
            continue;
        }

        states++;
        more = 0;

        kept = (uint64_t *) ngx_constraint_stats_piece(stats,
                                                 stats->slots[i].banks[0]);
        name = ngx_constraint_stats_name(stats, &stats->slots[i]);
        good &= strtoul((char *) name.data + 1, NULL, 10) == *kept;

        for (m = 1; m < NGX_CONSTRAINT_STATS_BANKS; m++) {

            if (stats->slots[i].banks[m]) {
                more++;
                good &= ngx_constraint_stats_piece(stats,
                                     stats->slots[i].banks[m])->cells[0]
                        == *kept * 100 + m - 1;
            }
        }

        good &= more == 0 || more == 3;
    }

    ok(states && good, "each state has all that belongs to it, or none");

    stats = old;
    pool = old_pool;
}


static void
test_copy(void)
{
    unsigned long               n;
    ngx_constraint_stats_ref_t  ref;

    start(SIZE);

    for (n = 0; n < 3000; n++) {
        ngx_current_msec += 100;

        if (attach("n%lu", n % 40, 1, n % 3 ? "" : "p%lu", &ref) == NGX_OK) {
            count(&ref, next() % 100000000);
        }
    }

    for (n = 0; n < 8; n++) {
        (void) keep(n, 3);
    }

    ngx_constraint_stats_label(stats, &pool);
    ngx_constraint_stats_stateless(stats);
    stats->lost++;

    copied(SIZE);
    copied(SIZE / 2);
    copied(SIZE / 4);
    copied(SIZE / 8);

    /* hardly a constraint beside them */

    start(SIZE);

    for (n = 0; n < 16; n++) {
        (void) keep(n, 3);
    }

    for (n = 0; n < 20; n++) {
        (void) attach("n%lu", n, 1, n % 3 ? "" : "p", &ref);
        count(&ref, 1000);
    }

    copied(SIZE / 4);
    copied(SIZE / 8);
}


/* What a worker does, by a number; the same in the child and here. */

static void
step(unsigned long n)
{
    char                        buffer[32];
    void                       *kept;
    ngx_str_t                   name, none;
    ngx_constraint_stats_key_t  key;
    ngx_constraint_stats_ref_t  ref;

    ngx_current_msec += 5000;
    name = text(buffer, "n%lu", n % 90);

    switch (next() % 8) {

    case 0:
        ngx_constraint_stats_drop(stats, &pool, &name, 1);
        return;

    case 1:
        memset(&none, 0, sizeof(none));
        key.name = &name;
        key.profile = &none;
        key.born_ms = 1;

        if (ngx_constraint_stats_state(stats, &pool, &key, &ref, &kept)
            == NGX_OK)
        {
            (void) ngx_constraint_stats_state_take(stats, &pool, &ref,
                                                   next() % 15);
        }

        return;

    case 2:
        ngx_constraint_stats_label(stats, &pool);
        return;

    default:
        if (attach("n%lu", n % 90, 1, n % 5 ? "" : "p%lu", &ref) == NGX_OK) {
            count(&ref, 1 + (next() >> (20 + next() % 40)));
        }
    }
}


static void
test_death(void)
{
    int                         n, status, deaths, good, counted, repaired;
    long                        barriers;
    pid_t                       pid;
    unsigned long               i;
    ngx_constraint_stats_ref_t  ref;

    start(SIZE);

    deaths = 0;
    repaired = 0;
    good = 1;
    counted = 1;

    for (n = 0; n < 400; n++) {
        barriers = (long) (next() % 60);
        pid = fork();

        if (pid == 0) {
            ngx_unit_barriers = barriers;
            random_state += (uint64_t) n;

            for (i = 0; i < 40; i++) {
                step(next() % 1000);
            }

            _exit(0);
        }

        (void) waitpid(pid, &status, 0);
        deaths += WIFEXITED(status) && WEXITSTATUS(status) == NGX_UNIT_DEATH;
        repaired += stats->mutating != 0;

        ngx_current_msec += 100000;

        ngx_constraint_stats_lock(stats, &pool);
        ngx_constraint_stats_unlock(stats, &pool);

        good &= whole();

        for (i = 0; i < 20; i++) {
            step(next() % 1000);
        }

        good &= whole();

        i = executions("n%lu", 7);

        if (attach("n%lu", 7, 1, "", &ref) == NGX_OK) {
            count(&ref, 1000);
        }

        counted &= executions("n%lu", 7) >= i + 1;
    }

    ok(deaths > 200, "children have died");
    ok(repaired > 50, "many of them inside the mutex");
    ok(good, "the table is whole after each");
    ok(counted, "and goes on counting");
}


int
main(void)
{
    test_attach();
    test_recycle();
    test_evict();
    test_profiles();
    test_states();
    test_stale();
    test_unobserved();
    test_copy();
    test_death();

    return done_testing();
}
