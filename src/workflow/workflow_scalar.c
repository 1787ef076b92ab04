
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The core schema of YAML 1.2 (section 10.3) and the folding of expressions.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <math.h>
#include "workflow_scalar.h"


static bool scalar_is(const workflow_node_t *node, const char *const *words);
static cel_status_t scalar_integer(workflow_document_t *doc,
    workflow_node_t *node, int base);
static cel_status_t scalar_real(workflow_document_t *doc,
    workflow_node_t *node);
static cel_status_t scalar_number(workflow_document_t *doc,
    workflow_node_t *node, const char *text);
static bool scalar_looks_decimal(const char *p, bool *real);
static bool scalar_holds_expression(const char *key);
static cel_status_t scalar_unfold(workflow_document_t *doc,
    workflow_node_t *node);
static cel_status_t scalar_no_lost_comment(workflow_document_t *doc,
    const workflow_node_t *node);
static const char *scalar_comment(const char *p, const char *end);
static const char *scalar_literal_end(const char *p, const char *end,
    bool raw);


cel_status_t
workflow_scalar_resolve(workflow_document_t *doc, workflow_node_t *node,
    const char *key)
{
    bool         real;
    const char  *p;

    static const char *const  nulls[] = { "", "~", "null", "Null", "NULL",
                                          NULL };
    static const char *const  trues[] = { "true", "True", "TRUE", NULL };
    static const char *const  falses[] = { "false", "False", "FALSE", NULL };
    static const char *const  nans[] = {
        ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf",
        "-.INF", ".nan", ".NaN", ".NAN", NULL
    };

    if (scalar_holds_expression(key)) {

        if (node->style == WORKFLOW_STYLE_BLOCK) {
            if (doc->text[node->offset] == '>') {
                return scalar_unfold(doc, node);
            }

        } else if (scalar_no_lost_comment(doc, node) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    if (node->style != WORKFLOW_STYLE_PLAIN) {
        return CEL_OK;
    }

    if (scalar_is(node, nulls)) {
        node->kind = WORKFLOW_NODE_NULL;
        node->text = "null";
        node->len = 4;
        return CEL_OK;
    }

    if (scalar_is(node, trues)) {
        node->kind = WORKFLOW_NODE_BOOL;
        node->text = "true";
        node->len = 4;
        return CEL_OK;
    }

    if (scalar_is(node, falses)) {
        node->kind = WORKFLOW_NODE_BOOL;
        node->text = "false";
        node->len = 5;
        return CEL_OK;
    }

    if (scalar_is(node, nans)) {
        return workflow_issue(doc, WORKFLOW_I_SYNTAX, node->offset, NULL,
                              "%s has no JSON form; put it in quotes if a "
                              "string is meant", node->text);
    }

    p = node->text;

    if (p[0] == '0' && p[1] == 'o' && p[2] != '\0'
        && strspn(p + 2, "01234567") == node->len - 2)
    {
        return scalar_integer(doc, node, 8);
    }

    if (p[0] == '0' && p[1] == 'x' && p[2] != '\0'
        && strspn(p + 2, "0123456789abcdefABCDEF") == node->len - 2)
    {
        return scalar_integer(doc, node, 16);
    }

    if (scalar_looks_decimal(p, &real)) {
        return real ? scalar_real(doc, node) : scalar_integer(doc, node, 10);
    }

    return CEL_OK;
}


static bool
scalar_is(const workflow_node_t *node, const char *const *words)
{
    for ( ; *words != NULL; words++) {
        if (strcmp(node->text, *words) == 0) {
            return true;
        }
    }

    return false;
}


/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */

static bool
scalar_looks_decimal(const char *p, bool *real)
{
    size_t  whole, part;

    *real = false;
    part = 0;

    if (*p == '-' || *p == '+') {
        p++;
    }

    whole = strspn(p, "0123456789");
    p += whole;

    if (*p == '.') {
        *real = true;
        p++;
        part = strspn(p, "0123456789");
        p += part;
    }

    if (whole + part == 0) {
        return false;
    }

    if (*p == 'e' || *p == 'E') {
        *real = true;
        p++;

        if (*p == '-' || *p == '+') {
            p++;
        }

        part = strspn(p, "0123456789");

        if (part == 0) {
            return false;
        }

        p += part;
    }

    return *p == '\0';
}


static cel_status_t
scalar_integer(workflow_document_t *doc, workflow_node_t *node, int base)
{
    char                 buf[32];
    const char          *p;
    long long            number;
    unsigned long long   positive;

    p = node->text;
    errno = 0;

    if (*p == '-') {
        number = strtoll(p, NULL, base);
        snprintf(buf, sizeof(buf), "%lld", number);

    } else {
        positive = strtoull(base == 10 ? p : p + 2, NULL, base);
        snprintf(buf, sizeof(buf), "%llu", positive);
    }

    if (errno == ERANGE) {
        return workflow_issue(doc, WORKFLOW_I_SYNTAX, node->offset, NULL,
                              "the number does not fit in 64 bits; put it in "
                              "quotes if a string is meant");
    }

    return scalar_number(doc, node, buf);
}


static cel_status_t
scalar_real(workflow_document_t *doc, workflow_node_t *node)
{
    char    buf[40];
    double  d;

    d = strtod(node->text, NULL);

    if (isinf(d)) {
        return workflow_issue(doc, WORKFLOW_I_SYNTAX, node->offset, NULL,
                              "the number does not fit in 64 bits; put it in "
                              "quotes if a string is meant");
    }

    snprintf(buf, sizeof(buf), "%.17g", d);

    if (strpbrk(buf, ".e") == NULL) {
        strcat(buf, ".0");
    }

    return scalar_number(doc, node, buf);
}


static cel_status_t
scalar_number(workflow_document_t *doc, workflow_node_t *node,
    const char *text)
{
    char    *p;
    size_t   len;

    len = strlen(text);
    p = cel_arena_alloc(&doc->arena, len + 1);

    if (p == NULL) {
        return workflow_issue(doc, WORKFLOW_I_LIMIT, node->offset, NULL,
                              "not enough memory for the document");
    }

    node->kind = WORKFLOW_NODE_NUMBER;
    node->text = memcpy(p, text, len + 1);
    node->len = len;

    return CEL_OK;
}


static bool
scalar_holds_expression(const char *key)
{
    const char *const  *word;

    static const char *const  words[] = {
        "condition", "output", "expression", "explanation", "expr", NULL
    };

    if (key == NULL) {
        return false;
    }

    for (word = words; *word != NULL; word++) {
        if (strcmp(key, *word) == 0) {
            return true;
        }
    }

    return false;
}


/*
 * The lines of a folded block as they are written, less the indentation of
 * the first one that is not blank, joined by line feeds.
 */

static cel_status_t
scalar_unfold(workflow_document_t *doc, workflow_node_t *node)
{
    char        *out, *start;
    size_t       indent, n;
    const char  *p, *line, *eol, *end;

    p = doc->text + node->offset;
    end = doc->text + node->end;

    for (p++; p < end && *p != '\n' && *p != '#'; p++) {
        if (*p >= '1' && *p <= '9') {
            return scalar_no_lost_comment(doc, node);
        }
    }

    p = memchr(p, '\n', end - p);
    start = out = cel_arena_alloc(&doc->arena, end - (doc->text
                                                      + node->offset) + 1);
    if (start == NULL) {
        return workflow_issue(doc, WORKFLOW_I_LIMIT, node->offset, NULL,
                              "not enough memory for the document");
    }

    indent = 0;

    for (line = p != NULL ? p + 1 : end; line < end; line = eol + 1) {

        eol = memchr(line, '\n', end - line);
        eol = eol != NULL ? eol : end;

        for (n = 0; line + n < eol && line[n] == ' '; n++) { /* void */ }

        if (indent == 0 && line + n < eol && line[n] != '\r') {
            indent = n;
        }

        n = n < indent ? n : indent;

        memcpy(out, line + n, eol - line - n);
        out += eol - line - n;
        *out++ = '\n';
    }

    while (out > start && strchr(" \t\r\n", out[-1]) != NULL) {
        out--;
    }

    *out = '\0';
    node->text = start;
    node->len = out - start;

    return CEL_OK;
}


/*
 * A scalar over several lines that is folded to one: a comment in it would
 * silently take the rest of the expression along.
 */

static cel_status_t
scalar_no_lost_comment(workflow_document_t *doc, const workflow_node_t *node)
{
    const char  *comment, *start;

    start = doc->text + node->offset;

    if (memchr(start, '\n', node->end - node->offset) == NULL) {
        return CEL_OK;
    }

    comment = scalar_comment(node->text, node->text + node->len);

    if (comment == NULL) {
        return CEL_OK;
    }

    return workflow_issue(doc, WORKFLOW_I_SYNTAX,
                          workflow_node_position(doc, node,
                                                 comment - node->text), NULL,
                          "a comment in an expression that YAML folds to one "
                          "line would hide what follows it; use a literal "
                          "block (\"|\")");
}


/* the first // outside the string literals of an expression */

static const char *
scalar_comment(const char *p, const char *end)
{
    const char  *start;

    start = p;

    while (p < end) {

        if (*p == '"' || *p == '\'') {
            p = scalar_literal_end(p, end, p > start && (p[-1] | 0x20) == 'r');
            continue;
        }

        if (*p == '/' && p + 1 < end && p[1] == '/'
            && memchr(p, '\n', end - p) == NULL)
        {
            return p;
        }

        p++;
    }

    return NULL;
}


static const char *
scalar_literal_end(const char *p, const char *end, bool raw)
{
    char    quote;
    size_t  n;

    quote = *p;
    n = (end - p >= 3 && p[1] == quote && p[2] == quote) ? 3 : 1;

    for (p += n; p < end; p++) {

        if (*p == '\\' && !raw) {
            p++;
            continue;
        }

        if (*p == quote
            && (n == 1
                || (end - p >= 3 && p[1] == quote && p[2] == quote)))
        {
            return p + n;
        }
    }

    return end;
}
