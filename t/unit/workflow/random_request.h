
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * random_request.h - what the tests of random documents ask about: facts that
 * are there, late or fail, and a note of what was asked for.  Nothing here is
 * the same twice but for the state of random.h.
 */


#ifndef RANDOM_REQUEST_H_INCLUDED
#define RANDOM_REQUEST_H_INCLUDED


#include "compile.h"
#include "random_document.h"


#define ASKED  64


/* The request: the same for both, and what was asked of it. */

typedef struct {
    cel_object_t          object;
    struct host_s        *host;
    uint32_t              count;
    const char           *names[4];
    const char           *values[4];
} fields_t;

typedef struct host_s {
    fields_t              headers;
    fields_t              args;
    cel_value_t           values[WORKFLOW_FACT_COUNT];
    bool                  fails[WORKFLOW_FACT_COUNT];
    bool                  late[WORKFLOW_FACT_COUNT];
    bool                  there[WORKFLOW_FACT_COUNT];
    uint32_t              asked[ASKED];
    uint32_t              nasked;
} host_t;


/* Once each, in the order of the first times. */

static void
ask(host_t *host, uint32_t what)
{
    uint32_t  i;

    for (i = 0; i < host->nasked; i++) {
        if (host->asked[i] == what) {
            return;
        }
    }

    if (host->nasked < ASKED) {
        host->asked[host->nasked++] = what;
    }
}


static uint32_t
fields_size(const cel_object_t *o)
{
    return ((const fields_t *) o)->count;
}


static cel_status_t
fields_get(const cel_object_t *o, cel_eval_t *eval, const cel_value_t *key,
    cel_value_t *value)
{
    uint32_t         i;
    const fields_t  *f;

    f = (const fields_t *) o;

    if (key->kind != CEL_STRING) {
        return CEL_NOT_FOUND;
    }

    if (key->len == 5 && memcmp(key->s, "twice", 5) == 0) {
        ask(f->host, 1000);
        return cel_eval_fail(eval, CEL_E_FACT, "an argument is there twice");
    }

    for (i = 0; i < f->count; i++) {
        if (strlen(f->names[i]) == key->len
            && memcmp(f->names[i], key->s, key->len) == 0)
        {
            *value = cel_string(f->values[i], strlen(f->values[i]));
            return CEL_OK;
        }
    }

    return CEL_NOT_FOUND;
}


static cel_status_t
fields_entry(const cel_object_t *o, cel_eval_t *eval, uint32_t i,
    cel_value_t *key, cel_value_t *value)
{
    const fields_t  *f;

    f = (const fields_t *) o;

    *key = cel_string(f->names[i], strlen(f->names[i]));
    *value = cel_string(f->values[i], strlen(f->values[i]));

    return CEL_OK;
}


static const cel_object_ops_t  fields_ops = {
    CEL_MAP, fields_size, fields_get, fields_entry
};


static const char *
word(void)
{
    static const char *const  words[] = {
        "a", "b", "c", "", "GET", "POST", "/a", "/b", "/ab", "1", "2", "3",
        "a,b", "a long value of a header, longer than a unit of bytes", "é",
        "a value that is longer than any of the constants of the rules, too"
    };

    return one_of(words);
}


static void
make_fields(fields_t *f, host_t *host)
{
    uint32_t  i;

    static const char *const  names[] = { "x-a", "x-b", "x-c", "a" };

    f->object.ops = &fields_ops;
    f->host = host;
    f->count = 0;

    for (i = 0; i < 4; i++) {
        if (pick(4)) {
            f->names[f->count] = names[i];
            f->values[f->count++] = word();
        }
    }
}


static void
make_input(char *text, size_t size)
{
    static const char *const  values[] = {
        "\"a\"", "\"b\"", "1", "2", "2.0", "1.5", "true", "false", "null",
        "9007199254740993", "9007199254740992.0", "-0.0", "[2]", "{\"a\": 1}",
        "18446744073709551615", "3", "\"\"", "-1"
    };

    static const char *const  lists[] = {
        "[1, 2, 3]", "[2, \"a\", 4]", "[]", "[\"b\", 1]", "7"
    };

    snprintf(text, size, "{\"n\": %s, %s%s%s\"b\": {\"c\": %s, \"a\": %s}, "
             "\"l\": %s}", one_of(values), pick(3) ? "\"a\": " : "\"z\": ",
             one_of(values), ", ", one_of(values), one_of(values),
             one_of(lists));
}


static void
make_host(host_t *host)
{
    uint32_t  i;

    memset(host, 0, sizeof(host_t));

    make_fields(&host->headers, host);
    make_fields(&host->args, host);

    for (i = 0; i < WORKFLOW_FACT_COUNT; i++) {
        host->there[i] = true;
        host->late[i] = pick(12) == 0;
        host->fails[i] = pick(80) == 0;
        host->values[i] = cel_string(word(), 0);
        host->values[i].len = strlen(host->values[i].s);
    }

    host->values[WORKFLOW_FACT_REQUEST_HEADERS] =
        cel_object(&host->headers.object);
    host->values[WORKFLOW_FACT_REQUEST_ARGS] = cel_object(&host->args.object);
    host->values[WORKFLOW_FACT_REQUEST_SIZE] = cel_int(pick(5));
    host->values[WORKFLOW_FACT_SOURCE_PORT] = cel_int(pick(5));
    host->values[WORKFLOW_FACT_DESTINATION_PORT] =
        cel_int(pick(3) ? 80 : 9007199254740993);
    host->values[WORKFLOW_FACT_CONNECTION_MTLS] = cel_bool(pick(2));
}


static cel_status_t
fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    host_t  *host;

    host = ctx;
    ask(host, slot);

    if (host->late[slot]) {
        return CEL_NEED;
    }

    if (host->fails[slot]) {
        return cel_eval_fail(eval, CEL_E_FACT, "no %s",
                             workflow_fact_name(slot));
    }

    *value = host->values[slot];

    return CEL_OK;
}


#endif /* RANDOM_REQUEST_H_INCLUDED */
