/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * One write as a job: made in the event loop, run from begin to commit in one
 * thread of the store pool, answered when it is durable.  What is written is
 * decided by write_constraint, write_workflow and write_profile.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_WRITE_TELL  60      /* seconds between two lines */


typedef struct {
    u_char       key;                       /* in the change log */
    ngx_int_t  (*prepare)(ngx_constraint_writing_t *writing);
    int        (*write)(ngx_constraint_writing_t *writing);
} ngx_constraint_write_kind_t;


static void ngx_constraint_write_done(ngx_constraint_job_t *job);
static void ngx_constraint_write_log(ngx_constraint_write_t *write);
static void ngx_constraint_write_destroy(ngx_constraint_job_t *job);
static void ngx_constraint_write_run_thread(ngx_constraint_job_t *job);
#if (NGX_CONSTRAINT_FAULTS)
static void ngx_constraint_write_hold(void);
#endif
static void ngx_constraint_write_transaction(
    ngx_constraint_writing_t *writing);
static int ngx_constraint_write_inside(ngx_constraint_writing_t *writing);
static int ngx_constraint_write_reserve(ngx_constraint_writing_t *writing);
static int ngx_constraint_write_schema(ngx_constraint_writing_t *writing);
static int ngx_constraint_write_counts(ngx_constraint_writing_t *writing);
static void ngx_constraint_write_failed(ngx_constraint_write_t *write,
    int rc);


/* in the order of ngx_constraint_kind_e */

static const ngx_constraint_write_kind_t  ngx_constraint_write_kinds[] = {

    { NGX_CONSTRAINT_KEY_CONSTRAINT,
      ngx_constraint_write_prepare_constraint,
      ngx_constraint_write_constraint },

    { NGX_CONSTRAINT_KEY_WORKFLOW,
      ngx_constraint_write_prepare_workflow,
      ngx_constraint_write_workflow },

    { NGX_CONSTRAINT_KEY_PROFILE,
      ngx_constraint_write_prepare_profile,
      ngx_constraint_write_profile }
};


ngx_constraint_write_t *
ngx_constraint_write_create(ngx_constraint_catalogue_t *catalogue,
    ngx_log_t *log)
{
    ngx_constraint_write_t  *write;

    write = (ngx_constraint_write_t *)
                ngx_constraint_job_create(sizeof(ngx_constraint_write_t),
                                          log);
    if (write == NULL) {
        return NULL;
    }

    write->catalogue = catalogue;
    write->result = NGX_CONSTRAINT_WRITE_FAILED;

    write->job.always = 1;
    write->job.run_thread = ngx_constraint_write_run_thread;
    write->job.done = ngx_constraint_write_done;
    write->job.destroy = ngx_constraint_write_destroy;

    return write;
}


ngx_int_t
ngx_constraint_write_post(ngx_constraint_write_t *write)
{
    ngx_constraint_worker_t     *worker;
    ngx_constraint_catalogue_t  *catalogue;

    catalogue = write->catalogue;
    worker = catalogue->worker;

    if (worker == NULL || worker->store.env == NULL
        || atomic_load(&worker->store.broken))
    {
        return NGX_ERROR;
    }

    return ngx_constraint_job_post(&write->job, catalogue->store_pool,
                                   &worker->writes,
                                   NGX_CONSTRAINT_WRITES_MAX);
}


static void
ngx_constraint_write_done(ngx_constraint_job_t *job)
{
    ngx_constraint_write_t  *write = (ngx_constraint_write_t *) job;

    ngx_constraint_write_log(write);

    write->done(write);
}


/* At most one line a minute: a full store is met by every write. */

static void
ngx_constraint_write_log(ngx_constraint_write_t *write)
{
    ngx_constraint_worker_t  *worker;

    worker = write->catalogue->worker;

    if (worker == NULL
        || (write->result != NGX_CONSTRAINT_WRITE_FULL
            && write->result != NGX_CONSTRAINT_WRITE_FAILED)
        || ngx_time() - worker->told < NGX_CONSTRAINT_WRITE_TELL)
    {
        return;
    }

    worker->told = ngx_time();

    ngx_log_error(NGX_LOG_WARN, worker->log, 0,
                  "constraint: a write was refused: %s", write->error);
}


