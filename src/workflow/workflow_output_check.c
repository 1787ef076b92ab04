
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What can be said of an output before it is evaluated: its type and, when
 * it is a map literal, its keys and the literals among its values.
 */


#include <stdio.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include "workflow_policy.h"


typedef struct {
    workflow_output_t    *output;
    cel_literal_entry_t   entry;
    uint32_t              offset;       /* where issues are reported */
    bool                  decides;      /* has effect, outcome or a key that
                                         * is known at run time only */
    bool                  effect;       /* the outcome is but a name */
    bool                  looks;        /* a constant outcome looks like
                                         * 'ALLOW' and is not, ... */
    uint32_t              looks_offset; /* ... here */
} check_t;


static cel_status_t check_outcome(check_t *check, const cel_value_t *value);
static void check_warn(check_t *check);
static cel_status_t check_map(check_t *check);
static cel_status_t check_literal(check_t *check);
static cel_status_t check_entry(check_t *check);
static cel_status_t check_effect(check_t *check);
static cel_status_t check_status(check_t *check);
static cel_status_t check_headers(check_t *check);
static cel_status_t check_header_names(check_t *check);
static cel_status_t check_header_name(check_t *check,
    const cel_value_t *name);
static cel_status_t check_header(check_t *check, const cel_value_t *name,
    const cel_value_t *value, uint64_t *bytes);
static cel_status_t check_header_once(check_t *check,
    const cel_value_t *name, uint32_t before);
static cel_status_t check_header_differs(check_t *check,
    const cel_value_t *name, const cel_value_t *other);
static cel_status_t check_fail_header(check_t *check,
    const cel_value_t *name, const char *message);
