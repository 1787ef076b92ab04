/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What metadata, statistics, lists and metrics tell of breakers and adaptive
 * limits: what is declared now, and what all workers keep of it.
 */


#include "ngx_http_constraint_api.h"


static void ngx_http_constraint_api_declared(
    ngx_constraint_catalogue_t *catalogue, json_t *document,
    ngx_constraint_limits_t *limits);


static ngx_constraint_feedback_t  ngx_http_constraint_api_untouched;


/* One that was never met is as it begins. */

ngx_constraint_feedback_t *
ngx_http_constraint_api_feedback(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *name, json_t *document, ngx_atomic_t **pieces,
    ngx_constraint_limits_t *limits)
{
    ngx_uint_t                  i, number;
    ngx_slab_pool_t            *shpool;
    ngx_constraint_stats_t     *stats;
    ngx_constraint_feedback_t  *feedback;

    stats = ngx_constraint_catalogue_stats(catalogue, &shpool);

    feedback = ngx_constraint_stats_state_lookup(stats, shpool, name,
                                      ngx_http_constraint_api_born(document),
                                      pieces);

    if (feedback == NULL) {
        feedback = &ngx_http_constraint_api_untouched;

        for (i = 0; pieces && i < NGX_CONSTRAINT_STATS_MORE; i++) {
            pieces[i] = NULL;
        }
    }

    ngx_http_constraint_api_declared(catalogue, document, limits);

    number = ngx_constraint_catalogue_number(catalogue);

    if (!(limits->execution.set & NGX_CONSTRAINT_SET_BREAKER)
        && feedback->breaks == number)
    {
        limits->breaker = feedback->breaker_conf;
        limits->execution.set |= NGX_CONSTRAINT_SET_BREAKER;
    }

    if (!(limits->execution.set & NGX_CONSTRAINT_SET_ADAPTIVE)
        && feedback->adapts == number)
    {
        limits->adaptive = feedback->adaptive_conf;
        limits->execution.set |= NGX_CONSTRAINT_SET_ADAPTIVE;
    }

    if (!(limits->execution.set & NGX_CONSTRAINT_SET_MAX_EXEC)) {
        limits->execution.max_exec_us = feedback->max_exec_us;
    }

    return feedback;
}


/* The constraint's own over its profile's; nothing borrows from either. */

static void
ngx_http_constraint_api_declared(ngx_constraint_catalogue_t *catalogue,
    json_t *document, ngx_constraint_limits_t *limits)
{
    json_t                          *value, *stored;
    uint64_t                         revision;
    ngx_str_t                        name;
    ngx_constraint_limits_t          under;
    const ngx_constraint_profile_t  *fixed;

    ngx_constraint_limits_init(limits);
    ngx_constraint_limits_init(&under);

    value = json_object_get(document, "execution");

    if (value && ngx_constraint_limits_parse(value, limits, NULL) != NGX_OK) {
        ngx_constraint_limits_init(limits);
    }

    value = json_object_get(document, "profile");

    name.data = (u_char *) json_string_value(value);
    name.len = json_string_length(value);

    fixed = NULL;
    stored = NULL;
    revision = 0;

    if (name.len) {
        fixed = ngx_constraint_catalogue_profile_find(catalogue, &name);
    }

    if (fixed) {
        under = fixed->limits;

    } else if (name.len
               && ngx_constraint_catalogue_get_thread(catalogue,
                                                  NGX_CONSTRAINT_KIND_PROFILE,
                                                  &name, &revision, &stored,
                                                  NULL)
                  == NGX_OK)
    {
        (void) ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_PROFILE,
                                              stored, &under);
    }

    ngx_constraint_limits_merge(limits, &under);

    ngx_str_null(&limits->sampling_key);
    ngx_str_null(&limits->profile);

    json_decref(stored);
}


json_t *
ngx_http_constraint_api_breaker_json(ngx_constraint_feedback_t *feedback,
    const ngx_constraint_breaker_conf_t *conf)
{
    json_t                           *configuration;
    ngx_constraint_breaker_status_t   status;

    ngx_constraint_breaker_status(&feedback->breaker,
                                  ngx_constraint_now_ns() / 1000000, &status);

    configuration = json_pack("{s:I,s:I,s:I,s:s,s:I}",
                        "violations", (json_int_t) conf->violations,
                        "window_ms", (json_int_t) conf->window_ms,
                        "open_ms", (json_int_t) conf->open_ms,
                        "effect",
                        conf->effect == NGX_CONSTRAINT_BOUND_ALLOW ? "allow"
                        : conf->effect == NGX_CONSTRAINT_BOUND_SHADOW
                          ? "shadow" : "deny",
                        "half_open_probes",
                        (json_int_t) conf->half_open_probes);

    return json_pack("{s:s,s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I},s:o}",
                     "state", ngx_constraint_breaker_name(status.state),
                     "since_ms", (json_int_t) status.since_ms,
                     "violations", (json_int_t) status.violations,
                     "probes", (json_int_t) status.probes,
                     "passed", (json_int_t) status.passed,
                     "transitions",
                     "open", (json_int_t)
                     status.transitions[NGX_CONSTRAINT_BREAKER_OPEN],
                     "half_open", (json_int_t)
                     status.transitions[NGX_CONSTRAINT_BREAKER_HALF_OPEN],
                     "closed", (json_int_t)
                     status.transitions[NGX_CONSTRAINT_BREAKER_CLOSED],
                     "configuration", configuration);
}


void
ngx_http_constraint_api_feedback_set(json_t *object,
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name,
    json_t *document, ngx_constraint_histogram_t *scratch)
{
    json_t                     *p99;
    uint32_t                    limit;
    uint64_t                    samples;
    ngx_atomic_t               *pieces[NGX_CONSTRAINT_STATS_MORE];
    ngx_constraint_limits_t     limits;
    ngx_constraint_feedback_t  *feedback;

    feedback = ngx_http_constraint_api_feedback(catalogue, name, document,
                                                pieces, &limits);

    if (limits.execution.set & NGX_CONSTRAINT_SET_BREAKER) {
        (void) json_object_set_new(object, "breaker",
                      ngx_http_constraint_api_breaker_json(feedback,
                                                           &limits.breaker));
    }

    if (!(limits.execution.set & NGX_CONSTRAINT_SET_ADAPTIVE)) {
        return;
    }

    samples = ngx_constraint_adaptive_learn(&feedback->adaptive, pieces,
                                            scratch);
    limit = ngx_constraint_adaptive_limit(&feedback->adaptive,
                                          &limits.adaptive,
                                          limits.execution.max_exec_us);
    p99 = feedback->adaptive.p99_ns
          ? json_real((double) feedback->adaptive.p99_ns / 1000000)
          : json_null();

    (void) json_object_set_new(object, "adaptive",
               json_pack("{s:f,s:o,s:I,s:f,s:f,s:f}",
                         "max_exec_ms", (double) limit / 1000,
                         "p99_ms", p99,
                         "samples", (json_int_t) samples,
                         "factor", limits.adaptive.factor,
                         "min_ms", (double) limits.adaptive.min_us / 1000,
                         "max_ms", (double) limits.adaptive.max_us / 1000));
}
