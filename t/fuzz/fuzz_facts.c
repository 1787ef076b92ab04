/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * fuzz_facts.c - the env that the targets of CEL compile in, and values for
 * its facts made of an input's bytes: every kind, arena and JSON, small and
 * nested.
 */


#include "fuzz.h"


#define FUZZ_DEPTH  6


enum {
    FUZZ_X = 0,
    FUZZ_U,
    FUZZ_D,
    FUZZ_B,
    FUZZ_S,
    FUZZ_T,
    FUZZ_Y,
    FUZZ_L,
    FUZZ_M,
    FUZZ_NOW,
    FUZZ_AGE,
    FUZZ_W,
    FUZZ_HEADERS,
    FUZZ_INPUT
};


static const struct {
    const char        *name;
    const char        *type;
    cel_size_class_t   size;
    unsigned           flags;
} fuzz_names[FUZZ_FACTS] = {
    [FUZZ_X] = { "x", "int", CEL_SIZE_SMALL, 0 },
    [FUZZ_U] = { "u", "uint", CEL_SIZE_SMALL, 0 },
    [FUZZ_D] = { "d", "double", CEL_SIZE_SMALL, 0 },
    [FUZZ_B] = { "b", "bool", CEL_SIZE_SMALL, 0 },
    [FUZZ_S] = { "s", "string", CEL_SIZE_HEADERS, 0 },
    [FUZZ_T] = { "t", "string", CEL_SIZE_SMALL, 0 },
    [FUZZ_Y] = { "y", "bytes", CEL_SIZE_HEADERS, 0 },
    [FUZZ_L] = { "l", "list(int)", CEL_SIZE_BODY, 0 },
    [FUZZ_M] = { "m", "map(string, dyn)", CEL_SIZE_BODY, 0 },
    [FUZZ_NOW] = { "now", "google.protobuf.Timestamp", CEL_SIZE_SMALL, 0 },
    [FUZZ_AGE] = { "age", "google.protobuf.Duration", CEL_SIZE_SMALL, 0 },
    [FUZZ_W] = { "w", "dyn", CEL_SIZE_BODY, 0 },
    [FUZZ_HEADERS] = { "request.headers", "map(string, string)",
                       CEL_SIZE_HEADERS, CEL_FACT_LOWER_KEYS },
    [FUZZ_INPUT] = { "input", "dyn", CEL_SIZE_BODY, 0 }
};


static cel_value_t fuzz_value(cel_arena_t *arena, fuzz_bytes_t *bytes,
    unsigned depth);


static cel_status_t
fuzz_resolve(void *ctx, const char *literal, size_t len, cel_slot_t *slot,
    char message[CEL_MESSAGE_MAX])
{
    if (len == 1 && *literal == 't') {
        *slot = FUZZ_T;
        return CEL_OK;
    }

    snprintf(message, CEL_MESSAGE_MAX, "\"%.*s\" is not listed",
             (int) (len < 100 ? len : 100), literal);

    return CEL_ERROR;
}


cel_env_t *
fuzz_env(const cel_allocator_t *allocator, const cel_limits_t *limits)
{
    uint32_t    i;
    cel_env_t  *env;

    env = cel_env_create(allocator, limits);

    for (i = 0; i < FUZZ_FACTS; i++) {
        if (cel_env_declare(env, fuzz_names[i].name, fuzz_names[i].type, i,
                            fuzz_names[i].size, fuzz_names[i].flags)
            != CEL_OK)
        {
            fuzz_fail("%s is not declared", fuzz_names[i].name);
        }
    }

    if (cel_env_declare_resolver(env, "nginx.var", fuzz_resolve, NULL)
        != CEL_OK)
    {
        fuzz_fail("nginx.var is not declared");
    }

    return env;
}


/* Up to max bytes; those from 0x80 on become two, so that it is UTF-8. */

