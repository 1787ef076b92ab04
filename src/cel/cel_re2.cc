
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_re2.cc - the only file that knows RE2.
 */


#include "cel_re2.h"

#include <cstdio>
#include <new>

#include <re2/re2.h>


struct cel_re2_s {
    RE2  re;

    cel_re2_s(const re2::StringPiece &pattern, const RE2::Options &options)
        : re(pattern, options)
    {
    }
};


cel_re2_t *
cel_re2_create(const char *pattern, size_t len, uint32_t max_program,
    char *message, size_t size)
try {
    cel_re2_t     *re;
    RE2::Options   options;

    options.set_log_errors(false);
    options.set_max_mem(CEL_RE2_MEMORY);
    options.set_never_capture(true);

    re = new (std::nothrow) cel_re2_s(re2::StringPiece(pattern, len),
                                      options);

    if (re == nullptr) {
        snprintf(message, size, "out of memory for a pattern");
        return nullptr;
    }

    if (!re->re.ok()) {
        snprintf(message, size, "invalid regex: %s", re->re.error().c_str());
        delete re;
        return nullptr;
    }

    if (re->re.ProgramSize() > (int) max_program) {
        snprintf(message, size, "regex program of %d instructions exceeds "
                 "the limit of %u", re->re.ProgramSize(),
                 (unsigned) max_program);
        delete re;
        return nullptr;
    }

    return re;

} catch (...) {
    snprintf(message, size, "out of memory for a pattern");
    return nullptr;
}


void
cel_re2_destroy(cel_re2_t *re)
{
    delete re;
}


uint32_t
cel_re2_program_size(const cel_re2_t *re)
{
    return (uint32_t) re->re.ProgramSize();
}


int
cel_re2_match(const cel_re2_t *re, const char *text, size_t len)
try {
    return re->re.Match(re2::StringPiece(text, len), 0, len,
                        RE2::UNANCHORED, nullptr, 0);

} catch (...) {
    return -1;
}
