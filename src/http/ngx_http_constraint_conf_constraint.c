/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The directive constraint, and what is checked of all of them at the end
 * of the configuration: their zones, and what answers before them.
 */


#include "ngx_http_constraint_conf.h"


static char *ngx_http_constraint_conf_off(ngx_conf_t *cf,
    ngx_http_constraint_loc_conf_t *plcf);
static char *ngx_http_constraint_conf_parameter(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_constraint_entry_t *entry);
static char *ngx_http_constraint_conf_message_type(ngx_conf_t *cf,
    ngx_str_t *value, ngx_http_constraint_entry_t *entry);
static ngx_http_complex_value_t *ngx_http_constraint_conf_value(
    ngx_conf_t *cf, ngx_str_t *value);
static char *ngx_http_constraint_conf_add(ngx_conf_t *cf,
    ngx_http_constraint_loc_conf_t *plcf, ngx_http_constraint_entry_t *entry);
static void ngx_http_constraint_conf_subject(ngx_conf_t *cf,
    ngx_http_constraint_entry_t *entry);
static void ngx_http_constraint_warn_location(ngx_conf_t *cf,
    ngx_http_constraint_loc_conf_t *plcf, ngx_uint_t rewrite);
static const char *ngx_http_constraint_answers(ngx_array_t *codes);


/*
 * constraint MESSAGE_TYPE|$VARIABLE|off [zone=NAME] [subject=TEXT]
 *     [subject_trusted=on|off] [mode=enforce|shadow]
 */

char *
ngx_http_constraint_conf_constraint(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    char                            *rv;
    ngx_str_t                       *value;
    ngx_uint_t                       i;
    ngx_http_constraint_entry_t     *entry;
    ngx_http_constraint_loc_conf_t  *plcf = conf;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return ngx_http_constraint_conf_off(cf, plcf);
    }

    if (plcf->off) {
        return "is given beside \"constraint off\"";
    }

    entry = ngx_pcalloc(cf->pool, sizeof(ngx_http_constraint_entry_t));
    if (entry == NULL) {
        return NGX_CONF_ERROR;
    }

    entry->file = cf->conf_file->file.name;
    entry->line = cf->conf_file->line;

    rv = ngx_http_constraint_conf_message_type(cf, &value[1], entry);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_constraint_conf_parameter(cf, &value[i], entry);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    ngx_http_constraint_conf_subject(cf, entry);

    return ngx_http_constraint_conf_add(cf, plcf, entry);
}


static char *
ngx_http_constraint_conf_off(ngx_conf_t *cf,
    ngx_http_constraint_loc_conf_t *plcf)
{
    if (cf->args->nelts > 2) {
        return "takes no parameters after \"off\"";
    }

    if (plcf->off) {
        return "is duplicate";
    }

    if (plcf->entries != NGX_CONF_UNSET_PTR) {
        return "off is given beside others";
    }

    plcf->off = 1;
    plcf->entries = NULL;

    return NGX_CONF_OK;
}


static char *
ngx_http_constraint_conf_message_type(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_constraint_entry_t *entry)
{
    entry->name = *value;

    if (ngx_http_script_variables_count(value)) {
        entry->variable = ngx_http_constraint_conf_value(cf, value);

        return entry->variable ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    if (!ngx_constraint_name_valid(value->data, value->len)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid message type \"%V\", it must be "
                           NGX_CONSTRAINT_NAME_RULE, value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_constraint_conf_parameter(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_constraint_entry_t *entry)
{
    ngx_str_t  s;

    if (ngx_strncmp(value->data, "zone=", 5) == 0) {

        if (entry->zone.data) {
            goto duplicate;
        }

        entry->zone.data = value->data + 5;
        entry->zone.len = value->len - 5;

        if (entry->zone.len == 0) {
            goto invalid;
        }

        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "subject=", 8) == 0) {

        if (entry->subject) {
            goto duplicate;
        }

        s.data = value->data + 8;
        s.len = value->len - 8;

        if (s.len == 0) {
            goto invalid;
        }

        entry->subject_text = s;
        entry->subject = ngx_http_constraint_conf_value(cf, &s);

        return entry->subject ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    if (ngx_strcmp(value->data, "subject_trusted=on") == 0
        || ngx_strcmp(value->data, "subject_trusted=off") == 0)
    {
        if (entry->trusted_given) {
            goto duplicate;
        }

        entry->trusted_given = 1;
        entry->trusted = (value->len == sizeof("subject_trusted=on") - 1);
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "mode=shadow") == 0
        || ngx_strcmp(value->data, "mode=enforce") == 0)
    {
        if (entry->shadow_given) {
            goto duplicate;
        }

        entry->shadow_given = 1;
        entry->shadow = (value->data[sizeof("mode=") - 1] == 's');
        return NGX_CONF_OK;
    }

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"constraint\", it must "
                       "be zone=NAME, subject=TEXT, subject_trusted=on|off "
                       "or mode=enforce|shadow", value);
    return NGX_CONF_ERROR;

duplicate:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "duplicate parameter \"%V\"",
                       value);
    return NGX_CONF_ERROR;
}


