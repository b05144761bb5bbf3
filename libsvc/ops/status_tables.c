/* What the status page shows. No table has text of a request but its method, its id and the
 * address of its peer. */
#include "libsvc/ops/status_tables.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include <svc/stream.h>
#include <svc/version.h>
#include <svc/worker.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/app/task.h"
#include "libsvc/base/clock.h"
#include "libsvc/metrics/walk.h"
#include "libsvc/run/workers.h"
#include "libsvc/server/census.h"
#include "libsvc/server/front.h"
#include "libsvc/settings/settings_text.h"

enum { FIGURES = 500, ROUTES = 1000 };

#define TABLE(key, title, folded, columns)                                                         \
    {                                                                                              \
        key, title, folded, sizeof(columns) / sizeof *(columns), columns                           \
    }

/* ---- The service */

static void write_service(struct status_writer *writer, const struct status_subject *subject)
{
    static const struct status_column columns[] = {
        {"name", "name", STATUS_TEXT},          {"state", "state", STATUS_STATE},
        {"uptime_s", "up for", STATUS_SECONDS}, {"pid", "process", STATUS_NUMBER},
        {"libsvc", "libsvc", STATUS_TEXT},
    };
    static const struct status_table table = TABLE("service", "Service", false, columns);
    static const char *const states[] = {
        [DRAIN_NONE] = "ok", [DRAIN_BEGUN] = "draining", [DRAIN_CUT] = "stopping"};
    const svc_app *app = subject->app;
    svc__status_writer_begin(writer, &table);
    svc__status_writer_text(writer, svc_app_name(app));
    svc__status_writer_text(writer, states[atomic_load(&app->draining)]);
    svc__status_writer_number(writer, (double)(svc__clock_ns() - subject->started_ns) * 1e-9);
    svc__status_writer_number(writer, (double)getpid());
    svc__status_writer_text(writer, svc_version());
    svc__status_writer_end(writer, 0);
}

static void write_listener(void *arg, const char *server, const struct listener *listener)
{
    struct status_writer *writer = arg;
    svc__status_writer_text(writer, server);
    svc__status_writer_text(writer, listener->address);
    svc__status_writer_text(writer, listener->front->name);
}

static void write_listeners(struct status_writer *writer, const svc_app *app)
{
    static const struct status_column columns[] = {{"server", "server", STATUS_TEXT},
                                                   {"address", "address", STATUS_TEXT},
                                                   {"front", "front", STATUS_TEXT}};
    static const struct status_table table = TABLE("listeners", "Listeners", true, columns);
    svc__status_writer_begin(writer, &table);
    svc__census_visit_listeners(app->census, write_listener, writer);
    svc__status_writer_end(writer, 0);
}

/* ---- Requests by route */

static void write_rate(void *arg, const struct route_rate *rate)
{
    struct status_writer *writer = arg;
    svc__status_writer_text(writer, rate->method);
    svc__status_writer_text(writer, *rate->route ? rate->route : "(no route)");
    svc__status_writer_number(writer, rate->per_s);
    svc__status_writer_number(writer, rate->error_share);
    svc__status_writer_number(writer, rate->p50);
    svc__status_writer_number(writer, rate->p95);
    svc__status_writer_number(writer, rate->p99);
    svc__status_writer_number(writer, rate->window_s);
    svc__status_writer_number(writer, (double)rate->requests);
    svc__status_writer_number(writer, (double)rate->errors);
}

static void write_rates(struct status_writer *writer, const struct status_subject *subject)
{
    static const struct status_column columns[] = {
        {"method", "method", STATUS_TEXT},       {"route", "route", STATUS_TEXT},
        {"per_s", "rate", STATUS_RATE},          {"error_share", "errors", STATUS_SHARE},
        {"p50_s", "p50", STATUS_SECONDS},        {"p95_s", "p95", STATUS_SECONDS},
        {"p99_s", "p99", STATUS_SECONDS},        {"window_s", "over the last", STATUS_SECONDS},
        {"requests", "requests", STATUS_NUMBER}, {"errors", "failed", STATUS_NUMBER},
    };
    static const struct status_table table = TABLE("routes", "Requests by route", false, columns);
    svc__status_writer_begin(writer, &table);
    size_t left_out = svc__rates_read(subject->rates, subject->app->metrics, write_rate, writer);
    svc__status_writer_end(writer, left_out);
}

