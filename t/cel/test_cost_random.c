
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The estimate against the meter with random expressions: those that compile
 * are run, and must keep to their bounds.
 */


#include "cost.h"


#define RANDOM_COUNT  6000


typedef struct {
    uint64_t      state;
    char         *pos;
    char         *end;
    unsigned      variables;
} random_t;


static unsigned
random_below(random_t *r, unsigned n)
{
    r->state = r->state * 6364136223846793005ull + 1442695040888963407ull;

    return (unsigned) (r->state >> 33) % n;
}


static void
random_put(random_t *r, const char *text)
{
    size_t  len;

    len = strlen(text);

    if (len < (size_t) (r->end - r->pos)) {
        memcpy(r->pos, text, len + 1);
        r->pos += len;
    }
}


static const char *const  random_leaves[] = {
    "1", "0", "3u", "2.5", "'a'", "'h'", "''", "b'x'", "true", "false",
    "null", "x", "s", "t", "l", "m", "input", "input.a", "input.b",
    "input.texts", "input.text", "input.deep", "input.l", "input.m",
    "m.k1", "l[0]", "[]", "{}", "int", "'text 1'", "[1, 2]",
    "{'a': 1, 'b': 'c'}", "duration('1s')", "dyn(1)", "input.none",
};

static const char *const  random_binary[] = {
    " + ", " - ", " * ", " / ", " % ", " == ", " != ", " < ", " >= ",
    " && ", " || ", " in ", ".contains(", ".startsWith(", ".matches(",
    ".split(", ".join(", ".indexOf(", ".charAt(", ".substring(",
    ".indexOf(", ".format(", ".orValue(", ".or(",
    ".join(input.texts) + s.join(", ".replace(s, ", ".lastIndexOf(",
};

static const char *const  random_unary[] = {
    "size(", "string(", "int(", "type(", "dyn(", "!(", "-(", "double(",
    "bool(", "bytes(", "[", "{'k': ", "strings.quote(",
    "optional.of(", "optional.ofNonZeroValue(", "[?", "{?'k': ",
    "math.greatest(", "math.sqrt(", "base64.encode(", "hex.encode(",
    "base64.decode(", "lists.range(", "sets.contains(input.texts, ",
    "isIP(", "[ip('::1'), cidr('1.0.0.0/8')].map(v, ",
    "sets.equivalent([s, s], ", "sets.intersects(l, ",
    "regex.extract(s, ", "regex.extractAll(s, ", "regex.replace(s, '.', ",
    "regex.replace(t, '(h?)', ", "s.find(", "t.findAll(",
    "isURL('/' + ", "url('/?' + ", "url('http://h/' + ", "quantity('1' + ",
    "google.protobuf.ListValue{values: [", "google.protobuf.Struct{fields: ",
    "google.protobuf.ListValue{values: ",
    "google.protobuf.ListValue{values: [{'t': timestamp(x), 'b': b'x', 'c': ",
    "google.protobuf.Value{list_value: [9007199254740993, [b'h', ",
    "google.protobuf.Any{type_url: 'a/google.protobuf.ListValue', value: ",
    "google.protobuf.Any{type_url: 'a/google.protobuf.BytesValue', value: ",
    "semver('1.0.0-' + ", "isSemver(", "format.dns1123Label().validate(",
    "format.uri().validate(", "format.qualifiedName().validate(",
    "quantity('1').add(", "url(s) == url('http:' + ",
};

static const char *const  random_methods[] = {
    ".upperAscii()", ".trim()", ".reverse()", ".size()", ".join()",
    ".split('')", ".split('e')", ".replace('t', 'tt')",
    ".replace('', s)", ".replace('h', s, 5)", ".lowerAscii()",
    ".transformList(i, w, [i, w])", ".transformMap(k, w, [w, w])",
    ".transformMapEntry(k, w, {k: w, string(w): s})",
    ".optMap(o, [o, o])", ".optFlatMap(o, optional.of(o))", ".orValue(s)",
    ".value()", ".hasValue()", ".or(optional.of(t))", ".?k1", ".?k.k", "[?0]",
    "[?'text']", ".slice(0, 1)", ".flatten()", ".flatten(9)", ".distinct()",
    ".reverse()", ".first()", ".last()", ".sort()", ".sortBy(i, i)",
    ".sortBy(i, [s, t].size())", ".isSorted()", ".min()", ".max()",
    ".sum()", ".indexOf(t)", ".lastIndexOf(s)", ".includes(t)",
    ".join('a separator of forty bytes and some more')",
    ".map(w, string(w)).join(s)", ".map(w, '%b %s %x'.format([w, w, w]))",
    ".map(w, '%f|%e|%d'.format([w, w, w]))", ".format([x, 2.5, 3u, b'a'])",
    ".transformList(i, w, '%b%.9f'.format([i, double(i)]))",
    ".find('[a-h]+')", ".findAll('')", ".findAll('t.*x|t')",
    ".findAll('h', 9)", ".getQuery()", ".getHost()", ".getEscapedPath()",
    ".major()", ".asInteger()", ".asApproximateFloat()",
    ".add(quantity('1'))", ".compareTo(quantity('1Ki'))",
};

