
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_optional.c - values that may be absent: optional.of() and its kin,
 * and the selections that give them.  or() and orValue() are here for the
 * checker and the meter alone, they are jumps in the VM; optMap() and
 * optFlatMap() are macros.
 */


#include "cel_runtime.h"


#define CEL_SCALAR  1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_WRAP    1, 0, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_SAME
#define CEL_EITHER  1, 0, 0, 3, CEL_CHARGE_SUM, CEL_RESULT_SAME
#define CEL_COPIED  1, 1, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_SAME
#define CEL_PART    1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_ELEMENT


#define CEL_OPTIONALS(name)                                                   \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_OPTIONALS(cel_optional_of);
CEL_OPTIONALS(cel_optional_of_non_zero);
CEL_OPTIONALS(cel_optional_none);
CEL_OPTIONALS(cel_optional_has_value);
CEL_OPTIONALS(cel_optional_value);
CEL_OPTIONALS(cel_optional_unwrap);
CEL_OPTIONALS(cel_optional_index);


const cel_overload_spec_t  cel_lib_optional[] = {

    CEL_OVERLOAD("optional.of", "optional_of", "(A): optional_type(A)",
                 cel_optional_of, CEL_WRAP),
    CEL_OVERLOAD("optional.ofNonZeroValue", "optional_ofNonZeroValue",
                 "(A): optional_type(A)", cel_optional_of_non_zero, CEL_WRAP),
    CEL_OVERLOAD("optional.none", "optional_none", "(): optional_type(A)",
                 cel_optional_none, CEL_SCALAR),

    CEL_OVERLOAD("optional.unwrap", "optional_unwrap",
                 "(list(optional_type(A))): list(A)", cel_optional_unwrap,
                 CEL_COPIED),
    CEL_OVERLOAD("unwrapOpt", "optional_unwrapOpt",
                 "list(optional_type(A)).(): list(A)", cel_optional_unwrap,
                 CEL_COPIED),

    CEL_OVERLOAD("hasValue", "optional_hasValue",
                 "optional_type(A).(): bool", cel_optional_has_value,
                 CEL_SCALAR),
    CEL_OVERLOAD("value", "optional_value", "optional_type(A).(): A",
                 cel_optional_value, CEL_WRAP),
    CEL_OVERLOAD("or", "optional_or_optional",
                 "optional_type(A).(optional_type(A)): optional_type(A)",
                 NULL, CEL_EITHER),
    CEL_OVERLOAD("orValue", "optional_orValue_value",
                 "optional_type(A).(A): A", NULL, CEL_EITHER),

    CEL_OVERLOAD("_[?_]", "list_optindex_optional_int",
                 "(list(A), int): optional_type(A)", NULL, CEL_PART),
    CEL_OVERLOAD("_[?_]", "map_optindex_optional_value",
                 "(map(A, B), A): optional_type(B)", NULL, CEL_PART),
    CEL_OVERLOAD("_[?_]", "optional_list_optindex_optional_int",
                 "(optional_type(list(A)), int): optional_type(A)",
                 NULL, CEL_PART),
    CEL_OVERLOAD("_[?_]", "optional_map_optindex_optional_value",
                 "(optional_type(map(A, B)), A): optional_type(B)",
                 NULL, CEL_PART),

    /* what the checker makes of these and of a.?b, whose type it finds */

    CEL_OVERLOAD("_?._", "select_optional_field",
                 "(dyn, dyn): optional_type(dyn)", cel_optional_index,
                 CEL_PART),

    CEL_OVERLOADS_END
};


cel_status_t
cel_optional(cel_eval_t *eval, const cel_value_t *v, cel_value_t *out)
{
    cel_value_t  *inner;

    inner = cel_eval_alloc(eval, sizeof(cel_value_t));
    if (inner == NULL) {
        return CEL_ERROR;
    }

    *inner = *v;
    *out = cel_make(CEL_OPTIONAL);
    out->v = inner;

    return CEL_OK;
}


