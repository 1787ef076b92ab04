
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_share.c - finds the parts of a tree that conditions may have in common,
 * and makes facts of them.  What is within a comprehension is shared with it
 * or not at all: it may depend on the loop's variables.
 */


#include "cel_share.h"
#include "cel_runtime.h"


/* What a part has to save, and what it is taken to cost. */
#define CEL_SHARE_WORTH    12
#define CEL_WEIGHT_SELECT  3
#define CEL_WEIGHT_CALL    6
#define CEL_WEIGHT_FOLD    12


typedef struct {
    cel_part_pt           visit;
    void                 *ctx;
} cel_parts_t;


/* Bytes written once there is room for them. */

typedef struct {
    char                 *buf;           /* NULL: only to be counted */
    uint32_t              len;
    uint32_t              origin;        /* offset of the part */
} cel_key_t;


static cel_status_t cel_part(cel_parts_t *parts, cel_node_t *node,
    bool inside, uint64_t *hash);
static cel_status_t cel_part_children(cel_parts_t *parts, cel_node_t *node,
    bool inside, uint64_t *hash);
static cel_status_t cel_part_fold(cel_parts_t *parts, cel_node_t *node,
    uint64_t *hash);
static cel_status_t cel_share_note(void *ctx, cel_node_t *node,
    uint64_t hash);
static cel_status_t cel_share_condition(cel_sharing_t *s, cel_node_t *node);
static cel_status_t cel_share_node(cel_sharing_t *s, cel_node_t *node);
static bool cel_share_worth(const cel_node_t *node);
static uint32_t cel_share_weight(const cel_node_t *node, bool *facts);
static uint32_t cel_share_call(const cel_node_t *node);
static void cel_key_bytes(cel_key_t *key, const void *p, size_t len);
static void cel_key_number(cel_key_t *key, uint32_t n);
static void cel_key_node(cel_key_t *key, const cel_node_t *node);
static void cel_key_value(cel_key_t *key, const cel_value_t *v);
static void cel_key_fold(cel_key_t *key, const cel_fold_t *fold);


static inline uint64_t
cel_mix(uint64_t hash, uint64_t n)
{
    unsigned __int128  m;

    m = (unsigned __int128) (hash ^ n) * 0x9e3779b97f4a7c15ull;

    return (uint64_t) m ^ (uint64_t) (m >> 64);
}


static uint64_t
cel_mix_bytes(uint64_t hash, const char *s, size_t len)
{
    return cel_mix(hash, s != NULL ? (uint64_t) len << 32
                                     | cel_hash_bytes(s, len) : 0);
}


cel_status_t
cel_share_parts(cel_node_t *root, cel_part_pt visit, void *ctx)
{
    uint64_t     hash;
    cel_parts_t  parts;

    parts.visit = visit;
    parts.ctx = ctx;

    return cel_part(&parts, root, false, &hash);
}


/* inside: of a comprehension */

static cel_status_t
cel_part(cel_parts_t *parts, cel_node_t *node, bool inside, uint64_t *hash)
{
    *hash = cel_mix(0x5851f42d4c957f2dull, node->kind);
    *hash = cel_mix(*hash, node->nitems | (uint64_t) node->test_only << 32
                           | (uint64_t) node->optional << 33);

    if (node->name != NULL) {
        *hash = cel_mix_bytes(*hash, node->name, node->name_len);
    }

    if (node->kind == CEL_N_CONST) {

        switch (node->value.kind) {

        case CEL_STRING:
        case CEL_BYTES:
            *hash = cel_mix_bytes(*hash, node->value.s, node->value.len);
            break;

        default:
            *hash = cel_mix(*hash, node->value.u);
        }

        *hash = cel_mix(*hash, node->value.kind);

        return CEL_OK;
    }

    if (node->kind == CEL_N_COMPREHENSION) {
        if (cel_part_fold(parts, node, hash) != CEL_OK) {
            return CEL_ERROR;
        }

    } else if (cel_part_children(parts, node, inside, hash) != CEL_OK) {
        return CEL_ERROR;
    }

    if (inside || node->kind == CEL_N_IDENT) {
        return CEL_OK;
    }

    return parts->visit(parts->ctx, node, *hash);
}


static cel_status_t
cel_part_children(cel_parts_t *parts, cel_node_t *node, bool inside,
    uint64_t *hash)
{
    uint32_t     i;
    uint64_t     below;
    cel_node_t  *child;

    for (i = 0; i <= node->nitems; i++) {
        child = i == 0 ? node->target : node->items[i - 1];

        if (child == NULL) {
            continue;
        }

        if (cel_part(parts, child, inside, &below) != CEL_OK) {
            return CEL_ERROR;
        }

        *hash = cel_mix(*hash, below);
        *hash = cel_mix(*hash, (uint32_t) (child->offset - node->offset));
    }

    if (node->item_flags != NULL) {
        *hash = cel_mix_bytes(*hash, (const char *) node->item_flags,
                              node->nitems);
    }

    return CEL_OK;
}


