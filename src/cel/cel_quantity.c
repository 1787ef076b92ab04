
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_quantity.c - quantities of Kubernetes: from and to text, sums, order.
 */


#include "cel_quantity.h"

#include <stdio.h>


#define CEL_QUANTITY_NANO      9           /* digits behind the point */
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


/* limbs = limbs * by + add; what does not fit, 0 if all does */

static uint64_t
cel_limbs_mul(uint64_t *limbs, uint64_t by, uint64_t add)
{
    unsigned           i;
    unsigned __int128  product;

    for (i = 0; i < CEL_QUANTITY_LIMBS; i++) {
        product = (unsigned __int128) limbs[i] * by + add;
        limbs[i] = (uint64_t) product;
        add = (uint64_t) (product >> 64);
    }

    return add;
}


/* limbs = limbs / by; the remainder */

static uint64_t
cel_limbs_div(uint64_t *limbs, uint64_t by)
{
    unsigned           i;
    unsigned __int128  part;

    part = 0;

    for (i = CEL_QUANTITY_LIMBS; i-- > 0; ) {
        part = part << 64 | limbs[i];
        limbs[i] = (uint64_t) (part / by);
        part %= by;
    }

    return (uint64_t) part;
}


static int
cel_limbs_compare(const uint64_t *a, const uint64_t *b)
{
    unsigned  i;

    for (i = CEL_QUANTITY_LIMBS; i-- > 0; ) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }

    return 0;
}


static bool
cel_limbs_add(const uint64_t *a, const uint64_t *b, uint64_t *sum)
{
    unsigned           i;
    unsigned __int128  part;

    part = 0;

    for (i = 0; i < CEL_QUANTITY_LIMBS; i++) {
        part += (unsigned __int128) a[i] + b[i];
        sum[i] = (uint64_t) part;
        part >>= 64;
    }

    return part == 0;
}


/* a is not less than b */

static void
cel_limbs_sub(const uint64_t *a, const uint64_t *b, uint64_t *rest)
{
    unsigned  i;
    uint64_t  borrow, less;

    borrow = 0;

    for (i = 0; i < CEL_QUANTITY_LIMBS; i++) {
        less = a[i] < b[i] || (a[i] == b[i] && borrow);
        rest[i] = a[i] - b[i] - borrow;
        borrow = less;
    }
}


bool
cel_quantity_is_zero(const cel_quantity_t *q)
{
    unsigned  i;

    for (i = 0; i < CEL_QUANTITY_LIMBS && q->limbs[i] == 0; i++) { /* void */ }

    return i == CEL_QUANTITY_LIMBS;
}


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
    uint64_t  limit[CEL_QUANTITY_LIMBS] = { 1 };

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


/* the value at a lower scale */

static bool
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


/* the digits, right-aligned at the end of buf; where they start */

static char *
cel_limbs_text(const uint64_t *limbs, char *end)
{
    uint64_t        digit;
    cel_quantity_t  q;

    memcpy(q.limbs, limbs, sizeof(q.limbs));

    do {
        digit = cel_limbs_div(q.limbs, 10);
        *--end = (char) ('0' + digit);
    } while (!cel_quantity_is_zero(&q));

    return end;
}


/* the number at its scale, and then 10 to the power of that */

double
cel_quantity_double(const cel_quantity_t *q)
{
    char      buf[CEL_QUANTITY_TEXT], *p, *end;
    double    base, power;
    int32_t   scale;
    uint64_t  limbs[CEL_QUANTITY_LIMBS];

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
    uint64_t  part[CEL_QUANTITY_LIMBS], limit[CEL_QUANTITY_LIMBS] = { 1024 };

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
    uint64_t  part[CEL_QUANTITY_LIMBS];

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
    uint64_t     limbs[CEL_QUANTITY_LIMBS];
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
