/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The files of a store as they can be seen without LMDB: a schema file that
 * tells the version, the length and the header of the data file.  Never
 * touches the lock file: closing it would drop the locks of this process.
 *
 * A data file shorter than its header says is SIGBUS at the first read of
 * the map, and LMDB believes a header's page size: both are looked at first.
 */


#include "ngx_constraint_catalogue_room.h"


/* LMDB's data format 1: the beginning of each of the first two pages */

#define NGX_CONSTRAINT_LMDB_MAGIC    0xbeefc0de
#define NGX_CONSTRAINT_LMDB_VERSION  1
#define NGX_CONSTRAINT_LMDB_META     0x08
#define NGX_CONSTRAINT_LMDB_NO_PAGE  (~(size_t) 0)

typedef struct {
    uint32_t    page_size;              /* of the first tree only */
    uint16_t    flags;
    uint16_t    depth;
    size_t      branch_pages;
    size_t      leaf_pages;
    size_t      overflow_pages;
    size_t      entries;
    size_t      root;
} ngx_constraint_lmdb_tree_t;

typedef struct {
    size_t                      number;
    uint16_t                    pad;
    uint16_t                    flags;
    uint32_t                    bounds;
    uint32_t                    magic;
    uint32_t                    version;
    uintptr_t                   address;
    size_t                      map_size;
    ngx_constraint_lmdb_tree_t  trees[2];
    size_t                      last_page;
    size_t                      txn_id;
} ngx_constraint_lmdb_meta_t;


static ngx_int_t ngx_constraint_file_path(u_char *buf, const ngx_str_t *path,
    const char *name);
static ngx_int_t ngx_constraint_file_absent(const ngx_str_t *path,
    const char *what, u_char *error);
static ngx_int_t ngx_constraint_file_header(ngx_fd_t fd, off_t size,
    const u_char *name, u_char *error);
static const char *ngx_constraint_meta_check(
    const ngx_constraint_lmdb_meta_t *meta, off_t size);


ngx_int_t
ngx_constraint_schema_read(const ngx_str_t *path, ngx_uint_t *schema,
    u_char *error)
{
    u_char     name[NGX_MAX_PATH], text[16];
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_int_t  version;

    *schema = 0;

    if (ngx_constraint_file_path(name, path, "schema") != NGX_OK) {
        ngx_constraint_error_set(error, "path \"%V\" is too long", path);
        return NGX_ERROR;
    }

    fd = ngx_open_file(name, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        if (ngx_errno == NGX_ENOENT) {
            return NGX_OK;
        }

        ngx_constraint_error_set(error, "\"%s\" cannot be opened: %s", name,
                                 strerror(ngx_errno));
        return NGX_ERROR;
    }

    n = read(fd, text, sizeof(text));
    (void) ngx_close_file(fd);

    while (n > 0 && text[n - 1] == '\n') {
        n--;
    }

    version = (n > 0) ? ngx_atoi(text, n) : NGX_ERROR;

    if (version == NGX_ERROR || version == 0) {
        ngx_constraint_error_set(error, "\"%s\" is damaged, it must hold the "
                                 "schema's number, such as %d", name,
                                 NGX_CONSTRAINT_SCHEMA);
        return NGX_ERROR;
    }

    *schema = version;

    return NGX_OK;
}


