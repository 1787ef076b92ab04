
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_literal.c - the values of literals: numbers within their ranges,
 * strings and bytes without their quotes and escapes.
 */


#include "cel_charconv.h"
#include "cel_lex.h"

#include <string.h>


typedef struct {
    const cel_lexer_t    *lexer;
    const char           *pos;
    const char           *end;
    char                 *out;
    bool                  bytes;
} cel_literal_t;


static cel_status_t cel_literal_integer(const cel_lexer_t *lexer,
    const cel_token_t *token, bool negative, cel_value_t *value);
static cel_status_t cel_literal_double(const cel_lexer_t *lexer,
    const cel_token_t *token, bool negative, cel_value_t *value);
static bool cel_literal_is_tiny(const char *s, size_t len);
static cel_status_t cel_literal_string(const cel_lexer_t *lexer,
    const cel_token_t *token, cel_value_t *value);
static cel_status_t cel_literal_escape(cel_literal_t *literal);
static cel_status_t cel_literal_code(cel_literal_t *literal, char kind);
static void cel_literal_put_code(cel_literal_t *literal, uint32_t code);
static int cel_literal_digit(char ch);


cel_status_t
cel_literal(const cel_lexer_t *lexer, const cel_token_t *token, bool negative,
    cel_value_t *value)
{
    switch (token->kind) {

    case CEL_TOKEN_INT:
    case CEL_TOKEN_UINT:
        return cel_literal_integer(lexer, token, negative, value);

    case CEL_TOKEN_DOUBLE:
        return cel_literal_double(lexer, token, negative, value);

    case CEL_TOKEN_STRING:
    case CEL_TOKEN_BYTES:
        return cel_literal_string(lexer, token, value);

    case CEL_TOKEN_NULL:
        *value = cel_null();
        return CEL_OK;

    default:
        *value = cel_bool(token->kind == CEL_TOKEN_TRUE);
        return CEL_OK;
    }
}


static cel_status_t
cel_literal_integer(const cel_lexer_t *lexer, const cel_token_t *token,
    bool negative, cel_value_t *value)
{
    bool         large, is_uint;
    uint64_t     n, limit;
    unsigned     base, digit;
    const char  *p, *end;

    is_uint = token->kind == CEL_TOKEN_UINT;

    p = lexer->ast->source + token->offset;
    end = p + token->len - (is_uint ? 1 : 0);
    base = 10;

    if (end - p > 2 && (p[1] | 0x20) == 'x') {
        base = 16;
        p += 2;
    }

    large = false;

    for (n = 0; p < end; p++) {
        digit = cel_literal_digit(*p);
        large |= n > (UINT64_MAX - digit) / base;
        n = n * base + digit;
    }

    limit = is_uint ? UINT64_MAX : (uint64_t) INT64_MAX + (negative ? 1 : 0);

    if (large || n > limit) {
        cel_issue(lexer->issues, CEL_E_PARSE, lexer->ast, token->offset,
                  "invalid %s literal: beyond 64 bits",
                  is_uint ? "uint" : "int");
        return CEL_ERROR;
    }

    *value = is_uint ? cel_uint(n) : cel_int((int64_t) (negative ? 0 - n : n));

    return CEL_OK;
}


static cel_status_t
cel_literal_double(const cel_lexer_t *lexer, const cel_token_t *token,
    bool negative, cel_value_t *value)
{
    double       d;
    const char  *text;

    text = lexer->ast->source + token->offset;

    if (!cel_double_from_chars(text, token->len, &d)) {

        if (!cel_literal_is_tiny(text, token->len)) {
            cel_issue(lexer->issues, CEL_E_PARSE, lexer->ast, token->offset,
                      "invalid double literal: beyond the range of a double");
            return CEL_ERROR;
        }

        d = 0;
    }

    *value = cel_double(negative ? -d : d);

    return CEL_OK;
}


/*
 * Of digits that no double holds: whether they are too near to zero, not too
 * large.  exponent is that of the first digit which is not 0.
 */

static bool
cel_literal_is_tiny(const char *s, size_t len)
{
    bool      point, digits, minus;
    size_t    i;
    int64_t   exponent, n;

    point = false;
    digits = false;
    exponent = -1;

    for (i = 0; i < len && s[i] != 'e' && s[i] != 'E'; i++) {

        if (s[i] == '.') {
            point = true;
            continue;
        }

        if (s[i] != '0' && !digits) {
            digits = true;
            exponent += point ? 0 : 1;
            continue;
        }

        exponent += digits ? !point : -(int64_t) point;
    }

    minus = i + 1 < len && s[i + 1] == '-';
    n = 0;

    for (i += 1; i < len; i++) {
        if (s[i] >= '0' && s[i] <= '9' && n < INT32_MAX) {
            n = n * 10 + (s[i] - '0');
        }
    }

    return exponent + (minus ? -n : n) < 0;
}


