
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What an output means when it is known only after its evaluation: effect,
 * outcome, message, status and headers, and what is refused.
 */


#include "bench.h"


/* outputs: what `input` is, given out as it is */

#define GIVE  "name: x\nrule: {match: [{output: input}]}\n"

/* with a letter of two bytes it is cut before that */
#define LONG63                                                                \
    "sixty-three-bytes-of-a-name-that-is-" "shown-up-to-64-bytes-of-it-"

typedef struct {
    const char           *input;
    workflow_effect_t     effect;       /* NO_RESULT: a bad output */
    const char           *outcome;      /* or a part of the error */
    uint32_t              status;
    const char           *message;
} output_t;

static const output_t  outputs[] = {

    { "true", WORKFLOW_ALLOW, "ALLOW", 0, NULL },
    { "false", WORKFLOW_DENY, "DENY", 0, NULL },
    { "\"ALLOW\"", WORKFLOW_ALLOW, "ALLOW", 0, NULL },
    { "\"allow\"", WORKFLOW_DENY, "allow", 0, NULL },
    { "\"HOLD\"", WORKFLOW_DENY, "HOLD", 0, NULL },
    { "{\"effect\": \"allow\"}", WORKFLOW_ALLOW, "ALLOW", 0, NULL },
    { "{\"effect\": \"deny\"}", WORKFLOW_DENY, "DENY", 0, NULL },
    { "{\"outcome\": \"ALLOW\"}", WORKFLOW_ALLOW, "ALLOW", 0, NULL },
    { "{\"outcome\": \"HOLD\", \"message\": \"m\", \"status\": 451}",
      WORKFLOW_DENY, "HOLD", 451, "m" },
    { "{\"outcome\": \"HOLD\", \"effect\": \"allow\", \"status\": 451}",
      WORKFLOW_ALLOW, "HOLD", 0, NULL },
    { "{\"effect\": \"deny\", \"outcome\": \"ALLOW\"}", WORKFLOW_DENY,
      "ALLOW", 0, NULL },
    { "{\"effect\": \"deny\", \"headers\": {\"x-a\": \"1\", \"x-b\": \"\"}}",
      WORKFLOW_DENY, "DENY", 0, NULL },

    { "null", WORKFLOW_NO_RESULT, "a bool, a string or a map", 0, NULL },
    { "1", WORKFLOW_NO_RESULT, "a bool, a string or a map", 0, NULL },
    { "[true]", WORKFLOW_NO_RESULT, "a bool, a string or a map", 0, NULL },
    { "\"\"", WORKFLOW_NO_RESULT, "1 to 128 bytes", 0, NULL },
    { "\"A\\n\"", WORKFLOW_NO_RESULT, "control", 0, NULL },
    { "{}", WORKFLOW_NO_RESULT, "\"effect\" or \"outcome\"", 0, NULL },
    { "{\"message\": \"m\"}", WORKFLOW_NO_RESULT, "needs", 0, NULL },
    { "{\"effect\": \"Allow\"}", WORKFLOW_NO_RESULT, "'allow' or 'deny'", 0,
      NULL },
    { "{\"effect\": true}", WORKFLOW_NO_RESULT, "'allow' or 'deny'", 0,
      NULL },
    { "{\"effect\": \"allow\", \"outcome\": 1}", WORKFLOW_NO_RESULT,
      "an outcome is", 0, NULL },
    { "{\"effect\": \"allow\", \"message\": null}", WORKFLOW_NO_RESULT,
      "\"message\" is a string", 0, NULL },
    { "{\"effect\": \"allow\", \"x\": 1}", WORKFLOW_NO_RESULT, "unknown key",
      0, NULL },
    { "{\"effect\": \"deny\", \"status\": 200}", WORKFLOW_NO_RESULT,
      "400 to 599", 0, NULL },
    { "{\"effect\": \"deny\", \"status\": 403.0}", WORKFLOW_NO_RESULT,
      "400 to 599", 0, NULL },
    { "{\"effect\": \"deny\", \"status\": \"403\"}", WORKFLOW_NO_RESULT,
      "400 to 599", 0, NULL },
    { "{\"effect\": \"deny\", \"status\": 18446744073709551615}",
      WORKFLOW_NO_RESULT, "400 to 599", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": []}", WORKFLOW_NO_RESULT,
      "map of strings", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x\": 1}}", WORKFLOW_NO_RESULT,
      "map of strings", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"\": \"a\"}}",
      WORKFLOW_NO_RESULT, "no token", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x y\": \"a\"}}",
      WORKFLOW_NO_RESULT, "no token", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x:\": \"a\"}}",
      WORKFLOW_NO_RESULT, "no token", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"a\\u0000\\n\\u007f"
      "\xc3\xa9\": \"a\"}}", WORKFLOW_NO_RESULT,
      "\"a???\xc3\xa9\" in \"headers\" is no token", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"" LONG63 "\xc3\xa9\": \"a\"}}",
      WORKFLOW_NO_RESULT, "\"" LONG63 "\" in \"headers\" is no token", 0,
      NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x\": \"a\\r\\nb: c\"}}",
      WORKFLOW_NO_RESULT, "\"x\" in \"headers\" has a control byte", 0,
      NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x\": \"\\u007f\"}}",
      WORKFLOW_NO_RESULT, "control byte", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"Host\": \"a\"}}",
      WORKFLOW_NO_RESULT, "\"Host\" in \"headers\"", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"content_LENGTH\": \"1\"}}",
      WORKFLOW_NO_RESULT, "governs", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"Transfer-Encoding\": \"a\"}}",
      WORKFLOW_NO_RESULT, "governs", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"te\": \"a\"}}",
      WORKFLOW_NO_RESULT, "governs", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"UPGRADE\": \"a\"}}",
      WORKFLOW_NO_RESULT, "governs", 0, NULL },
    { "{\"effect\": \"allow\", \"headers\": {\"x-a\": \"1\", \"X_A\":"
      " \"2\"}}", WORKFLOW_NO_RESULT,
      "\"X_A\" in \"headers\" is there twice", 0,
      NULL },
};


