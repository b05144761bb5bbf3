/* Event streams and topics, without sockets. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svc.h>

/* What handlers do, and what they have found. */
static svc_topic *topic;
static svc_events *kept;
static int found;

static svc_app *make(svc_handler *handler)
{
    svc_app *app = svc_app_new("test");
    svc_app_get(app, "/", handler, NULL);
    return app;
}

static svc_reply *get(svc_app *app, const char *last_id, unsigned ms)
{
    svc_test test = SVC_TEST_INIT;
    const char *headers[] = {"Last-Event-ID", last_id, NULL};
    test.headers = last_id ? headers : NULL;
    test.timeout_ms = ms;
    return svc_app_test(app, &test);
}

static void expect_body(svc_app *app, const char *last_id, const char *body)
{
    svc_reply *reply = get(app, last_id, 10000);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), body);
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    svc_reply_free(reply);
}

/* ---- A stream */

static int greet(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events *events = svc_response_events(res, NULL);
    int error = svc_events_send(events, "hello", "1", "a\nb");
    if (!error)
        error = svc_events_send(events, NULL, NULL, "c");
    svc_events_unref(events);
    return error;
}

Test(events, a_stream_ends_with_its_last_sender)
{
    svc_app *app = make(greet);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL),
                     "retry: 3000\n\nevent: hello\nid: 1\ndata: a\ndata: b\n\ndata: c\n\n");
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "text/event-stream");
    cr_expect_str_eq(svc_reply_header(reply, "Cache-Control"), "no-store, no-transform");
    cr_expect_str_eq(svc_reply_header(reply, "X-Accel-Buffering"), "no");
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int keep(svc_request *req, svc_response *res)
{
    (void)req;
    kept = svc_response_events(res, NULL);
    return svc_events_send(kept, NULL, NULL, "a");
}

Test(events, a_stream_without_an_end_ends_a_test_by_its_limit)
{
    svc_app *app = make(keep);
    svc_reply *reply = get(app, NULL, 50);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "retry: 3000\n\ndata: a\n\n");
    cr_expect_eq(svc_reply_outcome(reply), SVC_CLIENT_GONE);
    cr_expect_eq(svc_events_send(kept, NULL, NULL, "b"), SVC_ECANCELLED);
    svc_events_unref(kept);
    svc_reply_free(reply);
    svc_app_free(app);
}

static void *send_more(void *arg)
{
    svc_events *events = arg;
    char text[16];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%d", i);
        cr_expect_eq(svc_events_send(events, NULL, NULL, text), 0);
        sched_yield();
    }
    svc_events_end(events);
    cr_expect_eq(svc_events_send(events, NULL, NULL, "late"), SVC_ECLOSED);
    svc_events_unref(events);
    return NULL;
}

static pthread_t sender;

static int start_sender(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events *events = svc_response_events(res, NULL);
    return pthread_create(&sender, NULL, send_more, events) ? SVC_ESYSTEM : 0;
}

Test(events, another_thread_sends_and_ends)
{
    svc_app *app = make(start_sender);
    svc_reply *reply = svc_app_test_get(app, "/");
    pthread_join(sender, NULL);
    char wanted[4096];
    int len = snprintf(wanted, sizeof wanted, "retry: 3000\n\n");
    for (int i = 0; i < 100; i++)
        len += snprintf(wanted + len, sizeof wanted - (size_t)len, "data: %d\n\n", i);
    cr_expect_str_eq(svc_reply_body(reply, NULL), wanted);
    svc_reply_free(reply);
    svc_app_free(app);
}

static int fill(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events_options options = SVC_EVENTS_OPTIONS_INIT;
    options.queue_bytes = 1024;
    options.retry_ms = 0;
    svc_events *events = svc_response_events(res, &options);
    char text[2001];
    memset(text, 'a', 2000);
    text[2000] = '\0';
    found = svc_events_send(events, NULL, NULL, text);
    cr_expect_eq(found, 0, "one event is always taken");
    found = svc_events_send(events, NULL, NULL, "b");
    svc_events_unref(events);
    return 0;
}

