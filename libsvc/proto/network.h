/* IP addresses as bytes, and networks of addresses, for decisions by a request's origin. */
#ifndef SVC_PROTO_NETWORK_H
#define SVC_PROTO_NETWORK_H

#include <stdbool.h>

#include "libsvc/base/bytes.h"

enum { NETWORK_ADDRESS_LEN = 16, NETWORK_V4_AT = 12, NETWORK_LIST_MAX = 64 };

/* An address of either family; an IPv4 one as its IPv4-mapped form, ::ffff:192.0.2.1. */
struct network_address {
    unsigned char bytes[NETWORK_ADDRESS_LEN];
};

/* The addresses whose first `bits` bits are those of `prefix`. */
struct network {
    struct network_address prefix;
    unsigned bits;
};

/* The address of four bytes in network order. Any thread. */
struct network_address svc__network_from_v4(const void *four);

/* Whether an address is an IPv4 one. Any thread. */
bool svc__network_is_v4(const struct network_address *address);

/*
 * Reads "192.0.2.0/24", "2001:db8::/32", or an address alone, which is a network of one. 0, or
 * SVC_ESYNTAX: also when bits behind the prefix are set, which mostly is a mistake. Any thread.
 */
int svc__network_parse(struct bytes text, struct network *network);

/*
 * Reads a list of networks, separated by commas, into `networks`; an empty text is an empty list. 0
 * with `*count` set; SVC_ESYNTAX or SVC_ETOOBIG (more than NETWORK_LIST_MAX) with the first bad
 * network in `*bad`. Any thread.
 */
int svc__network_list(struct bytes text, struct network networks[static NETWORK_LIST_MAX],
                      size_t *count, struct bytes *bad);

/* An address with all but its first `bits` bits (of 128) set to zero. Any thread. */
struct network_address svc__network_mask(struct network_address address, unsigned bits);

/* Whether an address lies in a network. Any thread. */
bool svc__network_contains(const struct network *network, const struct network_address *address);

#endif
