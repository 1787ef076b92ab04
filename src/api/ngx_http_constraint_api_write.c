
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A call's write of one document: conditions, the store's verdict as an
 * answer.  The write goes on when the client has gone.
 */


#include "ngx_http_constraint_api.h"


#define NGX_HTTP_CONSTRAINT_API_WRITE_TRIES  8

/* a transaction that will never be, and not the mark of a damaged record */
#define NGX_HTTP_CONSTRAINT_API_NO_REVISION  (UINT64_MAX - 1)


typedef struct {
    ngx_constraint_kind_e                  kind;
    ngx_constraint_write_e                 op;
    ngx_str_t                              key;
    ngx_uint_t                             tries;
    ngx_uint_t                             absent;   /* there is none yet */
    ngx_http_constraint_api_conditions_t   conditions;
} ngx_http_constraint_api_writing_t;


static void ngx_http_constraint_api_write_post(ngx_http_constraint_api_t *api,
    uint64_t revision);
static ngx_int_t ngx_http_constraint_api_write_condition(
    ngx_http_constraint_api_t *api, ngx_constraint_write_t *write,
    uint64_t revision);
static void ngx_http_constraint_api_write_detach(
    ngx_http_constraint_api_t *api);
static void ngx_http_constraint_api_write_done(ngx_constraint_write_t *write);
static void ngx_http_constraint_api_written(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write);
static void ngx_http_constraint_api_created(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write);
static void ngx_http_constraint_api_refused(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write);
static void ngx_http_constraint_api_warned(json_t *object,
    ngx_constraint_write_t *write);
static void ngx_http_constraint_api_bad_workflow(
    ngx_http_constraint_api_t *api, ngx_constraint_write_t *write);
static void ngx_http_constraint_api_in_use(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write);


static const char  *ngx_http_constraint_api_kinds[] = {
    "Constraint", "Workflow", "Profile"
};

static const char  *ngx_http_constraint_api_nouns[] = {
    "constraint", "workflow", "profile"
};

static const char  *ngx_http_constraint_api_deeds[] = {
    "registered", "updated", "deleted", "updated"
};


const char *
ngx_http_constraint_api_noun(ngx_constraint_kind_e kind)
{
    return ngx_http_constraint_api_nouns[kind];
}


void
ngx_http_constraint_api_write(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind, ngx_constraint_write_e op,
    const ngx_str_t *key)
{
    ngx_http_constraint_api_writing_t  *writing;

    writing = ngx_pcalloc(api->request->pool,
                          sizeof(ngx_http_constraint_api_writing_t));

    if (writing == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    writing->kind = kind;
    writing->op = op;
    writing->key = *key;

    api->data = writing;

    if (op != NGX_CONSTRAINT_WRITE_CREATE
        && !ngx_constraint_name_valid(key->data, key->len))
    {
        ngx_http_constraint_api_not_found(api, kind);
        return;
    }

    if (ngx_http_constraint_api_conditions(api, &writing->conditions)
        != NGX_OK)
    {
        return;
    }

    ngx_http_constraint_api_write_post(api, 0);
}


/* revision: the present one if it is known, else 0 */

static void
ngx_http_constraint_api_write_post(ngx_http_constraint_api_t *api,
    uint64_t revision)
{
    ngx_int_t                           rc;
    ngx_constraint_write_t             *write;
    ngx_http_constraint_api_writing_t  *writing;

    writing = api->data;
    writing->tries++;

    write = ngx_constraint_write_create(api->catalogue, ngx_cycle->log);

    if (write == NULL) {
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    write->op = writing->op;
    write->kind = writing->kind;
    write->format = api->format;
    write->done = ngx_http_constraint_api_write_done;
    write->job.owner = api;

    if (ngx_http_constraint_api_copy(&write->key, &writing->key,
                                     ngx_cycle->log)
        != NGX_OK
        || ngx_http_constraint_api_copy(&write->body, &api->body,
                                        ngx_cycle->log)
           != NGX_OK)
    {
        ngx_constraint_job_destroy(&write->job);
        ngx_http_constraint_api_answer(api, 0, NULL);
        return;
    }

    if (ngx_http_constraint_api_write_condition(api, write, revision)
        != NGX_OK)
    {
        ngx_constraint_job_destroy(&write->job);
        return;
    }

    rc = ngx_constraint_write_post(write);

    if (rc == NGX_OK) {
        ngx_http_constraint_api_suspend(api,
                                        ngx_http_constraint_api_write_detach,
                                        write);
        return;
    }

    ngx_constraint_job_destroy(&write->job);

    if (rc == NGX_BUSY) {
        ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_BUSY,
                                     NULL, "too many writes are waiting, try "
                                     "again");
        return;
    }

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_STORE, NULL,
                                 "the store is not available, see /status");
}


