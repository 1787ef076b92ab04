
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lex.c - source text to tokens.  Does not look into literals, see
 * cel_literal.c, and knows no reserved words but the four of the grammar.
 */


#include "cel_lex.h"

#include <string.h>


static void cel_lex_space(cel_lexer_t *lexer);
static void cel_lex_name(cel_lexer_t *lexer, cel_token_t *token);
static void cel_lex_quoted(cel_lexer_t *lexer, cel_token_t *token);
static void cel_lex_number(cel_lexer_t *lexer, cel_token_t *token);
static uint32_t cel_lex_digits(const cel_ast_t *ast, uint32_t pos);
static uint32_t cel_lex_string_prefix(cel_lexer_t *lexer);
static void cel_lex_string(cel_lexer_t *lexer, cel_token_t *token,
    uint32_t prefix);
static void cel_lex_operator(cel_lexer_t *lexer, cel_token_t *token);
static bool cel_lex_curly(const cel_lexer_t *lexer);
static void cel_lex_refuse(cel_lexer_t *lexer, cel_token_t *token);
static uint32_t cel_lex_utf8(const unsigned char *p, size_t len);


static const struct {
    const char         text[3];
    cel_token_kind_t   kind;
} cel_lex_operators[] = {

    /* the longer ones first */

    { "||", CEL_TOKEN_OR },
    { "&&", CEL_TOKEN_AND },
    { "<=", CEL_TOKEN_LE },
    { ">=", CEL_TOKEN_GE },
    { "==", CEL_TOKEN_EQ },
    { "!=", CEL_TOKEN_NE },
    { ".", CEL_TOKEN_DOT },
    { ",", CEL_TOKEN_COMMA },
    { ":", CEL_TOKEN_COLON },
    { "?", CEL_TOKEN_QUESTION },
    { "(", CEL_TOKEN_LPAREN },
    { ")", CEL_TOKEN_RPAREN },
    { "[", CEL_TOKEN_LBRACKET },
    { "]", CEL_TOKEN_RBRACKET },
    { "{", CEL_TOKEN_LBRACE },
    { "}", CEL_TOKEN_RBRACE },
    { "!", CEL_TOKEN_NOT },
    { "<", CEL_TOKEN_LT },
    { ">", CEL_TOKEN_GT },
    { "+", CEL_TOKEN_PLUS },
    { "-", CEL_TOKEN_MINUS },
    { "*", CEL_TOKEN_STAR },
    { "/", CEL_TOKEN_SLASH },
    { "%", CEL_TOKEN_PERCENT },
    { "", CEL_TOKEN_END }
};


static const struct {
    const char        *text;
    cel_token_kind_t   kind;
} cel_lex_keywords[] = {
    { "true", CEL_TOKEN_TRUE },
    { "false", CEL_TOKEN_FALSE },
    { "null", CEL_TOKEN_NULL },
    { "in", CEL_TOKEN_IN },
    { NULL, CEL_TOKEN_END }
};


/* the byte at pos, 0 behind the end; a NUL may be in a literal alone */

static unsigned char
cel_lex_at(const cel_ast_t *ast, uint32_t pos)
{
    return pos < ast->len ? (unsigned char) ast->source[pos] : 0;
}


static bool
cel_lex_is_digit(unsigned char ch)
{
    return ch >= '0' && ch <= '9';
}


static bool
cel_lex_is_hex(unsigned char ch)
{
    return cel_lex_is_digit(ch) || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f');
}


static bool
cel_lex_is_letter(unsigned char ch)
{
    return ch == '_' || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z');
}


