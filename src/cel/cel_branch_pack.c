
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_branch_pack.c - puts a table of comparisons and all that they read of
 * the program side by side: parts, keys, constants, texts.  Once over it to
 * see how much that is, once more to copy.
 */


#include "cel_branch.h"
#include "cel_vm.h"


#define PACK_LINE  64               /* bytes of a cache line, mostly */
#define PACK_SET   UINT8_MAX        /* texts of a set, at most */


/* Where the next one of each kind goes; NULL while it is counted. */

typedef struct {
    cel_branch_t        *tests;
    cel_branch_part_t   *parts;
    const cel_value_t  **keys;
    cel_value_t         *values;
    char                *text;
    size_t               nparts;
    size_t               nkeys;
    size_t               nvalues;
    size_t               ntext;
} pack_t;


static void pack_all(pack_t *pack, const cel_branch_t *tests, uint32_t n);
static void pack_test(pack_t *pack, const cel_branch_t *from,
    cel_branch_t *to);
static void pack_part(pack_t *pack, const cel_branch_part_t *from,
    cel_branch_part_t *to);
static const cel_value_t *pack_value(pack_t *pack, const cel_value_t *from);
static bool pack_is_set(const cel_sequence_t *l);
static const uint8_t *pack_set(pack_t *pack, const cel_sequence_t *l);
static char *pack_text(pack_t *pack, const char *s, size_t len);


const cel_branch_t *
cel_branch_pack(cel_arena_t *arena, const cel_branch_t *tests, uint32_t n)
{
    char    *p;
    pack_t   pack;

    memset(&pack, 0, sizeof(pack_t));

    pack_all(&pack, tests, n);

    p = cel_arena_alloc(arena, PACK_LINE - 1 + n * sizeof(cel_branch_t)
                               + pack.nparts * sizeof(cel_branch_part_t)
                               + pack.nkeys * sizeof(cel_value_t *)
                               + pack.nvalues * sizeof(cel_value_t)
                               + pack.ntext);
    if (p == NULL) {
        return NULL;
    }

    p += -(uintptr_t) p % PACK_LINE;

    pack.tests = (cel_branch_t *) (void *) p;
    pack.parts = (cel_branch_part_t *) (void *) (pack.tests + n);
    pack.keys = (const cel_value_t **) (void *) (pack.parts + pack.nparts);
    pack.values = (cel_value_t *) (void *) (pack.keys + pack.nkeys);
    pack.text = (char *) (pack.values + pack.nvalues);

    pack.nparts = 0;
    pack.nkeys = 0;
    pack.nvalues = 0;
    pack.ntext = 0;

    pack_all(&pack, tests, n);

    return pack.tests;
}


static void
pack_all(pack_t *pack, const cel_branch_t *tests, uint32_t n)
{
    uint32_t      i;
    cel_branch_t  to;

    for (i = 0; i < n; i++) {
        pack_test(pack, &tests[i], &to);

        if (pack->tests != NULL) {
            pack->tests[i] = to;
        }
    }
}


static void
pack_test(pack_t *pack, const cel_branch_t *from, cel_branch_t *to)
{
    uint32_t            i;
    cel_branch_part_t  *parts, part;

    *to = *from;

    pack_part(pack, &from->left, &to->left);

    if (from->form == CEL_QUICK_IN && pack_is_set(from->right->l)) {
        to->form = CEL_BRANCH_SET;
        to->set = pack_set(pack, from->right->l);

    } else if (from->form == CEL_QUICK_IN) {
        to->right = from->right;       /* it may hold anything */

    } else if (from->form != CEL_BRANCH_CALL && from->right != NULL) {
        to->right = pack_value(pack, from->right);
    }

    parts = NULL;

    if (pack->tests != NULL && from->nparts != 0) {
        parts = pack->parts + pack->nparts;
        to->parts = parts;
    }

    pack->nparts += from->nparts;

    for (i = 0; i < from->nparts; i++) {
        pack_part(pack, &from->parts[i], &part);

        if (parts != NULL) {
            parts[i] = part;
        }
    }
}


static void
pack_part(pack_t *pack, const cel_branch_part_t *from, cel_branch_part_t *to)
{
    uint32_t             i;
    const cel_value_t   *key, **keys;

    *to = *from;

    if (from->slot == CEL_NO_SLOT || from->nkeys == 1) {
        to->value = pack_value(pack, from->value);
        return;
    }

    if (from->nkeys == 0) {
        return;
    }

    keys = pack->tests != NULL ? pack->keys + pack->nkeys : NULL;
    pack->nkeys += from->nkeys;

    for (i = 0; i < from->nkeys; i++) {
        key = pack_value(pack, from->keys[i]);

        if (keys != NULL) {
            keys[i] = key;
        }
    }

    to->keys = keys;
    to->value = keys != NULL ? keys[0] : NULL;
}


/* What was prepared is found by its text, which stays where it is. */

static const cel_value_t *
pack_value(pack_t *pack, const cel_value_t *from)
{
    char         *text;
    cel_value_t  *to;

    to = pack->tests != NULL ? &pack->values[pack->nvalues] : NULL;
    pack->nvalues++;

    text = NULL;

    if (from->kind == CEL_STRING && (from->flags & CEL_F_PREPARED) == 0
        && from->len <= PACK_LINE)
    {
        text = pack_text(pack, from->s, from->len);
    }

    if (to != NULL) {
        *to = *from;
        to->s = text != NULL ? text : from->s;
    }

    return to;
}


static bool
pack_is_set(const cel_sequence_t *l)
{
    uint32_t            i;
    const cel_value_t  *key;

    if (l->count > PACK_SET) {
        return false;
    }

    for (i = 0; i < l->count; i++) {
        key = &l->values[2 * (size_t) i];

        if (key->kind != CEL_STRING || key->len >= 1u << CEL_BYTES_SHIFT) {
            return false;
        }
    }

    return true;
}


static const uint8_t *
pack_set(pack_t *pack, const cel_sequence_t *l)
{
    char                len, *set;
    uint32_t            i;
    const cel_value_t  *key;

    len = (char) l->count;
    set = pack_text(pack, &len, 1);

    for (i = 0; i < l->count; i++) {
        key = &l->values[2 * (size_t) i];
        len = (char) key->len;

        (void) pack_text(pack, &len, 1);
        (void) pack_text(pack, key->s, key->len);
    }

    return (const uint8_t *) set;
}


static char *
pack_text(pack_t *pack, const char *s, size_t len)
{
    char  *p;

    p = NULL;

    if (pack->tests != NULL) {
        p = pack->text + pack->ntext;

        if (len != 0) {
            memcpy(p, s, len);
        }
    }

    pack->ntext += len;

    return p;
}
