/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_catalogue_room.h - what the files of src/catalogue share
 * among themselves; nobody else includes it.
 *
 *   catalogue_zone    configuration, the shared zone, reload
 *   catalogue_worker  the start and end of a worker
 *   store             the LMDB environment: open, close, transactions
 *   store_file        what can be told of its files without LMDB
 *   schema            keys and values
 *   read, write       documents out of and into the store
 *   changes           which keys which transaction touched
 *   cache             the zone's copies of values
 *   rule, program     what a worker holds compiled
 *   find              what a rule is made of
 *   load              how it gets there
 *   record            a client's record, its text and its meaning
 *   profile_record    the same of a profile, and of what bounds a constraint
 */


#ifndef _NGX_CONSTRAINT_CATALOGUE_ROOM_H_INCLUDED_
#define _NGX_CONSTRAINT_CATALOGUE_ROOM_H_INCLUDED_


#include "ngx_constraint_catalogue.h"
#include <lmdb.h>


#define NGX_CONSTRAINT_SCHEMA        1
#define NGX_CONSTRAINT_ZONE_LAYOUT   5

#define NGX_CONSTRAINT_READERS       4096
#define NGX_CONSTRAINT_LOG_MAX       4096    /* transactions remembered */
#define NGX_CONSTRAINT_WRITES_MAX    65      /* one running, 64 queued */
#define NGX_CONSTRAINT_LOADS_MAX     64      /* in threads at once */
#define NGX_CONSTRAINT_PROGRAMS_MIN  (1024 * 1024)


typedef struct ngx_constraint_cache_s    ngx_constraint_cache_t;
typedef struct ngx_constraint_program_s  ngx_constraint_program_t;


/* Bytes that are used again, on the heap of the process. */

typedef struct {
    u_char                     *data;
    size_t                      len;
    size_t                      size;
} ngx_constraint_bytes_t;

ngx_int_t ngx_constraint_bytes_set(ngx_constraint_bytes_t *bytes,
    const void *data, size_t len);
ngx_int_t ngx_constraint_bytes_append(ngx_constraint_bytes_t *bytes,
    const void *data, size_t len);
void ngx_constraint_bytes_free(ngx_constraint_bytes_t *bytes);


/* Schema: keys */


/*
 * organisation NUL kind name [suffix].  Names hold no NUL.
 *
 *   C  message type              constraint
 *   W  workflow id               head: revision, times, how many revisions
 *   R  workflow id NUL revision  document: time written, JSON text
 *   U  hash of workflow id, message type    who uses it: the workflow id
 *   P  profile name              profile, JSON text
 *   Q  hash of profile name, message type   who uses it: the profile's name
 *   L  transaction id            change log: kind and name of what it touched
 *   N                            counts
 *   S                            schema
 *
 * Numbers in keys are 8 bytes, most significant first.
 */

#define NGX_CONSTRAINT_KEY_CONSTRAINT  'C'
#define NGX_CONSTRAINT_KEY_WORKFLOW    'W'
#define NGX_CONSTRAINT_KEY_REVISION    'R'
#define NGX_CONSTRAINT_KEY_USER        'U'
#define NGX_CONSTRAINT_KEY_PROFILE     'P'
#define NGX_CONSTRAINT_KEY_PROFILE_USER  'Q'
#define NGX_CONSTRAINT_KEY_LOG         'L'
#define NGX_CONSTRAINT_KEY_COUNTS      'N'
#define NGX_CONSTRAINT_KEY_SCHEMA      'S'

#define NGX_CONSTRAINT_KEY_MAX         511

typedef struct {
    size_t                      len;
    u_char                      data[NGX_CONSTRAINT_KEY_MAX];
} ngx_constraint_key_t;

void ngx_constraint_key(ngx_constraint_key_t *key, u_char kind,
    const ngx_str_t *name);
void ngx_constraint_key_revision(ngx_constraint_key_t *key,
    const ngx_str_t *workflow, uint64_t revision);
void ngx_constraint_key_user(ngx_constraint_key_t *key,
    const ngx_str_t *workflow, const ngx_str_t *message_type);
