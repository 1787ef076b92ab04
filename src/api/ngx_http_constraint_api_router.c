
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * From path and method to a route.  The table is the API; who may call what
 * is only "allow=" here, the rest is nginx's own access control.
 */


#include "ngx_http_constraint_api.h"


static ngx_int_t ngx_http_constraint_api_path(ngx_http_constraint_api_t *api,
    ngx_str_t *path);
static ngx_int_t ngx_http_constraint_api_match(const char *pattern,
    const ngx_str_t *path, ngx_str_t *name);
static ngx_int_t ngx_http_constraint_api_no_route(
    ngx_http_constraint_api_t *api);
static ngx_int_t ngx_http_constraint_api_no_method(
    ngx_http_constraint_api_t *api,
    const ngx_http_constraint_api_route_t *first);
static ngx_int_t ngx_http_constraint_api_allow(ngx_http_constraint_api_t *api,
    const ngx_http_constraint_api_route_t *first, ngx_str_t *allow);
static ngx_int_t ngx_http_constraint_api_no_right(
    ngx_http_constraint_api_t *api,
    const ngx_http_constraint_api_route_t *route);
static const char *ngx_http_constraint_api_method_name(ngx_uint_t method);


/*
 * Routes of one pattern follow each other; a pattern with a word comes before
 * one with a name in its place.
 */

#define NGX_HTTP_CONSTRAINT_API_RECORD                                        \
    NGX_HTTP_CONSTRAINT_API_JSON, NGX_HTTP_CONSTRAINT_API_RECORD_MAX
#define NGX_HTTP_CONSTRAINT_API_WORKFLOW                                      \
    NGX_HTTP_CONSTRAINT_API_DOCUMENT, NGX_CONSTRAINT_WORKFLOW_MAX
#define NGX_HTTP_CONSTRAINT_API_FILTER                                        \
    NGX_HTTP_CONSTRAINT_API_JSON, NGX_HTTP_CONSTRAINT_API_FILTER_MAX
#define NGX_HTTP_CONSTRAINT_API_INPUT                                         \
    NGX_HTTP_CONSTRAINT_API_JSON, NGX_HTTP_CONSTRAINT_API_EXECUTE_MAX
#define NGX_HTTP_CONSTRAINT_API_NONE                                          \
    NGX_HTTP_CONSTRAINT_API_NO_BODY, 0

