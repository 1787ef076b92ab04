
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The order and equality of JSON values.  Knows neither paths nor operators.
 */


#include <string.h>
#include "query_path.h"


static int query_value_rank(const json_t *value);
static int query_number_compare(const json_t *a, const json_t *b);
static int query_integer_real_compare(json_int_t i, double d);
static int query_string_compare(const json_t *a, const json_t *b);
static int query_array_compare(const json_t *a, const json_t *b);
static int query_object_compare(const json_t *a, const json_t *b);
static const char *query_object_differs(const json_t *a, const json_t *b,
    const char *than);


int
query_value_compare(const json_t *a, const json_t *b)
{
    int  rank;

    rank = query_value_rank(a);

    if (rank != query_value_rank(b)) {
        return rank < query_value_rank(b) ? -1 : 1;
    }

    if (a == NULL || b == NULL) {
        return 0;
    }

    switch (json_typeof(a)) {

    case JSON_INTEGER:
    case JSON_REAL:
        return query_number_compare(a, b);

    case JSON_STRING:
        return query_string_compare(a, b);

    case JSON_OBJECT:
        return query_object_compare(a, b);

    case JSON_ARRAY:
        return query_array_compare(a, b);

    case JSON_TRUE:
    case JSON_FALSE:
        return json_is_true(a) - json_is_true(b);

    default: /* JSON_NULL */
        return 0;
    }
}


bool
query_value_comparable(const json_t *a, const json_t *b)
{
    return query_value_rank(a) == query_value_rank(b);
}


static int
query_value_rank(const json_t *value)
{
    if (value == NULL) {
        return 0;
    }

    switch (json_typeof(value)) {

    case JSON_INTEGER:
    case JSON_REAL:
        return 1;

    case JSON_STRING:
        return 2;

    case JSON_OBJECT:
        return 3;

    case JSON_ARRAY:
        return 4;

    case JSON_TRUE:
    case JSON_FALSE:
        return 5;

    default: /* JSON_NULL */
        return 0;
    }
}


static int
query_number_compare(const json_t *a, const json_t *b)
{
    double      x, y;
    json_int_t  i, j;

    if (json_is_integer(a) && json_is_integer(b)) {
        i = json_integer_value(a);
        j = json_integer_value(b);

        return (i > j) - (i < j);
    }

    if (json_is_integer(a)) {
        return query_integer_real_compare(json_integer_value(a),
                                          json_real_value(b));
    }

    if (json_is_integer(b)) {
        return -query_integer_real_compare(json_integer_value(b),
                                           json_real_value(a));
    }

    x = json_real_value(a);
    y = json_real_value(b);

    return (x > y) - (x < y);
}


/* Exact: 2^53 + 1 is not 2^53, whichever of them is written with ".0". */

static int
query_integer_real_compare(json_int_t i, double d)
{
    json_int_t  whole;

    if (d >= 9223372036854775808.0) {
        return -1;
    }

    if (d < -9223372036854775808.0) {
        return 1;
    }

    whole = (json_int_t) d;

    if (i != whole) {
        return i < whole ? -1 : 1;
    }

    d -= (double) whole;

    return (d < 0) - (d > 0);
}


static int
query_string_compare(const json_t *a, const json_t *b)
{
    int     rc;
    size_t  n, m;

    n = json_string_length(a);
    m = json_string_length(b);

    rc = memcmp(json_string_value(a), json_string_value(b), n < m ? n : m);

    if (rc != 0) {
        return rc;
    }

    return (n > m) - (n < m);
}


static int
query_array_compare(const json_t *a, const json_t *b)
{
    int     rc;
    size_t  i, n, m;

    n = json_array_size(a);
    m = json_array_size(b);

    for (i = 0; i < n && i < m; i++) {
        rc = query_value_compare(json_array_get(a, i), json_array_get(b, i));

        if (rc != 0) {
            return rc;
        }
    }

    return (n > m) - (n < m);
}


/*
 * The order of keys does not count: objects are compared at the least key in
 * which they differ; who has not got it comes first.
 */

static int
query_object_compare(const json_t *a, const json_t *b)
{
    const char    *key;
    const json_t  *x, *y;

    key = query_object_differs(a, b, NULL);
    key = query_object_differs(b, a, key);

    if (key == NULL) {
        return 0;
    }

    x = json_object_get(a, key);
    y = json_object_get(b, key);

    if (x == NULL || y == NULL) {
        return x == NULL ? -1 : 1;
    }

    return query_value_compare(x, y);
}


/* The least key of a, less than `than`, in which they differ, or `than`. */

static const char *
query_object_differs(const json_t *a, const json_t *b, const char *than)
{
    void          *iter;
    json_t        *object;
    const char    *key;
    const json_t  *y;

    object = (json_t *) a;

    for (iter = json_object_iter(object);
         iter != NULL;
         iter = json_object_iter_next(object, iter))
    {
        key = json_object_iter_key(iter);

        if (than != NULL && strcmp(key, than) >= 0) {
            continue;
        }

        y = json_object_get(b, key);

        if (y == NULL
            || query_value_compare(json_object_iter_value(iter), y) != 0)
        {
            than = key;
        }
    }

    return than;
}
