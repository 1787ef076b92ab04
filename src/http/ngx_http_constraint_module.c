/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The module: its directives, their merging, its place in nginx's phases and
 * in the life of a worker.  Decides nothing about a request.
 */


#include "ngx_http_constraint_request.h"


static ngx_int_t ngx_http_constraint_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_constraint_init_phases(ngx_conf_t *cf);
static ngx_int_t ngx_http_constraint_init_pools(ngx_conf_t *cf,
    ngx_http_constraint_main_conf_t *pmcf);
static void *ngx_http_constraint_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_constraint_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_constraint_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_constraint_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void ngx_http_constraint_merge_entries(ngx_conf_t *cf,
    ngx_http_constraint_loc_conf_t *prev,
    ngx_http_constraint_loc_conf_t *conf);
static void ngx_http_constraint_merge_settings(
    ngx_http_constraint_loc_conf_t *prev,
    ngx_http_constraint_loc_conf_t *conf);
static ngx_int_t ngx_http_constraint_init_process(ngx_cycle_t *cycle);
static void ngx_http_constraint_exit_process(ngx_cycle_t *cycle);
static ngx_thread_pool_t *ngx_http_constraint_pool(ngx_cycle_t *cycle,
    ngx_str_t *name);


static ngx_conf_enum_t  ngx_http_constraint_effects[] = {
    { ngx_string("deny"), NGX_CONSTRAINT_DENY },
    { ngx_string("allow"), NGX_CONSTRAINT_ALLOW },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_constraint_details[] = {
    { ngx_string("none"), NGX_HTTP_CONSTRAINT_DETAIL_NONE },
    { ngx_string("full"), NGX_HTTP_CONSTRAINT_DETAIL_FULL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_constraint_bodies[] = {
    { ngx_string("json"), NGX_HTTP_CONSTRAINT_BODY_JSON },
    { ngx_string("nginx"), NGX_HTTP_CONSTRAINT_BODY_NGINX },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_constraint_duplicates[] = {
    { ngx_string("refuse"), 0 },
    { ngx_string("read"), 1 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_constraint_paths[] = {
    { ngx_string("strict"), 1 },
    { ngx_string("off"), 0 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_constraint_offloads[] = {
    { ngx_string("auto"), NGX_CONSTRAINT_OFFLOAD_AUTO },
    { ngx_string("always"), NGX_CONSTRAINT_OFFLOAD_ALWAYS },
    { ngx_string("off"), NGX_CONSTRAINT_OFFLOAD_OFF },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_constraint_log_levels[] = {
    { ngx_string("info"), NGX_LOG_INFO },
    { ngx_string("notice"), NGX_LOG_NOTICE },
    { ngx_string("warn"), NGX_LOG_WARN },
    { ngx_string("error"), NGX_LOG_ERR },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_http_constraint_cost_bounds = {
    ngx_conf_check_num_bounds, 1, NGX_MAX_INT_T_VALUE
};


static ngx_conf_num_bounds_t  ngx_http_constraint_pending_bounds = {
    ngx_conf_check_num_bounds, 1, 65536
};


static ngx_conf_post_t  ngx_http_constraint_some = {
    ngx_http_constraint_conf_some
};


static ngx_conf_post_t  ngx_http_constraint_pool_used = {
    ngx_http_constraint_conf_pool
};


#define NGX_HTTP_CONSTRAINT_LEVELS                                           \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF


static ngx_command_t  ngx_http_constraint_commands[] = {

    { ngx_string("constraint_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_constraint_conf_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("constraint"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_1MORE,
      ngx_http_constraint_conf_constraint,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("constraint_on_error"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, on_error),
      &ngx_http_constraint_effects },

    { ngx_string("constraint_deny_status"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_deny_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("constraint_deny_detail"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, deny_detail),
      &ngx_http_constraint_details },

    { ngx_string("constraint_deny_body"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, deny_body),
      &ngx_http_constraint_bodies },

    { ngx_string("constraint_body_max"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, body_max),
      NULL },

    { ngx_string("constraint_duplicate_keys"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, allow_duplicates),
      &ngx_http_constraint_duplicates },

    { ngx_string("constraint_path"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, path_strict),
      &ngx_http_constraint_paths },

    { ngx_string("constraint_single_headers"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_1MORE,
      ngx_http_constraint_conf_single_headers,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("constraint_allow_vars"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_constraint_conf_allow_vars,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("constraint_offload"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, offload),
      &ngx_http_constraint_offloads },

    { ngx_string("constraint_inline_cost"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, inline_cost),
      &ngx_http_constraint_cost_bounds },

    { ngx_string("constraint_cost_limit"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, cost_limit),
      &ngx_http_constraint_cost_bounds },

    { ngx_string("constraint_memory_limit"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, memory_limit),
      &ngx_http_constraint_some },

    { ngx_string("constraint_thread_pool"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_constraint_main_conf_t, thread_pool),
      &ngx_http_constraint_pool_used },

    { ngx_string("constraint_store_pool"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_constraint_main_conf_t, store_pool),
      &ngx_http_constraint_pool_used },

    { ngx_string("constraint_timeout"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, timeout),
      &ngx_http_constraint_some },

    { ngx_string("constraint_profile_define"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_constraint_conf_profile_define,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("constraint_profile"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_profile,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("constraint_max_pending"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, max_pending),
      &ngx_http_constraint_pending_bounds },

    { ngx_string("constraint_program_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_constraint_main_conf_t, program_cache),
      NULL },

    { ngx_string("constraint_subrequests"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, subrequests),
      NULL },

    { ngx_string("constraint_log_level"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_TAKE1,
      ngx_http_constraint_conf_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_constraint_loc_conf_t, log_level),
      &ngx_http_constraint_log_levels },

    { ngx_string("constraint_audit_log"),
      NGX_HTTP_CONSTRAINT_LEVELS|NGX_CONF_1MORE,
      ngx_http_constraint_conf_audit_log,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

#if (NGX_CONSTRAINT_FAULTS)

    { ngx_string("constraint_fault"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_constraint_conf_fault,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

#endif

      ngx_null_command
};


static ngx_http_module_t  ngx_http_constraint_module_ctx = {
    ngx_http_constraint_add_variables,     /* preconfiguration */
    ngx_http_constraint_init,              /* postconfiguration */

    ngx_http_constraint_create_main_conf,  /* create main configuration */
    ngx_http_constraint_init_main_conf,    /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_constraint_create_loc_conf,   /* create location configuration */
    ngx_http_constraint_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_constraint_module = {
    NGX_MODULE_V1,
    &ngx_http_constraint_module_ctx,       /* module context */
    ngx_http_constraint_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_constraint_init_process,      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_constraint_exit_process,      /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_constraint_init(ngx_conf_t *cf)
{
    ngx_uint_t                         i;
    ngx_constraint_catalogue_t       **zones;
    ngx_http_constraint_main_conf_t   *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_constraint_module);

    pmcf->host.declare = ngx_http_constraint_declare;
    pmcf->host.ctx = pmcf;
    pmcf->host.nslots = WORKFLOW_FACT_COUNT
                        + (pmcf->vars ? pmcf->vars->nelts : 0);

    if (ngx_http_constraint_conf_resolve(cf) != NGX_OK
        || ngx_http_constraint_conf_profile_resolve(cf, pmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (pmcf->zones == NULL) {
        return NGX_OK;
    }

    if (ngx_http_constraint_init_pools(cf, pmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    zones = pmcf->zones->elts;

    for (i = 0; i < pmcf->zones->nelts; i++) {
        ngx_constraint_catalogue_set_host(zones[i], &pmcf->host,
                                          pmcf->program_cache);
        ngx_constraint_catalogue_set_profiles(zones[i], pmcf->profiles);
    }

    /* a module that gates nothing costs nothing */

    if (pmcf->entries.nelts == 0) {
        return NGX_OK;
    }

    ngx_http_constraint_conf_brief(pmcf);
    ngx_http_constraint_conf_warn(cf);

    return ngx_http_constraint_init_phases(cf);
}


/*
 * The gate stands before, between and after the other PRECONTENT handlers:
 * before, so that a mirror subrequest does not leave undecided; after each,
 * so that what try_files chose is judged.  A request that is as it was when
 * it was judged passes at once.
 */

static ngx_int_t
ngx_http_constraint_init_phases(ngx_conf_t *cf)
{
    ngx_uint_t                  i, n;
    ngx_array_t                *phase;
    ngx_http_handler_pt        *h, *old;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    phase = &cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers;

    n = phase->nelts;

    old = ngx_palloc(cf->temp_pool, (n + 1) * sizeof(ngx_http_handler_pt));
    if (old == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(old, phase->elts, n * sizeof(ngx_http_handler_pt));

    phase->nelts = 0;

    for (i = 0; i <= n; i++) {
        h = ngx_array_push(phase);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = ngx_http_constraint_gate;

        if (i == n) {
            break;
        }

        h = ngx_array_push(phase);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = old[i];
    }

    /* what shadow mode still has to say, before the access log says it */

    phase = &cmcf->phases[NGX_HTTP_LOG_PHASE].handlers;

    h = ngx_array_push(phase);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h = phase->elts;
    ngx_memmove(h + 1, h, (phase->nelts - 1) * sizeof(ngx_http_handler_pt));
    h[0] = ngx_http_constraint_log_handler;

    return NGX_OK;
}


/*
 * A pool that was named must exist.  A pool that was not named is
 * "constraint" or "constraint_store" if there is one, else nginx's default
 * one, which has to be asked for here.
 */

static ngx_int_t
ngx_http_constraint_init_pools(ngx_conf_t *cf,
    ngx_http_constraint_main_conf_t *pmcf)
{
    ngx_uint_t        i, need;
    ngx_str_t        *names[2];
    static ngx_str_t  defaults[] = {
        ngx_string("constraint"),
        ngx_string("constraint_store")
    };

    names[0] = &pmcf->thread_pool;
    names[1] = &pmcf->store_pool;

    need = 0;

    for (i = 0; i < 2; i++) {

        if (names[i]->data) {
            continue;
        }

        *names[i] = defaults[i];

        if (ngx_thread_pool_get(cf->cycle, &defaults[i]) == NULL) {
            need = 1;
        }
    }

    if (need && ngx_thread_pool_add(cf, NULL) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void *
ngx_http_constraint_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_constraint_main_conf_t  *pmcf;

    pmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_constraint_main_conf_t));
    if (pmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&pmcf->entries, cf->pool, 4,
                       sizeof(ngx_http_constraint_entry_t *))
        != NGX_OK
        || ngx_array_init(&pmcf->locations, cf->pool, 16,
                          sizeof(ngx_http_constraint_loc_conf_t *))
           != NGX_OK)
    {
        return NULL;
    }

    pmcf->program_cache = NGX_CONF_UNSET_SIZE;
    pmcf->request_id = NGX_ERROR;

    return pmcf;
}


static char *
ngx_http_constraint_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_str_t                         name = ngx_string("request_id");
    ngx_http_constraint_main_conf_t  *pmcf = conf;

    ngx_conf_init_size_value(pmcf->program_cache, 64 * 1024 * 1024);

    if (pmcf->zones) {
        pmcf->request_id = ngx_http_get_variable_index(cf, &name);
        if (pmcf->request_id == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_constraint_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_constraint_loc_conf_t));
    if (plcf == NULL) {
        return NULL;
    }

    plcf->entries = NGX_CONF_UNSET_PTR;
    plcf->audit = NGX_CONF_UNSET_PTR;
    plcf->single_headers = NGX_CONF_UNSET_PTR;
    plcf->on_error = NGX_CONF_UNSET_UINT;
    plcf->offload = NGX_CONF_UNSET_UINT;
    plcf->log_level = NGX_CONF_UNSET_UINT;
    plcf->inline_cost = NGX_CONF_UNSET;
    plcf->cost_limit = NGX_CONF_UNSET;
    plcf->max_pending = NGX_CONF_UNSET;
    plcf->memory_limit = NGX_CONF_UNSET_SIZE;
    plcf->timeout = NGX_CONF_UNSET_MSEC;
    plcf->deny_status = NGX_CONF_UNSET_UINT;
    plcf->deny_detail = NGX_CONF_UNSET_UINT;
    plcf->deny_body = NGX_CONF_UNSET_UINT;
    plcf->body_max = NGX_CONF_UNSET_SIZE;
    plcf->allow_duplicates = NGX_CONF_UNSET_UINT;
    plcf->path_strict = NGX_CONF_UNSET_UINT;
    plcf->subrequests = NGX_CONF_UNSET;

    return plcf;
}


static char *
ngx_http_constraint_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_constraint_loc_conf_t    *prev = parent;
    ngx_http_constraint_loc_conf_t    *conf = child;
    ngx_http_constraint_loc_conf_t   **location;
    ngx_http_constraint_main_conf_t   *pmcf;

    ngx_http_constraint_merge_entries(cf, prev, conf);

    ngx_conf_merge_ptr_value(conf->single_headers, prev->single_headers,
                             NULL);

    ngx_conf_merge_ptr_value(conf->audit, prev->audit, NULL);

    ngx_conf_merge_uint_value(conf->deny_status, prev->deny_status,
                              NGX_HTTP_FORBIDDEN);
    ngx_conf_merge_uint_value(conf->deny_detail, prev->deny_detail,
                              NGX_HTTP_CONSTRAINT_DETAIL_NONE);
    ngx_conf_merge_uint_value(conf->deny_body, prev->deny_body,
                              NGX_HTTP_CONSTRAINT_BODY_JSON);
    ngx_conf_merge_size_value(conf->body_max, prev->body_max, 1024 * 1024);
    ngx_conf_merge_uint_value(conf->allow_duplicates, prev->allow_duplicates,
                              0);
    ngx_conf_merge_uint_value(conf->path_strict, prev->path_strict, 1);
    ngx_conf_merge_value(conf->subrequests, prev->subrequests, 1);

    ngx_http_constraint_merge_settings(prev, conf);
    ngx_http_constraint_conf_profile_merge(prev, conf);

    conf->loc_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->loc_conf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_constraint_module);

    location = ngx_array_push(&pmcf->locations);
    if (location == NULL) {
        return NGX_CONF_ERROR;
    }

    *location = conf;

    return NGX_CONF_OK;
}


/*
 * What gates a service does not gate its administration, but what is nested
 * in the location of an API is a service again, and so is an "if" or a
 * limit_except with a handler of its own.
 */

static void
ngx_http_constraint_merge_entries(ngx_conf_t *cf,
    ngx_http_constraint_loc_conf_t *prev,
    ngx_http_constraint_loc_conf_t *conf)
{
    ngx_uint_t                 part;
    ngx_array_t               *entries;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    part = clcf->noname && clcf->handler == NULL;
    entries = prev->outer ? prev->outer : prev->entries;

    if (conf->entries == NGX_CONF_UNSET_PTR
        && (conf->exempt || (prev->outer && part)))
    {
        conf->entries = NULL;
        conf->outer = entries == NGX_CONF_UNSET_PTR ? NULL : entries;
    }

    ngx_conf_merge_ptr_value(conf->entries, entries, NULL);
}


static void
ngx_http_constraint_merge_settings(ngx_http_constraint_loc_conf_t *prev,
    ngx_http_constraint_loc_conf_t *conf)
{
    ngx_constraint_settings_t  *settings;

    ngx_conf_merge_uint_value(conf->on_error, prev->on_error,
                              NGX_CONSTRAINT_DENY);
    ngx_conf_merge_uint_value(conf->offload, prev->offload,
                              NGX_CONSTRAINT_OFFLOAD_AUTO);
    ngx_conf_merge_uint_value(conf->log_level, prev->log_level,
                              NGX_LOG_INFO);
    ngx_conf_merge_value(conf->inline_cost, prev->inline_cost, 20000);
    ngx_conf_merge_value(conf->cost_limit, prev->cost_limit, 10000000);
    ngx_conf_merge_value(conf->max_pending, prev->max_pending, 1024);
    ngx_conf_merge_size_value(conf->memory_limit, prev->memory_limit,
                              32 * 1024 * 1024);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 100);

    settings = &conf->settings;

    settings->on_error = conf->on_error;
    settings->offload = conf->offload;
    settings->log_level = conf->log_level;
    settings->inline_cost = conf->inline_cost;
    settings->cost_limit = conf->cost_limit;
    settings->memory_limit = conf->memory_limit;
    settings->timeout = conf->timeout;
    settings->max_pending = conf->max_pending;
}


static ngx_int_t
ngx_http_constraint_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                         i;
    ngx_thread_pool_t                 *evaluate, *store;
    ngx_constraint_catalogue_t       **zones;
    ngx_http_constraint_main_conf_t   *pmcf;
    ngx_http_constraint_loc_conf_t   **locations;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    pmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_constraint_module);

    if (pmcf == NULL || pmcf->zones == NULL) {
        return NGX_OK;
    }

    evaluate = ngx_http_constraint_pool(cycle, &pmcf->thread_pool);
    store = ngx_http_constraint_pool(cycle, &pmcf->store_pool);

    locations = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        locations[i]->settings.thread_pool = evaluate;
    }

    if (ngx_constraint_enforcer_init_process(cycle) != NGX_OK
        || ngx_constraint_audit_init_process(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    zones = pmcf->zones->elts;

    for (i = 0; i < pmcf->zones->nelts; i++) {
        ngx_constraint_catalogue_set_pools(zones[i], evaluate, store);

        if (ngx_constraint_catalogue_init_process(zones[i], cycle)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_thread_pool_t *
ngx_http_constraint_pool(ngx_cycle_t *cycle, ngx_str_t *name)
{
    ngx_thread_pool_t  *pool;
    static ngx_str_t    standard = ngx_string("default");

    pool = ngx_thread_pool_get(cycle, name);

    if (pool == NULL) {
        pool = ngx_thread_pool_get(cycle, &standard);
    }

    return pool;
}


static void
ngx_http_constraint_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                         i;
    ngx_constraint_catalogue_t       **zones;
    ngx_http_constraint_main_conf_t   *pmcf;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE)
    {
        return;
    }

    pmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_constraint_module);

    if (pmcf == NULL || pmcf->zones == NULL) {
        return;
    }

    ngx_http_constraint_ctx_exit();
    ngx_constraint_audit_exit_process(cycle);

    /* jobs give their rules back, so before the catalogues */

    ngx_constraint_enforcer_exit_process(cycle);

    zones = pmcf->zones->elts;

    for (i = 0; i < pmcf->zones->nelts; i++) {
        ngx_constraint_catalogue_exit_process(zones[i]);
    }
}


ngx_constraint_catalogue_t *
ngx_http_constraint_catalogue(ngx_cycle_t *cycle, const ngx_str_t *zone)
{
    ngx_uint_t                            i;
    ngx_constraint_catalogue_t          **zones;
    ngx_http_constraint_main_conf_t      *pmcf;
    const ngx_constraint_zone_conf_t     *conf;

    pmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_constraint_module);

    if (pmcf == NULL || pmcf->zones == NULL) {
        return NULL;
    }

    zones = pmcf->zones->elts;

    for (i = 0; i < pmcf->zones->nelts; i++) {
        conf = ngx_constraint_catalogue_conf(zones[i]);

        if (conf->name.len == zone->len
            && ngx_strncmp(conf->name.data, zone->data, zone->len) == 0)
        {
            return zones[i];
        }
    }

    return NULL;
}


void
ngx_http_constraint_exempt(ngx_conf_t *cf)
{
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_constraint_module);

    plcf->exempt = 1;
}


const ngx_constraint_settings_t *
ngx_http_constraint_settings(ngx_http_request_t *r)
{
    ngx_http_constraint_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_constraint_module);

    return &plcf->settings;
}


ngx_uint_t
ngx_http_constraint_catalogues(ngx_constraint_catalogue_t ***catalogues)
{
    ngx_http_constraint_main_conf_t  *pmcf;

    pmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_constraint_module);

    if (pmcf == NULL || pmcf->zones == NULL) {
        *catalogues = NULL;
        return 0;
    }

    *catalogues = pmcf->zones->elts;

    return pmcf->zones->nelts;
}