static cel_value_t
fuzz_string(cel_arena_t *arena, fuzz_bytes_t *bytes, size_t max)
{
    char     *s, *p;
    size_t    n;
    uint8_t   c;

    n = fuzz_byte(bytes) % (max / 2 + 1);

    s = cel_arena_alloc(arena, n * 2 + 1);
    p = s;

    for ( ; n > 0; n--) {
        c = fuzz_byte(bytes);

        if (c >= 0x80) {
            *p++ = (char) (0xc0 | c >> 6);
            c = 0x80 | (c & 0x3f);
        }

        *p++ = (char) c;
    }

    return cel_string(s, (size_t) (p - s));
}


static cel_value_t
fuzz_octets(cel_arena_t *arena, fuzz_bytes_t *bytes)
{
    cel_value_t  v;

    v = fuzz_string(arena, bytes, 60);

    return cel_bytes(v.s, v.len);
}


static double
fuzz_double(fuzz_bytes_t *bytes)
{
    double    d;
    uint64_t  number;

    number = fuzz_number(bytes);

    if (number < 1000) {
        return (double) number / 8;
    }

    memcpy(&d, &number, sizeof(d));

    return d;
}


static cel_value_t
fuzz_timestamp(fuzz_bytes_t *bytes)
{
    /* from 0001-01-01 to 9999-12-31 */

    return cel_timestamp((int64_t) (fuzz_number(bytes) % 315537897600ull)
                         - 62135596800ll,
                         (uint32_t) (fuzz_number(bytes) % 1000000000));
}


static cel_value_t
fuzz_duration(fuzz_bytes_t *bytes)
{
    int32_t  nanoseconds;
    int64_t  seconds;

    seconds = (int64_t) (fuzz_number(bytes) % 9000000000ull);
    nanoseconds = (int32_t) (fuzz_number(bytes) % 1000000000);

    return fuzz_byte(bytes) & 1 ? cel_duration(-seconds, -nanoseconds)
                                : cel_duration(seconds, nanoseconds);
}


static cel_value_t
fuzz_list(cel_arena_t *arena, fuzz_bytes_t *bytes, unsigned depth)
{
    uint32_t      i, n;
    cel_value_t   list, *values;

    n = fuzz_byte(bytes) % 16;
    values = cel_arena_alloc(arena, (n + 1) * sizeof(cel_value_t));

    for (i = 0; i < n; i++) {
        values[i] = fuzz_value(arena, bytes, depth);
    }

    if (cel_list(arena, values, n, &list) != CEL_OK) {
        fuzz_fail("no list of %u values", n);
    }

    return list;
}


/* Keys of all kinds unless plain; the same one twice is nothing to have. */

static cel_value_t
fuzz_map(cel_arena_t *arena, fuzz_bytes_t *bytes, unsigned depth, bool plain)
{
    char         *key;
    uint32_t      i, n;
    cel_value_t   map, *pairs;

    n = fuzz_byte(bytes) % 12;
    pairs = cel_arena_alloc(arena, (2 * n + 1) * sizeof(cel_value_t));

    for (i = 0; i < n; i++) {
        key = cel_arena_alloc(arena, 4);
        snprintf(key, 4, "%c", 'a' + (int) i);
        pairs[2 * i] = plain || i % 3 != 0 ? cel_string(key, 1) : cel_int(i);
        pairs[2 * i + 1] = depth == 0 ? fuzz_string(arena, bytes, 40)
                                      : fuzz_value(arena, bytes, depth);
    }

    if (cel_map(arena, pairs, n, &map) != CEL_OK) {
        fuzz_fail("no map of %u entries", n);
    }

    return map;
}


