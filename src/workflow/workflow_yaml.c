
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Reads YAML through libyaml's events into the tree of workflow_document.h.
 * Only what JSON could say is accepted: no anchors, aliases, tags or merge
 * keys, one document, string keys.  Plain scalars are typed by workflow_
 * scalar.c.
 */


#include <string.h>
#include <yaml.h>
#include "workflow_scalar.h"


/* libyaml counts characters; pos is the byte of character index */

typedef struct {
    workflow_document_t  *doc;
    yaml_parser_t         parser;
    yaml_event_t          event;
    size_t                index;        /* of pos, in characters */
    uint32_t              start;        /* behind a byte order mark */
    uint32_t              pos;
    uint32_t              line;
    uint32_t              depth;
} workflow_yaml_t;


static cel_status_t yaml_breaks(workflow_document_t *doc);
static cel_status_t yaml_document(workflow_yaml_t *yaml);
static cel_status_t yaml_next(workflow_yaml_t *yaml);
static workflow_node_t *yaml_value(workflow_yaml_t *yaml, const char *key);
static workflow_node_t *yaml_collection(workflow_yaml_t *yaml);
static cel_status_t yaml_map(workflow_yaml_t *yaml, workflow_node_t *map);
static workflow_node_t *yaml_key(workflow_yaml_t *yaml);
static cel_status_t yaml_list(workflow_yaml_t *yaml, workflow_node_t *list);
static workflow_node_t *yaml_scalar(workflow_yaml_t *yaml, const char *key);
static cel_status_t yaml_plain_only(workflow_yaml_t *yaml,
    const yaml_char_t *anchor, const yaml_char_t *tag);
static cel_status_t yaml_problem(workflow_yaml_t *yaml);
static void yaml_seek(workflow_yaml_t *yaml, size_t index);
static cel_status_t yaml_fail(workflow_yaml_t *yaml, const char *message);


cel_status_t
workflow_yaml_read(workflow_document_t *doc)
{
    cel_status_t     rc;
    workflow_yaml_t  yaml;

    if (yaml_breaks(doc) != CEL_OK) {
        return CEL_ERROR;
    }

    memset(&yaml, 0, sizeof(workflow_yaml_t));

    yaml.doc = doc;
    yaml.line = 1;

    /* libyaml would take a byte order mark for an indented column */

    if (doc->len >= 3 && memcmp(doc->text, "\xef\xbb\xbf", 3) == 0) {
        yaml.start = 3;
        yaml.pos = 3;
    }

    if (!yaml_parser_initialize(&yaml.parser)) {
        return workflow_issue(doc, WORKFLOW_I_LIMIT, 0, NULL,
                              "not enough memory for the document");
    }

    yaml_parser_set_encoding(&yaml.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&yaml.parser,
                                 (const unsigned char *) doc->text
                                 + yaml.start,
                                 doc->len - yaml.start);

    rc = yaml_document(&yaml);

    yaml_event_delete(&yaml.event);
    yaml_parser_delete(&yaml.parser);

    return rc;
}


/*
 * Lines end with a line feed.  What else libyaml takes for the end of one is
 * none in YAML 1.2, or shown as none: a comment would hide what follows it.
 */

static cel_status_t
yaml_breaks(workflow_document_t *doc)
{
    size_t       left;
    const char  *p, *what;

    for (p = doc->text; p < doc->text + doc->len; p++) {

        what = NULL;
        left = doc->text + doc->len - p;

        if (*p == '\r') {

            if (left < 2 || p[1] != '\n') {
                what = "a carriage return without a line feed; end lines by "
                       "line feeds";
            }

        } else if (*p == '\xc2') {

            if (left >= 2 && p[1] == '\x85') {
                what = "a character that may end a line (U+0085); write "
                       "\\N in double quotes, or a line feed";
            }

        } else if (*p == '\xe2') {

            if (left >= 3 && p[1] == '\x80'
                && (p[2] == '\xa8' || p[2] == '\xa9'))
            {
                what = "a character that may end a line (U+2028 or U+2029); "
                       "write \\L or \\P in double quotes, or a line feed";
            }
        }

        if (what != NULL) {
            return workflow_issue(doc, WORKFLOW_I_SYNTAX, p - doc->text,
                                  NULL, "%s", what);
        }
    }

    return CEL_OK;
}


static cel_status_t
yaml_document(workflow_yaml_t *yaml)
{
    if (yaml_next(yaml) != CEL_OK               /* stream start */
        || yaml_next(yaml) != CEL_OK)           /* document start */
    {
        return CEL_ERROR;
    }

    if (yaml->event.type == YAML_STREAM_END_EVENT) {
        return yaml_fail(yaml, "the document is empty");
    }

    if (yaml_next(yaml) != CEL_OK) {
        return CEL_ERROR;
    }

    yaml->doc->root = yaml_value(yaml, NULL);

    if (yaml->doc->root == NULL
        || yaml_next(yaml) != CEL_OK            /* document end */
        || yaml_next(yaml) != CEL_OK)
    {
        return CEL_ERROR;
    }

    if (yaml->event.type != YAML_STREAM_END_EVENT) {
        return yaml_fail(yaml, "a second document begins here; a text holds "
                               "one, remove \"---\" and what follows");
    }

    return CEL_OK;
}


