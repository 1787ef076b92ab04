
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The names that a suite gives and what they are declared as: facts, what is
 * below a fact, variables of nginx, and free names, of which the first part is
 * a dyn object.
 */


#include <stdio.h>
#include <string.h>
#include "workflow_suite.h"


static cel_status_t suite_name_test(suite_t *suite,
    const workflow_node_t *input);
static cel_status_t suite_name_parts(suite_t *suite,
    const workflow_node_t *name);
static cel_status_t suite_name_alone(suite_t *suite,
    const workflow_node_t *input, const workflow_node_t *name);
static bool suite_given(const workflow_node_t *name, const char *part);
static cel_status_t suite_name_free(suite_t *suite,
    const workflow_node_t *name);
static bool suite_fits(const workflow_node_t *name);
static bool suite_below_fact(const char *name, size_t len);
static bool suite_parts_are_facts(const workflow_node_t *name);
static cel_status_t suite_add(suite_t *suite, suite_name_t **list,
    const char *text, size_t len);
static cel_status_t suite_resolve(void *ctx, const char *literal, size_t len,
    cel_slot_t *slot, char message[CEL_MESSAGE_MAX]);


cel_status_t
suite_names(suite_t *suite)
{
    suite_name_t           *name;
    const workflow_node_t  *section, *test, *input;

    section = suite_sections(suite->doc);
    suite->first_slot = WORKFLOW_FACT_COUNT;

    for (section = section->first; section != NULL; section = section->next) {

        test = workflow_node_get(section, "tests");

        for (test = test->first; test != NULL; test = test->next) {
            input = workflow_node_get(test, "input");

            if (input != NULL && suite_name_test(suite, input) != CEL_OK) {
                return CEL_ERROR;
            }
        }
    }

    for (name = suite->roots; name != NULL; name = name->next) {
        name->slot = suite->first_slot++;
    }

    for (name = suite->variables; name != NULL; name = name->next) {
        name->slot = suite->first_slot++;
    }

    suite->absent = suite->first_slot++;

    return CEL_OK;
}


static cel_status_t
suite_name_test(suite_t *suite, const workflow_node_t *input)
{
    size_t                  skip;
    cel_status_t            rc;
    const workflow_node_t  *name;

    skip = sizeof(SUITE_VARIABLE) - 1;

    for (name = input->first; name != NULL; name = name->next) {

        if (suite_name_parts(suite, name) != CEL_OK
            || suite_name_alone(suite, input, name) != CEL_OK)
        {
            return CEL_ERROR;
        }

        if (strncmp(name->text, SUITE_VARIABLE, skip) == 0) {
            rc = suite_add(suite, &suite->variables, name->text + skip,
                           name->len - skip);

        } else if (suite_fits(name)) {
            continue;

        } else {
            rc = suite_name_free(suite, name);
        }

        if (rc != CEL_OK) {
            return rc;
        }
    }

    return CEL_OK;
}


/* what stands behind a part without a name is nothing's */

static cel_status_t
suite_name_parts(suite_t *suite, const workflow_node_t *name)
{
    if (name->len != 0
        && (name->text[0] == '.' || name->text[name->len - 1] == '.'
            || strstr(name->text, "..") != NULL))
    {
        return workflow_issue(suite->doc, WORKFLOW_I_DOCUMENT, name->offset,
                              NULL, "\"%.64s\" has a part without a name; "
                              "between dots and at both ends there is one",
                              name->text);
    }

    return CEL_OK;
}


/* no other input gives what this one does: one of them would be lost */

static cel_status_t
suite_name_alone(suite_t *suite, const workflow_node_t *input,
    const workflow_node_t *name)
{
    const workflow_node_t  *other;

    for (other = input->first; other != NULL; other = other->next) {

        if (other->len < name->len && name->text[other->len] == '.'
            && memcmp(name->text, other->text, other->len) == 0
            && suite_given(other, name->text + other->len + 1))
        {
            return workflow_issue(suite->doc, WORKFLOW_I_DOCUMENT,
                                  name->offset, NULL, "\"%.200s\" is given, "
                                  "too, and holds this name; give it in one of "
                                  "the two",
                                  other->text);
        }
    }

    return CEL_OK;
}


/* does the input give that part: facts by their root are taken one by one */

static bool
suite_given(const workflow_node_t *name, const char *part)
{
    char  key[256];

    if (!suite_parts_are_facts(name)) {
        return true;
    }

    snprintf(key, sizeof(key), "%.*s", (int) strcspn(part, "."), part);

    return workflow_node_get(workflow_node_get(name->value, "value"), key)
           != NULL;
}


/* the first part of a free name is what expressions read */

