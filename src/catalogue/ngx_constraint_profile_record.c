/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Profiles as documents, and what bounds a constraint: its own execution over
 * its profile.  Stored is the JSON object that is shown, without the name,
 * with times as numbers.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_PROFILE_NOT_LIMITS                                    \
    "name", "description", "source", "revision", "created_at", "updated_at"


static ngx_int_t ngx_constraint_profile_member(const char *name,
    json_t *value, ngx_constraint_field_error_t *error);
static ngx_uint_t ngx_constraint_profile_is_limit(const char *name);
static json_t *ngx_constraint_profile_limits(json_t *body);
static ngx_int_t ngx_constraint_profile_refuse(
    const ngx_constraint_limits_error_t *wrong, const char *parent,
    ngx_constraint_field_error_t *error);
static ngx_int_t ngx_constraint_record_profile(
    const ngx_constraint_found_profile_t *profile, json_t **parsed,
    ngx_constraint_limits_t *limits);


void
ngx_constraint_catalogue_set_profiles(ngx_constraint_catalogue_t *catalogue,
    const ngx_array_t *profiles)
{
    catalogue->profiles = profiles;
}


const ngx_constraint_profile_t *
ngx_constraint_catalogue_profile(ngx_constraint_catalogue_t *catalogue,
    ngx_uint_t n)
{
    ngx_uint_t                        i;
    const ngx_constraint_profile_t   *profile, **profiles;

    for (i = 0; i <= n; i++) {
        profile = ngx_constraint_profile_preset(i);

        if (profile == NULL) {
            break;
        }

        if (i == n) {
            return profile;
        }
    }

    n -= i;

    if (catalogue->profiles == NULL || n >= catalogue->profiles->nelts) {
        return NULL;
    }

    profiles = catalogue->profiles->elts;

    return profiles[n];
}


const ngx_constraint_profile_t *
ngx_constraint_catalogue_profile_find(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *name)
{
    ngx_uint_t                        i;
    const ngx_constraint_profile_t   *profile, **profiles;

    profile = ngx_constraint_profile_preset_find(name);

    if (profile || catalogue->profiles == NULL) {
        return profile;
    }

    profiles = catalogue->profiles->elts;

    for (i = 0; i < catalogue->profiles->nelts; i++) {
        if (profiles[i]->name.len == name->len
            && ngx_memcmp(profiles[i]->name.data, name->data, name->len) == 0)
        {
            return profiles[i];
        }
    }

    return NULL;
}


json_t *
ngx_constraint_profile_document(const ngx_constraint_profile_t *profile)
{
    json_t  *document, *limits;

    limits = ngx_constraint_limits_json(&profile->limits);
    document = json_pack("{s:s%, s:s}",
                         "name", profile->name.data, profile->name.len,
                         "source",
                         profile->source == NGX_CONSTRAINT_PROFILE_PRESET
                         ? "preset" : "configuration");

    if (document == NULL || limits == NULL
        || json_object_update(document, limits) != 0)
    {
        json_decref(document);
        document = NULL;
    }

    json_decref(limits);

    return document;
}


json_t *
ngx_constraint_profile_stored(const ngx_str_t *name, json_t *stored)
{
    json_t  *document, *shown;

    shown = ngx_constraint_record_document(stored);
    document = json_pack("{s:s%, s:s}", "name", name->data, name->len,
                         "source", "stored");

    if (document == NULL || shown == NULL
        || json_object_update(document, shown) != 0)
    {
        json_decref(document);
        document = NULL;
    }

    json_decref(shown);

    return document;
}


