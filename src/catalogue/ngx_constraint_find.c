/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Finds what a rule is made of: the values of a constraint, its profile, its
 * workflow's head and document, of one snapshot, from the cache or from the
 * store.  Parses and compiles nothing.
 */


#include "ngx_constraint_catalogue_room.h"


static ngx_int_t ngx_constraint_find_cached(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *message_type,
    ngx_constraint_found_t *found);
static ngx_int_t ngx_constraint_find_stored(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *message_type,
    ngx_constraint_found_t *found, ngx_str_t *error);
static int ngx_constraint_find_values(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_read_t *read, const ngx_str_t *message_type,
    ngx_constraint_found_t *found);
static int ngx_constraint_find_head(ngx_constraint_worker_t *worker,
    ngx_constraint_read_t *read, ngx_constraint_found_t *found);
static int ngx_constraint_find_document(ngx_constraint_worker_t *worker,
    ngx_constraint_read_t *read, ngx_constraint_found_t *found);
static ngx_int_t ngx_constraint_find_profile_cached(
    ngx_constraint_catalogue_t *catalogue, ngx_constraint_found_t *found,
    uint64_t generation);
static int ngx_constraint_find_profile(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_read_t *read, ngx_constraint_found_t *found);
static ngx_int_t ngx_constraint_find_open(const ngx_constraint_key_t *key,
    const ngx_constraint_bytes_t *bytes, ngx_str_t *payload);
static void ngx_constraint_find_keep(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, const ngx_constraint_found_t *found,
    uint64_t generation);


ngx_int_t
ngx_constraint_find(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_constraint_found_t *found,
    ngx_str_t *error)
{
    if (ngx_constraint_find_cached(catalogue, message_type, found) == NGX_OK)
    {
        return NGX_OK;
    }

    return ngx_constraint_find_stored(catalogue, message_type, found, error);
}


/*
 * NGX_OK when all of it is there, as of one generation that is new enough:
 * the store's own, as the worker's is an old one when its changes could not
 * be read.
 */