static cel_status_t
yaml_next(workflow_yaml_t *yaml)
{
    yaml_event_delete(&yaml->event);

    if (!yaml_parser_parse(&yaml->parser, &yaml->event)) {
        return yaml_problem(yaml);
    }

    yaml_seek(yaml, yaml->event.start_mark.index);

    return CEL_OK;
}


/* the node that begins with the present event */

static workflow_node_t *
yaml_value(workflow_yaml_t *yaml, const char *key)
{
    switch (yaml->event.type) {

    case YAML_SCALAR_EVENT:
        return yaml_scalar(yaml, key);

    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return yaml_collection(yaml);

    case YAML_ALIAS_EVENT:
        yaml_fail(yaml, "an alias; write the value out, aliases are not "
                        "accepted");
        return NULL;

    default:
        yaml_fail(yaml, "a value is missing");
        return NULL;
    }
}


static workflow_node_t *
yaml_collection(workflow_yaml_t *yaml)
{
    bool              map;
    cel_status_t      rc;
    workflow_node_t  *node;

    map = (yaml->event.type == YAML_MAPPING_START_EVENT);

    if (map) {
        rc = yaml_plain_only(yaml, yaml->event.data.mapping_start.anchor,
                             yaml->event.data.mapping_start.tag);

    } else {
        rc = yaml_plain_only(yaml, yaml->event.data.sequence_start.anchor,
                             yaml->event.data.sequence_start.tag);
    }

    if (rc != CEL_OK) {
        return NULL;
    }

    if (++yaml->depth > WORKFLOW_MAX_NESTING) {
        workflow_issue(yaml->doc, WORKFLOW_I_LIMIT, yaml->pos, NULL,
                       "more than %d nested values", WORKFLOW_MAX_NESTING);
        return NULL;
    }

    node = workflow_node_create(yaml->doc,
                                map ? WORKFLOW_NODE_MAP : WORKFLOW_NODE_LIST,
                                yaml->pos, yaml->line);

    if (node == NULL
        || (map ? yaml_map(yaml, node) : yaml_list(yaml, node)) != CEL_OK)
    {
        return NULL;
    }

    yaml->depth--;

    return node;
}


static cel_status_t
yaml_map(workflow_yaml_t *yaml, workflow_node_t *map)
{
    workflow_node_t  *key;

    for ( ;; ) {

        if (yaml_next(yaml) != CEL_OK) {
            return CEL_ERROR;
        }

        if (yaml->event.type == YAML_MAPPING_END_EVENT) {
            return workflow_node_unique(yaml->doc, map);
        }

        key = yaml_key(yaml);

        if (key == NULL) {
            return CEL_ERROR;
        }

        workflow_node_append(map, key);

        if (yaml_next(yaml) != CEL_OK) {
            return CEL_ERROR;
        }

        key->value = yaml_value(yaml, key->text);

        if (key->value == NULL) {
            return CEL_ERROR;
        }
    }
}


static workflow_node_t *
yaml_key(workflow_yaml_t *yaml)
{
    workflow_node_t  *key;

    if (yaml->event.type == YAML_SEQUENCE_START_EVENT
        || yaml->event.type == YAML_MAPPING_START_EVENT)
    {
        yaml_fail(yaml, "a key must be a string, not a list or a map");
        return NULL;
    }

    key = yaml_value(yaml, NULL);

    if (key == NULL) {
        return NULL;
    }

    if (key->kind != WORKFLOW_NODE_STRING) {
        workflow_issue(yaml->doc, WORKFLOW_I_SYNTAX, key->offset, NULL,
                       "a key must be a string, this is %s: put it in quotes",
                       workflow_node_kind_name(key));
        return NULL;
    }

    if (key->style == WORKFLOW_STYLE_PLAIN && strcmp(key->text, "<<") == 0) {
        workflow_issue(yaml->doc, WORKFLOW_I_SYNTAX, key->offset, NULL,
                       "a merge key; write the keys out, merging is not "
                       "accepted");
        return NULL;
    }

    return key;
}


static cel_status_t
yaml_list(workflow_yaml_t *yaml, workflow_node_t *list)
{
    workflow_node_t  *item;

    for ( ;; ) {

        if (yaml_next(yaml) != CEL_OK) {
            return CEL_ERROR;
        }

        if (yaml->event.type == YAML_SEQUENCE_END_EVENT) {
            return CEL_OK;
        }

        item = yaml_value(yaml, NULL);

        if (item == NULL) {
            return CEL_ERROR;
        }

        workflow_node_append(list, item);
    }
}


