/* Registers folders whose files are served. */
#include <errno.h>
#include <string.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/sized.h"
#include "libsvc/cache/caching.h"
#include "libsvc/files/files_serve.h"
#include "libsvc/files/folder.h"

static const char *root_of(const svc_files *options)
{
    return options->root_setting ? *options->root_setting : options->root;
}

static int open_folder(svc_app *app, void *arg)
{
    struct folder *folder = arg;
    const char *root = root_of(&folder->options);
    errno = root ? 0 : ENOENT;
    folder->open = root ? svc__open_files_new(root) : NULL;
    if (folder->open)
        return 0;
    svc__faults_add(&app->faults, NULL, 0, "svc_app_files \"%s\": the folder \"%s\": %s",
                    folder->prefix, root ? root : "", strerror(errno));
    return SVC_ESYSTEM;
}

static void close_folder(svc_app *app, void *arg)
{
    struct folder *folder = arg;
    (void)app;
    svc__open_files_free(folder->open);
    folder->open = NULL;
}

/* What is wrong with the options; NULL: nothing. */
static const char *check_folder_options(const svc_files *options, const char *prefix)
{
    size_t len = prefix ? strlen(prefix) : 0;
    svc_cache_policy policy;
    struct cache_control value;
    if (len == 0 || prefix[0] != '/' || prefix[len - 1] != '/' || strpbrk(prefix, "{}"))
        return "the prefix must begin and end with '/', and has no wildcard";
    if (!options->root && !options->root_setting)
        return "there is no root";
    for (const svc_file_type *type = options->types; type && type->suffix; type++)
        if (!type->type)
            return "a suffix has no type";
    for (const svc_file_rule *rule = options->rules; rule && rule->pattern; rule++)
        if (svc__caching_read(rule->policy, &policy, &value))
            return "a rule has no policy, or one that a reply cannot have";
    return NULL;
}

static int add_folder(svc_group *group, struct folder *folder)
{
    svc_app *app = group->app;
    size_t len = strlen(folder->prefix);
    char *pattern = svc__arena_alloc(&app->memory, len + sizeof "GET {path...}");
    if (!pattern)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_app_files");
    stpcpy(stpcpy(stpcpy(pattern, "GET "), folder->prefix), "{path...}");
    svc_route route = SVC_ROUTE_INIT;
    route.pattern = pattern;
    route.handler = svc__files_serve;
    route.arg = folder;
    route.flags = SVC_ANY_BYTES; /* names of files are bytes */
    int error = svc_group_route_at(group, &route, NULL, 0);
    return error ? error : svc_app_add_hook(app, open_folder, close_folder, folder);
}

int svc_group_files(svc_group *group, const char *prefix, const svc_files *files)
{
    if (!group)
        return SVC_ENOMEM;
    svc_app *app = group->app;
    svc_files own = SVC_FILES_INIT;
    int error = svc__app_open(app, "svc_app_files");
    if (error)
        return error;
    const char *wrong = SIZED_READ(&own, files, root) ? "it needs SVC_FILES_INIT"
                                                      : check_folder_options(&own, prefix);
    if (wrong) {
        svc__faults_add(&app->faults, NULL, 0, "svc_app_files \"%s\": %s", prefix ? prefix : "",
                        wrong);
        return SVC_EINVAL;
    }
    struct folder *folder = svc__arena_zalloc(&app->memory, sizeof *folder);
    char *copy = svc__arena_strndup(&app->memory, prefix, strlen(prefix));
    if (!folder || !copy)
        return svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_app_files");
    *folder = (struct folder){.options = own, .app = app, .prefix = copy};
    return add_folder(group, folder);
}

int svc_app_files(svc_app *app, const char *prefix, const svc_files *files)
{
    return app ? svc_group_files(&app->root, prefix, files) : SVC_ENOMEM;
}
