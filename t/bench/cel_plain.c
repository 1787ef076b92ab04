
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The expressions that are measured, and beside each a C function that does
 * the same by hand: what somebody would write who had but this one policy.
 * Neither charges, looks at a clock nor bounds its memory.
 */


#include "cel_bench.h"

#include <stdio.h>


#define bench_is(s, len, text)                                                \
    ((len) == sizeof(text) - 1 && memcmp((s), (text), sizeof(text) - 1) == 0)


static bool
plain_compare(bench_request_t *r)
{
    return bench_is(r->method, r->method_len, "GET");
}


static bool
plain_in(bench_request_t *r)
{
    return bench_is(r->method, r->method_len, "GET")
           || bench_is(r->method, r->method_len, "PUT")
           || bench_is(r->method, r->method_len, "POST");
}


static const cel_value_t *
plain_header(const bench_request_t *r, const char *name, size_t len)
{
    uint32_t  i;

    for (i = 0; i < BENCH_HEADERS; i++) {
        if (r->headers->names[i].len == len
            && memcmp(r->headers->names[i].s, name, len) == 0)
        {
            return &r->headers->values[i];
        }
    }

    return NULL;
}


/* n-th segment of the path, as split('/')[n] */

static const char *
plain_segment(const bench_request_t *r, uint32_t n, size_t *len)
{
    const char  *p, *end, *slash;

    p = r->path;
    end = r->path + r->path_len;

    for ( ;; ) {
        slash = memchr(p, '/', (size_t) (end - p));

        if (n == 0) {
            *len = (size_t) ((slash != NULL ? slash : end) - p);
            return p;
        }

        if (slash == NULL) {
            return NULL;
        }

        p = slash + 1;
        n--;
    }
}


static bool
plain_prefix(const bench_request_t *r)
{
    return r->path_len >= 5 && memcmp(r->path, "/api/", 5) == 0;
}


static bool
plain_header_policy(bench_request_t *r)
{
    size_t              len;
    const char         *segment;
    const cel_value_t  *role, *org;

    if (!bench_is(r->method, r->method_len, "GET")
        && !bench_is(r->method, r->method_len, "POST"))
    {
        return false;
    }

    if (!plain_prefix(r)) {
        return false;
    }

    role = plain_header(r, "x-role", 6);

    if (role == NULL || (!bench_is(role->s, role->len, "admin")
                         && !bench_is(role->s, role->len, "editor")
                         && !bench_is(role->s, role->len, "owner")))
    {
        return false;
    }

    org = plain_header(r, "x-org", 5);
    segment = plain_segment(r, 2, &len);

    return org != NULL && segment != NULL && org->len == len
           && memcmp(org->s, segment, len) == 0;
}


/* ^[a-z]+@example[.]com$ */

static bool
plain_mail(const char *s, size_t len)
{
    size_t  i;

    for (i = 0; i < len && s[i] >= 'a' && s[i] <= 'z'; i++) { /* void */ }

    return i > 0 && bench_is(s + i, len - i, "@example.com");
}


bool
bench_plain_body(bench_request_t *r)
{
    uint32_t     i, n;
    cel_eval_t  *eval;
    cel_value_t  policy, v, tags, user;

    eval = NULL;                             /* a document needs none */

    if (cel_get(eval, &r->input, "policy", 6, &policy) != CEL_OK
        || cel_get(eval, &policy, "type", 4, &v) != CEL_OK
        || v.kind != CEL_STRING || !bench_is(v.s, v.len, "ACCESS")
        || cel_get(eval, &policy, "value", 5, &v) != CEL_OK
        || v.kind != CEL_INT || v.i > 5
        || cel_get(eval, &policy, "tags", 4, &tags) != CEL_OK)
    {
        return false;
    }

    n = cel_size(&tags);

    for (i = 0; i < n; i++) {
        if (cel_entry(eval, &tags, i, NULL, &v) == CEL_OK
            && v.kind == CEL_STRING && bench_is(v.s, v.len, "audit"))
        {
            break;
        }
    }

    return i < n
           && cel_get(eval, &r->input, "user", 4, &user) == CEL_OK
           && cel_get(eval, &user, "email", 5, &v) == CEL_OK
           && v.kind == CEL_STRING && plain_mail(v.s, v.len);
}


static bool
plain_split(bench_request_t *r)
{
    size_t       len;
    const char  *segment;

    if (!plain_prefix(r)) {
        return false;
    }

    segment = plain_segment(r, 2, &len);

    return segment != NULL && bench_is(segment, len, "acme");
}


static bool
plain_all(bench_request_t *r)
{
    uint32_t  i;

    for (i = 0; i < BENCH_LIST; i++) {
        if (r->list[i] < 0) {
            return false;
        }
    }

    return true;
}


