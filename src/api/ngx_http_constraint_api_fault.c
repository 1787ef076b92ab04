
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * GET and PUT /fault/{name}, {"value": N}: the faults of test builds.  Other
 * builds have neither the faults nor these routes.
 */


#include "ngx_http_constraint_api.h"


#if (NGX_CONSTRAINT_FAULTS)


void
ngx_http_constraint_api_fault_get(ngx_http_constraint_api_t *api)
{
    char  name[NGX_CONSTRAINT_NAME_MAX + 1];

    (void) ngx_cpystrn((u_char *) name, api->name.data,
                       ngx_min(sizeof(name), api->name.len + 1));

    ngx_http_constraint_api_success(api, NGX_HTTP_OK, "data",
                                    json_pack("{s:I}", "value",
                                              (json_int_t)
                                              ngx_constraint_fault(name)));
}


void
ngx_http_constraint_api_fault_set(ngx_http_constraint_api_t *api)
{
    json_t     *body, *value;
    ngx_int_t   rc;

    body = ngx_http_constraint_api_object(api);
    if (body == NULL) {
        return;
    }

    value = json_object_get(body, "value");

    rc = json_is_integer(value)
         ? ngx_constraint_fault_set(&api->name, json_integer_value(value))
         : NGX_ERROR;

    json_decref(body);

    if (rc != NGX_OK) {
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_INVALID_FIELD,
                                     NULL, "$.value is a whole number, and "
                                     "there is room for 64 faults of 55 "
                                     "bytes");
        return;
    }

    ngx_http_constraint_api_success(api, NGX_HTTP_OK, "message",
                                    json_string("Fault set"));
}


#endif
