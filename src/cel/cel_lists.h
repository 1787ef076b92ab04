
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lists.h - what the libraries of lists share; private to them.
 */


#ifndef CEL_LISTS_H_INCLUDED
#define CEL_LISTS_H_INCLUDED


#include "cel_runtime.h"


#define CEL_LISTS(name)                                                       \
    cel_status_t name(cel_eval_t *eval, const cel_value_t *args, uint32_t n,  \
        cel_value_t *out)


/* cel_lists_sort.c: all that depends on the order of elements */

CEL_LISTS(cel_lists_sort);
CEL_LISTS(cel_lists_sort_by);
CEL_LISTS(cel_lists_is_sorted);
CEL_LISTS(cel_lists_min);
CEL_LISTS(cel_lists_max);


/* The elements in the arena, not charged; NULL: CEL_ERROR, or *rc. */
cel_value_t *cel_lists_values(cel_eval_t *eval, const cel_value_t *list,
    cel_status_t *rc);

/* Whether one of count values equals v; charged as it goes. */
cel_status_t cel_lists_has(cel_eval_t *eval, const cel_value_t *values,
    uint32_t count, const cel_value_t *v, bool *found);

/* places: room for 2 n, the first n become the order of the keys */
cel_status_t cel_lists_sort_keys(cel_eval_t *eval, const cel_value_t *keys,
    uint32_t *places, uint32_t n);


#endif /* CEL_LISTS_H_INCLUDED */
