
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Projection: the part of a document that "a,b.c" names.  Never changes the
 * document, shares its leaves.
 */


#include <stdlib.h>
#include <string.h>
#include "query_path.h"


#define QUERY_FIELDS  100


/* a tree of objects by part; null where a path ends */

struct query_fields_s {
    json_t  *tree;
};


static bool query_fields_add(json_t *tree, const char *text, size_t len,
    query_error_t *error);
static bool query_fields_insert(json_t *tree, const query_path_t *path,
    query_error_t *error);
static json_t *query_project_object(json_t *tree, const json_t *object);
static json_t *query_project_array(json_t *tree, const json_t *array);
static json_t *query_project_value(json_t *tree, json_t *value);


query_fields_t *
query_fields_compile(const char *text, size_t len, query_error_t *error)
{
    size_t           n;
    uint32_t         count;
    const char      *comma;
    query_fields_t  *fields;

    strcpy(error->path, "fields");
    error->message[0] = '\0';

    fields = calloc(1, sizeof(query_fields_t));
    if (fields == NULL) {
        return query_error_set(error, "out of memory");
    }

    fields->tree = json_object();

    if (fields->tree == NULL) {
        query_fields_destroy(fields);
        return query_error_set(error, "out of memory");
    }

    for (count = 0; count < QUERY_FIELDS; count++) {
        comma = memchr(text, ',', len);
        n = comma != NULL ? (size_t) (comma - text) : len;

        if (!query_fields_add(fields->tree, text, n, error)) {
            query_fields_destroy(fields);
            return NULL;
        }

        if (comma == NULL) {
            return fields;
        }

        text += n + 1;
        len -= n + 1;
    }

    query_fields_destroy(fields);

    return query_error_set(error, "names at most %d paths", QUERY_FIELDS);
}


static bool
query_fields_add(json_t *tree, const char *text, size_t len,
    query_error_t *error)
{
    bool           added;
    query_path_t  *path;

    path = query_path_create(text, len, error);
    if (path == NULL) {
        return false;
    }

    added = query_fields_insert(tree, path, error);

    free(path);

    return added;
}


static bool
query_fields_insert(json_t *tree, const query_path_t *path,
    query_error_t *error)
{
    json_t      *node;
    uint32_t     i;
    const char  *name;

    for (i = 0; i < path->count; i++) {
        name = path->parts[i].name;
        node = json_object_get(tree, name);

        if (node != NULL && (i == path->count - 1 || json_is_null(node))) {
            query_error_set(error, "a path is given twice, or inside "
                            "another one");
            return false;
        }

        if (node == NULL) {
            node = i == path->count - 1 ? json_null() : json_object();

            /* a part that is not UTF-8 fails, too */

            if (json_object_set_new(tree, name, node) != 0) {
                query_error_set(error, "a path is not valid UTF-8");
                return false;
            }
        }

        tree = node;
    }

    return true;
}


void
query_fields_destroy(query_fields_t *fields)
{
    if (fields == NULL) {
        return;
    }

    json_decref(fields->tree);
    free(fields);
}


json_t *
query_project(const query_fields_t *fields, const json_t *document)
{
    return query_project_object(fields->tree, document);
}


/* The tree is walked, not the object: it is the smaller one. */

static json_t *
query_project_object(json_t *tree, const json_t *object)
{
    json_t      *result, *value, *node;
    const char  *name;

    result = json_object();
    if (result == NULL) {
        return NULL;
    }

    json_object_foreach(tree, name, node) {
        value = json_object_get(object, name);

        if (value == NULL) {
            continue;
        }

        if (json_is_object(node)
            && !json_is_object(value) && !json_is_array(value))
        {
            continue;
        }

        value = query_project_value(node, value);

        if (json_object_set_new(result, name, value) != 0) {
            json_decref(result);
            return NULL;
        }
    }

    return result;
}


static json_t *
query_project_array(json_t *tree, const json_t *array)
{
    size_t   i;
    json_t  *result, *value;

    result = json_array();
    if (result == NULL) {
        return NULL;
    }

    for (i = 0; i < json_array_size(array); i++) {
        value = json_array_get(array, i);

        if (!json_is_object(value) && !json_is_array(value)) {
            continue;
        }

        value = query_project_value(tree, value);

        if (json_array_append_new(result, value) != 0) {
            json_decref(result);
            return NULL;
        }
    }

    return result;
}


static json_t *
query_project_value(json_t *tree, json_t *value)
{
    if (json_is_null(tree)) {
        return json_incref(value);
    }

    if (json_is_array(value)) {
        return query_project_array(tree, value);
    }

    return query_project_object(tree, value);
}
