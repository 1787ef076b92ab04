
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_format.c - format() of the `strings` extension: clauses and what %s
 * makes of any value.  Numbers are cel_format_number.c.  No locale.
 */


#include "cel_format.h"
#include "cel_strings.h"


#define CEL_FORMAT_PRECISION      6
#define CEL_FORMAT_PRECISION_MAX  100
#define CEL_FORMAT_DEPTH          64


/* An entry of a map on its way to be written in the order of the keys. */

typedef struct {
    cel_value_t    key;                   /* as text */
    cel_value_t    value;
} cel_format_entry_t;


static cel_status_t cel_format_clause(cel_text_t *text, const char **p,
    const char *end, cel_iter_t *args);
static cel_status_t cel_format_precision(cel_eval_t *eval, const char **p,
    const char *end, int *precision);
static cel_status_t cel_format_any(cel_text_t *text, const cel_value_t *v,
    uint32_t depth);
static cel_status_t cel_format_list(cel_text_t *text, const cel_value_t *v,
    uint32_t depth);
static cel_status_t cel_format_map(cel_text_t *text, const cel_value_t *v,
    uint32_t depth);
static void cel_format_sort(cel_format_entry_t *entries, uint32_t n);


CEL_STRINGS(cel_format)
{
    cel_iter_t    iter;
    cel_text_t    text;
    const char   *p, *end, *start;
    cel_status_t  rc;

    cel_text_init(&text, eval);
    cel_iter_init(&iter, &args[1]);

    p = args[0].s;
    end = p + args[0].len;

    while (p < end) {

        start = p;

        p = memchr(p, '%', (size_t) (end - p));
        if (p == NULL) {
            p = end;
        }

        cel_text_add(&text, start, (size_t) (p - start));

        if (p == end) {
            break;
        }

        p++;

        if (p < end && *p == '%') {
            cel_text_char(&text, *p++);
            continue;
        }

        /* no error of the clause is told in the place of this one */

        if (text.status != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_format_clause(&text, &p, end, &iter);

        if (rc != CEL_OK) {
            return rc;
        }
    }

    return cel_text_done(&text, out);
}


/* [.precision] verb */

static cel_status_t
cel_format_clause(cel_text_t *text, const char **p, const char *end,
    cel_iter_t *args)
{
    int            precision;
    char           verb;
    cel_eval_t    *eval;
    cel_value_t    v;
    cel_status_t   rc;

    eval = text->eval;

    if (cel_format_precision(eval, p, end, &precision) != CEL_OK) {
        return CEL_ERROR;
    }

    if (*p == end) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "format: unexpected end of the format string");
    }

    verb = *(*p)++;

    if (strchr("sdfeboxX", verb) == NULL || verb == '\0') {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "format: unrecognized clause \"%%%c\"",
                             verb > 0x20 && verb < 0x7f ? verb : '?');
    }

    if (args->i == args->n) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "format: index %u out of range", args->i);
    }

    rc = cel_iter_next(args, eval, NULL, &v);
    if (rc != CEL_OK) {
        return rc;
    }

    switch (verb) {

    case 's':
        return cel_format_any(text, &v, 0);

    case 'd':
        return cel_format_decimal(text, &v);

    case 'f':
    case 'e':
        return cel_format_double(text, verb, precision, &v);

    default:
        return cel_format_radix(text, verb, &v);
    }
}


static cel_status_t
cel_format_precision(cel_eval_t *eval, const char **p, const char *end,
    int *precision)
{
    *precision = CEL_FORMAT_PRECISION;

    if (*p == end || **p != '.') {
        return CEL_OK;
    }

    (*p)++;
    *precision = 0;

    while (*p < end && **p >= '0' && **p <= '9') {
        *precision = *precision * 10 + (*(*p)++ - '0');

        if (*precision > CEL_FORMAT_PRECISION_MAX) {
            return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                                 "format: precision above %d",
                                 CEL_FORMAT_PRECISION_MAX);
        }
    }

    return CEL_OK;
}


static cel_status_t
cel_format_any(cel_text_t *text, const cel_value_t *v, uint32_t depth)
{
    char    buf[CEL_FORMAT_NUMBER];
    size_t  len;

    switch (v->kind) {

    case CEL_STRING:
        cel_text_add(text, v->s, v->len);
        break;

    case CEL_BYTES:
        if (!cel_utf8_valid(v->s, v->len)) {
            return cel_eval_fail(text->eval, CEL_E_INVALID_ARGUMENT,
                                 "format: bytes are not valid UTF-8");
        }

        cel_text_add(text, v->s, v->len);
        break;

    case CEL_NULL:
        cel_text_add_z(text, "null");
        break;

    case CEL_BOOL:
        cel_text_add_z(text, v->b ? "true" : "false");
        break;

    case CEL_INT:
    case CEL_UINT:
        return cel_format_decimal(text, v);

    case CEL_DOUBLE:
        return cel_format_double(text, 'f', -1, v);

    case CEL_TIMESTAMP:
    case CEL_DURATION:
        len = cel_time_format(v, buf);
        cel_text_add(text, buf, len);
        break;

    case CEL_TYPE:
        cel_text_add_z(text, v->t->name);
        break;

    case CEL_LIST:
        return cel_format_list(text, v, depth);

    case CEL_MAP:
        return cel_format_map(text, v, depth);

    default:
        return cel_format_refuse(text->eval, "string", v);
    }

    return text->status;
}


