/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What the tests of CEL's front end share: an env with some facts, one
 * expression parsed and checked in it, the tree as text.  Says nothing of
 * evaluation.
 */

#ifndef FRONT_H
#define FRONT_H


#include "cel_ast.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    cel_env_t      *env;
    cel_ast_t       ast;
    cel_arena_t     arena;
    cel_issues_t    issues;
    cel_status_t    status;
    const char     *source;
    size_t          len;
} front_t;


static inline cel_status_t
front_resolve(void *ctx, const char *literal, size_t len, cel_slot_t *slot,
    char message[CEL_MESSAGE_MAX])
{
    (void) ctx;

    if (len == 4 && memcmp(literal, "uri1", 4) == 0) {
        *slot = 99;
        return CEL_OK;
    }

    snprintf(message, CEL_MESSAGE_MAX, "is not listed");

    return CEL_ERROR;
}


static inline cel_env_t *
front_env(const cel_limits_t *limits)
{
    uint32_t    i;
    cel_env_t  *env;

    static const struct {
        const char        *name;
        const char        *type;
        cel_size_class_t   size;
        unsigned           flags;
    } facts[] = {
        { "x", "int", CEL_SIZE_SMALL, 0 },
        { "u", "uint", CEL_SIZE_SMALL, 0 },
        { "d", "double", CEL_SIZE_SMALL, 0 },
        { "s", "string", CEL_SIZE_HEADERS, 0 },
        { "b", "bool", CEL_SIZE_SMALL, 0 },
        { "l", "list(int)", CEL_SIZE_BODY, 0 },
        { "m", "map(string, int)", CEL_SIZE_BODY, 0 },
        { "w", "wrapper(int)", CEL_SIZE_SMALL, 0 },
        { "now", "google.protobuf.Timestamp", CEL_SIZE_SMALL, 0 },
        { "input", "dyn", CEL_SIZE_BODY, 0 },
        { "request.path", "string", CEL_SIZE_HEADERS, 0 },
        { "request.headers", "map(string, string)", CEL_SIZE_HEADERS,
          CEL_FACT_LOWER_KEYS },
        { "com.example.y", "string", CEL_SIZE_SMALL, 0 },
        { "com.y", "int", CEL_SIZE_SMALL, 0 },
        { "y", "bool", CEL_SIZE_SMALL, 0 },
    };

    env = cel_env_create(&cel_allocator_libc, limits);

    if (env == NULL) {
        return NULL;
    }

    for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        if (cel_env_declare(env, facts[i].name, facts[i].type, i,
                            facts[i].size, facts[i].flags) != CEL_OK)
        {
            ok(0, "%s is declared as %s", facts[i].name, facts[i].type);
        }
    }

    cel_env_declare_resolver(env, "nginx.var", front_resolve, NULL);

    return env;
}


/* source may hold NUL bytes; front_end() frees */

static inline void
front_begin(front_t *front, cel_env_t *env, const char *source, size_t len)
{
    memset(front, 0, sizeof(front_t));

    front->env = env;
    front->source = source;
    front->len = len;

    cel_arena_init(&front->arena, &cel_allocator_libc, NULL, 0, 0);

    front->status = cel_parse(env, source, len, &front->arena, &front->ast,
                              &front->issues);
}


static inline void
front_check(front_t *front)
{
    if (front->status == CEL_OK) {
        front->status = cel_check(front->env, &front->ast, &front->issues);
    }
}


static inline void
front_end(front_t *front)
{
    cel_arena_reset(&front->arena);
}


/* "LINE:COLUMN: MESSAGE" of the i-th issue, or "" */

static inline const char *
front_issue(const front_t *front, uint32_t i, char *buf, size_t size)
{
    const cel_error_t  *error;

    if (i >= front->issues.count) {
        return "";
    }

    error = &front->issues.items[i];
    snprintf(buf, size, "%u:%u: %s", (unsigned) error->line,
             (unsigned) error->column, error->message);

    return buf;
}


static inline void
front_put(char *buf, size_t size, const char *text)
{
    size_t  used;

    used = strlen(buf);
    snprintf(buf + used, size - used, "%s", text);
}


static inline void
front_put_value(char *buf, size_t size, const cel_value_t *v)
{
    char      text[64];
    uint32_t  i;

    switch (v->kind) {

    case CEL_NULL:
        front_put(buf, size, "null");
        return;

    case CEL_BOOL:
        front_put(buf, size, v->b ? "true" : "false");
        return;

    case CEL_INT:
        snprintf(text, sizeof(text), "%lld", (long long) v->i);
        break;

    case CEL_UINT:
        snprintf(text, sizeof(text), "%lluu", (unsigned long long) v->u);
        break;

    case CEL_DOUBLE:
        snprintf(text, sizeof(text), "%gd", v->d);
        break;

    default:
        front_put(buf, size, v->kind == CEL_BYTES ? "b'" : "'");

        for (i = 0; i < v->len; i++) {
            snprintf(text, sizeof(text),
                     v->s[i] >= 0x20 && v->s[i] < 0x7f ? "%c" : "\\x%02x",
                     (unsigned char) v->s[i]);
            front_put(buf, size, text);
        }

        front_put(buf, size, "'");
        return;
    }

    front_put(buf, size, text);
}


/* (name item item), [item], {key value}, a.b, has(a.b), (fold ...) */

static inline void
front_dump(char *buf, size_t size, const cel_node_t *node)
{
    uint32_t  i;

    switch (node->kind) {

    case CEL_N_CONST:
        front_put_value(buf, size, &node->value);
        return;

    case CEL_N_IDENT:
        front_put(buf, size, node->name);
        return;

    case CEL_N_SELECT:
        front_put(buf, size, node->test_only ? "has(" : "");
        front_dump(buf, size, node->target);
        front_put(buf, size, node->optional ? ".?" : ".");
        front_put(buf, size, node->name);
        front_put(buf, size, node->test_only ? ")" : "");
        return;

    case CEL_N_COMPREHENSION:
        front_put(buf, size, "(fold ");
        front_put(buf, size, node->fold->var);
        front_put(buf, size, node->fold->var2 != NULL ? "," : "");
        front_put(buf, size, node->fold->var2 != NULL ? node->fold->var2
                                                      : "");
        front_put(buf, size, " in ");
        front_dump(buf, size, node->fold->range);
        front_put(buf, size, " ");
        front_put(buf, size, node->fold->accu);
        front_put(buf, size, " = ");
        front_dump(buf, size, node->fold->init);
        front_put(buf, size, " while ");
        front_dump(buf, size, node->fold->cond);
        front_put(buf, size, " step ");
        front_dump(buf, size, node->fold->step);
        front_put(buf, size, " result ");
        front_dump(buf, size, node->fold->result);
        front_put(buf, size, ")");
        return;

    default:
        break;
    }

    front_put(buf, size, node->kind == CEL_N_LIST ? "["
                         : node->kind == CEL_N_MAP ? "{" : "(");

    if (node->target != NULL) {
        front_dump(buf, size, node->target);
        front_put(buf, size, ".");
    }

    if (node->name != NULL) {
        front_put(buf, size, node->name);
    }

    for (i = 0; i < node->nitems; i++) {
        front_put(buf, size, i > 0 || node->name != NULL ? " " : "");
        front_put(buf, size, node->item_flags != NULL && node->item_flags[i]
                             ? "?" : "");
        front_dump(buf, size, node->items[i]);
    }

    front_put(buf, size, node->kind == CEL_N_LIST ? "]"
                         : node->kind == CEL_N_MAP ? "}" : ")");
}


#endif /* FRONT_H */
