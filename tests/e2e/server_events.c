/* The server for the tests of event streams: topics of each policy, to which requests publish. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

enum { DROPS, SKIPS, HOLDS, LINES, TOPICS };

static const char *const names[TOPICS] = {"drops", "skips", "holds", "lines"};
static svc_topic *topics[TOPICS];

static svc_topic *find_topic(svc_request *req)
{
    const char *name = svc_request_param(req, "topic");
    for (size_t i = 0; i < TOPICS; i++)
        if (!strcmp(names[i], name))
            return topics[i];
    return NULL;
}

static int watch(svc_request *req, svc_response *res)
{
    svc_events_options options = SVC_EVENTS_OPTIONS_INIT;
    svc_topic *topic = find_topic(req);
    options.format = topic == topics[LINES] ? SVC_EVENT_NDJSON : SVC_EVENT_STREAM;
    options.heartbeat_ms = svc_request_query(req, "beats") ? 1000 : 0;
    svc_events *events = svc_response_events(res, &options);
    int error = svc_topic_listen(topic, events, svc_request_last_event_id(req));
    if (error == SVC_ENOTFOUND)
        error = svc_events_send(events, "reset", NULL, "");
    svc_events_unref(events);
    return error;
}

static int publish(svc_request *req, svc_response *res)
{
    int error = svc_topic_publish(find_topic(req), NULL, svc_request_query(req, "id"),
                                  svc_request_query(req, "data"));
    return error ? error : svc_response_empty(res, 204);
}

/* Publishes `n` events of 10,000 bytes, on a worker, which may be held. */
static int flood(svc_request *req, svc_response *res)
{
    static const char digits[] = "0123456789";
    char text[10001];
    for (size_t i = 0; i < 10000; i++)
        text[i] = digits[i % 10];
    text[10000] = '\0';
    int n = atoi(svc_request_query(req, "n")), error = 0;
    for (int i = 0; i < n && !error; i++)
        error = svc_topic_publish(find_topic(req), NULL, NULL, text);
    return error ? error : svc_response_text(res, 200, "published");
}

static int greet(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events *events = svc_response_events(res, NULL);
    int error = svc_events_send(events, "hello", "1", "a\nb");
    svc_events_unref(events);
    return error;
}

static int say_ok(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

int main(void)
{
    svc_app *app = svc_app_new("events");
    for (int i = 0; i < TOPICS; i++) {
        svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
        options.slow = i == LINES ? SVC_SLOW_DROP : i;
        options.format = i == LINES ? SVC_EVENT_NDJSON : SVC_EVENT_STREAM;
        options.backlog = 16;
        topics[i] = svc_topic_new(app, names[i], &options);
    }
    svc_app_get(app, "/watch/{topic}", watch, NULL);
    svc_app_post(app, "/publish/{topic}", publish, NULL);
    svc_app_get(app, "/greet", greet, NULL);
    svc_app_get(app, "/ok", say_ok, NULL);
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = "POST /flood/{topic}";
    route.handler = flood;
    route.flags = SVC_BLOCKING;
    route.timeout_ms = 60000;
    svc_app_route(app, &route);
    return svc_app_run(app);
}
