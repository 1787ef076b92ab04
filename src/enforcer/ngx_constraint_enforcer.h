
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_enforcer.h - the one public header of src/enforcer: from a
 * message type, a subject and facts to one decision.
 *
 *   lookup -> association -> facts -> evaluate (inline or thread) -> verdict
 *
 * Every stage fills its part of the same decision.  Knows no request: facts
 * come through a source.  Event loop only; the thread part sees nothing but
 * what was copied into its job.
 */


#ifndef _NGX_CONSTRAINT_ENFORCER_H_INCLUDED_
#define _NGX_CONSTRAINT_ENFORCER_H_INCLUDED_


#include "ngx_constraint_catalogue.h"
#include "ngx_constraint_feedback.h"
#include "ngx_constraint_violation.h"
#include "workflow_facts.h"


/*
 * Failures by name.  Class REQUEST: caused by the request, always refused, no
 * directive turns it into an allow.  Class OURS: a violation as its limits
 * say by fail_closed_on_timeout, if they do; else the record's on_error, else
 * constraint_on_error.
 */

typedef enum {
    NGX_CONSTRAINT_E_NONE = 0,

    /* class request */
    NGX_CONSTRAINT_E_MESSAGE_TYPE_EMPTY,    /* deny */
    NGX_CONSTRAINT_E_MESSAGE_TYPE_UNKNOWN,  /* named by a variable; deny */
    NGX_CONSTRAINT_E_SUBJECT_MISSING,       /* deny */
    NGX_CONSTRAINT_E_BODY_TOO_LARGE,        /* 413 */
    NGX_CONSTRAINT_E_BODY_UNREADABLE,       /* 400 */
    NGX_CONSTRAINT_E_BODY_INVALID,          /* 400: not JSON, line, column */
    NGX_CONSTRAINT_E_BODY_DUPLICATE_KEY,    /* 400 */
    NGX_CONSTRAINT_E_PATH_AMBIGUOUS,        /* 400 */
    NGX_CONSTRAINT_E_HEADER_REPEATED,       /* 400 */
    NGX_CONSTRAINT_E_ARGUMENT_REPEATED,     /* 400 */
    NGX_CONSTRAINT_E_EVALUATION,            /* deny: no such key, ... */
    NGX_CONSTRAINT_E_ENFORCEMENT,           /* deny: EnforcementFailure */

    /* class ours */
    NGX_CONSTRAINT_E_UNREGISTERED,          /* the configured name */
    NGX_CONSTRAINT_E_DISABLED,
    NGX_CONSTRAINT_E_STORE,
    NGX_CONSTRAINT_E_WORKFLOW,              /* missing, does not compile */
    NGX_CONSTRAINT_E_QUEUE_FULL,
    NGX_CONSTRAINT_E_DEADLINE,
    NGX_CONSTRAINT_E_MEMORY,
    NGX_CONSTRAINT_E_COST,
    NGX_CONSTRAINT_E_INTERNAL,
    NGX_CONSTRAINT_E_CPU,
    NGX_CONSTRAINT_E_RESOURCE,              /* out of memory, not a limit */
    NGX_CONSTRAINT_E_BREAKER,               /* open: its effect decides */
    NGX_CONSTRAINT_E_KINDS
} ngx_constraint_error_e;

_Static_assert(NGX_CONSTRAINT_E_KINDS <= NGX_CONSTRAINT_STATS_ERRORS,
               "each kind of failure is counted");

#define ngx_constraint_error_is_ours(e)  ((e) >= NGX_CONSTRAINT_E_UNREGISTERED)

/* "SubjectMissing", "DeadlineExceeded", ...: the name in answers and logs */
const ngx_str_t *ngx_constraint_error_name(ngx_constraint_error_e error);

/* What kind of failure it is, for who does not know every name. */

typedef enum {
    NGX_CONSTRAINT_ERROR_VIOLATION = 0,     /* "Violation": of a limit */
    NGX_CONSTRAINT_ERROR_CONFIGURATION,     /* "InvalidConfiguration" */
    NGX_CONSTRAINT_ERROR_RESOURCE,          /* "ResourceExhausted" */
    NGX_CONSTRAINT_ERROR_FAILURE,           /* "EnforcementFailure" */
    NGX_CONSTRAINT_ERROR_KINDS
} ngx_constraint_error_kind_e;

ngx_constraint_error_kind_e ngx_constraint_error_kind(
    ngx_constraint_error_e error);
const ngx_str_t *ngx_constraint_error_kind_name(
    ngx_constraint_error_kind_e kind);

/* HTTP status of a refusal by that error, 0 = the deny status */
ngx_uint_t ngx_constraint_error_status(ngx_constraint_error_e error);


typedef enum {
    NGX_CONSTRAINT_WHERE_NONE = 0,
    NGX_CONSTRAINT_WHERE_INLINE,
    NGX_CONSTRAINT_WHERE_THREAD
} ngx_constraint_where_e;


