/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What one zone has counted, by label: as many constraints and profiles as
 * have one, and all the others together.
 */


#include "ngx_http_constraint_metrics.h"


static ngx_int_t ngx_http_constraint_metrics_visit(void *ctx,
    const ngx_constraint_stats_visit_t *visit);
static ngx_http_constraint_metric_t *ngx_http_constraint_metric_get(
    ngx_http_constraint_metric_t **list, const u_char *name, size_t len);
static void ngx_http_constraint_metric_feedback(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name,
    ngx_http_constraint_metric_t *metric);
static void ngx_http_constraint_metric_free(
    ngx_http_constraint_metric_t *metric);


ngx_int_t
ngx_http_constraint_metrics_collect_thread(
    ngx_http_constraint_metrics_zone_t *zone)
{
    ngx_slab_pool_t                     *shpool;
    ngx_constraint_stats_t              *stats;
    ngx_http_constraint_metric_t        *other;

    stats = ngx_constraint_catalogue_stats(zone->catalogue, &shpool);

    zone->total = calloc(1, sizeof(ngx_constraint_stats_view_t));

    other = ngx_http_constraint_metric_get(&zone->constraints,
                          (u_char *) NGX_HTTP_CONSTRAINT_METRICS_OTHER,
                          sizeof(NGX_HTTP_CONSTRAINT_METRICS_OTHER) - 1);

    if (zone->total == NULL || other == NULL) {
        return NGX_ERROR;
    }

    ngx_constraint_stats_label(stats, shpool);
    ngx_constraint_stats_unlabelled(stats, shpool, &other->view);

    return ngx_constraint_stats_walk(stats, shpool,
                                     ngx_http_constraint_metrics_visit,
                                     zone);
}


static ngx_int_t
ngx_http_constraint_metrics_visit(void *ctx,
    const ngx_constraint_stats_visit_t *visit)
{
    ngx_http_constraint_metrics_zone_t *zone = ctx;

    size_t                         len;
    u_char                        *name;
    ngx_http_constraint_metric_t  *metric;

    ngx_constraint_stats_merge(zone->total, visit->view);

    name = visit->profile->data;
    len = visit->profile->len;

    if (len == 0) {
        name = (u_char *) NGX_HTTP_CONSTRAINT_METRICS_NONE;
        len = sizeof(NGX_HTTP_CONSTRAINT_METRICS_NONE) - 1;

    } else if (!visit->profile_labelled) {
        name = (u_char *) NGX_HTTP_CONSTRAINT_METRICS_OTHER;
        len = sizeof(NGX_HTTP_CONSTRAINT_METRICS_OTHER) - 1;
    }

    metric = ngx_http_constraint_metric_get(&zone->profiles, name, len);
    if (metric == NULL) {
        return NGX_ERROR;
    }

    ngx_constraint_stats_merge(&metric->view, visit->view);

    if (visit->name == NULL) {
        return NGX_OK;
    }

    name = visit->name->data;
    len = visit->name->len;

    if (!visit->labelled) {
        name = (u_char *) NGX_HTTP_CONSTRAINT_METRICS_OTHER;
        len = sizeof(NGX_HTTP_CONSTRAINT_METRICS_OTHER) - 1;
    }

    metric = ngx_http_constraint_metric_get(&zone->constraints, name, len);
    if (metric == NULL) {
        return NGX_ERROR;
    }

    ngx_constraint_stats_merge(&metric->view, visit->view);

    if (visit->labelled && metric->feedback == NULL) {
        ngx_http_constraint_metric_feedback(zone->catalogue, visit->name,
                                            metric);
    }

    return NGX_OK;
}


/* What it declares is in the store: only that tells what is to be shown. */

static void
ngx_http_constraint_metric_feedback(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *name, ngx_http_constraint_metric_t *metric)
{
    json_t                  *document;
    uint64_t                 revision;
    ngx_slab_pool_t         *shpool;
    ngx_constraint_stats_t  *stats;

    stats = ngx_constraint_catalogue_stats(catalogue, &shpool);

    if (ngx_constraint_stats_state_lookup(stats, shpool, name, 0, NULL)
        == NULL)
    {
        return;
    }

    revision = 0;
    document = NULL;

    if (ngx_constraint_catalogue_get_thread(catalogue,
                                            NGX_CONSTRAINT_KIND_CONSTRAINT,
                                            name, &revision, &document, NULL)
        == NGX_OK)
    {
        metric->feedback = ngx_http_constraint_api_feedback(catalogue, name,
                                                            document, NULL,
                                                            &metric->limits);
        json_decref(document);
    }
}


/* The label's, made if need be. */

static ngx_http_constraint_metric_t *
ngx_http_constraint_metric_get(ngx_http_constraint_metric_t **list,
    const u_char *name, size_t len)
{
    ngx_http_constraint_metric_t  *metric;

    for (metric = *list; metric; metric = metric->next) {
        if (metric->label.len == len
            && ngx_memcmp(metric->label.data, name, len) == 0)
        {
            return metric;
        }
    }

    metric = calloc(1, sizeof(ngx_http_constraint_metric_t));
    if (metric == NULL) {
        return NULL;
    }

    metric->label.data = metric->text;
    metric->label.len = len;
    ngx_memcpy(metric->text, name, len);

    metric->next = *list;
    *list = metric;

    return metric;
}


void
ngx_http_constraint_metrics_free(ngx_http_constraint_metrics_zone_t *zone)
{
    ngx_http_constraint_metric_free(zone->constraints);
    ngx_http_constraint_metric_free(zone->profiles);

    free(zone->total);
}


static void
ngx_http_constraint_metric_free(ngx_http_constraint_metric_t *metric)
{
    ngx_http_constraint_metric_t  *next;

    while (metric) {
        next = metric->next;
        free(metric);
        metric = next;
    }
}
