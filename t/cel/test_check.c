/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Names, types, overloads: what an expression is found to be, and what is
 * said when it is nothing.
 */

#include "front.h"

#include <time.h>


static const struct {
    const char  *source;
    const char  *type;
} types[] = {

    /* literals and facts */

    { "null", "null" },
    { "1", "int" },
    { "1u", "uint" },
    { "1.0", "double" },
    { "'a'", "string" },
    { "b'a'", "bytes" },
    { "true", "bool" },
    { "[]", "list(dyn)" },
    { "{}", "map(dyn, dyn)" },
    { "[1, 2]", "list(int)" },
    { "[1, 'a']", "list(dyn)" },
    { "[1, dyn('a')]", "list(dyn)" },
    { "[[], [1]]", "list(list(int))" },
    { "[[1], ['a']]", "list(dyn)" },
    { "[1, null]", "list(dyn)" },
    { "[w, 1]", "list(wrapper(int))" },
    { "[w, null]", "list(wrapper(int))" },
    { "{'a': 1, 'b': 2}", "map(string, int)" },
    { "{'a': 1, 'b': 'c'}", "map(string, dyn)" },
    { "{'a': 1, 2: 3}", "map(dyn, int)" },
    { "{'a': {}, 'b': {1: 2}}", "map(string, map(int, int))" },
    { "x", "int" },
    { "input", "dyn" },
    { "now", "timestamp" },
    { "request.headers", "map(string, string)" },
    { "request.headers['a']", "string" },
    { "request.headers.a", "string" },
    { "request.path", "string" },
    { "m.a", "int" },
    { "m['a']", "int" },
    { "input.a.b[0]['c']", "dyn" },
    { "has(m.a)", "bool" },
    { "has(input.a.b)", "bool" },

    /* types as values */

    { "int", "type(int)" },
    { "type(1)", "type(int)" },
    { "type(x) == int", "bool" },
    { "google.protobuf.Timestamp", "type(timestamp)" },
    { "type(now) == google.protobuf.Timestamp", "bool" },
    { "[int, string]", "list(type(int))" },

    /* operators */

    { "1 + 2", "int" },
    { "'a' + 'b'", "string" },
    { "[1] + [2]", "list(int)" },
    { "[1] + []", "list(int)" },
    { "[] + []", "list(dyn)" },
    { "now + duration('1s')", "timestamp" },
    { "now - now", "duration" },
    { "input + 1", "int" },
    { "input + input", "dyn" },
    { "-x", "int" },
    { "-input", "dyn" },
    { "!b", "bool" },
    { "1 < 2.0", "bool" },
    { "1u >= 2", "bool" },
    { "input < 'a'", "bool" },
    { "x == input", "bool" },
    { "w == null", "bool" },
    { "w == 1", "bool" },
    { "w + 1", "int" },
    { "now == null", "bool" },
    { "dyn(1) == 'a'", "bool" },
    { "b && input", "bool" },
    { "b ? 1 : 2", "int" },
    { "b ? 1 : input", "dyn" },
    { "b ? w : null", "wrapper(int)" },
    { "b ? [] : [1]", "list(int)" },
    { "1 in [1, 2]", "bool" },
    { "1 in []", "bool" },
    { "'a' in m", "bool" },
    { "'a' in input", "bool" },
    { "input in ['a']", "bool" },
    { "l[0]", "int" },
    { "[[1]][0][0]", "int" },
    { "{1: 'a'}[1]", "string" },
    { "{1: 'a'}[input]", "string" },
    { "l[input]", "int" },

    /* macros */

    { "l.all(i, i > 0)", "bool" },
    { "l.exists(i, i == x)", "bool" },
    { "l.exists_one(i, i == x)", "bool" },
    { "l.map(i, string(i))", "list(string)" },
    { "l.map(i, i > 0, [i])", "list(list(int))" },
    { "l.filter(i, i > 0)", "list(int)" },
    { "m.all(k, k != '')", "bool" },
    { "m.map(k, m[k])", "list(int)" },
    { "m.filter(k, true)", "list(string)" },
    { "input.all(i, i > 0)", "bool" },
    { "input.map(i, i)", "list(dyn)" },
    { "[].map(i, i)", "list(dyn)" },
    { "l.map(i, [].map(j, i))", "list(list(int))" },
    { "l.all(i, v, i < v)", "bool" },
    { "m.all(k, v, k == string(v))", "bool" },
    { "l.transformList(i, v, string(v))", "list(string)" },
    { "m.transformList(k, v, v > 0, k)", "list(string)" },
    { "m.transformMap(k, v, string(v))", "map(string, string)" },
    { "l.transformMap(i, v, v > 0, v * 2)", "map(int, int)" },
    { "m.transformMapEntry(k, v, {v: k})", "map(int, string)" },
    { "cel.bind(v, x + 1, string(v))", "string" },
    { "cel.bind(v, l, v.map(v, [v]))", "list(list(int))" },

    /* a macro's variable hides a fact, also the start of a dotted name */

    { "l.map(request, request)", "list(int)" },
    { "[{'path': 1}].map(request, request.path)", "list(int)" },
    { "['a'].map(x, x)", "list(string)" },
    { "['a'].map(x, .x)", "list(int)" },

    /* functions and resolvers */

    { "size(l)", "int" },
    { "l.size()", "int" },
    { "s.startsWith('a')", "bool" },
    { "s.size() + size(s)", "int" },
    { "nginx.var('uri1')", "string" },
    { "nginx.var('uri1').size()", "int" },
    { "timestamp('2020-01-01T00:00:00Z').getFullYear()", "int" },
    { "input.f.startsWith('a')", "bool" },
};


