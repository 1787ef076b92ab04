
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Documents: what is read, and what is refused where.
 */


#include <stdlib.h>
#include "tap.h"
#include "workflow.h"


typedef struct {
    const char         *name;
    workflow_format_t   format;
    const char         *text;
    const char         *json;           /* NULL: refused */
    uint32_t            line;
    uint32_t            column;
    const char         *message;        /* a part of it */
} document_t;


#define J  WORKFLOW_JSON
#define Y  WORKFLOW_YAML


static const document_t  documents[] = {

    /* JSON that is right */

    { "null", J, " null ", "null", 0, 0, NULL },
    { "empty map", J, "{}", "{}", 0, 0, NULL },
    { "nested", J, "{\"a\":[1, -2.5e3, true, false, null, {\"b\":\"c\"}]}",
      "{\"a\":[1,-2.5e3,true,false,null,{\"b\":\"c\"}]}", 0, 0, NULL },
    { "escapes", J, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"",
      "\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\xf0\x9f\x98\x80\"", 0, 0, NULL },
    { "a control character stays escaped", J, "\"\\u0001\"", "\"\\u0001\"",
      0, 0, NULL },
    { "int64 and uint64 limits", J,
      "[-9223372036854775808, 18446744073709551615]",
      "[-9223372036854775808,18446744073709551615]", 0, 0, NULL },
    { "a tiny double is zero, not an error", J, "1e-400", "1e-400", 0, 0,
      NULL },

    /* JSON that is not */

    { "empty", J, "", NULL, 1, 1, "empty" },
    { "blank", J, " \n ", NULL, 2, 2, "empty" },
    { "byte order mark", J, "\xef\xbb\xbf{}", NULL, 1, 1,
      "byte order mark" },
    { "two values", J, "{} {}", NULL, 1, 4, "after the end" },
    { "no value", J, "{\"a\": }", NULL, 1, 7, "value should be" },
    { "no colon", J, "{\"a\" 1}", NULL, 1, 6, "\":\" should be" },
    { "trailing comma", J, "{\"a\": 1,}", NULL, 1, 9, "key in double" },
    { "trailing comma in a list", J, "[1,]", NULL, 1, 4, "value should" },
    { "unquoted key", J, "{a: 1}", NULL, 1, 2, "key in double quotes" },
    { "single quotes", J, "{'a': 1}", NULL, 1, 2, "key in double quotes" },
    { "comment", J, "{\n  // x\n}", NULL, 2, 3, "\"/\" where" },
    { "open string", J, "{\"a", NULL, 1, 2, "closing quote" },
    { "open escape", J, "\"a\\", NULL, 1, 3, "closing quote" },
    { "open map", J, "{\"a\": 1", NULL, 1, 8, "the text ends" },
    { "line feed in a string", J, "\"a\nb\"", NULL, 1, 3, "control" },
    { "unknown escape", J, "\"\\x41\"", NULL, 1, 2, "unknown escape" },
    { "short unicode escape", J, "\"\\u12\"", NULL, 1, 2, "four hexadec" },
    { "half a pair", J, "\"\\ud800\"", NULL, 1, 2, "surrogate" },
    { "half a pair and a letter", J, "\"\\ud800\\u0041\"", NULL, 1, 2,
      "surrogate" },
    { "second half alone", J, "\"\\udc00\"", NULL, 1, 2, "stands alone" },
    { "NUL escape", J, "\"\\u0000\"", NULL, 1, 2, "NUL" },
    { "leading zero", J, "01", NULL, 1, 2, "after the end" },
    { "no digit", J, "-", NULL, 1, 2, "digit should be" },
    { "no fraction", J, "1.x", NULL, 1, 3, "digit should be" },
    { "plus", J, "+1", NULL, 1, 1, "value should be" },
    { "beyond uint64", J, "[1, 18446744073709551616]", NULL, 1, 5,
      "64 bits" },
    { "below int64", J, "-9223372036854775809", NULL, 1, 1, "64 bits" },
    { "beyond double", J, "1e999", NULL, 1, 1, "64 bits" },
    { "half a word", J, "tru", NULL, 1, 1, "value should be" },
    { "duplicate key", J, "{\"a\": 1,\n \"b\": 2,\n \"\\u0061\": 3}", NULL,
      3, 2, "\"a\" is there already, on line 1" },
    { "invalid UTF-8", J, "{\"a\": \"\xff\"}", NULL, 1, 8, "0xff" },
    { "overlong UTF-8", J, "\"\xc0\xaf\"", NULL, 1, 2, "0xc0" },
    { "a surrogate in UTF-8", J, "\"\xed\xa0\x80\"", NULL, 1, 2, "0xed" },
    { "columns are characters", J, "{\"\xc3\xa9\xc3\xa9\": x}", NULL, 1, 8,
      "value should be" },

    /* YAML that is right */

    { "block", Y, "a:\n  - 1\n  - b: c\n", "{\"a\":[1,{\"b\":\"c\"}]}",
      0, 0, NULL },
    { "flow", Y, "{a: [1, 'x''y', \"z\\n\"]}",
      "{\"a\":[1,\"x'y\",\"z\\n\"]}", 0, 0, NULL },
    { "JSON", Y, "{\"a\": [true, null, 1.5]}", "{\"a\":[true,null,1.5]}",
      0, 0, NULL },
    { "1.2 core: yes and on are strings", Y,
      "[yes, no, on, off, y, n, Yes, true, True, FALSE]",
      "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"Yes\",true,true,false]",
      0, 0, NULL },
    { "1.2 core: null", Y, "[~, null, Null, NULL, nULL, '']",
      "[null,null,null,null,\"nULL\",\"\"]", 0, 0, NULL },
    { "1.2 core: integers", Y,
      "[0o17, 0x1F, 017, +12, -3, 1_000, 0b1, 12:30, 18446744073709551615]",
      "[15,31,17,12,-3,\"1_000\",\"0b1\",\"12:30\",18446744073709551615]",
      0, 0, NULL },
    { "1.2 core: doubles", Y, "[1.5, .5, 1., 1e3, -1.5E-3, 1.5.2, e3]",
      "[1.5,0.5,1.0,1000.0,-0.0015,\"1.5.2\",\"e3\"]", 0, 0, NULL },
    { "quoted numbers are strings", Y, "['1', \"true\"]",
      "[\"1\",\"true\"]", 0, 0, NULL },
    { "a date is a string", Y, "2024-01-01", "\"2024-01-01\"", 0, 0, NULL },
    { "literal block", Y, "a: |\n  x\n   y\n", "{\"a\":\"x\\n y\\n\"}", 0, 0,
      NULL },
    { "folded block of text", Y, "a: >\n  x\n  y\n", "{\"a\":\"x y\\n\"}", 0,
      0, NULL },
    { "folded block of an expression keeps its lines", Y,
      "condition: >\n  a // why\n  && b\n",
      "{\"condition\":\"a // why\\n&& b\"}", 0, 0, NULL },
    { "folded expression, indented", Y,
      "output: >-\n\n    'a' +\n      'b'\nx: 1",
      "{\"output\":\"\\n'a' +\\n  'b'\",\"x\":1}", 0, 0, NULL },
    { "a URL in a folded plain scalar is no comment", Y,
      "condition: a ==\n  'http://x'\n",
      "{\"condition\":\"a == 'http://x'\"}", 0, 0, NULL },
    { "one line may end in a comment", Y, "condition: a // why\n",
      "{\"condition\":\"a // why\"}", 0, 0, NULL },
    { "document start and end", Y, "---\na: 1\n...\n", "{\"a\":1}", 0, 0,
      NULL },
    { "carriage returns with line feeds", Y, "a: |\r\n  x\r\n  y\r\nb: 1\r\n",
      "{\"a\":\"x\\ny\\n\",\"b\":1}", 0, 0, NULL },
    { "other ends of lines, escaped", Y, "a: \"x\\Ny\\Lz\\P\\r\"\n",
      "{\"a\":\"x\xc2\x85y\xe2\x80\xa8z\xe2\x80\xa9\\r\"}", 0, 0, NULL },
    { "byte order mark in YAML", Y, "\xef\xbb\xbf" "a: 1", "{\"a\":1}", 0, 0,
      NULL },
    { "byte order mark before lines", Y, "\xef\xbb\xbf" "a: 1\nb:\n  - 2\n",
      "{\"a\":1,\"b\":[2]}", 0, 0, NULL },
    { "an error behind it", Y, "\xef\xbb\xbf" "a: 1\n&b c: 1\n", NULL, 2, 1,
      "anchor" },

    /* YAML that is not accepted */

    { "empty YAML", Y, "", NULL, 1, 1, "empty" },
    { "only a comment", Y, "# x\n", NULL, 2, 1, "empty" },
    { "anchor", Y, "a: &x 1\nb: 2\n", NULL, 1, 4, "anchor" },
    { "anchored map", Y, "a: &x\n  b: 1\n", NULL, 1, 4, "anchor" },
    { "alias", Y, "a: 1\nb: *a\n", NULL, 2, 4, NULL },
    { "tag", Y, "a: !!str 1\n", NULL, 1, 4, "tag" },
    { "tagged list", Y, "a: !x [1]\n", NULL, 1, 4, "tag" },
    { "merge key", Y, "a:\n  <<: {b: 1}\n", NULL, 2, 3, "merge key" },
    { "two documents", Y, "a: 1\n---\nb: 2\n", NULL, 2, 1,
      "second document" },
    { "duplicate key in YAML", Y, "a: 1\nb: 2\n'a': 3\n", NULL, 3, 1,
      "\"a\" is there already, on line 1" },
    { "number as key", Y, "1: x\n", NULL, 1, 1, "a number: put it in" },
    { "boolean as key", Y, "true: x\n", NULL, 1, 1, "a boolean" },
    { "null as key", Y, "? \n: x\n", NULL, 1, 2, "null" },
    { "list as key", Y, "? [a]\n: x\n", NULL, 1, 3, "not a list" },
    { "tab as indentation", Y, "a:\n\t- 1\n", NULL, 2, 1, NULL },
    { "bad indentation", Y, "a: 1\n  b: 2\n", NULL, 2, 4, NULL },
    { "open flow", Y, "a: [1,\n", NULL, 2, 1, NULL },
    { "NUL escape in YAML", Y, "a: \"x\\0\"\n", NULL, 1, 4, "NUL" },
    { "infinity", Y, "a: .inf\n", NULL, 1, 4, "no JSON form" },
    { "beyond 64 bits in YAML", Y, "a: 18446744073709551616\n", NULL, 1, 4,
      "64 bits" },
    { "a comment folded into the expression", Y,
      "condition: a // why\n  && b\n", NULL, 1, 14, "literal block" },
    { "the same in double quotes", Y,
      "- condition: \"a // why\n    && b\"\n", NULL, 1, 17,
      "literal block" },
    { "the same behind a raw string", Y,
      "condition: a == r'\\' // x\n  && b\n", NULL, 1, 22,
      "literal block" },
    { "a carriage return alone folds a comment", Y,
      "condition: a // why\r  && b\n", NULL, 1, 20, "carriage return" },
    { "a carriage return at the end", Y, "a: 1\r", NULL, 1, 5,
      "carriage return" },
    { "U+0085 folds a comment", Y,
      "condition: a // why\xc2\x85  && b\n", NULL, 1, 20, "U+0085" },
    { "U+2028 folds a comment", Y,
      "condition: 'a // why\xe2\x80\xa8  && b'\n", NULL, 1, 21, "U+2028" },
    { "U+2029 in a literal block", Y,
      "condition: |\n  a // why\xe2\x80\xa9  && b\n", NULL, 2, 11,
      "U+2029" },
    { "U+2028 ends a comment of YAML", Y,
      "a: 1 # \xc3\xa9\xe2\x80\xa8" "b: 2\n", NULL, 1, 9, "U+2028" },
    { "invalid UTF-8 in YAML", Y, "a: \xff\n", NULL, 1, 4, "0xff" },
};


