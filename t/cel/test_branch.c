
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Programs whose result comparisons decide one after the other have a short
 * way of their own.  Expressions made by chance, and some by hand, are compared
 * with themselves when that way is closed, on facts that are there, are to be
 * fetched, fail or are waited for: the value, the error, the units, what is
 * fetched and the limits have to be the same.
 */


#include "back.h"
#include "cel_branch.h"
#include "random.h"


#define FACTS        7
#define EXPRESSIONS  4000
#define ROUNDS       12


static const char *const  names[FACTS] = { "s", "t", "n", "b", "m", "d",
    "l" };

static const char *const  values[] = {
    "''", "'a'", "'ab'", "'/api/acme/1'", "'/api/'", "'acme'",
    "'abcdefghijklmnopqrstuvwxyz012345'",
    "'/api/abcdefghijklmnopqrstuvwxyz012345/'", "0", "5", "6u", "2.5", "true",
    "false", "null", "[1]", "{}", "{'o': 'acme', 'k': 5}", "{'o': 7, 'k': 'a'}",
    "{'k': true, 'o': '\\u00e9'}", "['acme', 'a', 5]",
    "{'p': {'q': {'o': 'acme', 'k': 5, 'l': ['a', 'acme']}}, 'l': [5, 'a']}",
    "{'p': {'o': 'acme', 'q': {'o': 'acme'}}, 'o': 1}",
    "{'p': {'q': {'o': 'a', 'l': {'acme': 1}}}, 'l': 'a', 'k': 5}",
    "['abcdefghijklmnopqrstuvwxyz012345', 'abcdefghijklmnopqrstuvwxyz012346']"
};

#define VALUES  (sizeof(values) / sizeof(values[0]))

static const char *const  operands[] = {
    "s", "t", "n", "b", "d", "m.o", "m.k", "m['o']", "d.o", "d.p.o", "d.p.q",
    "d.p.q.o", "d.p.q.k", "d['p'].q.l"
};

#define OPERANDS  (sizeof(operands) / sizeof(operands[0]))

static const char *const  comparisons[] = {
    "%s == 'acme'", "%s != 'acme'", "%s == 5", "%s <= 5", "%s > 'ab'",
    "%s in ['a', 'ab', 'acme']", "%s in [1, 5]", "dyn(%s).startsWith('/api/')",
    "%s == true", "dyn(%s)", "!(%s == 'a')", "dyn(%s).startsWith(t)",
    "dyn(%s).startsWith('/api/' + dyn(m.o) + '/')",
    "dyn(%s).startsWith(s + t + 'x')", "dyn(%s).endsWith('1')", "%s == s",
    "has(m.o) && %s == m.o", "true", "%s == 'acme' || false",
    "%s != t", "dyn(%s) < n", "dyn(%s) >= t", "dyn(%s) > m.k", "%s in l",
    "'acme' in dyn(%s)", "%s in d.l", "d == %s", "'k' in dyn(%s)",
    "dyn(%s).matches('^/a.*1$')", "dyn(%s).contains('cm')",
    "dyn(%s).contains(t)", "dyn(%s).matches(t)", "dyn(%s) in d.p.q.l",
    "dyn(%s) == d.p.q.o"
};

#define COMPARISONS  (sizeof(comparisons) / sizeof(comparisons[0]))

static const char *const  by_hand[] = {
    "s == 'a' && n == 5 && m.o == 'acme'",
    "(s == 'a' || n == 5) && (t == 'b' || m.k == 5)",
    "!(s == 'a' && !(n == 5)) || b",
    "b ? s == 'a' : n == 5",
    "(b ? s == 'a' : n == 5) && (t == 'ab' ? true : m.o == 'acme')",
    "b && b",
    "s in ['a', 'ab'] && s.startsWith('/api/' + m.o + '/')",
    "s.startsWith(m.o) || t.startsWith(s)",
    "d && d || !d",
    "s == t && n < m.k", "s in l && t in d.l", "'acme' in d.p.q.l || b",
    "d.p.o == 'acme' && d.p.q.o == 'acme' && d.p.q.k <= 5 && 'a' in d.p.q.l",
    "d.p.q.o == 'a' || d.p.q.o == 'acme' || d.o == 7",
    "d.o == d.o && d == d.o || d.p == d.p", "d == d.o || d.o == s",
    "s.matches('^/api/[a-z]+/1$') && t.contains('a') && !t.endsWith(s)",
    "b ? d.p.q.o.matches('^a') : d.p.q.o != d.p.o",
};

