
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_lib_network.c - addresses and networks, as in Kubernetes: ip(), cidr()
 * and what can be asked of them.  Where an address or a network is taken a
 * text may be given.
 */


#include "cel_runtime.h"
#include "cel_net.h"


#define CEL_SCALAR  1, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_TEXT    4, 0, 0, 0, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_PARSED  4, 1, 3, 1, CEL_CHARGE_SUM, CEL_RESULT_SMALL
#define CEL_TAKEN   4, 1, 3, 2, CEL_CHARGE_SUM, CEL_RESULT_SMALL


#define CEL_NETWORK(name)                                                     \
    static cel_status_t name(cel_eval_t *eval, const cel_value_t *args,       \
        uint32_t n, cel_value_t *out)


CEL_NETWORK(cel_network_ip);
CEL_NETWORK(cel_network_cidr);
CEL_NETWORK(cel_network_is_ip);
CEL_NETWORK(cel_network_is_cidr);
CEL_NETWORK(cel_network_is_canonical);
CEL_NETWORK(cel_network_string);
CEL_NETWORK(cel_network_family);
CEL_NETWORK(cel_network_is_unspecified);
CEL_NETWORK(cel_network_is_loopback);
CEL_NETWORK(cel_network_is_global);
CEL_NETWORK(cel_network_is_link_local);
CEL_NETWORK(cel_network_is_link_local_multicast);
CEL_NETWORK(cel_network_contains_ip);
CEL_NETWORK(cel_network_contains_cidr);
CEL_NETWORK(cel_network_address);
CEL_NETWORK(cel_network_is_mask);
CEL_NETWORK(cel_network_masked);
CEL_NETWORK(cel_network_prefix_length);
static cel_status_t cel_network_value(cel_eval_t *eval,
    const cel_net_t *net, cel_value_t *out);
static cel_status_t cel_network_take(cel_eval_t *eval, const cel_value_t *v,
    bool cidr, cel_net_t *net);
static size_t cel_network_text(const cel_opaque_t *opaque, char *buf);


#define CEL_ASK(name, id, call)                                               \
    CEL_OVERLOAD(name, id, "net.IP.(): bool", call, CEL_SCALAR)


const cel_overload_spec_t  cel_lib_network[] = {

    CEL_OVERLOAD("ip", "string_to_ip", "(string): net.IP", cel_network_ip,
                 CEL_PARSED),
    CEL_OVERLOAD("cidr", "string_to_cidr", "(string): net.CIDR",
                 cel_network_cidr, CEL_PARSED),
    CEL_OVERLOAD("isIP", "is_ip_string", "(string): bool", cel_network_is_ip,
                 CEL_PARSED),
    CEL_OVERLOAD("isCIDR", "is_cidr_string", "(string): bool",
                 cel_network_is_cidr, CEL_PARSED),
    CEL_OVERLOAD("ip.isCanonical", "ip_is_canonical_string",
                 "(string): bool", cel_network_is_canonical, CEL_PARSED),
    CEL_OVERLOAD("string", "ip_to_string", "(net.IP): string",
                 cel_network_string, CEL_TEXT),
    CEL_OVERLOAD("string", "cidr_to_string", "(net.CIDR): string",
                 cel_network_string, CEL_TEXT),

    CEL_OVERLOAD("family", "ip_family", "net.IP.(): int", cel_network_family,
                 CEL_SCALAR),
    CEL_ASK("isUnspecified", "ip_is_unspecified",
            cel_network_is_unspecified),
    CEL_ASK("isLoopback", "ip_is_loopback", cel_network_is_loopback),
    CEL_ASK("isGlobalUnicast", "ip_is_global_unicast",
            cel_network_is_global),
    CEL_ASK("isLinkLocalUnicast", "ip_is_link_local_unicast",
            cel_network_is_link_local),
    CEL_ASK("isLinkLocalMulticast", "ip_is_link_local_multicast",
            cel_network_is_link_local_multicast),

    CEL_OVERLOAD("containsIP", "cidr_contains_ip", "net.CIDR.(net.IP): bool",
                 cel_network_contains_ip, CEL_SCALAR),
    CEL_OVERLOAD("containsIP", "cidr_contains_ip_string",
                 "net.CIDR.(string): bool", cel_network_contains_ip,
                 CEL_TAKEN),
    CEL_OVERLOAD("containsCIDR", "cidr_contains_cidr",
                 "net.CIDR.(net.CIDR): bool", cel_network_contains_cidr,
                 CEL_SCALAR),
    CEL_OVERLOAD("containsCIDR", "cidr_contains_cidr_string",
                 "net.CIDR.(string): bool", cel_network_contains_cidr,
                 CEL_TAKEN),
    CEL_OVERLOAD("ip", "cidr_ip", "net.CIDR.(): net.IP", cel_network_address,
                 CEL_SCALAR),
    CEL_OVERLOAD("isMask", "cidr_is_mask", "net.CIDR.(): bool",
                 cel_network_is_mask, CEL_SCALAR),
    CEL_OVERLOAD("masked", "cidr_masked", "net.CIDR.(): net.CIDR",
                 cel_network_masked, CEL_SCALAR),
    CEL_OVERLOAD("prefixLength", "cidr_prefix_length", "net.CIDR.(): int",
                 cel_network_prefix_length, CEL_SCALAR),

    CEL_OVERLOADS_END
};