void
cel_lex(cel_lexer_t *lexer, cel_token_t *token)
{
    uint32_t          prefix;
    unsigned char     ch;
    const cel_ast_t  *ast;

    ast = lexer->ast;

    cel_lex_space(lexer);

    token->kind = CEL_TOKEN_END;
    token->offset = lexer->pos;
    token->len = 0;

    if (lexer->pos >= ast->len) {
        return;
    }

    ch = cel_lex_at(ast, lexer->pos);
    prefix = cel_lex_string_prefix(lexer);

    if (prefix != UINT32_MAX) {
        cel_lex_string(lexer, token, prefix);

    } else if (cel_lex_is_letter(ch)) {
        cel_lex_name(lexer, token);

    } else if (cel_lex_is_digit(ch)
               || (ch == '.'
                   && cel_lex_is_digit(cel_lex_at(ast, lexer->pos + 1))))
    {
        cel_lex_number(lexer, token);

    } else if (ch == '`') {
        cel_lex_quoted(lexer, token);

    } else {
        cel_lex_operator(lexer, token);
    }

    token->len = lexer->pos - token->offset;
}


/* WHITESPACE = [\t\n\f\r ]+,  COMMENT = "//" to the end of the line */

static void
cel_lex_space(cel_lexer_t *lexer)
{
    unsigned char  ch;

    for ( ;; ) {
        ch = cel_lex_at(lexer->ast, lexer->pos);

        if (ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r'
            || ch == '\f')
        {
            lexer->pos++;
            continue;
        }

        if (ch != '/' || cel_lex_at(lexer->ast, lexer->pos + 1) != '/') {
            return;
        }

        do {
            ch = cel_lex_at(lexer->ast, ++lexer->pos);
        } while (ch != '\n' && ch != '\0');
    }
}


/* IDENT = [_a-zA-Z][_a-zA-Z0-9]* */

static void
cel_lex_name(cel_lexer_t *lexer, cel_token_t *token)
{
    uint32_t       i, len;
    const char    *text;
    unsigned char  ch;

    do {
        ch = cel_lex_at(lexer->ast, ++lexer->pos);
    } while (cel_lex_is_letter(ch) || cel_lex_is_digit(ch));

    token->kind = CEL_TOKEN_IDENT;

    text = lexer->ast->source + token->offset;
    len = lexer->pos - token->offset;

    for (i = 0; cel_lex_keywords[i].text != NULL; i++) {
        if (strlen(cel_lex_keywords[i].text) == len
            && memcmp(cel_lex_keywords[i].text, text, len) == 0)
        {
            token->kind = cel_lex_keywords[i].kind;
            return;
        }
    }
}


/* ESC_IDENT = "`" [a-zA-Z0-9_.\-/ ]+ "`" */

static void
cel_lex_quoted(cel_lexer_t *lexer, cel_token_t *token)
{
    unsigned char  ch;

    do {
        ch = cel_lex_at(lexer->ast, ++lexer->pos);
    } while (cel_lex_is_letter(ch) || cel_lex_is_digit(ch) || ch == '.'
             || ch == '-' || ch == '/' || ch == ' ');

    if (ch != '`' || lexer->pos == token->offset + 1) {
        token->kind = CEL_TOKEN_BAD;
        cel_issue(lexer->issues, CEL_E_PARSE, lexer->ast, token->offset,
                  "Syntax error: a quoted field name holds one or more "
                  "letters, digits, '_', '.', '-', '/' or spaces and ends "
                  "with '`'");
        return;
    }

    lexer->pos++;
    token->kind = CEL_TOKEN_QUOTED;
}


/*
 * INT    = DIGIT+ | "0x" HEXDIGIT+,  UINT = INT [uU]
 * DOUBLE = DIGIT* "." DIGIT+ EXPONENT? | DIGIT+ EXPONENT
 */