static const struct {
    const char  *source;
    const char  *issue;
} refused[] = {
    { "nosuch", "1:1: undeclared reference to 'nosuch' (in container '')" },
    { "nosuch.a.b", "1:1: undeclared reference to 'nosuch' (in container "
                    "'')" },
    { "inptu.a", "1:1: undeclared reference to 'inptu' (in container ''), "
                 "did you mean 'input'?" },
    { "x + requst.path", "1:5: undeclared reference to 'requst.path' (in "
                         "container ''), did you mean 'request.path'?" },
    { "request.pth.size()", "1:1: undeclared reference to 'request.pth' (in "
                            "container ''), did you mean 'request.path'?" },
    { "request.nothing", "1:1: undeclared reference to 'request.nothing' (in "
                         "container '')" },
    { "nginx.var", "1:1: undeclared reference to 'nginx.var' (in container "
                   "'')" },
    { "com", NULL },
    { "nosuch()", "1:1: undeclared reference to 'nosuch' (in container "
                  "'')" },
    { "s.startWith('a')", "1:3: undeclared reference to 'startWith' (in "
                          "container ''), did you mean 'startsWith'?" },
    { "nginx.vra('a')", "1:1: undeclared reference to 'nginx.vra' (in "
                        "container ''), did you mean 'nginx.var'?" },
    { "l.all(i)", "1:3: undeclared reference to 'all' (in container ''): the "
                  "macro of this name does not take 1 arguments" },
    { "nginx.var('nosuch')", "1:11: nginx.var('nosuch'): is not listed" },
    { "nginx.var(s)", "1:7: nginx.var() takes one string literal" },
    { "nginx.var('a', 'b')", "1:7: nginx.var() takes one string literal" },
    { "nginx.var(1)", "1:7: nginx.var() takes one string literal" },

    { "1 + 'a'", "1:3: found no matching overload for '_+_' applied to "
                 "'(int, string)'" },
    { "1 + 1.0", "1:3: found no matching overload for '_+_' applied to "
                 "'(int, double)', convert one side, as in double(x)" },
    { "1 == 'a'", "1:3: found no matching overload for '_==_' applied to "
                  "'(int, string)'" },
    { "x == null", "1:3: found no matching overload for '_==_' applied to "
                   "'(int, null)'" },
    { "[1] == ['a']", "1:5: found no matching overload for '_==_' applied to "
                      "'(list(int), list(string))'" },
    { "!1", "1:1: found no matching overload for '!_' applied to '(int)', "
            "it takes bool" },
    { "x && b", "1:3: found no matching overload for '_&&_' applied to "
                "'(int, bool)', it takes bool" },
    { "b ? 1 : 'a'", "1:3: found no matching overload for '_?_:_' applied to "
                     "'(bool, int, string)'" },
    { "x ? 1 : 2", "1:3: found no matching overload for '_?_:_' applied to "
                   "'(int, int, int)'" },
    { "'a' in l", "1:5: found no matching overload for '@in' applied to "
                  "'(string, list(int))'" },
    { "l['a']", "1:2: found no matching overload for '_[_]' applied to "
                "'(list(int), string)'" },
    { "m[1]", "1:2: found no matching overload for '_[_]' applied to "
              "'(map(string, int), int)'" },
    { "s.size(1)", "1:3: found no matching overload for 'size' applied to "
                   "'string.(int)', it takes 'string.()' or 'bytes.()' or "
                   "'list(A).()' or ..." },
    { "x.size()", "1:3: found no matching overload for 'size' applied to "
                  "'int.()', it takes 'string.()' or 'bytes.()' or "
                  "'list(A).()' or ..." },
    { "startsWith('a', 'b')", "1:1: found no matching overload for "
                              "'startsWith' applied to '(string, string)', "
                              "it has a receiver: call it as x.f()" },
    { "x.int()", "1:3: found no matching overload for 'int' applied to "
                 "'int.()', it has no receiver: call it as f(x)" },
    { "x.y", "1:3: type 'int' does not support field selection" },
    { "has(s.y)", "1:7: type 'string' does not support field selection" },
    { "l.a", "1:3: type 'list(int)' does not support field selection" },
    { "has(request.path)", "1:13: invalid argument to has() macro: "
                           "'request.path' is a declared name, which is "
                           "always there, not a field" },

    { "x.all(i, true)", "1:1: expression of type 'int' cannot be range of a "
                        "comprehension (must be list, map, or dynamic)" },
    { "l.all(i, i)", "1:3: found no matching overload for '_&&_' applied to "
                     "'(bool, int)', it takes bool" },
    { "l.exists(i, 'a')", "1:3: found no matching overload for '_||_' "
                          "applied to '(bool, string)', it takes bool" },
    { "l.filter(i, 1)", "1:3: found no matching overload for '_?_:_' applied "
                        "to '(int, list(int), list(int))'" },
    { "l.map(i, j)", "1:10: undeclared reference to 'j' (in container '')" },
    { "l.map(i, true) == [i]", "1:20: undeclared reference to 'i' (in "
                               "container '')" },

    { "{1.5: 2}", "1:2: unsupported key type 'double' (must be string, int, "
                  "uint or bool)" },
    { "{[]: 2}", "1:2: unsupported key type 'list(dyn)' (must be string, "
                 "int, uint or bool)" },
    { "a.M{b: 1}", "1:3: undeclared reference to 'a.M' (in container ''): no "
                   "message type has this name" },

    { "request.headers['X-A']", "1:17: the keys of 'request.headers' are "
                                "lower-case: 'X-A' is never there, write "
                                "'x-a'" },
    { "request.headers.Host", "1:17: the keys of 'request.headers' are "
                              "lower-case: 'Host' is never there, write "
                              "'host'" },
    { "has(request.headers.Host)", "1:21: the keys of 'request.headers' are "
                                   "lower-case: 'Host' is never there, write "
                                   "'host'" },
    { "'X-A' in request.headers", "1:1: the keys of 'request.headers' are "
                                  "lower-case: 'X-A' is never there, write "
                                  "'x-a'" },
};


