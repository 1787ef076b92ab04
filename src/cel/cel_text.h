
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_text.h - text that grows in the arena, charged per byte before it does;
 * private to src/cel.
 */


#ifndef CEL_TEXT_H_INCLUDED
#define CEL_TEXT_H_INCLUDED


#include "cel_runtime.h"


/* After a failure status is CEL_ERROR, and appending does nothing. */

typedef struct {
    cel_eval_t          *eval;
    char                *s;
    size_t               len;
    size_t               room;
    cel_status_t         status;
    bool                 paid;           /* charged by the caller */
} cel_text_t;


void cel_text_init(cel_text_t *text, cel_eval_t *eval);

/* Room for len more bytes at text->s + text->len, or false. */
bool cel_text_reserve(cel_text_t *text, size_t len);

/* Charges one unit and len bytes, then appends. */
void cel_text_add(cel_text_t *text, const char *s, size_t len);
void cel_text_char(cel_text_t *text, char c);

static inline void
cel_text_add_z(cel_text_t *text, const char *s)
{
    cel_text_add(text, s, strlen(s));
}

cel_status_t cel_text_done(cel_text_t *text, cel_value_t *out);


#endif /* CEL_TEXT_H_INCLUDED */
