
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_check_fold.c - comprehensions: the types of their variables, of the
 * condition and of the step.
 */


#include "cel_check.h"


static void cel_check_range(cel_checker_t *checker, const cel_fold_t *fold,
    cel_local_t *var, cel_local_t *var2);
static void cel_check_loop(cel_checker_t *checker, cel_fold_t *fold,
    const cel_type_t *accu);
static uint32_t cel_check_push(cel_checker_t *checker, cel_local_t *local,
    const char *name, const cel_type_t *type);
static void cel_check_expect(cel_checker_t *checker, const cel_node_t *node,
    const cel_type_t *type);


void
cel_check_fold(cel_checker_t *checker, cel_node_t *node)
{
    cel_fold_t        *fold;
    cel_local_t        accu, var, var2;
    const cel_type_t  *type;

    fold = node->fold;

    cel_check_node(checker, fold->range);
    cel_check_node(checker, fold->init);
    cel_check_range(checker, fold, &var, &var2);

    if (checker->memory) {
        return;
    }

    type = checker->lenient ? &cel_t_dyn : fold->init->type;

    /* the fields of var and var2 that are set so far are their types */

    fold->accu_local = cel_check_push(checker, &accu, fold->accu, type);
    fold->var_local = cel_check_push(checker, &var, fold->var, var.type);

    if (fold->var2 != NULL) {
        fold->var2_local = cel_check_push(checker, &var2, fold->var2,
                                          var2.type);
    }

    cel_check_loop(checker, fold, type);

    checker->locals = &accu;
    cel_check_node(checker, fold->result);
    checker->locals = accu.next;

    cel_check_set_type(checker, node,
                       cel_unify_substitute(checker, fold->result->type,
                                            false));
}


/* the types of the variables of a loop over the range */

static void
cel_check_range(cel_checker_t *checker, const cel_fold_t *fold,
    cel_local_t *var, cel_local_t *var2)
{
    char               text[80];
    const cel_type_t  *type;

    var->type = &cel_t_dyn;
    var2->type = &cel_t_dyn;

    type = cel_unify_substitute(checker, fold->range->type, false);
    if (type == NULL) {
        return;
    }

    switch (type->kind) {

    case CEL_T_LIST:
        var->type = fold->var2 != NULL ? &cel_t_int : type->params[0];
        var2->type = type->params[0];
        break;

    case CEL_T_MAP:
        var->type = type->params[0];
        var2->type = type->params[1];
        break;

    case CEL_T_PARAM:
        cel_unify_assignable(checker, &cel_t_dyn, type);
        break;

    case CEL_T_DYN:
        break;

    case CEL_T_ERROR:
        var->type = &cel_t_error;
        var2->type = &cel_t_error;
        break;

    default:
        cel_type_format(type, text, sizeof(text));
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast,
                  fold->range->offset, "expression of type '%s' cannot be "
                  "range of a comprehension (must be list, map, or dynamic)",
                  text);
        var->type = &cel_t_error;
        var2->type = &cel_t_error;
    }
}


static void
cel_check_loop(cel_checker_t *checker, cel_fold_t *fold,
    const cel_type_t *accu)
{
    cel_check_node(checker, fold->cond);
    cel_check_expect(checker, fold->cond, &cel_t_bool);

    cel_check_node(checker, fold->step);
    cel_check_expect(checker, fold->step, accu);
}


/* gives the variable's number, see CEL_R_LOCAL */

static uint32_t
cel_check_push(cel_checker_t *checker, cel_local_t *local, const char *name,
    const cel_type_t *type)
{
    local->next = checker->locals;
    local->name = name;
    local->number = checker->ast->nlocals++;
    local->type = type;

    checker->locals = local;

    return local->number;
}


static void
cel_check_expect(cel_checker_t *checker, const cel_node_t *node,
    const cel_type_t *type)
{
    char               found[80], expected[80];
    const cel_type_t  *known;

    if (checker->memory || cel_unify_assignable(checker, node->type, type)) {
        return;
    }

    known = cel_unify_substitute(checker, node->type, true);
    cel_type_format(known != NULL ? known : &cel_t_dyn, found, sizeof(found));

    known = cel_unify_substitute(checker, type, true);
    cel_type_format(known != NULL ? known : &cel_t_dyn, expected,
                    sizeof(expected));

    cel_issue(checker->issues, CEL_E_CHECK, checker->ast, node->offset,
              "expected type '%s' but found '%s'", expected, found);
}
