
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The arena: alignment, limit, peak, the caller's first block, reset.
 */


#include "back.h"


static void
test_plain(void)
{
    char          *p, *q;
    back_alloc_t   a;
    cel_arena_t    arena;

    back_alloc_init(&a, 0);
    cel_arena_init(&arena, &a.allocator, NULL, 0, 0);

    p = cel_arena_alloc(&arena, 1);
    q = cel_arena_alloc(&arena, 1);

    ok(p != NULL && q != NULL, "small pieces are given");
    ok(((uintptr_t) p & 7) == 0 && ((uintptr_t) q & 7) == 0,
       "pieces are aligned to 8 bytes");
    is_int(arena.used, 16, "a piece of one byte counts 8");

    p = cel_arena_alloc(&arena, 1 << 20);
    ok(p != NULL, "a piece larger than any block is given");

    if (p != NULL) {
        memset(p, 1, 1 << 20);
    }

    ok(cel_arena_alloc(&arena, SIZE_MAX) == NULL, "SIZE_MAX is refused");
    ok(cel_arena_alloc(&arena, SIZE_MAX - 6) == NULL,
       "a size that wraps when rounded is refused");

    cel_arena_reset(&arena);
    is_int(a.live, 0, "reset gives all blocks back");
    is_int(arena.used, 0, "after reset nothing is used");
    ok(arena.peak > 1 << 20, "the peak stays");
    ok(cel_arena_alloc(&arena, 8) != NULL, "it may be used again");

    cel_arena_reset(&arena);
}


static void
test_limit(void)
{
    back_alloc_t  a;
    cel_arena_t   arena;

    back_alloc_init(&a, 0);
    cel_arena_init(&arena, &a.allocator, NULL, 0, 100);

    ok(cel_arena_alloc(&arena, 96) != NULL, "up to the limit is given");
    ok(cel_arena_alloc(&arena, 8) == NULL, "beyond it is not");
    ok(cel_arena_charge(&arena, 5) == CEL_ERROR, "a charge beyond is refused");
    ok(cel_arena_charge(&arena, 4) == CEL_OK, "a charge up to it is taken");
    is_int(arena.used, 100, "charges count as used");

    cel_arena_reset(&arena);

    back_alloc_init(&a, 1);
    cel_arena_init(&arena, &a.allocator, NULL, 0, 0);
    ok(cel_arena_alloc(&arena, 8) == NULL, "a failing allocator is a NULL");
    is_int(arena.used, 0, "which does not count");
    cel_arena_reset(&arena);
}


static void
test_first(void)
{
    char          first[256], *p;
    back_alloc_t  a;
    cel_arena_t   arena;

    back_alloc_init(&a, 0);
    cel_arena_init(&arena, &a.allocator, first + 1, sizeof(first) - 1, 0);

    p = cel_arena_alloc(&arena, 64);
    ok(p >= first && p < first + sizeof(first), "the first block is used");
    ok(((uintptr_t) p & 7) == 0, "aligned although it is not");
    is_int(a.count, 0, "without the allocator");

    ok(cel_arena_alloc(&arena, 256) != NULL, "then the allocator is asked");
    is_int(a.count, 1, "once");

    cel_arena_reset(&arena);
    p = cel_arena_alloc(&arena, 64);
    ok(p >= first && p < first + sizeof(first),
       "after reset the first block is used again");

    cel_arena_reset(&arena);

    cel_arena_init(&arena, &a.allocator, first, 3, 0);
    ok(cel_arena_alloc(&arena, 8) != NULL, "a tiny first block is passed by");
    cel_arena_reset(&arena);
    is_int(a.live, 0, "nothing is left");
}


/* NULL means out of memory, so nothing has an address, too */

static void
test_nothing(void)
{
    cel_arena_t  arena;

    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 0);
    ok(cel_arena_alloc(&arena, 0) != NULL, "nothing can be had at first");
    ok(cel_arena_alloc(&arena, 0) != NULL, "and again");
    cel_arena_reset(&arena);
}


int
main(void)
{
    test_plain();
    test_nothing();
    test_limit();
    test_first();

    return done_testing();
}
