
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Facts that are not there yet: the evaluation stops at once, and after the
 * fact has come gives the same as if it had been there; lazy variables that
 * are evaluations within.
 */


#include "back.h"


typedef struct {
    uint32_t        fetched[BACK_FACTS];
    bool            there[BACK_FACTS];
    cel_program_t  *lazy;                /* fact 3 */
} host_t;


static cel_status_t
fetch(void *ctx, cel_eval_t *eval, cel_slot_t slot, cel_value_t *value)
{
    host_t  *host = ctx;

    host->fetched[slot]++;

    if (slot == 3) {
        return cel_eval(host->lazy, eval, value);
    }

    if (slot == 4) {
        cel_eval_fail(eval, CEL_E_FACT, "the body is too large");
        eval->error.host_code = 413;
        return CEL_ERROR;
    }

    if (!host->there[slot]) {
        return CEL_NEED;
    }

    *value = cel_int(slot * 10);

    return CEL_OK;
}


int
main(void)
{
    back_t             b;
    host_t             host;
    uint32_t           i, count;
    const cel_slot_t  *slots;

    static const char *const  names[] = { "a", "b", "c", "lazy", "broken" };

    memset(&host, 0, sizeof(host));
    back_open(&b);

    for (i = 0; i < 5; i++) {
        back_declare(&b, names[i], i, cel_null());
    }

    cel_eval_init(&b.eval);
    b.eval.fetch = fetch;
    b.eval.fetch_ctx = &host;

    back_compile(&b, "b + a == 10 && c == 20");
    slots = cel_program_facts(b.program, &count);
    ok(count == 3 && slots[0] == 0 && slots[1] == 1 && slots[2] == 2,
       "the program tells its facts, ascending");

    is_int(back_run(&b), CEL_NEED, "the first fact is not there");
    is_int(b.eval.need, 1, "which is b");
    is_int(host.fetched[0], 0, "nothing behind it was asked for");

    host.there[0] = host.there[1] = true;
    is_int(back_run(&b), CEL_NEED, "run again, another is not there");
    is_int(b.eval.need, 2, "which is c");

    b.facts[2] = cel_int(20);
    is_int(back_run(&b), CEL_OK, "the host set it: run to the end");
    ok(b.value.b, "with the right value");
    is_int(host.fetched[0], 1, "a fact is fetched once");
    is_int(host.fetched[2], 1, "and not at all when it was set");

    back_compile(&b, "a == 0 || c == 1");
    cel_eval_init(&b.eval);
    host.there[2] = false;
    is_int(back_run(&b), CEL_OK, "a fact behind a decided || is not needed");

    back_compile(&b, "c == 1 || a == 0");
    cel_eval_init(&b.eval);
    is_int(back_run(&b), CEL_NEED, "no operator absorbs a need");

    /* fact 3 is a program over facts 0 and 2 */

    host.lazy = cel_compile(b.env, "a + c", 5, &b.issues);
    back_compile(&b, "lazy == 20 && lazy > 10");
    cel_eval_init(&b.eval);
    is_int(back_run(&b), CEL_NEED, "a lazy variable needs what it reads");
    is_int(b.eval.need, 3, "told as the variable");
    is_int(b.eval.depth, 0, "the nesting is undone");

    b.facts[2] = cel_int(20);
    host.fetched[3] = 0;
    is_int(back_run(&b), CEL_OK, "then it has a value");
    ok(b.value.b, "the right one");
    is_int(host.fetched[3], 1, "evaluated once");

    /* an endless recursion */

    cel_program_destroy(host.lazy);
    host.lazy = cel_compile(b.env, "lazy + 1", 8, &b.issues);
    back_compile(&b, "lazy == 1 || true");
    cel_eval_init(&b.eval);
    is_int(back_run(&b), CEL_ERROR, "a variable of itself ends");
    is_int(b.eval.error.kind, CEL_E_DEPTH, "by the depth");

    cel_program_destroy(host.lazy);

    /* errors of the host */

    back_compile(&b, "\n  broken == 1");
    cel_eval_init(&b.eval);
    is_int(back_run(&b), CEL_ERROR, "a fact that cannot be given");
    is_int(b.eval.error.kind, CEL_E_FACT, "its kind");
    is_int(b.eval.error.host_code, 413, "its code");
    is_int(b.eval.error.line, 2, "the place where it was wanted");

    is_str(back_text(&b, "broken == 1 || true"), "true", "it is absorbed");

    b.eval.fetch = NULL;
    cel_eval_init(&b.eval);
    is_str(back_text(&b, "a == 1"), "fact 0 is not set",
           "a fact neither set nor to be fetched is an error");

    b.eval.nfacts = 1;
    back_compile(&b, "a == b");
    is_int(back_run(&b), CEL_ERROR, "fewer facts than the program reads");
    b.eval.nfacts = BACK_FACTS;

    back_close(&b);

    return done_testing();
}
