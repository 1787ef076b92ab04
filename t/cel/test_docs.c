
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * docs/CEL.md against the tables of the libraries: the functions, their
 * overloads and what they cost are written there as they are here.  With the
 * argument "write" the tables are printed, to be put there.
 */

#include "front.h"
#include "cel_parse.h"


#define DOCS_FILE  "docs/CEL.md"


static const struct {
    const cel_overload_spec_t  *library;
    const char                 *title;
    const char                 *source;
} libraries[] = {
    { cel_lib_operators, "Operators", "cel-spec, langdef.md" },
    { cel_lib_convert, "Conversions", "cel-spec, langdef.md" },
    { cel_lib_string, "Strings of the language", "cel-spec, langdef.md" },
    { cel_lib_collection, "Sizes", "cel-spec, langdef.md" },
    { cel_lib_time, "Times", "cel-spec, langdef.md" },
    { cel_lib_strings_ext, "Strings", "cel-go, ext.Strings" },
    { cel_lib_optional, "Optional values", "cel-go, OptionalTypes" },
    { cel_lib_message, "Messages", "cel-spec, langdef.md" },
    { cel_lib_math, "Math", "cel-go, ext.Math" },
    { cel_lib_encoders, "Encoders",
      "cel-go, ext.Encoders; base64url and hex are ours; jsonpatch: "
      "Kubernetes" },
    { cel_lib_lists, "Lists", "cel-go, ext.Lists; sum, min, max, isSorted, "
      "indexOf, lastIndexOf, includes: Kubernetes" },
    { cel_lib_sets, "Sets", "cel-go, ext.Sets" },
    { cel_lib_network, "Network",
      "Kubernetes, IP and CIDR libraries; isMask: cel-go, ext.Network" },
    { cel_lib_regex, "Patterns",
      "cel-go, ext.Regex; find, findAll: Kubernetes, Regex library" },
    { cel_lib_url, "URLs", "Kubernetes, URL library" },
    { cel_lib_quantity, "Quantities", "Kubernetes, Quantity library" },
    { cel_lib_semver, "Versions", "Kubernetes, Semver library" },
    { cel_lib_formats, "Named formats", "Kubernetes, Format library" },
    { NULL, NULL, NULL }
};


/* "(a + b)", "a × b", "deep(a) × deep(a)" */

static void
docs_sizes(const cel_charge_t *charge, char *text)
{
    bool      sum;
    unsigned  i, count;

    count = __builtin_popcount(charge->sized);

    sum = charge->mode == CEL_CHARGE_SUM
          || charge->mode >= CEL_CHARGE_AT_MOST;

    if (sum && count > 1) {
        text += sprintf(text, "(");
    }

    for (i = 0; i < 8; i++) {
        if (!(charge->sized & (1u << i))) {
            continue;
        }

        if (charge->sized & ((1u << i) - 1)) {
            text += sprintf(text, charge->mode == CEL_CHARGE_PRODUCT
                                  || charge->mode == CEL_CHARGE_PAIRS
                                  ? " × " : " + ");
        }

        text += sprintf(text, charge->mode == CEL_CHARGE_PRODUCT || sum
                              ? "%c" : "deep(%c)",
                        'a' + i);
    }

    if (charge->mode == CEL_CHARGE_PAIRS && count == 1) {
        text += sprintf(text, " × deep(a)");
    }

    if (sum && count > 1) {
        sprintf(text, ")");
    }
}


static void
docs_cost(const cel_charge_t *charge, char *text)
{
    char  sizes[256];

    if (charge->mode == CEL_CHARGE_UP_TO) {
        sprintf(text, "1 to %u", charge->base);
        return;
    }

    text += sprintf(text, "%u", charge->base);

    if (charge->sized == 0 || charge->per == 0) {
        return;
    }

    docs_sizes(charge, sizes);

    if (charge->mode == CEL_CHARGE_MATCHES) {
        sprintf(text, " to %u + %u × %s + %u × %s²", charge->base + 2,
                2 + charge->per + (1u << charge->shift), sizes, charge->per,
                sizes);
        return;
    }

    if (charge->mode == CEL_CHARGE_AT_MOST) {
        text += sprintf(text, " to %u", charge->base);
    }

    text += sprintf(text, " + ");

    if (charge->per != 1) {
        text += sprintf(text, "%u × ", charge->per);
    }

    text += sprintf(text, "%s", sizes);

    if (charge->shift != 0 && charge->mode <= CEL_CHARGE_PRODUCT) {
        sprintf(text, " / %u", 1u << charge->shift);
    }
}


/* a | would end the cell */

static void
docs_cell(const char *from, char *to)
{
    for ( /* void */ ; *from != '\0'; from++) {
        if (*from == '|') {
            *to++ = '\\';
        }

        *to++ = *from;
    }

    *to = '\0';
}


static void
docs_row(const cel_overload_spec_t *spec, char *row)
{
    char  name[128], cost[1024], prepared[1024];

    docs_cell(spec->name, name);
    docs_cost(&spec->charge, cost);

    row += sprintf(row, "| `%s` | `%s` | %s", name, spec->signature, cost);

    if (spec->prepare != NULL) {
        docs_cost(&spec->prepared, prepared);
        row += sprintf(row, "; constant: %s", prepared);
    }

    sprintf(row, " |\n");
}


/* names with an @ are the compiler's own */

static char *
docs_table(uint32_t i)
{
    char                       *table, *p;
    const cel_overload_spec_t  *spec;

    p = table = malloc(1 << 17);

    p += sprintf(p, "## %s\n\nSource: %s.\n\n| function | overload | cost |\n"
                 "|---|---|---|\n", libraries[i].title, libraries[i].source);

    for (spec = libraries[i].library; spec->name != NULL; spec++) {
        if (spec->name[0] != '@' || strcmp(spec->name, "@in") == 0) {
            docs_row(spec, p);
            p += strlen(p);
        }
    }

    return table;
}


static char *
docs_read(void)
{
    char    *text;
    FILE    *file;
    size_t   n;

    text = calloc(1, 1 << 20);
    file = fopen(DOCS_FILE, "r");

    ok(file != NULL, DOCS_FILE " is there");

    if (file != NULL) {
        n = fread(text, 1, (1 << 20) - 1, file);
        text[n] = '\0';
        fclose(file);
    }

    return text;
}


int
main(int argc, char **argv)
{
    char      *text, *table, name[64];
    uint32_t   i;

    for (i = 0; argc > 1 && libraries[i].library != NULL; i++) {
        table = docs_table(i);
        printf("%s\n\n", table);
        free(table);
    }

    if (argc > 1) {
        return 0;
    }

    text = docs_read();

    for (i = 0; libraries[i].library != NULL; i++) {
        table = docs_table(i);
        ok(strstr(text, table) != NULL, "\"%s\" is as in the library",
           libraries[i].title);
        ok(cel_libraries[i] == libraries[i].library, "in the same place");
        free(table);
    }

    ok(cel_libraries[i] == NULL, "no library is left out");

    for (i = 0; cel_macro_name(i) != NULL; i++) {
        snprintf(name, sizeof(name), "%s(", cel_macro_name(i));
        ok(strstr(text, name) != NULL, "the macro %s() is there",
           cel_macro_name(i));
    }

    free(text);

    return done_testing();
}
