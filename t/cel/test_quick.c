
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Programs of one comparison have a short way of their own.  Each is compared
 * with a program that has none, as its other operand is a fact, and with itself
 * when that way is closed: the value, the error, the units, the limits have to
 * be the same.
 */


#include "back.h"
#include "cel_program.h"


static const char *const  values[] = {
    "''", "'a'", "'b'", "'ab'", "'ba'", "'abc'", "'abd'", "'aac'", "'abcd'",
    "'abcde'", "'abcdf'", "'bbcde'", "'abcdefg'", "'abcdefgh'",
    "'abcdefgi'", "'abcdefghi'", "'abcdefghj'", "'abcdefghijklmnop'",
    "'abcdefghijklmnoq'", "'abcdefghijklmnopq'", "'abcdefghijklmnopr'",
    "'abcdefghijklmnopqrstuvwxyz01234'", "'abcdefghijklmnopqrstuvwxyz012345'",
    "'abcdefghijklmnopqrstuvwxyz012346'",
    "'abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456'",
    "'\\u00e9'", "'e\\u0301'", "'\\U0001f600'", "'\\u0000'", "'a\\u0000'",
    "'a\\u0000b'", "'\\uffff'", "b'abc'", "b'\\xff'", "b'\\x80bc'",
    "0", "1", "-1", "9223372036854775807", "-9223372036854775807 - 1", "0u",
    "1u", "18446744073709551615u", "0.0", "-0.0", "1.0", "0.0 / 0.0",
    "1.0 / 0.0", "true", "false", "null", "[]", "[1]", "{}", "{'a': 1}",
    "duration('1s')", "timestamp('2020-01-01T00:00:00Z')", "string",
    "optional.none()", "optional.of(1)"
};

#define VALUES  (sizeof(values) / sizeof(values[0]))


/* What is compared, by the constant and by the fact that holds it. */

static const struct {
    const char  *quick;
    const char  *plain;
} forms[] = {
    { "x == %s", "x == y" },
    { "x != %s", "x != y" },
    { "x < %s", "x < y" },
    { "x <= %s", "x <= y" },
    { "x > %s", "x > y" },
    { "x >= %s", "x >= y" },
};

static const struct {
    const char  *quick;
    const char  *plain;
} sets[] = {
    { "x in ['abc', 'abcd', 'abcde']", "x in l" },
    { "x.startsWith('abc')", "x.startsWith(c)" },
    { "x.startsWith('')", "x.startsWith(e)" },
    { "x", "[x][0]" },
};


typedef struct {
    cel_status_t  rc;
    bool          b;
    uint64_t      cost;
    cel_value_t   value;
    cel_error_t   error;
} result_t;


static void
run(back_t *b, const cel_program_t *program, uint64_t limit,
    result_t *result)
{
    cel_value_t  value;

    memset(result, 0, sizeof(result_t));

    b->eval.cost = 0;
    b->eval.next_look = 0;
    b->eval.cost_limit = limit;
    b->eval.error.kind = CEL_E_NONE;
    b->eval.error.message[0] = '\0';

    result->rc = cel_eval(program, &b->eval, &value);
    result->b = result->rc == CEL_OK && value.kind == CEL_BOOL && value.b;
    result->cost = b->eval.cost;

    if (result->rc == CEL_OK) {
        result->value = value;
    }

    if (result->rc == CEL_ERROR) {
        result->error = b->eval.error;
    }

    b->eval.cost_limit = 0;
}


/* Where a limit stops them depends on the instructions that they have. */

static bool
same(const result_t *a, const result_t *b, bool cost)
{
    return a->rc == b->rc && a->b == b->b
           && (!cost || a->cost == b->cost || a->error.kind == CEL_E_COST)
           && a->error.kind == b->error.kind
           && strcmp(a->error.message, b->error.message) == 0;
}


/* With each of the values as x: how many differ. */

