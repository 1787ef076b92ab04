/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Documents out of the store, as REST shows them.  Decides nothing.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_WALK_VALUES    64
#define NGX_CONSTRAINT_WALK_BYTES     262144
#define NGX_CONSTRAINT_WALK_NS        5000000


typedef struct {
    ngx_constraint_catalogue_t *catalogue;
    ngx_constraint_kind_e       kind;
    ngx_str_t                   last;          /* the last key seen */
    u_char                      name[NGX_CONSTRAINT_NAME_MAX];
    ngx_constraint_bytes_t      bytes;         /* items of one batch */
    ngx_uint_t                  end;
    ngx_uint_t                  damaged;       /* what comes after the batch */
} ngx_constraint_walk_t;

/* before each item's key and value */

typedef struct {
    size_t                      key;
    size_t                      value;
} ngx_constraint_walk_item_t;


static int ngx_constraint_read_document(
    ngx_constraint_catalogue_t *catalogue, ngx_constraint_kind_e kind,
    const ngx_str_t *key, uint64_t *revision, ngx_uint_t loop,
    json_t **document);
static u_char ngx_constraint_read_kind(ngx_constraint_kind_e kind);
static int ngx_constraint_read_value(ngx_constraint_read_t *read, u_char kind,
    const ngx_str_t *key, ngx_constraint_bytes_t *bytes);
static int ngx_constraint_read_workflow(ngx_constraint_read_t *read,
    const ngx_str_t *key, uint64_t revision, ngx_constraint_bytes_t *bytes);
static json_t *ngx_constraint_read_parse(ngx_constraint_kind_e kind,
    const ngx_str_t *key, const ngx_str_t *text, uint64_t *revision);
static ngx_int_t ngx_constraint_read_result(
    ngx_constraint_catalogue_t *catalogue, int rc, ngx_str_t *error);

static int ngx_constraint_walk_batch(ngx_constraint_walk_t *walk);
static int ngx_constraint_walk_collect(ngx_constraint_walk_t *walk,
    ngx_constraint_read_t *read, MDB_cursor *cursor);
static int ngx_constraint_walk_item(ngx_constraint_walk_t *walk,
    ngx_constraint_read_t *read, const ngx_str_t *name);
static ngx_int_t ngx_constraint_walk_visit(ngx_constraint_walk_t *walk,
    ngx_constraint_visit_pt visit, void *ctx);


ngx_int_t
ngx_constraint_catalogue_get(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_kind_e kind, const ngx_str_t *key, uint64_t *revision,
    json_t **document, ngx_str_t *error)
{
    int  rc;

    rc = ngx_constraint_read_document(catalogue, kind, key, revision, 1,
                                      document);

    if (rc == EBADF && catalogue->worker && error
        && catalogue->worker->store.error[0])
    {
        error->data = catalogue->worker->store.error;
        error->len = ngx_strlen(error->data);
        return NGX_ERROR;
    }

    return ngx_constraint_read_result(catalogue, rc, error);
}


ngx_int_t
ngx_constraint_catalogue_get_thread(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_kind_e kind, const ngx_str_t *key, uint64_t *revision,
    json_t **document, ngx_str_t *error)
{
    int  rc;

    rc = ngx_constraint_read_document(catalogue, kind, key, revision, 0,
                                      document);

    return ngx_constraint_read_result(catalogue, rc, error);
}


static ngx_int_t
ngx_constraint_read_result(ngx_constraint_catalogue_t *catalogue, int rc,
    ngx_str_t *error)
{
    const char  *text;

    if (rc == 0) {
        return NGX_OK;
    }

    if (rc == MDB_NOTFOUND) {
        return NGX_DECLINED;
    }

    if (catalogue->worker) {
        text = ngx_constraint_store_failed(&catalogue->worker->store, rc);

    } else {
        text = "the store is not open";
    }

    if (error) {
        error->data = (u_char *) text;
        error->len = ngx_strlen(text);
    }

    return NGX_ERROR;
}


