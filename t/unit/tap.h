/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * TAP output for the C unit tests.  A test file is one program:
 *
 *     int
 *     main(void)
 *     {
 *         ok(1 + 1 == 2, "one and one are %d", 2);
 *         is_int(6 * 7, 42, "the answer");
 *         is_str("a", "a", "letters are equal");
 *         return done_testing();
 *     }
 *
 * Every check prints one line and gives whether it held.  It runs nothing
 * and knows nothing of what is tested.
 */

#ifndef TAP_H
#define TAP_H


#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>


static int  tap_run;
static int  tap_failed;


#define ok(cond, ...)                                                         \
    tap_ok(!!(cond), __FILE__, __LINE__, __VA_ARGS__)
#define is_int(got, want, ...)                                                \
    tap_is_int((long long) (got), (long long) (want), __FILE__, __LINE__,     \
               __VA_ARGS__)
#define is_str(got, want, ...)                                                \
    tap_is_str((got), (want), __FILE__, __LINE__, __VA_ARGS__)


static inline int
tap_line(int held, const char *file, int line, const char *fmt, va_list ap)
{
    tap_run++;

    printf("%sok %d - ", held ? "" : "not ", tap_run);
    vprintf(fmt, ap);
    printf("\n");

    if (!held) {
        tap_failed++;
        printf("#   failed at %s line %d\n", file, line);
    }

    fflush(stdout);

    return held;
}


__attribute__((format(printf, 4, 5)))
static inline int
tap_ok(int held, const char *file, int line, const char *fmt, ...)
{
    va_list  ap;

    va_start(ap, fmt);
    tap_line(held, file, line, fmt, ap);
    va_end(ap);

    return held;
}


__attribute__((format(printf, 5, 6)))
static inline int
tap_is_int(long long got, long long want, const char *file, int line,
    const char *fmt, ...)
{
    va_list  ap;

    va_start(ap, fmt);
    tap_line(got == want, file, line, fmt, ap);
    va_end(ap);

    if (got != want) {
        printf("#   got %lld, expected %lld\n", got, want);
    }

    return got == want;
}


/* NULL is equal to NULL only; line feeds in a difference are escaped */

__attribute__((format(printf, 5, 6)))
static inline int
tap_is_str(const char *got, const char *want, const char *file, int line,
    const char *fmt, ...)
{
    int          held, i;
    va_list      ap;
    const char  *p, *text[2];

    held = (got == want)
           || (got != NULL && want != NULL && strcmp(got, want) == 0);

    va_start(ap, fmt);
    tap_line(held, file, line, fmt, ap);
    va_end(ap);

    text[0] = got;
    text[1] = want;

    for (i = 0; !held && i < 2; i++) {
        printf("#   %s", i == 0 ? "got:      " : "expected: ");

        for (p = text[i] ? text[i] : "(null)"; *p; p++) {
            if (*p == '\n') {
                printf("\\n");

            } else {
                putchar(*p);
            }
        }

        printf("\n");
    }

    return held;
}


static inline int
tap_skip(int count, const char *reason)
{
    while (count-- > 0) {
        printf("ok %d # SKIP %s\n", ++tap_run, reason);
    }

    return 1;
}


static inline int
done_testing(void)
{
    printf("1..%d\n", tap_run);

    if (tap_failed) {
        printf("# %d of %d failed\n", tap_failed, tap_run);
    }

    return tap_failed ? 1 : 0;
}


#endif /* TAP_H */
