/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A catalogue in a worker: its start and end, the timer that opens a store
 * again, and what a request asks of it.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_TICK_MS       1000
#define NGX_CONSTRAINT_STATE_AGAIN   1000     /* ms */
#define NGX_CONSTRAINT_TICKS_READER  3600


static void ngx_constraint_worker_tick(ngx_event_t *ev);
static void ngx_constraint_worker_open(ngx_constraint_catalogue_t *catalogue);
static void ngx_constraint_worker_close(
    ngx_constraint_catalogue_t *catalogue);
static ngx_uint_t ngx_constraint_worker_usable(
    ngx_constraint_catalogue_t *catalogue);
static ngx_int_t ngx_constraint_worker_unusable(
    ngx_constraint_catalogue_t *catalogue, ngx_str_t *error);
static __attribute__((noinline, cold)) void ngx_constraint_worker_count(
    ngx_constraint_catalogue_t *catalogue, ngx_constraint_rule_t *rule,
    const ngx_str_t *profile, const ngx_constraint_stats_sample_t *sample);


ngx_int_t
ngx_constraint_catalogue_init_process(ngx_constraint_catalogue_t *catalogue,
    ngx_cycle_t *cycle)
{
    ngx_constraint_worker_t  *worker;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    worker = ngx_calloc(sizeof(ngx_constraint_worker_t), cycle->log);
    if (worker == NULL) {
        return NGX_ERROR;
    }

    worker->catalogue = catalogue;
    worker->log = cycle->log;

    if (ngx_constraint_rules_init(worker) != NGX_OK) {
        ngx_constraint_rules_free(worker);
        ngx_free(worker);
        return NGX_ERROR;
    }

    catalogue->worker = worker;

    /* debug builds print the descriptor of an event's connection */

    worker->dummy.fd = (ngx_socket_t) -1;
    worker->dummy.data = catalogue;

    worker->timer.data = &worker->dummy;
    worker->timer.handler = ngx_constraint_worker_tick;
    worker->timer.log = cycle->log;
    worker->timer.cancelable = 1;

    ngx_constraint_worker_open(catalogue);

    ngx_add_timer(&worker->timer, NGX_CONSTRAINT_TICK_MS);

    return NGX_OK;
}


void
ngx_constraint_catalogue_exit_process(ngx_constraint_catalogue_t *catalogue)
{
    ngx_constraint_worker_t  *worker;

    /* the pools have ended: completions do not come any more */

    ngx_constraint_jobs_exit();

    worker = catalogue->worker;
    if (worker == NULL) {
        return;
    }

    if (worker->timer.timer_set) {
        ngx_del_timer(&worker->timer);
    }

    ngx_constraint_rules_free(worker);

    if (ngx_constraint_store_close(&worker->store) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, worker->log, 0,
                      "constraint: store \"%V\" is in use at exit",
                      &catalogue->conf.path);
    }

    ngx_constraint_bytes_free(&worker->value);
    ngx_constraint_bytes_free(&worker->head);
    ngx_constraint_bytes_free(&worker->document);
    ngx_constraint_bytes_free(&worker->profile);

    ngx_free(worker);
    catalogue->worker = NULL;
}


static void
ngx_constraint_worker_tick(ngx_event_t *ev)
{
    int                          dead;
    ngx_connection_t            *dummy;
    ngx_constraint_store_t      *store;
    ngx_constraint_worker_t     *worker;
    ngx_constraint_catalogue_t  *catalogue;

    dummy = ev->data;
    catalogue = dummy->data;
    worker = catalogue->worker;
    store = &worker->store;

    if (store->env && atomic_load(&store->broken)) {
        ngx_constraint_worker_close(catalogue);
    }

    if (store->env == NULL) {
        ngx_constraint_worker_open(catalogue);

    } else if (atomic_load(&store->resized)) {
        ngx_constraint_store_resize(store);
    }

    if (++worker->ticks % NGX_CONSTRAINT_TICKS_READER == 0 && store->env) {
        (void) mdb_reader_check(store->env, &dead);
    }

    /* cancelable: a worker that is leaving needs it and is not held by it */

    ngx_add_timer(ev, NGX_CONSTRAINT_TICK_MS);
}


