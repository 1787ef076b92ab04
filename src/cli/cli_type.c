
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel.expr.Type in protobuf's JSON mapping to CEL's own notation.
 */


#include <string.h>
#include "cli_jsonl.h"


static bool type_put(cli_line_t *line, char *buf, size_t size,
    const char *text);
static bool type_of(cli_line_t *line, const json_t *json, char *buf,
    size_t size);
static bool type_parameters(cli_line_t *line, const json_t *parameters,
    char *buf, size_t size);
static const char *type_word(const char *const *words, const char *name);


static const char *const  type_primitives[] = {
    "BOOL", "bool", "INT64", "int", "UINT64", "uint", "DOUBLE", "double",
    "STRING", "string", "BYTES", "bytes", NULL
};

static const char *const  type_wrappers[] = {
    "BOOL", "google.protobuf.BoolValue", "INT64", "google.protobuf.Int64Value",
    "UINT64", "google.protobuf.UInt64Value",
    "DOUBLE", "google.protobuf.DoubleValue",
    "STRING", "google.protobuf.StringValue",
    "BYTES", "google.protobuf.BytesValue", NULL
};

static const char *const  type_well_known[] = {
    "ANY", "dyn", "TIMESTAMP", "google.protobuf.Timestamp",
    "DURATION", "google.protobuf.Duration", NULL
};


bool
cli_type_read(cli_line_t *line, const json_t *json, char *buf, size_t size)
{
    buf[0] = '\0';

    return type_of(line, json, buf, size);
}


static bool
type_of(cli_line_t *line, const json_t *json, char *buf, size_t size)
{
    json_t      *body, *name;
    const char  *key, *word;

    if (json_object_size(json) == 0) {
        return type_put(line, buf, size, "dyn");
    }

    key = json_object_iter_key(json_object_iter((json_t *) json));
    body = json_object_get(json, key);
    word = NULL;

    if (strcmp(key, "primitive") == 0) {
        word = type_word(type_primitives, json_string_value(body));

    } else if (strcmp(key, "wrapper") == 0) {
        word = type_word(type_wrappers, json_string_value(body));

    } else if (strcmp(key, "wellKnown") == 0) {
        word = type_word(type_well_known, json_string_value(body));

    } else if (strcmp(key, "messageType") == 0) {
        word = json_string_value(body);

    } else if (strcmp(key, "dyn") == 0) {
        word = "dyn";

    } else if (strcmp(key, "null") == 0) {
        word = "null_type";

    } else if (strcmp(key, "type") == 0) {
        word = "type";

    } else if (strcmp(key, "listType") == 0) {
        return type_put(line, buf, size, "list(")
               && type_of(line, json_object_get(body, "elemType"), buf, size)
               && type_put(line, buf, size, ")");

    } else if (strcmp(key, "mapType") == 0) {
        return type_put(line, buf, size, "map(")
               && type_of(line, json_object_get(body, "keyType"), buf, size)
               && type_put(line, buf, size, ", ")
               && type_of(line, json_object_get(body, "valueType"), buf, size)
               && type_put(line, buf, size, ")");

    } else if (strcmp(key, "abstractType") == 0) {
        name = json_object_get(body, "name");

        return json_is_string(name)
               && type_put(line, buf, size, json_string_value(name))
               && type_parameters(line, json_object_get(body,
                                                        "parameterTypes"),
                                  buf, size);
    }

    if (word == NULL) {
        return cli_line_fail(line, "a type of an unknown kind, \"%.64s\"",
                             key);
    }

    return type_put(line, buf, size, word);
}


static bool
type_parameters(cli_line_t *line, const json_t *parameters, char *buf,
    size_t size)
{
    size_t  i, n;

    n = json_array_size(parameters);

    for (i = 0; i < n; i++) {
        if (!type_put(line, buf, size, i == 0 ? "(" : ", ")
            || !type_of(line, json_array_get(parameters, i), buf, size))
        {
            return false;
        }
    }

    return n == 0 || type_put(line, buf, size, ")");
}


static bool
type_put(cli_line_t *line, char *buf, size_t size, const char *text)
{
    if (strlen(buf) + strlen(text) >= size) {
        return cli_line_fail(line, "a type of more than %zu bytes", size);
    }

    strcat(buf, text);

    return true;
}


/* words: pairs of the name in protobuf and in CEL */

static const char *
type_word(const char *const *words, const char *name)
{
    for ( ; name != NULL && *words != NULL; words += 2) {
        if (strcmp(*words, name) == 0) {
            return words[1];
        }
    }

    return NULL;
}
