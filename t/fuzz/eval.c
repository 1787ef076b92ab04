/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * eval.c - fuzzes evaluation: an expression, a NUL, a JSON document, a NUL,
 * bytes that become the other facts.  Whatever comes out has to come out
 * again: with facts that are fetched, facts that are not there yet, just
 * enough units and just enough memory; with less it is the error of that.
 */


#include "fuzz.h"


#define EVAL_COST    100000
#define EVAL_MEMORY  (4 << 20)


typedef struct {
    const cel_program_t  *program;
    const cel_value_t    *facts;
    cel_fetch_pt          fetch;
    uint64_t              cost_limit;
    size_t                memory_limit;
} eval_way_t;


typedef struct {
    cel_status_t          rc;
    cel_error_kind_t      kind;
    uint64_t              cost;
    size_t                peak;
    char                 *text;         /* the value or the error */
} eval_result_t;


static uint64_t eval_run(const char *text, size_t len);


const fuzz_target_t  fuzz_target = {
    .run = eval_run,
    .work_unit = "units",
    .work = EVAL_COST,
    .work_per_byte = 0,
    .memory = 3 * EVAL_MEMORY,
    .memory_per_byte = 20000
};


static cel_env_t  *eval_env;


static cel_status_t
eval_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    const eval_way_t  *way = ctx;

    *value = way->facts[slot];

    return CEL_OK;
}


static cel_status_t
eval_fetch_later(void *ctx, cel_eval_t *eval, cel_slot_t slot,
    cel_value_t *value)
{
    eval->need = slot;

    return CEL_NEED;
}


/* JSON text where there is one, and it can be read back. */

static char *
eval_text(cel_eval_t *eval, const cel_value_t *v)
{
    char                *copy;
    size_t               len;
    cel_json_t          *json;
    const char          *text;
    cel_error_t          error;
    cel_json_parser_t   *parser;
    cel_json_options_t   options = { 2000, true };

    eval->cost_limit = 0;
    eval->next_look = 0;

    if (cel_to_json(eval, v, &text, &len) != CEL_OK) {
        return strdup(eval->error.message);
    }

    parser = cel_json_parser_create();
    json = cel_json_parse(parser, text, len, &options, &error);

    if (json == NULL && error.kind != CEL_E_MEMORY) {
        fuzz_fail("a value is no JSON: %.200s: %s", text, error.message);
    }

    cel_json_destroy(json);
    cel_json_parser_destroy(parser);

    copy = malloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';

    return copy;
}


static eval_result_t
eval_once(eval_way_t *way)
{
    uint32_t        i;
    cel_eval_t      eval;
    cel_arena_t     arena;
    cel_value_t     facts[FUZZ_FACTS], value;
    eval_result_t   result;

    memset(&eval, 0, sizeof(eval));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, way->memory_limit);

    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = FUZZ_FACTS;
    eval.cost_limit = way->cost_limit;
    eval.fetch = way->fetch;
    eval.fetch_ctx = way;
    cel_eval_init(&eval);

    if (way->fetch == NULL) {
        memcpy(facts, way->facts, sizeof(facts));
    }

    for (i = 0; i <= FUZZ_FACTS; i++) {
        result.rc = cel_eval(way->program, &eval, &value);

        if (result.rc != CEL_NEED) {
            break;
        }

        if (way->fetch != eval_fetch_later || eval.need >= FUZZ_FACTS
            || facts[eval.need].kind != CEL_UNFETCHED)
        {
            fuzz_fail("slot %u is needed", eval.need);
        }

        facts[eval.need] = way->facts[eval.need];
        eval.cost = 0;
        eval.next_look = 0;
    }

    if (result.rc != CEL_OK && result.rc != CEL_ERROR) {
        fuzz_fail("evaluation gives %d", result.rc);
    }

    if (result.rc == CEL_ERROR
        && (eval.error.kind <= CEL_E_TOO_LARGE
            || eval.error.message[0] == '\0'))
    {
        fuzz_fail("an error of kind %d: \"%s\"", eval.error.kind,
                  eval.error.message);
    }

    result.kind = result.rc == CEL_OK ? CEL_E_NONE : eval.error.kind;
    result.cost = eval.cost;
    result.peak = arena.peak;

    if (arena.peak > way->memory_limit) {
        fuzz_fail("%zu bytes of %zu", arena.peak, way->memory_limit);
    }

    if (way->cost_limit != 0 && result.cost > way->cost_limit
        && result.kind != CEL_E_COST)
    {
        fuzz_fail("%llu units of %llu", (unsigned long long) result.cost,
                  (unsigned long long) way->cost_limit);
    }

    arena.limit = SIZE_MAX;
    result.text = result.rc == CEL_OK ? eval_text(&eval, &value)
                                      : strdup(eval.error.message);
    cel_arena_reset(&arena);

    return result;
}


