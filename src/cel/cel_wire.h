
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_wire.h - reads the fields of a message in the wire format of Protocol
 * Buffers, one after the other; private to src/cel.  It knows no message and
 * allocates nothing.
 */


#ifndef CEL_WIRE_H_INCLUDED
#define CEL_WIRE_H_INCLUDED


#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


/* Bytes that are left to read, somebody else's. */

typedef struct {
    const char          *p;
    const char          *end;
} cel_wire_t;

/* the numbers are those of the format */

typedef enum {
    CEL_WIRE_VARINT = 0,
    CEL_WIRE_64 = 1,
    CEL_WIRE_BYTES = 2,
    CEL_WIRE_32 = 5
} cel_wire_type_t;

typedef struct {
    uint32_t             number;        /* of the field, 1 and up */
    cel_wire_type_t      type;
    uint64_t             value;         /* not of CEL_WIRE_BYTES */
    cel_wire_t           bytes;         /* of CEL_WIRE_BYTES */
} cel_wire_field_t;


/*
 * The next field; NULL, or what is wrong: a number or a length that is cut, a
 * varint of more than 64 bits, a field without a number, a group.  Only while
 * there are bytes left.
 */
const char *cel_wire_next(cel_wire_t *wire, cel_wire_field_t *field);


#endif /* CEL_WIRE_H_INCLUDED */
