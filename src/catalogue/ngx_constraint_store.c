/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The LMDB environment of one worker: opening and closing, transactions, the
 * size of map and file.  Knows no keys but the schema's.
 */


#include "ngx_constraint_catalogue_room.h"

#include <sched.h>


#define NGX_CONSTRAINT_STORE_WAIT_MS   5000
#define NGX_CONSTRAINT_STORE_SLACK     256     /* pages */
#define NGX_CONSTRAINT_STORE_RESERVE   32      /* pages, at least */
#define NGX_CONSTRAINT_STORE_PATH      32      /* pages one write touches */


typedef struct {
    uint64_t    oldest;
} ngx_constraint_readers_t;


static ngx_int_t ngx_constraint_store_open_env(ngx_constraint_store_t *store,
    const ngx_constraint_zone_conf_t *conf);
static ngx_int_t ngx_constraint_store_check(ngx_constraint_store_t *store,
    const ngx_constraint_zone_conf_t *conf);
static int ngx_constraint_store_enter(ngx_constraint_store_t *store,
    ngx_uint_t wait);
static void ngx_constraint_store_leave(ngx_constraint_store_t *store);
static ngx_int_t ngx_constraint_store_alone(ngx_constraint_store_t *store);
static uint64_t ngx_constraint_store_reusable(ngx_constraint_store_t *store,
    uint64_t id, uint64_t enough);
static int ngx_constraint_store_reader(const char *line, void *ctx);


