
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_type.h - types as the checker sees them; private to src/cel.
 *
 * Simple types are static singletons; parameterised ones live in the env's
 * arena (declared types) or the compilation's.  Types a program exposes are
 * copied into the program's arena.
 */


#ifndef CEL_TYPE_H_INCLUDED
#define CEL_TYPE_H_INCLUDED


#include "cel.h"


typedef enum {
    CEL_T_ERROR = 0,          /* after an error: agrees with everything */
    CEL_T_DYN,
    CEL_T_NULL,
    CEL_T_BOOL,
    CEL_T_INT,
    CEL_T_UINT,
    CEL_T_DOUBLE,
    CEL_T_STRING,
    CEL_T_BYTES,
    CEL_T_TIMESTAMP,
    CEL_T_DURATION,
    CEL_T_LIST,               /* params[0] */
    CEL_T_MAP,                /* params[0], params[1] */
    CEL_T_TYPE,               /* params[0]: the type that it names */
    CEL_T_OPTIONAL,           /* params[0] */
    CEL_T_WRAPPER,            /* params[0]: null or that */
    CEL_T_OPAQUE,             /* name: "net.IP" */
    CEL_T_STRUCT,             /* name: a message type */
    CEL_T_PARAM               /* name: type parameter "A", substitutable */
} cel_type_kind_t;


struct cel_type_s {
    cel_type_kind_t     kind;
    uint32_t            nparams;
    const char         *name;            /* as type() names it: "int",
                                          * "google.protobuf.Timestamp" */
    const cel_type_t  *const *params;    /* nparams */
    uint32_t            id;              /* PARAM: number, "A" is 0 */
    uint32_t            open;            /* 1 + highest id inside, 0 = none */
};


/* Singletons for the kinds without parameters; list(dyn) and the like too. */
extern const cel_type_t  cel_t_error, cel_t_dyn, cel_t_null, cel_t_bool,
    cel_t_int, cel_t_uint, cel_t_double, cel_t_string, cel_t_bytes,
    cel_t_timestamp, cel_t_duration, cel_t_list_dyn, cel_t_map_dyn,
    cel_t_type, cel_t_optional_dyn, cel_t_net_ip, cel_t_net_cidr, cel_t_url,
    cel_t_quantity, cel_t_semver, cel_t_named_format;


/* of one type in the notation */
#define CEL_TYPE_PARAMS_MAX  8


/*
 * A type of the parameters a and b, none when they are NULL.  name is
 * borrowed, NULL = the kind's own; NULL when the arena is full.
 */
const cel_type_t *cel_type_make(cel_arena_t *arena, cel_type_kind_t kind,
    const char *name, const cel_type_t *a, const cel_type_t *b);

/* base's kind and name with n other parameters, which are copied */
const cel_type_t *cel_type_with(cel_arena_t *arena, const cel_type_t *base,
    const cel_type_t *const *params, uint32_t n);

/* The type of a name of the notation, NULL when CEL has none. */
const cel_type_t *cel_type_by_name(const char *name, size_t len);


/*
 * cel_type_text.c: the notation, "map(string, list(A))".  Other names are of
 * opaque types when they have a dot or parameters: "net.IP", "pair(A, B)",
 * "token()".  NULL when not understood or no memory.
 */
const cel_type_t *cel_type_parse(cel_arena_t *arena, const char *text,
    size_t len);

/*
 * The same for the type that starts at *pos, which is moved behind it: for
 * signatures.  A dot before a parenthesis ends a name.
 */
const cel_type_t *cel_type_scan(cel_arena_t *arena, const char **pos,
    const char *end);

/* Moves *pos behind spaces and ch, if that is what follows. */
bool cel_type_accept(const char **pos, const char *end, char ch);

/* The type that an expression names, as "list"; NULL when it is none. */
const cel_type_t *cel_type_lookup(const char *name, size_t len);

/*
 * A deep copy that needs nothing but arena, dyn from a depth of 16 on; NULL
 * when that is full.
 */
const cel_type_t *cel_type_copy(cel_arena_t *arena, const cel_type_t *type);

bool cel_type_same(const cel_type_t *a, const cel_type_t *b);


#endif /* CEL_TYPE_H_INCLUDED */
