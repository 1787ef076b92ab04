/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * A constraint's record: what a client may send, what is stored, what is
 * shown.  Stored is the JSON object that is shown, with times as numbers.
 */


#include "ngx_constraint_catalogue_room.h"


#define NGX_CONSTRAINT_DESCRIPTION_MAX  4096
#define NGX_CONSTRAINT_TIMEOUT_MAX      600000


#define NGX_CONSTRAINT_FIELD_REQUIRED   0x01
#define NGX_CONSTRAINT_FIELD_READ_ONLY  0x02


typedef struct {
    const char   *name;
    ngx_uint_t    flags;
    const char  *(*check)(json_t *value);
} ngx_constraint_field_t;


static ngx_int_t ngx_constraint_record_field(const char *name, json_t *value,
    ngx_constraint_field_error_t *error);

static const char *ngx_constraint_check_name(json_t *value);
static const char *ngx_constraint_check_subject(json_t *value);
static const char *ngx_constraint_check_metadata(json_t *value);
static const char *ngx_constraint_check_enabled(json_t *value);
static const char *ngx_constraint_check_effect(json_t *value);
static const char *ngx_constraint_check_timeout(json_t *value);

static ngx_constraint_effect_e ngx_constraint_record_effect(json_t *stored,
    const char *name);
static ngx_int_t ngx_constraint_record_string(json_t *stored,
    const char *name, ngx_str_t *s);


/* profile is first in what is stored, see ngx_constraint_payload_t */

static const ngx_constraint_field_t  ngx_constraint_fields[] = {

    { "profile", 0, ngx_constraint_check_name },

    { "message_type", NGX_CONSTRAINT_FIELD_REQUIRED,
      ngx_constraint_check_name },

    { "subject_id", NGX_CONSTRAINT_FIELD_REQUIRED,
      ngx_constraint_check_subject },

    { "dsl_workflow_id", NGX_CONSTRAINT_FIELD_REQUIRED,
      ngx_constraint_check_name },

    { "constraint_metadata", NGX_CONSTRAINT_FIELD_REQUIRED,
      ngx_constraint_check_metadata },

    { "description", 0, ngx_constraint_check_description },
    { "enabled", 0, ngx_constraint_check_enabled },
    { "default_effect", 0, ngx_constraint_check_effect },
    { "on_error", 0, ngx_constraint_check_effect },
    { "timeout_ms", 0, ngx_constraint_check_timeout },
    { "execution", 0, NULL },
    { "revision", NGX_CONSTRAINT_FIELD_READ_ONLY, NULL },
    { "created_at", NGX_CONSTRAINT_FIELD_READ_ONLY, NULL },
    { "updated_at", NGX_CONSTRAINT_FIELD_READ_ONLY, NULL },

    { NULL, 0, NULL }
};


static const char  *ngx_constraint_reserved[] = {
    "execute", "metadata", "unload", "check", "off", ".", "..", NULL
};


