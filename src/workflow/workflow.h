
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow.h - CEL Policy documents: JSON or YAML text to a checked, costed,
 * compiled rule tree, its evaluation, and the meaning of its outputs.  The
 * one public header of src/workflow; knows no nginx.
 *
 * Format and semantics: the policy package of cel-go (first match, nested
 * rules, lazy memoised variables, optional result when nothing matches,
 * outputs of one document agree in type, unreachable rules are errors).
 *
 * Threads: compile anywhere, one thread at a time per call; a workflow_t is
 * immutable and may be evaluated by any number of threads at once.
 */


#ifndef WORKFLOW_H_INCLUDED
#define WORKFLOW_H_INCLUDED


#include "cel.h"


typedef struct workflow_s  workflow_t;


typedef enum {
    WORKFLOW_JSON = 0,
    WORKFLOW_YAML
} workflow_format_t;


typedef enum {
    WORKFLOW_I_SYNTAX = 0,    /* the text is not JSON or YAML */
    WORKFLOW_I_DOCUMENT,      /* its shape is not a CEL Policy's */
    WORKFLOW_I_EXPRESSION,    /* an expression does not parse or check */
    WORKFLOW_I_OUTPUT,        /* an output is none of the allowed shapes */
    WORKFLOW_I_LIMIT,         /* too large, too deep, too costly */
    WORKFLOW_I_WARNING        /* right, and hardly meant */
} workflow_issue_kind_t;


#define WORKFLOW_PATH_MAX     160
#define WORKFLOW_EXCERPT_MAX  512
#define WORKFLOW_ISSUES_MAX   16

/* line and column are of the DOCUMENT, 1-based; 0 when unknown. */

typedef struct {
    workflow_issue_kind_t  kind;
    uint32_t               line;
    uint32_t               column;
    char                   path[WORKFLOW_PATH_MAX];   /* "rule.match[1].output"
                                                       */
    char                   message[CEL_MESSAGE_MAX];
    char                   excerpt[WORKFLOW_EXCERPT_MAX]; /* with caret */
} workflow_issue_t;

typedef struct {
    uint32_t               count;      /* filled */
    uint32_t               total;      /* found */
    workflow_issue_t       items[WORKFLOW_ISSUES_MAX];

    /* of a workflow that compiled: they refuse nothing */
    uint32_t               nwarnings;
    uint32_t               total_warnings;
    workflow_issue_t       warnings[WORKFLOW_ISSUES_MAX];
} workflow_issues_t;


/*
 * declare() announces the host's facts (slots 0 .. first_slot - 1) to the
 * env of one compilation; the document's variables take the slots after.
 */
typedef struct {
    const cel_allocator_t *allocator;
    const cel_limits_t    *limits;          /* NULL: the defaults */
    cel_status_t         (*declare)(void *ctx, cel_env_t *env);
    void                  *ctx;
    cel_slot_t             first_slot;
    uint32_t               max_rules;       /* matches in all, 0 = 10000 */
    uint32_t               max_depth;       /* nested rules, 0 = 32 */
    bool                   any_output;      /* suites: outputs of any shape */
    bool                   plain;           /* no index: every condition in
                                             * its order, to compare with */
} workflow_options_t;


/*
 * Text to workflow, owned by the caller; NULL with issues filled.  The text
 * is not referred to afterwards.  Deterministic: what compiled once compiles
 * again with the same options.
 */
workflow_t *workflow_compile(const char *text, size_t len,
    workflow_format_t format, const workflow_options_t *options,
    workflow_issues_t *issues);
void workflow_destroy(workflow_t *workflow);

/* The document's name, its id in the catalogue; NUL-terminated. */
const char *workflow_name(const workflow_t *workflow, size_t *len);

/*
 * Any YAML or JSON text as compact JSON text (libc malloc, the caller
 * frees), the form that is stored; NULL with issues.  Anchors, aliases,
 * tags, duplicate keys, several documents and non-string keys are refused.
 */
char *workflow_to_json(const char *text, size_t len,
    workflow_format_t format, size_t *json_len, workflow_issues_t *issues);


/* Slots the evaluation needs: eval->facts has at least this many. */
uint32_t workflow_slots(const workflow_t *workflow);

/* The host's slots that may be read, ascending, without doubles. */
const cel_slot_t *workflow_facts(const workflow_t *workflow,
    uint32_t *count);

/*
 * Worst and least case of one evaluation, every variable at most once.  The
 * worst case is that of the plain order: an index does not change it.
 */
uint64_t workflow_cost_max(const workflow_t *workflow,
    const cel_sizes_t *sizes);
uint64_t workflow_cost_min(const workflow_t *workflow);

