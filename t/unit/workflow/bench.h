
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * bench.h - one evaluation of one workflow, with the input that a test gives.
 * Every one that ends is compared with the bounds of its cost; a test asks at
 * its end whether all kept to them.
 */


#ifndef BENCH_H_INCLUDED
#define BENCH_H_INCLUDED


#include "compile.h"


/* What is read of the request: a method, and an input that may come late. */

typedef struct {
    cel_value_t           input;
    bool                  late;         /* the first fetch gives NEED */
    uint32_t              fetched[WORKFLOW_FACT_COUNT];
} host_t;


typedef struct {
    workflow_t           *workflow;
    host_t                host;
    cel_arena_t           arena;
    cel_value_t           facts[WORKFLOW_FACT_COUNT + 64];
    cel_eval_t            eval;
    workflow_run_t        run;
    workflow_verdict_t    verdict;
    cel_json_parser_t    *parser;
    cel_json_t           *json;
    size_t                size;         /* of the input's text */
    cel_status_t          rc;
} bench_t;


static int  bounds_broken;


static inline cel_status_t
fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    host_t  *host;

    host = ctx;
    host->fetched[slot]++;

    switch (slot) {

    case WORKFLOW_FACT_REQUEST_METHOD:
        *value = cel_string("GET", 3);
        break;

    case WORKFLOW_FACT_INPUT:
        if (host->late) {
            host->late = false;
            eval->need = slot;
            return CEL_NEED;
        }

        *value = host->input;
        break;

    default:
        return cel_eval_fail(eval, CEL_E_FACT, "%s is not there",
                             workflow_fact_name(slot));
    }

    eval->facts[slot] = *value;

    return CEL_OK;
}


static inline void
begin(bench_t *b, const char *text, const char *input)
{
    cel_error_t  error;

    memset(b, 0, sizeof(bench_t));

    b->workflow = compile_text(text, false);
    b->parser = cel_json_parser_create();
    b->json = cel_json_parse(b->parser, input, strlen(input), NULL, &error);
    b->host.input = cel_json_root(b->json);
    b->size = strlen(input);

    cel_arena_init(&b->arena, &cel_allocator_libc, NULL, 0, 1024 * 1024);

    b->eval.arena = &b->arena;
    b->eval.facts = b->facts;
    b->eval.nfacts = workflow_slots(b->workflow);
    b->eval.fetch = fetch;
    b->eval.fetch_ctx = &b->host;

    cel_eval_init(&b->eval);
}


static inline void
evaluate(bench_t *b)
{
    b->rc = workflow_eval(b->workflow, &b->eval, &b->run, &b->verdict);
}


/* it cost at most what was promised, or is counted */

static inline void
end(bench_t *b)
{
    cel_sizes_t  sizes;

    memset(&sizes, 0, sizeof(cel_sizes_t));
    sizes.bytes[CEL_SIZE_HEADERS] = 3;
    sizes.bytes[CEL_SIZE_BODY] = b->size;

    if (b->eval.cost > workflow_cost_max(b->workflow, &sizes)
        || (b->rc == CEL_OK
            && b->eval.cost < workflow_cost_min(b->workflow)))
    {
        printf("# cost %lu, bounds %lu and %lu\n",
               (unsigned long) b->eval.cost,
               (unsigned long) workflow_cost_min(b->workflow),
               (unsigned long) workflow_cost_max(b->workflow, &sizes));
        bounds_broken++;
    }

    cel_arena_reset(&b->arena);
    cel_json_destroy(b->json);
    cel_json_parser_destroy(b->parser);
    workflow_destroy(b->workflow);
}


#endif /* BENCH_H_INCLUDED */
