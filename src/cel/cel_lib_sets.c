
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_sets.c - the `sets` extension: lists as sets, whatever their order
 * and their doubles.
 */


#include "cel_lists.h"


#define CEL_PAIRS  1, 1, CEL_BYTES_SHIFT, 3, CEL_CHARGE_PAIRS,                \
                   CEL_RESULT_SMALL


static CEL_LISTS(cel_sets_contains);
static CEL_LISTS(cel_sets_equivalent);
static CEL_LISTS(cel_sets_intersects);
static cel_status_t cel_sets_within(cel_eval_t *eval,
    const cel_value_t *inner, const cel_value_t *outer, bool *within);


const cel_overload_spec_t  cel_lib_sets[] = {

    CEL_OVERLOAD("sets.contains", "sets_contains",
                 "(list(A), list(A)): bool", cel_sets_contains, CEL_PAIRS),
    CEL_OVERLOAD("sets.equivalent", "sets_equivalent",
                 "(list(A), list(A)): bool", cel_sets_equivalent, CEL_PAIRS),
    CEL_OVERLOAD("sets.intersects", "sets_intersects",
                 "(list(A), list(A)): bool", cel_sets_intersects, CEL_PAIRS),

    CEL_OVERLOADS_END
};


static CEL_LISTS(cel_sets_contains)
{
    bool          within;
    cel_status_t  rc;

    rc = cel_sets_within(eval, &args[1], &args[0], &within);

    *out = cel_bool(within);

    return rc;
}


static CEL_LISTS(cel_sets_equivalent)
{
    bool          within;
    cel_status_t  rc;

    rc = cel_sets_within(eval, &args[1], &args[0], &within);

    if (rc == CEL_OK && within) {
        rc = cel_sets_within(eval, &args[0], &args[1], &within);
    }

    *out = cel_bool(within);

    return rc;
}


/* whether all of inner are in outer */

static cel_status_t
cel_sets_within(cel_eval_t *eval, const cel_value_t *inner,
    const cel_value_t *outer, bool *within)
{
    uint32_t      size;
    cel_iter_t    iter;
    cel_value_t   v, *values;
    cel_status_t  rc;

    *within = false;
    size = cel_size(outer);

    if (cel_charge(eval, size) != CEL_OK) {
        return CEL_ERROR;
    }

    values = cel_lists_values(eval, outer, &rc);
    if (values == NULL) {
        return rc;
    }

    cel_iter_init(&iter, inner);

    *within = true;

    while (*within && iter.i < iter.n) {

        if (cel_charge(eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_iter_next(&iter, eval, NULL, &v);

        if (rc == CEL_OK) {
            rc = cel_lists_has(eval, values, size, &v, within);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    return CEL_OK;
}


static CEL_LISTS(cel_sets_intersects)
{
    bool          found;
    uint32_t      size;
    cel_iter_t    iter;
    cel_value_t   v, *values;
    cel_status_t  rc;

    size = cel_size(&args[0]);

    if (cel_charge(eval, size) != CEL_OK) {
        return CEL_ERROR;
    }

    values = cel_lists_values(eval, &args[0], &rc);
    if (values == NULL) {
        return rc;
    }

    cel_iter_init(&iter, &args[1]);

    found = false;

    while (!found && iter.i < iter.n) {

        if (cel_charge(eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_iter_next(&iter, eval, NULL, &v);

        if (rc == CEL_OK) {
            rc = cel_lists_has(eval, values, size, &v, &found);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    *out = cel_bool(found);

    return CEL_OK;
}
