
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * constraintctl eval --jsonl: a SimpleTest a line in, a result a line out.
 * Whatever a line holds, an answer is printed and the next line is read.
 */


#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "cli_jsonl.h"


#define JSONL_COST      200000000
#define JSONL_MEMORY    (256 * 1024 * 1024)
#define JSONL_TYPE_MAX  512
#define JSONL_FACTS     256


/* names of one line: declared ones first, then bindings without a type */

typedef struct {
    const char           *names[JSONL_FACTS];
    char                  types[JSONL_FACTS][JSONL_TYPE_MAX];
    cel_value_t           values[JSONL_FACTS];
    uint32_t              count;
} jsonl_facts_t;


static json_t *jsonl_line(const char *text, size_t len);
static bool jsonl_shape(cli_line_t *line, const json_t *test);
static json_t *jsonl_test(cli_line_t *line, const json_t *test);
static bool jsonl_facts(cli_line_t *line, const json_t *test,
    jsonl_facts_t *facts);
static bool jsonl_declared(cli_line_t *line, const json_t *decl,
    jsonl_facts_t *facts);
static bool jsonl_bound(cli_line_t *line, const char *name,
    const json_t *bound, jsonl_facts_t *facts);
static bool jsonl_add(cli_line_t *line, jsonl_facts_t *facts,
    const char *name, uint32_t *i);
static json_t *jsonl_compile(cli_line_t *line, const json_t *test,
    const jsonl_facts_t *facts, cel_program_t **program);
static bool jsonl_functions(cli_line_t *line, const json_t *decls,
    cel_env_t *env);
static json_t *jsonl_type(const cel_program_t *program);
static json_t *jsonl_eval(cli_line_t *line, const cel_program_t *program,
    jsonl_facts_t *facts);
static cel_status_t jsonl_fetch(void *ctx, cel_eval_t *eval,
    cel_slot_t slot, cel_value_t *value);
static json_t *jsonl_error(const char *kind, const cel_error_t *error);
static json_t *jsonl_message(const char *kind, const char *message);


int
cli_jsonl(void)
{
    char     *text, *out;
    size_t    room;
    json_t   *answer;
    ssize_t   len;

    text = NULL;
    room = 0;

    while ((len = getline(&text, &room, stdin)) >= 0) {

        answer = jsonl_line(text, len);
        out = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;

        if (out != NULL) {
            puts(out);

        } else {
            puts("{\"error\":{\"kind\":\"eval\",\"message\":\"out of "
                 "memory\",\"line\":0,\"column\":0}}");
        }

        fflush(stdout);
        free(out);
        json_decref(answer);
    }

    free(text);

    return ferror(stdin) ? cli_fail(CLI_IO, "standard input could not be read")
                         : CLI_OK;
}


static json_t *
jsonl_line(const char *text, size_t len)
{
    json_t        *test, *answer;
    cli_line_t     line;
    json_error_t   error;

    /* int64 comes as text; what is a number may be a large double */

    test = json_loadb(text, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL
                                 | JSON_REJECT_DUPLICATES, &error);

    if (test == NULL) {
        return jsonl_message("parse", error.text);
    }

    memset(&line, 0, sizeof(cli_line_t));
    cel_arena_init(&line.arena, &cel_allocator_libc, NULL, 0, JSONL_MEMORY);

    if (!json_is_object(test) || !json_is_string(cli_field(test, "expr"))) {
        answer = jsonl_message("parse", "the line is no object with \"expr\", "
                               "a string");

    } else if (!jsonl_shape(&line, test)) {
        answer = jsonl_message("parse", line.message);

    } else {
        answer = jsonl_test(&line, test);
    }

    while (line.nprograms > 0) {
        cel_program_destroy(line.programs[--line.nprograms]);
    }

    cel_arena_reset(&line.arena);
    json_decref(test);

    return answer;
}


/* What is of another type would otherwise be as if it were not there. */

static bool
jsonl_shape(cli_line_t *line, const json_t *test)
{
    size_t         i;
    const json_t  *field;

    static const struct {
        const char  *name;
        json_type    type;
        const char  *what;
    } fields[] = {
        { "name", JSON_STRING, "a string" },
        { "container", JSON_STRING, "a string" },
        { "typeEnv", JSON_ARRAY, "a list" },
        { "bindings", JSON_OBJECT, "an object" },
        { "disableCheck", JSON_TRUE, "true or false" },
        { "disableMacros", JSON_TRUE, "true or false" },
        { "checkOnly", JSON_TRUE, "true or false" }
    };

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        field = cli_field(test, fields[i].name);

        if (field == NULL || json_typeof(field) == fields[i].type
            || (fields[i].type == JSON_TRUE && json_is_boolean(field)))
        {
            continue;
        }

        return cli_line_fail(line, "\"%s\" is not %s", fields[i].name,
                             fields[i].what);
    }

    return true;
}


