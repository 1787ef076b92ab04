
/*
 * Copyright (C) ngx_http_constraint_module authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

/*
 * cel_net.h - addresses and networks as text and as bytes; private to
 * cel_lib_network.c and cel_net.c.
 */


#ifndef CEL_NET_H_INCLUDED
#define CEL_NET_H_INCLUDED


#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>


/* the longest is an IPv6 network: 39 bytes and /128 */
#define CEL_NET_TEXT     48

#define CEL_NET_ADDRESS  0xff


/* No padding: two are the same when their bytes are. */

typedef struct {
    unsigned char  size;               /* 4, 16 */
    unsigned char  prefix;             /* CEL_NET_ADDRESS: no network */
    unsigned char  bytes[16];          /* the rest of 4 is zero */
} cel_net_t;


/*
 * Strict: no leading zeros, no zone, no dots inside IPv6; an IPv4 address
 * mapped into IPv6 is that IPv4 address, and no network.  A network keeps the
 * bits behind its prefix.
 */
bool cel_net_parse_ip(const char *s, size_t len, cel_net_t *net);
bool cel_net_parse_cidr(const char *s, size_t len, cel_net_t *net);

/* As RFC 5952 has it; buf has CEL_NET_TEXT; the length. */
size_t cel_net_format(const cel_net_t *net, char *buf);

/* Clears the bits behind the first n. */
void cel_net_mask(cel_net_t *net, unsigned n);


#endif /* CEL_NET_H_INCLUDED */
