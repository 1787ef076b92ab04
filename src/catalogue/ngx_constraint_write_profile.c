/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What writing a profile means: its record, and that those who use it go on
 * making sense.  And what a constraint that names one asks of it.
 */


#include "ngx_constraint_catalogue_room.h"


static int ngx_constraint_write_profile_put(
    ngx_constraint_writing_t *writing, json_t *old);
static int ngx_constraint_write_profile_record(
    ngx_constraint_writing_t *writing, json_t *json);
static int ngx_constraint_write_profile_forget(
    ngx_constraint_writing_t *writing);
static int ngx_constraint_write_profile_users(
    ngx_constraint_writing_t *writing, ngx_constraint_user_pt look);
static int ngx_constraint_write_profile_uses(
    ngx_constraint_writing_t *writing, const ngx_constraint_user_t *user,
    ngx_uint_t *counts);
static int ngx_constraint_write_profile_lacks(
    ngx_constraint_writing_t *writing, const ngx_constraint_user_t *user,
    ngx_uint_t *counts);
static void ngx_constraint_write_profile_refuse(
    ngx_constraint_writing_t *writing,
    const ngx_constraint_limits_error_t *error);
static int ngx_constraint_write_profile_find(
    ngx_constraint_writing_t *writing, const ngx_str_t *name,
    json_t **json, ngx_constraint_limits_t *limits);
static ngx_str_t ngx_constraint_write_profile_name(json_t *record);


ngx_int_t
ngx_constraint_write_prepare_profile(ngx_constraint_writing_t *writing)
{
    json_t                          *name;
    ngx_constraint_write_t          *write;
    const ngx_constraint_profile_t  *fixed;

    write = writing->write;

    fixed = ngx_constraint_catalogue_profile_find(write->catalogue,
                                                  &write->key);
    if (fixed) {
        write->result = NGX_CONSTRAINT_WRITE_READ_ONLY;
        ngx_constraint_error_set(write->error, "profile \"%V\" is %s and "
                  "cannot be changed here; %s", &write->key,
                  fixed->source == NGX_CONSTRAINT_PROFILE_PRESET
                  ? "built in" : "defined in the configuration",
                  fixed->source == NGX_CONSTRAINT_PROFILE_PRESET
                  ? "give yours another name"
                  : "change its constraint_profile_define and reload");
        return NGX_DECLINED;
    }

    if (write->op == NGX_CONSTRAINT_WRITE_DELETE) {
        return NGX_OK;
    }

    if (ngx_constraint_write_parse(writing) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_constraint_profile_validate(writing->body, &write->field)
        != NGX_OK)
    {
        write->result = NGX_CONSTRAINT_WRITE_INVALID;
        return NGX_DECLINED;
    }

    if (ngx_constraint_write_sampling_key(write, writing->body,
                                          "$.sampling_key")
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    name = json_object_get(writing->body, "name");
    if (name == NULL) {
        return NGX_OK;
    }

    return ngx_constraint_write_key(write, json_string_value(name),
                                    json_string_length(name), "$.name");
}


int
ngx_constraint_write_profile(ngx_constraint_writing_t *writing)
{
    int                      rc;
    json_t                  *old;
    uint64_t                 revision;
    ngx_uint_t               damaged;
    ngx_constraint_write_t  *write;

    write = writing->write;

    rc = ngx_constraint_write_load(writing, NGX_CONSTRAINT_KEY_PROFILE,
                                   &write->key, &old, &damaged);
    if (rc != 0) {
        return rc;
    }

    /* what cannot be read is there: it can be replaced and deleted */

    revision = damaged ? UINT64_MAX
               : (uint64_t) json_integer_value(json_object_get(old,
                                                               "revision"));

    if (ngx_constraint_write_allowed(write, revision) == NGX_OK) {
        write->created = (revision == 0);

        rc = (write->op == NGX_CONSTRAINT_WRITE_DELETE)
             ? ngx_constraint_write_profile_forget(writing)
             : ngx_constraint_write_profile_put(writing, old);
    }

    json_decref(old);

    return rc;
}


static int
ngx_constraint_write_profile_put(ngx_constraint_writing_t *writing,
    json_t *old)
{
    int                      rc;
    json_t                  *json;
    ngx_constraint_write_t  *write;

    write = writing->write;

    rc = ngx_constraint_write_profile_users(writing,
                                        ngx_constraint_write_profile_lacks);

    if (rc == 0 && write->users) {
        ngx_constraint_error_set(write->error, "constraints sample by their "
                  "own sampling_rate and leave it to this profile what "
                  "happens to the rest: it must have sampled_out_effect");
    }

    if (rc != 0 || write->users) {
        return rc;
    }

    json = ngx_constraint_profile_merge(writing->body);
    if (json == NULL) {
        return ENOMEM;
    }

    rc = ngx_constraint_write_stamp(writing, old, json);

    if (rc == 0) {
        rc = ngx_constraint_write_profile_record(writing, json);
    }

    json_decref(json);

    return rc;
}


static int
ngx_constraint_write_profile_record(ngx_constraint_writing_t *writing,
    json_t *json)
{
    int                      rc;
    ngx_str_t                payload;
    ngx_constraint_key_t     key;
    ngx_constraint_write_t  *write;

    write = writing->write;

    write->document = ngx_constraint_profile_stored(&write->key, json);
    payload.data = (u_char *) json_dumps(json, JSON_COMPACT);

    if (payload.data == NULL || write->document == NULL) {
        free(payload.data);
        return ENOMEM;
    }

    payload.len = ngx_strlen(payload.data);
    rc = 0;

    if (!ngx_constraint_write_full(writing, payload.len)) {
        ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_PROFILE, &write->key);

        rc = ngx_constraint_store_put(writing->txn, writing->dbi, &key,
                                      &payload);
        if (rc == 0) {
            write->result = NGX_CONSTRAINT_WRITTEN;
        }
    }

    free(payload.data);

    return rc;
}


