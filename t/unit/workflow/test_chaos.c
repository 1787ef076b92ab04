/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Every allocation of the arenas fails in turn while a workflow is compiled
 * and evaluated: a told failure or the right verdict, nothing lost.  The arena
 * is compiled into this program with blocks of one allocation each.  jansson
 * and libyaml have heaps of their own, which do not fail here.
 */


#define CEL_BLOCK_MIN  1
#define CEL_BLOCK_MAX  1

#include "../../../src/cel/cel_arena.c"

#include <string.h>
#include "tap.h"
#include "workflow.h"
#include "workflow_facts.h"


#define CHAOS_MOST  100000


typedef struct {
    uint64_t          count;
    uint64_t          fail_at;           /* this one alone, 0 = none */
    int64_t           live;
    cel_allocator_t   allocator;
} chaos_t;


static const char  document[] =
    "name: a\n"
    "rule:\n"
    "  variables:\n"
    "    - name: path\n"
    "      expression: request.path.split('/')\n"
    "    - name: few\n"
    "      expression: size(variables.path) < 9\n"
    "  match:\n"
    "    - condition: request.headers['x-org'].matches('^b+$')\n"
    "      output: \"{'outcome': 'DENY', 'status': 403}\"\n"
    "    - condition: variables.few\n"
    "      rule:\n"
    "        match:\n"
    "          - condition: variables.path.exists(p, p == 'c')\n"
    "            output: >-\n"
    "              {'outcome': 'HOLD', 'status': 409,\n"
    "               'message': 'to %s'.format([variables.path]),\n"
    "               'headers': {'x-path': variables.path.join('.')}}\n"
    "    - output: \"{'outcome': 'ALLOW', 'status': 400}\"\n";


/* Its matches are in the index; a part of the last two is shared. */

static const char  indexed[] =
    "name: a\n"
    "rule:\n"
    "  match:\n"
    "    - condition: request.headers['x-org'] == 'a'\n"
    "      output: \"{'outcome': 'DENY', 'status': 401}\"\n"
    "    - condition: request.headers['x-org'] in ['b', 'c', 'd']\n"
    "      output: \"{'outcome': 'DENY', 'status': 402}\"\n"
    "    - condition: request.headers['x-org'] == 'g'\n"
    "      output: \"{'outcome': 'DENY', 'status': 420}\"\n"
    "    - condition: request.headers['x-org'] == 'h'\n"
    "      output: \"{'outcome': 'DENY', 'status': 421}\"\n"
    "    - condition: request.headers['x-org'] == 'i'\n"
    "      output: \"{'outcome': 'DENY', 'status': 422}\"\n"
    "    - condition: request.headers['x-org'] == 'j'\n"
    "      output: \"{'outcome': 'DENY', 'status': 423}\"\n"
    "    - condition: request.headers['x-org'] == 'k'\n"
    "      output: \"{'outcome': 'DENY', 'status': 424}\"\n"
    "    - condition: \"'e' == request.headers['x-org']\"\n"
    "      output: \"{'outcome': 'DENY', 'status': 403}\"\n"
    "    - condition: request.path == '/y' || "
    "request.path == '/x'\n"
    "      output: \"{'outcome': 'DENY', 'status': 404}\"\n"
    "    - condition: request.headers['x-org'] == 'acme' && "
    "request.path.split('/').exists(p, p == 'z')\n"
    "      output: \"{'outcome': 'DENY', 'status': 405}\"\n"
    "    - condition: request.headers['x-org'] == 'acme' && "
    "request.path.split('/').exists(p, p == 'c')\n"
    "      output: >-\n"
    "        {'outcome': 'HOLD', 'status': 409,\n"
    "         'message': 'to %s'.format([request.path.split('/')]),\n"
    "         'headers': {'x-path': request.path}}\n"
    "    - output: \"{'outcome': 'ALLOW', 'status': 400}\"\n";

static const char  *text = document;


static void *
chaos_alloc(void *ctx, size_t size)
{
    chaos_t  *chaos = ctx;

    if (++chaos->count == chaos->fail_at) {
        return NULL;
    }

    chaos->live += (int64_t) size;

    return malloc(size);
}


static void
chaos_free(void *ctx, void *p, size_t size)
{
    chaos_t  *chaos = ctx;

    chaos->live -= (int64_t) size;
    free(p);
}


static cel_status_t
chaos_declare(void *ctx, cel_env_t *env)
{
    return workflow_facts_declare(env);
}


static cel_status_t
chaos_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    static const cel_value_t  org[] = {
        { .kind = CEL_STRING, .len = 5, .s = "x-org" },
        { .kind = CEL_STRING, .len = 4, .s = "acme" }
    };

    if (slot == WORKFLOW_FACT_REQUEST_PATH) {
        *value = cel_string("/a/b/c", 6);
        return CEL_OK;
    }

    if (cel_map(eval->arena, org, 1, value) != CEL_OK) {
        return cel_eval_fail(eval, CEL_E_MEMORY, "out of memory");
    }

    return CEL_OK;
}


