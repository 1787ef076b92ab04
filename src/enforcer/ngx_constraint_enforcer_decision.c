/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A decision for people and programs: its id, its JSON, its log line.
 */


#include "ngx_constraint_evaluation.h"


typedef struct {
    u_char     *pos;
} ngx_constraint_text_t;


static u_char *ngx_constraint_decision_hex(u_char *p, uint64_t value);
static uint64_t ngx_constraint_decision_random(uint64_t *seed);
static void ngx_constraint_decision_write(ngx_constraint_decision_t *d,
    ngx_constraint_text_t *text);
static void ngx_constraint_decision_error(
    const ngx_constraint_decision_t *d, ngx_constraint_text_t *text);
static void ngx_constraint_text_name(ngx_constraint_text_t *text,
    const char *name);
static void ngx_constraint_text_raw(ngx_constraint_text_t *text,
    const char *name, const ngx_str_t *value);
static void ngx_constraint_text_string(ngx_constraint_text_t *text,
    const char *name, const ngx_str_t *value);
static void ngx_constraint_text_number(ngx_constraint_text_t *text,
    const char *name, uint64_t value);


static const ngx_str_t  ngx_constraint_where_names[] = {
    ngx_string("none"),
    ngx_string("inline"),
    ngx_string("thread")
};


ngx_str_t
ngx_constraint_decision_id(ngx_constraint_decision_t *d)
{
    uint64_t   a, b;
    ngx_str_t  id;

    if (d->id[0] == '\0') {
        a = ngx_constraint_decision_random(ngx_constraint_worker.seed);
        b = ngx_constraint_decision_random(ngx_constraint_worker.seed);
        (void) ngx_constraint_decision_hex(
                   ngx_constraint_decision_hex(d->id, a), b);
    }

    id.data = d->id;
    id.len = sizeof(d->id);

    return id;
}


static u_char *
ngx_constraint_decision_hex(u_char *p, uint64_t value)
{
    ngx_uint_t  i;

    static const u_char  hex[] = "0123456789abcdef";

    for (i = 0; i < 16; i++) {
        *p++ = hex[value >> 60];
        value <<= 4;
    }

    return p;
}


/* xoroshiro128+: unique, not secret */

static uint64_t
ngx_constraint_decision_random(uint64_t *seed)
{
    uint64_t  a, b, sum;

    a = seed[0];
    b = seed[1];
    sum = a + b;

    b ^= a;
    seed[0] = ((a << 24) | (a >> 40)) ^ b ^ (b << 16);
    seed[1] = (b << 37) | (b >> 27);

    return sum;
}


ngx_int_t
ngx_constraint_decision_json(ngx_constraint_decision_t *d, ngx_pool_t *pool,
    ngx_str_t *json)
{
    ngx_constraint_text_t  text;

    text.pos = ngx_pnalloc(pool, ngx_constraint_decision_size(d));
    if (text.pos == NULL) {
        return NGX_ERROR;
    }

    json->data = text.pos;

    *text.pos++ = '{';

    ngx_constraint_decision_write(d, &text);

    *text.pos++ = '}';

    json->len = text.pos - json->data;

    return NGX_OK;
}


u_char *
ngx_constraint_decision_members(ngx_constraint_decision_t *d, u_char *p)
{
    ngx_constraint_text_t  text;

    text.pos = p;

    ngx_constraint_decision_write(d, &text);

    return text.pos;
}


/* names, quotes and numbers fit 1024 bytes, texts six times their length */

size_t
ngx_constraint_decision_size(const ngx_constraint_decision_t *d)
{
    return 1024 + NGX_CONSTRAINT_VIOLATIONS_JSON
           + 6 * (d->message_type.len + d->subject.len + d->outcome.len
                  + d->message.len + d->rule.len + d->workflow_id.len
                  + d->error_message.len)
           + d->trace.len;
}


static void
ngx_constraint_decision_write(ngx_constraint_decision_t *d,
    ngx_constraint_text_t *text)
{
    ngx_str_t               id;
    static const ngx_str_t  yes = ngx_string("true");
    static const ngx_str_t  allow = ngx_string("allow");
    static const ngx_str_t  deny = ngx_string("deny");
    static const ngx_str_t  open = ngx_string("open");
    static const ngx_str_t  half_open = ngx_string("half_open");

    id = ngx_constraint_decision_id(d);

    ngx_constraint_text_string(text, "id", &id);
    ngx_constraint_text_string(text, "message_type", &d->message_type);

    if (d->subject.len) {
        ngx_constraint_text_string(text, "subject", &d->subject);
    }

    ngx_constraint_text_string(text, "effect",
                               d->effect == NGX_CONSTRAINT_ALLOW
                               || d->observational ? &allow : &deny);

    if (d->observational) {
        ngx_constraint_text_string(text, "observed",
                                   d->effect == NGX_CONSTRAINT_ALLOW
                                   ? &allow : &deny);
    }

    ngx_constraint_text_string(text, "outcome", &d->outcome);

    if (d->message.len) {
        ngx_constraint_text_string(text, "message", &d->message);
    }

    if (d->rule.len) {
        ngx_constraint_text_string(text, "rule", &d->rule);
    }

    if (d->status) {
        ngx_constraint_text_number(text, "status", d->status);
    }

    if (d->no_result) {
        ngx_constraint_text_raw(text, "no_result", &yes);
    }

    if (d->not_associated) {
        ngx_constraint_text_raw(text, "not_associated", &yes);
    }

    if (d->failed_open) {
        ngx_constraint_text_raw(text, "failed_open", &yes);
    }

    if (d->breaker == NGX_CONSTRAINT_BREAKER_OPEN) {
        ngx_constraint_text_string(text, "breaker", &open);

    } else if (d->breaker == NGX_CONSTRAINT_BREAKER_HALF_OPEN) {
        ngx_constraint_text_string(text, "breaker", &half_open);
    }

    if (d->sampled_out) {
        ngx_constraint_text_raw(text, "sampled_out", &yes);
    }

    ngx_constraint_decision_error(d, text);

    if (d->retries) {
        ngx_constraint_text_number(text, "retries", d->retries);
    }

    if (d->trace.len) {
        ngx_constraint_text_raw(text, "trace", &d->trace);
    }

    if (d->workflow_id.len) {
        ngx_constraint_text_string(text, "dsl_workflow_id", &d->workflow_id);
    }

    ngx_constraint_text_number(text, "revision", d->revision);
    ngx_constraint_text_number(text, "workflow_revision",
                               d->workflow_revision);
    ngx_constraint_text_number(text, "generation", d->generation);
    ngx_constraint_text_number(text, "cost", d->cost);
    ngx_constraint_text_number(text, "time_us", d->time_us);
    ngx_constraint_text_number(text, "memory", d->memory);
    ngx_constraint_text_string(text, "where",
                               &ngx_constraint_where_names[d->where]);
}


