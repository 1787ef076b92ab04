
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Every allocation of the arena fails in turn, while compiling and while
 * evaluating: each time a clean error and nothing lost, or the right value,
 * then success.  The arena is compiled into this program with blocks of one
 * allocation each.  RE2 has a heap of its own, which does not fail here.
 */


#define CEL_BLOCK_MIN  1
#define CEL_BLOCK_MAX  1

#include "../../src/cel/cel_arena.c"

#include "back.h"
#include "cases.h"


/* so many failures of each expression of the cases, spread over all */
#define CHAOS_SAMPLES  16


static const char  source[] =
    "(x.l.map(e, {'id': e.id, 'twice': [e.id, e.id + e.id]})"
    ".filter(m, m.id in [1, 2, 3] || string(m['id']).matches('[4-9]'))"
    ".all(m, m.id / (m.id - 2) == 1 || string(m.id) + 'a' != 'b')"
    " ? x.s.split(',').join(';').replace('a', 'b')"
    " : '%s %d'.format([x, 5]) + x.s.lowerAscii())"
    " + string([3, 1, 2].sort().distinct().flatten(2).reverse()"
    ".sortBy(i, -i).slice(0, 2).first().orValue(0))"
    " + base64.encode(b'abc') + string(cidr('10.0.0.0/8').masked())"
    " + string(google.protobuf.Struct{fields: {'a': {?'b': x.?c}}}.size())"
    " + regex.replace(x.s, '(.),', r'\\1;') + x.s.findAll('[a-z]')[0]"
    " + regex.extract(x.s, x.s).orValue('') + url('/' + x.s).getEscapedPath()"
    " + url('//h/?a=1&b=2&a=' + x.s).getQuery()['a'].join()"
    " + string(quantity('1k').add(quantity('1Ki')).asInteger())"
    " + string(semver('1.2.3-a').isLessThan(semver('1.2.3')))"
    " + format.dns1123LabelPrefix().validate(x.s + '-').orValue([]).join()"
    " + format.uri().validate(x.s).orValue([]).join()";


static uint64_t
chaos_compile(void)
{
    uint64_t         n;
    cel_env_t       *env;
    back_alloc_t     a;
    cel_issues_t     issues;
    cel_program_t   *program;

    for (n = 1; n < 10000; n++) {
        back_alloc_init(&a, n);
        memset(&issues, 0, sizeof(issues));
        program = NULL;

        env = cel_env_create(&a.allocator, NULL);

        if (env != NULL
            && cel_env_declare(env, "x", "dyn", 0, CEL_SIZE_BODY, 0)
               == CEL_OK)
        {
            program = cel_compile(env, source, sizeof(source) - 1, &issues);

            if (program == NULL && issues.total == 0) {
                ok(0, "failure %d while compiling is told", (int) n);
            }
        }

        cel_program_destroy(program);

        if (env != NULL) {
            cel_env_destroy(env);
        }

        if (a.live != 0) {
            is_int(a.live, 0, "failure %d while compiling leaks", (int) n);
            return 0;
        }

        if (program != NULL) {
            return n;
        }
    }

    return 0;
}


/* one evaluation in an arena that is given back */

static cel_status_t
chaos_run(back_t *b, cel_arena_t *arena, cel_eval_t *eval)
{
    cel_value_t   value;
    cel_status_t  rc;

    *eval = b->eval;
    eval->arena = arena;
    eval->cost = 0;
    eval->next_look = 0;

    rc = cel_eval(b->program, eval, &value);

    cel_arena_reset(arena);

    return rc;
}


static uint64_t
chaos_eval(back_t *b)
{
    char          first[64];
    uint64_t      n;
    cel_status_t  rc;
    back_alloc_t  a;
    cel_arena_t   arena;
    cel_eval_t    eval;

    for (n = 1; n < 10000; n++) {
        back_alloc_init(&a, n);
        cel_arena_init(&arena, &a.allocator, first, sizeof(first), 0);

        rc = chaos_run(b, &arena, &eval);

        if (a.live != 0) {
            is_int(a.live, 0, "failure %d while evaluating leaks", (int) n);
            return 0;
        }

        if (rc == CEL_OK) {
            return n;
        }

        if (rc != CEL_ERROR || eval.error.kind != CEL_E_MEMORY) {
            ok(0, "failure %d is an error of memory: %s", (int) n,
               eval.error.message);
            return 0;
        }
    }

    return 0;
}


/* The same by the limit, which may be met at any piece. */

static uint64_t
chaos_limit(back_t *b)
{
    size_t        limit;
    cel_status_t  rc;
    cel_arena_t   arena;
    cel_eval_t    eval;

    for (limit = 8; limit < 1 << 20; limit += 8) {
        cel_arena_init(&arena, &b->alloc.allocator, NULL, 0, limit);

        rc = chaos_run(b, &arena, &eval);

        if (rc == CEL_OK) {
            return limit;
        }

        if (rc != CEL_ERROR || eval.error.kind != CEL_E_MEMORY) {
            ok(0, "the limit of %zu is an error of memory: %s", limit,
               eval.error.message);
            return 0;
        }
    }

    return 0;
}


/* The outcome as text, the caller's; "" when memory was out. */