static cel_status_t
cel_network_value(cel_eval_t *eval, const cel_net_t *net, cel_value_t *out)
{
    cel_opaque_t  *opaque;

    opaque = cel_opaque_make(eval, net->prefix == CEL_NET_ADDRESS
                                   ? &cel_t_net_ip : &cel_t_net_cidr,
                             sizeof(cel_net_t), out);
    if (opaque == NULL) {
        return CEL_ERROR;
    }

    opaque->text = cel_network_text;
    memcpy(opaque->data, net, sizeof(cel_net_t));

    return CEL_OK;
}


static size_t
cel_network_text(const cel_opaque_t *opaque, char *buf)
{
    cel_net_t  net;

    memcpy(&net, opaque->data, sizeof(cel_net_t));

    return cel_net_format(&net, buf);
}


/* of a value that is one, or of its text */

static cel_status_t
cel_network_take(cel_eval_t *eval, const cel_value_t *v, bool cidr,
    cel_net_t *net)
{
    char                 text[CEL_NET_TEXT];
    const cel_opaque_t  *opaque;

    if (v->kind == CEL_OPAQUE) {
        opaque = cel_opaque(v, cidr ? &cel_t_net_cidr : &cel_t_net_ip);

        if (opaque == NULL) {
            return cel_fail_overload(eval);
        }

        memcpy(net, opaque->data, sizeof(cel_net_t));

        return CEL_OK;
    }

    if (cidr ? cel_net_parse_cidr(v->s, v->len, net)
             : cel_net_parse_ip(v->s, v->len, net))
    {
        return CEL_OK;
    }

    cel_value_text(v, text, sizeof(text));

    return cel_eval_fail(eval, CEL_E_INVALID_ARGUMENT,
                         "type conversion error: \"%s\" is no %s", text,
                         cidr ? "network, as in 10.0.0.0/8" : "IP address");
}


CEL_NETWORK(cel_network_ip)
{
    cel_net_t  net;

    return cel_network_take(eval, &args[0], false, &net) == CEL_OK
           ? cel_network_value(eval, &net, out) : CEL_ERROR;
}


CEL_NETWORK(cel_network_cidr)
{
    cel_net_t  net;

    return cel_network_take(eval, &args[0], true, &net) == CEL_OK
           ? cel_network_value(eval, &net, out) : CEL_ERROR;
}


CEL_NETWORK(cel_network_is_ip)
{
    cel_net_t  net;

    *out = cel_bool(cel_net_parse_ip(args[0].s, args[0].len, &net));

    return CEL_OK;
}


CEL_NETWORK(cel_network_is_cidr)
{
    cel_net_t  net;

    *out = cel_bool(cel_net_parse_cidr(args[0].s, args[0].len, &net));

    return CEL_OK;
}


/* whether the text is the one that string() gives */

