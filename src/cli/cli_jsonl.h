
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cli_jsonl.h - protobuf's JSON mapping of cel.expr.Value and of types; for
 * eval --jsonl.
 */


#ifndef CLI_JSONL_H_INCLUDED
#define CLI_JSONL_H_INCLUDED


#include <jansson.h>
#include "cli.h"


/* What one line works with; message says what is wrong with the line. */

#define CLI_LINE_PROGRAMS  64
#define CLI_LINE_PARAMS    26

typedef struct {
    cel_arena_t           arena;
    cel_eval_t            eval;
    cel_program_t        *programs[CLI_LINE_PROGRAMS];  /* values borrow */
    uint32_t              nprograms;
    const char           *params[CLI_LINE_PARAMS];      /* type parameters, */
    uint32_t              nparams;                      /* "A" is the first */
    bool                  signature;                    /* else they are dyn */
    char                  message[CEL_MESSAGE_MAX];
} cli_line_t;


/* Whether key is the name of the field in JSON, intoThis, or in_the_proto. */
bool cli_field_is(const char *key, const char *name);

/* The field by either name, borrowed; NULL when it is not set or null. */
json_t *cli_field(const json_t *message, const char *name);

/* Text of an integer with a point or an exponent: "1e3"; exact, or false. */
bool cli_integer(const char *text, double *value);


/* cel.expr.Value to a value in the line's arena; false with message. */
bool cli_value_read(cli_line_t *line, const json_t *json, cel_value_t *value);

/* A value as cel.expr.Value, a new reference; NULL with message. */
json_t *cli_value_write(cli_line_t *line, const cel_value_t *value);

/* cel.expr.Type as CEL writes it, appended to buf; false with message. */
bool cli_type_read(cli_line_t *line, const json_t *json, char *buf,
    size_t size);

/*
 * cel.expr.Decl.FunctionDecl.Overload as a signature, "string.(A): list(A)";
 * as above.
 */
bool cli_type_signature(cli_line_t *line, const json_t *overload, char *buf,
    size_t size);

bool cli_line_fail(cli_line_t *line, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* CLI_JSONL_H_INCLUDED */
