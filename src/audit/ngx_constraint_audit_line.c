/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A decision as one line of JSON: the members that REST shows, and when it
 * was, whether it decided anything, and the trace it belongs to.
 */


#include "ngx_constraint_audit_room.h"


/* names, quotes and the time */
#define NGX_CONSTRAINT_AUDIT_FRAME  256

/* of a text, when the whole line is too long for a buffer */
#define NGX_CONSTRAINT_AUDIT_CUT    256

_Static_assert(NGX_CONSTRAINT_AUDIT_FRAME + 1024
               + NGX_CONSTRAINT_VIOLATIONS_JSON
               + 8 * 6 * NGX_CONSTRAINT_AUDIT_CUT
               <= NGX_CONSTRAINT_AUDIT_BUFFER_MIN,
               "a line of eight texts fits a buffer");


static u_char *ngx_constraint_audit_time(u_char *p);
static u_char *ngx_constraint_audit_digits(u_char *p, ngx_uint_t n,
    ngx_uint_t value, u_char after);
static void ngx_constraint_audit_cut(ngx_str_t *text);


size_t
ngx_constraint_audit_line_size(const ngx_constraint_decision_t *d,
    const ngx_str_t *traceparent)
{
    return NGX_CONSTRAINT_AUDIT_FRAME + 6 * traceparent->len
           + ngx_constraint_decision_size(d) - d->trace.len;
}


u_char *
ngx_constraint_audit_line(u_char *p, ngx_constraint_decision_t *d,
    const ngx_str_t *traceparent)
{
    ngx_str_t  trace;

    p = ngx_cpymem(p, "{\"time\":\"", sizeof("{\"time\":\"") - 1);
    p = ngx_constraint_audit_time(p);
    *p++ = '"';

    /* an explanation is for whoever asked for it */

    trace = d->trace;
    d->trace.len = 0;

    p = ngx_constraint_decision_members(d, p);

    d->trace = trace;

    if (d->shadow) {
        p = ngx_cpymem(p, ",\"shadow\":true",
                       sizeof(",\"shadow\":true") - 1);
    }

    if (traceparent->len) {
        p = ngx_cpymem(p, ",\"traceparent\":\"",
                       sizeof(",\"traceparent\":\"") - 1);
        p = ngx_constraint_json_escape(p, traceparent);
        *p++ = '"';
    }

    *p++ = '}';
    *p++ = '\n';

    return p;
}


u_char *
ngx_constraint_audit_line_cut(u_char *p, ngx_constraint_decision_t *d,
    const ngx_str_t *traceparent)
{
    ngx_str_t                  parent;
    ngx_constraint_decision_t  cut;

    /* made here, so that the answer has the same */

    (void) ngx_constraint_decision_id(d);

    cut = *d;
    parent = *traceparent;

    ngx_constraint_audit_cut(&cut.message_type);
    ngx_constraint_audit_cut(&cut.subject);
    ngx_constraint_audit_cut(&cut.outcome);
    ngx_constraint_audit_cut(&cut.message);
    ngx_constraint_audit_cut(&cut.rule);
    ngx_constraint_audit_cut(&cut.workflow_id);
    ngx_constraint_audit_cut(&cut.error_message);
    ngx_constraint_audit_cut(&parent);

    p = ngx_constraint_audit_line(p, &cut, &parent);

    return ngx_cpymem(p - 2, ",\"cut\":true}\n",
                      sizeof(",\"cut\":true}\n") - 1);
}


/* no half of a character stays */

static void
ngx_constraint_audit_cut(ngx_str_t *text)
{
    size_t  len;

    if (text->len <= NGX_CONSTRAINT_AUDIT_CUT) {
        return;
    }

    len = NGX_CONSTRAINT_AUDIT_CUT;

    while (len > NGX_CONSTRAINT_AUDIT_CUT - 4
           && (text->data[len] & 0xc0) == 0x80)
    {
        len--;
    }

    text->len = len;
}


/* ISO 8601, UTC, microseconds: 2006-01-02T15:04:05.000000Z */

static u_char *
ngx_constraint_audit_time(u_char *p)
{
    ngx_tm_t        tm;
    struct timeval  tv;

    ngx_gettimeofday(&tv);
    ngx_gmtime(tv.tv_sec, &tm);

    p = ngx_constraint_audit_digits(p, 4, tm.ngx_tm_year, '-');
    p = ngx_constraint_audit_digits(p, 2, tm.ngx_tm_mon, '-');
    p = ngx_constraint_audit_digits(p, 2, tm.ngx_tm_mday, 'T');
    p = ngx_constraint_audit_digits(p, 2, tm.ngx_tm_hour, ':');
    p = ngx_constraint_audit_digits(p, 2, tm.ngx_tm_min, ':');
    p = ngx_constraint_audit_digits(p, 2, tm.ngx_tm_sec, '.');

    return ngx_constraint_audit_digits(p, 6, (ngx_uint_t) tv.tv_usec, 'Z');
}


/* the last n digits, and what follows them */

static u_char *
ngx_constraint_audit_digits(u_char *p, ngx_uint_t n, ngx_uint_t value,
    u_char after)
{
    ngx_uint_t  i;

    for (i = n; i > 0; i--) {
        p[i - 1] = (u_char) ('0' + value % 10);
        value /= 10;
    }

    p[n] = after;

    return p + n + 1;
}
