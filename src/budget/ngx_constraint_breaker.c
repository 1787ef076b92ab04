/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The circuit breaker: one word, changed by compare and swap.
 *
 *   bits 0-1    state
 *   bits 2-13   probes let by in this half-open period
 *   bits 14-25  of those, ended without a violation
 *   bits 26-63  when the state, or the period, began: ms, never the same
 *               twice in a row, so that it also names the period of a probe
 */


#include "ngx_constraint_breaker.h"


#define NGX_CONSTRAINT_BREAKER_PROBE   ((uint64_t) 1 << 2)
#define NGX_CONSTRAINT_BREAKER_PASSED  ((uint64_t) 1 << 14)
#define NGX_CONSTRAINT_BREAKER_SINCE   26
#define NGX_CONSTRAINT_BREAKER_PROBES  0xfff
#define NGX_CONSTRAINT_BREAKER_AHEAD   1000      /* ms, of other readings */

#define ngx_constraint_breaker_state(word)                                    \
    ((ngx_constraint_breaker_e) ((word) & 3))
#define ngx_constraint_breaker_probes(word)                                   \
    ((ngx_uint_t) ((word) >> 2 & NGX_CONSTRAINT_BREAKER_PROBES))
#define ngx_constraint_breaker_passed(word)                                   \
    ((ngx_uint_t) ((word) >> 14 & NGX_CONSTRAINT_BREAKER_PROBES))
#define ngx_constraint_breaker_since(word)                                    \
    ((word) >> NGX_CONSTRAINT_BREAKER_SINCE)


/* One step of the window: when it was, and how many. */

#define NGX_CONSTRAINT_BREAKER_COUNT   0xffffff
#define NGX_CONSTRAINT_BREAKER_EPOCH   24


static ngx_int_t ngx_constraint_breaker_probe(
    ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t word,
    ngx_constraint_probe_t *probe);
static ngx_uint_t ngx_constraint_breaker_move(
    ngx_constraint_breaker_t *breaker, uint64_t word,
    ngx_constraint_breaker_e to, uint64_t now_ms);
static ngx_constraint_breaker_e ngx_constraint_breaker_probed(
    ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t now_ms,
    ngx_constraint_probe_t probe, ngx_uint_t violated);
static uint64_t ngx_constraint_breaker_count(
    ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t now_ms);
static uint64_t ngx_constraint_breaker_window(
    ngx_constraint_breaker_t *breaker, uint64_t now_ms);
static void ngx_constraint_breaker_forget(ngx_constraint_breaker_t *breaker);


ngx_int_t
ngx_constraint_breaker_enter(ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t now_ms,
    ngx_constraint_probe_t *probe, ngx_constraint_breaker_e *to)
{
    uint64_t  word, since;

    *probe = 0;
    *to = NGX_CONSTRAINT_BREAKER_STATES;

    for ( ;; ) {
        word = breaker->word;

        if (ngx_constraint_breaker_state(word)
            == NGX_CONSTRAINT_BREAKER_CLOSED)
        {
            return NGX_OK;
        }

        since = ngx_constraint_breaker_since(word);

        /* the clock has stepped back: from here on, anew */

        if (since > now_ms + conf->open_ms) {
            (void) ngx_constraint_breaker_move(breaker, word,
                                         ngx_constraint_breaker_state(word),
                                         now_ms);
            continue;
        }

        /* also when all probes of a period are out and none has told */

        if (now_ms >= since + conf->open_ms
            && (ngx_constraint_breaker_state(word)
                == NGX_CONSTRAINT_BREAKER_OPEN
                || ngx_constraint_breaker_probes(word)
                   >= conf->half_open_probes))
        {
            if (ngx_constraint_breaker_move(breaker, word,
                                            NGX_CONSTRAINT_BREAKER_HALF_OPEN,
                                            now_ms)
                && ngx_constraint_breaker_state(word)
                   == NGX_CONSTRAINT_BREAKER_OPEN)
            {
                *to = NGX_CONSTRAINT_BREAKER_HALF_OPEN;
            }

            continue;
        }

        if (ngx_constraint_breaker_state(word)
            == NGX_CONSTRAINT_BREAKER_OPEN)
        {
            return NGX_DECLINED;
        }

        switch (ngx_constraint_breaker_probe(breaker, conf, word, probe)) {

        case NGX_OK:
            return NGX_OK;

        case NGX_DECLINED:
            return NGX_DECLINED;

        default: /* NGX_AGAIN */
            break;
        }
    }
}


