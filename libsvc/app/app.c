/* Building an app: routes, groups, middleware, hooks and checks, with every mistake collected. */
#include <stdlib.h>
#include <string.h>

#include <svc/negotiation.h>
#include <svc/worker.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/app/app_offers.h"
#include "libsvc/base/list.h"
#include "libsvc/base/sized.h"
#include "libsvc/exchange/exchange.h"

#define LAYER_NEEDS                                                                                \
    "a middleware needs SVC_MIDDLEWARE_INIT, a name, flags of a middleware and a state that fits " \
    "into a request's memory"

enum { ROUTE_FLAGS = SVC_ANY_BYTES | SVC_ANY_CODING | SVC_BLOCKING | SVC_STREAM_BODY | SVC_DUPLEX };
enum { GROUP_TIMEOUT_MAX_MS = 86400000 /* that of the setting request_timeout_ms */ };

svc_app *svc__app_create(const char *name, const struct default_layer *defaults, size_t count)
{
    svc_app *app = calloc(1, sizeof *app);
    if (!app)
        return NULL;
    svc__arena_init(&app->memory, NULL, SIZE_MAX);
    svc__faults_init(&app->faults);
    svc__settings_init(&app->settings, &app->config, &app->memory, &app->faults);
    app->tasks = (struct task_list)TASK_LIST_INIT;
    app->stop_fd = -1;
    app->root = (struct svc_group){.app = app, .prefix = ""};
    app->fallback = (struct app_route){.group = &app->root, .flags = SVC_ANY_BYTES};
    app->fallback.pattern.text = "";
    app->defaults = defaults;
    app->default_count = count;
    app->name = svc__arena_strndup(&app->memory, name, strlen(name));
    app->metrics = svc__metrics_new();
    if (app->name && app->metrics && !svc__logger_init(&app->logger, app->name))
        return app;
    svc__metrics_free(app->metrics);
    svc__faults_free(&app->faults);
    svc__arena_reset(&app->memory);
    free(app);
    return NULL;
}

const char *svc_app_name(const svc_app *app)
{
    return app ? app->name : "";
}

const char *svc_app_errors(svc_app *app)
{
    return app ? svc__faults_text(&app->faults) : "out of memory\n";
}

int svc__app_open(svc_app *app, const char *call)
{
    if (!app)
        return SVC_ENOMEM;
    return app->state == APP_BUILDING ? 0 : svc__faults_refuse(&app->faults, SVC_ESTATE, call);
}

/* With a state larger than a request's memory, no request could be served. */
static bool read_middleware(const svc_middleware *given, svc_middleware *own)
{
    const unsigned known = SVC_BODY_PIECES | SVC_BLOCKING;
    *own = (svc_middleware)SVC_MIDDLEWARE_INIT;
    return !SIZED_READ(own, given, arg) && own->name && own->state_size <= EXCHANGE_MEMORY &&
           !(own->flags & ~known);
}

/* A struct that the program has changed between two uses is another middleware. */
static bool same_middleware(const svc_middleware *a, const svc_middleware *b)
{
    return a->name == b->name && a->flags == b->flags && a->state_size == b->state_size &&
           a->arg == b->arg && a->start == b->start && a->stop == b->stop &&
           a->on_request == b->on_request && a->on_body == b->on_body &&
           a->on_response == b->on_response && a->on_done == b->on_done;
}

/* The app's copy of a middleware, one for all of its uses; NULL when out of memory. */
static const svc_middleware *copy_middleware(svc_app *app, const svc_middleware *given,
                                             const svc_middleware *own)
{
    for (const struct layer_copy *at = app->layer_copies; at; at = at->next)
        if (at->given == given && same_middleware(&at->own, own))
            return &at->own;
    struct layer_copy *copy = svc__arena_alloc(&app->memory, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = (struct layer_copy){*own, given, app->layer_copies};
    app->layer_copies = copy;
    return &copy->own;
}

int svc__app_append_use(svc_app *app, struct use_list *list, const svc_middleware *middleware)
{
    svc_middleware own;
    if (!read_middleware(middleware, &own))
        return SVC_EINVAL;
    struct use *use = svc__arena_alloc(&app->memory, sizeof *use);
    const svc_middleware *copy = copy_middleware(app, middleware, &own);
    if (!use || !copy)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, "middleware");
    *use = (struct use){NULL, copy, app};
    LIST_APPEND(list->first, list->last, use, use);
    list->count++;
    return 0;
}

