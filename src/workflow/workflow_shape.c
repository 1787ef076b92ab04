
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The shape of a CEL Policy: which keys stand where and of what kind their
 * values are.  Looks into no expression.  Goes on after an error, so that one
 * reading tells everything.
 */


#include <stdio.h>
#include <stdarg.h>
#include <string.h>
#include "workflow_policy.h"


typedef enum {
    SHAPE_TEXT = 0,           /* a string for people */
    SHAPE_EXPRESSION,
    SHAPE_LIST,
    SHAPE_RULE
} shape_kind_t;

typedef struct {
    const char            *name;
    shape_kind_t           kind;
    bool                   required;
} shape_key_t;

typedef struct {
    workflow_document_t   *doc;
    workflow_path_t        path;
    uint32_t               depth;
    uint32_t               max_depth;
    uint32_t               max_rules;
    workflow_shape_t      *counts;
    const workflow_node_t *aggregate;   /* that this is in, or NULL */
} shape_t;


static void shape_rule(shape_t *shape, const workflow_node_t *node);
static void shape_variables(shape_t *shape, const workflow_node_t *list);
static void shape_variable_name(shape_t *shape, const workflow_node_t *list,
    const workflow_node_t *variable);
static const workflow_node_t *shape_variable_before(
    const workflow_node_t *list, const workflow_node_t *variable,
    const char *text);
static void shape_lists(shape_t *shape, const workflow_node_t *rule);
static void shape_aggregate(shape_t *shape, const workflow_node_t *list);
static void shape_matches(shape_t *shape, const workflow_node_t *list,
    const char *name);
static void shape_match(shape_t *shape, const workflow_node_t *match);
static void shape_name(shape_t *shape, const workflow_node_t *name);
static bool shape_map(shape_t *shape, const workflow_node_t *node,
    const char *what, const shape_key_t *keys);
static void shape_value(shape_t *shape, const workflow_node_t *node,
    const shape_key_t *key);
static void shape_unknown(shape_t *shape, const workflow_node_t *node,
    const char *what, const shape_key_t *keys);
static uint32_t shape_distance(const char *a, const char *b);
static void shape_fail(shape_t *shape, const workflow_node_t *node,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));


static const shape_key_t  shape_policy_keys[] = {
    { "name", SHAPE_TEXT, true },
    { "description", SHAPE_TEXT, false },
    { "imports", SHAPE_LIST, false },
    { "rule", SHAPE_RULE, true },
    { NULL, SHAPE_TEXT, false }
};

static const shape_key_t  shape_rule_keys[] = {
    { "id", SHAPE_TEXT, false },
    { "description", SHAPE_TEXT, false },
    { "variables", SHAPE_LIST, false },
    { "match", SHAPE_LIST, false },
    { "aggregate", SHAPE_LIST, false },
    { NULL, SHAPE_TEXT, false }
};

static const shape_key_t  shape_variable_keys[] = {
    { "name", SHAPE_TEXT, true },
    { "expression", SHAPE_EXPRESSION, true },
    { NULL, SHAPE_TEXT, false }
};

static const shape_key_t  shape_match_keys[] = {
    { "condition", SHAPE_EXPRESSION, false },
    { "output", SHAPE_EXPRESSION, false },
    { "explanation", SHAPE_EXPRESSION, false },
    { "rule", SHAPE_RULE, false },
    { NULL, SHAPE_TEXT, false }
};


cel_status_t
workflow_shape_check(workflow_document_t *doc,
    const workflow_options_t *options, workflow_shape_t *counts)
{
    shape_t                 shape;
    const workflow_node_t  *node;

    shape.doc = doc;
    shape.path.len = 0;
    shape.path.text[0] = '\0';
    shape.depth = 0;
    shape.max_depth = options->max_depth ? options->max_depth
                                         : WORKFLOW_MAX_DEPTH;
    shape.max_rules = options->max_rules ? options->max_rules
                                         : WORKFLOW_MAX_RULES;
    shape.counts = counts;
    shape.aggregate = NULL;

    memset(counts, 0, sizeof(workflow_shape_t));

    if (shape_map(&shape, doc->root, "a workflow", shape_policy_keys)) {

        node = workflow_node_get(doc->root, "name");

        if (node != NULL && node->kind == WORKFLOW_NODE_STRING) {
            shape_name(&shape, node);
        }

        node = workflow_node_get(doc->root, "rule");

        if (node != NULL) {
            workflow_path_add(&shape.path, "rule");
            shape_rule(&shape, node);
            workflow_path_cut(&shape.path, 0);
        }
    }

    return doc->issues->total != 0 ? CEL_ERROR : CEL_OK;
}


