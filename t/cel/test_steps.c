
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * One call that works long is looked at while it does: counted, not timed.
 * Its charge was made before, so without looks inside there would be two at
 * most, one for the charge and one for the start.
 */


#include "back.h"


#define LENGTH  100000


static uint32_t  looks, stop_at;


static cel_status_t
look(void *ctx, cel_eval_t *eval)
{
    if (++looks == stop_at) {
        return cel_eval_fail(eval, CEL_E_BUDGET, "stopped");
    }

    return CEL_OK;
}


int
main(void)
{
    char        *text;
    back_t       b;
    size_t       i;
    cel_flag_t   cancel;
    cel_value_t *values;

    static const char *const  sources[] = {
        "s.split('a').size() == 100001",
        "s.split('').size() == 100000",
        "s.replace('a', 'b').size() == 100000",
        "s.replace('', 'b').size() == 200001",
        "l.join().size() == 100000",
        "l.join(',').size() == 199999",
    };

    back_open(&b);
    back_declare(&b, "s", 0, cel_null());
    back_declare(&b, "l", 1, cel_null());

    text = malloc(LENGTH);
    values = malloc(LENGTH * sizeof(cel_value_t));
    memset(text, 'a', LENGTH);

    for (i = 0; i < LENGTH; i++) {
        values[i] = cel_string(text + i, 1);
    }

    for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        cel_arena_reset(&b.arena);
        b.facts[0] = cel_string(text, LENGTH);
        cel_list(&b.arena, values, LENGTH, &b.facts[1]);
        b.eval.look = look;

        looks = 0;
        stop_at = 0;

        ok(back_eval(&b, sources[i]) == CEL_OK && b.value.b, "%s",
           sources[i]);
        ok(looks >= LENGTH / 4096, "%u looks while it works", looks);

        looks = 0;
        stop_at = 10;

        is_int(back_run(&b), CEL_ERROR, "it is stopped");
        is_int(b.eval.error.kind, CEL_E_BUDGET, "by the host");
        is_int(looks, 10, "there and then");

        atomic_init(&cancel, true);
        b.eval.cancel = &cancel;
        looks = 0;
        stop_at = 0;

        is_int(back_run(&b), CEL_ERROR, "or by the flag");
        is_int(b.eval.error.kind, CEL_E_CANCELLED, "as such");

        b.eval.cancel = NULL;
    }

    free(text);
    free(values);
    back_close(&b);

    return done_testing();
}