static int
ngx_constraint_write_profile_forget(ngx_constraint_writing_t *writing)
{
    int                      rc;
    ngx_constraint_key_t     key;
    ngx_constraint_write_t  *write;

    write = writing->write;

    rc = ngx_constraint_write_profile_users(writing,
                                        ngx_constraint_write_profile_uses);

    if (rc == 0 && write->users) {
        ngx_constraint_error_set(write->error, "the profile is used by %uz "
                  "constraint(s); change or delete them first",
                  json_array_size(write->users));
    }

    if (rc != 0 || write->users) {
        return rc;
    }

    ngx_constraint_key(&key, NGX_CONSTRAINT_KEY_PROFILE, &write->key);

    rc = ngx_constraint_store_delete(writing->txn, writing->dbi, &key);

    if (rc == 0) {
        write->result = NGX_CONSTRAINT_WRITTEN;
    }

    return rc;
}


static int
ngx_constraint_write_profile_users(ngx_constraint_writing_t *writing,
    ngx_constraint_user_pt look)
{
    ngx_constraint_key_t  first;

    ngx_constraint_key_profile_user(&first, &writing->write->key, NULL);

    return ngx_constraint_write_users(writing, &first, look);
}


/*
 * The record decides, not the index: a version that knows no profiles leaves
 * entries behind.  A record that cannot be read may be a user's.
 */

static int
ngx_constraint_write_profile_uses(ngx_constraint_writing_t *writing,
    const ngx_constraint_user_t *user, ngx_uint_t *counts)
{
    int         rc;
    json_t     *record;
    ngx_str_t   name, *key;
    ngx_uint_t  damaged;

    rc = ngx_constraint_write_load(writing, NGX_CONSTRAINT_KEY_CONSTRAINT,
                                   &user->name, &record, &damaged);
    if (rc != 0) {
        return rc;
    }

    key = &writing->write->key;
    name = ngx_constraint_write_profile_name(record);

    *counts = damaged || (name.len == key->len
                          && ngx_memcmp(name.data, key->data, key->len) == 0);

    json_decref(record);

    return 0;
}


/* Would this user not make sense any more with the profile of the body? */

static int
ngx_constraint_write_profile_lacks(ngx_constraint_writing_t *writing,
    const ngx_constraint_user_t *user, ngx_uint_t *counts)
{
    int                            rc;
    json_t                        *record;
    ngx_str_t                      name, *key;
    ngx_uint_t                     damaged;
    ngx_constraint_limits_t        limits, under;
    ngx_constraint_limits_error_t  error;

    rc = ngx_constraint_write_load(writing, NGX_CONSTRAINT_KEY_CONSTRAINT,
                                   &user->name, &record, &damaged);
    if (rc != 0) {
        return rc;
    }

    key = &writing->write->key;
    name = ngx_constraint_write_profile_name(record);

    if (name.len == key->len
        && ngx_memcmp(name.data, key->data, key->len) == 0
        && ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_CONSTRAINT,
                                          record, &limits)
           == NGX_OK
        && ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_PROFILE,
                                          writing->body, &under)
           == NGX_OK)
    {
        ngx_constraint_limits_merge(&limits, &under);
        *counts = (ngx_constraint_limits_check(&limits, &error) != NGX_OK);
    }

    json_decref(record);

    return 0;
}


