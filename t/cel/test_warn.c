/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Warnings: what is told, where, and of what nothing is said.
 */

#include "front.h"


static cel_issues_t  warnings;


typedef struct {
    const char  *source;
    uint32_t     column;               /* 0: no warning */
    const char  *message;
} warned_t;


static const warned_t  cases[] = {

    /* literals among operands */

    { "b || true", 6, "this is always true: an operand of || is" },
    { "b && false", 6, "this is always false: an operand of && is" },
    { "b && true", 6, "the literal true says nothing beside &&" },
    { "false || b", 1, "the literal false says nothing beside ||" },
    { "true ? 1 : 2", 1, "the condition of ?: is always true" },
    { "b ? true : false", 0, NULL },
    { "true", 0, NULL },

    /* pairs of tests with && */

    { "s == 'a' && s == 'b'", 15, "this is always false" },
    { "'a' == s && b && 'b' == s", 22, "this is always false" },
    { "s == 'a' && s == 'a'", 0, NULL },
    { "s == 'a' && s != 'a'", 15, "this is always false" },
    { "s == 'a' && s != 'b'", 0, NULL },
    { "x == 1 && x > 1", 13, "this is always false" },
    { "x == 2 && x > 1", 0, NULL },
    { "x == 1 && x < 1", 13, "this is always false" },
    { "x < 3 && x == 3", 12, "this is always false" },
    { "x <= 3 && x == 3", 0, NULL },
    { "x > 5 && x < 3", 12, "this is always false" },
    { "x < 3 && 5 < x", 12, "this is always false" },
    { "x > 3 && x < 3", 12, "this is always false" },
    { "x >= 3 && x <= 3", 0, NULL },
    { "x >= 3 && x < 3", 13, "this is always false" },
    { "x > 3 && x < 5", 0, NULL },
    { "x > 3 && x > 5", 0, NULL },
    { "x == 1 && u == 2u", 0, NULL },
    { "input.a.b == 1 && input.a.b == 2", 29, "this is always false" },
    { "input.a.b == 1 && input.a.c == 2", 0, NULL },
    { "input['k'] == 1 && input['k'] == 2", 31, "this is always false" },
    { "input[0] == 1 && input[1] == 2", 0, NULL },
    { "has(input.a) && input.a == 1 && input.a == 2", 41, "always false" },
    { "input.a == 1 && input.a == 1u", 0, NULL },

    /* and with || */

    { "s != 'a' || s != 'b'", 15, "is && meant?" },
    { "s != 'a' || s == 'a'", 15, "this is always true" },
    { "s != 'a' || s == 'b'", 0, NULL },
    { "s == 'a' || s == 'b'", 0, NULL },
    { "x > 1 || x < 3", 12, "this is always true" },
    { "x >= 3 || x < 3", 13, "this is always true" },
    { "x > 3 || x < 3", 0, NULL },
    { "d > 1.0 || d < 3.0", 0, NULL },
    { "(x > 1 || b) && (x < 3 || b)", 0, NULL },
    { "!(x == 1 && x == 2)", 15, "this is always false" },

    /* the same on both sides, sizes */

    { "x == x", 3, "this is always true: both sides are the same" },
    { "x < x", 3, "this is always false: both sides are the same" },
    { "input.a != input.a", 9, "this is always false" },
    { "d == d", 0, NULL },
    { "input.a == input.b", 0, NULL },
    { "size(l) >= 0", 9, "this is always true: a size is never negative" },
    { "l.size() < 0", 10, "this is always false: a size is never" },
    { "size(l) > 0", 0, NULL },
    { "0 <= size(s)", 3, "this is always true" },
    { "size(l) == -1", 9, "this is always false" },
    { "x >= 0", 0, NULL },

    /* types */

    { "now == null", 5, "timestamp and null are never equal: this is always "
      "false" },
    { "now != null", 5, "this is always true" },
    { "w == null", 0, NULL },
    { "input == null", 0, NULL },
    { "dyn(x) == 'a'", 8, "int and string are never equal" },
    { "dyn(x) == 1.5", 0, NULL },
    { "dyn(x) == u", 0, NULL },
    { "'a' in dyn(l)", 5, "string is never in list(int)" },
    { "dyn(1) in m", 8, "int is never in map(string, int)" },
    { "1 in [1, 'a']", 0, NULL },
    { "optional.of(1) == null", 16, "are never equal" },

    /* variables */

    { "l.exists(i, b)", 3, "the variable 'i' is never used" },
    { "l.exists(_, b)", 0, NULL },
    { "l.map(_unused, 1)", 0, NULL },
    { "l.filter(i, i > 1)", 0, NULL },
    { "l.map(i, i > 1, 1)", 0, NULL },
    { "l.map(i, b, 1)", 3, "the variable 'i' is never used" },
    { "l.all(i, v, v > 1)", 0, NULL },
    { "l.all(i, l.all(j, i > 1))", 12, "the variable 'j' is never used" },
    { "l.all(i, l.all(i, i > 1))", 3, "the variable 'i' is never used" },
    { "cel.bind(q, 1, 2)", 5, "the variable 'q' is never used" },
    { "cel.bind(q, 1, q)", 0, NULL },
    { "cel.bind(q, x == x, q)", 15, "this is always true" },
    { "l.all(i, i == 1 && i == 2)", 22, "this is always false" },
    { "l.exists_one(i, i == i)", 19, "this is always true" },
    { "optional.of(x).optMap(o, o + 1)", 0, NULL },
    { "{'a': l.sortBy(e, -e)}", 0, NULL },
    { "l.transformList(i, v, v)", 0, NULL },
};