int svc_group_use(svc_group *group, const svc_middleware *middleware)
{
    if (!group)
        return SVC_ENOMEM;
    int error = svc__app_open(group->app, "svc_group_use");
    if (error)
        return error;
    error = svc__app_append_use(group->app, &group->uses, middleware);
    if (error == SVC_EINVAL)
        svc__faults_add(&group->app->faults, NULL, 0, "svc_group_use: " LAYER_NEEDS);
    return error;
}

int svc_app_use(svc_app *app, const svc_middleware *middleware)
{
    return app ? svc_group_use(&app->root, middleware) : SVC_ENOMEM;
}

int svc_group_set_timeout(svc_group *group, unsigned timeout_ms)
{
    if (!group)
        return SVC_ENOMEM;
    int error = svc__app_open(group->app, "svc_group_set_timeout");
    if (error)
        return error;
    if (timeout_ms > GROUP_TIMEOUT_MAX_MS)
        return svc__faults_refuse(&group->app->faults, SVC_EINVAL, "svc_group_set_timeout");
    group->timeout_ms = timeout_ms;
    return 0;
}

int svc_group_set_flags(svc_group *group, unsigned flags)
{
    if (!group)
        return SVC_ENOMEM;
    int error = svc__app_open(group->app, "svc_group_set_flags");
    if (error)
        return error;
    if (flags & ~(unsigned)ROUTE_FLAGS)
        return svc__faults_refuse(&group->app->faults, SVC_EINVAL, "svc_group_set_flags");
    group->flags = flags;
    return 0;
}

int svc_group_set_offers(svc_group *group, const svc_offers *offers)
{
    if (!group)
        return SVC_ENOMEM;
    int error = svc__app_open(group->app, "svc_group_set_offers");
    return error ? error : svc__app_offers_copy(group->app, offers, NULL, 0, &group->offers);
}

int svc_app_set_offers(svc_app *app, const svc_offers *offers)
{
    return app ? svc_group_set_offers(&app->root, offers) : SVC_ENOMEM;
}

int svc__app_make_group(svc_group *group, const char *prefix, svc_group **out)
{
    svc_app *app = group->app;
    int error = svc__app_open(app, "svc_group_group");
    if (error)
        return error;
    size_t outer = strlen(group->prefix), inner = prefix ? strlen(prefix) : 0;
    if (!prefix || (inner > 0 && (prefix[0] != '/' || prefix[inner - 1] == '/'))) {
        svc__faults_add(&app->faults, NULL, 0,
                        "group prefix \"%s\": must be empty, or begin and not end with '/'",
                        prefix ? prefix : "");
        return SVC_EINVAL;
    }
    svc_group *child = svc__arena_alloc(&app->memory, sizeof *child);
    char *joined = svc__arena_alloc(&app->memory, outer + inner + 1);
    if (!child || !joined)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_group_group");
    memcpy(joined, group->prefix, outer);
    memcpy(joined + outer, prefix, inner + 1);
    *child = (struct svc_group){.app = app, .parent = group, .prefix = joined};
    *out = child;
    return 0;
}

svc_group *svc_group_group(svc_group *group, const char *prefix)
{
    svc_group *child;
    return group && !svc__app_make_group(group, prefix, &child) ? child : NULL;
}

svc_group *svc_app_group(svc_app *app, const char *prefix)
{
    return app ? svc_group_group(&app->root, prefix) : NULL;
}

/* "[METHOD ][HOST]" + the group's prefix + the path, in the app's memory. */
static char *whole_pattern(const svc_group *group, const char *method, const char *pattern)
{
    const char *path = strchrnul(pattern, '/'); /* behind an optional method and host */
    size_t method_len = method ? strlen(method) : 0, prefix_len = strlen(group->prefix);
    size_t head = (size_t)(path - pattern), tail = strlen(path);
    char *text =
        svc__arena_alloc(&group->app->memory, method_len + 1 + head + prefix_len + tail + 1);
    if (!text)
        return NULL;
    char *at = text;
    if (method) {
        memcpy(at, method, method_len);
        at += method_len;
        *at++ = ' ';
    }
    memcpy(at, pattern, head);
    memcpy(at + head, group->prefix, prefix_len);
    memcpy(at + head + prefix_len, path, tail + 1);
    return text;
}

