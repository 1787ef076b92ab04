
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_regex.c - the `regex` extension, extract, extractAll and replace,
 * and find and findAll of Kubernetes: the parts of a text that match.
 */


#include "cel_regex.h"
#include "cel_text.h"


#define CEL_REGEX_READY  8

/* one search, and one for what its group holds */
#define CEL_FIND(per, sized)                                                  \
    per, 0, sized, CEL_CHARGE_AT_MOST, CEL_RESULT_ELEMENT
#define CEL_EXTRACT(per, sized)                                               \
    2 * per, 0, sized, CEL_CHARGE_AT_MOST, CEL_RESULT_SAME

/* a search after each match; what groups hold is in its bound */
#define CEL_ALL(per, sized)                                                   \
    per, 0, sized, CEL_CHARGE_MATCHES, CEL_RESULT_ARGS
#define CEL_REPLACE(per, sized)                                               \
    per, 0, sized | 4, CEL_CHARGE_MATCHES, CEL_RESULT_PRODUCT


/* A text and the place in it from which on the next match is looked for. */

typedef struct {
    cel_eval_t          *eval;
    const cel_re2_t     *re;
    uint64_t             units;            /* that a byte costs */
    const char          *text;
    size_t               len;
    size_t               from;
    size_t               last;             /* the end of the last match */
    bool                 done;
    cel_re2_span_t       spans[CEL_RE2_GROUPS + 1];
} cel_search_t;


#define CEL_REGEX_CALL(name)                                                  \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)

typedef cel_status_t (*cel_regex_pt)(cel_search_t *search,
    const cel_value_t *args, uint32_t n, cel_value_t *out);


CEL_REGEX_CALL(cel_regex_find);
CEL_REGEX_CALL(cel_regex_find_all);
CEL_REGEX_CALL(cel_regex_extract);
CEL_REGEX_CALL(cel_regex_extract_all);
CEL_REGEX_CALL(cel_regex_replace);
static cel_status_t cel_regex_run(cel_eval_t *eval, const cel_value_t *args,
    uint32_t n, cel_regex_pt run, cel_value_t *out);
static cel_status_t cel_search_next(cel_search_t *search);
static cel_status_t cel_search_from(cel_search_t *search);
static cel_status_t cel_search_groups(cel_search_t *search, uint32_t n);
static cel_status_t cel_search_one_group(cel_search_t *search,
    const cel_value_t *pattern);
static cel_status_t cel_search_find(cel_search_t *search,
    const cel_value_t *args, uint32_t n, cel_value_t *out);
static cel_status_t cel_search_find_all(cel_search_t *search,
    const cel_value_t *args, uint32_t n, cel_value_t *out);
static cel_status_t cel_search_extract(cel_search_t *search,
    const cel_value_t *args, uint32_t n, cel_value_t *out);
static cel_status_t cel_search_extract_all(cel_search_t *search,
    const cel_value_t *args, uint32_t n, cel_value_t *out);
static cel_status_t cel_search_replace(cel_search_t *search,
    const cel_value_t *args, uint32_t n, cel_value_t *out);
static cel_status_t cel_regex_expand(cel_search_t *search, cel_text_t *text,
    const cel_value_t *replacement);
static cel_status_t cel_regex_refuse(cel_eval_t *eval,
    const cel_value_t *replacement, const char *why);


#define CEL_REGEX_OVERLOAD(name, id, signature, call, charge)                 \
    { name, id, signature, call,                                              \
      { CEL_REGEX_COMPILE, charge(CEL_REGEX_ANY_PER, 3) },                    \
      cel_prepare_regex, { CEL_REGEX_READY, charge(CEL_REGEX_PER, 1) }, 1,    \
      cel_weigh_regex }


