
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * POST /workflows: the workflows that match a filter.
 */


#include "ngx_http_constraint_api.h"


void
ngx_http_constraint_api_workflows(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_list(api, NGX_CONSTRAINT_KIND_WORKFLOW);
}
