
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Does a document match a compiled filter; which string a field must equal.
 * Cannot fail.
 */


#include <stdlib.h>
#include <string.h>
#include "query_node.h"


static bool query_match_node(const query_node_t *node,
    const json_t *document);
static bool query_match_all(const query_node_t *node,
    const json_t *document);
static bool query_match_any(const query_node_t *node,
    const json_t *document);
static bool query_visit_exists(void *ctx, const json_t *value);
static bool query_visit_equal(void *ctx, const json_t *value);
static bool query_visit_order(void *ctx, const json_t *value);
static bool query_visit_in(void *ctx, const json_t *value);
static int query_in_compare(const void *key, const void *element);
static const json_t *query_node_equals(const query_node_t *node,
    const char *field);


bool
query_match(const query_t *query, const json_t *document)
{
    return query_match_node(query->root, document);
}


static bool
query_match_node(const query_node_t *node, const json_t *document)
{
    query_leaf_t    leaf;
    query_visit_pt  visit;

    leaf = QUERY_LEAF_EACH;

    switch (node->op) {

    case QUERY_AND:
        return query_match_all(node, document);

    case QUERY_OR:
        return query_match_any(node, document);

    case QUERY_NOT:
        return !query_match_node(node->child, document);

    case QUERY_EXISTS:
        leaf = QUERY_LEAF_WHOLE;
        visit = query_visit_exists;
        break;

    case QUERY_EQ:
        visit = query_visit_equal;
        break;

    case QUERY_IN:
        visit = query_visit_in;
        break;

    default: /* QUERY_GT .. QUERY_LTE */
        visit = query_visit_order;
        break;
    }

    return query_path_walk(node->path, document, leaf, visit, (void *) node);
}


static bool
query_match_all(const query_node_t *node, const json_t *document)
{
    const query_node_t  *child;

    for (child = node->child; child != NULL; child = child->sibling) {
        if (!query_match_node(child, document)) {
            return false;
        }
    }

    return true;
}


static bool
query_match_any(const query_node_t *node, const json_t *document)
{
    const query_node_t  *child;

    for (child = node->child; child != NULL; child = child->sibling) {
        if (query_match_node(child, document)) {
            return true;
        }
    }

    return false;
}


static bool
query_visit_exists(void *ctx, const json_t *value)
{
    return value != NULL;
}


static bool
query_visit_equal(void *ctx, const json_t *value)
{
    const query_node_t  *node = ctx;

    return query_value_compare(value, node->value) == 0;
}


static bool
query_visit_order(void *ctx, const json_t *value)
{
    const query_node_t  *node = ctx;

    int  rc;

    if (!query_value_comparable(value, node->value)) {
        return false;
    }

    rc = query_value_compare(value, node->value);

    switch (node->op) {

    case QUERY_GT:
        return rc > 0;

    case QUERY_GTE:
        return rc >= 0;

    case QUERY_LT:
        return rc < 0;

    default: /* QUERY_LTE */
        return rc <= 0;
    }
}


static bool
query_visit_in(void *ctx, const json_t *value)
{
    const query_node_t  *node = ctx;

    return bsearch(&value, node->set, node->set_size, sizeof(json_t *),
                   query_in_compare)
           != NULL;
}


static int
query_in_compare(const void *key, const void *element)
{
    return query_value_compare(*(const json_t *const *) key,
                               *(const json_t *const *) element);
}


const char *
query_equals(const query_t *query, const char *field, size_t *len)
{
    const json_t  *value;

    value = query_node_equals(query->root, field);

    if (value == NULL) {
        return NULL;
    }

    *len = json_string_length(value);

    return json_string_value(value);
}


/* Below $and only: what any other node says need not hold. */

static const json_t *
query_node_equals(const query_node_t *node, const char *field)
{
    const json_t        *value;
    const query_node_t  *child;

    if (node->op == QUERY_EQ
        && node->path->count == 1
        && strcmp(node->path->parts[0].name, field) == 0
        && json_is_string(node->value))
    {
        return node->value;
    }

    if (node->op != QUERY_AND) {
        return NULL;
    }

    for (child = node->child; child != NULL; child = child->sibling) {
        value = query_node_equals(child, field);

        if (value != NULL) {
            return value;
        }
    }

    return NULL;
}
