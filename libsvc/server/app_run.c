/* The life of an app as programs see it: start, wait, stop, or all of it at once. */
#include "libsvc/server/app_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "libsvc/core/app_test.h"
#include "libsvc/core/config.h"
#include "libsvc/server/drain.h"
#include "libsvc/server/log_output.h"
#include "libsvc/server/loop.h"

/* Each step is taken whatever became of those before it, so that all errors are told at once. */
static int prepare(svc_app *app, struct service **service)
{
    int error = svc__config_check(app);
    int log_error = svc__log_output_open(app);
    int ready_error = svc__app_ready(app);
    int open_error = svc__service_open(app, service);
    error = error ? error : log_error;
    return error ? error : ready_error ? ready_error : open_error;
}

static int start(svc_app *app, struct service *service)
{
    if (app->stop_fd < 0)
        app->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    app->service = service; /* handlers of the first requests may ask for it */
    return app->stop_fd < 0 ? SVC_ESYSTEM : svc__service_start(service);
}

/* A start that failed: no request is waited for, but what it has logged is written. */
static void abandon(svc_app *app, struct service *service)
{
    enum { LOG_FLUSH_MS = 1000 };
    if (service)
        (void)svc__service_end(service, UINT64_MAX);
    svc__app_unready(app); /* its hooks may name loops */
    if (service)
        svc__service_free(service);
    app->service = NULL;
    svc__logger_close(&app->logger, LOG_FLUSH_MS);
}

int svc_app_start(svc_app *app)
{
    if ((app->state != APP_BUILDING && app->state != APP_READY) || app->parent)
        return SVC_ESTATE;
    if (svc__task_started(
            app)) /* by a test: they may be logging, and the log is yet to be opened */
        return SVC_ESTATE;
    struct service *service = NULL;
    int error = prepare(app, &service);
    if (!error)
        error = start(app, service);
    if (error) {
        abandon(app, service);
        return error;
    }
    app->state = APP_STARTED;
    return 0;
}

void svc_app_stop(svc_app *app)
{
    uint64_t one = 1;
    int saved = errno; /* also called by signal handlers */
    if (write(app->stop_fd, &one, sizeof one) < 0)
        errno = saved; /* not started, or asked 2^64 times */
}

static int wait_for_stop(svc_app *app, int signal_fd)
{
    if (app->state != APP_STARTED || app->service->waited)
        return SVC_ESTATE;
    app->service->waited = true;
    return svc__drain_run(app->service, signal_fd);
}

int svc_app_wait(svc_app *app)
{
    return wait_for_stop(app, -1);
}

/* The signals come by descriptor, so that nothing runs in a handler's context. */
static int open_signals(sigset_t *before)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    pthread_sigmask(SIG_BLOCK, &mask, before);
    return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

int svc__app_run_report(svc_app *app, int error)
{
    fprintf(stderr, "%s: cannot start: %s\n%s", svc_app_name(app), svc_error_text(error),
            svc_app_errors(app));
    return EXIT_SETUP;
}

static int run(svc_app *app)
{
    signal(SIGPIPE, SIG_IGN);
    sigset_t before;
    int signal_fd = open_signals(&before);
    if (!app->tables.prefix)
        svc_app_environment(app, "SVC"); /* what is wrong is told by the start */
    int error = svc_app_start(app), status;
    if (error)
        status = svc__app_run_report(app, error);
    else
        status = wait_for_stop(app, signal_fd) ? EXIT_FORCED : EXIT_CLEAN;
    if (signal_fd >= 0)
        close(signal_fd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

int svc_app_run(svc_app *app)
{
    if (!app) {
        fprintf(stderr, "cannot start: %s\n", svc_error_text(SVC_ENOMEM));
        return EXIT_SETUP;
    }
    int status = run(app);
    svc_app_free(app);
    return status;
}

static const char *address_of(const struct server *server, size_t index)
{
    return server && index < server->listeners.count ? server->listeners.all[index].address : NULL;
}

const char *svc_app_address(const svc_app *app, size_t index)
{
    return app->service ? address_of(app->service->server, index) : NULL;
}

svc_loop *svc_app_loop(const svc_app *app, size_t index)
{
    app = svc__app_root(app);
    if (!app->service)
        return index == 0 ? svc__app_test_loop(app) : NULL;
    const struct server *server = app->service->server;
    return index < server->loop_count ? &server->loops[index]->reactor : NULL;
}

const char *svc_app_admin_address(const svc_app *app)
{
    return app->service ? address_of(app->service->admin, 0) : NULL;
}
