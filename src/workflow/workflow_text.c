
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The tree as compact JSON text: the form in which a document is stored.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "workflow_document.h"


/* counts when buf is NULL, writes otherwise */

typedef struct {
    char    *buf;
    size_t   len;
} workflow_text_t;


static void text_node(workflow_text_t *text, const workflow_node_t *node);
static void text_string(workflow_text_t *text, const workflow_node_t *node);
static void text_put(workflow_text_t *text, const char *s, size_t len);


char *
workflow_to_json(const char *text, size_t len, workflow_format_t format,
    size_t *json_len, workflow_issues_t *issues)
{
    char                 *json;
    workflow_document_t   doc;

    json = NULL;

    if (workflow_document_open(&doc, text, len, format, NULL, issues)
        == CEL_OK)
    {
        json = workflow_node_to_json(doc.root, json_len);

        if (json == NULL) {
            workflow_issue(&doc, WORKFLOW_I_LIMIT, 0, NULL,
                           "not enough memory for the document");
        }
    }

    workflow_document_close(&doc);

    return json;
}


char *
workflow_node_to_json(const workflow_node_t *node, size_t *len)
{
    workflow_text_t  text;

    text.buf = NULL;
    text.len = 0;

    text_node(&text, node);

    text.buf = malloc(text.len + 1);

    if (text.buf == NULL) {
        return NULL;
    }

    text.len = 0;
    text_node(&text, node);
    text.buf[text.len] = '\0';

    *len = text.len;

    return text.buf;
}


static void
text_node(workflow_text_t *text, const workflow_node_t *node)
{
    const workflow_node_t  *item;

    switch (node->kind) {

    case WORKFLOW_NODE_STRING:
        text_string(text, node);
        break;

    case WORKFLOW_NODE_LIST:
        text_put(text, "[", 1);

        for (item = node->first; item != NULL; item = item->next) {
            text_node(text, item);

            if (item->next != NULL) {
                text_put(text, ",", 1);
            }
        }

        text_put(text, "]", 1);
        break;

    case WORKFLOW_NODE_MAP:
        text_put(text, "{", 1);

        for (item = node->first; item != NULL; item = item->next) {
            text_string(text, item);
            text_put(text, ":", 1);
            text_node(text, item->value);

            if (item->next != NULL) {
                text_put(text, ",", 1);
            }
        }

        text_put(text, "}", 1);
        break;

    default:
        text_put(text, node->text, node->len);
        break;
    }
}


static void
text_string(workflow_text_t *text, const workflow_node_t *node)
{
    char         buf[8];
    uint32_t     i, n;
    const char  *p;

    static const char  from[] = "\"\\\b\f\n\r\t";
    static const char  to[] = "\"\\bfnrt";

    text_put(text, "\"", 1);

    for (i = 0; i < node->len; i++) {

        p = strchr(from, node->text[i]);

        if (p != NULL) {
            buf[0] = '\\';
            buf[1] = to[p - from];
            n = 2;

        } else if ((unsigned char) node->text[i] < 0x20) {
            n = sprintf(buf, "\\u%04x", (unsigned) node->text[i]);

        } else {
            buf[0] = node->text[i];
            n = 1;
        }

        text_put(text, buf, n);
    }

    text_put(text, "\"", 1);
}


static void
text_put(workflow_text_t *text, const char *s, size_t len)
{
    if (text->buf != NULL) {
        memcpy(text->buf + text->len, s, len);
    }

    text->len += len;
}
