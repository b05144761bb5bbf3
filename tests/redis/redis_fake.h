/* A server that says it is there, and then replies anything. */
#ifndef TESTS_REDIS_REDIS_FAKE_H
#define TESTS_REDIS_REDIS_FAKE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { FAKE_CLIENTS = 16 };

struct redis_fake {
    char folder[64], path[96], url[160];
    const char *greeting; /* its reply to PING */
    const char *reply;    /* to everything else */
    size_t len;
    bool closes; /* after that */
    atomic_int connections;
    int listener, stop[2];
    int clients[FAKE_CLIENTS], count;
    pthread_t thread;
};

/* Starts it; the members from `greeting` to `closes` are set. `params` follow the URL. */
void redis_fake_start(struct redis_fake *fake, const char *params);

/* Ends it. */
void redis_fake_stop(struct redis_fake *fake);

#endif
