
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_strings.h - what the files of the `strings` extension share; private
 * to them.
 */


#ifndef CEL_STRINGS_H_INCLUDED
#define CEL_STRINGS_H_INCLUDED


#include "cel_runtime.h"


#define CEL_STRINGS(name)                                                     \
    cel_status_t name(cel_eval_t *eval, const cel_value_t *args, uint32_t n,  \
        cel_value_t *out)


/* cel_strings_parts.c */
CEL_STRINGS(cel_split);
CEL_STRINGS(cel_join);
CEL_STRINGS(cel_replace);

/* cel_format.c */
CEL_STRINGS(cel_format);


cel_status_t cel_strings_range(cel_eval_t *eval, int64_t i);

/* The first place of part in s, or NULL. */
const char *cel_strings_find(const char *s, size_t len,
    const cel_value_t *part);


#endif /* CEL_STRINGS_H_INCLUDED */
