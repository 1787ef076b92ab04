/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Positions in code points, the excerpt with its caret, the order of issues.
 */

#include "front.h"


static void
test_position(void)
{
    uint32_t    line, column;
    size_t      i;

    static const char  source[] = "a\xc3\xa9z\n\n\xf0\x9f\x90\xb1x\r\ny";

    static const struct {
        uint32_t  offset;
        uint32_t  line;
        uint32_t  column;
    } places[] = {
        { 0, 1, 1 },
        { 1, 1, 2 },
        { 3, 1, 3 },
        { 4, 1, 4 },
        { 5, 2, 1 },
        { 6, 3, 1 },
        { 10, 3, 2 },
        { 13, 4, 1 },
        { 14, 4, 2 },
        { 99, 4, 2 },
    };

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        cel_position(source, sizeof(source) - 1, places[i].offset, &line,
                     &column);
        ok(line == places[i].line && column == places[i].column,
           "offset %u is %u:%u, got %u:%u", (unsigned) places[i].offset,
           (unsigned) places[i].line, (unsigned) places[i].column,
           (unsigned) line, (unsigned) column);
    }
}


/* gives the text of the first issue of the expression */

static size_t
format(cel_env_t *env, const char *source, char *buf, size_t size)
{
    size_t   n;
    front_t  front;

    front_begin(&front, env, source, strlen(source));
    front_check(&front);

    if (front.issues.count == 0) {
        buf[0] = '\0';
        front_end(&front);
        return 0;
    }

    n = cel_error_format(&front.issues.items[0], "policy.yaml", source,
                         strlen(source), buf, size);
    front_end(&front);

    return n;
}


static void
test_format(cel_env_t *env)
{
    char         buf[600], longer[600];
    size_t       n, i, cut;
    cel_error_t  nowhere;

    n = format(env, "x + 'a'", buf, sizeof(buf));
    is_str(buf,
           "ERROR: policy.yaml:1:3: found no matching overload for '_+_' "
           "applied to '(int, string)', convert one side, as in int('...') "
           "or string(x)\n"
           " | x + 'a'\n"
           " | ..^", "an error is shown with its line and a caret");
    is_int(n, strlen(buf), "the length is given");

    format(env, "\n\n  x +\n  '\xc3\xa9' + 1\n + b", buf, sizeof(buf));
    is_str(buf,
           "ERROR: policy.yaml:3:5: found no matching overload for '_+_' "
           "applied to '(int, string)', convert one side, as in int('...') "
           "or string(x)\n"
           " |   x +\n"
           " | ....^", "of several lines the one that is meant");

    format(env, "'\xc3\xa9\xf0\x9f\x90\xb1' + 1", buf, sizeof(buf));
    is_str(buf,
           "ERROR: policy.yaml:1:6: found no matching overload for '_+_' "
           "applied to '(string, int)', convert one side, as in int('...') "
           "or string(x)\n"
           " | '\xc3\xa9\xf0\x9f\x90\xb1' + 1\n"
           " | .....^", "the caret counts characters, not bytes");

    format(env, "\tx\t+ 'a'", buf, sizeof(buf));
    is_str(strchr(buf, '\n'), "\n |  x + 'a'\n | ...^",
           "a tab becomes a space");

    format(env, "1 +", buf, sizeof(buf));
    is_str(strchr(buf, '\n'), "\n | 1 +\n | ...^",
           "the caret may be behind the end");

    longer[0] = '\0';

    for (i = 0; i < 100; i++) {
        strcat(longer, i == 50 ? "'a' + 1 || " : i < 99 ? "b || " : "b");
    }

    format(env, longer, buf, sizeof(buf));
    ok(strstr(buf, "\n | ...") != NULL && strstr(buf, "...\n | ...") != NULL,
       "a long line is cut on both sides");

    for (i = 0; i < strlen(buf); i++) {
        char  part[600];

        cut = format(env, "x + 'a'", part, i + 1);
        if (cut != strlen(part) || cut > i) {
            break;
        }
    }

    is_int(i, strlen(buf), "the text is cut to every size of buffer");

    memset(&nowhere, 0, sizeof(cel_error_t));
    strcpy(nowhere.message, "memory is out");

    n = cel_error_format(&nowhere, "policy.yaml", "x", 1, buf, sizeof(buf));
    is_str(buf, "ERROR: policy.yaml: memory is out",
           "an error of no place shows none");
    is_int(n, strlen(buf), "its length is given, too");
    is_int(cel_error_format(NULL, NULL, NULL, 0, buf, 0), 0,
           "nothing is written to no buffer");
}