static const ngx_http_constraint_api_route_t
    ngx_http_constraint_api_routes[] = {

    { "/constraint/execute/*", NGX_HTTP_POST,
      NGX_HTTP_CONSTRAINT_API_EXECUTE, NGX_HTTP_CONSTRAINT_API_ARG_EXPLAIN,
      NGX_HTTP_CONSTRAINT_API_INPUT, ngx_http_constraint_api_execute },

    { "/constraint/metadata/*", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ, NGX_HTTP_CONSTRAINT_API_ARG_SIZES,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_metadata },

    { "/constraint/unload/*", NGX_HTTP_POST,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_unload },

    { "/constraint", NGX_HTTP_POST,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_RECORD,
      ngx_http_constraint_api_constraint_create },

    { "/constraint/*", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ, 0,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_constraint_get },

    { "/constraint/*", NGX_HTTP_PUT,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_RECORD,
      ngx_http_constraint_api_constraint_update },

    { "/constraint/*", NGX_HTTP_DELETE,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_NONE,
      ngx_http_constraint_api_constraint_delete },

    { "/constraints", NGX_HTTP_POST,
      NGX_HTTP_CONSTRAINT_API_READ, NGX_HTTP_CONSTRAINT_API_ARGS_LIST,
      NGX_HTTP_CONSTRAINT_API_FILTER, ngx_http_constraint_api_constraints },

    { "/workflow/check", NGX_HTTP_POST,
      NGX_HTTP_CONSTRAINT_API_READ, NGX_HTTP_CONSTRAINT_API_ARG_SIZES,
      NGX_HTTP_CONSTRAINT_API_WORKFLOW, ngx_http_constraint_api_check },

    { "/workflow", NGX_HTTP_POST,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_WORKFLOW,
      ngx_http_constraint_api_workflow_create },

    { "/workflow/*", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ, NGX_HTTP_CONSTRAINT_API_ARG_REVISION,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_workflow_get },

    { "/workflow/*", NGX_HTTP_PUT,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_WORKFLOW,
      ngx_http_constraint_api_workflow_update },

    { "/workflow/*", NGX_HTTP_DELETE,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_NONE,
      ngx_http_constraint_api_workflow_delete },

    { "/workflows", NGX_HTTP_POST,
      NGX_HTTP_CONSTRAINT_API_READ, NGX_HTTP_CONSTRAINT_API_ARGS_LIST,
      NGX_HTTP_CONSTRAINT_API_FILTER, ngx_http_constraint_api_workflows },

    { "/profiles", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ, NGX_HTTP_CONSTRAINT_API_ARGS_LIST,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_profiles },

    { "/profiles/*", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ, 0,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_profile_get },

    { "/profiles/*", NGX_HTTP_PUT,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_RECORD, ngx_http_constraint_api_profile_put },

    { "/profiles/*", NGX_HTTP_DELETE,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_profile_delete },

    { "/status", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ, 0,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_server_status },

    { "/stats", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ,
      NGX_HTTP_CONSTRAINT_API_ARG_LIMIT|NGX_HTTP_CONSTRAINT_API_ARG_CURSOR
      |NGX_HTTP_CONSTRAINT_API_ARG_SORT|NGX_HTTP_CONSTRAINT_API_ARG_BY,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_stats },

    { "/breakers", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ,
      NGX_HTTP_CONSTRAINT_API_ARG_LIMIT|NGX_HTTP_CONSTRAINT_API_ARG_CURSOR,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_breakers },

    { "/breakers/*/reset", NGX_HTTP_POST,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_breaker_reset },

#if (NGX_CONSTRAINT_FAULTS)

    { "/fault/*", NGX_HTTP_GET,
      NGX_HTTP_CONSTRAINT_API_READ, 0,
      NGX_HTTP_CONSTRAINT_API_NONE, ngx_http_constraint_api_fault_get },

    { "/fault/*", NGX_HTTP_PUT,
      NGX_HTTP_CONSTRAINT_API_WRITE, 0,
      NGX_HTTP_CONSTRAINT_API_RECORD, ngx_http_constraint_api_fault_set },

#endif

    { NULL, 0, 0, 0, NGX_HTTP_CONSTRAINT_API_NONE, NULL }
};


ngx_int_t
ngx_http_constraint_api_route(ngx_http_constraint_api_t *api)
{
    ngx_str_t                               path;
    ngx_uint_t                              method;
    const ngx_http_constraint_api_route_t  *route, *first;

    if (ngx_http_constraint_api_path(api, &path) != NGX_OK) {
        return ngx_http_constraint_api_no_route(api);
    }

    first = ngx_http_constraint_api_routes;

    while (ngx_http_constraint_api_match(first->pattern, &path, &api->name)
           != NGX_OK)
    {
        first++;

        if (first->pattern == NULL) {
            return ngx_http_constraint_api_no_route(api);
        }
    }

    method = api->request->method;

    if (method == NGX_HTTP_HEAD) {
        method = NGX_HTTP_GET;
    }

    for (route = first;
         route->pattern && ngx_strcmp(route->pattern, first->pattern) == 0;
         route++)
    {
        if (route->method != method) {
            continue;
        }

        if (!(api->conf->rights & route->right)) {
            return ngx_http_constraint_api_no_right(api, route);
        }

        api->route = route;

        return NGX_OK;
    }

    return ngx_http_constraint_api_no_method(api, first);
}


/* The path below the prefix, without a slash at the end. */

