
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Reads JSON (RFC 8259, strictly) into a tree with positions, which the JSON
 * libraries at hand do not give.  Documents of people only; message bodies
 * have a faster reader in src/cel.  Strings are read by
 * workflow_json_string.c.
 */


#include <string.h>
#include <stdlib.h>
#include <errno.h>
#include <math.h>
#include "workflow_json.h"


static workflow_node_t *json_value(workflow_json_t *json);
static workflow_node_t *json_map(workflow_json_t *json);
static workflow_node_t *json_list(workflow_json_t *json);
static workflow_node_t *json_number(workflow_json_t *json);
static bool json_digits(workflow_json_t *json);
static workflow_node_t *json_word(workflow_json_t *json, const char *word,
    workflow_node_kind_t kind);
static void json_space(workflow_json_t *json);
static bool json_enter(workflow_json_t *json);
static bool json_empty(workflow_json_t *json, char close);
static bool json_more(workflow_json_t *json, char close, bool *more);
static void *json_unexpected(workflow_json_t *json, const char *wanted);


cel_status_t
workflow_json_read(workflow_document_t *doc)
{
    workflow_json_t  json;

    json.doc = doc;
    json.pos = doc->text;
    json.end = doc->text + doc->len;
    json.line = 1;
    json.depth = 0;

    if (doc->len >= 3 && memcmp(doc->text, "\xef\xbb\xbf", 3) == 0) {
        workflow_json_fail(&json,
                           "a byte order mark; JSON starts without one");
        return CEL_ERROR;
    }

    json_space(&json);

    if (json.pos == json.end) {
        workflow_json_fail(&json, "the document is empty");
        return CEL_ERROR;
    }

    doc->root = json_value(&json);

    if (doc->root == NULL) {
        return CEL_ERROR;
    }

    json_space(&json);

    if (json.pos != json.end) {
        workflow_json_fail(&json, "text after the end of the JSON value");
        return CEL_ERROR;
    }

    return CEL_OK;
}


/* value = object / array / string / number / "true" / "false" / "null" */

static workflow_node_t *
json_value(workflow_json_t *json)
{
    if (json->pos == json->end) {
        return json_unexpected(json, "a value");
    }

    switch (*json->pos) {

    case '{':
        return json_map(json);

    case '[':
        return json_list(json);

    case '"':
        return workflow_json_string(json);

    case 't':
        return json_word(json, "true", WORKFLOW_NODE_BOOL);

    case 'f':
        return json_word(json, "false", WORKFLOW_NODE_BOOL);

    case 'n':
        return json_word(json, "null", WORKFLOW_NODE_NULL);

    case '-':
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        return json_number(json);

    default:
        return json_unexpected(json, "a value");
    }
}


/* object = "{" [ string ":" value *( "," string ":" value ) ] "}" */

static workflow_node_t *
json_map(workflow_json_t *json)
{
    bool              more;
    workflow_node_t  *map, *key;

    map = workflow_node_create(json->doc, WORKFLOW_NODE_MAP,
                               json->pos - json->doc->text, json->line);

    if (map == NULL || !json_enter(json)) {
        return NULL;
    }

    more = !json_empty(json, '}');

    while (more) {

        if (json->pos == json->end || *json->pos != '"') {
            return json_unexpected(json, "a key in double quotes");
        }

        key = workflow_json_string(json);

        if (key == NULL) {
            return NULL;
        }

        workflow_node_append(map, key);
        json_space(json);

        if (json->pos == json->end || *json->pos != ':') {
            return json_unexpected(json, "\":\"");
        }

        json->pos++;
        json_space(json);

        key->value = json_value(json);

        if (key->value == NULL || !json_more(json, '}', &more)) {
            return NULL;
        }
    }

    json->depth--;

    if (workflow_node_unique(json->doc, map) != CEL_OK) {
        return NULL;
    }

    return map;
}


/* array = "[" [ value *( "," value ) ] "]" */

static workflow_node_t *
json_list(workflow_json_t *json)
{
    bool              more;
    workflow_node_t  *list, *item;

    list = workflow_node_create(json->doc, WORKFLOW_NODE_LIST,
                                json->pos - json->doc->text, json->line);

    if (list == NULL || !json_enter(json)) {
        return NULL;
    }

    more = !json_empty(json, ']');

    while (more) {
        item = json_value(json);

        if (item == NULL) {
            return NULL;
        }

        workflow_node_append(list, item);

        if (!json_more(json, ']', &more)) {
            return NULL;
        }
    }

    json->depth--;

    return list;
}


/* past the bracket that closes, when nothing is between */

static bool
json_empty(workflow_json_t *json, char close)
{
    if (json->pos == json->end || *json->pos != close) {
        return false;
    }

    json->pos++;

    return true;
}


/* past a comma, and then there is more, or past the bracket that closes */

static bool
json_more(workflow_json_t *json, char close, bool *more)
{
    json_space(json);

    if (json->pos == json->end || (*json->pos != ',' && *json->pos != close)) {
        json_unexpected(json, close == '}' ? "\",\" or \"}\""
                                           : "\",\" or \"]\"");
        return false;
    }

    *more = *json->pos == ',';
    json->pos++;

    if (*more) {
        json_space(json);
    }

    return true;
}


