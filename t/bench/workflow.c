
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What a workflow costs by its number of rules: nanoseconds of CPU of one
 * evaluation whose last rule matches, of the compilation, and the memory,
 * indexed and in plain order.  Built by hand, from src/:
 *
 *     make OUT=/some/folder lib && cc -O2 -Icel -Iworkflow \
 *         ../t/bench/workflow.c /some/folder/libworkflow.a \
 *         /some/folder/libcel.a -ljansson -lyaml -lre2 -lsimdjson -lstdc++ \
 *         -lpthread -lm
 *
 * With SHAPE, RULES and ROUNDS (and "plain") as arguments it evaluates that
 * one document ROUNDS times, for valgrind --tool=callgrind.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "workflow.h"
#include "workflow_facts.h"


#define ROUNDS  7


typedef struct {
    const char         *name;
    const char         *condition;      /* %1$u is the rule's number */
} shape_t;


/* A request's header as an array that is searched. */

typedef struct {
    cel_object_t        object;
    uint32_t            count;
    cel_value_t         names[16];
    cel_value_t         values[16];
} headers_t;


static const shape_t  shapes[] = {
    { "header", "request.headers['x-k'] == 'v%1$u'" },
    { "header-and", "request.method == 'GET' && 'v%1$u' == "
      "request.headers['x-k'] && request.path.startsWith('/')" },
    { "method-in", "request.path in ['/a%1$u', '/b%1$u']" },
    { "port", "source.port == %1$u" },
    { "variable", "variables.key == 'v%1$u'" },
    { "shared", "request.path.matches('^/x/[a-z]+$') && "
      "request.size > %1$u" },
    { "order", "source.port < -%1$u" },
    { "prefix", "request.path.startsWith('/%1$u')" },
    { "unequal", "request.headers['x-k'] > 'w%1$u'" },
};

#define SHAPES  (sizeof(shapes) / sizeof(shapes[0]))


static headers_t  headers;


static uint64_t
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}


static uint32_t
headers_size(const cel_object_t *o)
{
    return headers.count;
}


static cel_status_t
headers_get(const cel_object_t *o, cel_eval_t *eval, const cel_value_t *key,
    cel_value_t *value)
{
    uint32_t  i;

    for (i = 0; i < headers.count; i++) {
        if (headers.names[i].len == key->len
            && memcmp(headers.names[i].s, key->s, key->len) == 0)
        {
            *value = headers.values[i];
            return CEL_OK;
        }
    }

    return CEL_NOT_FOUND;
}


static const cel_object_ops_t  headers_ops = {
    CEL_MAP, headers_size, headers_get, NULL
};


static void
headers_add(const char *name, const char *value)
{
    headers.object.ops = &headers_ops;
    headers.names[headers.count] = cel_string(name, strlen(name));
    headers.values[headers.count++] = cel_string(value, strlen(value));
}


static cel_status_t
declare(void *ctx, cel_env_t *env)
{
    return workflow_facts_declare(env);
}


/* the last rule is the one that matches, where one can */

static cel_status_t
fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    static char  path[32];

    switch (slot) {

    case WORKFLOW_FACT_REQUEST_METHOD:
        *value = cel_string("GET", 3);
        return CEL_OK;

    case WORKFLOW_FACT_REQUEST_PATH:
        snprintf(path, sizeof(path), "/b%u", *(uint32_t *) ctx - 1);
        *value = cel_string(path, strlen(path));
        return CEL_OK;

    case WORKFLOW_FACT_REQUEST_HEADERS:
        *value = cel_object(&headers.object);
        return CEL_OK;

    case WORKFLOW_FACT_REQUEST_SIZE:
        *value = cel_int(1);
        return CEL_OK;

    case WORKFLOW_FACT_SOURCE_PORT:
        *value = cel_int(*(uint32_t *) ctx - 1);
        return CEL_OK;

    default:
        return cel_eval_fail(eval, CEL_E_FACT, "%s is not there",
                             workflow_fact_name(slot));
    }
}


static char *
document(const shape_t *shape, uint32_t rules)
{
    FILE      *f;
    char      *text;
    size_t     len;
    uint32_t   i;

    f = open_memstream(&text, &len);

    fprintf(f, "{\"name\": \"bench\", \"rule\": {\"variables\": [{\"name\": "
               "\"key\", \"expression\": \"request.headers['x-k']\"}], "
               "\"match\": [");

    for (i = 0; i < rules; i++) {
        fprintf(f, "%s\n{\"condition\": \"", i ? "," : "");
        fprintf(f, shape->condition, i);
        fprintf(f, "\", \"output\": \"{'outcome': 'HOLD', 'message': "
                   "'rule %u'}\"}", i);
    }

    fprintf(f, "]}}");
    fclose(f);

    return text;
}


