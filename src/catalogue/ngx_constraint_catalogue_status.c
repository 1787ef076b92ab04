/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The state of a catalogue, for GET /status.
 */


#include "ngx_constraint_catalogue_room.h"


static void ngx_constraint_status_store(ngx_constraint_store_t *store,
    ngx_constraint_catalogue_status_t *status);


void
ngx_constraint_catalogue_status(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_catalogue_status_t *status)
{
    ngx_constraint_worker_t  *worker;

    ngx_memzero(status, sizeof(ngx_constraint_catalogue_status_t));

    status->schema = NGX_CONSTRAINT_SCHEMA;
    status->map_size = catalogue->conf.map_size;
    status->zone_size = catalogue->conf.size;

    ngx_constraint_cache_status(catalogue, status);

    ngx_str_set(&status->error, "not a worker process");

    worker = catalogue->worker;
    if (worker == NULL) {
        return;
    }

    status->program_bytes = worker->bytes;
    status->programs = worker->nprograms;
    status->writes_queued = worker->writes;

    status->error.data = worker->store.error;
    status->error.len = ngx_strlen(worker->store.error);

    if (worker->store.env && !atomic_load(&worker->store.broken)) {
        status->open = 1;
        ngx_constraint_status_store(&worker->store, status);
    }
}


static void
ngx_constraint_status_store(ngx_constraint_store_t *store,
    ngx_constraint_catalogue_status_t *status)
{
    int                       rc;
    MDB_stat                  stat, free;
    ngx_str_t                 none, payload;
    MDB_envinfo               info;
    ngx_constraint_key_t      key;
    ngx_constraint_read_t     read;
    ngx_constraint_counts_t   counts;

    (void) mdb_env_info(store->env, &info);

    status->generation = info.me_last_txnid;
    status->map_size = info.me_mapsize;
    status->readers_max = info.me_maxreaders;
    status->readers_used = info.me_numreaders;

    rc = ngx_constraint_store_read(store, &read, 1);

    if (rc != 0) {
        ngx_str_set(&status->error, "the store cannot be read");
        status->open = 0;
        (void) ngx_constraint_store_failed(store, rc);
        return;
    }

    if (mdb_stat(read.txn, store->dbi, &stat) == 0
        && mdb_stat(read.txn, 0, &free) == 0)
    {
        /* two pages of headers, and those of both trees */

        status->map_used = stat.ms_psize
                           * (2 + stat.ms_branch_pages + stat.ms_leaf_pages
                              + stat.ms_overflow_pages + free.ms_branch_pages
                              + free.ms_leaf_pages + free.ms_overflow_pages);
    }

    ngx_str_null(&none);
    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_COUNTS, &none);

    if (ngx_constraint_store_get(read.txn, store->dbi, &key, &payload, NULL)
        == 0
        && ngx_constraint_counts_open(&payload, &counts) == NGX_OK)
    {
        status->constraints = counts.constraints;
        status->workflows = counts.workflows;
    }

    ngx_constraint_store_read_end(&read);
}
