
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


cel_status_t cel_vm_fetch(cel_eval_t *eval, cel_slot_t slot);
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
    const cel_value_t *args, uint32_t n, cel_value_t *out);
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


/* The short cases: false says that it is none, and nothing was done. */

static inline bool
cel_vm_select_short(const cel_value_t *map, const cel_value_t *key,
    cel_value_t *out)
{
    return map->kind == CEL_MAP && map->repr == CEL_REPR_JSON
           && cel_json_get(map, key->s, key->len, out) == CEL_OK;
}


static inline bool
cel_vm_equal_short(const cel_value_t *a, const cel_value_t *b, bool want,
    cel_value_t *out)
{
    bool  equal;

    if (a->kind != b->kind) {
        return false;
    }

    switch (a->kind) {

    case CEL_STRING:
        if (a->len >= 1u << CEL_BYTES_SHIFT && a->len == b->len) {
            return false;                /* to be charged */
        }

        equal = a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
        break;

    case CEL_BOOL:
        equal = a->b == b->b;
        break;

    case CEL_INT:
    case CEL_UINT:
        equal = a->u == b->u;
        break;

    default:
        return false;
    }

    *out = cel_make(CEL_BOOL);
    out->b = equal == want;

    return true;
}


/* op: 0 < , 1 <= , 2 > , 3 >= */

static inline bool
cel_vm_order_short(const cel_value_t *a, const cel_value_t *b, uint32_t op,
    cel_value_t *out)
{
    bool     result;
    int64_t  i, j;

    if (cel_unlikely(a->kind != CEL_INT || b->kind != CEL_INT)) {
        return false;
    }

    i = a->i;
    j = b->i;
    result = op == 0 ? i < j : op == 1 ? i <= j : op == 2 ? i > j : i >= j;

    *out = cel_make(CEL_BOOL);
    out->b = result;

    return true;
}


#endif /* CEL_VM_H_INCLUDED */
