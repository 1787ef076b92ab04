/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Execution constraints of several levels become one, and are shown as JSON.
 */


#include "ngx_constraint_execution.h"


static json_t *ngx_constraint_limits_ms_json(uint32_t us);
static json_t *ngx_constraint_limits_effect_json(uint8_t effect);
static json_t *ngx_constraint_breaker_json(
    const ngx_constraint_breaker_conf_t *breaker);
static json_t *ngx_constraint_adaptive_json(
    const ngx_constraint_adaptive_conf_t *adaptive);


void
ngx_constraint_limits_init(ngx_constraint_limits_t *limits)
{
    ngx_memzero(limits, sizeof(ngx_constraint_limits_t));

    limits->execution.sampling_rate = 1;
    limits->execution.cpu_shares = 100;
}


void
ngx_constraint_limits_merge(ngx_constraint_limits_t *limits,
    const ngx_constraint_limits_t *under)
{
    uint32_t                           set;
    ngx_uint_t                         harmless;
    ngx_constraint_execution_t        *to;
    const ngx_constraint_execution_t  *from;

    to = &limits->execution;
    from = &under->execution;
    set = from->set & ~to->set;

    /* how what never blocks fails and samples is not for what does block */

    harmless = from->observational && !to->observational
               && (to->set & NGX_CONSTRAINT_SET_OBSERVATIONAL);

    if (harmless) {
        set &= ~(NGX_CONSTRAINT_SET_FAIL_CLOSED
                 | NGX_CONSTRAINT_SET_SAMPLING_RATE
                 | NGX_CONSTRAINT_SET_SAMPLED_OUT_EFFECT);
    }

    to->set |= set;

    if (set & NGX_CONSTRAINT_SET_MAX_EXEC) {
        to->max_exec_us = from->max_exec_us;
    }

    if (set & NGX_CONSTRAINT_SET_CPU_SHARES) {
        to->cpu_shares = from->cpu_shares;
    }

    if (set & NGX_CONSTRAINT_SET_MEMORY_LIMIT) {
        to->memory_limit_bytes = from->memory_limit_bytes;
    }

    if (set & NGX_CONSTRAINT_SET_SAMPLING_RATE) {
        to->sampling_rate = from->sampling_rate;
    }

    if (set & NGX_CONSTRAINT_SET_FAIL_CLOSED) {
        to->fail_closed_on_timeout = from->fail_closed_on_timeout;
    }

    if (set & NGX_CONSTRAINT_SET_MAX_RETRIES) {
        to->max_retries = from->max_retries;
    }

    if (set & NGX_CONSTRAINT_SET_RETRY_BACKOFF) {
        to->retry_backoff_us = from->retry_backoff_us;
    }

    if (set & NGX_CONSTRAINT_SET_RETRY_STRATEGY) {
        to->retry_strategy = from->retry_strategy;
    }

    if (set & NGX_CONSTRAINT_SET_SAMPLED_OUT_EFFECT) {
        to->sampled_out_effect = from->sampled_out_effect;
    }

    if (set & NGX_CONSTRAINT_SET_OBSERVATIONAL) {
        to->observational = from->observational;
    }

    if (set & NGX_CONSTRAINT_SET_SAMPLING_KEY) {
        limits->sampling_key = under->sampling_key;
    }

    if (set & NGX_CONSTRAINT_SET_BREAKER) {
        limits->breaker = under->breaker;

        if (harmless) {
            limits->breaker.effect = NGX_CONSTRAINT_BOUND_DENY;
            limits->breaker.effect_given = 0;
        }
    }

    if (set & NGX_CONSTRAINT_SET_ADAPTIVE) {
        limits->adaptive = under->adaptive;
    }

    if (limits->profile.len == 0) {
        limits->profile = under->profile;
    }
}


const ngx_constraint_limits_t *
ngx_constraint_limits_effective(const ngx_constraint_limits_t *rule,
    const ngx_constraint_limits_t *location, ngx_constraint_limits_t *buffer)
{
    if (location == NULL) {
        return rule;
    }

    if (rule == NULL) {
        return location;
    }

    if ((location->execution.set & ~rule->execution.set) == 0
        && rule->profile.len)
    {
        return rule;
    }

    *buffer = *rule;
    ngx_constraint_limits_merge(buffer, location);

    return buffer;
}


