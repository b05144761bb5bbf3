/* An open store: its servers, the ring that chooses among them, and connections that are not in
 * use. */
#ifndef SVC_MEMCACHED_MEMCACHED_STATE_H
#define SVC_MEMCACHED_MEMCACHED_STATE_H

#include "libsvc/memcached/memcached_link.h"

/* Connections that are ready, and that no call uses. */
struct memcached_pool {
    pthread_mutex_t lock;
    struct memcached_link *first;
};

struct memcached_state {
    struct memcached_place place;
    struct memcached_ring *ring;
    struct memcached_server servers[MEMCACHED_SERVERS];
    struct memcached_pool pools[MEMCACHED_SERVERS]; /* of each server */
};

/* NULL when out of memory. `place` is copied. */
struct memcached_state *svc__memcached_state_new(const struct memcached_place *place);

/* Accepts NULL. */
void svc__memcached_state_free(struct memcached_state *state);

/*
 * The index of the server to ask for a key, or MEMCACHED_SERVERS: there is none. `known` are those
 * (bit i: server i) that may be asked whatever the breaker says, since the caller is connected to
 * them already, and `refused` those that may not. Any thread.
 */
size_t svc__memcached_state_choose(struct memcached_state *state, const svc_sys_store_op *op,
                                   uint64_t known, uint64_t refused);

/* A connection on which nothing has come since its last reply; NULL: there is none. Any thread. */
struct memcached_link *svc__memcached_state_take(struct memcached_state *state, size_t server);

/* Keeps a connection that is ready and not busy. Any thread. */
void svc__memcached_state_keep(struct memcached_state *state, size_t server,
                               struct memcached_link *link);

#endif
