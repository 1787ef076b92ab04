/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_audit.h - the one public header of src/audit: decisions as
 * lines of JSON in files.  Which are kept, how they are buffered and written,
 * and what became of each is counted here; decides nothing about a request.
 *
 * Each worker has two buffers and one thread for a file: lines are put into
 * one buffer while the thread writes the other.  When both are full a line is
 * dropped.  Nobody waits for a disk but that thread, and a worker that ends.
 *
 *   kept = written + dropped + those still in buffers of workers that live
 */


#ifndef _NGX_CONSTRAINT_AUDIT_H_INCLUDED_
#define _NGX_CONSTRAINT_AUDIT_H_INCLUDED_


#include "ngx_constraint_enforcer.h"


/* Bytes of a buffer: the longest line, cut, fits the smallest. */

#define NGX_CONSTRAINT_AUDIT_BUFFER_MIN  (16 * 1024)
#define NGX_CONSTRAINT_AUDIT_BUFFER_MAX  (64 * 1024 * 1024)


/* One for each path of a configuration; of the cycle's pool. */

typedef struct ngx_constraint_audit_file_s  ngx_constraint_audit_file_t;

typedef struct {
    ngx_constraint_audit_file_t  *file;
    double                        allow;    /* of the allows, 0.0 to 1.0 */
} ngx_constraint_audit_t;


/* Lines, of all workers and files, since the counters were made. */

typedef struct {
    uint64_t    kept;           /* decisions worth keeping */
    uint64_t    written;
    uint64_t    dropped;
} ngx_constraint_audit_counts_t;


/*
 * While the configuration is read: the file of that path, opened with the
 * others of nginx, so reopened by USR1.  tag is the module whose memory the
 * counters are.  flush in milliseconds.
 *   NULL   *conflict is a text for the configuration's error, or NULL: out
 *          of memory, or whatever nginx has logged
 */
ngx_constraint_audit_file_t *ngx_constraint_audit_open(ngx_conf_t *cf,
    ngx_str_t *path, size_t buffer, ngx_msec_t flush, void *tag,
    const char **conflict);


/*
 * A decision is final: becomes a line if it is a deny, a violation, an error
 * or was let on by a failure; an allow by chance of audit->allow.  Copies
 * what it needs; takes no memory and never waits.  traceparent: as the
 * request had it, len 0 = it had none.  Event loop only.
 */
void ngx_constraint_audit(const ngx_constraint_audit_t *audit,
    ngx_constraint_decision_t *d, const ngx_str_t *traceparent);


/*
 * Any process that ran init_process; zeros where nothing is audited.  What a
 * killed worker had in buffers is found here, and counted as dropped.
 */
void ngx_constraint_audit_counts(ngx_constraint_audit_counts_t *counts);


/*
 * Per worker: buffers and threads; the files of the cycle.  NGX_OK, or
 * NGX_ERROR (logged).  exit_process writes what is left and waits for it.
 */
ngx_int_t ngx_constraint_audit_init_process(ngx_cycle_t *cycle);
void ngx_constraint_audit_exit_process(ngx_cycle_t *cycle);


#endif /* _NGX_CONSTRAINT_AUDIT_H_INCLUDED_ */
