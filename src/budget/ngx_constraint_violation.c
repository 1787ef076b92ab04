/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Violations as plain data, and their JSON.  Numbers are written without a
 * locale and as short as they can be; nothing is measured here.
 */


#include "ngx_constraint_violation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    const char    *name;
    const char    *allowed;
    const char    *actual;
    uint64_t       allowed_unit;     /* of 1 in the JSON */
    uint64_t       actual_unit;
} ngx_constraint_violation_shape_t;


static char *ngx_constraint_violation_json(char *p,
    const ngx_constraint_violation_t *violation);
static char *ngx_constraint_violation_text(char *p, const char *text);
static char *ngx_constraint_violation_number(char *p, uint64_t value,
    uint64_t unit);
static char *ngx_constraint_violation_rate(char *p, double rate);


static const ngx_constraint_violation_shape_t
    ngx_constraint_violation_shapes[] =
{
    [NGX_CONSTRAINT_VIOLATION_TIMEOUT] =
        { "TimeoutExceeded", "allowed_ms", "actual_ms", 1000, 1000 },

    [NGX_CONSTRAINT_VIOLATION_MEMORY] =
        { "MemoryExceeded", "limit_bytes", "actual_bytes", 1, 1 },

    [NGX_CONSTRAINT_VIOLATION_CPU] =
        { "CpuExceeded", "shares", "actual_usage_percent", 1, 1000 },

    [NGX_CONSTRAINT_VIOLATION_COST] =
        { "CostExceeded", "limit_units", "actual_units", 1, 1 },

    [NGX_CONSTRAINT_VIOLATION_SAMPLED_OUT] =
        { "SampledOut", "sampling_rate", NULL, 1, 1 }
};


const char *
ngx_constraint_violation_name(ngx_constraint_violation_e type)
{
    return ngx_constraint_violation_shapes[type].name;
}


const char *
ngx_constraint_violations_name(const ngx_constraint_violations_t *violations)
{
    switch (violations->count) {

    case 0:
        return "";

    case 1:
        return ngx_constraint_violation_name(violations->items[0].type);

    default:
        return "MultipleViolations";
    }
}


void
ngx_constraint_violation_add(ngx_constraint_violations_t *violations,
    ngx_constraint_violation_e type, uint64_t allowed, uint64_t actual)
{
    uint32_t                     i;
    ngx_constraint_violation_t  *items;

    if (violations->count == NGX_CONSTRAINT_VIOLATIONS_MAX) {
        return;
    }

    items = violations->items;

    for (i = violations->count; i > 0 && items[i - 1].type > type; i--) {
        items[i] = items[i - 1];
    }

    items[i].type = type;
    items[i].allowed = allowed;
    items[i].actual = actual;
    items[i].sampling_rate = 0;

    violations->count++;
}


void
ngx_constraint_violation_sampled(ngx_constraint_violations_t *violations,
    double rate)
{
    violations->count = 0;

    ngx_constraint_violation_add(violations,
                                 NGX_CONSTRAINT_VIOLATION_SAMPLED_OUT, 0, 0);

    violations->items[0].sampling_rate = rate;
}


char *
ngx_constraint_violations_json(char *p,
    const ngx_constraint_violations_t *violations)
{
    uint32_t  i;

    if (violations->count == 0) {
        return p;
    }

    if (violations->count == 1) {
        return ngx_constraint_violation_json(p, &violations->items[0]);
    }

    p = ngx_constraint_violation_text(p, "{\"MultipleViolations\":[");

    for (i = 0; i < violations->count; i++) {
        if (i > 0) {
            *p++ = ',';
        }

        p = ngx_constraint_violation_json(p, &violations->items[i]);
    }

    return ngx_constraint_violation_text(p, "]}");
}


static char *
ngx_constraint_violation_json(char *p,
    const ngx_constraint_violation_t *violation)
{
    const ngx_constraint_violation_shape_t  *shape;

    shape = &ngx_constraint_violation_shapes[violation->type];

    p = ngx_constraint_violation_text(p, "{\"");
    p = ngx_constraint_violation_text(p, shape->name);
    p = ngx_constraint_violation_text(p, "\":{\"");
    p = ngx_constraint_violation_text(p, shape->allowed);
    p = ngx_constraint_violation_text(p, "\":");

    if (shape->actual == NULL) {
        p = ngx_constraint_violation_rate(p, violation->sampling_rate);
        return ngx_constraint_violation_text(p, "}}");
    }

    p = ngx_constraint_violation_number(p, violation->allowed,
                                        shape->allowed_unit);
    p = ngx_constraint_violation_text(p, ",\"");
    p = ngx_constraint_violation_text(p, shape->actual);
    p = ngx_constraint_violation_text(p, "\":");
    p = ngx_constraint_violation_number(p, violation->actual,
                                        shape->actual_unit);

    return ngx_constraint_violation_text(p, "}}");
}


static char *
ngx_constraint_violation_text(char *p, const char *text)
{
    size_t  len;

    len = strlen(text);
    memcpy(p, text, len);

    return p + len;
}


/* in units of 1 or 1000: at most three decimals, no zeros at the end */

static char *
ngx_constraint_violation_number(char *p, uint64_t value, uint64_t unit)
{
    char  text[32];

    (void) sprintf(text, "%llu", (unsigned long long) (value / unit));
    p = ngx_constraint_violation_text(p, text);

    if (value % unit == 0) {
        return p;
    }

    (void) sprintf(text, ".%03u", (unsigned) (value % unit));
    p = ngx_constraint_violation_text(p, text);

    while (p[-1] == '0') {
        p--;
    }

    return p;
}


/* the shortest text that reads as the same number; nginx has no locale */

static char *
ngx_constraint_violation_rate(char *p, double rate)
{
    int   digits;
    char  text[32];

    for (digits = 1; digits <= 17; digits++) {
        (void) sprintf(text, "%.*g", digits, rate);

        if (strtod(text, NULL) == rate) {
            break;
        }
    }

    return ngx_constraint_violation_text(p, text);
}
