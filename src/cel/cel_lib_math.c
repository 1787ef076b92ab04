
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_math.c - the `math` extension: the greatest and the least of
 * numbers, rounding, signs, bits, roots.  More than two arguments of greatest
 * and least are one list, see cel_macro.c.
 */


#include "cel_runtime.h"

#include <math.h>


#define CEL_SCALAR  1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_EACH    1, 1, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_SMALL


#define CEL_MATH(name)                                                        \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_MATH(cel_math_greatest);
CEL_MATH(cel_math_least);
CEL_MATH(cel_math_ceil);
CEL_MATH(cel_math_floor);
CEL_MATH(cel_math_round);
CEL_MATH(cel_math_trunc);
CEL_MATH(cel_math_abs);
CEL_MATH(cel_math_sign);
CEL_MATH(cel_math_sqrt);
CEL_MATH(cel_math_is_nan);
CEL_MATH(cel_math_is_inf);
CEL_MATH(cel_math_is_finite);
CEL_MATH(cel_math_and);
CEL_MATH(cel_math_or);
CEL_MATH(cel_math_xor);
CEL_MATH(cel_math_not);
CEL_MATH(cel_math_shift_left);
CEL_MATH(cel_math_shift_right);
static cel_status_t cel_math_extreme(cel_eval_t *eval,
    const cel_value_t *args, uint32_t n, int order, cel_value_t *out);
static cel_status_t cel_math_extreme_list(cel_eval_t *eval,
    const cel_value_t *list, int order, cel_value_t *out);


#define CEL_EXTREME(name, word, call)                                         \
    CEL_OVERLOAD(name, word "_int", "(int): int", call, CEL_SCALAR),          \
    CEL_OVERLOAD(name, word "_uint", "(uint): uint", call, CEL_SCALAR),       \
    CEL_OVERLOAD(name, word "_double", "(double): double", call, CEL_SCALAR), \
    CEL_OVERLOAD(name, word "_list_int", "(list(int)): int", call, CEL_EACH), \
    CEL_OVERLOAD(name, word "_list_uint", "(list(uint)): uint", call,         \
                 CEL_EACH),                                                   \
    CEL_OVERLOAD(name, word "_list_double", "(list(double)): double", call,   \
                 CEL_EACH),                                                   \
    CEL_OVERLOAD(name, word "_int_int", "(int, int): int", call,              \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_int_uint", "(int, uint): dyn", call,            \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_int_double", "(int, double): dyn", call,        \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_uint_int", "(uint, int): dyn", call,            \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_uint_uint", "(uint, uint): uint", call,         \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_uint_double", "(uint, double): dyn", call,      \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_double_int", "(double, int): dyn", call,        \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_double_uint", "(double, uint): dyn", call,      \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_double_double", "(double, double): double",     \
                 call, CEL_SCALAR)

#define CEL_ROUNDING(name, word, call)                                        \
    CEL_OVERLOAD(name, word "_double", "(double): double", call, CEL_SCALAR)

#define CEL_TEST(name, word, call)                                            \
    CEL_OVERLOAD(name, word "_double", "(double): bool", call, CEL_SCALAR)

#define CEL_BITS(name, word, call)                                            \
    CEL_OVERLOAD(name, word "_int_int", "(int, int): int", call,              \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_uint_uint", "(uint, uint): uint", call,         \
                 CEL_SCALAR)

#define CEL_SHIFT(name, word, call)                                           \
    CEL_OVERLOAD(name, word "_int_int", "(int, int): int", call,              \
                 CEL_SCALAR),                                                 \
    CEL_OVERLOAD(name, word "_uint_int", "(uint, int): uint", call,           \
                 CEL_SCALAR)


const cel_overload_spec_t  cel_lib_math[] = {

    CEL_EXTREME("math.greatest", "math_greatest", cel_math_greatest),
    CEL_EXTREME("math.least", "math_least", cel_math_least),

    CEL_ROUNDING("math.ceil", "math_ceil", cel_math_ceil),
    CEL_ROUNDING("math.floor", "math_floor", cel_math_floor),
    CEL_ROUNDING("math.round", "math_round", cel_math_round),
    CEL_ROUNDING("math.trunc", "math_trunc", cel_math_trunc),

    CEL_OVERLOAD("math.abs", "math_abs_int", "(int): int", cel_math_abs,
                 CEL_SCALAR),
    CEL_OVERLOAD("math.abs", "math_abs_uint", "(uint): uint", cel_math_abs,
                 CEL_SCALAR),
    CEL_OVERLOAD("math.abs", "math_abs_double", "(double): double",
                 cel_math_abs, CEL_SCALAR),
    CEL_OVERLOAD("math.sign", "math_sign_int", "(int): int", cel_math_sign,
                 CEL_SCALAR),
    CEL_OVERLOAD("math.sign", "math_sign_uint", "(uint): uint",
                 cel_math_sign, CEL_SCALAR),
    CEL_OVERLOAD("math.sign", "math_sign_double", "(double): double",
                 cel_math_sign, CEL_SCALAR),
    CEL_OVERLOAD("math.sqrt", "math_sqrt_int", "(int): double",
                 cel_math_sqrt, CEL_SCALAR),
    CEL_OVERLOAD("math.sqrt", "math_sqrt_uint", "(uint): double",
                 cel_math_sqrt, CEL_SCALAR),
    CEL_OVERLOAD("math.sqrt", "math_sqrt_double", "(double): double",
                 cel_math_sqrt, CEL_SCALAR),

    CEL_TEST("math.isNaN", "math_isNaN", cel_math_is_nan),
    CEL_TEST("math.isInf", "math_isInf", cel_math_is_inf),
    CEL_TEST("math.isFinite", "math_isFinite", cel_math_is_finite),

    CEL_BITS("math.bitAnd", "math_bitAnd", cel_math_and),
    CEL_BITS("math.bitOr", "math_bitOr", cel_math_or),
    CEL_BITS("math.bitXor", "math_bitXor", cel_math_xor),
    CEL_OVERLOAD("math.bitNot", "math_bitNot_int", "(int): int",
                 cel_math_not, CEL_SCALAR),
    CEL_OVERLOAD("math.bitNot", "math_bitNot_uint", "(uint): uint",
                 cel_math_not, CEL_SCALAR),
    CEL_SHIFT("math.bitShiftLeft", "math_bitShiftLeft", cel_math_shift_left),
    CEL_SHIFT("math.bitShiftRight", "math_bitShiftRight",
              cel_math_shift_right),

    CEL_OVERLOADS_END
};


CEL_MATH(cel_math_greatest)
{
    return cel_math_extreme(eval, args, n, 1, out);
}


CEL_MATH(cel_math_least)
{
    return cel_math_extreme(eval, args, n, -1, out);
}


/* of equal ones the first */

static cel_status_t
cel_math_extreme(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    int order, cel_value_t *out)
{
    if (args[0].kind == CEL_LIST) {
        return cel_math_extreme_list(eval, &args[0], order, out);
    }

    *out = args[0];

    if (n == 2 && cel_compare_numbers(&args[1], &args[0]) == order) {
        *out = args[1];
    }

    return CEL_OK;
}


static cel_status_t
cel_math_extreme_list(cel_eval_t *eval, const cel_value_t *list, int order,
    cel_value_t *out)
{
    cel_iter_t    iter;
    cel_value_t   v;
    cel_status_t  rc;

    cel_iter_init(&iter, list);

    if (iter.n == 0) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "math.%s() of an empty list",
                             order > 0 ? "greatest" : "least");
    }

    while (iter.i < iter.n) {
        rc = cel_iter_next(&iter, eval, NULL, &v);
        if (rc != CEL_OK) {
            return rc;
        }

        if (!cel_is_number(&v)) {
            return cel_fail_overload(eval);
        }

        if (iter.i == 1 || cel_compare_numbers(&v, out) == order) {
            *out = v;
        }
    }

    return CEL_OK;
}


