
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Sorting documents by paths: "a.b,-c".  Orders; does not sort by itself.
 */


#include <stdlib.h>
#include <string.h>
#include "query_path.h"


#define QUERY_SORT_PATHS  8


struct query_sort_s {
    uint32_t         count;
    query_path_t    *paths[QUERY_SORT_PATHS];
    bool             descending[QUERY_SORT_PATHS];
};


typedef struct {
    const json_t    *value;
    bool             found;
    bool             descending;
} query_extreme_t;


static bool query_sort_add(query_sort_t *sort, const char *text, size_t len,
    query_error_t *error);
static const json_t *query_sort_value(const query_sort_t *sort, uint32_t i,
    const json_t *document);
static bool query_visit_extreme(void *ctx, const json_t *value);
static int query_sort_compare(const json_t *a, const json_t *b);
static bool query_empty_array(const json_t *value);


query_sort_t *
query_sort_compile(const char *text, size_t len, query_error_t *error)
{
    size_t         n;
    const char    *comma;
    query_sort_t  *sort;

    strcpy(error->path, "sort");
    error->message[0] = '\0';

    sort = calloc(1, sizeof(query_sort_t));
    if (sort == NULL) {
        return query_error_set(error, "out of memory");
    }

    for ( ;; ) {
        comma = memchr(text, ',', len);
        n = comma != NULL ? (size_t) (comma - text) : len;

        if (!query_sort_add(sort, text, n, error)) {
            query_sort_destroy(sort);
            return NULL;
        }

        if (comma == NULL) {
            return sort;
        }

        text += n + 1;
        len -= n + 1;
    }
}


static bool
query_sort_add(query_sort_t *sort, const char *text, size_t len,
    query_error_t *error)
{
    query_path_t  *path;

    if (sort->count == QUERY_SORT_PATHS) {
        query_error_set(error, "sorts by at most %d paths", QUERY_SORT_PATHS);
        return false;
    }

    if (len && text[0] == '-') {
        sort->descending[sort->count] = true;
        text++;
        len--;
    }

    path = query_path_create(text, len, error);
    if (path == NULL) {
        return false;
    }

    sort->paths[sort->count++] = path;

    return true;
}


void
query_sort_destroy(query_sort_t *sort)
{
    uint32_t  i;

    if (sort == NULL) {
        return;
    }

    for (i = 0; i < sort->count; i++) {
        free(sort->paths[i]);
    }

    free(sort);
}


json_t *
query_sort_key(const query_sort_t *sort, const json_t *document)
{
    json_t        *key, *value;
    uint32_t       i;
    const json_t  *found;

    key = json_array();
    if (key == NULL) {
        return NULL;
    }

    for (i = 0; i < sort->count; i++) {
        found = query_sort_value(sort, i, document);
        value = found != NULL ? json_incref((json_t *) found) : json_null();

        if (json_array_append_new(key, value) != 0) {
            json_decref(key);
            return NULL;
        }
    }

    return key;
}


bool
query_sort_key_valid(const query_sort_t *sort, const json_t *key)
{
    return json_is_array(key) && json_array_size(key) == sort->count;
}


int
query_compare_keys(const query_sort_t *sort, const json_t *a,
    const json_t *b)
{
    int       rc;
    uint32_t  i;

    for (i = 0; i < sort->count; i++) {
        rc = query_sort_compare(json_array_get(a, i), json_array_get(b, i));

        if (rc != 0) {
            return sort->descending[i] ? -rc : rc;
        }
    }

    return 0;
}


int
query_compare(const query_sort_t *sort, const json_t *a, const json_t *b)
{
    int       rc;
    uint32_t  i;

    for (i = 0; i < sort->count; i++) {
        rc = query_sort_compare(query_sort_value(sort, i, a),
                                query_sort_value(sort, i, b));

        if (rc != 0) {
            return sort->descending[i] ? -rc : rc;
        }
    }

    return 0;
}


static const json_t *
query_sort_value(const query_sort_t *sort, uint32_t i,
    const json_t *document)
{
    query_extreme_t  extreme;

    extreme.value = NULL;
    extreme.found = false;
    extreme.descending = sort->descending[i];

    (void) query_path_walk(sort->paths[i], document, QUERY_LEAF_SORT,
                           query_visit_extreme, &extreme);

    return extreme.value;
}


static bool
query_visit_extreme(void *ctx, const json_t *value)
{
    query_extreme_t *extreme = ctx;

    int  rc;

    if (extreme->found) {
        rc = query_sort_compare(value, extreme->value);

        if (extreme->descending ? rc <= 0 : rc >= 0) {
            return false;
        }
    }

    extreme->found = true;
    extreme->value = value;

    return false;
}


/* An empty array comes before everything. */

static int
query_sort_compare(const json_t *a, const json_t *b)
{
    bool  a_empty, b_empty;

    a_empty = query_empty_array(a);
    b_empty = query_empty_array(b);

    if (a_empty || b_empty) {
        return b_empty - a_empty;
    }

    return query_value_compare(a, b);
}


static bool
query_empty_array(const json_t *value)
{
    return json_is_array(value) && json_array_size(value) == 0;
}