CEL_NETWORK(cel_network_is_canonical)
{
    char       text[CEL_NET_TEXT];
    size_t     len;
    cel_net_t  net;

    if (cel_network_take(eval, &args[0], false, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    len = cel_net_format(&net, text);

    *out = cel_bool(len == args[0].len && memcmp(text, args[0].s, len) == 0);

    return CEL_OK;
}


CEL_NETWORK(cel_network_string)
{
    char                *p, text[CEL_NET_TEXT];
    size_t               len;
    cel_net_t            net;
    const cel_opaque_t  *opaque;

    opaque = (const cel_opaque_t *) args[0].o;

    if (cel_network_take(eval, &args[0], opaque->type == &cel_t_net_cidr,
                         &net)
        != CEL_OK)
    {
        return CEL_ERROR;
    }

    len = cel_net_format(&net, text);
    p = cel_new_string(eval, len, out);

    if (p == NULL) {
        return CEL_ERROR;
    }

    memcpy(p, text, len);

    return CEL_OK;
}


CEL_NETWORK(cel_network_family)
{
    cel_net_t  net;

    if (cel_network_take(eval, &args[0], false, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(net.size == 4 ? 4 : 6);

    return CEL_OK;
}


/* whether the first bits are those of an address */

static bool
cel_network_within(const cel_net_t *net, const char *network)
{
    cel_net_t  outer, inner;

    if (!cel_net_parse_cidr(network, strlen(network), &outer)
        || outer.size != net->size)
    {
        return false;
    }

    inner = *net;
    cel_net_mask(&inner, outer.prefix);

    return memcmp(inner.bytes, outer.bytes, sizeof(outer.bytes)) == 0;
}


static cel_status_t
cel_network_ask(cel_eval_t *eval, const cel_value_t *v,
    const char *const networks[2], cel_value_t *out)
{
    cel_net_t  net;

    if (cel_network_take(eval, v, false, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(cel_network_within(&net, networks[0])
                    || cel_network_within(&net, networks[1]));

    return CEL_OK;
}


CEL_NETWORK(cel_network_is_unspecified)
{
    static const char *const  networks[] = { "0.0.0.0/32", "::/128" };

    return cel_network_ask(eval, &args[0], networks, out);
}


CEL_NETWORK(cel_network_is_loopback)
{
    static const char *const  networks[] = { "127.0.0.0/8", "::1/128" };

    return cel_network_ask(eval, &args[0], networks, out);
}


CEL_NETWORK(cel_network_is_link_local)
{
    static const char *const  networks[] = { "169.254.0.0/16", "fe80::/10" };

    return cel_network_ask(eval, &args[0], networks, out);
}


/* of IPv6 whatever its flags are: ff02, ff12, ... */

CEL_NETWORK(cel_network_is_link_local_multicast)
{
    cel_net_t  net;

    if (cel_network_take(eval, &args[0], false, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(cel_network_within(&net, "224.0.0.0/24")
                    || (net.size == 16 && net.bytes[0] == 0xff
                        && (net.bytes[1] & 0x0f) == 0x02));

    return CEL_OK;
}


/* private addresses are such, too */

CEL_NETWORK(cel_network_is_global)
{
    unsigned   i;
    cel_net_t  net;

    static const char *const  others[] = {
        "0.0.0.0/32", "::/128", "127.0.0.0/8", "::1/128", "169.254.0.0/16",
        "fe80::/10", "224.0.0.0/4", "ff00::/8", "255.255.255.255/32"
    };

    if (cel_network_take(eval, &args[0], false, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_bool(true);

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        out->b &= !cel_network_within(&net, others[i]);
    }

    return CEL_OK;
}


static bool
cel_network_holds(const cel_net_t *network, const cel_net_t *net)
{
    cel_net_t  outer, inner;

    if (network->size != net->size) {
        return false;
    }

    outer = *network;
    inner = *net;
    cel_net_mask(&outer, network->prefix);
    cel_net_mask(&inner, network->prefix);

    return memcmp(inner.bytes, outer.bytes, sizeof(outer.bytes)) == 0;
}


CEL_NETWORK(cel_network_contains_ip)
{
    cel_net_t  network, net;

    if (cel_network_take(eval, &args[0], true, &network) != CEL_OK
        || cel_network_take(eval, &args[1], false, &net) != CEL_OK)
    {
        return CEL_ERROR;
    }

    *out = cel_bool(cel_network_holds(&network, &net));

    return CEL_OK;
}


CEL_NETWORK(cel_network_contains_cidr)
{
    cel_net_t  network, net;

    if (cel_network_take(eval, &args[0], true, &network) != CEL_OK
        || cel_network_take(eval, &args[1], true, &net) != CEL_OK)
    {
        return CEL_ERROR;
    }

    *out = cel_bool(network.prefix <= net.prefix
                    && cel_network_holds(&network, &net));

    return CEL_OK;
}


CEL_NETWORK(cel_network_address)
{
    cel_net_t  net;

    if (cel_network_take(eval, &args[0], true, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    net.prefix = CEL_NET_ADDRESS;

    return cel_network_value(eval, &net, out);
}


/* whether the bits behind the prefix are zero */

CEL_NETWORK(cel_network_is_mask)
{
    cel_net_t  net, masked;

    if (cel_network_take(eval, &args[0], true, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    masked = net;
    cel_net_mask(&masked, net.prefix);

    *out = cel_bool(memcmp(masked.bytes, net.bytes, sizeof(net.bytes)) == 0);

    return CEL_OK;
}


CEL_NETWORK(cel_network_masked)
{
    cel_net_t  net;

    if (cel_network_take(eval, &args[0], true, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    cel_net_mask(&net, net.prefix);

    return cel_network_value(eval, &net, out);
}


CEL_NETWORK(cel_network_prefix_length)
{
    cel_net_t  net;

    if (cel_network_take(eval, &args[0], true, &net) != CEL_OK) {
        return CEL_ERROR;
    }

    *out = cel_int(net.prefix);

    return CEL_OK;
}
