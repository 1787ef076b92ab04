
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Lays the rules of a document out as steps, one for each match, that know
 * where to go on; and finds matches that are never reached.
 */


#include "workflow_compile.h"


/* What the matches of a rule before the present one say of it. */

typedef struct {
    uint32_t                none;
    bool                    optional;   /* it may end without result */
    bool                    known;      /* that is settled */
    const workflow_node_t  *always;     /* one that always gives a result */
} compile_matches_t;


static void compile_match(workflow_compile_t *c, const workflow_node_t *node,
    compile_matches_t *m);
static uint32_t compile_count(const workflow_node_t *rule);


/*
 * Lays out a rule.  none: the step to go on with when nothing in it matched.
 * Gives whether that can be, as far as literals tell.
 */

bool
workflow_compile_rule(workflow_compile_t *c, const workflow_node_t *rule,
    uint32_t none)
{
    uint32_t                i, len;
    workflow_scope_t       *outer;
    compile_matches_t       m;
    const workflow_node_t  *node;

    outer = c->scope;
    node = workflow_node_get(rule, "variables");
    i = 0;

    for (node = node ? node->first : NULL; node != NULL; node = node->next) {
        len = workflow_path_add(&c->path, ".variables[%u]", i++);
        workflow_compile_variable(c, node);
        workflow_path_cut(&c->path, len);
    }

    m.none = none;
    m.optional = true;
    m.known = false;
    m.always = NULL;
    i = 0;

    for (node = workflow_node_get(rule, "match")->first;
         node != NULL;
         node = node->next)
    {
        len = workflow_path_add(&c->path, ".match[%u]", i++);
        compile_match(c, node, &m);
        workflow_path_cut(&c->path, len);
    }

    workflow_compile_leave(c, outer);

    return m.optional;
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
    always = workflow_shape_always(node);
    step = &c->workflow->steps[c->steps++];

    next = c->steps + (nested != NULL ? compile_count(nested) : 0);
    next = node->next != NULL ? next : m->none;

    step->otherwise = next;
    step->last = node->next == NULL;
    step->path = workflow_compile_path(c);

    if (!always) {
        workflow_compile_condition(c, node, step);
    }

    if (nested == NULL) {
        workflow_compile_output(c, node, step);
        optional = false;

    } else {
        workflow_path_add(&c->path, ".rule");
        step->line = nested->line;

        /* as cel-go: only an unconditional rule falls through */

        optional = workflow_compile_rule(c, nested, always ? next : m->none);
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


/* matches of a rule, nested ones included */

static uint32_t
compile_count(const workflow_node_t *rule)
{
    uint32_t                n;
    const workflow_node_t  *match, *nested;

    n = 0;

    for (match = workflow_node_get(rule, "match")->first;
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