ngx_int_t
ngx_constraint_schema_write(const ngx_str_t *path, u_char *error)
{
    u_char      name[NGX_MAX_PATH], temp[NGX_MAX_PATH], text[16], *last;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_uint_t  schema;

    if (ngx_constraint_schema_read(path, &schema, error) == NGX_OK
        && schema == NGX_CONSTRAINT_SCHEMA)
    {
        return NGX_OK;
    }

    last = ngx_snprintf(temp, 64, "schema.%P%Z", ngx_getpid());

    if (ngx_constraint_file_path(name, path, (char *) temp) != NGX_OK) {
        ngx_constraint_error_set(error, "path \"%V\" is too long", path);
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(temp, name, sizeof(temp));
    (void) ngx_constraint_file_path(name, path, "schema");

    last = ngx_snprintf(text, sizeof(text), "%d\n", NGX_CONSTRAINT_SCHEMA);

    fd = ngx_open_file(temp, NGX_FILE_WRONLY, NGX_FILE_TRUNCATE, 0600);
    if (fd == NGX_INVALID_FILE) {
        goto failed;
    }

    n = write(fd, text, last - text);

    if (n != last - text || fsync(fd) == -1) {
        (void) ngx_close_file(fd);
        goto failed;
    }

    (void) ngx_close_file(fd);

    if (ngx_rename_file(temp, name) != NGX_FILE_ERROR) {
        return NGX_OK;
    }

failed:

    ngx_constraint_error_set(error, "\"%s\" cannot be written: %s", name,
                             strerror(ngx_errno));
    (void) ngx_delete_file(temp);

    return NGX_ERROR;
}


ngx_int_t
ngx_constraint_file_check(const ngx_str_t *path,
    ngx_constraint_file_id_t *id, u_char *error)
{
    u_char           name[NGX_MAX_PATH];
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    if (ngx_constraint_file_path(name, path, "data.mdb") != NGX_OK) {
        ngx_constraint_error_set(error, "path \"%V\" is too long", path);
        return NGX_ERROR;
    }

    fd = ngx_open_file(name, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        if (ngx_errno == NGX_ENOENT) {
            return ngx_constraint_file_absent(path, "missing", error);
        }

        ngx_constraint_error_set(error, "\"%s\" cannot be opened: %s", name,
                                 strerror(ngx_errno));
        return NGX_ERROR;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_constraint_error_set(error, "\"%s\" cannot be looked at: %s",
                                 name, strerror(ngx_errno));
        rc = NGX_ERROR;

    } else if (ngx_file_size(&fi) == 0) {
        rc = ngx_constraint_file_absent(path, "empty", error);

    } else {
        id->dev = fi.st_dev;
        id->ino = fi.st_ino;
        rc = ngx_constraint_file_header(fd, ngx_file_size(&fi), name, error);
    }

    (void) ngx_close_file(fd);

    return rc;
}


static ngx_int_t
ngx_constraint_file_path(u_char *buf, const ngx_str_t *path, const char *name)
{
    if (path->len + ngx_strlen(name) + 2 > NGX_MAX_PATH) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(buf, "%V/%s%Z", path, name);

    return NGX_OK;
}


/* A store that has a schema file had data once. */

static ngx_int_t
ngx_constraint_file_absent(const ngx_str_t *path, const char *what,
    u_char *error)
{
    ngx_uint_t  schema;

    if (ngx_constraint_schema_read(path, &schema, error) != NGX_OK) {
        return NGX_ERROR;
    }

    if (schema == 0) {
        return NGX_OK;
    }

    ngx_constraint_error_set(error, "\"%V/data.mdb\" is %s although the store "
                             "had data: restore a backup, or remove "
                             "\"%V/schema\" to begin anew", path, what, path);
    return NGX_ERROR;
}


static ngx_int_t
ngx_constraint_file_header(ngx_fd_t fd, off_t size, const u_char *name,
    u_char *error)
{
    ssize_t                      n;
    const char                  *what;
    ngx_uint_t                   newest;
    ngx_constraint_lmdb_meta_t   metas[2];

    what = "shorter than its header";

    n = pread(fd, &metas[0], sizeof(metas[0]), 0);
    if (n != sizeof(metas[0])) {
        goto failed;
    }

    what = ngx_constraint_meta_check(&metas[0], 0);
    if (what) {
        goto failed;
    }

    n = pread(fd, &metas[1], sizeof(metas[1]), metas[0].trees[0].page_size);
    if (n != sizeof(metas[1])) {
        what = "shorter than its header";
        goto failed;
    }

    newest = metas[1].txn_id > metas[0].txn_id;

    what = ngx_constraint_meta_check(&metas[1], 0);

    if (what == NULL && metas[0].trees[0].page_size
                        != metas[1].trees[0].page_size)
    {
        what = "damaged in its header (page sizes)";
    }

    if (what == NULL) {
        what = ngx_constraint_meta_check(&metas[newest], size);
    }

    if (what == NULL) {
        return NGX_OK;
    }

failed:

    ngx_constraint_error_set(error, "\"%s\" is %s (%O bytes): restore a "
                             "backup", name, what, size);
    return NGX_ERROR;
}


/* size 0: whatever the file's length is */

static const char *
ngx_constraint_meta_check(const ngx_constraint_lmdb_meta_t *meta, off_t size)
{
    size_t      page_size, root;
    ngx_uint_t  i;

    if (!(meta->flags & NGX_CONSTRAINT_LMDB_META)
        || meta->magic != NGX_CONSTRAINT_LMDB_MAGIC)
    {
        return "damaged in its header (no LMDB file)";
    }

    if ((meta->version & 0xff) != NGX_CONSTRAINT_LMDB_VERSION) {
        return "of another LMDB's format";
    }

    page_size = meta->trees[0].page_size;

    if (page_size < 512 || page_size > 65536 || (page_size & (page_size - 1)))
    {
        return "damaged in its header (page size)";
    }

    if (size == 0) {
        return NULL;
    }

    for (i = 0; i < 2; i++) {
        root = meta->trees[i].root;

        if (root != NGX_CONSTRAINT_LMDB_NO_PAGE
            && (root < 2 || root > meta->last_page))
        {
            return "damaged in its header (root page)";
        }
    }

    if (meta->last_page < 1
        || (uint64_t) size / page_size < (uint64_t) meta->last_page + 1)
    {
        return "shorter than its header says";
    }

    return NULL;
}