static workflow_t *
chaos_compile(chaos_t *chaos, workflow_issues_t *issues)
{
    workflow_options_t  options;

    memset(&options, 0, sizeof(options));
    memset(issues, 0, sizeof(workflow_issues_t));

    options.allocator = &chaos->allocator;
    options.declare = chaos_declare;
    options.first_slot = WORKFLOW_FACT_COUNT;

    return workflow_compile(text, strlen(text), WORKFLOW_YAML, &options,
                            issues);
}


/* 1 with the right verdict, 0 when memory was out, -1 for anything else */

static int
chaos_eval(chaos_t *chaos, const workflow_t *workflow)
{
    int                  result;
    cel_eval_t           eval;
    cel_arena_t          arena;
    cel_value_t          facts[WORKFLOW_FACT_COUNT + 16];
    cel_status_t         rc;
    workflow_run_t       run;
    workflow_verdict_t   verdict;

    memset(&eval, 0, sizeof(eval));
    memset(&run, 0, sizeof(run));
    cel_arena_init(&arena, &chaos->allocator, NULL, 0, 0);

    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = workflow_slots(workflow);
    eval.fetch = chaos_fetch;
    cel_eval_init(&eval);

    rc = workflow_eval(workflow, &eval, &run, &verdict);

    if (rc == CEL_OK) {
        result = verdict.effect == WORKFLOW_DENY && verdict.status == 409
                 && verdict.message_len == 14
                 && memcmp(verdict.message, "to [, a, b, c]", 14) == 0
                 && cel_size(&verdict.headers) == 1 ? 1 : -1;

    } else {
        result = rc == CEL_ERROR && eval.error.kind == CEL_E_MEMORY
                 && verdict.effect == WORKFLOW_NO_RESULT ? 0 : -1;
    }

    if (result == -1) {
        printf("# %d: %s\n", rc, rc == CEL_OK ? "another verdict"
                                              : eval.error.message);
    }

    cel_arena_reset(&arena);

    return result;
}


static void
test_compile(chaos_t *chaos)
{
    int                 right;
    uint64_t            n, taken, survived;
    workflow_t         *workflow;
    workflow_issues_t   issues;

    survived = 0;

    for (n = 1; n < CHAOS_MOST; n++) {
        chaos->count = 0;
        chaos->fail_at = n;

        workflow = chaos_compile(chaos, &issues);
        chaos->fail_at = 0;
        taken = chaos->count;

        if (workflow == NULL && issues.total == 0) {
            ok(0, "failure %u while compiling is told", (unsigned) n);
            return;
        }

        if (workflow != NULL) {
            right = chaos_eval(chaos, workflow);
            survived += taken >= n;
            workflow_destroy(workflow);

            if (right != 1) {
                ok(0, "compiled without allocation %u it is right",
                   (unsigned) n);
                return;
            }
        }

        if (chaos->live != 0) {
            is_int(chaos->live, 0, "failure %u leaks", (unsigned) n);
            return;
        }

        if (workflow != NULL && taken < n) {
            break;
        }
    }

    ok(n > 100 && n < CHAOS_MOST, "%u allocations failed while compiling, %u "
       "without harm", (unsigned) n - 1, (unsigned) survived);
}


static void
test_eval(chaos_t *chaos)
{
    int                 result;
    uint64_t            n;
    workflow_t         *workflow;
    workflow_issues_t   issues;

    workflow = chaos_compile(chaos, &issues);
    ok(workflow != NULL, "compiled: %s", issues.items[0].message);
    is_int(chaos_eval(chaos, workflow), 1, "the verdict is the right one");
    result = 0;

    for (n = 1; n < CHAOS_MOST; n++) {
        chaos->count = 0;
        chaos->fail_at = n;

        result = chaos_eval(chaos, workflow);

        if (result == -1) {
            ok(0, "failure %u while evaluating is one of memory",
               (unsigned) n);
            break;
        }

        if (chaos->count < n) {
            break;
        }
    }

    chaos->fail_at = 0;
    ok(n > 3 && result == 1, "%u allocations failed while evaluating",
       (unsigned) n - 1);

    workflow_destroy(workflow);
    is_int(chaos->live, 0, "all memory was given back");
}


static void
test_indexed(chaos_t *chaos)
{
    workflow_t         *workflow;
    workflow_issues_t   issues;

    workflow = chaos_compile(chaos, &issues);

    ok(workflow_indexed(workflow) >= 4 && workflow_shared(workflow) >= 1,
       "the next document has %u matches in the index, %u parts in common",
       workflow_indexed(workflow), workflow_shared(workflow));

    workflow_destroy(workflow);
}


int
main(void)
{
    chaos_t  chaos;

    memset(&chaos, 0, sizeof(chaos));
    chaos.allocator.alloc = chaos_alloc;
    chaos.allocator.free = chaos_free;
    chaos.allocator.ctx = &chaos;

    test_eval(&chaos);
    test_compile(&chaos);

    text = indexed;

    test_indexed(&chaos);
    test_eval(&chaos);
    test_compile(&chaos);

    return done_testing();
}
