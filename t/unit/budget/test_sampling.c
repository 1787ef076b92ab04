
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Sampling: exact at the ends, fair between them, stable by key.
 *
 * Chi-square of one degree of freedom: 15.1 is met by chance once in 10,000;
 * the seeds are fixed, so these are no lots that a run may lose.
 */

#include <math.h>
#include <stdio.h>

#include "tap.h"
#include "ngx_constraint_sampling.h"


#define N  1000000


static double
chi_square(uint64_t in, uint64_t n, double rate)
{
    double  d, expected;

    expected = (double) n * rate;
    d = (double) in - expected;

    return d * d / expected + d * d / ((double) n - expected);
}


static void
test_rate(double rate)
{
    uint64_t                  i, in, pairs, seed;
    double                    x;
    int                       now, last;
    ngx_constraint_sampler_t  sampler;

    for (seed = 1; seed <= 3; seed++) {
        sampler.state = seed * 7919;
        in = 0;
        pairs = 0;
        last = 0;

        for (i = 0; i < N; i++) {
            now = ngx_constraint_sample(&sampler, rate);
            in += now;
            pairs += now && last;
            last = now;
        }

        x = chi_square(in, N, rate);
        ok(x < 15.1, "rate %g: chi-square %.2f", rate, x);

        if (rate >= 0.01) {
            x = chi_square(pairs, N, rate * rate);
            ok(x < 30, "rate %g: neighbours are independent, %.2f", rate, x);
        }
    }
}


static void
test_ends(void)
{
    uint64_t                  i, in;
    ngx_constraint_sampler_t  sampler;

    sampler.state = 1;

    for (i = 0, in = 0; i < N; i++) {
        in += ngx_constraint_sample(&sampler, 1);
    }

    is_int(in, N, "a rate of 1 lets all in");

    for (i = 0, in = 0; i < N; i++) {
        in += ngx_constraint_sample(&sampler, 0);
    }

    is_int(in, 0, "a rate of 0 lets none in");

    is_int(ngx_constraint_sampling_in(0, 0), 0, "0: not the lowest number");
    is_int(ngx_constraint_sampling_in(UINT64_MAX, 1), 1,
           "1: the highest number");
    is_int(ngx_constraint_sampling_in(UINT64_MAX, NAN), 1,
           "no number: all are in");
    is_int(ngx_constraint_sampling_in(UINT64_MAX, INFINITY), 1,
           "infinity: all are in");
}


static void
test_keys(double rate)
{
    int       n;
    char      key[64];
    double    x;
    uint64_t  i, in, hash;

    in = 0;

    for (i = 0; i < N; i++) {
        n = snprintf(key, sizeof(key), "user-%llu", (unsigned long long) i);
        hash = ngx_constraint_sampling_hash(key, n);
        in += ngx_constraint_sampling_in(hash, rate);
    }

    x = chi_square(in, N, rate);
    ok(x < 15.1, "keys, rate %g: chi-square %.2f", rate, x);
}


static void
test_stable(void)
{
    int       n, less, more, dropped;
    char      key[64];
    uint64_t  i, hash, again;

    /* of the first 0, 1, 2 ... bytes: who is in today is in tomorrow */

    static const uint64_t  hashes[] = {
        0xc6a4a7935bd064dc,
        0xa52be5b3f6674b2a,
        0x721ce6bcf3c18816,
        0x8d835dba0741df65,
        0x967d63b1c7579355,
        0xae95fb671b78b025,
        0x10cc8cb20a203177,
        0xd14c7f6499a65ec4,
        0xebaca741f6bda283,
        0x3dfca23fef7d1b1d,
        0xb7666b0b1961ce09,
        0x7b4ff5cf892cd2ee,
        0x1e07b81bebbb5dbd,
        0x0f40cf7102a9c0f1,
        0x8b97136a53af71c6,
        0x0ebf23ea04a943a2,
        0x3d3bbb4e23dd32e2,
        0xcff2cac7757fce09
    };

    for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        ok(ngx_constraint_sampling_hash("alice@example.com", i) == hashes[i],
           "the hash of %d bytes", (int) i);
    }

    dropped = 0;
    again = 0;

    for (i = 0; i < 100000; i++) {
        n = snprintf(key, sizeof(key), "user-%llu", (unsigned long long) i);
        hash = ngx_constraint_sampling_hash(key, n);
        again += hash != ngx_constraint_sampling_hash(key, n);

        less = ngx_constraint_sampling_in(hash, 0.1);
        more = ngx_constraint_sampling_in(hash, 0.2);
        dropped += less && !more;
    }

    is_int(again, 0, "a key has one hash");
    is_int(dropped, 0, "a higher rate drops nobody");
}


int
main(void)
{
    size_t  i;

    static const double  rates[] = { 0.0001, 0.01, 0.1, 0.5, 0.9, 0.999 };

    test_ends();

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        test_rate(rates[i]);
        test_keys(rates[i]);
    }

    test_stable();

    return done_testing();
}
