
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_runtime.h - what the VM, the functions and the values share at run
 * time; private to src/cel.
 */


#ifndef CEL_RUNTIME_H_INCLUDED
#define CEL_RUNTIME_H_INCLUDED


#include "cel_function.h"

#include <string.h>


#define cel_likely(x)    __builtin_expect(!!(x), 1)
#define cel_unlikely(x)  __builtin_expect(!!(x), 0)


/* Nesting of values that equality, hashing and JSON text will follow. */
#define CEL_VALUE_DEPTH  1100

/* Evaluations within evaluations (lazy variables of variables ...). */
#define CEL_EVAL_DEPTH   64


/* cel_value_t.flags: the string belongs to a cel_prepared_t */
#define CEL_F_PREPARED   0x0001

#define CEL_NSEC         1000000000


/* A constant argument with what was made of it; text is NUL-terminated. */

typedef enum {
    CEL_PREPARED_REGEX = 1,
    CEL_PREPARED_ZONE
} cel_prepared_kind_t;

typedef struct {
    cel_prepared_kind_t  kind;
    const void          *object;
    char                 text[];
} cel_prepared_t;

static inline const cel_prepared_t *
cel_prepared(const cel_value_t *v, cel_prepared_kind_t kind)
{
    const cel_prepared_t  *p;

    if (!(v->flags & CEL_F_PREPARED)) {
        return NULL;
    }

    p = (const void *) (v->s - offsetof(cel_prepared_t, text));

    return p->kind == kind ? p : NULL;
}


/* What a prepare function works with: the program's arena and limits. */

struct cel_prepare_s {
    cel_program_t       *program;
    cel_arena_t         *arena;
    uint32_t             max_regex;
};

cel_status_t cel_prepare_regex(cel_prepare_t *prepare, cel_value_t *arg,
    char message[CEL_MESSAGE_MAX]);
uint32_t cel_weigh_regex(const cel_value_t *arg);
cel_status_t cel_prepare_zone(cel_prepare_t *prepare, cel_value_t *arg,
    char message[CEL_MESSAGE_MAX]);


/* Arena */

/* Takes a charge back. */
void cel_arena_discharge(cel_arena_t *arena, size_t size);

/* Grows the newest allocation in place, when it is that and there is room. */
bool cel_arena_extend(cel_arena_t *arena, void *p, size_t size, size_t more);

/* Whether what is made may get so large; else the evaluation fails. */

#define CEL_MAX_STRING   (16u << 20)
#define CEL_MAX_ENTRIES  1000000u

cel_status_t cel_eval_string(cel_eval_t *eval, size_t len);
cel_status_t cel_eval_entries(cel_eval_t *eval, size_t count);

/* As cel_arena_alloc, failing the evaluation with CEL_E_MEMORY. */
void *cel_eval_alloc(cel_eval_t *eval, size_t size);


/* Metering */

static inline cel_status_t
cel_charge(cel_eval_t *eval, uint64_t units)
{
    eval->cost += units;

    if (cel_likely(eval->cost < eval->next_look)) {
        return CEL_OK;
    }

    eval->cost -= units;

    return cel_eval_charge(eval, units);
}

/*
 * For work that was charged as one: looks at the flag, the clock and by the
 * host after every so many of its steps, the step'th being done.
 */

#define CEL_STEPS_EVERY  4096

cel_status_t cel_eval_look(cel_eval_t *eval);

static inline cel_status_t
cel_step(cel_eval_t *eval, uint32_t step)
{
    if (cel_likely((step & (CEL_STEPS_EVERY - 1)) != 0)) {
        return CEL_OK;
    }

    return cel_eval_look(eval);
}

/* Bytes of a string to units, as in a charge with this shift. */
#define CEL_BYTES_SHIFT  5


/* Errors with fixed texts, see cel_eval_fail() */

cel_status_t cel_fail_overload(cel_eval_t *eval)
    __attribute__((cold));
cel_status_t cel_fail_overflow(cel_eval_t *eval)
    __attribute__((cold));
cel_status_t cel_fail_key(cel_eval_t *eval, const cel_value_t *key)
    __attribute__((cold));

/* A value as text for messages, cut to size; returns the length. */
size_t cel_value_text(const cel_value_t *v, char *buf, size_t size);


/* Values */

static inline cel_value_t
cel_make(cel_kind_t kind)
{
    cel_value_t  v;

    v.kind = (uint8_t) kind;
    v.repr = CEL_REPR_ARENA;
    v.flags = 0;
    v.len = 0;
    v.i = 0;

    return v;
}

