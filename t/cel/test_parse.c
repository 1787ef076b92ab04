/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Tokens, literals, precedence, macros, and what is no expression.
 */

#include "front.h"


#define ESCAPE  ", a backslash is \\\\ there, or \\ in r'...'"


static const struct {
    const char  *source;
    const char  *tree;
} trees[] = {

    /* literals */

    { "null", "null" },
    { "true", "true" },
    { "0", "0" },
    { "42", "42" },
    { "0x2A", "42" },
    { "0XfF", "255" },
    { "9223372036854775807", "9223372036854775807" },
    { "-9223372036854775808", "-9223372036854775808" },
    { "-0x8000000000000000", "-9223372036854775808" },
    { "7u", "7u" },
    { "0xFFu", "255u" },
    { "18446744073709551615u", "18446744073709551615u" },
    { "1.5", "1.5d" },
    { ".5", "0.5d" },
    { "1e3", "1000d" },
    { "1.5E-2", "0.015d" },
    { "-2.0", "-2d" },
    { "1e+2", "100d" },
    { "\"a'b\"", "'a'b'" },
    { "'a\\'b'", "'a'b'" },
    { "'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\\"\\`'",
      "'\\x07\\x08\\x0c\\x0a\\x0d\\x09\\x0b\\?\"`'" },
    { "'\\x41\\X42\\103\\u0044\\U00000045'", "'ABCDE'" },
    { "'\\xe9'", "'\\xc3\\xa9'" },
    { "'\\377'", "'\\xc3\\xbf'" },
    { "'\\U0001F431'", "'\\xf0\\x9f\\x90\\xb1'" },
    { "'\\u20ac'", "'\\xe2\\x82\\xac'" },
    { "r'a\\n'", "'a\\n'" },
    { "R\"\\\"", "'\\'" },
    { "'''a'b\n'''", "'a'b\\x0a'" },
    { "\"\"\"a\"\"b\"\"\"", "'a\"\"b'" },
    { "''", "''" },
    { "''''''", "''" },
    { "r'''\\x'''", "'\\x'" },
    { "b'a\\xff\\377'", "b'a\\xff\\xff'" },
    { "B\"\xc3\xa9\"", "b'\\xc3\\xa9'" },
    { "br'\\n'", "b'\\n'" },
    { "bR'''\\'''", "b'\\'" },
    { "'a\\000b'", "'a\\x00b'" },

    /* names */

    { "a", "a" },
    { ".a", ".a" },
    { "a.b.c", "a.b.c" },
    { ".a.b", ".a.b" },
    { "a.for", "a.for" },
    { "a.`b-c`", "a.b-c" },
    { "a.`b.c/d e`", "a.b.c/d e" },
    { "_a1", "_a1" },
    { "bar", "bar" },
    { "rb", "rb" },
    { "b.r", "b.r" },

    /* operators */

    { "1 + 2 * 3", "(_+_ 1 (_*_ 2 3))" },
    { "1 * 2 + 3", "(_+_ (_*_ 1 2) 3)" },
    { "1 - 2 - 3", "(_-_ (_-_ 1 2) 3)" },
    { "1 / 2 % 3", "(_%_ (_/_ 1 2) 3)" },
    { "(1 + 2) * 3", "(_*_ (_+_ 1 2) 3)" },
    { "1 < 2 == true", "(_==_ (_<_ 1 2) true)" },
    { "1 + 2 in l", "(@in (_+_ 1 2) l)" },
    { "a <= b >= c != d > e",
      "(_>_ (_!=_ (_>=_ (_<=_ a b) c) d) e)" },
    { "a && b || c", "(_||_ (_&&_ a b) c)" },
    { "a || b && c", "(_||_ a (_&&_ b c))" },
    { "a || b || c || d", "(_||_ (_||_ a b) (_||_ c d))" },
    { "a && b && c", "(_&&_ (_&&_ a b) c)" },
    { "a ? b : c ? d : e", "(_?_:_ a b (_?_:_ c d e))" },
    { "a ? b || c : d", "(_?_:_ a (_||_ b c) d)" },
    { "a || b ? c : d", "(_?_:_ (_||_ a b) c d)" },
    { "!a.b", "(!_ a.b)" },
    { "!!a", "(!_ (!_ a))" },
    { "-a", "(-_ a)" },
    { "--a", "(-_ (-_ a))" },
    { "--1", "(-_ -1)" },
    { "-1", "-1" },
    { "- 1", "-1" },
    { "1 -1", "(_-_ 1 1)" },
    { "1 - -1", "(_-_ 1 -1)" },
    { "-1.5", "-1.5d" },
    { "-a[0]", "(-_ (_[_] a 0))" },
    { "!(a)", "(!_ a)" },

    /* calls, indexes, aggregates */

    { "f()", "(f)" },
    { "f(1, 2)", "(f 1 2)" },
    { ".f(1)", "(.f 1)" },
    { "a.f(1)", "(a.f 1)" },
    { "a.b.f().g", "(a.b.f).g" },
    { "a[0][1]", "(_[_] (_[_] a 0) 1)" },
    { "a[b].c", "(_[_] a b).c" },
    { "[]", "[]" },
    { "[,]", "[]" },
    { "[1, 2,]", "[1 2]" },
    { "[1, [2]]", "[1 [2]]" },
    { "{}", "{}" },
    { "{'a': 1, 2: b,}", "{'a' 1 2 b}" },
    { "M{}", "(M)" },
    { "a.M{f: 1, in_: 2,}", "(a.M 'f' 1 'in_' 2)" },
    { ".a.M{`b-c`: 1}", "(.a.M 'b-c' 1)" },
    { "'a'.size()", "('a'.size)" },
    { "[1][0]", "(_[_] [1] 0)" },
    { "{'a': 1}.a", "{'a' 1}.a" },

    /* comments and space */

    { "1 // one\n + 2 // two", "(_+_ 1 2)" },
    { "\t\r\n\f 1\n", "1" },
    { "// only\n1", "1" },

    /* macros */

    { "has(a.b)", "has(a.b)" },
    { "has(a.b.c)", "has(a.b.c)" },
    { "l.all(v, p)",
      "(fold v in l @result = true while (@not_strictly_false @result)"
      " step (_&&_ @result p) result @result)" },
    { "l.exists(v, p)",
      "(fold v in l @result = false while (@not_strictly_false (!_ @result))"
      " step (_||_ @result p) result @result)" },
    { "l.exists_one(v, p)",
      "(fold v in l @result = 0 while true"
      " step (_?_:_ p (_+_ @result 1) @result) result (_==_ @result 1))" },
    { "l.existsOne(i, v, p)",
      "(fold i,v in l @result = 0 while true"
      " step (_?_:_ p (_+_ @result 1) @result) result (_==_ @result 1))" },
    { "l.map(v, t)",
      "(fold v in l @result = [] while true step (_+_ @result [t])"
      " result @result)" },
    { "l.map(v, p, t)",
      "(fold v in l @result = [] while true"
      " step (_?_:_ p (_+_ @result [t]) @result) result @result)" },
    { "l.filter(v, p)",
      "(fold v in l @result = [] while true"
      " step (_?_:_ p (_+_ @result [v]) @result) result @result)" },
    { "m.transformMap(k, v, t)",
      "(fold k,v in m @result = {} while true"
      " step (cel.@mapInsert @result k t) result @result)" },
    { "m.transformMapEntry(k, v, p, t)",
      "(fold k,v in m @result = {} while true"
      " step (_?_:_ p (cel.@mapInsert @result t) @result) result @result)" },
    { "l.transformList(i, v, t)",
      "(fold i,v in l @result = [] while true step (_+_ @result [t])"
      " result @result)" },
    { "cel.bind(v, e, r)",
      "(fold @unused in [] v = e while false step v result r)" },

    /* no macros: other arguments, no receiver */

    { "l.all(v)", "(l.all v)" },
    { "all(v, p)", "(all v p)" },
    { "a.has(b.c)", "(a.has b.c)" },
    { "x.bind(v, e, r)", "(x.bind v e r)" },
};


static const struct {
    const char  *source;
    const char  *issue;
} refused[] = {
    { "", "1:1: Syntax error: mismatched input '<EOF>' expecting an "
          "expression" },
    { "1 +", "1:4: Syntax error: mismatched input '<EOF>' expecting an "
             "expression" },
    { "1 2", "1:3: Syntax error: mismatched input '2' expecting an operator "
             "or the end" },
    { "(1", "1:3: Syntax error: mismatched input '<EOF>' expecting ')'" },
    { "f(1 2)", "1:5: Syntax error: mismatched input '2' expecting ',' or "
                "')'" },
    { "f(1,)", "1:5: Syntax error: mismatched input ')' expecting an "
               "expression" },
    { "[1", "1:3: Syntax error: mismatched input '<EOF>' expecting ',' or "
            "']'" },
    { "{1}", "1:3: Syntax error: mismatched input '}' expecting ':'" },
    { "{1: 2", "1:6: Syntax error: mismatched input '<EOF>' expecting ',' or "
               "'}'" },
    { "a[1", "1:4: Syntax error: mismatched input '<EOF>' expecting ']'" },
    { "a.", "1:3: Syntax error: mismatched input '<EOF>' expecting a field "
            "name" },
    { "a.true", "1:3: Syntax error: mismatched input 'true' expecting a "
                "field name" },
    { "a.in", "1:3: Syntax error: mismatched input 'in' expecting a field "
              "name" },
    { "a ? b", "1:6: Syntax error: mismatched input '<EOF>' expecting ':'" },
    { "a and b", "1:3: Syntax error: mismatched input 'and' expecting an "
                 "operator or the end, 'and' is '&&'" },
    { "a or b", "1:3: Syntax error: mismatched input 'or' expecting an "
                "operator or the end, 'or' is '||'" },
    { "a = b", "1:3: Syntax error: token recognition error at: '=', compare "
               "with '=='" },
    { "a & b", "1:3: Syntax error: token recognition error at: '&', 'and' is "
               "'&&'" },
    { "a | b", "1:3: Syntax error: token recognition error at: '|', 'or' is "
               "'||'" },
    { "a $ b", "1:3: Syntax error: token recognition error at: '$'" },
    { "\xc3\xa9", "1:1: Syntax error: token recognition error at: "
                  "'\xc3\xa9'" },
    { "1\x01", "1:2: Syntax error: token recognition error at: control "
               "character 0x01" },
    { "'abc", "1:1: Syntax error: unterminated string literal" },
    { "'abc\\'", "1:1: Syntax error: unterminated string literal" },
    { "'a\nb'", "1:1: Syntax error: unterminated string literal" },
    { "'''abc''", "1:1: Syntax error: unterminated triple-quoted literal" },
    { "'\\q'", "1:2: Syntax error: invalid escape sequence in a string "
               "literal" ESCAPE },
    { "'a\\x4'", "1:3: Syntax error: invalid escape sequence in a string "
                 "literal" ESCAPE },
    { "'\\400'", "1:2: Syntax error: invalid escape sequence in a string "
                 "literal" ESCAPE },
    { "'\\189'", "1:2: Syntax error: invalid escape sequence in a string "
                 "literal" ESCAPE },
    { "b'\\u0041'", "1:3: Syntax error: invalid escape sequence in a bytes "
                    "literal" ESCAPE },
    { "'\\ud800'", "1:2: Syntax error: U+D800 is no Unicode character" },
    { "'\\U00110000'", "1:2: Syntax error: U+110000 is no Unicode "
                       "character" },
    { "9223372036854775808", "1:1: invalid int literal: beyond 64 bits" },
    { "-9223372036854775809", "1:2: invalid int literal: beyond 64 bits" },
    { "18446744073709551616u", "1:1: invalid uint literal: beyond 64 bits" },
    { "0x10000000000000000", "1:1: invalid int literal: beyond 64 bits" },
    { "1e999", "1:1: invalid double literal: beyond the range of a double" },
    { "`a`", "1:1: Syntax error: mismatched input '`a`' expecting an "
             "expression" },
    { "a.``", "1:3: Syntax error: a quoted field name holds one or more "
              "letters, digits, '_', '.', '-', '/' or spaces and ends with "
              "'`'" },
    { "a.`b+`", "1:3: Syntax error: a quoted field name holds one or more "
                "letters, digits, '_', '.', '-', '/' or spaces and ends with "
                "'`'" },
    { "for", "1:1: reserved identifier: for" },
    { "a + while(1)", "1:5: reserved identifier: while" },
    { "has(a)", "1:5: invalid argument to has() macro: it takes a field "
                "selection, has(a.b)" },
    { "has(a['b'])", "1:6: invalid argument to has() macro: it takes a field "
                     "selection, has(a.b)" },
    { "l.all(a.b, p)", "1:9: argument must be a simple name: a variable of "
                       "all()" },
    { "l.map(1, p)", "1:7: argument must be a simple name: a variable of "
                     "map()" },
    { "l.all(i, i, p)", "1:10: duplicate variable name: i" },
    { "!-a", "1:2: Syntax error: mismatched input '-' expecting an "
             "expression" },
    { "a\n + b\n + ", "3:4: Syntax error: mismatched input '<EOF>' expecting "
                      "an expression" },
    { "'\xc3\xa9' + 'b", "1:7: Syntax error: unterminated string literal" },
};


static void
test_trees(cel_env_t *env)
{
    char      text[2000], issue[400];
    size_t    i;
    front_t   front;

    for (i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        front_begin(&front, env, trees[i].source, strlen(trees[i].source));

        text[0] = '\0';

        if (front.status == CEL_OK) {
            front_dump(text, sizeof(text), front.ast.root);
        }

        is_str(front.status == CEL_OK
               ? text : front_issue(&front, 0, issue, sizeof(issue)),
               trees[i].tree, "tree %zu", i);

        front_end(&front);
    }
}


static void
test_refused(cel_env_t *env)
{
    char      issue[400];
    size_t    i;
    front_t   front;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        front_begin(&front, env, refused[i].source,
                    strlen(refused[i].source));

        ok(front.status == CEL_ERROR, "refused %zu is refused", i);
        is_str(front_issue(&front, 0, issue, sizeof(issue)),
               refused[i].issue, "refused %zu says why", i);

        front_end(&front);
    }
}


