/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Directives that take one of a few words, list names or take a bounded
 * number, and what expressions
 * may call of nginx: nginx.var().
 */


#include "ngx_http_constraint_conf.h"


static ngx_int_t ngx_http_constraint_conf_header(ngx_conf_t *cf,
    ngx_str_t *name);
static cel_status_t ngx_http_constraint_resolve_var(void *ctx,
    const char *literal, size_t len, cel_slot_t *slot,
    char message[CEL_MESSAGE_MAX]);


char *
ngx_http_constraint_conf_enum(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char           *p, *last, known[128];
    ngx_str_t        *value;
    ngx_uint_t       *slot, i;
    ngx_conf_enum_t  *e;

    slot = (ngx_uint_t *) ((char *) conf + cmd->offset);

    if (*slot != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    e = cmd->post;
    p = known;
    last = known + sizeof(known);

    for (i = 0; e[i].name.len != 0; i++) {

        if (e[i].name.len == value[1].len
            && ngx_strcasecmp(e[i].name.data, value[1].data) == 0)
        {
            *slot = e[i].value;
            return NGX_CONF_OK;
        }

        p = ngx_slprintf(p, last, "%s%V",
                         i == 0 ? "" : e[i + 1].name.len ? ", " : " or ",
                         &e[i].name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" of \"%V\", it must be %*s",
                       &value[1], &cmd->name, (size_t) (p - known), known);

    return NGX_CONF_ERROR;
}


/* data: a size_t or an ngx_msec_t, which are alike */

char *
ngx_http_constraint_conf_some(ngx_conf_t *cf, void *post, void *data)
{
    size_t  *value = data;

    return *value != 0 ? NGX_CONF_OK
                       : "must be more than 0, with which nothing could be "
                         "decided";
}


/* A pool that is named here: nginx tells of this line if there is none. */

char *
ngx_http_constraint_conf_pool(ngx_conf_t *cf, void *post, void *data)
{
    return ngx_thread_pool_add(cf, data) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* constraint_allow_vars NAME... */

char *
ngx_http_constraint_conf_allow_vars(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                        *value, name;
    ngx_uint_t                        i;
    ngx_http_constraint_var_t        *var;
    ngx_http_constraint_main_conf_t  *pmcf = conf;

    if (pmcf->vars) {
        return "is duplicate";
    }

    pmcf->vars = ngx_array_create(cf->pool, cf->args->nelts,
                                  sizeof(ngx_http_constraint_var_t));
    if (pmcf->vars == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        name = value[i];

        if (name.len && name.data[0] == '$') {
            name.data++;
            name.len--;
        }

        if (name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid variable name \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        /* nginx does not tell the case of its variables apart */

        if (name.len >= 11
            && ngx_strncasecmp(name.data, (u_char *) "constraint_", 11) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "variable \"%V\" tells of a decision and "
                               "cannot be read by one", &name);
            return NGX_CONF_ERROR;
        }

        var = ngx_array_push(pmcf->vars);
        if (var == NULL) {
            return NGX_CONF_ERROR;
        }

        var->name = name;
        var->index = ngx_http_get_variable_index(cf, &name);

        if (var->index == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* constraint_single_headers NAME... | off */

char *
ngx_http_constraint_conf_single_headers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                       *value, *name;
    ngx_uint_t                       i;
    ngx_http_constraint_loc_conf_t  *plcf = conf;

    if (plcf->single_headers != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        plcf->single_headers = NULL;
        return NGX_CONF_OK;
    }

    plcf->single_headers = ngx_array_create(cf->pool, cf->args->nelts,
                                            sizeof(ngx_str_t));
    if (plcf->single_headers == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_constraint_conf_header(cf, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        name = ngx_array_push(plcf->single_headers);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
        ngx_strlow(name->data, name->data, name->len);
    }

    return NGX_CONF_OK;
}


/* a name that no header can have would watch over nothing */

static ngx_int_t
ngx_http_constraint_conf_header(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

    if (name->len == 0 || ngx_strcmp(name->data, "off") == 0) {
        goto invalid;
    }

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (ch <= ' ' || ch >= 0x7f || ngx_strchr("\"(),/:;<=>?@[\\]{}$", ch))
        {
            goto invalid;
        }
    }

    return NGX_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid header name \"%V\" of "
                       "\"constraint_single_headers\", it must be NAME... "
                       "as in \"X-Role X-Org\", or off alone", name);

    return NGX_ERROR;
}


/* constraint_deny_status CODE */

char *
ngx_http_constraint_conf_deny_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_int_t                        n;
    ngx_str_t                       *value;
    ngx_http_constraint_loc_conf_t  *plcf = conf;

    if (plcf->deny_status != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 400 || n > 599) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid status \"%V\", it must be between 400 "
                           "and 599", &value[1]);
        return NGX_CONF_ERROR;
    }

    plcf->deny_status = n;

    return NGX_CONF_OK;
}


#if (NGX_CONSTRAINT_FAULTS)

/* constraint_fault NAME VALUE; test builds only */

char *
ngx_http_constraint_conf_fault(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_int_t   n;
    ngx_str_t  *value;

    value = cf->args->elts;

    n = ngx_atoi(value[2].data, value[2].len);

    if (n == NGX_ERROR || ngx_constraint_fault_set(&value[1], n) != NGX_OK) {
        return "has an invalid name or value";
    }

    return NGX_CONF_OK;
}

#endif


/* Any thread: reads what the configuration has left, nothing else. */

cel_status_t
ngx_http_constraint_declare(void *ctx, cel_env_t *env)
{
    cel_status_t  rc;

    rc = workflow_facts_declare(env);

    if (rc != CEL_OK) {
        return rc;
    }

    return cel_env_declare_resolver(env, "nginx.var",
                                    ngx_http_constraint_resolve_var, ctx);
}


static cel_status_t
ngx_http_constraint_resolve_var(void *ctx, const char *literal, size_t len,
    cel_slot_t *slot, char message[CEL_MESSAGE_MAX])
{
    ngx_uint_t                        i;
    ngx_http_constraint_var_t        *var;
    ngx_http_constraint_main_conf_t  *pmcf = ctx;

    if (pmcf->vars) {
        var = pmcf->vars->elts;

        for (i = 0; i < pmcf->vars->nelts; i++) {

            if (var[i].name.len == len
                && ngx_strncmp(var[i].name.data, literal, len) == 0)
            {
                *slot = WORKFLOW_FACT_COUNT + i;
                return CEL_OK;
            }
        }
    }

    (void) snprintf(message, CEL_MESSAGE_MAX,
                    "variable '%.*s' is not listed in constraint_allow_vars",
                    (int) ngx_min(len, 100), literal);

    return CEL_ERROR;
}