static char *
case_eval(const cel_program_t *program, const cases_case_t *c,
    back_alloc_t *a, uint64_t fail_at)
{
    char          *text;
    size_t         len;
    cel_eval_t     eval;
    const char    *json;
    cel_arena_t    arena;
    cel_value_t    facts[CASES_FACTS], value;
    cel_status_t   rc;

    memset(&eval, 0, sizeof(eval));
    cel_arena_init(&arena, &a->allocator, NULL, 0, 0);
    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = CASES_FACTS;
    cel_eval_init(&eval);
    memcpy(facts, c->values, sizeof(facts[0]) * c->n);

    a->count = 0;
    a->fail_at = fail_at;
    rc = cel_eval(program, &eval, &value);
    a->fail_at = 0;

    if (rc == CEL_OK && cel_to_json(&eval, &value, &json, &len) == CEL_OK) {
        text = strndup(json, len);

    } else {
        text = strdup(eval.error.kind == CEL_E_MEMORY ? ""
                      : eval.error.message);
    }

    cel_arena_reset(&arena);

    return text;
}


typedef struct {
    back_alloc_t  alloc;
    uint32_t      failures;      /* tried */
    uint32_t      wrong;
} case_chaos_t;


static void
case_compare(case_chaos_t *chaos, const cases_case_t *c, const char *want,
    char *text, uint64_t n)
{
    chaos->failures++;

    if (text[0] != '\0' && strcmp(text, want) != 0) {
        chaos->wrong++;
        printf("# %s: %s after failure %llu, not %s\n", c->source, text,
               (unsigned long long) n, want);
    }

    free(text);
}


/* every step-th allocation of the compilation */

static void
case_compile(case_chaos_t *chaos, cel_env_t *env, const cases_case_t *c,
    const char *want)
{
    uint64_t        n, step, total;
    cel_issues_t    issues;
    cel_program_t  *program;

    chaos->alloc.count = 0;
    program = cel_compile(env, c->source, strlen(c->source), &issues);
    cel_program_destroy(program);

    total = chaos->alloc.count;
    step = total / CHAOS_SAMPLES + 1;

    for (n = 1 + strlen(c->source) % step; n <= total; n += step) {
        chaos->alloc.count = 0;
        chaos->alloc.fail_at = n;
        program = cel_compile(env, c->source, strlen(c->source), &issues);
        chaos->alloc.fail_at = 0;

        if (program != NULL) {
            case_compare(chaos, c, want,
                         case_eval(program, c, &chaos->alloc, 0), n);
            cel_program_destroy(program);
            continue;
        }

        chaos->failures++;

        if (issues.total == 0) {
            chaos->wrong++;
            printf("# %s: failure %llu is not told\n", c->source,
                   (unsigned long long) n);
        }
    }
}


static void
case_chaos(void *ctx, const cases_case_t *c)
{
    char           *want;
    uint64_t        n, step, total;
    cel_env_t      *env;
    cel_issues_t    issues;
    case_chaos_t   *chaos = ctx;
    cel_program_t  *program;

    env = cases_env(c, &chaos->alloc.allocator);
    program = cel_compile(env, c->source, strlen(c->source), &issues);

    if (program != NULL) {
        want = case_eval(program, c, &chaos->alloc, 0);
        total = chaos->alloc.count;
        step = total / CHAOS_SAMPLES + 1;

        for (n = 1; n <= total; n += step) {
            case_compare(chaos, c, want,
                         case_eval(program, c, &chaos->alloc, n), n);
        }

        case_compile(chaos, env, c, want);
        free(want);
    }

    cel_program_destroy(program);
    cel_env_destroy(env);

    if (chaos->alloc.live != 0) {
        is_int(chaos->alloc.live, 0, "%s: leaks", c->source);
        chaos->alloc.live = 0;
    }
}


static void
chaos_cases(void)
{
    uint32_t      n;
    case_chaos_t  chaos;

    memset(&chaos, 0, sizeof(chaos));
    back_alloc_init(&chaos.alloc, 0);

    n = cases_all(case_chaos, &chaos);

    ok(n > 200, "there are %u expressions", n);
    ok(chaos.failures > n, "%u failures while they are compiled and evaluated",
       chaos.failures);
    is_int(chaos.wrong, 0, "each is told, or the value is the right one");
}


int
main(void)
{
    back_t              b;
    uint64_t            n;
    cel_json_t         *json;
    cel_error_t         error;
    cel_json_parser_t  *parser;

    static const char  text[] =
        "{\"s\":\"A,b,c\",\"l\":[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4},"
        "{\"id\":5},{\"id\":6},{\"id\":7},{\"id\":8},{\"id\":9}]}";

    n = chaos_compile();
    ok(n > 3, "compiled at last, after %d failures", (int) n - 1);

    parser = cel_json_parser_create();
    json = cel_json_parse(parser, text, sizeof(text) - 1, NULL, &error);

    back_open(&b);
    back_declare(&b, "x", 0, cel_json_root(json));
    ok(back_compile(&b, source) != NULL, "the program is compiled: %s",
       b.issues.items[0].message);

    n = chaos_eval(&b);
    ok(n > 1, "evaluated at last, after %d failures", (int) n - 1);

    n = chaos_limit(&b);
    ok(n > 100, "evaluated at last, within %d bytes", (int) n);

    back_close(&b);
    cel_json_destroy(json);
    cel_json_parser_destroy(parser);

    chaos_cases();

    return done_testing();
}
