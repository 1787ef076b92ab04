/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A zone in the configuration: its settings, its shared memory, and what a
 * reload keeps of it.  Opens no store: nothing here takes a lock of LMDB.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_ZONE_PAGES    8
#define NGX_CONSTRAINT_ZONE_LARGE    (1024 * 1024)
#define NGX_CONSTRAINT_MAP_MIN       (1024 * 1024)


static ngx_int_t ngx_constraint_zone_check(ngx_conf_t *cf,
    const ngx_constraint_zone_conf_t *conf);
static ngx_int_t ngx_constraint_zone_path(ngx_conf_t *cf,
    ngx_constraint_catalogue_t *catalogue);
static ngx_int_t ngx_constraint_zone_unique(ngx_conf_t *cf,
    ngx_constraint_catalogue_t *catalogue, void *tag);
static ngx_constraint_catalogue_t *ngx_constraint_zone_same(
    ngx_constraint_catalogue_t *catalogue, void *tag);
static ngx_int_t ngx_constraint_zone_schema(ngx_conf_t *cf,
    const ngx_str_t *path);
static ngx_int_t ngx_constraint_zone_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_constraint_zone_adopt(
    ngx_constraint_catalogue_t *catalogue, ngx_shm_zone_t *shm_zone);
static ngx_int_t ngx_constraint_zone_create(
    ngx_constraint_catalogue_t *catalogue, ngx_shm_zone_t *shm_zone);
static ngx_shm_zone_t *ngx_constraint_zone_next(ngx_list_part_t **part,
    ngx_uint_t *i, void *tag);


ngx_constraint_catalogue_t *
ngx_constraint_catalogue_add(ngx_conf_t *cf,
    const ngx_constraint_zone_conf_t *conf, void *tag)
{
    ngx_shm_zone_t              *shm_zone;
    ngx_constraint_catalogue_t  *catalogue;

#if (NGX_CONSTRAINT_FAULTS)
    if (ngx_constraint_fault_init(cf->log) != NGX_OK) {
        return NULL;
    }
#endif

    if (ngx_constraint_zone_check(cf, conf) != NGX_OK) {
        return NULL;
    }

    catalogue = ngx_pcalloc(cf->pool, sizeof(ngx_constraint_catalogue_t));
    if (catalogue == NULL) {
        return NULL;
    }

    catalogue->conf = *conf;

    shm_zone = ngx_shared_memory_add(cf, &catalogue->conf.name, conf->size,
                                     tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate constraint zone \"%V\"", &conf->name);
        return NULL;
    }

    catalogue->shm_zone = shm_zone;
    catalogue->zones = &cf->cycle->shared_memory;

    if (ngx_constraint_zone_path(cf, catalogue) != NGX_OK
        || ngx_constraint_zone_unique(cf, catalogue, tag) != NGX_OK
        || ngx_constraint_zone_schema(cf, &catalogue->conf.path) != NGX_OK)
    {
        return NULL;
    }

    shm_zone->data = catalogue;
    shm_zone->init = ngx_constraint_zone_init;

    return catalogue;
}


