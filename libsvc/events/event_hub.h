/*
 * The streams of events on one loop: their heartbeats, and their end when the service drains. A
 * loop has a hub as long as it has a stream, and a timer ticks as long.
 */
#ifndef SVC_EVENTS_EVENT_HUB_H
#define SVC_EVENTS_EVENT_HUB_H

#include "libsvc/events/event_state.h"
#include "libsvc/run/reactor.h"

struct event_hub {
    struct svc_loop *loop;
    struct deadline tick;
    void (*act)(struct svc_events *events, bool drains);
    bool drains;             /* the service does */
    const struct plan *plan; /* of the first stream's exchange */
    uint64_t now_ms;         /* when it last ticked */
    struct svc_events *streams;
    struct frame *beats[2]; /* by enum svc_event_format; all streams share them */
};

/*
 * Adds a stream that begins, of an exchange with that plan, to the hub of this thread's loop. The
 * hub calls `act` (the same function for all streams) when a heartbeat is due, or when the drain
 * has begun. 0, also without a loop; SVC_ENOMEM. The thread that reads.
 */
int svc__event_hub_join(struct svc_events *events, const struct plan *plan,
                        void (*act)(struct svc_events *events, bool drains));

/* Counts the time until the next heartbeat anew, by the hub's clock: something is sent. */
void svc__event_hub_postpone(struct svc_events *events);

/* Removes it, if it is in one. The loop's thread. */
void svc__event_hub_leave(struct svc_events *events);

#endif