/* ---- Loops, and the requests in flight on them */

static void write_flights(struct status_writer *writer, const struct census_answer *answer)
{
    static const struct status_column columns[] = {
        {"age_s", "age", STATUS_SECONDS},  {"phase", "phase", STATUS_TEXT},
        {"method", "method", STATUS_TEXT}, {"route", "route", STATUS_TEXT},
        {"peer", "peer", STATUS_TEXT},     {"id", "id", STATUS_TEXT},
        {"server", "server", STATUS_TEXT}, {"loop", "loop", STATUS_NUMBER},
    };
    static const struct status_table table = TABLE("in_flight", "In flight", false, columns);
    uint64_t now_ns = svc__clock_ns();
    svc__status_writer_begin(writer, &table);
    for (size_t i = 0; i < answer->listed; i++) {
        const struct census_flight *flight = answer->list[i];
        uint64_t age_ns = now_ns > flight->started_ns ? now_ns - flight->started_ns : 0;
        svc__status_writer_number(writer, (double)age_ns * 1e-9);
        svc__status_writer_text(writer, flight->phase);
        svc__status_writer_text(writer, flight->method);
        svc__status_writer_text(writer, flight->pattern);
        svc__status_writer_text(writer, flight->peer);
        svc__status_writer_text(writer, flight->id);
        svc__status_writer_text(writer, flight->server);
        svc__status_writer_number(writer, (double)flight->loop);
    }
    svc__status_writer_end(writer, answer->in_flight - answer->listed);
}

static void write_loops(struct status_writer *writer, const struct census_answer *answer)
{
    static const struct status_column columns[] = {
        {"server", "server", STATUS_TEXT},         {"loop", "loop", STATUS_NUMBER},
        {"state", "state", STATUS_STATE},          {"stuck_s", "stuck for", STATUS_SECONDS},
        {"stuck_in", "stuck in", STATUS_TEXT},     {"connections", "connections", STATUS_NUMBER},
        {"in_flight", "in flight", STATUS_NUMBER},
    };
    static const struct status_table table = TABLE("loops", "Event loops", false, columns);
    svc__status_writer_begin(writer, &table);
    for (size_t i = 0; i < answer->loop_count; i++) {
        const struct census_loop *loop = &answer->loops[i];
        svc__status_writer_text(writer, loop->server);
        svc__status_writer_number(writer, (double)loop->index);
        svc__status_writer_text(writer, loop->late ? "stuck" : "ok");
        svc__status_writer_number(writer, loop->late ? (double)loop->held_ms * 1e-3 : (double)NAN);
        svc__status_writer_text(writer, loop->holds);
        svc__status_writer_number(writer, (double)loop->connections);
        svc__status_writer_number(writer, loop->late ? (double)NAN : (double)loop->in_flight);
    }
    svc__status_writer_end(writer, 0);
}

static void write_census(void *arg, const struct census_answer *answer)
{
    write_flights(arg, answer);
    write_loops(arg, answer);
}

/* ---- Workers and tasks */

/* Requests that no worker has served because of load. */
static double count_refused(const struct plan_counts *counts)
{
    return (double)(svc__counter_read(counts->shed[SHED_WORKER_QUEUE]) +
                    svc__counter_read(counts->shed[SHED_WORKER_WAIT]));
}

static void write_pool(struct status_writer *writer, const char *server, const svc_app *app)
{
    if (!app || !app->workers)
        return;
    struct workers_stats stats = svc__workers_stats(app->workers);
    bool full = stats.busy >= stats.most && stats.queued > 0;
    svc__status_writer_text(writer, server);
    svc__status_writer_text(writer, full ? "full" : "ok");
    svc__status_writer_number(writer, (double)stats.busy);
    svc__status_writer_number(writer, (double)stats.threads);
    svc__status_writer_number(writer, (double)stats.most);
    svc__status_writer_number(writer, (double)stats.queued);
    svc__status_writer_number(writer, (double)app->config.worker_queue);
    svc__status_writer_number(writer, count_refused(&app->plan->counts));
}

