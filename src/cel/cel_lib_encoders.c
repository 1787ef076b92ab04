
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_encoders.c - the `encoders` extension: base64, and beside the
 * specification base64url (without padding) and hex.  Decoding takes base64
 * with or without padding, hex in either case, and nothing else.  Further what
 * Kubernetes has for the keys of a JSON Patch.
 */


#include "cel_runtime.h"


#define CEL_CODED  2, 1, 2, 1, CEL_CHARGE_SUM, CEL_RESULT_ARGS_4


#define CEL_ENCODERS(name)                                                    \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_ENCODERS(cel_base64_encode);
CEL_ENCODERS(cel_base64_decode);
CEL_ENCODERS(cel_base64url_encode);
CEL_ENCODERS(cel_base64url_decode);
CEL_ENCODERS(cel_hex_encode);
CEL_ENCODERS(cel_hex_decode);
CEL_ENCODERS(cel_jsonpatch_escape);
static cel_status_t cel_decode64(cel_eval_t *eval, const cel_value_t *v,
    bool url, cel_value_t *out);


const cel_overload_spec_t  cel_lib_encoders[] = {

    CEL_OVERLOAD("base64.encode", "base64_encode_bytes", "(bytes): string",
                 cel_base64_encode, CEL_CODED),
    CEL_OVERLOAD("base64.decode", "base64_decode_string", "(string): bytes",
                 cel_base64_decode, CEL_CODED),
    CEL_OVERLOAD("base64url.encode", "base64url_encode_bytes",
                 "(bytes): string", cel_base64url_encode, CEL_CODED),
    CEL_OVERLOAD("base64url.decode", "base64url_decode_string",
                 "(string): bytes", cel_base64url_decode, CEL_CODED),
    CEL_OVERLOAD("hex.encode", "hex_encode_bytes", "(bytes): string",
                 cel_hex_encode, CEL_CODED),
    CEL_OVERLOAD("hex.decode", "hex_decode_string", "(string): bytes",
                 cel_hex_decode, CEL_CODED),
    CEL_OVERLOAD("jsonpatch.escapeKey", "string_jsonpatch_escape_key_string",
                 "(string): string", cel_jsonpatch_escape, CEL_CODED),

    CEL_OVERLOADS_END
};


CEL_ENCODERS(cel_base64_encode)
{
    return cel_base64_text(eval, &args[0], false, out);
}


CEL_ENCODERS(cel_base64url_encode)
{
    return cel_base64_text(eval, &args[0], true, out);
}


CEL_ENCODERS(cel_base64_decode)
{
    return cel_decode64(eval, &args[0], false, out);
}


CEL_ENCODERS(cel_base64url_decode)
{
    return cel_decode64(eval, &args[0], true, out);
}


cel_status_t
cel_base64_text(cel_eval_t *eval, const cel_value_t *bytes, bool url,
    cel_value_t *out)
{
    char                 *p, *start;
    uint32_t              i, bits, left;
    const char           *alphabet;
    const unsigned char  *s;

    alphabet = url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789-_"
                   : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789+/";

    start = p = cel_new_string(eval, ((size_t) bytes->len + 2) / 3 * 4, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    s = (const unsigned char *) bytes->s;

    for (i = 0; i < bytes->len; i += 3) {
        left = bytes->len - i;
        bits = (uint32_t) s[i] << 16;
        bits |= left > 1 ? (uint32_t) s[i + 1] << 8 : 0;
        bits |= left > 2 ? s[i + 2] : 0;

        *p++ = alphabet[bits >> 18];
        *p++ = alphabet[bits >> 12 & 0x3f];

        if (left > 1) {
            *p++ = alphabet[bits >> 6 & 0x3f];

        } else if (!url) {
            *p++ = '=';
        }

        if (left > 2) {
            *p++ = alphabet[bits & 0x3f];

        } else if (!url) {
            *p++ = '=';
        }
    }

    out->len = (uint32_t) (p - start);

    return CEL_OK;
}


static int
cel_digit64(char c, bool url)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    if (c == (url ? '-' : '+')) {
        return 62;
    }

    return c == (url ? '_' : '/') ? 63 : -1;
}


/* what is left over of the last byte must be zero, so that one text is one */

static cel_status_t
cel_decode64(cel_eval_t *eval, const cel_value_t *v, bool url,
    cel_value_t *out)
{
    int          digit;
    char        *p, *start;
    uint32_t     i, bits, count, len;

    len = v->len;

    if (len % 4 == 0 && len != 0) {
        len -= v->s[len - 1] == '=' ? v->s[len - 2] == '=' ? 2 : 1 : 0;
    }

    start = p = cel_new_string(eval, (size_t) len / 4 * 3 + 2, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    bits = 0;
    count = 0;

    for (i = 0; i < len; i++) {
        digit = cel_digit64(v->s[i], url);

        if (digit < 0) {
            return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                                 "base64%s.decode(): illegal byte at %u",
                                 url ? "url" : "", i);
        }

        bits = bits << 6 | (uint32_t) digit;
        count += 6;

        if (count >= 8) {
            count -= 8;
            *p++ = (char) (bits >> count);
        }
    }

    if (count == 6 || (bits & ((1u << count) - 1)) != 0) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "base64%s.decode(): the text is cut",
                             url ? "url" : "");
    }

    out->kind = CEL_BYTES;
    out->len = (uint32_t) (p - start);

    return CEL_OK;
}


CEL_ENCODERS(cel_hex_encode)
{
    char           *p;
    uint32_t        i;
    unsigned char   c;

    static const char  digits[] = "0123456789abcdef";

    p = cel_new_string(eval, 2 * (size_t) args[0].len, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < args[0].len; i++) {
        c = (unsigned char) args[0].s[i];
        *p++ = digits[c >> 4];
        *p++ = digits[c & 0xf];
    }

    return CEL_OK;
}


static int
cel_digit16(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


CEL_ENCODERS(cel_hex_decode)
{
    int        high, low;
    char      *p;
    uint32_t   i;

    if (args[0].len % 2 != 0) {
        return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                             "hex.decode(): an odd number of digits");
    }

    p = cel_new_string(eval, args[0].len / 2, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < args[0].len; i += 2) {
        high = cel_digit16(args[0].s[i]);
        low = cel_digit16(args[0].s[i + 1]);

        if (high < 0 || low < 0) {
            return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                                 "hex.decode(): illegal byte at %u",
                                 high < 0 ? i : i + 1);
        }

        *p++ = (char) (high << 4 | low);
    }

    out->kind = CEL_BYTES;

    return CEL_OK;
}


/* as RFC 6901 has it: ~ is ~0 and / is ~1 */

CEL_ENCODERS(cel_jsonpatch_escape)
{
    char      c, *p;
    uint32_t  i, len;

    len = args[0].len;

    for (i = 0; i < args[0].len; i++) {
        len += args[0].s[i] == '~' || args[0].s[i] == '/';
    }

    p = cel_new_string(eval, len, out);
    if (p == NULL) {
        return CEL_ERROR;
    }

    for (i = 0; i < args[0].len; i++) {
        c = args[0].s[i];

        if (c == '~' || c == '/') {
            *p++ = '~';
            c = c == '~' ? '0' : '1';
        }

        *p++ = c;
    }

    return CEL_OK;
}
