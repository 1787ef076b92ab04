
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_parse.h - the parser's state and the making of nodes; private to the
 * parser's files.
 */


#ifndef CEL_PARSE_H_INCLUDED
#define CEL_PARSE_H_INCLUDED


#include "cel_lex.h"


typedef struct {
    const cel_env_t      *env;
    cel_ast_t            *ast;
    cel_issues_t         *issues;
    cel_lexer_t           lexer;
    cel_token_t           token;         /* to be consumed next */
    cel_token_t           last;          /* consumed last */
    uint32_t              depth;         /* of nested expressions */
    bool                  negative;      /* a minus belongs to token */
    bool                  optionals;     /* the env knows optional.of() */
} cel_parser_t;


/* A growing array in the arena. */

typedef struct {
    cel_node_t          **items;
    uint8_t              *flags;
    uint32_t              count;
    uint32_t              size;
} cel_nodes_t;


/* cel_parse.c, cel_parse_member.c, cel_parse_aggregate.c: NULL after an issue
 */

cel_node_t *cel_parse_expr(cel_parser_t *parser);
cel_node_t *cel_parse_member(cel_parser_t *parser);
cel_node_t *cel_parse_list(cel_parser_t *parser);
cel_node_t *cel_parse_map(cel_parser_t *parser);
cel_node_t *cel_parse_struct(cel_parser_t *parser, cel_node_t *type);

/* a name, or selects of one: *len is the length of all with the dots */
bool cel_parse_qualified(const cel_node_t *node, uint32_t *len);


/* cel_parse_token.c */

void cel_parse_advance(cel_parser_t *parser);
bool cel_parse_accept(cel_parser_t *parser, cel_token_kind_t kind);

/* as accept, with an issue when the token is another */
bool cel_parse_expect(cel_parser_t *parser, cel_token_kind_t kind,
    const char *expected);
void cel_parse_refuse(cel_parser_t *parser, const char *expected);

/* ["?"], which is an error where the env has no optional values */
bool cel_parse_optional(cel_parser_t *parser, bool *optional);

/* a copy of the token's text, quotes left out; NULL after an issue */
char *cel_parse_text(cel_parser_t *parser, const cel_token_t *token,
    const char *prefix);

bool cel_parse_is_reserved(const char *name);


/*
 * cel_node.c: all give NULL, or CEL_ERROR, after an issue: out of memory, too
 * many nodes, too high a tree.  A child may be NULL when it has failed.
 */
cel_node_t *cel_node_make(cel_parser_t *parser, cel_node_kind_t kind,
    uint32_t offset);
cel_node_t *cel_node_ident(cel_parser_t *parser, uint32_t offset,
    const char *name);
cel_node_t *cel_node_const(cel_parser_t *parser, uint32_t offset,
    cel_value_t value);
cel_node_t *cel_node_call(cel_parser_t *parser, uint32_t offset,
    const char *name, cel_nodes_t *args);
cel_node_t *cel_node_unary(cel_parser_t *parser, uint32_t offset,
    const char *name, cel_node_t *a);
cel_node_t *cel_node_binary(cel_parser_t *parser, uint32_t offset,
    const char *name, cel_node_t *a, cel_node_t *b);
cel_node_t *cel_node_ternary(cel_parser_t *parser, uint32_t offset,
    cel_node_t *a, cel_node_t *b, cel_node_t *c);
cel_node_t *cel_node_list(cel_parser_t *parser, uint32_t offset,
    cel_node_t *item);

/* The parent grows as high as the child demands. */
cel_status_t cel_node_adopt(cel_parser_t *parser, cel_node_t *parent,
    const cel_node_t *child);
cel_status_t cel_node_adopt_items(cel_parser_t *parser, cel_node_t *parent,
    const cel_nodes_t *nodes);

cel_status_t cel_nodes_push(cel_parser_t *parser, cel_nodes_t *nodes,
    cel_node_t *node, uint8_t flag);
void *cel_parse_alloc(cel_parser_t *parser, size_t size);


/*
 * cel_macro.c: what the macro stands for, or NULL after an issue; *expanded
 * is false, and NULL returned, when the call is none.
 */
cel_node_t *cel_macro_expand(cel_parser_t *parser, const cel_node_t *call,
    bool *expanded);

/* The i-th macro's name, for suggestions; NULL past the end. */
const char *cel_macro_name(uint32_t i);


#endif /* CEL_PARSE_H_INCLUDED */
