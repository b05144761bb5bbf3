/* The calls of svc/sys/ that concern an app, for optional libraries. */
#include <svc/sys/app.h>

#include "libsvc/app/app_internal.h"
#include "libsvc/base/sized.h"

int svc_sys_app_set_exporter(svc_app *app, const svc_sys_exporter *exporter)
{
    int error = svc__app_open(app, "svc_sys_app_set_exporter");
    if (error)
        return error;
    svc_sys_exporter own = SVC_SYS_EXPORTER_INIT;
    error = SIZED_READ(&own, exporter, take);
    if (!error && !own.take)
        error = SVC_EINVAL;
    if (!error && app->exporter.take)
        error = SVC_ESTATE;
    if (error)
        return svc__faults_refuse(&app->faults, error, "svc_sys_app_set_exporter");
    app->exporter = own;
    return 0;
}

const svc_sys_exporter *svc__app_exporter(const svc_app *app)
{
    if (!app)
        return NULL;
    if (app->exporter.take)
        return &app->exporter;
    for (const struct mount *mount = app->mounts; mount; mount = mount->next)
        if (mount->app->exporter.take)
            return &mount->app->exporter;
    return NULL;
}

const svc_sys_exporter *svc_sys_app_exporter(const svc_app *app)
{
    return app ? svc__app_exporter(svc__app_root(app)) : NULL;
}

int svc_sys_app_refuse(svc_app *app, int error, const char *call)
{
    return app ? svc__faults_refuse(&app->faults, error, call) : SVC_ENOMEM;
}

void *svc_sys_app_alloc(svc_app *app, size_t size)
{
    if (svc__app_open(app, "svc_sys_app_alloc"))
        return NULL;
    void *memory = svc__arena_zalloc(&app->memory, size);
    if (!memory)
        svc__faults_refuse(&app->faults, SVC_ENOMEM, "svc_sys_app_alloc");
    return memory;
}