int svc__app_parse_pattern(const svc_group *group, const char *method, const char *pattern,
                           const char *file, int line, struct pattern *out)
{
    svc_app *app = group->app;
    char *text = whole_pattern(group, method, pattern);
    if (!text)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, "route");
    struct buf why;
    svc__buf_init(&why, 4096);
    int error = svc__pattern_parse(&app->memory, text, file, line, out, &why);
    if (error) {
        svc__buf_terminate(&why);
        svc__faults_add(&app->faults, file, line, "pattern \"%s\": %s", text,
                        svc__buf_error(&why) || why.len == 0 ? svc_error_text(error) : why.data);
    }
    svc__buf_free(&why);
    return error;
}

/* All of a route's layers are checked, so that each bad one is reported. */
static int append_layers(svc_app *app, struct app_route *route, const svc_route *spec)
{
    const struct pattern *pattern = &route->pattern;
    int first = 0;
    for (size_t i = 0; spec->middleware && spec->middleware[i]; i++) {
        int error = svc__app_append_use(app, &route->uses, spec->middleware[i]);
        if (error == SVC_EINVAL)
            svc__faults_add(&app->faults, pattern->file, pattern->line,
                            "layer %zu of \"%s\": " LAYER_NEEDS, i + 1, pattern->text);
        first = first ? first : error;
    }
    return first;
}

static int add_route(svc_group *group, const char *method, const svc_route *spec, const char *file,
                     int line)
{
    svc_app *app = group->app;
    struct app_route *route = svc__arena_zalloc(&app->memory, sizeof *route);
    char *where = svc__arena_strndup(&app->memory, file, strlen(file));
    if (!route || !where)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, "route");
    int error = svc__app_parse_pattern(group, method, spec->pattern, where, line, &route->pattern);
    if (error)
        return error;
    route->group = group;
    route->handler = spec->handler;
    route->arg = spec->arg;
    route->flags = spec->flags;
    route->max_body = spec->max_body;
    route->timeout_ms = spec->timeout_ms;
    error = append_layers(app, route, spec);
    if (!error && spec->offers)
        error = svc__app_offers_copy(app, spec->offers, file, line, &route->offers);
    if (error)
        return error;
    LIST_APPEND(app->routes, app->last_route, route, route);
    app->route_count++;
    return 0;
}

static int read_route(svc_group *group, const svc_route *given, svc_route *own, const char *file,
                      int line)
{
    *own = (svc_route)SVC_ROUTE_INIT;
    if (group->app->state != APP_BUILDING) {
        svc__faults_add(&group->app->faults, file, line, "route: %s", svc_error_text(SVC_ESTATE));
        return SVC_ESTATE;
    }
    if (SIZED_READ(own, given, handler) || !own->pattern || !own->handler) {
        svc__faults_add(&group->app->faults, file, line,
                        "a route needs SVC_ROUTE_INIT, a pattern and a handler");
        return SVC_EINVAL;
    }
    if (own->flags & ~(unsigned)ROUTE_FLAGS) {
        svc__faults_add(&group->app->faults, file, line,
                        "route \"%s\": flags that are no route's: 0x%x", own->pattern,
                        own->flags & ~(unsigned)ROUTE_FLAGS);
        return SVC_EINVAL;
    }
    return 0;
}

int svc_group_route_at(svc_group *group, const svc_route *route, const char *file, int line)
{
    svc_route own;
    if (!group)
        return SVC_ENOMEM;
    file = file ? file : "?";
    int error = read_route(group, route, &own, file, line);
    return error ? error : add_route(group, NULL, &own, file, line);
}

int svc_group_method_at(svc_group *group, const char *method, const char *pattern,
                        svc_handler *handler, void *arg, const char *file, int line)
{
    if (!group)
        return SVC_ENOMEM;
    svc_route own, route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = handler;
    route.arg = arg;
    file = file ? file : "?";
    int error = read_route(group, &route, &own, file, line);
    return error ? error : add_route(group, method, &own, file, line);
}

int svc_app_route_at(svc_app *app, const svc_route *route, const char *file, int line)
{
    return app ? svc_group_route_at(&app->root, route, file, line) : SVC_ENOMEM;
}

int svc_app_method_at(svc_app *app, const char *method, const char *pattern, svc_handler *handler,
                      void *arg, const char *file, int line)
{
    return app ? svc_group_method_at(&app->root, method, pattern, handler, arg, file, line)
               : SVC_ENOMEM;
}

