
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_regex.c - patterns of expressions, see cel_regex.h.
 */


#include "cel_program.h"
#include "cel_regex.h"


/* The heap of one that is no constant is counted while it lives. */

cel_status_t
cel_regex_take(cel_eval_t *eval, const cel_value_t *pattern,
    cel_regex_t *regex)
{
    char                   message[CEL_MESSAGE_MAX];
    const cel_prepared_t  *prepared;

    regex->owned = NULL;
    prepared = cel_prepared(pattern, CEL_PREPARED_REGEX);

    if (prepared != NULL) {
        regex->re = prepared->object;
        return CEL_OK;
    }

    if (cel_arena_charge(eval->arena, CEL_RE2_MEMORY) != CEL_OK) {
        return cel_fail_memory(eval);
    }

    regex->owned = cel_re2_create(pattern->s, pattern->len,
                                  eval->max_regex != 0 ? eval->max_regex
                                                       : CEL_REGEX_MAX,
                                  message, sizeof(message));
    regex->re = regex->owned;

    if (regex->owned == NULL) {
        cel_arena_discharge(eval->arena, CEL_RE2_MEMORY);
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT, "%s", message);
    }

    return CEL_OK;
}


void
cel_regex_drop(cel_eval_t *eval, cel_regex_t *regex)
{
    if (regex->owned != NULL) {
        cel_re2_destroy(regex->owned);
        cel_arena_discharge(eval->arena, CEL_RE2_MEMORY);
    }
}


uint32_t
cel_regex_units(const cel_re2_t *re)
{
    uint32_t  units;

    units = cel_re2_program_size(re);

    if (units <= CEL_REGEX_SMALL) {
        return CEL_REGEX_PER;
    }

    units = (units + CEL_REGEX_PER - 1) / CEL_REGEX_PER * CEL_REGEX_PER;

    return units < CEL_REGEX_UNITS_MAX ? units : CEL_REGEX_UNITS_MAX;
}


cel_status_t
cel_regex_charge(cel_eval_t *eval, const cel_value_t *pattern)
{
    if (cel_prepared(pattern, CEL_PREPARED_REGEX) != NULL) {
        return CEL_OK;
    }

    return cel_charge(eval, (uint64_t) pattern->len * CEL_REGEX_COMPILE_PER);
}


/* in units of CEL_REGEX_PER */

uint32_t
cel_weigh_regex(const cel_value_t *arg)
{
    char        message[CEL_MESSAGE_MAX];
    uint32_t    units;
    cel_re2_t  *re;

    re = arg->kind == CEL_STRING ? cel_re2_create(arg->s, arg->len,
                                                  UINT32_MAX >> 1, message,
                                                  sizeof(message))
                                 : NULL;

    if (re == NULL) {
        return 1;              /* refused when it is prepared */
    }

    units = cel_regex_units(re);
    cel_re2_destroy(re);

    return units / CEL_REGEX_PER;
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
