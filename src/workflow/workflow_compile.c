
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * From a document to a workflow: every expression is compiled in the scope of
 * its rule and checked for what its place demands.  One env serves the whole
 * document; scopes are made by declaring and taking back.  Here is what comes
 * before and after the rules; knows the shape of the tree from
 * workflow_shape.c, evaluates nothing.
 */


#include <string.h>
#include "workflow_compile.h"


static cel_status_t compile_policy(workflow_compile_t *c,
    const workflow_options_t *options);
static cel_status_t compile_prepare(workflow_compile_t *c,
    const workflow_options_t *options);
static uint32_t compile_conditions(const workflow_node_t *rule);
static cel_status_t compile_count_parts(workflow_compile_t *c,
    const workflow_node_t *rule);
static cel_status_t compile_index(workflow_compile_t *c);
static void compile_unused(workflow_compile_t *c);


workflow_t *
workflow_compile(const char *text, size_t len, workflow_format_t format,
    const workflow_options_t *options, workflow_issues_t *issues)
{
    workflow_t           *workflow;
    workflow_shape_t      shape;
    workflow_compile_t   *c;
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
        c = cel_arena_alloc(&doc.arena, sizeof(workflow_compile_t));
    }

    if (c == NULL) {
        workflow_issue(&doc, WORKFLOW_I_LIMIT, 0, NULL,
                       "not enough memory for the workflow");
        goto done;
    }

    memset(c, 0, sizeof(workflow_compile_t));

    c->doc = &doc;
    c->workflow = workflow;
    c->usage = cel_arena_alloc(&doc.arena, (workflow->nvariables + 1)
                                           * sizeof(workflow_usage_t));

    c->env = cel_env_create(options->allocator != NULL
                            ? options->allocator : &cel_allocator_libc,
                            options->limits);

    if (c->env == NULL || c->usage == NULL
        || cel_env_keep_result(c->env) != CEL_OK)
    {
        workflow_compile_memory(c);

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
compile_policy(workflow_compile_t *c, const workflow_options_t *options)
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
    workflow->name = workflow_compile_path(c);
    workflow_path_cut(&c->path, 0);

    (void) workflow_imports(c->doc, c->env);

    if (compile_prepare(c, options) != CEL_OK) {
        return workflow_compile_memory(c);
    }

    workflow_path_add(&c->path, "rule");
    (void) workflow_compile_rule(c, workflow_node_get(c->doc->root, "rule"),
                                 workflow->nsteps);

    if (c->doc->issues->total != 0) {
        return CEL_ERROR;
    }

    workflow_path_cut(&c->path, 0);
    workflow_path_add(&c->path, "%s", c->shown);
    workflow->output_type = workflow_compile_path(c);

    if (workflow->output_type == NULL || workflow->name == NULL
        || compile_index(c) != CEL_OK
        || workflow_account(workflow, c->headers) != CEL_OK)
    {
        return workflow_compile_memory(c);
    }

    workflow_brief_find(workflow);
    compile_unused(c);

    return CEL_OK;
}


/* What conditions have in common has to be known before the first one is. */

static cel_status_t
compile_prepare(workflow_compile_t *c, const workflow_options_t *options)
{
    size_t                  size;
    const cel_allocator_t  *allocator;
    const workflow_node_t  *rule;

    size = c->workflow->nsteps * sizeof(cel_tests_t);

    c->tests = cel_arena_alloc(&c->doc->arena, size + 1);
    if (c->tests == NULL) {
        return CEL_ERROR;
    }

    memset(c->tests, 0, size);

    rule = workflow_node_get(c->doc->root, "rule");

    if (options->plain || c->workflow->then != NULL
        || compile_conditions(rule) < 2)
    {
        return CEL_OK;
    }

    allocator = options->allocator != NULL ? options->allocator
                                           : &cel_allocator_libc;

    c->atoms = cel_atoms_create(allocator, c->workflow->first_slot
                                           + c->workflow->nvariables);
    if (c->atoms == NULL) {
        return CEL_ERROR;
    }

    return compile_count_parts(c, rule);
}


/* One alone has nothing in common with another. */

static uint32_t
compile_conditions(const workflow_node_t *rule)
{
    uint32_t                n;
    const workflow_node_t  *match, *nested;

    n = 0;

    for (match = workflow_node_get(rule, "match")->first;
         match != NULL;
         match = match->next)
    {
        n += workflow_node_get(match, "condition") != NULL;

        nested = workflow_node_get(match, "rule");

        if (nested != NULL) {
            n += compile_conditions(nested);
        }
    }

    return n;
}


static cel_status_t
compile_count_parts(workflow_compile_t *c, const workflow_node_t *rule)
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
compile_index(workflow_compile_t *c)
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


static void
compile_unused(workflow_compile_t *c)
{
    uint32_t  i;

    for (i = 0; i < c->workflow->natoms; i++) {
        workflow_compile_used(c, c->workflow->atoms[i].program);
    }

    for (i = 0; i < c->workflow->nvariables; i++) {
        if (!c->usage[i].used) {
            workflow_warn_unused(c->doc, c->usage[i].node,
                                 c->workflow->variables[i].path);
        }
    }
}


/* a copy that lives as long as the workflow */

const char *
workflow_compile_path(workflow_compile_t *c)
{
    char  *path;

    path = cel_arena_alloc(&c->workflow->arena, c->path.len + 1);

    if (path == NULL) {
        workflow_compile_memory(c);
        return NULL;
    }

    return memcpy(path, c->path.text, c->path.len + 1);
}


cel_status_t
workflow_compile_memory(workflow_compile_t *c)
{
    return workflow_issue(c->doc, WORKFLOW_I_LIMIT, 0, NULL,
                          "not enough memory for the workflow");
}