/*
 * The write's own transaction compares one revision.  The first one tried is
 * one that is asked for; if the store has another, it tells which, that one
 * is judged against the whole list, and the write is tried again bound to it.
 */

static ngx_int_t
ngx_http_constraint_api_write_condition(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write, uint64_t revision)
{
    uint64_t                              *tags;
    ngx_http_constraint_api_writing_t     *writing;
    ngx_http_constraint_api_conditions_t  *conditions;

    writing = api->data;
    conditions = &writing->conditions;

    if (writing->op == NGX_CONSTRAINT_WRITE_CREATE) {

        /* there is nothing yet that a tag could be of */

        write->if_none_match_any = conditions->none_match_any;
        return NGX_OK;
    }

    if (!conditions->none_match
        && (!conditions->match || conditions->match_any))
    {
        write->if_match_any = conditions->match_any;
        return NGX_OK;
    }

    /* what is not there yet has no tag that could be listed */

    if (writing->op == NGX_CONSTRAINT_WRITE_PUT && !conditions->match
        && (conditions->none_match_any || writing->absent))
    {
        write->if_none_match_any = 1;
        return NGX_OK;
    }

    if (revision == 0) {
        tags = conditions->match_tags.elts;

        write->if_match = NGX_HTTP_CONSTRAINT_API_NO_REVISION;

        if (!conditions->none_match && conditions->match_tags.nelts
            && tags[0])
        {
            write->if_match = tags[0];
        }

        return NGX_OK;
    }

    if (!ngx_http_constraint_api_conditions_met(conditions, revision)) {
        ngx_http_constraint_api_precondition(api, revision);
        return NGX_DONE;
    }

    write->if_match = revision;

    return NGX_OK;
}


static void
ngx_http_constraint_api_write_detach(ngx_http_constraint_api_t *api)
{
    ngx_constraint_write_t *write = api->waiting;

    ngx_constraint_job_detach(&write->job);
}


