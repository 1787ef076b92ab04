
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * From a document to a workflow: every expression is compiled in the scope of
 * its rule and checked for what its place demands.  One env serves the whole
 * document; scopes are made by declaring and taking back.  Knows the shape of
 * the tree from workflow_shape.c, evaluates nothing.
 */


#include <stdlib.h>
#include <string.h>
#include "workflow_policy.h"


/* A variable that expressions can see now, innermost first. */

typedef struct scope_s  scope_t;

struct scope_s {
    const char            *name;        /* "variables.x" */
    cel_hidden_t          *hidden;      /* the one of an outer rule, or NULL */
    scope_t               *next;
};


/* What is asked of a variable at the end: does anything read it? */

typedef struct {
    const workflow_node_t *node;
    bool                   used;
} compile_usage_t;


typedef struct {
    workflow_document_t   *doc;
    workflow_t            *workflow;
    cel_env_t             *env;
    cel_atoms_t           *atoms;       /* NULL: none, plain order */
    cel_tests_t           *tests;       /* of each step */
    scope_t               *scope;
    uint32_t               steps;       /* laid out so far */
    uint32_t               variables;
    bool                   headers;     /* an output may have some */
    workflow_path_t        path;
    char                   type[WORKFLOW_TYPE_MAX];     /* all agree with */
    char                   shown[WORKFLOW_TYPE_MAX];
    cel_issues_t           issues;
    cel_issues_t           warnings;    /* of one expression */
    compile_usage_t       *usage;       /* of each variable */
} compile_t;


/* What the matches of a rule before the present one say of it. */

typedef struct {
    uint32_t                none;
    bool                    optional;   /* it may end without result */
    bool                    known;      /* that is settled */
    const workflow_node_t  *always;     /* one that always gives a result */
} compile_matches_t;


static cel_status_t compile_policy(compile_t *c,
    const workflow_options_t *options);
static cel_status_t compile_prepare(compile_t *c,
    const workflow_options_t *options);
static cel_status_t compile_count_parts(compile_t *c,
    const workflow_node_t *rule);
static cel_status_t compile_index(compile_t *c);
static bool compile_rule(compile_t *c, const workflow_node_t *rule,
    uint32_t none);
static void compile_match(compile_t *c, const workflow_node_t *node,
    compile_matches_t *m);
static void compile_variable(compile_t *c, const workflow_node_t *node);
static void compile_declare(compile_t *c, const workflow_node_t *node,
    workflow_variable_t *variable, uint32_t i);
static uint32_t compile_chain(compile_t *c, const cel_program_t *program);
static void compile_leave(compile_t *c, scope_t *outer);
static void compile_condition(compile_t *c, const workflow_node_t *match,
    workflow_step_t *step);
static void compile_output(compile_t *c, const workflow_node_t *match,
    workflow_step_t *step);
static void compile_agree(compile_t *c, const workflow_node_t *node,
    const cel_program_t *program);
static void compile_explanation(compile_t *c, const workflow_node_t *match);
static cel_program_t *compile_expression(compile_t *c,
    const workflow_node_t *node, const char *key);
static cel_program_t *compile_result(compile_t *c,
    const workflow_node_t *node, const char *key, cel_program_t *program);
static void compile_used(compile_t *c, const cel_program_t *program);
static void compile_unused(compile_t *c);
static void compile_issue(compile_t *c, const workflow_node_t *node,
    const cel_error_t *error);
static uint32_t compile_count(const workflow_node_t *rule);
static const char *compile_path(compile_t *c);
static cel_status_t compile_memory(compile_t *c);