void ngx_constraint_key_profile_user(ngx_constraint_key_t *key,
    const ngx_str_t *profile, const ngx_str_t *message_type);
void ngx_constraint_key_number(ngx_constraint_key_t *key, u_char kind,
    uint64_t number);

/* What follows the kind; NGX_DECLINED when key is of another kind. */
ngx_int_t ngx_constraint_key_name(const MDB_val *key, u_char kind,
    ngx_str_t *name);

uint64_t ngx_constraint_number_get(const u_char *p);
u_char *ngx_constraint_number_put(u_char *p, uint64_t number);


/* Schema: values */


/*
 * version (1 byte), CRC32C (4 bytes, least significant first) of key and
 * payload, payload.  Values of LMDB may be unaligned: bytes are read.
 */

#define NGX_CONSTRAINT_VALUE_VERSION  1
#define NGX_CONSTRAINT_VALUE_HEAD     5

uint32_t ngx_constraint_crc32c(uint32_t crc, const u_char *p, size_t len);

/* NGX_OK with payload pointing into value, NGX_ERROR: damaged. */
ngx_int_t ngx_constraint_value_open(const u_char *key, size_t key_len,
    const u_char *value, size_t len, ngx_str_t *payload);
void ngx_constraint_value_head(const ngx_constraint_key_t *key,
    const ngx_str_t *payload, u_char *head);

/*
 * A constraint's payload: length of the workflow id, the id, JSON text.  Who
 * names a profile has it as the first member, so that it can be told without
 * parsing.
 */

typedef struct {
    ngx_str_t                   workflow_id;
    ngx_str_t                   profile;       /* empty: none */
    ngx_str_t                   json;
} ngx_constraint_payload_t;

ngx_int_t ngx_constraint_payload_open(const ngx_str_t *text,
    ngx_constraint_payload_t *payload);

/* A workflow's head and the counts, fixed numbers. */

typedef struct {
    uint64_t                    revision;
    uint64_t                    revisions;     /* stored ones */
    uint64_t                    created_ms;
    uint64_t                    updated_ms;
} ngx_constraint_head_t;

typedef struct {
    uint64_t                    constraints;
    uint64_t                    workflows;
} ngx_constraint_counts_t;

#define NGX_CONSTRAINT_HEAD_SIZE    32
#define NGX_CONSTRAINT_COUNTS_SIZE  16

ngx_int_t ngx_constraint_head_open(const ngx_str_t *payload,
    ngx_constraint_head_t *head);
void ngx_constraint_head_close(const ngx_constraint_head_t *head, u_char *p);
/* A revision's document, NGX_ERROR when there is none. */

#define NGX_CONSTRAINT_REVISION_HEAD  8

ngx_int_t ngx_constraint_revision_open(const ngx_str_t *payload,
    ngx_str_t *document, uint64_t *written_ms);
ngx_int_t ngx_constraint_counts_open(const ngx_str_t *payload,
    ngx_constraint_counts_t *counts);
void ngx_constraint_counts_close(const ngx_constraint_counts_t *counts,
    u_char *p);


/* Store files, looked at without LMDB */


typedef struct {
    dev_t                       dev;
    ino_t                       ino;
} ngx_constraint_file_id_t;

/*
 * A message in error (NUL-terminated) unless NGX_OK.
 *
 * The schema file beside the data says the version before anything is
 * opened, so that a configuration test can refuse it; 0 when there is none.
 */
ngx_int_t ngx_constraint_schema_read(const ngx_str_t *path,
    ngx_uint_t *schema, u_char *error);
ngx_int_t ngx_constraint_schema_write(const ngx_str_t *path, u_char *error);

/* Length and header; before this process has the environment open. */
ngx_int_t ngx_constraint_file_check(const ngx_str_t *path,
    ngx_constraint_file_id_t *id, u_char *error);


/* Store */


/*
 * users counts the transactions of this process, in the event loop and in
 * threads; -1 while the map is being changed or the environment closed, which
 * only the event loop does.
 */
