/* The URL of a store: its servers and its parameters. */
#ifndef SVC_MEMCACHED_MEMCACHED_PLACE_H
#define SVC_MEMCACHED_MEMCACHED_PLACE_H

#include <svc/sys/store.h>

#include "libsvc/memcached/memcached_ring.h"

enum {
    MEMCACHED_HOST_BYTES = 256, /* of a host or a path, with its NUL */
    MEMCACHED_PORT_BYTES = 6
};

/* One server of the list. */
struct memcached_address {
    char host[MEMCACHED_HOST_BYTES]; /* a name, an address without brackets, or a path */
    char port[MEMCACHED_PORT_BYTES]; /* "" for a path */
    char name[MEMCACHED_HOST_BYTES + MEMCACHED_PORT_BYTES + 2]; /* on the ring */
};

struct memcached_place {
    size_t count;
    struct memcached_address servers[MEMCACHED_SERVERS];
    uint64_t connect_ms; /* for a connection and its greeting */
    uint64_t answer_ms;  /* for the next reply */
    uint64_t retry_ms;   /* the longest time for which a dead server is left out */
    bool failover;       /* keys of a dead server go to the others */
};

/*
 * Reads the place. 0, or SVC_EINVAL with the reason in `*why`, static, which shows nothing of the
 * URL. Pure.
 */
int svc__memcached_place_read(struct memcached_place *place, const svc_sys_store_place *from,
                              const char **why);

#endif