static ngx_int_t
ngx_constraint_breaker_probe(ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t word,
    ngx_constraint_probe_t *probe)
{
    if (ngx_constraint_breaker_probes(word) >= conf->half_open_probes) {
        return NGX_DECLINED;
    }

    if (!ngx_atomic_cmp_set(&breaker->word, word,
                            word + NGX_CONSTRAINT_BREAKER_PROBE))
    {
        return NGX_AGAIN;
    }

    *probe = ngx_constraint_breaker_since(word);

    return NGX_OK;
}


/* 1: this call has made the transition; time goes on from word's, unless
 * that is so far ahead that the clock must have stepped back. */

static ngx_uint_t
ngx_constraint_breaker_move(ngx_constraint_breaker_t *breaker, uint64_t word,
    ngx_constraint_breaker_e to, uint64_t now_ms)
{
    uint64_t  since;

    since = ngx_constraint_breaker_since(word) + 1;

    if (since < now_ms || since > now_ms + NGX_CONSTRAINT_BREAKER_AHEAD) {
        since = now_ms;
    }

    if (!ngx_atomic_cmp_set(&breaker->word, word,
                            since << NGX_CONSTRAINT_BREAKER_SINCE | to))
    {
        return 0;
    }

    if (ngx_constraint_breaker_state(word) != to) {
        (void) ngx_atomic_fetch_add(&breaker->transitions[to], 1);
    }

    return 1;
}


ngx_constraint_breaker_e
ngx_constraint_breaker_leave(ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t now_ms,
    ngx_constraint_probe_t probe, ngx_uint_t violated)
{
    uint64_t  word;

    if (probe) {
        return ngx_constraint_breaker_probed(breaker, conf, now_ms, probe,
                                             violated);
    }

    if (!violated) {
        return NGX_CONSTRAINT_BREAKER_STATES;
    }

    /* an evaluation that was let by before it opened has no say any more */

    word = breaker->word;

    if (ngx_constraint_breaker_state(word) != NGX_CONSTRAINT_BREAKER_CLOSED) {
        return NGX_CONSTRAINT_BREAKER_STATES;
    }

    if (ngx_constraint_breaker_count(breaker, conf, now_ms)
        < conf->violations)
    {
        return NGX_CONSTRAINT_BREAKER_STATES;
    }

    return ngx_constraint_breaker_move(breaker, word,
                                       NGX_CONSTRAINT_BREAKER_OPEN, now_ms)
           ? NGX_CONSTRAINT_BREAKER_OPEN : NGX_CONSTRAINT_BREAKER_STATES;
}


static ngx_constraint_breaker_e
ngx_constraint_breaker_probed(ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t now_ms,
    ngx_constraint_probe_t probe, ngx_uint_t violated)
{
    uint64_t  word;

    for ( ;; ) {
        word = breaker->word;

        if (ngx_constraint_breaker_state(word)
            != NGX_CONSTRAINT_BREAKER_HALF_OPEN
            || ngx_constraint_breaker_since(word) != probe)
        {
            return NGX_CONSTRAINT_BREAKER_STATES;
        }

        if (violated) {
            if (ngx_constraint_breaker_move(breaker, word,
                                            NGX_CONSTRAINT_BREAKER_OPEN,
                                            now_ms))
            {
                return NGX_CONSTRAINT_BREAKER_OPEN;
            }

            continue;
        }

        if (ngx_constraint_breaker_passed(word) + 1
            < conf->half_open_probes)
        {
            if (ngx_atomic_cmp_set(&breaker->word, word,
                                   word + NGX_CONSTRAINT_BREAKER_PASSED))
            {
                return NGX_CONSTRAINT_BREAKER_STATES;
            }

            continue;
        }

        /* before it closes: the next violation is the first of a window */

        ngx_constraint_breaker_forget(breaker);

        if (ngx_constraint_breaker_move(breaker, word,
                                        NGX_CONSTRAINT_BREAKER_CLOSED,
                                        now_ms))
        {
            return NGX_CONSTRAINT_BREAKER_CLOSED;
        }
    }
}


void
ngx_constraint_breaker_abandon(ngx_constraint_breaker_t *breaker,
    ngx_constraint_probe_t probe)
{
    uint64_t  word;

    do {
        word = breaker->word;

        if (probe == 0
            || ngx_constraint_breaker_state(word)
               != NGX_CONSTRAINT_BREAKER_HALF_OPEN
            || ngx_constraint_breaker_since(word) != probe
            || ngx_constraint_breaker_probes(word)
               <= ngx_constraint_breaker_passed(word))
        {
            return;
        }

    } while (!ngx_atomic_cmp_set(&breaker->word, word,
                                 word - NGX_CONSTRAINT_BREAKER_PROBE));
}


