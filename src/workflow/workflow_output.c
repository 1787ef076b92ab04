
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The meaning of an output when it has been evaluated: effect, outcome,
 * message, status, headers, output.  Whatever has another shape is refused;
 * nothing is guessed, so nothing is allowed by accident.
 */


#include <stdarg.h>
#include <string.h>
#include "workflow_policy.h"


#define OUTPUT_OUTCOME_MAX  128


typedef struct {
    cel_eval_t           *eval;
    workflow_run_t       *run;
    workflow_verdict_t   *verdict;
    bool                  effect;       /* was there one */
} output_t;


static cel_status_t output_outcome(output_t *o, const cel_value_t *value);
static cel_status_t output_map(output_t *o, const cel_value_t *map);
static cel_status_t output_field(output_t *o, const cel_value_t *key,
    const cel_value_t *value);
static cel_status_t output_effect(output_t *o, const cel_value_t *value);
static cel_status_t output_message(output_t *o, const cel_value_t *value);
static cel_status_t output_status(output_t *o, const cel_value_t *value);
static cel_status_t output_headers(output_t *o, const cel_value_t *map);
static cel_status_t output_header(output_t *o, const cel_value_t *name,
    const cel_value_t *value, uint64_t *bytes);
static cel_status_t output_header_once(output_t *o, const cel_value_t *map,
    const cel_value_t *name, uint32_t before);
static bool output_is(const cel_value_t *value, const char *text);
static cel_status_t output_bad(output_t *o, const char *message);
static cel_status_t output_bad_header(output_t *o, const cel_value_t *name,
    const char *message);


cel_status_t
workflow_output_verdict(cel_eval_t *eval, const cel_value_t *value,
    workflow_run_t *run, workflow_verdict_t *verdict)
{
    output_t  o;

    o.eval = eval;
    o.run = run;
    o.verdict = verdict;
    o.effect = false;

    switch (value->kind) {

    case CEL_BOOL:
        verdict->effect = value->b ? WORKFLOW_ALLOW : WORKFLOW_DENY;
        verdict->outcome = value->b ? "ALLOW" : "DENY";
        verdict->outcome_len = strlen(verdict->outcome);
        return CEL_OK;

    case CEL_STRING:
        return output_outcome(&o, value);

    case CEL_MAP:
        return output_map(&o, value);

    default:
        return output_bad(&o, "an output is a bool, a string or a map");
    }
}


bool
workflow_outcome_valid(const char *name, size_t len)
{
    return len >= 1 && len <= OUTPUT_OUTCOME_MAX
           && workflow_header_value_valid(name, len);
}


static cel_status_t
output_outcome(output_t *o, const cel_value_t *value)
{
    workflow_verdict_t  *verdict;

    verdict = o->verdict;

    if (value->kind != CEL_STRING
        || !workflow_outcome_valid(value->s, value->len))
    {
        return output_bad(o, "an outcome is a string of 1 to 128 bytes "
                             "without control characters");
    }

    verdict->outcome = value->s;
    verdict->outcome_len = value->len;

    if (!o->effect) {
        verdict->effect = output_is(value, "ALLOW") ? WORKFLOW_ALLOW
                                                    : WORKFLOW_DENY;
    }

    return CEL_OK;
}


static cel_status_t
output_map(output_t *o, const cel_value_t *map)
{
    uint32_t             i, n;
    cel_value_t          key, value;
    cel_status_t         rc;
    workflow_verdict_t  *verdict;

    verdict = o->verdict;
    n = cel_size(map);

    if (n == 0 || n > 6) {
        return output_bad(o, "a map output has \"effect\" or \"outcome\", and "
                             "perhaps \"message\", \"status\", \"headers\", "
                             "\"output\"");
    }

    rc = cel_eval_charge(o->eval, n + 2);

    for (i = 0; rc == CEL_OK && i < n; i++) {
        rc = cel_entry(o->eval, map, i, &key, &value);

        if (rc == CEL_OK) {
            rc = output_field(o, &key, &value);
        }
    }

    if (rc != CEL_OK) {
        return rc;
    }

    if (verdict->effect == WORKFLOW_NO_RESULT) {
        return output_bad(o, "a map output needs \"effect\" or \"outcome\"");
    }

    if (verdict->outcome == NULL) {
        verdict->outcome = verdict->effect == WORKFLOW_ALLOW ? "ALLOW"
                                                             : "DENY";
        verdict->outcome_len = strlen(verdict->outcome);
    }

    if (verdict->effect == WORKFLOW_ALLOW) {
        verdict->status = 0;
    }

    return CEL_OK;
}


