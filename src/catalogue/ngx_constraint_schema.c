/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * Keys and values of the store: how they are made and read.  Looks nothing
 * up.
 */


#include "ngx_constraint_catalogue_room.h"


static u_char *ngx_constraint_key_begin(ngx_constraint_key_t *key,
    u_char kind);
static void ngx_constraint_key_pair(ngx_constraint_key_t *key, u_char kind,
    const ngx_str_t *used, const ngx_str_t *message_type);
static void ngx_constraint_payload_profile(ngx_constraint_payload_t *payload);


static const uint32_t  ngx_constraint_crc32c_table[256] = {
    0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4,
    0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb,
    0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b,
    0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24,
    0x105ec76f, 0xe235446c, 0xf165b798, 0x030e349b,
    0xd7c45070, 0x25afd373, 0x36ff2087, 0xc494a384,
    0x9a879fa0, 0x68ec1ca3, 0x7bbcef57, 0x89d76c54,
    0x5d1d08bf, 0xaf768bbc, 0xbc267848, 0x4e4dfb4b,
    0x20bd8ede, 0xd2d60ddd, 0xc186fe29, 0x33ed7d2a,
    0xe72719c1, 0x154c9ac2, 0x061c6936, 0xf477ea35,
    0xaa64d611, 0x580f5512, 0x4b5fa6e6, 0xb93425e5,
    0x6dfe410e, 0x9f95c20d, 0x8cc531f9, 0x7eaeb2fa,
    0x30e349b1, 0xc288cab2, 0xd1d83946, 0x23b3ba45,
    0xf779deae, 0x05125dad, 0x1642ae59, 0xe4292d5a,
    0xba3a117e, 0x4851927d, 0x5b016189, 0xa96ae28a,
    0x7da08661, 0x8fcb0562, 0x9c9bf696, 0x6ef07595,
    0x417b1dbc, 0xb3109ebf, 0xa0406d4b, 0x522bee48,
    0x86e18aa3, 0x748a09a0, 0x67dafa54, 0x95b17957,
    0xcba24573, 0x39c9c670, 0x2a993584, 0xd8f2b687,
    0x0c38d26c, 0xfe53516f, 0xed03a29b, 0x1f682198,
    0x5125dad3, 0xa34e59d0, 0xb01eaa24, 0x42752927,
    0x96bf4dcc, 0x64d4cecf, 0x77843d3b, 0x85efbe38,
    0xdbfc821c, 0x2997011f, 0x3ac7f2eb, 0xc8ac71e8,
    0x1c661503, 0xee0d9600, 0xfd5d65f4, 0x0f36e6f7,
    0x61c69362, 0x93ad1061, 0x80fde395, 0x72966096,
    0xa65c047d, 0x5437877e, 0x4767748a, 0xb50cf789,
    0xeb1fcbad, 0x197448ae, 0x0a24bb5a, 0xf84f3859,
    0x2c855cb2, 0xdeeedfb1, 0xcdbe2c45, 0x3fd5af46,
    0x7198540d, 0x83f3d70e, 0x90a324fa, 0x62c8a7f9,
    0xb602c312, 0x44694011, 0x5739b3e5, 0xa55230e6,
    0xfb410cc2, 0x092a8fc1, 0x1a7a7c35, 0xe811ff36,
    0x3cdb9bdd, 0xceb018de, 0xdde0eb2a, 0x2f8b6829,
    0x82f63b78, 0x709db87b, 0x63cd4b8f, 0x91a6c88c,
    0x456cac67, 0xb7072f64, 0xa457dc90, 0x563c5f93,
    0x082f63b7, 0xfa44e0b4, 0xe9141340, 0x1b7f9043,
    0xcfb5f4a8, 0x3dde77ab, 0x2e8e845f, 0xdce5075c,
    0x92a8fc17, 0x60c37f14, 0x73938ce0, 0x81f80fe3,
    0x55326b08, 0xa759e80b, 0xb4091bff, 0x466298fc,
    0x1871a4d8, 0xea1a27db, 0xf94ad42f, 0x0b21572c,
    0xdfeb33c7, 0x2d80b0c4, 0x3ed04330, 0xccbbc033,
    0xa24bb5a6, 0x502036a5, 0x4370c551, 0xb11b4652,
    0x65d122b9, 0x97baa1ba, 0x84ea524e, 0x7681d14d,
    0x2892ed69, 0xdaf96e6a, 0xc9a99d9e, 0x3bc21e9d,
    0xef087a76, 0x1d63f975, 0x0e330a81, 0xfc588982,
    0xb21572c9, 0x407ef1ca, 0x532e023e, 0xa145813d,
    0x758fe5d6, 0x87e466d5, 0x94b49521, 0x66df1622,
    0x38cc2a06, 0xcaa7a905, 0xd9f75af1, 0x2b9cd9f2,
    0xff56bd19, 0x0d3d3e1a, 0x1e6dcdee, 0xec064eed,
    0xc38d26c4, 0x31e6a5c7, 0x22b65633, 0xd0ddd530,
    0x0417b1db, 0xf67c32d8, 0xe52cc12c, 0x1747422f,
    0x49547e0b, 0xbb3ffd08, 0xa86f0efc, 0x5a048dff,
    0x8ecee914, 0x7ca56a17, 0x6ff599e3, 0x9d9e1ae0,
    0xd3d3e1ab, 0x21b862a8, 0x32e8915c, 0xc083125f,
    0x144976b4, 0xe622f5b7, 0xf5720643, 0x07198540,
    0x590ab964, 0xab613a67, 0xb831c993, 0x4a5a4a90,
    0x9e902e7b, 0x6cfbad78, 0x7fab5e8c, 0x8dc0dd8f,
    0xe330a81a, 0x115b2b19, 0x020bd8ed, 0xf0605bee,
    0x24aa3f05, 0xd6c1bc06, 0xc5914ff2, 0x37faccf1,
    0x69e9f0d5, 0x9b8273d6, 0x88d28022, 0x7ab90321,
    0xae7367ca, 0x5c18e4c9, 0x4f48173d, 0xbd23943e,
    0xf36e6f75, 0x0105ec76, 0x12551f82, 0xe03e9c81,
    0x34f4f86a, 0xc69f7b69, 0xd5cf889d, 0x27a40b9e,
    0x79b737ba, 0x8bdcb4b9, 0x988c474d, 0x6ae7c44e,
    0xbe2da0a5, 0x4c4623a6, 0x5f16d052, 0xad7d5351
};


