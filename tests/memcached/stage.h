/* A server that sends what the test wants, on a port of its own of this machine, by a thread of the
 * test. */
#ifndef TESTS_MEMCACHED_STAGE_H
#define TESTS_MEMCACHED_STAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* What memcached sends at a connection's begin. */
extern const char stage_greeting[];

/* A connection, from its begin: the greeting, the reply to what comes then, and whether it then
 * closes. */
struct act {
    const char *greeting, *reply; /* `reply` NULL: it closes after the greeting */
    bool closes;
};

struct stage {
    int fd, port;
    pthread_t thread;
    const struct act *acts; /* in turn */
    size_t count;
    char seen[4096]; /* what has come behind the last greeting, by one read */
};

/* Listens and begins with the first act. */
void stage_begin(struct stage *stage, const struct act *acts, size_t count);

/* Waits for the end of the last act, for which the client has to close its connection. */
void stage_end(struct stage *stage);

#endif
