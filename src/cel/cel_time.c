
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_time.c - timestamps and durations: range, text, calendar.  Time zones
 * are cel_zone.c.
 */


#include "cel_runtime.h"


/* Ten thousand years, as google.protobuf.Duration has it. */
#define CEL_DURATION_MAX  315576000000LL

#define CEL_DAY  86400


static bool cel_time_digits(const char **s, const char *end, uint32_t n,
    uint32_t *value);
static bool cel_time_fraction(const char **s, const char *end,
    uint32_t *nanoseconds);
static bool cel_time_offset(const char **s, const char *end,
    int64_t *offset);
static size_t cel_time_put(char *buf, uint64_t value, uint32_t width);
static size_t cel_time_put_fraction(char *buf, uint32_t nanoseconds);
static bool cel_duration_part(const char **s, const char *end,
    __int128 *nanoseconds);


/* Carries so that 0 <= nanoseconds < 1 second. */

bool
cel_time_make(int64_t seconds, int64_t nanoseconds, cel_value_t *out)
{
    seconds += nanoseconds / CEL_NSEC;
    nanoseconds %= CEL_NSEC;

    if (nanoseconds < 0) {
        nanoseconds += CEL_NSEC;
        seconds--;
    }

    if (seconds < CEL_TIME_MIN || seconds > CEL_TIME_MAX) {
        return false;
    }

    *out = cel_timestamp(seconds, (uint32_t) nanoseconds);

    return true;
}


/* Carries so that both have one sign. */

bool
cel_duration_make(int64_t seconds, int64_t nanoseconds, cel_value_t *out)
{
    seconds += nanoseconds / CEL_NSEC;
    nanoseconds %= CEL_NSEC;

    if (seconds > 0 && nanoseconds < 0) {
        seconds--;
        nanoseconds += CEL_NSEC;

    } else if (seconds < 0 && nanoseconds > 0) {
        seconds++;
        nanoseconds -= CEL_NSEC;
    }

    if (seconds < -CEL_DURATION_MAX || seconds > CEL_DURATION_MAX
        || (seconds == CEL_DURATION_MAX && nanoseconds > 0)
        || (seconds == -CEL_DURATION_MAX && nanoseconds < 0))
    {
        return false;
    }

    *out = cel_duration(seconds, (int32_t) nanoseconds);

    return true;
}


/*
 * Days since 1970-01-01 in the Gregorian calendar.  Years start in March
 * here, so that the leap day is the last; an era is 400 years.
 */

int64_t
cel_time_days(int64_t year, uint32_t month, uint32_t day)
{
    int64_t  era, of_era, of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    of_era = year - era * 400;
    of_year = (153 * (int64_t) (month > 2 ? month - 3 : month + 9) + 2) / 5
              + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
           - 719468;
}


void
cel_time_civil(int64_t seconds, cel_civil_t *civil)
{
    int64_t   days, rest, era, of_era, year, of_year;
    uint32_t  m;

    days = seconds / CEL_DAY;
    rest = seconds % CEL_DAY;

    if (rest < 0) {
        rest += CEL_DAY;
        days--;
    }

    civil->hour = (uint32_t) (rest / 3600);
    civil->minute = (uint32_t) (rest / 60 % 60);
    civil->second = (uint32_t) (rest % 60);
    civil->weekday = (uint32_t) (((days + 4) % 7 + 7) % 7);

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    of_era = days - era * 146097;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    m = (uint32_t) ((5 * of_year + 2) / 153);

    civil->day = (uint32_t) (of_year - (153 * (int64_t) m + 2) / 5 + 1);
    civil->month = m < 10 ? m + 3 : m - 9;
    civil->year = year + era * 400 + (civil->month <= 2);

    civil->yearday = (uint32_t) (days - 719468
                                 - cel_time_days(civil->year, 1, 1));
}


static bool
cel_time_digits(const char **s, const char *end, uint32_t n, uint32_t *value)
{
    *value = 0;

    while (n-- != 0) {
        if (*s == end || **s < '0' || **s > '9') {
            return false;
        }

        *value = *value * 10 + (uint32_t) (*(*s)++ - '0');
    }

    return true;
}


