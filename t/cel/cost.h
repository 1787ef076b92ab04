
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cost.h - what the tests of the estimate share: a world of facts of known
 * sizes, and what an expression costs there, before and after.
 */


#ifndef COST_H_INCLUDED
#define COST_H_INCLUDED


#include "front.h"


#define HEADER_BYTES  600


enum { FACT_X, FACT_S, FACT_T, FACT_L, FACT_M, FACT_INPUT, FACTS };


typedef struct {
    cel_env_t          *env;
    cel_json_parser_t  *parser;
    cel_json_t         *body;
    cel_value_t         values[FACTS];
    cel_sizes_t         sizes;
    char                header[HEADER_BYTES + 1];
} world_t;


static inline cel_env_t *
world_env(bool unchecked)
{
    cel_env_t     *env;
    cel_limits_t   limits;

    memset(&limits, 0, sizeof(limits));
    limits.disable_check = unchecked;

    env = cel_env_create(&cel_allocator_libc, &limits);

    cel_env_declare(env, "x", "int", FACT_X, CEL_SIZE_SMALL, 0);
    cel_env_declare(env, "s", "string", FACT_S, CEL_SIZE_HEADERS, 0);
    cel_env_declare(env, "t", "string", FACT_T, CEL_SIZE_SMALL, 0);
    cel_env_declare(env, "l", "list(int)", FACT_L, CEL_SIZE_BODY, 0);
    cel_env_declare(env, "m", "map(string, dyn)", FACT_M, CEL_SIZE_BODY, 0);
    cel_env_declare(env, "input", "dyn", FACT_INPUT, CEL_SIZE_BODY, 0);

    return env;
}


/* {"l": [...], "m": {...}, "texts": [...], "deep": [[..]], "text": "..."} */

static inline char *
world_body(uint32_t n)
{
    char      *text;
    FILE      *out;
    size_t     len;
    uint32_t   i;

    out = open_memstream(&text, &len);
    if (out == NULL) {
        abort();
    }

    fputs("{\"a\":1,\"b\":true,\"l\":[", out);

    for (i = 0; i < n; i++) {
        fprintf(out, "%s%u", i > 0 ? "," : "", i % 10);
    }

    fputs("],\"m\":{", out);

    for (i = 0; i < n; i++) {
        fprintf(out, "%s\"k%u\":%u", i > 0 ? "," : "", i, i);
    }

    fputs("},\"texts\":[", out);

    for (i = 0; i < n; i++) {
        fprintf(out, "%s\"text %u\"", i > 0 ? "," : "", i);
    }

    fputs("],\"deep\":[", out);

    for (i = 0; i < n; i++) {
        fprintf(out, "%s[[],[%u]]", i > 0 ? "," : "", i);
    }

    fputs("],\"text\":\"", out);

    for (i = 0; i < n; i++) {
        fputs("abcdefghij", out);
    }

    fputs("\"}", out);

    if (fclose(out) != 0) {
        abort();
    }

    return text;
}


static inline void
world_begin(world_t *world, uint32_t n, bool unchecked)
{
    char         *text;
    size_t        len;
    cel_eval_t    eval;
    cel_error_t   error;

    memset(world, 0, sizeof(world_t));
    memset(&eval, 0, sizeof(eval));

    world->env = world_env(unchecked);
    world->parser = cel_json_parser_create();

    text = world_body(n);
    len = strlen(text);
    world->body = cel_json_parse(world->parser, text, len, NULL, &error);
    free(text);

    ok(world->body != NULL, "a body of %zu bytes is parsed", len);

    memset(world->header, 'h', HEADER_BYTES);

    world->sizes.bytes[CEL_SIZE_HEADERS] = HEADER_BYTES;
    world->sizes.bytes[CEL_SIZE_BODY] = len;

    world->values[FACT_X] = cel_int(3);
    world->values[FACT_S] = cel_string(world->header, HEADER_BYTES);
    world->values[FACT_T] = cel_string("text 7", 6);
    world->values[FACT_INPUT] = cel_json_root(world->body);

    cel_get(&eval, &world->values[FACT_INPUT], "l", 1,
            &world->values[FACT_L]);
    cel_get(&eval, &world->values[FACT_INPUT], "m", 1,
            &world->values[FACT_M]);
}


static inline void
world_end(world_t *world)
{
    cel_json_destroy(world->body);
    cel_json_parser_destroy(world->parser);
    cel_env_destroy(world->env);
}


typedef struct {
    bool           compiled;
    bool           value;
    bool           unbounded;
    uint64_t       max;
    uint64_t       min;
    uint64_t       cost;
} spent_t;


static inline void
spend(world_t *world, const char *source, spent_t *spent)
{
    cel_eval_t      eval;
    cel_value_t     facts[FACTS], value;
    cel_arena_t     arena;
    cel_issues_t    issues;
    cel_program_t  *program;

    memset(spent, 0, sizeof(spent_t));

    program = cel_compile(world->env, source, strlen(source), &issues);
    if (program == NULL) {
        return;
    }

    memset(&eval, 0, sizeof(eval));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 64 << 20);

    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = FACTS;
    eval.cost_limit = 5000000;
    cel_eval_init(&eval);
    memcpy(facts, world->values, sizeof(facts));

    spent->compiled = true;
    spent->max = cel_program_cost_max(program, &world->sizes);
    spent->min = cel_program_cost_min(program);
    spent->unbounded = spent->max == CEL_COST_MAX;
    spent->value = cel_eval(program, &eval, &value) == CEL_OK;
    spent->cost = eval.cost;

    cel_program_destroy(program);
    cel_arena_reset(&arena);
}


#endif /* COST_H_INCLUDED */
