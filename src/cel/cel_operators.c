
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_operators.c - arithmetic, concatenation, index and membership on any
 * kinds of values.  Logic and jumps are the VM's, order is cel_equal.c.
 */


#include "cel_runtime.h"

#include <math.h>


#define CEL_PAIR(a, b)  ((a) << 8 | (b))


static cel_status_t cel_add_bytes(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, cel_value_t *out);
static cel_status_t cel_add_lists(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, cel_value_t *out);
static cel_status_t cel_copy_list(cel_eval_t *eval, const cel_value_t *list,
    cel_value_t *values);
static cel_status_t cel_add_times(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, int sign, cel_value_t *out);
static cel_status_t cel_divide_by_zero(cel_eval_t *eval, const char *what);
static cel_status_t cel_index_list(cel_eval_t *eval, const cel_value_t *list,
    const cel_value_t *index, cel_value_t *out);


cel_status_t
cel_op_add(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int64_t             i;
    uint64_t            u;
    const cel_value_t  *a, *b;

    a = &args[0];
    b = &args[1];

    switch (CEL_PAIR(a->kind, b->kind)) {

    case CEL_PAIR(CEL_INT, CEL_INT):
        if (__builtin_add_overflow(a->i, b->i, &i)) {
            return cel_fail_overflow(eval);
        }

        *out = cel_int(i);
        return CEL_OK;

    case CEL_PAIR(CEL_UINT, CEL_UINT):
        if (__builtin_add_overflow(a->u, b->u, &u)) {
            return cel_fail_overflow(eval);
        }

        *out = cel_uint(u);
        return CEL_OK;

    case CEL_PAIR(CEL_DOUBLE, CEL_DOUBLE):
        *out = cel_double(a->d + b->d);
        return CEL_OK;

    case CEL_PAIR(CEL_STRING, CEL_STRING):
    case CEL_PAIR(CEL_BYTES, CEL_BYTES):
        return cel_add_bytes(eval, a, b, out);

    case CEL_PAIR(CEL_LIST, CEL_LIST):
        return cel_add_lists(eval, a, b, out);

    case CEL_PAIR(CEL_DURATION, CEL_TIMESTAMP):
        return cel_add_times(eval, b, a, 1, out);

    case CEL_PAIR(CEL_TIMESTAMP, CEL_DURATION):
    case CEL_PAIR(CEL_DURATION, CEL_DURATION):
        return cel_add_times(eval, a, b, 1, out);

    default:
        return cel_fail_overload(eval);
    }
}


static cel_status_t
cel_add_bytes(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    cel_value_t *out)
{
    char    *p;
    size_t   len;

    len = (size_t) a->len + b->len;

    if (cel_charge(eval, len >> CEL_BYTES_SHIFT) != CEL_OK) {
        return CEL_ERROR;
    }

    p = cel_new_string(eval, len, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    memcpy(p, a->s, a->len);
    memcpy(p + a->len, b->s, b->len);

    out->kind = a->kind;

    return CEL_OK;
}


static cel_status_t
cel_add_lists(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    cel_value_t *out)
{
    size_t         na, nb;
    cel_value_t   *values;
    cel_status_t   rc;

    na = cel_size(a);
    nb = cel_size(b);

    if (cel_charge(eval, na + nb) != CEL_OK) {
        return CEL_ERROR;
    }

    if (na + nb > UINT32_MAX) {
        return cel_fail_memory(eval);
    }

    values = cel_eval_alloc(eval, (na + nb) * sizeof(cel_value_t));
    if (values == NULL) {
        return CEL_ERROR;
    }

    rc = cel_copy_list(eval, a, values);

    if (rc == CEL_OK) {
        rc = cel_copy_list(eval, b, values + na);
    }

    if (rc != CEL_OK) {
        return rc;
    }

    return cel_wrap_list(eval, values, (uint32_t) (na + nb), out);
}


static cel_status_t
cel_copy_list(cel_eval_t *eval, const cel_value_t *list, cel_value_t *values)
{
    cel_iter_t    iter;
    cel_status_t  rc;

    cel_iter_init(&iter, list);

    while (iter.i < iter.n) {
        rc = cel_iter_next(&iter, eval, NULL, values++);
        if (rc != CEL_OK) {
            return rc;
        }
    }

    return CEL_OK;
}


/* a: timestamp or duration, b: duration */

static cel_status_t
cel_add_times(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    int sign, cel_value_t *out)
{
    int64_t  seconds, nanoseconds;

    seconds = a->i + sign * b->i;
    nanoseconds = (int64_t) (int32_t) a->len
                  + sign * (int64_t) (int32_t) b->len;

    if (a->kind == CEL_TIMESTAMP) {
        if (!cel_time_make(seconds, nanoseconds, out)) {
            return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                                 "timestamp overflow");
        }

        return CEL_OK;
    }

    if (!cel_duration_make(seconds, nanoseconds, out)) {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE, "duration overflow");
    }

    return CEL_OK;
}


