
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_execution.h - what one evaluation may use and what happens
 * when it may not: execution constraints as they are written in a record, in
 * a profile and in the configuration.  Reads, checks, merges and shows them;
 * enforces nothing.
 *
 * A field that is not given is not in `set`; its value is then the neutral
 * one below, so who enforces may read values without looking at `set`.
 *
 *   field                    unit       neutral
 *   max_exec_ms              us         0: unlimited
 *   cpu_shares               percent    100 (CPU never exceeds wall time)
 *   memory_limit_bytes       bytes      0: unlimited
 *   sampling_rate            0..1       1: always
 *   fail_closed_on_timeout              not in set: on_error decides
 *   max_retries              0..10      0
 *   retry_backoff_ms         us         0
 *   retry_strategy                      fixed
 *   sampled_out_effect                  unset: deny, unless observational
 *   observational                       0: blocks
 *   sampling_key                        empty: by chance
 *   breaker, adaptive                   all 0: none
 *
 * Any thread, unless said otherwise; nothing here keeps state.
 */


#ifndef _NGX_CONSTRAINT_EXECUTION_H_INCLUDED_
#define _NGX_CONSTRAINT_EXECUTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <jansson.h>


/* Which fields are given: bits of `set`. */

#define NGX_CONSTRAINT_SET_MAX_EXEC            0x0001
#define NGX_CONSTRAINT_SET_CPU_SHARES          0x0002
#define NGX_CONSTRAINT_SET_MEMORY_LIMIT        0x0004
#define NGX_CONSTRAINT_SET_SAMPLING_RATE       0x0008
#define NGX_CONSTRAINT_SET_FAIL_CLOSED         0x0010
#define NGX_CONSTRAINT_SET_MAX_RETRIES         0x0020
#define NGX_CONSTRAINT_SET_RETRY_BACKOFF       0x0040
#define NGX_CONSTRAINT_SET_RETRY_STRATEGY      0x0080
#define NGX_CONSTRAINT_SET_SAMPLED_OUT_EFFECT  0x0100
#define NGX_CONSTRAINT_SET_SAMPLING_KEY        0x0200
#define NGX_CONSTRAINT_SET_OBSERVATIONAL       0x0400
#define NGX_CONSTRAINT_SET_BREAKER             0x0800
#define NGX_CONSTRAINT_SET_ADAPTIVE            0x1000


typedef enum {
    NGX_CONSTRAINT_RETRY_FIXED = 0,
    NGX_CONSTRAINT_RETRY_EXPONENTIAL        /* backoff x 2^attempt */
} ngx_constraint_retry_e;

/* The first three are those of ngx_constraint_effect_e. */

typedef enum {
    NGX_CONSTRAINT_BOUND_UNSET = 0,
    NGX_CONSTRAINT_BOUND_ALLOW,
    NGX_CONSTRAINT_BOUND_DENY,
    NGX_CONSTRAINT_BOUND_SHADOW             /* of a breaker only */
} ngx_constraint_bound_effect_e;


/* Plain data: lies in records of shared memory and in the configuration. */

typedef struct {
    uint64_t                        memory_limit_bytes;
    double                          sampling_rate;
    uint32_t                        max_exec_us;
    uint32_t                        retry_backoff_us;
    uint32_t                        set;
    uint8_t                         cpu_shares;
    uint8_t                         max_retries;
    uint8_t                         retry_strategy;
    uint8_t                         sampled_out_effect;
    uint8_t                         fail_closed_on_timeout;
    uint8_t                         observational;
} ngx_constraint_execution_t;

_Static_assert(sizeof(ngx_constraint_execution_t) <= 64,
               "execution constraints fit into a cache line");


/* violations within window_ms open it for open_ms; then probes are let by */

typedef struct {
    uint32_t                        violations;
    uint32_t                        window_ms;
    uint32_t                        open_ms;
    uint16_t                        half_open_probes;
    uint8_t                         effect;    /* bound_effect_e, never UNSET
                                                * when there is a breaker */
    uint8_t                         effect_given; /* 1: by whoever wrote it,
                                                   * 0: what holds unless */
} ngx_constraint_breaker_conf_t;


