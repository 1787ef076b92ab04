
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Names, types, overloads: what an expression is found to be, and what is
 * said when it is nothing.
 */


#include "front.h"


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
                 "'(int, string)', "
      "convert one side, as in int('...') or string(x)" },
    { "'a'[1]", "1:4: found no matching overload for '_[_]' applied to "
      "'(string, int)'" },
    { "1 + 1.0", "1:3: found no matching overload for '_+_' applied to "
                 "'(int, double)', convert one side, as in double(x)" },
    { "1 == 'a'", "1:3: found no matching overload for '_==_' applied to "
                  "'(int, string)', "
      "convert one side, as in int('...')" },
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



int
main(void)
{
    cel_env_t  *env;

    env = front_env(NULL);

    test_types(env);
    test_refused(env);
    test_annotations(env);
    test_many(env);

    cel_env_destroy(env);

    return done_testing();
}