cel_status_t
cel_op_sub(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int64_t             i;
    uint64_t            u;
    const cel_value_t  *a, *b;

    a = &args[0];
    b = &args[1];

    switch (CEL_PAIR(a->kind, b->kind)) {

    case CEL_PAIR(CEL_INT, CEL_INT):
        if (__builtin_sub_overflow(a->i, b->i, &i)) {
            return cel_fail_overflow(eval);
        }

        *out = cel_int(i);
        return CEL_OK;

    case CEL_PAIR(CEL_UINT, CEL_UINT):
        if (__builtin_sub_overflow(a->u, b->u, &u)) {
            return cel_fail_overflow(eval);
        }

        *out = cel_uint(u);
        return CEL_OK;

    case CEL_PAIR(CEL_DOUBLE, CEL_DOUBLE):
        *out = cel_double(a->d - b->d);
        return CEL_OK;

    case CEL_PAIR(CEL_TIMESTAMP, CEL_DURATION):
    case CEL_PAIR(CEL_DURATION, CEL_DURATION):
        return cel_add_times(eval, a, b, -1, out);

    case CEL_PAIR(CEL_TIMESTAMP, CEL_TIMESTAMP):

        /* as many nanoseconds as 64 bits hold, 292 years, as elsewhere */

        if (__builtin_mul_overflow(a->i - b->i, CEL_NSEC, &i)
            || __builtin_add_overflow(i, (int64_t) a->len - (int64_t) b->len,
                                      &i)
            || !cel_duration_make(a->i - b->i,
                                  (int64_t) a->len - (int64_t) b->len, out))
        {
            return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                                 "duration overflow");
        }

        return CEL_OK;

    default:
        return cel_fail_overload(eval);
    }
}


cel_status_t
cel_op_mul(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int64_t             i;
    uint64_t            u;
    const cel_value_t  *a, *b;

    a = &args[0];
    b = &args[1];

    switch (CEL_PAIR(a->kind, b->kind)) {

    case CEL_PAIR(CEL_INT, CEL_INT):
        if (__builtin_mul_overflow(a->i, b->i, &i)) {
            return cel_fail_overflow(eval);
        }

        *out = cel_int(i);
        return CEL_OK;

    case CEL_PAIR(CEL_UINT, CEL_UINT):
        if (__builtin_mul_overflow(a->u, b->u, &u)) {
            return cel_fail_overflow(eval);
        }

        *out = cel_uint(u);
        return CEL_OK;

    case CEL_PAIR(CEL_DOUBLE, CEL_DOUBLE):
        *out = cel_double(a->d * b->d);
        return CEL_OK;

    default:
        return cel_fail_overload(eval);
    }
}


cel_status_t
cel_op_div(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    const cel_value_t  *a, *b;

    a = &args[0];
    b = &args[1];

    switch (CEL_PAIR(a->kind, b->kind)) {

    case CEL_PAIR(CEL_INT, CEL_INT):
        if (b->i == 0) {
            return cel_divide_by_zero(eval, "divide by zero");
        }

        if (a->i == INT64_MIN && b->i == -1) {
            return cel_fail_overflow(eval);
        }

        *out = cel_int(a->i / b->i);
        return CEL_OK;

    case CEL_PAIR(CEL_UINT, CEL_UINT):
        if (b->u == 0) {
            return cel_divide_by_zero(eval, "divide by zero");
        }

        *out = cel_uint(a->u / b->u);
        return CEL_OK;

    case CEL_PAIR(CEL_DOUBLE, CEL_DOUBLE):
        if (b->d == 0) {
            *out = cel_double(a->d == 0 || a->d != a->d
                              ? NAN
                              : signbit(a->d) != signbit(b->d) ? -INFINITY
                                                               : INFINITY);
            return CEL_OK;
        }

        *out = cel_double(a->d / b->d);
        return CEL_OK;

    default:
        return cel_fail_overload(eval);
    }
}


