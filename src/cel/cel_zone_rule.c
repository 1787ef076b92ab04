
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_zone_rule.c - the rule of POSIX at the end of a TZif file, which says
 * what the clock does after the last change that is listed:
 * CET-1CEST,M3.5.0,M10.5.0/3.
 */


#include "cel_runtime.h"


#define CEL_DAY  86400


/* When the clock changes: month, week, weekday, or a day of the year. */

typedef struct {
    char                  form;        /* 'M', 'J' or 'N' */
    uint32_t              month;
    uint32_t              week;
    uint32_t              day;
    int64_t               time;        /* seconds after midnight */
} cel_zone_date_t;


static bool cel_zone_rule_offset(const char **s, int64_t *seconds);
static bool cel_zone_rule_date(const char **s, cel_zone_date_t *date);
static int64_t cel_zone_rule_time(const cel_zone_date_t *date, int64_t year);


/* std offset [dst [offset] [,start[/time],end[/time]]]; POSIX counts west */

int64_t
cel_zone_rule(const char *rule, int64_t seconds, int64_t fallback)
{
    int64_t          std, dst, start, end;
    const char      *s;
    cel_civil_t      civil;
    cel_zone_date_t  from, to;

    s = rule;

    if (!cel_zone_rule_offset(&s, &std)) {
        return fallback;
    }

    if (*s == '\0') {
        return -std;
    }

    dst = std - 3600;

    if (!cel_zone_rule_offset(&s, &dst)) {
        return fallback;
    }

    if (*s++ != ',' || !cel_zone_rule_date(&s, &from) || *s++ != ','
        || !cel_zone_rule_date(&s, &to))
    {
        return fallback;
    }

    cel_time_civil(seconds - std, &civil);

    start = cel_zone_rule_time(&from, civil.year) + std;
    end = cel_zone_rule_time(&to, civil.year) + dst;

    if (start < end) {
        return seconds >= start && seconds < end ? -dst : -std;
    }

    return seconds >= end && seconds < start ? -std : -dst;
}


/* hh[:mm[:ss]] with a sign */

static bool
cel_zone_rule_clock(const char **s, int64_t *seconds)
{
    bool     minus;
    int64_t  part, unit;

    minus = **s == '-';

    if (**s == '-' || **s == '+') {
        (*s)++;
    }

    if (**s < '0' || **s > '9') {
        return false;
    }

    *seconds = 0;

    for (unit = 3600; unit != 0; unit /= 60) {

        for (part = 0; **s >= '0' && **s <= '9' && part < 1000; (*s)++) {
            part = part * 10 + (**s - '0');
        }

        *seconds += part * unit;

        if (**s != ':') {
            break;
        }

        (*s)++;
    }

    if (minus) {
        *seconds = -*seconds;
    }

    return true;
}


/* A name, "<+03>" or "CET", then an offset; without one *seconds stays. */

static bool
cel_zone_rule_offset(const char **s, int64_t *seconds)
{
    if (**s == '<') {
        *s = strchr(*s, '>');

        if (*s == NULL) {
            *s = "";
            return false;
        }

        (*s)++;

    } else {
        while ((**s >= 'A' && **s <= 'Z') || (**s >= 'a' && **s <= 'z')) {
            (*s)++;
        }
    }

    if (**s == ',') {
        return true;
    }

    return cel_zone_rule_clock(s, seconds);
}


static uint32_t
cel_zone_rule_number(const char **s)
{
    uint32_t  n;

    for (n = 0; **s >= '0' && **s <= '9' && n < 1000; (*s)++) {
        n = n * 10 + (uint32_t) (**s - '0');
    }

    return n;
}


/* Mm.w.d, Jn or n, then /time */

static bool
cel_zone_rule_date(const char **s, cel_zone_date_t *date)
{
    date->form = 'N';
    date->time = 7200;

    if (**s == 'M' || **s == 'J') {
        date->form = *(*s)++;
    }

    if (date->form == 'M') {
        date->month = cel_zone_rule_number(s);

        if (*(*s) != '.') {
            return false;
        }

        (*s)++;
        date->week = cel_zone_rule_number(s);

        if (*(*s) != '.') {
            return false;
        }

        (*s)++;
    }

    date->day = cel_zone_rule_number(s);

    if (date->form == 'M' && (date->month < 1 || date->month > 12
                              || date->week < 1 || date->week > 5
                              || date->day > 6))
    {
        return false;
    }

    if (**s == '/') {
        (*s)++;
        return cel_zone_rule_clock(s, &date->time);
    }

    return true;
}


/* Local seconds since 1970 of that date in a year. */

static int64_t
cel_zone_rule_time(const cel_zone_date_t *date, int64_t year)
{
    bool     leap;
    int64_t  days, first, next;

    if (date->form != 'M') {
        leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        days = cel_time_days(year, 1, 1) + date->day;

        /* Jn: 1 .. 365, February 29 is not counted */

        if (date->form == 'J' && !(leap && date->day >= 60)) {
            days--;
        }

        return days * CEL_DAY + date->time;
    }

    first = cel_time_days(year, date->month, 1);
    next = date->month == 12 ? cel_time_days(year + 1, 1, 1)
                             : cel_time_days(year, date->month + 1, 1);

    /* 1970-01-01 was a Thursday, 4 */

    days = first + ((int64_t) date->day - (first + 4) % 7 + 14) % 7
           + (int64_t) (date->week - 1) * 7;

    while (days >= next) {
        days -= 7;
    }

    return days * CEL_DAY + date->time;
}
