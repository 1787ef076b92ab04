
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_cost.h - the state of the cost estimate, shared by cel_cost.c,
 * cel_cost_call.c and cel_cost_fold.c; private to them.
 */


#ifndef CEL_COST_H_INCLUDED
#define CEL_COST_H_INCLUDED


#include "cel_shape.h"


typedef struct cel_cost_local_s  cel_cost_local_t;
typedef struct cel_cost_args_s   cel_cost_args_t;
typedef struct cel_cost_sizes_s  cel_cost_sizes_t;


/* a macro's variable; on the C stack */

struct cel_cost_local_s {
    cel_cost_local_t       *next;
    uint32_t                number;
    uint32_t                level;       /* of the loop whose e is meant */
    const cel_poly_t       *most;        /* that e can be */
    const cel_shape_t      *shape;
};


typedef struct {
    cel_cost_local_t       *locals;
    cel_arena_t            *arena;       /* the ast's */
    uint32_t                level;       /* of nested loops */
    const cel_poly_t       *most;        /* that e of this loop can be */
    cel_cost_args_t        *args;        /* of the call that is counted */
    cel_cost_sizes_t       *free[CEL_MAX_ARGS + 1]; /* by arguments */
} cel_coster_t;


/* what evaluating costs: grows as nodes are added */

typedef struct {
    cel_bound_t             max;
    uint64_t                min;
} cel_spent_t;


/* Adds what the node costs, and tells how large its value may get. */
void cel_cost_node(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);

void cel_cost_call(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);

void cel_cost_fold(cel_coster_t *coster, const cel_node_t *node,
    cel_spent_t *spent, cel_shape_t *shape);


#endif /* CEL_COST_H_INCLUDED */