static cel_status_t
suite_name_free(suite_t *suite, const workflow_node_t *name)
{
    size_t  len;

    static const char  letters[] =
        "0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    len = strcspn(name->text, ".");

    if (len == 0 || strspn(name->text, letters + 10) == 0
        || strspn(name->text, letters) < len)
    {
        return workflow_issue(suite->doc, WORKFLOW_I_DOCUMENT, name->offset,
                              NULL, "\"%.64s\" is no name that an expression "
                              "reads: a letter or \"_\", then letters, digits "
                              "and \"_\", and parts with dots between them",
                              name->text);
    }

    return suite_add(suite, &suite->roots, name->text, len);
}


/* can the input be given to the facts as they are declared? */

static bool
suite_fits(const workflow_node_t *name)
{
    return workflow_fact_slot(name->text, name->len) != CEL_NO_SLOT
           || suite_below_fact(name->text, name->len)
           || suite_parts_are_facts(name);
}


static bool
suite_below_fact(const char *name, size_t len)
{
    cel_slot_t              slot;
    const workflow_fact_t  *fact;

    while (len > 0) {

        if (name[--len] != '.') {
            continue;
        }

        slot = workflow_fact_slot(name, len);

        if (slot != CEL_NO_SLOT) {
            fact = workflow_fact(slot);
            return strcmp(fact->type, "dyn") == 0
                   || strncmp(fact->type, "map(", 4) == 0;
        }
    }

    return false;
}


/* request: {value: {method: ..., path: ...}} */

static bool
suite_parts_are_facts(const workflow_node_t *name)
{
    char                    fact[160];
    size_t                  n;
    const workflow_node_t  *value, *key;

    value = workflow_node_get(name->value, "value");

    if (value == NULL || value->kind != WORKFLOW_NODE_MAP
        || value->first == NULL)
    {
        return false;
    }

    for (key = value->first; key != NULL; key = key->next) {
        n = snprintf(fact, sizeof(fact), "%.64s.%.64s", name->text,
                     key->text);

        if (workflow_fact_slot(fact, n) == CEL_NO_SLOT) {
            return false;
        }
    }

    return true;
}


static cel_status_t
suite_add(suite_t *suite, suite_name_t **list, const char *text, size_t len)
{
    suite_name_t  *name;

    if (suite_find(*list, text, len) != NULL) {
        return CEL_OK;
    }

    name = cel_arena_alloc(&suite->doc->arena, sizeof(suite_name_t));

    if (name == NULL) {
        return workflow_issue(suite->doc, WORKFLOW_I_LIMIT, 0, NULL,
                              "not enough memory for the suite");
    }

    name->text = text;
    name->len = len;
    name->slot = CEL_NO_SLOT;
    name->next = *list;
    *list = name;

    return CEL_OK;
}


suite_name_t *
suite_find(suite_name_t *list, const char *text, size_t len)
{
    for ( ; list != NULL; list = list->next) {
        if (list->len == len && memcmp(list->text, text, len) == 0) {
            return list;
        }
    }

    return NULL;
}


cel_status_t
suite_declare(void *ctx, cel_env_t *env)
{
    char                    text[256];
    suite_t                *suite;
    cel_slot_t              slot;
    suite_name_t           *name;
    const workflow_fact_t  *fact;

    suite = ctx;

    for (slot = 0; slot < WORKFLOW_FACT_COUNT; slot++) {
        fact = workflow_fact(slot);

        if (suite_find(suite->roots, fact->name, strcspn(fact->name, "."))
            != NULL)
        {
            continue;
        }

        if (cel_env_declare(env, fact->name, fact->type, slot, fact->size,
                            fact->flags)
            != CEL_OK)
        {
            return CEL_ERROR;
        }
    }

    for (name = suite->roots; name != NULL; name = name->next) {
        snprintf(text, sizeof(text), "%.*s", (int) name->len, name->text);

        if (cel_env_declare(env, text, "dyn", name->slot, CEL_SIZE_BODY, 0)
            != CEL_OK)
        {
            return CEL_ERROR;
        }
    }

    return cel_env_declare_resolver(env, "nginx.var", suite_resolve, suite);
}


static cel_status_t
suite_resolve(void *ctx, const char *literal, size_t len, cel_slot_t *slot,
    char message[CEL_MESSAGE_MAX])
{
    suite_t       *suite;
    suite_name_t  *name;

    suite = ctx;
    name = suite_find(suite->variables, literal, len);
    *slot = name != NULL ? name->slot : suite->absent;

    return CEL_OK;
}


const char *
suite_slot_name(const suite_t *suite, cel_slot_t slot, char *buf, size_t size)
{
    const suite_name_t  *name;

    if (slot < WORKFLOW_FACT_COUNT) {
        return workflow_fact_name(slot);
    }

    for (name = suite->roots; name != NULL; name = name->next) {
        if (name->slot == slot) {
            snprintf(buf, size, "%.*s", (int) name->len, name->text);
            return buf;
        }
    }

    for (name = suite->variables; name != NULL; name = name->next) {
        if (name->slot == slot) {
            snprintf(buf, size, "nginx.var('%.*s')", (int) name->len,
                     name->text);
            return buf;
        }
    }

    return "nginx.var() of a name no test gives";
}
