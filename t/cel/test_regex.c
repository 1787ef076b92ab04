
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Patterns: constant ones are compiled with the program and refused there,
 * others when they are met; both are bounded.
 */


#include "back.h"


static void
test_constant(back_t *b)
{
    size_t  used;

    is_str(back_text(b, "s.matches('^a.*z$')"), "true", "a match");
    is_str(back_text(b, "matches(s, 'b')"), "true", "anywhere, as a function");
    is_str(back_text(b, "s.matches('^b')"), "false", "no match");
    is_str(back_text(b, "s.matches('')"), "true", "the empty pattern");
    used = cel_program_memory(b->program);
    ok(used > 32768 && used < 65536, "the program counts the pattern's heap: "
       "%u", (unsigned) used);

    is_str(back_text(b, "s.matches('(ab|cd|f){120}')"), "false", "a large one");
    used = cel_program_memory(b->program);
    ok(used > 262144 && used < 300000, "a larger pattern's, too: %u",
       (unsigned) used);

    ok(back_compile(b, "false && s.matches('a(')") == NULL,
       "a bad pattern is refused when compiled");
    ok(strstr(b->issues.items[0].message, "regex") != NULL,
       "with a reason: %s", b->issues.items[0].message);
    is_int(b->issues.items[0].column, 20, "and its column");

    ok(back_compile(b, "s.matches('((a{50}){50}){50}')") == NULL,
       "an explosive pattern is refused");
    ok(back_compile(b, "s.matches('(ab|cde|f){300}')") == NULL,
       "so is one whose program is too large");
    is_str(back_text(b, "s.matches('(?i)ABC')"), "true", "flags");
    ok(back_compile(b, "s.matches('(a)\\\\1')") == NULL,
       "there are no back references");
}


/* RE2 looks at each byte with each instruction where a pattern is hard */

static void
test_units(back_t *b)
{
    uint64_t  small, large;

    is_str(back_text(b, "s.matches('^a')"), "true", "a small pattern");
    small = b->eval.cost;
    is_str(back_text(b, "s.matches('(?:b?){200}')"), "true", "a large one");
    large = b->eval.cost;

    ok(large > 20 * small, "costs as its program is large: %u to %u",
       (unsigned) large, (unsigned) small);

    is_str(back_text(b, "s.findAll('(?:b?){200}').size() > 1"), "true",
           "the same where it is looked for");
    ok(b->eval.cost > large, "each time: %u", (unsigned) b->eval.cost);

    ok(back_compile(b, "s.find('\\\\C')") == NULL,
       "parts of characters cannot be looked for");
}


static void
test_dynamic(back_t *b)
{
    size_t  used;

    is_str(back_text(b, "s.matches(s + '|x')"), "true", "a computed pattern");
    used = b->arena.used;
    is_str(back_text(b, "s.matches('[' + s)"),
           "invalid regex: missing ]: [abcz", "a bad one fails when run");
    is_int(b->eval.error.kind, CEL_E_INVALID_ARGUMENT, "with its kind");
    ok(b->arena.used - used < 4096, "its heap is not counted any longer");
    is_str(back_text(b, "s.matches('[' + s) || true"), "true", "absorbed");

    b->arena.limit = b->arena.used + 1000;
    ok(back_run(b) == CEL_ERROR && b->eval.error.kind == CEL_E_MEMORY,
       "its heap counts against the limit");
    b->arena.limit = 64 << 20;
}


static void
test_cost(back_t *b)
{
    uint64_t  small;
    char     *text;

    text = malloc(100000);
    memset(text, 'a', 100000);

    b->facts[0] = cel_string(text, 10);
    back_eval(b, "s.matches('b$')");
    small = b->eval.cost;

    b->facts[0] = cel_string(text, 100000);
    back_eval(b, "s.matches('b$')");
    ok(b->eval.cost > small + 100000, "the text is charged by its bytes");

    b->eval.cost_limit = 1000;
    ok(back_run(b) == CEL_ERROR && b->eval.error.kind == CEL_E_COST,
       "before it is read");
    b->eval.cost_limit = 0;

    free(text);
}


int
main(void)
{
    back_t  b;

    back_open(&b);
    back_declare(&b, "s", 0, cel_string("abcz", 4));

    test_constant(&b);
    test_units(&b);
    test_dynamic(&b);
    test_cost(&b);

    back_close(&b);

    return done_testing();
}
