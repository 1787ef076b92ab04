/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cases.h - the cases of t/cel/cases/eval_*.txt, their variables parsed, one
 * after the other, for tests that want many expressions and do not care what
 * comes out of them.  test_eval.c tells the format, and looks at the results.
 */

#ifndef CEL_TEST_CASES_H
#define CEL_TEST_CASES_H


#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cel.h"
#include "tap.h"


#define CASES_LINE   8192
#define CASES_FACTS  16


typedef struct {
    const char          *source;
    uint32_t             n;             /* facts */
    char                 names[CASES_FACTS][64];
    cel_value_t          values[CASES_FACTS];
} cases_case_t;

typedef void (*cases_pt)(void *ctx, const cases_case_t *c);


/* An env that knows the case's facts, all dyn; NULL when out of memory. */

static inline cel_env_t *
cases_env(const cases_case_t *c, const cel_allocator_t *allocator)
{
    uint32_t    i;
    cel_env_t  *env;

    env = cel_env_create(allocator, NULL);

    for (i = 0; env != NULL && i < c->n; i++) {
        if (cel_env_declare(env, c->names[i], "dyn", i, CEL_SIZE_BODY, 0)
            != CEL_OK)
        {
            cel_env_destroy(env);
            env = NULL;
        }
    }

    return env;
}


static inline void
cases_one(const char *source, const char *vars, cases_pt each, void *ctx)
{
    cel_json_t         *json;
    cel_eval_t          eval;
    cel_error_t         error;
    cel_value_t         root, key;
    cases_case_t        c;
    cel_json_parser_t  *parser;

    memset(&eval, 0, sizeof(eval));
    parser = cel_json_parser_create();
    json = cel_json_parse(parser, vars, strlen(vars), NULL, &error);

    if (json == NULL) {
        ok(0, "%s: the variables are parsed", source);
        cel_json_parser_destroy(parser);
        return;
    }

    root = cel_json_root(json);
    c.source = source;

    for (c.n = 0; c.n < cel_size(&root) && c.n < CASES_FACTS; c.n++) {
        cel_entry(&eval, &root, c.n, &key, &c.values[c.n]);
        snprintf(c.names[c.n], sizeof(c.names[0]), "%.*s", (int) key.len,
                 key.s);
    }

    each(ctx, &c);

    cel_json_destroy(json);
    cel_json_parser_destroy(parser);
}


/* A line with = or ! ends a case. */

static inline uint32_t
cases_file(const char *name, cases_pt each, void *ctx)
{
    char      line[CASES_LINE], source[CASES_LINE], vars[CASES_LINE];
    FILE     *file;
    uint32_t  n;

    file = fopen(name, "r");
    if (file == NULL) {
        return 0;
    }

    n = 0;
    source[0] = '\0';
    strcpy(vars, "{}");

    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';

        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }

        if (source[0] == '\0') {
            strcpy(source, line);

        } else if (line[0] != '=' && line[0] != '!') {
            strcpy(vars, line);

        } else {
            cases_one(source, vars, each, ctx);
            source[0] = '\0';
            strcpy(vars, "{}");
            n++;
        }
    }

    fclose(file);

    return n;
}


/* How many there were. */

static inline uint32_t
cases_all(cases_pt each, void *ctx)
{
    glob_t    files;
    size_t    i;
    uint32_t  n;

    n = 0;

    if (glob("t/cel/cases/eval_*.txt", 0, NULL, &files) == 0) {

        for (i = 0; i < files.gl_pathc; i++) {
            n += cases_file(files.gl_pathv[i], each, ctx);
        }

        globfree(&files);
    }

    return n;
}


#endif /* CEL_TEST_CASES_H */