Test(events, a_queue_has_a_ceiling)
{
    svc_app *app = make(fill);
    svc_reply *reply = svc_app_test_get(app, "/");
    size_t len;
    svc_reply_body(reply, &len);
    cr_expect_eq(found, SVC_EAGAIN);
    cr_expect_eq(len, 2000 + strlen("data: \n\n"));
    svc_reply_free(reply);
    svc_app_free(app);
}

static int refuse(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events *events = svc_response_events(res, NULL);
    cr_expect_eq(svc_events_send(events, "a\nb", NULL, "c"), SVC_EINVAL);
    cr_expect_eq(svc_events_send(events, NULL, "a\nb", "c"), SVC_EINVAL);
    cr_expect_eq(svc_events_send(events, NULL, NULL, "\xff"), SVC_EINVAL);
    svc_events_unref(events);
    return 0;
}

Test(events, a_refused_event_sends_nothing)
{
    svc_app *app = make(refuse);
    expect_body(app, NULL, "retry: 3000\n\n");
    svc_app_free(app);
}

static int try_options(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events_options options[6];
    for (size_t i = 0; i < 6; i++)
        options[i] = (svc_events_options)SVC_EVENTS_OPTIONS_INIT;
    options[0].format = 2;
    options[1].retry_ms = 3600001;
    options[2].heartbeat_ms = 999;
    options[3].queue_bytes = 1023;
    options[4].size = 1;
    options[5].heartbeat_ms = 3600001;
    for (size_t i = 0; i < 6; i++)
        cr_expect_null(svc_response_events(res, &options[i]), "%zu", i);
    cr_expect_null(svc_response_events(NULL, NULL));
    return svc_response_text(res, 200, "plain");
}

Test(events, bad_options_leave_the_response_unchanged)
{
    svc_app *app = make(try_options);
    expect_body(app, NULL, "plain");
    svc_app_free(app);
}

static int change_mind(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events *events = svc_response_events(res, NULL);
    int error = svc_response_text(res, 200, "plain");
    cr_expect_eq(svc_events_send(events, NULL, NULL, "a"), SVC_ECANCELLED);
    svc_events_unref(events);
    return error;
}

Test(events, a_later_answer_replaces_the_stream)
{
    svc_app *app = make(change_mind);
    expect_body(app, NULL, "plain");
    svc_app_free(app);
}

static int answer_later(svc_request *req, svc_response *res)
{
    (void)res;
    svc_pending *pending = svc_request_defer(req, NULL, NULL);
    svc_response *late = svc_response_new();
    svc_events *events = svc_response_events(late, NULL);
    int error = svc_topic_listen(topic, events, "3");
    cr_expect_eq(error, topic ? 0 : SVC_ENOMEM);
    error = svc_events_send(events, NULL, NULL, "own");
    svc_events_end(events);
    svc_events_unref(events);
    svc_pending_complete(pending, late);
    svc_pending_unref(pending);
    return error;
}

Test(events, a_deferred_answer_may_be_a_stream)
{
    svc_app *app = make(answer_later);
    topic = NULL;
    expect_body(app, NULL, "retry: 3000\n\ndata: own\n\n");
    svc_app_free(app);
}

static int send_json(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events_options options = SVC_EVENTS_OPTIONS_INIT;
    options.format = SVC_EVENT_NDJSON;
    svc_events *events = svc_response_events(res, &options);
    int error = svc_events_send(events, NULL, NULL, "{\"a\":1}");
    if (!error)
        error = svc_events_send(events, NULL, NULL, "[2]");
    svc_events_unref(events);
    return error;
}

