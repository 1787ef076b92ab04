/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What somebody writes who means harm: whatever the budget, no more is spent
 * than it and one operation's charge, which was refused; no more bytes are
 * held than the limit and one block.  All of it is counted, nothing timed.
 */

#include <stdlib.h>
#include "cel.h"
#include "tap.h"


#define BLOCK      (65536 + 4096)       /* the newest, headers of the others */
#define ELEMENTS   5000
#define TEXT       20000


/* An allocator that knows what is held, and the most there ever was. */

typedef struct {
    size_t            live;
    size_t            peak;
    cel_allocator_t   allocator;
} heap_t;


/* A list that counts how often it is read: work that no table knows of. */

typedef struct {
    cel_object_t      object;
    uint64_t          reads;
} counted_t;


typedef struct {
    heap_t            heap;
    counted_t         list;
    cel_env_t        *env;
    cel_arena_t       arena;
    cel_value_t       facts[4];
    cel_eval_t        eval;
    char              text[TEXT];
} world_t;


static void *
heap_alloc(void *ctx, size_t size)
{
    heap_t  *heap = ctx;

    heap->live += size;
    heap->peak = heap->live > heap->peak ? heap->live : heap->peak;

    return malloc(size);
}


static void
heap_free(void *ctx, void *p, size_t size)
{
    heap_t  *heap = ctx;

    heap->live -= size;
    free(p);
}


static uint32_t
counted_size(const cel_object_t *o)
{
    return ELEMENTS;
}


static cel_status_t
counted_entry(const cel_object_t *o, cel_eval_t *eval, uint32_t i,
    cel_value_t *key, cel_value_t *value)
{
    ((counted_t *) (uintptr_t) o)->reads++;
    *value = cel_int(i);

    return CEL_OK;
}


static cel_status_t
counted_get(const cel_object_t *o, cel_eval_t *eval, const cel_value_t *key,
    cel_value_t *value)
{
    if (key->kind != CEL_INT || key->i < 0 || key->i >= ELEMENTS) {
        return CEL_NOT_FOUND;
    }

    return counted_entry(o, eval, (uint32_t) key->i, NULL, value);
}


static const cel_object_ops_t  counted_ops = {
    CEL_LIST, counted_size, counted_get, counted_entry
};


static void
world_open(world_t *w)
{
    memset(w, 0, sizeof(world_t));

    w->heap.allocator.alloc = heap_alloc;
    w->heap.allocator.free = heap_free;
    w->heap.allocator.ctx = &w->heap;

    w->env = cel_env_create(&cel_allocator_libc, NULL);
    cel_env_declare(w->env, "l", "list(int)", 0, CEL_SIZE_BODY, 0);
    cel_env_declare(w->env, "s", "string", 1, CEL_SIZE_BODY, 0);
    cel_env_declare(w->env, "d", "dyn", 2, CEL_SIZE_BODY, 0);
    cel_env_declare(w->env, "t", "string", 3, CEL_SIZE_BODY, 0);

    memset(w->text, 'a', sizeof(w->text));
    w->list.object.ops = &counted_ops;
    w->facts[0] = cel_object(&w->list.object);
    w->facts[1] = cel_string(w->text, sizeof(w->text));
    w->facts[2] = w->facts[0];
    w->facts[3] = cel_string("a,b", 3);
}


static void
world_close(world_t *w)
{
    cel_env_destroy(w->env);
}


static cel_status_t
world_run(world_t *w, const cel_program_t *program, uint64_t cost,
    size_t memory)
{
    cel_value_t  value;

    memset(&w->eval, 0, sizeof(w->eval));
    cel_arena_init(&w->arena, &w->heap.allocator, NULL, 0, memory);

    w->eval.arena = &w->arena;
    w->eval.facts = w->facts;
    w->eval.nfacts = 4;
    w->eval.cost_limit = cost;
    w->eval.max_string = 1 << 20;

    w->list.reads = 0;
    w->heap.peak = w->heap.live;

    return cel_eval(program, &w->eval, &value);
}


