
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel.expr.Value in protobuf's JSON mapping: 64-bit integers as strings,
 * bytes as base64, messages as {"@type": ...}.
 */


#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cli_jsonl.h"


#define VALUE_DEPTH    200
#define VALUE_PACKAGE  "type.googleapis.com/google.protobuf."


typedef bool (*value_read_pt)(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);

typedef struct {
    const char       *name;
    value_read_pt     read;
} value_reader_t;


static bool value_read(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_int(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_uint(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_double(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_string(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_bytes(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_bool(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_null(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_enum(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_list(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_map(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_type(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_object(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_plain(cli_line_t *line, const json_t *json,
    cel_value_t *value, uint32_t depth);
static bool value_call(cli_line_t *line, const char *function,
    const json_t *text, cel_value_t *value);
static bool value_expression(cli_line_t *line, const char *text,
    cel_value_t *value);
static const char *value_copy(cli_line_t *line, const char *s, size_t len);
static int value_base64(char c);
static bool value_memory(cli_line_t *line);


static const value_reader_t  value_readers[] = {
    { "boolValue", value_bool },
    { "int64Value", value_int },
    { "uint64Value", value_uint },
    { "doubleValue", value_double },
    { "stringValue", value_string },
    { "bytesValue", value_bytes },
    { "enumValue", value_enum },
    { "objectValue", value_object },
    { "mapValue", value_map },
    { "listValue", value_list },
    { "typeValue", value_type },
    { NULL, NULL }
};


/* messages that are values of CEL, by what follows VALUE_PACKAGE */

static const value_reader_t  value_messages[] = {
    { "BoolValue", value_bool },
    { "Int32Value", value_int },
    { "Int64Value", value_int },
    { "UInt32Value", value_uint },
    { "UInt64Value", value_uint },
    { "FloatValue", value_double },
    { "DoubleValue", value_double },
    { "StringValue", value_string },
    { "BytesValue", value_bytes },
    { "Value", value_plain },
    { "Struct", value_plain },
    { "ListValue", value_plain },
    { "Any", value_object },
    { NULL, NULL }
};


bool
cli_value_read(cli_line_t *line, const json_t *json, cel_value_t *value)
{
    return value_read(line, json, value, 0);
}


static bool
value_read(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    json_t                *body;
    const value_reader_t  *reader;

    if (depth > VALUE_DEPTH) {
        return cli_line_fail(line, "a value with more than %d levels",
                             VALUE_DEPTH);
    }

    /* the only field that is set when it is null */

    if (json_object_get(json, "nullValue") != NULL
        || json_object_get(json, "null_value") != NULL)
    {
        return value_null(line, json, value, depth);
    }

    for (reader = value_readers; reader->name != NULL; reader++) {
        body = cli_field(json, reader->name);

        if (body != NULL) {
            return reader->read(line, body, value, depth + 1);
        }
    }

    return cli_line_fail(line, "a value of no known kind");
}


static bool
value_null(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    *value = cel_null();

    return true;
}


static bool
value_bool(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    *value = cel_bool(json_is_true(json));

    return json_is_boolean(json) || cli_line_fail(line, "no boolean");
}


static bool
value_int(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    char        *end;
    double       decimal;
    const char  *text;

    if (json_is_number(json) && fabs(json_number_value(json)) < 0x1p53
        && rint(json_number_value(json)) == json_number_value(json))
    {
        *value = cel_int(json_number_value(json));
        return true;
    }

    text = json_string_value(json);

    if (text == NULL || (*text != '-' && !isdigit((unsigned char) *text))) {
        return cli_line_fail(line, "no int64, which is a string of digits");
    }

    errno = 0;
    *value = cel_int(strtoll(text, &end, 10));

    if (*end == '\0' && errno == 0) {
        return true;
    }

    if (!cli_integer(text, &decimal)) {
        return cli_line_fail(line, "\"%.32s\" is no int64", text);
    }

    *value = cel_int(decimal);

    return true;
}


static bool
value_uint(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    char        *end;
    double       decimal;
    const char  *text;

    if (json_is_number(json) && json_number_value(json) >= 0
        && json_number_value(json) < 0x1p53
        && rint(json_number_value(json)) == json_number_value(json))
    {
        *value = cel_uint(json_number_value(json));
        return true;
    }

    text = json_string_value(json);

    if (text == NULL || !isdigit((unsigned char) *text)) {
        return cli_line_fail(line, "no uint64, which is a string of digits");
    }

    errno = 0;
    *value = cel_uint(strtoull(text, &end, 10));

    if (*end == '\0' && errno == 0) {
        return true;
    }

    if (!cli_integer(text, &decimal)) {
        return cli_line_fail(line, "\"%.32s\" is no uint64", text);
    }

    *value = cel_uint(decimal);

    return true;
}


static bool
value_double(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    char        *end;
    const char  *text;

    if (json_is_number(json)) {
        *value = cel_double(json_number_value(json));
        return true;
    }

    text = json_string_value(json);

    if (text == NULL || *text == '\0') {
        return cli_line_fail(line, "no double");
    }

    *value = cel_double(strtod(text, &end));    /* knows NaN, Infinity */

    return *end == '\0' || cli_line_fail(line, "\"%.32s\" is no double",
                                         text);
}


static bool
value_string(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    const char  *s;

    if (!json_is_string(json)) {
        return cli_line_fail(line, "no string");
    }

    s = value_copy(line, json_string_value(json), json_string_length(json));

    if (s == NULL) {
        return false;
    }

    *value = cel_string(s, json_string_length(json));

    return true;
}


/* base64, either alphabet, padded or not */

static bool
value_bytes(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    int          code, bits;
    char        *out;
    size_t       i, n, len;
    uint32_t     acc;
    const char  *s;

    if (!json_is_string(json)) {
        return cli_line_fail(line, "no bytes, which are a string of base64");
    }

    s = json_string_value(json);
    len = json_string_length(json);
    out = cel_arena_alloc(&line->arena, len + 1);

    if (out == NULL) {
        return value_memory(line);
    }

    acc = 0;
    bits = 0;
    n = 0;

    for (i = 0; i < len && s[i] != '='; i++) {

        code = value_base64(s[i]);

        if (code < 0) {
            return cli_line_fail(line, "bytes that are no base64");
        }

        acc = acc << 6 | (uint32_t) code;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            out[n++] = (char) (acc >> bits);
        }
    }

    *value = cel_bytes(out, n);

    return true;
}


static int
value_base64(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}


/* {type, value}: enums are ints */

static bool
value_enum(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    json_t  *number;

    number = cli_field(json, "value");

    if (number == NULL) {
        *value = cel_int(0);
        return true;
    }

    return value_int(line, number, value, depth);
}


static bool
value_list(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    size_t        i, n;
    json_t       *items;
    cel_value_t  *values;

    items = cli_field(json, "values");
    n = json_array_size(items);
    values = cel_arena_alloc(&line->arena, (n + 1) * sizeof(cel_value_t));

    if (values == NULL) {
        return value_memory(line);
    }

    for (i = 0; i < n; i++) {
        if (!value_read(line, json_array_get(items, i), &values[i], depth)) {
            return false;
        }
    }

    return cel_list(&line->arena, values, n, value) == CEL_OK
           || value_memory(line);
}


static bool
value_map(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    size_t        i, n;
    json_t       *entries, *entry;
    cel_value_t  *pairs;

    entries = cli_field(json, "entries");
    n = json_array_size(entries);
    pairs = cel_arena_alloc(&line->arena, (n + 1) * 2 * sizeof(cel_value_t));

    if (pairs == NULL) {
        return value_memory(line);
    }

    for (i = 0; i < n; i++) {
        entry = json_array_get(entries, i);

        if (!value_read(line, cli_field(entry, "key"), &pairs[i * 2],
                        depth)
            || !value_read(line, cli_field(entry, "value"),
                           &pairs[i * 2 + 1], depth))
        {
            return false;
        }
    }

    return cel_map(&line->arena, pairs, n, value) == CEL_OK
           || value_memory(line);
}


/* a type's name is an expression */

static bool
value_type(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    const char  *name;

    name = json_string_value(json);

    if (name == NULL
        || strspn(name, "abcdefghijklmnopqrstuvwxyz._"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
           != strlen(name))
    {
        return cli_line_fail(line, "no type name");
    }

    return value_expression(line, name, value);
}


static bool
value_object(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    json_t                *body;
    const char            *name;
    const value_reader_t  *reader;

    name = json_string_value(json_object_get(json, "@type"));
    body = json_object_get(json, "value");

    if (name == NULL
        || strncmp(name, VALUE_PACKAGE, sizeof(VALUE_PACKAGE) - 1) != 0)
    {
        return cli_line_fail(line, "a message of an unknown type, \"%.100s\"",
                             name != NULL ? name : "");
    }

    if (depth > VALUE_DEPTH) {
        return cli_line_fail(line, "a value with more than %d levels",
                             VALUE_DEPTH);
    }

    name += sizeof(VALUE_PACKAGE) - 1;

    if (strcmp(name, "Timestamp") == 0) {
        return value_call(line, "timestamp", body, value);
    }

    if (strcmp(name, "Duration") == 0) {
        return value_call(line, "duration", body, value);
    }

    for (reader = value_messages; reader->name != NULL; reader++) {
        if (strcmp(reader->name, name) == 0) {
            return reader->read(line, body, value, depth + 1);
        }
    }

    return cli_line_fail(line, "a message of an unknown type, \"%.100s\"",
                         name);
}


/* JSON as google.protobuf.Value has it: every number is a double */

static bool
value_plain(cli_line_t *line, const json_t *json, cel_value_t *value,
    uint32_t depth)
{
    size_t        i, n;
    json_t       *item;
    const char   *key, *name;
    cel_value_t  *values;

    if (depth > VALUE_DEPTH) {
        return cli_line_fail(line, "a value with more than %d levels",
                             VALUE_DEPTH);
    }

    if (json_is_null(json) || json == NULL) {
        return value_null(line, json, value, depth);
    }

    if (json_is_boolean(json)) {
        return value_bool(line, json, value, depth);
    }

    if (json_is_number(json)) {
        return value_double(line, json, value, depth);
    }

    if (json_is_string(json)) {
        return value_string(line, json, value, depth);
    }

    n = json_is_array(json) ? json_array_size(json) : json_object_size(json);
    values = cel_arena_alloc(&line->arena, (n + 1) * 2 * sizeof(cel_value_t));

    if (values == NULL) {
        return value_memory(line);
    }

    if (json_is_array(json)) {

        for (i = 0; i < n; i++) {
            if (!value_plain(line, json_array_get(json, i), &values[i],
                             depth + 1))
            {
                return false;
            }
        }

        return cel_list(&line->arena, values, n, value) == CEL_OK
               || value_memory(line);
    }

    i = 0;

    json_object_foreach((json_t *) json, key, item) {

        name = value_copy(line, key, strlen(key));

        if (name == NULL
            || !value_plain(line, item, &values[i * 2 + 1], depth + 1))
        {
            return false;
        }

        values[i++ * 2] = cel_string(name, strlen(name));
    }

    return cel_map(&line->arena, values, n, value) == CEL_OK
           || value_memory(line);
}


static bool
value_call(cli_line_t *line, const char *function, const json_t *text,
    cel_value_t *value)
{
    char         expression[128];
    const char  *s;

    s = json_string_value(text);

    if (s == NULL || strlen(s) > 64
        || strspn(s, "0123456789-+:.TZts") != strlen(s))
    {
        return cli_line_fail(line, "no %s", function);
    }

    snprintf(expression, sizeof(expression), "%s('%s')", function, s);

    return value_expression(line, expression, value);
}


/* the value may borrow from the program, which the line keeps */

static bool
value_expression(cli_line_t *line, const char *text, cel_value_t *value)
{
    bool            done;
    cel_env_t      *env;
    cel_issues_t    issues;
    cel_program_t  *program;

    if (line->nprograms == CLI_LINE_PROGRAMS) {
        return cli_line_fail(line, "more than %d times and types",
                             CLI_LINE_PROGRAMS);
    }

    memset(&issues, 0, sizeof(cel_issues_t));
    env = cel_env_create(&cel_allocator_libc, NULL);

    if (env == NULL) {
        return value_memory(line);
    }

    program = cel_compile(env, text, strlen(text), &issues);
    cel_env_destroy(env);

    if (program == NULL) {
        return cli_line_fail(line, "%s: %.160s", text, issues.items[0].message);
    }

    line->programs[line->nprograms++] = program;

    done = cel_eval(program, &line->eval, value) == CEL_OK;
    line->eval.cost = 0;
    line->eval.next_look = 0;

    return done || cli_line_fail(line, "%s: %.160s", text,
                                 line->eval.error.message);
}


static const char *
value_copy(cli_line_t *line, const char *s, size_t len)
{
    char  *copy;

    copy = cel_arena_alloc(&line->arena, len + 1);

    if (copy == NULL) {
        value_memory(line);
        return NULL;
    }

    memcpy(copy, s, len);
    copy[len] = '\0';

    return copy;
}


static bool
value_memory(cli_line_t *line)
{
    return cli_line_fail(line, "not enough memory for the value");
}
