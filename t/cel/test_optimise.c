/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What the compiler makes of an expression: constants, sets and patterns made
 * beforehand, branches that are gone with the facts they read, fused
 * instructions, parts of facts read once; and that it means what it meant.
 */

#include "back.h"


#define LISTING  16384


typedef struct {
    const char  *source;
    const char  *has;           /* in the listing, NULL: nothing in special */
    const char  *lacks;
    uint32_t     facts;         /* that it reads */
} listing_t;


/* a, b: bool; s, t: string; n: int; d, e: dyn; l: list(int) */

static const listing_t  listings[] = {

    /* constants */

    { "1 + 2 * 3 == 7", "CONST          true", "ADD", 0 },
    { "timestamp('2026-01-01T00:00:00Z') + duration('1h')",
      "google.protobuf.Timestamp", "CALL", 0 },
    { "duration('90m') > duration('1h')", "true", "CALL", 0 },
    { "ip('10.0.0.1')", "CONST", "CALL", 0 },
    { "cidr('10.0.0.0/8').containsIP(ip('10.1.1.1'))", "true", "CALL", 0 },
    { "cidr('10.0.0.0/8').containsIP(s)", "containsIP/2", "cidr/1", 1 },
    { "'a' + 'b' == s", "'ab'", "ADD", 1 },
    { "s.matches('^a+$')", "matches/2", NULL, 1 },
    { "1 / 0 == n", "DIV", NULL, 1 },
    { "['a', 'b'].size() == n", "2", "size/1", 1 },

    /* sets */

    { "s in ['a', 'b', 'c']", "FACT_IN_CONST", "LIST", 1 },
    { "s.size() in [1, 2]", "IN_CONST", "LIST", 1 },
    { "n in [1, 2, 3]", "FACT_IN_CONST", NULL, 1 },
    { "s in {'a': 1, 'b': 2}", "FACT_IN_CONST", NULL, 1 },
    { "s in ['a', t]", "LIST", "IN_CONST", 2 },
    { "n in [1, 2u, 3.0]", "IN ", "IN_CONST", 1 },
    { "'a' in ['a', 'b']", "CONST          true", "IN", 0 },

    /* branches */

    { "true ? s : t", "FACT ", "UNLESS", 1 },
    { "false ? s : t", "FACT ", "UNLESS", 1 },
    { "1 > 2 ? s : 'x'", "CONST          'x'", "FACT", 0 },
    { "a ? s : t", "UNLESS", NULL, 3 },
    { "true && a", "FACT ", "AND", 1 },
    { "a && true", "FACT ", "AND", 1 },
    { "false || a", "FACT ", "OR", 1 },
    { "a || false", "FACT ", "OR", 1 },
    { "true || a", "CONST          true", "OR", 0 },
    { "false && a", "CONST          false", "AND", 0 },
    { "false && 1 / n == 1", "CONST          false", "DIV", 0 },
    { "a && (true && (b || false))", "AND", "CONST", 2 },
    { "true && d", "AND", NULL, 1 },
    { "d || false", "OR", NULL, 1 },
    { "a || true", "OR", NULL, 1 },
    { "1 / n == 1 || true", "DIV", NULL, 1 },
    { "(1 > 2 || a) && (true ? b : a)", "AND", "UNLESS", 2 },

    /* fused */

    { "s == 'GET'", "FACT_EQ_CONST", NULL, 1 },
    { "'GET' == s", "FACT_EQ_CONST", NULL, 1 },
    { "s != 'GET'", "NE_CONST", NULL, 1 },
    { "s.startsWith('/api/')", "STARTS_CONST", "CALL", 1 },
    { "'/api/x'.startsWith('/api/')", "true", "STARTS_CONST", 0 },
    { "l.all(x, x > 3)", "LOCAL_ORDER_CONST", NULL, 1 },
    { "n >= 3", "ORDER_CONST", NULL, 1 },
    { "d.k == 1", "FACT_SELECT", NULL, 1 },
    { "d['k'] == 1", "FACT_SELECT", "INDEX", 1 },
    { "cel.bind(v, s + t, v == v)", "STORE", "ITER", 2 },

    /* parts of facts that are read more than once */

    { "d.m.k == 'v' && d.m.k != 'w'", "KEPT", NULL, 1 },
    { "d.m.k == 'v' && d.m.j != 'w'", "KEPT", NULL, 1 },
    { "d['m'] == 'v' && d['m'] != 'w'", "KEPT", NULL, 1 },
    { "l.all(x, d.k == x)", "KEPT", NULL, 2 },
    { "d.m.k == 'v' && d.j != 'w'", NULL, "KEPT", 1 },
    { "d.k == 'v' && e.k == 'v'", NULL, "KEPT", 2 },
    { "d == 1 || d == 2", NULL, "KEPT", 1 },
    { "has(d.k) && has(d.k)", NULL, "KEPT", 1 },
    { "l.all(x, [d].all(y, y.k == x))", NULL, "KEPT", 2 },
};


