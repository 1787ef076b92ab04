
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_issue.c - what is wrong with an expression, and where: collects the
 * errors of one compilation and writes them for people.
 */


#include "cel_ast.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


/* columns of source shown around the caret of a long line */
#define CEL_EXCERPT_BEFORE  60
#define CEL_EXCERPT_AFTER   40


static void cel_issue_insert(cel_issues_t *issues, const cel_error_t *error);
static void cel_issue_trim(char *message);
static size_t cel_issue_excerpt(const cel_error_t *error, const char *source,
    size_t len, char *buf, size_t size);
static size_t cel_issue_append(char *buf, size_t size, size_t used,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));


static bool
cel_issue_starts_char(char ch)
{
    return ((unsigned char) ch & 0xc0) != 0x80;
}


void
cel_issue(cel_issues_t *issues, cel_error_kind_t kind, const cel_ast_t *ast,
    uint32_t offset, const char *fmt, ...)
{
    va_list      args;
    cel_error_t  error;

    if (issues->count == CEL_ISSUES_MAX
        && issues->items[CEL_ISSUES_MAX - 1].offset <= offset)
    {
        issues->total++;
        return;
    }

    memset(&error, 0, sizeof(cel_error_t));

    error.kind = kind;
    error.offset = offset;
    cel_position(ast->source, ast->len, offset, &error.line, &error.column);

    va_start(args, fmt);
    vsnprintf(error.message, sizeof(error.message), fmt, args);
    va_end(args);

    cel_issue_trim(error.message);
    cel_issue_insert(issues, &error);
}


/* in source order; the later of those beyond the room are counted only */

static void
cel_issue_insert(cel_issues_t *issues, const cel_error_t *error)
{
    uint32_t  i;

    issues->total++;

    for (i = issues->count; i > 0; i--) {
        if (issues->items[i - 1].offset <= error->offset) {
            break;
        }
    }

    if (issues->count < CEL_ISSUES_MAX) {
        issues->count++;
    }

    memmove(&issues->items[i + 1], &issues->items[i],
            (issues->count - i - 1) * sizeof(cel_error_t));

    issues->items[i] = *error;
}


/* a message that was cut must still be UTF-8, and says that it was cut */

static void
cel_issue_trim(char *message)
{
    size_t  len;

    len = strlen(message);

    if (len < CEL_MESSAGE_MAX - 1) {
        return;
    }

    len -= 3;

    while (len > 0 && !cel_issue_starts_char(message[len])) {
        len--;
    }

    memcpy(message + len, "...", 4);
}


void
cel_position(const char *source, size_t len, uint32_t offset, uint32_t *line,
    uint32_t *column)
{
    size_t  i;

    *line = 1;
    *column = 1;

    for (i = 0; i < offset && i < len; i++) {
        if (source[i] == '\n') {
            (*line)++;
            *column = 1;

        } else if (i + 1 == len || cel_issue_starts_char(source[i + 1])) {
            (*column)++;
        }
    }
}


size_t
cel_error_format(const cel_error_t *error, const char *name,
    const char *source, size_t len, char *buf, size_t size)
{
    size_t  n;

    if (size == 0) {
        return 0;
    }

    buf[0] = '\0';

    if (error->line == 0) {
        return cel_issue_append(buf, size, 0, "ERROR: %s: %s", name,
                                error->message);
    }

    n = cel_issue_append(buf, size, 0, "ERROR: %s:%u:%u: %s", name,
                         (unsigned) error->line, (unsigned) error->column,
                         error->message);

    if (source == NULL) {
        return n;
    }

    return n + cel_issue_excerpt(error, source, len, buf + n, size - n);
}


/* "\n | source line\n | ....^" */

static size_t
cel_issue_excerpt(const cel_error_t *error, const char *source, size_t len,
    char *buf, size_t size)
{
    char       ch;
    size_t     n, start, end, from, to, at;
    uint32_t   column;

    at = error->offset < len ? error->offset : len;

    for (start = at; start > 0 && source[start - 1] != '\n'; start--) {
        /* void */
    }

    for (end = at; end < len && source[end] != '\n'; end++) {
        /* void */
    }

    from = at - start > CEL_EXCERPT_BEFORE ? at - CEL_EXCERPT_BEFORE : start;
    to = end - at > CEL_EXCERPT_AFTER ? at + CEL_EXCERPT_AFTER : end;

    while (from < at && !cel_issue_starts_char(source[from])) {
        from++;
    }

    while (to < end && !cel_issue_starts_char(source[to])) {
        to++;
    }

    n = cel_issue_append(buf, size, 0, "\n | %s", from > start ? "..." : "");
    column = from > start ? 3 : 0;

    for ( /* void */ ; from < to; from++) {
        ch = (unsigned char) source[from] < 0x20 || source[from] == 0x7f
             ? ' ' : source[from];
        n += cel_issue_append(buf, size, n, "%c", ch);

        if (from < at && cel_issue_starts_char(ch)) {
            column++;
        }
    }

    n += cel_issue_append(buf, size, n, "%s\n | ", to < end ? "..." : "");

    for ( /* void */ ; column > 0; column--) {
        n += cel_issue_append(buf, size, n, ".");
    }

    return n + cel_issue_append(buf, size, n, "^");
}


/* bytes added behind used, the NUL not counted, cut to size */

static size_t
cel_issue_append(char *buf, size_t size, size_t used, const char *fmt, ...)
{
    int      n;
    va_list  args;

    if (used + 1 >= size) {
        return 0;
    }

    va_start(args, fmt);
    n = vsnprintf(buf + used, size - used, fmt, args);
    va_end(args);

    if (n < 0) {
        return 0;
    }

    return (size_t) n < size - used ? (size_t) n : size - used - 1;
}