ngx_int_t
ngx_constraint_store_open(ngx_constraint_store_t *store,
    const ngx_constraint_zone_conf_t *conf)
{
    ngx_uint_t  schema;

    if (ngx_constraint_fault("store.open_fails")) {
        ngx_constraint_error_set(store->error, "fault store.open_fails");
        return NGX_ERROR;
    }

    if (ngx_constraint_schema_read(&conf->path, &schema, store->error)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (schema > NGX_CONSTRAINT_SCHEMA) {
        ngx_constraint_error_set(store->error, "\"%V\" is of schema %ui, "
                                 "this module knows up to %d", &conf->path,
                                 schema, NGX_CONSTRAINT_SCHEMA);
        return NGX_ERROR;
    }

    if (ngx_constraint_file_check(&conf->path, &store->id, store->error)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_constraint_store_open_env(store, conf) != NGX_OK) {
        return NGX_ERROR;
    }

    /* once more: the environment may have been made by this open */

    if (ngx_constraint_store_check(store, conf) != NGX_OK
        || ngx_constraint_file_check(&conf->path, &store->id, store->error)
           != NGX_OK)
    {
        (void) ngx_constraint_store_close(store);
        return NGX_ERROR;
    }

    store->error[0] = '\0';

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_store_open_env(ngx_constraint_store_t *store,
    const ngx_constraint_zone_conf_t *conf)
{
    int       rc;
    MDB_env  *env;

    rc = mdb_env_create(&env);

    if (rc != 0) {
        ngx_constraint_error_set(store->error, "mdb_env_create() failed: %s",
                                 mdb_strerror(rc));
        return NGX_ERROR;
    }

    (void) mdb_env_set_maxreaders(env, NGX_CONSTRAINT_READERS);
    (void) mdb_env_set_mapsize(env, conf->map_size);

    rc = mdb_env_open(env, (char *) conf->path.data, MDB_NOTLS, 0600);

    if (rc != 0) {
        ngx_constraint_error_set(store->error,
                                 "\"%V\" cannot be opened: %s", &conf->path,
                                 mdb_strerror(rc));
        mdb_env_close(env);
        return NGX_ERROR;
    }

    store->env = env;
    store->txn = NULL;

    atomic_store(&store->broken, 0);
    atomic_store(&store->resized, 0);

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_store_check(ngx_constraint_store_t *store,
    const ngx_constraint_zone_conf_t *conf)
{
    int                     rc, dead;
    uint64_t                schema;
    MDB_stat                stat;
    ngx_str_t               none, payload;
    ngx_constraint_key_t    key;
    ngx_constraint_read_t   read;

    (void) mdb_reader_check(store->env, &dead);

    rc = ngx_constraint_store_read(store, &read, 1);

    if (rc != 0) {
        ngx_constraint_error_set(store->error, "\"%V\" cannot be read: %s",
                                 &conf->path,
                                 ngx_constraint_store_failed(store, rc));
        return NGX_ERROR;
    }

    schema = 0;
    ngx_str_null(&none);
    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_SCHEMA, &none);

    rc = mdb_dbi_open(read.txn, NULL, 0, &store->dbi);

    if (rc == 0) {
        rc = mdb_stat(read.txn, store->dbi, &stat);
    }

    if (rc == 0) {
        rc = ngx_constraint_store_get(read.txn, store->dbi, &key, &payload,
                                      NULL);

        if (rc == MDB_NOTFOUND && stat.ms_entries == 0) {
            schema = NGX_CONSTRAINT_SCHEMA;
            rc = 0;

        } else if (rc == 0 && payload.len == 8) {
            schema = ngx_constraint_number_get(payload.data);
        }
    }

    ngx_constraint_store_read_end(&read);

    if (rc == MDB_NOTFOUND || (rc == 0 && schema == 0)) {
        ngx_constraint_error_set(store->error,
                                 "\"%V\" holds data of something else",
                                 &conf->path);
        return NGX_ERROR;
    }

    if (rc != 0) {
        ngx_constraint_error_set(store->error,
                                 "schema of \"%V\" cannot be read: %s",
                                 &conf->path,
                                 ngx_constraint_store_failed(store, rc));
        return NGX_ERROR;
    }

    if (schema > NGX_CONSTRAINT_SCHEMA) {
        ngx_constraint_error_set(store->error, "\"%V\" is of schema %uL, "
                                 "this module knows up to %d", &conf->path,
                                 schema, NGX_CONSTRAINT_SCHEMA);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_constraint_store_close(ngx_constraint_store_t *store)
{
    if (store->env == NULL) {
        return NGX_OK;
    }

    if (ngx_constraint_store_alone(store) != NGX_OK) {
        return NGX_AGAIN;
    }

    if (store->txn) {
        mdb_txn_abort(store->txn);
        store->txn = NULL;
    }

    mdb_env_close(store->env);
    store->env = NULL;

    atomic_store(&store->broken, 0);
    atomic_store(&store->users, 0);

    return NGX_OK;
}


uint64_t
ngx_constraint_store_generation(ngx_constraint_store_t *store)
{
    MDB_envinfo  info;

    (void) mdb_env_info(store->env, &info);

    return info.me_last_txnid;
}


void
ngx_constraint_store_resize(ngx_constraint_store_t *store)
{
    if (ngx_constraint_store_alone(store) != NGX_OK) {
        return;
    }

    /* a failure leaves no map: nothing can be read until it is reopened */

    if (mdb_env_set_mapsize(store->env, 0) != 0) {
        atomic_store(&store->broken, 1);
    }

    atomic_store(&store->resized, 0);
    atomic_store(&store->users, 0);
}


/* no transaction of this process is live, and none begins until users = 0 */

static ngx_int_t
ngx_constraint_store_alone(ngx_constraint_store_t *store)
{
    int  none;

    none = 0;

    return atomic_compare_exchange_strong(&store->users, &none, -1)
           ? NGX_OK : NGX_AGAIN;
}


static int
ngx_constraint_store_enter(ngx_constraint_store_t *store, ngx_uint_t wait)
{
    int  n;

    for ( ;; ) {
        n = atomic_load(&store->users);

        if (n < 0) {
            if (!wait) {
                return EBUSY;
            }

            sched_yield();
            continue;
        }

        if (atomic_compare_exchange_weak(&store->users, &n, n + 1)) {
            break;
        }
    }

    if (store->env == NULL || atomic_load(&store->broken)) {
        ngx_constraint_store_leave(store);
        return EBADF;
    }

    return 0;
}


static void
ngx_constraint_store_leave(ngx_constraint_store_t *store)
{
    atomic_fetch_sub(&store->users, 1);
}


int
ngx_constraint_store_read(ngx_constraint_store_t *store,
    ngx_constraint_read_t *read, ngx_uint_t loop)
{
    int         rc;
    ngx_uint_t  n;

    read->store = store;
    read->loop = loop;

    if (loop && ngx_constraint_fault("store.read_busy")) {
        return EBUSY;
    }

    for (n = 0; n < NGX_CONSTRAINT_STORE_WAIT_MS; n++) {

        rc = ngx_constraint_store_enter(store, !loop);
        if (rc != 0) {
            return rc;
        }

        if (loop && store->txn) {
            read->txn = store->txn;
            rc = mdb_txn_renew(read->txn);

        } else {
            rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &read->txn);

            if (rc == 0 && loop) {
                store->txn = read->txn;
            }
        }

        if (rc == 0) {
            return 0;
        }

        ngx_constraint_store_leave(store);

        if (rc != MDB_MAP_RESIZED) {
            return rc;
        }

        atomic_store(&store->resized, 1);

        if (!loop) {
            ngx_msleep(1);
            continue;
        }

        ngx_constraint_store_resize(store);

        if (atomic_load(&store->resized)) {
            return EBUSY;
        }
    }

    return EBUSY;
}


void
ngx_constraint_store_read_end(ngx_constraint_read_t *read)
{
    if (read->loop) {
        mdb_txn_reset(read->txn);

    } else {
        mdb_txn_abort(read->txn);
    }

    ngx_constraint_store_leave(read->store);
}


int
ngx_constraint_store_write_thread(ngx_constraint_store_t *store,
    MDB_txn **txn)
{
    int         rc;
    ngx_uint_t  n;

    for (n = 0; n < NGX_CONSTRAINT_STORE_WAIT_MS; n++) {

        rc = ngx_constraint_store_enter(store, 1);
        if (rc != 0) {
            return rc;
        }

        rc = mdb_txn_begin(store->env, NULL, 0, txn);
        if (rc == 0) {
            return 0;
        }

        ngx_constraint_store_leave(store);

        if (rc != MDB_MAP_RESIZED) {
            return rc;
        }

        atomic_store(&store->resized, 1);
        ngx_msleep(1);
    }

    return EBUSY;
}


void
ngx_constraint_store_write_end(ngx_constraint_store_t *store)
{
    ngx_constraint_store_leave(store);
}


const char *
ngx_constraint_store_failed(ngx_constraint_store_t *store, int rc)
{
    switch (rc) {

    case NGX_CONSTRAINT_DAMAGED:
        return "a stored value is damaged (checksum)";

    case EBADF:
        return "the store is not open";

    case EBUSY:
        return "the store's map is being made larger";

    case MDB_PANIC:
    case MDB_BAD_RSLOT:
        atomic_store(&store->broken, 1);
        break;

    default:
        break;
    }

    return mdb_strerror(rc);
}


/*
 * The file is kept longer than any committed header says: LMDB may give out
 * pages at the end that it never writes, and a disk that is full is met here,
 * before anything is changed.
 */

int
ngx_constraint_store_reserve_thread(ngx_constraint_store_t *store,
    size_t bytes)
{
    off_t         used, slack, size;
    MDB_stat      stat;
    mdb_filehandle_t  fd;
    struct stat   st;
    MDB_envinfo   info;

    if (ngx_constraint_fault("store.disk_full")) {
        return ENOSPC;
    }

    (void) mdb_env_info(store->env, &info);
    (void) mdb_env_stat(store->env, &stat);
    (void) mdb_env_get_fd(store->env, &fd);

    if (fstat(fd, &st) == -1) {
        return errno;
    }

    used = (off_t) (info.me_last_pgno + 1) * stat.ms_psize;
    slack = (off_t) NGX_CONSTRAINT_STORE_SLACK * stat.ms_psize + 2 * bytes;
    size = ngx_min(used + slack, (off_t) info.me_mapsize);

    if (st.st_size >= size) {
        return 0;
    }

    size = ngx_min(used + 2 * slack, (off_t) info.me_mapsize);

#if (NGX_LINUX)

    if (fallocate(fd, 0, 0, size) == 0) {
        return 0;
    }

    if (errno != EOPNOTSUPP && errno != ENOSYS) {
        return errno;
    }

#endif

    return (ftruncate(fd, size) == -1) ? errno : 0;
}


/*
 * Deletes need a few pages too: 5 % of the map are left to them, of pages
 * never used or free for reuse (no reader sees them any more).
 */

ngx_uint_t
ngx_constraint_store_full_thread(ngx_constraint_store_t *store, MDB_txn *txn,
    size_t bytes)
{
    int          dead;
    uint64_t     pages, need, tail;
    MDB_stat     stat;
    MDB_envinfo  info;

    if (ngx_constraint_fault("store.map_full")) {
        return 1;
    }

    (void) mdb_env_info(store->env, &info);
    (void) mdb_env_stat(store->env, &stat);

    pages = info.me_mapsize / stat.ms_psize;
    need = ngx_max(pages / 20, NGX_CONSTRAINT_STORE_RESERVE)
           + NGX_CONSTRAINT_STORE_PATH + bytes / stat.ms_psize;
    tail = pages - ngx_min(pages, info.me_last_pgno + 1);

    if (tail >= need) {
        return 0;
    }

    (void) mdb_reader_check(store->env, &dead);

    return ngx_constraint_store_reusable(store, mdb_txn_id(txn), need - tail)
           < need - tail;
}


/*
 * Pages of the free list that the write of that id may use, counted up to
 * enough: those that no reader sees.  A write transaction does not let the
 * free list be read, so a read transaction does, for as long as it takes.
 */

static uint64_t
ngx_constraint_store_reusable(ngx_constraint_store_t *store, uint64_t id,
    uint64_t enough)
{
    size_t                     freed_by, count;
    MDB_txn                   *txn;
    MDB_val                    key, data;
    uint64_t                   pages;
    MDB_cursor                *cursor;
    ngx_constraint_readers_t   readers;

    /* the last transaction's pages are kept: its header may yet be needed */

    readers.oldest = id - 1;
    (void) mdb_reader_list(store->env, ngx_constraint_store_reader, &readers);

    if (mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn) != 0) {
        return 0;
    }

    pages = 0;

    if (mdb_cursor_open(txn, 0, &cursor) == 0) {

        while (pages < enough
               && mdb_cursor_get(cursor, &key, &data, MDB_NEXT) == 0)
        {
            ngx_memcpy(&freed_by, key.mv_data, sizeof(size_t));

            if (freed_by >= readers.oldest) {
                break;
            }

            ngx_memcpy(&count, data.mv_data, sizeof(size_t));
            pages += count;
        }

        mdb_cursor_close(cursor);
    }

    mdb_txn_abort(txn);

    return pages;
}


/* a line: process, thread, transaction or "-" */

static int
ngx_constraint_store_reader(const char *line, void *ctx)
{
    int                        pid;
    char                       thread[32], txn[32];
    uint64_t                   id;
    ngx_constraint_readers_t  *readers = ctx;

    if (sscanf(line, "%d %31s %31s", &pid, thread, txn) == 3
        && txn[0] >= '0' && txn[0] <= '9')
    {
        id = strtoull(txn, NULL, 10);
        readers->oldest = ngx_min(readers->oldest, id);
    }

    return 0;
}


int
ngx_constraint_store_get(MDB_txn *txn, MDB_dbi dbi,
    const ngx_constraint_key_t *key, ngx_str_t *payload, MDB_val *raw)
{
    int      rc;
    MDB_val  k, v;

    k.mv_data = (void *) key->data;
    k.mv_size = key->len;

    rc = mdb_get(txn, dbi, &k, &v);
    if (rc != 0) {
        return rc;
    }

    if (ngx_constraint_value_open(key->data, key->len, v.mv_data, v.mv_size,
                                  payload)
        != NGX_OK)
    {
        return NGX_CONSTRAINT_DAMAGED;
    }

    if (raw) {
        *raw = v;
    }

    return 0;
}


int
ngx_constraint_store_put(MDB_txn *txn, MDB_dbi dbi,
    const ngx_constraint_key_t *key, const ngx_str_t *payload)
{
    int      rc;
    MDB_val  k, v;

    k.mv_data = (void *) key->data;
    k.mv_size = key->len;
    v.mv_data = NULL;
    v.mv_size = NGX_CONSTRAINT_VALUE_HEAD + payload->len;

    rc = mdb_put(txn, dbi, &k, &v, MDB_RESERVE);
    if (rc != 0) {
        return rc;
    }

    ngx_constraint_value_head(key, payload, v.mv_data);

    if (payload->len) {
        ngx_memcpy((u_char *) v.mv_data + NGX_CONSTRAINT_VALUE_HEAD,
                   payload->data, payload->len);
    }

    return 0;
}


int
ngx_constraint_store_delete(MDB_txn *txn, MDB_dbi dbi,
    const ngx_constraint_key_t *key)
{
    MDB_val  k;

    k.mv_data = (void *) key->data;
    k.mv_size = key->len;

    return mdb_del(txn, dbi, &k, NULL);
}
