
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The index against the plain order: random documents with random facts have
 * the same result, the same rule, the same error at the same place, ask for
 * the same facts in the same order and explain the same conditions.
 *
 *     test_index [documents [seed]]
 */


#include "random_request.h"


#define DOCUMENTS  1500
#define REQUESTS   6
#define TRACES     8192


/* What can be seen of an evaluation. */

typedef struct {
    uint64_t              hash;         /* of each condition and variable */
} trace_t;

typedef struct {
    cel_status_t          rc;
    char                  result[4096];
    uint64_t              cost;
    uint32_t              needs;
    uint32_t              skipped;
    uint32_t              ntraces;
    uint64_t              traces[TRACES];
    uint64_t              traced;       /* cost of the conditions */
    bool                  broken;       /* a bound */
    workflow_run_t        run;
} seen_t;


static uint64_t
hash(uint64_t h, const void *p, size_t len)
{
    const unsigned char  *s;

    for (s = p; len-- > 0; s++) {
        h = (h ^ *s) * 0x100000001b3ull;
    }

    return h;
}


static void
trace(void *ctx, const char *path, uint32_t line, const cel_value_t *value,
    uint64_t cost, const cel_eval_t *eval)
{
    seen_t    *seen;
    uint64_t   h;

    seen = ctx;

    h = hash(0xcbf29ce484222325ull, path, strlen(path));
    h = hash(h, &line, sizeof(line));

    if (value == NULL) {
        h = hash(h, eval->error.message, strlen(eval->error.message));
        h = hash(h, &eval->error.line, sizeof(uint32_t));
        h = hash(h, &eval->error.column, sizeof(uint32_t));

    } else {
        h = hash(h, &value->kind, 1);

        if (value->kind == CEL_BOOL) {
            h = hash(h, &value->b, 1);
        }
    }

    if (getenv("TRACE") != NULL) {
        printf("# %s:%u %s %u:%u\n", path, line,
               value != NULL ? "value" : eval->error.message,
               eval->error.line, eval->error.column);
    }

    if (seen->ntraces < TRACES) {
        seen->traces[seen->ntraces++] = h;
    }

    /* what a variable costs is told again, with the condition's */

    if (strstr(path, ".condition") != NULL) {
        seen->traced += cost;
    }

    seen->skipped += seen->run.skipped;
}


static cel_status_t
run(const workflow_t *workflow, cel_eval_t *eval, host_t *host, seen_t *seen,
    workflow_verdict_t *verdict)
{
    cel_status_t  rc;

    for ( ;; ) {
        seen->ntraces = 0;
        seen->traced = 0;
        eval->need = CEL_NO_SLOT;

        rc = workflow_eval(workflow, eval, &seen->run, verdict);

        if (rc != CEL_NEED) {
            return rc;
        }

        if (eval->need >= WORKFLOW_FACT_COUNT || !host->late[eval->need]
            || eval->cost != 0)
        {
            seen->broken = true;
            return rc;
        }

        ask(host, 100 + eval->need);
        seen->needs++;

        /* what has failed to come stays away */

        host->late[eval->need] = false;

        if (!host->fails[eval->need]) {
            eval->facts[eval->need] = host->values[eval->need];
        }
    }
}


