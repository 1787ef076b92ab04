
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Opening a document, and the tree both readers build.  Knows neither JSON's
 * nor YAML's syntax.
 */


#include <stdlib.h>
#include <string.h>
#include "workflow_document.h"


#define WORKFLOW_FEW_KEYS  8            /* compared pair by pair */


static cel_status_t workflow_text_valid(workflow_document_t *doc);
static uint32_t workflow_utf8_length(const char *p, const char *end);
static cel_status_t workflow_key_twice(workflow_document_t *doc,
    const workflow_node_t *first, const workflow_node_t *again);
static uint32_t workflow_key_hash(const workflow_node_t *key);


cel_status_t
workflow_document_open(workflow_document_t *doc, const char *text, size_t len,
    workflow_format_t format, const cel_allocator_t *allocator,
    workflow_issues_t *issues)
{
    memset(doc, 0, sizeof(workflow_document_t));

    issues->count = 0;
    issues->total = 0;

    doc->text = text;
    doc->format = format;
    doc->issues = issues;

    cel_arena_init(&doc->arena,
                   allocator != NULL ? allocator : &cel_allocator_libc,
                   NULL, 0, WORKFLOW_MAX_MEMORY);

    if (len > WORKFLOW_MAX_TEXT) {
        return workflow_issue(doc, WORKFLOW_I_LIMIT, 0, NULL,
                              "the document has %zu bytes, at most %d are "
                              "read", len, WORKFLOW_MAX_TEXT);
    }

    doc->len = len;

    if (workflow_text_valid(doc) != CEL_OK) {
        return CEL_ERROR;
    }

    return format == WORKFLOW_JSON ? workflow_json_read(doc)
                                   : workflow_yaml_read(doc);
}


void
workflow_document_close(workflow_document_t *doc)
{
    cel_arena_reset(&doc->arena);
}


/* UTF-8 without NUL, whatever the format */

static cel_status_t
workflow_text_valid(workflow_document_t *doc)
{
    uint32_t     n;
    const char  *p, *end;

    p = doc->text;
    end = p + doc->len;

    while (p < end) {

        if (*p == '\0') {
            return workflow_issue(doc, WORKFLOW_I_SYNTAX, p - doc->text, NULL,
                                  "a NUL byte in the document");
        }

        if ((unsigned char) *p < 0x80) {
            p++;
            continue;
        }

        n = workflow_utf8_length(p, end);

        if (n == 0) {
            return workflow_issue(doc, WORKFLOW_I_SYNTAX, p - doc->text, NULL,
                                  "byte 0x%02x is not valid UTF-8 here, the "
                                  "document must be UTF-8",
                                  (unsigned char) *p);
        }

        p += n;
    }

    return CEL_OK;
}


/* bytes of a well-formed sequence of two or more, else 0 (RFC 3629) */

static uint32_t
workflow_utf8_length(const char *p, const char *end)
{
    uint32_t              i, n, code;
    const unsigned char  *u;

    u = (const unsigned char *) p;

    if (u[0] >= 0xc2 && u[0] <= 0xdf) {
        n = 2;
        code = u[0] & 0x1f;

    } else if ((u[0] & 0xf0) == 0xe0) {
        n = 3;
        code = u[0] & 0x0f;

    } else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
        n = 4;
        code = u[0] & 0x07;

    } else {
        return 0;
    }

    if ((size_t) (end - p) < n) {
        return 0;
    }

    for (i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80) {
            return 0;
        }

        code = code << 6 | (u[i] & 0x3f);
    }

    if ((n == 3 && code < 0x800)
        || (code >= 0xd800 && code <= 0xdfff)
        || (n == 4 && code < 0x10000)
        || code > 0x10ffff)
    {
        return 0;
    }

    return n;
}


workflow_node_t *
workflow_node_create(workflow_document_t *doc, workflow_node_kind_t kind,
    uint32_t offset, uint32_t line)
{
    workflow_node_t  *node;

    node = cel_arena_alloc(&doc->arena, sizeof(workflow_node_t));

    if (node == NULL) {
        workflow_issue(doc, WORKFLOW_I_LIMIT, offset, NULL,
                       "not enough memory for the document");
        return NULL;
    }

    memset(node, 0, sizeof(workflow_node_t));

    node->kind = kind;
    node->offset = offset;
    node->end = offset;
    node->line = line;
    node->text = "";

    return node;
}


void
workflow_node_append(workflow_node_t *parent, workflow_node_t *child)
{
    if (parent->last == NULL) {
        parent->first = child;

    } else {
        parent->last->next = child;
    }

    parent->last = child;
    parent->count++;
}


cel_status_t
workflow_node_unique(workflow_document_t *doc, workflow_node_t *map)
{
    uint32_t           i, size;
    workflow_node_t  **table, *key, *other;

    if (map->count <= WORKFLOW_FEW_KEYS) {

        for (key = map->first; key != NULL; key = key->next) {
            for (other = map->first; other != key; other = other->next) {
                if (key->len == other->len
                    && memcmp(key->text, other->text, key->len) == 0)
                {
                    return workflow_key_twice(doc, other, key);
                }
            }
        }

        return CEL_OK;
    }

    for (size = 16; size < map->count * 2; size *= 2) { /* void */ }

    table = calloc(size, sizeof(workflow_node_t *));

    if (table == NULL) {
        return workflow_issue(doc, WORKFLOW_I_LIMIT, map->offset, NULL,
                              "not enough memory for the document");
    }

    for (key = map->first; key != NULL; key = key->next) {

        for (i = workflow_key_hash(key) & (size - 1);
             table[i] != NULL;
             i = (i + 1) & (size - 1))
        {
            if (key->len == table[i]->len
                && memcmp(key->text, table[i]->text, key->len) == 0)
            {
                other = table[i];
                free(table);
                return workflow_key_twice(doc, other, key);
            }
        }

        table[i] = key;
    }

    free(table);

    return CEL_OK;
}


static cel_status_t
workflow_key_twice(workflow_document_t *doc, const workflow_node_t *first,
    const workflow_node_t *again)
{
    return workflow_issue(doc, WORKFLOW_I_SYNTAX, again->offset, NULL,
                          "the key \"%.64s\" is there already, on line %u; "
                          "keep one of the two", again->text, first->line);
}


/* FNV-1a, finished so that the low bits depend on all */

static uint32_t
workflow_key_hash(const workflow_node_t *key)
{
    uint32_t  i, hash;

    hash = 2166136261u;

    for (i = 0; i < key->len; i++) {
        hash = (hash ^ (unsigned char) key->text[i]) * 16777619u;
    }

    hash ^= hash >> 15;

    return hash * 2654435761u >> 3;
}


workflow_node_t *
workflow_node_get(const workflow_node_t *map, const char *key)
{
    workflow_node_t  *node;

    if (map->kind != WORKFLOW_NODE_MAP) {
        return NULL;
    }

    for (node = map->first; node != NULL; node = node->next) {
        if (strcmp(node->text, key) == 0) {
            return node->value;
        }
    }

    return NULL;
}


const char *
workflow_node_kind_name(const workflow_node_t *node)
{
    static const char *const  names[] = {
        "null", "a boolean", "a number", "a string", "a list", "a map"
    };

    return names[node->kind];
}
