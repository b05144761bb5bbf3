/*
 * The addresses of a server's host. A path, or an address in figures, is known at once. A name is
 * looked up on a thread of its own, since the system's resolver may take longer than any time
 * limit; so no caller and no event loop waits for it beyond its own. It is looked up again after a
 * connection has failed.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_HOST_H
#define SVC_MEMCACHED_MEMCACHED_HOST_H

#include <sys/socket.h>

#include "libsvc/memcached/memcached_place.h"

enum { MEMCACHED_ADDRESSES = 4 /* of one host that are tried */ };

struct memcached_socket_address {
    struct sockaddr_storage address;
    socklen_t len;
};

struct memcached_host;

/* NULL when out of memory. `from` is copied. */
struct memcached_host *svc__memcached_host_new(const struct memcached_address *from);

/* A lookup that is still under way frees the rest at its end. Accepts NULL. */
void svc__memcached_host_free(struct memcached_host *host);

/* Copies the addresses that are known, up to MEMCACHED_ADDRESSES, and returns their number. If
 * there is none, it begins a lookup, and waits for its end up to `wait_ms`. Any thread. */
size_t svc__memcached_host_find(struct memcached_host *host, uint64_t wait_ms,
                                struct memcached_socket_address *addresses);

/* Begins a lookup of a name, unless one is under way. Any thread. */
void svc__memcached_host_refresh(struct memcached_host *host);

#endif
