
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * query_path.h - what the files of src/query share: dotted paths, the order
 * of JSON values, filling an error.  Private to the room.
 */


#ifndef QUERY_PATH_H_INCLUDED
#define QUERY_PATH_H_INCLUDED


#include "query.h"


#define QUERY_PATH_PARTS  16

#define QUERY_NO_INDEX    SIZE_MAX


typedef struct {
    const char        *name;            /* NUL-terminated */
    size_t             len;
    size_t             index;           /* QUERY_NO_INDEX: not a number */
} query_part_t;


/* One malloc; the names are in it. */

typedef struct query_path_s  query_path_t;

struct query_path_s {
    query_path_t      *next;            /* all of one query */
    uint32_t           count;
    query_part_t       parts[];
};


/* NULL with *error (its path untouched): empty parts, too many of them. */
query_path_t *query_path_create(const char *text, size_t len,
    query_error_t *error);


/* What to do with an array at the end of a path. */

typedef enum {
    QUERY_LEAF_WHOLE = 0,     /* the array */
    QUERY_LEAF_EACH,          /* its elements, then the array */
    QUERY_LEAF_SORT           /* its elements; the array if it is empty */
} query_leaf_t;


/* value NULL: nothing is there.  True ends the walk. */
typedef bool (*query_visit_pt)(void *ctx, const json_t *value);

/* Visits all values the path means; true when a visit said true. */
bool query_path_walk(const query_path_t *path, const json_t *document,
    query_leaf_t leaf, query_visit_pt visit, void *ctx);


/*
 * A total order: null, numbers, strings, objects, arrays, booleans; 0 is
 * equality, the one of query.h.  NULL (missing) is null.
 */
int query_value_compare(const json_t *a, const json_t *b);

/* Do order comparisons see them as of one class. */
bool query_value_comparable(const json_t *a, const json_t *b);


/* Fills the message, never cut inside a character; always returns NULL. */
void *query_error_set(query_error_t *error, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* len without the bytes of a character that was cut at the end */
size_t query_utf8_cut(const char *text, size_t len);


#endif /* QUERY_PATH_H_INCLUDED */