static void
ngx_constraint_write_destroy(ngx_constraint_job_t *job)
{
    ngx_constraint_write_t      *write = (ngx_constraint_write_t *) job;
    ngx_constraint_catalogue_t  *catalogue;

    catalogue = write->catalogue;

    if (job->posted && write->result == NGX_CONSTRAINT_WRITTEN
        && write->op == NGX_CONSTRAINT_WRITE_DELETE
        && write->kind == NGX_CONSTRAINT_KIND_CONSTRAINT)
    {
        ngx_constraint_stats_drop(catalogue->stats, catalogue->shpool,
                                  &write->key, write->born_ms);
    }

    free(write->key.data);
    free(write->body.data);
    free(write->issues);

    json_decref(write->document);
    json_decref(write->users);
}


static void
ngx_constraint_write_run_thread(ngx_constraint_job_t *job)
{
    ngx_int_t                  rc;
    ngx_constraint_write_t    *write = (ngx_constraint_write_t *) job;
    ngx_constraint_writing_t   writing;

    ngx_memzero(&writing, sizeof(ngx_constraint_writing_t));

    writing.write = write;

    rc = ngx_constraint_write_kinds[write->kind].prepare(&writing);

    if (rc == NGX_OK) {
        ngx_constraint_write_transaction(&writing);
    }

    if (write->result != NGX_CONSTRAINT_WRITTEN) {
        json_decref(write->document);
        write->document = NULL;
    }

    json_decref(writing.body);
    free(writing.text.data);
}


#if (NGX_CONSTRAINT_FAULTS)

static void
ngx_constraint_write_hold(void)
{
    ngx_int_t  ms;
    ngx_str_t  holding = ngx_string("store.holding");

    ms = ngx_constraint_fault("store.hold_write_ms");

    if (ms) {
        (void) ngx_constraint_fault_set(&holding, 1);
        ngx_msleep(ms);
        (void) ngx_constraint_fault_set(&holding, 0);
    }
}

#endif


static void
ngx_constraint_write_transaction(ngx_constraint_writing_t *writing)
{
    int                      rc;
    u_char                   error[NGX_CONSTRAINT_ERROR_MAX];
    ngx_constraint_store_t  *store;
    ngx_constraint_write_t  *write;

    write = writing->write;
    store = &write->catalogue->worker->store;

    rc = ngx_constraint_store_write_thread(store, &writing->txn);

    if (rc != 0) {
        ngx_constraint_write_failed(write, rc);
        return;
    }

#if (NGX_CONSTRAINT_FAULTS)
    ngx_constraint_write_hold();
#endif

    writing->dbi = store->dbi;
    writing->now_ms = ngx_constraint_now_ms();
    write->generation = mdb_txn_id(writing->txn);

    rc = ngx_constraint_write_inside(writing);

#if (NGX_CONSTRAINT_FAULTS)
    if (ngx_constraint_fault("store.kill_before_commit")) {
        (void) raise(SIGKILL);
    }
#endif

    if (rc == 0 && write->result == NGX_CONSTRAINT_WRITTEN) {
        rc = mdb_txn_commit(writing->txn);

    } else {
        mdb_txn_abort(writing->txn);
    }

#if (NGX_CONSTRAINT_FAULTS)
    if (ngx_constraint_fault("store.kill_after_commit")) {
        (void) raise(SIGKILL);
    }
#endif

    if (rc == 0 && write->result == NGX_CONSTRAINT_WRITTEN
        && !atomic_load(&store->marked)
        && ngx_constraint_schema_write(&write->catalogue->conf.path, error)
           == NGX_OK)
    {
        atomic_store(&store->marked, 1);
    }

    ngx_constraint_store_write_end(store);

    if (rc != 0) {
        ngx_constraint_write_failed(write, rc);
    }
}


static int
ngx_constraint_write_inside(ngx_constraint_writing_t *writing)
{
    int                      rc;
    ngx_constraint_write_t  *write;

    write = writing->write;

    rc = ngx_constraint_write_reserve(writing);

    if (rc == 0) {
        rc = ngx_constraint_write_schema(writing);
    }

    if (rc != 0) {
        return rc;
    }

    rc = ngx_constraint_write_kinds[write->kind].write(writing);

    if (rc != 0 || write->result != NGX_CONSTRAINT_WRITTEN) {
        return rc;
    }

    rc = ngx_constraint_write_counts(writing);
    if (rc != 0) {
        return rc;
    }

    return ngx_constraint_changes_add(writing->txn, writing->dbi,
                              ngx_constraint_write_kinds[write->kind].key,
                                      &write->key);
}


/* A delete goes on without: there is room inside the file. */

