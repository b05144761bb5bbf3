/* Events as they are sent: rendered once, with the framing of a chunk around them. */
#ifndef SVC_EVENTS_EVENT_FRAME_H
#define SVC_EVENTS_EVENT_FRAME_H

#include <svc/events.h>

#include "libsvc/reply/response_frames.h"

/* An event, as svc_events_send has it. */
struct event {
    const char *name, *id, *data;
};

/* Renders an event. 0 with a reference in `*frame`, or an error as svc_events_send. Any thread. */
int svc__event_frame_make(int format, const struct event *event, struct frame **frame);

/* Renders a `retry`, for SVC_EVENT_STREAM. NULL when out of memory. Any thread. */
struct frame *svc__event_frame_retry(uint64_t retry_ms);

/* Renders a heartbeat. NULL when out of memory. Any thread. */
struct frame *svc__event_frame_beat(int format);

#endif
