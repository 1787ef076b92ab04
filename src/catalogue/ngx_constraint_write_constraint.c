/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What writing a constraint means: the record, the index of who uses which
 * workflow.
 */


#include "ngx_constraint_catalogue_room.h"


static int ngx_constraint_write_known(ngx_constraint_writing_t *writing,
    json_t *record, ngx_uint_t *known);
static int ngx_constraint_write_record(ngx_constraint_writing_t *writing,
    json_t *old, json_t *record);
static int ngx_constraint_write_user(ngx_constraint_writing_t *writing,
    json_t *old, json_t *record);
static int ngx_constraint_write_remove(ngx_constraint_writing_t *writing,
    json_t *old);
static int ngx_constraint_write_user_scan(ngx_constraint_writing_t *writing);
static ngx_str_t ngx_constraint_write_string(json_t *record,
    const char *name);


ngx_int_t
ngx_constraint_write_prepare_constraint(ngx_constraint_writing_t *writing)
{
    json_t                  *name;
    ngx_constraint_write_t  *write;

    write = writing->write;

    if (write->op == NGX_CONSTRAINT_WRITE_DELETE) {
        return NGX_OK;
    }

    if (ngx_constraint_write_parse(writing) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_constraint_record_validate(writing->body,
                                       write->op
                                       == NGX_CONSTRAINT_WRITE_UPDATE,
                                       &write->field)
        != NGX_OK)
    {
        write->result = NGX_CONSTRAINT_WRITE_INVALID;
        return NGX_DECLINED;
    }

    if (ngx_constraint_write_sampling_key(write,
                               json_object_get(writing->body, "execution"),
                               "$.execution.sampling_key")
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    name = json_object_get(writing->body, "message_type");
    if (name == NULL) {
        return NGX_OK;
    }

    return ngx_constraint_write_key(write, json_string_value(name),
                                    json_string_length(name),
                                    "$.message_type");
}


int
ngx_constraint_write_constraint(ngx_constraint_writing_t *writing)
{
    int                      rc;
    json_t                  *old, *record;
    uint64_t                 revision;
    ngx_uint_t               damaged, known;
    ngx_constraint_write_t  *write;

    write = writing->write;
    record = NULL;

    rc = ngx_constraint_write_load(writing, NGX_CONSTRAINT_KEY_CONSTRAINT,
                                   &write->key, &old, &damaged);
    if (rc != 0) {
        return rc;
    }

    revision = json_integer_value(json_object_get(old, "revision"));

    /* what cannot be read is there: it can be deleted */

    if (damaged) {
        revision = UINT64_MAX;
    }

    if (ngx_constraint_write_allowed(write, revision) != NGX_OK) {
        goto done;
    }

    if (write->op == NGX_CONSTRAINT_WRITE_DELETE) {
        rc = ngx_constraint_write_remove(writing, old);
        goto done;
    }

    if (damaged) {
        rc = NGX_CONSTRAINT_DAMAGED;
        goto done;
    }

    record = ngx_constraint_record_merge(old, writing->body);

    if (record == NULL) {
        rc = ENOMEM;
        goto done;
    }

    rc = ngx_constraint_write_known(writing, record, &known);

    if (rc == 0 && known) {
        rc = ngx_constraint_write_profile_known(writing, record, &known);
    }

    if (rc != 0 || !known) {
        goto done;
    }

    rc = ngx_constraint_write_stamp(writing, old, record);

    if (rc == 0) {
        rc = ngx_constraint_write_record(writing, old, record);
    }

done:

    json_decref(record);
    json_decref(old);

    return rc;
}


static int
ngx_constraint_write_known(ngx_constraint_writing_t *writing, json_t *record,
    ngx_uint_t *known)
{
    int                    rc;
    ngx_str_t              id, payload;
    ngx_constraint_key_t   key;

    id = ngx_constraint_write_string(record, "dsl_workflow_id");

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_WORKFLOW, &id);

    rc = ngx_constraint_store_get(writing->txn, writing->dbi, &key, &payload,
                                  NULL);

    *known = (rc == 0);

    if (rc == MDB_NOTFOUND) {
        (void) ngx_constraint_write_refuse(writing->write,
                                           NGX_CONSTRAINT_WRITE_NO_WORKFLOW,
                                           "$.dsl_workflow_id",
                                           "names no registered workflow");
        return 0;
    }

    return rc;
}


