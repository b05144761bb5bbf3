/*
 * A service with as many metrics as a test asks for, and a gate at which the rendering of the page
 * waits: GET /close closes it, and a letter on standard input opens it. The gate is a metric of the
 * library's kind, since those of programs have a time limit.
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <svc.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/metrics/metric.h"
#include "libsvc/metrics/walk.h"
#include "tests/support/life.h"

static sem_t opened;
static atomic_bool closed;

static void *listen_to_test(void *arg)
{
    char letter;
    (void)arg;
    while (read(STDIN_FILENO, &letter, 1) == 1)
        if (letter == LIFE_UNBLOCK)
            sem_post(&opened);
    return NULL;
}

static int start_listening(svc_app *app, void *arg)
{
    pthread_t thread;
    (void)app, (void)arg;
    return pthread_create(&thread, NULL, listen_to_test, NULL) || pthread_detach(thread);
}

static void pass_gate(struct metric_walk *walk, void *app)
{
    if (atomic_exchange(&closed, false)) {
        svc_app_log_info(app, "the gate is reached");
        while (sem_wait(&opened))
            continue;
    }
    svc__metric_give(walk, NULL, 1);
}

static int close_gate(svc_request *req, svc_response *res)
{
    (void)req;
    atomic_store(&closed, true);
    return svc_response_text(res, 200, "closed");
}

/* A histogram of 15 buckets with so many series, whose lines have so many bytes or a few more. */
static int add_metric(svc_request *req, svc_response *res)
{
    static _Atomic int number;
    int series = atoi(svc_request_param(req, "series"));
    int bytes = atoi(svc_request_param(req, "bytes"));
    char name[32], value[SVC_METRIC_VALUE_BYTES], rest[SVC_METRIC_VALUE_BYTES] = "";
    const char *values[SVC_METRIC_LABELS];
    svc_metric metric = SVC_METRIC_INIT;
    snprintf(name, sizeof name, "added_%d_seconds", atomic_fetch_add(&number, 1));
    metric.name = name;
    metric.help = "Added.";
    metric.max_series = (uint32_t)series;
    static const char *const labels[SVC_METRIC_LABELS] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    memcpy(metric.labels, labels, sizeof labels);
    memset(rest, 'x', (size_t)bytes / (SVC_METRIC_LABELS - 1));
    for (size_t i = 0; i < SVC_METRIC_LABELS; i++)
        values[i] = i ? rest : value;
    svc_histogram_family *family = svc_app_histogram(svc_request_app(req), &metric);
    for (int i = 0; i < series; i++) {
        snprintf(value, sizeof value, "%d", i);
        svc_histogram_observe(svc_histogram_of(family, SVC_METRIC_LABELS, values), i);
    }
    return svc_response_text(res, family ? 200 : 500, name);
}

static int hello(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "hello");
}

static double read_seven(void *arg)
{
    (void)arg;
    return 7;
}

int main(void)
{
    svc_app *app = svc_app_new("scrapes");
    svc_metric seven = SVC_METRIC_INIT;
    seven.name = "seven";
    seven.help = "Seven.";
    sem_init(&opened, 0, 0);
    svc__metric_giver(app->metrics, METRIC_GAUGE, "gate", "The gate.", NULL, pass_gate, app);
    svc_app_gauge_fn(app, &seven, read_seven, NULL);
    svc_app_get(app, "/close", close_gate, NULL);
    svc_app_get(app, "/hello", hello, NULL);
    svc_app_get(app, "/add/{series}/{bytes}", add_metric, NULL);
    svc_app_add_hook(app, start_listening, NULL, NULL);
    return svc_app_run(app);
}