static cel_status_t
cel_part_fold(cel_parts_t *parts, cel_node_t *node, uint64_t *hash)
{
    uint32_t     i;
    uint64_t     below;
    cel_fold_t  *fold;
    cel_node_t  *children[5];

    fold = node->fold;

    children[0] = fold->range;
    children[1] = fold->init;
    children[2] = fold->cond;
    children[3] = fold->step;
    children[4] = fold->result;

    *hash = cel_mix(*hash, fold->macro);
    *hash = cel_mix_bytes(*hash, fold->var,
                          fold->var != NULL ? strlen(fold->var) : 0);
    *hash = cel_mix_bytes(*hash, fold->var2,
                          fold->var2 != NULL ? strlen(fold->var2) : 0);

    for (i = 0; i < 5; i++) {

        if (children[i] == NULL) {
            continue;
        }

        if (cel_part(parts, children[i], true, &below) != CEL_OK) {
            return CEL_ERROR;
        }

        *hash = cel_mix(*hash, below);
        *hash = cel_mix(*hash, (uint32_t) (children[i]->offset
                                           - node->offset));
    }

    return CEL_OK;
}


void
cel_share_mark(cel_atoms_t *atoms, cel_ast_t *ast)
{
    (void) cel_share_parts(ast->root, cel_share_note, atoms);
}


static cel_status_t
cel_share_note(void *ctx, cel_node_t *node, uint64_t hash)
{
    node->uses = cel_atoms_uses(ctx, hash);

    return CEL_OK;
}


cel_status_t
cel_share(cel_atoms_t *atoms, const cel_env_t *env, cel_ast_t *ast,
    cel_issues_t *issues)
{
    cel_sharing_t  s;

    s.atoms = atoms;
    s.env = env;
    s.ast = ast;
    s.issues = issues;

    return cel_share_condition(&s, ast->root);
}


/* The operands of && stay by themselves, and what tests compare does. */

static cel_status_t
cel_share_condition(cel_sharing_t *s, cel_node_t *node)
{
    cel_node_t  *subject;

    if (cel_node_is(node, "_&&_", 2)) {
        return cel_share_condition(s, node->items[0]) == CEL_OK
               ? cel_share_condition(s, node->items[1]) : CEL_ERROR;
    }

    if (cel_node_is(node, "!_", 1)) {
        return cel_share_node(s, node->items[0]);
    }

    subject = NULL;

    if (cel_tests_subject(node, &subject)) {

        if (!cel_node_is(node, "_||_", 2)) {
            return cel_share_node(s, subject);
        }

        return cel_share_condition(s, node->items[0]) == CEL_OK
               ? cel_share_condition(s, node->items[1]) : CEL_ERROR;
    }

    return cel_share_node(s, node);
}


/* The largest parts first. */

static cel_status_t
cel_share_node(cel_sharing_t *s, cel_node_t *node)
{
    uint32_t    i;
    cel_slot_t  slot;

    if (node->ref != CEL_R_NONE || node->kind == CEL_N_CONST) {
        return CEL_OK;
    }

    if (cel_share_worth(node)) {
        if (cel_atoms_slot(s, node, &slot) != CEL_OK) {
            return CEL_ERROR;
        }

        if (slot != CEL_NO_SLOT) {
            node->kind = CEL_N_IDENT;
            node->target = NULL;
            node->nitems = 0;
            node->ref = CEL_R_SHARED;
            node->slot = slot;
            node->fact = NULL;

            return CEL_OK;
        }
    }

    if (node->kind == CEL_N_COMPREHENSION) {
        return CEL_OK;
    }

    for (i = 0; i <= node->nitems; i++) {

        if (i == 0 && node->target == NULL) {
            continue;
        }

        if (cel_share_node(s, i == 0 ? node->target : node->items[i - 1])
            != CEL_OK)
        {
            return CEL_ERROR;
        }
    }

    return CEL_OK;
}


static bool
cel_share_worth(const cel_node_t *node)
{
    bool      facts;
    uint32_t  weight;

    if (node->uses < 2) {
        return false;
    }

    facts = false;
    weight = cel_share_weight(node, &facts);

    return facts && weight >= CEL_WEIGHT_SELECT
           && (uint64_t) weight * node->uses >= CEL_SHARE_WORTH;
}


