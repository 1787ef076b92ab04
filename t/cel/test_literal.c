
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * An expression that is a map literal tells its entries: what of them is
 * known before there is an evaluation, and where they stand.
 */


#include "back.h"
#include "cel_ast.h"


#define MANY  5000


/* one entry of a source of several lines, with letters of several bytes */

static const char  source[] =
    "{\n"
    "  'a': 1, '\xc3\xa9\xf0\x9f\x90\xb1': x, x + 'b': {'c': 1, x: 2,\n"
    "  ?'d': o, 'e': x},\n"
    "  ?'f': o, 'g': {}, 3u: [1, 2]\n"
    "}";

static const struct {
    uint32_t     line;
    uint32_t     column;
    cel_kind_t   key;
    cel_kind_t   value;
    uint32_t     nkeys;
} entries[] = {
    { 2, 3, CEL_STRING, CEL_INT, 0 },
    { 2, 11, CEL_STRING, CEL_ERROR_VALUE, 0 },
    { 2, 22, CEL_ERROR_VALUE, CEL_ERROR_VALUE, 2 },
    { 4, 4, CEL_STRING, CEL_ERROR_VALUE, 0 },
    { 4, 12, CEL_STRING, CEL_MAP, 0 },
    { 4, 21, CEL_UINT, CEL_LIST, 0 },
};

#define ENTRIES  (sizeof(entries) / sizeof(entries[0]))


static void
test_entries(back_t *b)
{
    uint32_t             i;
    cel_literal_entry_t  entry;

    ok(back_compile(b, source) != NULL, "a map of %u entries",
       (unsigned) ENTRIES);

    for (i = 0; i < ENTRIES; i++) {
        is_int(cel_program_literal_entry(b->program, i, &entry), CEL_OK,
               "entry %u", i);
        is_int(entry.line, entries[i].line, "its line");
        is_int(entry.column, entries[i].column, "its column");
        is_int(entry.key.kind, entries[i].key, "what its key is");
        is_int(entry.value.kind, entries[i].value, "what its value is");
        is_int(entry.nkeys, entries[i].nkeys, "the keys of its value");
    }

    is_int(cel_program_literal_entry(b->program, ENTRIES, &entry),
           CEL_NOT_FOUND, "there are no more");

    cel_program_literal_entry(b->program, 2, &entry);
    ok(entry.keys[0].len == 1 && entry.keys[0].s[0] == 'c'
       && entry.keys[1].len == 1 && entry.keys[1].s[0] == 'e',
       "keys that are there for certain, and known");

    ok(back_compile(b, "[{'a': 1}]") != NULL
       && cel_program_literal_entry(b->program, 0, &entry) == CEL_NOT_FOUND,
       "a list has none");
    ok(back_compile(b, "{}") != NULL
       && cel_program_literal_entry(b->program, 0, &entry) == CEL_NOT_FOUND,
       "an empty map has none");
}


/* each is where it would be when it was looked for alone */

static void
test_many(back_t *b)
{
    char                 text[MANY * 12], *p;
    uint32_t             i, wrong, line, column;
    cel_literal_entry_t  entry;

    p = text;

    for (i = 0; i < MANY; i++) {
        p += sprintf(p, "%s%u: x%s", i == 0 ? "{" : ",", i,
                     i % 7 == 0 ? "\n" : "");
    }

    strcpy(p, "}");

    ok(back_compile(b, text) != NULL, "%u entries", MANY);

    wrong = 0;

    for (i = 0; i < MANY; i++) {

        if (cel_program_literal_entry(b->program, i, &entry) != CEL_OK) {
            wrong++;
            continue;
        }

        cel_position(text, strlen(text), entry.offset, &line, &column);
        wrong += line != entry.line || column != entry.column
                 || entry.key.kind != CEL_INT || entry.key.i != i
                 || strtoul(text + entry.offset, NULL, 10) != i;
    }

    is_int(wrong, 0, "are where they are");
}


int
main(void)
{
    back_t  b;

    back_open(&b);
    back_declare(&b, "x", 0, cel_string("x", 1));
    back_declare(&b, "o", 1, cel_null());

    test_entries(&b);
    test_many(&b);

    back_close(&b);

    return done_testing();
}
