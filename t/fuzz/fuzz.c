
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * fuzz.c - runs a target for libFuzzer: counts the heap, holds every input to
 * the target's limits, keeps the worst, ends after FUZZ_CPU seconds of
 * processor time and writes what happened to the file FUZZ_STATS.
 */


#include "fuzz.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sanitizer/allocator_interface.h>


/* processor time of one input, sanitizers included: what nothing counts */

#define FUZZ_SLOWEST_NS  5000000000ull


typedef struct {
    uint64_t      live;
    uint64_t      peak;
} fuzz_heap_t;


typedef struct {
    uint64_t      executions;
    uint64_t      slowest_ns;
    uint64_t      slowest_work;      /* of the same input */
    uint64_t      work;              /* the most */
    uint64_t      memory;            /* the most */
    uint64_t      until_ns;          /* of processor time, 0 = no end */
    const char   *file;
    bool          done;
} fuzz_run_t;


static fuzz_heap_t  heap;
static fuzz_run_t   run;


int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_malloc_hook(const volatile void *p, size_t size)
{
    heap.live += size;

    if (heap.live > heap.peak) {
        heap.peak = heap.live;
    }
}


static void
fuzz_free_hook(const volatile void *p)
{
    if (p != NULL) {
        heap.live -= __sanitizer_get_allocated_size((void *) p);
    }
}


static uint64_t
fuzz_cpu_ns(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}


/* NAME VALUE lines, and the slowest input beside them */

static void
fuzz_write(void)
{
    FILE  *out;

    if (run.file == NULL) {
        return;
    }

    out = fopen(run.file, "w");
    if (out == NULL) {
        return;
    }

    fprintf(out, "executions %llu\nslowest_us %llu\nslowest_work %llu\n"
            "work %llu\nunit %s\nmemory %llu\ncpu_ms %llu\n",
            (unsigned long long) run.executions,
            (unsigned long long) run.slowest_ns / 1000,
            (unsigned long long) run.slowest_work,
            (unsigned long long) run.work, fuzz_target.work_unit,
            (unsigned long long) run.memory,
            (unsigned long long) fuzz_cpu_ns() / 1000000);
    fclose(out);
}


static void
fuzz_keep_slowest(const uint8_t *data, size_t size)
{
    char   name[4096];
    FILE  *out;

    if (run.file == NULL) {
        return;
    }

    snprintf(name, sizeof(name), "%s.slowest", run.file);

    out = fopen(name, "w");

    if (out != NULL) {
        fwrite(data, 1, size, out);
        fclose(out);
    }
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char  *seconds;

    seconds = getenv("FUZZ_CPU");
    run.file = getenv("FUZZ_STATS");

    if (seconds != NULL) {
        run.until_ns = fuzz_cpu_ns()
                       + (uint64_t) strtoull(seconds, NULL, 10) * 1000000000;
    }

    if (__sanitizer_install_malloc_and_free_hooks(fuzz_malloc_hook,
                                                  fuzz_free_hook) == 0)
    {
        fuzz_fail("the heap cannot be counted");
    }

    atexit(fuzz_write);

    return 0;
}


/* Work is counted by the target, heap and time here. */

static void
fuzz_account(const uint8_t *data, size_t size, uint64_t work, uint64_t memory,
    uint64_t ns)
{
    const fuzz_target_t  *t;

    t = &fuzz_target;

    if (work > t->work + t->work_per_byte * size) {
        fuzz_fail("over its limit: %llu %s for %zu bytes",
                  (unsigned long long) work, t->work_unit, size);
    }

    if (memory > t->memory + t->memory_per_byte * size) {
        fuzz_fail("over its limit: %llu bytes of heap for %zu bytes",
                  (unsigned long long) memory, size);
    }

    if (ns > FUZZ_SLOWEST_NS) {
        fuzz_fail("over its limit: %llu ms of processor time for %zu bytes",
                  (unsigned long long) ns / 1000000, size);
    }

    run.executions++;

    if (work > run.work) {
        run.work = work;
    }

    if (memory > run.memory) {
        run.memory = memory;
    }

    if (ns > run.slowest_ns) {
        run.slowest_ns = ns;
        run.slowest_work = work;
        fuzz_keep_slowest(data, size);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t  work, begin, end, before;

    begin = fuzz_cpu_ns();
    before = fuzz_heap_mark();

    work = fuzz_target.run((const char *) data, size);

    end = fuzz_cpu_ns();

    fuzz_account(data, size, work, heap.peak - before, end - begin);

    /* libFuzzer ends by itself when it is asked to */

    if (run.until_ns != 0 && end >= run.until_ns && !run.done) {
        run.done = true;
        fuzz_write();
        raise(SIGUSR1);
    }

    return 0;
}


void
fuzz_fail(const char *fmt, ...)
{
    va_list  args;

    fputs("FAULT: ", stderr);

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fputc('\n', stderr);
    abort();
}


uint64_t
fuzz_heap(void)
{
    return heap.live;
}


uint64_t
fuzz_heap_mark(void)
{
    heap.peak = heap.live;

    return heap.live;
}


uint64_t
fuzz_heap_peak(void)
{
    return heap.peak;
}


static void *
fuzz_alloc(void *ctx, size_t size)
{
    fuzz_alloc_t  *alloc = ctx;

    alloc->total += size;
    alloc->live += (int64_t) size;

    return malloc(size);
}


static void
fuzz_free(void *ctx, void *p, size_t size)
{
    fuzz_alloc_t  *alloc = ctx;

    alloc->live -= (int64_t) size;
    free(p);
}


void
fuzz_alloc_init(fuzz_alloc_t *alloc)
{
    alloc->total = 0;
    alloc->live = 0;
    alloc->allocator.alloc = fuzz_alloc;
    alloc->allocator.free = fuzz_free;
    alloc->allocator.ctx = alloc;
}


uint8_t
fuzz_byte(fuzz_bytes_t *bytes)
{
    if (bytes->len == 0) {
        return 0;
    }

    bytes->len--;

    return (uint8_t) *bytes->s++;
}


/* The first byte tells how many follow, so that small ones are common. */

uint64_t
fuzz_number(fuzz_bytes_t *bytes)
{
    uint8_t   n;
    uint64_t  number;

    number = 0;

    for (n = fuzz_byte(bytes) % 9; n > 0; n--) {
        number = number << 8 | fuzz_byte(bytes);
    }

    return number;
}


fuzz_bytes_t
fuzz_part(fuzz_bytes_t *bytes)
{
    const char    *end;
    fuzz_bytes_t   part;

    part = *bytes;
    end = bytes->len > 0 ? memchr(bytes->s, '\0', bytes->len) : NULL;

    if (end != NULL) {
        part.len = (size_t) (end - bytes->s);
        bytes->s = end + 1;
        bytes->len -= part.len + 1;

    } else {
        bytes->s += bytes->len;
        bytes->len = 0;
    }

    return part;
}
