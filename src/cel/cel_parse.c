
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_parse.c - source to syntax tree by recursive descent; the productions
 * are those of langdef.md.  Macros are expanded as soon as their call has
 * been read, see cel_macro.c; lists, maps and messages are in
 * cel_parse_aggregate.c.  A syntax error ends the parse; errors that do
 * not confuse it, as a reserved word, are collected.
 */


#include "cel_parse.h"

#include <string.h>


static cel_node_t *cel_parse_logic(cel_parser_t *parser, bool is_or);
static cel_node_t *cel_parse_balance(cel_parser_t *parser,
    const cel_nodes_t *terms, const uint32_t *offsets, uint32_t from,
    uint32_t to);
static cel_node_t *cel_parse_binary(cel_parser_t *parser, unsigned level);
static const char *cel_parse_operator(cel_parser_t *parser, unsigned level);
static cel_node_t *cel_parse_unary(cel_parser_t *parser);


static const struct {
    cel_token_kind_t   kind;
    unsigned           level;
    const char        *name;
} cel_parse_operators[] = {
    { CEL_TOKEN_LT, 0, "_<_" },
    { CEL_TOKEN_LE, 0, "_<=_" },
    { CEL_TOKEN_GT, 0, "_>_" },
    { CEL_TOKEN_GE, 0, "_>=_" },
    { CEL_TOKEN_EQ, 0, "_==_" },
    { CEL_TOKEN_NE, 0, "_!=_" },
    { CEL_TOKEN_IN, 0, "@in" },
    { CEL_TOKEN_PLUS, 1, "_+_" },
    { CEL_TOKEN_MINUS, 1, "_-_" },
    { CEL_TOKEN_STAR, 2, "_*_" },
    { CEL_TOKEN_SLASH, 2, "_/_" },
    { CEL_TOKEN_PERCENT, 2, "_%_" },
    { CEL_TOKEN_END, 0, NULL }
};


cel_status_t
cel_parse(const cel_env_t *env, const char *source, size_t len,
    cel_arena_t *arena, cel_ast_t *ast, cel_issues_t *issues)
{
    uint32_t      total;
    cel_parser_t  parser;

    memset(ast, 0, sizeof(cel_ast_t));

    ast->source = source;
    ast->len = len > env->limits.max_source ? 0 : len;
    ast->arena = arena;
    total = issues->total;

    if (len > env->limits.max_source) {
        cel_issue(issues, CEL_E_TOO_LARGE, ast, 0,
                  "expression has %zu bytes, at most %u are allowed", len,
                  (unsigned) env->limits.max_source);
        return CEL_ERROR;
    }

    if (cel_lex_validate(ast, issues) != CEL_OK) {
        return CEL_ERROR;
    }

    memset(&parser, 0, sizeof(cel_parser_t));

    parser.env = env;
    parser.ast = ast;
    parser.issues = issues;
    parser.lexer.ast = ast;
    parser.lexer.issues = issues;
    parser.optionals = cel_env_function(env, "optional.of", 11) != NULL;

    cel_parse_advance(&parser);

    ast->root = cel_parse_expr(&parser);

    if (ast->root != NULL && parser.token.kind != CEL_TOKEN_END) {
        cel_parse_refuse(&parser, "an operator or the end");
    }

    return issues->total == total ? CEL_OK : CEL_ERROR;
}


/* Expr = ConditionalOr ["?" ConditionalOr ":" Expr] */

cel_node_t *
cel_parse_expr(cel_parser_t *parser)
{
    uint32_t     offset;
    cel_node_t  *cond, *yes, *no;

    if (parser->depth == parser->env->limits.max_depth) {
        cel_issue(parser->issues, CEL_E_TOO_LARGE, parser->ast,
                  parser->token.offset, "expression is nested more than %u "
                  "levels deep", (unsigned) parser->depth);
        return NULL;
    }

    parser->depth++;

    cond = cel_parse_logic(parser, true);

    if (cond != NULL && cel_parse_accept(parser, CEL_TOKEN_QUESTION)) {
        offset = parser->last.offset;
        yes = cel_parse_logic(parser, true);

        if (yes == NULL || !cel_parse_expect(parser, CEL_TOKEN_COLON, "':'")) {
            return NULL;
        }

        no = cel_parse_expr(parser);
        cond = cel_node_ternary(parser, offset, cond, yes, no);
    }

    parser->depth--;

    return cond;
}


/*
 * ConditionalOr  = [ConditionalOr "||"] ConditionalAnd
 * ConditionalAnd = [ConditionalAnd "&&"] Relation
 *
 * Both operators are associative, errors included, so that a chain becomes a
 * balanced tree: hundreds of alternatives do not nest deeply.
 */