static void
evaluate(const workflow_t *workflow, const host_t *given, bool traced,
    seen_t *seen)
{
    int                  n;
    host_t               host;
    uint32_t             i;
    cel_eval_t           eval;
    cel_arena_t          arena;
    cel_sizes_t          sizes;
    workflow_verdict_t   verdict;

    host = *given;
    host.headers.host = &host;
    host.args.host = &host;
    host.values[WORKFLOW_FACT_REQUEST_HEADERS] =
        cel_object(&host.headers.object);
    host.values[WORKFLOW_FACT_REQUEST_ARGS] = cel_object(&host.args.object);

    memset(seen, 0, offsetof(seen_t, traces));
    seen->broken = false;
    seen->traced = 0;
    memset(&seen->run, 0, sizeof(workflow_run_t));
    seen->run.trace = traced ? trace : NULL;
    seen->run.trace_ctx = seen;

    memset(&eval, 0, sizeof(cel_eval_t));
    cel_arena_init(&arena, &cel_allocator_libc, NULL, 0, 1 << 22);

    eval.arena = &arena;
    eval.nfacts = workflow_slots(workflow);
    eval.facts = cel_arena_alloc(&arena, eval.nfacts * sizeof(cel_value_t));
    eval.fetch = fetch;
    eval.fetch_ctx = &host;

    cel_eval_init(&eval);

    seen->rc = run(workflow, &eval, &host, seen, &verdict);
    seen->cost = eval.cost;

    memset(&sizes, 0, sizeof(cel_sizes_t));
    sizes.bytes[CEL_SIZE_HEADERS] = 256;
    sizes.bytes[CEL_SIZE_BODY] = 512;

    if (eval.cost > workflow_cost_max(workflow, &sizes)
        || (seen->rc == CEL_OK && seen->needs == 0
            && eval.cost < workflow_cost_min(workflow)))
    {
        printf("# cost %lu, bounds %lu and %lu\n", (unsigned long) eval.cost,
               (unsigned long) workflow_cost_min(workflow),
               (unsigned long) workflow_cost_max(workflow, &sizes));
        seen->broken = true;
    }

    n = snprintf(seen->result, sizeof(seen->result), "%s:%u effect %d",
                 verdict.rule != NULL ? verdict.rule : "-", verdict.line,
                 (int) verdict.effect);

    if (seen->rc == CEL_OK && verdict.outcome != NULL) {
        n += snprintf(seen->result + n, sizeof(seen->result) - n,
                      " outcome %.*s", (int) verdict.outcome_len,
                      verdict.outcome);
    }

    if (seen->rc == CEL_ERROR) {
        n += snprintf(seen->result + n, sizeof(seen->result) - n,
                      " %s at %u:%u (%u): %s%s",
                      cel_error_kind_name(eval.error.kind), eval.error.line,
                      eval.error.column, eval.error.offset,
                      eval.error.message, seen->run.bad_output ? " bad" : "");
    }

    n += snprintf(seen->result + n, sizeof(seen->result) - n, " asked");

    for (i = 0; i < host.nasked; i++) {
        n += snprintf(seen->result + n, sizeof(seen->result) - n, " %u",
                      host.asked[i]);
    }

    cel_arena_reset(&arena);
}


/* Everything together. */

typedef struct {
    uint32_t              documents;
    uint32_t              refused;
    uint32_t              requests;
    uint32_t              different;
    uint32_t              explained;    /* differently */
    uint32_t              broken;
    uint32_t              indexed;
    uint32_t              shared;
    uint32_t              skipped;
    uint32_t              cheaper;
    uint32_t              errors;
    uint32_t              needs;
} totals_t;


static workflow_t *
compile(const document_t *d, bool plain, workflow_issues_t *issues)
{
    workflow_options_t  options;

    compile_options(&options);
    options.plain = plain;

    return workflow_compile(d->text, d->len, WORKFLOW_JSON, &options, issues);
}


static void
compare(const workflow_t *plain, const workflow_t *indexed,
    const host_t *host, totals_t *t)
{
    uint32_t        i;
    static seen_t   a, b, quick;

    evaluate(plain, host, true, &a);
    evaluate(indexed, host, true, &b);
    evaluate(indexed, host, false, &quick);

    t->requests++;
    t->skipped += b.skipped;
    t->cheaper += quick.cost < a.cost;
    t->errors += a.rc == CEL_ERROR;
    t->needs += a.needs;

    if (a.broken || b.broken || quick.broken || b.cost != quick.cost
        || b.traced > b.cost)
    {
        if (t->broken++ == 0) {
            printf("# costs: plain %lu, indexed %lu, %lu explained, %lu "
                   "without\n", (unsigned long) a.cost,
                   (unsigned long) b.cost, (unsigned long) b.traced,
                   (unsigned long) quick.cost);
        }
    }

    if (a.rc != b.rc || strcmp(a.result, b.result) != 0
        || a.rc != quick.rc || strcmp(a.result, quick.result) != 0)
    {
        if (t->different++ == 0) {
            printf("# plain:   %s\n# indexed: %s\n# quick:   %s\n", a.result,
                   b.result, quick.result);
        }
    }

    for (i = 0; i < a.ntraces && a.ntraces == b.ntraces; i++) {
        if (a.traces[i] != b.traces[i]) {
            break;
        }
    }

    if (a.ntraces != b.ntraces || i != a.ntraces) {
        if (t->explained++ == 0) {
            printf("# %u conditions explained, %u indexed, %u alike\n",
                   a.ntraces, b.ntraces, i);
        }
    }
}


/* The same requests for the document and, indexed, the other one. */