ngx_uint_t
ngx_constraint_breaker_reset(ngx_constraint_breaker_t *breaker,
    uint64_t now_ms)
{
    uint64_t  word;

    do {
        word = breaker->word;

        ngx_constraint_breaker_forget(breaker);

        if (ngx_constraint_breaker_state(word)
            == NGX_CONSTRAINT_BREAKER_CLOSED)
        {
            return 0;
        }

    } while (!ngx_constraint_breaker_move(breaker, word,
                                          NGX_CONSTRAINT_BREAKER_CLOSED,
                                          now_ms));

    return 1;
}


/*
 * Counts a violation: how many there are now in the window.  Of those that
 * count at the same time the last one sees all.
 */

static uint64_t
ngx_constraint_breaker_count(ngx_constraint_breaker_t *breaker,
    const ngx_constraint_breaker_conf_t *conf, uint64_t now_ms)
{
    uint64_t       epoch, old, step_ms, value;
    ngx_atomic_t  *step;

    step_ms = (conf->window_ms + NGX_CONSTRAINT_BREAKER_STEPS - 1)
              / NGX_CONSTRAINT_BREAKER_STEPS;
    step_ms = ngx_max(step_ms, 1);

    /* another window than the one that is being counted */

    old = breaker->step_ms;

    if (old != step_ms
        && ngx_atomic_cmp_set(&breaker->step_ms, old, step_ms))
    {
        ngx_constraint_breaker_forget(breaker);
    }

    epoch = now_ms / step_ms;
    step = &breaker->steps[epoch % NGX_CONSTRAINT_BREAKER_STEPS];

    do {
        old = *step;

        value = old >> NGX_CONSTRAINT_BREAKER_EPOCH == epoch
                ? old + 1 : epoch << NGX_CONSTRAINT_BREAKER_EPOCH | 1;

        if ((value & NGX_CONSTRAINT_BREAKER_COUNT) == 0) {
            value = old;
        }

    } while (!ngx_atomic_cmp_set(step, old, value));

    return ngx_constraint_breaker_window(breaker, now_ms);
}


static uint64_t
ngx_constraint_breaker_window(ngx_constraint_breaker_t *breaker,
    uint64_t now_ms)
{
    uint64_t    sum, epoch, step, of, step_ms;
    ngx_uint_t  i;

    step_ms = breaker->step_ms;

    if (step_ms == 0) {
        return 0;
    }

    sum = 0;
    epoch = now_ms / step_ms;

    for (i = 0; i < NGX_CONSTRAINT_BREAKER_STEPS; i++) {
        step = breaker->steps[i];

        of = step >> NGX_CONSTRAINT_BREAKER_EPOCH;

        /* of a worker whose clock was read later, too */

        if (of + NGX_CONSTRAINT_BREAKER_STEPS > epoch
            && of < epoch + NGX_CONSTRAINT_BREAKER_STEPS)
        {
            sum += step & NGX_CONSTRAINT_BREAKER_COUNT;
        }
    }

    return sum;
}


static void
ngx_constraint_breaker_forget(ngx_constraint_breaker_t *breaker)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_CONSTRAINT_BREAKER_STEPS; i++) {
        breaker->steps[i] = 0;
    }
}


void
ngx_constraint_breaker_status(ngx_constraint_breaker_t *breaker,
    uint64_t now_ms, ngx_constraint_breaker_status_t *status)
{
    uint64_t    word, since;
    ngx_uint_t  i;

    word = breaker->word;
    since = ngx_constraint_breaker_since(word);

    status->state = ngx_constraint_breaker_state(word);
    status->since_ms = since && since < now_ms ? now_ms - since : 0;
    status->violations = ngx_constraint_breaker_window(breaker, now_ms);
    status->probes = ngx_constraint_breaker_probes(word);
    status->passed = ngx_constraint_breaker_passed(word);

    for (i = 0; i < NGX_CONSTRAINT_BREAKER_STATES; i++) {
        status->transitions[i] = breaker->transitions[i];
    }
}


const char *
ngx_constraint_breaker_name(ngx_constraint_breaker_e state)
{
    static const char  *names[] = { "closed", "open", "half_open" };

    return names[state];
}
