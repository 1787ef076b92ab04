
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_eval.c - one evaluation's state: start, metering, errors.  The running
 * itself is cel_vm.c.
 */


#include "cel_runtime.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>


static uint64_t cel_eval_now(void);


static const char *const  cel_error_kind_names[] = {
    "none",
    "parse",
    "check",
    "warning",
    "too large",
    "no such key",
    "no such overload",
    "no such field",
    "divide by zero",
    "overflow",
    "out of range",
    "invalid argument",
    "duplicate key",
    "fact",
    "cost",
    "memory",
    "deadline",
    "cancelled",
    "depth",
    "budget"
};


const char *
cel_error_kind_name(cel_error_kind_t kind)
{
    size_t  n;

    n = sizeof(cel_error_kind_names) / sizeof(cel_error_kind_names[0]);

    return (size_t) kind < n ? cel_error_kind_names[kind] : "unknown";
}


void
cel_eval_init(cel_eval_t *eval)
{
    uint32_t  i;

    for (i = 0; i < eval->nfacts; i++) {
        eval->facts[i].kind = CEL_UNFETCHED;
    }

    eval->cost = 0;
    eval->refused = 0;
    eval->next_look = 0;
    eval->need = CEL_NO_SLOT;
    eval->depth = 0;
    eval->failed = 0;
    eval->error.kind = CEL_E_NONE;
    eval->error.host_code = 0;
    eval->error.line = 0;
    eval->error.column = 0;
    eval->error.offset = 0;
    eval->error.message[0] = '\0';
}


/*
 * Called when cost reached next_look, the smaller of the next look at the
 * clock and the first cost over the limit.
 */

cel_status_t
cel_eval_charge(cel_eval_t *eval, uint64_t units)
{
    uint64_t  next;

    if (units > UINT64_MAX - eval->cost) {
        eval->cost = UINT64_MAX;

    } else {
        eval->cost += units;
    }

    if (eval->cost < eval->next_look) {
        return CEL_OK;
    }

    if (eval->cost_limit != 0 && eval->cost > eval->cost_limit) {
        eval->refused = units;
        return cel_eval_fail(eval, CEL_E_COST,
                             "cost limit of %llu units exceeded",
                             (unsigned long long) eval->cost_limit);
    }

    if (cel_eval_look(eval) != CEL_OK) {
        return CEL_ERROR;
    }

    next = eval->cost > UINT64_MAX - CEL_LOOK_EVERY
           ? UINT64_MAX : eval->cost + CEL_LOOK_EVERY;

    if (eval->cost_limit != 0 && next > eval->cost_limit
        && eval->cost_limit != UINT64_MAX)
    {
        next = eval->cost_limit + 1;
    }

    eval->next_look = next;

    return CEL_OK;
}


cel_status_t
cel_eval_look(cel_eval_t *eval)
{
    if (eval->cancel != NULL
        && atomic_load_explicit(eval->cancel, memory_order_relaxed))
    {
        return cel_eval_fail(eval, CEL_E_CANCELLED, "evaluation cancelled");
    }

    if (eval->deadline_ns != 0 && cel_eval_now() >= eval->deadline_ns) {
        return cel_eval_fail(eval, CEL_E_DEADLINE, "deadline exceeded");
    }

    if (eval->look != NULL && eval->look(eval->look_ctx, eval) != CEL_OK) {
        return CEL_ERROR;
    }

    return CEL_OK;
}


static uint64_t
cel_eval_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * CEL_NSEC + (uint64_t) ts.tv_nsec;
}


/* The position is the VM's to fill; a cut text ends at a code point. */

cel_status_t
cel_eval_fail(cel_eval_t *eval, cel_error_kind_t kind, const char *fmt, ...)
{
    int          n;
    size_t       len;
    va_list      args;
    cel_error_t  *error;

    error = &eval->error;

    error->kind = kind;
    error->line = 0;
    error->column = 0;
    error->offset = 0;

    if (kind != CEL_E_FACT) {
        error->host_code = 0;
    }

    va_start(args, fmt);
    n = vsnprintf(error->message, sizeof(error->message), fmt, args);
    va_end(args);

    if (n < 0) {
        error->message[0] = '\0';

    } else if ((size_t) n >= sizeof(error->message)) {
        len = sizeof(error->message) - 1;

        while (len > 0 && (error->message[len - 1] & 0xc0) == 0x80) {
            len--;
        }

        if (len > 0 && (error->message[len - 1] & 0x80)) {
            len--;
        }

        error->message[len] = '\0';
    }

    return CEL_ERROR;
}


