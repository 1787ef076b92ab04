/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * check.c - fuzzes the way from text to program: parser, macros, checker,
 * cost, optimiser.  What is refused has issues with places inside the source,
 * what is compiled has a type, a cost and its memory, both the same each time.
 */


#include "fuzz.h"


static uint64_t check_run(const char *text, size_t len);


/* the estimate takes 17 KiB for each level of calls, of which there are 250 */

const fuzz_target_t  fuzz_target = {
    .run = check_run,
    .work_unit = "bytes",
    .work = 6 << 20,
    .work_per_byte = 2048,
    .memory = 6 << 20,
    .memory_per_byte = 2048
};


static void
check_issues(const cel_issues_t *issues, const char *text, size_t len)
{
    char                buf[700];
    size_t              n;
    uint32_t            i;
    const cel_error_t  *e;

    if (issues->count == 0 || issues->total < issues->count
        || issues->count > CEL_ISSUES_MAX)
    {
        fuzz_fail("refused with %u issues of %u", issues->count,
                  issues->total);
    }

    for (i = 0; i < issues->count; i++) {
        e = &issues->items[i];

        if (e->offset > len || e->line == 0 || e->column == 0
            || e->message[0] == '\0' || e->kind == CEL_E_NONE
            || memchr(e->message, '\0', CEL_MESSAGE_MAX) == NULL)
        {
            fuzz_fail("an issue at %u:%u (%u of %zu): \"%.100s\"", e->line,
                      e->column, e->offset, len, e->message);
        }

        n = cel_error_format(e, "x", text, len, buf, sizeof(buf));

        if (n >= sizeof(buf) || n != strlen(buf)) {
            fuzz_fail("an issue's text of %zu bytes", n);
        }
    }
}


static void
check_program(const cel_program_t *program)
{
    char          buf[200];
    uint32_t      i, n;
    uint64_t      min, max;
    cel_sizes_t   sizes;

    const cel_slot_t  *slots;

    memset(&sizes, 0, sizeof(sizes));
    sizes.bytes[CEL_SIZE_HEADERS] = 1000;
    sizes.bytes[CEL_SIZE_BODY] = 1000;

    min = cel_program_cost_min(program);
    max = cel_program_cost_max(program, &sizes);

    if (min > max) {
        fuzz_fail("the least cost is %llu, the most %llu",
                  (unsigned long long) min, (unsigned long long) max);
    }

    slots = cel_program_facts(program, &n);

    for (i = 0; i < n; i++) {
        if (slots[i] >= FUZZ_FACTS || (i > 0 && slots[i] <= slots[i - 1])) {
            fuzz_fail("fact %u is in slot %u", i, slots[i]);
        }
    }

    if (cel_type_format(cel_program_type(program), buf, sizeof(buf))
        >= sizeof(buf))
    {
        fuzz_fail("a type's text is not cut");
    }

    if (cel_disassemble(program, buf, sizeof(buf)) >= sizeof(buf)) {
        fuzz_fail("a program's text is not cut");
    }
}


#define CHECK_ENV  (1 << 20)


/*
 * An env of limits of its own, made once: it may be used again after every
 * compilation, whatever that was.
 */

typedef struct {
    cel_limits_t   limits;
    cel_env_t     *env;
    fuzz_alloc_t   alloc;
} check_env_t;

static check_env_t  check_default;

static check_env_t  check_lenient = {
    .limits = { .container = "com.example", .disable_check = true }
};

static check_env_t  check_narrow = {
    .limits = {
        .max_source = 200,
        .max_depth = 5,
        .max_nodes = 50,
        .max_regex = 20,
        .disable_macros = true
    }
};


/*
 * The bytes that were asked for, which is what compiling takes.  An env grows
 * by the signatures of the functions it meets, then no more.
 */

static uint64_t
check_compile(const char *text, size_t len, check_env_t *e, bool *compiled)
{
    uint64_t        total;
    cel_issues_t    issues;
    cel_program_t  *program;

    if (e->env == NULL) {
        fuzz_alloc_init(&e->alloc);
        e->env = fuzz_env(&e->alloc.allocator, &e->limits);
    }

    total = e->alloc.total;
    memset(&issues, 0, sizeof(issues));

    program = cel_compile(e->env, text, len, &issues);
    *compiled = program != NULL;

    if (program == NULL) {
        check_issues(&issues, text, len);

    } else {
        check_program(program);
        cel_program_destroy(program);
    }

    if (e->alloc.live > CHECK_ENV) {
        fuzz_fail("%lld bytes are not given back", (long long) e->alloc.live);
    }

    return e->alloc.total - total;
}


static uint64_t
check_run(const char *text, size_t len)
{
    bool      compiled, again;
    uint64_t  work;

    work = check_compile(text, len, &check_default, &compiled);

    if (check_compile(text, len, &check_default, &again) > work
        || again != compiled)
    {
        fuzz_fail("compiled twice in two ways");
    }

    (void) check_compile(text, len, &check_lenient, &again);
    (void) check_compile(text, len, &check_narrow, &again);

    return work;
}