Test(events, lines_of_json)
{
    svc_app *app = make(send_json);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_str_eq(svc_reply_body(reply, NULL), "{\"a\":1}\n[2]\n");
    cr_expect_str_eq(svc_reply_header(reply, "Content-Type"), "application/x-ndjson");
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(events, a_compressing_layer_leaves_a_stream_alone)
{
    svc_app *app = make(greet);
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_test test = SVC_TEST_INIT;
    test.headers = (const char *const[]){"Accept-Encoding", "gzip", NULL};
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_null(svc_reply_header(reply, "Content-Encoding"));
    cr_expect_not_null(strstr(svc_reply_body(reply, NULL), "data: a\ndata: b\n\n"));
    svc_reply_free(reply);
    svc_app_free(app);
}

static int greet_transformable(svc_request *req, svc_response *res)
{
    int error = greet(req, res);
    return error ? error : svc_response_set_header(res, "Cache-Control", "no-store");
}

Test(events, a_handler_may_have_its_stream_compressed)
{
    svc_app *app = make(greet_transformable);
    svc_app_use(app, svc_compress_new(app, NULL));
    svc_test test = SVC_TEST_INIT;
    test.headers = (const char *const[]){"Accept-Encoding", "gzip", NULL};
    svc_reply *reply = svc_app_test(app, &test);
    const char *coding = svc_reply_header(reply, "Content-Encoding");
    if (coding) /* without zlib there is none */
        cr_expect_str_eq(coding, "gzip");
    cr_expect_eq(svc_reply_outcome(reply), SVC_COMPLETE);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(events, a_head_has_no_body)
{
    svc_app *app = make(greet);
    svc_test test = SVC_TEST_INIT;
    test.method = "HEAD";
    svc_reply *reply = svc_app_test(app, &test);
    cr_expect_eq(svc_reply_status(reply), 200);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "");
    svc_reply_free(reply);
    svc_app_free(app);
}

/* ---- Last-Event-ID */

static int echo_id(svc_request *req, svc_response *res)
{
    const char *id = svc_request_last_event_id(req);
    return svc_response_text(res, 200, id ? id : "(none)");
}

Test(events, the_last_id_is_text)
{
    char id[SVC_EVENT_ID_BYTES + 2];
    svc_app *app = make(echo_id);
    memset(id, 'i', sizeof id);
    id[SVC_EVENT_ID_BYTES + 1] = '\0';
    expect_body(app, NULL, "(none)");
    expect_body(app, "17", "17");
    expect_body(app, "\xc3\xa4 b", "\xc3\xa4 b");
    expect_body(app, "\xc3", "(none)");
    expect_body(app, "", "(none)");
    expect_body(app, id, "(none)");
    id[SVC_EVENT_ID_BYTES] = '\0';
    expect_body(app, id, id);
    cr_expect_null(svc_request_last_event_id(NULL));
    svc_app_free(app);
}

/* ---- Topics */

/* Listens, and ends behind what there is, so that a test ends. */
static int listen_briefly(svc_request *req, svc_response *res)
{
    svc_events_options options = SVC_EVENTS_OPTIONS_INIT;
    options.retry_ms = 0;
    svc_events *events = svc_response_events(res, &options);
    found = svc_topic_listen(topic, events, svc_request_last_event_id(req));
    if (found == SVC_ENOTFOUND)
        cr_expect_eq(svc_events_send(events, "reset", NULL, ""), 0);
    cr_expect_eq(svc_topic_listen(topic, events, NULL), SVC_ESTATE);
    cr_expect_eq(svc_topic_listeners(topic), 1);
    svc_events_end(events);
    svc_events_unref(events);
    return 0;
}

static svc_app *make_topic(const svc_topic_options *options)
{
    svc_app *app = make(listen_briefly);
    topic = svc_topic_new(app, "t", options);
    return app;
}

static int publish(const char *id, const char *data)
{
    return svc_topic_publish(topic, NULL, id, data);
}

Test(events, a_client_that_comes_back_gets_what_it_has_missed)
{
    svc_app *app = make_topic(NULL);
    expect_body(app, NULL, "");
    cr_expect_eq(found, 0);
    cr_expect_eq(publish("1", "a") + publish(NULL, "b") + publish("3", "c"), 0);
    expect_body(app, "1", "data: b\n\nid: 3\ndata: c\n\n");
    cr_expect_eq(found, 0);
    expect_body(app, "3", "");
    cr_expect_eq(found, 0);
    expect_body(app, NULL, "");
    expect_body(app, "2", "event: reset\ndata: \n\n");
    cr_expect_eq(found, SVC_ENOTFOUND);
    cr_expect_eq(svc_topic_listeners(topic), 0);
    cr_expect_eq(svc_test_metric(app, "svc_topic_events_total{topic=\"t\"}"), 3);
    cr_expect_eq(svc_test_metric(app, "svc_topic_listeners{topic=\"t\"}"), 0);
    svc_app_free(app);
}

Test(events, a_backlog_is_bounded_by_number)
{
    svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
    options.backlog = 2;
    svc_app *app = make_topic(&options);
    cr_expect_eq(publish("1", "a") + publish("2", "b") + publish("3", "c"), 0);
    expect_body(app, "2", "id: 3\ndata: c\n\n");
    expect_body(app, "1", "event: reset\ndata: \n\n");
    svc_app_free(app);
}

Test(events, a_backlog_is_bounded_by_bytes)
{
    svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
    options.backlog_bytes = 4096;
    svc_app *app = make_topic(&options);
    char text[4097];
    memset(text, 'a', 4096);
    text[4096] = '\0';
    cr_expect_eq(publish("1", text), SVC_ETOOBIG);
    text[2040] = '\0';
    cr_expect_eq(publish("1", text) + publish("2", text) + publish("3", "c"), 0);
    expect_body(app, "1", "event: reset\ndata: \n\n");
    svc_app_free(app);
}

static int listen_to_both(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events *events = svc_response_events(res, NULL);
    cr_expect_eq(svc_topic_listen(topic, events, NULL), SVC_EINVAL);
    cr_expect_eq(svc_topic_listen(NULL, events, NULL), SVC_ENOMEM);
    cr_expect_eq(svc_topic_listen(topic, NULL, NULL), SVC_ENOMEM);
    svc_events_end(events);
    svc_events_unref(events);
    return 0;
}

Test(events, a_stream_has_the_format_of_its_topic)
{
    svc_app *app = make(listen_to_both);
    svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
    options.format = SVC_EVENT_NDJSON;
    topic = svc_topic_new(app, "t", &options);
    expect_body(app, NULL, "retry: 3000\n\n");
    cr_expect_eq(svc_topic_publish(topic, NULL, NULL, "{}"), 0);
    cr_expect_eq(svc_topic_publish(topic, "name", NULL, "{}"), SVC_EINVAL);
    cr_expect_eq(svc_topic_publish(topic, NULL, NULL, "{"), SVC_EINVAL);
    svc_app_free(app);
}

/* Each of several slow listeners is a response that is never sent, so that it takes nothing. */
static svc_events *listen_without_reply(svc_response **res)
{
    *res = svc_response_new();
    svc_events *events = svc_response_events(*res, NULL);
    cr_assert_eq(svc_topic_listen(topic, events, NULL), 0);
    return events;
}

static _Atomic int result;

static void *publish_more(void *arg)
{
    (void)arg;
    atomic_store(&result, 1 + publish("3", "c"));
    return NULL;
}

Test(events, a_topic_that_holds_waits_for_the_slowest)
{
    svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
    options.backlog = 2;
    options.slow = SVC_SLOW_HOLD;
    svc_app *app = make_topic(&options);
    svc_reply *reply = svc_app_test_get(app, "/");
    svc_reply_free(reply);
    svc_response *res;
    svc_events *events = listen_without_reply(&res);
    cr_expect_eq(publish("1", "a") + publish("2", "b"), 0);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, publish_more, NULL), 0);
    while (svc_test_metric(app, "svc_topic_slow_total{topic=\"t\",action=\"held\"}") < 1)
        sched_yield();
    cr_expect_eq(atomic_load(&result), 0);
    svc_response_free(res); /* the listener leaves */
    pthread_join(thread, NULL);
    cr_expect_eq(atomic_load(&result), 1);
    svc_events_unref(events);
    svc_app_free(app);
}