static int
ngx_constraint_write_record(ngx_constraint_writing_t *writing, json_t *old,
    json_t *record)
{
    int                    rc;
    size_t                 len;
    u_char                *p;
    ngx_str_t              id, payload;
    ngx_constraint_key_t   key;

    writing->write->document = ngx_constraint_record_document(record);

    if (writing->write->document == NULL) {
        return ENOMEM;
    }

    id = ngx_constraint_write_string(record, "dsl_workflow_id");
    len = json_dumpb(record, NULL, 0, JSON_COMPACT);

    if (ngx_constraint_write_full(writing, len)) {
        return 0;
    }

    payload.len = 1 + id.len + len;
    payload.data = malloc(payload.len);

    if (payload.data == NULL) {
        return ENOMEM;
    }

    p = payload.data;
    *p++ = (u_char) id.len;
    p = ngx_cpymem(p, id.data, id.len);
    (void) json_dumpb(record, (char *) p, len, JSON_COMPACT);

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_CONSTRAINT,
                       &writing->write->key);
    rc = ngx_constraint_store_put(writing->txn, writing->dbi, &key, &payload);

    free(payload.data);

    if (rc == 0) {
        rc = ngx_constraint_write_user(writing, old, record);
    }

    if (rc == 0) {
        rc = ngx_constraint_write_profile_user(writing, old, record);
    }

    if (rc == 0) {
        writing->write->result = NGX_CONSTRAINT_WRITTEN;
    }

    return rc;
}


static int
ngx_constraint_write_user(ngx_constraint_writing_t *writing, json_t *old,
    json_t *record)
{
    int                    rc;
    ngx_str_t              id, before;
    ngx_constraint_key_t   key;

    id = ngx_constraint_write_string(record, "dsl_workflow_id");

    if (old) {
        before = ngx_constraint_write_string(old, "dsl_workflow_id");

        if (before.len == id.len
            && ngx_memcmp(before.data, id.data, id.len) == 0)
        {
            return 0;
        }

        ngx_constraint_key_user(&key, &before, &writing->write->key);
        rc = ngx_constraint_store_delete(writing->txn, writing->dbi, &key);

        if (rc != 0 && rc != MDB_NOTFOUND) {
            return rc;
        }
    }

    ngx_constraint_key_user(&key, &id, &writing->write->key);

    return ngx_constraint_store_put(writing->txn, writing->dbi, &key, &id);
}


static int
ngx_constraint_write_remove(ngx_constraint_writing_t *writing, json_t *old)
{
    int                      rc;
    ngx_str_t                id;
    ngx_constraint_key_t     key;
    ngx_constraint_write_t  *write;

    write = writing->write;

    write->born_ms = old ? json_integer_value(json_object_get(old,
                                                              "created_at"))
                         : writing->now_ms;

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_CONSTRAINT, &write->key);

    rc = ngx_constraint_store_delete(writing->txn, writing->dbi, &key);
    if (rc != 0) {
        return rc;
    }

    if (old) {
        rc = ngx_constraint_write_profile_user(writing, old, NULL);
        if (rc != 0) {
            return rc;
        }

        id = ngx_constraint_write_string(old, "dsl_workflow_id");
        ngx_constraint_key_user(&key, &id, &write->key);

        rc = ngx_constraint_store_delete(writing->txn, writing->dbi, &key);

    } else {
        rc = ngx_constraint_write_user_scan(writing);
    }

    if (rc == 0 || rc == MDB_NOTFOUND) {
        write->result = NGX_CONSTRAINT_WRITTEN;
        return 0;
    }

    return rc;
}


/* A damaged record does not say whose user it is: all users are looked at. */

static int
ngx_constraint_write_user_scan(ngx_constraint_writing_t *writing)
{
    int                    rc;
    MDB_val                key, value;
    ngx_str_t              name, *message_type;
    MDB_cursor            *cursor;
    ngx_constraint_key_t   first;

    message_type = &writing->write->key;

    rc = mdb_cursor_open(writing->txn, writing->dbi, &cursor);
    if (rc != 0) {
        return rc;
    }

    ngx_constraint_key_number(&first, NGX_CONSTRAINT_KEY_USER, 0);
    key.mv_data = first.data;
    key.mv_size = first.len;

    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

    while (rc == 0
           && ngx_constraint_key_name(&key, NGX_CONSTRAINT_KEY_USER, &name)
              == NGX_OK)
    {
        if (name.len == 8 + message_type->len
            && ngx_memcmp(name.data + 8, message_type->data,
                          message_type->len)
               == 0)
        {
            rc = mdb_cursor_del(cursor, 0);
            break;
        }

        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }

    mdb_cursor_close(cursor);

    return rc;
}


static ngx_str_t
ngx_constraint_write_string(json_t *record, const char *name)
{
    json_t     *value;
    ngx_str_t   s;

    value = json_object_get(record, name);

    s.data = (u_char *) json_string_value(value);
    s.len = json_string_length(value);

    return s;
}
