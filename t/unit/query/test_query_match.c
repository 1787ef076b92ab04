
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What matches what: a table of filters and documents.
 */

#include <stdlib.h>
#include "query.h"
#include "tap.h"


typedef struct {
    const char  *filter;
    const char  *document;
    bool         match;
} case_t;


static const case_t  cases[] = {

    /* equality */

    { "{}", "{\"a\":1}", true },
    { "{}", "{}", true },
    { "{\"a\":1}", "{\"a\":1}", true },
    { "{\"a\":1}", "{\"a\":2}", false },
    { "{\"a\":1}", "{\"b\":1}", false },
    { "{\"a\":1}", "{\"a\":1.0}", true },
    { "{\"a\":9007199254740993}", "{\"a\":9007199254740992.0}", false },
    { "{\"a\":9223372036854775807}", "{\"a\":9223372036854775808.0}", false },
    { "{\"a\":1}", "{\"a\":\"1\"}", false },
    { "{\"a\":1}", "{\"a\":true}", false },
    { "{\"a\":\"x\"}", "{\"a\":\"x\"}", true },
    { "{\"a\":\"x\"}", "{\"a\":\"X\"}", false },
    { "{\"a\":\"x\"}", "{\"a\":\"x\\u0000\"}", false },
    { "{\"a\":true}", "{\"a\":true}", true },
    { "{\"a\":true}", "{\"a\":false}", false },
    { "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2}", true },
    { "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", false },

    /* null and missing */

    { "{\"a\":null}", "{\"a\":null}", true },
    { "{\"a\":null}", "{}", true },
    { "{\"a\":null}", "{\"a\":0}", false },
    { "{\"a\":null}", "{\"a\":false}", false },
    { "{\"a.b\":null}", "{\"a\":5}", true },
    { "{\"a.b\":null}", "{\"a\":{}}", true },
    { "{\"a.b\":null}", "{\"a\":[]}", false },
    { "{\"a.b\":null}", "{\"a\":[{\"b\":1},{}]}", true },
    { "{\"a.b\":null}", "{\"a\":[{\"b\":1}]}", false },
    { "{\"a\":{\"$ne\":null}}", "{}", false },
    { "{\"a\":{\"$ne\":null}}", "{\"a\":1}", true },

    /* objects: the whole, keys in any order */

    { "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2,\"b\":1}}", true },
    { "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1,\"c\":2}}", false },
    { "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1}}", false },
    { "{\"a\":{}}", "{\"a\":{}}", true },
    { "{\"a\":{}}", "{\"a\":{\"b\":1}}", false },
    { "{\"a\":{\"$eq\":{\"$x\":1}}}", "{\"a\":{\"$x\":1}}", true },

    /* dotted paths */

    { "{\"a.b\":1}", "{\"a\":{\"b\":1}}", true },
    { "{\"a.b\":1}", "{\"a.b\":1}", false },
    { "{\"a.b.c\":1}", "{\"a\":{\"b\":{\"c\":1}}}", true },
    { "{\"a.b\":1}", "{\"a\":{\"c\":1}}", false },
    { "{\"a.b\":1}", "{\"a\":1}", false },

    /* arrays */

    { "{\"a\":1}", "{\"a\":[2,1]}", true },
    { "{\"a\":1}", "{\"a\":[2,3]}", false },
    { "{\"a\":1}", "{\"a\":[[1]]}", false },
    { "{\"a\":[1]}", "{\"a\":[[1]]}", true },
    { "{\"a\":[1,2]}", "{\"a\":[1,2]}", true },
    { "{\"a\":[1,2]}", "{\"a\":[2,1]}", false },
    { "{\"a\":[1,2]}", "{\"a\":[1,2,3]}", false },
    { "{\"a\":[]}", "{\"a\":[]}", true },
    { "{\"a\":[]}", "{\"a\":[1]}", false },
    { "{\"a\":null}", "{\"a\":[1,null]}", true },
    { "{\"a\":null}", "{\"a\":[]}", false },
    { "{\"a.b\":1}", "{\"a\":[{\"b\":2},{\"b\":1}]}", true },
    { "{\"a.b\":1}", "{\"a\":[{\"b\":[1,2]}]}", true },
    { "{\"a.b\":1}", "{\"a\":[[{\"b\":1}]]}", false },
    { "{\"a.0\":1}", "{\"a\":[1,2]}", true },
    { "{\"a.1\":1}", "{\"a\":[1,2]}", false },
    { "{\"a.01\":2}", "{\"a\":[1,2]}", false },
    { "{\"a.1.b\":2}", "{\"a\":[{\"b\":1},{\"b\":2}]}", true },
    { "{\"a.0.b\":2}", "{\"a\":[{\"b\":1},{\"b\":2}]}", false },
    { "{\"a.0\":1}", "{\"a\":{\"0\":1}}", true },
    { "{\"a.0\":1}", "{\"a\":[{\"0\":1}]}", true },
    { "{\"a.0.0\":1}", "{\"a\":[[1]]}", true },
    { "{\"a.0\":null}", "{\"a\":[{\"b\":1}]}", false },
    { "{\"a.999999999999999999999\":1}", "{\"a\":[1]}", false },
    { "{\"a\":{\"$ne\":1}}", "{\"a\":[1,2]}", false },
    { "{\"a\":{\"$ne\":3}}", "{\"a\":[1,2]}", true },

    /* order, within a class of types */

    { "{\"a\":{\"$gt\":1}}", "{\"a\":2}", true },
    { "{\"a\":{\"$gt\":1}}", "{\"a\":1}", false },
    { "{\"a\":{\"$gt\":1}}", "{\"a\":1.5}", true },
    { "{\"a\":{\"$gte\":1}}", "{\"a\":1}", true },
    { "{\"a\":{\"$lt\":1}}", "{\"a\":0}", true },
    { "{\"a\":{\"$lt\":1}}", "{}", false },
    { "{\"a\":{\"$lt\":1}}", "{\"a\":null}", false },
    { "{\"a\":{\"$lt\":1}}", "{\"a\":\"0\"}", false },
    { "{\"a\":{\"$lte\":1}}", "{\"a\":1}", true },
    { "{\"a\":{\"$gt\":\"a\"}}", "{\"a\":\"b\"}", true },
    { "{\"a\":{\"$gt\":\"a\"}}", "{\"a\":\"aa\"}", true },
    { "{\"a\":{\"$gt\":\"a\"}}", "{\"a\":5}", false },
    { "{\"a\":{\"$gt\":false}}", "{\"a\":true}", true },
    { "{\"a\":{\"$gte\":null}}", "{}", true },
    { "{\"a\":{\"$gt\":null}}", "{}", false },
    { "{\"a\":{\"$gt\":1,\"$lt\":3}}", "{\"a\":2}", true },
    { "{\"a\":{\"$gt\":1,\"$lt\":3}}", "{\"a\":3}", false },
    { "{\"a\":{\"$gt\":3,\"$lt\":2}}", "{\"a\":[1,4]}", true },
    { "{\"a\":{\"$lt\":-9223372036854775807}}", "{\"a\":-1e300}", true },
    { "{\"a\":{\"$gt\":9223372036854775807}}", "{\"a\":1e300}", true },

    /* sets */

    { "{\"a\":{\"$in\":[1,\"x\"]}}", "{\"a\":\"x\"}", true },
    { "{\"a\":{\"$in\":[1,\"x\"]}}", "{\"a\":1.0}", true },
    { "{\"a\":{\"$in\":[1,\"x\"]}}", "{\"a\":2}", false },
    { "{\"a\":{\"$in\":[]}}", "{\"a\":2}", false },
    { "{\"a\":{\"$in\":[null]}}", "{}", true },
    { "{\"a\":{\"$in\":[1]}}", "{}", false },
    { "{\"a\":{\"$in\":[3,4]}}", "{\"a\":[1,4]}", true },
    { "{\"a\":{\"$in\":[[1,4]]}}", "{\"a\":[1,4]}", true },
    { "{\"a\":{\"$in\":[{\"b\":1,\"c\":2}]}}", "{\"a\":{\"c\":2,\"b\":1}}",
      true },
    { "{\"a\":{\"$nin\":[1,2]}}", "{\"a\":3}", true },
    { "{\"a\":{\"$nin\":[1,2]}}", "{}", true },
    { "{\"a\":{\"$nin\":[1,null]}}", "{}", false },
    { "{\"a\":{\"$nin\":[1,2]}}", "{\"a\":[3,2]}", false },

    /* $exists */

    { "{\"a\":{\"$exists\":true}}", "{\"a\":null}", true },
    { "{\"a\":{\"$exists\":true}}", "{}", false },
    { "{\"a\":{\"$exists\":false}}", "{}", true },
    { "{\"a\":{\"$exists\":false}}", "{\"a\":null}", false },
    { "{\"a\":{\"$exists\":true}}", "{\"a\":[]}", true },
    { "{\"a.b\":{\"$exists\":true}}", "{\"a\":[{},{\"b\":1}]}", true },
    { "{\"a.b\":{\"$exists\":false}}", "{\"a\":[{},{\"b\":1}]}", false },
    { "{\"a.1\":{\"$exists\":true}}", "{\"a\":[5]}", false },

    /* logic */

    { "{\"$or\":[{\"a\":1},{\"b\":2}]}", "{\"b\":2}", true },
    { "{\"$or\":[{\"a\":1},{\"b\":2}]}", "{\"b\":1}", false },
    { "{\"$or\":[{}]}", "{\"b\":1}", true },
    { "{\"$and\":[{\"a\":1},{\"b\":2}]}", "{\"a\":1,\"b\":2}", true },
    { "{\"$and\":[{\"a\":1},{\"b\":2}]}", "{\"a\":1}", false },
    { "{\"c\":1,\"$or\":[{\"a\":1},{\"b\":2}]}", "{\"b\":2}", false },
    { "{\"c\":1,\"$or\":[{\"a\":1},{\"b\":2}]}", "{\"b\":2,\"c\":1}", true },
    { "{\"a\":{\"$not\":{\"$gt\":5}}}", "{\"a\":4}", true },
    { "{\"a\":{\"$not\":{\"$gt\":5}}}", "{}", true },
    { "{\"a\":{\"$not\":{\"$gt\":5}}}", "{\"a\":\"x\"}", true },
    { "{\"a\":{\"$not\":{\"$gt\":5}}}", "{\"a\":6}", false },
    { "{\"a\":{\"$not\":{\"$not\":{\"$gt\":5}}}}", "{\"a\":6}", true },
    { "{\"a\":{\"$not\":{\"$gt\":1,\"$lt\":5}}}", "{\"a\":6}", true },
    { "{\"a\":{\"$not\":{\"$in\":[1,2]}}}", "{\"a\":2}", false },
    { "{\"a\":{\"$gt\":1,\"$not\":{\"$gt\":5}}}", "{\"a\":3}", true },
    { "{\"a\":{\"$gt\":1,\"$not\":{\"$gt\":5}}}", "{\"a\":1}", false },
};


