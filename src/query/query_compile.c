
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * From a filter to a tree of nodes, and everything that can be wrong with a
 * filter.  What is compiled matches without failing.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "query_node.h"


#define QUERY_DEPTH  16
#define QUERY_NODES  1000
#define QUERY_INS    1000

#define QUERY_FILTER_OPERATORS  "$and, $or"
#define QUERY_FIELD_OPERATORS                                                 \
    "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $not"


typedef struct {
    query_t             *query;
    query_limits_t       limits;
    query_error_t       *error;
    uint32_t             nodes;
    uint32_t             depth;
    size_t               len;           /* of error->path */
} query_compiler_t;


typedef query_node_t *(*query_operand_pt)(query_compiler_t *c,
    const query_path_t *path, query_op_t op, json_t *value);

typedef struct {
    const char          *name;
    query_operand_pt     compile;
    query_op_t           op;
    bool                 negated;
} query_operator_t;


static query_node_t *query_compile_filter(query_compiler_t *c,
    json_t *filter);
static query_node_t *query_compile_entry(query_compiler_t *c,
    const char *key, json_t *value);
static query_node_t *query_compile_list(query_compiler_t *c, query_op_t op,
    json_t *value);
static query_node_t *query_compile_field(query_compiler_t *c,
    const char *key, json_t *value);
static int query_operators_in(query_compiler_t *c, json_t *value);
static query_node_t *query_compile_operators(query_compiler_t *c,
    const query_path_t *path, json_t *value);
static query_node_t *query_compile_operator(query_compiler_t *c,
    const query_path_t *path, const char *name, json_t *value);
static query_node_t *query_compile_equal(query_compiler_t *c,
    const query_path_t *path, query_op_t op, json_t *value);
static query_node_t *query_compile_order(query_compiler_t *c,
    const query_path_t *path, query_op_t op, json_t *value);
static query_node_t *query_compile_set(query_compiler_t *c,
    const query_path_t *path, query_op_t op, json_t *value);
static query_node_t *query_compile_exists(query_compiler_t *c,
    const query_path_t *path, query_op_t op, json_t *value);
static query_node_t *query_compile_not(query_compiler_t *c,
    const query_path_t *path, query_op_t op, json_t *value);
static query_node_t *query_node_create(query_compiler_t *c, query_op_t op);
static query_node_t *query_node_negate(query_compiler_t *c,
    query_node_t *node);
static void query_node_append(query_node_t *parent, query_node_t **last,
    query_node_t *node);
static bool query_literal_fits(query_compiler_t *c, const json_t *value,
    uint32_t depth);
static int query_set_compare(const void *a, const void *b);
static bool query_enter(query_compiler_t *c);
static size_t query_trail_push(query_compiler_t *c, const char *key);
static size_t query_trail_index(query_compiler_t *c, size_t index);
static void query_trail_pop(query_compiler_t *c, size_t len);


static const query_operator_t  query_operators[] = {
    { "$eq", query_compile_equal, QUERY_EQ, false },
    { "$ne", query_compile_equal, QUERY_EQ, true },
    { "$gt", query_compile_order, QUERY_GT, false },
    { "$gte", query_compile_order, QUERY_GTE, false },
    { "$lt", query_compile_order, QUERY_LT, false },
    { "$lte", query_compile_order, QUERY_LTE, false },
    { "$in", query_compile_set, QUERY_IN, false },
    { "$nin", query_compile_set, QUERY_IN, true },
    { "$exists", query_compile_exists, QUERY_EXISTS, false },
    { "$not", query_compile_not, QUERY_NOT, false },
    { NULL, NULL, QUERY_AND, false }
};