static ngx_int_t
ngx_constraint_zone_check(ngx_conf_t *cf,
    const ngx_constraint_zone_conf_t *conf)
{
    if (conf->size < (size_t) NGX_CONSTRAINT_ZONE_PAGES * ngx_pagesize) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "constraint zone \"%V\" is too small, it must be "
                           "at least %uzk", &conf->name,
                           NGX_CONSTRAINT_ZONE_PAGES * ngx_pagesize / 1024);
        return NGX_ERROR;
    }

    if (conf->map_size < NGX_CONSTRAINT_MAP_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"map_size\" of constraint zone \"%V\" is too "
                           "small, it must be at least 1m", &conf->name);
        return NGX_ERROR;
    }

    if (conf->path.len == 0 || conf->path.data[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "path \"%V\" of constraint zone \"%V\" must be "
                           "absolute", &conf->path, &conf->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* nginx makes the folder, and gives it to the workers' user */

static ngx_int_t
ngx_constraint_zone_path(ngx_conf_t *cf,
    ngx_constraint_catalogue_t *catalogue)
{
    u_char      *p;
    ngx_str_t   *name;
    ngx_path_t  *path;

    name = &catalogue->conf.path;

    p = ngx_pnalloc(cf->pool, name->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(p, name->data, name->len + 1);
    name->data = p;

    while (name->len > 1 && p[name->len - 1] == '/') {
        p[--name->len] = '\0';
    }

    catalogue->conf.map_size = ngx_align(catalogue->conf.map_size,
                                         ngx_pagesize);

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_ERROR;
    }

    path->name = *name;
    path->data = catalogue;
    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;

    return ngx_add_path(cf, &path);
}


/*
 * One environment has one zone: two of them in one process would share locks
 * that belong to the process.  A path may change over a reload: the cache
 * knows which data file it is of.
 */

static ngx_int_t
ngx_constraint_zone_unique(ngx_conf_t *cf,
    ngx_constraint_catalogue_t *catalogue, void *tag)
{
    ngx_constraint_catalogue_t  *old;

    old = ngx_constraint_zone_same(catalogue, tag);

    if (old) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "path \"%V\" is the path of constraint zone "
                           "\"%V\" already", &catalogue->conf.path,
                           &old->conf.name);
        return NGX_ERROR;
    }

    if (cf->cycle->old_cycle == NULL
        || ngx_is_init_cycle(cf->cycle->old_cycle))
    {
        return NGX_OK;
    }

    catalogue->old = ngx_constraint_catalogue_find(cf->cycle->old_cycle,
                                                   &catalogue->conf.name,
                                                   tag);

    return NGX_OK;
}


/* Another zone of the folder; none when the folder does not exist yet. */

static ngx_constraint_catalogue_t *
ngx_constraint_zone_same(ngx_constraint_catalogue_t *catalogue, void *tag)
{
    ngx_uint_t                   i;
    ngx_list_part_t             *part;
    ngx_file_info_t              fi, other;
    ngx_shm_zone_t              *zone;
    ngx_constraint_catalogue_t  *old;

    if (ngx_file_info(catalogue->conf.path.data, &fi) == NGX_FILE_ERROR) {
        return NULL;
    }

    part = &catalogue->zones->part;
    i = 0;

    while ((zone = ngx_constraint_zone_next(&part, &i, tag)) != NULL) {
        old = zone->data;

        if (old && old != catalogue
            && ngx_file_info(old->conf.path.data, &other) != NGX_FILE_ERROR
            && fi.st_dev == other.st_dev && fi.st_ino == other.st_ino)
        {
            return old;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_constraint_zone_schema(ngx_conf_t *cf, const ngx_str_t *path)
{
    u_char      error[NGX_CONSTRAINT_ERROR_MAX];
    ngx_uint_t  schema;

    if (ngx_constraint_schema_read(path, &schema, error) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "constraint store: %s",
                           error);
        return NGX_ERROR;
    }

    if (schema > NGX_CONSTRAINT_SCHEMA) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "constraint store \"%V\" is of schema %ui, this "
                           "module knows up to %d", path, schema,
                           NGX_CONSTRAINT_SCHEMA);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_int_t                    rc;
    ngx_constraint_catalogue_t  *old, *catalogue;

    catalogue = shm_zone->data;

    /* folders that two names have made just now */

    old = ngx_constraint_zone_same(catalogue, shm_zone->tag);

    if (old) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "path \"%V\" of constraint zone \"%V\" is the path of "
                      "constraint zone \"%V\" too", &catalogue->conf.path,
                      &catalogue->conf.name, &old->conf.name);
        return NGX_ERROR;
    }

    catalogue->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data || shm_zone->shm.exists) {
        rc = ngx_constraint_zone_adopt(catalogue, shm_zone);

    } else {
        rc = ngx_constraint_zone_create(catalogue, shm_zone);
    }

    catalogue->old = NULL;

    return rc;
}