static int
ngx_constraint_read_document(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_kind_e kind, const ngx_str_t *key, uint64_t *revision,
    ngx_uint_t loop, json_t **document)
{
    int                      rc;
    ngx_str_t                text;
    ngx_constraint_read_t    read;
    ngx_constraint_bytes_t   bytes;

    if (catalogue->worker == NULL) {
        return EBADF;
    }

    if (key->len == 0 || key->len > NGX_CONSTRAINT_NAME_MAX) {
        return MDB_NOTFOUND;
    }

    rc = ngx_constraint_store_read(&catalogue->worker->store, &read, loop);
    if (rc != 0) {
        return rc;
    }

    ngx_memzero(&bytes, sizeof(ngx_constraint_bytes_t));

    if (kind == NGX_CONSTRAINT_KIND_WORKFLOW) {
        rc = ngx_constraint_read_workflow(&read, key, *revision, &bytes);

    } else {
        rc = ngx_constraint_read_value(&read, ngx_constraint_read_kind(kind),
                                       key, &bytes);
    }

    ngx_constraint_store_read_end(&read);

    if (rc == 0) {
        text.data = bytes.data;
        text.len = bytes.len;

        *document = ngx_constraint_read_parse(kind, key, &text, revision);

        if (*document == NULL) {
            rc = NGX_CONSTRAINT_DAMAGED;
        }
    }

    ngx_constraint_bytes_free(&bytes);

    return rc;
}


static u_char
ngx_constraint_read_kind(ngx_constraint_kind_e kind)
{
    switch (kind) {

    case NGX_CONSTRAINT_KIND_CONSTRAINT:
        return NGX_CONSTRAINT_KEY_CONSTRAINT;

    case NGX_CONSTRAINT_KIND_WORKFLOW:
        return NGX_CONSTRAINT_KEY_WORKFLOW;

    default: /* NGX_CONSTRAINT_KIND_PROFILE */
        return NGX_CONSTRAINT_KEY_PROFILE;
    }
}


/*
 * The payload of a constraint or a profile; of a workflow its head, then the
 * document.
 */

static int
ngx_constraint_read_value(ngx_constraint_read_t *read, u_char kind,
    const ngx_str_t *key, ngx_constraint_bytes_t *bytes)
{
    int                    rc;
    ngx_str_t              payload;
    ngx_constraint_key_t   k;

    ngx_constraint_key(&k, kind, key);

    rc = ngx_constraint_store_get(read->txn, read->store->dbi, &k, &payload,
                                  NULL);
    if (rc != 0) {
        return rc;
    }

    return ngx_constraint_bytes_append(bytes, payload.data, payload.len)
           == NGX_OK ? 0 : ENOMEM;
}


static int
ngx_constraint_read_workflow(ngx_constraint_read_t *read,
    const ngx_str_t *key, uint64_t revision, ngx_constraint_bytes_t *bytes)
{
    int                     rc;
    u_char                  text[NGX_CONSTRAINT_HEAD_SIZE];
    ngx_str_t               payload, document;
    ngx_constraint_key_t    k;
    ngx_constraint_head_t   head;

    ngx_constraint_key(&k, NGX_CONSTRAINT_KEY_WORKFLOW, key);

    rc = ngx_constraint_store_get(read->txn, read->store->dbi, &k, &payload,
                                  NULL);
    if (rc != 0) {
        return rc;
    }

    if (ngx_constraint_head_open(&payload, &head) != NGX_OK) {
        return NGX_CONSTRAINT_DAMAGED;
    }

    if (revision) {
        head.revision = revision;
    }

    ngx_constraint_key_revision(&k, key, head.revision);

    rc = ngx_constraint_store_get(read->txn, read->store->dbi, &k, &payload,
                                  NULL);
    if (rc != 0) {
        return rc;
    }

    if (ngx_constraint_revision_open(&payload, &document, &head.updated_ms)
        != NGX_OK)
    {
        return NGX_CONSTRAINT_DAMAGED;
    }

    ngx_constraint_head_close(&head, text);

    if (ngx_constraint_bytes_append(bytes, text, sizeof(text)) != NGX_OK
        || ngx_constraint_bytes_append(bytes, document.data, document.len)
           != NGX_OK)
    {
        return ENOMEM;
    }

    return 0;
}


