
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What an env is told: facts with their types, functions that a host has, and
 * the container that names are looked up in.
 */


#include "front.h"


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



int
main(void)
{
    test_container();
    test_env();
    test_declared();

    return done_testing();
}
