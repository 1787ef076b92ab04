
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

#include "cel_program.h"
#include "cel_re2.h"


#define CEL_FOUND    1, 1, 2, 3, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_PREFIX   1, 1, CEL_BYTES_SHIFT, 2, CEL_CHARGE_SUM,                \
                     CEL_RESULT_SMALL

/* A pattern: compiled on the way, or only matched. */
#define CEL_REGEX_COMPILE  1000
#define CEL_REGEX_PER      8

#define CEL_REGEX                                                             \
    { CEL_REGEX_COMPILE, CEL_REGEX_PER * 4, 0, 3, CEL_CHARGE_SUM,             \
      CEL_RESULT_SMALL }
#define CEL_REGEX_READY                                                       \
    { 8, CEL_REGEX_PER, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_SMALL }


static cel_status_t cel_contains(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_starts_with(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_ends_with(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);
static cel_status_t cel_matches(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_value_t *out);


const cel_overload_spec_t  cel_lib_string[] = {

    CEL_OVERLOAD("contains", "contains_string", "string.(string): bool",
                 cel_contains, CEL_FOUND),
    CEL_OVERLOAD("startsWith", "starts_with_string", "string.(string): bool",
                 cel_starts_with, CEL_PREFIX),
    CEL_OVERLOAD("endsWith", "ends_with_string", "string.(string): bool",
                 cel_ends_with, CEL_PREFIX),

    { "matches", "matches", "(string, string): bool", cel_matches,
      CEL_REGEX, cel_prepare_regex, CEL_REGEX_READY },
    { "matches", "matches_string", "string.(string): bool", cel_matches,
      CEL_REGEX, cel_prepare_regex, CEL_REGEX_READY },

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


/*
 * RE2 cannot be interrupted: the text is charged before.  A pattern that is
 * no constant is compiled for the one call, its heap counted while it lives.
 */

static cel_status_t
cel_matches(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int                    found;
    char                   message[CEL_MESSAGE_MAX];
    uint32_t               max;
    cel_re2_t             *re;
    const cel_prepared_t  *prepared;

    prepared = cel_prepared(&args[1], CEL_PREPARED_REGEX);

    if (prepared != NULL) {
        found = cel_re2_match(prepared->object, args[0].s, args[0].len);

    } else {
        if (cel_arena_charge(eval->arena, CEL_RE2_MEMORY) != CEL_OK) {
            return cel_fail_memory(eval);
        }

        max = eval->max_regex != 0 ? eval->max_regex : 1000;
        re = cel_re2_create(args[1].s, args[1].len, max, message,
                            sizeof(message));
        found = -1;

        if (re != NULL) {
            found = cel_re2_match(re, args[0].s, args[0].len);
            cel_re2_destroy(re);
        }

        cel_arena_discharge(eval->arena, CEL_RE2_MEMORY);

        if (re == NULL) {
            return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT, "%s", message);
        }
    }

    if (found < 0) {
        return cel_fail_memory(eval);
    }

    *out = cel_bool(found);

    return CEL_OK;
}


cel_status_t
cel_prepare_regex(cel_prepare_t *prepare, cel_value_t *arg,
    char message[CEL_MESSAGE_MAX])
{
    cel_re2_t       *re;
    cel_owned_t     *owned;
    cel_prepared_t  *prepared;

    prepared = cel_arena_alloc(prepare->arena, sizeof(cel_prepared_t)
                                               + arg->len + 1);
    owned = cel_arena_alloc(prepare->arena, sizeof(cel_owned_t));

    if (prepared == NULL || owned == NULL
        || cel_arena_charge(prepare->arena, CEL_RE2_MEMORY) != CEL_OK)
    {
        memcpy(message, "out of memory", sizeof("out of memory"));
        return CEL_ERROR;
    }

    re = cel_re2_create(arg->s, arg->len, prepare->max_regex, message,
                        CEL_MESSAGE_MAX);
    if (re == NULL) {
        return CEL_ERROR;
    }

    cel_arena_discharge(prepare->arena, CEL_RE2_MEMORY - cel_re2_memory(re));

    cel_program_own_regex(prepare->program, owned, re);

    prepared->kind = CEL_PREPARED_REGEX;
    prepared->object = re;
    memcpy(prepared->text, arg->s, arg->len);
    prepared->text[arg->len] = '\0';

    arg->s = prepared->text;
    arg->flags |= CEL_F_PREPARED;

    return CEL_OK;
}
