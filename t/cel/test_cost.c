/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The estimate against the meter: whatever an expression does, it costs no
 * more than was said before, and no less than the least.
 */

#include "front.h"
#include "cel_poly.h"


#define HEADER_BYTES  600
#define RANDOM_COUNT  6000


enum { FACT_X, FACT_S, FACT_T, FACT_L, FACT_M, FACT_INPUT, FACTS };


typedef struct {
    cel_env_t          *env;
    cel_json_parser_t  *parser;
    cel_json_t         *body;
    cel_value_t         values[FACTS];
    cel_sizes_t         sizes;
    char                header[HEADER_BYTES + 1];
} world_t;


static cel_env_t *
world_env(bool unchecked)
{
    cel_env_t     *env;
    cel_limits_t   limits;

    memset(&limits, 0, sizeof(limits));
    limits.disable_check = unchecked;

    env = cel_env_create(&cel_allocator_libc, &limits);

    cel_env_declare(env, "x", "int", FACT_X, CEL_SIZE_SMALL, 0);
    cel_env_declare(env, "s", "string", FACT_S, CEL_SIZE_HEADERS, 0);
    cel_env_declare(env, "t", "string", FACT_T, CEL_SIZE_SMALL, 0);
    cel_env_declare(env, "l", "list(int)", FACT_L, CEL_SIZE_BODY, 0);
    cel_env_declare(env, "m", "map(string, dyn)", FACT_M, CEL_SIZE_BODY, 0);
    cel_env_declare(env, "input", "dyn", FACT_INPUT, CEL_SIZE_BODY, 0);

    return env;
}


/* {"l": [...], "m": {...}, "texts": [...], "deep": [[..]], "text": "..."} */

static char *
world_body(uint32_t n)
{
    char      *text;
    FILE      *out;
    size_t     len;
    uint32_t   i;

    out = open_memstream(&text, &len);
    if (out == NULL) {
        abort();
    }

    fputs("{\"a\":1,\"b\":true,\"l\":[", out);

    for (i = 0; i < n; i++) {
        fprintf(out, "%s%u", i > 0 ? "," : "", i % 10);
    }

    fputs("],\"m\":{", out);

    for (i = 0; i < n; i++) {
        fprintf(out, "%s\"k%u\":%u", i > 0 ? "," : "", i, i);
    }

    fputs("},\"texts\":[", out);

    for (i = 0; i < n; i++) {
        fprintf(out, "%s\"text %u\"", i > 0 ? "," : "", i);
    }

    fputs("],\"deep\":[", out);

    for (i = 0; i < n; i++) {
        fprintf(out, "%s[[],[%u]]", i > 0 ? "," : "", i);
    }

    fputs("],\"text\":\"", out);

    for (i = 0; i < n; i++) {
        fputs("abcdefghij", out);
    }

    fputs("\"}", out);

    if (fclose(out) != 0) {
        abort();
    }

    return text;
}


static void
world_begin(world_t *world, uint32_t n, bool unchecked)
{
    char         *text;
    size_t        len;
    cel_eval_t    eval;
    cel_error_t   error;

    memset(world, 0, sizeof(world_t));
    memset(&eval, 0, sizeof(eval));

    world->env = world_env(unchecked);
    world->parser = cel_json_parser_create();

    text = world_body(n);
    len = strlen(text);
    world->body = cel_json_parse(world->parser, text, len, NULL, &error);
    free(text);

    ok(world->body != NULL, "a body of %zu bytes is parsed", len);

    memset(world->header, 'h', HEADER_BYTES);

    world->sizes.bytes[CEL_SIZE_HEADERS] = HEADER_BYTES;
    world->sizes.bytes[CEL_SIZE_BODY] = len;

    world->values[FACT_X] = cel_int(3);
    world->values[FACT_S] = cel_string(world->header, HEADER_BYTES);
    world->values[FACT_T] = cel_string("text 7", 6);
    world->values[FACT_INPUT] = cel_json_root(world->body);

    cel_get(&eval, &world->values[FACT_INPUT], "l", 1,
            &world->values[FACT_L]);
    cel_get(&eval, &world->values[FACT_INPUT], "m", 1,
            &world->values[FACT_M]);
}


static void
world_end(world_t *world)
{
    cel_json_destroy(world->body);
    cel_json_parser_destroy(world->parser);
    cel_env_destroy(world->env);
}


typedef struct {
    bool           compiled;
    bool           value;
    bool           unbounded;
    uint64_t       max;
    uint64_t       min;
    uint64_t       cost;
} spent_t;


