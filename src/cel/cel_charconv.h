
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_charconv.h - doubles from and to text without a locale, shortest form:
 * <charconv> of C++17 behind a C face.
 */


#ifndef CEL_CHARCONV_H_INCLUDED
#define CEL_CHARCONV_H_INCLUDED


#include <stddef.h>
#include <stdbool.h>


#ifdef __cplusplus
extern "C" {
#endif


/* All of the text as a decimal number; without a leading '+'. */
bool cel_double_from_chars(const char *s, size_t len, double *d);

/*
 * d.dde+x, the fewest digits that read back as d.  Returns the length, 0
 * when it does not fit.
 */
size_t cel_double_to_scientific(double d, char *buf, size_t size);

/*
 * The same with so many digits after the point, -1 = as many as it takes;
 * format is 'e' or 'f'.
 */
size_t cel_double_to_precision(double d, char format, int precision,
    char *buf, size_t size);


#ifdef __cplusplus
}
#endif


#endif /* CEL_CHARCONV_H_INCLUDED */