query_t *
query_compile(json_t *filter, const query_limits_t *limits,
    query_error_t *error)
{
    query_t           *query;
    query_compiler_t   c;

    memset(&c, 0, sizeof(query_compiler_t));

    if (limits != NULL) {
        c.limits = *limits;
    }

    if (c.limits.max_depth == 0) {
        c.limits.max_depth = QUERY_DEPTH;
    }

    if (c.limits.max_nodes == 0) {
        c.limits.max_nodes = QUERY_NODES;
    }

    if (c.limits.max_in == 0) {
        c.limits.max_in = QUERY_INS;
    }

    c.error = error;
    c.len = 1;
    strcpy(error->path, "$");
    error->message[0] = '\0';

    if (!json_is_object(filter)) {
        return query_error_set(error, "a filter is an object");
    }

    query = calloc(1, sizeof(query_t));
    if (query == NULL) {
        return query_error_set(error, "out of memory");
    }

    c.query = query;
    query->filter = json_incref(filter);
    query->root = query_compile_filter(&c, filter);

    if (query->root == NULL) {
        query_destroy(query);
        return NULL;
    }

    return query;
}


void
query_destroy(query_t *query)
{
    query_node_t  *node;
    query_path_t  *path;

    if (query == NULL) {
        return;
    }

    while (query->nodes != NULL) {
        node = query->nodes;
        query->nodes = node->next;
        free(node->set);
        free(node);
    }

    while (query->paths != NULL) {
        path = query->paths;
        query->paths = path->next;
        free(path);
    }

    json_decref(query->filter);
    free(query);
}


/* filter = "{" { path ":" condition | "$and" ":" list | "$or" ":" list } "}" */

static query_node_t *
query_compile_filter(query_compiler_t *c, json_t *filter)
{
    size_t         len;
    json_t        *value;
    const char    *key;
    query_node_t  *node, *all, *last;

    if (!json_is_object(filter)) {
        return query_error_set(c->error, "a filter is an object");
    }

    all = query_node_create(c, QUERY_AND);

    if (all == NULL || !query_enter(c)) {
        return NULL;
    }

    last = NULL;

    json_object_foreach(filter, key, value) {
        len = query_trail_push(c, key);

        node = query_compile_entry(c, key, value);
        if (node == NULL) {
            return NULL;
        }

        query_node_append(all, &last, node);
        query_trail_pop(c, len);
    }

    c->depth--;

    return all;
}


static query_node_t *
query_compile_entry(query_compiler_t *c, const char *key, json_t *value)
{
    if (key[0] != '$') {
        return query_compile_field(c, key, value);
    }

    if (strcmp(key, "$and") == 0) {
        return query_compile_list(c, QUERY_AND, value);
    }

    if (strcmp(key, "$or") == 0) {
        return query_compile_list(c, QUERY_OR, value);
    }

    return query_error_set(c->error, "unknown operator here; known are "
                           QUERY_FILTER_OPERATORS ", and below a path "
                           QUERY_FIELD_OPERATORS);
}


/* list = "[" filter { "," filter } "]" */

static query_node_t *
query_compile_list(query_compiler_t *c, query_op_t op, json_t *value)
{
    size_t         i, len;
    query_node_t  *list, *node, *last;

    if (!json_is_array(value) || json_array_size(value) == 0) {
        return query_error_set(c->error,
                               "takes an array of at least one filter");
    }

    list = query_node_create(c, op);
    if (list == NULL) {
        return NULL;
    }

    last = NULL;

    for (i = 0; i < json_array_size(value); i++) {
        len = query_trail_index(c, i);

        node = query_compile_filter(c, json_array_get(value, i));
        if (node == NULL) {
            return NULL;
        }

        query_node_append(list, &last, node);
        query_trail_pop(c, len);
    }

    return list;
}


/* condition = literal | "{" { operator ":" operand } "}" */

static query_node_t *
query_compile_field(query_compiler_t *c, const char *key, json_t *value)
{
    int            operators;
    query_path_t  *path;

    path = query_path_create(key, strlen(key), c->error);
    if (path == NULL) {
        return NULL;
    }

    path->next = c->query->paths;
    c->query->paths = path;

    operators = query_operators_in(c, value);

    if (operators < 0) {
        return NULL;
    }

    if (operators) {
        return query_compile_operators(c, path, value);
    }

    return query_compile_equal(c, path, QUERY_EQ, value);
}


/* 1: an object of operators, 0: a literal, -1: neither */