static ngx_int_t
ngx_constraint_find_cached(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_constraint_found_t *found)
{
    uint64_t                  at, head_at, any, time;
    ngx_str_t                 payload;
    ngx_constraint_key_t      key;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;

    ngx_memzero(found, sizeof(ngx_constraint_found_t));

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_CONSTRAINT, message_type);

    if (ngx_constraint_cache_get(catalogue, &key, &worker->value, &at)
        != NGX_OK
        || at < ngx_constraint_store_generation(&worker->store)
        || ngx_constraint_find_open(&key, &worker->value, &payload) != NGX_OK
        || ngx_constraint_payload_open(&payload, &found->record) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_WORKFLOW,
                       &found->record.workflow_id);

    if (ngx_constraint_find_profile_cached(catalogue, found, at) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_constraint_cache_get(catalogue, &key, &worker->head, &head_at)
        != NGX_OK
        || head_at != at
        || ngx_constraint_find_open(&key, &worker->head, &payload) != NGX_OK
        || ngx_constraint_head_open(&payload, &found->head) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    found->program = ngx_constraint_program_lookup(worker,
                                                 &found->record.workflow_id,
                                                 found->head.revision);
    if (found->program) {
        return NGX_OK;
    }

    ngx_constraint_key_revision(&key, &found->record.workflow_id,
                                found->head.revision);

    if (ngx_constraint_cache_get(catalogue, &key, &worker->document, &any)
        != NGX_OK
        || ngx_constraint_find_open(&key, &worker->document, &payload)
           != NGX_OK
        || ngx_constraint_revision_open(&payload, &found->document, &time)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* NGX_OK: none is named, or it is there as of that generation. */

static ngx_int_t
ngx_constraint_find_profile_cached(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_found_t *found, uint64_t generation)
{
    uint64_t                  at;
    ngx_str_t                *name;
    ngx_constraint_key_t      key;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;
    name = &found->record.profile;

    if (name->len == 0) {
        return NGX_OK;
    }

    found->profile.fixed = ngx_constraint_catalogue_profile_find(catalogue,
                                                                 name);
    if (found->profile.fixed) {
        return NGX_OK;
    }

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_PROFILE, name);

    if (ngx_constraint_cache_get(catalogue, &key, &worker->profile, &at)
        != NGX_OK
        || at != generation)
    {
        return NGX_DECLINED;
    }

    return ngx_constraint_find_open(&key, &worker->profile,
                                    &found->profile.text);
}


static ngx_int_t
ngx_constraint_find_open(const ngx_constraint_key_t *key,
    const ngx_constraint_bytes_t *bytes, ngx_str_t *payload)
{
    return ngx_constraint_value_open(key->data, key->len, bytes->data,
                                     bytes->len, payload);
}


static ngx_int_t
ngx_constraint_find_stored(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_constraint_found_t *found,
    ngx_str_t *error)
{
    int                       rc;
    uint64_t                  generation;
    const char               *text;
    ngx_constraint_read_t     read;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;
    generation = 0;

    ngx_memzero(found, sizeof(ngx_constraint_found_t));

    rc = ngx_constraint_store_read(&worker->store, &read, 1);

    if (rc == 0) {
        generation = mdb_txn_id(read.txn);
        rc = ngx_constraint_find_values(catalogue, &read, message_type,
                                        found);
        ngx_constraint_store_read_end(&read);
    }

    if (rc == MDB_NOTFOUND) {
        return NGX_DECLINED;
    }

    if (rc == 0) {
        ngx_constraint_find_keep(catalogue, message_type, found, generation);
        return NGX_OK;
    }

    text = ngx_constraint_store_failed(&worker->store, rc);

    if (error) {
        error->data = (u_char *) text;
        error->len = ngx_strlen(text);
    }

    /* names in the store are plain ASCII, but this one is a request's */

    if (worker->logged != ngx_time()) {
        worker->logged = ngx_time();
        ngx_log_error(NGX_LOG_ALERT, worker->log, 0,
                      "constraint: a constraint cannot be read from \"%V\": "
                      "%s", &catalogue->conf.path, text);
    }

    return NGX_ERROR;
}


/*
 * Copies the values of one snapshot out of the map.  A workflow that is
 * missing or damaged leaves the reason; the constraint is told with it.
 */

static int
ngx_constraint_find_values(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_read_t *read, const ngx_str_t *message_type,
    ngx_constraint_found_t *found)
{
    int                       rc;
    MDB_val                   raw;
    ngx_str_t                 payload;
    ngx_constraint_key_t      key;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_CONSTRAINT, message_type);

    rc = ngx_constraint_store_get(read->txn, read->store->dbi, &key, &payload,
                                  &raw);
    if (rc != 0) {
        return rc;
    }

    if (ngx_constraint_bytes_set(&worker->value, raw.mv_data, raw.mv_size)
        != NGX_OK)
    {
        return ENOMEM;
    }

    payload.data = worker->value.data + NGX_CONSTRAINT_VALUE_HEAD;

    if (ngx_constraint_payload_open(&payload, &found->record) != NGX_OK) {
        return NGX_CONSTRAINT_DAMAGED;
    }

    rc = ngx_constraint_find_profile(catalogue, read, found);

    if (rc == 0) {
        rc = ngx_constraint_find_head(worker, read, found);
    }

    if (rc != 0 || found->head.revision == 0) {
        found->program = ngx_constraint_program_lookup(worker,
                                              &found->record.workflow_id, 0);
        return rc;
    }

    found->program = ngx_constraint_program_lookup(worker,
                                                   &found->record.workflow_id,
                                                   found->head.revision);

    return found->program ? 0 : ngx_constraint_find_document(worker, read,
                                                             found);
}


/* 0; without a profile there is a reason, if one is named */

static int
ngx_constraint_find_profile(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_read_t *read, ngx_constraint_found_t *found)
{
    int                              rc;
    MDB_val                          raw;
    ngx_str_t                       *name, payload;
    ngx_constraint_key_t             key;
    ngx_constraint_worker_t         *worker;
    ngx_constraint_found_profile_t  *profile;

    worker = catalogue->worker;
    profile = &found->profile;
    name = &found->record.profile;

    if (name->len == 0) {
        return 0;
    }

    profile->fixed = ngx_constraint_catalogue_profile_find(catalogue, name);
    if (profile->fixed) {
        return 0;
    }

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_PROFILE, name);

    rc = ngx_constraint_store_get(read->txn, read->store->dbi, &key, &payload,
                                  &raw);

    if (rc == MDB_NOTFOUND) {
        profile->reason = "is neither stored nor configured";
        return 0;
    }

    if (rc == NGX_CONSTRAINT_DAMAGED) {
        profile->reason = "is damaged in the store (checksum)";
        return 0;
    }

    if (rc == 0
        && ngx_constraint_bytes_set(&worker->profile, raw.mv_data,
                                    raw.mv_size)
           != NGX_OK)
    {
        return ENOMEM;
    }

    if (rc == 0) {
        profile->text.data = worker->profile.data + NGX_CONSTRAINT_VALUE_HEAD;
        profile->text.len = worker->profile.len - NGX_CONSTRAINT_VALUE_HEAD;
    }

    return rc;
}


