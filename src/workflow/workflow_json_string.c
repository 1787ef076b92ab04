
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The strings of a JSON document, unescaped: surrogate pairs are joined, what
 * is no character is refused.
 */


#include <string.h>
#include "workflow_json.h"


static bool json_unescape(workflow_json_t *json, char **out);
static bool json_unicode(workflow_json_t *json, char **out);
static bool json_hex4(workflow_json_t *json, uint32_t *code);


/* string = %x22 *char %x22; unescaped it is never longer than written */

workflow_node_t *
workflow_json_string(workflow_json_t *json)
{
    char             *start, *out;
    const char       *p;
    workflow_node_t  *node;

    node = workflow_node_create(json->doc, WORKFLOW_NODE_STRING,
                                json->pos - json->doc->text, json->line);
    if (node == NULL) {
        return NULL;
    }

    for (p = json->pos + 1; p < json->end && *p != '"'; p++) {
        if (*p == '\\') {
            p++;
        }
    }

    start = out = cel_arena_alloc(&json->doc->arena, p - json->pos + 1);

    if (start == NULL) {
        return workflow_json_memory(json);
    }

    json->pos++;

    for ( ;; ) {

        if (json->pos == json->end) {
            json->pos = json->doc->text + node->offset;
            return workflow_json_fail(json,
                                      "a string without its closing quote");
        }

        if (*json->pos == '"') {
            break;
        }

        if ((unsigned char) *json->pos < 0x20) {
            return workflow_json_fail(json, "a control character in a "
                                      "string; write \\n, \\t or \\u00XX");
        }

        if (*json->pos == '\\') {
            if (!json_unescape(json, &out)) {
                return NULL;
            }

            continue;
        }

        *out++ = *json->pos++;
    }

    json->pos++;
    *out = '\0';

    node->style = WORKFLOW_STYLE_JSON;
    node->text = start;
    node->len = out - start;
    node->end = json->pos - json->doc->text;

    return node;
}


static bool
json_unescape(workflow_json_t *json, char **out)
{
    const char         *p;
    static const char   from[] = "\"\\/bfnrt";
    static const char   to[] = "\"\\/\b\f\n\r\t";

    if (json->pos + 1 == json->end) {
        workflow_json_fail(json, "a string without its closing quote");
        return false;
    }

    if (json->pos[1] == 'u') {
        return json_unicode(json, out);
    }

    p = strchr(from, json->pos[1]);

    if (p == NULL) {
        workflow_json_fail(json, "an unknown escape; JSON has \\\" \\\\ \\/ "
                           "\\b \\f \\n \\r \\t and \\uXXXX");
        return false;
    }

    *(*out)++ = to[p - from];
    json->pos += 2;

    return true;
}


static bool
json_unicode(workflow_json_t *json, char **out)
{
    char        *p;
    uint32_t     code, low;
    const char  *start;

    start = json->pos;

    if (!json_hex4(json, &code)) {
        return false;
    }

    if (code >= 0xd800 && code <= 0xdbff) {

        if (json->end - json->pos < 2 || json->pos[0] != '\\'
            || json->pos[1] != 'u')
        {
            json->pos = start;
            workflow_json_fail(json, "half of a surrogate pair; the second "
                               "\\uXXXX is missing");
            return false;
        }

        if (!json_hex4(json, &low)) {
            return false;
        }

        if (low < 0xdc00 || low > 0xdfff) {
            json->pos = start;
            workflow_json_fail(json, "half of a surrogate pair; the second "
                               "\\uXXXX must be \\uDC00..\\uDFFF");
            return false;
        }

        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);

    } else if (code >= 0xdc00 && code <= 0xdfff) {
        json->pos = start;
        workflow_json_fail(json, "the second half of a surrogate pair stands "
                           "alone");
        return false;

    } else if (code == 0) {
        json->pos = start;
        workflow_json_fail(json, "a NUL character; \\u0000 is not accepted");
        return false;
    }

    p = *out;

    if (code < 0x80) {
        *p++ = code;

    } else if (code < 0x800) {
        *p++ = 0xc0 | code >> 6;
        *p++ = 0x80 | (code & 0x3f);

    } else if (code < 0x10000) {
        *p++ = 0xe0 | code >> 12;
        *p++ = 0x80 | (code >> 6 & 0x3f);
        *p++ = 0x80 | (code & 0x3f);

    } else {
        *p++ = 0xf0 | code >> 18;
        *p++ = 0x80 | (code >> 12 & 0x3f);
        *p++ = 0x80 | (code >> 6 & 0x3f);
        *p++ = 0x80 | (code & 0x3f);
    }

    *out = p;

    return true;
}


/* "\uXXXX" */

static bool
json_hex4(workflow_json_t *json, uint32_t *code)
{
    char      c;
    int       i;

    *code = 0;

    for (i = 2; i < 6; i++) {
        c = json->pos + i < json->end ? json->pos[i] : '\0';

        if (c >= '0' && c <= '9') {
            *code = *code << 4 | (uint32_t) (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            *code = *code << 4 | (uint32_t) ((c | 0x20) - 'a' + 10);

        } else {
            workflow_json_fail(json, "\\u needs four hexadecimal digits");
            return false;
        }
    }

    json->pos += 6;

    return true;
}
