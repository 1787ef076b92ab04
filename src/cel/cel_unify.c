
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_unify.c - type variables: what may be assigned to what, and what that
 * tells about the variables.  The rules are cel-go's.  Bindings are kept on a
 * trail, so that an overload that does not fit leaves no trace.
 */


#include "cel_check.h"

#include <string.h>


static bool cel_unify_try(cel_checker_t *checker, const cel_type_t *from,
    const cel_type_t *to);
static bool cel_unify_variable(cel_checker_t *checker, const cel_type_t *type,
    const cel_type_t *variable, bool *bound);
static bool cel_unify_params(cel_checker_t *checker, const cel_type_t *from,
    const cel_type_t *to);
static bool cel_unify_null(const cel_type_t *type);
static bool cel_unify_occurs(const cel_checker_t *checker,
    const cel_type_t *variable, const cel_type_t *type);
static void cel_unify_bind(cel_checker_t *checker, uint32_t id,
    const cel_type_t *type);
static const cel_type_t *cel_unify_general(const cel_type_t *a,
    const cel_type_t *b);
static bool cel_unify_less_specific(const cel_type_t *a, const cel_type_t *b);
static void *cel_unify_grow(cel_checker_t *checker, const void *old,
    uint32_t used, uint32_t *size, size_t item);


static bool
cel_unify_is_any(const cel_type_t *type)
{
    return type->kind == CEL_T_DYN || type->kind == CEL_T_ERROR;
}


/* number of the first of count free variables */

uint32_t
cel_unify_variables(cel_checker_t *checker, uint32_t count)
{
    uint32_t            base, size;
    const cel_type_t  **bound;

    base = checker->nbound;

    while (checker->nbound + count > checker->bound_size) {
        size = checker->bound_size;
        bound = cel_unify_grow(checker, checker->bound, checker->nbound,
                               &size, sizeof(cel_type_t *));
        if (bound == NULL) {
            return base;
        }

        checker->bound = bound;
        checker->bound_size = size;
    }

    while (count-- > 0) {
        checker->bound[checker->nbound++] = NULL;
    }

    return base;
}


const cel_type_t *
cel_unify_fresh(cel_checker_t *checker)
{
    uint32_t     id;
    cel_type_t  *type;

    id = cel_unify_variables(checker, 1);

    type = (cel_type_t *) cel_type_make(checker->ast->arena, CEL_T_PARAM, NULL,
                                        NULL, NULL);
    if (type == NULL || checker->memory) {
        checker->memory = true;
        return NULL;
    }

    type->id = id;
    type->open = id + 1;

    return type;
}


/* the parameters of a signature as variables base, base + 1, ... */

const cel_type_t *
cel_unify_instantiate(cel_checker_t *checker, const cel_type_t *type,
    uint32_t base)
{
    uint32_t           i;
    cel_type_t        *copy;
    const cel_type_t  *params[CEL_TYPE_PARAMS_MAX];

    if (type->open == 0) {
        return type;
    }

    for (i = 0; i < type->nparams; i++) {
        params[i] = cel_unify_instantiate(checker, type->params[i], base);
        if (params[i] == NULL) {
            return NULL;
        }
    }

    copy = (cel_type_t *) cel_type_with(checker->ast->arena, type, params,
                                        type->nparams);
    if (copy == NULL) {
        checker->memory = true;
        return NULL;
    }

    if (type->kind == CEL_T_PARAM) {
        copy->id = base + type->id;
        copy->open = copy->id + 1;
    }

    return copy;
}


/* variables replaced by what is known of them, the free ones by dyn or not */

const cel_type_t *
cel_unify_substitute(cel_checker_t *checker, const cel_type_t *type,
    bool to_dyn)
{
    bool               same;
    uint32_t           i;
    const cel_type_t  *params[CEL_TYPE_PARAMS_MAX];

    if (type->open == 0) {
        return type;
    }

    if (type->kind == CEL_T_PARAM) {
        if (checker->bound[type->id] != NULL) {
            return cel_unify_substitute(checker, checker->bound[type->id],
                                        to_dyn);
        }

        return to_dyn ? &cel_t_dyn : type;
    }

    same = true;

    for (i = 0; i < type->nparams; i++) {
        params[i] = cel_unify_substitute(checker, type->params[i], to_dyn);
        if (params[i] == NULL) {
            return NULL;
        }

        same &= params[i] == type->params[i];
    }

    if (same) {
        return type;
    }

    type = cel_type_with(checker->ast->arena, type, params, type->nparams);
    if (type == NULL) {
        checker->memory = true;
    }

    return type;
}


/* on failure the variables are as before */

bool
cel_unify_assignable(cel_checker_t *checker, const cel_type_t *from,
    const cel_type_t *to)
{
    uint32_t  mark;

    mark = checker->ntrail;

    if (!cel_unify_try(checker, from, to)) {
        cel_unify_rollback(checker, mark);
        return false;
    }

    return true;
}


static bool
cel_unify_try(cel_checker_t *checker, const cel_type_t *from,
    const cel_type_t *to)
{
    bool  bound;

    if (to->kind == CEL_T_PARAM) {
        if (cel_unify_variable(checker, from, to, &bound)) {
            return true;
        }

        if (bound) {
            return false;
        }
    }

    if (from->kind == CEL_T_PARAM) {
        return cel_unify_variable(checker, to, from, &bound);
    }

    if (cel_unify_is_any(from) || cel_unify_is_any(to)) {
        return true;
    }

    if (from->kind == CEL_T_NULL || to->kind == CEL_T_NULL) {
        return cel_unify_null(from) && cel_unify_null(to);
    }

    if (from->kind == CEL_T_WRAPPER && to->kind != CEL_T_WRAPPER) {
        return cel_unify_try(checker, from->params[0], to);
    }

    if (to->kind == CEL_T_WRAPPER && from->kind != CEL_T_WRAPPER) {
        return cel_unify_try(checker, from, to->params[0]);
    }

    return cel_unify_params(checker, from, to);
}