static void
test_types(cel_env_t *env)
{
    char     text[400];
    size_t   i;
    front_t  front;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        front_begin(&front, env, types[i].source, strlen(types[i].source));
        front_check(&front);

        if (front.status == CEL_OK) {
            cel_type_format(front.ast.root->type, text, sizeof(text));

        } else {
            front_issue(&front, 0, text, sizeof(text));
        }

        is_str(text, types[i].type, "%s", types[i].source);
        front_end(&front);
    }
}


static void
test_refused(cel_env_t *env)
{
    char     issue[400];
    size_t   i;
    front_t  front;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        front_begin(&front, env, refused[i].source,
                    strlen(refused[i].source));
        front_check(&front);

        ok(front.status == CEL_ERROR, "%s is refused", refused[i].source);

        if (refused[i].issue != NULL) {
            is_str(front_issue(&front, 0, issue, sizeof(issue)),
                   refused[i].issue, "and says why");
            is_int(front.issues.total, 1, "once");
        }

        front_end(&front);
    }
}


/* com.example: x is com.example.x, com.x or x, whichever is declared first */

static void
test_container(void)
{
    size_t         i;
    front_t        front;
    cel_env_t     *env;
    cel_limits_t   limits;

    static const struct {
        const char       *container;
        const char       *source;
        cel_type_kind_t   kind;
    } names[] = {
        { "com.example", "y", CEL_T_STRING },
        { "com.example.deep", "y", CEL_T_STRING },
        { "com.other", "y", CEL_T_INT },
        { "com", "y", CEL_T_INT },
        { "com", "example.y", CEL_T_STRING },
        { "org", "y", CEL_T_BOOL },
        { "com.example", ".y", CEL_T_BOOL },
        { "com.example", "com.y", CEL_T_INT },
        { "com.example", ".com.y", CEL_T_INT },
        { "request", "path", CEL_T_STRING },
        { "nginx", "request.path", CEL_T_STRING },
        { "com.example", "size(s)", CEL_T_INT },
        { "com.example", "[1].map(y, y)[0]", CEL_T_INT },
        { "google.protobuf", "type(now) == Timestamp", CEL_T_BOOL },
        { NULL, "y", CEL_T_BOOL },
        { "", "y", CEL_T_BOOL },
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        memset(&limits, 0, sizeof(limits));
        limits.container = names[i].container;

        env = front_env(&limits);

        front_begin(&front, env, names[i].source, strlen(names[i].source));
        front_check(&front);

        ok(front.status == CEL_OK
           && front.ast.root->type->kind == names[i].kind,
           "%s in container %s", names[i].source,
           names[i].container != NULL ? names[i].container : "-");

        front_end(&front);
        cel_env_destroy(env);
    }

    memset(&limits, 0, sizeof(limits));
    limits.container = "com.example";
    env = front_env(&limits);
    front_begin(&front, env, "nosuch", 6);
    front_check(&front);
    is_str(front.issues.items[0].message,
           "undeclared reference to 'nosuch' (in container 'com.example')",
           "the container is in the message");
    front_end(&front);
    cel_env_destroy(env);
}


