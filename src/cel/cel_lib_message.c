
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_message.c - what a literal of a well-known message is as a value;
 * the names are what cel_message.c makes of such literals, and no expression
 * can call them.
 */


#include "cel_any.h"


#define CEL_SCALAR  1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_ITSELF  1, 0, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_SAME
#define CEL_COPIED  2, 1, CEL_JSON_SHIFT, 1, CEL_CHARGE_DEEP, CEL_RESULT_JSON
#define CEL_DECODED 8, 1, 0, 3, CEL_CHARGE_SUM, CEL_RESULT_ARGS


/* bytes to units when they become base64, as in base64.encode() */
#define CEL_JSON_SHIFT  2

/* up to here everybody's doubles hold whole numbers and no others beside */
#define CEL_WHOLE   ((INT64_C(1) << 53) - 1)


#define CEL_MESSAGES(name)                                                    \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_MESSAGES(cel_message_itself);
CEL_MESSAGES(cel_message_int32);
CEL_MESSAGES(cel_message_uint32);
CEL_MESSAGES(cel_message_float);
CEL_MESSAGES(cel_message_null);
CEL_MESSAGES(cel_message_json);
CEL_MESSAGES(cel_message_timestamp);
CEL_MESSAGES(cel_message_duration);
CEL_MESSAGES(cel_message_any);
static cel_status_t cel_message_copy(cel_eval_t *eval, const cel_value_t *v,
    cel_value_t *out, uint32_t depth);
static cel_status_t cel_message_copy_number(cel_eval_t *eval,
    const cel_value_t *v, cel_value_t *out);
static cel_status_t cel_message_copy_bytes(cel_eval_t *eval,
    const cel_value_t *v, cel_value_t *out);
static cel_status_t cel_message_copy_time(cel_eval_t *eval,
    const cel_value_t *v, cel_value_t *out);
static cel_status_t cel_message_text(cel_eval_t *eval, const char *text,
    size_t len, cel_value_t *out);
static cel_status_t cel_message_copy_list(cel_eval_t *eval,
    const cel_value_t *v, cel_value_t *out, uint32_t depth);
static cel_status_t cel_message_copy_map(cel_eval_t *eval,
    const cel_value_t *v, cel_value_t *out, uint32_t depth);


#define CEL_MESSAGE(name)  "google.protobuf." name

/* a message with a wrapper's type */

#define CEL_WRAPPER(name, id, type, call, ...)                                \
    CEL_OVERLOAD(CEL_MESSAGE(name) "{}", id,                                  \
                 "(" type "): " CEL_MESSAGE(name), call, __VA_ARGS__)

#define CEL_VALUE(field, type, call, ...)                                     \
    CEL_OVERLOAD(CEL_MESSAGE("Value") "{" field "}", "value_" field,          \
                 "(" type "): dyn", call, __VA_ARGS__)


