
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_catalogue.h - the one public header of src/catalogue: the
 * records and workflows of one zone.  LMDB is the truth; the shared-memory
 * zone is its bounded hot cache; compiled programs are per worker.  Only this
 * room knows MDB_*.
 *
 * Freshness: the generation is LMDB's last transaction id.  sync compares it
 * once per request (lock-free); when it moved, the change log inside LMDB
 * tells which keys to drop.  So a record handed out by acquire is never older
 * than a write that was answered before the request began.
 *
 * Threads: event loop, unless a name ends in _thread.
 */


#ifndef _NGX_CONSTRAINT_CATALOGUE_H_INCLUDED_
#define _NGX_CONSTRAINT_CATALOGUE_H_INCLUDED_


#include "ngx_constraint_base.h"
#include "ngx_constraint_profile.h"
#include "ngx_constraint_stats.h"
#include "workflow.h"


#define NGX_CONSTRAINT_NAME_MAX       255

/* what ngx_constraint_name_valid() takes, for messages */
#define NGX_CONSTRAINT_NAME_RULE                                              \
    "1 to 255 of A-Z a-z 0-9 . _ : - and none of execute, metadata, "         \
    "unload, check, off, \".\" and \"..\""
#define NGX_CONSTRAINT_METADATA_MAX   65536
#define NGX_CONSTRAINT_WORKFLOW_MAX   (4 * 1024 * 1024)
#define NGX_CONSTRAINT_ORGANISATION   "default"


typedef struct ngx_constraint_catalogue_s  ngx_constraint_catalogue_t;


typedef enum {
    NGX_CONSTRAINT_KIND_CONSTRAINT = 0,
    NGX_CONSTRAINT_KIND_WORKFLOW,
    NGX_CONSTRAINT_KIND_PROFILE
} ngx_constraint_kind_e;


typedef enum {
    NGX_CONSTRAINT_EFFECT_UNSET = 0,
    NGX_CONSTRAINT_ALLOW,
    NGX_CONSTRAINT_DENY
} ngx_constraint_effect_e;


/* Configuration */


/*
 * What http tells about compiling: the facts of workflow_facts.h plus
 * nginx.var(); called with the env of one compilation, in any thread.
 */
typedef struct {
    cel_status_t            (*declare)(void *ctx, cel_env_t *env);
    void                     *ctx;
    cel_slot_t                nslots;      /* facts and variables of nginx */
} ngx_constraint_host_t;

typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 path;
    size_t                    size;        /* of the zone */
    size_t                    map_size;    /* of LMDB */
    ngx_uint_t                revisions;   /* unused ones kept per workflow */
} ngx_constraint_zone_conf_t;

/*
 * constraint_zone: creates the catalogue and its shared zone (tag: the
 * module).  NULL after ngx_conf_log_error: zone too small (8 pages), name or
 * path taken by another, path not absolute, ...  The folder is made through
 * ngx_create_paths.  Takes no LMDB lock and opens nothing: safe in nginx -t.
 */
ngx_constraint_catalogue_t *ngx_constraint_catalogue_add(ngx_conf_t *cf,
    const ngx_constraint_zone_conf_t *conf, void *tag);

/* By zone name, NULL when there is none (the caller says so at the end of
 * the configuration: a zone may be declared after its use). */
ngx_constraint_catalogue_t *ngx_constraint_catalogue_find(ngx_cycle_t *cycle,
    const ngx_str_t *name, void *tag);

const ngx_constraint_zone_conf_t *ngx_constraint_catalogue_conf(
    ngx_constraint_catalogue_t *catalogue);

/* http, once all is configured; cache: bytes of compiled programs a worker
 * keeps (constraint_program_cache). */
void ngx_constraint_catalogue_set_host(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_host_t *host, size_t cache);

/*
 * The profiles of the configuration, ngx_constraint_profile_t *, immutable
 * from now on; NULL: none.  They and the built-in ones come before stored
 * ones of the same name.
 */
void ngx_constraint_catalogue_set_profiles(
    ngx_constraint_catalogue_t *catalogue, const ngx_array_t *profiles);