static int
ngx_constraint_write_reserve(ngx_constraint_writing_t *writing)
{
    int                      rc;
    size_t                   bytes;
    ngx_constraint_write_t  *write;

    write = writing->write;
    bytes = write->body.len + writing->text.len;

    rc = ngx_constraint_store_reserve_thread(
                                  &write->catalogue->worker->store, bytes);

    return (write->op == NGX_CONSTRAINT_WRITE_DELETE) ? 0 : rc;
}


static int
ngx_constraint_write_schema(ngx_constraint_writing_t *writing)
{
    int                    rc;
    u_char                 number[8];
    ngx_str_t              none, payload;
    ngx_constraint_key_t   key;

    ngx_str_null(&none);
    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_COUNTS, &none);

    rc = ngx_constraint_store_get(writing->txn, writing->dbi, &key, &payload,
                                  NULL);

    if (rc == 0
        && ngx_constraint_counts_open(&payload, &writing->counts) == NGX_OK)
    {
        return 0;
    }

    if (rc != MDB_NOTFOUND) {
        return rc ? rc : NGX_CONSTRAINT_DAMAGED;
    }

    /* the first write of this store */

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_SCHEMA, &none);
    (void) ngx_constraint_number_put(number, NGX_CONSTRAINT_SCHEMA);

    payload.data = number;
    payload.len = sizeof(number);

    return ngx_constraint_store_put(writing->txn, writing->dbi, &key,
                                    &payload);
}


static int
ngx_constraint_write_counts(ngx_constraint_writing_t *writing)
{
    u_char                 text[NGX_CONSTRAINT_COUNTS_SIZE];
    uint64_t              *count, uncounted;
    ngx_str_t              none, payload;
    ngx_constraint_key_t   key;

    uncounted = 0;

    count = (writing->write->kind == NGX_CONSTRAINT_KIND_CONSTRAINT)
            ? &writing->counts.constraints : &writing->counts.workflows;

    /* profiles are not counted; a store that was written has counts */

    if (writing->write->kind == NGX_CONSTRAINT_KIND_PROFILE) {
        count = &uncounted;
    }

    if (writing->write->op == NGX_CONSTRAINT_WRITE_CREATE) {
        (*count)++;

    } else if (writing->write->op == NGX_CONSTRAINT_WRITE_DELETE && *count) {
        (*count)--;
    }

    ngx_str_null(&none);
    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_COUNTS, &none);
    ngx_constraint_counts_close(&writing->counts, text);

    payload.data = text;
    payload.len = sizeof(text);

    return ngx_constraint_store_put(writing->txn, writing->dbi, &key,
                                    &payload);
}


static void
ngx_constraint_write_failed(ngx_constraint_write_t *write, int rc)
{
    const char  *text;

    text = ngx_constraint_store_failed(&write->catalogue->worker->store, rc);

    if (rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG) {
        write->result = NGX_CONSTRAINT_WRITE_FULL;

    } else {
        write->result = NGX_CONSTRAINT_WRITE_FAILED;
    }

    ngx_constraint_error_set(write->error, "store \"%V\": %s",
                             &write->catalogue->conf.path, text);
}


ngx_uint_t
ngx_constraint_write_full(ngx_constraint_writing_t *writing, size_t bytes)
{
    ngx_constraint_store_t      *store;
    ngx_constraint_write_t      *write;
    ngx_constraint_catalogue_t  *catalogue;

    write = writing->write;
    catalogue = write->catalogue;
    store = &catalogue->worker->store;

    if (!ngx_constraint_store_full_thread(store, writing->txn, bytes)) {
        return 0;
    }

    write->result = NGX_CONSTRAINT_WRITE_FULL;
    ngx_constraint_error_set(write->error, "the store is full (95%% of "
                             "map_size=%uzk): delete something, or make "
                             "map_size of zone \"%V\" larger",
                             catalogue->conf.map_size / 1024,
                             &catalogue->conf.name);
    return 1;
}