const cel_overload_spec_t  cel_lib_message[] = {

    CEL_WRAPPER("BoolValue", "bool_value", "bool", cel_message_itself,
                CEL_SCALAR),
    CEL_WRAPPER("Int32Value", "int32_value", "int", cel_message_int32,
                CEL_SCALAR),
    CEL_WRAPPER("Int64Value", "int64_value", "int", cel_message_itself,
                CEL_SCALAR),
    CEL_WRAPPER("UInt32Value", "uint32_value", "uint", cel_message_uint32,
                CEL_SCALAR),
    CEL_WRAPPER("UInt64Value", "uint64_value", "uint", cel_message_itself,
                CEL_SCALAR),
    CEL_WRAPPER("FloatValue", "float_value", "double", cel_message_float,
                CEL_SCALAR),
    CEL_WRAPPER("DoubleValue", "double_value", "double", cel_message_itself,
                CEL_SCALAR),
    CEL_WRAPPER("StringValue", "string_value", "string", cel_message_itself,
                CEL_ITSELF),
    CEL_WRAPPER("BytesValue", "bytes_value", "bytes", cel_message_itself,
                CEL_ITSELF),

    CEL_OVERLOAD(CEL_MESSAGE("Struct") "{}", "struct_fields",
                 "(map(string, dyn)): map(string, dyn)", cel_message_json,
                 CEL_COPIED),
    CEL_OVERLOAD(CEL_MESSAGE("ListValue") "{}", "list_value_values",
                 "(list(dyn)): list(dyn)", cel_message_json, CEL_COPIED),

    CEL_OVERLOAD(CEL_MESSAGE("Timestamp") "{}", "timestamp_seconds_nanos",
                 "(int, int): timestamp", cel_message_timestamp, CEL_SCALAR),
    CEL_OVERLOAD(CEL_MESSAGE("Duration") "{}", "duration_seconds_nanos",
                 "(int, int): duration", cel_message_duration, CEL_SCALAR),

    CEL_OVERLOAD(CEL_MESSAGE("Any") "{}", "any_type_url_value",
                 "(string, bytes): dyn", cel_message_any, CEL_DECODED),

    CEL_VALUE("null_value", "null_type", cel_message_null, CEL_SCALAR),
    CEL_VALUE("null_value", "int", cel_message_null, CEL_SCALAR),
    CEL_VALUE("number_value", "double", cel_message_itself, CEL_SCALAR),
    CEL_VALUE("number_value", "null_type", cel_message_null, CEL_SCALAR),
    CEL_VALUE("string_value", "string", cel_message_itself, CEL_ITSELF),
    CEL_VALUE("string_value", "null_type", cel_message_null, CEL_SCALAR),
    CEL_VALUE("bool_value", "bool", cel_message_itself, CEL_SCALAR),
    CEL_VALUE("bool_value", "null_type", cel_message_null, CEL_SCALAR),
    CEL_VALUE("struct_value", "map(string, dyn)", cel_message_json,
              CEL_COPIED),
    CEL_VALUE("struct_value", "null_type", cel_message_null, CEL_SCALAR),
    CEL_VALUE("list_value", "list(dyn)", cel_message_json, CEL_COPIED),
    CEL_VALUE("list_value", "null_type", cel_message_null, CEL_SCALAR),

    CEL_OVERLOADS_END
};


CEL_MESSAGES(cel_message_itself)
{
    *out = args[0];

    return CEL_OK;
}


CEL_MESSAGES(cel_message_int32)
{
    if (args[0].i < INT32_MIN || args[0].i > INT32_MAX) {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                             "range error: value does not fit int32");
    }

    *out = args[0];

    return CEL_OK;
}


CEL_MESSAGES(cel_message_uint32)
{
    if (args[0].u > UINT32_MAX) {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                             "range error: value does not fit uint32");
    }

    *out = args[0];

    return CEL_OK;
}


/* the nearest that a float can hold */

CEL_MESSAGES(cel_message_float)
{
    *out = cel_double((double) (float) args[0].d);

    return CEL_OK;
}


CEL_MESSAGES(cel_message_null)
{
    *out = cel_null();

    return CEL_OK;
}


CEL_MESSAGES(cel_message_timestamp)
{
    return cel_message_time(eval, args[0].i, args[1].i, out);
}


CEL_MESSAGES(cel_message_duration)
{
    return cel_message_span(eval, args[0].i, args[1].i, out);
}


CEL_MESSAGES(cel_message_any)
{
    return cel_any_decode(eval, &args[0], &args[1], out);
}


cel_status_t
cel_message_time(cel_eval_t *eval, int64_t seconds, int64_t nanos,
    cel_value_t *out)
{
    if (nanos < 0 || nanos >= CEL_NSEC || !cel_time_make(seconds, nanos, out))
    {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                             "range error: value does not fit "
                             "google.protobuf.Timestamp");
    }

    return CEL_OK;
}


cel_status_t
cel_message_span(cel_eval_t *eval, int64_t seconds, int64_t nanos,
    cel_value_t *out)
{
    if (nanos <= -CEL_NSEC || nanos >= CEL_NSEC
        || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)
        || !cel_duration_make(seconds, nanos, out))
    {
        return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                             "range error: value does not fit "
                             "google.protobuf.Duration");
    }

    return CEL_OK;
}


/* every number is a double, what JSON has no kind for is text */

CEL_MESSAGES(cel_message_json)
{
    return cel_message_copy(eval, &args[0], out, 0);
}


static cel_status_t
cel_message_copy(cel_eval_t *eval, const cel_value_t *v, cel_value_t *out,
    uint32_t depth)
{
    if (depth > CEL_VALUE_DEPTH) {
        return cel_eval_fail(eval, CEL_E_DEPTH, "values nest too deep");
    }

    switch (v->kind) {

    case CEL_NULL:
    case CEL_BOOL:
    case CEL_DOUBLE:
    case CEL_STRING:
        *out = *v;
        return CEL_OK;

    case CEL_INT:
    case CEL_UINT:
        return cel_message_copy_number(eval, v, out);

    case CEL_BYTES:
        return cel_message_copy_bytes(eval, v, out);

    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return cel_message_copy_time(eval, v, out);

    case CEL_LIST:
        return cel_message_copy_list(eval, v, out, depth);

    case CEL_MAP:
        return cel_message_copy_map(eval, v, out, depth);

    default:
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "type conversion error: a value of type '%s' is "
                             "no google.protobuf.Value",
                             cel_value_type(v)->name);
    }
}