/* thread pools by name, resolved by http; store: constraint_store_pool */
void ngx_constraint_catalogue_set_pools(ngx_constraint_catalogue_t *catalogue,
    ngx_thread_pool_t *evaluate, ngx_thread_pool_t *store);

/*
 * Worker start and end.  A store that cannot be opened is logged, never
 * stops the worker, and is retried every second (a cancelable timer).
 * exit_process frees the live jobs first (ngx_constraint_jobs_exit).
 */
ngx_int_t ngx_constraint_catalogue_init_process(
    ngx_constraint_catalogue_t *catalogue, ngx_cycle_t *cycle);
void ngx_constraint_catalogue_exit_process(
    ngx_constraint_catalogue_t *catalogue);


/* Records */


typedef struct {
    ngx_str_t                 message_type;
    uint64_t                  revision;        /* writing transaction's id */
    ngx_str_t                 subject_id;      /* "*" = anyone */
    ngx_str_t                 workflow_id;
    ngx_str_t                 description;     /* data NULL = none */
    ngx_str_t                 metadata;        /* JSON text of an object */
    ngx_constraint_effect_e   default_effect;  /* UNSET = deny */
    ngx_constraint_effect_e   on_error;        /* UNSET = the directive's */
    ngx_msec_t                timeout;         /* 0 = the directive's */
    ngx_str_t                 profile;         /* its name; empty = none */
    int64_t                   created_ms;      /* since 1970 */
    int64_t                   updated_ms;
    unsigned                  enabled:1;
} ngx_constraint_record_t;


/* "what, where, what would be right" of a refused document */

typedef struct {
    ngx_str_t                 path;            /* "$.subject_id" */
    u_char                    message[256];    /* NUL-terminated */
    u_char                    path_buf[160];
} ngx_constraint_field_error_t;

/*
 * Validates a client's record: names, reserved words, sizes, types, unknown
 * and read-only fields; role: and group: subjects are refused as not
 * supported.  partial: the body of a PUT, required fields may be missing and
 * null takes an optional one away.
 * NGX_OK or NGX_DECLINED with error.  Any thread.
 */
ngx_int_t ngx_constraint_record_validate(json_t *body, ngx_uint_t partial,
    ngx_constraint_field_error_t *error);

/*
 * [A-Za-z0-9._:-]{1,255} and none of the routes' words, nor "." and "..",
 * which no path can name.
 */
ngx_uint_t ngx_constraint_name_valid(const u_char *p, size_t len);


/*
 * Profiles that are not stored: built in, then configured; by place, NULL at
 * the end, and by name.  Any thread.
 */
const ngx_constraint_profile_t *ngx_constraint_catalogue_profile(
    ngx_constraint_catalogue_t *catalogue, ngx_uint_t n);
const ngx_constraint_profile_t *ngx_constraint_catalogue_profile_find(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *name);

/* As REST shows one; a new reference, NULL: no memory.  Any thread. */
json_t *ngx_constraint_profile_document(
    const ngx_constraint_profile_t *profile);

/*
 * A client's profile, {FIELD: value, ...} with name and description besides:
 * NGX_OK or NGX_DECLINED with error.  Any thread.
 */
ngx_int_t ngx_constraint_profile_validate(json_t *body,
    ngx_constraint_field_error_t *error);

/*
 * The limits in a document, of a constraint or of a profile, as get gives it:
 * NGX_OK, or NGX_DECLINED: it has none that can be read.  Strings borrow.
 */
ngx_int_t ngx_constraint_document_limits(ngx_constraint_kind_e kind,
    json_t *document, ngx_constraint_limits_t *limits);


/* Decisions: what a request needs, compiled, in this worker */


/* The enforcer's own: what it knows of a rule's short way. */

typedef struct {
    unsigned                  known:1;
    unsigned                  possible:1;
    unsigned                  input:1;         /* is read */
    unsigned                  first:1;         /* before anything else */
    uint8_t                   hope;            /* 0: it is hardly ever taken */
    uint8_t                   skipped;         /* times, then */
} ngx_constraint_rule_brief_t;