ngx_int_t
ngx_constraint_write_allowed(ngx_constraint_write_t *write, uint64_t revision)
{
    write->revision = revision;

    if (revision && write->if_none_match_any) {
        write->result = NGX_CONSTRAINT_WRITE_PRECONDITION;
        return NGX_DECLINED;
    }

    if (write->op == NGX_CONSTRAINT_WRITE_CREATE) {

        if (revision) {
            write->result = NGX_CONSTRAINT_WRITE_EXISTS;
            return NGX_DECLINED;
        }

        if (write->if_match || write->if_match_any) {
            write->result = NGX_CONSTRAINT_WRITE_PRECONDITION;
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (revision == 0 && write->op == NGX_CONSTRAINT_WRITE_PUT) {

        if (write->if_match || write->if_match_any) {
            write->result = NGX_CONSTRAINT_WRITE_PRECONDITION;
            return NGX_DECLINED;
        }

        return NGX_OK;
    }

    if (revision == 0) {
        write->result = NGX_CONSTRAINT_WRITE_NOT_FOUND;
        return NGX_DECLINED;
    }

    if (write->if_match && write->if_match != revision) {
        write->result = NGX_CONSTRAINT_WRITE_PRECONDITION;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_constraint_write_refuse(ngx_constraint_write_t *write,
    ngx_constraint_written_e result, const char *path, const char *message)
{
    u_char  *p;

    write->result = result;

    p = ngx_slprintf(write->field.path_buf,
                     write->field.path_buf + sizeof(write->field.path_buf),
                     "%s", path);
    write->field.path.data = write->field.path_buf;
    write->field.path.len = p - write->field.path_buf;

    (void) ngx_cpystrn(write->field.message, (u_char *) message,
                       sizeof(write->field.message));

    return NGX_DECLINED;
}


ngx_int_t
ngx_constraint_write_parse(ngx_constraint_writing_t *writing)
{
    u_char                   text[NGX_CONSTRAINT_ERROR_MAX];
    json_error_t             error;
    ngx_constraint_write_t  *write;

    write = writing->write;

    writing->body = json_loadb((char *) write->body.data, write->body.len,
                               JSON_REJECT_DUPLICATES, &error);

    if (writing->body) {
        return NGX_OK;
    }

    ngx_constraint_error_set(text, "malformed JSON at line %d, column %d: %s",
                             error.line, error.column, error.text);

    return ngx_constraint_write_refuse(write, NGX_CONSTRAINT_WRITE_INVALID,
                                       "$", (char *) text);
}


int
ngx_constraint_write_load(ngx_constraint_writing_t *writing, u_char kind,
    const ngx_str_t *name, json_t **json, ngx_uint_t *damaged)
{
    int                        rc;
    ngx_str_t                  text;
    ngx_constraint_key_t       key;
    ngx_constraint_payload_t   payload;

    *json = NULL;
    *damaged = 0;

    ngx_constraint_key(&key, kind, name);

    rc = ngx_constraint_store_get(writing->txn, writing->dbi, &key, &text,
                                  NULL);

    if (rc == 0) {
        payload.json = text;

        if (kind != NGX_CONSTRAINT_KEY_CONSTRAINT
            || ngx_constraint_payload_open(&text, &payload) == NGX_OK)
        {
            *json = json_loadb((char *) payload.json.data, payload.json.len,
                               0, NULL);
        }

        *damaged = (*json == NULL);

        return 0;
    }

    *damaged = (rc == NGX_CONSTRAINT_DAMAGED);

    return (*damaged || rc == MDB_NOTFOUND) ? 0 : rc;
}


int
ngx_constraint_write_stamp(ngx_constraint_writing_t *writing, json_t *old,
    json_t *json)
{
    json_t                  *created;
    ngx_constraint_write_t  *write;

    write = writing->write;
    write->revision = write->generation;

    created = old ? json_incref(json_object_get(old, "created_at"))
                  : json_integer(writing->now_ms);

    if (json_object_set_new(json, "revision", json_integer(write->revision))
        || json_object_set_new(json, "created_at", created)
        || json_object_set_new(json, "updated_at",
                               json_integer(writing->now_ms)))
    {
        return ENOMEM;
    }

    return 0;
}


/* The name in a body: it is the key of a create, and must be that of others. */

ngx_int_t
ngx_constraint_write_key(ngx_constraint_write_t *write, const char *name,
    size_t len, const char *path)
{
    if (write->key.len == 0) {
        free(write->key.data);

        write->key.data = malloc(len);
        if (write->key.data == NULL) {
            write->key.len = 0;
            ngx_constraint_error_set(write->error, "out of memory");
            return NGX_DECLINED;
        }

        write->key.len = len;
        ngx_memcpy(write->key.data, name, len);

        return NGX_OK;
    }

    if (write->key.len == len && ngx_memcmp(write->key.data, name, len) == 0)
    {
        return NGX_OK;
    }

    return ngx_constraint_write_refuse(write, NGX_CONSTRAINT_WRITE_INVALID,
                                       path,
                                       write->kind
                                       == NGX_CONSTRAINT_KIND_WORKFLOW
                                       ? "must be the name in the URI"
                                       : "must be the name in the URI, or be "
                                       "left out");
}
