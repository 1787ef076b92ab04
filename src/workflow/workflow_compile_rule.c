
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Lays the rules of a document out as steps, one for each match, that know
 * where to go on; and finds matches that are never reached.
 */


#include <stdio.h>
#include <string.h>
#include "workflow_compile.h"


/* What the matches of a rule before the present one say of it. */

typedef struct {
    uint32_t                none;
    bool                    optional;   /* it may end without result */
    bool                    known;      /* that is settled */
    bool                    aggregate;  /* all of them count */
    const workflow_node_t  *always;     /* one that always gives a result */
} compile_matches_t;


static void compile_variables(workflow_compile_t *c,
    const workflow_node_t *rule);
static void compile_aggregate(workflow_compile_t *c,
    const workflow_node_t *rule, const workflow_node_t *list);
static void compile_matches(workflow_compile_t *c,
    const workflow_node_t *list, compile_matches_t *m);
static void compile_match(workflow_compile_t *c, const workflow_node_t *node,
    compile_matches_t *m);
static bool compile_literal(const workflow_node_t *match, const char *rest);
static const workflow_node_t *compile_list(const workflow_node_t *rule,
    bool *aggregate);
static uint32_t compile_count(const workflow_node_t *rule);


/*
 * Lays out a rule.  none: the step to go on with when nothing in it matched.
 * Gives whether that can be, as far as literals tell.
 */

bool
workflow_compile_rule(workflow_compile_t *c, const workflow_node_t *rule,
    uint32_t none)
{
    bool                    aggregate;
    workflow_scope_t       *outer;
    compile_matches_t       m;
    const workflow_node_t  *list;

    outer = c->scope;
    compile_variables(c, rule);

    list = compile_list(rule, &aggregate);
    memset(&m, 0, sizeof(compile_matches_t));

    if (aggregate) {
        compile_aggregate(c, rule, list);

    } else {
        m.none = none;
        m.optional = true;
        compile_matches(c, list, &m);
    }

    workflow_compile_leave(c, outer);

    return m.optional;
}


static void
compile_variables(workflow_compile_t *c, const workflow_node_t *rule)
{
    uint32_t                i, len;
    const workflow_node_t  *node;

    node = workflow_node_get(rule, "variables");
    i = 0;

    for (node = node ? node->first : NULL; node != NULL; node = node->next) {
        len = workflow_path_add(&c->path, ".variables[%u]", i++);
        workflow_compile_variable(c, node);
        workflow_path_cut(&c->path, len);
    }
}


/*
 * All matches of an aggregate are taken, one after the other, and a step
 * behind them gives the list of what they gave; so it always has a result.
 * Its outputs agree with each other, the list with the outputs around.
 */

static void
compile_aggregate(workflow_compile_t *c, const workflow_node_t *rule,
    const workflow_node_t *list)
{
    int                n;
    char               type[WORKFLOW_TYPE_MAX], shown[WORKFLOW_TYPE_MAX];
    char               text[WORKFLOW_TYPE_MAX];
    uint32_t           last;
    workflow_step_t   *step;
    compile_matches_t  m;

    if (!c->workflow->any_output) {
        workflow_issue(c->doc, WORKFLOW_I_OUTPUT, list->offset, c->path.text,
                       "an \"aggregate\" gives the list of all its outputs, "
                       "which is no decision: \"match\" gives the first "
                       "one; only suites (constraintctl test) take lists");
        c->steps += compile_count(rule);
        return;
    }

    last = c->steps + compile_count(rule) - 1;

    strcpy(type, c->type);
    strcpy(shown, c->shown);
    c->type[0] = '\0';
    c->shown[0] = '\0';
    c->aggregate = true;

    memset(&m, 0, sizeof(compile_matches_t));
    m.none = last;
    m.aggregate = true;
    compile_matches(c, list, &m);

    step = &c->workflow->steps[c->steps++];
    step->line = list->line;
    step->last = true;
    step->path = workflow_compile_path(c);
    c->workflow->then[last] = WORKFLOW_COLLECTED;

    n = snprintf(text, sizeof(text), "list(%s)", c->shown);

    c->aggregate = false;
    strcpy(c->type, type);
    strcpy(c->shown, shown);

    if (n > (int) sizeof("list()") - 1 && n < (int) sizeof(text)) {
        workflow_compile_agree(c, list->offset, text);
    }
}