cel_value_t cel_type_value(const cel_type_t *type);

/* The type of a value, type(v) of the language. */
const cel_type_t *cel_value_type(const cel_value_t *v);

/* Map by any key: CEL_OK, CEL_NOT_FOUND, CEL_NEED, CEL_ERROR. */
cel_status_t cel_map_get(cel_eval_t *eval, const cel_value_t *map,
    const cel_value_t *key, cel_value_t *value) __attribute__((hot));

/* Indexes the pairs; *duplicate (or NULL) gets the first key met twice. */
cel_status_t cel_map_build(cel_arena_t *arena, const cel_value_t *pairs,
    uint32_t count, cel_value_t *out, const cel_value_t **duplicate);

bool cel_is_key(const cel_value_t *key);
uint32_t cel_hash_bytes(const char *s, size_t len);

/* An arena string of len bytes to be filled by the caller, or NULL. */
char *cel_new_string(cel_eval_t *eval, size_t len, cel_value_t *out);

static inline bool
cel_same_bytes(const cel_value_t *a, const cel_value_t *b)
{
    return a->len == b->len
           && (a->s == b->s || memcmp(a->s, b->s, a->len) == 0);
}


/* Numbers and order: -1, 0, 1; CEL_UNORDERED with a NaN */

#define CEL_UNORDERED  2

int cel_compare_numbers(const cel_value_t *a, const cel_value_t *b);

static inline bool
cel_is_number(const cel_value_t *v)
{
    return v->kind >= CEL_INT && v->kind <= CEL_DOUBLE;
}

/* Order of the language: CEL_OK with *order, or no such overload. */
cel_status_t cel_compare(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, int *order);


/* Walks a list or a map of any representation in order. */

typedef struct {
    cel_value_t          range;
    uint32_t             i;
    uint32_t             n;
    uint32_t             pos;          /* JSON: tape index of the next */
} cel_iter_t;

void cel_iter_init(cel_iter_t *iter, const cel_value_t *range);

/* i < n; key may be NULL; for a map's keys alone value may be NULL */
cel_status_t cel_iter_next(cel_iter_t *iter, cel_eval_t *eval,
    cel_value_t *key, cel_value_t *value);


/* Builds a list whose length is not known before. */

typedef struct {
    cel_value_t         *values;
    uint32_t             count;
    uint32_t             room;
} cel_builder_t;

cel_status_t cel_builder_grow(cel_builder_t *b, cel_eval_t *eval);

static inline cel_status_t
cel_builder_add(cel_builder_t *b, cel_eval_t *eval, const cel_value_t *v)
{
    if (b->count == b->room && cel_builder_grow(b, eval) != CEL_OK) {
        return CEL_ERROR;
    }

    b->values[b->count++] = *v;

    return CEL_OK;
}

/* Wraps values (kept, in the arena) as a list or, in pairs, as a map. */
cel_status_t cel_wrap_list(cel_eval_t *eval, const cel_value_t *values,
    uint32_t count, cel_value_t *out);
cel_status_t cel_wrap_map(cel_eval_t *eval, const cel_value_t *pairs,
    uint32_t count, cel_value_t *out);


/* JSON documents, cel_json.c */

uint32_t cel_json_size(const cel_value_t *v);
cel_status_t cel_json_get(const cel_value_t *map, const char *key, size_t len,
    cel_value_t *value) __attribute__((hot));
cel_status_t cel_json_entry(const cel_value_t *v, uint32_t i,
    cel_value_t *key, cel_value_t *value);

/* Reads the value at *pos of the tape and steps over it. */
void cel_json_read(const cel_json_t *json, uint32_t *pos, cel_value_t *value)
    __attribute__((hot));


/* Operators, cel_operators.c: any kinds, no such overload otherwise */

