/* Apps mounted under a prefix of other apps. */
#include "libsvc/app/mount.h"

#include <string.h>

#include "libsvc/app/admin_app.h"
#include "libsvc/app/app_settings.h"
#include "libsvc/app/loop_hooks.h"
#include "libsvc/app/task.h"
#include "libsvc/base/list.h"

static int refuse_mount(svc_app *outer, const char *prefix, int error, const char *why)
{
    svc__faults_add(&outer->faults, NULL, 0, "svc_app_mount \"%s\": %s", prefix ? prefix : "", why);
    return error;
}

/* Whether the one app can be mounted on the other: 0, or a code that is reported. */
static int check_mount(svc_app *outer, const char *prefix, const svc_app *inner)
{
    if (!inner) /* of svc_app_new */
        return refuse_mount(outer, prefix, SVC_ENOMEM, svc_error_text(SVC_ENOMEM));
    if (outer->state != APP_BUILDING || inner->state != APP_BUILDING)
        return refuse_mount(outer, prefix, SVC_ESTATE, "only before either app has started");
    if (inner->parent)
        return refuse_mount(outer, prefix, SVC_ESTATE, "the app is mounted already");
    for (const svc_app *app = outer; app; app = app->parent)
        if (app == inner)
            return refuse_mount(outer, prefix, SVC_EINVAL, "an app cannot be mounted on itself");
    return 0;
}

static void refuse_metric(void *arg, const char *name)
{
    svc_app *outer = arg;
    svc__faults_add(
        &outer->faults, NULL, 0,
        "the metric \"%s\" of an app that is mounted has a name that another kind of metric has",
        name);
}

/* Makes `inner` an app under the prefix of the group. 0, or SVC_ENOMEM, kept as a set-up error. */
static int add_mount(svc_group *at, svc_app *inner, struct mount **out)
{
    struct mount *mount = svc__arena_zalloc(&at->app->memory, sizeof *mount);
    if (!mount)
        return svc__faults_refuse(&at->app->faults, SVC_ENOMEM, "svc_app_mount");
    mount->app = inner;
    mount->at = at;
    LIST_APPEND(at->app->mounts, at->app->last_mount, mount, mount);
    inner->parent = at->app;
    inner->root.parent = at;
    *out = mount;
    return 0;
}

int svc_group_mount(svc_group *group, const char *prefix, svc_app *inner)
{
    if (!group)
        return SVC_ENOMEM;
    svc_app *outer = group->app;
    svc_group *at;
    int error = check_mount(outer, prefix, inner);
    if (!error)
        error = svc__app_make_group(group, prefix, &at);
    if (error)
        return error;
    struct mount *mount;
    error = add_mount(at, inner, &mount);
    if (error)
        return error;
    /* Errors of an app from before it was mounted are errors of the whole. */
    svc__faults_join(&inner->faults, &outer->faults, inner->name);
    if (svc__metrics_adopt(svc__app_root(outer)->metrics, inner->metrics, refuse_metric, outer))
        return svc__faults_refuse(&outer->faults, SVC_ENOMEM, "svc_app_mount");
    return svc__app_settings_adopt(svc__app_root(outer), inner);
}

int svc_app_mount(svc_app *app, const char *prefix, svc_app *inner)
{
    return app ? svc_group_mount(&app->root, prefix, inner) : SVC_ENOMEM;
}

/* The patterns are parsed once more with the prefix, which may make them too long. */
static int adopt_routes(svc_app *app, struct mount *mount)
{
    svc_app *inner = mount->app;
    int first = 0;
    for (struct app_route *route = inner->routes; route; route = route->next) {
        struct pattern *pattern = &route->pattern;
        int error = svc__app_parse_pattern(mount->at, NULL, pattern->text, pattern->file,
                                           pattern->line, pattern);
        first = first ? first : error;
    }
    if (!inner->routes)
        return first;
    LIST_APPEND(app->routes, app->last_route, inner->routes, inner->last_route);
    app->route_count += inner->route_count;
    inner->routes = inner->last_route = NULL;
    return first;
}