/* max_exec_ms follows factor x p99, never outside min_us..max_us */

typedef struct {
    double                          factor;
    uint32_t                        min_us;
    uint32_t                        max_us;
} ngx_constraint_adaptive_conf_t;


/*
 * All that a record, a profile or a location says about execution.  Strings
 * are borrowed from whoever made it: the JSON, the rule, the cycle's pool.
 */
typedef struct {
    ngx_constraint_execution_t      execution;
    ngx_constraint_breaker_conf_t   breaker;
    ngx_constraint_adaptive_conf_t  adaptive;
    ngx_str_t                       sampling_key; /* CEL, a string; empty =
                                                   * none */
    ngx_str_t                       profile;   /* whose statistics these are:
                                                * its name, empty = none */
} ngx_constraint_limits_t;


/*
 * What is wrong, where, what would be right.  path is relative: ".max_exec_ms"
 * or ".breaker.effect", "" for the object itself.  NUL-terminated.
 */
typedef struct {
    char                            path[128];
    char                            message[256];
} ngx_constraint_limits_error_t;


/* Nothing is given. */
void ngx_constraint_limits_init(ngx_constraint_limits_t *limits);

/*
 * Reads a client's or a stored object: NGX_OK, or NGX_DECLINED with error: of
 * the wrong type or range, unknown, or contradicting another field of the
 * same object.  sampling_key borrows from json; that it is CEL is not judged
 * here.
 *
 * error NULL: a stored object, which was judged when it was stored; what is
 * unknown in it is of a newer version, and is passed over.
 */
ngx_int_t ngx_constraint_limits_parse(json_t *json,
    ngx_constraint_limits_t *limits, ngx_constraint_limits_error_t *error);

/*
 * What never blocks cannot be told to deny by the same hand: is that said of
 * an observational one?  NGX_OK, or NGX_DECLINED with error.
 */
ngx_int_t ngx_constraint_limits_harmless(
    const ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error);

/*
 * What only all levels together can tell: who samples and blocks has to say
 * what happens to those left out.  NGX_OK, or NGX_DECLINED with error.
 */
ngx_int_t ngx_constraint_limits_check(const ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error);

/* The fields that limits has not, from under. */
void ngx_constraint_limits_merge(ngx_constraint_limits_t *limits,
    const ngx_constraint_limits_t *under);

/*
 * What holds where a rule's limits meet a location's; either may be NULL,
 * both: NULL.  Merges into buffer only when it must: the result is one of the
 * three.  Hot path: no lock, no memory.
 */
const ngx_constraint_limits_t *ngx_constraint_limits_effective(
    const ngx_constraint_limits_t *rule,
    const ngx_constraint_limits_t *location, ngx_constraint_limits_t *buffer);

/* The object that parse would read; a new reference, NULL: no memory. */
json_t *ngx_constraint_limits_json(const ngx_constraint_limits_t *limits);


/* The fields, for who shows or reads them one by one; name NULL at the end. */

typedef enum {
    NGX_CONSTRAINT_FIELD_MS = 0,            /* number, decimals */
    NGX_CONSTRAINT_FIELD_INTEGER,
    NGX_CONSTRAINT_FIELD_BYTES,
    NGX_CONSTRAINT_FIELD_NUMBER,
    NGX_CONSTRAINT_FIELD_BOOLEAN,
    NGX_CONSTRAINT_FIELD_TEXT,
    NGX_CONSTRAINT_FIELD_OBJECT
} ngx_constraint_limits_type_e;

typedef struct {
    const char                     *name;
    uint32_t                        bit;
    ngx_constraint_limits_type_e    type;
} ngx_constraint_limits_field_t;

extern const ngx_constraint_limits_field_t  ngx_constraint_limits_fields[];

/* Is there a field of that name. */
ngx_uint_t ngx_constraint_limits_known(const char *name);

/* The value that field has, given or neutral: null for unlimited and none. */
json_t *ngx_constraint_limits_value(const ngx_constraint_limits_t *limits,
    const ngx_constraint_limits_field_t *field);


#endif /* _NGX_CONSTRAINT_EXECUTION_H_INCLUDED_ */