static void
ngx_http_constraint_api_write_done(ngx_constraint_write_t *write)
{
    ngx_connection_t                   *c;
    ngx_http_constraint_api_t          *api;
    ngx_http_constraint_api_writing_t  *writing;

    api = write->job.owner;
    writing = api->data;

    c = ngx_http_constraint_api_wake(api);

    if (write->result == NGX_CONSTRAINT_WRITTEN) {
        ngx_http_constraint_api_written(api, write);

    } else if (write->result == NGX_CONSTRAINT_WRITE_PRECONDITION
               && write->if_match
               && write->revision
               && writing->tries < NGX_HTTP_CONSTRAINT_API_WRITE_TRIES)
    {
        ngx_http_constraint_api_write_post(api, write->revision);

    } else if (write->result == NGX_CONSTRAINT_WRITE_PRECONDITION
               && write->op == NGX_CONSTRAINT_WRITE_PUT
               && write->if_match
               && !writing->conditions.match)
    {
        writing->absent = 1;
        ngx_http_constraint_api_write_post(api, 0);

    } else {
        ngx_http_constraint_api_refused(api, write);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_constraint_api_written(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write)
{
    char     message[64];
    json_t  *answer;

    if (write->op != NGX_CONSTRAINT_WRITE_DELETE) {
        ngx_http_constraint_api_etag(api, write->revision);
    }

    if (write->op == NGX_CONSTRAINT_WRITE_CREATE || write->created) {
        ngx_http_constraint_api_created(api, write);
        return;
    }

    snprintf(message, sizeof(message), "%s %s",
             ngx_http_constraint_api_kinds[write->kind],
             ngx_http_constraint_api_deeds[write->op]);

    answer = json_pack("{s:b,s:s}", "success", 1, "message", message);

    ngx_http_constraint_api_warned(answer, write);
    ngx_http_constraint_api_answer(api, NGX_HTTP_OK, answer);
}


/* what a workflow was accepted in spite of */

static void
ngx_http_constraint_api_warned(json_t *object, ngx_constraint_write_t *write)
{
    if (write->issues && write->issues->nwarnings) {
        (void) json_object_set_new(object, "warnings",
                             ngx_http_constraint_api_warnings(write->issues));
    }
}


static void
ngx_http_constraint_api_created(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write)
{
    char         message[64];
    json_t      *id, *data;
    ngx_str_t    location;
    const char  *kind;

    kind = (write->kind == NGX_CONSTRAINT_KIND_PROFILE)
           ? "profiles" : ngx_http_constraint_api_noun(write->kind);

    id = json_object_get(write->document,
                         write->kind == NGX_CONSTRAINT_KIND_CONSTRAINT
                         ? "message_type" : "name");

    location.len = api->conf->prefix.len + sizeof("//") - 1
                   + ngx_strlen(kind) + json_string_length(id);
    location.data = ngx_pnalloc(api->request->pool, location.len);

    if (location.data && id) {
        ngx_sprintf(location.data, "%V/%s/%*s", &api->conf->prefix, kind,
                    json_string_length(id), json_string_value(id));
        ngx_http_constraint_api_header(api, "Location", &location);
    }

    snprintf(message, sizeof(message), "%s registered",
             ngx_http_constraint_api_kinds[write->kind]);

    data = json_pack("{s:s,s:O}", "message", message, "id", id);

    ngx_http_constraint_api_warned(data, write);
    ngx_http_constraint_api_success(api, NGX_HTTP_CREATED, "data", data);
}


static void
ngx_http_constraint_api_refused(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write)
{
    json_t                             *details;
    ngx_http_constraint_api_writing_t  *writing;

    writing = api->data;

    switch (write->result) {

    case NGX_CONSTRAINT_WRITE_EXISTS:
        ngx_http_constraint_api_fail(api,
                                    NGX_HTTP_CONSTRAINT_API_E_ALREADY_EXISTS,
                                    NULL, "a %s of that name exists already; "
                                    "PUT changes it",
                                    ngx_http_constraint_api_noun(write->kind));
        return;

    case NGX_CONSTRAINT_WRITE_NOT_FOUND:
        ngx_http_constraint_api_not_found(api, writing->kind);
        return;

    case NGX_CONSTRAINT_WRITE_PRECONDITION:
        ngx_http_constraint_api_precondition(api, write->revision);
        return;

    case NGX_CONSTRAINT_WRITE_INVALID:
        ngx_http_constraint_api_invalid(api, &write->field);
        return;

    case NGX_CONSTRAINT_WRITE_NO_PROFILE:
        details = ngx_http_constraint_api_detail("$.profile",
                                            sizeof("$.profile") - 1,
                                            (char *) write->field.message);
        ngx_http_constraint_api_fail(api,
                                   NGX_HTTP_CONSTRAINT_API_E_UNKNOWN_PROFILE,
                                   details, "$.profile %s",
                                   (char *) write->field.message);
        return;

    case NGX_CONSTRAINT_WRITE_READ_ONLY:
        ngx_http_constraint_api_fail(api,
                                NGX_HTTP_CONSTRAINT_API_E_PROFILE_READ_ONLY,
                                NULL, "%s", (char *) write->error);
        return;

    case NGX_CONSTRAINT_WRITE_NO_WORKFLOW:
        details = ngx_http_constraint_api_detail("$.dsl_workflow_id",
                                     sizeof("$.dsl_workflow_id") - 1,
                                     "there is no workflow of that id");
        ngx_http_constraint_api_fail(api,
                                  NGX_HTTP_CONSTRAINT_API_E_UNKNOWN_WORKFLOW,
                                  details, "$.dsl_workflow_id names no "
                                  "workflow; POST /workflow comes first");
        return;

    case NGX_CONSTRAINT_WRITE_BAD_WORKFLOW:
        ngx_http_constraint_api_bad_workflow(api, write);
        return;

    case NGX_CONSTRAINT_WRITE_IN_USE:
        ngx_http_constraint_api_in_use(api, write);
        return;

    case NGX_CONSTRAINT_WRITE_FULL:
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_STORE_FULL,
                                     NULL, "%s", (char *) write->error);
        return;

    default: /* NGX_CONSTRAINT_WRITE_FAILED */
        ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_STORE,
                                     NULL, "the store is not available: %s",
                                     (char *) write->error);
    }
}


