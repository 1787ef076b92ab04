
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_url.c - absolute URIs and absolute paths: from text to parts, escapes.
 * More is taken than RFC 3986 allows, as browsers and servers do: spaces and
 * other characters that should have been escaped.
 */


#include "cel_url.h"


static const char *cel_url_read(const char *s, size_t len, bool request,
    cel_url_t *url);
static const char *cel_url_scheme(const char *s, size_t len,
    cel_url_part_t *scheme);
static const char *cel_url_authority(const char *s, size_t len,
    cel_url_t *url);
static const char *cel_url_user(const cel_url_part_t *user);
static const char *cel_url_host(const cel_url_part_t *host);
static const char *cel_url_literal(const cel_url_part_t *host);
static const char *cel_url_name(const cel_url_part_t *host);
static bool cel_url_is_port(const char *s, const char *end);
static const char *cel_url_escapes(const cel_url_part_t *part);
static bool cel_url_keeps(unsigned char c, cel_url_place_t place);


static void
cel_url_set(cel_url_part_t *part, const char *s, const char *end)
{
    part->s = s;
    part->len = (size_t) (end - s);
}


static const char *
cel_url_find(const char *s, const char *end, char c)
{
    return s < end ? memchr(s, c, (size_t) (end - s)) : NULL;
}


static bool
cel_url_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}


static bool
cel_url_is_digit(char c)
{
    return c >= '0' && c <= '9';
}


/* A number sign is part of the path for the request, and then is not. */

const char *
cel_url_parse(const char *s, size_t len, cel_url_t *url)
{
    const char  *why, *end, *fragment;

    why = cel_url_read(s, len, true, url);
    if (why != NULL) {
        return why;
    }

    end = s + len;
    fragment = cel_url_find(s, end, '#');

    if (fragment == NULL) {
        return cel_url_read(s, len, false, url);
    }

    why = cel_url_read(s, (size_t) (fragment - s), false, url);
    if (why != NULL) {
        return why;
    }

    cel_url_set(&url->fragment, fragment + 1, end);

    return cel_url_escapes(&url->fragment);
}


/* scheme ":" ["//" authority] path ["?" query] */

static const char *
cel_url_read(const char *s, size_t len, bool request, cel_url_t *url)
{
    const char  *why, *p, *end;

    end = s + len;
    memset(url, 0, sizeof(cel_url_t));

    for (p = s; p < end; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f) {
            return "invalid control character in URL";
        }
    }

    if (len == 0) {
        return "empty url";
    }

    if (len == 1 && *s == '*') {
        cel_url_set(&url->path, s, end);
        return NULL;
    }

    why = cel_url_scheme(s, len, &url->scheme);
    if (why != NULL) {
        return why;
    }

    if (url->scheme.s != NULL) {
        s += url->scheme.len + 1;
    }

    p = cel_url_find(s, end, '?');

    if (p != NULL) {
        cel_url_set(&url->query, p + 1, end);
        end = p;
    }

    if (s == end || *s != '/') {

        if (url->scheme.s == NULL) {
            return "invalid URI for request";
        }

        cel_url_set(&url->opaque, s, end);

        return NULL;
    }

    if (end - s >= 2 && s[1] == '/'
        && (url->scheme.s != NULL
            || (!request && (end - s == 2 || s[2] != '/'))))
    {
        s += 2;
        p = cel_url_find(s, end, '/');

        if (p == NULL) {
            p = end;
        }

        why = cel_url_authority(s, (size_t) (p - s), url);
        if (why != NULL) {
            return why;
        }

        s = p;
    }

    cel_url_set(&url->path, s, end);

    return cel_url_escapes(&url->path);
}


/* none is there when something else comes before the colon */

static const char *
cel_url_scheme(const char *s, size_t len, cel_url_part_t *scheme)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (s[i] == ':') {
            if (i == 0) {
                return "missing protocol scheme";
            }

            cel_url_set(scheme, s, s + i);

            return NULL;
        }

        if (!cel_url_is_letter(s[i])
            && (i == 0 || (!cel_url_is_digit(s[i]) && s[i] != '+'
                           && s[i] != '-' && s[i] != '.')))
        {
            break;
        }
    }

    return NULL;
}


/* [user "@"] host */

static const char *
cel_url_authority(const char *s, size_t len, cel_url_t *url)
{
    size_t       i;
    const char  *why;

    for (i = len; i > 0 && s[i - 1] != '@'; i--) { /* void */ }

    if (i > 0) {
        cel_url_set(&url->user, s, s + i - 1);

        why = cel_url_user(&url->user);
        if (why != NULL) {
            return why;
        }
    }

    cel_url_set(&url->host, s + i, s + len);

    return cel_url_host(&url->host);
}


static const char *
cel_url_user(const cel_url_part_t *user)
{
    size_t  i;

    for (i = 0; i < user->len; i++) {
        if (!cel_url_is_letter(user->s[i]) && !cel_url_is_digit(user->s[i])
            && strchr("-._:~!$&'()*+,;=%@", user->s[i]) == NULL)
        {
            return "invalid userinfo";
        }
    }

    return cel_url_escapes(user);
}


static const char *
cel_url_host(const cel_url_part_t *host)
{
    size_t          i;
    unsigned char   c;
    const char     *why;

    for (i = 0; i < host->len; i++) {
        c = (unsigned char) host->s[i];

        if (c < 0x80 && c != '%' && !cel_url_keeps(c, CEL_URL_HOST)) {
            return "invalid character in host name";
        }
    }

    why = cel_url_escapes(host);
    if (why != NULL) {
        return why;
    }

    return host->len > 0 && host->s[0] == '[' ? cel_url_literal(host)
                                              : cel_url_name(host);
}


