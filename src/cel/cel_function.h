
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_function.h - one table entry per overload, the single source for the
 * checker (signature), the cost estimate and the meter (charge), and the VM
 * (implementation); private to src/cel.
 */


#ifndef CEL_FUNCTION_H_INCLUDED
#define CEL_FUNCTION_H_INCLUDED


#include "cel_type.h"


/*
 * args: n values; a receiver is args[0].  The kinds fit the signature, dyn
 * parameters are anything but errors.  CEL_OK with *out, CEL_NEED, or
 * CEL_ERROR after cel_eval_fail().
 */
typedef cel_status_t (*cel_function_pt)(cel_eval_t *eval,
    const cel_value_t *args, uint32_t n, cel_value_t *out);


/*
 * What a call is charged before it runs, and how large its result may get.
 *   units  = base + ((size of the arguments in `sized`) * per >> shift)
 *   size   = bytes of strings and bytes, elements of lists and maps
 * CEL_CHARGE_PRODUCT multiplies the sizes instead of adding them, an empty
 * one taken as 1.
 *
 * CEL_CHARGE_DEEP looks into the values: per units for each element at any
 * depth (a map's entry is two) and bytes * per >> shift for the strings, 1
 * more for each of them.  So a value of unknown shape of n bytes of JSON
 * charges at most n * per, a string of n bytes at most 1 + (n * per >> shift).
 * The function charges it piece by piece as it goes, the rest is charged
 * before the call.
 *
 * CEL_CHARGE_PAIRS is the product of 1 + what CEL_CHARGE_DEEP comes to for
 * each of the two sized arguments, or twice for the one: every part of one
 * may meet every part of the other.  CEL_CHARGE_UP_TO is base at most, the
 * function says how much.  Both are charged as they go, too.
 *
 * CEL_CHARGE_AT_MOST is CEL_CHARGE_SUM as a bound: base before the call, the
 * rest as the function goes.  CEL_CHARGE_MATCHES is that of a search that is
 * made anew after each place that was found in s bytes:
 *   units = base + (1 + s) * (2 + per * s) + (s << shift)
 */

typedef enum {
    CEL_CHARGE_SUM = 0,
    CEL_CHARGE_PRODUCT,
    CEL_CHARGE_DEEP,          /* from here on charged by the function */
    CEL_CHARGE_PAIRS,
    CEL_CHARGE_UP_TO,
    CEL_CHARGE_AT_MOST,
    CEL_CHARGE_MATCHES
} cel_charge_mode_t;

typedef enum {
    CEL_RESULT_SMALL = 0,     /* at most 64 bytes or no size at all */
    CEL_RESULT_ARGS,          /* at most the sum of the sized arguments */
    CEL_RESULT_ARGS_4,        /* at most four times that (escapes, hex) */
    CEL_RESULT_PRODUCT,       /* at most the product (replace, join) */
    CEL_RESULT_ELEMENT,       /* a part of args[0] */
    CEL_RESULT_BASE,          /* a list of at most base numbers */
    CEL_RESULT_TEXTS,         /* a few texts of ours, with parts of the sized
                               * arguments: CEL_TEXTS_MAX bytes and those */
    CEL_RESULT_JSON,          /* the same of the JSON kinds: numbers and times
                               * of the sized argument may become texts of
                               * CEL_JSON_TEXT_MAX bytes, bytes base64 */
    CEL_RESULT_SAME           /* one of the sized arguments, or an optional of
                               * it, or what is in it */
} cel_result_size_t;

#define CEL_TEXTS_MAX      2048
#define CEL_JSON_TEXT_MAX  48

typedef struct {
    uint16_t             base;
    uint16_t             per;
    uint8_t              shift;
    uint8_t              sized;          /* bit i: args[i] counts */
    uint8_t              mode;           /* cel_charge_mode_t */
    uint8_t              result;         /* cel_result_size_t */
} cel_charge_t;


/*
 * What everything else is charged: a unit for each node of the tree that is
 * evaluated (a select of a fact by a dotted name is one node), and further
 *
 *   a subtree of constants alone            1 in all, it is folded
 *   call                                    its charge, base counts the node
 *   && ||                                   CEL_COST_LOGIC, instead of 1
 *   ?:                                      CEL_COST_TERNARY, instead of 1
 *   list and map literals                   1 + CEL_COST_ITEM for each item
 *                                           (key and value: two items)
 *   comprehension                           CEL_COST_FOLD, and for each
 *                                           element CEL_COST_STEP
 *
 * The compiler may do with less (it fuses instructions and knows the macros),
 * never with more.  These are upper bounds; the least that a node is charged
 * is 1, a folded or fused one 0.
 */