static ngx_http_complex_value_t *
ngx_http_constraint_conf_value(ngx_conf_t *cf, ngx_str_t *value)
{
    ngx_http_complex_value_t          *cv;
    ngx_http_compile_complex_value_t   ccv;

    cv = ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (cv == NULL) {
        return NULL;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = cv;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NULL;
    }

    return cv;
}


static char *
ngx_http_constraint_conf_add(ngx_conf_t *cf,
    ngx_http_constraint_loc_conf_t *plcf, ngx_http_constraint_entry_t *entry)
{
    ngx_http_constraint_entry_t      **e;
    ngx_http_constraint_main_conf_t   *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_constraint_module);

    if (plcf->entries == NGX_CONF_UNSET_PTR) {
        plcf->entries = ngx_array_create(cf->pool, 2,
                                     sizeof(ngx_http_constraint_entry_t *));
        if (plcf->entries == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    e = ngx_array_push(plcf->entries);
    if (e == NULL) {
        return NGX_CONF_ERROR;
    }

    *e = entry;

    e = ngx_array_push(&pmcf->entries);
    if (e == NULL) {
        return NGX_CONF_ERROR;
    }

    *e = entry;

    return NGX_CONF_OK;
}


/* Whoever may choose the subject may choose another one's. */

static void
ngx_http_constraint_conf_subject(ngx_conf_t *cf,
    ngx_http_constraint_entry_t *entry)
{
    u_char             *p, *end;
    ngx_uint_t          i;
    static ngx_str_t    chosen[] = {
        ngx_string("http_"),
        ngx_string("arg_"),
        ngx_string("cookie_"),
        ngx_null_string
    };

    if (entry->subject == NULL || entry->trusted) {
        return;
    }

    end = entry->subject_text.data + entry->subject_text.len;

    for (p = entry->subject_text.data; p < end; p++) {

        if (*p != '$') {
            continue;
        }

        p += (p + 1 < end && p[1] == '{') ? 2 : 1;

        for (i = 0; chosen[i].len; i++) {

            if ((size_t) (end - p) >= chosen[i].len
                && ngx_strncasecmp(p, chosen[i].data, chosen[i].len) == 0)
            {
                ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                                   "the client chooses the subject \"%V\", "
                                   "take an authenticated one or say "
                                   "subject_trusted=on",
                                   &entry->subject_text);
                return;
            }
        }
    }
}


/* Zones may be declared after their use. */

ngx_int_t
ngx_http_constraint_conf_resolve(ngx_conf_t *cf)
{
    ngx_uint_t                         i;
    ngx_constraint_catalogue_t       **zones;
    ngx_http_constraint_entry_t      **entries, *entry;
    ngx_http_constraint_main_conf_t   *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_constraint_module);

    entries = pmcf->entries.elts;

    for (i = 0; i < pmcf->entries.nelts; i++) {
        entry = entries[i];

        if (entry->zone.len) {
            entry->catalogue = ngx_http_constraint_catalogue(cf->cycle,
                                                             &entry->zone);
            if (entry->catalogue == NULL) {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "unknown zone \"%V\" of \"constraint\" in "
                              "%V:%ui, declare it by constraint_zone",
                              &entry->zone, &entry->file, entry->line);
                return NGX_ERROR;
            }

            continue;
        }

        if (pmcf->zones == NULL || pmcf->zones->nelts != 1) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"constraint\" in %V:%ui needs zone=NAME, there "
                          "are %ui zones", &entry->file, entry->line,
                          pmcf->zones ? pmcf->zones->nelts : 0);
            return NGX_ERROR;
        }

        zones = pmcf->zones->elts;
        entry->catalogue = zones[0];
    }

    return NGX_OK;
}