static cel_node_t *
cel_parse_logic(cel_parser_t *parser, bool is_or)
{
    uint32_t          *offsets, *grown;
    cel_node_t        *node;
    cel_nodes_t        terms;
    cel_token_kind_t   kind;

    memset(&terms, 0, sizeof(cel_nodes_t));

    kind = is_or ? CEL_TOKEN_OR : CEL_TOKEN_AND;
    offsets = NULL;

    for ( ;; ) {
        node = is_or ? cel_parse_logic(parser, false)
                     : cel_parse_binary(parser, 0);

        if (node == NULL) {
            return NULL;
        }

        if (terms.count == 0 && parser->token.kind != kind) {
            return node;
        }

        if (cel_nodes_push(parser, &terms, node, 0) != CEL_OK) {
            return NULL;
        }

        if (!cel_parse_accept(parser, kind)) {
            return cel_parse_balance(parser, &terms, offsets, 0,
                                     terms.count - 1);
        }

        /* offsets[i]: of the operator behind terms[i] */

        if ((terms.count & (terms.count - 1)) == 0) {
            grown = cel_parse_alloc(parser, 2 * terms.count
                                            * sizeof(uint32_t));
            if (grown == NULL) {
                return NULL;
            }

            if (offsets != NULL) {
                memcpy(grown, offsets, terms.count * sizeof(uint32_t));
            }

            offsets = grown;
        }

        offsets[terms.count - 1] = parser->last.offset;
    }
}


/* terms from..to, both included, whose operator is that of the source */

static cel_node_t *
cel_parse_balance(cel_parser_t *parser, const cel_nodes_t *terms,
    const uint32_t *offsets, uint32_t from, uint32_t to)
{
    uint32_t     mid;
    const char  *name;
    cel_node_t  *left, *right;

    if (from == to) {
        return terms->items[from];
    }

    mid = from + (to - from) / 2;
    name = parser->ast->source[offsets[mid]] == '|' ? "_||_" : "_&&_";

    left = cel_parse_balance(parser, terms, offsets, from, mid);
    right = cel_parse_balance(parser, terms, offsets, mid + 1, to);

    return cel_node_binary(parser, offsets[mid], name, left, right);
}


/*
 * Relation       = [Relation Relop] Addition
 * Relop          = "<" | "<=" | ">=" | ">" | "==" | "!=" | "in"
 * Addition       = [Addition ("+" | "-")] Multiplication
 * Multiplication = [Multiplication ("*" | "/" | "%")] Unary
 *
 * level 0, 1 and 2
 */

static cel_node_t *
cel_parse_binary(cel_parser_t *parser, unsigned level)
{
    uint32_t     offset;
    const char  *name;
    cel_node_t  *left, *right;

    if (level == 3) {
        return cel_parse_unary(parser);
    }

    left = cel_parse_binary(parser, level + 1);

    while (left != NULL) {
        name = cel_parse_operator(parser, level);
        if (name == NULL) {
            break;
        }

        offset = parser->last.offset;
        right = cel_parse_binary(parser, level + 1);
        left = cel_node_binary(parser, offset, name, left, right);
    }

    return left;
}


static const char *
cel_parse_operator(cel_parser_t *parser, unsigned level)
{
    uint32_t  i;

    for (i = 0; cel_parse_operators[i].name != NULL; i++) {
        if (cel_parse_operators[i].level == level
            && cel_parse_accept(parser, cel_parse_operators[i].kind))
        {
            return cel_parse_operators[i].name;
        }
    }

    return NULL;
}


/*
 * Unary = Member | "!" {"!"} Member | "-" {"-"} Member
 *
 * A minus before a number belongs to the number: so INT64_MIN can be written.
 */

static cel_node_t *
cel_parse_unary(cel_parser_t *parser)
{
    uint32_t           start, count;
    cel_node_t        *node;
    cel_token_kind_t   kind;

    kind = parser->token.kind;

    if (kind != CEL_TOKEN_NOT && kind != CEL_TOKEN_MINUS) {
        return cel_parse_member(parser);
    }

    start = parser->token.offset;
    count = 0;

    while (cel_parse_accept(parser, kind)) {
        count++;
    }

    if (kind == CEL_TOKEN_MINUS && (parser->token.kind == CEL_TOKEN_INT
                                    || parser->token.kind == CEL_TOKEN_DOUBLE))
    {
        parser->negative = true;
        count--;
    }

    node = cel_parse_member(parser);

    for ( /* void */ ; node != NULL && count > 0; count--) {
        node = cel_node_unary(parser, start,
                              kind == CEL_TOKEN_NOT ? "!_" : "-_", node);
    }

    return node;
}
