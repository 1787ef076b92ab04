
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_vm_step.c - what the VM's instructions do beyond their short cases.
 */


#include "cel_vm.h"


static uint64_t cel_charge_units(const cel_charge_t *charge,
    const cel_value_t *args);
static cel_status_t cel_vm_optional(cel_eval_t *eval, const cel_value_t *v,
    const cel_value_t **inner);


/* The host may or may not have noted the fact itself. */

cel_status_t
cel_vm_fetch(cel_eval_t *eval, cel_slot_t slot)
{
    cel_value_t   v;
    cel_status_t  rc;

    if (cel_unlikely(eval->failed == slot + 1)) {

        /* a table asked for it, see cel_branch.h: error is as it was */

        eval->failed = 0;
        return CEL_ERROR;
    }

    if (eval->fetch == NULL) {
        return cel_eval_fail(eval, CEL_E_FACT, "fact %u is not set", slot);
    }

    v = cel_null();

    rc = eval->fetch(eval->fetch_ctx, eval, slot, &v);

    if (rc == CEL_OK) {
        eval->facts[slot] = v;
        return CEL_OK;
    }

    if (rc == CEL_NEED) {
        eval->need = slot;
        return CEL_NEED;
    }

    if (rc == CEL_NOT_FOUND) {
        return cel_eval_fail(eval, CEL_E_FACT, "there is no fact %u", slot);
    }

    return CEL_ERROR;
}


cel_status_t
cel_vm_select(cel_eval_t *eval, const cel_value_t *map,
    const cel_value_t *key, cel_value_t *out)
{
    cel_status_t  rc;

    if (map->kind == CEL_OPTIONAL) {
        return cel_optional_part(eval, map, key, out);
    }

    if (map->kind != CEL_MAP) {
        return cel_fail_overload(eval);
    }

    rc = cel_map_get(eval, map, key, out);

    return rc == CEL_NOT_FOUND ? cel_fail_key(eval, key) : rc;
}


cel_status_t
cel_vm_has(cel_eval_t *eval, const cel_value_t *map, const cel_value_t *key,
    cel_value_t *out)
{
    cel_value_t   v;
    cel_status_t  rc;

    if (map->kind == CEL_OPTIONAL) {

        if (map->v == NULL) {
            *out = cel_bool(false);
            return CEL_OK;
        }

        map = map->v;
    }

    if (map->kind != CEL_MAP) {
        return cel_fail_overload(eval);
    }

    rc = cel_map_get(eval, map, key, &v);

    if (rc != CEL_OK && rc != CEL_NOT_FOUND) {
        return rc;
    }

    *out = cel_bool(rc == CEL_OK);

    return CEL_OK;
}


cel_status_t
cel_vm_equal(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, bool want, cel_value_t *out)
{
    bool          equal;
    cel_status_t  rc;

    rc = cel_equal(eval, a, b, &equal);

    if (rc == CEL_OK) {
        *out = cel_bool(equal == want);
    }

    return rc;
}


/* Nothing is less, equal or greater than a NaN. */

cel_status_t
cel_vm_order(cel_eval_t *eval, const cel_value_t *a,
    const cel_value_t *b, uint32_t op, cel_value_t *out)
{
    int   order;
    bool  result;

    if (cel_vm_order_text(a, b, op, out)) {
        return CEL_OK;
    }

    if (cel_compare(eval, a, b, &order) != CEL_OK) {
        return CEL_ERROR;
    }

    switch (op) {

    case 0:
        result = order == -1;
        break;

    case 1:
        result = order == -1 || order == 0;
        break;

    case 2:
        result = order == 1;
        break;

    default:
        result = order == 1 || order == 0;
    }

    *out = cel_bool(result);

    return CEL_OK;
}


cel_status_t
cel_vm_in_set(cel_eval_t *eval, const cel_value_t *v, const cel_value_t *set,
    cel_value_t *out)
{
    cel_value_t  found;

    if (v->kind == CEL_STRING
        && cel_charge(eval, v->len >> CEL_BYTES_SHIFT) != CEL_OK)
    {
        return CEL_ERROR;
    }

    *out = cel_bool(cel_map_get(eval, set, v, &found) == CEL_OK);

    return CEL_OK;
}


/* The left error wins, as in the order of evaluation. */

bool
cel_vm_logic(cel_eval_t *eval, const cel_value_t *a, const cel_value_t *b)
{
    if (a->kind == CEL_ERROR_VALUE) {
        cel_error_copy(&eval->error, a->e);
        return true;
    }

    if (a->kind == CEL_BOOL && b->kind == CEL_ERROR_VALUE) {
        cel_error_copy(&eval->error, b->e);
        return true;
    }

    cel_fail_overload(eval);

    return false;
}


static inline uint64_t
cel_charge_size(const cel_value_t *v)
{
    switch (v->kind) {

    case CEL_STRING:
    case CEL_BYTES:
    case CEL_OPAQUE:
        return v->len;

    case CEL_LIST:
    case CEL_MAP:
        return cel_size(v);

    default:
        return 0;
    }
}


/* The deep ones charge their size as they go. */