static const char *const  hostile[] = {
    "l.all(a, l.all(b, l.all(c, a + b + c >= 0)))",
    "l.map(a, l.map(b, [a, b]))",
    "l.map(a, s + s)",
    "l.map(a, string(a) + s).join(s)",
    "l.filter(a, l.exists(b, a == -1))",
    "l + l + l + l + l + l + l + l == []",
    "s.replace('a', s)",
    "s.replace('', s).replace('a', s)",
    "s.split('').map(c, s).join()",
    "s.split('') == s.split('')",
    "s.matches('(a|aa)+$') && s.matches('(a*)*b')",
    "l.exists(e, s.matches('(a?){30}a{30}b'))",
    "l.exists(e, s.matches(t))",
    "l.exists(e, s.contains(s + 'b'))",
    "s.contains(s) && s.indexOf(s + 'b') == 0 && s.lastIndexOf('b') == 0",
    "s.upperAscii().lowerAscii().reverse().trim() == ''",
    "l.map(e, '%s %s %s'.format([s, s, s]))",
    "'%s'.format([l.map(e, l)]) == ''",
    "l.map(e, bytes(s)).map(b, string(b)).size() == 0",
    "base64.encode(bytes(s)) + hex.encode(bytes(s)) == ''",
    "strings.quote(s + s) == strings.quote(s)",
    "l.map(e, {e: s, e + 10000: s})",
    "l.transformMap(i, v, l.map(e, v))",
    "l.transformMapEntry(i, v, {i: v, i + 100000: v}).size()",
    "l.map(e, [e, e]).flatten(3).flatten().size()",
    "l.map(e, e).sort().reverse().distinct().size()",
    "l.map(e, 0 - e).sortBy(e, s.size() - e).size()",
    "sets.equivalent(l, l.map(e, e + 1)) || sets.intersects(l, [-1])",
    "sets.contains(l.map(e, s), [s + 'b'])",
    "lists.range(10000).all(a, lists.range(10000).all(b, a + b >= 0))",
    "lists.range(10000).map(e, s).all(e, e == s)",
    "d.all(a, d.all(b, d[a] == d[b] || true))",
    "-1 in l || -1 in d || -1 in [l[0], l[1]]",
    "l == l && d == l && [l, l, l] == [l, l, l]",
    "l.map(e, [e]).exists(e, e in l.map(f, [f - 1]))",
    "l.map(e, timestamp(e)).map(t, string(t)).exists(t, timestamp(t) < "
    "timestamp(0))",
    "cel.bind(a, s + s, cel.bind(b, a + a, cel.bind(c, b + b, c + c + c)))"
    " == ''",
    "l.map(e, t.split(',').map(p, p + s).join(s)).size()",
    "l.map(e, isIP(s) || isCIDR(t) || ip('10.0.0.1') == ip('::1')).size()",
    "l.map(e, regex.replace(s, 'a', s)).size()",
    "regex.extractAll(s, 'a').map(e, s.find('a*')).size()",
    "l.all(e, true || s.matches(s))",
    "[s, s, s, s].map(a, [s, s, s, s].map(b, a + b)).size()",
    "optional.of(l).optMap(x, x.map(e, x)).orValue([]).size()",
    "l.map(e, math.greatest(l.map(x, x))).size()",
    "l.all(e, google.protobuf.Any{type_url: 'a/google.protobuf.ListValue', "
    "value: bytes(s.replace('a', '\\n\\u0000'))}.map(v, [v, v]) != [])",
    "google.protobuf.ListValue{values: l.map(e, bytes(s))}.map(v, v + s) == []",
    "l.all(e, google.protobuf.Struct{fields: l.transformMapEntry(i, v, "
    "{string(i): [9007199254740993 + v, timestamp(v)]})}.size() > 0)",
};