static void
check(const document_t *d)
{
    char               *json;
    size_t              len;
    workflow_issues_t   issues;

    json = workflow_to_json(d->text, strlen(d->text), d->format, &len,
                            &issues);

    if (d->json != NULL) {
        is_str(json, d->json, "%s", d->name);

        if (json == NULL) {
            printf("#   %s\n", issues.items[0].message);
        }

        free(json);
        return;
    }

    if (!ok(json == NULL && issues.count == 1, "%s: refused", d->name)) {
        free(json);
        return;
    }

    if (!ok(issues.items[0].line == d->line
            && issues.items[0].column == d->column
            && (d->message == NULL
                || strstr(issues.items[0].message, d->message) != NULL),
            "%s: where and why", d->name))
    {
        printf("#   %u:%u: %s\n", issues.items[0].line,
               issues.items[0].column, issues.items[0].message);
    }
}


static void
check_nesting(workflow_format_t format, uint32_t depth, bool accepted)
{
    char               *text, *json;
    size_t              len;
    workflow_issues_t   issues;

    text = malloc(depth * 2);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);

    json = workflow_to_json(text, depth * 2, format, &len, &issues);

    ok((json != NULL) == accepted
       && (accepted || (issues.items[0].kind == WORKFLOW_I_LIMIT
                        && issues.items[0].column == 201)),
       "%u brackets of %s are %s", depth, format == J ? "JSON" : "YAML",
       accepted ? "read" : "refused");

    free(json);
    free(text);
}