static ngx_int_t
ngx_http_constraint_api_path(ngx_http_constraint_api_t *api, ngx_str_t *path)
{
    ngx_str_t  *prefix, *uri;

    uri = &api->request->uri;
    prefix = &api->conf->prefix;

    if (uri->len < prefix->len
        || ngx_memcmp(uri->data, prefix->data, prefix->len) != 0)
    {
        return NGX_DECLINED;
    }

    path->data = uri->data + prefix->len;
    path->len = uri->len - prefix->len;

    if (path->len > 1 && path->data[path->len - 1] == '/') {
        path->len--;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_api_match(const char *pattern, const ngx_str_t *path,
    ngx_str_t *name)
{
    size_t       len, rest;
    const char  *star;

    len = ngx_strlen(pattern);
    star = strchr(pattern, '*');

    if (star == NULL) {
        return path->len == len && ngx_memcmp(path->data, pattern, len) == 0
               ? NGX_OK : NGX_DECLINED;
    }

    rest = pattern + len - (star + 1);
    len = star - pattern;

    if (path->len <= len + rest
        || ngx_memcmp(path->data, pattern, len) != 0
        || ngx_memcmp(path->data + path->len - rest, star + 1, rest) != 0)
    {
        return NGX_DECLINED;
    }

    name->data = path->data + len;
    name->len = path->len - len - rest;

    return ngx_strlchr(name->data, name->data + name->len, '/') == NULL
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_constraint_api_no_route(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_NO_SUCH_ROUTE,
                                 NULL, "there is nothing at this path; known "
                                 "are /constraint, /constraints, /workflow, "
                                 "/workflows, /profiles, /stats, /breakers "
                                 "and /status below the prefix");
    return NGX_DONE;
}


static ngx_int_t
ngx_http_constraint_api_no_method(ngx_http_constraint_api_t *api,
    const ngx_http_constraint_api_route_t *first)
{
    ngx_str_t  allow;

    if (ngx_http_constraint_api_allow(api, first, &allow) != NGX_OK) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return NGX_DONE;
    }

    ngx_http_constraint_api_header(api, "Allow", &allow);

    if (api->request->method == NGX_HTTP_OPTIONS) {
        ngx_http_constraint_api_success(api, NGX_HTTP_OK, "data",
                                        json_pack("{s:s#}", "allow",
                                                  (char *) allow.data,
                                                  (int) allow.len));
        return NGX_DONE;
    }

    ngx_http_constraint_api_fail(api,
                                 NGX_HTTP_CONSTRAINT_API_E_METHOD_NOT_ALLOWED,
                                 NULL, "this path takes %.*s",
                                 (int) allow.len, (char *) allow.data);
    return NGX_DONE;
}


static ngx_int_t
ngx_http_constraint_api_allow(ngx_http_constraint_api_t *api,
    const ngx_http_constraint_api_route_t *first, ngx_str_t *allow)
{
    u_char                                 *p;
    const ngx_http_constraint_api_route_t  *route;

    p = ngx_pnalloc(api->request->pool,
                    sizeof("GET, HEAD, POST, PUT, DELETE, OPTIONS"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    allow->data = p;

    for (route = first;
         route->pattern && ngx_strcmp(route->pattern, first->pattern) == 0;
         route++)
    {
        p = ngx_sprintf(p, "%s, ",
                        ngx_http_constraint_api_method_name(route->method));
    }

    p = ngx_cpymem(p, "OPTIONS", sizeof("OPTIONS") - 1);

    allow->len = p - allow->data;

    return NGX_OK;
}


static const char *
ngx_http_constraint_api_method_name(ngx_uint_t method)
{
    switch (method) {

    case NGX_HTTP_GET:
        return "GET, HEAD";

    case NGX_HTTP_POST:
        return "POST";

    case NGX_HTTP_PUT:
        return "PUT";

    default: /* NGX_HTTP_DELETE */
        return "DELETE";
    }
}


static ngx_int_t
ngx_http_constraint_api_no_right(ngx_http_constraint_api_t *api,
    const ngx_http_constraint_api_route_t *route)
{
    const char  *right;

    switch (route->right) {

    case NGX_HTTP_CONSTRAINT_API_READ:
        right = "read";
        break;

    case NGX_HTTP_CONSTRAINT_API_WRITE:
        right = "write";
        break;

    default: /* NGX_HTTP_CONSTRAINT_API_EXECUTE */
        right = "execute";
        break;
    }

    ngx_http_constraint_api_fail(api,
                                 NGX_HTTP_CONSTRAINT_API_E_RIGHT_MISSING,
                                 NULL, "this location's \"allow=\" lacks the "
                                 "right \"%s\", which this call needs", right);
    return NGX_DONE;
}