/* All memory is of the enforcement's pool. */

typedef struct {
    u_char                    id[32];          /* by ngx_constraint_
                                                * decision_id() only */
    ngx_str_t                 message_type;
    ngx_str_t                 subject;
    ngx_constraint_effect_e   effect;          /* never UNSET when complete */
    ngx_str_t                 outcome;         /* "ALLOW", "DENY", "HOLD" */
    ngx_str_t                 message;
    ngx_str_t                 rule;            /* "rule.match[1]" */
    ngx_uint_t                status;          /* of a deny; 0 = directive */
    ngx_str_t                 output;          /* JSON text, or data NULL */
    ngx_str_t                 raw;             /* whole result, JSON text */
    ngx_array_t              *headers;         /* ngx_table_elt_t, or NULL */
    ngx_str_t                 trace;           /* explain: JSON array text */

    ngx_constraint_error_e    error;
    ngx_str_t                 error_message;
    unsigned                  shadow:1;        /* decides nothing */
    unsigned                  pending:1;       /* shadow: still in a thread,
                                                * or waits for the body */
    unsigned                  failed_open:1;   /* ours, and on_error allow */
    unsigned                  not_associated:1;/* a deny, not an error */
    unsigned                  other_workflow:1;/* not the expected one; not
                                                * evaluated */
    unsigned                  no_result:1;     /* default_effect decided */
    unsigned                  sampled_out:1;   /* not evaluated: sampled_out_
                                                * effect decided */
    unsigned                  observational:1; /* decides nothing: by its
                                                * limits */
    unsigned                  breaker:2;       /* as it met it: ngx_
                                                * constraint_breaker_e */
    ngx_uint_t                retries;         /* of transient failures */
    ngx_constraint_violations_t  *violations;  /* NULL: none */

    uint64_t                  revision;        /* of the constraint */
    uint64_t                  workflow_revision;
    uint64_t                  generation;
    ngx_str_t                 workflow_id;
    uint64_t                  cost;
    uint64_t                  time_us;
    uint64_t                  cpu_ns;          /* of a thread, else 0 */
    size_t                    memory;          /* arena high water + charged */
    ngx_constraint_where_e    where;
} ngx_constraint_decision_t;


/*
 * A fact that could not be given.  But for E_EVALUATION it is not absorbed by
 * && or ||: whatever the expression said, the request is refused by it.
 */
typedef struct {
    char                      message[CEL_MESSAGE_MAX];
    ngx_constraint_error_e    error;           /* NONE: nothing failed */
} ngx_constraint_failure_t;

/* The one of inline evaluations: nothing nests, and it is read at once. */
ngx_constraint_failure_t *ngx_constraint_worker_failure(void);

/* Notes the failure and fills eval->error; returns CEL_ERROR.  Any thread. */
cel_status_t ngx_constraint_fact_fail(ngx_constraint_failure_t *failure,
    cel_eval_t *eval, ngx_constraint_error_e error, const char *fmt, ...)
    __attribute__((cold, format(printf, 4, 5)));


/*
 * A map of strings with unique keys in byte order, as a CEL object: request
 * headers and arguments where they have to be walked or go to a thread.  An
 * entry may be an error, which is met only by who reads that entry.
 */
typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 value;           /* the message of an error */
    ngx_constraint_error_e    error;
} ngx_constraint_table_entry_t;

typedef struct {
    cel_object_t                   object;     /* first */
    ngx_constraint_failure_t      *failure;
    ngx_constraint_table_entry_t  *entries;
    uint32_t                       count;
} ngx_constraint_table_t;

/* ops are set, entries sorted in place (stable, scratch of the same count) */
void ngx_constraint_table_init(ngx_constraint_table_t *table,
    ngx_constraint_table_entry_t *scratch);

/* A copy that refers to nothing of the original: NULL when memory is out. */
ngx_constraint_table_t *ngx_constraint_table_copy(
    const ngx_constraint_table_t *table, cel_arena_t *arena);


/* A parsed document: one per live request, shared with jobs by count. */

typedef struct {
    cel_json_t               *json;
    ngx_uint_t                refs;            /* event loop only */
} ngx_constraint_document_t;


/* Where facts come from: a request, or a REST execution. */

typedef struct ngx_constraint_facts_s  ngx_constraint_facts_t;

