/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Reads and checks execution constraints: each field by itself, then what
 * fields say together.
 */


#include "ngx_constraint_execution.h"

#include <math.h>


#define NGX_CONSTRAINT_MAX_EXEC_US      600000000
#define NGX_CONSTRAINT_BACKOFF_US       60000000
#define NGX_CONSTRAINT_MEMORY_MAX       ((json_int_t) 1 << 40)
#define NGX_CONSTRAINT_SAMPLING_KEY_MAX 4096
#define NGX_CONSTRAINT_BREAKER_MS       3600000
#define NGX_CONSTRAINT_FACTOR_MAX       1000

#define NGX_CONSTRAINT_UNKNOWN                                               \
    "is unknown; known are max_exec_ms, cpu_shares, memory_limit_bytes, "    \
    "sampling_rate, sampling_key, sampled_out_effect, "                      \
    "fail_closed_on_timeout, max_retries, retry_backoff_ms, "                \
    "retry_strategy, observational, breaker and adaptive"


/* A member of breaker or adaptive, for reading them. */

typedef struct {
    const char  *name;
    json_t      *value;
} ngx_constraint_member_t;


static const ngx_constraint_limits_field_t *ngx_constraint_limits_find(
    const char *name);
static ngx_int_t ngx_constraint_limits_read(
    const ngx_constraint_limits_field_t *field, json_t *json,
    ngx_constraint_limits_t *limits, ngx_constraint_limits_error_t *error);
static const char *ngx_constraint_limits_scalar(
    const ngx_constraint_limits_field_t *field, json_t *json,
    ngx_constraint_limits_t *limits);
static const char *ngx_constraint_limits_choice(
    const ngx_constraint_limits_field_t *field, json_t *json,
    ngx_constraint_limits_t *limits);
static const char *ngx_constraint_limits_key(json_t *json, ngx_str_t *key);
static ngx_int_t ngx_constraint_limits_inside(
    const ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error);
static ngx_int_t ngx_constraint_breaker_parse(json_t *json,
    ngx_constraint_breaker_conf_t *breaker,
    ngx_constraint_limits_error_t *error);
static ngx_int_t ngx_constraint_adaptive_parse(json_t *json,
    ngx_constraint_adaptive_conf_t *adaptive,
    ngx_constraint_limits_error_t *error);
static ngx_int_t ngx_constraint_members(json_t *json, const char *path,
    ngx_constraint_member_t *members, const char *unknown,
    ngx_constraint_limits_error_t *error);
static ngx_int_t ngx_constraint_member_integer(
    const ngx_constraint_member_t *member, json_int_t max, uint32_t *value);
static ngx_int_t ngx_constraint_member_refuse(
    ngx_constraint_limits_error_t *error, const char *path,
    const ngx_constraint_member_t *member, const char *wanted);
static ngx_int_t ngx_constraint_limits_ms(json_t *json, uint32_t min,
    uint32_t max, uint32_t *us);
static ngx_int_t ngx_constraint_limits_integer(json_t *json, json_int_t min,
    json_int_t max, json_int_t *value);
static ngx_int_t ngx_constraint_limits_number(json_t *json, double min,
    double max, double *value);
static ngx_int_t ngx_constraint_limits_effect(json_t *json, ngx_uint_t shadow,
    uint8_t *effect);
static ngx_int_t ngx_constraint_limits_refuse(
    ngx_constraint_limits_error_t *error, const char *parent,
    const char *name, const char *message);