/* A map of the host: {"k": 1}, and how often it was asked. */

typedef struct {
    cel_object_t  object;
    uint32_t      reads;
} map_t;


static uint32_t
map_size(const cel_object_t *o)
{
    return 1;
}


static cel_status_t
map_get(const cel_object_t *o, cel_eval_t *eval, const cel_value_t *key,
    cel_value_t *value)
{
    ((map_t *) (uintptr_t) o)->reads++;

    if (key->kind != CEL_STRING || key->len != 1 || key->s[0] != 'k') {
        return CEL_NOT_FOUND;
    }

    *value = cel_int(1);

    return CEL_OK;
}


static const cel_object_ops_t  map_ops = {
    CEL_MAP, map_size, map_get, NULL
};

static map_t  map = { { &map_ops }, 0 };


static const struct {
    const char  *source;
    uint32_t     reads;
    uint64_t     cost;
} reads[] = {
    { "e.k == 1", 1, 5 },
    { "e.k == 1 && e.k == 1", 1, 11 },
    { "e.k == 1 && e['k'] == 1", 2, 12 },
    { "[1, 1, 1].all(x, x == e.k)", 1, 0 },


    /* what is not there is looked for by the short way, too */
    { "e.j == 1 || e.k == 1 || e.j == 2", 3, 0 },
    { "e.j == 1 || e.j == 1 || true", 3, 0 },
};


static void
test_reads(back_t *b)
{
    size_t  i;

    for (i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        map.reads = 0;
        is_str(back_text(b, reads[i].source), "true", "%s", reads[i].source);
        is_int(map.reads, reads[i].reads, "it asks so often");

        if (reads[i].cost != 0) {
            is_int((long) b->eval.cost, (long) reads[i].cost,
                   "and costs what it would, and 1 for the text");
        }
    }
}


static void
test_listings(back_t *b)
{
    char             *text;
    size_t            i;
    uint32_t          n;
    const listing_t  *l;

    text = malloc(LISTING);

    for (i = 0; i < sizeof(listings) / sizeof(listings[0]); i++) {
        l = &listings[i];

        if (back_compile(b, l->source) == NULL) {
            ok(0, "%s: %s", l->source, b->issues.items[0].message);
            continue;
        }

        cel_disassemble(b->program, text, LISTING);
        cel_program_facts(b->program, &n);

        ok(l->has == NULL || strstr(text, l->has) != NULL, "%s has %s",
           l->source, l->has);
        ok(l->lacks == NULL || strstr(text, l->lacks) == NULL, "and no %s",
           l->lacks != NULL ? l->lacks : "-");
        is_int(n, l->facts, "it reads so many facts");
    }

    free(text);
}


/* What is wrong in a branch that never runs is refused all the same. */

static void
test_refused(back_t *b)
{
    size_t  i;

    static const char *const  refused[] = {
        "true ? 1 : 'a'.matches('(')", "true || s.matches('(')",
        "false ? nosuch : 1", "true || 1", "false && s", "true ? a : s + 1",
        "true || now.getHours('Nowhere/None') == 1"
    };

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ok(back_compile(b, refused[i]) == NULL, "refused: %s", refused[i]);
    }
}


