
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * JSON documents: what is read, what is refused and where, hostile texts,
 * documents that live side by side.
 */


#include <stdlib.h>
#include "back.h"
#include "cel_runtime.h"


static cel_json_parser_t  *parser;


static cel_json_t *
parse(const char *text, size_t len, cel_error_t *error)
{
    memset(error, 0, sizeof(*error));

    return cel_json_parse(parser, text, len, NULL, error);
}


static void
refused(const char *text, const char *message, uint32_t line, uint32_t column)
{
    cel_json_t   *json;
    cel_error_t   error;

    json = parse(text, strlen(text), &error);

    ok(json == NULL, "refused: %.40s", text);
    is_str(error.message, message, "the reason");
    is_int(error.line, line, "the line");
    is_int(error.column, column, "the column");
    is_int(error.kind, strstr(message, "duplicate") != NULL
                       ? CEL_E_DUPLICATE_KEY : CEL_E_PARSE, "the kind");

    cel_json_destroy(json);
}


static void
test_refused(void)
{
    refused("", "invalid JSON: the document is empty", 1, 1);
    refused(" \n ", "invalid JSON: the document is empty", 1, 1);
    refused("{\"a\":1,\n \"b\" 2}",
            "invalid JSON: ':' is missing after the key", 2, 6);
    refused("{\"a\":1,}",
            "invalid JSON: a key in double quotes is missing", 1, 8);
    refused("[1,]", "invalid JSON: unexpected character, a value is missing",
            1, 4);
    refused("[1 2]", "invalid JSON: ',' or ']' is missing", 1, 4);
    refused("[1", "invalid JSON: unexpected end, ']' is missing", 1, 3);
    refused("{\"a\":{}", "invalid JSON: unexpected end, '}' is missing", 1, 8);
    refused("[\"a]", "invalid JSON: the string does not end", 1, 2);
    refused("[\"a\nb\"]", "invalid JSON: control character in a string", 1, 4);
    refused("[\"\\x\"]", "invalid JSON: invalid escape in a string", 1, 3);
    refused("[\"\\ud800\"]", "invalid JSON: lone surrogate in a string", 1, 3);
    refused("[01]", "invalid JSON: invalid number", 1, 2);
    refused("[1.]", "invalid JSON: invalid number", 1, 2);
    refused("[+1]", "invalid JSON: unexpected character, a value is missing",
            1, 2);
    refused("[18446744073709551616]",
            "invalid JSON: number beyond 64 bits or the range of a double",
            1, 2);
    refused("[-9223372036854775809]",
            "invalid JSON: number beyond 64 bits or the range of a double",
            1, 2);
    refused("[1e400]",
            "invalid JSON: number beyond 64 bits or the range of a double",
            1, 2);
    refused("[-1e400]",
            "invalid JSON: number beyond 64 bits or the range of a double",
            1, 2);
    refused("[nul]", "invalid JSON: unexpected character, a value is missing",
            1, 2);
    refused("{} x", "invalid JSON: something follows the value", 1, 4);
    refused("\xef\xbb\xbf{}",
            "invalid JSON: a byte order mark is not allowed", 1, 1);
    refused("[\"\xc3\xa4\", \"\xff\"]",
            "invalid JSON: the string is not valid UTF-8", 1, 7);
    refused("[\"\xed\xa0\x80\"]",
            "invalid JSON: the string is not valid UTF-8", 1, 2);
    refused("{'a':1}",
            "invalid JSON: a key in double quotes is missing", 1, 2);
}


static void
test_nul(void)
{
    cel_json_t   *json;
    cel_error_t   error;

    json = parse("{}\0", 3, &error);
    ok(json == NULL, "a NUL after the value is refused");
    cel_json_destroy(json);

    json = parse("[\"a\0b\"]", 7, &error);
    ok(json == NULL, "a NUL in a string is refused");
    cel_json_destroy(json);

    json = parse("[\"a\\u0000b\"]", 12, &error);
    ok(json != NULL, "an escaped one is a character");
    cel_json_destroy(json);
}


