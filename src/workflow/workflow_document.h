
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_document.h - a JSON or YAML text as one kind of tree whose nodes
 * know where they stand; private to src/workflow.
 *
 * A node keeps the byte offset in the text; lines and columns are counted
 * when an issue is reported.  Nodes live in the document's arena; the text is
 * borrowed.
 */


#ifndef WORKFLOW_DOCUMENT_H_INCLUDED
#define WORKFLOW_DOCUMENT_H_INCLUDED


#include "workflow.h"


#define WORKFLOW_MAX_TEXT     (8 * 1024 * 1024)
#define WORKFLOW_MAX_NESTING  200       /* of the text */
#define WORKFLOW_MAX_MEMORY   (256 * 1024 * 1024)


typedef enum {
    WORKFLOW_NODE_NULL = 0,
    WORKFLOW_NODE_BOOL,       /* text: "true", "false" */
    WORKFLOW_NODE_NUMBER,     /* text: a JSON number */
    WORKFLOW_NODE_STRING,     /* text: unescaped, UTF-8, no NUL */
    WORKFLOW_NODE_LIST,       /* first, next: the elements */
    WORKFLOW_NODE_MAP         /* first, next: the keys; value below a key */
} workflow_node_kind_t;


/* How a string is written: how an offset in it is found in the text. */

typedef enum {
    WORKFLOW_STYLE_PLAIN = 0,
    WORKFLOW_STYLE_SINGLE,
    WORKFLOW_STYLE_DOUBLE,
    WORKFLOW_STYLE_BLOCK,     /* literal or folded */
    WORKFLOW_STYLE_JSON
} workflow_style_t;


typedef struct workflow_node_s  workflow_node_t;

struct workflow_node_s {
    uint8_t               kind;         /* workflow_node_kind_t */
    uint8_t               style;        /* workflow_style_t */
    uint32_t              line;         /* 1-based */
    uint32_t              offset;       /* bytes, of the quote if there is
                                         * one, of the block's indicator */
    uint32_t              end;          /* of a string: past its last byte */
    uint32_t              len;
    uint32_t              count;        /* elements or keys */
    const char           *text;         /* NUL-terminated */
    workflow_node_t      *first;
    workflow_node_t      *last;
    workflow_node_t      *next;
    workflow_node_t      *value;        /* of a key */
};


typedef struct {
    const char           *text;
    uint32_t              len;
    workflow_format_t     format;
    cel_arena_t           arena;
    workflow_node_t      *root;
    workflow_issues_t    *issues;
} workflow_document_t;


/*
 * Reads text; CEL_ERROR with issues.  The document is to be closed in either
 * case.  issues are emptied first and kept for workflow_issue().
 */
cel_status_t workflow_document_open(workflow_document_t *doc,
    const char *text, size_t len, workflow_format_t format,
    const cel_allocator_t *allocator, workflow_issues_t *issues);
void workflow_document_close(workflow_document_t *doc);


/* The two readers; the root is in doc->root. */
cel_status_t workflow_json_read(workflow_document_t *doc);
cel_status_t workflow_yaml_read(workflow_document_t *doc);


/* For the readers: NULL when memory is out, which is an issue then. */
workflow_node_t *workflow_node_create(workflow_document_t *doc,
    workflow_node_kind_t kind, uint32_t offset, uint32_t line);
void workflow_node_append(workflow_node_t *parent, workflow_node_t *child);

/* CEL_ERROR with an issue when two keys of the map are equal. */
cel_status_t workflow_node_unique(workflow_document_t *doc,
    workflow_node_t *map);


/* The value of a key, NULL when there is none. */
workflow_node_t *workflow_node_get(const workflow_node_t *map,
    const char *key);

/* "a string", "a list": what a node is, for messages. */
const char *workflow_node_kind_name(const workflow_node_t *node);

/* The node as compact JSON in libc memory, NULL when that is out. */
char *workflow_node_to_json(const workflow_node_t *node, size_t *len);


/*
 * Adds an issue at a byte of the text.  path may be NULL.  Always returns
 * CEL_ERROR.
 */
cel_status_t workflow_issue(workflow_document_t *doc,
    workflow_issue_kind_t kind, uint32_t offset, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same for a warning. */
void workflow_warning(workflow_document_t *doc, uint32_t offset,
    const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Where the byte at offset of a string's value stands in the text. */
uint32_t workflow_node_position(const workflow_document_t *doc,
    const workflow_node_t *node, uint32_t offset);


#endif /* WORKFLOW_DOCUMENT_H_INCLUDED */
