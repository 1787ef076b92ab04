/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * query.c - fuzzes the filters: a filter, a NUL, a document, a NUL, a sort, a
 * NUL, a projection.  A filter agrees with itself inside $and, $or and $not,
 * an index it names holds what it matches, an order is one, a projection is a
 * part of its document.
 */


#include "fuzz.h"
#include "query.h"


static uint64_t query_run(const char *text, size_t len);


const fuzz_target_t  fuzz_target = {
    .run = query_run,
    .work_unit = "filters",
    .work = 8,
    .work_per_byte = 0,
    .memory = 64 * 1024,
    .memory_per_byte = 1000
};


static const char *const  query_names[] = { "a", "b", "workflow", "a.b" };


static void
query_told(const query_error_t *error)
{
    if (error->message[0] == '\0'
        || memchr(error->message, '\0', QUERY_MESSAGE_MAX) == NULL
        || memchr(error->path, '\0', QUERY_PATH_MAX) == NULL)
    {
        fuzz_fail("refused without a word");
    }
}


/* -1 when it does not compile: another level may be too many */

static int
query_wrapped(json_t *wrapped, const json_t *document)
{
    int             matches;
    query_t        *query;
    query_error_t   error;

    memset(&error, 0, sizeof(error));

    query = query_compile(wrapped, NULL, &error);
    json_decref(wrapped);

    if (query == NULL) {
        query_told(&error);
        return -1;
    }

    matches = query_match(query, document);
    query_destroy(query);

    return matches;
}


static void
query_index(const query_t *query, const json_t *document)
{
    size_t        i, len;
    json_t       *value;
    const char   *text;

    for (i = 0; i < sizeof(query_names) / sizeof(query_names[0]); i++) {
        text = query_equals(query, query_names[i], &len);

        if (text == NULL || strchr(query_names[i], '.') != NULL) {
            continue;
        }

        value = json_object_get(document, query_names[i]);

        if (json_is_array(value)) {
            continue;
        }

        if (!json_is_string(value) || json_string_length(value) != len
            || memcmp(json_string_value(value), text, len) != 0)
        {
            fuzz_fail("a match is not in the index of %s", query_names[i]);
        }
    }
}


static uint64_t
query_filter(json_t *filter, const json_t *document)
{
    bool            matches;
    query_t        *query;
    query_error_t   error;

    memset(&error, 0, sizeof(error));

    query = query_compile(filter, NULL, &error);

    if (query == NULL) {
        query_told(&error);
        return 1;
    }

    matches = query_match(query, document);

    if (query_match(query, document) != matches) {
        fuzz_fail("matches once and not again");
    }

    if (matches) {
        query_index(query, document);
    }

    query_destroy(query);

    if (query_wrapped(json_pack("{s:[O,{}]}", "$and", filter), document)
        == !matches)
    {
        fuzz_fail("another answer inside $and");
    }

    if (query_wrapped(json_pack("{s:[O,O]}", "$or", filter, filter), document)
        == !matches)
    {
        fuzz_fail("another answer inside $or");
    }

    if (query_wrapped(json_pack("{s:O}", "$not", filter), document)
        == matches)
    {
        fuzz_fail("the same answer inside $not");
    }

    return 4;
}


static int
query_sign(int n)
{
    return (n > 0) - (n < 0);
}


static uint64_t
query_order(const fuzz_bytes_t *text, json_t *a, json_t *b)
{
    int             order;
    json_t         *ka, *kb;
    query_sort_t   *sort;
    query_error_t   error;

    memset(&error, 0, sizeof(error));

    sort = query_sort_compile(text->s, text->len, &error);

    if (sort == NULL) {
        query_told(&error);
        return 1;
    }

    ka = query_sort_key(sort, a);
    kb = query_sort_key(sort, b);
    order = query_sign(query_compare(sort, a, b));

    if (query_compare(sort, a, a) != 0
        || query_sign(query_compare(sort, b, a)) != -order)
    {
        fuzz_fail("no order: %d and %d", order, query_compare(sort, b, a));
    }

    if (!query_sort_key_valid(sort, ka)
        || query_sign(query_compare_keys(sort, ka, kb)) != order)
    {
        fuzz_fail("the order of keys is another");
    }

    json_decref(ka);
    json_decref(kb);
    query_sort_destroy(sort);

    return 1;
}


static uint64_t
query_part(const fuzz_bytes_t *text, const json_t *document)
{
    json_t          *once, *twice;
    query_error_t    error;
    query_fields_t  *fields;

    memset(&error, 0, sizeof(error));

    fields = query_fields_compile(text->s, text->len, &error);

    if (fields == NULL) {
        query_told(&error);
        return 1;
    }

    once = query_project(fields, document);
    twice = query_project(fields, once);

    if (!json_equal(once, twice)) {
        fuzz_fail("a projection's projection is another");
    }

    json_decref(once);
    json_decref(twice);
    query_fields_destroy(fields);

    return 1;
}


static json_t *
query_json(fuzz_bytes_t part)
{
    json_t        *json;
    json_error_t   error;

    json = json_loadb(part.s, part.len, 0, &error);

    if (!json_is_object(json)) {
        json_decref(json);
        return json_object();
    }

    return json;
}


static uint64_t
query_run(const char *text, size_t len)
{
    json_t        *filter, *document;
    uint64_t       work;
    fuzz_bytes_t   bytes = { text, len }, sort;

    if (len == 0) {
        return 0;
    }

    filter = query_json(fuzz_part(&bytes));
    document = query_json(fuzz_part(&bytes));
    sort = fuzz_part(&bytes);

    work = query_filter(filter, document);
    work += query_order(&sort, filter, document);
    work += query_part(&bytes, document);

    json_decref(filter);
    json_decref(document);

    return work;
}