/* The frequent ones, absorbed in loops perhaps: no formatting. */

static cel_status_t
cel_fail_text(cel_eval_t *eval, cel_error_kind_t kind, const char *text,
    size_t len)
{
    cel_error_t  *error;

    error = &eval->error;

    error->kind = kind;
    error->host_code = 0;
    error->line = 0;
    error->column = 0;
    error->offset = 0;

    memcpy(error->message, text, len + 1);

    return CEL_ERROR;
}


cel_status_t
cel_fail_overload(cel_eval_t *eval)
{
    return cel_fail_text(eval, CEL_E_NO_SUCH_OVERLOAD, "no such overload",
                         sizeof("no such overload") - 1);
}


cel_status_t
cel_fail_overflow(cel_eval_t *eval)
{
    return cel_fail_text(eval, CEL_E_OVERFLOW, "return error for overflow",
                         sizeof("return error for overflow") - 1);
}


cel_status_t
cel_fail_memory(cel_eval_t *eval)
{
    return cel_eval_fail(eval, CEL_E_MEMORY,
                         "memory limit of %zu bytes exceeded, %zu in use",
                         eval->arena->limit, eval->arena->used);
}


cel_status_t
cel_fail_key(cel_eval_t *eval, const cel_value_t *key)
{
    char    buf[CEL_MESSAGE_MAX];
    size_t  len, prefix;

    prefix = sizeof("no such key: ") - 1;

    memcpy(buf, "no such key: ", prefix);
    len = prefix + cel_value_text(key, buf + prefix,
                                  sizeof(buf) - prefix);

    return cel_fail_text(eval, CEL_E_NO_SUCH_KEY, buf, len);
}


/* NUL-terminated; control bytes are shown as '?', strings stay whole. */

size_t
cel_value_text(const cel_value_t *v, char *buf, size_t size)
{
    char         number[CEL_NUMBER_TEXT];
    size_t       i, len;
    const char  *s;

    s = number;

    switch (v->kind) {

    case CEL_STRING:
        s = v->s;
        len = v->len;
        break;

    case CEL_INT:
        len = cel_int_format(v->i, number);
        break;

    case CEL_UINT:
        len = cel_uint_format(v->u, number);
        break;

    case CEL_DOUBLE:
        len = cel_double_format(v->d, CEL_EXPONENT_FROM, number);
        break;

    case CEL_BOOL:
        s = v->b ? "true" : "false";
        len = strlen(s);
        break;

    default:
        s = cel_value_type(v)->name;
        len = strlen(s);
    }

    if (len > size - 1) {
        len = size - 1;

        while (len > 0 && (s[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    for (i = 0; i < len; i++) {
        buf[i] = (unsigned char) s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i];
    }

    buf[len] = '\0';

    return len;
}


cel_status_t
cel_eval_string(cel_eval_t *eval, size_t len)
{
    size_t  limit;

    limit = eval->max_string != 0 ? eval->max_string : CEL_MAX_STRING;

    if (cel_likely(len <= limit)) {
        return CEL_OK;
    }

    return cel_eval_fail(eval, CEL_E_MEMORY, "a string gets %zu bytes, "
                         "at most %zu are allowed", len, limit);
}


cel_status_t
cel_eval_entries(cel_eval_t *eval, size_t count)
{
    size_t  limit;

    limit = eval->max_entries != 0 ? eval->max_entries : CEL_MAX_ENTRIES;

    if (cel_likely(count <= limit)) {
        return CEL_OK;
    }

    return cel_eval_fail(eval, CEL_E_MEMORY, "a list or map gets %zu "
                         "entries, at most %zu are allowed", count, limit);
}


void *
cel_eval_alloc(cel_eval_t *eval, size_t size)
{
    void  *p;

    p = cel_arena_alloc(eval->arena, size);

    if (cel_unlikely(p == NULL)) {
        cel_fail_memory(eval);
    }

    return p;
}
