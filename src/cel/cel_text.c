
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_text.c - text that grows in the arena.
 */


#include "cel_text.h"


void
cel_text_init(cel_text_t *text, cel_eval_t *eval)
{
    text->eval = eval;
    text->s = NULL;
    text->len = 0;
    text->room = 0;
    text->status = CEL_OK;
    text->paid = false;
}


bool
cel_text_reserve(cel_text_t *text, size_t len)
{
    char    *s;
    size_t   room;

    if (text->status != CEL_OK) {
        return false;
    }

    if (text->room - text->len >= len) {
        return true;
    }

    if (cel_eval_string(text->eval, text->len + len) != CEL_OK) {
        text->status = CEL_ERROR;
        return false;
    }

    room = text->room < 64 ? 128 : text->room * 2;

    if (room < text->len + len) {
        room = text->len + len;
    }

    room = (room + 7) & ~(size_t) 7;

    if (text->s != NULL
        && cel_arena_extend(text->eval->arena, text->s, text->room,
                            room - text->room))
    {
        text->room = room;
        return true;
    }

    s = cel_eval_alloc(text->eval, room);

    if (s == NULL) {
        text->status = CEL_ERROR;
        return false;
    }

    if (text->len != 0) {
        memcpy(s, text->s, text->len);
    }

    text->s = s;
    text->room = room;

    return true;
}


void
cel_text_add(cel_text_t *text, const char *s, size_t len)
{
    if (text->status == CEL_OK && !text->paid
        && cel_charge(text->eval, 1 + (len >> CEL_BYTES_SHIFT)) != CEL_OK)
    {
        text->status = CEL_ERROR;
    }

    if (cel_text_reserve(text, len) && len != 0) {
        memcpy(text->s + text->len, s, len);
        text->len += len;
    }
}


/* Not charged: punctuation around what is. */

void
cel_text_char(cel_text_t *text, char c)
{
    if (cel_text_reserve(text, 1)) {
        text->s[text->len++] = c;
    }
}


cel_status_t
cel_text_done(cel_text_t *text, cel_value_t *out)
{
    if (text->status == CEL_OK
        && cel_eval_string(text->eval, text->len) != CEL_OK)
    {
        text->status = CEL_ERROR;
    }

    if (text->status == CEL_OK) {
        *out = cel_string(text->s, text->len);
    }

    return text->status;
}
