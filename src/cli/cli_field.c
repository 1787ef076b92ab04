
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Fields of messages in protobuf's JSON mapping: by the name in JSON or the
 * one in the .proto file, a null being a field that is not set; numbers of
 * enums, and integers written as decimals.
 */


#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cli_jsonl.h"


#define FIELD_NAME_MAX  64


bool
cli_field_is(const char *key, const char *name)
{
    if (strcmp(key, name) == 0) {
        return true;
    }

    for ( ; *name != '\0'; name++) {

        if (isupper((unsigned char) *name) && *key++ != '_') {
            return false;
        }

        if (*key++ != tolower((unsigned char) *name)) {
            return false;
        }
    }

    return *key == '\0';
}


json_t *
cli_field(const json_t *message, const char *name)
{
    char        *p, proto[FIELD_NAME_MAX];
    json_t      *field;
    const char  *c;

    field = json_object_get(message, name);

    if (field == NULL) {
        p = proto;

        for (c = name; *c != '\0' && p < proto + sizeof(proto) - 2; c++) {
            if (isupper((unsigned char) *c)) {
                *p++ = '_';
            }

            *p++ = tolower((unsigned char) *c);
        }

        *p = '\0';
        field = json_object_get(message, proto);
    }

    return json_is_null(field) ? NULL : field;
}


bool
cli_integer(const char *text, double *value)
{
    char  *end;

    if (strspn(text, "0123456789+-.eE") != strlen(text)) {
        return false;
    }

    *value = strtod(text, &end);

    return end != text && *end == '\0' && rint(*value) == *value
           && fabs(*value) < 0x1p53;
}