static json_t *
jsonl_test(cli_line_t *line, const json_t *test)
{
    json_t         *answer;
    cel_program_t  *program;
    jsonl_facts_t  *facts;

    facts = calloc(1, sizeof(jsonl_facts_t));

    if (facts == NULL) {
        return NULL;
    }

    line->eval.arena = &line->arena;
    line->eval.facts = facts->values;
    line->eval.nfacts = JSONL_FACTS;
    line->eval.cost_limit = JSONL_COST;
    line->eval.fetch = jsonl_fetch;
    line->eval.fetch_ctx = facts;

    cel_eval_init(&line->eval);

    program = NULL;

    if (!jsonl_facts(line, test, facts)) {
        answer = jsonl_message("check", line->message);

    } else {
        answer = jsonl_compile(line, test, facts, &program);
    }

    if (program != NULL) {
        answer = json_is_true(cli_field(test, "checkOnly"))
                 ? jsonl_type(program) : jsonl_eval(line, program, facts);
        cel_program_destroy(program);
    }

    free(facts);

    return answer;
}


static bool
jsonl_facts(cli_line_t *line, const json_t *test, jsonl_facts_t *facts)
{
    size_t       i;
    json_t      *decls, *bindings, *bound;
    const char  *name;

    decls = cli_field(test, "typeEnv");
    bindings = cli_field(test, "bindings");

    for (i = 0; i < json_array_size(decls); i++) {
        if (!jsonl_declared(line, json_array_get(decls, i), facts)) {
            return false;
        }
    }

    json_object_foreach(bindings, name, bound) {
        if (!jsonl_bound(line, name, bound, facts)) {
            return false;
        }
    }

    return true;
}


/*
 * Decl: {name, ident: {type, value}}, the value of a constant; functions are
 * declared to the environment, see jsonl_functions().
 */

static bool
jsonl_declared(cli_line_t *line, const json_t *decl, jsonl_facts_t *facts)
{
    json_t      *ident, *value;
    uint32_t     i;
    const char  *name;

    name = json_string_value(cli_field(decl, "name"));
    ident = cli_field(decl, "ident");
    value = cli_field(ident, "value");

    if (name == NULL) {
        return cli_line_fail(line, "a declaration without a name");
    }

    if (ident == NULL) {
        return true;
    }

    if (!jsonl_add(line, facts, name, &i)
        || (value != NULL && !cli_value_read(line, value, &facts->values[i])))
    {
        return false;
    }

    return cli_type_read(line, cli_field(ident, "type"), facts->types[i],
                         JSONL_TYPE_MAX);
}


/* ExprValue: {value: Value} */

static bool
jsonl_bound(cli_line_t *line, const char *name, const json_t *bound,
    jsonl_facts_t *facts)
{
    json_t    *value;
    uint32_t   i;

    value = cli_field(bound, "value");

    if (value == NULL) {
        return cli_line_fail(line, "the binding %.64s has no value", name);
    }

    if (!jsonl_add(line, facts, name, &i)) {
        return false;
    }

    if (facts->types[i][0] == '\0') {
        strcpy(facts->types[i], "dyn");
    }

    return cli_value_read(line, value, &facts->values[i]);
}


static bool
jsonl_add(cli_line_t *line, jsonl_facts_t *facts, const char *name,
    uint32_t *i)
{
    for (*i = 0; *i < facts->count; (*i)++) {
        if (strcmp(facts->names[*i], name) == 0) {
            return true;
        }
    }

    if (facts->count == JSONL_FACTS) {
        return cli_line_fail(line, "more than %d names", JSONL_FACTS);
    }

    facts->names[facts->count++] = name;

    return true;
}


/* NULL with *program, or the answer */

