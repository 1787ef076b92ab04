
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_url.c - URLs as in Kubernetes: url(), isURL() and the parts of one.
 */


#include "cel_lists.h"
#include "cel_url.h"


#define CEL_PARSED  8, 2, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_ARGS_4
#define CEL_ASKED   8, 1, 1, 1, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_PART    1, 0, 0, 1, CEL_CHARGE_SUM, CEL_RESULT_ELEMENT
#define CEL_QUERY   64, 24, 0, 1, CEL_CHARGE_AT_MOST, CEL_RESULT_ARGS


/*
 * The data of a URL.  All parts are in text, which is the URL as it is written
 * best, and after that the host without escapes.
 */

typedef struct {
    uint32_t             at;
    uint32_t             len;
} cel_url_place_of_t;

typedef struct {
    cel_url_place_of_t   scheme;
    cel_url_place_of_t   host;
    cel_url_place_of_t   path;
    cel_url_place_of_t   query;
    char                 text[];
} cel_url_data_t;


#define CEL_URL(name)                                                         \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_URL(cel_url_make);
CEL_URL(cel_url_is);
CEL_URL(cel_url_get_scheme);
CEL_URL(cel_url_get_host);
CEL_URL(cel_url_get_hostname);
CEL_URL(cel_url_get_port);
CEL_URL(cel_url_get_path);
CEL_URL(cel_url_get_query);
static cel_status_t cel_url_value(cel_eval_t *eval, const cel_url_t *url,
    cel_value_t *out);
static void cel_url_write(cel_text_t *text, const cel_url_t *url,
    cel_url_data_t *data);
static void cel_url_write_user(cel_text_t *text, const cel_url_part_t *user);
static const char *cel_url_colon(const char *host, size_t len);
static cel_status_t cel_url_pairs(cel_eval_t *eval,
    const cel_value_t *query, cel_builder_t *keys, cel_builder_t *values);
static cel_status_t cel_url_group(cel_eval_t *eval,
    const cel_builder_t *keys, const cel_builder_t *values, cel_value_t *out);


#define CEL_URL_PART(name, id, call)                                          \
    CEL_OVERLOAD(name, id, "kubernetes.URL.(): string", call, CEL_PART)


const cel_overload_spec_t  cel_lib_url[] = {

    CEL_OVERLOAD("url", "string_to_url", "(string): kubernetes.URL",
                 cel_url_make, CEL_PARSED),
    CEL_OVERLOAD("isURL", "is_url_string", "(string): bool", cel_url_is,
                 CEL_ASKED),

    CEL_URL_PART("getScheme", "url_get_scheme", cel_url_get_scheme),
    CEL_URL_PART("getHost", "url_get_host", cel_url_get_host),
    CEL_URL_PART("getHostname", "url_get_hostname", cel_url_get_hostname),
    CEL_URL_PART("getPort", "url_get_port", cel_url_get_port),
    CEL_URL_PART("getEscapedPath", "url_get_escaped_path", cel_url_get_path),
    CEL_OVERLOAD("getQuery", "url_get_query",
                 "kubernetes.URL.(): map(string, list(string))",
                 cel_url_get_query, CEL_QUERY),

    CEL_OVERLOADS_END
};


CEL_URL(cel_url_is)
{
    cel_url_t  url;

    *out = cel_bool(cel_url_parse(args[0].s, args[0].len, &url) == NULL);

    return CEL_OK;
}


CEL_URL(cel_url_make)
{
    char         text[CEL_MESSAGE_MAX / 2];
    cel_url_t    url;
    const char  *why;

    why = cel_url_parse(args[0].s, args[0].len, &url);

    if (why == NULL) {
        return cel_url_value(eval, &url, out);
    }

    cel_value_text(&args[0], text, sizeof(text));

    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                         "URL parse error during conversion from string: "
                         "parse \"%s\": %s", text, why);
}


static cel_status_t
cel_url_value(cel_eval_t *eval, const cel_url_t *url, cel_value_t *out)
{
    size_t           len;
    cel_text_t       text;
    cel_opaque_t    *opaque;
    cel_url_data_t   data;

    cel_text_init(&text, eval);
    text.paid = true;

    cel_url_write(&text, url, &data);

    len = text.len;
    data.host.at = (uint32_t) len;

    cel_url_put_plain(&text, &url->host, CEL_URL_HOST);

    if (text.status != CEL_OK) {
        return CEL_ERROR;
    }

    data.host.len = (uint32_t) (text.len - len);

    if (!cel_utf8_valid(text.s + len, data.host.len)) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "url(): the host is no UTF-8");
    }

    opaque = cel_opaque_make(eval, &cel_t_url,
                             (uint32_t) (sizeof(data) + text.len), out);
    if (opaque == NULL) {
        return CEL_ERROR;
    }

    memcpy(opaque->data, &data, sizeof(data));
    memcpy(opaque->data + sizeof(data), text.s, text.len);

    opaque->s = (const char *) opaque->data + sizeof(data);
    opaque->slen = (uint32_t) len;
    out->len = (uint32_t) text.len;

    return CEL_OK;
}


