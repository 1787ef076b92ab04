
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_time.c - the parts of timestamps, in UTC or a time zone, and of
 * durations.  Conversions are cel_lib_convert.c, arithmetic the operators.
 */


#include "cel_runtime.h"


#define CEL_SCALAR      2, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL

/* a zone's file is read, or was when the program was built */
#define CEL_ZONE        { 2000, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL }
#define CEL_ZONE_READY  { 20, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL }

#define CEL_GETTER(name)                                                      \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)

#define CEL_PART_OF_TIME(name, id, call)                                      \
    CEL_OVERLOAD(name, "timestamp_to_" id, "timestamp.(): int", call,         \
                 CEL_SCALAR),                                                 \
    { name, "timestamp_to_" id "_with_tz", "timestamp.(string): int", call,   \
      CEL_ZONE, cel_prepare_zone, CEL_ZONE_READY, 1, NULL }

#define CEL_PART_OF_DURATION(name, id, call)                                  \
    CEL_OVERLOAD(name, "duration_to_" id, "duration.(): int", call,           \
                 CEL_SCALAR)


CEL_GETTER(cel_get_full_year);
CEL_GETTER(cel_get_month);
CEL_GETTER(cel_get_day_of_year);
CEL_GETTER(cel_get_day_of_month);
CEL_GETTER(cel_get_date);
CEL_GETTER(cel_get_day_of_week);
CEL_GETTER(cel_get_hours);
CEL_GETTER(cel_get_minutes);
CEL_GETTER(cel_get_seconds);
CEL_GETTER(cel_get_milliseconds);


const cel_overload_spec_t  cel_lib_time[] = {

    CEL_PART_OF_TIME("getFullYear", "year", cel_get_full_year),
    CEL_PART_OF_TIME("getMonth", "month", cel_get_month),
    CEL_PART_OF_TIME("getDayOfYear", "day_of_year", cel_get_day_of_year),
    CEL_PART_OF_TIME("getDayOfMonth", "day_of_month", cel_get_day_of_month),
    CEL_PART_OF_TIME("getDate", "day_of_month_1_based", cel_get_date),
    CEL_PART_OF_TIME("getDayOfWeek", "day_of_week", cel_get_day_of_week),
    CEL_PART_OF_TIME("getHours", "hours", cel_get_hours),
    CEL_PART_OF_TIME("getMinutes", "minutes", cel_get_minutes),
    CEL_PART_OF_TIME("getSeconds", "seconds", cel_get_seconds),
    CEL_PART_OF_TIME("getMilliseconds", "milliseconds",
                     cel_get_milliseconds),

    CEL_PART_OF_DURATION("getHours", "hours", cel_get_hours),
    CEL_PART_OF_DURATION("getMinutes", "minutes", cel_get_minutes),
    CEL_PART_OF_DURATION("getSeconds", "seconds", cel_get_seconds),
    CEL_PART_OF_DURATION("getMilliseconds", "milliseconds",
                         cel_get_milliseconds),

    CEL_OVERLOADS_END
};


/* The calendar there: args[1], when given, is the zone. */

static cel_status_t
cel_time_local(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_civil_t *civil)
{
    int64_t  offset;

    offset = 0;

    if (n == 2
        && cel_zone_offset(eval, &args[1], args[0].i, &offset) != CEL_OK)
    {
        return CEL_ERROR;
    }

    cel_time_civil(args[0].i + offset, civil);

    return CEL_OK;
}


CEL_GETTER(cel_get_full_year)
{
    cel_civil_t  c;

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(c.year);

    return CEL_OK;
}


/* From 0. */

CEL_GETTER(cel_get_month)
{
    cel_civil_t  c;

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int((int64_t) c.month - 1);

    return CEL_OK;
}


/* From 0. */

CEL_GETTER(cel_get_day_of_year)
{
    cel_civil_t  c;

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(c.yearday);

    return CEL_OK;
}


/* From 0. */

CEL_GETTER(cel_get_day_of_month)
{
    cel_civil_t  c;

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int((int64_t) c.day - 1);

    return CEL_OK;
}


/* From 1. */

CEL_GETTER(cel_get_date)
{
    cel_civil_t  c;

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(c.day);

    return CEL_OK;
}


/* Sunday is 0. */

CEL_GETTER(cel_get_day_of_week)
{
    cel_civil_t  c;

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(c.weekday);

    return CEL_OK;
}


/* Of a duration: the whole of it in that unit, not a part. */

CEL_GETTER(cel_get_hours)
{
    cel_civil_t  c;

    if (args[0].kind == CEL_DURATION) {
        *out = cel_int(args[0].i / 3600);
        return CEL_OK;
    }

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(c.hour);

    return CEL_OK;
}


CEL_GETTER(cel_get_minutes)
{
    cel_civil_t  c;

    if (args[0].kind == CEL_DURATION) {
        *out = cel_int(args[0].i / 60);
        return CEL_OK;
    }

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(c.minute);

    return CEL_OK;
}


CEL_GETTER(cel_get_seconds)
{
    cel_civil_t  c;

    if (args[0].kind == CEL_DURATION) {
        *out = cel_int(args[0].i);
        return CEL_OK;
    }

    if (cel_time_local(eval, args, n, &c) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(c.second);

    return CEL_OK;
}


/* The exception: the milliseconds of the second, of a duration, too. */

CEL_GETTER(cel_get_milliseconds)
{
    cel_civil_t  c;

    if (args[0].kind == CEL_TIMESTAMP
        && cel_time_local(eval, args, n, &c) != CEL_OK)
    {
        return CEL_ERROR;
    }

    *out = cel_int((int32_t) args[0].len / 1000000);

    return CEL_OK;
}
