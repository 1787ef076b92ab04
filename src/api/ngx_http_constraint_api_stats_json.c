/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Statistics as JSON: counters, errors and violations by name, quantiles.
 * Reads a view and nothing else; any thread.
 */


#include "ngx_http_constraint_api.h"


static json_t *ngx_http_constraint_api_stats_counters(
    const ngx_constraint_stats_view_t *view);
static json_t *ngx_http_constraint_api_stats_errors(
    const ngx_constraint_stats_view_t *view);
static json_t *ngx_http_constraint_api_stats_violations(
    const ngx_constraint_stats_view_t *view);
static void ngx_http_constraint_api_stats_quantiles(json_t *object,
    const ngx_constraint_histogram_t *histogram, uint64_t max,
    const char *unit);


static const double  ngx_http_constraint_api_quantiles[] = {
    0.5, 0.9, 0.99, 0.999
};

static const char  *ngx_http_constraint_api_quantile_names[] = {
    "p50", "p90", "p99", "p99_9"
};


void
ngx_http_constraint_api_stats_set(json_t *object,
    const ngx_constraint_stats_view_t *view)
{
    double           total;
    uint64_t         count;
    json_t          *latency, *cpu, *memory;
    const uint64_t  *values;

    values = view->values;
    count = values[NGX_CONSTRAINT_STAT_INLINE]
            + values[NGX_CONSTRAINT_STAT_THREAD];
    total = (double) values[NGX_CONSTRAINT_STAT_TIME_NS] / 1000;

    latency = json_pack("{s:I,s:f,s:f,s:f}",
                        "samples", (json_int_t) view->latency.count,
                        "average_us", count ? total / (double) count : 0.0,
                        "max_us",
                        (double) values[NGX_CONSTRAINT_STAT_TIME_MAX_NS]
                        / 1000,
                        "total_us", total);
    ngx_http_constraint_api_stats_quantiles(latency, &view->latency,
                                 values[NGX_CONSTRAINT_STAT_TIME_MAX_NS],
                                 "us");

    cpu = json_pack("{s:I,s:f}", "samples", (json_int_t) view->cpu.count,
                    "total_us",
                    (double) values[NGX_CONSTRAINT_STAT_CPU_NS] / 1000);
    ngx_http_constraint_api_stats_quantiles(cpu, &view->cpu,
                                 values[NGX_CONSTRAINT_STAT_TIME_MAX_NS],
                                 "us");

    memory = json_pack("{s:I,s:I}",
                       "samples", (json_int_t) view->memory.count,
                       "max_bytes",
                       (json_int_t) values[NGX_CONSTRAINT_STAT_MEMORY_MAX]);
    ngx_http_constraint_api_stats_quantiles(memory, &view->memory,
                                 values[NGX_CONSTRAINT_STAT_MEMORY_MAX],
                                 "bytes");

    (void) json_object_set_new(object, "counters",
                               ngx_http_constraint_api_stats_counters(view));
    (void) json_object_set_new(object, "errors",
                               ngx_http_constraint_api_stats_errors(view));
    (void) json_object_set_new(object, "violations",
                            ngx_http_constraint_api_stats_violations(view));
    (void) json_object_set_new(object, "latency", latency);
    (void) json_object_set_new(object, "cpu", cpu);
    (void) json_object_set_new(object, "memory", memory);
}