/* every prefix of valid UTF-8 that ends within a character, and worse */

static void
test_bytes(cel_env_t *env)
{
    size_t   i;
    front_t  front;

    static const char *const  invalid[] = {
        "'\xff'", "'\xc3'", "'\xe2\x82'", "'\xc0\x80'", "'\xed\xa0\x80'",
        "'\xf4\x90\x80\x80'", "'\xf0\x80\x80\x80'", "'\x80'", "// \xfe\n1",
    };

    for (i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        front_begin(&front, env, invalid[i], strlen(invalid[i]));
        ok(front.status == CEL_ERROR
           && strstr(front.issues.items[0].message, "not valid UTF-8"),
           "invalid UTF-8 %zu is refused", i);
        front_end(&front);
    }

    front_begin(&front, env, "1 \0 + 2", 7);
    ok(front.status == CEL_ERROR, "a NUL byte is refused");
    is_str(front.issues.items[0].message,
           "Syntax error: NUL byte in the expression, outside of a string",
           "and named");
    is_int(front.issues.items[0].column, 3, "with its place");
    front_end(&front);

    front_begin(&front, env, "1 // a\0b\n+ 2", 12);
    ok(front.status == CEL_ERROR, "in a comment, too");
    front_end(&front);

    front_begin(&front, env, "b'a\0b'", 6);
    ok(front.status == CEL_OK && front.ast.root->value.len == 3
       && memcmp(front.ast.root->value.s, "a\0b", 3) == 0,
       "a literal may hold one");
    front_end(&front);
}


