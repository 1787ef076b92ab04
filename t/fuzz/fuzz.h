
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * fuzz.h - what the targets of libFuzzer share: limits that every input is
 * held to, an account of what it took, facts made of random bytes.  A target
 * judges; it does not choose inputs.
 */


#ifndef FUZZ_H_INCLUDED
#define FUZZ_H_INCLUDED


#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cel.h"


/*
 * One target.  run() gets an input and returns the work it took, counted, not
 * timed: tokens, bytes of memory asked for, units of cost.  An input of len
 * bytes is over its limits when its work is above work + work_per_byte * len,
 * or when it held more than memory + memory_per_byte * len bytes of heap at
 * once, the heaps of RE2 and simdjson included.
 */
typedef struct {
    uint64_t        (*run)(const char *text, size_t len);
    const char       *work_unit;
    uint64_t          work;
    uint64_t          work_per_byte;
    uint64_t          memory;
    uint64_t          memory_per_byte;
} fuzz_target_t;

extern const fuzz_target_t  fuzz_target;


/* The input has shown a fault: says which, and ends as a crash does. */
void fuzz_fail(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* Heap held now, and the most since fuzz_heap_mark(), in bytes. */
uint64_t fuzz_heap(void);
uint64_t fuzz_heap_mark(void);
uint64_t fuzz_heap_peak(void);


/* An allocator that counts: bytes ever asked for, bytes held. */

typedef struct {
    uint64_t          total;
    int64_t           live;
    cel_allocator_t   allocator;
} fuzz_alloc_t;

void fuzz_alloc_init(fuzz_alloc_t *alloc);


/* Bytes of an input, taken from the front; 0 and NULL when none are left. */

typedef struct {
    const char       *s;
    size_t            len;
} fuzz_bytes_t;

uint8_t fuzz_byte(fuzz_bytes_t *bytes);
uint64_t fuzz_number(fuzz_bytes_t *bytes);

/* Up to the next NUL byte, or all that is left. */
fuzz_bytes_t fuzz_part(fuzz_bytes_t *bytes);


#define FUZZ_FACTS  14

/* The facts of check and eval: an env knows them all. */
cel_env_t *fuzz_env(const cel_allocator_t *allocator,
    const cel_limits_t *limits);

/*
 * Values for the FUZZ_FACTS facts in arena; what bytes they hold in sizes.
 * input is the document that json is, or random.
 */
void fuzz_facts(cel_arena_t *arena, fuzz_bytes_t *bytes,
    const cel_json_t *json, cel_value_t *facts, cel_sizes_t *sizes);

/* Bytes of a value at most, as the estimate's sizes count them. */
uint64_t fuzz_value_bytes(const cel_value_t *v);


#endif /* FUZZ_H_INCLUDED */
