
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Issues: a message with its line, column and the line itself with a caret.
 */


#include <stdio.h>
#include <stdarg.h>
#include <string.h>
#include "workflow_document.h"


#define WORKFLOW_WINDOW  76             /* characters of a line shown */


static void issue_start(workflow_issue_t *issue, workflow_issue_kind_t kind,
    const char *path);
static void issue_finish(const workflow_document_t *doc, uint32_t offset,
    workflow_issue_t *issue);
static void issue_place(const workflow_document_t *doc, uint32_t offset,
    workflow_issue_t *issue);
static void issue_excerpt(const workflow_document_t *doc, uint32_t start,
    uint32_t column, workflow_issue_t *issue);
static void issue_clean(char *text);
static uint32_t issue_next(const workflow_document_t *doc, uint32_t pos);
static bool issue_line_ends(const workflow_document_t *doc, uint32_t pos);


cel_status_t
workflow_issue(workflow_document_t *doc, workflow_issue_kind_t kind,
    uint32_t offset, const char *path, const char *fmt, ...)
{
    va_list             ap;
    workflow_issue_t   *issue;
    workflow_issues_t  *issues;

    issues = doc->issues;
    issues->total++;

    if (issues->count == WORKFLOW_ISSUES_MAX) {
        return CEL_ERROR;
    }

    issue = &issues->items[issues->count++];
    issue_start(issue, kind, path);

    va_start(ap, fmt);
    vsnprintf(issue->message, sizeof(issue->message), fmt, ap);
    va_end(ap);

    issue_finish(doc, offset, issue);

    return CEL_ERROR;
}


void
workflow_warning(workflow_document_t *doc, uint32_t offset, const char *path,
    const char *fmt, ...)
{
    va_list             ap;
    workflow_issue_t   *issue;
    workflow_issues_t  *issues;

    issues = doc->issues;
    issues->total_warnings++;

    if (issues->nwarnings == WORKFLOW_ISSUES_MAX) {
        return;
    }

    issue = &issues->warnings[issues->nwarnings++];
    issue_start(issue, WORKFLOW_I_WARNING, path);

    va_start(ap, fmt);
    vsnprintf(issue->message, sizeof(issue->message), fmt, ap);
    va_end(ap);

    issue_finish(doc, offset, issue);
}


static void
issue_start(workflow_issue_t *issue, workflow_issue_kind_t kind,
    const char *path)
{
    memset(issue, 0, sizeof(workflow_issue_t));

    issue->kind = kind;
    snprintf(issue->path, sizeof(issue->path), "%s", path != NULL ? path : "");
}


static void
issue_finish(const workflow_document_t *doc, uint32_t offset,
    workflow_issue_t *issue)
{
    issue_clean(issue->path);
    issue_clean(issue->message);
    issue_place(doc, offset, issue);
}


static void
issue_place(const workflow_document_t *doc, uint32_t offset,
    workflow_issue_t *issue)
{
    uint32_t  i, start;

    if (offset > doc->len) {
        offset = doc->len;
    }

    start = 0;
    issue->line = 1;

    for (i = 0; i < offset; i++) {
        if (doc->text[i] == '\n') {
            issue->line++;
            start = i + 1;
        }
    }

    issue->column = 1;

    for (i = start; i < offset; i = issue_next(doc, i)) {
        issue->column++;
    }

    issue_excerpt(doc, start, issue->column, issue);
}


/* " | the line\n | .....^", cut around the caret */

static void
issue_excerpt(const workflow_document_t *doc, uint32_t start, uint32_t column,
    workflow_issue_t *issue)
{
    char      *p;
    uint32_t   i, n, skip;

    skip = column > WORKFLOW_WINDOW * 3 / 4 ? column - WORKFLOW_WINDOW / 2 : 0;

    for (i = 0; i < skip; i++) {
        start = issue_next(doc, start);
    }

    p = issue->excerpt;
    p += sprintf(p, " | ");

    for (i = 0; i < WORKFLOW_WINDOW && !issue_line_ends(doc, start); i++) {
        n = issue_next(doc, start) - start;

        if ((unsigned char) doc->text[start] < 0x20
            || doc->text[start] == 0x7f
            || (n == 1 && (doc->text[start] & 0x80)))
        {
            *p++ = ' ';

        } else {
            memcpy(p, doc->text + start, n);
            p += n;
        }

        start += n;
    }

    p += sprintf(p, "\n | ");

    for (i = skip + 1; i < column; i++) {
        *p++ = '.';
    }

    *p++ = '^';
    *p = '\0';
}


/*
 * Cutting may have left a part of a character; control characters of a key
 * have no place in a message.
 */

static void
issue_clean(char *text)
{
    char      *p;
    uint32_t   n, i;

    for (p = text; *p != '\0'; p += n) {
        n = 1;

        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            *p = ' ';

        } else if (*p & 0x80) {
            n = (*p & 0xe0) == 0xc0 ? 2 : (*p & 0xf0) == 0xe0 ? 3 : 4;

            for (i = 1; i < n && (p[i] & 0xc0) == 0x80; i++) { /* void */ }

            if (i < n) {
                *p = '?';
                n = 1;
            }
        }
    }
}


/* at most four bytes, so that broken UTF-8 stays within bounds */

static uint32_t
issue_next(const workflow_document_t *doc, uint32_t pos)
{
    uint32_t  n;

    for (n = 1;
         n < 4 && pos + n < doc->len && (doc->text[pos + n] & 0xc0) == 0x80;
         n++)
    {
        /* void */
    }

    return pos + n;
}


static bool
issue_line_ends(const workflow_document_t *doc, uint32_t pos)
{
    return pos >= doc->len || doc->text[pos] == '\n'
           || (doc->text[pos] == '\r' && pos + 1 < doc->len
               && doc->text[pos + 1] == '\n');
}
