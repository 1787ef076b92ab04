
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile_path.c - parts of facts that an expression reads more than
 * once: input.policy.type is looked up in the document when it is met first,
 * and kept in a local.  A part is a fact and the constant keys behind it.  It
 * costs what it cost, it only takes less time; a look-up that fails is not
 * kept, and fails again.
 */


#include "cel_code.h"


#define CEL_PATH_BUCKETS  64
#define CEL_PATH_LOOP     2      /* what is within a loop is read so often */


struct cel_path_s {
    cel_path_t        *bucket;           /* the next there */
    cel_path_t        *older;
    cel_path_t        *parent;           /* NULL: key of the fact itself */
    cel_slot_t         slot;
    const char        *key;
    uint32_t           len;
    uint32_t           hash;
    uint32_t           units;            /* that reading it is charged */
    uint32_t           uses;             /* look-ups without what is kept */
    uint32_t           local;            /* + 1, 0: not kept */
};


typedef struct {
    cel_code_t        *code;
    cel_path_t        *buckets[CEL_PATH_BUCKETS];
    cel_path_t        *newest;
} cel_paths_t;


static void cel_paths_visit(cel_paths_t *paths, cel_node_t *node,
    uint32_t times);
static void cel_paths_fold(cel_paths_t *paths, const cel_fold_t *fold,
    uint32_t times);
static cel_path_t *cel_paths_find(cel_paths_t *paths, cel_node_t *node);
static cel_path_t *cel_paths_intern(cel_paths_t *paths, const cel_path_t *new);
static bool cel_path_key(const cel_node_t *node, cel_node_t **target,
    cel_path_t *path);


void
cel_compile_paths(cel_code_t *c, cel_node_t *root)
{
    cel_path_t     *path;
    cel_paths_t     paths;
    cel_program_t  *program;

    memset(&paths, 0, sizeof(cel_paths_t));
    paths.code = c;

    cel_paths_visit(&paths, root, 1);

    /* what is behind a part that is kept needs it once */

    program = c->program;

    for (path = paths.newest; path != NULL; path = path->older) {

        if (path->uses > 1 && program->nlocals < UINT16_MAX) {
            program->nkept++;
            path->local = ++program->nlocals;
            path->uses = 1;
        }

        if (path->parent != NULL) {
            path->parent->uses += path->uses;
        }
    }
}


static void
cel_paths_visit(cel_paths_t *paths, cel_node_t *node, uint32_t times)
{
    uint32_t     i;
    cel_path_t  *path;

    path = cel_paths_find(paths, node);

    if (path != NULL) {
        path->uses += times;
        return;
    }

    if (node->ref != CEL_R_NONE) {
        return;
    }

    if (node->target != NULL) {
        cel_paths_visit(paths, node->target, times);
    }

    for (i = 0; i < node->nitems; i++) {
        cel_paths_visit(paths, node->items[i], times);
    }

    if (node->kind == CEL_N_COMPREHENSION) {
        cel_paths_fold(paths, node->fold, times);
    }
}


/* What a macro was given is in its step, too. */

static void
cel_paths_fold(cel_paths_t *paths, const cel_fold_t *fold, uint32_t times)
{
    cel_paths_visit(paths, fold->init, times);
    cel_paths_visit(paths, fold->result, times);

    if (fold->macro == CEL_M_BIND) {
        return;
    }

    cel_paths_visit(paths, fold->range, times);

    if (fold->predicate == NULL && fold->transform == NULL) {
        cel_paths_visit(paths, fold->cond, CEL_PATH_LOOP);
        cel_paths_visit(paths, fold->step, CEL_PATH_LOOP);
        return;
    }

    if (fold->predicate != NULL) {
        cel_paths_visit(paths, fold->predicate, CEL_PATH_LOOP);
    }

    if (fold->transform != NULL) {
        cel_paths_visit(paths, fold->transform, CEL_PATH_LOOP);
    }
}


/* The node's path, NULL when it is none. */

static cel_path_t *
cel_paths_find(cel_paths_t *paths, cel_node_t *node)
{
    uint32_t      i;
    cel_path_t    new;
    cel_node_t   *target;

    node->path = NULL;

    if (node->ref != CEL_R_NONE || !cel_path_key(node, &target, &new)) {
        return NULL;
    }

    new.parent = NULL;

    if (target->ref == CEL_R_FACT) {
        new.slot = target->slot;
        new.units++;
        new.hash = target->slot * 0x9e3779b1u;

    } else {
        new.parent = cel_paths_find(paths, target);

        if (new.parent == NULL) {
            return NULL;
        }

        new.slot = new.parent->slot;
        new.units += new.parent->units;
        new.hash = new.parent->hash * 0x9e3779b1u;
    }

    for (i = 0; i < new.len; i++) {
        new.hash = (new.hash ^ (unsigned char) new.key[i]) * 16777619u;
    }

    node->path = cel_paths_intern(paths, &new);

    return node->path;
}


static cel_path_t *
cel_paths_intern(cel_paths_t *paths, const cel_path_t *new)
{
    cel_path_t  *path, **bucket;

    bucket = &paths->buckets[(new->hash ^ new->hash >> 16)
                             % CEL_PATH_BUCKETS];

    for (path = *bucket; path != NULL; path = path->bucket) {
        if (path->hash == new->hash && path->parent == new->parent
            && path->slot == new->slot && path->len == new->len
            && memcmp(path->key, new->key, new->len) == 0)
        {
            /* kept together only if both are charged alike */
            return path->units == new->units ? path : NULL;
        }
    }

    path = cel_arena_alloc(paths->code->arena, sizeof(cel_path_t));
    if (path == NULL) {
        cel_code_no_memory(paths->code);
        return NULL;
    }

    *path = *new;
    path->bucket = *bucket;
    path->older = paths->newest;
    path->uses = 0;
    path->local = 0;

    *bucket = path;
    paths->newest = path;

    return path;
}


/* target.name, target['name'], which is charged a unit more */

static bool
cel_path_key(const cel_node_t *node, cel_node_t **target, cel_path_t *path)
{
    const cel_node_t  *key;

    if (node->kind == CEL_N_SELECT && !node->test_only && !node->optional) {
        *target = node->target;
        path->key = node->name;
        path->len = node->name_len;
        path->units = 1;
        return true;
    }

    if (node->kind != CEL_N_CALL || node->target != NULL
        || node->nitems != 2 || strcmp(node->name, "_[_]") != 0)
    {
        return false;
    }

    key = node->items[1];

    if (key->kind != CEL_N_CONST || key->value.kind != CEL_STRING) {
        return false;
    }

    *target = node->items[0];
    path->key = key->value.s;
    path->len = key->value.len;
    path->units = 2;

    return true;
}


bool
cel_compile_kept(cel_code_t *c, const cel_node_t *node, uint32_t *pc)
{
    if (node->path == NULL || node->path->local == 0) {
        return false;
    }

    *pc = cel_emit(c, CEL_OP_KEPT, node->path->local - 1, 0, 0);
    cel_emit_arg(c, 0, node->path->units);

    return true;
}


void
cel_compile_keep(cel_code_t *c, const cel_node_t *node, uint32_t pc)
{
    cel_emit(c, CEL_OP_KEEP, node->path->local - 1, 0, 0);
    cel_code_land(c, pc);
}