static void
check_output(const output_t *o)
{
    bench_t  b;

    begin(&b, GIVE, o->input);
    evaluate(&b);

    if (o->effect == WORKFLOW_NO_RESULT) {
        ok(b.rc == CEL_ERROR && b.run.bad_output
           && b.eval.error.kind == CEL_E_INVALID_ARGUMENT
           && b.verdict.effect == WORKFLOW_NO_RESULT
           && strstr(b.eval.error.message, o->outcome) != NULL,
           "%s is refused: %s", o->input, b.eval.error.message);

    } else {
        ok(b.rc == CEL_OK && !b.run.bad_output
           && b.verdict.effect == o->effect
           && b.verdict.outcome_len == strlen(o->outcome)
           && memcmp(b.verdict.outcome, o->outcome, b.verdict.outcome_len)
              == 0
           && b.verdict.status == o->status
           && (o->message == NULL) == (b.verdict.message == NULL),
           "%s is %s", o->input, o->outcome);
    }

    end(&b);
}


static void
check_many_headers(int count, int size, bool accepted)
{
    int       i;
    char     *input, *p;
    bench_t   b;

    input = malloc(200 + count * (size + 20));
    p = input + sprintf(input, "{\"effect\": \"allow\", \"headers\": {");

    for (i = 0; i < count; i++) {
        p += sprintf(p, "%s\"x%d\": \"%0*d\"", i ? ", " : "", i, size, 0);
    }

    strcpy(p, "}}");

    begin(&b, GIVE, input);
    evaluate(&b);

    ok((b.rc == CEL_OK) == accepted && b.run.bad_output == !accepted,
       "%d headers of %d bytes are %s", count, size,
       accepted ? "accepted" : "refused");

    end(&b);
    free(input);
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        check_output(&outputs[i]);
    }

    check_many_headers(64, 100, true);
    check_many_headers(65, 1, false);
    check_many_headers(2, 4200, false);

    is_int(bounds_broken, 0, "no evaluation cost more than its bound");

    return done_testing();
}
