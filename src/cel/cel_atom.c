
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_atom.c - the table of parts that were counted, and the atoms that were
 * made of them.  Which parts they are is for cel_share.c.
 */


#include "cel_share.h"
#include "cel_program.h"


#define CEL_PARTS_FIRST   1024
#define CEL_PARTS_MAX     (1u << 22)


static cel_status_t cel_atoms_part(void *ctx, cel_node_t *node,
    uint64_t hash);
static cel_part_t *cel_atoms_find(const cel_atoms_t *atoms, uint64_t hash);
static cel_status_t cel_atoms_grow(cel_atoms_t *atoms, uint32_t size);
static void cel_atoms_settle(cel_atoms_t *atoms);
static cel_status_t cel_atoms_add(cel_sharing_t *s, const cel_node_t *node,
    const char *key, uint32_t len);
static cel_program_t *cel_atoms_build(cel_sharing_t *s,
    const cel_node_t *node);


cel_atoms_t *
cel_atoms_create(const cel_allocator_t *allocator, cel_slot_t first)
{
    cel_arena_t   arena;
    cel_atoms_t  *atoms;

    cel_arena_init(&arena, allocator, NULL, 0, 0);

    atoms = cel_arena_alloc(&arena, sizeof(cel_atoms_t));
    if (atoms == NULL) {
        return NULL;
    }

    memset(atoms, 0, sizeof(cel_atoms_t));

    atoms->arena = arena;
    atoms->first = first;

    if (cel_atoms_grow(atoms, CEL_PARTS_FIRST) != CEL_OK) {
        cel_atoms_destroy(atoms);
        return NULL;
    }

    return atoms;
}


void
cel_atoms_destroy(cel_atoms_t *atoms)
{
    uint32_t     i;
    cel_arena_t  arena;

    if (atoms == NULL) {
        return;
    }

    for (i = 0; i < atoms->count; i++) {
        cel_program_destroy(atoms->items[i].program);
    }

    arena = atoms->arena;               /* it holds the atoms themselves */
    cel_arena_reset(&arena);
}


cel_status_t
cel_atoms_count(cel_atoms_t *atoms, const cel_env_t *env, const char *source,
    size_t len)
{
    cel_ast_t     ast;
    cel_arena_t   arena;
    cel_issues_t  issues;
    cel_status_t  rc;

    rc = CEL_OK;
    issues.count = 0;
    issues.total = 0;

    cel_arena_init(&arena, env->allocator, NULL, 0, 0);

    if (cel_parse(env, source, len, &arena, &ast, &issues) == CEL_OK) {
        rc = cel_share_parts(ast.root, cel_atoms_part, atoms);
    }

    cel_arena_reset(&arena);

    return rc;
}


static cel_status_t
cel_atoms_part(void *ctx, cel_node_t *node, uint64_t hash)
{
    cel_part_t   *part;
    cel_atoms_t  *atoms;

    atoms = ctx;
    part = cel_atoms_find(atoms, hash);

    if (part->uses == 0) {

        if (atoms->nparts == CEL_PARTS_MAX / 2) {
            return CEL_OK;
        }

        part->hash = hash;
        atoms->nparts++;
    }

    part->uses++;

    if (2 * atoms->nparts > atoms->mask) {
        return cel_atoms_grow(atoms, 4 * (atoms->mask + 1));
    }

    return CEL_OK;
}


/* Where it is, or would be. */

static cel_part_t *
cel_atoms_find(const cel_atoms_t *atoms, uint64_t hash)
{
    uint32_t  i;

    for (i = (uint32_t) hash & atoms->mask;
         atoms->parts[i].uses != 0 && atoms->parts[i].hash != hash;
         i = (i + 1) & atoms->mask)
    {
        /* void */
    }

    return &atoms->parts[i];
}


