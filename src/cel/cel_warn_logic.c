
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_warn_logic.c - conditions that are always true or always false: an
 * operand that is a literal, a value compared with itself, and pairs of
 * comparisons of one value with two literals, as in a == 1 && a == 2, or
 * a != 1 || a != 2 where && was meant.
 */


#include <string.h>
#include "cel_warn.h"


/* operands of one chain that are looked at pair by pair */
#define CEL_WARN_PAIRS  32


typedef enum {
    CEL_WARN_EQ = 0,
    CEL_WARN_NE,
    CEL_WARN_LT,
    CEL_WARN_LE,
    CEL_WARN_GT,
    CEL_WARN_GE,
    CEL_WARN_OTHER
} cel_warn_op_t;


/* value op constant */

typedef struct {
    const cel_node_t     *node;
    const cel_node_t     *value;
    const cel_value_t    *constant;
    cel_warn_op_t         op;
} cel_warn_test_t;


typedef struct {
    cel_warn_t           *warn;
    cel_warn_pt           visit;
    const char           *name;          /* "_&&_" or "_||_" */
    bool                  all;           /* it is "_&&_" */
    bool                  told;          /* one warning about it is enough */
    uint32_t              count;
    cel_warn_test_t       tests[CEL_WARN_PAIRS];
} cel_warn_chain_t;


static void cel_warn_operands(cel_warn_chain_t *chain,
    const cel_node_t *node);
static void cel_warn_literal(cel_warn_chain_t *chain, const cel_node_t *node);
static void cel_warn_pair(cel_warn_chain_t *chain, const cel_warn_test_t *a,
    const cel_warn_test_t *b);
static bool cel_warn_contradict(const cel_warn_test_t *a,
    const cel_warn_test_t *b);
static bool cel_warn_exhaust(const cel_warn_test_t *a,
    const cel_warn_test_t *b);
static bool cel_warn_range(const cel_warn_test_t *a,
    const cel_warn_test_t *b, int *order);
static bool cel_warn_above(const cel_warn_test_t *test);
static bool cel_warn_below(const cel_warn_test_t *test);
static bool cel_warn_open(const cel_warn_test_t *test);
static cel_warn_op_t cel_warn_op(const char *name);
static bool cel_warn_test(const cel_node_t *node, cel_warn_test_t *test);
static int cel_warn_compare(const cel_value_t *a, const cel_value_t *b);
static bool cel_warn_comparable(const cel_value_t *a, const cel_value_t *b);
static bool cel_warn_same(cel_warn_t *warn, const cel_node_t *a,
    const cel_node_t *b);
static bool cel_warn_is_size(const cel_node_t *node);
static void cel_warn_always(cel_warn_t *warn, const cel_node_t *node,
    bool value, const char *why);


void
cel_warn_chain(cel_warn_t *warn, const cel_node_t *node, cel_warn_pt visit)
{
    uint32_t          i, j;
    cel_warn_chain_t  chain;

    chain.warn = warn;
    chain.visit = visit;
    chain.name = node->name;
    chain.all = strcmp(node->name, "_&&_") == 0;
    chain.told = false;
    chain.count = 0;

    cel_warn_operands(&chain, node);

    for (i = 1; i < chain.count; i++) {
        for (j = 0; j < i; j++) {
            cel_warn_pair(&chain, &chain.tests[j], &chain.tests[i]);
        }
    }
}


static void
cel_warn_operands(cel_warn_chain_t *chain, const cel_node_t *node)
{
    uint32_t           i;
    const cel_node_t  *operand;

    for (i = 0; i < node->nitems; i++) {
        operand = node->items[i];

        if (operand->kind == CEL_N_CALL
            && strcmp(operand->name, chain->name) == 0)
        {
            cel_warn_operands(chain, operand);
            continue;
        }

        if (operand->kind == CEL_N_CONST) {
            cel_warn_literal(chain, operand);
            continue;
        }

        chain->visit(chain->warn, operand);

        if (chain->count < CEL_WARN_PAIRS
            && cel_warn_test(operand, &chain->tests[chain->count]))
        {
            chain->count++;
        }
    }
}


/* a && false, a || true; the others are without effect */

static void
cel_warn_literal(cel_warn_chain_t *chain, const cel_node_t *node)
{
    if (node->value.kind != CEL_BOOL || chain->told) {
        return;
    }

    chain->told = true;

    if (node->value.b != chain->all) {
        cel_warn_always(chain->warn, node, node->value.b,
                        chain->all ? "an operand of && is the literal false"
                                   : "an operand of || is the literal true");
        return;
    }

    cel_issue(chain->warn->issues, CEL_E_WARNING, chain->warn->ast,
              node->offset, "the literal %s says nothing beside %s",
              node->value.b ? "true" : "false", chain->all ? "&&" : "||");
}