static ngx_int_t
ngx_constraint_zone_adopt(ngx_constraint_catalogue_t *catalogue,
    ngx_shm_zone_t *shm_zone)
{
    catalogue->zone = catalogue->shpool->data;

    if (catalogue->zone->layout != NGX_CONSTRAINT_ZONE_LAYOUT) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "constraint zone \"%V\" has layout %ui, this module "
                      "needs %d: restart nginx", &shm_zone->shm.name,
                      catalogue->zone->layout, NGX_CONSTRAINT_ZONE_LAYOUT);
        return NGX_ERROR;
    }

    catalogue->number = ++catalogue->zone->configurations;
    catalogue->stats = catalogue->zone->stats;
    catalogue->cache = catalogue->zone->cache;

    return NGX_OK;
}


/*
 * A quarter for statistics, more in a large zone, all the rest one piece for
 * the cache, which has an allocator of its own inside: it can be made anew
 * without the counters.
 */

static ngx_int_t
ngx_constraint_zone_create(ngx_constraint_catalogue_t *catalogue,
    ngx_shm_zone_t *shm_zone)
{
    size_t                  len, size;
    ngx_slab_pool_t        *shpool;
    ngx_constraint_zone_t  *zone;

    shpool = catalogue->shpool;

    len = sizeof(" in constraint zone \"\"") + shm_zone->shm.name.len;

    shpool->log_ctx = ngx_slab_alloc(shpool, len);
    zone = ngx_slab_calloc(shpool, sizeof(ngx_constraint_zone_t));

    if (shpool->log_ctx == NULL || zone == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(shpool->log_ctx, " in constraint zone \"%V\"%Z",
                       &shm_zone->shm.name);

    /* of a zone of eight pages each counts */

    size = shm_zone->shm.size / 4;

    if (shm_zone->shm.size >= NGX_CONSTRAINT_ZONE_LARGE) {
        size += size / 2;
    }

    zone->layout = NGX_CONSTRAINT_ZONE_LAYOUT;
    zone->stats = ngx_constraint_stats_create_locked(shpool, size);
    zone->cache = ngx_constraint_cache_create_locked(shpool,
                                                     shpool->pfree
                                                     * ngx_pagesize);

    if (zone->stats == NULL || zone->cache == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "constraint zone \"%V\" is too small",
                      &shm_zone->shm.name);
        return NGX_ERROR;
    }

    /* its size has changed: records come back from the store */

    if (catalogue->old && catalogue->old->zone) {
        ngx_constraint_stats_copy(zone->stats, shpool,
                                  catalogue->old->zone->stats,
                                  catalogue->old->shpool);
        zone->configurations = catalogue->old->zone->configurations;
    }

    catalogue->number = ++zone->configurations;

    shpool->data = zone;
    catalogue->zone = zone;
    catalogue->stats = zone->stats;
    catalogue->cache = zone->cache;

    return NGX_OK;
}


ngx_constraint_catalogue_t *
ngx_constraint_catalogue_find(ngx_cycle_t *cycle, const ngx_str_t *name,
    void *tag)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_shm_zone_t   *zone;

    part = &cycle->shared_memory.part;
    i = 0;

    while ((zone = ngx_constraint_zone_next(&part, &i, tag)) != NULL) {

        if (zone->data && zone->shm.name.len == name->len
            && ngx_strncmp(zone->shm.name.data, name->data, name->len) == 0)
        {
            return zone->data;
        }
    }

    return NULL;
}


static ngx_shm_zone_t *
ngx_constraint_zone_next(ngx_list_part_t **part, ngx_uint_t *i, void *tag)
{
    ngx_shm_zone_t  *zones;

    while (*part) {
        zones = (*part)->elts;

        while (*i < (*part)->nelts) {
            (*i)++;

            if (zones[*i - 1].tag == tag) {
                return &zones[*i - 1];
            }
        }

        *part = (*part)->next;
        *i = 0;
    }

    return NULL;
}


const ngx_constraint_zone_conf_t *
ngx_constraint_catalogue_conf(ngx_constraint_catalogue_t *catalogue)
{
    return &catalogue->conf;
}


void
ngx_constraint_catalogue_set_host(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_host_t *host, size_t cache)
{
    catalogue->host = *host;
    catalogue->cache_size = cache;
}


void
ngx_constraint_catalogue_set_pools(ngx_constraint_catalogue_t *catalogue,
    ngx_thread_pool_t *evaluate, ngx_thread_pool_t *store)
{
    catalogue->evaluate_pool = evaluate;
    catalogue->store_pool = store;
}
