
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_error.h - what calls of the CEL library return and what they say when
 * they fail.  A part of cel.h, which includes it.
 */


#ifndef CEL_ERROR_H_INCLUDED
#define CEL_ERROR_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#ifdef __cplusplus
extern "C" {
#endif


typedef enum {
    CEL_OK = 0,
    CEL_NEED,                 /* a fact is not there yet: cel_eval_t.need */
    CEL_NOT_FOUND,            /* lookups only: no such key, index or name */
    CEL_ERROR                 /* cel_eval_t.error or the issues say which */
} cel_status_t;


typedef enum {
    CEL_E_NONE = 0,

    /* compile time */
    CEL_E_PARSE,
    CEL_E_CHECK,
    CEL_E_WARNING,            /* right, and hardly meant: refuses nothing */
    CEL_E_TOO_LARGE,          /* a limit of cel_limits_t */

    /* evaluation: absorbed by && || and ?: as the language says */
    CEL_E_NO_SUCH_KEY,
    CEL_E_NO_SUCH_OVERLOAD,
    CEL_E_NO_SUCH_FIELD,
    CEL_E_DIVIDE_BY_ZERO,
    CEL_E_OVERFLOW,           /* "return error for overflow" of langdef.md */
    CEL_E_OUT_OF_RANGE,       /* list index, time or conversion range */
    CEL_E_INVALID_ARGUMENT,   /* bad pattern, format, time zone, ... */
    CEL_E_DUPLICATE_KEY,      /* in a map literal */
    CEL_E_FACT,               /* the host could not give a fact: host_code */

    /* evaluation: stops at once, absorbed by nothing */
    CEL_E_COST,               /* cost_limit reached */
    CEL_E_MEMORY,             /* arena limit reached or allocation failed;
                               * a string, list or map gets too large */
    CEL_E_DEADLINE,           /* deadline_ns passed */
    CEL_E_CANCELLED,          /* *cancel became true */
    CEL_E_DEPTH,              /* nested evaluation too deep */
    CEL_E_BUDGET              /* the host's look said so */
} cel_error_kind_t;

#define cel_error_is_fatal(kind)  ((kind) >= CEL_E_COST)


#define CEL_MESSAGE_MAX  240


typedef struct {
    cel_error_kind_t  kind;
    uint32_t          host_code;   /* CEL_E_FACT: what the host put there */
    uint32_t          line;        /* 1-based, 0 when unknown */
    uint32_t          column;      /* 1-based, in code points */
    uint32_t          offset;      /* bytes from the start of the source */
    char              message[CEL_MESSAGE_MAX];   /* UTF-8, NUL-terminated */
} cel_error_t;


/* What one compilation has to say: errors in source order, then cut off. */

#define CEL_ISSUES_MAX  16

typedef struct {
    uint32_t          count;       /* filled items */
    uint32_t          total;       /* found, may be more than count */
    cel_error_t       items[CEL_ISSUES_MAX];
} cel_issues_t;


/*
 * Writes "ERROR: NAME:LINE:COLUMN: MESSAGE\n | source line\n | ....^" (the
 * shape of cel-go) NUL-terminated, cut to size; long lines are cut around
 * the caret.  An error of no place in the source (line 0) has its message
 * alone: "ERROR: NAME: MESSAGE".  Returns the length written, without the NUL.
 */
size_t cel_error_format(const cel_error_t *error, const char *name,
    const char *source, size_t len, char *buf, size_t size);

/* "parse", "check", "no such key", ...: static, never NULL. */
const char *cel_error_kind_name(cel_error_kind_t kind);


#ifdef __cplusplus
}
#endif


#endif /* CEL_ERROR_H_INCLUDED */
