/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The directive constraint_audit_log: a file and which allows go to it.
 * Opens nothing itself: the file is one of nginx's.
 */


#include "ngx_http_constraint_conf.h"


typedef struct {
    ssize_t       buffer;       /* NGX_CONF_UNSET: not given */
    ngx_int_t     flush;
    double        allow;
    unsigned      allow_set:1;
} ngx_http_constraint_audit_args_t;


static char *ngx_http_constraint_audit_path(ngx_conf_t *cf,
    ngx_str_t *path);
static ngx_int_t ngx_http_constraint_audit_args(ngx_conf_t *cf,
    ngx_http_constraint_audit_args_t *args);
static ngx_int_t ngx_http_constraint_audit_arg(ngx_conf_t *cf,
    ngx_http_constraint_audit_args_t *args, ngx_str_t *arg);
static ngx_int_t ngx_http_constraint_audit_rate(ngx_str_t *text,
    double *rate);


/* constraint_audit_log PATH [buffer=SIZE] [flush=TIME] [allow=RATE] | off */

char *
ngx_http_constraint_conf_audit_log(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_constraint_loc_conf_t *plcf = conf;

    char                              *error;
    ngx_str_t                         *value;
    const char                        *conflict;
    ngx_constraint_audit_t            *audit;
    ngx_http_constraint_audit_args_t   args;

    if (plcf->audit != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        plcf->audit = NULL;
        return cf->args->nelts == 2 ? NGX_CONF_OK
                                    : "\"off\" takes no parameters";
    }

    error = ngx_http_constraint_audit_path(cf, &value[1]);

    if (error) {
        return error;
    }

    if (ngx_http_constraint_audit_args(cf, &args) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    audit = ngx_pcalloc(cf->pool, sizeof(ngx_constraint_audit_t));
    if (audit == NULL) {
        return NGX_CONF_ERROR;
    }

    audit->allow = args.allow;
    audit->file = ngx_constraint_audit_open(cf, &value[1], args.buffer,
                                            args.flush,
                                            &ngx_http_constraint_module,
                                            &conflict);

    if (audit->file == NULL) {

        if (conflict) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "audit log \"%V\" %s",
                               &value[1], conflict);
        }

        return NGX_CONF_ERROR;
    }

    plcf->audit = audit;

    return NGX_CONF_OK;
}


static char *
ngx_http_constraint_audit_path(ngx_conf_t *cf, ngx_str_t *path)
{
    if (path->len == 0) {
        return "has an empty path";
    }

    if (ngx_http_script_variables_count(path)) {
        return "takes a path without variables";
    }

    if (ngx_strncmp(path->data, "syslog:", sizeof("syslog:") - 1) == 0) {
        return "is a file, not syslog";
    }

    return NULL;
}


static ngx_int_t
ngx_http_constraint_audit_args(ngx_conf_t *cf,
    ngx_http_constraint_audit_args_t *args)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    args->buffer = NGX_CONF_UNSET;
    args->flush = NGX_CONF_UNSET;
    args->allow = 0;
    args->allow_set = 0;

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_constraint_audit_arg(cf, args, &value[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (args->buffer == NGX_CONF_UNSET) {
        args->buffer = 64 * 1024;
    }

    if (args->flush == NGX_CONF_UNSET) {
        args->flush = 1000;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_audit_arg(ngx_conf_t *cf,
    ngx_http_constraint_audit_args_t *args, ngx_str_t *arg)
{
    ngx_str_t    text;
    ngx_uint_t   again;
    const char  *want;

    text.data = (u_char *) ngx_strchr(arg->data, '=');
    text.data = text.data ? text.data + 1 : arg->data + arg->len;
    text.len = arg->data + arg->len - text.data;

    if (ngx_strncmp(arg->data, "buffer=", 7) == 0) {
        again = args->buffer != NGX_CONF_UNSET;
        args->buffer = ngx_parse_size(&text);
        want = args->buffer < NGX_CONSTRAINT_AUDIT_BUFFER_MIN
               || args->buffer > NGX_CONSTRAINT_AUDIT_BUFFER_MAX
               ? "a size from 16k to 64m" : NULL;

    } else if (ngx_strncmp(arg->data, "flush=", 6) == 0) {
        again = args->flush != NGX_CONF_UNSET;
        args->flush = ngx_parse_time(&text, 0);
        want = args->flush < 1 || args->flush > 3600000
               ? "a time from 1ms to 1h" : NULL;

    } else if (ngx_strncmp(arg->data, "allow=", 6) == 0) {
        again = args->allow_set;
        args->allow_set = 1;
        want = ngx_http_constraint_audit_rate(&text, &args->allow) != NGX_OK
               ? "a number from 0 to 1" : NULL;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown parameter \"%V\" of "
                           "\"constraint_audit_log\", there are buffer=, "
                           "flush= and allow=", arg);
        return NGX_ERROR;
    }

    if (again) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate parameter \"%V\" of "
                           "\"constraint_audit_log\"", arg);
        return NGX_ERROR;
    }

    if (want) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of "
                           "\"constraint_audit_log\": it must be %s",
                           arg, want);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* digits with a point at most: nothing else that strtod() knows */

static ngx_int_t
ngx_http_constraint_audit_rate(ngx_str_t *text, double *rate)
{
    u_char  *end;

    if (text->len == 0
        || strspn((char *) text->data, "0123456789.") != text->len)
    {
        return NGX_ERROR;
    }

    *rate = strtod((char *) text->data, (char **) &end);

    return end == text->data + text->len && *rate <= 1 ? NGX_OK : NGX_ERROR;
}
