/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The few names of nginx's core that the statistics, breakers and adaptive
 * limits use, for unit tests that are built without nginx.  The mutex is none:
 * a test is one thread.  A test may be ended at any memory barrier, which is
 * where the code that survives a death has its steps.
 */


#ifndef UNIT_NGX_CORE_H
#define UNIT_NGX_CORE_H


#include "ngx_config.h"


#define NGX_OK           0
#define NGX_ERROR       -1
#define NGX_AGAIN       -2
#define NGX_DECLINED    -5

#define NGX_UNIT_DEATH   9


typedef intptr_t                 ngx_int_t;
typedef uintptr_t                ngx_uint_t;
typedef unsigned char            u_char;
typedef ngx_uint_t               ngx_msec_t;
typedef ngx_int_t                ngx_msec_int_t;
typedef uint64_t                 ngx_atomic_uint_t;
typedef int64_t                  ngx_atomic_int_t;
typedef volatile uint64_t        ngx_atomic_t;

typedef struct {
    size_t                       len;
    u_char                      *data;
} ngx_str_t;

typedef struct {
    int                          lock;
} ngx_shmtx_t;

typedef struct {
    ngx_shmtx_t                  mutex;
    u_char                      *memory;      /* zeroed, what is left of it */
    size_t                       left;
} ngx_slab_pool_t;


#define ngx_string(str)          { sizeof(str) - 1, (u_char *) str }
#define ngx_null_string          { 0, NULL }
#define ngx_min(a, b)            ((a) > (b) ? (b) : (a))
#define ngx_max(a, b)            ((a) < (b) ? (b) : (a))
#define ngx_memzero(p, n)        (void) memset((void *) (p), 0, n)
#define ngx_memcpy(to, from, n)  (void) memcpy(to, from, n)
#define ngx_memcmp(a, b, n)      memcmp(a, b, n)
#define ngx_qsort                qsort
#define ngx_cacheline_size       64
#define ngx_align_ptr(p, a)                                                   \
    (u_char *) (((uintptr_t) (p) + ((uintptr_t) (a) - 1))                     \
                & ~((uintptr_t) (a) - 1))

#define ngx_atomic_fetch_add(p, n)  __sync_fetch_and_add(p, n)
#define ngx_atomic_cmp_set(p, old, set)                                       \
    __sync_bool_compare_and_swap(p, old, set)
#define ngx_memory_barrier()     ngx_unit_barrier()

#define ngx_shmtx_lock(m)        (void) (m)
#define ngx_shmtx_unlock(m)      (void) (m)


static ngx_msec_t  ngx_current_msec __attribute__((unused));
static ngx_uint_t  ngx_worker __attribute__((unused));
static long        ngx_unit_barriers = -1;    /* left until it dies */


static inline void
ngx_unit_barrier(void)
{
    if (ngx_unit_barriers >= 0 && ngx_unit_barriers-- == 0) {
        _exit(NGX_UNIT_DEATH);
    }

    __sync_synchronize();
}


static inline void *
ngx_slab_calloc_locked(ngx_slab_pool_t *pool, size_t size)
{
    u_char  *p;

    if (size > pool->left) {
        return NULL;
    }

    p = pool->memory;

    pool->memory += size;
    pool->left -= size;

    return p;
}


static inline uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  hash;

    for (hash = 2166136261u; len; len--) {
        hash = (hash ^ *data++) * 16777619u;
    }

    return hash;
}


#endif /* UNIT_NGX_CORE_H */
