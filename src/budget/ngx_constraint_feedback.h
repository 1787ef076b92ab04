
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_feedback.h - what all workers keep of one constraint besides
 * its counters: the state of its breaker, and the p99 its limit follows.  It
 * lies in the 512 bytes that the statistics keep by the constraint's name;
 * what the p99 is told from is what they keep of it besides.
 */


#ifndef _NGX_CONSTRAINT_FEEDBACK_H_INCLUDED_
#define _NGX_CONSTRAINT_FEEDBACK_H_INCLUDED_


#include "ngx_constraint_adaptive.h"
#include "ngx_constraint_breaker.h"
#include "ngx_constraint_stats.h"


/*
 * What a constraint, or its profile, declares is read from there.  What only
 * the profile of a location declares is kept as it last held, for who shows
 * it, with the number of the configuration that it is of.
 */

typedef struct {
    ngx_constraint_breaker_t         breaker;
    ngx_constraint_adaptive_t        adaptive;
    ngx_constraint_breaker_conf_t    breaker_conf;
    ngx_constraint_adaptive_conf_t   adaptive_conf;
    uint32_t                         max_exec_us;  /* 0: not the location's */
    ngx_atomic_t                     breaks;       /* breaker_conf's: 0, none */
    ngx_atomic_t                     adapts;       /* adaptive_conf's */
} ngx_constraint_feedback_t;

_Static_assert(sizeof(ngx_constraint_feedback_t)
               <= NGX_CONSTRAINT_STATS_STATE, "it is a constraint's state");
_Static_assert(NGX_CONSTRAINT_ADAPTIVE_PIECES <= NGX_CONSTRAINT_STATS_MORE,
               "windows are what a state has more");


#endif /* _NGX_CONSTRAINT_FEEDBACK_H_INCLUDED_ */
