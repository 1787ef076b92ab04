
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Data-driven: t/cel/cases/eval_*.txt.  A case is
 *
 *     the expression, on one line
 *     {"name": JSON value, ...}                 (left out: no variables)
 *     = the value as JSON text
 *
 * or, with an error when it is run, "! KIND LINE:COLUMN MESSAGE".  Blank lines
 * and those that start with # are between cases.  The variables are dyn.
 */


#include <glob.h>
#include "back.h"


#define LINE_MAX_BYTES  8192


typedef struct {
    char                expression[LINE_MAX_BYTES];
    char                vars[LINE_MAX_BYTES];
    char                want[LINE_MAX_BYTES];
    const char         *file;
    int                 line;
} case_t;


static cel_json_parser_t  *parser;
static char                names[BACK_FACTS][64];


static void
outcome(back_t *b, char *buf, size_t size)
{
    size_t       len;
    const char  *text;

    if (b->rc == CEL_OK
        && cel_to_json(&b->eval, &b->value, &text, &len) == CEL_OK)
    {
        snprintf(buf, size, "= %s", text);
        return;
    }

    snprintf(buf, size, "! %s %u:%u %s",
             cel_error_kind_name(b->eval.error.kind), b->eval.error.line,
             b->eval.error.column, b->eval.error.message);
}


static void
declare_all(back_t *b, const cel_json_t *json)
{
    uint32_t     i;
    cel_value_t  root, key, value;

    root = cel_json_root(json);

    for (i = 0; i < cel_size(&root) && i < BACK_FACTS; i++) {
        cel_entry(&b->eval, &root, i, &key, &value);
        snprintf(names[i], sizeof(names[i]), "%.*s", (int) key.len, key.s);
        back_declare(b, names[i], i, value);
    }
}


static void
run_case(const case_t *c)
{
    char          got[LINE_MAX_BYTES + 512];
    back_t        b;
    cel_json_t   *json;
    cel_error_t   error;

    json = NULL;

    back_open(&b);

    if (c->vars[0] != '\0') {
        json = cel_json_parse(parser, c->vars, strlen(c->vars), NULL, &error);

        if (json == NULL) {
            ok(0, "%s:%d: variables: %s", c->file, c->line, error.message);
            return;
        }

        declare_all(&b, json);
    }

    if (back_compile(&b, c->expression) == NULL) {
        snprintf(got, sizeof(got), "! %s %u:%u %s",
                 cel_error_kind_name(b.issues.items[0].kind),
                 b.issues.items[0].line, b.issues.items[0].column,
                 b.issues.items[0].message);

    } else {
        back_run(&b);
        outcome(&b, got, sizeof(got));
    }

    is_str(got, c->want, "%s:%d: %s", c->file, c->line, c->expression);

    cel_program_destroy(b.program);
    cel_arena_reset(&b.arena);
    cel_env_destroy(b.env);

    if (b.alloc.live != 0) {
        is_int(b.alloc.live, 0, "%s:%d: memory", c->file, c->line);
    }

    cel_json_destroy(json);
}


static void
run_file(const char *path)
{
    int      line;
    char     text[LINE_MAX_BYTES];
    FILE    *f;
    case_t   c;

    f = fopen(path, "r");

    if (f == NULL) {
        ok(0, "%s is read", path);
        return;
    }

    c.file = strrchr(path, '/') + 1;
    c.expression[0] = '\0';
    c.vars[0] = '\0';

    for (line = 1; fgets(text, sizeof(text), f) != NULL; line++) {
        text[strcspn(text, "\n")] = '\0';

        if (c.expression[0] == '\0') {
            if (text[0] != '\0' && text[0] != '#') {
                strcpy(c.expression, text);
                c.line = line;
            }

        } else if (text[0] == '=' || text[0] == '!') {
            strcpy(c.want, text);
            run_case(&c);
            c.expression[0] = '\0';
            c.vars[0] = '\0';

        } else {
            strcpy(c.vars, text);
        }
    }

    ok(c.expression[0] == '\0', "%s ends with a whole case", path);
    fclose(f);
}


int
main(void)
{
    size_t  i;
    glob_t  files;

    parser = cel_json_parser_create();

    ok(glob("t/cel/cases/eval_*.txt", 0, NULL, &files) == 0,
       "there are cases");

    for (i = 0; i < files.gl_pathc; i++) {
        run_file(files.gl_pathv[i]);
    }

    globfree(&files);
    cel_json_parser_destroy(parser);

    return done_testing();
}
