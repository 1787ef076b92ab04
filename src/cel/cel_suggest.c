
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_suggest.c - errors about names that nothing is called, with the nearest
 * name by edit distance.  Runs only when there is an error.
 */


#include "cel_check.h"
#include "cel_parse.h"

#include <string.h>


#define CEL_SUGGEST_LENGTH  64

/* names that are compared at most, for each of the errors that are kept */
#define CEL_SUGGEST_NAMES   1000


typedef struct {
    const char   *name;                  /* what was written */
    size_t        len;
    const char   *best;
    uint32_t      distance;              /* of best, or the limit + 1 */
    uint32_t      left;                  /* names still to be compared */
} cel_suggest_t;


static size_t cel_suggest_chain(const cel_node_t *node, char *buf);
static bool cel_suggest_is_namespace(const cel_env_t *env, const char *name,
    size_t len, const char **example);
static void cel_suggest_start(cel_suggest_t *suggest,
    const cel_checker_t *checker, const char *name, size_t len);
static void cel_suggest_facts(cel_suggest_t *suggest,
    const cel_checker_t *checker);
static void cel_suggest_consider(cel_suggest_t *suggest, const char *name);
static uint32_t cel_suggest_distance(const char *a, size_t alen,
    const char *b, size_t blen);
static void cel_suggest_last(cel_suggest_t *suggest,
    const cel_checker_t *checker, size_t all);
static const char *cel_suggest_ending(const cel_checker_t *checker,
    const char *part, size_t len);
static const char *cel_suggest_habit(const cel_node_t *node);
static bool cel_suggest_quotes(const cel_checker_t *checker,
    const cel_node_t *node);
static bool cel_suggest_is_key(const char *source, uint32_t offset);
static void cel_suggest_report(cel_checker_t *checker, uint32_t offset,
    const cel_suggest_t *suggest);


/* what other languages call it, and what it is here */

static const struct {
    const char  *name;
    const char  *here;
} cel_suggest_habits[] = {
    { "len", "size" },
    { "length", "size" },
    { "count", "size" },
    { "lower", "lowerAscii" },
    { "tolower", "lowerAscii" },
    { "toLower", "lowerAscii" },
    { "toLowerCase", "lowerAscii" },
    { "upper", "upperAscii" },
    { "toupper", "upperAscii" },
    { "toUpper", "upperAscii" },
    { "toUpperCase", "upperAscii" },
    { "strip", "trim" },
    { "hasPrefix", "startsWith" },
    { "hasSuffix", "endsWith" },
    { "match", "matches" },
    { "regexMatch", "matches" },
    { "any", "exists" },
    { "some", "exists" },
    { "every", "all" },
    { "str", "string" },
    { "float", "double" },
    { "defined", "has" },
    { "not", "!" },
    { NULL, NULL }
};


static const char *
cel_suggest_container(const cel_checker_t *checker)
{
    return checker->env->limits.container != NULL
           ? checker->env->limits.container : "";
}


/*
 * node: an ident, or selects of one of which nothing is known.  The shortest
 * part that could not be the start of any declared name is the wrong one.
 */

void
cel_suggest_name(cel_checker_t *checker, const cel_node_t *node)
{
    size_t             len, all;
    const char        *example;
    cel_suggest_t      suggest;
    const cel_node_t  *root;

    for (root = node; root->kind == CEL_N_SELECT; root = root->target) {
        /* void */
    }

    all = cel_suggest_chain(node, checker->chain);
    len = root->name_len;

    if (checker->issues->count == CEL_ISSUES_MAX) {
        cel_suggest_start(&suggest, checker, checker->chain, len);
        cel_suggest_report(checker, root->offset, &suggest);
        return;
    }

    while (len < all
           && cel_suggest_is_namespace(checker->env, checker->chain, len,
                                       &example))
    {
        for (len++; len < all && checker->chain[len] != '.'; len++) {
            /* void */
        }
    }

    if (len == all && cel_suggest_is_namespace(checker->env, checker->chain,
                                               len, &example))
    {
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, root->offset,
                  "undeclared reference to '%.*s' (in container '%s'), it is "
                  "only the start of names as '%s'", (int) len,
                  checker->chain, cel_suggest_container(checker), example);
        return;
    }

    cel_suggest_start(&suggest, checker, checker->chain, len);
    cel_suggest_facts(&suggest, checker);

    /* perhaps an earlier part was misspelt: requst.headers */

    if (suggest.best == NULL && len < all) {
        for (len++; len < all && checker->chain[len] != '.'; len++) {
            /* void */
        }

        cel_suggest_start(&suggest, checker, checker->chain, len);
        cel_suggest_facts(&suggest, checker);

        if (suggest.best == NULL) {
            suggest.len = root->name_len;
        }
    }

    if (suggest.best == NULL) {
        cel_suggest_last(&suggest, checker, all);
    }

    if (suggest.best == NULL && cel_suggest_quotes(checker, node)) {
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, root->offset,
                  "undeclared reference to '%.*s' (in container '%s'), did "
                  "you mean the string '%.*s' in quotes?", (int) suggest.len,
                  suggest.name, cel_suggest_container(checker),
                  (int) suggest.len, suggest.name);
        return;
    }

    cel_suggest_report(checker, root->offset, &suggest);
}


