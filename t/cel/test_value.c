
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Values: constructors, maps with and without an index, lists and maps alike
 * in the arena, in JSON and from the host; equality; JSON text.
 */


#include "back.h"


/* A host's map of two entries and a host's list, read lazily. */

typedef struct {
    cel_object_t  object;
    uint32_t      reads;
} host_t;


static uint32_t
host_size(const cel_object_t *o)
{
    return 2;
}


static cel_status_t
host_entry(const cel_object_t *o, cel_eval_t *eval, uint32_t i,
    cel_value_t *key, cel_value_t *value)
{
    ((host_t *) (uintptr_t) o)->reads++;

    *key = i == 0 ? cel_string("a", 1) : cel_string("b", 1);
    *value = cel_int(i + 1);

    return CEL_OK;
}


static cel_status_t
host_get(const cel_object_t *o, cel_eval_t *eval, const cel_value_t *key,
    cel_value_t *value)
{
    cel_value_t  ignored;

    if (key->kind != CEL_STRING || key->len != 1) {
        return CEL_NOT_FOUND;
    }

    if (key->s[0] == '!') {
        return cel_eval_fail(eval, CEL_E_FACT, "the host cannot");
    }

    if (key->s[0] == '?') {
        return CEL_NEED;
    }

    if (key->s[0] != 'a' && key->s[0] != 'b') {
        return CEL_NOT_FOUND;
    }

    return host_entry(o, eval, (uint32_t) (key->s[0] - 'a'), &ignored, value);
}


static const cel_object_ops_t  host_map = {
    CEL_MAP, host_size, host_get, host_entry
};

static const cel_object_ops_t  host_list = {
    CEL_LIST, host_size, NULL, host_entry
};


static void
test_maps(back_t *b)
{
    uint32_t      i;
    cel_value_t   pairs[80], map, v, key;

    for (i = 0; i < 40; i++) {
        pairs[2 * i] = i % 2 ? cel_int(i) : cel_uint(i);
        pairs[2 * i + 1] = cel_int(i * 10);
    }

    ok(cel_map(&b->arena, pairs, 40, &map) == CEL_OK, "a map of 40");
    is_int(cel_size(&map), 40, "its size");

    b->facts[0] = map;

    is_str(back_text(b, "m[7]"), "70", "an int finds an int");
    is_str(back_text(b, "m[7u]"), "70", "a uint finds an int");
    is_str(back_text(b, "m[8]"), "80", "an int finds a uint");
    is_str(back_text(b, "m[8.0]"), "80", "a whole double finds a uint");
    is_str(back_text(b, "m[8.5]"), "no such key: 8.5", "another does not");
    is_str(back_text(b, "m['8']"), "no such key: 8", "nor a string");
    is_str(back_text(b, "41 in m"), "false", "what is not in is not in");
    is_str(back_text(b, "39.0 in m"), "true", "what is in is in");

    ok(cel_entry(&b->eval, &map, 3, &key, &v) == CEL_OK && key.i == 3
       && v.i == 30, "entries are in order");
    ok(cel_entry(&b->eval, &map, 40, &key, &v) == CEL_NOT_FOUND,
       "there is none past the end");
    ok(cel_get(&b->eval, &map, "x", 1, &v) == CEL_NOT_FOUND,
       "get by a string that is not there");
}


static void
test_host(back_t *b)
{
    host_t  map = { { &host_map }, 0 };
    host_t  list = { { &host_list }, 0 };

    b->facts[0] = cel_object(&map.object);
    b->facts[1] = cel_object(&list.object);

    is_str(back_text(b, "m.a + m['b']"), "3", "a host's map is read by key");
    is_int(map.reads, 2, "only what was asked for");
    is_str(back_text(b, "m.c"), "no such key: c", "a missing key");
    is_str(back_text(b, "has(m.a) && !has(m.c)"), "true", "has()");
    is_str(back_text(b, "m"), "{\"a\":1,\"b\":2}", "all of it as JSON");
    is_str(back_text(b, "m == {'b': 2, 'a': 1}"), "true", "equal to a literal");
    is_str(back_text(b, "m.map(k, k)"), "[\"a\",\"b\"]", "walked by keys");
    is_str(back_text(b, "l[1]"), "2", "a host's list by index");
    is_str(back_text(b, "l == [1, 2] && 2 in l && size(l) == 2"), "true",
           "a host's list as any other");
    is_str(back_text(b, "l + [3]"), "[1,2,3]", "concatenated");
    is_str(back_text(b, "m['!']"), "the host cannot", "its error comes out");
    is_int(b->eval.error.kind, CEL_E_FACT, "with its kind");
    is_str(back_text(b, "m['!'] == 1 || true"), "true", "and is absorbed");
    is_str(back_text(b, "m['?'] == 1 || true"), "need", "need is not");
}