workflow_t *
workflow_compile(const char *text, size_t len, workflow_format_t format,
    const workflow_options_t *options, workflow_issues_t *issues)
{
    compile_t            *c;
    workflow_t           *workflow;
    workflow_shape_t      shape;
    workflow_document_t   doc;

    workflow = NULL;
    c = NULL;

    issues->nwarnings = 0;
    issues->total_warnings = 0;

    if (workflow_document_open(&doc, text, len, format, options->allocator,
                               issues)
        != CEL_OK
        || workflow_shape_check(&doc, options, &shape) != CEL_OK)
    {
        goto done;
    }

    workflow = workflow_create(options, &shape);

    if (workflow != NULL) {
        c = cel_arena_alloc(&doc.arena, sizeof(compile_t));
    }

    if (c == NULL) {
        workflow_issue(&doc, WORKFLOW_I_LIMIT, 0, NULL,
                       "not enough memory for the workflow");
        goto done;
    }

    memset(c, 0, sizeof(compile_t));

    c->doc = &doc;
    c->workflow = workflow;
    c->usage = cel_arena_alloc(&doc.arena, (workflow->nvariables + 1)
                                           * sizeof(compile_usage_t));

    c->env = cel_env_create(options->allocator != NULL
                            ? options->allocator : &cel_allocator_libc,
                            options->limits);

    if (c->env == NULL || c->usage == NULL
        || cel_env_keep_result(c->env) != CEL_OK)
    {
        compile_memory(c);

    } else {
        cel_env_collect_warnings(c->env, &c->warnings);
        compile_policy(c, options);
    }

done:

    if (c != NULL && c->env != NULL) {
        cel_env_destroy(c->env);
    }

    if (c != NULL) {
        cel_atoms_destroy(c->atoms);
    }

    workflow_document_close(&doc);

    if (issues->total != 0) {
        workflow_destroy(workflow);
        return NULL;
    }

    return workflow;
}


static cel_status_t
compile_policy(compile_t *c, const workflow_options_t *options)
{
    workflow_t             *workflow;
    const workflow_node_t  *name;

    workflow = c->workflow;

    if (options->declare != NULL
        && options->declare(options->ctx, c->env) != CEL_OK)
    {
        return workflow_issue(c->doc, WORKFLOW_I_LIMIT, 0, NULL,
                              "the facts could not be declared");
    }

    name = workflow_node_get(c->doc->root, "name");
    workflow->name_len = name->len;

    c->path.len = 0;
    workflow_path_add(&c->path, "%s", name->text);
    workflow->name = compile_path(c);
    workflow_path_cut(&c->path, 0);

    (void) workflow_imports(c->doc, c->env);

    if (compile_prepare(c, options) != CEL_OK) {
        return compile_memory(c);
    }

    workflow_path_add(&c->path, "rule");
    (void) compile_rule(c, workflow_node_get(c->doc->root, "rule"),
                        workflow->nsteps);

    if (c->doc->issues->total != 0) {
        return CEL_ERROR;
    }

    workflow_path_cut(&c->path, 0);
    workflow_path_add(&c->path, "%s", c->shown);
    workflow->output_type = compile_path(c);

    if (workflow->output_type == NULL || workflow->name == NULL
        || compile_index(c) != CEL_OK
        || workflow_account(workflow, c->headers) != CEL_OK)
    {
        return compile_memory(c);
    }

    compile_unused(c);

    return CEL_OK;
}


/* What conditions have in common has to be known before the first one is. */

static cel_status_t
compile_prepare(compile_t *c, const workflow_options_t *options)
{
    size_t                  size;
    const cel_allocator_t  *allocator;

    size = c->workflow->nsteps * sizeof(cel_tests_t);

    c->tests = cel_arena_alloc(&c->doc->arena, size + 1);
    if (c->tests == NULL) {
        return CEL_ERROR;
    }

    memset(c->tests, 0, size);

    if (options->plain || c->workflow->nsteps == 1) {
        return CEL_OK;
    }

    allocator = options->allocator != NULL ? options->allocator
                                           : &cel_allocator_libc;

    c->atoms = cel_atoms_create(allocator, c->workflow->first_slot
                                           + c->workflow->nvariables);
    if (c->atoms == NULL) {
        return CEL_ERROR;
    }

    return compile_count_parts(c, workflow_node_get(c->doc->root, "rule"));
}


