/*
 * A stream of events: a source whose frames wait in a queue of its own, behind which come those of
 * the topic that it listens to. Any thread sends; the loop of its exchange reads.
 */
#ifndef SVC_EVENTS_EVENT_STATE_H
#define SVC_EVENTS_EVENT_STATE_H

#include <pthread.h>

#include <svc/events.h>

#include "libsvc/reply/response_frames.h"
#include "libsvc/run/reactor.h"

struct event_hub;
struct svc_topic;
struct topic_group;

/* A stream's place among the listeners of a topic; see topic.h. */
struct listener {
    struct svc_topic *topic; /* NULL: it listens to none, or has left */
    uint64_t at;    /* the number of the event that it takes next; under the topic's lock */
    uint64_t until; /* of a stream that drains: it takes no event from this one on */
    struct topic_group *group;          /* the listeners of its loop, once it has one: */
    struct svc_events *next, *previous; /* its neighbours there; for the loop's thread */
};

struct svc_events {
    struct reply_frames frames; /* first: it is the source's state */
    _Atomic unsigned refs;      /* references that keep the memory */
    _Atomic unsigned senders;   /* references of those who may send */
    svc_waker *waker;           /* of the response; NULL once it is closed: see `lock` */
    svc_events_options options;

    pthread_mutex_t lock; /* for these: */
    struct frame *first, *last;
    size_t queued; /* bytes */
    bool listens;  /* to a topic, which is a sender too */
    bool ended;    /* nothing more is queued */
    bool closed;   /* nobody reads any more */

    /* For the thread that reads. */
    struct frame *current; /* not sent whole yet; a reference */
    size_t sent; /* bytes of its body that were read; a front that sends frames counts itself */
    bool joined; /* it has begun */
    bool drains; /* it ends because the service does */
    bool parted; /* what precedes such an end was sent */
    bool beats;  /* a heartbeat is due */
    struct event_hub *hub; /* NULL: it is on no loop */
    struct deadline beat;  /* armed while it is in a hub, and set anew only when it comes */
    uint64_t beat_ms;      /* when a heartbeat is due, of svc__clock_ms; UINT64_MAX: never */
    struct svc_events *next, *previous; /* in the hub's list */
    struct listener listener;
};

#endif
