
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_parse_member.c - what binds closest: names, literals, parentheses, and
 * the selects, calls and indices behind them.
 */


#include "cel_parse.h"
#include "cel_macro.h"

#include <string.h>


static cel_node_t *cel_parse_select(cel_parser_t *parser, cel_node_t *target);
static cel_node_t *cel_parse_index(cel_parser_t *parser, cel_node_t *target);
static cel_node_t *cel_parse_primary(cel_parser_t *parser);
static cel_node_t *cel_parse_ident(cel_parser_t *parser);
static cel_node_t *cel_parse_call(cel_parser_t *parser, cel_node_t *target,
    const cel_token_t *name);
static cel_node_t *cel_parse_literal(cel_parser_t *parser);


/*
 * Member = Primary
 *        | Member "." ["?"] SELECTOR ["(" [ExprList] ")"]
 *        | Member "[" ["?"] Expr "]"
 *        | name "{" [FieldInits] [","] "}"
 */

cel_node_t *
cel_parse_member(cel_parser_t *parser)
{
    uint32_t     len;
    cel_node_t  *node;

    node = cel_parse_primary(parser);

    while (node != NULL) {

        if (cel_parse_accept(parser, CEL_TOKEN_DOT)) {
            node = cel_parse_select(parser, node);

        } else if (cel_parse_accept(parser, CEL_TOKEN_LBRACKET)) {
            node = cel_parse_index(parser, node);

        } else if (parser->token.kind == CEL_TOKEN_LBRACE
                   && cel_parse_qualified(node, &len))
        {
            node = cel_parse_struct(parser, node);

        } else {
            break;
        }
    }

    return node;
}


/* behind "." : ["?"] SELECTOR ["(" [ExprList] ")"] */

static cel_node_t *
cel_parse_select(cel_parser_t *parser, cel_node_t *target)
{
    bool          optional;
    cel_node_t   *node;
    cel_token_t   name;

    if (!cel_parse_optional(parser, &optional)) {
        return NULL;
    }

    name = parser->token;

    if (name.kind != CEL_TOKEN_IDENT && name.kind != CEL_TOKEN_QUOTED) {
        cel_parse_refuse(parser, "a field name");
        return NULL;
    }

    cel_parse_advance(parser);

    if (name.kind == CEL_TOKEN_IDENT && !optional
        && cel_parse_accept(parser, CEL_TOKEN_LPAREN))
    {
        return cel_parse_call(parser, target, &name);
    }

    node = cel_node_make(parser, CEL_N_SELECT, name.offset);

    if (node == NULL || cel_node_adopt(parser, node, target) != CEL_OK) {
        return NULL;
    }

    node->target = target;
    node->optional = optional;
    node->name = cel_parse_text(parser, &name, "");
    node->name_len = name.len - (name.kind == CEL_TOKEN_QUOTED ? 2 : 0);

    return node->name != NULL ? node : NULL;
}


/* behind "[" : ["?"] Expr "]" */

static cel_node_t *
cel_parse_index(cel_parser_t *parser, cel_node_t *target)
{
    bool         optional;
    uint32_t     offset;
    cel_node_t  *node, *index;

    offset = parser->last.offset;

    if (!cel_parse_optional(parser, &optional)) {
        return NULL;
    }

    index = cel_parse_expr(parser);

    if (index == NULL || !cel_parse_expect(parser, CEL_TOKEN_RBRACKET, "']'"))
    {
        return NULL;
    }

    node = cel_node_binary(parser, offset, optional ? "_[?_]" : "_[_]",
                           target, index);
    if (node != NULL) {
        node->optional = optional;
    }

    return node;
}


/*
 * Primary = ["."] IDENT ["(" [ExprList] ")"] | "(" Expr ")"
 *         | "[" [ExprList] [","] "]" | "{" [MapInits] [","] "}" | LITERAL
 */

