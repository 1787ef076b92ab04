/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The directive constraint_metrics: a location that answers with metrics for
 * Prometheus, of one zone or of all.  What it tells is made in a pool thread.
 */


#include "ngx_http_constraint_metrics.h"


typedef struct {
    ngx_http_constraint_api_job_t         job;      /* first */
    ngx_uint_t                            n;
    ngx_http_constraint_metrics_zone_t   *zones;    /* malloc */
} ngx_http_constraint_metrics_job_t;


static ngx_int_t ngx_http_constraint_metrics_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_constraint_metrics_method(
    ngx_http_constraint_api_t *api);
static void ngx_http_constraint_metrics_thread(
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_metrics_done(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_job_t *job);
static void ngx_http_constraint_metrics_text_free(void *data);
static void ngx_http_constraint_metrics_destroy(
    ngx_http_constraint_api_job_t *job);


/* constraint_metrics [ZONE] */

char *
ngx_http_constraint_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_constraint_api_conf_t *aacf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (aacf->metrics) {
        return "is duplicate";
    }

    if (aacf->zone.data) {
        return "is in a location of \"constraint_api\"";
    }

    value = cf->args->elts;
    aacf->metrics = 1;

    if (cf->args->nelts == 2) {

        if (value[1].len == 0) {
            return "needs the name of a zone, or none for all of them";
        }

        aacf->metrics_zone = value[1];
    }

    aacf->file = cf->conf_file->file.name.data;
    aacf->line = cf->conf_file->line;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_constraint_metrics_handler;
    aacf->handler = clcf->handler;

    ngx_http_constraint_exempt(cf);

    return ngx_http_constraint_api_conf_keep(cf, aacf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_http_constraint_metrics_handler(ngx_http_request_t *r)
{
    ngx_uint_t                            i, n;
    ngx_slab_pool_t                      *shpool;
    ngx_constraint_stats_t               *stats;
    ngx_constraint_catalogue_t          **catalogues;
    ngx_http_constraint_api_t            *api;
    ngx_http_constraint_metrics_job_t    *job;
    ngx_http_constraint_metrics_zone_t   *zone;

    r->disable_not_modified = 1;
    r->allow_ranges = 0;

    api = ngx_http_constraint_api_create(r);
    if (api == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    if (ngx_http_constraint_metrics_method(api) != NGX_OK) {
        return NGX_DONE;
    }

    job = ngx_http_constraint_api_job_create(api,
                                  sizeof(ngx_http_constraint_metrics_job_t));
    if (job == NULL) {
        return NGX_DONE;
    }

    job->job.run_thread = ngx_http_constraint_metrics_thread;
    job->job.done = ngx_http_constraint_metrics_done;
    job->job.destroy = ngx_http_constraint_metrics_destroy;

    n = 1;
    catalogues = &api->catalogue;

    if (api->catalogue == NULL) {
        n = ngx_http_constraint_catalogues(&catalogues);
    }

    job->zones = ngx_calloc(n * sizeof(ngx_http_constraint_metrics_zone_t)
                            + 1, ngx_cycle->log);

    if (job->zones == NULL) {
        ngx_constraint_job_destroy(&job->job.job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return NGX_DONE;
    }

    job->n = n;

    for (i = 0; i < n; i++) {
        zone = &job->zones[i];

        zone->catalogue = catalogues[i];
        zone->name = ngx_constraint_catalogue_conf(catalogues[i])->name;

        ngx_constraint_catalogue_status(catalogues[i], &zone->status);

        stats = ngx_constraint_catalogue_stats(catalogues[i], &shpool);
        ngx_constraint_stats_status(stats, shpool, &zone->stats);
    }

    ngx_http_constraint_api_job_post(api, &job->job);

    return NGX_DONE;
}


/* NGX_OK, or NGX_DONE when answered, as the API does */

static ngx_int_t
ngx_http_constraint_metrics_method(ngx_http_constraint_api_t *api)
{
    static ngx_str_t  allow = ngx_string("GET, HEAD, OPTIONS");

    if (api->request->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        return NGX_OK;
    }

    ngx_http_constraint_api_header(api, "Allow", &allow);

    if (api->request->method == NGX_HTTP_OPTIONS) {
        ngx_http_constraint_api_success(api, NGX_HTTP_OK, "data",
                                        json_pack("{s:s}", "allow",
                                                  (char *) allow.data));
        return NGX_DONE;
    }

    ngx_http_constraint_api_fail(api,
                                 NGX_HTTP_CONSTRAINT_API_E_METHOD_NOT_ALLOWED,
                                 NULL, "this path takes %s",
                                 (char *) allow.data);
    return NGX_DONE;
}


static void
ngx_http_constraint_metrics_thread(ngx_http_constraint_api_job_t *job)
{
    ngx_uint_t                          i;
    ngx_http_constraint_metrics_job_t  *metrics;

    metrics = (ngx_http_constraint_metrics_job_t *) job;

    for (i = 0; i < metrics->n; i++) {
        if (ngx_http_constraint_metrics_collect_thread(&metrics->zones[i])
            != NGX_OK)
        {
            return;
        }
    }

    job->text = ngx_http_constraint_metrics_text(metrics->zones, metrics->n,
                                                 &job->len);
}


static void
ngx_http_constraint_metrics_done(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_job_t *job)
{
    ngx_int_t            rc;
    ngx_str_t            text;
    ngx_pool_cleanup_t  *cln;

    static ngx_str_t  type = ngx_string("text/plain; version=0.0.4; "
                                        "charset=utf-8");

    cln = job->text ? ngx_pool_cleanup_add(api->request->pool, 0) : NULL;

    if (cln == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    cln->handler = ngx_http_constraint_metrics_text_free;
    cln->data = job->text;

    text.data = (u_char *) job->text;
    text.len = job->len;
    job->text = NULL;

    api->answered = 1;

    rc = ngx_http_constraint_send(api->request, NGX_HTTP_OK, &type, &text,
                                  NULL);

    ngx_http_finalize_request(api->request, rc);
}


static void
ngx_http_constraint_metrics_text_free(void *data)
{
    free(data);
}


static void
ngx_http_constraint_metrics_destroy(ngx_http_constraint_api_job_t *job)
{
    ngx_uint_t                          i;
    ngx_http_constraint_metrics_job_t  *metrics;

    metrics = (ngx_http_constraint_metrics_job_t *) job;

    for (i = 0; i < metrics->n; i++) {
        ngx_http_constraint_metrics_free(&metrics->zones[i]);
    }

    ngx_free(metrics->zones);
}