size_t workflow_memory(const workflow_t *workflow);     /* bytes held */
uint32_t workflow_rules(const workflow_t *workflow);    /* matches in all */

/* Matches that an index may skip, and parts that conditions share. */
uint32_t workflow_indexed(const workflow_t *workflow);
uint32_t workflow_shared(const workflow_t *workflow);

/* "bool", "map(string, dyn)": the type that all outputs agree in. */
size_t workflow_output_type(const workflow_t *workflow, char *buf,
    size_t size);


/* What a workflow said.  Strings borrow from the arena or the workflow. */

typedef enum {
    WORKFLOW_NO_RESULT = 0,   /* nothing matched */
    WORKFLOW_ALLOW,
    WORKFLOW_DENY
} workflow_effect_t;

typedef struct {
    workflow_effect_t      effect;
    uint32_t               status;          /* 400..599 on deny, 0 = unset */
    const char            *outcome;         /* "ALLOW", "HOLD", never NULL
                                             * when there is a result */
    size_t                 outcome_len;
    const char            *message;         /* or NULL */
    size_t                 message_len;
    const char            *rule;            /* "rule.match[1]": which output
                                             * was taken; NULL = none */
    uint32_t               line;            /* of that output */
    cel_value_t            raw;             /* the output as evaluated */
    cel_value_t            headers;         /* CEL_MAP of strings, or null */
    cel_value_t            output;          /* "output" of a map, or null */
} workflow_verdict_t;


/*
 * Called for each condition and variable, in order (explain), with what it
 * cost, variables below it included; value is NULL when the evaluation failed:
 * eval->error says why.  path is borrowed during the call.  A condition that
 * the index knew to be false is told in its place, too: with value false, run's
 * `skipped` true, and cost 0, or what the look into the index cost.
 */
typedef void (*workflow_trace_pt)(void *ctx, const char *path, uint32_t line,
    const cel_value_t *value, uint64_t cost, const cel_eval_t *eval);


/*
 * Evaluates.  eval->fetch serves the host's slots, eval->facts has
 * workflow_slots() entries.  Returns
 *   CEL_OK     verdict filled (perhaps WORKFLOW_NO_RESULT: rule is NULL);
 *   CEL_NEED   eval->need; set facts[need] and call again: it starts over,
 *              and what it had cost is taken back;
 *   CEL_ERROR  eval->error; an output of a forbidden shape, status, header
 *              name or value is CEL_E_INVALID_ARGUMENT with *bad_output
 *              true: EnforcementFailure for the host, a deny.  verdict->rule
 *              and line tell the match that failed, effect is NO_RESULT.
 * trace may be NULL.  With any_output only raw, rule and line are filled.
 */
typedef struct {
    workflow_trace_pt      trace;
    void                  *trace_ctx;
    bool                   bad_output;      /* result */
    bool                   skipped;         /* during trace: see there */
} workflow_run_t;

cel_status_t workflow_eval(const workflow_t *workflow, cel_eval_t *eval,
    workflow_run_t *run, workflow_verdict_t *verdict);


/*
 * The short way to a plain "allow", for workflows that are brief: conditions
 * without variables, an index or aggregates, and an output that is the
 * constant true or 'ALLOW'.  True: that is what workflow_eval() would say, and
 * eval->cost what it would have cost; *rule, the output's path, with *rule_len
 * bytes, lives as long as the workflow.  False says nothing, neither a deny
 * nor an error: ask workflow_eval(), from the start.  eval as there.
 */
bool workflow_is_brief(const workflow_t *workflow);

/* What a brief one reads before anything else; CEL_NO_SLOT: not known. */
cel_slot_t workflow_first_fact(const workflow_t *workflow);
bool workflow_allows(const workflow_t *workflow, cel_eval_t *eval,
    const char **rule, size_t *rule_len);


/*
 * Suites: the tests.yaml of cel-go's policy/testdata (sections, tests,
 * input: {name: {value|expr}}, output: {value|expr|error}; dotted names build
 * nested objects).  The facts of workflow_facts.h have their types; other
 * names that a test gives are dyn, and so are the first parts of names that
 * are no facts (request: {auth: ...} makes all of request dyn).  report() is
 * called once per test.  Returns the number of failures, or -1 with issues of
 * the policy, -2 with issues of the suite.
 */
typedef struct {
    void                 (*report)(void *ctx, const char *section,
                                   const char *test, bool passed,
                                   const char *detail);
    void                  *ctx;
} workflow_report_t;

int workflow_suite(const char *policy, size_t policy_len,
    const char *suite, size_t suite_len, const workflow_report_t *report,
    workflow_issues_t *issues);


#endif /* WORKFLOW_H_INCLUDED */
