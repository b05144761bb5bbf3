/* A service that blocks in all of a group, and that is told when its drain begins. */
#include <svc.h>

static bool told;

static void note_drain(svc_app *app, void *arg)
{
    (void)arg;
    told = svc_app_draining(app);
}

static int answer(svc_request *req, svc_response *res)
{
    (void)req;
    return svc_response_text(res, 200, "ok");
}

int main(void)
{
    svc_app *app = svc_app_new("drain");
    svc_config config = SVC_CONFIG_INIT;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "";
    config.drain_delay_ms = 0;
    svc_app_configure(app, &config);
    svc_group *group = svc_app_group(app, "/reports");
    svc_group_set_flags(group, SVC_BLOCKING);
    svc_group_get(group, "/", answer, NULL);
    svc_app_add_drain_hook(app, note_drain, NULL);
    int error = svc_app_start(app);
    bool early = told || svc_app_draining(app);
    svc_app_stop(app);
    error = error ? error : svc_app_wait(app);
    svc_app_free(app);
    return !(error == 0 && told && !early);
}