static cel_status_t
output_field(output_t *o, const cel_value_t *key, const cel_value_t *value)
{
    if (output_is(key, "outcome")) {
        return output_outcome(o, value);
    }

    if (output_is(key, "effect")) {
        return output_effect(o, value);
    }

    if (output_is(key, "message")) {
        return output_message(o, value);
    }

    if (output_is(key, "status")) {
        return output_status(o, value);
    }

    if (output_is(key, "headers")) {
        return output_headers(o, value);
    }

    if (output_is(key, "output")) {
        o->verdict->output = *value;
        return CEL_OK;
    }

    return output_bad(o, "an unknown key in a map output, it has \"effect\", "
                         "\"outcome\", \"message\", \"status\", \"headers\", "
                         "\"output\"");
}


static cel_status_t
output_effect(output_t *o, const cel_value_t *value)
{
    if (output_is(value, "allow")) {
        o->verdict->effect = WORKFLOW_ALLOW;

    } else if (output_is(value, "deny")) {
        o->verdict->effect = WORKFLOW_DENY;

    } else {
        return output_bad(o, "\"effect\" is 'allow' or 'deny'");
    }

    o->effect = true;

    return CEL_OK;
}


static cel_status_t
output_message(output_t *o, const cel_value_t *value)
{
    if (value->kind != CEL_STRING) {
        return output_bad(o, "\"message\" is a string");
    }

    o->verdict->message = value->s;
    o->verdict->message_len = value->len;

    return CEL_OK;
}


static cel_status_t
output_status(output_t *o, const cel_value_t *value)
{
    if ((value->kind == CEL_INT || value->kind == CEL_UINT)
        && value->u >= 400 && value->u <= 599)
    {
        o->verdict->status = value->u;
        return CEL_OK;
    }

    return output_bad(o, "\"status\" is an integer from 400 to 599");
}


static cel_status_t
output_headers(output_t *o, const cel_value_t *map)
{
    uint32_t      i, n;
    uint64_t      bytes;
    cel_value_t   name, value;
    cel_status_t  rc;

    if (map->kind != CEL_MAP) {
        return output_bad(o, "\"headers\" is a map of strings to strings");
    }

    n = cel_size(map);
    bytes = 0;

    if (n > WORKFLOW_MAX_HEADERS) {
        return output_bad(o, "\"headers\" has more than 64 entries");
    }

    rc = cel_eval_charge(o->eval, n);

    for (i = 0; rc == CEL_OK && i < n; i++) {
        rc = cel_entry(o->eval, map, i, &name, &value);

        if (rc == CEL_OK) {
            rc = output_header(o, &name, &value, &bytes);
        }

        if (rc == CEL_OK) {
            rc = output_header_once(o, map, &name, i);
        }
    }

    if (rc != CEL_OK) {
        return rc;
    }

    o->verdict->headers = *map;

    return cel_eval_charge(o->eval, bytes >> 4);
}


static cel_status_t
output_header(output_t *o, const cel_value_t *name, const cel_value_t *value,
    uint64_t *bytes)
{
    if (name->kind != CEL_STRING || value->kind != CEL_STRING) {
        return output_bad(o, "\"headers\" is a map of strings to strings");
    }

    *bytes += (uint64_t) name->len + value->len;

    if (*bytes > WORKFLOW_HEADER_BYTES) {
        return output_bad(o, "\"headers\" has more than 8192 bytes");
    }

    if (!workflow_header_name_valid(name->s, name->len)) {
        return output_bad_header(o, name, "is no token, or one that governs "
                                 "the connection: Host, Content-Length, "
                                 "Transfer-Encoding, Connection and the like");
    }

    if (!workflow_header_value_valid(value->s, value->len)) {
        return output_bad_header(o, name, "has a control byte in its value");
    }

    return CEL_OK;
}


static cel_status_t
output_header_once(output_t *o, const cel_value_t *map,
    const cel_value_t *name, uint32_t before)
{
    uint32_t      i;
    cel_value_t   other, value;
    cel_status_t  rc;

    for (i = 0; i < before; i++) {
        rc = cel_entry(o->eval, map, i, &other, &value);

        if (rc != CEL_OK) {
            return rc;
        }

        if (workflow_header_same(name->s, name->len, other.s, other.len)) {
            return output_bad_header(o, name, "is there twice: case does not "
                                     "matter, and \"_\" is \"-\"");
        }
    }

    return CEL_OK;
}


static bool
output_is(const cel_value_t *value, const char *text)
{
    return value->kind == CEL_STRING && value->len == strlen(text)
           && memcmp(value->s, text, value->len) == 0;
}


static cel_status_t
output_bad(output_t *o, const char *message)
{
    o->run->bad_output = true;

    return cel_eval_fail(o->eval, CEL_E_INVALID_ARGUMENT, "%s", message);
}


static cel_status_t
output_bad_header(output_t *o, const cel_value_t *name, const char *message)
{
    char  shown[WORKFLOW_HEADER_SHOWN];

    workflow_header_show(name->s, name->len, shown);

    o->run->bad_output = true;

    return cel_eval_fail(o->eval, CEL_E_INVALID_ARGUMENT,
                         "\"%s\" in \"headers\" %s", shown, message);
}