static int
query_operators_in(query_compiler_t *c, json_t *value)
{
    void    *iter;
    size_t   n;

    if (!json_is_object(value)) {
        return 0;
    }

    n = 0;

    for (iter = json_object_iter(value);
         iter != NULL;
         iter = json_object_iter_next(value, iter))
    {
        if (json_object_iter_key(iter)[0] == '$') {
            n++;
        }
    }

    if (n == 0) {
        return 0;
    }

    if (n == json_object_size(value)) {
        return 1;
    }

    query_error_set(c->error, "mixes operators with other keys; to compare "
                    "with an object use {\"$eq\": {...}}, for a path inside "
                    "write \"a.b\"");
    return -1;
}


static query_node_t *
query_compile_operators(query_compiler_t *c, const query_path_t *path,
    json_t *value)
{
    size_t         len;
    json_t        *operand;
    const char    *name;
    query_node_t  *all, *node, *last;

    all = query_node_create(c, QUERY_AND);

    if (all == NULL || !query_enter(c)) {
        return NULL;
    }

    last = NULL;

    json_object_foreach(value, name, operand) {
        len = query_trail_push(c, name);

        node = query_compile_operator(c, path, name, operand);
        if (node == NULL) {
            return NULL;
        }

        query_node_append(all, &last, node);
        query_trail_pop(c, len);
    }

    c->depth--;

    return all;
}


static query_node_t *
query_compile_operator(query_compiler_t *c, const query_path_t *path,
    const char *name, json_t *value)
{
    query_node_t            *node;
    const query_operator_t  *operator;

    for (operator = query_operators; operator->name != NULL; operator++) {

        if (strcmp(operator->name, name) != 0) {
            continue;
        }

        node = operator->compile(c, path, operator->op, value);

        return operator->negated ? query_node_negate(c, node) : node;
    }

    if (strcmp(name, "$and") == 0 || strcmp(name, "$or") == 0) {
        return query_error_set(c->error, "does not go below a path; known "
                               "here are " QUERY_FIELD_OPERATORS);
    }

    return query_error_set(c->error, "unknown operator; known are "
                           QUERY_FIELD_OPERATORS);
}


static query_node_t *
query_compile_equal(query_compiler_t *c, const query_path_t *path,
    query_op_t op, json_t *value)
{
    query_node_t  *node;

    if (!query_literal_fits(c, value, c->depth)) {
        return NULL;
    }

    node = query_node_create(c, op);
    if (node == NULL) {
        return NULL;
    }

    node->path = path;
    node->value = value;

    return node;
}


static query_node_t *
query_compile_order(query_compiler_t *c, const query_path_t *path,
    query_op_t op, json_t *value)
{
    if (json_is_object(value) || json_is_array(value)) {
        return query_error_set(c->error, "takes a number, a string, a "
                               "boolean or null");
    }

    return query_compile_equal(c, path, op, value);
}


static query_node_t *
query_compile_set(query_compiler_t *c, const query_path_t *path,
    query_op_t op, json_t *value)
{
    size_t         i, len, n;
    query_node_t  *node;

    if (!json_is_array(value)) {
        return query_error_set(c->error, "takes an array of values");
    }

    n = json_array_size(value);

    if (n > c->limits.max_in) {
        return query_error_set(c->error, "takes at most %u values, %zu given",
                               c->limits.max_in, n);
    }

    node = query_node_create(c, op);
    if (node == NULL) {
        return NULL;
    }

    node->path = path;
    node->set = malloc((n + 1) * sizeof(json_t *));

    if (node->set == NULL) {
        return query_error_set(c->error, "out of memory");
    }

    for (i = 0; i < n; i++) {
        len = query_trail_index(c, i);
        node->set[i] = json_array_get(value, i);

        if (!query_literal_fits(c, node->set[i], c->depth)) {
            return NULL;
        }

        query_trail_pop(c, len);
    }

    node->set_size = n;
    qsort(node->set, n, sizeof(json_t *), query_set_compare);

    return node;
}


static query_node_t *
query_compile_exists(query_compiler_t *c, const query_path_t *path,
    query_op_t op, json_t *value)
{
    query_node_t  *node;

    if (!json_is_boolean(value)) {
        return query_error_set(c->error, "takes true or false");
    }

    node = query_node_create(c, op);
    if (node == NULL) {
        return NULL;
    }

    node->path = path;

    return json_is_true(value) ? node : query_node_negate(c, node);
}


