
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_vm.h - the steps of the VM's instructions: the short ones, which are to
 * be inlined, and those of cel_vm_step.c; private to the two.
 */


#ifndef CEL_VM_H_INCLUDED
#define CEL_VM_H_INCLUDED


#include "cel_program.h"


cel_status_t cel_vm_fetch(cel_eval_t *eval, cel_slot_t slot)
    __attribute__((hot));
cel_status_t cel_vm_select(cel_eval_t *eval, const cel_value_t *map,
    const cel_value_t *key, cel_value_t *out);
cel_status_t cel_vm_has(cel_eval_t *eval, const cel_value_t *map,
    const cel_value_t *key, cel_value_t *out);
cel_status_t cel_vm_equal(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, bool want, cel_value_t *out);
cel_status_t cel_vm_order(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, uint32_t op, cel_value_t *out);
cel_status_t cel_vm_in_set(cel_eval_t *eval, const cel_value_t *v,
    const cel_value_t *set, cel_value_t *out);

/*
 * Two operands that do not make a bool: fills eval->error.  True when that
 * was kept from an operand, with its position.
 */
bool cel_vm_logic(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b);

cel_status_t cel_vm_call(cel_eval_t *eval, const cel_call_t *call,
    const cel_value_t *args, uint32_t n, cel_value_t *out)
    __attribute__((hot));
cel_status_t cel_vm_list(cel_eval_t *eval, const cel_value_t *values,
    uint32_t n, const char *optional, cel_value_t *out);
cel_status_t cel_vm_map(cel_eval_t *eval, const cel_value_t *pairs,
    uint32_t n, const char *optional, cel_value_t *out);
cel_status_t cel_vm_next(cel_eval_t *eval, cel_iter_t *iter,
    cel_value_t *locals, const cel_instr_t *arg);
cel_status_t cel_vm_append_map(cel_eval_t *eval, cel_builder_t *b,
    const cel_value_t *map);


static inline void
cel_error_copy(cel_error_t *to, const cel_error_t *from)
{
    memcpy(to, from, offsetof(cel_error_t, message)
                     + strlen(from->message) + 1);
}


/*
 * Values that were just written part by part are moved in two halves: loading
 * them as one would wait until both are in the cache.
 */

static inline void
cel_move(cel_value_t *to, const cel_value_t *from)
{
    uint64_t  head, rest;

    memcpy(&head, from, sizeof(head));
    memcpy(&rest, (const char *) from + sizeof(head), sizeof(rest));

    __asm__ ("" : "+r" (head));

    memcpy(to, &head, sizeof(head));
    memcpy((char *) to + sizeof(head), &rest, sizeof(rest));
}


static inline void
cel_put_bool(cel_value_t *out, bool b)
{
    uint64_t     rest;
    cel_value_t  v;

    v = cel_make(CEL_BOOL);
    rest = b;

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    rest <<= 56;
#endif

    memcpy(out, &v, sizeof(rest));
    memcpy((char *) out + sizeof(rest), &rest, sizeof(rest));
}


/* Short texts are compared here: two loads that overlap cover them. */

static inline bool
cel_same_text(const char *a, const char *b, size_t len)
{
    uint64_t  i, j, k, l;
    uint32_t  m, n, o, p;

    if (len >= 8) {

        if (len > 16) {
            return memcmp(a, b, len) == 0;
        }

        memcpy(&i, a, 8);
        memcpy(&j, b, 8);
        memcpy(&k, a + len - 8, 8);
        memcpy(&l, b + len - 8, 8);

        return ((i ^ j) | (k ^ l)) == 0;
    }

    if (len >= 4) {
        memcpy(&m, a, 4);
        memcpy(&n, b, 4);
        memcpy(&o, a + len - 4, 4);
        memcpy(&p, b + len - 4, 4);

        return ((m ^ n) | (o ^ p)) == 0;
    }

    return len == 0
           || (a[0] == b[0] && a[len - 1] == b[len - 1]
               && a[len / 2] == b[len / 2]);
}


/* The first bytes as a number, of which the first is the highest. */

static inline uint64_t
cel_load_8(const char *s)
{
    uint64_t  n;

    memcpy(&n, s, 8);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    n = __builtin_bswap64(n);
#endif

    return n;
}


static inline uint32_t
cel_load_4(const char *s)
{
    uint32_t  n;

    memcpy(&n, s, 4);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    n = __builtin_bswap32(n);
#endif

    return n;
}


/* Less than 8 of them: some count twice, where another text's do, too. */

static inline uint64_t
cel_load_short(const char *s, uint32_t len)
{
    const unsigned char  *p;

    if (len >= 4) {
        return (uint64_t) cel_load_4(s) << 32 | cel_load_4(s + len - 4);
    }

    if (len == 0) {
        return 0;
    }

    p = (const unsigned char *) s;

    return (uint64_t) p[0] << 16 | (uint64_t) p[len / 2] << 8 | p[len - 1];
}


/*
 * The short cases of what gives a bool: 0 and 1 are the result, CEL_UNSAID
 * says that it is none of them, and nothing was done.
 */

#define CEL_UNSAID  (-1)


