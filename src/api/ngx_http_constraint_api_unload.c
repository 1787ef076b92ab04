
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * POST /constraint/unload/{message_type}: out of memory, not out of the
 * store; the next use loads it again.
 */


#include "ngx_http_constraint_api.h"


void
ngx_http_constraint_api_unload(ngx_http_constraint_api_t *api)
{
    ngx_int_t  rc;

    rc = NGX_DECLINED;

    if (ngx_constraint_name_valid(api->name.data, api->name.len)) {
        rc = ngx_constraint_catalogue_unload(api->catalogue, &api->name);
    }

    if (rc == NGX_OK) {
        ngx_http_constraint_api_success(api, NGX_HTTP_OK, "message",
                                        json_string("Constraint unloaded"));
        return;
    }

    if (rc == NGX_DECLINED) {
        ngx_http_constraint_api_not_found(api,
                                          NGX_CONSTRAINT_KIND_CONSTRAINT);
        return;
    }

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_STORE, NULL,
                                 "the store is not available, see /status");
}