typedef struct {
    MDB_env                    *env;           /* NULL = not open */
    MDB_dbi                     dbi;
    MDB_txn                    *txn;           /* the event loop's, reset */
    atomic_int                  users;
    atomic_bool                 broken;        /* close it, open it again */
    atomic_bool                 resized;       /* a thread met a larger map */
    atomic_bool                 marked;        /* has its schema file */
    ngx_constraint_file_id_t    id;
    u_char                      error[NGX_CONSTRAINT_ERROR_MAX];
} ngx_constraint_store_t;


/* A read transaction; loop: the reused one of the event loop. */

typedef struct {
    ngx_constraint_store_t     *store;
    MDB_txn                    *txn;
    ngx_uint_t                  loop;
} ngx_constraint_read_t;


ngx_int_t ngx_constraint_store_open(ngx_constraint_store_t *store,
    const ngx_constraint_zone_conf_t *conf);

/* NGX_OK, or NGX_AGAIN: a thread still uses it. */
ngx_int_t ngx_constraint_store_close(ngx_constraint_store_t *store);

/* LMDB's last transaction id, lock-free. */
uint64_t ngx_constraint_store_generation(ngx_constraint_store_t *store);

/* Takes the size of a map that another process made larger. */
void ngx_constraint_store_resize(ngx_constraint_store_t *store);

/*
 * 0, an errno or an MDB_ code: EBADF, the store is not open; EBUSY, the map
 * is to be made larger and a thread uses it.  A thread waits for that.
 */
int ngx_constraint_store_read(ngx_constraint_store_t *store,
    ngx_constraint_read_t *read, ngx_uint_t loop);
void ngx_constraint_store_read_end(ngx_constraint_read_t *read);

/* Waits for LMDB's write lock.  write_end follows commit or abort. */
int ngx_constraint_store_write_thread(ngx_constraint_store_t *store,
    MDB_txn **txn);
void ngx_constraint_store_write_end(ngx_constraint_store_t *store);

/* A value whose checksum is wrong; between the errnos and LMDB's codes. */
#define NGX_CONSTRAINT_DAMAGED  (-1)

/* Notes what an error means for the store; returns its text, static. */
const char *ngx_constraint_store_failed(ngx_constraint_store_t *store,
    int rc);

/* Makes the file long enough for a write of so many bytes: 0 or errno;
 * the write lock is held. */
int ngx_constraint_store_reserve_thread(ngx_constraint_store_t *store,
    size_t bytes);

/* Would a write of so many bytes leave less than the reserve free? */
ngx_uint_t ngx_constraint_store_full_thread(ngx_constraint_store_t *store,
    MDB_txn *txn, size_t bytes);

/*
 * The value of key: 0 with payload pointing into the map, MDB_NOTFOUND,
 * NGX_CONSTRAINT_DAMAGED or another code.  raw may be NULL.
 */
int ngx_constraint_store_get(MDB_txn *txn, MDB_dbi dbi,
    const ngx_constraint_key_t *key, ngx_str_t *payload, MDB_val *raw);
int ngx_constraint_store_put(MDB_txn *txn, MDB_dbi dbi,
    const ngx_constraint_key_t *key, const ngx_str_t *payload);
int ngx_constraint_store_delete(MDB_txn *txn, MDB_dbi dbi,
    const ngx_constraint_key_t *key);


/* Zone */


typedef struct {
    ngx_uint_t                  layout;
    ngx_uint_t                  configurations;  /* read so far */
    ngx_constraint_stats_t     *stats;
    ngx_constraint_cache_t     *cache;
} ngx_constraint_zone_t;


/* Cache: the zone's copies of stored values, key and value as in LMDB. */


ngx_constraint_cache_t *ngx_constraint_cache_create_locked(
    ngx_slab_pool_t *shpool, size_t size);

/* A worker has opened the environment of that identity. */
void ngx_constraint_cache_open(ngx_constraint_catalogue_t *catalogue);

/*
 * NGX_OK with a copy of the value in bytes and *at, the generation it is
 * known to be the latest of; NGX_DECLINED.
 */
ngx_int_t ngx_constraint_cache_get(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_key_t *key, ngx_constraint_bytes_t *bytes,
    uint64_t *at);