void
ngx_http_constraint_api_invalid(ngx_http_constraint_api_t *api,
    const ngx_constraint_field_error_t *field)
{
    json_t  *details;

    details = ngx_http_constraint_api_detail((char *) field->path.data,
                                             field->path.len,
                                             (char *) field->message);

    ngx_http_constraint_api_fail(api,
                                 NGX_HTTP_CONSTRAINT_API_E_INVALID_FIELD,
                                 details, "%.*s %s", (int) field->path.len,
                                 (char *) field->path.data,
                                 (char *) field->message);
}


static void
ngx_http_constraint_api_bad_workflow(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write)
{
    json_t                           *details;
    ngx_http_constraint_api_error_e   error;

    error = NGX_HTTP_CONSTRAINT_API_E_INVALID_WORKFLOW;

    if (ngx_http_constraint_api_issues_syntax(write->issues)) {
        error = api->format == WORKFLOW_YAML
                ? NGX_HTTP_CONSTRAINT_API_E_MALFORMED_YAML
                : NGX_HTTP_CONSTRAINT_API_E_MALFORMED_JSON;
    }

    details = ngx_http_constraint_api_issues(write->issues);

    ngx_http_constraint_api_fail(api, error, details, "the workflow is "
                                 "refused: %s",
                                 write->issues->items[0].message);
}


static void
ngx_http_constraint_api_in_use(ngx_http_constraint_api_t *api,
    ngx_constraint_write_t *write)
{
    size_t   i;
    json_t  *details, *user;

    details = json_array();

    json_array_foreach(write->users, i, user) {
        (void) json_array_append_new(details, json_pack("{s:O}", "constraint",
                                                        user));
    }

    if (write->kind == NGX_CONSTRAINT_KIND_PROFILE) {
        ngx_http_constraint_api_fail(api,
                                   NGX_HTTP_CONSTRAINT_API_E_PROFILE_IN_USE,
                                   details, "%s", (char *) write->error);
        return;
    }

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_IN_USE,
                                 details, "the workflow is used by %zu "
                                 "constraint(s); change or delete them first",
                                 json_array_size(write->users));
}


void
ngx_http_constraint_api_precondition(ngx_http_constraint_api_t *api,
    uint64_t revision)
{
    if (revision == 0 || revision == UINT64_MAX) {
        ngx_http_constraint_api_fail(api,
                                     NGX_HTTP_CONSTRAINT_API_E_PRECONDITION,
                                     NULL, "If-Match or If-None-Match does "
                                     "not hold%s", revision
                                     ? ": what is stored is damaged and has "
                                     "no revision" : "");
        return;
    }

    ngx_http_constraint_api_etag(api, revision);

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_PRECONDITION,
                                 NULL, "If-Match or If-None-Match does not "
                                 "hold: the present revision is \"%llu\"",
                                 (unsigned long long) revision);
}


void
ngx_http_constraint_api_not_found(ngx_http_constraint_api_t *api,
    ngx_constraint_kind_e kind)
{
    ngx_uint_t  valid;

    valid = ngx_constraint_name_valid(api->name.data, api->name.len);

    ngx_http_constraint_api_fail(api, NGX_HTTP_CONSTRAINT_API_E_NOT_FOUND,
                                 NULL, "there is no %s of that %s%s",
                                 ngx_http_constraint_api_noun(kind),
                                 api->args.revision.data
                                 ? "name and revision" : "name",
                                 valid ? "" : ": names are "
                                 NGX_CONSTRAINT_NAME_RULE);
}
