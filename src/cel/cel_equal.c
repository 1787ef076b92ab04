
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_equal.c - equality and order of values, as the language defines them:
 * numbers compare by value across their types, values of different kinds are
 * unequal but have no order.
 */


#include "cel_runtime.h"


static cel_status_t cel_equal_at(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, bool *equal, uint32_t depth) __attribute__((hot));
static bool cel_equal_opaque(const cel_opaque_t *a, const cel_opaque_t *b);
static cel_status_t cel_equal_lists(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, bool *equal, uint32_t depth);
static cel_status_t cel_equal_maps(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, bool *equal, uint32_t depth);
static bool cel_equal_types(const cel_type_t *a, const cel_type_t *b);


cel_status_t
cel_equal(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    bool *equal)
{
    return cel_equal_at(eval, a, b, equal, 0);
}


static cel_status_t
cel_equal_at(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    bool *equal, uint32_t depth)
{
    if (a->kind != b->kind) {
        *equal = cel_is_number(a) && cel_is_number(b)
                 && cel_compare_numbers(a, b) == 0;
        return CEL_OK;
    }

    switch (a->kind) {

    case CEL_NULL:
        *equal = true;
        return CEL_OK;

    case CEL_BOOL:
        *equal = a->b == b->b;
        return CEL_OK;

    case CEL_INT:
    case CEL_UINT:
        *equal = a->u == b->u;
        return CEL_OK;

    case CEL_DOUBLE:
        *equal = a->d == b->d;
        return CEL_OK;

    case CEL_STRING:
    case CEL_BYTES:
        if (a->len == b->len
            && cel_charge(eval, a->len >> CEL_BYTES_SHIFT) != CEL_OK)
        {
            return CEL_ERROR;
        }

        *equal = cel_same_bytes(a, b);
        return CEL_OK;

    case CEL_TIMESTAMP:
    case CEL_DURATION:
        *equal = a->i == b->i && a->len == b->len;
        return CEL_OK;

    case CEL_LIST:
        return cel_equal_lists(eval, a, b, equal, depth);

    case CEL_MAP:
        return cel_equal_maps(eval, a, b, equal, depth);

    case CEL_TYPE:
        *equal = cel_equal_types(a->t, b->t);
        return CEL_OK;

    case CEL_OPTIONAL:
        if (a->v == NULL || b->v == NULL) {
            *equal = a->v == b->v;
            return CEL_OK;
        }

        if (depth >= CEL_VALUE_DEPTH) {
            return cel_eval_fail(eval, CEL_E_DEPTH, "values nest too deep");
        }

        return cel_equal_at(eval, a->v, b->v, equal, depth + 1);

    case CEL_OPAQUE:
        if (cel_charge(eval, a->len >> CEL_BYTES_SHIFT) != CEL_OK) {
            return CEL_ERROR;
        }

        *equal = cel_equal_opaque((const cel_opaque_t *) a->o,
                                  (const cel_opaque_t *) b->o);
        return CEL_OK;

    default:
        *equal = a->o == b->o;
        return CEL_OK;
    }
}


static bool
cel_equal_opaque(const cel_opaque_t *a, const cel_opaque_t *b)
{
    return a->type == b->type && a->len == b->len
           && memcmp(a->data, b->data, a->len) == 0;
}


