
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_type.c - types: singletons, composition, the notation of CEL, equality.
 * Unification is the checker's, see cel_unify.c.
 */


#include "cel_type.h"

#include <string.h>


/* deeper notation than this is refused */
#define CEL_TYPE_DEPTH  16


typedef struct {
    char         *buf;
    size_t        size;
    size_t        used;
} cel_type_text_t;


static const cel_type_t *cel_type_scan_at(cel_arena_t *arena,
    const char **pos, const char *end, unsigned depth);
static const cel_type_t *cel_type_scan_params(cel_arena_t *arena,
    const cel_type_t *base, const char **pos, const char *end,
    unsigned depth);
static const cel_type_t *cel_type_named(cel_arena_t *arena, const char *name,
    size_t len);
static const cel_type_t *cel_type_copy_at(cel_arena_t *arena,
    const cel_type_t *type, unsigned depth);
static void cel_type_put(cel_type_text_t *text, const char *s);
static void cel_type_write(cel_type_text_t *text, const cel_type_t *type);


#define cel_type_simple(kind, name)  { kind, 0, name, { NULL, NULL }, 0, 0 }

const cel_type_t  cel_t_error = cel_type_simple(CEL_T_ERROR, "*error*");
const cel_type_t  cel_t_dyn = cel_type_simple(CEL_T_DYN, "dyn");
const cel_type_t  cel_t_null = cel_type_simple(CEL_T_NULL, "null_type");
const cel_type_t  cel_t_bool = cel_type_simple(CEL_T_BOOL, "bool");
const cel_type_t  cel_t_int = cel_type_simple(CEL_T_INT, "int");
const cel_type_t  cel_t_uint = cel_type_simple(CEL_T_UINT, "uint");
const cel_type_t  cel_t_double = cel_type_simple(CEL_T_DOUBLE, "double");
const cel_type_t  cel_t_string = cel_type_simple(CEL_T_STRING, "string");
const cel_type_t  cel_t_bytes = cel_type_simple(CEL_T_BYTES, "bytes");
const cel_type_t  cel_t_timestamp =
    cel_type_simple(CEL_T_TIMESTAMP, "google.protobuf.Timestamp");
const cel_type_t  cel_t_duration =
    cel_type_simple(CEL_T_DURATION, "google.protobuf.Duration");
const cel_type_t  cel_t_list_dyn =
    { CEL_T_LIST, 1, "list", { &cel_t_dyn, NULL }, 0, 0 };
const cel_type_t  cel_t_map_dyn =
    { CEL_T_MAP, 2, "map", { &cel_t_dyn, &cel_t_dyn }, 0, 0 };
const cel_type_t  cel_t_type =
    { CEL_T_TYPE, 1, "type", { &cel_t_dyn, NULL }, 0, 0 };
const cel_type_t  cel_t_optional_dyn =
    { CEL_T_OPTIONAL, 1, "optional_type", { &cel_t_dyn, NULL }, 0, 0 };
const cel_type_t  cel_t_net_ip = cel_type_simple(CEL_T_OPAQUE, "net.IP");
const cel_type_t  cel_t_net_cidr = cel_type_simple(CEL_T_OPAQUE, "net.CIDR");

static const cel_type_t  cel_t_map_json =
    { CEL_T_MAP, 2, "map", { &cel_t_string, &cel_t_dyn }, 0, 0 };

/* the name is what type() would give, were a wrapper ever seen at run time */

#define cel_type_wrapper(base)                                                \
    { CEL_T_WRAPPER, 1, "wrapper", { base, NULL }, 0, 0 }

static const cel_type_t  cel_t_wrap_bool = cel_type_wrapper(&cel_t_bool);
static const cel_type_t  cel_t_wrap_int = cel_type_wrapper(&cel_t_int);
static const cel_type_t  cel_t_wrap_uint = cel_type_wrapper(&cel_t_uint);
static const cel_type_t  cel_t_wrap_double = cel_type_wrapper(&cel_t_double);
static const cel_type_t  cel_t_wrap_string = cel_type_wrapper(&cel_t_string);
static const cel_type_t  cel_t_wrap_bytes = cel_type_wrapper(&cel_t_bytes);
static const cel_type_t  cel_t_wrap_dyn = cel_type_wrapper(&cel_t_dyn);


