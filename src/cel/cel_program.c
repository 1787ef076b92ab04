
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_program.c - from checked tree to program, and what a program tells
 * about itself.  The code is made by cel_compile_*.c.
 */


#include "cel_code.h"
#include "cel_atom.h"
#include "cel_env.h"
#include "cel_branch.h"
#include "cel_quick.h"
#include "cel_re2.h"


static cel_program_t *cel_program_create(const cel_env_t *env);
static bool cel_program_make(cel_code_t *c, const cel_cost_t *cost);
static bool cel_program_copies(cel_code_t *c);
static bool cel_program_copy(cel_code_t *c, const void *items, uint32_t n,
    size_t size, void *out);
static bool cel_program_facts_copy(cel_code_t *c);
static bool cel_program_source_copy(cel_code_t *c);


cel_program_t *
cel_program_build(const cel_env_t *env, const cel_ast_t *ast,
    const cel_cost_t *cost, cel_issues_t *issues)
{
    cel_code_t      c;
    cel_program_t  *program;

    memset(&c, 0, sizeof(c));

    c.env = env;
    c.ast = ast;
    c.issues = issues;
    c.arena = ast->arena;
    c.handler = CEL_NO_HANDLER;

    program = cel_program_create(env);
    if (program == NULL) {
        cel_code_no_memory(&c);
        return NULL;
    }

    c.program = program;

    if (!cel_program_make(&c, cost)) {
        cel_program_destroy(program);
        return NULL;
    }

    return program;
}


/* The program lives in its own arena. */

static cel_program_t *
cel_program_create(const cel_env_t *env)
{
    cel_arena_t     arena;
    cel_program_t  *program;

    cel_arena_init(&arena, env->allocator, NULL, 0, env->limits.max_memory);

    program = cel_arena_alloc(&arena, sizeof(cel_program_t));
    if (program == NULL) {
        return NULL;
    }

    memset(program, 0, sizeof(cel_program_t));
    program->arena = arena;

    return program;
}


static bool
cel_program_make(cel_code_t *c, const cel_cost_t *cost)
{
    bool            constant;
    cel_value_t     v, *kept;
    cel_program_t  *program;

    program = c->program;
    program->nlocals = c->ast->nlocals;
    program->cost = *cost;

    cel_compile_paths(c, c->ast->root);

    constant = cel_compile_node(c, c->ast->root, &v);
    cel_emit(c, CEL_OP_RETURN, 0, 0, -1);

    program->type = cel_program_keep_type(c, c->ast->root->type);

    if (constant) {
        kept = cel_program_alloc(c, sizeof(cel_value_t));

        if (kept != NULL) {
            *kept = v;
            program->constant = kept;
        }
    }

    cel_vm_layout(program);

    program->ncode = c->ncode;
    program->nconstants = c->nconstants;
    program->ncalls = c->ncalls;
    program->nhandlers = c->nhandlers;

    if (!cel_program_copies(c)) {
        return false;
    }

    cel_quick_find(program);
    cel_branch_find(program);

    return true;
}


static bool
cel_program_copies(cel_code_t *c)
{
    cel_program_t  *program;

    program = c->program;

    return cel_program_copy(c, c->code, c->ncode, sizeof(cel_instr_t),
                            &program->code)
           && cel_program_copy(c, c->offsets, c->ncode, sizeof(uint32_t),
                               &program->offsets)
           && cel_program_copy(c, c->handler_of, c->ncode, sizeof(uint32_t),
                               &program->handler_of)
           && cel_program_copy(c, c->constants, c->nconstants,
                               sizeof(cel_value_t), &program->constants)
           && cel_program_copy(c, c->calls, c->ncalls, sizeof(cel_call_t),
                               &program->calls)
           && cel_program_copy(c, c->handlers, c->nhandlers,
                               sizeof(cel_handler_t), &program->handlers)
           && cel_program_facts_copy(c)
           && cel_program_source_copy(c);
}


void *
cel_program_alloc(cel_code_t *c, size_t size)
{
    void  *p;

    if (c->failed) {
        return NULL;
    }

    p = cel_arena_alloc(&c->program->arena, size);

    if (p == NULL) {
        cel_code_no_memory(c);
    }

    return p;
}


/* out is the address of the program's pointer. */

static bool
cel_program_copy(cel_code_t *c, const void *items, uint32_t n, size_t size,
    void *out)
{
    void  *p;

    if (n == 0) {
        return true;                     /* it is NULL already */
    }

    p = cel_program_alloc(c, n * size);
    if (p == NULL) {
        return false;
    }

    memcpy(p, items, n * size);
    memcpy(out, &p, sizeof(p));

    return true;
}


/* Ascending, without doubles: a few, so by insertion. */

