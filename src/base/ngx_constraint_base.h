
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_base.h - the one public header of src/base: thread jobs and
 * their life, waiters, text and JSON between nginx, jansson and CEL.  Knows
 * ngx_core only.
 */


#ifndef _NGX_CONSTRAINT_BASE_H_INCLUDED_
#define _NGX_CONSTRAINT_BASE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_thread_pool.h>
#include <jansson.h>
#include "cel.h"


/*
 * A job: one run in a pool thread, owned by nobody but itself.
 *
 *   create    own malloc (size bytes, zeroed, job first)      (event loop)
 *   post      to the pool                                     (event loop)
 *   run       reads what was copied in, writes what is read by done; nothing
 *             else exists for it; may look at job->cancel      (pool thread)
 *   done      only if not detached                            (event loop)
 *   detach    the owner is gone or has its answer: cancel is set, done will
 *             not be called; run is skipped if not started    (event loop)
 *   destroy   frees what the job holds, exactly once; the job's own memory
 *             is freed after it                               (event loop)
 *
 * deadline: ngx_current_msec-like clock, CLOCK_MONOTONIC nanoseconds; a job
 * whose deadline has passed before it starts is not run: done is called with
 * job->expired.  0 = none.
 */
typedef struct ngx_constraint_job_s  ngx_constraint_job_t;

struct ngx_constraint_job_s {
    void             (*run_thread)(ngx_constraint_job_t *job);
    void             (*done)(ngx_constraint_job_t *job);
    void             (*destroy)(ngx_constraint_job_t *job);
    void              *owner;           /* event loop only, the creator's;
                                         * detach sets it to NULL */
    uint64_t           deadline_ns;
    cel_flag_t         cancel;
    unsigned           expired;         /* deadline passed in the queue */
    unsigned           always;          /* runs though detached (a write) */

    /* private */
    unsigned           posted;
    unsigned           detached;
    ngx_uint_t        *pending;         /* the counter it was posted under */
    ngx_queue_t        queue;           /* all live jobs of the process */
    ngx_thread_task_t  task;
};


/* NULL when out of memory (logged). */
ngx_constraint_job_t *ngx_constraint_job_create(size_t size, ngx_log_t *log);

/*
 * NGX_OK, NGX_BUSY (*pending has reached max, or the pool's queue is full)
 * or NGX_ERROR; unless NGX_OK the job is still the caller's to destroy.
 * pending counts posted, unfinished jobs; may be NULL.
 */
ngx_int_t ngx_constraint_job_post(ngx_constraint_job_t *job,
    ngx_thread_pool_t *pool, ngx_uint_t *pending, ngx_uint_t max);
void ngx_constraint_job_detach(ngx_constraint_job_t *job);

/* Frees a job that was never posted. */
void ngx_constraint_job_destroy(ngx_constraint_job_t *job);

/* exit_process: frees the jobs whose completion will not come any more. */
void ngx_constraint_jobs_exit(void);

/* CLOCK_MONOTONIC in nanoseconds */
uint64_t ngx_constraint_now_ns(void);


/* Somebody in the event loop who wants to be told once. */

typedef struct ngx_constraint_waiter_s  ngx_constraint_waiter_t;

struct ngx_constraint_waiter_s {
    ngx_queue_t        queue;
    void             (*ready)(ngx_constraint_waiter_t *waiter);
    void              *data;
    unsigned           waiting:1;       /* in a queue */
};

/* Takes the waiter out of its queue, if it is in one. */
void ngx_constraint_waiter_cancel(ngx_constraint_waiter_t *waiter);


/* An allocator over malloc for programs, over a pool for short things. */
extern const cel_allocator_t  ngx_constraint_allocator;


/* CEL string value of an nginx string, borrowed; and back. */
cel_value_t ngx_constraint_cel_string(const ngx_str_t *s);
ngx_str_t ngx_constraint_ngx_string(const cel_value_t *v);

/*
 * A jansson value as a CEL value, read lazily, never converted.  The json_t
 * is borrowed and must not change; objects come from the arena.
 */
cel_status_t ngx_constraint_cel_json(cel_arena_t *arena, json_t *json,
    cel_value_t *value);

/*
 * A deep copy into arena: lists, maps and strings, whatever represents them;
 * nothing of the original is referred to.  CEL_OK, CEL_NEED or CEL_ERROR (out
 * of memory, nested over 64 deep, or an opaque value).
 */
cel_status_t ngx_constraint_cel_copy(cel_eval_t *eval, cel_arena_t *arena,
    const cel_value_t *v, cel_value_t *copy);

/*
 * src for a log line: control, non-ASCII bytes, " and \ as \xHH, cut at 256
 * bytes with "..."; from pool, or the original when nothing is to escape.
 */
ngx_str_t ngx_constraint_log_text(ngx_pool_t *pool, const ngx_str_t *src);

/*
 * Appends src as the inside of a JSON string (no quotes) to p, which has room
 * for 6 * src->len; invalid UTF-8 becomes U+FFFD.  Returns the new end.
 */
u_char *ngx_constraint_json_escape(u_char *p, const ngx_str_t *src);

/* valid UTF-8 without surrogates and overlong forms */
ngx_uint_t ngx_constraint_utf8_valid(const u_char *p, size_t len)
    __attribute__((hot));


#if (NGX_CONSTRAINT_FAULTS)

/*
 * Test builds only: named faults, set by `constraint_fault NAME VALUE` of
 * the configuration and PUT /fault/NAME; 0 when not set.  The table is in
 * memory of its own that is shared by fork, readable from any thread.
 *
 *   task.delay_ms            each job waits so long before it runs
 *   task.post_fails          posting a job fails as nginx's own queue does
 *   task.queue_full          posting finds max jobs pending
 *   store.open_fails         the store cannot be opened
 *   store.read_busy          a read in the event loop finds the map in use
 *   store.hold_write_ms      a write keeps LMDB's lock so long
 *   store.holding            one does; set by it
 *   store.map_full           puts find the map full
 *   store.disk_full          the file cannot grow
 *   store.kill_before_commit kills the process with a write uncommitted
 *   store.kill_after_commit  kills it with the write committed, unanswered
 *   store.skip_generation    the generation is not looked at
 *   clock.back_ms            every other reading of the clock is so old
 *   retry.late_ms            the timer of a retry is so late
 *   fact.delay_ms            giving a fact takes so long
 *   audit.delay_ms           writing a buffer of the audit log takes so long
 *   audit.write_error        so many bytes less one are written, then the
 *                            disk is full
 *   audit.no_truncate        a file of the audit log cannot be cut
 *   zone.kill_locked         kills the process inside the zone's lock
 *   stats.kill_locked        the same in that of the statistics
 *   stats.profile_idle       so many seconds of a minute are over for the
 *                            slots of profiles
 *
 * _init makes the table, in the process that reads the configuration; set
 * gives NGX_OK, or NGX_ERROR when the name is too long or the table is full.
 */
ngx_int_t ngx_constraint_fault_init(ngx_log_t *log);
ngx_int_t ngx_constraint_fault(const char *name);
ngx_int_t ngx_constraint_fault_set(const ngx_str_t *name, ngx_int_t value);

#else

#define ngx_constraint_fault(name)  0

#endif


#endif /* _NGX_CONSTRAINT_BASE_H_INCLUDED_ */
