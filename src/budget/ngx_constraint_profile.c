/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The profiles that are built in, and profiles as JSON and as words of the
 * configuration.
 */


#include "ngx_constraint_profile.h"


static json_t *ngx_constraint_profile_object(json_t *json, char **key);
static ngx_constraint_limits_type_e ngx_constraint_profile_type(
    const char *key);
static json_t *ngx_constraint_profile_value(ngx_constraint_limits_type_e type,
    const char *key, ngx_str_t *text);
static json_t *ngx_constraint_profile_number(
    ngx_constraint_limits_type_e type, ngx_str_t *text);
static json_t *ngx_constraint_profile_refuse(
    ngx_constraint_limits_error_t *error, const ngx_str_t *word,
    const char *message);


#define NGX_CONSTRAINT_PRESET_SET                                            \
    (NGX_CONSTRAINT_SET_MAX_EXEC | NGX_CONSTRAINT_SET_CPU_SHARES             \
     | NGX_CONSTRAINT_SET_MEMORY_LIMIT | NGX_CONSTRAINT_SET_FAIL_CLOSED      \
     | NGX_CONSTRAINT_SET_OBSERVATIONAL)

#define NGX_CONSTRAINT_PRESET_RETRIES                                        \
    (NGX_CONSTRAINT_SET_MAX_RETRIES | NGX_CONSTRAINT_SET_RETRY_BACKOFF)


static const ngx_constraint_profile_t  ngx_constraint_presets[] = {

    { ngx_string("fast_rule"),
      { .execution = { .set = NGX_CONSTRAINT_PRESET_SET,
                       .max_exec_us = 5000,
                       .cpu_shares = 10,
                       .memory_limit_bytes = 1024 * 1024,
                       .sampling_rate = 1,
                       .fail_closed_on_timeout = 1 },
        .profile = ngx_string("fast_rule") },
      NGX_CONSTRAINT_PROFILE_PRESET },

    { ngx_string("semantic_rule"),
      { .execution = { .set = NGX_CONSTRAINT_PRESET_SET
                              | NGX_CONSTRAINT_PRESET_RETRIES,
                       .max_exec_us = 100000,
                       .cpu_shares = 50,
                       .memory_limit_bytes = 10 * 1024 * 1024,
                       .sampling_rate = 1,
                       .max_retries = 2,
                       .retry_backoff_us = 10000 },
        .profile = ngx_string("semantic_rule") },
      NGX_CONSTRAINT_PROFILE_PRESET },

    { ngx_string("wasm_hook"),
      { .execution = { .set = NGX_CONSTRAINT_PRESET_SET
                              | NGX_CONSTRAINT_PRESET_RETRIES,
                       .max_exec_us = 10000,
                       .cpu_shares = 20,
                       .memory_limit_bytes = 5 * 1024 * 1024,
                       .sampling_rate = 1,
                       .fail_closed_on_timeout = 1,
                       .max_retries = 2,
                       .retry_backoff_us = 10000 },
        .profile = ngx_string("wasm_hook") },
      NGX_CONSTRAINT_PROFILE_PRESET },

    { ngx_string("observational"),
      { .execution = { .set = NGX_CONSTRAINT_PRESET_SET
                              | NGX_CONSTRAINT_SET_SAMPLING_RATE,
                       .max_exec_us = 2000,
                       .cpu_shares = 5,
                       .memory_limit_bytes = 512 * 1024,
                       .sampling_rate = 1,
                       .observational = 1 },
        .profile = ngx_string("observational") },
      NGX_CONSTRAINT_PROFILE_PRESET }
};

#define NGX_CONSTRAINT_PRESETS                                               \
    (sizeof(ngx_constraint_presets) / sizeof(ngx_constraint_profile_t))


const ngx_constraint_profile_t *
ngx_constraint_profile_preset(ngx_uint_t n)
{
    return (n < NGX_CONSTRAINT_PRESETS) ? &ngx_constraint_presets[n] : NULL;
}


const ngx_constraint_profile_t *
ngx_constraint_profile_preset_find(const ngx_str_t *name)
{
    ngx_uint_t                       i;
    const ngx_constraint_profile_t  *profile;

    for (i = 0; i < NGX_CONSTRAINT_PRESETS; i++) {
        profile = &ngx_constraint_presets[i];

        if (profile->name.len == name->len
            && ngx_memcmp(profile->name.data, name->data, name->len) == 0)
        {
            return profile;
        }
    }

    return NULL;
}


ngx_int_t
ngx_constraint_profile_parse(json_t *json, ngx_constraint_limits_t *limits,
    ngx_constraint_limits_error_t *error)
{
    if (ngx_constraint_limits_parse(json, limits, error) != NGX_OK) {
        return NGX_DECLINED;
    }

    limits->execution.set |= NGX_CONSTRAINT_SET_OBSERVATIONAL;

    return ngx_constraint_limits_check(limits, error);
}


