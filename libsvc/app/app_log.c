/* An app's log: lines outside requests, the app's own sink, its file. */
#include "libsvc/app/app_internal.h"

void svc_app_log_write(const svc_app *app, svc_log_site *site, const char *message,
                       const svc_kv *items)
{
    if (app)
        svc__log_write(svc__log_here(&svc__app_root(app)->logger), site, message, items);
}

int svc_app_set_log_sink(svc_app *app, bool (*sink)(const svc_log_record *record, void *arg),
                         void *arg)
{
    int error = svc__app_open(app, "svc_app_set_log_sink");
    if (error)
        return error;
    if (!sink)
        return svc__faults_refuse(&app->faults, SVC_EINVAL, "svc_app_set_log_sink");
    app->logger.taker = sink;
    app->logger.taker_arg = arg;
    return 0;
}

int svc_app_reopen_log(svc_app *app)
{
    struct sink *sink = app ? svc__app_root(app)->logger.sink : NULL;
    if (!sink)
        return app ? SVC_ESTATE : SVC_ENOMEM;
    svc__sink_reopen(sink);
    return 0;
}
