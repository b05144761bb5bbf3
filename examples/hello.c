#include <svc.h>

static int greet(svc_request *req, svc_response *res)
{
    return svc_response_json(res, 200, "{s:s}", "hello", svc_request_param(req, "name"));
}

int main(void)
{
    svc_app *app = svc_app_new("greeter");
    svc_app_get(app, "/hello/{name}", greet, NULL);
    return svc_app_run(app); /* takes the app; returns a process exit status */
}
