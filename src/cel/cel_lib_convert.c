
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_convert.c - conversions between types, type() and dyn().  Those of
 * text to times are parsed by cel_time.c.
 */


#include "cel_runtime.h"


#define CEL_SCALAR  1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_SELF    1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_ELEMENT
#define CEL_PARSED  2, 1, 3, 1, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_TEXT    4, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_COPIED  1, 1, CEL_BYTES_SHIFT - 2, 1, CEL_CHARGE_SUM,             \
                    CEL_RESULT_ARGS

#define CEL_CONVERT(name)                                                     \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_CONVERT(cel_to_self);
CEL_CONVERT(cel_to_type);
CEL_CONVERT(cel_to_int);
CEL_CONVERT(cel_to_uint);
CEL_CONVERT(cel_to_double);
CEL_CONVERT(cel_to_bool);
CEL_CONVERT(cel_to_string);
CEL_CONVERT(cel_to_bytes);
CEL_CONVERT(cel_to_timestamp);
CEL_CONVERT(cel_to_duration);


const cel_overload_spec_t  cel_lib_convert[] = {

    CEL_OVERLOAD("dyn", "to_dyn", "(A): dyn", cel_to_self, CEL_SELF),
    CEL_OVERLOAD("type", "type", "(A): type(A)", cel_to_type, CEL_SCALAR),

    CEL_OVERLOAD("bool", "bool_to_bool", "(bool): bool", cel_to_self,
                 CEL_SELF),
    CEL_OVERLOAD("bool", "string_to_bool", "(string): bool", cel_to_bool,
                 CEL_SCALAR),

    CEL_OVERLOAD("int", "int64_to_int64", "(int): int", cel_to_self,
                 CEL_SELF),
    CEL_OVERLOAD("int", "uint64_to_int64", "(uint): int", cel_to_int,
                 CEL_SCALAR),
    CEL_OVERLOAD("int", "double_to_int64", "(double): int", cel_to_int,
                 CEL_SCALAR),
    CEL_OVERLOAD("int", "string_to_int64", "(string): int", cel_to_int,
                 CEL_PARSED),
    CEL_OVERLOAD("int", "timestamp_to_int64", "(timestamp): int", cel_to_int,
                 CEL_SCALAR),

    CEL_OVERLOAD("uint", "uint64_to_uint64", "(uint): uint", cel_to_self,
                 CEL_SELF),
    CEL_OVERLOAD("uint", "int64_to_uint64", "(int): uint", cel_to_uint,
                 CEL_SCALAR),
    CEL_OVERLOAD("uint", "double_to_uint64", "(double): uint", cel_to_uint,
                 CEL_SCALAR),
    CEL_OVERLOAD("uint", "string_to_uint64", "(string): uint", cel_to_uint,
                 CEL_PARSED),

    CEL_OVERLOAD("double", "double_to_double", "(double): double",
                 cel_to_self, CEL_SELF),
    CEL_OVERLOAD("double", "int64_to_double", "(int): double", cel_to_double,
                 CEL_SCALAR),
    CEL_OVERLOAD("double", "uint64_to_double", "(uint): double",
                 cel_to_double, CEL_SCALAR),
    CEL_OVERLOAD("double", "string_to_double", "(string): double",
                 cel_to_double, CEL_PARSED),

    CEL_OVERLOAD("string", "string_to_string", "(string): string",
                 cel_to_self, CEL_SELF),
    CEL_OVERLOAD("string", "bool_to_string", "(bool): string", cel_to_string,
                 CEL_TEXT),
    CEL_OVERLOAD("string", "int64_to_string", "(int): string", cel_to_string,
                 CEL_TEXT),
    CEL_OVERLOAD("string", "uint64_to_string", "(uint): string",
                 cel_to_string, CEL_TEXT),
    CEL_OVERLOAD("string", "double_to_string", "(double): string",
                 cel_to_string, CEL_TEXT),
    CEL_OVERLOAD("string", "timestamp_to_string", "(timestamp): string",
                 cel_to_string, CEL_TEXT),
    CEL_OVERLOAD("string", "duration_to_string", "(duration): string",
                 cel_to_string, CEL_TEXT),
    CEL_OVERLOAD("string", "bytes_to_string", "(bytes): string",
                 cel_to_string, CEL_COPIED),

    CEL_OVERLOAD("bytes", "bytes_to_bytes", "(bytes): bytes", cel_to_self,
                 CEL_SELF),
    CEL_OVERLOAD("bytes", "string_to_bytes", "(string): bytes", cel_to_bytes,
                 CEL_SELF),

    CEL_OVERLOAD("timestamp", "timestamp_to_timestamp",
                 "(timestamp): timestamp", cel_to_self, CEL_SELF),
    CEL_OVERLOAD("timestamp", "int64_to_timestamp", "(int): timestamp",
                 cel_to_timestamp, CEL_SCALAR),
    CEL_OVERLOAD("timestamp", "string_to_timestamp", "(string): timestamp",
                 cel_to_timestamp, CEL_PARSED),

    CEL_OVERLOAD("duration", "duration_to_duration", "(duration): duration",
                 cel_to_self, CEL_SELF),
    CEL_OVERLOAD("duration", "string_to_duration", "(string): duration",
                 cel_to_duration, CEL_PARSED),

    CEL_OVERLOADS_END
};


static cel_status_t
cel_convert_range(cel_eval_t *eval, const char *to)
{
    return cel_eval_fail(eval, CEL_E_OUT_OF_RANGE,
                         "range error: value does not fit %s", to);
}


/* The text is the user's: shown cut. */

