
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * From a byte of a string's value to the byte of the document it was written
 * as, through escapes, folding and indentation.
 *
 * Runs of white space are matched as a whole, so a position is exact for
 * every character that is not white space.
 */


#include <string.h>
#include "workflow_document.h"


/* the value and the text, walked side by side */

typedef struct {
    const char        *value;
    const char        *value_end;
    const char        *text;
    const char        *text_end;
    workflow_style_t   style;
} workflow_walk_t;


static void walk_start(workflow_walk_t *walk,
    const workflow_document_t *doc, const workflow_node_t *node);
static void walk_space(workflow_walk_t *walk, const char *target);
static bool walk_text_space(const workflow_walk_t *walk, uint32_t *n);
static void walk_character(workflow_walk_t *walk);
static uint32_t walk_escape(const workflow_walk_t *walk, uint32_t *bytes);
static uint32_t walk_hex(const char *p, const char *end, uint32_t digits);
static uint32_t walk_utf8(const char *p, const char *end);


static bool
walk_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}


uint32_t
workflow_node_position(const workflow_document_t *doc,
    const workflow_node_t *node, uint32_t offset)
{
    const char       *target;
    workflow_walk_t   walk;

    if (node->kind != WORKFLOW_NODE_STRING) {
        return node->offset;
    }

    walk_start(&walk, doc, node);

    if (offset > node->len) {
        offset = node->len;
    }

    target = node->text + offset;

    if (node->style != WORKFLOW_STYLE_JSON) {
        walk_space(&walk, walk.value);          /* leading: indentation */
    }

    while (walk.value < target && walk.text < walk.text_end) {

        if (node->style != WORKFLOW_STYLE_JSON && walk_is_space(*walk.value))
        {
            walk_space(&walk, target);

        } else {
            walk_character(&walk);
        }
    }

    return walk.text - doc->text;
}


/* past the quote, or the line of a block's indicator */

static void
walk_start(workflow_walk_t *walk, const workflow_document_t *doc,
    const workflow_node_t *node)
{
    const char  *p;

    walk->value = node->text;
    walk->value_end = node->text + node->len;
    walk->text = doc->text + node->offset;
    walk->text_end = doc->text + node->end;
    walk->style = node->style;

    switch (walk->style) {

    case WORKFLOW_STYLE_PLAIN:
        break;

    case WORKFLOW_STYLE_BLOCK:
        p = memchr(walk->text, '\n', walk->text_end - walk->text);
        walk->text = (p != NULL) ? p + 1 : walk->text_end;
        break;

    default:
        walk->text++;
        walk->text_end--;
        break;
    }
}


/* a run of white space in the value, and the one in the text */

static void
walk_space(workflow_walk_t *walk, const char *target)
{
    uint32_t     n;
    const char  *value;

    for (value = walk->value;
         value < walk->value_end && walk_is_space(*value);
         value++)
    {
        /* void */
    }

    if (value > target) {

        /* the target is in the run: as far as both agree */

        while (walk->value < target && walk->text < walk->text_end
               && *walk->text == *walk->value)
        {
            walk->text++;
            walk->value++;
        }

        walk->value = target;

        return;
    }

    while (walk->text < walk->text_end && walk_text_space(walk, &n)) {
        walk->text += n;
    }

    walk->value = value;
}


static bool
walk_text_space(const workflow_walk_t *walk, uint32_t *n)
{
    *n = 1;

    if (walk_is_space(*walk->text)) {
        return true;
    }

    if (walk->style != WORKFLOW_STYLE_DOUBLE || *walk->text != '\\'
        || walk->text_end - walk->text < 2)
    {
        return false;
    }

    *n = 2;

    return strchr("ntr \t\n\r", walk->text[1]) != NULL;
}


/* one character that is not white space, however it is written */

static void
walk_character(workflow_walk_t *walk)
{
    uint32_t  n, bytes;

    if (*walk->text == '\\'
        && (walk->style == WORKFLOW_STYLE_DOUBLE
            || walk->style == WORKFLOW_STYLE_JSON))
    {
        n = walk_escape(walk, &bytes);
        walk->text += n;
        walk->value += bytes;

    } else if (*walk->text == '\'' && walk->style == WORKFLOW_STYLE_SINGLE) {
        walk->text += 2;
        walk->value++;

    } else if (walk->style != WORKFLOW_STYLE_JSON && walk_is_space(*walk->text)
               && !walk_is_space(*walk->value))
    {
        walk->text++;                           /* an escaped line break's */

    } else {
        n = walk_utf8(walk->text, walk->text_end);
        walk->text += n;
        walk->value += n;
    }

    if (walk->text > walk->text_end) {
        walk->text = walk->text_end;
    }

    if (walk->value > walk->value_end) {
        walk->value = walk->value_end;
    }
}


/* length of the escape in the text; bytes it has in the value */

static uint32_t
walk_escape(const workflow_walk_t *walk, uint32_t *bytes)
{
    uint32_t     code, digits;
    const char  *p;

    p = walk->text;
    *bytes = 1;

    if (walk->text_end - p < 2) {
        return 1;
    }

    switch (p[1]) {

    case 'x':
        digits = 2;
        break;

    case 'u':
        digits = 4;
        break;

    case 'U':
        digits = 8;
        break;

    case '\n':
        *bytes = 0;                             /* the line goes on */
        return 2;

    case '\r':
        *bytes = 0;
        return 3;                               /* and its line feed */

    case 'N':
    case '_':
        *bytes = 2;
        return 2;

    case 'L':
    case 'P':
        *bytes = 3;
        return 2;

    default:
        return 2;
    }

    code = walk_hex(p + 2, walk->text_end, digits);

    if (walk->style == WORKFLOW_STYLE_JSON && code >= 0xd800 && code <= 0xdbff)
    {
        *bytes = 4;
        return 12;
    }

    *bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    return digits + 2;
}


static uint32_t
walk_hex(const char *p, const char *end, uint32_t digits)
{
    char      c;
    uint32_t  code;

    code = 0;

    while (digits-- > 0 && p < end) {
        c = *p++;
        code = code << 4
               | (uint32_t) (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }

    return code;
}


static uint32_t
walk_utf8(const char *p, const char *end)
{
    uint32_t  n;

    for (n = 1; p + n < end && (p[n] & 0xc0) == 0x80; n++) { /* void */ }

    return n;
}