static workflow_t *
compile(const char *text, bool plain)
{
    workflow_t          *workflow;
    workflow_issues_t    issues;
    workflow_options_t   options;

    memset(&options, 0, sizeof(workflow_options_t));

    options.declare = declare;
    options.first_slot = WORKFLOW_FACT_COUNT;
    options.max_rules = 20000;
    options.plain = plain;

    workflow = workflow_compile(text, strlen(text), WORKFLOW_JSON, &options,
                                &issues);

    if (workflow == NULL) {
        printf("%u:%u %s\n", issues.items[0].line, issues.items[0].column,
               issues.items[0].message);
        exit(1);
    }

    return workflow;
}


static uint64_t
evaluate(const workflow_t *workflow, uint32_t rules, uint32_t rounds)
{
    char                first[8192];
    uint32_t            i;
    cel_eval_t          eval;
    cel_arena_t         arena;
    workflow_run_t      run;
    workflow_verdict_t  verdict;

    memset(&eval, 0, sizeof(cel_eval_t));
    memset(&run, 0, sizeof(workflow_run_t));

    for (i = 0; i < rounds; i++) {

        cel_arena_init(&arena, &cel_allocator_libc, first, sizeof(first),
                       1 << 20);

        eval.arena = &arena;
        eval.nfacts = workflow_slots(workflow);
        eval.facts = cel_arena_alloc(&arena,
                                     eval.nfacts * sizeof(cel_value_t));
        eval.fetch = fetch;
        eval.fetch_ctx = &rules;
        eval.cost_limit = 1000000000;
        eval.deadline_ns = UINT64_MAX;

        cel_eval_init(&eval);

        if (workflow_eval(workflow, &eval, &run, &verdict) != CEL_OK) {
            printf("%s\n", eval.error.message);
            exit(1);
        }

        cel_arena_reset(&arena);
    }

    return eval.cost;
}


static double
measure(const workflow_t *workflow, uint32_t rules)
{
    double    ns, best;
    uint64_t  start;
    uint32_t  i, rounds;

    rounds = 4000000 / rules / 20 + 10;
    best = 1e18;

    for (i = 0; i < ROUNDS; i++) {
        start = now();
        evaluate(workflow, rules, rounds);
        ns = (double) (now() - start) / rounds;
        best = ns < best ? ns : best;
    }

    return best;
}


static void
row(const shape_t *shape, uint32_t rules, bool plain)
{
    char        *text, value[32];
    double       ns;
    uint64_t     start, took, cost;
    workflow_t  *workflow;

    snprintf(value, sizeof(value), "v%u", rules - 1);
    headers.count = 0;
    headers_add("host", "example.com");
    headers_add("user-agent", "curl/8");
    headers_add("accept", "*/*");
    headers_add("x-k", value);

    text = document(shape, rules);

    start = now();
    workflow = compile(text, plain);
    took = now() - start;

    cost = evaluate(workflow, rules, 1);
    ns = measure(workflow, rules);

    printf("%-12s %6u %-7s %12.0f %8.1f %10.1f %10zu %9lu\n", shape->name,
           rules, plain ? "plain" : "indexed", ns, ns / rules,
           (double) took / 1000 / rules, workflow_memory(workflow) / rules,
           (unsigned long) cost);

    workflow_destroy(workflow);
    free(text);
}


int
main(int argc, char **argv)
{
    char        *text;
    uint32_t     i, rules;
    workflow_t  *workflow;

    if (argc >= 4) {
        for (i = 0; i < SHAPES - 1; i++) {
            if (strcmp(shapes[i].name, argv[1]) == 0) {
                break;
            }
        }

        rules = atoi(argv[2]);
        text = document(&shapes[i], rules);
        workflow = compile(text, argc > 4);
        headers_add("x-k", "v7");
        evaluate(workflow, rules, atoi(argv[3]));
        return 0;
    }

    printf("%-12s %6s %-7s %12s %8s %10s %10s %9s\n", "shape", "rules",
           "order", "ns", "ns/rule", "us/compile", "bytes/rule", "units");

    for (i = 0; i < SHAPES; i++) {
        row(&shapes[i], 10, false);
        row(&shapes[i], 10000, false);
        row(&shapes[i], 10000, true);
    }

    return 0;
}
