
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Files in, messages out.
 */


#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"


#define CLI_FILE_MAX  (64 * 1024 * 1024)


static bool cli_file_load(cli_file_t *file, FILE *in);
static workflow_format_t cli_file_format(const cli_file_t *file);
static void cli_print_issue(FILE *out, const char *what, const char *name,
    const workflow_issue_t *issue);
static bool cli_file_ends(const char *name, const char *suffix);


bool
cli_files(int *argc, char *const **argv)
{
    int  i;

    if (*argc > 0 && strcmp(**argv, "--") == 0) {
        (*argc)--;
        (*argv)++;
        return true;
    }

    for (i = 0; i < *argc; i++) {
        if (strncmp((*argv)[i], "--", 2) == 0) {
            cli_fail(CLI_USAGE, "no option \"%s\"; files that begin with -- "
                     "go behind --", (*argv)[i]);
            return false;
        }
    }

    return true;
}


bool
cli_file_read(cli_file_t *file, const char *name)
{
    FILE  *in;
    bool   done;

    memset(file, 0, sizeof(cli_file_t));
    file->name = name;

    in = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");

    if (in == NULL) {
        cli_fail(CLI_IO, "%s: %s", name, strerror(errno));
        return false;
    }

    done = cli_file_load(file, in);

    if (in != stdin) {
        fclose(in);
    }

    file->format = cli_file_format(file);

    return done;
}


static bool
cli_file_load(cli_file_t *file, FILE *in)
{
    char    *text;
    size_t   n, room;

    room = 0;

    do {
        if (file->len + 1 >= room) {
            room = room ? room * 2 : 65536;
            text = room <= CLI_FILE_MAX * 2 ? realloc(file->text, room)
                                            : NULL;
            if (text == NULL) {
                cli_fail(CLI_IO, "%s is larger than %d bytes", file->name,
                         CLI_FILE_MAX);
                return false;
            }

            file->text = text;
        }

        n = fread(file->text + file->len, 1, room - file->len - 1, in);
        file->len += n;

    } while (n != 0);

    file->text[file->len] = '\0';

    if (ferror(in)) {
        cli_fail(CLI_IO, "%s: %s", file->name, strerror(errno));
        return false;
    }

    return true;
}


static workflow_format_t
cli_file_format(const cli_file_t *file)
{
    size_t  i;

    if (cli_file_ends(file->name, ".json")) {
        return WORKFLOW_JSON;
    }

    if (cli_file_ends(file->name, ".yaml")
        || cli_file_ends(file->name, ".yml"))
    {
        return WORKFLOW_YAML;
    }

    i = file->text != NULL ? strspn(file->text, " \t\r\n") : file->len;

    return i < file->len && file->text[i] == '{' ? WORKFLOW_JSON
                                                 : WORKFLOW_YAML;
}


static bool
cli_file_ends(const char *name, const char *suffix)
{
    size_t  len, n;

    len = strlen(name);
    n = strlen(suffix);

    return len >= n && strcmp(name + len - n, suffix) == 0;
}


void
cli_file_free(cli_file_t *file)
{
    free(file->text);
    file->text = NULL;
}


void
cli_print_issues(FILE *out, const char *name,
    const workflow_issues_t *issues)
{
    uint32_t  i;

    for (i = 0; i < issues->count; i++) {
        cli_print_issue(out, "ERROR", name, &issues->items[i]);
    }

    if (issues->total > issues->count) {
        fprintf(out, "... and %u more\n", issues->total - issues->count);
    }
}


void
cli_print_warnings(FILE *out, const char *name,
    const workflow_issues_t *issues)
{
    uint32_t  i;

    for (i = 0; i < issues->nwarnings; i++) {
        cli_print_issue(out, "WARNING", name, &issues->warnings[i]);
    }

    if (issues->total_warnings > issues->nwarnings) {
        fprintf(out, "... and %u more warnings\n",
                issues->total_warnings - issues->nwarnings);
    }
}


static void
cli_print_issue(FILE *out, const char *what, const char *name,
    const workflow_issue_t *issue)
{
    fprintf(out, "%s: %s:%u:%u: %s", what, name, issue->line, issue->column,
            issue->message);

    if (issue->path[0] != '\0') {
        fprintf(out, " (%s)", issue->path);
    }

    fprintf(out, "\n%s\n", issue->excerpt);
}


void
cli_print_error(FILE *out, const char *name, const char *source, size_t len,
    const cel_error_t *error)
{
    char  text[2048];

    cel_error_format(error, name, source, len, text, sizeof(text));

    fprintf(out, "%s\n", text);
}


int
cli_fail(int code, const char *fmt, ...)
{
    va_list  ap;

    fprintf(stderr, "constraintctl: ");

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);

    fprintf(stderr, "\n");

    return code;
}
