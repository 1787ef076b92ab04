
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_url.h - absolute URIs and absolute paths as text and as parts; private
 * to cel_lib_url.c, cel_formats.c and cel_url.c.
 */


#ifndef CEL_URL_H_INCLUDED
#define CEL_URL_H_INCLUDED


#include "cel_text.h"


/* A part of the text that was parsed, as it is there; s NULL: not there. */

typedef struct {
    const char          *s;
    size_t               len;
} cel_url_part_t;

typedef struct {
    cel_url_part_t       scheme;
    cel_url_part_t       opaque;           /* mailto:this, no other parts */
    cel_url_part_t       user;
    cel_url_part_t       host;             /* and the port */
    cel_url_part_t       path;
    cel_url_part_t       query;            /* after the first ? */
    cel_url_part_t       fragment;
} cel_url_t;


/* Where a byte stands decides whether it is written as %XX. */

typedef enum {
    CEL_URL_PATH,
    CEL_URL_USER,
    CEL_URL_HOST,
    CEL_URL_QUERY,
    CEL_URL_FRAGMENT
} cel_url_place_t;


/*
 * As the URI of an HTTP request is read, and a fragment besides.  NULL, or
 * why it is none.  Every % of the parts starts an escape.
 */
const char *cel_url_parse(const char *s, size_t len, cel_url_t *url);

/* Appends the part as it is written best: escaped only where it must be. */
void cel_url_put(cel_text_t *text, const cel_url_part_t *part,
    cel_url_place_t place);

/*
 * Appends the part without escapes; a plus sign is a space in a query.  False
 * when an escape is none.
 */
bool cel_url_put_plain(cel_text_t *text, const cel_url_part_t *part,
    cel_url_place_t place);


#endif /* CEL_URL_H_INCLUDED */
