
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_sampling.h - whether an evaluation is run at all: by chance,
 * or by a key so that the same subject is always in or out.  Knows no nginx,
 * takes no memory and no lock; what becomes of those left out is not told
 * here.
 *
 * By chance: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", 2014), one generator for each worker.  By key:
 * MurmurHash64A (Austin Appleby) with the seed 1 over the key's bytes.  Either
 * way the upper 53 bits are a number u in [0, 1), and u < rate is in:
 * exact at 0 and 1, and raising a rate only adds keys.
 */


#ifndef _NGX_CONSTRAINT_SAMPLING_H_INCLUDED_
#define _NGX_CONSTRAINT_SAMPLING_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* A worker's; event loop only.  Any seed will do. */

typedef struct {
    uint64_t    state;
} ngx_constraint_sampler_t;


/* The hash of a key; the same everywhere and always.  Any thread. */
uint64_t ngx_constraint_sampling_hash(const void *key, size_t len);


/* A rate that is no number lets all in: it is the safe side. */

static inline int
ngx_constraint_sampling_in(uint64_t random, double rate)
{
    double  u;

    u = (double) (random >> 11) * 0x1.0p-53;

    return !(u >= rate);
}


static inline int
ngx_constraint_sample(ngx_constraint_sampler_t *sampler, double rate)
{
    uint64_t  z;

    sampler->state += 0x9e3779b97f4a7c15;

    z = sampler->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;

    return ngx_constraint_sampling_in(z ^ (z >> 31), rate);
}


#endif /* _NGX_CONSTRAINT_SAMPLING_H_INCLUDED_ */