static void
spend(world_t *world, const char *source, spent_t *spent)
{
    cel_eval_t      eval;
    cel_value_t     facts[FACTS], value;
    cel_arena_t     arena;
    cel_issues_t    issues;
    cel_program_t  *program;

    memset(spent, 0, sizeof(spent_t));

    program = cel_compile(world->env, source, strlen(source), &issues);
    if (program == NULL) {
        return;
    }

    memset(&eval, 0, sizeof(eval));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 64 << 20);

    eval.arena = &arena;
    eval.facts = facts;
    eval.nfacts = FACTS;
    eval.cost_limit = 5000000;
    cel_eval_init(&eval);
    memcpy(facts, world->values, sizeof(facts));

    spent->compiled = true;
    spent->max = cel_program_cost_max(program, &world->sizes);
    spent->min = cel_program_cost_min(program);
    spent->unbounded = spent->max == CEL_COST_MAX;
    spent->value = cel_eval(program, &eval, &value) == CEL_OK;
    spent->cost = eval.cost;

    cel_program_destroy(program);
    cel_arena_reset(&arena);
}


/*
 * at_most: the estimate is no further off than this many times.  It is close
 * where headers and constants decide; what a loop over a part of the body
 * takes is bounded by the whole body.
 */

static const struct {
    const char  *source;
    unsigned     at_most;
} bounds[] = {
    { "true", 1 },
    { "x == 3", 2 },
    { "s == 'GET'", 3 },
    { "s == 'GET' || s == 'PUT'", 3 },
    { "s.startsWith('/api/') && t in ['a', 'b', 'c']", 8 },
    { "s == s", 4 },
    { "input.a == 1 && input.text != 'b'", 3 },
    { "input.a <= 5", 60 },
    { "s + s == 'a'", 4 },
    { "size(s) > 3", 4 },
    { "s.contains('x')", 4 },
    { "l.exists(i, i == 99)", 100 },
    { "l.all(i, i >= 0)", 100 },
    { "l.map(i, i * 2).filter(i, i > 3).size() > 0", 100 },
    { "input.texts.exists(i, i == t)", 1000 },
    { "t in input.texts", 300 },
    { "m.exists(k, m[k] == 1000)", 100 },
    { "[1, 2, 3].all(i, i < x + 4)", 3 },
    { "[s, s].map(i, i + t)", 3 },
    { "input == input", 5 },
    { "input.deep.all(i, i.all(j, j.size() < 2))", 200 },
    { "l.map(i, l.map(j, i + j)).size() == 0", 5000 },
    { "s.matches('h+')", 4 },
    { "input.texts.all(i, i.matches('[a-z]+ [0-9]+'))", 40 },
    { "input.texts.all(i, i.contains('x') || i.size() < 100)", 200 },
    { "input.deep.all(i, i.all(j, j.all(k, k < 99)))", 200 },
    { "input.texts.map(i, i + 'x').all(i, i.startsWith('text'))", 200 },
    { "cel.bind(v, s + s, v + v == v)", 4 },
    { "x > 1 ? s + s + s : t", 4 },
    { "{'a': s, 'b': [s, t]}", 3 },
    { "m.transformMap(k, v, [v, v])", 100 },
    { "l.transformMapEntry(i, v, {i: v, i + 100000: v})", 100 },
    { "string(x) + string(x)", 4 },
    { "l.map(i, string(i))", 100 },
    { "google.protobuf.Struct{fields: m} == {}", 100 },
    { "google.protobuf.ListValue{values: input.texts}.size() > 0", 300 },
    { "google.protobuf.ListValue{values: [bytes(s), timestamp(x), b'a']}"
      ".map(v, v + string(v)).size() > 0", 10 },
    { "google.protobuf.Struct{fields: {s: 9007199254740992 + x, 'a': "
      "[18446744073709551615u, duration('1s')]}}.map(k, k + k) == []", 10 },
    { "google.protobuf.Any{type_url: 'a/google.protobuf.BytesValue', "
      "value: bytes('\\n\\u007F' + s.substring(0, 127))}.size() > 0", 20 },
    { "google.protobuf.Any{type_url: 'a/google.protobuf.ListValue', "
      "value: bytes(['\\n', '\\n'].map(v, v + '\\u0000').join(''))}"
      ".map(v, [v, v]) == [[null, null], [null, null]]", 100 },
    { "m.?k1.optMap(v, v + 1).orValue(7)", 60 },
    { "[?input.?none, ?m[?'k1']]", 300 },
    { "l.sort().size() > 0", 800 },
    { "input.texts.sortBy(i, i).size() > 0", 800 },
    { "l.distinct().size() > 0", 20000 },
    { "sets.contains(input.texts, [t])", 1000 },
    { "input.deep.flatten().size() > 0", 100 },
    { "(dyn([s, t])).isSorted()", 3 },
    { "l.slice(0, 3).reverse().sum() > 0", 100 },
    { "isIP(s) || isCIDR(s)", 3 },
    { "cidr('10.0.0.0/8').containsIP('10.1.' + string(x) + '.1')", 5 },
    { "ip('10.0.0.1') == ip('::1')", 20 },
    { "lists.range(x).all(i, i < 9)", 20000 },
    { "[t, t, t, t, t, t].join('a separator of more than thirty-two bytes "
      "and of more than sixty-four bytes, too').size() > 0", 400 },
    { "'%b%b%b'.format([x - 4, -1, -1]).size() > 0", 100 },
    { "'%f%f'.format([1.0e300 * double(x), -1.0e300]).size() > 0", 100 },
    { "'%.99f'.format([1.0e300 * double(x)]).size() > 0", 100 },
    { "'%s'.format([[1.0e300 * double(x), 2.5, [3.5]]]).size() > 0", 100 },
};


