
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * The index in use: from one step to the next that has to be evaluated.
 * Allocates nothing.
 */


#include "workflow_block.h"


#define INDEX_BYTES_SHIFT  5            /* bytes of a string in one unit */


/* What the look for a deciding key needs. */

typedef struct {
    workflow_list_t          *list;
    const workflow_class_t   *class;
    cel_eval_t               *eval;
    const workflow_failed_t  *failed;
    uint32_t                  step;     /* that is looked for, or later */
} index_look_t;


static cel_status_t index_open(workflow_cursor_t *cursor, cel_eval_t *eval,
    const workflow_block_t *block);
static uint32_t index_head(workflow_list_t *list, uint32_t step);
static uint32_t index_first(workflow_cursor_t *cursor, uint32_t step,
    uint32_t *where);
static cel_status_t index_decide(index_look_t *look);
static cel_status_t index_fetch(index_look_t *look);
static bool index_may(const index_look_t *look, const workflow_key_t *key);
static bool index_known(const index_look_t *look, cel_slot_t slot,
    uint32_t order);
static cel_status_t index_use(index_look_t *look, uint32_t i);


cel_status_t
workflow_index_next(workflow_cursor_t *cursor, cel_eval_t *eval,
    const workflow_block_t *block, const workflow_failed_t *failed,
    uint32_t *step)
{
    uint32_t      from, where;
    cel_status_t  rc;
    index_look_t  look;

    if (cursor->block != block) {
        rc = index_open(cursor, eval, block);

        if (rc != CEL_OK) {
            return rc;
        }
    }

    from = *step;

    for ( ;; ) {
        *step = index_first(cursor, from, &where);

        if (where == block->nclasses || (cursor->stepwise && *step != from)) {
            return CEL_OK;
        }

        look.list = &cursor->lists[where];
        look.class = &block->classes[where];

        if (look.list->key == 0) {
            return CEL_OK;              /* the best one decides already */
        }

        look.eval = eval;
        look.failed = failed;
        look.step = *step;

        rc = index_decide(&look);

        if (rc != CEL_OK) {
            return rc;
        }

        if (index_head(look.list, *step) == *step) {
            return CEL_OK;
        }

        from = *step;
    }
}


bool
workflow_index_over(const workflow_block_t *block, uint32_t step)
{
    return step > block->last;
}


static cel_status_t
index_open(workflow_cursor_t *cursor, cel_eval_t *eval,
    const workflow_block_t *block)
{
    uint32_t          i;
    workflow_list_t  *list;

    for (i = 0; i < block->nclasses; i++) {
        list = &cursor->lists[i];

        list->steps = block->classes[i].members;
        list->pos = 0;
        list->count = block->classes[i].nmembers;
        list->key = block->classes[i].nkeys;
        list->failed = false;
    }

    list = &cursor->lists[i];

    list->steps = block->others;
    list->pos = 0;
    list->count = block->nothers;

    cursor->block = block;

    return cel_eval_charge(eval, 1 + block->nclasses);
}


/* The first one from step on, UINT32_MAX when there is none. */

static uint32_t
index_head(workflow_list_t *list, uint32_t step)
{
    uint32_t  low, high, middle;

    low = list->pos;
    high = list->count;

    if (low < high && list->steps[low] < step) {
        low++;
    }

    while (low < high && list->steps[low] < step) {
        middle = low + (high - low) / 2;

        if (list->steps[middle] < step) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    list->pos = low;

    return low < list->count ? list->steps[low] : UINT32_MAX;
}


/* *where: the list that has it */

static uint32_t
index_first(workflow_cursor_t *cursor, uint32_t step, uint32_t *where)
{
    uint32_t                 i, head, first;
    const workflow_block_t  *block;

    block = cursor->block;

    first = index_head(&cursor->lists[block->nclasses], step);
    *where = block->nclasses;

    for (i = 0; i < block->nclasses; i++) {
        head = index_head(&cursor->lists[i], step);

        if (head < first) {
            first = head;
            *where = i;
        }
    }

    return first != UINT32_MAX ? first : block->none;
}


/* A member is next in plain order: is there a key, or a better one? */

static cel_status_t
index_decide(index_look_t *look)
{
    uint32_t           i;
    cel_status_t       rc;
    workflow_list_t   *list;

    list = look->list;

    rc = index_fetch(look);

    if (rc != CEL_OK) {
        return rc;
    }

    for (i = 0; i < list->key; i++) {
        if (index_may(look, &look->class->keys[i])) {
            return index_use(look, i);
        }
    }

    return CEL_OK;
}


/* What fails here does so again, with its position, in the condition. */

static cel_status_t
index_fetch(index_look_t *look)
{
    cel_eval_t   *eval;
    cel_slot_t    slot;
    cel_value_t   value;
    cel_status_t  rc;

    eval = look->eval;
    slot = look->class->slots[0];

    if (eval->facts[slot].kind != CEL_UNFETCHED || look->list->failed
        || eval->fetch == NULL)
    {
        return CEL_OK;
    }

    value = cel_null();
    rc = eval->fetch(eval->fetch_ctx, eval, slot, &value);

    switch (rc) {

    case CEL_OK:
        eval->facts[slot] = value;
        return CEL_OK;

    case CEL_NEED:
        eval->need = slot;
        return CEL_NEED;

    default:
        look->list->failed = true;
        return CEL_OK;
    }
}


static bool
index_may(const index_look_t *look, const workflow_key_t *key)
{
    uint32_t            i;
    const cel_value_t  *value;

    value = &look->eval->facts[key->slot];

    if (value->kind == CEL_UNFETCHED
        || (key->truth && value->kind != CEL_BOOL))
    {
        return false;
    }

    for (i = 0; i < key->order; i++) {
        if (!index_known(look, look->class->slots[i], i)) {
            return false;
        }
    }

    return true;
}


static bool
index_known(const index_look_t *look, cel_slot_t slot, uint32_t order)
{
    const workflow_failed_t  *failed;

    if (look->eval->facts[slot].kind != CEL_UNFETCHED
        || (order == 0 && look->list->failed))
    {
        return true;
    }

    for (failed = look->failed; failed != NULL; failed = failed->next) {
        if (failed->slot == slot) {
            return true;
        }
    }

    return false;
}


static cel_status_t
index_use(index_look_t *look, uint32_t i)
{
    uint64_t                 units;
    workflow_list_t         *list;
    const cel_value_t       *value;
    const workflow_key_t    *key;
    const workflow_entry_t  *entry;

    list = look->list;
    key = &look->class->keys[i];
    value = &look->eval->facts[key->slot];

    units = 2;

    if (value->kind == CEL_STRING && value->len <= key->table.longest) {
        units += value->len >> INDEX_BYTES_SHIFT;
    }

    if (cel_eval_charge(look->eval, units) != CEL_OK) {
        return CEL_ERROR;
    }

    entry = workflow_table_find(&key->table, value);

    list->key = i;
    list->pos = 0;
    list->count = 0;

    if (entry != NULL) {
        list->steps = &key->table.steps[entry->first];
        list->count = entry->count;
    }

    return CEL_OK;
}
