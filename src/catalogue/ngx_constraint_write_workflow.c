/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What writing a workflow means: a compiled document becomes a revision that
 * never changes, the head names the latest, old ones go.
 */


#include "ngx_constraint_catalogue_room.h"


static ngx_int_t ngx_constraint_write_compile(
    ngx_constraint_writing_t *writing);
static int ngx_constraint_write_head(ngx_constraint_writing_t *writing,
    ngx_constraint_head_t *head, ngx_uint_t *damaged);
static int ngx_constraint_write_revision(ngx_constraint_writing_t *writing,
    ngx_constraint_head_t *head);
static int ngx_constraint_write_put_head(ngx_constraint_writing_t *writing,
    const ngx_constraint_head_t *head);
static int ngx_constraint_write_prune(ngx_constraint_writing_t *writing,
    uint64_t count, uint64_t *pruned);
static int ngx_constraint_write_workflow_uses(
    ngx_constraint_writing_t *writing, const ngx_constraint_user_t *user,
    ngx_uint_t *counts);
static int ngx_constraint_write_forget(ngx_constraint_writing_t *writing);


ngx_int_t
ngx_constraint_write_prepare_workflow(ngx_constraint_writing_t *writing)
{
    size_t                   len;
    ngx_constraint_write_t  *write;

    write = writing->write;

    if (write->op == NGX_CONSTRAINT_WRITE_DELETE) {
        return NGX_OK;
    }

    if (write->body.len > NGX_CONSTRAINT_WORKFLOW_MAX) {
        return ngx_constraint_write_refuse(write,
                                           NGX_CONSTRAINT_WRITE_INVALID, "$",
                                           "must not be larger than 4 MiB");
    }

    write->issues = calloc(1, sizeof(workflow_issues_t));

    if (write->issues == NULL) {
        ngx_constraint_error_set(write->error, "out of memory");
        return NGX_DECLINED;
    }

    if (ngx_constraint_write_compile(writing) != NGX_OK) {
        return NGX_DECLINED;
    }

    /* positions were told of the text as it came; stored is JSON */

    writing->text.data = (u_char *)
                         workflow_to_json((char *) write->body.data,
                                          write->body.len, write->format,
                                          &len, write->issues);
    if (writing->text.data == NULL) {
        write->result = NGX_CONSTRAINT_WRITE_BAD_WORKFLOW;
        return NGX_DECLINED;
    }

    writing->text.len = len;

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_write_compile(ngx_constraint_writing_t *writing)
{
    size_t                   len;
    ngx_int_t                rc;
    const char              *name;
    workflow_t              *workflow;
    ngx_constraint_write_t  *write;

    write = writing->write;

    workflow = ngx_constraint_compile_thread(write->catalogue, &write->body,
                                             write->format, write->issues);
    if (workflow == NULL) {
        write->result = NGX_CONSTRAINT_WRITE_BAD_WORKFLOW;
        return NGX_DECLINED;
    }

    name = workflow_name(workflow, &len);

    if (ngx_constraint_name_valid((u_char *) name, len)) {
        rc = ngx_constraint_write_key(write, name, len, "$.name");

    } else {
        rc = ngx_constraint_write_refuse(write, NGX_CONSTRAINT_WRITE_INVALID,
                 "$.name", "must be " NGX_CONSTRAINT_NAME_RULE);
    }

    workflow_destroy(workflow);

    return rc;
}


int
ngx_constraint_write_workflow(ngx_constraint_writing_t *writing)
{
    int                      rc;
    ngx_uint_t               damaged;
    ngx_constraint_key_t     first;
    ngx_constraint_head_t    head;
    ngx_constraint_write_t  *write;

    write = writing->write;

    rc = ngx_constraint_write_head(writing, &head, &damaged);
    if (rc != 0) {
        return rc;
    }

    if (ngx_constraint_write_allowed(write, damaged ? UINT64_MAX
                                                    : head.revision)
        != NGX_OK)
    {
        return 0;
    }

    if (write->op == NGX_CONSTRAINT_WRITE_DELETE) {
        ngx_constraint_key_user(&first, &write->key, NULL);

        rc = ngx_constraint_write_users(writing, &first,
                                        ngx_constraint_write_workflow_uses);

        if (rc != 0 || write->users) {
            return rc;
        }

        return ngx_constraint_write_forget(writing);
    }

    if (ngx_constraint_write_full(writing, writing->text.len)) {
        return 0;
    }

    return ngx_constraint_write_revision(writing, &head);
}


/* 0, with head zeroed when there is none or it is damaged */

static int
ngx_constraint_write_head(ngx_constraint_writing_t *writing,
    ngx_constraint_head_t *head, ngx_uint_t *damaged)
{
    int                    rc;
    ngx_str_t              payload;
    ngx_constraint_key_t   key;

    ngx_memzero(head, sizeof(ngx_constraint_head_t));

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_WORKFLOW,
                       &writing->write->key);

    rc = ngx_constraint_store_get(writing->txn, writing->dbi, &key, &payload,
                                  NULL);

    *damaged = (rc == NGX_CONSTRAINT_DAMAGED
                || (rc == 0
                    && ngx_constraint_head_open(&payload, head) != NGX_OK));

    return (*damaged || rc == MDB_NOTFOUND) ? 0 : rc;
}


