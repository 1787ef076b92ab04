
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_any_scalar.c - the messages in google.protobuf.Any that hold a number or
 * a text, or two numbers: wrappers and times.
 */


#include "cel_any.h"


static cel_value_t cel_any_zero(cel_kind_t kind);
static cel_status_t cel_any_scalar(cel_eval_t *eval,
    const cel_any_message_t *message, const cel_wire_field_t *field,
    cel_value_t *out);


/* Int32Value { int32 value = 1; } and the like */

cel_status_t
cel_any_wrapper(cel_eval_t *eval, const cel_any_message_t *message,
    cel_wire_t *in, cel_value_t *out)
{
    cel_wire_field_t  field;

    *out = cel_any_zero(message->kind);

    while (in->p < in->end) {

        if (cel_any_next(eval, message, in, &field) != CEL_OK) {
            return CEL_ERROR;
        }

        if (field.number == 1 && field.type == message->type
            && cel_any_scalar(eval, message, &field, out) != CEL_OK)
        {
            return CEL_ERROR;
        }
    }

    return CEL_OK;
}


static cel_value_t
cel_any_zero(cel_kind_t kind)
{
    switch (kind) {

    case CEL_BOOL:
        return cel_bool(false);

    case CEL_INT:
        return cel_int(0);

    case CEL_UINT:
        return cel_uint(0);

    case CEL_DOUBLE:
        return cel_double(0);

    case CEL_BYTES:
        return cel_bytes("", 0);

    default:
        return cel_string("", 0);
    }
}


/* a number that is wider than its field is cut to it */

static cel_status_t
cel_any_scalar(cel_eval_t *eval, const cel_any_message_t *message,
    const cel_wire_field_t *field, cel_value_t *out)
{
    uint64_t  value;

    value = field->value;

    switch (message->kind) {

    case CEL_BOOL:
        *out = cel_bool(value != 0);
        return CEL_OK;

    case CEL_INT:
        out->i = message->bits == 32 ? (int32_t) (uint32_t) value
                                     : (int64_t) value;
        return CEL_OK;

    case CEL_UINT:
        out->u = message->bits == 32 ? (uint32_t) value : value;
        return CEL_OK;

    case CEL_DOUBLE:
        *out = cel_double(cel_any_double(value, message->bits));
        return CEL_OK;

    case CEL_BYTES:
        *out = cel_bytes(field->bytes.p,
                         (size_t) (field->bytes.end - field->bytes.p));
        return CEL_OK;

    default:
        return cel_any_text(eval, message, field, out);
    }
}


double
cel_any_double(uint64_t bits, uint32_t width)
{
    float     f;
    double    d;
    uint32_t  low;

    if (width == 32) {
        low = (uint32_t) bits;
        memcpy(&f, &low, sizeof(f));
        return (double) f;
    }

    memcpy(&d, &bits, sizeof(d));

    return d;
}


cel_status_t
cel_any_text(cel_eval_t *eval, const cel_any_message_t *message,
    const cel_wire_field_t *field, cel_value_t *out)
{
    size_t  len;

    len = (size_t) (field->bytes.end - field->bytes.p);

    if (!cel_utf8_valid(field->bytes.p, len)) {
        return cel_any_fail(eval, message, "a string is not UTF-8");
    }

    *out = cel_string(field->bytes.p, len);

    return CEL_OK;
}


/* Timestamp, Duration { int64 seconds = 1; int32 nanos = 2; } */

cel_status_t
cel_any_time(cel_eval_t *eval, const cel_any_message_t *message,
    cel_wire_t *in, cel_value_t *out)
{
    int64_t           parts[2];
    cel_wire_field_t  field;

    parts[0] = 0;
    parts[1] = 0;

    while (in->p < in->end) {

        if (cel_any_next(eval, message, in, &field) != CEL_OK) {
            return CEL_ERROR;
        }

        if (field.type != CEL_WIRE_VARINT) {
            continue;
        }

        if (field.number == 1) {
            parts[0] = (int64_t) field.value;

        } else if (field.number == 2) {
            parts[1] = (int32_t) (uint32_t) field.value;
        }
    }

    return message->name[0] == 'T'
           ? cel_message_time(eval, parts[0], parts[1], out)
           : cel_message_span(eval, parts[0], parts[1], out);
}


cel_status_t
cel_any_next(cel_eval_t *eval, const cel_any_message_t *message,
    cel_wire_t *in, cel_wire_field_t *field)
{
    const char  *why;

    why = cel_wire_next(in, field);

    return why == NULL ? CEL_OK : cel_any_fail(eval, message, why);
}


cel_status_t
cel_any_fail(cel_eval_t *eval, const cel_any_message_t *message,
    const char *why)
{
    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                         "type conversion error: the value of "
                         "google.protobuf.Any is no google.protobuf.%s: %s",
                         message->name, why);
}
