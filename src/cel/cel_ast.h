
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_ast.h - the syntax tree between parser, checker, cost and compiler;
 * private to src/cel.
 *
 * Nodes live in the arena of one compilation.  The parser fills the shape,
 * macros are expanded while parsing, the checker annotates, the compiler only
 * reads.
 */


#ifndef CEL_AST_H_INCLUDED
#define CEL_AST_H_INCLUDED


#include "cel_env.h"


typedef enum {
    CEL_N_CONST = 0,          /* value */
    CEL_N_IDENT,              /* name */
    CEL_N_SELECT,             /* a.name, has(a.name), a.?name */
    CEL_N_CALL,               /* name(items), target.name(items), operators */
    CEL_N_LIST,               /* items */
    CEL_N_MAP,                /* items: key, value, key, value ... */
    CEL_N_STRUCT,             /* name{...}: items: field consts and values */
    CEL_N_COMPREHENSION       /* fold */
} cel_node_kind_t;


/* What an identifier or a qualified name turned out to be. */

typedef enum {
    CEL_R_NONE = 0,
    CEL_R_FACT,               /* slot */
    CEL_R_SHARED,             /* slot: a part that was found to be an atom,
                               * see cel_atom.h */
    CEL_R_LOCAL,              /* local: depth-first number of the variable */
    CEL_R_TYPE,               /* value: a type literal */
    CEL_R_CONST               /* value: folded */
} cel_ref_t;


typedef struct cel_node_s  cel_node_t;
typedef struct cel_fold_s  cel_fold_t;
typedef struct cel_path_s  cel_path_t;


struct cel_node_s {
    cel_node_kind_t       kind;
    uint32_t              offset;        /* bytes into the source */
    uint32_t              height;        /* 1 for a leaf */
    uint32_t              nitems;
    bool                  test_only;     /* SELECT made by has() */
    bool                  optional;      /* SELECT by ?. , CALL _[?_] */
    uint32_t              uses;          /* by conditions, see cel_share.h */

    const char           *name;          /* NUL-terminated, unescaped */
    uint32_t              name_len;

    cel_node_t           *target;        /* SELECT: operand; CALL: receiver */
    cel_node_t          **items;
    uint8_t              *item_flags;    /* LIST, MAP: 1 = optional; or NULL */
    cel_value_t           value;         /* CONST, CEL_R_TYPE, CEL_R_CONST */
    cel_fold_t           *fold;          /* COMPREHENSION */

    /* the checker's */
    const cel_type_t     *type;
    cel_ref_t             ref;           /* IDENT, and SELECT of a dotted
                                          * name that was resolved whole */
    cel_slot_t            slot;
    uint32_t              local;
    const cel_fact_t     *fact;          /* CEL_R_FACT: its declaration, NULL
                                          * when a resolver gave the slot */
    const cel_function_t *function;      /* CALL: all overloads of the name */
    const cel_overload_t *overload;      /* CALL: the only one that can
                                          * apply, NULL = at run time */

    /* the compiler's, see cel_compile_path.c */
    cel_path_t           *path;
};


/*
 * An argument whose static type is dyn may be of any kind even if overload is
 * set: its kind is tested when it runs.  With disable_check every type is dyn,
 * and a name or a function that is not known has become a call of
 * "@unresolved", an error of the evaluation as langdef.md has it for unchecked
 * expressions.
 *
 * A namespaced call, optional.of(x), has no target, and the whole name; a call
 * of a resolver function becomes an IDENT with a slot.
 */


/*
 * range.fold(var, accu = init; while cond; accu = step; result), as the
 * comprehension of langdef.md.  macro tells what it was written as, so that
 * the compiler may emit a tighter loop with the same meaning.
 */

typedef enum {
    CEL_M_NONE = 0,
    CEL_M_ALL,
    CEL_M_EXISTS,
    CEL_M_EXISTS_ONE,
    CEL_M_MAP,
    CEL_M_MAP_FILTER,
    CEL_M_FILTER,
    CEL_M_TRANSFORM_LIST,
    CEL_M_TRANSFORM_MAP,
    CEL_M_TRANSFORM_MAP_ENTRY,
    CEL_M_BIND
} cel_macro_kind_t;


/*
 * CEL_M_BIND is a fold over no elements: accu is the variable, init its value,
 * result what it is wanted for.  The predicate and the transform are nodes
 * inside step, not copies.
 */

struct cel_fold_s {
    cel_macro_kind_t      macro;
    cel_node_t           *range;
    const char           *var;           /* element; list index or map key
                                          * when var2 is there */
    const char           *var2;          /* or NULL */
    const char           *accu;          /* "@result" */
    cel_node_t           *init;
    cel_node_t           *cond;
    cel_node_t           *step;
    cel_node_t           *result;

    /* what the macro was given, for the compiler's tighter loops */
    cel_node_t           *predicate;     /* or NULL */
    cel_node_t           *transform;     /* or NULL */

    /* the checker's numbers of the variables, see CEL_R_LOCAL */
    uint32_t              var_local;
    uint32_t              var2_local;
    uint32_t              accu_local;
};


/* The i-th argument of a call, its receiver, if there is one, being 0. */

static inline const cel_node_t *
cel_node_argument(const cel_node_t *node, uint32_t i)
{
    if (node->target == NULL) {
        return node->items[i];
    }

    return i == 0 ? node->target : node->items[i - 1];
}


typedef struct {
    const char           *source;
    uint32_t              len;
    cel_node_t           *root;
    uint32_t              nnodes;
    uint32_t              nlocals;       /* after the check */
    cel_arena_t          *arena;
} cel_ast_t;


/*
 * cel_parse.c: source to tree, macros expanded unless disabled.  CEL_OK, or
 * CEL_ERROR with issues.
 */
cel_status_t cel_parse(const cel_env_t *env, const char *source, size_t len,
    cel_arena_t *arena, cel_ast_t *ast, cel_issues_t *issues);

/* cel_check.c: resolves names, types every node.  As above. */
cel_status_t cel_check(cel_env_t *env, cel_ast_t *ast, cel_issues_t *issues);


/*
 * cel_cost.c: the worst case as a polynomial in header bytes h and body bytes
 * b: c[0][0] + the sum of c[i][j] * h^i * b^j / 2^CEL_COST_FRACTION for the
 * others; saturating; over the degree = CEL_COST_MAX.  min: the least that an
 * evaluation costs that gives a value.
 */

#define CEL_COST_DEGREE    4
#define CEL_COST_FRACTION  8

typedef struct {
    uint64_t              c[CEL_COST_DEGREE][CEL_COST_DEGREE];
    bool                  unbounded;
    uint64_t              min;
} cel_cost_t;

void cel_cost_estimate(const cel_env_t *env, const cel_ast_t *ast,
    cel_cost_t *cost);
uint64_t cel_cost_at(const cel_cost_t *cost, const cel_sizes_t *sizes);


/* cel_issue.c: adds an issue at an offset of the source */
void cel_issue(cel_issues_t *issues, cel_error_kind_t kind,
    const cel_ast_t *ast, uint32_t offset, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* 1-based line and column in code points of a byte offset */
void cel_position(const char *source, size_t len, uint32_t offset,
    uint32_t *line, uint32_t *column);


/* cel_program.c: the back end, called by cel_compile() */
cel_program_t *cel_program_build(const cel_env_t *env, const cel_ast_t *ast,
    const cel_cost_t *cost, cel_issues_t *issues);


#endif /* CEL_AST_H_INCLUDED */
