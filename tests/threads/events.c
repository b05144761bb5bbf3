/*
 * Threads that publish while listeners come and go on several loops, and a drain in the midst of
 * it: a program of its own so that the thread sanitizer sees the threads. Each listener gets the
 * events in order, without a gap where the topic has none.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <svc.h>

enum { PUBLISHERS = 3, CLIENTS = 6, ROUNDS = 25, EVENTS = 20, SENDS = 50 };

static _Atomic bool failed, ends;
static svc_topic *topics[PUBLISHERS];
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void expect_that(bool is_so, const char *expected, long long number)
{
    if (is_so)
        return;
    printf("WRONG: %s (%lld)\n", expected, number);
    failed = true;
}

/* ---- The service */

static int watch(svc_request *req, svc_response *res)
{
    svc_events *events = svc_response_events(res, NULL);
    int error = svc_topic_listen(topics[atoi(svc_request_param(req, "topic"))], events, NULL);
    svc_events_unref(events);
    return error;
}

/* A thread of its own for each stream, which may outlive it. */
static void *send_some(void *arg)
{
    svc_events *events = arg;
    int error = 0;
    char text[16];
    for (int i = 0; i < SENDS && (!error || error == SVC_EAGAIN); i++) {
        snprintf(text, sizeof text, "%d", i);
        error = svc_events_send(events, NULL, NULL, text);
        sched_yield();
    }
    svc_events_unref(events);
    return NULL;
}

static int send_alone(svc_request *req, svc_response *res)
{
    (void)req;
    pthread_t thread;
    svc_events *events = svc_response_events(res, NULL);
    if (!events || pthread_create(&thread, NULL, send_some, events))
        return SVC_ENOMEM;
    return pthread_detach(thread);
}

static void *publish(void *arg)
{
    svc_topic *topic = *(svc_topic **)arg;
    char text[16];
    for (int i = 0; !ends; i++) {
        snprintf(text, sizeof text, "%d", i);
        int error = svc_topic_publish(topic, NULL, text, text);
        expect_that(!error, "an event is published", error);
        sched_yield();
    }
    return NULL;
}

/* ---- Clients */

static FILE *ask(const char *target)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char text[128];
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", target);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) ||
        send(fd, text, (size_t)len, MSG_NOSIGNAL) != len) {
        close(fd);
        return NULL;
    }
    return fdopen(fd, "r");
}

/* Reads events, as many as are wanted, and returns how many have come. */
static int read_events(FILE *from, int wanted, bool gapless)
{
    char line[256];
    long last = -1;
    int got = 0;
    while (got < wanted && fgets(line, sizeof line, from)) {
        if (strncmp(line, "data: ", 6) != 0)
            continue;
        long number = atol(line + 6);
        expect_that(gapless && last >= 0 ? number == last + 1 : number > last, "the order", number);
        last = number;
        got++;
    }
    return got;
}

static void *come_and_go(void *arg)
{
    const char *target = arg;
    bool drops = !strcmp(target, "/watch/0"), skips = !strcmp(target, "/watch/1");
    for (int i = 0; i < ROUNDS; i++) {
        FILE *from = ask(target);
        if (!from)
            continue;
        int got = read_events(from, i % 5 ? EVENTS : 0, !skips);
        expect_that(i % 5 == 0 || drops || got > 0, "events come", got);
        fclose(from);
    }
    return NULL;
}

/* Reads until the drain has ended the stream, and comes back from every other end: a topic may drop
 * it at any time. */
static void *stay(void *arg)
{
    FILE *from;
    while ((from = ask(arg))) {
        read_events(from, 1 << 30, false);
        fclose(from);
    }
    return NULL;
}

int main(void)
{
    static const char *const targets[CLIENTS] = {"/watch/0", "/watch/1", "/watch/2",
                                                 "/alone",   "/watch/0", "/alone"};
    pthread_t publishers[PUBLISHERS], clients[CLIENTS], last[PUBLISHERS];
    char folder[] = "/tmp/svc-events-XXXXXX", listen[128];
    if (!mkdtemp(folder))
        return 1;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    snprintf(listen, sizeof listen, "unix:%s", address.sun_path);
    svc_app *app = svc_app_new("events");
    svc_config config = SVC_CONFIG_INIT;
    config.listen = listen;
    config.admin_listen = "";
    config.threads = 2;
    config.drain_delay_ms = 0;
    config.access_log = false;
    svc_app_configure(app, &config);
    for (int i = 0; i < PUBLISHERS; i++) {
        svc_topic_options options = SVC_TOPIC_OPTIONS_INIT;
        options.slow = i; /* each policy */
        const char *names[] = {"drops", "skips", "holds"};
        topics[i] = svc_topic_new(app, names[i], &options);
    }
    svc_app_get(app, "/watch/{topic}", watch, NULL);
    svc_app_get(app, "/alone", send_alone, NULL);
    if (svc_app_start(app)) {
        printf("%s\n", svc_app_errors(app));
        return 1;
    }
    for (int i = 0; i < PUBLISHERS; i++)
        pthread_create(&publishers[i], NULL, publish, &topics[i]);
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&clients[i], NULL, come_and_go, (void *)(uintptr_t)targets[i]);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    for (int i = 0; i < PUBLISHERS; i++)
        pthread_create(&last[i], NULL, stay, (void *)(uintptr_t)targets[i]);
    while (svc_topic_listeners(topics[0]) + svc_topic_listeners(topics[1]) +
               svc_topic_listeners(topics[2]) <
           PUBLISHERS)
        sched_yield();
    svc_app_stop(app);
    int error = svc_app_wait(app);
    expect_that(!error, "the drain ends well", error);
    ends = true;
    for (int i = 0; i < PUBLISHERS; i++) {
        pthread_join(publishers[i], NULL);
        pthread_join(last[i], NULL);
    }
    svc_app_free(app);
    rmdir(folder);
    printf("%s\n", failed ? "FAILED" : "ok");
    return failed;
}
