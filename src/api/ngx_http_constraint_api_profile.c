/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * GET /profiles, GET, PUT and DELETE /profiles/{name}.  Those that are built
 * in or configured are read only; what the fields mean is the catalogue's.
 */


#include "ngx_http_constraint_api.h"


/* a transaction that will never be */
#define NGX_HTTP_CONSTRAINT_API_NO_REVISION  (UINT64_MAX - 1)


static void ngx_http_constraint_api_profile_fixed(
    ngx_http_constraint_api_t *api, const ngx_constraint_profile_t *profile);
static ngx_int_t ngx_http_constraint_api_profile_body(
    ngx_http_constraint_api_t *api);


void
ngx_http_constraint_api_profiles(ngx_http_constraint_api_t *api)
{
    ngx_str_set(&api->body, "{}");

    ngx_http_constraint_api_list(api, NGX_CONSTRAINT_KIND_PROFILE);
}


void
ngx_http_constraint_api_profile_get(ngx_http_constraint_api_t *api)
{
    const ngx_constraint_profile_t  *profile;

    profile = ngx_constraint_catalogue_profile_find(api->catalogue,
                                                    &api->name);
    if (profile) {
        ngx_http_constraint_api_profile_fixed(api, profile);
        return;
    }

    ngx_http_constraint_api_get_record(api, NGX_CONSTRAINT_KIND_PROFILE);
}


/* It has no revision, and so no tag. */

static void
ngx_http_constraint_api_profile_fixed(ngx_http_constraint_api_t *api,
    const ngx_constraint_profile_t *profile)
{
    ngx_http_constraint_api_conditions_t  conditions;

    if (ngx_http_constraint_api_conditions(api, &conditions) != NGX_OK) {
        return;
    }

    if (ngx_http_constraint_api_conditions_met(&conditions,
                                         NGX_HTTP_CONSTRAINT_API_NO_REVISION))
    {
        ngx_http_constraint_api_success(api, NGX_HTTP_OK, "data",
                                    ngx_constraint_profile_document(profile));
        return;
    }

    if (conditions.match) {
        ngx_http_constraint_api_precondition(api, 0);
        return;
    }

    ngx_http_constraint_api_success(api, NGX_HTTP_NOT_MODIFIED, "data",
                                    ngx_constraint_profile_document(profile));
}


void
ngx_http_constraint_api_profile_put(ngx_http_constraint_api_t *api)
{
    if (ngx_http_constraint_api_profile_body(api) != NGX_OK) {
        return;
    }

    ngx_http_constraint_api_write(api, NGX_CONSTRAINT_KIND_PROFILE,
                                  NGX_CONSTRAINT_WRITE_PUT, &api->name);
}


void
ngx_http_constraint_api_profile_delete(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_write(api, NGX_CONSTRAINT_KIND_PROFILE,
                                  NGX_CONSTRAINT_WRITE_DELETE, &api->name);
}


/* Refused here, with positions, what needs no store to be refused. */

static ngx_int_t
ngx_http_constraint_api_profile_body(ngx_http_constraint_api_t *api)
{
    json_t                        *profile, *details;
    ngx_int_t                      rc;
    ngx_constraint_field_error_t   error;

    if (ngx_constraint_catalogue_profile_find(api->catalogue, &api->name)) {
        return NGX_OK;
    }

    if (!ngx_constraint_name_valid(api->name.data, api->name.len)) {
        details = ngx_http_constraint_api_detail("name", 4, "must be "
                                                 NGX_CONSTRAINT_NAME_RULE);
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_INVALID_FIELD,
                                     details, "the name in the URI must be "
                                     NGX_CONSTRAINT_NAME_RULE);
        return NGX_DONE;
    }

    profile = ngx_http_constraint_api_object(api);
    if (profile == NULL) {
        return NGX_DONE;
    }

    rc = ngx_constraint_profile_validate(profile, &error);

    json_decref(profile);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    ngx_http_constraint_api_invalid(api, &error);

    return NGX_DONE;
}