static cel_status_t
cel_atoms_grow(cel_atoms_t *atoms, uint32_t size)
{
    uint32_t     i, n;
    cel_part_t  *old;

    old = atoms->parts;
    n = old != NULL ? atoms->mask + 1 : 0;

    atoms->parts = cel_arena_alloc(&atoms->arena, size * sizeof(cel_part_t));

    if (atoms->parts == NULL) {
        atoms->parts = old;
        return CEL_ERROR;
    }

    memset(atoms->parts, 0, size * sizeof(cel_part_t));
    atoms->mask = size - 1;

    for (i = 0; i < n; i++) {
        if (old[i].uses != 0) {
            *cel_atoms_find(atoms, old[i].hash) = old[i];
        }
    }

    return CEL_OK;
}


uint32_t
cel_atoms_uses(cel_atoms_t *atoms, uint64_t hash)
{
    uint32_t  uses;

    if (atoms->least == 0) {
        cel_atoms_settle(atoms);
    }

    uses = cel_atoms_find(atoms, hash)->uses;

    return uses >= atoms->least ? uses : 0;
}


/*
 * There are slots for a few.  They are for those that occur most often, as
 * far as there are enough of them; else for the first ones, though every
 * quarter of the slots wants twice as many uses.
 */

static void
cel_atoms_settle(cel_atoms_t *atoms)
{
    uint32_t  i, n;

    atoms->least = 1;

    do {
        atoms->least *= 2;
        n = 0;

        for (i = 0; i <= atoms->mask; i++) {
            n += atoms->parts[i].uses >= 2 * atoms->least;
        }

    } while (n >= CEL_ATOMS_MAX);
}


cel_status_t
cel_atoms_slot(cel_sharing_t *s, const cel_node_t *node, cel_slot_t *slot)
{
    uint32_t      i, len;
    const char   *key;
    cel_atom_t   *atom;
    cel_atoms_t  *atoms;

    atoms = s->atoms;
    key = cel_share_key(s->ast->arena, node, &len);

    if (key == NULL) {
        cel_issue(s->issues, CEL_E_MEMORY, s->ast, node->offset,
                  "out of memory");
        return CEL_ERROR;
    }

    for (i = 0; i < atoms->count; i++) {
        atom = &atoms->items[i];

        if (atom->len == len && memcmp(atom->key, key, len) == 0) {
            *slot = atoms->first + i;
            return CEL_OK;
        }
    }

    if (atoms->count == CEL_ATOMS_MAX
        || node->uses < atoms->least << 4 * atoms->count / CEL_ATOMS_MAX)
    {
        *slot = CEL_NO_SLOT;
        return CEL_OK;
    }

    *slot = atoms->first + atoms->count;

    return cel_atoms_add(s, node, key, len);
}


static cel_status_t
cel_atoms_add(cel_sharing_t *s, const cel_node_t *node, const char *key,
    uint32_t len)
{
    char         *copy;
    cel_atom_t   *atom;
    cel_atoms_t  *atoms;

    atoms = s->atoms;
    atom = &atoms->items[atoms->count];
    copy = cel_arena_alloc(&atoms->arena, len);

    if (copy == NULL) {
        cel_issue(s->issues, CEL_E_MEMORY, s->ast, node->offset,
                  "out of memory");
        return CEL_ERROR;
    }

    memcpy(copy, key, len);

    atom->key = copy;
    atom->len = len;
    atom->offset = node->offset;
    atom->program = cel_atoms_build(s, node);

    if (atom->program == NULL) {
        return CEL_ERROR;
    }

    atoms->count++;

    return CEL_OK;
}


/* Without source, so that its errors get no position of it. */

static cel_program_t *
cel_atoms_build(cel_sharing_t *s, const cel_node_t *node)
{
    cel_ast_t       part;
    cel_cost_t      cost;
    cel_program_t  *program;

    part = *s->ast;
    part.root = (cel_node_t *) node;

    memset(&cost, 0, sizeof(cel_cost_t));

    program = cel_program_build(s->env, &part, &cost, s->issues);

    if (program != NULL) {
        program->source_len = 0;
    }

    return program;
}


uint32_t
cel_atoms_made(const cel_atoms_t *atoms)
{
    return atoms->count;
}


cel_program_t *
cel_atoms_take(cel_atoms_t *atoms, uint32_t i, uint32_t *offset)
{
    cel_program_t  *program;

    program = atoms->items[i].program;
    *offset = atoms->items[i].offset;

    atoms->items[i].program = NULL;

    return program;
}