static void
test_order(void)
{
    char          message[2 * CEL_MESSAGE_MAX];
    cel_ast_t     ast;
    uint32_t      i;
    cel_issues_t  issues;

    memset(&ast, 0, sizeof(ast));
    memset(&issues, 0, sizeof(issues));

    ast.source = "0123456789012345678901234567890123456789";
    ast.len = 40;

    for (i = 40; i > 0; i--) {
        cel_issue(&issues, CEL_E_CHECK, &ast, i - 1, "at %u",
                  (unsigned) (i - 1));
    }

    is_int(issues.total, 40, "issues are counted");
    is_int(issues.count, CEL_ISSUES_MAX, "as many are kept as fit");

    for (i = 0; i < issues.count; i++) {
        if (issues.items[i].offset != i) {
            break;
        }
    }

    is_int(i, CEL_ISSUES_MAX, "the first of the source, in its order");

    memset(&issues, 0, sizeof(issues));
    memset(message, 'a', sizeof(message));
    memcpy(message + CEL_MESSAGE_MAX - 5, "\xe2\x82\xac\xe2\x82\xac", 6);
    message[sizeof(message) - 1] = '\0';

    cel_issue(&issues, CEL_E_CHECK, &ast, 0, "%s", message);
    is_int(strlen(issues.items[0].message), CEL_MESSAGE_MAX - 2,
           "a long message is cut before a character");
    is_str(issues.items[0].message + CEL_MESSAGE_MAX - 5, "...",
           "and says so");
}


static void
test_names(void)
{
    uint32_t  i;

    for (i = 0; i <= CEL_E_DEPTH; i++) {
        ok(strcmp(cel_error_kind_name((cel_error_kind_t) i), "unknown") != 0,
           "error kind %u is called %s", (unsigned) i,
           cel_error_kind_name((cel_error_kind_t) i));
    }

    is_str(cel_error_kind_name((cel_error_kind_t) 999), "unknown",
           "another one is unknown");
}


/* t/cel/cases/refused.txt */

static void
test_cases(cel_env_t *env)
{
    char     line[1000], source[4000], issue[400];
    FILE    *file;
    front_t  front;
    size_t   n, cases;

    file = fopen("t/cel/cases/refused.txt", "r");
    ok(file != NULL, "the cases are there");

    if (file == NULL) {
        return;
    }

    cases = 0;
    source[0] = '\0';
    n = 0;

    /* blocks: %%FAIL, the expression's lines, "= LINE:COLUMN: MESSAGE" */

    while (fgets(line, sizeof(line), file) != NULL) {

        if (strncmp(line, "%%FAIL", 6) == 0) {
            source[0] = '\0';
            n = 0;
            continue;
        }

        if (strncmp(line, "= ", 2) != 0) {
            if (line[0] != '#' || n > 0) {
                snprintf(source + n, sizeof(source) - n, "%s", line);
                n = strlen(source);
            }

            continue;
        }

        line[strcspn(line, "\n")] = '\0';
        source[n > 0 ? n - 1 : 0] = '\0';

        front_begin(&front, env, source, strlen(source));
        front_check(&front);
        is_str(front_issue(&front, 0, issue, sizeof(issue)), line + 2, "%s",
               source[0] != '\0' && strchr(source, '\n') == NULL
               ? source : "several lines");
        front_end(&front);

        cases++;
        source[0] = '\0';
        n = 0;
    }

    fclose(file);

    ok(cases > 10, "%zu cases were read", cases);
}


int
main(void)
{
    cel_env_t  *env;

    env = front_env(NULL);

    test_position();
    test_format(env);
    test_order();
    test_names();
    test_cases(env);

    cel_env_destroy(env);

    return done_testing();
}
