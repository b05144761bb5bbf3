/* Topics. */
#include "libsvc/events/topic.h"

#include <string.h>

#include <svc/loop.h>

#include "libsvc/events/event_frame.h"
#include "libsvc/exchange/waker.h"
#include "libsvc/run/reactor.h"

static struct topic_slot *slot_of(const struct svc_topic *topic, uint64_t number)
{
    return &topic->slots[number % topic->options.backlog];
}

enum { WOKEN_A_TURN = 64 };

/* ---- Places of listeners, under the lock */

/* The count of the listeners that take event `number` next. */
static size_t *count_at(struct svc_topic *topic, uint64_t number)
{
    return number == topic->next ? &topic->up_to_date : &slot_of(topic, number)->at;
}

static void place_listener(struct svc_topic *topic, struct listener *listener, uint64_t number)
{
    listener->at = number;
    ++*count_at(topic, number);
}

/* A listener that was overtaken is counted nowhere. */
static void displace_listener(struct svc_topic *topic, const struct listener *listener)
{
    if (listener->at < topic->first)
        return;
    size_t *count = count_at(topic, listener->at);
    if (--*count == 0 && listener->at == topic->first)
        pthread_cond_broadcast(&topic->room);
}

/* ---- Publishing */

static bool fits(const struct svc_topic *topic, size_t len)
{
    return topic->next - topic->first < topic->options.backlog &&
           topic->bytes + len <= topic->options.backlog_bytes;
}

static void evict_oldest(struct svc_topic *topic)
{
    struct topic_slot *slot = slot_of(topic, topic->first);
    if (topic->options.slow == SVC_SLOW_SKIP)
        svc__counter_add(topic->skipped, slot->at);
    topic->bytes -= slot->frame->len;
    svc__frame_unref(slot->frame);
    *slot = (struct topic_slot){NULL, 0};
    topic->first++;
}

/* Listeners of an event that is evicted find that they were overtaken: see svc__topic_take. */
static int evict_for(struct svc_topic *topic, size_t len)
{
    bool holds = topic->options.slow == SVC_SLOW_HOLD, held = false;
    while (!fits(topic, len)) {
        if (!holds || slot_of(topic, topic->first)->at == 0) {
            evict_oldest(topic);
            continue;
        }
        if (!held)
            svc__counter_add(topic->held, 1);
        held = true;
        if (svc__reactor_on_loop())
            return SVC_EAGAIN;
        pthread_cond_wait(&topic->room, &topic->lock);
    }
    return 0;
}

static void append_event(struct svc_topic *topic, struct frame *frame)
{
    *slot_of(topic, topic->next) = (struct topic_slot){frame, topic->up_to_date};
    topic->up_to_date = 0;
    topic->next++;
    topic->bytes += frame->len;
    svc__counter_add(topic->published, 1);
}

/* Begins with the first listener, unless some of them are still to be woken. */
static struct svc_events *first_to_wake(struct topic_group *group)
{
    if (group->wake_next)
        return group->wake_next;
    pthread_mutex_lock(&group->topic->lock);
    group->woken = group->topic->next;
    pthread_mutex_unlock(&group->topic->lock);
    return group->listeners;
}

/* The memory of so many listeners is in no cache: while one is sent to, that of the next three is
 * fetched, one pointer further for each. */
static void fetch_ahead(const struct svc_events *next)
{
    const struct svc_events *second = next ? next->listener.next : NULL;
    const struct svc_events *third = second ? second->listener.next : NULL;
    if (third)
        __builtin_prefetch(&third->listener);
    if (second)
        __builtin_prefetch(second->waker);
    if (!next)
        return;
    const struct exchange *x = next->waker->waker.x;
    __builtin_prefetch(&x->response);
    __builtin_prefetch(&x->transport);
    __builtin_prefetch(&x->away);
    __builtin_prefetch(&next->lock);
    __builtin_prefetch(&next->current);
}

/*
 * On the loop's thread: wakes some listeners, and the rest in the loop's next turns, so that other
 * requests have their share of it. Those that still send are not waiting, and are not woken.
 */
static void wake_group(void *arg)
{
    struct topic_group *group = arg;
    struct svc_topic *topic = group->topic;
    struct svc_events *events = first_to_wake(group);
    for (int i = 0; i < WOKEN_A_TURN && events; i++) {
        group->wake_next = events->listener.next;
        fetch_ahead(group->wake_next);
        svc__waker_fire_here(&events->waker->waker);
        events = group->wake_next;
    }
    pthread_mutex_lock(&topic->lock);
    bool again = events || group->woken != topic->next;
    group->posted = again && !svc_loop_post(group->loop, wake_group, group);
    pthread_mutex_unlock(&topic->lock);
}

/* Without memory to post, the streams of a loop get the event with the next one or a heartbeat. */
static void post_groups(struct svc_topic *topic)
{
    for (struct topic_group *group = topic->groups; group; group = group->next)
        if (group->count && !group->posted)
            group->posted = !svc_loop_post(group->loop, wake_group, group);
}

int svc_topic_publish(svc_topic *topic, const char *event, const char *id, const char *data)
{
    struct frame *frame;
    if (!topic)
        return SVC_ENOMEM;
    int error =
        svc__event_frame_make(topic->options.format, &(struct event){event, id, data}, &frame);
    if (error)
        return error;
    if (frame->len > topic->options.backlog_bytes) {
        svc__frame_unref(frame);
        return SVC_ETOOBIG;
    }
    pthread_mutex_lock(&topic->lock);
    error = evict_for(topic, frame->len);
    if (!error) {
        append_event(topic, frame);
        post_groups(topic);
    }
    pthread_mutex_unlock(&topic->lock);
    if (error)
        svc__frame_unref(frame);
    return error;
}

