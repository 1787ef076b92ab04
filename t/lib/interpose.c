/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Preloaded into nginx by t/hotpath.t: counts calls of the allocator and of
 * pthread_mutex_lock() in a file that the test reads.  Changes nothing.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>


typedef struct {
    _Atomic unsigned long  allocations;
    _Atomic unsigned long  locks;
} counters_t;


extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);


static counters_t   nowhere;
static counters_t  *counters = &nowhere;

static int        (*real_lock)(pthread_mutex_t *mutex);


__attribute__((constructor))
static void
interpose_start(void)
{
    int          fd;
    void        *p;
    const char  *file;

    real_lock = (int (*)(pthread_mutex_t *)) dlsym(RTLD_NEXT,
                                                   "pthread_mutex_lock");

    file = getenv("INTERPOSE_FILE");

    if (file == NULL) {
        return;
    }

    fd = open(file, O_RDWR);

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(counters_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd,
             0);
    close(fd);

    if (p != MAP_FAILED) {
        counters = p;
    }
}


void *
malloc(size_t size)
{
    counters->allocations++;
    return __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    counters->allocations++;
    return __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    counters->allocations++;
    return __libc_realloc(p, size);
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    counters->allocations++;
    *p = __libc_memalign(alignment, size);
    return *p ? 0 : ENOMEM;
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    counters->allocations++;
    return __libc_memalign(alignment, size);
}


void *
memalign(size_t alignment, size_t size)
{
    counters->allocations++;
    return __libc_memalign(alignment, size);
}


int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
    counters->locks++;
    return real_lock(mutex);
}
