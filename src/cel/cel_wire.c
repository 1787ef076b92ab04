
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_wire.c - the wire format of Protocol Buffers, field by field.  What a
 * field means is for the caller to know.
 */


#include "cel_wire.h"


#define CEL_WIRE_NUMBER_MAX  ((1u << 29) - 1)


static bool cel_wire_varint(cel_wire_t *wire, uint64_t *value);
static bool cel_wire_fixed(cel_wire_t *wire, uint32_t len, uint64_t *value);
static const char *cel_wire_value(cel_wire_t *wire, uint32_t type,
    cel_wire_field_t *field);


/* field = tag value; tag = varint of number << 3 | type */

const char *
cel_wire_next(cel_wire_t *wire, cel_wire_field_t *field)
{
    uint64_t  tag;

    if (!cel_wire_varint(wire, &tag)) {
        return "a tag is cut or too long";
    }

    if (tag >> 3 == 0 || tag >> 3 > CEL_WIRE_NUMBER_MAX) {
        return "a field has a number out of range";
    }

    field->number = (uint32_t) (tag >> 3);
    field->value = 0;
    field->bytes.p = NULL;
    field->bytes.end = NULL;

    return cel_wire_value(wire, tag & 7, field);
}


static const char *
cel_wire_value(cel_wire_t *wire, uint32_t type, cel_wire_field_t *field)
{
    field->type = (cel_wire_type_t) type;

    switch (type) {

    case CEL_WIRE_VARINT:
        return cel_wire_varint(wire, &field->value)
               ? NULL : "a number is cut or too long";

    case CEL_WIRE_64:
    case CEL_WIRE_32:
        return cel_wire_fixed(wire, type == CEL_WIRE_64 ? 8 : 4,
                              &field->value)
               ? NULL : "a number is cut";

    case CEL_WIRE_BYTES:

        if (!cel_wire_varint(wire, &field->value)
            || field->value > (uint64_t) (wire->end - wire->p))
        {
            return "a field is longer than the message";
        }

        field->bytes.p = wire->p;
        wire->p += field->value;
        field->bytes.end = wire->p;
        return NULL;

    default:
        return "a field has a type that messages do not have";
    }
}


/* seven bits a byte, the lowest ones first, the last byte below 0x80 */

static bool
cel_wire_varint(cel_wire_t *wire, uint64_t *value)
{
    uint32_t       shift;
    unsigned char  c;

    *value = 0;

    for (shift = 0; shift < 64 && wire->p < wire->end; shift += 7) {
        c = (unsigned char) *wire->p++;

        if (shift == 63 && c > 1) {
            return false;
        }

        *value |= (uint64_t) (c & 0x7f) << shift;

        if (c < 0x80) {
            return true;
        }
    }

    return false;
}


static bool
cel_wire_fixed(cel_wire_t *wire, uint32_t len, uint64_t *value)
{
    uint32_t  i;

    if (wire->end - wire->p < (ptrdiff_t) len) {
        return false;
    }

    *value = 0;

    for (i = 0; i < len; i++) {
        *value |= (uint64_t) (unsigned char) *wire->p++ << (8 * i);
    }

    return true;
}
