/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The hash that stable sampling goes by.  It must never change: who is in
 * today has to be in tomorrow, on whatever machine.
 */


#include "ngx_constraint_sampling.h"

#include <endian.h>
#include <string.h>


#define NGX_CONSTRAINT_HASH_SEED   1
#define NGX_CONSTRAINT_HASH_MIX    0xc6a4a7935bd1e995
#define NGX_CONSTRAINT_HASH_SHIFT  47


static inline uint64_t ngx_constraint_sampling_rest(const unsigned char *p,
    size_t len);


uint64_t
ngx_constraint_sampling_hash(const void *key, size_t len)
{
    uint64_t              hash, word;
    const unsigned char  *p;

    p = key;
    hash = NGX_CONSTRAINT_HASH_SEED ^ len * NGX_CONSTRAINT_HASH_MIX;

    for ( /* void */ ; len >= 8; len -= 8, p += 8) {
        memcpy(&word, p, 8);

        word = le64toh(word) * NGX_CONSTRAINT_HASH_MIX;
        word = (word ^ (word >> NGX_CONSTRAINT_HASH_SHIFT))
               * NGX_CONSTRAINT_HASH_MIX;
        hash = (hash ^ word) * NGX_CONSTRAINT_HASH_MIX;
    }

    if (len) {
        hash = (hash ^ ngx_constraint_sampling_rest(p, len))
               * NGX_CONSTRAINT_HASH_MIX;
    }

    hash = (hash ^ (hash >> NGX_CONSTRAINT_HASH_SHIFT))
           * NGX_CONSTRAINT_HASH_MIX;

    return hash ^ (hash >> NGX_CONSTRAINT_HASH_SHIFT);
}


/* 1 to 7 bytes, the first one lowest */

static inline uint64_t
ngx_constraint_sampling_rest(const unsigned char *p, size_t len)
{
    uint16_t  two;
    uint32_t  four;
    uint64_t  rest;

    rest = 0;

    if (len & 1) {
        rest = p[len - 1];
    }

    if (len & 2) {
        memcpy(&two, p + (len & 4), 2);
        rest = rest << 16 | le16toh(two);
    }

    if (len & 4) {
        memcpy(&four, p, 4);
        rest = rest << 32 | le32toh(four);
    }

    return rest;
}