static uint32_t
differ(back_t *b, const cel_value_t *all, const cel_program_t *quick,
    const cel_program_t *plain, bool cost)
{
    size_t    i;
    uint32_t  n;
    uint64_t  limit;
    result_t  one, other;

    n = 0;

    for (i = 0; i < VALUES; i++) {
        b->facts[0] = all[i];

        for (limit = 0; limit <= (cost ? 4 : 0); limit++) {
            run(b, quick, limit, &one);
            run(b, plain, limit, &other);

            if (!same(&one, &other, cost)) {
                printf("# x = %s, limit %d: %d %d %d %s, not %d %d %d %s\n",
                       values[i], (int) limit, one.rc, one.b,
                       (int) one.cost, one.error.message, other.rc, other.b,
                       (int) other.cost, other.error.message);
                n++;
            }
        }
    }

    return n;
}


/* The same instructions: nothing may differ, of the result and its place. */

static bool
alike(const result_t *a, const result_t *b)
{
    return a->rc == b->rc && a->cost == b->cost
           && a->value.kind == b->value.kind
           && (a->value.kind == CEL_BOOL
               ? a->b == b->b
               : memcmp(&a->value, &b->value, sizeof(cel_value_t)) == 0)
           && a->error.kind == b->error.kind
           && a->error.line == b->error.line
           && a->error.column == b->error.column
           && a->error.offset == b->error.offset
           && strcmp(a->error.message, b->error.message) == 0;
}


/* With each of the values as x: how many differ when it is closed. */

static uint32_t
differ_closed(back_t *b, const cel_value_t *all, cel_program_t *program)
{
    size_t    i;
    uint8_t   form;
    uint32_t  n;
    uint64_t  limit;
    result_t  open, closed;

    n = 0;
    form = program->quick.form;

    for (i = 0; i < VALUES; i++) {
        b->facts[0] = all[i];

        for (limit = 0; limit <= 6; limit++) {
            run(b, program, limit, &open);
            program->quick.form = CEL_QUICK_NONE;
            run(b, program, limit, &closed);
            program->quick.form = form;

            if (!alike(&open, &closed)) {
                printf("# x = %s, limit %d: %d %d %d %s, closed %d %d %d %s\n",
                       values[i], (int) limit, open.rc, open.b,
                       (int) open.cost, open.error.message, closed.rc,
                       closed.b, (int) closed.cost, closed.error.message);
                n++;
            }
        }
    }

    return n;
}


static cel_program_t *
compiled(back_t *b, const char *source)
{
    cel_program_t  *program;

    program = cel_compile(b->env, source, strlen(source), &b->issues);

    if (program == NULL) {
        ok(0, "%s: %s", source, b->issues.items[0].message);
    }

    return program;
}


static void
test_forms(back_t *b, const cel_value_t *all)
{
    char            source[256];
    size_t          i, k;
    uint32_t        n, closed, quicks;
    cel_program_t  *quick, *plain;

    for (k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
        plain = compiled(b, forms[k].plain);
        n = 0;
        closed = 0;
        quicks = 0;

        for (i = 0; i < VALUES; i++) {
            snprintf(source, sizeof(source), forms[k].quick, values[i]);
            b->facts[1] = all[i];

            /* an expression that is folded counts what it was */

            quick = cel_compile(b->env, source, strlen(source), &b->issues);

            if (quick != NULL) {
                n += differ(b, all, quick, plain, all[i].kind == CEL_STRING);
                closed += differ_closed(b, all, quick);
                quicks += quick->quick.form != CEL_QUICK_NONE;
                cel_program_destroy(quick);
            }
        }

        is_int(n, 0, "%s is as %s", forms[k].quick, forms[k].plain);
        is_int(closed, 0, "and as without the short way");
        ok(quicks > VALUES / 2, "which %u of them have", quicks);
        cel_program_destroy(plain);
    }

    for (k = 0; k < sizeof(sets) / sizeof(sets[0]); k++) {
        quick = compiled(b, sets[k].quick);
        plain = compiled(b, sets[k].plain);

        is_int(differ(b, all, quick, plain, false), 0, "%s is as %s",
               sets[k].quick, sets[k].plain);
        ok(quick->quick.form != CEL_QUICK_NONE, "it has the short way");
        is_int(differ_closed(b, all, quick), 0, "and is as without");

        cel_program_destroy(quick);
        cel_program_destroy(plain);
    }
}