CEL_MATH(cel_math_ceil)
{
    *out = cel_double(ceil(args[0].d));

    return CEL_OK;
}


CEL_MATH(cel_math_floor)
{
    *out = cel_double(floor(args[0].d));

    return CEL_OK;
}


/* a half goes away from zero */

CEL_MATH(cel_math_round)
{
    *out = cel_double(round(args[0].d));

    return CEL_OK;
}


CEL_MATH(cel_math_trunc)
{
    *out = cel_double(trunc(args[0].d));

    return CEL_OK;
}


CEL_MATH(cel_math_abs)
{
    *out = args[0];

    if (args[0].kind == CEL_DOUBLE) {
        out->d = fabs(args[0].d);

    } else if (args[0].kind == CEL_INT && args[0].i < 0) {
        return cel_op_neg(eval, args, 1, out);
    }

    return CEL_OK;
}


CEL_MATH(cel_math_sign)
{
    double  d;

    d = args[0].d;

    switch (args[0].kind) {

    case CEL_INT:
        *out = cel_int((args[0].i > 0) - (args[0].i < 0));
        break;

    case CEL_UINT:
        *out = cel_uint(args[0].u > 0);
        break;

    default:
        *out = cel_double(d > 0 ? 1 : d < 0 ? -1 : d);
    }

    return CEL_OK;
}


CEL_MATH(cel_math_sqrt)
{
    double  d;

    d = args[0].kind == CEL_INT ? (double) args[0].i
        : args[0].kind == CEL_UINT ? (double) args[0].u : args[0].d;

    *out = cel_double(sqrt(d));

    return CEL_OK;
}


CEL_MATH(cel_math_is_nan)
{
    *out = cel_bool(isnan(args[0].d));

    return CEL_OK;
}


CEL_MATH(cel_math_is_inf)
{
    *out = cel_bool(isinf(args[0].d));

    return CEL_OK;
}


CEL_MATH(cel_math_is_finite)
{
    *out = cel_bool(isfinite(args[0].d));

    return CEL_OK;
}


CEL_MATH(cel_math_and)
{
    *out = args[0];
    out->u = args[0].u & args[1].u;

    return CEL_OK;
}


CEL_MATH(cel_math_or)
{
    *out = args[0];
    out->u = args[0].u | args[1].u;

    return CEL_OK;
}


CEL_MATH(cel_math_xor)
{
    *out = args[0];
    out->u = args[0].u ^ args[1].u;

    return CEL_OK;
}


CEL_MATH(cel_math_not)
{
    *out = args[0];
    out->u = ~args[0].u;

    return CEL_OK;
}


static cel_status_t
cel_math_negative(cel_eval_t *eval, int64_t offset)
{
    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                         "negative offset of a shift: %lld",
                         (long long) offset);
}


CEL_MATH(cel_math_shift_left)
{
    if (args[1].i < 0) {
        return cel_math_negative(eval, args[1].i);
    }

    *out = args[0];
    out->u = args[1].i > 63 ? 0 : args[0].u << args[1].i;

    return CEL_OK;
}


/* zeroes come in, of an int, too */

CEL_MATH(cel_math_shift_right)
{
    if (args[1].i < 0) {
        return cel_math_negative(eval, args[1].i);
    }

    *out = args[0];
    out->u = args[1].i > 63 ? 0 : args[0].u >> args[1].i;

    return CEL_OK;
}
