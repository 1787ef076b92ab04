
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * query.h - MongoDB-style filters over JSON documents: compile, match, name
 * the key an index can serve; sorting and projection by the same paths.  The
 * one public header of src/query; knows no nginx and no store.
 *
 * Semantics follow MongoDB's query language for the operators it has:
 * equality on dotted paths, $eq $ne $gt $gte $lt $lte $in $nin $exists $and
 * $or $not.  A path that meets an array matches when any element does; a
 * number in the path is an index; null equals missing; order comparisons
 * match only values of the same type class (numbers, strings, booleans).
 * Objects are equal whatever the order of their keys.
 *
 * Threads: a query_t is immutable; one thread at a time because of jansson.
 */


#ifndef QUERY_H_INCLUDED
#define QUERY_H_INCLUDED


#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <jansson.h>


typedef struct query_s  query_t;


#define QUERY_MESSAGE_MAX  240
#define QUERY_PATH_MAX     160

typedef struct {
    char              path[QUERY_PATH_MAX];      /* "$.metadata.x.$gtt" */
    char              message[QUERY_MESSAGE_MAX];/* what, what would be right */
} query_error_t;


/* 0 = the default in the comment */

typedef struct {
    uint32_t          max_depth;        /* 16: nesting, parts of a path */
    uint32_t          max_nodes;        /* 1000 operators and fields */
    uint32_t          max_in;           /* 1000 elements of $in, $nin */
} query_limits_t;


/*
 * filter is an object and borrowed during the call; the query keeps its own
 * references.  NULL with *error on an unknown operator, a wrong operand or a
 * limit.  {} matches everything.
 */
query_t *query_compile(json_t *filter, const query_limits_t *limits,
    query_error_t *error);
void query_destroy(query_t *query);

bool query_match(const query_t *query, const json_t *document);

/*
 * The string that field must equal in every match (an index can serve it),
 * or NULL; borrowed from the query.
 */
const char *query_equals(const query_t *query, const char *field,
    size_t *len);


/*
 * Sorting.  text: "a.b,-c" (minus = descending), 1..8 paths.  NULL with
 * *error when malformed.  As in MongoDB an array stands for its smallest
 * element when ascending, its largest when descending; an empty one comes
 * before null; missing equals null; types rank null, numbers, strings,
 * objects, arrays, booleans.
 */
typedef struct query_sort_s  query_sort_t;

query_sort_t *query_sort_compile(const char *text, size_t len,
    query_error_t *error);
void query_sort_destroy(query_sort_t *sort);

/*
 * What a document is sorted by: an array of one value per path (the
 * caller's reference; the values are shared with the document), NULL when
 * out of memory.  It may be written out and read back: comparing stays the
 * same, so a page can begin where the last one ended.
 */
json_t *query_sort_key(const query_sort_t *sort, const json_t *document);

/* Can key be one of this sort: an array of as many values. */
bool query_sort_key_valid(const query_sort_t *sort, const json_t *key);

/* < 0, 0, > 0; keys of query_sort_key(), documents themselves. */
int query_compare_keys(const query_sort_t *sort, const json_t *a,
    const json_t *b);
int query_compare(const query_sort_t *sort, const json_t *a,
    const json_t *b);


/*
 * Projection.  text: "a,b.c", each path wanted, none inside another.  An
 * array on the way is projected element by element, what is no object in it
 * is left out.  A number in the path is a key here, not an index.
 */
typedef struct query_fields_s  query_fields_t;

query_fields_t *query_fields_compile(const char *text, size_t len,
    query_error_t *error);
void query_fields_destroy(query_fields_t *fields);

/*
 * A new object (the caller's reference) with the fields that document has;
 * leaves are shared with it.  NULL when out of memory.
 */
json_t *query_project(const query_fields_t *fields, const json_t *document);


#endif /* QUERY_H_INCLUDED */
