
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Sorting and projection.
 */

#include <stdlib.h>
#include "query.h"
#include "tap.h"


static json_t *
parse(const char *text)
{
    json_t  *json;

    json = json_loads(text, JSON_DECODE_ANY, NULL);

    if (json == NULL) {
        printf("Bail out! not JSON: %s\n", text);
        exit(1);
    }

    return json;
}


static int
sign(int n)
{
    return (n > 0) - (n < 0);
}


static void
compare(const char *by, const char *a, const char *b, int want)
{
    json_t         *x, *y, *key_x, *key_y;
    query_sort_t   *sort;
    query_error_t   error;

    sort = query_sort_compile(by, strlen(by), &error);

    if (!ok(sort != NULL, "sort by %s", by)) {
        printf("#   %s\n", error.message);
        return;
    }

    x = parse(a);
    y = parse(b);

    is_int(sign(query_compare(sort, x, y)), want, "by %s: %s, %s", by, a, b);
    is_int(sign(query_compare(sort, y, x)), -want, "and the other way round");

    key_x = query_sort_key(sort, x);
    key_y = query_sort_key(sort, y);

    ok(query_sort_key_valid(sort, key_x), "the key is one");
    is_int(sign(query_compare_keys(sort, key_x, key_y)), want, "by keys");

    json_decref(key_x);
    json_decref(key_y);
    json_decref(x);
    json_decref(y);
    query_sort_destroy(sort);
}


static void
bad_sort(const char *by, const char *message)
{
    query_sort_t   *sort;
    query_error_t   error;

    sort = query_sort_compile(by, strlen(by), &error);

    ok(sort == NULL, "sort by \"%s\" is refused", by);
    is_str(error.path, "sort", "the path");
    ok(sort == NULL && strstr(error.message, message) != NULL, "%s", message);
    query_sort_destroy(sort);
}


static void
project(const char *names, const char *document, const char *want)
{
    char            *text;
    json_t          *json, *part, *copy;
    query_error_t    error;
    query_fields_t  *fields;

    fields = query_fields_compile(names, strlen(names), &error);

    if (!ok(fields != NULL, "fields %s", names)) {
        printf("#   %s\n", error.message);
        return;
    }

    json = parse(document);
    copy = json_deep_copy(json);
    part = query_project(fields, json);
    text = json_dumps(part, JSON_COMPACT | JSON_SORT_KEYS);

    is_str(text, want, "%s of %s", names, document);
    ok(json_equal(json, copy), "the document is as before");

    free(text);
    json_decref(part);
    json_decref(copy);
    json_decref(json);
    query_fields_destroy(fields);
}


static void
bad_fields(const char *names, size_t len, const char *message)
{
    query_error_t    error;
    query_fields_t  *fields;

    fields = query_fields_compile(names, len, &error);

    ok(fields == NULL, "fields \"%s\" are refused", names);
    is_str(error.path, "fields", "the path");
    ok(fields == NULL && strstr(error.message, message) != NULL, "%s",
       message);
    query_fields_destroy(fields);
}


int
main(void)
{
    int     i;
    char    many[1000];
    json_t *key;
    query_sort_t   *sort;
    query_error_t   error;

    compare("a", "{\"a\":1}", "{\"a\":2}", -1);
    compare("-a", "{\"a\":1}", "{\"a\":2}", 1);
    compare("a", "{\"a\":1}", "{\"a\":1.0}", 0);
    compare("a", "{}", "{\"a\":null}", 0);
    compare("a", "{}", "{\"a\":-5}", -1);
    compare("a", "{\"a\":5}", "{\"a\":\"5\"}", -1);
    compare("a", "{\"a\":\"z\"}", "{\"a\":{}}", -1);
    compare("a", "{\"a\":{\"x\":1}}", "{\"a\":[[]]}", 1);
    compare("a", "{\"a\":{}}", "{\"a\":true}", -1);
    compare("a", "{\"a\":false}", "{\"a\":true}", -1);
    compare("a", "{\"a\":\"ab\"}", "{\"a\":\"b\"}", -1);
    compare("a", "{\"a\":\"a\"}", "{\"a\":\"ab\"}", -1);
    compare("a", "{\"a\":[]}", "{}", -1);
    compare("a", "{\"a\":[3,1]}", "{\"a\":2}", -1);
    compare("-a", "{\"a\":[3,1]}", "{\"a\":2}", -1);
    compare("a", "{\"a\":[1,9]}", "{\"a\":[1,2]}", 0);
    compare("a.b", "{\"a\":{\"b\":1}}", "{\"a\":[{\"b\":2},{\"b\":0}]}", 1);
    compare("a,b", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":1}", 1);
    compare("a,-b", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":1}", -1);
    compare("a", "{\"a\":{\"y\":1,\"x\":2}}", "{\"a\":{\"x\":2,\"y\":1}}", 0);
    compare("a", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":2}}", -1);
    compare("a", "{\"a\":{\"y\":0}}", "{\"a\":{\"x\":2}}", -1);
    compare("a", "{\"a\":{\"x\":1,\"y\":1}}", "{\"a\":{\"x\":1}}", 1);

    bad_sort("", "names with dots");
    bad_sort("-", "names with dots");
    bad_sort("a,", "names with dots");
    bad_sort(",a", "names with dots");
    bad_sort("a..b", "two dots");
    bad_sort("a,b,c,d,e,f,g,h,i", "at most 8");

    sort = query_sort_compile("a,b", 3, &error);
    key = parse("[1]");
    ok(!query_sort_key_valid(sort, key), "a key that is too short");
    json_decref(key);
    key = parse("{\"a\":1}");
    ok(!query_sort_key_valid(sort, key), "a key that is no array");
    json_decref(key);
    query_sort_destroy(sort);
    query_sort_destroy(NULL);

    project("a", "{\"a\":1,\"b\":2}", "{\"a\":1}");
    project("a,b", "{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":1,\"b\":2}");
    project("x", "{\"a\":1}", "{}");
    project("a.b", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1}}");
    project("a.b,a.c", "{\"a\":{\"b\":1,\"c\":2,\"d\":3}}",
            "{\"a\":{\"b\":1,\"c\":2}}");
    project("a.b", "{\"a\":5}", "{}");
    project("a.b", "{\"a\":{}}", "{\"a\":{}}");
    project("a.b", "{\"a\":[{\"b\":1,\"c\":2},5,{\"c\":1},[{\"b\":2}]]}",
            "{\"a\":[{\"b\":1},{},[{\"b\":2}]]}");
    project("a", "{\"a\":null}", "{\"a\":null}");

    bad_fields("", 0, "names with dots");
    bad_fields("a,,b", 4, "names with dots");
    bad_fields("a,a", 3, "given twice");
    bad_fields("a.b,a", 5, "given twice");
    bad_fields("a,a.b", 5, "given twice");
    bad_fields("a\0b", 3, "NUL");
    bad_fields("\xff", 1, "UTF-8");

    strcpy(many, "a0");

    for (i = 1; i <= 100; i++) {
        sprintf(many + strlen(many), ",a%d", i);
    }

    bad_fields(many, strlen(many), "at most 100");
    query_fields_destroy(NULL);

    return done_testing();
}