static void
test_duplicates(void)
{
    char                 *text;
    size_t                len, i;
    cel_json_t           *json;
    cel_error_t           error;
    cel_value_t           root, v;
    cel_json_options_t    options = { 0, true };

    refused("{\"a\":1, \"b\":2, \"a\":3}",
            "invalid JSON: duplicate key \"a\"", 1, 16);
    refused("{\"ab\":[\"x\",{\"y\":1}],\n\"\\u0061b\":2}",
            "invalid JSON: duplicate key \"ab\"", 2, 1);
    refused("[{\"x\":{\"k\":1,\"k\":2}}]",
            "invalid JSON: duplicate key \"k\"", 1, 14);
    refused("{\"\":1,\"\":2}", "invalid JSON: duplicate key \"\"", 1, 7);

    text = malloc(200000);
    len = 0;
    text[len++] = '{';

    for (i = 0; i < 1000; i++) {
        len += (size_t) sprintf(text + len, "\"key%zu\":%zu,", i, i);
    }

    len += (size_t) sprintf(text + len, "\"key500\":true}");

    json = parse(text, len, &error);
    ok(json == NULL, "a duplicate among 1000 keys is found");
    is_str(error.message, "invalid JSON: duplicate key \"key500\"", "named");
    cel_json_destroy(json);

    json = cel_json_parse(parser, text, len, &options, &error);
    ok(json != NULL, "duplicates may be allowed");
    root = cel_json_root(json);
    ok(cel_get(NULL, &root, "key500", 6, &v) == CEL_OK && v.kind == CEL_BOOL,
       "the last one is read, of many");
    cel_json_destroy(json);

    json = cel_json_parse(parser, "{\"a\":1,\"a\":2}", 13, &options, &error);
    root = cel_json_root(json);
    ok(cel_get(NULL, &root, "a", 1, &v) == CEL_OK && v.i == 2,
       "the last one is read, of few");
    cel_json_destroy(json);

    free(text);
}


/* Deep, with one parser: the depth is ours, 64 unless set. */

static void
test_depth(void)
{
    char                *text;
    uint32_t             i, depth;
    cel_json_t          *json;
    cel_error_t          error;
    cel_json_options_t   options = { 0, false };

    text = malloc(200001);
    memset(text, '[', 100000);
    memset(text + 100000, ']', 100000);

    json = parse(text, 100000, &error);
    ok(json == NULL && error.kind == CEL_E_PARSE, "100000 open brackets");
    cel_json_destroy(json);

    json = parse(text, 200000, &error);
    ok(json == NULL, "100000 brackets, closed");
    is_str(error.message, "invalid JSON: the document nests too deep", "why");
    is_int(error.column, 65, "where");
    cel_json_destroy(json);

    json = parse(text + 100000 - 64, 128, &error);
    ok(json != NULL, "64 levels are taken");
    cel_json_destroy(json);

    json = parse(text + 100000 - 65, 130, &error);
    ok(json == NULL, "65 are not");
    cel_json_destroy(json);

    for (i = 0; i < 3; i++) {
        depth = i == 0 ? 1 : i == 1 ? 500 : 1000;
        options.max_depth = depth;

        json = cel_json_parse(parser, text + 100000 - depth, 2 * depth,
                              &options, &error);
        ok(json != NULL, "%u levels when allowed", depth);
        cel_json_destroy(json);

        json = cel_json_parse(parser, text + 100000 - depth - 1,
                              2 * depth + 2, &options, &error);
        ok(json == NULL, "not one more");
        cel_json_destroy(json);
    }

    for (i = 0; i < 100000; i += 5) {
        memcpy(text + i, "{\"a\":", 5);
    }

    json = parse(text, 100000, &error);
    ok(json == NULL, "20000 objects in each other");
    cel_json_destroy(json);

    free(text);
}


