/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Profiles in the configuration: defined once, named by locations.  What the
 * fields mean and which values are right is the budget's.
 */


#include "ngx_http_constraint_conf.h"


/* One of the configuration; the list points to profile. */

typedef struct {
    ngx_constraint_profile_t   profile;          /* first */
    u_char                    *file;
    ngx_uint_t                 line;
} ngx_http_constraint_profile_t;


static ngx_int_t ngx_http_constraint_profile_name(ngx_conf_t *cf,
    ngx_http_constraint_main_conf_t *pmcf, const ngx_str_t *name);
static ngx_int_t ngx_http_constraint_profile_keys(ngx_conf_t *cf,
    const ngx_http_constraint_main_conf_t *pmcf);
static ngx_int_t ngx_http_constraint_profile_limits(ngx_conf_t *cf,
    ngx_constraint_profile_t *profile);
static ngx_int_t ngx_http_constraint_profile_refuse(ngx_conf_t *cf,
    const ngx_str_t *name, const ngx_constraint_limits_error_t *error);
static ngx_int_t ngx_http_constraint_profile_resolve(ngx_conf_t *cf,
    const ngx_http_constraint_main_conf_t *pmcf,
    ngx_http_constraint_loc_conf_t *plcf);
static ngx_int_t ngx_http_constraint_profile_sampling(ngx_conf_t *cf,
    const ngx_http_constraint_main_conf_t *pmcf,
    ngx_http_constraint_loc_conf_t *plcf);
static void ngx_http_constraint_profile_cleanup(void *data);
static const ngx_constraint_profile_t *ngx_http_constraint_profile_find(
    const ngx_http_constraint_main_conf_t *pmcf, const ngx_str_t *name);


/* constraint_profile_define NAME FIELD=VALUE... */

