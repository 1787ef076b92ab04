
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_parse_token.c - the parser's steps from token to token, and what is
 * said of a token that does not fit.
 */


#include "cel_parse.h"

#include <string.h>
#include <strings.h>


static const char *cel_parse_hint(const char *source,
    const cel_token_t *token);


/* not to be used as names of variables and functions */

static const char *const  cel_parse_reserved[] = {
    "as", "break", "const", "continue", "else", "for", "function", "if",
    "import", "let", "loop", "package", "namespace", "return", "var", "void",
    "while", NULL
};


/* ["?"], which is an error where the env has no optional values */

bool
cel_parse_optional(cel_parser_t *parser, bool *optional)
{
    *optional = cel_parse_accept(parser, CEL_TOKEN_QUESTION);

    if (*optional && !parser->optionals) {
        cel_issue(parser->issues, CEL_E_PARSE, parser->ast,
                  parser->last.offset, "unsupported syntax '?'");
        return false;
    }

    return true;
}


/* a copy of the token's text, quotes left out */

char *
cel_parse_text(cel_parser_t *parser, const cel_token_t *token,
    const char *prefix)
{
    char      *text;
    size_t     n;
    uint32_t   skip;

    skip = token->kind == CEL_TOKEN_QUOTED ? 1 : 0;
    n = strlen(prefix);

    text = cel_parse_alloc(parser, n + token->len + 1);
    if (text == NULL) {
        return NULL;
    }

    memcpy(text, prefix, n);
    memcpy(text + n, parser->ast->source + token->offset + skip,
           token->len - 2 * skip);
    text[n + token->len - 2 * skip] = '\0';

    return text;
}


void
cel_parse_advance(cel_parser_t *parser)
{
    parser->last = parser->token;
    cel_lex(&parser->lexer, &parser->token);
}


bool
cel_parse_accept(cel_parser_t *parser, cel_token_kind_t kind)
{
    if (parser->token.kind != kind) {
        return false;
    }

    cel_parse_advance(parser);

    return true;
}


bool
cel_parse_expect(cel_parser_t *parser, cel_token_kind_t kind,
    const char *expected)
{
    if (cel_parse_accept(parser, kind)) {
        return true;
    }

    cel_parse_refuse(parser, expected);

    return false;
}


void
cel_parse_refuse(cel_parser_t *parser, const char *expected)
{
    uint32_t            len;
    const char         *text;
    const cel_token_t  *token;

    token = &parser->token;

    if (token->kind == CEL_TOKEN_BAD) {
        return;                      /* the lexer has said it */
    }

    if (token->kind == CEL_TOKEN_END) {
        cel_issue(parser->issues, CEL_E_PARSE, parser->ast, token->offset,
                  "Syntax error: mismatched input '<EOF>' expecting %s",
                  expected);
        return;
    }

    text = parser->ast->source + token->offset;

    for (len = token->len < 40 ? token->len : 40;
         len < token->len && ((unsigned char) text[len] & 0xc0) == 0x80;
         len--)
    {
        /* void */
    }

    cel_issue(parser->issues, CEL_E_PARSE, parser->ast, token->offset,
              "Syntax error: mismatched input '%.*s' expecting %s%s",
              (int) len, text, expected,
              cel_parse_hint(parser->ast->source, token));
}


/* what other languages write there */

static const char *
cel_parse_hint(const char *source, const cel_token_t *token)
{
    uint32_t     end;
    const char  *text;

    text = source + token->offset;

    if (token->len == 3 && strncasecmp(text, "and", 3) == 0) {
        return ", 'and' is '&&'";
    }

    if (token->len == 2 && strncasecmp(text, "or", 2) == 0) {
        return ", 'or' is '||'";
    }

    if (text[0] == '>' && token->offset > 0 && text[-1] == '<') {
        return ", 'not equal' is '!='";
    }

    for (end = token->offset; end > 0 && source[end - 1] == ' '; end--) {
        /* void */
    }

    if (end >= 3 && end < token->offset
        && strncasecmp(source + end - 3, "not", 3) == 0
        && (end == 3 || strchr(" (!&|?:,[", source[end - 4]) != NULL))
    {
        return ", 'not' is '!'";
    }

    return "";
}


bool
cel_parse_is_reserved(const char *name)
{
    uint32_t  i;

    for (i = 0; cel_parse_reserved[i] != NULL; i++) {
        if (strcmp(cel_parse_reserved[i], name) == 0) {
            return true;
        }
    }

    return false;
}
