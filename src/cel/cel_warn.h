
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_warn.h - warnings about a checked tree; private to cel_check.c and the
 * files of the warnings.
 */


#ifndef CEL_WARN_H_INCLUDED
#define CEL_WARN_H_INCLUDED


#include "cel_ast.h"


typedef struct {
    const cel_ast_t      *ast;
    cel_issues_t         *issues;
    uint8_t              *used;          /* by number of the variable */
    uint32_t              left;          /* nodes that may be compared */
} cel_warn_t;


typedef void (*cel_warn_pt)(cel_warn_t *warn, const cel_node_t *node);


/* cel_warn.c: adds what there is to env->warnings, which is there */
void cel_warn(const cel_env_t *env, const cel_ast_t *ast);


/* cel_warn_logic.c: what is always true or always false */

/* all of a && b && ..., each operand is given to visit, too */
void cel_warn_chain(cel_warn_t *warn, const cel_node_t *node,
    cel_warn_pt visit);

/* the condition of ?: */
void cel_warn_choice(cel_warn_t *warn, const cel_node_t *node);

/* a == a, size(a) < 0 */
void cel_warn_relation(cel_warn_t *warn, const cel_node_t *node);


#endif /* CEL_WARN_H_INCLUDED */
