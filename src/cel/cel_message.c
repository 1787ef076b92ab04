
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_message.c - literals of the well-known message types, which are plain
 * values: google.protobuf.Int32Value{value: 1} is an int.  The checker makes
 * each a call of a function of its own, cel_lib_message.c, with the fields as
 * arguments.  Other messages are not known.
 */


#include "cel_check.h"

#include <string.h>


#define CEL_MESSAGE_FIELDS  2


typedef struct {
    const char           *name;
    cel_kind_t            absent;        /* the kind of a field left out */
} cel_message_field_t;


/* a message of which one field may be set at most has a row for each */

typedef struct {
    const char           *name;
    const char           *function;
    cel_message_field_t   fields[CEL_MESSAGE_FIELDS];
} cel_message_t;


static bool cel_message_is_known(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len);
static const cel_message_t *cel_message_lookup(cel_checker_t *checker,
    const cel_node_t *node);
static void cel_message_unknown(cel_checker_t *checker,
    const cel_node_t *node);
static bool cel_message_has(const cel_message_t *message,
    const cel_value_t *field);
static cel_node_t *cel_message_argument(cel_checker_t *checker,
    cel_node_t *node, const cel_message_field_t *field);
static cel_node_t *cel_message_absent(cel_checker_t *checker,
    const cel_node_t *node, cel_kind_t kind);
static cel_node_t *cel_message_or(cel_checker_t *checker, cel_node_t *value,
    cel_node_t *absent);


#define CEL_MESSAGE(name)         "google.protobuf." name
#define CEL_MESSAGE_OF(name, field, kind)                                     \
    { CEL_MESSAGE(name), CEL_MESSAGE(name) "{}",                              \
      { { field, kind }, { NULL, CEL_NULL } } }
#define CEL_MESSAGE_TIME(name)                                                \
    { CEL_MESSAGE(name), CEL_MESSAGE(name) "{}",                              \
      { { "seconds", CEL_INT }, { "nanos", CEL_INT } } }
#define CEL_MESSAGE_ANY                                                       \
    { CEL_MESSAGE("Any"), CEL_MESSAGE("Any") "{}",                            \
      { { "type_url", CEL_STRING }, { "value", CEL_BYTES } } }
#define CEL_MESSAGE_VALUE(field)                                              \
    { CEL_MESSAGE("Value"), CEL_MESSAGE("Value") "{" field "}",               \
      { { field, CEL_NULL }, { NULL, CEL_NULL } } }


static const cel_message_t  cel_messages[] = {
    CEL_MESSAGE_OF("BoolValue", "value", CEL_BOOL),
    CEL_MESSAGE_OF("Int32Value", "value", CEL_INT),
    CEL_MESSAGE_OF("Int64Value", "value", CEL_INT),
    CEL_MESSAGE_OF("UInt32Value", "value", CEL_UINT),
    CEL_MESSAGE_OF("UInt64Value", "value", CEL_UINT),
    CEL_MESSAGE_OF("FloatValue", "value", CEL_DOUBLE),
    CEL_MESSAGE_OF("DoubleValue", "value", CEL_DOUBLE),
    CEL_MESSAGE_OF("StringValue", "value", CEL_STRING),
    CEL_MESSAGE_OF("BytesValue", "value", CEL_BYTES),
    CEL_MESSAGE_OF("Struct", "fields", CEL_MAP),
    CEL_MESSAGE_OF("ListValue", "values", CEL_LIST),
    CEL_MESSAGE_TIME("Timestamp"),
    CEL_MESSAGE_TIME("Duration"),
    CEL_MESSAGE_ANY,
    CEL_MESSAGE_VALUE("null_value"),
    CEL_MESSAGE_VALUE("number_value"),
    CEL_MESSAGE_VALUE("string_value"),
    CEL_MESSAGE_VALUE("bool_value"),
    CEL_MESSAGE_VALUE("struct_value"),
    CEL_MESSAGE_VALUE("list_value"),
    { NULL, NULL, { { NULL, CEL_NULL }, { NULL, CEL_NULL } } }
};


/* name{field: value, ...} */

void
cel_check_message(cel_checker_t *checker, cel_node_t *node)
{
    uint32_t              n;
    cel_node_t          **items;
    const cel_message_t  *message;

    message = cel_message_lookup(checker, node);
    if (message == NULL) {
        return;
    }

    items = cel_arena_alloc(checker->ast->arena,
                            CEL_MESSAGE_FIELDS * sizeof(cel_node_t *));
    if (items == NULL) {
        checker->memory = true;
        return;
    }

    for (n = 0; n < CEL_MESSAGE_FIELDS && message->fields[n].name != NULL;
         n++)
    {
        items[n] = cel_message_argument(checker, node, &message->fields[n]);
        if (items[n] == NULL) {
            return;
        }
    }

    node->kind = CEL_N_CALL;
    node->name = message->function;
    node->name_len = strlen(message->function);
    node->items = items;
    node->nitems = n;
    node->item_flags = NULL;

    cel_check_call(checker, node);
}


/* NULL after an error, else all fields of the literal are the message's */