static cel_status_t
compile_count_parts(compile_t *c, const workflow_node_t *rule)
{
    const workflow_node_t  *match, *node;

    for (match = workflow_node_get(rule, "match")->first;
         match != NULL;
         match = match->next)
    {
        node = workflow_node_get(match, "condition");

        if (node != NULL
            && cel_atoms_count(c->atoms, c->env, node->text, node->len)
               != CEL_OK)
        {
            return CEL_ERROR;
        }

        node = workflow_node_get(match, "rule");

        if (node != NULL && compile_count_parts(c, node) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    return CEL_OK;
}


static cel_status_t
compile_index(compile_t *c)
{
    uint32_t          i, n;
    workflow_atom_t  *atom;
    workflow_t       *workflow;

    if (c->atoms == NULL) {
        return CEL_OK;
    }

    workflow = c->workflow;
    n = cel_atoms_made(c->atoms);

    workflow->atoms = cel_arena_alloc(&workflow->arena,
                                      (n + 1) * sizeof(workflow_atom_t));
    if (workflow->atoms == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < n; i++) {
        atom = &workflow->atoms[i];
        atom->program = cel_atoms_take(c->atoms, i, &atom->offset);

        workflow->memory += cel_program_memory(atom->program);
    }

    workflow->natoms = n;

    return workflow_index_build(workflow, c->tests, &c->doc->arena);
}


/*
 * Lays out a rule.  none: the step to go on with when nothing in it matched.
 * Gives whether that can be, as far as literals tell.
 */

static bool
compile_rule(compile_t *c, const workflow_node_t *rule, uint32_t none)
{
    scope_t                *outer;
    uint32_t                i, len;
    compile_matches_t       m;
    const workflow_node_t  *node;

    outer = c->scope;
    node = workflow_node_get(rule, "variables");
    i = 0;

    for (node = node ? node->first : NULL; node != NULL; node = node->next) {
        len = workflow_path_add(&c->path, ".variables[%u]", i++);
        compile_variable(c, node);
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

    compile_leave(c, outer);

    return m.optional;
}


static void
compile_match(compile_t *c, const workflow_node_t *node,
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
    step->path = compile_path(c);

    if (!always) {
        compile_condition(c, node, step);
    }

    if (nested == NULL) {
        compile_output(c, node, step);
        optional = false;

    } else {
        workflow_path_add(&c->path, ".rule");
        step->line = nested->line;

        /* as cel-go: only an unconditional rule falls through */

        optional = compile_rule(c, nested, always ? next : m->none);
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


static void
compile_variable(compile_t *c, const workflow_node_t *node)
{
    uint32_t              i;
    workflow_variable_t  *variable;

    i = c->variables++;
    variable = &c->workflow->variables[i];

    c->usage[i].node = node;
    c->usage[i].used = false;

    variable->line = node->line;
    variable->path = compile_path(c);
    variable->program = compile_expression(c,
                                     workflow_node_get(node, "expression"),
                                     "expression");

    if (variable->program != NULL) {
        variable->chain = compile_chain(c, variable->program) + 1;

        if (variable->chain == WORKFLOW_MAX_CHAIN + 1) {
            workflow_issue(c->doc, WORKFLOW_I_LIMIT, node->offset,
                           c->path.text, "a variable that needs a variable "
                           "that needs ..., more than %d in a row",
                           WORKFLOW_MAX_CHAIN);
        }
    }

    compile_declare(c, node, variable, i);
}


/* visible from here to the end of its rule; dyn when it did not compile */

static void
compile_declare(compile_t *c, const workflow_node_t *node,
    workflow_variable_t *variable, uint32_t i)
{
    char                   *name;
    scope_t                *scope;
    cel_slot_t              slot;
    cel_status_t            rc;
    const workflow_node_t  *text;

    text = workflow_node_get(node, "name");
    scope = cel_arena_alloc(&c->doc->arena, sizeof(scope_t));
    name = cel_arena_alloc(&c->doc->arena, text->len + sizeof("variables."));

    if (scope == NULL || name == NULL) {
        compile_memory(c);
        return;
    }

    memcpy(name, "variables.", sizeof("variables.") - 1);
    memcpy(name + sizeof("variables.") - 1, text->text, text->len + 1);

    scope->name = name;
    scope->hidden = cel_env_hide(c->env, name);
    scope->next = c->scope;
    c->scope = scope;

    slot = c->workflow->first_slot + i;

    if (variable->program != NULL) {
        rc = cel_env_declare_result(c->env, name, variable->program, slot);

    } else {
        rc = cel_env_declare_type(c->env, name, cel_type_dyn(), slot,
                                  CEL_SIZE_BODY, 0);
    }

    if (rc != CEL_OK) {
        compile_memory(c);
    }
}


/* how many variables deep the ones are that a program reads */

static uint32_t
compile_chain(compile_t *c, const cel_program_t *program)
{
    uint32_t           i, n, chain;
    workflow_t        *workflow;
    const cel_slot_t  *slots;

    workflow = c->workflow;
    slots = cel_program_facts(program, &n);
    chain = 0;

    for (i = 0; i < n; i++) {
        if (slots[i] >= workflow->first_slot
            && workflow->variables[slots[i] - workflow->first_slot].chain
               > chain)
        {
            chain = workflow->variables[slots[i] - workflow->first_slot].chain;
        }
    }

    return chain;
}


static void
compile_leave(compile_t *c, scope_t *outer)
{
    scope_t  *scope;

    for (scope = c->scope; scope != outer; scope = scope->next) {

        (void) cel_env_undeclare(c->env, scope->name);

        if (scope->hidden != NULL) {
            cel_env_show(c->env, scope->hidden);
        }
    }

    c->scope = outer;
}


static void
compile_condition(compile_t *c, const workflow_node_t *match,
    workflow_step_t *step)
{
    char                    text[WORKFLOW_TYPE_MAX];
    uint32_t                len;
    const cel_type_t       *type;
    const workflow_node_t  *node;

    node = workflow_node_get(match, "condition");

    step->condition_line = node->line;
    step->condition = cel_compile_tests(c->env, node->text, node->len,
                                        c->atoms, &c->issues,
                                        &c->tests[step - c->workflow->steps]);
    step->condition = compile_result(c, node, "condition", step->condition);

    if (step->condition == NULL) {
        return;
    }

    type = cel_program_type(step->condition);
    cel_type_format(type, text, sizeof(text));

    len = workflow_path_add(&c->path, ".condition");

    if (!workflow_type_agree(text, "bool")) {
        workflow_issue(c->doc, WORKFLOW_I_EXPRESSION,
                       workflow_node_position(c->doc, node, 0), c->path.text,
                       "a condition must be bool, this is %s", text);

    } else if (c->warnings.count == 0) {
        workflow_warn_condition(c->doc, node, c->path.text, step->condition);
    }

    workflow_path_cut(&c->path, len);
}


static void
compile_output(compile_t *c, const workflow_node_t *match,
    workflow_step_t *step)
{
    uint32_t                len;
    workflow_output_t       output;
    const workflow_node_t  *node;

    node = workflow_node_get(match, "output");

    step->line = node->line;
    step->output = compile_expression(c, node, "output");

    compile_explanation(c, match);

    if (step->output == NULL) {
        return;
    }

    len = workflow_path_add(&c->path, ".output");

    if (!c->workflow->any_output) {
        output.doc = c->doc;
        output.path = c->path.text;
        output.node = node;
        output.program = step->output;
        output.headers = false;

        (void) workflow_output_check(&output);

        c->headers |= output.headers;
    }

    compile_agree(c, node, step->output);

    workflow_path_cut(&c->path, len);
}


static void
compile_agree(compile_t *c, const workflow_node_t *node,
    const cel_program_t *program)
{
    char  text[WORKFLOW_TYPE_MAX];

    cel_type_format(cel_program_type(program), text, sizeof(text));

    if (c->type[0] == '\0') {
        strcpy(c->type, text);
        strcpy(c->shown, text);
        return;
    }

    if (!workflow_type_agree(text, c->type)) {
        workflow_issue(c->doc, WORKFLOW_I_OUTPUT,
                       workflow_node_position(c->doc, node, 0), c->path.text,
                       "incompatible output types: block has output type "
                       "%.80s, but previous outputs have type %.80s", text,
                       c->type);
        return;
    }

    if (strcmp(c->type, "dyn") == 0) {
        strcpy(c->type, text);

    } else if (strcmp(text, "dyn") == 0 || strstr(text, "dyn") != NULL) {
        strcpy(c->shown, text);
    }
}


/* checked, so that it is right, and not evaluated */

static void
compile_explanation(compile_t *c, const workflow_node_t *match)
{
    char                    text[WORKFLOW_TYPE_MAX];
    uint32_t                len;
    cel_program_t          *program;
    const workflow_node_t  *node;

    node = workflow_node_get(match, "explanation");

    if (node == NULL) {
        return;
    }

    program = compile_expression(c, node, "explanation");

    if (program == NULL) {
        return;
    }

    cel_type_format(cel_program_type(program), text, sizeof(text));
    cel_program_destroy(program);

    if (!workflow_type_agree(text, "string")) {
        len = workflow_path_add(&c->path, ".explanation");
        workflow_issue(c->doc, WORKFLOW_I_EXPRESSION,
                       workflow_node_position(c->doc, node, 0), c->path.text,
                       "an explanation must be string, this is %s", text);
        workflow_path_cut(&c->path, len);
    }
}


static cel_program_t *
compile_expression(compile_t *c, const workflow_node_t *node,
    const char *key)
{
    cel_program_t  *program;

    program = cel_compile(c->env, node->text, node->len, &c->issues);

    return compile_result(c, node, key, program);
}


/* NULL: what the compilation said becomes issues of the document */

static cel_program_t *
compile_result(compile_t *c, const workflow_node_t *node, const char *key,
    cel_program_t *program)
{
    uint32_t  i, len;

    len = workflow_path_add(&c->path, ".%s", key);

    if (program != NULL) {
        workflow_warn_expression(c->doc, node, c->path.text, &c->warnings);
        workflow_path_cut(&c->path, len);
        compile_used(c, program);
        c->workflow->memory += cel_program_memory(program);
        return program;
    }

    for (i = 0; i < c->issues.count; i++) {
        compile_issue(c, node, &c->issues.items[i]);
    }

    if (c->issues.count == 0) {
        compile_memory(c);

    } else {
        c->doc->issues->total += c->issues.total - c->issues.count;
    }

    workflow_path_cut(&c->path, len);

    return NULL;
}


static void
compile_used(compile_t *c, const cel_program_t *program)
{
    uint32_t           i, n, variable;
    const cel_slot_t  *slots;

    slots = cel_program_facts(program, &n);

    for (i = 0; i < n; i++) {

        /* behind the variables there are the tests that matches share */

        variable = slots[i] - c->workflow->first_slot;

        if (slots[i] >= c->workflow->first_slot
            && variable < c->workflow->nvariables)
        {
            c->usage[variable].used = true;
        }
    }
}


static void
compile_unused(compile_t *c)
{
    uint32_t  i;

    for (i = 0; i < c->workflow->natoms; i++) {
        compile_used(c, c->workflow->atoms[i].program);
    }

    for (i = 0; i < c->workflow->nvariables; i++) {
        if (!c->usage[i].used) {
            workflow_warn_unused(c->doc, c->usage[i].node,
                                 c->workflow->variables[i].path);
        }
    }
}


static void
compile_issue(compile_t *c, const workflow_node_t *node,
    const cel_error_t *error)
{
    workflow_issue_kind_t  kind;

    kind = error->kind == CEL_E_TOO_LARGE || cel_error_is_fatal(error->kind)
           ? WORKFLOW_I_LIMIT : WORKFLOW_I_EXPRESSION;

    workflow_issue(c->doc, kind,
                   workflow_node_position(c->doc, node, error->offset),
                   c->path.text, "%s", error->message);
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


/* a copy that lives as long as the workflow */

static const char *
compile_path(compile_t *c)
{
    char  *path;

    path = cel_arena_alloc(&c->workflow->arena, c->path.len + 1);

    if (path == NULL) {
        compile_memory(c);
        return NULL;
    }

    return memcpy(path, c->path.text, c->path.len + 1);
}


static cel_status_t
compile_memory(compile_t *c)
{
    return workflow_issue(c->doc, WORKFLOW_I_LIMIT, 0, NULL,
                          "not enough memory for the workflow");
}
