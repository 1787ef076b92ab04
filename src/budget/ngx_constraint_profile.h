
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_constraint_profile.h - named limits: the four that are built in, and
 * those of the configuration.  Those that are stored are the catalogue's.
 *
 * A profile says whether it blocks: one that does not say observational
 * blocks, so it is never made harmless by what is beneath it.
 */


#ifndef _NGX_CONSTRAINT_PROFILE_H_INCLUDED_
#define _NGX_CONSTRAINT_PROFILE_H_INCLUDED_


#include "ngx_constraint_execution.h"


#define NGX_CONSTRAINT_PROFILE_NAME_MAX  255


typedef enum {
    NGX_CONSTRAINT_PROFILE_PRESET = 0,
    NGX_CONSTRAINT_PROFILE_CONFIGURED,
    NGX_CONSTRAINT_PROFILE_STORED
} ngx_constraint_profile_source_e;

typedef struct {
    ngx_str_t                         name;
    ngx_constraint_limits_t           limits;  /* limits.profile: the name */
    ngx_constraint_profile_source_e   source;
} ngx_constraint_profile_t;


/* fast_rule, semantic_rule, wasm_hook, observational; by place, NULL at the
 * end, and by name. */
const ngx_constraint_profile_t *ngx_constraint_profile_preset(ngx_uint_t n);
const ngx_constraint_profile_t *ngx_constraint_profile_preset_find(
    const ngx_str_t *name);

/*
 * The limits of a profile's JSON: as parse and check do, and observational is
 * always given.  NGX_OK, or NGX_DECLINED with error.
 */
ngx_int_t ngx_constraint_profile_parse(json_t *json,
    ngx_constraint_limits_t *limits, ngx_constraint_limits_error_t *error);

/*
 * key=value words of the configuration as the object that parse reads.  Of
 * values only the form is judged: what is no number stays text, and parse
 * refuses it by its name.  A new reference, or NULL with error: not
 * key=value, or a key that is there already.
 */
json_t *ngx_constraint_profile_words(const ngx_str_t *words, ngx_uint_t n,
    ngx_constraint_limits_error_t *error);


#endif /* _NGX_CONSTRAINT_PROFILE_H_INCLUDED_ */