static u_char *
ngx_constraint_key_begin(ngx_constraint_key_t *key, u_char kind)
{
    u_char  *p;

    p = ngx_cpymem(key->data, NGX_CONSTRAINT_ORGANISATION,
                   sizeof(NGX_CONSTRAINT_ORGANISATION));
    *p++ = kind;

    return p;
}


void
ngx_constraint_key(ngx_constraint_key_t *key, u_char kind,
    const ngx_str_t *name)
{
    u_char  *p;
    size_t   len;

    p = ngx_constraint_key_begin(key, kind);
    len = ngx_min(name->len, NGX_CONSTRAINT_NAME_MAX + 1);

    if (len) {
        p = ngx_cpymem(p, name->data, len);
    }

    key->len = p - key->data;
}


void
ngx_constraint_key_revision(ngx_constraint_key_t *key,
    const ngx_str_t *workflow, uint64_t revision)
{
    u_char  *p;

    ngx_constraint_key(key, NGX_CONSTRAINT_KEY_REVISION, workflow);

    p = key->data + key->len;
    *p++ = '\0';
    p = ngx_constraint_number_put(p, revision);

    key->len = p - key->data;
}


void
ngx_constraint_key_user(ngx_constraint_key_t *key, const ngx_str_t *workflow,
    const ngx_str_t *message_type)
{
    ngx_constraint_key_pair(key, NGX_CONSTRAINT_KEY_USER, workflow,
                            message_type);
}