/* or: another error that is allowed, CEL_E_NONE = none */

static void
eval_compare(const char *what, const eval_result_t *a, eval_way_t *way,
    cel_error_kind_t or)
{
    eval_result_t  b;

    b = eval_once(way);

    if (b.kind == CEL_E_NONE || b.kind != or) {

        if (b.rc != a->rc || b.kind != a->kind || strcmp(a->text, b.text) != 0)
        {
            fuzz_fail("%s: %s (%s), was %s (%s)", what, b.text,
                      cel_error_kind_name(b.kind), a->text,
                      cel_error_kind_name(a->kind));
        }

        if (b.cost != a->cost) {
            fuzz_fail("%s: %llu units, was %llu", what,
                      (unsigned long long) b.cost,
                      (unsigned long long) a->cost);
        }
    }

    free(b.text);
}


static void
eval_bounds(const eval_way_t *way, const eval_result_t *a,
    const cel_sizes_t *sizes)
{
    uint64_t  min, max;

    max = cel_program_cost_max(way->program, sizes);
    min = cel_program_cost_min(way->program);

    if (a->cost > max) {
        fuzz_fail("%llu units, at most %llu were said",
                  (unsigned long long) a->cost, (unsigned long long) max);
    }

    if (a->rc == CEL_OK && a->cost < min) {
        fuzz_fail("%llu units, at least %llu were said",
                  (unsigned long long) a->cost, (unsigned long long) min);
    }
}


static void
eval_ways(eval_way_t *way, const eval_result_t *a)
{
    eval_compare("once more", a, way, CEL_E_NONE);

    way->fetch = eval_fetch;
    eval_compare("facts fetched", a, way, CEL_E_NONE);

    way->fetch = eval_fetch_later;
    eval_compare("facts that come later", a, way, CEL_E_NONE);

    way->fetch = NULL;

    if (a->cost > 1) {
        way->cost_limit = a->cost;
        eval_compare("just enough units", a, way, CEL_E_NONE);

        way->cost_limit = a->cost / 2;
        eval_compare("too few units", a, way, CEL_E_COST);
        way->cost_limit = EVAL_COST;
    }

    if (a->peak > 8) {
        way->memory_limit = a->peak;
        eval_compare("just enough memory", a, way, CEL_E_NONE);

        way->memory_limit = a->peak / 2;
        eval_compare("too little memory", a, way, CEL_E_MEMORY);
    }
}


static uint64_t
eval_program(const cel_program_t *program, const cel_json_t *json,
    fuzz_bytes_t *bytes)
{
    uint64_t        work;
    eval_way_t      way;
    cel_arena_t     arena;
    cel_sizes_t     sizes;
    cel_value_t     facts[FUZZ_FACTS];
    eval_result_t   a;

    memset(&way, 0, sizeof(way));
    memset(&sizes, 0, sizeof(sizes));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 0);
    fuzz_facts(&arena, bytes, json, facts, &sizes);

    way.program = program;
    way.facts = facts;
    way.cost_limit = EVAL_COST;
    way.memory_limit = EVAL_MEMORY;

    a = eval_once(&way);

    if (cel_error_is_fatal(a.kind)) {
        work = EVAL_COST;

    } else {
        eval_bounds(&way, &a, &sizes);
        eval_ways(&way, &a);
        work = a.cost;
    }

    free(a.text);
    cel_arena_reset(&arena);

    return work;
}


static uint64_t
eval_run(const char *text, size_t len)
{
    uint64_t            work;
    cel_json_t         *json;
    fuzz_bytes_t        bytes = { text, len }, source, document;
    cel_error_t         error;
    cel_issues_t        issues;
    cel_program_t      *program;
    cel_json_parser_t  *parser;

    source = fuzz_part(&bytes);
    document = fuzz_part(&bytes);

    if (eval_env == NULL) {
        eval_env = fuzz_env(&cel_allocator_libc, NULL);
    }

    program = cel_compile(eval_env, source.s, source.len, &issues);

    if (program == NULL) {
        return 0;
    }

    parser = cel_json_parser_create();
    json = cel_json_parse(parser, document.s, document.len, NULL, &error);

    work = eval_program(program, json, &bytes);

    cel_json_destroy(json);
    cel_json_parser_destroy(parser);
    cel_program_destroy(program);

    return work;
}
