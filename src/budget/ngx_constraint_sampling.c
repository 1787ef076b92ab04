/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The hash that stable sampling goes by.  It must never change: who is in
 * today has to be in tomorrow.
 */


#include "ngx_constraint_sampling.h"


uint64_t
ngx_constraint_sampling_hash(const void *key, size_t len)
{
    size_t                i;
    uint64_t              hash;
    const unsigned char  *p;

    p = key;
    hash = 0xcbf29ce484222325;

    for (i = 0; i < len; i++) {
        hash = (hash ^ p[i]) * 0x100000001b3;
    }

    /* FNV's upper bits hardly depend on the last bytes */

    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;

    return hash ^ (hash >> 33);
}
