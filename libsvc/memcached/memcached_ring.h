/*
 * Which server has a key: ketama. Each server has 160 points on a circle of 2^32, and a key belongs
 * to the server of the first point at its own hash or behind. If a server is left out, only its
 * keys move, spread over all others; with one more server, only the keys that it gets.
 *
 * Points and hashes are those of libmemcached with ketama and equal weights, so that programs in
 * other languages find the same server for the same key, given the same list of servers.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_RING_H
#define SVC_MEMCACHED_MEMCACHED_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMCACHED_SERVERS = 64, MEMCACHED_POINTS = 160 /* of one server */ };

struct memcached_point {
    uint32_t at;
    uint32_t server; /* its index */
};

struct memcached_ring {
    size_t count;                    /* of servers */
    struct memcached_point points[]; /* by their place */
};

/* Makes a ring of 1 to MEMCACHED_SERVERS servers by their names. NULL when out of memory; for
 * `free`. */
struct memcached_ring *svc__memcached_ring_new(const char *const *names, size_t count);

/*
 * The index of the server of a key: the first one from the key's place on that `may_ask` accepts,
 * which is asked once for each server at most. The number of servers: it accepts none. Any thread.
 */
size_t svc__memcached_ring_find(const struct memcached_ring *ring, const void *key, size_t len,
                                bool (*may_ask)(void *arg, size_t server), void *arg);

#endif