/* A fact is there already; a constant is folded. */

static uint32_t
cel_share_weight(const cel_node_t *node, bool *facts)
{
    uint32_t  i, weight;

    if (node->ref != CEL_R_NONE) {
        *facts |= node->ref == CEL_R_FACT;
        return 0;
    }

    switch (node->kind) {

    case CEL_N_COMPREHENSION:
        *facts = true;
        return CEL_WEIGHT_FOLD;

    case CEL_N_SELECT:
        weight = CEL_WEIGHT_SELECT;
        break;

    case CEL_N_CALL:
        weight = cel_share_call(node);
        break;

    default:
        weight = 0;
    }

    for (i = 0; i < node->nitems; i++) {
        weight += cel_share_weight(node->items[i], facts);
    }

    if (node->target != NULL) {
        weight += cel_share_weight(node->target, facts);
    }

    return weight;
}


static uint32_t
cel_share_call(const cel_node_t *node)
{
    if (cel_node_is(node, "_[_]", 2)) {
        return CEL_WEIGHT_SELECT;
    }

    return node->target == NULL && strchr(node->name, '_') != NULL
           ? 1 : CEL_WEIGHT_CALL;
}


const char *
cel_share_key(cel_arena_t *arena, const cel_node_t *node, uint32_t *len)
{
    cel_key_t  key;

    key.buf = NULL;
    key.len = 0;
    key.origin = node->offset;

    cel_key_node(&key, node);

    key.buf = cel_arena_alloc(arena, key.len);
    key.len = 0;

    if (key.buf != NULL) {
        cel_key_node(&key, node);
    }

    *len = key.len;

    return key.buf;
}


static void
cel_key_bytes(cel_key_t *key, const void *p, size_t len)
{
    if (key->buf != NULL && len != 0) {
        memcpy(key->buf + key->len, p, len);
    }

    key->len += len;
}


static void
cel_key_number(cel_key_t *key, uint32_t n)
{
    cel_key_bytes(key, &n, sizeof(n));
}


static void
cel_key_node(cel_key_t *key, const cel_node_t *node)
{
    uint32_t  i;

    if (node == NULL) {
        cel_key_number(key, UINT32_MAX);
        return;
    }

    cel_key_number(key, node->kind);
    cel_key_number(key, node->ref);
    cel_key_number(key, node->offset - key->origin);

    switch (node->ref) {

    case CEL_R_FACT:
    case CEL_R_SHARED:
        cel_key_number(key, node->slot);
        return;

    case CEL_R_LOCAL:
        cel_key_number(key, node->local);
        return;

    case CEL_R_TYPE:
    case CEL_R_CONST:
        cel_key_value(key, &node->value);
        return;

    case CEL_R_NONE:
        break;
    }

    if (node->kind == CEL_N_CONST) {
        cel_key_value(key, &node->value);
        return;
    }

    cel_key_number(key, node->test_only | node->optional << 1);
    cel_key_number(key, node->nitems);
    cel_key_number(key, node->name_len);
    cel_key_bytes(key, node->name, node->name_len);

    if (node->kind == CEL_N_COMPREHENSION) {
        cel_key_fold(key, node->fold);
        return;
    }

    cel_key_node(key, node->target);
    cel_key_number(key, node->item_flags != NULL);

    if (node->item_flags != NULL) {
        cel_key_bytes(key, node->item_flags, node->nitems);
    }

    for (i = 0; i < node->nitems; i++) {
        cel_key_node(key, node->items[i]);
    }
}


static void
cel_key_value(cel_key_t *key, const cel_value_t *v)
{
    char  type[256];

    cel_key_number(key, v->kind);

    if (v->kind == CEL_TYPE) {
        cel_key_bytes(key, type, cel_type_format(v->t, type, sizeof(type)));
        return;
    }

    cel_key_number(key, v->len);

    if (v->kind == CEL_STRING || v->kind == CEL_BYTES) {
        cel_key_bytes(key, v->s, v->len);
        return;
    }

    cel_key_bytes(key, &v->u, sizeof(v->u));
}


static void
cel_key_fold(cel_key_t *key, const cel_fold_t *fold)
{
    cel_key_number(key, fold->macro);
    cel_key_number(key, fold->var_local);
    cel_key_number(key, fold->var2 != NULL ? fold->var2_local : UINT32_MAX);
    cel_key_number(key, fold->accu_local);

    cel_key_node(key, fold->range);
    cel_key_node(key, fold->init);
    cel_key_node(key, fold->cond);
    cel_key_node(key, fold->step);
    cel_key_node(key, fold->result);
}
