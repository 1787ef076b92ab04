
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_node.c - making the nodes of the syntax tree, within the limits.
 */


#include "cel_parse.h"

#include <string.h>


void *
cel_parse_alloc(cel_parser_t *parser, size_t size)
{
    void  *p;

    p = cel_arena_alloc(parser->ast->arena, size);

    if (p == NULL) {
        cel_issue(parser->issues, CEL_E_MEMORY, parser->ast,
                  parser->token.offset, "out of memory");
    }

    return p;
}


cel_node_t *
cel_node_make(cel_parser_t *parser, cel_node_kind_t kind, uint32_t offset)
{
    uint32_t     limit;
    cel_node_t  *node;

    limit = parser->env->limits.max_nodes;

    if (parser->ast->nnodes >= limit) {
        cel_issue(parser->issues, CEL_E_TOO_LARGE, parser->ast, offset,
                  "expression has more than %u nodes", (unsigned) limit);
        return NULL;
    }

    node = cel_parse_alloc(parser, sizeof(cel_node_t));
    if (node == NULL) {
        return NULL;
    }

    memset(node, 0, sizeof(cel_node_t));

    node->kind = kind;
    node->offset = offset;
    node->height = 1;
    node->slot = CEL_NO_SLOT;

    parser->ast->nnodes++;

    return node;
}


/* name is borrowed */

cel_node_t *
cel_node_ident(cel_parser_t *parser, uint32_t offset, const char *name)
{
    cel_node_t  *node;

    node = cel_node_make(parser, CEL_N_IDENT, offset);

    if (node != NULL) {
        node->name = name;
        node->name_len = strlen(name);
    }

    return node;
}


cel_node_t *
cel_node_const(cel_parser_t *parser, uint32_t offset, cel_value_t value)
{
    cel_node_t  *node;

    node = cel_node_make(parser, CEL_N_CONST, offset);

    if (node != NULL) {
        node->value = value;
    }

    return node;
}


/* name is borrowed, args may be NULL */

cel_node_t *
cel_node_call(cel_parser_t *parser, uint32_t offset, const char *name,
    cel_nodes_t *args)
{
    cel_node_t  *node;

    node = cel_node_make(parser, CEL_N_CALL, offset);
    if (node == NULL) {
        return NULL;
    }

    node->name = name;
    node->name_len = strlen(name);

    if (args != NULL && cel_node_adopt_items(parser, node, args) != CEL_OK) {
        return NULL;
    }

    return node;
}


cel_node_t *
cel_node_unary(cel_parser_t *parser, uint32_t offset, const char *name,
    cel_node_t *a)
{
    cel_nodes_t  args;

    memset(&args, 0, sizeof(cel_nodes_t));

    if (cel_nodes_push(parser, &args, a, 0) != CEL_OK) {
        return NULL;
    }

    return cel_node_call(parser, offset, name, &args);
}


cel_node_t *
cel_node_binary(cel_parser_t *parser, uint32_t offset, const char *name,
    cel_node_t *a, cel_node_t *b)
{
    cel_nodes_t  args;

    memset(&args, 0, sizeof(cel_nodes_t));

    if (cel_nodes_push(parser, &args, a, 0) != CEL_OK
        || cel_nodes_push(parser, &args, b, 0) != CEL_OK)
    {
        return NULL;
    }

    return cel_node_call(parser, offset, name, &args);
}


cel_node_t *
cel_node_ternary(cel_parser_t *parser, uint32_t offset, cel_node_t *a,
    cel_node_t *b, cel_node_t *c)
{
    cel_nodes_t  args;

    memset(&args, 0, sizeof(cel_nodes_t));

    if (cel_nodes_push(parser, &args, a, 0) != CEL_OK
        || cel_nodes_push(parser, &args, b, 0) != CEL_OK
        || cel_nodes_push(parser, &args, c, 0) != CEL_OK)
    {
        return NULL;
    }

    return cel_node_call(parser, offset, "_?_:_", &args);
}


/* a list literal of one item, or of none when item is NULL */

cel_node_t *
cel_node_list(cel_parser_t *parser, uint32_t offset, cel_node_t *item)
{
    cel_node_t   *node;
    cel_nodes_t   items;

    memset(&items, 0, sizeof(cel_nodes_t));

    node = cel_node_make(parser, CEL_N_LIST, offset);

    if (node == NULL
        || (item != NULL
            && (cel_nodes_push(parser, &items, item, 0) != CEL_OK
                || cel_node_adopt_items(parser, node, &items) != CEL_OK)))
    {
        return NULL;
    }

    return node;
}


cel_status_t
cel_node_adopt(cel_parser_t *parser, cel_node_t *parent,
    const cel_node_t *child)
{
    uint32_t  limit;

    if (child == NULL) {
        return CEL_ERROR;
    }

    if (child->height < parent->height) {
        return CEL_OK;
    }

    /* a macro nested in a macro adds several levels for one of the source */

    limit = parser->env->limits.max_depth * 2;

    if (child->height >= limit) {
        cel_issue(parser->issues, CEL_E_TOO_LARGE, parser->ast,
                  parent->offset, "expression is nested too deeply, "
                  "its tree has more than %u levels", (unsigned) limit);
        return CEL_ERROR;
    }

    parent->height = child->height + 1;

    return CEL_OK;
}


cel_status_t
cel_node_adopt_items(cel_parser_t *parser, cel_node_t *parent,
    const cel_nodes_t *nodes)
{
    uint32_t  i;

    parent->items = nodes->items;
    parent->item_flags = nodes->flags;
    parent->nitems = nodes->count;

    for (i = 0; i < nodes->count; i++) {
        if (cel_node_adopt(parser, parent, nodes->items[i]) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    return CEL_OK;
}


/* flags are there from the first one set */

cel_status_t
cel_nodes_push(cel_parser_t *parser, cel_nodes_t *nodes, cel_node_t *node,
    uint8_t flag)
{
    uint8_t      *flags;
    uint32_t      size;
    cel_node_t  **items;

    if (node == NULL) {
        return CEL_ERROR;
    }

    if (nodes->count == nodes->size) {
        size = nodes->size == 0 ? 4 : nodes->size * 2;

        items = cel_parse_alloc(parser, size * sizeof(cel_node_t *));
        if (items == NULL) {
            return CEL_ERROR;
        }

        if (nodes->count > 0) {
            memcpy(items, nodes->items, nodes->count * sizeof(cel_node_t *));
        }

        if (nodes->flags != NULL) {
            flags = cel_parse_alloc(parser, size);
            if (flags == NULL) {
                return CEL_ERROR;
            }

            memset(flags, 0, size);
            memcpy(flags, nodes->flags, nodes->count);
            nodes->flags = flags;
        }

        nodes->items = items;
        nodes->size = size;
    }

    if (flag != 0 && nodes->flags == NULL) {
        nodes->flags = cel_parse_alloc(parser, nodes->size);
        if (nodes->flags == NULL) {
            return CEL_ERROR;
        }

        memset(nodes->flags, 0, nodes->size);
    }

    if (nodes->flags != NULL) {
        nodes->flags[nodes->count] = flag;
    }

    nodes->items[nodes->count++] = node;

    return CEL_OK;
}
