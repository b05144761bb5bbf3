/* A service as a stranger writes it, outside the tree. */
#include <svc.h>

static int answer(svc_request *req, svc_response *res)
{
    return svc_response_json(res, 200, "{s:s, s:s}", "path", svc_request_path(req), "version",
                             svc_version());
}

int main(void)
{
    svc_app *app = svc_app_new("consumer");
    svc_app_get(app, "/{path...}", answer, NULL);
    return svc_app_run(app);
}
