
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_zone.c - time zones: fixed offsets, and the system's TZif files (RFC
 * 8536) with the POSIX rule at their end for later times.  Reads the file
 * itself: no environment, no locks, nothing kept but by a program for its
 * constant zones.
 */


#include "cel_program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>


#define CEL_ZONE_DIR       "/usr/share/zoneinfo/"
#define CEL_ZONE_NAME_MAX  64
#define CEL_ZONE_FILE_MAX  65536
#define CEL_ZONE_HEADER    44

#define CEL_DAY            86400


typedef struct {
    int64_t               fixed;       /* when ntypes is 0 */
    const unsigned char  *times;       /* ntimes x 8 bytes, big-endian */
    const unsigned char  *indices;     /* ntimes x 1: type from that time */
    const unsigned char  *types;       /* ntypes x 6: offset, dst, name */
    uint32_t              ntimes;
    uint32_t              ntypes;
    const char           *rule;        /* NUL-terminated, "" = none */
} cel_zone_t;


static bool cel_zone_fixed(const char *s, size_t len, cel_zone_t *zone);
static bool cel_zone_name(const char *s, size_t len);
static cel_error_kind_t cel_zone_load(cel_arena_t *arena, const char *s,
    size_t len, cel_zone_t *zone);
static cel_error_kind_t cel_zone_read(cel_arena_t *arena, int fd,
    unsigned char **data, size_t *size);
static bool cel_zone_parse(const unsigned char *data, size_t size,
    cel_zone_t *zone);
static size_t cel_zone_block(const unsigned char *header, size_t width);
static int64_t cel_zone_at(const cel_zone_t *zone, int64_t seconds);


cel_status_t
cel_zone_offset(cel_eval_t *eval, const cel_value_t *name, int64_t seconds,
    int64_t *offset)
{
    char                   text[CEL_ZONE_NAME_MAX];
    cel_zone_t             zone;
    cel_error_kind_t       kind;
    const cel_prepared_t  *prepared;

    prepared = cel_prepared(name, CEL_PREPARED_ZONE);

    if (prepared != NULL) {
        *offset = cel_zone_at(prepared->object, seconds);
        return CEL_OK;
    }

    kind = cel_zone_load(eval->arena, name->s, name->len, &zone);

    if (kind == CEL_E_MEMORY) {
        return cel_fail_memory(eval);
    }

    if (kind != CEL_E_NONE) {
        cel_value_text(name, text, sizeof(text));
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "unknown time zone \"%s\"", text);
    }

    *offset = cel_zone_at(&zone, seconds);

    return CEL_OK;
}


cel_status_t
cel_prepare_zone(cel_prepare_t *prepare, cel_value_t *arg,
    char message[CEL_MESSAGE_MAX])
{
    size_t             prefix;
    cel_zone_t        *zone;
    cel_prepared_t    *prepared;
    cel_error_kind_t   kind;

    prepared = cel_arena_alloc(prepare->arena, sizeof(cel_prepared_t)
                                               + arg->len + 1);
    zone = cel_arena_alloc(prepare->arena, sizeof(cel_zone_t));

    kind = prepared == NULL || zone == NULL
           ? CEL_E_MEMORY
           : cel_zone_load(prepare->arena, arg->s, arg->len, zone);

    if (kind == CEL_E_MEMORY) {
        memcpy(message, "out of memory", sizeof("out of memory"));
        return CEL_ERROR;
    }

    if (kind != CEL_E_NONE) {
        prefix = sizeof("unknown time zone: ") - 1;
        memcpy(message, "unknown time zone: ", prefix);
        cel_value_text(arg, message + prefix, CEL_MESSAGE_MAX - prefix);
        return CEL_ERROR;
    }

    prepared->kind = CEL_PREPARED_ZONE;
    prepared->object = zone;
    memcpy(prepared->text, arg->s, arg->len);
    prepared->text[arg->len] = '\0';

    arg->s = prepared->text;
    arg->flags |= CEL_F_PREPARED;

    return CEL_OK;
}


/* [+-]hh:mm */

static bool
cel_zone_fixed(const char *s, size_t len, cel_zone_t *zone)
{
    bool      minus;
    size_t    i;
    uint32_t  digits, part[2];

    memset(zone, 0, sizeof(cel_zone_t));

    if (len == 3 && memcmp(s, "UTC", 3) == 0) {
        return true;
    }

    minus = len != 0 && *s == '-';
    i = len != 0 && (*s == '+' || *s == '-');

    part[0] = 0;
    part[1] = 0;

    for (digits = 0; i < len && s[i] != ':'; i++, digits++) {
        if (s[i] < '0' || s[i] > '9' || digits == 2) {
            return false;
        }

        part[0] = part[0] * 10 + (uint32_t) (s[i] - '0');
    }

    if (digits == 0 || len - i != 3 || s[i + 1] < '0' || s[i + 1] > '9'
        || s[i + 2] < '0' || s[i + 2] > '9')
    {
        return false;
    }

    part[1] = (uint32_t) ((s[i + 1] - '0') * 10 + (s[i + 2] - '0'));

    if (part[0] > 23 || part[1] > 59) {
        return false;
    }

    zone->fixed = (int64_t) part[0] * 3600 + part[1] * 60;

    if (minus) {
        zone->fixed = -zone->fixed;
    }

    return true;
}


/* A name that cannot leave the directory. */

static bool
cel_zone_name(const char *s, size_t len)
{
    char    c;
    size_t  i;

    if (len == 0 || len >= CEL_ZONE_NAME_MAX || s[0] == '/') {
        return false;
    }

    for (i = 0; i < len; i++) {
        c = s[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+'
              || c == '/'))
        {
            return false;
        }
    }

    return true;
}