/* "[" IPv6 address ["%25" zone] "]" [":" port] */

static const char *
cel_url_literal(const cel_url_part_t *host)
{
    bool         zone;
    const char  *p, *end, *close;

    end = host->s + host->len;
    close = cel_url_find(host->s, end, ']');

    if (close == NULL) {
        return "missing ']' in host";
    }

    if (!cel_url_is_port(close + 1, end)) {
        return "invalid port after host";
    }

    if (cel_url_find(host->s, close, ':') == NULL) {
        return "no IPv6 address in host";
    }

    for (p = host->s + 1, zone = false; p < close && !zone; p++) {

        if (*p == '%') {
            if (close - p < 3 || p[1] != '2' || p[2] != '5') {
                return "invalid URL escape in host";
            }

            zone = true;

        } else if (!cel_url_is_digit(*p) && *p != ':' && *p != '.'
                   && ((*p | 0x20) < 'a' || (*p | 0x20) > 'f'))
        {
            return "no IPv6 address in host";
        }
    }

    return NULL;
}


/* name [":" port]; an escape of ASCII has no business there */

static const char *
cel_url_name(const cel_url_part_t *host)
{
    const char  *p, *end, *colon;

    end = host->s + host->len;
    colon = cel_url_find(host->s, end, ':');

    if (colon != NULL && !cel_url_is_port(colon, end)) {
        return "invalid port after host";
    }

    for (p = host->s; p < end; p++) {
        if (*p == '[' || *p == ']') {
            return "invalid character in host name";
        }

        if (*p == '%' && p[1] < '8' && (p[1] != '2' || p[2] != '5')) {
            return "invalid URL escape in host";
        }
    }

    return NULL;
}


/* nothing, or a colon and digits */

static bool
cel_url_is_port(const char *s, const char *end)
{
    if (s < end && *s++ != ':') {
        return false;
    }

    while (s < end && cel_url_is_digit(*s)) {
        s++;
    }

    return s == end;
}


static int
cel_url_hex(char c)
{
    if (cel_url_is_digit(c)) {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/* the byte of an escape, or -1 */

static int
cel_url_byte(const char *s, size_t left)
{
    int  high, low;

    high = left > 2 ? cel_url_hex(s[1]) : -1;
    low = left > 2 ? cel_url_hex(s[2]) : -1;

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}


static const char *
cel_url_escapes(const cel_url_part_t *part)
{
    size_t  i;

    for (i = 0; i < part->len; i++) {
        if (part->s[i] == '%'
            && cel_url_byte(part->s + i, part->len - i) < 0)
        {
            return "invalid URL escape";
        }
    }

    return NULL;
}


/* whether the byte is written as it is */

static bool
cel_url_keeps(unsigned char c, cel_url_place_t place)
{
    if (cel_url_is_letter((char) c) || cel_url_is_digit((char) c)) {
        return true;
    }

    if (c == '\0') {
        return false;
    }

    if (strchr("-_.~", c) != NULL) {
        return true;
    }

    switch (place) {

    case CEL_URL_PATH:
        return strchr("$&+,/:;=@", c) != NULL;

    case CEL_URL_USER:
        return strchr("$&+,;=", c) != NULL;

    case CEL_URL_HOST:
        return strchr("!$&'()*+,;=:[]<>\"", c) != NULL;

    case CEL_URL_FRAGMENT:
        return strchr("$&+,/:;=?@!()*", c) != NULL;

    default:
        return false;
    }
}


/* whether it can stay as it was written */

static bool
cel_url_is_written(const cel_url_part_t *part, cel_url_place_t place)
{
    size_t         i;
    unsigned char  c;

    if (place != CEL_URL_PATH && place != CEL_URL_FRAGMENT) {
        return false;
    }

    for (i = 0; i < part->len; i++) {
        c = (unsigned char) part->s[i];

        if (!cel_url_keeps(c, place)
            && (c == '\0' || strchr("!$&'()*+,;=:@[]%", c) == NULL))
        {
            return false;
        }
    }

    return true;
}


void
cel_url_put(cel_text_t *text, const cel_url_part_t *part,
    cel_url_place_t place)
{
    int     c;
    size_t  i;

    static const char  digits[] = "0123456789ABCDEF";

    if (cel_url_is_written(part, place)) {
        cel_text_add(text, part->s, part->len);
        return;
    }

    for (i = 0; i < part->len; i++) {
        c = (unsigned char) part->s[i];

        if (c == '%') {
            c = cel_url_byte(part->s + i, part->len - i);
            i += 2;
        }

        if (cel_url_keeps((unsigned char) c, place)) {
            cel_text_char(text, (char) c);

        } else {
            cel_text_char(text, '%');
            cel_text_char(text, digits[c >> 4]);
            cel_text_char(text, digits[c & 0xf]);
        }
    }
}


bool
cel_url_put_plain(cel_text_t *text, const cel_url_part_t *part,
    cel_url_place_t place)
{
    int     c;
    size_t  i;

    for (i = 0; i < part->len; i++) {
        c = (unsigned char) part->s[i];

        if (c == '%') {
            c = cel_url_byte(part->s + i, part->len - i);

            if (c < 0) {
                return false;
            }

            i += 2;

        } else if (c == '+' && place == CEL_URL_QUERY) {
            c = ' ';
        }

        cel_text_char(text, (char) c);
    }

    return true;
}
