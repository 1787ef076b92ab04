/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The audit log of a request's decisions: what it is told besides them.
 * Which of them it keeps is its own.
 */


#include "ngx_http_constraint_request.h"


static void ngx_http_constraint_audit_decided(
    ngx_constraint_enforcement_t *e);


/* The first traceparent; whether it is one is for who reads the log. */

void
ngx_http_constraint_audit_init(ngx_http_request_t *r,
    ngx_constraint_enforcement_t *e, const ngx_constraint_audit_t *audit)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const u_char  name[] = "traceparent";

    e->audit = audit;
    e->decided = ngx_http_constraint_audit_decided;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == sizeof(name) - 1 && h[i].hash
                && ngx_memcmp(h[i].lowcase_key, name, sizeof(name) - 1) == 0)
            {
                e->traceparent = h[i].value;
                return;
            }
        }
    }
}


static void
ngx_http_constraint_audit_decided(ngx_constraint_enforcement_t *e)
{
    ngx_constraint_audit(e->audit, &e->decision, &e->traceparent);
}