static void
ngx_constraint_worker_open(ngx_constraint_catalogue_t *catalogue)
{
    u_char                    before[NGX_CONSTRAINT_ERROR_MAX];
    ngx_constraint_store_t   *store;
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;
    store = &worker->store;

    ngx_memcpy(before, store->error, sizeof(before));

    if (ngx_constraint_store_open(store, &catalogue->conf) != NGX_OK) {

        /* told once, not every second */

        if (ngx_strcmp(before, store->error) != 0) {
            ngx_log_error(NGX_LOG_CRIT, worker->log, 0,
                          "constraint: store is not available, it is tried "
                          "every second: %s", store->error);
        }

        return;
    }

    if (before[0]) {
        ngx_log_error(NGX_LOG_NOTICE, worker->log, 0,
                      "constraint: store \"%V\" is available",
                      &catalogue->conf.path);
    }

    worker->synced = 0;
    ngx_constraint_cache_open(catalogue);
}


/* Nothing held is believed while the generation cannot be seen. */

static void
ngx_constraint_worker_close(ngx_constraint_catalogue_t *catalogue)
{
    ngx_constraint_worker_t  *worker;

    worker = catalogue->worker;

    if (worker->store.error[0] == '\0') {
        ngx_constraint_error_set(worker->store.error, "\"%V\" failed and is "
                                 "being opened again", &catalogue->conf.path);
        ngx_log_error(NGX_LOG_ALERT, worker->log, 0, "constraint: store %s",
                      worker->store.error);
    }

    ngx_constraint_rules_drop_all(worker);

    (void) ngx_constraint_store_close(&worker->store);
}


static ngx_uint_t
ngx_constraint_worker_usable(ngx_constraint_catalogue_t *catalogue)
{
    ngx_constraint_store_t  *store;

    if (catalogue->worker == NULL) {
        return 0;
    }

    store = &catalogue->worker->store;

    if (store->env == NULL) {
        return 0;
    }

    if (atomic_load_explicit(&store->broken, memory_order_relaxed)) {
        ngx_constraint_worker_close(catalogue);
        return 0;
    }

    return 1;
}


uint64_t
ngx_constraint_catalogue_sync(ngx_constraint_catalogue_t *catalogue)
{
    ngx_constraint_worker_t  *worker;

    if (!ngx_constraint_worker_usable(catalogue)) {
        return 0;
    }

    worker = catalogue->worker;

    ngx_constraint_cache_unloaded(catalogue);

    if (ngx_constraint_store_generation(&worker->store) == worker->synced) {
        return worker->synced;
    }

    if (ngx_constraint_fault("store.skip_generation") && worker->synced) {
        return worker->synced;
    }

    if (ngx_constraint_changes_sync(catalogue) != NGX_OK) {
        ngx_constraint_rules_drop_all(worker);
        return 0;
    }

    return worker->synced;
}


ngx_int_t
ngx_constraint_catalogue_acquire(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_constraint_waiter_t *waiter,
    ngx_constraint_rule_t **rule, ngx_str_t *error)
{
    ngx_int_t                 rc;
    ngx_constraint_loaded_t  *loaded;

    if (!ngx_constraint_worker_usable(catalogue)) {
        return ngx_constraint_worker_unusable(catalogue, error);
    }

    loaded = ngx_constraint_rule_lookup(catalogue->worker, message_type,
                               ngx_constraint_catalogue_hash(message_type));

    if (loaded) {
        loaded->refs++;
        *rule = &loaded->rule;
        return NGX_OK;
    }

    if (message_type->len == 0 || message_type->len > NGX_CONSTRAINT_NAME_MAX)
    {
        return NGX_DECLINED;
    }

    rc = ngx_constraint_load(catalogue, message_type, waiter, &loaded, error);

    if (rc == NGX_OK) {
        *rule = &loaded->rule;
    }

    return rc;
}