static cel_node_t *
cel_parse_primary(cel_parser_t *parser)
{
    cel_node_t  *node;

    switch (parser->token.kind) {

    case CEL_TOKEN_DOT:
    case CEL_TOKEN_IDENT:
        return cel_parse_ident(parser);

    case CEL_TOKEN_LPAREN:
        cel_parse_advance(parser);
        node = cel_parse_expr(parser);

        if (node == NULL
            || !cel_parse_expect(parser, CEL_TOKEN_RPAREN, "')'"))
        {
            return NULL;
        }

        return node;

    case CEL_TOKEN_LBRACKET:
        return cel_parse_list(parser);

    case CEL_TOKEN_LBRACE:
        return cel_parse_map(parser);

    case CEL_TOKEN_INT:
    case CEL_TOKEN_UINT:
    case CEL_TOKEN_DOUBLE:
    case CEL_TOKEN_STRING:
    case CEL_TOKEN_BYTES:
    case CEL_TOKEN_TRUE:
    case CEL_TOKEN_FALSE:
    case CEL_TOKEN_NULL:
        return cel_parse_literal(parser);

    default:
        cel_parse_refuse(parser, "an expression");
        return NULL;
    }
}


/* ["."] IDENT ["(" [ExprList] ")"], the dot stays part of the name */

static cel_node_t *
cel_parse_ident(cel_parser_t *parser)
{
    bool          root;
    char         *name;
    cel_node_t   *node;
    cel_token_t   token;

    root = cel_parse_accept(parser, CEL_TOKEN_DOT);
    token = parser->token;

    if (!cel_parse_expect(parser, CEL_TOKEN_IDENT, "a name")) {
        return NULL;
    }

    name = cel_parse_text(parser, &token, root ? "." : "");
    if (name == NULL) {
        return NULL;
    }

    if (cel_parse_is_reserved(name + (root ? 1 : 0))) {
        cel_issue(parser->issues, CEL_E_PARSE, parser->ast, token.offset,
                  "reserved identifier: %s", name + (root ? 1 : 0));
    }

    if (cel_parse_accept(parser, CEL_TOKEN_LPAREN)) {
        node = cel_parse_call(parser, NULL, &token);

        if (node != NULL && node->kind == CEL_N_CALL && root) {
            node->name = name;
            node->name_len = token.len + 1;
        }

        return node;
    }

    return cel_node_ident(parser, token.offset, name);
}


/* behind "(" : [ExprList] ")", ExprList = Expr {"," Expr} */

static cel_node_t *
cel_parse_call(cel_parser_t *parser, cel_node_t *target,
    const cel_token_t *name)
{
    bool          expanded;
    char         *text;
    cel_node_t   *node, *macro;
    cel_nodes_t   args;

    memset(&args, 0, sizeof(cel_nodes_t));

    if (!cel_parse_accept(parser, CEL_TOKEN_RPAREN)) {

        do {
            if (cel_nodes_push(parser, &args, cel_parse_expr(parser), 0)
                != CEL_OK)
            {
                return NULL;
            }
        } while (cel_parse_accept(parser, CEL_TOKEN_COMMA));

        if (!cel_parse_expect(parser, CEL_TOKEN_RPAREN, "',' or ')'")) {
            return NULL;
        }
    }

    text = cel_parse_text(parser, name, "");
    if (text == NULL) {
        return NULL;
    }

    node = cel_node_call(parser, name->offset, text, &args);

    if (node == NULL
        || (target != NULL
            && cel_node_adopt(parser, node, target) != CEL_OK))
    {
        return NULL;
    }

    node->target = target;

    if (parser->env->limits.disable_macros) {
        return node;
    }

    macro = cel_macro_expand(parser, node, &expanded);

    return expanded ? macro : node;
}


static cel_node_t *
cel_parse_literal(cel_parser_t *parser)
{
    bool         negative;
    cel_value_t  value;
    cel_token_t  token;

    token = parser->token;
    negative = parser->negative;
    parser->negative = false;

    if (cel_literal(&parser->lexer, &token, negative, &value) != CEL_OK) {
        return NULL;
    }

    cel_parse_advance(parser);

    return cel_node_const(parser, token.offset, value);
}
