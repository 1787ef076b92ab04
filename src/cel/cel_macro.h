
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_macro.h - what the files of the macros share; private to them.
 */


#ifndef CEL_MACRO_H_INCLUDED
#define CEL_MACRO_H_INCLUDED


#include "cel_parse.h"


typedef struct {
    cel_parser_t         *parser;
    const cel_node_t     *call;
    cel_macro_kind_t      kind;
    uint32_t              nvars;
} cel_macro_t;


/* cel_macro_ext.c: as all that expand, NULL after an issue */

cel_node_t *cel_macro_block(cel_macro_t *macro);
cel_node_t *cel_macro_numbered(cel_macro_t *macro);
cel_node_t *cel_macro_extreme(cel_macro_t *macro);
cel_node_t *cel_macro_sort_by(cel_macro_t *macro);
cel_node_t *cel_macro_optional(cel_macro_t *macro);


/* cel_macro.c */

/* map() and transformList() */
cel_node_t *cel_macro_list(cel_macro_t *macro);

/* result, in which name is value */
cel_node_t *cel_macro_let(cel_macro_t *macro, const char *name,
    cel_node_t *value, cel_node_t *result);

/* the i-th argument, which must be the name of a new variable */
const char *cel_macro_var(cel_macro_t *macro, uint32_t i);


#endif /* CEL_MACRO_H_INCLUDED */
