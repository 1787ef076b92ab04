
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_quantity.c - quantities of Kubernetes as numbers: sums, order, what they
 * are as integers and doubles.
 */


#include "cel_quantity.h"

#include <stdio.h>


bool
cel_quantity_is_zero(const cel_quantity_t *q)
{
    return cel_limbs_is_zero(q->limbs);
}


void
cel_quantity_set(cel_quantity_t *q, int64_t value)
{
    memset(q, 0, sizeof(cel_quantity_t));

    q->value = value;
    q->format = CEL_QUANTITY_EXPONENT;
    q->negative = value < 0;
    q->limbs[0] = value < 0 ? -(uint64_t) value : (uint64_t) value;

    cel_limbs_mul(q->limbs, 1000000000, 0);
}


bool
cel_quantity_rescale(const cel_quantity_t *q, int32_t scale, int64_t *value)
{
    int32_t  i;

    *value = q->value;

    for (i = q->scale; i > scale && *value != 0; i--) {
        if (__builtin_mul_overflow(*value, 10, value)) {
            return false;
        }
    }

    return true;
}


static bool
cel_quantity_add_narrow(const cel_quantity_t *a, const cel_quantity_t *b,
    bool sub, cel_quantity_t *sum)
{
    int64_t  va, vb;

    if (a->wide || b->wide) {
        return false;
    }

    sum->scale = a->scale < b->scale ? a->scale : b->scale;

    if (a->value == 0 || b->value == 0) {
        sum->scale = b->value == 0 ? a->scale : b->scale;
    }

    return cel_quantity_rescale(a, sum->scale, &va)
           && cel_quantity_rescale(b, sum->scale, &vb)
           && !(sub ? __builtin_sub_overflow(va, vb, &sum->value)
                    : __builtin_add_overflow(va, vb, &sum->value));
}


bool
cel_quantity_add(const cel_quantity_t *a, const cel_quantity_t *b, bool sub,
    cel_quantity_t *sum)
{
    bool  negative;

    memset(sum, 0, sizeof(cel_quantity_t));

    negative = b->negative != sub;
    sum->format = cel_quantity_is_zero(a) ? b->format : a->format;

    if (!cel_quantity_add_narrow(a, b, sub, sum)) {
        sum->wide = 1;
        sum->scale = a->scale < b->scale ? a->scale : b->scale;
    }

    sum->negative = a->negative;

    if (a->negative == negative) {
        return cel_limbs_add(a->limbs, b->limbs, sum->limbs);
    }

    if (cel_limbs_compare(a->limbs, b->limbs) >= 0) {
        cel_limbs_sub(a->limbs, b->limbs, sum->limbs);

    } else {
        cel_limbs_sub(b->limbs, a->limbs, sum->limbs);
        sum->negative = negative;
    }

    if (cel_quantity_is_zero(sum)) {
        sum->negative = 0;
    }

    return true;
}


int
cel_quantity_compare(const cel_quantity_t *a, const cel_quantity_t *b)
{
    if (a->negative != b->negative) {
        return a->negative ? -1 : 1;
    }

    return a->negative ? cel_limbs_compare(b->limbs, a->limbs)
                       : cel_limbs_compare(a->limbs, b->limbs);
}


bool
cel_quantity_integer(const cel_quantity_t *q, int64_t *value)
{
    return !q->wide && q->scale >= 0 && cel_quantity_rescale(q, 0, value);
}


/* the number at its scale, and then 10 to the power of that */

double
cel_quantity_double(const cel_quantity_t *q)
{
    char      buf[CEL_QUANTITY_TEXT], *p, *end;
    double    base, power;
    int32_t   scale;
    uint64_t  limbs[CEL_LIMBS];

    base = (double) q->value;

    if (q->wide) {
        memcpy(limbs, q->limbs, sizeof(limbs));

        for (scale = -CEL_QUANTITY_NANO; scale < q->scale; scale++) {
            cel_limbs_div(limbs, 10);
        }

        end = buf + sizeof(buf);
        p = cel_limbs_text(limbs, end);

        base = 0;
        cel_double_parse(p, (size_t) (end - p), &base);
        base = q->negative ? -base : base;
    }

    if (q->scale == 0) {
        return base;
    }

    power = 0;
    cel_double_parse(buf, (size_t) sprintf(buf, "1e%d", (int) q->scale),
                     &power);

    return base * power;
}