static json_t *
parse(const char *text)
{
    json_t  *json;

    json = json_loads(text, JSON_ALLOW_NUL, NULL);

    if (json == NULL) {
        printf("Bail out! not JSON: %s\n", text);
        exit(1);
    }

    return json;
}


static void
check(const case_t *test)
{
    json_t         *filter, *document;
    query_t        *query;
    query_error_t   error;

    filter = parse(test->filter);
    document = parse(test->document);
    query = query_compile(filter, NULL, &error);

    /* the query has its own reference */

    json_decref(filter);

    if (!ok(query != NULL, "%s compiles", test->filter)) {
        printf("#   %s: %s\n", error.path, error.message);

    } else {
        ok(query_match(query, document) == test->match, "%s %s %s",
           test->filter, test->match ? "matches" : "does not match",
           test->document);
    }

    query_destroy(query);
    json_decref(document);
}


static void
check_equals(const char *text, const char *want)
{
    size_t          len;
    json_t         *filter;
    query_t        *query;
    query_error_t   error;

    filter = parse(text);
    query = query_compile(filter, NULL, &error);
    json_decref(filter);

    is_str(query_equals(query, "k", &len), want, "the index serves %s", text);

    if (want != NULL) {
        is_int(len, strlen(want), "its length");
    }

    query_destroy(query);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(&cases[i]);
    }

    check_equals("{\"k\":\"x\"}", "x");
    check_equals("{\"a\":1,\"k\":{\"$eq\":\"x\",\"$ne\":\"y\"}}", "x");
    check_equals("{\"$and\":[{\"a\":1},{\"k\":\"x\"}]}", "x");
    check_equals("{\"$or\":[{\"a\":1},{\"k\":\"x\"}]}", NULL);
    check_equals("{\"k\":{\"$ne\":\"x\"}}", NULL);
    check_equals("{\"k\":{\"$not\":{\"$eq\":\"x\"}}}", NULL);
    check_equals("{\"k\":5}", NULL);
    check_equals("{\"k.a\":\"x\"}", NULL);
    check_equals("{\"a\":\"x\"}", NULL);

    return done_testing();
}
