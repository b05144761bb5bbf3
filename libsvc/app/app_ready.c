/* Readying an app: what registration collected becomes a tree, chains and running hooks. */
#include <stdlib.h>
#include <string.h>

#include <svc/stream.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/app/app_workers.h"
#include "libsvc/app/life.h"
#include "libsvc/app/mount.h"
#include "libsvc/app/stalls.h"
#include "libsvc/base/wait.h"
#include "libsvc/route/plant.h"
#include "libsvc/route/precedence.h"
#include "libsvc/run/reactor.h"

enum { MAX_CONFLICTS_TOLD = 100, MAX_CONFLICT_BYTES = 4096 };

static int index_routes(svc_app *app, const struct pattern ***patterns)
{
    size_t count = app->route_count ? app->route_count : 1;
    app->by_index = svc__arena_alloc(&app->memory, count * sizeof *app->by_index);
    *patterns = malloc(count * sizeof **patterns);
    if (!app->by_index || !*patterns) {
        free(*patterns);
        return SVC_ENOMEM;
    }
    size_t i = 0;
    for (struct route *route = app->routes; route; route = route->next) {
        app->by_index[i] = route;
        (*patterns)[i++] = &route->pattern;
    }
    return 0;
}

/* With examples, or, for patterns so long that those take no end, by file and line. */
static void report_conflict(svc_app *app, const struct pattern *a, const struct pattern *b,
                            struct buf *report)
{
    svc__buf_clear(report);
    svc__precedence_explain(a, b, report);
    svc__buf_terminate(report);
    if (svc__buf_error(report))
        svc__faults_add(&app->faults, a->file, a->line, "the pattern conflicts with that of %s:%d",
                        b->file, b->line);
    else
        svc__faults_add(&app->faults, NULL, 0, "%s", report->data);
}

/*
 * All pairs: start-up only, and 10,000 routes are 50 million cheap comparisons at most. Conflicts
 * grow with the square of a mistake, such as a file registered twice, and must not crowd out the
 * other errors: so many are told, and of the rest their number.
 */
static void report_conflicts(svc_app *app, const struct pattern **patterns)
{
    struct buf report;
    size_t conflicts = 0;
    svc__buf_init(&report, MAX_CONFLICT_BYTES);
    for (size_t i = 0; i < app->route_count; i++)
        for (size_t j = i + 1; j < app->route_count; j++)
            if (svc__precedence_conflict(patterns[i], patterns[j]) &&
                conflicts++ < MAX_CONFLICTS_TOLD)
                report_conflict(app, patterns[i], patterns[j], &report);
    if (conflicts > MAX_CONFLICTS_TOLD)
        svc__faults_add(&app->faults, NULL, 0,
                        "pairs of patterns that conflict beside those told: %zu",
                        conflicts - MAX_CONFLICTS_TOLD);
    svc__buf_free(&report);
}

static int compile_routes(svc_app *app)
{
    const struct pattern **patterns;
    int error = index_routes(app, &patterns);
    if (error)
        return error;
    report_conflicts(app, patterns);
    if (!svc__faults_any(&app->faults)) {
        app->tree = svc__plant_tree(patterns, app->route_count);
        error = app->tree ? 0 : SVC_ENOMEM;
    } else {
        error = SVC_EROUTES;
    }
    free(patterns);
    return error;
}

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
    return 0;
}

static size_t count_uses(const svc_group *group)
{
    size_t count = 0;
    for (; group; group = group->parent)
        count += group->uses.count;
    return count;
}

static void append_uses(struct chain *chain, const struct use_list *list)
{
    for (const struct use *use = list->first; use; use = use->next)
        svc__chain_append(chain, use->middleware, use->app);
}

static void append_group(struct chain *chain, const svc_group *group)
{
    if (group->parent)
        append_group(chain, group->parent);
    append_uses(chain, &group->uses);
}

/* The app's setting, unless the route or a group around it says otherwise, the innermost first. The
 * groups that the route's app is mounted in are another app's, and say nothing. */
static unsigned timeout_of(const struct route *route)
{
    const svc_app *app = route->group->app;
    unsigned ms = route->timeout_ms;
    for (const svc_group *group = route->group; group && group->app == app && !ms;
         group = group->parent)
        ms = group->timeout_ms;
    return ms ? ms : (unsigned)app->config.request_timeout_ms;
}