int
ngx_constraint_write_profile_known(ngx_constraint_writing_t *writing,
    json_t *record, ngx_uint_t *known)
{
    int                            rc;
    json_t                        *json;
    ngx_str_t                      name;
    ngx_constraint_limits_t        limits, own, under;
    ngx_constraint_limits_error_t  error;

    *known = 0;
    json = NULL;
    name = ngx_constraint_write_profile_name(record);

    if (ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_CONSTRAINT, record,
                                       &limits)
        != NGX_OK)
    {
        (void) ngx_constraint_write_refuse(writing->write,
                   NGX_CONSTRAINT_WRITE_INVALID, "$.execution",
                   "of the stored record cannot be read by this version: "
                   "give it anew");
        return 0;
    }

    if (name.len) {
        rc = ngx_constraint_write_profile_find(writing, &name, &json, &under);

        if (rc == MDB_NOTFOUND) {
            (void) ngx_constraint_write_refuse(writing->write,
                       NGX_CONSTRAINT_WRITE_NO_PROFILE, "$.profile",
                       "names no profile: see GET /profiles");
            return 0;
        }

        if (rc != 0) {
            return rc;
        }

        own = limits;
        ngx_constraint_limits_merge(&limits, &under);
        own.execution.observational = limits.execution.observational;

        /* a profile that has become so is no fault of who writes the rest */

        if ((json_object_get(writing->body, "execution")
             || json_object_get(writing->body, "profile"))
            && ngx_constraint_limits_harmless(&own, &error) != NGX_OK)
        {
            ngx_constraint_write_profile_refuse(writing, &error);
            goto done;
        }
    }

    if (ngx_constraint_limits_check(&limits, &error) != NGX_OK) {
        ngx_constraint_write_profile_refuse(writing, &error);
        goto done;
    }

    *known = 1;

done:

    json_decref(json);

    return 0;
}


static void
ngx_constraint_write_profile_refuse(ngx_constraint_writing_t *writing,
    const ngx_constraint_limits_error_t *error)
{
    u_char  *p, path[sizeof("$.execution") + sizeof(error->path)];

    p = ngx_slprintf(path, path + sizeof(path) - 1, "$.execution%s",
                     error->path);
    *p = '\0';

    (void) ngx_constraint_write_refuse(writing->write,
                                       NGX_CONSTRAINT_WRITE_INVALID,
                                       (char *) path, error->message);
}


/* 0 with limits, which may borrow from *json; MDB_NOTFOUND or a code */

static int
ngx_constraint_write_profile_find(ngx_constraint_writing_t *writing,
    const ngx_str_t *name, json_t **json, ngx_constraint_limits_t *limits)
{
    int                              rc;
    ngx_uint_t                       damaged;
    const ngx_constraint_profile_t  *fixed;

    fixed = ngx_constraint_catalogue_profile_find(writing->write->catalogue,
                                                  name);
    if (fixed) {
        *limits = fixed->limits;
        return 0;
    }

    rc = ngx_constraint_write_load(writing, NGX_CONSTRAINT_KEY_PROFILE, name,
                                   json, &damaged);
    if (rc != 0) {
        return rc;
    }

    if (*json == NULL) {
        return damaged ? NGX_CONSTRAINT_DAMAGED : MDB_NOTFOUND;
    }

    return ngx_constraint_document_limits(NGX_CONSTRAINT_KIND_PROFILE, *json,
                                          limits)
           == NGX_OK ? 0 : NGX_CONSTRAINT_DAMAGED;
}


int
ngx_constraint_write_profile_user(ngx_constraint_writing_t *writing,
    json_t *old, json_t *record)
{
    int                    rc;
    ngx_str_t              name, before;
    ngx_constraint_key_t   key;

    name = ngx_constraint_write_profile_name(record);
    before = ngx_constraint_write_profile_name(old);

    if (name.len == before.len
        && (name.len == 0
            || ngx_memcmp(name.data, before.data, name.len) == 0))
    {
        return 0;
    }

    if (before.len) {
        ngx_constraint_key_profile_user(&key, &before, &writing->write->key);
        rc = ngx_constraint_store_delete(writing->txn, writing->dbi, &key);

        if (rc != 0 && rc != MDB_NOTFOUND) {
            return rc;
        }
    }

    if (name.len == 0) {
        return 0;
    }

    ngx_constraint_key_profile_user(&key, &name, &writing->write->key);

    return ngx_constraint_store_put(writing->txn, writing->dbi, &key, &name);
}


static ngx_str_t
ngx_constraint_write_profile_name(json_t *record)
{
    json_t     *value;
    ngx_str_t   name;

    value = json_object_get(record, "profile");

    name.data = (u_char *) json_string_value(value);
    name.len = json_string_length(value);

    return name;
}