const ngx_constraint_limits_field_t  ngx_constraint_limits_fields[] = {

    { "max_exec_ms", NGX_CONSTRAINT_SET_MAX_EXEC, NGX_CONSTRAINT_FIELD_MS },
    { "cpu_shares", NGX_CONSTRAINT_SET_CPU_SHARES,
      NGX_CONSTRAINT_FIELD_INTEGER },
    { "memory_limit_bytes", NGX_CONSTRAINT_SET_MEMORY_LIMIT,
      NGX_CONSTRAINT_FIELD_BYTES },
    { "sampling_rate", NGX_CONSTRAINT_SET_SAMPLING_RATE,
      NGX_CONSTRAINT_FIELD_NUMBER },
    { "sampling_key", NGX_CONSTRAINT_SET_SAMPLING_KEY,
      NGX_CONSTRAINT_FIELD_TEXT },
    { "sampled_out_effect", NGX_CONSTRAINT_SET_SAMPLED_OUT_EFFECT,
      NGX_CONSTRAINT_FIELD_TEXT },
    { "fail_closed_on_timeout", NGX_CONSTRAINT_SET_FAIL_CLOSED,
      NGX_CONSTRAINT_FIELD_BOOLEAN },
    { "max_retries", NGX_CONSTRAINT_SET_MAX_RETRIES,
      NGX_CONSTRAINT_FIELD_INTEGER },
    { "retry_backoff_ms", NGX_CONSTRAINT_SET_RETRY_BACKOFF,
      NGX_CONSTRAINT_FIELD_MS },
    { "retry_strategy", NGX_CONSTRAINT_SET_RETRY_STRATEGY,
      NGX_CONSTRAINT_FIELD_TEXT },
    { "observational", NGX_CONSTRAINT_SET_OBSERVATIONAL,
      NGX_CONSTRAINT_FIELD_BOOLEAN },
    { "breaker", NGX_CONSTRAINT_SET_BREAKER, NGX_CONSTRAINT_FIELD_OBJECT },
    { "adaptive", NGX_CONSTRAINT_SET_ADAPTIVE, NGX_CONSTRAINT_FIELD_OBJECT },

    { NULL, 0, NGX_CONSTRAINT_FIELD_OBJECT }
};


