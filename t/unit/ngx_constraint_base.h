/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Of the room base unit tests need one name: there are no faults.
 */


#ifndef UNIT_NGX_CONSTRAINT_BASE_H
#define UNIT_NGX_CONSTRAINT_BASE_H


#include <ngx_config.h>
#include <ngx_core.h>


#define ngx_constraint_fault(name)  0


#endif /* UNIT_NGX_CONSTRAINT_BASE_H */
