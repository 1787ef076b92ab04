
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Dotted paths: parsing, and the walk that finds the values a path means in a
 * document.  Does not compare them.
 */


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "query_path.h"


typedef struct {
    const query_path_t  *path;
    query_leaf_t         leaf;
    query_visit_pt       visit;
    void                *ctx;
} query_walk_t;


static uint32_t query_path_count(const char *text, size_t len);
static void query_path_split(query_path_t *path, char *text, size_t len);
static size_t query_path_index(const char *name, size_t len);
static bool query_walk_value(const query_walk_t *walk, const json_t *value,
    uint32_t i);
static bool query_walk_array(const query_walk_t *walk, const json_t *array,
    uint32_t i);
static bool query_walk_leaf(const query_walk_t *walk, const json_t *value);


query_path_t *
query_path_create(const char *text, size_t len, query_error_t *error)
{
    char          *copy;
    uint32_t       count;
    query_path_t  *path;

    if (len == 0 || text[0] == '.' || text[len - 1] == '.') {
        return query_error_set(error, "a path is names with dots between "
                               "them, as in \"a.b\"");
    }

    if (memchr(text, '\0', len) != NULL) {
        return query_error_set(error, "a path cannot hold a NUL byte");
    }

    count = query_path_count(text, len);

    if (count == 0) {
        return query_error_set(error, "a path cannot hold two dots in a row");
    }

    if (count > QUERY_PATH_PARTS) {
        return query_error_set(error, "a path has at most %d parts",
                               QUERY_PATH_PARTS);
    }

    path = malloc(sizeof(query_path_t) + count * sizeof(query_part_t)
                  + len + 1);
    if (path == NULL) {
        return query_error_set(error, "out of memory");
    }

    copy = (char *) &path->parts[count];
    memcpy(copy, text, len);
    copy[len] = '\0';

    path->next = NULL;
    path->count = count;

    query_path_split(path, copy, len);

    return path;
}


/* 0: there is an empty part */

static uint32_t
query_path_count(const char *text, size_t len)
{
    size_t    i;
    uint32_t  count;

    count = 1;

    for (i = 1; i < len; i++) {

        if (text[i] != '.') {
            continue;
        }

        if (text[i - 1] == '.') {
            return 0;
        }

        count++;
    }

    return count;
}


static void
query_path_split(query_path_t *path, char *text, size_t len)
{
    char          *dot;
    uint32_t       i;
    query_part_t  *part;

    for (i = 0; i < path->count; i++) {
        dot = memchr(text, '.', len);

        part = &path->parts[i];
        part->name = text;
        part->len = dot != NULL ? (size_t) (dot - text) : len;
        part->index = query_path_index(text, part->len);

        text[part->len] = '\0';

        if (dot != NULL) {
            text += part->len + 1;
            len -= part->len + 1;
        }
    }
}


static size_t
query_path_index(const char *name, size_t len)
{
    size_t  i, index;

    /* no array that fits into a document has a longer index */

    if (len > 9 || (len > 1 && name[0] == '0')) {
        return QUERY_NO_INDEX;
    }

    index = 0;

    for (i = 0; i < len; i++) {

        if (name[i] < '0' || name[i] > '9') {
            return QUERY_NO_INDEX;
        }

        index = index * 10 + (size_t) (name[i] - '0');
    }

    return index;
}


bool
query_path_walk(const query_path_t *path, const json_t *document,
    query_leaf_t leaf, query_visit_pt visit, void *ctx)
{
    query_walk_t  walk;

    walk.path = path;
    walk.leaf = leaf;
    walk.visit = visit;
    walk.ctx = ctx;

    return query_walk_value(&walk, document, 0);
}


static bool
query_walk_value(const query_walk_t *walk, const json_t *value, uint32_t i)
{
    const json_t  *child;

    if (i == walk->path->count) {
        return query_walk_leaf(walk, value);
    }

    if (json_is_array(value)) {
        return query_walk_array(walk, value, i);
    }

    child = json_object_get(value, walk->path->parts[i].name);

    if (child == NULL) {
        return walk->visit(walk->ctx, NULL);
    }

    return query_walk_value(walk, child, i + 1);
}


/*
 * The objects among the elements are searched for the same part, and the
 * element at that index, if the part is a number, for the next one.  Such an
 * object's missing key says nothing when the index itself is there.
 */

static bool
query_walk_array(const query_walk_t *walk, const json_t *array, uint32_t i)
{
    bool                 positional;
    size_t               n, size;
    const json_t        *value;
    const query_part_t  *part;

    part = &walk->path->parts[i];
    size = json_array_size(array);
    positional = part->index < size;

    for (n = 0; n < size; n++) {
        value = json_array_get(array, n);

        if (json_is_object(value)
            && (!positional || json_object_get(value, part->name) != NULL)
            && query_walk_value(walk, value, i))
        {
            return true;
        }

        if (n == part->index && query_walk_value(walk, value, i + 1)) {
            return true;
        }
    }

    return false;
}


static bool
query_walk_leaf(const query_walk_t *walk, const json_t *value)
{
    size_t  n, size;

    if (walk->leaf == QUERY_LEAF_WHOLE || !json_is_array(value)) {
        return walk->visit(walk->ctx, value);
    }

    size = json_array_size(value);

    for (n = 0; n < size; n++) {
        if (walk->visit(walk->ctx, json_array_get(value, n))) {
            return true;
        }
    }

    if (walk->leaf == QUERY_LEAF_EACH || size == 0) {
        return walk->visit(walk->ctx, value);
    }

    return false;
}


void *
query_error_set(query_error_t *error, const char *fmt, ...)
{
    int      n;
    va_list  ap;

    va_start(ap, fmt);
    n = vsnprintf(error->message, QUERY_MESSAGE_MAX, fmt, ap);
    va_end(ap);

    if (n >= QUERY_MESSAGE_MAX) {
        n = (int) query_utf8_cut(error->message, QUERY_MESSAGE_MAX - 1);
        error->message[n] = '\0';
    }

    return NULL;
}


size_t
query_utf8_cut(const char *text, size_t len)
{
    size_t         i, need;
    unsigned char  c;

    /* back to the first byte of the last character */

    for (i = len; i > 0 && len - i < 4; i--) {
        c = (unsigned char) text[i - 1];

        if ((c & 0xc0) == 0x80) {
            continue;
        }

        need = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

        return len - (i - 1) < need ? i - 1 : len;
    }

    return len;
}