static cel_status_t
fetch_need(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    *(uint32_t *) ctx += 1;

    return CEL_NEED;
}


static cel_status_t
fetch_text(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    *(uint32_t *) ctx += 1;
    *value = cel_string("b", 1);

    return CEL_OK;
}


/* What stops other programs stops these. */

static void
test_stops(back_t *b)
{
    uint32_t        fetched;
    cel_flag_t      cancel;
    cel_value_t     value;
    cel_program_t  *program;

    fetched = 0;
    program = compiled(b, "x > 'a'");

    b->facts[0].kind = CEL_UNFETCHED;
    b->eval.fetch_ctx = &fetched;
    b->eval.fetch = fetch_need;
    b->eval.cost = 0;
    b->eval.next_look = 0;

    is_int(cel_eval(program, &b->eval, &value), CEL_NEED, "needs a fact");
    is_int(b->eval.need, 0, "that one");

    b->eval.fetch = fetch_text;

    is_int(cel_eval(program, &b->eval, &value), CEL_OK, "it is fetched");
    ok(value.kind == CEL_BOOL && value.b, "and compared");
    is_int(cel_eval(program, &b->eval, &value), CEL_OK, "and is there");
    is_int(fetched, 2, "from then on");

    b->eval.fetch = NULL;
    atomic_init(&cancel, true);
    b->eval.cancel = &cancel;
    b->eval.cost = 0;
    b->eval.next_look = 0;

    while (cel_eval(program, &b->eval, &value) == CEL_OK
           && b->eval.cost < 10 * CEL_LOOK_EVERY) { /* void */ }

    is_int(b->eval.error.kind, CEL_E_CANCELLED, "the flag is looked at");
    ok(b->eval.cost < CEL_LOOK_EVERY + 3, "as soon as a look is due");

    b->eval.cancel = NULL;
    b->eval.nfacts = 0;

    is_int(cel_eval(program, &b->eval, &value), CEL_ERROR, "too few facts");
    is_int(b->eval.error.kind, CEL_E_FACT, "are an error");

    b->eval.nfacts = BACK_FACTS;
    b->eval.depth = 64;

    is_int(cel_eval(program, &b->eval, &value), CEL_ERROR, "too deep");
    is_int(b->eval.error.kind, CEL_E_DEPTH, "is an error");

    b->eval.depth = 0;
    cel_program_destroy(program);
}


int
main(void)
{
    back_t          b;
    size_t          i;
    cel_value_t     all[VALUES];
    cel_program_t  *kept[VALUES];         /* what the values belong to */

    back_open(&b);

    back_declare(&b, "x", 0, cel_null());
    back_declare(&b, "y", 1, cel_null());
    back_declare(&b, "l", 2, cel_null());
    back_declare(&b, "c", 3, cel_string("abc", 3));
    back_declare(&b, "e", 4, cel_string("", 0));

    for (i = 0; i < VALUES; i++) {
        is_int(back_eval(&b, values[i]), CEL_OK, "%s", values[i]);

        all[i] = b.value;
        kept[i] = b.program;
        b.program = NULL;
    }

    is_int(back_eval(&b, "['abc', 'abcd', 'abcde']"), CEL_OK, "a list");
    b.facts[2] = b.value;

    test_forms(&b, all);
    test_stops(&b);

    for (i = 0; i < VALUES; i++) {
        cel_program_destroy(kept[i]);
    }

    back_close(&b);

    return done_testing();
}