/* "error":{"name":..,"kind":..,"class":..,"message":..},"violations":[..] */

static void
ngx_constraint_decision_error(const ngx_constraint_decision_t *d,
    ngx_constraint_text_t *text)
{
    ngx_constraint_error_kind_e  kind;
    static const ngx_str_t       ours = ngx_string("ours");
    static const ngx_str_t       request = ngx_string("request");
    static const ngx_str_t       open = ngx_string("{");
    static const ngx_str_t       list = ngx_string("[");

    if (d->error != NGX_CONSTRAINT_E_NONE) {
        kind = ngx_constraint_error_kind(d->error);
        ngx_constraint_text_raw(text, "error", &open);
        ngx_constraint_text_string(text, "name",
                                   ngx_constraint_error_name(d->error));
        ngx_constraint_text_string(text, "kind",
                                   ngx_constraint_error_kind_name(kind));
        ngx_constraint_text_string(text, "class",
                                   ngx_constraint_error_is_ours(d->error)
                                   ? &ours : &request);
        ngx_constraint_text_string(text, "message", &d->error_message);
        *text->pos++ = '}';
    }

    ngx_constraint_text_raw(text, "violations", &list);

    if (d->violations) {
        text->pos = (u_char *)
                    ngx_constraint_violations_json((char *) text->pos,
                                                   d->violations);
    }

    *text->pos++ = ']';
}


/* ,"name": of room that _size() has counted; busy with an audit log */

static void
ngx_constraint_text_name(ngx_constraint_text_t *text, const char *name)
{
    u_char  *p;

    p = text->pos;

    if (p[-1] != '{') {
        *p++ = ',';
    }

    *p++ = '"';

    while (*name) {
        *p++ = (u_char) *name++;
    }

    *p++ = '"';
    *p++ = ':';

    text->pos = p;
}


static void
ngx_constraint_text_raw(ngx_constraint_text_t *text, const char *name,
    const ngx_str_t *value)
{
    ngx_constraint_text_name(text, name);

    text->pos = ngx_cpymem(text->pos, value->data, value->len);
}


static void
ngx_constraint_text_string(ngx_constraint_text_t *text, const char *name,
    const ngx_str_t *value)
{
    ngx_constraint_text_name(text, name);

    *text->pos++ = '"';
    text->pos = ngx_constraint_json_escape(text->pos, value);
    *text->pos++ = '"';
}


static void
ngx_constraint_text_number(ngx_constraint_text_t *text, const char *name,
    uint64_t value)
{
    u_char  digits[NGX_INT64_LEN], *p;

    ngx_constraint_text_name(text, name);

    p = digits + sizeof(digits);

    do {
        *--p = (u_char) ('0' + value % 10);
        value /= 10;
    } while (value);

    text->pos = ngx_cpymem(text->pos, p, digits + sizeof(digits) - p);
}


void
ngx_constraint_decision_log(ngx_constraint_decision_t *d, ngx_pool_t *pool,
    ngx_log_t *log, ngx_uint_t level)
{
    const char  *mode;
    ngx_str_t    id, message_type, subject, outcome, message, rule;

    if (d->error != NGX_CONSTRAINT_E_NONE
        && ngx_constraint_error_is_ours(d->error))
    {
        level = NGX_LOG_ERR;

    } else if (d->effect == NGX_CONSTRAINT_ALLOW) {
        return;
    }

    if (log->log_level < level) {
        return;
    }

    id = ngx_constraint_decision_id(d);
    message_type = ngx_constraint_log_text(pool, &d->message_type);
    subject = ngx_constraint_log_text(pool, &d->subject);
    outcome = ngx_constraint_log_text(pool, &d->outcome);
    message = ngx_constraint_log_text(pool, &d->message);
    rule = ngx_constraint_log_text(pool, &d->rule);

    mode = d->shadow ? " (shadow)" : "";

    if (d->error != NGX_CONSTRAINT_E_NONE) {
        ngx_log_error(level, log, 0,
                      "constraint: %s \"%V\"%s by error %V: %V, "
                      "subject \"%V\", id %V",
                      d->effect == NGX_CONSTRAINT_ALLOW ? "allowed"
                                                        : "denied",
                      &message_type, mode,
                      ngx_constraint_error_name(d->error), &message,
                      &subject, &id);
        return;
    }

    ngx_log_error(level, log, 0,
                  "constraint: denied \"%V\"%s, outcome \"%V\", "
                  "message \"%V\", rule \"%V\", subject \"%V\", id %V",
                  &message_type, mode, &outcome, &message, &rule, &subject,
                  &id);
}