/* Where the short way of the gate is open: all is known by now. */

void
ngx_http_constraint_conf_brief(ngx_http_constraint_main_conf_t *pmcf)
{
    ngx_uint_t                         i;
    ngx_http_constraint_entry_t      **entries;
    ngx_http_constraint_loc_conf_t   **locations;

    entries = pmcf->entries.elts;

    for (i = 0; i < pmcf->entries.nelts; i++) {
        entries[i]->brief = entries[i]->variable == NULL
                            && !entries[i]->shadow;
        entries[i]->hash = ngx_constraint_catalogue_hash(&entries[i]->name);
    }

    locations = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {

        locations[i]->brief = locations[i]->audit == NULL
                      && ngx_constraint_may_be_brief(&locations[i]->settings);

        if (!locations[i]->brief || locations[i]->entries == NULL
            || locations[i]->entries->nelts != 1)
        {
            continue;
        }

        entries = locations[i]->entries->elts;

        if (entries[0]->brief) {
            locations[i]->only = entries[0];
        }
    }
}


/*
 * "return" and redirecting "rewrite" answer in the rewrite phase, before any
 * gate; refusals among them let nothing through and are not told.
 */

void
ngx_http_constraint_conf_warn(ngx_conf_t *cf)
{
    ngx_uint_t                         i, rewrite;
    ngx_module_t                     **modules;
    ngx_http_constraint_loc_conf_t   **locations;
    ngx_http_constraint_main_conf_t   *pmcf;

    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {
        if (ngx_strcmp(modules[i]->name, "ngx_http_rewrite_module") == 0) {
            break;
        }
    }

    if (modules[i] == NULL) {
        return;
    }

    rewrite = modules[i]->ctx_index;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_constraint_module);

    locations = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        if (locations[i]->entries) {
            ngx_http_constraint_warn_location(cf, locations[i], rewrite);
        }
    }
}


static void
ngx_http_constraint_warn_location(ngx_conf_t *cf,
    ngx_http_constraint_loc_conf_t *plcf, ngx_uint_t rewrite)
{
    ngx_array_t                  *codes;
    const char                   *what;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_constraint_entry_t  *entry;

    clcf = plcf->loc_conf[ngx_http_core_module.ctx_index];

    /* the codes of an "if" are its location's */

    if (clcf->noname) {
        return;
    }

    /* they are the first member of that module's location configuration */

    codes = *(ngx_array_t **) plcf->loc_conf[rewrite];

    what = codes ? ngx_http_constraint_answers(codes) : NULL;

    if (what == NULL) {
        return;
    }

    entry = *(ngx_http_constraint_entry_t **) plcf->entries->elts;

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "\"%s\" in %s \"%V\" answers before the \"constraint\" "
                  "in %V:%ui is asked", what,
                  clcf->name.len ? "location" : "server", &clcf->name,
                  &entry->file, entry->line);
}


/* The codes lie one after the other, aligned, each led by its function. */

static const char *
ngx_http_constraint_answers(ngx_array_t *codes)
{
    u_char                            *p, *last;
    ngx_http_script_code_pt            code;
    ngx_http_script_return_code_t     *ret;
#if (NGX_PCRE)
    ngx_http_script_regex_code_t      *regex;
#endif

    last = (u_char *) codes->elts + codes->nelts;

    for (p = codes->elts; p + sizeof(code) <= last; p += sizeof(code)) {

        ngx_memcpy(&code, p, sizeof(code));

        if (code == ngx_http_script_return_code) {
            ret = (ngx_http_script_return_code_t *) p;

            if (ret->status < 400) {
                return "return";
            }
        }

#if (NGX_PCRE)

        if (code == ngx_http_script_regex_start_code) {
            regex = (ngx_http_script_regex_code_t *) p;

            if (regex->redirect) {
                return "rewrite";
            }
        }

#endif
    }

    return NULL;
}
