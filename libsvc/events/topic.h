/*
 * Topics: a ring of events that all listeners read, each at its own place. The ring is the backlog
 * for clients that come back and the queue of slow ones at once, so a listener has no queue of its
 * own. Who publishes wakes each loop once; the loop wakes its listeners.
 */
#ifndef SVC_EVENTS_TOPIC_H
#define SVC_EVENTS_TOPIC_H

#include "libsvc/events/event_state.h"
#include "libsvc/metrics/metric.h"

/* A place in the ring. */
struct topic_slot {
    struct frame *frame;
    size_t at; /* listeners that take this event next */
};

/* The listeners on one loop. */
struct topic_group {
    struct svc_topic *topic;
    struct svc_loop *loop;
    struct svc_events *listeners; /* for the loop's thread, as this: */
    struct svc_events *wake_next; /* the one to wake next; NULL: all are woken */
    size_t count;                 /* of those; under the topic's lock, as all below */
    bool posted;                  /* the loop will wake them */
    uint64_t woken; /* the topic's `next` when the loop last began with the first of them */
    struct topic_group *next;
};

struct svc_topic {
    svc_topic_options options;
    const char *name;
    svc_counter *published, *dropped, *skipped, *held;
    svc_gauge *gauge;
    _Atomic size_t listeners;

    pthread_mutex_t lock;       /* for these: */
    pthread_cond_t room;        /* the oldest event may be needed no more */
    struct topic_slot *slots;   /* options.backlog; event `n` is at n % backlog */
    uint64_t first, next;       /* the numbers of the oldest event, and of the one to come */
    size_t bytes;               /* of all bodies */
    size_t up_to_date;          /* listeners that have taken every event */
    struct topic_group *groups; /* one for each loop that has had a listener */
};

/* Adds a stream that begins to the listeners of this thread's loop, if it listens. 0 or SVC_ENOMEM.
 * The thread that reads. */
int svc__topic_join(struct svc_events *events);

/* Takes the next event for the stream, with a reference: 1. SVC_EAGAIN: there is none. SVC_ETOOBIG:
 * the listener was too slow, and is dropped. The thread that reads. */
int svc__topic_take(struct svc_events *events, struct frame **frame);

/* Lets the stream take no event that is published from now on. */
void svc__topic_drain(struct svc_events *events);

/* Ends the listening, if the stream listens. */
void svc__topic_leave(struct svc_events *events);

#endif
