
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_regex.h - patterns of expressions: constants that are compiled with the
 * program, others compiled for one call; private to the libraries.
 */


#ifndef CEL_REGEX_H_INCLUDED
#define CEL_REGEX_H_INCLUDED


#include "cel_re2.h"
#include "cel_runtime.h"


/*
 * RE2 cannot be interrupted, so all is charged before.  It looks at each byte
 * once where its automaton fits its memory, or else with each instruction of
 * the pattern's program, and so it does for groups.  Of a small program the
 * automaton fits unless the pattern is made for the contrary: a byte is
 * charged 8 units (2 to 6 ns; contrived, up to 1 us [measured]).  Of a larger
 * one a byte is charged as many units as there are instructions.  A pattern
 * that is no constant is charged its compilation, too, and is taken for the
 * largest before it is known.
 */

#define CEL_REGEX_PER           8
#define CEL_REGEX_SMALL         64         /* instructions */
#define CEL_REGEX_COMPILE       1000
#define CEL_REGEX_COMPILE_PER   32
#define CEL_REGEX_ANY_PER       1032       /* the largest, and compiling it */
#define CEL_REGEX_UNITS_MAX     1000

/* Instructions that a pattern may have where the host does not say. */
#define CEL_REGEX_MAX           1000


typedef struct {
    const cel_re2_t     *re;
    cel_re2_t           *owned;            /* NULL: of a constant */
} cel_regex_t;


/*
 * CEL_OK with *regex, which the caller drops before it returns, or CEL_ERROR:
 * no pattern, its program is too large, no memory.
 */
cel_status_t cel_regex_take(cel_eval_t *eval, const cel_value_t *pattern,
    cel_regex_t *regex) __attribute__((hot));
void cel_regex_drop(cel_eval_t *eval, cel_regex_t *regex);

/* Units that a byte of text is charged. */
uint32_t cel_regex_units(const cel_re2_t *re);

/* Charges the compilation, if the pattern is no constant. */
cel_status_t cel_regex_charge(cel_eval_t *eval, const cel_value_t *pattern);


#endif /* CEL_REGEX_H_INCLUDED */
