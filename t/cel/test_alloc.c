/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * No memory but through the allocator: malloc() and its family are taken over
 * here, and every call while the library works is one too many, whoever makes
 * it on its behalf, but C++ below RE2.  The allocator itself gives from a
 * fixed block.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include "cases.h"


#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOC_SANITIZED  1

#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOC_SANITIZED  1
#endif
#endif


#ifdef ALLOC_SANITIZED

int
main(void)
{
    ok(1, "malloc is counted # SKIP it belongs to the sanitizer");

    return done_testing();
}

#else


#define ALLOC_BLOCK  (64u << 20)


extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);


typedef struct {
    uint64_t      ours;
    uint64_t      foreign;      /* of C++ */
    const char   *who;          /* the last of ours */
    bool          on;
} alloc_count_t;


/* volatile: the compiler believes that malloc() does not look at it */

static volatile alloc_count_t  counted;
static size_t                  block_used;
static char                    block[ALLOC_BLOCK]
                                   __attribute__((aligned(16)));


static void
count(const void *caller)
{
    Dl_info  info;

    if (!counted.on) {
        return;
    }

    memset(&info, 0, sizeof(Dl_info));

    if (dladdr(caller, &info) != 0 && info.dli_fname != NULL
        && (strstr(info.dli_fname, "libstdc++") != NULL
            || strstr(info.dli_fname, "libre2") != NULL
            || strstr(info.dli_fname, "libsimdjson") != NULL))
    {
        counted.foreign++;
        return;
    }

    counted.ours++;
    counted.who = info.dli_fname;
}


void *
malloc(size_t size)
{
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_realloc(p, size);
}


void *
memalign(size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    *p = __libc_memalign(alignment, size);

    return *p != NULL ? 0 : 12;
}


static void *
block_alloc(void *ctx, size_t size)
{
    char  *p;

    size = (size + 15) & ~(size_t) 15;

    if (size > ALLOC_BLOCK - block_used) {
        return NULL;
    }

    p = block + block_used;
    block_used += size;

    return p;
}


static void
block_free(void *ctx, void *p, size_t size)
{
}


static const cel_allocator_t  block_allocator = {
    block_alloc,
    block_free,
    NULL
};


/* All of an expression's life. */

static bool
work(const cases_case_t *c)
{
    size_t          len;
    cel_env_t      *env;
    cel_eval_t      eval;
    const char     *text;
    cel_arena_t     arena;
    cel_value_t     facts[CASES_FACTS], value;
    cel_issues_t    issues;
    cel_program_t  *program;

    block_used = 0;
    memset(&eval, 0, sizeof(eval));

    env = cases_env(c, &block_allocator);
    program = cel_compile(env, c->source, strlen(c->source), &issues);
    cel_env_destroy(env);

    if (program == NULL) {
        return false;
    }

    cel_arena_init(&arena, &block_allocator, NULL, 0, 0);
    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = CASES_FACTS;
    cel_eval_init(&eval);
    memcpy(facts, c->values, sizeof(c->values[0]) * c->n);

    if (cel_eval(program, &eval, &value) == CEL_OK) {
        (void) cel_to_json(&eval, &value, &text, &len);
    }

    cel_arena_reset(&arena);
    cel_program_destroy(program);

    return true;
}


static void
each(void *ctx, const cases_case_t *c)
{
    uint64_t   ours;
    uint32_t  *compiled = ctx;

    ours = counted.ours;
    counted.on = true;

    *compiled += work(c);

    counted.on = false;

    if (counted.ours != ours) {
        ok(0, "%s: %s calls malloc", c->source,
           counted.who != NULL ? counted.who : "it");
    }
}


int
main(void)
{
    uint32_t         n, compiled;
    char *volatile   text;

    compiled = 0;
    n = cases_all(each, &compiled);

    ok(n > 200, "there are %u expressions", n);
    ok(compiled > n / 2, "%u of them are compiled", compiled);
    is_int(counted.ours, 0, "no memory is asked for but of the allocator");
    ok(counted.foreign > 0, "but by C++, %llu times",
       (unsigned long long) counted.foreign);

    /* it does count */

    counted.on = true;
    text = strdup("a text");
    counted.on = false;

    is_int(counted.ours, 1, "a copy that libc makes is one");
    free(text);

    return done_testing();
}


#endif