json_t *
ngx_constraint_profile_words(const ngx_str_t *words, ngx_uint_t n,
    ngx_constraint_limits_error_t *error)
{
    char        *name, key[64];
    u_char      *p;
    json_t      *json, *object, *value;
    ngx_str_t    text;
    ngx_uint_t   i;

    json = json_object();

    for (i = 0; json && i < n; i++) {

        p = ngx_strlchr(words[i].data, words[i].data + words[i].len, '=');

        if (p == NULL || p == words[i].data
            || (size_t) (p - words[i].data) >= sizeof(key))
        {
            json_decref(json);
            return ngx_constraint_profile_refuse(error, &words[i],
                                      "is not a field: FIELD=VALUE expected");
        }

        (void) ngx_cpystrn((u_char *) key, words[i].data,
                           p - words[i].data + 1);
        text.data = p + 1;
        text.len = words[i].data + words[i].len - text.data;

        name = key;
        object = ngx_constraint_profile_object(json, &name);

        if (!json_is_object(object) || json_object_get(object, name)) {
            json_decref(json);
            return ngx_constraint_profile_refuse(error, &words[i],
                                                 "is given twice");
        }

        value = ngx_constraint_profile_value(ngx_constraint_profile_type(key),
                                             name, &text);

        if (json_object_set_new(object, name, value) != 0) {
            json_decref(json);
            return ngx_constraint_profile_refuse(error, &words[i],
                                "is not UTF-8, or memory is out");
        }
    }

    return json;
}


/* breaker.open_ms is a member of its own object, made when first named */

static json_t *
ngx_constraint_profile_object(json_t *json, char **key)
{
    char        *dot, name[16];
    json_t      *object;
    ngx_uint_t   i;

    static const char  *objects[] = { "breaker", "adaptive" };

    dot = strchr(*key, '.');

    for (i = 0; dot && i < 2; i++) {

        if ((size_t) (dot - *key) != ngx_strlen(objects[i])
            || ngx_strncmp(*key, objects[i], dot - *key) != 0)
        {
            continue;
        }

        (void) ngx_cpystrn((u_char *) name, (u_char *) objects[i],
                           sizeof(name));

        object = json_object_get(json, name);

        if (object == NULL) {
            if (json_object_set_new(json, name, json_object()) != 0) {
                return NULL;
            }

            object = json_object_get(json, name);
        }

        *key = dot + 1;

        return object;
    }

    return json;
}


static ngx_constraint_limits_type_e
ngx_constraint_profile_type(const char *key)
{
    const ngx_constraint_limits_field_t  *field;

    if (ngx_strcmp(key, "breaker.effect") == 0) {
        return NGX_CONSTRAINT_FIELD_TEXT;
    }

    for (field = ngx_constraint_limits_fields; field->name; field++) {
        if (ngx_strcmp(field->name, key) == 0) {
            return field->type;
        }
    }

    /* the other members of breaker and adaptive, and what is unknown */

    return NGX_CONSTRAINT_FIELD_NUMBER;
}


static json_t *
ngx_constraint_profile_value(ngx_constraint_limits_type_e type,
    const char *key, ngx_str_t *text)
{
    json_t  *value;

    value = NULL;

    switch (type) {

    case NGX_CONSTRAINT_FIELD_BOOLEAN:

        if ((text->len == 4 && ngx_strncmp(text->data, "true", 4) == 0)
            || (text->len == 2 && ngx_strncmp(text->data, "on", 2) == 0))
        {
            return json_true();
        }

        if ((text->len == 5 && ngx_strncmp(text->data, "false", 5) == 0)
            || (text->len == 3 && ngx_strncmp(text->data, "off", 3) == 0))
        {
            return json_false();
        }

        break;

    case NGX_CONSTRAINT_FIELD_TEXT:
    case NGX_CONSTRAINT_FIELD_OBJECT:
        break;

    default:
        value = ngx_constraint_profile_number(type, text);
    }

    return value ? value : json_stringn((char *) text->data, text->len);
}


/* NULL when it is none; bytes may have nginx's suffixes */

static json_t *
ngx_constraint_profile_number(ngx_constraint_limits_type_e type,
    ngx_str_t *text)
{
    off_t    bytes;
    json_t  *value;

    if (type == NGX_CONSTRAINT_FIELD_BYTES) {
        bytes = ngx_parse_offset(text);
        return (bytes == (off_t) NGX_ERROR) ? NULL : json_integer(bytes);
    }

    value = json_loadb((char *) text->data, text->len, JSON_DECODE_ANY, NULL);

    if (value && !json_is_number(value)) {
        json_decref(value);
        return NULL;
    }

    return value;
}


static json_t *
ngx_constraint_profile_refuse(ngx_constraint_limits_error_t *error,
    const ngx_str_t *word, const char *message)
{
    u_char  *p, *last;

    last = (u_char *) error->path + sizeof(error->path) - 1;
    p = ngx_slprintf((u_char *) error->path, last, ".%V", word);
    *p = '\0';

    (void) ngx_cpystrn((u_char *) error->message, (u_char *) message,
                       sizeof(error->message));

    return NULL;
}
