/*
 * A service with 10,000 series, which four threads have counted in. Settings come from the environment.
 *
 *     scrape counters | histograms
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <svc.h>

enum { METHODS = 5, ROUTES = 200, STATUSES = 10, THREADS = 4, TIMES = 7 };

static svc_counter_family *counters;
static svc_histogram_family *histograms;

static void count_series(const char *const labels[])
{
    svc_counter_add(svc_counter_of(counters, 3, labels), TIMES);
    for (int i = 0; i < TIMES; i++)
        svc_histogram_observe(svc_histogram_of(histograms, 3, labels), 0.0013 * i * i);
}

static void *count_all(void *arg)
{
    static const char *const methods[METHODS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    char route[64], status[16];
    for (int i = 0; i < METHODS * ROUTES * STATUSES; i++) {
        snprintf(route, sizeof route, "/orders/{order}/items/%d", i / METHODS % ROUTES);
        snprintf(status, sizeof status, "%d", 200 + i / METHODS / ROUTES);
        count_series((const char *[]){methods[i % METHODS], route, status});
    }
    return arg;
}

static void register_metric(svc_app *app, const char *shape)
{
    svc_metric metric = SVC_METRIC_INIT;
    metric.help = "A bench's.";
    metric.max_series = METHODS * ROUTES * STATUSES;
    metric.labels[0] = "method";
    metric.labels[1] = "route";
    metric.labels[2] = "status";
    if (!strcmp(shape, "counters")) {
        metric.name = "bench_requests_total";
        counters = svc_app_counter(app, &metric);
    } else {
        metric.name = "bench_duration_seconds";
        histograms = svc_app_histogram(app, &metric);
    }
}

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "Hello, World!");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    svc_app *app = svc_app_new("bench");
    register_metric(app, argv[1]);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, count_all, NULL) || pthread_join(thread, NULL))
            return 1;
    }
    svc_app_get(app, "/", answer, NULL);
    return svc_app_run(app);
}