static char *
repeat(const char *what, size_t n, const char *core, const char *end)
{
    char    *text, *p;
    size_t   i;

    text = malloc(n * (strlen(what) + strlen(end)) + strlen(core) + 1);
    p = text;

    for (i = 0; i < n; i++) {
        p = stpcpy(p, what);
    }

    p = stpcpy(p, core);

    for (i = 0; i < n; i++) {
        p = stpcpy(p, end);
    }

    return text;
}


static void
test_depth(cel_env_t *env)
{
    char     *text;
    size_t    i;
    front_t   front;

    static const struct {
        const char  *what;
        const char  *core;
        const char  *end;
        size_t       good;
    } nests[] = {
        { "(", "1", ")", 249 },
        { "[", "1", "]", 249 },
        { "{1: ", "1", "}", 249 },
        { "f(", "1", ")", 249 },
        { "a[", "1", "]", 249 },
        { "true ? 1 : ", "2", "", 249 },
        { "!", "true", "", 490 },
        { "-", "x", "", 490 },
        { "1 + ", "1", "", 490 },
        { "", "a", ".b", 490 },
        { "", "a", "[0]", 490 },
        { "", "a", ".f()", 490 },
        { "[1].all(x, ", "true", ")", 100 },
    };

    for (i = 0; i < sizeof(nests) / sizeof(nests[0]); i++) {
        text = repeat(nests[i].what, nests[i].good, nests[i].core,
                      nests[i].end);
        front_begin(&front, env, text, strlen(text));
        ok(front.status == CEL_OK, "%zu of '%s%s' are accepted",
           nests[i].good, nests[i].what, nests[i].end);
        front_end(&front);
        free(text);

        text = repeat(nests[i].what, 1000, nests[i].core, nests[i].end);
        front_begin(&front, env, text, strlen(text));
        ok(front.status == CEL_ERROR
           && front.issues.items[0].kind == CEL_E_TOO_LARGE,
           "1,000 of '%s%s' are too many", nests[i].what, nests[i].end);
        is_int(front.issues.total, 1, "which is said once");
        front_end(&front);
        free(text);
    }
}