static void
cel_url_written(const cel_text_t *text, size_t from,
    cel_url_place_of_t *place)
{
    place->at = (uint32_t) from;
    place->len = (uint32_t) (text->len - from);
}


/* so that a parser gives the same parts again */

static void
cel_url_write(cel_text_t *text, const cel_url_t *url, cel_url_data_t *data)
{
    size_t  i, from;

    memset(data, 0, sizeof(cel_url_data_t));

    for (i = 0; i < url->scheme.len; i++) {
        cel_text_char(text, url->scheme.s[i] >= 'A' && url->scheme.s[i] <= 'Z'
                            ? (char) (url->scheme.s[i] | 0x20)
                            : url->scheme.s[i]);
    }

    cel_url_written(text, 0, &data->scheme);

    if (url->scheme.s != NULL) {
        cel_text_char(text, ':');
        cel_text_add(text, url->opaque.s, url->opaque.len);
    }

    if (url->host.s != NULL) {
        cel_text_add_z(text, "//");

        if (url->user.s != NULL) {
            cel_url_write_user(text, &url->user);
        }

        cel_url_put(text, &url->host, CEL_URL_HOST);
    }

    from = text->len;
    cel_url_put(text, &url->path, CEL_URL_PATH);
    cel_url_written(text, from, &data->path);

    if (url->query.s != NULL) {
        cel_text_char(text, '?');
        from = text->len;
        cel_text_add(text, url->query.s, url->query.len);
        cel_url_written(text, from, &data->query);
    }

    if (url->fragment.len != 0) {
        cel_text_char(text, '#');
        cel_url_put(text, &url->fragment, CEL_URL_FRAGMENT);
    }
}


static void
cel_url_write_user(cel_text_t *text, const cel_url_part_t *user)
{
    const char      *colon;
    cel_url_part_t   part;

    part = *user;
    colon = part.len > 0 ? memchr(part.s, ':', part.len) : NULL;

    if (colon != NULL) {
        part.len = (size_t) (colon - part.s);
        cel_url_put(text, &part, CEL_URL_USER);
        cel_text_char(text, ':');

        part.s = colon + 1;
        part.len = user->len - (size_t) (colon + 1 - user->s);
    }

    cel_url_put(text, &part, CEL_URL_USER);
    cel_text_char(text, '@');
}


static const cel_url_data_t *
cel_url_data(cel_eval_t *eval, const cel_value_t *v)
{
    const cel_opaque_t  *opaque;

    opaque = cel_opaque(v, &cel_t_url);

    if (opaque == NULL) {
        cel_fail_overload(eval);
        return NULL;
    }

    return (const cel_url_data_t *) (const void *) opaque->data;
}


static cel_value_t
cel_url_string(const cel_url_data_t *data, const cel_url_place_of_t *place)
{
    return cel_string(data->text + place->at, place->len);
}


#define CEL_URL_GET(name, part)                                               \
    CEL_URL(name)                                                             \
    {                                                                         \
        const cel_url_data_t  *data;                                          \
                                                                              \
        data = cel_url_data(eval, &args[0]);                                  \
        if (data == NULL) {                                                   \
            return CEL_ERROR;                                                 \
        }                                                                     \
                                                                              \
        *out = cel_url_string(data, &data->part);                             \
                                                                              \
        return CEL_OK;                                                        \
    }

CEL_URL_GET(cel_url_get_scheme, scheme)
CEL_URL_GET(cel_url_get_host, host)
CEL_URL_GET(cel_url_get_path, path)


/* the one before the port, or NULL */

static const char *
cel_url_colon(const char *host, size_t len)
{
    while (len > 0 && host[len - 1] >= '0' && host[len - 1] <= '9') {
        len--;
    }

    return len > 0 && host[len - 1] == ':' ? host + len - 1 : NULL;
}


/* of an IPv6 address without its brackets */

CEL_URL(cel_url_get_hostname)
{
    const char            *colon;
    const cel_url_data_t  *data;

    data = cel_url_data(eval, &args[0]);
    if (data == NULL) {
        return CEL_ERROR;
    }

    *out = cel_url_string(data, &data->host);
    colon = cel_url_colon(out->s, out->len);

    if (colon != NULL) {
        out->len = (uint32_t) (colon - out->s);
    }

    if (out->len > 1 && out->s[0] == '[' && out->s[out->len - 1] == ']') {
        out->s++;
        out->len -= 2;
    }

    return CEL_OK;
}


