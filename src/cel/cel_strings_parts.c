
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_strings_parts.c - split(), join() and replace() of the `strings`
 * extension.  The pieces of a split borrow from the text.
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE    /* memmem() */
#endif

#include "cel_strings.h"
#include "cel_text.h"


const char *
cel_strings_find(const char *s, size_t len, const cel_value_t *part)
{
    if (part->len == 1) {
        return memchr(s, part->s[0], len);
    }

    return memmem(s, len, part->s, part->len);
}


/* An empty separator splits into code points; limit -1 = all. */

CEL_STRINGS(cel_split)
{
    size_t              len;
    int64_t             limit;
    cel_value_t         piece;
    const char         *s, *found;
    cel_builder_t       pieces;
    const cel_value_t  *separator;

    s = args[0].s;
    len = args[0].len;
    separator = &args[1];
    limit = n == 3 ? args[2].i : -1;

    pieces.values = NULL;
    pieces.count = 0;
    pieces.room = 0;

    if (limit == 0 || (len == 0 && separator->len == 0)) {
        return cel_wrap_list(eval, NULL, 0, out);
    }

    while (limit < 0 || (int64_t) pieces.count + 1 < limit) {

        if (separator->len == 0) {
            found = s + cel_utf8_offset(s, len, 1);
            found = found == s + len ? NULL : found;

        } else {
            found = cel_strings_find(s, len, separator);
        }

        if (found == NULL) {
            break;
        }

        piece = cel_string(s, (size_t) (found - s));

        if (cel_builder_add(&pieces, eval, &piece) != CEL_OK
            || cel_step(eval, pieces.count) != CEL_OK)
        {
            return CEL_ERROR;
        }

        len -= (size_t) (found - s) + separator->len;
        s = found + separator->len;
    }

    piece = cel_string(s, len);

    if (cel_builder_add(&pieces, eval, &piece) != CEL_OK) {
        return CEL_ERROR;
    }

    return cel_wrap_list(eval, pieces.values, pieces.count, out);
}


CEL_STRINGS(cel_join)
{
    cel_iter_t    iter;
    cel_text_t    text;
    cel_value_t   v;
    cel_status_t  rc;

    cel_text_init(&text, eval);
    cel_iter_init(&iter, &args[0]);

    while (iter.i < iter.n) {

        if (n == 2 && iter.i != 0) {
            cel_text_add(&text, args[1].s, args[1].len);
        }

        rc = cel_iter_next(&iter, eval, NULL, &v);
        if (rc != CEL_OK) {
            return rc;
        }

        if (v.kind != CEL_STRING) {
            return cel_fail_overload(eval);
        }

        cel_text_add(&text, v.s, v.len);

        if (text.status != CEL_OK || cel_step(eval, iter.i) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    return cel_text_done(&text, out);
}


/* An empty old text is found before each code point and at the end. */

CEL_STRINGS(cel_replace)
{
    size_t              len, skip;
    int64_t             limit;
    uint32_t            steps;
    cel_text_t          text;
    const char         *s, *found;
    const cel_value_t  *old;

    s = args[0].s;
    len = args[0].len;
    old = &args[1];
    limit = n == 4 ? args[3].i : -1;
    steps = 0;

    cel_text_init(&text, eval);
    text.paid = true;

    while (limit != 0 && text.status == CEL_OK) {
        found = old->len == 0 ? s : cel_strings_find(s, len, old);

        if (found == NULL) {
            break;
        }

        cel_text_add(&text, s, (size_t) (found - s));
        cel_text_add(&text, args[2].s, args[2].len);

        if (cel_step(eval, ++steps) != CEL_OK) {
            return CEL_ERROR;
        }

        len -= (size_t) (found - s) + old->len;
        s = found + old->len;
        limit -= limit > 0;

        if (old->len == 0) {
            if (len == 0) {
                break;
            }

            skip = cel_utf8_offset(s, len, 1);
            cel_text_add(&text, s, skip);
            s += skip;
            len -= skip;
        }
    }

    cel_text_add(&text, s, len);

    return cel_text_done(&text, out);
}