static cel_status_t
cel_convert_text(cel_eval_t *eval, const cel_value_t *v, const char *to)
{
    char  text[64];

    cel_value_text(v, text, sizeof(text));

    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                         "type conversion error: \"%s\" is no %s", text, to);
}


CEL_CONVERT(cel_to_self)
{
    *out = args[0];

    return CEL_OK;
}


CEL_CONVERT(cel_to_type)
{
    *out = cel_type_value(cel_value_type(&args[0]));

    return CEL_OK;
}


/* Digits only; false when there are none, others, or too many. */

static bool
cel_parse_digits(const char *s, size_t len, uint64_t *u)
{
    size_t  i;

    *u = 0;

    for (i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9'
            || __builtin_mul_overflow(*u, 10, u)
            || __builtin_add_overflow(*u, (uint64_t) (s[i] - '0'), u))
        {
            return false;
        }
    }

    return len != 0;
}


static bool
cel_parse_int(const char *s, size_t len, int64_t *i)
{
    bool      minus;
    uint64_t  u;

    minus = len != 0 && *s == '-';

    if (len != 0 && (*s == '-' || *s == '+')) {
        s++;
        len--;
    }

    if (!cel_parse_digits(s, len, &u)
        || u > (uint64_t) INT64_MAX + (minus ? 1 : 0))
    {
        return false;
    }

    *i = (int64_t) (minus ? -u : u);

    return true;
}


CEL_CONVERT(cel_to_int)
{
    int64_t  i;

    i = args[0].i;

    switch (args[0].kind) {

    case CEL_UINT:
        if (args[0].u > INT64_MAX) {
            return cel_convert_range(eval, "int");
        }

        break;

    case CEL_DOUBLE:
        if (!(args[0].d > -9223372036854775808.0
              && args[0].d < 9223372036854775808.0))
        {
            return cel_convert_range(eval, "int");
        }

        i = (int64_t) args[0].d;
        break;

    case CEL_STRING:
        if (!cel_parse_int(args[0].s, args[0].len, &i)) {
            return cel_convert_text(eval, &args[0], "int");
        }

        break;

    default:
        break;
    }

    *out = cel_int(i);

    return CEL_OK;
}


CEL_CONVERT(cel_to_uint)
{
    uint64_t  u;

    u = args[0].u;

    switch (args[0].kind) {

    case CEL_INT:
        if (args[0].i < 0) {
            return cel_convert_range(eval, "uint");
        }

        break;

    case CEL_DOUBLE:
        if (!(args[0].d >= 0 && args[0].d < 18446744073709551616.0)) {
            return cel_convert_range(eval, "uint");
        }

        u = (uint64_t) args[0].d;
        break;

    default:
        if (!cel_parse_digits(args[0].s, args[0].len, &u)) {
            return cel_convert_text(eval, &args[0], "uint");
        }
    }

    *out = cel_uint(u);

    return CEL_OK;
}


CEL_CONVERT(cel_to_double)
{
    double  d;

    switch (args[0].kind) {

    case CEL_INT:
        d = (double) args[0].i;
        break;

    case CEL_UINT:
        d = (double) args[0].u;
        break;

    default:
        if (!cel_double_parse(args[0].s, args[0].len, &d)) {
            return cel_convert_text(eval, &args[0], "double");
        }
    }

    *out = cel_double(d);

    return CEL_OK;
}


CEL_CONVERT(cel_to_bool)
{
    size_t  i;

    static const char *const  words[] = {
        "0", "f", "F", "false", "FALSE", "False",
        "1", "t", "T", "true", "TRUE", "True"
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i]) == args[0].len
            && memcmp(words[i], args[0].s, args[0].len) == 0)
        {
            *out = cel_bool(i >= 6);
            return CEL_OK;
        }
    }

    return cel_convert_text(eval, &args[0], "bool");
}


CEL_CONVERT(cel_to_string)
{
    char         buf[CEL_NUMBER_TEXT];
    char        *p;
    size_t       len;

    switch (args[0].kind) {

    case CEL_BYTES:
        if (!cel_utf8_valid(args[0].s, args[0].len)) {
            return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                                 "invalid UTF-8 in bytes, cannot convert to "
                                 "string");
        }

        *out = cel_string(args[0].s, args[0].len);
        return CEL_OK;

    case CEL_BOOL:
        *out = args[0].b ? cel_string("true", 4) : cel_string("false", 5);
        return CEL_OK;

    case CEL_INT:
        len = cel_int_format(args[0].i, buf);
        break;

    case CEL_UINT:
        len = cel_uint_format(args[0].u, buf);
        break;

    case CEL_DOUBLE:
        len = cel_double_format(args[0].d, CEL_EXPONENT_FROM, buf);
        break;

    default:
        len = cel_time_format(&args[0], buf);
    }

    p = cel_new_string(eval, len, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    memcpy(p, buf, len);

    return CEL_OK;
}


CEL_CONVERT(cel_to_bytes)
{
    *out = cel_bytes(args[0].s, args[0].len);

    return CEL_OK;
}


CEL_CONVERT(cel_to_timestamp)
{
    if (args[0].kind == CEL_INT) {
        if (!cel_time_make(args[0].i, 0, out)) {
            return cel_convert_range(eval, "timestamp");
        }

        return CEL_OK;
    }

    if (!cel_time_parse(args[0].s, args[0].len, out)) {
        return cel_convert_text(eval, &args[0],
                                "timestamp of RFC 3339 between the years 1 "
                                "and 9999");
    }

    return CEL_OK;
}


CEL_CONVERT(cel_to_duration)
{
    if (!cel_duration_parse(args[0].s, args[0].len, out)) {
        return cel_convert_text(eval, &args[0],
                                "duration like \"1.5s\" within 10000 years");
    }

    return CEL_OK;
}
