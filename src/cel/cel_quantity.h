
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_quantity.h - quantities of Kubernetes as text and as numbers; private
 * to cel_lib_quantity.c and the files it names.
 */


#ifndef CEL_QUANTITY_H_INCLUDED
#define CEL_QUANTITY_H_INCLUDED


#include "cel_limbs.h"
#include "cel_runtime.h"


/* digits behind the point */
#define CEL_QUANTITY_NANO   9

/* the digits, a sign and a suffix */
#define CEL_QUANTITY_TEXT   (CEL_LIMBS_DIGITS + 24)


typedef enum {
    CEL_QUANTITY_DECIMAL,                  /* 5k */
    CEL_QUANTITY_BINARY,                   /* 5Ki */
    CEL_QUANTITY_EXPONENT                  /* 5e3 */
} cel_quantity_format_t;

/*
 * The amount is exact, in units of 10^-9.  What Kubernetes makes of one as an
 * integer or as a double depends on how it holds it: as value * 10^scale where
 * that has room, or else, wide, as a large number at a scale.
 */

typedef struct {
    uint64_t             limbs[CEL_LIMBS];
    uint64_t             negative;         /* up to here two are compared */
    int64_t              value;
    int32_t              scale;
    uint16_t             wide;
    uint16_t             format;           /* cel_quantity_format_t */
} cel_quantity_t;

#define CEL_QUANTITY_COMPARED  offsetof(cel_quantity_t, value)


void cel_quantity_set(cel_quantity_t *q, int64_t value);

/* a + b or, when sub, a - b; false when it is too large */
bool cel_quantity_add(const cel_quantity_t *a, const cel_quantity_t *b,
    bool sub, cel_quantity_t *sum);

int cel_quantity_compare(const cel_quantity_t *a, const cel_quantity_t *b);
bool cel_quantity_is_zero(const cel_quantity_t *q);

/* The value at a lower scale; false when it has no room for that. */
bool cel_quantity_rescale(const cel_quantity_t *q, int32_t scale,
    int64_t *value);

/* False when it is held as something that is no 64-bit integer. */
bool cel_quantity_integer(const cel_quantity_t *q, int64_t *value);

double cel_quantity_double(const cel_quantity_t *q);

/* cel_quantity_text.c */

/*
 * Digits, a point among them if one likes, and a suffix.  Less than 10^-9 is
 * rounded away from zero.  NULL, or why it is none.
 */
const char *cel_quantity_parse(const char *s, size_t len, cel_quantity_t *q);

/* The shortest with its suffix; buf has CEL_QUANTITY_TEXT; the length. */
size_t cel_quantity_format(const cel_quantity_t *q, char *buf);


#endif /* CEL_QUANTITY_H_INCLUDED */
