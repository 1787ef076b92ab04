
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_value.h - values of the CEL library, those of a host among them, and
 * the arenas that hold them.  A part of cel.h, which includes it.
 */


#ifndef CEL_VALUE_H_INCLUDED
#define CEL_VALUE_H_INCLUDED


#include <stdbool.h>
#include "cel_error.h"


#ifdef __cplusplus
extern "C" {
#endif


/* Arena */


typedef struct {
    /* 16-byte aligned or NULL; free gets what alloc gave */
    void           *(*alloc)(void *ctx, size_t size);
    void            (*free)(void *ctx, void *p, size_t size);
    void             *ctx;
} cel_allocator_t;


typedef struct cel_block_s  cel_block_t;


/*
 * A bump allocator with a byte limit.  All fields are private but used and
 * peak: bytes handed out now, at most, charged heaps included; and refused:
 * what would have been in use had the last refusal been none, 0 = no refusal.
 */
typedef struct {
    char                   *pos;
    char                   *end;
    size_t                  used;
    size_t                  peak;
    size_t                  limit;
    size_t                  refused;
    cel_block_t            *blocks;
    char                   *first;
    size_t                  first_size;
    const cel_allocator_t  *allocator;
} cel_arena_t;


/* malloc and free */
extern const cel_allocator_t  cel_allocator_libc;


/*
 * first may be NULL; else the caller's block of first_size bytes is used
 * before the allocator is asked, and is never freed here.  limit in bytes,
 * 0 = SIZE_MAX.  The allocator is borrowed.
 */
void cel_arena_init(cel_arena_t *arena, const cel_allocator_t *allocator,
    void *first, size_t first_size, size_t limit);

/* 8-byte aligned, not zeroed; NULL over the limit or when out of memory. */
void *cel_arena_alloc(cel_arena_t *arena, size_t size) __attribute__((hot));

/* Counts bytes of a foreign heap against the limit: CEL_OK or CEL_ERROR. */
cel_status_t cel_arena_charge(cel_arena_t *arena, size_t size);

/* Frees all blocks but the first; the arena may be used again. */
void cel_arena_reset(cel_arena_t *arena) __attribute__((hot));


/* Values */


typedef enum {
    CEL_NULL = 0,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,               /* UTF-8 */
    CEL_BYTES,
    CEL_TIMESTAMP,            /* i = seconds since 1970, len = nanoseconds */
    CEL_DURATION,             /* i = seconds, len = (int32_t) nanoseconds of
                               * the same sign */
    CEL_LIST,
    CEL_MAP,
    CEL_TYPE,                 /* t */
    CEL_OPTIONAL,             /* v, NULL = optional.none() */
    CEL_OPAQUE,               /* o: network addresses and the like */
    CEL_ERROR_VALUE           /* inside the VM only */
} cel_kind_t;


/* How a list or a map is held; every function takes any of them. */

typedef enum {
    CEL_REPR_ARENA = 0,       /* l: array in the arena */
    CEL_REPR_JSON,            /* j, len = index on the document's tape */
    CEL_REPR_OBJECT           /* o: the host's, through its ops */
} cel_repr_t;


typedef struct cel_value_s   cel_value_t;
typedef struct cel_type_s    cel_type_t;
typedef struct cel_object_s  cel_object_t;
typedef struct cel_json_s    cel_json_t;
typedef struct cel_eval_s    cel_eval_t;


/* List: count values.  Map: count pairs, key before value. */

typedef struct {
    uint32_t            count;
    const cel_value_t  *values;
    const void         *index;     /* of a map, private */
} cel_sequence_t;


struct cel_value_s {
    uint8_t                  kind;      /* cel_kind_t */
    uint8_t                  repr;      /* cel_repr_t */
    uint16_t                 flags;     /* private, 0 when made by a host */
    uint32_t                 len;       /* bytes, nanoseconds, tape index */
    union {
        bool                 b;
        int64_t              i;
        uint64_t             u;
        double               d;
        const char          *s;
        const cel_sequence_t *l;
        const cel_json_t    *j;
        const cel_object_t  *o;
        const cel_type_t    *t;
        const cel_value_t   *v;
        const cel_error_t   *e;
    };
};

#ifndef __cplusplus
_Static_assert(sizeof(cel_value_t) == 16, "a value is 16 bytes");
#endif


/*
 * A host's list or map, read lazily.  Put the struct first in the host's own,
 * which must outlive the evaluation.  entry(i) is called with i < size(o).
 * get: CEL_OK, CEL_NOT_FOUND, CEL_NEED or CEL_ERROR with eval->error filled
 * by cel_eval_fail().  The values given may borrow from the object.
 */
typedef struct {
    cel_kind_t        kind;             /* CEL_LIST or CEL_MAP */
    uint32_t        (*size)(const cel_object_t *o);
    cel_status_t    (*get)(const cel_object_t *o, cel_eval_t *eval,
                           const cel_value_t *key, cel_value_t *value);
    cel_status_t    (*entry)(const cel_object_t *o, cel_eval_t *eval,
                             uint32_t i, cel_value_t *key,
                             cel_value_t *value);
} cel_object_ops_t;

struct cel_object_s {
    const cel_object_ops_t  *ops;
};


cel_value_t cel_null(void);
cel_value_t cel_bool(bool b);
cel_value_t cel_int(int64_t i);
cel_value_t cel_uint(uint64_t u);
cel_value_t cel_double(double d);
cel_value_t cel_string(const char *s, size_t len);   /* borrowed, UTF-8 */
cel_value_t cel_bytes(const char *s, size_t len);    /* borrowed */
cel_value_t cel_timestamp(int64_t seconds, uint32_t nanoseconds);
cel_value_t cel_duration(int64_t seconds, int32_t nanoseconds);
cel_value_t cel_object(const cel_object_t *o);

/* values: count values, or count key/value pairs, in arena, kept. */
cel_status_t cel_list(cel_arena_t *arena, const cel_value_t *values,
    uint32_t count, cel_value_t *out);
cel_status_t cel_map(cel_arena_t *arena, const cel_value_t *pairs,
    uint32_t count, cel_value_t *out);

/* Elements of a list, entries of a map; 0 for others. */
uint32_t cel_size(const cel_value_t *v) __attribute__((hot));

/* i-th element, or the i-th entry's key and value (key NULL for lists). */
cel_status_t cel_entry(cel_eval_t *eval, const cel_value_t *v, uint32_t i,
    cel_value_t *key, cel_value_t *value);

/* Map by string key: CEL_OK, CEL_NOT_FOUND, CEL_NEED, CEL_ERROR. */
cel_status_t cel_get(cel_eval_t *eval, const cel_value_t *map,
    const char *key, size_t len, cel_value_t *value);

/* CEL's == : CEL_OK with *equal, or CEL_NEED / CEL_ERROR. */
cel_status_t cel_equal(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, bool *equal);


/*
 * Writes v as JSON text into the eval's arena (protobuf's mapping of CEL:
 * int beyond 2^53 stays a number, bytes as base64, timestamps as RFC 3339,
 * durations as "1.5s", types by name; NaN and infinity are errors, as are
 * map keys other than string, int, uint and bool, and two that are the same
 * as texts: 1 and '1').  Charged per byte.
 * CEL_OK, CEL_NEED or CEL_ERROR with eval->error.
 */
cel_status_t cel_to_json(cel_eval_t *eval, const cel_value_t *v,
    const char **text, size_t *len);


#ifdef __cplusplus
}
#endif


#endif /* CEL_VALUE_H_INCLUDED */