ngx_int_t
ngx_constraint_profile_validate(json_t *body,
    ngx_constraint_field_error_t *error)
{
    json_t                         *value, *json;
    ngx_int_t                       rc;
    const char                     *name;
    ngx_constraint_limits_t         limits;
    ngx_constraint_limits_error_t   wrong;

    if (!json_is_object(body)) {
        return ngx_constraint_record_refuse(error, NULL,
                                            "must be a JSON object");
    }

    json_object_foreach(body, name, value) {
        if (!ngx_constraint_profile_is_limit(name)
            && ngx_constraint_profile_member(name, value, error) != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    json = ngx_constraint_profile_limits(body);
    if (json == NULL) {
        return ngx_constraint_record_refuse(error, NULL, "cannot be copied: "
                                            "out of memory");
    }

    rc = ngx_constraint_profile_parse(json, &limits, &wrong);

    if (rc != NGX_OK) {
        rc = ngx_constraint_profile_refuse(&wrong, "", error);
    }

    json_decref(json);

    return rc;
}


static ngx_int_t
ngx_constraint_profile_member(const char *name, json_t *value,
    ngx_constraint_field_error_t *error)
{
    const char  *message;

    message = NULL;

    if (ngx_strcmp(name, "name") == 0) {

        if (!json_is_string(value)) {
            message = "must be a string";
        }

    } else if (ngx_strcmp(name, "description") != 0) {
        message = "is read-only, leave it out";

    } else if (!json_is_null(value)) {
        message = ngx_constraint_check_description(value);
    }

    return message ? ngx_constraint_record_refuse(error, name, message)
                   : NGX_OK;
}


static ngx_uint_t
ngx_constraint_profile_is_limit(const char *name)
{
    const char        **p;
    static const char  *others[] = {
        NGX_CONSTRAINT_PROFILE_NOT_LIMITS, NULL
    };

    for (p = others; *p; p++) {
        if (ngx_strcmp(*p, name) == 0) {
            return 0;
        }
    }

    return 1;
}


/* Without what a profile has besides; a new reference. */

static json_t *
ngx_constraint_profile_limits(json_t *body)
{
    void        *next, *iter;
    json_t      *json;
    const char  *name;

    json = json_copy(body);

    for (iter = json_object_iter(body); json && iter; iter = next) {
        name = json_object_iter_key(iter);
        next = json_object_iter_next(body, iter);

        if (!ngx_constraint_profile_is_limit(name)) {
            (void) json_object_del(json, name);
        }
    }

    return json;
}


static ngx_int_t
ngx_constraint_profile_refuse(const ngx_constraint_limits_error_t *wrong,
    const char *parent, ngx_constraint_field_error_t *error)
{
    u_char      *p, name[sizeof(wrong->path) + sizeof("execution")];
    const char  *path;

    path = wrong->path;

    if (*parent == '\0' && *path == '.') {
        path++;
    }

    p = ngx_slprintf(name, name + sizeof(name) - 1, "%s%s", parent, path);
    *p = '\0';

    return ngx_constraint_record_refuse(error, (char *) name,
                                        wrong->message);
}


ngx_int_t
ngx_constraint_record_execution(json_t *value,
    ngx_constraint_field_error_t *error)
{
    ngx_constraint_limits_t        limits;
    ngx_constraint_limits_error_t  wrong;

    if (ngx_constraint_limits_parse(value, &limits, &wrong) != NGX_OK) {
        return ngx_constraint_profile_refuse(&wrong, "execution", error);
    }

    return NGX_OK;
}


/* As it is shown: what was given, in the order of the table. */

json_t *
ngx_constraint_profile_merge(json_t *body)
{
    json_t                               *json, *value;
    const ngx_constraint_limits_field_t  *field;

    json = json_object();
    value = json_object_get(body, "description");

    if (value && !json_is_null(value)) {
        (void) json_object_set(json, "description", value);
    }

    for (field = ngx_constraint_limits_fields; field->name; field++) {
        value = json_object_get(body, field->name);

        if (value) {
            (void) json_object_set(json, field->name, value);

        } else if (field->bit == NGX_CONSTRAINT_SET_OBSERVATIONAL) {
            (void) json_object_set_new(json, field->name, json_false());
        }
    }

    return json;
}


ngx_int_t
ngx_constraint_document_limits(ngx_constraint_kind_e kind, json_t *document,
    ngx_constraint_limits_t *limits)
{
    if (kind == NGX_CONSTRAINT_KIND_CONSTRAINT) {
        document = json_object_get(document, "execution");

        if (document == NULL) {
            ngx_constraint_limits_init(limits);
            return NGX_OK;
        }
    }

    return ngx_constraint_limits_parse(document, limits, NULL);
}


ngx_int_t
ngx_constraint_record_limits(json_t *stored,
    const ngx_constraint_found_profile_t *profile, json_t **parsed,
    ngx_constraint_limits_t *limits, u_char *error)
{
    ngx_constraint_limits_t  under;

    *parsed = NULL;

    if (ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_CONSTRAINT, stored,
                                       limits)
        != NGX_OK)
    {
        ngx_constraint_error_set(error, "the constraint's execution cannot "
                                 "be read by this version");
        return NGX_DECLINED;
    }

    if (profile->fixed == NULL && profile->text.len == 0
        && profile->reason == NULL)
    {
        return NGX_OK;
    }

    if (profile->reason) {
        ngx_constraint_error_set(error, "profile \"%s\" %s",
                  json_string_value(json_object_get(stored, "profile")),
                  profile->reason);
        return NGX_DECLINED;
    }

    if (ngx_constraint_record_profile(profile, parsed, &under) != NGX_OK) {
        ngx_constraint_error_set(error, "profile \"%s\" cannot be read by "
                  "this version",
                  json_string_value(json_object_get(stored, "profile")));
        return NGX_DECLINED;
    }

    ngx_constraint_limits_merge(limits, &under);

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_record_profile(const ngx_constraint_found_profile_t *profile,
    json_t **parsed, ngx_constraint_limits_t *limits)
{
    if (profile->fixed) {
        *limits = profile->fixed->limits;
        return NGX_OK;
    }

    *parsed = json_loadb((char *) profile->text.data, profile->text.len, 0,
                         NULL);

    return ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_PROFILE,
                                          *parsed, limits);
}
