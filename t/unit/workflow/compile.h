
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * compile.h - what the tests compile: documents whose expressions see the
 * facts of the module.  Says nothing of what comes of them.
 */


#ifndef COMPILE_H_INCLUDED
#define COMPILE_H_INCLUDED


#include <stdlib.h>
#include "tap.h"
#include "workflow.h"
#include "workflow_facts.h"


static inline cel_status_t
compile_declare(void *ctx, cel_env_t *env)
{
    return workflow_facts_declare(env);
}


static inline void
compile_options(workflow_options_t *options)
{
    memset(options, 0, sizeof(workflow_options_t));

    options->declare = compile_declare;
    options->first_slot = WORKFLOW_FACT_COUNT;
}


/* YAML that has to be right; plain: the matches are tried in order */

static inline workflow_t *
compile_text(const char *text, bool plain)
{
    workflow_t          *workflow;
    workflow_issues_t    issues;
    workflow_options_t   options;

    compile_options(&options);
    options.plain = plain;

    workflow = workflow_compile(text, strlen(text), WORKFLOW_YAML, &options,
                                &issues);

    if (workflow == NULL) {
        printf("Bail out! %u:%u %s\n", issues.items[0].line,
               issues.items[0].column, issues.items[0].message);
        exit(1);
    }

    return workflow;
}


#endif /* COMPILE_H_INCLUDED */
