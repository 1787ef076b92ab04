/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The thread that writes: takes one buffer at a time, whole lines by one
 * write(), and counts what became of each line.  A line that did not fit the
 * disk is taken back, or completed where a file cannot be cut.
 */


#include "ngx_constraint_audit_room.h"


static void *ngx_constraint_audit_thread(void *data);
static void ngx_constraint_audit_write_thread(
    ngx_constraint_audit_writer_t *writer, ngx_constraint_audit_buffer_t *b,
    ngx_fd_t fd);
static ngx_uint_t ngx_constraint_audit_failed_thread(
    ngx_constraint_audit_writer_t *writer, ngx_constraint_audit_buffer_t *b,
    ngx_fd_t fd, u_char *pos);
static ngx_int_t ngx_constraint_audit_take_back_thread(ngx_fd_t fd,
    size_t len);
static ngx_uint_t ngx_constraint_audit_keep_rest_thread(
    ngx_constraint_audit_writer_t *writer, u_char *pos, u_char *end);
static u_char *ngx_constraint_audit_put_thread(ngx_fd_t fd, u_char *pos,
    u_char *end);
static void ngx_constraint_audit_lock_thread(ngx_fd_t fd, int type);
static void ngx_constraint_audit_told_thread(
    ngx_constraint_audit_writer_t *writer, ngx_uint_t dropped,
    ngx_err_t err);


ngx_int_t
ngx_constraint_audit_writer_start(ngx_constraint_audit_writer_t *writer)
{
    int       err;
    sigset_t  all, old;

    if (ngx_thread_mutex_create(&writer->mutex, writer->log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_thread_cond_create(&writer->cond, writer->log) != NGX_OK) {
        (void) ngx_thread_mutex_destroy(&writer->mutex, writer->log);
        return NGX_ERROR;
    }

    /* signals are the event loop's, a file over its limit gives an error */

    sigfillset(&all);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);

    (void) pthread_sigmask(SIG_BLOCK, &all, &old);

    err = pthread_create(&writer->thread, NULL, ngx_constraint_audit_thread,
                         writer);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (err == 0) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ALERT, writer->log, err,
                  "constraint: audit log: pthread_create() failed");

    (void) ngx_thread_cond_destroy(&writer->cond, writer->log);
    (void) ngx_thread_mutex_destroy(&writer->mutex, writer->log);

    return NGX_ERROR;
}


void
ngx_constraint_audit_writer_give(ngx_constraint_audit_writer_t *writer,
    ngx_fd_t fd)
{
    (void) ngx_thread_mutex_lock(&writer->mutex, writer->log);

    writer->fd = fd;
    writer->filling ^= 1;
    atomic_store(&writer->busy, 1);

    (void) ngx_thread_cond_signal(&writer->cond, writer->log);
    (void) ngx_thread_mutex_unlock(&writer->mutex, writer->log);
}


void
ngx_constraint_audit_writer_stop(ngx_constraint_audit_writer_t *writer)
{
    (void) ngx_thread_mutex_lock(&writer->mutex, writer->log);

    writer->stop = 1;

    (void) ngx_thread_cond_signal(&writer->cond, writer->log);
    (void) ngx_thread_mutex_unlock(&writer->mutex, writer->log);

    (void) pthread_join(writer->thread, NULL);

    (void) ngx_thread_cond_destroy(&writer->cond, writer->log);
    (void) ngx_thread_mutex_destroy(&writer->mutex, writer->log);
}


static void *
ngx_constraint_audit_thread(void *data)
{
    ngx_constraint_audit_writer_t  *writer = data;

    ngx_uint_t                      stop;
    ngx_constraint_audit_buffer_t  *b;

    do {
        (void) ngx_thread_mutex_lock(&writer->mutex, writer->log);

        while (!atomic_load(&writer->busy) && !writer->stop) {
            (void) ngx_thread_cond_wait(&writer->cond, &writer->mutex,
                                        writer->log);
        }

        stop = writer->stop;

        (void) ngx_thread_mutex_unlock(&writer->mutex, writer->log);

        if (atomic_load(&writer->busy)) {
            b = &writer->buffers[writer->filling ^ 1];

            ngx_constraint_audit_write_thread(writer, b, writer->fd);
            (void) ngx_close_file(writer->fd);

            atomic_store(&writer->busy, 0);
        }

    } while (!stop);

    /* the event loop waits for this: both buffers are the thread's */

    b = &writer->buffers[writer->filling];

    if (b->lines || writer->rest_len) {
        ngx_constraint_audit_write_thread(writer, b, writer->file->file->fd);
    }

    if (writer->rest_len) {
        (void) ngx_atomic_fetch_add(&writer->counters->dropped, 1);
    }

    return NULL;
}


/* pos is where a write failed, or the end */