void
ngx_constraint_key_profile_user(ngx_constraint_key_t *key,
    const ngx_str_t *profile, const ngx_str_t *message_type)
{
    ngx_constraint_key_pair(key, NGX_CONSTRAINT_KEY_PROFILE_USER, profile,
                            message_type);
}


/*
 * A constraint has one workflow and one profile: two that hash alike do not
 * share a key.
 */

static void
ngx_constraint_key_pair(ngx_constraint_key_t *key, u_char kind,
    const ngx_str_t *used, const ngx_str_t *message_type)
{
    u_char    *p;
    uint32_t   high, low;

    high = ngx_crc32_long(used->data, used->len);
    low = ngx_constraint_crc32c(0, used->data, used->len);

    p = ngx_constraint_key_begin(key, kind);
    p = ngx_constraint_number_put(p, (uint64_t) high << 32 | low);

    if (message_type) {
        p = ngx_cpymem(p, message_type->data, message_type->len);
    }

    key->len = p - key->data;
}


void
ngx_constraint_key_number(ngx_constraint_key_t *key, u_char kind,
    uint64_t number)
{
    u_char  *p;

    p = ngx_constraint_key_begin(key, kind);
    p = ngx_constraint_number_put(p, number);

    key->len = p - key->data;
}


ngx_int_t
ngx_constraint_key_name(const MDB_val *key, u_char kind, ngx_str_t *name)
{
    size_t   len;
    u_char  *p;

    p = key->mv_data;
    len = sizeof(NGX_CONSTRAINT_ORGANISATION);

    if (key->mv_size < len + 1
        || ngx_memcmp(p, NGX_CONSTRAINT_ORGANISATION, len) != 0
        || p[len] != kind)
    {
        return NGX_DECLINED;
    }

    name->data = p + len + 1;
    name->len = key->mv_size - len - 1;

    return NGX_OK;
}


uint64_t
ngx_constraint_number_get(const u_char *p)
{
    uint64_t    number;
    ngx_uint_t  i;

    number = 0;

    for (i = 0; i < 8; i++) {
        number = number << 8 | p[i];
    }

    return number;
}


u_char *
ngx_constraint_number_put(u_char *p, uint64_t number)
{
    ngx_uint_t  i;

    for (i = 0; i < 8; i++) {
        *p++ = (u_char) (number >> (56 - 8 * i));
    }

    return p;
}


/* Castagnoli's polynomial, reflected; crc is what came before, 0 at first */

uint32_t
ngx_constraint_crc32c(uint32_t crc, const u_char *p, size_t len)
{
    crc = ~crc;

    while (len--) {
        crc = ngx_constraint_crc32c_table[(crc ^ *p++) & 0xff] ^ (crc >> 8);
    }

    return ~crc;
}


void
ngx_constraint_value_head(const ngx_constraint_key_t *key,
    const ngx_str_t *payload, u_char *head)
{
    uint32_t    crc;
    ngx_uint_t  i;

    crc = ngx_constraint_crc32c(0, key->data, key->len);
    crc = ngx_constraint_crc32c(crc, payload->data, payload->len);

    head[0] = NGX_CONSTRAINT_VALUE_VERSION;

    for (i = 0; i < 4; i++) {
        head[1 + i] = (u_char) (crc >> (8 * i));
    }
}