static void
test_lenient(void)
{
    size_t         i;
    front_t        front;
    cel_env_t     *env;
    cel_limits_t   limits;

    static const char *const  taken[] = {
        "1 + 'a'", "'a' && true", "nosuch || true", "nosuch(1) || true",
        "x.y.z", "nosuch.a", "a.b.c()", "[1].all(i, i)", "1 == 'a'",
        "request.path + 1", "nginx.var('uri1') < 5",
    };

    memset(&limits, 0, sizeof(limits));
    limits.disable_check = true;

    env = front_env(&limits);

    for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        front_begin(&front, env, taken[i], strlen(taken[i]));
        front_check(&front);

        ok(front.status == CEL_OK, "unchecked: %s", taken[i]);
        ok(front.status == CEL_OK && front.ast.root->type != NULL,
           "has a type");

        front_end(&front);
    }

    cel_env_destroy(env);
}


/* what is not known is an error only when it is needed */

static void
test_unresolved(void)
{
    size_t           i;
    cel_env_t       *env;
    cel_eval_t       eval;
    cel_value_t      value;
    cel_arena_t      arena;
    cel_limits_t     limits;
    cel_status_t     rc;
    cel_issues_t     issues;
    cel_program_t   *program;

    static const struct {
        const char  *source;
        const char  *error;
    } names[] = {
        { "nosuch || true", NULL },
        { "nosuch(1, nosuch) || true", NULL },
        { "false && a.b.c()", NULL },
        { "true ? 1 : nosuch", NULL },
        { "nosuch", "undeclared reference to 'nosuch'" },
        { "nosuch.a.b", "undeclared reference to 'nosuch'" },
        { "nosuch(1)", "undeclared reference to 'nosuch'" },
    };

    memset(&limits, 0, sizeof(limits));
    limits.disable_check = true;

    env = front_env(&limits);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        program = cel_compile(env, names[i].source, strlen(names[i].source),
                              &issues);
        ok(program != NULL, "unchecked %s is compiled", names[i].source);

        if (program == NULL) {
            continue;
        }

        memset(&eval, 0, sizeof(eval));
        cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 0);
        eval.arena = &arena;
        cel_eval_init(&eval);

        rc = cel_eval(program, &eval, &value);

        ok(rc == (names[i].error != NULL ? CEL_ERROR : CEL_OK),
           "and %s", names[i].error != NULL ? "fails when run"
                                            : "gives a value");

        if (names[i].error != NULL) {
            is_str(eval.error.message, names[i].error, "by its name");
        }

        cel_program_destroy(program);
        cel_arena_reset(&arena);
    }

    cel_env_destroy(env);
}


