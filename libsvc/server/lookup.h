/* Looks up the addresses of a name, within a time limit, since the system's resolver has none. */
#ifndef SVC_SERVER_LOOKUP_H
#define SVC_SERVER_LOOKUP_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum { LOOKUP_MAX = 16, LOOKUP_MS = 10000 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct addresses {
    union address all[LOOKUP_MAX];
    size_t count;
};

/* Adds an address unless the list has it. 0, or SVC_ETOOBIG if the list is full. Any thread. */
int svc__lookup_add(struct addresses *addresses, const union address *address);

/*
 * Adds all addresses of `name`, for TCP and with `port`. "localhost" has both loopback addresses,
 * also if a hosts file has only one of them (RFC 6761 6.3). 0, or SVC_ESYSTEM with a static text in
 * `*why`: the name has no address or more than LOOKUP_MAX, or the resolver has not answered within
 * LOOKUP_MS. Any thread.
 */
int svc__lookup_name(const char *name, uint16_t port, struct addresses *addresses,
                     const char **why);

/* The length of an address for the system's calls. */
socklen_t svc__lookup_len(const union address *address);

#endif