/* 0; without a head the revision stays 0 */

static int
ngx_constraint_find_head(ngx_constraint_worker_t *worker,
    ngx_constraint_read_t *read, ngx_constraint_found_t *found)
{
    int                    rc;
    MDB_val                raw;
    ngx_str_t              payload;
    ngx_constraint_key_t   key;

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_WORKFLOW,
                       &found->record.workflow_id);

    rc = ngx_constraint_store_get(read->txn, read->store->dbi, &key, &payload,
                                  &raw);

    if (rc == MDB_NOTFOUND) {
        found->reason = "is not registered";
        return 0;
    }

    if (rc == NGX_CONSTRAINT_DAMAGED
        || (rc == 0
            && ngx_constraint_head_open(&payload, &found->head) != NGX_OK))
    {
        found->reason = "is damaged in the store (checksum)";
        return 0;
    }

    if (rc == 0
        && ngx_constraint_bytes_set(&worker->head, raw.mv_data, raw.mv_size)
           != NGX_OK)
    {
        return ENOMEM;
    }

    return rc;
}


/* 0; without a document its length stays 0 */

static int
ngx_constraint_find_document(ngx_constraint_worker_t *worker,
    ngx_constraint_read_t *read, ngx_constraint_found_t *found)
{
    int                    rc;
    MDB_val                raw;
    uint64_t               time;
    ngx_str_t              payload;
    ngx_constraint_key_t   key;

    ngx_constraint_key_revision(&key, &found->record.workflow_id,
                                found->head.revision);

    rc = ngx_constraint_store_get(read->txn, read->store->dbi, &key, &payload,
                                  &raw);

    if (rc == MDB_NOTFOUND || rc == NGX_CONSTRAINT_DAMAGED) {
        found->reason = "is damaged in the store (its document)";
        return 0;
    }

    if (rc != 0) {
        return rc;
    }

    if (ngx_constraint_bytes_set(&worker->document, raw.mv_data, raw.mv_size)
        != NGX_OK)
    {
        return ENOMEM;
    }

    payload.data = worker->document.data + NGX_CONSTRAINT_VALUE_HEAD;

    if (ngx_constraint_revision_open(&payload, &found->document, &time)
        != NGX_OK)
    {
        found->reason = "is damaged in the store (its document)";
    }

    return 0;
}


static void
ngx_constraint_find_keep(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, const ngx_constraint_found_t *found,
    uint64_t generation)
{
    MDB_val                   value;
    ngx_constraint_key_t      key;
    ngx_constraint_worker_t  *worker;

    if (found->head.revision == 0 || found->profile.reason) {
        return;
    }

    worker = catalogue->worker;

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_CONSTRAINT, message_type);
    value.mv_data = worker->value.data;
    value.mv_size = worker->value.len;
    ngx_constraint_cache_put(catalogue, &key, &value, generation);

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_WORKFLOW,
                       &found->record.workflow_id);
    value.mv_data = worker->head.data;
    value.mv_size = worker->head.len;
    ngx_constraint_cache_put(catalogue, &key, &value, generation);

    if (found->profile.text.len) {
        ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_PROFILE,
                           &found->record.profile);
        value.mv_data = worker->profile.data;
        value.mv_size = worker->profile.len;
        ngx_constraint_cache_put(catalogue, &key, &value, generation);
    }

    if (found->document.len) {
        ngx_constraint_key_revision(&key, &found->record.workflow_id,
                                    found->head.revision);
        value.mv_data = worker->document.data;
        value.mv_size = worker->document.len;
        ngx_constraint_cache_put(catalogue, &key, &value, generation);
    }
}
