/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What bounds the evaluations of a constraint that begin at this location,
 * and who said so: the constraint, its profile, the location, or nobody.
 */


#include "ngx_http_constraint_api.h"


typedef struct {
    ngx_constraint_limits_t          constraint;
    ngx_constraint_limits_t          profile;
    const ngx_constraint_limits_t   *location;     /* NULL: none */
    ngx_constraint_limits_t          effective;
} ngx_http_constraint_api_levels_t;


static json_t *ngx_http_constraint_api_execution_profile(
    ngx_http_constraint_api_t *api, json_t *record,
    ngx_constraint_limits_t *limits, const char **error);
static const char *ngx_http_constraint_api_execution_source(
    const ngx_http_constraint_api_levels_t *levels, uint32_t bit);


void
ngx_http_constraint_api_execution(ngx_http_constraint_api_t *api,
    json_t *metadata, json_t *record)
{
    json_t                               *values, *sources, *profile;
    const char                           *error;
    ngx_http_constraint_api_levels_t      levels;
    const ngx_constraint_limits_field_t  *field;

    error = NULL;

    if (ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_CONSTRAINT, record,
                                       &levels.constraint)
        != NGX_OK)
    {
        error = "the execution of the record cannot be read";
    }

    profile = ngx_http_constraint_api_execution_profile(api, record,
                                                        &levels.profile,
                                                        &error);

    levels.location = ngx_http_constraint_settings(api->request)->limits;
    levels.effective = levels.constraint;

    ngx_constraint_limits_merge(&levels.effective, &levels.profile);

    if (levels.location) {
        ngx_constraint_limits_merge(&levels.effective, levels.location);
    }

    values = json_object();
    sources = json_object();

    for (field = ngx_constraint_limits_fields; field->name; field++) {
        (void) json_object_set_new(values, field->name,
                                   ngx_constraint_limits_value(
                                                          &levels.effective,
                                                               field));
        (void) json_object_set_new(sources, field->name,
                   json_string(ngx_http_constraint_api_execution_source(
                                                       &levels, field->bit)));
    }

    (void) json_object_set(metadata, "profile",
                           json_object_get(record, "profile"));
    (void) json_object_set_new(metadata, "execution", values);
    (void) json_object_set_new(metadata, "execution_sources", sources);

    if (error) {
        (void) json_object_set_new(metadata, "execution_error",
                                   json_string(error));
    }

    json_decref(profile);
}


/* What limits borrow from, or NULL; that a profile is missing is an error. */

static json_t *
ngx_http_constraint_api_execution_profile(ngx_http_constraint_api_t *api,
    json_t *record, ngx_constraint_limits_t *limits, const char **error)
{
    json_t                          *value, *document;
    uint64_t                         revision;
    ngx_str_t                        name;
    const ngx_constraint_profile_t  *fixed;

    ngx_constraint_limits_init(limits);

    value = json_object_get(record, "profile");
    if (value == NULL) {
        return NULL;
    }

    name.data = (u_char *) json_string_value(value);
    name.len = json_string_length(value);

    fixed = ngx_constraint_catalogue_profile_find(api->catalogue, &name);
    if (fixed) {
        *limits = fixed->limits;
        return NULL;
    }

    revision = 0;
    document = NULL;

    if (ngx_constraint_catalogue_get(api->catalogue,
                                     NGX_CONSTRAINT_KIND_PROFILE, &name,
                                     &revision, &document, NULL)
        != NGX_OK)
    {
        *error = "the profile is neither stored nor configured";
        return NULL;
    }

    if (ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_PROFILE, document,
                                       limits)
        != NGX_OK)
    {
        *error = "the stored profile cannot be read";
    }

    return document;
}


static const char *
ngx_http_constraint_api_execution_source(
    const ngx_http_constraint_api_levels_t *levels, uint32_t bit)
{
    if (!(levels->effective.execution.set & bit)) {
        return "default";
    }

    if (levels->constraint.execution.set & bit) {
        return "constraint";
    }

    if (levels->profile.execution.set & bit) {
        return "profile";
    }

    return (levels->location && (levels->location->execution.set & bit))
           ? "location" : "default";
}