static void write_workers(struct status_writer *writer, const svc_app *app)
{
    static const struct status_column columns[] = {
        {"server", "server", STATUS_TEXT},
        {"state", "state", STATUS_STATE},
        {"busy", "busy", STATUS_NUMBER},
        {"threads", "threads", STATUS_NUMBER},
        {"threads_max", "threads at most", STATUS_NUMBER},
        {"queued", "queued", STATUS_NUMBER},
        {"queue_max", "queue at most", STATUS_NUMBER},
        {"refused", "refused", STATUS_NUMBER},
    };
    static const struct status_table table = TABLE("workers", "Workers", false, columns);
    svc__status_writer_begin(writer, &table);
    write_pool(writer, "service", app);
    write_pool(writer, "admin routes", app->admin);
    svc__status_writer_end(writer, 0);
}

static void write_task(void *arg, const struct task_report *task)
{
    struct status_writer *writer = arg;
    svc__status_writer_text(writer, task->name);
    svc__status_writer_text(writer, task->running ? "ok" : task->ended ? "ended" : "waits");
    svc__status_writer_number(writer, (double)task->failures);
    svc__status_writer_number(writer, (double)task->restarts);
}

static void write_tasks(struct status_writer *writer, svc_app *app)
{
    static const struct status_column columns[] = {
        {"name", "name", STATUS_TEXT},
        {"state", "state", STATUS_STATE},
        {"failures", "failures", STATUS_NUMBER},
        {"restarts", "restarts", STATUS_NUMBER},
    };
    static const struct status_table table = TABLE("tasks", "Tasks", false, columns);
    svc__status_writer_begin(writer, &table);
    svc__task_visit(app, write_task, writer);
    svc__status_writer_end(writer, 0);
}

/* ---- Metrics: queues, limits, connections and all else that is counted */

struct figures {
    struct status_writer *writer;
    struct buf labels;
    size_t count, left_out;
};

static void enter_figures(void *arg, const struct metric_family *family)
{
    (void)arg, (void)family;
}

static const char *render_labels(struct buf *out, const struct metric_family *family,
                                 const struct metric_series *series)
{
    svc__buf_clear(out);
    for (size_t i = 0; i < family->label_count; i++) {
        svc__buf_printf(out, "%s%s=", i ? " " : "", family->labels[i]);
        svc__buf_json_string(out, svc__bytes_z(series->label_values[i]));
    }
    svc__buf_terminate(out);
    return svc__buf_error(out) || !out->data ? "" : out->data;
}

static void write_figure(void *arg, const struct metric_family *family,
                         const struct metric_series *series)
{
    struct figures *figures = arg;
    struct status_writer *writer = figures->writer;
    bool is_histogram = family->type == METRIC_HISTOGRAM;
    if (!strcmp(family->name, "http_server_request_duration_seconds"))
        return; /* it is in the table of routes */
    if (figures->count == FIGURES) {
        figures->left_out++;
        return;
    }
    figures->count++;
    svc__status_writer_text(writer, family->name);
    svc__status_writer_text(writer, render_labels(&figures->labels, family, series));
    svc__status_writer_number(writer, is_histogram ? (double)NAN : series->value);
    svc__status_writer_number(writer, is_histogram ? (double)series->count : (double)NAN);
    svc__status_writer_number(
        writer, is_histogram && series->count ? series->sum / (double)series->count : (double)NAN);
}

