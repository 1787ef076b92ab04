
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What is known of a workflow without running it, as JSON: its issues, the
 * facts it may read, what it may cost.
 */


#include "ngx_http_constraint_api.h"


static json_t *ngx_http_constraint_api_issue_list(
    const workflow_issue_t *issues, uint32_t count);
static json_t *ngx_http_constraint_api_facts(const workflow_t *workflow);
static json_t *ngx_http_constraint_api_cost(const workflow_t *workflow,
    const cel_sizes_t *sizes);
static json_t *ngx_http_constraint_api_units(uint64_t units);


json_t *
ngx_http_constraint_api_issues(const workflow_issues_t *issues)
{
    return ngx_http_constraint_api_issue_list(issues->items, issues->count);
}


json_t *
ngx_http_constraint_api_warnings(const workflow_issues_t *issues)
{
    return ngx_http_constraint_api_issue_list(issues->warnings,
                                              issues->nwarnings);
}


static json_t *
ngx_http_constraint_api_issue_list(const workflow_issue_t *issues,
    uint32_t count)
{
    json_t                  *list, *item;
    uint32_t                 i;
    const workflow_issue_t  *issue;

    list = json_array();

    for (i = 0; i < count; i++) {
        issue = &issues[i];

        item = json_pack("{s:o,s:o}", "path",
                         ngx_http_constraint_api_string(issue->path,
                                                  ngx_strlen(issue->path)),
                         "message",
                         ngx_http_constraint_api_string(issue->message,
                                                 ngx_strlen(issue->message)));

        if (issue->line) {
            (void) json_object_set_new(item, "line",
                                       json_integer(issue->line));
            (void) json_object_set_new(item, "column",
                                       json_integer(issue->column));
        }

        if (issue->excerpt[0]) {
            (void) json_object_set_new(item, "excerpt",
                         ngx_http_constraint_api_string(issue->excerpt,
                                                 ngx_strlen(issue->excerpt)));
        }

        (void) json_array_append_new(list, item);
    }

    return list;
}


ngx_uint_t
ngx_http_constraint_api_issues_syntax(const workflow_issues_t *issues)
{
    return issues->count && issues->items[0].kind == WORKFLOW_I_SYNTAX;
}


void
ngx_http_constraint_api_describe(json_t *object, const workflow_t *workflow,
    const cel_sizes_t *sizes)
{
    char  type[128];

    workflow_output_type(workflow, type, sizeof(type));

    (void) json_object_set_new(object, "output_type", json_string(type));
    (void) json_object_set_new(object, "rules",
                               json_integer(workflow_rules(workflow)));
    (void) json_object_set_new(object, "indexed",
                               json_integer(workflow_indexed(workflow)));
    (void) json_object_set_new(object, "facts",
                               ngx_http_constraint_api_facts(workflow));
    (void) json_object_set_new(object, "cost",
                               ngx_http_constraint_api_cost(workflow, sizes));
    (void) json_object_set_new(object, "memory_bytes",
                               json_integer(workflow_memory(workflow)));
}


static json_t *
ngx_http_constraint_api_facts(const workflow_t *workflow)
{
    json_t                 *list;
    uint32_t                i, n;
    const cel_slot_t       *slots;
    const workflow_fact_t  *fact;

    list = json_array();
    slots = workflow_facts(workflow, &n);

    for (i = 0; i < n; i++) {
        fact = workflow_fact(slots[i]);

        /* what lies behind the known ones are variables of nginx */

        (void) json_array_append_new(list, json_pack("{s:s,s:s}", "name",
                                         fact ? fact->name : "nginx.var",
                                         "type",
                                         fact ? fact->type : "string"));
    }

    return list;
}


static json_t *
ngx_http_constraint_api_cost(const workflow_t *workflow,
    const cel_sizes_t *sizes)
{
    return json_pack("{s:o,s:o,s:I,s:I}",
                     "min",
                     ngx_http_constraint_api_units(
                                           workflow_cost_min(workflow)),
                     "max",
                     ngx_http_constraint_api_units(
                                           workflow_cost_max(workflow, sizes)),
                     "header_bytes",
                     (json_int_t) sizes->bytes[CEL_SIZE_HEADERS],
                     "body_bytes",
                     (json_int_t) sizes->bytes[CEL_SIZE_BODY]);
}


/* null: no useful bound */

static json_t *
ngx_http_constraint_api_units(uint64_t units)
{
    return units > INT64_MAX ? json_null() : json_integer((json_int_t) units);
}