struct ngx_constraint_facts_s {
    /*
     * CEL_OK with a value that lives as long as the source or the
     * evaluation; CEL_ERROR after ngx_constraint_fact_fail().  slots below
     * WORKFLOW_FACT_COUNT are workflow_facts.h's, those from there on
     * nginx.var()'s; subject, constraint and now are the enforcer's own.
     */
    cel_status_t            (*fetch)(ngx_constraint_facts_t *facts,
                                     cel_eval_t *eval, cel_slot_t slot,
                                     cel_value_t *value);
    /*
     * Those of these n slots that cost no more than a look, at once; the
     * others are made CEL_UNFETCHED.  NGX_OK, or NGX_DECLINED: one of them
     * cannot be given, which is no failure before it is read.
     */
    ngx_int_t               (*give)(ngx_constraint_facts_t *facts,
                                    const cel_slot_t *slots, uint32_t n,
                                    cel_value_t *values);
    /*
     * A fact that is a map of its own, whole, for a thread: CEL_NOT_FOUND
     * for all others, which are fetched and copied.
     */
    cel_status_t            (*table)(ngx_constraint_facts_t *facts,
                                     cel_eval_t *eval, cel_slot_t slot,
                                     const ngx_constraint_table_t **table);
    /* bytes of headers and body as known now, for the cost formula */
    void                    (*sizes)(ngx_constraint_facts_t *facts,
                                     cel_sizes_t *sizes);
    /*
     * The input's JSON text once the host has it; parsed by the enforcer,
     * in a thread when over 64 KiB.  input_ready false = CEL_NEED; text NULL
     * with input_ready = null (no body).
     */
    ngx_str_t                 input;
    unsigned                  input_ready:1;
    unsigned                  input_near:1;    /* would be ready at once */
    unsigned                  input_lost:1;    /* was asked for in vain: asked
                                                * for whatever is read now */
    unsigned                  allow_duplicates:1;
    ngx_constraint_failure_t  *failure;        /* worker_failure() */

    /* the enforcer's own */
    ngx_constraint_document_t  *document;
};

/*
 * Memory of the worker for an input of len bytes, where it is parsed without
 * being copied, inline; anybody's after the next input is parsed.  NULL: there
 * is none for so long a one.
 */
u_char *ngx_constraint_input_room(size_t len);

/* The source goes away: gives the parsed input back.  Idempotent. */
void ngx_constraint_facts_detach(ngx_constraint_facts_t *facts)
    __attribute__((hot));


typedef enum {
    NGX_CONSTRAINT_OFFLOAD_AUTO = 0,
    NGX_CONSTRAINT_OFFLOAD_ALWAYS,
    NGX_CONSTRAINT_OFFLOAD_OFF
} ngx_constraint_offload_e;


/* Of the directives; lives with the configuration. */

typedef struct {
    uint64_t                  inline_cost;     /* units */
    uint64_t                  cost_limit;      /* units, hard */
    size_t                    memory_limit;    /* bytes of one evaluation */
    ngx_constraint_effect_e   on_error;
    ngx_uint_t                offload;
    ngx_msec_t                timeout;
    ngx_uint_t                max_pending;
    ngx_uint_t                log_level;       /* of a denial */
    const ngx_constraint_limits_t  *limits;    /* constraint_profile; NULL:
                                                * none */
    const cel_program_t      *sampling;        /* its sampling_key, NULL:
                                                * none */
    ngx_thread_pool_t        *thread_pool;     /* set in init_process */
} ngx_constraint_settings_t;


/* what an enforcement keeps while it is being decided */
#define NGX_CONSTRAINT_STATE_SIZE  272


typedef struct ngx_constraint_enforcement_s  ngx_constraint_enforcement_t;

struct ngx_constraint_enforcement_s {
    /* in */
    ngx_constraint_catalogue_t       *catalogue;
    const ngx_constraint_settings_t  *settings;
    ngx_constraint_facts_t           *facts;
    ngx_pool_t                       *pool;
    ngx_log_t                        *log;
    ngx_str_t                         message_type;
    ngx_str_t                         subject;       /* data NULL = none */
    ngx_str_t                         expected;      /* execute: the workflow
                                                      * it must be, if any */
    void                            (*ready)(ngx_constraint_enforcement_t *e);
    void                             *data;
    void                            (*decided)(ngx_constraint_enforcement_t
                                               *e);  /* the audit log, or
                                                      * NULL; the owner calls
                                                      * it, but not for a
                                                      * shadow that went on
                                                      * alone */
    const void                       *audit;         /* decided's own */
    ngx_str_t                         traceparent;   /* for decided */
    unsigned                          from_request:1; /* the message type */
    unsigned                          explain:1;
    unsigned                          shadow:1;      /* never waits: what is
                                                      * heavy goes on alone
                                                      * and is logged */
    unsigned                          execute:1;     /* over REST */
    void                             *room;          /* of STATE_SIZE bytes,
                                                      * aligned, living as
                                                      * long as the pool, or
                                                      * NULL */

    /* out */
    ngx_constraint_decision_t         decision;

    /* the enforcer's own */
    void                             *state;
};


