
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_bench.h - what the benchmark of src/cel asks, and of what: shared by
 * the expressions and the C functions beside them.
 */


#ifndef CEL_BENCH_H_INCLUDED
#define CEL_BENCH_H_INCLUDED


#include "cel.h"

#include <string.h>


#define BENCH_HEADERS   8
#define BENCH_LIST      100


/* Header fields as an array that is searched, like a request's. */

typedef struct {
    cel_object_t   object;
    cel_value_t    names[BENCH_HEADERS];
    cel_value_t    values[BENCH_HEADERS];
} bench_headers_t;


/* One request, as the C functions see it. */

typedef struct {
    const char            *method;
    size_t                 method_len;
    const char            *path;
    size_t                 path_len;
    const bench_headers_t *headers;
    cel_value_t            input;          /* a parsed document */
    const int64_t         *list;           /* BENCH_LIST */
    int64_t                now;            /* seconds since 1970 */
    char                   out[128];       /* what is written */
} bench_request_t;


typedef bool (*bench_plain_pt)(bench_request_t *r);


typedef struct {
    const char      *name;
    const char      *source;
    bench_plain_pt   plain;
    uint32_t         steps;                /* of loops, 1 = none */
} bench_case_t;


/* cel_plain.c: the table, ended by a name that is NULL */
extern const bench_case_t  bench_cases[];
extern const char *const   bench_header_policy;
extern const char *const   bench_body_policy;

bool bench_plain_body(bench_request_t *r);


#endif /* CEL_BENCH_H_INCLUDED */
