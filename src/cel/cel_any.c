
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_any.c - what google.protobuf.Any holds, when that is one of the
 * well-known messages, as the value that the message is.  A message of any
 * other type is an error, and so is what no writer of messages makes: a key
 * of a Struct or a part of a Value twice.  Messages of numbers and texts alone
 * are read in cel_any_scalar.c.
 *
 * Each byte is looked at a fixed number of times, and an element takes two of
 * them at least, so the length alone bounds time and memory.
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE    /* memrchr() */
#endif

#include "cel_any.h"


/* how far messages nest, as in the libraries of Protocol Buffers */
#define CEL_ANY_DEPTH  100


/* The elements of a list, the entries of a map: all are the field 1. */

typedef struct {
    cel_any_pt           decode;        /* one of them */
    uint32_t             width;         /* the values that it becomes */
    uint32_t             count;
    cel_value_t         *values;
} cel_any_repeated_t;


#define CEL_ANY(name)                                                         \
    static cel_status_t name(cel_eval_t *eval,                                \
        const cel_any_message_t *message, cel_wire_t *in, cel_value_t *out)


CEL_ANY(cel_any_any);
CEL_ANY(cel_any_value);
CEL_ANY(cel_any_list);
CEL_ANY(cel_any_element);
CEL_ANY(cel_any_struct);
CEL_ANY(cel_any_entry);
static cel_status_t cel_any_repeated(cel_eval_t *eval,
    const cel_any_message_t *message, cel_wire_t *in,
    cel_any_repeated_t *repeated);
static cel_status_t cel_any_message(cel_eval_t *eval, uint32_t depth,
    const cel_value_t *url, cel_wire_t *in, cel_value_t *out);
static cel_status_t cel_any_part(cel_eval_t *eval,
    const cel_any_message_t *message, const char *name, cel_wire_t *in,
    cel_value_t *out);
static cel_status_t cel_any_count(cel_eval_t *eval,
    const cel_any_message_t *message, cel_wire_t in, uint32_t *count);
static cel_status_t cel_any_fail_url(cel_eval_t *eval, const cel_value_t *url);


