
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_format.h - the clauses of format() for numbers; private to cel_format.c
 * and cel_format_number.c.
 */


#ifndef CEL_FORMAT_H_INCLUDED
#define CEL_FORMAT_H_INCLUDED


#include "cel_charconv.h"
#include "cel_text.h"


#define CEL_FORMAT_NUMBER         512     /* 309 digits, point, precision */


/* Appends: the text's status, or CEL_ERROR when the value is not for it. */

/* %d */
cel_status_t cel_format_decimal(cel_text_t *text, const cel_value_t *v);

/* %f and %e */
cel_status_t cel_format_double(cel_text_t *text, char verb, int precision,
    const cel_value_t *v);

/* %b %o %x %X; hexadecimal of texts is that of their bytes */
cel_status_t cel_format_radix(cel_text_t *text, char verb,
    const cel_value_t *v);

/* CEL_ERROR: a clause cannot take a value of this type */
cel_status_t cel_format_refuse(cel_eval_t *eval, const char *clause,
    const cel_value_t *v);


#endif /* CEL_FORMAT_H_INCLUDED */
