
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_net.c - IPv4 and IPv6 addresses and networks, from and to text.
 */


#include "cel_net.h"

#include <stdio.h>
#include <string.h>


/* 0 .. max without leading zeros; the digits read, 0: none */

static size_t
cel_net_decimal(const char *s, size_t len, unsigned max, unsigned *value)
{
    size_t  n;

    *value = 0;

    for (n = 0; n < len && s[n] >= '0' && s[n] <= '9'; n++) {

        if (n == 3 || (n == 1 && s[0] == '0')) {
            return 0;
        }

        *value = *value * 10 + (unsigned) (s[n] - '0');
    }

    return *value <= max ? n : 0;
}


static bool
cel_net_parse_4(const char *s, size_t len, cel_net_t *net)
{
    size_t    n;
    unsigned  i, value;

    net->size = 4;

    for (i = 0; i < 4; i++) {

        if (i > 0) {
            if (len == 0 || *s != '.') {
                return false;
            }

            s++;
            len--;
        }

        n = cel_net_decimal(s, len, 255, &value);
        if (n == 0) {
            return false;
        }

        net->bytes[i] = (unsigned char) value;
        s += n;
        len -= n;
    }

    return len == 0;
}


/* one to four hexadecimal digits; as many were read */

static size_t
cel_net_group(const char *s, size_t len, unsigned *value)
{
    char    c;
    size_t  n;

    *value = 0;

    for (n = 0; n < len; n++) {
        c = s[n];

        if (c >= '0' && c <= '9') {
            c = (char) (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            c = (char) ((c | 0x20) - 'a' + 10);

        } else {
            break;
        }

        if (n == 4) {
            return 0;
        }

        *value = *value << 4 | (unsigned) c;
    }

    return n;
}


/* groups between colons; at most once two colons stand for zeros */

static bool
cel_net_parse_6(const char *s, size_t len, cel_net_t *net)
{
    int       gap;
    size_t    n;
    unsigned  count, value;

    net->size = 16;
    gap = -1;
    count = 0;

    if (len >= 2 && s[0] == ':' && s[1] == ':') {
        gap = 0;
        s += 2;
        len -= 2;
    }

    while (len > 0) {
        n = cel_net_group(s, len, &value);
        if (n == 0 || count == 8) {
            return false;
        }

        net->bytes[2 * count] = (unsigned char) (value >> 8);
        net->bytes[2 * count + 1] = (unsigned char) value;
        count++;

        s += n;
        len -= n;

        if (len == 0) {
            break;
        }

        if (len == 1 || *s != ':') {
            return false;
        }

        s++;
        len--;

        if (*s == ':') {
            if (gap >= 0) {
                return false;
            }

            gap = (int) count;
            s++;
            len--;
        }
    }

    if (gap < 0) {
        return count == 8;
    }

    if (count > 7) {
        return false;
    }

    n = 2 * (count - (unsigned) gap);
    memmove(net->bytes + 16 - n, net->bytes + 2 * gap, n);
    memset(net->bytes + 2 * gap, 0, 16 - n - 2 * (unsigned) gap);

    return true;
}


/* ::ffff:c0a8:1 is 192.168.0.1, so that no network misses it */

static void
cel_net_unmap(cel_net_t *net)
{
    static const unsigned char  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    if (memcmp(net->bytes, mapped, sizeof(mapped)) == 0) {
        net->size = 4;
        memcpy(net->bytes, net->bytes + 12, 4);
        memset(net->bytes + 4, 0, 12);
    }
}


bool
cel_net_parse_ip(const char *s, size_t len, cel_net_t *net)
{
    memset(net, 0, sizeof(cel_net_t));
    net->prefix = CEL_NET_ADDRESS;

    if (len == 0 || memchr(s, ':', len) == NULL) {
        return cel_net_parse_4(s, len, net);
    }

    if (!cel_net_parse_6(s, len, net)) {
        return false;
    }

    cel_net_unmap(net);

    return true;
}


bool
cel_net_parse_cidr(const char *s, size_t len, cel_net_t *net)
{
    size_t       n;
    unsigned     value;
    const char  *slash;

    slash = len > 0 ? memchr(s, '/', len) : NULL;

    if (slash == NULL || !cel_net_parse_ip(s, (size_t) (slash - s), net)
        || (net->size == 4 && memchr(s, ':', len) != NULL))
    {
        return false;
    }

    n = len - (size_t) (slash + 1 - s);

    if (n == 0 || cel_net_decimal(slash + 1, n, net->size * 8u, &value) != n)
    {
        return false;
    }

    net->prefix = (unsigned char) value;

    return true;
}


/* the longest run of groups that are zero, the first of such, two at least */

static unsigned
cel_net_zeros(const cel_net_t *net, unsigned *count)
{
    unsigned  i, run, start;

    start = 0;
    run = 0;
    *count = 1;

    for (i = 0; i < 8; i++) {
        run = net->bytes[2 * i] == 0 && net->bytes[2 * i + 1] == 0 ? run + 1
                                                                   : 0;
        if (run > *count) {
            *count = run;
            start = i + 1 - run;
        }
    }

    return *count > 1 ? start : 8;
}


size_t
cel_net_format(const cel_net_t *net, char *buf)
{
    size_t    len;
    unsigned  i, start, count;

    if (net->size == 4) {
        len = (size_t) snprintf(buf, CEL_NET_TEXT, "%u.%u.%u.%u",
                                net->bytes[0], net->bytes[1], net->bytes[2],
                                net->bytes[3]);

    } else {
        len = 0;
        start = cel_net_zeros(net, &count);

        for (i = 0; i < 8; i++) {

            if (i == start) {
                len += (size_t) snprintf(buf + len, CEL_NET_TEXT - len,
                                         "::");
                i += count - 1;
                continue;
            }

            len += (size_t) snprintf(buf + len, CEL_NET_TEXT - len, "%s%x",
                                     i > 0 && buf[len - 1] != ':' ? ":" : "",
                                     net->bytes[2 * i] << 8
                                     | net->bytes[2 * i + 1]);
        }
    }

    if (net->prefix != CEL_NET_ADDRESS) {
        len += (size_t) snprintf(buf + len, CEL_NET_TEXT - len, "/%u",
                                 net->prefix);
    }

    return len;
}


void
cel_net_mask(cel_net_t *net, unsigned n)
{
    unsigned  i;

    for (i = 0; i < 16; i++) {
        if (8 * i >= n) {
            net->bytes[i] = 0;

        } else if (8 * (i + 1) > n) {
            net->bytes[i] &= (unsigned char) (0xff00 >> (n - 8 * i));
        }
    }
}
