
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_arena.c - the bump allocator behind every value and program.  Gives
 * memory back only all at once; knows nothing of what it holds.
 */


#include "cel_runtime.h"

#include <stdlib.h>


/* a test has small ones, so that every allocation is one of the allocator */

#ifndef CEL_BLOCK_MIN
#define CEL_BLOCK_MIN  1024
#define CEL_BLOCK_MAX  65536
#endif


struct cel_block_s {
    cel_block_t            *next;
    size_t                  size;      /* as asked of the allocator */
};


static void *cel_libc_alloc(void *ctx, size_t size);
static void cel_libc_free(void *ctx, void *p, size_t size);
static void cel_arena_refuse(cel_arena_t *arena, size_t size);
static cel_status_t cel_arena_grow(cel_arena_t *arena, size_t size);


const cel_allocator_t  cel_allocator_libc = {
    cel_libc_alloc,
    cel_libc_free,
    NULL
};


void
cel_arena_init(cel_arena_t *arena, const cel_allocator_t *allocator,
    void *first, size_t first_size, size_t limit)
{
    size_t  skew;

    arena->used = 0;
    arena->peak = 0;
    arena->limit = limit != 0 ? limit : SIZE_MAX;
    arena->refused = 0;
    arena->blocks = NULL;
    arena->allocator = allocator;

    if (first != NULL) {
        skew = (size_t) (-(uintptr_t) first & 7);

        if (skew > first_size) {
            skew = first_size;
        }

        first = (char *) first + skew;
        first_size -= skew;
    }

    arena->first = first;
    arena->first_size = first != NULL ? first_size : 0;
    arena->pos = arena->first;
    arena->end = first != NULL ? arena->first + arena->first_size : NULL;
}


void *
cel_arena_alloc(cel_arena_t *arena, size_t size)
{
    char  *p;

    if (size > SIZE_MAX - 7) {
        cel_arena_refuse(arena, size);
        return NULL;
    }

    /* nothing has an address, too: NULL means out of memory */

    size = size > 0 ? (size + 7) & ~(size_t) 7 : 8;

    if (size > arena->limit - arena->used) {
        cel_arena_refuse(arena, size);
        return NULL;
    }

    if (size > (size_t) (arena->end - arena->pos)
        && cel_arena_grow(arena, size) != CEL_OK)
    {
        return NULL;
    }

    p = arena->pos;
    arena->pos += size;
    arena->used += size;

    if (arena->used > arena->peak) {
        arena->peak = arena->used;
    }

    return p;
}


static void
cel_arena_refuse(cel_arena_t *arena, size_t size)
{
    arena->refused = size > SIZE_MAX - arena->used ? SIZE_MAX
                                                   : arena->used + size;
}


/*
 * The rest of the current block is given up, and counted as if it was used,
 * so that blocks take no more than the limit and the newest one; the caller's
 * own is no cost.  Blocks double up to a bound.
 */

static cel_status_t
cel_arena_grow(cel_arena_t *arena, size_t size)
{
    size_t        want, rest;
    cel_block_t  *block;

    want = CEL_BLOCK_MIN;
    rest = 0;

    if (arena->blocks != NULL) {
        rest = (size_t) (arena->end - arena->pos);
        want = arena->blocks->size * 2;

        if (want > CEL_BLOCK_MAX) {
            want = CEL_BLOCK_MAX;
        }
    }

    if (rest > arena->limit - arena->used - size) {
        cel_arena_refuse(arena, size + rest);
        return CEL_ERROR;
    }

    if (size > SIZE_MAX - sizeof(cel_block_t)) {
        return CEL_ERROR;
    }

    if (want < size + sizeof(cel_block_t)) {
        want = size + sizeof(cel_block_t);
    }

    block = arena->allocator->alloc(arena->allocator->ctx, want);
    if (block == NULL) {
        return CEL_ERROR;
    }

    arena->used += rest;

    block->next = arena->blocks;
    block->size = want;

    arena->blocks = block;
    arena->pos = (char *) block + sizeof(cel_block_t);
    arena->end = (char *) block + want;

    return CEL_OK;
}


cel_status_t
cel_arena_charge(cel_arena_t *arena, size_t size)
{
    if (size > arena->limit - arena->used) {
        cel_arena_refuse(arena, size);
        return CEL_ERROR;
    }

    arena->used += size;

    if (arena->used > arena->peak) {
        arena->peak = arena->used;
    }

    return CEL_OK;
}


void
cel_arena_discharge(cel_arena_t *arena, size_t size)
{
    arena->used -= size;
}


bool
cel_arena_extend(cel_arena_t *arena, void *p, size_t size, size_t more)
{
    size = (size + 7) & ~(size_t) 7;
    more = (more + 7) & ~(size_t) 7;

    if ((char *) p + size != arena->pos
        || more > (size_t) (arena->end - arena->pos)
        || more > arena->limit - arena->used)
    {
        return false;
    }

    arena->pos += more;
    arena->used += more;

    if (arena->used > arena->peak) {
        arena->peak = arena->used;
    }

    return true;
}


void
cel_arena_reset(cel_arena_t *arena)
{
    cel_block_t  *block, *next;

    for (block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        arena->allocator->free(arena->allocator->ctx, block, block->size);
    }

    arena->blocks = NULL;
    arena->used = 0;
    arena->pos = arena->first;
    arena->end = arena->first != NULL ? arena->first + arena->first_size
                                      : NULL;
}


static void *
cel_libc_alloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
cel_libc_free(void *ctx, void *p, size_t size)
{
    free(p);
}
