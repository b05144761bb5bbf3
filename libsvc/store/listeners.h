/*
 * Receivers of messages within this process: each has a queue with a ceiling. A queue that is full
 * loses all of its messages, which its receiver learns of. All calls are for any thread, and those
 * for one listener for one thread.
 */
#ifndef SVC_STORE_LISTENERS_H
#define SVC_STORE_LISTENERS_H

#include <pthread.h>
#include <stdint.h>

#include "libsvc/base/bytes.h"

enum { LISTENER_QUEUE_BYTES = 4 << 20 };

struct listener;

struct listeners {
    pthread_mutex_t lock;
    struct listener *first;
};

void svc__listeners_init(struct listeners *listeners);

/* Ends them, when there is no listener any more. */
void svc__listeners_free(struct listeners *listeners);

/* Adds a listener for messages under a key, which is borrowed until it is removed. 0, SVC_ENOMEM,
 * or SVC_ESYSTEM when there is no descriptor. */
int svc__listeners_add(struct listeners *listeners, struct bytes key, struct listener **out);

void svc__listeners_remove(struct listener *listener);

/* Locks the listeners, so that messages are queued in the order of the numbers that are taken
 * meanwhile. */
void svc__listeners_begin(struct listeners *listeners);

/* Queues a message for all that listen to the key, between the calls before and behind. */
void svc__listeners_send(struct listeners *listeners, struct bytes key, uint64_t number,
                         struct bytes data);

void svc__listeners_end(struct listeners *listeners);

struct heard {
    struct heard *next;
    uint64_t number;
    size_t len;
    char data[];
};

/*
 * Takes the next message, which is borrowed until the next call. Waits until `wait_ms` are over or
 * `wake_fd` is readable: SVC_ETIMEDOUT. SVC_ECLOSED when messages were lost: the listener hears
 * nothing more.
 */
int svc__listeners_hear(struct listener *listener, int wake_fd, uint64_t wait_ms,
                        const struct heard **out);

#endif
