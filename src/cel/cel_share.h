
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_share.h - what cel_compile.c, cel_atom.c, cel_share.c and cel_tests.c
 * have in common; private to them.
 */


#ifndef CEL_SHARE_H_INCLUDED
#define CEL_SHARE_H_INCLUDED


#include "cel_ast.h"
#include "cel_atom.h"

#include <string.h>


/* A part as it was parsed, by its hash: those of one hash count as one. */

typedef struct {
    uint64_t              hash;
    uint32_t              uses;          /* 0: free */
} cel_part_t;


typedef struct {
    const char           *key;           /* cel_share_key() */
    uint32_t              len;
    uint32_t              offset;        /* of the node in its source */
    cel_program_t        *program;
} cel_atom_t;


struct cel_atoms_s {
    cel_arena_t           arena;         /* holds this, too */
    cel_slot_t            first;

    cel_part_t           *parts;
    uint32_t              mask;
    uint32_t              nparts;
    uint32_t              least;         /* uses of what is shared, 0: not
                                          * known yet */
    uint32_t              count;
    cel_atom_t            items[CEL_ATOMS_MAX];
};


/* How often a part was counted, 0 when too seldom to matter. */
uint32_t cel_atoms_uses(cel_atoms_t *atoms, uint64_t hash);

/* A checked tree whose parts are being shared. */

typedef struct {
    cel_atoms_t          *atoms;
    const cel_env_t      *env;
    const cel_ast_t      *ast;
    cel_issues_t         *issues;
} cel_sharing_t;


/*
 * cel_atom.c: the slot of a part, CEL_NO_SLOT when there are none left.
 * CEL_OK, or CEL_ERROR with issues.
 */
cel_status_t cel_atoms_slot(cel_sharing_t *s, const cel_node_t *node,
    cel_slot_t *slot);


/*
 * cel_share.c.  visit gets every part of a parsed tree that might be shared;
 * the hash is of its shape.
 */
typedef cel_status_t (*cel_part_pt)(void *ctx, cel_node_t *node,
    uint64_t hash);

cel_status_t cel_share_parts(cel_node_t *root, cel_part_pt visit, void *ctx);

/* Notes in the nodes how often they were counted. */
void cel_share_mark(cel_atoms_t *atoms, cel_ast_t *ast);

/*
 * In a checked tree parts that are worth it become facts.  CEL_OK, or
 * CEL_ERROR with issues.
 */
cel_status_t cel_share(cel_atoms_t *atoms, const cel_env_t *env,
    cel_ast_t *ast, cel_issues_t *issues);

/* A checked part as bytes in the arena, equal for equal ones; or NULL. */
const char *cel_share_key(cel_arena_t *arena, const cel_node_t *node,
    uint32_t *len);


/* cel_tests.c: the leading tests, once the tree is shared */

cel_status_t cel_tests_find(cel_atoms_t *atoms, const cel_node_t *root,
    cel_tests_t *tests);

/* Is it a comparison with constants; of what? */
bool cel_tests_subject(cel_node_t *node, cel_node_t **subject);

static inline bool
cel_node_is(const cel_node_t *node, const char *name, uint32_t nitems)
{
    return node->kind == CEL_N_CALL && node->ref == CEL_R_NONE
           && node->target == NULL && node->nitems == nitems
           && strcmp(node->name, name) == 0;
}


#endif /* CEL_SHARE_H_INCLUDED */