/* chains of && and || are no nesting */

static void
test_chains(cel_env_t *env)
{
    char     *text;
    front_t   front;

    text = repeat("b || ", 5000, "b", "");
    front_begin(&front, env, text, strlen(text));
    ok(front.status == CEL_OK, "5,000 alternatives are accepted");
    ok(front.ast.root->height < 20, "as a flat tree");
    front_check(&front);
    ok(front.status == CEL_OK, "and checked");
    front_end(&front);
    free(text);

    text = repeat("b && ", 13000, "b", "");
    front_begin(&front, env, text, strlen(text));
    ok(front.status == CEL_OK, "13,000 conditions are accepted");
    front_end(&front);
    free(text);
}


static void
test_limits(void)
{
    char          *text;
    front_t        front;
    cel_env_t     *env;
    cel_limits_t   limits;

    memset(&limits, 0, sizeof(limits));
    limits.max_nodes = 10;
    limits.max_source = 100;
    limits.max_depth = 3;
    limits.disable_macros = true;

    env = front_env(&limits);

    front_begin(&front, env, "[1,2,3,4,5,6,7,8,9]", 19);
    ok(front.status == CEL_OK, "ten nodes are within the limit of ten");
    front_end(&front);

    front_begin(&front, env, "[1,2,3,4,5,6,7,8,9,0]", 21);
    ok(front.status == CEL_ERROR, "eleven are not");
    is_str(front.issues.items[0].message,
           "expression has more than 10 nodes", "with a message");
    front_end(&front);

    text = repeat(" ", 100, "1", "");
    front_begin(&front, env, text, 101);
    ok(front.status == CEL_ERROR
       && front.issues.items[0].kind == CEL_E_TOO_LARGE,
       "101 bytes are over the limit of 100");
    front_end(&front);
    front_begin(&front, env, text, 100);
    ok(front.issues.items[0].kind == CEL_E_PARSE, "100 are not");
    front_end(&front);
    free(text);

    front_begin(&front, env, "((1))", 5);
    ok(front.status == CEL_OK, "two parentheses are within a depth of 3");
    front_end(&front);
    front_begin(&front, env, "(((1)))", 7);
    ok(front.status == CEL_ERROR, "three are not");
    front_end(&front);

    front_begin(&front, env, "[1].all(v, true)", 16);
    ok(front.status == CEL_OK && front.ast.root->kind == CEL_N_CALL,
       "without macros all() is a call");
    front_end(&front);

    cel_env_destroy(env);
}


static void
test_several(cel_env_t *env)
{
    front_t  front;

    front_begin(&front, env, "for + while + if", 16);
    is_int(front.issues.count, 3, "errors that confuse nothing are collected");
    is_int(front.issues.items[2].column, 15, "in source order");
    front_end(&front);
}


int
main(void)
{
    cel_env_t  *env;

    env = front_env(NULL);
    ok(env != NULL, "an env is created");

    test_trees(env);
    test_refused(env);
    test_bytes(env);
    test_depth(env);
    test_chains(env);
    test_limits();
    test_several(env);

    cel_env_destroy(env);

    return done_testing();
}
