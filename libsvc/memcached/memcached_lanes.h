/*
 * The connections that a call has to its servers, or an event loop has: one to each server that is
 * needed. Tasks go to the servers of their keys, and to others if those fail.
 */
#ifndef SVC_MEMCACHED_MEMCACHED_LANES_H
#define SVC_MEMCACHED_MEMCACHED_LANES_H

#include "libsvc/memcached/memcached_state.h"

struct memcached_lanes {
    struct memcached_state *state;
    void (*done)(void *arg, struct memcached_task *task); /* a task has ended, with `op->error` */
    void (*closing)(void *arg, int fd); /* a descriptor is about to be closed; NULL: no matter */
    void *arg;
    bool pooled;     /* connections come from those that the state keeps */
    uint64_t until;  /* until when a connection may wait for the address of a name */
    uint64_t known;  /* bit i: there is a connection to server i */
    uint64_t failed; /* bit i: server i has failed, and is not to be asked again for now */
    struct memcached_link *links[MEMCACHED_SERVERS];
};

/* Takes or begins a connection to a server. False: it cannot be connected to. */
bool svc__memcached_lanes_open(struct memcached_lanes *lanes, size_t server);

/* Closes one, whose tasks were taken. */
void svc__memcached_lanes_close(struct memcached_lanes *lanes, size_t server);

/* Hands a task to its server's connection, or ends it: no server can be asked. */
void svc__memcached_lanes_assign(struct memcached_lanes *lanes, struct memcached_task *task);

/* Sends the commands of all tasks that wait for nothing else. */
void svc__memcached_lanes_send(struct memcached_lanes *lanes);

/* Goes on with a connection whose descriptor is ready. */
void svc__memcached_lanes_pump(struct memcached_lanes *lanes, size_t server);

/*
 * Ends a connection that has failed, and its tasks: those whose command was sent end with it; the
 * others go on with another server. SVC_ETIMEDOUT: the server has not answered in time.
 */
void svc__memcached_lanes_fail(struct memcached_lanes *lanes, size_t server, int error);

/* Ends the connections from which an answer is overdue at `now`. When the next one will be:
 * UINT64_MAX: none is awaited. */
uint64_t svc__memcached_lanes_expire(struct memcached_lanes *lanes, uint64_t now);

#endif
