/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * json.c - fuzzes message bodies: parsed, duplicate keys looked for, all of
 * the document walked and every key found, its memory within what was said
 * before, and its text read back as the same.
 */


#include "fuzz.h"


static uint64_t json_run(const char *text, size_t len);


/* cel_json_memory() and what the walk takes beside it */

const fuzz_target_t  fuzz_target = {
    .run = json_run,
    .work_unit = "values",
    .work = 1,
    .work_per_byte = 1,
    .memory = 256 * 1024,
    .memory_per_byte = 200
};


static cel_json_t *
json_parse(const char *text, size_t len, const cel_json_options_t *options,
    cel_error_t *error)
{
    char               *copy;
    uint64_t            before, took;
    cel_json_t         *json;
    cel_json_parser_t  *parser;

    /* the exact size, so that a byte read behind it is found */

    copy = malloc(len);
    memcpy(copy, text, len);
    memset(error, 0, sizeof(cel_error_t));

    /* what a parser keeps from text to text is not the document's */

    parser = cel_json_parser_create();
    cel_json_destroy(cel_json_parse(parser, "{}", 2, NULL, error));

    before = fuzz_heap_mark();

    json = cel_json_parse(parser, copy, len, options, error);

    took = fuzz_heap_peak() - before;

    if (took > cel_json_memory(len) && json != NULL) {
        fuzz_fail("%llu bytes of heap for %zu, said %zu",
                  (unsigned long long) took, len, cel_json_memory(len));
    }

    cel_json_parser_destroy(parser);
    free(copy);

    if (json == NULL && (error->kind == CEL_E_NONE
                         || error->message[0] == '\0'
                         || error->offset > len))
    {
        fuzz_fail("refused at %u of %zu: \"%s\"", error->offset, len,
                  error->message);
    }

    return json;
}


/* One for each value; a key that is there twice leads to the last one. */

static uint64_t
json_walk(cel_eval_t *eval, const cel_value_t *v, bool unique)
{
    bool         equal;
    uint32_t     i;
    uint64_t     n;
    cel_value_t  key, value, found;

    if (v->kind != CEL_LIST && v->kind != CEL_MAP) {
        return 1;
    }

    n = 1;

    for (i = 0; i < cel_size(v); i++) {

        if (cel_entry(eval, v, i, &key, &value) != CEL_OK) {
            fuzz_fail("entry %u of %u is not there", i, cel_size(v));
        }

        n += json_walk(eval, &value, unique);

        if (v->kind == CEL_LIST) {
            continue;
        }

        if (key.kind != CEL_STRING
            || cel_get(eval, v, key.s, key.len, &found) != CEL_OK)
        {
            fuzz_fail("key %u of %u is not found", i, cel_size(v));
        }

        if (unique
            && (cel_equal(eval, &value, &found, &equal) != CEL_OK || !equal))
        {
            fuzz_fail("key %u of %u leads elsewhere", i, cel_size(v));
        }
    }

    if (cel_entry(eval, v, cel_size(v), &key, &value) == CEL_OK) {
        fuzz_fail("an entry behind the last of %u", cel_size(v));
    }

    return n;
}


static void
json_read_back(cel_eval_t *eval, const cel_value_t *root)
{
    bool                 equal;
    size_t               len;
    cel_json_t          *json;
    const char          *text;
    cel_value_t          again;
    cel_error_t          error;
    cel_json_options_t   options = { 2000, false };

    if (cel_to_json(eval, root, &text, &len) != CEL_OK) {
        fuzz_fail("no text: %s", eval->error.message);
    }

    json = json_parse(text, len, &options, &error);
    if (json == NULL) {
        fuzz_fail("cannot be read back: %.300s: %s", text, error.message);
    }

    again = cel_json_root(json);

    if (cel_equal(eval, root, &again, &equal) != CEL_OK || !equal) {
        fuzz_fail("read back as another: %.300s", text);
    }

    cel_json_destroy(json);
}


static uint64_t
json_document(const cel_json_t *json, bool unique)
{
    uint64_t     work;
    cel_eval_t   eval;
    cel_arena_t  arena;
    cel_value_t  root;

    memset(&eval, 0, sizeof(eval));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 0);
    eval.arena = &arena;

    root = cel_json_root(json);
    work = json_walk(&eval, &root, unique);

    if (unique) {
        json_read_back(&eval, &root);
    }

    cel_arena_reset(&arena);

    return work;
}


static uint64_t
json_run(const char *text, size_t len)
{
    uint64_t             work;
    cel_json_t          *json, *any;
    cel_error_t          error, lenient;
    cel_json_options_t   options = { 0, true };

    work = 0;

    json = json_parse(text, len, NULL, &error);
    any = json_parse(text, len, &options, &lenient);

    if (json != NULL) {
        work = json_document(json, true);
    }

    if (any != NULL) {
        if (json == NULL && error.kind != CEL_E_DUPLICATE_KEY) {
            fuzz_fail("refused for %s unless duplicates are allowed",
                      error.message);
        }

        (void) json_document(any, json != NULL);

    } else if (json != NULL
               || (error.kind == CEL_E_DUPLICATE_KEY
                   && strstr(lenient.message, "nests too deep") == NULL))
    {
        /* the depth is looked at in the same walk: what is first is said */

        fuzz_fail("refused when duplicates are allowed: %s",
                  lenient.message);
    }

    cel_json_destroy(json);
    cel_json_destroy(any);

    return work;
}