static cel_status_t
cel_format_list(cel_text_t *text, const cel_value_t *v, uint32_t depth)
{
    cel_iter_t    iter;
    cel_value_t   item;
    cel_status_t  rc;

    if (depth >= CEL_FORMAT_DEPTH) {
        return cel_eval_fail(text->eval, CEL_E_DEPTH,
                             "format: values nest too deep");
    }

    cel_iter_init(&iter, v);
    cel_text_char(text, '[');

    while (iter.i < iter.n) {

        if (iter.i != 0) {
            cel_text_char(text, ',');
            cel_text_char(text, ' ');
        }

        rc = cel_iter_next(&iter, text->eval, NULL, &item);

        if (rc == CEL_OK) {
            rc = cel_format_any(text, &item, depth + 1);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    cel_text_char(text, ']');

    return text->status;
}


/* The keys as texts, then in order. */

static cel_status_t
cel_format_map(cel_text_t *text, const cel_value_t *v, uint32_t depth)
{
    uint32_t             i;
    cel_text_t           key;
    cel_iter_t           iter;
    cel_eval_t          *eval;
    cel_value_t          k;
    cel_status_t         rc;
    cel_format_entry_t  *entries;

    eval = text->eval;

    if (depth >= CEL_FORMAT_DEPTH) {
        return cel_eval_fail(eval, CEL_E_DEPTH,
                             "format: values nest too deep");
    }

    cel_iter_init(&iter, v);

    if (cel_charge(eval, 8 * (uint64_t) iter.n) != CEL_OK) {
        return CEL_ERROR;
    }

    entries = cel_eval_alloc(eval, iter.n * sizeof(cel_format_entry_t));
    if (entries == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < iter.n; i++) {
        rc = cel_iter_next(&iter, eval, &k, &entries[i].value);

        if (rc == CEL_OK && k.kind == CEL_STRING) {
            entries[i].key = k;
            continue;
        }

        cel_text_init(&key, eval);

        if (rc == CEL_OK) {
            rc = cel_format_any(&key, &k, depth + 1);
        }

        if (rc == CEL_OK) {
            rc = cel_text_done(&key, &entries[i].key);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    cel_format_sort(entries, iter.n);
    cel_text_char(text, '{');

    for (i = 0; i < iter.n; i++) {

        if (i != 0) {
            cel_text_char(text, ',');
            cel_text_char(text, ' ');
        }

        cel_text_add(text, entries[i].key.s, entries[i].key.len);
        cel_text_char(text, ':');
        cel_text_char(text, ' ');

        rc = cel_format_any(text, &entries[i].value, depth + 1);
        if (rc != CEL_OK) {
            return rc;
        }
    }

    cel_text_char(text, '}');

    return text->status;
}


static bool
cel_format_before(const cel_format_entry_t *a, const cel_format_entry_t *b)
{
    int       n;
    uint32_t  len;

    len = a->key.len < b->key.len ? a->key.len : b->key.len;
    n = memcmp(a->key.s, b->key.s, len);

    return n != 0 ? n < 0 : a->key.len < b->key.len;
}


static void
cel_format_sift(cel_format_entry_t *entries, uint32_t i, uint32_t n)
{
    uint32_t            child;
    cel_format_entry_t  entry;

    entry = entries[i];

    for (child = 2 * i + 1; child < n; child = 2 * i + 1) {

        if (child + 1 < n
            && cel_format_before(&entries[child], &entries[child + 1]))
        {
            child++;
        }

        if (!cel_format_before(&entry, &entries[child])) {
            break;
        }

        entries[i] = entries[child];
        i = child;
    }

    entries[i] = entry;
}


/* Heap sort: in place, never quadratic. */

static void
cel_format_sort(cel_format_entry_t *entries, uint32_t n)
{
    uint32_t            i;
    cel_format_entry_t  entry;

    for (i = n / 2; i-- != 0; ) {
        cel_format_sift(entries, i, n);
    }

    for (i = n; i-- > 1; ) {
        entry = entries[0];
        entries[0] = entries[i];
        entries[i] = entry;
        cel_format_sift(entries, 0, i);
    }
}