static json_t *
ngx_constraint_read_parse(ngx_constraint_kind_e kind, const ngx_str_t *key,
    const ngx_str_t *text, uint64_t *revision)
{
    json_t                    *stored, *document;
    ngx_str_t                  part;
    ngx_constraint_head_t      head;
    ngx_constraint_payload_t   payload;

    if (kind == NGX_CONSTRAINT_KIND_WORKFLOW) {
        part.data = text->data;
        part.len = NGX_CONSTRAINT_HEAD_SIZE;
        (void) ngx_constraint_head_open(&part, &head);

        part.data += NGX_CONSTRAINT_HEAD_SIZE;
        part.len = text->len - NGX_CONSTRAINT_HEAD_SIZE;

        *revision = head.revision;

        return ngx_constraint_workflow_document(key, &head, &part);
    }

    payload.json = *text;

    if (kind == NGX_CONSTRAINT_KIND_CONSTRAINT
        && ngx_constraint_payload_open(text, &payload) != NGX_OK)
    {
        return NULL;
    }

    stored = json_loadb((char *) payload.json.data, payload.json.len, 0,
                        NULL);
    if (stored == NULL) {
        return NULL;
    }

    *revision = json_integer_value(json_object_get(stored, "revision"));
    document = (kind == NGX_CONSTRAINT_KIND_PROFILE)
               ? ngx_constraint_profile_stored(key, stored)
               : ngx_constraint_record_document(stored);

    json_decref(stored);

    return document;
}


ngx_int_t
ngx_constraint_catalogue_walk_thread(ngx_constraint_catalogue_t *catalogue,
    ngx_constraint_kind_e kind, const ngx_str_t *after,
    ngx_constraint_visit_pt visit, void *ctx)
{
    int                     rc;
    ngx_int_t               result;
    ngx_constraint_walk_t   walk;

    ngx_memzero(&walk, sizeof(ngx_constraint_walk_t));

    walk.catalogue = catalogue;
    walk.kind = kind;
    walk.last.data = walk.name;

    if (after && after->len <= NGX_CONSTRAINT_NAME_MAX) {
        walk.last.len = after->len;
        ngx_memcpy(walk.name, after->data, after->len);
    }

    do {
        walk.bytes.len = 0;
        rc = ngx_constraint_walk_batch(&walk);

        if (rc != 0) {
            (void) ngx_constraint_read_result(catalogue, rc, NULL);
            result = NGX_ERROR;
            break;
        }

        result = ngx_constraint_walk_visit(&walk, visit, ctx);

        if (result == NGX_OK && walk.damaged) {
            (void) visit(ctx, &walk.last, NULL);
            result = NGX_ABORT;
        }

    } while (result == NGX_OK && !walk.end);

    ngx_constraint_bytes_free(&walk.bytes);

    return result;
}


static int
ngx_constraint_walk_batch(ngx_constraint_walk_t *walk)
{
    int                     rc;
    MDB_cursor             *cursor;
    ngx_constraint_read_t   read;

    if (walk->catalogue->worker == NULL) {
        return EBADF;
    }

    rc = ngx_constraint_store_read(&walk->catalogue->worker->store, &read, 0);
    if (rc != 0) {
        return rc;
    }

    rc = mdb_cursor_open(read.txn, read.store->dbi, &cursor);

    if (rc == 0) {
        rc = ngx_constraint_walk_collect(walk, &read, cursor);
        mdb_cursor_close(cursor);
    }

    ngx_constraint_store_read_end(&read);

    return rc;
}


