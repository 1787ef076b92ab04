
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_quantity_text.c - quantities of Kubernetes: from and to text.
 */


#include "cel_quantity.h"

#include <stdio.h>


#define CEL_QUANTITY_DIGITS    18          /* that a value has room for */
#define CEL_QUANTITY_EXPONENTS 400         /* beyond all that is held */

#define CEL_QUANTITY_FORM                                                     \
    "quantities must match the regular expression "                           \
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
#define CEL_QUANTITY_SUFFIX    "unable to parse quantity's suffix"
#define CEL_QUANTITY_LARGE     "the quantity is too large"


/* What the text says, before it is a number. */

typedef struct {
    const char          *num;              /* no leading zeros */
    size_t               nnum;
    const char          *denom;
    size_t               ndenom;
    const char          *suffix;
    size_t               nsuffix;
    bool                 negative;

    uint16_t             format;
    int32_t              exponent;         /* of 10, or of 2 for BINARY */
} cel_quantity_parts_t;


static const struct {
    const char           suffix[3];
    int8_t               exponent;
    uint8_t              format;
} cel_quantity_suffixes[] = {
    { "n", -9, CEL_QUANTITY_DECIMAL },
    { "u", -6, CEL_QUANTITY_DECIMAL },
    { "m", -3, CEL_QUANTITY_DECIMAL },
    { "", 0, CEL_QUANTITY_DECIMAL },
    { "k", 3, CEL_QUANTITY_DECIMAL },
    { "M", 6, CEL_QUANTITY_DECIMAL },
    { "G", 9, CEL_QUANTITY_DECIMAL },
    { "T", 12, CEL_QUANTITY_DECIMAL },
    { "P", 15, CEL_QUANTITY_DECIMAL },
    { "E", 18, CEL_QUANTITY_DECIMAL },
    { "Ki", 10, CEL_QUANTITY_BINARY },
    { "Mi", 20, CEL_QUANTITY_BINARY },
    { "Gi", 30, CEL_QUANTITY_BINARY },
    { "Ti", 40, CEL_QUANTITY_BINARY },
    { "Pi", 50, CEL_QUANTITY_BINARY },
    { "Ei", 60, CEL_QUANTITY_BINARY }
};

#define CEL_QUANTITY_SUFFIXES                                                 \
    (sizeof(cel_quantity_suffixes) / sizeof(cel_quantity_suffixes[0]))


static const char *cel_quantity_split(const char *s, size_t len,
    cel_quantity_parts_t *parts);
static bool cel_quantity_unit(cel_quantity_parts_t *parts);
static bool cel_quantity_exponent(cel_quantity_parts_t *parts);
static bool cel_quantity_narrow(const cel_quantity_parts_t *parts,
    cel_quantity_t *q);
static bool cel_quantity_amount(const cel_quantity_parts_t *parts,
    cel_quantity_t *q);
static void cel_quantity_cap(cel_quantity_t *q);


const char *
cel_quantity_parse(const char *s, size_t len, cel_quantity_t *q)
{
    const char            *why;
    cel_quantity_parts_t   parts;

    memset(q, 0, sizeof(cel_quantity_t));

    why = cel_quantity_split(s, len, &parts);
    if (why != NULL) {
        return why;
    }

    if (!cel_quantity_unit(&parts)) {
        return CEL_QUANTITY_SUFFIX;
    }

    q->format = parts.format;
    q->wide = !cel_quantity_narrow(&parts, q);

    if (!cel_quantity_amount(&parts, q)) {
        return CEL_QUANTITY_LARGE;
    }

    if (q->wide) {
        q->scale = -CEL_QUANTITY_NANO;
        cel_quantity_cap(q);
    }

    q->negative = parts.negative && !cel_quantity_is_zero(q);

    return NULL;
}


static size_t
cel_quantity_digits(const char *s, size_t len)
{
    size_t  n;

    for (n = 0; n < len && s[n] >= '0' && s[n] <= '9'; n++) { /* void */ }

    return n;
}


/* [sign] digits ["." digits] letters [sign] digits */

