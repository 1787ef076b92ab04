
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lex.h - tokens and literals of the source; private to the front end.
 */


#ifndef CEL_LEX_H_INCLUDED
#define CEL_LEX_H_INCLUDED


#include "cel_ast.h"


typedef enum {
    CEL_TOKEN_END = 0,
    CEL_TOKEN_BAD,            /* an issue has been added */
    CEL_TOKEN_IDENT,
    CEL_TOKEN_QUOTED,         /* `a-b`, a selector only */
    CEL_TOKEN_INT,
    CEL_TOKEN_UINT,
    CEL_TOKEN_DOUBLE,
    CEL_TOKEN_STRING,
    CEL_TOKEN_BYTES,
    CEL_TOKEN_TRUE,
    CEL_TOKEN_FALSE,
    CEL_TOKEN_NULL,
    CEL_TOKEN_IN,
    CEL_TOKEN_DOT,
    CEL_TOKEN_COMMA,
    CEL_TOKEN_COLON,
    CEL_TOKEN_QUESTION,
    CEL_TOKEN_LPAREN,
    CEL_TOKEN_RPAREN,
    CEL_TOKEN_LBRACKET,
    CEL_TOKEN_RBRACKET,
    CEL_TOKEN_LBRACE,
    CEL_TOKEN_RBRACE,
    CEL_TOKEN_OR,
    CEL_TOKEN_AND,
    CEL_TOKEN_NOT,
    CEL_TOKEN_LT,
    CEL_TOKEN_LE,
    CEL_TOKEN_GT,
    CEL_TOKEN_GE,
    CEL_TOKEN_EQ,
    CEL_TOKEN_NE,
    CEL_TOKEN_PLUS,
    CEL_TOKEN_MINUS,
    CEL_TOKEN_STAR,
    CEL_TOKEN_SLASH,
    CEL_TOKEN_PERCENT
} cel_token_kind_t;


typedef struct {
    cel_token_kind_t   kind;
    uint32_t           offset;
    uint32_t           len;
} cel_token_t;


typedef struct {
    const cel_ast_t   *ast;
    cel_issues_t      *issues;
    uint32_t           pos;
} cel_lexer_t;


void cel_lex(cel_lexer_t *lexer, cel_token_t *token);

/* CEL_ERROR, with an issue, unless the source is UTF-8. */
cel_status_t cel_lex_validate(const cel_ast_t *ast, cel_issues_t *issues);

/*
 * cel_literal.c: the value of a literal, its bytes in the ast's arena.
 * negative: a minus belongs to it.  CEL_ERROR with an issue.
 */
cel_status_t cel_literal(const cel_lexer_t *lexer, const cel_token_t *token,
    bool negative, cel_value_t *value);


#endif /* CEL_LEX_H_INCLUDED */
