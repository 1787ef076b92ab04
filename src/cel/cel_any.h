
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_any.h - well-known messages as values: from numbers, and from what an
 * Any holds; private to src/cel.
 */


#ifndef CEL_ANY_H_INCLUDED
#define CEL_ANY_H_INCLUDED


#include "cel_runtime.h"
#include "cel_wire.h"


/*
 * google.protobuf.Any{type_url: url, value: value} as the value that it holds;
 * its strings and bytes are parts of `value`.  CEL_OK, or CEL_ERROR filled:
 * the type is not a well-known one, or the bytes are not such a message.
 */
cel_status_t cel_any_decode(cel_eval_t *eval, const cel_value_t *url,
    const cel_value_t *value, cel_value_t *out);

/*
 * google.protobuf.Timestamp and google.protobuf.Duration of these fields,
 * CEL_ERROR filled when they are out of its range.
 */
cel_status_t cel_message_time(cel_eval_t *eval, int64_t seconds,
    int64_t nanos, cel_value_t *out);
cel_status_t cel_message_span(cel_eval_t *eval, int64_t seconds,
    int64_t nanos, cel_value_t *out);


/* What cel_any.c and cel_any_scalar.c share */

typedef struct cel_any_message_s  cel_any_message_t;

/* out: the value; in: the fields of a message, which it uses up */
typedef cel_status_t (*cel_any_pt)(cel_eval_t *eval,
    const cel_any_message_t *message, cel_wire_t *in, cel_value_t *out);

struct cel_any_message_s {
    const char        *name;            /* after "google.protobuf." */
    cel_any_pt         decode;
    uint32_t           depth;           /* of the message, 0 is outermost */
    cel_kind_t         kind;            /* of a wrapper's value */
    cel_wire_type_t    type;            /* of its field on the wire */
    uint32_t           bits;            /* of the number */
};


/* a message of one field, and one of seconds and nanos; as cel_any_pt */
cel_status_t cel_any_wrapper(cel_eval_t *eval,
    const cel_any_message_t *message, cel_wire_t *in, cel_value_t *out);
cel_status_t cel_any_time(cel_eval_t *eval, const cel_any_message_t *message,
    cel_wire_t *in, cel_value_t *out);

/* the next field, or CEL_ERROR filled */
cel_status_t cel_any_next(cel_eval_t *eval, const cel_any_message_t *message,
    cel_wire_t *in, cel_wire_field_t *field);

/* a field of CEL_WIRE_BYTES as a string: CEL_OK, or CEL_ERROR filled */
cel_status_t cel_any_text(cel_eval_t *eval, const cel_any_message_t *message,
    const cel_wire_field_t *field, cel_value_t *out);

/* of 32 or 64 bits as they are on the wire */
double cel_any_double(uint64_t bits, uint32_t width);

/* CEL_ERROR, and the error says why the bytes are not this message */
cel_status_t cel_any_fail(cel_eval_t *eval, const cel_any_message_t *message,
    const char *why);


#endif /* CEL_ANY_H_INCLUDED */