/*
 * A record with its compiled workflow, immutable while it is held; the
 * strings live as long.  A constraint whose workflow is missing or does not
 * compile (any more) has workflow NULL and error set: "ours"; so has one
 * whose profile is missing, as it would run without its bounds.
 *
 * limits: what the record and its profile say of the execution, the record
 * first; NULL when they say nothing.  What a location says lies beneath, see
 * ngx_constraint_limits_effective().
 */
typedef struct {
    /* what the short way reads is together */
    ngx_constraint_rule_brief_t  brief;
    const workflow_t         *workflow;
    uint64_t                  workflow_revision;
    ngx_constraint_stats_ref_t  stats;         /* without a profile */
    ngx_constraint_record_t   record;

    const ngx_constraint_limits_t  *limits;
    json_t                   *metadata;        /* parsed, read only */
    ngx_str_t                 error;           /* why workflow is NULL */
    const cel_program_t      *sampling;        /* sampling_key, NULL: none */

    /* the enforcer's, for counting under a profile; and for what it keeps */
    ngx_constraint_stats_ref_t  profiles[NGX_CONSTRAINT_STATS_PROFILES];
    ngx_constraint_stats_ref_t  state;
    ngx_msec_t                  refused;       /* when there was no memory for
                                                * it; 0: there was */

    /*
     * The enforcer's own, event loop only: the most that an evaluation costs
     * up to the largest sizes that were light so far; 0 = none yet.
     */
    cel_sizes_t               light;
    uint64_t                  light_cost;
} ngx_constraint_rule_t;


/*
 * Compiles one expression over the host's facts that gives a string, a
 * sampling_key: the caller's, by cel_program_destroy(); or NULL with error,
 * NUL-terminated, of NGX_CONSTRAINT_ERROR_MAX bytes.  Any thread.
 */
#define NGX_CONSTRAINT_ERROR_MAX  256

cel_program_t *ngx_constraint_expression_compile(
    const ngx_constraint_host_t *host, const ngx_str_t *source,
    u_char *error);


/*
 * Once at the start of a request.  Returns the generation all following
 * acquires of this event-loop turn are at least as new as; 0 when the store
 * is not available or nothing has ever been written: acquire tells which.
 */
uint64_t ngx_constraint_catalogue_sync(ngx_constraint_catalogue_t *catalogue)
    __attribute__((hot));

/*
 * Finds message_type.  Hot path: no lock, no malloc.
 *   NGX_OK        *rule, a reference: give it back by release
 *   NGX_DECLINED  there is no such constraint
 *   NGX_AGAIN     being loaded or compiled in a thread; waiter->ready will be
 *                 called once, then ask again (single-flight)
 *   NGX_BUSY      the thread queue is full
 *   NGX_ERROR     the store is not available or the value is damaged
 *                 (CRC): error, if not NULL, says it; logged once
 */
ngx_int_t ngx_constraint_catalogue_acquire(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *message_type,
    ngx_constraint_waiter_t *waiter, ngx_constraint_rule_t **rule,
    ngx_str_t *error);
void ngx_constraint_catalogue_release(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule);

/*
 * What this worker's memory has of it, as new as the sync before it, which
 * did not give 0; valid until the handler returns to the event loop.  NULL:
 * acquire tells.  hash is the name's.
 */
uint32_t ngx_constraint_catalogue_hash(const ngx_str_t *message_type);
ngx_constraint_rule_t *ngx_constraint_catalogue_peek(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *message_type,
    uint32_t hash);

/* Counts into the rule's slot, attaching again if it was recycled.  profile
 * is the rule's or the configuration's own, not a copy. */
void ngx_constraint_catalogue_count(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule, const ngx_str_t *profile,
    const ngx_constraint_stats_sample_t *sample);

/* The same of an allow without a profile that was evaluated inline and met
 * nothing. */
void ngx_constraint_catalogue_count_allow(
    ngx_constraint_catalogue_t *catalogue, ngx_constraint_rule_t *rule,
    uint64_t cost, uint64_t time_ns, uint64_t memory);

/*
 * 512 bytes that all workers keep of a rule, valid in this turn of the event
 * loop.  NULL: no memory for it, which is logged once for a rule and tried
 * again after a second.  Lookup makes none: for who had it before, NULL if
 * there was none or the constraint was deleted meanwhile.  The last one counts
 * a decision that was made without, to be called when there was none.
 */
