
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The estimate against the meter: whatever an expression does, it costs no
 * more than was said before, and no less than the least.  Here are expressions
 * of which it is known how close the estimate is; random ones are in
 * test_cost_random.c.
 */


#include "cost.h"
#include "cel_poly.h"


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
main(void)
{
    world_t  world;

    test_poly();

    world_begin(&world, 40, false);
    test_bounds(&world);
    test_unbounded(&world);
    world_end(&world);

    return done_testing();
}
