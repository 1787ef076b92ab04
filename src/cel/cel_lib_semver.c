
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_semver.c - versions as Semantic Versioning 2.0.0 has them, and as
 * in Kubernetes: semver(), isSemver() and what can be asked of one.
 */


#include "cel_runtime.h"

#include <stdio.h>


#define CEL_PARSED    4, 1, 2, 1, CEL_CHARGE_SUM, CEL_RESULT_ARGS
#define CEL_ASKED     4, 1, 2, 1, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_SCALAR    1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_COMPARED  2, 1, 3, 3, CEL_CHARGE_SUM, CEL_RESULT_SMALL

#define CEL_SEMVER_NUMBERS  3


typedef struct {
    const char          *s;
    size_t               len;
} cel_semver_part_t;

/* pre and build are parts of the text that was read. */

typedef struct {
    uint64_t             numbers[CEL_SEMVER_NUMBERS];
    cel_semver_part_t    pre;
    cel_semver_part_t    build;
} cel_semver_t;


#define CEL_SEMVER(name)                                                      \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_SEMVER(cel_semver_make);
CEL_SEMVER(cel_semver_is);
CEL_SEMVER(cel_semver_major);
CEL_SEMVER(cel_semver_minor);
CEL_SEMVER(cel_semver_patch);
static const char *cel_semver_read(const cel_value_t *args, uint32_t n,
    cel_semver_t *version);
static unsigned cel_semver_split(const char *s, size_t len,
    cel_semver_part_t *parts);
static void cel_semver_strip(cel_semver_part_t *part);
static const char *cel_semver_suffixes(cel_semver_part_t *patch,
    cel_semver_t *version);
static const char *cel_semver_identifiers(const cel_semver_part_t *part,
    bool pre);
static const char *cel_semver_number(const cel_semver_part_t *part,
    uint64_t *value);
static int cel_semver_compare(const cel_opaque_t *a, const cel_opaque_t *b);


const cel_overload_spec_t  cel_lib_semver[] = {

    CEL_OVERLOAD("semver", "string_to_semver", "(string): kubernetes.Semver",
                 cel_semver_make, CEL_PARSED),
    CEL_OVERLOAD("semver", "string_bool_to_semver",
                 "(string, bool): kubernetes.Semver", cel_semver_make,
                 CEL_PARSED),
    CEL_OVERLOAD("isSemver", "is_semver_string", "(string): bool",
                 cel_semver_is, CEL_ASKED),
    CEL_OVERLOAD("isSemver", "is_semver_string_bool", "(string, bool): bool",
                 cel_semver_is, CEL_ASKED),

    CEL_OVERLOAD("major", "semver_major", "kubernetes.Semver.(): int",
                 cel_semver_major, CEL_SCALAR),
    CEL_OVERLOAD("minor", "semver_minor", "kubernetes.Semver.(): int",
                 cel_semver_minor, CEL_SCALAR),
    CEL_OVERLOAD("patch", "semver_patch", "kubernetes.Semver.(): int",
                 cel_semver_patch, CEL_SCALAR),

    CEL_OVERLOAD("isGreaterThan", "semver_is_greater_than",
                 "kubernetes.Semver.(kubernetes.Semver): bool",
                 cel_opaque_is_greater, CEL_COMPARED),
    CEL_OVERLOAD("isLessThan", "semver_is_less_than",
                 "kubernetes.Semver.(kubernetes.Semver): bool",
                 cel_opaque_is_less, CEL_COMPARED),
    CEL_OVERLOAD("compareTo", "semver_compare_to",
                 "kubernetes.Semver.(kubernetes.Semver): int",
                 cel_opaque_compare_to, CEL_COMPARED),

    CEL_OVERLOADS_END
};


/* Two that differ in their build alone are the same. */

CEL_SEMVER(cel_semver_make)
{
    int            len;
    char           text[CEL_MESSAGE_MAX / 2], *p;
    const char    *why;
    cel_semver_t   v;
    cel_opaque_t  *opaque;

    why = cel_semver_read(args, n, &v);

    if (why != NULL) {
        cel_value_text(&args[0], text, sizeof(text));
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "semver(\"%s\"): %s", text, why);
    }

    opaque = cel_opaque_make(eval, &cel_t_semver,
                             (uint32_t) (sizeof(v.numbers) + v.pre.len), out);
    p = cel_eval_alloc(eval, CEL_SEMVER_NUMBERS * 21 + v.pre.len
                             + v.build.len + 3);

    if (opaque == NULL || p == NULL) {
        return CEL_ERROR;
    }

    memcpy(opaque->data, v.numbers, sizeof(v.numbers));
    memcpy(opaque->data + sizeof(v.numbers), v.pre.s, v.pre.len);
    opaque->compare = cel_semver_compare;
    opaque->s = p;

    len = sprintf(p, "%llu.%llu.%llu", (unsigned long long) v.numbers[0],
                  (unsigned long long) v.numbers[1],
                  (unsigned long long) v.numbers[2]);

    if (v.pre.len != 0) {
        p[len++] = '-';
        memcpy(p + len, v.pre.s, v.pre.len);
        len += (int) v.pre.len;
    }

    if (v.build.len != 0) {
        p[len++] = '+';
        memcpy(p + len, v.build.s, v.build.len);
        len += (int) v.build.len;
    }

    opaque->slen = (uint32_t) len;
    out->len = (uint32_t) v.pre.len;

    return CEL_OK;
}