CEL_URL(cel_url_get_port)
{
    cel_value_t            host;
    const char            *colon;
    const cel_url_data_t  *data;

    data = cel_url_data(eval, &args[0]);
    if (data == NULL) {
        return CEL_ERROR;
    }

    host = cel_url_string(data, &data->host);
    colon = cel_url_colon(host.s, host.len);

    *out = colon == NULL ? cel_string("", 0)
           : cel_string(colon + 1,
                        (size_t) (host.s + host.len - (colon + 1)));

    return CEL_OK;
}


/* a key that is there more than once has as many values */

CEL_URL(cel_url_get_query)
{
    cel_value_t            query;
    cel_builder_t          keys, values;
    const cel_url_data_t  *data;

    data = cel_url_data(eval, &args[0]);
    if (data == NULL) {
        return CEL_ERROR;
    }

    query = cel_url_string(data, &data->query);

    memset(&keys, 0, sizeof(cel_builder_t));
    memset(&values, 0, sizeof(cel_builder_t));

    if (cel_charge(eval, query.len) != CEL_OK
        || cel_url_pairs(eval, &query, &keys, &values) != CEL_OK)
    {
        return CEL_ERROR;
    }

    return cel_url_group(eval, &keys, &values, out);
}


/* one without escapes; *out is left alone when it has a bad one */

static cel_status_t
cel_url_plain(cel_eval_t *eval, const char *s, const char *end,
    cel_value_t *out)
{
    bool            good;
    cel_text_t      text;
    cel_url_part_t  part;

    part.s = s;
    part.len = (size_t) (end - s);

    cel_text_init(&text, eval);
    text.paid = true;

    good = cel_url_put_plain(&text, &part, CEL_URL_QUERY);

    if (text.status != CEL_OK) {
        return CEL_ERROR;
    }

    if (!good) {
        return CEL_NOT_FOUND;
    }

    if (!cel_utf8_valid(text.s, text.len)) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "getQuery(): the query is no UTF-8");
    }

    return cel_text_done(&text, out);
}


/* pairs with a semicolon or a bad escape do not count */

static cel_status_t
cel_url_pairs(cel_eval_t *eval, const cel_value_t *query,
    cel_builder_t *keys, cel_builder_t *values)
{
    const char    *p, *end, *next, *equals;
    cel_value_t    key, value;
    cel_status_t   rc;

    p = query->s;
    end = p + query->len;

    for ( /* void */ ; p < end; p = next + 1) {
        next = memchr(p, '&', (size_t) (end - p));

        if (next == NULL) {
            next = end;
        }

        if (next == p || memchr(p, ';', (size_t) (next - p)) != NULL) {
            continue;
        }

        equals = memchr(p, '=', (size_t) (next - p));

        rc = cel_url_plain(eval, p, equals != NULL ? equals : next, &key);

        if (rc == CEL_OK) {
            rc = equals != NULL ? cel_url_plain(eval, equals + 1, next, &value)
                                : cel_url_plain(eval, next, next, &value);
        }

        if (rc == CEL_OK
            && (cel_builder_add(keys, eval, &key) != CEL_OK
                || cel_builder_add(values, eval, &value) != CEL_OK))
        {
            return CEL_ERROR;
        }

        if (rc == CEL_ERROR) {
            return rc;
        }
    }

    return CEL_OK;
}


static cel_status_t
cel_url_group(cel_eval_t *eval, const cel_builder_t *keys,
    const cel_builder_t *values, cel_value_t *out)
{
    uint32_t      i, start, count, *places;
    cel_value_t  *pairs, *sorted;

    count = 0;

    places = cel_eval_alloc(eval, 2 * sizeof(uint32_t) * keys->count);
    sorted = cel_eval_alloc(eval, sizeof(cel_value_t) * keys->count);
    pairs = cel_eval_alloc(eval, 2 * sizeof(cel_value_t) * keys->count);

    if (places == NULL || sorted == NULL || pairs == NULL
        || cel_lists_sort_keys(eval, keys->values, places, keys->count)
           != CEL_OK)
    {
        return CEL_ERROR;
    }

    for (i = 0, start = 0; i < keys->count; i++) {
        sorted[i] = values->values[places[i]];

        if (i + 1 < keys->count
            && cel_same_bytes(&keys->values[places[i]],
                              &keys->values[places[i + 1]]))
        {
            continue;
        }

        pairs[2 * count] = keys->values[places[i]];

        if (cel_wrap_list(eval, sorted + start, i + 1 - start,
                          &pairs[2 * count + 1])
            != CEL_OK)
        {
            return CEL_ERROR;
        }

        start = i + 1;
        count++;
    }

    return cel_wrap_map(eval, pairs, count, out);
}