static int publish_on_loop(svc_request *req, svc_response *res)
{
    (void)req;
    found = publish("3", "c");
    return svc_response_text(res, 200, "done");
}

Test(events, an_event_loop_is_never_held)
{
    svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
    options.backlog = 2;
    options.slow = SVC_SLOW_HOLD;
    svc_app *app = make(publish_on_loop);
    topic = svc_topic_new(app, "t", &options);
    svc_response *res;
    svc_events *events = listen_without_reply(&res);
    cr_expect_eq(publish("1", "a") + publish("2", "b"), 0);
    expect_body(app, NULL, "done");
    cr_expect_eq(found, SVC_EAGAIN);
    svc_response_free(res);
    svc_events_unref(events);
    expect_body(app, NULL, "done");
    cr_expect_eq(found, 0);
    svc_app_free(app);
}

/* A listener that is overtaken before its reply begins. */
static int listen_slowly(svc_request *req, svc_response *res)
{
    (void)req;
    svc_events_options options = SVC_EVENTS_OPTIONS_INIT;
    options.retry_ms = 0;
    svc_events *events = svc_response_events(res, &options);
    cr_expect_eq(svc_topic_listen(topic, events, NULL), 0);
    cr_expect_eq(publish("1", "a") + publish("2", "b") + publish("3", "c") + publish("4", "d"), 0);
    svc_events_end(events);
    svc_events_unref(events);
    return 0;
}

