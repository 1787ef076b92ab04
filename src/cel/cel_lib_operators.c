
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_operators.c - signatures and charges of the operators.  The VM has
 * instructions for them, which charge the same.
 */


#include "cel_runtime.h"


#define CEL_SCALAR   1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_PART     1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_ELEMENT
#define CEL_TEXTS    1, 1, CEL_BYTES_SHIFT, 3, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_JOINED   1, 1, CEL_BYTES_SHIFT, 3, CEL_CHARGE_SUM, CEL_RESULT_ARGS
#define CEL_LISTS    1, 1, 0, 3, CEL_CHARGE_SUM, CEL_RESULT_ARGS
#define CEL_SAME     1, 1, CEL_BYTES_SHIFT, 3, CEL_CHARGE_DEEP,               \
                     CEL_RESULT_SMALL
#define CEL_HELD     1, 1, CEL_BYTES_SHIFT, 2, CEL_CHARGE_DEEP,               \
                     CEL_RESULT_SMALL


static cel_status_t cel_op_not(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_op_eq(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_op_ne(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_op_lt(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_op_le(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_op_gt(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_op_ge(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);


/* op, the language's name, the first word of the ids */

#define CEL_ORDER(name, word, call)                                           \
    CEL_OVERLOAD(name, word "_bool", "(bool, bool): bool", call, CEL_SCALAR), \
    CEL_OVERLOAD(name, word "_int64", "(int, int): bool", call, CEL_SCALAR),  \
    CEL_OVERLOAD(name, word "_int64_uint64", "(int, uint): bool", call,       \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_int64_double", "(int, double): bool", call,     \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_uint64", "(uint, uint): bool", call,            \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_uint64_int64", "(uint, int): bool", call,       \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_uint64_double", "(uint, double): bool", call,   \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_double", "(double, double): bool", call,        \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_double_int64", "(double, int): bool", call,     \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_double_uint64", "(double, uint): bool", call,   \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_string", "(string, string): bool", call,        \
                 CEL_TEXTS),                                                  \
    CEL_OVERLOAD(name, word "_bytes", "(bytes, bytes): bool", call,           \
                 CEL_TEXTS),                                                  \
    CEL_OVERLOAD(name, word "_timestamp", "(timestamp, timestamp): bool",     \
                 call, CEL_SCALAR),                                           \
    CEL_OVERLOAD(name, word "_duration", "(duration, duration): bool", call,  \
                 CEL_SCALAR)

#define CEL_NUMBERS(name, word, call)                                         \
    CEL_OVERLOAD(name, word "_int64", "(int, int): int", call, CEL_SCALAR),   \
    CEL_OVERLOAD(name, word "_uint64", "(uint, uint): uint", call,            \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_double", "(double, double): double", call,      \
                 CEL_SCALAR)


const cel_overload_spec_t  cel_lib_operators[] = {

    /* jumps in the VM */

    CEL_OVERLOAD("_&&_", "logical_and", "(bool, bool): bool", NULL,
                 CEL_SCALAR),
    CEL_OVERLOAD("_||_", "logical_or", "(bool, bool): bool", NULL,
                 CEL_SCALAR),
    CEL_OVERLOAD("_?_:_", "conditional", "(bool, A, A): A", NULL,
                 CEL_SCALAR),

    CEL_OVERLOAD("!_", "logical_not", "(bool): bool", cel_op_not,
                 CEL_SCALAR),

    CEL_OVERLOAD("_==_", "equals", "(A, A): bool", cel_op_eq, CEL_SAME),
    CEL_OVERLOAD("_!=_", "not_equals", "(A, A): bool", cel_op_ne, CEL_SAME),

    CEL_ORDER("_<_", "less", cel_op_lt),
    CEL_ORDER("_<=_", "less_equals", cel_op_le),
    CEL_ORDER("_>_", "greater", cel_op_gt),
    CEL_ORDER("_>=_", "greater_equals", cel_op_ge),

    CEL_NUMBERS("_+_", "add", cel_op_add),
    CEL_OVERLOAD("_+_", "add_string", "(string, string): string", cel_op_add,
                 CEL_JOINED),
    CEL_OVERLOAD("_+_", "add_bytes", "(bytes, bytes): bytes", cel_op_add,
                 CEL_JOINED),
    CEL_OVERLOAD("_+_", "add_list", "(list(A), list(A)): list(A)",
                 cel_op_add, CEL_LISTS),
    CEL_OVERLOAD("_+_", "add_timestamp_duration",
                 "(timestamp, duration): timestamp", cel_op_add, CEL_SCALAR),
    CEL_OVERLOAD("_+_", "add_duration_timestamp",
                 "(duration, timestamp): timestamp", cel_op_add, CEL_SCALAR),
    CEL_OVERLOAD("_+_", "add_duration_duration",
                 "(duration, duration): duration", cel_op_add, CEL_SCALAR),

    CEL_NUMBERS("_-_", "subtract", cel_op_sub),
    CEL_OVERLOAD("_-_", "subtract_timestamp_timestamp",
                 "(timestamp, timestamp): duration", cel_op_sub, CEL_SCALAR),
    CEL_OVERLOAD("_-_", "subtract_timestamp_duration",
                 "(timestamp, duration): timestamp", cel_op_sub, CEL_SCALAR),
    CEL_OVERLOAD("_-_", "subtract_duration_duration",
                 "(duration, duration): duration", cel_op_sub, CEL_SCALAR),

    CEL_NUMBERS("_*_", "multiply", cel_op_mul),
    CEL_NUMBERS("_/_", "divide", cel_op_div),

    CEL_OVERLOAD("_%_", "modulo_int64", "(int, int): int", cel_op_mod,
                 CEL_SCALAR),
    CEL_OVERLOAD("_%_", "modulo_uint64", "(uint, uint): uint", cel_op_mod,
                 CEL_SCALAR),

    CEL_OVERLOAD("-_", "negate_int64", "(int): int", cel_op_neg, CEL_SCALAR),
    CEL_OVERLOAD("-_", "negate_double", "(double): double", cel_op_neg,
                 CEL_SCALAR),
    CEL_OVERLOAD("-_", "negate_duration", "(duration): duration", cel_op_neg,
                 CEL_SCALAR),

    CEL_OVERLOAD("_[_]", "index_list", "(list(A), int): A", cel_op_index,
                 CEL_PART),
    CEL_OVERLOAD("_[_]", "optional_list_index_int",
                 "(optional_type(list(A)), int): optional_type(A)",
                 cel_op_index, CEL_PART),
    CEL_OVERLOAD("_[_]", "optional_map_index_value",
                 "(optional_type(map(A, B)), A): optional_type(B)",
                 cel_op_index, CEL_PART),
    CEL_OVERLOAD("_[_]", "index_map", "(map(A, B), A): B", cel_op_index,
                 CEL_PART),

    CEL_OVERLOAD("@in", "in_list", "(A, list(A)): bool", cel_op_in,
                 CEL_HELD),
    CEL_OVERLOAD("@in", "in_map", "(A, map(A, B)): bool", cel_op_in,
                 CEL_SCALAR),

    CEL_OVERLOADS_END
};


static cel_status_t
cel_op_not(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    *out = cel_bool(!args[0].b);

    return CEL_OK;
}


static cel_status_t
cel_op_eq(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    bool          equal;
    cel_status_t  rc;

    rc = cel_equal(eval, &args[0], &args[1], &equal);

    if (rc == CEL_OK) {
        *out = cel_bool(equal);
    }

    return rc;
}


static cel_status_t
cel_op_ne(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    cel_status_t  rc;

    rc = cel_op_eq(eval, args, n, out);

    if (rc == CEL_OK) {
        out->b = !out->b;
    }

    return rc;
}


static cel_status_t
cel_op_lt(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int  order;

    if (cel_compare(eval, &args[0], &args[1], &order) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(order == -1);

    return CEL_OK;
}


static cel_status_t
cel_op_le(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int  order;

    if (cel_compare(eval, &args[0], &args[1], &order) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(order == -1 || order == 0);

    return CEL_OK;
}


static cel_status_t
cel_op_gt(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int  order;

    if (cel_compare(eval, &args[0], &args[1], &order) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(order == 1);

    return CEL_OK;
}


static cel_status_t
cel_op_ge(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int  order;

    if (cel_compare(eval, &args[0], &args[1], &order) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(order == 1 || order == 0);

    return CEL_OK;
}
