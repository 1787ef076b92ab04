
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * query_node.h - a compiled filter: the tree between query_compile.c, which
 * builds it, and query_match.c, which walks it.  Private to the room.
 */


#ifndef QUERY_NODE_H_INCLUDED
#define QUERY_NODE_H_INCLUDED


#include "query_path.h"


typedef enum {
    QUERY_AND = 0,            /* children; none = true */
    QUERY_OR,                 /* children */
    QUERY_NOT,                /* one child */
    QUERY_EXISTS,             /* path */
    QUERY_EQ,                 /* path, value */
    QUERY_GT,
    QUERY_GTE,
    QUERY_LT,
    QUERY_LTE,
    QUERY_IN                  /* path, set */
} query_op_t;


typedef struct query_node_s  query_node_t;

struct query_node_s {
    query_op_t           op;
    query_node_t        *child;         /* the first */
    query_node_t        *sibling;
    query_node_t        *next;          /* all of one query */
    const query_path_t  *path;
    const json_t        *value;         /* of query->filter */
    const json_t       **set;           /* sorted, of query->filter */
    size_t               set_size;
};


struct query_s {
    json_t              *filter;
    query_node_t        *root;
    query_node_t        *nodes;
    query_path_t        *paths;
};


#endif /* QUERY_NODE_H_INCLUDED */