/* key: of a map, whose value this is; NULL when it is none */

static workflow_node_t *
yaml_scalar(workflow_yaml_t *yaml, const char *key)
{
    char             *text;
    size_t            len;
    uint32_t          offset, line;
    const char       *value;
    workflow_node_t  *node;

    if (yaml_plain_only(yaml, yaml->event.data.scalar.anchor,
                        yaml->event.data.scalar.tag)
        != CEL_OK)
    {
        return NULL;
    }

    value = (const char *) yaml->event.data.scalar.value;
    len = yaml->event.data.scalar.length;

    if (memchr(value, '\0', len) != NULL) {
        yaml_fail(yaml, "a NUL character; \\0 is not accepted");
        return NULL;
    }

    offset = yaml->pos;
    line = yaml->line;

    node = workflow_node_create(yaml->doc, WORKFLOW_NODE_STRING, offset,
                                line);
    if (node == NULL) {
        return NULL;
    }

    text = cel_arena_alloc(&yaml->doc->arena, len + 1);

    if (text == NULL) {
        workflow_issue(yaml->doc, WORKFLOW_I_LIMIT, offset, NULL,
                       "not enough memory for the document");
        return NULL;
    }

    node->text = memcpy(text, value, len);
    node->len = len;
    text[len] = '\0';

    yaml_seek(yaml, yaml->event.end_mark.index);
    node->end = yaml->pos;

    switch (yaml->event.data.scalar.style) {

    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        node->style = WORKFLOW_STYLE_SINGLE;
        break;

    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        node->style = WORKFLOW_STYLE_DOUBLE;
        break;

    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        node->style = WORKFLOW_STYLE_BLOCK;
        break;

    default:
        node->style = WORKFLOW_STYLE_PLAIN;
        break;
    }

    if (workflow_scalar_resolve(yaml->doc, node, key) != CEL_OK) {
        return NULL;
    }

    return node;
}


static cel_status_t
yaml_plain_only(workflow_yaml_t *yaml, const yaml_char_t *anchor,
    const yaml_char_t *tag)
{
    if (anchor != NULL) {
        return yaml_fail(yaml, "an anchor; remove \"&name\", anchors are not "
                               "accepted");
    }

    if (tag != NULL) {
        return yaml_fail(yaml, "a tag; remove \"!name\", values are typed by "
                               "how they are written");
    }

    return CEL_OK;
}


static cel_status_t
yaml_problem(workflow_yaml_t *yaml)
{
    size_t          index;
    const char     *context;
    yaml_parser_t  *parser;

    parser = &yaml->parser;

    if (parser->error == YAML_MEMORY_ERROR) {
        return workflow_issue(yaml->doc, WORKFLOW_I_LIMIT, yaml->pos, NULL,
                              "not enough memory for the document");
    }

    if (parser->error == YAML_READER_ERROR) {
        return workflow_issue(yaml->doc, WORKFLOW_I_SYNTAX,
                              yaml->start + parser->problem_offset, NULL,
                              "%s", parser->problem);
    }

    index = parser->problem_mark.index;
    context = parser->context;

    yaml_seek(yaml, index);

    if (yaml->pos < yaml->doc->len && yaml->doc->text[yaml->pos] == '\t') {
        return workflow_issue(yaml->doc, WORKFLOW_I_SYNTAX, yaml->pos, NULL,
                              "a tab, where YAML takes none; indent by "
                              "spaces");
    }

    return workflow_issue(yaml->doc, WORKFLOW_I_SYNTAX, yaml->pos, NULL,
                          "%s%s%s", context != NULL ? context : "",
                          context != NULL ? ": " : "",
                          parser->problem != NULL ? parser->problem
                                                  : "not YAML");
}


/* to the character of that index, forwards or back */

static void
yaml_seek(workflow_yaml_t *yaml, size_t index)
{
    const char  *text;

    text = yaml->doc->text;

    while (yaml->index < index && yaml->pos < yaml->doc->len) {

        if (text[yaml->pos] == '\n') {
            yaml->line++;
        }

        do {
            yaml->pos++;

        } while (yaml->pos < yaml->doc->len
                 && (text[yaml->pos] & 0xc0) == 0x80);

        yaml->index++;
    }

    while (yaml->index > index && yaml->pos > 0) {

        do {
            yaml->pos--;

        } while (yaml->pos > 0 && (text[yaml->pos] & 0xc0) == 0x80);

        if (text[yaml->pos] == '\n') {
            yaml->line--;
        }

        yaml->index--;
    }
}


static cel_status_t
yaml_fail(workflow_yaml_t *yaml, const char *message)
{
    return workflow_issue(yaml->doc, WORKFLOW_I_SYNTAX, yaml->pos, NULL,
                          "%s", message);
}
