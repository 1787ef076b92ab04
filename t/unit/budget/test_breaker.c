/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The circuit breaker's state machine by a clock of the test's own, which
 * also steps backwards.
 */


#include "tap.h"
#include "random.h"
#include "../../../src/budget/ngx_constraint_breaker.c"


#define OPEN_MS  5000


static ngx_constraint_breaker_t         breaker;
static ngx_constraint_breaker_conf_t    conf;
static ngx_constraint_breaker_status_t  status;

static uint64_t  now_ms;


static void
start(ngx_uint_t violations, ngx_uint_t probes)
{
    memset(&breaker, 0, sizeof(breaker));

    conf.violations = (uint32_t) violations;
    conf.window_ms = 10000;
    conf.open_ms = OPEN_MS;
    conf.half_open_probes = (uint16_t) probes;
    now_ms = 100000000;
}


static ngx_int_t
enter(ngx_constraint_probe_t *probe)
{
    ngx_constraint_breaker_e  to;

    return ngx_constraint_breaker_enter(&breaker, &conf, now_ms, probe, &to);
}


static ngx_constraint_breaker_e
leave(ngx_constraint_probe_t probe, ngx_uint_t violated)
{
    return ngx_constraint_breaker_leave(&breaker, &conf, now_ms, probe,
                                        violated);
}


static ngx_constraint_breaker_e
now(void)
{
    ngx_constraint_breaker_status(&breaker, now_ms, &status);

    return status.state;
}


static void
test_states(void)
{
    int                     i, let;
    ngx_constraint_probe_t  probe, probes[3];

    start(3, 3);

    is_int(enter(&probe), NGX_OK, "it begins closed");
    is_int(probe, 0, "there are no probes");
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_STATES, "one violation");
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_STATES, "two");
    is_int(leave(0, 0), NGX_CONSTRAINT_BREAKER_STATES, "and a pass");
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_OPEN, "the third opens it");
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_STATES, "the fourth not again");

    now_ms += OPEN_MS - 1;
    is_int(enter(&probe), NGX_DECLINED, "it is open");

    now_ms++;
    let = 0;

    for (i = 0; i < 10; i++) {
        if (enter(&probe) == NGX_OK) {
            probes[let++ % 3] = probe;
        }
    }

    is_int(let, 3, "then three probes are let by");
    is_int(now(), NGX_CONSTRAINT_BREAKER_HALF_OPEN, "it is half open");

    (void) leave(probes[0], 0);
    (void) leave(probes[1], 0);
    is_int(now(), NGX_CONSTRAINT_BREAKER_HALF_OPEN, "two passes");
    is_int(leave(probes[2], 0), NGX_CONSTRAINT_BREAKER_CLOSED,
           "the third closes it");
    is_int(now(), NGX_CONSTRAINT_BREAKER_CLOSED, "it is closed");
    is_int(status.violations, 0, "and has forgotten");
    is_int(status.transitions[NGX_CONSTRAINT_BREAKER_OPEN]
           + status.transitions[NGX_CONSTRAINT_BREAKER_HALF_OPEN] * 10
           + status.transitions[NGX_CONSTRAINT_BREAKER_CLOSED] * 100, 111,
           "each transition is counted once");
    is_int(leave(probes[2], 1), NGX_CONSTRAINT_BREAKER_STATES,
           "a probe of before tells nothing");
}


static void
test_probes(void)
{
    ngx_constraint_probe_t  probe, other;

    start(1, 1);
    (void) leave(0, 1);
    now_ms += OPEN_MS;

    is_int(enter(&probe), NGX_OK, "a probe");
    is_int(enter(&other), NGX_DECLINED, "and no other");
    ngx_constraint_breaker_abandon(&breaker, probe);
    is_int(enter(&other), NGX_OK, "one that tells nothing makes room");
    is_int(leave(other, 1), NGX_CONSTRAINT_BREAKER_OPEN,
           "one that violates opens it");
    is_int(enter(&probe), NGX_DECLINED, "from then on");

    now_ms += OPEN_MS + 2;
    is_int(enter(&probe), NGX_OK, "a probe that never tells");
    now_ms += OPEN_MS;
    is_int(enter(&other), NGX_OK, "is made up for after as long");
    is_int(leave(probe, 1), NGX_CONSTRAINT_BREAKER_STATES,
           "then it has no say any more");
    is_int(leave(other, 0), NGX_CONSTRAINT_BREAKER_CLOSED, "the other has");

    (void) leave(0, 1);
    is_int(now(), NGX_CONSTRAINT_BREAKER_OPEN, "open once more");
    is_int(ngx_constraint_breaker_reset(&breaker, now_ms), 1, "it is reset");
    is_int(ngx_constraint_breaker_reset(&breaker, now_ms), 0, "only once");
    is_int(now(), NGX_CONSTRAINT_BREAKER_CLOSED, "and closed");
}