static uint64_t
cel_charge_units(const cel_charge_t *charge, const cel_value_t *args)
{
    uint32_t  i, sized;
    uint64_t  size, one;

    if (charge->mode >= CEL_CHARGE_DEEP) {
        return charge->mode == CEL_CHARGE_UP_TO ? 1 : charge->base;
    }

    size = charge->mode == CEL_CHARGE_PRODUCT;

    for (i = 0, sized = charge->sized; sized != 0; i++, sized >>= 1) {

        if (!(sized & 1)) {
            continue;
        }

        one = cel_charge_size(&args[i]);

        if (charge->mode == CEL_CHARGE_SUM) {
            size += one;

        } else if (__builtin_mul_overflow(size, one != 0 ? one : 1, &size)) {
            return UINT64_MAX;
        }
    }

    if (__builtin_mul_overflow(size, charge->per, &size)) {
        return UINT64_MAX;
    }

    return charge->base + (size >> charge->shift);
}


cel_status_t
cel_vm_call(cel_eval_t *eval, const cel_call_t *call, const cel_value_t *args,
    uint32_t n, cel_value_t *out)
{
    uint32_t             i, k;
    uint64_t             units;
    const cel_callee_t  *callee;

    for (k = 0; k < call->count; k++) {
        callee = &call->callees[k];

        for (i = 0; i < n; i++) {
            if (!(callee->kinds[i] & (1u << args[i].kind))) {
                break;
            }
        }

        if (i != n) {
            continue;
        }

        units = callee->charge.sized == 0
                ? callee->charge.base
                : cel_charge_units(&callee->charge, args);

        if (cel_charge(eval, units) != CEL_OK) {
            return CEL_ERROR;
        }

        return callee->call(eval, args, n, out);
    }

    if (cel_charge(eval, 1) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_fail_overload(eval);
}


/* *inner NULL: optional.none(), the item is left out */

static cel_status_t
cel_vm_optional(cel_eval_t *eval, const cel_value_t *v,
    const cel_value_t **inner)
{
    if (v->kind != CEL_OPTIONAL) {
        return cel_fail_overload(eval);
    }

    *inner = v->v;

    return CEL_OK;
}


cel_status_t
cel_vm_list(cel_eval_t *eval, const cel_value_t *values, uint32_t n,
    const char *optional, cel_value_t *out)
{
    uint32_t            i, count;
    cel_value_t        *kept;
    const cel_value_t  *inner;

    if (cel_charge(eval, n) != CEL_OK) {
        return CEL_ERROR;
    }

    kept = cel_eval_alloc(eval, n * sizeof(cel_value_t));
    if (kept == NULL) {
        return CEL_ERROR;
    }

    if (optional == NULL) {
        memcpy(kept, values, n * sizeof(cel_value_t));
        return cel_wrap_list(eval, kept, n, out);
    }

    count = 0;

    for (i = 0; i < n; i++) {
        inner = &values[i];

        if (optional[i] && cel_vm_optional(eval, inner, &inner) != CEL_OK) {
            return CEL_ERROR;
        }

        if (inner != NULL) {
            kept[count++] = *inner;
        }
    }

    return cel_wrap_list(eval, kept, count, out);
}


cel_status_t
cel_vm_map(cel_eval_t *eval, const cel_value_t *pairs, uint32_t n,
    const char *optional, cel_value_t *out)
{
    uint32_t            i, count;
    cel_value_t        *kept;
    const cel_value_t  *inner;

    if (cel_charge(eval, 2 * (uint64_t) n) != CEL_OK) {
        return CEL_ERROR;
    }

    kept = cel_eval_alloc(eval, 2 * (size_t) n * sizeof(cel_value_t));
    if (kept == NULL) {
        return CEL_ERROR;
    }

    count = 0;

    for (i = 0; i < n; i++) {
        inner = &pairs[2 * i + 1];

        if (!cel_is_key(&pairs[2 * i])) {
            return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                                 "unsupported key type: %s",
                                 cel_value_type(&pairs[2 * i])->name);
        }

        /* the mark is at the key or at the value */

        if (optional != NULL && (optional[2 * i] || optional[2 * i + 1])
            && cel_vm_optional(eval, inner, &inner) != CEL_OK)
        {
            return CEL_ERROR;
        }

        if (inner != NULL) {
            kept[2 * count] = pairs[2 * i];
            kept[2 * count + 1] = *inner;
            count++;
        }
    }

    return cel_wrap_map(eval, kept, count, out);
}


/* arg: b one variable's local, a the second one's + 1 */

cel_status_t
cel_vm_next(cel_eval_t *eval, cel_iter_t *iter, cel_value_t *locals,
    const cel_instr_t *arg)
{
    uint32_t      i;
    cel_value_t  *first;

    first = &locals[arg->b];

    if (iter->range.kind == CEL_MAP) {
        return cel_iter_next(iter, eval, first,
                             arg->a != 0 ? &locals[arg->a - 1] : NULL);
    }

    if (arg->a == 0) {
        return cel_iter_next(iter, eval, NULL, first);
    }

    i = iter->i;
    *first = cel_int(i);

    return cel_iter_next(iter, eval, NULL, &locals[arg->a - 1]);
}


cel_status_t
cel_vm_append_map(cel_eval_t *eval, cel_builder_t *b, const cel_value_t *map)
{
    cel_iter_t    iter;
    cel_value_t   key, value;
    cel_status_t  rc;

    if (map->kind != CEL_MAP) {
        return cel_fail_overload(eval);
    }

    cel_iter_init(&iter, map);

    while (iter.i < iter.n) {

        if (cel_charge(eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_iter_next(&iter, eval, &key, &value);
        if (rc != CEL_OK) {
            return rc;
        }

        if (cel_builder_add(b, eval, &key) != CEL_OK
            || cel_builder_add(b, eval, &value) != CEL_OK)
        {
            return CEL_ERROR;
        }
    }

    return CEL_OK;
}