CEL_OPTIONALS(cel_optional_of)
{
    return cel_optional(eval, &args[0], out);
}


/* what the type has when nothing is set */

static bool
cel_optional_is_zero(const cel_value_t *v)
{
    switch (v->kind) {

    case CEL_NULL:
        return true;

    case CEL_BOOL:
        return !v->b;

    case CEL_INT:
    case CEL_UINT:
        return v->u == 0;

    case CEL_DOUBLE:
        return v->d == 0;

    case CEL_STRING:
    case CEL_BYTES:
        return v->len == 0;

    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return v->i == 0 && v->len == 0;

    case CEL_LIST:
    case CEL_MAP:
        return cel_size(v) == 0;

    default:
        return false;
    }
}


CEL_OPTIONALS(cel_optional_of_non_zero)
{
    if (cel_optional_is_zero(&args[0])) {
        *out = cel_make(CEL_OPTIONAL);
        out->v = NULL;
        return CEL_OK;
    }

    return cel_optional(eval, &args[0], out);
}


CEL_OPTIONALS(cel_optional_none)
{
    *out = cel_make(CEL_OPTIONAL);
    out->v = NULL;

    return CEL_OK;
}


CEL_OPTIONALS(cel_optional_has_value)
{
    *out = cel_bool(args[0].v != NULL);

    return CEL_OK;
}


CEL_OPTIONALS(cel_optional_value)
{
    if (args[0].v == NULL) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "optional.none() dereference: it has no value, "
                             "ask hasValue() first or use orValue()");
    }

    *out = *args[0].v;

    return CEL_OK;
}


CEL_OPTIONALS(cel_optional_index)
{
    return cel_optional_part(eval, &args[0], &args[1], out);
}


cel_status_t
cel_optional_part(cel_eval_t *eval, const cel_value_t *v,
    const cel_value_t *key, cel_value_t *out)
{
    cel_value_t   pair[2], part;
    cel_status_t  rc;

    if (v->kind == CEL_OPTIONAL) {

        if (v->v == NULL) {
            *out = *v;
            return CEL_OK;
        }

        v = v->v;
    }

    switch (v->kind) {

    case CEL_MAP:
        if (!cel_is_key(key) && key->kind != CEL_DOUBLE) {
            return cel_fail_overload(eval);
        }

        rc = cel_map_get(eval, v, key, &part);
        break;

    case CEL_LIST:
        if (cel_list_outside(v, key)) {
            rc = CEL_NOT_FOUND;
            break;
        }

        pair[0] = *v;
        pair[1] = *key;
        rc = cel_op_index(eval, pair, 2, &part);
        break;

    default:
        return cel_fail_overload(eval);
    }

    if (rc == CEL_NOT_FOUND) {
        *out = cel_make(CEL_OPTIONAL);
        out->v = NULL;
        return CEL_OK;
    }

    return rc == CEL_OK ? cel_optional(eval, &part, out) : rc;
}


/* the values that are there */

CEL_OPTIONALS(cel_optional_unwrap)
{
    uint32_t      i, count;
    cel_value_t   item, *values;
    cel_status_t  rc;

    count = 0;
    values = cel_eval_alloc(eval, ((size_t) cel_size(&args[0]) + 1)
                                  * sizeof(cel_value_t));

    if (values == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < cel_size(&args[0]); i++) {

        rc = cel_entry(eval, &args[0], i, NULL, &item);
        if (rc != CEL_OK) {
            return rc;
        }

        if (item.kind != CEL_OPTIONAL) {
            return cel_eval_fail(eval, CEL_E_NO_SUCH_OVERLOAD,
                                 "no such overload: an element is no optional "
                                 "value");
        }

        if (item.v != NULL) {
            values[count++] = *item.v;
        }
    }

    if (cel_list(eval->arena, values, count, out) != CEL_OK) {
        return cel_fail_memory(eval);
    }

    return CEL_OK;
}
