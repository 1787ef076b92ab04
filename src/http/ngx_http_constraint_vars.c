/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Variables that tell of the decision: of the one that decided, else of the
 * last one.  Make no decision.
 */


#include "ngx_http_constraint_request.h"


typedef enum {
    NGX_HTTP_CONSTRAINT_VAR_EFFECT = 0,
    NGX_HTTP_CONSTRAINT_VAR_OUTCOME,
    NGX_HTTP_CONSTRAINT_VAR_MESSAGE,
    NGX_HTTP_CONSTRAINT_VAR_ID,
    NGX_HTTP_CONSTRAINT_VAR_RULE,
    NGX_HTTP_CONSTRAINT_VAR_TIME,
    NGX_HTTP_CONSTRAINT_VAR_COST,
    NGX_HTTP_CONSTRAINT_VAR_WHERE,
    NGX_HTTP_CONSTRAINT_VAR_MODE
} ngx_http_constraint_var_e;


static ngx_int_t ngx_http_constraint_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_str_t ngx_http_constraint_variable_text(
    ngx_constraint_decision_t *d, uintptr_t which);
static ngx_int_t ngx_http_constraint_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uint64_t n);
static ngx_int_t ngx_http_constraint_variable_output(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_constraint_output_text(ngx_pool_t *pool,
    json_t *value, ngx_str_t *text);
static ngx_int_t ngx_http_constraint_variable_safe(ngx_pool_t *pool,
    ngx_str_t *text);
static void ngx_http_constraint_variable_set(ngx_http_variable_value_t *v,
    const ngx_str_t *text);


static ngx_http_variable_t  ngx_http_constraint_variables[] = {

    { ngx_string("constraint_effect"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_EFFECT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_outcome"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_OUTCOME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_message"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_MESSAGE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_id"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_rule"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_RULE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_time"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_cost"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_COST, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_where"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_WHERE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_mode"), NULL, ngx_http_constraint_variable,
      NGX_HTTP_CONSTRAINT_VAR_MODE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("constraint_output_"), NULL,
      ngx_http_constraint_variable_output, 0,
      NGX_HTTP_VAR_NOCACHEABLE|NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_constraint_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_constraint_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                      text;
    ngx_constraint_decision_t     *d;
    ngx_constraint_enforcement_t  *e;

    e = ngx_http_constraint_shown(r);

    if (e == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    d = &e->decision;

    if (d->effect == NGX_CONSTRAINT_EFFECT_UNSET || d->pending) {

        if (data != NGX_HTTP_CONSTRAINT_VAR_MODE) {
            v->not_found = 1;
            return NGX_OK;
        }
    }

    switch (data) {

    case NGX_HTTP_CONSTRAINT_VAR_TIME:
        return ngx_http_constraint_variable_number(r, v, d->time_us);

    case NGX_HTTP_CONSTRAINT_VAR_COST:
        return ngx_http_constraint_variable_number(r, v, d->cost);

    case NGX_HTTP_CONSTRAINT_VAR_MODE:
        if (e->shadow) {
            ngx_str_set(&text, "shadow");

        } else {
            ngx_str_set(&text, "enforce");
        }

        break;

    default:
        text = ngx_http_constraint_variable_text(d, data);
        break;
    }

    if (ngx_http_constraint_variable_safe(r->pool, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_constraint_variable_set(v, &text);

    return NGX_OK;
}


static ngx_str_t
ngx_http_constraint_variable_text(ngx_constraint_decision_t *d,
    uintptr_t which)
{
    static const ngx_str_t  allow = ngx_string("allow");
    static const ngx_str_t  deny = ngx_string("deny");
    static const ngx_str_t  places[] = {
        ngx_string("none"),
        ngx_string("inline"),
        ngx_string("thread")
    };

    switch (which) {

    case NGX_HTTP_CONSTRAINT_VAR_EFFECT:
        return d->effect == NGX_CONSTRAINT_ALLOW ? allow : deny;

    case NGX_HTTP_CONSTRAINT_VAR_OUTCOME:
        return d->outcome;

    case NGX_HTTP_CONSTRAINT_VAR_MESSAGE:
        return d->message;

    case NGX_HTTP_CONSTRAINT_VAR_ID:
        return ngx_constraint_decision_id(d);

    case NGX_HTTP_CONSTRAINT_VAR_RULE:
        return d->rule;

    default: /* NGX_HTTP_CONSTRAINT_VAR_WHERE */
        return places[d->where];
    }
}


static ngx_int_t
ngx_http_constraint_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uint64_t n)
{
    ngx_str_t  text;

    text.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    text.len = ngx_sprintf(text.data, "%uL", n) - text.data;

    ngx_http_constraint_variable_set(v, &text);

    return NGX_OK;
}


/* $constraint_output_NAME: a top-level key of the output, text as it is */

static ngx_int_t
ngx_http_constraint_variable_output(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    json_t                        *output, *value;
    ngx_int_t                      rc;
    ngx_str_t                     *name, text;
    ngx_constraint_decision_t     *d;
    ngx_constraint_enforcement_t  *e;

    name = (ngx_str_t *) data;
    e = ngx_http_constraint_shown(r);

    v->not_found = 1;

    if (e == NULL || e->decision.output.data == NULL) {
        return NGX_OK;
    }

    d = &e->decision;

    output = json_loadb((char *) d->output.data, d->output.len,
                        JSON_DECODE_ANY|JSON_ALLOW_NUL, NULL);

    value = json_object_getn(output,
                    (char *) name->data + sizeof("constraint_output_") - 1,
                    name->len - (sizeof("constraint_output_") - 1));

    rc = NGX_OK;

    if (value) {
        rc = ngx_http_constraint_output_text(r->pool, value, &text);

        if (rc == NGX_OK) {
            ngx_http_constraint_variable_set(v, &text);
        }
    }

    json_decref(output);

    return rc;
}


static ngx_int_t
ngx_http_constraint_output_text(ngx_pool_t *pool, json_t *value,
    ngx_str_t *text)
{
    char  *dump;

    dump = NULL;

    if (json_is_string(value)) {
        text->data = (u_char *) json_string_value(value);
        text->len = json_string_length(value);

    } else {
        dump = json_dumps(value, JSON_ENCODE_ANY|JSON_COMPACT);
        if (dump == NULL) {
            return NGX_ERROR;
        }

        text->data = (u_char *) dump;
        text->len = ngx_strlen(dump);
    }

    text->data = ngx_pstrdup(pool, text);
    free(dump);

    if (text->data == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_constraint_variable_safe(pool, text);
}


/*
 * Texts may come from a body and go into a header: control bytes, which
 * would begin another header there, become spaces.
 */

static ngx_int_t
ngx_http_constraint_variable_safe(ngx_pool_t *pool, ngx_str_t *text)
{
    size_t   i;
    u_char  *p;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < 0x20 || text->data[i] == 0x7f) {
            break;
        }
    }

    if (i == text->len) {
        return NGX_OK;
    }

    p = ngx_pstrdup(pool, text);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for ( /* void */ ; i < text->len; i++) {
        if (p[i] < 0x20 || p[i] == 0x7f) {
            p[i] = ' ';
        }
    }

    text->data = p;

    return NGX_OK;
}


static void
ngx_http_constraint_variable_set(ngx_http_variable_value_t *v,
    const ngx_str_t *text)
{
    v->data = text->len ? text->data : (u_char *) "";
    v->len = text->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}
