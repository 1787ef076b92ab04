
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The CEL library beside C functions that do the same by hand: nanoseconds
 * of CPU and bytes of arena for each evaluation, with metering, deadline and
 * memory limit as in production; compilation, and many rules, too.
 * Instructions are counted by callgrind from outside.  Built and run by
 * t/bench/cel.
 */


#include "cel_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>


#define ROUNDS       9
#define FACTS        6
#define RULES        10000
#define MEMORY       (64 << 20)
#define ROUND_NS     20000000


typedef struct {
    cel_env_t          *env;
    cel_arena_t         arena;
    cel_value_t         facts[FACTS];
    cel_eval_t          eval;
    cel_json_parser_t  *parser;
    bench_request_t     request;
    bench_headers_t     headers;
    uint64_t            deadline;
    int64_t             list[BENCH_LIST];
    cel_value_t         values[BENCH_LIST];
    cel_program_t      *rules[RULES];
    char                list_first[64];
    char                first[16384];
} bench_t;


/* what is repeated: false ends the benchmark */
typedef bool (*bench_pt)(bench_t *b, const void *what);


static const char  body[] =
    "{\"policy\":{\"type\":\"ACCESS\",\"value\":4,\"name\":\"policy one\","
    "\"tags\":[\"red\",\"green\",\"blue\",\"audit\"]},"
    "\"user\":{\"id\":12345,\"email\":\"someone@example.com\",\"roles\":"
    "[\"reader\",\"writer\",\"admin\"],\"active\":true},"
    "\"items\":[{\"id\":1,\"amount\":10.5,\"currency\":\"EUR\"},"
    "{\"id\":2,\"amount\":20.25,\"currency\":\"EUR\"},"
    "{\"id\":3,\"amount\":1.5,\"currency\":\"USD\"},"
    "{\"id\":4,\"amount\":99.99,\"currency\":\"EUR\"}],"
    "\"note\":\"Lorem ipsum dolor sit amet, consectetur adipiscing elit, "
    "sed do eiusmod tempor incididunt ut labore et dolore magna aliqua. "
    "Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi "
    "ut aliquip ex ea commodo consequat. Duis aute irure "
    "dolor in reprehenderit in voluptate "
    "velit esse cillum dolore eu fugiat nulla pariatur. Excepteur sint "
    "occaecat cupidatat non proident, sunt in culpa qui officia deserunt "
    "mollit anim id est laborum.\","
    "\"address\":{\"street\":\"1 Long Road\",\"city\":\"Springfield\","
    "\"zip\":\"12345\",\"country\":\"US\",\"since\":\"2019-04-01\","
    "\"verified\":true,\"score\":0.875},"
    "\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}";


/* callgrind writes its counts when this returns. */

__attribute__((noinline)) void
bench_mark(void)
{
    __asm__ volatile ("" ::: "memory");
}


