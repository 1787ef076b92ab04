
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
 * RE2 cannot be interrupted, so all is charged before: each byte that is
 * looked at, the compilation of a pattern that is no constant and each byte of
 * it, and for groups each byte of a match times the pattern's program, which
 * counts as CEL_REGEX_PROGRAM at most.
 */

#define CEL_REGEX_PER           8
#define CEL_REGEX_COMPILE       1000
#define CEL_REGEX_COMPILE_PER   32
#define CEL_REGEX_PROGRAM       1024
#define CEL_REGEX_PROGRAM_SHIFT 10


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
    cel_regex_t *regex);
void cel_regex_drop(cel_eval_t *eval, cel_regex_t *regex);


#endif /* CEL_REGEX_H_INCLUDED */
