
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_signature.c - the functions of all libraries by name, their signatures
 * parsed on first use.
 */


#include "cel_env.h"

#include <string.h>


#define CEL_FUNCTIONS_BUCKETS  512
#define CEL_FUNCTIONS_NONE     UINT16_MAX


/* one for each entry of the libraries; those of a name are chained */

typedef struct {
    const cel_overload_spec_t  *spec;
    uint16_t                    next;
} cel_functions_spec_t;


typedef struct {
    cel_function_t              function;    /* overloads NULL: not parsed */
    uint16_t                    first;
    uint16_t                    last;
    uint16_t                    next;        /* in the same bucket */
} cel_functions_entry_t;


struct cel_functions_s {
    cel_arena_t                *arena;
    uint16_t                    buckets[CEL_FUNCTIONS_BUCKETS];
    cel_functions_spec_t       *specs;
    cel_functions_entry_t      *entries;
    uint32_t                    nspecs;
    uint32_t                    nentries;
};


static void cel_functions_add(cel_functions_t *functions,
    const cel_overload_spec_t *spec);
static cel_functions_entry_t *cel_functions_find(
    const cel_functions_t *functions, const char *name, size_t len,
    uint32_t hash);
static cel_status_t cel_functions_parse(cel_functions_t *functions,
    cel_functions_entry_t *entry);


uint32_t
cel_name_hash(const char *name, size_t len)
{
    uint32_t  hash;

    for (hash = 2166136261u; len > 0; len--) {
        hash = (hash ^ (unsigned char) *name++) * 16777619u;
    }

    return hash ^ (hash >> 15);
}


cel_functions_t *
cel_functions_create(cel_arena_t *arena)
{
    uint32_t                    i, n;
    cel_functions_t            *functions;
    const cel_overload_spec_t  *spec;

    n = 0;

    for (spec = cel_lib_macros; spec->name != NULL; spec++) {
        n++;
    }

    for (i = 0; cel_libraries[i] != NULL; i++) {
        for (spec = cel_libraries[i]; spec->name != NULL; spec++) {
            n++;
        }
    }

    functions = cel_arena_alloc(arena, sizeof(cel_functions_t));
    if (functions == NULL) {
        return NULL;
    }

    functions->arena = arena;
    functions->nspecs = 0;
    functions->nentries = 0;
    functions->specs = cel_arena_alloc(arena,
                                       n * sizeof(cel_functions_spec_t));
    functions->entries = cel_arena_alloc(arena,
                                         n * sizeof(cel_functions_entry_t));

    if (functions->specs == NULL || functions->entries == NULL
        || n >= CEL_FUNCTIONS_NONE)
    {
        return NULL;
    }

    memset(functions->buckets, 0xff, sizeof(functions->buckets));

    for (i = 0; cel_libraries[i] != NULL; i++) {
        for (spec = cel_libraries[i]; spec->name != NULL; spec++) {
            cel_functions_add(functions, spec);
        }
    }

    for (spec = cel_lib_macros; spec->name != NULL; spec++) {
        cel_functions_add(functions, spec);
    }

    return functions;
}


static void
cel_functions_add(cel_functions_t *functions, const cel_overload_spec_t *spec)
{
    size_t                  len;
    uint16_t               *bucket, n;
    uint32_t                hash;
    cel_functions_entry_t  *entry;

    n = functions->nspecs++;
    functions->specs[n].spec = spec;
    functions->specs[n].next = CEL_FUNCTIONS_NONE;

    len = strlen(spec->name);
    hash = cel_name_hash(spec->name, len);
    entry = cel_functions_find(functions, spec->name, len, hash);

    if (entry != NULL) {
        functions->specs[entry->last].next = n;
        entry->last = n;
        entry->function.count++;
        return;
    }

    bucket = &functions->buckets[hash % CEL_FUNCTIONS_BUCKETS];

    entry = &functions->entries[functions->nentries];
    entry->function.name = spec->name;
    entry->function.hash = hash;
    entry->function.count = 1;
    entry->function.overloads = NULL;
    entry->first = n;
    entry->last = n;
    entry->next = *bucket;

    *bucket = functions->nentries++;
}


static cel_functions_entry_t *
cel_functions_find(const cel_functions_t *functions, const char *name,
    size_t len, uint32_t hash)
{
    uint16_t                i;
    cel_functions_entry_t  *entry;

    i = functions->buckets[hash % CEL_FUNCTIONS_BUCKETS];

    while (i != CEL_FUNCTIONS_NONE) {
        entry = &functions->entries[i];

        if (entry->function.hash == hash
            && strncmp(entry->function.name, name, len) == 0
            && entry->function.name[len] == '\0')
        {
            return entry;
        }

        i = entry->next;
    }

    return NULL;
}


const cel_function_t *
cel_functions_lookup(cel_functions_t *functions, const char *name, size_t len)
{
    cel_functions_entry_t  *entry;

    entry = cel_functions_find(functions, name, len, cel_name_hash(name, len));

    if (entry == NULL) {
        return NULL;
    }

    if (entry->function.overloads == NULL
        && cel_functions_parse(functions, entry) != CEL_OK)
    {
        return NULL;
    }

    return &entry->function;
}


const char *
cel_functions_name(const cel_functions_t *functions, uint32_t i)
{
    return i < functions->nentries ? functions->entries[i].function.name
                                   : NULL;
}


static cel_status_t
cel_functions_parse(cel_functions_t *functions, cel_functions_entry_t *entry)
{
    uint16_t         i;
    uint32_t         n;
    cel_overload_t  *overloads;

    overloads = cel_arena_alloc(functions->arena,
                                entry->function.count
                                * sizeof(cel_overload_t));
    if (overloads == NULL) {
        return CEL_ERROR;
    }

    i = entry->first;

    for (n = 0; n < entry->function.count; n++) {
        memset(&overloads[n], 0, sizeof(cel_overload_t));
        overloads[n].spec = functions->specs[i].spec;

        if (cel_signature_parse(functions->arena,
                                overloads[n].spec->signature, &overloads[n])
            != CEL_OK)
        {
            return CEL_ERROR;
        }

        i = functions->specs[i].next;
    }

    entry->function.overloads = overloads;

    return CEL_OK;
}


/* signature = [type "."] "(" [type {"," type}] ")" ":" type */

cel_status_t
cel_signature_parse(cel_arena_t *arena, const char *signature,
    cel_overload_t *overload)
{
    const char        *p, *end;
    const cel_type_t  *type;

    p = signature;
    end = p + strlen(p);

    if (*p != '(') {
        overload->member = true;
        overload->args[overload->nargs++] = cel_type_scan(arena, &p, end);

        if (overload->args[0] == NULL || !cel_type_accept(&p, end, '.')) {
            return CEL_ERROR;
        }
    }

    if (!cel_type_accept(&p, end, '(')) {
        return CEL_ERROR;
    }

    if (!cel_type_accept(&p, end, ')')) {

        do {
            type = cel_type_scan(arena, &p, end);

            if (type == NULL || overload->nargs == CEL_MAX_ARGS) {
                return CEL_ERROR;
            }

            overload->args[overload->nargs++] = type;
        } while (cel_type_accept(&p, end, ','));

        if (!cel_type_accept(&p, end, ')')) {
            return CEL_ERROR;
        }
    }

    if (!cel_type_accept(&p, end, ':')) {
        return CEL_ERROR;
    }

    overload->result = cel_type_scan(arena, &p, end);

    return overload->result != NULL && p == end ? CEL_OK : CEL_ERROR;
}
