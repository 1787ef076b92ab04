
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_quantity.c - quantities as in Kubernetes: quantity(), isQuantity(),
 * what one is as a number, sums and order.
 */


#include "cel_quantity.h"


#define CEL_PARSED    8, 4, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_SCALAR    2, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_SUM       16, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_FLOAT     64, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL


#define CEL_QUANTITY(name)                                                    \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_QUANTITY(cel_quantity_make);
CEL_QUANTITY(cel_quantity_is);
CEL_QUANTITY(cel_quantity_sign);
CEL_QUANTITY(cel_quantity_is_integer);
CEL_QUANTITY(cel_quantity_as_integer);
CEL_QUANTITY(cel_quantity_as_double);
CEL_QUANTITY(cel_quantity_sum);
CEL_QUANTITY(cel_quantity_difference);
static cel_status_t cel_quantity_value(cel_eval_t *eval,
    const cel_quantity_t *q, cel_value_t *out);
static cel_status_t cel_quantity_take(cel_eval_t *eval, const cel_value_t *v,
    cel_quantity_t *q);
static size_t cel_quantity_text(const cel_opaque_t *opaque, char *buf);
static int cel_quantity_order(const cel_opaque_t *a, const cel_opaque_t *b);


#define CEL_QUANTITY_ASK(name, id, result, call, ...)                         \
    CEL_OVERLOAD(name, id, "kubernetes.Quantity.(): " result, call,           \
                 __VA_ARGS__)

#define CEL_QUANTITY_WITH(name, id, with, result, call, ...)                  \
    CEL_OVERLOAD(name, id, "kubernetes.Quantity.(" with "): " result, call,   \
                 __VA_ARGS__)


const cel_overload_spec_t  cel_lib_quantity[] = {

    CEL_OVERLOAD("quantity", "string_to_quantity",
                 "(string): kubernetes.Quantity", cel_quantity_make,
                 CEL_PARSED),
    CEL_OVERLOAD("isQuantity", "is_quantity_string", "(string): bool",
                 cel_quantity_is, CEL_PARSED),

    CEL_OVERLOAD("sign", "quantity_sign", "(kubernetes.Quantity): int",
                 cel_quantity_sign, CEL_SCALAR),
    CEL_QUANTITY_ASK("sign", "quantity_member_sign", "int",
                     cel_quantity_sign, CEL_SCALAR),
    CEL_QUANTITY_ASK("isInteger", "quantity_is_integer", "bool",
                     cel_quantity_is_integer, CEL_SCALAR),
    CEL_QUANTITY_ASK("asInteger", "quantity_get_int", "int",
                     cel_quantity_as_integer, CEL_SCALAR),
    CEL_QUANTITY_ASK("asApproximateFloat", "quantity_get_float", "double",
                     cel_quantity_as_double, CEL_FLOAT),

    CEL_QUANTITY_WITH("add", "quantity_add", "kubernetes.Quantity",
                      "kubernetes.Quantity", cel_quantity_sum, CEL_SUM),
    CEL_QUANTITY_WITH("add", "quantity_add_int", "int",
                      "kubernetes.Quantity", cel_quantity_sum, CEL_SUM),
    CEL_QUANTITY_WITH("sub", "quantity_sub", "kubernetes.Quantity",
                      "kubernetes.Quantity", cel_quantity_difference,
                      CEL_SUM),
    CEL_QUANTITY_WITH("sub", "quantity_sub_int", "int",
                      "kubernetes.Quantity", cel_quantity_difference,
                      CEL_SUM),

    CEL_QUANTITY_WITH("isGreaterThan", "quantity_is_greater_than",
                      "kubernetes.Quantity", "bool", cel_opaque_is_greater,
                      CEL_SCALAR),
    CEL_QUANTITY_WITH("isLessThan", "quantity_is_less_than",
                      "kubernetes.Quantity", "bool", cel_opaque_is_less,
                      CEL_SCALAR),
    CEL_QUANTITY_WITH("compareTo", "quantity_compare_to",
                      "kubernetes.Quantity", "int", cel_opaque_compare_to,
                      CEL_SCALAR),

    CEL_OVERLOADS_END
};