static void
compile_matches(workflow_compile_t *c, const workflow_node_t *list,
    compile_matches_t *m)
{
    uint32_t                i, len;
    const workflow_node_t  *node;

    i = 0;

    for (node = list->first; node != NULL; node = node->next) {
        len = workflow_path_add(&c->path, ".%s[%u]",
                                m->aggregate ? "aggregate" : "match", i++);
        compile_match(c, node, m);
        workflow_path_cut(&c->path, len);
    }
}


static void
compile_match(workflow_compile_t *c, const workflow_node_t *node,
    compile_matches_t *m)
{
    bool                    always, optional;
    uint32_t                next;
    workflow_step_t        *step;
    const workflow_node_t  *nested;

    if (m->always != NULL) {
        workflow_issue(c->doc, WORKFLOW_I_DOCUMENT, node->offset,
                       c->path.text, "this match is never reached: %s creates "
                       "unreachable outputs, the one before it, on line %u, "
                       "always gives a result",
                       workflow_node_get(m->always, "rule") != NULL
                       ? "rule" : "match", m->always->line);
        m->always = NULL;
    }

    nested = workflow_node_get(node, "rule");
    always = compile_literal(node, "true");
    step = &c->workflow->steps[c->steps++];

    next = c->steps + (nested != NULL ? compile_count(nested) : 0);
    next = node->next != NULL ? next : m->none;

    if (m->aggregate) {
        c->then = next;
    }

    step->otherwise = next;
    step->last = node->next == NULL;
    step->path = workflow_compile_path(c);

    if (!always) {
        workflow_compile_condition(c, node, step);
    }

    if (m->aggregate && compile_literal(node, "false")) {
        workflow_issue(c->doc, WORKFLOW_I_DOCUMENT, node->offset,
                       c->path.text, "the condition is always false: this "
                       "match is never taken");
    }

    if (nested == NULL) {
        workflow_compile_output(c, node, step);
        optional = false;

        if (c->aggregate) {
            c->workflow->then[step - c->workflow->steps] = c->then;
        }

    } else {
        workflow_path_add(&c->path, ".rule");
        step->line = nested->line;

        /* as cel-go: only an unconditional rule falls through */

        optional = workflow_compile_rule(c, nested, always || m->aggregate
                                                    ? next : m->none);
    }

    if (m->aggregate) {
        return;
    }

    /* the first that surely gives a result, or may end without one, tells */

    if (always && !optional) {
        m->optional &= m->known;
        m->known = true;
        m->always = node;

    } else if (!always && optional) {
        m->known = true;
    }
}


/* the steps of a rule, nested ones included */

static uint32_t
compile_count(const workflow_node_t *rule)
{
    bool                    aggregate;
    uint32_t                n;
    const workflow_node_t  *match, *nested;

    match = compile_list(rule, &aggregate);
    n = aggregate;

    for (match = match->first;
         match != NULL;
         match = match->next)
    {
        n++;
        nested = workflow_node_get(match, "rule");

        if (nested != NULL) {
            n += compile_count(nested);
        }
    }

    return n;
}


static const workflow_node_t *
compile_list(const workflow_node_t *rule, bool *aggregate)
{
    const workflow_node_t  *list;

    list = workflow_node_get(rule, "aggregate");
    *aggregate = list != NULL;

    return *aggregate ? list : workflow_node_get(rule, "match");
}


/* is the condition this literal? what has none always matches */

static bool
compile_literal(const workflow_node_t *match, const char *rest)
{
    uint32_t                i;
    const char             *word;
    const workflow_node_t  *condition;

    condition = workflow_node_get(match, "condition");

    if (condition == NULL) {
        return rest[0] == 't';
    }

    word = rest;

    for (i = 0; i < condition->len; i++) {

        if (strchr(" \t\r\n", condition->text[i]) != NULL) {
            if (rest != word && rest[0] != '\0') {
                return false;
            }

            continue;
        }

        if (*rest == '\0' || condition->text[i] != *rest) {
            return false;
        }

        rest++;
    }

    return *rest == '\0';
}
