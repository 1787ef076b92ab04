/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What became of each line, in shared memory: a cache line for each worker,
 * so that none waits for another.  What a killed worker had in its buffers is
 * found by whoever looks next, and is dropped from then on.
 */


#include "ngx_constraint_audit_room.h"


/* The first is of all workers that find no other: it is never given back. */

#define NGX_CONSTRAINT_AUDIT_WORKERS  256

/* slab gives whole pages for it, which are aligned */

typedef struct {
    ngx_constraint_audit_counters_t  workers[NGX_CONSTRAINT_AUDIT_WORKERS];
} ngx_constraint_audit_table_t;

_Static_assert(sizeof(ngx_constraint_audit_counters_t) == 64,
               "the counters of a worker are a cache line");


/* Of this process. */

static ngx_shm_zone_t  *ngx_constraint_audit_shared;


static ngx_int_t ngx_constraint_audit_zone_init(ngx_shm_zone_t *zone,
    void *data);
static void ngx_constraint_audit_settle_locked(
    ngx_constraint_audit_table_t *table);


ngx_shm_zone_t *
ngx_constraint_audit_zone(ngx_conf_t *cf, void *tag)
{
    ngx_str_t        name = ngx_string("constraint_audit_log");
    ngx_shm_zone_t  *zone;

    zone = ngx_shared_memory_add(cf, &name, 4 * ngx_pagesize
                                 + 2 * sizeof(ngx_constraint_audit_table_t),
                                 tag);

    if (zone) {
        zone->init = ngx_constraint_audit_zone_init;
    }

    return zone;
}


static ngx_int_t
ngx_constraint_audit_zone_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *shpool;

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (!zone->shm.exists) {
        shpool->data = ngx_slab_calloc(shpool,
                                       sizeof(ngx_constraint_audit_table_t));
    }

    zone->data = shpool->data;

    return zone->data ? NGX_OK : NGX_ERROR;
}


ngx_constraint_audit_counters_t *
ngx_constraint_audit_counters_take(ngx_shm_zone_t *zone)
{
    ngx_uint_t                        i;
    ngx_slab_pool_t                  *shpool;
    ngx_constraint_audit_table_t     *table;
    ngx_constraint_audit_counters_t  *mine;

    table = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;
    mine = &table->workers[0];

    ngx_shmtx_lock(&shpool->mutex);

    ngx_constraint_audit_settle_locked(table);

    for (i = 1; i < NGX_CONSTRAINT_AUDIT_WORKERS; i++) {

        if (table->workers[i].owner == 0) {
            mine = &table->workers[i];
            mine->owner = (ngx_atomic_uint_t) ngx_pid;
            break;
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);

    ngx_constraint_audit_shared = zone;

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                   "constraint: audit log is counted at %p", mine);

    return mine;
}


/* A lock is not needed: nobody takes what still has an owner that lives. */

void
ngx_constraint_audit_counters_give_back(
    ngx_constraint_audit_counters_t *counters)
{
    ngx_constraint_audit_shared = NULL;

    ngx_memory_barrier();

    counters->owner = 0;
}


/*
 * A worker that died: what it kept and did not write is lost.  One that has
 * our number died before us.  Killed in here leaves nothing by half: what is
 * left to be done is seen again by the next one.
 */

static void
ngx_constraint_audit_settle_locked(ngx_constraint_audit_table_t *table)
{
    ngx_pid_t                         pid;
    ngx_uint_t                        i;
    ngx_constraint_audit_counters_t  *c;

    for (i = 1; i < NGX_CONSTRAINT_AUDIT_WORKERS; i++) {
        c = &table->workers[i];
        pid = (ngx_pid_t) c->owner;

        if (pid == 0) {
            continue;
        }

        if (pid == ngx_pid) {
            if (ngx_constraint_audit_shared) {
                continue;
            }

        } else if (kill(pid, 0) == 0 || ngx_errno != ESRCH) {
            continue;
        }

        c->dropped = c->kept - c->written;
        ngx_memory_barrier();
        c->owner = 0;
    }
}


void
ngx_constraint_audit_counts(ngx_constraint_audit_counts_t *counts)
{
    ngx_uint_t                        i;
    ngx_slab_pool_t                  *shpool;
    ngx_constraint_audit_table_t     *table;
    ngx_constraint_audit_counters_t  *c;

    ngx_memzero(counts, sizeof(ngx_constraint_audit_counts_t));

    if (ngx_constraint_audit_shared == NULL) {
        return;
    }

    table = ngx_constraint_audit_shared->data;
    shpool = (ngx_slab_pool_t *) ngx_constraint_audit_shared->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    ngx_constraint_audit_settle_locked(table);

    for (i = 0; i < NGX_CONSTRAINT_AUDIT_WORKERS; i++) {
        c = &table->workers[i];

        /* kept last: it is never less than the others together */

        counts->written += c->written;
        counts->dropped += c->dropped;
        ngx_memory_barrier();
        counts->kept += c->kept;
    }

    ngx_shmtx_unlock(&shpool->mutex);
}
