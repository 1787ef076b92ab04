/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Expressions with bytes changed, cut, doubled and mixed: each is compiled or
 * refused with a place inside the source, and nothing worse.  A number as
 * argument makes it run that many rounds, a second one is the seed.
 */

#include "front.h"


#define ROUNDS  20000


static const char *const  seeds[] = {
    "request.headers['x-org'] == request.path.split('/')[2] && x in [1, 2]",
    "input.policy.type != 'ACCESS' ? {'outcome': 'DENY', 'status': 403} : {}",
    "l.exists(i, i > 3 && l.all(j, j < i || j == 1)) || !b",
    "l.map(i, i % 2 == 0, string(i)).filter(s, s.size() < 3u)",
    "m.transformMap(k, v, v > 0, [k, v]).exists(k, w, k == w[0])",
    "cel.bind(v, x + 1, v * v) - -9223372036854775808 / 7",
    "'value %d is over'.format([input.value]) + r'\\d+' + '''a\nb'''",
    "timestamp('2024-01-01T00:00:00Z') + duration('1h30m') > now",
    "has(input.a.b) && has(m.k) ? input.a.b[0].c.`d-e` : dyn(null)",
    "b'\\x00\\377' == bytes('\\u00e9\\U0001F431') // comment\n",
    "nginx.var('uri1').matches('^/api/[a-z]{1,3}(/.*)?$')",
    ".request.path.startsWith(.request.path) == true && 1.5e3 < .5",
    "google.protobuf.Timestamp == type(now) ? a.M{f: 1} : {1: 2, 'a': 3,}",
    "[[[[{{[[((1))]]: 2}: 3}]]]] != [,]",
    "1 + 2 * 3 - 4 / 5 % 6 < 7 == true ? 8 : 9 in [10, 11] ? 12 : 13",
    "((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))",
    "input.all(a, a.all(b, b.all(c, c.all(d, d == a + b + c))))",
    "a && b || c && d || e && f && g || !h || i || j || k && l && m",
};


static uint64_t  state;


static uint32_t
below(uint32_t n)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;

    return n == 0 ? 0 : (uint32_t) (state >> 33) % n;
}


/* up to size bytes into text, from one or two seeds */

static size_t
mutate(char *text, size_t size)
{
    size_t       len, at, n;
    uint32_t     i;
    const char  *seed;

    static const char  alphabet[] =
        "()[]{}.,:?!&|<>=+-*/%'\"\\`abrxuU0123456789_ \n\t\x80\xc3\xff\xf0";

    seed = seeds[below(sizeof(seeds) / sizeof(seeds[0]))];
    len = strlen(seed);
    memcpy(text, seed, len);

    for (i = 1 + below(6); i > 0; i--) {
        at = below(len + 1);

        switch (below(6)) {

        case 0:
            if (at < len) {
                text[at] = alphabet[below(sizeof(alphabet) - 1)];
            }

            break;

        case 1:
            n = below(len - at + 1);
            memmove(text + at, text + at + n, len - at - n);
            len -= n;
            break;

        case 2:
            n = below(len - at + 1);

            if (len + n <= size) {
                memmove(text + at + n, text + at, len - at);
                len += n;
            }

            break;

        case 3:
            seed = seeds[below(sizeof(seeds) / sizeof(seeds[0]))];
            n = below(strlen(seed));

            if (len + n <= size) {
                memmove(text + at + n, text + at, len - at);
                memcpy(text + at, seed + below(strlen(seed) - n), n);
                len += n;
            }

            break;

        case 4:
            if (len < size) {
                memmove(text + at + 1, text + at, len - at);
                text[at] = alphabet[below(sizeof(alphabet) - 1)];
                len++;
            }

            break;

        default:
            if (at < len && below(20) == 0) {
                text[at] = (char) below(256);
            }
        }
    }

    return len;
}


static bool
issues_hold(const cel_issues_t *issues, const char *source, size_t len)
{
    char      text[600];
    size_t    n;
    uint32_t  i;

    if (issues->count == 0 || issues->total < issues->count) {
        return false;
    }

    for (i = 0; i < issues->count; i++) {

        if (issues->items[i].offset > len || issues->items[i].line == 0
            || issues->items[i].column == 0
            || issues->items[i].message[0] == '\0'
            || (i > 0 && issues->items[i].offset
                         < issues->items[i - 1].offset))
        {
            return false;
        }

        n = cel_error_format(&issues->items[i], "x", source, len, text,
                             sizeof(text));
        if (n != strlen(text)) {
            return false;
        }
    }

    return true;
}


int
main(int argc, char **argv)
{
    char            text[4000], *source;
    size_t          len;
    cel_env_t      *checked, *lenient;
    uint32_t        i, rounds, compiled, wrong;
    cel_limits_t    limits;
    cel_issues_t    issues;
    cel_program_t  *program;

    rounds = argc > 1 ? (uint32_t) atol(argv[1]) : ROUNDS;
    state = argc > 2 ? (uint64_t) atol(argv[2]) : 1;

    memset(&limits, 0, sizeof(limits));
    checked = front_env(&limits);
    limits.disable_check = true;
    limits.container = "com.example";
    lenient = front_env(&limits);

    compiled = 0;
    wrong = 0;

    for (i = 0; i < rounds; i++) {
        len = mutate(text, sizeof(text));

        /* the exact size, so that a byte read behind it is found */

        source = malloc(len > 0 ? len : 1);
        memcpy(source, text, len);

        program = cel_compile(below(4) == 0 ? lenient : checked, source, len,
                              &issues);

        if (program != NULL) {
            compiled++;
            cel_program_destroy(program);

        } else if (!issues_hold(&issues, source, len)) {
            wrong++;
            printf("# no issue, or a wrong one: %.*s\n", (int) len, source);
        }

        free(source);
    }

    ok(compiled > rounds / 50, "of %u expressions %u are compiled", rounds,
       compiled);
    is_int(wrong, 0, "all others are refused with a place and a message");

    cel_env_destroy(checked);
    cel_env_destroy(lenient);

    return done_testing();
}
