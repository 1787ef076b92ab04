/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The change log: which key each transaction touched, so that a worker that
 * is behind drops just these.  An id without an entry was written by some
 * other tool: then nothing held is believed.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_CHANGES_PRUNE  8


static int ngx_constraint_changes_collect(ngx_constraint_read_t *read,
    ngx_constraint_bytes_t *keys, uint64_t from, uint64_t generation);
static int ngx_constraint_changes_collect_one(ngx_constraint_bytes_t *keys,
    const MDB_val *key, const MDB_val *value, uint64_t expected);
static void ngx_constraint_changes_apply(ngx_constraint_worker_t *worker,
    const ngx_constraint_bytes_t *keys);
static int ngx_constraint_changes_prune(MDB_txn *txn, MDB_dbi dbi);


ngx_int_t
ngx_constraint_changes_sync(ngx_constraint_catalogue_t *catalogue)
{
    int                       rc;
    uint64_t                  from, generation;
    ngx_constraint_bytes_t   *keys;
    ngx_constraint_read_t     read;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;
    keys = &worker->head;

    from = ngx_constraint_cache_synced(catalogue);

    rc = ngx_constraint_store_read(&worker->store, &read, 1);

    if (rc != 0) {
        if (worker->logged != ngx_time()) {
            worker->logged = ngx_time();
            ngx_log_error(NGX_LOG_ERR, worker->log, 0,
                          "constraint: store \"%V\" cannot be read: %s",
                          &catalogue->conf.path,
                          ngx_constraint_store_failed(&worker->store, rc));
        }

        return NGX_ERROR;
    }

    generation = mdb_txn_id(read.txn);

    if (worker->nrules || worker->nprograms || worker->nloads) {
        from = ngx_min(from, worker->synced);
    }

    keys->len = 0;
    rc = ngx_constraint_changes_collect(&read, keys, from, generation);

    ngx_constraint_store_read_end(&read);

    if (rc == 0) {
        ngx_constraint_changes_apply(worker, keys);

    } else {
        ngx_log_debug3(NGX_LOG_DEBUG_CORE, worker->log, 0,
                       "constraint: changes %uL..%uL are not known: %d",
                       from + 1, generation, rc);

        ngx_constraint_rules_drop_all(worker);
    }

    ngx_constraint_cache_advance(catalogue, rc == 0 ? keys : NULL, from,
                                 generation);
    worker->synced = generation;

    return NGX_OK;
}


/* 0, or MDB_NOTFOUND when an id has no entry, or another code */

static int
ngx_constraint_changes_collect(ngx_constraint_read_t *read,
    ngx_constraint_bytes_t *keys, uint64_t from, uint64_t generation)
{
    int                    rc;
    MDB_val                key, value;
    uint64_t               id;
    MDB_cursor            *cursor;
    MDB_cursor_op          op;
    ngx_constraint_key_t   first;

    if (from >= generation) {
        return 0;
    }

    if (generation - from > NGX_CONSTRAINT_LOG_MAX) {
        return MDB_NOTFOUND;
    }

    rc = mdb_cursor_open(read->txn, read->store->dbi, &cursor);
    if (rc != 0) {
        return rc;
    }

    ngx_constraint_key_number(&first, NGX_CONSTRAINT_KEY_LOG, from + 1);

    key.mv_data = first.data;
    key.mv_size = first.len;
    op = MDB_SET_RANGE;

    for (id = from + 1; id <= generation; id++) {
        rc = mdb_cursor_get(cursor, &key, &value, op);

        if (rc == 0) {
            rc = ngx_constraint_changes_collect_one(keys, &key, &value, id);
        }

        if (rc != 0) {
            break;
        }

        op = MDB_NEXT;
    }

    mdb_cursor_close(cursor);

    return rc;
}