/* whether variable may stand for type; *bound: it had a meaning before */

static bool
cel_unify_variable(cel_checker_t *checker, const cel_type_t *type,
    const cel_type_t *variable, bool *bound)
{
    const cel_type_t  *known, *general;

    known = checker->bound[variable->id];
    *bound = known != NULL;

    if (cel_type_same(type, variable)) {
        *bound = true;
        return true;
    }

    if (known == NULL) {
        if (cel_unify_occurs(checker, variable, type)) {
            return false;
        }

        cel_unify_bind(checker, variable->id, type);

        return true;
    }

    if (cel_type_same(type, known)) {
        return true;
    }

    if (!cel_unify_try(checker, type, known)) {
        return false;
    }

    general = cel_unify_general(type, known);

    if (general != known && !cel_unify_occurs(checker, variable, general)) {
        cel_unify_bind(checker, variable->id, general);
    }

    return true;
}


static bool
cel_unify_params(cel_checker_t *checker, const cel_type_t *from,
    const cel_type_t *to)
{
    uint32_t  i;

    if (from->kind != to->kind || from->nparams != to->nparams) {
        return false;
    }

    switch (from->kind) {

    case CEL_T_TYPE:
        return true;

    case CEL_T_OPAQUE:
    case CEL_T_STRUCT:
        if (strcmp(from->name, to->name) != 0) {
            return false;
        }

        break;

    default:
        break;
    }

    for (i = 0; i < from->nparams; i++) {
        if (!cel_unify_try(checker, from->params[i], to->params[i])) {
            return false;
        }
    }

    return true;
}


/* null, and what may be null */

static bool
cel_unify_null(const cel_type_t *type)
{
    switch (type->kind) {

    case CEL_T_NULL:
    case CEL_T_TIMESTAMP:
    case CEL_T_DURATION:
    case CEL_T_WRAPPER:
    case CEL_T_OPTIONAL:
    case CEL_T_OPAQUE:
    case CEL_T_STRUCT:
        return true;

    default:
        return false;
    }
}


static bool
cel_unify_occurs(const cel_checker_t *checker, const cel_type_t *variable,
    const cel_type_t *type)
{
    uint32_t  i;

    if (type->open == 0) {
        return false;
    }

    if (type->kind == CEL_T_PARAM) {
        if (type->id == variable->id) {
            return true;
        }

        return checker->bound[type->id] != NULL
               && cel_unify_occurs(checker, variable,
                                   checker->bound[type->id]);
    }

    for (i = 0; i < type->nparams; i++) {
        if (cel_unify_occurs(checker, variable, type->params[i])) {
            return true;
        }
    }

    return false;
}


static void
cel_unify_bind(cel_checker_t *checker, uint32_t id, const cel_type_t *type)
{
    uint32_t      size;
    cel_trail_t  *trail;

    if (checker->ntrail == checker->trail_size) {
        size = checker->trail_size;
        trail = cel_unify_grow(checker, checker->trail, checker->ntrail, &size,
                               sizeof(cel_trail_t));
        if (trail == NULL) {
            return;
        }

        checker->trail = trail;
        checker->trail_size = size;
    }

    checker->trail[checker->ntrail].id = id;
    checker->trail[checker->ntrail].was = checker->bound[id];
    checker->ntrail++;
    checker->bound[id] = type;
}


void
cel_unify_rollback(cel_checker_t *checker, uint32_t mark)
{
    cel_trail_t  *entry;

    while (checker->ntrail > mark) {
        entry = &checker->trail[--checker->ntrail];
        checker->bound[entry->id] = entry->was;
    }
}


/* the type of elements of which some are a and some are b */

const cel_type_t *
cel_unify_join(cel_checker_t *checker, const cel_type_t *a,
    const cel_type_t *b)
{
    if (a == NULL) {
        return b;
    }

    if (cel_unify_assignable(checker, a, b)) {
        return cel_unify_general(a, b);
    }

    return &cel_t_dyn;
}


static const cel_type_t *
cel_unify_general(const cel_type_t *a, const cel_type_t *b)
{
    return cel_unify_less_specific(a, b) ? a : b;
}


static bool
cel_unify_less_specific(const cel_type_t *a, const cel_type_t *b)
{
    uint32_t  i;

    if (cel_unify_is_any(a) || a->kind == CEL_T_PARAM) {
        return true;
    }

    if (cel_unify_is_any(b) || b->kind == CEL_T_PARAM) {
        return false;
    }

    /* a wrapper may be null: it is the wider one */

    if (a->kind == CEL_T_WRAPPER || b->kind == CEL_T_NULL) {
        return true;
    }

    if (a->kind != b->kind) {
        return false;
    }

    for (i = 0; a->kind != CEL_T_TYPE && i < a->nparams; i++) {
        if (!cel_unify_less_specific(a->params[i], b->params[i])) {
            return false;
        }
    }

    return true;
}


static void *
cel_unify_grow(cel_checker_t *checker, const void *old, uint32_t used,
    uint32_t *size, size_t item)
{
    void  *p;

    *size = *size == 0 ? 64 : *size * 2;

    p = cel_arena_alloc(checker->ast->arena, *size * item);
    if (p == NULL) {
        checker->memory = true;
        return NULL;
    }

    if (used > 0) {
        memcpy(p, old, used * item);
    }

    return p;
}