static void
cel_lex_number(cel_lexer_t *lexer, cel_token_t *token)
{
    uint32_t          pos;
    const cel_ast_t  *ast;

    ast = lexer->ast;
    pos = lexer->pos;
    token->kind = CEL_TOKEN_INT;

    if (cel_lex_at(ast, pos) == '0' && (cel_lex_at(ast, pos + 1) | 0x20) == 'x'
        && cel_lex_is_hex(cel_lex_at(ast, pos + 2)))
    {
        pos += 2;

        while (cel_lex_is_hex(cel_lex_at(ast, pos))) {
            pos++;
        }

    } else {
        pos = cel_lex_digits(ast, pos);

        if (cel_lex_at(ast, pos) == '.'
            && cel_lex_is_digit(cel_lex_at(ast, pos + 1)))
        {
            token->kind = CEL_TOKEN_DOUBLE;
            pos = cel_lex_digits(ast, pos + 1);
        }

        if ((cel_lex_at(ast, pos) | 0x20) == 'e') {
            uint32_t  exponent = pos + 1;

            if (cel_lex_at(ast, exponent) == '+'
                || cel_lex_at(ast, exponent) == '-')
            {
                exponent++;
            }

            if (cel_lex_is_digit(cel_lex_at(ast, exponent))) {
                token->kind = CEL_TOKEN_DOUBLE;
                pos = cel_lex_digits(ast, exponent);
            }
        }
    }

    if (token->kind == CEL_TOKEN_INT && (cel_lex_at(ast, pos) | 0x20) == 'u') {
        token->kind = CEL_TOKEN_UINT;
        pos++;
    }

    lexer->pos = pos;
}


static uint32_t
cel_lex_digits(const cel_ast_t *ast, uint32_t pos)
{
    while (cel_lex_is_digit(cel_lex_at(ast, pos))) {
        pos++;
    }

    return pos;
}


/* length of a string's prefix: r, b, br or nothing; UINT32_MAX: no string */

static uint32_t
cel_lex_string_prefix(cel_lexer_t *lexer)
{
    uint32_t       n;
    unsigned char  ch;

    n = 0;

    if ((cel_lex_at(lexer->ast, lexer->pos) | 0x20) == 'b') {
        n++;
    }

    if ((cel_lex_at(lexer->ast, lexer->pos + n) | 0x20) == 'r') {
        n++;
    }

    ch = cel_lex_at(lexer->ast, lexer->pos + n);

    return (ch == '"' || ch == '\'') ? n : UINT32_MAX;
}


/*
 * STRING = [rR]? ( "'" ... "'" | '"' ... '"' | "'''" ... "'''"
 *                  | '"""' ... '"""' ),  BYTES = [bB] STRING
 */

static void
cel_lex_string(cel_lexer_t *lexer, cel_token_t *token, uint32_t prefix)
{
    bool              raw, triple;
    uint32_t          pos;
    unsigned char     ch, quote;
    const cel_ast_t  *ast;

    ast = lexer->ast;
    pos = lexer->pos + prefix;

    raw = prefix > 0 && (cel_lex_at(ast, pos - 1) | 0x20) == 'r';
    token->kind = (cel_lex_at(ast, lexer->pos) | 0x20) == 'b'
                  ? CEL_TOKEN_BYTES : CEL_TOKEN_STRING;

    quote = cel_lex_at(ast, pos);
    triple = cel_lex_at(ast, pos + 1) == quote
             && cel_lex_at(ast, pos + 2) == quote;
    pos += triple ? 3 : 1;

    for ( ;; ) {
        ch = cel_lex_at(ast, pos);

        if (pos >= ast->len || (!triple && (ch == '\n' || ch == '\r'))) {
            token->kind = CEL_TOKEN_BAD;
            cel_issue(lexer->issues, CEL_E_PARSE, ast, token->offset,
                      "Syntax error: unterminated %s literal",
                      triple ? "triple-quoted" : "string");
            return;
        }

        if (ch == '\\' && !raw) {
            pos += 2;
            continue;
        }

        pos++;

        if (ch == quote
            && (!triple || (cel_lex_at(ast, pos) == quote
                            && cel_lex_at(ast, pos + 1) == quote)))
        {
            lexer->pos = pos + (triple ? 2 : 0);
            return;
        }
    }
}


