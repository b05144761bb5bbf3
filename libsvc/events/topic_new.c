/* The constructor of topics: checks the program's options, and reports every mistake. */
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/sized.h"
#include "libsvc/events/topic.h"

enum { NAME_BYTES = 64, LEAST_BACKLOG = 2, MOST_BACKLOG = 65536, LEAST_BYTES = 4096 };

static const size_t most_bytes = (size_t)1 << 30;

#define WRONG(app, ...)                                                                            \
    (svc__faults_add(&(app)->faults, NULL, 0, "svc_topic_new: " __VA_ARGS__), SVC_EINVAL)

static int check_topic(svc_app *app, const char *name, const svc_topic_options *options)
{
    if (!svc__app_name_valid(name) || strlen(name) > NAME_BYTES)
        return WRONG(app, "a name has 1 to %d letters, digits, '_', '-'", NAME_BYTES);
    if (options->format != SVC_EVENT_STREAM && options->format != SVC_EVENT_NDJSON)
        return WRONG(app, "\"%s\": format is no svc_event_format", name);
    if (options->slow < SVC_SLOW_DROP || options->slow > SVC_SLOW_HOLD)
        return WRONG(app, "\"%s\": slow is no svc_topic_slow", name);
    if (options->backlog < LEAST_BACKLOG || options->backlog > MOST_BACKLOG)
        return WRONG(app, "\"%s\": backlog is %d to %d", name, LEAST_BACKLOG, MOST_BACKLOG);
    if (options->backlog_bytes < LEAST_BYTES || options->backlog_bytes > most_bytes)
        return WRONG(app, "\"%s\": backlog_bytes is %d to %zu", name, LEAST_BYTES, most_bytes);
    return 0;
}

/* Nobody listens or publishes any more. */
static void free_topic(void *arg)
{
    struct svc_topic *topic = arg;
    for (; topic->first < topic->next; topic->first++)
        svc__frame_unref(topic->slots[topic->first % topic->options.backlog].frame);
    for (struct topic_group *next, *group = topic->groups; group; group = next) {
        next = group->next;
        free(group);
    }
    free(topic->slots);
    pthread_cond_destroy(&topic->room);
    pthread_mutex_destroy(&topic->lock);
}

static int count_topic(svc_app *app, void *arg)
{
    struct svc_topic *topic = arg;
    struct metrics *in = svc__app_root(app)->metrics;
    topic->published =
        svc_counter_of(svc__metric_counters(in, "svc_topic_events_total",
                                            "Events that were published to topics.", "topic"),
                       1, &topic->name);
    topic->gauge = svc_gauge_of(
        svc__metric_gauges(in, "svc_topic_listeners", "Streams that listen to topics.", "topic"), 1,
        &topic->name);
    svc_counter_family *slow = svc__metric_counters(
        in, "svc_topic_slow_total",
        "Listeners dropped, events that a listener missed, and publishers held by slow listeners.",
        "topic,action");
    topic->dropped = svc_counter_of(slow, 2, (const char *[]){topic->name, "dropped"});
    topic->skipped = svc_counter_of(slow, 2, (const char *[]){topic->name, "skipped"});
    topic->held = svc_counter_of(slow, 2, (const char *[]){topic->name, "held"});
    return 0;
}

static struct svc_topic *make_topic(svc_app *app, const char *name,
                                    const svc_topic_options *options)
{
    struct svc_topic *topic = svc__arena_zalloc(&app->memory, sizeof *topic);
    if (!topic)
        return NULL;
    topic->options = *options;
    topic->name = svc__arena_strndup(&app->memory, name, strlen(name));
    topic->slots = calloc(options->backlog, sizeof *topic->slots);
    if (!topic->name || !topic->slots || svc__arena_defer(&app->memory, free_topic, topic)) {
        free(topic->slots);
        return NULL;
    }
    pthread_mutex_init(&topic->lock, NULL);
    pthread_cond_init(&topic->room, NULL);
    return topic;
}

svc_topic *svc_topic_new(svc_app *app, const char *name, const svc_topic_options *options)
{
    svc_topic_options own = SVC_TOPIC_OPTIONS_INIT;
    if (svc__app_open(app, "svc_topic_new"))
        return NULL;
    if (options && SIZED_READ(&own, options, backlog_bytes)) {
        (void)WRONG(app, "options need SVC_TOPIC_OPTIONS_INIT");
        return NULL;
    }
    if (check_topic(app, name, &own))
        return NULL;
    struct svc_topic *topic = make_topic(app, name, &own);
    if (!topic) {
        svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_topic_new");
        return NULL;
    }
    return svc_app_add_hook(app, count_topic, NULL, topic) ? NULL : topic;
}
