
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Random documents: rules in rules, variables, conditions that have parts in
 * common, comparisons with constants of every kind, and much that fails.
 */


#ifndef RANDOM_DOCUMENT_H_INCLUDED
#define RANDOM_DOCUMENT_H_INCLUDED


#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"


static uint32_t
pick(uint32_t n)
{
    return (uint32_t) (next() >> 33) % n;
}


/* The document. */

typedef struct {
    char                 *text;
    size_t                len;
    size_t                room;
    uint32_t              variables;    /* names of all rules together */
    uint32_t              matches;
    uint32_t              templates[4];
} document_t;


static void
add(document_t *d, const char *fmt, ...)
{
    int      n;
    va_list  args;

    if (d->room - d->len < 4096) {
        d->room = 2 * d->room + 8192;
        d->text = realloc(d->text, d->room);
    }

    va_start(args, fmt);
    n = vsnprintf(d->text + d->len, d->room - d->len, fmt, args);
    va_end(args);

    d->len += n;
}


/* by type: string, int, bool, dyn; what fails, and what is not there, too */

static const char *const  strings[] = {
    "request.method", "request.path", "request.headers['x-a']",
    "request.headers['x-b']", "request.headers['nope']", "request.headers.x",
    "request.args['a']", "request.args['twice']", "request.query",
    "request.headers[?'x-c'].orValue('none')", "request.host",
    "request.path.substring(1)", "string(request.size)",
    "request.headers['x-a'].split(',')[1]"
};

static const char *const  ints[] = {
    "source.port", "request.size", "destination.port", "size(request.path)",
    "int(request.headers['x-b'])", "size(request.headers)",
    "request.size + 1", "request.size / (source.port - 2)"
};

static const char *const  bools[] = {
    "connection.mtls", "has(input.a)", "'x-a' in request.headers",
    "request.path.startsWith('/a')", "request.path.matches('^/[a-c]+$')",
    "input.l.exists(x, x == 3)", "input.l.all(y, y > 1)",
    "request.headers['x-a'].contains('b')", "has(input.b.c)",
    "int(request.headers['x-a']) > 2", "cel.bind(z, input.n, z > 1)"
};

static const char *const  dyns[] = {
    "input.a", "input.n", "input.b.c", "input['a']", "input.l[1]", "input.m",
    "input", "dyn(input.n + 1)", "input.b[input.a]", "input.s.t.u",
    "dyn(subject.id)"
};


#define one_of(array)  (array)[pick(sizeof(array) / sizeof((array)[0]))]


static void
add_string(document_t *d)
{
    static const char *const  values[] = {
        "a", "b", "c", "", "GET", "POST", "/a", "/b", "/ab", "1", "2", "3",
        "none", "a long value of a header, longer than a unit of bytes", "é"
    };

    add(d, "'%s'", one_of(values));
}


static void
add_int(document_t *d)
{
    static const char *const  values[] = {
        "0", "1", "2", "3", "-1", "9007199254740992", "9007199254740993",
        "9223372036854775807", "80", "0x2"
    };

    add(d, "%s", one_of(values));
}


static void
add_constant(document_t *d, uint32_t type)
{
    static const char *const  others[] = {
        "2u", "1u", "true", "false", "2.0", "1.5", "null", "b'a'",
        "9007199254740993u", "-0.0", "[2]", "duration('1s')"
    };

    switch (type) {

    case 0:
        add_string(d);
        break;

    case 1:
        add_int(d);
        break;

    case 2:
        add(d, pick(2) ? "true" : "false");
        break;

    default:
        switch (pick(3)) {

        case 0:
            add_string(d);
            break;

        case 1:
            add_int(d);
            break;

        default:
            add(d, "%s", one_of(others));
        }
    }
}


/* Numbers of those below that seldom fail: a rule begins with them. */

static const uint32_t  calm[] = {
    5 * 0, 5 * 1, 5 * 2, 5 * 8, 5 * 9, 5 * 10, 5 * 12,
    5 * 0 + 1, 5 * 1 + 1, 5 * 2 + 1, 5 * 3 + 1, 5 * 5 + 1, 5 * 6 + 1,
    5 * 0 + 2, 5 * 1 + 2, 5 * 2 + 2, 5 * 3 + 2, 5 * 4 + 2, 5 * 8 + 2,
    5 * 1 + 3, 5 * 2 + 3, 5 * 6 + 3, 4, 9, 14
};


/* template: what to compare, so that rules have it in common */

