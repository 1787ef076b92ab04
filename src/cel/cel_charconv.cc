
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_charconv.cc - the C face of <charconv>; nothing here throws.
 */


#include "cel_charconv.h"

#include <charconv>
#include <system_error>


bool
cel_double_from_chars(const char *s, size_t len, double *d)
{
    std::from_chars_result  rc;

    rc = std::from_chars(s, s + len, *d);

    return rc.ec == std::errc() && rc.ptr == s + len;
}


size_t
cel_double_to_scientific(double d, char *buf, size_t size)
{
    std::to_chars_result  rc;

    rc = std::to_chars(buf, buf + size, d, std::chars_format::scientific);

    return rc.ec == std::errc() ? (size_t) (rc.ptr - buf) : 0;
}


size_t
cel_double_to_precision(double d, char format, int precision, char *buf,
    size_t size)
{
    std::chars_format      how;
    std::to_chars_result   rc;

    how = format == 'e' ? std::chars_format::scientific
                        : std::chars_format::fixed;

    rc = precision < 0 ? std::to_chars(buf, buf + size, d, how)
                       : std::to_chars(buf, buf + size, d, how, precision);

    return rc.ec == std::errc() ? (size_t) (rc.ptr - buf) : 0;
}