#define CEL_COST_LOGIC    2
#define CEL_COST_TERNARY  2
#define CEL_COST_ITEM     1
#define CEL_COST_FOLD     6
#define CEL_COST_STEP     4


/*
 * Prepares a constant argument while a program is built: compiles a pattern,
 * loads a time zone.  *arg is replaced by a value of the same text that the
 * function recognises.  CEL_ERROR with a message: it is refused.
 */
typedef struct cel_prepare_s  cel_prepare_t;

typedef cel_status_t (*cel_prepare_pt)(cel_prepare_t *prepare,
    cel_value_t *arg, char message[CEL_MESSAGE_MAX]);


/*
 * How many times as much as `prepared` says for each byte a call may cost with
 * this constant: a pattern's larger program takes longer.  For the estimate;
 * the function charges it itself.
 */
typedef uint32_t (*cel_weigh_pt)(const cel_value_t *arg);


typedef struct {
    const char          *name;           /* "startsWith", "_+_", "@in" */
    const char          *id;             /* "starts_with_string" */
    const char          *signature;      /* "string.(string): bool";
                                          * "(int, int): int"; capitals are
                                          * type parameters: "(A, list(A))" */
    cel_function_pt      call;
    cel_charge_t         charge;
    cel_prepare_pt       prepare;        /* or NULL */
    cel_charge_t         prepared;       /* when prepare did its work: the
                                          * argument is a constant */
    uint8_t              constant;       /* which one, a receiver being 0;
                                          * of all overloads of a name that
                                          * prepare the same */
    cel_weigh_pt         weigh;          /* or NULL: once */
} cel_overload_spec_t;

#define CEL_NO_CHARGE  { 0, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL }

/* the charge follows: base, per, shift, sized, mode, result */
#define CEL_OVERLOAD(name, id, signature, call, ...)                          \
    { name, id, signature, call, { __VA_ARGS__ }, NULL, CEL_NO_CHARGE, 0, NULL }

#define CEL_OVERLOADS_END                                                     \
    { NULL, NULL, NULL, NULL, CEL_NO_CHARGE, NULL, CEL_NO_CHARGE, 0, NULL }


/* A signature parsed once per env. */

#define CEL_MAX_ARGS  8

typedef struct {
    const cel_overload_spec_t  *spec;
    const cel_type_t           *args[CEL_MAX_ARGS];   /* receiver first */
    const cel_type_t           *result;
    uint8_t                     nargs;
    bool                        member;
} cel_overload_t;

typedef struct cel_function_s {
    const char                 *name;
    uint32_t                    hash;
    uint32_t                    count;
    cel_overload_t             *overloads;
} cel_function_t;


/*
 * Libraries: a file each, ended by an entry with name NULL.  Operators are
 * named as in cel-go: "_+_" "_-_" "_*_" "_/_" "_%_" "-_" "!_" "_==_" "_!=_"
 * "_<_" "_<=_" "_>_" "_>=_" "@in" "_[_]" "_[?_]"; "_&&_", "_||_" and "_?_:_"
 * have signatures, but are compiled to jumps, not called.
 */
extern const cel_overload_spec_t  cel_lib_operators[];
extern const cel_overload_spec_t  cel_lib_convert[];
extern const cel_overload_spec_t  cel_lib_string[];
extern const cel_overload_spec_t  cel_lib_collection[];
extern const cel_overload_spec_t  cel_lib_time[];
extern const cel_overload_spec_t  cel_lib_strings_ext[];
extern const cel_overload_spec_t  cel_lib_optional[];
extern const cel_overload_spec_t  cel_lib_message[];
extern const cel_overload_spec_t  cel_lib_math[];
extern const cel_overload_spec_t  cel_lib_encoders[];
extern const cel_overload_spec_t  cel_lib_lists[];
extern const cel_overload_spec_t  cel_lib_sets[];
extern const cel_overload_spec_t  cel_lib_network[];
extern const cel_overload_spec_t  cel_lib_regex[];
extern const cel_overload_spec_t  cel_lib_url[];
extern const cel_overload_spec_t  cel_lib_quantity[];
extern const cel_overload_spec_t  cel_lib_semver[];
extern const cel_overload_spec_t  cel_lib_formats[];

/* cel_library.c: the list of all libraries, ended by NULL */
extern const cel_overload_spec_t *const  cel_libraries[];


/* cel_declare.c: by name, NULL when there is none */
const cel_function_t *cel_env_function(const cel_env_t *env,
    const char *name, size_t len);


#endif /* CEL_FUNCTION_H_INCLUDED */
