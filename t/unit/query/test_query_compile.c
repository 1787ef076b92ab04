
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What is wrong with a filter: where, and what would be right; limits.
 */

#include <stdlib.h>
#include "query.h"
#include "tap.h"


typedef struct {
    const char  *filter;
    const char  *path;
    const char  *message;               /* a part of it */
} case_t;


static const case_t  cases[] = {
    { "[]", "$", "a filter is an object" },
    { "null", "$", "a filter is an object" },
    { "\"x\"", "$", "a filter is an object" },
    { "{\"a\":{\"$gtt\":1}}", "$.a.$gtt", "unknown operator; known are $eq, " },
    { "{\"a.b\":{\"$gtt\":1}}", "$.a.b.$gtt", "unknown operator" },
    { "{\"$nor\":[{}]}", "$.$nor", "unknown operator here; known are $and" },
    { "{\"$gt\":1}", "$.$gt", "unknown operator here" },
    { "{\"a\":{\"$or\":[]}}", "$.a.$or", "does not go below a path" },
    { "{\"$or\":[]}", "$.$or", "at least one filter" },
    { "{\"$or\":{}}", "$.$or", "takes an array" },
    { "{\"$and\":[{},5]}", "$.$and[1]", "a filter is an object" },
    { "{\"$and\":[{\"b\":{\"$x\":1}}]}", "$.$and[0].b.$x", "unknown operator" },
    { "{\"a\":{\"$gt\":1,\"b\":2}}", "$.a", "mixes operators" },
    { "{\"a\":{\"b\":2,\"$gt\":1}}", "$.a", "mixes operators" },
    { "{\"a\":{\"$gt\":[1]}}", "$.a.$gt", "a number, a string" },
    { "{\"a\":{\"$lte\":{}}}", "$.a.$lte", "a number, a string" },
    { "{\"a\":{\"$in\":1}}", "$.a.$in", "takes an array" },
    { "{\"a\":{\"$nin\":{}}}", "$.a.$nin", "takes an array" },
    { "{\"a\":{\"$exists\":1}}", "$.a.$exists", "true or false" },
    { "{\"a\":{\"$not\":5}}", "$.a.$not", "an object of operators" },
    { "{\"a\":{\"$not\":{}}}", "$.a.$not", "an object of operators" },
    { "{\"a\":{\"$not\":{\"b\":1}}}", "$.a.$not", "an object of operators" },
    { "{\"a\":{\"$not\":{\"$x\":1}}}", "$.a.$not.$x", "unknown operator" },
    { "{\"\":1}", "$.", "a path is names with dots" },
    { "{\".a\":1}", "$..a", "a path is names with dots" },
    { "{\"a.\":1}", "$.a.", "a path is names with dots" },
    { "{\"a..b\":1}", "$.a..b", "two dots in a row" },
    { "{\"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a\":1}",
      "$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "at most 16 parts" },
};


static query_t *
compile(const char *text, const query_limits_t *limits, query_error_t *error)
{
    json_t   *filter;
    query_t  *query;

    memset(error, 'x', sizeof(query_error_t));

    filter = json_loads(text, JSON_DECODE_ANY, NULL);

    if (filter == NULL) {
        printf("Bail out! not JSON: %.80s\n", text);
        exit(1);
    }

    query = query_compile(filter, limits, error);
    json_decref(filter);

    return query;
}


static void
check(const case_t *test)
{
    query_t        *query;
    query_error_t   error;

    query = compile(test->filter, NULL, &error);

    if (!ok(query == NULL, "%s is refused", test->filter)) {
        query_destroy(query);
        return;
    }

    is_str(error.path, test->path, "the path");

    if (!ok(strstr(error.message, test->message) != NULL, "the message")) {
        printf("#   %s\n", error.message);
    }
}


/* n times `open`, "1", n times `close` */

static void
nest(const char *open, const char *close, int n, bool good)
{
    int             i;
    char            text[65536];
    query_t        *query;
    query_error_t   error;

    text[0] = '\0';

    for (i = 0; i < n; i++) {
        strcat(text, open);
    }

    strcat(text, "{\"z\":1}");

    for (i = 0; i < n; i++) {
        strcat(text, close);
    }

    query = compile(text, NULL, &error);

    ok((query != NULL) == good, "%d times %s is %s", n, open,
       good ? "taken" : "refused");

    if (!good && query == NULL) {
        ok(strstr(error.message, "16 deep") != NULL, "for its depth");
    }

    query_destroy(query);
}


/* {"$or":[{"a":1}, ...]} makes 2 n + 2 nodes */

static void
wide(int n, bool good)
{
    int             i;
    char           *text;
    query_t        *query;
    query_error_t   error;

    text = malloc((size_t) n * 10 + 100);
    strcpy(text, "{\"$or\":[{\"a\":1}");

    for (i = 1; i < n; i++) {
        strcat(text, ",{\"a\":1}");
    }

    strcat(text, "]}");

    query = compile(text, NULL, &error);

    ok((query != NULL) == good, "$or of %d is %s", n,
       good ? "taken" : "refused");

    if (query == NULL) {
        ok(strstr(error.message, "at most 1000 operators") != NULL,
           "for its size");
    }

    query_destroy(query);
    free(text);
}


static void
in(int n, bool good)
{
    int             i;
    char           *text;
    query_t        *query;
    query_error_t   error;

    text = malloc((size_t) n * 2 + 100);
    strcpy(text, "{\"a\":{\"$in\":[1");

    for (i = 1; i < n; i++) {
        strcat(text, ",1");
    }

    strcat(text, "]}}");

    query = compile(text, NULL, &error);

    ok((query != NULL) == good, "$in of %d is %s", n,
       good ? "taken" : "refused");

    if (query == NULL) {
        ok(strstr(error.message, "at most 1000 values") != NULL,
           "for its size");
    }

    query_destroy(query);
    free(text);
}


/* A path in an error is cut, but never inside a character. */

static void
cut(size_t prefix)
{
    int             i;
    char            text[1200];
    json_t         *json;
    query_t        *query;
    query_error_t   error;

    strcpy(text, "{\"");

    while (prefix--) {
        strcat(text, "a");
    }

    for (i = 0; i < 200; i++) {
        strcat(text, "\xe2\x82\xac");
    }

    strcat(text, "\":{\"$x\":1}}");

    query = compile(text, NULL, &error);
    ok(query == NULL, "a long path is refused");

    ok(strlen(error.path) < QUERY_PATH_MAX
       && strlen(error.path) > QUERY_PATH_MAX - 6, "its length is bounded");

    json = json_string(error.path);
    ok(json != NULL, "it is valid UTF-8");
    json_decref(json);
}


/* Sixteen parts that match in two ways each: bounded, not exponential. */

static void
ambiguous(void)
{
    int             i;
    json_t         *document, *object;
    query_t        *query;
    query_error_t   error;

    document = json_integer(1);

    for (i = 0; i < 32; i++) {
        object = json_object();
        json_object_set_new(object, "0", document);
        document = json_array();
        json_array_append_new(document, object);
    }

    object = json_object();
    json_object_set_new(object, "a", document);

    query = compile("{\"a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0\":7}", NULL, &error);
    ok(query != NULL && !query_match(query, object), "an ambiguous path");

    query_destroy(query);
    json_decref(object);
}


int
main(void)
{
    size_t          i;
    query_t        *query;
    query_error_t   error;
    query_limits_t  limits = { 3, 4, 2 };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(&cases[i]);
    }

    nest("{\"$and\":[", "]}", 15, true);
    nest("{\"$and\":[", "]}", 16, false);
    nest("{\"a\":", "}", 15, true);
    nest("{\"a\":", "}", 16, false);
    nest("{\"a\":", "}", 500, false);

    wide(499, true);
    wide(500, false);
    in(1000, true);
    in(1001, false);

    query = compile("{\"a\":{\"$in\":[1,2,3]}}", &limits, &error);
    ok(query == NULL, "limits are the caller's");

    query = compile("{\"a\":{\"b\":{\"c\":{}}}}", &limits, &error);
    ok(query == NULL, "depth is the caller's");

    for (i = 0; i < 4; i++) {
        cut(i);
    }

    ambiguous();
    query_destroy(NULL);

    return done_testing();
}