static void adopt_hooks(svc_app *app, svc_app *inner)
{
    if (!inner->hooks)
        return;
    inner->hooks->previous = app->last_hook;
    LIST_APPEND(app->hooks, app->last_hook, inner->hooks, inner->last_hook);
    inner->hooks = inner->last_hook = NULL;
}

/* Two apps may have a check of the same name: theirs become "orders.store" and "users.store". */
static int adopt_checks(svc_app *app, svc_app *inner)
{
    for (struct check *check = inner->checks; check; check = check->next) {
        check->name = svc__app_prefixed(app, inner, check->name);
        if (!check->name)
            return svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_app_mount");
    }
    if (!inner->checks)
        return 0;
    LIST_APPEND(app->checks, app->last_check, inner->checks, inner->last_check);
    inner->checks = inner->last_check = NULL;
    return 0;
}

static int adopt_prefix(struct mount *mount, const svc_group *at)
{
    return svc__app_parse_pattern(at, NULL, mount->prefix.text ? mount->prefix.text : "/",
                                  "svc_app_mount", 0, &mount->prefix);
}

/* The mounts of a mounted app, which are readied already, become the outer app's own. */
static int adopt_mounts(svc_app *app, struct mount *mount)
{
    svc_app *inner = mount->app;
    struct mount *next;
    int error = adopt_prefix(mount, mount->at);
    for (struct mount *deeper = inner->mounts; deeper && !error; deeper = next) {
        next = deeper->next;
        deeper->next = NULL;
        LIST_APPEND(app->mounts, app->last_mount, deeper, deeper);
        error = adopt_prefix(deeper, mount->at);
        inner->mounts = next;
    }
    return error;
}

/* The parts that belong to the service as a whole, and not to the app that has registered them. */
static int adopt_common(svc_app *app, svc_app *inner)
{
    inner->state = APP_READY;
    adopt_hooks(app, inner);
    int first = adopt_checks(app, inner);
    int error = svc__task_adopt(app, inner);
    return first ? first : error;
}

static int adopt_admin(svc_app *app, const struct mount *mount);

static int adopt(svc_app *app, struct mount *mount)
{
    svc_app *inner = mount->app;
    int first = svc__mount_adopt(inner);
    int error = adopt_routes(app, mount);
    first = first ? first : error;
    error = adopt_common(app, inner);
    first = first ? first : error;
    error = svc__loop_hooks_adopt(app, inner);
    first = first ? first : error;
    error = adopt_mounts(app, mount);
    first = first ? first : error;
    error = adopt_admin(app, mount);
    return first ? first : error;
}

/* The admin routes of a mounted app are served under its prefix, on the admin listener. The outer
 * admin app is adopted later, unless it is the one that is just being adopted. */
static int adopt_admin(svc_app *app, const struct mount *mount)
{
    svc_app *inner = mount->app->admin;
    if (!inner)
        return 0;
    svc_app *outer = svc__admin_app_of(app);
    if (!outer)
        return SVC_ENOMEM;
    svc_group *at;
    struct mount *deeper;
    int error = svc__app_make_group(&outer->root, mount->at->prefix, &at);
    if (!error)
        error = add_mount(at, inner, &deeper);
    return !error && outer == app ? adopt(app, deeper) : error;
}

int svc__mount_adopt(svc_app *app)
{
    int first = 0;
    struct mount *last = app->last_mount; /* mounts after it come from mounted apps */
    for (struct mount *mount = app->mounts; mount; mount = mount->next) {
        int error = adopt(app, mount);
        first = first ? first : error;
        if (mount == last)
            break;
    }
    return first;
}

int svc__mount_adopt_admin(svc_app *app)
{
    svc_app *admin = app->admin;
    if (!admin)
        return 0;
    int first = svc__mount_adopt(admin);
    int error = adopt_common(app, admin);
    return first ? first : error;
}