static void
cel_lex_operator(cel_lexer_t *lexer, cel_token_t *token)
{
    uint32_t     i, len, left;
    const char  *text;

    text = lexer->ast->source + lexer->pos;
    left = lexer->ast->len - lexer->pos;

    for (i = 0; cel_lex_operators[i].kind != CEL_TOKEN_END; i++) {
        len = strlen(cel_lex_operators[i].text);

        if (len <= left && memcmp(cel_lex_operators[i].text, text, len) == 0) {
            token->kind = cel_lex_operators[i].kind;
            lexer->pos += len;
            return;
        }
    }

    cel_lex_refuse(lexer, token);
}


/* quotes as word processors make them: U+2018, U+2019, U+201C, U+201D */

static bool
cel_lex_curly(const cel_lexer_t *lexer)
{
    unsigned char  last;

    last = cel_lex_at(lexer->ast, lexer->pos + 2);

    return cel_lex_at(lexer->ast, lexer->pos + 1) == 0x80
           && (last == 0x98 || last == 0x99 || last == 0x9c || last == 0x9d);
}


static void
cel_lex_refuse(cel_lexer_t *lexer, cel_token_t *token)
{
    uint32_t       len;
    const char    *hint;
    unsigned char  ch;

    ch = cel_lex_at(lexer->ast, lexer->pos);

    switch (ch) {

    case '=':
        hint = ", compare with '=='";
        break;

    case '&':
        hint = ", 'and' is '&&'";
        break;

    case '|':
        hint = ", 'or' is '||'";
        break;

    case 0xe2:
        hint = cel_lex_curly(lexer) ? ", quotes are ' or \"" : "";
        break;

    default:
        hint = "";
    }

    token->kind = CEL_TOKEN_BAD;

    if (ch == '\0') {
        cel_issue(lexer->issues, CEL_E_PARSE, lexer->ast, token->offset,
                  "Syntax error: NUL byte in the expression, outside of a "
                  "string");
        return;
    }

    if (ch < 0x20 || ch == 0x7f) {
        cel_issue(lexer->issues, CEL_E_PARSE, lexer->ast, token->offset,
                  "Syntax error: token recognition error at: control "
                  "character 0x%02x", (unsigned) ch);
        return;
    }

    len = cel_lex_utf8((const unsigned char *) lexer->ast->source
                       + lexer->pos, lexer->ast->len - lexer->pos);

    cel_issue(lexer->issues, CEL_E_PARSE, lexer->ast, token->offset,
              "Syntax error: token recognition error at: '%.*s'%s",
              (int) len, lexer->ast->source + lexer->pos, hint);
}


cel_status_t
cel_lex_validate(const cel_ast_t *ast, cel_issues_t *issues)
{
    size_t                n;
    const unsigned char  *p, *end;

    p = (const unsigned char *) ast->source;
    end = p + ast->len;

    while (p < end) {

        n = cel_lex_utf8(p, end - p);

        if (n == 0) {
            cel_issue(issues, CEL_E_PARSE, ast,
                      p - (const unsigned char *) ast->source,
                      "Syntax error: the expression is not valid UTF-8 "
                      "(byte 0x%02x)", (unsigned) *p);
            return CEL_ERROR;
        }

        p += n;
    }

    return CEL_OK;
}


/* bytes of the character at p, 0 when it is not valid UTF-8 */

static uint32_t
cel_lex_utf8(const unsigned char *p, size_t len)
{
    uint32_t  i, n, code;

    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    if (*p < 0x80) {
        return 1;
    }

    n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;

    if (n == 0 || *p > 0xf4 || len < n) {
        return 0;
    }

    code = *p & (0x7f >> n);

    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        code = (code << 6) | (p[i] & 0x3f);
    }

    if (code < least[n] || code > 0x10ffff
        || (code >= 0xd800 && code <= 0xdfff))
    {
        return 0;
    }

    return n;
}