static void write_figures(struct status_writer *writer, const svc_app *app)
{
    static const struct status_column columns[] = {
        {"name", "name", STATUS_TEXT},     {"labels", "labels", STATUS_TEXT},
        {"value", "value", STATUS_NUMBER}, {"count", "observed", STATUS_NUMBER},
        {"mean", "mean", STATUS_NUMBER},
    };
    static const struct status_table table =
        TABLE("metrics", "Connections, queues, limits and all that is counted", true, columns);
    struct figures figures = {.writer = writer};
    svc__buf_init(&figures.labels, 65536);
    svc__status_writer_begin(writer, &table);
    svc__metrics_walk(app->metrics,
                      &(struct metric_visitor){enter_figures, write_figure, &figures});
    svc__status_writer_end(writer, figures.left_out);
    svc__buf_free(&figures.labels);
}

/* ---- Settings and routes */

static void write_setting(void *arg, const char *name, const char *value, const char *origin)
{
    struct status_writer *writer = arg;
    svc__status_writer_text(writer, name);
    svc__status_writer_text(writer, value);
    svc__status_writer_text(writer, origin);
}

static void write_settings(struct status_writer *writer, const svc_app *app)
{
    static const struct status_column columns[] = {{"name", "name", STATUS_TEXT},
                                                   {"value", "value", STATUS_TEXT},
                                                   {"origin", "from", STATUS_TEXT}};
    static const struct status_table table = TABLE("settings", "Settings", true, columns);
    svc__status_writer_begin(writer, &table);
    int error = svc__settings_text_visit(&app->settings, write_setting, writer);
    if (error)
        writer->out->error = writer->out->error ? writer->out->error : error;
    svc__status_writer_end(writer, 0);
}

static const char *flags_text(unsigned flags)
{
    bool blocks = flags & SVC_BLOCKING, streams = flags & SVC_STREAM_BODY;
    return blocks && streams ? "worker, body as a stream"
           : blocks          ? "worker"
           : streams         ? "loop, body as a stream"
                             : "loop";
}

static void write_plan(struct status_writer *writer, const char *server, const struct plan *plan)
{
    for (size_t i = 0; plan && i < plan->route_count && i < ROUTES; i++) {
        const struct route *route = &plan->routes[i];
        svc__status_writer_text(writer, route->pattern.text);
        svc__status_writer_text(writer, server);
        svc__status_writer_text(writer, svc_app_name(route->owner->app));
        svc__status_writer_text(writer, flags_text(route->flags));
        svc__status_writer_number(writer, (double)route->timeout_ms * 1e-3);
        svc__status_writer_number(writer, (double)route->max_body);
        svc__status_writer_text(writer, route->pattern.file);
        svc__status_writer_number(writer, (double)route->pattern.line);
    }
}

static size_t count_left_out(const struct plan *plan)
{
    return plan && plan->route_count > ROUTES ? plan->route_count - ROUTES : 0;
}

static void write_routes(struct status_writer *writer, const struct status_subject *subject)
{
    static const struct status_column columns[] = {
        {"pattern", "pattern", STATUS_TEXT},
        {"server", "server", STATUS_TEXT},
        {"app", "app", STATUS_TEXT},
        {"flags", "runs on", STATUS_TEXT},
        {"timeout_s", "time limit", STATUS_SECONDS},
        {"max_body_bytes", "body at most", STATUS_NUMBER},
        {"file", "file", STATUS_TEXT},
        {"line", "line", STATUS_NUMBER},
    };
    static const struct status_table table = TABLE("route_table", "Route table", true, columns);
    const struct plan *plan = subject->app->plan, *pages = subject->admin->plan;
    const struct plan *admin = subject->app->admin ? subject->app->admin->plan : NULL;
    svc__status_writer_begin(writer, &table);
    write_plan(writer, "service", plan);
    write_plan(writer, "admin routes", admin);
    write_plan(writer, "admin pages", pages);
    svc__status_writer_end(writer,
                           count_left_out(plan) + count_left_out(admin) + count_left_out(pages));
}

void svc__status_tables_write(const struct status_subject *subject, struct status_writer *writer)
{
    svc_app *app = subject->app;
    write_service(writer, subject);
    write_rates(writer, subject);
    svc__census_ask(app->census, write_census, writer);
    write_workers(writer, app);
    write_tasks(writer, app);
    write_listeners(writer, app);
    write_figures(writer, app);
    write_settings(writer, app);
    write_routes(writer, subject);
}
