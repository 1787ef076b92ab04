
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_compile_node.c - code for constants, names, selection, list and map
 * literals.  Subtrees of constants become one constant.
 */


#include "cel_code.h"
#include "cel_env.h"


#define CEL_COMPILE_DEPTH  2000


static bool cel_compile_dispatch(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
static bool cel_compile_const(cel_code_t *c, const cel_value_t *value,
    cel_value_t *v);
static bool cel_compile_select(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
static bool cel_compile_items(cel_code_t *c, const cel_node_t *node,
    cel_value_t *v);
static bool cel_compile_literal(cel_code_t *c, const cel_node_t *node,
    const cel_value_t *values, cel_value_t *v);
static void cel_compile_optionals(cel_code_t *c, const cel_node_t *node);
static void cel_compile_entry_place(const cel_ast_t *ast,
    cel_literal_entry_t *entry, const cel_literal_entry_t *before);
static void cel_compile_entry_keys(cel_code_t *c, const cel_node_t *map,
    cel_literal_entry_t *entry);
static void cel_compile_entry(cel_code_t *c, const cel_node_t *node,
    uint32_t i, const cel_value_t *v);


bool
cel_compile_node(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    bool      constant, kept;
    uint32_t  pc, offset;

    *v = cel_make(CEL_ERROR_VALUE);

    if (c->failed) {
        return false;
    }

    offset = c->offset;
    c->offset = node->offset;

    if (++c->nesting > CEL_COMPILE_DEPTH) {
        cel_code_fail(c, CEL_E_TOO_LARGE, "the expression nests too deep");
        return false;
    }

    kept = cel_compile_kept(c, node, &pc);
    constant = cel_compile_dispatch(c, node, v);

    if (kept) {
        cel_compile_keep(c, node, pc);
    }

    c->nesting--;
    c->offset = offset;

    return constant && !c->failed;
}


static bool
cel_compile_dispatch(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    switch (node->ref) {

    case CEL_R_FACT:
        cel_code_slot(c, node->slot);
        cel_emit(c, CEL_OP_FACT, 0, node->slot, 1);
        return false;

    case CEL_R_SHARED:
        cel_code_slot(c, node->slot);
        cel_emit(c, CEL_OP_SHARED, 0, node->slot, 1);
        return false;

    case CEL_R_LOCAL:
        cel_emit(c, CEL_OP_LOCAL, 0, node->local, 1);
        return false;

    case CEL_R_TYPE:
    case CEL_R_CONST:
        return cel_compile_const(c, &node->value, v);

    case CEL_R_NONE:
        break;
    }

    switch (node->kind) {

    case CEL_N_CONST:
        return cel_compile_const(c, &node->value, v);

    case CEL_N_SELECT:
        return cel_compile_select(c, node, v);

    case CEL_N_CALL:
        return cel_compile_call(c, node, v);

    case CEL_N_LIST:
    case CEL_N_MAP:
        return cel_compile_items(c, node, v);

    case CEL_N_COMPREHENSION:
        return cel_compile_fold(c, node, v);

    case CEL_N_IDENT:
        cel_emit_unknown(c, node, 0);
        return false;

    default:
        cel_code_fail(c, CEL_E_CHECK, "messages are not supported");
        return false;
    }
}


void
cel_emit_unknown(cel_code_t *c, const cel_node_t *node, uint32_t n)
{
    bool         call;
    cel_value_t  name;

    call = node->kind == CEL_N_CALL;
    name = cel_string(node->name, node->name_len);

    if (!c->env->limits.disable_check) {
        cel_code_fail(c, CEL_E_CHECK, call ? "undeclared function"
                                           : "undeclared reference");
        return;
    }

    if (cel_code_keep(c, &name, &name)) {
        cel_emit(c, CEL_OP_RAISE, call, cel_code_constant(c, &name),
                 1 - (int) n);
    }
}


static bool
cel_compile_const(cel_code_t *c, const cel_value_t *value, cel_value_t *v)
{
    if (!cel_code_keep(c, value, v)) {
        return false;
    }

    cel_emit_const(c, v);

    return true;
}


/* a.name, has(a.name) */

static bool
cel_compile_select(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    uint32_t           key;
    cel_value_t        name, operand;
    const cel_node_t  *target;

    target = node->target;
    name = cel_string(node->name, node->name_len);

    if (!cel_code_keep(c, &name, &name)) {
        return false;
    }

    if (node->optional) {
        cel_code_fail(c, CEL_E_CHECK,
                      "optional selection is not supported here");
        return false;
    }

    if (!node->test_only && target->ref == CEL_R_FACT) {
        cel_code_slot(c, target->slot);
        cel_emit(c, CEL_OP_FACT_SELECT, 0, target->slot, 1);
        cel_emit_arg(c, 0, cel_code_constant(c, &name));
        return false;
    }

    if (!node->test_only && target->ref == CEL_R_LOCAL
        && target->local <= UINT16_MAX)
    {
        key = cel_code_constant(c, &name);
        cel_emit(c, CEL_OP_LOCAL_SELECT, target->local, key, 1);
        return false;
    }

    cel_compile_node(c, target, &operand);

    key = cel_code_constant(c, &name);
    cel_emit(c, node->test_only ? CEL_OP_HAS : CEL_OP_SELECT, 0, key, 0);

    return false;
}


/* [a, b], {a: b} */

static bool
cel_compile_items(cel_code_t *c, const cel_node_t *node, cel_value_t *v)
{
    bool          constant;
    uint32_t      i, n;
    cel_mark_t    mark;
    cel_value_t  *values;

    n = node->nitems;
    constant = true;

    cel_code_mark(c, &mark);

    values = cel_arena_alloc(c->arena, n * sizeof(cel_value_t));
    if (values == NULL) {
        cel_code_no_memory(c);
        return false;
    }

    for (i = 0; i < n; i++) {
        if (!cel_compile_node(c, node->items[i], &values[i])) {
            values[i] = cel_make(CEL_ERROR_VALUE);
            constant = false;
        }

        /* what an optional entry will have is not known */

        if (i % 2 == 1 && node->item_flags != NULL && node->item_flags[i]) {
            values[i] = cel_make(CEL_ERROR_VALUE);
        }

        if (node == c->ast->root && node->kind == CEL_N_MAP) {
            cel_compile_entry(c, node, i, &values[i]);
        }
    }

    if (c->failed) {
        return false;
    }

    if (node->item_flags != NULL) {
        cel_compile_optionals(c, node);
        return false;
    }

    if (constant && cel_compile_literal(c, node, values, v)) {
        cel_code_rewind(c, &mark);
        cel_emit_const(c, v);
        return true;
    }

    if (node->kind == CEL_N_LIST) {
        cel_emit(c, CEL_OP_LIST, 0, n, 1 - (int) n);

    } else {
        cel_emit(c, CEL_OP_MAP, 0, n / 2, 1 - (int) n);
    }

    return false;
}


/* False when making it fails: that is for run time then. */

static bool
cel_compile_literal(cel_code_t *c, const cel_node_t *node,
    const cel_value_t *values, cel_value_t *v)
{
    uint32_t            i, n;
    cel_value_t        *kept;
    cel_status_t        rc;
    const cel_value_t  *duplicate;

    n = node->nitems;
    kept = cel_program_alloc(c, n * sizeof(cel_value_t));

    if (kept == NULL) {
        return false;
    }

    memcpy(kept, values, n * sizeof(cel_value_t));

    if (node->kind == CEL_N_LIST) {
        return cel_list(&c->program->arena, kept, n, v) == CEL_OK;
    }

    for (i = 0; i < n; i += 2) {
        if (!cel_is_key(&kept[i])) {
            return false;
        }
    }

    rc = cel_map_build(&c->program->arena, kept, n / 2, v, &duplicate);

    return rc == CEL_OK && duplicate == NULL;
}


/* [?a, b], {?a: b} */

static void
cel_compile_optionals(cel_code_t *c, const cel_node_t *node)
{
    uint32_t     n;
    cel_value_t  flags;

    n = node->nitems;
    flags = cel_bytes((const char *) node->item_flags, n);

    if (!cel_code_keep(c, &flags, &flags)) {
        return;
    }

    if (node->kind == CEL_N_LIST) {
        cel_emit(c, CEL_OP_LIST_OPT, 0, n, 1 - (int) n);

    } else {
        cel_emit(c, CEL_OP_MAP_OPT, 0, n / 2, 1 - (int) n);
    }

    cel_emit_arg(c, 0, cel_code_constant(c, &flags));
}


/* The literal map that is the whole expression is told about. */

static void
cel_compile_entry(cel_code_t *c, const cel_node_t *node, uint32_t i,
    const cel_value_t *v)
{
    cel_program_t        *program;
    cel_literal_entry_t  *entry;

    program = c->program;

    if (c->failed) {
        return;
    }

    if (program->entries == NULL) {
        program->entries = cel_program_alloc(c, node->nitems / 2
                                             * sizeof(cel_literal_entry_t));
        if (program->entries == NULL) {
            return;
        }
    }

    entry = &program->entries[i / 2];

    if (i % 2 == 0) {
        entry->key = *v;
        entry->offset = node->items[i]->offset;
        cel_compile_entry_place(c->ast, entry, i != 0 ? entry - 1 : NULL);
        return;
    }

    entry->value = *v;
    entry->type = cel_program_keep_type(c, node->items[i]->type);
    entry->keys = NULL;
    entry->nkeys = 0;

    if (node->items[i]->kind == CEL_N_MAP && node->items[i]->nitems != 0) {
        cel_compile_entry_keys(c, node->items[i], entry);
    }

    program->nentries = i / 2 + 1;
}


/* Entries stand in order: a place is counted from the one before. */

static void
cel_compile_entry_place(const cel_ast_t *ast, cel_literal_entry_t *entry,
    const cel_literal_entry_t *before)
{
    uint32_t  from;

    from = before != NULL ? before->offset : 0;

    cel_position(ast->source + from, ast->len - from, entry->offset - from,
                 &entry->line, &entry->column);

    if (before == NULL) {
        return;
    }

    if (entry->line == 1) {
        entry->column += before->column - 1;
    }

    entry->line += before->line - 1;
}


static void
cel_compile_entry_keys(cel_code_t *c, const cel_node_t *map,
    cel_literal_entry_t *entry)
{
    uint32_t           i;
    cel_value_t       *keys;
    const cel_node_t  *key;

    keys = cel_program_alloc(c, map->nitems / 2 * sizeof(cel_value_t));
    if (keys == NULL) {
        return;
    }

    entry->keys = keys;

    for (i = 0; i < map->nitems; i += 2) {
        key = map->items[i];

        if (key->kind != CEL_N_CONST
            || (map->item_flags != NULL
                && (map->item_flags[i] || map->item_flags[i + 1])))
        {
            continue;
        }

        if (!cel_code_keep(c, &key->value, &keys[entry->nkeys])) {
            return;
        }

        entry->nkeys++;
    }
}