static cel_value_t
fuzz_value(cel_arena_t *arena, fuzz_bytes_t *bytes, unsigned depth)
{
    switch (fuzz_byte(bytes) % (depth > 1 ? 11 : 9)) {

    case 0:
        return cel_null();

    case 1:
        return cel_bool(fuzz_byte(bytes) & 1);

    case 2:
        return cel_int((int64_t) fuzz_number(bytes));

    case 3:
        return cel_uint(fuzz_number(bytes));

    case 4:
        return cel_double(fuzz_double(bytes));

    case 5:
        return fuzz_string(arena, bytes, 60);

    case 6:
        return fuzz_octets(arena, bytes);

    case 7:
        return fuzz_timestamp(bytes);

    case 8:
        return fuzz_duration(bytes);

    case 9:
        return fuzz_list(arena, bytes, depth - 1);

    default:
        return fuzz_map(arena, bytes, depth - 1, false);
    }
}


static cel_value_t
fuzz_numbers(cel_arena_t *arena, fuzz_bytes_t *bytes)
{
    uint32_t      i, n;
    cel_value_t   list, *values;

    n = fuzz_byte(bytes) % 48;
    values = cel_arena_alloc(arena, (n + 1) * sizeof(cel_value_t));

    for (i = 0; i < n; i++) {
        values[i] = cel_int((int64_t) fuzz_number(bytes));
    }

    if (cel_list(arena, values, n, &list) != CEL_OK) {
        fuzz_fail("no list of %u numbers", n);
    }

    return list;
}


void
fuzz_facts(cel_arena_t *arena, fuzz_bytes_t *bytes, const cel_json_t *json,
    cel_value_t *facts, cel_sizes_t *sizes)
{
    uint32_t   i;
    uint64_t  *size, n;

    facts[FUZZ_X] = cel_int((int64_t) fuzz_number(bytes));
    facts[FUZZ_U] = cel_uint(fuzz_number(bytes));
    facts[FUZZ_D] = cel_double(fuzz_double(bytes));
    facts[FUZZ_B] = cel_bool(fuzz_byte(bytes) & 1);
    facts[FUZZ_S] = fuzz_string(arena, bytes, 400);
    facts[FUZZ_T] = fuzz_string(arena, bytes, 100);
    facts[FUZZ_Y] = fuzz_octets(arena, bytes);
    facts[FUZZ_L] = fuzz_numbers(arena, bytes);
    facts[FUZZ_NOW] = fuzz_timestamp(bytes);
    facts[FUZZ_AGE] = fuzz_duration(bytes);
    facts[FUZZ_HEADERS] = fuzz_map(arena, bytes, 0, true);
    facts[FUZZ_M] = fuzz_map(arena, bytes, FUZZ_DEPTH - 1, true);
    facts[FUZZ_W] = fuzz_value(arena, bytes, FUZZ_DEPTH);
    facts[FUZZ_INPUT] = json != NULL ? cel_json_root(json)
                                     : fuzz_value(arena, bytes, FUZZ_DEPTH);

    for (i = 0; i < FUZZ_FACTS; i++) {
        size = &sizes->bytes[fuzz_names[i].size];
        n = fuzz_value_bytes(&facts[i]);

        if (n > *size) {
            *size = n;
        }
    }
}


/* What the shortest JSON text of a value has: a host's sizes are of text. */

uint64_t
fuzz_value_bytes(const cel_value_t *v)
{
    uint32_t     i;
    uint64_t     n;
    cel_eval_t   eval;
    cel_value_t  key, value;

    switch (v->kind) {

    case CEL_STRING:
    case CEL_BYTES:
        return v->len + 2;

    case CEL_LIST:
    case CEL_MAP:
        break;

    default:
        return 1;
    }

    memset(&eval, 0, sizeof(eval));
    n = 2;

    for (i = 0; i < cel_size(v); i++) {

        if (cel_entry(&eval, v, i, &key, &value) != CEL_OK) {
            fuzz_fail("entry %u of a fact is not there", i);
        }

        n += fuzz_value_bytes(&value) + 1;

        if (v->kind == CEL_MAP) {
            n += fuzz_value_bytes(&key) + 1;
        }
    }

    return n;
}
