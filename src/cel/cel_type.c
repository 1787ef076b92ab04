
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_type.c - types: singletons and their names, composition, equality.  The
 * notation is read and written in cel_type_text.c, unification is the
 * checker's, see cel_unify.c.
 */


#include "cel_type.h"

#include <string.h>


/* a copy is no deeper than this */
#define CEL_TYPE_COPY_DEPTH  16


static const cel_type_t *cel_type_copy_at(cel_arena_t *arena,
    const cel_type_t *type, unsigned depth);


#define cel_type_simple(kind, name)  { kind, 0, name, NULL, 0, 0 }
#define cel_type_of(kind, n, name, params)  { kind, n, name, params, 0, 0 }

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

static const cel_type_t *const  cel_type_dyns[] = { &cel_t_dyn, &cel_t_dyn };

const cel_type_t  cel_t_list_dyn =
    cel_type_of(CEL_T_LIST, 1, "list", cel_type_dyns);
const cel_type_t  cel_t_map_dyn =
    cel_type_of(CEL_T_MAP, 2, "map", cel_type_dyns);
const cel_type_t  cel_t_type =
    cel_type_of(CEL_T_TYPE, 1, "type", cel_type_dyns);
const cel_type_t  cel_t_optional_dyn =
    cel_type_of(CEL_T_OPTIONAL, 1, "optional_type", cel_type_dyns);
const cel_type_t  cel_t_net_ip = cel_type_simple(CEL_T_OPAQUE, "net.IP");
const cel_type_t  cel_t_net_cidr = cel_type_simple(CEL_T_OPAQUE, "net.CIDR");
const cel_type_t  cel_t_url = cel_type_simple(CEL_T_OPAQUE, "kubernetes.URL");
const cel_type_t  cel_t_quantity =
    cel_type_simple(CEL_T_OPAQUE, "kubernetes.Quantity");
const cel_type_t  cel_t_semver =
    cel_type_simple(CEL_T_OPAQUE, "kubernetes.Semver");
const cel_type_t  cel_t_named_format =
    cel_type_simple(CEL_T_OPAQUE, "kubernetes.NamedFormat");

static const cel_type_t *const  cel_type_json[] = {
    &cel_t_string, &cel_t_dyn
};
static const cel_type_t  cel_t_map_json =
    cel_type_of(CEL_T_MAP, 2, "map", cel_type_json);

/* the name is what type() would give, were a wrapper ever seen at run time */

static const cel_type_t *const  cel_type_wrapped[] = {
    &cel_t_bool, &cel_t_int, &cel_t_uint, &cel_t_double, &cel_t_string,
    &cel_t_bytes, &cel_t_dyn
};

#define cel_type_wrapper(i)                                                   \
    cel_type_of(CEL_T_WRAPPER, 1, "wrapper", &cel_type_wrapped[i])

static const cel_type_t  cel_t_wrap_bool = cel_type_wrapper(0);
static const cel_type_t  cel_t_wrap_int = cel_type_wrapper(1);
static const cel_type_t  cel_t_wrap_uint = cel_type_wrapper(2);
static const cel_type_t  cel_t_wrap_double = cel_type_wrapper(3);
static const cel_type_t  cel_t_wrap_string = cel_type_wrapper(4);
static const cel_type_t  cel_t_wrap_bytes = cel_type_wrapper(5);
static const cel_type_t  cel_t_wrap_dyn = cel_type_wrapper(6);


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
    { "kubernetes.URL", &cel_t_url, true },
    { "kubernetes.Quantity", &cel_t_quantity, true },
    { "kubernetes.Semver", &cel_t_semver, true },
    { "kubernetes.NamedFormat", &cel_t_named_format, true },

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
    cel_type_t         base;
    const cel_type_t  *params[2];

    static const char *const  names[] = {
        [CEL_T_LIST] = "list", [CEL_T_MAP] = "map", [CEL_T_TYPE] = "type",
        [CEL_T_OPTIONAL] = "optional_type", [CEL_T_WRAPPER] = "wrapper",
        [CEL_T_PARAM] = "A"
    };

    base.kind = kind;
    base.name = name != NULL ? name : names[kind];
    params[0] = a;
    params[1] = b;

    return cel_type_with(arena, &base, params, b != NULL ? 2 : a != NULL);
}


const cel_type_t *
cel_type_with(cel_arena_t *arena, const cel_type_t *base,
    const cel_type_t *const *params, uint32_t n)
{
    uint32_t            i;
    cel_type_t         *type;
    const cel_type_t  **copy;

    type = cel_arena_alloc(arena, sizeof(cel_type_t)
                                  + n * sizeof(cel_type_t *));
    if (type == NULL) {
        return NULL;
    }

    copy = (const cel_type_t **) (type + 1);

    type->kind = base->kind;
    type->nparams = n;
    type->name = base->name;
    type->params = copy;
    type->id = 0;
    type->open = 0;

    for (i = 0; i < n; i++) {
        copy[i] = params[i];

        if (params[i]->open > type->open) {
            type->open = params[i]->open;
        }
    }

    return type;
}


const cel_type_t *
cel_type_by_name(const char *name, size_t len)
{
    uint32_t  i;

    for (i = 0; cel_type_names[i].name != NULL; i++) {
        if (strlen(cel_type_names[i].name) == len
            && memcmp(cel_type_names[i].name, name, len) == 0)
        {
            return cel_type_names[i].type;
        }
    }

    return NULL;
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
    cel_type_t         base;
    const cel_type_t  *params[CEL_TYPE_PARAMS_MAX];

    /* the singletons stay */

    if (type->kind < CEL_T_LIST) {
        return type;
    }

    if (depth == CEL_TYPE_COPY_DEPTH) {
        return &cel_t_dyn;
    }

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

    base.kind = type->kind;
    base.name = name;

    return cel_type_with(arena, &base, params, type->nparams);
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
