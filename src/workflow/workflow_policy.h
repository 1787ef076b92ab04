
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * workflow_policy.h - a compiled workflow, and what the files that check,
 * compile, cost and evaluate it share; private to src/workflow.
 */


#ifndef WORKFLOW_POLICY_H_INCLUDED
#define WORKFLOW_POLICY_H_INCLUDED


#include "workflow_document.h"
#include "workflow_index.h"
#include "cel_cost_sum.h"


#define WORKFLOW_NAME_MAX       255
#define WORKFLOW_MAX_RULES      10000   /* matches in all */
#define WORKFLOW_MAX_DEPTH      32      /* rules in rules */
#define WORKFLOW_MAX_VARIABLES  1000
#define WORKFLOW_MAX_CHAIN      48      /* variables of variables */
#define WORKFLOW_TYPE_MAX       512
#define WORKFLOW_DEEP_PATH      2048
#define WORKFLOW_COLLECTED      UINT32_MAX      /* what was is the result */

/* what giving an output its meaning may cost, and its headers besides */
#define WORKFLOW_VERDICT_COST   8
#define WORKFLOW_MAX_HEADERS    64
#define WORKFLOW_HEADER_BYTES   8192    /* names and values together */


/*
 * A match.  Nested rules are laid out behind the match they belong to, so an
 * evaluation walks an array: a condition that is false goes to `otherwise`,
 * always further on; past the end means that nothing matched.
 */
typedef struct {
    cel_program_t        *condition;    /* NULL: true */
    cel_program_t        *output;       /* NULL: the nested rule follows */
    uint32_t              otherwise;
    uint32_t              line;         /* of the output or the rule */
    uint32_t              condition_line;
    bool                  last;         /* of its rule's matches */
    bool                  allows;       /* output: a constant, see brief */
    uint16_t              units;        /* that it costs then */
    uint16_t              path_len;     /* then */
    const char           *path;         /* "rule.match[1]" */
    const workflow_block_t *block;      /* NULL: the rule is not indexed */
} workflow_step_t;


typedef struct {
    cel_program_t        *program;
    uint32_t              line;
    uint32_t              chain;        /* variables below it, and itself */
    const char           *path;         /* "rule.variables[0]" */
} workflow_variable_t;


/* What conditions have in common; see cel_atom.h. */

typedef struct {
    cel_program_t        *program;
    uint32_t              offset;       /* what its errors' are from */
} workflow_atom_t;


struct workflow_s {
    /* all that workflow_allows() reads */
    workflow_step_t      *steps;
    uint32_t              nsteps;
    uint32_t              nfacts;
    cel_slot_t           *facts;
    uint32_t              nvariables;
    cel_slot_t            first_slot;
    uint32_t              natoms;
    bool                  brief;        /* see there */
    bool                  any_output;

    cel_arena_t           arena;        /* holds this, too */

    const char           *name;
    size_t                name_len;
    const char           *output_type;

    uint32_t             *then;         /* of each step, NULL without
                                         * aggregates: 0, the output is the
                                         * result; else it is collected, and
                                         * this step is next */

    workflow_variable_t  *variables;    /* facts[first_slot + i] */

    workflow_atom_t      *atoms;        /* in the slots after variables */
    uint32_t              indexed;      /* matches */
    uint64_t              index_cost;

    size_t                memory;       /* of the programs */
    cel_cost_sum_t        cost;
};


/* A path that grows and shrinks while the tree is walked. */

typedef struct {
    uint32_t              len;
    char                  text[WORKFLOW_DEEP_PATH];
} workflow_path_t;

/* workflow_path.c: returns the length before, for workflow_path_cut(). */
uint32_t workflow_path_add(workflow_path_t *path, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void workflow_path_cut(workflow_path_t *path, uint32_t len);


/* workflow_shape.c: is the document a CEL Policy? */

typedef struct {
    uint32_t              matches;
    uint32_t              aggregates;
    uint32_t              variables;
} workflow_shape_t;

cel_status_t workflow_shape_check(workflow_document_t *doc,
    const workflow_options_t *options, workflow_shape_t *shape);


/* workflow_create.c: with steps and variables that are zero; NULL: memory */
workflow_t *workflow_create(const workflow_options_t *options,
    const workflow_shape_t *shape);


/* workflow_import.c: tells env of them; CEL_ERROR with issues. */
cel_status_t workflow_imports(workflow_document_t *doc, cel_env_t *env);


/* workflow_warn.c: what is right and hardly meant */

/* what the compilation of node, an expression, left */
void workflow_warn_expression(workflow_document_t *doc,
    const workflow_node_t *node, const char *path,
    const cel_issues_t *warnings);

/* a condition that always has the same value */
void workflow_warn_condition(workflow_document_t *doc,
    const workflow_node_t *node, const char *path,
    const cel_program_t *program);

/* node: an output whose constant at the offset is 'ALLOW' but for its case */
void workflow_warn_outcome(workflow_document_t *doc,
    const workflow_node_t *node, const char *path, uint32_t offset);

/* node: a variable that nothing reads */
void workflow_warn_unused(workflow_document_t *doc,
    const workflow_node_t *node, const char *path);


/*
 * workflow_account.c: what is read and what it costs, once everything is
 * compiled.  CEL_ERROR when memory is out.
 */
cel_status_t workflow_account(workflow_t *workflow, bool headers);


/* workflow_brief.c: once everything is compiled; sets brief, allows, units */
void workflow_brief_find(workflow_t *workflow);


/* workflow_output.c: what outputs may be, and what they mean */

typedef struct {
    workflow_document_t  *doc;
    const char           *path;
    const workflow_node_t *node;        /* the expression */
    const cel_program_t  *program;
    bool                  headers;      /* result: it may have some */
} workflow_output_t;

cel_status_t workflow_output_check(workflow_output_t *output);

/*
 * Fills effect to output.  CEL_ERROR with eval->error, and run->bad_output
 * when the output has a forbidden shape.
 */
cel_status_t workflow_output_verdict(cel_eval_t *eval,
    const cel_value_t *output, workflow_run_t *run,
    workflow_verdict_t *verdict);


/* 1 to 128 bytes without control characters */
bool workflow_outcome_valid(const char *name, size_t len);


/* workflow_header.c */

bool workflow_header_name_valid(const char *name, size_t len);
bool workflow_header_value_valid(const char *value, size_t len);

/* a name of whatever bytes as an error shows it: cut, control bytes as '?' */
#define WORKFLOW_HEADER_SHOWN  65
void workflow_header_show(const char *name, size_t len,
    char shown[WORKFLOW_HEADER_SHOWN]);

/* are both the same header, whatever the case and "_" for "-"? */
bool workflow_header_same(const char *a, size_t a_len, const char *b,
    size_t b_len);


/* workflow_type.c: types as CEL writes them */

/* may values of both be the output of one document? */
bool workflow_type_agree(const char *a, const char *b);


#endif /* WORKFLOW_POLICY_H_INCLUDED */