static json_t *
ngx_http_constraint_api_stats_counters(
    const ngx_constraint_stats_view_t *view)
{
    json_t      *counters;
    ngx_uint_t   i;

    static const struct {
        const char             *name;
        ngx_constraint_stat_e   stat;
    } names[] = {
        { "executions", NGX_CONSTRAINT_STAT_EXECUTIONS },
        { "allows", NGX_CONSTRAINT_STAT_ALLOWS },
        { "denies", NGX_CONSTRAINT_STAT_DENIES },
        { "failed_open", NGX_CONSTRAINT_STAT_FAILED_OPEN },
        { "errors_request", NGX_CONSTRAINT_STAT_ERRORS_REQUEST },
        { "errors_ours", NGX_CONSTRAINT_STAT_ERRORS_OURS },
        { "retries", NGX_CONSTRAINT_STAT_RETRIES },
        { "sampled_out", NGX_CONSTRAINT_STAT_SAMPLED_OUT },
        { "breaker_open", NGX_CONSTRAINT_STAT_BREAKER },
        { "inline", NGX_CONSTRAINT_STAT_INLINE },
        { "thread", NGX_CONSTRAINT_STAT_THREAD },
        { "cost_units", NGX_CONSTRAINT_STAT_COST }
    };

    counters = json_object();

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void) json_object_set_new(counters, names[i].name,
                   json_integer((json_int_t) view->values[names[i].stat]));
    }

    return counters;
}


/* Those that have happened, by their names. */

static json_t *
ngx_http_constraint_api_stats_errors(const ngx_constraint_stats_view_t *view)
{
    json_t           *errors;
    ngx_uint_t        i;
    const ngx_str_t  *name;

    errors = json_object();

    for (i = 1; i < NGX_CONSTRAINT_E_KINDS; i++) {
        name = ngx_constraint_error_name(i);

        if (view->errors[i] && name->len) {
            (void) json_object_set_new(errors, (char *) name->data,
                              json_integer((json_int_t) view->errors[i]));
        }
    }

    return errors;
}


static json_t *
ngx_http_constraint_api_stats_violations(
    const ngx_constraint_stats_view_t *view)
{
    json_t      *violations;
    ngx_uint_t   i;
    const char  *name;

    violations = json_object();

    for (i = 0; i < NGX_CONSTRAINT_STATS_VIOLATIONS; i++) {
        name = ngx_constraint_stats_violation_name(i);

        if (name && view->violations[i]) {
            (void) json_object_set_new(violations, name,
                          json_integer((json_int_t) view->violations[i]));
        }
    }

    return violations;
}


/* "p99_us": a quantile is no more than the maximum that is known */

static void
ngx_http_constraint_api_stats_quantiles(json_t *object,
    const ngx_constraint_histogram_t *histogram, uint64_t max,
    const char *unit)
{
    char        name[32];
    json_t     *json;
    uint64_t    value;
    ngx_uint_t  i;

    for (i = 0; i < 4; i++) {
        value = ngx_constraint_histogram_quantile(histogram,
                                      ngx_http_constraint_api_quantiles[i]);
        value = ngx_min(value, max);

        snprintf(name, sizeof(name), "%s_%s",
                 ngx_http_constraint_api_quantile_names[i], unit);

        json = unit[0] == 'u' ? json_real((double) value / 1000)
                              : json_integer((json_int_t) value);

        (void) json_object_set_new(object, name, json);
    }
}


void
ngx_http_constraint_api_stats_read(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *name, json_t *document,
    ngx_constraint_stats_view_t *view)
{
    ngx_slab_pool_t         *shpool;
    ngx_constraint_stats_t  *stats;

    stats = ngx_constraint_catalogue_stats(catalogue, &shpool);

    ngx_constraint_stats_read(stats, shpool, name,
                              ngx_http_constraint_api_born(document), view);
}


/* "created_at" is RFC 3339 in UTC, with milliseconds */

int64_t
ngx_http_constraint_api_born(json_t *document)
{
    int          ms;
    struct tm    tm;
    const char  *text;

    text = json_string_value(json_object_get(document, "created_at"));

    ngx_memzero(&tm, sizeof(struct tm));

    if (text == NULL
        || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &tm.tm_year,
                  &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
                  &tm.tm_sec, &ms)
           != 7)
    {
        return 0;
    }

    tm.tm_year -= 1900;
    tm.tm_mon -= 1;

    return (int64_t) timegm(&tm) * 1000 + ms;
}