static bool check_type(const check_t *check, const char *wanted);
static bool check_key_is(const check_t *check, const char *name);
static cel_status_t check_fail(check_t *check, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


cel_status_t
workflow_output_check(workflow_output_t *output)
{
    char               text[WORKFLOW_TYPE_MAX];
    check_t            check;
    cel_value_t        value;
    const cel_type_t  *type;

    memset(&check, 0, sizeof(check_t));
    check.output = output;

    type = cel_program_type(output->program);
    cel_type_format(type, text, sizeof(text));

    if (cel_type_is_dyn(type)) {
        output->headers = true;
        return CEL_OK;
    }

    if (workflow_type_agree(text, "bool")) {
        return CEL_OK;
    }

    if (workflow_type_agree(text, "string")) {
        if (cel_program_constant(output->program, &value) != CEL_OK) {
            return CEL_OK;
        }

        if (check_outcome(&check, &value) != CEL_OK) {
            return CEL_ERROR;
        }

        check_warn(&check);
        return CEL_OK;
    }

    if (workflow_type_agree(text, "map(dyn, dyn)")) {
        return check_map(&check);
    }

    return check_fail(&check, "an output is a bool (true allows), a string "
                      "(an outcome) or a map with 'effect' or 'outcome', "
                      "this is %.80s", text);
}


static cel_status_t
check_outcome(check_t *check, const cel_value_t *value)
{
    if (value->kind == CEL_STRING
        && workflow_outcome_valid(value->s, value->len))
    {
        if (value->len == 5 && strncasecmp(value->s, "ALLOW", 5) == 0
            && memcmp(value->s, "ALLOW", 5) != 0)
        {
            check->looks = true;
            check->looks_offset = check->offset;
        }

        return CEL_OK;
    }

    return check_fail(check, "an outcome is a string of 1 to 128 bytes "
                      "without control characters");
}


static void
check_warn(check_t *check)
{
    workflow_output_t  *output;

    if (check->looks && !check->effect) {
        output = check->output;
        workflow_warn_outcome(output->doc, output->node, output->path,
                              check->looks_offset);
    }
}


static cel_status_t
check_map(check_t *check)
{
    char               text[WORKFLOW_TYPE_MAX];
    cel_value_t        value;
    workflow_output_t *output;

    output = check->output;

    if (cel_program_literal_entry(output->program, 0, &check->entry)
        == CEL_OK)
    {
        return check_literal(check);
    }

    cel_type_format(cel_program_type(output->program), text, sizeof(text));

    if (!workflow_type_agree(text, "map(string, dyn)")) {
        return check_fail(check, "a map output has strings as keys, this is "
                          "%.80s", text);
    }

    if (cel_program_constant(output->program, &value) == CEL_OK
        && cel_size(&value) == 0)
    {
        return check_fail(check, "a map output needs 'effect' or 'outcome'");
    }

    output->headers = true;

    return CEL_OK;
}


static cel_status_t
check_literal(check_t *check)
{
    uint32_t            i;
    cel_status_t        rc;
    workflow_output_t  *output;

    output = check->output;
    rc = CEL_OK;

    for (i = 0;
         cel_program_literal_entry(output->program, i, &check->entry)
         == CEL_OK;
         i++)
    {
        check->offset = check->entry.offset;

        if (check->entry.key.kind == CEL_ERROR_VALUE) {
            check->decides = true;
            check->effect = true;
            output->headers = true;

        } else if (check_entry(check) != CEL_OK) {
            rc = CEL_ERROR;
        }
    }

    check->offset = 0;

    if (rc == CEL_OK && !check->decides) {
        return check_fail(check, "a map output needs 'effect' or 'outcome'");
    }

    check_warn(check);

    return rc;
}


static cel_status_t
check_entry(check_t *check)
{
    if (check_key_is(check, "output")) {
        return CEL_OK;
    }

    if (check_key_is(check, "effect")) {
        check->decides = true;
        check->effect = true;
        return check_effect(check);
    }

    if (check_key_is(check, "outcome")) {
        check->decides = true;

        if (check->entry.value.kind != CEL_ERROR_VALUE) {
            return check_outcome(check, &check->entry.value);
        }

        return check_type(check, "string")
               ? CEL_OK : check_fail(check, "'outcome' is a string");
    }

    if (check_key_is(check, "message")) {
        return check_type(check, "string")
               ? CEL_OK : check_fail(check, "'message' is a string");
    }

    if (check_key_is(check, "status")) {
        return check_status(check);
    }

    if (check_key_is(check, "headers")) {
        check->output->headers = true;

        if (check->entry.value.kind == CEL_MAP
            && cel_size(&check->entry.value) != 0)
        {
            return check_headers(check);
        }

        return check_type(check, "map(string, string)")
               ? check_header_names(check)
               : check_fail(check, "'headers' is a map of strings to "
                            "strings");
    }

    if (check->entry.key.kind != CEL_STRING) {
        return check_fail(check, "a map output has strings as keys");
    }

    return check_fail(check, "a map output has no key '%.*s', only effect, "
                      "outcome, message, status, headers, output",
                      check->entry.key.len < 64 ? (int) check->entry.key.len
                                                : 64,
                      check->entry.key.s);
}


static cel_status_t
check_effect(check_t *check)
{
    const cel_value_t  *value;

    value = &check->entry.value;

    if (value->kind == CEL_ERROR_VALUE) {
        return check_type(check, "string")
               ? CEL_OK : check_fail(check, "'effect' is a string");
    }

    if (value->kind == CEL_STRING
        && ((value->len == 5 && memcmp(value->s, "allow", 5) == 0)
            || (value->len == 4 && memcmp(value->s, "deny", 4) == 0)))
    {
        return CEL_OK;
    }

    return check_fail(check, "'effect' is 'allow' or 'deny'");
}


static cel_status_t
check_status(check_t *check)
{
    const cel_value_t  *value;

    value = &check->entry.value;

    if (value->kind == CEL_ERROR_VALUE) {
        return check_type(check, "int") || check_type(check, "uint")
               ? CEL_OK : check_fail(check, "'status' is an integer");
    }

    if ((value->kind == CEL_INT || value->kind == CEL_UINT)
        && value->u >= 400 && value->u <= 599)
    {
        return CEL_OK;
    }

    return check_fail(check, "'status' is an integer from 400 to 599");
}


/* Constant headers: refused now is what would be refused at run time. */

static cel_status_t
check_headers(check_t *check)
{
    uint32_t      i, n;
    uint64_t      bytes;
    cel_value_t   name, value;
    cel_status_t  rc;

    n = cel_size(&check->entry.value);
    bytes = 0;
    rc = CEL_OK;

    if (n > WORKFLOW_MAX_HEADERS) {
        return check_fail(check, "'headers' has more than %d entries",
                          WORKFLOW_MAX_HEADERS);
    }

    for (i = 0; rc == CEL_OK && i < n; i++) {

        if (cel_entry(NULL, &check->entry.value, i, &name, &value) != CEL_OK
            || name.kind != CEL_STRING || value.kind != CEL_STRING)
        {
            return check_fail(check, "'headers' is a map of strings to "
                              "strings");
        }

        rc = check_header(check, &name, &value, &bytes);

        if (rc == CEL_OK) {
            rc = check_header_once(check, &name, i);
        }
    }

    return rc;
}


/* Values are not known before there is a request, names may be. */

static cel_status_t
check_header_names(check_t *check)
{
    uint32_t            i, k;
    const cel_value_t  *keys;

    keys = check->entry.keys;

    if (check->entry.nkeys > WORKFLOW_MAX_HEADERS) {
        return check_fail(check, "'headers' has more than %d entries",
                          WORKFLOW_MAX_HEADERS);
    }

    for (i = 0; i < check->entry.nkeys; i++) {

        if (keys[i].kind != CEL_STRING) {
            continue;
        }

        if (check_header_name(check, &keys[i]) != CEL_OK) {
            return CEL_ERROR;
        }

        for (k = 0; k < i; k++) {
            if (check_header_differs(check, &keys[i], &keys[k]) != CEL_OK) {
                return CEL_ERROR;
            }
        }
    }

    return CEL_OK;
}


static cel_status_t
check_header_name(check_t *check, const cel_value_t *name)
{
    if (workflow_header_name_valid(name->s, name->len)) {
        return CEL_OK;
    }

    return check_fail_header(check, name, "is no token, or one that governs "
                             "the connection: Host, Content-Length, "
                             "Transfer-Encoding, Connection and the like");
}


static cel_status_t
check_header(check_t *check, const cel_value_t *name,
    const cel_value_t *value, uint64_t *bytes)
{
    *bytes += (uint64_t) name->len + value->len;

    if (*bytes > WORKFLOW_HEADER_BYTES) {
        return check_fail(check, "'headers' has more than %d bytes",
                          WORKFLOW_HEADER_BYTES);
    }

    if (check_header_name(check, name) != CEL_OK) {
        return CEL_ERROR;
    }

    if (!workflow_header_value_valid(value->s, value->len)) {
        return check_fail_header(check, name, "has a control byte in its "
                                 "value");
    }

    return CEL_OK;
}


static cel_status_t
check_header_once(check_t *check, const cel_value_t *name, uint32_t before)
{
    uint32_t     i;
    cel_value_t  other, value;

    for (i = 0; i < before; i++) {

        if (cel_entry(NULL, &check->entry.value, i, &other, &value) == CEL_OK
            && check_header_differs(check, name, &other) != CEL_OK)
        {
            return CEL_ERROR;
        }
    }

    return CEL_OK;
}


static cel_status_t
check_header_differs(check_t *check, const cel_value_t *name,
    const cel_value_t *other)
{
    if (other->kind != CEL_STRING
        || !workflow_header_same(name->s, name->len, other->s, other->len))
    {
        return CEL_OK;
    }

    return check_fail_header(check, name, "is there twice: case does not "
                             "matter, and '_' is '-'");
}


static cel_status_t
check_fail_header(check_t *check, const cel_value_t *name,
    const char *message)
{
    char  shown[WORKFLOW_HEADER_SHOWN];

    workflow_header_show(name->s, name->len, shown);

    return check_fail(check, "'%s' in 'headers' %s", shown, message);
}


/* of an entry's value; an optional entry (?'message': x) has its own type */

static bool
check_type(const check_t *check, const char *wanted)
{
    char  text[WORKFLOW_TYPE_MAX], optional[64];

    cel_type_format(check->entry.type, text, sizeof(text));

    if (strncmp(text, "optional_type(", sizeof("optional_type(") - 1) == 0) {
        snprintf(optional, sizeof(optional), "optional_type(%s)", wanted);
        wanted = optional;
    }

    return workflow_type_agree(text, wanted);
}


static bool
check_key_is(const check_t *check, const char *name)
{
    const cel_value_t  *key;

    key = &check->entry.key;

    return key->kind == CEL_STRING && key->len == strlen(name)
           && memcmp(key->s, name, key->len) == 0;
}


static cel_status_t
check_fail(check_t *check, const char *fmt, ...)
{
    char                message[CEL_MESSAGE_MAX];
    va_list             ap;
    workflow_output_t  *output;

    output = check->output;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);

    return workflow_issue(output->doc, WORKFLOW_I_OUTPUT,
                          workflow_node_position(output->doc, output->node,
                                                 check->offset),
                          output->path, "%s", message);
}
