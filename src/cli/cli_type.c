
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel.expr.Type in protobuf's JSON mapping to CEL's own notation, and the
 * signatures of functions.
 */


#include <string.h>
#include "cli_jsonl.h"


static bool type_parameter(cli_line_t *line, const char *name, char *buf,
    size_t size);
static bool type_put(cli_line_t *line, char *buf, size_t size,
    const char *text);
static bool type_of(cli_line_t *line, const json_t *json, char *buf,
    size_t size);
static bool type_list(cli_line_t *line, const json_t *types, size_t i,
    char *buf, size_t size);
static const char *type_word(const char *const *words, const json_t *value);


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
    line->signature = false;

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

    if (cli_field_is(key, "primitive")) {
        word = type_word(type_primitives, body);

    } else if (cli_field_is(key, "wrapper")) {
        word = type_word(type_wrappers, body);

    } else if (cli_field_is(key, "wellKnown")) {
        word = type_word(type_well_known, body);

    } else if (cli_field_is(key, "messageType")) {
        word = json_string_value(body);

    } else if (cli_field_is(key, "dyn")) {
        word = "dyn";

    } else if (cli_field_is(key, "null")) {
        word = "null_type";

    } else if (cli_field_is(key, "type")) {
        word = "type";

    } else if (cli_field_is(key, "listType")) {
        return type_put(line, buf, size, "list(")
               && type_of(line, cli_field(body, "elemType"), buf, size)
               && type_put(line, buf, size, ")");

    } else if (cli_field_is(key, "mapType")) {
        return type_put(line, buf, size, "map(")
               && type_of(line, cli_field(body, "keyType"), buf, size)
               && type_put(line, buf, size, ", ")
               && type_of(line, cli_field(body, "valueType"), buf, size)
               && type_put(line, buf, size, ")");

    } else if (cli_field_is(key, "typeParam")) {
        return type_parameter(line, json_string_value(body), buf, size);

    } else if (cli_field_is(key, "abstractType")) {
        name = cli_field(body, "name");

        return json_is_string(name)
               && type_put(line, buf, size, json_string_value(name))
               && type_put(line, buf, size, "(")
               && type_list(line, cli_field(body, "parameterTypes"), 0,
                            buf, size)
               && type_put(line, buf, size, ")");
    }

    if (word == NULL) {
        return cli_line_fail(line, "a type of an unknown kind, \"%.64s\"",
                             key);
    }

    return type_put(line, buf, size, word);
}


bool
cli_type_signature(cli_line_t *line, const json_t *overload, char *buf,
    size_t size)
{
    size_t   receiver;
    json_t  *params;

    buf[0] = '\0';
    receiver = 0;
    line->nparams = 0;
    line->signature = true;
    params = cli_field(overload, "params");

    if (json_is_true(cli_field(overload, "isInstanceFunction"))) {
        receiver = 1;

        if (json_array_size(params) == 0) {
            return cli_line_fail(line, "an instance function of nothing");
        }

        if (!type_of(line, json_array_get(params, 0), buf, size)
            || !type_put(line, buf, size, "."))
        {
            return false;
        }
    }

    return type_put(line, buf, size, "(")
           && type_list(line, params, receiver, buf, size)
           && type_put(line, buf, size, "): ")
           && type_of(line, cli_field(overload, "resultType"), buf,
                      size);
}


/* from the i-th on */

static bool
type_list(cli_line_t *line, const json_t *types, size_t i, char *buf,
    size_t size)
{
    size_t  first;

    for (first = i; i < json_array_size(types); i++) {
        if ((i > first && !type_put(line, buf, size, ", "))
            || !type_of(line, json_array_get(types, i), buf, size))
        {
            return false;
        }
    }

    return true;
}


/* parameters have names in protobuf, and capital letters here */

static bool
type_parameter(cli_line_t *line, const char *name, char *buf, size_t size)
{
    char      letter[2];
    uint32_t  i;

    if (name == NULL) {
        return cli_line_fail(line, "a type parameter without a name");
    }

    if (!line->signature) {
        return type_put(line, buf, size, "dyn");
    }

    for (i = 0; i < line->nparams; i++) {
        if (strcmp(line->params[i], name) == 0) {
            break;
        }
    }

    if (i == CLI_LINE_PARAMS) {
        return cli_line_fail(line, "more than %d type parameters",
                             CLI_LINE_PARAMS);
    }

    if (i == line->nparams) {
        line->params[line->nparams++] = name;
    }

    letter[0] = 'A' + i;
    letter[1] = '\0';

    return type_put(line, buf, size, letter);
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


/*
 * words: pairs of the name in protobuf and in CEL, in the order of the enum's
 * numbers from 1 on; a value is either
 */

static const char *
type_word(const char *const *words, const json_t *value)
{
    double       number;
    const char  *name;

    name = json_string_value(value);
    number = json_number_value(value);

    for ( ; *words != NULL; words += 2) {
        if (name != NULL ? strcmp(*words, name) == 0 : --number == 0) {
            return words[1];
        }
    }

    return NULL;
}
