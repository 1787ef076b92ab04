/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * lexer.c - fuzzes the tokens of CEL: each within the source, one after the
 * other, literals included, and an issue wherever one is bad.
 */


#include "fuzz.h"
#include "cel_lex.h"


static uint64_t lexer_run(const char *text, size_t len);


const fuzz_target_t  fuzz_target = {
    .run = lexer_run,
    .work_unit = "tokens",
    .work = 1,
    .work_per_byte = 1,
    .memory = 8192,
    .memory_per_byte = 32
};


static bool
lexer_is_literal(const cel_token_t *token)
{
    return token->kind >= CEL_TOKEN_INT && token->kind <= CEL_TOKEN_BYTES;
}


static void
lexer_literal(const cel_lexer_t *lexer, const cel_token_t *token)
{
    uint32_t      issues;
    cel_value_t   value;

    issues = lexer->issues->total;

    if (cel_literal(lexer, token, false, &value) != CEL_OK) {
        if (lexer->issues->total == issues) {
            fuzz_fail("a literal at %u is refused without an issue",
                      token->offset);
        }

        return;
    }

    if ((value.kind == CEL_STRING || value.kind == CEL_BYTES)
        && value.len > token->len * 4)
    {
        fuzz_fail("a literal of %u bytes is one of %u", token->len,
                  value.len);
    }
}


static uint64_t
lexer_tokens(cel_lexer_t *lexer, size_t len)
{
    uint32_t      end;
    uint64_t      n;
    cel_token_t   token;

    end = 0;

    for (n = 1; /* void */ ; n++) {
        cel_lex(lexer, &token);

        if (token.offset < end || token.offset > len
            || token.len > len - token.offset)
        {
            fuzz_fail("a token from %u of %u bytes, after %u of %zu",
                      token.offset, token.len, end, len);
        }

        if (token.kind == CEL_TOKEN_END) {
            return n;
        }

        if (token.kind == CEL_TOKEN_BAD) {
            if (lexer->issues->total == 0) {
                fuzz_fail("a bad token at %u without an issue", token.offset);
            }

            return n;
        }

        if (token.len == 0) {
            fuzz_fail("an empty token at %u", token.offset);
        }

        end = token.offset + token.len;

        if (lexer_is_literal(&token)) {
            lexer_literal(lexer, &token);
        }
    }
}


static uint64_t
lexer_run(const char *text, size_t len)
{
    uint64_t       n;
    cel_ast_t      ast;
    cel_arena_t    arena;
    cel_lexer_t    lexer;
    cel_issues_t   issues;

    memset(&ast, 0, sizeof(ast));
    memset(&lexer, 0, sizeof(lexer));
    memset(&issues, 0, sizeof(issues));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 0);

    ast.source = text;
    ast.len = (uint32_t) len;
    ast.arena = &arena;
    lexer.ast = &ast;
    lexer.issues = &issues;

    n = 0;

    if (cel_lex_validate(&ast, &issues) == CEL_OK) {
        n = lexer_tokens(&lexer, len);

    } else if (issues.total == 0) {
        fuzz_fail("a source is refused without an issue");
    }

    cel_arena_reset(&arena);

    return n;
}