#define BY_HAND  (sizeof(by_hand) / sizeof(by_hand[0]))


/* How the facts are given: there, or fetched; a fact may fail or not come. */

typedef struct {
    cel_value_t   all[VALUES];
    cel_value_t   given[FACTS];
    bool          late[FACTS];           /* it is fetched */
    bool          fails[FACTS];
    bool          absent[FACTS];
    uint32_t      fetched[FACTS];
} host_t;

typedef struct {
    cel_status_t  rc;
    bool          b;
    uint8_t       kind;
    uint64_t      cost;
    cel_slot_t    need;
    uint32_t      asked;                 /* fetches */
    cel_error_t   error;
} result_t;


static cel_status_t
fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    host_t  *host = ctx;

    host->fetched[slot]++;

    if (host->absent[slot]) {
        return CEL_NEED;
    }

    if (host->fails[slot]) {

        if (cel_eval_charge(eval, 3 * slot + 1) != CEL_OK) {
            return CEL_ERROR;
        }

        return cel_eval_fail(eval, CEL_E_FACT, "%s fails", names[slot]);
    }

    if (cel_eval_charge(eval, slot) != CEL_OK) {
        return CEL_ERROR;
    }

    *value = host->given[slot];

    return CEL_OK;
}


static void
run(back_t *b, host_t *host, const cel_program_t *program, uint64_t limit,
    result_t *result)
{
    uint32_t     i;
    cel_value_t  value;

    memset(result, 0, sizeof(result_t));
    memset(host->fetched, 0, sizeof(host->fetched));

    for (i = 0; i < FACTS; i++) {
        b->facts[i] = host->given[i];

        if (host->late[i]) {
            b->facts[i].kind = CEL_UNFETCHED;
        }
    }

    b->eval.fetch = fetch;
    b->eval.fetch_ctx = host;
    b->eval.cost = 0;
    b->eval.next_look = 0;
    b->eval.cost_limit = limit;

    memset(&b->eval.error, 0, sizeof(cel_error_t));

    result->rc = cel_eval(program, &b->eval, &value);

    for (i = 0; i < FACTS; i++) {
        result->asked += host->fetched[i];
    }

    if (result->rc == CEL_NEED) {
        result->need = b->eval.need;
        return;
    }

    result->cost = b->eval.cost;

    if (result->rc == CEL_OK) {
        result->kind = value.kind;
        result->b = value.kind == CEL_BOOL && value.b;

    } else {
        result->error = b->eval.error;
    }
}


/*
 * Where a limit stops it a fact may have been asked for already, as a
 * comparison is charged at its end.
 */

static bool
alike(const result_t *a, const result_t *b)
{
    if (b->error.kind == CEL_E_COST) {
        return a->rc == CEL_NEED || a->error.kind == CEL_E_COST;
    }

    return a->rc == b->rc && a->kind == b->kind && a->b == b->b
           && a->cost == b->cost && a->need == b->need
           && a->asked == b->asked
           && a->error.kind == b->error.kind
           && a->error.line == b->error.line
           && a->error.column == b->error.column
           && strcmp(a->error.message, b->error.message) == 0;
}


static void
shuffle(host_t *host)
{
    uint32_t  i;

    for (i = 0; i < FACTS; i++) {
        host->given[i] = host->all[next() % VALUES];
        host->late[i] = next() % 2;
        host->fails[i] = host->late[i] && next() % 16 == 0;
        host->absent[i] = host->late[i] && next() % 16 == 0;
    }
}


/* Open and closed on facts by chance: how many differ. */

static uint32_t
differ(back_t *b, host_t *host, cel_program_t *program, const char *source,
    uint32_t *said)
{
    uint32_t             i, n;
    uint64_t             limit;
    result_t             open, closed;
    const cel_branch_t  *branch;

    n = 0;
    branch = program->branch;

    for (i = 0; i < ROUNDS; i++) {
        shuffle(host);

        limit = next() % 3 == 0 ? 1 + next() % 40 : 0;

        run(b, host, program, limit, &open);
        program->branch = NULL;
        run(b, host, program, limit, &closed);
        program->branch = branch;

        *said += open.rc == CEL_OK;

        if (!alike(&open, &closed)) {
            printf("# %s, limit %d: %d %d %d %s, closed %d %d %d %s\n",
                   source, (int) limit, open.rc, open.b, (int) open.cost,
                   open.error.message, closed.rc, closed.b,
                   (int) closed.cost, closed.error.message);
            n++;
        }
    }

    return n;
}


