
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_format_number.c - numbers of format(): %d %f %e %b %o %x %X, with a
 * precision for %f and %e.
 */


#include "cel_format.h"


static void cel_format_hex_bytes(cel_text_t *text, const cel_value_t *v,
    const char *digits);


cel_status_t
cel_format_decimal(cel_text_t *text, const cel_value_t *v)
{
    char    buf[CEL_NUMBER_TEXT];
    size_t  len;

    switch (v->kind) {

    case CEL_INT:
        len = cel_int_format(v->i, buf);
        break;

    case CEL_UINT:
        len = cel_uint_format(v->u, buf);
        break;

    case CEL_DOUBLE:
        if (v->d - v->d != 0) {
            return cel_format_double(text, 'f', -1, v);
        }

        /* fall through */

    default:
        return cel_format_refuse(text->eval, "decimal", v);
    }

    cel_text_add(text, buf, len);

    return text->status;
}


cel_status_t
cel_format_double(cel_text_t *text, char verb, int precision,
    const cel_value_t *v)
{
    char    buf[CEL_FORMAT_NUMBER];
    double  d;
    size_t  len;

    switch (v->kind) {

    case CEL_DOUBLE:
        d = v->d;
        break;

    case CEL_INT:
        d = (double) v->i;
        break;

    case CEL_UINT:
        d = (double) v->u;
        break;

    default:
        return cel_format_refuse(text->eval, verb == 'e' ? "scientific"
                                                         : "fixed-point", v);
    }

    if (d != d) {
        cel_text_add_z(text, "NaN");
        return text->status;
    }

    if (d - d != 0) {
        cel_text_add_z(text, d < 0 ? "-Infinity" : "Infinity");
        return text->status;
    }

    len = cel_double_to_precision(d, verb, precision, buf, sizeof(buf));
    cel_text_add(text, buf, len);

    return text->status;
}


cel_status_t
cel_format_radix(cel_text_t *text, char verb, const cel_value_t *v)
{
    char         buf[72], *p;
    bool         minus;
    uint64_t     u;
    uint32_t     shift;
    const char  *digits;

    digits = verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    shift = verb == 'b' ? 1 : verb == 'o' ? 3 : 4;
    minus = false;

    switch (v->kind) {

    case CEL_INT:
        minus = v->i < 0;
        u = minus ? -(uint64_t) v->i : (uint64_t) v->i;
        break;

    case CEL_UINT:
        u = v->u;
        break;

    case CEL_BOOL:
        if (verb != 'b') {
            return cel_format_refuse(text->eval, verb == 'o' ? "octal"
                                                             : "hex", v);
        }

        u = v->b;
        break;

    case CEL_STRING:
    case CEL_BYTES:
        if (shift == 4) {
            cel_format_hex_bytes(text, v, digits);
            return text->status;
        }

        /* fall through */

    default:
        return cel_format_refuse(text->eval, verb == 'b' ? "binary"
                                             : verb == 'o' ? "octal"
                                             : "hex", v);
    }

    p = buf + sizeof(buf);

    do {
        *--p = digits[u & ((1u << shift) - 1)];
        u >>= shift;
    } while (u != 0);

    if (minus) {
        *--p = '-';
    }

    cel_text_add(text, p, (size_t) (buf + sizeof(buf) - p));

    return text->status;
}


static void
cel_format_hex_bytes(cel_text_t *text, const cel_value_t *v,
    const char *digits)
{
    uint32_t       i;
    unsigned char  c;

    if (cel_charge(text->eval, v->len >> 3) != CEL_OK) {
        text->status = CEL_ERROR;
        return;
    }

    for (i = 0; i < v->len && text->status == CEL_OK; i++) {
        c = (unsigned char) v->s[i];
        cel_text_char(text, digits[c >> 4]);
        cel_text_char(text, digits[c & 15]);
    }
}


cel_status_t
cel_format_refuse(cel_eval_t *eval, const char *clause, const cel_value_t *v)
{
    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                         "format: a %s clause cannot take a value of type %s",
                         clause, cel_value_type(v)->name);
}