static void
requests(const document_t *document, const document_t *other, totals_t *t)
{
    char                text[1024];
    host_t              host;
    uint32_t            i, different;
    cel_json_t         *json;
    cel_error_t         error;
    workflow_t         *plain, *indexed;
    cel_json_parser_t  *parser;
    workflow_issues_t   a, b;

    plain = compile(document, true, &a);
    indexed = compile(other, false, &b);

    t->documents++;

    if (plain == NULL || indexed == NULL) {
        t->refused++;
        t->different += (plain == NULL) != (indexed == NULL)
                        || a.total != b.total;
        t->different += memcmp(&a.items[0], &b.items[0],
                               offsetof(workflow_issue_t, path)) != 0
                        || strcmp(a.items[0].message, b.items[0].message);

        if (getenv("SHOW") != NULL) {
            printf("# %s %s\n", a.items[0].path, a.items[0].message);
        }

        workflow_destroy(plain);
        workflow_destroy(indexed);
        return;
    }

    t->indexed += workflow_indexed(indexed);
    t->shared += workflow_shared(indexed);

    parser = cel_json_parser_create();
    different = t->different + t->explained + t->broken;

    for (i = 0; i < REQUESTS; i++) {
        make_host(&host);
        make_input(text, sizeof(text));

        json = cel_json_parse(parser, text, strlen(text), NULL, &error);
        host.values[WORKFLOW_FACT_INPUT] = cel_json_root(json);

        compare(plain, indexed, &host, t);

        cel_json_destroy(json);
    }

    if (getenv("SHOW") != NULL
        && different != t->different + t->explained + t->broken)
    {
        printf("%s\n", document->text);
        exit(1);
    }

    cel_json_parser_destroy(parser);
    workflow_destroy(plain);
    workflow_destroy(indexed);
}


/* with one constant less, so that the comparison has something to find */

static void
spoil(document_t *to, const document_t *from)
{
    char  *p;

    to->len = 0;
    to->room = from->room;
    to->text = realloc(to->text, to->room);
    memcpy(to->text, from->text, from->len + 1);
    to->len = from->len;

    for (p = to->text; (p = strstr(p, "== 'a'")) != NULL; p += 6) {
        p[4] = 'd';
    }

    for (p = to->text; (p = strstr(p, "== 2")) != NULL; p += 4) {
        p[3] = '7';
    }

    for (p = to->text; (p = strstr(p, "'GET'")) != NULL; p += 5) {
        p[1] = 'P';
    }

    for (p = to->text; (p = strstr(p, "'/a")) != NULL; p += 3) {
        p[2] = 'e';
    }
}


int
main(int argc, char **argv)
{
    uint32_t    i, n;
    totals_t    t, control;
    document_t  document, other;

    n = argc > 1 ? strtoul(argv[1], NULL, 10) : DOCUMENTS;
    random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20011;

    memset(&t, 0, sizeof(totals_t));
    memset(&control, 0, sizeof(totals_t));
    memset(&document, 0, sizeof(document_t));
    memset(&other, 0, sizeof(document_t));

    for (i = 0; i < n; i++) {
        make_document(&document);
        requests(&document, &document, &t);
    }

    printf("# %u documents (%u refused), %u requests: %u matches indexed, %u "
           "parts shared, %u conditions skipped, %u cheaper, %u errors, %u "
           "waits\n", t.documents, t.refused, t.requests, t.indexed, t.shared,
           t.skipped, t.cheaper, t.errors, t.needs);

    is_int(t.different, 0, "results, rules, errors and facts asked are those "
           "of the plain order");
    is_int(t.explained, 0, "and so is what explain tells");
    is_int(t.broken, 0, "no evaluation costs more than its estimate");

    ok(t.refused < t.documents / 4, "most documents compile");
    ok(t.indexed > t.documents, "there are indexed matches");
    ok(t.shared > t.documents / 4, "there are parts in common");
    ok(t.skipped > t.requests / 2, "the index skips conditions");
    ok(t.cheaper > t.requests / 4, "and makes evaluations cheaper");
    ok(t.errors > t.requests / 20, "some evaluations fail");
    ok(t.needs > t.requests / 20, "some wait for facts");

    for (i = 0; i < 100; i++) {
        make_document(&document);
        spoil(&other, &document);

        if (freopen("/dev/null", "a", stderr) == NULL) {
            return 1;
        }

        requests(&document, &other, &control);
    }

    ok(control.different + control.explained > 20, "the comparison finds a "
       "constant that is another one (%u of %u)", control.different,
       control.requests);

    free(document.text);
    free(other.text);

    return done_testing();
}
