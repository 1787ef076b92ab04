
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_lists.c - the `lists` extension and what Kubernetes adds to it:
 * parts of lists, lists made of lists, sums and places.  What depends on the
 * order of elements is cel_lists_sort.c; sortBy() is a macro.
 */


#include "cel_lists.h"


/* lists.range() gives no more */
#define CEL_LISTS_RANGE  10000

#define CEL_SCALAR  1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_ELEMENT 1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_ELEMENT
#define CEL_EACH    1, 1, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_COPIED  1, 1, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_SAME
#define CEL_FLAT    1, 2, 0, 1, CEL_CHARGE_DEEP, CEL_RESULT_PRODUCT
#define CEL_FOUND   1, 2, CEL_BYTES_SHIFT, 1, CEL_CHARGE_DEEP,                \
                    CEL_RESULT_SMALL
#define CEL_PAIRS   1, 1, CEL_BYTES_SHIFT, 1, CEL_CHARGE_PAIRS,               \
                    CEL_RESULT_SAME
#define CEL_RANGE   CEL_LISTS_RANGE + 1, 0, 0, 1, CEL_CHARGE_UP_TO,           \
                    CEL_RESULT_BASE

/* as many rounds as a merge sort of 2^32 has */
#define CEL_SORTED  1, 32, CEL_BYTES_SHIFT, 1, CEL_CHARGE_DEEP,               \
                    CEL_RESULT_SAME
#define CEL_SORTED_BY  1, 32, CEL_BYTES_SHIFT, 3, CEL_CHARGE_DEEP,            \
                       CEL_RESULT_SAME
#define CEL_ORDERED 1, 1, CEL_BYTES_SHIFT, 1, CEL_CHARGE_DEEP,                \
                    CEL_RESULT_SMALL
#define CEL_EXTREME 1, 1, CEL_BYTES_SHIFT, 1, CEL_CHARGE_DEEP,                \
                    CEL_RESULT_ELEMENT


static CEL_LISTS(cel_lists_range);
static CEL_LISTS(cel_lists_slice);
static CEL_LISTS(cel_lists_flatten);
static CEL_LISTS(cel_lists_distinct);
static CEL_LISTS(cel_lists_reverse);
static CEL_LISTS(cel_lists_first);
static CEL_LISTS(cel_lists_last);
static CEL_LISTS(cel_lists_sum_int);
static CEL_LISTS(cel_lists_sum_uint);
static CEL_LISTS(cel_lists_sum_double);
static CEL_LISTS(cel_lists_sum_duration);
static CEL_LISTS(cel_lists_index_of);
static CEL_LISTS(cel_lists_last_index_of);
static CEL_LISTS(cel_lists_includes);