static json_t *
jsonl_compile(cli_line_t *line, const json_t *test,
    const jsonl_facts_t *facts, cel_program_t **program)
{
    json_t        *expr;
    uint32_t       i;
    cel_env_t     *env;
    cel_limits_t   limits;
    cel_issues_t   issues;

    memset(&limits, 0, sizeof(cel_limits_t));
    memset(&issues, 0, sizeof(cel_issues_t));

    limits.disable_macros = json_is_true(cli_field(test, "disableMacros"));
    limits.disable_check = json_is_true(cli_field(test, "disableCheck"));
    limits.container = json_string_value(cli_field(test, "container"));

    env = cel_env_create(&cel_allocator_libc, &limits);

    if (env == NULL) {
        return NULL;
    }

    for (i = 0; i < facts->count; i++) {
        if (cel_env_declare(env, facts->names[i], facts->types[i], i,
                            CEL_SIZE_BODY, 0)
            != CEL_OK)
        {
            cel_env_destroy(env);
            cli_line_fail(line, "%.64s cannot be declared as %.128s",
                          facts->names[i], facts->types[i]);
            return jsonl_message("check", line->message);
        }
    }

    if (!jsonl_functions(line, cli_field(test, "typeEnv"), env)) {
        cel_env_destroy(env);
        return jsonl_message("check", line->message);
    }

    expr = cli_field(test, "expr");
    *program = cel_compile(env, json_string_value(expr),
                           json_string_length(expr), &issues);

    cel_env_destroy(env);

    if (*program != NULL) {
        return NULL;
    }

    if (issues.count == 0) {
        return jsonl_message("check", "the expression cannot be compiled");
    }

    return jsonl_error(issues.items[0].kind == CEL_E_CHECK ? "check"
                                                           : "parse",
                       &issues.items[0]);
}


/* Decl: {name, function: {overloads}}: known to the check alone */

static bool
jsonl_functions(cli_line_t *line, const json_t *decls, cel_env_t *env)
{
    char         signature[JSONL_TYPE_MAX];
    size_t       i, n;
    json_t      *decl, *overloads, *overload;
    const char  *name;

    json_array_foreach((json_t *) decls, i, decl) {

        name = json_string_value(cli_field(decl, "name"));
        overloads = cli_field(cli_field(decl, "function"), "overloads");

        json_array_foreach(overloads, n, overload) {

            if (!cli_type_signature(line, overload, signature,
                                    sizeof(signature)))
            {
                return false;
            }

            if (cel_env_declare_function(env, name, signature) != CEL_OK) {
                return cli_line_fail(line, "%.64s cannot be declared as "
                                     "%.128s", name, signature);
            }
        }
    }

    return true;
}


/* a test of the check alone */

static json_t *
jsonl_type(const cel_program_t *program)
{
    char  type[JSONL_TYPE_MAX];

    cel_type_format(cel_program_type(program), type, sizeof(type));

    return json_pack("{s:s}", "type", type);
}


static json_t *
jsonl_eval(cli_line_t *line, const cel_program_t *program,
    jsonl_facts_t *facts)
{
    char         type[JSONL_TYPE_MAX];
    json_t      *json;
    cel_value_t  value;
    uint64_t     cost;

    if (cel_eval(program, &line->eval, &value) != CEL_OK) {
        return jsonl_error("eval", &line->eval.error);
    }

    cost = line->eval.cost;
    json = cli_value_write(line, &value);

    if (json == NULL) {
        return jsonl_message("eval", line->message);
    }

    cel_type_format(cel_program_type(program), type, sizeof(type));

    return json_pack("{s:o, s:s, s:I}", "value", json, "type", type, "cost",
                     (json_int_t) cost);
}


/* a name that is declared and not bound */

static cel_status_t
jsonl_fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    jsonl_facts_t  *facts;

    facts = ctx;

    return cel_eval_fail(eval, CEL_E_FACT, "no such attribute: %s",
                         slot < facts->count ? facts->names[slot] : "?");
}


static json_t *
jsonl_error(const char *kind, const cel_error_t *error)
{
    json_t  *answer;

    answer = json_pack("{s:{s:s, s:s, s:I, s:I}}", "error", "kind", kind,
                       "message", error->message,
                       "line", (json_int_t) error->line,
                       "column", (json_int_t) error->column);

    return answer != NULL ? answer
                          : jsonl_message(kind, "a message that is no UTF-8");
}


static json_t *
jsonl_message(const char *kind, const char *message)
{
    cel_error_t  error;

    memset(&error, 0, sizeof(cel_error_t));
    snprintf(error.message, sizeof(error.message), "%s", message);

    return json_pack("{s:{s:s, s:s, s:i, s:i}}", "error", "kind", kind,
                     "message", error.message, "line", 0, "column", 0);
}


bool
cli_line_fail(cli_line_t *line, const char *fmt, ...)
{
    va_list  ap;

    va_start(ap, fmt);
    vsnprintf(line->message, sizeof(line->message), fmt, ap);
    va_end(ap);

    return false;
}