ngx_constraint_rule_t *
ngx_constraint_catalogue_peek(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, uint32_t hash)
{
    ngx_constraint_loaded_t  *loaded;

    loaded = ngx_constraint_rule_lookup(catalogue->worker, message_type, hash);

    if (loaded == NULL) {
        return NULL;
    }

    ngx_constraint_stats_prefetch(&loaded->rule.stats);

    return &loaded->rule;
}


static ngx_int_t
ngx_constraint_worker_unusable(ngx_constraint_catalogue_t *catalogue,
    ngx_str_t *error)
{
    if (error == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(error, "the store is not open");

    if (catalogue->worker && catalogue->worker->store.error[0]) {
        error->data = catalogue->worker->store.error;
        error->len = ngx_strlen(error->data);
    }

    return NGX_ERROR;
}


void
ngx_constraint_catalogue_release(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule)
{
    ngx_constraint_rule_release(ngx_constraint_rule_loaded(rule));
}


/* Profiles that a rule meets are few: one that is not at its place asks. */

static ngx_inline ngx_constraint_stats_ref_t *
ngx_constraint_worker_ref(ngx_constraint_rule_t *rule,
    const ngx_str_t *profile)
{
    return profile->data
           ? &rule->profiles[((uintptr_t) profile->data >> 4)
                             % NGX_CONSTRAINT_STATS_PROFILES]
           : &rule->stats;
}


void
ngx_constraint_catalogue_count(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule, const ngx_str_t *profile,
    const ngx_constraint_stats_sample_t *sample)
{
    ngx_constraint_stats_ref_t  *ref;

    ref = ngx_constraint_worker_ref(rule, profile);

    if (ref->profile != profile->data || !ngx_constraint_stats_valid(ref)) {
        ngx_constraint_worker_count(catalogue, rule, profile, sample);
        return;
    }

    ngx_constraint_stats_count(catalogue->stats, catalogue->shpool, ref,
                               sample);
}


void
ngx_constraint_catalogue_count_allow(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule, uint64_t cost, uint64_t time_ns,
    uint64_t memory)
{
    ngx_constraint_stats_ref_t     *ref;
    ngx_constraint_stats_sample_t   sample;

    static const ngx_str_t  none = ngx_null_string;

    ref = &rule->stats;

    if (ngx_constraint_stats_valid(ref)
        && ngx_constraint_stats_count_allow(catalogue->stats, ref, cost,
                                            time_ns, memory)
           == NGX_OK)
    {
        return;
    }

    ngx_memzero(&sample, sizeof(ngx_constraint_stats_sample_t));

    sample.cost = cost;
    sample.time_ns = time_ns;
    sample.memory = memory;
    sample.where = NGX_CONSTRAINT_STATS_INLINE;

    ngx_constraint_catalogue_count(catalogue, rule, &none, &sample);
}


/* The first one, or the slot was given to another. */

static void
ngx_constraint_worker_count(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule, const ngx_str_t *profile,
    const ngx_constraint_stats_sample_t *sample)
{
    ngx_constraint_stats_t      *stats;
    ngx_constraint_stats_key_t   key;
    ngx_constraint_stats_ref_t  *ref;

    stats = catalogue->stats;
    ref = ngx_constraint_worker_ref(rule, profile);

    key.name = &rule->record.message_type;
    key.born_ms = rule->record.created_ms;
    key.profile = profile;

    if (ngx_constraint_stats_attach(stats, catalogue->shpool, &key, ref)
        == NGX_OK)
    {
        ngx_log_debug2(NGX_LOG_DEBUG_CORE, ngx_cycle->log, 0,
                       "constraint: \"%V\" is counted at %p", key.name,
                       ref->bank);

        ngx_constraint_stats_count(stats, catalogue->shpool, ref, sample);
    }
}


void *
ngx_constraint_catalogue_state(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule)
{
    void                        *state;
    ngx_int_t                    rc;
    ngx_constraint_stats_key_t   key;

    static const ngx_str_t  none = ngx_null_string;

    state = ngx_constraint_catalogue_state_lookup(rule);

    if (state) {
        return state;
    }

    if (rule->refused
        && ngx_current_msec - rule->refused < NGX_CONSTRAINT_STATE_AGAIN)
    {
        return NULL;
    }

    key.name = &rule->record.message_type;
    key.born_ms = rule->record.created_ms;
    key.profile = &none;

    rc = ngx_constraint_stats_state(catalogue->stats, catalogue->shpool,
                                    &key, &rule->state, &state);

    if (rc == NGX_ERROR && rule->refused == 0) {
        ngx_log_error(NGX_LOG_WARN, catalogue->worker->log, 0,
                      "constraint: no memory for the breaker and the adaptive "
                      "limit of \"%V\", it is evaluated without them: "
                      "constraint zone \"%V\" is too small",
                      &rule->record.message_type, &catalogue->conf.name);
    }

    if (rc == NGX_ERROR) {
        rule->refused = ngx_max(ngx_current_msec, 1);
    }

    return state;
}


void *
ngx_constraint_catalogue_state_lookup(ngx_constraint_rule_t *rule)
{
    return ngx_constraint_stats_valid(&rule->state) ? rule->state.bank : NULL;
}


void
ngx_constraint_catalogue_stateless(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule)
{
    if (rule->refused) {
        ngx_constraint_stats_stateless(catalogue->stats);
    }
}


ngx_uint_t
ngx_constraint_catalogue_number(ngx_constraint_catalogue_t *catalogue)
{
    return catalogue->number;
}


ngx_atomic_t *
ngx_constraint_catalogue_state_more(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule, ngx_uint_t n, ngx_uint_t take)
{
    ngx_atomic_t            *piece;
    ngx_constraint_stats_t  *stats;

    stats = catalogue->stats;
    piece = ngx_constraint_stats_state_more(stats, &rule->state, n);

    if (piece == NULL && take) {
        piece = ngx_constraint_stats_state_take(stats, catalogue->shpool,
                                                &rule->state, n);
    }

    return piece;
}


ngx_constraint_stats_t *
ngx_constraint_catalogue_stats(ngx_constraint_catalogue_t *catalogue,
    ngx_slab_pool_t **shpool)
{
    *shpool = catalogue->shpool;

    return catalogue->stats;
}


ngx_int_t
ngx_constraint_catalogue_unload(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type)
{
    int                       rc;
    ngx_str_t                 payload;
    ngx_constraint_key_t      key;
    ngx_constraint_read_t     read;
    ngx_constraint_worker_t  *worker;

    if (!ngx_constraint_worker_usable(catalogue)) {
        return NGX_ERROR;
    }

    worker = catalogue->worker;

    rc = ngx_constraint_store_read(&worker->store, &read, 1);
    if (rc != 0) {
        (void) ngx_constraint_store_failed(&worker->store, rc);
        return NGX_ERROR;
    }

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_CONSTRAINT, message_type);
    rc = ngx_constraint_store_get(read.txn, worker->store.dbi, &key, &payload,
                                  NULL);

    ngx_constraint_store_read_end(&read);

    if (rc == MDB_NOTFOUND) {
        return NGX_DECLINED;
    }

    ngx_constraint_cache_unload(catalogue, &key, message_type);
    ngx_constraint_cache_unloaded(catalogue);

    return NGX_OK;
}


void
ngx_constraint_catalogue_loaded(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_uint_t *in_worker, ngx_uint_t *in_zone)
{
    ngx_constraint_key_t  key;

    *in_worker = 0;
    *in_zone = 0;

    if (catalogue->worker == NULL) {
        return;
    }

    /* who looks at a rule that was unloaded elsewhere would load it again */

    ngx_constraint_cache_unloaded(catalogue);

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_CONSTRAINT, message_type);

    *in_worker = ngx_constraint_rule_lookup(catalogue->worker, message_type,
                               ngx_constraint_catalogue_hash(message_type))
                 != NULL;
    *in_zone = ngx_constraint_cache_has(catalogue, &key);
}
