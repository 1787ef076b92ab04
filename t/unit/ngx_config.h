/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * What nginx's ngx_config.h is to files of a room, in unit tests that are
 * built without nginx: nothing but what ngx_core.h here needs.
 */


#ifndef UNIT_NGX_CONFIG_H
#define UNIT_NGX_CONFIG_H


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>


#define ngx_inline       inline
#define ngx_libc_cdecl


#endif /* UNIT_NGX_CONFIG_H */