static bool
cel_time_char(const char **s, const char *end, char c)
{
    if (*s == end || **s != c) {
        return false;
    }

    (*s)++;

    return true;
}


/* "." and digits, those beyond nanoseconds are dropped */

static bool
cel_time_fraction(const char **s, const char *end, uint32_t *nanoseconds)
{
    uint32_t  scale, n;

    n = 0;
    *nanoseconds = 0;
    scale = CEL_NSEC / 10;

    if (!cel_time_char(s, end, '.')) {
        return true;
    }

    while (*s < end && **s >= '0' && **s <= '9') {
        *nanoseconds += (uint32_t) (*(*s)++ - '0') * scale;
        scale /= 10;
        n++;
    }

    return n != 0;
}


/* "Z" or +hh:mm */

static bool
cel_time_offset(const char **s, const char *end, int64_t *offset)
{
    char      sign;
    uint32_t  hours, minutes;

    *offset = 0;

    if (cel_time_char(s, end, 'Z') || cel_time_char(s, end, 'z')) {
        return true;
    }

    if (*s == end || (**s != '+' && **s != '-')) {
        return false;
    }

    sign = *(*s)++;

    if (!cel_time_digits(s, end, 2, &hours) || !cel_time_char(s, end, ':')
        || !cel_time_digits(s, end, 2, &minutes) || hours > 23
        || minutes > 59)
    {
        return false;
    }

    *offset = (int64_t) hours * 3600 + minutes * 60;

    if (sign == '-') {
        *offset = -*offset;
    }

    return true;
}


/* RFC 3339 */

