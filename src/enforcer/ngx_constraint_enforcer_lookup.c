/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Lookup and association: which constraint it is, and whether it is this
 * subject's.  Evaluates nothing.
 */


#include "ngx_constraint_evaluation.h"


static ngx_int_t ngx_constraint_lookup_failed(
    ngx_constraint_enforcement_t *e, ngx_int_t rc, const ngx_str_t *error);
static ngx_int_t ngx_constraint_lookup_workflow(
    ngx_constraint_enforcement_t *e);
static void ngx_constraint_unregistered(ngx_constraint_enforcement_t *e);
static void ngx_constraint_lookup_ready(ngx_constraint_waiter_t *waiter);


ngx_int_t
ngx_constraint_lookup(ngx_constraint_enforcement_t *e)
{
    ngx_int_t                         rc;
    ngx_str_t                         error;
    ngx_constraint_rule_t            *rule;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;

    if (e->message_type.len == 0) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_MESSAGE_TYPE_EMPTY,
                            "the message type is empty");
        return NGX_OK;
    }

    if (e->catalogue == NULL) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_STORE,
                            "there is no catalogue");
        return NGX_OK;
    }

    e->decision.generation = ngx_constraint_catalogue_sync(e->catalogue);

    /* a configured name was looked at when it was configured */

    if ((e->from_request || e->execute)
        && !ngx_constraint_name_valid(e->message_type.data,
                                      e->message_type.len))
    {
        ngx_constraint_unregistered(e);
        return NGX_OK;
    }

    ngx_str_null(&error);

    state->waiter.ready = ngx_constraint_lookup_ready;
    state->waiter.data = e;

    rc = ngx_constraint_catalogue_acquire(e->catalogue, &e->message_type,
                                          &state->waiter, &rule, &error);

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_AGAIN:
        state->loaded = 1;
        ngx_constraint_start_clock(e);
        ngx_constraint_arm(e);
        return NGX_AGAIN;

    case NGX_DECLINED:
        ngx_constraint_unregistered(e);
        return NGX_OK;

    default: /* NGX_BUSY, NGX_ERROR */
        return ngx_constraint_lookup_failed(e, rc, &error);
    }

    ngx_constraint_disarm(e);

    state->rule = rule;
    state->stage = NGX_CONSTRAINT_STAGE_ASSOCIATE;

    e->decision.revision = rule->record.revision;
    e->decision.workflow_revision = rule->workflow_revision;

    ngx_constraint_limits_bind(e);

    if (state->stage == NGX_CONSTRAINT_STAGE_DONE) {
        return NGX_OK;
    }

    if (e->execute && ngx_constraint_lookup_workflow(e) != NGX_OK) {
        return NGX_OK;
    }

    if (!rule->record.enabled) {

        if (e->from_request) {
            ngx_constraint_fail(e, NGX_CONSTRAINT_E_MESSAGE_TYPE_UNKNOWN,
                                "the constraint is disabled");

        } else {
            ngx_constraint_fail(e, NGX_CONSTRAINT_E_DISABLED,
                                "the constraint is disabled");
        }
    }

    return NGX_OK;
}


/* It may be there the next moment: NGX_AGAIN, or NGX_OK: complete. */

static ngx_int_t
ngx_constraint_lookup_failed(ngx_constraint_enforcement_t *e, ngx_int_t rc,
    const ngx_str_t *error)
{
    if (ngx_constraint_retry(e) == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc == NGX_BUSY) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_QUEUE_FULL,
                            "the queue of the thread pool is full");
        return NGX_OK;
    }

    ngx_constraint_fail(e, NGX_CONSTRAINT_E_STORE, "the store is not "
                        "available: %.*s", (int) error->len,
                        error->len ? (char *) error->data : "");

    return NGX_OK;
}


/* NGX_OK, or NGX_DECLINED: complete. */

static ngx_int_t
ngx_constraint_lookup_workflow(ngx_constraint_enforcement_t *e)
{
    ngx_str_t                        *id;
    ngx_constraint_decision_t        *d;
    ngx_constraint_enforcer_state_t  *state;

    d = &e->decision;
    state = e->state;
    id = &state->rule->record.workflow_id;

    d->workflow_id.data = ngx_pstrdup(e->pool, id);
    if (d->workflow_id.data == NULL) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_RESOURCE,
                            "no memory for the decision");
        return NGX_DECLINED;
    }

    d->workflow_id.len = id->len;

    if (e->expected.data == NULL
        || (e->expected.len == id->len
            && ngx_memcmp(e->expected.data, id->data, id->len) == 0))
    {
        return NGX_OK;
    }

    d->other_workflow = 1;
    d->effect = NGX_CONSTRAINT_DENY;

    ngx_str_set(&d->outcome, "DENY");
    ngx_str_set(&d->message, "the constraint has another workflow");

    ngx_constraint_release_rule(e);
    ngx_constraint_complete(e);

    return NGX_DECLINED;
}


static void
ngx_constraint_unregistered(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_disarm(e);

    if (e->from_request) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_MESSAGE_TYPE_UNKNOWN,
                            "no constraint is registered for the message "
                            "type of the request");
        return;
    }

    ngx_constraint_fail(e, NGX_CONSTRAINT_E_UNREGISTERED,
                        "no constraint is registered for the message type");
}


static void
ngx_constraint_lookup_ready(ngx_constraint_waiter_t *waiter)
{
    ngx_constraint_disarm(waiter->data);
    ngx_constraint_wake(waiter->data);
}


void
ngx_constraint_associate(ngx_constraint_enforcement_t *e)
{
    const ngx_str_t                  *id;
    ngx_constraint_enforcer_state_t  *state;

    state = e->state;
    state->stage = NGX_CONSTRAINT_STAGE_EVALUATE;

    id = &state->rule->record.subject_id;

    if (id->len == 1 && id->data[0] == '*') {
        return;
    }

    if (e->subject.len == 0) {
        ngx_constraint_fail(e, NGX_CONSTRAINT_E_SUBJECT_MISSING,
                            "the constraint is for one subject, and the "
                            "message has none");
        return;
    }

    if (e->subject.len == id->len
        && ngx_memcmp(e->subject.data, id->data, id->len) == 0)
    {
        return;
    }

    e->decision.not_associated = 1;
    e->decision.effect = NGX_CONSTRAINT_DENY;

    ngx_str_set(&e->decision.outcome, "DENY");
    ngx_str_set(&e->decision.message,
                "the subject is not associated with the constraint");

    ngx_constraint_complete(e);
}
