
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_macros.c - what the front end itself puts into trees: the steps of
 * comprehensions beyond the operators, which the compiler knows and the
 * checker only types, and names that an unchecked expression has wrong.
 */


#include "cel_env.h"


static cel_status_t
cel_unresolved(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    (void) n;
    (void) out;

    return cel_eval_fail(eval, CEL_E_NO_SUCH_FIELD,
                         "undeclared reference to '%.*s'",
                         (int) args[0].len, args[0].s);
}


const cel_overload_spec_t  cel_lib_macros[] = {

    CEL_OVERLOAD("@not_strictly_false", "not_strictly_false",
                 "(bool): bool", NULL,
                 1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL),

    CEL_OVERLOAD("cel.@mapInsert", "map_insert_key_value",
                 "(map(A, B), A, B): map(A, B)", NULL,
                 1, 0, 0, 0x7, CEL_CHARGE_SUM, CEL_RESULT_ARGS),
    CEL_OVERLOAD("cel.@mapInsert", "map_insert_map",
                 "(map(A, B), map(A, B)): map(A, B)", NULL,
                 1, 0, 0, 0x3, CEL_CHARGE_SUM, CEL_RESULT_ARGS),

    CEL_OVERLOAD("@unresolved", "unresolved", "(string): dyn",
                 cel_unresolved,
                 1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL),

    CEL_OVERLOADS_END
};
