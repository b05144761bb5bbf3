/* Streams of events. */
#include <string.h>

#include <svc/request.h>

#include "libsvc/base/least.h"
#include "libsvc/base/rand.h"
#include "libsvc/base/sized.h"
#include "libsvc/base/utf8.h"
#include "libsvc/events/event_frame.h"
#include "libsvc/events/event_hub.h"
#include "libsvc/events/event_state.h"
#include "libsvc/events/topic.h"
#include "libsvc/exchange/response_internal.h"
#include "libsvc/exchange/waker.h"

enum {
    HOUR_MS = 3600000,
    LEAST_BEAT_MS = 1000,
    LEAST_QUEUE = 1024,
    MOST_QUEUE = 64 << 20,
    SPREAD_MS = 3000 /* over which clients come back from a drain, without a `retry_ms` */
};

/* ---- References */

static void drop_memory(struct svc_events *events)
{
    if (atomic_fetch_sub(&events->refs, 1) > 1)
        return;
    pthread_mutex_destroy(&events->lock);
    free(events);
}

svc_events *svc_events_ref(svc_events *events)
{
    if (!events)
        return NULL;
    atomic_fetch_add(&events->refs, 1);
    atomic_fetch_add(&events->senders, 1);
    return events;
}

static void end_stream(struct svc_events *events, bool unless_listens)
{
    pthread_mutex_lock(&events->lock);
    svc_waker *waker = NULL;
    if (!(unless_listens && events->listens) && !events->ended) {
        events->ended = true;
        waker = svc_waker_ref(events->waker);
    }
    pthread_mutex_unlock(&events->lock);
    svc_waker_wake(waker);
    svc_waker_unref(waker);
}

void svc_events_unref(svc_events *events)
{
    if (!events)
        return;
    if (atomic_fetch_sub(&events->senders, 1) == 1)
        end_stream(events, true);
    drop_memory(events);
}

void svc_events_end(svc_events *events)
{
    if (events)
        end_stream(events, false);
}

/* ---- Sending */

static int refusal_of(const struct svc_events *events)
{
    if (events->ended)
        return SVC_ECLOSED;
    return events->closed ? SVC_ECANCELLED : 0;
}

static void append_frame(struct svc_events *events, struct frame *frame)
{
    if (events->last)
        events->last->next = frame;
    else
        events->first = frame;
    events->last = frame;
    events->queued += frame->len;
}

int svc_events_send(svc_events *events, const char *event, const char *id, const char *data)
{
    struct frame *frame;
    if (!events)
        return SVC_ENOMEM;
    int error =
        svc__event_frame_make(events->options.format, &(struct event){event, id, data}, &frame);
    if (error)
        return error;
    svc_waker *waker = NULL;
    pthread_mutex_lock(&events->lock);
    error = refusal_of(events);
    if (!error && events->queued && events->queued + frame->len > events->options.queue_bytes)
        error = SVC_EAGAIN;
    if (!error) {
        append_frame(events, frame);
        waker = svc_waker_ref(events->waker);
    }
    pthread_mutex_unlock(&events->lock);
    if (error)
        svc__frame_unref(frame);
    svc_waker_wake(waker);
    svc_waker_unref(waker);
    return error;
}

/* ---- Reading */

static struct frame *take_queued(struct svc_events *events)
{
    pthread_mutex_lock(&events->lock);
    struct frame *frame = events->first;
    if (frame) {
        events->first = frame->next;
        events->queued -= frame->len;
        if (!events->first)
            events->last = NULL;
    }
    pthread_mutex_unlock(&events->lock);
    return frame;
}

/* The time until clients of a service that drains come back: its listeners are closed by then. */
static uint64_t parting_ms(const struct svc_events *events)
{
    const svc_config *config = events->waker->waker.x->request.plan->config;
    uint32_t random, spread = events->options.retry_ms ? events->options.retry_ms : SPREAD_MS;
    svc__rand_bytes(&random, sizeof random);
    return config->drain_delay_ms + random % spread;
}

/* The end of a stream: 0, or before that a `retry` in `*frame`. */
static int part(struct svc_events *events, struct frame **frame)
{
    bool first = events->drains && !events->parted;
    events->parted = true;
    if (!first || events->options.format != SVC_EVENT_STREAM)
        return 0;
    *frame = svc__event_frame_retry(parting_ms(events));
    return *frame ? 1 : 0;
}

static bool has_ended(struct svc_events *events)
{
    pthread_mutex_lock(&events->lock);
    bool ended = events->ended && !events->first;
    pthread_mutex_unlock(&events->lock);
    return ended;
}

/* Takes the next frame: 1. Otherwise as svc_source.read. */
static int take_frame(struct svc_events *events, struct frame **frame)
{
    *frame = take_queued(events);
    if (*frame)
        return 1;
    int taken = svc__topic_take(events, frame);
    if (taken != SVC_EAGAIN)
        return taken;
    if (has_ended(events))
        return part(events, frame);
    if (!events->beats)
        return SVC_EAGAIN;
    *frame = svc__frame_ref(events->hub->beats[events->options.format]);
    return 1;
}

static void drain_stream(struct svc_events *events)
{
    events->drains = true;
    pthread_mutex_lock(&events->lock);
    events->ended = true;
    pthread_mutex_unlock(&events->lock);
    svc__topic_drain(events);
}

/* When a heartbeat is due, or the service drains. */
static void act_on_hub(struct svc_events *events, bool drains)
{
    if (drains)
        drain_stream(events);
    else
        events->beats = true;
    svc_waker_wake(events->waker);
}

