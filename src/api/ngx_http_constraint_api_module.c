
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The module of the REST API: its directive, and the content handler that
 * takes a request to its route.  Knows no resource.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    ngx_array_t  confs;      /* ngx_http_constraint_api_conf_t * */
} ngx_http_constraint_api_main_conf_t;


static ngx_int_t ngx_http_constraint_api_handler(ngx_http_request_t *r);
static void ngx_http_constraint_api_body(ngx_http_request_t *r, void *data,
    ngx_int_t rc, const ngx_str_t *body);
static void ngx_http_constraint_api_body_failed(
    ngx_http_constraint_api_t *api, ngx_int_t status);
static char *ngx_http_constraint_api(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_constraint_api_conf_prefix(ngx_conf_t *cf,
    ngx_http_constraint_api_conf_t *conf);
static ngx_int_t ngx_http_constraint_api_conf_rights(ngx_conf_t *cf,
    ngx_str_t *list, ngx_uint_t *rights);
static void *ngx_http_constraint_api_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_constraint_api_create_conf(ngx_conf_t *cf);
static char *ngx_http_constraint_api_merge_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_constraint_api_init(ngx_conf_t *cf);


static ngx_conf_bitmask_t  ngx_http_constraint_api_rights[] = {
    { ngx_string("execute"), NGX_HTTP_CONSTRAINT_API_EXECUTE },
    { ngx_string("read"), NGX_HTTP_CONSTRAINT_API_READ },
    { ngx_string("write"), NGX_HTTP_CONSTRAINT_API_WRITE },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_constraint_api_commands[] = {

    { ngx_string("constraint_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_constraint_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("constraint_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_constraint_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_constraint_api_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_constraint_api_init,          /* postconfiguration */

    ngx_http_constraint_api_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_constraint_api_create_conf,   /* create location configuration */
    ngx_http_constraint_api_merge_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_constraint_api_module = {
    NGX_MODULE_V1,
    &ngx_http_constraint_api_module_ctx,   /* module context */
    ngx_http_constraint_api_commands,      /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/*
 * Every way out answers the call, now or later.  Until then the call holds a
 * count of the request: reading a body takes it, else it is taken here.
 */

static ngx_int_t
ngx_http_constraint_api_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_constraint_api_t  *api;

    /*
     * an answer is never cut by Range nor judged by If-Match in a filter:
     * a write may have happened
     */

    r->disable_not_modified = 1;
    r->allow_ranges = 0;

    api = ngx_http_constraint_api_create(r);
    if (api == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    if (ngx_http_constraint_api_route(api) != NGX_OK
        || ngx_http_constraint_api_arguments(api) != NGX_OK)
    {
        return NGX_DONE;
    }

    if (api->route->body == NGX_HTTP_CONSTRAINT_API_NO_BODY) {
        api->route->handler(api);
        return NGX_DONE;
    }

    if (ngx_http_constraint_api_media_type(api) != NGX_OK) {
        return NGX_DONE;
    }

    r->main->count--;

    rc = ngx_http_constraint_read_body(r, api->route->max, 0,
                                       ngx_http_constraint_api_body, api);

    if (rc < NGX_HTTP_SPECIAL_RESPONSE || api->answered) {
        return rc;
    }

    r->main->count++;

    ngx_http_constraint_api_body_failed(api, rc);

    return NGX_DONE;
}


ngx_http_constraint_api_t *
ngx_http_constraint_api_create(ngx_http_request_t *r)
{
    ngx_http_cleanup_t         *cln;
    ngx_http_constraint_api_t  *api;

    api = ngx_pcalloc(r->pool, sizeof(ngx_http_constraint_api_t));
    if (api == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_constraint_api_cleanup;
    cln->data = api;

    api->request = r;
    api->conf = ngx_http_get_module_loc_conf(r,
                                             ngx_http_constraint_api_module);
    api->catalogue = api->conf->catalogue;

    return api;
}


static void
ngx_http_constraint_api_body(ngx_http_request_t *r, void *data, ngx_int_t rc,
    const ngx_str_t *body)
{
    ngx_http_constraint_api_t *api = data;

    if (rc != NGX_OK) {
        ngx_http_constraint_api_body_failed(api, rc);
        return;
    }

    api->body = *body;

    if (api->body.len == 0) {
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_EMPTY_BODY,
                                     NULL, "the request has no body, %s is "
                                     "wanted",
                                     api->route->body
                                     == NGX_HTTP_CONSTRAINT_API_DOCUMENT
                                     ? "a JSON or YAML document"
                                     : "a JSON object");
        return;
    }

    api->route->handler(api);
}


static void
ngx_http_constraint_api_body_failed(ngx_http_constraint_api_t *api,
    ngx_int_t status)
{
    switch (status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_BODY_TOO_LARGE,
                                     NULL, "the body is too large, at most "
                                     "%zu bytes are taken here",
                                     api->route->max);
        return;

    case NGX_HTTP_REQUEST_TIME_OUT:
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_BODY_TIMEOUT,
                                     NULL, "the body did not come in time");
        return;

    case NGX_HTTP_BAD_REQUEST:
        ngx_http_constraint_api_fail(api,
                                NGX_HTTP_CONSTRAINT_API_E_BODY_UNREADABLE,
                                NULL, "the body could not be read as the "
                                "header announced it");
        return;

    default:
        ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_INTERNAL,
                                     NULL, "the body could not be read");
    }
}


/* constraint_api ZONE [prefix=/...] [allow=execute,read,write] */

static char *
ngx_http_constraint_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_constraint_api_conf_t *aacf = conf;

    ngx_str_t                             *value, s;
    ngx_uint_t                             i;
    ngx_http_core_loc_conf_t              *clcf;

    if (aacf->zone.data) {
        return "is duplicate";
    }

    if (aacf->metrics) {
        return "is in a location of \"constraint_metrics\"";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs the name of a zone";
    }

    aacf->zone = value[1];
    aacf->file = cf->conf_file->file.name.data;
    aacf->line = cf->conf_file->line;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "prefix=", 7) == 0
            && aacf->prefix.data == NULL)
        {
            aacf->prefix.data = value[i].data + 7;
            aacf->prefix.len = value[i].len - 7;
            continue;
        }

        if (ngx_strncmp(value[i].data, "allow=", 6) == 0
            && aacf->rights == 0)
        {
            s.data = value[i].data + 6;
            s.len = value[i].len - 6;

            if (ngx_http_constraint_api_conf_rights(cf, &s, &aacf->rights)
                != NGX_OK)
            {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown or repeated "
                           "parameter \"%V\" of \"constraint_api\", known "
                           "are prefix=/... and allow=execute,read,write",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    if (aacf->rights == 0) {
        aacf->rights = NGX_HTTP_CONSTRAINT_API_EXECUTE
                       |NGX_HTTP_CONSTRAINT_API_READ
                       |NGX_HTTP_CONSTRAINT_API_WRITE;
    }

    if (ngx_http_constraint_api_conf_prefix(cf, aacf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_constraint_api_handler;
    aacf->handler = clcf->handler;

    ngx_http_constraint_exempt(cf);

    return ngx_http_constraint_api_conf_keep(cf, aacf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_constraint_api_conf_keep(ngx_conf_t *cf,
    ngx_http_constraint_api_conf_t *conf)
{
    ngx_http_constraint_api_conf_t       **confp;
    ngx_http_constraint_api_main_conf_t   *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_constraint_api_module);

    confp = ngx_array_push(&amcf->confs);
    if (confp == NULL) {
        return NGX_ERROR;
    }

    *confp = conf;

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_api_conf_prefix(ngx_conf_t *cf,
    ngx_http_constraint_api_conf_t *conf)
{
    ngx_uint_t                 named;
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->prefix.data == NULL) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

        named = clcf->named;
#if (NGX_PCRE)
        named |= clcf->regex != NULL;
#endif

        if (named) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"constraint_api\" in "
                               "a location by regular expression or name "
                               "needs \"prefix=/...\", where its paths begin");
            return NGX_ERROR;
        }

        conf->prefix = clcf->name;
    }

    if (conf->prefix.len == 0 || conf->prefix.data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the prefix \"%V\" of "
                           "\"constraint_api\" does not begin with \"/\"",
                           &conf->prefix);
        return NGX_ERROR;
    }

    while (conf->prefix.len
           && conf->prefix.data[conf->prefix.len - 1] == '/')
    {
        conf->prefix.len--;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_api_conf_rights(ngx_conf_t *cf, ngx_str_t *list,
    ngx_uint_t *rights)
{
    u_char              *p, *last, *comma;
    size_t               len;
    ngx_conf_bitmask_t  *right;

    p = list->data;
    last = p + list->len;

    for ( ;; ) {
        comma = ngx_strlchr(p, last, ',');
        len = (comma ? comma : last) - p;

        for (right = ngx_http_constraint_api_rights; right->name.len; right++)
        {
            if (right->name.len == len
                && ngx_strncmp(right->name.data, p, len) == 0)
            {
                break;
            }
        }

        if (right->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown right \"%*s\" "
                               "in \"allow=%V\", known are execute, read, "
                               "write", len, p, list);
            return NGX_ERROR;
        }

        *rights |= right->mask;

        if (comma == NULL) {
            return NGX_OK;
        }

        p = comma + 1;
    }
}


static void *
ngx_http_constraint_api_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_constraint_api_main_conf_t  *amcf;

    amcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_constraint_api_main_conf_t));
    if (amcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&amcf->confs, cf->pool, 4,
                       sizeof(ngx_http_constraint_api_conf_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return amcf;
}


static void *
ngx_http_constraint_api_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_constraint_api_conf_t));
}