/* past a bracket and the space behind it, not too deep */

static bool
json_enter(workflow_json_t *json)
{
    if (++json->depth > WORKFLOW_MAX_NESTING) {
        workflow_issue(json->doc, WORKFLOW_I_LIMIT,
                       json->pos - json->doc->text, NULL,
                       "more than %d nested values", WORKFLOW_MAX_NESTING);
        return false;
    }

    json->pos++;
    json_space(json);

    return true;
}


/*
 * number = [ "-" ] int [ "." 1*DIGIT ] [ "e" [ "-" / "+" ] 1*DIGIT ]
 * in the range of int64, uint64 or, with fraction or exponent, double
 */

static workflow_node_t *
json_number(workflow_json_t *json)
{
    bool              real;
    char             *text;
    const char       *start;
    workflow_node_t  *node;

    start = json->pos;
    real = false;

    if (*json->pos == '-') {
        json->pos++;
    }

    if (json->pos < json->end && *json->pos == '0') {
        json->pos++;

    } else if (!json_digits(json)) {
        return NULL;
    }

    if (json->pos < json->end && *json->pos == '.') {
        real = true;
        json->pos++;

        if (!json_digits(json)) {
            return NULL;
        }
    }

    if (json->pos < json->end && (*json->pos | 0x20) == 'e') {
        real = true;
        json->pos++;

        if (json->pos < json->end
            && (*json->pos == '-' || *json->pos == '+'))
        {
            json->pos++;
        }

        if (!json_digits(json)) {
            return NULL;
        }
    }

    node = workflow_node_create(json->doc, WORKFLOW_NODE_NUMBER,
                                start - json->doc->text, json->line);
    if (node == NULL) {
        return NULL;
    }

    text = cel_arena_alloc(&json->doc->arena, json->pos - start + 1);

    if (text == NULL) {
        return workflow_json_memory(json);
    }

    node->len = json->pos - start;
    node->text = memcpy(text, start, node->len);
    text[node->len] = '\0';

    errno = 0;

    if (real) {
        if (isinf(strtod(text, NULL))) {
            errno = ERANGE;

        } else {
            errno = 0;
        }

    } else if (*text == '-') {
        (void) strtoll(text, NULL, 10);

    } else {
        (void) strtoull(text, NULL, 10);
    }

    if (errno == ERANGE) {
        json->pos = start;
        return workflow_json_fail(json, "the number does not fit in 64 bits");
    }

    return node;
}


static bool
json_digits(workflow_json_t *json)
{
    const char  *start;

    start = json->pos;

    while (json->pos < json->end && *json->pos >= '0' && *json->pos <= '9') {
        json->pos++;
    }

    if (json->pos == start) {
        json_unexpected(json, "a digit");
        return false;
    }

    return true;
}


static workflow_node_t *
json_word(workflow_json_t *json, const char *word, workflow_node_kind_t kind)
{
    size_t            len;
    workflow_node_t  *node;

    len = strlen(word);

    if ((size_t) (json->end - json->pos) < len
        || memcmp(json->pos, word, len) != 0)
    {
        return json_unexpected(json, "a value");
    }

    node = workflow_node_create(json->doc, kind, json->pos - json->doc->text,
                                json->line);
    if (node == NULL) {
        return NULL;
    }

    node->text = word;
    node->len = len;
    json->pos += len;

    return node;
}


static void
json_space(workflow_json_t *json)
{
    for ( ; json->pos < json->end; json->pos++) {

        switch (*json->pos) {

        case '\n':
            json->line++;
            break;

        case ' ':
        case '\t':
        case '\r':
            break;

        default:
            return;
        }
    }
}


void *
workflow_json_fail(workflow_json_t *json, const char *message)
{
    workflow_issue(json->doc, WORKFLOW_I_SYNTAX, json->pos - json->doc->text,
                   NULL, "%s", message);
    return NULL;
}


void *
workflow_json_memory(workflow_json_t *json)
{
    workflow_issue(json->doc, WORKFLOW_I_LIMIT, json->pos - json->doc->text,
                   NULL, "not enough memory for the document");
    return NULL;
}


static void *
json_unexpected(workflow_json_t *json, const char *wanted)
{
    uint32_t  offset;

    offset = json->pos - json->doc->text;

    if (json->pos == json->end) {
        workflow_issue(json->doc, WORKFLOW_I_SYNTAX, offset, NULL,
                       "the text ends where %s should be", wanted);

    } else if ((unsigned char) *json->pos < 0x20
               || (unsigned char) *json->pos > 0x7e)
    {
        workflow_issue(json->doc, WORKFLOW_I_SYNTAX, offset, NULL,
                       "byte 0x%02x where %s should be",
                       (unsigned char) *json->pos, wanted);

    } else {
        workflow_issue(json->doc, WORKFLOW_I_SYNTAX, offset, NULL,
                       "\"%c\" where %s should be", *json->pos, wanted);
    }

    return NULL;
}
