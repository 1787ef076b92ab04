
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_collection.c - size() of everything that has one.  Index and
 * membership are operators.
 */


#include "cel_runtime.h"


#define CEL_SCALAR   1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_COUNTED  1, 1, CEL_BYTES_SHIFT, 1, CEL_CHARGE_SUM,                \
                     CEL_RESULT_SMALL


static cel_status_t cel_size_string(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_size_bytes(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_size_items(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);


const cel_overload_spec_t  cel_lib_collection[] = {

    CEL_OVERLOAD("size", "size_string", "(string): int", cel_size_string,
                 CEL_COUNTED),
    CEL_OVERLOAD("size", "size_bytes", "(bytes): int", cel_size_bytes,
                 CEL_SCALAR),
    CEL_OVERLOAD("size", "size_list", "(list(A)): int", cel_size_items,
                 CEL_SCALAR),
    CEL_OVERLOAD("size", "size_map", "(map(A, B)): int", cel_size_items,
                 CEL_SCALAR),
    CEL_OVERLOAD("size", "string_size", "string.(): int", cel_size_string,
                 CEL_COUNTED),
    CEL_OVERLOAD("size", "bytes_size", "bytes.(): int", cel_size_bytes,
                 CEL_SCALAR),
    CEL_OVERLOAD("size", "list_size", "list(A).(): int", cel_size_items,
                 CEL_SCALAR),
    CEL_OVERLOAD("size", "map_size", "map(A, B).(): int", cel_size_items,
                 CEL_SCALAR),

    CEL_OVERLOADS_END
};


/* In code points. */

static cel_status_t
cel_size_string(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    *out = cel_int(cel_utf8_count(args[0].s, args[0].len));

    return CEL_OK;
}


static cel_status_t
cel_size_bytes(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    *out = cel_int(args[0].len);

    return CEL_OK;
}


static cel_status_t
cel_size_items(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    *out = cel_int(cel_size(&args[0]));

    return CEL_OK;
}
