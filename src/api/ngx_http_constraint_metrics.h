
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_http_constraint_metrics.h - private to src/api: metrics for Prometheus,
 * from what was counted to text.
 *
 *   metrics          the directive, the answer
 *   metrics_collect  what one zone has counted, in a thread
 *   metrics_text     the exposition format
 */


#ifndef _NGX_HTTP_CONSTRAINT_METRICS_H_INCLUDED_
#define _NGX_HTTP_CONSTRAINT_METRICS_H_INCLUDED_


#include "ngx_http_constraint_api.h"


/* Names that no message type and no profile can have. */
#define NGX_HTTP_CONSTRAINT_METRICS_OTHER  NGX_CONSTRAINT_STATS_OTHER
#define NGX_HTTP_CONSTRAINT_METRICS_NONE   "(none)"


/* What was counted under one label, malloc'ed, in a list. */

typedef struct ngx_http_constraint_metric_s  ngx_http_constraint_metric_t;

struct ngx_http_constraint_metric_s {
    ngx_http_constraint_metric_t        *next;
    ngx_str_t                            label;
    u_char                               text[NGX_CONSTRAINT_STATS_NAME_MAX];
    ngx_constraint_feedback_t           *feedback;   /* or NULL */
    ngx_constraint_limits_t              limits;     /* if that is not */
    ngx_constraint_stats_view_t          view;
};


typedef struct {
    /* in */
    ngx_constraint_catalogue_t          *catalogue;
    ngx_str_t                            name;
    ngx_constraint_catalogue_status_t    status;
    ngx_constraint_stats_status_t        stats;

    /* out */
    ngx_http_constraint_metric_t        *constraints;
    ngx_http_constraint_metric_t        *profiles;
    ngx_constraint_stats_view_t         *total;
} ngx_http_constraint_metrics_zone_t;


/* NGX_OK or NGX_ERROR: no memory; free takes what is there. */
ngx_int_t ngx_http_constraint_metrics_collect_thread(
    ngx_http_constraint_metrics_zone_t *zone);
void ngx_http_constraint_metrics_free(
    ngx_http_constraint_metrics_zone_t *zone);

/* The whole text in malloc, NULL: no memory. */
char *ngx_http_constraint_metrics_text(
    ngx_http_constraint_metrics_zone_t *zones, ngx_uint_t n, size_t *len);


#endif /* _NGX_HTTP_CONSTRAINT_METRICS_H_INCLUDED_ */