static int
ngx_constraint_write_revision(ngx_constraint_writing_t *writing,
    ngx_constraint_head_t *head)
{
    int                      rc;
    uint64_t                 pruned;
    ngx_str_t                payload;
    ngx_constraint_key_t     key;
    ngx_constraint_write_t  *write;

    write = writing->write;

    payload.len = NGX_CONSTRAINT_REVISION_HEAD + writing->text.len;
    payload.data = malloc(payload.len);

    if (payload.data == NULL) {
        return ENOMEM;
    }

    ngx_memcpy(ngx_constraint_number_put(payload.data, writing->now_ms),
               writing->text.data, writing->text.len);

    write->revision = write->generation;

    ngx_constraint_key_revision(&key, &write->key, write->revision);
    rc = ngx_constraint_store_put(writing->txn, writing->dbi, &key, &payload);

    free(payload.data);

    if (rc != 0) {
        return rc;
    }

    head->revision = write->revision;
    head->revisions++;
    head->updated_ms = writing->now_ms;

    if (head->created_ms == 0) {
        head->created_ms = writing->now_ms;
    }

    /* constraints use the latest: all others are unused */

    if (head->revisions > write->catalogue->conf.revisions + 1) {
        rc = ngx_constraint_write_prune(writing, head->revisions
                                      - write->catalogue->conf.revisions - 1,
                                        &pruned);
        if (rc != 0) {
            return rc;
        }

        head->revisions -= ngx_min(pruned, head->revisions);
    }

    rc = ngx_constraint_write_put_head(writing, head);
    if (rc != 0) {
        return rc;
    }

    write->document = ngx_constraint_workflow_document(&write->key, head,
                                                       &writing->text);
    if (write->document == NULL) {
        return ENOMEM;
    }

    write->result = NGX_CONSTRAINT_WRITTEN;

    return 0;
}


static int
ngx_constraint_write_put_head(ngx_constraint_writing_t *writing,
    const ngx_constraint_head_t *head)
{
    u_char                 text[NGX_CONSTRAINT_HEAD_SIZE];
    ngx_str_t              payload;
    ngx_constraint_key_t   key;

    ngx_constraint_head_close(head, text);

    payload.data = text;
    payload.len = sizeof(text);

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_WORKFLOW,
                       &writing->write->key);

    return ngx_constraint_store_put(writing->txn, writing->dbi, &key,
                                    &payload);
}


/* Deletes the oldest revisions, the one just written never. */

static int
ngx_constraint_write_prune(ngx_constraint_writing_t *writing, uint64_t count,
    uint64_t *pruned)
{
    int                      rc;
    size_t                   len;
    MDB_val                  key, value;
    MDB_cursor              *cursor;
    ngx_constraint_key_t     first;
    ngx_constraint_write_t  *write;

    write = writing->write;
    *pruned = 0;

    rc = mdb_cursor_open(writing->txn, writing->dbi, &cursor);
    if (rc != 0) {
        return rc;
    }

    ngx_constraint_key_revision(&first, &write->key, 0);
    len = first.len - 8;

    while (*pruned < count) {
        key.mv_data = first.data;
        key.mv_size = first.len;

        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

        if (rc != 0 || key.mv_size != first.len
            || ngx_memcmp(key.mv_data, first.data, len) != 0
            || ngx_constraint_number_get((u_char *) key.mv_data + len)
               == write->generation)
        {
            break;
        }

        rc = mdb_cursor_del(cursor, 0);
        if (rc != 0) {
            break;
        }

        (*pruned)++;
    }

    mdb_cursor_close(cursor);

    return (rc == MDB_NOTFOUND) ? 0 : rc;
}


/* a damaged entry may be of this workflow: it counts */

static int
ngx_constraint_write_workflow_uses(ngx_constraint_writing_t *writing,
    const ngx_constraint_user_t *user, ngx_uint_t *counts)
{
    ngx_int_t   rc;
    ngx_str_t   id, *key;

    key = &writing->write->key;

    rc = ngx_constraint_value_open(user->key.mv_data, user->key.mv_size,
                                   user->value.mv_data, user->value.mv_size,
                                   &id);

    *counts = rc != NGX_OK
              || (id.len == key->len
                  && ngx_memcmp(id.data, key->data, id.len) == 0);

    return 0;
}


static int
ngx_constraint_write_forget(ngx_constraint_writing_t *writing)
{
    int                      rc;
    uint64_t                 pruned;
    ngx_constraint_key_t     key;
    ngx_constraint_write_t  *write;

    write = writing->write;

    rc = ngx_constraint_write_prune(writing, UINT64_MAX, &pruned);
    if (rc != 0) {
        return rc;
    }

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_WORKFLOW, &write->key);

    rc = ngx_constraint_store_delete(writing->txn, writing->dbi, &key);

    if (rc == 0) {
        write->result = NGX_CONSTRAINT_WRITTEN;
    }

    return rc;
}
