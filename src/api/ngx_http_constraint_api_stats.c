/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * GET /stats: what was counted, of each constraint or of each profile, in an
 * order and by pages.  Everything but the arguments happens in a thread.
 */


#include "ngx_http_constraint_api.h"


#define NGX_HTTP_CONSTRAINT_API_SORT_MAX  512


typedef struct ngx_http_constraint_api_profile_s
    ngx_http_constraint_api_profile_t;

struct ngx_http_constraint_api_profile_s {
    ngx_http_constraint_api_profile_t  *next;
    ngx_str_t                           name;
    u_char                              text[NGX_CONSTRAINT_STATS_NAME_MAX];
    ngx_constraint_stats_view_t         view;
};


typedef struct {
    ngx_http_constraint_api_job_t        job;       /* first */
    ngx_str_t                            cursor;
    ngx_str_t                            sort;      /* as given */
    u_char                               path[NGX_HTTP_CONSTRAINT_API_SORT_MAX];
    ngx_http_constraint_api_page_t       page;
    ngx_constraint_stats_view_t          view;      /* the one being read */
    ngx_http_constraint_api_profile_t   *profiles;
    unsigned                             by_profile:1;
} ngx_http_constraint_api_stats_t;


static ngx_int_t ngx_http_constraint_api_stats_arguments(
    ngx_http_constraint_api_t *api, ngx_http_constraint_api_stats_t *stats);
static ngx_int_t ngx_http_constraint_api_stats_sort(
    ngx_http_constraint_api_t *api, ngx_http_constraint_api_stats_t *stats);
static void ngx_http_constraint_api_stats_unknown(
    ngx_http_constraint_api_t *api, const u_char *key, size_t len);
static const char *ngx_http_constraint_api_stats_path(const u_char *name,
    size_t len);
static void ngx_http_constraint_api_stats_thread(
    ngx_http_constraint_api_job_t *job);
static ngx_int_t ngx_http_constraint_api_stats_visit(void *ctx,
    const ngx_str_t *key, json_t *document);
static ngx_int_t ngx_http_constraint_api_stats_profiles(
    ngx_http_constraint_api_stats_t *stats);
static ngx_int_t ngx_http_constraint_api_stats_slot(void *ctx,
    const ngx_constraint_stats_visit_t *visit);
static void ngx_http_constraint_api_stats_destroy(
    ngx_http_constraint_api_job_t *job);


/* What one can sort by, and where that is in an entry. */

static const struct {
    const char  *name;
    const char  *path;
} ngx_http_constraint_api_stats_keys[] = {
    { "message_type", "message_type" },
    { "profile", "profile" },
    { "executions", "counters.executions" },
    { "allows", "counters.allows" },
    { "denies", "counters.denies" },
    { "failed_open", "counters.failed_open" },
    { "errors_request", "counters.errors_request" },
    { "errors_ours", "counters.errors_ours" },
    { "retries", "counters.retries" },
    { "sampled_out", "counters.sampled_out" },
    { "breaker_open", "counters.breaker_open" },
    { "inline", "counters.inline" },
    { "thread", "counters.thread" },
    { "cost_units", "counters.cost_units" },
    { "average", "latency.average_us" },
    { "max", "latency.max_us" },
    { "total", "latency.total_us" },
    { "p50", "latency.p50_us" },
    { "p90", "latency.p90_us" },
    { "p99", "latency.p99_us" },
    { "p99_9", "latency.p99_9_us" },
    { "cpu", "cpu.total_us" },
    { "memory", "memory.max_bytes" },
    { NULL, NULL }
};