static const char *
subject(uint32_t template, uint32_t *type)
{
    uint32_t     i;
    static char  name[32];

    *type = template % 5;
    i = template / 5;

    switch (*type) {

    case 0:
        return strings[i % (sizeof(strings) / sizeof(strings[0]))];

    case 1:
        return ints[i % (sizeof(ints) / sizeof(ints[0]))];

    case 2:
        return bools[i % (sizeof(bools) / sizeof(bools[0]))];

    case 3:
        return dyns[i % (sizeof(dyns) / sizeof(dyns[0]))];

    default:
        *type = 3;
        snprintf(name, sizeof(name), "variables.v%u", i % 4);
        return name;
    }
}


static void
add_test(document_t *d, uint32_t template)
{
    uint32_t     i, n, type;
    const char  *s;

    s = subject(template, &type);

    if (type == 2 && pick(3)) {
        add(d, "%s%s", pick(3) ? "" : "!", s);
        return;
    }

    if (template % 5 == 4 && pick(8) == 0) {
        add(d, "%s%s", pick(2) ? "" : "!", s);
        return;
    }

    switch (pick(8)) {

    case 0:
        add_constant(d, type);
        add(d, " == %s", s);
        break;

    case 1:
        add(d, "%s in [", s);
        n = pick(4) + 1;

        for (i = 0; i < n; i++) {
            add(d, i ? ", " : "");
            add_constant(d, type);
        }

        add(d, "]");
        break;

    case 2:
        add(d, "(%s == ", s);
        add_constant(d, type);
        add(d, " || %s == ", s);
        add_constant(d, type);
        add(d, ")");
        break;

    case 3:
        if (pick(3) == 0) {
            add(d, "%s != ", s);
            add_constant(d, type);
            break;
        }

        /* fall through */

    default:
        add(d, "%s%s == ", pick(12) ? "" : " ", s);
        add_constant(d, type);
    }
}


static void
add_condition(document_t *d)
{
    uint32_t  i, n, first;

    n = pick(3) + 1;
    first = pick(4);

    for (i = 0; i < n; i++) {

        add(d, i ? (pick(12) ? " && " : " || ") : "");

        if (pick(30) == 0) {
            add_test(d, pick(1000));

        } else {
            add_test(d, d->templates[pick(3) ? (first + i) % 4 : pick(4)]);
        }
    }

    if (pick(20) == 0) {
        add(d, " ? true : ");
        add_test(d, d->templates[pick(4)]);
    }
}


/* open: it may end without a result, and does not say so by its type */

static void
add_rule(document_t *d, uint32_t depth, bool open)
{
    bool      always;
    uint32_t  i, n;

    add(d, "{");

    if (depth == 0 || pick(3) == 0) {
        add(d, "\"variables\": [");

        for (i = 0; i < 4; i++) {
            add(d, "%s{\"name\": \"v%u\", \"expression\": \"dyn(%s)\"}",
                i ? ", " : "", i, pick(2) ? one_of(dyns) : one_of(strings));
        }

        add(d, "], ");
    }

    add(d, "\"match\": [");

    n = depth == 0 ? pick(pick(4) ? 60 : 8) + 1 : pick(16) + 1;

    for (i = 0; i < n; i++) {
        add(d, "%s\n{", i ? "," : "");

        d->matches++;

        if (pick(12) == 0 && depth < 3 && d->matches < 150) {

            always = pick(3) == 0;

            if (!always) {
                add(d, "\"condition\": \"");
                add_condition(d);
                add(d, "\", ");
            }

            add(d, "\"rule\": ");
            add_rule(d, depth + 1, always);

        } else {
            if (open || i != n - 1 || pick(3)) {
                add(d, "\"condition\": \"");
                add_condition(d);
                add(d, "\", ");
            }

            add(d, "\"output\": ");

            switch (pick(8)) {

            case 0:
                add(d, "\"string(input.a)\"");
                break;

            default:
                add(d, "\"'R%u'\"", d->matches);
            }
        }

        add(d, "}");
    }

    add(d, "]}");
}


static void
make_document(document_t *d)
{
    uint32_t  i;

    d->len = 0;
    d->matches = 0;

    for (i = 0; i < 4; i++) {
        d->templates[i] = pick(4) ? one_of(calm) : pick(1000);
    }

    add(d, "{\"name\": \"random\", \"rule\": ");
    add_rule(d, 0, false);
    add(d, "}");
}


#endif /* RANDOM_DOCUMENT_H_INCLUDED */