const cel_overload_spec_t  cel_lib_regex[] = {

    CEL_REGEX_OVERLOAD("regex.extract", "regex_extract_string_string",
                       "(string, string): optional_type(string)",
                       cel_regex_extract, CEL_EXTRACT),
    CEL_REGEX_OVERLOAD("regex.extractAll", "regex_extractAll_string_string",
                       "(string, string): list(string)",
                       cel_regex_extract_all, CEL_ALL),
    CEL_REGEX_OVERLOAD("regex.replace", "regex_replace_string_string_string",
                       "(string, string, string): string",
                       cel_regex_replace, CEL_REPLACE),
    CEL_REGEX_OVERLOAD("regex.replace",
                       "regex_replace_string_string_string_int",
                       "(string, string, string, int): string",
                       cel_regex_replace, CEL_REPLACE),

    CEL_REGEX_OVERLOAD("find", "string_find_string",
                       "string.(string): string", cel_regex_find, CEL_FIND),
    CEL_REGEX_OVERLOAD("findAll", "string_find_all_string",
                       "string.(string): list(string)",
                       cel_regex_find_all, CEL_ALL),
    CEL_REGEX_OVERLOAD("findAll", "string_find_all_string_int",
                       "string.(string, int): list(string)",
                       cel_regex_find_all, CEL_ALL),

    CEL_OVERLOADS_END
};


CEL_REGEX_CALL(cel_regex_find)
{
    return cel_regex_run(eval, args, n, cel_search_find, out);
}


CEL_REGEX_CALL(cel_regex_find_all)
{
    return cel_regex_run(eval, args, n, cel_search_find_all, out);
}


CEL_REGEX_CALL(cel_regex_extract)
{
    return cel_regex_run(eval, args, n, cel_search_extract, out);
}


CEL_REGEX_CALL(cel_regex_extract_all)
{
    return cel_regex_run(eval, args, n, cel_search_extract_all, out);
}


/* nothing to replace: the pattern is not even looked at */

CEL_REGEX_CALL(cel_regex_replace)
{
    if (n == 4 && args[3].i == 0) {
        *out = args[0];
        return CEL_OK;
    }

    return cel_regex_run(eval, args, n, cel_search_replace, out);
}


static cel_status_t
cel_regex_run(cel_eval_t *eval, const cel_value_t *args, uint32_t n,
    cel_regex_pt run, cel_value_t *out)
{
    cel_regex_t   regex;
    cel_search_t  search;
    cel_status_t  rc;

    if (cel_regex_charge(eval, &args[1]) != CEL_OK
        || cel_regex_take(eval, &args[1], &regex) != CEL_OK)
    {
        return CEL_ERROR;
    }

    search.eval = eval;
    search.re = regex.re;
    search.units = cel_regex_units(regex.re);
    search.text = args[0].len != 0 ? args[0].s : "";
    search.len = args[0].len;
    search.from = 0;
    search.last = SIZE_MAX;
    search.done = false;

    rc = run(&search, args, n, out);

    cel_regex_drop(eval, &regex);

    return rc;
}


/*
 * The next match, CEL_NOT_FOUND when there is none.  An empty one right after
 * another match does not count; the search goes on at the next character.
 */

static cel_status_t
cel_search_next(cel_search_t *search)
{
    size_t        from, end, start;
    cel_status_t  rc;

    while (!search->done) {
        from = search->from;

        if (cel_charge(search->eval, 1) != CEL_OK) {
            return CEL_ERROR;
        }

        rc = cel_search_from(search);
        if (rc != CEL_OK) {
            return rc;
        }

        start = (size_t) (search->spans[0].s - search->text);
        end = start + search->spans[0].len;

        if (end == from) {
            search->done = from == search->len;
            search->from += cel_utf8_offset(search->text + from,
                                            search->len - from, 1);

        } else {
            search->from = end;
        }

        if (end == from && start == search->last) {
            continue;
        }

        search->last = end;

        return CEL_OK;
    }

    return CEL_NOT_FOUND;
}


