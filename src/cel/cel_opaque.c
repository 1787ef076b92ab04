
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_opaque.c - values of types that libraries bring along: addresses, URLs,
 * quantities.  What is in them is known to their library alone.
 */


#include "cel_runtime.h"


cel_opaque_t *
cel_opaque_make(cel_eval_t *eval, const cel_type_t *type, uint32_t len,
    cel_value_t *out)
{
    cel_opaque_t  *opaque;

    opaque = cel_eval_alloc(eval, sizeof(cel_opaque_t) + len);
    if (opaque == NULL) {
        return NULL;
    }

    memset(opaque, 0, sizeof(cel_opaque_t));

    opaque->type = type;
    opaque->len = len;

    *out = cel_make(CEL_OPAQUE);
    out->len = len;
    out->o = &opaque->object;

    return opaque;
}


const cel_opaque_t *
cel_opaque(const cel_value_t *v, const cel_type_t *type)
{
    const cel_opaque_t  *opaque;

    if (v->kind != CEL_OPAQUE) {
        return NULL;
    }

    opaque = (const cel_opaque_t *) v->o;

    return opaque->type == type ? opaque : NULL;
}


const char *
cel_opaque_text(const cel_opaque_t *opaque, char *buf, size_t *len)
{
    if (opaque->text == NULL) {
        *len = opaque->slen;
        return opaque->s;
    }

    *len = opaque->text(opaque, buf);

    return buf;
}


cel_status_t
cel_opaque_compare_to(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    const cel_opaque_t  *a, *b;

    a = (const cel_opaque_t *) args[0].o;
    b = (const cel_opaque_t *) args[1].o;

    if (a->type != b->type || a->compare == NULL) {
        return cel_fail_overload(eval);
    }

    *out = cel_int(a->compare(a, b));

    return CEL_OK;
}


cel_status_t
cel_opaque_is_greater(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    cel_value_t  order;

    if (cel_opaque_compare_to(eval, args, n, &order) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(order.i > 0);

    return CEL_OK;
}


cel_status_t
cel_opaque_is_less(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    cel_value_t  turned[2];

    turned[0] = args[1];
    turned[1] = args[0];

    return cel_opaque_is_greater(eval, turned, n, out);
}