#define CEL_ANY_WRAPPER(name, kind, type, bits)                               \
    { name, cel_any_wrapper, 0, kind, CEL_WIRE_##type, bits }
#define CEL_ANY_MESSAGE(name, decode)                                         \
    { name, decode, 0, CEL_NULL, CEL_WIRE_BYTES, 0 }


static const cel_any_message_t  cel_any_messages[] = {
    CEL_ANY_WRAPPER("BoolValue", CEL_BOOL, VARINT, 1),
    CEL_ANY_WRAPPER("Int32Value", CEL_INT, VARINT, 32),
    CEL_ANY_WRAPPER("Int64Value", CEL_INT, VARINT, 64),
    CEL_ANY_WRAPPER("UInt32Value", CEL_UINT, VARINT, 32),
    CEL_ANY_WRAPPER("UInt64Value", CEL_UINT, VARINT, 64),
    CEL_ANY_WRAPPER("FloatValue", CEL_DOUBLE, 32, 32),
    CEL_ANY_WRAPPER("DoubleValue", CEL_DOUBLE, 64, 64),
    CEL_ANY_WRAPPER("StringValue", CEL_STRING, BYTES, 0),
    CEL_ANY_WRAPPER("BytesValue", CEL_BYTES, BYTES, 0),
    CEL_ANY_MESSAGE("Timestamp", cel_any_time),
    CEL_ANY_MESSAGE("Duration", cel_any_time),
    CEL_ANY_MESSAGE("Value", cel_any_value),
    CEL_ANY_MESSAGE("ListValue", cel_any_list),
    CEL_ANY_MESSAGE("Struct", cel_any_struct),
    CEL_ANY_MESSAGE("Any", cel_any_any),
    { NULL, NULL, 0, CEL_NULL, CEL_WIRE_VARINT, 0 }
};


cel_status_t
cel_any_decode(cel_eval_t *eval, const cel_value_t *url,
    const cel_value_t *value, cel_value_t *out)
{
    cel_wire_t  in;

    in.p = value->s;
    in.end = value->len != 0 ? value->s + value->len : value->s;

    return cel_any_message(eval, 0, url, &in, out);
}


/* the name of the type is what follows the last slash */

static cel_status_t
cel_any_message(cel_eval_t *eval, uint32_t depth, const cel_value_t *url,
    cel_wire_t *in, cel_value_t *out)
{
    size_t                    len;
    const char               *slash, *name;
    cel_any_message_t         message;
    const cel_any_message_t  *known;

    static const char  package[] = "google.protobuf.";

    slash = url->len != 0 ? memrchr(url->s, '/', url->len) : NULL;

    if (slash == NULL) {
        return cel_any_fail_url(eval, url);
    }

    name = slash + 1;
    len = (size_t) (url->s + url->len - name);

    if (len < sizeof(package) - 1
        || memcmp(name, package, sizeof(package) - 1) != 0)
    {
        return cel_any_fail_url(eval, url);
    }

    name += sizeof(package) - 1;
    len -= sizeof(package) - 1;

    for (known = cel_any_messages; known->name != NULL; known++) {

        if (strlen(known->name) == len && memcmp(known->name, name, len) == 0)
        {
            message = *known;
            message.depth = depth;
            return message.decode(eval, &message, in, out);
        }
    }

    return cel_any_fail_url(eval, url);
}


/* a message within a message, one of ours */

static cel_status_t
cel_any_part(cel_eval_t *eval, const cel_any_message_t *message,
    const char *name, cel_wire_t *in, cel_value_t *out)
{
    cel_any_message_t         part;
    const cel_any_message_t  *known;

    if (message->depth >= CEL_ANY_DEPTH) {
        return cel_eval_fail(eval, CEL_E_DEPTH,
                             "type conversion error: google.protobuf.Any: "
                             "messages nest deeper than %d", CEL_ANY_DEPTH);
    }

    for (known = cel_any_messages; strcmp(known->name, name) != 0; known++) {
        /* void */
    }

    part = *known;
    part.depth = message->depth + 1;

    return part.decode(eval, &part, in, out);
}


/* Any { string type_url = 1; bytes value = 2; } */

CEL_ANY(cel_any_any)
{
    cel_wire_t        value;
    cel_value_t       url;
    cel_wire_field_t  field;

    url = cel_string("", 0);
    value.p = NULL;
    value.end = NULL;

    while (in->p < in->end) {

        if (cel_any_next(eval, message, in, &field) != CEL_OK) {
            return CEL_ERROR;
        }

        if (field.type != CEL_WIRE_BYTES) {
            continue;
        }

        if (field.number == 1
            && cel_any_text(eval, message, &field, &url) != CEL_OK)
        {
            return CEL_ERROR;
        }

        if (field.number == 2) {
            value = field.bytes;
        }
    }

    if (message->depth >= CEL_ANY_DEPTH) {
        return cel_any_part(eval, message, message->name, &value, out);
    }

    return cel_any_message(eval, message->depth + 1, &url, &value, out);
}


/*
 * Value { oneof kind { NullValue null_value = 1; double number_value = 2;
 *     string string_value = 3; bool bool_value = 4; Struct struct_value = 5;
 *     ListValue list_value = 6; } }
 */

CEL_ANY(cel_any_value)
{
    cel_wire_field_t  field, kind;

    static const cel_wire_type_t  types[] = {
        CEL_WIRE_BYTES, CEL_WIRE_VARINT, CEL_WIRE_64, CEL_WIRE_BYTES,
        CEL_WIRE_VARINT, CEL_WIRE_BYTES, CEL_WIRE_BYTES
    };

    kind.number = 1;

    while (in->p < in->end) {

        if (cel_any_next(eval, message, in, &field) != CEL_OK) {
            return CEL_ERROR;
        }

        if (field.number > 6 || field.type != types[field.number]) {
            continue;
        }

        /* the last one holds; two of the same would have to be merged */

        if (field.number >= 5 && field.number == kind.number) {
            return cel_any_fail(eval, message, "a field is there twice");
        }

        kind = field;
    }

    switch (kind.number) {

    case 2:
        *out = cel_double(cel_any_double(kind.value, 64));
        return CEL_OK;

    case 3:
        return cel_any_text(eval, message, &kind, out);

    case 4:
        *out = cel_bool(kind.value != 0);
        return CEL_OK;

    case 5:
        return cel_any_part(eval, message, "Struct", &kind.bytes, out);

    case 6:
        return cel_any_part(eval, message, "ListValue", &kind.bytes, out);

    default:
        *out = cel_null();
        return CEL_OK;
    }
}


/* ListValue { repeated Value values = 1; } */

CEL_ANY(cel_any_list)
{
    cel_any_repeated_t  list;

    list.decode = cel_any_element;
    list.width = 1;

    if (cel_any_repeated(eval, message, in, &list) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_wrap_list(eval, list.values, list.count, out);
}


CEL_ANY(cel_any_element)
{
    return cel_any_part(eval, message, "Value", in, out);
}


/* Struct { map<string, Value> fields = 1; } */

CEL_ANY(cel_any_struct)
{
    cel_any_repeated_t  map;

    map.decode = cel_any_entry;
    map.width = 2;

    if (cel_any_repeated(eval, message, in, &map) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_wrap_map(eval, map.values, map.count, out);
}


/* gives values and count */

static cel_status_t
cel_any_repeated(cel_eval_t *eval, const cel_any_message_t *message,
    cel_wire_t *in, cel_any_repeated_t *repeated)
{
    uint32_t          i;
    cel_value_t      *value;
    cel_wire_field_t  field;

    if (cel_any_count(eval, message, *in, &repeated->count) != CEL_OK) {
        return CEL_ERROR;
    }

    value = cel_eval_alloc(eval, (size_t) repeated->width * repeated->count
                                 * sizeof(cel_value_t));
    if (value == NULL) {
        return CEL_ERROR;
    }

    repeated->values = value;
    i = 0;

    while (i < repeated->count) {

        if (cel_any_next(eval, message, in, &field) != CEL_OK) {
            return CEL_ERROR;
        }

        if (field.number != 1 || field.type != CEL_WIRE_BYTES) {
            continue;
        }

        if (repeated->decode(eval, message, &field.bytes, value) != CEL_OK) {
            return CEL_ERROR;
        }

        value += repeated->width;
        i++;
    }

    return CEL_OK;
}


/* an entry is a message, too: { string key = 1; Value value = 2; } */

CEL_ANY(cel_any_entry)
{
    bool              found;
    cel_wire_t        value;
    cel_wire_field_t  field;

    out[0] = cel_string("", 0);
    value.p = NULL;
    value.end = NULL;
    found = false;

    while (in->p < in->end) {

        if (cel_any_next(eval, message, in, &field) != CEL_OK) {
            return CEL_ERROR;
        }

        if (field.type != CEL_WIRE_BYTES) {
            continue;
        }

        if (field.number == 1
            && cel_any_text(eval, message, &field, &out[0]) != CEL_OK)
        {
            return CEL_ERROR;
        }

        if (field.number == 2) {

            if (found) {
                return cel_any_fail(eval, message, "a field is there twice");
            }

            found = true;
            value = field.bytes;
        }
    }

    return cel_any_part(eval, message, "Value", &value, &out[1]);
}


/* how many elements or entries there are: in stays where it is */

static cel_status_t
cel_any_count(cel_eval_t *eval, const cel_any_message_t *message,
    cel_wire_t in, uint32_t *count)
{
    cel_wire_field_t  field;

    *count = 0;

    while (in.p < in.end) {

        if (cel_any_next(eval, message, &in, &field) != CEL_OK) {
            return CEL_ERROR;
        }

        *count += field.number == 1 && field.type == CEL_WIRE_BYTES;
    }

    return cel_eval_entries(eval, *count);
}


static cel_status_t
cel_any_fail_url(cel_eval_t *eval, const cel_value_t *url)
{
    char  text[CEL_MESSAGE_MAX / 2 - 16];

    cel_value_text(url, text, sizeof(text));

    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                         "type conversion error: google.protobuf.Any: "
                         "type_url \"%s\" is of no well-known message; one is "
                         "\"type.googleapis.com/google.protobuf.Value\"",
                         text);
}
