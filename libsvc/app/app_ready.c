/* Readies an app: its registrations become a tree, chains and running hooks. */
#include <string.h>

#include "libsvc/app/admin_app.h"
#include "libsvc/app/app_plan.h"
#include "libsvc/app/app_workers.h"
#include "libsvc/app/life.h"
#include "libsvc/app/mount.h"
#include "libsvc/app/stalls.h"
#include "libsvc/app/task.h"
#include "libsvc/base/wait.h"
#include "libsvc/json/development_routes.h"
#include "libsvc/run/reactor.h"

static int make_defaults(svc_app *app)
{
    for (size_t i = 0; i < app->default_count; i++) {
        const struct default_layer *layer = &app->defaults[i];
        int wanted;
        memcpy(&wanted, (const char *)&app->config + layer->setting, sizeof wanted);
        if (!wanted)
            continue;
        const svc_middleware *middleware = layer->make(app);
        if (!middleware || svc__app_append_use(app, &app->default_uses, middleware))
            return SVC_ENOMEM;
    }
    bool is_admin = app->parent; /* a mounted app is not served by itself */
    return is_admin ? svc__app_append_use(app, &app->default_uses, &svc__admin_app_no_store) : 0;
}

/* Makes the plan of an app whose routes are good. */
static int compile(svc_app *app)
{
    int error = make_defaults(app);
    if (!error)
        error = svc__app_plan_compile(app, &app->plan);
    if (!error && app->config.development)
        app->plan->not_found = svc__development_routes_answer;
    if (!error && app->config.stall_ms)
        error = svc__stalls_register(app);
    return error;
}

static bool started(const svc_app *app, const svc_middleware *middleware)
{
    for (size_t i = 0; i < app->middleware_started_count; i++)
        if (app->middleware_started[i].middleware == middleware)
            return true;
    return false;
}

/* A middleware that several routes use is started once. */
static int start_layers(svc_app *app, const struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        const struct chain_layer *layer = &chain->layers[i];
        const svc_middleware *middleware = layer->middleware;
        if (started(app, middleware))
            continue;
        if (svc__life_start_cancelled(app))
            return SVC_ECANCELLED;
        int error = middleware->start ? middleware->start(layer->app, middleware->arg) : 0;
        if (error && svc__life_start_cancelled(app))
            return SVC_ECANCELLED;
        if (error) {
            svc__faults_add(&app->faults, NULL, 0, "middleware \"%s\" failed to start",
                            middleware->name);
            return error == SVC_ENOMEM ? error : SVC_ESTART;
        }
        app->middleware_started[app->middleware_started_count++] = *layer;
    }
    return 0;
}

static int start_middleware(svc_app *app)
{
    const struct plan *plan = app->plan;
    size_t total = 1;
    for (size_t i = 0; i < plan->app_count; i++)
        total += plan->apps[i].fallback.chain.count;
    for (size_t i = 0; i < plan->route_count; i++)
        total += plan->routes[i].chain.count;
    app->middleware_started =
        svc__arena_alloc(&app->memory, total * sizeof *app->middleware_started);
    int error = app->middleware_started ? 0 : SVC_ENOMEM;
    for (size_t i = 0; i < plan->app_count && !error; i++)
        error = start_layers(app, &plan->apps[i].fallback.chain);
    for (size_t i = 0; i < plan->route_count && !error; i++)
        error = start_layers(app, &plan->routes[i].chain);
    return error;
}

/* A stop that is requested meanwhile ends the start between two hooks; a hook that fails then has
 * ended early as requested. */
static int start_hooks(svc_app *app)
{
    for (struct hook *hook = app->hooks; hook; hook = hook->next) {
        if (svc__life_start_cancelled(app))
            return SVC_ECANCELLED;
        int error = hook->start ? hook->start(hook->app, hook->arg) : 0;
        if (error && svc__life_start_cancelled(app))
            return SVC_ECANCELLED;
        if (error) {
            svc__faults_add(&app->faults, NULL, 0, "a start hook failed");
            return SVC_ESTART;
        }
        app->started = hook;
    }
    return svc__life_start_cancelled(app) ? SVC_ECANCELLED : 0;
}

/* Makes all that serves but the threads of workers, for which hooks may make something ready. */
static int start_all(svc_app *app)
{
    int error = 0;
    for (svc_app *each = app; each && !error; each = each->admin)
        error = svc__app_workers_make(each);
    for (svc_app *each = app; each && !error; each = each->admin)
        error = start_middleware(each);
    if (!error)
        error = start_hooks(app);
    for (svc_app *each = app; each && !error; each = each->admin)
        error = svc__app_workers_start(each);
    return error;
}

int svc__app_ready(svc_app *app)
{
    if (app->readied) /* an error is a call that came too late */
        return svc__faults_any(&app->faults) ? SVC_ESTATE : 0;
    bool errors_before = svc__faults_any(&app->faults);
    svc__logger_configure(&app->logger, &app->config);
    int error = svc__mount_adopt(app);
    int admin_error = svc__mount_adopt_admin(app);
    error = error ? error : admin_error;
    for (svc_app *each = app; each; each = each->admin)
        svc__app_plan_check(each);
    if (app->admin)
        svc__admin_app_settle(app->admin);
    if (!error && svc__faults_any(&app->faults))
        error = SVC_EROUTES;
    for (svc_app *each = app; each && !error; each = each->admin)
        error = compile(each);
    /* Code that acts on settings must not see bad ones, which svc__settings_check has reported. */
    if (!error && !app->settings.bad)
        error = start_all(app);
    if (!error && !app->settings.bad && svc__faults_any(&app->faults))
        error = SVC_ESTATE; /* a hook has registered something, which came too late */
    if (error == SVC_ENOMEM && !errors_before)
        svc__faults_add(&app->faults, NULL, 0, "%s", svc_error_text(error));
    app->readied = !error;
    if (error)
        svc__app_unready(app);
    return error;
}

static void stop_middleware(svc_app *app)
{
    while (app->middleware_started_count > 0) {
        const struct chain_layer *layer = &app->middleware_started[--app->middleware_started_count];
        if (layer->middleware->stop)
            layer->middleware->stop(layer->app, layer->middleware->arg);
    }
}

void svc__app_unready(svc_app *app)
{
    app->state = APP_ENDING;
    app->readied = false;
    (void)svc__task_end(app, WAIT_FOR_EVER);
    for (; app->started; app->started = app->started->previous)
        if (app->started->stop)
            app->started->stop(app->started->app, app->started->arg);
    if (app->admin)
        stop_middleware(app->admin);
    stop_middleware(app);
    app->state = APP_ENDED;
}