static void
test_bounds(world_t *world)
{
    size_t   i;
    spent_t  spent;

    for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        spend(world, bounds[i].source, &spent);

        ok(spent.compiled && spent.value, "%s gives a value",
           bounds[i].source);
        ok(spent.cost <= spent.max, "it costs %llu, said %llu",
           (unsigned long long) spent.cost, (unsigned long long) spent.max);
        ok(spent.min <= spent.cost, "and no less than %llu",
           (unsigned long long) spent.min);
        ok(spent.max <= spent.cost * bounds[i].at_most,
           "which is not %u times too much, but %.1f", bounds[i].at_most,
           (double) spent.max / (double) spent.cost);
    }
}


static void
test_unbounded(world_t *world)
{
    spent_t  spent;

    spend(world, "l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d < 0))))",
          &spent);
    ok(spent.unbounded, "four loops over the body have no useful bound");

    spend(world, "l.all(a, l.all(b, l.all(c, a + b + c < 0)))", &spent);
    ok(spent.compiled && !spent.unbounded, "three have");
}


/* Random expressions: what compiles is run, and must keep to its bounds. */

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


static void
test_poly(void)
{
    cel_poly_t   p, q;
    cel_sizes_t  sizes;

    memset(&sizes, 0, sizeof(sizes));
    sizes.bytes[CEL_SIZE_HEADERS] = 100;
    sizes.bytes[CEL_SIZE_BODY] = 1000;

    cel_poly_set_class(&p, CEL_SIZE_HEADERS, 5, 1);
    is_int(cel_poly_at(&p, &sizes), 105, "5 + h");

    cel_poly_scale(&p, 1, 4);
    is_int(cel_poly_at(&p, &sizes), 8, "a sixteenth of it, rounded up");

    cel_poly_set_class(&p, CEL_SIZE_HEADERS, 5, 1);
    cel_poly_set_class(&q, CEL_SIZE_BODY, 2, 3);
    cel_poly_multiply(&p, &q);
    is_int(cel_poly_at(&p, &sizes), 105 * 3002, "(5 + h) * (2 + 3b)");

    cel_poly_max(&p, &q);
    is_int(cel_poly_at(&p, &sizes), 105 * 3002, "the larger of both");

    cel_poly_multiply(&p, &p);
    cel_poly_multiply(&p, &p);
    is_int(cel_poly_at(&p, &sizes) == CEL_COST_MAX, 1,
           "beyond the degree there is no bound");

    cel_poly_set_class(&p, CEL_SIZE_BODY, UINT64_MAX, 1);
    cel_poly_add_constant(&p, 7);
    is_int(cel_poly_at(&p, &sizes) == CEL_COST_MAX, 1, "sums saturate");

    cel_poly_set_class(&p, CEL_SIZE_BODY, 0, 1);
    sizes.bytes[CEL_SIZE_BODY] = UINT64_MAX;
    cel_poly_multiply(&p, &p);
    is_int(cel_poly_at(&p, &sizes) == CEL_COST_MAX, 1, "products, too");

    sizes.bytes[CEL_SIZE_BODY] = 0;
    is_int(cel_poly_at(&p, &sizes), 0, "nothing costs nothing");
}


int
main(int argc, char **argv)
{
    long      i, programs;
    world_t   world;

    test_poly();

    world_begin(&world, 40, false);
    test_bounds(&world);
    test_unbounded(&world);
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