/*
 * Runs until decided.
 *   NGX_OK        e->decision is complete
 *   NGX_AGAIN     e->ready(e) will be called once from the event loop; then
 *                 call again
 *   NGX_DECLINED  the input is needed: set facts->input, input_ready and call
 *                 again (or record a failure by ngx_constraint_refuse)
 * Never fails otherwise: every failure is a decision.
 */
ngx_int_t ngx_constraint_enforce(ngx_constraint_enforcement_t *e);

/*
 * The short way to an allow that says nothing else: of a constraint in this
 * worker's memory, for anyone, that bounds nothing, by a workflow that reads
 * the host's facts and the input and stays below CEL_LOOK_EVERY units.  Most
 * decisions are of that kind, and what they touch of memory is what they cost.
 */
typedef struct {
    ngx_constraint_catalogue_t       *catalogue;
    const ngx_constraint_settings_t  *settings;
    ngx_constraint_facts_t           *facts;
    ngx_pool_t                       *pool;          /* of a long rule */
    const ngx_str_t                  *message_type;  /* configured, valid;
                                                      * outlives decisions */
    uint32_t                          hash;          /* of it, see
                                                      * catalogue_hash() */
} ngx_constraint_asked_t;

/* What is kept of it for whoever wants to see it; few do. */

#define NGX_CONSTRAINT_BRIEF_RULE  24                /* "rule.match[1]" */

typedef struct {
    const ngx_str_t                  *message_type;
    uint64_t                          revision;
    uint64_t                          workflow_revision;
    uint64_t                          generation;
    uint64_t                          cost;
    uint64_t                          time_us;
    size_t                            memory;
    size_t                            rule_len;
    u_char                           *rule;          /* text, or the pool's */
    u_char                            text[NGX_CONSTRAINT_BRIEF_RULE];
} ngx_constraint_brief_t;

/* The short way is open below these settings: ask before it is taken. */
ngx_uint_t ngx_constraint_may_be_brief(
    const ngx_constraint_settings_t *settings);

/*
 *   NGX_OK        allowed and counted: what ngx_constraint_enforce() would
 *                 have said
 *   NGX_AGAIN     the input is needed: call again when it is ready
 *   NGX_DECLINED  nothing is said, neither a deny nor a failure, and nothing
 *                 is counted: make an enforcement
 */
ngx_int_t ngx_constraint_allow_briefly(const ngx_constraint_asked_t *asked,
    ngx_constraint_brief_t *brief);

/* Is the rule there, and one that is asked briefly?  It stays so until the
 * handler returns to the event loop. */
ngx_uint_t ngx_constraint_is_brief(ngx_constraint_catalogue_t *catalogue,
    const ngx_str_t *message_type);

/*
 * The decision that it was, independent of brief, which may be used for the
 * next one; d is zeroed.  NGX_OK, or NGX_ERROR: no memory.
 */
ngx_int_t ngx_constraint_brief_decision(const ngx_constraint_brief_t *brief,
    ngx_constraint_decision_t *d, ngx_pool_t *pool);

/*
 * Completes the decision with a failure found by the host (body too large,
 * ambiguous path, ...), with its class's effect; before or instead of
 * ngx_constraint_enforce(), or after it said NGX_DECLINED.
 */
void ngx_constraint_refuse(ngx_constraint_enforcement_t *e,
    ngx_constraint_error_e error, const ngx_str_t *message)
    __attribute__((cold));

/* The owner goes away (request cleanup): idempotent; cancels jobs, timers
 * and waiters, gives the rule back.  e may be freed afterwards. */
void ngx_constraint_enforcement_detach(ngx_constraint_enforcement_t *e);

/* 32 lower-case hex digits, made when first asked for. */
ngx_str_t ngx_constraint_decision_id(ngx_constraint_decision_t *d);

/* The decision as the JSON object of REST and of constraint_deny_detail. */
ngx_int_t ngx_constraint_decision_json(ngx_constraint_decision_t *d,
    ngx_pool_t *pool, ngx_str_t *text);

/*
 * The members of that object, without braces, appended to p, which has room
 * for _size() bytes; a comma first unless { stands before p.  Returns the end.
 */
size_t ngx_constraint_decision_size(const ngx_constraint_decision_t *d);
u_char *ngx_constraint_decision_members(ngx_constraint_decision_t *d,
    u_char *p);

/* One line: a denial at level, a failure of class ours at error. */
void ngx_constraint_decision_log(ngx_constraint_decision_t *d,
    ngx_pool_t *pool, ngx_log_t *log, ngx_uint_t level);


/* Per worker: arenas, JSON parsers; in init_process / exit_process. */
ngx_int_t ngx_constraint_enforcer_init_process(ngx_cycle_t *cycle);
void ngx_constraint_enforcer_exit_process(ngx_cycle_t *cycle);


#endif /* _NGX_CONSTRAINT_ENFORCER_H_INCLUDED_ */