static const char *
cel_quantity_split(const char *s, size_t len, cel_quantity_parts_t *parts)
{
    size_t       zeros;
    const char  *end;

    memset(parts, 0, sizeof(cel_quantity_parts_t));
    end = s + len;

    if (s < end && (*s == '-' || *s == '+')) {
        parts->negative = *s++ == '-';
    }

    for (zeros = 0; s < end && *s == '0'; s++) {
        zeros++;
    }

    parts->num = s;
    parts->nnum = cel_quantity_digits(s, (size_t) (end - s));
    s += parts->nnum;

    if (s < end && *s == '.') {
        parts->denom = ++s;
        parts->ndenom = cel_quantity_digits(s, (size_t) (end - s));
        s += parts->ndenom;
    }

    if (zeros + parts->nnum + parts->ndenom == 0) {
        return CEL_QUANTITY_FORM;
    }

    parts->suffix = s;

    while (s < end && *s != '\0' && strchr("eEinumkKMGTP", *s) != NULL) {
        s++;
    }

    if (s < end && (*s == '-' || *s == '+')) {
        s++;
    }

    s += cel_quantity_digits(s, (size_t) (end - s));
    parts->nsuffix = (size_t) (s - parts->suffix);

    return s == end ? NULL : CEL_QUANTITY_FORM;
}


/* the exponent that the suffix stands for */

static bool
cel_quantity_unit(cel_quantity_parts_t *parts)
{
    unsigned  i;

    for (i = 0; i < CEL_QUANTITY_SUFFIXES; i++) {
        if (strlen(cel_quantity_suffixes[i].suffix) == parts->nsuffix
            && memcmp(cel_quantity_suffixes[i].suffix, parts->suffix,
                      parts->nsuffix) == 0)
        {
            parts->format = cel_quantity_suffixes[i].format;
            parts->exponent = cel_quantity_suffixes[i].exponent;
            return true;
        }
    }

    return cel_quantity_exponent(parts);
}


/* "e" [sign] digits */

static bool
cel_quantity_exponent(cel_quantity_parts_t *parts)
{
    bool         negative;
    size_t       n;
    const char  *p;

    p = parts->suffix;
    n = parts->nsuffix;

    if (n < 2 || (*p != 'e' && *p != 'E')) {
        return false;
    }

    p++;
    n--;
    negative = *p == '-';

    if (*p == '-' || *p == '+') {
        p++;
        n--;
    }

    if (n == 0 || cel_quantity_digits(p, n) != n) {
        return false;
    }

    for ( /* void */ ; n > 0; p++, n--) {
        parts->exponent = parts->exponent * 10 + (*p - '0');

        if (parts->exponent > CEL_QUANTITY_EXPONENTS) {
            parts->exponent = CEL_QUANTITY_EXPONENTS;
        }
    }

    parts->format = CEL_QUANTITY_EXPONENT;
    parts->exponent = negative ? -parts->exponent : parts->exponent;

    return true;
}


/* whether Kubernetes would hold it as value * 10^scale */

static bool
cel_quantity_narrow(const cel_quantity_parts_t *parts, cel_quantity_t *q)
{
    size_t   i, digits;
    int64_t  scale, value;

    digits = (parts->nnum != 0 ? parts->nnum : 1) + parts->ndenom;

    if (digits > CEL_QUANTITY_DIGITS) {
        return false;
    }

    scale = parts->exponent - (int64_t) parts->ndenom;

    if (parts->format == CEL_QUANTITY_BINARY) {

        /* 2^20 takes about six of the digits */

        if (parts->ndenom != 0
            || digits + (size_t) parts->exponent * 3 / 10 + 1 > 15)
        {
            return false;
        }

        scale = 0;
    }

    if (scale < -CEL_QUANTITY_NANO) {
        return false;
    }

    value = 0;

    for (i = 0; i < parts->nnum; i++) {
        value = value * 10 + (parts->num[i] - '0');
    }

    for (i = 0; i < parts->ndenom; i++) {
        value = value * 10 + (parts->denom[i] - '0');
    }

    if (parts->format == CEL_QUANTITY_BINARY) {
        value <<= parts->exponent;
    }

    q->value = parts->negative ? -value : value;
    q->scale = (int32_t) scale;

    return true;
}


/* the limbs; false when there are not enough */

