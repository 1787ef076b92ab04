
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_re2.h - RE2 behind a C face: compile, look for a match and for what its
 * groups hold, destroy.  The implementation throws nothing, logs nothing and
 * keeps no state.
 */


#ifndef CEL_RE2_H_INCLUDED
#define CEL_RE2_H_INCLUDED


#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>


#ifdef __cplusplus
extern "C" {
#endif


/* Heap that any one pattern with its caches may take. */
#define CEL_RE2_MEMORY  262144

/* Groups that cel_re2_capture() can give. */
#define CEL_RE2_GROUPS  9


typedef struct cel_re2_s  cel_re2_t;


/*
 * NULL with message (of size bytes, NUL-terminated) when the pattern is no
 * valid RE2 syntax, its program is larger than max_program or memory is out.
 */
cel_re2_t *cel_re2_create(const char *pattern, size_t len,
    uint32_t max_program, char *message, size_t size);
void cel_re2_destroy(cel_re2_t *re);

/* Instructions of the compiled pattern. */
uint32_t cel_re2_program_size(const cel_re2_t *re) __attribute__((hot));

/* Heap that this one with its caches may take, at most CEL_RE2_MEMORY. */
size_t cel_re2_memory(const cel_re2_t *re);

/* Groups that capture; that of the whole match is not counted. */
uint32_t cel_re2_groups(const cel_re2_t *re);

/* Whether the pattern matches anywhere in the text: 1, 0, or -1: no memory. */
int cel_re2_match(const cel_re2_t *re, const char *text, size_t len)
    __attribute__((hot));


/* A part of the text; s NULL: a group that took no part in the match. */

typedef struct {
    const char  *s;
    size_t       len;
} cel_re2_span_t;

/* The leftmost match from an offset on; what is before it is looked at. */
int cel_re2_find(const cel_re2_t *re, const char *text, size_t len,
    size_t from, cel_re2_span_t *span);

/* spans[0] is what cel_re2_find() gave; fills the first n groups behind. */
int cel_re2_capture(const cel_re2_t *re, const char *text, size_t len,
    cel_re2_span_t *spans, uint32_t n);


#ifdef __cplusplus
}
#endif


#endif /* CEL_RE2_H_INCLUDED */
