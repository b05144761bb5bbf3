/*
 * Event streams: replies without an end, for browsers' EventSource (WHATWG HTML, "Server-sent
 * events") or as newline-delimited JSON, and topics, by which one event goes to all that listen.
 *
 *     static int watch(svc_request *req, svc_response *res)
 *     {
 *         svc_events *events = svc_response_events(res, NULL);
 *         int error = svc_topic_listen(topic, events, svc_request_last_event_id(req));
 *         if (error == SVC_ENOTFOUND)
 *             error = svc_events_send(events, "reset", NULL, "read everything anew");
 *         svc_events_unref(events);
 *         return error;
 *     }
 *
 *     svc_topic_publish(topic, "price", "17", "{\"shoes\":20}");     on any thread
 *
 * A stream ends when svc_events_end is called, when nobody is left who could send (no reference,
 * and no topic), when the client has left, and when the service drains. At such a drain clients get
 * a `retry` first that leads them to another instance: the drain delay, and a random part of
 * `retry_ms`.
 *
 * The reply has `Cache-Control: no-store, no-transform` and `X-Accel-Buffering: no`, so that no
 * proxy keeps or compresses it, and neither does svc_compress_new. It closes its connection.
 *
 * All calls accept NULL, which svc_response_events and svc_topic_new return when out of memory:
 * they then return SVC_ENOMEM. docs/events.md has examples, and the settings of proxies.
 */
#ifndef SVC_EVENTS_H
#define SVC_EVENTS_H

#include <svc/types.h>

SVC_BEGIN_DECLS

typedef struct svc_events svc_events; /* a stream: one reply */
typedef struct svc_topic svc_topic;   /* events for all streams that listen */

enum {
    SVC_EVENT_BYTES = 1 << 20, /* the longest event, as it is sent */
    SVC_EVENT_ID_BYTES = 256   /* the longest id */
};

/* How events are sent. */
enum svc_event_format {
    SVC_EVENT_STREAM, /* text/event-stream */
    SVC_EVENT_NDJSON  /* application/x-ndjson: each event is a line of JSON, without a name; its id
                         is not  sent. An empty line is a heartbeat */
};

/* ---- Streams */

/* The options. Begin with SVC_EVENTS_OPTIONS_INIT. */
typedef struct svc_events_options {
    size_t size; /* set by SVC_EVENTS_OPTIONS_INIT */
    int format;  /* of enum svc_event_format */

    /* How long a client waits before it comes back: sent when the stream begins. 0 to 3600000 ms.
     */
    uint32_t retry_ms;

    /* A comment is sent when nothing else was for so long, 1000 to 3600000 ms; 0: none is. At most
     * half of `send_timeout_ms` applies, since that setting cuts a reply that is silent. */
    uint32_t heartbeat_ms;

    /* The most bytes that wait for a client that reads slowly, its topic's not counted: 1024 to 64
     * MiB. One event is always taken. */
    size_t queue_bytes;
} svc_events_options;

#define SVC_EVENTS_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(svc_events_options), 0, 3000, 15000, 65536                                          \
    }

/*
 * Answers 200 with a stream of events, whose head is sent at once. NULL options are the defaults.
 * Returns a reference, which the caller gives back with svc_events_unref; with it any thread may
 * send, also after the request. NULL when out of memory or for a bad option; the response is then
 * unchanged, and a handler that returns the error of svc_events_send is answered 500. The thread
 * that has the response. Since: 0.1
 */
SVC_API svc_events *svc_response_events(svc_response *res,
                                        const svc_events_options *options) SVC_MUST_CHECK;

/*
 * Sends an event. `event` is its name, or NULL for the client's default ("message"). `id` is what
 * the client sends as Last-Event-ID when it comes back; NULL leaves its last id as it is, ""
 * removes it. `data` may have several lines: each CR, LF and CRLF ends one, and clients read LF.
 * All are UTF-8, and copied. 0 when it is queued. Else nothing is sent: SVC_EINVAL for NULL data,
 * text that is not UTF-8, a name that is empty or has a line break, an id with control characters
 * or white space at its ends, and, as NDJSON, a name, or data that is not one line of JSON;
 * SVC_ETOOBIG; SVC_EAGAIN when `queue_bytes` are waiting; SVC_ECLOSED after svc_events_end, or in a
 * drain; SVC_ECANCELLED when the client has left. Any thread. Since: 0.1
 */