static const cel_message_t *
cel_message_lookup(cel_checker_t *checker, const cel_node_t *node)
{
    uint32_t              i;
    cel_node_t            found;
    const cel_value_t    *field;
    const cel_message_t  *message;

    found.name = NULL;

    if (!cel_resolve_with(checker, &found, node->name, node->name_len,
                          cel_message_is_known))
    {
        cel_message_unknown(checker, node);
        return NULL;
    }

    for (message = cel_messages;
         strcmp(message->name, found.name) != 0;
         message++)
    {
        /* void */
    }

    for (i = 0; i < node->nitems; i += 2) {
        field = &node->items[i]->value;

        while (message->name != NULL && strcmp(message->name, found.name) == 0
               && !cel_message_has(message, field) && i == 0)
        {
            message++;
        }

        if (message->name == NULL || strcmp(message->name, found.name) != 0
            || !cel_message_has(message, field))
        {
            cel_issue(checker->issues, CEL_E_CHECK, checker->ast,
                      node->items[i]->offset, i == 0
                      ? "undefined field '%.*s' of %s"
                      : "field '%.*s' of %s is undefined, or cannot be set "
                        "beside the others",
                      (int) field->len, field->s, found.name);
            return NULL;
        }
    }

    return message;
}


static bool
cel_message_is_known(cel_checker_t *checker, cel_node_t *node,
    const char *name, size_t len)
{
    uint32_t  i;

    for (i = 0; cel_messages[i].name != NULL; i++) {
        if (strlen(cel_messages[i].name) == len
            && memcmp(cel_messages[i].name, name, len) == 0)
        {
            node->name = cel_messages[i].name;
            return true;
        }
    }

    return false;
}


static void
cel_message_unknown(cel_checker_t *checker, const cel_node_t *node)
{
    uint32_t  i;

    cel_issue(checker->issues, CEL_E_CHECK, checker->ast, node->offset,
              "undeclared reference to '%s' (in container '%s'): no message "
              "type has this name", node->name,
              checker->env->limits.container != NULL
              ? checker->env->limits.container : "");

    for (i = 1; i < node->nitems; i += 2) {
        cel_check_node(checker, node->items[i]);
    }
}


static bool
cel_message_has(const cel_message_t *message, const cel_value_t *field)
{
    uint32_t     i;
    const char  *name;

    for (i = 0; i < CEL_MESSAGE_FIELDS; i++) {
        name = message->fields[i].name;

        if (name != NULL && strlen(name) == field->len
            && memcmp(name, field->s, field->len) == 0)
        {
            return true;
        }
    }

    return false;
}


/* the value of a field in the literal, or what it is without; NULL: error */

static cel_node_t *
cel_message_argument(cel_checker_t *checker, cel_node_t *node,
    const cel_message_field_t *field)
{
    uint32_t            i;
    cel_node_t         *value;
    const cel_value_t  *name;

    value = NULL;

    for (i = 0; i < node->nitems; i += 2) {
        name = &node->items[i]->value;

        if (strlen(field->name) != name->len
            || memcmp(field->name, name->s, name->len) != 0)
        {
            continue;
        }

        if (value != NULL) {
            cel_issue(checker->issues, CEL_E_CHECK, checker->ast,
                      node->items[i]->offset, "field '%s' is set twice",
                      field->name);
            return NULL;
        }

        value = node->items[i + 1];

        if (node->item_flags != NULL && node->item_flags[i]) {
            value = cel_message_or(checker, value,
                                   cel_message_absent(checker, node,
                                                      field->absent));
            if (value == NULL) {
                return NULL;
            }
        }
    }

    return value != NULL ? value
                         : cel_message_absent(checker, node, field->absent);
}


static cel_node_t *
cel_message_absent(cel_checker_t *checker, const cel_node_t *node,
    cel_kind_t kind)
{
    cel_node_t  *absent;

    absent = cel_arena_alloc(checker->ast->arena, sizeof(cel_node_t));
    if (absent == NULL) {
        checker->memory = true;
        return NULL;
    }

    memset(absent, 0, sizeof(cel_node_t));

    absent->kind = kind == CEL_LIST ? CEL_N_LIST
                   : kind == CEL_MAP ? CEL_N_MAP : CEL_N_CONST;
    absent->offset = node->offset;
    absent->height = 1;

    if (kind == CEL_STRING || kind == CEL_BYTES) {
        absent->value = kind == CEL_STRING ? cel_string("", 0)
                                           : cel_bytes("", 0);
        return absent;
    }

    absent->value.kind = kind;

    return absent;
}


/* ?field: value */

static cel_node_t *
cel_message_or(cel_checker_t *checker, cel_node_t *value, cel_node_t *absent)
{
    cel_node_t  *node, **items;

    node = cel_arena_alloc(checker->ast->arena, sizeof(cel_node_t));
    items = cel_arena_alloc(checker->ast->arena, sizeof(cel_node_t *));

    if (node == NULL || items == NULL || absent == NULL) {
        checker->memory = true;
        return NULL;
    }

    memset(node, 0, sizeof(cel_node_t));

    items[0] = absent;

    node->kind = CEL_N_CALL;
    node->offset = value->offset;
    node->height = value->height;
    node->name = "orValue";
    node->name_len = 7;
    node->target = value;
    node->items = items;
    node->nitems = 1;

    return node;
}