/*
 * headers, where request.headers was meant, or req.headers: the first or the
 * second part is the last one of a single fact
 */

static void
cel_suggest_last(cel_suggest_t *suggest, const cel_checker_t *checker,
    size_t all)
{
    size_t  end;

    suggest->best = cel_suggest_ending(checker, suggest->name, suggest->len);

    if (suggest->best != NULL || suggest->len == all) {
        return;
    }

    for (end = suggest->len + 1; end < all && suggest->name[end] != '.';
         end++)
    {
        /* void */
    }

    suggest->best = cel_suggest_ending(checker,
                                       suggest->name + suggest->len + 1,
                                       end - suggest->len - 1);

    if (suggest->best != NULL) {
        suggest->len = end;
    }
}


static const char *
cel_suggest_ending(const cel_checker_t *checker, const char *part, size_t len)
{
    uint32_t           i;
    const char        *found, *end;
    const cel_fact_t  *fact;

    found = NULL;

    for (i = 0; i < CEL_ENV_BUCKETS; i++) {
        for (fact = checker->env->facts[i]; fact != NULL; fact = fact->next) {

            if (fact->len <= len) {
                continue;
            }

            end = fact->name + fact->len - len;

            if (end[-1] != '.' || memcmp(end, part, len) != 0) {
                continue;
            }

            if (found != NULL) {
                return NULL;
            }

            found = fact->name;
        }
    }

    return found;
}


/*
 * GET, where 'GET' was meant: capitals alone are rarely a name; {outcome: x},
 * where the key 'outcome' was meant
 */

static bool
cel_suggest_quotes(const cel_checker_t *checker, const cel_node_t *node)
{
    uint32_t     end;
    const char  *source;

    if (node->kind != CEL_N_IDENT) {
        return false;
    }

    if (node->name_len >= 2
        && strspn(node->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
           == node->name_len)
    {
        return true;
    }

    source = checker->ast->source;

    for (end = node->offset + node->name_len;
         end < checker->ast->len && source[end] == ' ';
         end++)
    {
        /* void */
    }

    return end < checker->ast->len && source[end] == ':'
           && cel_suggest_is_key(source, node->offset);
}


/* does what begins here follow a "{" or, in a map, a ","? */

static bool
cel_suggest_is_key(const char *source, uint32_t offset)
{
    while (offset > 0
           && (source[offset - 1] == ' ' || source[offset - 1] == '\n'))
    {
        offset--;
    }

    return offset > 0
           && (source[offset - 1] == '{' || source[offset - 1] == ',');
}


cel_status_t
cel_suggest_function(cel_checker_t *checker, const cel_node_t *node)
{
    uint32_t       i;
    const char    *name;
    cel_suggest_t  suggest;

    cel_suggest_start(&suggest, checker, node->name, node->name_len);

    for (i = 0; ; i++) {
        name = cel_env_function_name(checker->env, i);
        if (name == NULL) {
            break;
        }

        if (strpbrk(name, "@_{") == NULL) {
            cel_suggest_consider(&suggest, name);
        }
    }

    for (i = 0; cel_macro_name(i) != NULL; i++) {
        cel_suggest_consider(&suggest, cel_macro_name(i));
    }

    /* a macro with the wrong number of arguments is not expanded */

    if (suggest.best != NULL && suggest.distance == 0) {
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, node->offset,
                  "undeclared reference to '%s' (in container '%s'): the "
                  "macro of this name does not take %u arguments%s",
                  node->name, cel_suggest_container(checker),
                  (unsigned) node->nitems,
                  node->target == NULL ? " without a receiver" : "");
        return CEL_NOT_FOUND;
    }

    if (suggest.best == NULL) {
        suggest.best = cel_suggest_habit(node);
    }

    cel_suggest_report(checker, node->offset, &suggest);

    return CEL_OK;
}


static const char *
cel_suggest_habit(const cel_node_t *node)
{
    uint32_t  i;

    for (i = 0; cel_suggest_habits[i].name != NULL; i++) {
        if (strcmp(cel_suggest_habits[i].name, node->name) == 0) {
            return cel_suggest_habits[i].here;
        }
    }

    return NULL;
}


/* a.b.name() where a.b is nothing: a namespaced function was meant */

void
cel_suggest_method(cel_checker_t *checker, const cel_node_t *node)
{
    size_t                 len;
    uint32_t               i;
    const char            *name;
    cel_suggest_t          suggest;
    const cel_node_t      *root;
    const cel_resolver_t  *resolver;

    for (root = node->target; root->kind == CEL_N_SELECT;
         root = root->target)
    {
        /* void */
    }

    len = cel_suggest_chain(node->target, checker->chain);
    checker->chain[len++] = '.';
    memcpy(checker->chain + len, node->name, node->name_len);

    cel_suggest_start(&suggest, checker, checker->chain, len + node->name_len);

    for (i = 0; ; i++) {
        name = cel_env_function_name(checker->env, i);
        if (name == NULL) {
            break;
        }

        if (strpbrk(name, "@{") == NULL && strchr(name, '.') != NULL) {
            cel_suggest_consider(&suggest, name);
        }
    }

    for (resolver = checker->env->resolvers; resolver != NULL;
         resolver = resolver->next)
    {
        cel_suggest_consider(&suggest, resolver->function);
    }

    /* perhaps the function is right and what it is called on is misspelt */

    if (suggest.best == NULL
        && cel_resolve_function(checker, node->name, node->name_len) != NULL)
    {
        cel_suggest_name(checker, node->target);
        return;
    }

    cel_suggest_report(checker, root->offset, &suggest);
}