json_t *
ngx_constraint_limits_json(const ngx_constraint_limits_t *limits)
{
    json_t                               *json;
    const ngx_constraint_limits_field_t  *field;

    json = json_object();

    for (field = ngx_constraint_limits_fields; json && field->name; field++) {

        if (!(limits->execution.set & field->bit)) {
            continue;
        }

        if (json_object_set_new(json, field->name,
                                ngx_constraint_limits_value(limits, field))
            != 0)
        {
            json_decref(json);
            return NULL;
        }
    }

    return json;
}


json_t *
ngx_constraint_limits_value(const ngx_constraint_limits_t *limits,
    const ngx_constraint_limits_field_t *field)
{
    const ngx_constraint_execution_t  *execution;

    execution = &limits->execution;

    switch (field->bit) {

    case NGX_CONSTRAINT_SET_MAX_EXEC:
        return execution->max_exec_us
               ? ngx_constraint_limits_ms_json(execution->max_exec_us)
               : json_null();

    case NGX_CONSTRAINT_SET_CPU_SHARES:
        return json_integer(execution->cpu_shares);

    case NGX_CONSTRAINT_SET_MEMORY_LIMIT:
        return execution->memory_limit_bytes
               ? json_integer(execution->memory_limit_bytes) : json_null();

    case NGX_CONSTRAINT_SET_SAMPLING_RATE:
        return json_real(execution->sampling_rate);

    case NGX_CONSTRAINT_SET_SAMPLING_KEY:
        return limits->sampling_key.len
               ? json_stringn((char *) limits->sampling_key.data,
                              limits->sampling_key.len)
               : json_null();

    case NGX_CONSTRAINT_SET_SAMPLED_OUT_EFFECT:
        return ngx_constraint_limits_effect_json(
                                              execution->sampled_out_effect);

    case NGX_CONSTRAINT_SET_FAIL_CLOSED:
        return (execution->set & NGX_CONSTRAINT_SET_FAIL_CLOSED)
               ? json_boolean(execution->fail_closed_on_timeout)
               : json_null();

    case NGX_CONSTRAINT_SET_MAX_RETRIES:
        return json_integer(execution->max_retries);

    case NGX_CONSTRAINT_SET_RETRY_BACKOFF:
        return ngx_constraint_limits_ms_json(execution->retry_backoff_us);

    case NGX_CONSTRAINT_SET_RETRY_STRATEGY:
        return json_string(execution->retry_strategy
                           == NGX_CONSTRAINT_RETRY_EXPONENTIAL
                           ? "exponential" : "fixed");

    case NGX_CONSTRAINT_SET_OBSERVATIONAL:
        return json_boolean(execution->observational);

    case NGX_CONSTRAINT_SET_BREAKER:
        return ngx_constraint_breaker_json(&limits->breaker);

    default: /* NGX_CONSTRAINT_SET_ADAPTIVE */
        return ngx_constraint_adaptive_json(&limits->adaptive);
    }
}


/* whole milliseconds stay integers */

static json_t *
ngx_constraint_limits_ms_json(uint32_t us)
{
    return (us % 1000) ? json_real((double) us / 1000)
                       : json_integer(us / 1000);
}


static json_t *
ngx_constraint_limits_effect_json(uint8_t effect)
{
    switch (effect) {

    case NGX_CONSTRAINT_BOUND_ALLOW:
        return json_string("allow");

    case NGX_CONSTRAINT_BOUND_DENY:
        return json_string("deny");

    case NGX_CONSTRAINT_BOUND_SHADOW:
        return json_string("shadow");

    default:
        return json_null();
    }
}


static json_t *
ngx_constraint_breaker_json(const ngx_constraint_breaker_conf_t *breaker)
{
    if (breaker->violations == 0) {
        return json_null();
    }

    return json_pack("{s:I, s:I, s:I, s:o, s:i}",
                     "violations", (json_int_t) breaker->violations,
                     "window_ms", (json_int_t) breaker->window_ms,
                     "open_ms", (json_int_t) breaker->open_ms,
                     "effect",
                     ngx_constraint_limits_effect_json(breaker->effect),
                     "half_open_probes", (int) breaker->half_open_probes);
}


static json_t *
ngx_constraint_adaptive_json(const ngx_constraint_adaptive_conf_t *adaptive)
{
    if (adaptive->max_us == 0) {
        return json_null();
    }

    return json_pack("{s:f, s:o, s:o}",
                     "factor", adaptive->factor,
                     "min_ms",
                     ngx_constraint_limits_ms_json(adaptive->min_us),
                     "max_ms",
                     ngx_constraint_limits_ms_json(adaptive->max_us));
}
