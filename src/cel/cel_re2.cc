
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


/*
 * RE2's DFA is a cache: with too little room it falls back to a search that
 * is a hundred times slower.  Its states are about as large as the program,
 * so the budget follows the program's size.
 */

#define CEL_RE2_MEMORY_MIN  32768
#define CEL_RE2_MEMORY_PER  2048      /* an instruction */


struct cel_re2_s {
    RE2     re;
    size_t  memory;

    cel_re2_s(const re2::StringPiece &pattern, const RE2::Options &options)
        : re(pattern, options), memory(options.max_mem())
    {
    }
};


static cel_re2_t *cel_re2_compile(const char *pattern, size_t len,
    size_t memory);
static size_t cel_re2_budget(const cel_re2_t *re);
static bool cel_re2_splits(const char *pattern, size_t len);


static cel_re2_t *
cel_re2_compile(const char *pattern, size_t len, size_t memory)
{
    RE2::Options  options;

    options.set_log_errors(false);
    options.set_max_mem(memory);

    return new (std::nothrow) cel_re2_s(re2::StringPiece(pattern, len),
                                        options);
}


/* What a pattern should have, known when it was compiled with the least. */

static size_t
cel_re2_budget(const cel_re2_t *re)
{
    size_t  memory;

    if (!re->re.ok()) {
        return re->re.error_code() == RE2::ErrorPatternTooLarge
               ? CEL_RE2_MEMORY : re->memory;
    }

    memory = (size_t) re->re.ProgramSize() * CEL_RE2_MEMORY_PER;

    if (memory < CEL_RE2_MEMORY_MIN) {
        return CEL_RE2_MEMORY_MIN;
    }

    return memory < CEL_RE2_MEMORY ? memory : CEL_RE2_MEMORY;
}


cel_re2_t *
cel_re2_create(const char *pattern, size_t len, uint32_t max_program,
    char *message, size_t size)
try {
    size_t      memory;
    cel_re2_t  *re;

    if (cel_re2_splits(pattern, len)) {
        snprintf(message, size, "invalid regex: \\C, a byte of a character, is "
                 "not supported");
        return nullptr;
    }

    re = cel_re2_compile(pattern, len, CEL_RE2_MEMORY_MIN);

    if (re != nullptr) {
        memory = cel_re2_budget(re);

        if (memory != re->memory) {
            delete re;
            re = cel_re2_compile(pattern, len, memory);
        }
    }

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


/* With \C a match might end within a character and be no text. */

static bool
cel_re2_splits(const char *pattern, size_t len)
{
    size_t  i;
    bool    quoted;

    quoted = false;

    for (i = 0; i + 1 < len; i++) {
        if (pattern[i] != '\\') {
            continue;
        }

        if (quoted) {
            quoted = pattern[i + 1] != 'E';
            continue;
        }

        if (pattern[++i] == 'C') {
            return true;
        }

        quoted = pattern[i] == 'Q';
    }

    return false;
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


size_t
cel_re2_memory(const cel_re2_t *re)
{
    return re->memory;
}


int
cel_re2_match(const cel_re2_t *re, const char *text, size_t len)
try {
    return re->re.Match(re2::StringPiece(text, len), 0, len,
                        RE2::UNANCHORED, nullptr, 0);

} catch (...) {
    return -1;
}


uint32_t
cel_re2_groups(const cel_re2_t *re)
{
    return (uint32_t) re->re.NumberOfCapturingGroups();
}


int
cel_re2_find(const cel_re2_t *re, const char *text, size_t len, size_t from,
    cel_re2_span_t *span)
try {
    re2::StringPiece  found;

    if (!re->re.Match(re2::StringPiece(text, len), from, len,
                      RE2::UNANCHORED, &found, 1))
    {
        return 0;
    }

    span->s = found.data();
    span->len = found.size();

    return 1;

} catch (...) {
    return -1;
}


/*
 * The match is known, so its groups are looked for in it alone: the pattern
 * prefers the same way through it.
 */

int
cel_re2_capture(const cel_re2_t *re, const char *text, size_t len,
    cel_re2_span_t *spans, uint32_t n)
try {
    size_t            from;
    uint32_t          i;
    re2::StringPiece  found[CEL_RE2_GROUPS + 1];

    if (n > CEL_RE2_GROUPS) {
        n = CEL_RE2_GROUPS;
    }

    from = spans[0].s - text;

    if (!re->re.Match(re2::StringPiece(text, len), from, from + spans[0].len,
                      RE2::ANCHOR_BOTH, found, n + 1))
    {
        return -1;
    }

    for (i = 1; i <= n; i++) {
        spans[i].s = found[i].data();
        spans[i].len = found[i].size();
    }

    return 1;

} catch (...) {
    return -1;
}
