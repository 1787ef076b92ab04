
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Paths into a document for messages, "rule.match[1].output", which grow and
 * shrink while the tree is walked.
 */


#include <stdio.h>
#include <stdarg.h>
#include "workflow_policy.h"


uint32_t
workflow_path_add(workflow_path_t *path, const char *fmt, ...)
{
    int       n;
    va_list   ap;
    uint32_t  len;

    len = path->len;

    va_start(ap, fmt);
    n = vsnprintf(path->text + len, sizeof(path->text) - len, fmt, ap);
    va_end(ap);

    path->len += n;

    if (path->len >= sizeof(path->text)) {
        path->len = sizeof(path->text) - 1;
    }

    return len;
}


void
workflow_path_cut(workflow_path_t *path, uint32_t len)
{
    path->len = len;
    path->text[len] = '\0';
}