static query_node_t *
query_compile_not(query_compiler_t *c, const query_path_t *path,
    query_op_t op, json_t *value)
{
    if (!json_is_object(value) || json_object_size(value) == 0
        || query_operators_in(c, value) != 1)
    {
        return query_error_set(c->error, "takes an object of operators, as "
                               "in {\"$not\": {\"$gt\": 5}}; to exclude one "
                               "value use $ne");
    }

    return query_node_negate(c, query_compile_operators(c, path, value));
}


/* The query owns it from the start. */

static query_node_t *
query_node_create(query_compiler_t *c, query_op_t op)
{
    query_node_t  *node;

    if (c->nodes == c->limits.max_nodes) {
        return query_error_set(c->error, "a filter has at most %u operators "
                               "and fields", c->limits.max_nodes);
    }

    node = calloc(1, sizeof(query_node_t));
    if (node == NULL) {
        return query_error_set(c->error, "out of memory");
    }

    c->nodes++;

    node->op = op;
    node->next = c->query->nodes;
    c->query->nodes = node;

    return node;
}


static query_node_t *
query_node_negate(query_compiler_t *c, query_node_t *node)
{
    query_node_t  *negation;

    if (node == NULL) {
        return NULL;
    }

    negation = query_node_create(c, QUERY_NOT);

    if (negation != NULL) {
        negation->child = node;
    }

    return negation;
}


static void
query_node_append(query_node_t *parent, query_node_t **last,
    query_node_t *node)
{
    if (*last == NULL) {
        parent->child = node;

    } else {
        (*last)->sibling = node;
    }

    *last = node;
}


static bool
query_literal_fits(query_compiler_t *c, const json_t *value, uint32_t depth)
{
    void    *iter;
    size_t   i;
    json_t  *object;

    if (!json_is_object(value) && !json_is_array(value)) {
        return true;
    }

    if (depth == c->limits.max_depth) {
        query_error_set(c->error, "a filter is at most %u deep",
                        c->limits.max_depth);
        return false;
    }

    for (i = 0; i < json_array_size(value); i++) {
        if (!query_literal_fits(c, json_array_get(value, i), depth + 1)) {
            return false;
        }
    }

    object = (json_t *) value;

    for (iter = json_object_iter(object);
         iter != NULL;
         iter = json_object_iter_next(object, iter))
    {
        if (!query_literal_fits(c, json_object_iter_value(iter), depth + 1)) {
            return false;
        }
    }

    return true;
}


static int
query_set_compare(const void *a, const void *b)
{
    return query_value_compare(*(json_t *const *) a, *(json_t *const *) b);
}


static bool
query_enter(query_compiler_t *c)
{
    if (c->depth == c->limits.max_depth) {
        query_error_set(c->error, "a filter is at most %u deep",
                        c->limits.max_depth);
        return false;
    }

    c->depth++;

    return true;
}


/* The trail is error->path; what does not fit is left out. */

static size_t
query_trail_push(query_compiler_t *c, const char *key)
{
    size_t  len, n, room;

    len = c->len;
    room = QUERY_PATH_MAX - 1 - len;

    if (room > 1) {
        n = strlen(key);
        n = n < room - 1 ? n : query_utf8_cut(key, room - 1);

        c->error->path[len] = '.';
        memcpy(&c->error->path[len + 1], key, n);
        c->len = len + 1 + n;
        c->error->path[c->len] = '\0';
    }

    return len;
}


static size_t
query_trail_index(query_compiler_t *c, size_t index)
{
    int     n;
    char    text[32];
    size_t  len;

    len = c->len;
    n = snprintf(text, sizeof(text), "[%zu]", index);

    if (len + (size_t) n < QUERY_PATH_MAX) {
        memcpy(&c->error->path[len], text, (size_t) n + 1);
        c->len = len + (size_t) n;
    }

    return len;
}


static void
query_trail_pop(query_compiler_t *c, size_t len)
{
    c->len = len;
    c->error->path[len] = '\0';
}
