
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_parse_aggregate.c - the productions of lists, maps and messages.
 */


#include "cel_parse.h"

#include <string.h>


static cel_node_t *cel_parse_struct_field(cel_parser_t *parser);
static char *cel_parse_dotted(cel_parser_t *parser, const cel_node_t *node,
    uint32_t len);


/* "[" [["?"] Expr {"," ["?"] Expr}] [","] "]" */

cel_node_t *
cel_parse_list(cel_parser_t *parser)
{
    bool          optional;
    cel_node_t   *node;
    cel_nodes_t   items;

    memset(&items, 0, sizeof(cel_nodes_t));

    node = cel_node_make(parser, CEL_N_LIST, parser->token.offset);
    if (node == NULL) {
        return NULL;
    }

    cel_parse_advance(parser);

    while (parser->token.kind != CEL_TOKEN_RBRACKET) {

        if (items.count == 0 && cel_parse_accept(parser, CEL_TOKEN_COMMA)) {
            break;
        }

        if (!cel_parse_optional(parser, &optional)
            || cel_nodes_push(parser, &items, cel_parse_expr(parser), optional)
               != CEL_OK)
        {
            return NULL;
        }

        if (!cel_parse_accept(parser, CEL_TOKEN_COMMA)) {
            break;
        }
    }

    if (!cel_parse_expect(parser, CEL_TOKEN_RBRACKET, "',' or ']'")
        || cel_node_adopt_items(parser, node, &items) != CEL_OK)
    {
        return NULL;
    }

    return node;
}


/* "{" [["?"] Expr ":" Expr {"," ["?"] Expr ":" Expr}] [","] "}" */

cel_node_t *
cel_parse_map(cel_parser_t *parser)
{
    bool          optional;
    cel_node_t   *node;
    cel_nodes_t   items;

    memset(&items, 0, sizeof(cel_nodes_t));

    node = cel_node_make(parser, CEL_N_MAP, parser->token.offset);
    if (node == NULL) {
        return NULL;
    }

    cel_parse_advance(parser);

    while (parser->token.kind != CEL_TOKEN_RBRACE) {

        if (items.count == 0 && cel_parse_accept(parser, CEL_TOKEN_COMMA)) {
            break;
        }

        if (!cel_parse_optional(parser, &optional)
            || cel_nodes_push(parser, &items, cel_parse_expr(parser), optional)
               != CEL_OK
            || !cel_parse_expect(parser, CEL_TOKEN_COLON, "':'")
            || cel_nodes_push(parser, &items, cel_parse_expr(parser), optional)
               != CEL_OK)
        {
            return NULL;
        }

        if (!cel_parse_accept(parser, CEL_TOKEN_COMMA)) {
            break;
        }
    }

    if (!cel_parse_expect(parser, CEL_TOKEN_RBRACE, "',' or '}'")
        || cel_node_adopt_items(parser, node, &items) != CEL_OK)
    {
        return NULL;
    }

    return node;
}


/* name "{" [["?"] SELECTOR ":" Expr {"," ...}] [","] "}" */

cel_node_t *
cel_parse_struct(cel_parser_t *parser, cel_node_t *type)
{
    bool          optional;
    uint32_t      len;
    cel_node_t   *node;
    cel_nodes_t   items;

    memset(&items, 0, sizeof(cel_nodes_t));

    cel_parse_qualified(type, &len);
    cel_parse_advance(parser);

    node = cel_node_make(parser, CEL_N_STRUCT, type->offset);
    if (node == NULL) {
        return NULL;
    }

    node->name = cel_parse_dotted(parser, type, len);
    node->name_len = len;

    if (node->name == NULL) {
        return NULL;
    }

    while (parser->token.kind != CEL_TOKEN_RBRACE) {

        if (items.count == 0 && cel_parse_accept(parser, CEL_TOKEN_COMMA)) {
            break;
        }

        if (!cel_parse_optional(parser, &optional)
            || cel_nodes_push(parser, &items, cel_parse_struct_field(parser),
                              optional) != CEL_OK
            || !cel_parse_expect(parser, CEL_TOKEN_COLON, "':'")
            || cel_nodes_push(parser, &items, cel_parse_expr(parser), optional)
               != CEL_OK)
        {
            return NULL;
        }

        if (!cel_parse_accept(parser, CEL_TOKEN_COMMA)) {
            break;
        }
    }

    if (!cel_parse_expect(parser, CEL_TOKEN_RBRACE, "',' or '}'")
        || cel_node_adopt_items(parser, node, &items) != CEL_OK)
    {
        return NULL;
    }

    return node;
}


static cel_node_t *
cel_parse_struct_field(cel_parser_t *parser)
{
    char         *name;
    cel_token_t   token;

    token = parser->token;

    if (token.kind != CEL_TOKEN_IDENT && token.kind != CEL_TOKEN_QUOTED) {
        cel_parse_refuse(parser, "a field name");
        return NULL;
    }

    cel_parse_advance(parser);

    name = cel_parse_text(parser, &token, "");
    if (name == NULL) {
        return NULL;
    }

    return cel_node_const(parser, token.offset,
                          cel_string(name, strlen(name)));
}


/* a name, or selects of one: *len is the length of all with the dots */

bool
cel_parse_qualified(const cel_node_t *node, uint32_t *len)
{
    *len = 0;

    while (node->kind == CEL_N_SELECT && !node->test_only && !node->optional) {
        *len += node->name_len + 1;
        node = node->target;
    }

    *len += node->name_len;

    return node->kind == CEL_N_IDENT;
}


static char *
cel_parse_dotted(cel_parser_t *parser, const cel_node_t *node, uint32_t len)
{
    char  *name, *p;

    name = cel_parse_alloc(parser, len + 1);
    if (name == NULL) {
        return NULL;
    }

    p = name + len;
    *p = '\0';

    for ( ;; ) {
        p -= node->name_len;
        memcpy(p, node->name, node->name_len);

        if (p == name) {
            return name;
        }

        *--p = '.';
        node = node->target;
    }
}
