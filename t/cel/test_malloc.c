/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * No malloc() at all while policies as people write them are evaluated in a
 * request's own block, patterns and documents included.  test_alloc.c has
 * everything else: who allocates what where it may.
 */


#include <stdlib.h>
#include "cel.h"
#include "tap.h"


#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MALLOC_SANITIZED  1

#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MALLOC_SANITIZED  1
#endif
#endif


#ifdef MALLOC_SANITIZED

int
main(void)
{
    ok(1, "malloc is counted # SKIP it belongs to the sanitizer");

    return done_testing();
}

#else


extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);


/* volatile: the compiler believes that malloc() does not look at it */

static volatile uint64_t  mallocs;


void *
malloc(size_t size)
{
    mallocs++;
    return __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    mallocs++;
    return __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    mallocs++;
    return __libc_realloc(p, size);
}


static const char  body[] =
    "{\"policy\": {\"type\": \"ACCESS\", \"value\": 4, \"tags\":"
    " [\"red\", \"audit\"]}, \"user\": {\"email\":"
    " \"someone@example.com\"}}";


static const char *const  policies[] = {
    "method == 'GET'",
    "method in ['PUT', 'GET', 'POST']",
    "method in ['GET'] && path.startsWith('/api/')"
    " && path.split('/')[2] == 'acme'",
    "input.policy.type == 'ACCESS' && input.policy.value <= 5"
    " && 'audit' in input.policy.tags"
    " && input.user.email.matches('^[a-z]+@example[.]com$')",
    "path.matches('^/api/[a-z]+/orders/[0-9]+$')",
    "[1, 2, 3, 4].all(a, [1, 2, 3].all(b, a + b > 0))",
    "[1, 2, 3].map(x, string(x) + path).filter(x, x.size() > 3).size() == 3",
    "now - timestamp('2026-01-01T00:00:00Z') < duration('8760h')"
    " && now.getHours('Europe/Paris') >= 0",
    "{'outcome': 'ALLOW', 'output': {'method': method, 'path': [path]}}",
    "'%s %s took %d ms, %f'.format([method, path, 17, 2.5]) != ''",
    "input.none == 1 || input.policy.value > 3",
    "isIP('10.0.0.1') && cidr('10.0.0.0/8').containsIP('10.1.2.3')",
};


static uint64_t
evaluate(const cel_program_t *program, const cel_value_t *facts,
    cel_status_t *rc)
{
    char         block[16384];
    uint64_t     before;
    cel_eval_t   eval;
    cel_value_t  values[4], value;
    cel_arena_t  arena;

    memset(&eval, 0, sizeof(eval));
    memcpy(values, facts, sizeof(values));

    before = mallocs;

    cel_arena_init(&arena, &cel_allocator_libc, block, sizeof(block),
                   1 << 20);
    eval.arena = &arena;
    eval.facts = values;
    eval.nfacts = 4;
    eval.cost_limit = 1000000;
    eval.deadline_ns = UINT64_MAX;

    *rc = cel_eval(program, &eval, &value);
    cel_arena_reset(&arena);

    return mallocs - before;
}


int
main(void)
{
    size_t              i;
    uint32_t            k;
    uint64_t            counted;
    void *volatile      one;
    cel_env_t          *env;
    cel_json_t         *json;
    cel_error_t         error;
    cel_value_t         facts[4];
    cel_status_t        rc;
    cel_issues_t        issues;
    cel_program_t      *program;
    cel_json_parser_t  *parser;

    env = cel_env_create(&cel_allocator_libc, NULL);
    cel_env_declare(env, "method", "string", 0, CEL_SIZE_SMALL, 0);
    cel_env_declare(env, "path", "string", 1, CEL_SIZE_HEADERS, 0);
    cel_env_declare(env, "input", "dyn", 2, CEL_SIZE_BODY, 0);
    cel_env_declare(env, "now", "timestamp", 3, CEL_SIZE_SMALL, 0);

    parser = cel_json_parser_create();
    json = cel_json_parse(parser, body, sizeof(body) - 1, NULL, &error);

    facts[0] = cel_string("GET", 3);
    facts[1] = cel_string("/api/acme/orders/17", 19);
    facts[2] = cel_json_root(json);
    facts[3] = cel_timestamp(1772352000, 0);

    counted = mallocs;
    one = malloc(1);        /* volatile: a compiler leaves out what is not */
    free(one);
    ok(mallocs == counted + 1, "a malloc is counted");

    for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        program = cel_compile(env, policies[i], strlen(policies[i]),
                              &issues);

        if (program == NULL) {
            ok(0, "%s: %s", policies[i], issues.items[0].message);
            continue;
        }

        /* RE2 builds its automaton as it goes, the first time */

        (void) evaluate(program, facts, &rc);
        counted = 0;

        for (k = 0; k < 100; k++) {
            counted += evaluate(program, facts, &rc);
        }

        ok(rc == CEL_OK, "%s", policies[i]);
        is_int((long) counted, 0, "100 evaluations, no malloc");

        cel_program_destroy(program);
    }

    cel_json_destroy(json);
    cel_json_parser_destroy(parser);
    cel_env_destroy(env);

    return done_testing();
}

#endif