static bool
cel_quantity_amount(const cel_quantity_parts_t *parts, cel_quantity_t *q)
{
    bool      rest;
    size_t    i, used;
    int64_t   tens;

    tens = parts->format == CEL_QUANTITY_BINARY ? 0 : parts->exponent;

    /* digits far behind the point do not matter but for rounding */

    used = 40 + (size_t) (tens > 0 ? tens : 0);
    rest = false;

    for (i = 0; i < parts->nnum; i++) {
        if (cel_limbs_mul(q->limbs, 10, (uint64_t) (parts->num[i] - '0'))) {
            return false;
        }
    }

    for (i = 0; i < parts->ndenom; i++) {

        if (i >= used) {
            rest = rest || parts->denom[i] != '0';
            continue;
        }

        tens--;

        if (cel_limbs_mul(q->limbs, 10, (uint64_t) (parts->denom[i] - '0'))) {
            return false;
        }
    }

    if (parts->format == CEL_QUANTITY_BINARY
        && cel_limbs_mul(q->limbs, 1ULL << parts->exponent, 0))
    {
        return false;
    }

    tens += CEL_QUANTITY_NANO;

    for ( /* void */ ; tens > 0 && !cel_quantity_is_zero(q); tens--) {
        if (cel_limbs_mul(q->limbs, 10, 0)) {
            return false;
        }
    }

    for ( /* void */ ; tens < 0 && !cel_quantity_is_zero(q); tens++) {
        rest = cel_limbs_div(q->limbs, 10) != 0 || rest;
    }

    return !rest || cel_limbs_mul(q->limbs, 1, 1) == 0;
}


/* binary ones end at the largest 64-bit integer; below 1 they are decimal */

static void
cel_quantity_cap(cel_quantity_t *q)
{
    uint64_t  limit[CEL_LIMBS] = { 1 };

    if (q->format != CEL_QUANTITY_BINARY) {
        return;
    }

    cel_limbs_mul(limit, 1000000000, 0);

    if (cel_limbs_compare(q->limbs, limit) < 0) {
        q->format = CEL_QUANTITY_DECIMAL;
        return;
    }

    cel_limbs_mul(limit, INT64_MAX, 0);

    if (cel_limbs_compare(q->limbs, limit) > 0) {
        memcpy(q->limbs, limit, sizeof(limit));
    }
}


static const char *
cel_quantity_suffix(int exponent, unsigned format)
{
    unsigned  i;

    for (i = 0; i < CEL_QUANTITY_SUFFIXES; i++) {
        if (cel_quantity_suffixes[i].exponent == exponent
            && cel_quantity_suffixes[i].format == format)
        {
            return cel_quantity_suffixes[i].suffix;
        }
    }

    return "";
}


/* whole multiples of 1024 */

static bool
cel_quantity_binary(const cel_quantity_t *q, uint64_t *limbs, int *exponent)
{
    uint64_t  part[CEL_LIMBS], limit[CEL_LIMBS] = { 1024 };

    memcpy(part, q->limbs, sizeof(part));

    if (q->format != CEL_QUANTITY_BINARY
        || cel_limbs_div(part, 1000000000) != 0
        || cel_limbs_compare(part, limit) < 0)
    {
        return false;
    }

    for (*exponent = 0; /* void */ ; *exponent += 10) {
        memcpy(limbs, part, sizeof(part));

        if (*exponent == 60 || cel_limbs_div(part, 1024) != 0) {
            return true;
        }
    }
}


/* whole multiples of 1000 */

static void
cel_quantity_decimal(const cel_quantity_t *q, uint64_t *limbs, int *exponent)
{
    uint64_t  part[CEL_LIMBS];

    memcpy(part, q->limbs, sizeof(part));

    for (*exponent = -CEL_QUANTITY_NANO; /* void */ ; *exponent += 3) {
        memcpy(limbs, part, sizeof(part));

        if ((q->format != CEL_QUANTITY_EXPONENT && *exponent == 18)
            || cel_limbs_div(part, 1000) != 0)
        {
            return;
        }
    }
}


size_t
cel_quantity_format(const cel_quantity_t *q, char *buf)
{
    int          exponent;
    char         digits[CEL_QUANTITY_TEXT], *p, *end;
    uint64_t     limbs[CEL_LIMBS];
    unsigned     format;

    if (cel_quantity_is_zero(q)) {
        buf[0] = '0';
        return 1;
    }

    format = CEL_QUANTITY_BINARY;

    if (!cel_quantity_binary(q, limbs, &exponent)) {
        cel_quantity_decimal(q, limbs, &exponent);
        format = q->format == CEL_QUANTITY_EXPONENT ? CEL_QUANTITY_EXPONENT
                                                    : CEL_QUANTITY_DECIMAL;
    }

    end = digits + sizeof(digits);
    p = cel_limbs_text(limbs, end);

    if (format == CEL_QUANTITY_EXPONENT && exponent != 0) {
        return (size_t) sprintf(buf, "%s%.*se%d", q->negative ? "-" : "",
                                (int) (end - p), p, exponent);
    }

    return (size_t) sprintf(buf, "%s%.*s%s", q->negative ? "-" : "",
                            (int) (end - p), p,
                            cel_quantity_suffix(exponent, format));
}