static cel_status_t
cel_literal_string(const cel_lexer_t *lexer, const cel_token_t *token,
    cel_value_t *value)
{
    bool           raw;
    char          *start;
    unsigned       quotes;
    cel_literal_t  literal;

    literal.lexer = lexer;
    literal.bytes = token->kind == CEL_TOKEN_BYTES;
    literal.pos = lexer->ast->source + token->offset;
    literal.end = literal.pos + token->len;

    for (raw = false; *literal.pos != '"' && *literal.pos != '\'';
         literal.pos++)
    {
        raw |= (*literal.pos | 0x20) == 'r';
    }

    quotes = literal.end - literal.pos >= 6
             && literal.pos[0] == literal.pos[1]
             && literal.pos[0] == literal.pos[2] ? 3 : 1;
    literal.pos += quotes;
    literal.end -= quotes;

    /* an escape is never shorter than what it stands for */

    start = cel_arena_alloc(lexer->ast->arena, literal.end - literal.pos + 1);
    if (start == NULL) {
        cel_issue(lexer->issues, CEL_E_MEMORY, lexer->ast, token->offset,
                  "out of memory");
        return CEL_ERROR;
    }

    literal.out = start;

    while (literal.pos < literal.end) {

        if (raw || *literal.pos != '\\') {
            *literal.out++ = *literal.pos++;
            continue;
        }

        if (cel_literal_escape(&literal) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    *literal.out = '\0';
    *value = literal.bytes ? cel_bytes(start, literal.out - start)
                           : cel_string(start, literal.out - start);
    return CEL_OK;
}


/*
 * ESCAPE = "\" [abfnrtv\?"'`] | "\" [xX] HEXDIGIT HEXDIGIT
 *        | "\u" 4 HEXDIGIT | "\U" 8 HEXDIGIT | "\" [0-3] [0-7] [0-7]
 */

static cel_status_t
cel_literal_escape(cel_literal_t *literal)
{
    char         ch;
    const char  *p;

    static const char  from[] = "abfnrtv\\?\"'`";
    static const char  to[] = "\a\b\f\n\r\t\v\\?\"'`";

    ch = literal->pos[1];
    p = ch != '\0' ? strchr(from, ch) : NULL;

    if (p != NULL) {
        *literal->out++ = to[p - from];
        literal->pos += 2;
        return CEL_OK;
    }

    return cel_literal_code(literal, ch);
}


static cel_status_t
cel_literal_code(cel_literal_t *literal, char kind)
{
    int              digit;
    bool             octal;
    uint32_t         code, offset, i, n, base;
    const cel_ast_t  *ast;

    ast = literal->lexer->ast;
    offset = literal->pos - ast->source;

    octal = kind >= '0' && kind <= '3';
    n = octal ? 3 : (kind | 0x20) == 'x' ? 2 : kind == 'u' ? 4
        : kind == 'U' ? 8 : 0;
    base = octal ? 8 : 16;

    literal->pos += octal ? 1 : 2;

    if (n == 0 || (n >= 4 && literal->bytes)
        || literal->end - literal->pos < (ptrdiff_t) n)
    {
        goto failed;
    }

    for (code = 0, i = 0; i < n; i++) {
        digit = cel_literal_digit(*literal->pos++);

        if (digit < 0 || digit >= (int) base) {
            goto failed;
        }

        code = code * base + digit;
    }

    if (literal->bytes) {
        *literal->out++ = (char) code;
        return CEL_OK;
    }

    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        cel_issue(literal->lexer->issues, CEL_E_PARSE, ast, offset,
                  "Syntax error: U+%04X is no Unicode character",
                  (unsigned) code);
        return CEL_ERROR;
    }

    cel_literal_put_code(literal, code);

    return CEL_OK;

failed:

    cel_issue(literal->lexer->issues, CEL_E_PARSE, ast, offset,
              "Syntax error: invalid escape sequence in a %s literal, a "
              "backslash is \\\\ there, or \\ in r'...'",
              literal->bytes ? "bytes" : "string");
    return CEL_ERROR;
}


static void
cel_literal_put_code(cel_literal_t *literal, uint32_t code)
{
    if (code < 0x80) {
        *literal->out++ = (char) code;
        return;
    }

    if (code < 0x800) {
        *literal->out++ = (char) (0xc0 | (code >> 6));

    } else {
        if (code < 0x10000) {
            *literal->out++ = (char) (0xe0 | (code >> 12));

        } else {
            *literal->out++ = (char) (0xf0 | (code >> 18));
            *literal->out++ = (char) (0x80 | ((code >> 12) & 0x3f));
        }

        *literal->out++ = (char) (0x80 | ((code >> 6) & 0x3f));
    }

    *literal->out++ = (char) (0x80 | (code & 0x3f));
}


static int
cel_literal_digit(char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}