/* Keeps value, read by a transaction that saw generation. */
void ngx_constraint_cache_put(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_key_t *key, const MDB_val *value,
    uint64_t generation);

/*
 * keys: a list of (length, key) that transactions after `from`, up to
 * generation, touched; NULL: unknown, drop all.
 */
void ngx_constraint_cache_advance(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_bytes_t *keys, uint64_t from, uint64_t generation);

/* The generation it is valid for. */
uint64_t ngx_constraint_cache_synced(ngx_constraint_catalogue_t *catalogue);

/* Drops the keys and tells other workers to drop the rule of that name. */
void ngx_constraint_cache_unload(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_key_t *key, const ngx_str_t *message_type);

/* Names unloaded by any worker since *seen: drops their rules here. */
void ngx_constraint_cache_unloaded(ngx_constraint_catalogue_t *catalogue)
    __attribute__((hot));

ngx_uint_t ngx_constraint_cache_has(ngx_constraint_catalogue_t *catalogue,
    const ngx_constraint_key_t *key);
void ngx_constraint_cache_status(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_catalogue_status_t *status);


/* Worker */


/* The profile that a constraint names; all empty: it names none. */

typedef struct {
    const ngx_constraint_profile_t  *fixed;    /* built in or configured */
    ngx_str_t                        text;     /* else the stored JSON */
    const char                      *reason;   /* or why there is neither */
} ngx_constraint_found_profile_t;


/* malloc; refs: holders, the table being one of them */

typedef struct ngx_constraint_loaded_s  ngx_constraint_loaded_t;

/*
 * Begins at a multiple of two cache lines, which many processors fetch as a
 * pair: what the short way reads of a rule is in them.
 */
#define NGX_CONSTRAINT_LOADED_ALIGN  128

struct ngx_constraint_loaded_s {
    ngx_constraint_loaded_t    *next;          /* in the bucket */
    ngx_uint_t                  used;          /* at that tick */
    uint32_t                    hash;
    unsigned                    listed:1;      /* in the table */
    ngx_constraint_rule_t       rule;
    ngx_constraint_program_t   *program;       /* a reference */
    json_t                     *json;          /* the metadata */
    u_char                     *text;          /* strings of the record */
    cel_program_t              *sampling;      /* key, NULL: none */
    ngx_constraint_limits_t     limits;
    ngx_queue_t                 recent;
    ngx_queue_t                 siblings;      /* in program->rules */
    size_t                      bytes;
    ngx_uint_t                  refs;
};

#define ngx_constraint_rule_loaded(r)                                         \
    ((ngx_constraint_loaded_t *)                                              \
                ((u_char *) (r) - offsetof(ngx_constraint_loaded_t, rule)))

_Static_assert(offsetof(ngx_constraint_loaded_t, rule.record.subject_id)
               <= NGX_CONSTRAINT_LOADED_ALIGN,
               "what the short way reads is together");

/* malloc; refs: its rules and loads, and the table */

struct ngx_constraint_program_s {
    ngx_constraint_program_t   *next;          /* in the bucket */
    ngx_str_t                   id;
    uint64_t                    revision;
    workflow_t                 *workflow;      /* NULL: error says why */
    ngx_str_t                   error;
    size_t                      bytes;
    uint32_t                    hash;
    ngx_uint_t                  refs;
    ngx_queue_t                 rules;         /* listed ones that use it */
    ngx_queue_t                 idle;          /* in the table, no rules */
    unsigned                    listed:1;
    unsigned                    idling:1;
};

