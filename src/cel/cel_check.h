
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_check.h - the checker's state, shared by the cel_check*.c,
 * cel_resolve.c, cel_suggest.c and cel_unify.c; private to them.
 */


#ifndef CEL_CHECK_H_INCLUDED
#define CEL_CHECK_H_INCLUDED


#include "cel_ast.h"


/* room for generated names beside those of the source */
#define CEL_CHECK_NAME_SPARE  64


typedef struct cel_local_s  cel_local_t;


/* a variable of a macro, innermost first; on the C stack */

struct cel_local_s {
    cel_local_t          *next;
    const char           *name;
    uint32_t              number;
    const cel_type_t     *type;
};


typedef struct {
    uint32_t              id;
    const cel_type_t     *was;
} cel_trail_t;


typedef struct {
    cel_env_t            *env;
    cel_ast_t            *ast;
    cel_issues_t         *issues;
    cel_local_t          *locals;

    /* type variables by number, NULL = free, and how to undo */
    const cel_type_t    **bound;
    uint32_t              nbound;
    uint32_t              bound_size;
    cel_trail_t          *trail;
    uint32_t              ntrail;
    uint32_t              trail_size;

    char                 *chain;         /* a.b.c of selects */
    char                 *candidate;     /* the same behind a container */

    bool                  lenient;       /* disable_check */
    bool                  memory;        /* out of it */
} cel_checker_t;


/* cel_check.c */

void cel_check_node(cel_checker_t *checker, cel_node_t *node);
void cel_check_set_type(cel_checker_t *checker, cel_node_t *node,
    const cel_type_t *type);
void cel_check_unresolved(cel_checker_t *checker, cel_node_t *node);
void cel_check_key_case(cel_checker_t *checker, const cel_node_t *map,
    const char *key, size_t len, uint32_t offset);


/* cel_check_aggregate.c */

void cel_check_list(cel_checker_t *checker, cel_node_t *node);
void cel_check_map(cel_checker_t *checker, cel_node_t *node);


/* cel_check_fold.c */

void cel_check_fold(cel_checker_t *checker, cel_node_t *node);


/* cel_check_call.c */

void cel_check_call(cel_checker_t *checker, cel_node_t *node);


/* cel_message.c: a literal of a message */

void cel_check_message(cel_checker_t *checker, cel_node_t *node);


/* cel_resolve.c: names, as langdef.md has it for containers */

/* the full name is known: then the node is annotated */
typedef bool (*cel_resolve_try_pt)(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len);

bool cel_resolve_with(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len, cel_resolve_try_pt attempt);

typedef enum {
    CEL_RESOLVED = 0,         /* the node is annotated */
    CEL_RESOLVE_PARTLY,       /* a part of it, or its root, is something */
    CEL_RESOLVE_UNKNOWN       /* nothing, not even the root */
} cel_resolved_t;

bool cel_resolve_ident(cel_checker_t *checker, cel_node_t *node);
cel_resolved_t cel_resolve_select(cel_checker_t *checker, cel_node_t *node);

/* the function, *name its full name, borrowed from it; NULL: none */
const cel_function_t *cel_resolve_function(cel_checker_t *checker,
    const char *name, size_t len);

/* target.name as one name of a function or a resolver; NULL: no such thing */
const cel_function_t *cel_resolve_method(cel_checker_t *checker,
    const cel_node_t *node);
const cel_resolver_t *cel_resolve_resolver(cel_checker_t *checker,
    const cel_node_t *node);


/* cel_suggest.c: errors about names, with what was probably meant */

void cel_suggest_name(cel_checker_t *checker, const cel_node_t *node);
void cel_suggest_method(cel_checker_t *checker, const cel_node_t *node);

/* CEL_NOT_FOUND: it is a macro, with the wrong arguments */
cel_status_t cel_suggest_function(cel_checker_t *checker,
    const cel_node_t *node);


/* cel_unify.c: type variables; NULL only when out of memory */

uint32_t cel_unify_variables(cel_checker_t *checker, uint32_t count);
const cel_type_t *cel_unify_fresh(cel_checker_t *checker);
const cel_type_t *cel_unify_instantiate(cel_checker_t *checker,
    const cel_type_t *type, uint32_t base);
const cel_type_t *cel_unify_substitute(cel_checker_t *checker,
    const cel_type_t *type, bool to_dyn);
bool cel_unify_assignable(cel_checker_t *checker, const cel_type_t *from,
    const cel_type_t *to);
const cel_type_t *cel_unify_join(cel_checker_t *checker, const cel_type_t *a,
    const cel_type_t *b);
void cel_unify_rollback(cel_checker_t *checker, uint32_t mark);


#endif /* CEL_CHECK_H_INCLUDED */
