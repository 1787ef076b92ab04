/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The rules of one worker: a hash table from message type to a record with
 * its program, bounded by bytes.  Loads nothing and compiles nothing.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_RULES_BUCKETS     64
#define NGX_CONSTRAINT_PROGRAMS_BUCKETS  1024

/* what Jansson and malloc take on 64 bits, measured */
#define NGX_CONSTRAINT_RULE_OBJECT       256
#define NGX_CONSTRAINT_RULE_KEY          72
#define NGX_CONSTRAINT_RULE_ARRAY        128
#define NGX_CONSTRAINT_RULE_ITEM         8
#define NGX_CONSTRAINT_RULE_STRING       64
#define NGX_CONSTRAINT_RULE_NUMBER       32
#define NGX_CONSTRAINT_RULE_BLOCKS       32


static ngx_int_t ngx_constraint_rule_own(ngx_constraint_loaded_t *loaded,
    json_t *stored, const ngx_constraint_found_profile_t *profile,
    const ngx_constraint_host_t *host);
static ngx_int_t ngx_constraint_rule_sampling(ngx_constraint_loaded_t *loaded,
    const ngx_constraint_host_t *host, u_char *text);
static ngx_int_t ngx_constraint_rule_text(ngx_constraint_loaded_t *loaded,
    json_t *stored, ngx_str_t *error);
static size_t ngx_constraint_rule_json(json_t *json);
static u_char *ngx_constraint_rule_copy(u_char *p, ngx_str_t *s);
static void ngx_constraint_rules_grow(ngx_constraint_worker_t *worker);