static cel_status_t
cel_equal_lists(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    bool *equal, uint32_t depth)
{
    cel_iter_t    ia, ib;
    cel_value_t   va, vb;
    cel_status_t  rc;

    cel_iter_init(&ia, a);
    cel_iter_init(&ib, b);

    *equal = ia.n == ib.n;

    if (depth >= CEL_VALUE_DEPTH) {
        return cel_eval_fail(eval, CEL_E_DEPTH, "values nest too deep");
    }

    while (*equal && ia.i < ia.n) {

        if (cel_charge(eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_iter_next(&ia, eval, NULL, &va);
        if (rc != CEL_OK) {
            return rc;
        }

        rc = cel_iter_next(&ib, eval, NULL, &vb);
        if (rc != CEL_OK) {
            return rc;
        }

        rc = cel_equal_at(eval, &va, &vb, equal, depth + 1);
        if (rc != CEL_OK) {
            return rc;
        }
    }

    return CEL_OK;
}


static cel_status_t
cel_equal_maps(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    bool *equal, uint32_t depth)
{
    cel_iter_t    ia;
    cel_value_t   key, va, vb;
    cel_status_t  rc;

    cel_iter_init(&ia, a);

    *equal = ia.n == cel_size(b);

    if (depth >= CEL_VALUE_DEPTH) {
        return cel_eval_fail(eval, CEL_E_DEPTH, "values nest too deep");
    }

    while (*equal && ia.i < ia.n) {

        if (cel_charge(eval, 2) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_iter_next(&ia, eval, &key, &va);
        if (rc != CEL_OK) {
            return rc;
        }

        rc = cel_map_get(eval, b, &key, &vb);

        if (rc == CEL_NOT_FOUND) {
            *equal = false;
            return CEL_OK;
        }

        if (rc != CEL_OK) {
            return rc;
        }

        rc = cel_equal_at(eval, &va, &vb, equal, depth + 1);
        if (rc != CEL_OK) {
            return rc;
        }
    }

    return CEL_OK;
}


/* list(int) and list(string) are both "list" at run time. */

static bool
cel_equal_types(const cel_type_t *a, const cel_type_t *b)
{
    if (a == b) {
        return true;
    }

    if (a->kind != b->kind) {
        return false;
    }

    if (a->kind == CEL_T_OPAQUE || a->kind == CEL_T_STRUCT) {
        return strcmp(a->name, b->name) == 0;
    }

    return true;
}


/* A number that meets a double is rounded to one, as in cel-go. */

static int
cel_compare_doubles(double a, double b)
{
    if (a != a || b != b) {
        return CEL_UNORDERED;
    }

    return a < b ? -1 : a > b;
}


static int
cel_compare_int_double(int64_t i, double d)
{
    return cel_compare_doubles((double) i, d);
}


static int
cel_compare_uint_double(uint64_t u, double d)
{
    return cel_compare_doubles((double) u, d);
}


static int
cel_compare_int_uint(int64_t i, uint64_t u)
{
    if (i < 0) {
        return -1;
    }

    return (uint64_t) i < u ? -1 : (uint64_t) i > u;
}


static int
cel_opposite(int order)
{
    return order == CEL_UNORDERED ? order : -order;
}


int
cel_compare_numbers(const cel_value_t *a, const cel_value_t *b)
{
    switch (a->kind) {

    case CEL_INT:
        if (b->kind == CEL_INT) {
            return a->i < b->i ? -1 : a->i > b->i;
        }

        return b->kind == CEL_UINT ? cel_compare_int_uint(a->i, b->u)
                                   : cel_compare_int_double(a->i, b->d);

    case CEL_UINT:
        if (b->kind == CEL_UINT) {
            return a->u < b->u ? -1 : a->u > b->u;
        }

        return b->kind == CEL_INT
               ? cel_opposite(cel_compare_int_uint(b->i, a->u))
               : cel_compare_uint_double(a->u, b->d);

    default:
        if (b->kind == CEL_INT) {
            return cel_opposite(cel_compare_int_double(b->i, a->d));
        }

        if (b->kind == CEL_UINT) {
            return cel_opposite(cel_compare_uint_double(b->u, a->d));
        }

        return cel_compare_doubles(a->d, b->d);
    }
}


cel_status_t
cel_compare(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b,
    int *order)
{
    int       n;
    uint32_t  len;

    if (cel_is_number(a) && cel_is_number(b)) {
        *order = cel_compare_numbers(a, b);
        return CEL_OK;
    }

    if (a->kind != b->kind) {
        return cel_fail_overload(eval);
    }

    switch (a->kind) {

    case CEL_BOOL:
        *order = (int) a->b - (int) b->b;
        return CEL_OK;

    case CEL_STRING:
    case CEL_BYTES:
        len = a->len < b->len ? a->len : b->len;

        if (cel_charge(eval, len >> CEL_BYTES_SHIFT) != CEL_OK) {
            return CEL_ERROR;
        }

        n = memcmp(a->s, b->s, len);

        if (n == 0) {
            n = a->len < b->len ? -1 : a->len > b->len;
        }

        *order = n < 0 ? -1 : n > 0;
        return CEL_OK;

    case CEL_TIMESTAMP:
    case CEL_DURATION:
        *order = a->i < b->i ? -1 : a->i > b->i;

        if (*order == 0) {
            *order = (int32_t) a->len < (int32_t) b->len
                     ? -1 : (int32_t) a->len > (int32_t) b->len;
        }

        return CEL_OK;

    default:
        return cel_fail_overload(eval);
    }
}
