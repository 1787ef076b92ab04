
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * ngx_http_constraint_conf.h - private to src/http: what the directives
 * leave behind.  All of it lives in the cycle's pool.
 */


#ifndef _NGX_HTTP_CONSTRAINT_CONF_H_INCLUDED_
#define _NGX_HTTP_CONSTRAINT_CONF_H_INCLUDED_


#include "ngx_http_constraint.h"
#include "ngx_constraint_audit.h"


/* One `constraint` directive. */

typedef struct {
    ngx_str_t                    name;          /* as written */
    ngx_constraint_catalogue_t  *catalogue;     /* found at the end */
    uint32_t                     hash;          /* of the name */
    unsigned                     brief:1;       /* may be decided briefly */
    unsigned                     shadow:1;
    unsigned                     trusted:1;
    unsigned                     shadow_given:1;
    unsigned                     trusted_given:1;
    ngx_http_complex_value_t    *variable;      /* NULL: name is literal */
    ngx_http_complex_value_t    *subject;       /* NULL: none */
    ngx_str_t                    subject_text;
    ngx_str_t                    zone;          /* empty: the only one */
    ngx_str_t                    file;          /* where it stands */
    ngx_uint_t                   line;
} ngx_http_constraint_entry_t;


/* A name of constraint_allow_vars; its slot follows from its place. */

typedef struct {
    ngx_str_t                    name;
    ngx_int_t                    index;         /* of nginx's variables */
} ngx_http_constraint_var_t;


typedef struct {
    ngx_array_t                 *zones;         /* of catalogue * */
    ngx_array_t                 *vars;          /* ngx_http_constraint_var_t */
    ngx_array_t                 *profiles;      /* of profile *, or NULL */
    ngx_array_t                  entries;       /* of entry *, all of them */
    ngx_array_t                  locations;     /* of loc_conf *, all */
    ngx_str_t                    thread_pool;
    ngx_str_t                    store_pool;
    size_t                       program_cache;
    ngx_int_t                    request_id;    /* index of $request_id */
    ngx_constraint_host_t        host;
} ngx_http_constraint_main_conf_t;


#define NGX_HTTP_CONSTRAINT_DETAIL_NONE  0
#define NGX_HTTP_CONSTRAINT_DETAIL_FULL  1

#define NGX_HTTP_CONSTRAINT_BODY_JSON    0
#define NGX_HTTP_CONSTRAINT_BODY_NGINX   1


typedef struct {
    /* what the short way reads is together */
    ngx_array_t                 *entries;       /* of entry *; NULL = off */
    ngx_http_constraint_entry_t *only;          /* the only one of them, if
                                                 * both are brief, or NULL */
    unsigned                     brief:1;       /* so may be its entries */
    unsigned                     exempt:1;      /* an API: inherits none */
    unsigned                     off:1;         /* `constraint off` here */
    ngx_array_t                 *single_headers; /* of ngx_str_t, lower */
    ngx_uint_t                   path_strict;
    ngx_uint_t                   allow_duplicates;
    size_t                       body_max;
    ngx_constraint_settings_t    settings;      /* filled from the rest */

    void                       **loc_conf;      /* of all modules */
    ngx_array_t                 *outer;         /* those an API is exempt
                                                 * from */
    ngx_str_t                    profile;       /* data NULL: inherited;
                                                 * empty: off */
    ngx_constraint_audit_t      *audit;         /* NULL: off */
    u_char                      *profile_file;
    ngx_uint_t                   profile_line;
    ngx_uint_t                   on_error;
    ngx_uint_t                   offload;
    ngx_uint_t                   log_level;
    ngx_int_t                    inline_cost;
    ngx_int_t                    cost_limit;
    ngx_int_t                    max_pending;
    size_t                       memory_limit;
    ngx_msec_t                   timeout;
    ngx_uint_t                   deny_status;
    ngx_uint_t                   deny_detail;
    ngx_uint_t                   deny_body;
    ngx_flag_t                   subrequests;
} ngx_http_constraint_loc_conf_t;


/* conf_constraint.c */
char *ngx_http_constraint_conf_constraint(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_constraint_conf_resolve(ngx_conf_t *cf);
void ngx_http_constraint_conf_brief(ngx_http_constraint_main_conf_t *pmcf);
void ngx_http_constraint_conf_warn(ngx_conf_t *cf);

/* conf_profile.c */
char *ngx_http_constraint_conf_profile_define(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_http_constraint_conf_profile(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_constraint_conf_profile_merge(
    ngx_http_constraint_loc_conf_t *prev,
    ngx_http_constraint_loc_conf_t *conf);
ngx_int_t ngx_http_constraint_conf_profile_resolve(ngx_conf_t *cf,
    ngx_http_constraint_main_conf_t *pmcf);

/* conf_audit.c */
char *ngx_http_constraint_conf_audit_log(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* conf_zone.c */
char *ngx_http_constraint_conf_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* conf_names.c; enum: like nginx's own slot, and tells the values there are;
 * some: after a slot of a size or a time, which must not be 0 */
char *ngx_http_constraint_conf_enum(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_constraint_conf_some(ngx_conf_t *cf, void *post, void *data);
char *ngx_http_constraint_conf_pool(ngx_conf_t *cf, void *post, void *data);
char *ngx_http_constraint_conf_allow_vars(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_constraint_conf_single_headers(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_http_constraint_conf_deny_status(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
#if (NGX_CONSTRAINT_FAULTS)
char *ngx_http_constraint_conf_fault(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
#endif
cel_status_t ngx_http_constraint_declare(void *ctx, cel_env_t *env);


#endif /* _NGX_HTTP_CONSTRAINT_CONF_H_INCLUDED_ */