bool
cel_time_parse(const char *s, size_t len, cel_value_t *out)
{
    int64_t      offset, seconds;
    uint32_t     year, nanoseconds, last;
    const char  *end;
    cel_civil_t  c;

    static const uint8_t  lengths[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    end = s + len;

    if (!cel_time_digits(&s, end, 4, &year) || !cel_time_char(&s, end, '-')
        || !cel_time_digits(&s, end, 2, &c.month)
        || !cel_time_char(&s, end, '-')
        || !cel_time_digits(&s, end, 2, &c.day)
        || s == end || (*s != 'T' && *s != 't'))
    {
        return false;
    }

    s++;

    if (!cel_time_digits(&s, end, 2, &c.hour) || !cel_time_char(&s, end, ':')
        || !cel_time_digits(&s, end, 2, &c.minute)
        || !cel_time_char(&s, end, ':')
        || !cel_time_digits(&s, end, 2, &c.second)
        || !cel_time_fraction(&s, end, &nanoseconds)
        || !cel_time_offset(&s, end, &offset) || s != end)
    {
        return false;
    }

    if (c.month < 1 || c.month > 12 || c.hour > 23 || c.minute > 59
        || c.second > 59)
    {
        return false;
    }

    last = lengths[c.month - 1];

    if (c.month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
    {
        last = 29;
    }

    if (c.day < 1 || c.day > last) {
        return false;
    }

    seconds = cel_time_days(year, c.month, c.day) * CEL_DAY
              + (int64_t) c.hour * 3600 + c.minute * 60 + c.second - offset;

    return cel_time_make(seconds, nanoseconds, out);
}


static size_t
cel_time_put(char *buf, uint64_t value, uint32_t width)
{
    uint32_t  i;

    for (i = width; i-- != 0; value /= 10) {
        buf[i] = (char) ('0' + value % 10);
    }

    return width;
}


/* Without zeros at its end; nothing for 0. */

static size_t
cel_time_put_fraction(char *buf, uint32_t nanoseconds)
{
    size_t  len;

    if (nanoseconds == 0) {
        return 0;
    }

    buf[0] = '.';
    len = 1 + cel_time_put(buf + 1, nanoseconds, 9);

    while (buf[len - 1] == '0') {
        len--;
    }

    return len;
}


size_t
cel_time_format(const cel_value_t *v, char *buf)
{
    char         *p;
    int32_t       nanoseconds;
    cel_civil_t   c;

    p = buf;

    if (v->kind == CEL_DURATION) {
        nanoseconds = (int32_t) v->len;

        if (v->i < 0 || nanoseconds < 0) {
            *p++ = '-';
        }

        p += cel_uint_format((uint64_t) (v->i < 0 ? -v->i : v->i), p);
        p += cel_time_put_fraction(p, (uint32_t) (nanoseconds < 0
                                                  ? -nanoseconds
                                                  : nanoseconds));
        *p++ = 's';

        return (size_t) (p - buf);
    }

    cel_time_civil(v->i, &c);

    p += cel_time_put(p, (uint64_t) c.year, 4);
    *p++ = '-';
    p += cel_time_put(p, c.month, 2);
    *p++ = '-';
    p += cel_time_put(p, c.day, 2);
    *p++ = 'T';
    p += cel_time_put(p, c.hour, 2);
    *p++ = ':';
    p += cel_time_put(p, c.minute, 2);
    *p++ = ':';
    p += cel_time_put(p, c.second, 2);
    p += cel_time_put_fraction(p, v->len);
    *p++ = 'Z';

    return (size_t) (p - buf);
}


/* One number with its unit: 1.5h */

static bool
cel_duration_part(const char **s, const char *end, __int128 *nanoseconds)
{
    size_t       i, digits;
    uint64_t     whole, fraction, scale;
    const char  *p;

    static const struct {
        const char  *name;
        uint64_t     nanoseconds;
    } units[] = {
        { "ns", 1 },
        { "us", 1000 },
        { "\xc2\xb5s", 1000 },       /* micro sign */
        { "\xce\xbcs", 1000 },       /* Greek mu */
        { "ms", 1000000 },
        { "s", CEL_NSEC },
        { "m", 60ull * CEL_NSEC },
        { "h", 3600ull * CEL_NSEC }
    };

    whole = 0;
    fraction = 0;
    scale = 1;
    digits = 0;

    for (p = *s; p < end && *p >= '0' && *p <= '9'; p++, digits++) {
        whole = whole * 10 + (uint64_t) (*p - '0');

        if (whole > UINT64_MAX / 100) {
            return false;
        }
    }

    if (p < end && *p == '.') {
        for (p++; p < end && *p >= '0' && *p <= '9'; p++, digits++) {
            if (scale < 1000000000000000ull) {
                fraction = fraction * 10 + (uint64_t) (*p - '0');
                scale *= 10;
            }
        }
    }

    if (digits == 0) {
        return false;
    }

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        digits = strlen(units[i].name);

        /* "m" is not the start of "ms": that came before */

        if ((size_t) (end - p) >= digits
            && memcmp(p, units[i].name, digits) == 0)
        {
            *nanoseconds += (__int128) whole * units[i].nanoseconds
                            + (__int128) fraction * units[i].nanoseconds
                              / scale;
            *s = p + digits;
            return *nanoseconds < (__int128) INT64_MAX * CEL_NSEC;
        }
    }

    return false;
}


bool
cel_duration_parse(const char *s, size_t len, cel_value_t *out)
{
    bool         minus;
    __int128     nanoseconds;
    const char  *end;

    end = s + len;
    nanoseconds = 0;
    minus = len != 0 && *s == '-';

    if (len != 0 && (*s == '-' || *s == '+')) {
        s++;
    }

    if (end - s == 1 && *s == '0') {
        *out = cel_duration(0, 0);
        return true;
    }

    if (s == end) {
        return false;
    }

    while (s < end) {
        if (!cel_duration_part(&s, end, &nanoseconds)) {
            return false;
        }
    }

    if (minus) {
        nanoseconds = -nanoseconds;
    }

    return cel_duration_make((int64_t) (nanoseconds / CEL_NSEC),
                             (int64_t) (nanoseconds % CEL_NSEC), out);
}
