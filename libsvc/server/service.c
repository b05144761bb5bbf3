/* Starting and ending what one app needs to serve. */
#include "libsvc/server/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsvc/base/clock.h"
#include "libsvc/ops/admin.h"
#include "libsvc/server/cpus.h"

enum { LOG_FLUSH_MS = 1000 /* of a start that failed */, LOG_MODE = 0644, ADMIN_LOOPS = 1 };

static int open_output(const char *output, bool *opened)
{
    *opened = false;
    if (!strcmp(output, "stdout"))
        return STDOUT_FILENO;
    if (!strcmp(output, "stderr"))
        return STDERR_FILENO;
    *opened = true;
    return open(output, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, LOG_MODE);
}

static int open_log(struct service *service, size_t loops)
{
    svc_app *app = service->app;
    bool opened;
    int fd = open_output(app->config.log_output, &opened);
    if (fd < 0) {
        svc__app_error(app, NULL, 0, "log_output \"%s\": %s", app->config.log_output,
                       strerror(errno));
        return SVC_ECONFIG;
    }
    service->sink = svc__sink_open(fd, (size_t)app->config.log_ring_bytes, loops + ADMIN_LOOPS);
    if (opened)
        close(fd);
    if (!service->sink) {
        svc__app_error(app, NULL, 0, "log_output \"%s\": cannot be used", app->config.log_output);
        return SVC_ESYSTEM;
    }
    service->log = (struct log){service->sink, NULL, app->config.log_level, app->name};
    return 0;
}

static int64_t lines_dropped(void *arg)
{
    return (int64_t)svc__sink_dropped(arg);
}

static int64_t lines_written(void *arg)
{
    return (int64_t)svc__sink_written(arg);
}

static void register_metrics(struct service *service)
{
    struct metrics *in = service->app->metrics;
    svc__metric_gauge_fn(in, "svc_log_lines_dropped", "Log lines that found no room.",
                         lines_dropped, service->sink);
    svc__metric_gauge_fn(in, "svc_log_lines_written", "Log lines written.", lines_written,
                         service->sink);
}

static int make_admin(struct service *service)
{
    svc_app *app = service->app;
    if (!*app->config.admin_listen)
        return 0;
    service->admin_app = svc__admin_new(app);
    if (!service->admin_app)
        return SVC_ENOMEM;
    int error;
    service->admin = svc__server_new(service->admin_app, service->sink, app->config.admin_listen,
                                     ADMIN_LOOPS, &error);
    if (service->admin)
        return 0;
    svc__buf_puts(&app->errors, svc_app_errors(service->admin_app));
    return error;
}

/* Everything is made, and has registered its metrics, before a thread runs that could read them.
 * Probes come first: nobody should see the service serve and its readiness not. */
static int start_threads(struct service *service)
{
    int error = service->admin ? svc__server_start(service->admin) : 0;
    return error ? error : svc__server_start(service->server);
}

static void log_started(const struct service *service)
{
    const struct listeners *listeners = &service->server->listeners;
    for (size_t i = 0; i < listeners->count; i++)
        svc__log(&service->log, SVC_LEVEL_INFO, "listening",
                 LOG_TEXT("address", listeners->all[i].address),
                 LOG_NUMBER("loops", service->server->loop_count));
    if (service->admin)
        svc__log(&service->log, SVC_LEVEL_INFO, "admin pages",
                 LOG_TEXT("address", service->admin->listeners.all[0].address));
}

static int start_all(struct service *service)
{
    svc_app *app = service->app;
    size_t loops = app->config.threads ? (size_t)app->config.threads : svc__cpus_usable();
    int error = open_log(service, loops);
    if (error)
        return error;
    register_metrics(service);
    error = make_admin(service);
    if (error)
        return error;
    service->server = svc__server_new(app, service->sink, app->config.listen, loops, &error);
    if (!error)
        error = start_threads(service);
    if (!error)
        log_started(service);
    return error;
}

int svc__service_start(svc_app *app, struct service **out)
{
    struct service *service = calloc(1, sizeof *service);
    if (!service)
        return SVC_ENOMEM;
    service->app = app;
    int error = start_all(service);
    if (!error) {
        *out = service;
        return 0;
    }
    (void)svc__service_end(service, UINT64_MAX);
    svc__service_free(service, LOG_FLUSH_MS);
    return error;
}

int svc__service_end(struct service *service, uint64_t deadline_ms)
{
    int error = svc__server_end(service->server, deadline_ms);
    int admin_error = svc__server_end(service->admin, deadline_ms);
    return error ? error : admin_error;
}

void svc__service_free(struct service *service, unsigned flush_ms)
{
    /* The admin pages look at the server to the last. */
    svc__server_free(service->admin);
    svc__server_free(service->server);
    svc_app_free(service->admin_app);
    svc__sink_close(service->sink, flush_ms);
    free(service);
}
