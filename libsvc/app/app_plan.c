/* Compiles a plan from the registrations: the tree, and the chain and limits of each route. */
#include "libsvc/app/app_plan.h"

#include <stdlib.h>

#include <svc/stream.h>

#include "libsvc/app/app_offers.h"
#include "libsvc/route/plant.h"
#include "libsvc/route/precedence.h"

enum { MAX_CONFLICTS_REPORTED = 100, MAX_CONFLICT_BYTES = 4096 };

/* Reports a conflict with examples or, for patterns too long for that, by file and line. */
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
 * All pairs are compared: this happens at start only, and 10,000 routes are 50 million cheap
 * comparisons at most. Conflicts grow with the square of a mistake, such as a file registered
 * twice, and must not crowd out the other errors: the first ones are reported, and the number of
 * the rest.
 */
void svc__app_plan_check(svc_app *app)
{
    struct buf report;
    size_t conflicts = 0;
    svc__buf_init(&report, MAX_CONFLICT_BYTES);
    for (const struct app_route *a = app->routes; a; a = a->next)
        for (const struct app_route *b = a->next; b; b = b->next)
            if (svc__precedence_conflict(&a->pattern, &b->pattern) &&
                conflicts++ < MAX_CONFLICTS_REPORTED)
                report_conflict(app, &a->pattern, &b->pattern, &report);
    if (conflicts > MAX_CONFLICTS_REPORTED)
        svc__faults_add(&app->faults, NULL, 0,
                        "pairs of patterns that conflict beside those reported: %zu",
                        conflicts - MAX_CONFLICTS_REPORTED);
    svc__buf_free(&report);
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

/* The route's own limit, else that of the innermost group that has one, else the app's setting.
 * Groups in which the route's app is mounted belong to another app and do not count. */
static unsigned timeout_of(const struct app_route *route)
{
    const svc_app *app = route->group->app;
    unsigned ms = route->timeout_ms;
    for (const svc_group *group = route->group; group && group->app == app && !ms;
         group = group->parent)
        ms = group->timeout_ms;
    return ms ? ms : (unsigned)app->config.request_timeout_ms;
}

/* A body that is read as it comes is never in memory for a layer that wants it whole; and while the
 * reply is sent, the layers no longer see the body that the handler still reads. */
static int check_stream(svc_app *app, const struct route *route)
{
    int error = 0;
    for (size_t i = 0; i < route->chain.count && route->flags & SVC_STREAM_BODY; i++) {
        const svc_middleware *middleware = route->chain.layers[i].middleware;
        bool duplex = route->flags & SVC_DUPLEX;
        if (!middleware->on_body || (middleware->flags & SVC_BODY_PIECES && !duplex))
            continue;
        svc__faults_add(&app->faults, route->pattern.file, route->pattern.line,
                        "middleware \"%s\" wants the %s", middleware->name,
                        duplex ? "body, which the route reads while it answers"
                               : "whole body, which the route streams");
        error = SVC_EROUTES;
    }
    return error;
}

static const struct plan_app *owner_of(const struct plan *plan, const svc_app *app)
{
    const struct plan_app *at = plan->apps;
    while (at->app != app)
        at++;
    return at;
}

/* The route's own flags, and those of the groups around it in its app. */
static unsigned flags_of(const struct app_route *route)
{
    unsigned flags = route->flags;
    const svc_group *group = route->group;
    for (; group && group->app == route->group->app; group = group->parent)
        flags |= group->flags;
    return flags & SVC_DUPLEX ? flags | SVC_STREAM_BODY : flags;
}

/* The layers, outermost first: the default stack, the app, the groups from the outside in (with
 * those that an app is mounted in), the route. Unset limits are those of the route's own app. */
static int compile_route(svc_app *app, struct plan *plan, const struct app_route *from,
                         uint32_t index, struct route *route)
{
    const svc_config *config = &from->group->app->config;
    size_t count = app->default_uses.count + count_uses(from->group) + from->uses.count;
    *route =
        (struct route){.pattern = from->pattern,
                       .owner = owner_of(plan, from->group->app),
                       .handler = from->handler,
                       .arg = from->arg,
                       .flags = flags_of(from),
                       .max_body = from->max_body ? from->max_body : (size_t)config->max_body_bytes,
                       .timeout_ms = timeout_of(from),
                       .index = index};
    struct chain *chain = &route->chain;
    chain->layers = svc__arena_alloc(&plan->memory, (count ? count : 1) * sizeof *chain->layers);
    route->stall_logged_ms = svc__arena_zalloc(&plan->memory, sizeof *route->stall_logged_ms);
    if (!chain->layers || !route->stall_logged_ms)
        return SVC_ENOMEM;
    append_uses(chain, &app->default_uses);
    append_group(chain, from->group);
    append_uses(chain, &from->uses);
    if (svc__app_offers_compile(from, &plan->memory, &route->offers))
        return SVC_ENOMEM;
    plan->blocks = plan->blocks || chain->blocks || route->flags & SVC_BLOCKING;
    return check_stream(app, route);
}

/* Compiles the apps first, since their fallbacks point to them. */
static int compile_apps(svc_app *app, struct plan *plan)
{
    plan->app_count = 1;
    for (const struct mount *mount = app->mounts; mount; mount = mount->next)
        plan->app_count++;
    plan->apps = svc__arena_zalloc(&plan->memory, plan->app_count * sizeof *plan->apps);
    if (!plan->apps)
        return SVC_ENOMEM;
    struct plan_app *at = plan->apps;
    *at++ = (struct plan_app){.app = app, .config = &app->config, .mounted_at = svc__bytes_z("")};
    for (const struct mount *mount = app->mounts; mount; mount = mount->next)
        *at++ = (struct plan_app){
            .app = mount->app,
            .config = &mount->app->config,
            .prefix = mount->prefix,
            .mounted_at = svc__bytes(mount->prefix.text, strlen(mount->prefix.text) - 1)};
    int error = 0;
    for (size_t i = 0; i < plan->app_count && !error; i++)
        error = compile_route(app, plan, &plan->apps[i].app->fallback, UINT32_MAX,
                              &plan->apps[i].fallback);
    return error;
}

static int compile_routes(svc_app *app, struct plan *plan)
{
    size_t count = app->route_count ? app->route_count : 1, i = 0;
    const struct pattern **patterns = malloc(count * sizeof *patterns);
    plan->routes = svc__arena_zalloc(&plan->memory, count * sizeof *plan->routes);
    int error = patterns && plan->routes ? 0 : SVC_ENOMEM;
    for (const struct app_route *from = app->routes; from && !error; from = from->next, i++) {
        patterns[i] = &from->pattern;
        error = compile_route(app, plan, from, (uint32_t)i, &plan->routes[i]);
    }
    plan->route_count = i;
    if (!error)
        plan->tree = svc__plant_tree(patterns, i);
    free(patterns);
    return error || plan->tree ? error : SVC_ENOMEM;
}

int svc__app_plan_compile(svc_app *app, struct plan **out)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return SVC_ENOMEM;
    svc__arena_init(&plan->memory, NULL, SIZE_MAX);
    plan->config = &app->config;
    plan->default_layers = app->default_uses.count;
    plan->logger = &svc__app_root(app)->logger;
    plan->draining = &svc__app_root(app)->draining;
    plan->exporter = svc__app_exporter(app);
    int error = svc__plan_counts_register(&plan->counts, app->metrics);
    if (!error)
        error = compile_apps(app, plan);
    if (!error)
        error = compile_routes(app, plan);
    if (error)
        svc__plan_free(plan);
    else
        *out = plan;
    return error;
}