static void
test_read(back_t *b)
{
    cel_json_t   *json;
    cel_error_t   error;

    static const char  text[] =
        "{\"i\":-5,\"u\":18446744073709551615,\"max\":9223372036854775807,"
        "\"d\":1.5,\"e\":1e3,\"z\":-0.0,\"t\":true,\"f\":false,\"n\":null,"
        "\"s\":\"\\u00e9\\n\",\"l\":[1,[2,3],{\"x\":4}],\"m\":{},"
        "\"\":\"empty\",\"after\":[]}";

    json = parse(text, sizeof(text) - 1, &error);
    ok(json != NULL, "a document of all kinds");
    b->facts[0] = cel_json_root(json);

    is_str(back_text(b, "x.i == -5 && type(x.i) == int"), "true", "int");
    is_str(back_text(b, "type(x.u) == uint && x.u == 18446744073709551615u"),
           "true", "uint above int");
    is_str(back_text(b, "type(x.max) == int"), "true", "the largest int");
    is_str(back_text(b, "type(x.d) == double && type(x.e) == double"), "true",
           "fraction or exponent is a double");
    is_str(back_text(b, "x.t && !x.f && x.n == null"), "true", "constants");
    is_str(back_text(b, "x.s"), "\"\xc3\xa9\\n\"", "unescaped string");
    is_str(back_text(b, "x.l[2].x + x.l[1][1]"), "7", "nested");
    is_str(back_text(b, "x[''] + string(size(x.m)) + string(size(x.l))"),
           "\"empty03\"", "an empty key, sizes");
    is_str(back_text(b, "x.l == [1, [2, 3], {'x': 4.0}]"), "true", "equality");
    is_str(back_text(b, "x.after.exists(e, true) || x.l.exists(e, e == 1)"),
           "true", "walked");
    is_str(back_text(b, "size(x.map(k, k)) == size(x) && 'after' in x"),
           "true", "by keys");
    is_str(back_text(b, "x.l[3]"), "index out of bounds: 3", "past the end");
    is_str(back_text(b, "x.nope"), "no such key: nope", "no such key");

    cel_json_destroy(json);
}


static void
test_large(back_t *b)
{
    char          source[128], *text;
    size_t        len, i;
    cel_json_t   *json;
    cel_error_t   error;

    text = malloc(4 << 20);
    len = (size_t) sprintf(text, "{\"list\":[");

    for (i = 0; i < 20000; i++) {
        len += (size_t) sprintf(text + len, "%s{\"id\":%zu}", i ? "," : "", i);
    }

    len += (size_t) sprintf(text + len, "]");

    for (i = 0; i < 20000; i++) {
        len += (size_t) sprintf(text + len, ",\"key%zu\":%zu", i, i * 2);
    }

    text[len++] = '}';

    json = parse(text, len, &error);
    ok(json != NULL, "a document of %zu bytes", len);
    b->facts[0] = cel_json_root(json);

    for (i = 1; i < 20000; i += 6666) {
        sprintf(source, "x.key%zu == %zu && x.list[%zu].id == %zu", i, i * 2,
                i, i);
        is_str(back_text(b, source), "true", "%s", source);
    }

    is_str(back_text(b, "size(x.list) == 20000 && size(x) == 20001"), "true",
           "sizes");
    is_str(back_text(b, "x.list.all(e, e.id < 20000)"), "true", "walked");
    is_str(back_text(b, "x == x"), "true", "equal to itself");

    cel_json_destroy(json);
    free(text);
}


/* What one document gives stays as it was while others are parsed. */

static void
test_side_by_side(back_t *b)
{
    char         text[64];
    uint32_t     i;
    cel_json_t  *json[8];
    cel_error_t  error;
    cel_value_t  root, v;

    for (i = 0; i < 8; i++) {
        sprintf(text, "{\"name\":\"document %u\",\"n\":%u}", i, i);
        json[i] = parse(text, strlen(text), &error);
        memset(text, 'x', sizeof(text) - 1);
    }

    for (i = 0; i < 8; i++) {
        sprintf(text, "document %u", i);
        root = cel_json_root(json[i]);

        ok(cel_get(&b->eval, &root, "name", 4, &v) == CEL_OK
           && v.len == strlen(text) && memcmp(v.s, text, v.len) == 0,
           "document %u has its own string", i);
        ok(cel_get(&b->eval, &root, "n", 1, &v) == CEL_OK && v.i == i,
           "and its own number");
    }

    for (i = 0; i < 8; i++) {
        cel_json_destroy(json[i]);
    }
}


/* Every proper prefix of a document is refused, none crashes. */

