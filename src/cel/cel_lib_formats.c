
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_formats.c - the named formats of Kubernetes: format.named(name),
 * format.uuid() and the like, and what validate() finds wrong in a text, in
 * the words of Kubernetes.
 */


#include "cel_formats.h"


#define CEL_SCALAR    2, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_VALIDATE  16, 2, 0, 2, CEL_CHARGE_SUM, CEL_RESULT_TEXTS


#define CEL_FORMATS(name)                                                     \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


static const struct {
    const char          *name;
    cel_formats_pt       check;
    bool                 prefix;           /* a name may follow it */
} cel_formats[] = {
    { "dns1123Label", cel_formats_label, false },
    { "dns1123Subdomain", cel_formats_subdomain, false },
    { "dns1035Label", cel_formats_label_1035, false },
    { "qualifiedName", cel_formats_qualified, false },
    { "dns1123LabelPrefix", cel_formats_label, true },
    { "dns1123SubdomainPrefix", cel_formats_subdomain, true },
    { "dns1035LabelPrefix", cel_formats_label_1035, true },
    { "labelValue", cel_formats_value, false },
    { "uri", cel_formats_uri, false },
    { "uuid", cel_formats_uuid, false },
    { "byte", cel_formats_byte, false },
    { "date", cel_formats_date, false },
    { "datetime", cel_formats_datetime, false },
};

#define CEL_FORMATS_COUNT  (sizeof(cel_formats) / sizeof(cel_formats[0]))


static cel_status_t
cel_formats_make(cel_eval_t *eval, uint64_t i, cel_value_t *out)
{
    cel_opaque_t  *opaque;

    opaque = cel_opaque_make(eval, &cel_t_named_format, sizeof(i), out);
    if (opaque == NULL) {
        return CEL_ERROR;
    }

    memcpy(opaque->data, &i, sizeof(i));
    opaque->s = cel_formats[i].name;
    opaque->slen = (uint32_t) strlen(opaque->s);

    return CEL_OK;
}


#define CEL_FORMATS_NAMED(i, name)                                            \
    CEL_FORMATS(cel_format_##name)                                            \
    {                                                                         \
        return cel_formats_make(eval, i, out);                                \
    }

CEL_FORMATS_NAMED(0, dns1123_label)
CEL_FORMATS_NAMED(1, dns1123_subdomain)
CEL_FORMATS_NAMED(2, dns1035_label)
CEL_FORMATS_NAMED(3, qualified_name)
CEL_FORMATS_NAMED(4, dns1123_label_prefix)
CEL_FORMATS_NAMED(5, dns1123_subdomain_prefix)
CEL_FORMATS_NAMED(6, dns1035_label_prefix)
CEL_FORMATS_NAMED(7, label_value)
CEL_FORMATS_NAMED(8, uri)
CEL_FORMATS_NAMED(9, uuid)
CEL_FORMATS_NAMED(10, byte)
CEL_FORMATS_NAMED(11, date)
CEL_FORMATS_NAMED(12, datetime)


/* optional.none() when there is no format of this name */

CEL_FORMATS(cel_formats_named)
{
    uint64_t     i;
    cel_value_t  format;

    for (i = 0; i < CEL_FORMATS_COUNT; i++) {
        if (strlen(cel_formats[i].name) == args[0].len
            && memcmp(cel_formats[i].name, args[0].s, args[0].len) == 0)
        {
            return cel_formats_make(eval, i, &format) == CEL_OK
                   ? cel_optional(eval, &format, out) : CEL_ERROR;
        }
    }

    *out = cel_make(CEL_OPTIONAL);
    out->v = NULL;

    return CEL_OK;
}


/*
 * A name that others are made from by appending may end with a dash: the last
 * two characters are then taken for a letter.
 */

static cel_status_t
cel_formats_mask(cel_eval_t *eval, cel_value_t *s)
{
    char  *p;

    if (s->len < 2 || s->s[s->len - 1] != '-') {
        return CEL_OK;
    }

    p = cel_eval_alloc(eval, s->len);
    if (p == NULL) {
        return CEL_ERROR;
    }

    memcpy(p, s->s, s->len - 2);
    p[s->len - 2] = 'a';

    *s = cel_string(p, s->len - 1);

    return CEL_OK;
}


/* optional.none(): nothing is wrong */

CEL_FORMATS(cel_formats_validate)
{
    uint64_t             i;
    cel_value_t          s, list;
    cel_builder_t        messages;
    const cel_opaque_t  *opaque;

    opaque = cel_opaque(&args[0], &cel_t_named_format);
    if (opaque == NULL) {
        return cel_fail_overload(eval);
    }

    memcpy(&i, opaque->data, sizeof(i));
    memset(&messages, 0, sizeof(cel_builder_t));
    s = args[1];

    if (cel_formats[i].prefix && cel_formats_mask(eval, &s) != CEL_OK) {
        return CEL_ERROR;
    }

    if (cel_formats[i].check(eval, s.s, s.len, &messages) != CEL_OK) {
        return CEL_ERROR;
    }

    if (messages.count == 0) {
        *out = cel_make(CEL_OPTIONAL);
        out->v = NULL;
        return CEL_OK;
    }

    if (cel_wrap_list(eval, messages.values, messages.count, &list)
        != CEL_OK)
    {
        return CEL_ERROR;
    }

    return cel_optional(eval, &list, out);
}


#define CEL_FORMATS_ROW(name, call)                                           \
    CEL_OVERLOAD("format." name, "format_" name,                              \
                 "(): kubernetes.NamedFormat", cel_format_##call, CEL_SCALAR)


const cel_overload_spec_t  cel_lib_formats[] = {

    CEL_OVERLOAD("format.named", "format_named",
                 "(string): optional_type(kubernetes.NamedFormat)",
                 cel_formats_named, CEL_SCALAR),
    CEL_FORMATS_ROW("dns1123Label", dns1123_label),
    CEL_FORMATS_ROW("dns1123Subdomain", dns1123_subdomain),
    CEL_FORMATS_ROW("dns1035Label", dns1035_label),
    CEL_FORMATS_ROW("qualifiedName", qualified_name),
    CEL_FORMATS_ROW("dns1123LabelPrefix", dns1123_label_prefix),
    CEL_FORMATS_ROW("dns1123SubdomainPrefix", dns1123_subdomain_prefix),
    CEL_FORMATS_ROW("dns1035LabelPrefix", dns1035_label_prefix),
    CEL_FORMATS_ROW("labelValue", label_value),
    CEL_FORMATS_ROW("uri", uri),
    CEL_FORMATS_ROW("uuid", uuid),
    CEL_FORMATS_ROW("byte", byte),
    CEL_FORMATS_ROW("date", date),
    CEL_FORMATS_ROW("datetime", datetime),
    CEL_OVERLOAD("validate", "format_validate",
                 "kubernetes.NamedFormat.(string): "
                 "optional_type(list(string))",
                 cel_formats_validate, CEL_VALIDATE),

    CEL_OVERLOADS_END
};
