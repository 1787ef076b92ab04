
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_check_aggregate.c - literals of lists and maps: the type that all items
 * have, dyn when they have several.
 */


#include "cel_check.h"


static const cel_type_t *cel_check_item(cel_checker_t *checker,
    cel_node_t *node, uint32_t i);
static void cel_check_map_key(cel_checker_t *checker, const cel_node_t *key);


void
cel_check_list(cel_checker_t *checker, cel_node_t *node)
{
    uint32_t           i;
    const cel_type_t  *type, *item;

    type = NULL;

    for (i = 0; i < node->nitems; i++) {
        item = cel_check_item(checker, node, i);
        if (item == NULL) {
            return;
        }

        type = cel_unify_join(checker, type, item);
    }

    if (type == NULL) {
        type = checker->lenient ? &cel_t_dyn : cel_unify_fresh(checker);
        if (type == NULL) {
            return;
        }
    }

    cel_check_set_type(checker, node,
                       cel_type_make(checker->ast->arena, CEL_T_LIST, NULL,
                                     type, NULL));
}


void
cel_check_map(cel_checker_t *checker, cel_node_t *node)
{
    uint32_t           i, n;
    const cel_type_t  *types[2], *item;

    types[0] = NULL;
    types[1] = NULL;

    for (i = 0; i < node->nitems; i++) {
        item = cel_check_item(checker, node, i);
        if (item == NULL) {
            return;
        }

        if (i % 2 == 0) {
            cel_check_map_key(checker, node->items[i]);
        }

        types[i % 2] = cel_unify_join(checker, types[i % 2], item);
    }

    for (n = 0; n < 2; n++) {
        if (types[n] == NULL) {
            types[n] = checker->lenient ? &cel_t_dyn
                                        : cel_unify_fresh(checker);
            if (types[n] == NULL) {
                return;
            }
        }
    }

    cel_check_set_type(checker, node,
                       cel_type_make(checker->ast->arena, CEL_T_MAP, NULL,
                                     types[0], types[1]));
}


/* the type an item adds, what is inside for an optional one; NULL: memory */

static const cel_type_t *
cel_check_item(cel_checker_t *checker, cel_node_t *node, uint32_t i)
{
    char               text[80];
    cel_node_t        *item;
    const cel_type_t  *type;

    item = node->items[i];

    cel_check_node(checker, item);

    type = cel_unify_substitute(checker, item->type, false);

    if (type == NULL || node->item_flags == NULL || node->item_flags[i] == 0
        || (node->kind == CEL_N_MAP && i % 2 == 0))
    {
        return type;
    }

    if (type->kind == CEL_T_OPTIONAL) {
        return type->params[0];
    }

    if (!cel_type_is_dyn(type)) {
        cel_type_format(type, text, sizeof(text));
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, item->offset,
                  "expected type 'optional_type(%s)' but found '%s'", text,
                  text);
    }

    return &cel_t_dyn;
}


static void
cel_check_map_key(cel_checker_t *checker, const cel_node_t *key)
{
    char  text[80];

    switch (key->type->kind) {

    case CEL_T_ERROR:
    case CEL_T_DYN:
    case CEL_T_PARAM:
    case CEL_T_BOOL:
    case CEL_T_INT:
    case CEL_T_UINT:
    case CEL_T_STRING:
    case CEL_T_WRAPPER:
        return;

    default:
        cel_type_format(key->type, text, sizeof(text));
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, key->offset,
                  "unsupported key type '%s' (must be string, int, uint or "
                  "bool)", text);
    }
}
