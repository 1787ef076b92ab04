
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_tests.c - the tests that a condition begins with: a == 'x', 'x' == a,
 * a in ['x', 'y'], a == 'x' || a == 'y', a, !a, of a fact or an atom a.
 */


#include "cel_share.h"
#include "cel_runtime.h"


/* Values that one test may have. */
#define CEL_TEST_VALUES  1024


typedef struct {
    cel_slot_t            slot;
    cel_value_t          *values;        /* NULL: only counted */
    uint32_t              count;
} cel_gather_t;


static bool cel_tests_and(cel_atoms_t *atoms, const cel_node_t *node,
    cel_tests_t *tests);
static bool cel_tests_truth(const cel_node_t *node, cel_test_t *test,
    bool *truth);
static bool cel_tests_slot(const cel_node_t *node);
static bool cel_tests_constant(const cel_node_t *node);
static bool cel_tests_constants(const cel_node_t *node);
static bool cel_tests_gather(const cel_node_t *node, cel_gather_t *g);
static void cel_tests_add(const cel_node_t *node, cel_gather_t *g);
static bool cel_tests_keep(cel_atoms_t *atoms, const cel_node_t *node,
    cel_test_t *test);


/* What is no test ends them: what comes after it may not be looked at. */

cel_status_t
cel_tests_find(cel_atoms_t *atoms, const cel_node_t *root, cel_tests_t *tests)
{
    memset(tests, 0, sizeof(cel_tests_t));

    (void) cel_tests_and(atoms, root, tests);

    return CEL_OK;
}


/* false: no more */

static bool
cel_tests_and(cel_atoms_t *atoms, const cel_node_t *node, cel_tests_t *tests)
{
    bool         truth;
    cel_test_t  *test;

    if (cel_node_is(node, "_&&_", 2)) {
        return cel_tests_and(atoms, node->items[0], tests)
               && cel_tests_and(atoms, node->items[1], tests);
    }

    if (tests->count == CEL_TESTS_MAX) {
        return false;
    }

    test = &tests->items[tests->count];
    truth = true;

    if (!cel_tests_truth(node, test, &truth)
        && !cel_tests_keep(atoms, node, test))
    {
        return false;
    }

    tests->count++;

    return true;
}


/* !a: the same with another value */

static bool
cel_tests_truth(const cel_node_t *node, cel_test_t *test, bool *truth)
{
    static const cel_value_t  values[] = {
        { .kind = CEL_BOOL, .b = false },
        { .kind = CEL_BOOL, .b = true }
    };

    while (cel_node_is(node, "!_", 1)) {
        *truth = !*truth;
        node = node->items[0];
    }

    if (!cel_tests_slot(node)) {
        return false;
    }

    test->slot = node->slot;
    test->truth = true;
    test->nvalues = 1;
    test->values = &values[*truth];

    return true;
}


static bool
cel_tests_slot(const cel_node_t *node)
{
    return node->ref == CEL_R_FACT || node->ref == CEL_R_SHARED;
}


bool
cel_tests_subject(cel_node_t *node, cel_node_t **subject)
{
    if (cel_node_is(node, "_||_", 2)) {
        return cel_tests_subject(node->items[0], subject)
               && cel_tests_subject(node->items[1], subject);
    }

    if (cel_node_is(node, "_==_", 2)) {

        if (cel_tests_constant(node->items[1])) {
            *subject = node->items[0];
            return true;
        }

        *subject = node->items[1];

        return cel_tests_constant(node->items[0]);
    }

    if (cel_node_is(node, "@in", 2)) {
        *subject = node->items[0];
        return cel_tests_constants(node->items[1]);
    }

    return false;
}


static bool
cel_tests_constant(const cel_node_t *node)
{
    if (node->kind != CEL_N_CONST) {
        return false;
    }

    switch (node->value.kind) {

    case CEL_STRING:
    case CEL_BOOL:
        return true;

    case CEL_INT:
        return node->value.i >= -CEL_TEST_WHOLE
               && node->value.i <= CEL_TEST_WHOLE;

    case CEL_UINT:
        return node->value.u <= CEL_TEST_WHOLE;

    default:
        return false;
    }
}


static bool
cel_tests_constants(const cel_node_t *node)
{
    uint32_t  i;

    if (node->kind != CEL_N_LIST || node->item_flags != NULL) {
        return false;
    }

    for (i = 0; i < node->nitems; i++) {
        if (!cel_tests_constant(node->items[i])) {
            return false;
        }
    }

    return true;
}


/* Comparisons of one fact only. */

static bool
cel_tests_gather(const cel_node_t *node, cel_gather_t *g)
{
    uint32_t           i;
    cel_node_t        *subject;
    const cel_node_t  *constants;

    if (cel_node_is(node, "_||_", 2)) {
        return cel_tests_gather(node->items[0], g)
               && cel_tests_gather(node->items[1], g);
    }

    if (!cel_tests_subject((cel_node_t *) node, &subject)
        || !cel_tests_slot(subject)
        || (g->slot != CEL_NO_SLOT && g->slot != subject->slot))
    {
        return false;
    }

    g->slot = subject->slot;
    constants = node->items[subject == node->items[0]];

    if (constants->kind == CEL_N_CONST) {
        cel_tests_add(constants, g);
        return true;
    }

    for (i = 0; i < constants->nitems; i++) {
        cel_tests_add(constants->items[i], g);
    }

    return true;
}


static void
cel_tests_add(const cel_node_t *node, cel_gather_t *g)
{
    if (g->values != NULL) {
        g->values[g->count] = node->value;
    }

    g->count++;
}


/* The tree goes: strings are copied. */

static bool
cel_tests_keep(cel_atoms_t *atoms, const cel_node_t *node, cel_test_t *test)
{
    char          *s;
    uint32_t       i;
    cel_gather_t   g;

    g.slot = CEL_NO_SLOT;
    g.values = NULL;
    g.count = 0;

    if (!cel_tests_gather(node, &g) || g.count > CEL_TEST_VALUES) {
        return false;
    }

    g.values = cel_arena_alloc(&atoms->arena,
                               (g.count + 1) * sizeof(cel_value_t));
    if (g.values == NULL) {
        return false;
    }

    g.count = 0;
    (void) cel_tests_gather(node, &g);

    for (i = 0; i < g.count; i++) {

        if (g.values[i].kind != CEL_STRING) {
            continue;
        }

        s = cel_arena_alloc(&atoms->arena, g.values[i].len);
        if (s == NULL) {
            return false;
        }

        memcpy(s, g.values[i].s, g.values[i].len);
        g.values[i].s = s;
    }

    test->slot = g.slot;
    test->truth = false;
    test->nvalues = g.count;
    test->values = g.values;

    return true;
}