static void
ngx_constraint_audit_write_thread(ngx_constraint_audit_writer_t *writer,
    ngx_constraint_audit_buffer_t *b, ngx_fd_t fd)
{
    u_char      *pos;
    ngx_err_t    err;
    ngx_uint_t   dropped, rest;

#if (NGX_CONSTRAINT_FAULTS)
    if (ngx_constraint_fault("audit.delay_ms")) {
        ngx_msleep(ngx_constraint_fault("audit.delay_ms"));
    }
#endif

    ngx_constraint_audit_lock_thread(fd, F_WRLCK);

    err = 0;
    dropped = 0;
    rest = 0;

    if (writer->rest_len) {
        pos = ngx_constraint_audit_put_thread(fd, writer->rest,
                                           writer->rest + writer->rest_len);
        err = (pos == writer->rest + writer->rest_len) ? 0 : ngx_errno;

        writer->rest_len -= pos - writer->rest;
        ngx_memmove(writer->rest, pos, writer->rest_len);

        rest = (writer->rest_len == 0);
    }

    if (err) {
        dropped = b->lines;
        b->lines = 0;

    } else {
        pos = ngx_constraint_audit_put_thread(fd, b->start, b->pos);

        if (pos != b->pos) {
            err = ngx_errno;
            dropped = ngx_constraint_audit_failed_thread(writer, b, fd, pos);
        }
    }

    ngx_constraint_audit_lock_thread(fd, F_UNLCK);

    (void) ngx_atomic_fetch_add(&writer->counters->written, b->lines + rest);
    (void) ngx_atomic_fetch_add(&writer->counters->dropped, dropped);

    ngx_constraint_audit_told_thread(writer, dropped, err);

    b->pos = b->start;
    b->lines = 0;
}


/* Leaves those that are written in b->lines, returns those that are not. */

static ngx_uint_t
ngx_constraint_audit_failed_thread(ngx_constraint_audit_writer_t *writer,
    ngx_constraint_audit_buffer_t *b, ngx_fd_t fd, u_char *pos)
{
    u_char      *p, *line;
    ngx_uint_t   lines, dropped;

    lines = 0;
    line = b->start;

    for (p = b->start; p < pos; p++) {
        if (*p == '\n') {
            lines++;
            line = p + 1;
        }
    }

    dropped = b->lines - lines;
    b->lines = lines;

    if (line == pos
        || ngx_constraint_audit_take_back_thread(fd, pos - line) == NGX_OK)
    {
        return dropped;
    }

    return dropped - ngx_constraint_audit_keep_rest_thread(writer, pos,
                                                           b->pos);
}


/* The lock is held: the last len bytes of the file are ours. */

static ngx_int_t
ngx_constraint_audit_take_back_thread(ngx_fd_t fd, size_t len)
{
    ngx_file_info_t  info;

    if (ngx_constraint_fault("audit.no_truncate")) {
        return NGX_ERROR;
    }

    if (ngx_fd_info(fd, &info) == NGX_FILE_ERROR || !ngx_is_file(&info)
        || ngx_file_size(&info) < (off_t) len)
    {
        return NGX_ERROR;
    }

    return ftruncate(fd, ngx_file_size(&info) - (off_t) len) == 0
           ? NGX_OK : NGX_ERROR;
}


/* A pipe, a file that may only grow: what the line lacks is written first. */

static ngx_uint_t
ngx_constraint_audit_keep_rest_thread(ngx_constraint_audit_writer_t *writer,
    u_char *pos, u_char *end)
{
    u_char  *p;

    p = ngx_strlchr(pos, end, '\n') + 1;

    ngx_free(writer->rest);

    writer->rest = ngx_alloc(p - pos, writer->log);
    if (writer->rest == NULL) {
        return 0;
    }

    writer->rest_len = p - pos;
    ngx_memcpy(writer->rest, pos, writer->rest_len);

    return 1;
}


/* Returns end, or how far it came, with errno. */

static u_char *
ngx_constraint_audit_put_thread(ngx_fd_t fd, u_char *pos, u_char *end)
{
    ssize_t  n;

#if (NGX_CONSTRAINT_FAULTS)

    n = ngx_constraint_fault("audit.write_error");

    if (n && n - 1 < end - pos) {
        pos = ngx_constraint_audit_put_thread(fd, pos, pos + n - 1);
        ngx_set_errno(NGX_ENOSPC);
        return pos;
    }

#endif

    while (pos < end) {
        n = write(fd, pos, end - pos);

        if (n > 0) {
            pos += n;

        } else if (n == 0) {
            ngx_set_errno(NGX_ENOSPC);
            break;

        } else if (ngx_errno != NGX_EINTR) {
            break;
        }
    }

    return pos;
}


/*
 * Between processes; the system gives it back when one dies.  Where a file
 * has no locks only a full disk can mix lines.
 */

static void
ngx_constraint_audit_lock_thread(ngx_fd_t fd, int type)
{
    struct flock  lock;

    ngx_memzero(&lock, sizeof(struct flock));

    lock.l_type = type;
    lock.l_whence = SEEK_SET;

    while (fcntl(fd, F_SETLKW, &lock) == -1 && ngx_errno == NGX_EINTR) {
        /* void */
    }
}


/* Once when it begins, once when it ends. */

static void
ngx_constraint_audit_told_thread(ngx_constraint_audit_writer_t *writer,
    ngx_uint_t dropped, ngx_err_t err)
{
    if (err && !writer->failing) {
        ngx_log_error(NGX_LOG_CRIT, writer->log, err,
                      "constraint: audit log \"%V\" cannot be written, %ui "
                      "lines are dropped, and those to come until it can",
                      &writer->file->file->name, dropped);

    } else if (!err && writer->failing) {
        ngx_log_error(NGX_LOG_NOTICE, writer->log, 0,
                      "constraint: audit log \"%V\" is written again",
                      &writer->file->file->name);
    }

    writer->failing = err != 0;
}
