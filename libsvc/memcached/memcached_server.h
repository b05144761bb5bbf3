/*
 * A server as all threads see it: where it is, and whether it may be asked (its breaker). A server
 * that cannot be connected to, or that three times in a row has not answered in time, is dead: it
 * is left out for a time that doubles with each failure, with a random part. Then one caller tries
 * it.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_SERVER_H
#define SVC_MEMCACHED_MEMCACHED_SERVER_H

#include <pthread.h>

#include "libsvc/memcached/memcached_host.h"

struct memcached_server {
    const struct memcached_place *place;
    const char *name; /* on the ring */
    struct memcached_host *host;
    pthread_mutex_t lock;      /* guards all below it, but the atomic ones are read without it */
    _Atomic bool ill;          /* it has failed since it last answered */
    _Atomic uint64_t retry_at; /* 0: alive; else the time at which a caller may try it */
    bool tried;                /* a caller does so */
    unsigned failures;         /* in a row */
    uint64_t delay_ms;         /* the ceiling of the next time of being left out */
};

/* How a server has failed. */
enum memcached_failure {
    MEMCACHED_SLOW,  /* it has not answered, or not sensibly */
    MEMCACHED_ABSENT /* it cannot be connected to, or does not greet */
};

/* 0 or SVC_ENOMEM. `place` and `from` are borrowed. */
int svc__memcached_server_init(struct memcached_server *server, const struct memcached_place *place,
                               const struct memcached_address *from);

void svc__memcached_server_end(struct memcached_server *server);

/* Whether it may be asked now. For a dead server whose time has come, one caller gets true, and
 * reports what has come of it by one of the calls below. Any thread, as the rest. */
bool svc__memcached_server_may_ask(struct memcached_server *server);

/* Whether it is left out, or tried again, at this moment. */
static inline bool svc__memcached_server_is_out(const struct memcached_server *server)
{
    return server->retry_at != 0;
}

void svc__memcached_server_answered(struct memcached_server *server);

void svc__memcached_server_failed(struct memcached_server *server, enum memcached_failure failure);

#endif
