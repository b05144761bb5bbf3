/* A service with sessions, as a stranger writes it, outside the tree. */
#include <svc.h>
#include <svc/session.h>

static int answer(svc_request *req, svc_response *res)
{
    int error = svc_session_set(req, "path", svc_request_path(req));
    if (error)
        return error;
    return svc_response_json(res, 200, "{s:s}", "path", svc_session_get(req, "path"));
}

int main(void)
{
    svc_app *app = svc_app_new("consumer");
    svc_session_options options = SVC_SESSION_OPTIONS_INIT;
    options.store = svc_store_open(app, NULL);
    svc_app_use(app, svc_session_new(app, &options));
    svc_app_get(app, "/{path...}", answer, NULL);
    return svc_app_run(app);
}
