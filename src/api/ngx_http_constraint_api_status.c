
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * GET /status: the server, the store, this worker.  Answers 200 whatever the
 * state is; the state is in the answer.
 */


#include "ngx_http_constraint_api.h"
#include "ngx_constraint_audit.h"


static json_t *ngx_http_constraint_api_status_store(
    ngx_http_constraint_api_t *api,
    const ngx_constraint_catalogue_status_t *status);
static json_t *ngx_http_constraint_api_status_zone(
    ngx_http_constraint_api_t *api,
    const ngx_constraint_catalogue_status_t *status);
static json_t *ngx_http_constraint_api_status_worker(
    const ngx_constraint_catalogue_status_t *status);
static json_t *ngx_http_constraint_api_status_audit(void);


void
ngx_http_constraint_api_server_status(ngx_http_constraint_api_t *api)
{
    json_t                             *data;
    ngx_constraint_catalogue_status_t   status;

    ngx_memzero(&status, sizeof(ngx_constraint_catalogue_status_t));

    ngx_constraint_catalogue_status(api->catalogue, &status);

    data = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o}",
                     "version", NGX_CONSTRAINT_VERSION,
                     "nginx", NGINX_VERSION,
                     "schema", (json_int_t) status.schema,
                     "generation", (json_int_t) status.generation,
                     "constraints", (json_int_t) status.constraints,
                     "workflows", (json_int_t) status.workflows,
                     "store",
                     ngx_http_constraint_api_status_store(api, &status),
                     "zone",
                     ngx_http_constraint_api_status_zone(api, &status),
                     "worker",
                     ngx_http_constraint_api_status_worker(&status),
                     "audit", ngx_http_constraint_api_status_audit());

    ngx_http_constraint_api_success(api, NGX_HTTP_OK, "data", data);
}


static json_t *
ngx_http_constraint_api_status_store(ngx_http_constraint_api_t *api,
    const ngx_constraint_catalogue_status_t *status)
{
    json_t                            *store;
    const ngx_constraint_zone_conf_t  *conf;

    conf = ngx_constraint_catalogue_conf(api->catalogue);

    store = json_pack("{s:s,s:o,s:I,s:I,s:I,s:I}",
                      "state", status->open ? "open" : "unavailable",
                      "path",
                      ngx_http_constraint_api_string((char *) conf->path.data,
                                                     conf->path.len),
                      "map_size", (json_int_t) status->map_size,
                      "map_used", (json_int_t) status->map_used,
                      "readers_max", (json_int_t) status->readers_max,
                      "readers_used", (json_int_t) status->readers_used);

    if (!status->open) {
        (void) json_object_set_new(store, "error",
                   ngx_http_constraint_api_string((char *) status->error.data,
                                                  status->error.len));
    }

    return store;
}


static json_t *
ngx_http_constraint_api_status_zone(ngx_http_constraint_api_t *api,
    const ngx_constraint_catalogue_status_t *status)
{
    return json_pack("{s:o,s:I,s:I,s:I,s:I,s:I}",
              "name",
              ngx_http_constraint_api_string((char *) api->conf->zone.data,
                                             api->conf->zone.len),
              "size", (json_int_t) status->zone_size,
              "free", (json_int_t) status->zone_free,
              "records", (json_int_t) status->zone_records,
              "evictions", (json_int_t) status->zone_evictions,
              "discards", (json_int_t) status->zone_discards);
}


static json_t *
ngx_http_constraint_api_status_worker(
    const ngx_constraint_catalogue_status_t *status)
{
    return json_pack("{s:I,s:I,s:I,s:I}",
                     "pid", (json_int_t) ngx_pid,
                     "programs", (json_int_t) status->programs,
                     "program_bytes", (json_int_t) status->program_bytes,
                     "writes_queued", (json_int_t) status->writes_queued);
}


/* Lines of the audit log, of all workers. */

static json_t *
ngx_http_constraint_api_status_audit(void)
{
    ngx_constraint_audit_counts_t  counts;

    ngx_constraint_audit_counts(&counts);

    return json_pack("{s:I,s:I,s:I}",
                     "kept", (json_int_t) counts.kept,
                     "written", (json_int_t) counts.written,
                     "dropped", (json_int_t) counts.dropped);
}