/* Names of the notation; an expression may use the first group as values. */

static const struct {
    const char        *name;
    const cel_type_t  *type;
    bool               value;
} cel_type_names[] = {
    { "bool", &cel_t_bool, true },
    { "int", &cel_t_int, true },
    { "uint", &cel_t_uint, true },
    { "double", &cel_t_double, true },
    { "string", &cel_t_string, true },
    { "bytes", &cel_t_bytes, true },
    { "list", &cel_t_list_dyn, true },
    { "map", &cel_t_map_dyn, true },
    { "type", &cel_t_type, true },
    { "null_type", &cel_t_null, true },
    { "optional_type", &cel_t_optional_dyn, true },
    { "google.protobuf.Timestamp", &cel_t_timestamp, true },
    { "google.protobuf.Duration", &cel_t_duration, true },
    { "net.IP", &cel_t_net_ip, true },
    { "net.CIDR", &cel_t_net_cidr, true },

    { "dyn", &cel_t_dyn, false },
    { "null", &cel_t_null, false },
    { "optional", &cel_t_optional_dyn, false },
    { "wrapper", &cel_t_wrap_dyn, false },
    { "timestamp", &cel_t_timestamp, false },
    { "duration", &cel_t_duration, false },
    { "google.protobuf.Any", &cel_t_dyn, false },
    { "google.protobuf.Value", &cel_t_dyn, false },
    { "google.protobuf.Struct", &cel_t_map_json, false },
    { "google.protobuf.ListValue", &cel_t_list_dyn, false },
    { "google.protobuf.BoolValue", &cel_t_wrap_bool, false },
    { "google.protobuf.Int32Value", &cel_t_wrap_int, false },
    { "google.protobuf.Int64Value", &cel_t_wrap_int, false },
    { "google.protobuf.UInt32Value", &cel_t_wrap_uint, false },
    { "google.protobuf.UInt64Value", &cel_t_wrap_uint, false },
    { "google.protobuf.FloatValue", &cel_t_wrap_double, false },
    { "google.protobuf.DoubleValue", &cel_t_wrap_double, false },
    { "google.protobuf.StringValue", &cel_t_wrap_string, false },
    { "google.protobuf.BytesValue", &cel_t_wrap_bytes, false },

    { NULL, NULL, false }
};


const cel_type_t *
cel_type_dyn(void)
{
    return &cel_t_dyn;
}


const cel_type_t *
cel_type_of_kind(cel_kind_t kind)
{
    switch (kind) {

    case CEL_NULL:
        return &cel_t_null;

    case CEL_BOOL:
        return &cel_t_bool;

    case CEL_INT:
        return &cel_t_int;

    case CEL_UINT:
        return &cel_t_uint;

    case CEL_DOUBLE:
        return &cel_t_double;

    case CEL_STRING:
        return &cel_t_string;

    case CEL_BYTES:
        return &cel_t_bytes;

    case CEL_TIMESTAMP:
        return &cel_t_timestamp;

    case CEL_DURATION:
        return &cel_t_duration;

    case CEL_LIST:
        return &cel_t_list_dyn;

    case CEL_MAP:
        return &cel_t_map_dyn;

    case CEL_TYPE:
        return &cel_t_type;

    case CEL_OPTIONAL:
        return &cel_t_optional_dyn;

    default:
        return &cel_t_dyn;
    }
}


cel_kind_t
cel_type_kind(const cel_type_t *type)
{
    switch (type->kind) {

    case CEL_T_BOOL:
        return CEL_BOOL;

    case CEL_T_INT:
        return CEL_INT;

    case CEL_T_UINT:
        return CEL_UINT;

    case CEL_T_DOUBLE:
        return CEL_DOUBLE;

    case CEL_T_STRING:
        return CEL_STRING;

    case CEL_T_BYTES:
        return CEL_BYTES;

    case CEL_T_TIMESTAMP:
        return CEL_TIMESTAMP;

    case CEL_T_DURATION:
        return CEL_DURATION;

    case CEL_T_LIST:
        return CEL_LIST;

    case CEL_T_MAP:
        return CEL_MAP;

    case CEL_T_TYPE:
        return CEL_TYPE;

    case CEL_T_OPTIONAL:
        return CEL_OPTIONAL;

    case CEL_T_OPAQUE:
        return CEL_OPAQUE;

    default:
        return CEL_NULL;
    }
}