static const struct {
    const char  *source;
    const char  *text;
} meanings[] = {
    { "true && d.b", "true" },
    { "d.b && true", "true" },
    { "d.n && true", "no such overload" },
    { "true && d.n", "no such overload" },
    { "d.n || false", "no such overload" },
    { "false || d.n", "no such overload" },
    { "1 / n == 1 || true", "true" },
    { "1 / n == 1 && false", "false" },
    { "1 / n == 1 && true", "divide by zero" },
    { "true && 1 / n == 1", "divide by zero" },
    { "(1 / n == 1 || false) || a", "true" },
    { "(1 / n == 1 && true) && !a", "false" },
    { "((1 / n == 1 && true) && true) || a", "true" },
    { "true ? s : t", "\"one\"" },
    { "false ? s : t", "\"two\"" },
    { "s in ['one', 'three'] && !(t in ['one', 'three'])", "true" },
    { "s in ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', 'one']",
      "true" },
    { "t in ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', 'one']",
      "false" },
    { "s in [] || s in ['']", "false" },
    { "d.n in [1, 7, 9] && d.u in [7] && d.f in [7]", "true" },
    { "d.n in ['7'] || d.l in ['7']", "false" },
    { "s.startsWith('on') && !s.startsWith('one!') && s.startsWith('')",
      "true" },
    { "d.n.startsWith('on')", "no such overload" },
    { "[-3, 3].map(x, [x < 1, x <= 3, x > 3, x >= 3])",
      "[[true,true,false,false],[false,true,false,true]]" },
    { "[1.5, 2.5].filter(x, x > 2.0)", "[2.5]" },
    { "['a', 1].exists(x, x > 0)", "true" },
    { "[dyn('a'), 'b'].all(x, x > 0)", "no such overload" },
    { "d.m.k == 'v' && d.m.k + d.m.k == 'vv' && d.m.k.size() == 1", "true" },
    { "d.m.none == 1 || d.m.none == 2", "no such key: none" },
    { "d.m.none == 1 || d.m.k == 'v' && d.m.k != 'w'", "true" },
    { "[1, 2].map(x, d.m.k + string(x) + d.m.k)", "[\"v1v\",\"v2v\"]" },
    { "[d.l[0], d.l[1], d.l[0] + d.l[1]]", "[1,2,3]" },
    { "a ? d.m.k : d.m.none", "\"v\"" },
    { "(a ? d.m.k : 'x') + d.m.k", "\"vv\"" },
    { "(a || d.m.k == 'w') && d.m.k == 'v'", "true" },
    { "has(d.m.k) && has(d.m.none) == false && d.m.k == 'v'", "true" },
    { "d.l.exists(x, d.l.exists(y, x + y == d.l[1] + d.l[1]))", "true" },
    { "cel.bind(v, d.m, v.k + d.m.k + v.k)", "\"vvv\"" },
    { "'thirty-two bytes and more than that' + s == t || s == 'one'",
      "true" },
};


static void
test_meanings(back_t *b)
{
    size_t  i;

    for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        is_str(back_text(b, meanings[i].source), meanings[i].text, "%s",
               meanings[i].source);
        cel_arena_reset(&b->arena);
    }
}


int
main(void)
{
    back_t              b;
    size_t              i;
    cel_json_t         *json;
    cel_error_t         error;
    cel_json_parser_t  *parser;

    static const char *const  names[] = {
        "a", "b", "s", "t", "n", "d", "e", "l", "now"
    };
    static const char *const  types[] = {
        "bool", "bool", "string", "string", "int", "dyn", "dyn", "list(int)",
        "timestamp"
    };
    static const char  text[] =
        "{\"b\": true, \"n\": 7, \"u\": 7, \"f\": 7.0, \"l\": [1, 2],"
        " \"m\": {\"k\": \"v\"}}";

    back_open(&b);
    parser = cel_json_parser_create();
    json = cel_json_parse(parser, text, sizeof(text) - 1, NULL, &error);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cel_env_declare(b.env, names[i], types[i], i, CEL_SIZE_BODY, 0);
        b.facts[i] = cel_json_root(json);
    }

    b.facts[0] = cel_bool(true);
    b.facts[1] = cel_bool(false);
    b.facts[2] = cel_string("one", 3);
    b.facts[3] = cel_string("two", 3);
    b.facts[4] = cel_int(0);
    b.facts[6] = cel_object(&map.object);
    b.facts[8] = cel_timestamp(0, 0);

    test_listings(&b);
    test_refused(&b);
    test_meanings(&b);
    test_reads(&b);

    cel_json_destroy(json);
    cel_json_parser_destroy(parser);
    back_close(&b);

    return done_testing();
}