ngx_int_t
ngx_constraint_value_open(const u_char *key, size_t key_len,
    const u_char *value, size_t len, ngx_str_t *payload)
{
    uint32_t  crc, stored;

    if (len < NGX_CONSTRAINT_VALUE_HEAD
        || value[0] != NGX_CONSTRAINT_VALUE_VERSION)
    {
        return NGX_ERROR;
    }

    stored = value[1] | value[2] << 8 | value[3] << 16
             | (uint32_t) value[4] << 24;

    payload->data = (u_char *) value + NGX_CONSTRAINT_VALUE_HEAD;
    payload->len = len - NGX_CONSTRAINT_VALUE_HEAD;

    crc = ngx_constraint_crc32c(0, key, key_len);
    crc = ngx_constraint_crc32c(crc, payload->data, payload->len);

    return (crc == stored) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_constraint_payload_open(const ngx_str_t *text,
    ngx_constraint_payload_t *payload)
{
    size_t  len;

    if (text->len < 2) {
        return NGX_ERROR;
    }

    len = text->data[0];

    if (len == 0 || text->len < 1 + len + 2) {
        return NGX_ERROR;
    }

    payload->workflow_id.data = text->data + 1;
    payload->workflow_id.len = len;
    payload->json.data = text->data + 1 + len;
    payload->json.len = text->len - 1 - len;

    ngx_constraint_payload_profile(payload);

    return NGX_OK;
}


/* names hold nothing that JSON escapes */

static void
ngx_constraint_payload_profile(ngx_constraint_payload_t *payload)
{
    u_char     *p, *last;
    ngx_str_t  *json;

    static ngx_str_t  first = ngx_string("{\"profile\":\"");

    json = &payload->json;
    ngx_str_null(&payload->profile);

    if (json->len < first.len
        || ngx_memcmp(json->data, first.data, first.len) != 0)
    {
        return;
    }

    p = json->data + first.len;
    last = ngx_strlchr(p, json->data + json->len, '"');

    if (last && last - p <= NGX_CONSTRAINT_NAME_MAX) {
        payload->profile.data = p;
        payload->profile.len = last - p;
    }
}


ngx_int_t
ngx_constraint_head_open(const ngx_str_t *payload,
    ngx_constraint_head_t *head)
{
    if (payload->len != NGX_CONSTRAINT_HEAD_SIZE) {
        return NGX_ERROR;
    }

    head->revision = ngx_constraint_number_get(payload->data);
    head->revisions = ngx_constraint_number_get(payload->data + 8);
    head->created_ms = ngx_constraint_number_get(payload->data + 16);
    head->updated_ms = ngx_constraint_number_get(payload->data + 24);

    return NGX_OK;
}


void
ngx_constraint_head_close(const ngx_constraint_head_t *head, u_char *p)
{
    p = ngx_constraint_number_put(p, head->revision);
    p = ngx_constraint_number_put(p, head->revisions);
    p = ngx_constraint_number_put(p, head->created_ms);
    (void) ngx_constraint_number_put(p, head->updated_ms);
}


ngx_int_t
ngx_constraint_revision_open(const ngx_str_t *payload, ngx_str_t *document,
    uint64_t *written_ms)
{
    ngx_str_null(document);

    if (payload->len < NGX_CONSTRAINT_REVISION_HEAD + 2) {
        return NGX_ERROR;
    }

    *written_ms = ngx_constraint_number_get(payload->data);

    document->data = payload->data + NGX_CONSTRAINT_REVISION_HEAD;
    document->len = payload->len - NGX_CONSTRAINT_REVISION_HEAD;

    return NGX_OK;
}


ngx_int_t
ngx_constraint_counts_open(const ngx_str_t *payload,
    ngx_constraint_counts_t *counts)
{
    if (payload->len != NGX_CONSTRAINT_COUNTS_SIZE) {
        return NGX_ERROR;
    }

    counts->constraints = ngx_constraint_number_get(payload->data);
    counts->workflows = ngx_constraint_number_get(payload->data + 8);

    return NGX_OK;
}


void
ngx_constraint_counts_close(const ngx_constraint_counts_t *counts, u_char *p)
{
    p = ngx_constraint_number_put(p, counts->constraints);
    (void) ngx_constraint_number_put(p, counts->workflows);
}