static void
cel_warn_pair(cel_warn_chain_t *chain, const cel_warn_test_t *a,
    const cel_warn_test_t *b)
{
    if (chain->told || !cel_warn_comparable(a->constant, b->constant)
        || !cel_warn_same(chain->warn, a->value, b->value))
    {
        return;
    }

    if (chain->all && cel_warn_contradict(a, b)) {
        chain->told = true;
        cel_warn_always(chain->warn, b->node, false,
                        "one value cannot pass both this test and one before "
                        "it, with &&");

    } else if (!chain->all && cel_warn_exhaust(a, b)) {
        chain->told = true;
        cel_warn_always(chain->warn, b->node, true,
                        "every value passes this test or one before it, with "
                        "||; is && meant?");
    }
}


/* no value passes both */

static bool
cel_warn_contradict(const cel_warn_test_t *a, const cel_warn_test_t *b)
{
    int                     order;
    const cel_warn_test_t  *swap;

    if (b->op == CEL_WARN_EQ) {
        swap = a;
        a = b;
        b = swap;
    }

    order = cel_warn_compare(a->constant, b->constant);

    if (a->op == CEL_WARN_EQ) {

        switch (b->op) {

        case CEL_WARN_EQ:
            return order != 0;

        case CEL_WARN_NE:
            return order == 0;

        case CEL_WARN_LT:
            return order >= 0;

        case CEL_WARN_LE:
            return order > 0;

        case CEL_WARN_GT:
            return order <= 0;

        default:
            return order < 0;
        }
    }

    /* above one and below a smaller */

    return cel_warn_range(a, b, &order)
           && (order > 0
               || (order == 0 && (cel_warn_open(a) || cel_warn_open(b))));
}


/* every value passes one; NaN, which passes none but !=, is left aside */

static bool
cel_warn_exhaust(const cel_warn_test_t *a, const cel_warn_test_t *b)
{
    int                     order;
    const cel_warn_test_t  *swap;

    if (b->op == CEL_WARN_NE) {
        swap = a;
        a = b;
        b = swap;
    }

    order = cel_warn_compare(a->constant, b->constant);

    if (a->op == CEL_WARN_NE) {
        return (b->op == CEL_WARN_NE && order != 0)
               || (b->op == CEL_WARN_EQ && order == 0);
    }

    /* above one or below a larger */

    return cel_warn_range(a, b, &order)
           && a->value->type->kind != CEL_T_DOUBLE
           && (order < 0
               || (order == 0 && !(cel_warn_open(a) && cel_warn_open(b))));
}


/* one from above, one from below: order is made that of the bounds so */

static bool
cel_warn_range(const cel_warn_test_t *a, const cel_warn_test_t *b, int *order)
{
    if (cel_warn_below(a) && cel_warn_above(b)) {
        *order = -*order;
        return true;
    }

    return cel_warn_above(a) && cel_warn_below(b);
}


static bool
cel_warn_above(const cel_warn_test_t *test)
{
    return test->op == CEL_WARN_GT || test->op == CEL_WARN_GE;
}


static bool
cel_warn_below(const cel_warn_test_t *test)
{
    return test->op == CEL_WARN_LT || test->op == CEL_WARN_LE;
}


/* the constant itself does not pass */

static bool
cel_warn_open(const cel_warn_test_t *test)
{
    return test->op == CEL_WARN_GT || test->op == CEL_WARN_LT;
}


static cel_warn_op_t
cel_warn_op(const char *name)
{
    uint32_t  i;

    static const char *const  names[] = {
        "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"
    };

    for (i = 0; i < CEL_WARN_OTHER; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }

    return CEL_WARN_OTHER;
}


/* a comparison with a literal, which may come first */

static bool
cel_warn_test(const cel_node_t *node, cel_warn_test_t *test)
{
    bool  swapped;

    static const cel_warn_op_t  mirror[] = {
        CEL_WARN_EQ, CEL_WARN_NE, CEL_WARN_GT, CEL_WARN_GE, CEL_WARN_LT,
        CEL_WARN_LE
    };

    if (node->kind != CEL_N_CALL || node->nitems != 2) {
        return false;
    }

    test->op = cel_warn_op(node->name);
    swapped = node->items[0]->kind == CEL_N_CONST;

    if (test->op == CEL_WARN_OTHER
        || swapped == (node->items[1]->kind == CEL_N_CONST))
    {
        return false;
    }

    test->node = node;
    test->value = node->items[swapped ? 1 : 0];
    test->constant = &node->items[swapped ? 0 : 1]->value;

    if (swapped) {
        test->op = mirror[test->op];
    }

    return true;
}