CEL_SEMVER(cel_semver_is)
{
    cel_semver_t  version;

    *out = cel_bool(cel_semver_read(args, n, &version) == NULL);

    return CEL_OK;
}


/* args as of semver(); why it is none, or NULL */

static const char *
cel_semver_read(const cel_value_t *args, uint32_t n, cel_semver_t *version)
{
    bool                normalize;
    size_t              len;
    unsigned            i, count;
    const char         *s, *why;
    cel_semver_part_t   parts[CEL_SEMVER_NUMBERS];

    s = args[0].s;
    len = args[0].len;
    normalize = n == 2 && args[1].b;

    if (normalize && len > 0 && *s == 'v') {
        s++;
        len--;
    }

    if (len == 0) {
        return "the version is empty";
    }

    count = cel_semver_split(s, len, parts);

    if (count != CEL_SEMVER_NUMBERS && !normalize) {
        return "No Major.Minor.Patch elements found";
    }

    memset(version, 0, sizeof(cel_semver_t));
    version->pre.s = "";
    version->build.s = "";

    if (count == CEL_SEMVER_NUMBERS) {
        why = cel_semver_suffixes(&parts[count - 1], version);

        if (why != NULL) {
            return why;
        }
    }

    for (i = 0; i < count; i++) {

        if (normalize) {
            cel_semver_strip(&parts[i]);
        }

        why = cel_semver_number(&parts[i], &version->numbers[i]);

        if (why != NULL) {
            return why;
        }
    }

    return NULL;
}


/* by the first dots; how many parts there are */

static unsigned
cel_semver_split(const char *s, size_t len, cel_semver_part_t *parts)
{
    unsigned     count;
    const char  *dot;

    for (count = 0; /* void */ ; count++) {
        dot = count + 1 < CEL_SEMVER_NUMBERS && len > 0 ? memchr(s, '.', len)
                                                        : NULL;
        parts[count].s = s;
        parts[count].len = dot != NULL ? (size_t) (dot - s) : len;

        if (dot == NULL) {
            return count + 1;
        }

        len -= parts[count].len + 1;
        s = dot + 1;
    }
}


static void
cel_semver_strip(cel_semver_part_t *part)
{
    while (part->len > 1 && *part->s == '0') {
        part->s++;
        part->len--;
    }
}


/* takes "-pre" and "+build" off the last number */

static const char *
cel_semver_suffixes(cel_semver_part_t *patch, cel_semver_t *version)
{
    const char         *p, *why;
    cel_semver_part_t  *part;

    part = &version->build;
    p = patch->len > 0 ? memchr(patch->s, '+', patch->len) : NULL;

    if (p != NULL) {
        part->s = p + 1;
        part->len = patch->len - (size_t) (p + 1 - patch->s);
        patch->len = (size_t) (p - patch->s);

        why = cel_semver_identifiers(part, false);
        if (why != NULL) {
            return why;
        }
    }

    part = &version->pre;
    p = patch->len > 0 ? memchr(patch->s, '-', patch->len) : NULL;

    if (p == NULL) {
        return NULL;
    }

    part->s = p + 1;
    part->len = patch->len - (size_t) (p + 1 - patch->s);
    patch->len = (size_t) (p - patch->s);

    return cel_semver_identifiers(part, true);
}


/* the one that starts at *p, which is moved behind it */

static cel_semver_part_t
cel_semver_identifier(const char **p, const char *end)
{
    const char         *dot;
    cel_semver_part_t   part;

    dot = *p < end ? memchr(*p, '.', (size_t) (end - *p)) : NULL;

    part.s = *p;
    part.len = (size_t) ((dot != NULL ? dot : end) - *p);

    *p = dot != NULL ? dot + 1 : end + 1;

    return part;
}


static bool
cel_semver_numeric(const cel_semver_part_t *part)
{
    size_t  i;

    for (i = 0; i < part->len; i++) {
        if (part->s[i] < '0' || part->s[i] > '9') {
            return false;
        }
    }

    return true;
}