static void
test_equality(back_t *b)
{
    size_t  i;

    static const char *const  yes[] = {
        "1 == dyn(1u)", "1u == dyn(1.0)", "[1, 2u] == dyn([1.0, 2])",
        "{'a': [1]} == {'a': dyn([1.0])}", "{1: 'a'} == dyn({1u: 'a'})",
        "null == dyn(null)", "b'a' == b'a'", "b'a' != dyn('a')",
        "dyn(1) != 'a'", "0.0 == -0.0", "type(1) != type(1u)",
        "type(type(1)) == type", "type([]) == list && type({}) == map",
        "duration('60s') == duration('1m')",
        ("timestamp('2020-01-01T01:00:00+01:00') == "
         "timestamp('2020-01-01T00:00:00Z')"),
        "!(double('NaN') == double('NaN'))", "double('NaN') != double('NaN')",
        "!(double('NaN') < 1.0) && !(double('NaN') >= 1.0)",
        "[double('NaN')] != [double('NaN')]",
        "dyn(18446744073709551615u) > 9223372036854775807",
        "dyn(-1) < 0u", "1 < dyn(1.5)", "'a' < 'b' && 'a' < 'aa'",
        "b'\\x80' > b'a'", "false < true",
        "duration('-0.5s') < duration('0s')"
    };

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        is_str(back_text(b, yes[i]), "true", "%s", yes[i]);
    }
}


static void
test_json_text(back_t *b)
{
    is_str(back_text(b, "['a\\n\"\\\\\\x01\\u00e9', b'\\xff\\x00a', 1.0, 1e30,"
                     " null, type(1), duration('1.5s')]"),
           "[\"a\\n\\\"\\\\\\u0001\xc3\xa9\",\"/wBh\",1.0,1e+30,null,"
           "\"int\",\"1.5s\"]", "JSON of many kinds");
    is_str(back_text(b, "{1: 2, true: 3, 4u: 5}"),
           "{\"1\":2,\"true\":3,\"4\":5}", "keys become strings");
    is_str(back_text(b, "{1: 2, '1': 3}"),
           "the keys 1 and '1' of a map are the same in JSON", "1 and '1'");
    is_str(back_text(b, "[{'a': {'true': 3, true: 4}}]"),
           "the keys true and 'true' of a map are the same in JSON",
           "'true' and true");
    is_str(back_text(b, "{'7': 3, 7u: 4}"),
           "the keys 7 and '7' of a map are the same in JSON", "'7' and 7u");
    is_str(back_text(b, "{1: {'1': 2}, '01': 3, 'True': 4, true: 5}"),
           "{\"1\":{\"1\":2},\"01\":3,\"True\":4,\"true\":5}",
           "keys that differ stay");
    is_str(back_text(b, "[double('NaN')]"),
           "NaN and infinity have no JSON form", "NaN has no JSON form");
    is_str(back_text(b, "9223372036854775807"), "9223372036854775807",
           "a large int stays a number");
    is_str(back_text(b, "b''"), "\"\"", "no bytes");
    is_str(back_text(b, "[b'a', b'ab']"), "[\"YQ==\",\"YWI=\"]", "padding");
}


int
main(void)
{
    back_t       b;
    cel_value_t  v;

    v = cel_string(NULL, 0);
    ok(v.s != NULL && v.len == 0, "an empty string has an address");
    is_int(sizeof(cel_value_t), 16, "a value has 16 bytes");

    back_open(&b);
    back_declare(&b, "m", 0, cel_null());
    back_declare(&b, "l", 1, cel_null());

    test_maps(&b);
    test_host(&b);
    test_equality(&b);
    test_json_text(&b);

    back_close(&b);

    return done_testing();
}
