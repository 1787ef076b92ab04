
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * From the inputs of a test to the facts its evaluation reads.  A name is a
 * fact's, below a fact's (input.policy.type), in nginx.var, or free; free
 * names make their first part a dyn object.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "workflow_suite.h"


static cel_status_t suite_bind_fact(suite_t *suite,
    const workflow_node_t *input, cel_slot_t slot, cel_eval_t *eval);
static cel_status_t suite_build(suite_t *suite, const workflow_node_t *input,
    const char *prefix, cel_eval_t *eval, cel_value_t *value);
static const workflow_node_t *suite_part(const workflow_node_t *input,
    const workflow_node_t *from, const char *prefix);
static bool suite_part_seen(const workflow_node_t *input,
    const workflow_node_t *name, const char *prefix);
static cel_status_t suite_typed(suite_t *suite, const workflow_node_t *node,
    const workflow_fact_t *fact, cel_eval_t *eval, cel_value_t *value);
static bool suite_all_strings(cel_eval_t *eval, const cel_value_t *value);
static cel_status_t suite_timestamp(suite_t *suite,
    const workflow_node_t *node, cel_eval_t *eval, cel_value_t *value);
static cel_status_t suite_json(suite_t *suite, const workflow_node_t *node,
    cel_eval_t *eval, cel_value_t *value);
static cel_status_t suite_own(suite_t *suite, const workflow_node_t *node,
    cel_eval_t *eval, cel_json_t *json, cel_program_t *program);