static uint64_t
now(clockid_t clock)
{
    struct timespec  ts;

    clock_gettime(clock, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}


static uint32_t
headers_size(const cel_object_t *o)
{
    return BENCH_HEADERS;
}


static cel_status_t
headers_get(const cel_object_t *o, cel_eval_t *eval, const cel_value_t *key,
    cel_value_t *value)
{
    uint32_t                i;
    const bench_headers_t  *h = (const bench_headers_t *) o;

    for (i = 0; i < BENCH_HEADERS; i++) {
        if (h->names[i].len == key->len
            && memcmp(h->names[i].s, key->s, key->len) == 0)
        {
            *value = h->values[i];
            return CEL_OK;
        }
    }

    return CEL_NOT_FOUND;
}


static const cel_object_ops_t  headers_ops = {
    CEL_MAP, headers_size, headers_get, NULL
};


static void
headers_fill(bench_headers_t *headers)
{
    uint32_t  i;

    static const char *const  fields[] = {
        "host", "example.com", "user-agent", "curl/8", "accept", "*/*",
        "accept-encoding", "gzip", "x-role", "editor", "x-org", "acme",
        "cookie", "a=b", "content-type", "application/json"
    };

    headers->object.ops = &headers_ops;

    for (i = 0; i < BENCH_HEADERS; i++) {
        headers->names[i] = cel_string(fields[2 * i], strlen(fields[2 * i]));
        headers->values[i] = cel_string(fields[2 * i + 1],
                                        strlen(fields[2 * i + 1]));
    }
}


static void
bench_facts(bench_t *b, cel_json_t *json)
{
    uint32_t      i;
    cel_arena_t   arena;

    for (i = 0; i < BENCH_LIST; i++) {
        b->list[i] = i;
        b->values[i] = cel_int(i);
    }

    headers_fill(&b->headers);

    b->request.method = "GET";
    b->request.method_len = 3;
    b->request.path = "/api/acme/orders/17";
    b->request.path_len = 19;
    b->request.headers = &b->headers;
    b->request.input = cel_json_root(json);
    b->request.list = b->list;
    b->request.now = 1772352000;

    cel_arena_init(&arena, &cel_allocator_libc, b->list_first,
                   sizeof(b->list_first), 0);

    b->facts[0] = cel_string(b->request.method, b->request.method_len);
    b->facts[1] = cel_string(b->request.path, b->request.path_len);
    b->facts[2] = cel_object(&b->headers.object);
    b->facts[3] = b->request.input;
    cel_list(&arena, b->values, BENCH_LIST, &b->facts[4]);
    b->facts[5] = cel_timestamp(b->request.now, 0);
}


static void
bench_open(bench_t *b, cel_json_t *json)
{
    uint32_t  i;

    static const char *const  names[] = {
        "request.method", "request.path", "request.headers", "input", "list",
        "now"
    };
    static const char *const  types[] = {
        "string", "string", "map(string, string)", "dyn", "list(int)",
        "timestamp"
    };

    b->env = cel_env_create(&cel_allocator_libc, NULL);

    for (i = 0; i < FACTS; i++) {
        cel_env_declare(b->env, names[i], types[i], i, CEL_SIZE_BODY, 0);
    }

    cel_arena_init(&b->arena, &cel_allocator_libc, b->first,
                   sizeof(b->first), MEMORY);

    b->eval.arena = &b->arena;
    b->eval.facts = b->facts;
    b->eval.nfacts = FACTS;
    b->eval.cost_limit = 100000000;
    cel_eval_init(&b->eval);

    bench_facts(b, json);

    b->deadline = now(CLOCK_MONOTONIC) + 3600000000000;
}


static cel_program_t *
bench_compile(bench_t *b, const char *source)
{
    cel_issues_t    issues;
    cel_program_t  *program;

    program = cel_compile(b->env, source, strlen(source), &issues);

    if (program == NULL) {
        fprintf(stderr, "%s: %s\n", source, issues.items[0].message);
        exit(1);
    }

    return program;
}


/* The short things that are measured. */

static void
bench_begin(bench_t *b)
{
    b->eval.cost = 0;
    b->eval.next_look = 0;
    b->eval.deadline_ns = b->deadline;
}


static bool
bench_eval(bench_t *b, const void *what)
{
    cel_value_t   value;
    cel_status_t  rc;

    bench_begin(b);
    rc = cel_eval(what, &b->eval, &value);

    if (b->arena.used != 0) {
        cel_arena_reset(&b->arena);
    }

    return rc == CEL_OK && (value.kind != CEL_BOOL || value.b);
}


static bool
bench_plain(bench_t *b, const void *what)
{
    const bench_case_t  *one = what;

    return one->plain(&b->request);
}


static bool
bench_eval_parse(bench_t *b, const void *what)
{
    bool          passes;
    cel_json_t   *json;
    cel_error_t   error;

    json = cel_json_parse(b->parser, body, sizeof(body) - 1, NULL, &error);
    if (json == NULL) {
        return false;
    }

    b->facts[3] = cel_json_root(json);
    passes = bench_eval(b, what);
    b->facts[3] = b->request.input;
    cel_json_destroy(json);

    return passes;
}


static bool
bench_plain_parse(bench_t *b, const void *what)
{
    bool          passes;
    cel_json_t   *json;
    cel_error_t   error;
    cel_value_t   input;

    json = cel_json_parse(b->parser, body, sizeof(body) - 1, NULL, &error);
    if (json == NULL) {
        return false;
    }

    input = b->request.input;
    b->request.input = cel_json_root(json);
    passes = bench_plain_body(&b->request);
    b->request.input = input;
    cel_json_destroy(json);

    return passes;
}


static bool
bench_compilation(bench_t *b, const void *what)
{
    cel_program_destroy(bench_compile(b, what));

    return true;
}


static bool
bench_rules(bench_t *b, const void *what)
{
    uint32_t     i;
    cel_value_t  value;

    bench_begin(b);

    for (i = 0; i < RULES; i++) {
        if (cel_eval(b->rules[i], &b->eval, &value) != CEL_OK || value.b) {
            return false;
        }
    }

    return true;
}


/* The same, each rule a string that is compared. */

static bool
bench_plain_rules(bench_t *b, const void *what)
{
    uint32_t           i;
    const char        *name;
    const char *const *names = what;

    for (i = 0; i < RULES; i++) {
        name = names[i];

        if (strlen(name) <= b->request.path_len
            && memcmp(b->request.path, name, strlen(name)) == 0)
        {
            return false;
        }
    }

    return true;
}


/* Nanoseconds of one, in the best of some rounds. */

static double
bench_time(bench_t *b, bench_pt run, const void *what)
{
    uint32_t  i, k, n;
    uint64_t  start, took, best;

    for (n = 1; ; n *= 2) {
        start = now(CLOCK_PROCESS_CPUTIME_ID);

        for (i = 0; i < n; i++) {
            if (!run(b, what)) {
                fprintf(stderr, "not what was expected: %s\n",
                        b->eval.error.message);
                exit(1);
            }
        }

        if (now(CLOCK_PROCESS_CPUTIME_ID) - start > ROUND_NS) {
            break;
        }
    }

    best = UINT64_MAX;

    for (k = 0; k < ROUNDS; k++) {
        start = now(CLOCK_PROCESS_CPUTIME_ID);

        for (i = 0; i < n; i++) {
            (void) run(b, what);
        }

        took = now(CLOCK_PROCESS_CPUTIME_ID) - start;
        best = took < best ? took : best;
    }

    return (double) best / n;
}


/* Counts of a few and of some more, for the difference. */

static void
bench_count(bench_t *b, bench_pt run, const void *what, uint32_t n)
{
    uint32_t  i;

    (void) run(b, what);
    (void) run(b, what);
    bench_mark();

    (void) run(b, what);
    bench_mark();

    for (i = 0; i < 1 + n; i++) {
        (void) run(b, what);
    }

    bench_mark();
}


/* One line, tab-separated: name, steps, ns, ns by hand, bytes, cost, or n. */

static void
bench_one(bench_t *b, const char *name, uint32_t steps, bench_pt run,
    const void *what, bench_pt plain, const void *beside, bool count)
{
    double    ns, by_hand;
    uint32_t  n;

    if (count) {
        n = steps >= 1000 ? 1 : 10;
        bench_count(b, run, what, n);

        if (plain != NULL) {
            bench_count(b, plain, beside, n);
        }

        printf("%s\t%u\t%u\t%u\n", name, steps, n, plain != NULL);
        return;
    }

    b->arena.peak = 0;
    b->eval.cost = 0;

    ns = bench_time(b, run, what);
    by_hand = plain != NULL ? bench_time(b, plain, beside) : 0;

    printf("%s\t%u\t%.1f\t%.1f\t%zu\t%llu\n", name, steps, ns, by_hand,
           b->arena.peak, (unsigned long long) b->eval.cost);
    fflush(stdout);
}


static void
bench_many(bench_t *b, bool count)
{
    uint32_t  i;
    char      source[64], *names[RULES];

    for (i = 0; i < RULES; i++) {
        snprintf(source, sizeof(source), "request.path.startsWith('/r%u/')",
                 i);
        b->rules[i] = bench_compile(b, source);

        snprintf(source, sizeof(source), "/r%u/", i);
        names[i] = strdup(source);
    }

    bench_one(b, "10,000 rules, none matches", RULES, bench_rules, NULL,
              bench_plain_rules, names, count);

    for (i = 0; i < RULES; i++) {
        cel_program_destroy(b->rules[i]);
        free(names[i]);
    }
}


static void
bench_all(bench_t *b, bool count)
{
    cel_program_t       *program;
    const bench_case_t  *one;

    for (one = bench_cases; one->name != NULL; one++) {
        program = bench_compile(b, one->source);
        bench_one(b, one->name, one->steps, bench_eval, program, bench_plain,
                  one, count);
        cel_program_destroy(program);
    }

    program = bench_compile(b, bench_body_policy);
    bench_one(b, "body policy, 1 KB parsed", 1, bench_eval_parse, program,
              bench_plain_parse, NULL, count);
    cel_program_destroy(program);

    bench_many(b, count);

    bench_one(b, "compile `request.method == 'GET'`", 1, bench_compilation,
              "request.method == 'GET'", NULL, NULL, count);
    bench_one(b, "compile the header policy", 1, bench_compilation,
              bench_header_policy, NULL, NULL, count);
}


int
main(int argc, char **argv)
{
    bench_t      *b;
    cel_json_t   *json;
    cel_error_t   error;

    b = calloc(1, sizeof(bench_t));
    if (b == NULL) {
        return 1;
    }

    b->parser = cel_json_parser_create();
    json = cel_json_parse(b->parser, body, sizeof(body) - 1, NULL, &error);

    if (json == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }

    bench_open(b, json);
    bench_all(b, argc > 1 && strcmp(argv[1], "count") == 0);

    cel_json_destroy(json);
    cel_json_parser_destroy(b->parser);
    cel_env_destroy(b->env);
    free(b);

    return 0;
}