static cel_status_t
cel_message_copy_number(cel_eval_t *eval, const cel_value_t *v,
    cel_value_t *out)
{
    char    text[CEL_NUMBER_TEXT];
    size_t  len;

    if (v->kind == CEL_INT ? v->i >= -CEL_WHOLE && v->i <= CEL_WHOLE
                           : v->u <= (uint64_t) CEL_WHOLE)
    {
        *out = cel_double((double) v->i);
        return CEL_OK;
    }

    len = v->kind == CEL_INT ? cel_int_format(v->i, text)
                             : cel_uint_format(v->u, text);

    return cel_message_text(eval, text, len, out);
}


static cel_status_t
cel_message_copy_bytes(cel_eval_t *eval, const cel_value_t *v,
    cel_value_t *out)
{
    if (cel_charge(eval, 1 + (v->len >> CEL_JSON_SHIFT)) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_base64_text(eval, v, false, out);
}


/* protobuf's mapping has a fraction of 3, 6 or 9 digits, or none */

static cel_status_t
cel_message_copy_time(cel_eval_t *eval, const cel_value_t *v,
    cel_value_t *out)
{
    char    unit, *dot, text[CEL_TIME_TEXT];
    size_t  len;

    len = cel_time_format(v, text);
    dot = memchr(text, '.', len);

    if (dot != NULL) {
        unit = text[--len];

        while ((len - (size_t) (dot + 1 - text)) % 3 != 0) {
            text[len++] = '0';
        }

        text[len++] = unit;
    }

    return cel_message_text(eval, text, len, out);
}


static cel_status_t
cel_message_text(cel_eval_t *eval, const char *text, size_t len,
    cel_value_t *out)
{
    char  *p;

    if (cel_charge(eval, 1) != CEL_OK) {
        return CEL_ERROR;
    }

    p = cel_new_string(eval, len, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    memcpy(p, text, len);

    return CEL_OK;
}


static cel_status_t
cel_message_copy_list(cel_eval_t *eval, const cel_value_t *v,
    cel_value_t *out, uint32_t depth)
{
    cel_iter_t    iter;
    cel_value_t   item, *values;
    cel_status_t  rc;

    cel_iter_init(&iter, v);

    if (cel_charge(eval, iter.n) != CEL_OK) {
        return CEL_ERROR;
    }

    values = cel_eval_alloc(eval, iter.n * sizeof(cel_value_t));
    if (values == NULL) {
        return CEL_ERROR;
    }

    while (iter.i < iter.n) {
        rc = cel_iter_next(&iter, eval, NULL, &item);

        if (rc == CEL_OK) {
            rc = cel_message_copy(eval, &item, &values[iter.i - 1],
                                  depth + 1);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    return cel_wrap_list(eval, values, iter.n, out);
}


static cel_status_t
cel_message_copy_map(cel_eval_t *eval, const cel_value_t *v,
    cel_value_t *out, uint32_t depth)
{
    cel_iter_t    iter;
    cel_value_t   item, *pair, *pairs;
    cel_status_t  rc;

    cel_iter_init(&iter, v);

    if (cel_charge(eval, 2 * (uint64_t) iter.n) != CEL_OK) {
        return CEL_ERROR;
    }

    pairs = cel_eval_alloc(eval, 2 * (size_t) iter.n * sizeof(cel_value_t));
    if (pairs == NULL) {
        return CEL_ERROR;
    }

    while (iter.i < iter.n) {
        pair = &pairs[2 * iter.i];
        rc = cel_iter_next(&iter, eval, &pair[0], &item);

        if (rc == CEL_OK && pair[0].kind != CEL_STRING) {
            return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                                 "type conversion error: a key of "
                                 "google.protobuf.Struct is a string");
        }

        if (rc == CEL_OK) {
            rc = cel_message_copy(eval, &item, &pair[1], depth + 1);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    return cel_wrap_map(eval, pairs, iter.n, out);
}
