/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_audit_room.h - private to src/audit: a file, its writer in
 * a worker, and what the files of the room give each other.
 */


#ifndef _NGX_CONSTRAINT_AUDIT_ROOM_H_INCLUDED_
#define _NGX_CONSTRAINT_AUDIT_ROOM_H_INCLUDED_


#include "ngx_constraint_audit.h"


/*
 * Of a worker and of those that had its place before, in shared memory: a
 * cache line.  Whole once nobody owns it: kept = written + dropped.
 */

typedef struct {
    ngx_atomic_t                     kept;
    ngx_atomic_t                     written;
    ngx_atomic_t                     dropped;
    ngx_atomic_t                     owner;        /* process, 0 = none */
    u_char                           unused[64 - 4 * sizeof(ngx_atomic_t)];
} ngx_constraint_audit_counters_t;


/* Whole lines, from start to pos. */

typedef struct {
    u_char                          *start;
    u_char                          *pos;
    u_char                          *end;
    ngx_uint_t                       lines;
} ngx_constraint_audit_buffer_t;


/*
 * A worker's, in malloc.  The event loop has the buffer that is being filled;
 * the thread has the other one and fd while busy is 1, which is set under the
 * mutex and cleared by the thread alone.
 */

typedef struct {
    ngx_constraint_audit_file_t     *file;
    ngx_constraint_audit_counters_t *counters;
    ngx_log_t                       *log;
    ngx_constraint_audit_buffer_t    buffers[2];
    ngx_uint_t                       filling;      /* of buffers */
    ngx_event_t                      timer;
    unsigned                         dropping;     /* event loop: told of */

    pthread_t                        thread;
    ngx_thread_mutex_t               mutex;
    ngx_thread_cond_t                cond;
    cel_flag_t                       busy;
    ngx_fd_t                         fd;           /* the thread closes it */
    ngx_uint_t                       stop;

    /* the thread's own */
    unsigned                         failing;      /* told of */
    u_char                          *rest;         /* malloc: of a line that
                                                    * is in the file by half */
    size_t                           rest_len;
} ngx_constraint_audit_writer_t;


struct ngx_constraint_audit_file_s {
    ngx_open_file_t                 *file;
    ngx_shm_zone_t                  *zone;
    size_t                           buffer;
    ngx_msec_t                       flush;
    ngx_constraint_audit_writer_t   *writer;       /* NULL but in workers */
};


/* counts.c: the counters' memory, while the configuration is read */
ngx_shm_zone_t *ngx_constraint_audit_zone(ngx_conf_t *cf, void *tag);

/* once for a worker, whatever files it has; given back all written */
ngx_constraint_audit_counters_t *ngx_constraint_audit_counters_take(
    ngx_shm_zone_t *zone);
void ngx_constraint_audit_counters_give_back(
    ngx_constraint_audit_counters_t *counters);


/* line.c: the most bytes of the line; appends it, with its \n */
size_t ngx_constraint_audit_line_size(const ngx_constraint_decision_t *d,
    const ngx_str_t *traceparent);
u_char *ngx_constraint_audit_line(u_char *p, ngx_constraint_decision_t *d,
    const ngx_str_t *traceparent);

/* the same, with texts cut so that it fits the smallest buffer */
u_char *ngx_constraint_audit_line_cut(u_char *p,
    ngx_constraint_decision_t *d, const ngx_str_t *traceparent);

/* writer.c: NGX_OK or NGX_ERROR (logged); stop writes all that is left */
ngx_int_t ngx_constraint_audit_writer_start(
    ngx_constraint_audit_writer_t *writer);
void ngx_constraint_audit_writer_stop(ngx_constraint_audit_writer_t *writer);

/* the thread is not busy: the filled buffer is its from here on */
void ngx_constraint_audit_writer_give(ngx_constraint_audit_writer_t *writer,
    ngx_fd_t fd);


#endif /* _NGX_CONSTRAINT_AUDIT_ROOM_H_INCLUDED_ */