/* a wrapper tells no kind either: null, or what it wraps */

bool
cel_type_is_dyn(const cel_type_t *type)
{
    return type->kind == CEL_T_DYN || type->kind == CEL_T_ERROR
           || type->kind == CEL_T_WRAPPER || type->kind == CEL_T_PARAM;
}


const cel_type_t *
cel_type_make(cel_arena_t *arena, cel_type_kind_t kind, const char *name,
    const cel_type_t *a, const cel_type_t *b)
{
    cel_type_t  *type;

    static const char *const  names[] = {
        [CEL_T_LIST] = "list", [CEL_T_MAP] = "map", [CEL_T_TYPE] = "type",
        [CEL_T_OPTIONAL] = "optional_type", [CEL_T_WRAPPER] = "wrapper",
        [CEL_T_PARAM] = "A"
    };

    type = cel_arena_alloc(arena, sizeof(cel_type_t));
    if (type == NULL) {
        return NULL;
    }

    type->kind = kind;
    type->nparams = b != NULL ? 2 : a != NULL ? 1 : 0;
    type->name = name != NULL ? name : names[kind];
    type->params[0] = a;
    type->params[1] = b;
    type->id = 0;
    type->open = 0;

    if (a != NULL) {
        type->open = a->open;
    }

    if (b != NULL && b->open > type->open) {
        type->open = b->open;
    }

    return type;
}


const cel_type_t *
cel_type_parse(cel_arena_t *arena, const char *text, size_t len)
{
    const char        *end;
    const cel_type_t  *type;

    end = text + len;
    type = cel_type_scan(arena, &text, end);

    while (text < end && *text == ' ') {
        text++;
    }

    return text == end ? type : NULL;
}


const cel_type_t *
cel_type_scan(cel_arena_t *arena, const char **pos, const char *end)
{
    return cel_type_scan_at(arena, pos, end, 0);
}


/* type = name {"." name} ["(" type {"," type} ")"] */