static cel_status_t
cel_search_from(cel_search_t *search)
{
    int     found;
    size_t  left;

    left = search->len - search->from;

    if (cel_charge(search->eval, search->units * left) != CEL_OK) {
        return CEL_ERROR;
    }

    found = cel_re2_find(search->re, search->text, search->len, search->from,
                         &search->spans[0]);

    if (found < 0) {
        return cel_fail_memory(search->eval);
    }

    return found ? CEL_OK : CEL_NOT_FOUND;
}


/* what the first n groups of the match hold */

static cel_status_t
cel_search_groups(cel_search_t *search, uint32_t n)
{
    int  found;

    if (cel_charge(search->eval, search->units * search->spans[0].len)
        != CEL_OK)
    {
        return CEL_ERROR;
    }

    /* RE2 keeps where it is for each instruction while it looks */

    if (cel_arena_charge(search->eval->arena, CEL_RE2_MEMORY) != CEL_OK) {
        return cel_fail_memory(search->eval);
    }

    found = cel_re2_capture(search->re, search->text, search->len,
                            search->spans, n);

    cel_arena_discharge(search->eval->arena, CEL_RE2_MEMORY);

    return found == 1 ? CEL_OK : cel_fail_memory(search->eval);
}


static cel_value_t
cel_search_value(const cel_search_t *search, uint32_t group)
{
    return cel_string(search->spans[group].s, search->spans[group].len);
}


/* '' when nothing matches */

static cel_status_t
cel_search_find(cel_search_t *search, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    cel_status_t  rc;

    rc = cel_search_from(search);

    *out = rc == CEL_OK ? cel_search_value(search, 0) : cel_string("", 0);

    return rc == CEL_NOT_FOUND ? CEL_OK : rc;
}


/* a limit below 0 is none */

static cel_status_t
cel_search_find_all(cel_search_t *search, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    int64_t        limit;
    cel_value_t    v;
    cel_status_t   rc;
    cel_builder_t  found;

    limit = n == 3 ? args[2].i : -1;
    rc = CEL_OK;

    memset(&found, 0, sizeof(cel_builder_t));

    while (rc == CEL_OK && (limit < 0 || found.count < limit)) {
        rc = cel_search_next(search);

        if (rc == CEL_OK) {
            v = cel_search_value(search, 0);
            rc = cel_builder_add(&found, search->eval, &v);
        }
    }

    if (rc == CEL_ERROR) {
        return rc;
    }

    return cel_wrap_list(search->eval, found.values, found.count, out);
}


static cel_status_t
cel_search_one_group(cel_search_t *search, const cel_value_t *pattern)
{
    char  text[CEL_MESSAGE_MAX / 2];

    if (cel_re2_groups(search->re) <= 1) {
        return CEL_OK;
    }

    cel_value_text(pattern, text, sizeof(text));

    return cel_eval_fail(search->eval, CEL_E_INVALID_ARGUMENT,
                         "regular expression has more than one capturing "
                         "group: \"%s\"", text);
}


/* the match, or what its group holds unless that is empty */

static cel_status_t
cel_search_extract(cel_search_t *search, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    uint32_t      group;
    cel_value_t   v;
    cel_status_t  rc;

    if (cel_search_one_group(search, &args[1]) != CEL_OK) {
        return CEL_ERROR;
    }

    group = cel_re2_groups(search->re);

    rc = cel_search_from(search);

    if (rc == CEL_OK && group != 0) {
        rc = cel_search_groups(search, group);

        if (rc == CEL_OK && search->spans[1].len == 0) {
            rc = CEL_NOT_FOUND;
        }
    }

    if (rc == CEL_OK) {
        v = cel_search_value(search, group);
        return cel_optional(search->eval, &v, out);
    }

    *out = cel_make(CEL_OPTIONAL);
    out->v = NULL;

    return rc == CEL_NOT_FOUND ? CEL_OK : rc;
}