static void
test_truncated(void)
{
    size_t        i, bad;
    cel_json_t   *json;
    cel_error_t   error;

    static const char  text[] =
        "{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00\",{\"b\":null}],\"c\":true}";

    bad = 0;

    for (i = 0; i < sizeof(text) - 1; i++) {
        json = parse(text, i, &error);
        bad += json != NULL || error.message[0] == '\0';
        cel_json_destroy(json);
    }

    is_int(bad, 0, "every truncated document is refused");

    json = parse(text, sizeof(text) - 1, &error);
    ok(json != NULL, "the whole one is not");
    cel_json_destroy(json);
}


/* A document's memory is used for the next one, which knows nothing of it. */

static void
test_recycled(void)
{
    int           bad;
    char          text[256];
    uint32_t      i;
    cel_json_t   *json, *held[6];
    cel_error_t   error;
    cel_value_t   root, value;

    bad = 0;

    for (i = 0; i < 200; i++) {
        (void) snprintf(text, sizeof(text), "{\"k%u\": {\"a\": %u, \"b\": "
                        "\"%.*s\"}}", i, i, (int) (i % 64),
                        "0123456789012345678901234567890123456789"
                        "0123456789012345678901234567");

        json = parse(text, strlen(text), &error);
        root = cel_json_root(json);
        (void) snprintf(text, sizeof(text), "k%u", i);

        bad += cel_json_size(&root) != 1
               || cel_json_get(&root, text, strlen(text), &value) != CEL_OK
               || cel_json_get(&value, "a", 1, &value) != CEL_OK
               || value.i != (int64_t) i;

        cel_json_recycle(parser, json);
    }

    is_int(bad, 0, "each of 200 recycled documents is the one parsed last");

    /* more at once than are kept, one of them after a refusal */

    for (i = 0; i < 6; i++) {
        (void) snprintf(text, sizeof(text), "[%u]", i);
        held[i] = parse(text, strlen(text), &error);

        ok(parse("[1,", 3, &error) == NULL, "a refused text between");
    }

    for (bad = 0, i = 0; i < 6; i++) {
        root = cel_json_root(held[i]);
        bad += cel_json_entry(&root, 0, NULL, &value) != CEL_OK
               || value.i != (int64_t) i;
    }

    is_int(bad, 0, "documents held at once stay apart");

    for (i = 0; i < 6; i++) {
        cel_json_recycle(parser, held[i]);
    }

    cel_json_recycle(parser, NULL);

    json = parse("[\"again\"]", 9, &error);
    root = cel_json_root(json);
    ok(cel_json_entry(&root, 0, NULL, &value) == CEL_OK && value.len == 5,
       "and are used again");
    cel_json_recycle(parser, json);
}


/* Keys that are alike to a glance, and duplicates wherever they stand. */

static void
test_alike(void)
{
    int           bad;
    char          text[512];
    uint32_t      i, j;
    cel_json_t   *json;
    cel_error_t   error;

    static const char  *keys[] = {
        "", "a", "b", "aa", "ab", "ba", "aaa", "aab", "baa", "abcd", "abce",
        "dbca", "abcdabcd", "abcdxabcd", "abcdyabcd", "abcdxxabcd",
        "abcdxyabcd", "abcdyxabcd", "\\u0000", "\\u0000\\u0000", "a\\u0000"
    };

    bad = 0;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        for (j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
            (void) snprintf(text, sizeof(text), "{\"q\": [{\"z\": {}, "
                            "\"%s\": {\"y\": 1}, \"%s\": 2}], \"r\": 3}",
                            keys[i], keys[j]);

            json = parse(text, strlen(text), &error);

            if ((json == NULL) != (i == j)) {
                printf("# \"%s\" and \"%s\"\n", keys[i], keys[j]);
                bad++;
            }

            cel_json_recycle(parser, json);
        }
    }

    is_int(bad, 0, "keys are duplicates when they are equal");
}


int
main(void)
{
    back_t  b;

    parser = cel_json_parser_create();
    back_open(&b);
    back_declare(&b, "x", 0, cel_null());

    test_refused();
    test_nul();
    test_duplicates();
    test_depth();
    test_read(&b);
    test_large(&b);
    test_side_by_side(&b);
    test_truncated();
    test_recycled();
    test_alike();

    ok(cel_json_memory(1000) >= 14000 && cel_json_memory(SIZE_MAX) == SIZE_MAX,
       "the memory to charge is known and saturates");

    back_close(&b);
    cel_json_parser_destroy(parser);

    return done_testing();
}