static void
test_cost(world_t *w)
{
    size_t          i, k;
    uint32_t        stopped, over, idle;
    cel_issues_t    issues;
    cel_program_t  *program;

    static const uint64_t  limits[] = {
        1, 2, 7, 50, 255, 256, 257, 1000, 9999, 65536, 300000
    };

    for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        program = cel_compile(w->env, hostile[i], strlen(hostile[i]),
                              &issues);

        if (program == NULL) {
            ok(0, "%s: %s", hostile[i], issues.items[0].message);
            continue;
        }

        stopped = 0;
        over = 0;
        idle = 0;

        for (k = 0; k < sizeof(limits) / sizeof(limits[0]); k++) {
            (void) world_run(w, program, limits[k], 256 << 20);

            stopped += w->eval.error.kind == CEL_E_COST
                       && w->eval.cost > limits[k];
            over += w->eval.cost - w->eval.refused > limits[k];
            idle += w->list.reads > 2 * limits[k];

            cel_arena_reset(&w->arena);
        }

        ok(stopped >= 4, "the cost limit stops %s", hostile[i]);
        ok(over == 0, "nothing is spent beyond it");
        ok(idle == 0, "a unit reads two elements at most");

        cel_program_destroy(program);
    }
}


static void
test_memory(world_t *w)
{
    size_t          i, k;
    uint32_t        over, held;
    cel_issues_t    issues;
    cel_program_t  *program;

    static const size_t  limits[] = {
        64, 1000, 5000, 20000, 100000, 1000000, 5000000
    };

    for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        program = cel_compile(w->env, hostile[i], strlen(hostile[i]),
                              &issues);
        over = 0;
        held = 0;

        for (k = 0; program != NULL
                    && k < sizeof(limits) / sizeof(limits[0]); k++)
        {
            (void) world_run(w, program, 3000000, limits[k]);

            over += w->arena.peak > limits[k];
            held += w->heap.peak > limits[k] + BLOCK;

            cel_arena_reset(&w->arena);
            held += w->heap.live != 0;
        }

        ok(program != NULL && over == 0, "within its memory: %s",
           hostile[i]);
        ok(held == 0, "and so is the heap");

        cel_program_destroy(program);
    }
}


/* Values that are made: as large as they may be, and one more. */

static void
test_values(world_t *w)
{
    size_t          i;
    bool            large;
    cel_value_t     value;
    cel_status_t    rc;
    cel_issues_t    issues;
    cel_program_t  *program;

    static const struct {
        const char  *source;
        bool         large;
    } cases[] = {
        { "(s + t).size() > 0", false },
        { "(s + t + 'x').size() > 0", true },
        { "[s, t].join().size() > 0", false },
        { "[s, t, 'x'].join().size() > 0", true },
        { "s.replace('a', 'b').size() > 0", false },
        { "s.replace('a', 'bb').size() > 0", true },
        { "'%s%s'.format([s, t]).size() > 0", false },
        { "'%s%s!'.format([s, t]).size() > 0", true },
        { "base64.encode(bytes(s)).size() > 0", true },
        { "strings.quote(t).size() > 0", false },
        { "strings.quote(s).size() > 0", true },
        { "l.map(e, e).size() > 0", false },
        { "(l + [1]).size() > 0", true },
        { "s.split('').size() > 0", true },
        { "l.transformMap(i, v, v).size() > 0", false },
        { "l.transformMapEntry(i, v, {i: v, -1 - i: v}).size() > 0", true },
        { "lists.range(5000).size() > 0", false },
        { "lists.range(5001).size() > 0", true },
        { "[l, [1]].flatten().size() > 0", true },
        { "s.split('') == [] || true", true },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        program = cel_compile(w->env, cases[i].source,
                              strlen(cases[i].source), &issues);

        if (program == NULL) {
            ok(0, "%s: %s", cases[i].source, issues.items[0].message);
            continue;
        }

        memset(&w->eval, 0, sizeof(w->eval));
        cel_arena_init(&w->arena, &w->heap.allocator, NULL, 0, 0);
        w->eval.arena = &w->arena;
        w->eval.facts = w->facts;
        w->eval.nfacts = 4;
        w->eval.max_string = TEXT + 3;
        w->eval.max_entries = ELEMENTS;

        rc = cel_eval(program, &w->eval, &value);
        large = rc == CEL_ERROR && w->eval.error.kind == CEL_E_MEMORY;

        ok(cases[i].large ? large : rc == CEL_OK, "%s: %s", cases[i].source,
           rc == CEL_OK ? "a value" : w->eval.error.message);

        cel_arena_reset(&w->arena);
        cel_program_destroy(program);
    }
}


