
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_string.c - the string functions of the language's standard: what
 * looks for something in a text.
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE    /* memmem() */
#endif

#include "cel_regex.h"


#define CEL_FOUND    1, 1, 2, 3, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_PREFIX   1, 1, CEL_BYTES_SHIFT, 2, CEL_CHARGE_SUM,                \
                     CEL_RESULT_SMALL

/* A pattern: compiled on the way, or only matched; the function charges. */
#define CEL_REGEX                                                             \
    { CEL_REGEX_COMPILE, CEL_REGEX_ANY_PER, 0, 3, CEL_CHARGE_AT_MOST,         \
      CEL_RESULT_SMALL }
#define CEL_REGEX_READY                                                       \
    { 8, CEL_REGEX_PER, 0, 1, CEL_CHARGE_AT_MOST, CEL_RESULT_SMALL }


static cel_status_t cel_contains(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_starts_with(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_ends_with(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_matches(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out) __attribute__((hot));


const cel_overload_spec_t  cel_lib_string[] = {

    CEL_OVERLOAD("contains", "contains_string", "string.(string): bool",
                 cel_contains, CEL_FOUND),
    CEL_OVERLOAD("startsWith", "starts_with_string", "string.(string): bool",
                 cel_starts_with, CEL_PREFIX),
    CEL_OVERLOAD("endsWith", "ends_with_string", "string.(string): bool",
                 cel_ends_with, CEL_PREFIX),

    { "matches", "matches", "(string, string): bool", cel_matches,
      CEL_REGEX, cel_prepare_regex, CEL_REGEX_READY, 1,
      cel_weigh_regex },
    { "matches", "matches_string", "string.(string): bool", cel_matches,
      CEL_REGEX, cel_prepare_regex, CEL_REGEX_READY, 1,
      cel_weigh_regex },

    CEL_OVERLOADS_END
};


static cel_status_t
cel_contains(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    *out = cel_bool(args[1].len == 0
                    || memmem(args[0].s, args[0].len,
                              args[1].s, args[1].len) != NULL);

    return CEL_OK;
}


static cel_status_t
cel_starts_with(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    *out = cel_bool(args[0].len >= args[1].len
                    && memcmp(args[0].s, args[1].s, args[1].len) == 0);

    return CEL_OK;
}


static cel_status_t
cel_ends_with(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    uint32_t  skip;

    skip = args[0].len - args[1].len;

    *out = cel_bool(args[0].len >= args[1].len
                    && memcmp(args[0].s + skip, args[1].s, args[1].len) == 0);

    return CEL_OK;
}


static cel_status_t
cel_matches(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int           found;
    cel_regex_t   regex;
    cel_status_t  charged;

    if (cel_regex_charge(eval, &args[1]) != CEL_OK
        || cel_regex_take(eval, &args[1], &regex) != CEL_OK)
    {
        return CEL_ERROR;
    }

    charged = cel_charge(eval, (uint64_t) cel_regex_units(regex.re)
                               * args[0].len);

    found = charged == CEL_OK
            ? cel_re2_match(regex.re, args[0].s, args[0].len) : 0;

    cel_regex_drop(eval, &regex);

    if (charged != CEL_OK) {
        return CEL_ERROR;
    }

    if (found < 0) {
        return cel_fail_memory(eval);
    }

    *out = cel_bool(found);

    return CEL_OK;
}
