
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_violation.h - which bounds an evaluation met, as plain data
 * and as JSON.  Knows no nginx and takes no memory; decides nothing about
 * what follows from a violation.
 *
 * Any thread.
 */


#ifndef _NGX_CONSTRAINT_VIOLATION_H_INCLUDED_
#define _NGX_CONSTRAINT_VIOLATION_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* In the order in which they are told when several hold. */

typedef enum {
    NGX_CONSTRAINT_VIOLATION_TIMEOUT = 0,   /* us */
    NGX_CONSTRAINT_VIOLATION_MEMORY,        /* bytes */
    NGX_CONSTRAINT_VIOLATION_CPU,           /* shares; 1/1000 percent */
    NGX_CONSTRAINT_VIOLATION_COST,          /* units */
    NGX_CONSTRAINT_VIOLATION_SAMPLED_OUT,   /* alone: nothing was evaluated */
    NGX_CONSTRAINT_VIOLATION_TYPES
} ngx_constraint_violation_e;


typedef struct {
    ngx_constraint_violation_e    type;
    uint64_t                      allowed;
    uint64_t                      actual;
    double                        sampling_rate;   /* SAMPLED_OUT only */
} ngx_constraint_violation_t;


/* What was found at one look; count 0 = nothing. */

#define NGX_CONSTRAINT_VIOLATIONS_MAX  4

typedef struct {
    uint32_t                      count;
    ngx_constraint_violation_t    items[NGX_CONSTRAINT_VIOLATIONS_MAX];
} ngx_constraint_violations_t;


/* "TimeoutExceeded", "MemoryExceeded", ...: static, never NULL. */
const char *ngx_constraint_violation_name(ngx_constraint_violation_e type);

/* The same, "MultipleViolations" for more than one, "" for none. */
const char *ngx_constraint_violations_name(
    const ngx_constraint_violations_t *violations);

/* Adds one in the order above; more than MAX are ignored. */
void ngx_constraint_violation_add(ngx_constraint_violations_t *violations,
    ngx_constraint_violation_e type, uint64_t allowed, uint64_t actual);

/* Nothing but that: it was sampled out at that rate. */
void ngx_constraint_violation_sampled(
    ngx_constraint_violations_t *violations, double rate);


/* Bytes that any set of violations fits. */
#define NGX_CONSTRAINT_VIOLATIONS_JSON  640

/*
 * One JSON object, without a NUL; p has NGX_CONSTRAINT_VIOLATIONS_JSON bytes.
 * Returns the end; p itself when there is none.
 *
 *   {"TimeoutExceeded":{"allowed_ms":5,"actual_ms":5.2}}
 *   {"MemoryExceeded":{"limit_bytes":1048576,"actual_bytes":1048600}}
 *   {"CpuExceeded":{"shares":10,"actual_usage_percent":10.4}}
 *   {"CostExceeded":{"limit_units":1000,"actual_units":1256}}
 *   {"SampledOut":{"sampling_rate":0.1}}
 *   {"MultipleViolations":[{"TimeoutExceeded":..},{"MemoryExceeded":..}]}
 */
char *ngx_constraint_violations_json(char *p,
    const ngx_constraint_violations_t *violations);


#endif /* _NGX_CONSTRAINT_VIOLATION_H_INCLUDED_ */