int svc_app_set_fallback(svc_app *app, svc_handler *handler, void *arg)
{
    int error = svc__app_open(app, "svc_app_set_fallback");
    if (error)
        return error;
    if (!handler)
        return svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_app_set_fallback");
    app->fallback.handler = handler;
    app->fallback.arg = arg;
    return 0;
}

int svc_app_describe(svc_app *app, const char *text)
{
    int error = svc__app_open(app, "svc_app_describe");
    if (error)
        return error;
    const char *copy = text ? svc__arena_strndup(&app->memory, text, strlen(text)) : NULL;
    if (!copy)
        return svc__faults_refuse(&app->faults, text ? SVC_ENOMEM : SVC_EINVAL, "svc_app_describe");
    app->description = copy;
    return 0;
}

int svc_app_visit_routes(const svc_app *app, int (*visit)(const svc_route_info *info, void *arg),
                         void *arg)
{
    for (const struct app_route *route = app ? app->routes : NULL; route; route = route->next) {
        const struct pattern *pattern = &route->pattern;
        svc_route_info info = {sizeof info, pattern->text, pattern->file, pattern->line};
        int result = visit(&info, arg);
        if (result)
            return result;
    }
    return 0;
}

/* Adds a copy of `given`, for the public call `call`. */
static int append_hook(svc_app *app, const struct hook *given, const char *call)
{
    struct hook *hook = svc__arena_alloc(&app->memory, sizeof *hook);
    if (!hook)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, call);
    *hook = *given;
    hook->app = app;
    hook->previous = app->last_hook;
    LIST_APPEND(app->hooks, app->last_hook, hook, hook);
    return 0;
}

int svc_app_add_hook(svc_app *app, int (*start)(svc_app *app, void *arg),
                     void (*stop)(svc_app *app, void *arg), void *arg)
{
    const struct hook hook = {.start = start, .stop = stop, .arg = arg};
    int error = svc__app_open(app, "svc_app_add_hook");
    return error ? error : append_hook(app, &hook, "svc_app_add_hook");
}

int svc_app_add_drain_hook(svc_app *app, void (*fn)(svc_app *app, void *arg), void *arg)
{
    const struct hook hook = {.drain = fn, .arg = arg};
    int error = svc__app_open(app, "svc_app_add_drain_hook");
    if (error)
        return error;
    return fn ? append_hook(app, &hook, "svc_app_add_drain_hook")
              : svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_app_add_drain_hook");
}

bool svc__app_name_valid(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return name && *name && strspn(name, allowed) == strlen(name);
}

int svc_app_each_worker(svc_app *app, int (*begin)(svc_app *app, void *arg, void **state),
                        void (*end)(void *state, void *arg), void *arg)
{
    int error = svc__app_open(app, "svc_app_each_worker");
    if (error)
        return error;
    if (app->worker_hooks.begin)
        return svc__faults_refuse(&app->faults, SVC_ESTATE, "svc_app_each_worker");
    if (!begin)
        return svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_app_each_worker");
    app->worker_hooks = (struct worker_hooks){begin, end, arg};
    return 0;
}

char *svc__app_prefixed(svc_app *outer, const svc_app *inner, const char *name)
{
    size_t prefix = strlen(inner->name), len = strlen(name);
    char *joined = svc__arena_alloc(&outer->memory, prefix + 1 + len + 1);
    if (!joined)
        return NULL;
    memcpy(joined, inner->name, prefix);
    joined[prefix] = '.';
    memcpy(joined + prefix + 1, name, len + 1);
    return joined;
}

int svc_app_add_check(svc_app *app, const char *name, int (*check)(void *arg), void *arg)
{
    int error = svc__app_open(app, "svc_app_add_check");
    if (error)
        return error;
    if (!svc__app_name_valid(name) || !check)
        return svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_app_add_check");
    error = svc__app_append_check(app, name, check, arg);
    return error ? svc__faults_refuse(&app->faults, error, "svc_app_add_check") : 0;
}

int svc__app_append_check(svc_app *app, const char *name, int (*check)(void *arg), void *arg)
{
    struct check *entry = svc__arena_alloc(&app->memory, sizeof *entry);
    char *copy = svc__arena_strndup(&app->memory, name, strlen(name));
    if (!entry || !copy)
        return SVC_ENOMEM;
    *entry = (struct check){copy, check, arg, NULL};
    LIST_APPEND(app->checks, app->last_check, entry, entry);
    return 0;
}
