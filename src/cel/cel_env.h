
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_env.h - what an environment holds: facts, resolver functions and the
 * function table; private to src/cel.  The compiler reads the limits and the
 * allocator from here.
 */


#ifndef CEL_ENV_H_INCLUDED
#define CEL_ENV_H_INCLUDED


#include "cel_function.h"


#define CEL_ENV_BUCKETS         64

#define CEL_DEFAULT_SOURCE      65536
#define CEL_DEFAULT_DEPTH       250
#define CEL_DEFAULT_NODES       100000
#define CEL_DEFAULT_REGEX       1000
#define CEL_DEFAULT_LOOPS       8
#define CEL_DEFAULT_MEMORY      (64u << 20)


typedef struct cel_fact_s       cel_fact_t;
typedef struct cel_resolver_s   cel_resolver_t;
typedef struct cel_functions_s  cel_functions_t;
typedef struct cel_declared_s   cel_declared_t;
typedef struct cel_alias_s      cel_alias_t;


struct cel_fact_s {
    cel_fact_t             *next;        /* in the same bucket */
    const char             *name;
    uint32_t                len;
    uint32_t                hash;
    const cel_type_t       *type;
    cel_slot_t              slot;
    cel_size_class_t        size;
    const void             *shape;       /* cel_shape_t, NULL: by size */
    unsigned                flags;
};


/* a short name for a qualified one, its last part */

struct cel_alias_s {
    cel_alias_t            *next;
    const char             *name;        /* "a.b.C" */
    uint32_t                len;
    uint32_t                start;       /* of "C" */
};


struct cel_resolver_s {
    cel_resolver_t         *next;
    const char             *function;
    uint32_t                len;
    cel_resolve_pt          resolve;
    void                   *ctx;
};


struct cel_env_s {
    const cel_allocator_t  *allocator;
    cel_limits_t            limits;      /* defaults filled in */
    uint32_t                container_len;
    uint32_t                alias_len;   /* the longest */
    cel_alias_t            *aliases;
    cel_arena_t             arena;       /* as long as the env */
    cel_fact_t             *facts[CEL_ENV_BUCKETS];
    uint32_t                longest;     /* of the names of facts */
    cel_resolver_t         *resolvers;
    cel_functions_t        *functions;
    cel_declared_t         *declared;    /* functions, the last one first */
    cel_issues_t           *warnings;    /* borrowed, NULL: nobody asks */
    void                   *result;      /* cel_shape_t of what was compiled
                                          * last, NULL: nobody asks */
};


/* cel_lib_macros.c: known in every env beside cel_libraries[] */
extern const cel_overload_spec_t  cel_lib_macros[];


uint32_t cel_name_hash(const char *name, size_t len);

/* name = ident {"." ident} */
bool cel_env_name_valid(const char *name);

const cel_fact_t *cel_env_fact(const cel_env_t *env, const char *name,
    size_t len);

const cel_resolver_t *cel_env_resolver(const cel_env_t *env,
    const char *name, size_t len);


/*
 * cel_signature.c: the functions of cel_libraries[] by name.  A function's
 * signatures are parsed when it is first looked up, so that an env is cheap
 * to create; hence one thread at a time.
 */
cel_functions_t *cel_functions_create(cel_arena_t *arena);
const cel_function_t *cel_functions_lookup(cel_functions_t *functions,
    const char *name, size_t len);

/* the i-th name, NULL past the end */
const char *cel_functions_name(const cel_functions_t *functions, uint32_t i);

/* fills all but spec; CEL_ERROR when it is not understood or out of memory */
cel_status_t cel_signature_parse(cel_arena_t *arena, const char *signature,
    cel_overload_t *overload);


/* cel_declare.c: the i-th name of all functions, NULL past the end */
const char *cel_env_function_name(const cel_env_t *env, uint32_t i);

/* the overload, or when it is NULL every one, has no implementation */
bool cel_function_is_declared(const cel_function_t *function,
    const cel_overload_t *overload);


#endif /* CEL_ENV_H_INCLUDED */