typedef struct {
    /* what every look-up reads is together */
    uint64_t                    synced;        /* rules are valid as of */
    ngx_atomic_uint_t           unloads;       /* seen */
    ngx_constraint_loaded_t   **rules;
    ngx_uint_t                  rules_size;    /* buckets, a power of two */
    ngx_uint_t                  ticks;         /* seconds, about */
    ngx_constraint_store_t      store;

    ngx_constraint_catalogue_t *catalogue;
    ngx_uint_t                  nrules;
    ngx_queue_t                 recent;        /* rules, latest first */
    ngx_constraint_program_t  **programs;
    ngx_uint_t                  programs_size;
    ngx_uint_t                  nprograms;
    ngx_queue_t                 idle;          /* programs, latest first */
    size_t                      bytes;         /* of rules and programs */

    ngx_queue_t                 loads;         /* in threads */
    ngx_uint_t                  nloads;
    ngx_uint_t                  writes;        /* posted, unfinished */

    ngx_constraint_bytes_t      value;         /* scratch: a record */
    ngx_constraint_bytes_t      head;          /* scratch: a head, a log */
    ngx_constraint_bytes_t      document;      /* scratch: a document */
    ngx_constraint_bytes_t      profile;       /* scratch: a profile */

    ngx_event_t                 timer;
    ngx_connection_t            dummy;         /* for the timer's data */
    ngx_log_t                  *log;
    time_t                      logged;        /* last of repeated errors */
    time_t                      told;          /* last of refused writes */
} ngx_constraint_worker_t;


struct ngx_constraint_catalogue_s {
    ngx_constraint_worker_t    *worker;        /* NULL outside workers */
    ngx_constraint_cache_t     *cache;         /* the zone's: who counts and
                                                * looks up reads less */
    ngx_constraint_stats_t     *stats;
    ngx_slab_pool_t            *shpool;
    ngx_constraint_zone_t      *zone;
    ngx_constraint_zone_conf_t  conf;
    ngx_shm_zone_t             *shm_zone;
    ngx_list_t                 *zones;         /* all of the cycle */
    ngx_constraint_catalogue_t *old;           /* of the cycle before */
    ngx_uint_t                  number;        /* of the configuration */
    ngx_constraint_host_t       host;
    const ngx_array_t          *profiles;      /* of profile *; NULL: none */
    size_t                      cache_size;
    ngx_thread_pool_t          *evaluate_pool;
    ngx_thread_pool_t          *store_pool;
};


/* Changes */


/*
 * Brings worker and cache to the present generation: NGX_OK, or NGX_ERROR
 * when the store cannot be read.
 */
ngx_int_t ngx_constraint_changes_sync(ngx_constraint_catalogue_t *catalogue);

/* Writes the entry of txn and forgets old ones: 0 or an MDB_ code. */
int ngx_constraint_changes_add(MDB_txn *txn, MDB_dbi dbi, u_char kind,
    const ngx_str_t *name);


/* Writing */


/* One write inside its transaction, in a thread of the store pool. */

typedef struct {
    ngx_constraint_write_t     *write;
    MDB_txn                    *txn;
    MDB_dbi                     dbi;
    json_t                     *body;          /* a constraint's, a
                                                * profile's */
    ngx_str_t                   text;          /* a workflow's, as JSON */
    ngx_constraint_counts_t     counts;
    int64_t                     now_ms;
} ngx_constraint_writing_t;


/*
 * Before the transaction: NGX_OK, or NGX_DECLINED with the result set.
 * Inside: 0 with the result set, or an LMDB code; only
 * NGX_CONSTRAINT_WRITTEN is committed.
 */
ngx_int_t ngx_constraint_write_prepare_constraint(
    ngx_constraint_writing_t *writing);
ngx_int_t ngx_constraint_write_prepare_workflow(
    ngx_constraint_writing_t *writing);
ngx_int_t ngx_constraint_write_prepare_profile(
    ngx_constraint_writing_t *writing);
int ngx_constraint_write_constraint(ngx_constraint_writing_t *writing);
int ngx_constraint_write_workflow(ngx_constraint_writing_t *writing);
int ngx_constraint_write_profile(ngx_constraint_writing_t *writing);

/* Sets writing->body: NGX_OK, or NGX_DECLINED with the result set. */
ngx_int_t ngx_constraint_write_parse(ngx_constraint_writing_t *writing);

/*
 * The stored JSON of a constraint or a profile: 0 with *json, NULL when there
 * is none or, with *damaged, when it cannot be read; or an LMDB code.
 */
int ngx_constraint_write_load(ngx_constraint_writing_t *writing, u_char kind,
    const ngx_str_t *name, json_t **json, ngx_uint_t *damaged);

/* An entry of an index of users: the constraint's name, and how it stands. */