void *ngx_constraint_catalogue_state(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule);
void *ngx_constraint_catalogue_state_lookup(ngx_constraint_rule_t *rule);
void ngx_constraint_catalogue_stateless(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_rule_t *rule);

/* The number of the configuration that it is of: not 0, another one after
 * each reload, the same in all workers. */
ngx_uint_t ngx_constraint_catalogue_number(
    ngx_constraint_catalogue_t *catalogue);

/* Piece n of what there is more of a state that was just had; take: made if
 * there is none.  NULL: there is none, no memory for it. */
ngx_atomic_t *ngx_constraint_catalogue_state_more(
    ngx_constraint_catalogue_t *catalogue, ngx_constraint_rule_t *rule,
    ngx_uint_t n, ngx_uint_t take);

/* The statistics of the zone and the mutex they take, for who reads them;
 * not NULL once workers run. */
ngx_constraint_stats_t *ngx_constraint_catalogue_stats(
    ngx_constraint_catalogue_t *catalogue, ngx_slab_pool_t **shpool);

/* POST /constraint/unload: drops from the zone and this worker (the other
 * workers follow through the zone).  NGX_OK, NGX_DECLINED: not registered. */
ngx_int_t ngx_constraint_catalogue_unload(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *message_type);

/* Is it loaded: in this worker's memory (compiled), in the zone. */
void ngx_constraint_catalogue_loaded(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_uint_t *in_worker,
    ngx_uint_t *in_zone);


/* Documents: reading and writing for the API */


/*
 * A document as REST shows it: the constraint record with its read-only
 * fields; a stored profile {"name":..., "source": "stored", fields,
 * "revision":..., "created_at":..., "updated_at":...}; for a workflow
 * {"name":..., "revision":..., "created_at":..., "updated_at":...,
 * "document": {the CEL Policy}}.
 * NGX_OK with *document (the caller's reference) and *revision,
 * NGX_DECLINED, or NGX_ERROR with *error.  revision given != 0 on entry asks
 * for that revision of a workflow.
 */
ngx_int_t ngx_constraint_catalogue_get(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_kind_e kind, const ngx_str_t *key, uint64_t *revision,
    json_t **document, ngx_str_t *error);

/* The same in a pool thread: a workflow's document may be large.  error is
 * static text. */
ngx_int_t ngx_constraint_catalogue_get_thread(
    ngx_constraint_catalogue_t *catalogue, ngx_constraint_kind_e kind,
    const ngx_str_t *key, uint64_t *revision, json_t **document,
    ngx_str_t *error);

/*
 * Walks the keys after `after` (NULL: from the first) in key order, each
 * document passed to visit until it returns other than NGX_OK; opens read
 * transactions of its own, none longer than 10 ms.  For pool threads.
 * A document of NULL is one that is damaged in the store: it is the last one,
 * and NGX_ABORT is returned whatever visit says.
 * NGX_OK at the end, what visit returned, or NGX_ERROR.
 */
typedef ngx_int_t (*ngx_constraint_visit_pt)(void *ctx, const ngx_str_t *key,
    json_t *document);
ngx_int_t ngx_constraint_catalogue_walk_thread(
    ngx_constraint_catalogue_t *catalogue, ngx_constraint_kind_e kind,
    const ngx_str_t *after, ngx_constraint_visit_pt visit, void *ctx);


typedef enum {
    NGX_CONSTRAINT_WRITE_CREATE = 0,
    NGX_CONSTRAINT_WRITE_UPDATE,    /* given top-level keys replace */
    NGX_CONSTRAINT_WRITE_DELETE,
    NGX_CONSTRAINT_WRITE_PUT        /* a profile: made or replaced whole */
} ngx_constraint_write_e;