/* An expression of comparisons, so deep. */

static size_t
expression(char *p, size_t size, uint32_t depth)
{
    size_t  n;

    if (depth == 0 || next() % 4 == 0) {
        return (size_t) snprintf(p, size,
                                 comparisons[next() % COMPARISONS],
                                 operands[next() % OPERANDS]);
    }

    n = 0;
    p[n++] = '(';
    n += expression(p + n, size - n, depth - 1);

    switch (next() % 4) {

    case 0:
        n += (size_t) snprintf(p + n, size - n, " || ");
        break;

    case 1:
        n += (size_t) snprintf(p + n, size - n, " ? ");
        n += expression(p + n, size - n, depth - 1);
        n += (size_t) snprintf(p + n, size - n, " : ");
        break;

    default:
        n += (size_t) snprintf(p + n, size - n, " && ");
        break;
    }

    n += expression(p + n, size - n, depth - 1);
    p[n++] = ')';
    p[n] = '\0';

    return n;
}


static void
test_by_hand(back_t *b, host_t *host)
{
    uint32_t        i, k, n, said;
    cel_program_t  *program;

    for (i = 0; i < BY_HAND; i++) {

        program = cel_compile(b->env, by_hand[i], strlen(by_hand[i]),
                              &b->issues);

        if (program == NULL) {
            ok(0, "%s: %s", by_hand[i], b->issues.items[0].message);
            continue;
        }

        ok(program->branch != NULL, "%s has the short way", by_hand[i]);

        n = 0;
        said = 0;

        for (k = 0; k < 200 || (said <= 100 && k < 4000); k++) {
            n += differ(b, host, program, by_hand[i], &said);
        }

        is_int(n, 0, "and is as without it");
        ok(said > 100, "which said something %u times", said);

        cel_program_destroy(program);
    }
}


static void
test_by_chance(back_t *b, host_t *host)
{
    char            source[8192];
    uint32_t        i, n, made, branches, said;
    cel_program_t  *program;

    n = 0;
    made = 0;
    branches = 0;
    said = 0;

    for (i = 0; i < EXPRESSIONS; i++) {
        (void) expression(source, sizeof(source), (uint32_t) (next() % 4));

        program = cel_compile(b->env, source, strlen(source), &b->issues);

        if (program == NULL) {
            continue;
        }

        made++;

        if (program->branch != NULL) {
            branches++;
            n += differ(b, host, program, source, &said);
        }

        cel_program_destroy(program);
    }

    is_int(n, 0, "none of %u expressions differs", branches);
    ok(made > EXPRESSIONS / 2, "of %u that compile", made);
    ok(branches > made / 8, "a part has the short way");
    ok(said > branches * ROUNDS / 8, "and said something %u times", said);
}


/* The limits of the table, and what is none. */

static void
test_limits(back_t *b)
{
    char            source[4096];
    size_t          n;
    uint32_t        i;
    cel_program_t  *program;

    n = 0;

    for (i = 0; i <= CEL_BRANCH_MAX; i++) {
        n += (size_t) snprintf(source + n, sizeof(source) - n,
                               "%ss == 'x%u'", i == 0 ? "" : " || ", i);

        program = cel_compile(b->env, source, n, &b->issues);

        ok(program != NULL, "%u comparisons", i + 1);

        if (program == NULL) {
            return;
        }

        is_int(program->branch != NULL, i > 0 && i < CEL_BRANCH_MAX,
               "their short way");
        cel_program_destroy(program);
    }
}


int
main(void)
{
    back_t          b;
    host_t          host;
    size_t          i;
    cel_program_t  *kept[VALUES];         /* what the values belong to */

    back_open(&b);
    memset(&host, 0, sizeof(host));

    for (i = 0; i < VALUES; i++) {
        is_int(back_eval(&b, values[i]), CEL_OK, "%s", values[i]);

        host.all[i] = b.value;
        kept[i] = b.program;
        b.program = NULL;
    }

    for (i = 0; i < FACTS; i++) {
        back_declare(&b, names[i], (cel_slot_t) i, cel_null());
    }

    test_by_hand(&b, &host);
    test_by_chance(&b, &host);
    test_limits(&b);

    for (i = 0; i < VALUES; i++) {
        cel_program_destroy(kept[i]);
    }

    back_close(&b);

    return done_testing();
}
