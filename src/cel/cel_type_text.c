
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_type_text.c - the notation of types, "map(string, list(A))", read and
 * written.  The names that it knows are in cel_type.c.
 */


#include "cel_type.h"

#include <string.h>


/* deeper notation than this is refused */
#define CEL_TYPE_DEPTH  16


typedef struct {
    char         *buf;
    size_t        size;
    size_t        used;
} cel_type_text_t;


static const cel_type_t *cel_type_scan_at(cel_arena_t *arena,
    const char **pos, const char *end, unsigned depth);
static const cel_type_t *cel_type_scan_params(cel_arena_t *arena,
    const cel_type_t *base, const char **pos, const char *end,
    unsigned depth);
static const cel_type_t *cel_type_named(cel_arena_t *arena, const char *name,
    size_t len, bool params);
static void cel_type_put(cel_type_text_t *text, const char *s);
static void cel_type_write(cel_type_text_t *text, const cel_type_t *type);


const cel_type_t *
cel_type_parse(cel_arena_t *arena, const char *text, size_t len)
{
    const char        *end;
    const cel_type_t  *type;

    end = text + len;
    type = cel_type_scan(arena, &text, end);

    while (text < end && *text == ' ') {
        text++;
    }

    return text == end ? type : NULL;
}


const cel_type_t *
cel_type_scan(cel_arena_t *arena, const char **pos, const char *end)
{
    return cel_type_scan_at(arena, pos, end, 0);
}


/* type = name {"." name} ["(" [type {"," type}] ")"] */

static const cel_type_t *
cel_type_scan_at(cel_arena_t *arena, const char **pos, const char *end,
    unsigned depth)
{
    char               ch;
    bool               params;
    const char        *start, *p;
    const cel_type_t  *type;

    if (depth == CEL_TYPE_DEPTH) {
        return NULL;
    }

    p = *pos;

    while (p < end && *p == ' ') {
        p++;
    }

    for (start = p; p < end; p++) {
        ch = *p;

        if (ch == '.' && p + 1 < end && p[1] == '(') {
            break;
        }

        if (ch != '.' && ch != '_' && !(ch >= '0' && ch <= '9')
            && !((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z'))
        {
            break;
        }
    }

    *pos = p;

    params = p < end && *p == '(';
    type = cel_type_named(arena, start, p - start, params);

    if (type == NULL || !params) {
        return type;
    }

    return cel_type_scan_params(arena, type, pos, end, depth);
}


/* base: of a name of CEL, with the parameters that it takes, or opaque */

static const cel_type_t *
cel_type_scan_params(cel_arena_t *arena, const cel_type_t *base,
    const char **pos, const char *end, unsigned depth)
{
    uint32_t           n;
    const cel_type_t  *params[CEL_TYPE_PARAMS_MAX];

    /* "(" */

    (*pos)++;

    for (n = 0; !cel_type_accept(pos, end, ')'); n++) {

        if (n == CEL_TYPE_PARAMS_MAX
            || (n > 0 && !cel_type_accept(pos, end, ',')))
        {
            return NULL;
        }

        params[n] = cel_type_scan_at(arena, pos, end, depth + 1);
        if (params[n] == NULL) {
            return NULL;
        }
    }

    if (n == 0) {
        return base;
    }

    if (base->kind != CEL_T_OPAQUE && n != base->nparams) {
        return NULL;
    }

    return cel_type_with(arena, base, params, n);
}


bool
cel_type_accept(const char **pos, const char *end, char ch)
{
    while (*pos < end && **pos == ' ') {
        (*pos)++;
    }

    if (*pos == end || **pos != ch) {
        return false;
    }

    (*pos)++;

    return true;
}


/*
 * A type of CEL, a parameter "A", or an opaque one, whose name has a dot or
 * is followed by parameters.
 */

static const cel_type_t *
cel_type_named(cel_arena_t *arena, const char *name, size_t len,
    bool params)
{
    char              *copy;
    cel_type_t        *type;
    const cel_type_t  *known;

    if (len == 0) {
        return NULL;
    }

    known = cel_type_by_name(name, len);
    if (known != NULL) {
        return known;
    }

    if (!params && (len == 1 ? (*name < 'A' || *name > 'Z')
                             : memchr(name, '.', len) == NULL))
    {
        return NULL;
    }

    if (len >= 7 && memcmp(name, "google.", 7) == 0) {
        return NULL;
    }

    copy = cel_arena_alloc(arena, len + 1);
    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, name, len);
    copy[len] = '\0';

    if (params || len > 1) {
        return cel_type_make(arena, CEL_T_OPAQUE, copy, NULL, NULL);
    }

    type = (cel_type_t *) cel_type_make(arena, CEL_T_PARAM, copy, NULL, NULL);

    if (type != NULL) {
        type->id = *name - 'A';
        type->open = type->id + 1;
    }

    return type;
}


size_t
cel_type_format(const cel_type_t *type, char *buf, size_t size)
{
    cel_type_text_t  text;

    if (size == 0) {
        return 0;
    }

    text.buf = buf;
    text.size = size;
    text.used = 0;
    buf[0] = '\0';

    cel_type_write(&text, type);

    return text.used;
}


static void
cel_type_write(cel_type_text_t *text, const cel_type_t *type)
{
    uint32_t  i;

    switch (type->kind) {

    case CEL_T_ERROR:
    case CEL_T_PARAM:
        cel_type_put(text, "dyn");
        return;

    case CEL_T_NULL:
        cel_type_put(text, "null");
        return;

    case CEL_T_TIMESTAMP:
        cel_type_put(text, "timestamp");
        return;

    case CEL_T_DURATION:
        cel_type_put(text, "duration");
        return;

    default:
        cel_type_put(text, type->name);
    }

    for (i = 0; i < type->nparams; i++) {
        cel_type_put(text, i == 0 ? "(" : ", ");
        cel_type_write(text, type->params[i]);
    }

    if (type->nparams > 0) {
        cel_type_put(text, ")");
    }
}


static void
cel_type_put(cel_type_text_t *text, const char *s)
{
    size_t  len;

    len = strlen(s);

    if (len > text->size - text->used - 1) {
        len = text->size - text->used - 1;
    }

    memcpy(text->buf + text->used, s, len);
    text->used += len;
    text->buf[text->used] = '\0';
}