/* CEL_E_NONE, CEL_E_MEMORY or, for no such zone, CEL_E_INVALID_ARGUMENT */

static cel_error_kind_t
cel_zone_load(cel_arena_t *arena, const char *s, size_t len,
    cel_zone_t *zone)
{
    int                fd;
    char               path[sizeof(CEL_ZONE_DIR) + CEL_ZONE_NAME_MAX];
    size_t             size;
    unsigned char     *data;
    cel_error_kind_t   kind;

    if (cel_zone_fixed(s, len, zone)) {
        return CEL_E_NONE;
    }

    if (!cel_zone_name(s, len)) {
        return CEL_E_INVALID_ARGUMENT;
    }

    memcpy(path, CEL_ZONE_DIR, sizeof(CEL_ZONE_DIR) - 1);
    memcpy(path + sizeof(CEL_ZONE_DIR) - 1, s, len);
    path[sizeof(CEL_ZONE_DIR) - 1 + len] = '\0';

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == -1) {
        return CEL_E_INVALID_ARGUMENT;
    }

    kind = cel_zone_read(arena, fd, &data, &size);
    close(fd);

    if (kind == CEL_E_NONE && !cel_zone_parse(data, size, zone)) {
        kind = CEL_E_INVALID_ARGUMENT;
    }

    return kind;
}


/* The whole file, NUL-terminated. */

static cel_error_kind_t
cel_zone_read(cel_arena_t *arena, int fd, unsigned char **data,
    size_t *size)
{
    ssize_t      n;
    size_t       have;
    struct stat  st;

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)
        || st.st_size > CEL_ZONE_FILE_MAX)
    {
        return CEL_E_INVALID_ARGUMENT;
    }

    *size = (size_t) st.st_size;

    *data = cel_arena_alloc(arena, *size + 1);
    if (*data == NULL) {
        return CEL_E_MEMORY;
    }

    for (have = 0; have < *size; have += (size_t) n) {
        n = read(fd, *data + have, *size - have);

        if (n <= 0) {
            return CEL_E_INVALID_ARGUMENT;
        }
    }

    (*data)[*size] = '\0';

    return CEL_E_NONE;
}


static uint32_t
cel_zone_u32(const unsigned char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


static int64_t
cel_zone_i64(const unsigned char *p)
{
    return (int64_t) ((uint64_t) cel_zone_u32(p) << 32 | cel_zone_u32(p + 4));
}


/* Bytes of a data block whose times have this width; 0 = nonsense. */

static size_t
cel_zone_block(const unsigned char *header, size_t width)
{
    size_t  isut, isstd, leap, times, types, chars;

    if (memcmp(header, "TZif", 4) != 0) {
        return 0;
    }

    isut = cel_zone_u32(header + 20);
    isstd = cel_zone_u32(header + 24);
    leap = cel_zone_u32(header + 28);
    times = cel_zone_u32(header + 32);
    types = cel_zone_u32(header + 36);
    chars = cel_zone_u32(header + 40);

    return times * (width + 1) + types * 6 + chars + leap * (width + 4)
           + isstd + isut;
}


/* Version 2 and later: a block of 32-bit times to skip, then ours. */

static bool
cel_zone_parse(const unsigned char *data, size_t size, cel_zone_t *zone)
{
    char                 *rule;
    size_t                block;
    uint32_t              i;
    const unsigned char  *header, *end;

    if (size < CEL_ZONE_HEADER || data[4] < '2') {
        return false;
    }

    block = cel_zone_block(data, 4);

    if (block == 0 || size - CEL_ZONE_HEADER < block + CEL_ZONE_HEADER) {
        return false;
    }

    header = data + CEL_ZONE_HEADER + block;
    block = cel_zone_block(header, 8);
    end = data + size;

    if (block == 0
        || (size_t) (end - header) < CEL_ZONE_HEADER + block)
    {
        return false;
    }

    zone->fixed = 0;
    zone->ntimes = cel_zone_u32(header + 32);
    zone->ntypes = cel_zone_u32(header + 36);
    zone->times = header + CEL_ZONE_HEADER;
    zone->indices = zone->times + (size_t) zone->ntimes * 8;
    zone->types = zone->indices + zone->ntimes;
    zone->rule = "";

    for (i = 0; i < zone->ntimes; i++) {
        if (zone->indices[i] >= zone->ntypes) {
            return false;
        }
    }

    /* "\n" rule "\n" */

    rule = (char *) header + CEL_ZONE_HEADER + block;

    if ((const unsigned char *) rule < end && *rule == '\n') {
        zone->rule = rule + 1;
        rule = strchr(rule + 1, '\n');

        if (rule != NULL) {
            *rule = '\0';
        }
    }

    return zone->ntypes != 0;
}


/* The last transition not after that time says which type is valid. */

static int64_t
cel_zone_at(const cel_zone_t *zone, int64_t seconds)
{
    int64_t   offset;
    uint32_t  low, high, middle, type;

    if (zone->ntypes == 0) {
        return zone->fixed;
    }

    low = 0;
    high = zone->ntimes;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (cel_zone_i64(zone->times + (size_t) middle * 8) <= seconds) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    type = low != 0 ? zone->indices[low - 1] : 0;
    offset = (int32_t) cel_zone_u32(zone->types + (size_t) type * 6);

    if (low == zone->ntimes && zone->rule[0] != '\0') {
        return cel_zone_rule(zone->rule, seconds, offset);
    }

    return offset;
}