cel_status_t cel_op_add(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_op_sub(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_op_mul(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_op_div(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_op_mod(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_op_neg(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_op_index(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_op_in(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out) __attribute__((hot));

/* Whether a number is no index of the list, though it is a whole one. */
bool cel_list_outside(const cel_value_t *list, const cel_value_t *index);


/*
 * Opaque values, cel_opaque.c: of one type, and the same when their data are.
 * A value's len is what it counts in a charge.
 */

#define CEL_OPAQUE_TEXT  256

typedef struct cel_opaque_s  cel_opaque_t;

struct cel_opaque_s {
    cel_object_t         object;           /* no ops */
    const cel_type_t    *type;
    /* buf has CEL_OPAQUE_TEXT; the length.  NULL: text is in s */
    size_t             (*text)(const cel_opaque_t *opaque, char *buf);
    /* -1, 0, 1; NULL: they have no order */
    int                (*compare)(const cel_opaque_t *a,
                                  const cel_opaque_t *b);
    const char          *s;
    uint32_t             slen;
    uint32_t             len;
    unsigned char        data[];           /* aligned to 8 */
};

/* *out is one with len bytes of data, which the caller fills; NULL: failed. */
cel_opaque_t *cel_opaque_make(cel_eval_t *eval, const cel_type_t *type,
    uint32_t len, cel_value_t *out);

/* What v is, if it is one of this type, or NULL. */
const cel_opaque_t *cel_opaque(const cel_value_t *v, const cel_type_t *type);

/* a.compareTo(b), a.isGreaterThan(b), a.isLessThan(b) of those with order */
cel_status_t cel_opaque_compare_to(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_opaque_is_greater(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
cel_status_t cel_opaque_is_less(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);

/* The text, which may be in buf. */
const char *cel_opaque_text(const cel_opaque_t *opaque, char *buf,
    size_t *len);


/* Optionals, cel_lib_optional.c */

/* optional.of(v) */
cel_status_t cel_optional(cel_eval_t *eval, const cel_value_t *v,
    cel_value_t *out);

/* v[?key], of a list, a map or an optional of one; v.?key */
cel_status_t cel_optional_part(cel_eval_t *eval, const cel_value_t *v,
    const cel_value_t *key, cel_value_t *out);


/* Bytes as base64, or as base64url without padding, cel_lib_encoders.c */
cel_status_t cel_base64_text(cel_eval_t *eval, const cel_value_t *bytes,
    bool url, cel_value_t *out);


/* Time, cel_time.c and cel_zone.c */

#define CEL_TIME_MIN  (-62135596800LL)     /* 0001-01-01T00:00:00Z */
#define CEL_TIME_MAX  253402300799LL       /* 9999-12-31T23:59:59Z */
#define CEL_TIME_TEXT  48

typedef struct {
    int64_t              year;
    uint32_t             month;            /* 1 .. 12 */
    uint32_t             day;              /* 1 .. 31 */
    uint32_t             hour;
    uint32_t             minute;
    uint32_t             second;
    uint32_t             weekday;          /* 0 = Sunday */
    uint32_t             yearday;          /* 0 .. 365 */
} cel_civil_t;

void cel_time_civil(int64_t seconds, cel_civil_t *civil);
int64_t cel_time_days(int64_t year, uint32_t month, uint32_t day);

/* Text of a timestamp or a duration; buf has CEL_TIME_TEXT; the length. */
size_t cel_time_format(const cel_value_t *v, char *buf);

bool cel_time_parse(const char *s, size_t len, cel_value_t *out);
bool cel_duration_parse(const char *s, size_t len, cel_value_t *out);

/* Seconds and any nanoseconds to a value within range. */
bool cel_time_make(int64_t seconds, int64_t nanoseconds, cel_value_t *out);
bool cel_duration_make(int64_t seconds, int64_t nanoseconds,
    cel_value_t *out);

/*
 * The offset from UTC, in seconds, that a zone ("Europe/Paris", "+01:00")
 * has at a time: CEL_OK, or CEL_ERROR filled.
 */
cel_status_t cel_zone_offset(cel_eval_t *eval, const cel_value_t *zone,
    int64_t seconds, int64_t *offset);

/* cel_zone_rule.c: the offset that a rule of POSIX gives, or fallback */
int64_t cel_zone_rule(const char *rule, int64_t seconds, int64_t fallback);


/* UTF-8, cel_utf8.c */

bool cel_utf8_valid(const char *s, size_t len);
uint32_t cel_utf8_count(const char *s, size_t len);
/* byte offset of the n-th code point; len when there are fewer */
size_t cel_utf8_offset(const char *s, size_t len, uint32_t n);


/* Numbers as text, cel_number.c: locale-free; buf has CEL_NUMBER_TEXT */

#define CEL_NUMBER_TEXT  64

size_t cel_int_format(int64_t i, char *buf);
size_t cel_uint_format(uint64_t u, char *buf);
/* an exponent is written below -4 and from so much up */
#define CEL_EXPONENT_FROM  6

size_t cel_double_format(double d, int from, char *buf);
bool cel_double_parse(const char *s, size_t len, double *d);


#endif /* CEL_RUNTIME_H_INCLUDED */
