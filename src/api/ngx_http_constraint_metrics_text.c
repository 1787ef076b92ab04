/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The text exposition format of Prometheus, version 0.0.4: family after
 * family, each with its help and type, all zones in each.  Names of zones are
 * escaped; message types and profiles need no escaping.
 */


#include "ngx_http_constraint_metrics.h"
#include "ngx_constraint_audit.h"


typedef struct {
    char                                *data;
    size_t                               len;
    size_t                               size;
    unsigned                             failed:1;
    ngx_http_constraint_metrics_zone_t  *zones;
    ngx_uint_t                           n;
} ngx_http_constraint_metrics_out_t;


typedef struct {
    const char  *label;                  /* name and value of one more */
    const char  *value;
    uint64_t   (*get)(const ngx_constraint_stats_view_t *view,
                      ngx_uint_t arg);
    ngx_uint_t   arg;
} ngx_http_constraint_metrics_part_t;

typedef struct {
    const char                          *name;
    const char                          *help;
    ngx_http_constraint_metrics_part_t   parts[8];   /* get NULL at the end */
} ngx_http_constraint_metrics_family_t;


static void ngx_http_constraint_metrics_print(
    ngx_http_constraint_metrics_out_t *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void ngx_http_constraint_metrics_head(
    ngx_http_constraint_metrics_out_t *out, const char *name,
    const char *type, const char *help);
static void ngx_http_constraint_metrics_zone_label(
    ngx_http_constraint_metrics_out_t *out, const char *name,
    const ngx_http_constraint_metrics_zone_t *zone);
static void ngx_http_constraint_metrics_labels(
    ngx_http_constraint_metrics_out_t *out, const char *name,
    const ngx_http_constraint_metrics_zone_t *zone, const char *label,
    const ngx_http_constraint_metric_t *metric);
static void ngx_http_constraint_metrics_families(
    ngx_http_constraint_metrics_out_t *out, ngx_uint_t profiles);
static void ngx_http_constraint_metrics_errors(
    ngx_http_constraint_metrics_out_t *out);
static void ngx_http_constraint_metrics_summary(
    ngx_http_constraint_metrics_out_t *out);
static void ngx_http_constraint_metrics_histograms(
    ngx_http_constraint_metrics_out_t *out);
static void ngx_http_constraint_metrics_breakers(
    ngx_http_constraint_metrics_out_t *out);
static void ngx_http_constraint_metrics_adaptive(
    ngx_http_constraint_metrics_out_t *out);
static void ngx_http_constraint_metrics_zones(
    ngx_http_constraint_metrics_out_t *out);
static void ngx_http_constraint_metrics_audit(
    ngx_http_constraint_metrics_out_t *out);


static uint64_t
ngx_http_constraint_metrics_value(const ngx_constraint_stats_view_t *view,
    ngx_uint_t stat)
{
    return view->values[stat];
}


static uint64_t
ngx_http_constraint_metrics_violation(
    const ngx_constraint_stats_view_t *view, ngx_uint_t type)
{
    return view->violations[type];
}


#define NGX_HTTP_CONSTRAINT_METRICS_V                                         \
    ngx_http_constraint_metrics_value

/* Told of constraints, and with "profile_" in the name of profiles. */

static const ngx_http_constraint_metrics_family_t
    ngx_http_constraint_metrics_list[] =
{
    { "decisions_total", "Decisions by effect.",
      { { "effect", "allow", NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_ALLOWS },
        { "effect", "deny", NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_DENIES } } },

    { "failed_open_total",
      "Decisions that allow for a failure, not because a workflow says so.",
      { { NULL, NULL, NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_FAILED_OPEN } } },

    { "errors_total", "Failures by class.",
      { { "class", "request", NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_ERRORS_REQUEST },
        { "class", "ours", NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_ERRORS_OURS } } },

    { "violations_total", "Violations of execution constraints by type.",
      { { "type", "TimeoutExceeded", ngx_http_constraint_metrics_violation,
          0 },
        { "type", "MemoryExceeded", ngx_http_constraint_metrics_violation,
          1 },
        { "type", "CpuExceeded", ngx_http_constraint_metrics_violation, 2 },
        { "type", "CostExceeded", ngx_http_constraint_metrics_violation, 3 },
        { "type", "SampledOut", ngx_http_constraint_metrics_violation, 4 },
        { "type", "MultipleViolations",
          ngx_http_constraint_metrics_violation, 5 } } },

    { "evaluations_total", "Evaluations by where they ran.",
      { { "where", "inline", NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_INLINE },
        { "where", "thread", NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_THREAD } } },

    { "retries_total", "Retries of transient failures.",
      { { NULL, NULL, NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_RETRIES } } },

    { "sampled_out_total", "Decisions that were not sampled.",
      { { NULL, NULL, NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_SAMPLED_OUT } } },

    { "breaker_open_decisions_total", "Decisions met by an open breaker.",
      { { NULL, NULL, NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_BREAKER } } },

    { "cost_units_total", "Cost of evaluations.",
      { { NULL, NULL, NGX_HTTP_CONSTRAINT_METRICS_V,
          NGX_CONSTRAINT_STAT_COST } } },

    { NULL, NULL, { { NULL, NULL, NULL, 0 } } }
};


char *
ngx_http_constraint_metrics_text(ngx_http_constraint_metrics_zone_t *zones,
    ngx_uint_t n, size_t *len)
{
    ngx_http_constraint_metrics_out_t  out;

    ngx_memzero(&out, sizeof(ngx_http_constraint_metrics_out_t));

    out.zones = zones;
    out.n = n;

    ngx_http_constraint_metrics_head(&out, "constraint_build_info", "gauge",
                                     "The module that answers.");
    ngx_http_constraint_metrics_print(&out,
                                      "constraint_build_info{version=\"%s\"} "
                                      "1\n", NGX_CONSTRAINT_VERSION);

    ngx_http_constraint_metrics_families(&out, 0);
    ngx_http_constraint_metrics_summary(&out);
    ngx_http_constraint_metrics_breakers(&out);
    ngx_http_constraint_metrics_adaptive(&out);
    ngx_http_constraint_metrics_families(&out, 1);
    ngx_http_constraint_metrics_histograms(&out);
    ngx_http_constraint_metrics_errors(&out);
    ngx_http_constraint_metrics_zones(&out);
    ngx_http_constraint_metrics_audit(&out);

    if (out.failed) {
        free(out.data);
        return NULL;
    }

    *len = out.len;

    return out.data;
}


static void
ngx_http_constraint_metrics_print(ngx_http_constraint_metrics_out_t *out,
    const char *fmt, ...)
{
    int       n;
    char     *data;
    va_list   args;

    while (!out->failed) {
        va_start(args, fmt);
        n = vsnprintf(out->data ? out->data + out->len : NULL,
                      out->size - out->len, fmt, args);
        va_end(args);

        if (n >= 0 && (size_t) n < out->size - out->len) {
            out->len += n;
            return;
        }

        out->size = 2 * out->size + n + 4096;
        data = n < 0 ? NULL : realloc(out->data, out->size);

        if (data == NULL) {
            out->failed = 1;
            return;
        }

        out->data = data;
    }
}


static void
ngx_http_constraint_metrics_head(ngx_http_constraint_metrics_out_t *out,
    const char *name, const char *type, const char *help)
{
    ngx_http_constraint_metrics_print(out, "# HELP %s %s\n# TYPE %s %s\n",
                                      name, help, name, type);
}


/* NAME{zone="..." */

static void
ngx_http_constraint_metrics_zone_label(
    ngx_http_constraint_metrics_out_t *out, const char *name,
    const ngx_http_constraint_metrics_zone_t *zone)
{
    u_char   c;
    size_t   i;

    ngx_http_constraint_metrics_print(out, "%s{zone=\"", name);

    for (i = 0; i < zone->name.len; i++) {
        c = zone->name.data[i];

        if (c == '\n') {
            ngx_http_constraint_metrics_print(out, "\\n");
            continue;
        }

        ngx_http_constraint_metrics_print(out, "%s%c",
                                          c == '"' || c == '\\' ? "\\" : "",
                                          c);
    }

    ngx_http_constraint_metrics_print(out, "\"");
}


static void
ngx_http_constraint_metrics_labels(ngx_http_constraint_metrics_out_t *out,
    const char *name, const ngx_http_constraint_metrics_zone_t *zone,
    const char *label, const ngx_http_constraint_metric_t *metric)
{
    ngx_http_constraint_metrics_zone_label(out, name, zone);
    ngx_http_constraint_metrics_print(out, ",%s=\"%.*s\"", label,
                                      (int) metric->label.len,
                                      (char *) metric->label.data);
}


static void
ngx_http_constraint_metrics_families(ngx_http_constraint_metrics_out_t *out,
    ngx_uint_t profiles)
{
    char                                         name[80];
    ngx_uint_t                                   i;
    ngx_http_constraint_metric_t                *metric;
    const ngx_http_constraint_metrics_part_t    *part;
    const ngx_http_constraint_metrics_family_t  *family;

    for (family = ngx_http_constraint_metrics_list; family->name; family++) {

        snprintf(name, sizeof(name), "constraint_%s%s",
                 profiles ? "profile_" : "", family->name);

        ngx_http_constraint_metrics_head(out, name, "counter", family->help);

        for (i = 0; i < out->n; i++) {
            metric = profiles ? out->zones[i].profiles
                              : out->zones[i].constraints;

            for ( /* void */ ; metric; metric = metric->next) {
                for (part = family->parts; part->get; part++) {

                    ngx_http_constraint_metrics_labels(out, name,
                                  &out->zones[i],
                                  profiles ? "profile" : "message_type",
                                  metric);

                    if (part->label) {
                        ngx_http_constraint_metrics_print(out, ",%s=\"%s\"",
                                                          part->label,
                                                          part->value);
                    }

                    ngx_http_constraint_metrics_print(out, "} %llu\n",
                      (unsigned long long) part->get(&metric->view,
                                                     part->arg));
                }
            }
        }
    }
}


/* All kinds of all constraints of a zone, also those that never happened. */

static void
ngx_http_constraint_metrics_errors(ngx_http_constraint_metrics_out_t *out)
{
    ngx_uint_t        i, n;
    const ngx_str_t  *kind;

    static const char  *name = "constraint_zone_errors_total";

    ngx_http_constraint_metrics_head(out, name, "counter",
                                     "Failures by name.");

    for (i = 0; i < out->n; i++) {
        for (n = 1; n < NGX_CONSTRAINT_E_KINDS; n++) {
            kind = ngx_constraint_error_name(n);

            if (kind->len == 0) {
                continue;
            }

            ngx_http_constraint_metrics_zone_label(out, name, &out->zones[i]);
            ngx_http_constraint_metrics_print(out, ",error=\"%.*s\"} %llu\n",
                      (int) kind->len, (char *) kind->data,
                      (unsigned long long) out->zones[i].total->errors[n]);
        }
    }
}


static void
ngx_http_constraint_metrics_summary(ngx_http_constraint_metrics_out_t *out)
{
    char                           text[96];
    ngx_uint_t                     i, q;
    ngx_http_constraint_metric_t  *metric;

    static const char    *name = "constraint_evaluation_seconds";
    static const char    *names[] = { "0.5", "0.9", "0.99", "0.999" };
    static const double   quantiles[] = { 0.5, 0.9, 0.99, 0.999 };

    ngx_http_constraint_metrics_head(out, name, "summary",
                                     "Time of evaluations, within 2 %.");

    for (i = 0; i < out->n; i++) {
        metric = out->zones[i].constraints;

        for ( /* void */ ; metric; metric = metric->next) {

            for (q = 0; q < 4; q++) {
                ngx_http_constraint_metrics_labels(out, name, &out->zones[i],
                                                   "message_type", metric);

                if (metric->view.latency.count == 0) {
                    ngx_http_constraint_metrics_print(out,
                                 ",quantile=\"%s\"} NaN\n", names[q]);
                    continue;
                }

                ngx_http_constraint_metrics_print(out,
                        ",quantile=\"%s\"} %.9f\n", names[q],
                        (double) ngx_constraint_histogram_quantile(
                                      &metric->view.latency, quantiles[q])
                        / 1e9);
            }

            snprintf(text, sizeof(text), "%s_sum", name);
            ngx_http_constraint_metrics_labels(out, text, &out->zones[i],
                                               "message_type", metric);
            ngx_http_constraint_metrics_print(out, "} %.9f\n",
                (double) metric->view.values[NGX_CONSTRAINT_STAT_TIME_NS]
                / 1e9);

            snprintf(text, sizeof(text), "%s_count", name);
            ngx_http_constraint_metrics_labels(out, text, &out->zones[i],
                                               "message_type", metric);
            ngx_http_constraint_metrics_print(out, "} %llu\n",
                (unsigned long long)
                (metric->view.values[NGX_CONSTRAINT_STAT_INLINE]
                 + metric->view.values[NGX_CONSTRAINT_STAT_THREAD]));
        }
    }
}


/* One histogram of one profile; unit: what a second or a byte is. */

static void
ngx_http_constraint_metrics_histogram(ngx_http_constraint_metrics_out_t *out,
    const char *name, const ngx_http_constraint_metrics_zone_t *zone,
    const ngx_http_constraint_metric_t *metric)
{
    char                                text[96];
    double                              unit, sum;
    uint64_t                            bound;
    ngx_uint_t                          i, memory;
    const ngx_constraint_histogram_t   *histogram;

    static const double  seconds[] = {
        1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3,
        2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 0
    };
    static const double  bytes[] = {
        1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216,
        67108864, 0
    };

    memory = ngx_strstr(name, "memory") != NULL;
    histogram = memory ? &metric->view.memory : &metric->view.latency;
    unit = memory ? 1 : 1e9;
    sum = (double) metric->view.values[memory ? NGX_CONSTRAINT_STAT_MEMORY
                                              : NGX_CONSTRAINT_STAT_TIME_NS]
          / unit;

    snprintf(text, sizeof(text), "%s_bucket", name);

    for (i = 0; (memory ? bytes : seconds)[i] > 0; i++) {
        bound = (uint64_t) ((memory ? bytes : seconds)[i] * unit + 0.5);

        ngx_http_constraint_metrics_labels(out, text, zone, "profile",
                                           metric);
        ngx_http_constraint_metrics_print(out, ",le=\"%.9g\"} %llu\n",
                  (memory ? bytes : seconds)[i],
                  (unsigned long long)
                  ngx_constraint_histogram_at_most(histogram, bound));
    }

    ngx_http_constraint_metrics_labels(out, text, zone, "profile", metric);
    ngx_http_constraint_metrics_print(out, ",le=\"+Inf\"} %llu\n",
                                      (unsigned long long) histogram->count);

    snprintf(text, sizeof(text), "%s_sum", name);
    ngx_http_constraint_metrics_labels(out, text, zone, "profile", metric);
    ngx_http_constraint_metrics_print(out, "} %.9f\n", sum);

    snprintf(text, sizeof(text), "%s_count", name);
    ngx_http_constraint_metrics_labels(out, text, zone, "profile", metric);
    ngx_http_constraint_metrics_print(out, "} %llu\n",
                                      (unsigned long long) histogram->count);
}


static void
ngx_http_constraint_metrics_histograms(ngx_http_constraint_metrics_out_t *out)
{
    ngx_uint_t                     i, n;
    ngx_http_constraint_metric_t  *metric;

    static const struct {
        const char  *name;
        const char  *help;
    } families[] = {
        { "constraint_profile_evaluation_seconds",
          "Time of evaluations under a profile." },
        { "constraint_profile_memory_bytes",
          "Memory of evaluations under a profile." }
    };

    for (n = 0; n < 2; n++) {
        ngx_http_constraint_metrics_head(out, families[n].name, "histogram",
                                         families[n].help);

        for (i = 0; i < out->n; i++) {
            metric = out->zones[i].profiles;

            for ( /* void */ ; metric; metric = metric->next) {
                ngx_http_constraint_metrics_histogram(out, families[n].name,
                                                      &out->zones[i], metric);
            }
        }
    }
}


static void
ngx_http_constraint_metrics_breakers(ngx_http_constraint_metrics_out_t *out)
{
    ngx_uint_t                         i, n, state;
    const char                        *name;
    ngx_http_constraint_metric_t      *metric;
    ngx_constraint_breaker_status_t    status;

    static const char  *names[] = { "constraint_breaker_state",
                                    "constraint_breaker_transitions_total" };

    for (n = 0; n < 2; n++) {
        name = names[n];

        if (n == 0) {
            ngx_http_constraint_metrics_head(out, name, "gauge",
                       "The state a circuit breaker is in: 1, else 0.");

        } else {
            ngx_http_constraint_metrics_head(out, name, "counter",
                       "Changes of a circuit breaker to a state.");
        }

        for (i = 0; i < out->n; i++) {
            metric = out->zones[i].constraints;

            for ( /* void */ ; metric; metric = metric->next) {

                if (metric->feedback == NULL
                    || !(metric->limits.execution.set
                         & NGX_CONSTRAINT_SET_BREAKER))
                {
                    continue;
                }

                ngx_constraint_breaker_status(&metric->feedback->breaker,
                                         ngx_constraint_now_ns() / 1000000,
                                         &status);

                for (state = 0; state < NGX_CONSTRAINT_BREAKER_STATES;
                     state++)
                {
                    ngx_http_constraint_metrics_labels(out, name,
                                                       &out->zones[i],
                                                       "message_type",
                                                       metric);
                    ngx_http_constraint_metrics_print(out,
                            ",state=\"%s\"} %llu\n",
                            ngx_constraint_breaker_name(state),
                            (unsigned long long)
                            (n ? status.transitions[state]
                               : status.state == state));
                }
            }
        }
    }
}


static void
ngx_http_constraint_metrics_adaptive(ngx_http_constraint_metrics_out_t *out)
{
    uint32_t                       limit;
    ngx_uint_t                     i;
    ngx_constraint_limits_t       *limits;
    ngx_http_constraint_metric_t  *metric;

    static const char  *name = "constraint_adaptive_limit_seconds";

    ngx_http_constraint_metrics_head(out, name, "gauge",
                                     "The adaptive max_exec_ms of now.");

    for (i = 0; i < out->n; i++) {
        metric = out->zones[i].constraints;

        for ( /* void */ ; metric; metric = metric->next) {
            limits = &metric->limits;

            if (metric->feedback == NULL
                || !(limits->execution.set & NGX_CONSTRAINT_SET_ADAPTIVE))
            {
                continue;
            }

            limit = ngx_constraint_adaptive_limit(
                                            &metric->feedback->adaptive,
                                            &limits->adaptive,
                                            limits->execution.max_exec_us);

            ngx_http_constraint_metrics_labels(out, name, &out->zones[i],
                                               "message_type", metric);
            ngx_http_constraint_metrics_print(out, "} %.6f\n",
                                              (double) limit / 1e6);
        }
    }
}


/* The zone itself, its store and its memory. */

static void
ngx_http_constraint_metrics_zones(ngx_http_constraint_metrics_out_t *out)
{
    uint64_t                             values[20];
    ngx_uint_t                           i, n;
    ngx_constraint_stats_status_t       *stats;
    ngx_constraint_catalogue_status_t   *s;

    static const struct {
        const char  *name;
        const char  *help;
        ngx_uint_t   counter;
    } families[] = {
        { "constraint_store_open", "Is the store open: 1, else 0.", 0 },
        { "constraint_store_generation", "The store's generation.", 0 },
        { "constraint_store_constraints", "Constraints registered.", 0 },
        { "constraint_store_workflows", "Workflows registered.", 0 },
        { "constraint_store_map_bytes", "The store's map_size.", 0 },
        { "constraint_store_map_used_bytes", "Used of it.", 0 },
        { "constraint_store_readers", "Reader slots in use.", 0 },
        { "constraint_store_readers_max", "Reader slots there are.", 0 },
        { "constraint_zone_bytes", "Shared memory of the zone.", 0 },
        { "constraint_zone_free_bytes", "Free of it, for records.", 0 },
        { "constraint_zone_records", "Records in it.", 0 },
        { "constraint_zone_evictions_total", "Records evicted.", 1 },
        { "constraint_zone_discards_total",
          "Caches discarded after a worker died inside the lock.", 1 },
        { "constraint_stats_pieces", "Memory of statistics, in pieces.", 0 },
        { "constraint_stats_pieces_free", "Free of it.", 0 },
        { "constraint_stats_recycled_total",
          "Constraints whose counters were given to another.", 1 },
        { "constraint_stats_evicted_total",
          "Constraints whose histograms were given to another.", 1 },
        { "constraint_stats_unobserved_total",
          "Times and sizes in no histogram, for want of memory.", 1 },
        { "constraint_stats_lost_total",
          "Decisions that could not be counted.", 1 },
        { "constraint_stats_stateless_total",
          "Decisions without their breaker or adaptive limit: no memory.", 1 }
    };

    for (n = 0; n < sizeof(families) / sizeof(families[0]); n++) {
        ngx_http_constraint_metrics_head(out, families[n].name,
                                         families[n].counter ? "counter"
                                                             : "gauge",
                                         families[n].help);

        for (i = 0; i < out->n; i++) {
            s = &out->zones[i].status;
            stats = &out->zones[i].stats;

            values[0] = s->open;
            values[1] = s->generation;
            values[2] = s->constraints;
            values[3] = s->workflows;
            values[4] = s->map_size;
            values[5] = s->map_used;
            values[6] = s->readers_used;
            values[7] = s->readers_max;
            values[8] = s->zone_size;
            values[9] = s->zone_free;
            values[10] = s->zone_records;
            values[11] = s->zone_evictions;
            values[12] = s->zone_discards;
            values[13] = stats->pieces;
            values[14] = stats->pieces_free;
            values[15] = stats->recycled;
            values[16] = stats->evicted;
            values[17] = stats->unobserved;
            values[18] = stats->lost;
            values[19] = stats->stateless;

            ngx_http_constraint_metrics_zone_label(out, families[n].name,
                                                   &out->zones[i]);
            ngx_http_constraint_metrics_print(out, "} %llu\n",
                                         (unsigned long long) values[n]);
        }
    }
}


/* Of the server: the audit log knows no zones. */

static void
ngx_http_constraint_metrics_audit(ngx_http_constraint_metrics_out_t *out)
{
    uint64_t                       values[3];
    ngx_uint_t                     i;
    ngx_constraint_audit_counts_t  counts;

    static const char  *families[][2] = {
        { "constraint_audit_kept_total",
          "Decisions that are worth a line of the audit log." },
        { "constraint_audit_written_total",
          "Lines of the audit log that were written." },
        { "constraint_audit_dropped_total",
          "Lines of the audit log that could not be written." }
    };

    ngx_constraint_audit_counts(&counts);

    values[0] = counts.kept;
    values[1] = counts.written;
    values[2] = counts.dropped;

    for (i = 0; i < 3; i++) {
        ngx_http_constraint_metrics_head(out, families[i][0], "counter",
                                         families[i][1]);
        ngx_http_constraint_metrics_print(out, "%s %llu\n", families[i][0],
                                          (unsigned long long) values[i]);
    }
}