static void
check_many_keys(void)
{
    char               *text, *json, *p;
    int                 i;
    size_t              len;
    workflow_issues_t   issues;

    text = malloc(100000 * 12);
    p = text + sprintf(text, "{");

    for (i = 0; i < 100000; i++) {
        p += sprintf(p, "\"k%d\":1,", i);
    }

    strcpy(p - 1, "}");
    json = workflow_to_json(text, strlen(text), J, &len, &issues);
    is_int(json != NULL ? len : 0, strlen(text), "100,000 keys");
    free(json);

    strcpy(p - 1, ",\"k777\":2}");
    json = workflow_to_json(text, strlen(text), J, &len, &issues);
    ok(json == NULL && strstr(issues.items[0].message, "\"k777\"") != NULL,
       "one of them twice");

    free(json);
    free(text);
}


static void
check_nul(void)
{
    char               *json;
    size_t              len;
    workflow_issues_t   issues;

    json = workflow_to_json("{\"a\":\0 1}", 9, J, &len, &issues);
    ok(json == NULL && issues.items[0].column == 6, "a NUL byte in JSON");
    free(json);

    json = workflow_to_json("a: \0\n", 5, Y, &len, &issues);
    ok(json == NULL && issues.items[0].column == 4, "a NUL byte in YAML");
    free(json);
}


