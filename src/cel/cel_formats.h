
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_formats.h - what is wrong in a text of a named format; private to
 * cel_lib_formats.c and cel_formats.c.
 */


#ifndef CEL_FORMATS_H_INCLUDED
#define CEL_FORMATS_H_INCLUDED


#include "cel_runtime.h"


/* Adds a text for each thing that is wrong: CEL_OK, or CEL_ERROR filled. */
typedef cel_status_t (*cel_formats_pt)(cel_eval_t *eval, const char *s,
    size_t len, cel_builder_t *messages);

#define CEL_FORMATS_CHECK(name)                                               \
    cel_status_t name(cel_eval_t *eval, const char *s, size_t len,            \
        cel_builder_t *messages)


CEL_FORMATS_CHECK(cel_formats_label);
CEL_FORMATS_CHECK(cel_formats_label_1035);
CEL_FORMATS_CHECK(cel_formats_subdomain);
CEL_FORMATS_CHECK(cel_formats_qualified);
CEL_FORMATS_CHECK(cel_formats_value);
CEL_FORMATS_CHECK(cel_formats_uri);
CEL_FORMATS_CHECK(cel_formats_uuid);
CEL_FORMATS_CHECK(cel_formats_byte);
CEL_FORMATS_CHECK(cel_formats_date);
CEL_FORMATS_CHECK(cel_formats_datetime);


#endif /* CEL_FORMATS_H_INCLUDED */