static void
shape_rule(shape_t *shape, const workflow_node_t *node)
{
    const workflow_node_t  *list;

    if (++shape->depth > shape->max_depth) {
        workflow_issue(shape->doc, WORKFLOW_I_LIMIT, node->offset,
                       shape->path.text, "more than %u nested rules",
                       shape->max_depth);

    } else if (shape_map(shape, node, "a rule", shape_rule_keys)) {

        list = workflow_node_get(node, "variables");

        if (list != NULL && list->kind == WORKFLOW_NODE_LIST) {
            shape_variables(shape, list);
        }

        shape_lists(shape, node);
    }

    shape->depth--;
}


/* the first of the matches counts, or all of an aggregate */

static void
shape_lists(shape_t *shape, const workflow_node_t *rule)
{
    const workflow_node_t  *match, *aggregate;

    match = workflow_node_get(rule, "match");
    aggregate = workflow_node_get(rule, "aggregate");

    if (match == NULL && aggregate == NULL) {
        shape_fail(shape, rule, "a rule needs \"match\"");
    }

    if (match != NULL && aggregate != NULL) {
        shape_fail(shape, rule, "Only one of 'match' or 'aggregate' may be "
                   "set in a rule");
        return;
    }

    if (match != NULL && match->kind == WORKFLOW_NODE_LIST) {
        shape_matches(shape, match, "match");
    }

    if (aggregate != NULL && aggregate->kind == WORKFLOW_NODE_LIST) {
        shape_aggregate(shape, aggregate);
    }
}


static void
shape_aggregate(shape_t *shape, const workflow_node_t *list)
{
    shape->counts->aggregates++;

    if (shape->aggregate != NULL) {
        shape_fail(shape, list, "nested aggregate rules are not allowed: this "
                   "is inside the one on line %u", shape->aggregate->line);
        return;
    }

    shape->aggregate = list;
    shape_matches(shape, list, "aggregate");
    shape->aggregate = NULL;
}


static void
shape_variables(shape_t *shape, const workflow_node_t *list)
{
    uint32_t                i, len;
    const workflow_node_t  *variable;

    i = 0;

    for (variable = list->first; variable != NULL; variable = variable->next) {

        len = workflow_path_add(&shape->path, ".variables[%u]", i++);

        if (++shape->counts->variables == WORKFLOW_MAX_VARIABLES + 1) {
            workflow_issue(shape->doc, WORKFLOW_I_LIMIT, variable->offset,
                           shape->path.text,
                           "more than %d variables in all rules",
                           WORKFLOW_MAX_VARIABLES);
        }

        if (shape->counts->variables <= WORKFLOW_MAX_VARIABLES
            && shape_map(shape, variable, "a variable", shape_variable_keys))
        {
            shape_variable_name(shape, list, variable);
        }

        workflow_path_cut(&shape->path, len);
    }
}


