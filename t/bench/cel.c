
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Nanoseconds of CPU of the CEL library, metered as in production:
 * expressions on facts as a gate has them, JSON documents, one step of a
 * loop.  Built by hand, from src/:
 *
 *     make OUT=/some/folder lib && cc -O2 -Icel ../t/bench/cel.c \
 *         /some/folder/libcel.a -lre2 -lsimdjson -lstdc++ -lpthread -lm
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cel.h"


#define ROUNDS  7
#define FACTS   8


/* Header fields as an array that is searched, like a request's. */

typedef struct {
    cel_object_t   object;
    cel_value_t    names[8];
    cel_value_t    values[8];
} headers_t;


typedef struct {
    cel_env_t     *env;
    cel_arena_t    arena;
    cel_value_t    facts[FACTS];
    cel_eval_t     eval;
    char           first[16384];
} bench_t;


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
    "\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}";


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
    return 8;
}


static cel_status_t
headers_get(const cel_object_t *o, cel_eval_t *eval, const cel_value_t *key,
    cel_value_t *value)
{
    uint32_t          i;
    const headers_t  *h = (const headers_t *) o;

    for (i = 0; i < 8; i++) {
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

static headers_t  headers = { .object = { &headers_ops } };


static void
headers_fill(void)
{
    uint32_t  i;

    static const char *const  fields[] = {
        "host", "example.com", "user-agent", "curl/8", "accept", "*/*",
        "accept-encoding", "gzip", "x-role", "editor", "x-org", "acme",
        "cookie", "a=b", "content-type", "application/json"
    };

    for (i = 0; i < 8; i++) {
        headers.names[i] = cel_string(fields[2 * i], strlen(fields[2 * i]));
        headers.values[i] = cel_string(fields[2 * i + 1],
                                       strlen(fields[2 * i + 1]));
    }
}


static void
bench_open(bench_t *b, cel_json_t *json)
{
    uint32_t     i;
    char        *list;
    cel_value_t *values;

    static const char *const  names[] = {
        "request.method", "request.path", "request.headers", "input", "list"
    };
    static const char *const  types[] = {
        "string", "string", "map(string, string)", "dyn", "list(int)"
    };

    headers_fill();

    b->env = cel_env_create(&cel_allocator_libc, NULL);

    for (i = 0; i < 5; i++) {
        cel_env_declare(b->env, names[i], types[i], i, CEL_SIZE_BODY, 0);
    }

    cel_arena_init(&b->arena, &cel_allocator_libc, b->first,
                   sizeof(b->first), 1 << 26);
    memset(&b->eval, 0, sizeof(b->eval));
    b->eval.arena = &b->arena;
    b->eval.facts = b->facts;
    b->eval.nfacts = FACTS;
    b->eval.cost_limit = 100000000;
    cel_eval_init(&b->eval);

    list = malloc(1000 * sizeof(cel_value_t) + sizeof(cel_sequence_t));
    values = (cel_value_t *) (list + sizeof(cel_sequence_t));

    for (i = 0; i < 1000; i++) {
        values[i] = cel_int(i);
    }

    b->facts[0] = cel_string("GET", 3);
    b->facts[1] = cel_string("/api/acme/orders/17", 19);
    b->facts[2] = cel_object(&headers.object);
    b->facts[3] = cel_json_root(json);
    cel_list(&b->arena, values, 1000, &b->facts[4]);
    b->facts[4].l = memcpy(list, b->facts[4].l, sizeof(cel_sequence_t));
}


/* The best of some rounds, per evaluation, or per `per` of its steps. */

static void
bench_eval(bench_t *b, const char *name, const char *source, uint32_t per)
{
    uint32_t        i, k, n;
    uint64_t        start, best, took, deadline;
    cel_value_t     value;
    cel_issues_t    issues;
    cel_program_t  *program;

    memset(&issues, 0, sizeof(issues));
    program = cel_compile(b->env, source, strlen(source), &issues);

    if (program == NULL) {
        printf("%-28s %s\n", name, issues.items[0].message);
        return;
    }

    n = per > 1 ? 2000 : 200000;
    best = UINT64_MAX;
    deadline = now(CLOCK_MONOTONIC) + 1000000000000;

    for (k = 0; k < ROUNDS; k++) {
        start = now(CLOCK_PROCESS_CPUTIME_ID);

        for (i = 0; i < n; i++) {
            b->eval.cost = 0;
            b->eval.next_look = 0;
            b->eval.deadline_ns = deadline;

            if (cel_eval(program, &b->eval, &value) != CEL_OK) {
                printf("%-28s %s\n", name, b->eval.error.message);
                return;
            }

            cel_arena_reset(&b->arena);
        }

        took = now(CLOCK_PROCESS_CPUTIME_ID) - start;
        best = took < best ? took : best;
    }

    printf("%-28s %8.1f ns   cost %llu, %s\n", name,
           (double) best / n / per, (unsigned long long) b->eval.cost,
           value.kind != CEL_BOOL ? "-" : value.b ? "true" : "false");

    cel_program_destroy(program);
}


static void
bench_json(cel_json_parser_t *parser)
{
    uint32_t      i, k, n;
    uint64_t      start, best, took;
    cel_json_t   *json;
    cel_error_t   error;

    n = 100000;
    best = UINT64_MAX;

    for (k = 0; k < ROUNDS; k++) {
        start = now(CLOCK_PROCESS_CPUTIME_ID);

        for (i = 0; i < n; i++) {
            json = cel_json_parse(parser, body, sizeof(body) - 1, NULL,
                                  &error);
            cel_json_destroy(json);
        }

        took = now(CLOCK_PROCESS_CPUTIME_ID) - start;
        best = took < best ? took : best;
    }

    printf("%-28s %8.1f ns   %zu bytes\n", "parse a document",
           (double) best / n, sizeof(body) - 1);
}


int
main(void)
{
    bench_t             b;
    cel_json_t         *json;
    cel_error_t         error;
    cel_json_parser_t  *parser;

    parser = cel_json_parser_create();
    json = cel_json_parse(parser, body, sizeof(body) - 1, NULL, &error);

    if (json == NULL) {
        printf("%s\n", error.message);
        return 1;
    }

    bench_open(&b, json);

    bench_eval(&b, "constant", "true", 1);
    bench_eval(&b, "compare", "request.method == 'GET'", 1);
    bench_eval(&b, "compare a header",
               "request.headers['x-org'] == 'acme'", 1);
    bench_eval(&b, "header policy",
               "request.method in ['GET', 'POST']"
               " && request.path.startsWith('/api/')"
               " && request.headers['x-role'] in ['admin', 'editor', 'owner']"
               " && request.headers['x-org'] == request.path.split('/')[2]",
               1);
    bench_eval(&b, "body policy",
               "input.policy.type == 'ACCESS' && input.policy.value <= 5"
               " && 'audit' in input.policy.tags"
               " && input.user.email.matches('^[a-z]+@example[.]com$')", 1);
    bench_eval(&b, "body policy, no pattern",
               "input.policy.type == 'ACCESS' && input.policy.value <= 5"
               " && 'audit' in input.policy.tags", 1);
    bench_eval(&b, "outcome map",
               "{'outcome': 'ALLOW', 'output': {'policy': input.policy,"
               " 'checked': true}}", 1);
    bench_eval(&b, "step of all()", "list.all(e, e >= 0)", 1000);
    bench_eval(&b, "step of exists(), JSON",
               "list.exists(e, input.items[1].id == e - 5000)", 1000);
    bench_eval(&b, "step of map()", "list.map(e, e + 1) == []", 1000);
    bench_eval(&b, "step of filter()", "list.filter(e, e < 0) == []", 1000);
    bench_json(parser);

    cel_json_destroy(json);
    cel_json_parser_destroy(parser);
    cel_env_destroy(b.env);

    return 0;
}
