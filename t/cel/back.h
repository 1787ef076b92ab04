
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * back.h - what the tests of evaluation share: compile with JSON variables,
 * evaluate, show the result as JSON text; an allocator that fails on demand
 * and counts what it gave.
 */

#ifndef CEL_TEST_BACK_H
#define CEL_TEST_BACK_H


#include <stdlib.h>
#include "cel.h"
#include "tap.h"


#define BACK_FACTS  16


/* fail_at: the allocation, from 1, that fails and all after it; 0 = none */

typedef struct {
    uint64_t          count;
    uint64_t          fail_at;
    int64_t           live;              /* bytes */
    cel_allocator_t   allocator;
} back_alloc_t;


typedef struct {
    back_alloc_t      alloc;
    cel_env_t        *env;
    cel_program_t    *program;
    cel_issues_t      issues;
    cel_arena_t       arena;
    cel_value_t       facts[BACK_FACTS];
    cel_eval_t        eval;
    cel_value_t       value;
    cel_status_t      rc;
} back_t;


static inline void *
back_alloc(void *ctx, size_t size)
{
    back_alloc_t  *a = ctx;

    a->count++;

    if (a->fail_at != 0 && a->count >= a->fail_at) {
        return NULL;
    }

    a->live += (int64_t) size;

    return malloc(size);
}


static inline void
back_free(void *ctx, void *p, size_t size)
{
    back_alloc_t  *a = ctx;

    a->live -= (int64_t) size;
    free(p);
}


static inline void
back_alloc_init(back_alloc_t *a, uint64_t fail_at)
{
    a->count = 0;
    a->fail_at = fail_at;
    a->live = 0;
    a->allocator.alloc = back_alloc;
    a->allocator.free = back_free;
    a->allocator.ctx = a;
}


/* Facts x0 .. are dyn; those named are declared by the caller. */

static inline void
back_open(back_t *b)
{
    back_alloc_init(&b->alloc, 0);

    b->env = cel_env_create(&b->alloc.allocator, NULL);
    b->program = NULL;

    memset(&b->eval, 0, sizeof(b->eval));
    cel_arena_init(&b->arena, &b->alloc.allocator, NULL, 0, 64 << 20);

    b->eval.arena = &b->arena;
    b->eval.facts = b->facts;
    b->eval.nfacts = BACK_FACTS;
    cel_eval_init(&b->eval);
}


static inline void
back_declare(back_t *b, const char *name, cel_slot_t slot, cel_value_t value)
{
    cel_env_declare(b->env, name, "dyn", slot, CEL_SIZE_BODY, 0);
    b->facts[slot] = value;
}


static inline cel_program_t *
back_compile(back_t *b, const char *source)
{
    cel_program_destroy(b->program);
    memset(&b->issues, 0, sizeof(b->issues));

    b->program = cel_compile(b->env, source, strlen(source), &b->issues);

    return b->program;
}


/* The facts stay; cost and error begin anew. */

static inline cel_status_t
back_run(back_t *b)
{
    b->eval.cost = 0;
    b->eval.next_look = 0;
    b->eval.depth = 0;
    memset(&b->eval.error, 0, sizeof(b->eval.error));

    b->rc = cel_eval(b->program, &b->eval, &b->value);

    return b->rc;
}


static inline cel_status_t
back_eval(back_t *b, const char *source)
{
    if (back_compile(b, source) == NULL) {
        printf("# %s: %s\n", source, b->issues.items[0].message);
        return CEL_ERROR;
    }

    return back_run(b);
}


/* The value, or the error's message; lives in the arena or in b. */

static inline const char *
back_text(back_t *b, const char *source)
{
    size_t       len;
    const char  *text;

    if (back_compile(b, source) == NULL) {
        return b->issues.items[0].message;
    }

    if (back_run(b) == CEL_NEED) {
        return "need";
    }

    if (b->rc != CEL_OK
        || cel_to_json(&b->eval, &b->value, &text, &len) != CEL_OK)
    {
        return b->eval.error.message;
    }

    return text;
}


static inline void
back_close(back_t *b)
{
    cel_program_destroy(b->program);
    cel_arena_reset(&b->arena);
    cel_env_destroy(b->env);

    is_int(b->alloc.live, 0, "all memory was given back");
}


#endif /* CEL_TEST_BACK_H */