/* The first time, the exchange of the reply is known, and its loop. */
static int join_loop(struct svc_events *events)
{
    const struct plan *plan = events->waker->waker.x->request.plan;
    uint32_t most_ms = (uint32_t)plan->config->send_timeout_ms / 2;
    if (events->options.heartbeat_ms > most_ms)
        events->options.heartbeat_ms = most_ms;
    int error = svc__event_hub_join(events, plan, act_on_hub);
    if (!error)
        error = svc__topic_join(events);
    if (error)
        return error;
    events->joined = true;
    if (atomic_load(plan->draining) != DRAIN_NONE)
        drain_stream(events);
    return 0;
}

static int next_frame(struct reply_frames *frames, const struct frame **frame)
{
    struct svc_events *events = (struct svc_events *)(void *)frames;
    int error = events->joined ? 0 : join_loop(events);
    if (error)
        return error;
    if (!events->current) {
        int taken = take_frame(events, &events->current);
        if (taken <= 0)
            return taken;
        events->beats = false;
        svc__event_hub_postpone(events);
    }
    *frame = events->current;
    return 1;
}

static void pass_frame(struct reply_frames *frames)
{
    struct svc_events *events = (struct svc_events *)(void *)frames;
    svc__frame_unref(events->current);
    events->current = NULL;
    events->sent = 0;
}

static int64_t read_events(void *state, char *data, size_t len)
{
    struct svc_events *events = state;
    const struct frame *frame;
    size_t filled = 0;
    int taken = 1;
    while (filled < len && (taken = next_frame(&events->frames, &frame)) > 0) {
        struct bytes body = svc__frame_body(frame);
        size_t n = svc__least(body.len - events->sent, len - filled);
        memcpy(data + filled, body.data + events->sent, n);
        filled += n;
        events->sent += n;
        if (events->sent == body.len)
            pass_frame(&events->frames);
    }
    return filled ? (int64_t)filled : taken;
}

/* On the thread that reads, or that of a response that was never sent. */
static void close_events(void *state)
{
    struct svc_events *events = state;
    svc__event_hub_leave(events);
    svc__topic_leave(events);
    pthread_mutex_lock(&events->lock);
    struct frame *frame = events->first;
    svc_waker *waker = events->waker;
    events->first = events->last = NULL;
    events->queued = 0;
    events->waker = NULL;
    events->closed = true;
    pthread_mutex_unlock(&events->lock);
    for (struct frame *next; frame; frame = next) {
        next = frame->next;
        svc__frame_unref(frame);
    }
    svc__frame_unref(events->current);
    events->current = NULL;
    svc_waker_unref(waker);
    drop_memory(events);
}

/* ---- The reply */

static bool options_valid(const svc_events_options *options)
{
    bool beats = options->heartbeat_ms > 0;
    return (options->format == SVC_EVENT_STREAM || options->format == SVC_EVENT_NDJSON) &&
           options->retry_ms <= HOUR_MS &&
           (!beats ||
            (options->heartbeat_ms >= LEAST_BEAT_MS && options->heartbeat_ms <= HOUR_MS)) &&
           options->queue_bytes >= LEAST_QUEUE && options->queue_bytes <= MOST_QUEUE;
}

/* A stream with one reference, of its source. */
static struct svc_events *make_events(svc_response *res, const svc_events_options *options)
{
    struct svc_events *events = calloc(1, sizeof *events);
    if (!events)
        return NULL;
    events->frames = (struct reply_frames){next_frame, pass_frame};
    events->options = *options;
    atomic_init(&events->refs, 1);
    pthread_mutex_init(&events->lock, NULL);
    events->waker = svc_response_waker(res);
    bool asks = options->retry_ms && options->format == SVC_EVENT_STREAM;
    if (asks)
        events->current = svc__event_frame_retry(options->retry_ms);
    if (events->waker && (events->current || !asks))
        return events;
    close_events(events);
    return NULL;
}

static int set_fields(svc_response *res)
{
    int error = svc_response_set_header(res, "Cache-Control", "no-store, no-transform");
    return error ? error : svc_response_set_header(res, "X-Accel-Buffering", "no");
}

svc_events *svc_response_events(svc_response *res, const svc_events_options *options)
{
    static const char *const types[] = {
        [SVC_EVENT_STREAM] = "text/event-stream", [SVC_EVENT_NDJSON] = "application/x-ndjson"};
    svc_events_options own = SVC_EVENTS_OPTIONS_INIT;
    if (!res || (options && SIZED_READ(&own, options, queue_bytes)) || !options_valid(&own))
        return NULL;
    struct svc_events *events = make_events(res, &own);
    if (!events)
        return NULL;
    svc_events_ref(events);
    svc_source source = SVC_SOURCE_INIT;
    source.read = read_events;
    source.close = close_events;
    source.state = events;
    int error = svc_response_source(res, 200, types[own.format], &source);
    if (!error) {
        res->frames = &events->frames;
        error = set_fields(res);
    }
    if (!error)
        return events;
    svc__response_drop_body(res);
    svc_events_unref(events);
    return NULL;
}

const char *svc_request_last_event_id(const svc_request *req)
{
    const char *id = svc_request_header(req, "Last-Event-ID");
    size_t len = id ? strlen(id) : 0;
    bool valid = len > 0 && len <= SVC_EVENT_ID_BYTES && svc__utf8_valid(svc__bytes(id, len));
    return valid ? id : NULL;
}