static bool
cel_program_facts_copy(cel_code_t *c)
{
    uint32_t        i, j, n;
    cel_slot_t      slot, *slots;
    cel_program_t  *program;

    program = c->program;

    slots = cel_program_alloc(c, c->nslots * sizeof(cel_slot_t));
    if (slots == NULL) {
        return false;
    }

    n = 0;

    for (i = 0; i < c->nslots; i++) {
        slot = c->slots[i];

        for (j = n; j > 0 && slots[j - 1] > slot; j--) { /* void */ }

        if (j > 0 && slots[j - 1] == slot) {
            continue;
        }

        memmove(&slots[j + 1], &slots[j], (n - j) * sizeof(cel_slot_t));
        slots[j] = slot;
        n++;
    }

    program->facts = slots;
    program->nfacts = n;
    program->min_facts = n != 0 ? slots[n - 1] + 1 : 0;

    return true;
}


static bool
cel_program_source_copy(cel_code_t *c)
{
    char  *s;

    s = cel_program_alloc(c, (size_t) c->ast->len + 1);
    if (s == NULL) {
        return false;
    }

    memcpy(s, c->ast->source, c->ast->len);
    s[c->ast->len] = '\0';

    c->program->source = s;
    c->program->source_len = c->ast->len;

    return true;
}


/* A deep copy: the tree's types go with the compilation's arena. */

const cel_type_t *
cel_program_keep_type(cel_code_t *c, const cel_type_t *type)
{
    char               *name;
    size_t              len;
    uint32_t            i;
    cel_type_t         *copy;
    const cel_type_t  **params;

    if (type == NULL) {
        return &cel_t_dyn;
    }

    copy = cel_program_alloc(c, sizeof(cel_type_t)
                                + type->nparams * sizeof(cel_type_t *));
    if (copy == NULL) {
        return NULL;
    }

    params = (const cel_type_t **) (copy + 1);

    *copy = *type;
    copy->params = params;

    if (type->name != NULL) {
        len = strlen(type->name) + 1;

        name = cel_program_alloc(c, len);
        if (name == NULL) {
            return NULL;
        }

        memcpy(name, type->name, len);
        copy->name = name;
    }

    for (i = 0; i < type->nparams; i++) {
        params[i] = cel_program_keep_type(c, type->params[i]);
        if (params[i] == NULL) {
            return NULL;
        }
    }

    return copy;
}


void
cel_program_own_regex(cel_program_t *program, cel_owned_t *owned,
    void *regex)
{
    owned->regex = regex;
    owned->next = program->owned;
    program->owned = owned;
}


void
cel_program_destroy(cel_program_t *program)
{
    cel_arena_t   arena;
    cel_owned_t  *owned;

    if (program == NULL) {
        return;
    }

    for (owned = program->owned; owned != NULL; owned = owned->next) {
        cel_re2_destroy(owned->regex);
    }

    arena = program->arena;
    cel_arena_reset(&arena);
}


const cel_type_t *
cel_program_type(const cel_program_t *program)
{
    return program->type;
}


const cel_slot_t *
cel_program_facts(const cel_program_t *program, uint32_t *count)
{
    *count = program->nfacts;

    return program->facts;
}


cel_slot_t
cel_program_first_fact(const cel_program_t *program)
{
    if (program->quick.form != CEL_QUICK_NONE) {
        return program->quick.slot;
    }

    return program->branch != NULL ? cel_branch_first_fact(program->branch)
                                   : CEL_NO_SLOT;
}


size_t
cel_program_memory(const cel_program_t *program)
{
    const cel_arena_t  *arena;

    arena = &program->arena;

    /* what is left of its last block is held, too */

    return arena->used + (size_t) (arena->end - arena->pos);
}


cel_status_t
cel_program_constant(const cel_program_t *program, cel_value_t *value)
{
    if (program->constant == NULL) {
        return CEL_NOT_FOUND;
    }

    *value = *program->constant;

    return CEL_OK;
}


cel_status_t
cel_program_literal_entry(const cel_program_t *program, uint32_t i,
    cel_literal_entry_t *entry)
{
    if (i >= program->nentries) {
        return CEL_NOT_FOUND;
    }

    *entry = program->entries[i];

    return CEL_OK;
}


uint64_t
cel_program_cost_max(const cel_program_t *program, const cel_sizes_t *sizes)
{
    return cel_cost_at(&program->cost, sizes);
}


uint64_t
cel_program_cost_min(const cel_program_t *program)
{
    return program->cost.min;
}


void
cel_program_expect(const cel_program_t *program)
{
    __builtin_prefetch(program);
    __builtin_prefetch((const char *) program + 64);
}


void
cel_program_expect_code(const cel_program_t *program)
{
    if (program->quick.form != CEL_QUICK_NONE) {
        __builtin_prefetch(program->quick.constant.s);
        return;
    }

    __builtin_prefetch(program->code);
    __builtin_prefetch(program->constants);
}
