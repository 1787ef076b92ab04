
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Violations: their JSON to the byte, their order, their bounds.
 */

#include "tap.h"
#include "ngx_constraint_violation.h"


typedef struct {
    ngx_constraint_violation_e    type;
    uint64_t                      allowed;
    uint64_t                      actual;
    const char                   *json;
} row_t;


static const row_t  rows[] = {
    { NGX_CONSTRAINT_VIOLATION_TIMEOUT, 5000, 5200,
      "{\"TimeoutExceeded\":{\"allowed_ms\":5,\"actual_ms\":5.2}}" },
    { NGX_CONSTRAINT_VIOLATION_TIMEOUT, 1, 1001,
      "{\"TimeoutExceeded\":{\"allowed_ms\":0.001,\"actual_ms\":1.001}}" },
    { NGX_CONSTRAINT_VIOLATION_TIMEOUT, 2050, 10000000,
      "{\"TimeoutExceeded\":{\"allowed_ms\":2.05,\"actual_ms\":10000}}" },
    { NGX_CONSTRAINT_VIOLATION_MEMORY, 1048576, 1048600,
      "{\"MemoryExceeded\":{\"limit_bytes\":1048576,"
      "\"actual_bytes\":1048600}}" },
    { NGX_CONSTRAINT_VIOLATION_CPU, 10, 10400,
      "{\"CpuExceeded\":{\"shares\":10,\"actual_usage_percent\":10.4}}" },
    { NGX_CONSTRAINT_VIOLATION_CPU, 0, 1,
      "{\"CpuExceeded\":{\"shares\":0,\"actual_usage_percent\":0.001}}" },
    { NGX_CONSTRAINT_VIOLATION_COST, 1000, 1256,
      "{\"CostExceeded\":{\"limit_units\":1000,\"actual_units\":1256}}" }
};


static const char *
json(const ngx_constraint_violations_t *violations)
{
    char         *end;
    static char   buf[NGX_CONSTRAINT_VIOLATIONS_JSON + 1];

    end = ngx_constraint_violations_json(buf, violations);
    *end = '\0';

    return buf;
}


static void
test_single(void)
{
    size_t                       i;
    ngx_constraint_violations_t  violations;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        violations.count = 0;
        ngx_constraint_violation_add(&violations, rows[i].type,
                                     rows[i].allowed, rows[i].actual);
        is_str(json(&violations), rows[i].json, "row %d", (int) i);
    }

    violations.count = 0;
    is_str(json(&violations), "", "none is nothing");
    is_str(ngx_constraint_violations_name(&violations), "", "without a name");
}


static void
test_sampled(void)
{
    size_t                       i;
    char                         want[128];
    ngx_constraint_violations_t  violations;

    static const struct {
        double       rate;
        const char  *text;
    } rates[] = {
        { 0, "0" }, { 0.1, "0.1" }, { 0.25, "0.25" }, { 1e-9, "1e-09" },
        { 0.123456789012, "0.123456789012" },
        { 1.0 / 3, "0.3333333333333333" }
    };

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        ngx_constraint_violation_sampled(&violations, rates[i].rate);
        snprintf(want, sizeof(want), "{\"SampledOut\":{\"sampling_rate\":%s}}",
                 rates[i].text);
        is_str(json(&violations), want, "rate %s", rates[i].text);
    }

    is_str(ngx_constraint_violations_name(&violations), "SampledOut",
           "its name");
}


static void
test_multiple(void)
{
    int                          i, j;
    ngx_constraint_violations_t  violations;

    for (i = 0; i < 4; i++) {
        for (j = 0; j < 4; j++) {
            violations.count = 0;
            ngx_constraint_violation_add(&violations, i, 1, 2);
            ngx_constraint_violation_add(&violations, j, 1, 2);
            is_int(violations.items[0].type, i < j ? i : j,
                   "of %d and %d the lower one is first", i, j);
        }
    }

    violations.count = 0;
    ngx_constraint_violation_add(&violations, NGX_CONSTRAINT_VIOLATION_CPU,
                                 10, 20500);
    ngx_constraint_violation_add(&violations, NGX_CONSTRAINT_VIOLATION_MEMORY,
                                 100, 200);
    ngx_constraint_violation_add(&violations,
                                 NGX_CONSTRAINT_VIOLATION_TIMEOUT, 1000, 1500);

    is_str(json(&violations),
           "{\"MultipleViolations\":["
           "{\"TimeoutExceeded\":{\"allowed_ms\":1,\"actual_ms\":1.5}},"
           "{\"MemoryExceeded\":{\"limit_bytes\":100,\"actual_bytes\":200}},"
           "{\"CpuExceeded\":{\"shares\":10,\"actual_usage_percent\":20.5}}"
           "]}", "three at one look");
    is_str(ngx_constraint_violations_name(&violations), "MultipleViolations",
           "their name");
}


static void
test_bounds(void)
{
    int                          i;
    ngx_constraint_violations_t  violations;

    violations.count = 0;

    for (i = 0; i < 6; i++) {
        ngx_constraint_violation_add(&violations,
                                     NGX_CONSTRAINT_VIOLATION_TIMEOUT
                                     + i % NGX_CONSTRAINT_VIOLATIONS_MAX,
                                     UINT64_MAX, UINT64_MAX);
    }

    is_int(violations.count, NGX_CONSTRAINT_VIOLATIONS_MAX, "no more than max");
    ok(strlen(json(&violations)) <= NGX_CONSTRAINT_VIOLATIONS_JSON,
       "the largest fits: %d", (int) strlen(json(&violations)));
}


int
main(void)
{
    test_single();
    test_sampled();
    test_multiple();
    test_bounds();

    return done_testing();
}