char *
ngx_http_constraint_conf_profile_define(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_constraint_main_conf_t *pmcf = conf;

    ngx_str_t                       *value;
    ngx_constraint_profile_t        *profile, **place;
    ngx_http_constraint_profile_t   *defined;

    value = cf->args->elts;

    if (ngx_http_constraint_profile_name(cf, pmcf, &value[1]) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (pmcf->profiles == NULL) {
        pmcf->profiles = ngx_array_create(cf->pool, 4,
                                          sizeof(ngx_constraint_profile_t *));
        if (pmcf->profiles == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    defined = ngx_pcalloc(cf->pool, sizeof(ngx_http_constraint_profile_t));
    if (defined == NULL) {
        return NGX_CONF_ERROR;
    }

    defined->file = cf->conf_file->file.name.data;
    defined->line = cf->conf_file->line;

    profile = &defined->profile;
    profile->name = value[1];
    profile->source = NGX_CONSTRAINT_PROFILE_CONFIGURED;

    if (ngx_http_constraint_profile_limits(cf, profile) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    place = ngx_array_push(pmcf->profiles);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    *place = profile;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_constraint_profile_name(ngx_conf_t *cf,
    ngx_http_constraint_main_conf_t *pmcf, const ngx_str_t *name)
{
    const ngx_constraint_profile_t  *profile;

    if (!ngx_constraint_name_valid(name->data, name->len)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid profile name \"%V\": it must be "
                           NGX_CONSTRAINT_NAME_RULE, name);
        return NGX_ERROR;
    }

    profile = ngx_http_constraint_profile_find(pmcf, name);

    if (profile == NULL) {
        return NGX_OK;
    }

    if (profile->source == NGX_CONSTRAINT_PROFILE_PRESET) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "profile \"%V\" is built in and cannot be "
                           "defined, give yours another name", name);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate profile \"%V\"", name);
    }

    return NGX_ERROR;
}


/* The words become the object that REST takes, and are judged as that. */

static ngx_int_t
ngx_http_constraint_profile_limits(ngx_conf_t *cf,
    ngx_constraint_profile_t *profile)
{
    json_t                         *json;
    ngx_str_t                      *words, *key;
    ngx_int_t                       rc;
    ngx_constraint_limits_t        *limits;
    ngx_constraint_limits_error_t   error;

    words = cf->args->elts;
    limits = &profile->limits;

    json = ngx_constraint_profile_words(&words[2], cf->args->nelts - 2,
                                        &error);
    if (json == NULL) {
        return ngx_http_constraint_profile_refuse(cf, &profile->name, &error);
    }

    rc = ngx_constraint_profile_parse(json, limits, &error);

    if (rc != NGX_OK) {
        json_decref(json);
        return ngx_http_constraint_profile_refuse(cf, &profile->name, &error);
    }

    limits->profile = profile->name;
    key = &limits->sampling_key;

    if (key->len) {
        key->data = ngx_pstrdup(cf->pool, key);
    }

    json_decref(json);

    return (key->len && key->data == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_constraint_profile_refuse(ngx_conf_t *cf, const ngx_str_t *name,
    const ngx_constraint_limits_error_t *error)
{
    const char  *path;

    path = error->path[0] == '.' ? error->path + 1 : error->path;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "profile \"%V\": \"%s\" %s",
                       name, path, error->message);

    return NGX_ERROR;
}


/* constraint_profile NAME | off */

char *
ngx_http_constraint_conf_profile(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_constraint_loc_conf_t *plcf = conf;

    ngx_str_t  *value;

    if (plcf->profile.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    plcf->profile = value[1];
    plcf->profile_file = cf->conf_file->file.name.data;
    plcf->profile_line = cf->conf_file->line;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        plcf->profile.len = 0;

    } else if (value[1].len == 0) {
        return "has an empty name";
    }

    return NGX_CONF_OK;
}


void
ngx_http_constraint_conf_profile_merge(ngx_http_constraint_loc_conf_t *prev,
    ngx_http_constraint_loc_conf_t *conf)
{
    if (conf->profile.data == NULL) {
        conf->profile = prev->profile;
        conf->profile_file = prev->profile_file;
        conf->profile_line = prev->profile_line;
    }
}


/* Once all is read: a profile may be defined after its use. */

ngx_int_t
ngx_http_constraint_conf_profile_resolve(ngx_conf_t *cf,
    ngx_http_constraint_main_conf_t *pmcf)
{
    ngx_uint_t                         i;
    ngx_http_constraint_loc_conf_t   **locations, *plcf;

    if (ngx_http_constraint_profile_keys(cf, pmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    /* that of http itself, whether or not a server inherits it */

    plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_constraint_module);

    if (ngx_http_constraint_profile_resolve(cf, pmcf, plcf) != NGX_OK) {
        return NGX_ERROR;
    }

    locations = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        if (ngx_http_constraint_profile_resolve(cf, pmcf, locations[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* No location may name it, but constraints will. */

static ngx_int_t
ngx_http_constraint_profile_keys(ngx_conf_t *cf,
    const ngx_http_constraint_main_conf_t *pmcf)
{
    u_char                           error[NGX_CONSTRAINT_ERROR_MAX];
    ngx_str_t                       *key;
    ngx_uint_t                       i, n;
    cel_program_t                   *program;
    ngx_http_constraint_profile_t  **profiles;

    n = pmcf->profiles ? pmcf->profiles->nelts : 0;
    profiles = pmcf->profiles ? pmcf->profiles->elts : NULL;

    for (i = 0; i < n; i++) {
        key = &profiles[i]->profile.limits.sampling_key;

        if (key->len == 0) {
            continue;
        }

        program = ngx_constraint_expression_compile(&pmcf->host, key, error);

        if (program == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "profile \"%V\": \"sampling_key\" %s in %s:%ui",
                          &profiles[i]->profile.name, error,
                          profiles[i]->file, profiles[i]->line);
            return NGX_ERROR;
        }

        cel_program_destroy(program);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_profile_resolve(ngx_conf_t *cf,
    const ngx_http_constraint_main_conf_t *pmcf,
    ngx_http_constraint_loc_conf_t *plcf)
{
    const ngx_constraint_profile_t  *profile;

    if (plcf->profile.len == 0) {
        return NGX_OK;
    }

    profile = ngx_http_constraint_profile_find(pmcf, &plcf->profile);

    if (profile == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "unknown profile \"%V\" in %s:%ui: it is neither built "
                      "in nor defined by constraint_profile_define",
                      &plcf->profile, plcf->profile_file,
                      plcf->profile_line);
        return NGX_ERROR;
    }

    plcf->settings.limits = &profile->limits;

    return ngx_http_constraint_profile_sampling(cf, pmcf, plcf);
}


/* the facts that its key may use are known by now */

static ngx_int_t
ngx_http_constraint_profile_sampling(ngx_conf_t *cf,
    const ngx_http_constraint_main_conf_t *pmcf,
    ngx_http_constraint_loc_conf_t *plcf)
{
    u_char               error[NGX_CONSTRAINT_ERROR_MAX];
    cel_program_t       *program;
    const ngx_str_t     *key;
    ngx_pool_cleanup_t  *cln;

    key = &plcf->settings.limits->sampling_key;

    if (key->len == 0) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    program = ngx_constraint_expression_compile(&pmcf->host, key, error);

    if (program == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "profile \"%V\" in %s:%ui: \"sampling_key\" %s",
                      &plcf->profile, plcf->profile_file,
                      plcf->profile_line, error);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_constraint_profile_cleanup;
    cln->data = program;

    plcf->settings.sampling = program;

    return NGX_OK;
}


static void
ngx_http_constraint_profile_cleanup(void *data)
{
    cel_program_destroy(data);
}


static const ngx_constraint_profile_t *
ngx_http_constraint_profile_find(const ngx_http_constraint_main_conf_t *pmcf,
    const ngx_str_t *name)
{
    ngx_uint_t                        i;
    ngx_constraint_profile_t        **profiles;
    const ngx_constraint_profile_t   *profile;

    profile = ngx_constraint_profile_preset_find(name);

    if (profile || pmcf->profiles == NULL) {
        return profile;
    }

    profiles = pmcf->profiles->elts;

    for (i = 0; i < pmcf->profiles->nelts; i++) {
        if (profiles[i]->name.len == name->len
            && ngx_memcmp(profiles[i]->name.data, name->data, name->len) == 0)
        {
            return profiles[i];
        }
    }

    return NULL;
}