cel_status_t
cel_op_mod(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    const cel_value_t  *a, *b;

    a = &args[0];
    b = &args[1];

    switch (CEL_PAIR(a->kind, b->kind)) {

    case CEL_PAIR(CEL_INT, CEL_INT):
        if (b->i == 0) {
            return cel_divide_by_zero(eval, "modulus by zero");
        }

        if (a->i == INT64_MIN && b->i == -1) {
            return cel_fail_overflow(eval);
        }

        *out = cel_int(a->i % b->i);
        return CEL_OK;

    case CEL_PAIR(CEL_UINT, CEL_UINT):
        if (b->u == 0) {
            return cel_divide_by_zero(eval, "modulus by zero");
        }

        *out = cel_uint(a->u % b->u);
        return CEL_OK;

    default:
        return cel_fail_overload(eval);
    }
}


static cel_status_t
cel_divide_by_zero(cel_eval_t *eval, const char *what)
{
    return cel_eval_fail(eval, CEL_E_DIVIDE_BY_ZERO, "%s", what);
}


cel_status_t
cel_op_neg(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    if (args[0].kind == CEL_INT) {
        if (args[0].i == INT64_MIN) {
            return cel_fail_overflow(eval);
        }

        *out = cel_int(-args[0].i);
        return CEL_OK;
    }

    if (args[0].kind == CEL_DOUBLE) {
        *out = cel_double(-args[0].d);
        return CEL_OK;
    }

    if (args[0].kind == CEL_DURATION) {
        *out = cel_duration(-args[0].i, -(int32_t) args[0].len);
        return CEL_OK;
    }

    return cel_fail_overload(eval);
}


/* list[number], map[key] */

cel_status_t
cel_op_index(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    cel_status_t        rc;
    const cel_value_t  *key;

    key = &args[1];

    if (args[0].kind == CEL_LIST) {
        return cel_index_list(eval, &args[0], key, out);
    }

    if (args[0].kind == CEL_OPTIONAL) {
        return cel_optional_part(eval, &args[0], key, out);
    }

    if (args[0].kind != CEL_MAP
        || (!cel_is_key(key) && key->kind != CEL_DOUBLE))
    {
        return cel_fail_overload(eval);
    }

    rc = cel_map_get(eval, &args[0], key, out);

    return rc == CEL_NOT_FOUND ? cel_fail_key(eval, key) : rc;
}


static cel_status_t
cel_index_list(cel_eval_t *eval, const cel_value_t *list,
    const cel_value_t *index, cel_value_t *out)
{
    char         text[CEL_NUMBER_TEXT];
    uint32_t     i, size;
    cel_value_t  whole;

    if (!cel_is_number(index)) {
        return cel_fail_overload(eval);
    }

    size = cel_size(list);
    i = 0;

    switch (index->kind) {

    case CEL_INT:
    case CEL_UINT:
        if (index->u < size) {
            i = (uint32_t) index->u;
            return cel_entry(eval, list, i, NULL, out);
        }

        break;

    default:
        if (index->d >= 0 && index->d < size) {
            i = (uint32_t) index->d;
        }

        whole = cel_uint(i);

        if (i < size && cel_compare_numbers(index, &whole) == 0) {
            return cel_entry(eval, list, i, NULL, out);
        }

        if (index->d != floor(index->d)) {
            cel_value_text(index, text, sizeof(text));
            return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                                 "unsupported index value: %s", text);
        }
    }

    cel_value_text(index, text, sizeof(text));

    return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE, "index out of bounds: %s",
                         text);
}


bool
cel_list_outside(const cel_value_t *list, const cel_value_t *index)
{
    uint32_t  size;

    size = cel_size(list);

    switch (index->kind) {

    case CEL_INT:
        return index->i < 0 || index->i >= size;

    case CEL_UINT:
        return index->u >= size;

    case CEL_DOUBLE:
        return (index->d < 0 || index->d >= size)
               && index->d == floor(index->d);

    default:
        return false;
    }
}


/* x in list, key in map */

cel_status_t
cel_op_in(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    bool          equal;
    cel_iter_t    iter;
    cel_value_t   v;
    cel_status_t  rc;

    if (args[1].kind == CEL_MAP) {
        rc = cel_map_get(eval, &args[1], &args[0], &v);

        if (rc != CEL_OK && rc != CEL_NOT_FOUND) {
            return rc;
        }

        *out = cel_bool(rc == CEL_OK);
        return CEL_OK;
    }

    if (args[1].kind != CEL_LIST) {
        return cel_fail_overload(eval);
    }

    cel_iter_init(&iter, &args[1]);
    equal = false;

    while (!equal && iter.i < iter.n) {

        if (cel_charge(eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_iter_next(&iter, eval, NULL, &v);

        if (rc == CEL_OK) {
            rc = cel_equal(eval, &args[0], &v, &equal);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    *out = cel_bool(equal);

    return CEL_OK;
}
