
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_limbs.h - whole numbers of 512 bits, without a sign; private to the
 * quantities.
 */


#ifndef CEL_LIMBS_H_INCLUDED
#define CEL_LIMBS_H_INCLUDED


#include <stdint.h>
#include <stdbool.h>


/* The lowest comes first: up to 10^154. */
#define CEL_LIMBS         8
#define CEL_LIMBS_DIGITS  155


/* limbs = limbs * by + add; what does not fit, 0 if all does */
uint64_t cel_limbs_mul(uint64_t *limbs, uint64_t by, uint64_t add);

/* limbs = limbs / by; the remainder */
uint64_t cel_limbs_div(uint64_t *limbs, uint64_t by);

/* a + b; false when it does not fit */
bool cel_limbs_add(const uint64_t *a, const uint64_t *b, uint64_t *sum);

/* a - b, where a is not less than b */
void cel_limbs_sub(const uint64_t *a, const uint64_t *b, uint64_t *rest);

/* -1, 0, 1 */
int cel_limbs_compare(const uint64_t *a, const uint64_t *b);
bool cel_limbs_is_zero(const uint64_t *limbs);

/* The digits, CEL_LIMBS_DIGITS at most, up to end; where they start. */
char *cel_limbs_text(const uint64_t *limbs, char *end);


#endif /* CEL_LIMBS_H_INCLUDED */
