
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * POST /constraint, GET, PUT and DELETE /constraint/{message_type}.  What the
 * fields of a record mean is the catalogue's.
 */


#include "ngx_http_constraint_api.h"


static ngx_int_t ngx_http_constraint_api_record(
    ngx_http_constraint_api_t *api, ngx_uint_t partial);
static ngx_int_t ngx_http_constraint_api_same_name(
    ngx_http_constraint_api_t *api, json_t *record,
    ngx_constraint_field_error_t *error);


void
ngx_http_constraint_api_constraint_create(ngx_http_constraint_api_t *api)
{
    ngx_str_t  none;

    if (ngx_http_constraint_api_record(api, 0) != NGX_OK) {
        return;
    }

    ngx_str_null(&none);

    ngx_http_constraint_api_write(api, NGX_CONSTRAINT_KIND_CONSTRAINT,
                                  NGX_CONSTRAINT_WRITE_CREATE, &none);
}


void
ngx_http_constraint_api_constraint_get(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_get_record(api, NGX_CONSTRAINT_KIND_CONSTRAINT);
}


void
ngx_http_constraint_api_constraint_update(ngx_http_constraint_api_t *api)
{
    if (ngx_http_constraint_api_record(api, 1) != NGX_OK) {
        return;
    }

    ngx_http_constraint_api_write(api, NGX_CONSTRAINT_KIND_CONSTRAINT,
                                  NGX_CONSTRAINT_WRITE_UPDATE, &api->name);
}


void
ngx_http_constraint_api_constraint_delete(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_write(api, NGX_CONSTRAINT_KIND_CONSTRAINT,
                                  NGX_CONSTRAINT_WRITE_DELETE, &api->name);
}


/* Refused here, with positions, what needs no store to be refused. */

static ngx_int_t
ngx_http_constraint_api_record(ngx_http_constraint_api_t *api,
    ngx_uint_t partial)
{
    json_t                        *record;
    ngx_int_t                      rc;
    ngx_constraint_field_error_t   error;

    record = ngx_http_constraint_api_object(api);
    if (record == NULL) {
        return NGX_DONE;
    }

    ngx_memzero(&error, sizeof(ngx_constraint_field_error_t));

    rc = ngx_constraint_record_validate(record, partial, &error);

    if (rc == NGX_OK && partial) {
        rc = ngx_http_constraint_api_same_name(api, record, &error);
    }

    json_decref(record);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    ngx_http_constraint_api_invalid(api, &error);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_constraint_api_same_name(ngx_http_constraint_api_t *api,
    json_t *record, ngx_constraint_field_error_t *error)
{
    json_t  *name;

    name = json_object_get(record, "message_type");

    if (name == NULL
        || (json_string_length(name) == api->name.len
            && ngx_memcmp(json_string_value(name), api->name.data,
                          api->name.len)
               == 0))
    {
        return NGX_OK;
    }

    ngx_str_set(&error->path, "$.message_type");
    ngx_cpystrn(error->message, (u_char *) "is not the one in the path: a "
                "constraint keeps its message type",
                sizeof(error->message));

    return NGX_DECLINED;
}