static cel_status_t
cel_search_extract_all(cel_search_t *search, const cel_value_t *args,
    uint32_t n, cel_value_t *out)
{
    uint32_t       group;
    cel_value_t    v;
    cel_status_t   rc;
    cel_builder_t  found;

    if (cel_search_one_group(search, &args[1]) != CEL_OK) {
        return CEL_ERROR;
    }

    group = cel_re2_groups(search->re);

    memset(&found, 0, sizeof(cel_builder_t));

    for ( ;; ) {
        rc = cel_search_next(search);

        if (rc == CEL_OK && group != 0) {
            rc = cel_search_groups(search, group);
        }

        if (rc != CEL_OK) {
            break;
        }

        if (group != 0 && search->spans[1].len == 0) {
            continue;
        }

        v = cel_search_value(search, group);

        if (cel_builder_add(&found, search->eval, &v) != CEL_OK) {
            return CEL_ERROR;
        }
    }

    if (rc == CEL_ERROR) {
        return rc;
    }

    return cel_wrap_list(search->eval, found.values, found.count, out);
}


/* a count below 0 is none */

static cel_status_t
cel_search_replace(cel_search_t *search, const cel_value_t *args, uint32_t n,
    cel_value_t *out)
{
    size_t        copied;
    int64_t       left;
    cel_text_t    text;
    cel_status_t  rc;

    cel_text_init(&text, search->eval);

    copied = 0;
    left = n == 4 ? args[3].i : -1;

    while (left != 0) {
        rc = cel_search_next(search);

        if (rc == CEL_NOT_FOUND) {
            break;
        }

        if (rc != CEL_OK) {
            return rc;
        }

        cel_text_add(&text, search->text + copied,
                     (size_t) (search->spans[0].s - search->text) - copied);

        if (cel_regex_expand(search, &text, &args[2]) != CEL_OK
            || text.status != CEL_OK)
        {
            return CEL_ERROR;
        }

        copied = search->last;
        left -= left > 0;
    }

    cel_text_add(&text, search->text + copied, search->len - copied);

    return cel_text_done(&text, out);
}


/* \0 is the match, \1 its first group, \\ a backslash */

static cel_status_t
cel_regex_expand(cel_search_t *search, cel_text_t *text,
    const cel_value_t *replacement)
{
    unsigned     group, groups;
    const char  *p, *end, *start;

    p = replacement->s;
    end = p + replacement->len;
    groups = cel_re2_groups(search->re);

    if (replacement->len == 0) {
        return CEL_OK;
    }

    if (memchr(p, '\\', replacement->len) != NULL && groups != 0
        && cel_search_groups(search, groups) != CEL_OK)
    {
        return CEL_ERROR;
    }

    while (p < end) {
        start = p;
        p = memchr(p, '\\', (size_t) (end - p));

        if (p == NULL) {
            p = end;
        }

        cel_text_add(text, start, (size_t) (p - start));

        if (p == end) {
            break;
        }

        if (++p == end) {
            return cel_regex_refuse(search->eval, replacement,
                                    "\\ not allowed at end");
        }

        if (*p == '\\') {
            cel_text_add(text, p++, 1);
            continue;
        }

        if (*p < '0' || *p > '9') {
            return cel_regex_refuse(search->eval, replacement,
                                    "\\ must be followed by a digit or \\");
        }

        group = (unsigned) (*p++ - '0');

        if (group > groups) {
            return cel_eval_fail(search->eval, CEL_E_INVALID_ARGUMENT,
                                 "replacement string references group %u but "
                                 "regex has only %u group(s)", group, groups);
        }

        cel_text_add(text, search->spans[group].s, search->spans[group].len);
    }

    return CEL_OK;
}


static cel_status_t
cel_regex_refuse(cel_eval_t *eval, const cel_value_t *replacement,
    const char *why)
{
    char  text[CEL_MESSAGE_MAX / 2];

    cel_value_text(replacement, text, sizeof(text));

    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                         "invalid replacement string: '%s' %s", text, why);
}
