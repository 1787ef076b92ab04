
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_limbs.c - whole numbers of a fixed, large size, see cel_limbs.h.
 */


#include "cel_limbs.h"

#include <string.h>


uint64_t
cel_limbs_mul(uint64_t *limbs, uint64_t by, uint64_t add)
{
    unsigned           i;
    unsigned __int128  product;

    for (i = 0; i < CEL_LIMBS; i++) {
        product = (unsigned __int128) limbs[i] * by + add;
        limbs[i] = (uint64_t) product;
        add = (uint64_t) (product >> 64);
    }

    return add;
}


uint64_t
cel_limbs_div(uint64_t *limbs, uint64_t by)
{
    unsigned           i;
    unsigned __int128  part;

    part = 0;

    for (i = CEL_LIMBS; i-- > 0; ) {
        part = part << 64 | limbs[i];
        limbs[i] = (uint64_t) (part / by);
        part %= by;
    }

    return (uint64_t) part;
}


int
cel_limbs_compare(const uint64_t *a, const uint64_t *b)
{
    unsigned  i;

    for (i = CEL_LIMBS; i-- > 0; ) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }

    return 0;
}


bool
cel_limbs_add(const uint64_t *a, const uint64_t *b, uint64_t *sum)
{
    unsigned           i;
    unsigned __int128  part;

    part = 0;

    for (i = 0; i < CEL_LIMBS; i++) {
        part += (unsigned __int128) a[i] + b[i];
        sum[i] = (uint64_t) part;
        part >>= 64;
    }

    return part == 0;
}


void
cel_limbs_sub(const uint64_t *a, const uint64_t *b, uint64_t *rest)
{
    unsigned  i;
    uint64_t  borrow, less;

    borrow = 0;

    for (i = 0; i < CEL_LIMBS; i++) {
        less = a[i] < b[i] || (a[i] == b[i] && borrow);
        rest[i] = a[i] - b[i] - borrow;
        borrow = less;
    }
}


bool
cel_limbs_is_zero(const uint64_t *limbs)
{
    unsigned  i;

    for (i = 0; i < CEL_LIMBS && limbs[i] == 0; i++) { /* void */ }

    return i == CEL_LIMBS;
}


char *
cel_limbs_text(const uint64_t *limbs, char *end)
{
    uint64_t  digit, rest[CEL_LIMBS];

    memcpy(rest, limbs, sizeof(rest));

    do {
        digit = cel_limbs_div(rest, 10);
        *--end = (char) ('0' + digit);
    } while (!cel_limbs_is_zero(rest));

    return end;
}