ngx_uint_t
ngx_constraint_name_valid(const u_char *p, size_t len)
{
    size_t       i;
    const char **word;

    if (len == 0 || len > NGX_CONSTRAINT_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < len; i++) {

        if ((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z')
            || (p[i] >= '0' && p[i] <= '9'))
        {
            continue;
        }

        if (p[i] != '.' && p[i] != '_' && p[i] != ':' && p[i] != '-') {
            return 0;
        }
    }

    for (word = ngx_constraint_reserved; *word; word++) {
        if (len == ngx_strlen(*word) && ngx_memcmp(p, *word, len) == 0) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_constraint_record_validate(json_t *body, ngx_uint_t partial,
    ngx_constraint_field_error_t *error)
{
    json_t                        *value;
    const char                    *name;
    const ngx_constraint_field_t  *field;

    if (!json_is_object(body)) {
        return ngx_constraint_record_refuse(error, NULL,
                                            "must be a JSON object");
    }

    json_object_foreach(body, name, value) {
        if (ngx_constraint_record_field(name, value, error) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    if (partial) {
        return NGX_OK;
    }

    for (field = ngx_constraint_fields; field->name; field++) {

        if ((field->flags & NGX_CONSTRAINT_FIELD_REQUIRED)
            && json_object_get(body, field->name) == NULL)
        {
            return ngx_constraint_record_refuse(error, field->name,
                                                "is required");
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_constraint_record_field(const char *name, json_t *value,
    ngx_constraint_field_error_t *error)
{
    const char                    *message;
    const ngx_constraint_field_t  *field;

    for (field = ngx_constraint_fields; field->name; field++) {

        if (ngx_strcmp(field->name, name) != 0) {
            continue;
        }

        if (field->flags & NGX_CONSTRAINT_FIELD_READ_ONLY) {
            return ngx_constraint_record_refuse(error, name,
                                         "is read-only, leave it out");
        }

        if (json_is_null(value)) {

            if (field->flags & NGX_CONSTRAINT_FIELD_REQUIRED) {
                return ngx_constraint_record_refuse(error, name,
                                         "is required, it must not be null");
            }

            return NGX_OK;
        }

        if (field->check == NULL) {
            return ngx_constraint_record_execution(value, error);
        }

        message = field->check(value);

        if (message) {
            return ngx_constraint_record_refuse(error, name, message);
        }

        return NGX_OK;
    }

    if (ngx_constraint_limits_known(name)) {
        return ngx_constraint_record_refuse(error, name, "is a member of "
                                            "execution, not of a constraint");
    }

    return ngx_constraint_record_refuse(error, name,
               "is unknown; a constraint has message_type, subject_id, "
               "dsl_workflow_id, constraint_metadata, description, enabled, "
               "default_effect, on_error, timeout_ms, execution and profile");
}


ngx_int_t
ngx_constraint_record_refuse(ngx_constraint_field_error_t *error,
    const char *name, const char *message)
{
    u_char  *p, *last;

    last = error->path_buf + sizeof(error->path_buf);

    if (name) {
        p = ngx_slprintf(error->path_buf, last, "$.%s", name);

    } else {
        p = ngx_slprintf(error->path_buf, last, "$");
    }

    error->path.data = error->path_buf;
    error->path.len = p - error->path_buf;

    /* a key that was cut stays valid UTF-8 */

    while (p == last && error->path.len
           && !ngx_constraint_utf8_valid(error->path.data, error->path.len))
    {
        error->path.len--;
    }

    (void) ngx_cpystrn(error->message, (u_char *) message,
                       sizeof(error->message));

    return NGX_DECLINED;
}


static const char *
ngx_constraint_check_name(json_t *value)
{
    if (!json_is_string(value)) {
        return "must be a string";
    }

    if (!ngx_constraint_name_valid((u_char *) json_string_value(value),
                                   json_string_length(value)))
    {
        return "must be " NGX_CONSTRAINT_NAME_RULE;
    }

    return NULL;
}


static const char *
ngx_constraint_check_subject(json_t *value)
{
    size_t       i, len;
    const char  *p;

    if (!json_is_string(value)) {
        return "must be a string";
    }

    p = json_string_value(value);
    len = json_string_length(value);

    if (len == 0 || len > NGX_CONSTRAINT_NAME_MAX) {
        return "must be 1 to 255 bytes, \"*\" for any subject";
    }

    for (i = 0; i < len; i++) {
        if ((u_char) p[i] < 0x20 || p[i] == 0x7f) {
            return "must not hold control characters";
        }
    }

    if (ngx_strncmp(p, "role:", 5) == 0 || ngx_strncmp(p, "group:", 6) == 0) {
        return "names a role or a group, which is not supported: use a "
               "subject's id, or \"*\" for any subject";
    }

    return NULL;
}


static const char *
ngx_constraint_check_metadata(json_t *value)
{
    if (!json_is_object(value)) {
        return "must be an object";
    }

    if (json_dumpb(value, NULL, 0, JSON_COMPACT)
        > NGX_CONSTRAINT_METADATA_MAX)
    {
        return "must not be larger than 64 KiB";
    }

    return NULL;
}


const char *
ngx_constraint_check_description(json_t *value)
{
    if (!json_is_string(value)) {
        return "must be a string";
    }

    if (json_string_length(value) > NGX_CONSTRAINT_DESCRIPTION_MAX) {
        return "must not be longer than 4096 bytes";
    }

    return NULL;
}


static const char *
ngx_constraint_check_enabled(json_t *value)
{
    return json_is_boolean(value) ? NULL : "must be true or false";
}


static const char *
ngx_constraint_check_effect(json_t *value)
{
    const char  *effect;

    effect = json_string_value(value);

    if (effect == NULL || (ngx_strcmp(effect, "allow") != 0
                           && ngx_strcmp(effect, "deny") != 0))
    {
        return "must be \"allow\" or \"deny\"";
    }

    return NULL;
}


static const char *
ngx_constraint_check_timeout(json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1
        || json_integer_value(value) > NGX_CONSTRAINT_TIMEOUT_MAX)
    {
        return "must be an integer of 1 to 600000 milliseconds";
    }

    return NULL;
}


/*
 * In the order of the table, whatever order the client had; revision and
 * times are the writer's to set.
 */

json_t *
ngx_constraint_record_merge(json_t *old, json_t *body)
{
    json_t                        *merged, *value;
    const ngx_constraint_field_t  *field;

    merged = json_object();
    if (merged == NULL) {
        return NULL;
    }

    for (field = ngx_constraint_fields; field->name; field++) {

        value = json_object_get(body, field->name);

        if (value == NULL) {
            value = old ? json_object_get(old, field->name) : NULL;
        }

        if (value == NULL || json_is_null(value)) {

            if (ngx_strcmp(field->name, "enabled") != 0) {
                continue;
            }

            value = json_true();
        }

        if (json_object_set(merged, field->name, value) != 0) {
            json_decref(merged);
            return NULL;
        }
    }

    return merged;
}


json_t *
ngx_constraint_record_document(json_t *stored)
{
    json_t      *document, *value;
    ngx_uint_t   i;

    static const char  *times[] = { "created_at", "updated_at" };

    document = json_copy(stored);
    if (document == NULL) {
        return NULL;
    }

    for (i = 0; i < 2; i++) {
        value = json_object_get(stored, times[i]);

        if (json_object_set_new(document, times[i],
                         ngx_constraint_time_text(json_integer_value(value)))
            != 0)
        {
            json_decref(document);
            return NULL;
        }
    }

    return document;
}


json_t *
ngx_constraint_workflow_document(const ngx_str_t *id,
    const ngx_constraint_head_t *head, const ngx_str_t *text)
{
    json_t  *policy;

    policy = json_loadb((char *) text->data, text->len, 0, NULL);
    if (policy == NULL) {
        return NULL;
    }

    return json_pack("{s:s%, s:I, s:o, s:o, s:o}",
                     "name", id->data, id->len,
                     "revision", (json_int_t) head->revision,
                     "created_at", ngx_constraint_time_text(head->created_ms),
                     "updated_at", ngx_constraint_time_text(head->updated_ms),
                     "document", policy);
}


/* RFC 3339, in UTC, with milliseconds: text order is time order */

json_t *
ngx_constraint_time_text(int64_t ms)
{
    char       text[64];
    time_t     seconds;
    struct tm  tm;

    seconds = ms / 1000;

    if (gmtime_r(&seconds, &tm) == NULL) {
        return json_null();
    }

    (void) snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                    tm.tm_min, tm.tm_sec, (int) (ms % 1000));

    return json_string(text);
}


int64_t
ngx_constraint_now_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


ngx_int_t
ngx_constraint_record_open(json_t *stored, ngx_constraint_record_t *record)
{
    json_t  *value;

    ngx_memzero(record, sizeof(ngx_constraint_record_t));

    if (ngx_constraint_record_string(stored, "message_type",
                                     &record->message_type)
        != NGX_OK
        || ngx_constraint_record_string(stored, "subject_id",
                                        &record->subject_id)
           != NGX_OK
        || ngx_constraint_record_string(stored, "dsl_workflow_id",
                                        &record->workflow_id)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_constraint_record_string(stored, "description",
                                        &record->description);
    (void) ngx_constraint_record_string(stored, "profile", &record->profile);

    record->default_effect = ngx_constraint_record_effect(stored,
                                                          "default_effect");
    record->on_error = ngx_constraint_record_effect(stored, "on_error");

    record->timeout = json_integer_value(json_object_get(stored,
                                                         "timeout_ms"));
    record->revision = json_integer_value(json_object_get(stored,
                                                          "revision"));
    record->created_ms = json_integer_value(json_object_get(stored,
                                                            "created_at"));
    record->updated_ms = json_integer_value(json_object_get(stored,
                                                            "updated_at"));
    record->enabled = json_is_true(json_object_get(stored, "enabled"));

    value = json_object_get(stored, "constraint_metadata");
    if (!json_is_object(value)) {
        return NGX_ERROR;
    }

    record->metadata.data = (u_char *) json_dumps(value, JSON_COMPACT);
    if (record->metadata.data == NULL) {
        return NGX_ERROR;
    }

    record->metadata.len = ngx_strlen(record->metadata.data);

    return NGX_OK;
}


static ngx_constraint_effect_e
ngx_constraint_record_effect(json_t *stored, const char *name)
{
    const char  *effect;

    effect = json_string_value(json_object_get(stored, name));

    if (effect == NULL) {
        return NGX_CONSTRAINT_EFFECT_UNSET;
    }

    return ngx_strcmp(effect, "allow") == 0 ? NGX_CONSTRAINT_ALLOW
                                            : NGX_CONSTRAINT_DENY;
}


static ngx_int_t
ngx_constraint_record_string(json_t *stored, const char *name, ngx_str_t *s)
{
    json_t  *value;

    value = json_object_get(stored, name);
    if (!json_is_string(value)) {
        return NGX_ERROR;
    }

    s->data = (u_char *) json_string_value(value);
    s->len = json_string_length(value);

    return NGX_OK;
}