cel_status_t
suite_bind(suite_t *suite, const workflow_node_t *input, cel_eval_t *eval)
{
    char           root[256];
    cel_slot_t     slot;
    suite_name_t  *name;

    static const workflow_node_t  none = { .kind = WORKFLOW_NODE_MAP };

    if (input == NULL) {
        input = &none;
    }

    for (slot = 0; slot < WORKFLOW_FACT_COUNT; slot++) {
        if (suite_bind_fact(suite, input, slot, eval) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    for (name = suite->roots; name != NULL; name = name->next) {
        snprintf(root, sizeof(root), "%.*s", (int) name->len, name->text);

        if (suite_build(suite, input, root, eval, &eval->facts[name->slot])
            == CEL_ERROR)
        {
            return CEL_ERROR;
        }
    }

    for (name = suite->variables; name != NULL; name = name->next) {
        snprintf(root, sizeof(root), SUITE_VARIABLE "%.*s", (int) name->len,
                 name->text);

        if (suite_build(suite, input, root, eval, &eval->facts[name->slot])
            == CEL_ERROR)
        {
            return CEL_ERROR;
        }

        if (eval->facts[name->slot].kind != CEL_STRING
            && eval->facts[name->slot].kind != CEL_UNFETCHED)
        {
            return workflow_issue(suite->doc, WORKFLOW_I_DOCUMENT,
                                  input->offset, suite->where,
                                  "%s is a string", root);
        }
    }

    return CEL_OK;
}


/* a fact's own name, a part of its root's value, or names below it */

static cel_status_t
suite_bind_fact(suite_t *suite, const workflow_node_t *input,
    cel_slot_t slot, cel_eval_t *eval)
{
    char                    root[64];
    cel_status_t            rc;
    const char             *dot;
    const workflow_node_t  *given, *part;
    const workflow_fact_t  *fact;

    fact = workflow_fact(slot);
    dot = strchr(fact->name, '.');

    snprintf(root, sizeof(root), "%.*s", (int) strcspn(fact->name, "."),
             fact->name);

    if (suite_find(suite->roots, root, strlen(root)) != NULL) {
        return CEL_OK;
    }

    if (dot != NULL) {
        given = workflow_node_get(input, root);
        given = given != NULL ? workflow_node_get(given, "value") : NULL;
        part = given != NULL ? workflow_node_get(given, dot + 1) : NULL;

        if (part != NULL) {
            rc = suite_json(suite, part, eval, &eval->facts[slot]);

            return rc == CEL_OK ? suite_typed(suite, part, fact, eval,
                                              &eval->facts[slot])
                                : rc;
        }
    }

    rc = suite_build(suite, input, fact->name, eval, &eval->facts[slot]);

    if (rc == CEL_NOT_FOUND) {

        if (slot == WORKFLOW_FACT_INPUT) {
            eval->facts[slot] = cel_null();
        }

        return CEL_OK;
    }

    if (rc == CEL_OK) {
        given = workflow_node_get(input, fact->name);

        rc = suite_typed(suite, given != NULL ? given : input, fact, eval,
                         &eval->facts[slot]);
    }

    return rc;
}


/* the input of that name, or an object of those below it */

static cel_status_t
suite_build(suite_t *suite, const workflow_node_t *input, const char *prefix,
    cel_eval_t *eval, cel_value_t *value)
{
    char                    path[256];
    size_t                  skip, part;
    uint32_t                n;
    cel_value_t            *pairs;
    cel_status_t            rc;
    const workflow_node_t  *node;

    node = workflow_node_get(input, prefix);

    if (node != NULL) {
        return suite_value(suite, node, eval, value);
    }

    skip = strlen(prefix) + 1;
    n = 0;

    pairs = cel_arena_alloc(eval->arena,
                            (input->count + 1) * 2 * sizeof(cel_value_t));
    if (pairs == NULL) {
        return workflow_issue(suite->doc, WORKFLOW_I_LIMIT, input->offset,
                              suite->where, "not enough memory for the test");
    }

    for (node = suite_part(input, input->first, prefix);
         node != NULL;
         node = suite_part(input, node->next, prefix))
    {
        part = strcspn(node->text + skip, ".");

        snprintf(path, sizeof(path), "%.*s", (int) (skip + part), node->text);

        rc = suite_build(suite, input, path, eval, &pairs[n * 2 + 1]);

        if (rc != CEL_OK) {
            return CEL_ERROR;
        }

        pairs[n * 2] = cel_string(node->text + skip, part);
        n++;
    }

    if (n == 0) {
        return CEL_NOT_FOUND;
    }

    if (cel_map(eval->arena, pairs, n, value) != CEL_OK) {
        return workflow_issue(suite->doc, WORKFLOW_I_LIMIT, input->offset,
                              suite->where, "not enough memory for the test");
    }

    return CEL_OK;
}


/* the next name below prefix with a part that was not met before */

static const workflow_node_t *
suite_part(const workflow_node_t *input, const workflow_node_t *from,
    const char *prefix)
{
    size_t  len;

    len = strlen(prefix);

    for ( ; from != NULL; from = from->next) {
        if (strncmp(from->text, prefix, len) == 0 && from->text[len] == '.'
            && !suite_part_seen(input, from, prefix))
        {
            return from;
        }
    }

    return NULL;
}


static bool
suite_part_seen(const workflow_node_t *input, const workflow_node_t *name,
    const char *prefix)
{
    size_t                  len;
    const workflow_node_t  *before;

    len = strlen(prefix) + 1;
    len += strcspn(name->text + len, ".");

    for (before = input->first; before != name; before = before->next) {
        if (strncmp(before->text, name->text, len) == 0
            && (before->text[len] == '.' || before->text[len] == '\0'))
        {
            return true;
        }
    }

    return false;
}


/*
 * Programs trust the declared types, so a value of another is refused; a
 * timestamp may be given as text.
 */

static cel_status_t
suite_typed(suite_t *suite, const workflow_node_t *node,
    const workflow_fact_t *fact, cel_eval_t *eval, cel_value_t *value)
{
    bool         fits;
    const char  *type;

    type = fact->type;

    if (strcmp(type, "dyn") == 0) {
        return CEL_OK;

    } else if (strcmp(type, "string") == 0) {
        fits = value->kind == CEL_STRING;

    } else if (strcmp(type, "int") == 0) {
        fits = value->kind == CEL_INT;

    } else if (strcmp(type, "bool") == 0) {
        fits = value->kind == CEL_BOOL;

    } else if (strcmp(type, "list(string)") == 0) {
        fits = value->kind == CEL_LIST && suite_all_strings(eval, value);

    } else if (strcmp(type, "map(string, string)") == 0) {
        fits = value->kind == CEL_MAP && suite_all_strings(eval, value);

    } else if (strncmp(type, "map(", 4) == 0) {
        fits = value->kind == CEL_MAP;

    } else {
        if (value->kind == CEL_STRING
            && suite_timestamp(suite, node, eval, value) != CEL_OK)
        {
            return CEL_ERROR;
        }

        fits = value->kind == CEL_TIMESTAMP;
    }

    if (fits) {
        return CEL_OK;
    }

    return workflow_issue(suite->doc, WORKFLOW_I_DOCUMENT, node->offset,
                          suite->where, "%s is %s, the test gives something "
                          "else", fact->name, type);
}


static bool
suite_all_strings(cel_eval_t *eval, const cel_value_t *value)
{
    uint32_t     i;
    cel_value_t  key, item;

    for (i = 0; i < cel_size(value); i++) {

        key = cel_string("", 0);

        if (cel_entry(eval, value, i,
                      value->kind == CEL_MAP ? &key : NULL, &item)
            != CEL_OK
            || key.kind != CEL_STRING || item.kind != CEL_STRING)
        {
            return false;
        }
    }

    return true;
}


static cel_status_t
suite_timestamp(suite_t *suite, const workflow_node_t *node,
    cel_eval_t *eval, cel_value_t *value)
{
    int   n;
    char  text[80];

    n = snprintf(text, sizeof(text), "timestamp(r'%.*s')",
                 value->len < 50 ? (int) value->len : 50, value->s);

    return suite_expression(suite, node, text, n, eval, value);
}


cel_status_t
suite_value(suite_t *suite, const workflow_node_t *node, cel_eval_t *eval,
    cel_value_t *value)
{
    const workflow_node_t  *given;

    given = workflow_node_get(node, "expr");

    if (given != NULL) {
        return suite_expression(suite, given, given->text, given->len, eval,
                                value);
    }

    given = workflow_node_get(node, "value");

    if (given == NULL) {
        return workflow_issue(suite->doc, WORKFLOW_I_DOCUMENT, node->offset,
                              suite->where, "{value: ...} or {expr: ...} is "
                              "missing");
    }

    return suite_json(suite, given, eval, value);
}


cel_status_t
suite_expression(suite_t *suite, const workflow_node_t *node,
    const char *text, size_t len, cel_eval_t *eval, cel_value_t *value)
{
    uint32_t        offset;
    cel_env_t      *env;
    cel_issues_t    issues;
    cel_program_t  *program;
    cel_status_t    rc;

    memset(&issues, 0, sizeof(cel_issues_t));
    program = NULL;

    env = cel_env_create(&cel_allocator_libc, NULL);

    if (env != NULL && suite_declare(suite, env) == CEL_OK) {
        program = cel_compile(env, text, len, &issues);
    }

    if (env != NULL) {
        cel_env_destroy(env);
    }

    if (program == NULL) {
        offset = issues.count != 0 && text == node->text
                 ? workflow_node_position(suite->doc, node,
                                          issues.items[0].offset)
                 : node->offset;

        return workflow_issue(suite->doc, WORKFLOW_I_EXPRESSION, offset,
                              suite->where, "%s", issues.count != 0
                                                  ? issues.items[0].message
                                                  : "not enough memory");
    }

    if (suite_own(suite, node, eval, NULL, program) != CEL_OK) {
        return CEL_ERROR;
    }

    rc = cel_eval(program, eval, value);

    if (rc != CEL_OK) {
        return workflow_issue(suite->doc, WORKFLOW_I_EXPRESSION, node->offset,
                              suite->where, "%s", eval->error.message);
    }

    return CEL_OK;
}


static cel_status_t
suite_json(suite_t *suite, const workflow_node_t *node, cel_eval_t *eval,
    cel_value_t *value)
{
    char         *text;
    size_t        len;
    cel_json_t   *json;
    cel_error_t   error;

    text = workflow_node_to_json(node, &len);

    if (text == NULL) {
        return workflow_issue(suite->doc, WORKFLOW_I_LIMIT, node->offset,
                              suite->where, "not enough memory for the test");
    }

    json = cel_json_parse(suite->parser, text, len, NULL, &error);
    free(text);

    if (json == NULL) {
        return workflow_issue(suite->doc, WORKFLOW_I_DOCUMENT, node->offset,
                              suite->where, "%s", error.message);
    }

    if (suite_own(suite, node, eval, json, NULL) != CEL_OK) {
        return CEL_ERROR;
    }

    *value = cel_json_root(json);

    return CEL_OK;
}


/* kept to the end of the test */

static cel_status_t
suite_own(suite_t *suite, const workflow_node_t *node, cel_eval_t *eval,
    cel_json_t *json, cel_program_t *program)
{
    suite_owned_t  *owned;

    owned = cel_arena_alloc(eval->arena, sizeof(suite_owned_t));

    if (owned == NULL) {

        if (json != NULL) {
            cel_json_destroy(json);
        }

        if (program != NULL) {
            cel_program_destroy(program);
        }

        return workflow_issue(suite->doc, WORKFLOW_I_LIMIT, node->offset,
                              suite->where, "not enough memory for the test");
    }

    owned->json = json;
    owned->program = program;
    owned->next = suite->owned;
    suite->owned = owned;

    return CEL_OK;
}


void
suite_release(suite_t *suite)
{
    suite_owned_t  *owned;

    for (owned = suite->owned; owned != NULL; owned = owned->next) {

        if (owned->json != NULL) {
            cel_json_destroy(owned->json);
        }

        if (owned->program != NULL) {
            cel_program_destroy(owned->program);
        }
    }

    suite->owned = NULL;
}
