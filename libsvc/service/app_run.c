/* The public calls of an app's life: start, wait, stop, or all of them at once. */
#include "libsvc/service/app_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "libsvc/app/app_settings.h"
#include "libsvc/app/app_test.h"
#include "libsvc/app/life.h"
#include "libsvc/app/task.h"
#include "libsvc/base/standard.h"
#include "libsvc/server/loop.h"
#include "libsvc/service/drain.h"
#include "libsvc/service/log_output.h"
#include "libsvc/service/signals.h"

/* Each step is taken even when one before it has failed, so that all errors are reported at once;
 * but none is begun once a stop was requested. */
static int prepare_app(svc_app *app, struct service **service)
{
    int error = svc__app_settings_check(app);
    int log_error = svc__log_output_open(app);
    int ready_error = svc__app_ready(app);
    error = error ? error : log_error ? log_error : ready_error;
    if (svc__life_start_cancelled(app))
        return error ? error : SVC_ECANCELLED;
    int open_error = svc__service_open(app, service);
    error = error ? error : open_error;
    return !error && svc__life_start_cancelled(app) ? SVC_ECANCELLED : error;
}

static int start_app(svc_app *app, struct service *service)
{
    if (app->stop_fd < 0)
        app->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    app->service = service; /* handlers of the first requests may read it */
    return app->stop_fd < 0 ? SVC_ESYSTEM : svc__service_start(service);
}

/* Ends a failed start: no request is waited for, but its log lines are written. */
static void abandon(svc_app *app, struct service *service, int error)
{
    enum { LOG_FLUSH_MS = 1000 };
    if (error == SVC_ECANCELLED)
        svc_app_log_info(app, "stopped during the start");
    if (service)
        (void)svc__service_end(service, UINT64_MAX);
    svc__app_unready(app); /* its hooks may name loops */
    if (service)
        svc__service_free(service);
    app->service = NULL;
    svc__logger_close(&app->logger, LOG_FLUSH_MS);
}

/* Takes the app into APP_STARTING. An app whose tasks a test has started is refused: they may be
 * logging, and the log is not open yet. */
static bool begin_start(svc_app *app)
{
    if (app->parent)
        return false;
    if (svc__life_enter(app, APP_BUILDING, APP_STARTING))
        return true;
    if (!svc__life_enter(app, APP_READY, APP_STARTING))
        return false;
    if (!svc__task_started(app))
        return true;
    svc__life_enter(app, APP_STARTING, APP_READY);
    return false;
}

static int occupy_standard(svc_app *app)
{
    if (!svc__standard_occupy())
        return 0;
    svc__faults_add(&app->faults, NULL, 0,
                    "standard input, output or error is closed, and /dev/null: %s",
                    strerror(errno));
    return SVC_ESYSTEM;
}

int svc_app_start(svc_app *app)
{
    if (!app)
        return SVC_ENOMEM;
    if (!begin_start(app))
        return SVC_ESTATE;
    svc__life_begin_start(app);
    struct service *service = NULL;
    int error = occupy_standard(app);
    if (!error)
        error = prepare_app(app, &service);
    if (!error)
        error = start_app(app, service);
    if (error) {
        abandon(app, service, error);
        return error;
    }
    svc__life_enter(app, APP_STARTING, APP_STARTED);
    return 0;
}

/* A thread that the end of the service waits for cannot wait for that end itself. */
int svc_app_wait(svc_app *app)
{
    if (!app)
        return SVC_ENOMEM;
    if (app->state != APP_STARTED || svc__life_owns_thread(app) ||
        atomic_exchange(&app->waited, true))
        return SVC_ESTATE;
    return svc__drain_run(app->service);
}

int svc__app_run_report(svc_app *app, int error)
{
    fprintf(stderr, "%s: cannot start: %s\n%s", svc_app_name(app), svc_error_text(error),
            svc_app_errors(app));
    return EXIT_SETUP;
}

/* Called with the signals taken. */
static int serve(svc_app *app)
{
    if (!app->settings.prefix)
        svc_app_read_environment(app, "SVC"); /* the start reports mistakes */
    int error = svc_app_start(app);
    if (error == SVC_ECANCELLED)
        return EXIT_CLEAN;
    if (error)
        return svc__app_run_report(app, error);
    return svc_app_wait(app) ? EXIT_FORCED : EXIT_CLEAN;
}

/* An app that is in use already is not changed, since other threads read the source of its stops.
 */
static int run_app(svc_app *app)
{
    (void)svc__standard_occupy(); /* before the signals' descriptor is opened; the start reports a
                                     failure */
    bool idle = !app->parent && (app->state == APP_BUILDING || app->state == APP_READY);
    int error = idle ? svc__signals_take() : SVC_ESTATE;
    if (error)
        return svc__app_run_report(app, svc__faults_refuse(&app->faults, error, "svc_app_run"));
    app->signals = svc__signals_count();
    int status = serve(app);
    app->signals = NULL;
    svc__signals_give_back();
    return status;
}

int svc_app_run(svc_app *app)
{
    if (!app) {
        fprintf(stderr, "cannot start: %s\n", svc_error_text(SVC_ENOMEM));
        return EXIT_SETUP;
    }
    int status = run_app(app);
    svc_app_free(app);
    return status;
}

static const char *address_of(const struct server *server, size_t index)
{
    return server && index < server->listeners.count ? server->listeners.all[index].address : NULL;
}

const char *svc_app_address(const svc_app *app, size_t index)
{
    const struct service *service = app ? svc__app_root(app)->service : NULL;
    return service ? address_of(service->server, index) : NULL;
}

svc_loop *svc_app_loop(const svc_app *app, size_t index)
{
    if (!app)
        return NULL;
    const svc_app *root = svc__app_root(app), *serving = svc__app_serving(app);
    const struct service *service = root->service;
    if (!service)
        return index == 0 ? svc__app_test_loop(serving) : NULL;
    const struct server *server = serving == root ? service->server : service->routes;
    return server && index < server->loop_count ? &server->loops[index]->reactor : NULL;
}

const char *svc_app_admin_address(const svc_app *app)
{
    const struct service *service = app ? svc__app_root(app)->service : NULL;
    return service ? address_of(service->admin, 0) : NULL;
}