static bool
cel_warn_comparable(const cel_value_t *a, const cel_value_t *b)
{
    return a->kind == b->kind
           && (a->kind == CEL_BOOL || a->kind == CEL_INT || a->kind == CEL_UINT
               || a->kind == CEL_DOUBLE || a->kind == CEL_STRING);
}


/* of comparable ones */

static int
cel_warn_compare(const cel_value_t *a, const cel_value_t *b)
{
    int       order;
    uint32_t  len;

    switch (a->kind) {

    case CEL_BOOL:
        return (int) a->b - (int) b->b;

    case CEL_INT:
        return (a->i > b->i) - (a->i < b->i);

    case CEL_UINT:
        return (a->u > b->u) - (a->u < b->u);

    case CEL_DOUBLE:
        return (a->d > b->d) - (a->d < b->d);

    default:
        len = a->len < b->len ? a->len : b->len;
        order = len > 0 ? memcmp(a->s, b->s, len) : 0;

        return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
    }
}


/* written alike, without a comprehension inside */

static bool
cel_warn_same(cel_warn_t *warn, const cel_node_t *a, const cel_node_t *b)
{
    uint32_t  i;

    if (warn->left == 0) {
        return false;
    }

    warn->left--;

    if (a->kind != b->kind || a->nitems != b->nitems || a->ref != b->ref
        || a->test_only != b->test_only || a->optional != b->optional
        || (a->target == NULL) != (b->target == NULL)
        || a->kind == CEL_N_COMPREHENSION)
    {
        return false;
    }

    if (a->kind == CEL_N_CONST) {
        return cel_warn_comparable(&a->value, &b->value)
               && cel_warn_compare(&a->value, &b->value) == 0;
    }

    if (a->ref == CEL_R_FACT) {
        return a->slot == b->slot;
    }

    if (a->ref == CEL_R_LOCAL) {
        return a->local == b->local;
    }

    if (a->name != b->name
        && (a->name == NULL || b->name == NULL
            || strcmp(a->name, b->name) != 0))
    {
        return false;
    }

    if (a->target != NULL && !cel_warn_same(warn, a->target, b->target)) {
        return false;
    }

    for (i = 0; i < a->nitems; i++) {
        if (!cel_warn_same(warn, a->items[i], b->items[i])) {
            return false;
        }
    }

    return true;
}


void
cel_warn_choice(cel_warn_t *warn, const cel_node_t *node)
{
    const cel_node_t  *condition;

    condition = node->items[0];

    if (condition->kind == CEL_N_CONST && condition->value.kind == CEL_BOOL) {
        cel_issue(warn->issues, CEL_E_WARNING, warn->ast, condition->offset,
                  "the condition of ?: is always %s",
                  condition->value.b ? "true" : "false");
    }
}


void
cel_warn_relation(cel_warn_t *warn, const cel_node_t *node)
{
    bool              same;
    cel_warn_test_t   test;

    if (node->nitems != 2) {
        return;
    }

    test.op = cel_warn_op(node->name);

    if (test.op == CEL_WARN_OTHER) {
        return;
    }

    same = test.op == CEL_WARN_EQ || test.op == CEL_WARN_LE
           || test.op == CEL_WARN_GE;

    if (node->items[0]->kind != CEL_N_CONST
        && node->items[0]->type->kind != CEL_T_DOUBLE
        && cel_warn_same(warn, node->items[0], node->items[1]))
    {
        cel_warn_always(warn, node, same, "both sides are the same");
        return;
    }

    if (!cel_warn_test(node, &test) || !cel_warn_is_size(test.value)
        || test.constant->kind != CEL_INT)
    {
        return;
    }

    if ((test.op == CEL_WARN_GE && test.constant->i <= 0)
        || ((test.op == CEL_WARN_GT || test.op == CEL_WARN_NE)
            && test.constant->i < 0))
    {
        cel_warn_always(warn, node, true, "a size is never negative");

    } else if ((test.op == CEL_WARN_LT && test.constant->i <= 0)
               || ((test.op == CEL_WARN_LE || test.op == CEL_WARN_EQ)
                   && test.constant->i < 0))
    {
        cel_warn_always(warn, node, false, "a size is never negative");
    }
}


static bool
cel_warn_is_size(const cel_node_t *node)
{
    return node->kind == CEL_N_CALL && strcmp(node->name, "size") == 0
           && node->nitems + (node->target != NULL ? 1 : 0) == 1;
}


static void
cel_warn_always(cel_warn_t *warn, const cel_node_t *node, bool value,
    const char *why)
{
    cel_issue(warn->issues, CEL_E_WARNING, warn->ast, node->offset,
              "this is always %s: %s", value ? "true" : "false", why);
}