static void
shape_variable_name(shape_t *shape, const workflow_node_t *list,
    const workflow_node_t *variable)
{
    size_t                  n;
    const workflow_node_t  *name, *other;
    const char *const      *word;

    static const char *const  reserved[] = {
        "true", "false", "null", "in", "as", "break", "const", "continue",
        "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while", NULL
    };

    name = workflow_node_get(variable, "name");

    if (name == NULL || name->kind != WORKFLOW_NODE_STRING) {
        return;
    }

    n = strspn(name->text, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    if (n != name->len || n == 0 || n > WORKFLOW_NAME_MAX
        || (name->text[0] >= '0' && name->text[0] <= '9'))
    {
        shape_fail(shape, name, "\"%.64s\" is no variable name: a letter or "
                   "\"_\", then letters, digits and \"_\"", name->text);
        return;
    }

    for (word = reserved; *word != NULL; word++) {
        if (strcmp(name->text, *word) == 0) {
            shape_fail(shape, name, "\"%s\" is a reserved word of CEL",
                       *word);
            return;
        }
    }

    other = shape_variable_before(list, variable, name->text);

    if (other != NULL) {
        shape_fail(shape, name, "overlapping identifier: the variable "
                   "\"%.64s\" is there already, on line %u; a nested rule "
                   "may shadow it, the same rule may not", name->text,
                   other->line);
    }
}


static const workflow_node_t *
shape_variable_before(const workflow_node_t *list,
    const workflow_node_t *variable, const char *text)
{
    const workflow_node_t  *other, *name;

    for (other = list->first; other != variable; other = other->next) {
        name = workflow_node_get(other, "name");

        if (name != NULL && name->kind == WORKFLOW_NODE_STRING
            && strcmp(name->text, text) == 0)
        {
            return name;
        }
    }

    return NULL;
}


static void
shape_matches(shape_t *shape, const workflow_node_t *list, const char *name)
{
    uint32_t                i, len;
    const workflow_node_t  *match;

    if (list->count == 0) {
        shape_fail(shape, list, "a rule needs at least one match");
        return;
    }

    i = 0;

    for (match = list->first; match != NULL; match = match->next) {

        len = workflow_path_add(&shape->path, ".%s[%u]", name, i++);

        if (++shape->counts->matches == shape->max_rules + 1) {
            workflow_issue(shape->doc, WORKFLOW_I_LIMIT, match->offset,
                           shape->path.text,
                           "more than %u matches in all rules",
                           shape->max_rules);
        }

        if (shape->counts->matches <= shape->max_rules
            && shape_map(shape, match, "a match", shape_match_keys))
        {
            shape_match(shape, match);
        }

        workflow_path_cut(&shape->path, len);
    }
}


static void
shape_match(shape_t *shape, const workflow_node_t *match)
{
    uint32_t                len;
    const workflow_node_t  *rule, *output;

    rule = workflow_node_get(match, "rule");
    output = workflow_node_get(match, "output");

    if (rule == NULL && output == NULL) {
        shape_fail(shape, match, "a match needs an output or a rule");
        return;
    }

    if (rule == NULL) {
        return;
    }

    if (output != NULL) {
        shape_fail(shape, match, "a match has an output or a rule, not both");
    }

    if (workflow_node_get(match, "explanation") != NULL) {
        shape_fail(shape, match, "an explanation belongs to an output, not "
                   "to a nested rule");
    }

    len = workflow_path_add(&shape->path, ".rule");
    shape_rule(shape, rule);
    workflow_path_cut(&shape->path, len);
}


static void
shape_name(shape_t *shape, const workflow_node_t *name)
{
    size_t              n;
    const char *const  *word;

    static const char *const  reserved[] = {
        "execute", "metadata", "unload", "check", "off", ".", "..", NULL
    };

    workflow_path_add(&shape->path, "name");

    n = strspn(name->text, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-");

    if (n != name->len || n == 0 || n > WORKFLOW_NAME_MAX) {
        shape_fail(shape, name, "a workflow's name has 1 to %d characters of "
                   "A-Z a-z 0-9 . _ : -", WORKFLOW_NAME_MAX);
    }

    for (word = reserved; *word != NULL; word++) {
        if (strcmp(name->text, *word) == 0) {
            shape_fail(shape, name, "\"%s\" is reserved, take another name",
                       *word);
        }
    }

    workflow_path_cut(&shape->path, 0);
}


/* a map with these keys; false when it is no map at all */

static bool
shape_map(shape_t *shape, const workflow_node_t *node, const char *what,
    const shape_key_t *keys)
{
    uint32_t                len;
    const shape_key_t      *key;
    const workflow_node_t  *item;

    if (node->kind != WORKFLOW_NODE_MAP) {
        shape_fail(shape, node, "%s is a map, this is %s", what,
                   workflow_node_kind_name(node));
        return false;
    }

    for (item = node->first; item != NULL; item = item->next) {

        for (key = keys; key->name != NULL; key++) {
            if (strcmp(key->name, item->text) == 0) {
                break;
            }
        }

        len = workflow_path_add(&shape->path, "%s%.64s",
                                shape->path.len != 0 ? "." : "", item->text);

        if (key->name == NULL) {
            shape_unknown(shape, item, what, keys);

        } else {
            shape_value(shape, item->value, key);
        }

        workflow_path_cut(&shape->path, len);
    }

    for (key = keys; key->name != NULL; key++) {
        if (key->required && workflow_node_get(node, key->name) == NULL) {
            shape_fail(shape, node, "%s needs \"%s\"", what, key->name);
        }
    }

    return true;
}


static void
shape_value(shape_t *shape, const workflow_node_t *node,
    const shape_key_t *key)
{
    switch (key->kind) {

    case SHAPE_TEXT:
        if (node->kind != WORKFLOW_NODE_STRING) {
            shape_fail(shape, node, "\"%s\" is a string, this is %s",
                       key->name, workflow_node_kind_name(node));
        }

        break;

    case SHAPE_EXPRESSION:
        if (node->kind == WORKFLOW_NODE_STRING) {
            break;
        }

        if (node->kind == WORKFLOW_NODE_MAP
            || node->kind == WORKFLOW_NODE_LIST)
        {
            shape_fail(shape, node, "\"%s\" is a CEL expression in a string, "
                       "this is %s: put it in quotes and its strings in "
                       "single ones, \"{'outcome': 'DENY'}\"", key->name,
                       workflow_node_kind_name(node));
            break;
        }

        shape_fail(shape, node, "\"%s\" is a CEL expression in a string, this "
                   "is %s: put it in quotes", key->name,
                   workflow_node_kind_name(node));
        break;

    case SHAPE_LIST:
        if (node->kind != WORKFLOW_NODE_LIST) {
            shape_fail(shape, node, "\"%s\" is a list, this is %s",
                       key->name, workflow_node_kind_name(node));
        }

        break;

    case SHAPE_RULE:
        break;
    }
}


/* an unknown key, and the known one that may be meant */

static void
shape_unknown(shape_t *shape, const workflow_node_t *node, const char *what,
    const shape_key_t *keys)
{
    size_t              n;
    char                list[128];
    uint32_t            distance, least;
    const shape_key_t  *key, *nearest;

    nearest = NULL;
    least = 3;
    n = 0;

    for (key = keys; key->name != NULL; key++) {
        distance = shape_distance(node->text, key->name);

        if (distance < least) {
            least = distance;
            nearest = key;
        }

        n += snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
                      key->name);
    }

    if (nearest != NULL) {
        shape_fail(shape, node, "%s has no key \"%.64s\", did you mean "
                   "\"%s\"?", what, node->text, nearest->name);

    } else {
        shape_fail(shape, node, "%s has no key \"%.64s\", only %s", what,
                   node->text, list);
    }
}


/* Levenshtein's; texts over 15 bytes are far from any key */

static uint32_t
shape_distance(const char *a, const char *b)
{
    uint32_t  row[16], above, left, cost, i, j, na, nb;

    na = strlen(a);
    nb = strlen(b);

    if (na > 15 || nb > 15) {
        return 16;
    }

    for (j = 0; j <= nb; j++) {
        row[j] = j;
    }

    for (i = 1; i <= na; i++) {
        above = row[0];
        row[0] = i;

        for (j = 1; j <= nb; j++) {
            cost = above + (a[i - 1] != b[j - 1]);
            left = row[j - 1] + 1;
            above = row[j];

            cost = left < cost ? left : cost;
            row[j] = above + 1 < cost ? above + 1 : cost;
        }
    }

    return row[nb];
}


static void
shape_fail(shape_t *shape, const workflow_node_t *node, const char *fmt, ...)
{
    char     message[CEL_MESSAGE_MAX];
    va_list  ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);

    workflow_issue(shape->doc, WORKFLOW_I_DOCUMENT, node->offset,
                   shape->path.text, "%s", message);
}