static const char *const  random_macros[] = {
    "all", "exists", "exists_one", "map", "filter",
};


/* puts what ends the brackets that are open in the text */

static void
random_close(random_t *r, const char *text)
{
    char         open[16];
    size_t       n;
    const char  *p, *closing;

    n = sizeof(open) - 1;
    open[n] = '\0';

    for (p = text; *p != '\0'; p++) {
        closing = strchr("()[]{}", *p);

        if (closing == NULL) {
            continue;
        }

        if (closing[1] != '\0' && strchr("([{", *p) != NULL) {
            open[--n] = closing[1];

        } else {
            n++;
        }
    }

    random_put(r, &open[n]);
}


static void
random_expression(random_t *r, unsigned depth)
{
    char      name[16];
    unsigned  i;

    if (depth == 0) {
        i = random_below(r, sizeof(random_leaves) / sizeof(random_leaves[0])
                            + 3 * r->variables);

        if (i < sizeof(random_leaves) / sizeof(random_leaves[0])) {
            random_put(r, random_leaves[i]);
            return;
        }

        snprintf(name, sizeof(name), "v%u", i % r->variables);
        random_put(r, name);
        return;
    }

    switch (random_below(r, 10)) {

    case 0:
    case 1:
    case 2:
        i = random_below(r, sizeof(random_binary) / sizeof(random_binary[0]));
        random_put(r, "(");
        random_expression(r, depth - 1);
        random_put(r, random_binary[i]);
        random_expression(r, random_below(r, depth));
        random_put(r, random_binary[i][0] == '.' ? "))" : ")");
        return;

    case 3:
        i = random_below(r, sizeof(random_unary) / sizeof(random_unary[0]));
        random_put(r, random_unary[i]);
        random_expression(r, depth - 1);
        random_close(r, random_unary[i]);
        return;

    case 4:
        random_put(r, "(");
        random_expression(r, random_below(r, depth));
        random_put(r, " ? ");
        random_expression(r, depth - 1);
        random_put(r, " : ");
        random_expression(r, depth - 1);
        random_put(r, ")");
        return;

    case 5:
    case 6:
        random_put(r, "(");
        random_expression(r, random_below(r, depth));
        snprintf(name, sizeof(name), ").%s(v%u, ",
                 random_macros[random_below(r, 5)], r->variables);
        random_put(r, name);
        r->variables++;
        random_expression(r, depth - 1);
        r->variables--;
        random_put(r, ")");
        return;

    case 7:
    case 8:
        random_put(r, "(");
        random_expression(r, depth - 1);
        random_put(r, ")");
        random_put(r, random_methods[random_below(r, sizeof(random_methods)
                                              / sizeof(random_methods[0]))]);
        return;

    default:
        random_put(r, "[");
        random_expression(r, depth - 1);
        random_put(r, ", ");
        random_expression(r, random_below(r, depth));
        random_put(r, "]");
    }
}


static uint32_t
test_random(world_t *world, uint64_t seed)
{
    char      source[8000], worst[8000];
    uint32_t  i, compiled, values, over, under;
    spent_t   spent;
    random_t  r;

    r.state = seed;
    compiled = 0;
    values = 0;
    over = 0;
    under = 0;
    worst[0] = '\0';

    for (i = 0; i < RANDOM_COUNT; i++) {
        r.pos = source;
        r.end = source + sizeof(source);
        r.variables = 0;
        source[0] = '\0';

        random_expression(&r, 1 + random_below(&r, 4));
        spend(world, source, &spent);

        compiled += spent.compiled;
        values += spent.value;

        if (spent.cost > spent.max) {
            over++;
            snprintf(worst, sizeof(worst), "%s", source);
        }

        if (spent.value && spent.cost < spent.min) {
            under++;
            snprintf(worst, sizeof(worst), "%s", source);
        }
    }

    ok(compiled > RANDOM_COUNT / 10, "of %u random expressions %u compile",
       RANDOM_COUNT, compiled);
    ok(values > RANDOM_COUNT / 20, "%u of them give a value", values);
    is_int(over, 0, "none costs more than was said");
    is_int(under, 0, "none costs less than the least");

    if (worst[0] != '\0') {
        printf("# %s\n", worst);
    }

    return compiled;
}


int
main(int argc, char **argv)
{
    long      i, programs;
    world_t   world;

    world_begin(&world, 40, false);
    test_random(&world, 1);
    world_end(&world);

    world_begin(&world, 0, false);
    test_random(&world, 2);
    world_end(&world);

    world_begin(&world, 5, true);
    test_random(&world, 3);
    world_end(&world);

    /* as many further programs as an argument says */

    programs = 0;

    for (i = 0; argc > 1 && programs < atol(argv[1]); i++) {
        world_begin(&world, i % 7, i % 3 == 2);
        programs += test_random(&world, 1000 + i);
        world_end(&world);
    }

    if (argc > 1) {
        ok(programs >= atol(argv[1]), "%ld programs", programs);
    }

    return done_testing();
}
