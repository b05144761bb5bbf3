/* The streams of events on one loop. */
#include "libsvc/events/event_hub.h"

#include "libsvc/base/clock.h"
#include "libsvc/events/event_frame.h"

/* A drain is noticed within this time, and a heartbeat is late by as much. */
enum { TICK_MS = 250 };

static void set_tick(struct event_hub *hub)
{
    svc__wheel_set(&hub->loop->timers, &hub->tick.timer,
                   svc__clock_ns() + (uint64_t)TICK_MS * 1000000);
}

static void on_tick(struct svc_loop *loop, struct deadline *deadline)
{
    struct event_hub *hub =
        (struct event_hub *)(void *)((char *)deadline - offsetof(struct event_hub, tick));
    (void)loop;
    hub->now_ms = svc__clock_ms();
    set_tick(hub);
    if (hub->drains || atomic_load(hub->plan->draining) == DRAIN_NONE)
        return;
    hub->drains = true;
    for (struct svc_events *events = hub->streams; events; events = events->next)
        hub->act(events, true);
}

/* ---- Heartbeats */

static void set_timer(struct svc_events *events)
{
    if (events->beat_ms != UINT64_MAX)
        svc__wheel_set(&events->hub->loop->timers, &events->beat.timer, events->beat_ms * 1000000);
}

/* What was sent meanwhile has moved the time, and not the timer. */
static void on_beat(struct svc_loop *loop, struct deadline *deadline)
{
    struct svc_events *events =
        (struct svc_events *)(void *)((char *)deadline - offsetof(struct svc_events, beat));
    (void)loop;
    events->hub->now_ms = svc__clock_ms(); /* by an older time, the next one might be due already */
    if (events->hub->now_ms >= events->beat_ms) {
        svc__event_hub_postpone(events);
        events->hub->act(events, false);
    }
    set_timer(events);
}

void svc__event_hub_postpone(struct svc_events *events)
{
    bool beats = events->options.heartbeat_ms && events->hub;
    events->beat_ms = beats ? events->hub->now_ms + events->options.heartbeat_ms : UINT64_MAX;
}

/* ---- Its life */

static void free_hub(struct event_hub *hub)
{
    for (size_t i = 0; i < sizeof hub->beats / sizeof *hub->beats; i++)
        svc__frame_unref(hub->beats[i]);
    free(hub);
}

static struct event_hub *make_hub(struct svc_loop *loop, const struct plan *plan,
                                  void (*act)(struct svc_events *events, bool drains))
{
    struct event_hub *hub = calloc(1, sizeof *hub);
    if (!hub)
        return NULL;
    hub->loop = loop;
    hub->plan = plan;
    hub->now_ms = svc__clock_ms();
    hub->tick.expired = on_tick;
    hub->act = act;
    hub->beats[SVC_EVENT_STREAM] = svc__event_frame_beat(SVC_EVENT_STREAM);
    hub->beats[SVC_EVENT_NDJSON] = svc__event_frame_beat(SVC_EVENT_NDJSON);
    if (hub->beats[SVC_EVENT_STREAM] && hub->beats[SVC_EVENT_NDJSON]) {
        set_tick(hub);
        return hub;
    }
    free_hub(hub);
    return NULL;
}

int svc__event_hub_join(struct svc_events *events, const struct plan *plan,
                        void (*act)(struct svc_events *events, bool drains))
{
    struct svc_loop *loop = svc__reactor_here();
    if (!loop)
        return 0;
    if (!loop->events)
        loop->events = make_hub(loop, plan, act);
    struct event_hub *hub = loop->events;
    if (!hub)
        return SVC_ENOMEM;
    events->hub = hub;
    events->next = hub->streams;
    if (events->next)
        events->next->previous = events;
    hub->streams = events;
    events->beat.expired = on_beat;
    svc__event_hub_postpone(events);
    set_timer(events);
    return 0;
}

void svc__event_hub_leave(struct svc_events *events)
{
    struct event_hub *hub = events->hub;
    if (!hub)
        return;
    svc__wheel_cancel(&hub->loop->timers, &events->beat.timer);
    events->hub = NULL;
    if (events->next)
        events->next->previous = events->previous;
    *(events->previous ? &events->previous->next : &hub->streams) = events->next;
    events->next = events->previous = NULL;
    if (hub->streams)
        return;
    svc__wheel_cancel(&hub->loop->timers, &hub->tick.timer);
    hub->loop->events = NULL;
    free_hub(hub);
}
