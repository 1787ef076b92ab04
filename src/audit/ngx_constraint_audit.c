/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The event loop's side of the audit log: its files in the configuration, the
 * buffer that is being filled, and its timer.
 */


#include "ngx_constraint_audit_room.h"
#include "ngx_constraint_sampling.h"


/* Of this worker. */

static ngx_constraint_audit_counters_t  *ngx_constraint_audit_counters;
static ngx_constraint_sampler_t          ngx_constraint_audit_sampler;


static void ngx_constraint_audit_reopen(ngx_open_file_t *open,
    ngx_log_t *log);
static ngx_int_t ngx_constraint_audit_kept(
    const ngx_constraint_audit_t *audit, const ngx_constraint_decision_t *d);
static ngx_int_t ngx_constraint_audit_turn(
    ngx_constraint_audit_writer_t *writer);
static void ngx_constraint_audit_drop(ngx_constraint_audit_writer_t *writer);
static void ngx_constraint_audit_timer(ngx_event_t *ev);
static ngx_int_t ngx_constraint_audit_writer_create(
    ngx_constraint_audit_file_t *file, ngx_cycle_t *cycle);
static void ngx_constraint_audit_writer_free(
    ngx_constraint_audit_writer_t *writer);


ngx_constraint_audit_file_t *
ngx_constraint_audit_open(ngx_conf_t *cf, ngx_str_t *path, size_t buffer,
    ngx_msec_t flush, void *tag, const char **conflict)
{
    ngx_open_file_t              *open;
    ngx_constraint_audit_file_t  *file;

    *conflict = NULL;

    open = ngx_conf_open_file(cf->cycle, path);
    if (open == NULL) {
        return NULL;
    }

    if (open->flush == ngx_constraint_audit_reopen) {
        file = open->data;

        if (file->buffer != buffer || file->flush != flush) {
            *conflict = "has another \"buffer\" or \"flush\" elsewhere, they "
                        "belong to the file";
            return NULL;
        }

        return file;
    }

    if (open->flush) {
        *conflict = "is the file of another log";
        return NULL;
    }

    file = ngx_pcalloc(cf->pool, sizeof(ngx_constraint_audit_file_t));
    if (file == NULL) {
        return NULL;
    }

    file->zone = ngx_constraint_audit_zone(cf, tag);
    if (file->zone == NULL) {
        return NULL;
    }

    file->file = open;
    file->buffer = buffer;
    file->flush = flush;

    open->flush = ngx_constraint_audit_reopen;
    open->data = file;

    return file;
}


void
ngx_constraint_audit(const ngx_constraint_audit_t *audit,
    ngx_constraint_decision_t *d, const ngx_str_t *traceparent)
{
    size_t                          size;
    ngx_uint_t                      cut;
    ngx_constraint_audit_buffer_t  *b;
    ngx_constraint_audit_writer_t  *writer;

    writer = audit->file->writer;

    if (writer == NULL || !ngx_constraint_audit_kept(audit, d)) {
        return;
    }

    (void) ngx_atomic_fetch_add(&writer->counters->kept, 1);

    size = ngx_constraint_audit_line_size(d, traceparent);
    cut = size > audit->file->buffer;

    if (cut) {
        size = NGX_CONSTRAINT_AUDIT_BUFFER_MIN;
    }

    b = &writer->buffers[writer->filling];

    if ((size_t) (b->end - b->pos) < size) {

        if (ngx_constraint_audit_turn(writer) != NGX_OK) {
            ngx_constraint_audit_drop(writer);
            return;
        }

        b = &writer->buffers[writer->filling];
    }

    b->pos = cut ? ngx_constraint_audit_line_cut(b->pos, d, traceparent)
                 : ngx_constraint_audit_line(b->pos, d, traceparent);
    b->lines++;

    if (!writer->timer.timer_set) {
        ngx_add_timer(&writer->timer, audit->file->flush);
    }
}


static ngx_int_t
ngx_constraint_audit_kept(const ngx_constraint_audit_t *audit,
    const ngx_constraint_decision_t *d)
{
    if (d->effect != NGX_CONSTRAINT_ALLOW || d->failed_open
        || d->error != NGX_CONSTRAINT_E_NONE
        || (d->violations && d->violations->count))
    {
        return 1;
    }

    return ngx_constraint_sample(&ngx_constraint_audit_sampler, audit->allow);
}


/* NGX_OK: the buffer to be filled is empty; NGX_BUSY, NGX_ERROR: it is not */