static void
cel_suggest_report(cel_checker_t *checker, uint32_t offset,
    const cel_suggest_t *suggest)
{
    if (suggest->best == NULL) {
        cel_issue(checker->issues, CEL_E_CHECK, checker->ast, offset,
                  "undeclared reference to '%.*s' (in container '%s')",
                  (int) suggest->len, suggest->name,
                  cel_suggest_container(checker));
        return;
    }

    cel_issue(checker->issues, CEL_E_CHECK, checker->ast, offset,
              "undeclared reference to '%.*s' (in container '%s'), did you "
              "mean '%s'?", (int) suggest->len, suggest->name,
              cel_suggest_container(checker), suggest->best);
}


static size_t
cel_suggest_chain(const cel_node_t *node, char *buf)
{
    size_t  len;

    len = 0;

    if (node->kind == CEL_N_SELECT) {
        len = cel_suggest_chain(node->target, buf);
        buf[len++] = '.';
    }

    memcpy(buf + len, node->name, node->name_len);

    return len + node->name_len;
}


static bool
cel_suggest_is_namespace(const cel_env_t *env, const char *name, size_t len,
    const char **example)
{
    uint32_t               i;
    const cel_fact_t      *fact;
    const cel_resolver_t  *resolver;

    for (i = 0; i < CEL_ENV_BUCKETS; i++) {
        for (fact = env->facts[i]; fact != NULL; fact = fact->next) {
            if (fact->len > len && fact->name[len] == '.'
                && memcmp(fact->name, name, len) == 0)
            {
                *example = fact->name;
                return true;
            }
        }
    }

    for (resolver = env->resolvers; resolver != NULL;
         resolver = resolver->next)
    {
        if (resolver->len > len && resolver->function[len] == '.'
            && memcmp(resolver->function, name, len) == 0)
        {
            *example = resolver->function;
            return true;
        }
    }

    return false;
}


/* for an error that is only counted nothing is compared */

static void
cel_suggest_start(cel_suggest_t *suggest, const cel_checker_t *checker,
    const char *name, size_t len)
{
    suggest->left = checker->issues->count < CEL_ISSUES_MAX
                    ? CEL_SUGGEST_NAMES : 0;
    suggest->name = name;
    suggest->len = len;
    suggest->best = NULL;
    suggest->distance = (len < 4 ? 1 : len < 9 ? 2 : 3) + 1;
}


static void
cel_suggest_facts(cel_suggest_t *suggest, const cel_checker_t *checker)
{
    uint32_t            i;
    const cel_fact_t   *fact;
    const cel_local_t  *local;

    for (local = checker->locals; local != NULL; local = local->next) {
        if (local->name[0] != '@') {
            cel_suggest_consider(suggest, local->name);
        }
    }

    for (i = 0; i < CEL_ENV_BUCKETS; i++) {
        for (fact = checker->env->facts[i]; fact != NULL; fact = fact->next) {
            cel_suggest_consider(suggest, fact->name);
        }
    }
}


static void
cel_suggest_consider(cel_suggest_t *suggest, const char *name)
{
    size_t    len;
    uint32_t  distance;

    len = strlen(name);

    if (suggest->left == 0 || len > CEL_SUGGEST_LENGTH
        || suggest->len > CEL_SUGGEST_LENGTH
        || len + suggest->distance <= suggest->len
        || suggest->len + suggest->distance <= len
        || (len < 3 && len != suggest->len))
    {
        return;
    }

    suggest->left--;

    distance = cel_suggest_distance(suggest->name, suggest->len, name, len);

    if (distance < suggest->distance && distance < len) {
        suggest->distance = distance;
        suggest->best = name;
    }
}


/* Levenshtein's, with a swap of neighbours as two steps */

static uint32_t
cel_suggest_distance(const char *a, size_t alen, const char *b, size_t blen)
{
    size_t    i, j;
    uint32_t  row[CEL_SUGGEST_LENGTH + 1], diagonal, up, least;

    for (j = 0; j <= blen; j++) {
        row[j] = j;
    }

    for (i = 1; i <= alen; i++) {
        diagonal = row[0];
        row[0] = i;

        for (j = 1; j <= blen; j++) {
            up = row[j];
            least = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);

            if (up + 1 < least) {
                least = up + 1;
            }

            if (row[j - 1] + 1 < least) {
                least = row[j - 1] + 1;
            }

            row[j] = least;
            diagonal = up;
        }
    }

    return row[blen];
}
