
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Agreement of types, on the text that cel_type_format() writes.  As in
 * cel-go, two types agree when one is assignable to the other: dyn agrees
 * with everything, parameters agree pair by pair.
 */


#include <string.h>
#include "workflow_policy.h"


/* "map(string, list(int))": its name, and what is in the parentheses */

typedef struct {
    const char  *name;
    const char  *end;
    size_t       name_len;
} workflow_type_text_t;


static bool type_agree(workflow_type_text_t *a, workflow_type_text_t *b);
static void type_open(workflow_type_text_t *type, const char *text,
    const char *end);
static bool type_parameter(const workflow_type_text_t *type,
    const char **pos, workflow_type_text_t *parameter);
static bool type_named(const workflow_type_text_t *type, const char *name);


bool
workflow_type_agree(const char *a, const char *b)
{
    workflow_type_text_t  ta, tb;

    type_open(&ta, a, a + strlen(a));
    type_open(&tb, b, b + strlen(b));

    return type_agree(&ta, &tb);
}


static bool
type_agree(workflow_type_text_t *a, workflow_type_text_t *b)
{
    const char            *pos_a, *pos_b;
    workflow_type_text_t   pa, pb;

    if (type_named(a, "dyn") || type_named(b, "dyn")) {
        return true;
    }

    if (type_named(a, "wrapper") && !type_named(b, "wrapper")) {
        if (type_named(b, "null")) {
            return true;
        }

        pos_a = NULL;
        return type_parameter(a, &pos_a, &pa) && type_agree(&pa, b);
    }

    if (type_named(b, "wrapper") && !type_named(a, "wrapper")) {
        return type_agree(b, a);
    }

    if (a->name_len != b->name_len
        || memcmp(a->name, b->name, a->name_len) != 0)
    {
        return false;
    }

    pos_a = NULL;
    pos_b = NULL;

    while (type_parameter(a, &pos_a, &pa) && type_parameter(b, &pos_b, &pb)) {
        if (!type_agree(&pa, &pb)) {
            return false;
        }
    }

    return true;
}


static void
type_open(workflow_type_text_t *type, const char *text, const char *end)
{
    while (text < end && *text == ' ') {
        text++;
    }

    type->name = text;
    type->end = end;

    while (text < end && *text != '(') {
        text++;
    }

    type->name_len = text - type->name;
}


/* the next parameter; *pos is NULL at first */

static bool
type_parameter(const workflow_type_text_t *type, const char **pos,
    workflow_type_text_t *parameter)
{
    int          depth;
    const char  *p, *start;

    start = *pos != NULL ? *pos : type->name + type->name_len + 1;

    if (start >= type->end) {
        return false;
    }

    depth = 0;

    for (p = start; p < type->end; p++) {

        if (*p == '(') {
            depth++;

        } else if (*p == ')') {
            if (depth-- == 0) {
                break;
            }

        } else if (*p == ',' && depth == 0) {
            break;
        }
    }

    type_open(parameter, start, p);
    *pos = p + 1;

    return true;
}


static bool
type_named(const workflow_type_text_t *type, const char *name)
{
    return type->name_len == strlen(name)
           && memcmp(type->name, name, type->name_len) == 0;
}
