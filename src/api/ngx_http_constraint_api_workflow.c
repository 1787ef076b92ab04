
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * POST /workflow, GET, PUT and DELETE /workflow/{id}.  Documents are read,
 * checked and compiled where they are stored, in the store's thread.
 */


#include "ngx_http_constraint_api.h"


void
ngx_http_constraint_api_workflow_create(ngx_http_constraint_api_t *api)
{
    ngx_str_t  none;

    ngx_str_null(&none);

    ngx_http_constraint_api_write(api, NGX_CONSTRAINT_KIND_WORKFLOW,
                                  NGX_CONSTRAINT_WRITE_CREATE, &none);
}


void
ngx_http_constraint_api_workflow_get(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_get_workflow(api);
}


void
ngx_http_constraint_api_workflow_update(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_write(api, NGX_CONSTRAINT_KIND_WORKFLOW,
                                  NGX_CONSTRAINT_WRITE_UPDATE, &api->name);
}


void
ngx_http_constraint_api_workflow_delete(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_write(api, NGX_CONSTRAINT_KIND_WORKFLOW,
                                  NGX_CONSTRAINT_WRITE_DELETE, &api->name);
}