/*
 * An API is where it is written, and only there; but "if" and limit_except
 * are blocks of their location, not locations of their own.
 */

static char *
ngx_http_constraint_api_merge_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_constraint_api_conf_t *prev = parent;
    ngx_http_constraint_api_conf_t *conf = child;

    ngx_http_core_loc_conf_t             *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->handler && clcf->handler != conf->handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" in %s:%ui answers nothing, another directive "
                      "of location \"%V\" does: give it a location of its "
                      "own", conf->metrics ? "constraint_metrics"
                                           : "constraint_api",
                      conf->file, conf->line, &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (!clcf->noname || conf->zone.data || conf->metrics
        || (prev->zone.data == NULL && !prev->metrics)
        || clcf->handler)
    {
        return NGX_CONF_OK;
    }

    *conf = *prev;
    clcf->handler = conf->handler;

    return ngx_http_constraint_api_conf_keep(cf, conf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* A zone may be declared after its use, so it is looked up at the end. */

static ngx_int_t
ngx_http_constraint_api_init(ngx_conf_t *cf)
{
    ngx_str_t                            *zone;
    ngx_uint_t                            i;
    ngx_http_constraint_api_conf_t      **confs;
    ngx_http_constraint_api_main_conf_t  *amcf;

    amcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_constraint_api_module);
    confs = amcf->confs.elts;

    for (i = 0; i < amcf->confs.nelts; i++) {
        zone = confs[i]->metrics ? &confs[i]->metrics_zone : &confs[i]->zone;

        if (zone->data == NULL) {
            continue;
        }

        confs[i]->catalogue = ngx_http_constraint_catalogue(cf->cycle, zone);

        if (confs[i]->catalogue == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "unknown zone \"%V\" of "
                          "\"%s\" in %s:%ui, declare it by "
                          "\"constraint_zone %V:64m path=...\"", zone,
                          confs[i]->metrics ? "constraint_metrics"
                                            : "constraint_api",
                          confs[i]->file, confs[i]->line, zone);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
