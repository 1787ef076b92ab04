/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The directive constraint_zone: one catalogue.  Opens nothing.
 */


#include "ngx_http_constraint_conf.h"


static char *ngx_http_constraint_zone_name(ngx_conf_t *cf, ngx_str_t *value,
    ngx_constraint_zone_conf_t *zone);
static char *ngx_http_constraint_zone_parameter(ngx_conf_t *cf,
    ngx_str_t *value, ngx_constraint_zone_conf_t *zone);
static ngx_uint_t ngx_http_constraint_zone_prefix(ngx_str_t *value,
    const char *prefix, ngx_str_t *rest);


/* constraint_zone NAME:SIZE path=FOLDER [map_size=SIZE] [revisions=NUMBER] */

char *
ngx_http_constraint_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                              *rv;
    ngx_str_t                         *value;
    ngx_uint_t                         i;
    ngx_constraint_zone_conf_t         zone;
    ngx_constraint_catalogue_t       **catalogue;
    ngx_http_constraint_main_conf_t   *pmcf = conf;

    ngx_memzero(&zone, sizeof(ngx_constraint_zone_conf_t));

    zone.revisions = NGX_CONF_UNSET_UINT;

    value = cf->args->elts;

    rv = ngx_http_constraint_zone_name(cf, &value[1], &zone);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_constraint_zone_parameter(cf, &value[i], &zone);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (zone.path.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"constraint_zone\" must have a \"path\" "
                           "parameter: path=FOLDER");
        return NGX_CONF_ERROR;
    }

    /* below the prefix when relative, as every path of nginx */

    if (ngx_conf_full_name(cf->cycle, &zone.path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (zone.map_size == 0) {
        zone.map_size = (size_t) 1024 * 1024 * 1024;
    }

    if (zone.revisions == NGX_CONF_UNSET_UINT) {
        zone.revisions = 100;
    }

    if (pmcf->zones == NULL) {
        pmcf->zones = ngx_array_create(cf->pool, 2,
                                       sizeof(ngx_constraint_catalogue_t *));
        if (pmcf->zones == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    catalogue = ngx_array_push(pmcf->zones);
    if (catalogue == NULL) {
        return NGX_CONF_ERROR;
    }

    *catalogue = ngx_constraint_catalogue_add(cf, &zone,
                                              &ngx_http_constraint_module);

    return *catalogue ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_constraint_zone_name(ngx_conf_t *cf, ngx_str_t *value,
    ngx_constraint_zone_conf_t *zone)
{
    u_char     *p;
    ssize_t     size;
    ngx_str_t   s;

    p = (u_char *) ngx_strchr(value->data, ':');

    if (p == NULL || p == value->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone \"%V\", it should be NAME:SIZE",
                           value);
        return NGX_CONF_ERROR;
    }

    s.data = p + 1;
    s.len = value->data + value->len - s.data;

    size = ngx_parse_size(&s);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\", it must be a number "
                           "with k or m, as in \"%*s:64m\"", value,
                           (size_t) (p - value->data), value->data);
        return NGX_CONF_ERROR;
    }

    zone->name.data = value->data;
    zone->name.len = p - value->data;
    zone->size = size;

    return NGX_CONF_OK;
}


static char *
ngx_http_constraint_zone_parameter(ngx_conf_t *cf, ngx_str_t *value,
    ngx_constraint_zone_conf_t *zone)
{
    off_t      size;
    ngx_int_t  n;
    ngx_str_t  s;

    if (ngx_http_constraint_zone_prefix(value, "path=", &s)) {

        if (zone->path.data) {
            goto duplicate;
        }

        if (s.len == 0) {
            goto invalid;
        }

        zone->path = s;
        return NGX_CONF_OK;
    }

    if (ngx_http_constraint_zone_prefix(value, "map_size=", &s)) {

        if (zone->map_size) {
            goto duplicate;
        }

        size = ngx_parse_offset(&s);

        if (size < 1024 * 1024) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid \"%V\", map_size must be at least "
                               "1m, a number with k, m or g", value);
            return NGX_CONF_ERROR;
        }

        zone->map_size = size;
        return NGX_CONF_OK;
    }

    if (ngx_http_constraint_zone_prefix(value, "revisions=", &s)) {

        if (zone->revisions != NGX_CONF_UNSET_UINT) {
            goto duplicate;
        }

        n = ngx_atoi(s.data, s.len);

        if (n == NGX_ERROR) {
            goto invalid;
        }

        zone->revisions = n;
        return NGX_CONF_OK;
    }

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"constraint_zone\", it "
                       "must be path=FOLDER, map_size=SIZE or "
                       "revisions=NUMBER", value);
    return NGX_CONF_ERROR;

duplicate:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate parameter \"%V\"",
                       value);
    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_http_constraint_zone_prefix(ngx_str_t *value, const char *prefix,
    ngx_str_t *rest)
{
    size_t  len;

    len = ngx_strlen(prefix);

    if (value->len < len || ngx_strncmp(value->data, prefix, len) != 0) {
        return 0;
    }

    rest->data = value->data + len;
    rest->len = value->len - len;

    return 1;
}
