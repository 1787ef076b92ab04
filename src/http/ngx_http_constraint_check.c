
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What is wrong with a request whatever the constraint says: an ambiguous
 * path, a repeated header that is to be single.
 */


#include "ngx_http_constraint_request.h"


void
ngx_http_constraint_check(ngx_http_request_t *r,
    ngx_http_constraint_ctx_t *ctx, ngx_constraint_enforcement_t *e)
{
    u_char            text[256];
    ngx_str_t         message;
    const char       *what;
    const ngx_str_t  *name;

    message.data = text;

    what = ngx_http_constraint_check_path(r);

    if (what) {
        message.len = ngx_sprintf(text, "the path holds %s", what) - text;
        ngx_constraint_refuse(e, NGX_CONSTRAINT_E_PATH_AMBIGUOUS, &message);
        return;
    }

    name = ngx_http_constraint_check_headers(r,
                                             ctx->work->source.headers.list);

    if (name) {
        message.len = ngx_snprintf(text, sizeof(text),
                                   "header \"%V\" is repeated", name)
                      - text;
        ngx_constraint_refuse(e, NGX_CONSTRAINT_E_HEADER_REPEATED, &message);
    }
}


const char *
ngx_http_constraint_check_path(ngx_http_request_t *r)
{
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    if (!plcf->path_strict || r != r->main
        || ngx_constraint_fault("gate.off_path"))
    {
        return NULL;
    }

    return ngx_http_constraint_path_ambiguous(r);
}


const ngx_str_t *
ngx_http_constraint_check_headers(ngx_http_request_t *r,
    ngx_list_t *list)
{
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    if (plcf->single_headers == NULL
        || ngx_constraint_fault("gate.off_single"))
    {
        return NULL;
    }

    return ngx_http_constraint_header_repeated(list,
                                               plcf->single_headers);
}