static int
ngx_constraint_walk_collect(ngx_constraint_walk_t *walk,
    ngx_constraint_read_t *read, MDB_cursor *cursor)
{
    int                    rc;
    u_char                 kind;
    MDB_val                key, value;
    uint64_t               start;
    ngx_str_t              name;
    ngx_uint_t             n;
    ngx_constraint_key_t   first;

    kind = ngx_constraint_read_kind(walk->kind);

    ngx_constraint_key(&first, kind, &walk->last);

    /* just after the last key: names hold no NUL */

    if (walk->last.len) {
        first.data[first.len++] = '\0';
    }

    key.mv_data = first.data;
    key.mv_size = first.len;

    start = ngx_constraint_now_ns();
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

    for (n = 0; rc == 0; n++) {

        if (ngx_constraint_key_name(&key, kind, &name) != NGX_OK
            || name.len > NGX_CONSTRAINT_NAME_MAX)
        {
            break;
        }

        if (n == NGX_CONSTRAINT_WALK_VALUES
            || walk->bytes.len > NGX_CONSTRAINT_WALK_BYTES
            || ngx_constraint_now_ns() - start > NGX_CONSTRAINT_WALK_NS)
        {
            return 0;
        }

        rc = ngx_constraint_walk_item(walk, read, &name);
        walk->damaged = (rc == NGX_CONSTRAINT_DAMAGED);

        if (rc != 0 && !walk->damaged) {
            return rc;
        }

        walk->last.len = name.len;
        ngx_memcpy(walk->name, name.data, name.len);

        if (walk->damaged) {
            return 0;
        }

        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }

    walk->end = 1;

    return (rc == MDB_NOTFOUND) ? 0 : rc;
}


static int
ngx_constraint_walk_item(ngx_constraint_walk_t *walk,
    ngx_constraint_read_t *read, const ngx_str_t *name)
{
    int                          rc;
    size_t                       at;
    ngx_constraint_bytes_t      *bytes;
    ngx_constraint_walk_item_t   item;

    bytes = &walk->bytes;
    at = bytes->len;

    ngx_memzero(&item, sizeof(ngx_constraint_walk_item_t));
    item.key = name->len;

    if (ngx_constraint_bytes_append(bytes, &item, sizeof(item)) != NGX_OK
        || ngx_constraint_bytes_append(bytes, name->data, name->len)
           != NGX_OK)
    {
        return ENOMEM;
    }

    item.value = bytes->len;

    if (walk->kind == NGX_CONSTRAINT_KIND_WORKFLOW) {
        rc = ngx_constraint_read_workflow(read, name, 0, bytes);

    } else {
        rc = ngx_constraint_read_value(read,
                                       ngx_constraint_read_kind(walk->kind),
                                       name, bytes);
    }

    if (rc != 0) {
        bytes->len = at;
        return rc;
    }

    item.value = bytes->len - item.value;
    ngx_memcpy(bytes->data + at, &item, sizeof(item));

    return 0;
}


static ngx_int_t
ngx_constraint_walk_visit(ngx_constraint_walk_t *walk,
    ngx_constraint_visit_pt visit, void *ctx)
{
    u_char                      *p, *end;
    json_t                      *document;
    uint64_t                     revision;
    ngx_int_t                    rc;
    ngx_str_t                    key, value;
    ngx_constraint_walk_item_t   item;

    end = walk->bytes.data + walk->bytes.len;

    for (p = walk->bytes.data; p < end; p = value.data + value.len) {
        ngx_memcpy(&item, p, sizeof(item));

        key.data = p + sizeof(item);
        key.len = item.key;
        value.data = key.data + key.len;
        value.len = item.value;

        document = ngx_constraint_read_parse(walk->kind, &key, &value,
                                             &revision);
        rc = visit(ctx, &key, document);

        if (document == NULL) {
            return NGX_ABORT;
        }

        json_decref(document);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}