void
ngx_http_constraint_api_stats(ngx_http_constraint_api_t *api)
{
    ngx_http_constraint_api_stats_t  *stats;

    stats = ngx_http_constraint_api_job_create(api,
                                    sizeof(ngx_http_constraint_api_stats_t));
    if (stats == NULL) {
        return;
    }

    stats->job.run_thread = ngx_http_constraint_api_stats_thread;
    stats->job.destroy = ngx_http_constraint_api_stats_destroy;

    if (ngx_http_constraint_api_stats_arguments(api, stats) != NGX_OK) {
        ngx_constraint_job_destroy(&stats->job.job);
        return;
    }

    if (ngx_http_constraint_api_copy(&stats->sort, &api->args.sort,
                                     ngx_cycle->log)
        != NGX_OK
        || ngx_http_constraint_api_copy(&stats->cursor, &api->args.cursor,
                                        ngx_cycle->log)
           != NGX_OK)
    {
        ngx_constraint_job_destroy(&stats->job.job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    ngx_http_constraint_api_job_post(api, &stats->job);
}


/* NGX_OK, or NGX_DONE when answered */

static ngx_int_t
ngx_http_constraint_api_stats_arguments(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_stats_t *stats)
{
    uint64_t    limit;
    ngx_str_t  *by;

    limit = NGX_HTTP_CONSTRAINT_API_LIMIT;
    by = &api->args.by;

    if (ngx_http_constraint_api_number(api, "limit", &api->args.limit,
                                       NGX_HTTP_CONSTRAINT_API_LIMIT_MAX,
                                       &limit)
        != NGX_OK)
    {
        return NGX_DONE;
    }

    stats->page.limit = limit;

    if (by->len == 7 && ngx_memcmp(by->data, "profile", 7) == 0) {
        stats->by_profile = 1;

    } else if (by->data
               && (by->len != 10
                   || ngx_memcmp(by->data, "constraint", 10) != 0))
    {
        ngx_http_constraint_api_bad_argument(api, "by", "must be "
                                             "constraint or profile");
        return NGX_DONE;
    }

    return ngx_http_constraint_api_stats_sort(api, stats);
}


/* "-p99,denies" to "-latency.p99_us,counters.denies" */

static ngx_int_t
ngx_http_constraint_api_stats_sort(ngx_http_constraint_api_t *api,
    ngx_http_constraint_api_stats_t *stats)
{
    u_char      *p, *last, *end, *to;
    ngx_uint_t   down;
    const char  *path;

    p = api->args.sort.data;

    if (p == NULL) {
        return NGX_OK;
    }

    last = p + api->args.sort.len;
    to = stats->path;

    for ( ;; ) {
        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        down = p < end && *p == '-';
        path = ngx_http_constraint_api_stats_path(p + down, end - p - down);

        if (path == NULL
            || to + ngx_strlen(path) + 3
               > stats->path + NGX_HTTP_CONSTRAINT_API_SORT_MAX)
        {
            break;
        }

        to = ngx_sprintf(to, "%s%s%s", to == stats->path ? "" : ",",
                         down ? "-" : "", path);
        *to = '\0';

        if (end == last) {
            return NGX_OK;
        }

        p = end + 1;
    }

    ngx_http_constraint_api_stats_unknown(api, p, end - p);

    return NGX_DONE;
}


static void
ngx_http_constraint_api_stats_unknown(ngx_http_constraint_api_t *api,
    const u_char *key, size_t len)
{
    u_char       known[256], *p;
    ngx_uint_t   i;

    p = known;

    for (i = 0; ngx_http_constraint_api_stats_keys[i].name; i++) {
        p = ngx_slprintf(p, known + sizeof(known) - 1, "%s%s",
                         i ? ", " : "",
                         ngx_http_constraint_api_stats_keys[i].name);
    }

    *p = '\0';

    ngx_http_constraint_api_bad_argument(api, "sort", "has an unknown key "
                                         "\"%.*s\"; known are %s, with \"-\" "
                                         "before it for the largest first",
                                         (int) ngx_min(len, 64),
                                         (char *) key, (char *) known);
}


static const char *
ngx_http_constraint_api_stats_path(const u_char *name, size_t len)
{
    ngx_uint_t   i;
    const char  *key;

    for (i = 0; ngx_http_constraint_api_stats_keys[i].name; i++) {
        key = ngx_http_constraint_api_stats_keys[i].name;

        if (ngx_strlen(key) == len && ngx_memcmp(key, name, len) == 0) {
            return ngx_http_constraint_api_stats_keys[i].path;
        }
    }

    return NULL;
}


static void
ngx_http_constraint_api_stats_thread(ngx_http_constraint_api_job_t *job)
{
    ngx_uint_t                        kind;
    query_error_t                     error;
    ngx_http_constraint_api_stats_t  *stats;

    stats = (ngx_http_constraint_api_stats_t *) job;

    kind = stats->by_profile ? NGX_HTTP_CONSTRAINT_API_LIST_PROFILES
                             : NGX_HTTP_CONSTRAINT_API_LIST_STATS;

    if (stats->path[0]) {
        stats->page.sort = query_sort_compile((char *) stats->path,
                                              ngx_strlen(stats->path),
                                              &error);
        if (stats->page.sort == NULL) {
            job->error = NGX_HTTP_CONSTRAINT_API_E_INVALID_ARGUMENT;
            job->failure = ngx_http_constraint_api_envelope(job->error, NULL,
                                                            "%s: %s",
                                                            error.path,
                                                            error.message);
            return;
        }
    }

    if (ngx_http_constraint_api_page_open(job, &stats->page, &stats->cursor,
                                          &stats->sort, kind)
        != NGX_OK)
    {
        return;
    }

    if (stats->by_profile) {
        if (ngx_http_constraint_api_stats_profiles(stats) != NGX_OK) {
            return;
        }

    } else if (ngx_http_constraint_api_page_walk(job, &stats->page,
                                         ngx_http_constraint_api_stats_visit)
               != NGX_OK)
    {
        return;
    }

    ngx_http_constraint_api_job_answer_thread(job, NGX_HTTP_OK,
                   ngx_http_constraint_api_page_answer(&stats->page,
                                                       &stats->sort, kind));
}


static ngx_int_t
ngx_http_constraint_api_stats_visit(void *ctx, const ngx_str_t *key,
    json_t *document)
{
    ngx_http_constraint_api_stats_t *stats = ctx;

    json_t     *entry;
    ngx_int_t   rc;

    if (atomic_load(&stats->job.job.cancel)) {
        return NGX_ABORT;
    }

    if (document == NULL) {
        return ngx_http_constraint_api_walk_damaged(&stats->job,
                                         NGX_CONSTRAINT_KIND_CONSTRAINT, key);
    }

    entry = json_pack("{s:O}", "message_type",
                      json_object_get(document, "message_type"));
    if (entry == NULL) {
        return NGX_ABORT;
    }

    ngx_constraint_stats_clear(&stats->view);

    ngx_http_constraint_api_stats_read(stats->job.catalogue, key, document,
                                       &stats->view);
    ngx_http_constraint_api_stats_set(entry, &stats->view);
    ngx_http_constraint_api_feedback_set(entry, stats->job.catalogue, key,
                                         document, &stats->view.latency);

    rc = ngx_http_constraint_api_page_add(&stats->page, key, entry);
    json_decref(entry);

    return rc == NGX_ERROR ? NGX_ABORT : rc;
}


/* What was counted under a profile stays with it when constraints go. */

static ngx_int_t
ngx_http_constraint_api_stats_profiles(ngx_http_constraint_api_stats_t *stats)
{
    json_t                             *entry;
    ngx_int_t                           rc;
    ngx_slab_pool_t                    *shpool;
    ngx_constraint_stats_t             *table;
    ngx_http_constraint_api_profile_t  *profile;

    table = ngx_constraint_catalogue_stats(stats->job.catalogue, &shpool);

    if (ngx_constraint_stats_walk(table, shpool,
                                  ngx_http_constraint_api_stats_slot, stats)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (profile = stats->profiles; profile; profile = profile->next) {

        entry = json_pack("{s:o}", "profile",
                          profile->name.len
                          ? json_stringn((char *) profile->name.data,
                                         profile->name.len)
                          : json_null());
        if (entry == NULL) {
            return NGX_ERROR;
        }

        ngx_http_constraint_api_stats_set(entry, &profile->view);

        rc = ngx_http_constraint_api_page_add(&stats->page, &profile->name,
                                              entry);
        json_decref(entry);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_constraint_api_stats_slot(void *ctx,
    const ngx_constraint_stats_visit_t *visit)
{
    ngx_http_constraint_api_stats_t *stats = ctx;

    ngx_http_constraint_api_profile_t  *profile;

    for (profile = stats->profiles; profile; profile = profile->next) {
        if (profile->name.len == visit->profile->len
            && ngx_memcmp(profile->name.data, visit->profile->data,
                          profile->name.len)
               == 0)
        {
            break;
        }
    }

    if (profile == NULL) {
        profile = calloc(1, sizeof(ngx_http_constraint_api_profile_t));
        if (profile == NULL) {
            return NGX_ERROR;
        }

        profile->name.len = visit->profile->len;
        profile->name.data = profile->text;
        ngx_memcpy(profile->text, visit->profile->data, visit->profile->len);

        profile->next = stats->profiles;
        stats->profiles = profile;
    }

    ngx_constraint_stats_merge(&profile->view, visit->view);

    return NGX_OK;
}


static void
ngx_http_constraint_api_stats_destroy(ngx_http_constraint_api_job_t *job)
{
    ngx_http_constraint_api_stats_t    *stats;
    ngx_http_constraint_api_profile_t  *profile;

    stats = (ngx_http_constraint_api_stats_t *) job;

    while (stats->profiles) {
        profile = stats->profiles;
        stats->profiles = profile->next;
        free(profile);
    }

    ngx_http_constraint_api_page_destroy(&stats->page);
    ngx_free(stats->sort.data);
    ngx_free(stats->cursor.data);
}
