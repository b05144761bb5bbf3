/*
 * The app of a program's own routes on the admin listener. It is served by a loop and workers of
 * its own, so that nothing of the program runs where the library's pages are answered.
 */
#include "libsvc/app/admin_app.h"

#include "libsvc/base/list.h"
#include "libsvc/exchange/response_internal.h"

/* Threads for its blocking routes, and connections: those that hang take no more of the process. */
enum { WORKERS = 16, CONNECTIONS = 256 };

static const char *const pages[] = {ADMIN_APP_LIVEZ, ADMIN_APP_READYZ, ADMIN_APP_METRICS};

/* ---- Caches */

static int forbid_storing(svc_request *req, svc_response *res, const svc_layer *layer)
{
    (void)req, (void)layer;
    const struct bytes name = svc__bytes_z("Cache-Control");
    if (svc__response_find(res, name))
        return 0;
    return svc__response_put(res, name, svc__bytes_z("no-store"));
}

const svc_middleware svc__admin_app_no_store = {
    .size = sizeof svc__admin_app_no_store, .name = "no_store", .on_response = forbid_storing};

/* ---- Making one */

static svc_app *make_admin(svc_app *app)
{
    svc_app *admin = svc__app_create(app->name, app->defaults, app->default_count);
    if (!admin) {
        svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_app_admin");
        return NULL;
    }
    svc__faults_join(&admin->faults, &app->faults, admin->name);
    admin->parent = app;
    app->admin = admin;
    return admin;
}

/* NULL: there is none yet. */
static svc_app *find_admin(svc_app *app)
{
    if (app->admin)
        return app->admin;
    return app->parent && app->parent->admin == app ? app : NULL;
}

svc_app *svc__admin_app_of(svc_app *app)
{
    svc_app *admin = find_admin(app);
    return admin ? admin : make_admin(app);
}

svc_app *svc_app_admin(svc_app *app)
{
    svc_app *admin = app ? find_admin(app) : NULL;
    if (admin || svc__app_open(app, "svc_app_admin"))
        return admin;
    return make_admin(app);
}

/* ---- Its start */

static const char *hiding_page(const struct pattern *pattern)
{
    const struct segment *segment = &pattern->segments[0];
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (pattern->count == 1 && segment->kind == SEGMENT_LITERAL &&
            svc__bytes_eq_z(segment->text, pages[i] + 1))
            return pages[i];
    return NULL;
}

/* The pages that debug_pages turns on. */
static const char *hiding_debug_page(const struct pattern *pattern)
{
    const struct segment *segments = pattern->segments;
    if (pattern->count != 2 || segments[0].kind != SEGMENT_LITERAL ||
        !svc__bytes_eq_z(segments[0].text, "debug"))
        return NULL;
    if (segments[1].kind == SEGMENT_END)
        return "/debug/";
    bool is_vars = segments[1].kind == SEGMENT_LITERAL && svc__bytes_eq_z(segments[1].text, "vars");
    return is_vars ? "/debug/vars" : NULL;
}

/* Like a mounted app it has limits for its routes, and all else from the app that serves. Where a
 * connection comes from has been looked at before it gets here, if at all. */
static void take_settings(svc_config *own, const svc_config *serving)
{
    svc_config config = *serving;
    config.max_body_bytes = own->max_body_bytes;
    config.max_json_depth = own->max_json_depth;
    config.request_timeout_ms = own->request_timeout_ms;
    config.workers_min = 0;
    config.workers_max = WORKERS;
    config.max_connections = CONNECTIONS;
    config.max_connections_per_address = 0;
    *own = config;
}

static bool is_debug(const struct app_route *route)
{
    for (const svc_group *group = route->group; group; group = group->parent)
        if (group == group->app->debug)
            return true;
    return false;
}

static void drop_debug_pages(svc_app *admin)
{
    struct app_route *route = admin->routes;
    admin->routes = admin->last_route = NULL;
    admin->route_count = 0;
    for (struct app_route *next; route; route = next) {
        next = route->next;
        route->next = NULL;
        if (is_debug(route))
            continue;
        LIST_APPEND(admin->routes, admin->last_route, route, route);
        admin->route_count++;
    }
}

void svc__admin_app_settle(svc_app *admin)
{
    take_settings(&admin->config, &admin->parent->config);
    if (!admin->config.debug_pages)
        drop_debug_pages(admin);
    for (const struct app_route *route = admin->routes; route; route = route->next) {
        const struct pattern *pattern = &route->pattern;
        const char *page = hiding_page(pattern);
        if (!page && admin->config.debug_pages)
            page = hiding_debug_page(pattern);
        if (page)
            svc__faults_add(&admin->faults, pattern->file, pattern->line,
                            "pattern \"%s\": %s of the admin listener is the library's own page",
                            pattern->text, page);
    }
}