static void
check_excerpt(void)
{
    char                text[2048];
    size_t              len;
    workflow_issues_t   issues;

    ok(workflow_to_json("{\n  \"a\": x\n}", 12, J, &len, &issues) == NULL,
       "refused");
    is_str(issues.items[0].excerpt, " |   \"a\": x\n | .......^",
           "the line and a caret");

    memset(text, ' ', sizeof(text));
    memcpy(text + 1000, "x", 2);

    ok(workflow_to_json(text, 1001, J, &len, &issues) == NULL, "refused");
    is_int(issues.items[0].column, 1001, "far to the right");
    ok(strlen(issues.items[0].excerpt) < 100
       && strstr(issues.items[0].excerpt, "x\n | ") != NULL,
       "a long line is cut around the caret");

    memset(text, 'k', 300);
    memcpy(text, "{\"", 2);

    strcpy(text + 64, "\xc3\xa9\xc3\xa9\xc3\xa9\":1,\"");
    memcpy(text + 75, text + 2, 62);
    strcpy(text + 137, "\xc3\xa9\xc3\xa9\xc3\xa9\":1}");
    (void) workflow_to_json(text, strlen(text), J, &len, &issues);
    ok(strstr(issues.items[0].message, "already") != NULL
       && strstr(issues.items[0].message, "\xc3\"") == NULL,
       "a key cut in a character leaves UTF-8 whole");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        check(&documents[i]);
    }

    check_nesting(J, 200, true);
    check_nesting(J, 201, false);
    check_nesting(J, 100000, false);
    check_nesting(Y, 200, true);
    check_nesting(Y, 100000, false);
    check_many_keys();
    check_nul();
    check_excerpt();

    return done_testing();
}