#define CEL_SUM(type)                                                         \
    CEL_OVERLOAD("sum", "list_sum_" #type, "list(" #type ").(): " #type,      \
                 cel_lists_sum_##type, CEL_EACH)


const cel_overload_spec_t  cel_lib_lists[] = {

    CEL_OVERLOAD("lists.range", "lists_range", "(int): list(int)",
                 cel_lists_range, CEL_RANGE),
    CEL_OVERLOAD("slice", "list_slice", "list(A).(int, int): list(A)",
                 cel_lists_slice, CEL_COPIED),
    CEL_OVERLOAD("flatten", "list_flatten", "list(list(A)).(): list(A)",
                 cel_lists_flatten, CEL_FLAT),
    CEL_OVERLOAD("flatten", "list_flatten_int",
                 "list(dyn).(int): list(dyn)", cel_lists_flatten, CEL_FLAT),
    CEL_OVERLOAD("distinct", "list_distinct", "list(A).(): list(A)",
                 cel_lists_distinct, CEL_PAIRS),
    CEL_OVERLOAD("reverse", "list_reverse", "list(A).(): list(A)",
                 cel_lists_reverse, CEL_COPIED),
    CEL_OVERLOAD("first", "list_first", "list(A).(): optional_type(A)",
                 cel_lists_first, CEL_ELEMENT),
    CEL_OVERLOAD("last", "list_last", "list(A).(): optional_type(A)",
                 cel_lists_last, CEL_ELEMENT),

    CEL_OVERLOAD("sort", "list_sort", "list(A).(): list(A)", cel_lists_sort,
                 CEL_SORTED),
    CEL_OVERLOAD("@sortBy", "list_sort_by", "list(A).(list(B)): list(A)",
                 cel_lists_sort_by, CEL_SORTED_BY),

    CEL_OVERLOAD("isSorted", "list_is_sorted", "list(A).(): bool",
                 cel_lists_is_sorted, CEL_ORDERED),
    CEL_OVERLOAD("min", "list_min", "list(A).(): A", cel_lists_min,
                 CEL_EXTREME),
    CEL_OVERLOAD("max", "list_max", "list(A).(): A", cel_lists_max,
                 CEL_EXTREME),
    CEL_SUM(int),
    CEL_SUM(uint),
    CEL_SUM(double),
    CEL_SUM(duration),
    CEL_OVERLOAD("indexOf", "list_index_of", "list(A).(A): int",
                 cel_lists_index_of, CEL_FOUND),
    CEL_OVERLOAD("lastIndexOf", "list_last_index_of", "list(A).(A): int",
                 cel_lists_last_index_of, CEL_FOUND),
    CEL_OVERLOAD("includes", "list_includes_dyn_dyn", "dyn.(dyn): bool",
                 cel_lists_includes, CEL_FOUND),

    CEL_OVERLOADS_END
};


cel_value_t *
cel_lists_values(cel_eval_t *eval, const cel_value_t *list, cel_status_t *rc)
{
    cel_iter_t    iter;
    cel_value_t  *values;

    cel_iter_init(&iter, list);

    *rc = CEL_ERROR;

    values = cel_eval_alloc(eval, ((size_t) iter.n + 1)
                                  * sizeof(cel_value_t));
    if (values == NULL) {
        return NULL;
    }

    while (iter.i < iter.n) {
        *rc = cel_iter_next(&iter, eval, NULL, &values[iter.i]);

        if (*rc != CEL_OK) {
            return NULL;
        }
    }

    *rc = CEL_OK;

    return values;
}


cel_status_t
cel_lists_has(cel_eval_t *eval, const cel_value_t *values, uint32_t count,
    const cel_value_t *v, bool *found)
{
    uint32_t      i;
    cel_status_t  rc;

    *found = false;

    for (i = 0; i < count && !*found; i++) {

        if (cel_charge(eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_equal(eval, &values[i], v, found);
        if (rc != CEL_OK) {
            return rc;
        }
    }

    return CEL_OK;
}


/* of a negative number there is none */

static CEL_LISTS(cel_lists_range)
{
    int64_t       i, count;
    cel_value_t  *values;

    count = args[0].i;

    if (count < 0) {
        count = 0;
    }

    if (count > CEL_LISTS_RANGE) {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                             "lists.range(%lld): more than %d",
                             (long long) count, CEL_LISTS_RANGE);
    }

    if (cel_charge(eval, (uint64_t) count) != CEL_OK) {
        return CEL_ERROR;
    }

    values = cel_eval_alloc(eval, (size_t) count * sizeof(cel_value_t));
    if (values == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < count; i++) {
        values[i] = cel_int(i);
    }

    return cel_wrap_list(eval, values, (uint32_t) count, out);
}


static CEL_LISTS(cel_lists_slice)
{
    int64_t       start, end, size;
    cel_value_t  *values;
    cel_status_t  rc;

    start = args[1].i;
    end = args[2].i;
    size = cel_size(&args[0]);

    if (start < 0 || end > size || start > end) {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                             "cannot slice(%lld, %lld) a list of %lld",
                             (long long) start, (long long) end,
                             (long long) size);
    }

    values = cel_lists_values(eval, &args[0], &rc);
    if (values == NULL) {
        return rc;
    }

    return cel_wrap_list(eval, values + start, (uint32_t) (end - start),
                         out);
}


static cel_status_t
cel_lists_flatten_into(cel_eval_t *eval, const cel_value_t *list,
    int64_t depth, cel_builder_t *flat)
{
    cel_iter_t    iter;
    cel_value_t   v;
    cel_status_t  rc;

    cel_iter_init(&iter, list);

    while (iter.i < iter.n) {

        if (cel_charge(eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_iter_next(&iter, eval, NULL, &v);

        if (rc == CEL_OK) {
            rc = v.kind == CEL_LIST && depth > 0
                 ? cel_lists_flatten_into(eval, &v, depth - 1, flat)
                 : cel_builder_add(flat, eval, &v);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    return CEL_OK;
}


/* lists in the list, down to a depth of 1 or what is said */

static CEL_LISTS(cel_lists_flatten)
{
    int64_t        depth;
    cel_status_t   rc;
    cel_builder_t  flat;

    depth = n == 2 ? args[1].i : 1;

    if (depth < 0 || depth > CEL_VALUE_DEPTH) {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                             "flatten(%lld): the depth must be from 0 to %d",
                             (long long) depth, CEL_VALUE_DEPTH);
    }

    memset(&flat, 0, sizeof(cel_builder_t));

    rc = cel_lists_flatten_into(eval, &args[0], depth, &flat);

    return rc == CEL_OK ? cel_wrap_list(eval, flat.values, flat.count, out)
                        : rc;
}


/* the first of those that are equal stays */

static CEL_LISTS(cel_lists_distinct)
{
    bool           found;
    uint32_t       i, size, count;
    cel_value_t   *values;
    cel_status_t   rc;

    size = cel_size(&args[0]);

    if (cel_charge(eval, size) != CEL_OK) {
        return CEL_ERROR;
    }

    values = cel_lists_values(eval, &args[0], &rc);
    if (values == NULL) {
        return rc;
    }

    count = 0;

    for (i = 0; i < size; i++) {
        rc = cel_lists_has(eval, values, count, &values[i], &found);
        if (rc != CEL_OK) {
            return rc;
        }

        if (!found) {
            values[count++] = values[i];
        }
    }

    return cel_wrap_list(eval, values, count, out);
}


static CEL_LISTS(cel_lists_reverse)
{
    uint32_t      i, size;
    cel_value_t   swap, *values;
    cel_status_t  rc;

    values = cel_lists_values(eval, &args[0], &rc);
    if (values == NULL) {
        return rc;
    }

    size = cel_size(&args[0]);

    for (i = 0; i < size / 2; i++) {
        swap = values[i];
        values[i] = values[size - 1 - i];
        values[size - 1 - i] = swap;
    }

    return cel_wrap_list(eval, values, size, out);
}


static CEL_LISTS(cel_lists_first)
{
    cel_value_t  index;

    index = cel_int(0);

    return cel_optional_part(eval, &args[0], &index, out);
}


static CEL_LISTS(cel_lists_last)
{
    cel_value_t  index;

    index = cel_int((int64_t) cel_size(&args[0]) - 1);

    return cel_optional_part(eval, &args[0], &index, out);
}


static cel_status_t
cel_lists_sum(cel_eval_t *eval, const cel_value_t *list, cel_value_t zero,
    cel_value_t *out)
{
    cel_iter_t    iter;
    cel_value_t   pair[2];
    cel_status_t  rc;

    cel_iter_init(&iter, list);

    *out = zero;

    while (iter.i < iter.n) {
        rc = cel_iter_next(&iter, eval, NULL, &pair[1]);
        if (rc != CEL_OK) {
            return rc;
        }

        if (!cel_is_number(&pair[1]) && pair[1].kind != CEL_DURATION) {
            return cel_fail_overload(eval);
        }

        if (iter.i == 1) {
            *out = pair[1];
            continue;
        }

        pair[0] = *out;

        if (cel_op_add(eval, pair, 2, out) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    return CEL_OK;
}


/* of an empty list a zero, of dyn the integer */

static CEL_LISTS(cel_lists_sum_int)
{
    return cel_lists_sum(eval, &args[0], cel_int(0), out);
}


static CEL_LISTS(cel_lists_sum_uint)
{
    return cel_lists_sum(eval, &args[0], cel_uint(0), out);
}


static CEL_LISTS(cel_lists_sum_double)
{
    return cel_lists_sum(eval, &args[0], cel_double(0), out);
}


static CEL_LISTS(cel_lists_sum_duration)
{
    return cel_lists_sum(eval, &args[0], cel_duration(0, 0), out);
}


static cel_status_t
cel_lists_place(cel_eval_t *eval, const cel_value_t *args, bool last,
    cel_value_t *out)
{
    bool          equal = false;
    cel_iter_t    iter;
    cel_value_t   v;
    cel_status_t  rc;

    cel_iter_init(&iter, &args[0]);

    *out = cel_int(-1);

    while (iter.i < iter.n && (last || out->i < 0)) {

        if (cel_charge(eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_iter_next(&iter, eval, NULL, &v);

        if (rc == CEL_OK) {
            rc = cel_equal(eval, &v, &args[1], &equal);
        }

        if (rc != CEL_OK) {
            return rc;
        }

        if (equal) {
            *out = cel_int((int64_t) iter.i - 1);
        }
    }

    return CEL_OK;
}


static CEL_LISTS(cel_lists_index_of)
{
    return cel_lists_place(eval, args, false, out);
}


static CEL_LISTS(cel_lists_last_index_of)
{
    return cel_lists_place(eval, args, true, out);
}


/* of what is no list: whether it is the same */

static CEL_LISTS(cel_lists_includes)
{
    bool          equal = false;
    cel_status_t  rc;

    if (args[0].kind == CEL_LIST) {
        rc = cel_lists_place(eval, args, false, out);
        equal = out->i >= 0;

    } else {
        rc = cel_equal(eval, &args[0], &args[1], &equal);
    }

    *out = cel_bool(equal);

    return rc;
}