/* Limits of a compilation: the most that passes, and one less is too few. */

static void
test_limits(void)
{
    size_t          i;
    cel_env_t      *env;
    cel_limits_t    limits;
    cel_issues_t    issues;
    cel_program_t  *program;

    static const struct {
        const char    *source;
        const char    *text;           /* of the refusal, NULL: passes */
        cel_limits_t   limits;
    } cases[] = {
        { "1 + 1", NULL, { .max_source = 5 } },
        { "1 + 1", "has 5 bytes, at most 4", { .max_source = 4 } },
        { "[[[[1]]]]", NULL, { .max_depth = 10 } },
        { "[[[[1]]]]", "deep", { .max_depth = 3 } },
        { "[1, 2, 3, 4]", NULL, { .max_nodes = 5 } },
        { "[1, 2, 3, 4]", "nodes", { .max_nodes = 4 } },
        { "'a'.matches('a{20}')", NULL, { .max_regex = 100 } },
        { "'a'.matches('a{20}')", "limit of 10", { .max_regex = 10 } },
        { "[1].all(a, [1].all(b, a == b))", NULL, { .max_loops = 2 } },
        { "[1].all(a, [1].all(b, a == b))", "at most 1 are allowed",
          { .max_loops = 1 } },
        { "[1].all(a, true) && [1].all(a, true)", NULL, { .max_loops = 1 } },
        { "cel.bind(a, 1, cel.bind(b, a, [b].all(c, c == 1)))", NULL,
          { .max_loops = 1 } },
        { "[1, 2, 3, 4]", "at most 1000 are allowed",
          { .max_memory = 1000 } },
        { "[1, 2, 3, 4]", NULL, { .max_memory = 20000 } },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        limits = cases[i].limits;
        env = cel_env_create(&cel_allocator_libc, &limits);
        program = cel_compile(env, cases[i].source, strlen(cases[i].source),
                              &issues);

        if (cases[i].text == NULL) {
            ok(program != NULL, "%s passes", cases[i].source);

        } else {
            ok(program == NULL && strstr(issues.items[0].message,
                                         cases[i].text) != NULL,
               "%s: %s", cases[i].source, issues.items[0].message);
            ok(program == NULL && (issues.items[0].kind == CEL_E_TOO_LARGE
                                   || limits.max_regex != 0),
               "it is %s", cel_error_kind_name(issues.items[0].kind));
        }

        cel_program_destroy(program);
        cel_env_destroy(env);
    }
}


/* Calls of constants: made here, within a bound for all of them together. */

static void
test_folding(void)
{
    char           *source;
    size_t          i, len;
    heap_t          heap;
    cel_env_t      *env;
    cel_issues_t    issues;
    cel_program_t  *program;

    memset(&heap, 0, sizeof(heap));
    heap.allocator.alloc = heap_alloc;
    heap.allocator.free = heap_free;
    heap.allocator.ctx = &heap;

    env = cel_env_create(&heap.allocator, NULL);
    source = malloc(66000);
    len = 0;

    /* some 4 KB each, 3 MB in all */

    for (i = 0; i < 700; i++) {
        len += (size_t) sprintf(source + len,
                                "%s'%060d'.replace('', '%064d')",
                                i ? ", " : "[", 7, 8);

        if (len > 65000) {
            break;
        }
    }

    len += (size_t) sprintf(source + len, "]");

    heap.peak = heap.live;
    program = cel_compile(env, source, len, &issues);
    ok(program != NULL && i > 300, "%zu calls of constants are compiled", i);
    ok(heap.peak < 1536 << 10, "which takes %zu bytes at most", heap.peak);
    ok(program != NULL && cel_program_memory(program) < 2 << 20,
       "and is a program of less");

    cel_program_destroy(program);
    free(source);
    cel_env_destroy(env);
    is_int((long) heap.live, 0, "all of it was given back");
}


int
main(void)
{
    world_t  *w;

    w = malloc(sizeof(world_t));
    world_open(w);

    test_cost(w);
    test_memory(w);
    test_values(w);
    test_limits();
    test_folding();

    world_close(w);
    free(w);

    return done_testing();
}