typedef enum {
    NGX_CONSTRAINT_WRITTEN = 0,
    NGX_CONSTRAINT_WRITE_EXISTS,        /* 409 */
    NGX_CONSTRAINT_WRITE_NOT_FOUND,     /* 404 */
    NGX_CONSTRAINT_WRITE_PRECONDITION,  /* 412, revision = the present one */
    NGX_CONSTRAINT_WRITE_INVALID,       /* 400, field: the merged record */
    NGX_CONSTRAINT_WRITE_NO_WORKFLOW,   /* 422 unknown workflow */
    NGX_CONSTRAINT_WRITE_NO_PROFILE,    /* 422 unknown profile */
    NGX_CONSTRAINT_WRITE_BAD_WORKFLOW,  /* 422, issues */
    NGX_CONSTRAINT_WRITE_IN_USE,        /* 409, users; of a profile error
                                         * says what is wrong with them */
    NGX_CONSTRAINT_WRITE_READ_ONLY,     /* 409, a profile that is not stored:
                                         * error */
    NGX_CONSTRAINT_WRITE_FULL,          /* 507 */
    NGX_CONSTRAINT_WRITE_FAILED         /* 503, error */
} ngx_constraint_written_e;


/*
 * One write: filled by the API, run as a job in the store pool, durable
 * before done is called.  Text members are malloc'ed and owned by the job.
 */
typedef struct ngx_constraint_write_s  ngx_constraint_write_t;

struct ngx_constraint_write_s {
    ngx_constraint_job_t        job;        /* first; owner: the API's */
    void                      (*done)(ngx_constraint_write_t *write);

    /* in */
    ngx_constraint_catalogue_t *catalogue;
    ngx_constraint_write_e      op;
    ngx_constraint_kind_e       kind;
    ngx_str_t                   key;        /* empty on create: from body */
    ngx_str_t                   body;       /* text as received */
    workflow_format_t           format;     /* of a workflow's body */
    uint64_t                    if_match;   /* 0 = no condition */
    unsigned                    if_match_any:1;      /* If-Match: * */
    unsigned                    if_none_match_any:1; /* If-None-Match: * */

    /* out */
    ngx_constraint_written_e    result;
    unsigned                    created:1;  /* by PUT */
    uint64_t                    revision;
    uint64_t                    generation;
    int64_t                     born_ms;    /* when what is deleted was
                                             * registered; not known: now */
    json_t                     *document;   /* as get shows it, or NULL */
    json_t                     *users;      /* IN_USE: array of names */
    ngx_constraint_field_error_t  field;
    workflow_issues_t          *issues;     /* BAD_WORKFLOW */
    u_char                      error[256]; /* NUL-terminated */
};

ngx_constraint_write_t *ngx_constraint_write_create(
    ngx_constraint_catalogue_t *catalogue, ngx_log_t *log);

/*
 * NGX_OK: done will be called unless the job is detached (the write still
 * happens then).  NGX_BUSY: 64 are queued already (503).  NGX_ERROR: no
 * store.  Unless NGX_OK the write is still the caller's to destroy by
 * ngx_constraint_job_destroy(&write->job).
 */
ngx_int_t ngx_constraint_write_post(ngx_constraint_write_t *write);


/* Compiles without storing: POST /workflow/check.  Any thread; the caller
 * destroys the workflow. */
workflow_t *ngx_constraint_catalogue_compile_thread(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *text,
    workflow_format_t format, workflow_issues_t *issues);


/* GET /status, GET /constraint/metadata */


typedef struct {
    ngx_uint_t        open;               /* store available */
    ngx_str_t         error;              /* why not */
    ngx_uint_t        schema;
    uint64_t          generation;
    uint64_t          constraints;
    uint64_t          workflows;
    size_t            map_size;
    size_t            map_used;
    ngx_uint_t        readers_used;
    ngx_uint_t        readers_max;
    size_t            zone_size;
    size_t            zone_free;          /* in whole pages */
    ngx_uint_t        zone_records;
    uint64_t          zone_evictions;
    uint64_t          zone_discards;      /* after a death inside its lock */
    size_t            program_bytes;      /* this worker's */
    ngx_uint_t        programs;
    ngx_uint_t        writes_queued;
} ngx_constraint_catalogue_status_t;

void ngx_constraint_catalogue_status(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_catalogue_status_t *status);


#endif /* _NGX_CONSTRAINT_CATALOGUE_H_INCLUDED_ */