SVC_API int svc_events_send(svc_events *events, const char *event, const char *id,
                            const char *data);

/* Ends the stream behind the events that are queued. Any thread. Since: 0.1 */
SVC_API void svc_events_end(svc_events *events);

/* Another reference. Returns `events`. Any thread that has one. Since: 0.1 */
SVC_API svc_events *svc_events_ref(svc_events *events);

/* Gives a reference back. The last one ends the stream, unless it listens to a topic. Any thread.
 * Since: 0.1 */
SVC_API void svc_events_unref(svc_events *events);

/*
 * The id of the last event that the client has seen: the field Last-Event-ID. NULL when the client
 * has seen none, or the field is not UTF-8 or longer than SVC_EVENT_ID_BYTES. Borrowed from the
 * request, whose thread calls it. Since: 0.1
 */
SVC_API const char *svc_request_last_event_id(const svc_request *req);

/* ---- Topics */

/* What happens to a listener that has not taken an event before the topic's backlog is full. */
enum svc_topic_slow {
    SVC_SLOW_DROP, /* its stream is cut: the client comes back with its Last-Event-ID */
    SVC_SLOW_SKIP, /* it misses the event */
    SVC_SLOW_HOLD  /* the publisher waits for it */
};

/* The options. Begin with SVC_TOPIC_OPTIONS_INIT. */
typedef struct svc_topic_options {
    size_t size; /* set by SVC_TOPIC_OPTIONS_INIT */
    int format;  /* of enum svc_event_format: that of its streams */
    int slow;    /* of enum svc_topic_slow */

    /* The events that are kept for slow listeners and for clients that come back: at most so many,
     * 2 to 65536, and at most so many bytes, 4096 to 1 GiB. */
    uint32_t backlog;
    size_t backlog_bytes;
} svc_topic_options;

#define SVC_TOPIC_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(svc_topic_options), 0, 0, 256, (size_t)1 << 20                                      \
    }

/*
 * Makes a topic. `name`, 1 to 64 letters, digits, '.', '_' and '-', is the label of its metrics.
 * NULL options are the defaults. Owned by the app. NULL for a bad name or option, once started, or
 * when out of memory, kept as a set-up error. Before start only. Since: 0.1
 */
SVC_API svc_topic *svc_topic_new(svc_app *app, const char *name, const svc_topic_options *options);

/*
 * Has a stream listen to a topic. With a `last_id`, the events behind the one of that id come
 * first. 0; SVC_ENOTFOUND when the backlog has no such event (any more): the stream listens, from
 * now on, and the client has missed events, which the handler tells it. SVC_EINVAL for another
 * format; SVC_ESTATE if it listens already. What is sent to the stream itself comes before events
 * of the topic that it has not sent yet. The thread that has the response, before it is given up:
 * within the handler, mostly. Since: 0.1
 */
SVC_API int svc_topic_listen(svc_topic *topic, svc_events *events, const char *last_id);

/*
 * Sends an event to all streams that listen. It is rendered once, and all share its bytes. 0;
 * errors for the event as svc_events_send; SVC_ETOOBIG also for more than `backlog_bytes`. With
 * SVC_SLOW_HOLD it waits until the slowest listener has taken an event, or has left, at the latest
 * after `send_timeout_ms`; on an event loop it does not wait: SVC_EAGAIN. Any thread, until the app
 * is freed. Since: 0.1
 */
SVC_API int svc_topic_publish(svc_topic *topic, const char *event, const char *id,
                              const char *data);

/* The number of streams that listen now. 0 for NULL. Any thread. Since: 0.1 */
SVC_API size_t svc_topic_listeners(const svc_topic *topic);

SVC_END_DECLS

#endif