/* the warning of an expression, or that there is none */

static void
told(const warned_t *w)
{
    is_int(warnings.count, w->message != NULL ? 1 : 0, "warnings");

    if (w->message != NULL && warnings.count > 0) {
        ok(strstr(warnings.items[0].message, w->message) != NULL,
           "it says \"%s\"", warnings.items[0].message);
        is_int(warnings.items[0].column, w->column, "where");
        is_int(warnings.items[0].kind, CEL_E_WARNING, "its kind");
    }
}


static void
test_cases(cel_env_t *env)
{
    size_t    i;
    front_t   front;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        memset(&warnings, 0, sizeof(cel_issues_t));

        front_begin(&front, env, cases[i].source, strlen(cases[i].source));
        front_check(&front);

        is_int(front.status, CEL_OK, "accepted: %s", cases[i].source);
        told(&cases[i]);

        front_end(&front);
    }
}


/* what is known only when calls of constants are made */

static const warned_t  constants[] = {
    { "timestamp('yesterday') > now", 1, "this always fails: type "
      "conversion error: \"yesterday\" is no timestamp of RFC 3339" },
    { "b || duration('5 minutes') > duration('1s')", 6,
      "\"5 minutes\" is no duration like \"1.5s\"" },
    { "x / 2 == 1 / 0", 12, "this always fails: divide by zero" },
    { "cidr('10.0.0.0/33').containsIP(s)", 1, "is no network" },
    { "timestamp(s) > now", 0, NULL },
    { "duration('5m') > duration('1s')", 0, NULL },
    { "x / 0 == 1", 0, NULL },
};


static void
test_constants(cel_env_t *env)
{
    size_t          i;
    cel_issues_t    issues;
    cel_program_t  *program;

    for (i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {

        program = cel_compile(env, constants[i].source,
                              strlen(constants[i].source), &issues);

        ok(program != NULL, "compiled: %s", constants[i].source);
        told(&constants[i]);

        cel_program_destroy(program);
    }
}


/* none of an expression that is refused, none when nobody asks */

static void
test_silence(cel_env_t *env)
{
    front_t  front;

    static const char  refused[] = "(b || true) && nosuch";
    static const char  quiet[] = "b || true";

    memset(&warnings, 0, sizeof(cel_issues_t));

    front_begin(&front, env, refused, sizeof(refused) - 1);
    front_check(&front);
    ok(front.status == CEL_ERROR && warnings.total == 0,
       "an expression that is refused has errors alone");
    front_end(&front);

    cel_env_collect_warnings(env, NULL);

    front_begin(&front, env, quiet, sizeof(quiet) - 1);
    front_check(&front);
    ok(front.status == CEL_OK && warnings.total == 0, "nobody asks");
    front_end(&front);

    cel_env_collect_warnings(env, &warnings);
}


/* as many as one likes; what does not fit is counted */

static void
test_many(cel_env_t *env)
{
    char      source[20000];
    size_t    n;
    uint32_t  i;
    front_t   front;

    memset(&warnings, 0, sizeof(cel_issues_t));

    n = sprintf(source, "[x == x");

    for (i = 1; i < 1000; i++) {
        n += sprintf(source + n, ", x == x");
    }

    n += sprintf(source + n, "]");

    front_begin(&front, env, source, n);
    front_check(&front);

    ok(front.status == CEL_OK, "a thousand of them");
    is_int(warnings.count, CEL_ISSUES_MAX, "the first are kept");
    is_int(warnings.total, 1000, "all are counted");

    front_end(&front);

    /* a chain of more operands than pairs are looked at */

    memset(&warnings, 0, sizeof(cel_issues_t));

    n = sprintf(source, "x == 0");

    for (i = 1; i < 200; i++) {
        n += sprintf(source + n, " || x == %u", i);
    }

    front_begin(&front, env, source, n);
    front_check(&front);

    ok(front.status == CEL_OK && warnings.total == 0, "a long chain");

    front_end(&front);
}


int
main(void)
{
    cel_env_t  *env;

    env = front_env(NULL);
    cel_env_collect_warnings(env, &warnings);

    test_cases(env);
    test_constants(env);
    test_silence(env);
    test_many(env);

    cel_env_destroy(env);

    return done_testing();
}