typedef struct {
    ngx_str_t  name;
    MDB_val    key;
    MDB_val    value;
} ngx_constraint_user_t;

/* Looks at one user: 0 or an LMDB code, *counts: is it to be told of. */
typedef int (*ngx_constraint_user_pt)(ngx_constraint_writing_t *writing,
    const ngx_constraint_user_t *user, ngx_uint_t *counts);

/*
 * The users whose keys begin with first, at most 1000 of those that count:
 * 0 with the result IN_USE and their names in write->users, or with nothing
 * changed when there are none; or a code.
 */
int ngx_constraint_write_users(ngx_constraint_writing_t *writing,
    const ngx_constraint_key_t *first, ngx_constraint_user_pt look);

/*
 * Is the profile there that a constraint's record names, and does the record
 * say enough with it: 0 with *known, or with the result set.
 */
int ngx_constraint_write_profile_known(ngx_constraint_writing_t *writing,
    json_t *record, ngx_uint_t *known);

/* Keeps the index of who uses which profile; old or record may be NULL. */
int ngx_constraint_write_profile_user(ngx_constraint_writing_t *writing,
    json_t *old, json_t *record);

/* revision and times of what is written: 0 or ENOMEM */
int ngx_constraint_write_stamp(ngx_constraint_writing_t *writing, json_t *old,
    json_t *json);

/* If-Match and If-None-Match; revision 0: there is none now. */
ngx_int_t ngx_constraint_write_allowed(ngx_constraint_write_t *write,
    uint64_t revision);
ngx_int_t ngx_constraint_write_refuse(ngx_constraint_write_t *write,
    ngx_constraint_written_e result, const char *path, const char *message);
ngx_int_t ngx_constraint_write_sampling_key(ngx_constraint_write_t *write,
    json_t *limits, const char *path);
ngx_int_t ngx_constraint_write_key(ngx_constraint_write_t *write,
    const char *name, size_t len, const char *path);
ngx_uint_t ngx_constraint_write_full(ngx_constraint_writing_t *writing,
    size_t bytes);


/* Rules and programs */


ngx_int_t ngx_constraint_rules_init(ngx_constraint_worker_t *worker);
void ngx_constraint_rules_free(ngx_constraint_worker_t *worker);

ngx_constraint_loaded_t *ngx_constraint_rule_lookup(
    ngx_constraint_worker_t *worker, const ngx_str_t *message_type,
    uint32_t hash) __attribute__((hot));

/*
 * With one reference, the caller's.  Takes json and a reference of program;
 * NULL, both released, when out of memory or json is no record.
 */
ngx_constraint_loaded_t *ngx_constraint_rule_create(json_t *json,
    ngx_constraint_program_t *program,
    const ngx_constraint_found_profile_t *profile,
    const ngx_constraint_host_t *host);

/* Into the table, in the place of one of the same name. */
void ngx_constraint_rule_insert(ngx_constraint_worker_t *worker,
    ngx_constraint_loaded_t *loaded);
void ngx_constraint_rule_release(ngx_constraint_loaded_t *loaded);

void ngx_constraint_rule_drop(ngx_constraint_worker_t *worker,
    const ngx_str_t *message_type);
void ngx_constraint_rule_drop_hash(ngx_constraint_worker_t *worker,
    uint32_t hash);
void ngx_constraint_rules_drop_profile(ngx_constraint_worker_t *worker,
    const ngx_str_t *profile);
void ngx_constraint_rules_drop_all(ngx_constraint_worker_t *worker);

ngx_constraint_program_t *ngx_constraint_program_lookup(
    ngx_constraint_worker_t *worker, const ngx_str_t *id, uint64_t revision);

/* With one reference, the caller's; takes workflow. NULL: no memory. */
ngx_constraint_program_t *ngx_constraint_program_create(const ngx_str_t *id,
    uint64_t revision, workflow_t *workflow, const u_char *error);
void ngx_constraint_program_insert(ngx_constraint_worker_t *worker,
    ngx_constraint_program_t *program);
void ngx_constraint_program_release(ngx_constraint_program_t *program);
void ngx_constraint_program_drop(ngx_constraint_worker_t *worker,
    const ngx_str_t *id);