static void
test_env(void)
{
    front_t      front;
    cel_env_t   *env;

    env = front_env(NULL);

    ok(cel_env_declare(env, "x", "string", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "a name that is taken is refused");
    ok(cel_env_declare(env, "z", "strng", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "an unknown type is refused");
    ok(cel_env_declare(env, "z", "list(A)", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "a type parameter is refused");
    ok(cel_env_declare(env, "z", "map(string)", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "half a map is refused");
    ok(cel_env_declare(env, "z", "list(int", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "an open parenthesis is refused");
    ok(cel_env_declare(env, "z", "list(int) x", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "text behind a type is refused");
    ok(cel_env_declare(env, "a..b", "int", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "a..b is no name");
    ok(cel_env_declare(env, "", "int", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "nor is an empty one");
    ok(cel_env_declare(env, "1a", "int", 50, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "nor 1a");
    ok(cel_env_declare(env, "z", "int", CEL_NO_SLOT, CEL_SIZE_SMALL, 0)
       == CEL_ERROR, "a fact has a slot");
    ok(cel_env_declare(env, "z", "map(string,list(dyn))", 50,
                       CEL_SIZE_SMALL, 0)
       == CEL_OK, "spaces in types may be left out");
    ok(cel_env_undeclare(env, "z") == CEL_OK, "a fact can be taken back");
    ok(cel_env_undeclare(env, "z") == CEL_NOT_FOUND, "once");

    front_begin(&front, env, "z", 1);
    front_check(&front);
    ok(front.status == CEL_ERROR, "then it is not known");
    front_end(&front);

    ok(cel_env_declare(env, "z", "duration", 51, CEL_SIZE_SMALL, 0)
       == CEL_OK, "and may be declared anew");
    front_begin(&front, env, "z", 1);
    front_check(&front);
    ok(front.status == CEL_OK && front.ast.root->slot == 51
       && front.ast.root->type->kind == CEL_T_DURATION,
       "with another type and slot");

    ok(cel_env_declare_type(env, "copy", front.ast.root->type, 52,
                            CEL_SIZE_SMALL, 0) == CEL_OK,
       "a type that was found can be declared");
    front_end(&front);

    front_begin(&front, env, "[x]", 3);
    front_check(&front);
    ok(cel_env_declare_type(env, "lists", front.ast.root->type, 53,
                            CEL_SIZE_SMALL, 0) == CEL_OK,
       "a composed one too");
    front_end(&front);

    front_begin(&front, env, "lists[0] + x", 12);
    front_check(&front);
    ok(front.status == CEL_OK
       && front.ast.root->type->kind == CEL_T_INT,
       "which outlives what it came from");
    front_end(&front);

    cel_env_destroy(env);
}


/* functions that are declared and not here */

static void
test_declared(void)
{
    char        type[80], issue[400];
    size_t      i;
    front_t     front;
    cel_env_t  *env;

    static const char *const  refused[] = {
        "", "(string)", "(string): nosuch", "string(): int", "(A: B",
        "(int): int x", "(int, int, int, int, int, int, int, int, int): int",
    };

    static const struct {
        const char  *source;
        const char  *type;          /* NULL: refused */
    } cases[] = {
        { "fn('abc', 1)", "string" },
        { "fn(1, 'abc')", NULL },
        { "fn('abc')", NULL },
        { "'abc'.fn()", "bool" },
        { "tuple(1, 2u, 3.0)", "tuple(int, uint, double)" },
        { "tuple(dyn(1), 2u, 3.0)", "tuple(dyn, uint, double)" },
        { "[tuple(1, 2u, 3.0), tuple(dyn(1), 2u, dyn(3.0))][0]",
          "tuple(dyn, uint, dyn)" },
        { "swap(tuple(1, 2u, 3.0))", "tuple(double, uint, int)" },
        { "swap(tuple(1, 2u, 3.0)) == tuple(1, 2u, 3.0)", NULL },
        { "size(token())", "int" },
        { "size('a') + size([1])", "int" },
        { "size(1)", NULL },
    };

    env = front_env(NULL);

    ok(cel_env_declare_function(env, "fn", "(string, int): string") == CEL_OK
       && cel_env_declare_function(env, "fn", "string.(): bool") == CEL_OK
       && cel_env_declare_function(env, "tuple",
                                   "(A, B, C): tuple(A, B, C)") == CEL_OK
       && cel_env_declare_function(env, "swap",
                                   "(tuple(A, B, C)): tuple(C, B, A)")
          == CEL_OK
       && cel_env_declare_function(env, "token", "(): token()") == CEL_OK
       && cel_env_declare_function(env, "size", "(token()): int") == CEL_OK,
       "functions are declared");

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ok(cel_env_declare_function(env, "fn", refused[i]) == CEL_ERROR,
           "no signature: %s", refused[i]);
    }

    ok(cel_env_declare_function(env, "a-b", "(): int") == CEL_ERROR,
       "no name of a function");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        front_begin(&front, env, cases[i].source, strlen(cases[i].source));
        front_check(&front);

        type[0] = '\0';

        if (front.status == CEL_OK) {
            cel_type_format(front.ast.root->type, type, sizeof(type));
        }

        is_str(type, cases[i].type != NULL ? cases[i].type : "",
               "%s", cases[i].source);

        front_end(&front);
    }

    front_begin(&front, env, "fn(1, 'abc')", 12);
    front_check(&front);
    is_str(front_issue(&front, 0, issue, sizeof(issue)),
           "1:1: found no matching overload for 'fn' applied to "
           "'(int, string)'", "nothing is said of what it takes");
    front_end(&front);

    cel_env_destroy(env);
}


static void
test_annotations(cel_env_t *env)
{
    front_t            front;
    const cel_node_t  *root;

    front_begin(&front, env, "request.headers['a'] + nginx.var('uri1')", 40);
    front_check(&front);
    root = front.ast.root;

    ok(root->overload != NULL && strcmp(root->overload->spec->id,
                                        "add_string") == 0,
       "the only overload is picked");
    ok(root->items[0]->items[0]->ref == CEL_R_FACT
       && root->items[0]->items[0]->fact != NULL,
       "a dotted name is one fact");
    ok(root->items[1]->kind == CEL_N_IDENT && root->items[1]->slot == 99,
       "a resolver's call is a slot");
    front_end(&front);

    front_begin(&front, env, "input.a < 5", 11);
    front_check(&front);
    ok(front.ast.root->overload == NULL && front.ast.root->function != NULL,
       "of several overloads none is picked");
    front_end(&front);

    front_begin(&front, env, "l.map(a, l.map(c, a + c)) == []", 31);
    front_check(&front);
    root = front.ast.root->items[0];
    is_int(front.ast.nlocals, 4, "each variable has a number");
    ok(root->fold->var_local != root->fold->transform->fold->var_local
       && root->fold->transform->fold->transform->items[0]->local
          == root->fold->var_local,
       "and is referred to by it");
    front_end(&front);
}


/* issues in source order, each once, cut off after CEL_ISSUES_MAX */

static void
test_many(cel_env_t *env)
{
    char      source[2000];
    bool      sorted;
    front_t   front;
    uint32_t  i;

    front_begin(&front, env, "a1 + (b1 + 'c') + size(d1) + (1 + 'a')", 38);
    front_check(&front);
    is_int(front.issues.count, 4, "several errors are reported at once");
    front_end(&front);

    source[0] = '\0';

    for (i = 0; i < 200; i++) {
        strcat(source, i == 0 ? "nn" : " + nn");
    }

    front_begin(&front, env, source, strlen(source));
    front_check(&front);
    is_int(front.issues.count, CEL_ISSUES_MAX, "many are cut off");
    is_int(front.issues.total, 200, "and counted");

    for (sorted = true, i = 1; i < front.issues.count; i++) {
        sorted = sorted && front.issues.items[i].offset
                           > front.issues.items[i - 1].offset;
    }

    ok(sorted, "the first ones are kept in order");
    front_end(&front);
}


/* what is slow to check is a way to stop whoever checks it */

static void
test_time(void)
{
    char         name[16], source[64], *text, *p;
    bool         good;
    clock_t      start;
    front_t      front;
    uint32_t     i;
    cel_env_t   *env;

    env = front_env(NULL);

    text = malloc(65536);
    p = stpcpy(text, "input");

    for (i = 0; i < 490; i++) {
        *p++ = '.';
        memset(p, 'a', 130);
        p += 130;
    }

    start = clock();
    front_begin(&front, env, text, p - text);
    front_check(&front);
    ok(front.status == CEL_OK, "490 selects of long names are checked");
    ok(clock() - start < CLOCKS_PER_SEC, "within a second");
    front_end(&front);
    free(text);

    start = clock();
    good = cel_env_declare(env, "v0", "int", 100, CEL_SIZE_SMALL, 0) == CEL_OK;

    for (i = 0; good && i < 3000; i++) {
        snprintf(source, sizeof(source), "{'a': [v%u]}", (unsigned) i);
        snprintf(name, sizeof(name), "v%u", (unsigned) i + 1);

        front_begin(&front, env, source, strlen(source));
        front_check(&front);
        good = front.status == CEL_OK
               && cel_env_declare_type(env, name, front.ast.root->type,
                                       101 + i, CEL_SIZE_SMALL, 0) == CEL_OK;
        front_end(&front);
    }

    ok(good, "3,000 facts, each wrapping the one before, are declared");
    ok(clock() - start < 2 * CLOCKS_PER_SEC, "within two seconds");
    ok(env->arena.used < 10 << 20, "in %zu bytes", env->arena.used);

    cel_env_destroy(env);
}


static size_t  room;


static void *
limited_alloc(void *ctx, size_t size)
{
    (void) ctx;

    if (room == 0) {
        return NULL;
    }

    room--;

    return malloc(size);
}


static void
limited_free(void *ctx, void *p, size_t size)
{
    (void) ctx;
    (void) size;

    free(p);
}


/* an allocation that fails, each in turn, is an error and nothing worse */

static void
test_memory(cel_env_t *env)
{
    bool         done;
    size_t       n, failed, wrong;
    cel_ast_t    ast;
    cel_arena_t  arena;

    static cel_issues_t           issues;
    static const cel_allocator_t  limited = {
        limited_alloc, limited_free, NULL
    };
    static const char             source[] =
        "l.map(i, [i, i].filter(j, j > x)).exists(k, k == [1, 2 + x]) && "
        "request.headers['a'] + 'b' in ['c', 'd\\n'] ? {'a': [1.5]} : {}";

    done = false;
    failed = 0;
    wrong = 0;

    /* a limit of 0 is none */

    for (n = 1; !done && n < 4000; n++) {
        memset(&issues, 0, sizeof(issues));
        room = SIZE_MAX;
        cel_arena_init(&arena, &limited, NULL, 0, n * 64);

        done = cel_parse(env, source, sizeof(source) - 1, &arena, &ast,
                         &issues) == CEL_OK
               && cel_check(env, &ast, &issues) == CEL_OK;

        if (!done) {
            failed++;
            wrong += issues.count == 0
                     || issues.items[0].kind != CEL_E_MEMORY;
        }

        cel_arena_reset(&arena);
    }

    ok(done, "with enough memory it is compiled");
    ok(failed > 10, "with less it is not (%zu limits tried)", failed);
    is_int(wrong, 0, "and says that memory was out, each time");

    for (n = 0; n < 100; n++) {
        cel_env_t  *small;

        room = n;
        small = cel_env_create(&limited, NULL);

        if (small != NULL) {
            cel_env_destroy(small);
            break;
        }
    }

    ok(n > 0 && n < 100, "an env is made with %zu allocations or not at all",
       n);
}


int
main(void)
{
    cel_env_t  *env;

    env = front_env(NULL);

    test_types(env);
    test_refused(env);
    test_container();
    test_lenient();
    test_unresolved();
    test_env();
    test_declared();
    test_annotations(env);
    test_many(env);
    test_time();
    test_memory(env);

    cel_env_destroy(env);

    return done_testing();
}