static bool
plain_chain(bench_request_t *r)
{
    uint32_t  i, n;
    int64_t   out[BENCH_LIST];

    n = 0;

    for (i = 0; i < BENCH_LIST; i++) {
        if (r->list[i] > 9) {
            out[n++] = r->list[i] + 1;
        }
    }

    return n == 90 && out[n - 1] == 100;
}


static bool
plain_nested(bench_request_t *r)
{
    uint32_t  i, j;

    for (i = 0; i < BENCH_LIST; i++) {
        for (j = 0; j < BENCH_LIST; j++) {
            if (r->list[i] + r->list[j] < 0) {
                return false;
            }
        }
    }

    return true;
}


/* ^/api/[a-z]+/orders/[0-9]+$ */

static bool
plain_matches(bench_request_t *r)
{
    const char  *p, *end, *start;

    if (!plain_prefix(r)) {
        return false;
    }

    p = r->path + 5;
    end = r->path + r->path_len;

    for (start = p; p < end && *p >= 'a' && *p <= 'z'; p++) { /* void */ }

    if (p == start || end - p < 8 || memcmp(p, "/orders/", 8) != 0) {
        return false;
    }

    p += 8;

    for (start = p; p < end && *p >= '0' && *p <= '9'; p++) { /* void */ }

    return p > start && p == end;
}


static bool
plain_time(bench_request_t *r)
{
    int64_t  hour;

    hour = r->now % 86400 / 3600;

    return r->now - 1767225600 < 8760 * 3600 && hour >= 6
           && r->now + 3600 > 1767225600;
}


/* A string that is said to be made: what follows could not tell. */

static bool
plain_maps(bench_request_t *r)
{
    const char            *fields[10];
    const char *volatile  *made;

    fields[0] = "outcome";
    fields[1] = "ALLOW";
    fields[2] = "method";
    fields[3] = r->method;
    fields[4] = "path";
    fields[5] = r->path;
    fields[6] = "tags";
    fields[7] = r->method;
    fields[8] = "red";
    fields[9] = "checked";

    made = (const char *volatile *) fields;

    return made[3] != NULL;
}


static bool
plain_format(bench_request_t *r)
{
    int  n;

    n = snprintf(r->out, sizeof(r->out), "%.*s %.*s took %d ms",
                 (int) r->method_len, r->method, (int) r->path_len, r->path,
                 17);

    return n == 34;
}


#define BENCH_HEADER_POLICY                                                   \
    "request.method in ['GET', 'POST']"                                       \
    " && request.path.startsWith('/api/')"                                    \
    " && request.headers['x-role'] in ['admin', 'editor', 'owner']"           \
    " && request.headers['x-org'] == request.path.split('/')[2]"

#define BENCH_BODY_POLICY                                                     \
    "input.policy.type == 'ACCESS' && input.policy.value <= 5"                \
    " && 'audit' in input.policy.tags"                                        \
    " && input.user.email.matches('^[a-z]+@example[.]com$')"

const char *const  bench_header_policy = BENCH_HEADER_POLICY;
const char *const  bench_body_policy = BENCH_BODY_POLICY;


const bench_case_t  bench_cases[] = {

    { "simple compare", "request.method == 'GET'", plain_compare, 1 },

    { "three-way `in`", "request.method in ['PUT', 'GET', 'POST']",
      plain_in, 1 },

    { "header policy", BENCH_HEADER_POLICY, plain_header_policy, 1 },

    { "body policy, parsed document", BENCH_BODY_POLICY, bench_plain_body,
      1 },

    { "`startsWith` and `split`",
      "request.path.startsWith('/api/')"
      " && request.path.split('/')[2] == 'acme'", plain_split, 1 },

    { "`all` over 100", "list.all(e, e >= 0)", plain_all, BENCH_LIST },

    { "`filter`, `map` over 100",
      "list.filter(e, e > 9).map(e, e + 1).size() == 90", plain_chain,
      BENCH_LIST },

    { "`all` in `all`, 100 x 100", "list.all(a, list.all(b, a + b >= 0))",
      plain_nested, BENCH_LIST * BENCH_LIST },

    { "`matches`", "request.path.matches('^/api/[a-z]+/orders/[0-9]+$')",
      plain_matches, 1 },

    { "time arithmetic",
      "now - timestamp('2026-01-01T00:00:00Z') < duration('8760h')"
      " && now.getHours() >= 6"
      " && now + duration('1h') > timestamp('2026-01-01T00:00:00Z')",
      plain_time, 1 },

    { "maps and a list made",
      "{'outcome': 'ALLOW', 'output': {'method': request.method, 'path':"
      " request.path, 'tags': [request.method, 'red']}, 'checked': true}",
      plain_maps, 1 },

    { "`format`",
      "'%s %s took %d ms'.format([request.method, request.path, 17])",
      plain_format, 1 },

    { NULL, NULL, NULL, 0 }
};