static ngx_int_t
ngx_constraint_audit_turn(ngx_constraint_audit_writer_t *writer)
{
    ngx_fd_t  fd;

    if (atomic_load(&writer->busy)) {
        return NGX_BUSY;
    }

    /* the file may be reopened while it is written */

    fd = fcntl(writer->file->file->fd, F_DUPFD_CLOEXEC, 0);

    if (fd == NGX_INVALID_FILE) {

        if (!writer->dropping) {
            ngx_log_error(NGX_LOG_CRIT, writer->log, ngx_errno,
                          "constraint: audit log \"%V\": dup() failed",
                          &writer->file->file->name);
        }

        return NGX_ERROR;
    }

    ngx_constraint_audit_writer_give(writer, fd);

    writer->dropping = 0;

    return NGX_OK;
}


static void
ngx_constraint_audit_drop(ngx_constraint_audit_writer_t *writer)
{
    (void) ngx_atomic_fetch_add(&writer->counters->dropped, 1);

    if (!writer->dropping) {
        writer->dropping = 1;
        ngx_log_error(NGX_LOG_CRIT, writer->log, 0,
                      "constraint: audit log \"%V\" is written too slowly, "
                      "lines are dropped", &writer->file->file->name);
    }
}


static void
ngx_constraint_audit_timer(ngx_event_t *ev)
{
    ngx_constraint_audit_writer_t  *writer = ev->data;

    ngx_constraint_audit_buffer_t  *b;

    b = &writer->buffers[writer->filling];

    if (b->lines && ngx_constraint_audit_turn(writer) != NGX_OK) {
        ngx_add_timer(ev, writer->file->flush);
    }
}


/*
 * nginx is about to reopen the file, in each of its processes: what is there
 * goes to the old one, unless the thread still writes what came before it.
 */

static void
ngx_constraint_audit_reopen(ngx_open_file_t *open, ngx_log_t *log)
{
    ngx_constraint_audit_file_t    *file = open->data;

    ngx_constraint_audit_writer_t  *writer;

    writer = file->writer;

    if (writer && writer->buffers[writer->filling].lines) {
        (void) ngx_constraint_audit_turn(writer);
    }
}


ngx_int_t
ngx_constraint_audit_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_open_file_t  *files;

    ngx_constraint_audit_sampler.state = ((uint64_t) ngx_random() << 32)
                                         ^ ((uint64_t) ngx_pid << 16)
                                         ^ ngx_constraint_now_ns();

    for (part = &cycle->open_files.part; part; part = part->next) {
        files = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (files[i].flush == ngx_constraint_audit_reopen
                && ngx_constraint_audit_writer_create(files[i].data, cycle)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_audit_writer_create(ngx_constraint_audit_file_t *file,
    ngx_cycle_t *cycle)
{
    u_char                         *p;
    ngx_uint_t                      i;
    ngx_constraint_audit_writer_t  *writer;

    if (ngx_constraint_audit_counters == NULL) {
        ngx_constraint_audit_counters =
                              ngx_constraint_audit_counters_take(file->zone);
    }

    writer = ngx_calloc(sizeof(ngx_constraint_audit_writer_t), cycle->log);
    if (writer == NULL) {
        return NGX_ERROR;
    }

    p = ngx_alloc(2 * file->buffer, cycle->log);
    if (p == NULL) {
        ngx_free(writer);
        return NGX_ERROR;
    }

    for (i = 0; i < 2; i++) {
        writer->buffers[i].start = p + i * file->buffer;
        writer->buffers[i].pos = writer->buffers[i].start;
        writer->buffers[i].end = writer->buffers[i].start + file->buffer;
    }

    writer->file = file;
    writer->log = cycle->log;
    writer->counters = ngx_constraint_audit_counters;

    writer->timer.handler = ngx_constraint_audit_timer;
    writer->timer.data = writer;
    writer->timer.log = cycle->log;
    writer->timer.cancelable = 1;

    if (ngx_constraint_audit_writer_start(writer) != NGX_OK) {
        ngx_constraint_audit_writer_free(writer);
        return NGX_ERROR;
    }

    file->writer = writer;

    return NGX_OK;
}


static void
ngx_constraint_audit_writer_free(ngx_constraint_audit_writer_t *writer)
{
    ngx_free(writer->rest);
    ngx_free(writer->buffers[0].start);
    ngx_free(writer);
}


void
ngx_constraint_audit_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i;
    ngx_list_part_t              *part;
    ngx_open_file_t              *files;
    ngx_constraint_audit_file_t  *file;

    for (part = &cycle->open_files.part; part; part = part->next) {
        files = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (files[i].flush != ngx_constraint_audit_reopen) {
                continue;
            }

            file = files[i].data;

            if (file->writer == NULL) {
                continue;
            }

            if (file->writer->timer.timer_set) {
                ngx_del_timer(&file->writer->timer);
            }

            ngx_constraint_audit_writer_stop(file->writer);
            ngx_constraint_audit_writer_free(file->writer);

            file->writer = NULL;
        }
    }

    if (ngx_constraint_audit_counters) {
        ngx_constraint_audit_counters_give_back(ngx_constraint_audit_counters);
        ngx_constraint_audit_counters = NULL;
    }
}