/* letters, digits and hyphens between dots; numbers without leading zeros */

static const char *
cel_semver_identifiers(const cel_semver_part_t *all, bool pre)
{
    char                c;
    size_t              i;
    uint64_t            value;
    const char         *p, *end, *why;
    cel_semver_part_t   part;

    p = all->s;
    end = p + all->len;

    while (p <= end) {
        part = cel_semver_identifier(&p, end);

        if (part.len == 0) {
            return pre ? "a part of the pre-release is empty"
                       : "a part of the build is empty";
        }

        for (i = 0; i < part.len; i++) {
            c = part.s[i];

            if (c != '-' && (c < '0' || c > '9')
                && ((c | 0x20) < 'a' || (c | 0x20) > 'z'))
            {
                return "only letters, digits and hyphens may be in a "
                       "pre-release or build";
            }
        }

        if (pre && cel_semver_numeric(&part)) {
            why = cel_semver_number(&part, &value);
            if (why != NULL) {
                return why;
            }
        }
    }

    return NULL;
}


static const char *
cel_semver_number(const cel_semver_part_t *part, uint64_t *value)
{
    size_t  i;

    *value = 0;

    if (part->len == 0 || !cel_semver_numeric(part)) {
        return "major, minor and patch must be numbers";
    }

    if (part->len > 1 && *part->s == '0') {
        return "a number must not have leading zeroes";
    }

    for (i = 0; i < part->len; i++) {
        if (__builtin_mul_overflow(*value, 10, value)
            || __builtin_add_overflow(*value,
                                      (unsigned) (part->s[i] - '0'), value))
        {
            return "a number is too large";
        }
    }

    return NULL;
}


static cel_status_t
cel_semver_part(cel_eval_t *eval, const cel_value_t *v, unsigned i,
    cel_value_t *out)
{
    uint64_t             numbers[CEL_SEMVER_NUMBERS];
    const cel_opaque_t  *opaque;

    opaque = cel_opaque(v, &cel_t_semver);
    if (opaque == NULL) {
        return cel_fail_overload(eval);
    }

    memcpy(numbers, opaque->data, sizeof(numbers));

    if (numbers[i] > INT64_MAX) {
        return cel_fail_overflow(eval);
    }

    *out = cel_int((int64_t) numbers[i]);

    return CEL_OK;
}


CEL_SEMVER(cel_semver_major)
{
    return cel_semver_part(eval, &args[0], 0, out);
}


CEL_SEMVER(cel_semver_minor)
{
    return cel_semver_part(eval, &args[0], 1, out);
}


CEL_SEMVER(cel_semver_patch)
{
    return cel_semver_part(eval, &args[0], 2, out);
}


/* numbers come before words; they have no leading zeros */

static int
cel_semver_order(const cel_semver_part_t *a, const cel_semver_part_t *b)
{
    int   order;
    bool  numeric;

    numeric = cel_semver_numeric(a);

    if (numeric != cel_semver_numeric(b)) {
        return numeric ? -1 : 1;
    }

    if (numeric && a->len != b->len) {
        return a->len < b->len ? -1 : 1;
    }

    order = memcmp(a->s, b->s, a->len < b->len ? a->len : b->len);

    if (order == 0) {
        return (a->len > b->len) - (a->len < b->len);
    }

    return order < 0 ? -1 : 1;
}


/* identifier by identifier, of two that are alike the longer is greater */

static int
cel_semver_compare_pre(const char *a, const char *a_end, const char *b,
    const char *b_end)
{
    int                order;
    cel_semver_part_t  pa, pb;

    while (a <= a_end && b <= b_end) {
        pa = cel_semver_identifier(&a, a_end);
        pb = cel_semver_identifier(&b, b_end);

        order = cel_semver_order(&pa, &pb);
        if (order != 0) {
            return order;
        }
    }

    return (a <= a_end) - (b <= b_end);
}


static int
cel_semver_compare(const cel_opaque_t *a, const cel_opaque_t *b)
{
    size_t    size;
    uint64_t  na[CEL_SEMVER_NUMBERS], nb[CEL_SEMVER_NUMBERS];
    unsigned  i;

    size = sizeof(na);
    memcpy(na, a->data, size);
    memcpy(nb, b->data, size);

    for (i = 0; i < CEL_SEMVER_NUMBERS; i++) {
        if (na[i] != nb[i]) {
            return na[i] < nb[i] ? -1 : 1;
        }
    }

    /* a pre-release comes before the release */

    if (a->len == size || b->len == size) {
        return (a->len == size) - (b->len == size);
    }

    return cel_semver_compare_pre((const char *) a->data + size,
                                  (const char *) a->data + a->len,
                                  (const char *) b->data + size,
                                  (const char *) b->data + b->len);
}