static int
ngx_constraint_changes_collect_one(ngx_constraint_bytes_t *keys,
    const MDB_val *key, const MDB_val *value, uint64_t expected)
{
    u_char                 head[2];
    ngx_str_t              name, payload;
    ngx_constraint_key_t   touched;

    if (ngx_constraint_key_name(key, NGX_CONSTRAINT_KEY_LOG, &name) != NGX_OK
        || name.len != 8
        || ngx_constraint_number_get(name.data) != expected)
    {
        return MDB_NOTFOUND;
    }

    if (ngx_constraint_value_open(key->mv_data, key->mv_size, value->mv_data,
                                  value->mv_size, &payload)
        != NGX_OK
        || payload.len < 2)
    {
        return NGX_CONSTRAINT_DAMAGED;
    }

    name.data = payload.data + 1;
    name.len = payload.len - 1;

    ngx_constraint_key(&touched, payload.data[0], &name);

    head[0] = (u_char) (touched.len >> 8);
    head[1] = (u_char) touched.len;

    if (ngx_constraint_bytes_append(keys, head, 2) != NGX_OK
        || ngx_constraint_bytes_append(keys, touched.data, touched.len)
           != NGX_OK)
    {
        return ENOMEM;
    }

    return 0;
}


static void
ngx_constraint_changes_apply(ngx_constraint_worker_t *worker,
    const ngx_constraint_bytes_t *keys)
{
    size_t      len;
    u_char     *p, *end;
    MDB_val     key;
    ngx_str_t   name;

    end = keys->data + keys->len;

    for (p = keys->data; p < end; p += len) {
        len = p[0] << 8 | p[1];
        p += 2;

        key.mv_data = p;
        key.mv_size = len;

        if (ngx_constraint_key_name(&key, NGX_CONSTRAINT_KEY_CONSTRAINT,
                                    &name)
            == NGX_OK)
        {
            ngx_constraint_rule_drop(worker, &name);
            ngx_constraint_loads_stale(worker, NGX_CONSTRAINT_KEY_CONSTRAINT,
                                       &name);
        }

        if (ngx_constraint_key_name(&key, NGX_CONSTRAINT_KEY_PROFILE, &name)
            == NGX_OK)
        {
            ngx_constraint_rules_drop_profile(worker, &name);
            ngx_constraint_loads_stale(worker, 0, NULL);
        }

        if (ngx_constraint_key_name(&key, NGX_CONSTRAINT_KEY_WORKFLOW, &name)
            == NGX_OK)
        {
            ngx_constraint_program_drop(worker, &name);
            ngx_constraint_loads_stale(worker, NGX_CONSTRAINT_KEY_WORKFLOW,
                                       &name);
        }
    }
}


int
ngx_constraint_changes_add(MDB_txn *txn, MDB_dbi dbi, u_char kind,
    const ngx_str_t *name)
{
    int                    rc;
    u_char                 text[1 + NGX_CONSTRAINT_NAME_MAX];
    ngx_str_t              payload;
    ngx_constraint_key_t   key;

    text[0] = kind;
    ngx_memcpy(text + 1, name->data, name->len);

    payload.data = text;
    payload.len = 1 + name->len;

    ngx_constraint_key_number(&key, NGX_CONSTRAINT_KEY_LOG, mdb_txn_id(txn));

    rc = ngx_constraint_store_put(txn, dbi, &key, &payload);
    if (rc != 0) {
        return rc;
    }

    return ngx_constraint_changes_prune(txn, dbi);
}


/* a write adds one and forgets up to some: the log stays as long as it is */

static int
ngx_constraint_changes_prune(MDB_txn *txn, MDB_dbi dbi)
{
    int                    rc;
    MDB_val                key, value;
    ngx_str_t              name;
    ngx_uint_t             n;
    MDB_cursor            *cursor;
    ngx_constraint_key_t   first;

    rc = mdb_cursor_open(txn, dbi, &cursor);
    if (rc != 0) {
        return rc;
    }

    for (n = 0; n < NGX_CONSTRAINT_CHANGES_PRUNE; n++) {

        ngx_constraint_key_number(&first, NGX_CONSTRAINT_KEY_LOG, 0);

        key.mv_data = first.data;
        key.mv_size = first.len;

        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

        if (rc != 0
            || ngx_constraint_key_name(&key, NGX_CONSTRAINT_KEY_LOG, &name)
               != NGX_OK
            || name.len != 8
            || ngx_constraint_number_get(name.data) + NGX_CONSTRAINT_LOG_MAX
               > mdb_txn_id(txn))
        {
            break;
        }

        rc = mdb_cursor_del(cursor, 0);
        if (rc != 0) {
            break;
        }
    }

    mdb_cursor_close(cursor);

    return (rc == MDB_NOTFOUND) ? 0 : rc;
}