ngx_int_t
ngx_constraint_rules_init(ngx_constraint_worker_t *worker)
{
    worker->rules_size = NGX_CONSTRAINT_RULES_BUCKETS;
    worker->programs_size = NGX_CONSTRAINT_PROGRAMS_BUCKETS;

    ngx_queue_init(&worker->recent);
    ngx_queue_init(&worker->idle);
    ngx_queue_init(&worker->loads);

    worker->rules = ngx_calloc(worker->rules_size * sizeof(void *),
                               worker->log);
    worker->programs = ngx_calloc(worker->programs_size * sizeof(void *),
                                  worker->log);

    if (worker->rules == NULL || worker->programs == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_constraint_rules_free(ngx_constraint_worker_t *worker)
{
    if (worker->rules && worker->programs) {
        ngx_constraint_rules_drop_all(worker);
    }

    if (worker->rules) {
        ngx_free(worker->rules);
        worker->rules = NULL;
    }

    if (worker->programs) {
        ngx_free(worker->programs);
        worker->programs = NULL;
    }
}


uint32_t
ngx_constraint_catalogue_hash(const ngx_str_t *message_type)
{
    return ngx_murmur_hash2(message_type->data, message_type->len);
}


ngx_constraint_loaded_t *
ngx_constraint_rule_lookup(ngx_constraint_worker_t *worker,
    const ngx_str_t *message_type, uint32_t hash)
{
    ngx_str_t                *name;
    ngx_constraint_loaded_t  *loaded;

    for (loaded = worker->rules[hash & (worker->rules_size - 1)];
         loaded;
         loaded = loaded->next)
    {
        name = &loaded->rule.record.message_type;

        if (loaded->hash == hash && name->len == message_type->len
            && ngx_memcmp(name->data, message_type->data, name->len) == 0)
        {
            break;
        }
    }

    if (loaded && loaded->used != worker->ticks) {

        /* the order by use is kept to the tick, about a second */

        loaded->used = worker->ticks;
        ngx_queue_remove(&loaded->recent);
        ngx_queue_insert_head(&worker->recent, &loaded->recent);
    }

    return loaded;
}


ngx_constraint_loaded_t *
ngx_constraint_rule_create(json_t *json, ngx_constraint_program_t *program,
    const ngx_constraint_found_profile_t *profile,
    const ngx_constraint_host_t *host)
{
    ngx_int_t                 rc;
    ngx_constraint_rule_t    *rule;
    ngx_constraint_loaded_t  *loaded;

    loaded = ngx_memalign(NGX_CONSTRAINT_LOADED_ALIGN,
                          sizeof(ngx_constraint_loaded_t), ngx_cycle->log);

    if (loaded == NULL) {
        json_decref(json);
        ngx_constraint_program_release(program);
        return NULL;
    }

    ngx_memzero(loaded, sizeof(ngx_constraint_loaded_t));

    loaded->refs = 1;
    loaded->program = program;

    rule = &loaded->rule;

    rule->workflow = program->workflow;
    rule->workflow_revision = program->revision;
    rule->error = program->error;

    rc = ngx_constraint_rule_own(loaded, json, profile, host);

    json_decref(json);

    if (rc != NGX_OK) {
        ngx_constraint_rule_release(loaded);
        return NULL;
    }

    rule->metadata = loaded->json;
    loaded->hash = ngx_murmur_hash2(rule->record.message_type.data,
                                    rule->record.message_type.len);

    return loaded;
}


/*
 * A rule whose bounds cannot be told has no workflow either: it must not run
 * without them.
 */

static ngx_int_t
ngx_constraint_rule_own(ngx_constraint_loaded_t *loaded, json_t *stored,
    const ngx_constraint_found_profile_t *profile,
    const ngx_constraint_host_t *host)
{
    json_t                 *parsed;
    u_char                  text[NGX_CONSTRAINT_ERROR_MAX];
    ngx_int_t               rc;
    ngx_str_t               error;
    ngx_constraint_rule_t  *rule;

    rule = &loaded->rule;

    if (ngx_constraint_record_open(stored, &rule->record) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_null(&error);

    rc = ngx_constraint_record_limits(stored, profile, &parsed,
                                      &loaded->limits, text);

    if (rc == NGX_OK) {
        rc = ngx_constraint_rule_sampling(loaded, host, text);
    }

    if (rc == NGX_DECLINED) {
        error.data = text;
        error.len = ngx_strlen(text);

    } else if (loaded->limits.execution.set || rule->record.profile.len) {
        rule->limits = &loaded->limits;
    }

    rc = ngx_constraint_rule_text(loaded, stored, &error);

    json_decref(parsed);

    if (rc == NGX_OK && error.len) {
        rule->workflow = NULL;
        rule->error = error;
    }

    return rc;
}


/* It compiled when it was stored, and does not any more perhaps. */

static ngx_int_t
ngx_constraint_rule_sampling(ngx_constraint_loaded_t *loaded,
    const ngx_constraint_host_t *host, u_char *text)
{
    u_char  error[NGX_CONSTRAINT_ERROR_MAX];

    if (loaded->limits.sampling_key.len == 0) {
        return NGX_OK;
    }

    loaded->sampling = ngx_constraint_expression_compile(host,
                                       &loaded->limits.sampling_key, error);

    if (loaded->sampling == NULL) {
        ngx_constraint_error_set(text, "sampling_key %s", error);
        return NGX_DECLINED;
    }

    loaded->rule.sampling = loaded->sampling;

    return NGX_OK;
}


/* Of the stored JSON only the metadata stays: strings go into one block. */

static ngx_int_t
ngx_constraint_rule_text(ngx_constraint_loaded_t *loaded, json_t *stored,
    ngx_str_t *error)
{
    u_char                   *p;
    size_t                    len;
    ngx_constraint_record_t  *record;

    record = &loaded->rule.record;

    len = record->message_type.len + record->subject_id.len
          + record->workflow_id.len + record->description.len
          + record->profile.len + loaded->limits.sampling_key.len
          + error->len + record->metadata.len;

    p = ngx_alloc(len, ngx_cycle->log);

    if (p) {
        loaded->text = p;
        loaded->json = json_incref(json_object_get(stored,
                                                   "constraint_metadata"));
        loaded->bytes = sizeof(ngx_constraint_loaded_t)
                        + NGX_CONSTRAINT_LOADED_ALIGN + len
                        + NGX_CONSTRAINT_RULE_BLOCKS
                        + ngx_constraint_rule_json(loaded->json)
                        + (loaded->sampling
                           ? cel_program_memory(loaded->sampling) : 0);

        p = ngx_constraint_rule_copy(p, &record->message_type);
        p = ngx_constraint_rule_copy(p, &record->subject_id);
        p = ngx_constraint_rule_copy(p, &record->workflow_id);
        p = ngx_constraint_rule_copy(p, &record->description);
        p = ngx_constraint_rule_copy(p, &record->profile);
        p = ngx_constraint_rule_copy(p, &loaded->limits.sampling_key);
        p = ngx_constraint_rule_copy(p, error);
        loaded->limits.profile = record->profile;
        ngx_memcpy(p, record->metadata.data, record->metadata.len);
    }

    free(record->metadata.data);
    record->metadata.data = p;

    return p ? NGX_OK : NGX_ERROR;
}


/* as deep as the parser let it be */

static size_t
ngx_constraint_rule_json(json_t *json)
{
    void    *p;
    size_t   i, size;

    switch (json_typeof(json)) {

    case JSON_OBJECT:
        size = NGX_CONSTRAINT_RULE_OBJECT;

        for (p = json_object_iter(json);
             p;
             p = json_object_iter_next(json, p))
        {
            size += NGX_CONSTRAINT_RULE_KEY
                    + ngx_strlen(json_object_iter_key(p))
                    + ngx_constraint_rule_json(json_object_iter_value(p));
        }

        return size;

    case JSON_ARRAY:
        size = NGX_CONSTRAINT_RULE_ARRAY;

        for (i = 0; i < json_array_size(json); i++) {
            size += NGX_CONSTRAINT_RULE_ITEM
                    + ngx_constraint_rule_json(json_array_get(json, i));
        }

        return size;

    case JSON_STRING:
        return NGX_CONSTRAINT_RULE_STRING + json_string_length(json);

    case JSON_INTEGER:
    case JSON_REAL:
        return NGX_CONSTRAINT_RULE_NUMBER;

    default:
        return 0;
    }
}


static u_char *
ngx_constraint_rule_copy(u_char *p, ngx_str_t *s)
{
    if (s->data == NULL) {
        return p;
    }

    ngx_memcpy(p, s->data, s->len);
    s->data = p;

    return p + s->len;
}


void
ngx_constraint_rule_insert(ngx_constraint_worker_t *worker,
    ngx_constraint_loaded_t *loaded)
{
    ngx_constraint_loaded_t  **bucket;

    ngx_constraint_rule_drop(worker, &loaded->rule.record.message_type);

    if (worker->nrules >= worker->rules_size) {
        ngx_constraint_rules_grow(worker);
    }

    bucket = &worker->rules[loaded->hash & (worker->rules_size - 1)];
    loaded->next = *bucket;
    *bucket = loaded;

    loaded->listed = 1;
    loaded->refs++;
    loaded->used = worker->ticks;

    ngx_queue_insert_head(&worker->recent, &loaded->recent);
    ngx_constraint_program_used(worker, loaded);

    worker->nrules++;
    worker->bytes += loaded->bytes;
}


/* without memory the chains get longer, nothing else */

static void
ngx_constraint_rules_grow(ngx_constraint_worker_t *worker)
{
    ngx_uint_t                 i, size;
    ngx_constraint_loaded_t   *loaded, *next, **rules, **bucket;

    size = worker->rules_size * 2;

    rules = ngx_calloc(size * sizeof(ngx_constraint_loaded_t *), worker->log);
    if (rules == NULL) {
        return;
    }

    for (i = 0; i < worker->rules_size; i++) {
        for (loaded = worker->rules[i]; loaded; loaded = next) {
            next = loaded->next;

            bucket = &rules[loaded->hash & (size - 1)];
            loaded->next = *bucket;
            *bucket = loaded;
        }
    }

    ngx_free(worker->rules);

    worker->rules = rules;
    worker->rules_size = size;
}


void
ngx_constraint_rule_unlist(ngx_constraint_worker_t *worker,
    ngx_constraint_loaded_t *loaded)
{
    ngx_constraint_loaded_t  **place;

    place = &worker->rules[loaded->hash & (worker->rules_size - 1)];

    while (*place != loaded) {
        place = &(*place)->next;
    }

    *place = loaded->next;
    loaded->listed = 0;

    ngx_queue_remove(&loaded->recent);
    ngx_constraint_program_unused(worker, loaded);

    worker->nrules--;
    worker->bytes -= loaded->bytes;

    ngx_constraint_rule_release(loaded);
}


void
ngx_constraint_rule_release(ngx_constraint_loaded_t *loaded)
{
    if (--loaded->refs) {
        return;
    }

    if (loaded->text) {
        ngx_free(loaded->text);
    }

    if (loaded->sampling) {
        cel_program_destroy(loaded->sampling);
    }

    json_decref(loaded->json);
    ngx_constraint_program_release(loaded->program);
    ngx_free(loaded);
}


void
ngx_constraint_rule_drop(ngx_constraint_worker_t *worker,
    const ngx_str_t *message_type)
{
    ngx_constraint_loaded_t  *loaded;

    loaded = ngx_constraint_rule_lookup(worker, message_type,
                               ngx_constraint_catalogue_hash(message_type));

    if (loaded) {
        ngx_constraint_rule_unlist(worker, loaded);
    }
}


void
ngx_constraint_rule_drop_hash(ngx_constraint_worker_t *worker, uint32_t hash)
{
    ngx_constraint_loaded_t  *loaded, *next;

    for (loaded = worker->rules[hash & (worker->rules_size - 1)];
         loaded;
         loaded = next)
    {
        next = loaded->next;

        if (loaded->hash == hash) {
            ngx_constraint_rule_unlist(worker, loaded);
        }
    }
}


void
ngx_constraint_rules_drop_profile(ngx_constraint_worker_t *worker,
    const ngx_str_t *profile)
{
    ngx_str_t                *name;
    ngx_queue_t              *q, *next;
    ngx_constraint_loaded_t  *loaded;

    for (q = ngx_queue_head(&worker->recent);
         q != ngx_queue_sentinel(&worker->recent);
         q = next)
    {
        next = ngx_queue_next(q);

        loaded = ngx_queue_data(q, ngx_constraint_loaded_t, recent);
        name = &loaded->rule.record.profile;

        if (name->len == profile->len
            && ngx_memcmp(name->data, profile->data, name->len) == 0)
        {
            ngx_constraint_rule_unlist(worker, loaded);
        }
    }
}


void
ngx_constraint_rules_drop_all(ngx_constraint_worker_t *worker)
{
    ngx_queue_t               *q;
    ngx_constraint_loaded_t   *loaded;
    ngx_constraint_program_t  *program;

    while (!ngx_queue_empty(&worker->recent)) {
        q = ngx_queue_head(&worker->recent);
        loaded = ngx_queue_data(q, ngx_constraint_loaded_t, recent);
        ngx_constraint_rule_unlist(worker, loaded);
    }

    /* a program without rules is idle */

    while (!ngx_queue_empty(&worker->idle)) {
        q = ngx_queue_head(&worker->idle);
        program = ngx_queue_data(q, ngx_constraint_program_t, idle);
        ngx_constraint_program_unlist(worker, program);
    }

    ngx_constraint_loads_stale(worker, 0, NULL);
}


void
ngx_constraint_rules_shrink(ngx_constraint_worker_t *worker,
    const ngx_constraint_loaded_t *keep)
{
    size_t                     max;
    ngx_queue_t               *q;
    ngx_constraint_loaded_t   *loaded;
    ngx_constraint_program_t  *program;

    max = ngx_max(worker->catalogue->cache_size, NGX_CONSTRAINT_PROGRAMS_MIN);

    while (worker->bytes > max) {

        if (!ngx_queue_empty(&worker->idle)) {
            q = ngx_queue_last(&worker->idle);
            program = ngx_queue_data(q, ngx_constraint_program_t, idle);
            ngx_constraint_program_unlist(worker, program);
            continue;
        }

        if (ngx_queue_empty(&worker->recent)) {
            return;
        }

        q = ngx_queue_last(&worker->recent);
        loaded = ngx_queue_data(q, ngx_constraint_loaded_t, recent);

        if (loaded == keep) {
            return;
        }

        ngx_constraint_rule_unlist(worker, loaded);
    }
}
