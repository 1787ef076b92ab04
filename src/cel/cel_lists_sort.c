
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lists_sort.c - lists by the order of their elements, or of others in
 * their place: a merge sort, so that it is stable and its cost is known.  The
 * elements are of one type that has an order, or numbers.
 */


#include "cel_lists.h"


static cel_status_t cel_lists_order(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, int *order);
static cel_status_t cel_lists_merge(cel_eval_t *eval,
    const cel_value_t *keys, const uint32_t *from, uint32_t *to,
    uint32_t ends[3]);
static cel_status_t cel_lists_extreme(cel_eval_t *eval,
    const cel_value_t *list, int wanted, cel_value_t *out);


CEL_LISTS(cel_lists_sort)
{
    cel_value_t  pair[2];

    pair[0] = args[0];
    pair[1] = args[0];

    return cel_lists_sort_by(eval, pair, 2, out);
}


/* the first list in the order of the second */

CEL_LISTS(cel_lists_sort_by)
{
    uint32_t       i, size, *places;
    cel_value_t   *keys, *values, *sorted;
    cel_status_t   rc;

    size = cel_size(&args[0]);

    if (size != cel_size(&args[1])) {
        return cel_fail_overload(eval);
    }

    if (cel_charge(eval, size) != CEL_OK) {
        return CEL_ERROR;
    }

    keys = cel_lists_values(eval, &args[1], &rc);
    if (keys == NULL) {
        return rc;
    }

    values = cel_lists_values(eval, &args[0], &rc);
    if (values == NULL) {
        return rc;
    }

    places = cel_eval_alloc(eval, 2 * (size_t) size * sizeof(uint32_t));
    sorted = cel_eval_alloc(eval, (size_t) size * sizeof(cel_value_t));

    if (places == NULL || sorted == NULL) {
        return CEL_ERROR;
    }

    if (cel_lists_sort_keys(eval, keys, places, size) != CEL_OK) {
        return CEL_ERROR;
    }

    for (i = 0; i < size; i++) {
        sorted[i] = values[places[i]];
    }

    return cel_wrap_list(eval, sorted, size, out);
}


cel_status_t
cel_lists_sort_keys(cel_eval_t *eval, const cel_value_t *keys,
    uint32_t *places, uint32_t n)
{
    int       order;
    uint64_t  start, width;
    uint32_t  i, ends[3], *from, *to, *swap;

    from = places;
    to = places + n;

    for (i = 0; i < n; i++) {
        from[i] = i;
    }

    /* one alone must have an order, too */

    if (n == 1 && cel_lists_order(eval, &keys[0], &keys[0], &order) != CEL_OK)
    {
        return CEL_ERROR;
    }

    for (width = 1; width < n; width *= 2) {

        for (start = 0; start < n; start += 2 * width) {
            ends[0] = (uint32_t) start;
            ends[1] = (uint32_t) (start + width < n ? start + width : n);
            ends[2] = (uint32_t) (start + 2 * width < n ? start + 2 * width
                                                        : n);

            if (cel_lists_merge(eval, keys, from, to, ends) != CEL_OK) {
                return CEL_ERROR;
            }
        }

        swap = from;
        from = to;
        to = swap;
    }

    memmove(places, from, n * sizeof(uint32_t));

    return CEL_OK;
}


/* from[ends 0 .. 1] and from[ends 1 .. 2], both in order, become one */

static cel_status_t
cel_lists_merge(cel_eval_t *eval, const cel_value_t *keys,
    const uint32_t *from, uint32_t *to, uint32_t ends[3])
{
    int       order;
    uint32_t  a, b, i;

    a = ends[0];
    b = ends[1];

    for (i = ends[0]; i < ends[2]; i++) {

        order = a < ends[1] ? -1 : 1;

        if (a < ends[1] && b < ends[2]
            && cel_lists_order(eval, &keys[from[a]], &keys[from[b]], &order)
               != CEL_OK)
        {
            return CEL_ERROR;
        }

        to[i] = order <= 0 ? from[a++] : from[b++];
    }

    return CEL_OK;
}


static cel_status_t
cel_lists_order(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    int *order)
{
    if (cel_charge(eval, 1) != CEL_OK) {
        return CEL_ERROR;
    }

    if (a->kind != b->kind && !(cel_is_number(a) && cel_is_number(b))) {
        return cel_eval_fail(eval, CEL_E_NO_SUCH_OVERLOAD,
                             "no such overload: elements of one list that is "
                             "to be ordered are of one type, or all numbers");
    }

    return cel_compare(eval, a, b, order);
}


CEL_LISTS(cel_lists_is_sorted)
{
    int           order = 0;
    cel_iter_t    iter;
    cel_value_t   v, before;
    cel_status_t  rc;

    cel_iter_init(&iter, &args[0]);

    *out = cel_bool(true);
    before = cel_null();

    while (iter.i < iter.n) {
        rc = cel_iter_next(&iter, eval, NULL, &v);

        if (rc == CEL_OK) {
            rc = cel_lists_order(eval, iter.i == 1 ? &v : &before, &v,
                                 &order);
        }

        if (rc != CEL_OK) {
            return rc;
        }

        if (order > 0) {
            *out = cel_bool(false);
            return CEL_OK;
        }

        before = v;
    }

    return CEL_OK;
}


CEL_LISTS(cel_lists_min)
{
    return cel_lists_extreme(eval, &args[0], -1, out);
}


CEL_LISTS(cel_lists_max)
{
    return cel_lists_extreme(eval, &args[0], 1, out);
}


static cel_status_t
cel_lists_extreme(cel_eval_t *eval, const cel_value_t *list, int wanted,
    cel_value_t *out)
{
    int           order = 0;
    cel_iter_t    iter;
    cel_value_t   v;
    cel_status_t  rc;

    cel_iter_init(&iter, list);

    if (iter.n == 0) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "%s() of an empty list",
                             wanted < 0 ? "min" : "max");
    }

    while (iter.i < iter.n) {
        rc = cel_iter_next(&iter, eval, NULL, &v);

        if (rc == CEL_OK && iter.i == 1) {
            *out = v;
        }

        if (rc == CEL_OK) {
            rc = cel_lists_order(eval, &v, out, &order);
        }

        if (rc != CEL_OK) {
            return rc;
        }

        if (order == wanted) {
            *out = v;
        }
    }

    return CEL_OK;
}