static void
test_window(void)
{
    int  i;

    start(10, 1);

    for (i = 0; i < 9; i++) {
        (void) leave(0, 1);
    }

    now_ms += conf.window_ms;
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_STATES,
           "what is older than the window does not count");
    (void) now();
    is_int(status.violations, 1, "only the last one is in it");

    for (i = 0; i < 8; i++) {
        (void) leave(0, 1);
    }

    now_ms += conf.window_ms * 31 / 32 - 1;
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_OPEN,
           "what is younger by a 32nd does");

    start(10, 1);

    for (i = 0; i < 9; i++) {
        (void) leave(0, 1);
    }

    conf.window_ms *= 2;
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_STATES,
           "what was counted by another window");
    (void) now();
    is_int(status.violations, 1, "is forgotten");
}


static void
test_back(void)
{
    int                     i;
    uint64_t                from_ms;
    ngx_constraint_probe_t  probe, other;

    start(2, 1);
    (void) leave(0, 1);
    (void) leave(0, 1);
    is_int(now(), NGX_CONSTRAINT_BREAKER_OPEN, "open");

    now_ms -= 3600000;
    from_ms = now_ms;

    is_int(enter(&probe), NGX_DECLINED, "the clock steps back by an hour");
    is_int(now(), NGX_CONSTRAINT_BREAKER_OPEN, "it is open still");

    while (enter(&probe) != NGX_OK && now_ms < from_ms + 3600000) {
        now_ms += 10;
    }

    ok(now_ms - from_ms >= OPEN_MS, "for its time, from there on");
    ok(now_ms - from_ms <= 2 * OPEN_MS, "and not for an hour");

    now_ms -= 3600000;
    is_int(leave(probe, 0), NGX_CONSTRAINT_BREAKER_CLOSED,
           "a probe tells, whatever the clock says");

    /* violations of a time to come */

    start(2, 1);
    (void) leave(0, 1);
    now_ms -= 3600000;
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_STATES,
           "a violation of an hour ahead is in no window");
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_OPEN, "two of now are");

    start(2, 1);
    (void) leave(0, 1);
    now_ms -= 20;
    is_int(leave(0, 1), NGX_CONSTRAINT_BREAKER_OPEN,
           "one of another reading of the clock is");

    /* half open */

    now_ms += OPEN_MS + 20;
    is_int(enter(&probe), NGX_OK, "a probe, and the clock steps back");
    now_ms -= 3600000;
    is_int(enter(&other), NGX_OK, "the period begins anew");
    is_int(leave(probe, 0), NGX_CONSTRAINT_BREAKER_STATES, "the first probe "
           "is of another");
    is_int(leave(other, 0), NGX_CONSTRAINT_BREAKER_CLOSED, "the second not");

    for (i = 0; i < 2; i++) {
        (void) leave(0, 1);
    }

    is_int(now(), NGX_CONSTRAINT_BREAKER_OPEN, "and on it goes");
    ok(status.since_ms <= OPEN_MS, "since now");
}


/* Whatever comes: so many probes at most, and it never stays open. */

static void
test_random(void)
{
    int                      i, n, out, bad, stuck;
    uint64_t                 open_from, period;
    ngx_constraint_probe_t   probe, probes[64];

    start(3, 4);

    bad = 0;
    stuck = 0;
    out = 0;
    n = 0;
    period = 0;
    open_from = 0;

    for (i = 0; i < 500000; i++) {
        now_ms += next() % 50;

        if (next() % 5000 == 0) {
            now_ms -= next() % 2 ? next() % 3000 : 7200000;
            open_from = 0;
        }

        if (enter(&probe) == NGX_OK) {
            open_from = 0;

            if (probe && probe != period) {
                period = probe;
                n = 0;
            }

            if (probe && ++n > conf.half_open_probes) {
                bad++;
            }

            probes[out++ % 64] = probe;

        } else if (open_from == 0) {
            open_from = now_ms;

        } else if (now_ms - open_from > 2 * OPEN_MS + 50) {
            stuck++;
        }

        if (out && next() % 2) {
            out--;
            (void) leave(probes[out % 64], next() % 3 == 0);
        }
    }

    is_int(bad, 0, "no period lets by more than its probes");
    is_int(stuck, 0, "it is not open for longer than twice its time");
    (void) now();
    ok(status.transitions[NGX_CONSTRAINT_BREAKER_OPEN] > 100
       && status.transitions[NGX_CONSTRAINT_BREAKER_CLOSED] > 10,
       "it has opened and closed many times");
}


int
main(void)
{
    test_states();
    test_probes();
    test_window();
    test_back();
    test_random();

    return done_testing();
}