ngx_int_t
ngx_constraint_limits_parse(json_t *json, ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error)
{
    json_t                               *value;
    const char                           *name;
    const ngx_constraint_limits_field_t  *field;

    ngx_constraint_limits_init(limits);

    if (!json_is_object(json)) {
        return ngx_constraint_limits_refuse(error, "", NULL,
                                            "must be an object");
    }

    json_object_foreach(json, name, value) {

        field = ngx_constraint_limits_find(name);

        if (field->name == NULL && error == NULL) {
            continue;
        }

        if (field->name == NULL) {
            return ngx_constraint_limits_refuse(error, "", name,
                                                NGX_CONSTRAINT_UNKNOWN);
        }

        if (ngx_constraint_limits_read(field, value, limits, error)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        limits->execution.set |= field->bit;
    }

    if (ngx_constraint_limits_harmless(limits, error) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_constraint_limits_inside(limits, error);
}


/* at the end of the table when there is none */

static const ngx_constraint_limits_field_t *
ngx_constraint_limits_find(const char *name)
{
    const ngx_constraint_limits_field_t  *field;

    for (field = ngx_constraint_limits_fields; field->name; field++) {
        if (ngx_strcmp(field->name, name) == 0) {
            break;
        }
    }

    return field;
}


ngx_uint_t
ngx_constraint_limits_known(const char *name)
{
    return ngx_constraint_limits_find(name)->name != NULL;
}


ngx_int_t
ngx_constraint_limits_harmless(const ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error)
{
    const ngx_constraint_execution_t  *execution;

    execution = &limits->execution;

    if (!execution->observational) {
        return NGX_OK;
    }

    if (execution->fail_closed_on_timeout) {
        return ngx_constraint_limits_refuse(error, "",
                   "fail_closed_on_timeout",
                   "contradicts observational, which never blocks: make one "
                   "of them false");
    }

    if (execution->sampled_out_effect == NGX_CONSTRAINT_BOUND_DENY) {
        return ngx_constraint_limits_refuse(error, "", "sampled_out_effect",
                   "contradicts observational, which never blocks: it must "
                   "be \"allow\", or be left out");
    }

    /* one that was stored before this was asked is still read */

    if (error && limits->breaker.effect_given
        && limits->breaker.effect == NGX_CONSTRAINT_BOUND_DENY)
    {
        return ngx_constraint_limits_refuse(error, ".breaker", "effect",
                   "contradicts observational, which never blocks: it must "
                   "be \"allow\" or \"shadow\", or be left out");
    }

    return NGX_OK;
}


/*
 * The fixed limit is what holds until there are samples: of one hand it is
 * inside of its bounds.  One that was stored before this was asked, and one
 * of a level beneath, is held inside of them.
 */

static ngx_int_t
ngx_constraint_limits_inside(const ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error)
{
    uint32_t  both, max_exec_us;

    both = NGX_CONSTRAINT_SET_MAX_EXEC | NGX_CONSTRAINT_SET_ADAPTIVE;
    max_exec_us = limits->execution.max_exec_us;

    if (error == NULL || (limits->execution.set & both) != both) {
        return NGX_OK;
    }

    if (max_exec_us < limits->adaptive.min_us) {
        return ngx_constraint_limits_refuse(error, "", "max_exec_ms",
                   "contradicts adaptive: it is below its min_ms; it holds "
                   "until there are samples, and must be inside the bounds");
    }

    if (max_exec_us > limits->adaptive.max_us) {
        return ngx_constraint_limits_refuse(error, "", "max_exec_ms",
                   "contradicts adaptive: it is above its max_ms; it holds "
                   "until there are samples, and must be inside the bounds");
    }

    return NGX_OK;
}


ngx_int_t
ngx_constraint_limits_check(const ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error)
{
    const ngx_constraint_execution_t  *execution;

    execution = &limits->execution;

    if (execution->sampling_rate < 1 && !execution->observational
        && execution->sampled_out_effect == NGX_CONSTRAINT_BOUND_UNSET)
    {
        return ngx_constraint_limits_refuse(error, "", "sampled_out_effect",
                   "is required as sampling_rate is below 1: \"allow\" or "
                   "\"deny\" for what is not evaluated");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_limits_read(const ngx_constraint_limits_field_t *field,
    json_t *json, ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error)
{
    const char  *message;

    switch (field->bit) {

    case NGX_CONSTRAINT_SET_BREAKER:
        return ngx_constraint_breaker_parse(json, &limits->breaker, error);

    case NGX_CONSTRAINT_SET_ADAPTIVE:
        return ngx_constraint_adaptive_parse(json, &limits->adaptive, error);

    default:
        message = ngx_constraint_limits_scalar(field, json, limits);
    }

    if (message) {
        return ngx_constraint_limits_refuse(error, "", field->name, message);
    }

    return NGX_OK;
}


/* NULL, or what would be right */

static const char *
ngx_constraint_limits_scalar(const ngx_constraint_limits_field_t *field,
    json_t *json, ngx_constraint_limits_t *limits)
{
    json_int_t                   n;
    ngx_constraint_execution_t  *execution;

    execution = &limits->execution;

    switch (field->bit) {

    case NGX_CONSTRAINT_SET_MAX_EXEC:
        return ngx_constraint_limits_ms(json, 1, NGX_CONSTRAINT_MAX_EXEC_US,
                                        &execution->max_exec_us)
               == NGX_OK ? NULL
               : "must be a number of 0.001 to 600000 milliseconds; leave it "
                 "out for no limit";

    case NGX_CONSTRAINT_SET_CPU_SHARES:
        if (ngx_constraint_limits_integer(json, 0, 100, &n) != NGX_OK) {
            return "must be an integer of 0 to 100";
        }

        execution->cpu_shares = (uint8_t) n;
        return NULL;

    case NGX_CONSTRAINT_SET_MEMORY_LIMIT:
        if (ngx_constraint_limits_integer(json, 1, NGX_CONSTRAINT_MEMORY_MAX,
                                          &n)
            != NGX_OK)
        {
            return "must be an integer of 1 to 1099511627776 bytes; leave it "
                   "out for no limit";
        }

        execution->memory_limit_bytes = n;
        return NULL;

    case NGX_CONSTRAINT_SET_SAMPLING_RATE:
        return ngx_constraint_limits_number(json, 0, 1,
                                            &execution->sampling_rate)
               == NGX_OK ? NULL : "must be a number of 0 to 1";

    case NGX_CONSTRAINT_SET_MAX_RETRIES:
        if (ngx_constraint_limits_integer(json, 0, 10, &n) != NGX_OK) {
            return "must be an integer of 0 to 10";
        }

        execution->max_retries = (uint8_t) n;
        return NULL;

    case NGX_CONSTRAINT_SET_RETRY_BACKOFF:
        return ngx_constraint_limits_ms(json, 0, NGX_CONSTRAINT_BACKOFF_US,
                                        &execution->retry_backoff_us)
               == NGX_OK ? NULL
               : "must be a number of 0 to 60000 milliseconds";

    default:
        return ngx_constraint_limits_choice(field, json, limits);
    }
}


static const char *
ngx_constraint_limits_choice(const ngx_constraint_limits_field_t *field,
    json_t *json, ngx_constraint_limits_t *limits)
{
    const char                  *text;
    ngx_constraint_execution_t  *execution;

    execution = &limits->execution;

    switch (field->bit) {

    case NGX_CONSTRAINT_SET_SAMPLING_KEY:
        return ngx_constraint_limits_key(json, &limits->sampling_key);

    case NGX_CONSTRAINT_SET_FAIL_CLOSED:
        execution->fail_closed_on_timeout = json_is_true(json);
        return json_is_boolean(json) ? NULL : "must be true or false";

    case NGX_CONSTRAINT_SET_OBSERVATIONAL:
        execution->observational = json_is_true(json);
        return json_is_boolean(json) ? NULL : "must be true or false";

    case NGX_CONSTRAINT_SET_SAMPLED_OUT_EFFECT:
        return ngx_constraint_limits_effect(json, 0,
                                            &execution->sampled_out_effect)
               == NGX_OK ? NULL : "must be \"allow\" or \"deny\"";

    default: /* NGX_CONSTRAINT_SET_RETRY_STRATEGY */
        text = json_string_value(json);

        if (text && ngx_strcmp(text, "exponential") == 0) {
            execution->retry_strategy = NGX_CONSTRAINT_RETRY_EXPONENTIAL;
            return NULL;
        }

        return (text && ngx_strcmp(text, "fixed") == 0)
               ? NULL : "must be \"fixed\" or \"exponential\"";
    }
}


static const char *
ngx_constraint_limits_key(json_t *json, ngx_str_t *key)
{
    size_t  len;

    if (!json_is_string(json)) {
        return "must be a string, the text of a CEL expression";
    }

    len = json_string_length(json);

    if (len == 0 || len > NGX_CONSTRAINT_SAMPLING_KEY_MAX) {
        return "must be a CEL expression of 1 to 4096 bytes";
    }

    key->data = (u_char *) json_string_value(json);
    key->len = len;

    return NULL;
}


static ngx_int_t
ngx_constraint_breaker_parse(json_t *json,
    ngx_constraint_breaker_conf_t *breaker,
    ngx_constraint_limits_error_t *error)
{
    uint32_t                  probes;
    ngx_constraint_member_t  *effect;

    ngx_constraint_member_t   members[] = {
        { "violations", NULL }, { "window_ms", NULL }, { "open_ms", NULL },
        { "effect", NULL }, { "half_open_probes", NULL }, { NULL, NULL }
    };

    if (ngx_constraint_members(json, ".breaker", members,
                               "is unknown; a breaker has violations, "
                               "window_ms, open_ms, effect and "
                               "half_open_probes", error)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (ngx_constraint_member_integer(&members[0], 1000000,
                                      &breaker->violations)
        != NGX_OK)
    {
        return ngx_constraint_member_refuse(error, ".breaker", &members[0],
                                            "an integer of 1 to 1000000");
    }

    if (ngx_constraint_member_integer(&members[1], NGX_CONSTRAINT_BREAKER_MS,
                                      &breaker->window_ms)
        != NGX_OK)
    {
        return ngx_constraint_member_refuse(error, ".breaker", &members[1],
                   "an integer of 1 to 3600000 milliseconds");
    }

    if (ngx_constraint_member_integer(&members[2], NGX_CONSTRAINT_BREAKER_MS,
                                      &breaker->open_ms)
        != NGX_OK)
    {
        return ngx_constraint_member_refuse(error, ".breaker", &members[2],
                   "an integer of 1 to 3600000 milliseconds");
    }

    effect = &members[3];
    breaker->effect = NGX_CONSTRAINT_BOUND_DENY;
    breaker->effect_given = (effect->value != NULL);

    if (effect->value
        && ngx_constraint_limits_effect(effect->value, 1, &breaker->effect)
           != NGX_OK)
    {
        return ngx_constraint_limits_refuse(error, ".breaker", "effect",
                   "must be \"deny\", \"allow\" or \"shadow\"");
    }

    probes = 1;

    if (members[4].value
        && ngx_constraint_member_integer(&members[4], 1000, &probes)
           != NGX_OK)
    {
        return ngx_constraint_limits_refuse(error, ".breaker",
                   "half_open_probes", "must be an integer of 1 to 1000");
    }

    breaker->half_open_probes = (uint16_t) probes;

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_adaptive_parse(json_t *json,
    ngx_constraint_adaptive_conf_t *adaptive,
    ngx_constraint_limits_error_t *error)
{
    ngx_constraint_member_t   members[] = {
        { "factor", NULL }, { "min_ms", NULL }, { "max_ms", NULL },
        { NULL, NULL }
    };

    if (ngx_constraint_members(json, ".adaptive", members,
                               "is unknown; adaptive has factor, min_ms and "
                               "max_ms", error)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (ngx_constraint_limits_number(members[0].value, 0,
                                     NGX_CONSTRAINT_FACTOR_MAX,
                                     &adaptive->factor)
        != NGX_OK
        || adaptive->factor == 0)
    {
        return ngx_constraint_member_refuse(error, ".adaptive", &members[0],
                   "a number above 0 and at most 1000");
    }

    if (ngx_constraint_limits_ms(members[1].value, 1,
                                 NGX_CONSTRAINT_MAX_EXEC_US,
                                 &adaptive->min_us)
        != NGX_OK)
    {
        return ngx_constraint_member_refuse(error, ".adaptive", &members[1],
                   "a number of 0.001 to 600000 milliseconds");
    }

    if (ngx_constraint_limits_ms(members[2].value, 1,
                                 NGX_CONSTRAINT_MAX_EXEC_US,
                                 &adaptive->max_us)
        != NGX_OK)
    {
        return ngx_constraint_member_refuse(error, ".adaptive", &members[2],
                   "a number of 0.001 to 600000 milliseconds");
    }

    if (adaptive->min_us > adaptive->max_us) {
        return ngx_constraint_limits_refuse(error, ".adaptive", "min_ms",
                                            "must not be above max_ms");
    }

    return NGX_OK;
}


/* Finds the members that there are; those there are not stay NULL. */

static ngx_int_t
ngx_constraint_members(json_t *json, const char *path,
    ngx_constraint_member_t *members, const char *unknown,
    ngx_constraint_limits_error_t *error)
{
    json_t                   *value;
    const char               *name;
    ngx_constraint_member_t  *member;

    if (!json_is_object(json)) {
        return ngx_constraint_limits_refuse(error, path, NULL,
                                            "must be an object");
    }

    json_object_foreach(json, name, value) {

        for (member = members; member->name; member++) {
            if (ngx_strcmp(member->name, name) == 0) {
                break;
            }
        }

        if (member->name == NULL && error == NULL) {
            continue;
        }

        if (member->name == NULL) {
            return ngx_constraint_limits_refuse(error, path, name, unknown);
        }

        member->value = value;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_member_integer(const ngx_constraint_member_t *member,
    json_int_t max, uint32_t *value)
{
    json_int_t  n;

    if (ngx_constraint_limits_integer(member->value, 1, max, &n) != NGX_OK) {
        return NGX_DECLINED;
    }

    *value = (uint32_t) n;

    return NGX_OK;
}


/* of a member that has to be there: is it missing, or wrong */

static ngx_int_t
ngx_constraint_member_refuse(ngx_constraint_limits_error_t *error,
    const char *path, const ngx_constraint_member_t *member,
    const char *wanted)
{
    char    message[128];
    u_char  *p;

    p = ngx_slprintf((u_char *) message,
                     (u_char *) message + sizeof(message) - 1, "%s%s",
                     member->value ? "must be " : "is required, ", wanted);
    *p = '\0';

    return ngx_constraint_limits_refuse(error, path, member->name, message);
}


/* min and max in microseconds */

static ngx_int_t
ngx_constraint_limits_ms(json_t *json, uint32_t min, uint32_t max,
    uint32_t *us)
{
    double  ms;

    if (ngx_constraint_limits_number(json, (double) min / 1000,
                                     (double) max / 1000, &ms)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    *us = (uint32_t) llround(ms * 1000);

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_limits_integer(json_t *json, json_int_t min, json_int_t max,
    json_int_t *value)
{
    if (!json_is_integer(json)) {
        return NGX_DECLINED;
    }

    *value = json_integer_value(json);

    return (*value >= min && *value <= max) ? NGX_OK : NGX_DECLINED;
}


/* not a number is not between */

static ngx_int_t
ngx_constraint_limits_number(json_t *json, double min, double max,
    double *value)
{
    if (!json_is_number(json)) {
        return NGX_DECLINED;
    }

    *value = json_number_value(json);

    return (*value >= min && *value <= max) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_constraint_limits_effect(json_t *json, ngx_uint_t shadow, uint8_t *effect)
{
    const char  *text;

    text = json_string_value(json);

    if (text && ngx_strcmp(text, "allow") == 0) {
        *effect = NGX_CONSTRAINT_BOUND_ALLOW;
        return NGX_OK;
    }

    if (text && ngx_strcmp(text, "deny") == 0) {
        *effect = NGX_CONSTRAINT_BOUND_DENY;
        return NGX_OK;
    }

    if (text && shadow && ngx_strcmp(text, "shadow") == 0) {
        *effect = NGX_CONSTRAINT_BOUND_SHADOW;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* a client's key may be cut; at a whole character */

static ngx_int_t
ngx_constraint_limits_refuse(ngx_constraint_limits_error_t *error,
    const char *parent, const char *name, const char *message)
{
    u_char  *p, *last;

    if (error == NULL) {
        return NGX_DECLINED;
    }

    last = (u_char *) error->path + sizeof(error->path) - 1;
    p = ngx_slprintf((u_char *) error->path, last, "%s%s%s", parent,
                     name ? "." : "", name ? name : "");

    if (p == last) {
        while (p > (u_char *) error->path && (p[-1] & 0xc0) == 0x80) {
            p--;
        }

        if (p > (u_char *) error->path && p[-1] >= 0xc0) {
            p--;
        }
    }

    *p = '\0';

    (void) ngx_cpystrn((u_char *) error->message, (u_char *) message,
                       sizeof(error->message));

    return NGX_DECLINED;
}