void ngx_constraint_program_unlist(ngx_constraint_worker_t *worker,
    ngx_constraint_program_t *program);

/* A rule came into the table, or left it. */
void ngx_constraint_program_used(ngx_constraint_worker_t *worker,
    ngx_constraint_loaded_t *loaded);
void ngx_constraint_program_unused(ngx_constraint_worker_t *worker,
    ngx_constraint_loaded_t *loaded);
void ngx_constraint_rule_unlist(ngx_constraint_worker_t *worker,
    ngx_constraint_loaded_t *loaded);

/* Evicts until the worker's bound is kept; keep stays. */
void ngx_constraint_rules_shrink(ngx_constraint_worker_t *worker,
    const ngx_constraint_loaded_t *keep);


/* Finding */


/* What was found, in the worker's scratch bytes. */

typedef struct {
    ngx_constraint_payload_t    record;
    ngx_constraint_head_t       head;         /* revision 0: no workflow */
    ngx_constraint_program_t   *program;      /* held already, borrowed */
    ngx_str_t                   document;
    const char                 *reason;       /* why there is no document */
    ngx_constraint_found_profile_t  profile;
} ngx_constraint_found_t;

/* NGX_OK, NGX_DECLINED (no such constraint), NGX_ERROR with error. */
ngx_int_t ngx_constraint_find(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_constraint_found_t *found,
    ngx_str_t *error);


/* Loading */


ngx_int_t ngx_constraint_load(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type, ngx_constraint_waiter_t *waiter,
    ngx_constraint_loaded_t **loaded, ngx_str_t *error);

/* What is being loaded may be old: its result is not kept. */
void ngx_constraint_loads_stale(ngx_constraint_worker_t *worker, u_char kind,
    const ngx_str_t *name);

/* Compiles a stored or a client's document; any thread. */
workflow_t *ngx_constraint_compile_thread(
    ngx_constraint_catalogue_t *catalogue, const ngx_str_t *text,
    workflow_format_t format, workflow_issues_t *issues);


/* Records */


/* A client's constraint as it is stored; the caller's reference. */
json_t *ngx_constraint_record_merge(json_t *old, json_t *body);

/* As REST shows it; a new reference, NULL: no memory. */
json_t *ngx_constraint_record_document(json_t *stored);

/* record's strings borrow from stored, metadata's text is malloc'ed:
 * NGX_OK, or NGX_ERROR (out of memory, or no record). */
ngx_int_t ngx_constraint_record_open(json_t *stored,
    ngx_constraint_record_t *record);

/* "$" or "$.name" and what is wrong with it; NGX_DECLINED */
ngx_int_t ngx_constraint_record_refuse(ngx_constraint_field_error_t *error,
    const char *name, const char *message);

/* the values of "execution" and "description"; as validate */
ngx_int_t ngx_constraint_record_execution(json_t *value,
    ngx_constraint_field_error_t *error);
const char *ngx_constraint_check_description(json_t *value);

/* RFC 3339, a new reference */
json_t *ngx_constraint_time_text(int64_t ms);

/*
 * What a stored record and its profile say together: NGX_OK with limits,
 * whose strings borrow from both, and *given, is anything said; NGX_DECLINED
 * with error (NUL-terminated): the rule must not run without.
 */
ngx_int_t ngx_constraint_record_limits(json_t *stored,
    const ngx_constraint_found_profile_t *profile, json_t **parsed,
    ngx_constraint_limits_t *limits, u_char *error);

/* A client's profile as it is stored, and as REST shows it. */
json_t *ngx_constraint_profile_merge(json_t *body);
json_t *ngx_constraint_profile_stored(const ngx_str_t *name, json_t *stored);

json_t *ngx_constraint_workflow_document(const ngx_str_t *id,
    const ngx_constraint_head_t *head, const ngx_str_t *text);

int64_t ngx_constraint_now_ms(void);


void ngx_constraint_error_set(u_char *error, const char *fmt, ...);


#endif /* _NGX_CONSTRAINT_CATALOGUE_ROOM_H_INCLUDED_ */