static inline int
cel_says_equal(const cel_value_t *a, const cel_value_t *b)
{
    if (a->kind != b->kind) {
        return CEL_UNSAID;
    }

    if (cel_likely(a->kind == CEL_STRING)) {

        if (a->len != b->len) {
            return 0;
        }

        if (a->len >= 1u << CEL_BYTES_SHIFT) {
            return CEL_UNSAID;           /* to be charged */
        }

        return cel_same_text(a->s, b->s, a->len);
    }

    if (a->kind == CEL_INT || a->kind == CEL_UINT) {
        return a->u == b->u;
    }

    if (a->kind == CEL_BOOL) {
        return a->b == b->b;
    }

    return CEL_UNSAID;
}


/* A string among a few of them; short ones cost nothing more. */

static inline int
cel_says_in_set(const cel_value_t *v, const cel_value_t *set)
{
    uint32_t            i, n;
    const cel_value_t  *pair;

    if (v->kind != CEL_STRING || v->len >= 1u << CEL_BYTES_SHIFT
        || set->l->index != NULL)
    {
        return CEL_UNSAID;
    }

    n = set->l->count;
    pair = set->l->values;

    for (i = 0; i < n; i++, pair += 2) {
        if (pair->kind == CEL_STRING && pair->len == v->len
            && cel_same_text(pair->s, v->s, v->len))
        {
            return 1;
        }
    }

    return 0;
}


/* What is charged for its start is in the instruction. */

static inline int
cel_says_starts(const cel_value_t *v, const cel_value_t *start)
{
    if (v->kind != CEL_STRING) {
        return CEL_UNSAID;
    }

    return v->len >= start->len && cel_same_text(v->s, start->s, start->len);
}


/*
 * 0 less, 1 equal, 2 greater, by bytes.  What begins alike is compared as
 * numbers whose first byte is the highest, again by two loads that overlap.
 */

static inline uint32_t
cel_order_text(const cel_value_t *a, const cel_value_t *b)
{
    int       n;
    uint32_t  len;
    uint64_t  i, j;

    len = a->len < b->len ? a->len : b->len;

    if (len > 16) {
        n = memcmp(a->s, b->s, len);
        i = n > 0;
        j = n < 0;

    } else if (len >= 8) {
        i = cel_load_8(a->s);
        j = cel_load_8(b->s);

        if (i == j) {
            i = cel_load_8(a->s + len - 8);
            j = cel_load_8(b->s + len - 8);
        }

    } else {
        i = cel_load_short(a->s, len);
        j = cel_load_short(b->s, len);
    }

    if (i == j) {
        i = a->len;
        j = b->len;
    }

    return (uint32_t) (i >= j) + (uint32_t) (i > j);
}


/* A bit for each of less, equal, greater; op: 0 < , 1 <= , 2 > , 3 >= */

static inline int
cel_order_said(uint32_t op, uint32_t order)
{
    static const uint8_t  wanted[] = { 1, 3, 4, 6 };

    return (wanted[op] >> order) & 1;
}


static inline int
cel_says_order(const cel_value_t *a, const cel_value_t *b, uint32_t op)
{
    if (cel_unlikely(a->kind != CEL_INT || b->kind != CEL_INT)) {
        return CEL_UNSAID;
    }

    return cel_order_said(op, (uint32_t) (a->i >= b->i)
                              + (uint32_t) (a->i > b->i));
}


/* Texts of which one is short: nothing more is charged. */

static inline int
cel_says_order_text(const cel_value_t *a, const cel_value_t *b, uint32_t op)
{
    if (a->kind != CEL_STRING || b->kind != CEL_STRING
        || (a->len >= 1u << CEL_BYTES_SHIFT
            && b->len >= 1u << CEL_BYTES_SHIFT))
    {
        return CEL_UNSAID;
    }

    return cel_order_said(op, cel_order_text(a, b));
}


/* The same as values: false when it is none of them. */

static inline bool
cel_vm_said(int said, cel_value_t *out)
{
    if (said < 0) {
        return false;
    }

    cel_put_bool(out, said != 0);

    return true;
}


static inline bool
cel_vm_equal_short(const cel_value_t *a, const cel_value_t *b, bool want,
    cel_value_t *out)
{
    int  equal;

    equal = cel_says_equal(a, b);

    return cel_vm_said(equal < 0 ? equal : equal == (int) want, out);
}


static inline bool
cel_vm_in_set_short(const cel_value_t *v, const cel_value_t *set,
    cel_value_t *out)
{
    return cel_vm_said(cel_says_in_set(v, set), out);
}


static inline bool
cel_vm_starts_short(const cel_value_t *v, const cel_value_t *start,
    cel_value_t *out)
{
    return cel_vm_said(cel_says_starts(v, start), out);
}


static inline bool
cel_vm_order_short(const cel_value_t *a, const cel_value_t *b, uint32_t op,
    cel_value_t *out)
{
    return cel_vm_said(cel_says_order(a, b, op), out);
}


static inline bool
cel_vm_order_text(const cel_value_t *a, const cel_value_t *b, uint32_t op,
    cel_value_t *out)
{
    return cel_vm_said(cel_says_order_text(a, b, op), out);
}


static inline bool
cel_vm_select_short(const cel_value_t *map, const cel_value_t *key,
    cel_value_t *out)
{
    return map->kind == CEL_MAP && map->repr == CEL_REPR_JSON
           && cel_json_get(map, key->s, key->len, out) == CEL_OK;
}


#endif /* CEL_VM_H_INCLUDED */
