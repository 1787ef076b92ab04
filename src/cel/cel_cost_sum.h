
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_cost_sum.h - the worst case of several programs as one formula, so that
 * whoever runs many of them evaluates one polynomial per request and not one
 * per program.  Public beside cel.h.
 */


#ifndef CEL_COST_SUM_H_INCLUDED
#define CEL_COST_SUM_H_INCLUDED


#include "cel.h"


#define CEL_COST_SUM_DEGREE  4


/*
 * Declares a fact whose value is what the last compilation with env computes:
 * of its type, and as large as that may get, not as a class of sizes.  Ask
 * for it with cel_env_keep_result() before that compilation.  CEL_OK, or
 * CEL_ERROR when the name is taken or memory is out.
 */
cel_status_t cel_env_keep_result(cel_env_t *env);
cel_status_t cel_env_declare_result(cel_env_t *env, const char *name,
    const cel_program_t *program, cel_slot_t slot);


/*
 * Takes a declaration away for a while, NULL when there is none of the name;
 * and puts it back as it was.
 */
typedef struct cel_fact_s  cel_hidden_t;

cel_hidden_t *cel_env_hide(cel_env_t *env, const char *name);
void cel_env_show(cel_env_t *env, cel_hidden_t *hidden);


/* All fields are private. */

typedef struct {
    uint64_t          c[CEL_COST_SUM_DEGREE][CEL_COST_SUM_DEGREE];
    uint64_t          min;
    bool              unbounded;
} cel_cost_sum_t;


/* To zero, or to the alternative that costs nothing. */
void cel_cost_sum_init(cel_cost_sum_t *sum);

/* The program runs, too: its worst case, and its least if it always runs. */
void cel_cost_sum_add(cel_cost_sum_t *sum, const cel_program_t *program,
    bool always);

/* So many units besides. */
void cel_cost_sum_units(cel_cost_sum_t *sum, uint64_t units, uint64_t least);

/* Either what sum has or the program runs: the worst case of both. */
void cel_cost_sum_either(cel_cost_sum_t *sum, const cel_program_t *program);

/* What other has runs, too. */
void cel_cost_sum_join(cel_cost_sum_t *sum, const cel_cost_sum_t *other);

/* CEL_COST_MAX when there is no useful bound. */
uint64_t cel_cost_sum_max(const cel_cost_sum_t *sum,
    const cel_sizes_t *sizes);
uint64_t cel_cost_sum_min(const cel_cost_sum_t *sum);


#endif /* CEL_COST_SUM_H_INCLUDED */
