/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * control.c - a target with faults on purpose, one for each that a run has to
 * see; by t/fuzz.t.
 */


#include "fuzz.h"


static uint64_t control_run(const char *text, size_t len);


const fuzz_target_t  fuzz_target = {
    .run = control_run,
    .work_unit = "units",
    .work = 100,
    .work_per_byte = 0,
    .memory = 4096,
    .memory_per_byte = 0
};


static volatile uint64_t  control_sum;


static void
control_take(size_t size, bool give_back)
{
    char *volatile  p;

    p = malloc(size);
    p[size - 1] = 1;
    control_sum += (uint64_t) p[size - 1];

    if (give_back) {
        free(p);

    } else {
        p = NULL;
    }
}


static uint64_t
control_run(const char *text, size_t len)
{
    int        n = INT32_MAX;
    uint64_t  *p;

    if (len == 0) {
        return 0;
    }

    switch (text[0]) {

    case 'b':       /* a byte behind the input */
        control_sum += (uint8_t) text[len];
        return 1;

    case 'u':       /* undefined: an overflow, a misaligned read */
        control_sum += (uint64_t) (n + (int) len);
        p = (uint64_t *) (uintptr_t) (text + 1);
        control_sum += *p;
        return 1;

    case 'l':       /* a leak */
        control_take(16, false);
        return 1;

    case 'w':       /* too much work */
        return 101;

    case 'm':       /* too much memory, all given back */
        control_take(8192, true);
        return 1;

    case 'f':       /* what a target finds itself */
        fuzz_fail("on purpose");

    default:
        return 1;
    }
}