Test(events, a_topic_that_skips_counts_what_is_missed)
{
    svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
    options.backlog = 2;
    options.slow = SVC_SLOW_SKIP;
    svc_app *app = make(listen_slowly);
    topic = svc_topic_new(app, "t", &options);
    expect_body(app, NULL, "id: 3\ndata: c\n\nid: 4\ndata: d\n\n");
    cr_expect_eq(svc_test_metric(app, "svc_topic_slow_total{topic=\"t\",action=\"skipped\"}"), 2);
    svc_app_free(app);
}

Test(events, a_topic_that_drops_cuts_and_counts)
{
    svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
    options.backlog = 2;
    svc_app *app = make(listen_slowly);
    topic = svc_topic_new(app, "t", &options);
    svc_reply *reply = svc_app_test_get(app, "/");
    cr_expect_eq(svc_reply_outcome(reply), SVC_CUT);
    cr_expect_eq(svc_test_metric(app, "svc_topic_slow_total{topic=\"t\",action=\"dropped\"}"), 1);
    cr_expect_eq(svc_topic_listeners(topic), 0);
    svc_reply_free(reply);
    svc_app_free(app);
}

Test(events, a_bad_topic_is_a_setup_error)
{
    svc_topic_options options[5];
    for (size_t i = 0; i < 5; i++)
        options[i] = (svc_topic_options)SVC_TOPIC_OPTIONS_INIT;
    options[0].format = -1;
    options[1].slow = 3;
    options[2].backlog = 1;
    options[3].backlog_bytes = 4095;
    options[4].size = 3;
    svc_app *app = svc_app_new("test");
    for (size_t i = 0; i < 5; i++)
        cr_expect_null(svc_topic_new(app, "t", &options[i]), "%zu", i);
    cr_expect_null(svc_topic_new(app, "a b", NULL));
    cr_expect_null(svc_topic_new(app, NULL, NULL));
    cr_expect_null(svc_topic_new(NULL, "t", NULL));
    cr_expect_not_null(strstr(svc_app_errors(app), "backlog is 2 to 65536"));
    cr_expect_not_null(strstr(svc_app_errors(app), "slow is no svc_topic_slow"));
    cr_expect_eq(svc_topic_publish(NULL, NULL, NULL, "a"), SVC_ENOMEM);
    cr_expect_eq(svc_topic_listeners(NULL), 0);
    svc_app_free(app);
}

Test(events, a_mounted_app_has_topics)
{
    svc_app *outer = svc_app_new("outer"), *inner = svc_app_new("inner");
    svc_app_get(inner, "/events", listen_briefly, NULL);
    topic = svc_topic_new(inner, "t", NULL);
    cr_assert_eq(svc_app_mount(outer, "/inner", inner), 0, "%s", svc_app_errors(outer));
    cr_expect_eq(publish("1", "a") + publish("2", "b"), 0);
    svc_test test = SVC_TEST_INIT;
    test.target = "/inner/events";
    test.headers = (const char *const[]){"Last-Event-ID", "1", NULL};
    svc_reply *reply = svc_app_test(outer, &test);
    cr_expect_str_eq(svc_reply_body(reply, NULL), "id: 2\ndata: b\n\n");
    svc_reply_free(reply);
    svc_app_free(outer);
}