static const cel_type_t *
cel_type_scan_at(cel_arena_t *arena, const char **pos, const char *end,
    unsigned depth)
{
    char               ch;
    const char        *start, *p;
    const cel_type_t  *type;

    if (depth == CEL_TYPE_DEPTH) {
        return NULL;
    }

    p = *pos;

    while (p < end && *p == ' ') {
        p++;
    }

    for (start = p; p < end; p++) {
        ch = *p;

        if (ch == '.' && p + 1 < end && p[1] == '(') {
            break;
        }

        if (ch != '.' && ch != '_' && !(ch >= '0' && ch <= '9')
            && !((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z'))
        {
            break;
        }
    }

    *pos = p;

    type = cel_type_named(arena, start, p - start);

    if (type == NULL || p == end || *p != '(') {
        return type;
    }

    return cel_type_scan_params(arena, type, pos, end, depth);
}


static const cel_type_t *
cel_type_scan_params(cel_arena_t *arena, const cel_type_t *base,
    const char **pos, const char *end, unsigned depth)
{
    uint32_t           n;
    const cel_type_t  *params[2];

    params[1] = NULL;

    for (n = 0; n < base->nparams; n++) {

        /* "(" or "," */

        if (*pos == end || **pos != (n == 0 ? '(' : ',')) {
            return NULL;
        }

        (*pos)++;

        params[n] = cel_type_scan_at(arena, pos, end, depth + 1);
        if (params[n] == NULL) {
            return NULL;
        }

        while (*pos < end && **pos == ' ') {
            (*pos)++;
        }
    }

    if (n == 0 || *pos == end || **pos != ')') {
        return NULL;
    }

    (*pos)++;

    return cel_type_make(arena, base->kind, base->name, params[0], params[1]);
}


/* a type of the table, a parameter "A", or an opaque one with a dot */

static const cel_type_t *
cel_type_named(cel_arena_t *arena, const char *name, size_t len)
{
    char        *copy;
    uint32_t     i;
    cel_type_t  *type;

    if (len == 0) {
        return NULL;
    }

    for (i = 0; cel_type_names[i].name != NULL; i++) {
        if (strlen(cel_type_names[i].name) == len
            && memcmp(cel_type_names[i].name, name, len) == 0)
        {
            return cel_type_names[i].type;
        }
    }

    if (len == 1 ? (*name < 'A' || *name > 'Z')
                 : (memchr(name, '.', len) == NULL
                    || (len >= 7 && memcmp(name, "google.", 7) == 0)))
    {
        return NULL;
    }

    copy = cel_arena_alloc(arena, len + 1);
    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, name, len);
    copy[len] = '\0';

    type = (cel_type_t *) cel_type_make(arena,
                                        len == 1 ? CEL_T_PARAM : CEL_T_OPAQUE,
                                        copy, NULL, NULL);

    if (type != NULL && len == 1) {
        type->id = *name - 'A';
        type->open = type->id + 1;
    }

    return type;
}


const cel_type_t *
cel_type_lookup(const char *name, size_t len)
{
    uint32_t  i;

    for (i = 0; cel_type_names[i].name != NULL; i++) {
        if (cel_type_names[i].value && strlen(cel_type_names[i].name) == len
            && memcmp(cel_type_names[i].name, name, len) == 0)
        {
            return cel_type_names[i].type;
        }
    }

    return NULL;
}


const cel_type_t *
cel_type_copy(cel_arena_t *arena, const cel_type_t *type)
{
    return cel_type_copy_at(arena, type, 0);
}


/*
 * What is nested deeper than any notation is left as dyn: variables that each
 * wrap the one before must not add up to types without end.
 */

static const cel_type_t *
cel_type_copy_at(cel_arena_t *arena, const cel_type_t *type, unsigned depth)
{
    char              *name;
    uint32_t           i;
    const cel_type_t  *params[2];

    /* the singletons stay */

    if (type->kind < CEL_T_LIST) {
        return type;
    }

    if (depth == CEL_TYPE_DEPTH) {
        return &cel_t_dyn;
    }

    params[0] = NULL;
    params[1] = NULL;

    for (i = 0; i < type->nparams; i++) {
        params[i] = cel_type_copy_at(arena, type->params[i], depth + 1);
        if (params[i] == NULL) {
            return NULL;
        }
    }

    name = cel_arena_alloc(arena, strlen(type->name) + 1);
    if (name == NULL) {
        return NULL;
    }

    strcpy(name, type->name);

    return cel_type_make(arena, type->kind, name, params[0], params[1]);
}


bool
cel_type_same(const cel_type_t *a, const cel_type_t *b)
{
    uint32_t  i;

    if (a == b) {
        return true;
    }

    if (a->kind != b->kind || a->nparams != b->nparams || a->id != b->id) {
        return false;
    }

    if ((a->kind == CEL_T_OPAQUE || a->kind == CEL_T_STRUCT)
        && strcmp(a->name, b->name) != 0)
    {
        return false;
    }

    for (i = 0; i < a->nparams; i++) {
        if (!cel_type_same(a->params[i], b->params[i])) {
            return false;
        }
    }

    return true;
}


size_t
cel_type_format(const cel_type_t *type, char *buf, size_t size)
{
    cel_type_text_t  text;

    if (size == 0) {
        return 0;
    }

    text.buf = buf;
    text.size = size;
    text.used = 0;
    buf[0] = '\0';

    cel_type_write(&text, type);

    return text.used;
}


static void
cel_type_write(cel_type_text_t *text, const cel_type_t *type)
{
    uint32_t  i;

    switch (type->kind) {

    case CEL_T_ERROR:
    case CEL_T_PARAM:
        cel_type_put(text, "dyn");
        return;

    case CEL_T_NULL:
        cel_type_put(text, "null");
        return;

    case CEL_T_TIMESTAMP:
        cel_type_put(text, "timestamp");
        return;

    case CEL_T_DURATION:
        cel_type_put(text, "duration");
        return;

    default:
        cel_type_put(text, type->name);
    }

    for (i = 0; i < type->nparams; i++) {
        cel_type_put(text, i == 0 ? "(" : ", ");
        cel_type_write(text, type->params[i]);
    }

    if (type->nparams > 0) {
        cel_type_put(text, ")");
    }
}


static void
cel_type_put(cel_type_text_t *text, const char *s)
{
    size_t  len;

    len = strlen(s);

    if (len > text->size - text->used - 1) {
        len = text->size - text->used - 1;
    }

    memcpy(text->buf + text->used, s, len);
    text->used += len;
    text->buf[text->used] = '\0';
}