/* A body that is read as it comes never lies in memory for a layer that wants it whole. */
static int check_stream(svc_app *app, const struct route *route)
{
    int error = 0;
    for (size_t i = 0; i < route->chain.count && route->flags & SVC_STREAM_BODY; i++) {
        const svc_middleware *middleware = route->chain.layers[i].middleware;
        if (!middleware->on_body || middleware->flags & SVC_BODY_PIECES)
            continue;
        svc__faults_add(&app->faults, route->pattern.file, route->pattern.line,
                        "middleware \"%s\" wants the whole body, which the route streams",
                        middleware->name);
        error = SVC_EROUTES;
    }
    return error;
}

/* Outermost first: the default stack, the app, the groups from the outside in, which are also
 * those that an app is mounted in, the route. Unset limits are those of the app whose route it is.
 */
static int complete_route(svc_app *app, struct route *route)
{
    const svc_config *config = &route->group->app->config;
    if (!route->max_body)
        route->max_body = (size_t)config->max_body_bytes;
    route->timeout_ms = timeout_of(route);
    size_t count = app->default_uses.count + count_uses(route->group) + route->uses.count;
    struct chain *chain = &route->chain;
    *chain = (struct chain){0};
    chain->layers = svc__arena_alloc(&app->memory, (count ? count : 1) * sizeof *chain->layers);
    if (!chain->layers)
        return SVC_ENOMEM;
    append_uses(chain, &app->default_uses);
    append_group(chain, route->group);
    append_uses(chain, &route->uses);
    app->blocks = app->blocks || chain->blocks || route->flags & SVC_BLOCKING;
    return check_stream(app, route);
}

/* Calls `visit` for the fallbacks and routes of the app and of those mounted on it, until one
 * fails. */
static int each_route(svc_app *app, int (*visit)(svc_app *app, struct route *route))
{
    int error = visit(app, &app->fallback);
    for (struct mount *mount = app->mounts; mount && !error; mount = mount->next)
        error = visit(app, &mount->app->fallback);
    for (struct route *route = app->routes; route && !error; route = route->next)
        error = visit(app, route);
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
static int start_layers(svc_app *app, struct route *route)
{
    for (size_t i = 0; i < route->chain.count; i++) {
        const struct chain_layer *layer = &route->chain.layers[i];
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

static int count_layers(svc_app *app, struct route *route)
{
    app->middleware_started_count += route->chain.count;
    return 0;
}

static int start_middleware(svc_app *app)
{
    each_route(app, count_layers);
    size_t total = app->middleware_started_count + 1;
    app->middleware_started_count = 0;
    app->middleware_started =
        svc__arena_alloc(&app->memory, total * sizeof *app->middleware_started);
    return app->middleware_started ? each_route(app, start_layers) : SVC_ENOMEM;
}

/* A stop that is asked for meanwhile ends the start between two hooks; one that fails then has done
 * as it was asked. */
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

int svc__app_ready(svc_app *app)
{
    if (app->readied) /* an error is a call that came too late */
        return svc__faults_any(&app->faults) ? SVC_ESTATE : 0;
    bool errors_before = svc__faults_any(&app->faults);
    svc__logger_configure(&app->logger, &app->config);
    int error = svc__mount_adopt(app);
    int routes_error = compile_routes(app);
    error = error ? error : routes_error;
    if (!error)
        error = make_defaults(app);
    if (!error)
        error = each_route(app, complete_route);
    if (!error && app->config.stall_ms)
        error = svc__stalls_register(app);
    /* What acts on settings must not see bad ones, which svc__settings_check has told. */
    if (!error && !app->settings.bad)
        error = svc__app_workers_make(app);
    if (!error && !app->settings.bad)
        error = start_middleware(app);
    if (!error && !app->settings.bad)
        error = start_hooks(app);
    if (!error && !app->settings.bad)
        error = svc__app_workers_start(app); /* which the hooks may have made ready for */
    if (!error && !app->settings.bad && svc__faults_any(&app->faults))
        error = SVC_ESTATE; /* a hook has registered something, which came too late */
    if (error == SVC_ENOMEM && !errors_before)
        svc__faults_add(&app->faults, NULL, 0, "%s", svc_error_text(error));
    app->readied = !error;
    if (error)
        svc__app_unready(app);
    return error;
}

void svc__app_unready(svc_app *app)
{
    app->state = APP_ENDING;
    app->readied = false;
    (void)svc__task_end(app, WAIT_FOR_EVER);
    for (; app->started; app->started = app->started->previous)
        if (app->started->stop)
            app->started->stop(app->started->app, app->started->arg);
    while (app->middleware_started_count > 0) {
        const struct chain_layer *layer = &app->middleware_started[--app->middleware_started_count];
        if (layer->middleware->stop)
            layer->middleware->stop(layer->app, layer->middleware->arg);
    }
    app->state = APP_ENDED;
}