static cel_status_t
cel_quantity_value(cel_eval_t *eval, const cel_quantity_t *q,
    cel_value_t *out)
{
    cel_opaque_t  *opaque;

    opaque = cel_opaque_make(eval, &cel_t_quantity, sizeof(cel_quantity_t),
                             out);
    if (opaque == NULL) {
        return CEL_ERROR;
    }

    memcpy(opaque->data, q, sizeof(cel_quantity_t));
    opaque->len = CEL_QUANTITY_COMPARED;
    opaque->text = cel_quantity_text;
    opaque->compare = cel_quantity_order;
    out->len = 0;

    return CEL_OK;
}


static size_t
cel_quantity_text(const cel_opaque_t *opaque, char *buf)
{
    cel_quantity_t  q;

    memcpy(&q, opaque->data, sizeof(cel_quantity_t));

    return cel_quantity_format(&q, buf);
}


static int
cel_quantity_order(const cel_opaque_t *a, const cel_opaque_t *b)
{
    cel_quantity_t  qa, qb;

    memcpy(&qa, a->data, sizeof(cel_quantity_t));
    memcpy(&qb, b->data, sizeof(cel_quantity_t));

    return cel_quantity_compare(&qa, &qb);
}


/* an integer is a quantity, too */

static cel_status_t
cel_quantity_take(cel_eval_t *eval, const cel_value_t *v, cel_quantity_t *q)
{
    const cel_opaque_t  *opaque;

    if (v->kind == CEL_INT) {
        cel_quantity_set(q, v->i);
        return CEL_OK;
    }

    opaque = cel_opaque(v, &cel_t_quantity);
    if (opaque == NULL) {
        return cel_fail_overload(eval);
    }

    memcpy(q, opaque->data, sizeof(cel_quantity_t));

    return CEL_OK;
}


CEL_QUANTITY(cel_quantity_make)
{
    char             text[CEL_MESSAGE_MAX / 3];
    const char      *why;
    cel_quantity_t   q;

    why = cel_quantity_parse(args[0].s, args[0].len, &q);

    if (why == NULL) {
        return cel_quantity_value(eval, &q, out);
    }

    cel_value_text(&args[0], text, sizeof(text));

    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT, "quantity(\"%s\"): %s",
                         text, why);
}


CEL_QUANTITY(cel_quantity_is)
{
    cel_quantity_t  q;

    *out = cel_bool(cel_quantity_parse(args[0].s, args[0].len, &q) == NULL);

    return CEL_OK;
}


CEL_QUANTITY(cel_quantity_sign)
{
    cel_quantity_t  q;

    if (cel_quantity_take(eval, &args[0], &q) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(q.negative ? -1 : !cel_quantity_is_zero(&q));

    return CEL_OK;
}


CEL_QUANTITY(cel_quantity_is_integer)
{
    int64_t         value;
    cel_quantity_t  q;

    if (cel_quantity_take(eval, &args[0], &q) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(cel_quantity_integer(&q, &value));

    return CEL_OK;
}


CEL_QUANTITY(cel_quantity_as_integer)
{
    int64_t         value;
    cel_quantity_t  q;

    if (cel_quantity_take(eval, &args[0], &q) != CEL_OK) {
        return CEL_ERROR;
    }

    if (!cel_quantity_integer(&q, &value)) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "cannot convert value to integer");
    }

    *out = cel_int(value);

    return CEL_OK;
}


CEL_QUANTITY(cel_quantity_as_double)
{
    cel_quantity_t  q;

    if (cel_quantity_take(eval, &args[0], &q) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_double(cel_quantity_double(&q));

    return CEL_OK;
}


static cel_status_t
cel_quantity_combine(cel_eval_t *eval, const cel_value_t *args, bool sub,
    cel_value_t *out)
{
    cel_quantity_t  a, b, sum;

    if (cel_quantity_take(eval, &args[0], &a) != CEL_OK
        || cel_quantity_take(eval, &args[1], &b) != CEL_OK)
    {
        return CEL_ERROR;
    }

    return cel_quantity_add(&a, &b, sub, &sum)
           ? cel_quantity_value(eval, &sum, out) : cel_fail_overflow(eval);
}


CEL_QUANTITY(cel_quantity_sum)
{
    return cel_quantity_combine(eval, args, false, out);
}


CEL_QUANTITY(cel_quantity_difference)
{
    return cel_quantity_combine(eval, args, true, out);
}