/* ---- Listening */

/* The number behind the event of that id; `next` with SVC_ENOTFOUND if there is none. */
static int find_event(const struct svc_topic *topic, const char *id, uint64_t *number)
{
    *number = topic->next;
    for (uint64_t n = topic->next; id && n > topic->first; n--)
        if (strcmp(svc__frame_id(slot_of(topic, n - 1)->frame), id) == 0) {
            *number = n;
            return 0;
        }
    return id ? SVC_ENOTFOUND : 0;
}

/* 0, or SVC_ESTATE: it listens to a topic, or has had its end. */
static int begin_listening(struct svc_events *events)
{
    pthread_mutex_lock(&events->lock);
    int error = events->listens || events->ended || events->closed ? SVC_ESTATE : 0;
    if (!error)
        events->listens = true;
    pthread_mutex_unlock(&events->lock);
    return error;
}

int svc_topic_listen(svc_topic *topic, svc_events *events, const char *last_id)
{
    uint64_t number;
    if (!topic || !events)
        return SVC_ENOMEM;
    if (topic->options.format != events->options.format)
        return SVC_EINVAL;
    int error = begin_listening(events);
    if (error)
        return error;
    pthread_mutex_lock(&topic->lock);
    error = find_event(topic, last_id, &number);
    events->listener.topic = topic;
    events->listener.until = UINT64_MAX;
    place_listener(topic, &events->listener, number);
    pthread_mutex_unlock(&topic->lock);
    atomic_fetch_add(&topic->listeners, 1);
    svc__gauge_add(topic->gauge, 1);
    return error;
}

static struct topic_group *find_group(struct svc_topic *topic, struct svc_loop *loop)
{
    struct topic_group *group = topic->groups;
    while (group && group->loop != loop)
        group = group->next;
    if (group)
        return group;
    group = calloc(1, sizeof *group);
    if (!group)
        return NULL;
    *group = (struct topic_group){.topic = topic, .loop = loop, .next = topic->groups};
    topic->groups = group;
    return group;
}

int svc__topic_join(struct svc_events *events)
{
    struct listener *own = &events->listener;
    struct svc_loop *loop = svc__reactor_here();
    if (!own->topic || !loop)
        return 0;
    pthread_mutex_lock(&own->topic->lock);
    struct topic_group *group = find_group(own->topic, loop);
    if (group)
        group->count++;
    pthread_mutex_unlock(&own->topic->lock);
    if (!group)
        return SVC_ENOMEM;
    own->group = group;
    own->next = group->listeners;
    if (own->next)
        own->next->listener.previous = events;
    group->listeners = events;
    return 0;
}

/* Whether a listener that was overtaken goes on, with the oldest event. */
static bool catch_up(struct svc_topic *topic, struct listener *listener)
{
    if (topic->options.slow == SVC_SLOW_DROP)
        return false;
    /* Each event was counted for those who were at it; this one has missed all that followed. */
    svc__counter_add(topic->skipped, topic->first - listener->at - 1);
    place_listener(topic, listener, topic->first);
    return true;
}

int svc__topic_take(struct svc_events *events, struct frame **frame)
{
    struct listener *own = &events->listener;
    struct svc_topic *topic = own->topic;
    int taken = SVC_EAGAIN;
    if (!topic)
        return taken;
    pthread_mutex_lock(&topic->lock);
    if (own->at < topic->first && !catch_up(topic, own)) {
        taken = SVC_ETOOBIG;
    } else if (own->at < topic->next && own->at < own->until) {
        taken = 1;
        *frame = svc__frame_ref(slot_of(topic, own->at)->frame);
        displace_listener(topic, own);
        place_listener(topic, own, own->at + 1);
    }
    pthread_mutex_unlock(&topic->lock);
    if (taken == SVC_ETOOBIG)
        svc__counter_add(topic->dropped, 1);
    return taken;
}

void svc__topic_drain(struct svc_events *events)
{
    struct svc_topic *topic = events->listener.topic;
    if (!topic)
        return;
    pthread_mutex_lock(&topic->lock);
    events->listener.until = topic->next;
    pthread_mutex_unlock(&topic->lock);
}

static void leave_group(struct svc_events *events)
{
    struct listener *own = &events->listener;
    if (own->group->wake_next == events)
        own->group->wake_next = own->next;
    if (own->next)
        own->next->listener.previous = own->previous;
    *(own->previous ? &own->previous->listener.next : &own->group->listeners) = own->next;
    own->group->count--;
}

void svc__topic_leave(struct svc_events *events)
{
    struct listener *own = &events->listener;
    struct svc_topic *topic = own->topic;
    if (!topic)
        return;
    pthread_mutex_lock(&topic->lock);
    displace_listener(topic, own);
    if (own->group)
        leave_group(events);
    pthread_mutex_unlock(&topic->lock);
    own->topic = NULL;
    atomic_fetch_sub(&topic->listeners, 1);
    svc__gauge_add(topic->gauge, -1);
}

size_t svc_topic_listeners(const svc_topic *topic)
{
    return topic ? atomic_load(&topic->listeners) : 0;
}
